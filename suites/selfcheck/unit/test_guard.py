"""The guard: what must not be sent is not sent, whichever test tries; what it was to show is then not verified."""

from __future__ import annotations

import base64
import json
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from fixtures.accounts import Accounts
from fixtures.calls import FORM, GET_HEADER, GET_QUERY, JSON, PATH, POST_FORM, POST_JSON, STYLES, Call, Style, call
from fixtures.emulator.threaded import ThreadedServer
from fixtures.errors import NotAvailable, SetupError
from fixtures.http.guard import LIVE_HOSTS, REFUSED_BY_CONTRACT, Guard, Rotation, is_loopback, rotation
from fixtures.secrets import Secret, Vault
from fixtures.target.file import ACCOUNTS
from suites.selfcheck.system.hostile_servers import Client, Server
from suites.selfcheck.system.proxies import HOST, Proxy
from suites.selfcheck.system.runs import ROOT
from suites.selfcheck.system.watched import CREDENTIALS, Watched, target_file, watch
from suites.selfcheck.unit.sessions import session_on

_ALLOWED = Rotation(True, "a test")
_NOT_ALLOWED = Rotation(False, "a test")
_FORBIDDEN = Rotation(False, "a test", forbidden_everywhere=True)

# ---------------------------------------------------------------------- who is on loopback, and what is allowed


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1.2.3", "localhost", "LOCALHOST", "api.localhost", "[::1]", "127.0.0.1:8080", "[::1]:8080"],
)
def test_loopback(host: str) -> None:
    assert is_loopback(f"http://{host}/v2")


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1.example.com",
        "127.example.com",
        "localhost.example.com",
        "notlocalhost",
        "0.0.0.0",  # noqa: S104
        "[::]",
        "[::ffff:127.0.0.1]",
        "10.0.0.1",
        "192.168.1.1",
        "169.254.1.1",
        "api.navixy.com",
        "127.1",
        "2130706433",
        "localhost.",
    ],
)
def test_not_loopback(host: str) -> None:
    """In doubt a host is somebody else's."""
    assert not is_loopback(f"http://{host}/v2")


@pytest.mark.parametrize("flag", [False, True])
@pytest.mark.parametrize("in_file", [None, False, True])
@pytest.mark.parametrize("address", ["http://127.0.0.1:8080/v2", "https://staging.example.com/v2"])
def test_what_allows_rotation(address: str, in_file: bool | None, flag: bool) -> None:
    rule = rotation(address, flag=flag, in_file=in_file)
    if in_file is False:
        assert not rule.allowed
        assert rule.forbidden_everywhere
        assert "allow_key_rotation = false" in rule.reason
    else:
        assert rule.allowed == (flag or bool(in_file) or "127" in address)
        assert not rule.forbidden_everywhere


@pytest.mark.parametrize(
    "host", [*sorted(LIVE_HOSTS), "API.EU.navixy.com", "api.us.navixy.com.", "api.me.navixy.com:443"]
)
@pytest.mark.parametrize(("flag", "in_file"), [(False, None), (True, None), (False, True), (True, True), (True, False)])
def test_a_live_host_takes_both(host: str, flag: bool, in_file: bool | None) -> None:
    rule = rotation(f"https://{host}/v2", flag=flag, in_file=in_file)
    assert rule.allowed == (flag and in_file is True)
    if not rule.allowed and in_file is not False:
        assert "both" in rule.reason


def test_the_live_hosts_are_those_of_the_documents() -> None:
    assert {"api.navixy.com", "api.eu.navixy.com", "api.us.navixy.com", "api.me.navixy.com"} == LIVE_HOSTS


def test_an_address_without_a_host_is_nobodys() -> None:
    assert not is_loopback("http:///v2")
    assert not rotation("http:///v2", flag=False, in_file=None).allowed


def test_the_accounts_that_create_refuses() -> None:
    assert {"subuser", "tariff_restricted", "demo_with_session"} == REFUSED_BY_CONTRACT


