"""A run on a hostile target ends: with a verdict that says what was seen, soon, in little memory, and with nothing told.

Each server of ``hostile_servers`` that a user may meet is met by the real command; several runs wait at the same time,
so that the file takes about as long as the longest of them. What differs only below HTTP is in ``test_session``.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from fixtures.emulator.threaded import ThreadedServer
from suites.selfcheck.system.hostile_servers import (
    BEHAVIOURS,
    Behaviour,
    Relay,
    Server,
    disappearing,
    redirects_to,
    slow,
)
from suites.selfcheck.system.watched import CREDENTIALS, Watched, target_file, watch

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("hostile")]

_SECONDS = 90
_MEGABYTES = 300
_AT_ONCE = 6
#: Requests that are answered well before the server changes: in the middle of a run.
_WELL = 120

UNREACHABLE = (6, "unreachable")
NONCONFORMANT = (1, "nonconformant")
INCONCLUSIVE = (0, "inconclusive")
NOTHING_VERIFIED = (5, "inconclusive")
NO_OWNER = (4, "the account owner is refused by every call")


@dataclass
class Setting:
    """What a run is given, and what must not be told of it; ``after`` is asked when it has ended."""

    target: str
    credentials: Mapping[str, str] = field(default_factory=lambda: CREDENTIALS)
    states: str | None = None
    secrets: Callable[[], list[str]] = lambda: list(CREDENTIALS.values())
    after: Callable[[], None] = lambda: None


Make = Callable[[str], contextlib.AbstractContextManager[Setting]]


@contextlib.contextmanager
def _plain(name: str) -> Iterator[Setting]:
    with Server(BEHAVIOURS[name]) as server:
        yield Setting(server.base_url)


@dataclass(frozen=True)
class Case:
    """A hostile server: how the run on it is to end, and what it is to say."""

    name: str
    end: tuple[int, str]
    says: str
    seconds: float = _SECONDS
    make: Make = field(repr=False, default=_plain)

    def __str__(self) -> str:
        return self.name


@contextlib.contextmanager
def _redirecting(name: str) -> Iterator[Setting]:
    """A second server listens where the first one points to, and must hear nothing."""
    with Server(BEHAVIOURS["closes-without-an-answer"]) as other, Server(redirects_to(other.base_url)) as server:

        def after() -> None:
            assert other.connections == 0, "a redirect was followed"

        yield Setting(server.base_url, after=after)


def _later(behave: Callable[[list[Relay]], Behaviour]) -> Make:
    """A good server in front of which something starts to misbehave in the middle of the run."""

    @contextlib.contextmanager
    def make(name: str) -> Iterator[Setting]:
        place: list[Relay] = []
        with ThreadedServer() as good, Relay(good.base_url, behave(place), _WELL) as relay:
            place.append(relay)
            store = good.emulator.store

            def after() -> None:
                assert len(relay.requests) > _WELL, "the run ended before the server changed"

            yield Setting(relay.base_url, {}, good.states_url, lambda: [*store.accounts, *store.issued], after)

    return make


#: A run on loopback has no pace until the first 429, and is then told half of the one that it takes.
_LIMITED = (
    "rate limited: at 40 requests per second it answers 429 for longer than the 30 s that a run waits in all; "
    "try requests_per_second = 20 in [http]"
)

CASES = [
    # It waits.
    Case("hangs-before-the-headers", UNREACHABLE, "no complete answer within 2 s", 20),
    Case("drips-headers", UNREACHABLE, "no complete answer within 2 s", 20),
    Case("drips-the-body", UNREACHABLE, "no complete answer within 2 s", 20),
    Case("announces-more-than-it-sends-and-waits", UNREACHABLE, "no complete answer within 2 s", 20),
    # It sends without end.
    Case("streams-without-end", NONCONFORMANT, "the body is larger than the suite reads"),
    Case("sends-a-gzip-bomb", NONCONFORMANT, "the body is larger than the suite reads"),
    Case("sends-headers-without-end", UNREACHABLE, "more than 256 KiB of headers", 20),
    Case("sends-interim-answers-for-ever", UNREACHABLE, "more than 32 interim answers", 20),
    # It breaks off, or never spoke HTTP.
    Case("cuts-in-the-headers", UNREACHABLE, "the connection was closed before the answer was complete", 20),
    Case("cuts-in-the-body", UNREACHABLE, "the answer ended before its announced length", 20),
    Case("resets", UNREACHABLE, "the connection was closed before the answer was complete", 20),
    Case("speaks-another-protocol", UNREACHABLE, "what came back is not HTTP", 20),
    # It speaks HTTP.
    Case("announces-less-than-it-sends", NONCONFORMANT, "the body is not JSON"),
    Case("nests-200000-brackets", NONCONFORMANT, "the JSON document is an array"),
    Case("sends-a-number-of-100000-digits", NONCONFORMANT, "S3-success-members"),
    Case("sends-bytes-that-are-not-utf8", NONCONFORMANT, "the body is not UTF-8"),
    Case("sends-what-keeps-patterns-busy", NO_OWNER, "(code 3)"),
    Case("redirects-in-a-loop", NONCONFORMANT, "P3-no-redirect"),
    Case("redirects-to-another-host", NONCONFORMANT, "P3-no-redirect", make=_redirecting),
    Case("is-rate-limited-for-ever", NOTHING_VERIFIED, _LIMITED),
    Case("is-rate-limited-for-a-century", NOTHING_VERIFIED, _LIMITED),
    Case("sends-half-a-character", NONCONFORMANT, "S3-success-members"),
    Case("sends-commands-of-a-job", NO_OWNER, "(code 4)"),
    # A gateway stands before it, or it speaks something else.
    Case("is-a-broken-gateway", UNREACHABLE, "nothing but a gateway answers", 20),
    Case("asks-for-a-password", (4, "a gateway asks for a password"), "basic, headers or client_certificate", 20),
    Case("is-behind-a-proxy-that-asks-for-a-password", (4, "a proxy on the way asks for a password"), "no_proxy", 20),
    Case("has-tls-and-says-so", (4, "the port speaks TLS"), "give the https address", 20),
    Case("sends-noise", (4, "speaks TLS"), "give the https address", 20),
    Case("speaks-http2-only", UNREACHABLE, "speaks HTTP/2 only", 20),
    Case("is-unavailable-for-ever", NONCONFORMANT, "HTTP 503, an error with code 14"),
    # It was well.
    Case("disappears-later", UNREACHABLE, "the connection was refused", make=_later(disappearing)),
    Case("hangs-later", UNREACHABLE, "no complete answer within 2 s", make=_later(lambda _: BEHAVIOURS["hangs-before-the-headers"])),
    Case("drips-later", UNREACHABLE, "no complete answer within 2 s", make=_later(lambda _: BEHAVIOURS["drips-the-body"])),
    Case("resets-later", UNREACHABLE, "the connection was closed", make=_later(lambda _: BEHAVIOURS["resets"])),
    Case("slows-down-later", INCONCLUSIVE, "the run's time was up", make=_later(lambda relay: slow(relay, 1.4))),
]  # fmt: skip


@pytest.fixture(scope="module")
def runs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, Future[Watched]]]:
    """The runs of all selected cases, under way, those that wait longest first."""
    callspecs: list[Any] = [
        getattr(item, "callspec", None) for item in request.session.items if item.path == request.path
    ]
    chosen: list[Case] = [each.params["case"] for each in callspecs if each is not None]
    chosen.sort(key=lambda case: case.name not in ("is-rate-limited-for-ever", "slows-down-later"))
    folder = tmp_path_factory.mktemp("hostile")
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield {case.name: pool.submit(_run, case, folder / case.name) for case in chosen}


def _run(case: Case, folder: Path) -> Watched:
    with case.make(case.name) as setting:
        target = target_file(
            folder / "target.toml", setting.target, credentials=setting.credentials, states=setting.states
        )
        watched = watch("--target", target, folder=folder / "report")
        setting.after()
        assert not (told := watched.told(setting.secrets())), f"a secret is told in {told}"
    return watched


@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_ends(case: Case, runs: Mapping[str, Future[Watched]]) -> None:
    watched = runs[case.name].result()
    code, end = case.end
    tail = watched.output[-3000:]
    assert watched.code == code, tail
    assert "Traceback (most recent call last)" not in watched.output
    assert not re.search(r"(?m)^\s*::|##\[|##vso\[|\u202e|[\x00-\x08]", watched.output)
    if code == 4:
        assert end in watched.output, tail
        assert case.says in watched.output, tail
        assert len([line for line in watched.output.splitlines() if line.startswith("delivery-conformance: ")]) == 1
    else:
        document = watched.document
        assert document["verdict"] == end
        assert document["complete"] is True
        markdown = (watched.folder / "conformance.md").read_text(encoding="utf-8")
        assert case.says in re.sub(r"\\(.)", r"\1", markdown)
        assert case.says in " ".join(watched.output.split()), tail
    assert watched.seconds < case.seconds
    assert watched.megabytes < _MEGABYTES
    assert not watched.left
