"""Each check function, and each row of a table, is the only one to catch some fault: what catches nothing alone could go unnoticed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pytest

from contracts.ids import T3
from fixtures.emulator.compose import build
from fixtures.emulator.faults import FAULTS
from suites.selfcheck.mutation import catchers, direct, proof
from suites.selfcheck.mutation.in_process import ORIGIN, in_process

#: Functions of which single rows catch nothing alone, and why they are there all the same; each function as a whole does.
ALIKE: Final[Mapping[str, str]] = {}
#: Where keys may be replaced T2 sees all that this sees; it is for accounts whose keys may not be.
WITHOUT_ROTATION: Final = "test_state.py::test_read_changes_nothing"


@pytest.fixture(scope="module", autouse=True)
def checkout() -> None:
    """Nothing of the environment changes what is run."""
    direct.in_checkout()


def _rows() -> list[str]:
    return [item.name for item in direct.items()]


def test_each_function_catches_something_alone() -> None:
    functions = {catchers.function(name) for name in _rows()}
    assert functions - catchers.witnesses(functions).keys() == {WITHOUT_ROTATION}


def test_what_catches_something_alone_where_keys_must_not_be_replaced() -> None:
    emulator = build(["read-by-form-rotates"])
    accounts = {str(state): account.hash for state, account in emulator.store.fixed.items()}
    with in_process(emulator):
        done = direct.run(f"{ORIGIN}/v2", None, fixed=accounts)
    assert done.broken == (T3,)
    assert [name for name, broken in done.failed.items() if T3 in broken] == [WITHOUT_ROTATION]


def test_each_row_catches_something_alone() -> None:
    lacking = _rows_without_a_witness()
    classes = {name for name in lacking if catchers.function(name) in ALIKE}
    assert lacking - classes == set()
    # What needs no excuse has none.
    assert {catchers.function(name) for name in classes} == set(ALIKE)


def _rows_without_a_witness() -> set[str]:
    rows = [name for name in _rows() if "[" in name]
    return set(rows) - catchers.witnesses(rows).keys()


def test_the_recording_is_of_what_there_is() -> None:
    recording = catchers.recording()
    assert set(recording) <= set(FAULTS)
    assert {name for found in recording.values() for name in found} <= set(_rows())


def test_what_is_reported_of_a_run() -> None:
    assert catchers.only_ones({"a[1]": ("T1",), "b": ()}) == [frozenset({"a[1]", "b"}), frozenset({"a[1]"})]
    assert catchers.only_ones({"b": ()}) == [frozenset({"b"})]
    assert catchers.only_ones({}) == []


def test_a_check_without_its_verdict_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault is still named, for the history has it; the recording says that a test no longer fails on it."""
    name = catchers.witnesses({"test_calls.py::test_options"})["test_calls.py::test_options"]
    assert not catchers.differs(name, proof.prove(name).failed)
    monkeypatch.setattr("suites.runner.check.Check.judge", lambda *_: None)
    proven = proof.prove(name)
    assert proven.as_it_should
    assert catchers.differs(name, proven.failed)
