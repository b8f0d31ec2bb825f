"""From anomalies to the violations that reports show."""

from __future__ import annotations

from collections.abc import Callable

from contracts.anomaly import Anomaly
from contracts.attribution.explanation import Explanation
from contracts.exchange import Request
from contracts.ids import T1, T2, T3
from contracts.requirements import catalogue
from contracts.violation import Violation
from fixtures.http import health

#: What an answer that is not the target's own, but was kept for another call, looks like first.
_STALE = frozenset({T1, T2})
#: What another key than the last one looks like.
_CHANGED = frozenset({T2, T3})


def violations_of(explanation: Explanation, fixed: Callable[[str], bool] = lambda _: False) -> list[Violation]:
    """A violation for each anomaly, of the requirement that explains it; the same one of the same request is said once.

    What a requirement's own rule has found comes first, what another one's has found in consequence last; calls with good
    credentials come before others: they say best what is wrong.
    *fixed* says of an account whether it was there before the run: then another may be using it.
    """
    chosen = [(_chosen(explanation, each), each) for each in explanation.anomalies]
    chosen.sort(key=lambda pair: (_distance(*pair), not pair[1].answer.exchange.intent.valid))
    found = [_violation(each, name, explanation, fixed) for name, each in chosen]
    return list({(each.requirement, each.message, each.expected, _request(each)): each for each in found}.values())


def _request(violation: Violation) -> Request | None:
    return violation.exchange.request if violation.exchange is not None else None


def _distance(requirement: str, anomaly: Anomaly) -> int:
    """How far what was found is from what *requirement* says."""
    if not anomaly.by_rule:
        return 1
    return 0 if anomaly.by_rule == requirement else 2


def _chosen(explanation: Explanation, anomaly: Anomaly) -> str:
    """Of several broken requirements that explain *anomaly*, the first MUST in the order of the contract."""
    order = list(catalogue())
    return min(explanation.explains(anomaly), key=lambda name: (not catalogue()[name].binding, order.index(name)))


def _violation(anomaly: Anomaly, requirement: str, explanation: Explanation, fixed: Callable[[str], bool]) -> Violation:
    tied = frozenset().union(*explanation.ties)
    others = tuple(sorted((anomaly.candidates & tied) - explanation.broken))
    got = anomaly.got + _other_cause(anomaly, fixed) + _other_answerer(anomaly, requirement)
    message = f"{anomaly.because}: {got}" if anomaly.because else got
    exchanges = tuple(each.exchange for each in (anomaly.answer, *anomaly.context))
    return Violation(requirement, message, anomaly.expected, got, exchanges, others)


def _other_cause(anomaly: Anomaly, fixed: Callable[[str], bool]) -> str:
    """For a key that has changed, of an account that was there before the run: what else may have changed it."""
    account = anomaly.answer.exchange.intent.account
    changed = anomaly.suspects or anomaly.candidates & _CHANGED
    if not changed or account is None or not fixed(account):
        return ""
    return f" (if not the target, then {account} is not in the state its name says, or somebody else uses it at the same time)"


def _other_answerer(anomaly: Anomaly, requirement: str) -> str:
    """For an answer that a gateway or a shared cache may have given in the target's place: that it may, and what to do."""
    response = anomaly.answer.exchange.response
    aged = response is not None and response.header("Age") is not None
    # A proxy that names itself in every answer has kept none of those that are as they should be.
    cached = health.cached(response) if aged or requirement in _STALE else None
    return "".join(f"; {remark}" for remark in (health.remark(response), cached) if remark is not None)
