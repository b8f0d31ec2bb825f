"""Generated examples: those that a run sends are stored, and so the same everywhere; only ``thorough`` looks for others.

On a target with state the first sighting is the finding; shrinking would rotate a key a hundred times. What is stored comes
from the strategies of ``suites/scenarios/strategies.py`` by ``make generate``.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from fixtures.calls import PATH, Call
from suites.scenarios.controls import ControlledCheck

STORED: Final = Path(__file__).with_name("generated.json")
#: The member of a JSON object that stands for a call.
_CALL = "call of the contract"


class Misfit(Exception):
    """Marks an example, for Hypothesis, as one to shrink."""


def explore(
    check: ControlledCheck,
    fits: Callable[..., bool],
    name: str,
    always: Sequence[tuple[Any, ...]] = (),
    examples: int | None = None,
) -> None:
    """Run *fits*, which says whether the answer to its example is as documented, on *always* and on the *examples* of *name*.

    The first misfit ends it, but for a run that may shrink: there Hypothesis goes on to look for the smallest one.
    """
    most = check.examples if examples is None else examples
    for arguments in (*always, *([] if check.run.thorough else stored(name)[:most])):
        if not fits(*arguments):
            return
    if check.run.thorough:
        _search(fits, name, most, shrinks=check.run.loopback)


def _search(fits: Callable[..., bool], name: str, examples: int, *, shrinks: bool) -> None:
    # Imported here: in all other runs nothing is generated.
    from hypothesis.errors import Flaky

    from suites.scenarios.strategies import generate

    misfit = False

    def each(arguments: tuple[Any, ...]) -> None:
        nonlocal misfit
        if misfit and not shrinks:
            return
        if not fits(*arguments):
            misfit = True
            if shrinks:
                raise Misfit

    with contextlib.suppress(Misfit, Flaky):
        # The answers that do not fit are named.
        generate(name, each, examples, shrinks=shrinks)


# ---------------------------------------------------------------------- what is stored


def stored(name: str) -> Sequence[tuple[Any, ...]]:
    """The stored examples of *name*, the simplest first."""
    return _read()[name]


@cache
def _read() -> Mapping[str, Sequence[tuple[Any, ...]]]:
    return from_text(STORED.read_text(encoding="utf-8"))


def from_text(text: str) -> dict[str, list[tuple[Any, ...]]]:
    """The examples of each source in *text*."""
    document = json.loads(text)
    return {name: [tuple(map(_from_json, each)) for each in examples] for name, examples in document.items()}


def to_text(examples: Mapping[str, Iterable[tuple[Any, ...]]]) -> str:
    """The *examples* of each source as a JSON document."""
    document = {name: [[_to_json(one) for one in each] for each in found] for name, found in examples.items()}
    return json.dumps(document, indent=1) + "\n"


def _to_json(value: Any) -> Any:
    if not isinstance(value, Call):
        return value
    body = None if value.body is None else value.body.decode("latin-1")
    return {_CALL: [value.operation, value.method, value.query, value.headers, body, value.front]}


def _from_json(value: Any) -> Any:
    if not (isinstance(value, dict) and _CALL in value):
        return value
    operation, method, query, headers, body, front = value[_CALL]
    return Call(
        operation,
        method,
        PATH + operation,
        query=query,
        headers=tuple((name, text) for name, text in headers),
        body=None if body is None else body.encode("latin-1"),
        front=front,
        breaks_contract=True,
    )
