"""Servers that answer what no server should: each run ends in its time, with a verdict, valid reports and no secret told.

They differ in what they answer, not in how long they take, and share one warm process (``forked_command``). Behind each is
the conforming emulator; what is not replaced of its answers is as it should be.
"""

# ruff: noqa: E501 -- a case a line

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from suites.selfcheck.system.forked_command import Runner, Serving, Task
from suites.selfcheck.system.raw_answers import Front, Place, Raw, Replaced, error, success

pytestmark = pytest.mark.xdist_group("hostile-answers")

#: Seconds of a target file, so that the run's time is 45 of them; and what a busy machine may add to it.
_TIMEOUT = 1.0
_MOST_SECONDS = 45 * _TIMEOUT
_MEGABYTES = 300
_FEW = ("--requirement", "A2", "--requirement", "T2")

NONCONFORMANT = (1, "nonconformant")
UNREACHABLE = (6, "unreachable")
INCONCLUSIVE = (0, "inconclusive")
USAGE = (4, None)

_JSON = (b"Content-Type", b"application/json")
_KEY = success("@KEY@")
_OK = b"HTTP/1.1 200 OK"
_BAD = b"HTTP/1.1 400 Bad Request"


@dataclass(frozen=True)
class Case:
    """Which answers are replaced by what, how a run is to end, and what is to stand in its summary or on the terminal."""

    name: str
    raw: Raw | tuple[Raw, ...]
    end: tuple[int, str | None]
    says: str
    place: Place = "all"
    options: tuple[str, ...] = _FEW

    def __str__(self) -> str:
        return self.name


def _head(text: bytes) -> Raw:
    return Raw(head=text)


def _json(body: bytes, status: bytes = _OK, *headers: tuple[bytes, bytes], name: bytes = b"application/json") -> Raw:
    return Raw(body, status, ((b"Content-Type", name), *headers))


_COUNTS = range(900)

