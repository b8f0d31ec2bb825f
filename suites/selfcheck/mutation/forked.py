"""Runs the whole suite, reports and all, on scenarios: imports and warms up once, forks a process for each run.

``python -m suites.selfcheck.mutation.forked NAME…`` prints one JSON document a line.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import gc
import json
import os
import re
import shlex
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from suites.selfcheck.mutation.scenarios import CONFORMING, scenario

ROOT = Path(__file__).resolve().parents[3]
#: Seconds for one run. A conforming one takes about one.
_PATIENCE = 60
#: The exit code of a fork that raised.
_BROKEN = 70
#: Allure's results are made by another's code for another's eyes, and cost as much as the judging.
_LEAN = ("-q", "-p", "no:cacheprovider", "-p", "no:allure_pytest")


@dataclass(frozen=True)
class Made:
    """What a run came to."""

    name: str
    exit_code: int
    found: tuple[str, ...]
    output: str


def preload() -> None:
    """Run the suite once, so that each fork finds everything imported and every cache filled."""
    here, streams = Path.cwd(), (sys.stdout, sys.stderr)
    with tempfile.TemporaryDirectory(prefix="proof-") as folder, _quiet():
        os.chdir(folder)
        try:
            _run(CONFORMING, Path(folder), ())
        finally:
            os.chdir(here)
            sys.stdout, sys.stderr = streams
    gc.collect()
    gc.freeze()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Nothing that is written meanwhile is seen."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, copy in enumerate(kept, start=1):
            os.dup2(copy, number)
            os.close(copy)
        os.close(nowhere)


def run_all(
    tasks: Iterable[str], jobs: int = 2, options: Sequence[str] = (), keep: Path | None = None
) -> Iterator[Made]:
    """Run the suite for each of *tasks*, at most *jobs* at a time. What they write stays in *keep*, if given."""
    waiting = list(tasks)
    with contextlib.ExitStack() as stack:
        folder = keep or stack.enter_context(tempfile.TemporaryDirectory(prefix="proof-"))
        running: dict[int, tuple[str, Path]] = {}
        while waiting or running:
            while waiting and len(running) < jobs:
                task = waiting.pop(0)
                place = Path(folder) / re.sub(r"[^\w@-]", "_", task)
                place.mkdir(parents=True)
                running[fork(partial(_run, task, place, options), place)] = (task, place)
            process, status = os.wait()
            task, place = running.pop(process)
            yield _collect(task, place, os.waitstatus_to_exitcode(status))


def fork(work: Callable[[], int], place: Path, close: Iterable[BinaryIO] = ()) -> int:
    """Do *work* in a fork of this process, in the folder *place*; its process number. It ends with the code that *work* gives.

    What it prints is in ``output.txt`` there. It is killed where it takes longer than a minute. Files of *close* are not its own.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    process = os.fork()
    if process:
        return process
    code = _BROKEN
    try:
        for each in close:
            os.close(each.fileno())
        signal.alarm(_PATIENCE)
        output = os.open(place / "output.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.chdir(place)
        # As the command does it before all else.
        gc.disable()
        code = work()
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _run(task: str, place: Path, options: Sequence[str]) -> int:
    from suites.cli import main

    for variable in [each for each in os.environ if each.startswith(("PYTEST_", "DELIVERY_"))]:
        del os.environ[variable]
    with scenario(task, place) as target:
        return main([*target, "--report-dir", str(place / "report"), *_LEAN, *options])


def _collect(task: str, place: Path, code: int) -> Made:
    """What the run that wrote to *place* came to."""
    output, found = "", tuple[str, ...]()
    with contextlib.suppress(OSError):
        output = (place / "output.txt").read_text(encoding="utf-8", errors="replace")
    with contextlib.suppress(OSError, ValueError):
        report = json.loads((place / "report" / "conformance.json").read_text(encoding="utf-8"))
        broken = ("failed", "warning", "waived")
        found = tuple(each["id"] for each in report["requirements"] if each["result"] in broken)
    return Made(task, code, found, output)


def main(argv: list[str] | None = None) -> int:
    """Print one JSON document a line for each run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="+", help="what to run on: see scenarios.py")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep what the runs write below DIR")
    parser.add_argument("--options", default="", help="options for every run")
    arguments = parser.parse_args(argv)
    preload()
    for made in run_all(arguments.names, arguments.jobs, shlex.split(arguments.options), arguments.keep):
        print(json.dumps(dataclasses.asdict(made)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
