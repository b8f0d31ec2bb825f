"""What is known of the key of one account, call by call."""

from __future__ import annotations

from dataclasses import dataclass, field

from contracts.judge import Judgement
from contracts.register.reading import NO_SESSION

#: The account that may create once.
DEMO = "demo_without_session"
#: The accounts that have no session before the run.
NO_SESSION_AT_FIRST = frozenset({"owner_without_session", DEMO})


@dataclass
class Pending:
    """An anomaly that the next read of the account decides.

    ``index`` is its place among the anomalies, ``seen`` the key that was read and ``expected`` those that could have been. It
    has the candidates ``wrong`` where the answer was wrong by itself, and ``changed`` where the key was changed.
    """

    index: int
    expected: frozenset[str]
    seen: str
    wrong: frozenset[str]
    changed: frozenset[str]


@dataclass
class Account:
    """What is known of the key of one account. ``possible`` is None where it may be anything."""

    label: str
    possible: frozenset[str] | None = None
    past: set[str] = field(default_factory=set)
    suspects: dict[str, list[Judgement]] = field(default_factory=dict)
    source: Judgement | None = None
    unread: bool = False
    #: What concurrent calls explain of the reads after them, the keys that their creates gave, and whether one of these was read.
    after_group: frozenset[str] = frozenset()
    of_group: frozenset[str] = frozenset()
    group_was_read: bool = False
    pending: list[Pending] = field(default_factory=list)
    #: Anomalies of reads that were under way with other calls, which the next read of the account decides.
    in_group: list[int] = field(default_factory=list)
    #: Anomalies that say that a read has made a session: none has where a later one finds none.
    made_by_read: list[int] = field(default_factory=list)
    created: int = 0
    #: Whether a create may have made a key, though its answer does not say so.
    perhaps_created: bool = False
    #: The creates that gave a key, and for each value the last answer in which the account had it: what one needs to see
    #: to follow an anomaly.
    creates: list[Judgement] = field(default_factory=list)
    seen: dict[str, Judgement] = field(default_factory=dict)

    @property
    def never_created(self) -> bool:
        """Whether the account had no session before the run, and no create has made one."""
        return not self.created and self.label.partition(" ")[0] in NO_SESSION_AT_FIRST

    def explained_by_group(self, value: str) -> frozenset[str]:
        """What concurrent calls explain where *value* is read: once a key of theirs was, only another of their keys."""
        return self.after_group if not self.group_was_read or value in self.of_group else frozenset()

    def know(self, *values: str, source: Judgement | None = None) -> None:
        """The key is one of *values*."""
        self.past |= {*(self.possible or ()), *values} - {NO_SESSION}
        self.possible = frozenset(values)
        self.source = source or self.source
        self.suspects.clear()

    def forget(self) -> None:
        """The key may be anything: a write whose outcome is not known."""
        self.past |= (self.possible or frozenset()) - {NO_SESSION}
        self.possible, self.unread = None, False
        self.pending.clear()
        self.in_group.clear()
        self.after_group = frozenset()
        self.suspects.clear()
