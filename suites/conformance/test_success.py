"""S: what a success looks like."""

from __future__ import annotations

import pytest

from fixtures.calls import OPERATIONS, STYLES, Operation, Style
from fixtures.errors import NotAvailable
from suites.runner.check import Blocked
from suites.runner.marks import verifies
from suites.scenarios.controls import ControlledCheck


@verifies("S1-success-is-200", "S2-json-object", "S3-success-members", "S4-key-form")
@pytest.mark.parametrize("style", STYLES, ids=str)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_success_payload(check: ControlledCheck, operation: Operation, style: Style) -> None:
    """A success is HTTP 200 with one JSON object that says success true and carries a key.

    DELIVERY, Response of both operations.
    """
    # Set up and stimulus: the baseline calls both operations with good credentials in every style.
    check.need_style(style)
    check.controls.gather()
    answers = check.controls.good(operation, style)
    if not answers:
        raise NotAvailable(f"key rotation is not allowed: {check.run.rotation.reason}")

    # Sanity check: one of them is a success.
    if not any(answer.kind == "success" for answer in answers):
        check.controls.need_session(answers)
        raise Blocked(f"{operation} by {style} gives no success to look at: {answers[-1].summary()}", answers)

    # Verdict.
    check.judge(*answers)
