"""docs/contract.md as a reader follows it: its files written, its commands run in a directory that holds ``contracts/``."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from suites.selfcheck.system import runs
from suites.selfcheck.system.tools import ROOT

PAGE: Final = (ROOT / "docs" / "contract.md").read_text(encoding="utf-8")

_BLOCK: Final = re.compile(r"^<!-- (file|run): (\S+) -->\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PATIENCE: Final = 240.0

BLOCKS: Final = [(found[1], found[2], found[3]) for found in _BLOCK.finditer(PAGE)]


def file(name: str) -> str:
    """A file that the page shows."""
    return next(text for kind, called, text in BLOCKS if (kind, called) == ("file", name))


def commands(speed: str) -> list[str]:
    """The blocks of commands that are ``quick``, or for ``tools``, in their order."""
    return [text for kind, called, text in BLOCKS if (kind, called) == ("run", speed)]


@dataclass(frozen=True)
class Reader:
    """A directory that holds ``contracts/``, and what is installed: the programs of some folders."""

    place: Path
    programs: tuple[Path, ...]

    def sit_down(self) -> None:
        """Make the directory as the page wants it, with the command of the suite in place of an installed one."""
        (self.place / "contracts").symlink_to(ROOT / "contracts")
        (self.place / "bin").mkdir()
        command = self.place / "bin" / "delivery-conformance"
        report = shlex.quote(str(self.place / "report"))
        words = f"PYTHONPATH={shlex.quote(str(ROOT))} exec {shlex.quote(sys.executable)} -m suites.cli"
        command.write_text(f'#!/bin/sh\n{words} --report-dir {report} "$@"\n', encoding="utf-8")
        command.chmod(0o755)

    def write(self, name: str, text: str | None = None) -> None:
        """Write a file of the page, or *text* in its place."""
        (self.place / name).write_text(file(name) if text is None else text, encoding="utf-8")

    def run(self, block: str, env: Mapping[str, str] | None = None) -> str:
        """Run a block of commands to its end; what it printed. Fails where one of them does."""
        path = os.pathsep.join(map(str, (self.place / "bin", *self.programs, os.environ["PATH"])))
        process = subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", block],
            cwd=self.place,
            env={**runs.environment(env), "PATH": path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # what it leaves in the background ends with it
        )
        try:
            output, _ = process.communicate(timeout=_PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
        assert process.returncode == 0, f"{block}\n{output}"
        return output
