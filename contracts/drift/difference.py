"""What a comparison of two documents comes to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from contracts.requirements import catalogue

Kind = Literal["otherwise", "lacks", "besides"]

_KINDS: Final[tuple[Kind, ...]] = ("otherwise", "lacks", "besides")


class DriftError(Exception):
    """The other document cannot be compared; the message says why in one line."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where the documents differ. Only ``otherwise`` contradicts the requirements that it names."""

    kind: Kind
    place: str
    what: str
    requirements: tuple[str, ...] = ()


def otherwise(place: str, what: str, *requirements: str) -> Difference:
    """The other document contradicts `requirements`."""
    return Difference("otherwise", place, what, requirements)


def lacks(place: str, what: str, *requirements: str) -> Difference:
    """The other document is silent on `what`, on which `requirements` rest."""
    return Difference("lacks", place, what, requirements)


def besides(place: str, what: str, *requirements: str) -> Difference:
    """The other document has `what`, of which the contract is silent."""
    return Difference("besides", place, what, requirements)


@dataclass(frozen=True, slots=True)
class Drift:
    """What the comparison came to."""

    published: str
    differences: tuple[Difference, ...]

    @property
    def contradicted(self) -> tuple[str, ...]:
        """The requirements that the other document says otherwise, in the order of the catalogue."""
        named = {name for each in self.differences if each.kind == "otherwise" for name in each.requirements}
        return tuple(name for name in catalogue() if name in named)

    def lines(self) -> Iterator[str]:
        """The comparison for a person: contradictions first."""
        yield f"compared with: {self.published}"
        for kind in _KINDS:
            for (what, requirements), places in self._grouped(kind).items():
                resting = ", ".join(f"{name} ({catalogue()[name].level})" for name in requirements)
                yield f"{kind}: {what}" + (f" [{resting}]" if resting else "")
                yield f"    {'; '.join(places)}"
        counted = {kind: sum(each.kind == kind for each in self.differences) for kind in _KINDS}
        yield f"said otherwise {counted['otherwise']}, lacking {counted['lacks']}, besides {counted['besides']}"
        yield f"contradicted: {', '.join(self.contradicted) or 'no requirement'}"

    def _grouped(self, kind: Kind) -> dict[tuple[str, tuple[str, ...]], list[str]]:
        """The places of each difference of a kind."""
        grouped: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        for each in self.differences:
            if each.kind == kind:
                grouped.setdefault((each.what, each.requirements), []).append(each.place)
        return grouped
