"""How examples are generated: the same ones every time, no shrinking, nothing written to disk.

On a target with state the first sighting is the finding; shrinking would rotate a key a hundred times. Only ``thorough``
explores, with a seed that repeats it.
"""

from __future__ import annotations

import json
import zlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from hypothesis import Phase, example, given, seed, settings
from hypothesis.errors import Flaky

from fixtures.calls import FORM, JSON, PATH, Call, Operation
from suites.runner.run import UNKNOWN
from suites.scenarios.controls import ControlledCheck

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hypothesis.strategies import SearchStrategy

_BUNDLE = Path(__file__).resolve().parents[2] / "contracts" / "openapi.bundled.json"
_LONG = 1_000
_HEADERS = frozenset({"nvx-iso-datetime"})


class Misfit(Exception):
    """Tells Hypothesis that an example is one to shrink."""


def explore(
    check: ControlledCheck,
    fits: Callable[..., bool],
    strategy: SearchStrategy[tuple[Any, ...]],
    always: Sequence[tuple[Any, ...]] = (),
    examples: int | None = None,
    name: str = "",
    beyond_simplest: bool = False,
) -> None:
    """Run *fits*, which says whether the answer to its example is as documented, on *always* and on examples of *strategy*.

    The first misfit ends it, but for a run that may shrink: there Hypothesis goes on to look for the smallest one. Checks of
    another *name* get other examples. Hypothesis always begins with the simplest example of all; *beyond_simplest* says
    that it is worth no request.
    """
    shrinks = check.run.thorough and check.run.loopback
    misfit = False
    simplest = beyond_simplest

    def each(arguments: tuple[Any, ...]) -> None:
        nonlocal simplest, misfit
        if simplest:
            simplest = False
            return
        if misfit and not shrinks:
            return
        if not fits(*arguments):
            misfit = True
            if shrinks:
                raise Misfit

    test: Any = given(strategy)(each)
    for arguments in always:
        test = example(arguments)(test)
    if not check.run.thorough:
        # Hypothesis's own seed is that of the code, which all checks share.
        test = seed(zlib.crc32(name.encode()))(test)
    phases = [Phase.explicit, Phase.generate, *([Phase.shrink] if shrinks else [])]
    try:
        most = (examples or check.examples) + beyond_simplest
        settings(max_examples=most, phases=phases, report_multiple_bugs=False)(test)()
    except (Misfit, Flaky):
        # The answers that do not fit are named.
        return


@cache
def _schema() -> Any:
    # Imported here: it costs a fifth of a second, which runs without generated checks need not spend.
    import schemathesis
    from schemathesis.config import SchemathesisConfig

    config = SchemathesisConfig.from_dict({"generation": {"database": "none", "deterministic": True}})
    return schemathesis.openapi.from_dict(json.loads(_BUNDLE.read_text(encoding="utf-8")), config=config)


@cache
def contract_cases(operation_id: str, mode: str) -> SearchStrategy[Call]:
    """Calls of the operation *operation_id* that Schemathesis makes by the contract, or (*mode* negative) against it."""
    from schemathesis import GenerationMode

    name = "create" if operation_id.startswith("create") else "read"
    operation = _schema()[PATH + name][operation_id.removeprefix(name).upper()]
    kind = GenerationMode.NEGATIVE if mode == "negative" else GenerationMode.POSITIVE
    strategy: SearchStrategy[Any] = operation.as_strategy(generation_mode=kind)
    return strategy.map(_as_call)


def _as_call(case: Any) -> Call:
    """The case as a call of the suite's own session: its rules hold for these requests too."""
    operation: Operation = "create" if case.path.endswith("create") else "read"
    query = urlencode(
        {str(name): _text(value) for name, value in _mapping(case.query).items()}, quote_via=quote, errors="replace"
    )
    headers = tuple(
        (name, value)
        for name, value in _mapping(case.headers).items()
        if name.lower() in _HEADERS and value.isascii() and value.isprintable()
    )
    body: bytes | None = None
    method = str(case.method).upper()
    if method == "POST":
        form = case.media_type == FORM
        members = _replace_hash(case.body)
        if form and isinstance(members, dict):
            body = urlencode({str(name): _text(value) for name, value in members.items()}, errors="replace").encode()
        elif isinstance(members, bytes):
            body = members
        else:
            body = json.dumps(members if not form else {}, default=str).encode()
        headers = (*headers, ("Content-Type", FORM if form else JSON))
    everything = query + (body or b"").decode("utf-8", "replace")
    front = len(everything) > _LONG or "%00" in everything or "\\u0000" in everything or "\\ud" in everything.lower()
    return Call(
        operation, method, PATH + operation, query=query, headers=headers, body=body, front=front, breaks_contract=True
    )


def _mapping(value: Any) -> dict[str, Any]:
    return {str(name): each for name, each in _replace_hash(dict(value)).items()} if value else {}


def _replace_hash(value: Any) -> Any:
    """Well-formed hashes are replaced by one that is surely no one's: the documents' examples may be some emulator's accounts."""
    if isinstance(value, dict) and isinstance(value.get("hash"), str) and len(value["hash"]) == len(UNKNOWN):
        return {**value, "hash": UNKNOWN}
    return value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
