"""The proof: each fault of the emulator fails the requirement that it is about and nothing that it does not break.

Every check runs on every fault and variation, in this process; a sample of each kind goes through the real command too.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from contracts.requirements import catalogue
from fixtures.emulator.threaded import ThreadedServer
from suites.selfcheck.mutation import catchers, direct, proof
from suites.selfcheck.mutation.proof import MATRIX, Proof, describe, matrix, names, rows
from suites.selfcheck.mutation.scenarios import CONFORMING, provokes
from suites.selfcheck.system import runs
from suites.selfcheck.system.watched import target_file

_PARTS = 12
_WRITE = "python -m suites.selfcheck.mutation.proof --write writes it anew"
#: One of each part of the contract, and of each kind: payload, status, carrier, credential, state, race, privacy.
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
#: Targets whose answers depend on the call and the state of its account alone, and tests of every file.
ORDERLESS = (
    "conforming",
    "error-success-missing",
    "unknown-hash-is-7",
    "read-by-form-is-stale",
    "subuser-creates",
    "not-json-500",
    "value-twice",
)


def _as_it_should(proofs: Sequence[Proof]) -> None:
    """Each fault is named, and the tests fail on it that are recorded to."""
    wrong = [describe(each) for each in proofs if not each.as_it_should]
    assert not wrong, "\n".join(wrong)
    others = {each.name: dict(each.failed) for each in proofs if catchers.differs(each.name, each.failed)}
    assert not others, f"{catchers.RECORDING.name} says otherwise; where that is meant, {_WRITE}: {others}"


@pytest.mark.proof
@pytest.mark.parametrize("part", range(1, _PARTS + 1))
def test_each_fault_is_reported_as_what_it_is(part: int) -> None:
    proofs = list(proof.prove_all(names()[part - 1 :: _PARTS]))
    _as_it_should(proofs)
    # The table says what was found, row by row; where threads race for a limit, what they came to once.
    recorded = rows(MATRIX.read_text(encoding="utf-8"))
    steady = [each for each in proofs if each.name != CONFORMING and not provokes(each.name)]
    stale = {each.name for each in steady if recorded.get(each.name) != each.found}
    assert not stale, f"{MATRIX.name} says otherwise; {_WRITE}: {sorted(stale)}"


@pytest.mark.proof
def test_the_matrix_is_of_these_faults() -> None:
    text = MATRIX.read_text(encoding="utf-8")
    recorded = rows(text)
    # What each run found, is compared where it runs; all else follows from that and from the faults.
    made = matrix([Proof(name, recorded.get(name, ()), {}, 0) for name in names()])
    stale = [line for line in made.splitlines() if line not in text.splitlines()] or ["it has lines too many"]
    if text != made:
        pytest.fail(f"{MATRIX.name} is out of date; {_WRITE}: {stale[0]}", pytrace=False)


@pytest.mark.proof
@pytest.mark.parametrize("name", ORDERLESS)
def test_a_test_comes_to_the_same_alone(name: str) -> None:
    direct.in_checkout()
    whole = proof.run(name)
    chosen = [item for item in direct.items() if not item.last][:: max(1, len(direct.items()) // 30)]
    assert len(chosen) >= 30
    for item in chosen:
        alone = proof.run(name, [item])
        assert alone.failed.get(item.name) == whole.failed.get(item.name), item.name
        assert (item.name in alone.open) == (item.name in whole.open), item.name


@pytest.mark.proof
@pytest.mark.parametrize("name", REAL)
def test_the_real_command_finds_the_same(name: str, tmp_path: Path) -> None:
    report = tmp_path / "report"
    with ThreadedServer([name]) as server:
        target = target_file(
            tmp_path / "target.toml", server.base_url, timeout=5, credentials={}, states=server.states_url
        )
        done = runs.run("--target", target, "--report-dir", report, "-q")
    document = json.loads((report / "conformance.json").read_text(encoding="utf-8"))
    found = {each["id"] for each in document["requirements"] if each["result"] in ("failed", "warning")}
    direct.in_checkout()
    assert found == set(proof.prove(name).found)
    binding = any(catalogue()[each].binding for each in found)
    assert done.returncode == (1 if binding else 0), done.stdout[-2000:]
