"""The report directory: one run's at a time, nothing written through a link, and what the last run left is kept."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures.errors import SetupError
from reports import outputs
from reports.directory import take
from suites.runner.options import report_directory
from suites.selfcheck.system.runs import ROOT
from suites.selfcheck.unit.test_compare import report

_TARGET = {"base_url": "http://127.0.0.1/v2", "embedded": False, "profile": "platform"}


# ---------------------------------------------------------------------- one run's at a time


def test_a_directory_that_is_in_use_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "report"
    held = take(folder)
    (folder / "conformance.md").write_text("of the run under way")
    with pytest.raises(SetupError, match="is in use by another run; wait for its end, or name another directory"):
        take(folder)
    assert (folder / "conformance.md").exists()
    held.release()
    take(folder).release()
    assert not (folder / "conformance.md").exists()


def test_a_run_that_was_killed_leaves_no_lock(tmp_path: Path) -> None:
    """Nor do the processes that it had started hold it."""
    program = (
        "import pathlib, subprocess, sys, time; from reports.directory import take; "
        "taken = take(pathlib.Path(sys.argv[1])); "
        "child = subprocess.Popen(['sleep', '60']); print(child.pid, flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "report")]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    child = int(process.stdout.readline())
    try:
        with pytest.raises(SetupError, match="is in use"):
            take(tmp_path / "report")
        process.kill()
        process.wait(10)
        process.stdout.close()
        take(tmp_path / "report").release()
    finally:
        os.kill(child, signal.SIGKILL)


def test_a_failure_leaves_no_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: Path, __: str) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr("reports.allure.history.fold", fails)
        with pytest.raises(SetupError, match="cannot be written: Permission denied"):
            outputs.begin(tmp_path / "report", None, "platform")
    take(tmp_path / "report").release()


# ---------------------------------------------------------------------- names


@pytest.fixture
def deep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A name of 1,500 levels; what is made there is removed, for pytest's own clean-up goes no deeper than the stack."""
    monkeypatch.chdir(tmp_path)
    folder = Path("/".join(["a"] * 1500))
    yield folder
    shutil.rmtree(folder)
    os.removedirs(folder.parent)


@pytest.mark.slow
def test_a_name_of_1500_levels(deep: Path) -> None:
    take(deep).release()
    (deep / "old").touch()
    take(deep).release()
    assert not (deep / "old").exists()


def test_a_name_that_is_too_long(tmp_path: Path) -> None:
    for name in ("a" * 300, "/".join(["a" * 200] * 30)):
        with pytest.raises(SetupError, match="cannot be written: File name too long"):
            take(tmp_path / name)


