"""T, A: a walk through the states of several accounts, in an order that Hypothesis draws."""

from __future__ import annotations

from hypothesis import seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from contracts.judge import Judgement
from contracts.register.changes import REFUSED
from fixtures.accounts import Account
from fixtures.calls import OPERATIONS, Operation, Style
from fixtures.errors import NotAvailable
from suites.conformance.test_credentials import delivery_key
from suites.runner.check import Blocked
from suites.runner.marks import verifies
from suites.runner.run import OTHER_UNKNOWN, unknown_hash
from suites.scenarios.controls import ControlledCheck

#: Steps of one walk; before the first and after each of them there is a read.
_STEPS = 7
_KINDS = ("create", "refused create", "unknown hash", "issued key", "create", "refused create")
#: Of the walk that every run takes but a thorough one.
_SEED = 26


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

    def key_of(self, account: Account) -> str | None:
        """The last key that the walk saw of *account*."""
        label = account.credential.label
        return next(
            (each.key for each in reversed(self.answers) if each.exchange.intent.account == label and each.key), None
        )

    def step(self, kind: str, creator: Account, refused: Account | None, operation: Operation, style: Style) -> None:
        """One step of *kind*."""
        key = self.key_of(creator)
        if kind == "create":
            answer = self.check.call("create", style, creator)
        elif kind == "refused create" and refused is not None:
            answer = self.check.call("create", style, refused)
        elif kind == "issued key" and key is not None and key.isascii() and key.isprintable():
            secret = self.check.run.vault.add(key, f"key of {creator}")
            answer = self.check.send(delivery_key(operation, style, secret))
        else:
            answer = self.check.send(unknown_hash(operation, style, OTHER_UNKNOWN))
        self.take(answer)


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
    paths: list[_Path] = []

    class Walk(RuleBasedStateMachine):
        """One walk; after the first answer that does not fit it stands still."""

        def __init__(self) -> None:
            super().__init__()
            #: Hypothesis begins with the simplest walk there is: it is worth no request.
            self.simplest = not paths
            self.order = kinds
            self.steps = 0
            self.path = _Path(check)
            paths.append(self.path)

        @property
        def stands(self) -> bool:
            """Whether no more is sent."""
            return self.simplest or not all(path.fits for path in paths)

        @initialize(order=st.permutations(kinds))
        def begin(self, order: list[str]) -> None:
            self.order = order

        # One rule for steps of all kinds: of several, Hypothesis leaves some out of each walk.
        @rule(
            who=st.sampled_from(range(len(creators))),
            other=st.sampled_from(range(len(refused) or 1)),
            operation=st.sampled_from(OPERATIONS),
            style=st.sampled_from(styles),
        )
        def step(self, who: int, other: int, operation: Operation, style: Style) -> None:
            if self.stands:
                return
            kind = self.order[self.steps % len(self.order)]
            self.steps += 1
            self.path.step(kind, creators[who], refused[other] if refused else None, operation, style)

        @invariant()
        def read(self) -> None:
            """Read as this account or that, in one style after the other."""
            if not self.stands:
                account = creators[self.steps % len(creators)]
                self.path.take(check.call("read", styles[-1 - self.steps % len(styles)], account))

    # Stimulus.
    machine: type[RuleBasedStateMachine] = Walk if check.run.thorough else seed(_SEED)(Walk)
    walk = settings(
        max_examples=1 + (10 if check.run.thorough else 1), stateful_step_count=4 if check.run.smoke else _STEPS
    )
    try:
        run_state_machine_as_test(machine, settings=walk)
    except Flaky:
        # After an answer that does not fit the walk stands still, which is another walk than before.
        if all(path.fits for path in paths):
            raise Blocked("the target did not answer the same walk twice in the same way") from None
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
