"""What may stand between the suite and a target that is well: a password, a certificate, a cache, a limiter, a single thread."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from contracts.ids import C3_GET, C3_POST, C4_SCHEME, C4_SPACE, R1
from suites.selfcheck.system import certificates
from suites.selfcheck.system.forked_command import Came, Runner, Serving, Task
from suites.selfcheck.system.hostile_servers import Behaviour, Client, Server
from suites.selfcheck.system.raw_answers import Front

pytestmark = pytest.mark.xdist_group("gateways")

_USER, _PASSWORD = "staging", "correct-horse-battery-staple"
_TOKEN = base64.b64encode(f"{_USER}:{_PASSWORD}".encode()).decode()
#: What nginx says, unless told otherwise, to whoever is too fast.
_LIMITED = b"<html><head><title>503 Service Temporarily Unavailable</title></head></html>"
_FEW = ("--requirement", "T2", "--requirement", "A2")


def _states(server: Server) -> str:
    return server.base_url.removesuffix("/v2") + "/_states"


def _is_hook(request: bytes) -> bool:
    return b" /_states " in request.split(b"\r\n", 1)[0]


def _without_authorization(request: bytes) -> tuple[str, bytes]:
    """The Authorization header of *request*, and the request without it."""
    head, _, body = request.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    found = [each for each in lines if each.lower().startswith(b"authorization:")]
    kept = [each for each in lines if each not in found]
    return found[0].partition(b":")[2].strip().decode("latin-1") if found else "", b"\r\n".join(
        kept
    ) + b"\r\n\r\n" + body


def _page(status: bytes, body: bytes, *headers: bytes) -> bytes:
    lines = [b"HTTP/1.1 " + status, b"Content-Type: text/html", b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


@contextmanager
def behind_a_password(given: str) -> Iterator[Serving]:
    """A gateway that takes the Authorization header for itself; the hook has none in front of it."""
    front = Front()

    def gate(client: Client, request: bytes) -> None:
        said, passed_on = _without_authorization(request)
        if _is_hook(request):
            assert not said, "the hook was given what is the gateway's"
        elif said != f"Basic {_TOKEN}":
            client.send(_page(b"401 Unauthorized", b"no " + said.encode(), b'WWW-Authenticate: Basic realm="x"'))
            return
        client.send(front.answer(passed_on)[0])

    with Server(gate) as server:
        http = f"basic = {{ user = {json.dumps(_USER)}, password = {json.dumps(given)} }}"
        yield Serving(server.base_url, lambda: front.secrets | {_PASSWORD, given, _TOKEN}, _states(server), {}, http)


@contextmanager
def behind_a_certificate(folder: str, shown: bool) -> Iterator[Serving]:
    """A target that asks for a client certificate; the hook is on a port that does not."""
    front = Front()
    authority = certificates.load(Path(folder))
    http = f'ca_bundle = "{authority.bundle}"\nrequests_per_second = 0'
    if shown:
        http += f'\nclient_certificate = {{ certificate = "{authority.client}", key = "{authority.client_key}" }}'
    key = authority.client_key.read_text(encoding="ascii").splitlines()[1:-1]
    answer: Behaviour = lambda client, request: client.send(front.answer(request)[0])  # noqa: E731
    with Server(answer, tls=authority.mutual()) as server, Server(answer) as hook:
        yield Serving(server.base_url, lambda: front.secrets | set(key), _states(hook), {}, http)


@contextmanager
def behind_a_cache(heard: str) -> Iterator[Serving]:
    """A shared cache that keeps what GET was answered, whoever asked; *heard* are the headers that tell of it."""
    front = Front()
    kept: dict[bytes, bytes] = {}
    lock = threading.Lock()

    def answer(client: Client, request: bytes) -> None:
        line = request.split(b"\r\n", 1)[0]
        with lock:
            known = kept.get(line) if line.startswith(b"GET ") else None
        given = known or front.answer(request)[0]
        if known is None and b" 200 " in given.split(b"\r\n", 1)[0] and not _is_hook(request):
            head, _, body = given.partition(b"\r\n\r\n")
            with lock:
                kept[line] = head + b"\r\n" + heard.encode() + b"\r\n\r\n" + body
        client.send(given)

    with Server(answer) as server:
        yield Serving(server.base_url, lambda: front.secrets, _states(server))


@contextmanager
def behind_a_limiter(rate: float, burst: int, http: str) -> Iterator[Serving]:
    """A gateway that answers 503 to what is faster than *rate* requests a second, as nginx does."""
    front = Front()
    lock = threading.Lock()
    room, last = float(burst), time.monotonic()

    def allowed() -> bool:
        nonlocal room, last
        with lock:
            now = time.monotonic()
            room, last = min(burst, room + (now - last) * rate), now
            if room < 1:
                return False
            room -= 1
            return True

    def answer(client: Client, request: bytes) -> None:
        if _is_hook(request) or allowed():
            client.send(front.answer(request)[0])
        else:
            client.send(_page(b"503 Service Temporarily Unavailable", _LIMITED))

    with Server(answer) as server:
        yield Serving(server.base_url, lambda: front.secrets, _states(server), {}, http)


@contextmanager
def with_one_thread() -> Iterator[Serving]:
    """A server that serves one connection until it ends, and only then the next one: the hook's, too."""
    front = Front()
    with Server(lambda client, request: client.send(front.answer(request)[0]), one_at_a_time=True) as server:
        yield Serving(server.base_url, lambda: front.secrets, _states(server))


