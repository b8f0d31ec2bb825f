"""``conformance.md``: the report for people, fit for the summary of a CI job.

The verdict first, then what failed and how to repeat it, then what was not verified and how to verify it, then the table.
What a target said is quoted so that it cannot break out of its place, whatever it holds.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from reports.formats.repeat import is_script
from reports.grouping import blocks, causes_first, gaps
from reports.words import RESULTS, SENTENCES, count, cut, group, one_line, spoken, visible, where

#: Violations of one requirement that are shown, those of them with their exchange, and requirements shown in full.
_SHOWN: Final = 5
_EXCHANGES: Final = 2
_IN_FULL: Final = 25
_LONGEST: Final = 500
_MARKUP: Final = re.compile(r"([\\`*_\[\]<>|~#])")
#: After these a renderer sees a mention or a link: what stands between breaks it and shows nothing.
_ALIVE: Final = re.compile(r"@|\b(?:https?|ftp|mailto)(?=:)|\bwww(?=\.)")
_NOTHING: Final = "<!-- -->"


def render(document: Mapping[str, Any]) -> str:
    """The Markdown form of *document*, which is what ``conformance.json`` holds."""
    return "\n".join([*_head(document), *_failures(document), *_waivers(document), *_gaps(document), *_table(document)])


def _head(document: Mapping[str, Any]) -> Iterator[str]:
    target = document["target"]
    results = Counter(each["result"] for each in document["requirements"])
    interrupted = document["verdict"] == "interrupted"
    yield f"# Verdict: {spoken(document['verdict'])}"
    yield ""
    yield SENTENCES[document["verdict"]] + ("" if interrupted else f" {_sentence(document['exit_reason'])}")
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
    blocked = blocks(document["requirements"])
    for result, title in (("failed", "Failed: what to repair first"), ("warning", "Warnings: a SHOULD is not kept")):
        found = [each for each in causes_first(document["requirements"]) if each["result"] == result]
        if not found:
            continue
        yield from ("", f"## {title}")
        for number, entry in enumerate(found):
            if number < _IN_FULL:
                yield from _failure(entry, blocked.get(entry["id"], []))
            else:
                yield from ("", f"### {entry['id']}", "", _quote(f"{entry['level']}: {entry['obligation']}"))


def _failure(entry: Mapping[str, Any], blocked: Sequence[str]) -> Iterator[str]:
    yield from ("", f"### {entry['id']}: {_text(entry['title'])}", "")
    yield _quote(f"{entry['level']}: {entry['obligation']}")
    yield from ("", f"Source: {_sources(entry)}")
    violations = entry["violations"]
    for number, violation in enumerate(violations[:_SHOWN]):
        yield from ("", f"**{_text(one_line(where(violation['message'], violation['actual']), _LONGEST))}**", "")
        for name, said in (
            ("expected", violation["expected"]),
            ("got", violation["actual"]),
            ("calls", violation["calls"]),
        ):
            if said:
                yield f"- {name}: {_text(one_line(said, _LONGEST))}"
        if violation["possible"]:
            yield f"- or it is: {', '.join(violation['possible'])}"
        if number < _EXCHANGES:
            yield from _exchange(violation)
        if number == 0:
            yield from _repeat(violation["repeat"])
    if len(violations) > _SHOWN:
        more = len(violations) - _SHOWN
        yield from ("", f"… and {count(more, 'other way')}, in `conformance.json`.")
    if blocked:
        yield from ("", f"It blocks {', '.join(blocked)}.")


def _exchange(violation: Mapping[str, Any]) -> Iterator[str]:
    exchange = violation["exchange"]
    if exchange and exchange["request"]:
        yield from ("", "<details><summary>request and response</summary>", "")
        yield from _fence("http", f"{exchange['request']}\n\n{exchange['response']}")
        yield from ("", "</details>")


def _repeat(said: str) -> Iterator[str]:
    if is_script(said):
        yield from ("", "<details><summary>how to repeat it</summary>", "")
        yield from _fence("sh", said)
        yield from ("", "</details>")
    elif said:
        yield from ("", _sentence(said))


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
    found = gaps(document["requirements"])
    if not found:
        return
    yield from ("", "## Not verified", "")
    levels = {each["id"]: each["level"] for each in document["requirements"]}
    for gap in found:
        said = "" if gap.result == "not_verified" else f"{spoken(gap.result)}: "
        why = f"by {', '.join(gap.causes)}" if gap.causes else _text(one_line(gap.reason, _LONGEST))
        differing = f": {gap.operations}" if gap.operations else ""
        yield f"- {', '.join(f'{name} ({levels[name]})' for name in gap.names)}{differing}"
        yield f"  - why: {said}{why}"
        if gap.how and not gap.causes:
            yield f"  - to do: {_text(gap.how)}"


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
    return "; ".join(
        f"[{_text(each['document'])}: {_text(each['section'])}]({each['url']})"
        if each["url"]
        else f"a decision of this project: {_text(each['reason'])}"
        for each in entry["references"]
    )


def _sentence(text: str) -> str:
    said = _text(text[:1].upper() + text[1:])
    return said if said.endswith(".") else f"{said}."


def _quote(text: str) -> str:
    return "> " + _text(" ".join(text.split()))


def _text(text: str) -> str:
    """*text* as itself: nothing in it is markup."""
    plain = _MARKUP.sub(r"\\\1", visible(" ".join(text.split())))
    # No mention of anybody, no address that a renderer makes a link of, no entity.
    return _ALIVE.sub(lambda found: f"{found[0]}{_NOTHING}", plain).replace("&", "&amp;")


def _cell(text: str) -> str:
    return _text(cut(text, _LONGEST))


def _code(text: str) -> str:
    return f"`{visible(text)}`" if "`" not in text else _text(text)


def _fence(language: str, text: str) -> Sequence[str]:
    """*text* as a block of code, fenced by more than it holds itself."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return (f"{fence}{language}", visible(text), fence)
