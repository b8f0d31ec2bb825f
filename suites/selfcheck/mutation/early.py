"""A pytest plugin of the proof: ends a run once it has seen what it is for. PYTEST_DONT_REWRITE"""

from __future__ import annotations

from typing import Any

import pytest

#: The requirements one of which has to fail; set in the process of the run before pytest starts.
WANTED: set[str] = set()

_session: pytest.Session | None = None


def pytest_sessionstart(session: pytest.Session) -> None:
    """Remember the session: a report carries no way back to it."""
    global _session
    _session = session


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Where a wanted requirement failed, let no further test begin."""
    data: dict[str, Any] | None = getattr(report, "conformance", None)
    if data is None or _session is None:
        return
    if any(result == "failed" and name in WANTED for name, (result, _) in data["results"].items()):
        # What the main path showed and no test took up is told after the last of them.
        end = len(_session.items)
        here = next((index for index, item in enumerate(_session.items) if item.nodeid == report.nodeid), end)
        del _session.items[here + 1 :]
