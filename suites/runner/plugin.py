"""The pytest plugin of the conformance suite: options, the run, results, verdict, outputs."""

from __future__ import annotations

import contextlib
import errno
import functools
import inspect
import io
import secrets
import sys
import time
from collections.abc import Callable, Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from contracts.requirements import catalogue
from contracts.violation import Violation
from fixtures.accounts import Accounts
from fixtures.calls import GET_QUERY, POST_JSON, call
from fixtures.errors import NotAvailable, SetupError, TargetLost
from fixtures.http.guard import Guard, is_loopback, rotation
from fixtures.http.session import Session
from fixtures.provider_states import StatesHook
from fixtures.secrets import Vault
from reports import allure, outputs
from reports.exchange import violation_record
from reports.formats import document, terminal
from reports.formats.progress import Progress
from reports.redaction.streams import RedactingStream, redact_logging, redact_streams, redact_trace, sweep
from reports.results import USAGE, Conclusion, Results, TestOutcome, TestResult, Word
from reports.words import count, spoken, visible
from suites.runner import commands, interrupt, leftovers, plan
from suites.runner.budget import Ledger
from suites.runner.interrupt import Interrupts
from suites.runner.options import Options, add_options, resolve
from suites.runner.run import Run
from suites.runner.selection import narrowed
from suites.runner.trial import Blocked, Stop, Trial
from suites.scenarios.controls import UNKNOWN, Evidence
from suites.scenarios.generated import EXAMPLES, register

STATE = pytest.StashKey["State"]()
TRIAL = pytest.StashKey[Trial]()
OUTCOME = pytest.StashKey[dict[str, Any]]()
BROKEN = pytest.StashKey[dict[str, Any]]()
#: The files of the suite in the order of the contract.
_FILES = ("success", "errors", "calls", "credentials", "bad_input", "state", "state_machine", "privacy", "rate_limit")


#: Where pytest itself gave up there is nothing to conclude from.
_NO_RUN = (pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR)
#: What is said of a disk or file in which nothing more fits.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
#: A test with no more rows than this keeps them all in ``smoke``.
_FEW_ROWS = 3


class ConformanceFailure(Exception):
    """A target broke the contract: the text is the whole story, redacted, after a line that says it in short."""

    def __init__(self, line: str, story: str) -> None:
        super().__init__(line)
        self._story = story

    def story(self, vault: Vault) -> terminal.Story:
        """The whole story, for pytest."""
        return terminal.Story.of(vault.mask(self._story), vault.mask(str(self)))


#: Accounts whose keys a run replaces where it may: their links break. The others are refused, or have no key to lose.
_ROTATED = ("owner", "other_owner")
_NO_KEY_TO_LOSE = ("demo_without_session", "owner_without_session")


