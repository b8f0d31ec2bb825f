"""The terminal: progress, failures, gaps and the verdict, readable without colour and at any verbosity."""

from __future__ import annotations

import os
import pty
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import requests

from contracts.requirements import catalogue
from contracts.version import VERSION
from fixtures.emulator.threaded import ThreadedServer
from reports.formats.progress import Progress
from reports.formats.story import Story, story
from reports.formats.terminal import Summary
from reports.results import Results, TestOutcome, ViolationRecord
from suites.selfcheck.system.first_draft import first_draft
from suites.selfcheck.system.runs import ROOT, Finished, command, conform, environment, suite, target_file

pytestmark = pytest.mark.xdist_group("terminal")

BROKEN = "T6-subuser-create-refused"
ADVICE = "C4-other-schemes-refused"
SMOKE = ("--hypothesis-profile", "smoke")


class Paper:
    """A terminal that keeps what is written on it."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str, **markup: bool) -> None:
        self.text += text

    def write_line(self, text: str, **markup: bool) -> None:
        self.text += text + "\n"

    def rewrite(self, text: str, **markup: bool) -> None:
        self.text += "\r" + text

    def section(self, title: str, sep: str = "=", **markup: bool) -> None:
        self.text += f"{sep * 3} {title} {sep * 3}\n"


# ---------------------------------------------------------------------- a whole run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    return conform(
        tmp_path_factory.mktemp("terminal"), *SMOKE, "--requirement", "T6", "--requirement", "C4", "--requirement", "S1",
        faults=["subuser-creates", "bearer-accepted"],
    )  # fmt: skip


@pytest.mark.slow
def test_progress_is_a_line_for_each_kind(run: Finished) -> None:
    lines = run.output.splitlines()
    assert re.search(r"^success +(\d+)/\1$", run.output, re.MULTILINE)
    assert re.search(r"^state +1/1  1 failed$", run.output, re.MULTILINE)
    assert not [line for line in lines if re.fullmatch(r"[.sFE]{5,}.*", line)]
    assert "\x1b" not in run.output
    assert "\r" not in run.output


@pytest.mark.slow
def test_it_says_first_what_is_judged(run: Finished) -> None:
    assert run.output.splitlines()[:2] == [
        f"delivery-conformance {VERSION}, contract {VERSION}, profile platform",
        f"target: {run.document['target']['base_url']}",
    ]


@pytest.mark.slow
def test_a_failure_has_sentence_expected_got_calls_and_repeat(run: Finished) -> None:
    told = " ".join(run.output[run.output.index("what to repair first") :].split())
    violation = run.requirement(BROKEN)["violations"][0]
    for text in (
        f"{BROKEN} (MUST): {catalogue()[BROKEN].obligation}",
        f"expected: {violation['expected']}",
        f"got: {violation['actual']}",
        f"calls: {violation['calls']}",
        f"repeat: sh {run.folder / 'repeat' / 'T6.sh'}",
        f"{ADVICE} (SHOULD NOT): ",
    ):
        assert text in told
    assert violation["calls"].startswith("create by GET")
    # A MUST comes before a SHOULD, and pytest's own section of failures would tell it all again.
    assert told.index(BROKEN) < told.index(ADVICE)
    assert "FAILURES" not in run.output


@pytest.mark.slow
def test_nothing_of_pytests_is_shown(run: Finished) -> None:
    for text in ("test session starts", "rootdir", "plugins:", "collected ", "generated xml", " in 0.", "passed,"):
        assert text not in run.output, text
    for line in run.output.splitlines()[2:5]:
        assert re.match(r"(success|errors|calls|credentials|state) ", line), line


@pytest.mark.slow
def test_a_test_that_has_nothing_to_do_leaves_no_letter(tmp_path: Path) -> None:
    """With fixed accounts some tests are skipped: others verify the same. pytest would print an ``s`` for each."""
    with ThreadedServer() as server:
        fixed = {}
        for name in ("owner", "owner_without_session", "demo_without_session"):
            made = requests.post(server.states_url, json={"state": name, "action": "setup", "params": {}}, timeout=10)
            fixed[name] = made.json()["hash"]
        target = target_file(server, tmp_path / "target.toml", credentials=fixed)
        done = suite("--target", target, "--requirement", "T5", folder=tmp_path / "report")
    assert done.code == 0, done.output
    assert re.fullmatch(r"state +(\d+)/\1.*", done.output.splitlines()[2]), done.output


@pytest.mark.slow
def test_the_verdict_is_the_last_line(run: Finished) -> None:
    lines = run.output.splitlines()
    assert lines[-1].startswith("verdict: nonconformant (exit 1): ")
    assert lines[-2] == f"reports: {run.folder / 'conformance.html'}"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "there", "not_there"),
    [
        (("-q",), [BROKEN, "expected: ", "repeat: ", "verdict: "], ["target: ", "state  "]),
        (("-qq",), ["verdict: "], [BROKEN + " (MUST)", "target: "]),
        (("-v",), ["test_subuser_is_refused_create NONCONFORMANT", "> GET http://", "< HTTP 200", "source: "], []),
        (("-x",), ["stopping after 1 failure", BROKEN], []),
    ],
    ids=["q", "qq", "v", "x"],
)
def test_it_is_as_long_as_asked_for(
    tmp_path: Path, options: tuple[str, ...], there: list[str], not_there: list[str]
) -> None:
    done = conform(tmp_path, *SMOKE, "--requirement", "T6", *options, faults=["subuser-creates"])
    assert done.code == 1
    for text in there:
        assert text in " ".join(done.output.split()), done.output
    for text in not_there:
        assert text not in done.output, done.output
    assert done.output.splitlines()[-1].startswith("verdict: ")


@pytest.mark.slow
def test_a_conformant_run_takes_twenty_lines(tmp_path: Path) -> None:
    for _ in range(2):
        done = suite(folder=tmp_path, env={"COLUMNS": "80"})
        assert done.code == 0, done.output
    assert within(done.output, 20)
    assert "since the last run: nothing changed" in done.output


@pytest.mark.slow
def test_a_narrowed_run_that_passes_takes_eight_lines(tmp_path: Path) -> None:
    done = suite("--requirement", "T5", folder=tmp_path, env={"COLUMNS": "80"})
    assert done.code == 0
    assert within(done.output, 8)
    for name in catalogue():
        assert (f"passed: {name}\n" in done.output) == name.startswith("T5-")
    assert done.output.endswith("so this is no verdict on the target\n")


@pytest.mark.slow
def test_a_first_draft_takes_sixty_lines(tmp_path: Path) -> None:
    with first_draft() as address:
        target = tmp_path / "target.toml"
        target.write_text(f'base_url = "{address}/v2"\nprovider_states = {{ url = "{address}/_states" }}\n')
        done = suite("--target", target, folder=tmp_path / "report", env={"COLUMNS": "80"})
    assert done.code == 1
    broken = [each for each in done.document["requirements"] if each["result"] in ("failed", "warning")]
    assert len(broken) >= 8
    assert within(done.output, 60)
    told = done.output[done.output.index("what to repair first") :]
    assert all(each["id"] in told for each in broken)


def within(output: str, most: int) -> bool:
    """Whether *output* fits on so many lines of 80 columns, but for what is to be copied whole, and breaks no id."""
    lines = output.splitlines()
    assert len(lines) <= most, output
    assert [line for line in lines if len(line) > 80 and not re.match(r" *(repeat|reports|target):", line)] == []
    names = re.findall(r"\b[SECABTPR][0-9](?:-[a-z0-9]+)+", output)
    assert [name for name in names if name not in catalogue()] == []
    return True


@pytest.mark.slow
def test_a_terminal_is_told_in_place(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command("--requirement", "S1", "--report-dir", tmp_path / "report"),
        cwd=ROOT,
        env=environment({"TERM": "xterm"}),
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    written = b""
    try:
        while chunk := os.read(ours, 65536):
            written += chunk
    except OSError:  # the other side is closed
        pass
    process.wait(timeout=60)
    os.close(ours)
    text = written.decode()
    assert process.returncode == 0, text
    assert re.search(r"\rsuccess +1/12", text)
    assert re.search(r"\rsuccess +12/12 *\r?\n", text)


@pytest.mark.slow
def test_a_wrong_option_is_one_line(tmp_path: Path) -> None:
    done = suite("--profile", "gold", folder=tmp_path)
    assert done.code == 4
    assert done.output == "delivery-conformance: --profile 'gold' is unknown; there are core, platform\n"


# ---------------------------------------------------------------------- the parts


def test_progress_on_paper_says_each_kind_once() -> None:
    paper = Paper()
    progress = Progress(paper, {"bad_input": 2, "state": 3}, live=False)
    for group, word in (
        ("bad_input", "passed"),
        ("bad_input", "failed"),
        ("state", "not_verified"),
        ("state", "passed"),
    ):
        progress.add(group, word)
    progress.close()
    assert paper.text == "bad input             2/2  1 failed\nstate                 2/3  1 not verified\n"


def test_progress_breaks_a_long_silence() -> None:
    paper = Paper()
    now = [0.0]
    progress = Progress(paper, {"state": 100}, live=False, clock=lambda: now[0])
    for _ in range(70):
        now[0] += 1
        progress.add("state", "passed")
    assert paper.text.splitlines() == ["state              31/100", "state              62/100"]


def entry(name: str, result: str, **more: Any) -> dict[str, Any]:
    """A requirement as ``conformance.json`` has it."""
    known = catalogue()[name]
    violation: dict[str, Any] = {
        "message": "what was seen", "expected": "this", "actual": "that", "possible": [], "calls": "read by GET: once",
        "repeat": "#!/bin/sh\ncurl", "exchange": None,
    }  # fmt: skip
    return {
        "id": name, "level": known.level, "profile": known.profile, "title": known.title, "obligation": known.obligation,
        "sources": ["DELIVERY: read"], "references": [], "result": result, "reason": None, "how_to_verify": None,
        "tests": ["t"], "blocked_by": [], "operations": None,
        "violations": [violation] if result in ("failed", "warning", "waived") else [], **more,
    }  # fmt: skip


def report(*entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A report with *entries*; every other requirement passed."""
    known = {each["id"]: each for each in entries}
    return {
        "suite": {"name": "delivery-conformance", "version": "1"}, "contract": {"version": "1", "sha256": "0" * 64},
        "target": {"base_url": "http://127.0.0.1/v2", "embedded": False, "profile": "platform"},
        "run": {"options": [], "hypothesis_profile": "standard", "rotation": True, "selection": []},
        "verdict": "nonconformant", "exit_code": 1, "exit_reason": "1 MUST failed", "seconds": 1.0, "requests": 9,
        "keys_created": 3, "requests_by_group": {}, "creates_by_account": {}, "waivers": [], "complete": True,
        "requirements": [known.get(name) or entry(name, "passed") for name in catalogue()], **more,
    }  # fmt: skip


