"""The command ``delivery-conformance``: pytest on the conformance suite, from any directory."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

from suites.runner import interrupt

ROOT = Path(__file__).resolve().parents[1]
SUITE = ROOT / "suites" / "conformance"
#: What pytest itself ends with where a test run is broken, or its options are wrong.
_BROKEN = 3
_USAGE = 4


def main(argv: list[str] | None = None) -> int:
    """Run the suite with *argv*, options of this suite and of pytest; the exit code."""
    from suites.runner import streams

    streams.prepare()
    try:
        return _run(list(sys.argv[1:] if argv is None else argv))
    finally:
        streams.finish()


def _run(arguments: list[str]) -> int:
    import pytest

    class Begun:
        """Knows when pytest has read its options, with every plug-in and file that they name; then says what is to be run."""

        so = False

        @pytest.hookimpl(wrapper=True, tryfirst=True)
        def pytest_cmdline_main(self, config: pytest.Config) -> Generator[None, Any, Any]:
            self.so = True
            config.args[:] = _paths(config.args)
            return (yield)

    class Settled:
        """Puts what there is when the tests begin, all of which stays, out of the way of the garbage collector."""

        def pytest_collection_finish(self) -> None:
            gc.freeze()
            gc.enable()

    begun = Begun()
    # Looking through all of it again and again took a tenth of the run; a caller who lets the collector run decides for himself.
    plugins = [begun] if gc.isenabled() else [begun, Settled()]
    fixed = ["-c", str(ROOT / "pytest.ini"), "--rootdir", str(ROOT)]
    if not any("cache_dir" in argument or "no:cacheprovider" in argument for argument in arguments):
        fixed += ["-o", f"cache_dir={_cache()}"]
    try:
        return int(pytest.main([*fixed, *arguments, str(SUITE)], plugins=plugins))
    except KeyboardInterrupt:
        # It came before the run had begun, or after its end.
        return interrupt.say()
    except Exception as error:
        if begun.so:
            import traceback

            traceback.print_exc()
            return _BROKEN
        # pytest says this with a traceback, and ends as if a test had failed.
        said = " ".join(str(error).split()) or type(error).__name__
        where = "an option of pytest's, or PYTEST_ADDOPTS or PYTEST_PLUGINS of the environment, cannot be used"
        print(f"delivery-conformance: {where}: {said}", file=sys.stderr)
        return _USAGE


def command() -> int:
    """:func:`main` as a process of its own, which a signal may end at any time."""
    interrupt.leave_at_once()
    # What start-up makes is kept: there is nothing to collect before the first test.
    gc.disable()
    return interrupt.leave(main())


def _cache() -> Path:
    """Where pytest remembers what failed, for ``--lf``: never in the installed package, and anywhere when nothing else is writable."""
    here = ROOT if (ROOT / "pyproject.toml").is_file() else Path.cwd()
    if os.access(here, os.W_OK):
        return here / ".pytest_cache"
    import tempfile

    return Path(tempfile.gettempdir()) / f"delivery-conformance-{os.getuid()}" / "pytest"


def _paths(arguments: list[str]) -> list[str]:
    """The tests that are named, below the suite from any directory; the whole suite, which is always named, where no other is."""
    named = [each for each in arguments if each != str(SUITE)]
    return [
        str(ROOT / each)
        if each.startswith("suites/conformance") and (ROOT / each.partition("::")[0]).exists()
        else each
        for each in named
    ] or [str(SUITE)]


if __name__ == "__main__":
    sys.exit(command())
