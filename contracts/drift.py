"""Compares the contract with an OpenAPI document that somebody else publishes of the same two calls.

Three things can be said of a place where the two differ. The other document *lacks* what the contract says: it is silent,
and nothing follows from that. It has something *besides*, of which the contract is silent. Or it says *otherwise*: whatever keeps
to it breaks the requirement that is named. A list that leaves something out is silent about it; only a member, status, code or
condition that the requirement rules out says otherwise.

``compare`` is a pure function of the two documents. References into other files are an error, since they cannot be followed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from contracts import codes
from contracts.requirements import catalogue

Kind = Literal["otherwise", "lacks", "besides"]
Node = Mapping[str, Any]

_KINDS: Final[tuple[Kind, ...]] = ("otherwise", "lacks", "besides")

OPERATIONS: Final[tuple[codes.Operation, ...]] = ("create", "read")
PREFIX: Final = "/user/session/delivery/"
RIGHT: Final = "delivery_session_create"

_METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_JSON: Final = "application/json"
_FORM: Final = "application/x-www-form-urlencoded"
_KEY: Final = "42fc7d3068cb98d233c3af749dee4a8d"
_DEEPEST: Final = 40
#: Members of members that a body has: an error, its status, the code.
_LEVELS: Final = 3
#: Codes that a sentence about an answer may name. General ones are too small to be distinguished from other numbers.
_NAMED: Final = re.compile(r"\b(101|111|112|201|236|276)\b")

#: What rests on a status, and on a code, for where the other document lacks it.
_BY_STATUS: Final = {"402": ("T7-tariff-create-refused",), "429": ("R1-rate-limit-answer",)}
_BY_CODE: Final = {
    101: ("T5-demo-create-refused",),
    201: ("T4-read-without-session",),
    236: ("T7-tariff-create-refused",),
    276: ("A4-delivery-key-is-no-credential",),
}


class DriftError(Exception):
    """The other document cannot be compared; the message says why in one line."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where the documents differ. Only ``otherwise`` contradicts the requirements that it names."""

    kind: Kind
    place: str
    what: str
    requirements: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Drift:
    """What the comparison came to."""

    published: str
    differences: tuple[Difference, ...]

    @property
    def contradicted(self) -> tuple[str, ...]:
        """The requirements that the other document says otherwise, in the order of the catalogue."""
        named = {name for each in self.differences if each.kind == "otherwise" for name in each.requirements}
        return tuple(name for name in catalogue() if name in named)

    def lines(self) -> Iterator[str]:
        """The comparison for a person: contradictions first."""
        yield f"compared with: {self.published}"
        for kind in _KINDS:
            for (what, requirements), places in self._grouped(kind).items():
                resting = ", ".join(f"{name} ({catalogue()[name].level})" for name in requirements)
                yield f"{kind}: {what}" + (f" [{resting}]" if resting else "")
                yield f"    {'; '.join(places)}"
        counted = {kind: sum(each.kind == kind for each in self.differences) for kind in _KINDS}
        yield f"said otherwise {counted['otherwise']}, lacking {counted['lacks']}, besides {counted['besides']}"
        yield f"contradicted: {', '.join(self.contradicted) or 'no requirement'}"

    def _grouped(self, kind: Kind) -> dict[tuple[str, tuple[str, ...]], list[str]]:
        """The places of each difference of a kind."""
        grouped: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        for each in self.differences:
            if each.kind == kind:
                grouped.setdefault((each.what, each.requirements), []).append(each.place)
        return grouped


def compare(contract: Node, published: object) -> Drift:
    """Compare `contract`, the bundle, with the document `published`. Raises ``DriftError`` where that is no such document."""
    theirs = _Document.of(published)
    ours = _Document.of(contract)
    differences: list[Difference] = []
    for operation in OPERATIONS:
        differences += _operation(operation, ours, theirs)
    differences += _other_actions(theirs)
    return Drift(theirs.title, tuple(dict.fromkeys(differences)))


# ---------------------------------------------------------------- reading a document


