"""A clock for runs in one process: it goes on with each request and each wait, and never because the machine is busy."""

from __future__ import annotations

import asyncio
import selectors
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal
from unittest import mock

from fixtures.http.rate_limit import Pace

#: Seconds that a request takes, and that go by whenever somebody looks at the clock, so that no two looks are the same.
REQUEST = 0.005
_LOOK = 1e-6
#: Every run begins at this time, so that what is made of it (digests of milliseconds) is made once.
_EPOCH = float(int(time.time()))
#: Seconds after which it is looked again what other threads do.
_PAUSE = 0.0005

Step = Literal["wait", "go on", "look again"]


class Clock:
    """The time of one run, in seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now = 0.0

    def monotonic(self) -> float:
        """As ``time.monotonic``."""
        return self.go_on(_LOOK)

    def time(self) -> float:
        """As ``time.time``."""
        return _EPOCH + self.go_on(_LOOK)

    def time_ns(self) -> int:
        """As ``time.time_ns``."""
        return int(self.time() * 1e9)

    def go_on(self, seconds: float) -> float:
        """Let so many *seconds* go by; what time it is then."""
        with self._lock:
            self._now += max(0.0, seconds)
            return self._now

    @contextmanager
    def everywhere(self) -> Iterator[None]:
        """Have this process go by this clock; whoever waits for a turn to send does not wait in fact."""

        def wait(_: Pace, seconds: float) -> bool:
            self.go_on(seconds)
            return False

        with (
            mock.patch.multiple(time, monotonic=self.monotonic, time=self.time, time_ns=self.time_ns, sleep=self.go_on),
            mock.patch.object(Pace, "_wait", wait),
        ):
            yield


class Loop(asyncio.SelectorEventLoop):
    """An event loop that goes by *clock*.

    Where nothing in it can be done it asks for a *step*: ``wait`` for what happens later, which happens at once; ``go on``, for
    the step has given it something to do; ``look again``, for other threads are about to.
    """

    def __init__(self, clock: Clock, step: Callable[[], Step]) -> None:
        self._clock = clock
        super().__init__(_Selector(clock, step))

    def time(self) -> float:
        """The time by the clock of the run."""
        return self._clock.go_on(0.0)

    def waits(self) -> bool:
        """Whether something is to happen later."""
        return bool(self._scheduled)  # type: ignore[attr-defined]


class _Selector(selectors.SelectSelector):
    """Lets time go by in place of waiting."""

    def __init__(self, clock: Clock, step: Callable[[], Step]) -> None:
        super().__init__()
        self._clock = clock
        self._step = step

    def select(self, timeout: float | None = None) -> Any:
        """Events that are there; where there are none, the time goes on by *timeout*."""
        while not (events := super().select(0)) and (timeout is None or timeout > 0):
            step = self._step()
            if step == "go on":
                break
            if step == "wait" and timeout is not None:
                self._clock.go_on(timeout)
                break
            super().select(_PAUSE)
        return events
