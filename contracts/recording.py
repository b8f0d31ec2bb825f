"""The file of a recorded run: answers as plain data and back, and what makes a file one of this form. No I/O.

The form is that of ``schemas/history.json``. Texts that a target or an account had a part in go through a function that
puts stand-ins in the place of secrets.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from contracts.exchange import Exchange, Intent, Refusal, Request, Response
from contracts.judge import Judgement
from contracts.requirements import catalogue
from contracts.schemas import validator
from contracts.violation import Violation

#: The version of the form: a file of another one cannot be read.
FORMAT: Final = 1
#: Bytes of a body that are kept.
LONGEST_BODY: Final = 65_536

#: Puts stand-ins in the place of what is secret in a text.
Put = Callable[[str], str]
_TUPLES: Final = ("alike", "equivalences")
_OF_INTENT: Final = (
    *("operation", "valid", "account", "free_form", "front", "style", "promise"),
    *("holder", "complete", "group", "repeat"),
)
_OF_EXCHANGE: Final = ("closed", "sent_at", "ended_at", "time", "rate_limited")


class RecordingError(ValueError):
    """A text is no recorded run that can be read; says why, in words that follow the name of the file."""


def same(text: str) -> str:
    """*text* itself: for a history without secrets."""
    return text


# ---------------------------------------------------------------------- to data


def answer_as_json(answer: Judgement, put: Put = same) -> dict[str, Any]:
    """*answer* as plain data, the secrets in it replaced by *put*."""
    exchange = answer.exchange
    return {
        "intent": _intent(exchange.intent, put),
        "request": {
            "method": exchange.request.method,
            "url": put(exchange.request.url),
            "headers": _headers(exchange.request.headers, put),
            "body": _body(exchange.request.body, put),
        },
        "response": _response(exchange.response, put) if exchange.response is not None else None,
        "failure": put(exchange.failure) if exchange.failure is not None else None,
        **{name: getattr(exchange, name) for name in _OF_EXCHANGE},
        "kind": answer.kind,
        "value": replaced(answer.value, put),
        "code": answer.code,
        "ambiguous": answer.ambiguous,
        "violations": [
            {
                "requirement": each.requirement,
                "message": put(each.message),
                "expected": put(each.expected),
                "actual": put(each.actual),
                "possible": list(each.possible),
            }
            for each in answer.violations
        ],
    }


def _intent(intent: Intent, put: Put) -> dict[str, Any]:
    refusal = intent.refusal
    return {
        **{name: getattr(intent, name) for name in _OF_INTENT},
        **{name: list(getattr(intent, name)) for name in _TUPLES},
        "credential": put(intent.credential) if intent.credential is not None else None,
        "refusal": {
            "requirement": refusal.requirement,
            "form": refusal.form,
            "codes": sorted(refusal.codes),
            "code_requirement": refusal.code_requirement,
        }
        if refusal is not None
        else None,
    }


def _response(response: Response, put: Put) -> dict[str, Any]:
    return {
        "status": response.status,
        "headers": _headers(response.headers, put),
        "body": _body(response.body, put),
        "seconds": response.seconds,
        "cut": response.cut,
        "garbled": response.garbled,
    }


def _headers(headers: tuple[tuple[str, str], ...], put: Put) -> list[list[str]]:
    return [[put(name), put(value)] for name, value in headers]


def _body(raw: bytes, put: Put) -> dict[str, Any]:
    """A body as text; of a long one the beginning, with the length and the digest of the whole."""
    encoding, text = _decoded(raw)
    text = _put(text, put)
    whole = text.encode(encoding)
    if len(whole) <= LONGEST_BODY:
        return {"encoding": encoding, "text": text}
    # What is left of a character at the cut is left out.
    text = whole[:LONGEST_BODY].decode(encoding, "ignore")
    digest = hashlib.sha256(whole).hexdigest()
    return {"encoding": encoding, "text": text, "length": len(whole), "sha256": digest}


def _decoded(raw: bytes) -> tuple[str, str]:
    """An encoding of *raw*, and its text, which gives the same bytes again; broken UTF-16 gives others."""
    if raw.count(0) * 3 > len(raw):
        # Read byte by byte its zeros would hide a secret from whoever looks for one.
        encoding = "utf-16-be" if raw[:1] == b"\x00" or raw[:2] == b"\xfe\xff" else "utf-16-le"
        return encoding, raw.decode(encoding, "replace")
    try:
        return "utf-8", raw.decode("utf-8")
    except UnicodeDecodeError:
        return "latin-1", raw.decode("latin-1")


def _put(text: str, put: Put) -> str:
    """The text of a body with stand-ins, without its zeros where they hide a secret."""
    found = put(text)
    if "\0" not in text:
        return found
    without = put(text.replace("\0", ""))
    return found if found.replace("\0", "") == without else without


def replaced(value: Any, put: Put) -> Any:
    """*value*, data of any form, with *put* applied to its texts, names and numbers without a fraction.

    A number that is none in JSON becomes null.
    """
    if isinstance(value, str):
        return put(value)
    if isinstance(value, dict):
        return {put(name): replaced(each, put) for name, each in value.items()}
    if isinstance(value, list):
        return [replaced(each, put) for each in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, int) and not isinstance(value, bool):
        return int(put(str(value)))
    return value


# ---------------------------------------------------------------------- and back


def answer_from_json(data: Mapping[str, Any]) -> Judgement:
    """The inverse of :func:`answer_as_json`, but for what of a body was cut."""
    request, response = data["request"], data["response"]
    exchange = Exchange(
        _intent_from(data["intent"]),
        Request(request["method"], request["url"], _headers_from(request["headers"]), _body_from(request["body"])),
        _response_from(response) if response is not None else None,
        data["failure"],
        **{name: data[name] for name in _OF_EXCHANGE},
    )
    violations = tuple(
        Violation(
            each["requirement"],
            each["message"],
            each["expected"],
            each["actual"],
            (exchange,),
            tuple(each["possible"]),
        )
        for each in data["violations"]
    )
    return Judgement(exchange, data["kind"], data["value"], data["code"], violations, data["ambiguous"])


def _intent_from(data: Mapping[str, Any]) -> Intent:
    refusal = data["refusal"]
    members: dict[str, Any] = {name: data[name] for name in _OF_INTENT}
    members |= {name: tuple(data[name]) for name in _TUPLES}
    if refusal is not None:
        refusal = Refusal(**{**refusal, "codes": frozenset(refusal["codes"])})
    return Intent(credential=data["credential"], refusal=refusal, **members)


def _response_from(data: Mapping[str, Any]) -> Response:
    return Response(
        data["status"],
        _headers_from(data["headers"]),
        _body_from(data["body"]),
        data["seconds"],
        data["cut"],
        data["garbled"],
    )


def _headers_from(data: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in data)


def _body_from(data: Mapping[str, Any]) -> bytes:
    return str(data["text"]).encode(data["encoding"], "replace")


# ---------------------------------------------------------------------- a file


def parse(text: str) -> dict[str, Any]:
    """The recorded run that *text* holds. Raises ``RecordingError`` with the first thing that keeps it from being one."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise RecordingError("is not JSON, or was cut off: it is no recorded run") from None
    if not isinstance(document, dict) or "format" not in document:
        raise RecordingError("is no recorded run of this suite")
    if document["format"] != FORMAT or isinstance(document["format"], bool):
        raise RecordingError(f"has another format than {FORMAT}, the one that this version of the suite reads")
    flaw = next(iter(validator("history").iter_errors(document)), None)
    if flaw is not None:
        # The text of the flaw would quote what is in the file.
        place = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in flaw.absolute_path)
        raise RecordingError(f"is no recorded run: {place.lstrip('.') or 'the document'} is not as its schema says")
    _check_references(document)
    return document


def _check_references(document: Mapping[str, Any]) -> None:
    """Raise ``RecordingError`` where *document* names a requirement or an answer that there is not."""
    named = {each["requirement"] for answer in document["answers"] for each in answer["violations"]}
    for answer in document["answers"]:
        intent = answer["intent"]
        refusal = intent["refusal"] or {"requirement": "", "code_requirement": ""}
        named |= {intent["promise"], *intent["equivalences"], refusal["requirement"], refusal["code_requirement"]}
    for test in document["tests"]:
        named |= {*test["requirements"], *test["results"], *(each["requirement"] for each in test["violations"])}
    unknown = sorted(named - {"", *catalogue()})
    if unknown:
        raise RecordingError(f"names a requirement that this version of the suite does not know: {unknown[0][:80]}")
    if any(number >= len(document["answers"]) for test in document["tests"] for number in test["in_question"]):
        raise RecordingError("is no recorded run: a test names an answer that is not in it")
