"""The HTTP session: what it sends, what it takes for an answer, and that no server can hold or fill it."""

from __future__ import annotations

import contextlib
import json
import random
import re
import socket
import threading
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from contracts.judge import Judgement
from fixtures.calls import GET_HEADER, GET_QUERY, POST_FORM, POST_HEADER, POST_JSON, Call, call
from fixtures.errors import GuardError, NotAvailable, SetupError, TargetLost
from fixtures.http.given_up import FAILURES_IN_A_ROW, spoken
from fixtures.http.proxies import proxies_for
from fixtures.http.rate_limit import PATIENCE
from fixtures.http.run_time import RunTime
from fixtures.http.session import Session
from suites.selfcheck.system import certificates
from suites.selfcheck.system.hostile_servers import BEHAVIOURS, Behaviour, Client, Gone, Server
from suites.selfcheck.unit.sessions import session_on

_TIMEOUT = 0.6
#: Where no time-out is looked at: no machine is as busy as that.
_PATIENT = 120
_HASH = "9c1de5b0a7f24368be31d0c94f7a6e52"
_GOOD = b'{"success": true, "value": "0123456789abcdef0123456789abcdef"}'


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def _session(base_url: str, **options: Any) -> Session:
    return session_on(base_url, **{"timeout": _PATIENT, **options})


def _read(session: Session, **changes: Any) -> Judgement:
    return session.exchange(call("read", GET_QUERY, _HASH).but(**changes))


def _answer(client: Client, request: bytes) -> None:
    client.answer(_GOOD)


@contextlib.contextmanager
def _serving(behaviour: Behaviour, **options: Any) -> Iterator[tuple[Server, Session]]:
    with Server(behaviour) as server:
        session = _session(server.base_url, **options)
        try:
            yield server, session
        finally:
            session.close()


# ---------------------------------------------------------------------- the deadline

_WAITING = [
    "hangs-before-the-headers",
    "drips-headers",
    "drips-the-body",
    "announces-more-than-it-sends-and-waits",
]


def _ends_in_time(session: Session) -> Judgement:
    # Nothing else would end it.
    judgement = _read(session)
    assert judgement.exchange.failure == f"no complete answer within {_TIMEOUT} s"
    return judgement


@pytest.mark.parametrize("name", _WAITING)
def test_one_deadline_for_the_whole_exchange(name: str) -> None:
    with _serving(BEHAVIOURS[name], timeout=_TIMEOUT) as (_, session):
        _ends_in_time(session)


def test_the_deadline_holds_for_the_name_look_up(monkeypatch: pytest.MonkeyPatch) -> None:
    done = threading.Event()

    def look_up(*arguments: object) -> list[Any]:
        done.wait(10)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    try:
        _ends_in_time(_session("http://hangs-at-the-name.test/v2", timeout=_TIMEOUT))
    finally:
        done.set()


def test_the_deadline_holds_for_the_connection() -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    port = listener.getsockname()[1]
    waiting = []
    try:
        for _ in range(4):  # the queue of those who wait to be accepted is full
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", port))
            waiting.append(sock)
        _ends_in_time(_session(f"http://127.0.0.1:{port}/v2", timeout=_TIMEOUT))
    finally:
        for sock in (*waiting, listener):
            sock.close()


