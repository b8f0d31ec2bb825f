"""Outputs that cannot be written: the run ends in one line, whichever plugin was writing, for it is not the suite that broke."""

from __future__ import annotations

import errno
from collections.abc import Generator
from typing import Any

import pytest

from reports.results import USAGE
from suites.runner.console import give_up
from suites.runner.state import State

#: What is said of a disk or file in which nothing more fits.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def unwritten(state: State, error: OSError) -> str:
    """What to say where an output could not be written."""
    return (
        f"--report-dir {state.options.report_dir} cannot be written: {error.strerror}; there is no report of this run"
    )


class Disk:
    """A plugin that ends the run where pytest or one of its plugins cannot write."""

    def __init__(self, config: pytest.Config, state: State) -> None:
        self._config = config
        self._state = state

    @pytest.hookimpl(tryfirst=True)
    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> bool | None:
        """Something broke outside of the tests."""
        error = excinfo.value
        folder = str(self._state.options.report_dir)
        if isinstance(error, OSError) and (error.errno in _FULL or str(error.filename).startswith(folder)):
            give_up(self._config, self._state, unwritten(self._state, error))
            return True
        return None

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, Any, Any]:
        """Around all that is written when the tests are over."""
        try:
            yield
        except OSError as error:
            give_up(self._config, self._state, unwritten(self._state, error))
        if self._state.setup_error is not None:
            session.exitstatus = USAGE