# ---------------------------------------------------------------------- runs on them


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    """The process that runs them."""
    with Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an authority."""
    folder = tmp_path_factory.mktemp("authority")
    certificates.make(folder)
    return folder


def _run(runner: Runner, serve: Callable[..., object], *arguments: object, options: tuple[str, ...] = ()) -> Came:
    """The run on what *serve* serves, which ends as every run has to."""
    task = Task((__name__, serve.__name__, arguments), options, timeout=5, record=True, allure=True)
    came = runner.run(task)
    assert not came.wrong, came.output
    return came


def _said(came: Came) -> str:
    return " ".join(came.output.split())


def test_basic(runner: Runner) -> None:
    """What needs the Authorization header is not verified, and says why; all else is. The password is in no output."""
    came = _run(runner, behind_a_password, _PASSWORD)
    assert (came.code, came.verdict) == (0, "inconclusive"), came.output
    found = came.results("not_verified")
    taken = {name for name, reason in found.items() if "the user and password of the gateway" in reason}
    assert taken == {C3_GET, C3_POST, C4_SPACE, C4_SCHEME}
    assert set(found) - taken == {"S5-clients-ignore-the-unknown", R1}


@pytest.mark.parametrize("password", ["incorrect-horse", _TOKEN])
def test_a_wrong_password(password: str, runner: Runner) -> None:
    """The gateway says no, and repeats what it was given: neither is in any output."""
    came = _run(runner, behind_a_password, password)
    assert came.code == 4, came.output
    assert "a gateway asks for a password" in _said(came)


def test_a_client_certificate(authority: Path, runner: Runner) -> None:
    came = _run(runner, behind_a_certificate, str(authority), True)
    assert (came.code, came.verdict) == (0, "conformant"), came.output


def test_no_client_certificate(authority: Path, runner: Runner) -> None:
    came = _run(runner, behind_a_certificate, str(authority), False, options=_FEW)
    assert (came.code, came.verdict) == (6, "unreachable"), came.output
    assert "http.client_certificate in the target file names it" in _said(came)


@pytest.mark.parametrize(
    ("heard", "said"),
    [
        ("Age: 7", "a shared cache may have given this answer, 7 s old by its Age"),
        ("Age: 0\r\nVia: 1.1 varnish", "a shared cache may have given this answer, 0 s old by its Age"),
        ("Via: 1.1 ::error::x", "a proxy has handed this answer on, says its Via"),
    ],
)
def test_a_shared_cache(heard: str, said: str, runner: Runner) -> None:
    """What it breaks is broken, and the message says who may have answered; nothing is a race."""
    came = _run(runner, behind_a_cache, heard, options=("--requirement", "T2"))
    assert (came.code, came.verdict) == (1, "nonconformant"), came.output
    assert "T2-read-gives-last-created" in came.results("failed")
    assert said in came.summary
    assert "not repeatable" not in came.summary


def test_a_limiter_that_says_503(runner: Runner) -> None:
    """nginx says 503 to what is too fast: the messages name the limit, and below it nothing fails."""
    # However slow the machine is: ten requests are let through, and next to none after them.
    came = _run(runner, behind_a_limiter, 0.1, 10, "", options=_FEW)
    assert (came.code, came.verdict) == (1, "nonconformant"), came.output
    assert "it limits requests (try requests_per_second in [http])" in _said(came)
    came = _run(runner, behind_a_limiter, 20, 10, "requests_per_second = 15", options=_FEW)
    assert (came.code, came.verdict) == (0, "inconclusive"), came.output
    assert not came.results("failed")


def test_one_thread(runner: Runner) -> None:
    """The suite gets by with one connection at a time, its hook on the same server; what overlaps is for others to show."""
    came = _run(runner, with_one_thread)
    assert (came.code, came.verdict) == (0, "conformant"), came.output
