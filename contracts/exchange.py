"""What went over the wire: a request, its answer, and what was meant by it. Plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

OPERATIONS = ("create", "read")


@dataclass(frozen=True)
class Request:
    """A request as it was sent. Its repr names no header, query or body: they hold secrets."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def __repr__(self) -> str:
        return f"<{self.method} {self.url.partition('?')[0]}>"


@dataclass(frozen=True)
class Response:
    """An answer as it came, its body decompressed, ``cut`` where it was too long, ``garbled`` where its compression is none.

    ``seconds`` is the time of the whole exchange.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    seconds: float = 0.0
    cut: bool = False
    garbled: bool = False

    def header(self, name: str) -> str | None:
        """The values of the header *name*, joined as RFC 9110 section 5.3 says, or None."""
        wanted = name.lower()
        values = [value for key, value in self.headers if key.lower() == wanted]
        return ", ".join(values) if values else None

    def __repr__(self) -> str:
        return f"<HTTP {self.status}, {len(self.body)} bytes>"


#: How a call that must not succeed has to be answered.
#:
#: ``code``: by an error with one of the codes. ``general``: by the error envelope with a general code and a 4xx (B1). ``any``: by
#: anything but a success. ``answer``: by anything but a server error or silence. ``limit``: by a success, or by 429 with code 15.
RefusalForm = Literal["code", "general", "any", "answer", "limit"]


@dataclass(frozen=True)
class Refusal:
    """What is expected of a call that must not succeed.

    A success breaks *requirement*; an error with a code that is not among *codes* breaks *code_requirement*.
    """

    requirement: str
    form: RefusalForm = "code"
    codes: frozenset[int] = frozenset()
    code_requirement: str = ""

    @property
    def for_its_code(self) -> str:
        """The requirement that an error with another code breaks."""
        return self.code_requirement or self.requirement


@dataclass(frozen=True)
class Intent:
    """What the sender of a call means by it, as far as judging its answer needs to know.

    ``operation`` is ``create`` or ``read``, or None where no documented operation is called. ``credential`` is what was
    sent as one, where that is a well-formed hash or near to one. ``valid`` says whether it is a credential of
    ``account``: only then may the answer say anything of any account. ``holder`` is the account whose hash the call
    carries, or derives what it carries from, whether or not in a documented place; ``complete`` says that it carries a
    whole good hash, so that it is no call without valid credentials (facts A5).

    ``free_form`` marks a call whose refusal may have any form (facts C7, B1). ``front`` marks input that a web server may
    refuse before the API sees it (facts B1). ``style`` is the documented call style and ``promise`` the requirement that
    promises it; ``alike`` are other styles whose refusal explains that of the call as well. ``equivalences`` are the
    requirements by which what was changed in the call makes no difference. ``refusal`` is what is expected where the call
    must not succeed, whatever account it is sent as. Calls of one ``group`` (0: none) were sent concurrently. ``repeat``
    marks a call that was sent again, to see whether what went wrong comes of it.
    """

    operation: str | None
    credential: str | None = field(default=None, repr=False)
    valid: bool = False
    account: str | None = None
    free_form: bool = False
    front: bool = False
    style: str = ""
    promise: str = ""
    alike: tuple[str, ...] = ()
    equivalences: tuple[str, ...] = ()
    refusal: Refusal | None = None
    holder: str | None = None
    complete: bool = False
    group: int = 0
    repeat: bool = False

    @property
    def kind(self) -> str:
        """The state that the account is named for: that of ``demo_without_session 2`` is ``demo_without_session``."""
        return (self.account or "").partition(" ")[0]


@dataclass(frozen=True)
class Exchange:
    """A request with its answer, or with what happened instead of one.

    ``sent_at`` and ``ended_at`` are seconds of a clock that only rises; ``time`` is when it was sent, in seconds of the epoch.
    ``rate_limited`` marks an answer 429 with code 15 that stayed when the request was repeated within the bounds: what
    the call was to show is not verified (facts R1).
    """

    intent: Intent
    request: Request
    response: Response | None
    failure: str | None = None
    closed: bool = False
    sent_at: float = 0.0
    ended_at: float = 0.0
    time: float = 0.0
    rate_limited: bool = False

    def __repr__(self) -> str:
        return f"<{self.request!r} -> {self.response!r}>" if self.response else f"<{self.request!r} -> {self.failure}>"
