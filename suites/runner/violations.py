"""From anomalies to the violations that reports show."""

from __future__ import annotations

from contracts.anomaly import Anomaly
from contracts.attribution import Explanation
from contracts.requirements import catalogue
from contracts.violation import Violation


def violations_of(explanation: Explanation) -> list[Violation]:
    """A violation for each anomaly, of the requirement that explains it; the same one is said once."""
    found = [_violation(each, _chosen(explanation, each), explanation) for each in explanation.anomalies]
    return list({(each.requirement, each.message, each.expected): each for each in found}.values())


def _chosen(explanation: Explanation, anomaly: Anomaly) -> str:
    """Of several broken requirements that explain *anomaly*, the first MUST in the order of the contract."""
    order = list(catalogue())
    return min(explanation.explains(anomaly), key=lambda name: (not catalogue()[name].binding, order.index(name)))


def _violation(anomaly: Anomaly, requirement: str, explanation: Explanation) -> Violation:
    tied = frozenset().union(*explanation.ties)
    others = tuple(sorted((anomaly.candidates & tied) - explanation.broken))
    message = f"{anomaly.because}: {anomaly.got}" if anomaly.because else anomaly.got
    exchanges = tuple(each.exchange for each in (anomaly.answer, *anomaly.context))
    return Violation(requirement, message, anomaly.expected, anomaly.got, exchanges, others)
