"""What is evidently a gateway's answer, and what is the target's own however bad."""

from __future__ import annotations

import pytest

from contracts.exchange import Response
from fixtures.http.health import gateway, in_the_way, remark, wall

_PAGE = b"<html><h1>Nothing here</h1></html>"
_ERROR = b'{"success": false, "status": {"code": 14, "description": "Database unavailable"}}'
_BASIC = (("WWW-Authenticate", 'Basic realm="staging"'),)


def _response(status: int, body: bytes = _PAGE, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    return Response(status, headers, body)


@pytest.mark.parametrize("status", [502, 503, 504, *range(520, 528)])
def test_nothing_answers_behind_it(status: int) -> None:
    found = gateway(_response(status))
    assert found is not None
    assert found.kind == "absent"
    assert str(status) in found.who
    assert gateway(_response(status, _ERROR)) is None, "with the envelope it is the target's own"
    assert gateway(_response(status, b"")) is not None


def test_a_503_may_be_a_limit() -> None:
    assert "requests_per_second" in str(gateway(_response(503)))
    assert "requests_per_second" not in str(gateway(_response(502)))


@pytest.mark.parametrize(
    ("response", "kind", "advice"),
    [
        (_response(407), "wall", "USER:PASSWORD"),
        (_response(407, _ERROR), "wall", "USER:PASSWORD"),
        (_response(401, headers=_BASIC), "wall", "basic, headers or client_certificate"),
        (_response(401, headers=(("www-authenticate", ""),)), "wall", "[http]"),
        (_response(429), "limit", "requests_per_second"),
        (_response(400, b"<h1>400</h1> The plain HTTP request was sent to HTTPS port"), "tls", "https"),
        (_response(400, b"Client sent an HTTP request to an HTTPS server.\n"), "tls", "https"),
        (_response(400, b"You're speaking plain HTTP to an SSL-enabled server port."), "tls", "https"),
        (_response(505), "http2", "HTTP/1.1"),
        (_response(426), "http2", "HTTP/1.1"),
    ],
)
def test_what_stands_in_the_way(response: Response, kind: str, advice: str) -> None:
    found = gateway(response)
    assert found is not None
    assert found.kind == kind
    assert advice in found.advice
    assert "\n" not in str(found)


@pytest.mark.parametrize(
    "response",
    [
        _response(200),
        _response(200, _ERROR),
        _response(302),
        _response(400),
        _response(401),
        _response(401, _ERROR, _BASIC),
        _response(403),
        _response(404),
        _response(429, _ERROR),
        _response(500),
        _response(501),
        _response(503, b'{"status": {"code": 14}}'),
        _response(519),
        _response(528),
    ],
    ids=lambda response: f"{response.status}-{response.body[:12]!r}",
)
def test_what_may_be_the_targets_own(response: Response) -> None:
    assert gateway(response) is None
    assert remark(response) is None


def test_a_wall_lets_nobody_through() -> None:
    locked, proxied, away, good = (
        _response(401, headers=_BASIC),
        _response(407),
        _response(503),
        _response(200, b'{"success": true, "value": "x"}'),
    )
    assert wall([locked, locked]) == gateway(locked)
    assert wall([locked, proxied]) == gateway(locked)
    assert wall([locked, good]) is None
    assert wall([locked, None]) is None
    assert wall([away, away]) is None, "it is not there, which is no wall"
    assert wall([]) is None
    assert in_the_way([away, away]) == gateway(away)
    assert in_the_way([away, good]) is None


def test_the_value_of_a_header_is_cut() -> None:
    found = gateway(_response(401, headers=(("WWW-Authenticate", "x" * 5_000),)))
    assert found is not None
    assert len(str(found)) < 300
    assert remark(None) is None
