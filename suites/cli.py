"""The command ``delivery-conformance``: pytest on the conformance suite, from any directory."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import sys
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any, Final

from suites.runner import environment, interrupt
from suites.runner import help as help_texts

#: The exit code where the suite itself broke.
_BROKEN = 3
#: So many new objects, some megabytes of them, and the garbage collector looks at them; a run makes few that refer to each other.
_OBJECTS = 50_000
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

    class Begun:
        """Knows when pytest has read its options, with every plug-in and file that they name; then says what is to be run."""

        so = False
        parser: pytest.Parser | None = None

        def pytest_plugin_registered(self, plugin: object, manager: pytest.PytestPluginManager) -> None:
            if plugin is self:
                manager.register(given, given.NAME)
                for name, module in PLUGINS.items():
                    # One that is elsewhere, pytest finds; one that is not installed, it misses.
                    with contextlib.suppress(ImportError):
                        if not manager.is_blocked(name):
                            manager.register(importlib.import_module(module), name)

        def pytest_addoption(self, parser: pytest.Parser) -> None:
            parser.prog = "delivery-conformance"
            self.parser = parser

        @pytest.hookimpl(wrapper=True)
        def pytest_cmdline_parse(self) -> Generator[None, Any, Any]:
            try:
                return (yield)
            except pytest.UsageError as error:
                from suites.runner.options import wrong_arguments

                # pytest says this with its usage, which is longer than a screen.
                names = self.parser.optparser._option_string_actions if self.parser is not None else ()
                raise SetupError(wrong_arguments(str(error), names)) from None

        @pytest.hookimpl(wrapper=True, tryfirst=True)
        def pytest_cmdline_main(self, config: pytest.Config) -> Generator[None, Any, Any]:
            self.so = True
            config.stash[paths.COMMAND] = True
            config.args[:] = paths.named(config.args)
            try:
                return (yield)
            except pytest.UsageError as error:
                # A path or test that is not there. pytest would say it in lines of its own.
                return usage(str(error).removeprefix("ERROR: "))

    class Settled:
        """Puts what there is when the tests begin, all of which stays, out of the way of the garbage collector."""

        def pytest_collection_finish(self) -> None:
            gc.freeze()
            gc.set_threshold(_OBJECTS)
            gc.enable()

    begun = Begun()
    # Looking through all of it again and again took a tenth of the run; a caller who lets the collector run decides for himself.
    plugins = [begun] if gc.isenabled() else [begun, Settled()]
    # The plugin is named in pytest.ini, and here for those who have a file of their own (-c).
    fixed = ["-c", str(paths.ROOT / "pytest.ini"), "--rootdir", str(paths.ROOT), "-p", "suites.runner.plugin"]
    # The suite itself starts nothing that writes past Python's streams, and to look into two files after each step takes time.
    fixed.append("--capture=sys")
    if not any("cache_dir" in argument or "no:cacheprovider" in argument for argument in arguments):
        fixed += ["-o", f"cache_dir={_cache(paths.ROOT)}"]
    # Nothing of the suite is logged, and to listen for it takes longer than most checks: only who asks for a log has one.
    if not any("log" in text for text in (*arguments, os.environ.get("PYTEST_ADDOPTS", ""))):
        fixed += ["-p", "no:logging"]
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
            _tell(error, whole="--full-trace" in arguments)
            return _BROKEN
        # pytest says this with a traceback, and ends as if a test had failed.
        said = str(error) or type(error).__name__
        where = "an option of pytest's, or PYTEST_ADDOPTS or PYTEST_PLUGINS of the environment, cannot be used"
        return usage(f"{where}: {said}")


def _tell(error: Exception, *, whole: bool) -> None:
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
