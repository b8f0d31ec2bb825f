"""Requests that leave at once: none before all are ready, none waits for one that does not come, and each leaves once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import pytest

from fixtures.http.at_once import AtOnce, Place

#: Seconds: no machine is as busy as that.
_LONG = 400.0


class _Wire:
    """Takes note of who wrote, and in which thread."""

    def __init__(self) -> None:
        self.written: list[tuple[bytes, int]] = []

    def sendall(self, data: bytes) -> None:
        self.written.append((data, threading.get_ident()))
        if data == b"breaks":
            raise BrokenPipeError

    @property
    def order(self) -> list[bytes]:
        return [data for data, _ in self.written]


def _run(works: Sequence[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
        # One after the other, as a busy machine has them.
        thread.join(0.01)
    for thread in threads:
        thread.join()


def test_one_thread_writes_all_when_all_are_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    wire, others = _Wire(), AtOnce(3, _LONG)
    places = {data: others.place(ahead=data == b"read") for data in (b"create 1", b"create 2", b"read")}
    ready: list[int] = []

    def work(data: bytes, place: Place) -> Callable[[], None]:
        def send() -> None:
            ready.append(len(wire.written))
            place.send(wire, data)

        return send

    _run([work(data, place) for data, place in places.items()])
    assert ready == [0, 0, 0]
    assert wire.order == [b"read", b"create 1", b"create 2"]
    assert len({thread for _, thread in wire.written}) == 1
    assert slept == [0.002]
    sent = [place.sent_at for place in (places[b"read"], places[b"create 1"], places[b"create 2"])]
    assert sent == sorted(sent, key=lambda at: at or 0.0)
    assert None not in sent


def test_where_none_is_ahead_there_is_no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    wire, others = _Wire(), AtOnce(1, _LONG)
    others.place().send(wire, b"create")
    assert (wire.order, slept) == ([b"create"], [])


def test_nobody_waits_for_one_that_will_not_come() -> None:
    wire, others = _Wire(), AtOnce(3, _LONG)
    gone = others.place()
    _run([lambda: others.place().send(wire, b"1"), lambda: others.place().send(wire, b"2"), gone.close])
    assert sorted(wire.order) == [b"1", b"2"]
    # Nor for the next.
    others.place().send(wire, b"3")
    assert wire.order[2:] == [b"3"]


def test_one_that_has_left_takes_nobody_along() -> None:
    wire, others = _Wire(), AtOnce(2, _LONG)
    first, second = others.place(), others.place()
    _run([lambda: first.send(wire, b"1"), lambda: second.send(wire, b"2")])
    first.close()
    assert sorted(wire.order) == [b"1", b"2"]


@pytest.mark.parametrize(("timeout", "patience"), [(0.04, 0.01), (4.0, 1.0), (60.0, 1.0)])
def test_how_long_one_waits(timeout: float, patience: float) -> None:
    assert AtOnce(2, timeout)._patience == patience


def test_where_one_takes_too_long_the_others_go() -> None:
    wire, others = _Wire(), AtOnce(2, 0.04)
    others.place().send(wire, b"1")
    assert wire.order == [b"1"]


def test_what_breaks_is_for_the_thread_whose_it_is() -> None:
    wire, others = _Wire(), AtOnce(2, _LONG)
    came: list[str] = []

    def broken() -> None:
        with pytest.raises(BrokenPipeError):
            others.place().send(wire, b"breaks")
        came.append("broken")

    def good() -> None:
        others.place().send(wire, b"good")
        came.append("good")

    _run([broken, good])
    assert sorted(came) == ["broken", "good"]
    assert sorted(wire.order) == [b"breaks", b"good"]


@pytest.mark.parametrize("ends", ["they leave", "one does not come"])
def test_who_is_late_waits_until_they_have_left(ends: str) -> None:
    others = AtOnce(1, _LONG)
    wire = _Wire()
    seen: list[int] = []

    def late() -> None:
        others.wait()
        seen.append(len(wire.written))

    def go() -> None:
        if ends == "they leave":
            others.place().send(wire, b"create")
        else:
            others.place().close()

    _run([late, go])
    assert seen == [1 if ends == "they leave" else 0]


def test_who_is_late_waits_no_longer_than_they_do() -> None:
    started = time.monotonic()
    AtOnce(1, 0.04).wait()
    assert time.monotonic() - started >= 0.01
