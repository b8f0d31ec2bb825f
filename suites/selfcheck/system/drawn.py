"""Strategies of Hypothesis for what a target, a gateway or a hook may answer: JSON, headers, status lines, framing, bytes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from hypothesis import strategies as st

from suites.selfcheck.system.raw_answers import Place, Raw, Replaced

#: What looks for a way out of its place: of a terminal, a CI job, HTML, Markdown, XML, a shell, a table, a template.
HOSTILE: Final = (
    *("\n::error::x", "::stop-commands::x", "##[error]x", "##vso[task.complete]x", "\x1b]0;x\x07\x1b[2J", "a\r\nb"),
    *("\u202ea\u2066b", "</pre><script>alert(1)</script>", "]]><x/>", "`` ```\n# x", "| a | b |\n|---|", "@octocat"),
    *("https://evil.example/x", "![x](http://evil.example)", "$(touch x)`touch x`';touch x;'", "{{ 7*7 }}{% x %}"),
    *(
        "%00%0a%ff%u0041",
        "\\u0000\\ud800",
        "\ufeff",
        "\ud800",
        "\udfff\ud800",
        "\x00\x01\x7f",
        "section_start:1:x\r\x1b[0K",
    ),
    *("a" * 3_000, "SELECT a, b FROM c WHERE d", "\tat a.B.c(D.java:5)", "/home/x/y.py", "1" * 400, "é" * 40, "%" * 50),
)
#: What shows a secret: see ``Front``.
SECRETS: Final = (
    *("@HASH@", "@KEY@", "@OTHER@", "@OTHERKEY@", "@NEW@", "@UUID@", "@LONG@", "12|@NEW@", "@NEW@#x", "a @NEW@ b"),
    *("@NEW@,@KEY@", "x@HASH@y", "eyJhbGciOiJIUzI1NiJ9.@NEW@.@NEW@", "%@NEW@", "@DIGITS@", "<@NEW@>", '"@KEY@"'),
)
_MEMBERS: Final = (
    "success",
    "value",
    "status",
    "code",
    "description",
    "errors",
    "list",
    "hash",
    "key",
    "\ud800",
    "__proto__",
    "",
)
_CODES: Final = (1, 3, 4, 5, 6, 7, 13, 14, 15, 101, 111, 112, 201, 236, 276)

texts = st.one_of(st.sampled_from(HOSTILE), st.sampled_from(SECRETS), st.text(max_size=12))
_numbers = st.one_of(
    st.integers(-5, 300), st.sampled_from([10**40 - 1, -(10**25), 1.5, 1e300, 3.0, 0.1]), st.floats(width=32)
)
_leaves = st.one_of(st.none(), st.booleans(), _numbers, texts, st.sampled_from(_CODES))
_names = st.one_of(st.sampled_from(_MEMBERS), texts)
_values = st.recursive(
    _leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(_names, inner, max_size=4)),
    max_leaves=8,
)


@st.composite
def _documents(draw: st.DrawFn) -> Any:
    """Something near one of the two envelopes, or anything at all."""
    kind = draw(st.sampled_from(("success", "success", "error", "error", "anything")))
    if kind == "anything":
        return draw(_values)
    if kind == "success":
        document: dict[str, Any] = {"success": True, "value": draw(st.one_of(st.sampled_from(SECRETS), _values))}
    else:
        status = {
            "code": draw(st.one_of(st.sampled_from(_CODES), _values)),
            "description": draw(st.one_of(texts, _values)),
        }
        document = {"success": False, "status": status}
    for name in draw(st.lists(st.sampled_from(sorted(document)), max_size=1)):
        document[name] = draw(_values)
    document.update(draw(st.dictionaries(_names, _values, max_size=2)))
    return document


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """JSON, well-formed or nearly, or bytes of any kind."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=40))
    text = json.dumps(draw(_documents()), ensure_ascii=draw(st.booleans()))
    raw = text.encode("utf-8", "surrogatepass")
    change = draw(
        st.sampled_from(("none",) * 8 + ("cut", "twice", "bom", "utf-16", "deep", "quoted", "bytes", "number"))
    )
    if change == "cut":
        return raw[: draw(st.integers(0, len(raw)))]
    if change == "deep":
        return b"[" * 5_000 + raw + b"]" * draw(st.sampled_from((0, 5_000)))
    if change == "bytes":
        at = draw(st.integers(0, len(raw)))
        return raw[:at] + draw(st.binary(max_size=6)) + raw[at:]
    return {
        "none": raw,
        "twice": raw + raw,
        "bom": b"\xef\xbb\xbf" + raw,
        "utf-16": text.encode("utf-16", "surrogatepass"),
        "quoted": json.dumps(text).encode(),
        # A mark of digits between quotes becomes a number.
        "number": raw.replace(b'"@DIGITS@"', b"@DIGITS@").replace(b"@NEW@", b"@SPELLED@"),
    }[change]


