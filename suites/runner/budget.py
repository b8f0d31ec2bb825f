"""What a run sends: usually, and at most. Requests by group, and creates with good credentials by account.

The usual numbers are those of a conforming target, with the accounts and the permission of the run. The bounds were measured
on broken targets besides, which make the suite look closer, and have some room. ``--plan`` prints both; the session sends no more creates
than the bounds allow; ``suites/selfcheck/system/test_plan.py`` holds the table against real runs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from fixtures.http.guard import NEVER_CREATES, REFUSED_BY_CONTRACT, Rotation


@dataclass(frozen=True)
class Amount:
    """How often something is done: usually, and at most."""

    usual: int
    most: int

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.usual + other.usual, self.most + other.most)


@dataclass(frozen=True)
class Bound:
    """What a group of tests sends; ``thorough`` by ``--hypothesis-profile thorough``, where that is more.

    ``kept`` is how many requests it usually sends where the owner's keys must not be replaced, if that is less. ``needs`` are
    those of the usual requests that an account is needed for: where the keys may be replaced, and where they may not.
    """

    requests: Amount
    creates: Mapping[str, Amount] = field(default_factory=dict)
    thorough: Bound | None = None
    kept: int | None = None
    needs: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def usual(self, there: Collection[str], *, rotates: bool) -> int:
        """How many requests it usually sends with the accounts that are *there*."""
        number = self.requests.usual if rotates or self.kept is None else self.kept
        missing = (amounts for account, amounts in self.needs.items() if account not in there)
        return max(0, number - sum(amounts[0 if rotates else 1] for amounts in missing))


_NOTHING: Final = Amount(0, 0)
#: The account that everything else rests on.
_OWNER: Final = "owner"

#: The groups in the order of the contract; the first two come before any test, the last one after all.
BOUNDS: Final[Mapping[str, Bound]] = {
    "setup": Bound(Amount(1, 4)),
    "baseline": Bound(Amount(31, 40), {"owner": Amount(6, 8)}, kept=23),
    "success": Bound(Amount(0, 5)),
    "errors": Bound(Amount(0, 5)),
    "calls": Bound(Amount(48, 60), {"owner": Amount(16, 20)}, kept=16),
    "credentials": Bound(
        Amount(66, 90), {"owner": Amount(0, 6), "other_owner": Amount(0, 2)}, kept=50, needs={"ended": (8, 8)}
    ),
    "bad_input": Bound(Amount(53, 70), {"owner": Amount(0, 4)}, Bound(Amount(430, 1_000), {"owner": Amount(0, 4)})),
    "state": Bound(
        Amount(84, 100),
        {
            "owner": Amount(16, 45),
            "other_owner": Amount(3, 8),
            "owner_without_session": Amount(4, 8),
            "demo_with_session": Amount(6, 9),
            "demo_without_session": Amount(5, 8),
            "subuser": Amount(6, 9),
            "tariff_restricted": Amount(6, 9),
        },
        kept=33,
        needs={
            "other_owner": (13, 1),
            "owner_without_session": (7, 7),
            "demo_with_session": (8, 8),
            "demo_without_session": (6, 1),
            "subuser": (8, 8),
            "tariff_restricted": (8, 8),
        },
    ),
    "state_machine": Bound(
        Amount(13, 60),
        {
            "owner": Amount(1, 12),
            "other_owner": Amount(1, 8),
            "demo_with_session": Amount(1, 6),
            "subuser": Amount(0, 6),
            "tariff_restricted": Amount(1, 6),
        },
        Bound(
            Amount(130, 600),
            {
                "owner": Amount(10, 60),
                "other_owner": Amount(10, 60),
                "demo_with_session": Amount(6, 60),
                "subuser": Amount(7, 60),
                "tariff_restricted": Amount(7, 60),
            },
            kept=0,
        ),
        kept=0,
    ),
    "privacy": Bound(Amount(0, 5)),
    "rate_limit": Bound(_NOTHING),
    "follow-up": Bound(
        Amount(0, 65),
        {
            "owner": Amount(0, 10),
            "other_owner": Amount(0, 6),
            "owner_without_session": Amount(0, 4),
            "demo_with_session": Amount(0, 4),
            "demo_without_session": Amount(0, 4),
            "subuser": Amount(0, 4),
            "tariff_restricted": Amount(0, 4),
        },
    ),
}
#: Where the target file lets the rate limit be provoked.
PROVOKED: Final = Bound(Amount(151, 200))
#: A group that is not in the table yet may send this much.
_UNKNOWN: Final = Bound(Amount(0, 100), {"owner": Amount(0, 10)})


@dataclass(frozen=True)
class Ledger:
    """What a run of some groups sends."""

    requests: Mapping[str, Amount]
    creates: Mapping[str, Amount]

    @property
    def all_requests(self) -> Amount:
        """The requests of all groups."""
        return sum(self.requests.values(), _NOTHING)

    @property
    def all_creates(self) -> Amount:
        """The creates as all accounts; the session lets no more through than the most."""
        return sum(self.creates.values(), _NOTHING)


def ledger(
    groups: Iterable[str],
    *,
    thorough: bool,
    provoke: bool,
    rule: Rotation,
    fixed: Iterable[str],
    fresh: Iterable[str],
) -> Ledger:
    """What a run of *groups* sends, where accounts are *fixed* by the target file or made *fresh* by the hook."""
    named, made = set(fixed), set(fresh)
    rotates = may_create(_OWNER, rule, fixed=_OWNER in named, fresh=_OWNER in made)
    requests: dict[str, Amount] = {}
    creates: dict[str, Amount] = {}
    for name in dict.fromkeys(("setup", "baseline", *groups, "follow-up")):
        bound = PROVOKED if name == "rate_limit" and provoke else BOUNDS.get(name, _UNKNOWN)
        if thorough and bound.thorough is not None:
            bound = bound.thorough
        # Without an owner there is nothing but the first contact.
        usual = bound.usual(named | made, rotates=rotates) if _OWNER in named | made or name == "setup" else 0
        requests[name] = Amount(usual, bound.requests.most)
        for account, amount in bound.creates.items():
            if may_create(account, rule, fixed=account in named, fresh=account in made):
                sent = amount if usual else Amount(0, amount.most)
                creates[account] = creates.get(account, _NOTHING) + sent
    return Ledger(requests, creates)


def may_create(account: str, rule: Rotation, *, fixed: bool, fresh: bool) -> bool:
    """Whether ``create`` is called as *account* with its good credential at all."""
    if account in REFUSED_BY_CONTRACT and fixed:
        return True
    if fixed:
        return rule.allowed and account != NEVER_CREATES
    return fresh and not rule.forbidden_everywhere
