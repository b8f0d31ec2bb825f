"""What the session hands on: the guard's knowledge, the request as it was sent, the pace, and what looks like a key."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

from fixtures.calls import GET_QUERY, POST_FORM, POST_JSON, Call, call
from fixtures.errors import GuardError, NotAvailable
from fixtures.http.guard import Rotation
from fixtures.http.session import Session
from fixtures.http.transport import DeadlineAdapter
from suites.selfcheck.system.hostile_servers import Client, Server
from suites.selfcheck.unit.sessions import ALLOWED, session_on

_HASH = "9c1de5b0a7f24368be31d0c94f7a6e52"
_KEY = "60303ae22b998861bce3b28f33eec1be"
_FORBIDDEN = Rotation(False, "a test")


@dataclass
class _Target:
    """Answers each call with the next of *bodies*, and the last one for ever."""

    bodies: list[tuple[int, bytes]]
    requests: list[bytes] = field(default_factory=list)

    def __call__(self, client: Client, request: bytes) -> None:
        self.requests.append(request)
        status, body = self.bodies.pop(0) if len(self.bodies) > 1 else self.bodies[0]
        client.answer(body, f"{status} Whatever")


def _success(value: str = _KEY) -> tuple[int, bytes]:
    return 200, json.dumps({"success": True, "value": value}).encode()


def _error(code: int) -> tuple[int, bytes]:
    return 400, json.dumps({"success": False, "status": {"code": code, "description": "No"}}).encode()


@contextlib.contextmanager
def _session(target: _Target, rule: Rotation = _FORBIDDEN, **options: Any) -> Iterator[Session]:
    with Server(target) as server:
        made = session_on(server.base_url, rule=rule, **options)
        try:
            yield made
        finally:
            made.close()


# ---------------------------------------------------------------------- the guard


@pytest.mark.parametrize(
    ("answer", "allowed"), [(_error(4), True), (_error(3), True), (_success(), False), (_error(201), False)]
)
def test_an_ended_credential_is_tried_once_read_has_refused_it(answer: tuple[int, bytes], allowed: bool) -> None:
    with _session(_Target([answer, _error(4)])) as session:
        ended = session.vault.add(_HASH, "ended")
        session.guard.admit_named(_HASH, "ended")
        create = call("create", POST_JSON, ended)
        with pytest.raises(NotAvailable, match="read was not asked yet"):
            session.exchange(create)
        session.exchange(call("read", GET_QUERY, ended))
        if allowed:
            assert session.exchange(create).code == 4
        else:
            with pytest.raises(NotAvailable, match="read accepts it"):
                session.exchange(create)


def test_a_key_is_known_to_be_of_the_account_that_was_given_it() -> None:
    with _session(_Target([_success()])) as session:
        owner = session.vault.add(_HASH, "owner")
        session.guard.admit_named(_HASH, "owner")
        assert session.exchange(call("read", GET_QUERY, owner, account="owner", valid=True)).key == _KEY
        with pytest.raises(NotAvailable, match="a key of owner must not be sent"):
            session.exchange(call("create", POST_FORM, _KEY))


def test_a_key_of_a_fresh_account_may_be_tried() -> None:
    with _session(_Target([_success(), _error(4)])) as session:
        fresh = session.vault.add(_HASH, "owner")
        session.guard.admit_fresh(_HASH)
        assert session.exchange(call("create", GET_QUERY, fresh, account="owner", valid=True)).key == _KEY
        assert session.exchange(call("create", POST_FORM, _KEY)).code == 4


# ---------------------------------------------------------------------- what is recorded


@pytest.mark.parametrize(
    "request_",
    [call("read", POST_JSON, _HASH), call("read", POST_FORM, _HASH), call("read", GET_QUERY, _HASH)],
    ids=["json", "form", "query"],
)
def test_the_request_is_recorded_as_it_was_sent(request_: Call) -> None:
    target = _Target([_error(4)])
    with _session(target) as session:
        recorded = session.exchange(request_).exchange.request
        head, _, body = target.requests[0].partition(b"\r\n\r\n")
        assert recorded.body == body == (request_.body or b"")
        assert recorded.method.encode() == head.partition(b" ")[0]
        assert recorded.url == f"{session.base_url}{request_.path}" + (f"?{request_.query}" if request_.query else "")
        for name, value in recorded.headers:
            assert f"{name}: {value}".encode() in head


def test_keys_are_counted_by_the_account_that_got_them() -> None:
    with _session(_Target([_success(), _success(_KEY[::-1])]), ALLOWED) as session:
        owner = session.vault.add(_HASH, "owner")
        for _ in range(2):
            session.exchange(call("create", GET_QUERY, owner, account="owner", valid=True))
        assert session.tally.keys_by_account == {"owner": 2}
        assert session.vault.mask(f"{_KEY} {_KEY[::-1]}") == "«key 1 of owner» «key 2 of owner»"


@pytest.mark.parametrize("member", ["session", "debug"])
def test_a_key_in_escapes_is_masked(member: str) -> None:
    escaped = "".join(f"\\u{ord(char):04x}" for char in _KEY)
    body = f'{{"success": true, "value": "x", "{member}": "{escaped}"}}'.encode()
    with _session(_Target([(200, body)])) as session:
        session.exchange(call("read", GET_QUERY, _HASH))
        assert _KEY not in session.vault.mask(f"a {_KEY} b")
        assert "\\u0036\\u0030\\u0033" not in session.vault.mask(body.decode())


# ---------------------------------------------------------------------- the pace


def test_the_pace_is_back_after_the_rate_limit_was_provoked(monkeypatch: pytest.MonkeyPatch) -> None:
    with _session(_Target([_error(4)]), provoke_rate_limit=True) as session:
        turns: list[None] = []
        monkeypatch.setattr(session.pace, "take", lambda: turns.append(None))
        read = call("read", GET_QUERY, _HASH)
        with contextlib.suppress(RuntimeError), session.without_pace():
            session.exchange(read)
            assert not turns
            raise RuntimeError("a test that breaks in the middle")
        session.exchange(read)
        assert len(turns) == 1


def test_the_rate_limit_is_not_provoked_unasked() -> None:
    with _session(_Target([_error(4)])) as session:
        provoked = session.without_pace()
        with pytest.raises(GuardError, match="does not allow it"):
            provoked.__enter__()


def test_a_429_is_an_answer_where_the_limit_is_provoked() -> None:
    limited = (429, json.dumps({"success": False, "status": {"code": 15, "description": "Slow down"}}).encode())
    target = _Target([limited, _error(4)])
    with _session(target, provoke_rate_limit=True) as session:
        with session.without_pace():
            answer = session.exchange(call("read", GET_QUERY, _HASH))
        assert (answer.status, answer.code) == (429, 15)
        assert not answer.exchange.rate_limited
        assert len(target.requests) == 1


def test_connections_are_looked_up_once_for_a_host() -> None:
    adapter = DeadlineAdapter()

    def pool(address: str) -> Any:
        return adapter.get_connection_with_tls_context(requests.Request("GET", address).prepare(), True)

    first = pool("http://one.test:8080/v2/read?hash=1")
    assert pool("http://one.test:8080/v2/create") is first
    others = [pool(f"{address}/v2") for address in ("http://one.test:8081", "http://two.test", "https://two.test")]
    assert [(each.scheme, each.host, each.port) for each in others] == [
        ("http", "one.test", 8081),
        ("http", "two.test", 80),
        ("https", "two.test", 443),
    ]
    last = pool("http://two.test/v2")
    adapter.close()
    # The pool that was closed is not given again.
    assert pool("http://two.test/v2") is not last


def test_a_header_of_the_call_takes_the_place_of_the_sessions_in_any_letter_case() -> None:
    target = _Target([_success()])
    with _session(target, headers={"X-Gateway": "a pass"}) as session:
        session.exchange(call("read", GET_QUERY, _HASH).but(headers=(("accept", "text/plain"), ("x-gateway", "none"))))
    lines = target.requests[0].decode().split("\r\n")
    assert "accept: text/plain" in lines
    assert "x-gateway: none" in lines
    assert len([each for each in lines if each.lower().startswith(("accept:", "x-gateway:"))]) == 2
