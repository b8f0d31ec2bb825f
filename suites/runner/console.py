"""The terminal of a run: what is written to it is redacted, and a run can say a line in its middle."""

from __future__ import annotations

import contextlib
import functools
import io
from typing import Any

import pytest

from contracts.version import VERSION
from fixtures.secrets import Vault
from reports.redaction import libraries
from reports.redaction.check import check
from reports.redaction.streams import redact_logging
from suites.runner.reporter import Reporter
from suites.runner.state import State

#: What a run ends with where the suite itself is broken.
_BROKEN = 3


def redact(config: pytest.Config, state: State) -> None:
    """Take the place of pytest's reporter, put the redaction below everything that is written, and let the run say lines.

    Ends the run before it begins where a planted secret would be shown.
    """
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    capture: Any = config.pluginmanager.get_plugin("capturemanager")
    if reporter is not None:
        reporter = Reporter.instead_of(reporter, config, _header(state))
        state.say = functools.partial(_say, reporter, capture)
    put_redaction_below(config, state.vault, reporter, capture)


def put_redaction_below(config: pytest.Config, vault: Vault, reporter: Any, capture: Any) -> None:
    """Redact what is written, and end the run before it begins where a planted secret would be shown."""
    # What another version of pytest does not have is named by the check.
    with contextlib.suppress(AttributeError):
        libraries.redact_terminal(reporter, vault)
        libraries.redact_streams(vault, capture)
        libraries.redact_trace(vault, config.trace.root)
    config.add_cleanup(redact_logging(vault))
    problem = check(config, vault)
    if problem is not None:
        # It would say the same once more.
        if reporter is not None:
            config.pluginmanager.unregister(reporter)
        pytest.exit(f"delivery-conformance: {problem}", returncode=_BROKEN)


def _header(state: State) -> list[str]:
    """What is judged and by what, in two lines, before anything is sent."""
    options = state.options
    seed = "" if state.seed is None else f", seed {state.seed} (--hypothesis-seed {state.seed} repeats its examples)"
    return [
        f"delivery-conformance {VERSION}, contract {VERSION}, profile {options.profile}{seed}",
        f"target: {options.base_url or 'the embedded emulator'}",
    ]


def give_up(config: pytest.Config, state: State, message: str) -> None:
    """End the run without a verdict: what pytest would still report of its tests says nothing, so *message* is the last line."""
    state.setup_error = message
    _silence(config)


def broken(config: pytest.Config, state: State, error: BaseException) -> None:
    """The suite itself broke: say so in the last line, in the place of pytest's traceback."""
    state.broken = broke(error)
    _silence(config)


def broke(error: BaseException) -> str:
    """The line for an error of the suite."""
    return (
        f"the suite broke, which is no word on the target: {type(error).__name__}: {error} (--full-trace shows where)"
    )


def _silence(config: pytest.Config) -> None:
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    capture: Any = config.pluginmanager.get_plugin("capturemanager")
    if reporter is not None:
        with _not_captured(capture):
            if reporter._tw.width_of_current_line:
                reporter._tw.line()
            reporter._tw.flush()
        reporter._tw._file = io.StringIO()


def _not_captured(capture: Any) -> contextlib.AbstractContextManager[None]:
    """Let what is printed while a test runs reach the terminal."""
    return capture.global_and_fixture_disabled() if capture is not None else contextlib.nullcontext()


def _say(reporter: Any, capture: Any, line: str) -> None:
    """Print a line past whatever is being captured: no one reads what a test that passes has printed."""
    with _not_captured(capture):
        if reporter._tw.width_of_current_line:
            reporter._tw.line()
        reporter.write_line(line)
