"""How a call is made: where its credential may stand, its parameters, and its body."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from contracts.drift.difference import Difference, besides, lacks, otherwise
from contracts.drift.document import Document, Node, mapping, member, said, sequence, text, types
from contracts.drift.shapes import KEY_FORM, best, closed, of_types, refuses

_JSON: Final = "application/json"
_FORM: Final = "application/x-www-form-urlencoded"
_BODIES: Final = ((_JSON, "C1-post-json"), (_FORM, "C2-post-form"))

#: What rests on a credential that is not in the header.
_WITHOUT_HEADER: Final = {"get": ("C1-get-query",), "post": ("C1-post-json", "C2-post-form", "C9-query-hash-with-post")}
#: What rests on a credential that is not in the query.
_WITHOUT_QUERY: Final = {
    "get": ("C3-header-with-get",),
    "post": ("C1-post-json", "C2-post-form", "C3-header-with-post"),
}
#: What rests on a hash in the query.
_IN_QUERY: Final = {"get": "C1-get-query", "post": "C9-query-hash-with-post"}
#: What rests on a body that does not carry the credential.
_WITHOUT_BODY: Final = ("C3-header-with-post", "C9-query-hash-with-post")


def security(place: str, method: str, item: Node, call: Node, theirs: Document) -> Iterator[Difference]:
    """The header Authorization, and the hash in the query where it is described as a scheme of its own."""
    used = _alternatives(call, theirs)
    described = [each for each in theirs.parameters(item, call) if _in_header(each)]
    headers = [scheme for each in used for scheme in each if _in_header(scheme)]
    if _mandatory(used, _in_header) or any(each.get("required") is True for each in described):
        what = "the header Authorization is mandatory; here the hash may stand in the query or the body in its place"
        yield otherwise(place, what, *_WITHOUT_HEADER[method])
    if _mandatory(used, _in_query):
        yield otherwise(place, _HASH_MANDATORY, *_WITHOUT_QUERY[method])
    if not headers and not described:
        yield lacks(place, "the header Authorization", f"C3-header-with-{method}")
    for scheme in headers:
        named = _http_scheme(scheme)
        if named not in (None, "nvx"):
            what = f"the scheme of the header is {named}; here it is NVX"
            yield otherwise(place, what, f"C3-header-with-{method}", "C4-other-schemes-refused")


_HASH_MANDATORY: Final = "the parameter hash is mandatory; here the credential may stand elsewhere in its place"


def _alternatives(call: Node, theirs: Document) -> list[list[Node]]:
    """The schemes of each of the ways in which a call may be authenticated."""
    schemes = mapping(mapping(theirs.root.get("components")).get("securitySchemes"))
    wanted = call.get("security", theirs.root.get("security"))
    return [[theirs.follow(schemes.get(name)) for name in mapping(each)] for each in sequence(wanted)]


def _mandatory(used: list[list[Node]], stands: Callable[[Node], bool]) -> bool:
    """Whether there is no way without a scheme that `stands` is true of."""
    return bool(used) and all(any(stands(scheme) for scheme in each) for each in used)


def _in_header(node: Node) -> bool:
    """Whether a scheme or a parameter is the header Authorization."""
    named = node.get("in") == "header" and text(node.get("name")).lower() == "authorization"
    return named or _http_scheme(node) is not None


def _in_query(node: Node) -> bool:
    """Whether a scheme is the parameter hash of the query."""
    return node.get("in") == "query" and node.get("name") == "hash"


def _http_scheme(node: Node) -> str | None:
    """The word before the credential in the header, in small letters, where the document names it."""
    if node.get("type") == "http":
        return said(node.get("scheme")).lower()
    return "bearer" if node.get("type") in ("oauth2", "openIdConnect") else None


def parameters(place: str, method: str, item: Node, call: Node, theirs: Document) -> Iterator[Difference]:
    """The parameters of the query and the headers."""
    described = theirs.parameters(item, call)
    query = {text(each.get("name")): each for each in described if each.get("in") == "query"}
    headers = {text(each.get("name")).lower(): each for each in described if each.get("in") == "header"}
    as_scheme = any(_in_query(scheme) for each in _alternatives(call, theirs) for scheme in each)
    if "hash" not in query and not as_scheme:
        yield lacks(place, "the parameter hash in the query", _IN_QUERY[method])
    if method == "get" and "iso_datetime" not in query:
        yield lacks(place, "the parameter iso_datetime", "C5-iso-datetime-accepted")
    if "nvx-iso-datetime" not in headers:
        yield lacks(place, "the header NVX-ISO-DateTime", "C5-iso-datetime-accepted")
    if "hash" in query:
        yield from _hash_in_query(place, method, query.pop("hash"), theirs)
    for name, each in (*query.items(), *headers.items()):
        if name == "authorization":
            continue
        if each.get("required") is True:
            what = f"the parameter {said(name)} is mandatory; here nothing is needed beside the credential"
            yield otherwise(place, what, *_WITHOUT_HEADER[method])
        elif name not in ("iso_datetime", "nvx-iso-datetime"):
            yield besides(place, f"the parameter {said(name)}", "C5-unknown-parameter-ignored")


def _hash_in_query(place: str, method: str, parameter: Node, theirs: Document) -> Iterator[Difference]:
    if parameter.get("required") is True:
        yield otherwise(place, _HASH_MANDATORY, *_WITHOUT_QUERY[method])
    yield from _hash(place, _IN_QUERY[method], theirs.schema(parameter.get("schema")))


def _hash(place: str, requirement: str, schema: Node) -> Iterator[Difference]:
    """The form of the hash that a caller passes."""
    if problem := refuses(schema):
        yield otherwise(place, f"hash {problem}; here it is {KEY_FORM}", requirement)


def body(place: str, call: Node, theirs: Document) -> Iterator[Difference]:
    """What a POST carries."""
    described = theirs.follow(call.get("requestBody"))
    content = theirs.content(described)
    for media_type, requirement in _BODIES:
        if media_type not in content:
            yield lacks(place, f"a body of {media_type}", requirement)
    if described.get("required") is True:
        what = "a body is mandatory; here it may be left out where the header or the query carries the credential"
        yield otherwise(place, what, *_WITHOUT_BODY)
    for media_type in sorted(content.keys() - {_JSON, _FORM}):
        yield besides(place, f"a body of {said(media_type)}")
    for media_type, requirement in _BODIES:
        if media_type in content:
            forms = theirs.forms(content[media_type].get("schema"))
            yield from best(forms, partial(_body_of, f"{place}, {media_type}", requirement))


def _body_of(place: str, requirement: str, schema: Node) -> Iterator[Difference]:
    """What a body of one media type holds."""
    properties = mapping(schema.get("properties"))
    if (named := types(schema)) and "object" not in named:
        yield otherwise(place, f"the body is {of_types(named)}; here it is an object", requirement)
    for name, resting in (("hash", requirement), ("iso_datetime", "C5-iso-datetime-accepted")):
        if name not in properties and closed(schema):
            yield otherwise(place, f"the member {name} is refused", resting)
        elif name not in properties:
            yield lacks(place, f"the member {name}", resting)
    yield from _hash(place, requirement, member(schema, "hash"))
    for name in dict.fromkeys(map(said, sequence(schema.get("required")))):
        if name == "hash":
            what = "the member hash is mandatory; here the header or the query may carry it in its place"
            yield otherwise(place, what, *_WITHOUT_BODY)
        else:
            what = f"the member {name} is mandatory; here nothing is needed beside the credential"
            yield otherwise(place, what, requirement)
    if closed(schema):
        what = "members that it does not name are refused; here they are ignored"
        yield otherwise(place, what, "C5-unknown-parameter-ignored")
