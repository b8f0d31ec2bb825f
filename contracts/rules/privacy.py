"""What an answer must not show: credentials, the server's inside, and an invitation to shared caches (facts P1, P2)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from contracts.exchange import Exchange, Response
from contracts.rules.body import Body

# Their values are addresses by nature.
_ADDRESS_HEADERS = frozenset(
    {"location", "content-location", "link", "set-cookie", "report-to", "nel", "content-security-policy"}
)

# Shorter strings (``null``, ``abc``) turn up in harmless sentences.
_SHORTEST_ECHO = 16
#: A shorter stretch of a secret may be there by chance.
_TELLING = 12
_DIFFERENT = 5
#: Characters of an answer that are looked through. Its own answers have a hundred; a hostile one must not cost minutes,
#: which is also why no quantifier below is without bound.
_MOST = 16_384

_STACK_TRACES = (
    re.compile(r"Traceback \(most recent call last\)"),
    re.compile(r"File \"[^\"\n]{1,200}\", line \d+"),
    re.compile(r"\bat [\w$.<>]{1,200}\([\w$]{1,200}\.(?:java|kt|scala|groovy):\d{1,9}\)"),
    re.compile(r"\bat [\w$.<>]{1,200}\((?:Native Method|Unknown Source)\)"),
    re.compile(r"\bat (?:[\w$.<>\[\] ]{1,100} )?\(?(?:file://)?[^\s()]{0,200}\.(?:js|ts|mjs|cjs):\d{1,9}:\d"),
    re.compile(r"\bat [\w.<>`]{1,200}\([^)\n]{0,200}\) in [^\n]{1,200}:line \d+"),
    re.compile(r"#\d{1,9} [^\n:]{1,200}\.php\(\d{1,9}\)"),
    re.compile(r"\bin [^\s:]{1,200}\.php(?: on line |:)\d+"),
    re.compile(r"\bat (?:async )?[\w$.<>]{1,200} \(node:[\w/]{1,200}:\d{1,9}:\d"),
    # Frames of .NET, or of Java without sources: two lines of nothing else.
    re.compile(
        r"(?m)^[ \t]{1,40}at [\w$.<>`+]{1,200}\([^)\n]{0,200}\)[ \t\r]{0,40}\n"
        r"[ \t]{1,40}at [\w$.<>`+]{1,200}\([^)\n]{0,200}\)"
    ),
    re.compile(r"\.rb:\d+:in [`']"),
    re.compile(r"\.exs?:\d{1,9}: [\w.]{1,200}/\d"),
    re.compile(r"\bgoroutine \d+ \["),
    re.compile(r"\b\w[\w/.-]{0,100}\.go:\d+"),
    re.compile(r"\bthread '[^']{1,200}' panicked at"),
    re.compile(r"Caused by: [\w.$]{1,200}(?:Exception|Error)"),
)
_PATHS = (
    re.compile(r"(?<![\w:/.])/(?:usr|var|opt|srv|etc|root|tmp|mnt|proc)/[\w.@+-]{1,200}(?:/[\w.@+-]{1,200}){0,20}"),
    # A page of a site may be called so, too; what lies below somebody's home is a file.
    re.compile(r"(?<![\w:/.])/(?:home|Users)/[\w.@+-]{1,200}(?:/[\w.@+-]{1,200}){1,20}"),
    # Names that a public URL may begin with too count only when what follows looks like a file.
    re.compile(
        r"(?<![\w:/.])/(?:app|apps|data|src|code|build|run|lib|bin|www|workspace|deploy|private)/"
        r"(?:[\w@+-]{1,100}/){0,20}[\w@+-]{1,100}\.(?:py|js|ts|java|rb|php|go|cs|class|jar|so|conf|log|sql|sock|db|html?|xml|ya?ml)\b"
    ),
    re.compile(r"(?<![A-Za-z])[A-Za-z]:\\{1,2}[\w .()-]{1,100}\\{1,2}[\w .()\\-]{1,200}"),
    re.compile(r"\bfile:///?[\w./-]{1,200}"),
)
# Where a page links to is an address of the site.
_LINKS = re.compile(
    r"\bhttps?://[^\s\"'<>]+|\b(?:href|src|action)\s{0,9}=\s{0,9}(?:\"[^\"\n]{0,999}\"|'[^'\n]{0,999}')", re.IGNORECASE
)
_SQL = (
    # One column, or something between that no sentence would have there: a message in capitals is no statement.
    re.compile(r"\bSELECT\s{1,20}[^;]{0,300}?[*,.()=_\"'`\[][^;]{0,300}?\s{1,20}FROM\s{1,20}[\w\"`\[.]+"),
    # What prose in capitals takes from a list is in capitals, too.
    re.compile(r"\bSELECT\s{1,20}\w{1,200}\s{1,20}FROM\s{1,20}(?=[\w\"`\[.]{0,99}[a-z_\"`\[])[\w\"`\[.]+"),
    re.compile(
        r"\bselect\s{1,20}[\w.,*\s\"`]{1,200}?\sfrom\s{1,20}[\w\"`.]{1,100}(?:\s{1,20}(?:as\s{1,20})?\w{1,100})?"
        r"\s{1,20}where\s{1,20}[\w\"`.]{1,100}\s{0,20}(?:=|<|>|!=|like\s{1,20}'|in\s{0,20}\()",
        re.IGNORECASE,
    ),
    re.compile(r"\bselect\s{1,20}\*\s{1,20}from\s{1,20}[\w\"`.]+", re.IGNORECASE),
    re.compile(r"\b(?:DROP TABLE|ALTER TABLE)\b\s{1,20}[\w\"`.]+"),
    re.compile(r"\bINSERT INTO\b\s{1,20}[\w\"`.]{1,100}\s{0,20}(?:\(|(?:VALUES|SELECT|SET)\b)"),
    re.compile(r"\bDELETE FROM\b\s{1,20}(?=[\w\"`.]{0,99}[a-z_\"`])[\w\"`.]+"),
    re.compile(r"\binsert into\s{1,20}[\w\"`.]{1,100}\s{0,20}\([^)]{0,300}\)\s{0,20}values\b", re.IGNORECASE),
    re.compile(r"\bdelete from\s{1,20}[\w\"`.]{1,100}\s{1,20}where\b", re.IGNORECASE),
    re.compile(r"\bupdate\s{1,20}[\w\"`.]{1,100}\s{1,20}set\s{1,20}[\w\"`.]{1,100}\s{0,20}=", re.IGNORECASE),
    re.compile(r"\bSQLSTATE\b|\bORA-\d{5}\b|error in your SQL syntax", re.IGNORECASE),
)


def texts(response: Response, document: Any) -> str:
    """What a reader of the answer sees: header values, the body as sent, and its JSON strings unescaped.

    Of each only so much is looked at.
    """
    headers = "\n".join(f"{name}: {value}" for name, value in response.headers)[:_MOST]
    return "\n".join([headers, response.body[:_MOST].decode("utf-8", "replace"), *_some(_strings(document))])


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
    """The longest stretch of *secret*, of at least twelve characters, with which *text* shows it, or None. Both in lower case."""
    if secret in text:
        return secret
    size = min(_TELLING, len(secret))
    for start in range(len(secret) - size + 1):
        part = secret[start : start + size]
        # A run of zeros says nothing: it stands in time stamps and trace ids too.
        if len(set(part)) >= _DIFFERENT and part in text:
            end = start + size
            while end < len(secret) and secret[start : end + 1] in text:
                end += 1
            return secret[start:end]
    return None


def repeats_credential(text: str, credential: str | None) -> bool:
    """Whether *text* repeats the credential that was sent."""
    return credential is not None and len(credential) >= _SHORTEST_ECHO and holds(text, credential)


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
    text = _LINKS.sub(" ", text)
    for name, patterns in (("a stack trace", _STACK_TRACES), ("an SQL statement", _SQL), ("a file path", _PATHS)):
        for pattern in patterns:
            found = pattern.search(text)
            if found:
                return f"{name}: {found.group(0)[:120]!r}"
    return None


def public_caching(response: Response) -> str | None:
    """The header by which *response* invites shared caches to keep it (RFC 9111), or None."""
    control = response.header("Cache-Control") or ""
    directives: dict[str, str] = {}
    for part in re.findall(r"[^,\"]+(?:\"[^\"]*\")?", control):
        name, _, value = part.strip().partition("=")
        directives[name.strip().lower()] = value.strip().strip('"')
    # Whatever else is said beside it, for one of two that contradict each other somebody will take.
    if "public" in directives or _seconds(directives.get("s-maxage", "")) > 0:
        return f"Cache-Control: {control}"
    if "no-store" in directives or "private" in directives:
        return None
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
