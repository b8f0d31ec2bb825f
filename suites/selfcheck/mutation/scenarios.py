"""What the suite is set loose on in self-checks, by name: a fault or variation, a null target, fixed accounts.

A null target says the same to everything. ``@null-KIND-hook`` has a provider-states hook that answers with fresh hashes,
``@null-KIND-fixed`` a target file with a fixed owner. ``@fixed`` is the conforming emulator with fixed credentials for
all accounts, ``@without-ACCOUNT`` the same but for one, ``@only-owner`` with the owner's alone, and ``@core`` has the hook
and the core profile. ``@recorded`` notes the requests that come in.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from fixtures.emulator.compose import build
from suites.selfcheck.mutation.in_process import ORIGIN, in_process

CONFORMING = "conforming"
REQUESTS = "requests.json"

#: Status, media type and body of an answer.
Answer = tuple[int, str, bytes]
_JSON = "application/json"


def _error(code: int, status: int) -> Callable[[], Answer]:
    body = json.dumps({"success": False, "status": {"code": code, "description": "No"}}).encode()
    return lambda: (status, _JSON, body)


def _success(value: Callable[[], str]) -> Callable[[], Answer]:
    return lambda: (200, _JSON, json.dumps({"success": True, "value": value()}).encode())


#: What null targets say, whatever they are asked.
NULL_TARGETS: Mapping[str, Callable[[], Answer]] = {
    "empty": lambda: (200, _JSON, b""),
    "object": lambda: (200, _JSON, b"{}"),
    "same-success": _success(lambda: "42fc7d3068cb98d233c3af749dee4a8d"),
    "fresh-success": _success(lambda: secrets.token_hex(16)),
    "code-3": _error(3, 400),
    "code-4": _error(4, 400),
    "code-13": _error(13, 403),
    "code-101": _error(101, 403),
    "code-201": _error(201, 400),
    "html-404": lambda: (404, "text/html", b"<html><body><h1>404 Not Found</h1></body></html>"),
    "code-14": _error(14, 503),
}


@contextmanager
def _null_server(answer: Callable[[], Answer]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Headers and body in one segment: two would cost a delayed acknowledgement each time.
        wbufsize = -1

        def handle_any(self) -> None:
            """Answer."""
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, media_type, body = answer()
            if self.path == "/_states":
                status, media_type = 200, _JSON
                body = json.dumps({"hash": secrets.token_hex(16)}).encode()
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = handle_any

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _recorder() -> Any:
    """The conforming emulator, which notes the requests that come in."""
    from fixtures.emulator.core import STATES_PATH, Emulator

    class Recorder(Emulator):
        """Notes what it is asked."""

        def __init__(self) -> None:
            super().__init__()
            self.seen: list[list[str]] = []

        async def read_request(self, scope: Any, receive: Any) -> Any:
            """Read a request and note it."""
            request = await super().read_request(scope, receive)
            if request.path != STATES_PATH:
                headers = sorted(f"{name}: {value}" for name, value in scope["headers"] if name != b"host")
                path, query = scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
                self.seen.append([request.method, path, query, *headers, request.body.decode("latin-1")])
            return request

    return Recorder()


def write_target(
    place: Path, base_url: str, *, states: str | None = None, fixed: Mapping[str, str] | None = None
) -> Path:
    """A target file."""
    lines = [f'base_url = "{base_url}"']
    if fixed:
        lines += ["[credentials]", *(f'{name} = "{value}"' for name, value in fixed.items())]
    if states:
        lines += ["[provider_states]", f'url = "{states}"']
    target = place / "target.toml"
    target.write_text("\n".join([*lines, "[http]", "timeout = 5", ""]), encoding="utf-8")
    return target


@dataclass(frozen=True)
class _Local:
    """An emulator in this process."""

    emulator: Any
    base_url: str = f"{ORIGIN}/v2"
    states_url: str = f"{ORIGIN}/_states"


@contextmanager
def _local(emulator: Any) -> Iterator[_Local]:
    with in_process(emulator):
        yield _Local(emulator)


def needs_socket(name: str) -> bool:
    """Whether what is wrong, or free, lies in what is done with the wire, or shows only to threads that race for it."""
    from fixtures.emulator.faults import FAULTS
    from fixtures.emulator.silence import Mute
    from fixtures.emulator.variations import VARIATIONS

    found = FAULTS.get(name) or VARIATIONS.get(name)
    if found is None:
        return False
    silent = issubclass(found.emulator, Mute) and found.emulator.silent
    return silent or found.emulator.__module__.endswith(".connection") or provokes(name)


def provokes(name: str) -> bool:
    """Whether the limit on calls is provoked, for what is wrong with it shows only there."""
    return name.startswith("rate-limit-")


@contextmanager
def scenario(name: str, place: Path) -> Iterator[list[str]]:
    """Serve what *name* stands for, and give the options of a run against it."""
    from fixtures.emulator.threaded import ThreadedServer

    kind, _, rest = name.partition("-")
    if kind == "@null":
        what, _, how = rest.rpartition("-")
        with _null_server(NULL_TARGETS[what]) as origin:
            states = f"{origin}/_states" if how == "hook" else None
            fixed = {"owner": secrets.token_hex(16)} if how == "fixed" else None
            target = write_target(place, f"{origin}/v2", states=states, fixed=fixed)
            yield ["--target", str(target)]
        return
    emulator = _recorder() if name == "@recorded" else None
    conforming = name == CONFORMING or name.startswith("@")
    names = [] if conforming else [name]
    with contextlib.ExitStack() as stack:
        server: Any = (
            stack.enter_context(ThreadedServer(names, emulator=emulator))
            if needs_socket(name)
            else stack.enter_context(_local(emulator or build(names)))
        )
        accounts = {str(state): account.hash for state, account in server.emulator.store.fixed.items()}
        if name == "@only-owner":
            target = write_target(place, server.base_url, fixed={"owner": accounts["owner"]})
        elif name == "@fixed" or kind == "@without":
            accounts.pop(rest, None)
            target = write_target(place, server.base_url, fixed=accounts)
        else:
            target = write_target(place, server.base_url, states=server.states_url)
        if name.startswith("rate-limit-"):
            # What is wrong with a limit shows where it may be reached.
            with target.open("a", encoding="utf-8") as text:
                text.write("provoke_rate_limit = true\n")
        yield ["--target", str(target), *(("--profile", "core") if name == "@core" else ())]
        if emulator is not None:
            (place / REQUESTS).write_text(json.dumps(emulator.seen), encoding="utf-8")