@pytest.mark.parametrize("drips", [False, True], ids=["hangs", "drips"])
def test_the_deadline_holds_for_the_handshake(drips: bool) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    stopped = threading.Event()

    def serve() -> None:
        with contextlib.suppress(OSError):
            sock, _ = listener.accept()
            with sock:
                # The beginning of a record that never ends.
                for byte in b"\x16\x03\x03\x40\x00\x02" + bytes(1000):
                    if drips:
                        sock.sendall(bytes([byte]))
                    if stopped.wait(0.1):
                        return

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        _ends_in_time(_session(f"https://127.0.0.1:{listener.getsockname()[1]}/v2", timeout=_TIMEOUT))
    finally:
        stopped.set()
        listener.close()
        thread.join()


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("name", ["hangs-before-the-headers", "drips-headers"])
def test_the_deadline_holds_for_a_proxy(name: str, scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with Server(BEHAVIOURS[name]) as proxy:
        monkeypatch.setenv(f"{scheme}_proxy", f"http://127.0.0.1:{proxy.port}")
        _ends_in_time(_session(f"{scheme}://target.test/v2", timeout=_TIMEOUT))


def test_a_large_request_that_nobody_reads() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    try:
        session = _session(f"http://127.0.0.1:{listener.getsockname()[1]}/v2", timeout=_TIMEOUT)
        request = call("read", POST_JSON, "x" * 30_000_000).but(breaks_contract=True)
        assert "no complete answer" in (session.exchange(request).exchange.failure or "")
    finally:
        listener.close()


# ---------------------------------------------------------------------- what is no answer

_FAILURES = {
    "sends-headers-without-end": "the answer does not end: it has more than 256 KiB of headers",
    "sends-one-header-without-end": "what came back is not HTTP",
    "sends-trailers-without-end": "the answer does not end: it has more than 1,000 trailers",
    "sends-a-negative-chunk": "what came back is not HTTP",
    "cuts-in-the-headers": "the connection was closed before the answer was complete",
    "cuts-in-the-body": "the answer ended before its announced length",
    "cuts-in-a-chunk": "the answer ended before its announced length",
    "closes-without-an-answer": "the connection was closed before the answer was complete",
    "resets": "the connection was closed before the answer was complete",
    "resets-in-the-body": "the connection was closed before the answer was complete",
    "speaks-another-protocol": "what came back is not HTTP",
    "sends-noise": "what answers there speaks TLS: give the https address",
    "sends-interim-answers-for-ever": "the answer does not end: more than 32 interim answers came before it",
    "sends-bare-json": "what came back is not HTTP",
    "sends-lines-that-are-no-headers": "a line among the headers is none",
    "announces-two-lengths": "what came back is not HTTP",
}


@pytest.mark.parametrize("name", _FAILURES)
def test_what_is_no_answer(name: str) -> None:
    with _serving(BEHAVIOURS[name], timeout=_PATIENT) as (_, session):
        exchange = _read(session).exchange
        assert exchange.response is None
        assert exchange.failure is not None
        assert _FAILURES[name] in exchange.failure
        assert _HASH not in repr(exchange)
        assert "127.0.0.1" not in exchange.failure


def test_a_server_that_is_not_there() -> None:
    with Server(_answer) as server:
        base_url = server.base_url
    exchange = _read(_session(base_url)).exchange
    assert exchange.failure == "the connection was refused"
    assert exchange.closed is False


@pytest.mark.parametrize("name", ["no-such-host.invalid", "a." * 130 + "test", "x" * 64 + ".test"])
def test_a_name_that_cannot_be_resolved(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo

    def look_up(host: str, *arguments: Any) -> Any:
        host.encode("idna")  # what the real one does first, and fails at for some names
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    assert _read(_session(f"http://{name}/v2", timeout=_PATIENT)).exchange.failure == "the host name cannot be resolved"
    monkeypatch.setattr(socket, "getaddrinfo", real)


def test_a_loopback_name_that_is_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rotation is allowed on loopback: what is called so must be there, whatever a name server says."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: found)
    failure = _read(_session("http://elsewhere.localhost/v2", timeout=_PATIENT)).exchange.failure
    assert failure == "the host name cannot be resolved"


def test_noise_never_raises() -> None:
    """Whatever comes back is an answer or a failure, never an exception of a library."""
    dice = random.Random(5)
    pieces = [
        b"HTTP/1.1 200 OK", b"HTTP/1.1 100", b"HTTP/9.9 999 ", b"HTTP/1.1 -1 x", b"\r\n", b"\n", b"\r\n\r\n", b":", b"{}",
        b"Content-Length: 5", b"Content-Length: -1", b"Content-Length: " + b"9" * 5000, b"Content-Length: 5, 6",
        b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip", b"Content-Encoding: gzip, deflate, br, zstd",
        b"Content-Encoding: deflate", b"5\r\nhello\r\n0\r\n\r\n", b"ffffffffffffffffff\r\n", b"-1\r\n", b"zz\r\n", b"0;x\r\n",
        b"Content-Type: multipart/mixed; boundary=x", b"Set-Cookie: a=b", b"Location: http://[::", b"Location: \xff",
        b"Connection: close", b"\x00\xff\xfe", b"\x1f\x8b\x08", b" folded", b"HTTP/1.1 302 Found", b"HTTP/1.1 204 No",
        b"HTTP/1.1 101 Switching Protocols", b"Retry-After: x",
    ]  # fmt: skip

    def noise(client: Client, request: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\n" if dice.random() < 0.7 else b""
        client.send(
            head + b"".join(dice.choice(pieces) + dice.choice([b"", b"\r\n"]) for _ in range(dice.randint(1, 12)))
        )
        raise Gone

    with _serving(noise, timeout=_PATIENT) as (_, session):
        kinds = set()
        for _ in range(400):
            kinds.add(_read(session).exchange.failure)
            session.revive()
        assert len(kinds) > 3


# ---------------------------------------------------------------------- what is one


@pytest.mark.parametrize(
    "name",
    [
        "sends-a-gzip-bomb",
        "sends-a-gzip-bomb-in-gzip",
        pytest.param("sends-chunks-of-one-byte-without-end", marks=pytest.mark.slow),
    ],
)
def test_a_body_is_cut_in_little_memory(name: str) -> None:
    with _serving(BEHAVIOURS[name], timeout=_PATIENT, max_body=200_000) as (_, session):
        tracemalloc.start()
        try:
            response = _read(session).exchange.response
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert response is not None
        assert response.cut
        assert peak < 20_000_000


@pytest.mark.parametrize(("size", "cut"), [(1_000, False), (1_001, True)])
def test_where_a_body_is_cut(size: int, cut: bool) -> None:
    with _serving(lambda client, _: client.answer(b"x" * size), max_body=1_000) as (_, session):
        response = _read(session).exchange.response
        assert response is not None
        assert (len(response.body), response.cut) == (1_000, cut)


@pytest.mark.slow
def test_what_a_hostile_answer_leaves_in_memory() -> None:
    """Answers are kept for the report, hundreds of them."""

    def fill(client: Client, request: bytes) -> None:
        body = b'{"success": true, "value": [' + b"[]," * 200_000 + b"[]]}"
        client.answer(body, X_Filler="x" * 60_000, X_More="y" * 60_000)

    with _serving(fill, timeout=_PATIENT) as (_, session):
        judgement = _read(session)
        response = judgement.exchange.response
        assert response is not None
        assert len(response.body) <= 16_384
        assert sum(len(value) for _, value in response.headers) <= 16_384 + 200
        assert not judgement.value
        assert all(len(each.message) + len(each.actual) < 10_000 for each in judgement.violations)


def test_interim_answers_are_no_answer() -> None:
    def hint(client: Client, request: bytes) -> None:
        client.send(
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
        )
        client.answer(_GOOD)

    with _serving(hint) as (_, session):
        assert _read(session).status == 200


def test_repeated_headers_are_all_kept() -> None:
    def repeat(client: Client, request: bytes) -> None:
        client.send(b"HTTP/1.1 200 OK\r\nX-One: 1\r\nX-Two: 2\r\nX-One: 3\r\nContent-Length: 2\r\n\r\n{}")

    with _serving(repeat) as (_, session):
        response = _read(session).exchange.response
        assert response is not None
        assert response.header("x-one") == "1, 3"
        assert Counter(name for name, _ in response.headers) == {"X-One": 2, "X-Two": 1, "Content-Length": 1}


def test_bytes_after_the_answer_are_not_taken_for_the_next() -> None:
    with _serving(BEHAVIOURS["announces-less-than-it-sends"]) as (_, session):
        for _ in range(3):
            response = _read(session).exchange.response
            assert response is not None
            assert response.body == b'{"success"'


# ---------------------------------------------------------------------- what is sent

_TARGETS = [
    "/user/session/delivery/%72ead",
    "/user/session/delivery/read%2f",
    "/user/session/delivery/../delivery/read",
    "/user/session/delivery//read",
    "/user/session/delivery/./read;x=1",
    "/user/session/delivery/%zz",
    '/user/session/delivery/a|b^c`d"e<f>',
]


@pytest.mark.parametrize("proxied", [False, True], ids=["direct", "proxied"])
@pytest.mark.parametrize("path", _TARGETS)
def test_the_request_target_is_sent_to_the_letter(path: str, proxied: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    with Server(_answer) as server:
        base_url = server.base_url
        if proxied:
            monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.port}")
            base_url = "http://target.test/v2"
        _read(_session(base_url), path=path, query="hash=%61%2B&x=[]{}|", breaks_contract=True, operation=None)
        line = server.requests[0].split(b"\r\n")[0].decode()
        prefix = "http://target.test" if proxied else ""
        assert line == f"GET {prefix}/v2{path}?hash=%61%2B&x=[]{{}}| HTTP/1.1"


def _headers(request: bytes) -> dict[str, str]:
    lines = request.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def test_nothing_is_sent_that_was_not_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No .netrc, no cookies, no headers of the library's own."""

    def answer(client: Client, request: bytes) -> None:
        client.answer(_GOOD, Set_Cookie="session=1; Path=/")

    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\ndefault login me password secret\n", encoding="utf-8")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    with _serving(answer, headers={"X-Gateway": "open"}) as (server, session):
        for style in (GET_QUERY, GET_HEADER, POST_JSON, POST_FORM, POST_HEADER):
            session.exchange(call("read", style, _HASH))
        seen = [_headers(request) for request in server.requests]
        always = {"host", "user-agent", "accept", "accept-encoding", "connection", "x-gateway"}
        assert [set(each) - always for each in seen] == [
            set(),
            {"authorization"},
            {"content-type", "content-length"},
            {"content-type", "content-length"},
            {"authorization", "content-length"},
        ]
        assert seen[4]["content-length"] == "0"
        assert seen[1]["authorization"] == f"NVX {_HASH}"
        assert all(each["x-gateway"] == "open" for each in seen)
        assert all(each["accept-encoding"] == "gzip, deflate" for each in seen)
        assert all(each["user-agent"].startswith("delivery-conformance/") for each in seen)
        assert all(each["host"] == f"127.0.0.1:{server.port}" for each in seen)


def test_redirects_are_answers() -> None:
    with (
        Server(_answer) as other,
        _serving(lambda client, _: client.answer(b"{}", "302 Found", Location=other.base_url)) as (_, session),
    ):
        assert _read(session).status == 302
        assert other.connections == 0


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "sub.localhost"])
def test_loopback_is_never_asked_for_through_a_proxy(name: str, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:1")
    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda _, *rest: real("127.0.0.1", *rest))
    with Server(_answer) as server:
        assert _read(_session(f"http://{host}:{server.port}/v2")).status == 200


@pytest.mark.parametrize(
    "value",
    [
        "socks5://127.0.0.1:1080",
        "http://[::",
        "ftp://proxy.test",
        "http://",
        "http://proxy.test:99999",
        "%%%",
        "http://proxy test:1",
        "http://me:pass%ffword@proxy.test:1",
        "http://me:pass€word@proxy.test:1",
    ],
)
def test_proxies_that_cannot_be_used(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", value)
    with pytest.raises(SetupError, match="the proxy that the environment names for http cannot be used") as error:
        _session("http://target.test/v2")
    assert "pass" not in str(error.value)


def test_no_proxy_is_heeded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "target.test")
    assert proxies_for("http://target.test/v2") == {}
    assert proxies_for("http://other.test/v2") == {"http": "http://127.0.0.1:1"}


# ---------------------------------------------------------------------- connections


def test_a_connection_that_was_closed_while_idle_is_reopened() -> None:
    """Before any byte of an answer, and once: nobody can tell it from a server that closes a moment too early."""
    seen: list[Client] = []  # the clients themselves: the number of one that is gone may be given again

    def close_the_second_time(client: Client, request: bytes) -> None:
        if any(each is client for each in seen):
            raise Gone
        seen.append(client)
        client.answer(_GOOD)

    with _serving(close_the_second_time, timeout=_PATIENT) as (server, session):
        for _ in range(4):
            assert _read(session).status == 200
        assert len(server.requests) == 4 + 3
        assert session.tally.requests == 4 + 3


def _once() -> Callable[[Client, bytes], None]:
    """Answers the first request, and closes the connection at each later one."""
    answered = threading.Event()

    def answer(client: Client, request: bytes) -> None:
        if answered.is_set():
            raise Gone
        answered.set()
        client.answer(_GOOD)

    return answer


def test_it_is_reopened_once() -> None:
    with _serving(_once(), timeout=_PATIENT) as (server, session):
        assert _read(session).status == 200
        assert _read(session).exchange.closed
        assert len(server.requests) == 3


def test_several_dead_connections_in_the_pool() -> None:
    """The one that is opened in place of a dead one is new, not another dead one."""
    together = threading.Barrier(3)
    dead = threading.Event()
    old: list[Client] = []

    def serve(client: Client, request: bytes) -> None:
        if dead.is_set() and any(each is client for each in old):
            raise Gone
        if not dead.is_set():
            old.append(client)
            together.wait(10)
        client.answer(_GOOD)

    with _serving(serve, timeout=_PATIENT) as (_, session):
        assert [each.status for each in _at_once(session, 3)] == [200] * 3
        dead.set()
        assert _read(session).status == 200
        assert _read(session).status == 200


def test_a_new_connection_that_is_closed_is_not_tried_again() -> None:
    with _serving(BEHAVIOURS["closes-without-an-answer"]) as (server, session):
        assert _read(session).exchange.closed
        assert len(server.requests) == 1


def _at_once(session: Session, count: int) -> list[Judgement]:
    answers: list[Judgement] = []
    start = threading.Barrier(count)

    def work() -> None:
        start.wait(10)
        with contextlib.suppress(TargetLost):
            answers.append(_read(session))

    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_threads_do_not_wait_for_each_other() -> None:
    """The server answers nobody before all sixteen have asked."""
    together = threading.Barrier(16)

    def serve(client: Client, request: bytes) -> None:
        together.wait(10)
        client.answer(_GOOD)

    with _serving(serve, timeout=_PATIENT) as (_, session):
        for _ in range(3):
            assert [each.status for each in _at_once(session, 16)] == [200] * 16


# ---------------------------------------------------------------------- giving up


def _read_often(session: Session) -> None:
    for _ in range(100):
        _read(session)


def test_three_failures_in_a_row() -> None:
    with _serving(BEHAVIOURS["closes-without-an-answer"]) as (server, session):
        for _ in range(FAILURES_IN_A_ROW):
            assert session.lost is None
            _read(session)
        assert "3 transport failures in a row" in (session.lost or "")
        with pytest.raises(TargetLost, match="in a row"):
            _read(session)
        assert len(server.requests) == FAILURES_IN_A_ROW


def test_failures_between_answers_are_not_in_a_row() -> None:
    turn = iter(range(1000))

    def serve(client: Client, request: bytes) -> None:
        if next(turn) % 3 != 2:
            raise Gone
        client.answer(_GOOD)
        raise Gone

    with _serving(serve) as (_, session):
        for _ in range(12):
            _read(session)
        assert session.lost is None


def test_failures_of_the_same_moment_are_one() -> None:
    """A target that breaks down under parallel calls has failed those calls; it is not gone."""
    together = threading.Barrier(8)

    def serve(client: Client, request: bytes) -> None:
        together.wait(10)
        raise Gone

    with _serving(serve, timeout=_PATIENT) as (_, session):
        answers = _at_once(session, 8)
        assert [each.kind for each in answers] == ["nothing"] * 8
        assert session.lost is None


def test_five_timeouts_lost_in_all() -> None:
    turn = iter(range(1000))

    def serve(client: Client, request: bytes) -> None:
        if next(turn) % 2 == 0:
            client.wait()
        client.answer(_GOOD)

    with _serving(serve, timeout=0.2) as (server, session):
        with pytest.raises(TargetLost, match="lost waiting"):
            _read_often(session)
        assert len(server.requests) in (9, 10)


@pytest.mark.parametrize(
    ("value", "secret"),
    [
        ("42fc7d3068cb98d233c3af749dee4a8d", True),
        ("0101010101010101", True),
        ("https://api.example.com/?key=42fc7d30", True),
        ("abcdefabcdef", True),
        ("delivery-conformance", True),
        ("testcase", False),
        ("complete", False),
        ('": true, "x1": "', True),
        ("        ", False),
        ("the last create, as it was", False),
        ("</testcase><a b1=", True),
        ("12|aB3dE6gH9jK2mN5pQ8rTaB3dE6gH9jK2mN5pQ8rT", True),
        ("one, two #3; four 5 six", True),
        (".".join(["eyJhbGciOiJIUzI1NiJ9", "c2Vzc2lvbi0x" * 90, "9f8e7d6c5b4a39281706f5e4d3c2b1a0"]), True),
    ],
)
def test_what_a_target_gives_for_a_key_is_masked_but_for_words(value: str, secret: bool) -> None:
    def serve(client: Client, request: bytes) -> None:
        client.answer(json.dumps({"success": True, "value": value}).encode())

    with _serving(serve) as (_, session):
        assert _read(session).value == value
        assert (session.vault.mask(f"x {value} y") != f"x {value} y") == secret


@pytest.mark.parametrize(
    ("body", "secret"),
    [
        ('{"success": true, "value": "958598550664656', "958598550664656"),
        ('{"success": true, "value": 958598550664656', "958598550664656"),
        ('{"success": true, "value" : "12|aB3dE6 gH9jK2', "12|aB3dE6 gH9jK2"),
        ('{"success": true, "value": "no key at all', ""),
        ('{"success": true, "value": "95859855066', ""),
        ('{"value": null, "a": 1, "b": 2', ""),
    ],
)
def test_what_is_begun_of_a_key_is_masked(body: str, secret: str) -> None:
    """Of an answer that is cut off no key is known; what came of it is as secret."""
    with _serving(lambda client, _: client.answer(body.encode())) as (_, session):
        _read(session)
        shown = session.vault.mask(body)
    assert shown == (body.replace(secret, "«key 1 of somebody»") if secret else body)


@pytest.mark.parametrize(
    "spell", [lambda char: f"%{ord(char):02X}", lambda char: f"\\u{ord(char):04x}"], ids=["percent", "json"]
)
def test_a_key_that_is_spelled_out_in_a_header_is_masked(spell: Callable[[str], str]) -> None:
    key = "42fc7d3068cb98d233c3af749dee4a8d"
    spelled = "".join(map(spell, key))
    with _serving(lambda client, _: client.answer(b"{}", Location=f"/next?key={spelled}")) as (_, session):
        _read(session)
        assert session.vault.mask(f"a {spelled} b {key} c") == "a «key 1 of somebody, encoded» b «key 1 of somebody» c"


def test_what_was_sent_spelled_out_and_comes_back_plain_is_no_key() -> None:
    plain = "72eeea4bee9042df07d5dcbe09b423e3"
    asked = call("read", GET_QUERY, None).but(query="hash=" + "".join(f"%{ord(char):02x}" for char in plain))
    with _serving(lambda client, _: client.answer(b"{}", Location=f"/{plain}")) as (_, session):
        session.exchange(asked.but(breaks_contract=True))
        assert session.vault.mask(plain) == plain


def test_a_target_that_takes_its_time_is_not_given_up() -> None:
    def serve(client: Client, request: bytes) -> None:
        client.wait(0.01)
        client.answer(_GOOD)

    with _serving(serve, timeout=_PATIENT) as (_, session):
        for _ in range(60):
            assert _read(session).status == 200


def test_a_close_that_is_an_answer_counts_for_nothing() -> None:
    with _serving(BEHAVIOURS["closes-without-an-answer"]) as (_, session):
        for _ in range(5):
            judgement = session.exchange(call("read", GET_QUERY, _HASH), may_close=True)
            assert judgement.exchange.closed
        assert session.lost is None


def test_a_target_that_is_still_starting() -> None:
    with _serving(BEHAVIOURS["closes-without-an-answer"]) as (_, session):
        for _ in range(10):
            _read(session)
            session.revive()
        assert session.lost is None


def test_stop_breaks_what_is_under_way() -> None:
    """Ctrl-C: threads that wait for a server or for their turn end now."""
    with _serving(BEHAVIOURS["hangs-before-the-headers"], timeout=_PATIENT, requests_per_second=1) as (_, session):
        ended: list[str] = []

        def work() -> None:
            try:
                ended.append(_read(session).exchange.failure or "")
            except TargetLost as error:
                ended.append(str(error))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        session.stop("the run was interrupted")
        for thread in threads:
            thread.join()
        assert len(ended) == 4
        assert not [each for each in ended if "no complete answer" in each]
        with pytest.raises(TargetLost, match="interrupted"):
            _read(session)


# ---------------------------------------------------------------------- what never leaves the suite


def test_a_request_that_goes_round_the_session() -> None:
    with _serving(_answer) as (server, session):
        ways: list[Callable[[], object]] = [
            lambda: session.get(server.base_url),
            lambda: session.request("POST", server.base_url, json={}),
            lambda: session.send(requests.Request("GET", server.base_url).prepare()),
        ]
        for send in ways:
            with pytest.raises(GuardError, match=re.escape("went round the session's exchange()")):
                send()
        assert server.connections == 0


@pytest.mark.parametrize(
    "change",
    [
        {"path": "/a b"},
        {"path": "/a\r\nX: y"},
        {"path": "no-slash"},
        {"query": "hash=é"},
        {"query": "a#b"},
        {"headers": (("X-A", "b\r\nX-C: d"),)},
        {"headers": (("X A", "b"),)},
        {"headers": (("X-A", "\u2026"),)},
    ],
)
def test_a_call_that_cannot_be_sent_is_the_suites_error(change: dict[str, Any]) -> None:
    with _serving(_answer) as (server, session):
        with pytest.raises(GuardError, match="the suite was about to send"):
            _read(session, breaks_contract=True, **change)
        assert server.connections == 0


def test_a_call_that_breaks_the_contract_unmeant_is_the_suites_error() -> None:
    with _serving(_answer) as (server, session):
        for broken in (
            call("read", GET_QUERY, None),
            call("read", POST_JSON, _HASH).but(method="PUT"),
            call("read", POST_JSON, _HASH).with_header("Content-Type", "text/plain"),
            call("read", GET_HEADER, _HASH).with_header("Authorization", f"Bearer {_HASH}"),
        ):
            with pytest.raises(GuardError, match="breaks the contract"):
                session.exchange(broken)
        assert server.connections == 0


# ---------------------------------------------------------------------- certificates


def test_certificates(tmp_path: Path) -> None:
    authority = certificates.make(tmp_path)
    with Server(_answer, tls=authority.server) as server:
        session = _session(server.base_url, ca_bundle=str(authority.bundle), timeout=_PATIENT)
        assert [_read(session).status for _ in range(3)] == [200] * 3
        assert server.connections == 1
        session.close()
        failure = _read(_session(server.base_url, timeout=_PATIENT)).exchange.failure or ""
        assert "the certificate does not verify" in failure
        assert "http.ca_bundle" in failure
        assert _read(_session(server.base_url.replace("https", "http"), timeout=_PATIENT)).exchange.failure is not None
        assert len(server.requests) == 3


def test_https_where_there_is_none() -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            sock, _ = listener.accept()
            with sock:
                sock.recv(65536)
                sock.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        failure = _read(
            _session(f"https://127.0.0.1:{listener.getsockname()[1]}/v2", timeout=_PATIENT)
        ).exchange.failure
        assert failure is not None
        assert failure.startswith("the TLS connection failed")
        assert "is it http rather than https?" in failure
    finally:
        listener.close()
        thread.join()


def test_a_closed_session_leaves_no_connection() -> None:
    with _serving(_answer) as (server, session):
        _read(session)
        session.close()
        deadline = time.monotonic() + 5
        while server.open and time.monotonic() < deadline:
            time.sleep(0.01)
        assert server.open == 0


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_bundle_that_is_none(content: str | None, tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    if content is not None:
        bundle.write_text(content, encoding="utf-8")
    with pytest.raises(SetupError, match=r"ca_bundle of the target file names .*which cannot be used"):
        _session("https://target.test/v2", ca_bundle=str(bundle))


def test_a_bundle_of_the_environment_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))
    with pytest.raises(SetupError, match="the environment variable REQUESTS_CA_BUNDLE names"):
        _session("https://target.test/v2")


