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
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fixtures.emulator.compose import build
from suites.selfcheck.mutation.in_process import ORIGIN, in_process
from suites.selfcheck.system.hostile_servers import Client, Server
from suites.selfcheck.system.watched import target_file

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


def _null_server(answer: Callable[[], Answer]) -> Server:
    """Gives *answer* to everything, and a fresh hash where a hook is asked for."""

    def say(client: Client, request: bytes) -> None:
        status, media_type, body = answer()
        method, path, _ = request.split(b" ", 2)
        if path == b"/_states":
            status, media_type = 200, _JSON
            body = json.dumps({"hash": secrets.token_hex(16)}).encode()
        client.answer(b"" if method == b"HEAD" else body, f"{status} {HTTPStatus(status).phrase}", media_type)

    return Server(say)


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


def _unmade(state: str) -> Any:
    """The conforming emulator, whose hook makes no account in *state*."""
    from fixtures.emulator.core import STATES_PATH, Emulator

    class Unmade(Emulator):
        """Knows nothing of one state."""

        async def read_request(self, scope: Any, receive: Any) -> Any:
            """Read a request, and that for the state as one for a state that there is not."""
            request = await super().read_request(scope, receive)
            if request.path == STATES_PATH:
                return replace(request, body=request.body.replace(f'"{state}"'.encode(), b'"none"'))
            return request

    return Unmade()


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


def _fixed(name: str, accounts: Mapping[str, str]) -> dict[str, str]:
    """Those of *accounts* that the target file of *name* names; none where a hook makes them."""
    kind, _, rest = name.partition("-")
    if name == "@only-owner":
        return {"owner": accounts["owner"]}
    if name == "@fixed" or kind == "@without":
        return {each: value for each, value in accounts.items() if each != rest}
    return {}


@contextmanager
def scenario(name: str, place: Path) -> Iterator[list[str]]:
    """Serve what *name* stands for, and give the options of a run against it."""
    from fixtures.emulator.threaded import ThreadedServer

    kind, _, rest = name.partition("-")
    file = place / "target.toml"
    if kind == "@null":
        what, _, how = rest.rpartition("-")
        with _null_server(NULL_TARGETS[what]) as null:
            states = null.base_url.replace("/v2", "/_states") if how == "hook" else None
            fixed = {"owner": secrets.token_hex(16)} if how == "fixed" else {}
            target = target_file(file, null.base_url, timeout=5, states=states, credentials=fixed)
            yield ["--target", str(target)]
        return
    recorder = _recorder() if name == "@recorded" else None
    emulator = _unmade(rest) if kind == "@unmade" else recorder
    conforming = name == CONFORMING or name.startswith("@")
    names = [] if conforming else [name]
    with contextlib.ExitStack() as stack:
        server: Any = (
            stack.enter_context(ThreadedServer(names, emulator=emulator))
            if needs_socket(name)
            else stack.enter_context(_local(emulator or build(names)))
        )
        accounts = {str(state): account.hash for state, account in server.emulator.store.fixed.items()}
        fixed = _fixed(name, accounts)
        states = None if fixed else server.states_url
        # What is wrong with a limit shows where it may be reached.
        http = "provoke_rate_limit = true" if name.startswith("rate-limit-") else ""
        target = target_file(file, server.base_url, timeout=5, states=states, credentials=fixed, http=http)
        yield ["--target", str(target), *(("--profile", "core") if name == "@core" else ())]
        if recorder is not None:
            (place / REQUESTS).write_text(json.dumps(recorder.seen), encoding="utf-8")
