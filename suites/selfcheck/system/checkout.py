"""The checkout as somebody else has it: copied without what this machine added, used without our environment."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
_NOT_COPIED = {".git", ".venv", ".pythons", "dist", "build", "node_modules", "out", "__pycache__", ".hypothesis"}
_OURS = ("PYTHON", "PYTEST", "DELIVERY_", "SUITE_", "GITHUB_", "VIRTUAL_ENV", "COV_", "HYPOTHESIS", "MAKE", "BASE_URL")


def copy(to: Path) -> Path:
    """Copies the sources as they are now, committed or not."""
    shutil.copytree(ROOT, to, symlinks=True, ignore=lambda _, names: _NOT_COPIED.intersection(names))
    return to


def run(
    arguments: Sequence[object],
    *,
    cwd: Path,
    code: int | None = 0,
    env: Mapping[str, str] | None = None,
    timeout: float = 240,
) -> subprocess.CompletedProcess[str]:
    """Runs a command as in the shell of somebody who knows nothing of this checkout; `code` None: however it ends."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    # Most of what pip installs here is never imported, and need not be compiled.
    kept["PIP_COMPILE"] = "0"
    done = subprocess.run(
        [str(a) for a in arguments],
        cwd=cwd,
        env={**kept, **(env or {})},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    if code is not None:
        assert done.returncode == code, f"{arguments} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done
