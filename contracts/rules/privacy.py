"""What an answer must not show: credentials, the server's inside, and an invitation to shared caches (facts P1, P2)."""

from __future__ import annotations

import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, Sequence
from email.utils import parsedate_to_datetime
from functools import lru_cache
from html import escape
from typing import Any
from urllib.parse import unquote, urlsplit

from contracts.exchange import Exchange, Response
from contracts.rules.body import Body, read_body
from contracts.rules.internals import found_in

# Their values are addresses by nature.
_ADDRESS_HEADERS = frozenset(
    {"location", "content-location", "link", "set-cookie", "report-to", "nel", "content-security-policy"}
)

# Shorter strings (``null``, ``abc``) turn up in harmless sentences.
_SHORTEST_ECHO = 16
#: A shorter stretch of a secret may be there by chance.
_SIGNIFICANT = 12
_DIFFERENT = 5
#: Characters of an answer that are looked through. Its own answers have a hundred; a hostile one must not cost minutes.
_MOST = 16_384
#: Characters of an answer that is short.
_SHORT = 2_048
_DIRECTIVE = re.compile(r"[^,\"]++(?:\"[^\"]*+\"?)?+|\"[^\"]*+\"?")

# Where a page links to is an address of the site.
_LINKS = re.compile(
    r"\bhttps?://[^\s\"'<>]++|\b(?:href|src|action)\s{0,9}+=\s{0,9}+(?:\"[^\"\n]{0,999}+\"|'[^'\n]{0,999}+')",
    re.IGNORECASE,
)


def texts(response: Response) -> str:
    """What a reader of the answer sees: header values, the body as sent, and its JSON strings unescaped.

    Of each only so much is looked at.
    """
    short = len(response.body) <= _SHORT and sum(len(value) for _, value in response.headers) <= _SHORT
    return (_texts_of_short if short else _texts)(response.headers, response.body)


def _texts(headers: Sequence[tuple[str, str]], body: bytes) -> str:
    shown = "\n".join(f"{name}: {value}" for name, value in headers)[:_MOST]
    strings = _some(_strings(read_body(body).document))
    return "\n".join([shown, body[:_MOST].decode("utf-8", "replace"), *strings])


#: An answer is looked at when it comes, for itself and for what belongs to others, and again when the whole history is.
_texts_of_short = lru_cache(maxsize=512)(_texts)


def _some(parts: Iterable[str]) -> Iterator[str]:
    """As many of *parts* as may be looked at, the last of them cut."""
    room = _MOST
    for part in parts:
        yield part[:room]
        room -= len(part)
        if room <= 0:
            return


def _strings(root: Any) -> Iterator[str]:
    pending = [root]
    while pending:
        node = pending.pop()
        if isinstance(node, str):
            yield node
        elif isinstance(node, dict):
            pending.extend(node.keys())
            pending.extend(node.values())
        elif isinstance(node, list):
            pending.extend(node)


def holds(text: str, secret: str) -> bool:
    """Whether *text* shows *secret*, in any letter case and percent-encoded or not."""
    needle = secret.lower()
    lowered = text.lower()
    return needle in lowered or ("%" in lowered and needle in unquote(lowered))


def shown_part(text: str, secret: str) -> str | None:
    """The longest stretch of *secret*, of at least twelve characters, with which *text* shows it, or None. Both in lower case.

    The first that is found is drawn out as far as it goes.
    """
    if secret in text:
        return secret
    size = min(_SIGNIFICANT, len(secret))
    shown = _stretches(text, size)
    for start in range(len(secret) - size + 1):
        part = secret[start : start + size]
        # A run of zeros says nothing: it stands in time stamps and trace ids too.
        if part in shown and len(set(part)) >= _DIFFERENT:
            return secret[start : _end_of_shown(text, secret, start, start + size)]
    return None


@lru_cache(maxsize=2)
def _stretches(text: str, size: int) -> frozenset[str]:
    """Every stretch of *text* of *size* characters: hundreds of secrets are looked for in the same answer."""
    return frozenset(text[start : start + size] for start in range(len(text) - size + 1))


def _end_of_shown(text: str, secret: str, start: int, end: int) -> int:
    """Up to where *text* shows *secret* from *start* on; up to *end* it does. Halved, for what is shown begins what is longer."""
    low, high = end, len(secret)
    while low < high:
        middle = (low + high + 1) // 2
        if secret[start:middle] in text:
            low = middle
        else:
            high = middle - 1
    return low


