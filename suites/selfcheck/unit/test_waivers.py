"""Waivers and gaps: every rule, on the results themselves, and then the same through the command."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from contracts.requirements import catalogue
from fixtures.errors import SetupError
from reports.results import Results, TestOutcome, TestResult, ViolationRecord
from reports.waivers import Waiver, read_waivers
from suites.selfcheck.system.runs import conform

MUST = "T6-subuser-create-refused"
SHOULD = "C4-other-schemes-refused"
#: Of the results here, and near enough to that of the commands.
TODAY = datetime.now(UTC).date()
TOMORROW = TODAY + timedelta(days=1)


def waiver(requirement: str = MUST, expires: date = TOMORROW, expect: str | None = None) -> Waiver:
    return Waiver(requirement, "known since spring", expires, "https://issues.example/7", expect)


def results(*waivers: Waiver, broken: dict[str, str] | None = None, left_out: tuple[str, ...] = ()) -> Results:
    """A run in which everything passed but what is *broken*, with a message each, and what was *left_out*."""
    found = Results("platform", waivers, TODAY)
    for name, requirement in catalogue().items():
        if name in left_out or requirement.untested:
            continue
        message = (broken or {}).get(name)
        outcome: dict[str, tuple[TestResult, str]] = {name: ("failed" if message else "passed", message or "")}
        records = (ViolationRecord(name, message, "this", "that", None),) if message else ()
        found.add(TestOutcome(f"test_{name}", name, outcome, records))
    return found


def of(found: Results, requirement: str) -> str:
    return next(each.result for each in found.requirements() if each.requirement.id == requirement)


# ---------------------------------------------------------------------- what a waiver does


def test_it_waives_until_its_last_day() -> None:
    found = results(waiver(expires=TODAY), broken={MUST: "it creates"})
    assert of(found, MUST) == "waived"
    assert found.waiver_states() == {MUST: "used"}
    conclusion = found.conclude(fail_on_gaps=True)
    assert (conclusion.verdict, conclusion.exit_code) == ("conformant_with_waivers", 0)
    assert MUST in conclusion.reason


def test_an_expired_one_waives_no_longer() -> None:
    found = results(waiver(expires=TODAY - timedelta(days=1)), broken={MUST: "it creates"})
    assert of(found, MUST) == "failed"
    assert found.waiver_states() == {MUST: "expired"}
    assert found.conclude().verdict == "nonconformant"


def test_a_run_goes_by_the_day_on_which_it_began() -> None:
    long_ago = date(2020, 2, 29)
    found = Results("platform", [waiver(expires=long_ago)], long_ago)
    found.add(
        TestOutcome("it", "it", {MUST: ("failed", "it creates")}, (ViolationRecord(MUST, "it creates", "", "", None),))
    )
    assert of(found, MUST) == "waived"
    assert found.waiver_states() == {MUST: "used"}


def test_one_whose_text_is_not_in_the_failure_waives_nothing() -> None:
    assert of(results(waiver(expect="creates"), broken={MUST: "it creates"}), MUST) == "waived"
    found = results(waiver(expect="code 11"), broken={MUST: "it creates"})
    assert of(found, MUST) == "failed"
    assert found.waiver_states()[MUST].startswith("does not match")
    assert found.conclude().exit_code == 1


def test_every_failure_must_have_the_text() -> None:
    found = results(waiver(expect="creates"), broken={MUST: "it creates"})
    found.add(
        TestOutcome(
            "other", "other", {MUST: ("failed", "it hangs")}, (ViolationRecord(MUST, "it hangs", "", "", None),)
        )
    )
    assert of(found, MUST) == "failed"


def test_a_stale_one_is_a_gap() -> None:
    found = results(waiver())
    assert found.stale_waivers() == [MUST]
    assert found.waiver_states()[MUST].startswith("stale")
    assert found.conclude().exit_code == 0
    strict = found.conclude(fail_on_gaps=True)
    assert (strict.verdict, strict.exit_code) == ("conformant", 1)
    assert f"stale waivers: {MUST}" in strict.reason


def test_what_was_not_verified_stays_so() -> None:
    found = results(waiver(), left_out=(MUST,))
    assert of(found, MUST) == "not_verified"
    assert found.waiver_states() == {MUST: "waives nothing: not verified"}
    assert found.conclude().verdict == "inconclusive"


def test_a_should_can_be_waived_too() -> None:
    found = results(waiver(SHOULD), broken={SHOULD: "Bearer opens"})
    assert of(found, SHOULD) == "waived"
    assert found.conclude(fail_on_gaps=True).exit_code == 0


def test_outside_the_profile_it_waives_nothing() -> None:
    found = Results("core", [waiver(SHOULD)], TODAY)
    assert found.waiver_states() == {SHOULD: "waives nothing: out of profile"}


# ---------------------------------------------------------------------- gaps


def test_a_failed_should_is_a_gap() -> None:
    found = results(broken={SHOULD: "Bearer opens"})
    assert of(found, SHOULD) == "warning"
    assert (found.conclude().verdict, found.conclude().exit_code) == ("conformant", 0)
    strict = found.conclude(fail_on_gaps=True)
    assert (strict.verdict, strict.exit_code) == ("conformant", 1)
    assert f"failed SHOULD: {SHOULD}" in strict.reason


def test_a_failure_comes_before_gaps() -> None:
    found = results(broken={MUST: "it creates"}, left_out=(SHOULD,))
    assert (found.conclude(fail_on_gaps=True).verdict, found.conclude(fail_on_gaps=True).exit_code) == (
        "nonconformant",
        1,
    )


def test_interrupted_and_unreachable_come_in_their_order() -> None:
    found = results(broken={MUST: "it creates"})
    found.lost = "three transport failures in a row"
    assert found.conclude().verdict == "nonconformant"
    found.interrupted = True
    assert (found.conclude().verdict, found.conclude().exit_code) == ("interrupted", 2)
    gone = results(left_out=(MUST,))
    gone.lost = "three transport failures in a row"
    assert (gone.conclude().verdict, gone.conclude().exit_code) == ("unreachable", 6)


# ---------------------------------------------------------------------- the file


ROW = f'[[waiver]]\nrequirement = "{MUST}"\nreason = "known"\nexpires = {TOMORROW}\n'
WRONG = {
    "unknown": (ROW.replace(MUST, "T99-nothing"), "unknown requirement 'T99-nothing'"),
    "repeated": (ROW + ROW, f"repeats the requirement {MUST}"),
    "no-reason": (ROW.replace('reason = "known"\n', ""), "reason"),
    "empty-reason": (ROW.replace('"known"', '""'), "reason"),
    "no-expiry": (ROW.replace(f"expires = {TOMORROW}\n", ""), "expires"),
    "no-requirement": (ROW.replace(f'requirement = "{MUST}"\n', ""), "requirement"),
    "not-a-date": (ROW.replace(str(TOMORROW), '"someday"'), "expires"),
    "unknown-key": (ROW + 'until = "x"\n', "until"),
    "unknown-table": (ROW.replace("[[waiver]]", "[[waivers]]"), "waivers"),
    "not-toml": ("[[waiver]", "is not TOML"),
    "not-text": ("\xff", "is not TOML"),
    "deep": ("a = " + "[" * 50_000, "is not TOML that can be read"),
    "a-long-number": ("a = " + "9" * 5_000, "is not TOML that can be read"),
    "large": ("#" * 2_000_000, "cannot be read: it is larger than"),
}


@pytest.mark.parametrize(("text", "said"), WRONG.values(), ids=list(WRONG))
def test_a_wrong_file_is_named_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "waivers.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(SetupError) as caught:
        read_waivers(path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="cannot be read"):
        read_waivers(tmp_path / "none.toml")


@pytest.mark.parametrize("expires", [str(TOMORROW), f'"{TOMORROW}"', f"{TOMORROW}T12:00:00Z"])
def test_the_last_day_may_be_written_in_any_of_tomls_ways(tmp_path: Path, expires: str) -> None:
    path = tmp_path / "waivers.toml"
    path.write_text(ROW.replace(str(TOMORROW), expires) + 'issue = "X-1"\nexpect = "creates"\n', encoding="utf-8")
    [read], digest = read_waivers(path)
    assert (read.requirement, read.expires, read.issue, read.expect) == (MUST, TOMORROW, "X-1", "creates")
    assert len(digest) == 64


# ---------------------------------------------------------------------- the command


@pytest.mark.slow
def test_a_waived_failure_is_visible_as_waived_everywhere(tmp_path: Path) -> None:
    path = tmp_path / "waivers.toml"
    stale = ROW.replace(MUST, "S1-success-is-200")
    path.write_text(ROW + 'issue = "https://issues.example/7"\nexpect = "subuser"\n' + stale, encoding="utf-8")
    options = ("--waivers", path, "--fail-on-gaps", "--hypothesis-profile", "smoke")
    done = conform(tmp_path, *options, faults=["subuser-creates"])
    entry = done.requirement(MUST)
    assert entry["result"] == "waived"
    assert entry["violations"]
    assert f"waived until {TOMORROW}" in entry["reason"]
    assert done.code == 1
    assert done.document["verdict"] == "conformant_with_waivers"
    assert "stale waivers: S1-success-is-200" in done.document["exit_reason"]
    assert done.document["tests"]["failed"] == 0
    states = {each["requirement"]: each["state"] for each in done.document["waivers"]}
    assert states[MUST] == "used"
    assert f"waived: {MUST} until {TOMORROW}: known" in done.output
    assert "waiver of S1-success-is-200: stale" in done.output
    assert 'message="waived: ' in (done.folder / "junit.xml").read_text(encoding="utf-8")
    assert "| used |" in (done.folder / "conformance.md").read_text(encoding="utf-8")
    results_of = (path.read_text(encoding="utf-8") for path in (done.folder / "allure-results").glob("*-result.json"))
    waived = [text for text in results_of if '"waived: ' in text]
    assert len(waived) == done.document["tests"]["waived"] > 0
    assert '"status": "skipped"' in waived[0]
    assert '"known": true' in waived[0]
    assert "https://issues.example/7" in waived[0]
