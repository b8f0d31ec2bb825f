"""Concurrent calls: which keys may be in force while each read is under way, and which may have won (T8, A6)."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.ids import A6, S4, T1, T2, T3, T5_FIRST, T8
from contracts.judge import Judgement
from contracts.refusals import form_findings, rate_limited, value_findings
from contracts.register.account import DEMO, Account
from contracts.register.book import Book
from contracts.register.reading import NO_SESSION, ambiguous, documented, value_of


class Concurrent:
    """Takes groups of concurrent calls into a book."""

    def __init__(self, book: Book) -> None:
        self.book = book

    def add(self, members: Sequence[Judgement]) -> None:
        """Take a group of calls that were under way together."""
        calls = [each for each in members if documented(each) and not rate_limited(each)]
        before = dict(self.book.owner)
        creates = [each for each in calls if each.exchange.intent.operation == "create"]
        users = {each.exchange.intent.account for each in creates}
        # What one user alone has seen concurrently is no matter of two; what only two see is.
        alone = any(T8 in each.candidates for each in self.book.anomalies)
        extra = frozenset({T8} if len(users) < 2 else {A6, T8} if alone else {A6})
        for each in creates:
            self._key(each, before)
        for label in dict.fromkeys(each.exchange.intent.account or "" for each in calls):
            own = [each for each in calls if each.exchange.intent.account == label]
            self._of_account(self.book.account(own[0].exchange.intent), own, extra)

    def _key(self, answer: Judgement, before: dict[str, str]) -> None:
        intent = answer.exchange.intent
        self.book.opportunities.update((T1, T8))
        key = answer.key
        if key is None and intent.kind == DEMO:
            # That nobody else creates is no condition of it.
            self.book.failed(answer, T5_FIRST, "a success with a new key", self.book.account(intent))
            return
        if key is None:
            candidates = {T8} | form_findings(answer) | value_findings(answer)
            expected = "a success with a new key, as of a create that is alone"
            self.book.add(candidates, answer, expected, follows_from={T1})
            return
        owner = self.book.owner.get(key)
        if (owner is not None or key in self.book.credentials) and not ambiguous(answer):
            other = T8 if owner == intent.account else A6
            candidates = {T1} if key in before or key in self.book.credentials else {other}
            known = f"the key {key!r}, which was given to {owner} before"
            self.book.add(
                candidates, answer, "a key that was never given before", known, follows_from={T1} - candidates
            )
        if not ambiguous(answer):
            self.book.first_given(answer, intent.account or "")

    def _is_clear(self, create: Judgement) -> bool:
        """Whether *create* says which key it made: one that gives the hash of an account in its place does not."""
        return create.key is not None and not ambiguous(create) and create.key not in self.book.credentials

    def _of_account(self, account: Account, own: Sequence[Judgement], extra: frozenset[str]) -> None:
        writes = [each for each in own if each.exchange.intent.operation == "create"]
        made = [each for each in writes if each.key is not None]
        before = account.possible or frozenset()
        account.in_group.clear()
        if len({each.key for each in made} - account.past) < len(made):
            # A create that gives a key again is itself wrong, and says nothing of what is kept.
            account.forget()
            return
        reads = [each for each in own if each.exchange.intent.operation == "read"]
        for read in reads:
            self._read(account, read, writes, before, extra)
        if not made:
            account.forget()
            return
        among_others = len(made) > 1 or any(_overlap(made[0], read) for read in reads)
        self._know_one_of(account, made, extra, among_others=among_others)
        if not all(map(self._is_clear, writes)):
            account.forget()
        if reads:
            account.suspects[T3] = reads

    def _know_one_of(
        self, account: Account, made: Sequence[Judgement], extra: frozenset[str], *, among_others: bool
    ) -> None:
        """One of the keys that the creates *made* is in force from now on: that of any which ended after the last of them began.

        *among_others*: other calls of the account were sent or under way with them.
        """
        latest = max(each.exchange.sent_at for each in made)
        winners = [each.key for each in made if each.key is not None and each.exchange.ended_at > latest]
        account.past |= {each.key for each in made if each.key is not None}
        # Where a key has another form than the last, that is what one needs to see.
        account.know(*winners, source=next((each for each in made if each.violations), made[-1]))
        account.created += len(made)
        account.unread = False
        account.pending.clear()
        # Any of them may have been the last, and its key may be kept in another form than it was given in.
        form = {S4} & {each.requirement for one in made for each in one.violations}
        account.after_group = extra | form if among_others or A6 in extra else frozenset()
        account.of_group, account.group_was_read = frozenset(each.key for each in made if each.key is not None), False

    def _read(
        self,
        account: Account,
        answer: Judgement,
        writes: Sequence[Judgement],
        before: frozenset[str],
        extra: frozenset[str],
    ) -> None:
        made = [each for each in writes if each.key is not None]
        self.book.opportunities.update((T2, T3, *extra))
        value = value_of(answer)
        if value is None:
            self.book.failed(answer, T2, "a success with a key", account)
            return
        # Where it is not known which key was in force before, any other that the account has had may have been.
        own = self.book.owner.get(value) == account.label and value not in {each.key for each in made}
        possible = _possible_at(answer, made, before | {value} if account.possible is None and own else before)
        # A create that does not say so may have made a key all the same.
        clear = account.possible is not None and all(map(self._is_clear, writes))
        unknown = not clear and value not in self.book.owner
        if ambiguous(answer) or value in possible or (unknown and value != NO_SESSION):
            return
        owner = self.book.owner.get(value, account.label)
        # The key of the create before may be read in another form than it was given in, too.
        givers = [*made, *filter(None, [account.source])]
        form = {S4} & {each.requirement for one in (answer, *givers) for each in one.violations}
        candidates = frozenset({T2}) | extra | form
        if owner != account.label:
            candidates = frozenset({A6})
        elif value == NO_SESSION and not before - {NO_SESSION} and not made:
            return
        elif value not in self.book.owner and value not in account.past:
            candidates |= {T3}
        self.book.add(candidates, answer, "a key that is in force while the read is under way")
        account.in_group.append(len(self.book.anomalies) - 1)


def _overlap(one: Judgement, other: Judgement) -> bool:
    """Whether two calls were under way at the same time."""
    return one.exchange.sent_at < other.exchange.ended_at and other.exchange.sent_at < one.exchange.ended_at


def _possible_at(answer: Judgement, made: Sequence[Judgement], before: frozenset[str]) -> frozenset[str]:
    """The keys that a concurrent read may give: those not certainly replaced before it began, nor made after it ended."""
    exchange = answer.exchange
    begun = [each for each in made if each.exchange.sent_at < exchange.ended_at]
    keys = set()
    for key, since in [(key, float("-inf")) for key in before] + [(each.key, each.exchange.ended_at) for each in begun]:
        replaced = any(
            each.key != key and each.exchange.sent_at >= since and each.exchange.ended_at <= exchange.sent_at
            for each in made
        )
        if not replaced and key is not None:
            keys.add(key)
    return frozenset(keys)
