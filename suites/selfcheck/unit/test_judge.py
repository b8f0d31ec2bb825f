"""The judge on single answers: good ones that it lets pass, bad ones with exactly the requirements that they break."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from email.utils import formatdate
from typing import Any

import pytest

from contracts import judge as judge_module
from contracts.exchange import Exchange, Intent, Request, Response
from contracts.judge import FRONT_STATUSES, Judgement, judge
from contracts.requirements import catalogue
from suites.selfcheck.unit.histories import Script

KEY = "42fc7d3068cb98d233c3af749dee4a8d"
HASH = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
OTHER = "f3e2d1c0b9a8978685746352413021ff"
ROOT = "https://api.example.com/v2/user/session/delivery/"
JSON = ("Content-Type", "application/json")

S1, S2, S3, S4 = "S1-success-is-200", "S2-json-object", "S3-success-members", "S4-key-form"
E1, E2 = "E1-error-envelope", "E2-status-goes-with-code"
E3, E4 = "E3-code-belongs-to-operation", "E4-no-value-in-error"
A5 = "A5-discloses-nothing"
ECHO, INSIDE, CACHE = "P1-credential-not-repeated", "P1-no-internals", "P2-not-publicly-cacheable"
REDIRECT = "P3-no-redirect"


def ask(
    body: bytes | str | object,
    *more: tuple[str, str],
    status: int = 200,
    operation: str | None = "create",
    method: str = "POST",
    content_type: str | None = "application/json",
    url: str | None = None,
    credential: str | None = HASH,
    valid: bool = True,
    free_form: bool = False,
    front: bool = False,
    secrets: tuple[str, ...] = (),
) -> Judgement:
    """The judgement of an answer; *body* is bytes, text, or a document to be written as JSON."""
    raw = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    headers = ((("Content-Type", content_type),) if content_type is not None else ()) + more
    return judge(
        Exchange(
            Intent(operation, credential, valid, "owner" if valid else None, free_form, front),
            Request(method, url or f"{ROOT}{operation or 'nothing'}"),
            Response(status, headers, raw),
        ),
        secrets,
    )


def broken(judgement: Judgement) -> set[str]:
    """The requirements that an answer breaks."""
    for violation in judgement.violations:
        assert violation.requirement in catalogue()
        assert violation.expected
        assert violation.actual
        assert violation.message
        assert violation.exchange is judgement.exchange
    return {violation.requirement for violation in judgement.violations}


def test_a_repr_shows_no_key() -> None:
    assert KEY not in repr(ask(success()))


def success(**more: Any) -> dict[str, Any]:
    return {"success": True, "value": KEY, **more}


def error(code: Any = 4, description: Any = "Not found", **more: Any) -> dict[str, Any]:
    return {"success": False, "status": {"code": code, "description": description}, **more}


def nest(depth: int) -> str:
    return "[" * depth + "]" * depth


def table(rows: dict[str, tuple[Any, ...]]) -> list[Any]:
    return [pytest.param(*row, id=name) for name, row in rows.items()]


# ---------------------------------------------------------------------- S: the form of a success

GOOD = f'{{"success": true, "value": "{KEY}"}}'

#: Bodies of a success with HTTP 200, and what they break.
SUCCESS_BODIES: dict[str, tuple[bytes | str | object, set[str]]] = {
    "plain": (GOOD, set()),
    "unknown-members": (success(extra=[1, {"a": None}], status={"code": 0}), set()),
    "unknown-members-at-any-depth": (GOOD[:-1] + f', "extra": {nest(400)}}}', set()),
    "white-space-around": (f" \t\r\n{GOOD}\n\n\r\t ", set()),
    "other-order": (f'{{"value":"{KEY}","success":true}}', set()),
    "escapes": (f'{{"succ\\u0065ss": true, "value": "\\u0034{KEY[1:]}"}}', set()),
    "same-name-in-two-objects": (success(a={"x": 1}, b={"x": 2}), set()),
    "escaped-surrogate-pair": (GOOD[:-1] + ', "emoji": "\\ud83d\\ude00"}', set()),
    "non-ascii": (GOOD[:-1] + ', "note": "ключ"}', set()),
    "long-number": (GOOD[:-1] + ', "n": ' + "9" * 5000 + "}", set()),
    "large-float": (GOOD[:-1] + ', "n": 1e999}', set()),
    # S2
    "empty": (b"", {S2}),
    "white-space-only": (b" \n", {S2}),
    "byte-order-mark": (b"\xef\xbb\xbf" + GOOD.encode(), {S2}),
    "utf-16-with-mark": (GOOD.encode("utf-16"), {S2}),
    "utf-16-without-mark": (GOOD.encode("utf-16-le"), {S2}),
    "utf-32": (GOOD.encode("utf-32"), {S2}),
    "invalid-utf-8": (GOOD[:-1].encode() + b', "note": "\xff\xfe"}', {S2}),
    "latin-1": (GOOD[:-1].encode() + b', "note": "caf\xe9"}', {S2}),
    "encoded-surrogate": (GOOD[:-1].encode() + b', "note": "\xed\xa0\x80"}', {S2}),
    "overlong-utf-8": (GOOD[:-1].encode() + b', "note": "\xc0\xaf"}', {S2}),
    "member-twice": (GOOD[:-1] + f', "value": "{KEY}"}}', {S2}),
    "member-twice-by-escape": (GOOD[:-1] + ', "v\\u0061lue": null}', {S2}),
    "member-twice-nested": (GOOD[:-1] + ', "a": [{"b": {"x": 1, "x": 1}}]}', {S2}),
    "something-after": (GOOD + "x", {S2}),
    "semicolon-after": (GOOD + ";", {S2}),
    "nul-after": (GOOD + "\x00", {S2}),
    "form-feed-after": (GOOD + "\f", {S2}),
    "no-break-space-before": ("\xa0" + GOOD, {S2}),
    "two-documents": (GOOD + "\n" + GOOD, {S2}),
    "html-after": (GOOD + "<!-- 3 ms -->", {S2}),
    "nan": (GOOD[:-1] + ', "n": NaN}', {S2}),
    "infinity": (GOOD[:-1] + ', "n": -Infinity}', {S2}),
    "control-character": (GOOD[:-1] + ', "n": "a\nb"}', {S2}),
    "single-quotes": (GOOD.replace('"', "'"), {S2}),
    "comment": (GOOD[:-1] + " /* ok */}", {S2}),
    "trailing-comma": (GOOD[:-1] + ",}", {S2}),
    "cut": (GOOD[:-3], {S2}),
    "jsonp": (f"callback({GOOD});", {S2}),
    "security-prefix": (f")]}}',\n{GOOD}", {S2}),
    "nested-and-not-closed": (GOOD[:-1] + ', "extra": ' + "[" * 100_000 + "}", {S2}),
    "array": ([success()], {S2}),
    "string": (json.dumps(KEY), {S2}),
    "number": ("7", {S2}),
    "true": ("true", {S2}),
    "null": ("null", {S2}),
    "html": ("<html><body>ok</body></html>", {S2}),
    # S3
    "no-members": ({}, {S3}),
    "other-members": ({"ok": True, "key": KEY}, {S3}),
    "success-missing": ({"value": KEY}, {S3}),
    "success-null": ({"success": None, "value": KEY}, {S3}),
    "success-one": ({"success": 1, "value": KEY}, {S3}),
    "success-text": ({"success": "true", "value": KEY}, {S3}),
    "success-list": ({"success": [True], "value": KEY}, {S3}),
    "success-false-beside-a-key": ({"success": False, "value": KEY}, {S3}),
    "success-capital": ({"Success": True, "value": KEY}, {S3}),
    "value-missing": ({"success": True}, {S3}),
    "value-capital": ({"success": True, "Value": KEY}, {S3}),
    "value-null": ({"success": True, "value": None}, {S3}),
    "value-number": ({"success": True, "value": 42}, {S3}),
    "value-huge-number": ('{"success": true, "value": ' + "7" * 399 + "}", {S3}),
    "value-true": ({"success": True, "value": True}, {S3}),
    "value-object": ({"success": True, "value": {"key": KEY}}, {S3}),
    "value-list": ({"success": True, "value": [KEY]}, {S3}),
    "value-deep-list": ('{"success": true, "value": ' + nest(600) + "}", {S3}),
    "value-nan": ('{"success": true, "value": NaN}', {S2, S3}),
    # S4
    "value-empty": (success(value=""), {S4}),
    "value-31-digits": (success(value=KEY[:-1]), {S4}),
    "value-33-digits": (success(value=KEY + "0"), {S4}),
    "value-newline-at-the-end": (success(value=KEY + "\n"), {S4}),
    "value-31-digits-and-newline": (success(value=KEY[:-1] + "\n"), {S4}),
    "value-newline-before": (success(value="\n" + KEY[1:]), {S4}),
    "value-space-at-the-end": (success(value=KEY + " "), {S4}),
    "value-nul-at-the-end": (success(value=KEY + "\x00"), {S4}),
    "value-upper-case": (success(value=KEY.upper()), {S4}),
    "value-one-upper-case-digit": (success(value="A" + KEY[1:]), {S4}),
    "value-letter-g": (success(value="g" + KEY[1:]), {S4}),
    "value-uuid": (success(value="42fc7d30-68cb-98d2-33c3-af749dee4a8d"), {S4}),
    "value-base64": (success(value="Qvx9MGjLmNIzw690ne5KjQ=="), {S4}),
    "value-full-width-digits": (success(value="４" + KEY[1:]), {S4}),
    "value-arabic-digits": (success(value="٤" + KEY[1:]), {S4}),
    "value-two-keys": (success(value=KEY + KEY), {S4}),
    "value-quoted": (success(value=f'"{KEY}"'), {S4}),
    "value-url": (success(value=f"https://example.com/?key={KEY}"), {S4}),
    "value-megabyte": (success(value="a" * 1_000_000), {S4}),
    "two-things": ({"success": 1, "value": KEY.upper()}, {S3, S4}),
    "three-things": (f'{{"success": 1, "value": "{KEY.upper()}"}}x', {S2, S3, S4}),
}


@pytest.mark.parametrize(("body", "due"), table(SUCCESS_BODIES))
@pytest.mark.parametrize("operation", ["create", "read"])
def test_body_of_a_success(body: bytes | str | object, due: set[str], operation: str) -> None:
    judgement = ask(body, operation=operation)
    assert broken(judgement) == due
    assert all(len(violation.actual) < 500 for violation in judgement.violations), "a message of any size"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (str(uuid.UUID(KEY)), "36 characters: hexadecimal digits with '-' at 9, 14, 19, 24"),
        (KEY + "\n", "33 characters: the last is a line feed"),
        (KEY[:-1] + "g", "character 32 is 'g'"),
    ],
)
def test_a_key_of_a_wrong_form_is_described_and_not_shown(value: str, said: str) -> None:
    (violation,) = ask(success(value=value)).violations
    assert (violation.requirement, violation.actual) == (S4, said)
    assert value[:8] not in violation.message


@pytest.mark.parametrize(
    ("status", "due"),
    [(200, set()), (201, {S1}), (202, {S1}), (206, {S1}), (299, {S1}), (400, {S1}), (403, {S1}), (500, {S1})],
)
def test_status_of_a_success(status: int, due: set[str]) -> None:
    assert broken(ask(success(), status=status)) == due


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
@pytest.mark.parametrize(
    "body", [b"", b"<html>moved</html>", GOOD.encode(), json.dumps(error()).encode()], ids=["empty", "html", "ok", "no"]
)
def test_redirect(status: int, body: bytes) -> None:
    answer = ask(body, ("Location", "https://elsewhere.example.com/"), status=status)
    assert broken(answer) == {REDIRECT, S1}


def test_what_is_not_modified_leads_nowhere() -> None:
    assert broken(ask(b"", status=304)) == {S1}


def test_redirect_of_what_is_no_documented_call() -> None:
    answer = ask(b"", ("Location", "/login"), status=302, operation=None, free_form=True, credential=None, valid=False)
    assert broken(answer) == set()


def test_no_content_is_no_success() -> None:
    assert broken(ask(b"", status=204, content_type=None)) == {S1, S2}


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (success(value={"key": KEY}), 200, "value is an object, and not of type string"),
        (success(value=[KEY]), 200, "value is an array, and not of type string"),
        (success(value=7), 200, "value is a number, and not of type string"),
        (success(value=None), 200, "value is null, and not of type string"),
        (success(value=True), 200, "value is a boolean, and not of type string"),
        (error(code=KEY), 400, "code is a string, and not of type integer"),
    ],
)
def test_a_member_of_another_type_is_told_by_its_type(body: object, status: int, said: str) -> None:
    told = [each.actual for each in ask(body, status=status).violations]
    assert said in told
    assert KEY not in "".join(told)


@pytest.mark.parametrize(
    ("content_type", "fine"),
    [
        ("application/json", True),
        ("application/json; charset=utf-8", True),
        ("application/json;charset=UTF-8", True),
        ('application/json; charset="utf-8"; profile=x', True),
        ("application/json ;charset=utf-8", True),
        ("Application/JSON", True),
        ("  application/json  ", True),
        (None, False),
        ("", False),
        ("text/json", False),
        ("text/plain", False),
        ("text/html; charset=utf-8", False),
        ("application/javascript", False),
        ("application/problem+json", False),
        ("application/vnd.api+json", False),
        ("application/jsonp", False),
        ("application/json-seq", False),
        ("json", False),
        ("application/octet-stream", False),
    ],
)
@pytest.mark.parametrize("refused", [False, True], ids=["success", "error"])
def test_media_type(content_type: str | None, fine: bool, refused: bool) -> None:
    body, status = (error(), 400) if refused else (success(), 200)
    assert broken(ask(body, status=status, content_type=content_type)) == (set() if fine else {S2})


def test_cut_body() -> None:
    exchange = Exchange(
        Intent("read", HASH, True), Request("GET", ROOT + "read"), Response(200, (JSON,), GOOD.encode(), cut=True)
    )
    assert broken(judge(exchange)) == {S2}


def test_key_and_code() -> None:
    assert ask(success()).key == KEY
    assert ask(success(value=KEY.upper())).key == KEY.upper()
    assert ask(success(value="")).key is None
    assert ask(success(value=7)).key is None
    assert ask(error(value=KEY), status=400).key is None
    assert ask(error(3.0), status=400).code == 3
    assert ask(error(True), status=400).code is None
    assert ask(error("3"), status=400).code is None


def test_no_answer() -> None:
    judgement = judge(Exchange(Intent("read"), Request("GET", ROOT), None, "no answer within 10 s"))
    assert judgement.kind == "nothing"
    assert judgement.violations == ()
    assert judgement.summary() == "no answer within 10 s"


# ---------------------------------------------------------------------- E: errors

#: Bodies of an error with HTTP 400, and what they break.
ERROR_BODIES: dict[str, tuple[bytes | str | object, set[str]]] = {
    "plain": (error(), set()),
    "other-language": (error(description="Нет такого пользователя"), set()),
    "unknown-members": (error(errors=[{"a": 1}], list=[], params={}), set()),
    "unknown-members-of-status": ({"success": False, "status": {"code": 4, "description": "x", "id": []}}, set()),
    "value-null": (error(value=None), set()),
    "code-as-float": (error(4.0), set()),
    "code-as-exponent": ('{"success": false, "status": {"code": 0.4e1, "description": "x"}}', set()),
    "empty-body": (b"", {S2, E1}),
    "html": ("<html><body>Bad Request</body></html>", {S2}),
    "bare-quotes": ('{"success": false, "status": {"code": 4, "description": "no "x""}}', {S2}),
    "cut": ('{"success": false, "status": {"code": 4, "des', {S2}),
    "a-word": ("Bad Request", {S2}),
    "compressed": (b"\x1f\x8b\x08\x00\x00", {S2}),
    "two": (f"{json.dumps(error())}\n{json.dumps(error())}", {S2}),
    "no-members": ({}, {E1}),
    "list": ([error()], {S2, E1}),
    "jsonp": (f"f({json.dumps(error())})", {S2}),
    "success-missing": ({"status": {"code": 4, "description": "x"}}, {E1}),
    "success-null": (error() | {"success": None}, {E1}),
    "success-zero": (error() | {"success": 0}, {E1}),
    "success-text": (error() | {"success": "false"}, {E1}),
    "success-true": (error() | {"success": True}, {E1}),
    "status-missing": ({"success": False}, {E1}),
    "status-null": ({"success": False, "status": None}, {E1}),
    "status-number": ({"success": False, "status": 4}, {E1}),
    "status-list": ({"success": False, "status": [4, "x"]}, {E1}),
    "status-flat": ({"success": False, "code": 4, "description": "x"}, {E1}),
    "code-missing": ({"success": False, "status": {"description": "x"}}, {E1}),
    "code-null": (error(None), {E1}),
    "code-text": (error("4"), {E1}),
    "code-true": (error(True), {E1}),
    "code-fraction": (error(4.5), {E1}),
    "code-list": (error([4]), {E1}),
    "code-nan": ('{"success": false, "status": {"code": NaN, "description": "x"}}', {S2, E1}),
    "code-infinite": ('{"success": false, "status": {"code": 1e999, "description": "x"}}', {E1}),
    "description-missing": ({"success": False, "status": {"code": 4}}, {E1}),
    "description-empty": (error(description=""), {E1}),
    "description-null": (error(description=None), {E1}),
    "description-number": (error(description=4), {E1}),
    "description-object": (error(description={"en": "x"}), {E1}),
    "description-deep": ('{"success": false, "status": {"code": 4, "description": ' + nest(600) + "}}", {E1}),
    "value-key": (error(value=KEY), {E4}),
    "value-empty": (error(value=""), {E4}),
    "value-false": (error(value=False), {E4}),
    "value-zero": (error(value=0), {E4}),
    "value-object": (error(value={}), {E4}),
    "value-deep": (json.dumps(error())[:-1] + f', "value": {nest(600)}}}', {E4}),
    "value-without-success": ({"value": KEY, "status": {"code": 4, "description": "x"}}, {E1, E4}),
    "code-zero": (error(0), {E3}),
    "code-negative": (error(-4), {E3}),
    "code-huge": ('{"success": false, "status": {"code": ' + "9" * 399 + ', "description": "x"}}', {E3}),
    "everything": ('{"success": 0, "value": 1, "status": {"code": 301}}x', {S2, E1, E3, E4}),
}


@pytest.mark.parametrize(("body", "due"), table(ERROR_BODIES))
@pytest.mark.parametrize("operation", ["create", "read"])
def test_body_of_an_error(body: bytes | str | object, due: set[str], operation: str) -> None:
    judgement = ask(body, status=400, operation=operation)
    assert broken(judgement) == due
    assert judgement.kind != "success"
    assert all(len(violation.actual) < 500 for violation in judgement.violations), "a message of any size"


#: The table of facts E2, written once more by hand: what the catalogue says must not be its own proof.
STATUS_OF = {
    **dict.fromkeys((3, 4, 5, 7, 10, 12, 16, 50, 99, 100, 111, 112, 201), 400),
    **dict.fromkeys((2, 11, 13, 101, 276), 403),
    **dict.fromkeys((1, 6), 500),
    **dict.fromkeys((8, 14), 503),
    9: 412,
    15: 429,
    236: 402,
}
#: Codes from 101 on, with the operations that may give them (facts E3).
SPECIFIC = {
    101: {"create"},
    236: {"create"},
    201: {"read"},
    111: {"create", "read"},
    112: {"create", "read"},
    276: {"create", "read"},
}


@pytest.mark.parametrize("operation", ["create", "read"])
@pytest.mark.parametrize("code", sorted(STATUS_OF))
def test_status_and_operation_of_a_code(code: int, operation: str) -> None:
    foreign = {E3} if code > 100 and operation not in SPECIFIC[code] else set()
    for status in (200, 201, 400, 401, 402, 403, 404, 405, 409, 412, 418, 422, 429, 500, 501, 502, 503):
        due = foreign | (set() if status == STATUS_OF[code] else {E2})
        assert broken(ask(error(code), status=status, operation=operation)) == due, status


@pytest.mark.parametrize("operation", ["create", "read"])
@pytest.mark.parametrize("code", [0, -1, 102, 110, 113, 200, 202, 208, 235, 237, 275, 277, 300, 301, 999, 2**40])
def test_code_that_no_operation_gives(code: int, operation: str) -> None:
    assert broken(ask(error(code), status=400, operation=operation)) == {E3}


@pytest.mark.parametrize("status", [400, 401, 500])
def test_a_code_that_does_not_exist_has_no_status(status: int) -> None:
    """Somebody took the HTTP status for the code: which status to send with it is not said, for there is none."""
    (violation,) = ask(error(401), status=status).violations
    assert (violation.requirement, violation.actual) == (E3, "code 401, which does not exist")


def test_a_code_that_does_not_exist_is_no_success() -> None:
    assert broken(ask(error(401), status=200)) == {E2, E3}


@pytest.mark.parametrize("code", [101, 201, 236, 999])
def test_operation_that_is_none_owns_no_codes(code: int) -> None:
    assert E3 not in broken(ask(error(code), status=STATUS_OF.get(code, 400), operation=None))


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize(
    ("status", "code", "due"),
    [(405, 112, set()), (400, 112, set()), (405, 111, {E2}), (405, 3, {E2}), (404, 112, {E2}), (501, 112, {E2})],
)
def test_405_for_another_method(method: str, status: int, code: int, due: set[str]) -> None:
    assert broken(ask(error(code), status=status, method=method)) == due


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_405_for_a_documented_method(method: str) -> None:
    assert broken(ask(error(112), status=405, method=method)) == {E2}


@pytest.mark.parametrize("status", [400, 404, 405, 501])
@pytest.mark.parametrize(
    "body", [b"", b"<h1>405</h1>", b"{}", b"[]", b'{"success": false}', b'{"status": {"error": "x"}, "success": false}']
)
def test_refusal_of_free_form(status: int, body: bytes) -> None:
    answer = ask(body, status=status, method="PUT", content_type="text/html", free_form=True)
    assert broken(answer) == set()


def test_refusal_of_free_form_with_a_value() -> None:
    assert broken(ask(error(999, value=KEY), status=404, method="PUT", free_form=True)) == {E4}


def test_success_of_free_form_has_no_documented_form() -> None:
    assert broken(ask(success(value="x"), status=201, method="PUT", content_type=None, free_form=True)) == set()


@pytest.mark.parametrize("status", sorted(FRONT_STATUSES))
@pytest.mark.parametrize(
    "body",
    [
        "<html><h1>400 Bad Request</h1>/var/www/html</html>",
        b"",
        b'{"success": false, "error": "too long"}',
        b'{"status": {"error": "too long"}}',
        json.dumps(error(9)).encode(),
    ],
    ids=["html", "empty", "half-envelope", "other-status", "envelope"],
)
def test_web_server_in_front(status: int, body: str | bytes) -> None:
    assert broken(ask(body, status=status, content_type="text/html", front=True, valid=False)) == set()


@pytest.mark.parametrize("status", [200, 401, 403, 404, 500, 502, 503])
def test_no_other_status_of_a_web_server_in_front(status: int) -> None:
    due = {S2} if status == 200 else {S2, E1}
    assert broken(ask("<h1>no</h1>", status=status, content_type="text/html", front=True, valid=False)) == due


def test_the_web_server_in_front_is_excused_only_for_what_is_its_own() -> None:
    assert broken(ask("<h1>400</h1>", status=400, content_type="text/html", valid=False)) == {S2, E1}


# ---------------------------------------------------------------------- P1: the credential

LONG = "x%20y/+&=\"'ü" + "q" * 30

#: What an answer to a call with HASH says, and whether that repeats it.
ECHOES: dict[str, tuple[Callable[[], Judgement], bool]] = {
    "description": (lambda: ask(error(description=f"Unknown hash {HASH}"), status=400), True),
    "upper-case": (lambda: ask(error(description=HASH.upper()), status=400), True),
    "member-name": (lambda: ask(error(**{HASH: 1}), status=400), True),
    "deep": (lambda: ask(error(request={"q": [{"hash": HASH}]}), status=400), True),
    "header": (lambda: ask(error(), ("X-Request", f"hash={HASH}"), status=400), True),
    "cookie": (lambda: ask(error(), ("Set-Cookie", f"sid={HASH}; Path=/"), status=400), True),
    "link": (lambda: ask(error(), ("Link", f"</x?hash={HASH}>; rel=self"), status=400), True),
    "location": (lambda: ask(success(), ("Content-Location", f"/read?hash={HASH}")), True),
    "escaped": (
        lambda: ask(
            '{"success": false, "status": {"code": 4, "description": "'
            + "".join(f"\\u{ord(char):04x}" for char in HASH)
            + '"}}',
            status=400,
        ),
        True,
    ),
    "percent-encoded": (
        lambda: ask(error(description="".join(f"%{ord(char):02X}" for char in HASH)), status=400),
        True,
    ),
    "percent-encoded-odd-credential": (
        lambda: ask(error(description="x%2520y/+&=\"'%C3%BC" + "q" * 30), status=400, credential=LONG),
        True,
    ),
    "second-of-two-members": (lambda: ask(GOOD[:-1] + f', "a": 1, "a": "{HASH}"}}'), True),
    "after-the-document": (lambda: ask(GOOD + HASH), True),
    "a-part": (lambda: ask(error(description=HASH[:15]), status=400), False),
    "another": (lambda: ask(error(description=OTHER), status=400), False),
    "short-credential": (lambda: ask(error(description="no null"), status=400, credential="null"), False),
    "short-hexadecimal": (lambda: ask(error(description="abc123"), status=400, credential="abc123"), False),
    "empty-credential": (lambda: ask(error(), status=400, credential=""), False),
    "no-credential": (lambda: ask(error(), status=400, credential=None), False),
    "only-in-the-request": (lambda: ask(error(), status=400, url=f"{ROOT}create?hash={HASH}"), False),
}


@pytest.mark.parametrize(("answer", "found"), table(ECHOES))
def test_credential_repeated(answer: Callable[[], Judgement], found: bool) -> None:
    judgement = answer()
    assert (ECHO in broken(judgement)) is found
    assert broken(judgement) <= {ECHO, S2}
    assert HASH not in "".join(each.message + each.actual for each in judgement.violations)


# ---------------------------------------------------------------------- P1: the server's inside

#: Wherever it stands in an answer; what each pattern takes is in test_internals.
INTERNALS = {
    "python-traceback": 'Traceback (most recent call last):\n  File "/srv/x.py", line 3, in f\nKeyError',
    "java-frame": "NullPointerException at com.x.api.Delivery.create(Delivery.java:42)",
    "java-lambda": "at com.x.Y$$Lambda$14.run(Y.kt:7)",
    "java-without-at": "java.lang.NullPointerException\n\tcom.x.api.Delivery.create(Delivery.java:59)\n\tcom.x.Y.run(Y.java:7)",
    "java-in-entities": "com.x.Delivery.&lt;init&gt;(Delivery.java:59)",
    "java-native-without-at": "\tsun.reflect.NativeMethodAccessorImpl.invoke0(Native Method)",
    "clojure-frame": "(core.clj:42)",
    "dotnet-page": "[NullReferenceException]\n   Api.Delivery.Create(String hash) +42",
    "perl-die": "Can't locate object at lib/Api/Session.pm line 42.",
    "lua-trace": "stack traceback:\n\t[C]: in function 'error'",
    "lua-frame": "handler.lua:42: attempt to index a nil value",
    "erlang-frame": '[{file,"src/api.erl"},{line,42}]',
    "haskell-frame": "CallStack (from HasCallStack): error, called at x.hs",
    "cpp-frame": "src/session.cpp:42",
    "java-cause": "Caused by: java.lang.IllegalStateException",
    "javascript-frame": "TypeError: x\n    at create (/app/server.js:10:5)",
    "javascript-file-url": "at file:///app/index.mjs:3:9",
    "javascript-anonymous": "at Object.<anonymous> (handlers.ts:1:2)",
    "node-internal": "at async processTicks (node:internal/process/task_queues:95:5)",
    "dotnet-frames": "NullReferenceException\n   at Api.Delivery.Create(String hash)\n   at Api.Host.Run()",
    "php-warning": "Warning: Undefined index in handler.php on line 3",
    "ruby-frame": "app.rb:12:in `create'",
    "ruby-new-frame": "app.rb:12:in 'create'",
    "elixir-frame": "lib/api/router.ex:354: Api.Router.call/2",
    "go-frame": "main.create(0x1)\n\t/src/api/main.go:42",
    "path": "cannot open /etc/api/config.yaml",
    "path-users": "/Users/alice/api",
    "path-app": "cannot load /app/handlers/create.py",
    "path-quoted": "missing '/var/lib/api/keys.db'",
    "sql-select": "SELECT key FROM delivery_session",
    "sql-columns": "SELECT s.key, s.id AS n FROM `sessions` s",
    "sql-nested": "SELECT count(*)\nFROM [dbo].[Session]",
    "sql-insert": "INSERT INTO session (user, key) VALUES (1, 'x')",
    "sql-update": "update session set key = 'x'",
    "sql-mysql": "You have an error in your SQL syntax",
}

HARMLESS = {
    "session-list": "Please select a session from the list",
    "session-list-capitals": "PLEASE SELECT A SESSION FROM THE LIST",
    "insert-capitals": "INSERT INTO THE FORM A HASH (32 digits); values (hex) only",
    "delete-capitals": "DELETE FROM YOUR BOOKMARKS",
    "pages-of-a-site": "Go to /app/settings/keys, or to /home/settings, or see /Users/me",
    "where": "Select a tracker from trackers where the tariff permits it",
    "update": "Update your settings, then set a password",
    "delete": "delete from your list what you do not need",
    "insert": "insert into the form",
    "at-somebody": "Ask at the office (room 3) or call us at +1 (555) 10:30",
    "in-line": "Error in line 3 of the request",
    "file": "File not found, line too long",
    "url": "see https://docs.example.com/var/www/errors.html#4",
    "url-with-file": "https://docs.example.com/app/errors.js:1:1",
    "request-path": "no handler for /v2/user/session/delivery/create",
    "request-url": ROOT + "create",
    "users": "Users/groups and home/office are fine, so is and/or",
    "ratio": "A:B, 1/2, etc/and so on",
    "line-break": "Option A:\nfoo bar\nbaz",
    "escapes": "a:\tb\tc\\d",
    "time": "at 10:15:30.123 (UTC)",
    "date-path": "2026/10/01",
    "media-type": "application/json, text/html;q=0.9, */*",
    "public-path": "go to /app/login or /data/export",
    "caused": "Caused by: a wrong hash",
    "version": "node v18.1.0, java 17, main.go",
    "code": "call f(x) in your code",
    "exception": "InvalidHashException",
    "java-file": "see Delivery.java, or Delivery (java)",
    "select-twice": "SELECT one, then select another from the list; FROM there go on",
    "select-and-from": "Select: from, to, at",
    "plus": "  in all (sum) +42 others",
    "stack": "a stack traceback is not shown",
}


@pytest.mark.parametrize("text", INTERNALS.values(), ids=INTERNALS)
def test_inside_of_the_server_shown(text: str) -> None:
    assert broken(ask(error(6, description=text), status=500)) == {INSIDE}
    assert broken(ask(success(debug={"trace": [text]}))) == {INSIDE}
    assert broken(ask(success(), ("X-Debug", text.replace("\n", " \n ")))) >= {INSIDE}
    page = ask(f"<html><pre>{text}</pre></html>", status=404, content_type="text/html", free_form=True, operation=None)
    assert broken(page) == {INSIDE}


@pytest.mark.parametrize("text", HARMLESS.values(), ids=HARMLESS)
def test_harmless_words(text: str) -> None:
    assert broken(ask(error(description=text), status=400)) == set()
    assert broken(ask(success(note=[text, text]))) == set()
    assert broken(ask(success(), ("X-Note", text))) == set()
    assert broken(ask(f"<html>{text}</html>", status=404, content_type="text/html", free_form=True)) == set()


@pytest.mark.parametrize(
    "header",
    [
        ("Location", "/home/index.html"),
        ("Set-Cookie", "a=b; Path=/var/x"),
        ("Link", "</opt/style.css>; rel=preload"),
        ("Content-Security-Policy", "report-uri /srv/csp"),
        ("Server", "nginx/1.18.0 (Ubuntu)"),
        ("Via", "1.1 varnish (Varnish/6.0)"),
        ("Server", "Apache/2.4.1 (Unix) mod_wsgi/4.7 Python/3.9"),
        ("ETag", 'W/"a/b"'),
        ("Date", "Thu, 01 Jan 2026 00:00:00 GMT"),
        ("Allow", "GET, POST, OPTIONS"),
    ],
    ids=lambda header: f"{header[0]}-{len(header[1])}",
)
def test_harmless_headers(header: tuple[str, str]) -> None:
    assert broken(ask(success(), header)) == set()


def test_links_of_a_page() -> None:
    page = '<a href="/home/index">home</a><img src=\'/var/logo.png\'><form action="/srv/search">'
    assert broken(ask(page, status=404, content_type="text/html", free_form=True)) == set()


def test_words_of_two_members_are_no_statement() -> None:
    assert broken(ask(success(title="SELECT *", note="FROM users"))) == set()
    assert broken(ask(success(), ("X-A", "SELECT *"), ("X-B", "FROM users"))) == set()


@pytest.mark.parametrize(
    "shown",
    [
        "{url}",
        "Cannot PUT {path}",
        "No route matches [PUT] &quot;{escaped}&quot;",
        "The path {decoded} was not found",
    ],
)
def test_a_stock_page_may_name_the_address_it_was_asked_for(shown: str) -> None:
    """Where C7 leaves the refusal free; elsewhere it is the target's own answer."""
    url = f"{ROOT}create?a=1&hash={HASH}"
    path = url.partition("://")[2]
    path = path[path.index("/") :]
    text = shown.format(url=url, path=path, escaped=path.replace("&", "&amp;"), decoded=path)
    page: dict[str, Any] = {"status": 404, "content_type": "text/html", "url": url, "method": "PUT"}
    assert broken(ask(f"<pre>{text}</pre>", free_form=True, **page)) == set()
    assert ECHO in broken(ask(f"<pre>{text}</pre>", **page))
    assert ECHO in broken(ask(f"<pre>{text} {HASH}</pre>", free_form=True, **page))


