"""What every check is given: its calls, and the controls of the run."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from suites.runner.check import Check
from suites.runner.items import requirements_of
from suites.runner.run import Run
from suites.scenarios.controls import ControlledCheck, Controls
from suites.scenarios.isolate import FollowUp


@pytest.fixture(scope="session")
def controls(conformance_run: Run) -> Controls:
    """The baseline calls of the run, sent when the first test needs them."""
    made = Controls(conformance_run)
    conformance_run.follow_up = FollowUp(made)
    return made


@pytest.fixture
def check(
    controls: Controls, begin_check: Callable[[pytest.Item, Check], None], request: pytest.FixtureRequest
) -> ControlledCheck:
    """What one test sends, and the answers on which its outcome is decided."""
    made = ControlledCheck(controls, requirements_of(request.node))
    begin_check(request.node, made)
    return made


@pytest.fixture(scope="session", autouse=True)
def _verify_url() -> None:
    """Stands in for pytest-base-url's, which asks the target before the run where ``--verify-base-url`` is given: that is refused."""
