"""E: what an error looks like. The errors of special accounts are in ``test_state.py``; the rules look at every one."""

from __future__ import annotations

import pytest

from fixtures.calls import OPERATIONS, STYLES, Operation, Style
from suites.runner.check import Blocked
from suites.runner.marks import verifies
from suites.scenarios.controls import ControlledCheck


@verifies(
    "E1-error-envelope",
    "E2-status-goes-with-code",
    "E3-code-belongs-to-operation",
    "E4-no-value-in-error",
    "S2-json-object",
)
@pytest.mark.parametrize("style", STYLES, ids=str)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_error_envelope(check: ControlledCheck, operation: Operation, style: Style) -> None:
    """A refusal is the error envelope, with a code that the operation may give and the HTTP status that goes with it.

    ERRORS, error format and error codes.
    """
    # Set up and stimulus: the baseline sends an unknown hash in every style.
    check.need_style(style)
    check.controls.gather()
    answer = check.controls.unknown[operation, style.name]

    # Verdict, where it is an error or meant for one; else there is nothing to look at.
    if answer.kind not in ("success", "nothing"):
        check.judge(answer)
    if answer.kind != "error":
        reason = f"{operation} by {style} with an unknown hash gives no error to look at: {answer.summary()}"
        raise Blocked(reason, [answer])
