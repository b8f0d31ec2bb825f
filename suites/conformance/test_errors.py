"""E: what an error looks like. The errors of special accounts are in ``test_state.py``; the judge looks at every one."""

from __future__ import annotations

import pytest

from fixtures.calls import OPERATIONS, STYLES, Operation, Style
from suites.runner.marks import verifies
from suites.runner.trial import Blocked, Trial


@verifies(
    "S2-json-object",
    "E1-error-envelope",
    "E2-status-goes-with-code",
    "E3-code-belongs-to-operation",
    "E4-no-value-in-error",
)
@pytest.mark.parametrize("style", STYLES, ids=str)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_error_envelope(trial: Trial, operation: Operation, style: Style) -> None:
    """A refusal is the error envelope, with a code that the operation may give and the HTTP status that goes with it.

    ERRORS, error format and error codes.
    """
    # Set up and stimulus: the main path has sent a hash that nobody was given, in every style.
    trial.evidence.gather()
    answer = trial.claim(trial.evidence.unknown[operation, style.name])

    # Sanity check: it means to be an error. What else it is was taken down all the same.
    if answer.kind != "error":
        raise Blocked(f"{operation} by {style} with an unknown hash gives no error to look at: {answer.summary()}")

    # Verdict: the judge has taken down what the answer breaks.
