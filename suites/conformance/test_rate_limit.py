"""R: what a target says to more calls than it allows. Only where the target file lets the suite provoke it, and last."""

from __future__ import annotations

import threading
import time

import pytest

from contracts.judge import Judgement
from fixtures.accounts import Account
from fixtures.calls import GET_QUERY
from fixtures.errors import NotAvailable, TargetLost
from suites.runner.marks import verifies
from suites.runner.trial import Trial

#: Three times what the documents allow in a second, by threads enough to send it in one over a slow line.
_MOST = 150
_AT_ONCE = 12
_TOO_MANY = 15


@verifies("R1-rate-limit-answer")
@pytest.mark.last
@pytest.mark.race
def test_above_the_rate_limit(trial: Trial) -> None:
    """Above the rate limit a call is answered with HTTP 429 and code 15.

    CONVENTIONS, 50 requests per second; ERRORS, code 15. A target need not have a limit.
    """
    # Set up.
    if not trial.run.session.http.provoke_rate_limit:
        raise NotAvailable(
            "the rate limit may not be provoked: provoke_rate_limit in [http] of the target file allows it"
        )
    owner = trial.account("owner")
    # Sanity check: what a call at a calm moment is answered, which changes nothing and is refused to nobody else.
    trial.need_success("read", GET_QUERY)
    calm = trial.call("read", GET_QUERY, owner)
    trial.expect_success(calm, "C1-get-query", "read before the rate limit is provoked")
    # Stimulus.
    started = time.monotonic()
    answers = _hurry(trial, owner)
    seconds = time.monotonic() - started
    # Verdict: the first answer that is another is the limit's.
    others = [answer for answer in answers if answer.kind != "success"]
    if not others:
        raise NotAvailable(f"{len(answers)} calls in {seconds:.1f} s were all answered: no rate limit was met")
    for answer in others:
        if (answer.status, answer.code) != (429, _TOO_MANY):
            trial.violate(
                "R1-rate-limit-answer",
                f"read after {len(answers)} calls in {seconds:.1f} s: {answer.summary()}",
                f"HTTP 429 with code {_TOO_MANY}",
                answer.summary(),
                answer,
                calm,
            )
            return


def _hurry(trial: Trial, owner: Account) -> list[Judgement]:
    """Read as fast as can be until an answer is no success."""
    answers: list[Judgement] = []
    turns = iter(range(_MOST))
    enough = threading.Event()
    lost: list[TargetLost] = []

    def work() -> None:
        try:
            while not enough.is_set() and next(turns, None) is not None:
                answer = trial.run.session.exchange(trial.run.call("read", GET_QUERY, owner))
                answers.append(answer)
                if answer.kind != "success":
                    enough.set()
        except TargetLost as error:
            lost.append(error)

    with trial.run.session.without_pace():
        threads = [threading.Thread(target=work, daemon=True) for _ in range(_AT_ONCE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if lost:
        raise lost[0]
    return answers
