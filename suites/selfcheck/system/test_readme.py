"""The README and the pages of docs/ say what is so: their commands are run, their tables compared with the code, their links followed.

Every line of their shell blocks is run here but ``make test``, as a reader would run it but for what stands in for the reader's
surroundings: an emulator at the addresses, accounts of the emulator in the variables, this environment in place of a new one.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, get_args
from xml.etree import ElementTree

import pytest
import yaml

from contracts.requirements import PROFILES, catalogue
from contracts.schemas import validator
from fixtures.emulator.accounts import State
from fixtures.emulator.threaded import ThreadedServer
from fixtures.target.file import ACCOUNTS
from reports.results import EXIT_CODES, USAGE, Result
from reports.words import GROUPS
from suites.runner.options import option_names
from suites.runner.profiles import EXAMPLES
from suites.selfcheck import prefork
from suites.selfcheck.system import checkout, runs, tools
from suites.selfcheck.system.checkout import ROOT

README: Final = (ROOT / "README.md").read_text(encoding="utf-8")
#: One page for each reader; the others of docs/ are made by programs.
PAGES: Final = ("vendors", "staging", "reports", "ci", "reference", "design")
TEXT: Final = README + "".join((ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8") for page in PAGES)
CONTRIBUTING: Final = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
#: Pages whose commands are for the checkout, and are not run here.
OTHERS: Final = CONTRIBUTING + (ROOT / "docs" / "attribution.md").read_text(encoding="utf-8")

_BLOCK: Final = re.compile(
    r"^(?:<!-- (?P<mark>[^>]*) -->\n)?```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_PATIENCE: Final = 240.0
_WITHOUT_A_RUN: Final = {"--compare", "--plan", "--list-requirements", "--explain", "--help", "--version"}


@dataclass(frozen=True)
class Block:
    """A fenced block of a page, and the comment before it."""

    mark: str
    kind: str
    text: str


BLOCKS: Final = [Block(found["mark"] or "", found["kind"], found["text"]) for found in _BLOCK.finditer(TEXT)]


def commands() -> list[list[str]]:
    """Every command of the shell blocks, each once, without its comment."""
    lines = [line for block in BLOCKS if block.kind == "sh" for line in block.text.splitlines()]
    found = [shlex.split(line, comments=True) for line in lines]
    return [list(words) for words in dict.fromkeys(map(tuple, found)) if words]


def file(name: str) -> str:
    """A file that a page shows."""
    return next(block.text for block in BLOCKS if block.mark == f"file: {name}")


def table(heading: str, first: str) -> list[list[str]]:
    """The rows of the table below *heading* whose first column is called *first*, cell by cell."""
    section = re.split(rf"^#+ {re.escape(heading)}$", TEXT, flags=re.MULTILINE)[1]
    head = re.search(rf"^\| {re.escape(first)} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", section, re.MULTILINE)
    assert head is not None, f"no table of {first} under {heading}"
    rows = [re.split(r"(?<!\\)\|", line.strip())[1:-1] for line in head[1].splitlines()]
    return [[cell.strip() for cell in row] for row in rows]


# ---------------------------------------------------------------------- the commands


def _is_run_here(words: Sequence[str]) -> bool:
    return list(words) != ["make", "test"]


def _row(words: list[str]) -> Any:
    marks = []
    if words[0] == "make":
        marks.append(pytest.mark.slow)
    if words[:2] == ["make", "report"]:
        marks.append(pytest.mark.node)
    if words[:2] == ["pip", "install"]:
        marks += [pytest.mark.slow]
    return pytest.param(words, id=" ".join(words), marks=marks)


@dataclass
class Desk:
    """Where a reader sits: a directory with the files of the pages, and a target at the addresses in them."""

    place: Path
    servers: ExitStack

    def target(self) -> None:
        """``target.toml`` as the README has it, on an emulator."""
        server = self.servers.enter_context(ThreadedServer())
        text = file("target.toml").replace("http://127.0.0.1:8080/v2", server.base_url)
        self._write("target.toml", text.replace("http://127.0.0.1:8080/_states", server.states_url))

    def served(self) -> tuple[str, dict[str, str]]:
        """The same for a run that starts the target: a free port, and an environment that has what the commands name."""
        port = str(tools.free_port())
        self._write("target.toml", file("target.toml").replace("8080", port))
        emulator = f"from fixtures.emulator.cli import main\nmain(['--port', '{port}'])\n"
        self._write("emulator.py", emulator)
        (self.place / "bin").mkdir()
        for name, arguments in (("python", ""), ("delivery-emulator", "-m fixtures.emulator")):
            script = self.place / "bin" / name
            script.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n', encoding="utf-8")
            script.chmod(0o755)
        return port, {"PATH": f"{self.place / 'bin'}{os.pathsep}{os.environ['PATH']}"}

    def staging(self) -> dict[str, str]:
        """``staging.toml`` and ``waivers.toml`` as the page has them, on an emulator that has what is waived; the secrets."""
        server = self.servers.enter_context(ThreadedServer(["cache-max-age"]))
        accounts = {state.value: account.hash for state, account in server.emulator.store.fixed.items()}
        text = file("staging.toml").replace("https://staging.example.com/v2", server.base_url)
        self._write("staging.toml", text)
        login = self.place / "login"
        login.write_text(f"#!/bin/sh\necho {accounts[State.DEMO_WITHOUT_SESSION]}\n", encoding="utf-8")
        login.chmod(0o755)
        tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
        self._write("waivers.toml", re.sub(r"(?m)^(expires = )[0-9-]+", rf"\g<1>{tomorrow}", file("waivers.toml")))
        return {name: accounts[account] for account, name in re.findall(r'(?m)^(\w+) = \{ env = "(\w+)" \}', text)}

    def reports(self) -> None:
        """Two reports to compare."""
        found = runs.suite("-q", "--requirement", "S1", folder=self.place / "delivery-conformance-report")
        (self.place / "before").mkdir()
        shutil.copy(found.folder / "conformance.json", self.place / "before")

    def _write(self, name: str, text: str) -> None:
        (self.place / name).write_text(text, encoding="utf-8")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with ExitStack() as servers:
        yield Desk(tmp_path, servers)


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout, for commands that write into it, with the Allure that is installed already."""
    copy = checkout.copy(tmp_path_factory.mktemp("readme") / "checkout")
    installed = ROOT / "reports" / "node_modules"
    if installed.is_dir():
        (copy / "reports" / "node_modules").symlink_to(installed)
    return copy


