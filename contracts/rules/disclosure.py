"""A5: what an answer to a call without valid credentials discloses of any account."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

from contracts.exchange import Exchange, Response
from contracts.rules import privacy

#: Characters in a row of a secret that disclose something of it.
_STRETCH: Final = 12
#: Texts whose stretches are kept, answers and secrets: a run has some hundred of each.
_KEPT: Final = 512
#: Characters of an answer that is short.
_SHORT: Final = 1_000
DISCLOSES_NOTHING: Final = "nothing of any account in an answer to a call without valid credentials"


def disclosed(exchange: Exchange, response: Response, secrets: Iterable[str]) -> str | None:
    """What *response* discloses of *secrets*, the credentials and keys of all accounts, in words; None where it discloses nothing.

    What the call itself carries is nothing new to its sender; that it is repeated is for P1.
    """
    everything = privacy.texts(response).lower()
    # Most answers show nothing of any: to look whole stretches up is far faster than to search for each.
    shown = _stretches_of(everything) if len(everything) <= _SHORT else _stretches(everything)
    all_secrets = tuple(secrets)
    if shown.isdisjoint(_stretches_of_all(all_secrets)):
        all_secrets = tuple(each for each in all_secrets if len(each) < _STRETCH)
    if not all_secrets:
        return None
    sent = carried(exchange).lower()
    for secret in all_secrets:
        part = privacy.shown_part(everything, secret.lower())
        if part and part not in sent:
            whole = "" if len(part) == len(secret) else " (a part of it)"
            return f"{part!r}{whole}, which belongs to an account, in the answer"
    return None


def carried(exchange: Exchange) -> str:
    """All that the call carries, as it stands and decoded."""
    request = exchange.request
    texts = (text for _, text in request.headers)
    return "\n".join((request.url, unquote(request.url), *texts, request.body.decode("utf-8", "replace")))


def _stretches(text: str) -> frozenset[str]:
    """Every stretch of *text*; none where it is shorter than one."""
    return frozenset(text[start : start + _STRETCH] for start in range(len(text) - _STRETCH + 1))


#: A secret is looked for in every answer, and an answer is looked at again when the whole history is.
_stretches_of = lru_cache(maxsize=_KEPT)(_stretches)


@lru_cache(maxsize=2)
def _stretches_of_all(secrets: tuple[str, ...]) -> frozenset[str]:
    return frozenset().union(*(_stretches_of(each.lower()) for each in secrets))
