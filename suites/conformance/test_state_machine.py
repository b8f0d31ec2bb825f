"""T, A: a walk through the states of several accounts, with a model that says what each answer must be."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from contracts.judge import Judgement
from fixtures.accounts import Account
from fixtures.calls import OPERATIONS, POST_JSON, Call, Operation, Style, call
from fixtures.errors import NotAvailable
from suites.runner.marks import verifies
from suites.runner.run import OWNER
from suites.runner.trial import UNKNOWN_HASH, WRONG_SESSION, Blocked, Trial
from suites.scenarios.controls import OTHER_UNKNOWN
from suites.scenarios.culprit import blame, investigate

#: Steps of one walk; before the first and after each of them there is a read.
_STEPS = 7
_KINDS = ("create", "refused create", "unknown hash", "issued key", "create", "refused create")
#: Of the walk that every run takes but a thorough one.
_SEED = 8
#: Accounts that create refuses, with the code and the requirement that says so.
_REFUSED = {
    "subuser": (13, "T6-subuser-create-refused"),
    "tariff_restricted": (236, "T7-tariff-create-refused"),
    "demo_with_session": (101, "T5-demo-create-refused"),
}


@dataclass
class Known:
    """An account in the model: what said last which key read owes, and what was done since that must not change it."""

    account: Account
    last: Judgement | None = None
    since: list[Call] = field(default_factory=list)

    @property
    def key(self) -> str | None:
        """The key that read owes, or None where that is not known."""
        return self.last.key if self.last is not None else None

    def says(self, answer: Judgement) -> None:
        """*answer* gave the key that there is."""
        self.last = answer
        self.since.clear()


@verifies("T2-read-gives-last-created")
def test_walk_through_the_states(trial: Trial) -> None:
    """Creates and refused calls of several accounts, in an order nobody wrote down: after each read agrees with the model.

    DELIVERY, create and read, and what it says of demo sessions, sub-users and tariffs.
    """
    # Set up: those accounts that are there; the owners are enough.
    owner = trial.account("owner")
    trial.need_rotation(owner)
    creators = [Known(owner, trial.run.last_key.get(OWNER))]
    refused: dict[str, Account] = {}
    for name in ("other_owner", *_REFUSED):
        try:
            account = trial.account(name)
        except NotAvailable:
            continue
        if name == "other_owner" and trial.run.may_rotate(account):
            creators.append(Known(account, trial.run.last_key.get(account.credential.label)))
        elif name in _REFUSED:
            refused[name] = account
    # Sanity check: good credentials succeed and bad ones do not, in each of the styles that work.
    trial.need_both()
    styles = [style for style in trial.run.styles if trial.works(style)]
    for style in styles:
        trial.need_both(style=style)
    kinds = [kind for kind in _KINDS if kind != "refused create" or refused]
    walks = 0

    class Walk(RuleBasedStateMachine):
        """One walk; after the first finding it stands still."""

        def __init__(self) -> None:
            super().__init__()
            nonlocal walks
            walks += 1
            #: Hypothesis begins with the simplest walk there is: it is worth no request.
            self.simplest = walks == 1
            self.order = kinds
            self.steps = 0

        @property
        def stands(self) -> bool:
            """Whether no more is sent."""
            return self.simplest or bool(trial.violations)

        @initialize(order=st.permutations(kinds))
        def begin(self, order: list[str]) -> None:
            self.order = order

        # One rule for steps of all kinds: of several, Hypothesis leaves some out of each walk.
        @rule(
            who=st.sampled_from(range(len(creators))),
            name=st.sampled_from(sorted(refused) or [""]),
            operation=st.sampled_from(OPERATIONS),
            style=st.sampled_from(styles),
        )
        def step(self, who: int, name: str, operation: Operation, style: Style) -> None:
            if self.stands:
                return
            kind = self.order[self.steps % len(self.order)]
            self.steps += 1
            if kind == "create":
                request = _create(trial, creators[who], style)
            elif kind == "refused create":
                request = _refused_create(trial, refused[name], style)
            elif kind == "unknown hash":
                request = _unknown_hash(trial, operation, style)
            else:
                request = _issued_key(trial, creators[who], operation, style)
            for known in creators:
                if kind != "create" or known is not creators[who]:
                    known.since.append(request)

        @invariant()
        def read_agrees(self) -> None:
            """Read gives this account or that, in one style after the other, the key that the model has."""
            if not self.stands:
                _check_read(trial, creators[self.steps % len(creators)], styles[-1 - self.steps % len(styles)])

    # Stimulus and verdict, step by step.
    machine: type[RuleBasedStateMachine] = Walk if trial.run.thorough else seed(_SEED)(Walk)
    walk = settings(
        max_examples=1 + (10 if trial.run.thorough else 1), stateful_step_count=4 if trial.run.smoke else _STEPS
    )
    try:
        run_state_machine_as_test(machine, settings=walk)
    except Flaky:
        # After a finding the walk stands still, which is another walk than before; what it found is taken down.
        if not trial.violations:
            raise Blocked("the target did not answer the same walk twice in the same way") from None


def _create(trial: Trial, known: Known, style: Style) -> Call:
    request = trial.run.call("create", style, known.account)
    answer = trial.send(request)
    if answer.key is None:
        # The style is known to work.
        what = (
            f"create by {style} as {known.account}, in a walk of creates, reads and refused calls: {answer.summary()}"
        )
        trial.violate("T1-create-gives-new-key", what, "a success with a new key", answer.summary(), answer)
    else:
        known.says(answer)
    return request


def _refused_create(trial: Trial, account: Account, style: Style) -> Call:
    code, requirement = _REFUSED[account.name]
    request = trial.run.call("create", style, account)
    answer = trial.send(request)
    what = f"create by {style} as {account.name}{trial.others_at_work(answer)}"
    trial.expect_refusal(answer, requirement, {code}, what)
    return request


def _unknown_hash(trial: Trial, operation: Operation, style: Style) -> Call:
    request = call(operation, style, OTHER_UNKNOWN)
    what = f"{operation} by {style} with an unknown hash"
    trial.expect_refusal(trial.send(request), "A2-unknown-hash-refused", UNKNOWN_HASH, what)
    return request


def _issued_key(trial: Trial, known: Known, operation: Operation, style: Style) -> Call:
    """A delivery-session key as the credential; where none is known, a hash that is nobody's."""
    if known.key is None:
        return _unknown_hash(trial, operation, style)
    request = call(operation, style, trial.run.vault.add(known.key, f"key of {known.account}"))
    what = f"{operation} by {style} with a delivery-session key as the credential"
    trial.expect_refusal(trial.send(request), "A4-delivery-key-is-no-credential", WRONG_SESSION, what)
    return request


def _check_read(trial: Trial, known: Known, style: Style) -> None:
    """Read agrees with the model; where it does not, find out what has changed the key."""
    suspects, last = list(known.since), known.last
    plain = trial.or_query(POST_JSON)
    if last is None or known.key is None:
        known.says(trial.call("read", plain, known.account))
        return
    request = trial.run.call("read", style, known.account)
    answer = trial.send(request)
    if answer.key == known.key:
        known.says(answer)
        # It may be this very read that changes the key behind it.
        known.since.append(request)
        return
    calm = answer if style is plain else trial.call("read", plain, known.account)
    if calm.key == known.key:
        what = f"read by {style} as {known.account}, in a walk of creates, reads and refused calls"
        broken = blame(trial, known.account, style, answer, known.key, "T2-read-gives-last-created")
        trial.expect_key(answer, known.key, broken, what, last)
    else:
        investigate(trial, known.account, suspects, last, calm)