def shown(
    document: dict[str, Any], *, previous: dict[str, Any] | None = None, verbosity: int = 0, width: int = 80
) -> str:
    paper = Paper()
    Summary(document, Path("out"), previous=previous, verbosity=verbosity, width=width).write(paper)
    return paper.text


T1, T2, T3, T8 = (
    "T1-create-gives-new-key",
    "T2-read-gives-last-created",
    "T3-read-changes-nothing",
    "T8-concurrent-creates",
)


def test_causes_come_before_consequences() -> None:
    names = list(catalogue())
    first, second, third = names[1], names[3], names[20]
    document = report(
        entry(first, "failed"),
        entry(second, "failed"),
        entry(third, "failed"),
        *(entry(name, "blocked", reason="…", blocked_by=[third]) for name in names[30:34]),
        entry(names[35], "blocked", reason="…", blocked_by=[second]),
        entry(names[36], "blocked", reason="…", blocked_by=[third, second]),
    )
    text = shown(document)
    assert text.index(f"{third} (") < text.index(f"{second} (") < text.index(f"{first} (")
    assert f"blocked by {second}: {names[35]}\n" in text
    tags = ", ".join(dict.fromkeys(name.partition("-")[0] for name in [*names[30:34], names[36]]))
    assert f"blocked by {third} and others: {tags}\n" in text