@dataclass(frozen=True, slots=True)
class _Document:
    """An OpenAPI document whose references are followed as they are read."""

    root: Node

    @classmethod
    def of(cls, value: object) -> _Document:
        if not isinstance(value, Mapping) or not str(value.get("openapi", "")).startswith("3."):
            raise DriftError("it is no OpenAPI 3 document")
        document = cls(value)
        if not isinstance(value.get("paths"), Mapping) or not any(document.item(each) for each in OPERATIONS):
            raise DriftError(f"it describes neither {PREFIX}create nor {PREFIX}read")
        return document

    @property
    def title(self) -> str:
        info = _mapping(self.root.get("info"))
        return f"{info.get('title', 'untitled')} {info.get('version', '')}, OpenAPI {self.root['openapi']}"

    def item(self, operation: str) -> Node:
        """The path item of an operation, wherever the document puts the base path."""
        for path, item in _mapping(self.root["paths"]).items():
            if str(path).rstrip("/").endswith(PREFIX + operation):
                return self.follow(item)
        return {}

    def follow(self, node: object, depth: int = 0) -> Node:
        """What `node` refers to, with the members beside the reference, or `node`; nothing where it is no object."""
        found = _mapping(node)
        reference = found.get("$ref")
        if not isinstance(reference, str):
            return found
        if not reference.startswith("#/"):
            raise DriftError(f"it refers to {reference}: put everything into one file first")
        if depth > _DEEPEST:
            raise DriftError(f"its references go round in a circle at {reference}")
        target: Any = self.root
        for step in reference.removeprefix("#/").split("/"):
            name = step.replace("~1", "/").replace("~0", "~")
            if not isinstance(target, Mapping) or name not in target:
                raise DriftError(f"it refers to {reference}, which is not there")
            target = target[name]
        beside = {name: value for name, value in found.items() if name != "$ref"}
        return {**self.follow(target, depth + 1), **beside}

    def schema(self, node: object, levels: int = _LEVELS) -> dict[str, Any]:
        """The schema `node`, and those of its members down to `levels`, with references followed and ``allOf`` merged."""
        schema = _merged(list(self._parts(node)))
        properties = _mapping(schema.get("properties"))
        if properties:
            schema["properties"] = {
                name: self.schema(member, levels - 1) if levels else {} for name, member in properties.items()
            }
        return schema

    def _parts(self, node: object, depth: int = 0) -> Iterator[Node]:
        """The schemas that all hold where `node` does: those of its ``allOf``, and its own members."""
        if depth > _DEEPEST:
            raise DriftError("its schemas contain each other without an end")
        found = self.follow(node)
        for part in _sequence(found.get("allOf")):
            yield from self._parts(part, depth + 1)
        yield {name: value for name, value in found.items() if name != "allOf"}

    def parameters(self, item: Node, call: Node) -> list[Node]:
        """The parameters of a call, with those of its path."""
        return [self.follow(each) for each in (*_sequence(item.get("parameters")), *_sequence(call.get("parameters")))]


def _merged(parts: Sequence[Node]) -> dict[str, Any]:
    """One schema that says what all of `parts` say; of a keyword that two of them have, the later."""
    merged: dict[str, Any] = {}
    properties: dict[str, list[Any]] = {}
    required: list[Any] = []
    for part in parts:
        merged |= part
        required += _sequence(part.get("required"))
        for name, member in _mapping(part.get("properties")).items():
            properties.setdefault(str(name), []).append(member)
    if properties:
        merged["properties"] = {
            name: found[0] if len(found) == 1 else {"allOf": found} for name, found in properties.items()
        }
    return {**merged, "required": required}


def _mapping(value: object) -> Node:
    return value if isinstance(value, Mapping) else {}


def _sequence(value: object) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else ()


def _types(schema: Node) -> set[str]:
    """The types that a schema names; none where it leaves them open."""
    named = schema.get("type", ())
    return {named} if isinstance(named, str) else {str(each) for each in _sequence(named)}


def _values(schema: Node) -> list[Any]:
    """The only values that a schema lets through; none where it leaves them open."""
    return [schema["const"]] if "const" in schema else list(_sequence(schema.get("enum")))


def _words(node: Node) -> str:
    return f"{node.get('summary', '')}\n{node.get('description', '')}"


# ---------------------------------------------------------------- an operation