def test_path_of_a_request_below_a_system_like_name() -> None:
    url = "https://example.com/srv/api/v2/user/session/delivery/create?hash=a"
    answer = ask(error(description="no /srv/api/v2/user/session/delivery/create here"), status=400, url=url)
    assert broken(answer) == set()


# ---------------------------------------------------------------------- P2: caches

FUTURE = formatdate(time.time() + 86_400, usegmt=True)
NOW = "Thu, 01 Jan 2026 00:00:00 GMT"
LATER = "Thu, 01 Jan 2026 00:00:10 GMT"

#: What the judge makes of it; more of the rule itself is in test_privacy.
CACHING: dict[str, tuple[tuple[tuple[str, str], ...], bool]] = {
    "nothing": ((), False),
    "no-store": ((("Cache-Control", "no-store"),), False),
    "the-usual": ((("Cache-Control", "no-cache, no-store, max-age=0, must-revalidate"), ("Expires", "0")), False),
    "private": ((("Cache-Control", "private"),), False),
    "private-in-a-second-header": ((("Cache-Control", "max-age=600"), ("Cache-Control", "private")), False),
    "max-age-nonsense": ((("Cache-Control", "max-age=soon"),), False),
    "public-and-private": ((("Cache-Control", "public, private, max-age=60"),), False),
    "public-in-a-second-line": ((("Cache-Control", "no-store"), ("Cache-Control", "public, max-age=600")), False),
    "private-for-a-field": ((("Cache-Control", 'public, private="Set-Cookie"'),), True),
    "private-for-fields-and-max-age": ((("Cache-Control", 'private="a, b", max-age=60'),), True),
    "word-that-begins-with-public": ((("Cache-Control", "publicity"),), False),
    "public-in-quotes": ((("Cache-Control", 'ext="public, max-age=60"'),), False),
    "other-directive": ((("Cache-Control", "stale-if-error=60, no-transform"),), False),
    "commas": ((("Cache-Control", ",,no-store,,"),), False),
    "expires-minus-one": ((("Expires", "-1"),), False),
    "expires-empty": ((("Expires", ""),), False),
    "expires-nonsense": ((("Expires", "Thu, 01 Jan 99999 00:00:00 +99999999999999999999"),), False),
    "expires-future-but-no-store": ((("Expires", FUTURE), ("Cache-Control", "no-store")), False),
    "pragma": ((("Pragma", "no-cache"),), False),
    "vary": ((("Vary", "Authorization"), ("ETag", '"a"'), ("Age", "0")), False),
    "public": ((("Cache-Control", "public"),), True),
    "public-upper-case": ((("cache-control", "PUBLIC"),), True),
    "public-max-age-0": ((("Cache-Control", "public, max-age=0"),), True),
    "public-in-a-second-header": ((("Cache-Control", "max-age=0"), ("Cache-Control", "public")), True),
    "max-age-huge": ((("Cache-Control", "max-age=99999999999999999999"),), True),
    "max-age-no-space": ((("Cache-Control", "must-revalidate,max-age=1"),), True),
    "s-maxage-beside-private": ((("Cache-Control", "private, s-maxage=60"),), False),
    "s-maxage-beside-max-age-0": ((("Cache-Control", "max-age=0, s-maxage=60"),), True),
    "immutable": ((("Cache-Control", "max-age=31536000, immutable"),), True),
    "expires-future": ((("Expires", FUTURE),), True),
    "expires-after-date": ((("Expires", LATER), ("Date", NOW)), True),
    "expires-in-an-old-form": ((("Expires", "Thu Jan  1 00:00:10 2099"),), True),
    "expires-two-digit-year": ((("Expires", "Thursday, 01-Jan-26 00:00:10 GMT"), ("Date", NOW)), True),
}


