"""HTTP sessions for tests: with a vault and a guard of their own."""

from __future__ import annotations

from typing import Any

from fixtures.http.guard import Guard, Rotation
from fixtures.http.options import HttpOptions
from fixtures.http.session import Session
from fixtures.secrets import Vault

ALLOWED = Rotation(True, "a test")


def session_on(
    base_url: str, *, rule: Rotation = ALLOWED, limit: int | None = None, loopback: bool = True, **options: Any
) -> Session:
    """A session on *base_url* that may send what *rule* allows; *options* are those of HTTP."""
    vault = Vault()
    guard = Guard(rule, vault, limit)
    return Session(base_url, HttpOptions(**{"timeout": 5, **options}), vault, guard, loopback=loopback)
