"""``--compare OLD NEW``: what changed between two reports, for a person and with an exit code."""

from __future__ import annotations

import copy
import json
import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from contracts.requirements import catalogue
from fixtures import files
from fixtures.errors import SetupError
from reports.formats import document
from reports.results import Results, TestOutcome, TestResult, ViolationRecord
from suites.runner import commands
from suites.runner.usage import usage
from suites.selfcheck.system.runs import ROOT, command, environment

ONE = "T6-subuser-create-refused"
TWO = "T7-tariff-create-refused"
ADVICE = "C4-other-schemes-refused"


def report(profile: str = "platform", **of: TestResult) -> dict[str, Any]:
    """A report in which everything passed but what *of* says otherwise, by tag."""
    results = Results(profile)
    for name, requirement in catalogue().items():
        result = of.get(requirement.tag, "passed")
        if requirement.untested:
            continue
        records = (ViolationRecord(name, f"{name} is broken", "this", "that", None),) if result == "failed" else ()
        reason = "" if result == "passed" else f"because of {name}"
        results.add(TestOutcome(f"test_{name}", name, {name: (result, reason)}, records))
    facts: Mapping[str, Any] = {
        "target": {"base_url": "http://127.0.0.1/v2", "embedded": False, "profile": profile},
        "run": {
            "options": [],
            "hypothesis_profile": "standard",
            "seed": None,
            "rotation": True,
            "selection": [],
            "waivers_sha256": None,
            "workers": 1,
        },
        "started": "2026-11-23T12:00:00+00:00",
        "seconds": 1.0,
        "requests": 1,
        "keys_created": 0,
    }
    return document.build(results, results.conclude(), facts)


Compare = Callable[[Any, Any], tuple[int, str]]