def repeats_credential(text: str, credential: str | None) -> bool:
    """Whether *text* repeats the credential that was sent, as it is or in base64.

    One that is the same character throughout, such as 32 zeros, may stand there for something else: a trace without an id.
    """
    if credential is None or len(credential) < _SHORTEST_ECHO or len(set(credential)) == 1:
        return False
    return holds(text, credential) or any(form in text for form in _in_base64(credential))


@lru_cache(maxsize=64)
def _in_base64(secret: str) -> frozenset[str]:
    """What shows of *secret* in base64 (RFC 4648), in either alphabet and behind any text: what its own bits alone make."""
    data, found = secret.encode(), set()
    for before, hidden in ((0, 0), (1, 2), (2, 3)):
        for coded in (b64encode(bytes(before) + data), urlsafe_b64encode(bytes(before) + data)):
            found.add(coded.decode()[hidden : (before + len(data)) * 8 // 6])
    return frozenset(found)


def without_address(text: str, url: str) -> str:
    """*text* without the address *url*, in whatever form a page repeats it: whole or from the path on, decoded, in entities."""
    target = urlsplit(url)
    path = target.path + (f"?{target.query}" if target.query else "")
    for known in (url, unquote(url), path, unquote(path)):
        for form in (known, escape(known), known.replace("/", "\\/")):
            if len(form) > 1:
                text = text.replace(form, " ")
    return text


def internals(response: Response, body: Body, exchange: Exchange) -> str | None:
    """What *response* shows of the server's inside, named, or None. The path and the URL of the request are fine."""
    headers = (f"{name}: {value}" for name, value in response.headers if name.lower() not in _ADDRESS_HEADERS)
    parts = [*_some(headers), *_some(_strings(body.document))]
    if body.flaws:
        # As sent, where reading it may have lost something; else only unescaped: an escape looks like a part of a path.
        parts.append(response.body[:_MOST].decode("utf-8", "replace"))
    if _first("\n".join(parts), exchange) is None:
        return None
    return next(filter(None, (_first(part, exchange) for part in parts)), None)


def _first(text: str, exchange: Exchange) -> str | None:
    target = urlsplit(exchange.request.url)
    for known in (exchange.request.url, target.path + "?" + target.query, target.path, unquote(target.path)):
        if len(known) > 1:
            text = text.replace(known, " ")
    return found_in(_LINKS.sub(" ", text))


def public_caching(response: Response) -> str | None:
    """The header by which *response* invites shared caches to keep it (RFC 9111), or None."""
    control = response.header("Cache-Control") or ""
    directives: dict[str, str] = {}
    for part in _DIRECTIVE.findall(control[:_MOST]):
        name, _, value = part.strip().partition("=")
        name, value = name.strip().lower(), value.strip().strip('"')
        # What is said twice, once for some fields and once for all, is said for all.
        directives[name] = value if directives.get(name, value) else ""
    # Either decides it, whatever else is said; ``private`` with names of fields is about those alone (RFC 9111, section 5.2.2).
    if "no-store" in directives or directives.get("private") == "":
        return None
    if "public" in directives or _seconds(directives.get("s-maxage", "")) > 0:
        return f"Cache-Control: {control}"
    if _seconds(directives.get("max-age", "")) > 0:
        return f"Cache-Control: {control}"
    expires = response.header("Expires")
    if (
        expires
        and "max-age" not in directives
        and "no-cache" not in directives
        and _is_future(expires, response.header("Date"))
    ):
        return f"Expires: {expires}"
    return None


def _seconds(text: str) -> int:
    digits = text[:12]
    return int(digits) if digits.isascii() and digits.isdigit() else 0


def _is_future(expires: str, date: str | None) -> bool:
    try:
        then = parsedate_to_datetime(expires)
    except (TypeError, ValueError, OverflowError):
        return False
    try:
        now = parsedate_to_datetime(date or "")
    except (TypeError, ValueError, OverflowError):
        from datetime import UTC, datetime

        now = datetime.now(UTC)
    if then.tzinfo is None or now.tzinfo is None:
        return then.replace(tzinfo=None) > now.replace(tzinfo=None)
    return then > now
