"""The exact proof: every check on every fault and variation of the emulator, in this process.

``python -m suites.selfcheck.mutation.proof [NAME…]`` prints a line for each that is not as it should be. ``--write`` writes
``docs/faults.md`` and ``catchers.json``, ``--part 3/8`` takes the third of eight equal parts, ``--json`` prints one JSON document a line.
"""

from __future__ import annotations

import argparse
import dataclasses
import gc
import json
import sys
import time
import zlib
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from contracts.requirements import catalogue
from fixtures.emulator.compose import build
from fixtures.emulator.faults import FAULTS
from fixtures.emulator.threaded import ThreadedServer
from fixtures.emulator.variations import VARIATIONS
from suites.selfcheck.mutation import catchers, direct, replayed
from suites.selfcheck.mutation.in_process import ORIGIN, in_process
from suites.selfcheck.mutation.scenarios import CONFORMING, needs_socket, provokes

ROOT = Path(__file__).resolve().parents[3]
MATRIX = ROOT / "docs" / "faults.md"
#: Requests of a run at profile standard, repeats after a 429 or on a reopened connection not counted: on a conforming target, and on any.
MOST_CONFORMING, MOST = 296, 360
#: Seconds for an answer that does not come.
_SHORT = 2.0
#: One of so many is recorded and judged anew, which takes longer than the run itself.
_REPLAYED = 8


@dataclass(frozen=True)
class Proof:
    """What a run on one fault or variation came to. ``failed`` has the tests that failed, each with what of its own is broken."""

    name: str
    found: tuple[str, ...]
    failed: catchers.Failed
    requests: int
    why: tuple[str, ...] = ()
    lost: str | None = None
    #: What is different when the run is recorded and judged anew.
    anew: tuple[str, ...] = ()

    @property
    def word(self) -> str:
        """``caught`` or ``fine`` where it is as it should be; ``missed``, ``accuses``, ``replay differs`` or
        ``too many requests`` where not.

        A fault is caught where the requirement that it is about failed, and nothing else but what it also breaks.
        """
        fault = FAULTS.get(self.name)
        if self.requests > (MOST if fault else MOST_CONFORMING):
            return "too many requests"
        if self.anew:
            return "replay differs"
        if fault is None:
            return "accuses" if self.found or self.failed or self.lost else "fine"
        if fault.breaks[0] not in self.found:
            return "missed"
        return "caught" if set(self.found) <= set(fault.breaks) else "accuses"

    @property
    def as_it_should(self) -> bool:
        """Whether it is caught, or fine."""
        return self.word in ("caught", "fine")


def names() -> list[str]:
    """The conforming emulator, every fault, every variation."""
    return [CONFORMING, *FAULTS, *VARIATIONS]


def run(name: str, chosen: Sequence[direct.Item] | None = None) -> direct.Done:
    """Run the suite, or *chosen* tests of it, on the emulator with the fault or variation *name*."""
    faults = [] if name == CONFORMING else [name]
    provoke = provokes(name)
    with ExitStack() as stack:
        if needs_socket(name):
            server = stack.enter_context(ThreadedServer(faults))
            timeout = _SHORT if name.endswith("-hangs") else direct.TIMEOUT
            return direct.run(server.base_url, server.states_url, chosen, provoke_rate_limit=provoke, timeout=timeout)
        stack.enter_context(in_process(build(faults)))
        return direct.run(f"{ORIGIN}/v2", f"{ORIGIN}/_states", chosen, provoke_rate_limit=provoke)


def prove(name: str) -> Proof:
    """Run the suite on *name*; what it came to."""
    done = run(name)
    explanation = done.explanation
    why = tuple(
        f"{requirement}: {anomaly.because}: {anomaly.got}"[:200]
        for requirement in done.broken
        for anomaly in explanation.of(requirement)[:1]
    )
    lost = done.lost or done.error
    anew = replayed.difference(done) if is_replayed(name) else ()
    return Proof(name, done.broken, catchers.failed(done), len(done.answers), why, lost, anew)


def is_replayed(name: str) -> bool:
    """Whether a run on *name* is one of those that are judged anew: by its name, so that it stays one of them."""
    return zlib.crc32(name.encode()) % _REPLAYED == 0 and not needs_socket(name)


def prove_all(chosen: Iterable[str]) -> Iterable[Proof]:
    """A proof for each of *chosen*."""
    direct.in_checkout()
    direct.items()
    with direct.without_garbage_collection():
        for number, name in enumerate(chosen):
            if number % 25 == 0:
                gc.collect()
            yield prove(name)


