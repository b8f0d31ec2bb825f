"""The commands in the reports repeat what was sent, byte for byte, and hold no secret."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import quote

import pytest

from contracts.exchange import Exchange, Intent, Request, Response
from fixtures.calls import FORM, JSON, OPERATIONS, PATH, STYLES, Call, call
from fixtures.secrets import Vault
from reports.exchange import request_text, response_text
from reports.formats.repeat import Accounts, body, complete
from reports.formats.shell import curl, word
from reports.results import ViolationRecord
from suites.conformance.test_bad_input import _ROWS
from suites.selfcheck.system.hostile_servers import Client, Server
from suites.selfcheck.system.tools import missing

OWNER = "9f86d081884c7d659a2feaa0c55ad015"
BROKEN = "T1-create-gives-new-key"
KEY = "60303ae22b998861bce3b28f33eec1be"
#: Of more than hexadecimal digits.
OPAQUE = "Zk81d081884c7d659a2feaa0c55ad01x"


@dataclass
class Seen:
    """What a server was sent."""

    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    answer: bytes = b"{}"


@pytest.fixture(scope="module")
def recorder() -> Iterator[tuple[str, Seen]]:
    seen = Seen()

    def note(client: Client, request: bytes) -> None:
        head, _, sent = request.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        seen.requests.append((method, path, headers, sent))
        client.answer(b"" if method == "HEAD" else seen.answer)

    with Server(note) as server:
        yield server.base_url, seen


@pytest.fixture
def vault() -> Vault:
    known = Vault()
    known.add(OWNER, "owner")
    known.add(KEY, "key 3 of owner")
    return known


def as_request(base_url: str, each: Call) -> Request:
    url = f"{base_url}{each.path}" + (f"?{each.query}" if each.query else "")
    length = (
        ()
        if each.method in ("GET", "HEAD") and each.body is None
        else (("Content-Length", str(len(each.body or b""))),)
    )
    return Request(each.method, url, (("Accept", "*/*"), *length, *each.headers), each.body or b"")


def sh(text: str, **variables: str) -> str:
    if shutil.which("curl") is None or shutil.which("sh") is None:
        missing("curl is not installed")
    done = subprocess.run(
        ["sh", "-c", text], env={**os.environ, **variables}, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.decode("utf-8", "replace")


def near_misses() -> dict[str, Call]:
    read = PATH + "read"
    return {
        "prefix": Call("read", "GET", read, query=f"hash={OWNER[:31]}"),
        "longer": Call("read", "GET", read, query=f"hash={OWNER}0"),
        "changed": Call("read", "GET", read, query=f"hash=0{OWNER[1:]}"),
        "reversed-case": Call("read", "GET", read, query=f"hash={OWNER.upper()}"),
        "all-encoded": Call("read", "GET", read, query="hash=" + "".join(f"%{ord(each):02x}" for each in OWNER)),
        "letters-encoded": Call(
            "read", "GET", read, query="hash=" + "".join(f"%{ord(c):02X}" if c.isalpha() else c for c in OWNER)
        ),
        "json-escapes": Call(
            "read",
            "POST",
            read,
            headers=(("Content-Type", JSON),),
            body=('{"hash": "' + "".join(f"\\u{ord(each):04x}" for each in OWNER) + '"}').encode(),
        ),
        "a-dash-inside": Call("read", "GET", read, query=f"hash={OWNER[:16]}-{OWNER[16:]}"),
        "as-a-uuid": Call("read", "GET", read, query=f"hash={uuid.UUID(OWNER)}"),
        "in-a-list": Call("read", "POST", read, headers=(("Content-Type", JSON),), body=f'["{OWNER}"]'.encode()),
        "brackets": Call("read", "GET", read, query=f"hash[]={OWNER}&{{}}"),
        "key": Call("read", "POST", read, headers=(("Content-Type", FORM),), body=f"hash={KEY}".encode()),
        "no-type": Call("read", "POST", read, body=f'{{"hash": "{OWNER}"}}'.encode()),
        "quotes": Call("read", "GET", read, query=quote('hash=it\'s $HOME `id` "x"\\', safe="='$`\"\\")),
        "binary": Call(
            "read", "POST", read, headers=(("Content-Type", JSON),), body=b"\x00\xff'" + OWNER.encode() + b"\\1"
        ),
        "put": Call("create", "PUT", PATH + "create", headers=(("Content-Type", JSON),), body=b"{}"),
        "head": Call("read", "HEAD", read, query=f"hash={OWNER}"),
        "dots": Call(None, "GET", PATH + "../delivery/read", query=f"hash={OWNER}"),
        "latin": Call("read", "GET", read, headers=(("Authorization", "NVX é"),)),
    }


ROWS: dict[str, Call] = {
    **{f"{style}-{operation}": call(operation, style, OWNER) for style in STYLES for operation in OPERATIONS},
    **near_misses(),
    **{name: each for name, (each, _) in _ROWS.items()},
}


@pytest.mark.parametrize("row", ROWS.values(), ids=list(ROWS))
def test_curl_sends_the_same_request(recorder: tuple[str, Seen], vault: Vault, row: Call) -> None:
    base_url, seen = recorder
    request = as_request(base_url, row)
    command = curl(request, vault)
    assert vault.find(command) == []
    assert len(command) < 10_000
    seen.requests.clear()
    sh(command, DELIVERY_OWNER_HASH=OWNER, KEY_3_OF_OWNER=KEY)
    method, path, headers, body = seen.requests[-1]
    assert (method, path, body) == (
        request.method,
        "/v2" + row.path + (f"?{row.query}" if row.query else ""),
        row.body or b"",
    )
    sent = {name.lower(): value for name, value in row.headers}
    for name in ("content-type", "authorization", "nvx-iso-datetime"):
        assert headers.get(name) == sent.get(name), command


def exchange(base_url: str, each: Call, answer: bytes, at: float) -> Exchange:
    return Exchange(
        Intent(each.operation), as_request(base_url, each), Response(200, (), answer), sent_at=at, ended_at=at
    )


def repeated(exchanges: list[Exchange], vault: Vault, accounts: Accounts | None = None) -> str:
    """The whole script that repeats *exchanges*."""
    shown = {"request": request_text(exchanges[-1].request, vault), "response": "HTTP 200", "curl": "curl"}
    record = ViolationRecord(BROKEN, "m", "another key", "it's the same key", shown, body(exchanges, vault))
    return complete(record, accounts or Accounts())


@pytest.mark.parametrize(
    ("secret", "place"),
    [*((OWNER, place) for place in (0, 1, 15, 30, 31)), *((OPAQUE, place) for place in (0, 15, 31))],
)
def test_another_digit_is_another_one_of_whatever_account(secret: str, place: int) -> None:
    """A script makes an account of its own, whose hash may have the very digit there that was put in."""
    vault = Vault()
    vault.add(secret, "owner")
    command = f"printf %s {word(f'hash={secret[:place]}7{secret[place + 1 :]}', vault)}"
    for value in (secret, "7" * 32, "f" * 32):
        given = {"DELIVERY_OWNER_HASH": value, "PATH": os.environ["PATH"]}
        sent = subprocess.run(["sh", "-c", command], env=given, capture_output=True, text=True, check=True).stdout
        wanted = "0" if value[place] == "7" else "7"
        assert sent == f"hash={value[:place]}{wanted}{value[place + 1 :]}"


def test_what_stands_before_a_part_is_no_digit_changed() -> None:
    vault = Vault()
    vault.add(OPAQUE, "owner")
    vault.add(KEY, "key 1 of owner")
    part = '"${DELIVERY_OWNER_HASH#?}"'
    assert word(f"={OPAQUE[1:]}", vault) == f"={part}"
    assert word(f"\xe9{OPAQUE[1:]}", vault, "latin-1") == f"\"$(printf '\\351')\"{part}"
    assert word(KEY + OPAQUE[1:], vault) == f'"$KEY_1_OF_OWNER"{part}'


def test_a_script_hands_keys_on(recorder: tuple[str, Seen], vault: Vault) -> None:
    base_url, seen = recorder
    first = exchange(base_url, call("create", STYLES[0], OWNER), f'{{"success": true, "value": "{KEY}"}}'.encode(), 1)
    second = exchange(base_url, call("read", STYLES[1], KEY), b"{}", 2)
    text = repeated([second, first], vault)
    assert vault.find(text) == []
    seen.requests.clear()
    # A new key each time: the script must send the one that it was given.
    seen.answer = b'{"success": true, "value": "ffffffffffffffffffffffffffffffff"}'
    sh(text, DELIVERY_OWNER_HASH=OWNER)
    seen.answer = b"{}"
    assert [each[0] for each in seen.requests] == ["GET", "POST"]
    assert b"ffffffffffffffffffffffffffffffff" in seen.requests[1][3]


def test_a_script_shows_the_difference(recorder: tuple[str, Seen], vault: Vault) -> None:
    base_url, seen = recorder
    other = "5e" * 16
    vault.add(other, "key 4 of owner")
    calls = [
        exchange(base_url, call("create", STYLES[0], OWNER), f'{{"success": true, "value": "{KEY}"}}'.encode(), 1),
        exchange(base_url, call("read", STYLES[0], OWNER), f'{{"success": true, "value": "{other}"}}'.encode(), 2),
    ]
    seen.answer = b'{"success": true, "value": "ffffffffffffffffffffffffffffffff"}'
    said = sh(repeated(calls, vault), DELIVERY_OWNER_HASH=OWNER)
    seen.answer = b"{}"
    assert said.splitlines()[-5:] == [
        "expected: another key",
        "the run got: it's the same key",
        "now, call 1: HTTP/1.1 200 OK, value ffffffffffffffffffffffffffffffff",
        "now, call 2: HTTP/1.1 200 OK, value ffffffffffffffffffffffffffffffff",
        "calls 1 and 2 gave the same value",
    ]
    assert [line for line in said.splitlines() if re.match(r"\d\. ", line)] == [
        "1. create without a hash (GET, query)",
        "2. read without a hash (GET, query)",
    ]


def test_a_script_gets_the_keys_that_it_needs(recorder: tuple[str, Seen], vault: Vault) -> None:
    base_url, seen = recorder
    text = repeated([exchange(base_url, call("create", STYLES[1], KEY), b"{}", 1)], vault)
    seen.requests.clear()
    seen.answer = b'{"success": true, "value": "ffffffffffffffffffffffffffffffff"}'
    sh(text, DELIVERY_OWNER_HASH=OWNER)
    seen.answer = b"{}"
    assert [each[:2] for each in seen.requests] == [
        ("GET", f"/v2{PATH}read?hash={OWNER}"),
        ("POST", f"/v2{PATH}create"),
    ]
    assert b"ffffffffffffffffffffffffffffffff" in seen.requests[1][3]


def test_a_script_gets_accounts_where_the_run_got_them(recorder: tuple[str, Seen], vault: Vault) -> None:
    base_url, seen = recorder
    vault.add("1f" * 16, "subuser")
    vault.add("2e" * 16, "other_owner 2")
    hashes = (OWNER, "1f" * 16, "2e" * 16)
    calls = [exchange(base_url, call("read", STYLES[0], each), b"{}", at) for at, each in enumerate(hashes)]
    fixed = Accounts(f"{base_url}/_states", frozenset({"owner", "subuser"}), {"owner": "STAGING_OWNER"})
    text = repeated(calls, vault, fixed)
    seen.requests.clear()
    seen.answer = b'{"hash": "abcdefabcdefabcdefabcdefabcdefab"}'
    sh(text, STAGING_OWNER=OWNER, DELIVERY_SUBUSER_HASH="1f" * 16)
    assert [each[:2] for each in seen.requests] == [
        ("POST", "/v2/_states"),
        ("GET", f"/v2{PATH}read?hash={OWNER}"),
        ("GET", f"/v2{PATH}read?hash={'1f' * 16}"),
        ("GET", f"/v2{PATH}read?hash=abcdefabcdefabcdefabcdefabcdefab"),
    ]
    assert json.loads(seen.requests[0][3]) == {"state": "other_owner", "action": "setup", "params": {}}
    seen.answer = b"{}"


def test_a_script_keeps_only_the_keys_that_it_uses(recorder: tuple[str, Seen], vault: Vault) -> None:
    base_url, _ = recorder
    answer = f'{{"success": true, "value": "{KEY}"}}'.encode()
    calls = [exchange(base_url, call("read", STYLES[0], OWNER), answer, at) for at in (1, 2, 3)]
    assert "KEY" not in body(calls, vault)


def test_a_script_says_what_to_set(recorder: tuple[str, Seen], vault: Vault) -> None:
    base_url, _ = recorder
    foreign = "a7" * 16
    vault.add(foreign, "key 1 of nobody")
    text = repeated([exchange(base_url, call("read", STYLES[0], each), b"{}", 1) for each in (OWNER, foreign)], vault)
    for variables, said in (
        ({}, "DELIVERY_OWNER_HASH: set it to the hash of owner"),
        ({"DELIVERY_OWNER_HASH": OWNER}, "KEY_1_OF_NOBODY: set it to a key that create gave to somebody else"),
    ):
        done = subprocess.run(
            ["sh", "-c", text], env={**os.environ, **variables}, capture_output=True, text=True, check=False
        )
        assert done.returncode != 0
        assert said in done.stderr


def ended(text: str, **variables: str) -> tuple[int, str]:
    """How the script ends, and what it says of it."""
    done = subprocess.run(
        ["sh", "-c", text], env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stderr.splitlines()[-1]


def test_a_script_that_gets_no_account_ends(recorder: tuple[str, Seen], vault: Vault) -> None:
    base_url, seen = recorder
    text = repeated(
        [exchange(base_url, call("read", STYLES[0], OWNER), b"{}", 1)], vault, Accounts(f"{base_url}/_states")
    )
    seen.requests.clear()
    assert ended(text) == (4, "the provider-states hook gave no account owner: is it running?")
    assert len(seen.requests) == 1


def test_a_script_that_gets_no_answer_ends(vault: Vault) -> None:
    gone = "http://127.0.0.1:9/v2"
    calls = [exchange(gone, call("read", each, OWNER), b"{}", at) for at, each in enumerate(STYLES[:2])]
    said = f"no answer from {gone}: start the target, and run this again"
    assert ended(repeated(calls, vault), DELIVERY_OWNER_HASH=OWNER) == (6, said)


def test_what_is_not_repeatable_says_why(vault: Vault) -> None:
    assert body([], vault, repeatable=False) == "not repeatable: it takes calls at the same time"
    record = ViolationRecord(BROKEN, "m", "e", "a", None, body([], vault))
    assert complete(record, Accounts()) == "not repeatable: no single call shows it"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be", "latin-1"])
def test_an_answer_in_any_encoding_names_its_secrets(vault: Vault, encoding: str) -> None:
    body = f'{{"success": true, "value": "{KEY}"}}'.encode(encoding)
    found = exchange("http://127.0.0.1/v2", call("read", STYLES[0], OWNER), body, 1)
    assert "«key 3 of owner»" in response_text(found, vault)
    assert "?hash=«owner»" in request_text(found.request, vault)


def test_long_text_is_cut_and_says_so(vault: Vault) -> None:
    body = (OWNER * 4000).encode()
    shown = response_text(exchange("http://127.0.0.1/v2", call("read", STYLES[0], None), body, 1), vault)
    assert len(shown) < 2_200
    assert "(128000 bytes)" in shown
    assert vault.find(shown) == []
    url = request_text(Request("GET", "http://127.0.0.1/v2/?hash=" + "a" * 5000), vault)
    assert len(url) < 700


@pytest.mark.parametrize("unit", ["a", "%", "ab", "\\n", "12345678"])
@pytest.mark.parametrize(("times", "written"), [(39, False), (40, True), (41, True), (540, True), (1_500, True)])
@pytest.mark.parametrize(("before", "after"), [("", ""), ("x", ""), ("x", "y"), ("", "=\n")])
def test_what_repeats_is_written_as_what_repeats(unit: str, times: int, written: bool, before: str, after: str) -> None:
    text = f"{before}{unit * times}{after}"
    found = word(text, Vault())
    assert (f"$(seq {times})" in found) is written
    assert _read_by_a_shell(found) == text


@pytest.mark.parametrize("unit", ["\x01", "\t", "é"])
def test_what_has_to_be_escaped_is_no_repetition(unit: str) -> None:
    found = word(unit * 50, Vault())
    assert "seq" not in found
    assert _read_by_a_shell(found) == unit * 50


def test_two_repetitions_with_something_between_them() -> None:
    text = f"x{'a' * 50}-{'bc' * 60}y\n{'é' * 100}{'d' * 45}"
    found = word(text, Vault())
    assert [number for number in (45, 50, 60, 100) if f"$(seq {number})" in found] == [45, 50, 60]
    assert _read_by_a_shell(found) == text


def _read_by_a_shell(text: str) -> str:
    return subprocess.run(["sh", "-c", f"printf %s {text}"], capture_output=True, check=True).stdout.decode()
