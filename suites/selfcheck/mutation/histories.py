"""Histories of runs on the emulator's faults, kept to be judged anew: by a mutant of what judges them, for one.

A run takes a second or more, to explain its history a twentieth of that.
"""

from __future__ import annotations

import pickle
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from contracts.attribution.explanation import Explanation, explain_run
from fixtures.emulator.faults import FAULTS
from fixtures.emulator.variations import VARIATIONS
from suites.selfcheck.mutation import direct, proof
from suites.selfcheck.mutation.scenarios import CONFORMING, needs_socket


def sample(seed: str, each: int = 6) -> list[str]:
    """The conforming emulator, some variations, and of the faults *each* about a requirement."""
    chance = random.Random(seed)
    by_requirement: dict[str, list[str]] = {}
    for name, fault in FAULTS.items():
        if not needs_socket(name):
            by_requirement.setdefault(fault.breaks[0], []).append(name)
    faults = [
        name
        for requirement in sorted(by_requirement)
        for name in chance.sample(by_requirement[requirement], min(each, len(by_requirement[requirement])))
    ]
    variations = [name for name in VARIATIONS if not needs_socket(name)]
    return [CONFORMING, *chance.sample(variations, 4 * each), *faults]


def write(path: Path, names: Sequence[str]) -> None:
    """Run the suite on *names*, and keep what each run recorded and what explained it."""
    direct.in_checkout()
    with path.open("wb") as file, direct.without_garbage_collection():
        for name in names:
            done = proof.run(name)
            explained = _explained(explain_run(done.counted, done.requirements, done.reported))
            pickle.dump((name, done.counted, done.reported, done.requirements, explained), file)


def differing(path: Path) -> Iterator[str]:
    """The names of the runs that are now explained by other requirements than when they were written."""
    with path.open("rb") as file:
        while file.peek(1):
            name, answers, reported, requirements, explained = pickle.load(file)  # noqa: S301 - written by this program
            if _explained(explain_run(answers, requirements, reported)) != explained:
                yield name


def _explained(explanation: Explanation) -> tuple[object, ...]:
    """What is broken, what else could be, and what could explain each anomaly."""
    anomalies = tuple(
        (each.candidates, each.follows_from, each.undecided, each.expected) for each in explanation.anomalies
    )
    return (explanation.broken, frozenset(explanation.ties), anomalies)
