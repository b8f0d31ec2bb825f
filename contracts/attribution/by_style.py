"""What a call style explains that does not work, for everybody or for accounts of one kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from contracts.anomaly import Anomaly
from contracts.attribution.answers import is_about_the_style, is_accepted, is_plain, place_of, refuses_the_method
from contracts.attribution.findings import IN_CONSEQUENCE
from contracts.attribution.styles import RefusedStyle, refused_styles
from contracts.codes import CODES, NO_HASH, WRONG_METHOD
from contracts.ids import C1_GET, C1_JSON, P3, T1, T2, T4
from contracts.judge import Judgement
from contracts.register.account import DEMO
from contracts.register.changes import REFUSED

#: Codes by which a call is refused that is not the caller's to make, or in no form that is understood.
_NO_CALL = NO_HASH | {5, 11, WRONG_METHOD}
#: What promises the methods themselves.
_OF_THE_METHOD = frozenset({C1_GET, C1_JSON})
#: Kinds of accounts that a style may know nothing of; of owners there are others by which it is seen to work.
_KINDS = frozenset({DEMO, *REFUSED})
#: An operation, a kind of accounts, and the name of a style.
_Place = tuple[str | None, str, str]


def with_styles(found: Iterable[Anomaly], answers: Sequence[Judgement]) -> list[Anomaly]:
    """A style in which nothing succeeds explains each refusal and each missing success in it."""
    refused = refused_styles(answers)
    names = {(each.operation, each.name) for each in refused}
    elsewhere = {
        (each.exchange.intent.operation, each.kind, each.code)
        for each in answers
        if is_plain(each)
        and not each.exchange.intent.equivalences
        and each.key is None
        and place_of(each)[:2] not in names
    }
    said_to_all = {
        each.exchange.intent.style
        for each in answers
        if is_accepted(each) and not each.exchange.intent.valid and each.exchange.intent.refusal is not None
    }

    def explained(anomaly: Anomaly) -> Anomaly:
        # A success in a wrong form is explained by the style only where calls that must be refused get one, too.
        if is_accepted(anomaly.answer) and anomaly.answer.exchange.intent.style not in said_to_all:
            return anomaly
        return _with_style(anomaly, refused, elsewhere)

    return [explained(each) for each in found]


def _with_style(
    anomaly: Anomaly, refused: Sequence[RefusedStyle], elsewhere: Collection[tuple[str | None, str, int | None]]
) -> Anomaly:
    intent = anomaly.answer.exchange.intent
    redirected = P3 in anomaly.candidates and anomaly.by_rule == P3
    if anomaly.answer.key is not None or redirected:
        return anomaly
    promises = {
        style.promise
        for style in refused
        if style.operation == intent.operation
        and style.since < anomaly.answer.exchange.sent_at
        and (
            style.name in (intent.style, *intent.alike)
            or (style.method == anomaly.answer.exchange.request.method and _by_method(anomaly.answer, style))
        )
    }
    # By another style the same account succeeds: it is the style that is broken, and not what the operation does.
    alone = (intent.operation, anomaly.answer.kind, anomaly.answer.code) not in elsewhere
    candidates, suspects = anomaly.candidates, anomaly.suspects
    if promises and intent.valid and alone:
        candidates = candidates - {T1, T2} - {name for name, _ in suspects}
        suspects = ()
    if promises and intent.valid and not anomaly.by_rule and (anomaly.answer.status or 0) >= 400:
        # In the form of other refusals it would be no success either.
        candidates -= IN_CONSEQUENCE
    # Where the style is known to be broken elsewhere, it need not be for anything else that it is refused here.
    own = {intent.promise} if intent.valid and intent.promise and anomaly.answer.kind == "error" else set()
    return replace(
        anomaly, candidates=candidates | promises, suspects=suspects, follows_from=anomaly.follows_from | own
    )


def _by_method(answer: Judgement, style: RefusedStyle) -> bool:
    """Whether the refusal of *style* explains the *answer* to a call of the same method, in another style.

    It does where the method itself is refused: that breaks C1, whatever the call carries (facts, "What one fault is called").
    And it does for a call without a credential, which may be taken for one of any style of its method.
    """
    if not answer.exchange.intent.valid and not answer.exchange.intent.credential:
        return True
    return style.promise in _OF_THE_METHOD and style.for_its_method and refuses_the_method(answer)


def of_the_style_alone(found: Sequence[Anomaly], answers: Sequence[Judgement]) -> list[Anomaly]:
    """Where accounts of one kind are unknown in one style, and known in another, it is the style that is broken for them."""
    alone = _places_alone(answers)
    return [_with_the_style_alone(each, alone) for each in found] if alone else list(found)


def _places_alone(answers: Sequence[Judgement]) -> set[_Place]:
    """Where a kind of accounts is unknown that other styles know."""
    known: set[_Place] = set()
    unknown: set[_Place] = set()
    refused: dict[tuple[str | None, str | None], set[_Place]] = {}
    lives: set[_Place] = set()
    for each in answers:
        intent = each.exchange.intent
        if is_about_the_style(each) and intent.kind in _KINDS:
            place = (intent.operation, intent.kind, intent.style)
            before = refused.setdefault((intent.operation, intent.account), set())
            if _not_taken(each):
                unknown.add(place)
                before.add(place)
            elif each.key is not None or (each.kind == "error" and each.code in CODES and not each.server_error):
                known.add(place)
                lives |= before
    styles = Counter(place[:2] for place in known)
    # What is known in one style alone, and unknown in all that come after it, may have come to an end.
    return {place for place in unknown - known if styles[place[:2]] > 1 or place in lives}


def _with_the_style_alone(anomaly: Anomaly, alone: Collection[_Place]) -> Anomaly:
    """*anomaly*, explained by its style where this is one of the places *alone*."""
    intent = anomaly.answer.exchange.intent
    of_style = (intent.operation, intent.kind, intent.style) in alone and _not_taken(anomaly.answer)
    # What read says where there is no session has a sentence of its own.
    if not of_style or not intent.valid or not intent.promise or anomaly.by_rule or T4 in anomaly.candidates:
        return anomaly
    expected = f"{anomaly.expected}, which {intent.kind} gets by other styles"
    return replace(anomaly, candidates=frozenset({intent.promise}), expected=expected, follows_from=frozenset())


def _not_taken(answer: Judgement) -> bool:
    """Whether a create is refused as an unknown account's, or a read, which no account with a session is refused, as no such call."""
    codes = NO_HASH if answer.exchange.intent.operation == "create" else _NO_CALL
    return answer.kind == "error" and answer.code in codes
