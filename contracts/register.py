"""A register for each account: what is known of its key, call by call, and what in a history cannot be.

A delivery session is a register: ``create`` writes a new key, ``read`` gives the last one. So each answer of ``read`` can
be compared with what the calls before it leave possible. Where it does not fit, either this one answer was wrong or the
key was changed by a call since the last read that fitted; the next read of the account tells which.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from contracts.anomaly import Anomaly, asked
from contracts.exchange import Intent
from contracts.ids import (
    A5_CHANGED,
    A6,
    B1,
    C1_PARSED,
    C5_ISO,
    C5_UNKNOWN,
    C7_ACTIONS,
    C7_METHODS,
    C7_OPTIONS,
    C8,
    C9,
    E3,
    S3,
    S4,
    T1,
    T2,
    T3,
    T4,
    T5_FIRST,
    T5_REFUSED,
    T6,
    T7,
    T8,
)
from contracts.judge import Judgement
from contracts.refusals import FORM, form_findings, rate_limited

#: What ``read`` gives where there is no session.
NO_SESSION = "<no session>"
_NO_SESSION_CODE = 201
#: Accounts whose create is refused by contract, with the requirement that says so and the code.
REFUSED = {"subuser": (T6, 13), "tariff_restricted": (T7, 236), "demo_with_session": (T5_REFUSED, 101)}
_DEMO = "demo_without_session"
_NO_SESSION_AT_FIRST = frozenset({"owner_without_session", _DEMO})
#: Equivalences that are members of a JSON body, in these styles.
_IN_JSON = frozenset({C5_ISO, C5_UNKNOWN})
_JSON_STYLES = frozenset({"post-json", "post-header-json"})
#: Equivalences that are distinguished from everything else: what does not work there breaks them and nothing else.
_APART = frozenset({C8, C9})


def may_not_change(answer: Judgement, label: str) -> str | None:
    """What the call of *answer* breaks where it has changed the key of the account *label*; None where it may."""
    intent, method = answer.exchange.intent, answer.exchange.request.method
    if method == "HEAD":
        return None
    if method == "OPTIONS":
        return C7_OPTIONS
    if intent.operation is None:
        return C7_ACTIONS if intent.holder else A5_CHANGED
    if method not in ("GET", "POST"):
        return C7_METHODS
    if not intent.valid:
        # A call that was let in though it must not be breaks what says so, and has then done what it asked for.
        let_in = answer.kind == "success" and intent.refusal is not None
        return intent.refusal.requirement if let_in and intent.refusal is not None else A5_CHANGED
    if intent.operation == "read":
        return T3 if intent.account == label else A6
    if intent.account != label:
        return A6 if answer.kind == "success" else REFUSED.get(intent.kind, (A6, 0))[0]
    if answer.kind == "success":
        return None
    return REFUSED.get(intent.kind, (None, 0))[0]


@dataclass
class _Pending:
    """An anomaly that the next read of the account decides."""

    index: int
    expected: frozenset[str]
    seen: str
    wrong: frozenset[str]
    changed: frozenset[str]


@dataclass
class _Account:
    """What is known of the key of one account. ``possible`` is None where it may be anything."""

    label: str
    possible: frozenset[str] | None = None
    past: set[str] = field(default_factory=set)
    suspects: dict[str, list[Judgement]] = field(default_factory=dict)
    source: Judgement | None = None
    unread: bool = False
    after_group: frozenset[str] = frozenset()
    pending: list[_Pending] = field(default_factory=list)
    #: Anomalies that say that a read has made a session: none has where a later one finds none.
    made_by_read: list[int] = field(default_factory=list)
    created: int = 0
    #: Whether the last create found no session.
    first: bool = False

    @property
    def never_created(self) -> bool:
        """Whether the account had no session before the run, and no create has made one."""
        return not self.created and self.label.partition(" ")[0] in _NO_SESSION_AT_FIRST

    def know(self, *values: str, source: Judgement | None = None) -> None:
        """The key is one of *values*."""
        self.past |= {*(self.possible or ()), *values} - {NO_SESSION}
        self.possible = frozenset(values)
        self.source = source or self.source
        self.suspects.clear()

    def forget(self) -> None:
        """The key may be anything: a write whose outcome is not known."""
        self.past |= (self.possible or frozenset()) - {NO_SESSION}
        self.possible, self.unread = None, False
        self.pending.clear()
        self.after_group = frozenset()
        self.suspects.clear()


class Register:
    """The registers of all accounts over one history, and the anomalies in it."""

    def __init__(self, answers: Sequence[Judgement]) -> None:
        self.anomalies: list[Anomaly] = []
        #: How often a requirement could have been seen to be broken: how strong a coincidence is.
        self.opportunities: Counter[str] = Counter()
        self._accounts: dict[str, _Account] = {}
        self._owner: dict[str, str] = {}
        #: The account of each credential that was sent as one.
        self.credentials = {
            each.exchange.intent.credential: each.exchange.intent.account
            for each in answers
            if each.exchange.intent.valid and each.exchange.intent.credential
        }
        self._given = {each.key for each in answers if each.exchange.intent.operation == "create"}
        ordered = sorted(answers, key=lambda each: each.exchange.sent_at)
        self._seen_as = _accounts_that_read(ordered)
        self._repeated_for: set[str] = set()
        for group, members in groupby(ordered, key=lambda each: each.exchange.intent.group):
            if group:
                self._concurrent(list(members))
            else:
                for answer in members:
                    self._one(answer)
        self._give_up_what_was_not_seen_again()
        self._explain_by_other_users()

    def _give_up_what_was_not_seen_again(self) -> None:
        """Where the calls that may have changed a key were repeated and changed nothing, it is the answer that was wrong (T2)."""
        repeated = [each for each in self.anomalies if each.answer.exchange.intent.repeat]
        again = {each.answer.exchange.intent.account for each in repeated}
        # A key that is another one after a while in which nothing was sent changes by itself.
        again -= {each.answer.exchange.intent.account for each in repeated if each.candidates == {T2}}
        for index, each in enumerate(self.anomalies):
            label = each.answer.exchange.intent.account or ""
            if each.undecided and A6 not in each.candidates and label in self._repeated_for - again:
                self.anomalies[index] = replace(each, candidates=frozenset({T2}) | (each.candidates & {T3, C8, C9}))

    def _explain_by_other_users(self) -> None:
        """Where users are not isolated, a key that no create gave may be another user's, from before the run (A6)."""
        if not any(each.candidates == {A6} for each in self.anomalies):
            return
        for index, each in enumerate(self.anomalies):
            if each.answer.key is not None and each.answer.key not in self._given and each.candidates & {T2, T3}:
                self.anomalies[index] = replace(each, candidates=each.candidates | {A6})

    # ------------------------------------------------------------------ one call after the other

    def _one(self, answer: Judgement) -> None:
        intent = answer.exchange.intent
        if rate_limited(answer):
            return
        if intent.repeat and intent.valid and intent.operation == "read":
            self._repeated_for.add(intent.account or "")
        if _documented(answer):
            account = self._account(intent)
            if intent.operation == "create":
                self._create(account, answer)
            else:
                self._read(account, answer)
        self._touch(answer)

    def _account(self, intent: Intent) -> _Account:
        label = intent.account or ""
        if label not in self._accounts:
            start = frozenset({NO_SESSION}) if intent.kind in _NO_SESSION_AT_FIRST else None
            self._accounts[label] = _Account(label, start)
        return self._accounts[label]

    def _touch(self, answer: Judgement) -> None:
        """Remember what the call must not have changed; forget what it may have."""
        intent = answer.exchange.intent
        for account in self._accounts.values():
            broken = may_not_change(answer, account.label)
            if broken is not None:
                account.suspects.setdefault(broken, []).append(answer)
        held = self._accounts.get(intent.account or intent.holder or "")
        if held is not None and answer.exchange.request.method == "HEAD":
            held.forget()
        elif answer.kind == "success" and not intent.valid and intent.operation != "read":
            # It was let in as somebody, and may have made this key; that it was let in is an anomaly of its own.
            for account in self._accounts.values() if held is None else [held]:
                account.forget()

    # ------------------------------------------------------------------ create

    def _create(self, account: _Account, answer: Judgement) -> None:
        intent = answer.exchange.intent
        self.opportunities[T1] += 1
        self._add_equivalences(answer)
        refused = self._refusal_of(account, intent)
        if refused is not None:
            self._refused_create(account, answer, *refused)
            return
        if answer.key is None:
            broken = T5_FIRST if intent.kind == _DEMO else T1
            self._failed(answer, broken, "a success with a new key", account)
            account.suspects.setdefault(broken, []).append(answer)
            if answer.server_error or answer.kind != "error" or answer.code is None:
                account.forget()
            return
        self._made(account, answer)

    def _made(self, account: _Account, answer: Judgement) -> None:
        """Create gave a key."""
        repeated = self._repeated(answer)
        account.created += 1
        account.first = NO_SESSION in (account.possible or ())
        if _ambiguous(answer) or repeated:
            # A create that is itself wrong says nothing of what is kept.
            account.forget()
        else:
            account.know(answer.key or "", source=answer)
            account.unread, account.after_group = True, frozenset()
            account.pending.clear()
            account.made_by_read.clear()
        self._owner.setdefault(answer.key or "", account.label)

    def _refusal_of(self, account: _Account, intent: Intent) -> tuple[str, int] | None:
        """The requirement by which this create must be refused, and the code; None where it must succeed."""
        if intent.kind == _DEMO:
            return (T5_REFUSED, 101) if account.created else None
        return REFUSED.get(intent.kind)

    def _refused_create(self, account: _Account, answer: Judgement, requirement: str, code: int) -> None:
        demo = answer.exchange.intent.kind == _DEMO
        if demo:
            account.suspects.setdefault(requirement, []).append(answer)
        if answer.kind == "error" and answer.code == code:
            return
        if requirement == T5_REFUSED and answer.key is not None and NO_SESSION in (account.possible or ()):
            # Read says that there is no session any more: then this is no second one.
            self._made(account, answer)
            return
        findings = form_findings(answer) if not answer.server_error else frozenset()
        candidates = {requirement, *answer.exchange.intent.equivalences} | findings
        if requirement == T5_REFUSED and answer.kind == "success":
            # What may have removed the session for which it is to be refused explains it as well.
            candidates |= {T3, A6} & set(account.suspects)
        self._add(candidates, answer, f"an error with code {code}")
        if answer.key is not None:
            self._owner.setdefault(answer.key, account.label)
            account.know(answer.key, *(account.possible or ()), source=answer)
        elif answer.kind != "error":
            account.forget()

    def _repeated(self, answer: Judgement) -> bool:
        """Whether create gave a key that is not new."""
        key = answer.key or ""
        if _ambiguous(answer):
            return False
        owner = self._owner.get(key)
        credential = self.credentials.get(key)
        if owner is None and credential is None:
            return False
        known = f"given before, to {owner}" if owner is not None else f"the credential of {credential}"
        self._add({T1}, answer, "a key that was never given before", f"{key!r}, {known}")
        return True

    def _failed(self, answer: Judgement, requirement: str, expected: str, account: _Account) -> None:
        """A call with good credentials does not succeed."""
        intent = answer.exchange.intent
        candidates = {requirement, *intent.equivalences}
        candidates |= form_findings(answer) | _told_by_status(answer)
        if answer.kind == "success" and requirement != T4:
            candidates |= {S3, S4} & {each.requirement for each in answer.violations}
        if intent.kind == "tariff_restricted":
            # What read says there is not documented; which codes it has, is.
            candidates |= {E3} & {each.requirement for each in answer.violations}
        if _IN_JSON & set(intent.equivalences) and intent.style in _JSON_STYLES:
            # A body that is not read as JSON is not read for any of it.
            candidates.add(C1_PARSED)
        if (answer.server_error or answer.kind in ("nothing", "foreign")) and C5_UNKNOWN in intent.equivalences:
            # What it carries besides would be bad input elsewhere, too.
            candidates.add(B1)
        if requirement == T5_FIRST and T3 in account.suspects:
            # A read may have made the session that there should not be.
            candidates.add(T3)
        self._add(candidates, answer, expected)

    # ------------------------------------------------------------------ read

    def _read(self, account: _Account, answer: Judgement) -> None:
        self.opportunities.update((T2, T3))
        self._add_equivalences(answer)
        value = _value(answer)
        if value is None:
            self._unread(account, answer)
        elif _apart(answer):
            if account.possible is not None and value not in account.possible:
                self._add({T2, *_apart(answer), *self._made_by(answer, account)}, answer, _shown(account.possible))
        elif not _ambiguous(answer):
            self._observe(account, answer, value)

    def _unread(self, account: _Account, answer: Judgement) -> None:
        """A read that gives neither a key nor 201."""
        if account.possible == frozenset({NO_SESSION}):
            self.opportunities[T4] += 1
            self._failed(answer, T4, f"an error with code {_NO_SESSION_CODE}", account)
            return
        self._failed(answer, T2, "a success with the key", account)

    def _observe(self, account: _Account, answer: Judgement, value: str) -> None:
        owner = self._owner.get(value, account.label)
        for requirement in {*account.suspects, *account.after_group} - {T3}:
            self.opportunities[requirement] += 1
        if not answer.exchange.intent.equivalences:
            self._decide(account, answer, value)
        possible = account.possible
        if owner != account.label:
            expected = _shown(possible) if possible else f"the key of {account.label}"
            self._add({A6}, answer, expected, f"the key of {owner}: {answer.summary()}")
            account.know(value, *(possible or ()), source=answer)
            return
        if answer.key is not None and (account.created or answer.exchange.intent.kind not in _NO_SESSION_AT_FIRST):
            self._owner.setdefault(value, account.label)
        if value == NO_SESSION:
            for index in account.made_by_read:
                self.anomalies[index] = replace(self.anomalies[index], candidates=frozenset({T4}))
        if possible is None or value in possible:
            account.know(value, source=answer)
            account.unread = False
            return
        self._unexpected(account, answer, value, possible)

    def _decide(self, account: _Account, answer: Judgement, value: str) -> None:
        """Whether the last anomaly was a wrong answer or a changed key is seen from the read after it."""
        pending, account.pending = account.pending, []
        for each in pending:
            self._decide_one(account, answer, value, each)

    def _decide_one(self, account: _Account, answer: Judgement, value: str, pending: _Pending) -> None:
        anomaly = self.anomalies[pending.index]
        if value in pending.expected:
            candidates = pending.wrong
            account.possible = pending.expected
        elif value == pending.seen:
            candidates = pending.changed or pending.wrong
            if pending.expected == {NO_SESSION}:
                account.made_by_read.append(pending.index)
            session = self._seen_as[value] < 2 and value not in self.credentials
            if pending.expected == {NO_SESSION} and candidates == pending.wrong and session:
                # The first of them was wrong to give a key, and that there is one now is a second thing that cannot be.
                self._add({T3}, answer, "no delivery session, for no create has made one", "", anomaly.answer)
                account.made_by_read.append(len(self.anomalies) - 1)
        else:
            candidates = pending.wrong | pending.changed | {T3}
            if value not in account.past:
                # Three keys in a row and no create: that is more than one wrong answer.
                candidates -= {T2}
        self.anomalies[pending.index] = replace(anomaly, candidates=candidates)

    def _unexpected(self, account: _Account, answer: Judgement, value: str, possible: frozenset[str]) -> None:
        wrong, changed = self._explanations(account, answer, value, possible)
        self._add(wrong | changed, answer, _shown(possible), answer.summary(), account.source, *_last(account.suspects))
        suspects = tuple((name, each) for name, calls in account.suspects.items() for each in calls)
        self.anomalies[-1] = replace(self.anomalies[-1], suspects=suspects)
        if possible == frozenset({NO_SESSION}):
            self.opportunities[T4] += 1
        account.pending.append(_Pending(len(self.anomalies) - 1, possible, value, wrong, changed))
        if answer.exchange.intent.equivalences:
            # Whether it is the equivalences or the key is seen from the next plain read.
            return
        account.know(value)
        account.source = answer
        account.unread = False

    def _explanations(
        self, account: _Account, answer: Judgement, value: str, possible: frozenset[str]
    ) -> tuple[frozenset[str], frozenset[str]]:
        """What explains an unexpected *value*: where this one answer is wrong, and where the key was changed."""
        intent = answer.exchange.intent
        form = {S4, *FORM} & {
            each.requirement for one in (answer, account.source) if one is not None for each in one.violations
        }
        suspects = frozenset(account.suspects)
        if NO_SESSION in possible and value != NO_SESSION:
            return frozenset({T4} | form), suspects or frozenset({T4})
        wrong = frozenset({T2, *intent.equivalences} | form) | account.after_group
        if account.never_created:
            # What a read gives where none has made a session is no session's key, each time that it is another one.
            wrong |= {T4}
        if value in account.past:
            kept = wrong | self._not_kept(account)
            return kept if account.unread else wrong, kept
        changed = suspects | account.after_group | form | self._not_kept(account) | self._made_by(answer, account)
        if account.never_created:
            changed |= {T4}
        return wrong, changed

    def _made_by(self, answer: Judgement, account: _Account) -> frozenset[str]:
        """What a read breaks that has itself made the key that it gives: one that was never given before."""
        key = answer.key
        new = key is not None and key not in account.past and self._owner.get(key, account.label) == account.label
        return frozenset({T3} if new else ())

    def _not_kept(self, account: _Account) -> frozenset[str]:
        """What a create that no read has confirmed breaks, where its key was not kept."""
        if not account.unread or account.source is None:
            return frozenset()
        intent = account.source.exchange.intent
        first = {T5_FIRST} if account.first and intent.kind == _DEMO else set()
        return frozenset({T2, *first, *intent.equivalences})

    # ------------------------------------------------------------------ concurrent calls

    def _concurrent(self, members: Sequence[Judgement]) -> None:
        calls = [each for each in members if _documented(each) and not rate_limited(each)]
        before = dict(self._owner)
        creates = [each for each in calls if each.exchange.intent.operation == "create"]
        users = {each.exchange.intent.account for each in creates}
        # What one user alone has seen concurrently is no matter of two; what only two see is.
        alone = any(T8 in each.candidates for each in self.anomalies)
        extra = frozenset({T8} if len(users) < 2 else {A6, T8} if alone else {A6})
        for each in creates:
            self._concurrent_key(each, before)
        for label in dict.fromkeys(each.exchange.intent.account or "" for each in calls):
            own = [each for each in calls if each.exchange.intent.account == label]
            self._concurrent_account(self._account(own[0].exchange.intent), own, extra)

    def _concurrent_key(self, answer: Judgement, before: dict[str, str]) -> None:
        intent = answer.exchange.intent
        self.opportunities.update((T1, T8))
        key = answer.key
        if key is None:
            candidates = {T8, T1} | form_findings(answer)
            self._add(candidates, answer, "a success with a new key, as of a create that is alone")
            return
        owner = self._owner.get(key)
        if (owner is not None or key in self.credentials) and not _ambiguous(answer):
            other = T8 if owner == intent.account else A6
            candidates = {T1} if key in before or key in self.credentials else {T1, other}
            self._add(candidates, answer, "a key that was never given before", f"{key!r}, given before, to {owner}")
        self._owner.setdefault(key, intent.account or "")

    def _concurrent_account(self, account: _Account, own: Sequence[Judgement], extra: frozenset[str]) -> None:
        writes = [each for each in own if each.exchange.intent.operation == "create"]
        made = [each for each in writes if each.key is not None]
        before = account.possible or frozenset()
        if len({each.key for each in made} - account.past - before) < len(made):
            # A create that gives a key again is itself wrong, and says nothing of what is kept.
            account.forget()
            return
        for read in own:
            if read.exchange.intent.operation == "read":
                self._concurrent_read(account, read, made, before, extra)
        if not made:
            account.forget()
            return
        latest = max(each.exchange.sent_at for each in made)
        winners = [each.key for each in made if each.key is not None and each.exchange.ended_at > latest]
        account.past |= {each.key for each in made if each.key is not None}
        account.know(*winners, source=made[-1])
        account.created += len(made)
        account.unread = False
        account.pending.clear()
        account.after_group = extra if len(made) > 1 or A6 in extra else frozenset()
        if len(made) < len(writes) or any(map(_ambiguous, made)):
            account.forget()
        account.suspects.update(
            {T3: [each for each in own if each.exchange.intent.operation == "read"]} if len(own) > len(writes) else {}
        )

    def _concurrent_read(
        self,
        account: _Account,
        answer: Judgement,
        made: Sequence[Judgement],
        before: frozenset[str],
        extra: frozenset[str],
    ) -> None:
        self.opportunities.update((T2, *extra))
        value = _value(answer)
        if value is None:
            self._failed(answer, T2, "a success with a key", account)
            return
        possible = _possible_at(answer, made, before)
        unknown = account.possible is None and value not in self._owner
        if _ambiguous(answer) or value in possible or (unknown and value != NO_SESSION):
            return
        owner = self._owner.get(value, account.label)
        form = {S4} & {each.requirement for one in (answer, *made) for each in one.violations}
        candidates = frozenset({T2}) | extra | form
        if owner != account.label:
            candidates = frozenset({A6})
        elif value == NO_SESSION and not before - {NO_SESSION} and not made:
            return
        elif value not in self._owner and value not in account.past:
            candidates |= {T3}
        self._add(candidates, answer, "a key that is in force while the read is under way")

    # ------------------------------------------------------------------ what was found

    def _add_equivalences(self, answer: Judgement) -> None:
        self.opportunities.update(answer.exchange.intent.equivalences)

    def _add(
        self,
        candidates: Iterable[str],
        answer: Judgement,
        expected: str,
        got: str = "",
        *context: Judgement | None,
    ) -> None:
        others = tuple(each for each in context if each is not None and each is not answer)
        self.anomalies.append(
            Anomaly(frozenset(candidates), answer, expected, got or answer.summary(), asked(answer), others)
        )


