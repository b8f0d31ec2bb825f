"""A target in this process: requests reach an ASGI application without a socket, and concurrent ones in a fixed order.

What a server does with the wire (framing, closing, being late) does not show here; faults of that kind are served on a
socket.
"""

from __future__ import annotations

import asyncio
import functools
import io
import os
import random
import re
import sys
import threading
import types
from collections.abc import Callable, Coroutine, Generator, Iterator, Mapping
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, cast
from unittest import mock
from urllib.parse import unquote

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPHeaderDict, HTTPResponse

from suites.scenarios import concurrency
from suites.selfcheck.mutation.clock import REQUEST, Clock, Loop, Step

#: The address that target files name: nothing listens there.
ORIGIN = "http://127.0.0.1:9"
#: Seconds that concurrent requests wait for each other at most, real ones: where fewer come than were expected. A machine that
#: stands still for some must not let the first of them begin alone.
_PATIENCE = 120.0
_LARGEST_HEADER = 65_536
#: The name of a thread of ``run_concurrently``. They are numbered in the order in which they are made.
_SENDER = re.compile(r"Thread-(\d+) \(work\)")
#: Makes responses as the library has them, and sends nothing.
_LIBRARYS = HTTPAdapter()


class InProcessAdapter(BaseAdapter):
    """Gives each request to *app*, in one event loop, and its answer to ``requests``; time goes by *clock*.

    A request that comes alone is answered in the thread that sends it. Only concurrent ones have a thread for the loop.
    """

    def __init__(self, app: Any, clock: Clock) -> None:
        super().__init__()
        self._app = app
        self._clock = clock
        self._loop = Loop(clock, self._step)
        self._alone = threading.Lock()
        self._group: _Group | None = None
        self._tasks: set[asyncio.Task[list[dict[str, Any]]]] = set()
        self._late: dict[threading.Thread, float] = {}

    def pause(self, seconds: float, _: object) -> None:
        """The next request of this thread, which is concurrent, begins so many *seconds* late."""
        self._late[threading.current_thread()] = seconds

    @contextmanager
    def together(self, count: int) -> Iterator[None]:
        """The next *count* requests are concurrent, each from a thread of its own: none is answered before all have come."""
        self._group = _Group(count)
        thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join(10)
            self._group = None

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """Answer *request*."""
        group = self._group
        messages = self._answer_alone(request) if group is None else self._answer_together(request, group)
        return self._response(request, messages)

    def _answer_alone(self, request: requests.PreparedRequest) -> list[dict[str, Any]]:
        with self._alone:
            self._clock.go_on(REQUEST)
            if self._loop.waits():
                # What was to happen by now comes first.
                self._loop.run_until_complete(_nothing())
            return self._run(self._ask(request))

    def _run(self, answering: Coroutine[Any, None, list[dict[str, Any]]]) -> list[dict[str, Any]]:
        """The result of *answering*. Most of it waits for nothing and needs no turn of the loop."""
        asyncio._set_running_loop(self._loop)
        try:
            awaited = answering.send(None)
        except StopIteration as end:
            return cast("list[dict[str, Any]]", end.value)
        finally:
            asyncio._set_running_loop(None)
        return self._loop.run_until_complete(_rest(answering, awaited))

    def _answer_together(self, request: requests.PreparedRequest, group: _Group) -> list[dict[str, Any]]:
        coming = _Coming(request, _number(threading.current_thread()), self._late.pop(threading.current_thread(), 0.0))
        coming.answer.add_done_callback(group.answered)
        group.add(coming)
        self._loop.call_soon_threadsafe(int)
        try:
            return coming.answer.result(_PATIENCE)
        except TimeoutError:
            # Fewer came than were expected.
            group.wait_for_no_more()
            return coming.answer.result()

    def _step(self) -> Step:
        """What is to be done when nothing in the loop is."""
        group = self._group
        if group is None:
            return "wait"
        if not group.quiet():
            return "look again"
        together = group.take()
        if together:
            # They are on their way for as long as one that comes alone. The thread that sends one does not let the time go by: what
            # waits in the loop would happen before it or after, as threads happen to run.
            for late, each in groupby(together, key=lambda coming: coming.late):
                self._loop.call_later(REQUEST + late, self._begin, list(each))
        return "go on" if together else "wait"

    def _begin(self, together: list[_Coming]) -> None:
        for each in together:
            task = self._loop.create_task(self._ask(each.request))
            self._tasks.add(task)
            task.add_done_callback(functools.partial(self._finish, each.answer))

    def _finish(self, answer: Future[list[dict[str, Any]]], task: asyncio.Task[list[dict[str, Any]]]) -> None:
        self._tasks.discard(task)
        answer.set_result(task.result())

    def close(self) -> None:
        """End the loop."""
        self._loop.close()

    async def _ask(self, request: requests.PreparedRequest) -> list[dict[str, Any]]:
        raw = (request.url or "").split("://", 1)[1]
        target = "/" + raw.partition("/")[2]
        path, _, query = target.partition("?")
        given = request.body
        body = given.encode() if isinstance(given, str) else bytes(given or b"")
        headers = [(b"host", b"127.0.0.1:9")]
        headers += [
            (str(name).lower().encode("latin-1"), value if isinstance(value, bytes) else str(value).encode("latin-1"))
            for name, value in cast("Mapping[str, str | bytes]", request.headers).items()
        ]
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": "http",
            "path": unquote(path),
            "raw_path": path.encode("latin-1"),
            "query_string": query.encode("latin-1"),
            "root_path": "",
            "headers": headers,
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 9),
        }
        sent: list[dict[str, Any]] = []
        received = False

        async def receive() -> dict[str, Any]:
            nonlocal received
            if received:
                return {"type": "http.disconnect"}
            received = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        if len(target) > _LARGEST_HEADER:
            return _plain(400, b"Invalid HTTP request received.")
        try:
            await self._app(scope, receive, send)
        except Exception:
            # As a server does that stands around an application.
            return _plain(500, b"Internal Server Error")
        return sent

    def _response(self, request: requests.PreparedRequest, messages: list[dict[str, Any]]) -> requests.Response:
        start = next(message for message in messages if message["type"] == "http.response.start")
        body = b"".join(m.get("body", b"") for m in messages if m["type"] == "http.response.body")
        headers = HTTPHeaderDict()
        for name, value in start.get("headers", ()):
            headers.add(name.decode("latin-1"), value.decode("latin-1"))
        body = b"" if request.method == "HEAD" else body
        if "content-encoding" in headers:
            return _LIBRARYS.build_response(request, _packed(request, start["status"], headers, body))
        response = requests.Response()
        response.status_code = start["status"]
        response.headers = CaseInsensitiveDict(headers)
        response.raw = _Whole(headers, body)
        response.url = str(request.url)
        response.request = request
        return response


