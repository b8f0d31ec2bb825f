"""The random search of ``search.py``, the same cases each time: what it takes to notice, and a few hundred cases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from suites.selfcheck.system.forked_command import Runner
from suites.selfcheck.system.search import search

_PARTS = 4
_CASES, _FULL = 50, 4


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    """The process that runs the cases."""
    with Runner() as runner:
        yield runner


@pytest.mark.parametrize("part", range(1, _PARTS))
def test_whatever_is_answered_the_run_ends_well(part: int, runner: Runner) -> None:
    """A verdict, valid reports, a record that can be replayed, and no secret."""
    came = search(runner, _CASES, part)
    assert len(came) >= _CASES
    assert {"nonconformant", "unreachable"} <= {each.verdict for each in came}


def test_so_does_a_run_of_every_check(runner: Runner) -> None:
    assert len(search(runner, _FULL, _PARTS, full=True)) >= _FULL
