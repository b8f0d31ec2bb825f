"""Concurrent calls: threads whose requests leave at once, and whether their calls really overlapped."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from contracts.judge import Judgement
from fixtures.accounts import Account
from fixtures.calls import Operation, Style
from fixtures.errors import NotAvailable, TargetLost
from fixtures.http.at_once import AtOnce, Place
from suites.runner.run import Run


@dataclass(frozen=True)
class Worker:
    """What one thread does: create as *account* in one style, then read in another. None leaves a call out.

    One that only reads is sent a little before the creates; or, where it is *late*, so many seconds after them.
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


def run_concurrently(run: Run, workers: Sequence[Worker], *, reads_at_once: bool = False) -> Round:
    """One thread for each of *workers*, all creates at once. With *reads_at_once* the reads that follow them are, too.

    Raises what ended one of them: ``TargetLost``, or ``NotAvailable``, where the target limited the rate of one, too.
    """
    concurrent = _Concurrent(run, workers, reads_at_once=reads_at_once)
    threads = [threading.Thread(target=concurrent.work, args=(each,), daemon=True) for each in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if concurrent.lost:
        raise concurrent.lost[0]
    if any(each.exchange.rate_limited for each in concurrent.result.answers):
        raise NotAvailable(f"rate limited: {run.session.pace.advice()}")
    return concurrent.result


class _Concurrent:
    """The calls of one round, and what came back."""

    def __init__(self, run: Run, workers: Sequence[Worker], *, reads_at_once: bool) -> None:
        self.result = Round()
        self.lost: list[TargetLost | NotAvailable] = []
        self._run = run
        self._group = run.next_group()
        self._lock = threading.Lock()
        # Where the rate does not allow so many at once, each is sent in its turn.
        at_once = run.session.pace.reserve(
            sum(style is not None for each in workers for style in (each.create, each.read))
        )
        timeout = run.session.http.timeout
        first = sum(not each.late for each in workers)
        then = sum(None not in (each.create, each.read) for each in workers) if reads_at_once else 0
        self._first = AtOnce(first, timeout) if at_once else None
        self._then = AtOnce(then, timeout) if at_once and then else None

    def work(self, worker: Worker) -> None:
        """Make the calls of *worker*."""
        first = self._first.place(ahead=worker.create is None) if self._first and not worker.late else None
        then = self._then.place() if self._then and worker.create and worker.read else None
        try:
            if worker.late:
                pause(worker.late, self._first)
            if worker.create:
                self._send("create", worker.create, worker.account, first)
            if worker.read:
                self._send("read", worker.read, worker.account, then if worker.create else first)
        except (TargetLost, NotAvailable) as error:
            self.lost.append(error)
        finally:
            for place in (first, then):
                if place is not None:
                    place.close()

    def _send(self, operation: Operation, style: Style, account: Account, place: Place | None) -> None:
        call = self._run.call(operation, style, account).but(group=self._group)
        answer = self._run.session.exchange(call, place=place)
        if place is not None:
            place.close()
        with self._lock:
            self.result.answers.append(answer)


def pause(seconds: float, others: AtOnce | None) -> None:
    """Let so many *seconds* go by after *others* have left, in the thread of a worker that is late."""
    if others is not None:
        others.wait()
    time.sleep(seconds)
