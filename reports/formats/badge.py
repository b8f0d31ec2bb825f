"""The badge of a run, ``badge.svg`` and ``badge.json``: the verdict, the profile and the version of the contract."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from typing import Any, Final

from reports.words import spoken, visible

_LABEL: Final = "delivery sessions"
#: The colour of a verdict by name, as shields.io has it, and as it stands in the picture: white on it can be read.
_COLOURS: Final[Mapping[str, tuple[str, str]]] = {
    "conformant": ("brightgreen", "#1a7f37"),
    "conformant_with_waivers": ("green", "#4d7c0f"),
    "nonconformant": ("red", "#c62828"),
    "unreachable": ("lightgrey", "#6e7781"),
    "inconclusive": ("orange", "#9a5b00"),
    "interrupted": ("lightgrey", "#6e7781"),
}
#: Pixels of a character of Verdana at 11 pixels, on average, and beside a text.
_CHARACTER: Final = 6.6
_PADDING: Final = 7


def message(document: Mapping[str, Any]) -> str:
    """What a badge says: ``conformant, platform, contract 1.2.0``."""
    target, contract = document["target"], document["contract"]
    return visible(f"{spoken(document['verdict'])}, {target['profile']}, contract {contract['version']}")


def endpoint(document: Mapping[str, Any]) -> str:
    """The badge in the form that shields.io reads from an address."""
    colour = _COLOURS[document["verdict"]][0]
    badge = {"schemaVersion": 1, "label": _LABEL, "message": message(document), "color": colour}
    return json.dumps(badge, indent=2) + "\n"


def svg(document: Mapping[str, Any]) -> str:
    """The badge as a picture that needs no font and no network."""
    said, colour = message(document), _COLOURS[document["verdict"]][1]
    left, right = (round(len(text) * _CHARACTER) + 2 * _PADDING for text in (_LABEL, said))
    title = escape(f"{_LABEL}: {said}")
    texts = "".join(
        f'<text x="{start + _PADDING}" y="14" textLength="{width - 2 * _PADDING}" lengthAdjust="spacingAndGlyphs">'
        f"{escape(text)}</text>"
        for start, width, text in ((0, left, _LABEL), (left, right, said))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" aria-label="{title}">'
        f"<title>{title}</title>"
        f'<clipPath id="round"><rect width="{left + right}" height="20" rx="3"/></clipPath>'
        f'<g clip-path="url(#round)"><rect width="{left}" height="20" fill="#444c56"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{colour}"/></g>'
        f'<g fill="#fff" font-family="Verdana,Geneva,DejaVu Sans,sans-serif" font-size="11">{texts}</g></svg>\n'
    )
