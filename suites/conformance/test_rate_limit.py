"""R: what a target says to more calls than it allows. Only where the target file lets the suite provoke it, and last."""

from __future__ import annotations

import threading
import time

import pytest

from contracts.ids import R1
from contracts.judge import Judgement
from fixtures.accounts import Account
from fixtures.calls import GET_QUERY
from fixtures.errors import NotAvailable, TargetLost
from suites.runner.marks import verifies
from suites.scenarios.controls import ControlledCheck

#: Three times what the documents allow in a second, by threads enough to send it in one over a slow line.
_MOST = 150
_AT_ONCE = 12


@verifies("R1-rate-limit-answer")
@pytest.mark.last
@pytest.mark.race
def test_above_the_rate_limit(check: ControlledCheck) -> None:
    """Above the rate limit a call is answered with HTTP 429 and code 15.

    CONVENTIONS, 50 requests per second; ERRORS, code 15. A target need not have a limit.
    """
    # Set up.
    if not check.run.session.http.provoke_rate_limit:
        raise NotAvailable(
            "the rate limit may not be provoked: provoke_rate_limit in [http] of the target file allows it"
        )
    owner = check.account("owner")
    # Sanity check: below the limit the same call succeeds.
    check.need_success("read", GET_QUERY)
    check.judge(check.call("read", GET_QUERY, owner))
    # Stimulus.
    started = time.monotonic()
    answers = _as_fast_as_possible(check, owner)
    seconds = time.monotonic() - started
    # Verdict.
    if all(answer.kind == "success" for answer in answers):
        raise NotAvailable(f"{len(answers)} calls in {seconds:.1f} s were all answered: no rate limit was reached")
    check.judge(*answers)


def _as_fast_as_possible(check: ControlledCheck, owner: Account) -> list[Judgement]:
    """Read without a pace until an answer is no success."""
    answers: list[Judgement] = []
    turns = iter(range(_MOST))
    enough = threading.Event()
    lost: list[TargetLost] = []
    group = check.run.next_group()

    def work() -> None:
        try:
            while not enough.is_set() and next(turns, None) is not None:
                call = check.run.call("read", GET_QUERY, owner).but(group=group).refused(R1, form="limit")
                answer = check.run.session.exchange(call)
                answers.append(answer)
                if answer.kind != "success":
                    enough.set()
        except TargetLost as error:
            lost.append(error)

    with check.run.session.without_pace():
        threads = [threading.Thread(target=work, daemon=True) for _ in range(_AT_ONCE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if lost:
        raise lost[0]
    return answers
