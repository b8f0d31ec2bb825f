"""A first draft of an emulator, as somebody writes it from the Delivery page alone, in half an hour.

It breaks what such drafts break: the key is a UUID with dashes, a wrong hash is HTTP 401 with code 401, a form body gets a page
of HTML, the header is not looked at, 201 comes with HTTP 404, 101 and 236 with 400, there are no sub-users, and a hash that is no
string is a 500.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PATH = "/v2/user/session/delivery/"
STATES = (
    "owner",
    "other_owner",
    "owner_without_session",
    "demo_with_session",
    "demo_without_session",
    "tariff_restricted",
)


class Draft(BaseHTTPRequestHandler):
    """The two calls and the hook."""

    accounts: dict[str, str]
    keys: dict[str, str]

    def do_GET(self) -> None:
        """Read the hash from the query."""
        url = urlsplit(self.path)
        self._call(url.path, parse_qs(url.query).get("hash", [""])[0])

    def do_POST(self) -> None:
        """Read the hash from a JSON body; whatever else comes is nobody's concern yet."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            document = json.loads(body)
        except (ValueError, RecursionError):
            return self._page(415, "Unsupported Media Type")
        if self.path == "/_states":
            return self._state(document)
        if not isinstance(document, dict) or not isinstance(document.get("hash", ""), str):
            return self._page(500, "Internal Server Error")
        return self._call(urlsplit(self.path).path, document.get("hash", ""))

    def _state(self, document: dict[str, Any]) -> None:
        name = document["state"]
        if name not in STATES:
            return self._answer(404, {})
        made = uuid.uuid4().hex
        if document["action"] == "setup":
            self.accounts[made] = name
            if name == "demo_with_session":
                self.keys[made] = str(uuid.uuid4())
        return self._answer(200, {"hash": made})

    def _call(self, path: str, given: str) -> None:
        kind = self.accounts.get(given)
        if path not in (PATH + "create", PATH + "read"):
            return self._page(404, "Not Found")
        if kind is None:
            return self._error(401, 401, "Unauthorized")
        if path.endswith("read"):
            return self._success(self.keys[given]) if given in self.keys else self._error(404, 201, "Not found")
        if kind.startswith("demo") and given in self.keys:
            return self._error(400, 101, "Already there")
        if kind == "tariff_restricted":
            return self._error(400, 236, "Not in your tariff")
        self.keys[given] = str(uuid.uuid4())
        return self._success(self.keys[given])

    def _success(self, key: str) -> None:
        self._answer(200, {"success": True, "value": key})

    def _error(self, status: int, code: int, description: str) -> None:
        self._answer(status, {"success": False, "status": {"code": code, "description": description}})

    def _answer(self, status: int, document: object) -> None:
        self._send(status, "application/json", json.dumps(document))

    def _page(self, status: int, title: str) -> None:
        self._send(status, "text/html", f"<!doctype html><title>{status} {title}</title><h1>{title}</h1>")

    def _send(self, status: int, media: str, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


@contextmanager
def first_draft() -> Iterator[str]:
    """The draft on a port of its own; gives its address without ``/v2``."""
    handler = type("OneDraft", (Draft,), {"accounts": {}, "keys": {}, "protocol_version": "HTTP/1.1"})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
