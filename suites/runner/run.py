"""A run: what the tests of one conformance run share."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from contracts.anomaly import Anomaly
from contracts.attribution.explanation import Explanation, explain_run
from contracts.codes import UNKNOWN_HASH
from contracts.history import History
from contracts.ids import A2
from contracts.judge import Judgement
from contracts.requirements import catalogue
from fixtures.accounts import Account, Accounts
from fixtures.calls import GET_QUERY, Call, Operation, Style, call, styles_of
from fixtures.errors import NotAvailable, TargetLost
from fixtures.http.given_up import FAILURES_IN_A_ROW
from fixtures.http.guard import Rotation
from fixtures.http.session import Session
from fixtures.secrets import Vault

#: The account of the baseline calls.
OWNER = "owner"
#: Well-formed hashes that no account has: digests of two sentences, for a pleasing pattern or an example of the documents
#: may well be an emulator's account. They are no secrets and may be shown.
UNKNOWN = "72eeea4bee9042df07d5dcbe09b423e3"
OTHER_UNKNOWN = "676810d9702a1d8061d8d5933e9d042d"
#: How often a target that did not answer is asked whether it is there at all.
_PROBES = 2


def unknown_hash(operation: Operation, style: Style, value: str = UNKNOWN) -> Call:
    """A call with a well-formed hash that no account has."""
    return call(operation, style, value).refused(A2, UNKNOWN_HASH)


@dataclass
class Run:
    """The target, the accounts and the history of one run."""

    session: Session
    accounts: Accounts
    vault: Vault
    profile: str
    rotation: Rotation
    examples: int
    thorough: bool = False
    smoke: bool = False
    loopback: bool = False
    history: History = field(default_factory=History)
    #: What tests have found that no single rule does.
    reported: list[Anomaly] = field(default_factory=list)
    #: What ``read`` said of the fixed accounts when they were first used.
    first_reads: dict[str, Judgement | None] = field(default_factory=dict)
    #: The answer to the first contact, a read by get-query with an unknown hash.
    first_contact: Judgement | None = None

    #: Sends a bounded number of follow-up calls where more than one requirement explains an anomaly as well.
    follow_up: Callable[[Explanation], None] | None = None

    def __post_init__(self) -> None:
        self._groups = itertools.count(1)
        self._calls: dict[int, Call] = {}
        self.session.observers.append(self.history.append)

    @property
    def styles(self) -> tuple[Style, ...]:
        """The call styles of the profile; those by header only where no gateway takes the header."""
        return tuple(each for each in styles_of(self.profile) if not (self.header_taken and each.carrier == "header"))

    @property
    def header_taken(self) -> str | None:
        """Why no call can show a credential in the Authorization header; None where it can."""
        return self.session.http.authorization_taken

    @property
    def tried(self) -> tuple[Style, ...]:
        """The call styles in which a refusal by state is tried: all of them, in a smoke run two."""
        return self.styles[:2] if self.smoke else self.styles

    @cached_property
    def requirements(self) -> frozenset[str]:
        """The requirements of the profile."""
        return frozenset(name for name in catalogue() if self.counts(name))

    def may_rotate(self, account: Account) -> bool:
        """Whether ``create`` may be called as *account* expecting it to succeed."""
        if self.rotation.forbidden_everywhere:
            return False
        return self.rotation.allowed or account.fresh

    def call(self, operation: Operation, style: Style, account: Account, **params: object) -> Call:
        """A call with the good credential of *account*."""
        return call(
            operation, style, account.credential, account=account.credential.label, valid=True, params=params or None
        )

    def send(self, request: Call, *, may_close: bool = False) -> Judgement:
        """Send a call. No answer from a target that still answers others is returned; one that is gone raises ``TargetLost``."""
        answer = self.session.exchange(request, may_close=may_close)
        self._calls[id(answer)] = request
        if answer.exchange.rate_limited:
            raise NotAvailable(f"rate limited: {self.session.pace.advice()}")
        if answer.kind != "nothing" or (may_close and answer.exchange.closed):
            return answer
        gone = self.gone(_PROBES)
        if gone is None:
            return answer
        raise TargetLost(gone)

    def gone(self, times: int = FAILURES_IN_A_ROW) -> str | None:
        """Ask the target anything, so many *times* at most: why it is given up where it answers none of them, else None."""
        failure = None
        try:
            for _ in range(times):
                probe = self.session.exchange(call("read", GET_QUERY, None).but(breaks_contract=True))
                if probe.kind != "nothing":
                    return None
                failure = probe.exchange.failure
        except TargetLost as error:
            return str(error)
        return self.session.lost or failure or "no answer"

    def call_of(self, answer: Judgement) -> Call | None:
        """The call that *answer* answers, to send it again; None for one of concurrent calls."""
        return self._calls.get(id(answer))

    def answers(self) -> Sequence[Judgement]:
        """The answers that count: not those to a fixed credential that has ended, or whose account is used up.

        Where the target went away, what it left unanswered at the end says nothing of the contract.
        """
        unfit = self.accounts.unfit
        return self.without_the_end([each for each in self.history if each.exchange.intent.account not in unfit])

    def without_the_end(self, answers: Sequence[Judgement]) -> Sequence[Judgement]:
        """*answers* without what a target that went away left unanswered: no call that was sent later was answered."""
        if self.session.lost is None:
            return answers
        last = max((each.exchange.sent_at for each in self.history if each.kind != "nothing"), default=-math.inf)
        return [each for each in answers if each.kind != "nothing" or each.exchange.ended_at < last]

    def explain(self) -> Explanation:
        """What explains all that is wrong in the history, after follow-up calls where they can decide."""
        explanation = explain_run(self.answers(), self.requirements, self.reported)
        if self.follow_up is not None and explanation.open:
            self.session.group = "follow-up"
            self.follow_up(explanation)
            explanation = explain_run(self.answers(), self.requirements, self.reported)
        return explanation

    def next_group(self) -> int:
        """A number for a group of concurrent calls."""
        return next(self._groups)

    def counts(self, requirement: str) -> bool:
        """Whether *requirement* belongs to the profile of the run."""
        return catalogue()[requirement].in_profile(self.profile)
