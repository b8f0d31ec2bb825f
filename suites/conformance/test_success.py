"""S: what a success looks like."""

from __future__ import annotations

import pytest

from fixtures.calls import OPERATIONS, STYLES, Operation, Style
from fixtures.errors import NotAvailable
from suites.runner.marks import verifies
from suites.runner.trial import Blocked, Trial


@verifies("S1-success-is-200", "S2-json-object", "S3-success-members", "S4-key-form")
@pytest.mark.parametrize("style", STYLES, ids=str)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_success_payload(trial: Trial, operation: Operation, style: Style) -> None:
    """A success is HTTP 200 with one JSON object that says success true and carries a key.

    DELIVERY, Response of both operations.
    """
    # Set up: the main path, which calls both operations with good credentials in every style.
    trial.evidence.gather()
    answers = trial.evidence.answers(operation, style)
    if not answers:
        raise NotAvailable(f"key rotation is not allowed: {trial.run.rotation.reason}")

    # Sanity check: something here means to be a success. What else it is was taken down all the same.
    for answer in answers:
        trial.claim(answer)
    if not any(answer.kind == "success" for answer in answers):
        trial.evidence.need_session(answers)
        raise Blocked(f"{operation} by {style} gives no success to look at: {answers[-1].summary()}")

    # Verdict: the judge has taken down what the answers break.
