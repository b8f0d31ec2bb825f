"""What every check is given: its calls, and the controls of the run."""

from __future__ import annotations

import pytest

from suites.runner.items import requirements_of
from suites.runner.plugin import run_of
from suites.scenarios.controls import ControlledCheck, Controls
from suites.scenarios.isolate import FollowUp


@pytest.fixture(scope="session")
def controls(request: pytest.FixtureRequest) -> Controls:
    """The baseline calls of the run, sent when the first test needs them."""
    run = run_of(request.config)
    made = Controls(run)
    run.follow_up = FollowUp(made)
    return made


@pytest.fixture
def check(controls: Controls, request: pytest.FixtureRequest) -> ControlledCheck:
    """What one test sends, and the answers on which its outcome is decided."""
    return ControlledCheck(controls, requirements_of(request.node))


@pytest.fixture(scope="session", autouse=True)
def _verify_url() -> None:
    """Stands in for pytest-base-url's, which asks the target before the run where ``--verify-base-url`` is given: that is refused."""