def test_the_code_of_a_429_that_is_repeated_is_judged() -> None:
    error = b'{"success": false, "status": {"code": 7, "description": "slow down"}}'
    answers = iter(
        [(error, "429 Too Many Requests"), (_GOOD, "200 OK"), (b"<html>", "429 Too Many Requests"), (_GOOD, "200 OK")]
    )

    def serve(client: Client, request: bytes) -> None:
        body, status = next(answers)
        client.answer(body, status)

    with _serving(serve) as (_, session):
        seen: list[str] = []
        calls: list[str | None] = []
        session.observers.append(lambda judgement: seen.extend(each.requirement for each in judgement.violations))
        session.observers.append(lambda judgement: calls.append(judgement.exchange.intent.operation))
        assert _read(session).kind == "success"
        assert seen.count("E2-status-goes-with-code") == 1
        assert calls == [None, "read"], "what is repeated is not the answer of the call"
        # A page is a gateway's, and says nothing of the API.
        assert _read(session).kind == "success"
        assert seen.count("E2-status-goes-with-code") == 1


_ODD_KEY = "aB3dE6gH9jK2mN5pQ8rTaB3dE6gH9jK2mN5pQ8rT"


@pytest.mark.parametrize(
    "body",
    [
        f'{{"success": true, "value": ["{_ODD_KEY}"]}}',
        f'{{"success": true, "value": {{"key": "{_ODD_KEY}"}}}}',
        f'{{"value": "{_ODD_KEY}"}}',
        f'{{"success": true, "value": "x", "session_key": "{_ODD_KEY}"}}',
        f'{{"success": false, "status": {{"code": 4, "description": "not {_ODD_KEY}"}}}}',
        f'[{{"success": true, "value": "{_ODD_KEY}"}}]',
        f"{_ODD_KEY}",
        f"key={_ODD_KEY};",
        '{"success": true, "value": "' + "".join(f"\\u{ord(char):04x}" for char in _ODD_KEY) + '"}',
    ],
    ids=["list", "object", "no-success", "other-member", "error", "array", "text", "pair", "escaped"],
)
@pytest.mark.parametrize("status", ["200 OK", "400 Bad Request"])
def test_a_key_is_masked_wherever_it_is_given(body: str, status: str) -> None:
    with _serving(lambda client, _: client.answer(body.encode(), status)) as (_, session):
        _read(session)
        assert _ODD_KEY not in session.vault.mask(f"x {_ODD_KEY} y")


