"""pytest's terminal reporter, without what pytest says of itself: the suite's header first, its verdict as the last line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from _pytest.terminal import TerminalReporter

from reports.formats.terminal import Summary

#: What the JUnit plugin prints; the summary says where the reports are.
_JUNIT = "generated xml file"


# pytest means the class to be final and offers no other place to change what it prints; its version is pinned.
class Reporter(TerminalReporter):  # type: ignore[misc]
    """Prints *header*, then what pytest prints of tests, then ``summary``; with ``-v`` what pytest says of itself too."""

    def __init__(self, config: pytest.Config, file: Any, header: Sequence[str]) -> None:
        super().__init__(config, file)
        self._header = header
        #: The end of the run, once there is a verdict.
        self.summary: Summary | None = None

    @classmethod
    def instead_of(cls, reporter: Any, config: pytest.Config, header: Sequence[str]) -> Reporter:
        """Take the place of pytest's *reporter*."""
        own = cls(config, reporter._tw._file, header)
        config.pluginmanager.unregister(reporter)
        config.pluginmanager.register(own, "terminalreporter")
        return own

    @property
    def showheader(self) -> bool:
        """Whether pytest's own header is shown."""
        return self.verbosity > 0

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Say what is judged."""
        super().pytest_sessionstart(session)
        if self.verbosity >= 0:
            for line in self._header:
                self.write_line(line)

    def pytest_collection(self) -> None:
        """Say that tests are collected, where all is shown."""
        if self.verbosity > 0:
            super().pytest_collection()

    def report_collect(self, final: bool = False) -> None:
        """Say how many tests were collected, where all is shown, or where nothing else is done."""
        if self.verbosity > 0 or (final and self.config.getoption("collectonly")):
            super().report_collect(final)

    def write_sep(self, sep: str, title: str | None = None, fullwidth: int | None = None, **markup: bool) -> None:
        """A line across the terminal."""
        if title is None or not title.startswith(_JUNIT) or self.verbosity > 0:
            super().write_sep(sep, title, fullwidth, **markup)

    def _report_keyboardinterrupt(self) -> None:
        if self.summary is None or self.config.getoption("fulltrace"):
            super()._report_keyboardinterrupt()

    def summary_stats(self) -> None:
        """The last that is printed: the end of the run, after pytest's own numbers where all is shown."""
        if self.summary is None or self.verbosity > 0:
            super().summary_stats()
        if self.summary is not None:
            self.summary.write(self)
