"""Exchanges as data: what their repr may show, what they are where nothing is said, and a header by its name."""

from __future__ import annotations

import pytest

from contracts.exchange import Exchange, Intent, Refusal, Request, Response
from contracts.violation import Violation

SECRET = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"


def test_a_repr_shows_no_secret() -> None:
    request = Request("GET", f"http://a/read?hash={SECRET}", (("Authorization", f"NVX {SECRET}"),), SECRET.encode())
    response = Response(200, (("Set-Cookie", SECRET),), SECRET.encode())
    assert repr(request) == "<GET http://a/read>"
    assert repr(response) == "<HTTP 200, 32 bytes>"
    intent = Intent("read", SECRET, True, "owner")
    assert SECRET not in repr(intent)
    assert repr(Exchange(intent, request, response)) == "<<GET http://a/read> -> <HTTP 200, 32 bytes>>"
    assert repr(Exchange(intent, request, None, "refused")) == "<<GET http://a/read> -> refused>"


def test_what_is_not_said() -> None:
    exchange = Exchange(Intent(None), Request("GET", "http://a/"), Response(200))
    assert exchange.failure is None
    assert not exchange.closed
    assert not exchange.rate_limited
    assert (exchange.sent_at, exchange.ended_at, exchange.time) == (0.0, 0.0, 0.0)
    assert exchange.request.headers == ()
    assert exchange.request.body == b""
    assert exchange.response is not None
    assert exchange.response.headers == ()
    assert exchange.response.body == b""
    assert exchange.response.seconds == 0.0
    assert not exchange.response.cut
    assert not exchange.response.garbled
    intent = exchange.intent
    assert {intent.valid, intent.free_form, intent.front, intent.complete, intent.repeat} == {False}
    assert (intent.credential, intent.account, intent.holder, intent.refusal) == (None, None, None, None)
    assert (intent.style, intent.promise, intent.alike, intent.equivalences) == ("", "", (), ())
    assert intent.group == 0
    assert intent.kind == ""


@pytest.mark.parametrize(("account", "kind"), [("owner", "owner"), ("demo_without_session 2", "demo_without_session")])
def test_the_kind_of_an_account(account: str, kind: str) -> None:
    assert Intent("read", account=account).kind == kind


def test_a_header() -> None:
    response = Response(200, (("Vary", "Accept"), ("X-A", ""), ("vary", "Origin")))
    assert response.header("VARY") == "Accept, Origin"
    assert response.header("x-a") == ""
    assert response.header("X-B") is None


def test_what_an_error_with_another_code_breaks() -> None:
    assert Refusal("A2-unknown-hash-refused").for_its_code == "A2-unknown-hash-refused"
    assert Refusal("A2-unknown-hash-refused", code_requirement="E3-code").for_its_code == "E3-code"
    plain = Refusal("B1-bad-input-refused")
    assert (plain.form, plain.codes, plain.code_requirement) == ("code", frozenset(), "")


def test_a_violation_shows_its_last_exchange_and_no_secret() -> None:
    exchanges = tuple(Exchange(Intent("read"), Request("GET", f"http://a/{each}?{SECRET}"), None) for each in "ab")
    violation = Violation("S1-success-is-200", "", "", "", exchanges)
    assert violation.exchange is exchanges[0]
    assert "http://a/" not in repr(violation)
    assert Violation("S1-success-is-200", "", "", "").exchange is None
