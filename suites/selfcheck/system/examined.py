"""What has to be true of the outputs of every run, whatever the target sent: they are whole, valid, dead, and hold no secret."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote_to_bytes
from xml.etree import ElementTree

from markdown_it import MarkdownIt

from contracts.recording import RecordingError, parse
from contracts.schemas import validator
from suites.selfcheck.system.raw_answers import parts

#: So many characters of a secret in a row are a leak.
_RUN: Final = 12
_WORD: Final = re.compile(rf"[0-9a-z_-]{{{_RUN},}}")
_GROUPED: Final = re.compile(rb"(?<![0-9a-fA-F])[0-9a-fA-F]++(?:[-:][0-9a-fA-F]++){3,}+")
_VERDICTS: Final = {
    0: ("conformant", "conformant_with_waivers", "inconclusive"),
    1: ("nonconformant", "inconclusive", "conformant", "conformant_with_waivers"),
    5: ("inconclusive",),
    6: ("unreachable",),
}
#: What a terminal or a CI system would obey.
_OBEYED: Final = re.compile(r"(?m)^\s*::|##\[|##vso\[|^section_(?:start|end):")
#: Control and bidirectional characters, and halves of characters.
_UNSEEN: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_TAGS: Final = frozenset(
    (
        *(
            "html",
            "head",
            "meta",
            "title",
            "style",
            "body",
            "main",
            "section",
            "h1",
            "h2",
            "h3",
            "p",
            "dl",
            "dt",
            "dd",
            "ul",
        ),
        *(
            "ol",
            "li",
            "a",
            "article",
            "header",
            "span",
            "div",
            "b",
            "code",
            "pre",
            "details",
            "summary",
            "time",
            "table",
        ),
        *("thead", "tbody", "tr", "th", "td", "footer"),
    )
)
_VOID: Final = frozenset({"meta"})
_ATTRIBUTES: Final = frozenset(
    {"lang", "charset", "http-equiv", "content", "name", "class", "id", "href", "rel", "open", "datetime", "aria-label"}
)
#: HTML that the summary has for itself.
_OWN_HTML: Final = re.compile(r"</?details>|</?summary>|<!-- -->")


def faults_of(code: int, output: str, folder: Path, secrets: Iterable[str], more: Iterable[Path] = ()) -> Iterator[str]:
    """What is wrong with the outputs of a run that ended with *code*: in *folder*, the files *more*, and on the terminal."""
    yield from _terminal(code, output)
    files = {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*")) if path.is_file()}
    texts = {name: f"{name}\n".encode() + path.read_bytes() for name, path in files.items()}
    besides = {str(path): path.read_bytes() for path in more if path.is_file()}
    yield from leaks({"the terminal": output.encode(), **texts, **besides}, secrets)
    for path in more:
        yield from _recording(path)
    if code == 4:
        if "conformance.json" in files:
            yield "exit 4 and a report all the same"
        return
    for name in ("conformance.json", "conformance.md", "conformance.html", "badge.svg", "badge.json", "junit.xml"):
        if name not in files:
            yield f"there is no {name}"
            return
    yield from _document(code, json.loads(files["conformance.json"].read_text(encoding="utf-8")))
    yield from _page(files["conformance.html"].read_text(encoding="utf-8"))
    yield from _summary(files["conformance.md"].read_text(encoding="utf-8"))
    yield from _rest(files)


def _terminal(code: int, output: str) -> Iterator[str]:
    if code not in (0, 1, 4, 5, 6):
        yield f"exit {code}"
    if "Traceback (most recent call last)" in output:
        yield "a traceback on the terminal"
    for pattern in (_OBEYED, _UNSEEN):
        if found := pattern.search(output):
            yield f"the terminal shows {found.group()!r} in {output[max(0, found.start() - 60) : found.end() + 40]!r}"
    lines = output.splitlines()
    own = [each for each in lines if each.startswith("delivery-conformance: ")]
    if code == 4 and len(own) != 1:
        yield f"exit 4 with {len(own)} lines of its own"
    if any("--record" in each or "--report-dir" in each for each in own):
        yield f"an output was not written: {own}"
    if code in (0, 1, 5, 6) and (not lines or not lines[-1].startswith(("verdict: ", "this is no verdict"))):
        yield f"the last line is {lines[-1:]!r}"


def _document(code: int, document: Mapping[str, Any]) -> Iterator[str]:
    # Of those that say the same one is enough: the schema is long, and the search has many documents.
    alike = {each["id"] if each["violations"] else each["result"]: each for each in document["requirements"]}
    for flaw in validator("report").iter_errors({**document, "requirements": list(alike.values())}):
        yield f"conformance.json: {list(flaw.absolute_path)}: {flaw.message[:200]}"
    if document.get("complete") is not True:
        yield "conformance.json is not complete"
    if document["exit_code"] != code or document["verdict"] not in _VERDICTS.get(code, ()):
        yield f"verdict {document['verdict']} with exit {document['exit_code']}, and the command ended with {code}"
    broken = [each["id"] for each in document["requirements"] if each["result"] == "error"]
    if broken:
        reasons = [each["reason"] for each in document["requirements"] if each["result"] == "error"]
        yield f"the suite broke: {broken}: {reasons[0]}"


class _Page(HTMLParser):
    """Keeps what of a page is not as the template has it."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        if tag not in _TAGS:
            self.wrong.append(f"<{tag}>")
        for name, value in attrs:
            link = name == "href" and not re.match(r"#|https://", value or "")
            if name not in _ATTRIBUTES or link:
                self.wrong.append(f"{name}={value!r}")
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """An element ends."""
        if not self._open or self._open.pop() != tag:
            self.wrong.append(f"</{tag}> closes something else")

    def close(self) -> None:
        """The page ends."""
        super().close()
        if self._open:
            self.wrong.append(f"not closed: {self._open}")


