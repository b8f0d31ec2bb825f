"""An anomaly: something in a history that cannot be where the target keeps the contract."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from contracts.ids import C8, C9, T2, T3, T4
from contracts.judge import Judgement


@dataclass(frozen=True)
class Anomaly:
    """What was expected, what was got, and the requirements each of which, broken, explains it.

    ``answer`` is the answer that shows it; ``context`` are the others that one needs to see it, such as the create whose
    key a read does not give. ``suspects`` are the calls that may have changed the key, each with the requirement that it
    breaks if it has. ``by_rule`` is the requirement whose rule found it in one answer by itself. ``follows_from`` are
    requirements that explain it as well, though only where something else shows that they are broken.
    """

    candidates: frozenset[str]
    answer: Judgement
    expected: str
    got: str
    because: str = ""
    context: tuple[Judgement, ...] = field(default=(), repr=False)
    suspects: tuple[tuple[str, Judgement], ...] = field(default=(), repr=False)
    by_rule: str = ""
    follows_from: frozenset[str] = frozenset()

    @property
    def undecided(self) -> bool:
        """Whether follow-up calls can narrow it down.

        They repeat the suspects. So they can where the suspects stand for several requirements, or for one besides a wrong answer
        (T2), and where nothing else is a candidate than what they stand for and what a wrong answer breaks (T2, T4, C8, C9).
        """
        names = {name for name, _ in self.suspects}
        several = len(names) > 1 or (T2 in self.candidates and bool(names - {T3}))
        return several and self.candidates - {T2, T4, C8, C9} <= names

    def within(self, requirements: frozenset[str]) -> Anomaly | None:
        """The same with no other candidates than *requirements*; None where none of them is one."""
        candidates = self.candidates & requirements
        if not candidates:
            return None
        return replace(self, candidates=candidates, follows_from=self.follows_from & requirements)


def asked(answer: Judgement) -> str:
    """The call of *answer* in a few words: operation, style, account."""
    intent, request = answer.exchange.intent, answer.exchange.request
    what = intent.operation or request.url.partition("?")[0].rpartition("/delivery/")[2] or "the call"
    if request.method not in ("GET", "POST"):
        what = f"{request.method} {what}"
    how = f" by {intent.style}" if intent.style else f" by {request.method}"
    who = f" as {intent.account}" if intent.valid and intent.account else ""
    return what + how + who