# ---------------------------------------------------------------------- what is not sent


def _scattered(number: int) -> str:
    """Digits that have nothing in common with those of another number."""
    return "".join(f"{(number * 7919 + place * 104729 + place * place * number) % 16:x}" for place in range(32))


class Scene:
    """A guard with an account of each kind, as a run has them, and a key that the owner was given."""

    def __init__(self, rule: Rotation, limit: int | None = None, value: Callable[[int], str] = _scattered) -> None:
        self._value = value
        self.vault = Vault()
        self.guard = Guard(rule, self.vault, limit)
        self.named = {name: self._secret(name, index) for index, name in enumerate(ACCOUNTS)}
        for name, secret in self.named.items():
            self.guard.admit_named(secret.reveal(), name)
        self.fresh = self._secret("owner 2", 90)
        self.guard.admit_fresh(self.fresh.reveal())
        self.key = self._secret("key 1 of owner", 91)
        self.guard.key_of(self.key.reveal(), self.named["owner"].reveal())
        self.fresh_key = self._secret("key 1 of owner 2", 92)
        self.guard.key_of(self.fresh_key.reveal(), self.fresh.reveal())
        self.stray = self._secret("key 1 of nobody", 93)
        self.guard.key_of(self.stray.reveal(), None)

    def _secret(self, label: str, number: int) -> Secret:
        return self.vault.add(self._value(number), label)

    def refuses(self, request: Call) -> bool:
        """Whether the guard keeps *request* from being sent."""
        try:
            self.guard.check(request)
        except NotAvailable:
            return True
        return False


def test_the_scene_has_different_secrets() -> None:
    scene = Scene(_ALLOWED)
    assert len(set(scene.vault.values())) == len(ACCOUNTS) + 4


@pytest.mark.parametrize("style", STYLES, ids=str)
@pytest.mark.parametrize("name", ACCOUNTS)
def test_who_may_be_sent_to_create(name: str, style: Any) -> None:
    good = {rule: Scene(rule) for rule in (_ALLOWED, _NOT_ALLOWED, _FORBIDDEN)}
    for rule, scene in good.items():
        request = call("create", style, scene.named[name], account=name, valid=True)
        if name == "ended" and rule is not _ALLOWED:
            with pytest.raises(NotAvailable, match="only once read has refused it"):
                scene.guard.check(request)
            continue
        expected = name == "owner_without_session" or (rule is not _ALLOWED and name not in REFUSED_BY_CONTRACT)
        assert scene.refuses(request) == expected, rule
        assert not scene.refuses(call("read", style, scene.named[name], account=name, valid=True))


def test_accounts_that_the_hook_made_may_unless_it_is_forbidden() -> None:
    for rule, refused in ((_ALLOWED, False), (_NOT_ALLOWED, False), (_FORBIDDEN, True)):
        scene = Scene(rule)
        assert scene.refuses(call("create", POST_JSON, scene.fresh, valid=True)) == refused
        assert scene.refuses(call("create", POST_JSON, scene.fresh_key)) == refused


class _Hook:
    """A hook that gives the same hash for every state."""

    def __init__(self, value: str) -> None:
        self.value = value

    def setup(self, state: str) -> str:
        """Give it."""
        del state
        return self.value


@pytest.mark.parametrize("alter", [str, str.upper, lambda value: value + "0"], ids=["itself", "upper", "longer"])
@pytest.mark.parametrize("state", ["ended", "subuser"])
def test_a_hook_cannot_open_the_guard_for_a_fixed_account(state: str, alter: Callable[[str], str]) -> None:
    # Set up: the target file names the owner, and the hook gives the owner's hash for another state.
    vault = Vault()
    guard = Guard(_NOT_ALLOWED, vault)
    value = "9c1de5b0a7f24368be31d0c94f7a6e52"
    hook: Any = _Hook(alter(value))
    accounts = Accounts({"owner": value}, {}, hook, vault, guard)
    # Stimulus and verdict: it is an error of the set-up, and the guard goes by the name in the file even so.
    with pytest.raises(SetupError, match="of owner"):
        accounts.shared(state)
    guard.admit_fresh(value)
    with pytest.raises(NotAvailable, match="owner must not be sent"):
        guard.check(call("create", POST_JSON, accounts.shared("owner").credential, valid=True))


