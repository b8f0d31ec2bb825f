"""What an answer must not show: credentials, the server's inside, an invitation to shared caches; and what it may."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from email.utils import formatdate
from typing import Final

import pytest

from contracts.exchange import Exchange, Intent, Request, Response
from contracts.rules.body import read_body
from contracts.rules.privacy import (
    holds,
    internals,
    public_caching,
    repeats_credential,
    shown_part,
    texts,
    without_address,
)

SECRET: Final = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
ROOT: Final = "http://127.0.0.1/v2/user/session/delivery/"
#: Characters of an answer that are looked through.
MOST: Final = 16_384
PATH: Final = "/srv/app/main.py"


def test_what_a_reader_of_an_answer_sees() -> None:
    response = Response(200, (("A", "b"), ("C", "d")), b'{"e": ["\\u0066"], "g": {"h": "i"}}')
    seen = texts(response)
    assert seen.startswith('A: b\nC: d\n{"e": ["\\u0066"], "g": {"h": "i"}}\n')
    assert set(seen.splitlines()[3:]) == {"e", "f", "g", "h", "i"}


def test_only_so_much_of_an_answer_is_looked_at() -> None:
    whole = Response(200, (("A", "x" * 20_000),), b'"' + b"y" * 20_000 + b'"')
    headers, body, string = texts(whole).split("\n")
    assert (len(headers), len(body), len(string)) == (MOST, MOST, MOST)
    assert [len(each) for each in _strings_of(["x" * (MOST - 1), "yy", "z"])] == [1, 2, MOST - 3]
    assert _strings_of(["w", "x" * MOST]) == ["x" * MOST]


def _strings_of(document: list[str]) -> list[str]:
    """What is seen of the strings of *document*."""
    return texts(Response(200, (), json.dumps(document).encode())).split("\n")[2:]


def test_the_headers_count_as_much_as_the_body() -> None:
    body = b'{"a": "b"}'
    assert texts(Response(200, (("A", "b"),), body)) != texts(Response(200, (("A", "c"),), body))
    assert texts(Response(200, (("A", "b"),), body)) != texts(Response(200, (("A", "b"),), b"{}"))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"a{SECRET}b", True),
        (SECRET.upper(), True),
        (f"%30{SECRET[1:]}", True),
        (SECRET[1:], False),
        (f"100% of {SECRET[1:]}", False),
    ],
)
def test_whether_a_text_shows_a_secret(text: str, found: bool) -> None:
    assert holds(text, SECRET) is found


@pytest.mark.parametrize(
    ("credential", "found"), [(SECRET[:16], True), (SECRET[:15], False), (SECRET, False), (None, False), ("", False)]
)
def test_whether_the_credential_is_repeated(credential: str | None, found: bool) -> None:
    assert repeats_credential(f"no {SECRET[:20]} here", credential) is found


@pytest.mark.parametrize(("credential", "found"), [("0" * 32, False), ("f" * 32, False), ("0" * 31 + "1", True)])
def test_one_character_throughout_may_be_something_else(credential: str, found: bool) -> None:
    assert repeats_credential(f'{{"trace": "{credential}"}}', credential) is found


@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
@pytest.mark.parametrize("after", ["", ":", ":x", ":xy", "\n"])
@pytest.mark.parametrize("before", ["", "u", "us", "usr", "a@b.c:"])
@pytest.mark.parametrize("secret", [SECRET, SECRET[:16], SECRET[:17], SECRET[:18], "token-of-~~~???>>>-ö"])
def test_a_credential_in_base64_is_repeated(
    secret: str, before: str, after: str, encode: Callable[[bytes], bytes]
) -> None:
    def shown(text: str) -> str:
        return f"session={encode(f'{before}{text}{after}'.encode()).decode()}; Path=/"

    assert repeats_credential(shown(secret), secret)
    assert not repeats_credential(shown(f"x{secret[1:]}"), secret)
    assert not repeats_credential(shown(f"{secret[:-1]}x"), secret)
    assert not repeats_credential(shown(secret), secret[:15])


@pytest.mark.parametrize(
    ("text", "secret", "part"),
    [
        (f"x{SECRET}y", SECRET, SECRET),
        (f"x{SECRET[:12]}y", SECRET, SECRET[:12]),
        (f"x{SECRET[-12:]}", SECRET, SECRET[-12:]),
        (f"{SECRET[7:23]}", SECRET, SECRET[7:23]),
        (f"x{SECRET[:11]}y", SECRET, None),
        # The first one is drawn out.
        (f"{SECRET[20:]} {SECRET[2:15]}", SECRET, SECRET[2:15]),
        # Few characters that differ say nothing.
        ("x000011112222y", "9000011112222", None),
        ("x000011112223y", "9000011112223", None),
        ("x000011112234y", "9000011112234", "000011112234"),
        ("000000000000000", "000000000000000000001", None),
        # What is shorter than a stretch counts as a whole.
        ("an abcdefg here", "abcdefg", "abcdefg"),
        ("an abcdef here", "abcdefg", None),
        ("", SECRET, None),
    ],
)
def test_the_part_of_a_secret_that_is_shown(text: str, secret: str, part: str | None) -> None:
    assert shown_part(text, secret) == part


# ---------------------------------------------------------------------- the server's inside


def inside(body: bytes, *headers: tuple[str, str], url: str = f"{ROOT}read") -> str | None:
    """What an answer shows of the server's inside."""
    response = Response(400, headers, body)
    return internals(response, read_body(body), Exchange(Intent("read"), Request("GET", url), response))


