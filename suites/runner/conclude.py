"""The end of a run: its verdict, the document that says it, and what is written of it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from contracts.attribution.explanation import Explanation
from contracts.judge import Judgement
from fixtures.errors import SetupError
from reports import outputs
from reports.directory import shown
from reports.formats import document, terminal
from reports.redaction import libraries
from reports.redaction.files import sweep
from reports.results import USAGE, Conclusion
from suites.runner import record
from suites.runner.disk import unwritten
from suites.runner.items import requirements_of
from suites.runner.selection import narrowed
from suites.runner.serve import LOG, Served
from suites.runner.state import State
from suites.runner.usage import usage
from suites.runner.whole_run import explained

#: Where pytest itself gave up there is nothing to conclude from.
_NO_RUN = (pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR)
#: Seconds that the hook has to end its accounts, and what is left of them where the user waits for the run to end.
_TEARDOWN, _TEARDOWN_IN_HASTE = 5.0, 1.0


def conclude(state: State, session: pytest.Session, exitstatus: int) -> None:
    """Come to the verdict, and end pytest with its exit code; where the suite itself broke there is none."""
    if state.interrupts.caught:
        # Nor is what the signal broke somebody's mistake.
        state.setup_error = None
    elif exitstatus in _NO_RUN:
        return
    if state.run is not None:
        seconds = _TEARDOWN_IN_HASTE if state.results.interrupted else _TEARDOWN
        state.note = state.run.accounts.teardown(seconds)
    if state.setup_error is not None:
        session.exitstatus = USAGE
        return
    # What was collected and left out is known test by test; what was not even collected is not.
    left = narrowed(session.config, state.options)
    state.results.narrowed = [each for each in left if not each.startswith("-") or each.startswith("--ignore")]
    conclusion = state.conclusion = state.results.conclude(fail_on_gaps=state.options.fail_on_gaps)
    session.exitstatus = conclusion.exit_code


def summarize(state: State, config: pytest.Config, reporter: Any) -> None:
    """Have the reporter print the verdict, and what it rests on, after all else."""
    if state.setup_error is not None:
        return
    for line in (state.rotated(), state.note and f"note: {state.note}"):
        if line:
            reporter.write_line(line)
    if state.served is not None:
        _show_end_of(state.served, reporter, unreachable=state.results.unreachable)
    if state.conclusion is not None:
        state.document = _document(config, state, state.conclusion)
        reporter.summary = terminal.Summary(
            state.document,
            shown(state.options.report_dir),
            previous=state.directory.previous(state.document["target"]) if state.directory is not None else None,
            verbosity=config.get_verbosity(),
            width=config.get_terminal_writer().fullwidth,
        )


def _show_end_of(served: Served, reporter: Any, *, unreachable: bool) -> None:
    """Show the last lines of a target that has ended, or was never there."""
    death = served.death()
    if death is None and not unreachable:
        return
    reporter.write_line(
        f"note: the command of --serve {death or 'runs'}; its last lines (all are in {LOG} of the report):"
    )
    for line in served.last_lines():
        reporter.write_line(f"  | {line}")


def finish(state: State, config: pytest.Config) -> None:
    """Write the reports once every other plugin has written its own; the last word is of what ended the run early."""
    try:
        if state.served is not None:
            state.served.stop()
        _write_outputs(config, state)
    except OSError as error:
        state.setup_error = state.setup_error or unwritten(state, error)
    if state.options.record is not None and state.conclusion is not None:
        try:
            record.write(state.options.record, state, _facts(config, state))
        except SetupError as error:
            state.setup_error = state.setup_error or str(error)
    if state.broken is not None:
        usage(state.vault.mask(state.broken))
    elif state.setup_error is not None:
        code = usage(state.vault.mask(state.setup_error))
        if state.session is not None:
            state.session.exitstatus = code


def _write_outputs(config: pytest.Config, state: State) -> None:
    """Write the reports, and name in all that was written what is secret."""
    # What the names of tests and examples hold may be remembered here.
    for folder in (libraries.cache_folder(config), ".hypothesis"):
        if folder is not None:
            sweep(Path(folder), state.vault, since=state.started.timestamp() - 1)
    if state.conclusion is None:
        outputs.clean(state.options.report_dir, state.vault)
        return
    report = state.document or _document(config, state, state.conclusion)
    items = state.session.items if state.session is not None else []
    first = {item.nodeid: requirements_of(item)[0] for item in items}
    outputs.finish(state.options.report_dir, report, state.vault, first, explained(state.checks, state.explanation))


def first_failure(answers: Iterable[Judgement], explanation: Explanation) -> int | None:
    """How many *answers* had come when the first was seen in which something is wrong."""
    wrong = {id(each.answer) for each in explanation.anomalies}
    return next((number for number, each in enumerate(answers, 1) if id(each) in wrong), None)


def _document(config: pytest.Config, state: State, conclusion: Conclusion) -> dict[str, Any]:
    """``conformance.json`` of this run."""
    return document.build(state.results, conclusion, _facts(config, state), state.origins)


def _facts(config: pytest.Config, state: State) -> dict[str, Any]:
    """What the run itself knows of ``conformance.json``."""
    run = state.run
    options = state.options
    return {
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
        "requests_to_first_failure": first_failure(run.history, state.explanation) if run else None,
        "keys_created": run.session.tally.keys_created if run else 0,
    }
