"""What examples are generated of: Hypothesis's strategies, and Schemathesis's of the contract.

Only what generates imports this; the examples that a run sends are stored (``suites/scenarios/generated.py``).
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

import schemathesis
from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig

from fixtures.calls import FORM, JSON, PATH, Call, Operation
from suites.runner.run import UNKNOWN
from suites.scenarios.texts import NASTY

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

_BUNDLE = Path(__file__).resolve().parents[2] / "contracts" / "openapi.bundled.json"
_LONG = 1_000
_HEADERS = frozenset({"nvx-iso-datetime"})
# What Hypothesis begins with is the first of each alternative: it is to be worth its request.
_TEXT = st.just(NASTY) | st.text(max_size=64).filter(lambda text: len(text) != 32)
_VALUES = st.just("a text") | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_OPERATION = st.sampled_from(("create", "read"))


@cache
def contract() -> Any:
    """The contract as Schemathesis reads it."""
    config = SchemathesisConfig.from_dict({"generation": {"database": "none", "deterministic": True}})
    return schemathesis.openapi.from_dict(json.loads(_BUNDLE.read_text(encoding="utf-8")), config=config)


@cache
def contract_cases(operation_id: str, mode: str) -> SearchStrategy[Call]:
    """Calls of the operation *operation_id* that Schemathesis makes by the contract, or (*mode* negative) against it."""
    name = "create" if operation_id.startswith("create") else "read"
    operation = contract()[PATH + name][operation_id.removeprefix(name).upper()]
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


@dataclass(frozen=True)
class Source:
    """A strategy for the arguments of a check, and how many examples are stored.

    ``beyond_simplest`` says that the simplest example is worth no request.
    """

    make: Callable[[], SearchStrategy[tuple[Any, ...]]]
    stored: int
    beyond_simplest: bool = False


def _cases(operation_id: str, mode: str) -> SearchStrategy[tuple[Call]]:
    return st.tuples(contract_cases(operation_id, mode))


#: By the name that a check gives to :func:`suites.scenarios.generated.explore`.
SOURCES: Final[Mapping[str, Source]] = MappingProxyType(
    {
        "json-of-any-shape": Source(partial(st.tuples, _OPERATION, _VALUES, st.booleans()), 2),
        "hash-of-any-text": Source(partial(st.tuples, _OPERATION, st.sampled_from(("query", "form")), _TEXT), 2),
        **{
            f"{operation_id}-{mode}": Source(partial(_cases, operation_id, mode), 1, beyond_simplest=True)
            for mode in ("negative", "positive")
            for operation_id in ("createGet", "createPost", "readGet", "readPost")
            if (operation_id, mode) == ("createPost", "positive") or mode == "negative"
        },
    }
)


def generate(
    name: str,
    each: Callable[[tuple[Any, ...]], None],
    examples: int,
    *,
    shrinks: bool = False,
    seeded: bool = False,
) -> None:
    """Have Hypothesis call *each* with so many *examples* of the source *name*; *seeded* says that they are the same every time."""
    source = SOURCES[name]
    # Hypothesis always begins with the simplest example of all.
    skip = source.beyond_simplest

    def test(arguments: tuple[Any, ...]) -> None:
        nonlocal skip
        if skip:
            skip = False
            return
        each(arguments)

    found: Any = given(source.make())(test)
    if seeded:
        # Hypothesis's own seed is that of the code, which all sources share.
        found = seed(zlib.crc32(name.encode()))(found)
    phases = [Phase.generate, *([Phase.shrink] if shrinks else [])]
    settings(max_examples=examples + source.beyond_simplest, phases=phases, report_multiple_bugs=False)(found)()