def test_what_is_blocked_takes_a_line_for_each_cause() -> None:
    first, second, *others = catalogue()
    causes = ([first], [second], [second, first], [first, second])
    blocked = [entry(name, "blocked", reason="…", blocked_by=by) for name, by in zip(others, causes * 12, strict=False)]
    text = shown(report(entry(first, "failed"), entry(second, "failed"), *blocked))
    lines = [line for line in text.splitlines() if line.startswith("blocked by ")]
    assert len(lines) == 2
    assert all(
        re.fullmatch(r"blocked by \S+( and others)?: [A-Z]\d(, [A-Z]\d)*( and \d+ more)?", line) for line in lines
    )
    assert max(map(len, lines)) <= 80


def test_what_else_it_may_be_is_said() -> None:
    broken = entry(T2, "failed")
    broken["violations"][0]["possible"] = [T3]
    assert f"  or it is: {T3}\n" in shown(report(broken))


def test_what_cannot_be_repeated_says_so() -> None:
    broken = entry(T2, "failed")
    broken["violations"][0]["repeat"] = "not repeatable: it takes calls at the same time"
    assert "  repeat:   not repeatable: it takes calls at the same time\n" in shown(report(broken))


def test_a_gap_is_a_line_for_its_reason_and_what_to_do() -> None:
    gap = {"reason": "rotation is not allowed: staging", "how_to_verify": "give --allow-key-rotation"}
    operations = {"operations": {"read": "passed", "create": "not_verified"}}
    text = shown(
        report(*(entry(name, "not_verified", **gap, **operations) for name in (T1, T2)), verdict="inconclusive")
    )
    assert (
        "not verified: T1, T2 (read: passed; create: not verified): rotation is not\n  allowed: staging\n"
        "  to do: give --allow-key-rotation\n"
    ) in text


