"""``conformance.md``: the report for people, fit for the summary of a CI job.

The verdict first, then what failed and how to repeat it, then what was not verified and how to verify it, then the table.
What a target said is quoted so that it cannot break out of its place, whatever it holds.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from contracts.requirements import catalogue
from reports.words import RESULTS, count, cut, group, one_line, spoken, visible

_WORDS: Final[Mapping[str, str]] = {
    "interrupted": "The run was interrupted: this report is not complete and says nothing of the target.",
    "nonconformant": "The target does **not** conform.",
    "unreachable": "The target could not be reached, or went away.",
    "inconclusive": "Nothing failed, but not every MUST was verified: the target **may or may not** conform.",
    "conformant_with_waivers": "The target conforms, but for deviations that are waived.",
    "conformant": "The target conforms.",
}
#: Violations of one requirement that are told, those of them with their exchange, and requirements told in full.
_SHOWN: Final = 5
_EXCHANGES: Final = 2
_IN_FULL: Final = 25
_LONGEST: Final = 500


def render(document: Mapping[str, Any]) -> str:
    """The Markdown form of *document*, which is what ``conformance.json`` holds."""
    return "\n".join([*_head(document), *_failures(document), *_waivers(document), *_gaps(document), *_table(document)])


def _head(document: Mapping[str, Any]) -> Iterator[str]:
    target = document["target"]
    results = Counter(each["result"] for each in document["requirements"])
    interrupted = document["verdict"] == "interrupted"
    yield f"# Verdict: {spoken(document['verdict'])}"
    yield ""
    yield _WORDS[document["verdict"]] + ("" if interrupted else f" {_sentence(document['exit_reason'])}")
    yield ""
    yield "| " + " | ".join(spoken(name) for name in RESULTS if results[name]) + " |"
    yield "|" + "---|" * sum(1 for name in RESULTS if results[name])
    yield "| " + " | ".join(str(results[name]) for name in RESULTS if results[name]) + " |"
    yield ""
    where = "the embedded emulator" if target["embedded"] else _code(target["base_url"])
    yield f"- Target: {where}, profile {target['profile']}, judged by {document['suite']['name']} " + (
        f"{document['suite']['version']} (contract {document['contract']['sha256'][:12]})"
    )
    yield f"- Run: {document['started']}, {document['seconds']:.1f} s, {count(document['requests'], 'request')}, " + (
        f"{count(document['keys_created'], 'key')} created; key rotation was "
        f"{'allowed' if document['run']['rotation'] else 'not allowed'}"
    )
    if document["run"]["selection"]:
        yield f"- Narrowed to: {_code(', '.join(document['run']['selection']))}"
    yield f"- Exit code {document['exit_code']}"


def _failures(document: Mapping[str, Any]) -> Iterator[str]:
    for result, title in (("failed", "Failed"), ("warning", "Warnings: a SHOULD is not kept")):
        found = [each for each in document["requirements"] if each["result"] == result]
        if not found:
            continue
        yield from ("", f"## {title}")
        for number, entry in enumerate(found):
            if number < _IN_FULL:
                yield from _failure(entry)
            else:
                yield from ("", f"### {entry['id']}", "", _quote(f"{entry['level']}: {entry['obligation']}"))


def _failure(entry: Mapping[str, Any]) -> Iterator[str]:
    yield from ("", f"### {entry['id']}: {_text(entry['title'])}", "")
    yield _quote(f"{entry['level']}: {entry['obligation']}")
    yield from ("", f"Source: {_sources(entry)}")
    violations = entry["violations"]
    for number, violation in enumerate(violations[:_SHOWN]):
        yield from ("", f"**{_text(one_line(violation['message'], _LONGEST))}**", "")
        yield f"- expected: {_text(one_line(violation['expected'] or '', _LONGEST))}"
        yield f"- actual: {_text(one_line(violation['actual'] or '', _LONGEST))}"
        if number < _EXCHANGES:
            yield from _exchange(violation)
    if len(violations) > _SHOWN:
        more = len(violations) - _SHOWN
        yield from ("", f"… and {count(more, 'more violation')} of it, in `conformance.json`.")


def _exchange(violation: Mapping[str, Any]) -> Iterator[str]:
    exchange = violation["exchange"]
    if exchange and exchange["request"]:
        yield from ("", "<details><summary>request and response</summary>", "")
        yield from _fence("http", f"{exchange['request']}\n\n{exchange['response']}")
        yield from ("", "</details>")
    if violation.get("script"):
        yield from ("", "To repeat it:", "")
        yield from _fence("bash", violation["script"])


def _waivers(document: Mapping[str, Any]) -> Iterator[str]:
    waivers = document.get("waivers", [])
    if not waivers:
        return
    yield from ("", "## Waivers", "", "| requirement | state | last day | reason | issue |", "|---|---|---|---|---|")
    for each in waivers:
        cells = (each["requirement"], each["state"], each["expires"], each["reason"], each["issue"] or "")
        yield "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _gaps(document: Mapping[str, Any]) -> Iterator[str]:
    """What was not verified; requirements with the same reason together."""
    together: dict[tuple[str, str, str], list[str]] = {}
    for each in document["requirements"]:
        if each["result"] in ("not_verified", "blocked", "error") and each["level"] != "MAY":
            key = (each["result"], each["reason"] or "", each.get("how_to_verify") or "")
            together.setdefault(key, []).append(f"{each['id']} ({each['level']})")
    if not together:
        return
    yield from ("", "## Not verified", "")
    for (result, reason, how), names in together.items():
        said = "" if result == "not_verified" else f"{spoken(result)}: "
        yield f"- {', '.join(names)}"
        yield f"  - why: {said}{_text(one_line(reason, _LONGEST))}"
        if how:
            yield f"  - how to verify: {_text(how)}"


def _table(document: Mapping[str, Any]) -> Iterator[str]:
    yield from ("", "## All requirements", "")
    yield from ("| requirement | level | profile | kind | result | tests |", "|---|---|---|---|---|---:|")
    for each in document["requirements"]:
        result = spoken(each["result"])
        said = f"**{result}**" if each["result"] in ("failed", "error") else result
        yield (
            f"| {each['id']} | {each['level']} | {each['profile']} | {group(each['id'])} | {said} | {len(each['tests'])} |"
        )
    yield ""


def _sources(entry: Mapping[str, Any]) -> str:
    known = catalogue().get(entry["id"])
    if known is None:
        return "; ".join(map(_text, entry["sources"]))
    return "; ".join(f"[{_text(str(source))}]({source.url})" for source in known.sources)


def _sentence(text: str) -> str:
    said = _text(text[:1].upper() + text[1:])
    return said if said.endswith(".") else f"{said}."


def _quote(text: str) -> str:
    return "> " + _text(" ".join(text.split()))


def _text(text: str) -> str:
    """*text* as itself: nothing in it is markup."""
    return re.sub(r"([\\`*_\[\]<>|~#])", r"\\\1", visible(" ".join(text.split()))) if text else ""


def _cell(text: str) -> str:
    return _text(cut(text, _LONGEST))


def _code(text: str) -> str:
    return f"`{visible(text)}`" if "`" not in text else _text(text)


def _fence(language: str, text: str) -> Sequence[str]:
    """*text* as a block of code, fenced by more than it holds itself."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return (f"{fence}{language}", visible(text), fence)