def test_folders_that_are_nested_too_deeply(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be removed is said in one line, and the directory is not in use afterwards."""

    def fails(_: Path) -> None:
        raise RecursionError

    take(tmp_path / "report").release()
    (tmp_path / "report" / "a").mkdir()
    with monkeypatch.context() as patched:
        patched.setattr("shutil.rmtree", fails)
        with pytest.raises(SetupError, match="holds folders that are nested too deeply to be removed"):
            take(tmp_path / "report")
    take(tmp_path / "report").release()


def test_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/somewhere")
    assert report_directory("~/r") == Path("/somewhere/r")


# ---------------------------------------------------------------------- links

_Plant = Callable[[Path, Path], None]


def _link(folder: Path, outside: Path) -> None:
    folder.symlink_to(outside)


def _history(folder: Path, outside: Path) -> None:
    (folder / "allure-results").mkdir()
    (folder / "allure-results" / "history").symlink_to(outside, target_is_directory=True)


def _in_history(name: str, *, hard: bool = False) -> _Plant:
    def plant(folder: Path, outside: Path) -> None:
        history = folder / "allure-results" / "history"
        history.mkdir(parents=True)
        note: dict[str, Any] = {"history-trend": {}, "duration-trend": {}, "categories-trend": {}, "tests": {}}
        (history / "last-run.json").write_text(json.dumps(note))
        if hard:
            (history / name).hardlink_to(outside / "kept")
        else:
            (history / name).symlink_to(outside / "kept")

    return plant


_PLANTS: dict[str, _Plant] = {
    "file": lambda folder, outside: _link(folder / "conformance.json", outside / "kept"),
    "part": lambda folder, outside: _link(folder / "conformance.json.part", outside / "kept"),
    "folder": lambda folder, outside: _link(folder / "allure-results", outside),
    "history": _history,
    "in-history": _in_history("history-trend.json"),
    "part-in-history": _in_history("history-trend.part"),
    "note": _in_history("next.json"),
    "hard-link": _in_history("history-trend.part", hard=True),
    "deep": lambda folder, outside: _link(folder / "repeat", outside),
}


@pytest.mark.parametrize("name", _PLANTS)
def test_nothing_is_written_through_a_link_nor_removed_behind_it(name: str, tmp_path: Path) -> None:
    folder, outside = tmp_path / "report", tmp_path / "outside"
    take(folder).release()
    outside.mkdir()
    (outside / "kept").write_text("the only copy")
    _PLANTS[name](folder, outside)
    outputs.begin(folder, None, "platform").release()
    assert (outside / "kept").read_text() == "the only copy"
    assert sorted(path.name for path in outside.iterdir()) == ["kept"]
    links = [path for path in folder.rglob("*") if path.is_symlink() or (path.is_file() and path.stat().st_nlink > 1)]
    assert not links


# ---------------------------------------------------------------------- what the last run left


def _left(folder: Path, data: Any) -> None:
    take(folder).release()
    (folder / "conformance.json").write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")


def test_the_report_of_the_last_run_is_read_before_it_is_removed(tmp_path: Path) -> None:
    _left(tmp_path / "report", report(T6="failed"))
    taken = take(tmp_path / "report")
    assert not (tmp_path / "report" / "conformance.json").exists()
    previous = taken.previous(_TARGET)
    assert previous is not None
    assert previous["verdict"] == "nonconformant"
    taken.release()
    again = take(tmp_path / "report")
    assert again.previous(_TARGET) is None
    again.release()


@pytest.mark.parametrize(
    ("change", "comparable"),
    [
        ({}, True),
        ({"profile": "core"}, False),
        ({"base_url": "http://127.0.0.1:8080/v2"}, False),
        ({"embedded": True}, False),
    ],
)
def test_a_run_on_another_target_is_none_to_compare_with(
    change: dict[str, Any], comparable: bool, tmp_path: Path
) -> None:
    _left(tmp_path / "report", report())
    taken = take(tmp_path / "report")
    assert (taken.previous({**_TARGET, **change}) is not None) is comparable
    taken.release()


def test_the_embedded_emulator_is_the_same_on_any_port(tmp_path: Path) -> None:
    data = report()
    data["target"] = {"base_url": "http://127.0.0.1:1111/v2", "embedded": True, "profile": "platform"}
    _left(tmp_path / "report", data)
    taken = take(tmp_path / "report")
    assert taken.previous({**data["target"], "base_url": "http://127.0.0.1:2222/v2"}) is not None
    taken.release()


@pytest.mark.parametrize("text", ["", "{", "[]", "[" * 100_000, '{"complete": true}'], ids=range(5))
def test_what_is_no_report_is_none_to_compare_with(text: str, tmp_path: Path) -> None:
    _left(tmp_path / "report", text)
    taken = take(tmp_path / "report")
    assert taken.previous(_TARGET) is None
    taken.release()


@pytest.mark.parametrize(
    "make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero"), Path.mkdir], ids=["pipe", "link", "folder"]
)
def test_what_is_no_file_is_not_read(make: Callable[[Path], None], tmp_path: Path) -> None:
    take(tmp_path / "report").release()
    make(tmp_path / "report" / "conformance.json")
    taken = take(tmp_path / "report")
    assert taken.previous(_TARGET) is None
    taken.release()