def test_a_hook_may_give_the_same_ended_hash_again() -> None:
    vault = Vault()
    hook: Any = _Hook("07d4f9b2e6a1c853f97b20d4c6e8a31b")
    accounts = Accounts({}, {}, hook, vault, Guard(_ALLOWED, vault))
    assert accounts.own("ended").credential == accounts.own("ended").credential


def test_keys_are_kept_back_like_what_they_belong_to() -> None:
    scene = Scene(_NOT_ALLOWED)
    assert scene.refuses(call("create", GET_QUERY, scene.key))
    assert scene.refuses(call("create", GET_QUERY, scene.stray)), "whose key it is nobody knows"
    subuser_key = scene.vault.add("5" * 31 + "a", "key 1 of subuser")
    scene.guard.key_of(subuser_key.reveal(), scene.named["subuser"].reveal())
    assert scene.refuses(call("create", GET_QUERY, subuser_key)), "the contract refuses the sub-user, not its key"
    assert not Scene(_ALLOWED).refuses(call("create", GET_QUERY, Scene(_ALLOWED).key))


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"])
def test_by_no_method(method: str) -> None:
    scene = Scene(_NOT_ALLOWED)
    request = call("create", GET_QUERY, scene.named["owner"]).but(method=method, operation=None, breaks_contract=True)
    assert scene.refuses(request)


@pytest.mark.parametrize("path", [PATH + "read", PATH + "read/", PATH + "re%61d"])
@pytest.mark.parametrize("style", [GET_QUERY, POST_JSON, POST_FORM, GET_HEADER], ids=str)
def test_read_by_get_and_post(style: Style, path: str) -> None:
    for rule in (_ALLOWED, _NOT_ALLOWED, _FORBIDDEN):
        scene = Scene(rule)
        for secret in (*scene.named.values(), scene.key):
            assert not scene.refuses(call("read", style, secret).but(path=path))


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "get"])
@pytest.mark.parametrize("where", ["read", "read/"])
def test_read_by_no_other_method(method: str, where: str) -> None:
    """A target that acts by method lost its key so."""
    for style in (GET_QUERY, POST_JSON, GET_HEADER):
        scene = Scene(_NOT_ALLOWED)
        changed = {"method": method, "path": PATH + where, "operation": None, "breaks_contract": True}
        for name, secret in scene.named.items():
            refused = name not in REFUSED_BY_CONTRACT
            assert scene.refuses(call("read", style, secret).but(**changed)) == refused, name
        assert scene.refuses(call("read", style, scene.key).but(**changed))
        assert scene.refuses(call("read", style, scene.named["owner"].reveal()[:-1]).but(**changed)), "a near miss"
        assert not scene.refuses(call("read", style, scene.fresh).but(**changed))
        assert not scene.refuses(call("read", style, None).but(**changed))
        assert not scene.refuses(call("read", style, "0123456789abcdef0123456789abcdef").but(**changed))
        with_rotation = Scene(_ALLOWED)
        assert not with_rotation.refuses(call("read", style, with_rotation.named["owner"]).but(**changed))


