"""What a failed test says, in JUnit, in Allure and under pytest: sentence, expected, got, exchange."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from types import SimpleNamespace
from typing import Any, Final

from contracts.requirements import catalogue
from fixtures.secrets import Vault
from reports.results import TestOutcome, ViolationRecord
from reports.words import count, for_a_log, one_line

#: Violations of one requirement, and those of them with their exchange.
_STORY: Final = 8
_EXCHANGES: Final = 2
_LONGEST: Final = 300


class Story(str):
    """What pytest prints and JUnit keeps of a failure. ``reprcrash.message`` is its one line."""

    __slots__ = ("reprcrash",)
    reprcrash: SimpleNamespace

    @classmethod
    def of(cls, text: str, line: str) -> Story:
        """A story with its one line."""
        made = cls(text)
        made.reprcrash = SimpleNamespace(message=line)
        return made

    @classmethod
    def masked(cls, representation: object, vault: Vault) -> Story:
        """A failure as pytest represents it, secrets named; its one line is pytest's own."""
        crash = getattr(representation, "reprcrash", None)
        text = vault.mask(str(representation))
        return cls.of(text, vault.mask(str(getattr(crash, "message", text))))

    def toterminal(self, writer: Any) -> None:
        """Print it, as pytest asks a failure to."""
        writer.line(for_a_log(str(self)))


def redact_report(report: Any, vault: Vault, shown: Story | None = None) -> None:
    """Redact what pytest's *report* of a test says; *shown* stands in the place of the failure, if it is ours."""
    if isinstance(report.longrepr, tuple):
        path, line, message = report.longrepr
        report.longrepr = (path, line, vault.mask(message))
    elif report.longrepr is not None:
        report.longrepr = shown or Story.masked(report.longrepr, vault)
    report.sections = [(name, vault.mask(text)) for name, text in report.sections]


def story(outcome: TestOutcome) -> str:
    """What a failed test shows: sentence, expected, actual, exchange, and how to repeat it."""
    lines = [outcome.title]
    records = sorted(outcome.violations, key=lambda each: each.requirement)
    for name, found in groupby(records, key=lambda each: each.requirement):
        requirement = catalogue()[name]
        lines += ["", f"{requirement.id} ({requirement.level}): {requirement.obligation}"]
        lines.append(f"  source:   {'; '.join(map(str, requirement.sources))}")
        same = list(found)
        for number, record in enumerate(same[:_STORY]):
            lines += _lines_of(record, exchange=number < _EXCHANGES)
        if len(same) > _STORY:
            lines.append(f"  … and {count(len(same) - _STORY, 'more violation')} of it")
    return "\n".join(lines)


def _lines_of(record: ViolationRecord, *, exchange: bool) -> Iterator[str]:
    yield f"  seen:     {one_line(record.message, _LONGEST)}"
    yield f"  expected: {one_line(record.expected, _LONGEST)}"
    yield f"  got:      {one_line(record.actual, _LONGEST)}"
    if exchange and record.exchange is not None:
        yield from (f"    > {line}" for line in record.exchange["request"].splitlines())
        yield from (f"    < {line}" for line in record.exchange["response"].splitlines())
        yield f"    repeat: {record.exchange['curl']}"
