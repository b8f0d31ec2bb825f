"""Progress during a run: a line for each kind of requirement, with how far it is and what it found."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

from reports.words import spoken

#: Seconds after which a terminal that keeps its lines is said how far a long group is.
_SILENCE: Final = 30.0
_NAME: Final = 16


class Progress:
    """Shows how far each group is: in place where the terminal can, else in a line when the group is done."""

    def __init__(
        self, reporter: Any, totals: Mapping[str, int], *, live: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._reporter = reporter
        self._totals = dict(totals)
        self._live = live
        self._clock = clock
        self._done: Counter[str] = Counter()
        self._found: dict[str, Counter[str]] = {}
        self._reported: set[str] = set()
        self._last = clock()

    def add(self, group: str, word: str) -> None:
        """A test of *group* has ended as *word* says."""
        self._done[group] += 1
        if word != "passed":
            self._found.setdefault(group, Counter())[spoken(word)] += 1
        if self._done[group] >= self._totals.get(group, 0):
            self._say(group, finished=True)
            self._reported.add(group)
        elif self._live:
            self._reporter.rewrite(self._text(group), erase=True)
        elif self._clock() - self._last > _SILENCE:
            self._say(group, finished=False)

    def close(self) -> None:
        """Report the groups that did not get to their end."""
        for group in self._totals:
            if group not in self._reported and self._done[group]:
                self._say(group, finished=True)

    def _say(self, group: str, *, finished: bool) -> None:
        self._last = self._clock()
        if self._live:
            self._reporter.rewrite(self._text(group), erase=True)
            if finished:
                self._reporter.write("\n")
        else:
            self._reporter.write_line(self._text(group))

    def _text(self, group: str) -> str:
        found = ", ".join(f"{number} {word}" for word, number in self._found.get(group, {}).items())
        said = f"{self._done[group]}/{self._totals.get(group, 0)}"
        return f"{group.replace('_', ' '):<{_NAME}} {said:>8}  {found}".rstrip()
