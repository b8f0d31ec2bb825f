"""Questions about one answer: how its call was made, and what it is meant as."""

from __future__ import annotations

from contracts.codes import CODES, WRONG_METHOD
from contracts.ids import S2
from contracts.judge import Judgement

#: Codes by which an operation speaks of the state of the account (DELIVERY).
_OF_ONE_OPERATION = frozenset(
    code for code, entry in CODES.items() if entry.scope == "specific" and len(entry.operations) == 1
)
#: RFC 9110, sections 15.5.6 and 15.6.2.
_METHOD_IS_NOT_KNOWN = (405, 501)
_NOT_FOUND = 404


def is_plain(answer: Judgement) -> bool:
    """Whether it is a documented call, in one of the call styles, that carries the good hash of an account."""
    intent = answer.exchange.intent
    return (
        intent.valid
        and intent.operation is not None
        and bool(intent.style)
        and intent.refusal is None
        and not intent.free_form
        and answer.exchange.request.method in ("GET", "POST")
    )


def is_about_the_style(answer: Judgement) -> bool:
    """Whether nothing but its style could be why the call is not understood."""
    return is_plain(answer) and not answer.exchange.intent.equivalences and not answer.exchange.intent.group


def is_understood(answer: Judgement) -> bool:
    """Whether the call was read for what it is, whatever is said of it then: a code that only this operation has."""
    if answer.key is not None:
        return True
    return answer.kind == "error" and answer.code in _OF_ONE_OPERATION


def refuses_the_method(answer: Judgement) -> bool:
    """Whether the answer says that the operation does not know the method of the call.

    So it does where it comes from a server that has no route for this method, and says that nothing was found.
    """
    not_routed = answer.status == _NOT_FOUND and answer.kind == "foreign"
    return answer.code == WRONG_METHOD or answer.status in _METHOD_IS_NOT_KNOWN or not_routed


def is_accepted(answer: Judgement) -> bool:
    """Whether the answer is meant as a success: a JSON document with a status of 2xx, whatever is wrong with it."""
    succeeds = answer.status is not None and 200 <= answer.status < 300
    return succeeds and says_json(answer) and answer.kind != "error"


def says_json(answer: Judgement) -> bool:
    """Whether the media type of the answer is that of JSON, whatever its body is."""
    response = answer.exchange.response
    return response is not None and (response.header("Content-Type") or "").lower().startswith("application/json")


def is_client_error(answer: Judgement) -> bool:
    """Whether the answer is meant to be a JSON document, and has a status of 4xx."""
    is_json = says_json(answer) or not any(each.requirement == S2 for each in answer.violations)
    return is_json and answer.status is not None and 400 <= answer.status < 500


def is_bad_input(answer: Judgement) -> bool:
    """Whether the call was bad input, which is refused with any of the general codes."""
    refusal = answer.exchange.intent.refusal
    return refusal is not None and refusal.form == "general"


def place_of(answer: Judgement) -> tuple[str | None, str, str | None]:
    """The operation, the call style and the account of the call."""
    intent = answer.exchange.intent
    return intent.operation, intent.style, intent.account
