"""C: the ways in which a call can be made, and what is no call."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest

from contracts.judge import Judgement
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
from suites.runner.marks import row, verifies
from suites.runner.trial import Blocked, Trial

# ---------------------------------------------------------------------- the five styles


@pytest.mark.parametrize("style", [row(style, id=style.name, of=style.requirement) for style in STYLES])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_call_style(trial: Trial, operation: Operation, style: Style) -> None:
    """Both operations can be called in every documented style.

    DELIVERY, Examples; BACKEND, call formats; AUTH, Authorization header.
    """
    # Set up and stimulus: the main path calls both operations in every style.
    trial.evidence.gather()
    answers = trial.evidence.answers(operation, style)
    if not answers:
        raise NotAvailable(f"key rotation is not allowed: {trial.run.rotation.reason}")

    # Verdict: every call with good credentials succeeded.
    session_known = any(answer.kind == "success" for answer in trial.evidence.creates.values())
    for answer in answers:
        trial.claim(answer)
        if operation == "read" and answer.code == 201 and not session_known:
            if trial.evidence.creates:
                raise Blocked("no create succeeded, so there may be nothing to read")
            raise NotAvailable("the owner has no delivery session and key rotation is not allowed")
        if operation == "read" and answer.code == 201:
            # The call was understood; what it says is wrong.
            what = f"read by {style} after a successful create: {answer.summary()}"
            trial.violate("T2-read-gives-last-created", what, "the key of the last create", answer.summary(), answer)
            raise Blocked(f"{operation} by {style} was understood, and says that there is no session")
        if answer.key is None and _has_another_form(trial, operation, answer):
            # It is not the style that makes the difference.
            told = ", ".join(sorted({each.requirement for each in answer.violations}))
            raise Blocked(f"the answer to {operation} by {style} breaks {told}: {answer.summary()}")
        trial.expect_success(answer, style.requirement, f"{operation} by {style} with good credentials")

    # Sanity check: in this style a bad credential does not succeed, and read follows create.
    trial.need_refusal(operation, style)


def _has_another_form(trial: Trial, operation: Operation, answer: Judgement) -> bool:
    """Whether *answer* is a success without a key, or what this operation answers with, below 400, in each style."""
    if answer.kind == "success":
        return True
    answers = [each for style in trial.run.styles for each in trial.evidence.answers(operation, style)]
    return all(each.kind == "foreign" and each.status is not None and each.status < 400 for each in answers)


# ---------------------------------------------------------------------- freedoms of a caller


@dataclass(frozen=True)
class Freedom:
    """Something a caller may do that must make no difference, the requirement that says so, and another that it takes for granted."""

    name: str
    requirement: str
    change: Callable[[Call], Call]
    given: Freedom | None = None

    @property
    def advice(self) -> bool:
        """Whether it is a SHOULD."""
        return self.requirement in ("C5-unknown-parameter-ignored", "C6-charset-accepted", "C6-media-type-in-any-case")


def _encode(pairs: str) -> str:
    """The value of the first pair of a query or form percent-encoded. Its name stays: it is what a careless reader looks for."""
    name, _, value = pairs.partition("=")
    plain, rest, others = value.partition("&")
    return f"{name}=" + "".join(f"%{ord(char):02x}" for char in plain) + rest + others


def _encode_query(call: Call) -> Call:
    return call.but(query=_encode(call.query))


def _encode_form(call: Call) -> Call:
    return call.but(body=_encode((call.body or b"").decode()).encode())


def _encode_name(call: Call) -> Call:
    name, _, rest = call.query.partition("=")
    return call.but(query="".join(f"%{ord(char):02X}" for char in name) + f"={rest}")


def _with_pair(text: str, *, first: bool) -> Callable[[Call], Call]:
    """A pair before or behind those of the query, or of the form."""

    def added(pairs: str) -> str:
        return "&".join(filter(None, (text, pairs) if first else (pairs, text)))

    def change(call: Call) -> Call:
        if call.method == "GET":
            return call.but(query=added(call.query))
        return call.but(body=added((call.body or b"").decode()).encode())

    return change


def _add_to_json(more: Mapping[str, object], *, first: bool = False) -> Callable[[Call], Call]:
    def change(call: Call) -> Call:
        members = json.loads(call.body or b"{}")
        members = {**more, **members} if first else {**members, **more}
        return call.but(body=json.dumps(members, ensure_ascii=False).encode())

    return change


def _escape_json(call: Call) -> Call:
    """The value of hash and the names of all other members in escapes. The name hash stays, as in a query."""
    return _escaped_json(call, lambda name: name != "hash", "04x")


def _escape_all_json(call: Call) -> Call:
    """The value of hash and all names in escapes, in the other letter case."""
    return _escaped_json(call, lambda _: True, "04X")


def _escaped_json(call: Call, names: Callable[[str], bool], form: str) -> Call:
    def escaped(text: str) -> str:
        return '"' + "".join(f"\\u{format(ord(char), form)}" for char in text) + '"'

    pairs = [
        (escaped(name) if names(name) else json.dumps(name))
        + ":"
        + (escaped(value) if name == "hash" else json.dumps(value, ensure_ascii=False))
        for name, value in json.loads(call.body or b"{}").items()
    ]
    return call.but(body=("{" + ",".join(pairs) + "}").encode())


def _space_json(call: Call) -> Call:
    return call.but(
        body=b"\r\n\t " + (call.body or b"{}").replace(b"{", b"{\n\t ", 1).replace(b'":', b'"\n :\t', 1) + b" \r\n"
    )


def _type(value: str) -> Callable[[Call], Call]:
    return lambda call: call.with_header("Content-Type", value)


def _charset(call: Call) -> Call:
    return call.with_header("Content-Type", dict(call.headers)["Content-Type"] + "; charset=utf-8")


_UNKNOWN = "C5-unknown-parameter-ignored"
_ISO = "C5-iso-datetime-accepted"
_ANY_CASE = "C6-media-type-in-any-case"

_ISO_HEADER = Freedom("nvx-iso-datetime-header", _ISO, lambda call: call.with_header("NVX-ISO-DateTime", "true"))
_ISO_FIRST = Freedom("iso-datetime-first", _ISO, _with_pair("iso_datetime=true", first=True))
_ISO_LAST = Freedom("iso-datetime-last", _ISO, _with_pair("iso_datetime=true", first=False))
_UNKNOWN_FIRST = Freedom("unknown-parameter-first", _UNKNOWN, _with_pair("lang=", first=True))
_UNKNOWN_LAST = Freedom("unknown-parameter-last", _UNKNOWN, _with_pair("lang=en_US", first=False))
_JSON_ISO = Freedom("iso-datetime-in-json", _ISO, _add_to_json({"iso_datetime": True}))
_JSON_ORDER = Freedom(
    "members-in-other-order", "C1-json-is-parsed", _add_to_json({"iso_datetime": True}, first=True), _JSON_ISO
)
_JSON_UNKNOWN = Freedom(
    "unknown-member-first",
    _UNKNOWN,
    _add_to_json({"device": None, "app": {"name": '"\u043d/\t', "major": 1, "beta": None}}, first=True),
)
_QUERY_ENCODED = Freedom("percent-encoded", "C1-query-is-decoded", _encode_query)
_FORM_ENCODED = Freedom("percent-encoded", "C2-post-form", _encode_form)
_SPACE = Freedom("white-space", "C1-json-is-parsed", _space_json)
_JSON_TYPE = Freedom("media-type-in-other-case", _ANY_CASE, _type("Application/JSON"))
_CHARSET = Freedom("charset", "C6-charset-accepted", _charset)
_FORM_TYPE = Freedom("media-type-in-capitals", _ANY_CASE, _type("Application/X-WWW-Form-URLEncoded"))
_JSON_UNKNOWN_LAST = Freedom("unknown-member", _UNKNOWN, _add_to_json({"lang": "en_US"}))

#: What one call takes all at once; only where that fails is each sent alone. What comes first in one operation comes last in
#: the other. Reads first, then one between creates: a create would hide that something has changed the key, or was not kept itself.
FREEDOMS: tuple[tuple[str, Operation, Style, tuple[Freedom, ...]], ...] = (
    ("", "read", GET_QUERY, (_QUERY_ENCODED, _ISO_FIRST, _UNKNOWN_FIRST)),
    ("-name", "read", GET_QUERY, (Freedom("percent-encoded-name", "C1-query-is-decoded", _encode_name), _ISO_HEADER)),
    ("", "read", POST_JSON, (_JSON_ORDER, _JSON_UNKNOWN, Freedom("escapes", "C1-json-is-parsed", _escape_json), _SPACE, _CHARSET)),
    ("", "create", GET_QUERY, (_QUERY_ENCODED, _ISO_LAST, _UNKNOWN_LAST)),
    ("", "read", POST_FORM, (_FORM_ENCODED, _ISO_FIRST, _UNKNOWN_FIRST, _FORM_TYPE)),
    ("", "create", POST_JSON, (_JSON_ORDER, _JSON_UNKNOWN, Freedom("escapes", "C1-json-is-parsed", _escape_all_json), _SPACE, _JSON_TYPE, _CHARSET)),
    ("", "read", GET_HEADER, (_ISO_LAST, _UNKNOWN_LAST)),
    ("", "create", POST_FORM, (_FORM_ENCODED, _ISO_LAST, _UNKNOWN_LAST, _FORM_TYPE)),
    ("", "read", POST_HEADER_JSON, (_JSON_ISO, _JSON_UNKNOWN_LAST, _JSON_TYPE)),
    ("", "create", GET_HEADER, (_ISO_HEADER, _UNKNOWN_LAST)),
    ("", "create", POST_HEADER, (_ISO_HEADER,)),
    ("", "create", POST_HEADER_JSON, (_JSON_ISO, _JSON_UNKNOWN_LAST, _CHARSET)),
)  # fmt: skip


@pytest.mark.parametrize(
    ("operation", "style", "all_freedoms"),
    [
        row(
            operation, style, freedoms, id=f"{operation}-{style}{name}", of=tuple(each.requirement for each in freedoms)
        )
        for name, operation, style, freedoms in FREEDOMS
    ],
)
def test_freedoms_of_a_caller(
    trial: Trial, operation: Operation, style: Style, all_freedoms: tuple[Freedom, ...]
) -> None:
    """Encodings, member order, iso_datetime, unknown parameters and media type details make no difference.

    BACKEND, iso_datetime and compatibility; RFC 3986, 8259 and 9110 for what is the same request in other letters.
    """
    # Set up.
    owner = trial.account("owner")
    freedoms = [each for each in all_freedoms if trial.run.counts(each.requirement)]
    freedoms = [each for each in freedoms if each.given is None or trial.run.counts(each.given.requirement)]
    if operation == "create":
        trial.need_rotation(owner)

    # Sanity check: the plain call succeeds, and a bad credential does not.
    trial.need_success(operation, style)
    trial.need_refusal(operation, style)

    # Stimulus: all freedoms at once; where that fails, the MUSTs at once, then each alone.
    if _taken(trial, operation, style, freedoms):
        return
    # If the plain call, in this style, fares no better now, it is not a freedom that makes the difference.
    if operation == "read":
        plain = _send(trial, operation, style, [])
        last = trial.run.last_key.get("owner")
        if not _is_success(trial, operation, plain):
            trial.expect_unchanged()
            if not trial.violations and last is not None and last.key is not None:
                what = f"read by {style}, once more, after the last create"
                trial.expect_key(plain, last.key, "T2-read-gives-last-created", what, last)
            return
        trial.expect_unchanged()
        if trial.violations:
            return
    musts = [each for each in freedoms if not each.advice]
    suspects = (
        [each for each in freedoms if each.advice] if musts and _taken(trial, operation, style, musts) else freedoms
    )
    guilty = 0
    for freedom in suspects:
        answer = _send(trial, operation, style, [freedom])
        if not _is_success(trial, operation, answer):
            last = trial.run.last_key.get("owner")
            if last is not None and answer.key in trial.run.before(last.key, "owner"):
                # What was sent was understood: it is a key of this very user, but not the last one.
                what = f"read by {style}, now and then, after the last create"
                trial.expect_key(answer, last.key or "", "T2-read-gives-last-created", what, last)
                return
            guilty += 1
            blamed = freedom
            if freedom.given is not None and not _taken(trial, operation, style, [freedom.given]):
                blamed = freedom.given
            _accuse(trial, blamed, operation, style, answer, freedom.name)

    # Verdict: taken down above; where no freedom alone is to blame, it is the one without which the others are taken, or all.
    if not guilty:
        answer = _send(trial, operation, style, suspects)
        for freedom in suspects if len(suspects) > 2 else ():
            if _taken(trial, operation, style, [each for each in suspects if each is not freedom]):
                _accuse(trial, freedom, operation, style, answer, f"{freedom.name} beside others")
                return
        if not _is_success(trial, operation, answer):
            _accuse(
                trial, suspects[0], operation, style, answer, " and ".join(each.name for each in suspects) + " together"
            )


def _accuse(trial: Trial, freedom: Freedom, operation: Operation, style: Style, answer: Judgement, name: str) -> None:
    trial.violate(
        freedom.requirement,
        f"{operation} by {style} with {name}: {answer.summary()}",
        "the same as without: a success, and for read the key of the last create",
        answer.summary(),
        answer,
    )


def _send(trial: Trial, operation: Operation, style: Style, freedoms: list[Freedom]) -> Judgement:
    request = trial.run.call(operation, style, trial.account("owner"))
    for freedom in freedoms:
        request = freedom.change(request)
    return trial.send(request)


def _taken(trial: Trial, operation: Operation, style: Style, freedoms: list[Freedom]) -> bool:
    return _is_success(trial, operation, _send(trial, operation, style, freedoms))


def _is_success(trial: Trial, operation: Operation, answer: Judgement) -> bool:
    if answer.kind != "success":
        return False
    last = trial.run.last_key.get("owner")
    return operation == "create" or last is None or answer.key == last.key


# ---------------------------------------------------------------------- the Authorization header


_MISUSES = [
    row(
        "{scheme}{hash}",
        "NVX",
        method,
        operation,
        id=f"nvx-without-space-{method.lower()}-{operation}",
        of="C4-nvx-needs-its-space",
    )
    for method in ("GET", "POST")
    for operation in OPERATIONS
] + [
    row(
        "{scheme} {hash}",
        scheme,
        method,
        operation,
        id=f"{scheme.lower()}-{method.lower()}-{operation}",
        of="C4-other-schemes-refused",
    )
    for scheme, method, operation in (
        ("Bearer", "GET", "read"),
        ("Bearer", "POST", "create"),
        ("Basic", "POST", "create"),
        ("Token", "GET", "read"),
    )
]


@pytest.mark.parametrize(("pattern", "scheme", "method", "operation"), _MISUSES)
def test_authorization_header_misused(
    trial: Trial, pattern: str, scheme: str, method: str, operation: Operation
) -> None:
    """A credential under NVX without its space, or under another scheme, does not authenticate.

    AUTH, Authorization header, what is invalid.
    """
    # Set up.
    owner = trial.account("owner")
    style = GET_HEADER if method == "GET" else POST_HEADER if operation == "create" else POST_HEADER_JSON
    if operation == "create":
        trial.need_rotation(owner)
    requirement = trial.requirements[0]

    # Sanity check: the header as documented authenticates.
    trial.need_success(operation, style)

    # Stimulus.
    value = pattern.format(scheme=scheme, hash=owner.credential.reveal())
    request = trial.run.call(operation, style, owner).with_header("Authorization", value)
    answer = trial.send(request.but(valid=False, breaks_contract=True))

    # Verdict.
    if answer.kind == "success" or answer.server_error or answer.kind == "nothing":
        shown = pattern.format(scheme=scheme, hash="<hash>")
        trial.violate(
            requirement,
            f"{method} {operation} with Authorization: {shown}: {answer.summary()}",
            "a refusal",
            answer.summary(),
            answer,
        )


# ---------------------------------------------------------------------- what is no call


def _everywhere(request: Call) -> Call:
    """The same call with its credential in the query, in the header and in the body at once: whatever looks for one finds it."""
    value = request.shown or ""
    body = request.body or json.dumps({"hash": value}).encode()
    media_type = dict(request.headers).get("Content-Type", JSON)
    return request.but(
        query=f"hash={value}",
        body=body,
        headers=(("Authorization", f"NVX {value}"), ("Content-Type", media_type)),
        free_form=True,
        breaks_contract=True,
    )


@verifies("C7-other-methods-refused")
@pytest.mark.parametrize(
    ("method", "operation", "style", "everywhere"),
    [
        row("PUT", "create", POST_JSON, True, id="put-create"),
        row("PUT", "read", POST_JSON, True, id="put-read"),
        row("PUT", "create", POST_FORM, False, id="put-create-form"),
        row("DELETE", "create", POST_JSON, True, id="delete-create"),
        row("DELETE", "read", GET_QUERY, False, id="delete-read-query"),
        row("PATCH", "create", POST_JSON, False, id="patch-create-json"),
        row("PATCH", "read", POST_JSON, True, id="patch-read"),
        row("PATCH", "read", POST_FORM, False, id="patch-read-form"),
    ],
)
def test_other_methods(trial: Trial, method: str, operation: Operation, style: Style, everywhere: bool) -> None:
    """PUT, DELETE and PATCH do not succeed, wherever they carry the credential.

    DELIVERY and OPENAPI know GET and POST; ERRORS, code 112. The form of the refusal is free.
    """
    # Set up.
    owner = trial.account("owner")
    if operation == "create":
        trial.need_rotation(owner)
    # Sanity check.
    trial.need_success(operation, style)
    # Stimulus: some take the credential wherever it is, some refuse one that is there twice.
    request = trial.run.call(operation, style, owner).but(method=method, free_form=True, breaks_contract=True)
    answer = trial.send(_everywhere(request) if everywhere else request, may_close=True)
    # Verdict.
    _expect_no_success(trial, "C7-other-methods-refused", f"{method} {operation}", answer)


_UNKNOWN_ACTIONS = [
    row("delete", POST_JSON, True, id="delete-post"),
    row("update", GET_QUERY, True, id="update-get"),
    row("list", GET_QUERY, True, id="list-get"),
    row("create/x", POST_JSON, True, id="below-create-post"),
    row("readall", GET_QUERY, True, id="readall-get"),
    row("list", GET_QUERY, False, id="list-get-without-credentials", of="A5-discloses-nothing"),
]


@verifies("C7-unknown-action-refused")
@pytest.mark.parametrize(("action", "style", "known"), _UNKNOWN_ACTIONS)
def test_unknown_action(trial: Trial, action: str, style: Style, known: bool) -> None:
    """An action that does not exist does not succeed, and to a caller without credentials it tells nothing.

    DELIVERY, API actions: create and read. The form of the refusal is free.
    """
    # Set up.
    owner = trial.account("owner")
    trial.need_rotation(owner)
    # Sanity check.
    trial.need_success("read", style)
    # Stimulus.
    request = trial.run.call("read", style, owner) if known else call("read", style, None)
    if style.method == "POST":
        request = _everywhere(request)
    answer = trial.send(
        request.but(operation=None, path=PATH + action, free_form=True, breaks_contract=True), may_close=True
    )
    # Verdict.
    _expect_no_success(trial, "C7-unknown-action-refused", f"the action {action}", answer)


#: One operation with a credential, the other without: a browser's preflight and a probe of a balancer carry none.
_CREDENTIALS = [row("create", True, id="create"), row("read", False, id="read-without-credentials")]


def _who(known: bool) -> str:
    return "as owner" if known else "without credentials"


def _anonymous(operation: Operation) -> Call:
    return call(operation, GET_QUERY, None).but(free_form=True, breaks_contract=True)


@verifies("C7-head-options-no-server-error")
@pytest.mark.parametrize(("operation", "known"), _CREDENTIALS)
def test_options(trial: Trial, operation: Operation, known: bool) -> None:
    """OPTIONS is answered without a server error, to a caller without credentials too.

    RFC 9110, section 9.3.7. What a browser sends before a call carries no credential.
    """
    # Set up.
    owner = trial.account("owner")
    if operation == "create":
        trial.need_rotation(owner)
    # Sanity check.
    trial.need_success(operation, POST_JSON)
    trial.need_refusal(operation, POST_JSON)
    # Stimulus.
    request = _everywhere(trial.run.call(operation, POST_JSON, owner)) if known else _anonymous(operation)
    answer = trial.send(request.but(method="OPTIONS"))
    # Verdict.
    _expect_no_server_error(trial, f"OPTIONS {operation} {_who(known)}", answer)


@verifies("C7-other-methods-refused", "C7-unknown-action-refused", "C7-options-changes-nothing", "A5-changes-nothing")
def test_what_is_no_call_changes_nothing(trial: Trial) -> None:
    """Misused headers, other methods, OPTIONS and unknown actions leave the key as it was.

    AUTH: calls need a hash. DELIVERY: create alone makes a key. RFC 9110, section 9.2.1: OPTIONS is safe.
    """
    # Set up and sanity check.
    owner = trial.account("owner")
    trial.need_rotation(owner)
    trial.need_both("create", "read")
    # Stimulus: besides those sent above, one of each as create.
    sent = {call.method for call in trial.run.since}
    for method in ("PUT", "OPTIONS"):
        if method not in sent:
            trial.send(_everywhere(trial.run.call("create", POST_JSON, owner)).but(method=method), may_close=True)
    # Verdict.
    trial.expect_unchanged()


@verifies("C7-head-options-no-server-error")
@pytest.mark.parametrize(("operation", "known"), _CREDENTIALS)
def test_head(trial: Trial, operation: Operation, known: bool) -> None:
    """HEAD is answered without a server error, to a caller without credentials too.

    RFC 9110, section 9.3.2. What HEAD does is not documented, so nothing else is asked of it.
    """
    # Set up.
    owner = trial.account("owner")
    if operation == "create":
        trial.need_rotation(owner)
    # Sanity check.
    trial.need_success(operation, GET_QUERY)
    trial.need_refusal(operation, GET_QUERY)
    # Stimulus.
    request = _anonymous(operation)
    if known:
        value = f"NVX {owner.credential.reveal()}"
        request = trial.run.call(operation, GET_QUERY, owner).with_header("Authorization", value)
    answer = trial.send(request.but(method="HEAD", free_form=True, breaks_contract=True))
    # Verdict.
    _expect_no_server_error(trial, f"HEAD {operation} {_who(known)}", answer)
    if operation == "create":
        # It may have created: what read owes from now on is what it gives now.
        trial.run.last_key.pop("owner", None)
        trial.expect_unchanged()


def _expect_no_success(trial: Trial, requirement: str, what: str, answer: Judgement) -> None:
    if answer.exchange.closed:
        # The form of the refusal is free, and a closed connection succeeds at nothing.
        return
    # What has no envelope says by its status that it succeeded.
    accepted = answer.kind == "foreign" and answer.status is not None and answer.status < 300
    if answer.kind == "success" or accepted or answer.server_error or answer.kind == "nothing":
        trial.violate(
            requirement,
            f"{what}: {answer.summary()}",
            "a refusal in any form, without a server error",
            answer.summary(),
            answer,
        )


def _expect_no_server_error(trial: Trial, what: str, answer: Judgement) -> None:
    if answer.server_error or answer.kind == "nothing":
        trial.violate(
            "C7-head-options-no-server-error",
            f"{what}: {answer.summary()}",
            "an answer without a server error",
            answer.summary(),
            answer,
        )