@pytest.mark.parametrize(
    "change",
    [
        {"headers": (("X-HTTP-Method-Override", "DELETE"),)},
        {"headers": (("X-Method-Override", "PUT"),)},
        {"headers": (("X-HTTP-Method", "PUT"),)},
        {"headers": (("X-Override", "PUT"),)},
        {"query": "_method=PUT&hash=HASH"},
        {"query": "%5Fmethod=PUT&hash=HASH"},
        {"headers": (("X-HTTP-Method-Override", "PUT"), ("X-Original-URL", PATH + "create"))},
        {"headers": (("X-Rewrite-URL", "/v2" + PATH + "cre%61te"),)},
        {"query": "action=create&hash=HASH"},
    ],
)
def test_a_read_that_asks_for_another_method_or_for_a_create(change: dict[str, Any]) -> None:
    scene = Scene(_NOT_ALLOWED)
    owner = scene.named["owner"]
    change = {**change, "query": change.get("query", "hash=HASH").replace("HASH", owner.reveal())}
    assert scene.refuses(call("read", GET_QUERY, owner).but(breaks_contract=True, **change))


# ---------------------------------------------------------------------- credentials that begin alike


def _alike(rule: Rotation) -> Scene:
    """A scene whose credentials are numbers, as a vendor types them first."""
    return Scene(rule, value=lambda number: f"{number + 1:032d}")


def test_what_two_credentials_have_in_common_may_be_of_either() -> None:
    """It stands in the middle of both: the one may create, and the other never."""
    vault, common = Vault(), "5f0c3a9e7b1d48"
    guard = Guard(_ALLOWED, vault)
    one, other = (f"{head}{common}{tail}" for head, tail in (("0123abcd9", "e" * 9), ("98fe76dcb", "d" * 9)))
    vault.add(one, "owner")
    guard.admit_fresh(one)
    guard.check(call("create", GET_QUERY, common))
    vault.add(other, "owner_without_session")
    guard.admit_named(other, "owner_without_session")
    with pytest.raises(NotAvailable, match="owner_without_session"):
        guard.check(call("create", GET_QUERY, common))


def test_a_part_of_what_may_be_anybodys_key_is_kept_back() -> None:
    """An answer has shown it, and nobody knows whose it is."""
    vault, hidden = Vault(), "7d21c5b0e94f38a6c1d0f5e29b7a4c83"
    guard = Guard(_NOT_ALLOWED, vault)
    guard.check(call("create", GET_QUERY, hidden[3:23]))
    vault.hide(hidden, "key 1 of somebody")
    for shown in (hidden, hidden[3:23]):
        with pytest.raises(NotAvailable):
            guard.check(call("create", GET_QUERY, shown))


def test_a_rule_that_forbids_it_everywhere_allows_nothing() -> None:
    vault = Vault()
    guard = Guard(Rotation(True, "a test", forbidden_everywhere=True), vault)
    secret = vault.add("7d21c5b0e94f38a6c1d0f5e29b7a4c83", "owner")
    guard.admit_fresh(secret.reveal())
    with pytest.raises(NotAvailable):
        guard.check(call("create", GET_QUERY, secret))


@pytest.mark.parametrize("style", STYLES, ids=str)
@pytest.mark.parametrize("name", ACCOUNTS)
def test_accounts_whose_credentials_begin_alike_are_two(name: str, style: Any) -> None:
    for rule in (_ALLOWED, _NOT_ALLOWED):
        scene = _alike(rule)
        request = call("create", style, scene.named[name], account=name, valid=True)
        expected = name == "owner_without_session" or (rule is _NOT_ALLOWED and name not in REFUSED_BY_CONTRACT)
        assert scene.refuses(request) == expected
        assert not scene.refuses(call("create", style, scene.fresh, account="owner 2", valid=True))
        assert scene.refuses(call("create", style, scene.key)) == (rule is _NOT_ALLOWED)


def test_a_near_miss_of_one_that_is_a_near_miss_of_all_is_kept_back() -> None:
    scene = _alike(_NOT_ALLOWED)
    value = scene.named["subuser"].reveal()
    for near in (value[:-1], value + "0", value[:12], value[:-1] + "x"):
        assert scene.refuses(call("create", GET_QUERY, near))
    # Where owner_without_session is one of them its state must not be used up either.
    assert _alike(_ALLOWED).refuses(call("create", GET_QUERY, value[:-1]))


