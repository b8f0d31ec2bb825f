"""The hook that makes accounts: what is sent to it, how long it is waited for, and what its answers mean."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable, Mapping

import pytest

from fixtures.accounts import Accounts
from fixtures.errors import NotAvailable, SetupError
from fixtures.http.guard import Guard
from fixtures.provider_states import StatesHook
from fixtures.secrets import Vault
from fixtures.target.file import ACCOUNTS
from suites.selfcheck.system.hostile_servers import BEHAVIOURS, Behaviour, Client, Server
from suites.selfcheck.unit.sessions import ALLOWED


def _state(request: bytes) -> str:
    return str(json.loads(request.partition(b"\r\n\r\n")[2])["state"])


def _makes(*states: str, refusing: str = "404 Not Found") -> Behaviour:
    """A hook that makes accounts in these states only; in all where none is named."""

    def behaviour(client: Client, request: bytes) -> None:
        if states and _state(request) not in states:
            client.answer(b"", refusing)
        else:
            client.answer(json.dumps({"hash": os.urandom(16).hex()}).encode())

    return behaviour


def _accounts(hook: StatesHook, fixed: Mapping[str, str] | None = None) -> Accounts:
    vault = Vault()
    return Accounts(fixed or {}, {}, hook, vault, Guard(ALLOWED, vault))


# ---------------------------------------------------------------------- what is sent


def test_its_own_headers_are_sent_and_nothing_of_the_environments(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    netrc = tmp_path_factory.mktemp("home") / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password correct-horse\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(netrc))
    with Server(_makes(), prefix="/states") as server:
        StatesHook(server.base_url, None, {"Authorization": "Bearer open-sesame", "X-A": "b"}).setup("owner")
        StatesHook(server.base_url, None).setup("owner")
    with_headers, without = (request.partition(b"\r\n\r\n")[0].decode().split("\r\n") for request in server.requests)
    assert {"Authorization: Bearer open-sesame", "X-A: b", "Content-Type: application/json"} <= set(with_headers)
    assert not [line for line in without if line.lower().startswith(("authorization", "cookie", "x-a"))]


# ---------------------------------------------------------------------- connections and time


def test_a_new_connection_that_is_closed_is_not_reopened() -> None:
    with Server(BEHAVIOURS["closes-without-an-answer"], prefix="/states") as server:
        with pytest.raises(SetupError, match="the connection was closed before the answer"):
            StatesHook(server.base_url, None).setup("owner")
        assert server.connections == 1


def test_it_gets_no_more_than_the_time_that_the_run_has_left() -> None:
    # Nothing else would end it.
    with (
        Server(BEHAVIOURS["hangs-before-the-headers"], prefix="/states") as server,
        pytest.raises(SetupError, match=r"no complete answer within 0\.3 s"),
    ):
        StatesHook(server.base_url, None, time_left=lambda: 0.3).setup("owner")


# ---------------------------------------------------------------------- what its answers mean


def test_a_hook_that_says_that_it_cannot_make_any_is_none() -> None:
    with Server(_makes("none", refusing="501 Not Implemented"), prefix="/states") as server:
        accounts = _accounts(StatesHook(server.base_url, None))
        with pytest.raises(NotAvailable, match=r"cannot make the state owner \(HTTP 501\)"):
            accounts.shared("owner")


def test_a_hook_that_makes_nothing_is_a_wrong_address() -> None:
    with Server(_makes("none", refusing="404 Not Found"), prefix="/states") as server:
        accounts = _accounts(StatesHook(f"{server.base_url}?token=open-sesame", None))
        with pytest.raises(SetupError) as error:
            accounts.shared("owner")
        asked = [_state(request) for request in server.requests]
    assert str(error.value) == (
        f"the provider-states hook {server.base_url} answers HTTP 404 to every state: it is a wrong address; "
        "check provider_states.url of the target file"
    )
    assert sorted(asked) == sorted(ACCOUNTS)


@pytest.mark.parametrize("made", [state for state in ACCOUNTS if state != "owner"])
def test_a_hook_that_makes_one_state_is_none(made: str) -> None:
    """What it made while it was asked is used, not thrown away."""
    with Server(_makes(made), prefix="/states") as server:
        accounts = _accounts(StatesHook(server.base_url, None))
        with pytest.raises(NotAvailable, match=r"cannot make the state owner \(HTTP 404\)"):
            accounts.shared("owner")
        before = len(server.requests)
        assert accounts.own(made).fresh
        assert len(server.requests) == before
        assert accounts.own(made).fresh
        assert len(server.requests) == before + 1


def test_a_hook_for_a_state_that_is_fixed_is_none() -> None:
    """It is asked for that last: it may be good for nothing else, and then the address is right."""
    with Server(_makes("owner"), prefix="/states") as server:
        accounts = _accounts(StatesHook(server.base_url, None), {"owner": "9c1de5b0a7f24368be31d0c94f7a6e52"})
        with pytest.raises(NotAvailable, match="cannot make the state subuser"):
            accounts.shared("subuser")
        assert _state(server.requests[-1]) == "owner"
        assert not accounts.shared("owner").fresh


# ---------------------------------------------------------------------- credentials that begin alike


def _counted(width: int) -> Callable[[Client, bytes], None]:
    numbers = itertools.count(1)
    return lambda client, _: client.answer(json.dumps({"hash": f"{next(numbers):0{width}d}"}).encode())


@pytest.mark.parametrize("width", [8, 32, 40])
def test_accounts_that_begin_alike_are_two(width: int) -> None:
    """Credentials that are counted up are what a vendor types first."""
    with Server(_counted(width), prefix="/states") as server:
        accounts = _accounts(StatesHook(server.base_url, None))
        made = [accounts.own(state) for state in ACCOUNTS]
    assert [account.credential.reveal() for account in made] == [f"{number:0{width}d}" for number in range(1, 9)]


def test_accounts_that_begin_alike_may_be_fixed_and_fresh() -> None:
    fixed = {"owner": f"{7:032d}", "subuser": f"{8:032d}"}
    with Server(_counted(32), prefix="/states") as server:
        accounts = _accounts(StatesHook(server.base_url, None), fixed)
        assert accounts.own("other_owner").credential.reveal() == f"{1:032d}"
    assert accounts.shared("owner").credential.reveal() == fixed["owner"]


@pytest.mark.parametrize(
    "value", ["9c1de5b0a7f24368be31d0c94f7a6e5200", "9C1DE5B0A7F24368BE31D0C94F7A6E52", "e31d0c94f7a6e52"]
)
def test_a_hash_that_holds_another_is_refused(value: str) -> None:
    with Server(lambda client, _: client.answer(json.dumps({"hash": value}).encode()), prefix="/states") as server:
        accounts = _accounts(StatesHook(server.base_url, None), {"owner": "9c1de5b0a7f24368be31d0c94f7a6e52"})
        with pytest.raises(
            SetupError, match="gave a hash for subuser that holds that of owner, or is a part of it"
        ) as error:
            accounts.own("subuser")
    assert value not in str(error.value)
