"""Reads the body of an answer as RFC 8259 does, and as far as possible also where it breaks it."""

from __future__ import annotations

import contextlib
import json
import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

_BOM = b"\xef\xbb\xbf"
# RFC 8259 lets a reader limit the size of numbers; Python refuses integers of more than 4300 digits with an error.
_LONGEST_INTEGER = 400
# What is nested deeper is in no member that the contract names. Readers differ in how deep they go, and all go this deep.
_DEEPEST = 100
#: Flaws after which a reader may take the body for something else.
_TWICE, _NO_JSON = "a member name stands twice in one object", "the body is not JSON"
_ANOTHER = "another JSON object follows the first"
_AMBIGUOUS = (_TWICE, _NO_JSON, _ANOTHER)
# A string is passed over once, whether or not it ends.
_BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")
#: Bytes of a body that is short.
_SHORT = 4_096
#: What stands for a character that no text in Unicode can have: reports are written as UTF-8.
_REPLACEMENT = "\ufffd"


@dataclass(frozen=True)
class Body:
    """What a body holds. ``document`` is None where not even a lenient reader finds JSON in it."""

    document: Any
    flaws: tuple[str, ...]
    #: Whether it was meant for a JSON object: it begins like one.
    nearly: bool = False

    @property
    def ambiguous(self) -> bool:
        """Whether it can be read in more than one way: a member stands twice in it, it is two objects, or no JSON but nearly so."""
        return self.nearly and any(text in flaw for flaw in self.flaws for text in _AMBIGUOUS)

    @property
    def is_broken(self) -> bool:
        """Whether something was sent that is no JSON text."""
        return any(_NO_JSON in flaw for flaw in self.flaws)

    @property
    def is_object(self) -> bool:
        """Whether the body is a JSON object, well formed or nearly so."""
        return isinstance(self.document, dict)


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else float("inf")


def read_body(raw: bytes) -> Body:
    """Read *raw* strictly and note each way in which it is not one JSON object of RFC 8259.

    What it gives is shared: do not change it.
    """
    return _read_short(raw) if len(raw) <= _SHORT else _read_long(raw)


def _read(raw: bytes) -> Body:
    if not raw.strip():
        return Body(None, ("the body is empty",))
    flaws: list[str] = []
    text = _decode(raw, flaws)
    document = _without_surrogates(_parse(text, flaws))
    if document is not None and not isinstance(document, dict):
        flaws.append(f"the JSON document is {_kind(document)}, not an object")
    elif document is None and not flaws:
        flaws.append("the JSON document is null, not an object")
    return Body(document, tuple(flaws), text.lstrip().startswith("{") or isinstance(document, dict))


#: An answer is read several times when it comes, and again when the whole history is looked at. Of long ones only the last
#: are kept, for what they hold takes many times their room.
_read_short = lru_cache(maxsize=512)(_read)
_read_long = lru_cache(maxsize=2)(_read)


def _decode(raw: bytes, flaws: list[str]) -> str:
    if raw.startswith(_BOM):
        flaws.append("a byte order mark stands before the JSON text")
        raw = raw[len(_BOM) :]
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        flaws.append(f"the body is not UTF-8 (byte {error.start})")
    with contextlib.suppress(UnicodeDecodeError):
        text = raw.decode("utf-16")
        if "{" in text:
            return text
    return raw.decode("latin-1")


def _parse(text: str, flaws: list[str]) -> Any:
    repeated: list[str] = []

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        # The first of two counts: what a lenient reader makes of the answer must not hide that the other is there.
        document = dict(reversed(pairs))
        if len(document) < len(pairs):
            counts = Counter(name for name, _ in pairs)
            repeated.extend(name for name in counts if counts[name] > 1)
        return document

    def constant(name: str) -> Any:
        flaws.append(f"{name} is no JSON value")

    decoder = json.JSONDecoder(object_pairs_hook=members, parse_constant=constant, parse_int=_integer)
    text = _pruned(text)
    start = len(text) - len(text.lstrip(" \t\r\n"))
    try:
        document, end = decoder.raw_decode(text, start)
    except ValueError as error:
        place = getattr(error, "pos", 0)
        problem = str(getattr(error, "msg", error)).removesuffix(" at")
        flaws.append(f"{_NO_JSON} ({problem} at character {place})")
        return _salvage(decoder, text)
    rest = text[end:].strip(" \t\r\n")
    if rest:
        flaws.append(_ANOTHER if rest.startswith("{") else "something follows the JSON text")
    if repeated:
        names = ", ".join(repr(name[:40]) for name in list(dict.fromkeys(repeated))[:5])
        flaws.append(f"{_TWICE}: {names}")
    return document


def _pruned(text: str) -> str:
    """*text* with null for every array and object below the depth that is looked at."""
    if text.count("[") + text.count("{") <= _DEEPEST:
        return text
    kept: list[str] = []
    depth = start = 0
    for found in _BRACKET.finditer(text):
        bracket = found.group(0)
        if bracket in "[{":
            depth += 1
            if depth == _DEEPEST + 1:
                kept.append(text[start : found.start()] + "null")
        elif bracket in "]}":
            if depth == _DEEPEST + 1:
                start = found.end()
            depth -= 1
    return "".join(kept) + (text[start:] if depth <= _DEEPEST else "")


def _salvage(decoder: json.JSONDecoder, text: str) -> Any:
    """The object inside a wrapper such as JSONP or a security prefix, so that its content can be judged too."""
    start = text.find("{")
    if start < 0:
        return None
    try:
        document, _ = decoder.raw_decode(text, start)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _without_surrogates(node: Any) -> Any:
    """*node* with a replacement for every half of a pair: it is no deeper than :func:`_pruned` has left it."""
    if isinstance(node, str):
        return _SURROGATE.sub(_REPLACEMENT, node)
    if isinstance(node, dict):
        return {_SURROGATE.sub(_REPLACEMENT, name): _without_surrogates(value) for name, value in node.items()}
    return [_without_surrogates(each) for each in node] if isinstance(node, list) else node


def _kind(document: Any) -> str:
    names = {list: "an array", str: "a string", bool: "a boolean", int: "a number", float: "a number"}
    return names.get(type(document), "null")
