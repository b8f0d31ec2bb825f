"""A trial: what one test has to do with the target, and what it found.

A test reads as set up, sanity check, stimulus, verdict. The trial sends its calls, takes down every requirement that an
answer breaks, and stops the test where going on would prove nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NoReturn

import pytest

from contracts.exchange import Exchange
from contracts.judge import Judgement
from contracts.violation import Violation
from fixtures.accounts import Account
from fixtures.calls import GET_QUERY, OPERATIONS, POST_JSON, Call, Operation, Style
from fixtures.errors import NotAvailable
from suites.runner.run import OWNER, Run
from suites.scenarios.controls import Evidence

#: Codes that say that a credential is not one (facts A1, A2).
BAD_HASH = frozenset({3, 4, 7})
UNKNOWN_HASH = frozenset({3, 4})
#: Codes for a delivery-session key where an ordinary credential is due (facts A4).
WRONG_SESSION = frozenset({276, 4, 3, 11, 13})


class Stop(Exception):
    """A violation was taken down and the test cannot go on."""


class Blocked(Exception):
    """What the check rests on is broken, so that its own verdict would prove nothing."""


class Trial:
    """The calls and the findings of one test."""

    def __init__(self, run: Run, evidence: Evidence, requirements: Sequence[str]) -> None:
        self.run = run
        self.evidence = evidence
        self.requirements = tuple(requirements)
        self.violations: list[Violation] = []
        #: Requirements of which this test proves nothing after all, with the reason.
        self.unproven: dict[str, str] = {}
        self.exchanges: list[Exchange] = []
        self.claimed: list[Exchange] = []
        self._previous_sink = run.sink
        self._first_request = run.session.tally.requests
        self._log_start = len(run.log)
        run.sink = self.note

    def close(self) -> None:
        """Hand the run back."""
        self.run.sink = self._previous_sink
        self.exchanges = self.run.log[self._log_start :]

    @property
    def examples(self) -> int:
        """How many examples a generated check makes."""
        return self.run.examples["generated"]

    @property
    def requests(self) -> int:
        """How many requests the test has sent so far."""
        return self.run.session.tally.requests - self._first_request

    # ------------------------------------------------------------------ set up

    def account(self, name: str) -> Account:
        """The account of this name that tests share, its state confirmed where it is a fixed one."""
        account = self.run.accounts.shared(name)
        if not account.fresh and name not in ("owner", "ended"):
            self._vet(account)
        return account

    def own(self, name: str) -> Account:
        """An account for a test that changes it."""
        account = self.run.accounts.own(name)
        if not account.fresh and name != "owner":
            self._vet(account)
        return account

    def _vet(self, account: Account) -> None:
        """A fixed session ends some day; what needs it is then not verified, and the target not to blame."""
        if account.name in self.run.vetted:
            return
        answer = self.call("read", GET_QUERY, account)
        self.run.vetted[account.name] = answer
        if answer.kind == "error" and answer.code in UNKNOWN_HASH:
            again = self.call("read", POST_JSON, account)
            if again.kind == "error" and again.code in UNKNOWN_HASH:
                reason = f"the fixed credential of {account.name} has ended: read refuses it with code {answer.code}"
                raise self.run.accounts.declare_unfit(account.name, reason)
        if account.name == "demo_without_session" and answer.kind == "success":
            reason = "the fixed account demo_without_session is used up: read shows that it has a session"
            raise self.run.accounts.declare_unfit(account.name, reason)

    def read_first(self, account: Account) -> Judgement:
        """What read by get-query says of *account* before anything is done with it; one read serves whoever asks first."""
        answer = self.run.vetted.get(account.name) if not account.fresh else None
        # What it said then says nothing once something has been done with the account.
        self.run.vetted[account.name] = None
        return answer or self.call("read", GET_QUERY, account)

    def settle(self) -> NoReturn:
        """There is nothing for this test to do here, and what it verifies is verified by others."""
        pytest.skip("another test verifies the same with the account there is")

    def need_rotation(self, account: Account) -> None:
        """Leave the test unverified where ``create`` must not succeed as *account*."""
        if not self.run.may_rotate(account):
            raise NotAvailable(f"key rotation is not allowed: {self.run.rotation.reason}")

    # ------------------------------------------------------------------ sanity

    def need_success(self, operation: Operation, style: Style) -> None:
        """A refusal is about to be checked: show first that good credentials succeed in this operation and style."""
        reason = self.evidence.accepts(operation, style)
        if reason is not None:
            raise Blocked(reason)

    def need_refusal(self, operation: Operation, style: Style) -> None:
        """A success is about to be checked: show first that a bad credential is refused in this operation and style."""
        reason = self.evidence.refuses(operation, style)
        if reason is not None:
            raise Blocked(reason)

    def need_bad_refused(self, operation: Operation, style: Style) -> None:
        """Show that a bad credential is refused in this operation and style, for checks of what read gives after create."""
        reason = self.evidence.refuses(operation, style, following=False)
        if reason is not None:
            raise Blocked(reason)

    def need_both(self, *operations: Operation, style: Style = GET_QUERY) -> None:
        """Both kinds of evidence, for checks that rest on states."""
        for operation in operations or ("create", "read"):
            self.need_success(operation, style)
            self.need_refusal(operation, style)

    def works(self, style: Style) -> bool:
        """Whether good credentials succeed in this style of the profile, in both operations."""
        return style in self.run.styles and all(self.evidence.accepts(each, style) is None for each in OPERATIONS)

    def or_query(self, style: Style) -> Style:
        """*style* where it works, else the plainest one: a style that does not work is for its own check to tell."""
        return style if self.works(style) else GET_QUERY

    # ------------------------------------------------------------------ stimulus

    def send(self, request: Call, *, may_close: bool = False) -> Judgement:
        """Send a call; whatever its answer breaks by itself is taken down."""
        return self.run.send(request, may_close=may_close)

    def call(self, operation: Operation, style: Style, account: Account, **params: object) -> Judgement:
        """Call an operation with the good credential of *account*."""
        return self.send(self.run.call(operation, style, account, **params))

    def claim(self, answer: Judgement) -> Judgement:
        """Take an answer of the main path as this test's own, with what it breaks by itself."""
        for violation in self.evidence.findings.pop(id(answer), ()):
            self.note(violation)
        self.claimed.append(answer.exchange)
        return answer

    # ------------------------------------------------------------------ verdict

    def note(self, violation: Violation) -> None:
        """Take a violation down, unless it lies outside the profile or the same was told before."""
        if self.run.counts(violation.requirement) and self.run.is_new(violation):
            self.violations.append(violation)

    def violate(self, requirement: str, message: str, expected: str, actual: str, *answers: Judgement) -> None:
        """Take down that *requirement* is broken, whether or not the same was told before."""
        violation = Violation(requirement, message, expected, actual, tuple(answer.exchange for answer in answers))
        if self.run.counts(requirement):
            self.run.seen(violation)
            self.run.is_new(violation)
            self.violations.append(violation)

    def stop(self, requirement: str, message: str, expected: str, actual: str, *answers: Judgement) -> NoReturn:
        """The same, and end the test here."""
        self.violate(requirement, message, expected, actual, *answers)
        raise Stop

    def expect_success(self, answer: Judgement, requirement: str, what: str, *context: Judgement) -> str:
        """The key of a success. Anything else breaks *requirement* and ends the test."""
        if answer.kind != "success" or answer.key is None:
            seen = answer.summary()
            self.stop(requirement, f"{what}: {seen}", "a success with a key", seen, answer, *context)
        return answer.key

    def expect_refusal(
        self, answer: Judgement, requirement: str, codes: Collection[int], what: str, *context: Judgement
    ) -> bool:
        """Whether *answer* is a refusal with one of *codes*; anything else breaks *requirement*."""
        if answer.kind == "error" and answer.code in codes:
            return True
        if answer.kind == "error" and answer.code is None and not answer.server_error:
            # An error without a code: the envelope is to blame (E1), which the judge has taken down.
            return True
        if answer.kind == "foreign" and answer.status is not None and 400 <= answer.status < 500 and answer.violations:
            # A refusal that is no envelope at all: likewise.
            return True
        if answer.kind == "success":
            self.unproven["A5-discloses-nothing"] = f"{what} was not refused, so what the answer tells proves nothing"
        due = "code " + ", ".join(map(str, sorted(codes)))
        self.violate(
            requirement, f"{what}: {answer.summary()}", f"an error with {due}", answer.summary(), answer, *context
        )
        return False

    def expect_key(self, answer: Judgement, due: str, requirement: str, what: str, *context: Judgement) -> bool:
        """Whether ``read`` gave the key that was *due*."""
        if answer.key == due:
            return True
        self.violate(
            requirement,
            f"{what}: {answer.summary()}{self.others_at_work(answer)}",
            f"the key {due!r}",
            answer.summary(),
            answer,
            *context,
        )
        return False

    def expect_unchanged(self) -> None:
        """Read the owner's key: it is still that of the last create, whatever was refused since. Else find out what changed it."""
        owner = self.account(OWNER)
        last = self.run.last_key.get(OWNER)
        suspects = list(self.run.since)
        answer = self.call("read", self.or_query(POST_JSON), owner)
        if last is None or answer.key == last.key:
            if answer.key is not None:
                self.run.last_key[OWNER] = answer
            return
        # The module needs this one for its types.
        from suites.scenarios.culprit import investigate

        investigate(self, owner, suspects, last, answer)

    def others_at_work(self, answer: Judgement) -> str:
        """For a fixed account: that somebody else may be using it."""
        account = answer.exchange.intent.account
        if account is None or not self.run.accounts.is_fixed(account):
            return ""
        return f" (if not the target, then {account} is not in the state its name says, or somebody else uses it at the same time)"


def words(value: Any) -> str:
    """A parameter of a test as part of a title."""
    return str(value).replace("-", " ")
