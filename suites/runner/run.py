"""A run: everything that the tests of one conformance run share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from contracts.exchange import Exchange
from contracts.judge import Judgement
from contracts.requirements import catalogue
from contracts.violation import Violation
from fixtures.accounts import Account, Accounts
from fixtures.calls import GET_QUERY, Call, Operation, Style, call, styles_of
from fixtures.errors import TargetLost
from fixtures.http.guard import Rotation
from fixtures.http.session import Session
from fixtures.secrets import Vault

#: The account of the main path.
OWNER = "owner"
#: How often a target that did not answer is asked whether it is there at all.
_PROBES = 2


@dataclass(frozen=True)
class IssuedKey:
    """A key that ``create`` gave. ``serial`` says that no other create was under way at the time."""

    value: str = field(repr=False)
    account: str
    serial: bool
    exchange: Exchange


@dataclass
class Run:
    """The target, the accounts and the ledger of one run."""

    session: Session
    accounts: Accounts
    vault: Vault
    profile: str
    rotation: Rotation
    examples: Mapping[str, int]
    thorough: bool = False
    smoke: bool = False
    seed: int | None = None
    loopback: bool = False
    issued: list[IssuedKey] = field(default_factory=list)
    pending: list[Violation] = field(default_factory=list)
    concurrent: bool = False
    #: At most how many creates the plan of the run has for an account.
    most_creates: dict[str, int] = field(default_factory=dict)
    #: How many requests had been sent when the first violation that counts was seen.
    first_finding: int | None = None

    def __post_init__(self) -> None:
        self._owner_of_key: dict[str, str] = {}
        self._before: set[str] = set()
        self._seen: set[tuple[str, ...]] = set()
        self.last_key: dict[str, Judgement] = {}
        self._lock = threading.Lock()
        self.sink: Callable[[Violation], None] = self.pending.append
        self.log: list[Exchange] = []
        #: The requirements that are known to be broken.
        self.found: set[str] = set()
        #: What the judge found in all of them.
        self.judged: list[Violation] = []
        self.since: list[Call] = []
        #: The last key of the owner that create gave and read gave too.
        self.confirmed: str | None = None
        #: What read said of the fixed accounts when they were first looked at.
        self.vetted: dict[str, Judgement | None] = {}
        self.session.observers.append(self._observe)

    @property
    def styles(self) -> tuple[Style, ...]:
        """The call styles of the profile."""
        return styles_of(self.profile)

    @property
    def tried(self) -> tuple[Style, ...]:
        """The call styles in which a refusal by state is tried: all of them, in a smoke run two."""
        return self.styles[:2] if self.smoke else self.styles

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
        judgement = self.session.exchange(request, may_close=may_close)
        self._remember(request, judgement)
        if judgement.kind != "nothing" or (may_close and judgement.exchange.closed):
            return judgement
        for _ in range(_PROBES):
            probe = self.session.exchange(call("read", GET_QUERY, None).but(breaks_contract=True))
            if probe.kind != "nothing":
                return judgement
        raise TargetLost(self.session.lost or judgement.exchange.failure or "no answer")

    def _remember(self, request: Call, judgement: Judgement) -> None:
        """Keep the calls since the owner's key was last seen to be what it must be: one of them has changed it, if it changes."""
        intent = judgement.exchange.intent
        if (
            intent.account == OWNER
            and judgement.key is not None
            and intent.operation is not None
            and not intent.free_form
        ):
            last = self.last_key.get(OWNER)
            if last is not None and last.key == judgement.key:
                self.since.clear()
                if intent.operation == "read":
                    self.confirmed = judgement.key
        self.since.append(request)

    def note_key(self, judgement: Judgement) -> None:
        """Take down a key that an account had before the run: no create may give it."""
        account = judgement.exchange.intent.account
        if judgement.key is not None and account is not None:
            with self._lock:
                self._owner_of_key.setdefault(judgement.key, account)

    def owner_of(self, key: str | None) -> str | None:
        """The account to which create gave *key*, or which had it before the run."""
        with self._lock:
            return self._owner_of_key.get(key) if key is not None else None

    def before(self, key: str | None, account: str) -> set[str]:
        """The keys that create gave to *account* before it gave it *key*."""
        with self._lock:
            given = [each.value for each in self.issued if each.account == account]
        return set(given[: given.index(key)]) if key in given else set()

    @property
    def former(self) -> set[str]:
        """The keys that read gave before any create of the run had given them."""
        with self._lock:
            return self._before | self._owner_of_key.keys()

    def is_new(self, violation: Violation) -> bool:
        """Whether nothing alike was reported before: the same fault in every answer is told once for each kind of call."""
        exchange = violation.exchange
        where = ("", "", "", "")
        if exchange is not None:
            headers = {name.lower(): value for name, value in exchange.request.headers}
            where = (
                str(exchange.intent.operation),
                exchange.request.method,
                headers.get("content-type", ""),
                str("authorization" in headers),
            )
        key = (violation.requirement, violation.expected, _outline(violation.actual), *where)
        with self._lock:
            if key in self._seen:
                return False
            self._seen.add(key)
            return True

    def counts(self, requirement: str) -> bool:
        """Whether *requirement* belongs to the profile of the run."""
        return catalogue()[requirement].in_profile(self.profile)

    def seen(self, violation: Violation) -> None:
        """Note that *violation* was seen, and when the first one was that counts."""
        if self.counts(violation.requirement):
            self.found.add(violation.requirement)
            if self.first_finding is None:
                self.first_finding = self.session.tally.requests

    def _observe(self, judgement: Judgement) -> None:
        """What every answer owes, whichever test asked: the judge's findings, and keys that nobody else has (T1, A6)."""
        found = list(judgement.violations)
        exchange = judgement.exchange
        intent = exchange.intent
        key = judgement.key
        with self._lock:
            self.log.append(exchange)
            self.judged.extend(found)
        if key is not None and intent.valid and intent.account is not None and not intent.free_form:
            with self._lock:
                owner = self._owner_of_key.get(key)
                if intent.operation == "read" and not self.concurrent:
                    self._before.add(key)
                if intent.operation == "create":
                    self._owner_of_key.setdefault(key, intent.account)
                    self.issued.append(IssuedKey(key, intent.account, not self.concurrent, exchange))
                    if not self.concurrent:
                        self.last_key[intent.account] = judgement
            found.extend(self._judge_key(judgement, key, owner))
        for violation in found:
            self.seen(violation)
            self.sink(violation)

    def _judge_key(self, judgement: Judgement, key: str, owner: str | None) -> list[Violation]:
        intent = judgement.exchange.intent
        account = intent.account or ""
        if intent.operation == "create":
            if owner is not None:
                return [
                    Violation(
                        "T1-create-gives-new-key",
                        f"create as {account} gave a key that was given before, to {owner}",
                        "a key that was never given before",
                        f"{key!r}, given before to {owner}",
                        (judgement.exchange,),
                    )
                ]
            secret = self.vault.get(key)
            if secret is not None and (key == intent.credential or not secret.label.startswith("key ")):
                return [
                    Violation(
                        "T1-create-gives-new-key",
                        f"create as {account} gave the credential of {secret.label} as the key",
                        "a key that is no credential",
                        f"{key!r}",
                        (judgement.exchange,),
                    )
                ]
        elif owner is not None and owner != account:
            return [
                Violation(
                    "A6-users-are-isolated",
                    f"read as {account} gave the key that create had given to {owner}",
                    f"the key of {account}",
                    f"{key!r}",
                    (judgement.exchange,),
                )
            ]
        return []


def _outline(text: str) -> str:
    """*text* without what differs from one answer to the next."""
    return "".join("0" if char.isdigit() or char in "abcdef" else char for char in text.lower())[:80]
