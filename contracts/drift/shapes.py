"""The shapes of a success and an error, and the form of a key, as a schema describes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from contracts.drift.difference import Difference, besides, lacks, otherwise
from contracts.drift.document import Node, mapping, member, said, sequence, types, values

KEY_FORM: Final = "32 lower-case hexadecimal digits"

_KEY: Final = "42fc7d3068cb98d233c3af749dee4a8d"


def best(forms: Sequence[Node], compare: Callable[[Node], Iterable[Difference]]) -> list[Difference]:
    """What `compare` says of the one of `forms` that it says the least against: whatever fits one of them is described."""
    return min(
        (list(compare(form)) for form in forms),
        key=lambda found: (sum(each.kind == "otherwise" for each in found), len(found)),
        default=[],
    )


def success(place: str, schema: Node) -> Iterator[Difference]:
    """The shape of a success."""
    yield from _members(place, schema, ("success", "value"), "S3-success-members")
    yield from _only(place, schema, True, "S3-success-members")
    value = member(schema, "value")
    if types(value) - {"string"}:
        yield otherwise(place, f"value is {of_types(types(value))}; here it is a string", "S3-success-members")
    elif problem := refuses(value):
        yield otherwise(place, f"value {problem}; here it is {KEY_FORM}", "S4-key-form")
    elif "value" in mapping(schema.get("properties")) and "pattern" not in value:
        yield lacks(place, "the pattern of a key", "S4-key-form")
    yield from _closed(place, schema)


def error(place: str, schema: Node) -> Iterator[Difference]:
    """The shape of an error."""
    yield from _members(place, schema, ("success", "status"), "E1-error-envelope")
    yield from _only(place, schema, False, "E1-error-envelope")
    properties = mapping(schema.get("properties"))
    if "status" in properties:
        yield from _status(f"{place}, status", member(schema, "status"))
    if "value" in properties and types(member(schema, "value")) != {"null"}:
        yield otherwise(place, "an error has a value; here it has none", "E4-no-value-in-error")
    yield from _closed(place, schema)


def is_error(schema: Node) -> bool:
    """Whether a schema describes errors and nothing else."""
    return values(member(schema, "success")) == [False]


def _status(place: str, schema: Node) -> Iterator[Difference]:
    """What says in an error what went wrong."""
    if types(schema) - {"object"}:
        yield otherwise(place, f"status is {of_types(types(schema))}; here it is an object", "E1-error-envelope")
        return
    yield from _members(place, schema, ("code", "description"), "E1-error-envelope")
    for name, wanted, here in (
        ("code", {"integer", "number"}, "an integer"),
        ("description", {"string"}, "a string"),
    ):
        if (named := types(member(schema, name))) - wanted:
            yield otherwise(place, f"{name} is {of_types(named)}; here it is {here}", "E1-error-envelope")


def _members(place: str, schema: Node, names: Sequence[str], requirement: str) -> Iterator[Difference]:
    """Whether a schema names the members, and insists on them."""
    properties = mapping(schema.get("properties"))
    required = sequence(schema.get("required"))
    for name in names:
        if not properties:
            yield lacks(place, f"the member {name}", requirement)
        elif name not in properties:
            what = f"there is no member {name} among {said(', '.join(properties))}"
            yield otherwise(place, what, requirement)
        elif name not in required:
            yield lacks(place, f"that {name} is always there", requirement)
    for name in properties:
        if name not in (*names, "value", "errors"):
            yield besides(place, f"the member {said(name)}", "S5-clients-ignore-the-unknown")


def _only(place: str, schema: Node, wanted: bool, requirement: str) -> Iterator[Difference]:
    """Whether the member success can be what it has to be."""
    described = member(schema, "success")
    if (named := types(described)) and "boolean" not in named:
        yield otherwise(place, f"success is {of_types(named)}; here it is a boolean", requirement)
    elif values(described) and not any(each is wanted for each in values(described)):
        yield otherwise(place, f"success is never {str(wanted).lower()}", requirement)


def closed(schema: Node) -> bool:
    """Whether a schema rules out members that it does not name."""
    return schema.get("additionalProperties") is False or schema.get("unevaluatedProperties") is False


def _closed(place: str, schema: Node) -> Iterator[Difference]:
    if closed(schema):
        what = "members that it does not name are ruled out; here an answer may carry more"
        yield otherwise(place, what, "S5-clients-ignore-the-unknown")


def refuses(schema: Node) -> str | None:
    """Why a schema does not let a key through, in words, or None. Its pattern is read with Python's regular expressions."""
    if (named := types(schema)) and "string" not in named:
        return f"is {of_types(named)}"
    if schema.get("format") == "uuid":
        return "has the format uuid"
    for keyword, fits in (("minLength", len(_KEY).__ge__), ("maxLength", len(_KEY).__le__)):
        limit = schema.get(keyword)
        if isinstance(limit, int) and fits(limit) is False:
            return f"has the {keyword} {said(limit)}"
    if values(schema) and _KEY not in values(schema):
        return "is one of a few values"
    return _pattern(schema.get("pattern"))


def _pattern(pattern: Any) -> str | None:
    try:
        found = not isinstance(pattern, str) or re.search(pattern, _KEY)
    except (re.error, OverflowError, RecursionError):
        return None  # of another dialect
    return None if found else f"has the pattern {said(pattern)}"


def of_types(named: set[str]) -> str:
    """Types in words."""
    return "of type " + " or ".join(sorted(map(said, named)))
