"""Waivers: known deviations, each with a reason and a last day, so that none of them rots."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from contracts.requirements import catalogue, select
from contracts.schemas import validator
from fixtures.errors import SetupError, nearest
from fixtures.files import read_bytes


@dataclass(frozen=True)
class Waiver:
    """A known deviation.

    ``expires`` is its last day (UTC); ``expect`` a text that each failure's message must contain.
    """

    requirement: str
    reason: str
    expires: date
    issue: str | None = None
    expect: str | None = None

    def active(self, today: date) -> bool:
        """Whether it still waives on the day *today* (UTC)."""
        return today <= self.expires

    def covers(self, messages: Sequence[str], today: date) -> bool:
        """Whether it waives failures with these messages on the day *today* (UTC)."""
        return self.active(today) and (self.expect is None or all(self.expect in message for message in messages))


def read_waivers(path: Path) -> tuple[list[Waiver], str]:
    """The waivers of *path* and the file's SHA-256. Raises ``SetupError`` naming what is wrong and where."""
    try:
        raw = read_bytes(path)
        data: dict[str, Any] = tomllib.loads(raw.decode("utf-8-sig"))
    except OSError as error:
        raise SetupError(f"the waivers file {path} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SetupError(f"the waivers file {path} is not TOML: {str(error).splitlines()[0]}") from None
    except (ValueError, RecursionError):
        raise SetupError(f"the waivers file {path} is not TOML that can be read") from None
    plain = _plain(data)
    for flaw in sorted(validator("waivers").iter_errors(plain), key=lambda each: list(map(str, each.absolute_path))):
        raise SetupError(f"the waivers file {path}: {_explain(flaw)}")
    waivers: list[Waiver] = []
    for number, row in enumerate(data.get("waiver", []), 1):
        where = f"the waivers file {path}: waiver {number}"
        if row["requirement"] not in catalogue():
            raise SetupError(f"{where} names {_no_id(row['requirement'])}")
        if any(each.requirement == row["requirement"] for each in waivers):
            raise SetupError(f"{where} repeats the requirement {row['requirement']}")
        waivers.append(
            Waiver(row["requirement"], row["reason"], _date(row["expires"], where), row.get("issue"), row.get("expect"))
        )
    return waivers, hashlib.sha256(raw).hexdigest()


def _no_id(name: str) -> str:
    """What *name* is, which is no id of a requirement."""
    with suppress(KeyError):
        return f"the tag {name}: a waiver is for one requirement, such as {select([name])[0]}"
    return f"the unknown requirement {name!r}{nearest(name, catalogue()) or '; see --list-requirements'}"


def _date(value: object, where: str) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise SetupError(f"{where}: expires must be a date such as 2027-01-31") from None


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, datetime):
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, date) else value


def _explain(error: Any) -> str:
    path = list(error.absolute_path)
    if len(path) > 1 and path[0] == "waiver" and isinstance(path[1], int):
        place = f"waiver {path[1] + 1}" + ("." + ".".join(map(str, path[2:])) if path[2:] else "")
    else:
        place = ".".join(map(str, path)) or "the top level"
    if error.validator == "additionalProperties":
        known = error.schema["properties"]
        unknown = next(name for name in error.instance if name not in known)
        return f"{place}: unknown key {unknown!r}{nearest(unknown, known)}"
    if error.instance == "" or (error.validator == "pattern" and not str(error.instance).strip()):
        return f"{place} is empty"
    return f"{place}: {error.message}"
