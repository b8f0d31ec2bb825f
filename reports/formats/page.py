"""``conformance.html``: the report for a reviewer, or to publish. One file without a script that loads nothing."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from reports.formats import repeat
from reports.grouping import blocks, by_operation, causes_first
from reports.words import GROUPS, RESULTS, SENTENCES, count, spoken, visible, where

if TYPE_CHECKING:
    from jinja2 import Template

_HERE: Final = Path(__file__).parent
_TEMPLATE: Final = "page.html.jinja"
_STYLE: Final = "page.css"
#: Ways in which a requirement was broken that are shown, and of these with their exchange.
_SHOWN: Final = 8
_EXCHANGES: Final = 3


def render(document: Mapping[str, Any]) -> str:
    """The HTML form of *document*, which is what ``conformance.json`` holds."""
    entries = document["requirements"]
    style = (_HERE / _STYLE).read_text(encoding="utf-8")
    results = Counter(each["result"] for each in entries)
    return _template().render(
        document=document,
        sentence=SENTENCES[document["verdict"]].replace("*", ""),
        style=style,
        policy=_policy(style),
        counts=[(name, results[name]) for name in RESULTS if results[name]],
        groups=[(letter, name, found) for letter, name in GROUPS.items() if (found := _of(entries, letter))],
        first=causes_first(entries),
        blocks=blocks(entries),
        files=repeat.names(document),
        decisions=[(each, ref) for each in entries for ref in each["references"] if ref["reason"]],
        shown=_SHOWN,
        exchanges=_EXCHANGES,
        count=count,
        where=where,
    )


@cache
def _template() -> Template:
    # Only here: it takes a while to import, and most of what imports this module writes no page.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_harmless,
    )
    environment.filters |= {"spoken": spoken, "by_operation": by_operation}
    environment.tests |= {"script": repeat.is_script}
    return environment.get_template(_TEMPLATE)


def _of(entries: list[Mapping[str, Any]], letter: str) -> list[Mapping[str, Any]]:
    return [each for each in entries if each["id"].startswith(letter)]


def _harmless(value: object) -> object:
    """What a target says, its control and bidirectional characters spelled out."""
    return visible(value) if type(value) is str else value


def _policy(style: str) -> str:
    """The page may use its own style, and nothing else from anywhere."""
    digest = base64.b64encode(hashlib.sha256(f"\n{style}".encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
