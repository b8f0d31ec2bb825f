"""Runs of the suite for self-checks that look closely at what it wrote."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from suites.selfcheck.mutation.forked import ROOT


@dataclass(frozen=True)
class Made:
    """What one run wrote. ``report`` is None where there is none, as after a wrong setting."""

    exit_code: int
    output: str
    report: dict[str, Any] | None
    folder: Path

    @property
    def results(self) -> dict[str, str]:
        """The result of each requirement."""
        assert self.report is not None, self.output
        return {each["id"]: each["result"] for each in self.report["requirements"]}

    @property
    def reasons(self) -> dict[str, str]:
        """The reason of each requirement's result, empty where there is none."""
        assert self.report is not None, self.output
        return {each["id"]: each["reason"] or "" for each in self.report["requirements"]}


def make(folder: Path, *names: str, options: str = "") -> dict[str, Made]:
    """Run the suite on each of these scenarios."""
    command = [sys.executable, "-m", "suites.selfcheck.mutation.forked", "--jobs", "1", "--keep", str(folder)]
    done = subprocess.run(
        [*command, f"--options={options}", *names], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 1), done.stderr[-3000:]
    proofs = {proof["name"]: proof for proof in map(json.loads, done.stdout.splitlines())}
    assert set(proofs) == set(names)
    made = {}
    for name in names:
        file = folder / name / "report" / "conformance.json"
        report = json.loads(file.read_text(encoding="utf-8")) if file.exists() else None
        made[name] = Made(proofs[name]["exit_code"], proofs[name]["output"], report, folder / name)
    return made
