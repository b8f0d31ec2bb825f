"""What repeats, put together for people: the violations of one requirement, and the requirements of one cause.

Nothing here decides anything: results are what they were. Pure functions of what ``conformance.json`` holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from contracts.ids import A1, A3, B1
from reports.formats.repeat import is_script
from reports.results import ViolationRecord
from reports.words import call_of, count, input_of, one_line, spoken

#: The calls of a group, in this order; what is none of them comes last.
_STYLES: Final = ("GET", "JSON", "form", "header", "POST")
_MASK: Final = re.compile(r"«[^»]*»")
_SIZE: Final = re.compile(r"\b\d+ (?=bytes|characters)")
#: Requirements that are about what is sent; so many inputs are shown of one, each in so many characters.
_OF_INPUT: Final = frozenset({A1, A3, B1})
_INPUTS: Final = 4
_LONGEST_INPUT: Final = 40
_OPEN: Final = ("blocked", "error", "not_verified")


@dataclass(frozen=True)
class Gap:
    """Requirements that were not verified for the same reason. ``causes`` are ids, where another's failure explains it.

    ``operations`` says where the two operations differ: "read: passed; create: not verified".
    """

    result: str
    names: tuple[str, ...]
    causes: tuple[str, ...]
    reason: str
    how: str
    operations: str = ""


def grouped(records: Iterable[ViolationRecord]) -> list[ViolationRecord]:
    """One record for what was expected and seen alike, with the calls in which it was seen, in order of appearance."""
    groups: dict[tuple[str, str], list[ViolationRecord]] = {}
    for record in records:
        groups.setdefault((_outline(record.expected), _outline(record.actual)), []).append(record)
    return [_together(group) for group in groups.values()]


def _together(group: Sequence[ViolationRecord]) -> ViolationRecord:
    first = group[0]
    possible = tuple(dict.fromkeys(name for each in group for name in each.possible))
    repeat = next((each.repeat for each in group if is_script(each.repeat)), first.repeat)
    return replace(first, possible=possible, calls=first.calls or calls(group), repeat=repeat)


def _outline(text: str) -> str:
    """*text* without what differs from one answer to the next."""
    return _SIZE.sub("", _MASK.sub("«»", text))


def calls(records: Sequence[ViolationRecord]) -> str:
    """The calls in which *records* were seen: ``create by GET, form: 8 in all``. Empty where no exchange shows them."""
    seen = [each for record in records if record.exchange and (each := call_of(record.exchange["request"]))]
    if not seen:
        return ""
    operations = " and ".join(sorted({operation for operation, _ in seen if operation}))
    found = {style for _, style in seen}
    styles = [*(each for each in _STYLES if each in found), *sorted(found.difference(_STYLES))]
    times = "once" if len(records) == 1 else f"{len(records)} in all"
    return f"{operations + ' by ' if operations else ''}{', '.join(styles)}: {times}{_inputs(records)}"


def _inputs(records: Sequence[ViolationRecord]) -> str:
    """What was sent, where it is bad input that is not refused as it must be, some of it at least."""
    sent = [each.exchange["request"] for each in records if each.exchange and each.requirement in _OF_INPUT]
    found = list(dict.fromkeys(each for request in sent if (each := input_of(request))))
    if not found:
        return ""
    shown = ", ".join(one_line(each, _LONGEST_INPUT) for each in found[:_INPUTS])
    others = f" and {count(len(found) - _INPUTS, 'other')}" if len(found) > _INPUTS else ""
    return f", with {shown}{others}"


def causes_first(entries: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The requirements of a report that failed or are warnings: what explains most of the others first, a MUST before a SHOULD."""
    blocked = [name for each in entries for name in each.get("blocked_by") or ()]
    found = [each for each in entries if each["result"] in ("failed", "warning")]
    # Of equals the order of the catalogue, which goes from the form of an answer to what follows from it.
    return sorted(found, key=lambda each: (each["result"] != "failed", -blocked.count(each["id"])))


def gaps(entries: Iterable[Mapping[str, Any]]) -> list[Gap]:
    """What was not verified, but for what is a MAY: those with the same cause or reason together, *blocked* first."""
    together: dict[tuple[str, tuple[str, ...], str, str, str], list[str]] = {}
    for each in entries:
        if each["result"] in _OPEN and each["level"] != "MAY":
            causes = tuple(each.get("blocked_by") or ())
            reason = "" if causes else each["reason"] or ""
            key = (each["result"], causes, reason, each.get("how_to_verify") or "", by_operation(each))
            together.setdefault(key, []).append(each["id"])
    found = [
        Gap(result, tuple(names), causes, reason, how, operations)
        for (result, causes, reason, how, operations), names in together.items()
    ]
    return sorted(found, key=lambda gap: _OPEN.index(gap.result))


def by_operation(entry: Mapping[str, Any]) -> str:
    """The result for each operation of a requirement, what passed first; empty where they do not differ."""
    results = entry.get("operations") or {}
    if len(set(results.values())) < 2:
        return ""
    ordered = sorted(results.items(), key=lambda item: item[1] != "passed")
    return "; ".join(f"{name}: {spoken(result)}" for name, result in ordered)


def blocks(entries: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """For each requirement that explains others, those that it leaves open."""
    found: dict[str, list[str]] = {}
    for each in entries:
        for name in each.get("blocked_by") or ():
            found.setdefault(name, []).append(each["id"])
    return found
