"""The terminal: the story of a failure, and the verdict at the end, readable without colour."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from contracts.requirements import catalogue
from fixtures.secrets import Vault
from reports.results import TestOutcome, ViolationRecord
from reports.words import RESULTS, by_name, count, cut, one_line, spoken, visible

#: Requirements told in full at the end, and violations of one; what is beyond is in the files.
_IN_FULL: Final = 12
_VIOLATIONS: Final = 3
#: In the story of one test: violations of one requirement, and those of them with their exchange.
_STORY: Final = 8
_EXCHANGES: Final = 2
_LONGEST: Final = 300
#: Requirements that share a reason and are named.
_NAMES: Final = 8
_WIDEST: Final = 120
_COLOURS: Final[Mapping[str, Mapping[str, bool]]] = {
    "failed": {"red": True, "bold": True},
    "error": {"red": True},
    "warning": {"yellow": True},
    "waived": {"yellow": True},
}


class Story(str):
    """What pytest prints and JUnit keeps of a failure. ``reprcrash.message`` is its one line."""

    __slots__ = ("reprcrash",)
    reprcrash: SimpleNamespace

    @classmethod
    def of(cls, text: str, line: str) -> Story:
        """A story with its one line."""
        made = cls(text)
        made.reprcrash = SimpleNamespace(message=line)
        return made

    @classmethod
    def masked(cls, representation: object, vault: Vault) -> Story:
        """A failure as pytest represents it, secrets named; its one line is pytest's own."""
        crash = getattr(representation, "reprcrash", None)
        text = vault.mask(str(representation))
        return cls.of(text, vault.mask(str(getattr(crash, "message", text))))

    def toterminal(self, writer: Any) -> None:
        """Print it, as pytest asks a failure to."""
        writer.line(visible(str(self)))


def story(outcome: TestOutcome) -> str:
    """What a failed test shows: sentence, expected, actual, exchange, and how to repeat it."""
    lines = [outcome.title]
    records = sorted(outcome.violations, key=lambda each: each.requirement)
    for name, found in groupby(records, key=lambda each: each.requirement):
        requirement = catalogue()[name]
        lines += ["", f"{requirement.id} ({requirement.level}): {requirement.obligation}"]
        lines.append(f"  source:   {'; '.join(map(str, requirement.sources))}")
        same = list(found)
        for number, record in enumerate(same[:_STORY]):
            lines += _told(record, exchange=number < _EXCHANGES)
        if len(same) > _STORY:
            lines.append(f"  … and {count(len(same) - _STORY, 'more violation')} of it")
    return "\n".join(lines)


def _told(record: ViolationRecord, *, exchange: bool) -> Iterator[str]:
    yield f"  what:     {one_line(record.message, _LONGEST)}"
    yield f"  expected: {one_line(record.expected, _LONGEST)}"
    yield f"  actual:   {one_line(record.actual, _LONGEST)}"
    if exchange and record.exchange is not None:
        yield from (f"    > {line}" for line in record.exchange["request"].splitlines())
        yield from (f"    < {line}" for line in record.exchange["response"].splitlines())
    if exchange and record.script:
        yield "  repeat:"
        yield from (f"    {line}" for line in record.script.splitlines())