class State:
    """What the plugin keeps for the length of a run."""

    def __init__(self, options: Options, interrupts: Interrupts) -> None:
        self.options = options
        self.interrupts = interrupts
        self.vault = Vault()
        for account, value in options.target.credentials.items():
            self.vault.add(value, account)
        self.results = Results(options.profile, options.waivers)
        self.embedded: Any = None
        self.run: Run | None = None
        self.evidence: Evidence | None = None
        #: What ends the run without a verdict: the set-up, or outputs that cannot be written.
        self.setup_error: str | None = None
        self.session: pytest.Session | None = None
        self.started = datetime.now(UTC)
        self.clock = time.monotonic()
        self.conclusion: Conclusion | None = None
        self.seed: int | None = None
        self.selection: list[str] = []
        self.book = allure.Book(self.vault)
        self.document: dict[str, Any] | None = None
        self.ledger: Ledger | None = None
        self.progress: Progress | None = None
        self.words: dict[str, Word] = {}
        self.note: str | None = None
        #: Whether it is the plugin that leaves tests out: another profile's, or those that were not asked for.
        self.ours = False
        #: Prints a line on the terminal in the middle of the run.
        self.say: Callable[[str], None] = print

    @property
    def base_url(self) -> str:
        """The base URL of what is judged."""
        return self.options.base_url or str(self.embedded.base_url)

    @property
    def shown_url(self) -> str:
        """The same for a report, which waits for nothing: a run may end before its emulator is there."""
        return self.options.base_url or str(self.embedded.known_url or "an emulator that was not ready")

    def start(self) -> None:
        """Make the run: session, guard, accounts. Sends nothing."""
        options = self.options
        if options.base_url is None:
            states: str | None = self.embedded.states_url
        else:
            states = options.target.states_url
        target = options.target
        base_url = self.base_url
        rule = rotation(base_url, flag=options.allow_key_rotation, in_file=target.allow_key_rotation)
        guard = Guard(rule, self.vault, self.ledger.all_creates.most if self.ledger is not None else None)
        loopback = is_loopback(base_url)
        session = Session(base_url, target.http, self.vault, guard, loopback=loopback)
        hook = StatesHook(states, target.http.ca_bundle) if states else None
        accounts = Accounts(target.credentials, target.absent, hook, self.vault, guard)
        examples = {"generated": EXAMPLES[options.hypothesis_profile]}
        self.run = Run(
            session,
            accounts,
            self.vault,
            options.profile,
            rule,
            examples,
            thorough=options.hypothesis_profile == "thorough",
            smoke=options.hypothesis_profile == "smoke",
            seed=self.seed,
            loopback=loopback,
        )
        self.evidence = Evidence(self.run)
        if self.ledger is not None:
            self.run.most_creates.update(self.ledger.most_creates)
        if not loopback and rule.allowed:
            session.before_first_create = self._announce

    def _announce(self, account: str) -> None:
        """Say whose keys are about to be replaced, before the first one is."""
        assert self.run is not None
        if self.run.accounts.is_fixed(account) and account in _ROTATED:
            most = self.run.most_creates.get(account)
            keys = "keys" if most is None else f"at most {count(most, 'key')}"
            self.say(f"key rotation: this run will replace {keys} of {account}: {self.run.rotation.reason}")

    def rotated(self) -> str | None:
        """How many keys of which account the run has replaced, on a target where that matters to somebody.

        Those of accounts that should have been refused too: a broken target has replaced them.
        """
        run = self.run
        if run is None or run.loopback:
            return None
        given = run.session.tally.keys_by_account
        replaced = {
            name: number
            for name, number in given.items()
            if run.accounts.is_fixed(name) and name not in _NO_KEY_TO_LOSE
        }
        if not replaced and not run.rotation.allowed:
            return None
        said = ", ".join(f"{count(number, 'key')} of {name}" for name, number in replaced.items())
        return f"key rotation: this run has replaced {said or 'no key'}"


# ---------------------------------------------------------------------- before the run


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the suite."""
    add_options(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Check everything that a user can get wrong, before pytest starts; run what needs no target."""
    if config.getoption("help", default=False) or config.getoption("version", default=0):
        return None
    interrupts = Interrupts(lambda: _stop(config))
    config.add_cleanup(interrupts.undo)
    try:
        if config.getoption("--list-requirements"):
            commands.list_requirements(config.getoption("--requirement"))
            return 0
        if config.getoption("--compare"):
            return commands.compare(*map(Path, config.getoption("--compare")))
        options = resolve(config)
        state = State(options, interrupts)
        if config.getoption("--plan"):
            # Tests are collected and not run; nothing but the plan is printed.
            config.option.collectonly = True
            config.option.verbose = -2
        if not config.getoption("collectonly"):
            outputs.begin(options.report_dir)
        _wire_outputs(config, state)
    except SetupError as error:
        return usage(str(error))
    except KeyboardInterrupt:
        return interrupt.say()
    register()
    config.stash[STATE] = state
    _one_process(config)
    allure.install(state.book)
    if options.base_url is None and not config.getoption("collectonly"):
        from fixtures.emulator.embedded import start

        state.embedded = start()
        config.add_cleanup(state.embedded.stop)
    return None


