"""Which tests fail on which fault, and so which of them the suite could do without.

A requirement's result follows from the whole history, whichever test has sent a call; a test's own outcome from the answers that it
names. So a check whose verdict is lost still leaves the fault named, and is noticed here: it no longer fails on what it is recorded to fail on.
``catchers.json`` is written by ``python -m suites.selfcheck.mutation.proof --write``, and compared with every run of the proof.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Final

from fixtures.emulator.faults import FAULTS
from suites.selfcheck.mutation import direct
from suites.selfcheck.mutation.scenarios import provokes

RECORDING: Final = Path(__file__).with_name("catchers.json")
#: A fault on which more tests fail, of several functions, says of none of them that it is needed, and is not recorded.
FEW: Final = 6
#: The requirements that a test verifies and was seen to be broken, by its name; none where it fails for another's sake.
Failed = Mapping[str, tuple[str, ...]]


def failed(done: direct.Done) -> Failed:
    """The tests that failed in a run, with the broken requirements that they verify."""
    verified = {item.name: item.requirements for item in direct.items()}
    return {name: tuple(each for each in broken if each in verified[name]) for name, broken in done.failed.items()}


def to_record(fault: str, found: Failed) -> Failed:
    """What of *found* the recording has: where many tests fail, those alone that verify what is broken; nothing where it says nothing."""
    if fault not in FAULTS:
        return {}
    if provokes(fault):
        # Which of the other calls the limit hits is a matter of time.
        return {name: broken for name, broken in found.items() if FAULTS[fault].breaks[0] in broken}
    own = {name: broken for name, broken in found.items() if broken}
    return next((each for each in (found, own) if len(each.keys() - races()) <= FEW), {})


@cache
def races() -> frozenset[str]:
    """The tests with concurrent calls: whether they show a fault that others show too is a matter of chance."""
    return frozenset(item.name for item in direct.items() if item.race)


@cache
def recording() -> Mapping[str, Failed]:
    """The recording: the tests that fail on each fault."""
    data = json.loads(RECORDING.read_text(encoding="utf-8"))
    return {fault: {name: tuple(broken) for name, broken in found.items()} for fault, found in data.items()}


def write(found: Mapping[str, Failed]) -> None:
    """Write the recording, a line for each fault."""
    recorded = {fault: to_record(fault, found[fault]) for fault in FAULTS if fault in found}
    kept = {fault: tests for fault, tests in recorded.items() if tests}
    lines = [f"{json.dumps(fault)}: {json.dumps(dict(sorted(kept[fault].items())))}" for fault in kept]
    RECORDING.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def differs(fault: str, found: Failed) -> bool:
    """Whether other tests fail on *fault* than are recorded, if it is; of those with concurrent calls, whether any does."""
    recorded, now = recording().get(fault, {}), to_record(fault, found)
    if not recorded:
        return False
    if recorded.keys() <= races():
        return not now or not now.keys() <= races()
    steady = [{name: set(each) for name, each in tests.items() if name not in races()} for tests in (recorded, now)]
    return steady[0] != steady[1]


def function(name: str) -> str:
    """The test function of which *name* is a row."""
    return name.partition("[")[0]


def only_ones(found: Failed) -> list[frozenset[str]]:
    """Sets of tests that alone catch a fault: those that fail at all, and those that fail for what they verify."""
    own = frozenset(name for name, broken in found.items() if broken)
    return [each for each in (frozenset(found), own) if each]


def witnesses(names: Iterable[str]) -> dict[str, str]:
    """For each of *names*, rows or functions, a fault that nothing else catches."""
    wanted = set(names)
    found: dict[str, str] = {}
    for fault, tests in recording().items():
        for each in only_ones(tests):
            functions = {function(name) for name in each}
            alone = {*(each if len(each) == 1 else ()), *(functions if len(functions) == 1 else ())}
            for name in alone & wanted:
                found.setdefault(name, fault)
    return found
