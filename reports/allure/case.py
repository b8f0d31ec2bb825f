"""One test in Allure: its title, where it stands in the tree, what it is about, what was sent and what it found."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from allure_commons.model2 import (
    Attachment,
    Label,
    Link,
    Parameter,
    Status,
    StatusDetails,
    TestResult,
    TestStepResult,
)

from contracts.exchange import Exchange
from contracts.requirements import Requirement, catalogue
from contracts.violation import Violation
from fixtures.secrets import Vault
from reports.allure import description
from reports.formats.repeat import Accounts
from reports.formats.story import story
from reports.results import TestOutcome, TestStatus
from reports.words import GROUPS, answered, asked, count, cut, severity, spoken

#: Exchanges shown of one test. Each is a file, and no one reads more.
MOST_EXCHANGES = 20
_LONGEST_PARAMETER = 80
#: Characters of a name that a row of Allure's tree shows.
LONGEST_NAME = 60

Attach = Callable[[Exchange], Attachment]

_STATUSES: Mapping[str, str] = {
    "passed": Status.PASSED,
    "failed": Status.FAILED,
    "error": Status.BROKEN,
}


@dataclass(frozen=True)
class Case:
    """What is known of a test when its result is written."""

    nodeid: str
    title: str
    about: str
    parameters: Mapping[str, object]
    requirements: tuple[str, ...]
    status: TestStatus | None = None
    outcome: TestOutcome | None = None
    violations: Sequence[Violation] = field(default=(), repr=False)
    exchanges: Sequence[Exchange] = field(default=(), repr=False)
    waivers: Mapping[str, str] = field(default_factory=dict)

    @property
    def broken(self) -> tuple[str, ...]:
        """The requirements that the test saw broken."""
        return tuple(dict.fromkeys(each.requirement for each in self.violations))

    @property
    def concerned(self) -> list[Requirement]:
        """The requirements that the test is for, and those that it saw broken."""
        return [catalogue()[name] for name in dict.fromkeys((*self.requirements, *self.broken))]


def shape(result: TestResult, case: Case, vault: Vault, accounts: Accounts, attach: Attach) -> None:
    """Give *result* the form in which a reviewer reads it. *accounts* says where a script gets those of the run."""
    result.name = name_of(case)
    result.fullName = case.nodeid
    # A node id is unique in a run, and stays the same from run to run.
    result.testCaseId = _digest(case.nodeid)
    result.historyId = _history(result.testCaseId)
    # Where nothing is broken the descriptions have the suite's own words beside this.
    about = vault.mask(f"{case.title}.\n\n{case.about}" if case.about else f"{case.title}.")
    result.description = description.plain(about, case.requirements)
    result.descriptionHtml = description.html(about, case.requirements, case.outcome, accounts)
    result.titlePath = [_suite(case)]
    result.labels = _labels(case)
    result.links = _links(case)
    result.parameters = _parameters(case)
    result.steps = [*result.steps, *_steps(case, vault, attach)]
    if case.status is not None:
        _conclude(result, case)


def _conclude(result: TestResult, case: Case) -> None:
    """Say how the test ended, and where in it."""
    if case.status is not None:
        result.status = _STATUSES.get(case.status.word, Status.SKIPPED)
        details = _details(case)
        # Of a test that broke, pytest's own traceback says more.
        if details is not None and (case.status.word != "error" or case.violations or result.statusDetails is None):
            result.statusDetails = details
            # Allure repeats the message below the steps unless one of them has it.
            for step in result.steps:
                if step.status == Status.FAILED:
                    step.statusDetails = StatusDetails(message=details.message)
                    break


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _history(case_id: str) -> str:
    """The history id in the form in which Allure 3 makes it itself, from the case's id and, here, no parameters."""
    return ".".join(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest() for text in (case_id, ""))


def name_of(case: Case) -> str:
    """The name of a test: what distinguishes it from its neighbours first, then its sentence, as far as there is room."""
    row = case.nodeid.partition("[")[2].rpartition("]")[0].replace("-", " ")
    name = f"{row}: {case.title}" if row else case.title
    if len(name) <= LONGEST_NAME:
        return name
    return name[: LONGEST_NAME - 1].rpartition(" ")[0].rstrip(" ,;:") + "…"


def _suite(case: Case) -> str:
    letter = case.requirements[0][:1] if case.requirements else ""
    return f"{letter}: {GROUPS.get(letter, 'others')}" if letter else "others"


