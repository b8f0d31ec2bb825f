"""The GitHub Action and the GitLab template: their steps are run here as the CI systems would run them."""

import json
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pytest
import yaml

from suites.selfcheck.system import checkout
from suites.selfcheck.system.checkout import ROOT, run
from suites.selfcheck.system.raw_answers import Front, Raw, Replaced

ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
GITLAB: dict[str, Any] = yaml.safe_load((ROOT / "ci" / "gitlab.yml").read_text(encoding="utf-8"))[
    ".delivery-conformance"
]
INSTALL, RUN = ACTION["runs"]["steps"]
Test = TypeVar("Test", bound=Callable[..., None])
EXPRESSION = re.compile(r"\$\{\{ *([a-z.-]+) *\}\}")

# What a shell, make or GitHub's own file formats would do something with.
HOSTILE = [
    "$(touch owned)",
    "`touch owned`",
    "'; touch owned; '",
    '"; touch owned; "',
    "${HOME}",
    "a b  c",
    "* ?",
    "\\",
    "--list-requirements",
    "x\nverdict=conformant",
]
TEXT_INPUTS = {"base-url": "--base-url", "target": "--target", "profile": "--profile", "waivers": "--waivers"}


class Outcome(NamedTuple):
    code: int
    outputs: dict[str, str]
    summary: str
    log: str


def github_step(
    step: Mapping[str, Any], inputs: Mapping[str, str], *, workspace: Path, temp: Path, **environment: str
) -> Outcome:
    """Runs one step of the action as the runner does: expressions in `env` are replaced, the text goes to bash."""
    values = {f"inputs.{name}": str(given["default"]) for name, given in ACTION["inputs"].items()}
    values |= {f"inputs.{name}": value for name, value in inputs.items()} | {"runner.temp": str(temp)}
    given = {name: EXPRESSION.sub(lambda m: values[m[1]], str(text)) for name, text in step["env"].items()}
    output, summary = temp / "output", temp / "summary"
    output.write_text("")
    summary.write_text("")
    script = temp / "step.sh"
    script.write_text(step["run"])
    runner = {
        "GITHUB_ACTION_PATH": str(ROOT),
        "GITHUB_OUTPUT": str(output),
        "GITHUB_STEP_SUMMARY": str(summary),
    }
    shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", script]
    done = run(shell, cwd=workspace, code=None, env={**runner, **given, **environment})
    lines = output.read_text().splitlines()
    outputs = dict(line.split("=", 1) for line in lines)
    assert len(outputs) == len(lines), f"an output is set twice: {lines}"
    return Outcome(done.returncode, outputs, summary.read_text(), done.stdout + done.stderr)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    path = tmp_path / "work space"
    path.mkdir()
    return path


# --- the scripts alone, on a suite that only says how it was called


@pytest.fixture
def fake(tmp_path: Path) -> Path:
    """A directory of the runner's with an installed suite that writes down its arguments and ends as told."""
    scripts = tmp_path / "temp" / "delivery-conformance" / "bin"
    scripts.mkdir(parents=True)
    (scripts / "python").symlink_to(sys.executable)
    command = scripts / "delivery-conformance"
    command.write_text(
        f"#!{sys.executable}\n"
        "import json, os, pathlib, sys\n"
        f"pathlib.Path({str(tmp_path / 'arguments')!r}).write_text(json.dumps(sys.argv[1:]))\n"
        "report = pathlib.Path(sys.argv[1].removeprefix('--report-dir='))\n"
        "if document := os.environ.get('FAKE_REPORT'):\n"
        "    report.mkdir(exist_ok=True)\n"
        "    (report / 'conformance.json').write_text(document)\n"
        "    (report / 'conformance.md').write_text('# Summary\\n' * int(os.environ.get('FAKE_LINES', '1')))\n"
        "sys.exit(int(os.environ.get('FAKE_CODE', '0')))\n"
    )
    command.chmod(0o755)
    return tmp_path / "temp"


def arguments(temp: Path) -> list[str]:
    found: list[str] = json.loads((temp.parent / "arguments").read_text())
    return found


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("name", TEXT_INPUTS)
def test_an_input_reaches_the_suite_as_it_is_and_is_never_evaluated(
    fake: Path, workspace: Path, name: str, value: str
) -> None:
    outcome = github_step(RUN, {"target": "t.toml", name: value}, workspace=workspace, temp=fake)
    assert outcome.code == 0, outcome.log
    assert f"{TEXT_INPUTS[name]}={value}" in arguments(fake)
    assert list(workspace.iterdir()) == []


