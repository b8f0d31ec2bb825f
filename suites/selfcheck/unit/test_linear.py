"""What an answer can cost the rules: no more than in proportion to its size, whatever it is made of."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from contracts.exchange import Exchange, Intent, Request, Response
from contracts.judge import judge
from contracts.rules.body import read_body
from contracts.rules.internals import found_in
from contracts.rules.privacy import shown_part

#: Seconds of computing time for half a megabyte, which takes a twentieth of one; what was worse than linear took minutes.
_MOST = 4.0
_SIZE = 1 << 19

#: Pieces that a body is made of half a million characters of.
PIECES = {
    "brackets": "[",
    "closing": "]",
    "braces": '{"a":',
    "quotes": '"',
    "escaped-quotes": '\\"',
    "brackets-and-escaped-quotes": '[\\"',
    "quoted-brackets": '"[',
    "backslashes": "\\",
    "strings": '"a",',
    "numbers": "1,",
    "digits": "7",
    "surrogates": "\\ud800",
    "members": '"a":1,',
    "commas": ",",
    "nulls": "\0",
    "utf-16": "{\0",
}


def _seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


@pytest.mark.slow
@pytest.mark.parametrize("head", ["", "{", '{"a": "', '{"a": ['])
@pytest.mark.parametrize("piece", PIECES.values(), ids=PIECES)
def test_reading_a_body(piece: str, head: str) -> None:
    raw = (head + piece * (_SIZE // len(piece))).encode()
    assert _seconds(lambda: read_body(raw)) < _MOST


#: Pieces of texts that keep patterns busy.
WORDS = {
    "select-commas": "SELECT , ",
    "select": "SELECT ",
    "select-from": "SELECT FROM ",
    "select-a-from": "SELECT a FROM ",
    "select-columns": "select a,b,c ",
    "from": " FROM",
    "from-where": " from a as b where",
    "at": "at ",
    "at-dots": "at a.a(",
    "at-files": "at a.js:1:1",
    "at-spaces": "at a a a a a a a a ",
    "files": ".js:1:1",
    "php": "#1 a.php(1",
    "php-frames": ".php(1)",
    "numbers": "#1 ",
    "slashes": "/a",
    "paths": " /app/a/a/a/a",
    "home": "/home/",
    "windows": "C:\\",
    "words": "aaaaaaaa",
    "java": "(A.java:",
    "caused": "Caused by: a.",
    "go": "a/a.go:",
    "insert": "INSERT INTO a ",
    "insert-values": "insert into a (",
    "update": "update a set a ",
    "delete": "DELETE FROM A",
    "indent": "\n at a()",
    "spaces": " ",
    "lines": "\n\t",
    "links": "href=\"'",
    "urls": "http://",
    "quotes": 'File "',
    "percent": "%25",
}


@pytest.mark.slow
@pytest.mark.parametrize("piece", WORDS.values(), ids=WORDS)
def test_looking_for_what_is_inside(piece: str) -> None:
    text = piece * (200_000 // len(piece))
    assert _seconds(lambda: found_in(text)) < _MOST


@pytest.mark.parametrize("piece", WORDS.values(), ids=WORDS)
def test_judging_an_answer(piece: str) -> None:
    description = (piece * (100_000 // len(piece))).encode("unicode_escape").replace(b'"', b'\\"')
    body = b'{"success": false, "status": {"code": 3, "description": "' + description + b'"}}'
    headers = (("Content-Type", "application/json"), ("X-Note", piece * 1_000), ("Cache-Control", piece * 2_000))
    exchange = Exchange(
        Intent("read", "a" * 32, valid=False),
        Request("GET", "http://target.test/v2/user/session/delivery/read?hash=" + "a" * 32),
        Response(400, headers, body),
    )
    secrets = [f"{number:032x}" for number in range(200)]
    assert _seconds(lambda: judge(exchange, secrets)) < _MOST


def test_long_keys_make_no_later_answer_slow() -> None:
    """A few hundred keys of 4,000 characters each, looked for in an answer of the size that is looked at."""
    text = "0123456789abcdef" * 3_000
    keys = [f"{number:04x}" * 1_000 for number in range(300)]
    assert _seconds(lambda: [shown_part(text, key) for key in keys]) < _MOST


# ---------------------------------------------------------------------- characters that no file can have


def test_a_pair_is_a_character() -> None:
    assert read_body(rb'{"a": "\ud83d\ude00"}').document == {"a": "\U0001f600"}


def test_two_names_with_different_halves_are_two() -> None:
    assert read_body(rb'{"\ud800": 1, "\ud801": 2}').flaws == ()
