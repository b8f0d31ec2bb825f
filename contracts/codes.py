"""The catalogue of error codes, read from ``error_codes.toml``: which HTTP status belongs to a code (E2), and which
codes an operation may answer with (E3).

Sources: Navixy docs, "Errors" (general codes 1 to 100 with their statuses) and "Delivery" (101, 236 and 201). A code is
an integer to JSON Schema, so 3.0 is taken for 3; a boolean is not a code.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal

Operation = Literal["create", "read"]
Scope = Literal["general", "specific"]

_FILE: Final = Path(__file__).with_name("error_codes.toml")


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """One row of the catalogue."""

    code: int
    meaning: str
    http_status: int
    scope: Scope
    operations: frozenset[Operation]
    source: str


_TABLE: Final[Mapping[str, Any]] = tomllib.loads(_FILE.read_text(encoding="utf-8"))

DEFAULT_HTTP_STATUS: Final[int] = _TABLE["default_http_status"]
"""What goes with every code for which the documents name no other status."""

GENERAL: Final = range(_TABLE["general"]["first"], _TABLE["general"]["last"] + 1)
"""Codes that may come from any call, whether they are listed here or not."""

NO_HASH: Final = frozenset({3, 4, 7})
"""Codes by which a hash is refused that is malformed, or that no account has (facts A1, A2)."""

UNKNOWN_HASH: Final = frozenset({3, 4})
"""Those by which a hash is refused that is well formed, and that no account has, or no longer has (facts A2)."""

WRONG_METHOD: Final = 112
"""The code by which an operation says that it does not know the method (ERRORS)."""

SPECIFIC: Final = range(_TABLE["specific"]["first"], _TABLE["specific"]["last"] + 1)
"""Codes that may come from the calls that document them."""

CODES: Final[Mapping[int, ErrorCode]] = MappingProxyType(
    {row["code"]: ErrorCode(**{**row, "operations": frozenset(row["operations"])}) for row in _TABLE["error"]}
)
"""Every code that the documents name for these operations, by its number."""


def http_status(code: int) -> int:
    """The HTTP status that goes with `code`: 400 unless the documents name another (E2)."""
    entry = CODES.get(code)
    return DEFAULT_HTTP_STATUS if entry is None else entry.http_status


def exists(code: int) -> bool:
    """Whether `code` lies where the documents have codes; whose it is then is another question (E3)."""
    return code in GENERAL or code in SPECIFIC


def allowed_for(code: int, operation: str) -> bool:
    """Whether `operation` may answer with `code`: any general one, and those that are documented for it (E3)."""
    if isinstance(code, bool):
        return False
    if code in GENERAL:
        return True
    entry = CODES.get(code)
    return entry is not None and operation in entry.operations