class _Whole:
    """An answer that is there as a whole, with what is asked of the library's: to make one of those takes longer than to judge it."""

    def __init__(self, headers: HTTPHeaderDict, body: bytes) -> None:
        self.headers = headers
        self._body = body

    def stream(self, amount: int, **_: object) -> Iterator[bytes]:
        """The body in parts of *amount* bytes."""
        for start in range(0, len(self._body), amount):
            yield self._body[start : start + amount]

    def release_conn(self) -> None:
        """There is no connection."""

    def close(self) -> None:
        """There is nothing to close."""


def _packed(request: requests.PreparedRequest, status: int, headers: HTTPHeaderDict, body: bytes) -> HTTPResponse:
    """An answer of the library, which unpacks it."""
    return HTTPResponse(
        io.BytesIO(body),
        headers,
        status,
        preload_content=False,
        decode_content=False,
        request_method=request.method,
    )


@dataclass(frozen=True)
class _Coming:
    """A concurrent request, the number of the thread that sends it, how many seconds late it is, and what will be its answer."""

    request: requests.PreparedRequest
    thread: int
    late: float = 0.0
    answer: Future[list[dict[str, Any]]] = field(default_factory=Future)

    @property
    def place(self) -> tuple[float, bool, int]:
        """Who only reads is under way when the others create, unless it is late."""
        return self.late, "create" in (self.request.url or ""), self.thread


