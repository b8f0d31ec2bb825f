"""What a message says of who may have answered in the target's place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contracts.attribution.explanation import Explanation
from contracts.exchange import Response
from contracts.ids import A2, E1, T1, T2
from suites.runner.violations import violations_of
from suites.selfcheck.unit.histories import Script


def _message(requirement: str, response: Response) -> str:
    """The message about a read that gives another key, had it come with *response*."""
    script = Script()
    script.create(1)
    answer = script.read(2)
    anomaly = next(each for each in script.explain().anomalies if each.answer is answer)
    heard = replace(answer, exchange=replace(answer.exchange, response=response))
    changed = replace(anomaly, answer=heard, candidates=frozenset({requirement}))
    (violation,) = violations_of(Explanation(frozenset({requirement}), (changed,)))
    assert violation.actual in violation.message
    return violation.message


@pytest.mark.parametrize("requirement", [T1, T2, A2])
@pytest.mark.parametrize(
    "age", ["7", pytest.param("1" * 400, id="long"), pytest.param("0", id="zero"), pytest.param(" 7 ", id="spaces")]
)
def test_a_shared_cache_may_have_answered(requirement: str, age: str) -> None:
    message = _message(requirement, Response(200, (("Age", age), ("Via", "1.1 ::error::x"))))
    assert f"; a shared cache may have given this answer, {age.strip()[:10]} s old by its Age" in message
    assert "error" not in message
    assert len(message) < 500


@pytest.mark.parametrize("age", ["", "old", "\u0667", "-1", "::error::x"])
def test_an_age_that_is_none(age: str) -> None:
    assert "cache" not in _message(T2, Response(200, (("Age", age),)))


def test_a_proxy_is_named_only_where_it_may_explain_it() -> None:
    """Where every answer has come through it, it is no news of most of them."""
    response = Response(200, (("Via", "1.1 varnish"),))
    assert "; a proxy has handed this answer on, says its Via" in _message(T2, response)
    assert "proxy" not in _message(A2, response)
    assert "proxy" not in _message(T2, Response(200))


def test_a_gateway_may_have_answered() -> None:
    page = b"<html>503</html>"
    assert "; a gateway may have answered: it limits requests (try requests_per_second" in _message(
        E1, Response(503, body=page)
    )
    assert "; a gateway may have answered: it got nothing from the target" in _message(E1, Response(502, body=page))
    assert "try requests_per_second" in _message(E1, Response(429, body=page))
    assert "gateway" not in _message(E1, Response(500, body=page))
