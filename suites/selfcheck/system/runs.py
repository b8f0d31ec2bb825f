"""Runs of the suite for the self-checks of its reports: in a process of their own, on an emulator of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fixtures.emulator.threaded import ThreadedServer
from suites.selfcheck import prefork

ROOT: Final = Path(__file__).resolve().parents[3]
_PATIENCE: Final = 120.0
#: Variables that would change what a run does.
_OURS: Final = (
    "PYTEST",
    "DELIVERY_",
    "HYPOTHESIS",
    "BASE_URL",
    "GITHUB_",
    "ALLURE_",
    "COLUMNS",
    "PY_COLORS",
    "FORCE_COLOR",
    # On a build server pytest shortens nothing.
    "CI",
    "BUILD_NUMBER",
)


@dataclass(frozen=True)
class Finished:
    """A run that has ended: its exit code, what it printed, and where its reports are."""

    code: int
    output: str
    folder: Path

    @property
    def document(self) -> dict[str, Any]:
        """``conformance.json``."""
        document: dict[str, Any] = json.loads((self.folder / "conformance.json").read_text(encoding="utf-8"))
        return document

    def requirement(self, name: str) -> dict[str, Any]:
        """What ``conformance.json`` says of one requirement."""
        return next(each for each in self.document["requirements"] if each["id"] == name)


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment without what would change a run, and with *more*."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return {**kept, "COLUMNS": "120", **(more or {})}


def command(*arguments: object) -> list[str]:
    """The command line of the suite with *arguments*."""
    return [sys.executable, "-m", "suites.cli", *map(str, arguments)]


def suite(*arguments: object, folder: Path, env: Mapping[str, str] | None = None) -> Finished:
    """The suite with *arguments*, its reports in *folder*."""
    done = run(*arguments, "--report-dir", folder, env=env)
    return Finished(done.returncode, done.stdout, folder)


def run(*arguments: object, cwd: Path = ROOT, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """The command with *arguments*: what the start reads of *env* shows only where the real command is started."""
    if prefork.shows(env or ()):
        return prefork.run(arguments, cwd=cwd, env=environment(env), timeout=_PATIENCE)
    return subprocess.run(
        command(*arguments),
        cwd=cwd,
        env=environment(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_PATIENCE,
        check=False,
    )


def target_file(
    server: ThreadedServer, path: Path, *, credentials: Mapping[str, str] | None = None, more: str = ""
) -> Path:
    """A target file for *server*: its hook, and the *credentials* where some are to be fixed."""
    lines = [f'base_url = "{server.base_url}"', f'provider_states = {{ url = "{server.states_url}" }}', more]
    lines += ["[credentials]", *(f'{name} = "{value}"' for name, value in (credentials or {}).items())]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def conform(
    tmp: Path, *arguments: object, faults: Sequence[str] = (), env: Mapping[str, str] | None = None, more: str = ""
) -> Finished:
    """The suite on an emulator with *faults*."""
    tmp.mkdir(parents=True, exist_ok=True)
    with ThreadedServer(faults) as server:
        target = target_file(server, tmp / "target.toml", more=more)
        return suite("--target", target, *arguments, folder=tmp / "report", env=env)