def _stop(config: pytest.Config) -> None:
    """The run is interrupted, whatever becomes of the exception: break what is under way, in whatever thread it waits."""
    state = config.stash.get(STATE, None)
    if state is None or state.conclusion is not None:
        return
    state.results.interrupted = True
    if state.session is not None:
        state.session.shouldstop = "the run was interrupted"
    if state.run is not None:
        state.run.session.stop("the run was interrupted")


def usage(message: str) -> int:
    """Say in one line what is wrong, and end with the code for it."""
    print(f"delivery-conformance: {visible(' '.join(message.split()))}", file=sys.stderr)
    return USAGE


def _one_process(config: pytest.Config) -> None:
    """One pace and one set of accounts: more processes would only wait for each other."""
    if config.getoption("numprocesses", default=None):
        config.option.numprocesses = None
        config.option.dist = "no"
        config.option.tx = []
        print(
            "delivery-conformance: -n is not needed: the pace and the accounts are one, so the run uses one process",
            file=sys.stderr,
        )


def _wire_outputs(config: pytest.Config, state: State) -> None:
    options = state.options
    if config.getoption("collectonly"):
        return
    folder = options.report_dir
    config.option.xmlpath = str(folder / "junit.xml")
    config.option.allure_report_dir = str(folder / "allure-results")
    # What pytest remembers for --lf goes beside the reports: the working directory may be read-only.
    if not config.getoption("hypothesis_profile", default=None):
        config.option.hypothesis_profile = options.hypothesis_profile
    if options.hypothesis_profile == "thorough":
        state.seed = _seed(config)
        config.option.hypothesis_seed = str(state.seed)


def _seed(config: pytest.Config) -> int:
    """The seed that was asked for, or one that nobody has thought of; it is printed, and repeats the run."""
    given = config.getoption("hypothesis_seed", default=None)
    if given is None:
        return secrets.randbelow(2**32)
    try:
        return int(given)
    except ValueError:
        raise SetupError(f"--hypothesis-seed {given!r} is not a number") from None


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say what is judged, before anything is sent."""
    state = config.stash.get(STATE, None)
    if state is None:
        return []
    options = state.options
    lines = [f"target: {options.base_url or 'the embedded emulator'}, profile {options.profile}"]
    if state.seed is not None:
        lines.append(f"seed of the generated examples: {state.seed} (--hypothesis-seed {state.seed} repeats them)")
    return lines


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Put the redaction below everything that is written."""
    state = config.stash.get(STATE, None)
    if state is None:
        return
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        reporter._tw._file = RedactingStream(reporter._tw._file, state.vault)
        state.say = functools.partial(_say, reporter, config.pluginmanager.get_plugin("capturemanager"))
    if not config.getoption("collectonly"):
        config.pluginmanager.register(_Leftovers(state))
        config.pluginmanager.register(_Disk(config, state))
    redact_streams(state.vault, config.pluginmanager.get_plugin("capturemanager"))
    redact_trace(state.vault, config.trace.root)
    config.add_cleanup(redact_logging(state.vault))


def _give_up(config: pytest.Config, state: State, message: str) -> None:
    """End the run without a verdict: what pytest would still tell of its tests says nothing, so *message* is the last line."""
    state.setup_error = message
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        if reporter._tw.width_of_current_line:
            reporter._tw.line()
        reporter._tw.flush()
        reporter._tw._file = io.StringIO()