def test_a_hook_may_give_hashes_that_begin_alike() -> None:
    vault = Vault()
    hook: Any = _Hook("")
    accounts = Accounts({"owner": f"{1:032d}"}, {}, hook, vault, Guard(_NOT_ALLOWED, vault))
    for number, name in enumerate(ACCOUNTS[1:], 2):
        hook.value = f"{number:032d}"
        assert accounts.shared(name).credential.label == name


def test_a_credential_that_holds_the_word_create() -> None:
    vault = Vault()
    guard = Guard(_NOT_ALLOWED, vault)
    owner = vault.add("create-me-1234", "owner")
    guard.admit_named("create-me-1234", "owner")
    guard.check(call("read", GET_QUERY, owner))
    with pytest.raises(NotAvailable):
        guard.check(call("create", GET_QUERY, owner))


@pytest.mark.parametrize(
    "path",
    [
        PATH + "create",
        PATH + "create/",
        PATH + "CREATE",
        PATH + "cre%61te",
        PATH + "%63%72%65%61%74%65",
        PATH + "cre%2561te",
        PATH + "create;a=b",
        PATH + "read/../create",
        PATH + "create/../read",
        PATH + "create%2f..%2fread",
        PATH + "read/../%63reate/.",
        "/x/" + PATH + "create",
        PATH + "delete",
        PATH,
        "/",
        PATH + "reading",
    ],
)
def test_to_no_path_that_is_not_read(path: str) -> None:
    scene = Scene(_NOT_ALLOWED)
    request = call("create", GET_QUERY, scene.named["owner"]).but(path=path, operation=None, breaks_contract=True)
    assert scene.refuses(request)


def _near_misses() -> dict[str, Callable[[str], str]]:
    return {
        "itself": lambda value: value,
        "upper case": str.upper,
        "a digit more": lambda value: value + "0",
        "a digit fewer": lambda value: value[:-1],
        "without its first digit": lambda value: value[1:],
        "one digit changed": lambda value: value[:16] + ("0" if value[16] != "0" else "1") + value[17:],
        "the first half": lambda value: value[:16],
        "the second half": lambda value: value[16:],
        "eight digits": lambda value: value[:8],
        "twice": lambda value: value + value,
        "in a list": lambda value: f"[{value}]",
        "with a dash inside": lambda value: f"{value[:8]}-{value[8:]}",
        "with a wild card": lambda value: value[:12] + "%",
        "in the middle of a text": lambda value: f"x' OR hash = '{value}' --",
        "percent-encoded": lambda value: "".join(f"%{ord(char):02x}" for char in value),
        "percent-encoded in part": lambda value: f"%{ord(value[0]):02X}{value[1:]}",
        "percent-encoded twice": lambda value: "".join(f"%25{ord(char):02x}" for char in value),
        "as JSON escapes": lambda value: "".join(f"\\u{ord(char):04x}" for char in value),
    }


_WHERE: dict[str, Callable[[str], dict[str, Any]]] = {
    "query": lambda text: {"query": f"hash={quote(text, safe='%')}"},
    "another parameter": lambda text: {"query": f"hash=x&other={quote(text, safe='%')}"},
    "a name of a parameter": lambda text: {"query": f"{quote(text, safe='%')}=1"},
    "path": lambda text: {"path": f"{PATH}create/{quote(text, safe='%')}"},
    "authorization": lambda text: {"headers": (("Authorization", f"NVX {text}"),)},
    "another header": lambda text: {"headers": (("X-Anything", text),)},
    "cookie": lambda text: {"headers": (("Cookie", f"hash={text}; a=b"),)},
    "json": lambda text: {
        "method": "POST",
        "headers": (("Content-Type", JSON),),
        "body": json.dumps({"a": [{"hash": text}]}).encode(),
    },
    "form": lambda text: {"method": "POST", "headers": (("Content-Type", FORM),), "body": f"hash={text}".encode()},
    "no content type": lambda text: {"method": "POST", "body": text.encode()},
    "UTF-16": lambda text: {"method": "POST", "body": text.encode("utf-16")},
    "broken UTF-8": lambda text: {"method": "POST", "body": b"\xff\xfe" + text.encode() + b"\x80"},
}


