"""Recorded histories: they are explained anew as they were, and a change of what explains them is noticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from contracts.attribution.explanation import Explanation
from contracts.requirements import catalogue
from fixtures.emulator.faults import FAULTS
from suites.selfcheck.mutation import histories
from suites.selfcheck.mutation.scenarios import CONFORMING, needs_socket


def test_a_change_of_what_explains_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "histories"
    names = ["subuser-creates", "conforming"]
    histories.write(path, names)
    assert list(histories.differing(path)) == []
    monkeypatch.setattr(histories, "explain_run", lambda *_: Explanation())
    assert list(histories.differing(path)) == ["subuser-creates"]


def test_a_sample_has_each_requirement_and_the_same_ones_each_time() -> None:
    sample = histories.sample("1", 1)
    assert sample == histories.sample("1", 1) != histories.sample("2", 1)
    assert sample[0] == CONFORMING
    about = {FAULTS[name].breaks[0] for name in sample if name in FAULTS}
    in_process = {fault.breaks[0] for name, fault in FAULTS.items() if not needs_socket(name)}
    assert about == in_process <= set(catalogue())