@pytest.mark.parametrize(
    ("digits", "member"),
    [("1234567890123456", "value"), ("7" * 20 + "1234567890" * 2, "value"), ("7" * 20 + "1234567890" * 2, "session")],
)
def test_a_key_of_digits_is_masked(digits: str, member: str) -> None:
    for written in (digits, f'"{digits}"'):
        body = f'{{"success": true, "{member}": {written}}}'.encode()

        def serve(client: Client, request: bytes, body: bytes = body) -> None:
            client.answer(body)

        with _serving(serve) as (_, session):
            _read(session)
            assert digits not in session.vault.mask(f"x {digits} y")


def test_words_and_numbers_of_a_request_are_left() -> None:
    def serve(client: Client, request: bytes) -> None:
        client.answer(
            b'{"success": false, "status": {"code": 3, "description": "Wrong hash, see application-errors 2026-11-26"}}',
            "400 Bad Request",
            Cache_Control="max-age=31536000, stale-while-revalidate=600",
            X_Request_Id="5f4dcc3b5aa765d61d8327deb882cf99",
            Strict_Transport_Security="max-age=31536000; includeSubDomains",
        )

    with _serving(serve) as (_, session):
        response = _read(session).exchange.response
        assert response is not None
        shown = f"{response.headers} {response.body!r}"
        assert session.vault.mask(shown) == shown