class _Group:
    """Concurrent requests: they begin when no thread sends another one before an answer, in the order of the threads."""

    def __init__(self, count: int) -> None:
        self._missing = count
        # What an earlier run or test has left may end at any time.
        self._others = frozenset(threading.enumerate())
        self._open = 0
        self._coming: list[_Coming] = []
        self._lock = threading.Lock()

    def add(self, coming: _Coming) -> None:
        """Take a request."""
        with self._lock:
            self._open += 1
            self._missing -= 1
            self._coming.append(coming)

    def answered(self, _: object) -> None:
        """A request is answered, and its thread goes on."""
        with self._lock:
            self._open -= 1

    def wait_for_no_more(self) -> None:
        """Those that have come are all."""
        with self._lock:
            self._missing = 0

    def quiet(self) -> bool:
        """Whether every thread that sends waits for an answer, or has ended."""
        if self._missing > 0:
            return False
        # The loop has a thread too, and whatever else there is may begin one.
        senders = [each for each in threading.enumerate() if each not in self._others and _SENDER.fullmatch(each.name)]
        return len(senders) <= self._open

    def take(self) -> list[_Coming]:
        """The requests that now begin."""
        with self._lock:
            coming, self._coming = self._coming, []
        return sorted(coming, key=lambda each: each.place)


def _number(sender: threading.Thread) -> int:
    found = _SENDER.fullmatch(sender.name)
    assert found is not None, f"{sender.name} is none of the threads of run_concurrently"
    return int(found[1])


@types.coroutine
def _rest(
    answering: Coroutine[Any, None, list[dict[str, Any]]], awaited: Any
) -> Generator[Any, Any, list[dict[str, Any]]]:
    """What is left of *answering*, which waits for *awaited*."""
    yield awaited
    return (yield from answering.__await__())


async def _nothing() -> None:
    """One turn of the loop."""


def _plain(status: int, text: bytes) -> list[dict[str, Any]]:
    return [
        {"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/plain")]},
        {"type": "http.response.body", "body": text},
    ]


@contextmanager
def in_process(app: Any) -> Iterator[None]:
    """Every session of ``requests`` reaches *app*, and nothing else; creates of one round are sent at once."""
    clock = Clock()
    adapter = InProcessAdapter(app, clock)
    run_concurrently = concurrency.run_concurrently

    def together(run: Any, workers: Any, **how: bool) -> Any:
        with adapter.together(sum(1 for _ in workers)):
            return run_concurrently(run, workers, **how)

    def get_adapter(*_: object, **__: object) -> InProcessAdapter:
        return adapter

    with ExitStack() as stack:
        stack.callback(adapter.close)
        stack.enter_context(clock.everywhere())
        stack.enter_context(_the_same_chance())
        stack.enter_context(mock.patch.object(requests.Session, "get_adapter", get_adapter))
        stack.enter_context(mock.patch.object(concurrency, "pause", adapter.pause))
        # pytest imports the tests by names of its own, and may do so meanwhile.
        stack.callback(_replace, together, run_concurrently)
        _replace(run_concurrently, together)
        yield


@contextmanager
def _the_same_chance() -> Iterator[None]:
    """Hashes, keys and whatever else the emulator and the suite draw are the same in each run."""
    drawn = random.Random("the proof").randbytes
    with mock.patch.object(os, "urandom", drawn), mock.patch.object(random, "_urandom", drawn):
        yield


def _replace(function: Callable[..., Any], other: Callable[..., Any]) -> None:
    """Let every module that has *function* as ``run_concurrently`` have *other*."""
    for module in list(sys.modules.values()):
        names = getattr(module, "__dict__", {})
        if names.get("run_concurrently") is function:
            names["run_concurrently"] = other
