"""``--explain``: a requirement, what it rests on, and the tests that verify it. Sends nothing."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest

from contracts.requirements import Requirement, Source, catalogue, select
from fixtures.errors import SetupError, nearest
from reports.words import count
from suites.runner.items import requirements_of, sentences_of

_WIDTH = 80


def chosen(name: str) -> list[str]:
    """The ids that *name*, an id or a tag, stands for. Raises ``SetupError`` with the nearest one."""
    try:
        return select([name])
    except KeyError:
        known = [*catalogue(), *(entry.tag for entry in catalogue().values())]
        hint = nearest(name, known) or "; see --list-requirements"
        raise SetupError(f"--explain {name!r} is no id or tag of a requirement{hint}") from None


def explain(names: Sequence[str], items: Sequence[pytest.Item]) -> Iterator[str]:
    """What is to be said of the requirements *names*, line by line; *items* are the tests of the suite."""
    for number, name in enumerate(names):
        if number:
            yield ""
        yield from _explain(catalogue()[name], [item for item in items if name in requirements_of(item)])


def _explain(entry: Requirement, items: Sequence[pytest.Item]) -> Iterator[str]:
    yield entry.id
    yield f"  level {entry.level}, profile {entry.profile}"
    yield ""
    yield from _text(entry.obligation, "  ")
    yield ""
    yield "  Sources"
    for source in entry.sources:
        yield from _source(source)
    yield ""
    if entry.untested:
        yield from _text(f"No test verifies it: {entry.untested}", "  ")
        return
    yield "  Verified by"
    rows = Counter(item.nodeid.partition("[")[0] for item in items)
    first = {item.nodeid.partition("[")[0]: item for item in reversed(items)}
    for test, number in rows.items():
        yield f"    {test}" + (f"  ({count(number, 'row')})" if number > 1 else "")
        yield from _text(f"{sentences_of(first[test])[1]}.", "      ")


def _source(source: Source) -> Iterator[str]:
    if source.document == "PROJECT":
        yield from _text(f"decision of this project: {source.section}", "    ")
        return
    yield from _text(str(source), "    ")
    # An address is not broken: it is there to be copied.
    yield f"      {source.url}"


def _text(text: str, margin: str) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=margin,
        subsequent_indent=margin,
        break_long_words=False,
        break_on_hyphens=False,
    )
