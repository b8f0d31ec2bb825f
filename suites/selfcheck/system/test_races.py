"""Two users' calls that share one variable for ten milliseconds are found each time, also where the machine has too much to do."""

from __future__ import annotations

import contextlib
import itertools
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace
from typing import cast

import pytest

from fixtures.accounts import Account
from fixtures.calls import GET_HEADER, GET_QUERY, POST_FORM, POST_JSON
from fixtures.http.guard import Guard, Rotation
from fixtures.http.options import HttpOptions
from fixtures.http.session import Session
from fixtures.secrets import Vault
from suites.runner.run import Run
from suites.scenarios.concurrency import Round, Worker, run_concurrently

pytestmark = pytest.mark.slow

_ROUNDS = 20
_BUSY = 4


@contextmanager
def _started(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@contextmanager
def _emulator(fault: str) -> Iterator[tuple[str, str]]:
    """An emulator with *fault* in a process of its own: its base URL, and the address of its hook."""
    with _started("-m", "fixtures.emulator", "--port", "0", "--fault", fault) as process:
        assert process.stdout is not None
        found: dict[str, None] = {}
        while len(found) < 2:
            line = process.stdout.readline()
            assert line, "it has ended"
            found.update(dict.fromkeys(part.strip('"') for part in line.split() if "http://" in part))
        base_url, states_url = found
        yield base_url, states_url


def _account(name: str, states_url: str, vault: Vault, guard: Guard) -> Account:
    request = urllib.request.Request(states_url, json.dumps({"state": name, "action": "setup", "params": {}}).encode())  # noqa: S310 -- its own address
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
        value = json.load(response)["hash"]
    guard.admit_fresh(value)
    return Account(name, vault.add(value, name), fresh=True)


def _mixed(done: Round) -> bool:
    """Whether somebody read another key than one that was made for them, or none."""
    calls = [(each.exchange.intent, each.key) for each in done.answers]
    made = {key: intent.account for intent, key in calls if intent.operation == "create"}
    return any(made.get(key) != intent.account for intent, key in calls)


@pytest.mark.parametrize("fault", ["current-user-is-global", "reading-user-is-global"])
def test_found_each_time(fault: str) -> None:
    groups = itertools.count(1)
    with _emulator(fault) as (base_url, states_url):
        vault = Vault()
        guard = Guard(Rotation(True, "a test"), vault)
        owner, other = (_account(name, states_url, vault, guard) for name in ("owner", "other_owner"))
        session = Session(base_url, HttpOptions(), vault, guard, loopback=True)
        run = cast(
            "Run",
            SimpleNamespace(
                session=session, call=partial(Run.call, cast("Run", None)), next_group=lambda: next(groups)
            ),
        )
        workers = [
            Worker(account, create, read)
            for create, read in ((POST_JSON, GET_QUERY), (GET_HEADER, POST_FORM))
            for account in (owner, other)
        ]
        with contextlib.ExitStack() as busy:
            for _ in range(_BUSY):
                busy.enter_context(_started("-c", "while True: pass"))
            found = [_mixed(run_concurrently(run, workers, reads_at_once=True)) for _ in range(_ROUNDS)]
    assert found == [True] * _ROUNDS
