"""The real command, watched: how long it takes, how much memory, what it leaves behind, and whether it tells a secret."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from suites.selfcheck import prefork
from suites.selfcheck.system.runs import ROOT, command, environment

#: Seconds after which a run that should have ended by itself is killed.
_PATIENCE = 100.0
#: So many characters of a secret in a row tell it.
_TELLING = 12
#: The accounts of a target file for servers that would not know them anyway: made up, and looked for in every output.
CREDENTIALS: Mapping[str, str] = {
    "owner": "9c1de5b0a7f24368be31d0c94f7a6e52",
    "other_owner": "4f0b7a92c6d8e1357a9bd24c80f6e31b",
    "subuser": "b27c90e4d15f8a36c4e07d9b13a5f682",
    "demo_with_session": "e8a3610d9b7c4f25d60e81b3a7c92f54",
    "ended": "07d4f9b2e6a1c853f97b20d4c6e8a31b",
}


@dataclass(frozen=True)
class Watched:
    """A run that has ended. ``left`` names the processes of its session that are still there."""

    code: int
    output: str
    seconds: float
    megabytes: float
    folder: Path
    left: Sequence[str]

    @property
    def document(self) -> dict[str, Any]:
        """``conformance.json``."""
        document: dict[str, Any] = json.loads((self.folder / "conformance.json").read_text(encoding="utf-8"))
        return document

    def result(self, requirement: str) -> tuple[str, str]:
        """The result of a requirement, and its reason."""
        found = next(each for each in self.document["requirements"] if each["id"] == requirement)
        return found["result"], found["reason"] or ""

    def told(self, secrets: Iterable[str]) -> list[str]:
        """Where a part of one of *secrets* is to be read: the terminal, or a file of the reports."""
        parts = {secret[at : at + _TELLING].lower() for secret in secrets for at in range(len(secret) - _TELLING + 1)}
        if not parts:
            return []
        places = {"the terminal": self.output}
        for path in self.folder.rglob("*") if self.folder.is_dir() else ():
            if path.is_file():
                places[str(path.relative_to(self.folder))] = path.read_text(encoding="utf-8", errors="replace")
        # Most of a text is of other characters than these, and need not be searched for each of hundreds of parts.
        characters = re.escape("".join(sorted(set("".join(parts)))))
        stretches = re.compile(f"[{characters}]{{{_TELLING},}}")
        shown = {place: "\n".join(stretches.findall(text.lower())) for place, text in places.items()}
        return [place for place, text in shown.items() if any(part in text for part in parts)]


class _Started:
    """The real command, started anew."""

    def __init__(self, line: Sequence[str], cwd: Path, env: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            line,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        self.stdout = self._process.stdout
        self.pid = self._process.pid

    def wait(self) -> tuple[int, float]:
        """Wait for its end: its exit code, negative for a signal, and the most memory that it had, in KiB."""
        # ru_maxrss is no measure of it: the kernel counts the memory of the process that started it, too.
        memory = 0
        while os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            memory = max(memory, self._peak())
            time.sleep(0.01)
        return self._process.wait(), memory

    def _peak(self) -> int:
        """The most memory that it had until now; nothing is said of a process that is just ending."""
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8").splitlines():
                if line.startswith("VmHWM:"):
                    return int(line.split()[1])
        return 0


class Running:
    """The command with *arguments*, under way. Its reports go below *folder*."""

    def __init__(
        self,
        *arguments: object,
        folder: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path = ROOT,
        program: Sequence[str] | None = None,
    ) -> None:
        self.folder = folder
        self._output: list[str] = []
        self._started = time.monotonic()
        self._process: prefork.Forked | _Started
        if program is None and prefork.shows(env or ()):
            self._process = prefork.Forked([*map(str, arguments)], cwd=cwd, env=environment(env))
        else:
            # What the start itself reads of the environment shows only so.
            self._process = _Started([*(program or command()), *map(str, arguments)], cwd, environment(env))
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def wait(self, patience: float = _PATIENCE) -> Watched:
        """Wait for its end; one that does not come is brought about."""
        timer = threading.Timer(patience, self._kill)
        timer.start()
        code, memory = self._process.wait()
        timer.cancel()
        seconds = time.monotonic() - self._started
        left = self._left()
        self._kill()
        self._reader.join(10)
        return Watched(code, "".join(self._output), seconds, memory / 1024, self.folder, left)

    def _read(self) -> None:
        with self._process.stdout as stream:
            self._output.append(stream.read())

    def _kill(self) -> None:
        with contextlib.suppress(OSError):
            os.killpg(self.pid, signal.SIGKILL)

    def _left(self) -> list[str]:
        found = []
        for place in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError, IndexError, ValueError):
                fields = place.read_text().rpartition(")")[2].split()
                if int(fields[3]) == self.pid and fields[0] != "Z":
                    found.append((place.parent / "cmdline").read_text().replace("\0", " "))
        return found


def watch(*arguments: object, folder: Path, **options: Any) -> Watched:
    """Run the command with *arguments* to its end, its reports below *folder*."""
    return Running(*arguments, f"--report-dir={folder}", folder=folder, **options).wait()


def target_file(
    path: Path,
    base_url: str,
    *,
    timeout: float = 2,
    credentials: Mapping[str, str] | None = None,
    states: str | None = None,
    http: str = "",
    top: str = "",
) -> Path:
    """A target file for *base_url*, with a short timeout."""
    accounts = CREDENTIALS if credentials is None else credentials
    lines = [f"base_url = {json.dumps(base_url)}", top, "[credentials]"]
    lines += [f"{name} = {json.dumps(value)}" for name, value in accounts.items()]
    lines += ["[http]", f"timeout = {timeout}", http]
    if states is not None:
        lines += ["[provider_states]", f"url = {json.dumps(states)}"]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
