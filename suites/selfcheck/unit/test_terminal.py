"""The terminal: progress, failures, gaps and the verdict, readable without colour and at any verbosity."""

from __future__ import annotations

import os
import pty
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from contracts.requirements import catalogue
from reports.formats.progress import Progress
from reports.formats.terminal import Story, Summary, story
from reports.results import Results, TestOutcome, ViolationRecord
from suites.selfcheck.system.runs import ROOT, Finished, command, conform, environment, suite

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


def test_progress_is_a_line_for_each_kind(run: Finished) -> None:
    lines = run.output.splitlines()
    assert re.search(r"^success +(\d+)/\1$", run.output, re.MULTILINE)
    assert re.search(r"^state +1/1  1 failed$", run.output, re.MULTILINE)
    assert not [line for line in lines if re.fullmatch(r"[.sFE]{5,}.*", line)]
    assert "\x1b" not in run.output
    assert "\r" not in run.output


def test_it_says_first_what_is_judged(run: Finished) -> None:
    assert f"target: {run.document['target']['base_url']}, profile platform" in run.output


def test_a_failure_has_sentence_expected_actual_and_curl(run: Finished) -> None:
    place = run.output.index(f"FAILED: {BROKEN} (MUST)")
    told = " ".join(run.output[place : run.output.index("\n\n", place)].split())
    violation = run.requirement(BROKEN)["violations"][0]
    for text in (
        catalogue()[BROKEN].obligation,
        f"source: {'; '.join(run.requirement(BROKEN)['sources'])}",
        f"what: {violation['message']}",
        f"expected: {violation['expected']}",
        f"actual: {violation['actual']}",
        f"repeat: {violation['script']}",
    ):
        assert text in told
    assert f"WARNING: {ADVICE} (SHOULD NOT)" in run.output
    # pytest's own section of failures would tell it all again.
    assert "= FAILURES =" not in run.output


def test_it_ends_with_the_gaps_what_was_sent_and_the_verdict(run: Finished) -> None:
    lines = run.output.splitlines()
    place = next(number for number, line in enumerate(lines) if " conformance =" in line)
    tail = "\n".join(lines[place:])
    assert "why: none of its tests was run" in tail
    assert "how to verify: run everything: this run was narrowed to --requirement T6" in " ".join(tail.split())
    assert re.search(r"^sent: \d+ requests in \d+\.\d s: setup 1, main path \d+, ", tail, re.MULTILINE)
    assert re.search(r"^creates as: owner \d+, ", tail, re.MULTILINE)
    assert f"reports: {run.folder}" in tail
    assert f"verdict: nonconformant (exit 1): {run.document['exit_reason']}" in tail
    assert tail.index("FAILED:") < tail.index("not verified:") < tail.index("requirements:") < tail.index("verdict:")


@pytest.mark.parametrize(
    ("options", "there", "not_there"),
    [
        (("-q",), ["FAILED: T6", "expected: ", "repeat: ", "verdict: "], ["rootdir", "state  "]),
        (("-qq",), ["requirements: ", "verdict: "], ["FAILED: T6", "rootdir"]),
        (("-v",), ["test_subuser_is_refused_create NONCONFORMANT", "> GET http://", "< HTTP 200"], []),
        (("--tb=no",), ["FAILED: T6", "verdict: "], ["expected: ", "repeat: "]),
        (("--tb=line",), ["FAILED: T6", "create by get-query as a sub-user"], ["repeat: "]),
        (("-x",), ["FAILED: ", "narrowed to --requirement T6, -x", "stopping after 1 failure"], []),
    ],
    ids=["q", "qq", "v", "tb-no", "tb-line", "x"],
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


def summary(document: dict[str, Any], verbosity: int = 0, width: int = 100) -> str:
    paper = Paper()
    Summary(paper, document, Path("out"), verbosity=verbosity, style="auto", width=width).write()
    return paper.text


def long_document(run: Finished) -> dict[str, Any]:
    document = run.document
    entry = next(each for each in document["requirements"] if each["id"] == BROKEN)
    entry["violations"][0] |= {
        "message": "m " * 5000,
        "expected": "e" * 5000,
        "actual": None,
        "script": "curl " + "x" * 9000,
    }
    entry["violations"] = entry["violations"][:1] * 30
    for each in document["requirements"][:40]:
        each |= {"result": "failed", "violations": entry["violations"]}
    return document


def test_long_things_are_cut(run: Finished) -> None:
    text = summary(long_document(run))
    assert len(text) < 45_000
    assert max(map(len, text.splitlines())) < 900
    assert "… and 27 more violations of it" in text
    assert text.count("repeat:") == 12
    assert text.count("FAILED: ") > 40


@pytest.mark.parametrize("width", [20, 80, 200])
def test_prose_keeps_to_the_width(run: Finished, width: int) -> None:
    text = summary(run.document, width=width)
    unbroken = ("curl ", "verdict:", "source:", "reports:")
    prose = [line for line in text.splitlines() if not any(word in line for word in unbroken)]
    assert max(map(len, prose)) <= max(60, min(120, width)) + 1


def test_a_story_names_each_requirement_once() -> None:
    record = ViolationRecord(
        BROKEN, "what it did", "this", "that", {"request": "GET /", "response": "HTTP 200", "curl": "curl"}, "curl"
    )
    told = story(TestOutcome("t", "Title", {}, tuple([record] * 12)))
    assert told.startswith("Title\n")
    assert told.count(catalogue()[BROKEN].obligation) == 1
    assert told.count("what:") == 8
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
