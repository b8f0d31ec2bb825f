"""What the plugin keeps for the length of a run, and the run that it makes of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from contracts.attribution.explanation import Explanation
from fixtures.accounts import Accounts
from fixtures.http.guard import Guard, is_loopback, rotation
from fixtures.http.session import Session
from fixtures.provider_states import StatesHook, same_server
from fixtures.secrets import Vault
from fixtures.target.hidden import hidden_values
from reports import allure
from reports.directory import Taken
from reports.formats import repeat
from reports.formats.progress import Progress
from reports.results import Conclusion, Results, Word
from reports.words import count
from suites.runner.budget import Ledger
from suites.runner.check import Check
from suites.runner.interrupt import Interrupts
from suites.runner.options import Options
from suites.runner.profiles import EXAMPLES
from suites.runner.run import Run
from suites.runner.serve import Served

if TYPE_CHECKING:
    from fixtures.emulator.embedded import Embedded

#: Accounts whose keys a run replaces where it may: their links break. The others are refused, or have no key to lose.
_ROTATED = ("owner", "other_owner")
_NO_KEY_TO_LOSE = ("demo_without_session", "owner_without_session")


class State:
    """What the plugin keeps for the length of a run."""

    def __init__(self, options: Options, interrupts: Interrupts) -> None:
        self.options = options
        self.interrupts = interrupts
        self.vault = Vault()
        for account, value in options.target.credentials.items():
            self.vault.add(value, account)
        for value, name in hidden_values(options.target, options.base_url):
            self.vault.hide(value, name)
        self.started = datetime.now(UTC)
        self.results = Results(options.profile, options.waivers, self.started.date())
        self.embedded: Embedded | None = None
        #: The target, where the run starts it.
        self.served: Served | None = None
        self.run: Run | None = None
        #: The checks of the tests that have run, by the node id of the test.
        self.checks: dict[str, Check] = {}
        #: What explains all that was wrong; known when the run ends.
        self.explanation = Explanation()
        #: What ends the run without a verdict: the set-up, or outputs that cannot be written.
        self.setup_error: str | None = None
        #: What to say where it is the suite that broke.
        self.broken: str | None = None
        self.session: pytest.Session | None = None
        self.clock = time.monotonic()
        self.conclusion: Conclusion | None = None
        self.seed: int | None = None
        self.book = allure.Book(self.vault)
        self.book.accounts = self.origins
        self.document: dict[str, Any] | None = None
        #: The report directory while this run holds it, and what the last run on this target left there.
        self.directory: Taken | None = None
        self.ledger: Ledger | None = None
        self.progress: Progress | None = None
        self.words: dict[str, Word] = {}
        self.note: str | None = None
        #: Whether it is the plugin that leaves tests out: another profile's, or those that were not asked for.
        self.ours = False
        #: Prints a line on the terminal in the middle of the run.
        self.say: Callable[[str], None] = print

    @property
    def base_url(self) -> str:
        """The base URL of what is judged."""
        if self.options.base_url is not None:
            return self.options.base_url
        if self.embedded is None:
            raise RuntimeError("the embedded emulator was not started")
        return self.embedded.base_url

    @property
    def shown_url(self) -> str:
        """The same for a report, which waits for nothing: a run may end before its emulator is there."""
        known = self.options.base_url or (self.embedded and self.embedded.known_url)
        return known or "an emulator that was not ready"

    @property
    def the_run(self) -> Run:
        """The run. Raises ``RuntimeError`` where it has not started."""
        if self.run is None:
            raise RuntimeError("the run has not started")
        return self.run

    @property
    def origins(self) -> repeat.Accounts:
        """Where the run has its accounts from, for the scripts that repeat a failure; the embedded emulator ends with the run."""
        target = self.options.target
        address, mark, _ = (target.states_url or "").partition("?")
        headers = tuple(target.states_headers)
        return repeat.Accounts(f"{address}{mark}" or None, frozenset(target.credentials), target.variables, headers)

    def start(self) -> None:
        """Make the run: session, guard, accounts. Sends nothing."""
        options = self.options
        target = options.target
        states = target.states_url
        if options.base_url is None and self.embedded is not None:
            states = self.embedded.states_url
        base_url = self.base_url
        rule = rotation(base_url, flag=options.allow_key_rotation, in_file=target.allow_key_rotation)
        guard = Guard(rule, self.vault, self.ledger.all_creates.most if self.ledger is not None else None)
        loopback = is_loopback(base_url)
        session = Session(base_url, target.http, self.vault, guard, loopback=loopback)
        hook = None
        if states:
            # A server with one thread answers the hook's connection only once the target's are closed.
            aside = session.rest if same_server(states, base_url) else None
            left = session.run_time.left
            hook = StatesHook(states, target.http.ca_bundle, target.states_headers, time_left=left, aside=aside)
        accounts = Accounts(target.credentials, target.absent, hook, self.vault, guard)
        self.run = Run(
            session,
            accounts,
            self.vault,
            options.profile,
            rule,
            EXAMPLES[options.hypothesis_profile],
            thorough=options.hypothesis_profile == "thorough",
            smoke=options.hypothesis_profile == "smoke",
            loopback=loopback,
        )
        if not loopback and rule.allowed:
            session.before_first_create = self._announce

    def stop(self) -> None:
        """The run is interrupted, whatever becomes of the exception: break what is under way, in whatever thread it waits."""
        if self.conclusion is not None:
            return
        self.results.interrupted = True
        if self.session is not None:
            self.session.shouldstop = "the run was interrupted"
        if self.run is not None:
            self.run.session.stop("the run was interrupted")

    def rotated(self) -> str | None:
        """How many keys of which account the run has replaced, on a target where that matters to somebody.

        Those of accounts that should have been refused too: a broken target has replaced them.
        """
        run = self.run
        if run is None or run.loopback:
            return None
        given = run.session.tally.keys_by_account
        replaced = {
            name: number
            for name, number in given.items()
            if run.accounts.is_fixed(name) and name not in _NO_KEY_TO_LOSE
        }
        if not replaced and not run.rotation.allowed:
            return None
        said = ", ".join(f"{count(number, 'key')} of {name}" for name, number in replaced.items())
        return f"key rotation: this run has replaced {said or 'no key'}"

    def _announce(self, account: str) -> None:
        """Say whose keys are about to be replaced, before the first one is."""
        if self.run is not None and self.run.accounts.is_fixed(account) and account in _ROTATED:
            amount = self.ledger.creates.get(account) if self.ledger is not None else None
            keys = "keys" if amount is None else f"at most {count(amount.most, 'key')}"
            self.say(f"key rotation: this run will replace {keys} of {account}: {self.run.rotation.reason}")
