"""A requirement that an exchange breaks, and in what."""

from __future__ import annotations

from dataclasses import dataclass, field

from contracts.exchange import Exchange


@dataclass(frozen=True)
class Violation:
    """One broken requirement: what was expected, what was seen, and the exchanges that show it, the last one first."""

    requirement: str
    message: str
    expected: str
    actual: str
    exchanges: tuple[Exchange, ...] = field(default=(), repr=False)

    @property
    def exchange(self) -> Exchange | None:
        """The exchange that shows it."""
        return self.exchanges[0] if self.exchanges else None