class Summary:
    """The end of a run on the terminal."""

    def __init__(
        self, reporter: Any, document: Mapping[str, Any], folder: Path, *, verbosity: int, style: str, width: int
    ) -> None:
        self._reporter = reporter
        self._document = document
        self._folder = folder
        self._verbosity = verbosity
        self._short = style in ("no", "line") or verbosity < -1
        self._width = min(_WIDEST, max(60, width))

    def write(self) -> None:
        """Print failures, gaps, counts, what was sent, where the reports are, and last the verdict."""
        document = self._document
        self._reporter.section("conformance", sep="=")
        if self._verbosity > -2:
            self._failures()
            self._waivers()
            self._gaps()
        self._wrapped(self._counts(), "requirements: ", "    ")
        self._sent()
        self._line(f"reports: {self._folder}")
        colour = {"nonconformant": {"red": True}, "conformant": {"green": True}}.get(
            document["verdict"], {"yellow": True}
        )
        verdict = f"{spoken(document['verdict'])} (exit {document['exit_code']}): {document['exit_reason']}"
        self._line(f"verdict: {verdict}", bold=True, **colour)

    def _counts(self) -> str:
        """How many requirements ended in each way; a MAY that was not verified leaves nothing open."""
        open_ones = ("not_verified", "blocked", "error")
        results = Counter(
            "may" if each["level"] == "MAY" and each["result"] in open_ones else each["result"]
            for each in self._document["requirements"]
        )
        said = [f"{results[name]} {spoken(name)}" for name in RESULTS if results[name]]
        return ", ".join(said + ([f"{results['may']} MAY not verified"] if results["may"] else []))

    def _failures(self) -> None:
        shown = 0
        for result in ("failed", "error", "warning", "waived"):
            for entry in self._document["requirements"]:
                if entry["result"] == result and (result != "error" or entry["violations"]):
                    shown += 1
                    self._failure(entry, in_full=shown <= _IN_FULL and not self._short)

    def _failure(self, entry: Mapping[str, Any], *, in_full: bool) -> None:
        word = spoken(entry["result"]).upper()
        violations = entry["violations"]
        self._line(f"{word}: {entry['id']} ({entry['level']})", **_COLOURS[entry["result"]])
        if not in_full:
            self._line(f"    {one_line(violations[0]['message'], self._width - 4)}")
            return
        self._wrapped(entry["obligation"], "    ")
        self._line(f"    source:   {one_line('; '.join(entry['sources']), self._width)}")
        for waiver in self._document["waivers"] if entry["result"] == "waived" else ():
            if waiver["requirement"] == entry["id"]:
                issue = f" ({waiver['issue']})" if waiver["issue"] else ""
                self._wrapped(f"{waiver['reason']}{issue}", f"    waived until {waiver['expires']}: ", " " * 14)
        for number, violation in enumerate(violations[:_VIOLATIONS]):
            self._violation(violation, first=number == 0)
        if len(violations) > _VIOLATIONS:
            self._line(f"    … and {count(len(violations) - _VIOLATIONS, 'more violation')} of it")
        self._line("")

    def _violation(self, violation: Mapping[str, Any], *, first: bool) -> None:
        for name in ("message", "expected", "actual"):
            said = cut(" ".join((violation[name] or "").split()), _LONGEST)
            self._wrapped(said, f"    {('what' if name == 'message' else name) + ':':<10}", " " * 14)
        exchange = violation["exchange"]
        if exchange and self._verbosity > 0:
            for mark, name in ((">", "request"), ("<", "response")):
                for line in exchange[name].splitlines():
                    self._line(f"      {mark} {line}")
        if first and violation.get("script"):
            lines = violation["script"].splitlines()
            self._line(f"    repeat:   {cut(lines[0], 2 * _LONGEST)}")
            for line in lines[1:]:
                self._line(f"              {cut(line, 2 * _LONGEST)}")

    def _waivers(self) -> None:
        for each in self._document.get("waivers", []):
            if each["state"] != "used":
                self._line(f"waiver of {each['requirement']}: {each['state']}", yellow=True)

    def _gaps(self) -> None:
        """What was not verified, requirements with the same reason together."""
        together: dict[tuple[str, str, str], list[str]] = {}
        for each in self._document["requirements"]:
            if each["result"] in ("not_verified", "blocked", "error") and each["level"] != "MAY":
                key = (each["result"], each["reason"] or "", each["how_to_verify"] or "")
                together.setdefault(key, []).append(f"{each['id']} ({each['level']})")
        for (result, reason, how), names in together.items():
            more = f" and {count(len(names) - _NAMES, 'more requirement')}" if len(names) > _NAMES else ""
            self._wrapped(", ".join(names[:_NAMES]) + more, f"{spoken(result)}: ", "    ")
            self._wrapped(one_line(reason, _LONGEST), "    why: ", "         ")
            if how and not self._short:
                self._wrapped(how, "    how to verify: ", "         ")

    def _sent(self) -> None:
        document = self._document
        groups = ", ".join(
            f"{name.replace('_', ' ')} {number}" for name, number in document["requests_by_group"].items()
        )
        sent = f"{count(document['requests'], 'request')} in {document['seconds']:.1f} s"
        self._wrapped(sent + (f": {groups}" if groups else ""), "sent: ", "    ")
        creates = by_name(document["creates_by_account"])
        if creates:
            accounts = ", ".join(f"{name} {number}" for name, number in creates.items())
            self._wrapped(f"{accounts}; {count(document['keys_created'], 'key')} given", "creates as: ", "    ")

    def _wrapped(self, text: str, first: str, rest: str | None = None) -> None:
        indent = first if rest is None else rest
        for line in textwrap.wrap(
            text,
            self._width,
            initial_indent=first,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        ) or [first.rstrip()]:
            self._line(line)

    def _line(self, text: str, **markup: bool) -> None:
        self._reporter.write_line(visible(text), **markup)