def _operation(operation: codes.Operation, ours: _Document, theirs: _Document) -> Iterator[Difference]:
    """What differs in one operation: its methods, and each call by a method that it has."""
    item = theirs.item(operation)
    place: str = operation
    if not item:
        yield Difference("otherwise", place, "there is no such call", ("C1-get-query", "C1-post-json"))
        return
    calls = {method: _mapping(item[method]) for method in _METHODS if method in item}
    text = "\n".join(_words(each) for each in (item, *calls.values()))
    for method in calls:
        if method in ("put", "delete", "patch"):
            yield Difference(
                "otherwise", f"{method.upper()} {place}", "the call can be made this way", ("C7-other-methods-refused",)
            )
    if "get" not in calls and not re.search(r"\bGET\b", text):
        yield Difference("lacks", place, "a call by GET", ("C1-get-query", "C3-header-with-get"))
    if "post" not in calls and not re.search(r"\bPOST\b", text):
        yield Difference("lacks", place, "a call by POST", ("C1-post-json", "C2-post-form", "C3-header-with-post"))
    if operation == "create":
        yield from _right(place, text, calls)
    for method in ("get", "post"):
        if method in calls:
            called = f"{method.upper()} {place}"
            yield from _security(called, method, item, calls[method], theirs)
            yield from _parameters(called, item, calls[method], theirs)
            if method == "post":
                yield from _body(called, calls[method], theirs)
            yield from _answers(called, operation, ours.item(operation)[method], calls[method], theirs)


def _other_actions(theirs: _Document) -> Iterator[Difference]:
    for path in _mapping(theirs.root["paths"]):
        _, found, action = str(path).rstrip("/").partition(PREFIX)
        if found and action not in OPERATIONS:
            yield Difference("besides", action, "an action that is not described here", ("C7-unknown-action-refused",))


def _right(place: str, text: str, calls: Node) -> Iterator[Difference]:
    """Who may create."""
    everything = text + "\n".join(
        str(value) for call in calls.values() for name, value in call.items() if str(name).startswith("x-")
    )
    if RIGHT in everything:
        return
    if re.search(r"\badmin\b|\bmaster\b", everything):
        what = f"the right is called admin, for master users only; here it is {RIGHT}, which a sub-user can be given"
        yield Difference("besides", place, what, ("T6-subuser-create-refused",))
    else:
        yield Difference("lacks", place, f"the right {RIGHT}", ("T6-subuser-create-refused",))


# ---------------------------------------------------------------- how it is called


def _security(place: str, method: str, item: Node, call: Node, theirs: _Document) -> Iterator[Difference]:
    """Where the credential may stand."""
    schemes = _mapping(_mapping(theirs.root.get("components")).get("securitySchemes"))
    alternatives = [_mapping(each) for each in _sequence(call.get("security", theirs.root.get("security", ())))]
    used = [[theirs.follow(schemes.get(name)) for name in each] for each in alternatives]
    parameters = theirs.parameters(item, call)
    in_header = [each for each in parameters if each.get("in") == "header" and _is(each, "authorization")]
    # The credential as it stands in the header Authorization of each alternative, or in a parameter that is described as one.
    headers = [scheme for each in used for scheme in each if _in_header(scheme)]
    by_style = {
        "get": ("C1-get-query",),
        "post": ("C1-post-json", "C2-post-form"),
    }[method]
    mandatory = bool(used) and all(any(_in_header(scheme) for scheme in each) for each in used)
    if mandatory or any(each.get("required") is True for each in in_header):
        what = "the header Authorization is mandatory; here the hash may stand in the query or the body in its place"
        yield Difference("otherwise", place, what, by_style)
    if not headers and not in_header:
        yield Difference("lacks", place, "the header Authorization", (f"C3-header-with-{method}",))
    for scheme in headers:
        if scheme.get("type") == "http":
            what = f"the scheme of the header is {scheme.get('scheme')}; here it is NVX"
            yield Difference("otherwise", place, what, (f"C3-header-with-{method}", "C4-other-schemes-refused"))


def _is(parameter: Node, name: str) -> bool:
    return str(parameter.get("name", "")).lower() == name


def _in_header(scheme: Node) -> bool:
    return scheme.get("type") == "http" or (scheme.get("in") == "header" and _is(scheme, "authorization"))


