"""Results and verdicts: what becomes of a test, of a requirement and of a run, rule by rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

import pytest

from contracts.requirements import catalogue
from reports.results import RequirementResult, Results, TestOutcome, TestResult, TestStatus, ViolationRecord
from reports.waivers import Waiver

MUST = "T6-subuser-create-refused"
OTHER = "T7-tariff-create-refused"
SHOULD = "C4-other-schemes-refused"
MAY = "R1-rate-limit-answer"
CLIENT = "S5-clients-ignore-the-unknown"
TODAY = date(2026, 11, 26)
TOMORROW = TODAY + timedelta(days=1)


def record(requirement: str = MUST, message: str = "it creates") -> ViolationRecord:
    return ViolationRecord(requirement, message, "this", "that", None)


def outcome(
    results: Mapping[str, tuple[TestResult, str]], *records: ViolationRecord, test: str = "test_a"
) -> TestOutcome:
    return TestOutcome(test, "a title", results, records, 0.5, 3)


def waiver(requirement: str = MUST, expect: str | None = None) -> Waiver:
    return Waiver(requirement, "known", TOMORROW, None, expect)


def run(*outcomes: TestOutcome, profile: str = "platform", waivers: tuple[Waiver, ...] = ()) -> Results:
    found = Results(profile, waivers, TODAY)
    for each in outcomes:
        found.add(each)
    return found


def passed() -> Results:
    """A run in which every requirement passed."""
    names = [name for name, requirement in catalogue().items() if not requirement.untested]
    return run(*(outcome({name: ("passed", "")}, test=f"test_{name}") for name in names))


def of(found: Results, requirement: str = MUST) -> RequirementResult:
    return next(each for each in found.requirements() if each.requirement.id == requirement)


# ---------------------------------------------------------------------- as data


def test_a_violation_as_the_report_has_it() -> None:
    made = ViolationRecord("T2", "m", "e", "a", {"request": "r"}, "sh", ("T3", "T1"), "GET: 2 in all")
    assert made.as_json() == {
        "message": "m",
        "expected": "e",
        "actual": "a",
        "possible": ["T3", "T1"],
        "calls": "GET: 2 in all",
        "repeat": "sh",
        "exchange": {"request": "r"},
    }
    assert record().as_json()["exchange"] is None
    assert (record().repeat, record().possible, record().calls) == ("", (), "")


def test_an_outcome_survives_the_way_between_processes() -> None:
    made = outcome(
        {MUST: ("failed", "it creates"), OTHER: ("passed", "")},
        ViolationRecord(MUST, "m", "e", "a", {"request": "r"}, "sh", ("T3",), "GET"),
        record(),
    )
    made = replace(made, operations=("read",))
    again = TestOutcome.from_json(made.as_json())
    assert again == made
    assert isinstance(again.violations[0].possible, tuple)
    assert made.as_json()["results"] == {MUST: ["failed", "it creates"], OTHER: ["passed", ""]}
    assert TestOutcome("t", "t", {}).as_json() == {
        "test": "t", "title": "t", "results": {}, "violations": [], "seconds": 0.0, "requests": 0, "operations": [],
    }  # fmt: skip


# ---------------------------------------------------------------------- what becomes of a test


@pytest.mark.parametrize(
    ("results", "records", "word", "message"),
    [
        ({MUST: ("passed", "")}, [], "passed", ""),
        ({MUST: ("failed", "x")}, [record()], "failed", f"{MUST}: it creates"),
        ({MUST: ("error", "broke")}, [record()], "failed", f"{MUST}: it creates"),
        ({OTHER: ("error", "broke"), SHOULD: ("failed", "x")}, [record(SHOULD)], "error", "broke"),
        ({SHOULD: ("failed", "x")}, [record(SHOULD)], "warning", f"{SHOULD}: it creates"),
        ({SHOULD: ("failed", "x"), OTHER: ("blocked", "by")}, [record(SHOULD)], "warning", f"{SHOULD}: it creates"),
        ({MUST: ("blocked", "by it"), OTHER: ("not_verified", "no")}, [], "blocked", "by it"),
        ({MUST: ("not_verified", "no account"), OTHER: ("passed", "")}, [], "not_verified", "no account"),
        ({MUST: ("failed", "x")}, [record(), record(OTHER, "too")], "failed", f"{MUST}: it creates; {OTHER}: too"),
        ({MUST: ("failed", "x")}, [record(SHOULD, "s"), record()], "failed", f"{MUST}: it creates"),
        ({MUST: ("failed", "x")}, [record(SHOULD, "s"), record(SHOULD, "t")], "warning", f"{SHOULD}: s; {SHOULD}: t"),
    ],
)  # fmt: skip
def test_the_worst_that_a_test_found(
    results: Mapping[str, tuple[TestResult, str]], records: list[ViolationRecord], word: str, message: str
) -> None:
    found = run()
    assert found.status(outcome(results, *records)) == TestStatus(word, message)  # type: ignore[arg-type]


def test_a_waived_test() -> None:
    found = run(waivers=(waiver(),))
    assert found.status(outcome({MUST: ("failed", "x")}, record())) == TestStatus("waived", f"{MUST}: it creates")
    # A warning beside it is worse, what is blocked beside it is not.
    both = outcome({MUST: ("failed", "x")}, record(), record(SHOULD, "s"))
    assert found.status(both) == TestStatus("warning", f"{SHOULD}: s")
    beside = outcome({MUST: ("failed", "x"), OTHER: ("blocked", "by")}, record(), record(MUST, "again"))
    assert found.status(beside) == TestStatus("waived", f"{MUST}: it creates; {MUST}: again")
    other = run(waivers=(waiver(expect="rotates"),))
    assert other.status(outcome({MUST: ("failed", "x")}, record())).word == "failed"


def test_tests_are_counted_once() -> None:
    found = run(
        outcome({MUST: ("passed", "")}, test="a"),
        outcome({MUST: ("error", "the teardown broke")}, test="a"),
        outcome({MUST: ("failed", "x")}, record(), test="b"),
        outcome({MUST: ("error", "the teardown broke")}, test="b"),
        outcome({MUST: ("passed", "")}, test="c"),
        outcome({MUST: ("passed", "")}, test="d"),
    )
    assert found.tests() == {
        "failed": 1, "error": 1, "warning": 0, "waived": 0, "blocked": 0, "not_verified": 0, "passed": 2,
    }  # fmt: skip


# ---------------------------------------------------------------------- what becomes of a requirement


def test_a_requirement_that_no_test_speaks_of() -> None:
    found = of(run())
    assert (found.result, found.reason, found.tests) == ("not_verified", "none of its tests was run", [])
    gone = run()
    gone.lost = "no answer"
    assert of(gone).reason == "no answer"
    assert of(gone, CLIENT).reason == catalogue()[CLIENT].untested


def test_a_requirement_outside_of_the_profile() -> None:
    found = of(run(outcome({SHOULD: ("passed", "")}), profile="core"), SHOULD)
    assert (found.result, found.reason, found.tests) == ("out_of_profile", "not part of the profile core", [])


@pytest.mark.parametrize(
    ("results", "result", "reason"),
    [
        ([("passed", "")], "passed", ""),
        ([("passed", ""), ("not_verified", "no account")], "not_verified", "no account"),
        ([("not_verified", "no account"), ("blocked", "by it")], "blocked", "by it"),
        ([("blocked", "by it"), ("error", "broke")], "error", "broke"),
        ([("blocked", "a"), ("blocked", "b"), ("blocked", "a")], "blocked", "a; b"),
        ([("blocked", each) for each in "abcde"], "blocked", "a; b; c; and 2 more"),
        ([("failed", "by itself")], "blocked", "by itself"),
    ],
)
def test_the_worst_of_its_tests(results: list[tuple[TestResult, str]], result: str, reason: str) -> None:
    made = run(*(outcome({MUST: each}, test=f"test_{number}") for number, each in enumerate(results)))
    made.attribute({}, {})
    found = of(made)
    assert (found.result, found.reason, found.blocked_by) == (result, reason, ())
    assert found.tests == [f"test_{number}" for number in range(len(results))]


def test_before_the_history_is_explained_the_tests_say_what_is_broken() -> None:
    made = run(
        outcome({MUST: ("failed", "x")}, record(), record(OTHER, "too")), outcome({MUST: ("passed", "")}, test="test_b")
    )
    found = of(made)
    assert (found.result, found.reason, found.tests) == ("failed", "it creates", ["test_a", "test_b"])
    assert found.violations == [record()]
    made.attribute({OTHER: [record(OTHER, "the cause")]}, {MUST: [OTHER]})
    assert (of(made).result, of(made).reason) == ("blocked", f"explained by {OTHER}: x")
    assert of(made).blocked_by == (OTHER,)
    assert of(made).violations == []
    assert (of(made, OTHER).result, of(made, OTHER).reason) == ("failed", "the cause")


def test_what_another_requirement_explains_is_blocked() -> None:
    made = run(outcome({MUST: ("passed", "")}))
    made.attribute({}, {MUST: [OTHER, "T2-x"], SHOULD: [OTHER]})
    assert (of(made).result, of(made).reason) == ("blocked", f"explained by {OTHER}, T2-x")
    # Of what no test speaks nothing was touched.
    assert of(made, SHOULD).result == "not_verified"
    said = run(outcome({MUST: ("blocked", f"explained by {OTHER}")}))
    said.attribute({}, {MUST: [OTHER]})
    assert of(said).reason == f"explained by {OTHER}"
    broke = run(outcome({MUST: ("error", "broke")}))
    broke.attribute({}, {MUST: [OTHER]})
    assert (of(broke).result, of(broke).reason, of(broke).blocked_by) == ("error", "broke", ())


def test_what_a_narrowed_run_left_out() -> None:
    made = run(outcome({MUST: ("passed", "")}), outcome({OTHER: ("blocked", "by it")}))
    made.left_out = {MUST, OTHER, SHOULD}
    assert (of(made).result, of(made).reason) == (
        "not_verified",
        "the run was narrowed, and some of its tests were left out",
    )
    assert (of(made, OTHER).result, of(made, OTHER).reason) == ("blocked", "by it")


def test_a_broken_requirement() -> None:
    made = run(outcome({MUST: ("failed", "x"), SHOULD: ("failed", "y"), MAY: ("failed", "z")}))
    made.attribute(
        {
            MUST: [record(message=each) for each in ("a", "b", "a")],
            SHOULD: [record(SHOULD, each) for each in "abcd"],
            MAY: [record(MAY, "z")],
        },
        {},
    )
    assert [(of(made, each).result, of(made, each).reason) for each in (MUST, SHOULD, MAY)] == [
        ("failed", "a; b"),
        ("warning", "a; b; c; and 1 more"),
        ("warning", "z"),
    ]
    assert len(of(made).violations) == 3
    assert of(made).tests == ["test_a"]


def test_a_waived_requirement() -> None:
    made = run(outcome({MUST: ("failed", "x")}), waivers=(waiver(),))
    made.attribute({MUST: [record()]}, {})
    assert of(made).result == "waived"
    assert of(made).reason == f"it creates (waived until {TOMORROW.isoformat()}: known)"
    assert of(made).violations == [record()]
    assert made.waiver_states() == {MUST: "used"}


# ---------------------------------------------------------------------- what becomes of a run


def test_every_must_passed() -> None:
    found = passed().conclude()
    assert (found.verdict, found.exit_code, found.reason) == ("conformant", 0, "every MUST of the profile passed")


def test_a_narrowed_run_is_never_conformant() -> None:
    made = passed()
    made.narrowed = ["-k head", "T2"]
    found = made.conclude()
    assert (found.verdict, found.exit_code) == ("inconclusive", 0)
    assert found.reason == "nothing failed, but the run was narrowed to -k head, T2"
    made.add(outcome({MUST: ("not_verified", "no account")}, test="test_b"))
    assert made.conclude().reason == f"nothing failed, but 1 MUST not verified: {MUST}"


def test_failed_musts_are_counted_and_named() -> None:
    made = passed()
    made.attribute({MUST: [record()], SHOULD: [record(SHOULD)]}, {})
    assert made.conclude().reason == f"1 MUST failed: {MUST}"
    musts = [name for name, each in catalogue().items() if each.binding and not each.untested][:10]
    made.attribute({name: [record(name)] for name in musts}, {})
    found = made.conclude()
    assert (found.verdict, found.exit_code) == ("nonconformant", 1)
    assert found.reason == f"10 MUSTs failed: {', '.join(musts[:8])} and 2 more"


@pytest.mark.parametrize("result", ["error", "blocked", "not_verified"])
def test_an_open_must_leaves_the_run_inconclusive(result: TestResult) -> None:
    made = passed()
    made.add(outcome({MUST: (result, "why"), OTHER: (result, "why")}, test="test_b"))
    found = made.conclude()
    assert (found.verdict, found.exit_code) == ("inconclusive", 0)
    assert found.reason == f"nothing failed, but 2 MUSTs not verified: {MUST}, {OTHER}"
    strict = made.conclude(fail_on_gaps=True)
    assert (strict.verdict, strict.exit_code) == ("inconclusive", 1)
    assert strict.reason == f"{found.reason}; --fail-on-gaps: not verified: {MUST}, {OTHER}"


def test_an_open_should_is_a_gap_and_no_more() -> None:
    made = passed()
    made.add(outcome({SHOULD: ("blocked", "why"), MAY: ("blocked", "why")}, test="test_b"))
    assert (made.conclude().verdict, made.conclude().exit_code) == ("conformant", 0)
    strict = made.conclude(fail_on_gaps=True)
    assert (strict.verdict, strict.exit_code, strict.reason) == (
        "conformant",
        1,
        f"every MUST of the profile passed; --fail-on-gaps: not verified: {SHOULD}",
    )


def test_a_failed_may_is_no_gap() -> None:
    made = passed()
    made.attribute({MAY: [record(MAY)]}, {})
    assert made.conclude(fail_on_gaps=True).exit_code == 0


def test_all_gaps_are_said() -> None:
    made = passed()
    made.waivers = {OTHER: waiver(OTHER)}
    made.add(outcome({MUST: ("blocked", "why")}, test="test_b"))
    made.attribute({SHOULD: [record(SHOULD)]}, {})
    assert made.conclude(fail_on_gaps=True).reason == (
        f"nothing failed, but 1 MUST not verified: {MUST}; --fail-on-gaps: failed SHOULD: {SHOULD}; "
        f"not verified: {MUST}; stale waivers: {OTHER}"
    )
    assert "gaps" not in made.conclude().reason
    assert "gaps" not in passed().conclude(fail_on_gaps=True).reason


def test_waived_musts() -> None:
    made = passed()
    made.waivers = {MUST: waiver()}
    made.attribute({MUST: [record()]}, {})
    found = made.conclude(fail_on_gaps=True)
    assert (found.verdict, found.exit_code) == ("conformant_with_waivers", 0)
    assert found.reason == f"every MUST passed but for 1 waived one: {MUST}"
    made.waivers[OTHER] = waiver(OTHER)
    made.attribute({MUST: [record()], OTHER: [record(OTHER)]}, {})
    assert made.conclude().reason == f"every MUST passed but for 2 waived ones: {MUST}, {OTHER}"


def test_a_waived_must_alone_is_something_verified() -> None:
    made = run(outcome({MUST: ("failed", "x")}), waivers=(waiver(),))
    made.attribute({MUST: [record()]}, {})
    assert (made.conclude().verdict, made.conclude().exit_code) == ("inconclusive", 0)


@pytest.mark.parametrize(
    ("unreachable", "lost", "reason"),
    [
        (True, "no answer", "no answer"),
        (False, "it went away", "it went away"),
        (True, None, "the target did not answer"),
    ],
)
def test_a_target_that_is_not_there(unreachable: bool, lost: str | None, reason: str) -> None:
    made = passed()
    made.unreachable, made.lost = unreachable, lost
    found = made.conclude()
    assert (found.verdict, found.exit_code, found.reason) == ("unreachable", 6, reason)


def test_an_interrupted_run() -> None:
    made = passed()
    made.interrupted = True
    found = made.conclude(fail_on_gaps=True)
    assert (found.verdict, found.exit_code, found.reason) == ("interrupted", 2, "the run was interrupted")


def test_nothing_was_verified() -> None:
    for strict in (False, True):
        found = run().conclude(fail_on_gaps=strict)
        assert (found.verdict, found.exit_code, found.reason) == ("inconclusive", 5, "no MUST was verified at all")
    assert run(outcome({MUST: ("passed", "")})).conclude().exit_code == 0


def test_what_became_of_waivers() -> None:
    names = (MUST, OTHER, SHOULD, CLIENT)
    made = run(outcome({MUST: ("passed", "")}), outcome({OTHER: ("blocked", "x")}, test="b"))
    made.waivers = {name: waiver(name, expect="rotates") for name in names}
    made.attribute({SHOULD: [record(SHOULD)]}, {})
    assert made.waiver_states() == {
        MUST: "stale: the requirement passes",
        OTHER: "waives nothing: blocked",
        SHOULD: "does not match: a failure lacks the text that it expects",
        CLIENT: "waives nothing: not verified",
    }
    assert made.stale_waivers() == [MUST]
