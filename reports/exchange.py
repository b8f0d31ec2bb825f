"""An exchange in words, redacted: the request, the answer, and what repeats it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from contracts.exchange import Exchange, Request
from contracts.violation import Violation
from fixtures.secrets import Vault
from reports.formats import repeat
from reports.formats.shell import curl
from reports.results import ViolationRecord

#: What is shown of a body, and of a line above it. Reports are read by people.
_SHOWN: Final = 2_000
_LONGEST_LINE: Final = 600


def request_text(request: Request, vault: Vault) -> str:
    """The request as it went over the wire, secrets named."""
    lines = [f"{request.method} {request.url}", *(f"{name}: {value}" for name, value in request.headers)]
    return _text(lines, request.body, vault)


def response_text(exchange: Exchange, vault: Vault) -> str:
    """The answer as it came, or what came instead of one, secrets named."""
    response = exchange.response
    if response is None:
        return f"(no answer: {exchange.failure})"
    lines = [f"HTTP {response.status}", *(f"{name}: {value}" for name, value in response.headers)]
    return _text(lines, response.body, vault) + ("\n(cut)" if response.cut else "")


def _text(lines: list[str], body: bytes, vault: Vault) -> str:
    # Masked before it is cut: what is left of a secret at a cut is no secret that could be found.
    head = "\n".join(_cut(_visible(vault.mask(line)), _LONGEST_LINE) for line in lines)
    return f"{head}\n\n{body_text(body, vault)}" if body else head


def body_text(body: bytes, vault: Vault) -> str:
    """A body for people: text where it is text, escapes where it is not, secrets named, cut where it is long."""
    return _cut(_visible(vault.mask(_decoded(body[: 8 * _SHOWN]))), _SHOWN, len(body))


def _decoded(body: bytes) -> str:
    """The characters of *body*. UTF-16 is read as such: its zeros would hide a secret from whoever looks for one."""
    if body.count(0) * 3 > len(body):
        return body.decode("utf-16-be" if body[:1] == b"\x00" or body[:2] == b"\xfe\xff" else "utf-16-le", "replace")
    return body.decode("utf-8", "backslashreplace")


def _visible(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in "\n\t" else f"\\x{ord(char):02x}" for char in text)


def _cut(text: str, most: int, size: int | None = None) -> str:
    return text if len(text) <= most else f"{text[:most]}… ({size or len(text)} bytes)"


def exchange_text(exchange: Exchange, vault: Vault) -> str:
    """All three under each other, for a page that shows one text."""
    record = exchange_record(exchange, vault)
    return "\n\n".join(f"--- {name} ---\n{text}" for name, text in record.items()) + "\n"


def exchange_record(exchange: Exchange, vault: Vault) -> Mapping[str, str]:
    """Request, response and curl as ``conformance.json`` has them."""
    return {
        "request": request_text(exchange.request, vault),
        "response": response_text(exchange, vault),
        "curl": vault.mask(curl(exchange.request, vault)),
    }


def violation_record(violation: Violation, vault: Vault, *, repeatable: bool = True) -> ViolationRecord:
    """A violation with every secret in it named."""
    return ViolationRecord(
        violation.requirement,
        vault.mask(violation.message),
        vault.mask(violation.expected),
        vault.mask(violation.actual),
        None if violation.exchange is None else exchange_record(violation.exchange, vault),
        repeat.body(violation.exchanges, vault, repeatable=repeatable),
        violation.possible,
    )
