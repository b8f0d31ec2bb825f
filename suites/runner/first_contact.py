"""The first contact with a target: whether it answers, as itself and not through a gateway, and at the address that was meant."""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import urlsplit

from contracts.codes import UNKNOWN_HASH
from contracts.judge import Judgement
from fixtures.calls import GET_QUERY, POST_JSON
from fixtures.errors import SetupError, TargetLost
from fixtures.http import health
from fixtures.http.answers import TLS
from fixtures.http.failures import PROXY_ASKS
from suites.runner.run import Run, unknown_hash
from suites.runner.serve import Served

#: Seconds between two looks at a target that is starting.
_PAUSE = 0.25
#: What is asked to distinguish a gateway that lets nothing through from a target that is in trouble with one call.
_PROBES = (
    unknown_hash("read", GET_QUERY),
    unknown_hash("read", POST_JSON),
    unknown_hash("create", GET_QUERY),
)


def first_contact(
    run: Run,
    base_url: str,
    wait: float,
    served: Served | None = None,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Ask the target anything, waiting up to *wait* seconds for it and for the hook to answer as themselves.

    Raises ``TargetLost`` where nothing answers, or nothing but a gateway; ``SetupError`` for what the user can mend.
    """
    deadline = clock() + wait
    while True:
        answer = run.session.exchange(_PROBES[0])
        if not _not_yet(answer):
            break
        _check_protocol(base_url, answer)
        death = served.death() if served is not None else None
        if death is not None:
            run.history.begin_anew()
            run.session.lost = f"the command of --serve {death} before it had answered"
            raise TargetLost(run.session.lost)
        if clock() >= deadline:
            _give_up(run, base_url, answer, wait if served is not None else None)
            break
        run.session.revive()
        run.history.begin_anew()
        sleep(min(_PAUSE, max(0.0, deadline - clock())))
    run.first_contact = answer
    _check_address(run, base_url, answer)
    if wait:
        _wait_for_hook(run, deadline, clock, sleep)
        run.session.run_time.restart()


def _not_yet(answer: Judgement) -> bool:
    """Whether *answer* may be another one when the target has started."""
    response = answer.exchange.response
    found = health.gateway(response) if response is not None else None
    return response is None or (found is not None and found.kind == "absent")


def _check_protocol(base_url: str, answer: Judgement) -> None:
    """Raise ``SetupError`` where no answer came for a reason that waiting does not change."""
    if answer.exchange.failure in (TLS, PROXY_ASKS):
        raise SetupError(f"{base_url}: {answer.exchange.failure}")


def _give_up(run: Run, base_url: str, answer: Judgement, waited: float | None) -> None:
    """Raise ``TargetLost``, unless another call is answered by the target itself; the run has *waited* for one that it serves."""
    if answer.exchange.response is None:
        # No answer at all says nothing of the contract.
        run.history.begin_anew()
        run.session.lost = f"no answer to the first request: {answer.exchange.failure}"
        if waited is not None:
            run.session.lost += f"; the command of --serve runs, and nothing answered at {base_url} within {waited:g} s"
        raise TargetLost(run.session.lost)
    found = _in_the_way(run, answer)
    if found is not None:
        run.history.begin_anew()
        run.session.lost = f"nothing but a gateway answers at {base_url}: {found}"
        raise TargetLost(run.session.lost)


def _in_the_way(run: Run, first: Judgement) -> health.Gateway | None:
    """The gateway that answers whatever is asked, or None."""
    others = [run.session.exchange(each) for each in _PROBES[1:]]
    return health.in_the_way(each.exchange.response for each in (first, *others))


def _check_address(run: Run, base_url: str, answer: Judgement) -> None:
    response = answer.exchange.response
    assert response is not None
    location = response.header("Location") or ""
    if 300 <= response.status < 400 and _same_host_by_https(base_url, location):
        raise SetupError(f"{base_url} redirects to https: give the https address as the base URL")
    found = health.gateway(response)
    # A password that the target itself might ask for is a wall only where good credentials get no further, either.
    if found is not None and (found.kind in ("tls", "http2") or response.status == 407):
        barred = _in_the_way(run, answer)
        if barred is not None and barred.kind == "http2":
            run.session.lost = f"{base_url}: {barred}"
            raise TargetLost(run.session.lost)
        if barred is not None:
            raise SetupError(f"{base_url}: {barred}")
    # What breaks down says nothing of the address.
    if answer.code not in UNKNOWN_HASH and response.status < 500:
        _check_path(run, base_url, answer)


def _check_path(run: Run, base_url: str, answer: Judgement) -> None:
    """Raise ``SetupError`` where the API is at another address, or nothing is at this one."""
    if base_url.endswith("/v2"):
        hint = ""
    else:
        # No documented call: what it is answered says nothing of the target that is to be judged.
        below = _PROBES[0].but(operation=None, path=f"/v2{_PROBES[0].path}", refusal=None, breaks_contract=True)
        if run.session.exchange(below).code in UNKNOWN_HASH:
            raise SetupError(_not_the_api(base_url, answer, f"; {base_url}/v2 is"))
        hint = "; was /v2 forgotten at its end?"
    # A target that has an envelope for it is judged as it is.
    if _is_page(answer) and _is_page(run.session.exchange(_PROBES[1])):
        raise SetupError(_not_the_api(base_url, answer, hint))


def _is_page(answer: Judgement) -> bool:
    return answer.status == 404 and answer.kind == "foreign"


def _not_the_api(base_url: str, answer: Judgement, hint: str) -> str:
    said = f"HTTP {answer.status}" if answer.code is None else f"code {answer.code}"
    if _is_page(answer):
        said = "a 404 page"
    return f"{base_url}, asked for {_PROBES[0].path}, answers with {said}: it is not the base URL of the API{hint}"


def _wait_for_hook(run: Run, deadline: float, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
    """Wait until the provider-states hook, if there is one, answers as itself. Raises ``SetupError`` where it does not."""
    while (problem := run.accounts.hook_trouble()) is not None:
        if clock() >= deadline:
            raise SetupError(problem)
        sleep(min(_PAUSE, max(0.0, deadline - clock())))


def _same_host_by_https(base_url: str, location: str) -> bool:
    """Whether *location* is the target itself by https: the user's mistake. A redirect elsewhere is the target's (P3)."""
    try:
        here, there = urlsplit(base_url), urlsplit(location)
        return here.scheme == "http" and there.scheme == "https" and here.hostname == there.hostname
    except ValueError:
        return False
