"""Finds out which call has changed a key that nothing should have changed, by repeating the suspects one by one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from contracts.judge import Judgement
from fixtures.calls import GET_QUERY, POST_JSON, Call, Style
from suites.runner.run import OWNER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fixtures.accounts import Account
    from suites.runner.trial import Trial

#: Calls that are repeated at most for each requirement, for those of an account in some state, and at a time: a broken target is
#: no reason to flood it.
_MOST = 60
_MOST_BY_STATE = 3
_LOT = 6
#: Seconds at most that are waited to see whether a key changes by itself.
_LONGEST_WAIT = 5.0
#: Whose refused create breaks what.
_STATES = {
    "subuser": "T6-subuser-create-refused",
    "tariff_restricted": "T7-tariff-create-refused",
    "demo_with_session": "T5-demo-create-refused",
    "demo_without_session": "T5-demo-create-refused",
    "other_owner": "A6-users-are-isolated",
}


def requirement_of(call: Call, account: str = OWNER) -> str | None:
    """The requirement that *call* breaks when it changes the key of *account*; None where it may."""
    if call.method == "HEAD":
        return None
    if call.method == "OPTIONS":
        return "C7-options-changes-nothing"
    if call.operation is None and call.valid:
        return "C7-unknown-action-refused"
    if call.method not in ("GET", "POST"):
        return "C7-other-methods-refused"
    if not call.valid:
        return "A5-changes-nothing"
    if call.operation == "read":
        return "T3-read-changes-nothing"
    name = (call.account or "").partition(" ")[0]
    return _STATES.get(name, "A6-users-are-isolated") if name != account else None


def describe(call: Call) -> str:
    """A call in a few words, without what it carries."""
    action = call.path.rpartition("/")[2]
    headers = {name.lower(): value for name, value in call.headers}
    kind = headers.get("content-type", "").partition(";")[0]
    carrier = "Authorization" if "authorization" in headers else kind or ("query" if call.query else "nothing")
    who = f" as {call.account}" if call.valid else " without valid credentials"
    return f"{call.method} {action} ({carrier}){who}"


def investigate(trial: Trial, owner: Account, suspects: list[Call], last: Judgement, seen: Judgement) -> None:
    """Repeat each of *suspects* with a read after it, and take down the one after which the key of *owner* has changed.

    *last* is the create or read that said what the key was, *seen* the read that says something else.
    """
    label = owner.credential.label
    plain = trial.or_query(POST_JSON)
    due = last.key or ""
    trial.run.last_key[label] = seen
    if _is_anothers(trial, owner, seen):
        what = f"read as {owner} gives the key of another user"
        trial.violate("A6-users-are-isolated", what, f"the key {due!r}", seen.summary(), seen, last)
        return
    former = trial.run.before(due, label)
    if seen.key is not None and (seen.key in former or (label == OWNER and seen.key == trial.run.confirmed)):
        # It is what it was before the last create: that one was not kept, or this style does not know of it.
        what = (
            f"read after {last.exchange.request.method} create gives the key from before it{trial.others_at_work(seen)}"
        )
        trial.violate("T2-read-gives-last-created", what, f"the key {due!r}", seen.summary(), seen, last)
        return
    if seen.key is not None:
        calm = trial.call("read", plain, owner)
        if calm.key != seen.key:
            what = f"two reads as {owner} with nothing between them differ{trial.others_at_work(calm)}"
            trial.violate("T3-read-changes-nothing", what, f"the key {seen.key!r}", calm.summary(), calm, seen)
            trial.run.last_key[label] = calm
            _restore(trial, owner)
            return
    known = _with_key(trial, owner, seen)
    born = (last if known is seen else known).exchange.ended_at
    lots = _lots(suspects, owner)
    for requirement, lot in lots:
        *sent, after = _repeat(trial, owner, lot)
        if after.key != known.key:
            if requirement in _STATES.values() and any(answer.kind == "success" for answer in sent):
                # It was not refused, and need not have been: what it did to another user is what is wrong.
                requirement = "A6-users-are-isolated"
            _accuse(trial, owner, requirement, lot, [after, *sent, known], born)
            return
        known = after
    # None of them does it again: it may be any of them, once, but what create gave and read never did, or no longer does, is owed.
    names = sorted({name for name, _ in lots}, key=lambda name: (name == "T3-read-changes-nothing", name))
    was_read = last.exchange.intent.operation == "read" or due == trial.run.confirmed
    broken = names[0] if names and seen.key is not None and was_read else "T2-read-gives-last-created"
    what = f"the key of {owner} has changed with no create by it"
    if broken == "T2-read-gives-last-created":
        what = f"read as {owner} does not give the key of the last create: {seen.summary()}"
    elif lots:
        what += f"; one of: {_named([call for _, lot in lots for call in lot])}"
    trial.violate(broken, what + trial.others_at_work(seen), f"the key {due!r}", seen.summary(), seen, last)
    _restore(trial, owner)


def _lots(suspects: Iterable[Call], owner: Account) -> list[tuple[str, list[Call]]]:
    """The *suspects* that are repeated, a few at a time that would break the same requirement: creates first, as the likelier ones."""
    found: dict[tuple[bool, str], list[Call]] = {}
    for call in dict.fromkeys(suspects):
        requirement = requirement_of(call, owner.name)
        if requirement is not None:
            found.setdefault((call.operation != "create", requirement), []).append(call)
    lots = []
    for (_, requirement), calls in sorted(found.items()):
        kept = calls[:_MOST_BY_STATE] if requirement in _STATES.values() else calls[:_MOST]
        lots += [(requirement, kept[start : start + _LOT]) for start in range(0, len(kept), _LOT)]
    return lots


def _with_key(trial: Trial, owner: Account, known: Judgement) -> Judgement:
    """*known*, or where it has no key that could change, a create that gives one."""
    if known.key is not None or not trial.run.may_rotate(owner):
        return known
    return trial.call("create", trial.or_query(POST_JSON), owner)


def _repeat(trial: Trial, owner: Account, calls: Iterable[Call]) -> list[Judgement]:
    """Send *calls* again; their answers, and what read says of *owner* then."""
    sent = [trial.send(call, may_close=True) for call in calls]
    return [*sent, trial.call("read", trial.or_query(POST_JSON), owner)]


def _accuse(
    trial: Trial, owner: Account, requirement: str, lot: list[Call], seen: list[Judgement], born: float
) -> None:
    """Take down that one of *lot* has changed the key of *owner*, made at *born*, and which one if it does it again; or only time.

    *seen* is the read that shows it, the answers of the lot, and what said before what the key was.
    """
    label = owner.credential.label
    trial.run.last_key[label] = seen[0]
    what = f"{'one of ' if len(lot) > 1 else ''}{_named(lot)} changed the key of {owner}"
    if _changes_by_itself(trial, owner, seen[0].exchange.ended_at - born):
        requirement = "T2-read-gives-last-created"
        what = f"the key of {owner} changes by itself, some time after create"
    elif requirement not in _STATES.values() and len(lot) > 1:
        before = _with_key(trial, owner, trial.run.last_key[label])
        for call in lot:
            sent, later = _repeat(trial, owner, [call])
            trial.run.last_key[label] = later
            if later.key != before.key:
                what, seen = f"{describe(call)} changed the key of {owner}", [later, sent, before]
                break
            before = later
    what += trial.others_at_work(seen[0])
    trial.violate(requirement, what, f"the key {seen[-1].key!r}, as before", seen[0].summary(), *seen)
    _restore(trial, owner)


def _named(calls: Iterable[Call]) -> str:
    """Some of *calls*, in words."""
    return ", ".join(list(dict.fromkeys(map(describe, calls)))[:8])


def _changes_by_itself(trial: Trial, owner: Account, seconds: float) -> bool:
    """Whether a key of *owner* is another one *seconds* after its create, with no call in between."""
    if seconds > _LONGEST_WAIT or not trial.run.may_rotate(owner):
        return False
    plain = trial.or_query(POST_JSON)
    created = trial.call("create", plain, owner)
    time.sleep(seconds)
    return created.key is not None and trial.call("read", plain, owner).key != created.key


def blame(trial: Trial, account: Account, style: Style, answer: Judgement, due: str, requirement: str) -> str:
    """The requirement that *answer* breaks, a read by *style* as *account* that did not give the key that was *due*.

    It is *requirement*, unless another look shows that it is read itself that does not do as it should.
    """
    if _is_anothers(trial, account, answer):
        return "A6-users-are-isolated"
    if answer.key in trial.run.before(due, account.credential.label):
        return "T2-read-gives-last-created"
    again = trial.call("read", style, account)
    if again.key is not None and again.key != answer.key:
        return "T2-read-gives-last-created" if again.key == due else "T3-read-changes-nothing"
    other = GET_QUERY if style is POST_JSON else trial.or_query(POST_JSON)
    if other is not style and trial.call("read", other, account).key == due:
        return "T2-read-gives-last-created"
    return requirement


def broken_in_sequence(
    trial: Trial, account: Account, styles: Iterable[Style], reads: tuple[Style, Style]
) -> str | None:
    """The requirement that a create in one of *styles* and two *reads* break when they are made one after the other.

    They are made as an account of their own where there can be one: *account* may have been left in disorder.
    """
    if trial.run.accounts.can_be_made(OWNER):
        account = trial.own(OWNER)
    for style in styles:
        created = trial.call("create", style, account)
        first, second = (trial.call("read", each, account) for each in reads)
        if created.key is not None and first.key != created.key:
            return "T2-read-gives-last-created"
        if first.key != second.key:
            same = trial.call("read", reads[0], account).key == first.key
            return "T2-read-gives-last-created" if same else "T3-read-changes-nothing"
    return None


def _is_anothers(trial: Trial, account: Account, answer: Judgement) -> bool:
    """Whether the key in *answer*, a read as *account*, is known to be another user's."""
    owner = trial.run.owner_of(answer.key)
    return owner is not None and owner != account.credential.label


def _restore(trial: Trial, owner: Account) -> None:
    """Leave the account with a key, so that what comes after this test is judged by what it does itself."""
    if trial.run.last_key[owner.credential.label].key is None and trial.run.may_rotate(owner):
        trial.call("create", trial.or_query(POST_JSON), owner)
