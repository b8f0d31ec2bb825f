"""``--record`` and ``--replay`` through the command: the same verdict from the file as from the target."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from suites.selfcheck.system.runs import ROOT, Finished, command, conform, environment, suite

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("replay")]

_FAULTS: Final = ("subuser-creates", "read-by-form-is-stale")
#: Members of ``conformance.json`` that are the same in a replay.
_SAME: Final = (
    *("target", "verdict", "exit_code", "exit_reason", "accounts", "started", "requests", "requests_by_group"),
    *("creates_by_account", "requests_to_first_failure", "keys_created", "tests"),
)
_NO_REPORT: Final = ("junit.xml", "allure-results")


def _results(done: Finished) -> dict[str, tuple[str, list[str], int]]:
    return {
        each["id"]: (each["result"], each["blocked_by"], len(each["violations"]))
        for each in done.document["requirements"]
    }


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Finished, Path]:
    """A run that is recorded, and its file."""
    place = tmp_path_factory.mktemp("recorded")
    file = place / "run.json"
    return conform(place / "run", "--record", file, faults=_FAULTS), file


def test_the_file_is_for_its_owner_and_names_no_place(runs: tuple[Finished, Path]) -> None:
    _, file = runs
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert str(ROOT) not in file.read_text(encoding="utf-8")


def test_a_replay_says_what_the_run_said(runs: tuple[Finished, Path], tmp_path: Path) -> None:
    run, file = runs
    replayed = suite("--replay", file, folder=tmp_path / "report")
    assert (run.code, replayed.code) == (1, 1), replayed.output
    assert _results(replayed) == _results(run)
    assert {name: replayed.document[name] for name in _SAME} == {name: run.document[name] for name in _SAME}
    assert replayed.document["run"]["replay"] is True
    made = {each.name for each in replayed.folder.iterdir()}
    assert {"conformance.md", "conformance.html", "badge.svg", "badge.json", "repeat"} <= made
    assert not made.intersection(_NO_REPORT)
    assert replayed.output.splitlines()[-1] == run.output.splitlines()[-1]
    # What stands for a secret is named as the secret was.
    assert not re.search(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])", _answers(replayed.document))


def _answers(document: dict[str, Any]) -> str:
    found = [each["exchange"] for entry in document["requirements"] for each in entry["violations"]]
    return json.dumps([each["response"] for each in found if each is not None])


def test_waivers_work_with_it(runs: tuple[Finished, Path], tmp_path: Path) -> None:
    run, file = runs
    failed = [each["id"] for each in run.document["requirements"] if each["result"] == "failed"]
    waivers = tmp_path / "waivers.toml"
    text = '[[waiver]]\nrequirement = "{}"\nreason = "known"\nexpires = 2999-01-01\n'
    waivers.write_text("".join(text.format(each) for each in failed), encoding="utf-8")
    replayed = suite("--replay", file, "--waivers", waivers, folder=tmp_path / "report")
    assert replayed.code == 0, replayed.output
    assert [each["requirement"] for each in replayed.document["waivers"] if each["state"] == "used"] == failed
    assert suite("--replay", file, "--waivers", waivers, "--fail-on-gaps", folder=tmp_path / "report").code == 1


def test_a_run_that_is_interrupted_is_recorded_too(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    process = subprocess.Popen(
        command("--record", file, "--report-dir", tmp_path / "report"),
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    # The first lines of progress are there long before the last test has run.
    assert process.stdout is not None
    said = b""
    while b"errors " not in said:
        said += os.read(process.stdout.fileno(), 4096)
        assert process.poll() is None, said
    process.send_signal(signal.SIGINT)
    said += process.communicate(timeout=60)[0]
    assert process.returncode == 2, said
    assert suite("--replay", file, folder=tmp_path / "again").code == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--base-url", "http://127.0.0.1:9"], "--base-url is for a run"),
        (["--target", "target.toml"], "--target is for a run"),
        (["--serve", "true"], "--serve is for a run"),
        (["--record", "other.json"], "--record is for a run"),
        (["--requirement", "T2"], "--requirement is for a run"),
        (["-k", "create"], "-k is for a run"),
        (["suites/conformance/test_state.py"], "test_state.py is a part of the suite"),
    ],
)
def test_what_says_what_is_sent_is_refused(
    runs: tuple[Finished, Path], options: list[str], said: str, tmp_path: Path
) -> None:
    done = suite("--replay", runs[1], *options, folder=tmp_path / "report")
    assert done.code == 4
    assert len(done.output.splitlines()) == 1
    assert said in done.output


def test_a_file_that_is_none_is_one_line(tmp_path: Path) -> None:
    for name, text in (("cut", '{"format": 1'), ("other", '{"format": 7}'), ("empty", "")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    for name in ("cut", "other", "empty", "missing"):
        done = suite("--replay", tmp_path / name, folder=tmp_path / "report")
        assert done.code == 4
        assert len(done.output.splitlines()) == 1, done.output
        assert not (tmp_path / "report").exists()


def test_a_place_that_cannot_be_written_is_named_before_anything_is_sent(tmp_path: Path) -> None:
    for file in (tmp_path, tmp_path / "none" / "run.json"):
        done = suite("--record", file, folder=tmp_path / "report")
        assert done.code == 4
        assert len(done.output.splitlines()) == 1, done.output
        assert "--record" in done.output
