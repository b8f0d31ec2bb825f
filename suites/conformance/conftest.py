"""What every check is given: its calls, and the controls of the run."""

from __future__ import annotations

import pytest

from suites.runner.items import requirements_of
from suites.runner.plugin import run_of
from suites.scenarios.controls import ControlledCheck, Controls
from suites.scenarios.isolate import FollowUp

_CONTROLS = pytest.StashKey[Controls]()


@pytest.fixture
def check(request: pytest.FixtureRequest) -> ControlledCheck:
    """What one test sends, and the answers on which its outcome is decided."""
    return ControlledCheck(_controls(request.config), requirements_of(request.node))


def _controls(config: pytest.Config) -> Controls:
    """The baseline calls of the run, sent when the first test needs them."""
    # A fixture of the session would be looked up for each test, which takes longer than most of what a test does.
    if _CONTROLS not in config.stash:
        run = run_of(config)
        made = config.stash[_CONTROLS] = Controls(run)
        run.follow_up = FollowUp(made)
    return config.stash[_CONTROLS]
