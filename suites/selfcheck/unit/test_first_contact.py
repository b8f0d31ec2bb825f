"""The first contact: what is waited for, what is given up, and what the user is told to mend. On a clock of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from contracts.exchange import Exchange, Intent, Request, Response
from contracts.history import History
from contracts.judge import Judgement, judge
from fixtures.calls import Call
from fixtures.errors import SetupError, TargetLost
from fixtures.http.answers import HTTP2_ONLY, TLS
from fixtures.http.failures import PROXY_ASKS
from suites.runner.first_contact import first_contact

_BASE = "http://target.test/v2"
_JSON = (("Content-Type", "application/json"),)
_REFUSED = Response(400, _JSON, b'{"success": false, "status": {"code": 4, "description": "x"}}')
_PAGE = b"<html><h1>Error</h1>"
_AWAY = Response(503, (), _PAGE)

#: An answer, or what came instead of one.
Answer = Response | str


class Scene:
    """A target whose answers are given, in order, the last one for ever; the clock moves when the suite sleeps."""

    def __init__(self, *answers: Answer, hook: Callable[[], str | None] = lambda: None) -> None:
        self._answers = self._endless(answers)
        self.now = 0.0
        self.asked: list[tuple[str, str]] = []
        self.revived = 0
        self.restarted = 0
        session = SimpleNamespace(
            exchange=self._exchange,
            lost=None,
            revive=self._revive,
            run_time=SimpleNamespace(restart=self._restart),
        )
        accounts = SimpleNamespace(hook_trouble=hook)
        self.run: Any = SimpleNamespace(session=session, accounts=accounts, history=History(), first_contact=None)

    @staticmethod
    def _endless(answers: tuple[Answer, ...]) -> Iterator[Answer]:
        yield from answers
        while True:
            yield answers[-1]

    def _exchange(self, request: Call) -> Judgement:
        self.asked.append((request.operation or "", request.method))
        answer = next(self._answers)
        response, failure = (None, answer) if isinstance(answer, str) else (answer, None)
        sent = Request(request.method, _BASE + request.path)
        return judge(Exchange(Intent(request.operation, request.shown), sent, response, failure))

    def _revive(self) -> None:
        self.revived += 1

    def _restart(self) -> None:
        self.restarted += 1

    def _sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds

    def meet(self, wait: float = 0, base_url: str = _BASE) -> None:
        """Make the first contact."""
        first_contact(self.run, base_url, wait, clock=lambda: self.now, sleep=self._sleep)


def test_an_answer_is_taken_up() -> None:
    scene = Scene(_REFUSED)
    scene.meet()
    assert scene.asked == [("read", "GET")]
    assert scene.run.first_contact.code == 4


@pytest.mark.parametrize("status", [502, 503, 504, 521])
def test_a_gateways_page_is_not_yet_the_target(status: int) -> None:
    scene = Scene("the connection was refused", *[Response(status, (), _PAGE)] * 8, _REFUSED)
    scene.meet(wait=30)
    assert scene.run.first_contact.code == 4
    assert scene.now == pytest.approx(9 * 0.25)
    assert scene.revived == 9
    assert scene.restarted == 1, "what was waited is no time of the run"
    assert {operation for operation, _ in scene.asked} == {"read"}


def test_a_targets_own_503_is_an_answer() -> None:
    scene = Scene(Response(503, _JSON, b'{"success": false, "status": {"code": 14, "description": "x"}}'))
    scene.meet(wait=30)
    assert scene.now == 0


_NO_V2 = "http://target.test/api"
_SAYS_7 = Response(400, _JSON, b'{"success": false, "status": {"code": 7, "description": "x"}}')


def test_the_api_is_below_the_base_url() -> None:
    scene = Scene(_SAYS_7, _REFUSED)
    with pytest.raises(
        SetupError, match=r"answers with code 7: it is not the base URL of the API; http://target\.test/api/v2 is"
    ):
        scene.meet(base_url=_NO_V2)


def test_what_refuses_otherwise_everywhere_is_judged() -> None:
    scene = Scene(_SAYS_7)
    scene.meet(base_url=_NO_V2)
    assert scene.run.first_contact.code == 7
    assert scene.asked == [("read", "GET"), ("", "GET")]


def test_a_breakdown_says_nothing_of_the_address() -> None:
    """A server that takes the path for another prefix, too, must not be told that it is elsewhere."""
    broken = Response(500, _JSON, b'{"success": false, "status": {"code": 6, "description": "x"}}')
    scene = Scene(broken, _REFUSED)
    scene.meet(base_url=_NO_V2)
    assert scene.asked == [("read", "GET")]


@pytest.mark.parametrize("wait", [0, 3])
def test_nothing_but_a_gateway(wait: float) -> None:
    scene = Scene(_AWAY)
    with pytest.raises(TargetLost, match=r"nothing but a gateway answers at http://target\.test/v2: .*HTTP 503"):
        scene.meet(wait)
    assert scene.now == pytest.approx(wait)
    assert scene.run.session.lost
    assert scene.asked[-3:] == [("read", "GET"), ("read", "POST"), ("create", "GET")]


def test_a_page_to_one_call_alone_is_the_targets_affair() -> None:
    scene = Scene(_AWAY, _REFUSED)
    scene.meet()
    assert scene.run.session.lost is None
    assert scene.run.first_contact.status == 503


@pytest.mark.parametrize("wait", [0, 2])
def test_no_answer_at_all(wait: float) -> None:
    scene = Scene("the connection was refused")
    with pytest.raises(TargetLost, match="no answer to the first request: the connection was refused"):
        scene.meet(wait)
    assert scene.now == pytest.approx(wait)


@pytest.mark.parametrize("failure", [TLS, PROXY_ASKS])
def test_what_waiting_does_not_change(failure: str) -> None:
    scene = Scene(failure)
    with pytest.raises(SetupError, match="give"):
        scene.meet(wait=60)
    assert scene.now == 0


def test_http_2_only() -> None:
    with pytest.raises(TargetLost, match="HTTP/2 only"):
        Scene(HTTP2_ONLY).meet()
    with pytest.raises(TargetLost, match="another version of HTTP"):
        Scene(Response(505, (), _PAGE)).meet()


@pytest.mark.parametrize(
    "response",
    [Response(407, (), _PAGE), Response(400, (), b"The plain HTTP request was sent to HTTPS port")],
    ids=["proxy", "tls"],
)
def test_a_wall_is_told_in_a_line(response: Response) -> None:
    with pytest.raises(SetupError, match=r"^http://target\.test/v2: [^\n]*$"):
        Scene(response).meet()
    scene = Scene(response, _REFUSED)
    scene.meet()
    assert scene.run.first_contact.status == response.status


def test_a_password_may_be_the_targets_way_to_refuse_a_bad_hash() -> None:
    scene = Scene(Response(401, (("WWW-Authenticate", "Basic"),), _PAGE))
    scene.meet()
    assert len(scene.asked) == 1


def test_the_hook_is_waited_for_too() -> None:
    answers = iter(["the hook cannot be reached: is it running?"] * 5)
    scene = Scene(_REFUSED, hook=lambda: next(answers, None))
    scene.meet(wait=10)
    assert scene.now == pytest.approx(5 * 0.25)
    never = Scene(_REFUSED, hook=lambda: "the hook cannot be reached: is it running?")
    with pytest.raises(SetupError, match="is it running"):
        never.meet(wait=2)
    assert never.now == pytest.approx(2)
    # Without --wait the hook is asked only for what is needed.
    Scene(_REFUSED, hook=lambda: "unused").meet()


def test_https_and_a_wrong_address() -> None:
    with pytest.raises(SetupError, match="redirects to https"):
        Scene(Response(301, (("Location", "https://target.test/v2/x"),))).meet()
    with pytest.raises(SetupError, match="it is not the base URL of the API"):
        Scene(Response(404, (), _PAGE)).meet()
    Scene(Response(301, (("Location", "https://other.test/v2/x"),))).meet()