@pytest.mark.parametrize(("headers", "found"), table(CACHING))
@pytest.mark.parametrize("refused", [False, True], ids=["success", "error"])
def test_shared_caches(headers: tuple[tuple[str, str], ...], found: bool, refused: bool) -> None:
    body, status = (error(), 400) if refused else (success(), 200)
    assert broken(ask(body, *headers, status=status)) == ({CACHE} if found else set())


def test_caching_of_what_is_no_documented_call() -> None:
    public = ("Cache-Control", "public")
    assert broken(ask("<p>no</p>", public, status=404, operation=None, free_form=True)) == set()
    assert broken(ask("", public, status=204, method="OPTIONS", free_form=True)) == set()
    assert broken(ask("<p>no</p>", public, status=400, front=True)) == set()


def test_caching_of_another_method_at_a_documented_address() -> None:
    answer = ask("<p>no</p>", ("Cache-Control", "public"), status=405, method="PUT", free_form=True)
    assert broken(answer) == {CACHE}


# ---------------------------------------------------------------------- A5: what is told to whom

#: Who is told; of the forms in which a secret is told, and of what was sent, test_disclosure has more.
DISCLOSURES: dict[str, tuple[Callable[[], Judgement], set[str]]] = {
    "key-in-description": (
        lambda: ask(error(description=f"key {KEY}"), status=400, valid=False, credential=OTHER, secrets=(HASH, KEY)),
        {A5},
    ),
    "key-in-value": (
        lambda: ask(error(value=KEY), status=400, valid=False, credential=OTHER, secrets=(KEY,)),
        {A5, E4},
    ),
    "key-as-success": (lambda: ask(success(), valid=False, credential=OTHER, secrets=(KEY,)), {A5}),
    "hash-in-header": (
        lambda: ask(error(), ("X-User", HASH), status=400, valid=False, credential=OTHER, secrets=(HASH,)),
        {A5},
    ),
    "in-a-page": (
        lambda: ask(f"<p>{KEY}</p>", status=404, valid=False, free_form=True, credential=None, secrets=(KEY,)),
        {A5},
    ),
    "in-the-page-of-a-web-server-in-front": (
        lambda: ask(f"<p>{KEY}</p>", status=400, valid=False, front=True, credential=None, secrets=(KEY,)),
        {A5},
    ),
    "own-key-tells-the-owner": (
        lambda: ask(error(description=HASH), status=400, valid=False, credential=KEY, secrets=(HASH, KEY)),
        {A5},
    ),
    "to-its-owner": (lambda: ask(success(), secrets=(KEY,)), set()),
    "nothing": (lambda: ask(error(), status=400, valid=False, credential=OTHER, secrets=(HASH, KEY)), set()),
    "unknown-value": (lambda: ask(success(), valid=False, credential=OTHER, secrets=(HASH,)), set()),
    "what-was-sent": (
        lambda: ask(error(description=HASH), status=400, valid=False, secrets=(HASH,), url=f"{ROOT}create?hash={HASH}"),
        {ECHO},
    ),
    "near-miss-in-the-query": (
        lambda: ask(
            error(description=f"{HASH}0"),
            status=400,
            valid=False,
            credential=f"{HASH}0",
            secrets=(HASH,),
            url=f"{ROOT}create?hash={HASH}0",
        ),
        {ECHO},
    ),
}


