"""What went over the wire: a request, its answer, and what was meant by it. Plain data."""

from __future__ import annotations

from dataclasses import dataclass, field

OPERATIONS = ("create", "read")


@dataclass(frozen=True)
class Request:
    """A request as it was sent. Its repr names no header, query or body: they hold secrets."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = field(repr=False, default=())
    body: bytes = field(repr=False, default=b"")

    def __repr__(self) -> str:
        return f"<{self.method} {self.url.partition('?')[0]}>"


@dataclass(frozen=True)
class Response:
    """An answer as it came, its body decompressed, ``cut`` where it was too long, ``garbled`` where its compression is none.

    ``seconds`` is the time of the whole exchange.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = field(repr=False, default=())
    body: bytes = field(repr=False, default=b"")
    seconds: float = 0.0
    cut: bool = False
    garbled: bool = False

    def header(self, name: str) -> str | None:
        """The values of the header *name*, joined as RFC 9110 section 5.3 says, or None."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return ", ".join(values) if values else None

    def __repr__(self) -> str:
        return f"<HTTP {self.status}, {len(self.body)} bytes>"


@dataclass(frozen=True)
class Intent:
    """What the sender knows of a call and the judge needs.

    ``operation`` is ``create`` or ``read``, or None where no documented operation is called. ``credential`` is what was
    sent as one, where that is a well-formed hash or near to one. ``valid`` says whether it is a credential of an
    account: only then may the answer say anything of any account. ``free_form`` marks a call whose refusal may have any form
    (facts C7, B1). ``front`` marks input that a web server may refuse before the API sees it (facts B1).
    """

    operation: str | None
    credential: str | None = field(default=None, repr=False)
    valid: bool = False
    account: str | None = None
    free_form: bool = False
    front: bool = False


@dataclass(frozen=True)
class Exchange:
    """A request with its answer, or with what happened instead of one."""

    intent: Intent
    request: Request
    response: Response | None
    failure: str | None = None
    closed: bool = False
    sent_at: float = 0.0
    ended_at: float = 0.0

    def __repr__(self) -> str:
        return f"<{self.request!r} -> {self.response!r}>" if self.response else f"<{self.request!r} -> {self.failure}>"
