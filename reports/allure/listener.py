"""allure-pytest's listener, without what no result here is made of.

Of each fixture it would keep when it began and ended, and of each test a name, labels and links that
:mod:`reports.allure.case` replaces: a tenth of what a run takes.
"""

from __future__ import annotations

from typing import Any

from allure_pytest.listener import AllureListener


class Listener(AllureListener):  # type: ignore[misc]
    """Takes the time of each test, and what broke; all else of a result is said when it is written."""

    #: None is no hook. A fixture that breaks breaks its test, whose result says so.
    pytest_fixture_setup = None
    pytest_fixture_post_finalizer = None
    pytest_runtest_setup = None
    pytest_runtest_teardown = None

    def _update_fixtures_children(self, item: Any) -> None:
        """Note no fixtures of *item*."""
