"""The proof: the emulator's faults are caught by a requirement that they break, and no freedom is accused.

The runs are forks of a process that has imported everything once; ten of them are made through the real command too.
On every twelfth fault and on the first of each requirement the whole suite is run, on the others the tests of the
requirement that the fault is about, and the whole suite only where these do not catch it.
``python -m suites.selfcheck.mutation.proof`` runs the whole suite on all of them; it also writes the matrix.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from contracts.requirements import catalogue
from fixtures.emulator.faults import FAULTS
from fixtures.emulator.threaded import ThreadedServer
from fixtures.emulator.variations import VARIATIONS
from suites.selfcheck.mutation.proof import MATRIX, ROOT, Proof, Task, cell, describe, every_task, judgement, proof_of
from suites.selfcheck.mutation.scenarios import CONFORMING, write_target

pytestmark = pytest.mark.proof

_PARTS = 10
#: A race is not lost every time: a fault that shows in nothing else has so many runs to be caught in.
_RUNS_OF_A_RACE = 3
#: One of ten parts of the contract each, and of each kind: payload, status, carrier, credential, state, race, privacy.
REAL = (
    "status-flat",
    "success-string-true",
    "subuser-creates",
    "demo-creates-always",
    "tariff-not-checked",
    "error-success-missing",
    "cache-s-maxage",
    "other-methods-204",
    "unknown-action-says-success",
    "read-is-204-without-body",
)


def prove(*arguments: str) -> list[Proof]:
    """The proofs that ``python -m suites.selfcheck.mutation.proof`` makes."""
    command = [sys.executable, "-m", "suites.selfcheck.mutation.proof", "--json", "--jobs", "1", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr[-3000:]
    return [_proof(json.loads(line)) for line in done.stdout.splitlines()]


def _proof(members: dict[str, Any]) -> Proof:
    return Proof(**members | {name: tuple(members[name]) for name in ("found", "messages", "beyond")})


def _is_race(name: str) -> bool:
    return FAULTS[name].breaks[0] in ("T8-one-winner", "A6-users-are-isolated")


@pytest.mark.parametrize("part", range(1, _PARTS + 1))
def test_faults_are_caught_and_no_freedom_accused(part: int) -> None:
    proofs = prove("--early", "--part", f"{part}/{_PARTS}")
    assert len(proofs) == len(every_task(early=True)[part - 1 :: _PARTS])
    accused = [describe(proof) for proof in proofs if judgement(proof) == "accused"]
    assert not accused, "\n".join(accused)
    beyond = [describe(proof) for proof in proofs if proof.beyond]
    assert not beyond, "\n".join(beyond)
    uncaught = [proof for proof in proofs if judgement(proof) not in ("caught", "fine")]
    for _ in range(_RUNS_OF_A_RACE - 1):
        races = [proof.name for proof in uncaught if _is_race(proof.name)]
        others = [proof for proof in uncaught if not _is_race(proof.name)]
        uncaught = others + [proof for proof in (prove(*races) if races else ()) if judgement(proof) != "caught"]
    assert not uncaught, "\n".join(map(describe, uncaught))


def test_what_is_run_whole() -> None:
    tasks = every_task(early=True)
    assert [task.name for task in tasks] == [CONFORMING, *FAULTS, *VARIATIONS]
    whole = {task.name for task in tasks if task.about is None}
    assert len(whole & FAULTS.keys()) >= 100
    assert whole >= VARIATIONS.keys()
    assert {FAULTS[name].breaks[0] for name in whole & FAULTS.keys()} == {fault.breaks[0] for fault in FAULTS.values()}
    assert every_task(early=False) == [Task(task.name) for task in tasks]


def test_every_requirement_has_a_fault() -> None:
    about = {fault.breaks[0] for fault in FAULTS.values()}
    owed = {entry.id for entry in catalogue().values() if entry.binding or entry.advice}
    assert owed - about == set()


@pytest.fixture(scope="module")
def forked() -> dict[str, Proof]:
    return {proof.name: proof for proof in prove(*REAL)}


@pytest.mark.xdist_group("real-command")
@pytest.mark.parametrize("name", REAL)
def test_the_real_command_finds_the_same(name: str, forked: dict[str, Proof], tmp_path: Path) -> None:
    report = tmp_path / "report"
    with ThreadedServer([name]) as server:
        target = write_target(tmp_path, server.base_url, states=server.states_url)
        command = [sys.executable, "-m", "suites.cli", "--target", str(target), "--report-dir", str(report), "-q"]
        started = time.monotonic()
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    real = proof_of(name, report, done.returncode, time.monotonic() - started, done.stdout, whole=True)
    other = forked[name]
    assert judgement(real) == "caught", describe(real)
    assert (real.found, real.verdict, real.exit_code, real.first_failure) == (
        other.found,
        other.verdict,
        other.exit_code,
        other.first_failure,
    )


def test_the_matrix_is_of_these_faults() -> None:
    # What the runs came to takes eight minutes to say anew (--write); what they were made on is compared here.
    rows = [line.split(" | ") for line in MATRIX.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    told = {row[0].removeprefix("| "): row[1] for row in rows if row[0] not in ("| fault", "| variation")}
    assert told == {
        **{each.name: cell(each.summary) for each in FAULTS.values()},
        **{each.name: cell(each.summary) for each in VARIATIONS.values()},
    }