def describe(proof: Proof) -> str:
    """Some lines about *proof*, for whoever has to find out why it is not as it should be."""
    breaks = FAULTS[proof.name].breaks if proof.name in FAULTS else ()
    lines = [
        f"{proof.word:8} {proof.name}  {proof.requests} requests" + (f"; {proof.lost}" if proof.lost else ""),
        f"about {breaks[0] if breaks else 'nothing'}; also breaks {', '.join(breaks[1:]) or 'nothing'}",
        f"found {', '.join(proof.found) or 'nothing'}"
        + (f"; failed tests {', '.join(sorted(proof.failed)[:4])}" if proof.failed else "")
        + (f"; judged anew otherwise: {', '.join(proof.anew)}" if proof.anew else ""),
        *proof.why[:4],
    ]
    return "\n         ".join(lines)


# ---------------------------------------------------------------------- the matrix


def matrix(proofs: Iterable[Proof]) -> str:
    """The faults and what each run on one failed, as Markdown. It says nothing that differs from run to run."""
    known = {proof.name: proof for proof in proofs}
    caught = sum(known[name].as_it_should for name in FAULTS)
    fine = sum(known[name].as_it_should for name in VARIATIONS)
    lines = [
        "# Faults and what catches them",
        "",
        "Made by `python -m suites.selfcheck.mutation.proof --write`; do not edit. Every check ran on the emulator with each of",
        "these faults in turn. *About* is the requirement that the fault breaks, *also* are others whose sentence it breaks as",
        "well, at least in some situation; *failed* is what the run failed (or, where it is a SHOULD, warned of). `make test`",
        "runs it anew and fails where *about* is not among *failed*, or where *failed* has anything outside of both.",
        "",
        f"{caught} of {len(FAULTS)} faults are caught so; of {len(VARIATIONS)} conforming variations {len(VARIATIONS) - fine} are accused.",
        "",
        "| fault | what is wrong | about | also | failed |",
        "|---|---|---|---|---|",
    ]
    for fault in FAULTS.values():
        about, *also = dict.fromkeys(fault.breaks)
        failed = ", ".join(known[fault.name].found) or "nothing"
        lines.append(f"| {fault.name} | {cell(fault.summary)} | {about} | {', '.join(also)} | {failed} |")
    lines += ["", "## Conforming variations", "", "| variation | what it does | failed |", "|---|---|---|"]
    for variation in VARIATIONS.values():
        failed = ", ".join(known[variation.name].found) or "nothing"
        lines.append(f"| {variation.name} | {cell(variation.summary)} | {failed} |")
    return "\n".join(lines) + "\n"


def cell(text: str) -> str:
    """*text* as a cell of a Markdown table."""
    return text.replace("|", "\\|").replace("<", "&lt;")


def rows(text: str) -> dict[str, tuple[str, ...]]:
    """What failed, by fault or variation, in the table of ``docs/faults.md``."""
    found = {}
    for line in text.splitlines():
        cells = [each.strip() for each in line.strip("| ").split(" | ")]
        if len(cells) >= 3 and (cells[0] in FAULTS or cells[0] in VARIATIONS):
            found[cells[0]] = tuple(name for name in catalogue() if name in cells[-1].split(", "))
    return found


def main(argv: list[str] | None = None) -> int:
    """Print what is not as it should be; exit with 1 where there is any."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="faults and variations; none means every one")
    parser.add_argument("--all", action="store_true", help="print those that are as they should be too")
    parser.add_argument("--write", action="store_true", help="write the matrix and the recording (needs every fault)")
    parser.add_argument("--part", default="1/1", metavar="N/M", help="only the Nth of M equal parts")
    parser.add_argument("--json", action="store_true", help="print one JSON document a line and nothing else")
    arguments = parser.parse_args(argv)
    if arguments.write and (arguments.names or arguments.part != "1/1"):
        parser.error("--write needs every fault")
    number, _, parts = arguments.part.partition("/")
    started = time.monotonic()
    proofs = []
    for proof in prove_all((arguments.names or names())[int(number) - 1 :: int(parts)]):
        proofs.append(proof)
        if arguments.json:
            print(json.dumps(dataclasses.asdict(proof)), flush=True)
        elif arguments.all or not proof.as_it_should:
            print(describe(proof), flush=True)
    if arguments.write:
        MATRIX.write_text(matrix(proofs), encoding="utf-8")
        catchers.write({proof.name: proof.failed for proof in proofs})
    wrong = sum(not proof.as_it_should for proof in proofs)
    if not arguments.json:
        print(f"{len(proofs)} runs, {wrong} not as they should be, {time.monotonic() - started:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
