"""The process between the suite and a target that it serves: it starts the target, and ends it with all its children.

It is a process of its own so that this happens however the suite ends, and so that on Linux every process that the target
has left behind becomes its child, and nobody else's. It uses nothing but the standard library. Its standard input is a pipe
from the suite: when that ends, the target is ended. What it has to say goes to the file descriptor that it is given, in a
line each: ``started``, ``failed REASON`` or ``ended CODE``, where CODE is negative for a signal.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

#: Seconds between SIGTERM and SIGKILL.
GRACE = 5.0
_PAUSE = 0.05
_PR_SET_CHILD_SUBREAPER = 36
#: Elsewhere only the process group of the target is ended.
_KNOWS_CHILDREN = sys.platform == "linux"


def main(arguments: Sequence[str]) -> int:
    """Serve the command of *arguments*, after the file descriptor to report to, until standard input ends."""
    channel = int(arguments[0])
    if _KNOWS_CHILDREN:
        # Not there in a sandbox, perhaps; the process group is ended all the same.
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    wakes = _wake_at_children()
    try:
        target = subprocess.Popen(arguments[1:], stdin=subprocess.DEVNULL, start_new_session=True)
    except (OSError, ValueError) as error:
        _say(channel, f"failed {getattr(error, 'strerror', None) or error}")
        return 1
    # The pipe that the output goes to ends with the target's last process.
    _close_output()
    _say(channel, "started")
    watched = True
    while True:
        ready, _, _ = select.select([0, *([wakes] if watched else [])], [], [])
        if wakes in ready:
            os.read(wakes, 4096)
        if watched and target.poll() is not None and (target.returncode != 0 or not _descendants(target.pid)):
            # With 0 a command may have left the target running in the background.
            _say(channel, f"ended {target.returncode}")
            watched = False
        if 0 in ready and not os.read(0, 4096):
            _end(target)
            return 0


def _wake_at_children() -> int:
    """A file descriptor that can be read when a child has ended."""
    reads, writes = os.pipe()
    os.set_blocking(reads, False)
    os.set_blocking(writes, False)
    signal.set_wakeup_fd(writes)
    # Whoever ends the suite ends the pipe from it, too. What is ignored, rather than handled, the target would inherit.
    for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    return reads


def _close_output() -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(null, stream)


def _say(channel: int, line: str) -> None:
    with contextlib.suppress(OSError):
        os.write(channel, f"{line}\n".encode())


def _end(target: subprocess.Popen[bytes]) -> None:
    """Ask the target and its children to end, and kill what is left of them after the grace."""
    _signal(target, signal.SIGTERM)
    deadline = time.monotonic() + GRACE
    while _is_there(target) and time.monotonic() < deadline:
        time.sleep(_PAUSE)
    while _is_there(target):
        # More than once: a process may have started another while it was looked for.
        _signal(target, signal.SIGKILL)
        time.sleep(_PAUSE)


def _signal(target: subprocess.Popen[bytes], number: signal.Signals) -> None:
    below = _descendants(target.pid)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        # The number of a group that has ended may be another's by now.
        if target.poll() is None or not _KNOWS_CHILDREN or any(os.getpgid(each) == target.pid for each in below):
            os.killpg(target.pid, number)
    for process in below:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getpgid(process) != target.pid:
                os.kill(process, number)


def _is_there(target: subprocess.Popen[bytes]) -> bool:
    """Whether the target or one of its children is there; those that have ended are collected."""
    target.poll()
    with contextlib.suppress(ChildProcessError):
        # Never with -1 while Popen has to learn of its own.
        while target.returncode is not None and os.waitpid(-1, os.WNOHANG)[0]:
            pass
    if _KNOWS_CHILDREN or target.returncode is None:
        return target.returncode is None or bool(_descendants(target.pid))
    try:
        os.killpg(target.pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _descendants(target: int) -> list[int]:
    """The processes below this one that have not ended, on Linux: *target*, its children, and what they left behind."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat") if _KNOWS_CHILDREN else ():
        with contextlib.suppress(OSError, ValueError, IndexError):
            # The name, in brackets, may hold anything.
            state, parent = entry.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[:2]
            if state not in "ZX":
                children.setdefault(int(parent), []).append(int(entry.parent.name))
    found: list[int] = []
    look = [os.getpid(), target]
    while look:
        new = [each for each in children.get(look.pop(), []) if each not in found]
        found += new
        look += new
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
