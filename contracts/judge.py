"""The judge: given an exchange, which requirements does its answer break, all of them at once.

It knows what every answer owes whatever was asked (facts S1 to S4, E1 to E4, P1 to P3, A5). What the answer *means* for
the one who asked, such as a success instead of a refusal, is for ``refusals.py`` and ``register.py``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from contracts.codes import WRONG_METHOD, allowed_for, exists, http_status
from contracts.exchange import Exchange, Response
from contracts.rules import privacy
from contracts.rules.body import Body, read_body
from contracts.rules.disclosure import DISCLOSES_NOTHING, disclosed
from contracts.schemas import validator
from contracts.shape import describe
from contracts.violation import Violation

if TYPE_CHECKING:
    from jsonschema import ValidationError

Kind = Literal["success", "error", "foreign", "nothing"]

# RFC 9110 section 15.5.6; facts E2: the one HTTP status that a wrong method may have besides the code's own.
_METHOD_NOT_ALLOWED = 405
_NOT_MODIFIED = 304
#: A value longer than this is no key that anybody could put into a link.
LONGEST_KEY = 1_000
#: Characters of a document that is short.
_SHORT = 1_000


@dataclass(frozen=True, eq=False)
class Judgement:
    """What an answer says, and what it breaks.

    ``kind`` is ``success`` or ``error`` by the envelope, ``foreign`` for an answer in no envelope, ``nothing`` for none.
    """

    exchange: Exchange
    kind: Kind
    value: Any = field(default=None, repr=False)
    code: int | None = None
    violations: tuple[Violation, ...] = ()
    #: Whether the body can be read in more than one way: a member stands twice in it, it is two objects, or no JSON.
    ambiguous: bool = False

    @cached_property
    def key(self) -> str | None:
        """The key that a success gives, where it is one that can be used at all."""
        usable = isinstance(self.value, str) and 0 < len(self.value) <= LONGEST_KEY
        return self.value if self.kind == "success" and usable else None

    @property
    def status(self) -> int | None:
        """The HTTP status of the answer."""
        return self.exchange.response.status if self.exchange.response else None

    @property
    def server_error(self) -> bool:
        """Whether the answer is a 5xx other than 501, which only says that a method is not implemented."""
        return self.status is not None and self.status >= 500 and self.status != 501

    def summary(self) -> str:
        """The answer in a few words, for messages."""
        if self.exchange.response is None:
            return self.exchange.failure or "no answer"
        if self.kind == "success":
            return f"HTTP {self.status}, a success with value {_show(self.value)}"
        if self.kind == "error":
            return f"HTTP {self.status}, an error with code {self.code}"
        kind = self.exchange.response.header("Content-Type") or "no content type"
        return f"HTTP {self.status}, no envelope ({kind}, {len(self.exchange.response.body)} bytes)"


def judge(exchange: Exchange, secrets: Iterable[str] = ()) -> Judgement:
    """Judge the answer of *exchange*; *secrets* are the credentials and keys of all accounts known so far."""
    response = exchange.response
    if response is None:
        return Judgement(exchange, "nothing")
    body = read_body(response.body)
    kind = _kind(response, body)
    document = body.document if body.is_object else None
    found = _Findings(exchange)
    tolerated = (exchange.intent.free_form or _front_may_answer(exchange)) and kind != "success"
    _content(found, response, body, kind, tolerated=tolerated)
    page = tolerated and not _is_envelope(document)
    _privacy(found, response, body, page=page)
    _caching(found, response, page=page)
    if not (exchange.intent.valid or exchange.intent.complete):
        part = disclosed(exchange, response, secrets)
        if part is not None:
            found.add("A5-discloses-nothing", DISCLOSES_NOTHING, part)
    value = document.get("value") if document is not None else None
    return Judgement(exchange, kind, value, _code(document), tuple(found.violations), body.ambiguous)


def _content(found: _Findings, response: Response, body: Body, kind: Kind, *, tolerated: bool) -> None:
    """What the answer says, and in which form."""
    intent = found.exchange.intent
    document = body.document if body.is_object else None
    if intent.operation is not None and not intent.free_form and 300 <= response.status < 400:
        _redirect(found, response)
    elif kind == "success" and intent.free_form:
        # Whether it may succeed at all is for the check that sent it; no document says what it would look like.
        pass
    elif kind == "success":
        _form(found, response, body)
        _success(found, response, document)
    elif not tolerated:
        _form(found, response, body)
        _error(found, response, body)
    elif kind == "error" and document is not None:
        # Its form is free; but what says that it is an error must not carry what a client would take for a key.
        _no_value(found, document)


def _caching(found: _Findings, response: Response, *, page: bool) -> None:
    intent = found.exchange.intent
    if intent.operation is None or found.exchange.request.method == "OPTIONS" or (page and intent.front):
        return
    caching = privacy.public_caching(response)
    if caching:
        found.add("P2-not-publicly-cacheable", "no header that lets a shared cache keep the answer", caching)


class _Findings:
    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.violations: list[Violation] = []

    def add(self, requirement: str, expected: str, actual: str, message: str | None = None) -> None:
        where = self.exchange.intent.operation or "the call"
        text = message or f"{where}: {actual}; expected: {expected}"
        self.violations.append(Violation(requirement, text, expected, actual, (self.exchange,)))


def _kind(response: Response, body: Body) -> Kind:
    """What the answer means to be. A ``success`` that is broken, or that all else contradicts, does not decide."""
    if not body.is_object:
        return "foreign"
    document = body.document
    success, value = document.get("success"), document.get("value")
    has_status = isinstance(document.get("status"), dict)
    if success is True:
        return "error" if has_status and value is None and response.status >= 400 else "success"
    if success is False:
        return "success" if not has_status and value is not None and response.status < 300 else "error"
    if has_status and value is None:
        return "error"
    if value is not None and response.status < 300:
        return "success"
    return "foreign"


def _is_envelope(document: Any) -> bool:
    return isinstance(document, dict) and ("success" in document or isinstance(document.get("status"), dict))


def _code(document: dict[str, Any] | None) -> int | None:
    status = document.get("status") if document else None
    code = status.get("code") if isinstance(status, dict) else None
    if isinstance(code, float):
        return int(code) if code.is_integer() else None
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def _front_may_answer(exchange: Exchange) -> bool:
    return exchange.intent.front and exchange.response is not None and exchange.response.status in FRONT_STATUSES


#: What a web server in front of the API may answer, in any form, to input that never reaches the API (facts B1).
FRONT_STATUSES = frozenset({400, 413, 414, 415, 431})


def _redirect(found: _Findings, response: Response) -> None:
    place = response.header("Location")
    # It says that what was given before is still so, and leads nowhere.
    elsewhere = place is not None or response.status != _NOT_MODIFIED
    actual = f"HTTP {response.status}" + (f" to {place or 'nowhere'}" if elsewhere else "")
    if elsewhere:
        found.add("P3-no-redirect", "an answer at the documented address", actual)
    found.add("S1-success-is-200", "HTTP 200 for a success, an error status for an error, never a redirect", actual)


def _form(found: _Findings, response: Response, body: Body) -> None:
    problems = list(body.flaws)
    if response.garbled:
        problems = ["the body cannot be decompressed as its Content-Encoding says"]
    media_type = response.header("Content-Type")
    if media_type is None:
        problems.append("the answer has no Content-Type")
    elif not _is_json(response):
        problems.append(f"the media type is {media_type.partition(';')[0].strip()[:80]!r}")
    if response.cut:
        problems.append("the body is larger than the suite reads")
    if problems:
        found.add("S2-json-object", "one JSON object with media type application/json", "; ".join(problems))


def _is_json(response: Response) -> bool:
    """Whether the media type is that of JSON."""
    return (response.header("Content-Type") or "").partition(";")[0].strip().lower() == "application/json"


def _success(found: _Findings, response: Response, document: dict[str, Any] | None) -> None:
    if response.status != 200:
        found.add("S1-success-is-200", "HTTP 200 for a success", f"HTTP {response.status}")
    for each in _errors("success", document):
        if each.path == ("value",) and each.keyword != "type":
            found.add(
                "S4-key-form",
                "a value of exactly 32 lower-case hexadecimal digits",
                describe(str(document and document["value"])),
            )
        else:
            found.add("S3-success-members", "success: true and a string as value", _shorten(each.message))
    found.violations[:] = list({(each.requirement, each.actual): each for each in found.violations}.values())


def _error(found: _Findings, response: Response, body: Body) -> None:
    document = body.document if body.is_object else None
    if response.status != 200 and response.status < 300 and _kind(response, Body(document, ())) == "foreign":
        found.add(
            "S1-success-is-200", "HTTP 200 for a success, an error status for an error", f"HTTP {response.status}"
        )
    if document is None:
        # What is meant as JSON and is none has no members that could be wrong: that is S2.
        if response.status >= 400 and not (body.is_broken and _is_json(response)):
            found.add(
                "E1-error-envelope", "success: false and a status with code and description", "an error in no envelope"
            )
        return
    if _kind(response, Body(document, ())) == "foreign" and response.status == 200:
        found.add("S3-success-members", "success: true or false", f"an object with the members {_names(document)}")
        return
    for each in _errors("error", document):
        if each.path == ("value",):
            continue
        found.add(
            "E1-error-envelope",
            "success: false and a status with integer code and non-empty description",
            _shorten(each.message),
        )
    _no_value(found, document)
    code = _code(document)
    _status(found, response.status, code)
    operation = found.exchange.intent.operation
    if code is not None and operation is not None and not allowed_for(code, operation):
        found.add(
            "E3-code-belongs-to-operation",
            f"a general code (1 to 100) or one documented for {operation}",
            f"code {_show(code)}" + ("" if exists(code) else ", which does not exist"),
        )


def _status(found: _Findings, status: int, code: int | None) -> None:
    """Whether the HTTP status goes with the code of an error."""
    if code is None or not exists(code):
        # No status goes with it; that it is none of the documents' is for E3.
        if status < 400:
            found.add("E2-status-goes-with-code", "an error status for an error", f"HTTP {status}")
        return
    of_method = found.exchange.request.method not in ("GET", "POST")
    excused = of_method and (status, code) == (_METHOD_NOT_ALLOWED, WRONG_METHOD)
    expected = http_status(code)
    if status != expected and not excused:
        found.add("E2-status-goes-with-code", f"HTTP {expected} with code {_show(code)}", f"HTTP {status}")


def _no_value(found: _Findings, document: dict[str, Any]) -> None:
    if document.get("success") is not True and document.get("value") is not None:
        found.add("E4-no-value-in-error", "no value in an error, or null", f"the value {_show(document['value'])}")


def _privacy(found: _Findings, response: Response, body: Body, *, page: bool) -> None:
    intent = found.exchange.intent
    front_page = intent.front and page
    if front_page:
        return
    everything = privacy.texts(response)
    if page and intent.free_form:
        # A stock page by which a framework refuses what is no call may name the address that it was asked for.
        everything = privacy.without_address(everything, found.exchange.request.url)
    if privacy.repeats_credential(everything, intent.credential):
        found.add(
            "P1-credential-not-repeated",
            "an answer that does not repeat the credential it was sent",
            "the credential in the answer's body or headers",
        )
    shown = privacy.internals(response, body, found.exchange)
    if shown:
        found.add("P1-no-internals", "no stack trace, server path or SQL statement in an answer", shown)


class _SchemaError(NamedTuple):
    """Where a document breaks a schema: the path to the member, the keyword and what it says."""

    path: tuple[str | int, ...]
    keyword: str
    message: str


def _errors(schema: str, document: dict[str, Any] | None) -> tuple[_SchemaError, ...]:
    """What the members of *document* that the contract names break of *schema*."""
    text = json.dumps(_flat(document))
    return _errors_of_short(schema, text) if len(text) <= _SHORT else _errors_of(schema, text)


def _errors_of(schema: str, text: str) -> tuple[_SchemaError, ...]:
    return tuple(
        _SchemaError(tuple(each.absolute_path), str(each.validator), _said(each))
        for each in validator(schema).iter_errors(json.loads(text))
    )


def _said(error: ValidationError) -> str:
    """What is wrong; of a value of another type its type, for what is in it is not shown."""
    if error.validator != "type":
        return error.message
    name = error.absolute_path[-1] if error.absolute_path else "the body"
    return f"{name} is {_TYPES[type(error.instance)]}, and not of type {error.validator_value}"


_TYPES = {
    dict: "an object",
    list: "an array",
    str: "a string",
    bool: "a boolean",
    type(None): "null",
    int: "a number",
    float: "a number",
}


#: Most refusals of a target read the same: each is held against the schema once.
_errors_of_short = lru_cache(maxsize=256)(_errors_of)


def _names(document: dict[str, Any]) -> str:
    return ", ".join(sorted(map(str, document)))[:120] or "none"


_NAMED = ("success", "value", "status", "code", "description")


def _flat(node: Any, depth: int = 0) -> Any:
    """The members that the contract names, and nothing below them: what an answer adds may be of any size and depth."""
    if isinstance(node, dict):
        return {name: _flat(node[name], depth + 1) for name in _NAMED if name in node} if depth < 2 else {}
    return [] if isinstance(node, list) else node


def _show(value: Any) -> str:
    try:
        return _shorten(repr(value))
    except (RecursionError, ValueError):
        return "of great size"


def _shorten(text: str) -> str:
    return text if len(text) <= 300 else text[:297] + "..."
