"""Concurrent calls: who begins when, what is counted, and how it ends where a call cannot be made."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from contracts.judge import Judgement
from fixtures.calls import GET_QUERY, POST_FORM, POST_JSON
from fixtures.errors import NotAvailable, TargetLost
from fixtures.http.at_once import Place
from suites.runner.run import Run
from suites.scenarios.concurrency import Round, Worker, run_concurrently
from suites.selfcheck.unit.histories import Script

_OWNER: Any = "owner"
#: Seconds after which a test fails that waits for others.
_PATIENCE = 30.0


class _Target:
    """Answers creates when all of them have come, and a read at once; ``sent`` has the calls in the order in which they came.

    Where *allowed* the rate lets so many be sent at once.
    """

    def __init__(self, creates: int, *, fails: str = "", limits: str = "", allowed: bool = True) -> None:
        self.sent: list[str] = []
        self.reserved: list[int] = []
        self.groups: list[int] = []
        self.places: list[str] = []
        self._fails, self._limits, self._allowed = fails, limits, allowed
        self._together = threading.Barrier(creates)
        self._lock = threading.Lock()

    @property
    def run(self) -> Run:
        """A run that sends to this target."""
        pace = SimpleNamespace(reserve=self._reserve, advice=lambda: "try 5")
        session = SimpleNamespace(exchange=self._exchange, pace=pace, http=SimpleNamespace(timeout=4 * _PATIENCE))
        return cast("Run", SimpleNamespace(session=session, next_group=lambda: 3, call=self._call))

    def _call(self, operation: str, style: object, account: object) -> Any:
        def but(group: int) -> str:
            self.groups.append(group)
            return f"{operation} {style}"

        return SimpleNamespace(but=but)

    def _reserve(self, count: int) -> bool:
        self.reserved.append(count)
        return self._allowed

    def _exchange(self, call: str, place: Place | None) -> Judgement:
        if place is not None:
            self.places.append(call)
            place.send(SimpleNamespace(sendall=lambda data: self.sent.append(data.decode())), call.encode())
        else:
            with self._lock:
                self.sent.append(call)
        if call == self._fails:
            raise TargetLost("gone")
        if call.startswith("create") and not self._fails:
            self._together.wait(_PATIENCE)
        answer = Script().add(call.partition(" ")[0], value="k")
        return replace(answer, exchange=replace(answer.exchange, rate_limited=call == self._limits))


def test_creates_are_under_way_together_and_a_read_before_them() -> None:
    target = _Target(2)
    workers = [Worker(_OWNER, GET_QUERY, POST_JSON), Worker(_OWNER, POST_JSON), Worker(_OWNER, None, POST_FORM)]
    done = run_concurrently(target.run, workers)
    assert target.sent[0] == "read post-form"
    assert sorted(target.sent[1:3]) == ["create get-query", "create post-json"]
    assert target.sent[3:] == ["read post-json"]
    assert sorted(target.places) == ["create get-query", "create post-json", "read post-form"]
    assert len(done.answers) == 4
    assert (target.reserved, target.groups) == ([4], [3, 3, 3, 3])


def test_reads_that_follow_creates_may_leave_at_once_too() -> None:
    target = _Target(2)
    workers = [
        Worker(_OWNER, GET_QUERY, POST_JSON),
        Worker(_OWNER, POST_JSON, POST_FORM),
        Worker(_OWNER, None, POST_FORM),
    ]
    run_concurrently(target.run, workers, reads_at_once=True)
    assert sorted(target.places[3:]) == ["read post-form", "read post-json"]
    # There may be none.
    target = _Target(1)
    run_concurrently(target.run, [Worker(_OWNER, GET_QUERY)], reads_at_once=True)
    assert target.places == ["create get-query"]


def test_where_the_rate_allows_fewer_each_goes_in_its_turn() -> None:
    target = _Target(2, allowed=False)
    workers = [Worker(_OWNER, GET_QUERY, POST_JSON), Worker(_OWNER, POST_JSON), Worker(_OWNER, None, POST_FORM)]
    run_concurrently(target.run, workers, reads_at_once=True)
    assert len(target.sent) == 4
    assert target.places == []


def test_a_read_that_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    target, waited = _Target(2), list[float]()
    monkeypatch.setattr(time, "sleep", waited.append)
    workers = [Worker(_OWNER, GET_QUERY), Worker(_OWNER, None, POST_FORM, late=0.25), Worker(_OWNER, POST_JSON)]
    run_concurrently(target.run, workers)
    assert sorted(target.places) == ["create get-query", "create post-json"]
    assert target.sent[2:] == ["read post-form"]
    assert waited == [0.25]


def test_a_read_that_is_late_where_each_goes_in_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    run_concurrently(_Target(1, allowed=False).run, [Worker(_OWNER, None, POST_FORM, late=0.25)])
    assert slept == [0.25]


def test_what_ends_one_of_them_ends_all() -> None:
    with pytest.raises(TargetLost, match="gone"):
        run_concurrently(
            _Target(2, fails="create get-query").run, [Worker(_OWNER, GET_QUERY), Worker(_OWNER, POST_JSON)]
        )


def test_where_the_rate_is_limited_nothing_is_shown() -> None:
    target = _Target(2, limits="create post-json")
    with pytest.raises(NotAvailable, match="rate limited: try 5"):
        run_concurrently(target.run, [Worker(_OWNER, GET_QUERY), Worker(_OWNER, POST_JSON)])


@pytest.mark.parametrize(
    ("spans", "overlapped", "shortest"),
    [
        ([(10.0, 12.0), (11.0, 13.5)], True, 2.0),
        ([(11.0, 12.5), (10.0, 11.0)], False, 1.0),
        ([(10.0, 12.0)], False, 2.0),
        ([], False, 0.0),
    ],
)
def test_what_a_round_came_to(spans: list[tuple[float, float]], overlapped: bool, shortest: float) -> None:
    script = Script()
    script.add("read", value="k", span=(0.5, 0.6))
    for span in spans:
        script.add("create", value="k", span=span)
    done = Round(script.answers)
    assert (done.overlapped, done.shortest_create) == (overlapped, shortest)
