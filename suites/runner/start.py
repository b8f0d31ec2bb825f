"""What the command itself has a part in, of pytest's start: its options, its errors, and its garbage collector."""

from __future__ import annotations

import contextlib
import gc
import importlib
from collections.abc import Generator, Mapping
from typing import Any

import pytest

from fixtures.errors import SetupError
from suites.runner import paths
from suites.runner.environment import Given
from suites.runner.usage import usage

#: So many new objects, some megabytes of them, and the garbage collector looks at them; a run makes few that refer to each other.
_OBJECTS = 50_000


class Begun:
    """Knows when pytest has read its options, with every plug-in and file that they name; then says what is to be run.

    *given* is the environment of the run; *plugins* are those that pytest.ini names, each with its module.
    """

    def __init__(self, given: Given, plugins: Mapping[str, str]) -> None:
        self.so = False
        self._given = given
        self._plugins = plugins
        self._parser: pytest.Parser | None = None

    def pytest_plugin_registered(self, plugin: object, manager: pytest.PytestPluginManager) -> None:
        """Register the others, right after this one."""
        if plugin is self:
            manager.register(self._given, self._given.NAME)
            for name, module in self._plugins.items():
                # One that is elsewhere, pytest finds; one that is not installed, it misses.
                with contextlib.suppress(ImportError):
                    if not manager.is_blocked(name):
                        manager.register(importlib.import_module(module), name)

    def pytest_addoption(self, parser: pytest.Parser) -> None:
        """Give pytest's messages the name of the command."""
        parser.prog = "delivery-conformance"
        self._parser = parser

    @pytest.hookimpl(wrapper=True)
    def pytest_cmdline_parse(self) -> Generator[None, Any, Any]:
        """Say what is wrong with the arguments."""
        try:
            return (yield)
        except pytest.UsageError as error:
            from suites.runner.options import wrong_arguments

            # pytest says this with its usage, which is longer than a screen.
            names = self._parser.optparser._option_string_actions if self._parser is not None else ()
            raise SetupError(wrong_arguments(str(error), names)) from None

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> Generator[None, Any, Any]:
        """Find the tests that are named, from whatever directory."""
        self.so = True
        config.stash[paths.COMMAND] = True
        config.args[:] = paths.named(config.args)
        try:
            return (yield)
        except pytest.UsageError as error:
            # A path or test that is not there. pytest would say it in lines of its own.
            return usage(str(error).removeprefix("ERROR: "))


class Frozen:
    """Puts what there is when the tests begin, all of which stays, out of the way of the garbage collector."""

    def pytest_collection_finish(self) -> None:
        """The tests are about to begin."""
        gc.freeze()
        gc.set_threshold(_OBJECTS)
        gc.enable()
