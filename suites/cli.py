"""The command ``delivery-conformance``: pytest on the conformance suite, from any directory."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from suites import interrupt

ROOT = Path(__file__).resolve().parents[1]
SUITE = ROOT / "suites" / "conformance"


def main(argv: list[str] | None = None) -> int:
    """Run the suite with *argv*, options of this suite and of pytest; the exit code."""
    import pytest

    arguments = list(sys.argv[1:] if argv is None else argv)
    fixed = ["-c", str(ROOT / "pytest.ini"), "--rootdir", str(ROOT)]
    if not any("cache_dir" in argument or "no:cacheprovider" in argument for argument in arguments):
        fixed += ["-o", f"cache_dir={_cache()}"]
    try:
        return int(pytest.main([*fixed, *_paths(arguments)]))
    except KeyboardInterrupt:
        # It came before the run had begun, or after its end.
        return interrupt.say()


def command() -> int:
    """:func:`main` as a process of its own, which a signal may end at any time."""
    interrupt.leave_at_once()
    return interrupt.leave(main())


def _cache() -> Path:
    """Where pytest remembers what failed, for ``--lf``: never in the installed package, and anywhere when nothing else is writable."""
    here = ROOT if (ROOT / "pyproject.toml").is_file() else Path.cwd()
    if os.access(here, os.W_OK):
        return here / ".pytest_cache"
    import tempfile

    return Path(tempfile.gettempdir()) / f"delivery-conformance-{os.getuid()}" / "pytest"


def _paths(arguments: list[str]) -> list[str]:
    """*arguments* with test paths below the suite made absolute, and the whole suite where none is named."""
    named = False
    result = []
    for argument in arguments:
        path = argument.partition("::")[0]
        if not argument.startswith("-") and path.startswith("suites/conformance") and (ROOT / path).exists():
            argument = str(ROOT / argument)
            named = True
        result.append(argument)
    return result if named else [*result, str(SUITE)]


if __name__ == "__main__":
    sys.exit(command())