@pytest.mark.parametrize("miss", _near_misses())
@pytest.mark.parametrize("where", _WHERE)
def test_nothing_that_is_made_from_it(where: str, miss: str) -> None:
    """Found in the request itself: a test that forgets to say what it sends is kept back too."""
    scene = Scene(_NOT_ALLOWED)
    text = _near_misses()[miss](scene.named["owner"].reveal())
    bare = Call(operation=None, method="GET", path=PATH + "create", breaks_contract=True)
    assert scene.refuses(bare.but(**_WHERE[where](text)))


def test_what_is_said_to_be_made_from_it() -> None:
    """What cannot be recognised is kept back on the word of the test."""
    scene = Scene(_NOT_ALLOWED)
    owner = scene.named["owner"]
    disguised = base64.b64encode(owner.reveal().encode()).decode()
    request = Call(None, "GET", PATH + "create", query=f"hash={quote(disguised)}", breaks_contract=True)
    assert scene.refuses(request.but(credential=owner))


def test_what_has_nothing_of_a_credential() -> None:
    scene = Scene(_FORBIDDEN)
    for style in STYLES:
        assert not scene.refuses(call("create", style, "0123456789abcdef0123456789abcdef"))
        assert not scene.refuses(call("create", style, None))
    assert not scene.refuses(Call(None, "POST", PATH + "create", body=b"[" * 200_000, breaks_contract=True))


def test_the_fixed_account_without_a_session_never_creates() -> None:
    for rule in (_ALLOWED, _NOT_ALLOWED, _FORBIDDEN):
        scene = Scene(rule)
        value = scene.named["owner_without_session"].reveal()
        for text in (value, value[:-1], value.upper()):
            with pytest.raises(NotAvailable, match="its state would be used up"):
                scene.guard.check(Call(None, "HEAD", PATH + "create", query=f"hash={text}", breaks_contract=True))


def test_an_ended_session_must_be_shown_to_have_ended() -> None:
    scene = Scene(_NOT_ALLOWED)
    ended = scene.named["ended"]
    read, create = call("read", GET_QUERY, ended), call("create", POST_JSON, ended)
    with pytest.raises(NotAvailable, match="read was not asked yet"):
        scene.guard.check(create)
    scene.guard.learn(read, "nothing", None)
    scene.guard.learn(read, "error", 15)
    with pytest.raises(NotAvailable, match="read was not asked yet"):
        scene.guard.check(create)
    scene.guard.learn(read, "error", 4)
    scene.guard.check(create)
    scene.guard.learn(read, "success", None)
    with pytest.raises(NotAvailable, match="read accepts it"):
        scene.guard.check(create)


def test_a_key_of_an_ended_session_is_no_ended_session() -> None:
    scene = Scene(_NOT_ALLOWED)
    key = scene.vault.add("6" * 31 + "a", "key 1 of ended")
    scene.guard.key_of(key.reveal(), scene.named["ended"].reveal())
    scene.guard.learn(call("read", GET_QUERY, scene.named["ended"]), "error", 4)
    with pytest.raises(NotAvailable, match="a key of ended must not be sent"):
        scene.guard.check(call("create", GET_QUERY, key))


