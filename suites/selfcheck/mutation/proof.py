"""Runs the whole suite on every fault and variation of the emulator: imports and warms up once, forks a run for each.

``python -m suites.selfcheck.mutation.proof [NAME…]`` prints a line for each that is not as it should be; ``--write`` writes the
matrix, ``docs/faults.md``. ``--part 3/8`` takes the third of eight equal parts, ``--early`` runs on most of the faults
only the tests of the requirement that the fault is about, and the whole suite where these do not catch it, and
``--json`` prints one JSON document a line: what ``test_proof.py`` reads.
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
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reports.words import by_name
from suites.runner.budget import BOUNDS, PROVOKED
from suites.selfcheck.mutation.scenarios import CONFORMING, scenario

ROOT = Path(__file__).resolve().parents[3]
MATRIX = ROOT / "docs" / "faults.md"
#: Seconds for one run. A conforming one takes about one.
_PATIENCE = 60
#: With ``--early`` one fault in so many is run on whole all the same.
_WHOLE = 12
#: Allure's results are made by another's code for another's eyes, and cost as much as the judging.
_LEAN = ("-q", "-p", "no:cacheprovider", "-p", "no:allure_pytest", "-p", "suites.selfcheck.mutation.early")


@dataclass(frozen=True)
class Task:
    """A run that is to be made. With ``about`` only the tests of that requirement, and only until one of them fails."""

    name: str
    about: str | None = None


@dataclass(frozen=True)
class Proof:
    """What a run on one fault came to."""

    name: str
    exit_code: int
    verdict: str
    found: tuple[str, ...]
    messages: tuple[str, ...]
    requests: int
    first_failure: int | None
    seconds: float
    whole: bool
    output: str
    #: What was sent more often than ``--plan`` says at most.
    beyond: tuple[str, ...] = ()


def preload() -> None:
    """Run the suite once, so that each fork finds everything imported and every cache filled."""
    here, streams = Path.cwd(), (sys.stdout, sys.stderr)
    with tempfile.TemporaryDirectory(prefix="proof-") as folder, _quiet():
        os.chdir(folder)
        try:
            _run(Task(CONFORMING), Path(folder), ())
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
    tasks: Iterable[Task | str], jobs: int = 2, options: Sequence[str] = (), keep: Path | None = None
) -> Iterator[Proof]:
    """Run the suite for each of *tasks*, at most *jobs* at a time. What they write stays in *keep*, if given.

    Where the tests of one requirement do not catch what they are about, the whole suite has a go.
    """
    waiting = [Task(task) if isinstance(task, str) else task for task in tasks]
    with contextlib.ExitStack() as stack:
        folder = keep or stack.enter_context(tempfile.TemporaryDirectory(prefix="proof-"))
        running: dict[int, tuple[Task, Path, float]] = {}
        while waiting or running:
            while waiting and len(running) < jobs:
                task = waiting.pop(0)
                place = Path(folder) / re.sub(r"[^\w@-]", "_", task.name)
                place.mkdir(parents=True)
                running[_fork(task, place, options)] = (task, place, time.monotonic())
            process, status = os.wait()
            task, place, started = running.pop(process)
            proof = _collect(task, place, os.waitstatus_to_exitcode(status), time.monotonic() - started)
            if task.about is not None and judgement(proof) != "caught":
                waiting.append(Task(task.name))
                shutil.rmtree(place)
                continue
            yield proof


def _fork(task: Task, place: Path, options: Sequence[str]) -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    process = os.fork()
    if process:
        return process
    code = 70
    try:
        import signal

        signal.alarm(_PATIENCE)
        output = os.open(place / "output.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.chdir(place)
        code = _run(task, place, options)
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        import traceback

        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _run(task: Task, place: Path, options: Sequence[str]) -> int:
    from suites.cli import main
    from suites.selfcheck.mutation import early

    for variable in [each for each in os.environ if each.startswith(("PYTEST_", "DELIVERY_"))]:
        del os.environ[variable]
    early.WANTED = {task.about} if task.about else set()
    only = ["--requirement", task.about] if task.about else []
    with scenario(task.name, place) as target:
        return main([*target, "--report-dir", str(place / "report"), *only, *_LEAN, *options])


def _collect(task: Task, place: Path, code: int, seconds: float) -> Proof:
    output = ""
    with contextlib.suppress(OSError):
        output = (place / "output.txt").read_text(encoding="utf-8", errors="replace")
    return proof_of(task.name, place / "report", code, seconds, output, whole=task.about is None)


def proof_of(name: str, report_directory: Path, code: int, seconds: float, output: str, *, whole: bool) -> Proof:
    """What the run that wrote to *report_directory* came to."""
    try:
        report: dict[str, Any] = json.loads((report_directory / "conformance.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return Proof(name, code, "none", (), (), 0, None, seconds, whole, output)
    broken = [each for each in report["requirements"] if each["result"] in ("failed", "warning", "waived")]
    return Proof(
        name,
        code,
        report["verdict"],
        tuple(each["id"] for each in broken),
        tuple(f"{each['id']}: {_message(each)}" for each in broken),
        report["requests"],
        report.get("requests_to_first_failure"),
        seconds,
        whole,
        output,
        tuple(_beyond(report)),
    )


def _beyond(report: dict[str, Any]) -> Iterator[str]:
    """The groups that have sent more than the ledger allows, and the accounts that have created more in one."""
    for group, sent in report["requests_by_group"].items():
        most = (PROVOKED if group == "rate_limit" else BOUNDS[group]).requests.most
        if sent > most:
            yield f"{group}: {sent} requests, at most {most}"
    for group, by_account in report["creates_by_group"].items():
        for account, number in by_name(by_account).items():
            allowed = BOUNDS[group].creates.get(account)
            if allowed is None or number > allowed.most:
                yield f"{group}: {number} creates as {account}"


def _message(requirement: dict[str, Any]) -> str:
    violations = requirement["violations"]
    return str(violations[0]["message"] if violations else requirement["reason"])


def every_task(*, early: bool) -> list[Task]:
    """A task for the conforming emulator, each fault and each variation.

    With *early* the whole suite runs on every twelfth fault and on the first of each requirement; on the others only what
    verifies the requirement that the fault is about.
    """
    from fixtures.emulator.faults import FAULTS
    from fixtures.emulator.variations import VARIATIONS

    seen: set[str] = set()
    faults = []
    for index, fault in enumerate(FAULTS.values()):
        whole = not early or index % _WHOLE == 0 or fault.breaks[0] not in seen
        seen.add(fault.breaks[0])
        faults.append(Task(fault.name, None if whole else fault.breaks[0]))
    return [Task(CONFORMING), *faults, *map(Task, VARIATIONS)]


def judgement(proof: Proof) -> str:
    """What *proof* shows.

    Of a fault: ``caught`` by a requirement that it names, ``other`` where only another one failed, else ``missed``. Of a
    variation: ``fine`` or ``accused``.
    """
    from fixtures.emulator.faults import FAULTS

    if proof.name not in FAULTS:
        return "fine" if proof.verdict == "conformant" and proof.exit_code == 0 and not proof.found else "accused"
    if any(name in proof.found for name in FAULTS[proof.name].breaks):
        return "caught"
    return "other" if proof.found else "missed"


def describe(proof: Proof) -> str:
    """Some lines about *proof*, for whoever has to find out why it is not as it should be."""
    from fixtures.emulator.faults import FAULTS

    breaks = FAULTS[proof.name].breaks if proof.name in FAULTS else ()
    lines = [
        f"{judgement(proof):8} {proof.name}  {proof.verdict} exit {proof.exit_code}"
        f" {proof.requests} requests {proof.seconds:.1f} s",
        f"breaks {', '.join(breaks) or 'nothing'}; found {', '.join(proof.found) or 'nothing'}",
        *(message[:200] for message in proof.messages[:4]),
        *(f"beyond the plan: {each}" for each in proof.beyond),
    ]
    if proof.verdict == "none":
        lines += proof.output[-600:].splitlines()
    return "\n         ".join(lines)


# ---------------------------------------------------------------------- the matrix


def matrix(proofs: Iterable[Proof]) -> str:
    """The faults and what each run on one failed, as Markdown. It says nothing that differs from run to run."""
    from fixtures.emulator.faults import FAULTS
    from fixtures.emulator.variations import VARIATIONS

    known = {proof.name: proof for proof in proofs}
    caught = sum(judgement(known[name]) == "caught" for name in FAULTS)
    fine = sum(judgement(known[name]) == "fine" for name in VARIATIONS)
    lines = [
        "# Faults and what catches them",
        "",
        "Made by `python -m suites.selfcheck.mutation.proof --write`; do not edit. The whole suite ran on the emulator with",
        "each of these faults in turn. *Breaks* are the requirements that the fault breaks, *failed* those that came out",
        "failed (or, where they are a SHOULD, as a warning), in bold where the fault names them. *Requests* is how many",
        "had been sent when the first violation was seen.",
        "",
        f"{caught} of {len(FAULTS)} faults were caught by a requirement that they break; of {len(VARIATIONS)} conforming",
        f"variations {len(VARIATIONS) - fine} were accused.",
        "",
        "| fault | what is wrong | breaks | failed | requests |",
        "|---|---|---|---|---:|",
    ]
    for fault in FAULTS.values():
        proof = known[fault.name]
        failed = ", ".join(f"**{name}**" if name in fault.breaks else name for name in proof.found) or "nothing"
        first = "" if proof.first_failure is None else str(proof.first_failure)
        lines.append(f"| {fault.name} | {cell(fault.summary)} | {', '.join(fault.breaks)} | {failed} | {first} |")
    lines += ["", "## Conforming variations", "", "| variation | what it does | result |", "|---|---|---|"]
    for variation in VARIATIONS.values():
        proof = known[variation.name]
        result = proof.verdict + (f", accused of {', '.join(proof.found)}" if proof.found else "")
        lines.append(f"| {variation.name} | {cell(variation.summary)} | {result} |")
    return "\n".join(lines) + "\n"


def cell(text: str) -> str:
    """*text* as a cell of a Markdown table."""
    return text.replace("|", "\\|").replace("<", "&lt;")


def main(argv: list[str] | None = None) -> int:
    """Print what is not as it should be; exit with 1 where there is any."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="faults and variations; none means every one")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--all", action="store_true", help="print those that are as they should be too")
    parser.add_argument("--write", action="store_true", help="write the matrix (needs every fault, run to its end)")
    parser.add_argument("--early", action="store_true", help="on most faults only the tests of what it is about")
    parser.add_argument("--part", default="1/1", metavar="N/M", help="only the Nth of M equal parts")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep what the runs write below DIR")
    parser.add_argument("--options", default="", help="options for every run")
    parser.add_argument("--json", action="store_true", help="print one JSON document a line and nothing else")
    arguments = parser.parse_args(argv)
    if arguments.write and (arguments.names or arguments.early or arguments.part != "1/1"):
        parser.error("--write needs every fault, run to its end")
    number, _, parts = arguments.part.partition("/")
    tasks = [Task(name) for name in arguments.names] or every_task(early=arguments.early)
    preload()
    counts: dict[str, int] = {}
    proofs = []
    started = time.monotonic()
    for proof in run_all(
        tasks[int(number) - 1 :: int(parts)], arguments.jobs, shlex.split(arguments.options), arguments.keep
    ):
        proofs.append(proof)
        word = judgement(proof)
        counts[word] = counts.get(word, 0) + 1
        if arguments.json:
            print(json.dumps(dataclasses.asdict(proof)), flush=True)
        elif arguments.all or proof.beyond or word not in ("caught", "fine"):
            print(describe(proof), flush=True)
    if arguments.write:
        MATRIX.parent.mkdir(exist_ok=True)
        MATRIX.write_text(matrix(proofs), encoding="utf-8")
    if not arguments.json:
        print(f"{counts} in {time.monotonic() - started:.0f} s")
    return 0 if counts.keys() <= {"caught", "fine"} else 1


if __name__ == "__main__":
    sys.exit(main())
