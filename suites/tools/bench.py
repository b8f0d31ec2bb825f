"""``make bench``: what a run costs, and what it catches beside Schemathesis's own command line. Prints Markdown.

For the checkout only. It is also the pytest plugin (``-p suites.tools.bench``) that takes the time inside of a run: it notes
when the first request went out and, when the tests are done, sends the same requests again by a bare ``requests.Session``.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
CONTRACT: Final = ROOT / "contracts" / "openapi.bundled.json"
#: Where the plugin writes, and so whether it does anything.
VARIABLE: Final = "CONFORMANCE_BENCH"
#: Seconds for one command. A conforming target takes a few.
_PATIENCE: Final = 120.0
_CHUNK: Final = 10
#: Where the name of a fault says that it is another one in one place.
_PLACE: Final = re.compile(r"-(?:by|in|for|of|to)-")

#: Schemathesis as test_schemathesis_cli.py has it: all of its checks but the one that contradicts the documents.
_COMMON: Final = '[generation]\ndeterministic = true\ndatabase = "none"\n'
WITH_CREDENTIAL: Final = (
    _COMMON + '[headers]\nAuthorization = "NVX ${OWNER_HASH}"\n[checks]\nnegative_data_rejection.enabled = false\n'
)
WITHOUT_CREDENTIAL: Final = _COMMON + "[checks]\npositive_data_acceptance.enabled = false\n"


# ---------------------------------------------------------------------- inside of a run


class _Probe:
    """Records when each request goes out, and the request."""

    def __init__(self) -> None:
        self.first: float | None = None
        self.sent: list[tuple[str, str, dict[str, str], Any]] = []

    def install(self) -> None:
        """Wrap the one place that every request of the suite passes."""
        from fixtures.http.session import Session

        plain = Session._attempt

        def attempt(session: Session, prepared: Any, *rest: Any) -> Any:
            if self.first is None:
                self.first = time.time()
            headers = {name: _text(value) for name, value in prepared.headers.items()}
            self.sent.append((prepared.method, prepared.url, headers, prepared.body))
            return plain(session, prepared, *rest)

        Session._attempt = attempt  # type: ignore[assignment,method-assign]

    def replay(self) -> tuple[float, int]:
        """Send the same requests, one after the other; the seconds it took, and how many got no answer."""
        import requests

        lost = 0
        session = requests.Session()
        started = time.perf_counter()
        for method, url, headers, body in self.sent:
            try:
                session.request(method, url, headers=headers, data=body, timeout=10, allow_redirects=False)
            except (requests.RequestException, ValueError):
                lost += 1
        return time.perf_counter() - started, lost


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Take the time from the first request to the end of the last test, then send the same requests again."""
    place = os.environ.get(VARIABLE)
    if place is None:
        return (yield)
    probe = _Probe()
    probe.install()
    result = yield
    ended = time.time()
    bare, lost = probe.replay()
    found = {
        "first": probe.first,
        "run": ended - (probe.first or ended),
        "requests": len(probe.sent),
        "bare": bare,
        "lost": lost,
    }
    Path(place).write_text(json.dumps(found), encoding="utf-8")
    return result


# ---------------------------------------------------------------------- commands from outside


@dataclass(frozen=True)
class Ended:
    """A command that has ended. ``cpu`` in seconds, of it and of what it started; ``memory`` in bytes, of its largest process."""

    code: int
    started: float
    wall: float
    cpu: float
    memory: int
    output: str


