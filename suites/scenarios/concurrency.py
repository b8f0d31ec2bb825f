"""Calls at the same moment: threads that start from a barrier, and what may be said of what they were answered."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from contracts.judge import Judgement
from fixtures.accounts import Account
from fixtures.calls import Style
from fixtures.errors import TargetLost
from suites.runner.run import Run


@dataclass
class Moment:
    """What came back of a round. ``creates`` and ``reads`` by account, each in the order of sending."""

    creates: dict[str, list[Judgement]] = field(default_factory=dict)
    reads: dict[str, list[Judgement]] = field(default_factory=dict)

    @property
    def answers(self) -> list[Judgement]:
        """Every answer of the round."""
        return [answer for group in (*self.creates.values(), *self.reads.values()) for answer in group]

    def overlapped(self) -> bool:
        """Whether two creates really were under way at the same moment."""
        spans = sorted(
            (answer.exchange.sent_at, answer.exchange.ended_at) for group in self.creates.values() for answer in group
        )
        return any(later[0] < earlier[1] for earlier, later in pairwise(spans))

    def keys(self, account: str) -> list[str]:
        """The keys that the creates of *account* gave."""
        return [answer.key for answer in self.creates.get(account, ()) if answer.key is not None]

    def may_have_won(self, account: str) -> list[str]:
        """The keys that read may give once all is quiet: those of creates after whose end no other one began."""
        creates = [answer for answer in self.creates.get(account, ()) if answer.key is not None]
        latest = max((answer.exchange.sent_at for answer in creates), default=0.0)
        return [answer.key for answer in creates if answer.key is not None and answer.exchange.ended_at > latest]

    def stale(self, account: str) -> list[tuple[Judgement, Judgement]]:
        """Reads that gave a key which was certainly replaced before they began, with the create that replaced it.

        A key is certainly replaced once a create that began after the key's own had ended has ended itself.
        """
        creates = [answer for answer in self.creates.get(account, ()) if answer.key is not None]
        ended_by_key = {answer.key: answer.exchange.ended_at for answer in creates}
        found = []
        for read in self.reads.get(account, ()):
            if read.key is None:
                continue
            born = ended_by_key.get(read.key, float("-inf"))
            for create in creates:
                later = create.exchange.sent_at >= born and create.key != read.key
                if later and create.exchange.ended_at <= read.exchange.sent_at:
                    found.append((read, create))
                    break
        return found


def meet(run: Run, plan: Sequence[tuple[Account, Style | None, Style | None]]) -> Moment:
    """One thread for each entry of *plan*: create as the account in the first style, then read in the second, all at once.

    A style of None leaves that call out. A read without a create goes first, to be under way while the others create.
    """
    moment = Moment(
        {account.credential.label: [] for account, _, _ in plan},
        {account.credential.label: [] for account, _, _ in plan},
    )
    first = [entry for entry in plan if entry[1] is None]
    others = [entry for entry in plan if entry[1] is not None]
    barrier = threading.Barrier(len(others))
    lock = threading.Lock()
    lost: list[TargetLost] = []

    def work(account: Account, create_style: Style | None, read_style: Style | None) -> None:
        label = account.credential.label
        try:
            if create_style is not None:
                barrier.wait(timeout=30)
            for operation, style, group in (
                ("create", create_style, moment.creates),
                ("read", read_style, moment.reads),
            ):
                if style is None:
                    continue
                answer = run.session.exchange(run.call(operation, style, account))  # type: ignore[arg-type]
                with lock:
                    group[label].append(answer)
        except TargetLost as error:
            lost.append(error)

    run.session.pace.reserve(sum(style is not None for _, *styles in plan for style in styles))
    run.concurrent = True
    sent = run.session.tally.requests + len(first)
    threads = [threading.Thread(target=work, args=entry, daemon=True) for entry in (*first, *others)]
    try:
        for number, thread in enumerate(threads):
            if first and number == len(first):
                _wait_until(lambda: run.session.tally.requests >= sent)
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        run.concurrent = False
    if lost:
        raise lost[0]
    return moment


def _wait_until(happened: Callable[[], bool]) -> None:
    """Wait until what is about to happen has happened; where it does not, a second is enough."""
    never = threading.Event()
    for _ in range(1_000):
        if happened():
            return
        never.wait(0.001)