# ---------------------------------------------------------------------- what a server may be, around the API


def test_a_server_with_one_thread_that_keeps_connections() -> None:
    """It answers a second connection only once the first is closed, and eight calls at once are answered all the same."""
    with Server(_answer, one_at_a_time=True) as server:
        session = _session(server.base_url, timeout=_PATIENT)
        assert _read(session).status == 200
        assert [each.status for each in _at_once(session, 8)] == [200] * 8
        # Somebody else's connection, as the hook's, is served once ours are closed.
        assert _read(session).status == 200
        other = _session(server.base_url, timeout=_PATIENT)
        session.rest()
        assert _read(other).status == 200
        other.close()
        assert _read(session).status == 200
        session.close()


@pytest.mark.parametrize(
    ("first", "said"),
    [
        (b"\x15\x03\x03\x00\x02\x02\x46", "speaks TLS"),
        (b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + bytes(18), "speaks HTTP/2 only"),
        (b"\x00\x00\x08\x07\x00\x00\x00\x00\x00" + bytes(8), "speaks HTTP/2 only"),
    ],
    ids=["tls", "http2-settings", "http2-goaway"],
)
def test_what_speaks_another_protocol(first: bytes, said: str) -> None:
    def serve(client: Client, request: bytes) -> None:
        client.send(first)
        client.wait()

    with _serving(serve, timeout=_PATIENT) as (_, session):
        assert said in (_read(session).exchange.failure or "")


