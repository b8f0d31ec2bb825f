"""Follow-up calls where an answer does not fit and more than one requirement could explain it.

They only add to the history; what they show is said by the same functions as everything else. Each is bounded.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from contracts.anomaly import Anomaly
from contracts.attribution.explanation import Explanation
from contracts.ids import A4, A5_CHANGED, A6, T3
from contracts.judge import Judgement
from fixtures.accounts import Account
from fixtures.calls import STYLES, Call, Operation, Style
from fixtures.errors import NotAvailable, TargetLost
from suites.scenarios.controls import ControlledCheck, Controls
from suites.scenarios.delivery_keys import delivery_key, key_of
from suites.scenarios.equivalences import Equivalence

Send = Callable[[Sequence[Equivalence]], Judgement]


def equivalence(check: ControlledCheck, send: Send, fits: Callable[[Judgement], bool], all_: list[Equivalence]) -> None:
    """The call with *all_* equivalences does not fit: send the plain call, the MUSTs at once, then each alone, until all that are
    left fit together; where all of them fit alone, the very same once more, and where that does not fit again, leave one out at
    a time."""
    if not fits(send([])) or len(all_) == 1:
        # It is not the equivalences that make the difference; or it is the only one.
        return
    suspects = _without_musts_that_fit(send, fits, all_)
    if _some_alone(send, fits, suspects):
        return
    if not fits(send(all_)) and len(suspects) > 2:
        for each in suspects:
            if fits(send([other for other in suspects if other is not each])):
                return


def _without_musts_that_fit(
    send: Send, fits: Callable[[Judgement], bool], all_: Sequence[Equivalence]
) -> Sequence[Equivalence]:
    """Send the MUSTs of *all_* at once, where there are others: those others where they fit, else *all_*."""
    musts = [each for each in all_ if each.binding]
    if musts and len(musts) < len(all_) and fits(send(musts)):
        return [each for each in all_ if not each.binding]
    return all_


def _some_alone(send: Send, fits: Callable[[Judgement], bool], suspects: Sequence[Equivalence]) -> bool:
    """Send each of *suspects* alone until those that are left fit together; whether one does not fit."""
    found = False
    for number, each in enumerate(suspects, start=1):
        if fits(send([each])):
            continue
        found = True
        if each.part is not None:
            send([each.part])
        left = suspects[number:]
        if len(left) > 1 and fits(send(left)):
            break
    return found


def one_after_the_other(check: ControlledCheck, account: Account, styles: Sequence[Style]) -> None:
    """Concurrent calls did not fit: make creates and reads one after the other, in up to three of the same styles."""
    for style in styles[:3]:
        created = check.call("create", style, account)
        reads = [check.call("read", each, account) for each in (style, styles[0])]
        if not check.fits(created, *reads):
            return


def plain_call(
    check: ControlledCheck, operation: Operation, style: Style, account: Account, answer: Judgement
) -> list[Judgement]:
    """The same call without its equivalences, where *answer*, with them, does not fit."""
    return [] if check.fits(answer) else [check.call(operation, style, account)]


#: Follow-up calls in a run at most, and how many are repeated before a read.
_MOST = 60
_AT_ONCE = 8
#: Reads after the first one, to see whether a key is used up by them.
_READS = 2
#: Seconds that are waited at most to see whether a key changes by itself.
_LONGEST_WAIT = 15.0


class FollowUp:
    """Repeats what may have changed a key, the calls of one requirement at a time, each followed by a read.

    Only calls as accounts whose keys may be replaced are repeated: where keys must not be rotated nothing is sent.
    """

    def __init__(self, controls: Controls) -> None:
        self._run = controls.run
        self._controls = controls
        self._left = _MOST

    def __call__(self, explanation: Explanation) -> None:
        """Follow the open anomalies of *explanation* up, one of each account."""
        accounts = {each.answer.exchange.intent.account: each for each in explanation.open}
        for anomaly in accounts.values():
            try:
                self._follow(anomaly)
            except (TargetLost, NotAvailable):
                return

    def _follow(self, anomaly: Anomaly) -> None:
        read = self._run.call_of(anomaly.answer)
        if read is None or read.account is None:
            return
        read = read.but(equivalences=())
        if self._changes_by_itself(read, self._age(anomaly.answer)):
            return
        if T3 in anomaly.candidates and self._changes_by_reading(read):
            return
        for calls in self._batches(anomaly):
            if self._left < len(calls) + 2:
                return
            # What was changed may have been the last create alone.
            before = self._send(_create(read) if self._may_create(read) else read)
            if before.key is None:
                return
            for call in calls:
                self._send(self._with_key(call, before).but(repeat=True))
            if self._send(read.but(repeat=True)).key != before.key:
                return

    def _age(self, answer: Judgement) -> float:
        """The seconds between *answer* and the last create before it that gave its account a key; 0 where there is none."""
        intent, sent_at = answer.exchange.intent, answer.exchange.sent_at
        creates = [
            each.exchange.sent_at
            for each in self._run.history.answers()
            if each.exchange.intent.operation == "create"
            and each.exchange.intent.account == intent.account
            and each.key
        ]
        return sent_at - max((each for each in creates if each < sent_at), default=sent_at)

    def _changes_by_itself(self, read: Call, seconds: float) -> bool:
        """Create, send nothing for as many *seconds* as had gone by, and read: whether the key is another one by then."""
        if not self._may_create(read) or seconds > _LONGEST_WAIT:
            return False
        created = self._send(_create(read))
        time.sleep(seconds)
        return created.key is not None and self._send(read.but(repeat=True)).key != created.key

    def _changes_by_reading(self, read: Call) -> bool:
        """Read some times, with nothing between: whether the key is another one by then."""
        before = self._send(read)
        return before.key is not None and any(
            self._send(read.but(repeat=True)).key != before.key for _ in range(_READS)
        )

    def _batches(self, anomaly: Anomaly) -> Iterator[list[Call]]:
        """The calls that may have changed the key, those of one requirement together, a few at a time.

        Those without credentials come first: what a call with a credential in the wrong place does, they may do too. Those of
        other accounts come last: they are the most.
        """
        for name, calls in sorted(
            self._suspects(anomaly).items(), key=lambda each: (each[0] == A6, each[0] != A5_CHANGED)
        ):
            if name != T3:
                yield from (calls[start : start + _AT_ONCE] for start in range(0, len(calls), _AT_ONCE))

    def _suspects(self, anomaly: Anomaly) -> dict[str, list[Call]]:
        """The calls that may have changed the key, by requirement: one of each kind."""
        found: dict[str, dict[tuple[object, ...], Call]] = {}
        for requirement, answer in anomaly.suspects:
            call = self._run.call_of(answer)
            if call is not None:
                intent = answer.exchange.intent
                probed = intent.refusal.requirement if intent.refusal is not None else ""
                kind = (call.method, call.path, call.style, intent.kind, answer.code, probed, len(call.shown or ""))
                found.setdefault(requirement, {}).setdefault(kind, call)
        return {name: _varied(calls) for name, calls in found.items()}

    def _with_key(self, call: Call, before: Judgement) -> Call:
        """*call*, with the key that the account has now where it tried one that it has had."""
        style = next((each for each in STYLES if each.name == call.style), None)
        tries_key = call.refusal is not None and call.refusal.requirement == A4
        key = key_of(before, self._run.vault, before.exchange.intent.account or "") if tries_key else None
        if key is None or call.operation is None or style is None:
            return call
        return delivery_key(call.operation, style, key)

    def _may_create(self, read: Call) -> bool:
        name = (read.account or "").partition(" ")[0]
        account = self._controls.owner
        return name in ("owner", "other_owner") and account is not None and self._run.may_rotate(account)

    def _send(self, call: Call) -> Judgement:
        if not self._left:
            raise NotAvailable(f"{_MOST} follow-up calls were made")
        self._left -= 1
        return self._run.send(call, may_close=True)


def _create(read: Call) -> Call:
    return read.but(path=read.path.replace("/read", "/create"), operation="create")


def _varied(calls: Mapping[tuple[object, ...], Call]) -> list[Call]:
    """The calls in an order in which the first few differ most: in the code that they got, and in what they are sent for."""
    seen: Counter[tuple[object, ...]] = Counter()
    order = []
    for kind, call in calls.items():
        place = kind[4:6]
        order.append((seen[place], call))
        seen[place] += 1
    return [call for _, call in sorted(order, key=lambda each: each[0])]
