"""The reference emulator against nothing but the documentation: plain requests, expectations typed in by hand.

What the suite itself is proved with is not proved by the suite.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from fixtures.emulator import embedded
from fixtures.emulator.accounts import State
from fixtures.emulator.compose import UnknownNameError, build
from fixtures.emulator.core import Emulator
from fixtures.emulator.faults import FAULTS, concurrency, places
from fixtures.emulator.messages import Call, Request
from fixtures.emulator.silence import Silence
from fixtures.emulator.threaded import ThreadedServer
from fixtures.emulator.variations import VARIATIONS
from suites.selfcheck.mutation import catchers

ROOT = Path(__file__).resolve().parents[3]
KEY = re.compile(r"[0-9a-f]{32}")
STATES = (
    "owner",
    "other_owner",
    "owner_without_session",
    "demo_with_session",
    "demo_without_session",
    "subuser",
    "tariff_restricted",
    "ended",
)
STYLES = ("query", "json", "form", "header-get", "header-post", "header-json")
OPERATIONS = ("create", "read")


class Client:
    """One emulator, called in plain requests."""

    def __init__(self, base_url: str, states_url: str) -> None:
        self.base_url, self.states_url = base_url, states_url
        self.http = requests.Session()
        self.http.trust_env = False

    def account(self, state: str) -> str:
        answer = self.http.post(self.states_url, json={"state": state, "action": "setup", "params": {}}, timeout=10)
        assert answer.status_code == 200, answer.text
        credential = answer.json()["hash"]
        assert KEY.fullmatch(credential)
        return str(credential)

    def url(self, action: str) -> str:
        return f"{self.base_url}/user/session/delivery/{action}"

    def send(self, method: str, action: str, **options: Any) -> requests.Response:
        return self.http.request(method, self.url(action), timeout=10, allow_redirects=False, **options)

    def call(self, action: str, credential: str, style: str = "json") -> requests.Response:
        header = {"Authorization": f"NVX {credential}"}
        match style:
            case "query":
                return self.send("GET", action, params={"hash": credential})
            case "json":
                return self.send("POST", action, json={"hash": credential})
            case "form":
                return self.send("POST", action, data={"hash": credential})
            case "header-get":
                return self.send("GET", action, headers=header)
            case "header-post":
                return self.send("POST", action, headers=header)
            case _:
                return self.send("POST", action, headers=header, json={})

    def key(self, action: str, credential: str, style: str = "json") -> str:
        return succeeds(self.call(action, credential, style))


def succeeds(answer: requests.Response) -> str:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    document = answer.json()
    assert document == {"success": True, "value": document["value"]}
    assert KEY.fullmatch(document["value"])
    return str(document["value"])


def refused(answer: requests.Response, code: int, status: int) -> None:
    assert answer.headers["content-type"] == "application/json"
    document = answer.json()
    assert (answer.status_code, document["success"], document["status"]["code"]) == (status, False, code), answer.text
    assert set(document) == {"success", "status"}
    assert isinstance(document["status"]["description"], str)
    assert document["status"]["description"]


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with ThreadedServer() as server:
        yield Client(server.base_url, server.states_url)


# --------------------------------------------------------------------- the operations


@pytest.mark.parametrize("created_by", STYLES)
@pytest.mark.parametrize("state", ["owner", "other_owner"])
def test_what_one_style_creates_every_style_reads(client: Client, state: str, created_by: str) -> None:
    owner = client.account(state)
    before = client.key("read", owner)
    key = client.key("create", owner, created_by)
    assert key not in (before, owner)
    assert {client.key("read", owner, style) for style in STYLES} == {key}
    assert {client.key("read", owner, style) for style in STYLES} == {key}


@pytest.mark.parametrize("style", STYLES)
def test_without_a_session(client: Client, style: str) -> None:
    user = client.account("owner_without_session")
    refused(client.call("read", user, style), 201, 400)
    refused(client.call("read", user, style), 201, 400)
    key = client.key("create", user, style)
    assert client.key("read", user, style) == key


@pytest.mark.parametrize("style", STYLES)
def test_demo(client: Client, style: str) -> None:
    fresh = client.account("demo_without_session")
    refused(client.call("read", fresh, style), 201, 400)
    key = client.key("create", fresh, style)
    for demo in (fresh, client.account("demo_with_session")):
        before = client.key("read", demo, style)
        refused(client.call("create", demo, style), 101, 403)
        assert client.key("read", demo, style) == before
    assert client.key("read", fresh, style) == key


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(("state", "code", "status"), [("subuser", 13, 403), ("tariff_restricted", 236, 402)])
def test_those_who_may_not_create(client: Client, state: str, code: int, status: int, style: str) -> None:
    user = client.account(state)
    before = client.key("read", user, style)
    refused(client.call("create", user, style), code, status)
    assert client.key("read", user, style) == before


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("action", OPERATIONS)
def test_credentials_that_are_none(client: Client, action: str, style: str) -> None:
    owner = client.account("owner")
    key = client.key("create", owner)
    refused(client.call(action, client.account("ended"), style), 4, 400)
    refused(client.call(action, os.urandom(16).hex(), style), 4, 400)
    refused(client.call(action, key, style), 276, 403)
    changed = owner[:-1] + ("0" if owner[-1] != "0" else "1")
    refused(client.call(action, changed, style), 4, 400)
    for malformed in (owner[:31], owner + "0", "not a hash", "x" * 32, owner.replace(owner[5], "'"), "null"):
        refused(client.call(action, malformed, style), 3, 400)
    assert client.key("read", owner) == key


def test_users_are_isolated(client: Client) -> None:
    one, other = client.account("owner"), client.account("owner")
    first, second = client.key("create", one), client.key("create", other)
    assert first != second
    assert (client.key("read", one), client.key("read", other)) == (first, second)


def test_creates_concurrent_calls(client: Client) -> None:
    owner = client.account("owner")
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: client.key("create", owner), range(40)))
    assert len(set(keys)) == 40
    assert client.key("read", owner) in keys
    digits = [int(key, 16) for key in keys]
    varying = digits[0]
    for digit in digits:
        varying |= digit ^ digits[0]
    assert varying.bit_count() >= 96


# ------------------------------------------------------------------------- the calls


@pytest.mark.parametrize("action", OPERATIONS)
def test_spellings_of_a_good_call(client: Client, action: str) -> None:
    owner = client.account("owner")
    encoded = "".join(f"%{ord(character):02x}" for character in owner)
    escaped = "".join(f"\\u{ord(character):04X}" for character in owner)
    json_type = {"Content-Type": "application/json"}
    header = {"Authorization": f"NVX {owner}"}
    for answer in (
        client.send("GET", f"{action}?hash={encoded}"),
        client.send("GET", f"{action}?iso_datetime=true&hash={owner}&nobody=1"),
        client.send("GET", f"{action}?hash={owner}&iso_datetime=true&broken=%ff%zz"),
        client.send("GET", action, headers={**header, "NVX-ISO-DateTime": "true"}),
        client.send("GET", action, headers=header, params={"iso_datetime": "true"}),
        client.send("POST", action, json={"iso_datetime": True, "nobody": [1], "hash": owner}),
        client.send("POST", action, json={"hash": owner, "iso_datetime": "true"}),
        client.send("POST", action, data=f'\r\n\t {{"\\u0068ash" :\n"{escaped}"}}\n', headers=json_type),
        client.send("POST", action, data={"iso_datetime": "true", "hash": owner, "nobody": "1"}),
        client.send(
            "POST", action, data=f"hash={encoded}", headers={"Content-Type": "Application/X-WWW-Form-URLencoded"}
        ),
        client.send("POST", action, json={"hash": owner}, headers={"Content-Type": "application/json; charset=utf-8"}),
        client.send("POST", action, json={"hash": owner}, headers={"Content-Type": "APPLICATION/Json;Charset=UTF-8"}),
    ):
        succeeds(answer)


@pytest.mark.parametrize("action", OPERATIONS)
@pytest.mark.parametrize("authorization", ["NVX{}", "Bearer {}", "Basic {}", "Token {}", "{}", "NVX ", "NVX", ""])
def test_other_authorizations(client: Client, action: str, authorization: str) -> None:
    owner = client.account("owner")
    for method in ("GET", "POST"):
        answer = client.send(method, action, headers={"Authorization": authorization.format(owner)})
        refused(answer, 3, 400)


@pytest.mark.parametrize("action", OPERATIONS)
def test_other_methods(client: Client, action: str) -> None:
    owner = client.account("owner")
    key = client.key("create", owner)
    for method in ("PUT", "PATCH", "DELETE"):
        for options in ({"params": {"hash": owner}}, {"json": {"hash": owner}}, {"data": {"hash": owner}}):
            refused(client.send(method, action, **options), 112, 405)
    assert client.send("OPTIONS", action, params={"hash": owner}).status_code == 204
    head = client.send("HEAD", action, params={"hash": owner})
    assert (head.status_code, head.content) == (405, b"")
    assert client.key("read", owner) == key


@pytest.mark.parametrize("action", ["", "delete", "update", "CREATE", "read2", "read/key", "create;x", "%ff"])
def test_unknown_actions(client: Client, action: str) -> None:
    owner = client.account("owner")
    for style in STYLES:
        refused(client.call(action, owner, style), 111, 400)


def test_elsewhere(client: Client) -> None:
    refused(client.http.get(client.base_url.removesuffix("/v2") + "/", timeout=10), 111, 400)


# ------------------------------------------------------------------------- bad input

BAD_JSON: dict[str, tuple[bytes, int]] = {
    "nothing": (b"", 3),
    "no object at all": (b"hash", 5),
    "half an object": (b'{"hash": "', 5),
    "array": (b"[]", 5),
    "number": (b"7", 5),
    "string": (b'"hash"', 5),
    "null": (b"null", 5),
    "empty object": (b"{}", 3),
    "hash null": (b'{"hash": null}', 7),
    "hash number": (b'{"hash": 12345678901234567890123456789012}', 7),
    "hash true": (b'{"hash": true}', 7),
    "hash list": (b'{"hash": []}', 7),
    "hash object": (b'{"hash": {}}', 7),
    "hash empty": (b'{"hash": ""}', 3),
    "hash NUL": (b'{"hash": "\\u0000"}', 3),
    "hash half a character": (b'{"hash": "\\ud800"}', 3),
    "hash beyond ASCII": ('{"hash": "хеш"}'.encode(), 3),
    "hash foreign digits": (json.dumps({"hash": "\u0663" * 32}, ensure_ascii=False).encode(), 3),
    "hash with newline": (b'{"hash": "' + b"0" * 32 + b'\\n"}', 3),
    "hash with quotes": (b'{"hash": "\' OR 1=1 --"}', 3),
    "hash long": (b'{"hash": "' + b"0" * 100_000 + b'"}', 3),
    "NaN": (b'{"hash": NaN}', 5),
    "Infinity beside": (b'{"x": -Infinity}', 5),
    "single quotes": (b"{'hash': 1}", 5),
    "byte order mark": (b'\xef\xbb\xbf{"hash": ""}', 5),
    "UTF-16": ('{"hash": ""}'.encode("utf-16"), 5),
    "no UTF-8": (b'{"hash": "\xff"}', 5),
    "raw control character": (b'{"hash": "\x01"}', 5),
    "raw NUL": (b"\x00", 5),
    "two documents": (b"{}{}", 5),
    "200,000 brackets": (b"[" * 200_000, 5),
    "200,000 brackets closed": (b"[" * 100_000 + b"]" * 100_000, 5),
    "200,000 brackets as hash": (b'{"hash": ' + b"[" * 200_000, 5),
    "objects to the depth of 50,000": (b'{"a":' * 50_000, 5),
    "900 brackets": (b"[" * 450 + b"]" * 450, 5),
    "number of 10,000 digits": (b'{"hash": ' + b"9" * 10_000 + b"}", 5),
    "huge exponent": (b'{"hash": 1e999999}', 7),
}


@pytest.mark.parametrize("action", OPERATIONS)
@pytest.mark.parametrize("name", BAD_JSON)
def test_bad_json(client: Client, action: str, name: str) -> None:
    body, code = BAD_JSON[name]
    refused(client.send("POST", action, data=body, headers={"Content-Type": "application/json"}), code, 400)


@pytest.mark.parametrize("action", OPERATIONS)
def test_other_bad_input(client: Client, action: str) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for body in (
        b"",
        b"hash",
        b"hash=",
        b"hash=%",
        b"hash=%zz",
        b"hash=%00",
        b"hash=%ff",
        b"\xff\xfe",
        b"hash=" + b"0" * 9999,
        b"&&=",
    ):
        refused(client.send("POST", action, data=body, headers=form), 3, 400)
    for query in (
        "",
        "hash",
        "hash=",
        "hash=%",
        "hash=%zz",
        "hash=%00",
        "hash=%ff",
        "hash=%F0%9F%9A%AB",
        "hash=" + "0" * 9999,
        "hash[]=1",
    ):
        refused(client.send("GET", f"{action}?{query}"), 3, 400)
    for media_type in (
        "text/plain",
        "application/xml",
        "multipart/form-data; boundary=x",
        "nonsense",
        "application/octet-stream",
    ):
        refused(client.send("POST", action, data=b"<hash/>", headers={"Content-Type": media_type}), 5, 400)
    refused(client.send("POST", action), 3, 400)
    too_large = client.send(
        "POST", action, data=b'{"hash": "' + b"0" * (2 << 20), headers={"Content-Type": "application/json"}
    )
    refused(too_large, 9, 412)


def test_what_is_no_http_does_not_end_it(client: Client) -> None:
    host, port = client.base_url.split("/")[2].split(":")
    for raw in (b"\x00\xff\r\n\r\n", b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"):
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(raw)
            assert b" 400 " in connection.recv(4096)
    client.account("owner")


# --------------------------------------------------------------------- provider states


@pytest.mark.parametrize("state", STATES)
def test_states_are_fresh_each_time(client: Client, state: str) -> None:
    assert len({client.account(state) for _ in range(5)}) == 5


def test_hook(client: Client) -> None:
    def hook(document: object) -> requests.Response:
        return client.http.post(client.states_url, json=document, timeout=10)

    assert hook({"state": "owner"}).status_code == 200
    assert hook({"state": "owner", "action": "teardown", "params": {}}).status_code == 200
    assert hook({"state": "nobody", "action": "setup"}).status_code == 404
    assert hook({"state": ["owner"], "action": "setup"}).status_code == 404
    assert hook({"state": "owner", "action": "dance"}).status_code == 400
    assert hook([]).status_code == 400
    assert client.http.post(client.states_url, data=b"[" * 100_000, timeout=10).status_code == 400
    assert client.http.get(client.states_url, timeout=10).status_code == 405


# ------------------------------------------------------------------------- its process


def test_embedded_serves_and_stops() -> None:
    emulator = embedded.start(["errors-are-200"])
    try:
        client = Client(emulator.base_url, emulator.states_url)
        client.key("create", client.account("owner"))
        refused(client.call("read", "nonsense"), 3, 200)
    finally:
        emulator.stop()
    emulator.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(emulator.pid, 0)


def test_embedded_says_why_it_died() -> None:
    emulator = embedded.start(["no-such-fault"])
    with pytest.raises(embedded.EmulatorDiedError, match=r"exit code 4: .*no-such-fault"):
        _ = emulator.base_url


def test_embedded_needs_no_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    impostor = tmp_path / "fixtures"
    impostor.mkdir()
    (impostor / "__init__.py").write_text("raise SystemExit('the wrong package')")
    monkeypatch.chdir(tmp_path)
    emulator = embedded.start()
    try:
        assert emulator.base_url.endswith("/v2")
    finally:
        emulator.stop()


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX")
def test_embedded_ends_with_its_parent() -> None:
    program = (
        "from fixtures.emulator import embedded\n"
        "import time\n"
        "emulator = embedded.start()\n"
        "print(emulator.base_url, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    with parent, contextlib.ExitStack() as stack:
        assert parent.stdout is not None
        try:
            host, port = parent.stdout.readline().split("/")[2].split(":")
            # An open connection tells that the process has ended; its port may be somebody else's by then.
            connection = stack.enter_context(socket.create_connection((host, int(port)), timeout=10))
            connection.sendall(b"GET /v2/ HTTP/1.1\r\nHost: emulator\r\n\r\n")
            assert connection.recv(4096).startswith(b"HTTP/1.1 400")
        finally:
            parent.send_signal(signal.SIGKILL)
        with contextlib.suppress(ConnectionResetError):
            while connection.recv(4096):
                pass


def test_importing_starts_nothing() -> None:
    program = (
        "import threading, fixtures.emulator.embedded, fixtures.emulator.threaded, fixtures.emulator.faults\n"
        "import fixtures.emulator.variations, sys\n"
        "assert threading.active_count() == 1\n"
        "ours = {name.split('.')[0] for name in sys.modules} & {'contracts', 'reports', 'suites'}\n"
        "assert not ours, ours\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})


# ------------------------------------------------------------------------ the terminal


def run_cli(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fixtures.emulator", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=20
    )


def test_cli_lists_the_faults() -> None:
    done = run_cli("--list-faults")
    assert done.returncode == 0
    for name in (*FAULTS, *VARIATIONS):
        assert f"  {name}: " in done.stdout


@pytest.mark.slow
def test_cli_refuses_in_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for arguments, word in (
            (["--fault", "no-such-fault"], "no-such-fault"),
            (["--port", port], port),
            (["--port", "99999"], "99999"),
            (["--port", "http"], "http"),
            (["--host", "no.such.host.invalid", "--port", "0"], "no.such.host.invalid"),
            (["--nonsense"], "--nonsense"),
        ):
            done = run_cli(*arguments)
            assert (done.returncode, done.stdout) == (4, ""), done
            assert len(done.stderr.splitlines()) == 1, done.stderr
            assert word in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="SIGINT is POSIX")
def test_cli_prints_what_one_needs() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "fixtures.emulator", "--port", "0", "--fault", "no-session-is-404", "--fault", "gzip"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    watchdog = threading.Timer(20, process.kill)
    watchdog.start()
    try:
        assert process.stdout is not None
        text = ""
        while "Ctrl-C" not in text:
            line = process.stdout.readline()
            assert line, text
            text += line
        target = tomllib.loads(text.partition("# ---- target.toml ----")[2].partition("# ---- end")[0])
        # What a run uses up, and what ends with the emulator, is not in the file: it is good for any number of runs.
        assert set(target) == {"base_url", "profile", "allow_key_rotation", "provider_states"}
        credentials = dict(re.findall(r'^# (\w+) = "(\w+)"$', text, re.MULTILINE))
        assert set(credentials) == set(STATES)
        client = Client(target["base_url"], target["provider_states"]["url"])
        client.key("create", credentials["owner"])
        refused(client.call("read", credentials["owner_without_session"]), 201, 404)
        curls = re.findall(r"^curl .*$", text, re.MULTILINE)
        assert [re.findall(KEY, curl)[0] for curl in curls] == list(credentials.values())
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
        assert "Traceback" not in process.stdout.read()
    finally:
        watchdog.cancel()
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


# ------------------------------------------------------------- the faults, as a catalogue


def test_names_and_numbers() -> None:
    assert len(FAULTS) >= 150
    assert len(VARIATIONS) >= 25
    assert not set(FAULTS) & set(VARIATIONS)
    entries = [(fault.name, fault.summary) for fault in FAULTS.values()]
    entries += [(variation.name, variation.summary) for variation in VARIATIONS.values()]
    for name, summary in entries:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)
        assert summary
        assert "\n" not in summary
    summaries = [summary for _, summary in entries]
    assert sorted({text for text in summaries if summaries.count(text) > 1}) == []
    with pytest.raises(UnknownNameError):
        build(["no-such-fault"])


def test_every_fault_names_what_it_breaks() -> None:
    for fault in FAULTS.values():
        assert fault.breaks, fault.name
        assert len(set(fault.breaks)) == len(fault.breaks), fault.name


# ----------------------------------------------------------------- each of them, at work


class Switchboard(Emulator):
    """Every fault and variation behind one port: the header x-emulator says which."""

    keep_alive = 10

    def __init__(self) -> None:
        super().__init__()
        self.emulators = {name: build([name]) for name in (*FAULTS, *VARIATIONS)}
        for emulator in self.emulators.values():
            emulator.store = self.store

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        name = dict(scope["headers"]).get(b"x-emulator", b"").decode()
        if name in self.emulators:
            await self.emulators[name](scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


@pytest.mark.slow
def test_each_is_served() -> None:
    """Over a real socket: h11 has the last word on whether a response can be sent at all."""
    with ThreadedServer(emulator=(board := Switchboard())) as server:
        client = Client(server.base_url, server.states_url)
        owner = client.account("owner")
        for name in board.emulators:
            for credential in (owner, "nonsense"):
                answer = client.http.post(
                    client.url("read"),
                    json={"hash": credential},
                    headers={"x-emulator": name},
                    timeout=10,
                    allow_redirects=False,
                )
                assert answer.status_code >= 200, name
                # uvicorn's own answer to an exception; the faults that break the server on purpose have other pages.
                assert answer.content != b"Internal Server Error", name


def masked(text: str, seen: dict[str, str]) -> str:
    """The text with every run of 32 digits named by the order of its first appearance."""
    return re.sub(r"[0-9a-f]{32}", lambda match: seen.setdefault(match[0], f"«{len(seen)}»"), text)


class DifferenceError(Exception):
    """Two emulators answered differently."""


class Log(list[str]):
    """What an emulator answered; where another's log is given, the first line that differs from it ends the run."""

    def __init__(self, other: list[str] | None = None) -> None:
        super().__init__()
        self.other = other

    def append(self, line: str) -> None:
        super().append(line)
        if self.other is not None and line != self.other[len(self) - 1]:
            raise DifferenceError


