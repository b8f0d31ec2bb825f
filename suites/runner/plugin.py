"""The pytest plugin of the conformance suite, named in ``pytest.ini``: its options, and the hooks of a run.

The module adds the options and looks at what is asked for. A run that judges a target then has a plugin of its own,
:class:`Conformance`; any other, of the project's own tests say, has none, and pytest is as it is without the suite.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any

import pytest

from contracts import schemas
from contracts.rules import predictability
from fixtures.errors import SetupError, TargetLost
from reports.formats.progress import Progress
from reports.redaction import libraries
from suites.runner import conclude, console, explain, interrupt, outcomes, paths, plan, setup
from suites.runner.disk import Disk
from suites.runner.first_contact import first_contact
from suites.runner.interrupt import Interrupts
from suites.runner.items import choose, group_of, requirements_of, shorten
from suites.runner.options import add_options
from suites.runner.run import Run
from suites.runner.state import State
from suites.runner.usage import usage
from suites.runner.whole_run import WholeRun

_STATE = pytest.StashKey[State]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the suite."""
    add_options(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Check everything that a user can get wrong, before pytest starts; run what needs no target."""
    if config.getoption("help", default=False) or config.getoption("version", default=0):
        return None
    if not paths.concerned(config):
        return None
    paths.default_to_suite(config)
    interrupts = Interrupts(lambda: _stop(config))
    config.add_cleanup(interrupts.undo)
    try:
        code = setup.without_tests(config)
        if code is not None:
            return code
        state = setup.prepare(config, interrupts)
    except SetupError as error:
        return usage(str(error))
    except KeyboardInterrupt:
        return interrupt.say()
    config.stash[_STATE] = state
    config.pluginmanager.register(Conformance(config, state))
    setup.begin(config, state)
    return None


def run_of(config: pytest.Config) -> Run:
    """The run that the tests share."""
    return config.stash[_STATE].the_run


def _stop(config: pytest.Config) -> None:
    state = config.stash.get(_STATE, None)
    if state is not None:
        state.stop()


class Conformance:
    """The hooks of one run that judges a target."""

    def __init__(self, config: pytest.Config, state: State) -> None:
        self._config = config
        self._state = state

    # ------------------------------------------------------------------ before the run

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Put the redaction below everything that is written."""
        if not config.getoption("collectonly"):
            # What is registered last is called first: JUnit's texts are masked when the last of them is said.
            config.pluginmanager.register(libraries.JunitRedaction(config, self._state.vault))
            config.pluginmanager.register(WholeRun(self._state))
            config.pluginmanager.register(Disk(config, self._state))
        console.redact(config, self._state)

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """The run begins, unless a signal came while pytest started."""
        self._state.session = session
        if self._state.interrupts.caught:
            # The exception was lost while the run began.
            raise KeyboardInterrupt

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Bring the files into the order of the contract and leave out what was not asked for."""
        kept, left = choose(items, self._state.options)
        if left:
            self._state.ours = True
            config.hook.pytest_deselected(items=left)
            self._state.ours = False
        items[:] = kept
        for item in items:
            if isinstance(item, pytest.Function):
                shorten(item)

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        """Note what pytest's own options leave out: what is verified in part is not verified."""
        if not self._state.ours:
            self._state.results.left_out.update(name for item in items for name in requirements_of(item))

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Print what was asked for of the tests, or the progress by kind of requirement, unless each test is said of, or none."""
        config, state = self._config, self._state
        reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
        totals: dict[str, int] = {}
        for item in session.items:
            totals[group_of(item.nodeid)] = totals.get(group_of(item.nodeid), 0) + 1
        accounts = plan.sources(state.options)
        state.ledger = plan.ledger_of(state.options, list(totals), accounts)
        if config.getoption("--explain"):
            print("\n".join(explain.explain(state.options.requirements or (), session.items)))
        elif config.getoption("--plan"):
            print("\n".join(plan.plan(state.options, list(totals), len(session.items), accounts)))
        if setup.only_prints(config):
            session.items.clear()
        if reporter is None or config.getoption("collectonly") or config.get_verbosity() != 0:
            return
        reporter.showfspath = False
        reporter._show_progress_info = False
        state.progress = Progress(reporter, totals, live=reporter.isatty and config.getoption("capture") != "no")

    # ------------------------------------------------------------------ the run

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Make the first contact before the first test; without it there is nothing to run."""
        state = self._state
        if session.config.getoption("collectonly"):
            return None
        try:
            if state.served is not None:
                state.served.start(state.base_url)
            # The target starts meanwhile; the first answer does not wait for it.
            schemas.prepare("success", "error")
            if state.embedded is not None:
                for _ in predictability.preparing(time.time()):
                    if state.embedded.known_url is not None:
                        break
            state.start()
            if session.shouldstop:
                raise session.Interrupted(session.shouldstop)
            first_contact(state.the_run, state.base_url, state.options.wait, state.served)
        except SetupError as error:
            console.give_up(session.config, state, str(error))
            return True
        except TargetLost as error:
            state.results.lost = str(error)
            state.results.unreachable = True
            return True
        return None

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> Generator[None, Any, Any]:
        """Run a test and turn what it found into a result for each requirement, then into pytest's own outcome."""
        return (yield from outcomes.run_test(self._state, pyfuncitem))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Redact what a test's report says, and send its results along with it."""
        report = yield
        outcomes.complete_report(self._state, item, call, report)
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take in the results of a test."""
        outcomes.take_in(report, self._state.results.add)

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport | pytest.CollectReport) -> tuple[str, str, str] | None:
        """The word for a test."""
        return outcomes.word_of(self._state, report) if isinstance(report, pytest.TestReport) else None

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """A test is done."""
        state = self._state
        if state.progress is not None:
            state.progress.add(group_of(nodeid), state.words.get(nodeid, "passed"))

    # ------------------------------------------------------------------ after the run

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """A run that was interrupted has no verdict."""
        self._state.results.interrupted = True
        if not self._config.getoption("fulltrace"):
            interrupt.shorten(excinfo)
        interrupt.with_lines(excinfo)

    @pytest.hookimpl(tryfirst=True)
    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> bool | None:
        """Something broke outside of the tests: say so in a line, unless a traceback was asked for."""
        if self._config.getoption("fulltrace") or self._state.setup_error is not None:
            return None
        console.broken(self._config, self._state, excinfo.value)
        return True

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Come to the verdict."""
        setup.leave_hypothesis_out(self._config)
        if setup.only_prints(self._config) and exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            session.exitstatus = 0
        if not self._config.getoption("collectonly"):
            conclude.conclude(self._state, session, exitstatus)

    def pytest_terminal_summary(self, terminalreporter: Any, config: pytest.Config) -> None:
        """Print the verdict."""
        conclude.summarize(self._state, config, terminalreporter)

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self, config: pytest.Config) -> None:
        """Write the reports."""
        if not config.getoption("collectonly"):
            conclude.finish(self._state, config)