def timed(command: Sequence[str], *, cwd: Path, env: Mapping[str, str] | None = None) -> Ended:
    """Run *command* to its end, at most for the patience there is."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "DELIVERY_"))}
    with tempfile.TemporaryFile() as output:
        started = time.time()
        clock = time.perf_counter()
        process = subprocess.Popen(
            list(command),
            cwd=cwd,
            # What is compiled is kept, whatever this environment says: a user's is.
            env={**kept, "NO_COLOR": "1", "PYTHONDONTWRITEBYTECODE": "", **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        watchdog = threading.Timer(_PATIENCE, process.kill)
        watchdog.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        finally:
            watchdog.cancel()
        wall = time.perf_counter() - clock
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        said = output.read().decode("utf-8", "replace")
    unit = 1 if sys.platform == "darwin" else 1024
    return Ended(process.returncode, started, wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit, said)


def first_and_warm(run: Callable[[Mapping[str, str]], Ended], times: int) -> tuple[Ended, list[Ended]]:
    """*run* once where no Python file is compiled yet, and then *times* times where all are."""
    with tempfile.TemporaryDirectory(prefix="bench-bytecode-") as cache:
        bytecode = {"PYTHONPYCACHEPREFIX": cache}
        return run(bytecode), [run(bytecode) for _ in range(times)]


def _expect(ended: Ended, what: str) -> Ended:
    if ended.code:
        sys.exit(f"bench: {what} ended with exit code {ended.code}:\n{ended.output[-2000:]}")
    return ended


# ---------------------------------------------------------------------- the suite


@dataclass(frozen=True)
class Cost:
    """What one tool costs on a conforming target. Seconds and bytes; the warm figures are medians."""

    requests: int
    first: float
    warm: float
    cpu: float
    memory: int


@dataclass(frozen=True)
class Inside:
    """What the plugin saw, medians: seconds until the first request, and per request in the run and bare.

    ``ratio`` is how many times as long a request took in a run as the same one did right after it: a machine is not as fast in
    one minute as in another.
    """

    until_first: float
    in_run: float
    bare: float
    ratio: float


def cost_of_the_suite(work: Path, times: int) -> tuple[Cost, Inside]:
    """The whole command on the embedded emulator."""
    # A folder for each run: ext4 is slow to make a file right after it has deleted many, as a run does that empties the last one.
    folders = (work / f"report-{number}" for number in itertools.count())

    def command() -> list[str]:
        return [sys.executable, "-m", "suites.cli", "--report-dir", str(next(folders)), "-q"]

    def run(env: Mapping[str, str]) -> Ended:
        return _expect(timed(command(), cwd=ROOT, env=env), "the suite")

    first, warm = first_and_warm(run, times)
    document = json.loads((work / "report-0" / "conformance.json").read_text(encoding="utf-8"))
    seen: list[tuple[float, dict[str, Any]]] = []
    for _ in range(times):
        place = work / "probe.json"
        ended = timed([*command(), "-p", "suites.tools.bench"], cwd=ROOT, env={VARIABLE: str(place)})
        found = json.loads(place.read_text(encoding="utf-8"))
        seen.append((_expect(ended, "the suite with its clock").started, found))
    return (
        _cost(document["requests"], first, warm),
        Inside(
            statistics.median(found["first"] - started for started, found in seen),
            statistics.median(found["run"] / found["requests"] for _, found in seen),
            statistics.median(found["bare"] / found["requests"] for _, found in seen),
            statistics.median(found["run"] / found["bare"] for _, found in seen),
        ),
    )


def _cost(requests: int, first: Ended, warm: Sequence[Ended]) -> Cost:
    return Cost(
        requests,
        first.wall,
        statistics.median(each.wall for each in warm),
        statistics.median(each.cpu for each in warm),
        max(each.memory for each in (first, *warm)),
    )


# ---------------------------------------------------------------------- Schemathesis


def schemathesis_program() -> str | None:
    """The command ``st`` of this environment, if it is there."""
    return shutil.which("st", path=str(Path(sys.executable).parent))


class Served:
    """``with Served([name]) as served:`` an emulator in a thread that counts its requests, and a fresh owner."""

    def __init__(self, names: Sequence[str]) -> None:
        from fixtures.emulator.compose import build
        from fixtures.emulator.core import STATES_PATH
        from fixtures.emulator.threaded import ThreadedServer

        self.requests = 0
        emulator = build(names)
        plain = emulator.read_request

        async def read_request(scope: Any, receive: Any) -> Any:
            request = await plain(scope, receive)
            self.requests += request.path != STATES_PATH
            return request

        emulator.read_request = read_request  # type: ignore[method-assign]
        self.server = ThreadedServer(emulator=emulator)

    def __enter__(self) -> Served:
        self.server.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stop()

    def owner(self) -> str:
        """The hash of a fresh owner."""
        import requests

        wanted = {"state": "owner", "action": "setup", "params": {}}
        found: str = requests.post(self.server.states_url, json=wanted, timeout=10).json()["hash"]
        return found


def schemathesis(
    program: str, names: Sequence[str], config: str, work: Path, env: Mapping[str, str] | None = None
) -> tuple[Ended, int]:
    """``st run`` on an emulator with the faults *names*, and how many requests it sent."""
    with tempfile.TemporaryDirectory(dir=work) as folder, Served(names) as served:
        place = Path(folder)
        (place / "schemathesis.toml").write_text(config, encoding="utf-8")
        command = [program, "--config-file", "schemathesis.toml", "run", str(CONTRACT), "--url", served.server.base_url]
        command += ["--continue-on-failure", "--request-timeout", "5"]
        ended = timed(command, cwd=place, env={"OWNER_HASH": served.owner(), **(env or {})})
        return ended, served.requests


def cost_of_schemathesis(program: str, config: str, work: Path, times: int) -> Cost:
    """``st run`` on the conforming emulator."""
    counts: list[int] = []

    def run(env: Mapping[str, str]) -> Ended:
        ended, requests = schemathesis(program, [], config, work, env)
        counts.append(requests)
        return _expect(ended, "st run")

    first, warm = first_and_warm(run, times)
    return _cost(counts[-1], first, warm)


# ---------------------------------------------------------------------- what they catch


def sample(names: Sequence[str], count: int) -> list[str]:
    """*count* of *names*, evenly spread over their order, which is that of what the faults are about."""
    if count >= len(names):
        return list(names)
    return [names[index * len(names) // count] for index in range(count)]


def of_their_own_kind(names: Sequence[str]) -> list[str]:
    """Those of *names*, of faults, that are not another one in one place alone: ``subuser-creates`` and not ``subuser-creates-by-form``."""
    known = set(names)

    def elsewhere(name: str) -> bool:
        return any(name[: found.start()] in known for found in _PLACE.finditer(name))

    return [name for name in names if not elsewhere(name)]


@dataclass
class Catch:
    """Of how many broken targets each found something wrong, and of how many conforming ones."""

    faults: int = 0
    variations: int = 0
    ours: int = 0
    accused: int = 0
    theirs: int = 0
    theirs_accused: int = 0
    both_runs: int = 0
    both_runs_accused: int = 0
    missed: list[str] | None = None

    def take(self, name: str, *, broken: bool, ours: bool, theirs: tuple[bool, bool] | None) -> None:
        """Count one target."""
        first, either = (theirs[0], any(theirs)) if theirs is not None else (False, False)
        if broken:
            self.faults += 1
            self.ours += ours
            self.theirs += first
            self.both_runs += either
            if not ours:
                self.missed = [*(self.missed or []), name]
        else:
            self.variations += 1
            self.accused += ours
            self.theirs_accused += first
            self.both_runs_accused += either


def compare(
    faults: Sequence[str], variations: Sequence[str], program: str | None, work: Path, *, jobs: int, limit: float
) -> Catch:
    """Both tools on each of *faults* and *variations*, in small batches until *limit* seconds are over."""
    from suites.selfcheck.mutation import forked

    forked.preload()
    catch = Catch()
    deadline = time.monotonic() + limit
    for batch in _batches(_mixed(faults, variations), _CHUNK):
        if time.monotonic() > deadline:
            break
        names = [name for name, _ in batch]
        # A warning is a finding, too: the report names the requirement.
        ours = {each.name: bool(each.found) or each.exit_code != 0 for each in forked.run_all(names, jobs)}
        theirs: dict[str, tuple[bool, bool]] = {}
        if program is not None:
            st = program

            def judge(name: str, st: str = st) -> tuple[bool, bool]:
                # One that had to be killed, whose code is negative, has found nothing.
                first = schemathesis(st, [name], WITH_CREDENTIAL, work)[0].code > 0
                # What the first run finds, both find.
                return first, first or schemathesis(st, [name], WITHOUT_CREDENTIAL, work)[0].code > 0

            with ThreadPoolExecutor(jobs) as pool:
                theirs = dict(zip(names, pool.map(judge, names), strict=True))
        for name, broken in batch:
            catch.take(name, broken=broken, ours=ours[name], theirs=theirs.get(name))
        _say(f"{catch.faults + catch.variations} of {len(faults) + len(variations)} targets")
    return catch


def _mixed(faults: Sequence[str], variations: Sequence[str]) -> list[tuple[str, bool]]:
    """The variations spread among the faults, so that a comparison that is cut short has both."""
    marked = [(index / len(faults), name, True) for index, name in enumerate(faults)]
    marked += [(index / len(variations), name, False) for index, name in enumerate(variations)]
    return [(name, broken) for _, name, broken in sorted(marked)]


def _batches(rows: Sequence[tuple[str, bool]], size: int) -> Iterator[Sequence[tuple[str, bool]]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


# ---------------------------------------------------------------------- the table


def table(
    ours: Cost, inside: Inside, theirs: Cost | None, without: Cost | None, catch: Catch | None, when: datetime
) -> str:
    """All of it as Markdown."""
    columns: list[Cost | None] = [ours]
    heads = ["", "this suite"]
    if theirs is not None:
        columns += [theirs, without]
        heads += ["Schemathesis, good credential", "its second run, no credential"]
    lines = [
        f"Measured on {when:%Y-%m-%d}: {os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, Schemathesis {version('schemathesis')}, the emulator on the same machine.",
        "",
        "| " + " | ".join(heads) + " |",
        "|---" * len(heads) + "|",
    ]

    def add(name: str, *cells: str) -> None:
        lines.append("| " + " | ".join([name, *cells, *[""] * (len(heads) - 1 - len(cells))]) + " |")

    def costs(name: str, show: Callable[[Cost], str]) -> None:
        add(name, *(show(each) for each in columns if each is not None))

    costs("requests", lambda each: str(each.requests))
    costs("whole command, first run", lambda each: f"{each.first:.1f} s")
    costs("whole command, warm", lambda each: f"{each.warm:.1f} s")
    costs("processor time, warm", lambda each: f"{each.cpu:.1f} s")
    costs("peak memory", lambda each: f"{each.memory / 2**20:.0f} MiB")
    add("until the first request", f"{inside.until_first:.1f} s")
    add("per request in the run", f"{inside.in_run * 1000:.1f} ms")
    add(
        "per request, the same ones by a bare `requests.Session`",
        f"{inside.bare * 1000:.1f} ms (1 : {inside.ratio:.1f})",
    )
    if catch is not None:
        found, accused = [f"{catch.ours}"], [f"{catch.accused}"]
        if theirs is not None:
            found += [f"{catch.theirs}", f"{catch.both_runs} by the two together"]
            accused += [f"{catch.theirs_accused}", f"{catch.both_runs_accused} by the two together"]
        add(f"of {catch.faults} broken targets, found", *found)
        add(f"of {catch.variations} conforming targets, accused", *accused)
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, and print the table; what it is busy with goes to the standard error."""
    parser = argparse.ArgumentParser(
        prog="python -m suites.tools.bench", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument(
        "--faults",
        type=int,
        metavar="N",
        help="compare on N faults, evenly spread (0: none); else on all that are of a kind of their own",
    )
    parser.add_argument("--variations", type=int, default=20, metavar="N", help="how many conforming variations")
    parser.add_argument("--times", type=int, default=3, metavar="N", help="warm runs, of which the median is taken")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="targets compared at a time")
    parser.add_argument(
        "--limit", type=float, default=7200, metavar="SECONDS", help="when to stop comparing on further faults"
    )
    parser.add_argument("--no-schemathesis", action="store_true", help="this suite alone")
    arguments = parser.parse_args(argv)

    program = None if arguments.no_schemathesis else schemathesis_program()
    if program is None and not arguments.no_schemathesis:
        _say("Schemathesis's command st is not installed: this suite alone")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        work = Path(folder)
        # Costs first: the rest makes this process large, and a process that is started from a large one looks so too.
        _say("the suite on the embedded emulator")
        ours, inside = cost_of_the_suite(work, arguments.times)
        theirs = without = None
        if program is not None:
            _say("Schemathesis on the conforming emulator")
            theirs = cost_of_schemathesis(program, WITH_CREDENTIAL, work, arguments.times)
            without = cost_of_schemathesis(program, WITHOUT_CREDENTIAL, work, arguments.times)
        catch = None
        if arguments.faults != 0:
            from fixtures.emulator.faults import FAULTS
            from fixtures.emulator.variations import VARIATIONS

            own = of_their_own_kind(list(FAULTS))
            faults = own if arguments.faults is None else sample(own, arguments.faults)
            variations = sample(list(VARIATIONS), arguments.variations)
            _say(f"both on {len(faults)} faults and {len(variations)} conforming variations")
            catch = compare(faults, variations, program, work, jobs=arguments.jobs, limit=arguments.limit)
    print(table(ours, inside, theirs, without, catch, datetime.now(UTC)))
    if catch is not None and catch.missed:
        _say(f"not found by this suite: {', '.join(catch.missed)}")
    return 0


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
