"""The pace: requests are spaced, whichever thread sends them, and a target's 429 is waited for within bounds."""

from __future__ import annotations

import random
import threading
import time
from email.utils import formatdate

import pytest

from fixtures.calls import GET_QUERY, call
from fixtures.errors import TargetLost
from fixtures.http.rate_limit import PATIENCE, Pace, seconds_of
from suites.selfcheck.system.hostile_servers import Client, Server
from suites.selfcheck.unit.sessions import session_on

#: What the documents allow (CONVENTIONS); by default the suite stays below, off loopback.
_LIMIT = 50


class Clock(Pace):
    """A pace on a clock that only its own waiting moves."""

    def __init__(self, rate: float, *, after_429: float | None = None) -> None:
        super().__init__(rate, after_429=after_429)
        self.now = 1000.0
        self.turns: list[float] = []

    def _now(self) -> float:
        return self.now

    def _wait(self, seconds: float) -> bool:
        self.now += seconds
        return False

    def go(self, count: int = 1) -> None:
        """Take turns."""
        for _ in range(count):
            self.take()
            self.turns.append(self.now)

    def most_in_a_second(self) -> int:
        """The most turns in any second."""
        return max(sum(1 for other in self.turns if 0 <= other - turn < 1) for turn in self.turns)


def test_turns_are_evenly_spaced() -> None:
    pace = Clock(20)
    pace.go(100)
    gaps = [later - earlier for earlier, later in zip(pace.turns, pace.turns[1:], strict=False)]
    assert gaps == pytest.approx([0.05] * 99)


def test_time_that_was_not_used_is_not_saved_up() -> None:
    pace = Clock(20)
    pace.go(10)
    pace.now += 60
    pace.go(40)
    assert pace.most_in_a_second() <= 21


def test_no_limit() -> None:
    pace = Clock(0)
    pace.go(100)
    assert pace.now == 1000.0


@pytest.mark.parametrize("seed", range(20))
def test_no_second_has_more_than_its_share(seed: int) -> None:
    """Single calls, calls at the same moment and pauses, in any order."""
    dice = random.Random(seed)
    pace = Clock(20)
    for _ in range(60):
        action = dice.choice(["one", "few", "moment", "pause"])
        if action == "moment":
            count = dice.randint(2, 20)
            assert pace.reserve(count)
            before = pace.now
            pace.go(count)
            assert pace.now == before, "those of one moment wait for nobody"
        elif action == "pause":
            pace.now += dice.random() * 3
        else:
            pace.go(1 if action == "one" else dice.randint(2, 10))
    assert pace.most_in_a_second() <= 21 < _LIMIT


def test_turns_that_were_reserved_and_not_taken_are_lost() -> None:
    pace = Clock(20)
    pace.reserve(10)
    pace.go(2)
    pace.now += 10
    pace.go(30)
    assert pace.most_in_a_second() <= 21


def test_more_at_once_than_a_second_allows() -> None:
    pace = Clock(5)
    assert not pace.reserve(8)
    pace.go(8)
    assert pace.most_in_a_second() <= 6


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("3", 3.0),
        (" 7 ", 7.0),
        ("0", 0.0),
        (None, 1.0),
        ("", 1.0),
        ("-5", 1.0),
        ("1.5", 1.0),
        ("soon", 1.0),
        ("٣", 1.0),
        ("9" * 400, 999_999_999.0),
        ("Wed, 99 Foo 2026 00:00:00 GMT", 1.0),
        ("Mon, 01 Jan 99999 00:00:00 GMT", 1.0),
        (" , ,", 1.0),
        ("0 0 0 0 0", 1.0),
    ],
)
def test_retry_after(text: str | None, seconds: float) -> None:
    assert seconds_of(text) == seconds


def test_retry_after_as_a_date() -> None:
    now = time.time()
    assert seconds_of(formatdate(now + 10, usegmt=True)) == pytest.approx(10, abs=2)
    assert seconds_of(formatdate(now - 100, usegmt=True)) < 0
    assert seconds_of(formatdate(now + 10, usegmt=True).replace("GMT", "-0000")) == pytest.approx(10, abs=2)


def test_retry_after_as_a_date_is_read_against_the_date_of_the_answer() -> None:
    """A server whose clock is days off asks for as long as it means."""
    assert seconds_of("Wed, 26 Nov 2025 10:00:07 GMT", "Wed, 26 Nov 2025 10:00:00 GMT") == 7
    assert seconds_of("Wed, 26 Nov 2025 10:00:07 GMT", "Wed, 26 Nov 2025 10:00:09 GMT") == -2
    now = time.time()
    for nonsense in ("", "soon", None):
        assert seconds_of(formatdate(now + 10, usegmt=True), nonsense) == pytest.approx(10, abs=2)
    assert seconds_of("5", "Wed, 26 Nov 2025 10:00:00 GMT") == 5