def _surroundings(env: dict[str, str] | None) -> dict[str, str]:
    """Whatever is started finds this checkout's packages in any directory."""
    return {**runs.environment(env), "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}


def suite(arguments: Sequence[str], cwd: Path, env: dict[str, str], code: int) -> str:
    """What the suite prints with *arguments*, which must end with *code*."""
    done = prefork.run(arguments, cwd=cwd, env=_surroundings(env), timeout=_PATIENCE)
    assert done.returncode == code, f"{shlex.join(arguments)} ended with {done.returncode}\n{done.stdout}"
    return done.stdout


def run(words: Sequence[str], cwd: Path, env: dict[str, str] | None = None, code: int = 0) -> str:
    """What a command prints that must end with *code*."""
    done = subprocess.run(
        list(words),
        cwd=cwd,
        env=_surroundings(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_PATIENCE,
        check=False,
    )
    assert done.returncode == code, f"{shlex.join(words)} ended with {done.returncode}\n{done.stdout}"
    return done.stdout


def serve(words: Sequence[str], cwd: Path) -> str:
    """What a server prints until it serves; then Ctrl-C, which a terminal gives to all that it started."""
    process = subprocess.Popen(
        list(words),
        cwd=cwd,
        env=runs.environment({"PYTHONPATH": str(ROOT)}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    watchdog = threading.Timer(_PATIENCE, os.killpg, (process.pid, signal.SIGKILL))
    watchdog.start()
    said = ""
    assert process.stdout is not None
    try:
        for line in process.stdout:
            said += line
            if line.startswith("Serving"):
                os.killpg(process.pid, signal.SIGINT)
        process.wait()
    finally:
        watchdog.cancel()
        process.stdout.close()
    assert "Serving" in said, said
    return said


@pytest.mark.parametrize("words", [_row(words) for words in commands() if _is_run_here(words)])
def test_a_command_does_what_it_says(words: list[str], desk: Desk, request: pytest.FixtureRequest) -> None:
    program, arguments = words[0], words[1:]
    if program == "delivery-conformance":
        check_suite(arguments, desk)
    elif program == "delivery-emulator":
        check_emulator([sys.executable, "-m", "fixtures.emulator", *arguments], desk.place)
    elif program == "make":
        check_make(arguments, request.getfixturevalue("copied"))
    elif program == "curl":
        check_curl(words, desk)
    elif words == ["pip", "install", "."]:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        folder = request.getfixturevalue("copied")
        run([*command, "--no-deps", "--no-build-isolation", "--target", str(desk.place / "site"), "."], folder)
        assert {path.name for path in (desk.place / "site" / "bin").iterdir()} >= {
            "delivery-conformance",
            "delivery-emulator",
        }
    else:
        pytest.fail(f"nobody here knows how to run {shlex.join(words)}")


def check_suite(arguments: list[str], desk: Desk) -> None:
    """A run of the suite, in a directory with the files of the pages."""
    env: dict[str, str] = {}
    code = 0
    if "--serve" in arguments:
        port, env = desk.served()
        arguments = [each.replace("8080", port) for each in arguments]
        code = 1 if "--fault" in " ".join(arguments) else 0
    elif "staging.toml" in arguments:
        env = desk.staging()
    elif "target.toml" in arguments:
        desk.target()
    elif "--compare" in arguments:
        desk.reports()
    report = desk.place / "report"
    runs_tests = not _WITHOUT_A_RUN & set(arguments)
    apart = ["--report-dir", str(report), "-o", f"cache_dir={desk.place / 'cache'}"]
    output = suite([*arguments, *apart] if runs_tests else arguments, desk.place, env, code)
    assert "Traceback" not in output
    if not runs_tests:
        assert output.strip()
        assert not report.exists()
        return
    document = json.loads((report / "conformance.json").read_text(encoding="utf-8"))
    narrowed = {"--requirement", "-k"} & set(arguments)
    wanted = "nonconformant" if code else "inconclusive" if narrowed else "conformant"
    assert document["verdict"] == wanted, output
    if "--waivers" in arguments:
        assert "P2-not-publicly-cacheable" in [
            each["id"] for each in document["requirements"] if each["result"] == "waived"
        ]


def check_emulator(command: list[str], place: Path) -> None:
    """The emulator, on a free port."""
    if "--list-faults" in command:
        assert "subuser-creates" in run(command, place)
        return
    said = serve([("0" if word == "8080" else word) for word in command], place)
    assert "target.toml" in said
    assert "curl -X POST" in said


def check_make(arguments: list[str], folder: Path) -> None:
    """A target of the Makefile, with this environment in the place of one that it would make."""
    venv = sys.prefix
    command = ["make", "-s", "-o", f"{venv}/.run", "-o", f"{venv}/.dev", f"VENV={venv}"]
    match arguments[0]:
        case "conformance":
            assert "verdict: conformant" in run([*command, *arguments], folder)
        case "report":
            if shutil.which("npm") is None:
                tools.missing("Node.js and npm are not installed")
            run([*command, "conformance", "ARGS=-q --requirement S1"], folder)
            page = folder / run([*command, *arguments], folder).splitlines()[-1]
            assert page.name == "allure-report.html"
            assert page.stat().st_size > 100_000
        case "bench":
            short = "ARGS=--faults 0 --times 1 --no-schemathesis"
            assert "| requests |" in run([*command, *arguments, short], folder)
        case "emulator":
            check_emulator([*command, *(word.replace("8080", "0") for word in arguments)], folder)
        case other:
            pytest.fail(f"nobody here knows how to run make {other}")


def check_curl(words: list[str], desk: Desk) -> None:
    """The example of a provider state."""
    if shutil.which("curl") is None:
        tools.missing("curl is not installed")
    server = desk.servers.enter_context(ThreadedServer())
    output = run([word.replace("http://127.0.0.1:8080/_states", server.states_url) for word in words], desk.place)
    assert re.fullmatch(r'\{"hash": "[0-9a-f]{32}"\}', output.strip())


def test_the_first_commands_are_the_two_main_ones() -> None:
    assert commands()[:2] == [["make", "conformance"], ["make", "test"]]


@pytest.mark.parametrize("given", ["BASE_URL", "TARGET"])
def test_a_variable_that_is_not_set_has_nothing_else_judged(given: str) -> None:
    venv = sys.prefix
    command = ["make", "-s", "-o", f"{venv}/.run", f"VENV={venv}", "conformance", f"{given}="]
    assert f"make: {given} is empty: is a variable not set?" in run(command, runs.ROOT, code=2)


def test_the_excerpt_is_what_a_run_prints(tmp_path: Path) -> None:
    block = next(block for block in BLOCKS if block.mark.startswith("excerpt: "))
    fault = block.mark.removeprefix("excerpt: ")
    cache = f"cache_dir={tmp_path / 'cache'}"
    found = runs.conform(tmp_path, "-o", cache, faults=[fault], env={"COLUMNS": "80"})
    printed = iter([_steady(line) for line in found.output.splitlines()])
    for line in block.text.splitlines():
        if line.strip() not in ("", "…"):
            assert _steady(line) in printed, f"no longer printed, or not in this order: {line}\n{found.output}"


def _steady(line: str) -> str:
    """*line* without what differs from run to run."""
    line = re.sub(r"(sh ).*(/repeat/)", r"\1\2", re.sub(r"(reports: ).*", r"\1", line))
    return re.sub(r"[0-9.]+ s\b|\bkey [0-9]+", "0", line).strip()


# ---------------------------------------------------------------------- the tables


def test_options() -> None:
    written = [cell for row in table("Options", "option") for cell in re.findall(r"--[a-z-]+", row[0])]
    # Of pytest-base-url and Hypothesis, and of the command itself.
    others = ["--base-url", "--hypothesis-profile", "--help", "--help-all", "--version"]
    assert sorted(written) == sorted([*option_names(), *others])


def test_profiles() -> None:
    rows = {row[0]: row[1] for row in table("Options", "option")}
    assert r"`--profile core\|platform`" in rows
    assert PROFILES == ("core", "platform")
    assert [name for name in EXAMPLES if f"`{name}`" in rows["`--hypothesis-profile NAME`"]] == list(EXAMPLES)


def test_verdicts() -> None:
    rows = table("The verdict", "verdict")
    assert {row[0].strip("`"): int(row[2][0]) for row in rows} == EXIT_CODES


def test_exit_codes() -> None:
    written = [int(row[0]) for row in table("Exit codes", "exit code")]
    # 1 and 5 come of gaps, too; 3 is pytest's own, for what breaks in it or in a plugin.
    assert written == sorted({*EXIT_CODES.values(), USAGE, 5, int(pytest.ExitCode.INTERNAL_ERROR)})


def test_results() -> None:
    written = " ".join(row[0] + row[1] for row in table("The result of a requirement", "result"))
    assert [name for name in get_args(Result) if f"`{name}`" not in written] == []


def test_accounts() -> None:
    assert [row[0].strip("`") for row in table("Accounts", "account")] == list(ACCOUNTS)


def test_target_file() -> None:
    written = {row[0].strip("`") for row in table("The target file", "key")}
    schema: Any = validator("target").schema
    keys = set()
    for name, entry in schema["properties"].items():
        if name == "credentials":
            keys.add("credentials.ACCOUNT")
        else:
            keys |= {f"{name}.{inner}" for inner in entry["properties"]} if "properties" in entry else {name}
    assert written == keys


def test_waivers_file() -> None:
    schema: Any = validator("waivers").schema
    keys = schema["properties"]["waiver"]["items"]["properties"]
    assert re.findall(r"(?m)^(\w+) = ", file("waivers.toml")) == list(keys)


def test_requirements() -> None:
    written = {row[0]: int(row[1]) for row in table("What is checked", "letter")}
    assert written == {letter: sum(name[0] == letter for name in catalogue()) for letter in GROUPS}
    assert f"\n{len(catalogue())} requirements, " in README


def test_what_a_run_costs_is_what_the_plan_says(tmp_path: Path) -> None:
    found = re.search(r"in all +(\d+) +(\d+)", run([sys.executable, "-m", "suites.cli", "--plan"], tmp_path))
    assert found is not None
    assert f"{found[1]} requests to a conforming target" in TEXT
    assert f"at most {found[2]} to a broken one" in TEXT
    assert f"by {found[1]} requests from one client" in TEXT


# ---------------------------------------------------------------------- CI


def test_the_github_workflow_uses_the_action_as_it_is() -> None:
    workflow = yaml.safe_load(next(block.text for block in BLOCKS if block.mark == "ci: github"))
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    job = workflow["jobs"]["conformance"]
    [step] = [step for step in job["steps"] if "delivery-conformance@" in step.get("uses", "")]
    assert set(step["with"]) <= set(action["inputs"])
    assert set(re.findall(r"steps\.conformance\.outputs\.([\w-]+)", str(workflow))) <= set(action["outputs"])
    assert {name: f"${{{{ secrets.{name} }}}}" for name in job["env"]} == job["env"]
    assert list(job["env"]) == re.findall(r'env = "(\w+)"', file("staging.toml"))


def test_the_gitlab_job_extends_the_template_as_it_is() -> None:
    pipeline = yaml.safe_load(next(block.text for block in BLOCKS if block.mark == "ci: gitlab"))
    [included] = pipeline.pop("include")
    template = yaml.safe_load((ROOT / included["file"]).read_text(encoding="utf-8"))
    [job] = pipeline.values()
    assert set(job["variables"]) <= set(template[job["extends"]]["variables"])
    assert job["variables"]["SUITE_REF"] == included["ref"]


# ---------------------------------------------------------------------- links


def _anchors(path: Path) -> set[str]:
    prose = _prose(path)
    return {
        re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in re.findall(r"(?m)^#+ (.*)$", prose)
    }


def _prose(path: Path) -> str:
    return re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "ci/README.md",
        "docs/attribution.md",
        *(f"docs/{page}.md" for page in PAGES),
    ],
)
def test_links_lead_somewhere(name: str) -> None:
    path = ROOT / name
    for link in re.findall(r"\]\(([^)\s]+)\)", _prose(path)):
        if link.startswith("https://"):
            continue
        place, _, anchor = link.partition("#")
        leads_to = path.parent / place if place else path
        assert leads_to.exists(), link
        if anchor:
            assert anchor in _anchors(leads_to), link


def test_files_that_are_named_are_there() -> None:
    named = set(re.findall(r"`((?:\.ci|ci|contracts|fixtures|reports|suites|docs)/[\w./-]+)`", TEXT + OTHERS))
    made_by_a_run = {"reports/out"}
    assert sorted(each for each in named - made_by_a_run if not (ROOT / each).exists()) == []
    ours = {
        path.name for folder in ("contracts", "fixtures", "reports", "suites") for path in (ROOT / folder).rglob("*.py")
    }
    assert sorted(set(re.findall(r"`((?:test_)?\w+\.py)`", CONTRIBUTING)) - ours) == []


def test_the_screenshot_is_small() -> None:
    assert (ROOT / "docs" / "report.png").stat().st_size < 300_000


def test_the_drawing_stands_alone() -> None:
    drawing = ElementTree.parse(ROOT / "docs" / "overview.svg").getroot()  # noqa: S314 -- a file of ours
    assert drawing.tag == "{http://www.w3.org/2000/svg}svg"
    for each in drawing.iter():
        assert each.tag.rpartition("}")[2] not in ("script", "image", "use")
        assert not [value for value in each.attrib.values() if "://" in value]


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 180
