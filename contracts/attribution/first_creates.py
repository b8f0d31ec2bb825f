"""The first create of a demo session, refused: by the rule for demo sessions (T5), or since a read before it has made one (T3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from contracts.anomaly import Anomaly
from contracts.ids import T3, T5_FIRST
from contracts.judge import Judgement

_KIND = "demo_without_session"


def without_the_rule(found: Sequence[Anomaly], answers: Sequence[Judgement]) -> list[Anomaly]:
    """Without T5 beside T3, where only who was read before is refused the first create, and has a session all the same."""
    both = {T3, T5_FIRST}
    if not any(both <= each.candidates for each in found):
        return list(found)
    creates = _first_creates(answers)
    at_once = [each for each in creates if not each.after_a_read]
    later = [each for each in creates if each.after_a_read]
    if not (at_once and later):
        return list(found)
    if any(each.refused for each in at_once) or not all(each.had_a_session for each in later):
        return list(found)
    return [
        replace(each, candidates=each.candidates - {T5_FIRST}) if both <= each.candidates else each for each in found
    ]


@dataclass(frozen=True)
class _FirstCreate:
    """``had_a_session``: it was refused, and the read after it gives a key."""

    after_a_read: bool
    refused: bool
    had_a_session: bool


def _first_creates(answers: Sequence[Judgement]) -> list[_FirstCreate]:
    """The first create of each demo session that had no delivery session."""
    calls: dict[str | None, list[Judgement]] = {}
    for each in sorted(answers, key=lambda answer: answer.exchange.sent_at):
        intent = each.exchange.intent
        if intent.valid and intent.kind == _KIND and intent.operation is not None:
            calls.setdefault(intent.account, []).append(each)
    found = []
    for sent in calls.values():
        operations = [each.exchange.intent.operation for each in sent]
        if "create" in operations:
            place = operations.index("create")
            refused = sent[place].key is None
            read_then = operations[place + 1 : place + 2] == ["read"]
            had_one = refused and read_then and sent[place + 1].key is not None
            found.append(_FirstCreate(place > 0, refused, had_one))
    return found