@pytest.fixture
def compare(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Compare:
    """What the command says of two reports, given as data or as text, and its exit code."""

    def run(old: Any, new: Any) -> tuple[int, str]:
        for name, data in (("old", old), ("new", new)):
            text = data if isinstance(data, str) else json.dumps(data)
            (tmp_path / f"{name}.json").write_text(text, encoding="utf-8")
        try:
            code = commands.compare(tmp_path / "old.json", tmp_path / "new.json")
        except SetupError as error:
            code = usage(str(error))
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return run


def test_nothing_changed(compare: Compare) -> None:
    code, said = compare(report(), report())
    assert code == 0
    assert said.splitlines() == ["verdict: conformant", f"{len(catalogue())} unchanged", "nothing got worse"]


def test_what_got_worse_comes_first_and_fails(compare: Compare) -> None:
    code, said = compare(report(T7="failed", T9="not_verified"), report(T6="failed", C4="failed", T9="not_verified"))
    assert code == 1
    lines = said.splitlines()
    assert lines[0] == "verdict: nonconformant"
    assert f"worse: {ONE} (MUST): passed → failed: {ONE} is broken" in lines
    assert f"worse: {ADVICE} (SHOULD NOT): passed → warning: {ADVICE} is broken" in lines
    assert f"better: {TWO} (MUST): failed → passed" in lines
    assert lines.index(f"better: {TWO} (MUST): failed → passed") > lines.index(
        f"worse: {ONE} (MUST): passed → failed: {ONE} is broken"
    )
    assert lines[-1] == "something got worse"


def test_what_was_known_and_is_not_any_more_is_worse(compare: Compare) -> None:
    code, said = compare(report(), report(T6="not_verified"))
    assert code == 1
    assert f"worse: {ONE} (MUST): passed → not verified: because of {ONE}" in said
    assert "verdict: conformant → inconclusive" in said


@pytest.mark.parametrize(
    ("old", "new", "code", "kind"),
    [
        ("failed", "passed", 0, "better"),
        ("not_verified", "passed", 0, "better"),
        ("failed", "not_verified", 0, "other"),
        ("blocked", "not_verified", 0, "other"),
        ("not_verified", "failed", 1, "worse"),
        ("error", "failed", 1, "worse"),
        ("passed", "blocked", 1, "worse"),
    ],
)
def test_each_change_has_its_kind(old: TestResult, new: TestResult, code: int, kind: str) -> None:
    from reports.comparison import compare as compare_reports

    found = compare_reports(report(T6=old), report(T6=new))
    assert [change.kind for change in found.changes] == [kind]
    assert found.worse == bool(code)


def test_runs_that_differ_say_in_what(compare: Compare) -> None:
    other = report("core")
    other["contract"] = {"version": "9.9", "sha256": "0" * 64}
    other["run"]["selection"] = ["-k T8"]
    code, said = compare(report(), other)
    assert code == 0
    assert "not the same profile: platform → core" in said
    assert "→ 9.9 (000000000000)" in said
    assert "not the same selection: everything → -k T8" in said
    assert f"gone: {ADVICE} (SHOULD NOT): passed → out of profile" in said


def test_requirements_that_came_and_went(compare: Compare) -> None:
    old, new = report(), report(T6="failed")
    old["requirements"] = [each for each in old["requirements"] if each["id"] != ONE]
    new["requirements"] = [each for each in new["requirements"] if each["id"] != TWO]
    code, said = compare(old, new)
    assert code == 0
    assert f"new: {ONE} (MUST): failed" in said
    assert f"gone: {TWO} (MUST): passed" in said


def incomplete(change: Callable[[dict[str, Any]], Any]) -> Any:
    changed = copy.deepcopy(report())
    return change(changed) or changed


BROKEN = {
    "interrupted": (incomplete(lambda data: data.update(complete=False)), "is not complete"),
    "without-its-end": (incomplete(lambda data: data.pop("complete") and None), "is not complete"),
    "cut-off": (json.dumps(report())[:5000], "is not JSON"),
    "empty": ("", "is not JSON"),
    "something-else": ("[]", "is no report of this suite"),
    "invalid": (incomplete(lambda data: data.update(verdict="fine")), "is not a valid report: verdict"),
    "without-requirements": (
        incomplete(lambda data: data.update(requirements=[])),
        "has no requirements, so nothing can be compared",
    ),
    "nested": ('{"requirements": [], "complete": true, "more": ' + "[" * 100_000, "is not JSON"),
    "nested-to-its-end": (
        '{"requirements": [], "complete": true, "more": ' + "[" * 100_000 + "]" * 100_000 + "}",
        "is not JSON",
    ),
    "conformant-with-a-failure": (
        incomplete(lambda data: data["requirements"][0].update(result="failed")),
        "is not a valid report",
    ),
}


@pytest.mark.parametrize(("data", "said"), BROKEN.values(), ids=list(BROKEN))
def test_what_is_no_complete_report_is_refused(compare: Compare, data: Any, said: str) -> None:
    for code, output in (compare(data, report()), compare(report(), data)):
        assert code == 4
        assert len(output.splitlines()) == 1
        assert output.startswith("delivery-conformance: ")
        assert said in output


def test_text_that_no_terminal_can_show(compare: Compare) -> None:
    """What a target has sent stands in a report; a lone surrogate is one of JSON's own escapes."""
    new = report(T6="failed")
    for entry in new["requirements"]:
        for violation in entry["violations"]:
            violation["message"] = "got \ud800 \x1b[2J\n::error::x"
    code, said = compare(report(), json.dumps(new))
    assert code == 1
    assert f"worse: {ONE} (MUST): passed → failed: got \\ud800 \\x1b[2J ::error::x" in said.splitlines()
    said.encode("utf-8")


def test_a_report_out_of_a_pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that nothing comes out of holds nobody."""
    monkeypatch.setattr(files, "PIPE_TIME", 0.2)
    os.mkfifo(tmp_path / "old.json")
    with pytest.raises(SetupError, match=r"old\.json cannot be read: nothing was written to it within 0\.2 s"):
        commands.compare(tmp_path / "old.json", tmp_path / "old.json")


@pytest.mark.slow
def test_the_command_itself(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text(json.dumps(report()), encoding="utf-8")
    (tmp_path / "new.json").write_text(json.dumps(report(T6="failed")), encoding="utf-8")
    for names, code in ((("old", "new"), 1), (("new", "old"), 0), (("old", "none"), 4)):
        done = subprocess.run(
            command("--compare", *(tmp_path / f"{name}.json" for name in names)),
            cwd=ROOT,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == code, done.stderr
        assert bool(done.stdout) == (code != 4)
    assert "none.json cannot be read: No such file or directory" in done.stderr
