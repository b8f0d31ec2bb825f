"""What is known of the accounts of a history, and what in it cannot be, while it is read call by call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from contracts.anomaly import Anomaly, asked
from contracts.exchange import Intent
from contracts.ids import B1, C1_PARSED, C5_ISO, C5_UNKNOWN, E3, T2, T3, T4, T5_FIRST
from contracts.judge import Judgement
from contracts.refusals import form_findings, value_findings
from contracts.register.account import NO_SESSION_AT_FIRST, Account
from contracts.register.changes import REFUSED
from contracts.register.reading import NO_SESSION, documented, explained_by_status

#: Equivalences that are members of a JSON body, in these styles.
_IN_JSON = frozenset({C5_ISO, C5_UNKNOWN})
_JSON_STYLES = frozenset({"post-json", "post-header-json"})
#: Codes by which create refuses an account for the state that it is in.
_OF_CREATE = frozenset(code for _, code in REFUSED.values())


class Book:
    """The accounts, whose each key and credential is, and the anomalies so far."""

    def __init__(self, answers: Sequence[Judgement]) -> None:
        self.anomalies: list[Anomaly] = []
        #: How often a requirement could have been seen to be broken: how strong a coincidence is.
        self.opportunities: Counter[str] = Counter()
        self.accounts: dict[str, Account] = {}
        #: The account that each key was given to first.
        self.owner: dict[str, str] = {}
        #: The answer in which it was.
        self.given_in: dict[str, Judgement] = {}
        #: The account of each credential that was sent as one.
        self.credentials = {
            each.exchange.intent.credential: each.exchange.intent.account
            for each in answers
            if each.exchange.intent.valid and each.exchange.intent.credential
        }
        #: The keys that create gives in the whole history, and the accounts that it gives each to.
        self.given: dict[str | None, set[str | None]] = {}
        for each in answers:
            if each.exchange.intent.operation == "create":
                self.given.setdefault(each.key, set()).add(each.exchange.intent.account)
        #: How many accounts were given each key by read: what several are given is no session of theirs.
        self.seen_as = _accounts_that_read(answers)

    def account(self, intent: Intent) -> Account:
        """What is known of the account that a call with *intent* was sent as."""
        label = intent.account or ""
        if label not in self.accounts:
            start = frozenset({NO_SESSION}) if intent.kind in NO_SESSION_AT_FIRST else None
            self.accounts[label] = Account(label, start)
        return self.accounts[label]

    def first_given(self, answer: Judgement, label: str) -> None:
        """Remember that the key of *answer* is that of the account *label*, where no account had it before.

        What read gives several accounts, and create gave none, belongs to no account.
        """
        if answer.exchange.intent.operation == "read" and self.seen_as[answer.key or ""] > 1:
            return
        self.owner.setdefault(answer.key or "", label)
        self.given_in.setdefault(answer.key or "", answer)

    def failed(
        self,
        answer: Judgement,
        requirement: str,
        expected: str,
        account: Account,
        suspects: Iterable[str] = (),
        *,
        follows_from: Iterable[str] = (),
    ) -> None:
        """A call with good credentials does not succeed, by itself or for what a call before it breaks, one of *suspects*."""
        intent = answer.exchange.intent
        candidates = {requirement, *intent.equivalences, *suspects}
        candidates |= form_findings(answer) | explained_by_status(answer)
        if requirement != T4:
            candidates |= value_findings(answer)
        if (requirement == T2 and answer.code in _OF_CREATE) or intent.kind == "tariff_restricted":
            # It speaks of what create may do. What read says to a restricted tariff is not documented; which codes it has, is.
            candidates |= {E3} & {each.requirement for each in answer.violations}
        if _IN_JSON & set(intent.equivalences) and intent.style in _JSON_STYLES:
            # A body that is not read as JSON is not read for any of it.
            candidates.add(C1_PARSED)
        if (answer.server_error or answer.kind in ("nothing", "foreign")) and C5_UNKNOWN in intent.equivalences:
            # What it carries besides would be bad input elsewhere, too.
            candidates.add(B1)
        if requirement == T5_FIRST and T3 in account.suspects:
            # A read may have made the session that there should not be.
            candidates.add(T3)
        self.add(candidates, answer, expected, follows_from=follows_from)

    def comes_back(self, value: str, label: str) -> bool:
        """Whether create gave the account *label* a key that another had before and has no more."""
        other = self.accounts.get(self.owner.get(value, ""))
        replaced = other is not None and other.possible is not None and value not in other.possible
        return replaced and label in self.given.get(value, ())

    def count_equivalences(self, answer: Judgement) -> None:
        """Each equivalence of the call could have been seen to be broken."""
        for requirement in answer.exchange.intent.equivalences:
            self.opportunities[requirement] += 1

    def add(
        self,
        candidates: Iterable[str],
        answer: Judgement,
        expected: str,
        got: str = "",
        *context: Judgement | None,
        follows_from: Iterable[str] = (),
    ) -> None:
        """Take an anomaly that *answer* shows; *context* are the others that one needs to see it."""
        others = tuple({id(each): each for each in context if each is not None and each is not answer}.values())
        self.anomalies.append(
            Anomaly(
                *(frozenset(candidates), answer, expected, got or answer.summary(), asked(answer), others),
                follows_from=frozenset(follows_from),
            )
        )


def _accounts_that_read(answers: Iterable[Judgement]) -> Counter[str]:
    """How many accounts were given each key by read."""
    seen = {
        (each.key, each.exchange.intent.account)
        for each in answers
        if each.key is not None and documented(each) and each.exchange.intent.operation == "read"
    }
    return Counter(key for key, _ in seen)
