"""An OpenAPI 3 document of somebody else's, read as far as the two calls need it.

Nothing in it is taken for granted: whatever is not of the type that OpenAPI gives it is read as if it were not there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

from contracts import codes
from contracts.drift.difference import DriftError

Node = Mapping[str, Any]

OPERATIONS: Final[tuple[codes.Operation, ...]] = ("create", "read")
PREFIX: Final = "/user/session/delivery/"
RIGHT: Final = "delivery_session_create"

_DEEPEST: Final = 40
#: Members of members that a body has: an error, its status, the code.
_LEVELS: Final = 3
#: Forms that one schema may leave the choice of; more are not looked at.
_ALTERNATIVES: Final = 100
#: Characters of a text that is quoted.
_QUOTED: Final = 80


def mapping(value: object) -> Node:
    """`value` where it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def sequence(value: object) -> Sequence[Any]:
    """`value` where it is a list, else an empty one."""
    return value if isinstance(value, list | tuple) else ()


def text(value: object) -> str:
    """`value` where it is a text, a number or a boolean, else nothing: a list may hold more than can be written out."""
    return str(value) if isinstance(value, str | int | float) else ""


def said(value: object) -> str:
    """`value` as a message quotes it: in one line, and of a long one the beginning."""
    line = " ".join(text(value).split())
    return line if len(line) <= _QUOTED else line[:_QUOTED] + "…"


def words(node: Node) -> str:
    """What a part of the document says of itself to people."""
    return f"{text(node.get('summary'))}\n{text(node.get('description'))}"


def media_type(name: object) -> str:
    """A media type without its parameters."""
    return text(name).partition(";")[0].strip().lower()


# ---------------------------------------------------------------- schemas


def types(schema: Node) -> set[str]:
    """The types that a schema names; none where it leaves them open."""
    named = schema.get("type", ())
    found = {named} if isinstance(named, str) else {text(each) for each in sequence(named)}
    # OpenAPI 3.0 says so what 3.1 says with the type null.
    return found | {"null"} if found and schema.get("nullable") is True else found


def values(schema: Node) -> list[Any]:
    """The only values that a schema lets through; none where it leaves them open."""
    return [schema["const"]] if "const" in schema else list(sequence(schema.get("enum")))


def member(schema: Node, name: str) -> Node:
    """The schema of a member; an empty one where the schema does not name it."""
    return mapping(mapping(schema.get("properties")).get(name))


def _merged(parts: Sequence[Node]) -> dict[str, Any]:
    """One schema that says what all of `parts` say; of a keyword that two of them have, the later."""
    merged: dict[str, Any] = {}
    properties: dict[str, list[Any]] = {}
    required: list[Any] = []
    for part in parts:
        merged |= part
        required += sequence(part.get("required"))
        for name, each in mapping(part.get("properties")).items():
            properties.setdefault(text(name), []).append(each)
    if properties:
        merged["properties"] = {
            name: found[0] if len(found) == 1 else {"allOf": found} for name, found in properties.items()
        }
    return {**merged, "required": required}