def test_what_is_said_of_a_near_miss_says_nothing_of_an_ended_session() -> None:
    scene = Scene(_NOT_ALLOWED)
    ended = scene.named["ended"]
    near = replace(call("read", GET_QUERY, ended), shown=ended.reveal()[:-1])
    owner = call("read", GET_QUERY, scene.named["owner"])
    for other in (near, owner):
        scene.guard.learn(other, "error", 4)
    with pytest.raises(NotAvailable, match="read was not asked yet"):
        scene.guard.check(call("create", POST_JSON, ended))
    scene.guard.learn(call("read", GET_QUERY, ended), "error", 4)
    for other in (near, owner):
        scene.guard.learn(other, "success", None)
    scene.guard.check(call("create", POST_JSON, ended))


def test_a_path_that_is_encoded_over_and_over_is_not_read() -> None:
    """It is decoded as often as servers may do it, and no more."""
    scene = Scene(_NOT_ALLOWED)
    path = PATH + "re%61d"
    for times in range(5):
        request = call("read", GET_QUERY, scene.named["owner"]).but(path=path, breaks_contract=True)
        assert scene.refuses(request) == (times > 2), times
        path = path.replace("%", "%25")


@pytest.mark.parametrize("code", [11, 13, 201, 236, 276])
def test_a_refusal_by_state_is_of_a_session_that_has_not_ended(code: int) -> None:
    scene = Scene(_NOT_ALLOWED)
    ended = scene.named["ended"]
    scene.guard.learn(call("read", GET_QUERY, ended), "error", 3)
    scene.guard.learn(call("read", GET_QUERY, ended), "error", code)
    with pytest.raises(NotAvailable, match="read accepts it"):
        scene.guard.check(call("create", POST_JSON, ended))


def test_the_plan_bounds_the_creates() -> None:
    """Counted where it goes over the wire, as ``test_session`` shows of repeats."""
    scene = Scene(_ALLOWED, limit=3)
    request = call("create", GET_QUERY, scene.named["owner"], valid=True)
    for _ in range(3):
        scene.guard.count(request)
    with pytest.raises(NotAvailable, match="the plan of the run allows 3 creates"):
        scene.guard.count(request)
    scene.guard.count(call("read", GET_QUERY, scene.named["owner"], valid=True))
    scene.guard.count(call("create", GET_QUERY, "0123456789abcdef0123456789abcdef"))


def test_nothing_is_sent_of_what_is_refused() -> None:
    def serve(client: Client, request: bytes) -> None:
        client.answer(b"{}")

    with Server(serve) as server:
        session = session_on(server.base_url, rule=_NOT_ALLOWED)
        owner = session.vault.add(CREDENTIALS["owner"], "owner")
        session.guard.admit_named(CREDENTIALS["owner"], "owner")
        for style in (GET_QUERY, POST_JSON, POST_FORM, GET_HEADER):
            with pytest.raises(NotAvailable, match="key rotation is not allowed, so owner must not be sent"):
                session.exchange(call("create", style, owner, account="owner", valid=True))
        assert server.connections == 0
        session.close()


# ---------------------------------------------------------------------- through the real command


def _proxied(tmp_path: Path, *arguments: object, top: str = "") -> tuple[Watched, Any, Proxy]:
    """A run with fixed accounts on an emulator that is not on loopback, for whoever goes by its name."""
    with ThreadedServer() as good, Proxy(good.base_url) as proxy:
        store = good.emulator.store
        before = {state: account.key for state, account in store.fixed.items()}
        credentials = {str(state): account.hash for state, account in store.fixed.items()}
        target = target_file(
            tmp_path / "target.toml",
            f"http://{HOST}/v2",
            timeout=60,
            credentials=credentials,
            http="requests_per_second = 0",
            top=top,
        )
        watched = watch("--target", target, *arguments, folder=tmp_path / "report", env=proxy.environment)
        assert not watched.told([*store.accounts, *store.issued])
        after = {state: account.key for state, account in store.fixed.items()}
        changed = {str(state) for state, key in after.items() if before[state] != key}
        return watched, changed, proxy


