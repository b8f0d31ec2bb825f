"""What a test came to: a result for each requirement that it verifies, and of these the outcome that pytest reports."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Generator, Sequence
from typing import Any

import pytest

from contracts.anomaly import asked
from contracts.attribution.explanation import Explanation
from contracts.exchange import OPERATIONS
from contracts.ids import B1
from contracts.requirements import catalogue
from contracts.violation import Violation
from fixtures.errors import HookSilentError, NotAvailable, SetupError, TargetLost
from fixtures.secrets import Vault
from reports import allure
from reports.exchange import violation_record
from reports.formats import story
from reports.results import TestOutcome, TestResult
from reports.words import spoken
from suites.runner.check import Blocked, Check
from suites.runner.console import give_up
from suites.runner.items import requirements_of, sentences_of, title_of
from suites.runner.state import State
from suites.runner.violations import violations_of

CHECK = pytest.StashKey[Check]()
OUTCOME = pytest.StashKey[dict[str, Any]]()
BROKEN = pytest.StashKey[dict[str, Any]]()

#: What ends a test, or the whole run, by somebody's will: pytest deals with it.
_PYTESTS = (pytest.skip.Exception, KeyboardInterrupt, SystemExit, pytest.exit.Exception)


class ConformanceFailure(Exception):
    """A target broke the contract: the text is the whole story, redacted, after a line that says it in short."""

    def __init__(self, line: str, story: str) -> None:
        super().__init__(line)
        self._story = story

    def story(self, vault: Vault) -> story.Story:
        """The whole story, for pytest."""
        return story.Story.of(vault.mask(self._story), vault.mask(str(self)))


def _begin(state: State, item: pytest.Function) -> Check | None:
    """The check that *item* was given, from which its outcome is decided; None where it has none."""
    check = next((each for each in item.funcargs.values() if isinstance(each, Check)), None)
    if check is not None:
        state.the_run.session.group = item.path.stem.removeprefix("test_")
        state.checks[item.nodeid] = check
        item.stash[CHECK] = check
    return check


def run_test(state: State, item: pytest.Function) -> Generator[None, Any, Any]:
    """Run a test around the ``yield``, and give it the results and the outcome that it deserves."""
    check = _begin(state, item)
    if check is None:
        return (yield)
    ended: tuple[TestResult, str] = ("passed", "")
    crash: BaseException | None = None
    started = time.monotonic()
    try:
        yield
    except _PYTESTS:
        raise
    except Exception as error:
        ended = _ended(state, item, check, error)
        if ended[0] == "error" and not isinstance(error, SetupError):
            crash = error
    if state.interrupts.caught:
        # The exception was lost on its way, and what the test has come to without an answer is nothing.
        raise KeyboardInterrupt
    outcome = _outcome(state, item, check, ended, time.monotonic() - started)
    item.stash[OUTCOME] = outcome.as_json()
    if crash is not None:
        raise crash
    # The story says it all: to look the sources up for a traceback that no one sees takes longer than the test.
    item.repr_failure = lambda excinfo: str(excinfo.value)  # type: ignore[method-assign]
    _raise(state, outcome)
    return True


def _ended(state: State, item: pytest.Function, check: Check, error: Exception) -> tuple[TestResult, str]:
    """The result of a test that ended with *error*, and its reason."""
    match error:
        case Blocked():
            check.blocked_on = error.answers
            return "blocked", str(error)
        case NotAvailable():
            return "not_verified", str(error)
        case TargetLost():
            state.results.lost = str(error)
            return "not_verified", f"the target went away: {error}"
        case HookSilentError() if (gone := state.the_run.gone()) is not None:
            # One process may be both.
            state.results.lost = gone
            return "not_verified", f"the target went away: {gone}"
        case SetupError():
            give_up(item.config, state, str(error))
            item.session.shouldstop = "set-up"
            return "error", str(error)
    # Whatever else goes wrong in a test is the suite's own fault.
    return "error", state.vault.mask(f"{type(error).__name__}: {error}")


def _outcome(
    state: State, item: pytest.Function, check: Check, ended: tuple[TestResult, str], seconds: float
) -> TestOutcome:
    """What the answers that the test names come to, by themselves."""
    vault = state.vault
    repeatable = item.get_closest_marker("race") is None
    explanation = check.explanation()
    check.violations = _in_order(violations_of(explanation, check.run.accounts.is_fixed), check.requirements)
    records = tuple(violation_record(each, vault, repeatable=repeatable) for each in check.violations)
    results: dict[str, tuple[TestResult, str]] = {}
    for name in check.requirements:
        others = {each for anomaly in explanation.of(name) for each in explanation.explains(anomaly)} - {name}
        result, reason = ended
        if others and result == "passed":
            result, reason = "blocked", f"explained by {', '.join(sorted(others))}"
        if result == "passed" and (missing := no_refusal(explanation, name)) is not None:
            result, reason = "not_verified", missing
        results[name] = (result, vault.mask(reason))
    for record in records:
        results[record.requirement] = ("failed", record.message)
    about = _operations(item, check)
    return TestOutcome(item.nodeid, title_of(item), results, records, seconds, check.requests, about)


def no_refusal(explanation: Explanation, requirement: str) -> str | None:
    """Why what was named does not show that *requirement* is kept, where it is by a refusal; None where it shows it."""
    for answer in explanation.no_refusals:
        refusal = answer.exchange.intent.refusal
        if refusal is not None and requirement in (refusal.requirement, refusal.for_its_code):
            return (
                f"{asked(answer)}: {answer.summary()} is no refusal, and {B1}, which it breaks, is not in the profile"
            )
    return None


def _operations(item: pytest.Item, check: Check) -> tuple[str, ...]:
    """The operations that a test is about: by its parameter, else by the answers that it names."""
    callspec: Any = getattr(item, "callspec", None)
    given = callspec.params.get("operation") if callspec else None
    called = {given} if given in OPERATIONS else {each.exchange.intent.operation for each in check.named}
    return tuple(each for each in OPERATIONS if each in called)


def _in_order(violations: Sequence[Violation], own: Collection[str]) -> list[Violation]:
    """What the test is about first; beside that no advice that it is not about."""
    about = [each for each in violations if each.requirement in own]
    others = [each for each in violations if each.requirement not in own]
    return [*about, *(each for each in others if not about or catalogue()[each.requirement].binding)]


def _raise(state: State, outcome: TestOutcome) -> None:
    """Give the test the outcome in pytest that its results deserve."""
    status = state.results.status(outcome)
    if status.word == "failed":
        raise ConformanceFailure(status.message, story.story(outcome)) from None
    if status.word != "passed":
        pytest.skip(f"{spoken(status.word)}: {status.message}")


def complete_report(state: State, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
    """Redact what the report of a test says, and send the test's results along with it."""
    vault = state.vault
    error = call.excinfo.value if call.excinfo is not None else None
    story.redact_report(report, vault, error.story(vault) if isinstance(error, ConformanceFailure) else None)
    if call.when == "call" and OUTCOME in item.stash:
        report.conformance = item.stash[OUTCOME]  # type: ignore[attr-defined]
    elif call.when in ("setup", "teardown") and call.excinfo is not None and report.failed:
        reason = f"{call.when} broke: {vault.mask(str(call.excinfo.value))}"
        outcome = TestOutcome(item.nodeid, title_of(item), dict.fromkeys(requirements_of(item), ("error", reason)))
        report.conformance = item.stash[BROKEN] = outcome.as_json()  # type: ignore[attr-defined]
    if call.when == "teardown":
        state.book.note(_case(state, item))