def test_what_the_pace_asks_for_is_counted() -> None:
    pace = Clock(20)
    pace.go(21)
    assert pace.asked_for == pytest.approx(1)
    pace.wait_for("3")
    assert pace.asked_for == pytest.approx(4)
    pace.now += 100
    pace.go(1)
    assert pace.asked_for == pytest.approx(4)


@pytest.mark.parametrize(
    ("rate", "after", "tried"), [(0, 40, 20), (20, None, 10), (100, None, 25), (2, None, 1), (0.5, None, 1)]
)
def test_which_rate_to_try(rate: float, after: float | None, tried: int) -> None:
    pace = Clock(rate, after_429=after)
    pace.wait_for("1")
    assert f"try requests_per_second = {tried} in [http]" in pace.advice()


def test_a_429_is_waited_for_in_bounds() -> None:
    pace = Clock(0)
    waits = 0
    while pace.wait_for("7"):
        waits += 1
    assert waits == 4
    assert pace.now - 1000 <= PATIENCE
    assert pace.wait_for("2"), "what is left is still waited"
    assert not pace.wait_for("1")


@pytest.mark.parametrize("text", ["0", "-1", "Mon, 01 Jan 2001 00:00:00 GMT"])
def test_a_429_that_asks_for_no_wait_is_not_hammered(text: str) -> None:
    pace = Clock(0)
    attempt = 1
    while pace.wait_for(text, attempt):
        attempt += 1
    assert attempt < 50
    assert pace.now - 1000 <= PATIENCE


def test_a_429_that_asks_for_a_century_is_not_waited_for() -> None:
    pace = Clock(0)
    assert not pace.wait_for("3155760000")
    assert pace.now == 1000.0
    assert pace.wait_for("1"), "nor does it use up what others may wait for"


def test_after_a_429_everybody_waits_and_loopback_has_a_pace() -> None:
    pace = Clock(0, after_429=40)
    pace.go(3)
    assert pace.wait_for("2")
    assert pace.rate == 40
    pace.turns.clear()
    pace.go(41)
    assert pace.now - 1002 == pytest.approx(1.0)


def test_threads_that_wait_together_wait_once() -> None:
    pace = Pace(0)
    together = threading.Barrier(8)

    def work() -> None:
        together.wait(10)
        assert pace.wait_for("0", attempt=2)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert pace.waited < 0.1 * 8 / 2


def test_stop_ends_every_wait() -> None:
    pace = Pace(0.01)
    pace.take()
    ended: list[float] = []

    def work() -> None:
        with pytest.raises(TargetLost):
            pace.take()
        ended.append(time.monotonic())

    thread = threading.Thread(target=work)
    thread.start()
    time.sleep(0.1)
    pace.stop()
    thread.join(5)
    assert ended
    with pytest.raises(TargetLost):
        pace.wait_for("1")


# ---------------------------------------------------------------------- on the wire


def test_the_default_rates() -> None:
    assert session_on("http://127.0.0.1:1/v2", loopback=True).pace.rate == 0
    assert session_on("http://target.test/v2", loopback=False).pace.rate == 20 < _LIMIT
    assert session_on("http://target.test/v2", loopback=False, requests_per_second=0).pace.rate == 0
    assert session_on("http://127.0.0.1:1/v2", loopback=True, requests_per_second=7).pace.rate == 7


def test_what_a_server_sees_of_it() -> None:
    """Eight threads, one pace, counted where the requests arrive."""
    arrivals: list[float] = []

    def serve(client: Client, request: bytes) -> None:
        arrivals.append(time.monotonic())
        client.answer(b'{"success": false, "status": {"code": 3, "description": "x"}}', "400 Bad Request")

    with Server(serve) as server:
        session = session_on(server.base_url, loopback=False, requests_per_second=25)

        def work() -> None:
            for _ in range(5):
                session.exchange(call("read", GET_QUERY, "0123456789abcdef0123456789abcdef"))

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        session.close()
    assert len(arrivals) == 40
    assert arrivals[-1] - arrivals[0] >= 39 / 25 * 0.95
    # A busy machine delays some and lets the next come early; it never makes more of them.
    assert max(sum(1 for other in arrivals if 0 <= other - each < 1) for each in arrivals) <= 25 * 1.4


def test_a_429_is_repeated_and_nothing_else() -> None:
    answers = iter(["429 Too Many Requests", "503 Service Unavailable", "500 Internal Server Error", "200 OK"])

    def serve(client: Client, request: bytes) -> None:
        client.answer(b"{}", next(answers), Retry_After="0")

    with Server(serve) as server:
        session = session_on(server.base_url, loopback=True)
        seen = [session.exchange(call("read", GET_QUERY, "0123456789abcdef0123456789abcdef")).status for _ in range(3)]
        session.close()
        assert seen == [503, 500, 200]
        assert len(server.requests) == 4
        assert session.pace.rate == 40