def _say(reporter: Any, capture: Any, line: str) -> None:
    """Print a line past whatever is being captured: nobody reads what a test that passes has printed."""
    with capture.global_and_fixture_disabled() if capture is not None else contextlib.nullcontext():
        if reporter._tw.width_of_current_line:
            reporter._tw.line()
        reporter.write_line(line)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Bring the files into the order of the contract and leave out what was not asked for."""
    state = config.stash.get(STATE, None)
    if state is None:
        return
    items.sort(key=_place)
    chosen = state.options.requirements
    profile = state.options.profile
    kept: list[pytest.Item] = []
    left: list[pytest.Item] = []
    for item in items:
        ids = requirements_of(item)
        unknown = [name for name in ids if name not in catalogue()]
        if unknown or not ids:
            raise pytest.UsageError(f"{item.nodeid} names no requirement, or one that is unknown: {unknown}")
        wanted = any(catalogue()[name].in_profile(profile) for name in ids) and _in_profile(item, profile)
        if wanted and (chosen is None or any(name in chosen for name in ids)):
            kept.append(item)
        else:
            left.append(item)
    if state.options.hypothesis_profile == "smoke":
        kept, thinned = _thin(kept)
        left += thinned
    if left:
        state.ours = True
        config.hook.pytest_deselected(items=left)
        state.ours = False
    items[:] = kept


def pytest_deselected(items: list[pytest.Item]) -> None:
    """Note what pytest's own options leave out: what is verified in part is not verified."""
    if _active is not None and not _active.ours:
        _active.results.left_out.update(name for item in items for name in requirements_of(item))


def _thin(items: list[pytest.Item]) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """For ``smoke``: of a test with many rows every fourth, and of each requirement at least its first row."""
    rows: dict[str, list[pytest.Item]] = {}
    for item in items:
        rows.setdefault(item.nodeid.partition("[")[0], []).append(item)
    kept: set[pytest.Item] = set()
    seen: set[tuple[str, str]] = set()
    for name, group in rows.items():
        for number, item in enumerate(group):
            fresh = {(name, requirement) for requirement in requirements_of(item)} - seen
            seen |= fresh
            if fresh or len(group) <= _FEW_ROWS or number % 4 == 0:
                kept.add(item)
    return [item for item in items if item in kept], [item for item in items if item not in kept]


def _place(item: pytest.Item) -> tuple[int, int]:
    name = item.path.stem.removeprefix("test_")
    last = 1 if item.get_closest_marker("last") else 0
    return (last, _FILES.index(name) if name in _FILES else len(_FILES))


def _in_profile(item: pytest.Item, profile: str) -> bool:
    callspec: Any = getattr(item, "callspec", None)
    style = callspec.params.get("style") if callspec else None
    return style is None or profile == "platform" or style.profile == "core"


def requirements_of(item: pytest.Item) -> tuple[str, ...]:
    """The requirements that *item* verifies, in the order in which its marks name them."""
    return tuple(dict.fromkeys(name for mark in reversed(list(item.iter_markers("requirement"))) for name in mark.args))