def _page(text: str) -> Iterator[str]:
    page = _Page()
    page.feed(text)
    page.close()
    for each in page.wrong[:5]:
        yield f"conformance.html: {each}"
    if found := _UNSEEN.search(text):
        yield f"conformance.html shows {found.group()!r}"
    links = set(re.findall(r'href="(https?://[^/"]+)', text))
    yield from (f"conformance.html has a link to {each}" for each in sorted(links - _sources()))


@functools.cache
def _sources() -> frozenset[str]:
    """The servers whose pages the catalogue names."""
    from contracts.requirements import catalogue

    urls = (source.url for each in catalogue().values() for source in each.sources if source.url)
    return frozenset("/".join(url.split("/")[:3]) for url in urls)


def _summary(text: str) -> Iterator[str]:
    """The Markdown, as a renderer reads it that lets HTML through."""
    for token in MarkdownIt("commonmark", {"html": True}).enable("table").parse(text):
        for each in (token, *(token.children or ())):
            if each.type in ("html_block", "html_inline") and _OWN_HTML.sub("", each.content.strip()).strip() not in (
                "",
                *_SAID,
            ):
                yield f"conformance.md: HTML comes alive: {each.content[:100]!r}"
            if each.type == "image":
                yield f"conformance.md: an image: {each.attrs}"
            if each.type == "link_open" and "/".join(str(each.attrs["href"]).split("/")[:3]) not in _sources():
                yield f"conformance.md: a link: {each.attrs['href']}"
            if each.type == "text" and re.search(r"@[a-zA-Z]|https?://", each.content):
                yield f"conformance.md: a mention or address: {each.content[:100]!r}"
    if found := _UNSEEN.search(text):
        yield f"conformance.md shows {found.group()!r}"


#: What stands between the tags of the summary.
_SAID: Final = ("request and response", "how to repeat it")


def _rest(files: Mapping[str, Path]) -> Iterator[str]:
    for name, path in files.items():
        raw = path.read_bytes()
        try:
            text = raw.decode("utf-8")
            if name.endswith((".xml", ".svg")):
                root = ElementTree.fromstring(raw)  # noqa: S314 -- the suite's own
                if name.endswith(".svg") and re.search(r"<(script|foreignObject|image|a)\b|\son[a-z]+=", text):
                    yield f"{name} is not dead"
                if name == "junit.xml" and root.tag != "testsuites":
                    yield f"{name} begins with {root.tag}"
            if name.endswith(".json"):
                json.loads(text, parse_constant=_no_constant)
        except (ValueError, ElementTree.ParseError) as error:
            yield f"{name} cannot be read: {error}"


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


def _recording(path: Path) -> Iterator[str]:
    if path.is_file():
        try:
            parse(path.read_text(encoding="utf-8"))
        except (RecordingError, ValueError) as error:
            yield f"{path.name} cannot be replayed: {error}"


def leaks(texts: Mapping[str, bytes], secrets: Iterable[str]) -> Iterator[str]:
    """Which of *texts*, by name, shows a run of characters of one of *secrets*: in any letter case, encoded or escaped."""
    grams = {part for secret in secrets for part in parts(secret, _RUN)}
    # Reports say the same words again and again.
    harmless: set[str] = set()
    for name, raw in texts.items():
        for form in _forms(raw):
            text = form.decode("latin-1").lower()
            words = set(_WORD.findall(text)) - harmless
            telling = [word for word in words if not grams.isdisjoint(parts(word, _RUN))]
            if telling:
                place = min(map(text.index, telling))
                yield f"{name} shows a secret: {text[max(0, place - 80) : place + 52]!r}"
            harmless |= words.difference(telling)


def _forms(raw: bytes) -> Iterator[bytes]:
    yield raw
    if b"%" in raw or b"\\u00" in raw:
        yield unquote_to_bytes(re.sub(rb"\\+u00([0-9a-fA-F]{2})", rb"%\1", raw))
    if b"\x00" in raw:
        yield raw.replace(b"\x00", b"")
    # Digits in groups, as a UUID has them; only where there are any, for it joins words.
    grouped = _GROUPED.findall(raw)
    if grouped:
        yield b" ".join(re.sub(rb"[-:]", b"", each) for each in grouped)
