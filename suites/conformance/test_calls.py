"""C: the ways in which a call can be made, and what is no call."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pytest

from contracts.ids import A5_DISCLOSED, C4_SCHEME, C4_SPACE, C7_ACTIONS, C7_METHODS, C7_NO_SERVER_ERROR, C8, C9
from contracts.judge import Judgement
from fixtures.accounts import Account
from fixtures.calls import (
    GET_HEADER,
    GET_QUERY,
    JSON,
    OPERATIONS,
    PATH,
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
from suites.runner.check import Blocked
from suites.runner.marks import row, verifies
from suites.scenarios import isolate
from suites.scenarios.controls import ControlledCheck
from suites.scenarios.equivalences import TOGETHER, Equivalence, apply

# ---------------------------------------------------------------------- the call styles


@pytest.mark.parametrize("style", [row(style, id=style.name, of=style.requirement) for style in STYLES])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_call_style(check: ControlledCheck, operation: Operation, style: Style) -> None:
    """Both operations can be called in every documented style.

    DELIVERY, Examples; BACKEND, call formats; AUTH, Authorization header.
    """
    # Set up and stimulus: the baseline calls both operations in every style.
    check.need_style(style)
    check.controls.gather()
    answers = check.controls.good(operation, style)
    if not answers:
        raise NotAvailable(f"key rotation is not allowed: {check.run.rotation.reason}")
    check.controls.need_session(answers)
    creates = list(check.controls.creates.values())
    if operation == "read" and all(answer.code == 201 for answer in answers):
        if not any(answer.kind == "success" for answer in creates):
            raise Blocked("no create succeeded, so there may be nothing to read", creates)
        # The call is understood, and what it says is wrong.
        for read in check.controls.reads:
            if read.style is style and read.after is not None:
                check.judge_together(read.after, read.answer)

    # Verdict.
    check.judge(*answers)

    # Sanity check: in this style a bad credential does not succeed, and read follows create.
    check.need_refusal(operation, style)


# ---------------------------------------------------------------------- equivalences


@pytest.mark.parametrize(
    ("operation", "style", "equivalences"),
    [
        row(
            operation,
            style,
            equivalences,
            id=f"{operation}-{style}{name}",
            of=tuple(dict.fromkeys(each.requirements[0] for each in equivalences)),
        )
        for name, operation, style, equivalences in TOGETHER
    ],
)
def test_equivalences(
    check: ControlledCheck, operation: Operation, style: Style, equivalences: tuple[Equivalence, ...]
) -> None:
    """Encodings, member order, iso_datetime, unknown parameters and media type details make no difference.

    BACKEND, iso_datetime and compatibility; RFC 3986, 8259 and 9110 for what is the same request in other letters.
    """
    # Set up.
    owner = check.account("owner")
    counted = [each for each in equivalences if all(map(check.run.counts, each.requirements))]
    if operation == "create":
        check.needs_rotation(owner)

    # Sanity check: the plain call succeeds, and a bad credential does not.
    check.need_success(operation, style)
    check.need_refusal(operation, style)

    # Stimulus: all of them at once.
    def send(chosen: Sequence[Equivalence]) -> Judgement:
        return check.send(apply(check.run.call(operation, style, owner), chosen))

    last = check.run.history.last_key("owner")

    def fits(answer: Judgement) -> bool:
        return check.fits(*_with_last(last if operation == "read" else None, answer))

    answer = send(counted)

    # Verdict; where it does not fit, follow-up calls show which of them makes the difference.
    check.judge_together(*_with_last(last if operation == "read" else None, answer))
    if not fits(answer):
        isolate.equivalence(check, send, fits, counted)


def _with_last(last: Judgement | None, answer: Judgement) -> list[Judgement]:
    """A read, after the answer that gave the key which it must give."""
    return [answer] if last is None else [last, answer]


# HEAD of create may create, which is not documented: it comes before a create, so that it is known again what read gives.


@verifies("C7-head-options-no-server-error")
@pytest.mark.parametrize(
    ("operation", "known"), [row("create", True, id="create"), row("read", False, id="read-without-credentials")]
)
def test_head(check: ControlledCheck, operation: Operation, known: bool) -> None:
    """HEAD is answered without a server error, to a caller without credentials too.

    RFC 9110, section 9.3.2. What HEAD does is not documented, so nothing else is expected of it.
    """
    # Set up.
    owner = check.account("owner")
    if known:
        check.needs_rotation(owner)
    # Sanity check.
    check.need_success(operation, GET_QUERY)
    check.need_refusal(operation, GET_QUERY)
    # Stimulus.
    request = _anonymous(operation, "HEAD")
    if known:
        good = check.run.call(operation, GET_QUERY, owner)
        if check.run.header_taken is None:
            good = good.with_header("Authorization", f"NVX {owner.credential.reveal()}")
        good = good.but(method="HEAD", free_form=True, breaks_contract=True)
        request = good.refused(C7_NO_SERVER_ERROR, form="answer")
    answer = check.send(request)
    # Verdict.
    check.judge(answer)


@verifies("C8-slash-at-the-end")
@pytest.mark.parametrize("style", [GET_QUERY, POST_JSON], ids=str)
def test_slash_at_the_end(check: ControlledCheck, style: Style) -> None:
    """The address with a slash at its end means the same as the one without.

    BACKEND, the address of a call; COURIER, both calls are given with it.
    """

    def with_slash(operation: Operation) -> Call:
        plain = check.run.call(operation, style, owner)
        return plain.but(path=f"{plain.path}/", equivalences=(C8,))

    # Set up and sanity check: the address without the slash works.
    owner = check.account("owner")
    check.need_both("read", style=style)
    # Stimulus and verdict.
    _judge_both_operations(check, owner, with_slash, style)


def _judge_both_operations(
    check: ControlledCheck, owner: Account, build: Callable[[Operation], Call], style: Style
) -> None:
    """A create made so, and the read after it, are as documented; where keys may not be replaced, the read is."""
    if not check.run.may_rotate(owner):
        check.judge_together(*_with_last(check.run.history.last_key("owner"), check.send(build("read"))))
        return
    # Sanity check: a create in this style succeeds, and one with a bad credential does not.
    check.need_both("create", style=style)
    check.judge_together(check.send(build("create")), check.send(build("read")))


@verifies("C9-query-hash-with-post")
@pytest.mark.parametrize("body", [row(None, id="no-body"), row(b"{}", id="empty-json")])
def test_hash_in_the_query_of_a_post(check: ControlledCheck, body: bytes | None) -> None:
    """A POST with the hash in the query of its address means the same as with the hash in its body.

    BACKEND: every call takes the hash in the body, in the query or in the header.
    """

    def by_query(operation: Operation) -> Call:
        plain = check.run.call(operation, GET_QUERY, owner)
        headers = (("Content-Type", JSON),) if body is not None else ()
        like = POST_HEADER if body is None else POST_HEADER_JSON
        changed = plain.but(method="POST", headers=headers, body=body, equivalences=(C9,))
        return changed.but(style="post-query", promise=C9, alike=(like.name,))

    # Set up and sanity check: the hash in a query works with GET, and in a body with POST.
    owner = check.account("owner")
    for style in (GET_QUERY, POST_JSON):
        check.need_both("read", style=style)
    # Stimulus and verdict.
    _judge_both_operations(check, owner, by_query, POST_JSON)


# ---------------------------------------------------------------------- the Authorization header


_MISUSES = [
    row("{scheme}{hash}", "NVX", method, operation, id=f"nvx-without-space-{method.lower()}-{operation}", of=C4_SPACE)
    for method in ("GET", "POST")
    for operation in OPERATIONS
] + [
    row("{scheme} {hash}", scheme, method, operation, id=f"{scheme.lower()}-{method.lower()}-{operation}", of=C4_SCHEME)
    for scheme, method, operation in (
        ("Bearer", "GET", "read"),
        ("Bearer", "POST", "create"),
        ("Basic", "GET", "create"),
        ("Token", "POST", "read"),
    )
]


@pytest.mark.parametrize(("pattern", "scheme", "method", "operation"), _MISUSES)
def test_authorization_header_misused(
    check: ControlledCheck, pattern: str, scheme: str, method: str, operation: Operation
) -> None:
    """A credential under NVX without its space, or under another scheme, does not authenticate.

    AUTH, Authorization header, what is invalid.
    """
    # Set up.
    owner = check.account("owner")
    style = GET_HEADER if method == "GET" else POST_HEADER if operation == "create" else POST_HEADER_JSON
    if operation == "create":
        check.needs_rotation(owner)

    # Sanity check: the header as documented authenticates.
    check.need_success(operation, style)

    # Stimulus.
    value = pattern.format(scheme=scheme, hash=owner.credential.reveal())
    request = check.run.call(operation, style, owner).with_header("Authorization", value)
    misused = request.but(valid=False, breaks_contract=True).refused(check.requirements[0], form="any")
    answer = check.send(misused)

    # Verdict.
    check.judge(answer)


# ---------------------------------------------------------------------- what is no call


def _everywhere(check: ControlledCheck, request: Call) -> Call:
    """The same call with its credential in the query, in the header and in the body at once: whatever looks for one finds it.

    Not in the header where a gateway takes that for itself.
    """
    value = request.shown or ""
    body = request.body or json.dumps({"hash": value}).encode()
    media_type = dict(request.headers).get("Content-Type", JSON)
    header = () if check.run.header_taken else (("Authorization", f"NVX {value}"),)
    return request.but(
        query=f"hash={value}",
        body=body,
        headers=(*header, ("Content-Type", media_type)),
        free_form=True,
        breaks_contract=True,
    )


@verifies("C7-other-methods-refused")
@pytest.mark.parametrize(
    ("method", "operation", "style", "everywhere"),
    [
        row("PUT", "read", POST_JSON, True, id="put-read"),
        row("PUT", "create", POST_FORM, False, id="put-create-form"),
        row("DELETE", "create", POST_JSON, True, id="delete-create"),
        row("DELETE", "read", GET_QUERY, False, id="delete-read-query"),
        row("PATCH", "create", POST_JSON, False, id="patch-create-json"),
        row("PATCH", "create", GET_QUERY, False, id="patch-create-query"),
        row("PATCH", "read", POST_JSON, True, id="patch-read"),
        row("PATCH", "read", POST_FORM, False, id="patch-read-form"),
    ],
)
def test_other_methods(
    check: ControlledCheck, method: str, operation: Operation, style: Style, everywhere: bool
) -> None:
    """PUT, DELETE and PATCH do not succeed, wherever they carry the credential.

    DELIVERY and OPENAPI know GET and POST; ERRORS, code 112. The form of the refusal is free.
    """
    # Set up.
    owner = check.account("owner")
    check.needs_rotation(owner)
    # Sanity check.
    check.need_success(operation, style)
    # Stimulus: some take the credential wherever it is, some refuse one that is there twice.
    answer = check.send(_by_method(check, method, operation, style, owner, everywhere=everywhere), may_close=True)
    # Verdict.
    check.judge(answer)


def _by_method(
    check: ControlledCheck, method: str, operation: Operation, style: Style, owner: Account, *, everywhere: bool
) -> Call:
    request = check.run.call(operation, style, owner).but(method=method, free_form=True, breaks_contract=True)
    request = request.refused(C7_METHODS, form="any")
    return _everywhere(check, request) if everywhere else request


_UNKNOWN_ACTIONS = [
    row("delete", POST_JSON, True, id="delete-post"),
    row("update", GET_QUERY, True, id="update-get"),
    row("list", GET_QUERY, True, id="list-get"),
    row("create/x", POST_JSON, True, id="below-create-post"),
    row("readall", GET_QUERY, True, id="readall-get"),
    row("list", GET_QUERY, False, id="list-get-without-credentials", of=A5_DISCLOSED),
]


@verifies("C7-unknown-action-refused")
@pytest.mark.parametrize(("action", "style", "known"), _UNKNOWN_ACTIONS)
def test_unknown_action(check: ControlledCheck, action: str, style: Style, known: bool) -> None:
    """An action that does not exist does not succeed, and to a caller without credentials it discloses nothing.

    DELIVERY, API actions: create and read. The form of the refusal is free.
    """
    # Set up.
    owner = check.account("owner")
    check.needs_rotation(owner)
    # Sanity check.
    check.need_success("read", style)
    # Stimulus.
    request = check.run.call("read", style, owner) if known else call("read", style, None)
    if style.method == "POST":
        request = _everywhere(check, request)
    request = request.but(operation=None, style="", path=PATH + action, free_form=True, breaks_contract=True)
    answer = check.send(request.refused(C7_ACTIONS, form="any"), may_close=True)
    # Verdict.
    check.judge(answer)


def _anonymous(operation: Operation, method: str) -> Call:
    request = call(operation, GET_QUERY, None).but(method=method, free_form=True, breaks_contract=True)
    return request.refused(C7_NO_SERVER_ERROR, form="answer")


@verifies("C7-head-options-no-server-error")
def test_options(check: ControlledCheck) -> None:
    """OPTIONS is answered without a server error to a caller without credentials.

    RFC 9110, section 9.3.7. What a browser sends before a call carries no credential.
    """
    # Set up and sanity check.
    check.account("owner")
    check.need_success("read", POST_JSON)
    check.need_refusal("read", POST_JSON)
    # Stimulus.
    answer = check.send(_anonymous("read", "OPTIONS"))
    # Verdict.
    check.judge(answer)


@verifies("C7-other-methods-refused", "C7-options-changes-nothing", "C7-head-options-no-server-error")
def test_what_is_no_call_changes_nothing(check: ControlledCheck) -> None:
    """PUT and OPTIONS of create, with a good credential wherever it can be, leave the key as it was.

    DELIVERY: create alone makes a key, by GET and POST. RFC 9110, section 9.2.1: OPTIONS is safe.
    """
    # Set up.
    owner = check.account("owner")
    check.needs_rotation(owner)
    # Sanity check: create and read work, and read gives a key.
    check.need_both("create", "read")
    before = check.call("read", GET_QUERY, owner)
    # Stimulus.
    put = check.send(_by_method(check, "PUT", "create", POST_JSON, owner, everywhere=True), may_close=True)
    options = _everywhere(check, check.run.call("create", POST_JSON, owner)).but(method="OPTIONS")
    allowed = check.send(options.refused(C7_NO_SERVER_ERROR, form="answer"))
    # Verdict.
    after = check.call("read", check.or_query(), owner)
    check.judge_together(before, put, allowed, after)
