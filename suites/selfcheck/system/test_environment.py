"""What is set for other tools changes neither the target of a run nor its tests; a target file may come out of a pipe."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from fixtures.emulator.threaded import ThreadedServer
from suites.selfcheck.system.hostile_servers import BEHAVIOURS, Server
from suites.selfcheck.system.runs import ROOT, environment, suite, target_file
from suites.selfcheck.system.watched import watch

pytestmark = [pytest.mark.xdist_group("environment")]

_FEW = ("--requirement", "S1", "-p", "no:cacheprovider")


@pytest.fixture(scope="module")
def other() -> Iterator[Server]:
    """A server that nobody has named: whatever reaches it was sent to the wrong target."""
    with Server(BEHAVIOURS["hangs-before-the-headers"]) as server:
        yield server
        assert server.connections == 0, "another target was asked"


@pytest.fixture(scope="module")
def emulator() -> Iterator[ThreadedServer]:
    """A target that is well."""
    with ThreadedServer() as server:
        yield server


def _aliases(folder: Path, url: str) -> str:
    path = folder / "aliases"
    path.write_text("target 127.0.0.2\n", encoding="utf-8")
    return str(path)


def _testplan(folder: Path, url: str) -> str:
    path = folder / "testplan.json"
    path.write_text(json.dumps({"version": "1.0", "tests": [{"id": "1", "selector": "none"}]}), encoding="utf-8")
    return str(path)


def _hooks(folder: Path, url: str) -> str:
    path = folder / "hooks.py"
    path.write_text("raise SystemExit('the hooks were loaded')\n", encoding="utf-8")
    return str(path)


_VARIABLES: Mapping[str, Callable[[Path, str], str]] = {
    "PYTEST_BASE_URL": lambda _, url: url,
    "VERIFY_BASE_URL": lambda _, __: "true",
    "ALLURE_TESTPLAN_PATH": _testplan,
    "SCHEMATHESIS_HOOKS": _hooks,
    "HOSTALIASES": _aliases,
}


@pytest.mark.parametrize("variable", _VARIABLES)
def test_the_target_and_the_tests_are_those_that_were_named(variable: str, other: Server, tmp_path: Path) -> None:
    value = _VARIABLES[variable](tmp_path, other.base_url)
    with ThreadedServer() as server:
        target = target_file(server, tmp_path / "target.toml")
        watched = watch("--target", target, *_FEW, folder=tmp_path / "report", env={variable: value})
    assert watched.code == 0, watched.output[-2000:]
    assert watched.document["target"]["base_url"] == server.base_url
    assert watched.result("S1-success-is-200")[0] == "passed"
    ignored = [line for line in watched.output.splitlines() if "ignored, from the environment: " in line]
    assert len(ignored) == 1
    assert f"environment: {variable} (" in ignored[0]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("_ARGCOMPLETE", "1"),
        ("PYTEST_THEME", "none"),
        ("PYTEST_DEBUG", "1"),
        ("WEB_CONCURRENCY", "auto"),
        ("SSLKEYLOGFILE", "/nowhere/keys"),
    ],
)
def test_what_would_only_break_a_run_is_ignored_without_a_word(variable: str, value: str, tmp_path: Path) -> None:
    done = suite(*_FEW, folder=tmp_path / "report", env={variable: value})
    assert done.code == 0, done.output[-2000:]
    assert done.document["target"]["embedded"] is True
    assert variable not in done.output
    assert "[pluginmanage]" not in done.output


@pytest.mark.parametrize("variable", ["PYTEST_BASE_URL", "VERIFY_BASE_URL", "ALLURE_TESTPLAN_PATH"])
def test_the_same_by_plain_pytest(variable: str, other: Server, tmp_path: Path) -> None:
    value = _VARIABLES[variable](tmp_path, other.base_url)
    program = [sys.executable, "-m", "pytest"]
    watched = watch("--requirement=S1", folder=tmp_path / "report", env={variable: value}, program=program)
    assert watched.code == 0, watched.output[-2000:]
    assert watched.document["target"]["embedded"] is True
    assert watched.result("S1-success-is-200")[0] == "passed"


@pytest.mark.parametrize("module", ["suites.cli", "pytest"])
def test_a_credential_command_has_the_environment_of_the_user(
    module: str, emulator: ThreadedServer, tmp_path: Path
) -> None:
    owner = next(account.hash for state, account in emulator.emulator.store.fixed.items() if str(state) == "owner")
    target = target_file(emulator, tmp_path / "target.toml")
    with target.open("a", encoding="utf-8") as file:
        file.write('owner = { command = ["printenv", "HOSTALIASES"] }\n')
    program = [sys.executable, "-m", module]
    options = (f"--target={target}", "--requirement=S1", "-p", "no:cacheprovider")
    watched = watch(*options, folder=tmp_path / "report", env={"HOSTALIASES": owner}, program=program)
    assert watched.code == 0, watched.output[-2000:]
    assert watched.document["accounts"]["owner"] == "fixed credential"
    assert "environment: HOSTALIASES (" in watched.output


def test_a_job_that_asks_for_the_embedded_emulator_gets_it(other: Server, tmp_path: Path) -> None:
    scripts = tmp_path / "venv" / "bin"
    scripts.mkdir(parents=True)
    (scripts / "python").symlink_to(sys.executable)
    command = scripts / "delivery-conformance"
    options = " ".join(_FEW)
    command.write_text(
        f'#!/bin/sh\ncd {ROOT} && exec {sys.executable} -m suites.cli "$@" {options}\n', encoding="utf-8"
    )
    command.chmod(0o755)
    report = tmp_path / "report"
    settings = {
        "SUITE_VENV": str(tmp_path / "venv"),
        "SUITE_BASE_URL": "embedded",
        "SUITE_REPORT_DIR": str(report),
        "PYTEST_BASE_URL": other.base_url,
    }
    done = subprocess.run(
        ["bash", ROOT / "ci" / "run.sh"], env=environment(settings), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((report / "conformance.json").read_text(encoding="utf-8"))["target"]["embedded"] is True


# ---------------------------------------------------------------------- a target file is read once


def _through(way: str, target: Path, *arguments: object, folder: Path) -> tuple[int, str]:
    """The suite with the target file *target* in one of the ways in which a pipe can be named."""
    command = [sys.executable, "-m", "suites.cli", *map(str, arguments), f"--report-dir={folder}"]
    script = {
        "substitution": 'exec "$@" --target <(cat "$0")',
        "standard input": 'cat "$0" | "$@" --target /dev/stdin',
        "fifo": 'mkfifo "$0.fifo"; (sleep 0.5; cat "$0" > "$0.fifo") & exec "$@" --target "$0.fifo"',
    }[way]
    done = subprocess.run(
        ["bash", "-c", script, str(target), *command],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("way", ["substitution", "standard input", "fifo"])
def test_a_target_file_out_of_a_pipe(way: str, emulator: ThreadedServer, tmp_path: Path) -> None:
    credentials = {str(state): account.hash for state, account in emulator.emulator.store.fixed.items()}
    target = target_file(emulator, tmp_path / "target.toml", credentials={"owner": credentials["owner"]})
    code, output = _through(way, target, *_FEW, folder=tmp_path / "report")
    assert code == 0, output[-2000:]
    document = json.loads((tmp_path / "report" / "conformance.json").read_text(encoding="utf-8"))
    assert document["accounts"]["owner"] == "fixed credential"
    assert document["keys_created"] > 0


def test_a_plan_of_a_target_file_out_of_a_pipe(emulator: ThreadedServer, tmp_path: Path) -> None:
    target = target_file(emulator, tmp_path / "target.toml", credentials={"owner": "9c1de5b0a7f24368be31d0c94f7a6e52"})
    plain = suite("--plan", "--target", target, folder=tmp_path / "report").output
    assert "fixed, from the target file" in plain
    code, output = _through("substitution", target, "--plan", folder=tmp_path / "report")
    assert code == 0, output
    assert output == plain


def test_home_is_where_a_tilde_says(emulator: ThreadedServer, tmp_path: Path) -> None:
    """``--report-dir=~/r``: no shell puts the home directory in there."""
    target_file(emulator, tmp_path / "target.toml")
    done = subprocess.run(
        [sys.executable, "-m", "suites.cli", "--target=~/target.toml", "--report-dir=~/r", *_FEW],
        cwd=ROOT,
        env={**environment(), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "r" / "conformance.json").exists()
    assert not (ROOT / "~").exists()