def test_headers_of_interim_answers_are_bounded_together() -> None:
    def serve(client: Client, request: bytes) -> None:
        for _ in range(20):
            client.send(b"HTTP/1.1 103 Early Hints\r\nLink: <" + b"x" * 60_000 + b">\r\n\r\n")
        client.answer(_GOOD)

    with _serving(serve, timeout=_PATIENT) as (_, session):
        tracemalloc.start()
        try:
            assert "more than 256 KiB of headers" in (_read(session).exchange.failure or "")
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 4_000_000


def test_a_chunk_whose_size_has_no_end() -> None:
    def serve(client: Client, request: bytes) -> None:
        client.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=")
        while True:
            client.send(b"y" * 65536)

    with _serving(serve, timeout=_PATIENT) as (_, session):
        assert "the size of a chunk has no end" in (_read(session).exchange.failure or "")


def test_trailers_of_a_reasonable_size_are_read() -> None:
    body = b"".join(b"1\r\n" + bytes([byte]) + b"\r\n" for byte in _GOOD)

    def serve(client: Client, request: bytes) -> None:
        client.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        client.send(body + b"0\r\nX-One: 1\r\nX-Two: 2\r\n\r\n")

    with _serving(serve, timeout=_PATIENT) as (server, session):
        assert [_read(session).kind for _ in range(3)] == ["success"] * 3
        assert server.connections == 1