def _documented(answer: Judgement) -> bool:
    """Whether the call is one of the documented ones, sent with the good credential of an account."""
    intent = answer.exchange.intent
    method = answer.exchange.request.method
    documented = intent.operation is not None and not intent.free_form and method in ("GET", "POST")
    return intent.valid and documented and intent.refusal is None


def _apart(answer: Judgement) -> frozenset[str]:
    """The equivalences of the call that are distinguished from everything else."""
    return _APART & frozenset(answer.exchange.intent.equivalences)


def _ambiguous(answer: Judgement) -> bool:
    """Whether the answer can be read in two ways: it then says nothing about whose key it is."""
    return answer.ambiguous or any(each.requirement == S3 for each in answer.violations)


def _value(answer: Judgement) -> str | None:
    """What a read says of the key: the key, ``NO_SESSION`` for 201, None for what is no answer to the question.

    What it says to a sub-user is not documented: there any refusal is an answer, which must stay the same.
    """
    if answer.key is not None:
        return answer.key
    if answer.kind == "error" and answer.code == _NO_SESSION_CODE:
        return NO_SESSION
    refused = answer.kind == "error" and answer.code is not None and not answer.server_error
    return f"<error {answer.code}>" if refused and answer.exchange.intent.kind == "subuser" else None


def _told_by_status(answer: Judgement) -> frozenset[str]:
    """A redirect explains that nothing came of the call (P3, S1)."""
    return frozenset(each.requirement for each in answer.violations if each.requirement.startswith(("P3", "S1")))


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


def _shown(possible: Iterable[str] | None) -> str:
    """The keys that are expected, in words."""
    keys = sorted(possible or ())
    if keys == [NO_SESSION]:
        return f"an error with code {_NO_SESSION_CODE}: there is no delivery session"
    return "the key " + " or ".join(repr(key) for key in keys[:3] if key != NO_SESSION)


def _last(suspects: dict[str, list[Judgement]]) -> Iterator[Judgement]:
    """The last call of each requirement that may have changed the key."""
    return (calls[-1] for calls in suspects.values())


def _accounts_that_read(answers: Iterable[Judgement]) -> Counter[str]:
    """How many accounts were given each key by read: what several are given is no session of theirs."""
    seen = {
        (each.key, each.exchange.intent.account)
        for each in answers
        if each.key is not None and _documented(each) and each.exchange.intent.operation == "read"
    }
    return Counter(key for key, _ in seen)