# ---------------------------------------------------------------------- the run


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Make the first contact before the first test; without it there is nothing to run."""
    state = session.config.stash.get(STATE, None)
    if state is None or session.config.getoption("collectonly"):
        return None
    try:
        state.start()
        if session.shouldstop:
            raise session.Interrupted(session.shouldstop)
        first_contact(state)
    except SetupError as error:
        _give_up(session.config, state, str(error))
        return True
    except TargetLost as error:
        state.results.lost = str(error)
        state.results.unreachable = True
        return True
    return None


def first_contact(state: State) -> None:
    """Ask the target anything, waiting for it as long as asked to. Raises ``TargetLost`` where nothing answers."""
    run = state.run
    assert run is not None
    deadline = time.monotonic() + state.options.wait
    probe = call("read", GET_QUERY, UNKNOWN)
    while True:
        found: list[Violation] = []
        run.sink = found.append
        answer = run.session.exchange(probe)
        if answer.kind != "nothing":
            break
        if time.monotonic() >= deadline:
            run.session.lost = f"no answer to the first request: {answer.exchange.failure}"
            raise TargetLost(run.session.lost)
        run.session.revive()
        time.sleep(min(0.25, max(0.0, deadline - time.monotonic())))
    run.sink = run.pending.append
    assert state.evidence is not None
    state.evidence.first = answer
    state.evidence.findings[id(answer)] = found
    response = answer.exchange.response
    assert response is not None
    location = response.header("Location") or ""
    if 300 <= response.status < 400 and _same_host_by_https(state.base_url, location):
        raise SetupError(f"{state.base_url} redirects to https: give the https address as the base URL")
    if response.status == 404 and answer.kind == "foreign":
        second = run.session.exchange(call("read", POST_JSON, UNKNOWN))
        if second.status == 404 and second.kind == "foreign":
            hint = "" if state.base_url.endswith("/v2") else "; was /v2 forgotten at its end?"
            raise SetupError(f"{state.base_url} answers with a 404 page: it is not the base URL of the API{hint}")


def _same_host_by_https(base_url: str, location: str) -> bool:
    """Whether *location* is the target itself by https: the user's mistake. A redirect elsewhere is the target's (P3)."""
    try:
        here, there = urlsplit(base_url), urlsplit(location)
        return here.scheme == "http" and there.scheme == "https" and here.hostname == there.hostname
    except ValueError:
        return False


@pytest.fixture
def trial(request: pytest.FixtureRequest) -> Generator[Trial, None, None]:
    """The target, as one test has to do with it."""
    state = request.config.stash[STATE]
    assert state.run is not None
    assert state.evidence is not None
    state.run.session.group = request.node.path.stem.removeprefix("test_")
    made = Trial(state.run, state.evidence, requirements_of(request.node))
    request.node.stash[TRIAL] = made
    yield made
    made.close()


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, Any, Any]:
    """Run a test and turn what it found into a result for each requirement, then into pytest's own outcome."""
    state = pyfuncitem.config.stash.get(STATE, None)
    if state is None or TRIAL not in pyfuncitem.stash:
        return (yield)
    trial = pyfuncitem.stash[TRIAL]
    ended: tuple[TestResult, str] = ("passed", "")
    crash: BaseException | None = None
    started = time.monotonic()
    try:
        yield
    except Stop:
        broken = ", ".join(dict.fromkeys(each.requirement for each in trial.violations)) or "what was told before"
        ended = ("blocked", f"the test ended at a violation of {broken}")
    except Blocked as error:
        ended = ("blocked", str(error))
    except NotAvailable as error:
        ended = ("not_verified", str(error))
    except TargetLost as error:
        state.results.lost = str(error)
        ended = ("not_verified", f"the target went away: {error}")
    except SetupError as error:
        _give_up(pyfuncitem.config, state, str(error))
        pyfuncitem.session.shouldstop = "set-up"
        ended = ("error", str(error))
    except (pytest.skip.Exception, KeyboardInterrupt, SystemExit, pytest.exit.Exception):
        raise
    except Exception as error:  # whatever else went wrong in a test is the suite's own fault
        ended = ("error", state.vault.mask(f"{type(error).__name__}: {error}"))
        crash = error
    trial.close()
    if state.interrupts.caught:
        # The exception was lost on its way, and what the test has come to without an answer is nothing.
        raise KeyboardInterrupt
    outcome = _outcome(state, pyfuncitem, trial, ended, time.monotonic() - started)
    pyfuncitem.stash[OUTCOME] = outcome.as_json()
    if crash is not None:
        raise crash
    # The story says it all: to look the sources up for a traceback that nobody sees takes longer than the test.
    pyfuncitem.repr_failure = lambda excinfo: str(excinfo.value)  # type: ignore[method-assign]
    _raise(state, outcome)
    return True


def _outcome(
    state: State, item: pytest.Function, trial: Trial, ended: tuple[TestResult, str], seconds: float
) -> TestOutcome:
    vault = state.vault
    repeatable = item.get_closest_marker("race") is None
    records = tuple(violation_record(each, vault, repeatable=repeatable) for each in trial.violations)
    results: dict[str, tuple[TestResult, str]] = {}
    for name in trial.requirements:
        result, reason = ended
        if result == "passed" and name in trial.unproven:
            result, reason = "blocked", trial.unproven[name]
        results[name] = (result, vault.mask(reason))
    for record in records:
        results[record.requirement] = ("failed", record.message)
    return TestOutcome(item.nodeid, title_of(item), results, records, seconds, trial.requests)


