"""What one test does with the target: it sends calls, and names the answers on which its outcome is decided."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.anomaly import Anomaly
from contracts.attribution.explanation import Explanation, combined, explain
from contracts.codes import UNKNOWN_HASH
from contracts.judge import Judgement
from contracts.violation import Violation
from fixtures.accounts import Account
from fixtures.calls import GET_QUERY, POST_JSON, Call, Operation, Style
from fixtures.errors import NotAvailable
from suites.runner.run import OWNER, Run


class Blocked(Exception):
    """What the check needs first does not work, as *answers* show, so that its own verdict would prove nothing."""

    def __init__(self, reason: str, answers: Sequence[Judgement] = ()) -> None:
        super().__init__(reason)
        self.answers = tuple(answers)


class Check:
    """The calls of one test, and the answers that it names.

    A test decides nothing: it records what it sends, and :meth:`judge` names the answers that must be as documented. Whether
    they are follows from these answers alone, so the outcome is the same whatever other tests have sent.
    """

    def __init__(self, run: Run, requirements: Sequence[str]) -> None:
        self.run = run
        self.requirements = tuple(requirements)
        self._named: list[tuple[Judgement, ...]] = []
        #: What a look at the whole run found, beyond the answers that are named.
        self.found: list[Anomaly] = []
        #: What the answers that are named break; known when the test has ended.
        self.violations: list[Violation] = []
        #: The answers of a control that does not work, where that ended the test.
        self.blocked_on: tuple[Judgement, ...] = ()
        self._first_answer = len(run.history)
        self._first_request = run.session.tally.requests

    # ------------------------------------------------------------------ set up

    def account(self, name: str) -> Account:
        """The account of this name that tests share. Raises ``NotAvailable`` where there is none that is as its name says."""
        account = self.run.accounts.shared(name)
        if not account.fresh and name not in (OWNER, "ended"):
            self._confirm_state(account)
        return account

    def own(self, name: str) -> Account:
        """An account for a test that changes it. Raises ``NotAvailable`` as :meth:`account` does."""
        account = self.run.accounts.own(name)
        if not account.fresh and name != OWNER:
            self._confirm_state(account)
        return account

    def _confirm_state(self, account: Account) -> None:
        """A fixed session ends some day; what needs it is then not verified, and the target not to blame."""
        if account.name in self.run.first_reads:
            return
        answer = self.call("read", GET_QUERY, account)
        self.run.first_reads[account.name] = answer
        if answer.kind == "error" and answer.code in UNKNOWN_HASH:
            again = self.call("read", POST_JSON, account)
            if again.kind == "error" and again.code in UNKNOWN_HASH:
                reason = f"the fixed credential of {account.name} has ended: read refuses it with code {answer.code}"
                raise self.run.accounts.declare_unfit(account.name, reason)
        if account.name == "demo_without_session" and answer.kind == "success":
            reason = "the fixed account demo_without_session is used up: read shows that it has a session"
            raise self.run.accounts.declare_unfit(account.name, reason)

    def read_first(self, account: Account, style: Style = GET_QUERY) -> Judgement:
        """What read, by *style*, says of *account* before anything is done with it.

        Of a fixed account one read, by get-query, serves whoever asks first.
        """
        answer = self.run.first_reads.get(account.name) if not account.fresh else None
        # What it said then says nothing once something has been done with the account.
        self.run.first_reads[account.name] = None
        return answer or self.call("read", style, account)

    def needs_rotation(self, account: Account) -> None:
        """Leave the test not verified where ``create`` must not succeed as *account*."""
        if not self.run.may_rotate(account):
            raise NotAvailable(f"key rotation is not allowed: {self.run.rotation.reason}")

    # ------------------------------------------------------------------ stimulus

    def send(self, request: Call, *, may_close: bool = False) -> Judgement:
        """Send a call. *may_close* says that a closed connection is an answer to it."""
        return self.run.send(request, may_close=may_close)

    def call(self, operation: Operation, style: Style, account: Account, **params: object) -> Judgement:
        """Call an operation with the good credential of *account*."""
        return self.send(self.run.call(operation, style, account, **params))

    # ------------------------------------------------------------------ verdict

    def judge(self, *answers: Judgement) -> None:
        """Name *answers*: the test fails where one of them, by itself, is not as documented."""
        self._named.extend((answer,) for answer in answers)

    def judge_together(self, *answers: Judgement) -> None:
        """Name all *answers* to calls of some accounts, in the order of sending: they must be as documented, and fit together."""
        self._named.append(answers)

    @property
    def named(self) -> list[Judgement]:
        """The answers that the test names, each once."""
        return list({id(each): each for group in self._named for each in group}.values())

    def fits(self, *answers: Judgement) -> bool:
        """Whether *answers*, by themselves, are as documented in what a MUST or SHOULD of the profile says."""
        return not explain(answers, self.run.requirements).broken

    def report(self, anomaly: Anomaly | None) -> None:
        """Take what a look at the whole run found; None is nothing."""
        if anomaly is not None:
            self.found.append(anomaly)
            self.run.reported.append(anomaly)

    def explanation(self) -> Explanation:
        """What is wrong with the answers that the test names, and what explains it, by themselves."""
        named = (self.run.without_the_end(group) for group in dict.fromkeys(self._named))
        groups = [explain(group, self.run.requirements) for group in named]
        if self.found:
            groups.append(explain([], self.run.requirements, self.found))
        return combined(groups)

    # ------------------------------------------------------------------ for the reports

    @property
    def in_question(self) -> Sequence[Judgement]:
        """The answers for which the test fails or is blocked. Something else than what it verifies may explain them."""
        return self.named if self.violations else self.blocked_on

    @property
    def examples(self) -> int:
        """How many examples a generated check makes."""
        return self.run.examples

    @property
    def requests(self) -> int:
        """How many requests the test has sent so far."""
        return self.run.session.tally.requests - self._first_request

    @property
    def shown(self) -> Sequence[Judgement]:
        """What a report of the test shows: the answers that it names, and those to what else it sent."""
        return list({id(each): each for each in (*self.named, *self.sent)}.values())

    @property
    def sent(self) -> Sequence[Judgement]:
        """The answers to what the test has sent itself."""
        return self.run.history.answers(self._first_answer)
