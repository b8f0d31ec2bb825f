"""Everything that cannot be in a history, each with what could explain it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from contracts.anomaly import Anomaly
from contracts.attribution.answers import is_bad_input, is_client_error
from contracts.attribution.by_style import of_the_style_alone, with_styles
from contracts.attribution.equivalences import without_those_that_work
from contracts.attribution.findings import found_in
from contracts.attribution.first_creates import without_the_rule
from contracts.ids import A2, A4, B1, E1, E2, E3, E4, R1, S2, S3, S4, T1, T5_REFUSED, T6, T7
from contracts.judge import Judgement
from contracts.refusals import limit_findings, refusal_anomaly
from contracts.register import Register

#: What each answer of a kind could be seen to break, whatever was asked.
_OPPORTUNITIES = {"error": (E1, E2, E3, E4, S2), "success": (S2, S3)}
#: What says that an account is refused for the state that it is in.
_REFUSED_BY_STATE = frozenset({T5_REFUSED, T6, T7})
_HASH = re.compile("[0-9a-f]{32}")


def anomalies(answers: Sequence[Judgement]) -> tuple[list[Anomaly], Counter[str]]:
    """Everything that cannot be in *answers*, and how often each requirement could have been seen to be broken."""
    register = Register(answers)
    opportunities = register.opportunities
    found: list[Anomaly] = []
    owed = {id(each.answer): each for each in register.anomalies if _is_missing(each)}
    for answer in answers:
        refusal = refusal_anomaly(answer)
        if refusal is not None:
            if A4 in refusal.candidates:
                refusal = replace(refusal, candidates=refusal.candidates | _by_the_key(answer, register, answers))
            found.append(refusal)
        found.extend(found_in(answer, refusal or owed.get(id(answer))))
        _count(answer, opportunities)
    found.extend(register.anomalies)
    if not found:
        return found, opportunities
    found = [without_those_that_work(each, answers) for each in found]
    found = of_the_style_alone(with_styles(_without_e2_for_bad_input(found), answers), answers)
    found = without_the_rule(found, answers)
    return [_with_the_limit(each) for each in found], opportunities


def _with_the_limit(anomaly: Anomaly) -> Anomaly:
    """With E2 where the answer reports too many calls, and its status does not: it is no answer to what was asked."""
    # What a rule found in it is wrong by itself, and where the limit itself is asked for it is an answer.
    if anomaly.by_rule or R1 in anomaly.candidates:
        return anomaly
    return replace(anomaly, candidates=anomaly.candidates | limit_findings(anomaly.answer))


def _by_the_key(answer: Judgement, register: Register, answers: Sequence[Judgement]) -> frozenset[str]:
    """What else than A4 explains that a key of a delivery session is not refused as such, when it is tried as a credential."""
    credential = answer.exchange.intent.credential
    found = set()
    if credential in register.credentials:
        # The key that was tried is the hash of an account: that it was given as a key is wrong.
        found.add(T1)
    if not _HASH.fullmatch(credential or ""):
        # It is refused as what no hash looks like.
        found.add(S4)
    if answer.kind == "error" or any(map(_lets_unknown_in, answers)):
        # It gets what any hash gets that is not known.
        found.add(A2)
    return frozenset(found)


def _lets_unknown_in(answer: Judgement) -> bool:
    """Whether a well-formed hash that no account has opens something."""
    refusal = answer.exchange.intent.refusal
    return answer.kind == "success" and refusal is not None and refusal.requirement == A2


def _is_missing(anomaly: Anomaly) -> bool:
    """Whether a success that is owed did not come."""
    answer = anomaly.answer
    if anomaly.candidates & _REFUSED_BY_STATE and is_client_error(answer):
        # A refusal is owed, and this is one: what is wrong is its form alone.
        return False
    return answer.key is None and answer.exchange.intent.refusal is None


def _count(answer: Judgement, opportunities: Counter[str]) -> None:
    refusal = answer.exchange.intent.refusal
    seen: set[str] = {refusal.requirement, refusal.for_its_code} if refusal is not None else set()
    for requirement in (*seen, *_OPPORTUNITIES.get(answer.kind, ())):
        opportunities[requirement] += 1


def _without_e2_for_bad_input(found: Sequence[Anomaly]) -> list[Anomaly]:
    """Where the HTTP status does not go with the code in answers to bad input alone, that is no excuse for B1."""
    elsewhere = any(E2 in each.candidates and not is_bad_input(each.answer) for each in found)
    return [
        replace(each, candidates=each.candidates - {E2})
        if not elsewhere and {B1, E2} <= each.candidates and is_bad_input(each.answer)
        else each
        for each in found
    ]
