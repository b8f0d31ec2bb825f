"""Where it is deployed: https, proxies, prefixes and IPv6, Ctrl-C, workers, a checkout that cannot be written, two at once."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures.emulator.accounts import State
from fixtures.emulator.threaded import ThreadedServer
from suites.selfcheck.system import certificates
from suites.selfcheck.system.checkout import copy
from suites.selfcheck.system.hostile_servers import BEHAVIOURS, Behaviour, Client, Gone, Relay, Server, handed_on
from suites.selfcheck.system.proxies import HOST, Proxy
from suites.selfcheck.system.watched import Running, Watched, target_file, watch

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("deployment")]

#: A few checks of several files: enough to see that a target is reached as it should be.
_FEW = ("-k", "success or errors", "-q")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> certificates.Authority:
    """An authority that nobody trusts yet."""
    return certificates.make(tmp_path_factory.mktemp("authority"))


def _forwarding(good: ThreadedServer, prefix: str = "/v2") -> Behaviour:
    """What stands in front of a good server: it takes *prefix* for the good server's own."""
    host, _, port = good.base_url.partition("://")[2].partition("/")[0].rpartition(":")

    def forward(client: Client, request: bytes) -> None:
        method, target, rest = request.split(b" ", 2)
        target = b"/v2" + target.removeprefix(prefix.encode())
        client.send(handed_on((host, int(port)), b" ".join([method, target, rest])))
        raise Gone

    return forward


def _well(watched: Watched) -> None:
    """Nothing failed: a narrowed run is inconclusive, for what it left out."""
    assert watched.code == 0, watched.output[-2000:]
    assert watched.document["verdict"] == "inconclusive"
    assert watched.result("S1-success-is-200")[0] == "passed"


def _run(tmp_path: Path, good: ThreadedServer, base_url: str, *arguments: object, **options: Any) -> Watched:
    http = options.pop("http", "")
    target = target_file(
        tmp_path / "target.toml", base_url, timeout=10, credentials={}, states=good.states_url, http=http
    )
    return watch("--target", target, *(arguments or _FEW), folder=tmp_path / "report", **options)


# ---------------------------------------------------------------------- https