def _in_one(forms: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One schema for what may have any of several forms: the one that is not just null, or the types that they have."""
    if len(forms) == 1:
        return forms[0]
    others = [form for form in forms if types(form) != {"null"}]
    named = set[str]().union(*map(types, forms))
    if len(others) == 1:
        return {**others[0], "type": sorted(named)} if types(others[0]) else others[0]
    return {"type": sorted(named)} if all(map(types, forms)) else {}


# ---------------------------------------------------------------- the document


@dataclass(frozen=True, slots=True)
class Document:
    """An OpenAPI document whose references are followed as they are read."""

    root: Node
    #: The path items by what follows ``PREFIX`` in their address, with the slash at its end where it has one.
    actions: Mapping[str, Node]

    @classmethod
    def of(cls, value: object) -> Document:
        """The document `value`. Raises ``DriftError`` where it is none, or describes neither call."""
        root = mapping(value)
        if "swagger" in root:
            raise DriftError("it is Swagger 2: convert it to OpenAPI 3 first")
        if not text(root.get("openapi")).startswith("3."):
            raise DriftError("it is no OpenAPI 3 document")
        document = cls(root, dict(_actions(root)))
        if not any(document.item(each) for each in OPERATIONS):
            raise DriftError(f"it describes neither {PREFIX}create nor {PREFIX}read")
        return document

    @property
    def title(self) -> str:
        """Title, version and form, in one line."""
        info = mapping(self.root.get("info"))
        named = f"{said(info.get('title', 'untitled'))} {said(info.get('version'))}".rstrip()
        return f"{named}, OpenAPI {said(self.root['openapi'])}"

    def item(self, operation: str) -> Node:
        """The path item of an operation; the one without a slash at the end of its address where there are two."""
        return self.follow(self.actions.get(operation, self.actions.get(f"{operation}/")))

    def follow(self, node: object) -> Node:
        """What `node` refers to, with the members beside the reference, or `node`; nothing where it is no object."""
        found = mapping(node)
        beside: dict[str, Any] = {}
        for _ in range(_DEEPEST):
            if not isinstance(found.get("$ref"), str):
                return {**found, **beside} if beside else found
            beside = {**{name: value for name, value in found.items() if name != "$ref"}, **beside}
            found = mapping(self._target(found["$ref"]))
        raise DriftError(f"its references go round in a circle at {said(found.get('$ref'))}")

    def _target(self, reference: str) -> object:
        """What a reference leads to."""
        if not reference.startswith("#"):
            raise DriftError(f"it refers to {said(reference)}: put everything into one file first")
        if not reference.startswith("#/"):
            raise DriftError(f"it refers to {said(reference)}, which is no path: only those are followed")
        target: object = self.root
        for step in reference.removeprefix("#/").split("/"):
            name = unquote(step).replace("~1", "/").replace("~0", "~")
            if isinstance(target, Mapping) and name in target:
                target = target[name]
            elif isinstance(target, list) and name.isdecimal() and len(name) < 9 and int(name) < len(target):
                target = target[int(name)]
            else:
                raise DriftError(f"it refers to {said(reference)}, which is not there")
        return target

    def parameters(self, item: Node, call: Node) -> list[Node]:
        """The parameters of a call, with those of its path."""
        return [self.follow(each) for each in (*sequence(item.get("parameters")), *sequence(call.get("parameters")))]

    def content(self, node: Node) -> dict[str, Node]:
        """What a body or an answer may hold, by its media type."""
        return {media_type(name): mapping(each) for name, each in mapping(node.get("content")).items()}

    def schema(self, node: object, levels: int = _LEVELS) -> dict[str, Any]:
        """The schema `node`, as :meth:`forms` gives it, alternatives put into one."""
        return _in_one(self.forms(node, levels))

    def forms(self, node: object, levels: int = _LEVELS) -> list[dict[str, Any]]:
        """The schemas of which `node` is one or the other: one, where it has no alternatives.

        References are followed and ``allOf`` is merged, in the members down to `levels`, too.
        """
        return [self._with_members(form, levels) for form in self._alternatives(node, set(), 0)]

    def _with_members(self, schema: dict[str, Any], levels: int) -> dict[str, Any]:
        properties = mapping(schema.get("properties"))
        if properties:
            schema["properties"] = {
                name: self.schema(each, levels - 1) if levels else {} for name, each in properties.items()
            }
        return schema

    def _alternatives(self, node: object, seen: set[object], depth: int) -> list[dict[str, Any]]:
        """The schema `node` once for each of its alternatives. One that was `seen` says nothing new."""
        schema = _merged(list(self._parts(node, set(), ())))
        alternatives = sequence(schema.pop("oneOf", None)) or sequence(schema.pop("anyOf", None))
        if not alternatives or depth > _DEEPEST:
            return [schema]
        found = []
        for each in alternatives:
            name = _identity(each)
            if name not in seen and len(seen) < _ALTERNATIVES:
                seen.add(name)
                found += [_merged([schema, form]) for form in self._alternatives(each, seen, depth + 1)]
        return found or [schema]

    def _parts(self, node: object, seen: set[object], within: tuple[object, ...]) -> Iterator[Node]:
        """The schemas that all hold where `node` does: those of its ``allOf``, and its own members; each one once."""
        name = _identity(node)
        if name in within or len(within) > _DEEPEST:
            raise DriftError("its schemas contain each other without an end")
        if name in seen:
            return
        seen.add(name)
        found = self.follow(node)
        for part in sequence(found.get("allOf")):
            yield from self._parts(part, seen, (*within, name))
        yield {each: value for each, value in found.items() if each != "allOf"}


def _identity(node: object) -> object:
    """What is the same for two schemas that are one: the place that a bare reference names, or the object."""
    found = mapping(node)
    return found["$ref"] if found.keys() == {"$ref"} and isinstance(found["$ref"], str) else id(node)


def _actions(root: Node) -> Iterator[tuple[str, Node]]:
    """Each path that leads below ``PREFIX``, with its item, wherever the document puts the beginning of the address."""
    for path, item in mapping(root.get("paths")).items():
        for base in ("", *_base_paths(root), *_base_paths(mapping(item))):
            _, found, action = f"{base}{text(path)}".partition(PREFIX)
            if found and action.strip("/"):
                yield action, item
                break


def _base_paths(node: Node) -> Iterator[str]:
    """The paths of the servers that a document or a path names, with the defaults of their variables."""
    for server in map(mapping, sequence(node.get("servers"))):
        variables = mapping(server.get("variables"))
        pieces = re.split(r"\{([^{}]*)\}", text(server.get("url")))
        pieces[1::2] = [text(mapping(variables.get(name)).get("default")) for name in pieces[1::2]]
        yield re.sub(r"^(?:[A-Za-z][A-Za-z0-9+.-]*:)?//[^/]*", "", "".join(pieces)).rstrip("/")
