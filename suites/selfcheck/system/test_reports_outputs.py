"""The files of a run: complete, valid, agreeing with each other, and never more than the run has earned."""

from __future__ import annotations

import copy
import json
import os
import re
import signal
import socket
import string
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any, get_args
from xml.etree import ElementTree

import pytest
from junitparser import JUnitXml

from contracts.requirements import catalogue
from contracts.schemas import validator
from fixtures.emulator.threaded import ThreadedServer
from fixtures.errors import SetupError
from fixtures.secrets import Vault
from reports.allure import history
from reports.allure.folder import CATEGORIES, title
from reports.directory import _MARK, _MARKED, take
from reports.formats import badge, document, markdown, page
from reports.results import Verdict
from reports.words import visible, where
from suites.selfcheck.system.runs import ROOT, Finished, command, conform, environment, suite, target_file

pytestmark = pytest.mark.xdist_group("outputs")

BROKEN = "T6-subuser-create-refused"
ADVICE = "P2-not-publicly-cacheable"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A run in which something failed, something is a warning, something is waived and something was not verified."""
    folder = tmp_path_factory.mktemp("outputs")
    waivers = folder / "waivers.toml"
    waivers.write_text(
        '[[waiver]]\nrequirement = "T7-tariff-create-refused"\nreason = "known"\nexpires = 2999-12-31\n',
        encoding="utf-8",
    )
    done = conform(
        folder, "--waivers", waivers, "-k", "not ended", faults=["subuser-creates", "tariff-is-13", "cache-public"]
    )
    assert done.code == 1, done.output
    return done


@pytest.fixture(scope="module")
def results(run: Finished) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted((run.folder / "allure-results").glob("*-result.json"))]


def labels(result: dict[str, Any], name: str) -> list[str]:
    return [each["value"] for each in result["labels"] if each["name"] == name]


# ---------------------------------------------------------------------- conformance.json


def test_the_document_is_valid(run: Finished) -> None:
    assert [error.message for error in validator("report").iter_errors(run.document)] == []
    assert run.document["complete"] is True
    assert list(run.document)[-1] == "complete"
    assert [each["id"] for each in run.document["requirements"]] == list(catalogue())
    assert run.document["run"]["selection"] == ["-k not ended"]


def test_what_is_not_verified_says_why_and_how(run: Finished) -> None:
    entry = run.requirement("A2-ended-hash-refused")
    assert entry["result"] == "not_verified"
    assert entry["reason"] == "none of its tests was run"
    assert entry["how_to_verify"] == "run everything: this run was narrowed to -k not ended"
    assert run.requirement("S1-success-is-200")["how_to_verify"] is None


def test_a_violation_has_all_that_a_reader_needs(run: Finished) -> None:
    violation = run.requirement(BROKEN)["violations"][0]
    assert violation["expected"] == "an error with code 13"
    assert violation["exchange"]["request"].startswith("GET http://127.0.0.1:")
    assert violation["exchange"]["response"].startswith("HTTP 200")
    assert "$DELIVERY_SUBUSER_HASH" in violation["exchange"]["curl"]
    assert "$DELIVERY_SUBUSER_HASH" in violation["repeat"]
    assert violation["calls"].startswith("create by GET")
    assert (run.folder / "repeat" / "T6.sh").read_text(encoding="utf-8") == violation["repeat"] + "\n"
    entry = run.requirement(BROKEN)
    assert (entry["blocked_by"], entry["operations"], violation["possible"]) == ([], {"create": "failed"}, [])
    assert {each["document"]: bool(each["url"]) for each in entry["references"]}.get("DELIVERY") is True


def test_every_form_counts_the_same(run: Finished, results: list[dict[str, Any]]) -> None:
    tests = run.document["tests"]
    skipped = ("warning", "waived", "blocked", "not_verified")
    expected = {
        "failed": tests["failed"],
        "broken": tests["error"],
        "passed": tests["passed"],
        "skipped": sum(tests[word] for word in skipped),
    }
    assert expected["failed"] > 0
    assert expected["skipped"] > 0
    counted = Counter(each["status"] for each in results)
    assert {word: counted[word] for word in expected} == expected
    junit = JUnitXml.fromfile(str(run.folder / "junit.xml"))
    assert junit.tests == sum(expected.values())
    assert (junit.failures, junit.errors, junit.skipped) == (
        expected["failed"],
        expected["broken"],
        expected["skipped"],
    )


def test_junit_puts_the_word_first(run: Finished) -> None:
    tree = JUnitXml.fromfile(str(run.folder / "junit.xml"))
    messages = [str(result.message) for tests in tree for case in tests for result in case.result]
    assert any(message.startswith(f"warning: {ADVICE}: ") for message in messages)
    assert any(message.startswith("waived: T7-tariff-create-refused: ") for message in messages)
    assert any(message.startswith(f"{BROKEN}: ") for message in messages)
    assert all(len(message) < 2_000 for message in messages)


def test_a_test_says_what_explains_it(tmp_path: Path) -> None:
    """A blocked test names the cause, and so does one that fails for what another requirement explains."""
    done = conform(
        tmp_path, "--requirement", "C2", "--requirement", "T3", "-k", "style or read", faults=["read-rotates"]
    )
    said = {}
    for path in (done.folder / "allure-results").glob("*-result.json"):
        result = json.loads(path.read_text(encoding="utf-8"))
        said[result["fullName"].rpartition("::")[2]] = result.get("statusDetails", {}).get("message", "")
    blocked = [name for name, message in said.items() if message.startswith("blocked by T3-read-changes-nothing: ")]
    assert blocked, said
    junit = JUnitXml.fromfile(str(done.folder / "junit.xml"))
    messages = {case.name: str(result.message) for tests in junit for case in tests for result in case.result}
    assert messages[blocked[0]].startswith("blocked by T3-read-changes-nothing: ")


@pytest.mark.parametrize("fault", ["form-refused-in-create", "read-once", "second-read-is-stale"])
def test_what_is_blocked_is_blocked_by_something(fault: str, tmp_path: Path) -> None:
    """Also where a test by itself takes its own requirement for broken, and the whole run shows that another one is."""
    done = conform(tmp_path, faults=[fault])
    blocked = {each["id"]: each["blocked_by"] for each in done.document["requirements"] if each["result"] == "blocked"}
    assert blocked
    broken = {each["id"] for each in done.document["requirements"] if each["result"] == "failed"}
    assert {name: causes for name, causes in blocked.items() if not causes or not broken.issuperset(causes)} == {}


def test_junit_is_arranged_by_requirement(run: Finished) -> None:
    text = (run.folder / "junit.xml").read_text(encoding="utf-8")
    for place in ("hostname", str(ROOT), sys.prefix, socket.gethostname()):
        assert place not in text
    names = []
    for suite_ in JUnitXml.fromfile(str(run.folder / "junit.xml")):
        name = str(suite_.name).partition(": ")[0]
        names.append(name)
        assert name in catalogue()
        assert all(str(case.classname).startswith(f"{name}.test_") for case in suite_)
        assert suite_.tests == len(list(suite_))
    assert names == [name for name in catalogue() if name in names]
    assert {BROKEN, "S1-success-is-200"} <= set(names)


def test_no_report_names_this_machine(run: Finished) -> None:
    for path in run.folder.rglob("*"):
        if path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace")
            assert str(ROOT) not in text, path
            assert str(run.folder) not in text, path
    assert "target.toml" in run.document["run"]["options"]


# ---------------------------------------------------------------------- the page and the badge


def test_the_page_loads_nothing_and_runs_nothing(run: Finished) -> None:
    text = (run.folder / "conformance.html").read_text(encoding="utf-8")
    assert re.search(
        r"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src &#39;none&#39;; style-src &#39;sha256-",
        text,
    )
    assert not re.search(r"<(script|img|iframe|link|object|embed|form|video)\b|\bon[a-z]+=|\bsrc=|url\(|@import", text)
    links = re.findall(r'href="([^"]*)"', text)
    ids = re.findall(r' id="([^"]*)"', text)
    assert len(ids) == len(set(ids))
    assert [link for link in links if link.startswith("#") and link[1:] not in ids] == []
    known = {source.url for entry in catalogue().values() for source in entry.sources if source.url}
    assert {link for link in links if not link.startswith("#")} <= known
    assert set(catalogue()) <= set(ids)


def test_the_page_says_all_that_a_reviewer_asks(run: Finished) -> None:
    text = unescape(" ".join((run.folder / "conformance.html").read_text(encoding="utf-8").split()))
    violation = run.requirement(BROKEN)["violations"][0]
    for said in (
        "<h1>Nonconformant</h1>", run.document["target"]["base_url"], run.document["started"],
        f"contract {run.document['contract']['version']}", violation["expected"], violation["actual"],
        where(violation["message"], violation["actual"]),
        violation["calls"], " ".join(violation["repeat"].split()), "GET http://127.0.0.1:", "To do: run everything",
        'id="decision-S4-key-form"', "the alphabet is taken from the documented examples", "T7-tariff-create-refused",
    ):  # fmt: skip
        assert said in text, said


def test_what_a_target_says_stays_text_in_the_page(run: Finished) -> None:
    evil = "</pre></style><script>alert(1)</script><img src=x onerror=alert(1)>{{ 913*817 }} \x1b[2J\u202e\ud800&amp;"
    document_ = copy.deepcopy(run.document)
    for each in document_["requirements"]:
        each["reason"] = each["how_to_verify"] = evil
        for violation in each["violations"]:
            violation.update(message=evil, expected=evil, actual=evil, repeat=evil, calls=evil, possible=[evil])
            violation["exchange"] = {"request": evil, "response": evil, "curl": evil}
    document_["target"]["base_url"] = document_["exit_reason"] = evil
    for text in (page.render(document_), badge.svg({**document_, "target": {"profile": evil}})):
        text.encode("utf-8")
        assert "<script" not in text
        assert "<img" not in text
        # A template that is worked out, and no number that a report has by itself.
        assert str(913 * 817) not in text
        assert not set("\x1b\u202e") & set(text)


def test_the_badge_says_verdict_profile_and_contract(run: Finished) -> None:
    said = f"nonconformant, platform, contract {run.document['contract']['version']}"
    shield = json.loads((run.folder / "badge.json").read_text(encoding="utf-8"))
    assert shield == {"schemaVersion": 1, "label": "delivery sessions", "message": said, "color": "red"}
    picture = ElementTree.fromstring((run.folder / "badge.svg").read_text(encoding="utf-8"))  # noqa: S314 (our own)
    texts = [element.text for element in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert texts == ["delivery sessions", said]
    for verdict in get_args(Verdict):
        assert badge.message({**run.document, "verdict": verdict}).startswith(verdict.replace("_", " "))
        assert badge.svg({**run.document, "verdict": verdict})


# ---------------------------------------------------------------------- conformance.md


def test_the_summary_begins_with_the_verdict(run: Finished) -> None:
    text = (run.folder / "conformance.md").read_text(encoding="utf-8")
    prose = re.sub(r"^(```+)\w*\n.*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    headings = [line for line in prose.splitlines() if line.startswith(("# ", "## "))]
    assert headings == [
        "# Verdict: nonconformant",
        "## Failed: what to repair first",
        "## Warnings: a SHOULD is not kept",
        "## Waivers",
        "## Not verified",
        "## All requirements",
    ]
    assert run.document["exit_reason"].partition(":")[0] in text.splitlines()[2]
    assert f"### {BROKEN}: " in text
    assert "- expected: an error with code 13" in text
    assert "```sh\n#!/bin/sh\n" in text
    assert "to do: run everything: this run was narrowed to -k not ended" in text
    assert len(text.encode()) < 1_000_000  # what a job summary may hold
    table = text[text.index("## All requirements") :]
    assert sum(line.startswith(tuple(f"| {name} |" for name in catalogue())) for line in table.splitlines()) == len(
        catalogue()
    )


# ---------------------------------------------------------------------- Allure


def test_no_two_tests_share_a_history(results: list[dict[str, Any]]) -> None:
    assert len({each["historyId"] for each in results}) == len(results) > 100
    assert len({each["testCaseId"] for each in results}) == len(results)


def test_titles_and_places(results: list[dict[str, Any]]) -> None:
    for each in results:
        assert "test_" not in each["name"]
        assert len(each["name"]) <= 60
        row = each["fullName"].partition("[")[2].rpartition("]")[0].replace("-", " ")
        assert each["name"].startswith(row[:50])
        [letter], [suite] = labels(each, "parentSuite"), labels(each, "suite")
        assert suite in catalogue()
        assert letter.startswith(f"{suite[0]}: ")
        assert labels(each, "subSuite") == []
        # One story, so that each test is counted once among the behaviours too.
        assert [story.partition(":")[0] for story in labels(each, "story")] == [suite]
        assert labels(each, "epic")[0] in ("create", "read", "create and read")
        assert labels(each, "feature")[0][:3] in ("S: ", "E: ", "C: ", "A: ", "B: ", "T: ", "P: ", "R: ")
        assert set(labels(each, "tag")) <= set(catalogue())
        assert not labels(each, "host")
        assert not labels(each, "thread")
        about = [catalogue()[name] for name in labels(each, "tag")]
        assert bool(each.get("links")) == any(source.url for entry in about for source in entry.sources)


def test_severity_follows_the_level(results: list[dict[str, Any]]) -> None:
    for each in results:
        own = [catalogue()[name.partition(":")[0]] for name in labels(each, "story")]
        [severity] = labels(each, "severity")
        if any(entry.binding for entry in own):
            assert severity in ("blocker", "critical")
        else:
            assert severity in ("normal", "trivial")


def test_a_failed_test_tells_the_whole_story(run: Finished, results: list[dict[str, Any]]) -> None:
    [failed] = [each for each in results if each["status"] == "failed" and BROKEN in labels(each, "tag")]
    assert failed["statusDetails"]["message"] == f"{BROKEN} (MUST): {catalogue()[BROKEN].obligation}"
    assert "an error with code 13" in failed["descriptionHtml"]
    assert "$DELIVERY_SUBUSER_HASH" in failed["descriptionHtml"]
    guilty = [step for step in failed["steps"] if step["status"] == "failed"]
    assert guilty
    [attached] = guilty[0]["attachments"]
    text = (run.folder / "allure-results" / attached["source"]).read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if line.startswith("---")] == [
        "--- request ---",
        "--- response ---",
        "--- curl ---",
    ]
    assert guilty[0]["name"].startswith("create as subuser (GET, query) → HTTP 200, success, «key ")


def test_steps_are_bounded_and_their_files_there(run: Finished, results: list[dict[str, Any]]) -> None:
    folder = run.folder / "allure-results"
    for each in results:
        assert len(each.get("steps", [])) <= 41
        for step in each.get("steps", []):
            assert all((folder / attached["source"]).is_file() for attached in step.get("attachments", []))
    assert any(each.get("steps") for each in results if each["status"] == "passed")
    assert list(folder.glob("*-container.json")) == []


def test_the_folder_says_what_was_run(run: Finished) -> None:
    folder = run.folder / "allure-results"
    said = (folder / "environment.properties").read_text(encoding="utf-8")
    document = run.document
    assert said.startswith("Verdict=nonconformant: ")
    for text in (document["target"]["base_url"], "Profile=platform", document["suite"]["version"], "Account\\ owner="):
        assert text in said
    assert document["contract"]["sha256"][:12] in said
    assert json.loads((folder / "categories.json").read_text()) == [dict(each) for each in CATEGORIES]
    assert json.loads((folder / "executor.json").read_text())["buildOrder"] == 1


def test_every_ending_has_a_category_of_its_own(results: list[dict[str, Any]]) -> None:
    titles = {name: f"{name}: {catalogue()[name].title}" for name in catalogue()}
    found = {history.category(each) for each in results if each["status"] != "passed"}
    assert {titles[BROKEN], f"Warning: {titles[ADVICE]}", f"Waived: {titles['T7-tariff-create-refused']}"} <= found
    assert None not in found
    words = {"blocked: x": "Blocked by another failure", "blocked by E1: x": "Blocked by another failure"}
    words |= {"not verified: x": "Not verified", "": "Not run to its end"}
    for message, name in words.items():
        assert history.category({"status": "skipped", "statusDetails": {"message": message}}) == name
    assert history.category({"status": "broken"}) == "Broken set-up"
    assert history.category({"status": "passed"}) is None


def test_each_category_has_messages_of_its_own() -> None:
    """A test counts in one category: no message fits two of them."""
    for name in catalogue():
        for status, word in (("failed", ""), ("skipped", "warning: "), ("skipped", "waived: ")):
            message = f"{word}{name} (MUST): a sentence\nS1-success-is-200 (MUST): another"
            fitting = [
                each["name"] for each in CATEGORIES
                if status in str(each["matchedStatuses"]) and re.match(str(each.get("messageRegex", "")), message)
            ]  # fmt: skip
            assert len(fitting) == 1, fitting


def test_each_target_has_a_history_of_its_own(tmp_path: Path) -> None:
    results = tmp_path / "allure-results"
    results.mkdir()
    for number, target in enumerate(["one", "two", "one", "one", "two"], 1):
        history.fold(results, target)
        found = json.loads((results / "history" / "history-trend.json").read_text()) if number > 2 else []
        assert [each["data"]["total"] for each in found] == [1] * [0, 0, 0, 1, 2, 1][number], number
        result = {"uuid": str(number), "historyId": target, "status": "passed", "start": 1000, "stop": 1500}
        (results / "1-result.json").write_text(json.dumps(result))
        history.record(results, history.next_build(results))


def test_the_allure_report_is_named_after_verdict_and_target(run: Finished) -> None:
    executor = json.loads((run.folder / "allure-results" / "executor.json").read_text())
    url = run.document["target"]["base_url"]
    assert executor["reportName"] == title(run.document) == f"nonconformant: {url}, profile platform"


# ---------------------------------------------------------------------- from run to run


def test_the_history_goes_on_and_only_it_outlives_a_run(tmp_path: Path) -> None:
    folder = tmp_path / "report"
    results = folder / "allure-results"
    for number in range(1, 24):
        take(folder).release()
        history.fold(results, "a target")
        assert [path.name for path in folder.iterdir() if path.name != ".delivery-conformance"] in (
            ["allure-results"],
            [],
        )
        assert history.next_build(results) == number
        results.mkdir(exist_ok=True)
        status = "passed" if number % 2 else "failed"
        result = {"uuid": str(number), "historyId": "a", "status": status, "start": 1000, "stop": 1500}
        (results / "1-result.json").write_text(json.dumps(result))
        assert history.record(results, number)[status] == 1
        # However often the report is made, the run is not yet in its own history.
        assert history.next_build(results) == number
    trend = json.loads((results / "history" / "history-trend.json").read_text())
    assert [each["buildOrder"] for each in trend] == list(range(22, 2, -1))
    assert trend[0]["data"] == {"failed": 1, "broken": 0, "skipped": 0, "passed": 0, "unknown": 0, "total": 1}
    items = json.loads((results / "history" / "history.json").read_text())["a"]["items"]
    assert len(items) == 20
    assert items[0]["time"] == {"start": 1000, "stop": 1500, "duration": 500}


@pytest.mark.parametrize("note", ["", "[]", "{}", '{"history-trend": 1}', '{"history-trend": {}, "tests": 3}'])
def test_a_history_that_cannot_be_read_is_begun_anew(tmp_path: Path, note: str) -> None:
    (tmp_path / "history").mkdir()
    (tmp_path / "history" / "last-run.json").write_text(note)
    (tmp_path / "history" / "history.json").write_text("no JSON")
    history.fold(tmp_path, "a target")
    assert history.next_build(tmp_path) == 1


# ---------------------------------------------------------------------- runs that do not end


def started(tmp: Path, server: ThreadedServer) -> tuple[subprocess.Popen[str], Path]:
    """A run that hangs in the middle."""
    folder = tmp / "report"
    target = target_file(server, tmp / "target.toml", more="http = { timeout = 30 }")
    process = subprocess.Popen(
        command("--target", target, "--report-dir", folder),
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    deadline = time.monotonic() + 60
    while len(list((folder / "allure-results").glob("*-result.json"))) < 30 and time.monotonic() < deadline:
        time.sleep(0.05)
    return process, folder


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_is_not_complete(tmp_path: Path, number: int) -> None:
    with ThreadedServer(["hash-object-hangs"]) as server:
        process, folder = started(tmp_path, server)
        process.send_signal(number)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 2, output
    document = json.loads((folder / "conformance.json").read_text(encoding="utf-8"))
    assert document["verdict"] == "interrupted"
    assert document["complete"] is False
    assert not validator("report").is_valid(document)
    assert (folder / "conformance.md").read_text(encoding="utf-8").startswith("# Verdict: interrupted\n")
    assert not (folder / "allure-results" / "history" / "last-run.json").exists()
    assert "verdict: interrupted (exit 2)" in output
    compared = suite("--compare", folder / "conformance.json", folder / "conformance.json", folder=tmp_path / "other")
    assert compared.code == 4
    assert "is not complete" in compared.output


def test_a_killed_run_leaves_no_report(tmp_path: Path) -> None:
    (tmp_path / "report").mkdir()
    take(tmp_path / "report").release()
    (tmp_path / "report" / "conformance.json").write_text("that of an earlier run")
    (tmp_path / "report" / "conformance.md").write_text("that of an earlier run")
    with ThreadedServer(["hash-object-hangs"]) as server:
        process, folder = started(tmp_path, server)
        process.kill()
        process.communicate(timeout=60)
    assert not {"conformance.json", "conformance.md", "junit.xml"} & {path.name for path in folder.iterdir()}


# ---------------------------------------------------------------------- the directory, and what is written in it


def test_a_mark_of_somebody_elses_is_none(tmp_path: Path) -> None:
    """What empties a directory is the text of the mark, not its name."""
    marks: dict[str, Callable[[Path], object]] = {
        "empty": lambda mark: mark.touch(),
        "note": lambda mark: mark.write_text("my notes on delivery-conformance"),
        "longer": lambda mark: mark.write_text(_MARKED + "and more"),
        "link": lambda mark: mark.symlink_to(tmp_path / "ours" / _MARK),
        "folder": lambda mark: mark.mkdir(),
    }
    for name, make in marks.items():
        take(tmp_path / "ours").release()
        folder = tmp_path / name
        folder.mkdir()
        make(folder / _MARK)
        (folder / "thesis").write_text("the only copy")
        with pytest.raises(SetupError, match="holds files that are not ours"):
            take(folder).release()
        assert (folder / "thesis").read_text() == "the only copy"
    (tmp_path / "ours" / "old").touch()
    take(tmp_path / "ours").release()
    assert [path.name for path in (tmp_path / "ours").iterdir()] == [_MARK]


def test_control_characters_are_spelled_out(run: Finished) -> None:
    """Whatever a target puts into a header: a terminal that shows the report must not obey it."""
    raw = "\x00\x07\x08\x0d\x1b]0;title\x07\x1b[2J\x7f\x9b31m"
    document = copy.deepcopy(run.document)
    failed = next(each for each in document["requirements"] if each["result"] == "failed")
    for violation in failed["violations"]:
        violation.update(message=raw, expected=raw, actual=raw, repeat=raw, exchange={"request": raw, "response": raw})
    text = markdown.render(document)
    assert not set(raw) & set(text) - set(string.printable)
    assert r"\x1b]0;title\x07\x1b[2J\x7f\x9b31m" in text
    assert visible("a\tb\nc…") == "a\tb\nc…"


def test_nothing_comes_alive_in_the_summary() -> None:
    said = markdown._text("@octocat see https://evil.example www.evil.example ![x](y) <b>|cell| `code` &lt; #1")
    assert re.sub("<!-- -->", "", said) == (
        r"@octocat see https://evil.example www.evil.example !\[x\](y) \<b\>\|cell\| \`code\` &amp;lt; \#1"
    )
    for alive in ("@octocat", "https://", "www.evil"):
        assert alive not in said


# ---------------------------------------------------------------------- the HTML


def html(folder: Path, path: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "reports.allure.page", str(folder)],
        cwd=ROOT,
        env=environment({"PATH": path}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_without_node_one_line_says_what_to_install(run: Finished, tmp_path: Path) -> None:
    done = html(run.folder, str(tmp_path))
    assert (done.returncode, done.stdout) == (4, "")
    assert len(done.stderr.splitlines()) == 1
    assert "Node.js" in done.stderr
    assert "apt-get install nodejs npm" in done.stderr


def test_without_a_run_one_line_says_so(tmp_path: Path) -> None:
    done = html(tmp_path / "none", os.environ["PATH"])
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr == (
        f"delivery-conformance: {tmp_path / 'none' / 'allure-results'} holds no results: "
        "run the suite first (make conformance)\n"
    )


def test_the_pins_are_exact_and_name_no_registry() -> None:
    package = json.loads((ROOT / "reports" / "package.json").read_text(encoding="utf-8"))
    assert all(version[0].isdigit() for version in package["dependencies"].values())
    lock = json.loads((ROOT / "reports" / "package-lock.json").read_text(encoding="utf-8"))
    assert lock["packages"][""]["dependencies"] == package["dependencies"]
    assert not [name for name, entry in lock["packages"].items() if "resolved" in entry]
    assert not [name for name, entry in lock["packages"].items() if name and "integrity" not in entry]


# ---------------------------------------------------------------------- narrowed runs


@pytest.mark.parametrize(
    "narrowing",
    [("-k", "not post-header-json"), ("--requirement", "T2"), ("suites/conformance/test_state.py",)],
    ids=["keyword", "requirement", "path"],
)
def test_a_narrowed_run_is_never_conformant(tmp_path: Path, narrowing: tuple[str, ...]) -> None:
    done = conform(tmp_path, *narrowing, "-q")
    assert (done.code, done.document["verdict"]) == (0, "inconclusive"), done.output
    assert done.document["run"]["selection"]


def test_what_is_verified_in_part_is_not_verified(tmp_path: Path) -> None:
    done = conform(tmp_path, "-k", "not post-header-json", "-q")
    for name, result in (("S1-success-is-200", "not_verified"), ("C1-get-query", "passed")):
        assert done.requirement(name)["result"] == result
    assert "left out" in done.requirement("S1-success-is-200")["reason"]


def test_only_texts_of_the_report_are_masked(tmp_path: Path) -> None:
    vault = Vault()
    for value in ("requirements", '": "x1",\n  "', "T2-read-gives-last-created"):
        vault.add(value, "words")
    report = {"requirements": [{"id": "T2-read-gives-last-created", "reason": "requirements"}]}
    document.write(document.masked_report(report, vault), tmp_path / "x")
    written = json.loads((tmp_path / "x").read_text(encoding="utf-8"))
    assert written == {"requirements": [{"id": "T2-read-gives-last-created", "reason": "«words»"}]}