# fmt: off
CASES = [
    # No HTTP, or hardly.
    Case("answers-with-the-request", _head(b"GET /v2/user/session/delivery/read?hash=@HASH@ HTTP/1.1\r\nHost: a\r\n\r\n"), UNREACHABLE, "what came back is not HTTP"),
    Case("greets-like-a-mail-server", _head(b"220 mail.example ESMTP @HASH@\r\n"), UNREACHABLE, "what came back is not HTTP"),
    Case("answers-like-a-database", _head(b"-ERR unknown command 'GET' @HASH@\r\n"), UNREACHABLE, "what came back is not HTTP"),
    Case("speaks-http-0.9", _head(b"<html>@HASH@</html>"), UNREACHABLE, "what came back is not HTTP"),
    Case("speaks-shoutcast", _json(_KEY, b"ICY 200 OK"), UNREACHABLE, "what came back is not HTTP"),
    Case("has-a-status-of-20-digits", _json(_KEY, b"HTTP/1.1 20000000000000000000 OK"), UNREACHABLE, "what came back is not HTTP"),
    Case("ends-lines-with-line-feeds", Raw(_KEY, head=b"HTTP/1.1 200 OK\nContent-Type: application/json\n\n"), INCONCLUSIVE, "passed: A2", "granted"),
    Case("answers-twice", Raw(_KEY, head=b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\n\r\n"), NONCONFORMANT, "S3-success-members"),
    Case("leaves-every-third-time", _head(b""), NONCONFORMANT, "the connection was closed", "third"),
    # Framing and packing.
    Case("has-length-and-chunks", Raw(_KEY, _OK, (_JSON, (b"Content-Length", b"3")), "chunked"), INCONCLUSIVE, "passed: A2", "granted"),
    Case("has-a-length-below-zero", Raw(_KEY, head=b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: -1\r\n\r\n"), INCONCLUSIVE, "passed: A2", "granted"),
    Case("has-a-length-with-a-comma", Raw(_KEY, head=b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5, 7\r\n\r\n"), UNREACHABLE, "what came back is not HTTP"),
    Case("has-chunk-extensions-of-60000-bytes", Raw(b"2;x=" + b"y" * 60_000 + b"\r\n{}\r\n0\r\n\r\n", head=b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"), NONCONFORMANT, "S3-success-members"),
    Case("tells-keys-in-trailers", Raw(success("@OTHERKEY@"), _OK, (_JSON,), "trailers"), NONCONFORMANT, "T2-read-gives-last-created", "granted"),
    Case("packs-with-what-nobody-knows", _json(_KEY, _OK, (b"Content-Encoding", b"x-@HASH@")), INCONCLUSIVE, "P1-credential-not-repeated", "granted"),
    Case("packs-with-brotli-unasked", _json(b"\x8b\x02\x80{}\x03", _OK, (b"Content-Encoding", b"br")), NONCONFORMANT, "S2-json-object", "granted"),
    Case("says-gzip-and-packs-nothing", Raw(_KEY, _OK, (_JSON, (b"Content-Encoding", b"gzip"))), NONCONFORMANT, "cannot be decompressed", "granted"),
    Case("continues-5-times", Raw(_KEY, _OK, (_JSON,), "length", (b"HTTP/1.1 100 Continue\r\n",) * 5), INCONCLUSIVE, "passed: A2", "granted"),
    Case("hints-with-keys", Raw(_KEY, _OK, (_JSON,), "length", (b"HTTP/1.1 103 Early Hints\r\nLink: </@OTHERKEY@>\r\n",) * 3), INCONCLUSIVE, "passed: A2", "granted"),
    # Status and headers.
    Case("switches-protocols", _json(_KEY, b"HTTP/1.1 101 Switching Protocols", (b"Upgrade", b"websocket"), (b"Connection", b"Upgrade")), NONCONFORMANT, "S1-success-is-200"),
    Case("is-a-teapot", _json(error(4, "short and stout"), b"HTTP/1.1 418 I'm a teapot"), NONCONFORMANT, "E2-status-goes-with-code", "refused"),
    Case("has-not-modified-anything", _json(b"", b"HTTP/1.1 304 Not Modified", (b"ETag", b'"@HASH@"')), NONCONFORMANT, "S1-success-is-200", "read"),
    Case("gives-a-part", _json(_KEY, b"HTTP/1.1 206 Partial Content", (b"Content-Range", b"bytes 0-9/99")), NONCONFORMANT, "S1-success-is-200", "granted"),
    Case("has-2000-headers", _json(_KEY, _OK, *((b"X-%d" % n, b"y") for n in range(2_000))), UNREACHABLE, "more than 1,000 headers"),
    Case("sets-900-cookies", _json(_KEY, _OK, *((b"Set-Cookie", b"c%d=@HASH@; Path=/" % n) for n in _COUNTS)), INCONCLUSIVE, "P1-credential-not-repeated", "granted"),
    Case("has-names-with-spaces", _json(_KEY, _OK, (b"X Y", b"z")), UNREACHABLE, "a line among the headers is none"),
    Case("has-a-null-in-a-header", _json(_KEY, _OK, (b"X-A", b"a\0b@HASH@")), INCONCLUSIVE, "P1-credential-not-repeated", "granted"),
    Case("folds-headers", _json(_KEY, _OK, (b"X-A", b"a\r\n @HASH@")), INCONCLUSIVE, "P1-credential-not-repeated", "granted"),
    Case("redirects-to-a-file", Raw(b"", b"HTTP/1.1 302 Found", ((b"Location", b"file:///etc/passwd?@HASH@"),)), NONCONFORMANT, "P3-no-redirect"),
    Case("redirects-to-a-script", Raw(b"", b"HTTP/1.1 303 See Other", ((b"Location", b"javascript:alert('@HASH@')"), (b"Refresh", b"0;url=data:text/html,x"))), NONCONFORMANT, "P3-no-redirect", "create"),
    Case("offers-alternatives", Raw(b"", b"HTTP/1.1 300 Multiple Choices", ((b"Location", b"//evil.example/@KEY@"),)), NONCONFORMANT, "P3-no-redirect", "read"),
    Case("asks-for-a-ticket-to-create", Raw(b"", b"HTTP/1.1 401 Unauthorized", ((b"WWW-Authenticate", b"Negotiate @HASH@"),)), NONCONFORMANT, "a gateway may have answered: it asks for a password", "create"),
    Case("tells-who-else-there-is", _json(_KEY, _OK, (b"X-Users", b"@OTHER@, @OTHER@"), (b"ETag", b'W/"@OTHER@"'), (b"Link", b"</@OTHERKEY@>; rel=next")), INCONCLUSIVE, "passed: A2", "granted"),
    # Bodies.
    Case("writes-utf-32", _json(_KEY.decode().encode("utf-32")), NONCONFORMANT, "S2-json-object", "granted"),
    Case("begins-with-three-marks", _json(b"\xef\xbb\xbf" * 3 + _KEY), NONCONFORMANT, "a byte order mark stands before", "granted"),
    Case("answers-jsonp", _json(b"callback(" + _KEY + b");", name=b"application/javascript"), NONCONFORMANT, "S2-json-object", "granted"),
    Case("answers-xml-with-entities", _json(b'<!DOCTYPE x [<!ENTITY a "@KEY@"><!ENTITY b "&a;&a;">]><r success="true">&b;</r>', name=b"application/xml"), NONCONFORMANT, "S2-json-object", "granted"),
    Case("shows-a-login-page", _json(b'<form action="/login?hash=@HASH@"></form><script>alert(1)</script>', name=b"text/html"), NONCONFORMANT, "the media type is 'text/html'"),
    Case("gives-a-number-without-end", _json(b'{"success": true, "value": 1e999999}'), NONCONFORMANT, "S3-success-members", "granted"),
    Case("gives-what-is-no-number", _json(b'{"success": true, "value": NaN, "value": -Infinity}'), NONCONFORMANT, "S2-json-object", "granted"),
    Case("repeats-a-member-9000-times", _json(b"{" + b'"success": true, ' * 9_000 + b'"value": "@KEY@"}'), NONCONFORMANT, "a member name stands twice", "granted"),
    Case("has-a-code-that-is-true", _json(b'{"success": false, "status": {"code": true, "description": "x"}}', _BAD), NONCONFORMANT, "E1-error-envelope", "refused"),
    Case("has-a-code-below-zero", _json(error(-4), _BAD), NONCONFORMANT, "code -4", "refused"),
    Case("describes-at-length", _json(error(4, "<b>@HASH@</b> " * 20_000), _BAD), NONCONFORMANT, "got: HTTP 400, an error with code 4", "refused"),
    Case("describes-in-colours", _json(error(4, "\x1b[2J\x1b]0;@HASH@\x07\u202e::error::x"), _BAD), NONCONFORMANT, "got: HTTP 400, an error with code 4", "refused"),
    Case("pads-with-blanks", _json(_KEY + b" \r\n\t" * 100_000), INCONCLUSIVE, "passed: A2", "granted"),
    Case("fails-every-second-time", _json(b"<h1>oops @HASH@</h1>", b"HTTP/1.1 500 Internal Server Error", name=b"text/html"), NONCONFORMANT, "HTTP 500, no envelope", "second"),
    Case("gives-anothers-key", _json(success("@OTHERKEY@")), NONCONFORMANT, "T2-read-gives-last-created", "read"),
    Case("gives-the-hash-as-the-key", _json(success("@HASH@")), NONCONFORMANT, "the credential of owner", "create"),
    # Keys in forms of which the contract knows nothing, and where it has none.
    *(Case(f"gives-a-key-{name}", _json(body), NONCONFORMANT, "", "granted") for name, body in {
        "with-its-number": success("12|@NEW@"),
        "with-a-hash-sign": success("ab#@NEW@"),
        "with-a-comma": success("@NEW@,x"),
        "with-spaces": success("a @NEW@ b"),
        "of-1100-characters": success("@LONG@"),
        "in-a-list": success(["@NEW@"]),
        "in-an-object": success({"key": {"value": "@NEW@"}}),
        "as-a-number": b'{"success": true, "value": @DIGITS@}',
        "of-40-digits-in-another-member": b'{"success": true, "value": "x", "token": "@DIGITS@"}',
        "as-a-uuid": success("@UUID@"),
        "as-a-uuid-in-another-member": b'{"success": true, "value": null, "id": "{@UUID@}"}',
        "as-a-token-of-three-parts": success("eyJhbGciOiJIUzI1NiJ9.@NEW@.@NEW@"),
        "in-a-link": success("https://a.example/?k=@NEW@#x"),
        "in-escapes": b'{"success": true, "value": "@SPELLED@x"}',
        "in-capitals-behind-a-word": success("Key: @NEW@"),
        "as-a-name": b'{"success": true, "value": "", "@NEW@": 1}',
        "without-success": b'{"key": "@NEW@"}',
        "as-text": b"your key is @NEW@",
        "in-part": b'{"success": true, "value": "@NEW@',
    }.items()),
    # Hooks.
    Case("hook-gives-one-account-for-all", Raw(b'{"hash": "@NEW@"}'), NONCONFORMANT, "an error with code 4", "hook"),
    Case("hook-answers-what-it-was-asked", Raw(b'{"state": "owner", "action": "setup"}'), USAGE, 'did not answer with {"hash"', "hook"),
    Case("hook-shows-accounts-in-an-error", Raw(b'{"error": "no @OTHER@ ::error::x"}', b"HTTP/1.1 500 @OTHER@"), USAGE, "answered HTTP 500; expected 200 with a hash", "hook"),
    Case("hook-redirects", Raw(b"", b"HTTP/1.1 302 Found", ((b"Location", b"http://evil.example/@OTHER@"),)), USAGE, "answered HTTP 302; expected 200", "hook"),
    Case("hook-gives-two-lines", Raw(b'{"hash": "@NEW@\\r\\nX-A: b"}'), USAGE, "gave a hash that is no credential", "hook"),
    Case("hook-gives-a-megabyte", Raw(b'{"hash": "' + b"a1" * 500_000 + b'"}'), USAGE, "did not answer with", "hook"),
    Case("hook-closes", _head(b""), USAGE, "gave no answer: the connection was closed", "hook"),
    Case("hook-is-busy-now-and-then", (Raw(b"@ANSWER@"), Raw(b"@ANSWER@"), Raw(b"<h1>busy</h1>", b"HTTP/1.1 503 x")), USAGE, "answered HTTP 503", "hook"),
    Case("hook-starts-and-starts", Raw(b"@ANSWER@", interim=(b"HTTP/1.1 100 Continue\r\n",) * 40), USAGE, "more than 32 interim answers", "hook"),
    Case("hook-nests", Raw(b'{"hash": ' + b"[" * 60_000), USAGE, "did not answer with", "hook"),
]
# fmt: on


@contextmanager
def serve(number: int) -> Iterator[Serving]:
    """The server of a case."""
    case = CASES[number]
    raws = case.raw if isinstance(case.raw, tuple) else (case.raw,)
    front = Front([Replaced(case.place, raws)])
    with front.serve() as server:
        yield Serving(server.base_url, lambda: front.secrets, server.base_url.removesuffix("/v2") + "/_states")


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    """The process that runs them."""
    with Runner() as runner:
        yield runner


@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_ends_well(case: Case, runner: Runner) -> None:
    task = Task((__name__, "serve", (CASES.index(case),)), case.options, _TIMEOUT, record=True, allure=True)
    came = runner.run(task)
    assert not came.wrong, came.output
    assert (came.code, came.verdict) == case.end, came.output
    assert case.says in " ".join(came.output.split()), came.output
    assert came.seconds < _MOST_SECONDS
    assert came.megabytes < _MEGABYTES
