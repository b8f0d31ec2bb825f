"""The explanation of a history: the requirements that are broken.

One cause, one accusation (facts, "What one fault is called"): of all sets of requirements that cover every anomaly the
smallest is the explanation, and of equals the one whose requirements go with an anomaly most often.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from contracts.anomaly import Anomaly
from contracts.attribution.collect import anomalies
from contracts.attribution.cover import smallest, without_consequences
from contracts.hindsight import hindsight, others_keys
from contracts.ids import B1
from contracts.judge import Judgement
from contracts.rules.predictability import predictable


@dataclass(frozen=True)
class Explanation:
    """The requirements that are broken, and the anomalies; ``ties`` are other sets that explain as much as well.

    ``no_refusals`` are the server errors, and the silence, in answer to calls that must be refused, where B1 does not count:
    nothing was opened, and nothing was refused.
    """

    broken: frozenset[str] = frozenset()
    anomalies: tuple[Anomaly, ...] = field(default=(), repr=False)
    ties: tuple[frozenset[str], ...] = ()
    no_refusals: tuple[Judgement, ...] = field(default=(), repr=False)

    @property
    def open(self) -> list[Anomaly]:
        """The anomalies of which it is not certain which call has changed the key."""
        certain = {name for each in self.anomalies if len(each.candidates) == 1 for name in each.candidates}
        return [each for each in self.anomalies if each.undecided and not each.candidates & certain]

    def of(self, requirement: str) -> list[Anomaly]:
        """The anomalies that *requirement* explains."""
        return [each for each in self.anomalies if requirement in each.candidates]

    def explains(self, anomaly: Anomaly) -> frozenset[str]:
        """The broken requirements that explain *anomaly*."""
        return anomaly.candidates & self.broken


def explain(answers: Sequence[Judgement], requirements: Iterable[str], more: Iterable[Anomaly] = ()) -> Explanation:
    """What explains all that is wrong in *answers*, and *more* anomalies, in terms of the *requirements* that count."""
    found, opportunities = anomalies(answers)
    found.extend(more)
    counted = frozenset(requirements)
    left_out = {id(each): each.answer for each in found if B1 not in counted and _is_matter_of_b1(each)}
    judged = (each.within(counted) for each in found if id(each) not in left_out)
    within = [each for each in judged if each is not None]
    broken, ties = smallest(within, opportunities)
    broken = without_consequences(within, broken)
    shown = [replace(each, candidates=each.candidates | (each.follows_from & broken)) for each in within]
    no_refusals = {id(answer): answer for answer in left_out.values()}
    return Explanation(broken, tuple(shown), ties, tuple(no_refusals.values()))


def _is_matter_of_b1(anomaly: Anomaly) -> bool:
    """Whether a call that must be refused got a server error or no answer."""
    answer = anomaly.answer
    unanswered = answer.server_error or answer.kind == "nothing"
    return B1 in anomaly.candidates and unanswered and answer.exchange.intent.refusal is not None


def explain_run(
    answers: Sequence[Judgement], requirements: Iterable[str], reported: Iterable[Anomaly] = ()
) -> Explanation:
    """The same for the whole history of a run, with what only the whole of it shows (A5, A6, T9), and what tests have *reported*."""
    pattern = predictable(answers)
    whole = [*hindsight(answers), *others_keys(answers), *([pattern] if pattern is not None else [])]
    return explain(answers, requirements, [*whole, *(each for each in reported if each not in whole)])


def combined(explanations: Iterable[Explanation]) -> Explanation:
    """Several explanations as one."""
    found = list(explanations)
    return Explanation(
        frozenset().union(*(each.broken for each in found)),
        tuple(anomaly for each in found for anomaly in each.anomalies),
        no_refusals=tuple(answer for each in found for answer in each.no_refusals),
    )