# ---------------------------------------------------------------------- one time for the run


class _Clock:
    """A clock that only moves when told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_one_time_for_the_run() -> None:
    clock, paced = _Clock(), [0.0]
    run = RunTime(2, lambda: paced[0], clock)
    clock.now += 74
    assert run.left() == pytest.approx(1)
    clock.now += 100
    paced[0] += 100
    assert run.left() == pytest.approx(1), "what the pace asks for is beside it"
    clock.now += 2
    with pytest.raises(NotAvailable, match=r"the run's time was up: 76 s with a timeout of 2 s.* raise http\.timeout"):
        run.left()
    run.restart()
    assert run.left() == pytest.approx(75)


def test_nothing_is_sent_when_the_time_of_the_run_is_up() -> None:
    with _serving(_answer) as (server, session):
        clock = _Clock()
        session.run_time = RunTime(2, lambda: session.pace.asked_for, clock)
        assert _read(session).status == 200
        clock.now += 76
        for _ in range(2):
            with pytest.raises(NotAvailable, match="the run's time was up"):
                _read(session)
        assert session.lost is None, "the target has not gone away"
        assert len(server.requests) == 1


def test_answers_of_any_pace_are_answers_while_there_is_time() -> None:
    """A slow target is judged: only the run's time ends it."""
    with _serving(_answer) as (_, session):
        clock = _Clock()
        session.run_time = RunTime(2, lambda: session.pace.asked_for, clock)
        for _ in range(50):
            clock.now += 1.4
            assert _read(session).status == 200


