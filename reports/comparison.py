"""Two runs side by side: which requirements changed, and whether anything got worse."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from contracts.schemas import validator
from fixtures.errors import SetupError
from fixtures.files import read_text
from reports.words import one_line, spoken

_BROKEN: Final = ("failed", "warning")
_LONGEST: Final = 200
#: Bytes of a report: that of a target which breaks everything has a few million.
_LARGEST: Final = 64 * 1_048_576


@dataclass(frozen=True)
class Change:
    """A requirement whose result differs. ``kind`` is ``worse``, ``better``, ``other``, ``new`` or ``gone``."""

    requirement: str
    level: str
    kind: str
    old: str | None
    new: str | None
    why: str

    def __str__(self) -> str:
        path = " → ".join(spoken(result) for result in (self.old, self.new) if result is not None)
        said = f": {one_line(self.why, _LONGEST)}" if self.why else ""
        return f"{self.kind}: {self.requirement} ({self.level}): {path}{said}"


@dataclass(frozen=True)
class Comparison:
    """What differs between two reports."""

    differences: tuple[str, ...]
    changes: tuple[Change, ...]
    unchanged: int

    @property
    def worse(self) -> bool:
        """Whether anything that was fine, or unknown, is broken or unknown now."""
        return any(change.kind == "worse" for change in self.changes)

    def lines(self) -> Iterator[str]:
        """The comparison for a person."""
        yield from self.differences
        yield from map(str, self.changes)
        kinds = {"worse": "worse", "better": "better", "other": "changed otherwise", "new": "new", "gone": "gone"}
        numbers = [(sum(change.kind == kind for change in self.changes), words) for kind, words in kinds.items()]
        counted = [f"{number} {words}" for number, words in numbers if number]
        yield ", ".join([*counted, f"{self.unchanged} unchanged"])
        yield "something got worse" if self.worse else "nothing got worse"


def read(path: Path) -> dict[str, Any]:
    """The report in the file *path*. Raises ``SetupError`` where it is no complete report."""
    try:
        text = read_text(path, _LARGEST)
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise SetupError(f"{path} is not JSON, or was cut off: it is no report") from None
    return parse(text, str(path))


def parse(text: str, name: str, *, by_schema: bool = True) -> dict[str, Any]:
    """The report that *text* holds. Raises ``SetupError``, which names it by *name*, where it is no complete report.

    Checked *by_schema* a report takes longer than a run takes to begin.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise SetupError(f"{name} is not JSON, or was cut off: it is no report") from None
    if not isinstance(document, dict) or "requirements" not in document:
        raise SetupError(f"{name} is no report of this suite")
    if document.get("complete") is not True:
        raise SetupError(f"{name} is not complete: the run did not end, so it says nothing")
    if not by_schema:
        return document
    try:
        flaw = next(iter(validator("report").iter_errors(document)), None)
    except RecursionError:
        raise SetupError(f"{name} is not a valid report: it is nested too deeply") from None
    if flaw is not None:
        place = ".".join(map(str, flaw.absolute_path)) or "its top level"
        raise SetupError(f"{name} is not a valid report: {place} is not as the schema says")
    if not document["requirements"]:
        raise SetupError(f"{name} is not a valid report: it has no requirements, so nothing can be compared")
    return document


def compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> Comparison:
    """What differs between two reports, the later one second."""
    before = {each["id"]: each for each in old["requirements"]}
    after = {each["id"]: each for each in new["requirements"]}
    changes = [
        change
        for name in dict.fromkeys((*after, *before))
        if (change := _change(name, before.get(name), after.get(name))) is not None
    ]
    order = ("worse", "better", "other", "new", "gone")
    changes.sort(key=lambda change: order.index(change.kind))
    unchanged = len(set(before) | set(after)) - len(changes)
    return Comparison(tuple(_differences(old, new)), tuple(changes), unchanged)


def _change(name: str, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> Change | None:
    entry = new or old or {}
    first, second = old["result"] if old else None, new["result"] if new else None
    if first == second:
        return None
    why = _why(new) if new else ""
    return Change(name, entry["level"], _kind(first, second), first, second, why)


def _kind(old: str | None, new: str | None) -> str:
    if new in (None, "out_of_profile"):
        return "gone"
    if old in (None, "out_of_profile"):
        return "new"
    if new in _BROKEN and old not in _BROKEN:
        return "worse"
    if old == "passed":
        return "worse"
    # What was broken and is no longer verified has not improved.
    return "better" if new == "passed" else "other"


def _why(entry: Mapping[str, Any]) -> str:
    violations = entry["violations"]
    return str(violations[0]["message"] if violations else entry["reason"] or "")


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """What makes the two runs hard to compare, and how their verdicts differ."""
    places = (
        ("profile", lambda report: report["target"]["profile"]),
        ("contract", lambda report: f"{report['contract']['version']} ({report['contract']['sha256'][:12]})"),
        ("suite", lambda report: report["suite"]["version"]),
        ("target", lambda report: report["target"]["base_url"]),
        ("selection", lambda report: ", ".join(report["run"]["selection"]) or "everything"),
        ("key rotation", lambda report: "allowed" if report["run"]["rotation"] else "not allowed"),
        ("examples", lambda report: report["run"]["hypothesis_profile"]),
    )
    for name, place in places:
        first, second = place(old), place(new)
        if first != second and not (name == "target" and old["target"]["embedded"] and new["target"]["embedded"]):
            yield f"not the same {name}: {first} → {second}"
    first, second = spoken(old["verdict"]), spoken(new["verdict"])
    yield f"verdict: {first}" if first == second else f"verdict: {first} → {second}"
