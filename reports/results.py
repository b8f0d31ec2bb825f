"""Results of tests, results of requirements, and the verdict of a run.

A test gives a result for every requirement it names and for every other one that it saw broken. Of the results that a
requirement gets, the first of ``ORDER`` that occurs is its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any, Literal, get_args

from contracts.exchange import OPERATIONS
from contracts.requirements import Requirement, catalogue
from reports.waivers import Waiver
from reports.words import call_of

Result = Literal["failed", "warning", "waived", "error", "blocked", "not_verified", "passed", "out_of_profile"]
TestResult = Literal["failed", "error", "blocked", "not_verified", "passed"]

#: What became of a test, in a word. ``error`` is a fault of the set-up or of the suite.
Word = Literal["failed", "error", "warning", "waived", "blocked", "not_verified", "passed"]

#: What makes a requirement's result, worst first.
ORDER: tuple[TestResult, ...] = ("failed", "error", "blocked", "not_verified", "passed")

Verdict = Literal[
    "interrupted", "nonconformant", "unreachable", "inconclusive", "conformant_with_waivers", "conformant"
]
EXIT_CODES: Mapping[str, int] = {
    "interrupted": 2,
    "nonconformant": 1,
    "unreachable": 6,
    "inconclusive": 0,
    "conformant_with_waivers": 0,
    "conformant": 0,
}
#: Results of a requirement that is neither kept nor broken.
_OPEN: tuple[Result, ...] = ("error", "blocked", "not_verified")
#: A file, option, credential or hook is wrong.
USAGE = 4
_NOTHING_VERIFIED = 5
#: Reasons of one requirement that are shown.
_REASONS = 3
#: Requirements that a reason names.
_NAMES = 8


@dataclass(frozen=True)
class ViolationRecord:
    """A broken requirement, redacted and ready to be written."""

    requirement: str
    message: str
    expected: str
    actual: str
    exchange: Mapping[str, str] | None
    repeat: str = ""
    #: Other requirements that could explain it, where one had to be chosen.
    possible: tuple[str, ...] = ()
    #: The calls in which it was seen: "create by GET, form: 8 in all".
    calls: str = ""

    def as_json(self) -> dict[str, Any]:
        """As ``conformance.json`` has it."""
        return {
            "message": self.message,
            "expected": self.expected,
            "actual": self.actual,
            "possible": list(self.possible),
            "calls": self.calls,
            "repeat": self.repeat,
            "exchange": dict(self.exchange) if self.exchange else None,
        }


@dataclass(frozen=True)
class TestOutcome:
    """What one test found: a result and a reason for each requirement it speaks of."""

    __test__ = False

    test: str
    title: str
    results: Mapping[str, tuple[TestResult, str]]
    violations: tuple[ViolationRecord, ...] = ()
    seconds: float = 0.0
    requests: int = 0
    #: The operations that the test is about; none where that is not known.
    operations: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain data, to cross from a worker process to the one that reports."""
        return {
            "test": self.test,
            "title": self.title,
            "results": {name: list(value) for name, value in self.results.items()},
            "violations": [{"requirement": each.requirement, **each.as_json()} for each in self.violations],
            "seconds": self.seconds,
            "requests": self.requests,
            "operations": list(self.operations),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TestOutcome:
        """The inverse of :meth:`as_json`."""
        return cls(
            data["test"],
            data["title"],
            {name: (value[0], value[1]) for name, value in data["results"].items()},
            tuple(ViolationRecord(**{**each, "possible": tuple(each["possible"])}) for each in data["violations"]),
            data["seconds"],
            data["requests"],
            tuple(data["operations"]),
        )


@dataclass(frozen=True)
class TestStatus:
    """What became of a test, and why."""

    __test__ = False

    word: Word
    message: str = ""


@dataclass
class RequirementResult:
    """A requirement with its result, the tests that verify it, what broke it, and what broke first where it is blocked."""

    requirement: Requirement
    result: Result
    reason: str
    tests: list[str] = field(default_factory=list)
    violations: list[ViolationRecord] = field(default_factory=list)
    #: The requirements whose failure explains why this one is blocked.
    blocked_by: tuple[str, ...] = ()
    #: The result for each operation that its tests call.
    operations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Conclusion:
    """The verdict, the exit code, and why."""

    verdict: Verdict
    exit_code: int
    reason: str


class Results:
    """Collects the outcomes of tests and concludes from them."""

    def __init__(self, profile: str, waivers: Iterable[Waiver] = (), today: date | None = None) -> None:
        self.profile = profile
        #: The day (UTC) by which waivers end: that on which the run began, also where it goes on past midnight.
        self.today = today or datetime.now(UTC).date()
        self.waivers = {waiver.requirement: waiver for waiver in waivers}
        self.outcomes: list[TestOutcome] = []
        self.lost: str | None = None
        #: What the run was narrowed to, and the requirements some of whose tests that left out.
        self.narrowed: list[str] = []
        self.left_out: set[str] = set()
        #: What is broken by the history of the whole run, with the violations that show it, and for each requirement that this
        #: touches what explains it. Until the history is explained, what the tests by themselves found broken counts.
        self.broken: Mapping[str, Sequence[ViolationRecord]] | None = None
        self.blocked_by: Mapping[str, Sequence[str]] = {}
        self.unreachable = False
        self.interrupted = False

    def add(self, outcome: TestOutcome) -> None:
        """Take in what a test found."""
        self.outcomes.append(outcome)

    def attribute(
        self, broken: Mapping[str, Sequence[ViolationRecord]], blocked_by: Mapping[str, Sequence[str]]
    ) -> None:
        """Take in what the history of the whole run shows."""
        self.broken = broken
        self.blocked_by = blocked_by

    def status(self, outcome: TestOutcome) -> TestStatus:
        """What became of the test that *outcome* is of: the worst that it found."""
        said: dict[str, list[str]] = {"failed": [], "warning": [], "waived": []}
        for record in outcome.violations:
            waiver = self.waivers.get(record.requirement)
            if waiver is not None and waiver.covers([record.message], self.today):
                word = "waived"
            else:
                word = "failed" if catalogue()[record.requirement].binding else "warning"
            said[word].append(f"{record.requirement}: {record.message}")
        rest = outcome.results.values()
        found: dict[str, str] = {result: reason for result, reason in rest if result not in ("failed", "passed")}
        found |= {word: "; ".join(messages) for word, messages in said.items() if messages}
        # The words stand in the order in which the worst comes first.
        worst: Word = next((word for word in get_args(Word) if word in found), "passed")
        return TestStatus(worst, found.get(worst, ""))

    def tests(self) -> dict[str, int]:
        """How many tests ended in each way; a test that broke twice is one."""
        words: dict[str, Word] = {}
        for outcome in self.outcomes:
            word = self.status(outcome).word
            if words.get(outcome.test, "passed") == "passed":
                words[outcome.test] = word
        counted = Counter(words.values())
        return {word: counted[word] for word in get_args(Word)}

    def requirements(self) -> list[RequirementResult]:
        """Every requirement of the catalogue with its result."""
        return [self._one(requirement) for requirement in catalogue().values()]

    def _one(self, requirement: Requirement) -> RequirementResult:
        if not requirement.in_profile(self.profile):
            return RequirementResult(requirement, "out_of_profile", f"not part of the profile {self.profile}")
        speaking = [each for each in self.outcomes if requirement.id in each.results]
        found = self._whole(requirement, speaking)
        return replace(found, operations=_by_operation(found, speaking))

    def _whole(self, requirement: Requirement, speaking: Sequence[TestOutcome]) -> RequirementResult:
        """The result of *requirement* over both operations; *speaking* are the outcomes of the tests that name it."""
        name = requirement.id
        tests = list(dict.fromkeys(each.test for each in speaking))
        violations = self._violations(name)
        if violations:
            return self._broken(requirement, tests, violations)
        found: dict[TestResult, dict[str, None]] = {}
        for outcome in speaking:
            result, reason = outcome.results[name]
            # What a test alone takes for this may be something else in the light of the whole run.
            found.setdefault("blocked" if result == "failed" else result, {})[reason] = None
        causes = tuple(self.blocked_by.get(name, ()))
        if causes and tests:
            found.setdefault("blocked", {})
        worst = next((result for result in ORDER if result in found), None)
        if worst is None:
            reason = requirement.untested or self.lost or "none of its tests was run"
            return RequirementResult(requirement, "not_verified", reason)
        reason = _reasons(list(found[worst]))
        if worst == "blocked" and causes:
            reason = f"explained by {_list(list(causes))}" + (
                f": {reason}" if reason and "explained by" not in reason else ""
            )
        if worst == "passed" and name in self.left_out:
            worst, reason = "not_verified", "the run was narrowed, and some of its tests were left out"
        return RequirementResult(requirement, worst, reason, tests, blocked_by=causes if worst == "blocked" else ())

    def _violations(self, name: str) -> list[ViolationRecord]:
        if self.broken is not None:
            return list(self.broken.get(name, ()))
        return [each for outcome in self.outcomes for each in outcome.violations if each.requirement == name]

    def _broken(
        self, requirement: Requirement, tests: list[str], violations: list[ViolationRecord]
    ) -> RequirementResult:
        reason = _reasons(list(dict.fromkeys(each.message for each in violations)))
        waiver = self.waivers.get(requirement.id)
        if waiver is not None and waiver.covers([each.message for each in violations], self.today):
            reason = f"{reason} (waived until {waiver.expires.isoformat()}: {waiver.reason})"
            return RequirementResult(requirement, "waived", reason, tests, violations)
        return RequirementResult(requirement, "failed" if requirement.binding else "warning", reason, tests, violations)

    def stale_waivers(self) -> list[str]:
        """Waivers whose requirement passes: what they excuse is gone, and they should go too."""
        results = {each.requirement.id: each.result for each in self.requirements()}
        return [name for name in self.waivers if results.get(name) == "passed"]

    def waiver_states(self) -> dict[str, str]:
        """What became of each waiver: ``used``, ``stale``, ``expired``, or why else it waives nothing."""
        results = {each.requirement.id: each.result for each in self.requirements()}
        states = {}
        for name, waiver in self.waivers.items():
            result = results[name]
            if result == "waived":
                states[name] = "used"
            elif result == "passed":
                states[name] = "stale: the requirement passes"
            elif not waiver.active(self.today):
                states[name] = "expired"
            elif result in ("failed", "warning"):
                states[name] = "does not match: a failure lacks the text that it expects"
            else:
                states[name] = f"waives nothing: {result.replace('_', ' ')}"
        return states

    def conclude(self, *, fail_on_gaps: bool = False) -> Conclusion:
        """The verdict, by the first rule of the design that holds."""
        results = self.requirements()
        binding = [each for each in results if each.requirement.binding]
        failed = _ids(binding, "failed")
        if self.interrupted:
            return Conclusion("interrupted", EXIT_CODES["interrupted"], "the run was interrupted")
        if failed:
            return Conclusion(
                "nonconformant", EXIT_CODES["nonconformant"], f"{_count(failed, 'MUST')} failed: {_list(failed)}"
            )
        if self.unreachable or self.lost:
            return Conclusion("unreachable", EXIT_CODES["unreachable"], self.lost or "the target did not answer")
        if _ids(binding, *_OPEN) and not _ids(binding, "passed", "waived"):
            return Conclusion("inconclusive", _NOTHING_VERIFIED, "no MUST was verified at all")
        verdict, reason = self._without_failure(binding)
        code = EXIT_CODES[verdict]
        gaps = self._gaps(results) if fail_on_gaps else []
        if gaps:
            code, reason = 1, f"{reason}; --fail-on-gaps: {'; '.join(gaps)}"
        return Conclusion(verdict, code, reason)

    def _without_failure(self, binding: Sequence[RequirementResult]) -> tuple[Verdict, str]:
        """The verdict, and why, where none of the *binding* requirements failed and some of them were verified."""
        open_ones = _ids(binding, *_OPEN)
        waived = _ids(binding, "waived")
        if open_ones:
            return "inconclusive", f"nothing failed, but {_count(open_ones, 'MUST')} not verified: {_list(open_ones)}"
        if self.narrowed:
            return "inconclusive", f"nothing failed, but the run was narrowed to {_list(self.narrowed)}"
        if waived:
            reason = f"every MUST passed but for {_count(waived, 'waived one')}: {_list(waived)}"
            return "conformant_with_waivers", reason
        return "conformant", "every MUST of the profile passed"

    def _gaps(self, results: list[RequirementResult]) -> list[str]:
        warned = _ids((each for each in results if each.requirement.advice), "warning")
        missing = _ids((each for each in results if each.requirement.binding or each.requirement.advice), *_OPEN)
        stale = self.stale_waivers()
        gaps = []
        if warned:
            gaps.append(f"failed SHOULD: {_list(warned)}")
        if missing:
            gaps.append(f"not verified: {_list(missing)}")
        if stale:
            gaps.append(f"stale waivers: {_list(stale)}")
        return gaps


def _by_operation(found: RequirementResult, speaking: Iterable[TestOutcome]) -> dict[str, Result]:
    """The result for each operation that a test of the requirement is about; nothing where that would say something else.

    A test of which it is not known which operation it is about counts for both, and makes neither known.
    """
    name = found.requirement.id
    calls = [call_of(each.exchange["request"]) for each in found.violations if each.exchange]
    broken = {call[0] for call in calls if call is not None}
    # In which operation a test that failed saw it broken, the violations say.
    relevant = [each for each in speaking if not broken or each.results[name][0] != "failed"]
    known = broken.union(*(each.operations for each in relevant))
    results: dict[str, Result] = {
        operation: found.result if operation in broken else _in_operation(operation, name, relevant)
        for operation in OPERATIONS
        if operation in known
    }
    return results if found.result in results.values() else {}


def _in_operation(operation: str, name: str, outcomes: Iterable[TestOutcome]) -> Result:
    """The result of the requirement called *name* in one operation, by tests that are about it or may be."""
    seen = {each.results[name][0] for each in outcomes if operation in (each.operations or OPERATIONS)}
    if "failed" in seen:
        # What a test alone takes for this may be something else in the light of the whole run.
        seen = seen - {"failed"} | {"blocked"}
    return next(each for each in ORDER if each in seen)


def _ids(results: Iterable[RequirementResult], *which: Result) -> list[str]:
    """The ids of the requirements that have one of these results."""
    return [each.requirement.id for each in results if each.result in which]


def _reasons(reasons: list[str]) -> str:
    """Several reasons as one text; more than a few say no more."""
    more = f"; and {len(reasons) - _REASONS} more" if len(reasons) > _REASONS else ""
    return "; ".join(reasons[:_REASONS]) + more


def _count(names: list[str], noun: str) -> str:
    return f"{len(names)} {noun}{'s' if len(names) != 1 else ''}"


def _list(names: list[str]) -> str:
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return ", ".join(names[:_NAMES]) + more