def _parameters(place: str, item: Node, call: Node, theirs: _Document) -> Iterator[Difference]:
    """Parameters of the query and the headers."""
    parameters = theirs.parameters(item, call)
    named = {str(each.get("name", "")).lower(): each for each in parameters if each.get("in") in ("query", "header")}
    method = place.partition(" ")[0]
    if method == "GET":
        if "hash" not in named:
            yield Difference("lacks", place, "the parameter hash in the query", ("C1-get-query",))
        if "iso_datetime" not in named:
            yield Difference("lacks", place, "the parameter iso_datetime", ("C5-iso-datetime-accepted",))
    for name, each in named.items():
        if name in ("authorization", "nvx-iso-datetime", "iso_datetime"):
            continue
        if name == "hash":
            if each.get("required") is True:
                what = "the parameter hash is mandatory; here the header Authorization may carry it in its place"
                yield Difference("otherwise", place, what, (f"C3-header-with-{method.lower()}",))
            yield from _hash(place, "C1-get-query", theirs.schema(each.get("schema")))
        elif each.get("required") is True:
            what = f"the parameter {name} is mandatory; here nothing is needed beside the credential"
            requirement = "C1-get-query" if method == "GET" else "C1-post-json"
            yield Difference("otherwise", place, what, (requirement,))
        else:
            yield Difference("besides", place, f"the parameter {name}", ("C5-unknown-parameter-ignored",))


def _hash(place: str, requirement: str, schema: Node) -> Iterator[Difference]:
    """The form of the hash that a caller passes."""
    if problem := _refuses(schema, _KEY):
        yield Difference(
            "otherwise", place, f"hash {problem}; here it is 32 lower-case hexadecimal digits", (requirement,)
        )


def _body(place: str, call: Node, theirs: _Document) -> Iterator[Difference]:
    """What a POST carries."""
    body = theirs.follow(call.get("requestBody"))
    content = {
        str(name).partition(";")[0].strip().lower(): each for name, each in _mapping(body.get("content")).items()
    }
    for media_type, requirement in ((_JSON, "C1-post-json"), (_FORM, "C2-post-form")):
        if media_type not in content:
            yield Difference("lacks", place, f"a body of {media_type}", (requirement,))
    if body.get("required") is True:
        what = "a body is mandatory; here it may be left out where the header carries the credential"
        yield Difference("otherwise", place, what, ("C3-header-with-post",))
    for media_type in sorted(content.keys() - {_JSON, _FORM}):
        yield Difference("besides", place, f"a body of {media_type}")
    for media_type, requirement in ((_JSON, "C1-post-json"), (_FORM, "C2-post-form")):
        if media_type in content:
            yield from _body_of(
                f"{place}, {media_type}", requirement, theirs.schema(_mapping(content[media_type]).get("schema"))
            )


def _body_of(place: str, requirement: str, schema: Node) -> Iterator[Difference]:
    """What a body of one media type holds."""
    properties = _mapping(schema.get("properties"))
    required = _sequence(schema.get("required"))
    if wrong := _types(schema) - {"object"}:
        yield Difference("otherwise", place, f"the body is {_said(wrong)}; here it is an object", (requirement,))
    for name, resting in (("hash", requirement), ("iso_datetime", "C5-iso-datetime-accepted")):
        if name not in properties:
            yield Difference("lacks", place, f"the member {name}", (resting,))
    yield from _hash(place, requirement, _mapping(properties.get("hash")))
    for name in dict.fromkeys(map(str, required)):
        if name == "hash":
            what = "the member hash is mandatory; here the header Authorization may carry it in its place"
            yield Difference("otherwise", place, what, ("C3-header-with-post",))
        else:
            what = f"the member {name} is mandatory; here nothing is needed beside the credential"
            yield Difference("otherwise", place, what, (requirement,))
    if schema.get("additionalProperties") is False:
        what = "members that it does not name are refused; here they are ignored"
        yield Difference("otherwise", place, what, ("C5-unknown-parameter-ignored",))


# ---------------------------------------------------------------- what it answers


