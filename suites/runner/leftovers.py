"""What the calls of the main path showed and no test took up: it was seen, so it is told, as a test of its own.

This happens where a run is narrowed: any test may need the main path, but only some look at its answers.
"""

from __future__ import annotations

import time
import uuid

import allure_commons
import pytest
from allure_commons.model2 import TestResult as AllureResult

from contracts.violation import Violation
from fixtures.secrets import Vault
from reports import allure
from reports.exchange import violation_record
from reports.formats import terminal
from reports.results import Results, TestOutcome
from reports.words import spoken
from suites.runner.run import Run
from suites.scenarios.controls import Evidence

NAME = "main path"
_TITLE = "What the calls of the main path showed"


def unclaimed(run: Run, evidence: Evidence) -> list[Violation]:
    """The violations that no test has told of."""
    found = [*run.pending, *(each for some in evidence.findings.values() for each in some)]
    return [each for each in found if run.counts(each.requirement) and run.is_new(each)]


def tell(config: pytest.Config, violations: list[Violation], results: Results, vault: Vault, book: allure.Book) -> None:
    """Report *violations* to whatever listens to the results of tests: the terminal, JUnit, Allure."""
    records = tuple(violation_record(each, vault) for each in violations)
    broken = tuple(dict.fromkeys(each.requirement for each in records))
    reasons = {each.requirement: each.message for each in reversed(records)}
    outcome = TestOutcome(NAME, _TITLE, {name: ("failed", reasons[name]) for name in broken}, records)
    status = results.status(outcome)
    location = (NAME, None, NAME)
    if status.word == "failed":
        told: tuple[str, object] = ("failed", terminal.Story.of(terminal.story(outcome), status.message))
    else:
        told = ("skipped", (NAME, 0, f"Skipped: {spoken(status.word)}: {status.message}"))
    for when, (ending, said) in {"setup": ("passed", None), "call": told, "teardown": ("passed", None)}.items():
        report = pytest.TestReport(NAME, location, {}, ending, said, when)  # type: ignore[arg-type]
        if when == "call":
            report.conformance = outcome.as_json()  # type: ignore[attr-defined]
        config.hook.pytest_runtest_logreport(report=report)
    now = int(time.time() * 1000)
    book.note(allure.Case(NAME, _TITLE, "", {}, broken, status, outcome, violations))
    allure_commons.plugin_manager.hook.report_result(result=AllureResult(uuid=str(uuid.uuid4()), start=now, stop=now))
