"""The coverage table: which tests verify each requirement, and which faults prove that they would see it broken.

``python -m suites.tools.coverage`` writes ``docs/coverage.md``; ``--check`` writes nothing and exits with 1 where the table is not
current, or a requirement has neither a test nor the reason why none verifies it, or no fault.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from contracts.requirements import Requirement, catalogue

ROOT: Final = Path(__file__).resolve().parents[2]
TABLE: Final = ROOT / "docs" / "coverage.md"
RELEASED: Final = ROOT / "contracts" / "released-ids.txt"
#: Faults named in the table for each requirement; the matrix has all of them.
_NAMED: Final = 4


@dataclass(frozen=True)
class Cover:
    """What stands behind a requirement: tests with their number of rows, and the faults that are about it."""

    requirement: Requirement
    tests: Mapping[str, int]
    faults: tuple[str, ...]
    also: int

    @property
    def problems(self) -> list[str]:
        """What is missing, a line each."""
        entry = self.requirement
        found = []
        owed = entry.binding or entry.advice
        if owed and not self.tests and entry.untested is None:
            found.append(f"{entry.id} has no test, and no reason why none verifies it")
        if self.tests and entry.untested is not None:
            found.append(f"{entry.id} is said to be untested, and {', '.join(self.tests)} names it")
        if owed and not self.faults and entry.untested is None:
            found.append(f"{entry.id} has no fault that is about it")
        return found


class _Collector:
    """Records which requirements each collected test names."""

    def __init__(self) -> None:
        self.rows: dict[str, Counter[str]] = {name: Counter() for name in catalogue()}
        self.unknown: list[str] = []

    def pytest_collection_finish(self, session: Any) -> None:
        """Read the marks of what was collected."""
        from suites.runner.items import requirements_of

        for item in session.items:
            test = f"{item.path.stem}.{item.originalname}"
            for name in requirements_of(item):
                if name in self.rows:
                    self.rows[name][test] += 1
                else:
                    self.unknown.append(f"{test} names {name}, which is not in the catalogue")


def collect() -> tuple[dict[str, Counter[str]], list[str]]:
    """The tests of each requirement with their rows, and what is wrong with them. Nothing is sent."""
    import pytest

    collector = _Collector()
    said = io.StringIO()
    suite = ROOT / "suites" / "conformance"
    options = [
        "-c",
        str(ROOT / "pytest.ini"),
        "--rootdir",
        str(ROOT),
        "-p",
        "no:cacheprovider",
        "-p",
        "no:allure_pytest",
    ]
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = pytest.main([*options, "--collect-only", "-q", str(suite)], plugins=[collector])
    if code:
        raise SystemExit(
            f"the conformance tests cannot be collected (exit code {int(code)})\n{said.getvalue()[-2000:]}"
        )
    return collector.rows, collector.unknown


def cover() -> tuple[list[Cover], list[str]]:
    """What stands behind each requirement, and what is missing."""
    from fixtures.emulator.faults import FAULTS

    rows, problems = collect()
    covers = []
    for entry in catalogue().values():
        faults = tuple(fault.name for fault in FAULTS.values() if fault.breaks[0] == entry.id)
        also = sum(entry.id in fault.breaks[1:] for fault in FAULTS.values())
        covers.append(Cover(entry, dict(sorted(rows[entry.id].items())), faults, also))
        problems += covers[-1].problems
    for fault in FAULTS.values():
        problems += [
            f"the fault {fault.name} breaks {name}, unknown" for name in fault.breaks if name not in catalogue()
        ]
    problems += [
        f"{name} was released and is gone from the catalogue" for name in released() if name not in catalogue()
    ]
    return covers, problems


def released() -> list[str]:
    """The ids that no later version may lose."""
    lines = RELEASED.read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def render(covers: Sequence[Cover]) -> str:
    """The table as Markdown: the same tests and faults give the same bytes."""
    lines = [
        "# What verifies each requirement",
        "",
        "Made by `make coverage`; do not edit. The number after a test is that of its rows. The faults are those of the",
        "emulator's list (`delivery-emulator --list-faults`) that are about the requirement, and how many others break it besides.",
        "",
        "| requirement | level | profile | tests | faults |",
        "|---|---|---|---|---|",
    ]
    for each in covers:
        entry = each.requirement
        tests = "<br>".join(f"{name} × {count}" for name, count in each.tests.items())
        tests = tests or f"none: {entry.untested or 'what a target may do is not asked of it'}"
        lines.append(f"| {entry.id} | {entry.level} | {entry.profile} | {tests} | {_faults(each)} |")
    return "\n".join(lines) + "\n"


def _faults(each: Cover) -> str:
    if not each.faults:
        return f"besides: {each.also}" if each.also else "none"
    named = ", ".join(each.faults[:_NAMED]) + (", …" if len(each.faults) > _NAMED else "")
    return f"{len(each.faults)}: {named}" + (f"; besides: {each.also}" if each.also else "")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the table, or with ``--check`` say whether it is current and nothing is missing."""
    parser = argparse.ArgumentParser(
        prog="python -m suites.tools.coverage", description="What verifies each requirement."
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 where something is missing")
    check: bool = parser.parse_args(arguments).check
    covers, problems = cover()
    wanted = render(covers)
    if not check:
        TABLE.parent.mkdir(exist_ok=True)
        TABLE.write_text(wanted, encoding="utf-8")
    elif not TABLE.exists() or TABLE.read_text(encoding="utf-8") != wanted:
        problems.append(f"docs/{TABLE.name} is not what would be written now: make coverage")
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
