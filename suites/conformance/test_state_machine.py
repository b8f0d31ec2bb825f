"""T, A: a walk through the states of several accounts: one that is written here, or in a thorough run several that are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle

from contracts.judge import Judgement
from contracts.register.changes import REFUSED
from fixtures.accounts import Account
from fixtures.calls import OPERATIONS, Operation, Style
from fixtures.errors import NotAvailable
from fixtures.secrets import Secret
from suites.runner.check import Blocked
from suites.runner.marks import verifies
from suites.runner.run import OTHER_UNKNOWN, unknown_hash
from suites.scenarios.controls import ControlledCheck
from suites.scenarios.delivery_keys import delivery_key, key_of

#: Creates in the written walk, whether or not there are accounts whose create is refused.
_FEWEST, _FEWEST_IN_SMOKE = 3, 2
#: What a thorough run draws: so many walks, of so many steps, of these kinds in some order.
_WALKS, _STEPS = 10, 6
_KINDS = ("create", "refused create", "unknown hash", "issued key", "create", "refused create")


class _Path:
    """What one walk has sent: the answers, which must fit together."""

    def __init__(self, check: ControlledCheck) -> None:
        self.check = check
        self.answers: list[Judgement] = []
        self.fits = True

    def take(self, answer: Judgement) -> None:
        """Add *answer*; the walk ends where it does not fit to the others."""
        self.answers.append(answer)
        self.fits = self.fits and self.check.fits(*self.answers)

    def key_of(self, account: Account) -> Secret | None:
        """The last key that the walk saw of *account*, if it can be a credential."""
        label = account.credential.label
        seen = (each for each in reversed(self.answers) if each.exchange.intent.account == label and each.key)
        last = next(seen, None)
        return None if last is None else key_of(last, self.check.run.vault, str(account))

    def step(self, kind: str, creator: Account, refused: Account | None, operation: Operation, style: Style) -> None:
        """One step of *kind*."""
        key = self.key_of(creator)
        if kind == "create":
            answer = self.check.call("create", style, creator)
        elif kind == "refused create" and refused is not None:
            answer = self.check.call("create", style, refused)
        elif kind == "issued key" and key is not None:
            answer = self.check.send(delivery_key(operation, style, key))
        else:
            answer = self.check.send(unknown_hash(operation, style, OTHER_UNKNOWN))
        self.take(answer)


@dataclass(frozen=True)
class _Cast:
    """Who walks: accounts that may create, accounts that are refused, the styles, and the kinds of steps in some order."""

    check: ControlledCheck
    creators: Sequence[Account]
    refused: Sequence[Account]
    styles: Sequence[Style]
    kinds: Sequence[str]


class _Walk:
    """One walk; after the first answer that does not fit it stands still."""

    def __init__(self, cast: _Cast) -> None:
        self.cast = cast
        self.order = cast.kinds
        self.steps = 0
        self.path = _Path(cast.check)

    def step(self, who: int, other: int, operation: Operation, style: Style) -> None:
        """The next step: as creator number *who*, or where it is one to refuse as number *other*."""
        if not self.path.fits:
            return
        kind = self.order[self.steps % len(self.order)]
        self.steps += 1
        refused = self.cast.refused[other] if self.cast.refused else None
        self.path.step(kind, self.cast.creators[who], refused, operation, style)

    def read(self) -> None:
        """Read as this account or that, in one style after the other."""
        if self.path.fits:
            account = self.cast.creators[self.steps % len(self.cast.creators)]
            style = self.cast.styles[-1 - self.steps % len(self.cast.styles)]
            self.path.take(self.cast.check.call("read", style, account))


def _written_walk(cast: _Cast) -> _Path:
    """The walk of every run but a thorough one, each call in the next of the styles.

    Each refused create follows a create at once, and a read of its account follows: whose rights count, and what is undone,
    shows only there. Two of them are enough for a smoke run.
    """
    path, styles = _Path(cast.check), cycle(cast.styles)

    def step(kind: str, creator: Account, refused: Account | None = None) -> None:
        if path.fits:
            path.step(kind, creator, refused, "read" if kind == "issued key" else "create", next(styles))

    def read(account: Account) -> None:
        if path.fits:
            path.take(cast.check.call("read", next(styles), account))

    one, other = cast.creators[0], cast.creators[-1]
    refused: list[Account | None] = [*reversed(cast.refused)]
    refused += [None] * (_FEWEST - len(refused))
    if cast.check.run.smoke:
        refused = refused[:_FEWEST_IN_SMOKE]
    for number, each in enumerate(refused):
        creator = one if number % 2 else other
        step("create", creator)
        if each is not None:
            step("refused create", creator, each)
        if number + 1 == len(refused):
            step("issued key", creator)
        read(creator)
        if number == 1:
            step("unknown hash", creator)
            read(other)
    return path


def _walks_of_hypothesis(cast: _Cast) -> list[_Path]:
    """Ten walks that Hypothesis draws. Raises ``Blocked`` where the target does not answer the same walk twice in the same way."""
    # Imported here: in all other runs nothing is drawn by it.
    from hypothesis import settings
    from hypothesis import strategies as st
    from hypothesis.errors import Flaky
    from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

    walks: list[_Walk] = []

    class Machine(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            #: Hypothesis begins with the simplest walk there is: it is worth no request.
            self.simplest = not walks
            self.walk = _Walk(cast)
            walks.append(self.walk)

        @property
        def stands(self) -> bool:
            """Whether no more is sent."""
            return self.simplest or not all(each.path.fits for each in walks)

        @initialize(order=st.permutations(cast.kinds))
        def begin(self, order: list[str]) -> None:
            self.walk.order = order

        # One rule for steps of all kinds: of several, Hypothesis leaves some out of each walk.
        @rule(
            who=st.sampled_from(range(len(cast.creators))),
            other=st.sampled_from(range(len(cast.refused) or 1)),
            operation=st.sampled_from(OPERATIONS),
            style=st.sampled_from(cast.styles),
        )
        def step(self, who: int, other: int, operation: Operation, style: Style) -> None:
            if not self.stands:
                self.walk.step(who, other, operation, style)

        @invariant()
        def read(self) -> None:
            if not self.stands:
                self.walk.read()

    try:
        run_state_machine_as_test(Machine, settings=settings(max_examples=1 + _WALKS, stateful_step_count=_STEPS))
    except Flaky:
        # After an answer that does not fit the walk stands still, which is another walk than before.
        if all(each.path.fits for each in walks):
            raise Blocked("the target did not answer the same walk twice in the same way") from None
    return [each.path for each in walks]


@verifies("T2-read-gives-last-created")
def test_walk_through_the_states(check: ControlledCheck) -> None:
    """Creates and refused calls of several accounts, in an order that no test has: after each read gives the last key.

    DELIVERY, create and read, and what it says of demo sessions, sub-users and tariffs.
    """
    # Set up: those accounts that are there; the owners are enough.
    owner = check.account("owner")
    check.needs_rotation(owner)
    creators = [owner, *(each for each in _there(check, "other_owner") if check.run.may_rotate(each))]
    refused = _there(check, *sorted(REFUSED))
    # Sanity check: good credentials succeed and bad ones do not, in each of the styles that work.
    check.need_both()
    styles = [style for style in check.run.styles if check.controls.works(style)]
    for style in styles:
        check.need_both(style=style)
    kinds = [kind for kind in _KINDS if kind != "refused create" or refused]
    cast = _Cast(check, creators, refused, styles, kinds)
    # Stimulus.
    paths = _walks_of_hypothesis(cast) if check.run.thorough else [_written_walk(cast)]
    # Verdict.
    for path in paths:
        if path.answers:
            check.judge_together(*path.answers)


def _there(check: ControlledCheck, *names: str) -> list[Account]:
    """Those of the accounts that there are."""
    found = []
    for name in names:
        try:
            found.append(check.account(name))
        except NotAvailable:
            continue
    return found