def test_operations_that_differ_stand_apart() -> None:
    gap = {"reason": "rotation is not allowed", "how_to_verify": "give --allow-key-rotation"}
    operations = {"operations": {"create": "not_verified", "read": "passed"}}
    entries = (entry(T1, "not_verified", **gap), entry(T2, "not_verified", **gap, **operations))
    assert (
        "not verified: rotation is not allowed\n"
        f"  {T1}\n"
        f"  {T2} (read: passed; create: not verified)\n"
        "  to do: give --allow-key-rotation\n"
    ) in shown(report(*entries, verdict="inconclusive"))


@pytest.mark.parametrize(
    ("tests", "why"),
    [
        (["t"], "narrowed, so this is no verdict on the target"),
        ([], "no test was selected, so there is no verdict"),
    ],
)
def test_a_narrowed_run_says_whether_any_test_was_run(tests: list[str], why: str) -> None:
    narrowed = {"options": [], "hypothesis_profile": "standard", "rotation": True, "selection": ["-k x"]}
    entries = (entry(name, "not_verified", reason="r", tests=tests) for name in catalogue())
    text = shown(report(*entries, verdict="inconclusive", exit_code=5, run=narrowed))
    assert text.splitlines()[-1] == f"verdict: inconclusive (exit 5): {why}"


def test_accounts_that_are_missing_are_one_thing_to_do() -> None:
    gaps = {T1: "no account owner", T2: "no account subuser"}
    entries = (entry(name, "not_verified", reason=why, how_to_verify="name one") for name, why in gaps.items())
    assert (f"not verified: {T1}: no account owner;\n  {T2}: no account subuser\n  to do: name one\n") in shown(
        report(*entries, verdict="inconclusive")
    )


