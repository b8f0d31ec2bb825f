"""Generate the stored examples anew: ``python -m suites.tools.generate``, after a change of the contract or of a strategy.

``--check`` writes nothing and exits with 1 where other examples would be made now.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any
from unittest import mock

from hypothesis.internal.conjecture import providers

from suites.runner import profiles
from suites.scenarios.generated import STORED, to_text
from suites.scenarios.strategies import SOURCES, generate


def examples() -> str:
    """The document of all stored examples."""
    profiles.register()
    found: dict[str, list[tuple[Any, ...]]] = {name: [] for name in SOURCES}
    # Hypothesis also draws what stands in the code that it finds around it: no change of that code is to change them.
    with mock.patch.object(providers, "is_local_module_file", return_value=False):
        for name, each in found.items():
            generate(name, each.append, SOURCES[name].stored, seeded=True)
    return to_text(found)


def main(argv: list[str] | None = None) -> int:
    """Write the document, or check that it is current."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where others would be made now")
    arguments = parser.parse_args(argv)
    made = examples()
    if not arguments.check:
        STORED.write_text(made, encoding="utf-8")
    elif not STORED.is_file() or STORED.read_text(encoding="utf-8") != made:
        print(f"{STORED.name} is not what would be made now: make generate", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