def test_a_call_that_waited_in_vain_is_named() -> None:
    with _serving(BEHAVIOURS["closes-without-an-answer"]) as (_, session):
        owner = session.vault.add(_HASH, "owner")
        request = call("create", POST_JSON, owner, account="owner", valid=True)
        for _ in range(FAILURES_IN_A_ROW):
            session.exchange(request)
        with pytest.raises(TargetLost, match="the last: create by POST with JSON as owner: the connection was closed"):
            session.exchange(request)
        assert _HASH not in (session.lost or "")


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (call("read", GET_QUERY, None), "read by GET without a hash"),
        (call("read", GET_QUERY, _HASH), "read by GET with a query with a hash that is no account's"),
        (call("create", POST_FORM, _HASH, account="owner", valid=True), "create by POST with a form as owner"),
        (call("read", GET_HEADER, _HASH, account="owner", valid=True), "read by GET with the header as owner"),
        (call("read", GET_QUERY, None).but(operation=None, path="/x/delete"), "delete by GET without a hash"),
    ],
)
def test_how_a_call_is_named(request_: Call, said: str) -> None:
    assert spoken(request_) == said


# ---------------------------------------------------------------------- a limit below the documented one

_LIMITED = b'{"success": false, "status": {"code": 15, "description": "Too many requests"}}'


@pytest.mark.parametrize(
    ("body", "marked"), [(_LIMITED, True), (b"<html>429</html>", False), (_LIMITED.replace(b"15", b"7"), False)]
)
def test_a_429_that_stays_is_marked(body: bytes, marked: bool) -> None:
    with _serving(lambda client, _: client.answer(body, "429 Too Many Requests", Retry_After="0")) as (_, session):
        session.pace.waited = PATIENCE
        judgement = _read(session)
        assert judgement.exchange.rate_limited is marked
        assert "try requests_per_second = " in session.pace.advice()


def test_a_date_of_a_429_is_read_against_the_date_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their clock is a year behind ours: the wait is the two seconds between both dates."""
    answers = iter([(_LIMITED, "429 Too Many Requests"), (_GOOD, "200 OK")])
    waits: list[float] = []

    def serve(client: Client, request: bytes) -> None:
        body, status = next(answers)
        client.answer(body, status, Date="Wed, 26 Nov 2025 10:00:00 GMT", Retry_After="Wed, 26 Nov 2025 10:00:02 GMT")

    with _serving(serve) as (_, session):
        monkeypatch.setattr(session.pace, "_sleep", waits.append)
        assert _read(session).status == 200
        assert 2.0 in [round(each, 1) for each in waits]


def test_repeats_after_a_429_count_as_creates(monkeypatch: pytest.MonkeyPatch) -> None:
    def serve(client: Client, request: bytes) -> None:
        client.answer(_LIMITED, "429 Too Many Requests", Retry_After="0")

    with _serving(serve, limit=5) as (server, session):
        waits: list[float] = []
        monkeypatch.setattr(session.pace, "_sleep", waits.append)
        owner = session.vault.add(_HASH, "owner")
        with pytest.raises(NotAvailable, match="the plan of the run allows 5 creates"):
            session.exchange(call("create", POST_JSON, owner, account="owner", valid=True))
        assert len(server.requests) == 5
        assert session.lost is None
        session.pace.waited = PATIENCE
        assert session.exchange(call("read", POST_JSON, owner, account="owner", valid=True)).status == 429


def test_creates_on_a_reopened_connection_count_twice() -> None:
    with _serving(_once(), limit=2) as (server, session):
        owner = session.vault.add(_HASH, "owner")
        request = call("create", POST_JSON, owner, account="owner", valid=True)
        assert session.exchange(request).kind == "success"
        with pytest.raises(NotAvailable, match="as many were sent"):
            session.exchange(request)
        assert len(server.requests) == 2
