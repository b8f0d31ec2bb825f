"""What the history of a run shows when it ends: the result of each requirement, and what no test has named."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence

import allure_commons
import pytest
from allure_commons.model2 import TestResult as AllureResult

from contracts.attribution.explanation import Explanation
from contracts.judge import Judgement
from contracts.requirements import catalogue
from contracts.violation import Violation
from fixtures.secrets import Vault
from reports import allure
from reports.exchange import violation_record
from reports.formats import story
from reports.results import Results, TestOutcome
from reports.words import spoken
from suites.runner.check import Check
from suites.runner.state import State
from suites.runner.violations import violations_of

NAME = "whole run"
_TITLE = "What the history of the whole run shows"


class WholeRun:
    """Attributes what was wrong, before the plugins that write results close their books."""

    def __init__(self, state: State) -> None:
        self._state = state

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """The tests are over."""
        state = self._state
        state.interrupts.hold()
        if state.progress is not None:
            state.progress.close()
        if state.run is None or state.setup_error is not None:
            return
        explanation = state.explanation = state.run.explain()
        tests = [
            (each, state.checks[each.test].in_question) for each in state.results.outcomes if each.test in state.checks
        ]
        unnamed = attribute(state.results, explanation, tests, state.vault, state.run.accounts.is_fixed)
        if unnamed:
            _report(state, session.config, unnamed)


def attribute(
    results: Results,
    explanation: Explanation,
    tests: Iterable[tuple[TestOutcome, Sequence[Judgement]]],
    vault: Vault,
    fixed: Callable[[str], bool] = lambda _: False,
) -> list[Violation]:
    """Give *results* what *explanation* says of the whole history; the violations that no test has named.

    *tests* are the outcomes of the tests, each with the answers for which it fails or is blocked. *fixed* says of an account
    whether it was there before the run.
    """
    records: dict[str, list[Violation]] = {name: [] for name in sorted(explanation.broken)}
    for each in violations_of(explanation, fixed):
        records[each.requirement].append(each)
    results.attribute(
        {
            name: [violation_record(each, vault, repeatable=not _is_race(each)) for each in found]
            for name, found in records.items()
        },
        _blocked_by(tests, explanation),
    )
    return [each for name, found in records.items() if not _is_named(results, name) for each in found]


def outcome_of(violations: Sequence[Violation], vault: Vault) -> TestOutcome:
    """The outcome of a test of its own for *violations*, which no test has named."""
    records = tuple(violation_record(each, vault) for each in violations)
    reasons = {each.requirement: each.message for each in reversed(records)}
    return TestOutcome(NAME, _TITLE, {name: ("failed", reason) for name, reason in reasons.items()}, records)


def _is_race(violation: Violation) -> bool:
    return any(each.intent.group for each in violation.exchanges)


def _blocked_by(
    tests: Iterable[tuple[TestOutcome, Sequence[Judgement]]], explanation: Explanation
) -> Mapping[str, Sequence[str]]:
    """For each requirement that is not broken itself, what explains the failures that touched it."""
    found: dict[str, set[str]] = {}
    for anomaly in explanation.anomalies:
        for name in anomaly.candidates - explanation.broken:
            found.setdefault(name, set()).update(explanation.explains(anomaly))
    for outcome, answers in tests:
        causes = _causes(answers, explanation)
        for name, (result, _) in outcome.results.items():
            if result in ("failed", "blocked") and causes and name not in explanation.broken:
                found.setdefault(name, set()).update(causes)
    return {name: sorted(causes) for name, causes in found.items()}


def _causes(answers: Iterable[Judgement], explanation: Explanation) -> set[str]:
    """What explains what is wrong in *answers*: where they are right in the light of the whole run, what is wrong for their accounts."""
    wrong = {id(each) for each in answers}
    accounts = {each.exchange.intent.account for each in answers}
    found = [each for each in explanation.anomalies if id(each.answer) in wrong]
    found = found or [each for each in explanation.anomalies if each.answer.exchange.intent.account in accounts]
    return {name for anomaly in found for name in explanation.explains(anomaly)}


def explained(checks: Mapping[str, Check], explanation: Explanation) -> dict[str, list[str]]:
    """For each test, by its node id, that is blocked or fails for what another requirement explains: that requirement."""
    found = {}
    for node, check in checks.items():
        broken = {each.requirement for each in check.violations}
        causes = _causes(check.in_question, explanation)
        if causes and not broken & explanation.broken:
            found[node] = [name for name in catalogue() if name in causes]
    return found


def _is_named(results: Results, requirement: str) -> bool:
    """Whether a test has failed for *requirement*."""
    return any(each.requirement == requirement for outcome in results.outcomes for each in outcome.violations)


def _report(state: State, config: pytest.Config, violations: Sequence[Violation]) -> None:
    """Report *violations*, which no test has named, as a test of their own to whatever listens: the terminal, JUnit, Allure."""
    outcome = outcome_of(violations, state.vault)
    status = state.results.status(outcome)
    location = (NAME, None, NAME)
    if status.word == "failed":
        said: tuple[str, object] = ("failed", story.Story.of(story.story(outcome), status.message))
    else:
        said = ("skipped", (NAME, 0, f"Skipped: {spoken(status.word)}: {status.message}"))
    for when, (ending, message) in {"setup": ("passed", None), "call": said, "teardown": ("passed", None)}.items():
        report = pytest.TestReport(NAME, location, {}, ending, message, when)  # type: ignore[arg-type]
        if when == "call":
            report.conformance = outcome.as_json()  # type: ignore[attr-defined]
        config.hook.pytest_runtest_logreport(report=report)
    now = int(time.time() * 1000)
    state.book.note(allure.Case(NAME, _TITLE, "", {}, tuple(outcome.results), status, outcome, violations))
    allure_commons.plugin_manager.hook.report_result(result=AllureResult(uuid=str(uuid.uuid4()), start=now, stop=now))
