"""A: what opens an account, and what does not."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from contracts.judge import judge
from contracts.rules.privacy import texts
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
from suites.runner.marks import row, verifies
from suites.runner.trial import BAD_HASH, UNKNOWN_HASH, WRONG_SESSION, Blocked, Trial
from suites.scenarios.controls import OTHER_UNKNOWN, UNKNOWN

#: Hashes that are no hash: none of them is 32 hexadecimal digits (facts A1).
_TOO_SHORT = UNKNOWN[:-1]
_TOO_LONG = UNKNOWN + "0"
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
            ("create", POST_JSON),
            ("read", POST_FORM),
            ("create", POST_HEADER),
            ("read", POST_HEADER),
        )
    ),
    row("read", GET_QUERY, _with(""), id="empty-get-query-read"),
    row("create", POST_JSON, _with(""), id="empty-post-json-create"),
    row("read", POST_JSON, _with(""), id="empty-post-json-read"),
    row("create", POST_FORM, _with(""), id="empty-post-form-create"),
    row("create", GET_HEADER, _with(""), id="empty-get-header-create"),
    row("create", GET_QUERY, _with(_TOO_SHORT), id="31-digits-get-query-create"),
    row("read", POST_JSON, _with(_TOO_SHORT), id="31-digits-post-json-read"),
    row("read", GET_QUERY, _with(_TOO_LONG), id="33-digits-get-query-read"),
    row("create", POST_JSON, _with("*"), id="another-wildcard-post-json-create"),
    row("read", POST_JSON, _with("%"), id="a-wildcard-post-json-read"),
    row("read", POST_FORM, _with("null"), id="the-word-null-post-form-read"),
    row("read", GET_HEADER, _with(_NO_HEX), id="no-hexadecimal-get-header-read"),
    row("create", POST_HEADER_JSON, _with(_NO_HEX), id="no-hexadecimal-post-header-json-create"),
]


@verifies("A1-malformed-hash-refused", "A5-discloses-nothing")
@pytest.mark.parametrize(("operation", "style", "build"), _MALFORMED)
def test_malformed_hash(
    trial: Trial, operation: Operation, style: Style, build: Callable[[Operation, Style], Call]
) -> None:
    """No hash, an empty one, and one that is not 32 hexadecimal digits are refused with code 3, 4 or 7.

    ERRORS, code 3; AUTH, a hash that was not passed properly.
    """
    # Set up and sanity check: good credentials succeed in this style.
    trial.need_success(operation, style)
    # Stimulus.
    answer = trial.send(build(operation, style).but(breaks_contract=True, shown=None))
    # Verdict.
    trial.expect_refusal(
        answer, "A1-malformed-hash-refused", BAD_HASH, f"{operation} by {style} without a well-formed hash"
    )


@verifies("A2-unknown-hash-refused", "A5-discloses-nothing")
@pytest.mark.parametrize("style", STYLES, ids=str)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_unknown_hash(trial: Trial, operation: Operation, style: Style) -> None:
    """A well-formed hash that nobody was given is refused with code 3 or 4.

    ERRORS, codes 3 and 4.
    """
    # Set up and sanity check: good credentials succeed in this style.
    trial.need_success(operation, style)
    # Stimulus: the main path has sent one.
    answer = trial.claim(trial.evidence.unknown[operation, style.name])
    # Verdict.
    trial.expect_refusal(
        answer, "A2-unknown-hash-refused", UNKNOWN_HASH, f"{operation} by {style} with an unknown hash"
    )


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
def test_ended_hash(trial: Trial, operation: Operation, style: Style) -> None:
    """The hash of an ended session is refused with code 3 or 4.

    ERRORS, code 4.
    """
    # Set up.
    ended = trial.account("ended")
    # Sanity check.
    trial.need_success(operation, style)
    # Stimulus.
    answer = trial.send(call(operation, style, ended.credential))
    # Verdict.
    trial.expect_refusal(
        answer, "A2-ended-hash-refused", UNKNOWN_HASH, f"{operation} by {style} with the hash of an ended session"
    )


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
    row("create", POST_JSON, lambda value: "0" + value, id="a-zero-before-it-post-json-create"),
    row("read", POST_JSON, lambda value: value[1:], id="all-but-the-first-digit-post-json-read"),
    row("read", GET_HEADER, lambda value: value + value, id="doubled-get-header-read"),
    # Not in the form of a UUID: what is left of a secret between dashes is too short for redaction to know it.
    row("read", GET_QUERY, lambda value: f"{value[:16]}-{value[16:]}", id="a-dash-inside-get-query-read"),
    row("create", POST_JSON, lambda value: value[:16] + "*", id="half-of-it-and-a-wildcard-post-json-create"),
    row("read", GET_HEADER, _part(16), id="half-of-it-get-header-read"),
]


@verifies("A3-only-the-exact-hash", "A5-discloses-nothing")
@pytest.mark.parametrize(("operation", "style", "alter"), _NEAR)
def test_near_miss(trial: Trial, operation: Operation, style: Style, alter: Callable[[str], str]) -> None:
    """A part of a good hash, and a good hash with a digit changed, added or missing, open nothing.

    ERRORS, code 3.
    """
    # Set up.
    owner = trial.account("owner")
    if operation == "create":
        trial.need_rotation(owner)
    # Sanity check: the hash itself does open the account.
    trial.need_success(operation, style)
    # Stimulus.
    request = near_miss(operation, style, owner.credential, alter)
    answer = trial.send(request)
    # Verdict: that it is refused. With which code is a matter of whether what was sent is a hash at all.
    requirement, codes = "A3-only-the-exact-hash", BAD_HASH
    if answer.kind == "error" and not answer.server_error:
        well_formed = re.fullmatch("[0-9A-Fa-f]{32}", request.shown or "") is not None
        requirement, codes = (
            ("A2-unknown-hash-refused", UNKNOWN_HASH) if well_formed else ("A1-malformed-hash-refused", BAD_HASH)
        )
    trial.expect_refusal(answer, requirement, codes, f"{operation} by {style} with a near miss of a good hash")


def near_miss(operation: Operation, style: Style, credential: Secret, alter: Callable[[str], str]) -> Call:
    """A call with what *alter* makes of a good hash. It derives from a live credential, and the guard is told so."""
    altered = alter(credential.reveal())
    return call(operation, style, altered).but(credential=credential, shown=altered, breaks_contract=True)


_NESTED = [
    row("create", lambda value: {"hash": [value]}, id="list-create"),
    row("read", lambda value: {"hash": ["", value]}, id="list-read"),
    row("create", lambda value: {"hash": {"hash": value}}, id="object-create"),
    row("read", lambda value: {"hash": {"hash": value}}, id="object-read"),
    row("read", lambda value: value, id="text-as-document-read"),
    row("read", lambda value: [{"hash": value}], id="list-as-document-read"),
]


@verifies("A3-only-the-exact-hash", "A5-discloses-nothing")
@pytest.mark.parametrize(("operation", "wrap"), _NESTED)
def test_hash_inside_json(trial: Trial, operation: Operation, wrap: Callable[[str], object]) -> None:
    """A good hash inside a JSON list or object opens nothing.

    DELIVERY, Parameters: hash is the API key's hash itself.
    """
    # Set up.
    owner = trial.account("owner")
    if operation == "create":
        trial.need_rotation(owner)
    # Sanity check.
    trial.need_success(operation, POST_JSON)
    # Stimulus.
    body = json.dumps(wrap(owner.credential.reveal())).encode()
    request = call(operation, POST_JSON, owner.credential).but(body=body, valid=False, breaks_contract=True)
    answer = trial.send(request)
    # Verdict: of another JSON type the hash is bad input too, so any general code will do.
    if answer.kind == "error" and not answer.server_error and (answer.code is None or 1 <= answer.code <= 100):
        return
    if answer.kind == "foreign" and answer.status is not None and 400 <= answer.status < 500 and answer.violations:
        # A refusal that is no envelope: that is to blame (S2, E1), which the judge has taken down.
        return
    trial.violate(
        "A3-only-the-exact-hash",
        f"{operation} by post-json with a good hash inside a list or object: {answer.summary()}",
        "a refusal",
        answer.summary(),
        answer,
    )


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
def test_delivery_key_as_credential(trial: Trial, operation: Operation, style: Style) -> None:
    """The key of a delivery session, in force or replaced, is refused as the credential of create and read.

    DELIVERY, Parameters; DELIVERY-2026; ERRORS, code 276.
    """
    # Set up.
    owner = trial.account("owner")
    if operation == "create":
        trial.need_rotation(owner)
    # Sanity check: the key is one that read gives, and the account's own credential works here.
    trial.need_both("read", style=GET_QUERY)
    trial.need_success(operation, style)
    key = _delivery_key(trial, replaced=(operation, style) in _WITH_REPLACED)
    # Stimulus.
    answer = trial.send(call(operation, style, key))
    # Verdict.
    trial.expect_refusal(
        answer,
        "A4-delivery-key-is-no-credential",
        WRONG_SESSION,
        f"{operation} by {style} with a delivery-session key as the credential",
    )


def _delivery_key(trial: Trial, *, replaced: bool) -> Secret:
    """The key that is in force, or one that was before, if there is one."""
    last = trial.run.last_key.get("owner")
    former = [each.value for each in trial.run.issued if each.account == "owner"]
    if replaced and len(former) > 1:
        return trial.run.vault.add(former[0], "key of owner")
    key = last.key if last is not None else None
    if key is None:
        known = [each.answer.key for each in trial.evidence.reads if each.answer.key is not None]
        key = known[-1] if known else None
    if key is None:
        raise NotAvailable("the owner has no delivery session, so there is no key to try")
    return trial.run.vault.add(key, "key of owner")


# ---------------------------------------------------------------------- A5: nothing told, nothing changed


@verifies("A5-changes-nothing")
@pytest.mark.parametrize("after", ["all-of-the-above"])
def test_refused_calls_change_nothing(trial: Trial, after: str) -> None:
    """After calls with every kind of bad credential the owner's key is what it was.

    AUTH: calls need a hash; ERRORS, codes 3 and 4.
    """
    # Set up and sanity check: the owner has a key, and bad credentials are refused.
    del after
    trial.need_both("read", style=POST_JSON)
    # Stimulus: what was refused above, and if nothing was (part of the suite alone is run), two calls of create.
    if not any(each.operation == "create" and not each.valid for each in trial.run.since):
        for request in (
            call("create", POST_JSON, None).but(breaks_contract=True),
            call("create", GET_QUERY, OTHER_UNKNOWN),
        ):
            trial.send(request)
    # Verdict.
    trial.expect_unchanged()


@verifies("A5-discloses-nothing")
@pytest.mark.last
def test_refused_calls_were_told_nothing(trial: Trial) -> None:
    """No answer to a call without valid credentials shows what only later came to be known for a key or a credential.

    AUTH: calls need a hash; ERRORS, codes 3 and 4.
    """
    # Set up and sanity check: there were such calls, and good credentials are told something.
    trial.need_success("read", GET_QUERY)
    refused = [each for each in trial.run.log if each.response is not None and not each.intent.valid]
    if not refused:
        raise Blocked("no call without valid credentials was answered")
    # Verdict: what was told before is not told again.
    vault = trial.run.vault
    for exchange in refused:
        if exchange.response is not None and vault.find(texts(exchange.response, None)):
            for violation in judge(exchange, vault.values()).violations:
                if violation.requirement == "A5-discloses-nothing":
                    trial.note(violation)
