"""The end of a run on the terminal: what to repair first, what is open and why, what changed, and last the verdict.

Made for somebody who reads it twenty times an hour: a first draft of a target that breaks a dozen requirements fits on 60
lines of 80 columns. All of it is in the other reports, and in *verbose* here too.
"""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from contracts.requirements import select
from reports.comparison import compare
from reports.formats import repeat
from reports.grouping import Gap, causes_first, gaps
from reports.words import RESULTS, by_name, count, for_a_log, one_line, spoken

#: Lines of a whole run, and those of them that the header, the progress and what pytest adds take.
_LINES: Final = 60
_ABOVE: Final = 15
_WIDEST: Final = 120
_NARROWEST: Final = 60
#: Causes that are shown in full as long as there is room for the others at all.
_FIRST: Final = 1
#: Requirements that were asked for and are listed one by one.
_LISTED: Final = 6
_LONGEST: Final = 400
#: Points that share a reason and are named.
_NAMED: Final = 12
#: A value or a reason takes no more of this many lines.
_WRAPPED: Final = 2
_NO_ACCOUNT: Final = re.compile(r"no account \w+")
_VERDICTS: Final[Mapping[str, Mapping[str, bool]]] = {
    "nonconformant": {"red": True},
    "conformant": {"green": True},
    "unreachable": {"red": True},
}
_RED: Final[Mapping[str, bool]] = {"red": True, "bold": True}
_YELLOW: Final[Mapping[str, bool]] = {"yellow": True}


@dataclass(frozen=True)
class Line:
    """A line and how it is shown."""

    text: str
    markup: Mapping[str, bool] = field(default_factory=dict)


