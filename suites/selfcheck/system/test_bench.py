"""The bench counts what is there: its sample, its table, and, once, a run with its clock in it."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fixtures.emulator.faults import FAULTS
from fixtures.emulator.variations import VARIATIONS
from suites.selfcheck.system import runs
from suites.tools import bench

COST = bench.Cost(284, 4.04, 2.0, 1.5, 100 * 2**20)
INSIDE = bench.Inside(0.81, 0.006, 0.002, 2.9)


def test_a_sample_is_spread_evenly_and_always_the_same() -> None:
    names = [str(number) for number in range(100)]
    assert bench.sample(names, 4) == ["0", "25", "50", "75"]
    assert bench.sample(names, 100) == bench.sample(names, 1000) == names
    for every in (list(FAULTS), list(VARIATIONS)):
        chosen = bench.sample(every, 7)
        assert len(set(chosen)) == 7
        assert set(chosen) <= set(every)


def test_a_fault_in_one_place_is_none_of_a_kind_of_its_own() -> None:
    names = ["subuser-creates", "subuser-creates-by-form", "read-by-form-is-stale", "key-in-error", "key"]
    assert bench.of_their_own_kind(names) == ["subuser-creates", "read-by-form-is-stale", "key"]
    own = bench.of_their_own_kind(list(FAULTS))
    assert 100 < len(own) < len(FAULTS)
    assert {fault.breaks[0] for fault in FAULTS.values()} == {FAULTS[name].breaks[0] for name in own}


def test_a_comparison_that_is_cut_short_has_both_kinds() -> None:
    rows = bench._mixed([f"f{n}" for n in range(9)], [f"v{n}" for n in range(3)])
    assert [broken for _, broken in rows[:4]].count(False) == 1
    assert len(rows) == 12


def test_what_is_caught_is_counted() -> None:
    catch = bench.Catch()
    catch.take("a", broken=True, ours=True, theirs=(True, False))
    catch.take("b", broken=True, ours=True, theirs=(False, True))
    catch.take("c", broken=True, ours=False, theirs=(False, False))
    catch.take("d", broken=False, ours=False, theirs=(False, True))
    assert (catch.faults, catch.ours, catch.theirs, catch.both_runs) == (3, 2, 1, 2)
    assert (catch.variations, catch.accused, catch.theirs_accused, catch.both_runs_accused) == (1, 0, 0, 1)
    assert catch.missed == ["c"]


def test_the_table_is_markdown_with_date_and_machine() -> None:
    catch = bench.Catch(faults=60, variations=20, ours=60, theirs=20, both_runs=25)
    text = bench.table(COST, INSIDE, COST, COST, catch, datetime(2026, 5, 4, tzinfo=UTC))
    head, _, *rows = text.splitlines()
    assert head.startswith("Measured on 2026-05-04: ")
    assert "cores" in head
    assert {row.count("|") for row in rows} == {5}
    assert "| whole command, first run | 4.0 s | 4.0 s | 4.0 s |" in rows
    assert "| of 60 broken targets, found | 60 | 20 | 25 by the two together |" in rows
    assert any("2.0 ms (1 : 2.9)" in row for row in rows)


def test_the_table_without_schemathesis() -> None:
    text = bench.table(COST, INSIDE, None, None, None, datetime(2026, 5, 4, tzinfo=UTC))
    assert {row.count("|") for row in text.splitlines()[2:]} == {3}


def test_a_command_is_timed(tmp_path: Path) -> None:
    ended = bench.timed([sys.executable, "-c", "import sys; print('here'); sys.exit(3)"], cwd=tmp_path)
    assert (ended.code, ended.output) == (3, "here\n")
    assert ended.cpu > 0
    assert 0 < ended.wall < 60
    assert 2**20 < ended.memory < 2**33


@pytest.mark.slow
def test_the_clock_sees_every_request_and_sends_it_again(tmp_path: Path) -> None:
    place = tmp_path / "probe.json"
    options = ["-q", "-p", "suites.tools.bench", "-p", "no:cacheprovider", "--requirement", "S1"]
    finished = runs.suite(*options, folder=tmp_path / "report", env={bench.VARIABLE: str(place)})
    assert finished.code == 0, finished.output
    found = json.loads(place.read_text())
    assert found["requests"] == finished.document["requests"] > 10
    assert found["lost"] == 0
    assert 0 < found["bare"] < 60
    assert 0 < found["run"] < 60