def as_json(document: object) -> bytes:
    return json.dumps(document).encode()


class Battery:
    """Calls one emulator, and writes its answers down so that two runs can be compared.

    What an emulator remembers makes a difference: the order of the calls is part of what is compared.
    """

    def __init__(self, emulator: Emulator, compared: list[str] | None) -> None:
        self.emulator = emulator
        self.seen: dict[str, str] = {}
        self.log = Log(compared)
        self.hashes = {state.value: emulator.store.new_account(state).hash for state in emulator.store.fixed}
        for credential in self.hashes.values():
            masked(credential, self.seen)
        self.owner, self.other = self.hashes["owner"], self.hashes["other_owner"]

    async def ask(
        self,
        method: str,
        action: str,
        *,
        query: str = "",
        body: bytes = b"",
        kind: str = "",
        note: bool = True,
        headers: dict[str, str] | None = None,
    ) -> str:
        given = list((headers or {}).items())
        if kind:
            given.append(("content-type", kind))
        path = f"/v2/user/session/delivery/{action}"
        call = Call(Request(method, path, query.encode("latin-1"), tuple(given), body))
        response = self.emulator.finish(call, await self.emulator.answer(call))
        text = "silence" if isinstance(response, Silence) else f"{response.status} {response.headers} {response.body!r}"
        if note:
            self.log.append(f"{method} {action}: {masked(text, self.seen)}")
        found = re.search(r'"value": "([0-9a-f]{32})"', response.body.decode("latin-1"))
        return found[1] if found else ""

    async def call(self, action: str, credential: str, style: str = "json", *, note: bool = True) -> str:
        header = {"authorization": f"NVX {credential}"}
        match style:
            case "query":
                return await self.ask("GET", action, query=f"hash={credential}", note=note)
            case "form":
                return await self.ask("POST", action, body=f"hash={credential}".encode(), kind=FORM, note=note)
            case "header-get":
                return await self.ask("GET", action, note=note, headers=header)
            case "header-post":
                return await self.ask("POST", action, note=note, headers=header)
            case "header-json":
                return await self.ask("POST", action, body=b"{}", kind=JSON, note=note, headers=header)
            case _:
                return await self.ask("POST", action, body=as_json({"hash": credential}), kind=JSON, note=note)

    async def quietly(self, action: str, credential: str) -> str:
        """The same in JSON, where what comes first is left to chance: the answer is not noted."""
        return await self.call(action, credential, note=False)

    async def first_calls(self) -> None:
        """Nobody has called yet, and then somebody has."""
        for _ in range(2):
            for style in STYLES:
                await self.call("read", self.hashes["owner_without_session"], style)
            for style in STYLES:
                for action in OPERATIONS:
                    for state in STATES:
                        await self.call(action, self.hashes[state], style)
                    await self.call("read", self.owner, style)

    async def credentials(self) -> None:
        """Credentials that are none, far from a good one and near it."""
        owner = self.owner
        key = await self.call("create", owner)
        missing = [
            "",
            "0" * 32,
            "f" * 31 + "e",
            "null",
            "undefined",
            "abc",
            "x" * 32,
            "'",
            "%",
            "_" * 32,
            owner[:8] + "%",
            owner[:30] + "*",
        ]
        near = [
            owner[:31],
            owner[:20],
            owner[:8],
            owner + "0",
            "0" + owner,
            f"x{owner}y",
            f"{owner[:16]}-{owner[16:]}",
            key,
        ]
        near += [
            owner[:31] + ("0" if owner[31] != "0" else "1"),
            ("0" if owner[0] != "0" else "1") + owner[1:],
            owner[::-1],
            owner[:16] + "0" * 16,
            "0" * 16 + owner[16:],
        ]
        for credential in (*missing, *near):
            for action in OPERATIONS:
                for style in STYLES:
                    await self.call(action, credential, style)
            await self.call("read", self.owner)
            if credential == key:
                await self.call("read", key, "query")

    async def headers(self, action: str) -> None:
        """Credentials in a header, and calls without any."""
        for method in ("GET", "POST"):
            for authorization in ("NVX{}", "Bearer {}", "Basic {}", "Token {}", "nvx {}"):
                await self.ask(method, action, headers={"authorization": authorization.format(self.owner)})
            await self.ask(method, action, headers={"nvx-iso-datetime": "true", "authorization": f"NVX {self.owner}"})
            await self.ask(method, action)
            await self.ask(method, action, headers={"cookie": "delivery_user=0"})

    async def parameters(self, action: str) -> None:
        """A good hash beside other parameters, and encoded."""
        for unlike in ("iso_datetime=true", "nobody=1"):
            await self.ask("GET", action, query=f"hash={self.owner}&{unlike}")
            await self.ask("POST", action, body=f"hash={self.owner}&{unlike}".encode(), kind=FORM)
            await self.ask(
                "POST", action, body=as_json({"hash": self.owner, unlike.partition("=")[0]: True}), kind=JSON
            )
            await self.ask(
                "POST", action, body=as_json({unlike.partition("=")[0]: True, "hash": self.owner}), kind=JSON
            )
        await self.ask("GET", action, query=f"hash={self.owner}", headers={"nvx-iso-datetime": "true"})
        for encode in ("%{:02x}", "%{:02X}"):
            encoded = "hash=" + "".join(encode.format(ord(c)) for c in self.owner)
            await self.ask("GET", action, query=encoded)
            await self.ask("POST", action, body=encoded.encode(), kind=FORM)

    async def demos(self) -> None:
        """The first create of demo users."""
        for style in STYLES:
            await self.call("create", self.emulator.store.new_account(State.DEMO_WITHOUT_SESSION).hash, style)

    async def empty_bodies(self, action: str) -> None:
        """A good hash in the query of a POST, with nothing in the body."""
        for kind, body in ((JSON, b""), (JSON, b"{}"), (FORM, b""), ("", b"")):
            await self.ask("POST", action, query=f"hash={self.owner}", body=body, kind=kind)
            await self.ask("GET", "read", query=f"hash={self.owner}")
        await self.call("create", self.owner)

    async def places(self, action: str) -> None:
        """Longer paths, and a hash in the query and in the body."""
        await self.ask("GET", f"{action}/", query=f"hash={self.owner}")
        await self.ask("GET", f"{action}//", query=f"hash={self.owner}")
        await self.ask("POST", action, query=f"hash={self.owner}", body=b'{"hash": 7}', kind=JSON)
        await self.ask("POST", action, query="hash=7&iso_datetime=x", body=as_json({"hash": self.owner}), kind=JSON)
        await self.ask("POST", action, query=f"hash={self.owner}", body=b"iso_datetime=true", kind=FORM)
        await self.ask("POST", f"{action}/", body=as_json({"hash": self.owner}), kind=JSON)
        await self.ask("GET", "read", query=f"hash={self.owner}")
        letters = "".join(f"%{ord(c):02x}" if c.isalpha() else c for c in self.owner)
        await self.ask("GET", action, query=f"hash={letters}")

    async def queries(self, action: str) -> None:
        """Queries that hold no hash, or two."""
        for query in (
            "hash=%",
            "hash=%zz",
            "hash=%00",
            "hash=%ff",
            "hash=%27",
            "hash=" + "0" * 2000,
            f"hash={self.owner}&hash={self.other}",
            "hash=",
            "hash%5B%5D=a",
        ):
            await self.ask("GET", action, query=query)

    async def documents(self, action: str) -> None:
        """JSON bodies that hold a good hash somewhere."""
        for template in (
            '{"hash":"%s"}',
            '{ "hash" :\n\t"%s" }',
            ' {"hash": "%s"}',
            '{"hash": "%s"}\n',
            '{"hash": ["%s"]}',
            '{"hash": {"hash": "%s"}}',
            '{"hash": [["%s"]]}',
            '{"hash": ["x", "%s"]}',
            '{"hash": "%s", "hash": ""}',
            '{"\\u0068ash": "%s"}',
        ):
            await self.ask("POST", action, body=(template % self.owner).encode(), kind=JSON)
        escaped = "".join(f"\\u{ord(c):04x}" for c in self.owner)
        await self.ask("POST", action, body=f'{{"hash": "{escaped}"}}'.encode(), kind=JSON)

    async def media_types(self, action: str) -> None:
        """Content types, as they are and as they are not."""
        for content_type in (f"{JSON}; charset=utf-8", "Application/JSON", "text/plain"):
            await self.ask("POST", action, body=as_json({"hash": self.owner}), kind=content_type)
        for content_type in ("Application/X-WWW-Form-Urlencoded", "text/plain"):
            await self.ask("POST", action, body=f"hash={self.owner}".encode(), kind=content_type)

    async def bad_bodies(self, action: str) -> None:
        """Bodies that hold no hash."""
        for bad, _ in BAD_JSON.values():
            await self.ask("POST", action, body=bad, kind=JSON)
        await self.ask("POST", action, body=b'{"hash": {"a": {}}}', kind=JSON)
        for form in (b"", b"hash=", b"hash=\xd1\x85", b"hash=%7B%7B7%2A7%7D%7D"):
            await self.ask("POST", action, body=form, kind=FORM)
        await self.ask("POST", action, body=b"{}", kind="text/xml")

    async def methods(self, action: str) -> None:
        """Methods that the API has none of."""
        for method in ("PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"):
            await self.ask(method, action, query=f"hash={self.owner}")
            await self.ask(method, action, body=as_json({"hash": self.owner}), kind=JSON)
            await self.ask(method, action)
            await self.call("read", self.owner)
        await self.call("create", self.owner)

    async def nearly_good(self, action: str) -> None:
        """A good hash where and as it should not quite be, and two credentials."""
        await self.ask("GET", f"{action}/", query=f"hash={self.owner}")
        await self.ask("GET", action, query=f"hash=+{self.owner}")
        await self.ask("GET", action, query=f"hash={self.owner.upper()}")
        await self.ask("GET", action, headers={"authorization": f"NVX  {self.owner}"})
        await self.ask("POST", action, query=f"hash={self.owner}")
        await self.ask("POST", action, body=b"not json", kind=JSON, headers={"authorization": f"NVX {self.owner}"})
        await self.ask(
            "POST",
            action,
            query=f"hash={self.owner}",
            headers={"authorization": f"NVX {self.other}"},
            body=b"{}",
            kind=JSON,
        )
        await self.ask("GET", action, query=f"hash={self.owner}", headers={"authorization": f"NVX {self.other}"})

    async def unknown_actions(self) -> None:
        """Operations that do not exist."""
        for action in ("update", "delete", "list", "READ", "createx"):
            await self.call(action, self.owner)
            await self.call("read", self.owner)

    async def what_went_before(self) -> None:
        """Calls that an emulator may remember."""
        for state in ("subuser", "tariff_restricted"):
            await self.call("create", self.owner)
            await self.call("create", self.hashes[state])
            await self.call("read", self.owner)
            await self.ask("POST", "create/", headers={"authorization": f"NVX {self.hashes[state]}"})
        await self.call("create", self.owner)
        await self.call("read", "0" * 32)
        await self.call("read", self.owner)
        demo = self.emulator.store.new_account(State.DEMO_WITHOUT_SESSION).hash
        for credential in (await self.call("create", demo), demo):
            for action in OPERATIONS:
                await self.call(action, credential, "query")
        await self.call("create", demo)
        read_first = self.emulator.store.new_account(State.DEMO_WITHOUT_SESSION).hash
        for action in ("read", "create"):
            await self.call(action, read_first)
        # What was found before is kept for nobody, and makes no credential.
        without = self.emulator.store.new_account(State.OWNER_WITHOUT_SESSION).hash
        for action, style in (("read", "json"), ("create", "query"), ("read", "json")):
            await self.call(action, without, style)
        await self.call("read", await self.call("read", self.owner, "query"), "query")
        twice = self.emulator.store.new_account(State.OWNER_WITHOUT_SESSION).hash
        for action in ("create", "create", "read"):
            await self.call(action, twice, "query")

    async def again_and_again(self) -> None:
        """Now and then, one after the other."""
        for _ in range(12):
            await self.call("create", self.owner)
            await self.call("read", self.other)
            for style in ("query", "json"):
                await self.call("read", self.owner, style)

    async def concurrent_calls(self) -> None:
        """Calls that are under way together."""
        for users in ((self.owner, self.owner), (self.owner, self.other), (self.owner,) * 5):
            keys = await asyncio.gather(*[self.quietly("create", user) for user in users])
            self.log.append(f"{len(set(keys))} keys")
            own = [key for key, user in zip(keys, users, strict=True) if user == self.owner]
            self.log.append(f"own: {await self.quietly('read', self.owner) in own}")
            self.log.append(f"same: {await self.quietly('read', self.owner) == await self.quietly('read', self.owner)}")
        others = await self.call("read", self.other)
        _, meanwhile, others_meanwhile = await asyncio.gather(
            self.quietly("create", self.owner),
            self.quietly("read", self.owner),
            self.quietly("read", self.other),
        )
        self.log.append(f"a key meanwhile: {bool(meanwhile)}, the other's: {others_meanwhile == others}")
        await self.call("read", self.owner)
        await self.call("read", self.other)
        again = list(
            await asyncio.gather(*[self.quietly("read", user) for user in (self.owner, self.other, self.owner)])
        )
        self.log.append(f"apart: {again[0] != again[1]}")
        _, newest = await asyncio.gather(self.quietly("read", self.owner), self.quietly("create", self.owner))
        self.log.append(f"current: {await self.quietly('read', self.owner) == newest}")
        # Nobody has read this key before the read that another create overtakes.
        await self.call("create", self.owner)
        _, newest = await asyncio.gather(self.quietly("read", self.owner), self.quietly("create", self.owner))
        self.log.append(f"current again: {await self.quietly('read', self.owner) == newest}")
        # First creates: two of one user, and of two demo sessions.
        new = self.emulator.store.new_account
        user, *demos = (new(State.OWNER_WITHOUT_SESSION), *(new(State.DEMO_WITHOUT_SESSION) for _ in range(2)))
        for accounts in ([user, user], demos):
            keys = await asyncio.gather(*[self.quietly("create", each.hash) for each in accounts])
            self.log.append(f"{len(set(filter(None, keys)))} first keys")

    async def many_keys(self) -> None:
        """Many keys, and how they differ."""
        numbers = [int(await self.quietly("create", self.owner) or "0", 16) for _ in range(60)]
        varying = 0
        for number in numbers:
            varying |= number ^ numbers[0]
        halves = {(number >> shift) & 0xFFFFFFFF for number in numbers for shift in (96, 48, 0)}
        self.log.append(f"varying: {varying.bit_count() >= 120}, apart: {len(halves) > 175}")


