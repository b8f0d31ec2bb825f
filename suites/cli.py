"""The command ``delivery-conformance``: pytest on the conformance suite, from any directory."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from suites.runner import environment, interrupt
from suites.runner import help as help_texts

#: The exit code where the suite itself broke.
_BROKEN = 3
#: The plugins that pytest.ini names, and where they are. pytest reads the metadata of every installed package for each that it has to find.
PLUGINS: Final[Mapping[str, str]] = {
    "suites.runner.environment": "suites.runner.environment",
    "allure_pytest": "allure_pytest.plugin",
    "base_url": "pytest_base_url.plugin",
    "hypothesispytest": "_hypothesis_pytestplugin",
    "xdist": "xdist.plugin",
}


def main(argv: list[str] | None = None) -> int:
    """Run the suite with *argv*, options of this suite and of pytest; the exit code."""
    from suites.runner import streams

    streams.prepare()
    try:
        with environment.owned() as given:
            return _run(list(sys.argv[1:] if argv is None else argv), given)
    finally:
        streams.finish()


def _run(arguments: list[str], given: environment.Given) -> int:
    if help_texts.answer(arguments):
        return 0
    from suites.runner.usage import usage

    try:
        Path.cwd()
    except FileNotFoundError:
        return usage("the working directory is gone: change to one that exists")
    import pytest

    from fixtures.errors import SetupError
    from suites.runner import paths
    from suites.runner.start import Begun, Frozen

    begun = Begun(given, PLUGINS)
    # Looking through all of it again and again took a tenth of the run; a caller who lets the collector run decides for himself.
    plugins = [begun] if gc.isenabled() else [begun, Frozen()]
    fixed = _fixed(arguments)
    # What pytest calls its help is more than the suite's.
    options = ["--help" if each == help_texts.ALL else each for each in arguments]
    try:
        # Before the options: the last of them might else take it for its value.
        return int(pytest.main([*fixed, str(paths.SUITE), *options], plugins=plugins))
    except SetupError as error:
        return usage(str(error))
    except KeyboardInterrupt:
        # It came before the run had begun, or after its end.
        return interrupt.say()
    except Exception as error:
        if begun.so:
            _report(error, whole="--full-trace" in arguments)
            return _BROKEN
        # pytest says this with a traceback, and ends as if a test had failed.
        said = str(error) or type(error).__name__
        where = "an option of pytest's, or PYTEST_ADDOPTS or PYTEST_PLUGINS of the environment, cannot be used"
        return usage(f"{where}: {said}")


def _fixed(arguments: list[str]) -> list[str]:
    """The options of pytest that every run has, but where *arguments* or the environment say otherwise."""
    from suites.runner import paths

    # The plugin is named in pytest.ini, and here for those who have a file of their own (-c).
    fixed = ["-c", str(paths.ROOT / "pytest.ini"), "--rootdir", str(paths.ROOT), "-p", "suites.runner.plugin"]
    # The suite itself starts nothing that writes past Python's streams, and to look into two files after each step takes time.
    fixed.append("--capture=sys")
    if not any("cache_dir" in argument or "no:cacheprovider" in argument for argument in arguments):
        fixed += ["-o", f"cache_dir={_cache(paths.ROOT)}"]
    # Nothing of the suite is logged, and to listen for it takes longer than most checks: only who asks for a log has one.
    if not any("log" in text for text in (*arguments, os.environ.get("PYTEST_ADDOPTS", ""))):
        fixed += ["-p", "no:logging"]
    return fixed


def _report(error: Exception, *, whole: bool) -> None:
    """Say that the suite itself broke."""
    from suites.runner.console import broke
    from suites.runner.usage import usage

    if whole:
        import traceback

        traceback.print_exc()
    usage(broke(error))


def command() -> int:
    """:func:`main` as a process of its own, which a signal may end at any time."""
    interrupt.leave_at_once()
    # What start-up makes is kept: there is nothing to collect before the first test.
    gc.disable()
    return interrupt.leave(main())


def _cache(root: Path) -> Path:
    """Where pytest remembers what failed, for ``--lf``: never in the installed package, and anywhere when nothing else is writable."""
    here = root if (root / "pyproject.toml").is_file() else Path.cwd()
    if os.access(here, os.W_OK):
        return here / ".pytest_cache"
    import tempfile

    return Path(tempfile.gettempdir()) / f"delivery-conformance-{os.getuid()}" / "pytest"


if __name__ == "__main__":
    sys.exit(command())
