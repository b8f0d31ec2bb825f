"""A target and its hook in one server on raw sockets: the conforming emulator, some of whose answers are replaced.

What replaces them is bytes, made from a :class:`Raw` that is drawn or written by hand. Marks in it, ``@KEY@`` say, stand for
what only the server knows; every secret that it gives or is given is in :attr:`Front.secrets`.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import threading
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import unquote

from fixtures.emulator.core import STATES_PATH, Emulator
from suites.selfcheck.system.hostile_servers import Behaviour, Client, Gone, Server

#: Which requests a replacement is for: all, those of one operation, those that the emulator grants or refuses, some, the hook's.
Place = Literal["all", "create", "read", "granted", "refused", "second", "third", "after-20", "hook"]
_HASH: Final = re.compile(rb"[0-9a-f]{32}")
_SEED: Final = 12
_PACKED: Final = ("gzip", "gzip-cut", "gzip-of-nothing", "deflate")


@dataclass(frozen=True)
class Raw:
    """An answer as it is sent.

    ``interim`` answers (1xx) come before it; each is the head without the empty line. ``head`` is the whole head where it is
    given. ``framing`` says how the length of the body is told, truly or not, and how it is packed.
    """

    body: bytes = b""
    status: bytes = b"HTTP/1.1 200 OK"
    headers: tuple[tuple[bytes, bytes], ...] = ((b"Content-Type", b"application/json"),)
    framing: str = "length"
    interim: tuple[bytes, ...] = ()
    head: bytes | None = None

    def render(self, marks: Mapping[bytes, bytes]) -> bytes:
        """The bytes on the wire, each of *marks* replaced."""
        body = _fill(self.body, marks)
        head, sent = _framed(self.framing, body)
        if self.head is not None:
            return _fill(self.head, marks) + sent
        lines = [*self.interim, self.status]
        lines += [name + b": " + value for name, value in self.headers]
        return _fill(b"\r\n".join([*lines, *head, b""]), marks) + b"\r\n" + sent


def _fill(text: bytes, marks: Mapping[bytes, bytes]) -> bytes:
    for mark, value in marks.items():
        text = text.replace(mark, value)
    return text


def _framed(framing: str, body: bytes) -> tuple[list[bytes], bytes]:
    """The headers that say how long a body is, truly or not, and what is sent of it."""
    length = b"Content-Length: %d"
    if framing == "length":
        return [length % len(body)], body
    if framing == "too-long":
        return [length % (len(body) + 7)], body
    if framing == "too-short":
        return [length % (len(body) // 2)], body
    if framing == "two-lengths":
        return [length % len(body), length % (len(body) + 1)], body
    if framing == "close":
        return [], body
    if framing in ("chunked", "chunks-cut", "chunks-wrong", "trailers"):
        return [b"Transfer-Encoding: chunked"], _chunks(framing, body)
    if framing not in _PACKED:
        raise ValueError(f"no framing is called {framing!r}")
    packed = zlib.compress(body, wbits=zlib.MAX_WBITS + (16 if framing.startswith("gzip") else 0))
    sent = {"gzip-cut": packed[: len(packed) // 2], "gzip-of-nothing": b""}.get(framing, packed)
    return [b"Content-Encoding: " + framing.partition("-")[0].encode(), length % len(sent)], sent


def _chunks(framing: str, body: bytes) -> bytes:
    half = len(body) // 2
    pieces = [each for each in (body[:half], body[half:]) if each]
    sent = b"".join(b"%x;name=value\r\n%s\r\n" % (len(each), each) for each in pieces)
    if framing == "chunks-cut":
        return sent
    if framing == "chunks-wrong":
        return sent + b"-1\r\nzz\r\n0\r\n\r\n"
    trailer = b"X-Key: " + body[:200].replace(b"\r", b"").replace(b"\n", b"") + b"\r\n"
    return sent + b"0\r\n" + (trailer if framing == "trailers" else b"") + b"\r\n"


@dataclass(frozen=True)
class Replaced:
    """Which answers are replaced, and by what, one after the other."""

    place: Place
    answers: tuple[Raw, ...]


@dataclass
class Front:
    """The emulator, and what replaces some of its answers. ``with front.serve() as server``."""

    replaced: Sequence[Replaced] = ()
    emulator: Emulator = field(default_factory=Emulator)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._random = random.Random(_SEED)
        self._count = 0
        self._next = [0] * len(self.replaced)
        self._given: set[str] = set()

    def serve(self) -> Server:
        """A server that answers so."""
        return Server(self._behaviour())

    @property
    def secrets(self) -> set[str]:
        """Every credential, key and part of an answer that no output may show."""
        store = self.emulator.store
        return {*store.accounts, *store.issued, *self._given}

    def fixed(self) -> dict[str, str]:
        """The emulator's accounts with a fixed credential, by state."""
        return {str(state): account.hash for state, account in self.emulator.store.fixed.items()}

    def _behaviour(self) -> Behaviour:
        def answer(client: Client, request: bytes) -> None:
            given, goes_on = self.answer(request)
            client.send(given)
            if not goes_on:
                raise Gone

        return answer

    def answer(self, request: bytes) -> tuple[bytes, bool]:
        """What is sent to *request*, and whether the connection goes on."""
        with self._lock:
            return self._answer(request)

    def _answer(self, request: bytes) -> tuple[bytes, bool]:
        status, headers, body = asyncio.run(_ask(self.emulator, request))
        raw = self._replacement(request, status)
        if raw is not None:
            return raw.render(self._marks(request, body)), False
        head = [b"HTTP/1.1 %d Answer" % status, *(name + b": " + value for name, value in headers)]
        if status == 204 or request.startswith(b"HEAD "):
            body = b""
        return b"\r\n".join([*head, b"", b""]) + body, True

    def _replacement(self, request: bytes, status: int) -> Raw | None:
        path = request.split(b" ", 2)[1].partition(b"?")[0]
        hook = path == STATES_PATH.encode()
        if not hook:
            self._count += 1
        for number, each in enumerate(self.replaced):
            if each.answers and (each.place == "hook") == hook and (hook or self._is_at(each.place, path, status)):
                self._next[number] += 1
                return each.answers[(self._next[number] - 1) % len(each.answers)]
        return None

    def _is_at(self, place: Place, path: bytes, status: int) -> bool:
        return {
            "all": True,
            "create": path.rstrip(b"/").endswith(b"create"),
            "read": path.rstrip(b"/").endswith(b"read"),
            "granted": status == 200,
            "refused": status >= 400,
            "second": self._count % 2 == 0,
            "third": self._count % 3 == 0,
            "after-20": self._count > 20,
        }[place]

    def _marks(self, request: bytes, body: bytes) -> dict[bytes, bytes]:
        found = _HASH.search(request)
        own = found.group(0).decode() if found else ""
        store = self.emulator.store
        account = store.accounts.get(own)
        others = [each for each in store.accounts.values() if each is not account]
        other = others[self._random.randrange(len(others))] if others else None
        new = "".join(self._random.choices("0123456789abcdef", k=32))
        digits = "9" + "".join(self._random.choices("0123456789", k=39))
        long = "".join(self._random.choices("0123456789abcdef", k=1_100))
        self._given |= {new, digits, long}
        return {
            b"@HASH@": own.encode(),
            b"@KEY@": (account.key or "" if account is not None else "").encode(),
            b"@OTHER@": (other.hash if other is not None else "").encode(),
            b"@OTHERKEY@": (other.key or "" if other is not None else "").encode(),
            b"@NEW@": new.encode(),
            b"@UUID@": f"{new[:8]}-{new[8:12]}-{new[12:16]}-{new[16:20]}-{new[20:]}".encode(),
            b"@SPELLED@": "".join(f"\\u{ord(char):04x}" for char in new).encode(),
            b"@DIGITS@": digits.encode(),
            b"@LONG@": long.encode(),
            b"@ANSWER@": body,
        }


async def _ask(app: Emulator, request: bytes) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """What *app* answers to the bytes of a request."""
    head, _, body = request.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    method, target, _ = lines[0].split(b" ", 2)
    path, _, query = target.partition(b"?")
    scope: dict[str, Any] = {
        "type": "http",
        "method": method.decode("latin-1"),
        "path": unquote(path.decode("latin-1")),
        "query_string": query,
        "headers": [
            (name.strip().lower(), value.strip()) for name, _, value in (each.partition(b":") for each in lines[1:])
        ],
    }
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent[0]["status"], sent[0]["headers"], b"".join(each.get("body", b"") for each in sent[1:])


def error(code: int, description: str = "No") -> bytes:
    """The envelope of an error."""
    return json.dumps({"success": False, "status": {"code": code, "description": description}}).encode()


def success(value: object) -> bytes:
    """The envelope of a success."""
    return json.dumps({"success": True, "value": value}).encode()


def parts(secret: str, size: int = 12) -> Iterator[str]:
    """Every run of *size* characters of *secret*, in lower case."""
    lowered = secret.lower()
    return (lowered[start : start + size] for start in range(len(lowered) - size + 1))