async def battery(emulator: Emulator, compared: list[str] | None = None) -> list[str]:
    """What an emulator answers to more than a thousand calls."""
    calls = Battery(emulator, compared)
    await calls.first_calls()
    await calls.credentials()
    for action in OPERATIONS:
        await calls.headers(action)
        await calls.parameters(action)
        await calls.demos()
        await calls.empty_bodies(action)
        await calls.places(action)
        await calls.queries(action)
        await calls.documents(action)
        await calls.media_types(action)
        await calls.bad_bodies(action)
        await calls.methods(action)
        await calls.nearly_good(action)
    await calls.unknown_actions()
    await calls.what_went_before()
    await calls.again_and_again()
    await calls.concurrent_calls()
    await calls.many_keys()
    return calls.log


JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
#: What shows only in the bytes of a connection, in time, in the randomness of a key, or above a limit.
UNSEEN = {
    "keys-md5-of-a-counter",
    "keys-md5-of-the-clock",
    "session-ends-by-itself",
    "keys-digest-of-the-previous",
    "keys-digest-of-hash-and-count",
    "keys-a-large-step-apart",
    "keys-follow-from-each-other",
    "keys-repeat-themselves",
    "keys-mirror-themselves",
    "keys-by-json-end-with-the-clock",
    "keys-by-form-a-large-step-apart",
    "connection-is-credential",
    "http-1-0",
    "slow",
    "slow-body",
    "slow-create",
    "chunked",
    "chunked-byte-by-byte",
    "idle-connections-closed",
    "closed-without-a-word",
    "gzip",
    "deflate",
    "keys-are-random-uuids",
    "keys-are-digests",
    "keys-are-time-uuids",
}


@pytest.mark.slow
def test_each_changes_something(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault that changes nothing would count as one that the suite misses, or, worse, as an unused row of a table."""
    monkeypatch.setattr(concurrency, "WINDOW", 0.002)  # there is no network to be slower than
    # What is wrong in one place alone is not among these calls; the recording of the proof has the test that fails on it.
    in_one_place = {name for name, fault in FAULTS.items() if fault.emulator.__module__ == places.__name__}
    assert in_one_place <= catchers.recording().keys()

    async def same(name: str, plain: list[str]) -> bool:
        try:
            await battery(build([name]), plain)
        except DifferenceError:
            return False
        return True

    async def compare() -> list[str]:
        plain = await battery(build())
        assert plain == await battery(build())
        names = [name for name in (*FAULTS, *VARIATIONS) if name not in UNSEEN | in_one_place]
        few = asyncio.Semaphore(6)  # some of them wait, so others may go on; too many would outlast what is brief

        async def unchanged(name: str) -> bool:
            async with few:
                return await same(name, plain)

        unchanged_ones = await asyncio.gather(*map(unchanged, names))
        return [name for name, found in zip(names, unchanged_ones, strict=True) if found]

    assert asyncio.run(compare()) == []
