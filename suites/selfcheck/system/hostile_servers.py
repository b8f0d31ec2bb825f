"""Servers that do what no server should, on raw sockets, so that nothing tidies up what they send.

``BEHAVIOURS`` has one for each way in which a target can try to hold a client, fill its memory or lead it elsewhere.
``Relay`` stands before a server that is well and starts to misbehave in the middle of a run.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import random
import socket
import ssl
import struct
import threading
import zlib
from collections.abc import Callable
from types import TracebackType
from typing import Self

JSON = "application/json"
#: Bytes of what a gzip bomb unfolds to.
BOMB = 1 << 30
_MEBI = 1 << 20


class Gone(Exception):
    """The client has left, or the server is to stop."""


class Client:
    """One connection, as a behaviour sees it. Whatever it does ends when the server is stopped."""

    def __init__(self, sock: socket.socket, stopped: threading.Event) -> None:
        self.sock = sock
        self._stopped = stopped
        self._pending = b""

    def request(self) -> bytes:
        """The next request, whole. Raises ``Gone`` when there is none."""
        data = self._pending
        while b"\r\n\r\n" not in data:
            data += self._receive()
        head, _, rest = data.partition(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.strip().lower() == b"content-length":
                length = int(value)
        while len(rest) < length:
            rest += self._receive()
        self._pending = rest[length:]
        return head + b"\r\n\r\n" + rest[:length]

    def _receive(self) -> bytes:
        try:
            data = self.sock.recv(65536)
        except OSError:
            raise Gone from None
        if not data:
            raise Gone
        return data

    def send(self, data: bytes) -> None:
        """Send all of it, or raise ``Gone``."""
        if self._stopped.is_set():
            raise Gone
        try:
            self.sock.sendall(data)
        except OSError:
            raise Gone from None

    def wait(self, seconds: float | None = None) -> None:
        """Do nothing, for ever if no time is given."""
        if self._stopped.wait(seconds):
            raise Gone

    def close(self) -> None:
        """Close in an orderly way."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()

    def reset(self) -> None:
        """Close with a reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()
        raise Gone

    def answer(self, body: bytes, status: str = "200 OK", content_type: str = JSON, **headers: str) -> None:
        """A well-formed answer."""
        lines = [f"HTTP/1.1 {status}", f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.send("\r\n".join([*lines, "", ""]).encode() + body)


#: Called for every request; the connection lives on when it returns.
Behaviour = Callable[[Client, bytes], None]
BEHAVIOURS: dict[str, Behaviour] = {}


def _behaviour(function: Behaviour) -> Behaviour:
    BEHAVIOURS[function.__name__.replace("_", "-")] = function
    return function


class Server:
    """Listens on a free port of the loopback address, with a thread for each connection; keeps every request.

    One that serves *one_at_a_time* has a single thread, which takes a connection up when the one before it has ended.
    """

    def __init__(
        self,
        behaviour: Behaviour,
        *,
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
        prefix: str = "/v2",
        one_at_a_time: bool = False,
    ) -> None:
        self._behaviour = behaviour
        self._one_at_a_time = one_at_a_time
        self._tls = tls
        self._prefix = prefix
        self.requests: list[bytes] = []
        self.connections = 0
        self._counting = threading.Lock()
        self._closed = 0
        self._stopped = threading.Event()
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family, backlog=128)
        self._address = self._listener.getsockname()
        self._thread = threading.Thread(target=self._accept, daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._address[1])

    @property
    def base_url(self) -> str:
        """The base URL to give to the suite."""
        host = self._address[0]
        return f"http{'s' if self._tls else ''}://{f'[{host}]' if ':' in host else host}:{self.port}{self._prefix}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def open(self) -> int:
        """How many connections are open."""
        with self._counting:
            return self.connections - self._closed

    def _count_closed(self) -> None:
        with self._counting:
            self._closed += 1

    def stop(self) -> None:
        """Close everything and end every thread."""
        self._stopped.set()
        self.vanish()
        for thread in (self._thread, *self._threads):
            if thread is not threading.current_thread():
                thread.join(10)

    def vanish(self) -> None:
        """Stop to listen and break every connection."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in list(self._sockets):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            self._sockets.append(sock)
            if self._one_at_a_time:
                self._serve(sock)
                continue
            thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket) -> None:
        try:
            if self._tls is not None:
                sock = self._tls.wrap_socket(sock, server_side=True)
                self._sockets.append(sock)
        except OSError:
            self._count_closed()
            sock.close()
            return
        client = Client(sock, self._stopped)
        try:
            while True:
                request = client.request()
                self.requests.append(request)
                self._behaviour(client, request)
        except Gone:
            pass
        finally:
            client.close()
            self._count_closed()


