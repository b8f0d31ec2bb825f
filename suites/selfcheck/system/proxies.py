"""A proxy as companies have it: it knows ``target.test``, which no name server does, and writes down who asked for what."""

from __future__ import annotations

import contextlib
import select
import socket
from urllib.parse import urlsplit

from suites.selfcheck.system.hostile_servers import Client, Gone, Server, handed_on

#: A host that is not on loopback, for whoever goes by its name.
HOST = "target.test"


class Proxy(Server):
    """Hands requests for ``HOST`` on to *upstream*, and tunnels to it for https. ``asked`` has the targets as they came."""

    def __init__(self, upstream: str) -> None:
        super().__init__(self._serve_one)
        parts = urlsplit(upstream)
        self._upstream = (parts.hostname or "", parts.port or 0)
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        """For ``http_proxy``."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which a command uses this proxy."""
        return {
            **dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), self.url),
            **dict.fromkeys(("no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY"), ""),
        }

    def _serve_one(self, client: Client, request: bytes) -> None:
        line, _, rest = request.partition(b"\r\n")
        method, target, _ = line.decode("latin-1").split(" ")
        self.asked.append(target)
        if method == "CONNECT":
            if target.partition(":")[0] != HOST:
                client.answer(b"", "502 Bad Gateway")
                raise Gone
            self._tunnel(client)
        scheme, _, remainder = target.partition("://")
        host, slash, path = remainder.partition("/")
        if scheme != "http" or host.partition(":")[0] != HOST:
            client.answer(b"no such host", "502 Bad Gateway", "text/plain")
            return
        own = f"{method} {slash}{path} HTTP/1.1\r\n".encode("latin-1")
        client.send(handed_on(self._upstream, own + rest))
        raise Gone

    def _tunnel(self, client: Client) -> None:
        with socket.create_connection(self._upstream, timeout=60) as link:
            client.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
            ends = {client.sock: link, link: client.sock}
            with contextlib.suppress(OSError):
                while True:
                    for sock in select.select(list(ends), [], [], 60)[0]:
                        data = sock.recv(65536)
                        if not data:
                            raise Gone
                        ends[sock].sendall(data)
        raise Gone
