"""The whole command on servers in this process, again and again: everything is imported once, and each run is a fork.

A process of its own, for what asks it may be in the middle of a Hypothesis test, which must not be forked with it. It
reads pickled tasks from standard input and writes what each came to: ``with Runner() as runner: runner.run(task)``.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from suites.selfcheck.system.runs import ROOT
from suites.selfcheck.system.watched import target_file

#: Seconds after which a run that should have ended by itself is killed.
_PATIENCE = 60
_OPTIONS = ("-p", "no:cacheprovider", "--hypothesis-profile", "smoke")


@dataclass(frozen=True)
class Task:
    """A run. *serve* makes, in the process of the run, a server with ``base_url``, and says what no output may show.

    It is the name of a function of a module and what it is given. ``timeout`` is that of the target file, in seconds.
    """

    serve: tuple[str, str, tuple[Any, ...]]
    options: tuple[str, ...] = ()
    timeout: float = 0.5
    record: bool = False
    allure: bool = False


@dataclass(frozen=True)
class Came:
    """What a run came to; ``busy`` are seconds of the processor. ``wrong`` lists what must not be, whatever the target."""

    code: int
    output: str
    seconds: float
    busy: float
    megabytes: float
    verdict: str | None
    summary: str
    wrong: tuple[str, ...]
    reasons: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def results(self, word: str) -> dict[str, str]:
        """The requirements with this result, each with its reason."""
        return {name: reason for name, (result, reason) in self.reasons.items() if result == word}


@dataclass
class Serving:
    """A server under way, for a run: its address, its hook, the accounts to name, the secrets; called when it has ended."""

    base_url: str
    secrets: Callable[[], set[str]]
    states: str | None = None
    credentials: Mapping[str, str] = field(default_factory=dict)
    http: str = ""
    after: Callable[[], None] = lambda: None


class Runner:
    """Asks the process that forks."""

    def __enter__(self) -> Self:
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "DELIVERY_"))}
        self._process = subprocess.Popen(
            [sys.executable, "-c", f"import sys; sys.path[0] = {str(ROOT)!r}\nfrom {__name__} import main; main()"],
            cwd=ROOT,
            env={**environ, "COLUMNS": "100"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(_PATIENCE)
        self._process.stdout.close()

    def run(self, task: Task) -> Came:
        """What the run of *task* came to."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        _put(self._process.stdin, task)
        came = _take(self._process.stdout)
        assert isinstance(came, Came)
        return came


def _put(stream: Any, value: object) -> None:
    data = pickle.dumps(value)
    stream.write(struct.pack("!I", len(data)) + data)
    stream.flush()


def _take(stream: Any) -> object:
    head = stream.read(4)
    if not head:
        return None
    return pickle.loads(stream.read(*struct.unpack("!I", head)))  # noqa: S301 -- from this module


# ---------------------------------------------------------------------- the process that forks


def main() -> None:
    """Run each task of standard input in a fork until there are no more."""
    # What a run is looked at with is imported here, once.
    from suites.selfcheck.mutation import forked
    from suites.selfcheck.system import examined, raw_answers  # noqa: F401

    tasks, results = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    forked.preload()
    while (task := _take(tasks)) is not None:
        assert isinstance(task, Task)
        with tempfile.TemporaryDirectory(prefix="forked-") as folder:
            _put(results, _fork(task, Path(folder), (tasks, results)))


def _fork(task: Task, folder: Path, channels: tuple[BinaryIO, BinaryIO]) -> Came:
    from suites.selfcheck.mutation import forked

    started = time.monotonic()
    # The other side is to see the end of what only it and the parent hold.
    process = forked.fork(partial(_run, task, folder), folder, channels)
    _, status, usage = os.wait4(process, 0)
    seconds = time.monotonic() - started
    output = _read(folder / "output.txt")
    code = os.waitstatus_to_exitcode(status)
    try:
        code, verdict, summary, wrong, reasons = json.loads(_read(folder / "came.json"))
    except ValueError:
        verdict, summary, reasons, wrong = None, "", {}, [f"the process ended with {code} after {seconds:.0f} s"]
    busy = usage.ru_utime + usage.ru_stime
    return Came(code, output, seconds, busy, usage.ru_maxrss / 1024, verdict, summary, tuple(wrong), reasons)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""


def _run(task: Task, folder: Path) -> int:
    from fixtures.http import rate_limit
    from suites.cli import main as command
    from suites.selfcheck.system.examined import faults_of

    # A run waits on 429 as long as that; a search has no such time.
    rate_limit.PATIENCE = 0.3
    module, name, arguments = task.serve
    serve = getattr(sys.modules.get(module) or __import__(module, fromlist=[name]), name)
    report, recorded = folder / "report", folder / "recorded.json"
    with serve(*arguments) as serving:
        target = target_file(
            folder / "target.toml",
            serving.base_url,
            timeout=task.timeout,
            credentials=serving.credentials,
            states=serving.states,
            http=serving.http,
        )
        options = [*_OPTIONS, *(() if task.allure else ("-p", "no:allure_pytest"))]
        options += ["--record", str(recorded)] if task.record else []
        code = command(["--target", str(target), "--report-dir", str(report), *options, *task.options])
        secrets = serving.secrets()
        serving.after()
    sys.stdout.flush()
    sys.stderr.flush()
    wrong = list(faults_of(code, _read(folder / "output.txt"), report, secrets, [recorded]))
    document: dict[str, Any] = {}
    with contextlib.suppress(OSError, ValueError):
        document = json.loads((report / "conformance.json").read_text(encoding="utf-8"))
    reasons = {each["id"]: [each["result"], each["reason"] or ""] for each in document.get("requirements", ())}
    came = [code, document.get("verdict"), _read(report / "conformance.md"), wrong, reasons]
    (folder / "came.json").write_text(json.dumps(came), encoding="utf-8")
    return code