def _answers(place: str, operation: codes.Operation, ours: Node, call: Node, theirs: _Document) -> Iterator[Difference]:
    """The statuses of an operation, and the shape and the codes of each."""
    responses = {str(status).upper(): theirs.follow(each) for status, each in _mapping(call.get("responses")).items()}
    statuses = {str(status) for status in ours["responses"]}
    spoken_for: set[int] = set()
    for status in sorted(statuses - responses.keys()):
        resting = ("S1-success-is-200",) if status == "200" else _BY_STATUS.get(status, ("E2-status-goes-with-code",))
        also = ", but for its default" if "DEFAULT" in responses and status != "200" else ""
        yield Difference("lacks", place, f"HTTP {status}{also}", resting)
    for status, response in responses.items():
        at = f"{place}, {'default' if status == 'DEFAULT' else f'HTTP {status}'}"
        if status == "200":
            yield from _success(at, _answer_schema(response, theirs))
        elif status.startswith("2"):
            yield Difference("otherwise", at, "a success; here a success is HTTP 200", ("S1-success-is-200",))
        elif status.startswith("3"):
            yield Difference("otherwise", at, "a redirect; here no call is redirected", ("P3-no-redirect",))
        else:
            if status.isdigit() and status not in statuses:
                what = "no code of this operation comes with this status here"
                yield Difference("otherwise", at, what, ("E2-status-goes-with-code",))
            yield from _error(at, _answer_schema(response, theirs))
            found = _codes(response, theirs)
            spoken_for |= found
            yield from _pairs(at, operation, status, found)
        if _mapping(response.get("content")) and _JSON not in {_media_type(each) for each in response["content"]}:
            yield Difference("otherwise", at, f"the answer is no {_JSON}", ("S2-json-object",))
    text = "\n".join(_words(each) for each in (call, *responses.values()))
    spoken_for |= {int(each) for each in _NAMED.findall(text)}
    for code, entry in codes.CODES.items():
        if entry.scope == "specific" and operation in entry.operations and code not in spoken_for:
            yield Difference("lacks", place, f"code {code}", _BY_CODE.get(code, ("E3-code-belongs-to-operation",)))


def _media_type(name: object) -> str:
    return str(name).partition(";")[0].strip().lower()


def _answer_schema(response: Node, theirs: _Document) -> dict[str, Any]:
    for name, media in _mapping(response.get("content")).items():
        if _media_type(name) == _JSON:
            return theirs.schema(_mapping(media).get("schema"))
    return {}


def _codes(response: Node, theirs: _Document) -> set[int]:
    """The codes of errors that an answer names: in its schema, in its examples, and those above 100 in its description."""
    found: list[Any] = [int(each) for each in _NAMED.findall(str(response.get("description", "")))]
    for media in _mapping(response.get("content")).values():
        status = _mapping(_member(theirs.schema(_mapping(media).get("schema")), "status"))
        found += _values(_mapping(_member(status, "code")))
        examples = [theirs.follow(each).get("value") for each in _mapping(_mapping(media).get("examples")).values()]
        for example in (*examples, _mapping(media).get("example")):
            found.append(_mapping(_mapping(example).get("status")).get("code"))
    return {each for each in found if isinstance(each, int) and not isinstance(each, bool)}


def _member(schema: Node, name: str) -> object:
    return _mapping(schema.get("properties")).get(name)


def _pairs(place: str, operation: codes.Operation, status: str, found: set[int]) -> Iterator[Difference]:
    """The codes that come with a status."""
    for code in sorted(found):
        if not codes.allowed_for(code, operation):
            what = f"code {code}, which {operation} does not give here"
            yield Difference("otherwise", place, what, ("E3-code-belongs-to-operation",))
        elif status.isdigit() and codes.http_status(code) != int(status):
            what = f"code {code}, which comes with HTTP {codes.http_status(code)} here"
            yield Difference("otherwise", place, what, ("E2-status-goes-with-code",))


# ---------------------------------------------------------------- shapes