@pytest.mark.slow
def test_a_run_that_may_not_rotate_replaces_no_key(tmp_path: Path) -> None:
    watched, changed, proxy = _proxied(tmp_path)
    assert watched.code == 0, watched.output[-2000:]
    assert changed == set()
    assert watched.document["run"]["rotation"] is False
    assert watched.document["keys_created"] == 0
    assert watched.result("T1-create-gives-new-key")[0] == "not_verified"
    assert watched.result("T6-subuser-create-refused")[0] == "passed"
    assert watched.result("T7-tariff-create-refused")[0] == "passed"
    assert watched.result("T5-demo-create-refused")[0] == "passed"
    errors = [each["id"] for each in watched.document["requirements"] if each["result"] == "error"]
    assert not errors, "a test tried what it must not"
    assert len(proxy.asked) > 100
    assert "key rotation: " not in watched.output


@pytest.mark.slow
def test_a_run_that_may_rotate_keeps_off_the_account_without_a_session(tmp_path: Path) -> None:
    watched, changed, _ = _proxied(tmp_path, "--allow-key-rotation")
    assert watched.code == 0, watched.output[-2000:]
    assert "owner" in changed
    assert not changed & {"owner_without_session", "subuser", "tariff_restricted", "demo_with_session", "ended"}
    assert watched.result("T4-read-without-session")[0] == "passed"
    # Said before the first is replaced, and counted afterwards.
    before, _, after = watched.output.partition("conformance ====")
    assert re.search(r"^key rotation: this run will replace (at most \d+ keys|keys) of owner: ", before, re.MULTILINE)
    replaced = watched.document["keys_created"]
    said = re.search(
        r"^key rotation: this run has replaced (\d+) keys of owner, (\d+) keys of other_owner$",
        watched.output,
        re.MULTILINE,
    )
    assert said, after
    assert int(said[1]) + int(said[2]) + 1 == replaced


@pytest.mark.slow
def test_a_file_that_forbids_it_wins_over_the_option(tmp_path: Path) -> None:
    _, changed, _ = _proxied(
        tmp_path, "--allow-key-rotation", "-k", "success or state", top="allow_key_rotation = false"
    )
    assert changed == set()


@pytest.mark.slow
def test_a_test_that_tries_is_not_verified(tmp_path: Path) -> None:
    """It says nothing of the target, whatever that would have answered."""
    shutil.copyfile(ROOT / "suites" / "conformance" / "conftest.py", tmp_path / "conftest.py")
    (tmp_path / "test_trying.py").write_text(
        "import pytest\n"
        "from fixtures.calls import GET_QUERY, call\n"
        "from suites.runner.check import Check\n"
        "@pytest.mark.requirement('S1-success-is-200')\n"
        "def test_trying(check: Check) -> None:\n"
        "    owner = check.account('owner')\n"
        "    check.send(call('create', GET_QUERY, owner.credential).but(method='HEAD', operation=None, breaks_contract=True))\n",
        encoding="utf-8",
    )
    seen: list[bytes] = []

    def serve(client: Client, request: bytes) -> None:
        seen.append(request)
        client.answer(b'{"success": false, "status": {"code": 4, "description": "x"}}', "400 Bad Request")

    with Server(serve) as server:
        target = target_file(tmp_path / "target.toml", server.base_url, top="allow_key_rotation = false")
        watched = watch(
            "-c", ROOT / "pytest.ini", "--rootdir", ROOT, "--target", target, tmp_path / "test_trying.py",
            folder=tmp_path / "report", program=[sys.executable, "-m", "pytest"],
        )  # fmt: skip
    result, reason = watched.result("S1-success-is-200")
    assert result == "not_verified", watched.output[-2000:]
    assert "key rotation is not allowed, so owner must not be sent" in reason
    assert watched.code == 5
    assert not [request for request in seen if b"create" in request]
    assert not watched.told(CREDENTIALS.values())