@pytest.mark.parametrize(("answer", "due"), table(DISCLOSURES))
def test_disclosure(answer: Callable[[], Judgement], due: set[str]) -> None:
    assert broken(answer()) == due


# ---------------------------------------------------------------------- all at once, and at speed


def test_everything_at_once() -> None:
    answer = ask(
        f'{{"success": "no", "value": "{KEY}", "status": {{"code": 201, "description": "/etc/passwd {HASH}"}}}} x',
        ("Cache-Control", "public"),
        status=404,
        content_type="text/plain",
        valid=False,
        secrets=(KEY,),
    )
    assert broken(answer) == {S2, E1, E2, E3, E4, ECHO, INSIDE, CACHE, A5}


@pytest.mark.parametrize(
    "body",
    [
        b"{" + b",".join(b'"k%d": 1' % number for number in range(60_000)) + b', "k1": 1}',
        b'{"a": "' + b"SELECT " * 140_000 + b'"}',
        b'{"a": "' + b"at a.b(" * 140_000 + b'"}',
        b'{"a": "' + b"/usr/" * 200_000 + b'"}',
        b'{"a": "' + b"%41" * 330_000 + b'"}',
        b"[" * 1_000_000,
        b"\x00" * 1_000_000,
        b"{" * 1_000_000,
        b'"' * 1_000_000,
    ],
    ids=["members", "select", "at", "slashes", "percent", "brackets", "nul", "braces", "quotes"],
)
def test_a_megabyte_is_judged_in_a_moment(body: bytes) -> None:
    started = time.process_time()
    ask(body, status=400, secrets=(HASH, KEY), valid=False)
    assert time.process_time() - started < 3