@pytest.mark.parametrize("how", ["ca_bundle", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_https(how: str, authority: certificates.Authority, tmp_path: Path) -> None:
    trusted = dict.fromkeys(("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"), "")
    with ThreadedServer() as good, Server(_forwarding(good), tls=authority.server) as server:
        if how == "ca_bundle":
            watched = _run(tmp_path, good, server.base_url, http=f'ca_bundle = "{authority.bundle}"', env=trusted)
        else:
            watched = _run(tmp_path, good, server.base_url, env={**trusted, how: str(authority.bundle)})
    _well(watched)


def test_a_certificate_that_does_not_verify(authority: certificates.Authority, tmp_path: Path) -> None:
    with ThreadedServer() as good, Server(_forwarding(good), tls=authority.server) as server:
        watched = _run(tmp_path, good, server.base_url)
        assert not server.requests
    assert watched.code == 6
    said = " ".join(watched.output.split())
    assert "the certificate does not verify" in said
    assert "http.ca_bundle in the target file names its authority" in said
    assert "Traceback" not in watched.output


# ---------------------------------------------------------------------- proxies


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_of_the_environment(scheme: str, authority: certificates.Authority, tmp_path: Path) -> None:
    """Only the proxy knows the host. The hook is on loopback and is asked directly."""
    tls = authority.server if scheme == "https" else None
    with ThreadedServer() as good, Server(_forwarding(good), tls=tls) as server, Proxy(server.base_url) as proxy:
        http = f'requests_per_second = 0\nca_bundle = "{authority.bundle}"'
        watched = _run(tmp_path, good, f"{scheme}://{HOST}/v2", http=http, env=proxy.environment)
        assert proxy.asked
        assert all(HOST in each for each in proxy.asked)
    _well(watched)


def test_no_proxy(tmp_path: Path) -> None:
    """What NO_PROXY names is asked for directly, and is not to be found."""
    with ThreadedServer() as good, Proxy(good.base_url) as proxy:
        watched = _run(
            tmp_path, good, f"http://{HOST}/v2", env={**proxy.environment, "no_proxy": HOST, "NO_PROXY": HOST}
        )
        assert not proxy.asked
    assert watched.code == 6


# ---------------------------------------------------------------------- addresses and headers


@pytest.mark.parametrize("prefix", ["", "/a/b%20c/v2"])
def test_a_path_prefix_and_a_slash_at_the_end(prefix: str, tmp_path: Path) -> None:
    with ThreadedServer() as good, Server(_forwarding(good, prefix), prefix=prefix) as server:
        watched = _run(tmp_path, good, server.base_url + "/")
        assert all(each.split(b" ")[1].startswith(f"{prefix}/user/".encode()) for each in server.requests)
    _well(watched)


def test_ipv6(tmp_path: Path) -> None:
    try:
        probe = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6")
    probe.close()
    with ThreadedServer() as good, Server(_forwarding(good), host="::1") as server:
        watched = _run(tmp_path, good, server.base_url)
        assert f"Host: [::1]:{server.port}\r\n".encode() in server.requests[0]
    _well(watched)


def test_headers_go_to_the_target_only_and_netrc_is_not_read(tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("default login me password fromnetrc\n", encoding="utf-8")
    asked: list[bytes] = []
    with ThreadedServer() as good:
        store = good.emulator.store

        def hook(client: Client, request: bytes) -> None:
            asked.append(request)
            state = request.partition(b'"state": "')[2].partition(b'"')[0].decode()
            client.answer(f'{{"hash": "{store.new_account(State(state)).hash}"}}'.encode())

        with Server(_forwarding(good)) as server, Server(hook, prefix="/states") as states:
            target = target_file(
                tmp_path / "target.toml",
                server.base_url,
                timeout=10,
                credentials={},
                states=states.base_url,
                http='headers = { X-Gateway = "open-sesame-0123456789" }',
            )
            env = {"HOME": str(tmp_path), "NETRC": str(tmp_path / ".netrc")}
            watched = watch("--target", target, *_FEW, folder=tmp_path / "report", env=env)
            assert server.requests
            assert all(b"X-Gateway: open-sesame-0123456789" in each for each in server.requests)
            assert asked
            assert not [each for each in asked if b"open-sesame" in each]
            assert not [each for each in (*asked, *server.requests) if b"Basic " in each]
    _well(watched)
    assert not watched.told(["open-sesame-0123456789"])


# ---------------------------------------------------------------------- Ctrl-C


def _interrupted(running: Running, number: signal.Signals) -> Watched:
    running.send(number)
    # What it waits for would end later, and with another code.
    watched = running.wait(50)
    assert watched.code == 2, watched.output[-2000:]
    assert "Traceback" not in watched.output
    assert not watched.left
    return watched


def _until(condition: Any) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it never came to this"
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("well", [0, 60], ids=["at-the-first-contact", "in-a-test"])
def test_a_signal_during_an_exchange_that_hangs(well: int, number: signal.Signals, tmp_path: Path) -> None:
    with ThreadedServer() as good, Relay(good.base_url, BEHAVIOURS["hangs-before-the-headers"], well) as relay:
        target = target_file(
            tmp_path / "target.toml", relay.base_url, timeout=60, credentials={}, states=good.states_url
        )
        folder = tmp_path / "report"
        running = Running("--target", target, f"--report-dir={folder}", folder=folder)
        _until(lambda: len(relay.requests) > well)
        time.sleep(0.2)
        watched = _interrupted(running, number)
    assert watched.document["verdict"] == "interrupted"
    assert watched.document["complete"] is False


def test_a_signal_while_a_credential_command_runs(tmp_path: Path) -> None:
    mark = tmp_path / "started"
    target = tmp_path / "target.toml"
    target.write_text(
        f'base_url = "http://127.0.0.1:1/v2"\n[credentials]\nowner = {{ command = ["sh", "-c", "touch {mark}; sleep 60"] }}\n',
        encoding="utf-8",
    )
    running = Running("--target", target, folder=tmp_path / "report")
    _until(mark.exists)
    watched = _interrupted(running, signal.SIGINT)
    assert not (watched.folder / "conformance.json").exists()


# ---------------------------------------------------------------------- anywhere


def test_a_checkout_that_cannot_be_written(tmp_path: Path) -> None:
    """From another directory, and with nothing written but the reports."""
    checkout = copy(tmp_path / "checkout")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    before = {path for path in checkout.rglob("*") if "__pycache__" not in path.parts}
    program = [sys.executable, str(checkout / "suites" / "cli.py")]
    subprocess.run(["chmod", "-R", "a-w", str(checkout)], check=True)
    try:
        watched = watch(
            *_FEW,
            folder=tmp_path / "report",
            cwd=elsewhere,
            env={"PYTHONPATH": str(checkout), "PYTHONDONTWRITEBYTECODE": "1"},
            program=program,
        )
    finally:
        subprocess.run(["chmod", "-R", "u+w", str(checkout)], check=True)
    _well(watched)
    after = {path for path in checkout.rglob("*") if "__pycache__" not in path.parts}
    # root writes where nobody may: what counts is that nothing is there.
    assert after == before
    assert not list(elsewhere.iterdir())
    shutil.rmtree(checkout)


# ---------------------------------------------------------------------- two at once


@contextlib.contextmanager
def _somebody_else(good: ThreadedServer) -> Iterator[None]:
    """Another pipeline that creates as the same owner, again and again."""
    store = good.emulator.store
    owner = store.fixed[State.OWNER]
    stopped = threading.Event()

    def create() -> None:
        while not stopped.wait(0.004):
            store.put(owner, os.urandom(16).hex())

    thread = threading.Thread(target=create)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def test_a_second_pipeline_on_the_same_account(tmp_path: Path) -> None:
    """It looks like a broken target, so the message names the other cause."""
    with ThreadedServer() as good, _somebody_else(good):
        fixed = good.emulator.store.fixed
        credentials = {str(state): account.hash for state, account in fixed.items()}
        target = target_file(tmp_path / "target.toml", good.base_url, timeout=10, credentials=credentials)
        watched = watch("--target", target, "-q", folder=tmp_path / "report")
    assert watched.code == 1, watched.output[-2000:]
    assert "somebody else uses it at the same time" in " ".join(watched.output.split())
    assert not watched.told(credentials.values())


# ---------------------------------------------------------------------- memory


def test_a_plain_run_is_small(tmp_path: Path) -> None:
    """The first one of an installation, too, which compiles all that it imports."""
    with ThreadedServer() as good:
        target = target_file(
            tmp_path / "target.toml", good.base_url, timeout=10, credentials={}, states=good.states_url
        )
        cold = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPYCACHEPREFIX": str(tmp_path / "none")}
        watched = watch("--target", target, folder=tmp_path / "report", env=cold)
    assert watched.code == 0, watched.output[-2000:]
    assert watched.megabytes < 150
