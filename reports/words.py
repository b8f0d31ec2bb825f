"""The words that every form of the report shares: names of groups, of results, and of what was called."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from contracts.exchange import Exchange, Request
from contracts.requirements import Requirement
from fixtures.secrets import Vault

GROUPS: Final[Mapping[str, str]] = {
    "S": "success",
    "E": "errors",
    "C": "calls",
    "A": "credentials",
    "B": "bad input",
    "T": "state",
    "P": "privacy",
    "R": "rate limit",
}
"""The kinds of requirement, by the letter that their ids begin with, in the order of the contract."""

RESULTS: Final = ("failed", "error", "warning", "blocked", "not_verified", "waived", "passed", "out_of_profile")
"""The results of requirements, in the order in which a reader wants to hear of them."""

SENTENCES: Final[Mapping[str, str]] = {
    "interrupted": "The run was interrupted: this report is not complete and says nothing of the target.",
    "nonconformant": "The target does **not** conform.",
    "unreachable": "The target could not be reached, or went away.",
    "inconclusive": "Nothing failed, but not every MUST was verified: the target **may or may not** conform.",
    "conformant_with_waivers": "The target conforms, but for deviations that are waived.",
    "conformant": "The target conforms.",
}
"""What a verdict says of the target, emphasis as in Markdown."""

#: Control characters but tab and line feed, and those that change the direction or the lines of what is shown.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
#: What a CI system takes from a log for a command of its own: at the beginning of a line, or anywhere.
_COMMAND: Final = re.compile(r"^(\s*:)(?=:)|(#)(?=#(?:\[|vso\[))", re.MULTILINE)


def group(requirement: str) -> str:
    """The kind of requirement that an id belongs to: ``T2-…`` is of ``state``."""
    return GROUPS.get(requirement[:1], "others")


def spoken(result: str) -> str:
    """A result as people write it: ``not verified``."""
    return result.replace("_", " ")


def count(number: int, noun: str, nouns: str | None = None) -> str:
    """A number with its noun: ``1 request``, ``2 requests``."""
    return f"{number} {noun if number == 1 else nouns or noun + 's'}"


def cut(text: str, most: int) -> str:
    """*text* in no more than *most* characters, the last an ellipsis where something was left out."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def one_line(text: str, most: int) -> str:
    """*text* on one line and no longer than *most*."""
    return cut(" ".join(text.split()), most)


def visible(text: str) -> str:
    """*text* with its control characters spelled out, but for tabs and line ends: a terminal would obey them."""
    return _CONTROL.sub(_spelled, text)


def _spelled(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def for_a_log(text: str) -> str:
    """*text* for a terminal or the log of a CI system, neither of which is to obey anything in it."""
    return _COMMAND.sub(lambda found: f"{found[0]} ", visible(text))


def severity(requirements: Iterable[Requirement]) -> str:
    """Allure's severity of a test: what the strictest of its requirements says.

    A MUST of the core profile is a blocker, any other MUST critical, a SHOULD normal, a MAY trivial.
    """
    found = list(requirements)
    if any(each.binding and each.profile == "core" for each in found):
        return "blocker"
    if any(each.binding for each in found):
        return "critical"
    return "normal" if any(each.advice for each in found) else "trivial"


def style(request: Request) -> str:
    """How a request was sent: ``GET, hash in the query``."""
    headers = {name.lower(): value for name, value in request.headers}
    media = headers.get("content-type", "").partition(";")[0].strip().lower()
    carriers = []
    if "authorization" in headers:
        carriers.append("Authorization header")
    if "?" in request.url:
        carriers.append("query")
    if request.body or media:
        carriers.append({"application/json": "JSON", "application/x-www-form-urlencoded": "form"}.get(media, "body"))
    return ", ".join([request.method, *carriers])


def where(message: str, actual: str) -> str:
    """The *message* of a violation without what was got, for where that stands beside it."""
    return (message.removesuffix(actual).rstrip(": ") if actual else "") or message


def explained(message: str, causes: Sequence[str]) -> str:
    """The *message* of a test with the requirements that explain it."""
    names = ", ".join(causes)
    rest = message.removeprefix("blocked: ")
    return f"{message}; explained by {names}" if rest == message else f"blocked by {names}: {rest}"


def call_of(request: str) -> tuple[str, str] | None:
    """The operation, where it is a documented one, and the style of a *request* as reports show it."""
    head = request.partition("\n\n")[0].splitlines()
    method, _, url = head[0].partition(" ") if head else ("", "", "")
    if not url:
        return None
    name = url.partition("?")[0].rstrip("/").rpartition("/")[2]
    headers = {key.lower(): value.strip() for key, _, value in (line.partition(":") for line in head[1:])}
    media = headers.get("content-type", "").lower()
    if "authorization" in headers:
        style = "header"
    elif method != "POST":
        style = method
    elif "json" in media:
        style = "JSON"
    else:
        style = "form" if "form" in media else method
    return (name if name in ("create", "read") else ""), style


def input_of(request: str) -> str:
    """The body of a *request* as reports show it, or its query; empty where it has none of both."""
    head, _, body = request.partition("\n\n")
    return body or head.partition("\n")[0].partition("?")[2]


def asked(exchange: Exchange, vault: Vault) -> str:
    """What an exchange asked for, in a few words: ``create as owner (POST, JSON)``."""
    intent = exchange.intent
    path = exchange.request.url.partition("?")[0].partition("://")[2].partition("/")[2]
    what = intent.operation or cut(vault.mask(path.rpartition("/")[2] or path), 40)
    if intent.valid and intent.account:
        who = f"as {intent.account}"
    elif intent.credential is None:
        who = "without a hash"
    else:
        who = f"with {cut(vault.mask(intent.credential), 40) or 'an empty hash'}"
    return f"{what} {who} ({style(exchange.request)})"


def answered(exchange: Exchange, vault: Vault) -> str:
    """What came back, in a few words: ``HTTP 200, success, «key 3 of owner»``."""
    response = exchange.response
    if response is None:
        return f"no answer: {exchange.failure}"
    said = f"HTTP {response.status}"
    try:
        document = json.loads(response.body)
    except (ValueError, RecursionError):
        return f"{said}, no JSON"
    if not isinstance(document, dict):
        return f"{said}, no envelope"
    if document.get("success") is True:
        return f"{said}, success, {cut(vault.mask(str(document.get('value'))), 60)}"
    status = document.get("status")
    code = status.get("code") if isinstance(status, dict) else None
    return f"{said}, no envelope" if code is None else f"{said}, error {code}"


def by_name(creates: Mapping[str, int]) -> dict[str, int]:
    """*creates* of accounts by the name of the account: fresh ones of the same kind are numbered."""
    found: dict[str, int] = {}
    for label, number in creates.items():
        name = label.rstrip("0123456789 ")
        found[name] = found.get(name, 0) + number
    return found
