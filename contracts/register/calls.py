"""Calls one after the other: each read is compared with what the calls before it leave possible."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from contracts.codes import UNKNOWN_HASH
from contracts.exchange import Intent
from contracts.ids import A5_CHANGED, A6, S4, T1, T2, T3, T4, T5_FIRST, T5_REFUSED, T6, T8
from contracts.judge import Judgement
from contracts.refusals import FORM, form_findings, rate_limited
from contracts.register.account import DEMO, NO_SESSION_AT_FIRST, Account, Pending
from contracts.register.book import Book
from contracts.register.changes import CHANGES, REFUSED, REFUSED_DEMO, may_not_change
from contracts.register.reading import (
    NO_SESSION,
    NO_SESSION_CODE,
    SUBUSER,
    ambiguous,
    apart,
    documented,
    is_key,
    value_of,
)

#: Creates that are shown of those that lead to a key which is given again.
_SHOWN_CREATES = 12
#: What a call breaks after which a good hash is refused, though by itself it has nothing to do with the account.
_LOGS_OUT = frozenset(CHANGES.values()) - {T3, A6}


class Calls:
    """Takes calls that were alone into a book."""

    def __init__(self, book: Book) -> None:
        self.book = book
        #: The calls that a follow-up repeated, and the accounts for which it did.
        self.repeated: list[Judgement] = []
        self.repeated_for: set[str] = set()

    def add(self, answer: Judgement) -> None:
        """Take the next call, which was alone."""
        intent = answer.exchange.intent
        if rate_limited(answer):
            return
        if intent.repeat:
            self.repeated.append(answer)
        if intent.repeat and intent.valid and intent.operation == "read":
            self.repeated_for.add(intent.account or "")
        if documented(answer):
            account = self.book.account(intent)
            if intent.operation == "create":
                self._create(account, answer)
            else:
                self._read(account, answer)
        self._touch(answer)

    def _touch(self, answer: Judgement) -> None:
        """Remember what the call must not have changed; forget what it may have."""
        intent = answer.exchange.intent
        for account in self.book.accounts.values():
            broken = may_not_change(answer, account.label)
            if broken is not None:
                account.suspects.setdefault(broken, []).append(answer)
        held = self.book.accounts.get(intent.account or intent.holder or "")
        if held is not None and answer.exchange.request.method == "HEAD":
            held.forget()
        elif answer.kind == "success" and not intent.valid and intent.operation != "read":
            # It was let in as somebody, and may have made this key; that it was let in is an anomaly of its own.
            for account in self.book.accounts.values() if held is None else [held]:
                account.forget()

    # ------------------------------------------------------------------ create

    def _create(self, account: Account, answer: Judgement) -> None:
        intent = answer.exchange.intent
        self.book.opportunities[T1] += 1
        self.book.count_equivalences(answer)
        refused = self._refusal_of(account, intent)
        if refused is None and intent.kind == DEMO and account.perhaps_created and answer.code == REFUSED_DEMO[1]:
            # The create before, of which it is not known what came of it, was the first.
            account.created += 1
            refused = REFUSED_DEMO
        if refused is not None:
            self._refused_create(account, answer, *refused)
            return
        if answer.key is None:
            broken = T5_FIRST if intent.kind == DEMO else T1
            self.book.failed(answer, broken, "a success with a new key", account)
            self._perhaps_logged_out(account, answer)
            account.suspects.setdefault(broken, []).append(answer)
            if answer.server_error or answer.kind != "error" or answer.code is None or ambiguous(answer):
                account.forget()
                account.perhaps_created = True
            return
        self._made(account, answer)

    def _made(self, account: Account, answer: Judgement) -> None:
        """Create gave a key."""
        repeated = self._repeated(account, answer)
        account.created += 1
        account.creates.append(answer)
        account.seen[answer.key or ""] = answer
        if ambiguous(answer) or repeated:
            # A create that is itself wrong says nothing of what is kept.
            account.forget()
        else:
            account.know(answer.key or "", source=answer)
            account.unread, account.after_group = True, frozenset()
            account.pending.clear()
            account.made_by_read.clear()
        if not ambiguous(answer):
            self.book.first_given(answer, account.label)

    def _refusal_of(self, account: Account, intent: Intent) -> tuple[str, int] | None:
        """The requirement by which this create must be refused, and the code; None where it must succeed."""
        if intent.kind == DEMO:
            return REFUSED_DEMO if account.created else None
        return REFUSED.get(intent.kind)

    def _refused_create(self, account: Account, answer: Judgement, requirement: str, code: int) -> None:
        demo = answer.exchange.intent.kind == DEMO
        if demo:
            account.suspects.setdefault(requirement, []).append(answer)
        if ambiguous(answer) and answer.kind == "error":
            account.forget()
        if answer.kind == "error" and answer.code == code:
            return
        if requirement == T5_REFUSED and answer.key is not None and NO_SESSION in (account.possible or ()):
            # Read says that there is no session any more: then this is no second one.
            self._made(account, answer)
            return
        findings = form_findings(answer) if not answer.server_error or answer.kind == "foreign" else frozenset()
        candidates = {requirement, *answer.exchange.intent.equivalences} | findings
        if answer.key is not None and answer.key not in (account.possible or ()):
            # By whatever address, the create succeeded that must be refused. With the key that read gives it was a read.
            candidates -= apart(answer)
        follows_from: frozenset[str] = frozenset()
        if requirement == T5_REFUSED and answer.kind == "success":
            # What may have removed the session for which it is to be refused explains it as well.
            candidates |= {T3, A6} & set(account.suspects)
            follows_from = self._not_kept(account) | ({A5_CHANGED} & set(account.suspects))
        # A demo session must be refused only because it has created before.
        source = account.source if demo else None
        self.book.add(candidates, answer, f"an error with code {code}", "", source, follows_from=follows_from)
        if answer.key is not None:
            self.book.first_given(answer, account.label)
            account.know(answer.key, *(account.possible or ()), source=answer)
        elif answer.kind != "error":
            account.forget()

    def _repeated(self, account: Account, answer: Judgement) -> bool:
        """Whether create gave a key that is not new."""
        key = answer.key or ""
        if ambiguous(answer):
            return False
        owner = self.book.owner.get(key)
        credential = self.book.credentials.get(key)
        if owner is None and credential is None:
            return False
        known = f"was given to {owner} before" if owner is not None else f"is the credential of {credential}"
        context = _from(self.book.given_in.get(key), account.creates)
        # Behind an address of its own it may be a read.
        candidates = {T1, *apart(answer)}
        self.book.add(
            candidates, answer, "a key that was never given before", f"the key {key!r}, which {known}", *context
        )
        return True

    # ------------------------------------------------------------------ read

    def _read(self, account: Account, answer: Judgement) -> None:
        self.book.opportunities[T2] += 1
        self.book.opportunities[T3] += 1
        self.book.count_equivalences(answer)
        value = value_of(answer)
        if value is None:
            self._unread(account, answer)
        elif apart(answer):
            if account.possible is not None and value not in account.possible:
                form = {S4} & {each.requirement for each in answer.violations}
                candidates = {T2, *apart(answer), *self._made_by(answer, account), *form}
                self.book.add(candidates, answer, _shown(account.possible))
        elif not ambiguous(answer):
            self._observe(account, answer, value)
            account.seen[value] = answer

    def _unread(self, account: Account, answer: Judgement) -> None:
        """A read that gives neither a key nor 201."""
        if account.possible == frozenset({NO_SESSION}):
            self.book.opportunities[T4] += 1
            self.book.failed(answer, T4, f"an error with code {NO_SESSION_CODE}", account)
            return
        # Whether there is a session before the first create is not known.
        unknown = account.possible is None and not account.created and not account.perhaps_created
        # A create that was refused in these words since the last read may be why.
        refused = {name for name, code in REFUSED.values() if name in account.suspects and answer.code == code}
        self.book.failed(answer, T2, "a success with the key", account, refused, follows_from={T4} if unknown else ())
        self._perhaps_logged_out(account, answer)

    def _perhaps_logged_out(self, account: Account, answer: Judgement) -> None:
        """A good hash that is refused as one that no account has may be so for what a call since the last read that fitted did."""
        if answer.kind != "error" or answer.code not in UNKNOWN_HASH:
            return
        suspects = {name: calls for name, calls in account.suspects.items() if name in _LOGS_OUT}
        last = self.book.anomalies[-1]
        self.book.anomalies[-1] = replace(
            last, candidates=last.candidates | frozenset(suspects), suspects=tuple(_each(suspects))
        )

    def _observe(self, account: Account, answer: Judgement, value: str) -> None:
        owner = self._whose(value, account)
        for requirement in {*account.suspects, *account.after_group} - {T3}:
            self.book.opportunities[requirement] += 1
        if not answer.exchange.intent.equivalences or any(value in each.expected for each in account.pending):
            self._decide(account, answer, value)
        if account.possible == frozenset({NO_SESSION}):
            self.book.opportunities[T4] += 1
        if owner != account.label:
            self._observe_others_key(account, answer, value, owner)
        else:
            self._observe_own(account, answer, value)

    def _observe_others_key(self, account: Account, answer: Judgement, value: str, owner: str) -> None:
        """A read gives the key that *owner*, another account, had first."""
        if answer.exchange.intent.kind == SUBUSER:
            # Whether a sub-user has a session of its own, or reads the key of its master, is not documented.
            account.know(value, source=answer)
            return
        possible = account.possible
        expected = _shown(possible) if possible else f"the key of {account.label}"
        context = (account.source, self.book.given_in.get(value))
        # What create gave again is read by whom it gave it to; a sub-user that may create does so for its master.
        follows_from = {T1} if self.book.comes_back(value, account.label) else set()
        follows_from |= {T6} if _is_of_subuser(self.book.given_in.get(value)) else set()
        got = f"the key of {owner}: {answer.summary()}"
        self.book.add({A6}, answer, expected, got, *context, follows_from=follows_from)
        account.know(value, *(possible or ()), source=answer)

    def _observe_own(self, account: Account, answer: Judgement, value: str) -> None:
        """A read gives a key that was no other account's, or says that there is no session."""
        possible = account.possible
        if answer.key is not None and (account.created or answer.exchange.intent.kind not in NO_SESSION_AT_FIRST):
            self.book.first_given(answer, account.label)
        if value == NO_SESSION:
            for index in account.made_by_read:
                self.book.anomalies[index] = replace(self.book.anomalies[index], candidates=frozenset({T4}))
        if possible is None or value in possible:
            if possible is not None:
                self._all_is_well(account)
            account.know(value, source=answer)
            account.unread = False
            return
        self._unexpected(account, answer, value, possible)

    def _whose(self, value: str, account: Account) -> str:
        """The account that had this key first: *account* itself where none had, or where a sub-user alone has read its key."""
        giver = self.book.given_in.get(value)
        read_by_subuser = giver is not None and giver.exchange.intent.operation == "read" and _is_of_subuser(giver)
        if read_by_subuser and account.possible is None and not account.created:
            self.book.owner[value] = account.label
        return self.book.owner.get(value, account.label)

    def _all_is_well(self, account: Account) -> None:
        """A key of the creates that were under way together is read: what was wrong with a read among them is no matter of T8."""
        for index in account.in_group:
            anomaly = self.book.anomalies[index]
            self.book.anomalies[index] = replace(anomaly, candidates=anomaly.candidates - {T8})
        account.in_group.clear()
        account.group_was_read = True

    def _decide(self, account: Account, answer: Judgement, value: str) -> None:
        """Whether the last anomaly was a wrong answer or a changed key is seen from the read after it."""
        pending, account.pending = account.pending, []
        for each in pending:
            self._decide_one(account, answer, value, each)

    def _decide_one(self, account: Account, answer: Judgement, value: str, pending: Pending) -> None:
        anomaly = self.book.anomalies[pending.index]
        if value in pending.expected:
            candidates = pending.wrong
            account.possible = pending.expected
        elif value == pending.seen:
            candidates = pending.changed or pending.wrong
            if pending.expected == {NO_SESSION}:
                account.made_by_read.append(pending.index)
            session = self.book.seen_as[value] < 2 and value not in self.book.credentials
            if pending.expected == {NO_SESSION} and candidates == pending.wrong and session:
                # The first of them was wrong to give a key, and that there is one now is a second thing that cannot be.
                self.book.add({T3}, answer, "no delivery session, for no create has made one", "", anomaly.answer)
                account.made_by_read.append(len(self.book.anomalies) - 1)
        else:
            candidates = pending.wrong | pending.changed | {T3}
            if value not in account.past:
                # Three keys in a row and no create: that is more than one wrong answer.
                candidates -= {T2}
        self.book.anomalies[pending.index] = replace(anomaly, candidates=candidates)

    def _unexpected(self, account: Account, answer: Judgement, value: str, possible: frozenset[str]) -> None:
        wrong, changed = self._explanations(account, answer, value, possible)
        account.in_group.clear()
        context = (account.source, account.seen.get(value), *_last(account.suspects))
        # The create may have given an earlier key in the place of the one that it made.
        given_again = {T1} if account.unread or account.explained_by_group(value) else set()
        # A key that no create of the run gave may be another user's, from before.
        others_key = {A6} if answer.key is not None and answer.key not in self.book.given else set()
        follows_from = given_again | others_key
        candidates = wrong | changed
        if account.created and others_key and not given_again and changed == {T3}:
            # It gave the key of the last create before, and now, with nothing but reads between, one that no create gave.
            candidates, follows_from = candidates - {T2}, follows_from | {T2}
        self.book.add(candidates, answer, _shown(possible), answer.summary(), *context, follows_from=follows_from)
        self.book.anomalies[-1] = replace(self.book.anomalies[-1], suspects=tuple(_each(account.suspects)))
        account.pending.append(Pending(len(self.book.anomalies) - 1, possible, value, wrong, changed))
        if answer.exchange.intent.equivalences:
            # Whether it is the equivalences or the key is seen from the next plain read.
            return
        account.know(value)
        account.source = answer
        account.unread = False

    def _explanations(
        self, account: Account, answer: Judgement, value: str, possible: frozenset[str]
    ) -> tuple[frozenset[str], frozenset[str]]:
        """What explains an unexpected *value*: where this one answer is wrong, and where the key was changed."""
        intent = answer.exchange.intent
        form = {S4, *FORM} & {
            each.requirement for one in (answer, account.source) if one is not None for each in one.violations
        }
        suspects = frozenset(account.suspects)
        if NO_SESSION in possible:
            return frozenset({T4} | form), suspects or frozenset({T4})
        group = account.explained_by_group(value)
        wrong = frozenset({T2, *intent.equivalences} | form) | group
        if account.never_created:
            # What a read gives where none has made a session is no session's key, each time that it is another one.
            wrong |= {T4}
        if value in account.past:
            kept = wrong | self._not_kept(account)
            # A call since then may have undone the create.
            return kept, kept | (suspects - {T3})
        changed = suspects | group | form | self._not_kept(account) | self._made_by(answer, account)
        if group:
            # None of the creates that were under way together is kept.
            changed |= {T2}
        if account.never_created or not any(map(is_key, (value, *possible))):
            changed |= {T4}
        return wrong, changed

    def _made_by(self, answer: Judgement, account: Account) -> frozenset[str]:
        """What a read breaks that has itself made the key that it gives: one that was never given before."""
        key = answer.key
        new = key is not None and key not in account.past and self.book.owner.get(key, account.label) == account.label
        return frozenset({T3} if new else ())

    def _not_kept(self, account: Account) -> frozenset[str]:
        """What a create that no read has confirmed breaks, where its key was not kept."""
        if not account.unread or account.source is None:
            return frozenset()
        return frozenset({T2, *apart(account.source)})


def _shown(possible: Iterable[str]) -> str:
    """The keys that are expected, in words."""
    keys = sorted(possible)
    if keys == [NO_SESSION]:
        return f"an error with code {NO_SESSION_CODE}: there is no delivery session"
    return "the key " + " or ".join(repr(key) for key in keys[:3] if key != NO_SESSION)


def _from(giver: Judgement | None, creates: Sequence[Judgement]) -> Sequence[Judgement]:
    """The creates of an account from *giver* on, which gave a key first; only *giver* where it was another account's."""
    if giver is None:
        return ()
    since = list(creates[creates.index(giver) :]) if giver in creates else []
    return [giver, *since[1:][-_SHOWN_CREATES:]]


def _is_of_subuser(answer: Judgement | None) -> bool:
    return answer is not None and answer.exchange.intent.kind == SUBUSER


def _each(suspects: Mapping[str, Sequence[Judgement]]) -> Iterator[tuple[str, Judgement]]:
    """Each call that may have changed the key, with what it breaks if it has."""
    return ((name, each) for name, calls in suspects.items() for each in calls)


def _last(suspects: dict[str, list[Judgement]]) -> Iterator[Judgement]:
    """The last call of each requirement that may have changed the key."""
    return (calls[-1] for calls in suspects.values())
