"""The command in a process of its own that need not start anew: one process has everything imported, and forks for each run.

To start Python, pytest and the suite takes half a second, which hundreds of self-checks would each spend. What a run reads of its
surroundings (arguments, environment, folder, streams) is given to it as to any other. What concerns the start itself is for
self-checks that start the real command.
"""

from __future__ import annotations

import array
import atexit
import contextlib
import gc
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
_LARGEST: Final = 1 << 20
_STARTING: Final = threading.Lock()
#: Variables that are read while the suite runs, and by nothing as it is imported.
_READ_LATE: Final = frozenset(
    name for each in ("http_proxy", "https_proxy", "all_proxy", "no_proxy") for name in (each, each.upper())
) | {"COLUMNS", "NO_COLOR", "FORCE_COLOR", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"}


def shows(variables: Iterable[str]) -> bool:
    """Whether what these *variables* say shows in a process that does not start anew."""
    return all(name in _READ_LATE or name.startswith("DELIVERY_") for name in variables)


class Forked:
    """A run under way: its process, which is the first of a session of its own, and what it prints."""

    def __init__(self, arguments: Sequence[object], *, cwd: Path, env: Mapping[str, str]) -> None:
        reading, writing = os.pipe()
        self._line, other = socket.socketpair()
        request = {"arguments": [str(each) for each in arguments], "cwd": str(cwd), "env": dict(env)}
        handed = array.array("i", [writing, other.fileno()])
        _server().sendmsg([json.dumps(request).encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, handed)])
        os.close(writing)
        other.close()
        self.stdout = os.fdopen(reading, encoding="utf-8", errors="replace")
        self._reports = self._line.makefile("r")
        self.pid = int(self._reports.readline())

    def wait(self) -> tuple[int, float]:
        """Wait for its end: its exit code, negative for a signal, and the most memory that it had, in KiB."""
        code, memory = json.loads(self._reports.readline())
        self._reports.close()
        self._line.close()
        return code, memory

    def kill(self) -> None:
        """End it with all of its session."""
        with contextlib.suppress(OSError):
            os.killpg(self.pid, signal.SIGKILL)


def run(
    arguments: Sequence[object], *, cwd: Path, env: Mapping[str, str], timeout: float
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end; one that takes longer than *timeout* seconds is killed."""
    started = Forked(arguments, cwd=cwd, env=env)
    timer = threading.Timer(timeout, started.kill)
    timer.start()
    with started.stdout as stream:
        output = stream.read()
    code, _ = started.wait()
    timer.cancel()
    return subprocess.CompletedProcess([str(each) for each in arguments], code, output)


def _server() -> socket.socket:
    # Runs are started by several threads at a time; one server serves them all.
    with _STARTING:
        return _started()


@cache
def _started() -> socket.socket:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "DELIVERY_"))}
    process = subprocess.Popen(
        [sys.executable, "-m", "suites.selfcheck.prefork", str(theirs.fileno())],
        cwd=ROOT,
        env=kept,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        pass_fds=[theirs.fileno()],
    )
    theirs.close()
    atexit.register(process.wait)
    atexit.register(ours.close)
    return ours


# ---------------------------------------------------------------------- the process that forks


def serve(line: socket.socket) -> None:
    """Fork for each request that comes on *line*, until it is closed."""
    _preload()
    # Who waits for a run ends by itself.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        message, handed, _, _ = socket.recv_fds(line, _LARGEST, 2)
        if not message:
            return
        if os.fork() == 0:
            line.close()
            _watch(json.loads(message), *handed)
        for number in handed:
            os.close(number)


def _preload() -> None:
    """Import what a run imports, and make what it makes once: by a short one, on an emulator in this process."""
    from suites.cli import main

    here = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        main(["--requirement=S1", f"--report-dir={folder}/report", "-p", "no:cacheprovider"])
        os.chdir(here)
    gc.collect()
    gc.freeze()


def _watch(request: Mapping[str, Any], output: int, line: int) -> None:
    """Start the run, wait for its end and report it, in a process between it and the server; end that process."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    if pid == 0:
        os.close(line)
        _run(request, output)
    os.close(output)
    with os.fdopen(line, "w") as reports:
        print(pid, file=reports, flush=True)
        _, status, usage = os.wait4(pid, 0)
        print(json.dumps([os.waitstatus_to_exitcode(status), usage.ru_maxrss]), file=reports, flush=True)
    os._exit(0)


def _run(request: Mapping[str, Any], output: int) -> None:
    """Run the command as a process of its own would, and end the process."""
    code = 1
    try:
        os.setsid()
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.close(output)
        os.chdir(request["cwd"])
        os.environ.clear()
        os.environ.update(request["env"])
        sys.argv[1:] = request["arguments"]
        random.seed()
        from suites.cli import command

        code = command()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
