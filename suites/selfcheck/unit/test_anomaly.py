"""An anomaly: what of it concerns the requirements of a run, whether it is decided, and how its call is named."""

from __future__ import annotations

import pytest

from contracts.anomaly import Anomaly, asked
from contracts.exchange import Exchange, Intent, Request
from contracts.ids import C8, C9, T1, T2, T3, T4, T7
from contracts.judge import Judgement
from suites.selfcheck.unit.histories import ROOT, Script

READ = Script().read(1)


def test_within_the_requirements_of_a_run() -> None:
    anomaly = Anomaly(frozenset({T2, T3}), READ, "a", "b", follows_from=frozenset({T1, T4}))
    within = anomaly.within(frozenset({T3, T4}))
    assert within is not None
    assert within.candidates == {T3}
    assert within.follows_from == {T4}
    assert (within.answer, within.expected, within.got) == (READ, "a", "b")
    assert anomaly.within(frozenset({T1})) is None


@pytest.mark.parametrize(
    ("suspects", "candidates", "undecided"),
    [
        ((T3, T1), {T2, T3, T1}, True),
        ((T3, T1), {T2, T3, T1, C8, C9}, True),
        ((T3, T1), {T3}, True),
        ((T3, T1), {T3, T1, T4}, True),
        ((T3, T1), {T3, T1, T7}, False),
        ((T3, T3), {T2, T3}, False),
        ((), {T2}, False),
        ((T7,), {T2, T7}, True),
        ((T7,), {T7}, False),
        ((T7,), {T2, T7, T4}, True),
        ((T7,), {T2, T7, T1}, False),
        ((T7,), {T7, T4}, False),
        ((T3, T3), {T2}, False),
    ],
)
def test_undecided(suspects: tuple[str, ...], candidates: set[str], undecided: bool) -> None:
    anomaly = Anomaly(frozenset(candidates), READ, "", "", suspects=tuple((each, READ) for each in suspects))
    assert anomaly.undecided is undecided


def test_its_repr_is_of_one_answer() -> None:
    others = Script()
    created, read = others.create(7), others.read(8)
    shown = repr(Anomaly(frozenset({T2}), READ, "", "", context=(created,), suspects=((T3, read),)))
    assert repr(READ) in shown
    assert "context" not in shown
    assert "suspects" not in shown
    plain = Anomaly(frozenset({T2}), READ, "", "")
    assert (plain.because, plain.by_rule, plain.context, plain.suspects) == ("", "", (), ())
    assert plain.follows_from == frozenset()


@pytest.mark.parametrize(
    ("intent", "method", "address", "said"),
    [
        (Intent("read", valid=True, account="owner", style="get-query"), "GET", "read", "read by get-query as owner"),
        (Intent("read", account="owner", style="get-query"), "GET", "read", "read by get-query"),
        (Intent("read", valid=True, style="get-query"), "GET", "read", "read by get-query"),
        (Intent("create"), "POST", "create", "create by POST"),
        (Intent("create"), "PUT", "create", "PUT create by PUT"),
        (Intent(None), "GET", "nosuch/create?hash=x/delivery/y", "nosuch/create by GET"),
        (Intent(None), "OPTIONS", "", "OPTIONS the call by OPTIONS"),
    ],
)
def test_how_a_call_is_named(intent: Intent, method: str, address: str, said: str) -> None:
    exchange = Exchange(intent, Request(method, ROOT + address), None)
    assert asked(Judgement(exchange, "nothing")) == said
