"""P: what an answer must not show, and where it must come from. The rules look at every answer of the run."""

from __future__ import annotations

import pytest

from contracts.attribution.findings import found_in
from contracts.refusals import refusal_anomaly
from suites.runner.check import Blocked
from suites.runner.marks import row
from suites.scenarios.controls import ControlledCheck


@pytest.mark.parametrize(
    "tag",
    [
        row("P1", id="shows-nothing", of=("P1-credential-not-repeated", "P1-no-internals")),
        row("P2", id="not-publicly-cacheable", of="P2-not-publicly-cacheable"),
        row("P3", id="no-redirect", of="P3-no-redirect"),
    ],
)
def test_every_answer(check: ControlledCheck, tag: str) -> None:
    """No answer repeats a credential, shows the server's inside, invites shared caches, or redirects.

    Decisions of this project on privacy; RFC 9111; RFC 9110, section 15.4.
    """
    # Set up and stimulus: the baseline, with good credentials and with an unknown hash.
    check.controls.gather()
    # Sanity check: it was answered.
    answers = [each for each in check.controls.answers if each.kind != "nothing"]
    if not answers:
        raise Blocked("no documented call was answered", check.controls.answers)
    # Verdict: what the rules found on this point.
    for answer in answers:
        for anomaly in found_in(answer, refusal_anomaly(answer)):
            if any(name.startswith(f"{tag}-") for name in anomaly.candidates):
                check.report(anomaly)
