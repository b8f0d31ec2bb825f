"""Calls that must not succeed: whether an answer is the refusal that is expected, and what it breaks where it is not."""

from __future__ import annotations

import re

from contracts.anomaly import Anomaly, asked
from contracts.codes import GENERAL
from contracts.exchange import Refusal
from contracts.ids import A1, A2, A3, B1, E1, E2, E3, P3, S1, S2, S3, S4
from contracts.judge import FRONT_STATUSES, Judgement

#: The code of too many calls (ERRORS).
_RATE_LIMITED = 15
_HASH = re.compile("[0-9a-f]{32}")
#: What is wrong with an answer whose code, or whose kind, cannot be read.
FORM = frozenset({S1, S2, S3, E1})


def form_findings(answer: Judgement) -> frozenset[str]:
    """The requirements of form that *answer* breaks, where they leave open what it means."""
    clear = answer.kind == "success" or (answer.kind == "error" and answer.code is not None)
    if clear and not answer.ambiguous:
        return frozenset()
    return FORM & {each.requirement for each in answer.violations}


def value_findings(answer: Judgement) -> frozenset[str]:
    """What is wrong with the value of a success that gives no key."""
    if answer.kind != "success":
        return frozenset()
    return frozenset({S3, S4}) & {each.requirement for each in answer.violations}


def limit_findings(answer: Judgement) -> frozenset[str]:
    """E2 where *answer* says that there were too many calls with another status than its own: it is no answer to what was asked."""
    wrong_status = answer.code == _RATE_LIMITED and any(each.requirement == E2 for each in answer.violations)
    return frozenset({E2} if wrong_status else ())


def rate_limited(answer: Judgement) -> bool:
    """Whether *answer* says, in its proper envelope, that there were too many calls (R1)."""
    return answer.kind == "error" and (answer.status, answer.code) == (429, _RATE_LIMITED)


def refusal_anomaly(answer: Judgement) -> Anomaly | None:
    """What does not fit in the answer to a call that must not succeed; None where all of it does, or where none is expected."""
    refusal = answer.exchange.intent.refusal
    if refusal is None or rate_limited(answer):
        return None
    return _JUDGES[refusal.form](answer, refusal)


def _unanswered(answer: Judgement) -> bool:
    return answer.kind == "nothing" and not (answer.exchange.intent.front and answer.exchange.closed)


def _by_front(answer: Judgement) -> bool:
    """Whether a web server in front may have answered so (facts B1)."""
    intent = answer.exchange.intent
    if not intent.front or answer.kind == "success":
        return False
    return answer.status in FRONT_STATUSES or (answer.kind == "nothing" and answer.exchange.closed)


def _anomaly(answer: Judgement, expected: str, *candidates: str, follows_from: frozenset[str] = frozenset()) -> Anomaly:
    # A redirect is no refusal of anything, and says why there is none (P3).
    redirected = {P3} & {each.requirement for each in answer.violations}
    found = frozenset(candidates) | form_findings(answer) | redirected
    return Anomaly(found, answer, expected, answer.summary(), asked(answer), follows_from=follows_from)


def _with_code(answer: Judgement, refusal: Refusal) -> Anomaly | None:
    # 3, 4 or 7
    expected = "an error with code " + " or ".join(", ".join(map(str, sorted(refusal.codes))).rsplit(", ", 1))
    if answer.kind == "success":
        # What a web server may refuse may also be let in for what it is, whoever sends it.
        bad_input = {B1} if answer.exchange.intent.front else set()
        # A near miss is a well-formed hash that was never given to anybody, too.
        unknown = refusal.requirement == A3 and _HASH.fullmatch(answer.exchange.intent.credential or "")
        follows_from = frozenset({A2} if unknown else ())
        return _anomaly(answer, expected, refusal.requirement, *bad_input, follows_from=follows_from)
    if _by_front(answer):
        return None
    if answer.server_error or _unanswered(answer):
        # Nothing was opened (facts, "What one fault is called").
        return _anomaly(answer, expected, B1)
    if answer.kind == "error" and answer.code is not None:
        return None if answer.code in refusal.codes else _anomaly(answer, expected, refusal.for_its_code)
    return _anomaly(answer, expected, refusal.requirement, B1)


def _general(answer: Judgement, refusal: Refusal) -> Anomaly | None:
    expected = "the error envelope with a general code and a 4xx status"
    if answer.exchange.intent.front:
        expected += ", or a refusal by a web server in front"
    if _by_front(answer):
        return None
    client_error = answer.status is not None and 400 <= answer.status < 500
    if answer.kind == "error" and answer.code in GENERAL and client_error:
        return None
    candidates = {B1}
    if answer.kind == "error" and not answer.server_error:
        candidates |= {each.requirement for each in answer.violations} & {E2, E3}
    if answer.kind == "success" or refusal.requirement == A2:
        candidates.add(refusal.requirement)
    if answer.server_error:
        # What makes no difference to a good call makes none to a bad one.
        candidates.update(answer.exchange.intent.equivalences)
    return _anomaly(answer, expected, *candidates)


def _anything_but_success(answer: Judgement, refusal: Refusal) -> Anomaly | None:
    free = answer.exchange.intent.free_form
    # What has no envelope says by its status that it succeeded.
    accepted = free and answer.kind == "foreign" and answer.status is not None and answer.status < 300
    if answer.kind == "success" or accepted:
        # A header that is not understood is no credential, and that may be what is let in.
        missing = frozenset() if free else frozenset({A1})
        return _anomaly(answer, "a refusal", refusal.requirement, follows_from=missing)
    if not free and (answer.server_error or _unanswered(answer)):
        return _anomaly(answer, "a refusal without a server error", B1)
    return None


def _an_answer(answer: Judgement, refusal: Refusal) -> Anomaly | None:
    if answer.server_error or answer.kind == "nothing":
        return _anomaly(answer, "an answer without a server error", refusal.requirement)
    return None


def _within_limit(answer: Judgement, refusal: Refusal) -> Anomaly | None:
    if answer.kind == "success":
        return None
    return _anomaly(answer, "a success, or HTTP 429 with code 15 above the rate limit", refusal.requirement)


_JUDGES = {
    "code": _with_code,
    "general": _general,
    "any": _anything_but_success,
    "answer": _an_answer,
    "limit": _within_limit,
}
