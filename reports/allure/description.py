"""What Allure shows of a test above its steps: what is broken and how to repeat it, then what the test verifies.

As HTML, because Allure's own pages show nothing else; what the target said is escaped like everything that is quoted.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from html import escape
from itertools import groupby

from contracts.requirements import Requirement, catalogue
from reports.formats import repeat
from reports.formats.repeat import NO_ACCOUNTS, Accounts
from reports.results import TestOutcome, ViolationRecord
from reports.words import count, cut, where

#: Violations of one requirement that are shown in full.
_SHOWN = 8
_LONGEST = 600
# Allure's pages reset what headings, paragraphs and tables look like.
_HEADING = ' style="font-weight:600;margin:16px 0 6px"'
_PARAGRAPH = ' style="margin:6px 0;line-height:1.4"'
_STRONG = ' style="font-weight:600"'
_SMALL = ' style="font-size:90%"'
_TABLE = ' style="margin:8px 0;border-collapse:collapse"'
_HEAD = ' style="font-weight:600;text-align:left;padding:4px 16px 4px 0"'
_CELL = ' style="vertical-align:top;padding:4px 16px 4px 0;overflow-wrap:anywhere;line-height:1.3"'
_PRE = ' style="font-family:monospace;white-space:pre-wrap;overflow-wrap:anywhere;margin:6px 0;line-height:1.4"'


def html(about: str, requirements: Sequence[str], outcome: TestOutcome | None, accounts: Accounts = NO_ACCOUNTS) -> str:
    """The description of a test that verifies *requirements*; *about* is what its docstring says beyond the title."""
    records = sorted(outcome.violations, key=_name) if outcome is not None else []
    parts: list[str] = []
    if records:
        parts.append(f"<h3{_HEADING}>What is broken</h3>")
        for name, found in groupby(records, key=_name):
            parts += _broken(catalogue()[name], list(found), accounts)
    broken = set(map(_name, records))
    rest = [f"<p{_PARAGRAPH}>{escape(paragraph)}</p>" for paragraph in about.split("\n\n") if paragraph]
    rest += [_sentence(name) for name in requirements if name not in broken]
    if rest:
        parts.append(f"<h3{_HEADING}>What {'else ' if records else ''}the test verifies</h3>")
    return "\n".join([*parts, *rest])


def _name(record: ViolationRecord) -> str:
    return record.requirement


@cache
def _sentence(name: str) -> str:
    requirement = catalogue()[name]
    sources = "; ".join(
        f'<a href="{escape(source.url)}" target="_blank" rel="noopener">{escape(str(source))}</a>'
        if source.url
        else f"a decision of this project: {escape(source.reason)}"
        for source in requirement.sources
    )
    return (
        f"<p{_PARAGRAPH}><b{_STRONG}>{escape(requirement.id)}</b> ({requirement.level}, {requirement.profile}): "
        f"{escape(requirement.obligation)}<br><span{_SMALL}>Source: {sources}</span></p>"
    )


def _broken(requirement: Requirement, records: Sequence[ViolationRecord], accounts: Accounts) -> list[str]:
    rows = "".join(
        f"<tr><td{_CELL}>{_text(where(each.message, each.actual))}</td><td{_CELL}>{_text(each.expected)}</td>"
        f"<td{_CELL}>{_text(each.actual)}</td></tr>"
        for each in records[:_SHOWN]
    )
    parts = [
        _sentence(requirement.id),
        f"<table{_TABLE}><tr><th{_HEAD}>Seen</th><th{_HEAD}>Expected</th><th{_HEAD}>Got</th></tr>{rows}</table>",
    ]
    if len(records) > _SHOWN:
        parts.append(f"<p{_PARAGRAPH}>… and {count(len(records) - _SHOWN, 'more violation')}</p>")
    script = next((said for each in records if (said := repeat.complete(each, accounts))), "")
    if script:
        summary = '<summary style="cursor:pointer">To repeat it</summary>'
        parts.append(f"<details{_PARAGRAPH}>{summary}<pre{_PRE}>{escape(script)}</pre></details>")
    return parts


def _text(text: str) -> str:
    return escape(cut(text, _LONGEST))


def plain(about: str, requirements: Sequence[str]) -> str:
    """What the test verifies, for tools that read Markdown."""
    return "\n\n".join([*([about] if about else []), *map(_plain_sentence, requirements)])


@cache
def _plain_sentence(name: str) -> str:
    entry = catalogue()[name]
    sources = "; ".join(f"[{source}]({source.url})" if source.url else str(source) for source in entry.sources)
    return f"**{entry.id}** ({entry.level}, {entry.profile}): {entry.obligation}  \n*{sources}*"
