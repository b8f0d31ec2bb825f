"""What the rules found in one answer, and what else of the answer may be behind it."""

from __future__ import annotations

from contracts.anomaly import Anomaly, asked
from contracts.attribution.answers import is_bad_input, says_json
from contracts.codes import CODES
from contracts.ids import A5_DISCLOSED, B1, C8, E1, E2, E3, E4, P1_ECHO, P2, P3, S1, S2, S3, T1, T2, T4
from contracts.judge import Judgement
from contracts.refusals import form_findings, limit_findings, rate_limited
from contracts.violation import Violation

#: Requirements of form that an answer to bad input, or to a call that is owed something else, may break in consequence.
IN_CONSEQUENCE = frozenset({S2, S3, E1})
#: Requirements that speak of what a document says: where it can be read in two ways, that explains what is wrong with it.
_OF_THE_DOCUMENT = frozenset({S3, E1, E2, E3, E4})
#: For a requirement, others by which the same answer breaks it as well.
_EXPLAIN = {S1: frozenset({P3}), P1_ECHO: frozenset({P3, E4, A5_DISCLOSED})}


def found_in(answer: Judgement, owed: Anomaly | None = None) -> list[Anomaly]:
    """What the rules found in *answer*. *owed* is what else is wrong with it, and may be why it has this form."""
    return [] if rate_limited(answer) else [_finding(answer, each, owed) for each in answer.violations]


def _finding(answer: Judgement, violation: Violation, owed: Anomaly | None) -> Anomaly:
    requirement = violation.requirement
    candidates = {requirement, *_behind(requirement, answer, owed), *_beside(requirement, answer)}
    follows_from = _of_own_hash(answer) if requirement == P1_ECHO else frozenset()
    if owed is not None and candidates & owed.candidates:
        follows_from |= owed.follows_from
    return Anomaly(
        *(frozenset(candidates), answer, violation.expected, violation.actual, asked(answer)),
        by_rule=requirement,
        follows_from=follows_from,
    )


def _behind(requirement: str, answer: Judgement, owed: Anomaly | None) -> frozenset[str]:
    """What the call is owed, where that is why its answer breaks *requirement*."""
    refused = answer.exchange.intent.refusal is not None
    if requirement == S2 and not refused and says_json(answer) and _cannot_be_read(answer):
        # It is meant as JSON: its form is wrong, whatever it says.
        return frozenset()
    if requirement in IN_CONSEQUENCE and answer.kind != "success":
        return _causes(answer, owed)
    if requirement == E3 and is_bad_input(answer) and answer.code in CODES:
        return frozenset({B1})
    # It was let in: that is the cause, whatever it was given then, or not given.
    let_in = (requirement == S3 and refused) or (requirement in (A5_DISCLOSED, P1_ECHO) and answer.kind == "success")
    return owed.candidates if owed is not None and let_in else frozenset()


def _cannot_be_read(answer: Judgement) -> bool:
    """Whether it can be read in two ways, or is no JSON: then no member of it is said to be missing."""
    missing = any(each.requirement == E1 for each in answer.violations)
    return answer.ambiguous or (answer.kind == "foreign" and not missing)


def _beside(requirement: str, answer: Judgement) -> frozenset[str]:
    """What else the answer breaks, or its call, that explains that it breaks *requirement*."""
    broken = {each.requirement for each in answer.violations}
    found = broken & _EXPLAIN.get(requirement, frozenset())
    if answer.ambiguous and requirement in _OF_THE_DOCUMENT:
        found.add(S2)
    # That there were too many calls has nothing to do with the address.
    if C8 in answer.exchange.intent.equivalences and requirement != P2 and not limit_findings(answer):
        found.add(C8)
    return frozenset(found)


def _of_own_hash(answer: Judgement) -> frozenset[str]:
    """What gives the caller's own hash in the place of a key breaks."""
    intent = answer.exchange.intent
    if answer.key is None or answer.key != intent.credential:
        return frozenset()
    return frozenset({T1}) if intent.operation == "create" else frozenset({T1, T2, T4})


def _causes(answer: Judgement, owed: Anomaly | None) -> frozenset[str]:
    """Why an answer may have no envelope, other than that errors have none."""
    refusal = answer.exchange.intent.refusal
    if answer.kind != "foreign" and not answer.server_error:
        return frozenset()
    if refusal is None:
        return owed.candidates if owed is not None and (answer.status or 0) >= 400 else frozenset()
    if refusal.form == "general" or answer.server_error or answer.exchange.intent.front:
        # Where other errors have no envelope either, that is all that is wrong.
        return frozenset({B1}) | form_findings(answer)
    return frozenset()
