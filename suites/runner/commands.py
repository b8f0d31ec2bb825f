"""What the command does without tests: list the catalogue, compare two reports."""

from __future__ import annotations

from pathlib import Path

from contracts.requirements import catalogue, select
from fixtures.errors import SetupError
from reports.comparison import compare as comparison_of
from reports.comparison import read


def list_requirements(names: list[str]) -> None:
    """Print the catalogue, or the part of it that *names* stand for."""
    try:
        chosen = select(names) if names else list(catalogue())
    except KeyError as error:
        raise SetupError(f"--requirement {error.args[0]!r} is no id or tag of the catalogue") from None
    for name in chosen:
        entry = catalogue()[name]
        print(f"{entry.id}  {entry.level}  {entry.profile}")
        print(f"    {entry.obligation}")
        print(f"    {'; '.join(map(str, entry.sources))}")
        if entry.untested:
            print(f"    not tested: {entry.untested}")


def compare(old: Path, new: Path) -> int:
    """Print which requirements changed between two reports; 1 where anything got worse. Raises ``SetupError``."""
    comparison = comparison_of(read(old), read(new))
    print("\n".join(comparison.lines()))
    return 1 if comparison.worse else 0
