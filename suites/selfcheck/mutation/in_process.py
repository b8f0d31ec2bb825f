"""A target in this process: requests reach an ASGI application without a socket, and concurrent ones in a fixed order.

What a server does with the wire (framing, closing, being late) does not show here; faults of that kind are served on a
socket.
"""

from __future__ import annotations

import asyncio
import functools
import io
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, cast
from unittest import mock
from urllib.parse import unquote

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPHeaderDict, HTTPResponse

from suites.scenarios import concurrency

#: The address that target files name: nothing listens there.
ORIGIN = "http://127.0.0.1:9"
#: Seconds that concurrent requests wait for each other at most.
_PATIENCE = 5.0
_LARGEST_HEADER = 65_536


class InProcessAdapter(BaseAdapter):
    """Gives each request to *app*, in one event loop, and its answer to ``requests``.

    A request that comes alone is answered in the thread that sends it. Only concurrent ones have a thread for the loop.
    """

    def __init__(self, app: Any) -> None:
        super().__init__()
        self._app = app
        self._loop = asyncio.new_event_loop()
        self._alone = threading.Lock()
        self._group: _Group | None = None
        self._tasks: set[asyncio.Task[list[dict[str, Any]]]] = set()

    @contextmanager
    def together(self, count: int) -> Iterator[None]:
        """The next *count* requests are concurrent: none is answered before all have come."""
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
            # What was to happen by now comes first.
            self._loop.run_until_complete(_nothing())
            return self._loop.run_until_complete(self._ask(request))

    def _answer_together(self, request: requests.PreparedRequest, group: _Group) -> list[dict[str, Any]]:
        answer: Future[list[dict[str, Any]]] = Future()
        self._loop.call_soon_threadsafe(self._begin, group.add(request, answer))
        try:
            return answer.result(_PATIENCE)
        except TimeoutError:
            # Fewer came than were expected.
            self._loop.call_soon_threadsafe(self._begin, group.rest())
            return answer.result()

    def _begin(self, requests_: Sequence[tuple[requests.PreparedRequest, Future[list[dict[str, Any]]]]]) -> None:
        for request, answer in requests_:
            task = self._loop.create_task(self._ask(request))
            self._tasks.add(task)
            task.add_done_callback(functools.partial(self._finish, answer))

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
        raw = HTTPResponse(
            io.BytesIO(b"" if request.method == "HEAD" else body),
            headers,
            start["status"],
            preload_content=False,
            decode_content=False,
            request_method=request.method,
        )
        return HTTPAdapter().build_response(request, raw)


class _Group:
    """Concurrent requests: they begin when all have come, in an order that does not depend on the threads."""

    def __init__(self, count: int) -> None:
        self._missing = count
        self._waiting: list[tuple[requests.PreparedRequest, Future[list[dict[str, Any]]]]] = []
        self._lock = threading.Lock()

    def add(
        self, request: requests.PreparedRequest, answer: Future[list[dict[str, Any]]]
    ) -> list[tuple[requests.PreparedRequest, Future[list[dict[str, Any]]]]]:
        """Take a request; the requests that now begin."""
        with self._lock:
            if not self._missing:
                return [(request, answer)]
            self._missing -= 1
            self._waiting.append((request, answer))
            return [] if self._missing else self._take()

    def rest(self) -> list[tuple[requests.PreparedRequest, Future[list[dict[str, Any]]]]]:
        """The requests that wait in vain."""
        with self._lock:
            self._missing = 0
            return self._take()

    def _take(self) -> list[tuple[requests.PreparedRequest, Future[list[dict[str, Any]]]]]:
        waiting, self._waiting = self._waiting, []
        return sorted(waiting, key=lambda each: (each[0].method or "", sorted(each[0].headers)))


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
    adapter = InProcessAdapter(app)
    run_concurrently = concurrency.run_concurrently

    def together(run: Any, workers: Any) -> Any:
        with adapter.together(sum(1 for _ in workers)):
            return run_concurrently(run, workers)

    try:
        with (
            mock.patch.object(requests.Session, "get_adapter", return_value=adapter),
            mock.patch("suites.conformance.test_state.run_concurrently", together),
        ):
            yield
    finally:
        adapter.close()
