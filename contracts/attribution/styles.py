"""Call styles in which an operation does not succeed, though it does by another style."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from contracts.attribution.answers import is_about_the_style, is_plain, is_understood, refuses_the_method
from contracts.codes import NO_HASH
from contracts.judge import Judgement
from contracts.register.changes import REFUSED

#: Refusals of owners, with no success after them, by which a style is seen to be closed that was open.
_CLOSED = 2
#: Refusals of good hashes by which a style is seen to know them not each time.
_UNRELIABLE = 4
_NEVER = float("-inf")
#: An operation, and the name of a style.
_Place = tuple[str, str]
#: Accounts of which nothing explains a refusal.
_OWNERS = frozenset({"owner", "other_owner"})


@dataclass(frozen=True)
class RefusedStyle:
    """A call style in which an operation never succeeds, its method, and the requirement that promises it.

    ``for_its_method`` says that each refusal is one of the method. ``since`` is when it last did succeed, where it did at
    first: it is a time of the history, in seconds.
    """

    operation: str
    name: str
    method: str
    promise: str
    for_its_method: bool
    since: float = _NEVER


def refused_styles(answers: Sequence[Judgement]) -> list[RefusedStyle]:
    """The operations and call styles in which nothing succeeds, or nothing any more, or not each time, while another style does.

    Each has its promise. A create that must be refused says nothing about the style, with whatever code it is refused.
    """
    tried: dict[_Place, list[Judgement]] = {}
    for each in answers:
        intent = each.exchange.intent
        if _may_be_refused(each):
            continue
        if is_about_the_style(each) and intent.operation is not None:
            tried.setdefault((intent.operation, intent.style), []).append(each)
    last = {place: _latest(seen) for place, seen in tried.items()}
    working = {operation for (operation, _), when in last.items() if when != _NEVER}
    refused = {place for place, when in last.items() if when == _NEVER and place[0] in working}
    refused |= _closed(tried, last, refused)
    unreliable = _unreliable(answers)
    for place in {each for each in tried if each[1] in unreliable}:
        refused.add(place)
        last[place] = _NEVER
    return [
        RefusedStyle(
            *place,
            seen[0].exchange.request.method,
            seen[0].exchange.intent.promise,
            all(map(refuses_the_method, seen)),
            last[place],
        )
        for place, seen in tried.items()
        if place in refused
    ]


def _may_be_refused(answer: Judgement) -> bool:
    """Whether create is called as one to whom it must be refused: then its code says nothing of the style, whichever it is."""
    intent = answer.exchange.intent
    return intent.operation == "create" and intent.kind in REFUSED and not is_understood(answer)


def _latest(answers: Sequence[Judgement]) -> float:
    """When the last call that was understood was sent."""
    return max((each.exchange.sent_at for each in answers if is_understood(each)), default=_NEVER)


def _closed(
    tried: Mapping[_Place, Sequence[Judgement]], last: Mapping[_Place, float], never: Collection[_Place]
) -> set[_Place]:
    """The styles that worked, and then refused owners at least twice, with an answer that no style gives which still works."""
    refused = {
        place: [each for each in seen if each.exchange.intent.kind in _OWNERS and not is_understood(each)]
        for place, seen in tried.items()
    }
    closing = {place for place, seen in refused.items() if _no_longer_works(place, seen, last)}
    elsewhere = {
        _words(each) for place, seen in refused.items() if place not in closing and place not in never for each in seen
    }
    return {place for place in closing if not elsewhere.intersection(map(_words, refused[place]))}


def _no_longer_works(place: _Place, refused: Sequence[Judgement], last: Mapping[_Place, float]) -> bool:
    """Whether the style worked, and then *refused* owners at least twice, while the operation goes on to work by another."""
    since = [each.exchange.sent_at for each in refused if each.exchange.sent_at > last[place]]
    goes_on = max(when for (operation, _), when in last.items() if operation == place[0])
    return last[place] != _NEVER and len(since) >= _CLOSED and goes_on > since[_CLOSED - 1]


def _unreliable(answers: Sequence[Judgement]) -> set[str]:
    """The styles in which good hashes of several accounts are now known and now not, while every other style knows them each time."""
    refused: dict[str, list[Judgement]] = {}
    for each in answers:
        if is_plain(each) and not each.exchange.intent.equivalences and each.code in NO_HASH:
            refused.setdefault(each.exchange.intent.style, []).append(each)
    return {
        style
        for style, seen in refused.items()
        if len(refused) == 1
        and len(seen) >= _UNRELIABLE
        and len({each.exchange.intent.account for each in seen}) > 1
        and _gets_over_it(answers, style)
    }


def _gets_over_it(answers: Sequence[Judgement], style: str) -> bool:
    """Whether one account at least is refused in this style, by an operation that is understood there later on."""
    known: dict[tuple[str | None, str | None], list[bool]] = {}
    for each in answers:
        intent = each.exchange.intent
        if is_plain(each) and intent.style == style and (is_understood(each) or each.code in NO_HASH):
            known.setdefault((intent.account, intent.operation), []).append(is_understood(each))
    return any(False in seen and True in seen[seen.index(False) :] for seen in known.values())


def _words(answer: Judgement) -> tuple[str | None, str, int | None]:
    """The operation that is refused, and how."""
    return answer.exchange.intent.operation, answer.kind, answer.code
