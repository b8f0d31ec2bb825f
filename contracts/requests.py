"""Checks a request against the contract, so that the suite never blames a target for a request of its own making."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

_BUNDLE = Path(__file__).with_name("openapi.bundled.json")
_NVX = "nvx "


@cache
def _operations() -> dict[tuple[str, str], frozenset[str]]:
    document: dict[str, Any] = json.loads(_BUNDLE.read_text(encoding="utf-8"))
    bodies: dict[str, Any] = document.get("components", {}).get("requestBodies", {})
    paths: dict[str, Any] = document["paths"]
    return {
        (path.rpartition("/")[2], method.upper()): _media_types(entry.get("requestBody", {}), bodies)
        for path, item in paths.items()
        for method, entry in item.items()
        if method in ("get", "post")
    }


def _media_types(body: dict[str, Any], shared: dict[str, Any]) -> frozenset[str]:
    if "$ref" in body:
        body = shared[body["$ref"].rpartition("/")[2]]
    return frozenset(body.get("content", {}))


def check_request(operation: str, method: str, query: str, headers: dict[str, str], body: bytes | None) -> str | None:
    """What in this request the contract does not allow, in words, or None."""
    media_types = _operations().get((operation, method))
    if media_types is None:
        return f"the contract has no {method} for {operation}"
    lowered = {name.lower(): value for name, value in headers.items()}
    named = dict(parse_qsl(query, keep_blank_values=True))
    media_type = lowered.get("content-type", "").partition(";")[0].strip().lower()
    if media_type and method == "POST":
        if media_type not in media_types:
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
