"""Concurrent calls: threads that start from a barrier, and whether their calls really overlapped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from contracts.judge import Judgement
from fixtures.accounts import Account
from fixtures.calls import Operation, Style
from fixtures.errors import NotAvailable, TargetLost
from suites.runner.run import Run


@dataclass(frozen=True)
class Worker:
    """What one thread does: create as *account* in one style, then read in another. None leaves a call out.

    One that only reads begins before the creates; or, where it is *late*, so many seconds after them.
    """

    account: Account
    create: Style | None = None
    read: Style | None = None
    late: float = 0.0


@dataclass
class Round:
    """What came back of concurrent calls."""

    answers: list[Judgement] = field(default_factory=list)

    @property
    def overlapped(self) -> bool:
        """Whether two creates really were under way at once."""
        creates = [each for each in self.answers if each.exchange.intent.operation == "create"]
        spans = sorted((each.exchange.sent_at, each.exchange.ended_at) for each in creates)
        return any(later[0] < earlier[1] for earlier, later in pairwise(spans))

    @property
    def shortest_create(self) -> float:
        """The seconds that the create took that was answered first of all."""
        creates = [each.exchange for each in self.answers if each.exchange.intent.operation == "create"]
        return min((each.ended_at - each.sent_at for each in creates), default=0.0)


class _Group:
    """The calls of several threads: what came back, and what ended a thread early."""

    def __init__(self, run: Run, threads: int) -> None:
        self.run = run
        self.result = Round()
        self.lost: list[TargetLost | NotAvailable] = []
        self._group = run.next_group()
        self._barrier = threading.Barrier(threads)
        self._lock = threading.Lock()

    def work(self, worker: Worker, waits: bool) -> None:
        """What one thread does; one that *waits* does so for all the others that do."""
        try:
            if waits:
                self._barrier.wait(timeout=30)
            if worker.late:
                pause(worker.late)
            self._send("create", worker.create, worker.account)
            self._send("read", worker.read, worker.account)
        except (TargetLost, NotAvailable) as error:
            self.lost.append(error)

    def _send(self, operation: Operation, style: Style | None, account: Account) -> None:
        if style is None:
            return
        answer = self.run.session.exchange(self.run.call(operation, style, account).but(group=self._group))
        with self._lock:
            self.result.answers.append(answer)


def run_concurrently(run: Run, workers: Sequence[Worker]) -> Round:
    """One thread for each of *workers*, all creates at once.

    Raises what ended one of them: ``TargetLost``, or ``NotAvailable``, where the target limited the rate of one, too.
    """
    first = [worker for worker in workers if worker.create is None and not worker.late]
    others = [worker for worker in workers if worker not in first]
    group = _Group(run, len(others))
    run.session.pace.reserve(sum(style is not None for each in workers for style in (each.create, each.read)))
    sent = run.session.tally.requests + len(first)
    readers = [threading.Thread(target=group.work, args=(each, False), daemon=True) for each in first]
    together = [threading.Thread(target=group.work, args=(each, True), daemon=True) for each in others]
    for thread in readers:
        thread.start()
    if readers and together:
        _wait_until(lambda: run.session.tally.requests >= sent)
    for thread in together:
        thread.start()
    for thread in (*readers, *together):
        thread.join()
    if group.lost:
        raise group.lost[0]
    if any(each.exchange.rate_limited for each in group.result.answers):
        raise NotAvailable(f"rate limited: {run.session.pace.advice()}")
    return group.result


def pause(seconds: float) -> None:
    """Let so many *seconds* go by, in the thread of a worker that is late."""
    time.sleep(seconds)


def _wait_until(happened: Callable[[], bool]) -> None:
    """Wait until what is about to happen has happened; where it does not, a second is enough."""
    never = threading.Event()
    for _ in range(1_000):
        if happened():
            return
        never.wait(0.001)
