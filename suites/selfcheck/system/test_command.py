"""The command line: what it says of itself, and that pytest knows the same options, from any directory."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from contracts.requirements import catalogue
from fixtures.errors import SetupError
from suites.runner import explain
from suites.runner.help import ALL, HELP, version
from suites.runner.options import option_names
from suites.runner.plugin import Conformance
from suites.selfcheck.system.runs import ROOT, conform, environment, suite

PYTEST = (sys.executable, "-m", "pytest")
COMMAND = (sys.executable, "-m", "suites.cli")
WITH_INI = (*PYTEST, "-c", str(ROOT / "pytest.ini"))


def run(
    program: Sequence[str], *arguments: object, cwd: Path, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run *program* in *cwd*."""
    return subprocess.run(
        [*program, *map(str, arguments)],
        cwd=cwd,
        env=environment(env or {"PYTHONPATH": str(ROOT)}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A target file far from the checkout."""
    path = tmp_path / "elsewhere" / "target.toml"
    path.parent.mkdir()
    path.write_text('base_url = "http://127.0.0.1:9/v2"\n', encoding="utf-8")
    return path


@pytest.mark.parametrize("program", [WITH_INI, COMMAND], ids=["pytest", "command"])
@pytest.mark.parametrize("place", ["checkout", "elsewhere"])
def test_the_target_file_may_lie_anywhere(program: Sequence[str], place: str, target: Path) -> None:
    cwd = ROOT if place == "checkout" else target.parent
    done = run(program, "--target", target, "--plan", cwd=cwd)
    assert done.returncode == 0, done.stdout
    assert "http://127.0.0.1:9/v2, profile platform" in done.stdout
    assert "bad input" in done.stdout


@pytest.mark.parametrize(
    "program", [PYTEST, (str(Path(sys.executable).with_name("pytest")),)], ids=["module", "script"]
)
def test_in_the_checkout_pytest_finds_the_suite(program: Sequence[str], target: Path) -> None:
    """As in an environment that the Makefile has made; without that it would look for pytest.ini beside the target file."""
    path = {"PYTHONPATH": str(ROOT / "ci" / "venv")}
    done = run(program, "--target", target, "--plan", cwd=ROOT / "docs", env=path)
    assert done.returncode == 0, done.stdout
    assert "http://127.0.0.1:9/v2, profile platform" in done.stdout
    (target.parent / "test_theirs.py").write_text("def test_theirs():\n    pass\n", encoding="utf-8")
    theirs = run(program, "-q", target.parent / "test_theirs.py", cwd=ROOT, env=path)
    assert "1 passed" in theirs.stdout


@pytest.mark.parametrize("folder", [".", "docs", "suites/conformance"])
def test_pytest_runs_the_suite_in_any_directory_of_the_checkout(folder: str, target: Path) -> None:
    done = run(PYTEST, f"--target={target}", "--plan", cwd=ROOT / folder)
    assert done.returncode == 0, done.stdout
    assert "http://127.0.0.1:9/v2, profile platform" in done.stdout


def test_the_self_checks_are_no_run_of_the_suite(request: pytest.FixtureRequest) -> None:
    plugins = request.config.pluginmanager.get_plugins()
    assert "suites.runner.plugin" in [getattr(each, "__name__", None) for each in plugins]
    assert not [each for each in plugins if isinstance(each, Conformance)]


def test_a_run_of_both_says_so(tmp_path: Path) -> None:
    test = os.path.relpath(__file__, ROOT)
    done = run(PYTEST, "suites/conformance", test, "--report-dir", tmp_path / "report", cwd=ROOT)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "names no requirement" in done.stdout
    assert "Traceback" not in done.stdout


# ---------------------------------------------------------------------- what the command says of itself


def test_help_fits_on_a_screen() -> None:
    lines = HELP.splitlines()
    assert len(lines) <= 80
    assert max(map(len, lines)) <= 80


def test_help_names_every_option() -> None:
    for name in [*option_names(), "--base-url", "--hypothesis-profile", "--version", ALL]:
        assert f"\n  {name}" in HELP, name


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_is_the_commands_own(option: str, tmp_path: Path) -> None:
    done = run(COMMAND, option, "--profile", "nonsense", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, HELP)


def test_the_help_of_pytest(tmp_path: Path) -> None:
    done = run(COMMAND, ALL, cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith("usage: delivery-conformance [options]")
    assert "--fail-on-gaps" in done.stdout
    assert "--maxfail" in done.stdout


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_version(option: str, tmp_path: Path) -> None:
    done = run(COMMAND, option, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, version() + "\n")
    suite, contract = done.stdout.splitlines()
    assert suite.startswith("delivery-conformance ")
    assert contract.startswith("contract ")


def test_version_is_that_of_the_reports(tmp_path: Path) -> None:
    document = conform(tmp_path, "--requirement", "S1").document
    suite, contract = version().splitlines()
    assert suite == f"delivery-conformance {document['suite']['version']}"
    assert contract == f"contract {document['contract']['version']} (sha256 {document['contract']['sha256'][:12]})"


# ---------------------------------------------------------------------- --explain


def test_explain_a_requirement(tmp_path: Path) -> None:
    done = run(COMMAND, "--explain", "S4-key-form", cwd=tmp_path)
    assert done.returncode == 0
    entry = catalogue()["S4-key-form"]
    said = " ".join(done.stdout.split())
    assert entry.obligation in said
    assert f"level {entry.level}, profile {entry.profile}" in said
    for source in entry.sources:
        assert source.section in said
        assert (f"\n      {source.url}\n" in done.stdout) == (source.document != "PROJECT")
    assert "suites/conformance/test_success.py::test_success_payload" in done.stdout
    assert not list(tmp_path.iterdir()), "something was written"


def test_explain_a_tag(tmp_path: Path) -> None:
    done = run(COMMAND, "--explain", "a5", "--base-url", "http://127.0.0.1:9/v2", cwd=tmp_path)
    assert done.returncode == 0
    ids = [entry.id for entry in catalogue().values() if entry.tag == "A5"]
    assert [line for line in done.stdout.splitlines() if line.startswith("A5-")] == ids
    assert len(ids) > 1


def test_explain_what_no_test_verifies() -> None:
    untested = next(entry for entry in catalogue().values() if entry.untested)
    lines = list(explain.explain([untested.id], []))
    assert "No test verifies it" in " ".join(lines)


@pytest.mark.parametrize(
    ("name", "hint"),
    [("T99", "did you mean T9?"), ("S4-key-from", "did you mean S4-key-form?"), ("?", "--list-requirements")],
)
def test_explain_what_is_not_there(name: str, hint: str) -> None:
    with pytest.raises(SetupError) as error:
        explain.chosen(name)
    assert hint in str(error.value)


def test_explain_nothing_is_one_line(tmp_path: Path) -> None:
    done = run(COMMAND, "--explain", "T99", cwd=tmp_path)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert done.stdout == "delivery-conformance: --explain 'T99' is no id or tag of a requirement; did you mean T9?\n"


def test_explain_finds_what_begins_so(tmp_path: Path) -> None:
    done = run(COMMAND, "--explain", "T6-subuser", cwd=tmp_path)
    assert done.stdout.endswith("; did you mean T6-subuser-create-refused?\n")


# ---------------------------------------------------------------------- nothing of pytest's


@pytest.mark.parametrize(
    ("test", "says"),
    [
        ("nosuch.py", "nosuch.py is no test"),
        (
            "target.toml",
            "target.toml is no test: one is named by its path, see --explain; did you mean --target target.toml?",
        ),
        ("suites/conformance/test_state.py::nosuch", "test_state.py::nosuch"),
    ],
)
def test_a_test_that_is_not_there(test: str, says: str, tmp_path: Path) -> None:
    done = run(COMMAND, test, "--report-dir", tmp_path / "report", cwd=tmp_path)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    last = done.stdout.splitlines()[-1]
    assert last.startswith("delivery-conformance: ")
    assert says in last
    assert "ERROR" not in done.stdout


def test_a_run_says_nothing_of_pytest(tmp_path: Path) -> None:
    done = conform(tmp_path, "--requirement", "T5")
    assert done.output.splitlines()[0].startswith("delivery-conformance ")
    assert done.output.splitlines()[1].startswith("target: http://127.0.0.1:")
    for word in ("rootdir", "configfile", "plugins:", "pytest.main", "platform linux"):
        assert word not in done.output


@pytest.mark.parametrize("hook", ["pytest_configure", "pytest_cmdline_main"])
def test_a_suite_that_breaks_says_so_in_one_line(hook: str, tmp_path: Path) -> None:
    program = f"def {hook}():\n    raise ZeroDivisionError('by 0')\n"
    (tmp_path / "breaks.py").write_text(program, encoding="utf-8")
    env = {"PYTHONPATH": os.pathsep.join((str(tmp_path), str(ROOT)))}
    arguments = ["-p", "breaks", "--report-dir", tmp_path / "report"]
    done = run(COMMAND, *arguments, cwd=tmp_path, env=env)
    assert done.returncode == pytest.ExitCode.INTERNAL_ERROR
    line = "delivery-conformance: the suite broke, which is no word on the target: ZeroDivisionError: by 0"
    assert done.stdout.splitlines()[-1].startswith(line)
    assert "Traceback" not in done.stdout
    done = run(COMMAND, *arguments, "--full-trace", cwd=tmp_path, env=env)
    assert "breaks.py" in done.stdout


def test_a_test_is_set_up_with_its_check_alone(tmp_path: Path) -> None:
    done = suite("-k", "test_success_payload and create-get", "--setup-show", folder=tmp_path)
    ran = [line.strip() for line in done.output.splitlines() if "SETUP " in line or "fixtures used" in line]
    where = "suites/conformance/test_success.py::test_success_payload"
    assert ran == [
        line
        for row in ("create-get-query", "create-get-header")
        for line in ("SETUP    F check", f"{where}[{row}] (fixtures used: check, operation, request, style)")
    ]


def test_smoke_leaves_no_gap(tmp_path: Path) -> None:
    """What it leaves out is verified by other rows: on a conforming target nothing is left open, keys to compare included."""
    done = conform(tmp_path, "--hypothesis-profile", "smoke", "--fail-on-gaps")
    assert done.code == 0, done.output
    assert done.document["verdict"] == "conformant"
