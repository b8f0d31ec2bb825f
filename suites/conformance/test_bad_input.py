"""B: bad input does no harm. Written rows first; then what Hypothesis and Schemathesis think of."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import strategies as st

from contracts.judge import FRONT_STATUSES, Judgement
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
from suites.runner.trial import Trial
from suites.scenarios.generated import contract_cases, explore

#: A web server in front may refuse longer input in a form of its own (facts B1).
_LONG = 1_000
_DEEP = 100_000


def _post(operation: Operation, body: bytes, media_type: str | None = JSON, *, front: bool = False) -> Call:
    headers = (("Content-Type", media_type),) if media_type is not None else ()
    front = front or len(body) > _LONG
    return Call(operation, "POST", PATH + operation, headers=headers, body=body, front=front, breaks_contract=True)


def _hash(operation: Operation, value: Any) -> Call:
    return _post(operation, json.dumps({"hash": value}).encode())


def _get(operation: Operation, query: str, *, front: bool = False) -> Call:
    return Call(
        operation, "GET", PATH + operation, query=query, front=front or len(query) > _LONG, breaks_contract=True
    )


def _header(operation: Operation, method: str, value: str, *, front: bool = False) -> Call:
    headers = (("Authorization", value),)
    return Call(
        operation, method, PATH + operation, headers=headers, front=front or len(value) > _LONG, breaks_contract=True
    )


_ROWS: dict[str, tuple[Call, Style]] = {
    # The hash, of every JSON type but string.
    "hash-zero": (_hash("read", 0.0), POST_JSON),
    "hash-true": (_hash("read", True), POST_JSON),
    "hash-null": (_hash("create", None), POST_JSON),
    "hash-list": (_hash("read", ["a", 1]), POST_JSON),
    "hash-object": (_hash("create", {"$ne": ""}), POST_JSON),
    "hash-huge-integer": (_post("read", b'{"hash": ' + b"9" * 400 + b"}"), POST_JSON),
    # The document, of every JSON type but object.
    "document-array": (_post("create", b'["a"]'), POST_JSON),
    "document-number": (_post("read", b"42"), POST_JSON),
    "document-null": (_post("read", b"null"), POST_JSON),
    # What is no JSON.
    "empty-body": (_post("create", b""), POST_JSON),
    "malformed-cut": (_post("read", b'{"hash": "'), POST_JSON),
    "nan": (_post("read", b'{"hash": NaN}'), POST_JSON),
    "invalid-utf-8-json": (_post("read", b'{"hash": "\xff\xfe\xc3\x28"}', front=True), POST_JSON),
    # Depth.
    "deep-document": (_post("read", b"[" * _DEEP + b"]" * _DEEP), POST_JSON),
    "deep-hash": (_post("create", b'{"hash": ' + b'{"a":' * 30_000 + b"1" + b"}" * 30_000 + b"}"), POST_JSON),
    # Text that troubles databases, templates and parsers, by every carrier.
    "quote-json": (_hash("read", "' OR '1'='1" + " -- " * 120), POST_JSON),
    "nul-json": (_post("create", b'{"hash": "0123\\u0000"}', front=True), POST_JSON),
    "lone-surrogate-json": (_post("read", b'{"hash": "\\ud800"}', front=True), POST_JSON),
    "non-ascii-json": (_hash("create", "ключ-от-сессии-\U0001f511"), POST_JSON),
    "long-json": (_hash("create", "a" * 20_000), POST_JSON),
    "quote-query": (_get("create", "hash=%27%20OR%20%271%27%3D%271"), GET_QUERY),
    "nul-query": (_get("read", "hash=%00", front=True), GET_QUERY),
    "non-ascii-query": (_get("read", "hash=%D0%BA%D0%BB%D1%8E%D1%87"), GET_QUERY),
    "invalid-utf-8-query": (_get("create", "hash=%FF%FE", front=True), GET_QUERY),
    "malformed-percent-query": (_get("read", "hash=%zz%4", front=True), GET_QUERY),
    "long-query": (_get("read", "hash=" + "a" * 4_000), GET_QUERY),
    "invalid-utf-8-form": (_post("read", b"hash=%FF%FE", FORM, front=True), POST_FORM),
    "header-empty": (_header("read", "GET", ""), GET_HEADER),
    "form-in-json": (_post("create", b"hash=abc&iso_datetime=true"), POST_JSON),
    "malformed-percent-form": (_post("read", b"hash=%zz%", FORM, front=True), POST_FORM),
    "header-non-ascii": (_header("read", "GET", "NVX \xe9\xe8", front=True), GET_HEADER),
    # Content types that the documents do not name.
    "text-plain": (_post("create", b'{"hash": "abc"}', "text/plain", front=True), POST_JSON),
    "multipart-without-boundary": (_post("create", b"hash=abc", "multipart/form-data", front=True), POST_FORM),
    "no-content-type": (_post("read", b'{"hash": "abc"}', None, front=True), POST_JSON),
    "nonsense-content-type": (_post("create", b"{}", ";;;/", front=True), POST_JSON),
}


@verifies("B1-bad-input-refused")
@pytest.mark.parametrize(("request_", "style"), [row(*values, id=name) for name, values in _ROWS.items()])
def test_bad_input(trial: Trial, request_: Call, style: Style) -> None:
    """Input without a credential that is wrong in one way gets the error envelope with a general code and a 4xx.

    ERRORS, codes 3, 5 and 7. What a web server in front may refuse in a form of its own is accepted so.
    """
    # Set up and sanity check: a good call of this kind succeeds.
    trial.need_success(_operation(request_), style)
    # Stimulus.
    answer = trial.send(request_, may_close=request_.front)
    # Verdict.
    expect_bad_input_refused(trial, answer, _what(request_, trial))


def _operation(request: Call) -> Operation:
    assert request.operation is not None
    return request.operation


def _what(request: Call, trial: Trial) -> str:
    del trial
    return f"{request.method} {request.operation} with bad input"


def expect_bad_input_refused(trial: Trial, answer: Judgement, what: str) -> bool:
    """Whether *answer* is what bad input is due; else B1 is broken."""
    front = answer.exchange.intent.front
    if answer.kind == "nothing" and front and answer.exchange.closed:
        return True
    if front and answer.kind != "success" and answer.status in FRONT_STATUSES:
        return True
    general = answer.code is not None and 1 <= answer.code <= 100
    client_error = answer.status is not None and 400 <= answer.status < 500
    if answer.kind == "error" and general and client_error:
        return True
    if answer.kind == "error" and client_error and answer.code is None:
        # The envelope is to blame (E1), which the judge has taken down.
        return True
    trial.violate(
        "B1-bad-input-refused",
        f"{what}: {answer.summary()}",
        "the error envelope with a general code and a 4xx status"
        + (", or a refusal by a web server in front" if front else ""),
        answer.summary(),
        answer,
    )
    return False


@verifies("A5-changes-nothing")
def test_bad_input_changes_nothing(trial: Trial) -> None:
    """After all of it the owner's key is what it was.

    AUTH: calls need a hash.
    """
    # Set up and sanity check.
    trial.need_both("read", style=POST_JSON)
    # Stimulus: it was sent above; where nothing was, one call of create.
    if not any(each.operation == "create" and not each.valid for each in trial.run.since):
        trial.send(_post("create", b"{}"))
    # Verdict.
    trial.expect_unchanged()


# ---------------------------------------------------------------------- generated


# What Hypothesis begins with is the first of each alternative: it is to be worth its request.
_NASTY = "'\"\u00e9\u043a\U0001f511%2527\\u0027{{7*7}}${x}--"
_TEXT = st.just(_NASTY) | st.text(max_size=64).filter(lambda text: len(text) != 32)
_VALUES = st.just("a text") | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def _needs_front(text: str) -> bool:
    return "\x00" in text or len(text) > _LONG or any(0xD800 <= ord(char) <= 0xDFFF for char in text)


@verifies("B1-bad-input-refused")
def test_json_of_any_shape(trial: Trial) -> None:
    """JSON of any shape as the document or as the hash is refused.

    ERRORS, codes 3, 5 and 7.
    """
    # Set up and sanity check.
    trial.need_success("read", POST_JSON)
    trial.need_success("create", POST_JSON)

    # Stimulus and verdict, example by example.
    def check(operation: Operation, value: Any, inside: bool) -> bool:
        body = json.dumps({"hash": value} if inside else value).encode()
        front = _needs_front(json.dumps(value, ensure_ascii=False))
        answer = trial.send(_post(operation, body, front=front), may_close=front)
        return expect_bad_input_refused(trial, answer, f"{operation} with JSON of another shape")

    explore(
        trial,
        check,
        st.tuples(st.sampled_from(("create", "read")), _VALUES, st.booleans()),
        [("read", {"hash": {"hash": ["x"]}}, True)],
    )


@verifies("B1-bad-input-refused")
def test_hash_of_any_text(trial: Trial) -> None:
    """A hash of any text, by any carrier, is refused.

    ERRORS, code 3.
    """
    # Set up and sanity check.
    for style in (GET_QUERY, POST_FORM):
        for each in OPERATIONS:
            trial.need_success(each, style)

    # Stimulus and verdict, example by example.
    def check(operation: Operation, carrier: str, text: str) -> bool:
        encoded = quote(text, safe="", errors="surrogatepass")
        front = _needs_front(text) or len(encoded) > _LONG
        request = (
            _get(operation, f"hash={encoded}")
            if carrier == "query"
            else _post(operation, f"hash={encoded}".encode(), FORM)
        )
        answer = trial.send(request.but(front=front), may_close=front)
        return expect_bad_input_refused(trial, answer, f"{operation} with a hash of other text by {carrier}")

    explore(
        trial,
        check,
        st.tuples(st.sampled_from(("create", "read")), st.sampled_from(("query", "form")), _TEXT),
        [("read", "form", _NASTY)],
    )


#: What Hypothesis begins with is the simplest example, and would be the same one for all; these are worth more.
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
def test_generated_from_the_contract(trial: Trial, operation_id: str, mode: str) -> None:
    """What Schemathesis makes of the OpenAPI document, data by the contract and against it, is refused.

    The credentials in it are made up: ERRORS, codes 3 and 4; whatever else is wrong: codes 5 and 7.
    """
    # Set up and sanity check.
    style = GET_QUERY if operation_id.endswith("Get") else POST_JSON
    operation: Operation = "create" if operation_id.startswith("create") else "read"
    trial.need_success(operation, style)

    # Stimulus and verdict, example by example.
    def check(request: Call) -> bool:
        answer = trial.send(request, may_close=request.front)
        return expect_bad_input_refused(trial, answer, f"{request.method} {operation} with generated data")

    examples = trial.examples if mode == "negative" else max(1, trial.examples // 2)
    cases = contract_cases(operation_id, mode)
    explore(
        trial,
        check,
        st.tuples(st.just(_BEGIN[operation_id]) | cases if mode == "negative" else cases),
        examples=examples,
        name=f"{operation_id}-{mode}",
        beyond_simplest=mode == "positive",
    )