@pytest.mark.parametrize("value", [v for v in HOSTILE if "\n" not in v])
def test_the_report_directory_may_have_any_name(fake: Path, workspace: Path, value: str) -> None:
    report = '{"complete": true, "verdict": "conformant"}'
    outcome = github_step(
        RUN, {"base-url": "embedded", "report-dir": value}, workspace=workspace, temp=fake, FAKE_REPORT=report
    )
    assert outcome == Outcome(0, {"verdict": "conformant", "report": value, "exit-code": "0"}, "# Summary\n", "")
    assert [path.name for path in workspace.iterdir()] == [value]


def test_a_report_directory_cannot_set_an_output(fake: Path, workspace: Path) -> None:
    inputs = {"base-url": "embedded", "report-dir": "x\nverdict=conformant"}
    outcome = github_step(RUN, inputs, workspace=workspace, temp=fake)
    assert (outcome.code, outcome.outputs) == (4, {})


@pytest.mark.parametrize(
    "version", ["0.1.0 --index-url x", "--help", "$(touch owned)", "0.1.0; touch owned", "0.1.0\n", "@ file:///x"]
)
def test_a_version_is_a_version(fake: Path, workspace: Path, version: str) -> None:
    outcome = github_step(INSTALL, {"version": version}, workspace=workspace, temp=fake)
    assert outcome.code == 4
    assert "version" in outcome.log
    assert list(workspace.iterdir()) == []


def test_an_old_python_is_named(fake: Path, workspace: Path) -> None:
    outcome = github_step(INSTALL, {}, workspace=workspace, temp=fake, SUITE_PYTHON="false")
    assert (outcome.code, outcome.log.count("\n")) == (4, 1)
    assert "3.11" in outcome.log


def test_nothing_is_run_without_a_target(fake: Path, workspace: Path) -> None:
    outcome = github_step(RUN, {}, workspace=workspace, temp=fake)
    assert outcome.code == 4
    assert "embedded" in outcome.log
    assert not (fake.parent / "arguments").exists()


@pytest.mark.parametrize(("given", "passed"), [("true", True), ("false", False), ("", False)])
def test_gaps_fail_when_asked_to(fake: Path, workspace: Path, given: str, passed: bool) -> None:
    github_step(RUN, {"base-url": "embedded", "fail-on-gaps": given}, workspace=workspace, temp=fake)
    assert ("--fail-on-gaps" in arguments(fake)) is passed


def test_a_truth_value_is_true_or_false(fake: Path, workspace: Path) -> None:
    outcome = github_step(RUN, {"base-url": "embedded", "fail-on-gaps": "yes"}, workspace=workspace, temp=fake)
    assert outcome.code == 4
    assert "fail-on-gaps" in outcome.log


@pytest.mark.parametrize("code", [0, 1, 2, 4, 5, 6])
def test_the_exit_code_is_the_suites_own(fake: Path, workspace: Path, code: int) -> None:
    report = '{"complete": true, "verdict": "nonconformant"}'
    outcome = github_step(
        RUN, {"base-url": "embedded"}, workspace=workspace, temp=fake, FAKE_CODE=str(code), FAKE_REPORT=report
    )
    assert outcome.code == code
    assert outcome.outputs["exit-code"] == str(code)
    assert outcome.outputs["verdict"] == "nonconformant"


@pytest.mark.parametrize(
    "report", ["", "{", "[]", '{"verdict": "conformant"}', '{"complete": 1, "verdict": "conformant"}']
)
def test_without_a_complete_report_there_is_no_verdict(fake: Path, workspace: Path, report: str) -> None:
    outcome = github_step(
        RUN, {"base-url": "embedded"}, workspace=workspace, temp=fake, FAKE_CODE="4", FAKE_REPORT=report
    )
    assert (outcome.code, outcome.outputs["verdict"]) == (4, "")
    assert "exit code 4" in outcome.summary


