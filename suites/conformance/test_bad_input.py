"""B: bad input does no harm. Written rows first; then what Hypothesis and Schemathesis think of."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl, quote

import pytest

from contracts.ids import A1, A2, B1, C5_ISO, C5_UNKNOWN, C9
from fixtures.calls import (
    FORM,
    GET_HEADER,
    GET_QUERY,
    JSON,
    OPERATIONS,
    PATH,
    POST_FORM,
    POST_JSON,
    Call,
    Operation,
    Style,
)
from suites.runner.marks import row, verifies
from suites.runner.run import UNKNOWN
from suites.scenarios.controls import ControlledCheck
from suites.scenarios.generated import explore
from suites.scenarios.texts import NASTY

#: A web server in front may refuse longer input in a form of its own (facts B1).
_LONG = 1_000
_DEEP = 100_000
#: Deep enough for a parser that calls itself, and small enough to pass a limit on the size of bodies.
_FAIRLY_DEEP = 2_000


def _post(operation: Operation, body: bytes, media_type: str | None = JSON, *, front: bool = False) -> Call:
    headers = (("Content-Type", media_type),) if media_type is not None else ()
    front = front or len(body) > _LONG
    call = Call(operation, "POST", PATH + operation, headers=headers, body=body, front=front, breaks_contract=True)
    return call.refused(B1, form="general")


def _hash(operation: Operation, value: Any) -> Call:
    return _post(operation, json.dumps({"hash": value}).encode())


def _get(operation: Operation, query: str, *, front: bool = False) -> Call:
    front = front or len(query) > _LONG
    call = Call(operation, "GET", PATH + operation, query=query, front=front, breaks_contract=True)
    return call.refused(B1, form="general")


def _header(operation: Operation, method: str, value: str, *, front: bool = False) -> Call:
    headers = (("Authorization", value),)
    front = front or len(value) > _LONG
    call = Call(operation, method, PATH + operation, headers=headers, front=front, breaks_contract=True)
    return call.refused(B1, form="general")


_ROWS: dict[str, tuple[Call, Style]] = {
    # The hash, of every JSON type but string.
    "hash-zero": (_hash("read", 0), POST_JSON),
    "hash-true": (_hash("create", True), POST_JSON),
    "hash-list": (_hash("read", ["a", 1]), POST_JSON),
    "hash-object": (_hash("create", {"$ne": ""}), POST_JSON),
    "hash-huge-integer": (_post("read", b'{"hash": ' + b"9" * 400 + b"}"), POST_JSON),
    # The document, of every JSON type but object.
    "document-number": (_post("read", b"42"), POST_JSON),
    "document-null": (_post("read", b"null"), POST_JSON),
    # What is no JSON.
    "empty-body": (_post("create", b""), POST_JSON),
    "malformed-cut": (_post("read", b'{"hash": "'), POST_JSON),
    "nan": (_post("read", b'{"hash": NaN}'), POST_JSON),
    "invalid-utf-8-json": (_post("read", b'{"hash": "\xff\xfe\xc3\x28"}', front=True), POST_JSON),
    # Depth.
    "deep-document": (_post("read", b"[" * _DEEP + b"]" * _DEEP), POST_JSON),
    "deep-hash": (_post("create", b'{"hash": ' + b"[" * _FAIRLY_DEEP + b"]" * _FAIRLY_DEEP + b"}"), POST_JSON),
    # Text that troubles databases, templates and parsers, by every carrier; in each it is once longer than a column of 255 characters.
    "quote-json": (_hash("read", "' OR '1'='1" + " -- " * 120), POST_JSON),
    "nul-json": (_post("create", b'{"hash": "0123\\u0000"}', front=True), POST_JSON),
    "lone-surrogate-json": (_post("read", b'{"hash": "\\ud800"}', front=True), POST_JSON),
    "non-ascii-json": (_hash("create", "ключ-от-сессии-\U0001f511'"), POST_JSON),
    "long-json": (_hash("create", "a" * 20_000), POST_JSON),
    "quote-query": (_get("create", "hash=%27%20OR%20%271%27%3D%271" + "%20--%20" * 80), GET_QUERY),
    "nul-query": (_get("read", "hash=%00", front=True), GET_QUERY),
    "non-ascii-query": (_get("read", "hash=%D0%BA%D0%BB%D1%8E%D1%87%27"), GET_QUERY),
    "invalid-utf-8-query": (_get("create", "hash=%FF%FE", front=True), GET_QUERY),
    "malformed-percent-query": (_get("read", "hash=%zz%4", front=True), GET_QUERY),
    "long-query": (_get("read", "hash=" + "a" * 4_000), GET_QUERY),
    "invalid-utf-8-form": (_post("read", b"hash=%FF%FE" + b"a" * 300, FORM, front=True), POST_FORM),
    "raw-bytes-form": (_post("create", b"hash=\xff\xfe", FORM, front=True), POST_FORM),
    # It carries no hash.
    "header-empty": (_header("read", "GET", "").refused(A1, form="general"), GET_HEADER),
    "form-in-json": (_post("create", b"hash=abc&iso_datetime=true"), POST_JSON),
    "malformed-percent-form": (_post("read", b"hash=%zz%00%", FORM, front=True), POST_FORM),
    "header-non-ascii": (_header("read", "GET", "NVX \xe9\xe8" + "a" * 300, front=True), GET_HEADER),
    # Content types that the documents do not name.
    "text-plain": (_post("create", b'{"hash": "abc"}', "text/plain", front=True), POST_JSON),
    "multipart-without-boundary": (_post("create", b"hash=abc", "multipart/form-data", front=True), POST_FORM),
    "no-content-type": (_post("read", b'{"hash": "abc"}', None, front=True), POST_JSON),
    "nonsense-content-type": (_post("create", b"{}", ";;;/", front=True), POST_JSON),
}


@verifies("B1-bad-input-refused")
@pytest.mark.parametrize(("request_", "style"), [row(*values, id=name) for name, values in _ROWS.items()])
def test_bad_input(check: ControlledCheck, request_: Call, style: Style) -> None:
    """Input without a credential that is wrong in one way gets the error envelope with a general code and a 4xx.

    ERRORS, codes 3, 5 and 7. What a web server in front may refuse in a form of its own is accepted so.
    """
    # Sanity check: a good call of this kind succeeds.
    check.need_success(_operation(request_), style)
    # Stimulus.
    answer = check.send(_by(style, request_), may_close=request_.front)
    # Verdict.
    check.judge(answer)


def _by(style: Style, request: Call) -> Call:
    """*request*, made in the way of *style*: where nothing succeeds in it, that explains how this is refused."""
    return request.but(style=style.name, promise=style.requirement)


def _with_what_it_carries(request: Call) -> Call:
    """*request*, with what in it is an unknown hash, or a parameter that makes no difference."""
    headers = " ".join(name for name, _ in request.headers).lower()
    text = f"{request.query}&{(request.body or b'').decode('utf-8', 'replace')}"
    names = _names(request)
    iso = "iso_datetime" in text or "nvx-iso-datetime" in headers
    unknown = bool(names - {"hash", "iso_datetime"})
    by_query = request.method == "POST" and "hash" in dict(parse_qsl(request.query, keep_blank_values=True))
    equivalences = [name for name, there in ((C5_ISO, iso), (C5_UNKNOWN, unknown), (C9, by_query)) if there]
    # hash[] and hash[b] are a hash that is a list and one that is an object, as forms write them, or a name that nobody knows.
    no_hash = not _is_json(request) and "hash" not in {name.partition("[")[0] for name in names}
    refused = request.refused(A2 if UNKNOWN in text else A1 if no_hash else B1, form="general")
    return refused.but(equivalences=tuple(equivalences))


def _is_json(request: Call) -> bool:
    return request.method == "POST" and dict(request.headers).get("Content-Type") != FORM


def _names(request: Call) -> set[str]:
    """The names of the parameters of *request*: pairs of its query and its form, or members of its JSON document."""
    body = (request.body or b"").decode("utf-8", "replace")
    members: set[str] = set()
    if _is_json(request):
        with suppress(ValueError, RecursionError):
            document = json.loads(body)
            members = set(document) if isinstance(document, dict) else set()
        body = ""
    pairs = parse_qsl(f"{request.query}&{body}", keep_blank_values=True)
    # An empty hash is none.
    return members | {name for name, value in pairs if value or name != "hash"}


def _operation(request: Call) -> Operation:
    assert request.operation is not None
    return request.operation


@verifies("A5-changes-nothing", "B1-bad-input-refused")
def test_bad_input_changes_nothing(check: ControlledCheck) -> None:
    """Creates with an array as the document and with a hash of null are refused, and leave the owner's key as it was.

    AUTH: calls need a hash; ERRORS, codes 3, 5 and 7.
    """
    # Set up.
    owner = check.account("owner")
    # Sanity check: the owner has a key, and bad credentials are refused.
    check.need_both("read", style=POST_JSON)
    before = check.call("read", check.or_query(), owner)
    # Stimulus: what is no object comes right behind the owner's read, for a parser may show what it has read before.
    refused = [check.send(_by(POST_JSON, each)) for each in (_post("create", b'["a"]'), _hash("create", None))]
    # Verdict.
    after = check.call("read", check.or_query(), owner)
    check.judge_together(before, *refused, after)


# ---------------------------------------------------------------------- generated


def _needs_front(text: str) -> bool:
    return "\x00" in text or len(text) > _LONG or any(0xD800 <= ord(char) <= 0xDFFF for char in text)


@verifies("B1-bad-input-refused")
def test_json_of_any_shape(check: ControlledCheck) -> None:
    """JSON of any shape as the document or as the hash is refused.

    ERRORS, codes 3, 5 and 7.
    """
    # Sanity check: a good JSON body succeeds.
    check.need_success("read", POST_JSON)
    check.need_success("create", POST_JSON)

    # Stimulus and verdict, example by example.
    def example(operation: Operation, value: Any, inside: bool) -> bool:
        body = json.dumps({"hash": value} if inside else value).encode()
        request = _post(operation, body, front=_needs_front(json.dumps(value, ensure_ascii=False)))
        if not inside and isinstance(value, dict) and "hash" not in value:
            # There is no hash at all.
            request = request.refused(A1, form="general")
        if _names(request) - {"hash", "iso_datetime"}:
            request = request.but(equivalences=(C5_UNKNOWN,))
        return _fits(check, _by(POST_JSON, request))

    explore(
        check,
        example,
        "json-of-any-shape",
        [("read", {"hash": {"hash": ["x"]}}, True)],
    )


def _fits(check: ControlledCheck, request: Call) -> bool:
    answer = check.send(request, may_close=request.front)
    check.judge(answer)
    return check.fits(answer)


@verifies("B1-bad-input-refused")
def test_hash_of_any_text(check: ControlledCheck) -> None:
    """A hash of any text, in a query or in a form, is refused.

    ERRORS, code 3.
    """
    # Sanity check: a good hash succeeds there.
    for style in (GET_QUERY, POST_FORM):
        for each in OPERATIONS:
            check.need_success(each, style)

    # Stimulus and verdict, example by example.
    def example(operation: Operation, carrier: str, text: str) -> bool:
        encoded = quote(text, safe="", errors="surrogatepass")
        front = _needs_front(text) or len(encoded) > _LONG
        request = (
            _get(operation, f"hash={encoded}")
            if carrier == "query"
            else _post(operation, f"hash={encoded}".encode(), FORM)
        )
        return _fits(check, _by(GET_QUERY if carrier == "query" else POST_FORM, request.but(front=front)))

    explore(
        check,
        example,
        "hash-of-any-text",
        [("read", "form", NASTY)],
    )


#: What is sent before anything generated.
_BEGIN: dict[str, Call] = {
    "createGet": _get("create", "hash%5B%5D=a&hash%5B%5D=b"),
    "readGet": _get("read", "iso_datetime=maybe&&=&x"),
    "createPost": _post("create", b"hash%5B%5D=a&hash%5Bb%5D=c&=&", FORM),
    "readPost": _post("read", b'{"hash": "abc"} {}'),
}


@verifies("B1-bad-input-refused")
@pytest.mark.parametrize(
    ("operation_id", "mode"),
    [
        row(operation_id, mode, id=f"{operation_id}-{mode}")
        for mode, operation_ids in (
            ("negative", ("createGet", "createPost", "readGet", "readPost")),
            ("positive", ("createPost",)),
        )
        for operation_id in operation_ids
    ],
)
def test_generated_from_the_contract(check: ControlledCheck, operation_id: str, mode: str) -> None:
    """What Schemathesis makes of the OpenAPI document, data by the contract and against it, is refused.

    The credentials in it are made up: ERRORS, codes 3 and 4; whatever else is wrong: codes 5 and 7.
    """
    # Sanity check: a good call succeeds.
    style = GET_QUERY if operation_id.endswith("Get") else POST_JSON
    operation: Operation = "create" if operation_id.startswith("create") else "read"
    check.need_success(operation, style)

    # Stimulus and verdict, example by example.
    def example(request: Call) -> bool:
        by = POST_FORM if dict(request.headers).get("Content-Type") == FORM else style
        return _fits(check, _by(by, _with_what_it_carries(request)))

    begin = [(_BEGIN[operation_id],)] if mode == "negative" else []
    examples = check.examples - 1 if mode == "negative" else max(1, check.examples // 2)
    explore(check, example, f"{operation_id}-{mode}", begin, examples)
