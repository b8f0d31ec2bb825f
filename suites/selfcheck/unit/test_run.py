"""What counts of a run whose target went away: nothing that it left unanswered at the end."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

from contracts.judge import Judgement
from suites.runner.run import Run
from suites.selfcheck.unit.histories import Script


def _unanswered(script: Script, span: tuple[float, float]) -> Judgement:
    """A create of a group to which no answer came."""
    made = script.add("create", group=1, span=span)
    script.answers[-1] = replace(made, kind="nothing", exchange=replace(made.exchange, response=None))
    return script.answers[-1]


def _counted(script: Script, lost: str | None) -> list[Judgement]:
    run = SimpleNamespace(session=SimpleNamespace(lost=lost), history=script.answers)
    return list(Run.without_the_end(cast("Any", run), script.answers))


def test_what_a_target_that_went_away_left_unanswered_says_nothing() -> None:
    script = Script()
    early = _unanswered(script, (0.0, 1.0))
    answered = script.create(1)
    # Concurrent calls: what was answered last was sent before the others failed, and is noted after one of them.
    one = _unanswered(script, (10.0, 12.0))
    last = script.add("create", value="k", group=1, span=(11.0, 13.0))
    two = _unanswered(script, (11.5, 14.0))
    script.answers.sort(key=lambda each: each.exchange.ended_at)
    assert _counted(script, "gone") == [early, answered, last]
    assert _counted(script, None) == [early, answered, one, last, two]


def test_of_a_target_that_never_answered_nothing_counts() -> None:
    script = Script()
    _unanswered(script, (0.0, 1.0))
    assert _counted(script, "gone") == []
