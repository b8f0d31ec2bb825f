"""T, A: a walk through the states of several accounts, with a model that says what each answer must be."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from contracts.judge import Judgement
from fixtures.accounts import Account
from fixtures.calls import POST_JSON, Style, call
from fixtures.errors import NotAvailable
from suites.evidence import OTHER_UNKNOWN
from suites.marks import verifies
from suites.trial import UNKNOWN_HASH, WRONG_SESSION, Blocked, Trial

#: Steps of one walk.
_STEPS = 11
#: Accounts that create refuses, with the code and the requirement that says so.
_REFUSED = {
    "subuser": (13, "T6-subuser-create-refused"),
    "tariff_restricted": (236, "T7-tariff-create-refused"),
    "demo_with_session": (101, "T5-demo-create-refused"),
}


@dataclass
class Known:
    """An account in the model: the key that read owes, or None where that is not known."""

    account: Account
    key: str | None = field(default=None, repr=False)
    last: Judgement | None = None


@verifies("T2-read-gives-last-created")
def test_walk_through_the_states(trial: Trial) -> None:
    """Creates, reads and refused calls of several accounts, in an order nobody wrote down, agree with the model.

    DELIVERY, create and read, and what it says of demo sessions, sub-users and tariffs.
    """
    # Set up: those accounts that are there; the owners are enough.
    owner = trial.account("owner")
    trial.need_rotation(owner)
    creators = [Known(owner)]
    refused: dict[str, Known] = {}
    for name in ("other_owner", *_REFUSED):
        try:
            account = trial.account(name)
        except NotAvailable:
            continue
        if name == "other_owner" and trial.run.may_rotate(account):
            creators.append(Known(account))
        elif name in _REFUSED:
            refused[name] = Known(account)
    # Sanity check: in every style good credentials succeed and bad ones do not.
    styles = trial.run.styles
    for style in styles:
        trial.need_both(style=style)

    class Walk(RuleBasedStateMachine):
        """One walk; after the first finding it stands still."""

        @precondition(lambda _: not trial.violations)
        @rule(who=st.sampled_from(range(len(creators))), style=st.sampled_from(styles))
        def create(self, who: int, style: Style) -> None:
            known = creators[who]
            answer = trial.call("create", style, known.account)
            if answer.key is None:
                trial.violate(
                    style.requirement,
                    f"create by {style} as {known.account}: {answer.summary()}",
                    "a success",
                    answer.summary(),
                    answer,
                )
                return
            known.key, known.last = answer.key, answer

        @precondition(lambda _: not trial.violations)
        @rule(who=st.sampled_from(range(len(creators))), style=st.sampled_from(styles))
        def read(self, who: int, style: Style) -> None:
            _check_read(trial, creators[who], style)

        @precondition(lambda _: not trial.violations and bool(refused))
        @rule(name=st.sampled_from(sorted(refused) or ["none"]), style=st.sampled_from(styles))
        def refused_create(self, name: str, style: Style) -> None:
            code, requirement = _REFUSED[name]
            answer = trial.call("create", style, refused[name].account)
            trial.expect_refusal(
                answer, requirement, {code}, f"create by {style} as {name}" + trial.others_at_work(answer)
            )

        @precondition(lambda _: not trial.violations)
        @rule(style=st.sampled_from(styles))
        def unknown_hash(self, style: Style) -> None:
            answer = trial.send(call("create", style, OTHER_UNKNOWN))
            trial.expect_refusal(
                answer, "A2-unknown-hash-refused", UNKNOWN_HASH, f"create by {style} with an unknown hash"
            )

        @precondition(lambda _: not trial.violations and any(known.key for known in creators))
        @rule(style=st.sampled_from(styles))
        def issued_key(self, style: Style) -> None:
            key = next(known.key for known in creators if known.key)
            answer = trial.send(call("create", style, trial.run.vault.add(key, "key of owner")))
            what = f"create by {style} with a delivery-session key as the credential"
            trial.expect_refusal(answer, "A4-delivery-key-is-no-credential", WRONG_SESSION, what)

        def teardown(self) -> None:
            if not trial.violations:
                for known in creators:
                    _check_read(trial, known, POST_JSON)

    # Stimulus and verdict, step by step.
    steps = 6 if trial.run.smoke else _STEPS
    try:
        run_state_machine_as_test(
            Walk, settings=settings(max_examples=10 if trial.run.thorough else 1, stateful_step_count=steps)
        )
    except Flaky:
        # After a finding the walk stands still, which is another walk than before; what it found is taken down.
        if not trial.violations:
            raise Blocked("the target did not answer the same walk twice in the same way") from None


def _check_read(trial: Trial, known: Known, style: Style) -> None:
    answer = trial.call("read", style, known.account)
    what = f"read by {style} as {known.account}, in a walk of creates, reads and refused calls"
    if known.key is None:
        if answer.key is not None:
            known.key, known.last = answer.key, answer
        return
    trial.expect_key(answer, known.key, "T2-read-gives-last-created", what, *([known.last] if known.last else []))
