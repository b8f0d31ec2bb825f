"""P: what an answer must not show, and where it must come from. Every answer of the run is looked at."""

from __future__ import annotations

import pytest

from suites.runner.marks import row
from suites.runner.trial import Blocked, Trial


@pytest.mark.parametrize(
    "tag",
    [
        row("P1", id="shows-nothing", of=("P1-credential-not-repeated", "P1-no-internals")),
        row("P2", id="not-publicly-cacheable", of="P2-not-publicly-cacheable"),
        row("P3", id="no-redirect", of="P3-no-redirect"),
    ],
)
def test_every_answer(trial: Trial, tag: str) -> None:
    """No answer repeats a credential, shows the server's inside, invites shared caches, or redirects.

    Decisions of this project on privacy; RFC 9111; RFC 9110, section 15.4.
    """
    # Set up and stimulus: the main path, and whatever else was sent before.
    trial.evidence.gather()
    # Sanity check: there were answers to documented calls, successes and refusals both.
    if not any(each.response is not None and each.intent.operation is not None for each in trial.run.log):
        raise Blocked("no documented call was answered")
    # Verdict: what the judge found in any answer of the run; what was told before is not told again.
    for violation in trial.run.judged:
        if violation.requirement.startswith(f"{tag}-"):
            trial.note(violation)