def title_of(item: pytest.Item) -> str:
    """A title that a reviewer understands: the first sentence of the docstring, and the parameters."""
    return sentences_of(item)[0]


def sentences_of(item: pytest.Item) -> tuple[str, str, str]:
    """The title of *item*, its first sentence, and what else its docstring says."""
    function: Any = getattr(item, "function", None)
    first, _, rest = inspect.cleandoc(getattr(function, "__doc__", None) or item.name).partition("\n\n")
    sentence = " ".join(first.split()).rstrip(".")
    callspec: Any = getattr(item, "callspec", None)
    return f"{sentence} [{callspec.id}]" if callspec else sentence, sentence, rest.strip()


def _raise(state: State, outcome: TestOutcome) -> None:
    """Give the test the outcome in pytest that its results deserve."""
    status = state.results.status(outcome)
    if status.word == "failed":
        raise ConformanceFailure(status.message, terminal.story(outcome)) from None
    if status.word != "passed":
        pytest.skip(f"{spoken(status.word)}: {status.message}")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Redact what a test's report says, and send its results along with it."""
    report = yield
    state = item.config.stash.get(STATE, None)
    if state is None:
        return report
    vault = state.vault
    if isinstance(report.longrepr, tuple):
        path, line, message = report.longrepr
        report.longrepr = (path, line, vault.mask(message))
    elif report.longrepr is not None:
        error = call.excinfo.value if call.excinfo is not None else None
        if isinstance(error, ConformanceFailure):
            report.longrepr = error.story(vault)
        else:
            report.longrepr = terminal.Story.masked(report.longrepr, vault)
    report.sections = [(name, vault.mask(text)) for name, text in report.sections]
    if call.when == "call" and OUTCOME in item.stash:
        report.conformance = item.stash[OUTCOME]  # type: ignore[attr-defined]
    elif call.when in ("setup", "teardown") and call.excinfo is not None and report.failed:
        reason = f"{call.when} broke: {vault.mask(str(call.excinfo.value))}"
        outcome = TestOutcome(item.nodeid, title_of(item), dict.fromkeys(requirements_of(item), ("error", reason)))
        report.conformance = item.stash[BROKEN] = outcome.as_json()  # type: ignore[attr-defined]
    if call.when == "teardown":
        state.book.note(_case(state, item))
    return report


def _case(state: State, item: pytest.Item) -> allure.Case:
    """What Allure's result of *item* is to say."""
    trial = item.stash.get(TRIAL, None)
    broken = item.stash.get(BROKEN, None)
    data = item.stash.get(OUTCOME, broken)
    outcome = TestOutcome.from_json(data) if data is not None else None
    status = state.results.status(outcome) if outcome is not None else None
    if broken is not None and status is not None and status.word == "passed":
        status = state.results.status(TestOutcome.from_json(broken))
    title, _, about = sentences_of(item)
    callspec: Any = getattr(item, "callspec", None)
    return allure.Case(
        item.nodeid,
        title,
        about,
        callspec.params if callspec else {},
        requirements_of(item),
        status,
        outcome,
        trial.violations if trial else (),
        [*trial.claimed, *trial.exchanges] if trial else (),
        {name: waiver.issue or "" for name, waiver in state.results.waivers.items()},
    )


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Take in the results of a test."""
    data = getattr(report, "conformance", None)
    if data is not None and _active is not None:
        _active.results.add(TestOutcome.from_json(data))


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(report: pytest.TestReport, config: pytest.Config) -> tuple[str, str, str] | None:
    """The word for a test: what pytest counts as failed or skipped is told apart here."""
    state = config.stash.get(STATE, None)
    if state is None or not isinstance(report, pytest.TestReport):
        return None
    data = getattr(report, "conformance", None)
    if data is None:
        if report.when == "call" or not report.passed:
            return None
        return "", "", ""
    word = state.results.status(TestOutcome.from_json(data)).word
    if state.words.get(report.nodeid, "passed") == "passed":
        state.words[report.nodeid] = word
    categories = {"failed": "nonconformant", "error": "failed" if report.when == "call" else "error"}
    category = categories.get(word, spoken(word))
    letter = "" if state.progress is not None else {"passed": "."}.get(category, category[:1])
    return category, letter, category.upper()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Tell the plan, or the progress by kind of requirement, unless each test is told of, or none."""
    config = session.config
    state = config.stash.get(STATE, None)
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    if state is None:
        return
    groups = list(dict.fromkeys(_group(item.nodeid) for item in session.items))
    accounts = plan.sources(state.options, config.getoption("--target"))
    state.ledger = plan.ledger_of(state.options, groups, accounts)
    if config.getoption("--plan"):
        print("\n".join(plan.plan(state.options, groups, len(session.items), accounts)))
        session.items.clear()
    if reporter is None or config.getoption("collectonly") or config.get_verbosity() != 0:
        return
    totals: dict[str, int] = {}
    for item in session.items:
        totals[_group(item.nodeid)] = totals.get(_group(item.nodeid), 0) + 1
    reporter.showfspath = False
    reporter._show_progress_info = False
    state.progress = Progress(reporter, totals, live=reporter.isatty and config.getoption("capture") != "no")