@pytest.mark.parametrize("depth", [10, 300, 900, 2_000, 50_000])
def test_depth_never_breaks_the_judge(depth: int) -> None:
    for template in ('{"success": true, "value": %s}', '{"success": false, "status": %s, "value": %s}', "%s"):
        filled = template.replace("%s", nest(depth))
        assert broken(ask(filled, status=400)) & {S1, S2, E1}


@pytest.mark.parametrize("depth", [10, 101, 900, 100_000])
@pytest.mark.parametrize("below", ["[%s]", '{"a]": "[\\"{", "b": [1, %s, {}]}'], ids=["arrays", "objects"])
def test_depth_in_what_a_client_ignores_is_no_flaw(depth: int, below: str) -> None:
    opening, closing = below.split("%s")
    extra = opening * depth + "1" + closing * depth
    assert not broken(ask(f'{GOOD[:-1]}, "extra": {extra}, "more": "]"}}'))
    assert broken(ask(f'{GOOD[:-1]}, "extra": {extra}}} x')) == {S2}


# ---------------------------------------------------------------------- in words


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda script: script.add("read", value="0a"), "HTTP 200, a success with value '0a'"),
        (lambda script: script.add("read", code=201), "HTTP 400, an error with code 201"),
        (lambda script: script.add("read", status=502), "HTTP 502, no envelope (no content type, 0 bytes)"),
    ],
    ids=["success", "error", "foreign"],
)
def test_an_answer_in_a_few_words(made: Callable[[Script], Judgement], said: str) -> None:
    assert made(Script()).summary() == said