_STATUS_LINES: Final = tuple(
    line.encode("latin-1")
    for line in (
        *("HTTP/1.1 200 OK", "HTTP/1.1 400 Bad Request", "HTTP/1.1 403 Forbidden", "HTTP/1.1 402 Payment Required"),
        *("HTTP/1.1 500 x", "HTTP/1.1 502 x", "HTTP/1.1 503 x", "HTTP/1.1 429 x", "HTTP/1.1 401 x", "HTTP/1.1 407 x"),
        *("HTTP/1.1 204 x", "HTTP/1.1 304 x", "HTTP/1.1 205 x", "HTTP/1.1 206 x", "HTTP/1.1 301 x", "HTTP/1.1 308 x"),
        *("HTTP/1.1 101 x", "HTTP/1.1 100 x", "HTTP/1.1 199 x", "HTTP/1.1 600 x", "HTTP/1.1 999 x", "HTTP/1.1 099 x"),
        *(
            "HTTP/1.1 200",
            "HTTP/1.0 200 OK",
            "HTTP/0.9 200 OK",
            "HTTP/2 200",
            "http/1.1 200 ok",
            "ICY 200 OK",
            "HTTP/1.1",
        ),
        *("HTTP/1.1 -1 x", "HTTP/1.1 20000000000000 x", "HTTP/1.1 2oo x", "HTTP/1.1  200  OK", "", "HTTP/1.1 426 x"),
        *("HTTP/1.1 400 ::error::x", "HTTP/1.1 200 \xff\xfe\x1b[2J", "HTTP/1.1 400 ##vso[x]y", "HTTP/1.1 521 x"),
    )
)
_HEADERS: Final = tuple(
    (name.encode(), value.encode("utf-8", "surrogateescape"))
    for name, value in (
        *(("Content-Type", "text/html"), ("Content-Type", "application/json; charset=utf-16"), ("Content-Type", "")),
        *(("Content-Type", "::error::x"), ("Content-Type", "\u202eapplication/json"), ("Content-Type", "x" * 9_000)),
        *(("Location", "/v2"), ("Location", "http://evil.example/?hash=@HASH@"), ("Location", "::stop-commands::x")),
        *(("Location", "##vso[task.complete]x"), ("Location", "https://127.0.0.1/v2"), ("Location", "http://[")),
        *(
            ("Set-Cookie", "hash=@HASH@; key=@KEY@"),
            ("ETag", '"@HASH@"'),
            ("X-Request-Id", "@HASH@"),
            ("X-Key", "@NEW@"),
        ),
        *(("X-Other", "@OTHER@ @OTHERKEY@"), ("@HASH@", "x"), ("@NEW@", "@UUID@"), ("X-Spelled", "@SPELLED@")),
        *(("Retry-After", "0"), ("Retry-After", "-5"), ("Retry-After", "x" * 50), ("Retry-After", "1e9")),
        *(("Retry-After", "Fri, 31 Dec 9999 23:59:59 GMT"), ("Date", "Thu, 01 Jan 1970 00:00:00 GMT"), ("Date", "x")),
        *(
            ("WWW-Authenticate", 'Basic realm="@HASH@"'),
            ("WWW-Authenticate", "::error::x"),
            ("Age", "99"),
            ("Via", "1.1 x"),
        ),
        *(("Cache-Control", "public, max-age=99999999999999999999"), ("Cache-Control", 's-maxage="'), ("Expires", "0")),
        *(
            ("Expires", "Fri, 31 Dec 9999 23:59:59 GMT"),
            ("Vary", "*"),
            ("Content-Length", "-1"),
            ("Content-Length", "x"),
        ),
        *(
            ("Transfer-Encoding", "gzip"),
            ("Content-Encoding", "br, gzip"),
            ("Content-Encoding", "x"),
            ("Connection", "close"),
        ),
        *(
            ("X\x00", "x"),
            ("", "x"),
            ("X Y", "z"),
            ("X-Low", "\x01\x7f\x1b[2J"),
            ("X-High", "\udcff\udc80"),
            (" X-Folded", "y"),
        ),
        *(("X-Server", "/srv/app/main.py"), ("X-Bidi", "\u202e\u2066"), ("X-Long", "y" * 60_000)),
    )
)
_FRAMINGS: Final = (
    *("length",) * 24,
    *("close", "too-long", "too-short", "two-lengths", "chunked", "chunks-cut", "chunks-wrong", "trailers"),
    *("gzip", "gzip-cut", "deflate", "gzip-of-nothing"),
)
_INTERIM: Final = (
    b"HTTP/1.1 100 Continue\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: </@HASH@>\r\n",
    b"HTTP/1.1 102 ::error::x\r\nX-Key: @NEW@\r\n",
)
_json_head = st.just((b"Content-Type", b"application/json"))
_odd_headers = st.tuples(
    st.text("abcXYZ-_:", min_size=1, max_size=8).map(str.encode),
    st.binary(max_size=20).map(lambda raw: raw.replace(b"\n", b"")),
)