def _labels(case: Case) -> list[Label]:
    concerned = case.concerned
    own = [catalogue()[name] for name in case.requirements]
    return [
        Label("epic", _operation(case)),
        Label("feature", _suite(case)),
        *(Label("story", f"{each.id}: {each.title}") for each in (own or concerned)[:1]),
        Label("severity", severity(own or concerned)),
        *(Label("tag", each.id) for each in concerned),
        Label("parentSuite", _suite(case)),
        *(Label("suite", each.id) for each in (own or concerned)[:1]),
        Label("package", case.nodeid.partition("::")[0].removesuffix(".py").replace("/", ".")),
        Label("framework", "pytest"),
    ]


def _operation(case: Case) -> str:
    """``create``, ``read`` or both: by the test's parameter where it has one, else by what it sent."""
    given = str(case.parameters.get("operation", ""))
    if given in ("create", "read"):
        return given
    sent = {each.intent.operation for each in case.exchanges}
    only = sent & {"create", "read"}
    return str(only.pop()) if len(only) == 1 else "create and read"


def _links(case: Case) -> list[Link]:
    links: dict[tuple[str, str], Link] = {}
    for requirement in case.concerned:
        for source in requirement.sources:
            if source.url:
                links.setdefault((source.url, str(source)), Link(type="link", url=source.url, name=str(source)))
    for name in case.broken:
        issue = case.waivers.get(name)
        if issue and issue.startswith(("http://", "https://")):
            links.setdefault((issue, name), Link(type="issue", url=issue, name=f"waived: {name}"))
    return list(links.values())


def _parameters(case: Case) -> list[Parameter]:
    """The parameters that a person can read. They are left out of the history id, which the node id makes."""
    named = {name: _parameter(value) for name, value in case.parameters.items()}
    return [Parameter(name=name, value=value, excluded=True) for name, value in named.items() if value is not None]


def _parameter(value: object) -> str | None:
    """A parameter as a person would name it, by what it calls itself; None where only the test's title can."""
    if value is None or isinstance(value, str | int | float):
        return cut(str(value), _LONGEST_PARAMETER)
    for attribute in ("name", "id", "label"):
        text = getattr(value, attribute, None)
        if isinstance(text, str):
            return cut(text, _LONGEST_PARAMETER)
    return None


def _details(case: Case) -> StatusDetails | None:
    status = case.status
    if status is None or status.word == "passed":
        return None
    if case.outcome is None or not case.outcome.violations:
        said = f"{spoken(status.word)}: {status.message}" if status.message else spoken(status.word)
        return StatusDetails(message=said)
    # Allure groups tests by this text: the sentence that is broken, and nothing that differs from test to test.
    sentences = [f"{name} ({catalogue()[name].level}): {catalogue()[name].obligation}" for name in case.broken]
    word = "" if status.word == "failed" else f"{spoken(status.word)}: "
    message = word + "\n".join(sentences)
    return StatusDetails(message=message, trace=story(case.outcome), known=status.word == "waived" or None)


def _steps(case: Case, vault: Vault, attach: Attach) -> list[TestStepResult]:
    guilty = {id(exchange) for violation in case.violations for exchange in violation.exchanges[:1]}
    shown = {id(exchange): exchange for violation in case.violations for exchange in violation.exchanges}
    left_out = 0
    for exchange in case.exchanges:
        if id(exchange) in shown or len(shown) < MOST_EXCHANGES:
            shown[id(exchange)] = exchange
        else:
            left_out += 1
    ordered = _first(sorted(shown.values(), key=lambda each: each.sent_at), guilty)
    left_out += len(shown) - len(ordered)
    offset = time.time() - time.monotonic()
    steps = [_step(exchange, id(exchange) in guilty, offset, vault, attach) for exchange in ordered]
    if left_out:
        steps.append(TestStepResult(name=f"… {count(left_out, 'more exchange')} not shown", status=Status.PASSED))
    return steps


def _first(exchanges: Sequence[Exchange], guilty: Iterable[int]) -> list[Exchange]:
    """At most as many exchanges as are shown; those that show something broken are never left out for others."""
    wanted = set(guilty)
    room = max(0, MOST_EXCHANGES - sum(id(each) in wanted for each in exchanges))
    kept = []
    for each in exchanges:
        if id(each) in wanted:
            kept.append(each)
        elif room:
            room -= 1
            kept.append(each)
    return kept[: 2 * MOST_EXCHANGES]


def _step(exchange: Exchange, guilty: bool, offset: float, vault: Vault, attach: Attach) -> TestStepResult:
    return TestStepResult(
        name=f"{asked(exchange, vault)} → {answered(exchange, vault)}",
        status=Status.FAILED if guilty else Status.PASSED,
        start=int((exchange.sent_at + offset) * 1000),
        stop=int((exchange.ended_at + offset) * 1000),
        attachments=[attach(exchange)],
    )
