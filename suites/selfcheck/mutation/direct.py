"""Runs the checks of the suite on a target without pytest around them: the calls, the history and what explains it.

Options, reports and the terminal are for other self-checks; here hundreds of runs are made in one process.
"""

from __future__ import annotations

import contextlib
import gc
import io
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest

from contracts.anomaly import Anomaly
from contracts.attribution.explanation import Explanation
from contracts.judge import Judgement
from contracts.requirements import catalogue
from fixtures.accounts import Accounts
from fixtures.errors import NotAvailable, SetupError, TargetLost
from fixtures.http.guard import Guard, rotation
from fixtures.http.options import HttpOptions
from fixtures.http.session import Session
from fixtures.provider_states import StatesHook
from fixtures.secrets import Vault
from suites.runner.check import Blocked
from suites.runner.first_contact import first_contact
from suites.runner.items import _place, requirements_of
from suites.runner.outcomes import no_refusal
from suites.runner.paths import ROOT, SUITE
from suites.runner.profiles import EXAMPLES
from suites.runner.run import Run
from suites.scenarios import isolate
from suites.scenarios.controls import ControlledCheck, Controls

#: Seconds for an answer.
TIMEOUT = 5.0


@dataclass(frozen=True)
class Item:
    """A test: what it is called, its function, its parameters and the requirements that it verifies."""

    name: str
    function: Callable[..., None]
    parameters: dict[str, Any]
    requirements: tuple[str, ...]
    last: bool = False
    race: bool = False


@dataclass
class Done:
    """What a run came to. ``tests`` has the broken requirements, or another reason, of each test that did not pass."""

    answers: Sequence[Judgement] = field(repr=False, default=())
    #: Of these what counts, what tests have reported besides, and the requirements of the profile: what is explained.
    counted: Sequence[Judgement] = field(repr=False, default=())
    reported: Sequence[Anomaly] = field(repr=False, default=())
    requirements: frozenset[str] = frozenset()
    explanation: Explanation = field(repr=False, default_factory=Explanation)
    failed: dict[str, tuple[str, ...]] = field(default_factory=dict)
    open: dict[str, str] = field(default_factory=dict)
    requests: int = 0
    lost: str | None = None
    error: str | None = None
    vault: Vault = field(repr=False, default_factory=Vault)

    @property
    def broken(self) -> tuple[str, ...]:
        """The broken requirements in the order of the contract."""
        return tuple(name for name in catalogue() if name in self.explanation.broken)


class _Collector:
    def __init__(self) -> None:
        self.items: list[pytest.Item] = []

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the tests in the order of the contract."""
        self.items = sorted(items, key=_place)


@cache
def items() -> tuple[Item, ...]:
    """The tests of the suite in the order in which a run has them."""
    collector = _Collector()
    options = ["-q", "--collect-only", "-p", "no:cacheprovider", "-p", "no:allure_pytest"]
    with contextlib.redirect_stdout(io.StringIO()):
        pytest.main(["-c", str(ROOT / "pytest.ini"), "--rootdir", str(ROOT), *options, str(SUITE)], plugins=[collector])
    return tuple(
        Item(
            each.nodeid.rpartition("/")[2],
            each.function,  # type: ignore[attr-defined]
            _parameters(each),
            requirements_of(each),
            each.get_closest_marker("last") is not None,
            each.get_closest_marker("race") is not None,
        )
        for each in collector.items
    )


def _parameters(item: pytest.Item) -> dict[str, Any]:
    callspec = getattr(item, "callspec", None)
    return dict(callspec.params) if callspec is not None else {}


def run(
    base_url: str,
    states_url: str | None,
    chosen: Sequence[Item] | None = None,
    profile: str = "platform",
    *,
    provoke_rate_limit: bool = False,
    fixed: Mapping[str, str] | None = None,
    timeout: float = TIMEOUT,
) -> Done:
    """Run *chosen* tests, or all, on a target that makes its accounts on request, or has *fixed* ones that keep their keys."""
    vault = Vault()
    guard = Guard(rotation(base_url, flag=True, in_file=False if fixed else None), vault)
    session = Session(
        base_url, HttpOptions(timeout=timeout, provoke_rate_limit=provoke_rate_limit), vault, guard, loopback=True
    )
    hook = StatesHook(states_url, None) if states_url else None
    accounts = Accounts(fixed or {}, {}, hook, vault, guard)
    the_run = Run(session, accounts, vault, profile, guard.rule, EXAMPLES["standard"], loopback=True)
    done = Done()
    try:
        first_contact(the_run, base_url, 0.0)
        controls = Controls(the_run)
        the_run.follow_up = isolate.FollowUp(controls)
        for item in items() if chosen is None else chosen:
            if any(map(the_run.counts, item.requirements)) and in_profile(item, profile):
                session.group = item.name.partition(".py")[0]
                _one(item, ControlledCheck(controls, item.requirements), done)
    except SetupError as error:
        done.error = str(error)
    except TargetLost as error:
        done.lost = str(error)
    done.explanation = the_run.explain()
    done.answers = the_run.history.answers()
    done.counted, done.reported, done.requirements = the_run.answers(), the_run.reported, the_run.requirements
    done.vault = vault
    done.requests = session.tally.requests
    session.close()
    return done


def in_profile(item: Item, profile: str) -> bool:
    """Whether the *profile* has the call style that *item* is about, if it is about one."""
    style = item.parameters.get("style")
    return style is None or profile == "platform" or bool(style.profile == "core")


def _one(item: Item, check: ControlledCheck, done: Done) -> None:
    try:
        item.function(check=check, **item.parameters)
    except (NotAvailable, Blocked) as error:
        done.open[item.name] = f"{type(error).__name__}: {error}"
    except TargetLost as error:
        done.lost = str(error)
        done.open[item.name] = "lost"
    except pytest.skip.Exception:
        return
    explanation = check.explanation()
    if explanation.broken:
        done.failed[item.name] = tuple(sorted(explanation.broken))
    missing = [reason for name in item.requirements if (reason := no_refusal(explanation, name)) is not None]
    if missing:
        done.open.setdefault(item.name, missing[0])


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    """What is imported is kept: it is not looked through again and again."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def in_checkout() -> None:
    """Let nothing of the environment change what is run."""
    for variable in [each for each in os.environ if each.startswith(("PYTEST_", "DELIVERY_"))]:
        del os.environ[variable]