def _group(nodeid: str) -> str:
    return nodeid.partition("::")[0].rpartition("/")[2].removesuffix(".py").removeprefix("test_")


def pytest_runtest_logfinish(nodeid: str) -> None:
    """A test is done."""
    if _active is not None and _active.progress is not None:
        _active.progress.add(_group(nodeid), _active.words.get(nodeid, "passed"))


_active: State | None = None


def pytest_sessionstart(session: pytest.Session) -> None:
    """Remember the run: reports of tests carry no way back to it."""
    global _active
    _active = session.config.stash.get(STATE, None)
    if _active is not None:
        _active.session = session
        if _active.interrupts.caught:
            # The exception was lost while the run began.
            raise KeyboardInterrupt


# ---------------------------------------------------------------------- after the run


@pytest.hookimpl(tryfirst=True)
def pytest_keyboard_interrupt(excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """A run that was interrupted has no verdict."""
    if _active is not None:
        _active.results.interrupted = True
        if _active.session is None or not _active.session.config.getoption("fulltrace"):
            interrupt.shorten(excinfo)
        interrupt.with_lines(excinfo)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Conclude and write the outputs; where the suite itself broke there is nothing to conclude."""
    state = session.config.stash.get(STATE, None)
    if state is not None and session.config.getoption("--plan") and exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
        session.exitstatus = 0
    if state is None or session.config.getoption("collectonly"):
        return
    if state.interrupts.caught:
        # Nor is what the signal broke somebody's mistake.
        state.setup_error = None
    elif exitstatus in _NO_RUN:
        return
    if state.run is not None:
        state.note = state.run.accounts.teardown(1.0 if state.results.interrupted else 5.0)
    if state.setup_error is not None:
        session.exitstatus = USAGE
        return
    # What was collected and left out is known test by test; what was not even collected is not.
    left = narrowed(session.config, state.options)
    state.results.narrowed = [each for each in left if not each.startswith("-") or each.startswith("--ignore")]
    conclusion = state.conclusion = state.results.conclude(fail_on_gaps=state.options.fail_on_gaps)
    session.exitstatus = conclusion.exit_code


class _Leftovers:
    """Tells what no test told, before the plugins that write results close their books."""

    def __init__(self, state: State) -> None:
        self._state = state

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """The tests are over."""
        state = self._state
        state.interrupts.hold()
        if state.progress is not None:
            state.progress.close()
        if state.run is None or state.evidence is None or state.setup_error is not None:
            return
        violations = leftovers.unclaimed(state.run, state.evidence)
        if violations:
            leftovers.tell(session.config, violations, state.results, state.vault, state.book)


class _Disk:
    """Ends a run whose outputs cannot be written in one line, whichever plugin was writing: it is not the suite that broke."""

    def __init__(self, config: pytest.Config, state: State) -> None:
        self._config = config
        self._state = state

    @pytest.hookimpl(tryfirst=True)
    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> bool | None:
        """Something broke outside of the tests."""
        error = excinfo.value
        folder = str(self._state.options.report_dir)
        if isinstance(error, OSError) and (error.errno in _FULL or str(error.filename).startswith(folder)):
            _give_up(self._config, self._state, unwritten(self._state, error))
            return True
        return None

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, Any, Any]:
        """Around all that is written when the tests are over."""
        try:
            yield
        except OSError as error:
            _give_up(self._config, self._state, unwritten(self._state, error))
        if self._state.setup_error is not None:
            session.exitstatus = USAGE


def unwritten(state: State, error: OSError) -> str:
    """What to say where an output could not be written."""
    return (
        f"--report-dir {state.options.report_dir} cannot be written: {error.strerror}; there is no report of this run"
    )


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Write the reports once every other plugin has written its own; the last word is of what ended the run early."""
    state = config.stash.get(STATE, None)
    if state is None or config.getoption("collectonly"):
        return
    try:
        _write_outputs(config, state)
    except OSError as error:
        state.setup_error = state.setup_error or unwritten(state, error)
    if state.setup_error is not None:
        sys.stdout.flush()
        code = usage(state.vault.mask(state.setup_error))
        if state.session is not None:
            state.session.exitstatus = code


def _write_outputs(config: pytest.Config, state: State) -> None:
    """Write the reports, and name in all that was written what is secret."""
    # What the names of tests and examples hold may be remembered here.
    for folder in (getattr(getattr(config, "cache", None), "_cachedir", None), ".hypothesis"):
        if folder is not None:
            sweep(Path(folder), state.vault, since=state.started.timestamp() - 1)
    if state.conclusion is None:
        outputs.clean(state.options.report_dir, state.vault)
        return
    report = state.document or build_document(config, state, state.conclusion)
    outputs.finish(state.options.report_dir, report, state.vault)


def build_document(config: pytest.Config, state: State, conclusion: Conclusion) -> dict[str, Any]:
    """``conformance.json`` of this run."""
    run = state.run
    options = state.options
    facts = {
        "target": {"base_url": state.shown_url, "embedded": options.base_url is None, "profile": options.profile},
        "run": {
            "options": [state.vault.mask(each) for each in options.given],
            "hypothesis_profile": options.hypothesis_profile,
            "seed": state.seed,
            "rotation": bool(run and run.rotation.allowed),
            "selection": narrowed(config, options),
            "waivers_sha256": options.waivers_sha256,
            "workers": 1,
        },
        "accounts": run.accounts.available() if run else {},
        "started": state.started.isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - state.clock, 3),
        "requests": run.session.tally.requests if run else 0,
        "requests_by_group": dict(run.session.tally.by_group) if run else {},
        "creates_by_account": dict(run.session.tally.creates_by_account) if run else {},
        "creates_by_group": dict(run.session.tally.creates_by_group) if run else {},
        "requests_to_first_failure": run.first_finding if run else None,
        "keys_created": run.session.tally.keys_created if run else 0,
    }
    return document.build(state.results, conclusion, facts)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the verdict."""
    state = config.stash.get(STATE, None)
    if state is None or state.setup_error is not None:
        return
    for line in (state.rotated(), state.note and f"note: {state.note}"):
        if line:
            terminalreporter.write_line(line)
    if state.conclusion is not None:
        state.document = build_document(config, state, state.conclusion)
        terminal.Summary(
            terminalreporter,
            state.document,
            state.options.report_dir,
            verbosity=config.get_verbosity(),
            style=config.getoption("tbstyle", default="auto"),
            width=config.get_terminal_writer().fullwidth,
        ).write()
