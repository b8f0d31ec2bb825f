"""What the register takes an answer for: a documented call or none, a key, no session, or nothing that can be compared."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from contracts.exchange import Refusal
from contracts.ids import C5_ISO, C8, C9, S2, S3
from contracts.judge import Judgement
from contracts.register.reading import NO_SESSION, ambiguous, apart, documented, value_of
from contracts.violation import Violation
from suites.selfcheck.unit.histories import Script, key


def answer(*violations: str, intent: dict[str, Any] | None = None, **about: Any) -> Judgement:
    """An answer to a read as owner."""
    made = Script().add("read", **{"value": key(1), **about})
    changed = replace(made.exchange, intent=replace(made.exchange.intent, **(intent or {})))
    return replace(made, exchange=changed, violations=tuple(Violation(each, "m", "e", "a") for each in violations))


@pytest.mark.parametrize(
    ("made", "is_documented"),
    [
        (answer(), True),
        (answer(style="post-json"), True),
        (answer(method="PUT"), False),
        (answer(method="HEAD"), False),
        (answer(valid=False), False),
        (answer(intent={"operation": None}), False),
        (answer(intent={"free_form": True}), False),
        (answer(refusal=Refusal("A2-unknown-hash-refused")), False),
    ],
)
def test_a_documented_call(made: Judgement, is_documented: bool) -> None:
    assert documented(made) is is_documented


@pytest.mark.parametrize(
    ("made", "in_two_ways"),
    [
        (answer(), False),
        (answer(ambiguous=True), True),
        (answer(S3), True),
        (answer(S2), False),
        (answer(S2, S3), True),
    ],
)
def test_an_answer_that_can_be_read_in_two_ways(made: Judgement, in_two_ways: bool) -> None:
    assert ambiguous(made) is in_two_ways


def test_equivalences_that_are_distinguished() -> None:
    assert apart(answer(equivalences=(C5_ISO, C8))) == {C8}
    assert apart(answer(equivalences=(C9, C8))) == {C8, C9}
    assert apart(answer(equivalences=(C5_ISO,))) == frozenset()


@pytest.mark.parametrize(
    ("about", "value"),
    [
        ({}, key(1)),
        ({"value": None, "code": 201}, NO_SESSION),
        ({"value": None, "code": 4}, None),
        ({"value": None, "code": 6, "status": 500}, None),
        ({"value": None}, None),
        ({"value": ""}, None),
    ],
)
def test_what_a_read_says_of_an_owners_key(about: dict[str, Any], value: str | None) -> None:
    assert value_of(answer(**about)) == value


def test_to_a_sub_user_any_refusal_is_an_answer() -> None:
    refused = [answer(account="subuser", value=None, code=code, status=400) for code in (13, 4, 13)]
    values = [value_of(each) for each in refused]
    assert None not in values
    assert values[0] == values[2] != values[1]
    assert value_of(answer(account="subuser", value=None, code=6, status=500)) is None
    assert value_of(answer(account="subuser", value=None)) is None