@st.composite
def answers(draw: st.DrawFn) -> Raw:
    """One answer."""
    if draw(st.integers(0, 19)) == 0:
        return Raw(b"", head=draw(st.one_of(st.binary(max_size=60), bodies(), st.sampled_from(_STATUS_LINES))))
    body = draw(bodies())
    likely = b"HTTP/1.1 200 OK" if b'"success": true' in body else b"HTTP/1.1 400 Bad Request"
    status = draw(st.one_of(st.just(likely), st.sampled_from(_STATUS_LINES)))
    headers = draw(
        st.lists(st.one_of(_json_head, _json_head, st.sampled_from(_HEADERS), _odd_headers), min_size=1, max_size=4)
    )
    interim = draw(st.one_of(st.just(()), st.lists(st.sampled_from(_INTERIM), max_size=3).map(tuple)))
    if draw(st.integers(0, 39)) == 0:
        interim *= 40
    return Raw(body, status, tuple(headers), draw(st.sampled_from(_FRAMINGS)), interim)


_hook_bodies = st.one_of(
    st.just(b"@ANSWER@"),
    st.sampled_from(
        [
            *(
                b'{"hash": "short"}',
                b'{"hash": "pass1234"}',
                b'{"hash": "@DIGITS@"}',
                b'{"hash": @DIGITS@}',
                b'{"hash": null}',
            ),
            *(
                b'{"hash": "a @NEW@"}',
                b'{"hash": "12|@NEW@"}',
                b'{"hash": "\\ud800@NEW@"}',
                b'{"hash": "@NEW@\\n::error::x"}',
            ),
            *(
                b'{"hash": "@LONG@"}',
                b'{"hash": "\xc3\xa9@NEW@"}',
                b'{"hash": "@NEW@", "hash": "@NEW@"}',
                b"[]",
                b"{}",
                b"",
            ),
            *(b'{"hash": "00000000000000000000000000000001"}', b'{"error": "no @NEW@ ::error::x"}', b"[" * 9_000),
        ]
    ),
)


@st.composite
def hook_answers(draw: st.DrawFn) -> Raw:
    """One answer of a hook."""
    if draw(st.booleans()):
        return draw(answers())
    status = draw(st.sampled_from((b"200 OK", b"200 OK", b"404 x", b"501 x", b"500 ::error::x", b"401 x", b"302 x")))
    return Raw(draw(_hook_bodies), b"HTTP/1.1 " + status)


#: Credentials that a target file may name, beside those that the emulator knows; by account.
ODD_CREDENTIALS: Final = (
    {"owner": "0" * 31 + "1", "other_owner": "0" * 31 + "2", "subuser": "0" * 31 + "3"},
    {"owner": "pass1234", "other_owner": "pass12345678", "subuser": "pass1234pass1234"},
    {"owner": "before-pass-12", "ended": "%20pass1234"},
    {"owner": "A" * 1_100 + "1"},
    {"owner": "x|y#z,1234567890ab", "other_owner": "$(touch x)`1`'\"12345"},
)
_PLACES: Final[tuple[Place, ...]] = ("all", "create", "read", "granted", "refused", "second", "third", "after-20")


@dataclass(frozen=True)
class Drawn:
    """A target and what is said of it: which answers are replaced, the accounts (None: the hook's), what is run."""

    replaced: tuple[Replaced, ...]
    credentials: dict[str, str] | None
    hook: bool
    options: tuple[str, ...]


#: What is run: some checks at a time, for a full run takes ten times as long.
SELECTIONS: Final[tuple[tuple[str, ...], ...]] = (
    ("--requirement", "A2"),
    ("--requirement", "T2"),
    ("-k", "test_success_payload and get-query or test_error_envelope and post-json"),
    ("--requirement", "T6", "--requirement", "P1"),
    ("--requirement", "A1", "--requirement", "C7"),
)


@st.composite
def targets(draw: st.DrawFn, selections: tuple[tuple[str, ...], ...] = SELECTIONS) -> Drawn:
    """A target with its hook or fixed accounts, and the options of a run on it."""
    place = draw(st.sampled_from(_PLACES))
    replaced = [Replaced(place, tuple(draw(st.lists(answers(), min_size=1, max_size=3))))]
    accounts = draw(st.sampled_from(("hook", "hook", "fixed", "both", "odd")))
    if accounts in ("hook", "both") and draw(st.integers(0, 3)) == 0:
        replaced.append(Replaced("hook", tuple(draw(st.lists(hook_answers(), min_size=1, max_size=3)))))
    credentials = draw(st.sampled_from(ODD_CREDENTIALS)) if accounts == "odd" else {} if accounts != "hook" else None
    options = [*draw(st.sampled_from(selections))]
    if draw(st.integers(0, 3)) == 0:
        options += draw(st.sampled_from((["--fail-on-gaps"], ["--profile", "core"], ["-v"], ["-vv", "-l"], ["-rA"])))
    return Drawn(tuple(replaced), credentials, accounts in ("hook", "both"), tuple(options))