def _success(place: str, schema: Node) -> Iterator[Difference]:
    """The shape of a success."""
    yield from _members(place, schema, ("success", "value"), "S3-success-members")
    yield from _only(place, schema, "success", True, "S3-success-members")
    value = _mapping(_member(schema, "value"))
    if _types(value) - {"string"}:
        what = f"value is {_said(_types(value))}; here it is a string"
        yield Difference("otherwise", place, what, ("S3-success-members",))
    elif problem := _refuses(value, _KEY):
        what = f"value {problem}; here it is 32 lower-case hexadecimal digits"
        yield Difference("otherwise", place, what, ("S4-key-form",))
    elif "value" in _mapping(schema.get("properties")) and "pattern" not in value:
        yield Difference("lacks", place, "the pattern of a key", ("S4-key-form",))
    yield from _closed(place, schema)


def _error(place: str, schema: Node) -> Iterator[Difference]:
    """The shape of an error."""
    yield from _members(place, schema, ("success", "status"), "E1-error-envelope")
    yield from _only(place, schema, "success", False, "E1-error-envelope")
    status = _mapping(_member(schema, "status"))
    if "status" in _mapping(schema.get("properties")):
        if _types(status) - {"object"}:
            what = f"status is {_said(_types(status))}; here it is an object"
            yield Difference("otherwise", place, what, ("E1-error-envelope",))
        else:
            yield from _members(f"{place}, status", status, ("code", "description"), "E1-error-envelope")
            for name, wanted in (("code", {"integer", "number"}), ("description", {"string"})):
                if wrong := _types(_mapping(_member(status, name))) - wanted:
                    what = f"{name} is {_said(wrong)}; here it is {'an integer' if name == 'code' else 'a string'}"
                    yield Difference("otherwise", f"{place}, status", what, ("E1-error-envelope",))
    if "value" in _mapping(schema.get("properties")) and _types(_mapping(_member(schema, "value"))) != {"null"}:
        yield Difference("otherwise", place, "an error has a value; here it has none", ("E4-no-value-in-error",))
    yield from _closed(place, schema)


def _members(place: str, schema: Node, names: Sequence[str], requirement: str) -> Iterator[Difference]:
    """Whether a schema names the members, and insists on them."""
    properties = _mapping(schema.get("properties"))
    required = _sequence(schema.get("required"))
    for name in names:
        if not properties:
            yield Difference("lacks", place, f"the member {name}", (requirement,))
        elif name not in properties:
            what = f"there is no member {name} among {', '.join(map(str, properties))}"
            yield Difference("otherwise", place, what, (requirement,))
        elif name not in required:
            yield Difference("lacks", place, f"that {name} is always there", (requirement,))
    for name in properties:
        if name not in (*names, "value", "errors"):
            yield Difference("besides", place, f"the member {name}", ("S5-clients-ignore-the-unknown",))


def _only(place: str, schema: Node, name: str, wanted: bool, requirement: str) -> Iterator[Difference]:
    """Whether a boolean member can be what it has to be, and nothing else."""
    member = _mapping(_member(schema, name))
    if (types := _types(member)) and "boolean" not in types:
        yield Difference("otherwise", place, f"{name} is {_said(types)}; here it is a boolean", (requirement,))
    elif _values(member) and wanted not in _values(member):
        yield Difference("otherwise", place, f"{name} is never {str(wanted).lower()}", (requirement,))


def _closed(place: str, schema: Node) -> Iterator[Difference]:
    if schema.get("additionalProperties") is False or schema.get("unevaluatedProperties") is False:
        what = "members that it does not name are ruled out; here an answer may carry more"
        yield Difference("otherwise", place, what, ("S5-clients-ignore-the-unknown",))


def _refuses(schema: Node, text: str) -> str | None:
    """Why a schema does not let `text` through, in words, or None. It is read with Python's regular expressions."""
    if (types := _types(schema)) and "string" not in types:
        return f"is {_said(types)}"
    if schema.get("format") == "uuid":
        return "has the format uuid"
    for keyword, fits in (("minLength", len(text).__ge__), ("maxLength", len(text).__le__)):
        limit = schema.get(keyword)
        if isinstance(limit, int) and not fits(limit):
            return f"has the {keyword} {limit}"
    if _values(schema) and text not in _values(schema):
        return "is one of a few values"
    pattern = schema.get("pattern")
    try:
        if isinstance(pattern, str) and not re.search(pattern, text):
            return f"has the pattern {pattern}"
    except re.error:
        return None
    return None


def _said(types: set[str]) -> str:
    return "of type " + " or ".join(sorted(types))
