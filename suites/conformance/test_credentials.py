"""A: what opens an account, and what does not."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from contracts.codes import NO_HASH, UNKNOWN_HASH
from contracts.exchange import Refusal
from contracts.hindsight import hindsight
from contracts.ids import A1, A2, A2_ENDED, A3
from fixtures.calls import (
    GET_HEADER,
    GET_QUERY,
    OPERATIONS,
    POST_FORM,
    POST_HEADER,
    POST_HEADER_JSON,
    POST_JSON,
    STYLES,
    Call,
    Operation,
    Style,
    call,
)
from fixtures.errors import NotAvailable
from fixtures.secrets import Secret
from suites.runner.check import Blocked
from suites.runner.marks import row, verifies
from suites.runner.run import UNKNOWN
from suites.scenarios.controls import ControlledCheck
from suites.scenarios.delivery_keys import delivery_key, key_of

#: Strings that are not 32 hexadecimal digits (facts A1).
_TOO_SHORT = UNKNOWN[:-1]
_NO_HEX = "ghijklmnopqrstuvwxyzghijklmnopqr"


# ---------------------------------------------------------------------- A1, A2: no credential


def _missing(operation: Operation, style: Style) -> Call:
    return call(operation, style, None)


def _with(text: str) -> Callable[[Operation, Style], Call]:
    return lambda operation, style: call(operation, style, text)


_MALFORMED = [
    *(
        row(operation, style, _missing, id=f"missing-{style}-{operation}")
        for operation, style in (
            ("create", GET_QUERY),
            ("read", GET_QUERY),
            ("read", POST_FORM),
            ("create", POST_HEADER),
            ("read", POST_HEADER),
        )
    ),
    row("read", GET_QUERY, _with(""), id="empty-get-query-read"),
    row("create", POST_JSON, _with(""), id="empty-post-json-create"),
    row("read", POST_JSON, _with(""), id="empty-post-json-read"),
    row("create", POST_FORM, _with(""), id="empty-post-form-create"),
    row("read", POST_FORM, _with(""), id="empty-post-form-read"),
    row("create", GET_HEADER, _with(""), id="empty-get-header-create"),
    row("create", POST_JSON, _with("*"), id="another-wildcard-post-json-create"),
    row("read", POST_JSON, _with("%"), id="a-wildcard-post-json-read"),
    row("read", POST_FORM, _with("null"), id="the-word-null-post-form-read"),
    row("read", GET_HEADER, _with(_NO_HEX), id="no-hexadecimal-get-header-read"),
    row("create", POST_HEADER_JSON, _with(_NO_HEX), id="no-hexadecimal-post-header-json-create"),
]


@verifies("A1-malformed-hash-refused", "A5-discloses-nothing")
@pytest.mark.parametrize(("operation", "style", "build"), _MALFORMED)
def test_malformed_hash(
    check: ControlledCheck, operation: Operation, style: Style, build: Callable[[Operation, Style], Call]
) -> None:
    """No hash, an empty one, and one that is not 32 hexadecimal digits are refused with code 3, 4 or 7.

    ERRORS, code 3; AUTH, a hash that was not passed properly.
    """
    # Sanity check: good credentials succeed in this style.
    check.need_success(operation, style)
    # Stimulus.
    answer = check.send(_malformed(build(operation, style)))
    # Verdict.
    check.judge(answer)


def _malformed(request: Call) -> Call:
    return request.but(breaks_contract=True, shown=None).refused(A1, NO_HASH)


@verifies("A2-unknown-hash-refused", "A5-discloses-nothing")
@pytest.mark.parametrize("style", STYLES, ids=str)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_unknown_hash(check: ControlledCheck, operation: Operation, style: Style) -> None:
    """A well-formed hash that no account has is refused with code 3 or 4.

    ERRORS, codes 3 and 4.
    """
    # Sanity check: good credentials succeed in this style.
    check.need_success(operation, style)
    # Stimulus: the baseline sends one.
    answer = check.controls.unknown[operation, style.name]
    # Verdict.
    check.judge(answer)


_ENDED = [
    row("read", GET_QUERY, id="read-get-query"),
    row("create", POST_JSON, id="create-post-json"),
    row("read", POST_JSON, id="read-post-json"),
    row("create", GET_QUERY, id="create-get-query"),
    row("create", POST_FORM, id="create-post-form"),
    row("create", GET_HEADER, id="create-get-header"),
    row("read", GET_HEADER, id="read-get-header"),
    row("read", POST_HEADER_JSON, id="read-post-header-json"),
]


@verifies("A2-ended-hash-refused")
@pytest.mark.parametrize(("operation", "style"), _ENDED)
def test_ended_hash(check: ControlledCheck, operation: Operation, style: Style) -> None:
    """The hash of an ended session is refused with code 3 or 4.

    ERRORS, code 4.
    """
    # Set up.
    ended = check.account("ended")
    # Sanity check.
    check.need_success(operation, style)
    # Stimulus.
    answer = check.send(call(operation, style, ended.credential).refused(A2_ENDED, UNKNOWN_HASH))
    # Verdict.
    check.judge(answer)


# ---------------------------------------------------------------------- A3: near misses


def _change(place: int) -> Callable[[str], str]:
    """Another hexadecimal digit at *place*."""

    def change(value: str) -> str:
        index = place % len(value)
        return value[:index] + ("0" if value[index].lower() != "0" else "1") + value[index + 1 :]

    return change


def _part(count: int) -> Callable[[str], str]:
    return lambda value: value[: min(count, len(value) - 1)]


#: Which digit is changed, and in which call: every place that code is likely to compare no further than, or to begin at.
_PLACES: tuple[tuple[int, Operation, Style], ...] = (
    (0, "read", POST_JSON),
    (0, "create", GET_QUERY),
    (31, "read", GET_QUERY),
    (31, "create", POST_JSON),
    (31, "read", POST_JSON),
    (31, "read", POST_FORM),
    (31, "create", GET_HEADER),
    (31, "create", POST_HEADER),
    (31, "read", POST_HEADER_JSON),
)
_NEAR = [
    *(
        row(operation, style, _change(place), id=f"digit-{place + 1}-changed-{style}-{operation}")
        for place, operation, style in _PLACES
    ),
    row("read", POST_JSON, _part(31), id="31-digits-of-it-post-json-read"),
    row("create", POST_FORM, lambda value: f"{value},{UNKNOWN}", id="first-of-two-post-form-create"),
    row("create", GET_QUERY, _part(16), id="half-of-it-get-query-create"),
    row("read", GET_QUERY, lambda value: value + "0", id="a-digit-more-get-query-read"),
    row("read", POST_FORM, lambda value: value + "0", id="a-digit-more-post-form-read"),
    row("create", POST_JSON, lambda value: "0" + value, id="a-zero-before-it-post-json-create"),
    row("read", POST_JSON, lambda value: value[1:], id="all-but-the-first-digit-post-json-read"),
    row("read", GET_HEADER, lambda value: value + value, id="doubled-get-header-read"),
    # Not in the form of a UUID: what is left of a secret between dashes is too short for redaction to know it.
    row("read", GET_QUERY, lambda value: f"{value[:16]}-{value[16:]}", id="a-dash-inside-get-query-read"),
    row("create", POST_JSON, lambda value: value[:16] + "*", id="half-of-it-and-a-wildcard-post-json-create"),
    row("read", GET_HEADER, _part(16), id="half-of-it-get-header-read"),
    row("read", POST_JSON, lambda value: value + "\x00more", id="nul-and-more-after-it-post-json-read"),
]


@verifies("A3-only-the-exact-hash", "A5-discloses-nothing")
@pytest.mark.parametrize(("operation", "style", "alter"), _NEAR)
def test_near_miss(check: ControlledCheck, operation: Operation, style: Style, alter: Callable[[str], str]) -> None:
    """A part of a good hash, and a good hash with a digit changed, added or missing, open nothing.

    ERRORS, code 3.
    """
    # Set up.
    owner = check.account("owner")
    if operation == "create":
        check.needs_rotation(owner)
    # Sanity check: the hash itself does open the account.
    check.need_success(operation, style)
    # Stimulus.
    request = near_miss(operation, style, owner.credential, alter)
    answer = check.send(request, may_close=request.front)
    # Verdict.
    check.judge(answer)


def near_miss(operation: Operation, style: Style, credential: Secret, alter: Callable[[str], str]) -> Call:
    """A call with what *alter* makes of a good hash. It derives from a live credential, and the guard is said so.

    With which code it is refused is a matter of whether what is sent is a well-formed hash (A2) or none (A1).
    """
    altered = alter(credential.reveal())
    well_formed = re.fullmatch("[0-9A-Fa-f]{32}", altered) is not None
    refusal = Refusal(A3, "code", UNKNOWN_HASH if well_formed else NO_HASH, A2 if well_formed else A1)
    request = call(operation, style, altered).but(credential=credential, shown=altered, breaks_contract=True)
    # A web server in front may refuse a NUL in a form of its own (facts B1).
    return request.but(refusal=refusal, front="\x00" in altered)


_NESTED = [
    row("create", lambda value: {"hash": [value]}, id="list-create"),
    row("read", lambda value: {"hash": ["", value]}, id="list-read"),
    row("create", lambda value: {"hash": {"hash": value}}, id="object-create"),
    row("read", lambda value: {"hash": {"hash": value}}, id="object-read"),
    row("read", lambda value: [{"hash": value}], id="list-as-document-read"),
]


@verifies("A3-only-the-exact-hash", "A5-discloses-nothing")
@pytest.mark.parametrize(("operation", "wrap"), _NESTED)
def test_hash_inside_json(check: ControlledCheck, operation: Operation, wrap: Callable[[str], object]) -> None:
    """A good hash inside a JSON list or object opens nothing.

    DELIVERY, Parameters: hash is the API key's hash itself. Of another JSON type it is bad input, so any general code will do.
    """
    # Set up.
    owner = check.account("owner")
    if operation == "create":
        check.needs_rotation(owner)
    # Sanity check.
    check.need_success(operation, POST_JSON)
    # Stimulus.
    body = json.dumps(wrap(owner.credential.reveal())).encode()
    request = call(operation, POST_JSON, owner.credential).but(body=body, valid=False, breaks_contract=True)
    answer = check.send(request.refused(A3, form="general"))
    # Verdict.
    check.judge(answer)


# ---------------------------------------------------------------------- A4: delivery keys


#: Where a key is tried that was in force before; elsewhere it is the one that is.
_WITH_REPLACED = (
    ("read", GET_QUERY),
    ("create", POST_FORM),
    ("create", POST_HEADER),
    ("read", POST_HEADER_JSON),
)


@verifies("A4-delivery-key-is-no-credential")
@pytest.mark.parametrize("style", STYLES, ids=str)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_delivery_key_as_credential(check: ControlledCheck, operation: Operation, style: Style) -> None:
    """The key of a delivery session, in force or replaced, is refused as the credential of create and read.

    DELIVERY, Parameters; DELIVERY-2026; ERRORS, code 276.
    """
    # Set up.
    owner = check.account("owner")
    if operation == "create":
        check.needs_rotation(owner)
    # Sanity check: the key is one that read gives, and the account's own credential works here.
    check.need_both("read", style=GET_QUERY)
    check.need_success(operation, style)
    key = _delivery_key(check, replaced=(operation, style) in _WITH_REPLACED)
    # Stimulus.
    answer = check.send(delivery_key(operation, style, key))
    # Verdict.
    check.judge(answer)


def _delivery_key(check: ControlledCheck, *, replaced: bool) -> Secret:
    """The key that is in force, or one that was before, if there is one."""
    former = check.run.history.issued("owner")
    last = check.run.history.last_key("owner")
    chosen = former[0].answer if replaced and len(former) > 1 else last
    if chosen is None or chosen.key is None:
        raise NotAvailable("the owner has no delivery session, so there is no key to try")
    key = key_of(chosen, check.run.vault, "owner")
    if key is None:
        raise Blocked("the key has characters that no credential can have", [chosen])
    return key


# ---------------------------------------------------------------------- A5: nothing disclosed, nothing changed


@verifies("A5-changes-nothing", "A1-malformed-hash-refused")
def test_refused_calls_change_nothing(check: ControlledCheck) -> None:
    """Creates without a hash and with one that is too short leave the owner's key as it was.

    AUTH: calls need a hash; ERRORS, codes 3 and 4.
    """
    # Set up.
    owner = check.account("owner")
    # Sanity check: the owner has a key, and bad credentials are refused.
    check.need_both("read", style=POST_JSON)
    before = check.call("read", check.or_query(), owner)
    # Stimulus.
    refused = [
        check.send(_malformed(call("create", POST_JSON, None))),
        check.send(_malformed(call("create", GET_QUERY, _TOO_SHORT))),
    ]
    # Verdict.
    after = check.call("read", check.or_query(), owner)
    check.judge_together(before, *refused, after)


@verifies("A5-discloses-nothing")
@pytest.mark.last
def test_refused_calls_disclosed_nothing(check: ControlledCheck) -> None:
    """No answer to a call without valid credentials shows what only later came to be known for a key or a credential.

    AUTH: calls need a hash; ERRORS, codes 3 and 4.
    """
    # Set up and sanity check: such calls were refused, and good credentials are shown something.
    check.need_success("read", GET_QUERY)
    answers = check.run.history.answers()
    without = [each for each in answers if each.exchange.intent.refusal is not None and not each.exchange.intent.valid]
    if not any(each.kind in ("error", "foreign") for each in without):
        raise Blocked("no call without valid credentials was refused", without)
    # Verdict: what is known now is looked for in every such answer.
    for anomaly in hindsight(answers):
        check.report(anomaly)
