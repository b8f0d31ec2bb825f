"""What only the whole history shows of a single answer: it disclosed something before that was known for a secret (A5, A6)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from contracts.anomaly import Anomaly, asked
from contracts.ids import A5_DISCLOSED, A6
from contracts.judge import Judgement
from contracts.refusals import refusal_anomaly
from contracts.register.reading import SUBUSER
from contracts.rules.disclosure import DISCLOSES_NOTHING, carried, disclosed
from contracts.rules.privacy import texts

#: Characters at least of a key that stands in no answer by chance.
_SIGNIFICANT: Final = 16
_NO_KEY: Final = "no key that was made for another account"


def hindsight(answers: Sequence[Judgement]) -> list[Anomaly]:
    """The answers to calls without valid credentials that disclose a credential or key of the history, and were not found to at once."""
    secrets = _secrets(answers)
    found = []
    for answer in answers:
        response = answer.exchange.response
        known = any(each.requirement == A5_DISCLOSED for each in answer.violations)
        intent = answer.exchange.intent
        if response is None or intent.valid or intent.complete or known:
            continue
        if answer.kind == "success" and refusal_anomaly(answer) is not None:
            # It was let in, which is an anomaly of its own.
            continue
        part = disclosed(answer.exchange, response, secrets)
        if part is not None:
            found.append(Anomaly(frozenset({A5_DISCLOSED}), answer, DISCLOSES_NOTHING, part, asked(answer)))
    return found


def others_keys(answers: Sequence[Judgement]) -> list[Anomaly]:
    """The answers to good calls of one account that show a key which was made for another, elsewhere than as their own key (A6).

    What is given as the key is for the register. What a sub-user may see is not documented.
    """
    good = [each for each in answers if each.exchange.intent.valid and each.exchange.intent.kind != SUBUSER]
    made: dict[str, str | None] = {}
    for answer in good:
        if answer.key is not None and len(answer.key) >= _SIGNIFICANT and answer.exchange.intent.operation == "create":
            made.setdefault(answer.key, answer.exchange.intent.account)
    found = []
    for answer in good:
        response, account = answer.exchange.response, answer.exchange.intent.account
        if response is None or answer.ambiguous or made.get(answer.key or "", account) != account:
            continue
        shown = texts(response)
        others = (key for key, label in made.items() if label != account and key in shown)
        disclosed = [key for key in others if key not in carried(answer.exchange)]
        if disclosed:
            got = f"{disclosed[0]!r}, the key of {made[disclosed[0]]}, in the answer"
            found.append(Anomaly(frozenset({A6}), answer, _NO_KEY, got, asked(answer)))
    return found


def _secrets(answers: Sequence[Judgement]) -> list[str]:
    """The credentials that were sent as such, and the keys that they got, but for those so short that they may be a number."""
    valid = [each for each in answers if each.exchange.intent.valid]
    values = [value for each in valid for value in (each.exchange.intent.credential, each.key)]
    return list(dict.fromkeys(value for value in values if value and len(value) >= _SIGNIFICANT))