class Summary:
    """The end of a run: *previous* is the report of the last run on the same target, *folder* the report directory as shown."""

    def __init__(
        self,
        document: Mapping[str, Any],
        folder: Path,
        *,
        previous: Mapping[str, Any] | None,
        verbosity: int,
        width: int,
    ) -> None:
        self._document = document
        self._entries: Sequence[Mapping[str, Any]] = document["requirements"]
        self._folder = folder
        self._previous = previous
        self._verbose = verbosity > 0
        self._terse = verbosity < -1
        self._width = min(_WIDEST, max(_NARROWEST, width))
        self._scripts = repeat.names(document)
        self._narrowed = bool(document["run"]["selection"])

    def write(self, reporter: Any) -> None:
        """Print it with *reporter*, pytest's or one like it. The verdict is the last line."""
        for line in self.lines():
            reporter.write_line(for_a_log(line.text), **line.markup)

    def lines(self) -> list[Line]:
        """All lines, the verdict last."""
        tail = [*self._waivers(), *self._gaps(), *self._asked(), *self._numbers(), *self._changes()]
        if self._terse:
            tail = list(self._numbers())
        tail += [*self._where(), self._verdict()]
        return [*self._repair(_LINES - _ABOVE - len(tail)), *tail]

    # ------------------------------------------------------------------ what to repair

    def _repair(self, room: int) -> list[Line]:
        """A block for each requirement that is broken, causes before consequences, in as much detail as there is room for."""
        found = causes_first(self._entries)
        if not found or self._terse:
            return []
        title = [Line("what to repair first", {"bold": True})]
        if self._verbose:
            return [*title, *(line for entry in found for line in self._block(entry)), Line("")]
        room = max(room - len(title) - 1, 1)
        lines = self._fitted(found, room)
        if len(lines) > room:
            left_out = len(lines) - room + 1
            more = Line(f"… and {left_out} more, in {self._folder / 'conformance.md'}")
            lines = [*lines[: room - 1], more]
        return [*title, *lines, Line("")]

    def _fitted(self, found: Sequence[Mapping[str, Any]], room: int) -> list[Line]:
        """The blocks of *found*, each in the longest of its forms that leaves *room* for the others.

        What comes last is shortened first. The first keep their detail until there is no other way: they are what somebody is
        going to repair now.
        """
        forms = [self._forms(entry) for entry in found]
        chosen = [0] * len(found)
        others, first = range(_FIRST, len(found)), range(min(_FIRST, len(found)))
        for numbers in (others, first):
            for form in range(1, len(forms[0])):
                for number in reversed(numbers):
                    if sum(len(forms[at][each]) for at, each in enumerate(chosen)) > room:
                        chosen[number] = form
        return [line for at, each in enumerate(chosen) for line in forms[at][each]]

    def _forms(self, entry: Mapping[str, Any]) -> tuple[Sequence[Line], ...]:
        """The block of *entry* in full, in short, without what repeats it, and on one line."""
        short = list(self._short(entry))
        return list(self._block(entry)), short, short[:-1], [self._shortest(entry)]

    def _block(self, entry: Mapping[str, Any]) -> Iterator[Line]:
        markup = _RED if entry["result"] == "failed" else _YELLOW
        yield from self._wrapped(f"{entry['obligation']}", f"{entry['id']} ({entry['level']}): ", "  ", markup)
        if self._verbose:
            for each in entry.get("references") or ():
                yield Line(f"  source:   {each['document']} {each['url'] or each['reason']}")
        violations = entry["violations"]
        for number, violation in enumerate(violations if self._verbose else violations[:1]):
            yield from self._violation(violation, first=number == 0)
        if len(violations) > 1 and not self._verbose:
            yield Line(f"  …         and {count(len(violations) - 1, 'other way')}, in the reports")
        yield from self._repeat(entry, "  repeat:   ")

    def _violation(self, violation: Mapping[str, Any], *, first: bool) -> Iterator[Line]:
        indent = " " * 12
        if self._verbose or not (violation["expected"] and violation["actual"]):
            yield from self._wrapped(violation["message"], "  seen:     ", indent)
        for name, said in (("expected:", violation["expected"]), ("got:", violation["actual"])):
            if said:
                yield from self._wrapped(said, f"  {name:<10}", indent, most=_WRAPPED)
        if violation.get("calls"):
            yield from self._wrapped(violation["calls"], "  calls:    ", indent)
        if violation.get("possible"):
            yield from self._wrapped(", ".join(violation["possible"]), "  or it is: ", indent)
        exchange = violation["exchange"]
        if exchange and self._verbose and first:
            for mark, name in ((">", "request"), ("<", "response")):
                yield from (Line(f"    {mark} {line}") for line in str(exchange[name] or "").splitlines())

    def _short(self, entry: Mapping[str, Any]) -> Iterator[Line]:
        markup = _RED if entry["result"] == "failed" else _YELLOW
        yield from self._wrapped(entry["title"], f"{entry['id']} ({entry['level']}): ", "  ", markup)
        violation = entry["violations"][0]
        yield Line(_cut(f"  {_in_short(violation)}", self._width))
        yield from list(self._repeat(entry, "  repeat:   "))[:1] or [Line("  repeat:   see the reports")]

    def _shortest(self, entry: Mapping[str, Any]) -> Line:
        markup = _RED if entry["result"] == "failed" else _YELLOW
        return Line(_cut(f"{entry['id']}: {_in_short(entry['violations'][0])}", self._width), markup)

    def _repeat(self, entry: Mapping[str, Any], label: str) -> Iterator[Line]:
        if entry["id"] in self._scripts:
            yield Line(f"{label}sh {self._folder / repeat.FOLDER / self._scripts[entry['id']]}")
        elif said := next((each["repeat"] for each in entry["violations"] if each.get("repeat")), ""):
            yield from self._wrapped(said, label, " " * len(label))

    # ------------------------------------------------------------------ what is open

    def _waivers(self) -> Iterator[Line]:
        for each in self._document.get("waivers", []):
            if each["state"] == "used":
                yield Line(
                    _cut(f"waived: {each['requirement']} until {each['expires']}: {each['reason']}", self._width)
                )
            else:
                yield Line(_cut(f"waiver of {each['requirement']}: {each['state']}", self._width), _YELLOW)

    def _gaps(self) -> Iterator[Line]:
        """What is blocked, a line for each cause, and what was not verified, with what to do about each reason."""
        asked = self._wanted()
        found = gaps(each for each in self._entries if each["id"] in asked)
        yield from self._blocked(found)
        together: dict[tuple[str, str, str], list[Gap]] = {}
        for gap in found:
            if gap.result != "blocked":
                # Accounts that are missing stand together: it is one thing to do.
                reason = "" if _NO_ACCOUNT.fullmatch(gap.reason) else gap.reason
                together.setdefault((gap.result, reason, gap.how), []).append(gap)
        for (result, reason, how), alike in together.items():
            if reason:
                yield from self._open(spoken(result), reason, alike)
            else:
                said = "; ".join(f"{self._names(gap.names)}: {gap.reason}" for gap in alike)
                yield from self._wrapped(said, f"{spoken(result)}: ", "  ")
            if how and result == "not_verified":
                yield from self._wrapped(how, "  to do: ", "         ", most=_WRAPPED)

    def _open(self, word: str, reason: str, alike: Sequence[Gap]) -> Iterator[Line]:
        """Why the requirements of *alike* are open; those whose operations differ stand apart."""
        said = [self._names(gap.names) + (f" ({gap.operations})" if gap.operations else "") for gap in alike]
        if len(said) == 1:
            yield from self._wrapped(f"{said[0]}: {reason}", f"{word}: ", "  ", most=_WRAPPED)
            return
        yield from self._wrapped(reason, f"{word}: ", "  ", most=_WRAPPED)
        for each in said:
            yield from self._wrapped(each, "  ", "  ")

    def _blocked(self, found: Iterable[Gap]) -> Iterator[Line]:
        """What is blocked, by the cause that is to be repaired first; what no cause is known of comes last."""
        order = [each["id"] for each in causes_first(self._entries)]
        together: dict[str, list[str]] = {}
        more: set[str] = set()
        for gap in found:
            if gap.result != "blocked":
                continue
            causes = sorted(gap.causes, key=lambda name: order.index(name) if name in order else len(order))
            cause = causes[0] if causes else "the failures above" if order else gap.reason
            together.setdefault(cause, []).extend(gap.names)
            more.update([cause] if len(causes) > 1 else [])
        for cause, names in together.items():
            text = f"blocked by {cause}{' and others' if cause in more else ''}: "
            yield Line(text + self._fitting(names, self._width - len(text)))

    def _fitting(self, names: Sequence[str], room: int) -> str:
        """As many of *names* as there is *room* for, and how many more there are."""
        if self._verbose:
            return ", ".join(names)
        shown = list(names) if len(", ".join(names)) <= room else _tags(names)
        kept = len(shown)
        while kept > 1 and len(", ".join(shown[:kept])) + len(_and_more(len(shown) - kept)) > room:
            kept -= 1
        return ", ".join(shown[:kept]) + _and_more(len(shown) - kept)

    def _names(self, names: Sequence[str]) -> str:
        """*names* in a line: ids where there is one or all is shown, else tags."""
        shown = list(names) if self._verbose or len(names) == 1 else _tags(names)
        kept = len(shown) if self._verbose else _NAMED
        return ", ".join(shown[:kept]) + _and_more(len(shown) - kept)

    def _wanted(self) -> set[str]:
        """The requirements that this run was to verify: what was not asked for is not listed."""
        if not self._narrowed:
            return {each["id"] for each in self._entries}
        prefix = "--requirement "
        names = [each.removeprefix(prefix) for each in self._document["run"]["selection"] if each.startswith(prefix)]
        return set(select(names)) or {each["id"] for each in self._entries if each["tests"]}

    def _asked(self) -> Iterator[Line]:
        """Of a narrowed run, what became of each requirement that was asked for and is not named above."""
        if not self._narrowed:
            return
        wanted = self._wanted()
        passed = [each["id"] for each in self._entries if each["id"] in wanted and each["result"] == "passed"]
        if len(passed) <= _LISTED or self._verbose:
            yield from (Line(f"passed: {name}", {"green": True}) for name in passed)
        else:
            yield from self._wrapped(", ".join(_tags(passed)), "passed: ", "  ", {"green": True})

    def _numbers(self) -> Iterator[Line]:
        """How many requirements ended in each way, and what it took."""
        if self._narrowed and not self._verbose:
            return
        document = self._document
        results = Counter(
            "MAY not verified" if each["level"] == "MAY" and each["result"] == "not_verified" else each["result"]
            for each in self._entries
        )
        said = [f"{results[name]} {spoken(name)}" for name in (*RESULTS, "MAY not verified") if results[name]]
        sent = f"{count(document['requests'], 'request')} in {document['seconds']:.1f} s"
        keys = count(document["keys_created"], "key")
        yield from self._wrapped(f"{', '.join(said)}; {sent}, {keys} given", "requirements: ", "  ")
        if self._verbose:
            groups = [f"{name.replace('_', ' ')} {each}" for name, each in document["requests_by_group"].items()]
            yield from self._wrapped(", ".join(groups), "sent: ", "  ")
            creates = [f"{name} {each}" for name, each in by_name(document["creates_by_account"]).items()]
            yield from self._wrapped(", ".join(creates), "creates as: ", "  ")

    # ------------------------------------------------------------------ what changed, where, and the verdict

    def _changes(self) -> Iterator[Line]:
        previous = self._previous
        if previous is None or previous["run"]["selection"] != self._document["run"]["selection"]:
            return
        if "unreachable" in (previous["verdict"], self._document["verdict"]):
            # Of a target that was not there, nothing is known that could have changed.
            return
        changes = compare(previous, self._document).changes
        kinds = {"worse": "worse", "better": "better", "other": "changed", "new": "new", "gone": "gone"}
        found = {word: [each.requirement for each in changes if each.kind == kind] for kind, word in kinds.items()}
        said = [f"{word} {', '.join(names)}" for word, names in found.items() if names]
        markup = {"red": True} if found["worse"] else {"green": True} if found["better"] else {}
        yield from self._wrapped("; ".join(said) or "nothing changed", "since the last run: ", "  ", markup)

    def _where(self) -> Iterator[Line]:
        complete = self._document["complete"]
        yield Line(f"reports: {self._folder / 'conformance.html' if complete else self._folder}")

    def _verdict(self) -> Line:
        document = self._document
        reason = document["exit_reason"]
        if self._narrowed and document["verdict"] == "inconclusive":
            was_run = any(each["tests"] for each in self._entries)
            narrowed = "narrowed, so this is no verdict on the target"
            reason = narrowed if was_run else "no test was selected, so there is no verdict"
        text = f"verdict: {spoken(document['verdict'])} (exit {document['exit_code']}): {_flat(reason)}"
        markup = {"bold": True, **_VERDICTS.get(document["verdict"], _YELLOW)}
        # What to do about a target that is not reached stands at the end of the reason.
        whole = self._verbose or document["verdict"] == "unreachable"
        return Line(text if whole else _cut(text, self._width), markup)

    # ------------------------------------------------------------------ lines

    def _wrapped(
        self, text: str, first: str, rest: str, markup: Mapping[str, bool] | None = None, *, most: int | None = None
    ) -> Iterator[Line]:
        """*text* in lines of the width, ids and addresses whole; no more than *most* lines unless all is shown."""
        lines = textwrap.wrap(
            text if self._verbose else one_line(text, _LONGEST),
            self._width,
            initial_indent=first,
            subsequent_indent=rest,
            break_long_words=False,
            break_on_hyphens=False,
        ) or [first.rstrip()]
        if most is not None and len(lines) > most and not self._verbose:
            lines = [*lines[: most - 1], _cut(f"{lines[most - 1]} …", self._width, always=True)]
        yield from (Line(line, markup or {}) for line in lines)


def _in_short(violation: Mapping[str, Any]) -> str:
    """What came and what was expected, on one line."""
    got, expected = _flat(violation["actual"] or ""), _flat(violation["expected"] or "")
    return f"got {got}, expected {expected}" if got and expected else _flat(violation["message"])


def _flat(text: str) -> str:
    return " ".join(text.split())


def _tags(names: Iterable[str]) -> list[str]:
    """The points that ids belong to, each once: ``T2``."""
    return list(dict.fromkeys(name.partition("-")[0] for name in names))


def _and_more(number: int) -> str:
    """How many are left out."""
    return f" and {number} more" if number > 0 else ""


def _cut(text: str, width: int, *, always: bool = False) -> str:
    """*text* in no more than *width* characters, cut between words, so that no id is broken."""
    if len(text) <= width and not always:
        return text
    kept = text[: width - 1]
    if len(text) > width and " " in kept.strip():
        kept = kept.rpartition(" ")[0]
    return kept.rstrip(" ,;:…") + " …"
