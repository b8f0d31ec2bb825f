"""What only the whole history shows of a single answer: it disclosed something before that was known for a secret (A5)."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.anomaly import Anomaly, asked
from contracts.ids import A5_TOLD
from contracts.judge import Judgement
from contracts.rules.body import read_body
from contracts.rules.disclosure import TELLS_NOTHING, disclosed


def hindsight(answers: Sequence[Judgement]) -> list[Anomaly]:
    """The answers to calls without valid credentials that tell a credential or key of the history, and were not found to at once."""
    secrets = _secrets(answers)
    found = []
    for answer in answers:
        response = answer.exchange.response
        known = any(each.requirement == A5_TOLD for each in answer.violations)
        intent = answer.exchange.intent
        if response is None or intent.valid or intent.complete or known:
            continue
        if answer.kind == "success" and intent.refusal is not None:
            # It was let in, which is an anomaly of its own.
            continue
        part = disclosed(answer.exchange, response, read_body(response.body), secrets)
        if part is not None:
            found.append(Anomaly(frozenset({A5_TOLD}), answer, TELLS_NOTHING, part, asked(answer)))
    return found


def _secrets(answers: Sequence[Judgement]) -> list[str]:
    """The credentials that were sent as such, and the keys that they got."""
    valid = [each for each in answers if each.exchange.intent.valid]
    values = [value for each in valid for value in (each.exchange.intent.credential, each.key)]
    return list(dict.fromkeys(value for value in values if value))
