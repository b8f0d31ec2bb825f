"""Checks a request against the contract, so that the suite never blames a target for a request of its own making."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

_BUNDLE = Path(__file__).with_name("openapi.bundled.json")
_NVX = "nvx "


@dataclass(frozen=True, slots=True)
class _Described:
    """What the contract lets one operation take: the media types of a body, and the parameters of the query."""

    media_types: frozenset[str]
    query: frozenset[str]


@cache
def _operations() -> dict[tuple[str, str], _Described]:
    document: dict[str, Any] = json.loads(_BUNDLE.read_text(encoding="utf-8"))
    bodies: dict[str, Any] = document["components"]["requestBodies"]
    parameters: dict[str, Any] = document["components"]["parameters"]
    return {
        (path.rpartition("/")[2], method.upper()): _Described(
            frozenset(_shared(entry.get("requestBody", {}), bodies).get("content", {})),
            frozenset(
                parameter["name"]
                for parameter in (_shared(each, parameters) for each in entry["parameters"])
                if parameter["in"] == "query"
            ),
        )
        for path, item in document["paths"].items()
        for method, entry in item.items()
    }


def _shared(node: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    """What `node` refers to among `components`, or `node`."""
    found: dict[str, Any] = components[node["$ref"].rpartition("/")[2]] if "$ref" in node else node
    return found


def check_request(operation: str, method: str, query: str, headers: dict[str, str], body: bytes | None) -> str | None:
    """What in this request the contract does not allow, in words, or None."""
    described = _operations().get((operation, method))
    if described is None:
        return f"the contract has no {method} for {operation}"
    lowered = {name.lower(): value for name, value in headers.items()}
    named = {name: value for name, value in parse_qsl(query, keep_blank_values=True) if name in described.query}
    media_type = lowered.get("content-type", "").partition(";")[0].strip().lower()
    if media_type and method == "POST":
        if media_type not in described.media_types:
            return f"the contract has no media type {media_type}"
        text = (body or b"").decode("utf-8")
        named |= json.loads(text) if media_type.endswith("json") else dict(parse_qsl(text, keep_blank_values=True))
    elif media_type or body:
        return f"the contract has no body for this {method}"
    header = lowered.get("authorization")
    if header is not None and not header.lower().startswith(_NVX):
        return "the Authorization header is not NVX"
    if header is None and "hash" not in named:
        return "it carries no credential"
    return None