def test_what_a_target_says_is_no_command_of_the_job(fake: Path, workspace: Path) -> None:
    """From the reason, the code, the Location and the Content-Type; where a line is wrapped, too."""
    command = fake / "delivery-conformance" / "bin" / "delivery-conformance"
    command.write_text(
        f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(ROOT)!r})\n"
        "from suites.cli import command\nsys.exit(command())\n"
    )
    injected = b"x ::error::x ##[error]x ##vso[task.complete]x \xe2\x80\xaex " + b"::stop-commands::x " * 20
    body = json.dumps({"success": False, "status": {"code": "\n::error::x", "description": injected.decode()}}).encode()
    answers = tuple(
        Raw(body, b"HTTP/1.1 %d ::error::x" % status, ((b"Content-Type", injected), (b"Location", b"/" + injected)))
        for status in (400, 302)
    )
    with Front([Replaced("all", answers)]).serve() as server:
        target = workspace / "t.toml"
        states = server.base_url.removesuffix("/v2") + "/_states"
        target.write_text(f'base_url = "{server.base_url}"\n[provider_states]\nurl = "{states}"\n')
        outcome = github_step(RUN, {"target": "t.toml"}, workspace=workspace, temp=fake, COLUMNS="60")
    assert (outcome.code, outcome.outputs["verdict"]) == (1, "nonconformant"), outcome.log
    assert "stop-commands" in outcome.log
    assert not re.search(r"(?m)^\s*::|##\[|##vso\[|\u202e", outcome.log), outcome.log
    assert "\u202e" not in outcome.summary


def test_the_report_of_an_earlier_run_is_not_this_ones(fake: Path, workspace: Path) -> None:
    report = workspace / ACTION["inputs"]["report-dir"]["default"]
    report.mkdir()
    (report / "conformance.json").write_text('{"complete": true, "verdict": "conformant"}')
    (report / "conformance.md").write_text("# Old\n")
    outcome = github_step(RUN, {"base-url": "embedded"}, workspace=workspace, temp=fake, FAKE_CODE="4")
    assert outcome.outputs["verdict"] == ""
    assert "Old" not in outcome.summary


def test_a_summary_that_github_would_refuse_is_cut(fake: Path, workspace: Path) -> None:
    report = '{"complete": true, "verdict": "conformant"}'
    outcome = github_step(
        RUN, {"base-url": "embedded"}, workspace=workspace, temp=fake, FAKE_REPORT=report, FAKE_LINES="200000"
    )
    assert outcome.code == 0
    assert 900_000 < len(outcome.summary.encode()) < 1024 * 1024


# --- the files


def test_no_expression_is_pasted_into_a_shell() -> None:
    assert [step["name"] for step in ACTION["runs"]["steps"] if "${{" in step["run"]] == []
    assert {step["shell"] for step in ACTION["runs"]["steps"]} == {"bash"}


def test_every_input_is_described_and_used_and_every_output_is_set() -> None:
    used = {m for step in ACTION["runs"]["steps"] for text in step["env"].values() for m in EXPRESSION.findall(text)}
    assert used == {f"inputs.{name}" for name in ACTION["inputs"]} | {"runner.temp"}
    described = [*ACTION["inputs"].values(), *ACTION["outputs"].values()]
    assert all(item["description"] for item in described)
    script = (ROOT / "ci" / "run.sh").read_text(encoding="utf-8")
    for name, output in ACTION["outputs"].items():
        assert EXPRESSION.findall(output["value"]) == [f"steps.{RUN['id']}.outputs.{name}"]
        assert f'echo "{name}=' in script


def test_the_scripts_know_every_variable_that_they_are_given() -> None:
    scripts = "".join((ROOT / "ci" / name).read_text(encoding="utf-8") for name in ("install.sh", "run.sh"))
    template = "".join([*GITLAB["before_script"], *GITLAB["script"]])
    for name in [*INSTALL["env"], *RUN["env"], *GITLAB["variables"]]:
        assert re.search(rf"\$\{{{name}\b", scripts + template), name


