"""The catalogue of requirements, read from ``requirements.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

_FILE = Path(__file__).with_name("requirements.toml")

PROFILES = ("core", "platform")
_BINDING = frozenset({"MUST", "MUST NOT"})
_ADVICE = frozenset({"SHOULD", "SHOULD NOT"})


@dataclass(frozen=True)
class Source:
    """A place in a document that a requirement rests on. A decision of the project has no ``url``: it gives its reason."""

    document: str
    title: str
    url: str
    section: str

    @property
    def reason(self) -> str:
        """Why the project decided so, where it is the project that did; else empty."""
        return "" if self.url else self.section

    def __str__(self) -> str:
        return f"{self.document}: {self.section}"


@dataclass(frozen=True)
class Requirement:
    """One obligation of a target, with its RFC 2119 level and the places that say so."""

    id: str
    level: str
    profile: str
    title: str
    obligation: str
    sources: tuple[Source, ...]
    untested: str | None = None

    @property
    def tag(self) -> str:
        """The tag of the point it belongs to, such as ``T2``."""
        return self.id.partition("-")[0]

    @property
    def binding(self) -> bool:
        """Whether a target that fails it is nonconformant."""
        return self.level in _BINDING

    @property
    def advice(self) -> bool:
        """Whether failing it is a warning."""
        return self.level in _ADVICE

    def in_profile(self, profile: str) -> bool:
        """Whether it counts in a run of *profile*: platform includes core."""
        return profile == "platform" or self.profile == "core"


@cache
def catalogue() -> Mapping[str, Requirement]:
    """Every requirement by its id, in the order of the contract."""
    data = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    documents = data["documents"]

    def source(text: str) -> Source:
        tag, _, section = text.partition(": ")
        return Source(tag, documents[tag]["title"], documents[tag].get("url", ""), section)

    entries = {
        row["id"]: Requirement(**{**row, "sources": tuple(map(source, row["sources"]))}) for row in data["requirement"]
    }
    return MappingProxyType(entries)


def select(names: list[str]) -> list[str]:
    """The ids that *names*, each an id or a tag, stand for, in the order of the catalogue.

    Raises ``KeyError`` with the first name that stands for nothing.
    """
    chosen: set[str] = set()
    for name in names:
        found = {entry.id for entry in catalogue().values() if name.upper() == entry.tag or name == entry.id}
        if not found:
            raise KeyError(name)
        chosen |= found
    return [requirement for requirement in catalogue() if requirement in chosen]