def test_a_reason_that_many_share_still_is_said() -> None:
    gap = {"reason": "no answer to the first request", "how_to_verify": "see why"}
    text = shown(report(*(entry(name, "not_verified", **gap) for name in catalogue()), verdict="unreachable"))
    assert max(map(len, text.splitlines())) <= 80
    assert "more: no answer to the first request to do: see why " in " ".join(text.split()) + " "


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variables", "coloured"),
    [({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False), ({}, False)],
)
def test_colours_are_kept_to_what_was_asked(tmp_path: Path, variables: dict[str, str], coloured: bool) -> None:
    environ = {"NO_COLOR": "", **variables}
    done = conform(tmp_path, *SMOKE, "--requirement", "T6", faults=["subuser-creates"], env=environ)
    assert ("\x1b[31m" in done.output.splitlines()[-1]) == coloured
    assert ("\x1b[" in done.output) == coloured


def test_what_changed_since_the_last_run() -> None:
    before = report(entry(T1, "failed"), entry(T2, "failed"))
    text = shown(report(entry(T2, "failed"), entry(T3, "failed")), previous=before)
    assert f"since the last run: worse {T3}; better\n  {T1}\n" in text
    away = report(entry(T2, "not_verified"), verdict="unreachable")
    assert "since the last run" not in shown(away, previous=before)
    assert "since the last run" not in shown(before, previous=away)
    narrowed = report(entry(T2, "failed"), run={**before["run"], "selection": ["-k x"]})
    assert "since the last run" not in shown(narrowed, previous=before)


@pytest.mark.parametrize("broken", [1, 5, 12, 30, 48])
@pytest.mark.parametrize("width", [80, 120])
def test_it_fits_however_much_is_broken(broken: int, width: int) -> None:
    names = list(catalogue())
    text = shown(report(*(entry(name, "failed") for name in names[:broken])), width=width)
    lines = text.splitlines()
    assert len(lines) <= 45, text
    assert max(map(len, lines)) <= width
    assert all(name in text for name in names[: min(broken, 12)])
    assert ("  expected: this" in text) == (broken < 40)
    assert lines[-1].startswith("verdict: ")


def test_verbose_shows_all() -> None:
    names = list(catalogue())
    text = shown(report(*(entry(name, "failed") for name in names)), verbosity=1)
    assert text.count("  expected: ") == len(names)
    assert " ".join(catalogue()[names[-1]].obligation.split()) in " ".join(text.split())


def test_long_things_are_cut() -> None:
    broken = entry(T2, "failed")
    broken["violations"][0] |= {"message": "m " * 5000, "expected": "e " * 5000, "actual": "a" * 5000}
    lines = shown(report(broken)).splitlines()
    assert len(lines) < 20
    assert max(len(line) for line in lines) <= 420


def test_what_the_target_says_cannot_command_a_terminal() -> None:
    broken = entry(T2, "failed")
    broken["violations"][0]["actual"] = (
        "\x1b[2J\x07title\u202e ##[error]x ##vso[x] " + "y" * 50 + "\n::error::" + "x" * 60
    )
    for verbosity in (0, 1):
        text = shown(report(broken), verbosity=verbosity)
        assert not set("\x1b\x07\u202e") & set(text)
        assert r"\x1b[2J\x07title\u202e # #[error]x # #vso[x]" in " ".join(text.split())
        assert not [line for line in text.splitlines() if line.lstrip().startswith("::")]


def test_a_story_names_each_requirement_once() -> None:
    record = ViolationRecord(
        BROKEN, "what it did", "this", "that", {"request": "GET /", "response": "HTTP 200", "curl": "curl"}, "curl"
    )
    told = story(TestOutcome("t", "Title", {}, tuple([record] * 12)))
    assert told.startswith("Title\n")
    assert told.count(catalogue()[BROKEN].obligation) == 1
    assert told.count("seen:") == 8
    assert told.count("> GET /") == 2
    assert "… and 4 more violations of it" in told


def test_a_story_has_a_line_for_junit() -> None:
    told = Story.of("all of it", "in short")
    assert (str(told), told.reprcrash.message) == ("all of it", "in short")


def test_reasons_are_all_told_but_not_without_end() -> None:
    results = Results("platform")
    for number in range(6):
        results.add(TestOutcome(f"t{number}", "t", {BROKEN: ("not_verified", f"reason {number}")}))
    [entry] = [each for each in results.requirements() if each.requirement.id == BROKEN]
    assert entry.reason == "reason 0; reason 1; reason 2; and 3 more"
