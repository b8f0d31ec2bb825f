"""What a call answers: its statuses, the codes that come with each, and the shapes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from contracts import codes
from contracts.drift.difference import Difference, besides, lacks, otherwise
from contracts.drift.document import Document, Node, mapping, member, said, text, values, words
from contracts.drift.shapes import best, error, is_error, success

_JSON: Final = "application/json"
_DEFAULT: Final = "DEFAULT"
#: Codes that a sentence about an answer may name. General ones are too small to be distinguished from other numbers.
_NAMED: Final = re.compile(r"\b(101|111|112|201|236|276)\b")
#: Statuses with which a web server or a gateway in front may answer, in a form of its own.
_IN_FRONT: Final = frozenset({"407", "413", "414", "415", "431", "502", "504", *map(str, range(520, 528))})

_STATUS: Final = "E2-status-goes-with-code"
#: What rests on a status, and on a code, where the other document lacks it.
_BY_STATUS: Final = {"200": "S1-success-is-200", "402": "T7-tariff-create-refused", "429": "R1-rate-limit-answer"}
_BY_CODE: Final = {
    101: "T5-demo-create-refused",
    201: "T4-read-without-session",
    236: "T7-tariff-create-refused",
    276: "A4-delivery-key-is-no-credential",
}


def answers(place: str, operation: codes.Operation, ours: Node, call: Node, theirs: Document) -> Iterator[Difference]:
    """The statuses of an operation, and the shape and the codes of each."""
    responses = {
        status: theirs.follow(each)
        for name, each in mapping(call.get("responses")).items()
        if not (status := text(name).upper()).startswith("X-")
    }
    yield from _statuses(place, {text(status) for status in ours["responses"]}, responses)
    named = {int(each) for node in (call, *responses.values()) for each in _NAMED.findall(words(node))}
    for status, response in responses.items():
        at = _at(place, status)
        content = theirs.content(response)
        if content and _JSON not in content:
            yield otherwise(at, f"the answer is no {_JSON}", "S2-json-object")
        media = content.get(_JSON, {})
        forms = theirs.forms(media.get("schema"))
        examples = _examples(media, theirs)
        if status in ("200", "2XX"):
            yield from _success(at, forms, examples)
        elif status not in _IN_FRONT and not status.startswith(("1", "2", "3")):
            yield from best(forms, partial(error, at))
            found = _codes(response, forms, examples)
            yield from _pairs(at, operation, status, found)
            named |= found
    for code, entry in codes.CODES.items():
        if entry.scope == "specific" and operation in entry.operations and code not in named:
            yield lacks(place, f"code {code}", _BY_CODE.get(code, "E3-code-belongs-to-operation"))


def _at(place: str, status: str) -> str:
    return f"{place}, {'default' if status == _DEFAULT else f'HTTP {said(status)}'}"


def _statuses(place: str, here: set[str], responses: Node) -> Iterator[Difference]:
    """Statuses that the other document lacks, or has besides, or that no answer of the contract has."""
    for status in sorted(here - responses.keys()):
        group = f"{status[0]}XX"
        but = group if group in responses else "default" if _DEFAULT in responses and status != "200" else ""
        yield lacks(place, f"HTTP {status}" + (f", but for its {but}" if but else ""), _BY_STATUS.get(status, _STATUS))
    for status in responses:
        at = _at(place, status)
        if status.startswith("2") and (status != "2XX" or "200" in responses) and status != "200":
            yield otherwise(at, "a success; here a success is HTTP 200", "S1-success-is-200")
        elif status.startswith("3"):
            yield otherwise(at, "a redirect; here no call is redirected", "P3-no-redirect")
        elif status in _IN_FRONT:
            yield besides(at, "an answer of a server or a gateway in front", "B1-bad-input-refused")
        elif status.isdigit() and not status.startswith("1") and status not in here:
            yield otherwise(at, "no code of this operation comes with this status here", _STATUS)


def _success(place: str, forms: Sequence[Node], examples: Sequence[Node]) -> Iterator[Difference]:
    successes = [form for form in forms if not is_error(form)]
    if len(successes) < len(forms) or any(each.get("success") is False for each in examples):
        yield otherwise(place, "an error; here it comes with the status of its code", _STATUS)
    yield from best(successes, partial(success, place))


def _examples(media: Node, theirs: Document) -> list[Node]:
    """The examples of an answer that are objects. Those of its schema may belong to another status."""
    named = [theirs.follow(each).get("value") for each in mapping(media.get("examples")).values()]
    return [mapping(each) for each in (media.get("example"), *named)]


def _codes(response: Node, forms: Sequence[Node], examples: Sequence[Node]) -> set[int]:
    """The codes of errors that an answer names: in its schema, in its examples, and those above 100 in its description."""
    found: list[object] = [int(each) for each in _NAMED.findall(text(response.get("description")))]
    for form in forms:
        found += values(member(member(form, "status"), "code"))
    found += [mapping(example.get("status")).get("code") for example in examples]
    return {each for each in found if isinstance(each, int) and not isinstance(each, bool)}


def _pairs(place: str, operation: codes.Operation, status: str, found: set[int]) -> Iterator[Difference]:
    """The codes that come with a status."""
    for code in sorted(found):
        right = str(codes.http_status(code))
        if not codes.allowed_for(code, operation):
            yield otherwise(place, f"code {code}, which {operation} does not give here", "E3-code-belongs-to-operation")
        elif status not in (_DEFAULT, right, f"{right[0]}XX"):
            yield otherwise(place, f"code {code}, which comes with HTTP {right} here", _STATUS)
