"""What an answer to a call that must not succeed breaks: for each form of refusal, what may come and what may not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from contracts.exchange import Refusal
from contracts.ids import (
    A1,
    A2,
    A3,
    A5_DISCLOSED,
    B1,
    C5_UNKNOWN,
    C7_ACTIONS,
    C7_NO_SERVER_ERROR,
    E1,
    E2,
    E3,
    P3,
    R1,
    S1,
    S2,
    S3,
    S4,
)
from contracts.judge import Judgement
from contracts.refusals import form_findings, limit_findings, rate_limited, refusal_anomaly, value_findings
from suites.selfcheck.unit.histories import UNKNOWN, Script, key

NEAR_MISS = Refusal(A3, "code", frozenset({3, 4, 7}), code_requirement=E3)
BAD_INPUT = Refusal(B1, "general")
MALFORMED = Refusal(A2, "general")
ACTION = Refusal(C7_ACTIONS, "any")
OPTIONS = Refusal(C7_NO_SERVER_ERROR, "answer")
BURST = Refusal(R1, "limit")


def answer(refusal: Refusal | None, *, none: bool = False, closed: bool = False, **about: Any) -> Judgement:
    """An answer to a call that is to be refused so: *none* where none came."""
    intent = {name: about.pop(name) for name in ("front", "free_form", "credential") if name in about}
    made = Script().add("read", None, valid=False, refusal=refusal, **about)
    exchange = replace(made.exchange, intent=replace(made.exchange.intent, **intent), closed=closed)
    if none:
        return replace(made, exchange=replace(exchange, response=None, failure="closed"), kind="nothing", code=None)
    return replace(made, exchange=exchange)


def found(*arguments: Any, **about: Any) -> set[str] | None:
    """The candidates of the anomaly, if there is one."""
    anomaly = refusal_anomaly(answer(*arguments, **about))
    return None if anomaly is None else set(anomaly.candidates)


PAGE = {"status": 400}


@pytest.mark.parametrize(
    ("refusal", "about", "candidates"),
    [
        # Nothing is expected, or the limit has answered.
        (None, {"value": key(1)}, None),
        (UNKNOWN, {"code": 15, "status": 429}, None),
        (UNKNOWN, {"code": 15}, {A2}),
        (UNKNOWN, {"code": 4, "status": 429}, None),
        (UNKNOWN, {"code": 6, "status": 429}, {A2}),
        # A code of these.
        (UNKNOWN, {"code": 4}, None),
        (UNKNOWN, {"code": 7}, {A2}),
        (NEAR_MISS, {"code": 7}, None),
        (NEAR_MISS, {"code": 13}, {E3}),
        (UNKNOWN, {"value": key(1)}, {A2}),
        (UNKNOWN, {"value": key(1), "front": True}, {A2, B1}),
        (UNKNOWN, {"value": key(1), "breaks": (P3, S1)}, {A2, P3}),
        (UNKNOWN, {"code": 4, "status": 500}, {B1}),
        (UNKNOWN, {"code": 4, "status": 501}, None),
        (UNKNOWN, {"none": True}, {B1}),
        (UNKNOWN, {"none": True, "closed": True}, {B1}),
        (UNKNOWN, {"none": True, "front": True}, {B1}),
        (UNKNOWN, {"none": True, "front": True, "closed": True}, None),
        (UNKNOWN, PAGE, {A2, B1}),
        (UNKNOWN, {**PAGE, "breaks": (S2, E1, A5_DISCLOSED)}, {A2, B1, S2, E1}),
        (UNKNOWN, {**PAGE, "front": True}, None),
        (UNKNOWN, {"status": 404, "front": True}, {A2, B1}),
        # A general code and a 4xx.
        (BAD_INPUT, {"code": 7}, None),
        (BAD_INPUT, {"code": 7, "status": 399}, {B1}),
        (BAD_INPUT, {"code": 7, "status": 500}, {B1}),
        (BAD_INPUT, {"code": 7, "status": 499}, None),
        (BAD_INPUT, {"code": 201}, {B1}),
        (BAD_INPUT, {"code": 201, "breaks": (E2, E3, S1)}, {B1, E2, E3}),
        (BAD_INPUT, {"code": 7, "status": 500, "breaks": (E2,)}, {B1}),
        (BAD_INPUT, {"code": 7, "status": 500, "equivalences": (C5_UNKNOWN,)}, {B1, C5_UNKNOWN}),
        (BAD_INPUT, {"code": 201, "equivalences": (C5_UNKNOWN,)}, {B1}),
        (MALFORMED, {"code": 201}, {A2, B1}),
        (BAD_INPUT, PAGE, {B1}),
        (BAD_INPUT, {**PAGE, "front": True}, None),
        (BAD_INPUT, {"none": True, "front": True, "closed": True}, None),
        (BAD_INPUT, {"none": True, "front": True}, {B1}),
        (BAD_INPUT, {"value": key(1), "front": True}, {B1}),
        # Anything but a success.
        (ACTION, {"code": 201}, None),
        (ACTION, {"status": 404}, None),
        (ACTION, {"value": key(1)}, {C7_ACTIONS}),
        (ACTION, {"status": 200}, None),
        (ACTION, {"status": 500}, {B1}),
        (ACTION, {"none": True}, {B1}),
        (ACTION, {"none": True, "front": True, "closed": True}, None),
        (ACTION, {"status": 200, "free_form": True}, {C7_ACTIONS}),
        (ACTION, {"status": 299, "free_form": True}, {C7_ACTIONS}),
        (ACTION, {"status": 300, "free_form": True}, None),
        (ACTION, {"status": 500, "free_form": True}, None),
        (ACTION, {"none": True, "free_form": True}, None),
        # An answer, whatever it says.
        (OPTIONS, {"value": key(1)}, None),
        (OPTIONS, {"status": 405}, None),
        (OPTIONS, {"status": 501}, None),
        (OPTIONS, {"status": 503}, {C7_NO_SERVER_ERROR}),
        (OPTIONS, {"none": True}, {C7_NO_SERVER_ERROR}),
        # A success, or too many calls.
        (BURST, {"value": key(1)}, None),
        (BURST, {"code": 15, "status": 429}, None),
        (BURST, {"code": 15, "status": 503}, {R1}),
        (BURST, {"none": True}, {R1}),
    ],
)
def test_what_an_answer_breaks(refusal: Refusal | None, about: dict[str, Any], candidates: set[str] | None) -> None:
    assert found(refusal, **about) == candidates


@pytest.mark.parametrize(
    ("refusal", "about", "follows"),
    [
        (NEAR_MISS, {"value": key(1), "credential": "0" * 31 + "f"}, {A2}),
        (NEAR_MISS, {"value": key(1), "credential": "0" * 31}, set()),
        (NEAR_MISS, {"value": key(1), "credential": "0" * 32 + "\n"}, set()),
        (NEAR_MISS, {"value": key(1), "credential": None}, set()),
        (UNKNOWN, {"value": key(1), "credential": "0" * 32}, set()),
        (ACTION, {"value": key(1)}, {A1}),
        (ACTION, {"value": key(1), "free_form": True}, set()),
    ],
)
def test_what_it_follows_from(refusal: Refusal, about: dict[str, Any], follows: set[str]) -> None:
    anomaly = refusal_anomaly(answer(refusal, **about))
    assert anomaly is not None
    assert anomaly.follows_from == follows


@pytest.mark.parametrize(
    ("refusal", "about", "expected"),
    [
        (Refusal(A2, "code", frozenset({4})), {"code": 7}, "an error with code 4"),
        (UNKNOWN, {"code": 7}, "an error with code 3 or 4"),
        (NEAR_MISS, {"code": 13}, "an error with code 3, 4 or 7"),
        (BAD_INPUT, {"code": 201}, "the error envelope with a general code and a 4xx status"),
        (
            BAD_INPUT,
            {"code": 201, "status": 404, "front": True},
            "the error envelope with a general code and a 4xx status, or a refusal by a web server in front",
        ),
        (ACTION, {"value": key(1)}, "a refusal"),
        (ACTION, {"status": 500}, "a refusal without a server error"),
        (OPTIONS, {"status": 500}, "an answer without a server error"),
        (BURST, {"code": 4}, "a success, or HTTP 429 with code 15 above the rate limit"),
    ],
)
def test_what_is_expected(refusal: Refusal, about: dict[str, Any], expected: str) -> None:
    made = answer(refusal, **about)
    anomaly = refusal_anomaly(made)
    assert anomaly is not None
    assert anomaly.expected == expected
    assert anomaly.got == made.summary()
    assert anomaly.because == "read by get-query"
    assert anomaly.answer is made


@pytest.mark.parametrize(
    ("about", "findings"),
    [
        ({"value": key(1), "breaks": (S2, S3)}, set()),
        ({"value": key(1), "breaks": (S2, S3), "ambiguous": True}, {S2, S3}),
        ({"code": 4, "breaks": (S2, E1)}, set()),
        ({"code": 4, "breaks": (S2, E1, E2), "ambiguous": True}, {S2, E1}),
        ({"breaks": (S1, S2, S3, S4, E1, E2)}, {S1, S2, S3, E1}),
    ],
)
def test_what_leaves_open_what_an_answer_means(about: dict[str, Any], findings: set[str]) -> None:
    assert form_findings(answer(None, **about)) == findings


def test_an_error_without_a_code_is_not_clear() -> None:
    made = replace(answer(None, code=4, breaks=(E1,)), code=None)
    assert form_findings(made) == {E1}


def test_what_is_wrong_with_the_value_of_a_success() -> None:
    assert value_findings(answer(None, value="", breaks=(S2, S3, S4))) == {S3, S4}
    assert value_findings(answer(None, code=4, breaks=(S3, S4))) == frozenset()


def test_too_many_calls() -> None:
    assert rate_limited(answer(None, code=15, status=429))
    assert not rate_limited(answer(None, code=15, status=503))
    assert not rate_limited(answer(None, code=4, status=429))
    assert not rate_limited(replace(answer(None, code=15, status=429), kind="foreign"))
    assert limit_findings(answer(None, code=15, status=503, breaks=(E2, S2))) == {E2}
    assert limit_findings(answer(None, code=15, status=503)) == frozenset()
    assert limit_findings(answer(None, code=4, status=503, breaks=(E2,))) == frozenset()