# --- the whole, with the suite as it is


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runner's directory with the suite in it, as the action's first step leaves it."""
    temp = tmp_path_factory.mktemp("runner")
    outcome = github_step(INSTALL, {}, workspace=temp, temp=temp)
    assert outcome.code == 0, outcome.log
    return temp


@pytest.fixture
def broken_target(installed: Path, tmp_path: Path) -> Iterator[Path]:
    """The target file of an emulator that does not do as it promises."""
    emulate = str(installed / "delivery-conformance" / "bin" / "delivery-emulator")
    listed = run([emulate, "--list-faults"], cwd=tmp_path).stdout
    fault = re.findall(r"^  (\S+): .*\[.*S1-success-is-200", listed, re.MULTILINE)[0]
    with subprocess.Popen([emulate, "--port", "0", "--fault", fault], stdout=subprocess.PIPE, text=True) as emulator:
        assert emulator.stdout is not None
        text = ""
        for line in emulator.stdout:
            if "end of target.toml" in line:
                break
            text += line
        target = tmp_path / "target.toml"
        target.write_text(text.partition("# ---- target.toml ----")[2])
        yield target
        emulator.terminate()


def whole(test: Test) -> Test:
    """Marks a test that runs the suite itself: one worker installs it once."""
    marked: Test = pytest.mark.slow(pytest.mark.xdist_group("ci")(test))
    return marked


@whole
def test_the_action_on_the_embedded_emulator(installed: Path, workspace: Path) -> None:
    inputs = {"base-url": "embedded", "fail-on-gaps": "true", "report-dir": "the report"}
    outcome = github_step(RUN, inputs, workspace=workspace, temp=installed)
    assert outcome.code == 0, outcome.log
    assert outcome.outputs == {"verdict": "conformant", "report": "the report", "exit-code": "0"}
    assert outcome.summary == (workspace / "the report" / "conformance.md").read_text()
    assert {path.name for path in workspace.iterdir()} - {".pytest_cache"} == {"the report"}


@whole
def test_the_action_fails_on_a_target_that_breaks_the_contract(
    installed: Path, workspace: Path, broken_target: Path
) -> None:
    inputs = {"target": str(broken_target)}
    outcome = github_step(RUN, inputs, workspace=workspace, temp=installed, PYTEST_ADDOPTS="-k success")
    assert outcome.code == 1, outcome.log
    assert outcome.outputs["verdict"] == "nonconformant"
    assert "S1-success-is-200" in outcome.summary


@whole
def test_the_action_fails_on_a_target_that_does_not_answer(installed: Path, workspace: Path) -> None:
    with socket.socket() as closed:  # bound, so nobody else's, but nobody listens
        closed.bind(("127.0.0.1", 0))
        inputs = {"base-url": f"http://127.0.0.1:{closed.getsockname()[1]}/v2"}
        outcome = github_step(
            RUN, inputs, workspace=workspace, temp=installed, DELIVERY_OWNER_HASH="0123456789abcdef" * 2
        )
    assert outcome.code == 6, outcome.log
    assert outcome.outputs["verdict"] == "unreachable"


@whole
@pytest.mark.parametrize("name", TEXT_INPUTS)
def test_the_suite_evaluates_no_input_either(installed: Path, workspace: Path, name: str) -> None:
    for value in ("$(touch owned)", "'; touch owned; '"):
        outcome = github_step(RUN, {"base-url": "embedded", name: value}, workspace=workspace, temp=installed)
        assert outcome.code == 4, outcome.log
        assert "Traceback" not in outcome.log
    assert not list(workspace.rglob("owned"))


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with the checkout as it is now as its last commit, on a branch `release`."""
    path = checkout.copy(tmp_path_factory.mktemp("repository") / "delivery conformance")
    git = ["git", "-c", "user.name=nobody", "-c", "user.email=nobody@example.com", "-c", "init.defaultBranch=release"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "Everything"]):
        run([*git, *command], cwd=path)
    return path


@whole
def test_the_gitlab_job_on_the_embedded_emulator(installed: Path, workspace: Path, repository: Path) -> None:
    given = {
        "CI_PROJECT_DIR": str(workspace),
        "SUITE_REPOSITORY": str(repository),
        "SUITE_REF": "release",
        "SUITE_BASE_URL": "embedded",
        "SUITE_VENV": str(installed / "delivery-conformance"),  # the action's, which saves half of the installation
    }
    variables = {**GITLAB["variables"], **given}
    # GitLab runs both lists as one script in one shell, which ends at the first command that fails.
    job = "\n".join(["set -eo pipefail", *GITLAB["before_script"], *GITLAB["script"]])
    run(["bash", "-c", job], cwd=workspace, env=variables)
    for kept in [*GITLAB["artifacts"]["paths"], GITLAB["artifacts"]["reports"]["junit"]]:
        assert (workspace / kept).exists(), kept
    assert json.loads((workspace / "delivery-conformance-report" / "conformance.json").read_text())["complete"]

    run(["bash", "-c", job], cwd=workspace, code=4, env={**variables, "SUITE_BASE_URL": ""})


def test_the_gitlab_job_needs_to_know_where_the_suite_is(workspace: Path) -> None:
    job = "\n".join(["set -eo pipefail", *GITLAB["before_script"]])
    done = run(["bash", "-c", job], cwd=workspace, code=None, env=GITLAB["variables"])
    assert done.returncode != 0
    assert "SUITE_REPOSITORY" in done.stderr


def test_the_gitlab_job_keeps_its_report_whatever_happens() -> None:
    assert GITLAB["artifacts"]["when"] == "always"
    assert GITLAB["artifacts"]["paths"] == [GITLAB["variables"]["SUITE_REPORT_DIR"]]
