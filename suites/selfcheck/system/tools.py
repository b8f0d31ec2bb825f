"""Other people's programs that the self-checks let loose on the contract: found, installed from their lock, or skipped.

A tool that is missing skips its tests and says why. Where ``DELIVERY_REQUIRE_ALL=1`` is set, as in CI, it fails them: a
check that silently stopped running must not look like one that passed.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final, NoReturn

import pytest

ROOT: Final = Path(__file__).resolve().parents[3]
LINT: Final = ROOT / "contracts" / "lint"

_PATIENCE: Final = 240.0
"""Seconds that an installation or a tool may take, below the time limit of a test."""

_QUIET: Final = {
    "REDOCLY_TELEMETRY": "off",
    "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true",
    "NO_UPDATE_NOTIFIER": "1",
    "NO_COLOR": "1",
}


def missing(what: str) -> NoReturn:
    """Ends the test: skipped for want of `what`, failed where nothing may be left out."""
    if os.environ.get("DELIVERY_REQUIRE_ALL") == "1":
        pytest.fail(f"{what}; DELIVERY_REQUIRE_ALL=1 does not let this test be skipped", pytrace=False)
    pytest.skip(what)


def run(
    command: Sequence[str | Path], *, cwd: Path = ROOT, env: Mapping[str, str] | None = None, text: str = ""
) -> subprocess.CompletedProcess[str]:
    """Runs `command` to its end on the input `text`, its output in one, with the variables of `env` beside our own."""
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, **_QUIET, **(env or {})},
        input=text,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_PATIENCE,
        check=False,
    )


def _install(pins: Path, what: str, current: Callable[[], bool], install: Callable[[], str]) -> None:
    """Has `install` put in place what `pins` lists, unless it is `current`; ends the test where that cannot be had."""
    with pins.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # the other workers of this run wait
        if current():
            return
        try:
            problem = install()
        except (OSError, subprocess.TimeoutExpired) as error:
            problem = str(error)
        if problem:
            missing(f"{what} could not be installed: {problem}")


def _problem(*steps: Sequence[str | Path]) -> str:
    """What the first of `steps` that failed said; nothing where none did."""
    for step in steps:
        result = run(step, cwd=LINT)
        if result.returncode != 0:
            return result.stdout[-1000:] or f"exit code {result.returncode}"
    return ""


def _node_modules_are_current() -> bool:
    """Whether node_modules holds what the lock says, by npm's own note of what it installed there."""
    note = LINT / "node_modules" / ".package-lock.json"
    if not note.exists():
        return False
    there = json.loads(note.read_text(encoding="utf-8"))["packages"]
    wanted = json.loads((LINT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    wanted.pop("")  # the folder itself
    needed = {name for name, package in wanted.items() if not package.get("optional")}
    return needed <= there.keys() and all(wanted.get(name) == package for name, package in there.items())


@cache
def node_bin() -> Path:
    """The folder of the node programs that contracts/lint/package-lock.json pins."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        missing("Node.js and npm are not installed")
    _install(
        LINT / "package-lock.json",
        "what contracts/lint/package-lock.json lists",
        _node_modules_are_current,
        lambda: _problem([npm, "ci"]),
    )
    return LINT / "node_modules" / ".bin"


@cache
def client_bin() -> Path:
    """The folder of the programs that contracts/lint/requirements-client.txt pins, in an environment of their own."""
    return _environment("client")


@cache
def generators_bin() -> Path:
    """The same for contracts/lint/requirements-tools.txt: generators that need minutes, and what their products run with."""
    return _environment("tools")


def _environment(name: str) -> Path:
    """The folder of the programs that ``requirements-<name>.txt`` pins, installed if need be."""
    venv, pins = LINT / ".venv" / name, LINT / f"requirements-{name}.txt"
    python, mark = venv / "bin" / "python", venv / ".installed-from"
    wanted = hashlib.sha256(pins.read_bytes()).hexdigest()

    def install() -> str:
        pip: list[str | Path] = [
            python,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--require-hashes",
        ]
        problem = _problem([sys.executable, "-m", "venv", "--clear", venv], [*pip, "-r", pins])
        if not problem:
            mark.write_text(wanted)
        return problem

    # An environment whose Python is gone is made again.
    _install(
        pins,
        f"what contracts/lint/{pins.name} lists",
        lambda: mark.exists() and mark.read_text() == wanted and python.exists(),
        install,
    )
    return venv / "bin"


def free_port() -> int:
    """A port of the loopback address that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def program(name: str, package: str) -> Path:
    """The program `name` of the machine, which Debian has in `package`; ends the test where there is none."""
    found = shutil.which(name)
    if found is None:
        missing(f"{name} is not installed (on Debian: {package})")
    return Path(found)