@pytest.mark.parametrize("name", ["Location", "Content-Location", "Link", "Set-Cookie", "Report-To", "NEL"])
def test_headers_that_are_addresses_by_nature(name: str) -> None:
    assert inside(b"{}", (name, PATH)) is None
    assert inside(b"{}", (f"X-{name}", PATH)) == f"a file path: {PATH!r}"
    assert inside(b"{}", ("Content-Security-Policy", PATH), ("X-Path", PATH)) is not None


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (f'{{"a": {{"b": ["at {PATH}"]}}}}', True),
        (f'{{"{PATH}": 1}}', True),
        (f"<p>{PATH}</p>", True),
        ('{"a": "C:\\\\apps\\\\main.py x"}', True),
        # An escape looks like a part of a path, and what is read is what counts.
        ('{"a": "x:\\\\y", "b": "\\u002fa"}', False),
        (f'<a href="{PATH}">x</a>', False),
        (f"see http://a.example{PATH}", False),
        ("{}", False),
    ],
)
def test_a_path_in_an_answer(body: str, found: bool) -> None:
    assert (inside(body.encode()) is not None) is found


def test_the_address_of_the_call_is_known_to_its_sender() -> None:
    url = f"http://127.0.0.1{PATH}/user/session/delivery/read?hash=x%2Fopt/y/z"
    for shown in (url, f"{PATH}/user/session/delivery/read?hash=x%2Fopt/y/z", f"{PATH}/user/session/delivery/read"):
        assert inside(f"no such page: {shown} ".encode(), url=url) is None
    assert inside(f"no such page: {PATH}".encode(), url=url) is not None
    asked = f"{ROOT}read?next=/opt/y/z"
    assert inside(b"no such page: /v2/user/session/delivery/read?next=/opt/y/z", url=asked) is None
    assert inside(b"no such page: read?next=/opt/y/z", url=asked) is not None
    encoded = "http://127.0.0.1/srv/a%20b/read"
    assert inside(b"no such page: /srv/a b/read", url=encoded) is None


def test_the_part_that_shows_it_is_named() -> None:
    said = inside(f'{{"a": "fine", "b": "at {PATH}"}}'.encode(), ("X-A", "fine"))
    assert said == f"a file path: {PATH!r}"
    # Two lines that are a frame only together are of two parts.
    assert inside(b'{"a": "SELECT a", "b": "b FROM c"}') is None


@pytest.mark.parametrize(
    "known",
    ["http://a.example/x?y=<1>", "http://a.example/x?y=&lt;1&gt;", "/x?y=<1>", "http:\\/\\/a.example\\/x?y=<1>"],
)
def test_a_text_without_an_address(known: str) -> None:
    assert without_address(f"[{known}]", "http://a.example/x?y=<1>") == "[ ]"


def test_the_root_alone_is_no_address() -> None:
    assert without_address("[/x]", "http://a.example/x") == "[ ]"
    assert without_address("a/b", "http://a.example/") == "a/b"
    assert inside(f"a {PATH}".encode(), url="http://a.example/") is not None


# ---------------------------------------------------------------------- shared caches

NOW: Final = 1_790_000_000
DATE: Final = ("Date", formatdate(NOW, usegmt=True))


def expires(seconds: int) -> tuple[str, str]:
    """The header, so many seconds after the answer."""
    return ("Expires", formatdate(NOW + seconds, usegmt=True))


@pytest.mark.parametrize(
    ("control", "invites"),
    [
        ("public", True),
        ("PUBLIC", True),
        ("max-age=1", True),
        ("max-age=0", False),
        ('max-age="60"', True),
        ("s-maxage=60", True),
        ("s-maxage=0", False),
        ("s-maxage=x", False),
        ("max-age=999999999999", True),
        ("max-age=0000000000001", False),
        ("max-age=000000000001", True),
        ("max-age=-5", False),
        ("no-store, public", False),
        ("private, max-age=60", False),
        ('private="Set-Cookie", max-age=60', True),
        ('private="Set-Cookie", private, max-age=60', False),
        ('private, private="Set-Cookie", max-age=60', False),
        ('x="no-store", max-age=60', True),
        ('x="a, no-store", max-age=60', True),
        ("no-cache", False),
        ("", False),
    ],
)
def test_cache_control(control: str, invites: bool) -> None:
    found = public_caching(Response(200, (("Cache-Control", control),)))
    assert found == (f"Cache-Control: {control}" if invites else None)


@pytest.mark.parametrize(
    ("headers", "invites"),
    [
        ((expires(60), DATE), True),
        ((expires(0), DATE), False),
        ((expires(-60), DATE), False),
        ((expires(60), DATE, ("Cache-Control", "max-age=0")), False),
        ((expires(60), DATE, ("Cache-Control", "no-cache")), False),
        ((expires(60), DATE, ("Cache-Control", "private")), False),
        ((("Expires", "0"), DATE), False),
        ((("Expires", "Fri, 31 Dec 9999 23:59:59 GMT"),), True),
        ((("Expires", "Fri, 31 Dec 9999 23:59:59 GMT"), ("Date", "x")), True),
        ((("Expires", "Thu, 01 Jan 1970 00:00:00 GMT"),), False),
        # Without a zone, as asctime writes it, or with an unknown one.
        ((("Expires", "Fri, 31 Dec 9999 23:59:59 -0000"), DATE), True),
        ((expires(60), ("Date", "Fri, 31 Dec 1999 23:59:59 -0000")), True),
        ((expires(60), ("Date", "Fri, 31 Dec 9999 23:59:59 -0000")), False),
        ((DATE,), False),
    ],
)
def test_expires(headers: tuple[tuple[str, str], ...], invites: bool) -> None:
    found = public_caching(Response(200, headers))
    assert (found is not None) is invites
    assert not invites or str(found).startswith("Expires: ")