def handed_on(upstream: tuple[str, int], request: bytes) -> bytes:
    """What a server at *upstream* answers to *request*, on a connection of its own."""
    with socket.create_connection(upstream, timeout=60) as link:
        link.sendall(request.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
        answer = b""
        while piece := link.recv(65536):
            answer += piece
    return answer


class Relay(Server):
    """A server that hands requests on to a good one, and after *well* of them misbehaves."""

    def __init__(self, upstream: str, behaviour: Behaviour, well: int) -> None:
        super().__init__(self._relay)
        host, _, port = upstream.partition("://")[2].partition("/")[0].rpartition(":")
        self._upstream = (host, int(port))
        self._then = behaviour
        self._left = itertools.count(-well)

    def _relay(self, client: Client, request: bytes) -> None:
        if next(self._left) >= 0:
            self._then(client, request)
        else:
            self.forward(client, request)

    def forward(self, client: Client, request: bytes) -> None:
        """Let the good server answer."""
        client.send(handed_on(self._upstream, request))
        raise Gone


_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
_CHUNKED = _HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
_GOOD = b'{"success": true, "value": "0123456789abcdef0123456789abcdef"}'
_RATE_LIMIT = b'{"success": false, "status": {"code": 15, "description": "Too many requests"}}'
_UNAVAILABLE = b'{"success": false, "status": {"code": 14, "description": "Database unavailable"}}'
_COMMANDS = b'{"success": false, "status": {"code": 4, "description": "x\\n::error::x ##[error]y ##vso[task]z"}}'


def _answers(body: bytes, status: str = "200 OK", content_type: str = JSON, **headers: str) -> Behaviour:
    """The same well-formed answer each time."""
    return lambda client, _: client.answer(body, status, content_type, **headers)


def _cuts(data: bytes) -> Behaviour:
    """Sends *data* and closes."""

    def cut(client: Client, request: bytes) -> None:
        client.send(data)
        raise Gone

    return cut


def _waits(data: bytes) -> Behaviour:
    """Sends *data*, and then nothing more."""

    def wait(client: Client, request: bytes) -> None:
        client.send(data)
        client.wait()

    return wait


def _streams(head: bytes, piece: bytes) -> Behaviour:
    """Sends *head*, and then *piece* for ever."""

    def stream(client: Client, request: bytes) -> None:
        client.send(head)
        while True:
            client.send(piece)

    return stream


def _drips(head: bytes, rest: bytes) -> Behaviour:
    """Sends *head*, and then a byte of *rest* each second."""

    def drip(client: Client, request: bytes) -> None:
        client.send(head)
        for byte in rest:
            client.send(bytes([byte]))
            client.wait(1)

    return drip


# ---------------------------------------------------------------------- time

BEHAVIOURS |= {
    "hangs-before-the-headers": _waits(b""),
    "drips-headers": _drips(b"", _HEAD + b"X-Filler: " + b"x" * 10_000),
    "drips-the-body": _drips(_HEAD + b"Content-Length: 10000\r\n\r\n", b'{"success": true, "value": "' + b"a" * 10_000),
    "announces-more-than-it-sends-and-waits": _waits(_HEAD + b'Content-Length: 999\r\n\r\n{"success": true}'),
    "sends-interim-answers-for-ever": _streams(
        b"", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 100
    ),
}


# ---------------------------------------------------------------------- space

BEHAVIOURS |= {
    "streams-without-end": _streams(_HEAD + b'\r\n{"success": true, "value": "', b"a" * 65536),
    "sends-chunks-of-one-byte-without-end": _streams(_CHUNKED, b"1\r\na\r\n" * 10_000),
    "sends-headers-without-end": _streams(b"HTTP/1.1 200 OK\r\n", b"X-Filler: " + b"x" * 60_000 + b"\r\n"),
    "sends-one-header-without-end": _streams(b"HTTP/1.1 200 OK\r\nX-Filler: ", b"x" * 65536),
    "sends-trailers-without-end": _streams(_CHUNKED + b"0\r\n", b"X-Filler: 1\r\n" * 5_000),
    "sends-a-negative-chunk": _streams(_CHUNKED + b"-5\r\n", b"a" * 65536),
}


@functools.cache
def _bomb(wrappings: int) -> bytes:
    """A gzip stream of ``BOMB`` zeros; with a second wrapping, what it is packed into is packed itself."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    data = bytes(_MEBI)
    first = packer.compress(data) + packer.flush(zlib.Z_FULL_FLUSH)
    # After a full flush the same input gives the same output: no need to pack the rest.
    again = packer.compress(data) + packer.flush(zlib.Z_FULL_FLUSH)
    stream = first + again * (BOMB // _MEBI - 1)
    for _ in range(wrappings - 1):
        stream = zlib.compress(stream, 9, 16 + zlib.MAX_WBITS)
    return stream


@_behaviour
def sends_a_gzip_bomb(client: Client, request: bytes) -> None:
    client.answer(_bomb(1), Content_Encoding="gzip")


@_behaviour
def sends_a_gzip_bomb_in_gzip(client: Client, request: bytes) -> None:
    client.answer(_bomb(2), Content_Encoding="gzip, gzip")


_names = itertools.count()


@_behaviour
def gives_a_new_key_of_a_megabyte_each_time(client: Client, request: bytes) -> None:
    key = f"{next(_names):08x}" * (_MEBI // 8 - 10)
    client.answer(f'{{"success": true, "value": "{key}"}}'.encode())


@_behaviour
def shows_hundreds_of_keys_each_time(client: Client, request: bytes) -> None:
    keys = ", ".join(f'"{random.getrandbits(128):032x}"' for _ in range(25_000))
    client.answer(f'{{"success": true, "value": "{random.getrandbits(128):032x}", "others": [{keys}]}}'.encode())


# ---------------------------------------------------------------------- no HTTP

BEHAVIOURS |= {
    "cuts-in-the-headers": _cuts(b"HTTP/1.1 200 OK\r\nContent-Type: applica"),
    "cuts-in-the-body": _cuts(_HEAD + b'Content-Length: 60\r\n\r\n{"success": tr'),
    "cuts-in-a-chunk": _cuts(_CHUNKED + b'40\r\n{"success": true,'),
    "closes-without-an-answer": _cuts(b""),
    "resets": lambda client, _: client.reset(),
    "speaks-another-protocol": _cuts(b"SSH-2.0-OpenSSH_9.6\r\n" + bytes(range(256)) * 20),
    "sends-noise": _cuts(b"\x15\x03\x01\x00\x02\x02\x46\n\n\n\r\n\r\n\x00\xff" * 50),
    "sends-bare-json": _cuts(_GOOD),
    "sends-lines-that-are-no-headers": _waits(
        b"HTTP/1.1 200 OK\r\nthis is no header\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    ),
    "announces-two-lengths": _waits(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
    "sends-gzip-that-is-none": _answers(b'{"success": true}', Content_Encoding="gzip"),
    "speaks-http2-only": _waits(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + bytes(18)),
}


@_behaviour
def resets_in_the_body(client: Client, request: bytes) -> None:
    client.send(_HEAD + b'Content-Length: 60\r\n\r\n{"success": tr')
    client.wait(0.05)
    client.reset()


# ---------------------------------------------------------------------- HTTP, and hostile all the same

BEHAVIOURS |= {
    "announces-less-than-it-sends": lambda client, _: client.send(_HEAD + b"Content-Length: 10\r\n\r\n" + _GOOD),
    "nests-200000-brackets": _answers(b"[" * 200_000 + b"]" * 200_000),
    "nests-200000-brackets-in-the-value": _answers(
        b'{"success": true, "value": ' + b"[" * 200_000 + b"]" * 200_000 + b"}"
    ),
    "sends-a-number-of-100000-digits": _answers(b'{"success": true, "value": ' + b"7" * 100_000 + b"}"),
    "sends-a-code-of-100000-digits": _answers(
        b'{"success": false, "status": {"code": ' + b"7" * 100_000 + b', "description": "x"}}', "400 Bad Request"
    ),
    "sends-a-fraction-of-100000-digits": _answers(
        b'{"success": false, "status": {"code": 3.' + b"7" * 100_000 + b'e99999, "description": "x"}}',
        "400 Bad Request",
    ),
    "sends-bytes-that-are-not-utf8": _answers(b'{"success": true, "value": "\xff\xfe\xc3\x28 \xed\xa0\x80"}'),
    "sends-what-keeps-patterns-busy": _answers(
        b'{"success": false, "status": {"code": 3, "description": "' + b"at a.a(" * 140_000 + b'"}}'
    ),
    "is-rate-limited-for-ever": _answers(_RATE_LIMIT, "429 Too Many Requests", Retry_After="1"),
    "is-rate-limited-for-a-century": _answers(_RATE_LIMIT, "429 Too Many Requests", Retry_After="3155760000"),
    "is-unavailable-for-ever": _answers(_UNAVAILABLE, "503 Service Unavailable", Retry_After="1"),
    "asks-for-a-password": _answers(
        b"<html>401</html>", "401 Unauthorized", "text/html", WWW_Authenticate='Basic realm="staging"'
    ),
    "is-behind-a-proxy-that-asks-for-a-password": _answers(
        b"<html>407</html>", "407 Proxy Authentication Required", "text/html"
    ),
    "sends-half-a-character": _answers(b'{"\\ud800": 1, "success\\udfff": "\\ud83d\\u202e\\u0007"}'),
    "sends-commands-of-a-job": _answers(
        _COMMANDS, "400 Bad Request", "::stop-commands::x", Location="##vso[task.complete]"
    ),
    "is-a-broken-gateway": _answers(b"<html><h1>502 Bad Gateway</h1></html>", "502 Bad Gateway", "text/html"),
}


@_behaviour
def redirects_in_a_loop(client: Client, request: bytes) -> None:
    path = request.split(b" ")[1].decode()
    client.answer(b"", "302 Found", Location=path)


@_behaviour
def has_tls_and_says_so(client: Client, request: bytes) -> None:
    client.answer(b"The plain HTTP request was sent to HTTPS port", "400 Bad Request", "text/html")
    raise Gone


def redirects_to(base_url: str) -> Behaviour:
    """Sends the client elsewhere, with the method and the body it had (307)."""

    def redirect(client: Client, request: bytes) -> None:
        path = request.split(b" ")[1].decode()
        client.answer(b"", "307 Temporary Redirect", Location=base_url.removesuffix("/v2") + path)

    return redirect


def disappearing(relay: list[Relay]) -> Behaviour:
    """The server is no longer there."""

    def disappear(client: Client, request: bytes) -> None:
        relay[0].vanish()
        raise Gone

    return disappear


def slow(relay: list[Relay], seconds: float) -> Behaviour:
    """Every answer is right, and takes *seconds*."""

    def wait(client: Client, request: bytes) -> None:
        client.wait(seconds)
        relay[0].forward(client, request)

    return wait
