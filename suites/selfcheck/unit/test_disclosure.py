"""What an answer tells of the secrets of accounts: whole or in part, in whatever letter case, and never what the call itself carried."""

from __future__ import annotations

import pytest

from contracts.exchange import Exchange, Intent, Request, Response
from contracts.rules.disclosure import carried, disclosed

SECRET = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
OTHER = "f3e2d1c0b9a8978685746352413021ff"
URL = "http://127.0.0.1/v2/user/session/delivery/read"
ALL = (OTHER, SECRET)


def told(
    body: str, *secrets: str, headers: tuple[tuple[str, str], ...] = (), request: Request | None = None
) -> str | None:
    """What is said of an answer with this body."""
    response = Response(400, headers, body.encode())
    exchange = Exchange(Intent("read"), request or Request("GET", URL), response)
    return disclosed(exchange, response, secrets or ALL)


#: An answer that is short, and one whose stretches are not kept.
FILLS = ("", "x " * 600)


@pytest.mark.parametrize("fill", FILLS, ids=["short", "long"])
@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (SECRET, repr(SECRET)),
        (SECRET.upper(), repr(SECRET)),
        (SECRET[:12], f"{SECRET[:12]!r} (a part of it)"),
        (SECRET[-12:], f"{SECRET[-12:]!r} (a part of it)"),
        (SECRET[4:25], f"{SECRET[4:25]!r} (a part of it)"),
        (SECRET[:11], None),
        (f"{SECRET[:11]}-{SECRET[11:22]}", None),
        ("nothing", None),
    ],
)
def test_what_is_told(shown: str, said: str | None, fill: str) -> None:
    wanted = None if said is None else f"{said}, which belongs to an account, in the answer"
    assert told(f"{fill}<{shown}>") == wanted
    assert told(f"<{shown}>{fill}") == wanted
    assert told(f"{fill}<>", headers=(("X-Told", shown),)) == wanted


def test_it_is_told_wherever_a_reader_sees_it() -> None:
    escaped = "".join(f"\\u{ord(char):04x}" for char in SECRET)
    assert told(f'{{"a": ["{escaped}"]}}') is not None
    assert told(f'{{"{escaped}": 1}}') is not None


@pytest.mark.parametrize("size", [999, 1_000, 1_001])
def test_an_answer_of_any_size_is_looked_through(size: int) -> None:
    body = SECRET.rjust(size - 1, "x")
    assert told(body) is not None


@pytest.mark.parametrize(("secret", "found"), [("hunter2hunt", True), ("hunter2", True), ("hunter3", False)])
def test_a_short_secret_is_told_as_a_whole(secret: str, found: bool) -> None:
    said = told("no hunter2hunt here", secret)
    assert (said is not None) is found
    assert said is None or said.startswith(f"{secret!r}, which")
    # Beside a long one that is told as well, too.
    assert (told(f"no hunter2hunt {OTHER[:11]} here", OTHER, secret) is not None) is found


def test_the_first_secret_that_is_told_is_named() -> None:
    assert str(told(f"{SECRET} {OTHER}")).startswith(repr(OTHER))
    assert told("nothing", *ALL) is None
    assert told("") is None


@pytest.mark.parametrize(
    "request_",
    [
        Request("GET", f"{URL}?hash={SECRET}"),
        Request("GET", f"{URL}?hash=%30{SECRET[1:]}"),
        Request("GET", URL, (("Authorization", f"NVX {SECRET.upper()}"),)),
        Request("POST", URL, (), SECRET.encode()),
        Request("POST", URL, (), b"\xff" + SECRET.encode()),
    ],
)
def test_what_was_sent_tells_its_sender_nothing(request_: Request) -> None:
    assert told(f"what is {SECRET}?", request=request_) is None
    assert told(f"what is {SECRET[3:18]}?", request=request_) is None
    assert told(f"{SECRET} and {OTHER}", request=request_) is not None
    assert told(f"{SECRET} and {OTHER}", SECRET, OTHER, request=request_) is not None


def test_what_a_call_carries() -> None:
    request = Request("POST", f"{URL}?a=%41", (("X-A", "b"), ("X-C", "d")), b"e\xff")
    assert carried(Exchange(Intent("read"), request, None)) == f"{URL}?a=%41\n{URL}?a=A\nb\nd\ne\ufffd"
