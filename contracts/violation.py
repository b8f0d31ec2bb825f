"""A requirement that an exchange breaks, and in what."""

from __future__ import annotations

from dataclasses import dataclass, field

from contracts.exchange import Exchange


@dataclass(frozen=True)
class Violation:
    """One broken requirement: what was expected, what was got, and the exchanges that show it, the last one first.

    ``possible`` are other requirements that explain the same as well, where one had to be chosen.
    """

    requirement: str
    message: str
    expected: str
    actual: str
    exchanges: tuple[Exchange, ...] = field(default=(), repr=False)
    possible: tuple[str, ...] = ()

    @property
    def exchange(self) -> Exchange | None:
        """The exchange that shows it."""
        return self.exchanges[0] if self.exchanges else None
