"""``delivery-report`` and ``make report``: Allure's page of an earlier run, one file that can be attached to a ticket.

Allure makes it, in the version that ``package.json`` beside this file pins. Its own look loads a counter of visitors
from the network; the look of Allure 2 that it also brings does not, where the settings say so, and holds everything in the file.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from fixtures.errors import SetupError
from reports.allure import history
from reports.allure.folder import title
from reports.directory import default, shown
from reports.outputs import RESULTS
from reports.results import USAGE

HERE: Final = Path(__file__).resolve().parents[1]
NAME: Final = "allure-report.html"
_PATIENCE: Final = 300.0
_PINS: Final = ("package.json", "package-lock.json", ".npmrc")
_QUIET: Final = {"ALLURE_NO_ANALYTICS": "true", "NO_UPDATE_NOTIFIER": "1", "NO_COLOR": "1"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the report; one line and exit code 4 where it cannot be made."""
    parser = argparse.ArgumentParser(
        prog="delivery-report", description="Make the Allure page of an earlier run: one file that loads nothing."
    )
    parser.add_argument(
        "folder",
        metavar="DIR",
        nargs="?",
        type=Path,
        help="the report directory of the run (default: where runs put it)",
    )
    folder: Path = parser.parse_args(arguments).folder or default()
    try:
        print(shown(make(folder.absolute())))
    except SetupError as error:
        print(f"delivery-conformance: {error}", file=sys.stderr)
        return USAGE
    return 0


def make(folder: Path) -> Path:
    """Make the HTML of the run whose report directory is *folder*; where it is. Raises ``SetupError``."""
    results = folder / RESULTS
    if not any(results.glob("*-result.json")):
        raise SetupError(f"{results} holds no results: run the suite first (make conformance)")
    program = allure()
    target = folder / NAME
    with tempfile.TemporaryDirectory(prefix="delivery-report-") as name:
        work = Path(name)
        (work / "allurerc.mjs").write_text(_configuration(_title(folder)), encoding="utf-8")
        sources = [str(each) for each in (results, results / history.NAME) if each.is_dir()]
        _run([*program, "generate", "--config", "allurerc.mjs", "--cwd", ".", *sources], work, "Allure")
        page = work / "out" / "index.html"
        if not page.is_file():
            raise SetupError("Allure made no page")
        part = target.with_suffix(".part")
        try:
            shutil.copyfile(page, part)
            part.replace(target)
        except OSError as error:
            raise SetupError(f"{target} cannot be written: {error.strerror}") from None
    return target


def _title(folder: Path) -> str:
    """What stands above the page: the verdict and the target, where the run came to one."""
    try:
        return title(json.loads((folder / "conformance.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        return "delivery sessions: the run did not end"


def _configuration(name: str) -> str:
    """Allure's settings: the look that contacts no one, in one file."""
    options = {"reportName": name, "singleFile": True, "reportLanguage": "en"}
    settings = {"name": name, "output": "./out", "plugins": {"allure2": {"options": options}}}
    return f"export default {json.dumps(settings)};\n"


def allure() -> list[str]:
    """The command that is the pinned Allure, installed if need be. Raises ``SetupError`` where that cannot be done."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        missing = "Node.js" if node is None else "npm"
        raise SetupError(
            f"the HTML report needs {missing}, which is not installed: install Node.js 18 or newer with npm "
            "(on Debian: apt-get install nodejs npm) and run this again"
        )
    home = _home()
    wanted = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    mark = home / "node_modules" / ".installed-from"
    with (home / "package.json").open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # somebody else may be making a report
        if not mark.is_file() or mark.read_text(encoding="utf-8") != wanted:
            _run([npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"], home, "npm")
            mark.write_text(wanted, encoding="utf-8")
    return [node, str(home / "node_modules" / "allure" / "cli.js")]


def _home() -> Path:
    """Where Allure is installed: beside its pins in a checkout, in the user's cache where that is not to be written."""
    if (HERE.parent / "Makefile").is_file() and os.access(HERE, os.W_OK):
        return HERE
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "delivery-conformance" / "allure"
    try:
        cache.mkdir(parents=True, exist_ok=True)
        for name in _PINS:
            shutil.copyfile(HERE / name, cache / name)
    except OSError as error:
        raise SetupError(f"{cache}, where Allure is to be installed, cannot be written: {error.strerror}") from None
    return cache


def _run(command: Sequence[str], where: Path, name: str, environment: Mapping[str, str] = _QUIET) -> None:
    """Run *command* in *where*. Raises ``SetupError`` with the last thing that it said where it fails."""
    try:
        done = subprocess.run(
            list(command),
            cwd=where,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SetupError(f"{name} did not end within {_PATIENCE:.0f} s") from None
    except OSError as error:
        raise SetupError(f"{name} cannot be started: {error.strerror}") from None
    if done.returncode:
        said = [line for line in done.stdout.splitlines() if line.strip()]
        raise SetupError(f"{name} failed with exit code {done.returncode}: {said[-1] if said else 'it said nothing'}")


if __name__ == "__main__":
    sys.exit(main())