def _case(state: State, item: pytest.Item) -> allure.Case:
    """What Allure's result of *item* is to say."""
    check = item.stash.get(CHECK, None)
    broken = item.stash.get(BROKEN, None)
    data = item.stash.get(OUTCOME, broken)
    outcome = TestOutcome.from_json(data) if data is not None else None
    status = state.results.status(outcome) if outcome is not None else None
    if broken is not None and status is not None and status.word == "passed":
        status = state.results.status(TestOutcome.from_json(broken))
    title, _, about = sentences_of(item)
    callspec: Any = getattr(item, "callspec", None)
    return allure.Case(
        item.nodeid,
        title,
        about,
        callspec.params if callspec else {},
        requirements_of(item),
        status,
        outcome,
        check.violations if check else (),
        [each.exchange for each in check.shown] if check else (),
        {name: waiver.issue or "" for name, waiver in state.results.waivers.items()},
    )


def take_in(report: pytest.TestReport, add: Callable[[TestOutcome], None]) -> None:
    """Give the results that *report* carries to *add*."""
    data = getattr(report, "conformance", None)
    if data is not None:
        add(TestOutcome.from_json(data))


def word_of(state: State, report: pytest.TestReport) -> tuple[str, str, str] | None:
    """The category, letter and word for a test: what pytest counts as failed or skipped is distinguished here."""
    data = getattr(report, "conformance", None)
    if data is None and report.skipped and state.progress is not None:
        # Its letter would stand in the line that shows the progress.
        return "skipped", "", "SKIPPED"
    if data is None:
        if report.when != "call" and report.passed:
            return "", "", ""
        # With a line for each kind of requirement, no letter for each test.
        return None if state.progress is None else (report.outcome, "", report.outcome.upper())
    word = state.results.status(TestOutcome.from_json(data)).word
    if state.words.get(report.nodeid, "passed") == "passed":
        state.words[report.nodeid] = word
    categories = {"failed": "nonconformant", "error": "failed" if report.when == "call" else "error"}
    category = categories.get(word, spoken(word))
    letter = "" if state.progress is not None else {"passed": "."}.get(category, category[:1])
    return category, letter, category.upper()