def test_a_page_in_a_few_words() -> None:
    made = Script().add("read", status=404)
    page = Response(404, (("Content-Type", "text/html"),), b"<html>")
    shown = replace(made, exchange=replace(made.exchange, response=page))
    assert shown.summary() == "HTTP 404, no envelope (text/html, 6 bytes)"


def test_no_answer_in_a_few_words() -> None:
    made = Script().add("read", code=4)
    silent = replace(made.exchange, response=None)
    assert Judgement(silent, "nothing").summary() == "no answer"
    assert (
        Judgement(replace(silent, failure="it closed the connection"), "nothing").summary()
        == "it closed the connection"
    )


def test_what_a_web_server_in_front_may_answer() -> None:
    assert {400, 413, 414, 415, 431} == FRONT_STATUSES


@pytest.mark.parametrize(
    ("document", "envelope"),
    [
        ({"success": 1}, True),
        ({"status": {}}, True),
        ({"status": 4}, False),
        ({"code": 4}, False),
        ([], False),
        (None, False),
    ],
)
def test_what_is_an_envelope(document: object, envelope: bool) -> None:
    assert judge_module._is_envelope(document) is envelope


def test_the_members_of_an_object_in_words() -> None:
    assert judge_module._names({}) == "none"
    assert judge_module._names({"b": 1, "a": 2}) == "a, b"
    assert len(judge_module._names({"x" * 500: 1})) == 120


def test_what_is_long_is_cut() -> None:
    assert judge_module._shorten("x" * 300) == "x" * 300
    assert judge_module._shorten("x" * 301) == "x" * 297 + "..."


@pytest.mark.parametrize(
    ("status", "location", "actual", "broken"),
    [
        (302, "/login", "HTTP 302 to /login", 2),
        (303, None, "HTTP 303 to nowhere", 2),
        (304, None, "HTTP 304", 1),
        (304, "/x", "HTTP 304 to /x", 2),
    ],
)
def test_a_redirect_in_words(status: int, location: str | None, actual: str, broken: int) -> None:
    made = Script().add("read", status=status)
    headers = (("Location", location),) if location is not None else ()
    found = judge(replace(made.exchange, response=Response(status, headers))).violations
    assert [each.actual for each in found] == [actual] * broken
