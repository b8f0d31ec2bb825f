"""What the command does without tests: list the catalogue, compare two reports, compare two documents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from contracts import bundle
from contracts.drift import DriftError, parse
from contracts.drift import compare as drift_of
from contracts.requirements import catalogue
from fixtures.errors import SetupError
from fixtures.files import read_text
from reports.comparison import compare as comparison_of
from reports.comparison import read
from reports.words import visible
from suites.runner.options import chosen_requirements

#: Bytes of a published document: that of a whole platform has a few million.
_LARGEST_DOCUMENT: Final = 64 * 1_048_576


def list_requirements(names: list[str]) -> None:
    """Print the catalogue, or the part of it that *names* stand for. Raises ``SetupError``."""
    chosen = chosen_requirements(names) if names else list(catalogue())
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
    for line in comparison.lines():
        # A report may hold whatever a target has sent.
        print(visible(" ".join(line.split())).encode("utf-8", "backslashreplace").decode())
    return 1 if comparison.worse else 0


def drift(name: str) -> int:
    """Print how a published OpenAPI document differs from the contract; 1 where it contradicts a requirement.

    Raises ``SetupError`` where the file *name* holds no such document.
    """
    if not name:
        raise SetupError("--drift is empty: is a variable not set?")
    path = Path(name)
    contract = json.loads(bundle.TARGET.read_text(encoding="utf-8"))
    try:
        found = drift_of(contract, parse(_text(path), is_yaml=path.suffix.lower() in (".yaml", ".yml")))
    except DriftError as error:
        raise SetupError(f"{path} cannot be compared: {error}") from None
    print("\n".join(visible(line) for line in found.lines()))
    return 1 if found.contradicted else 0


def _text(path: Path) -> str:
    """The text of a published document. Raises ``SetupError``."""
    try:
        return read_text(path, _LARGEST_DOCUMENT)
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise SetupError(f"{path} is not UTF-8") from None
