"""Changes of a call that must make no difference: those that made none elsewhere explain nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from contracts.anomaly import Anomaly
from contracts.attribution.answers import is_bad_input, is_plain, is_understood, place_of
from contracts.ids import B1, C1_PARSED, C5_ISO, C5_UNKNOWN
from contracts.judge import Judgement
from contracts.refusals import FORM
from contracts.register.changes import REFUSED


def without_those_that_work(anomaly: Anomaly, answers: Sequence[Judgement]) -> Anomaly:
    """Without the equivalences that worked in another call of the same place.

    Where the plain call works, nothing but equivalences and the form of the answer is left.
    """
    wrong = anomaly.answer
    equivalences = frozenset(wrong.exchange.intent.equivalences)
    if not equivalences & anomaly.candidates:
        return anomaly
    if is_bad_input(wrong):
        return _without_what_good_calls_carry(anomaly, answers)
    alike = [each for each in answers if is_plain(each) and place_of(each) == place_of(wrong)]
    successes = [each for each in alike if each.key is not None]
    if wrong.key is not None and wrong.exchange.intent.operation == "create" and wrong.exchange.intent.kind in REFUSED:
        # It is let in. Where the plain call is, too, that is not for what is special in this one.
        let_in = any(not each.exchange.intent.equivalences for each in successes)
        return replace(anomaly, candidates=anomaly.candidates - equivalences) if let_in else anomaly
    if wrong.key is None and any(_is_the_same_call(each, wrong) for each in successes):
        # It fits at another time: it is not what is special in it, nor that what it carries were bad input elsewhere.
        return replace(anomaly, candidates=anomaly.candidates - equivalences - {B1} or anomaly.candidates)
    fit = [each for each in successes if not _answered_alike(each, wrong)]
    works = frozenset(name for each in fit for name in each.exchange.intent.equivalences)
    return replace(anomaly, candidates=_without_what_works(anomaly, works, plain_fits=_plain_call_fits(wrong, alike)))


def _without_what_works(anomaly: Anomaly, works: frozenset[str], *, plain_fits: bool) -> frozenset[str]:
    """The candidates that are left where the equivalences *works* work elsewhere, and, it may be, the plain call."""
    equivalences = frozenset(anomaly.answer.exchange.intent.equivalences)
    kept = anomaly.candidates
    if (equivalences - works) & kept:
        kept -= works
    if plain_fits and not is_understood(anomaly.answer):
        kept &= equivalences | FORM | {B1, C1_PARSED}
    if works & {C5_ISO, C5_UNKNOWN} and C1_PARSED not in equivalences:
        # Another member of the JSON body is read, or passed over, as it should be.
        kept -= {C1_PARSED}
    return kept


def _without_what_good_calls_carry(anomaly: Anomaly, answers: Sequence[Judgement]) -> Anomaly:
    """The same for bad input, which is no account's: without the unknown parameter that good calls of any account carry in this style."""
    place = place_of(anomaly.answer)[:2]
    good = (each for each in answers if each.key is not None and is_plain(each) and place_of(each)[:2] == place)
    if not any(C5_UNKNOWN in each.exchange.intent.equivalences for each in good):
        return anomaly
    # Of iso_datetime it is not known whether they had it in the same place: it may be a header, too.
    return replace(anomaly, candidates=anomaly.candidates - {C5_UNKNOWN} or anomaly.candidates)


def _is_the_same_call(one: Judgement, other: Judgement) -> bool:
    """Whether two calls are the very same, and are sent for the same equivalences."""
    same = one.exchange.intent.equivalences == other.exchange.intent.equivalences
    return same and one.exchange.request == other.exchange.request


def _plain_call_fits(wrong: Judgement, alike: Sequence[Judgement]) -> bool:
    """Whether the call without equivalences got another answer than *wrong*, each time that it was sent."""
    plain = [each for each in alike if not each.exchange.intent.equivalences]
    if any(_answered_alike(each, wrong) for each in plain):
        return False
    return any(each.key is not None or each.code != wrong.code for each in plain)


def _answered_alike(one: Judgement, other: Judgement) -> bool:
    return (one.kind, one.code) == (other.kind, other.code)
