"""Before the run: what a user can get wrong is checked, and pytest set up for the run that the options describe."""

from __future__ import annotations

import secrets
import sys
from dataclasses import replace

import pytest

from fixtures.errors import SetupError
from fixtures.files import user_path
from reports import allure, outputs
from suites.runner import commands, environment, explain, paths, replay, serve, streams
from suites.runner.interrupt import Interrupts
from suites.runner.options import check_environment, resolve
from suites.runner.profiles import register
from suites.runner.state import State


def without_tests(config: pytest.Config) -> int | None:
    """Do what needs no test, and give its exit code; None where the run is to go on. Raises ``SetupError``."""
    check_environment(config)
    if config.getoption("--list-requirements"):
        commands.list_requirements(config.getoption("--requirement"))
        return 0
    if config.getoption("--compare"):
        with streams.standard_input(config):
            return commands.compare(*(user_path(each, "--compare") for each in config.getoption("--compare")))
    if config.getoption("--drift") is not None:
        with streams.standard_input(config):
            return commands.drift(config.getoption("--drift"))
    if config.getoption("--replay") is not None:
        with streams.standard_input(config):
            return replay.replay(config)
    return None


def prepare(config: pytest.Config, interrupts: Interrupts) -> State:
    """Check the options, empty the report directory, and pass the run on to the other plugins. Raises ``SetupError``."""
    paths.check(config)
    with streams.standard_input(config):
        options = resolve(config)
    if config.getoption("--explain"):
        options = replace(options, requirements=tuple(explain.chosen(config.getoption("--explain"))))
    state = State(options, interrupts)
    command = serve.words_of(config.getoption("--serve"), options.base_url)
    if command is not None:
        state.served = serve.Served(command, options.report_dir, state.vault)
    if only_prints(config):
        # Tests are collected and not run; nothing but what was asked for is printed.
        config.option.collectonly = True
        config.option.verbose = -2
    if not config.getoption("collectonly"):
        state.directory = outputs.begin(options.report_dir, options.base_url, options.profile)
        config.add_cleanup(state.directory.release)
        environment.say_ignored(config, state.options.base_url)
        _wire_outputs(config, state)
    return state


def only_prints(config: pytest.Config) -> bool:
    """Whether the run prints something about its tests and does not run them."""
    return bool(config.getoption("--plan") or config.getoption("--explain"))


def begin(config: pytest.Config, state: State) -> None:
    """Start what the run needs beside it: the embedded emulator, where that is the target."""
    if state.options.hypothesis_profile == "thorough":
        register()
    config.option.no_header = True
    allure.install(state.book)
    if state.options.base_url is None and not config.getoption("collectonly"):
        from fixtures.emulator.embedded import start

        state.embedded = start()
        config.add_cleanup(state.embedded.stop)


def _wire_outputs(config: pytest.Config, state: State) -> None:
    options = state.options
    folder = options.report_dir
    config.option.xmlpath = str(folder / "junit.xml")
    config.option.allure_report_dir = str(folder / "allure-results")
    thorough = options.hypothesis_profile == "thorough"
    # In all other runs nothing is generated, and Hypothesis is not even imported.
    config.option.hypothesis_profile = "thorough" if thorough else None
    if thorough:
        state.seed = _seed(config)
        config.option.hypothesis_seed = str(state.seed)


def leave_hypothesis_out(config: pytest.Config) -> None:
    """Where nothing was generated, keep Hypothesis's plugin from importing it for a summary that has nothing to say."""
    if "hypothesis" not in sys.modules:
        config.pluginmanager.unregister(name="hypothesispytest")


def _seed(config: pytest.Config) -> int:
    """The seed that was asked for, or one that no one has thought of; it is printed, and repeats the run."""
    given = config.getoption("hypothesis_seed", default=None)
    if given is None:
        return secrets.randbelow(2**32)
    try:
        return int(given)
    except ValueError:
        raise SetupError(f"--hypothesis-seed {given!r} is not a number") from None
