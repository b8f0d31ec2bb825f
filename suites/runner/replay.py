"""``--replay``: a recorded history is judged anew, and nothing is sent.

What the rules found in one answer by itself is taken from the file; all that follows from several answers is found
again, by the same functions as at the end of a run.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from _pytest.config import create_terminal_writer

from contracts.attribution.explanation import Explanation, explain_run
from contracts.ids import T9
from contracts.judge import Judgement
from contracts.recording import RecordingError, answer_from_json, parse
from contracts.requirements import catalogue
from contracts.version import VERSION
from fixtures.errors import SetupError
from fixtures.files import read_text, user_path
from fixtures.secrets import Vault
from reports import outputs
from reports.directory import Taken, shown, take
from reports.formats import document, terminal
from reports.formats.repeat import Accounts
from reports.results import Results, TestOutcome
from reports.waivers import Waiver, read_waivers
from reports.words import for_a_log, one_line
from suites.runner.conclude import first_failure
from suites.runner.options import report_directory
from suites.runner.paths import SUITE
from suites.runner.whole_run import attribute, outcome_of

#: Bytes of a file: what a hostile target answers a thousand times.
_LARGEST: Final = 256 * 1_048_576
_LONGEST_LINE: Final = 400
#: Options that say what is sent, by pytest's names for them.
_OF_A_RUN: Final[Mapping[str, str]] = {
    "base_url": "--base-url",
    "target": "--target",
    "profile": "--profile",
    "serve": "--serve",
    "wait": "--wait",
    "allow_key_rotation": "--allow-key-rotation",
    "requirement": "--requirement",
    "hypothesis_profile": "--hypothesis-profile",
    "plan": "--plan",
    "explain": "--explain",
    "record": "--record",
    "collectonly": "--collect-only",
    "keyword": "-k",
    "markexpr": "-m",
    "lf": "--lf",
    "maxfail": "-x",
}
_NO_REAL_KEYS: Final = "only real keys show whether they can be predicted, and the file has stand-ins for them"


@dataclass(frozen=True)
class Judged:
    """A recorded run judged anew."""

    results: Results
    explanation: Explanation
    answers: Sequence[Judgement]
    vault: Vault


def replay(config: pytest.Config) -> int:
    """Judge the file of ``--replay`` and write the reports; the exit code. Raises ``SetupError``."""
    _check(config)
    name = user_path(config.getoption("--replay"), "--replay")
    recorded = read(name)
    waivers: list[Waiver] = []
    digest: str | None = None
    if config.getoption("--waivers"):
        waivers, digest = read_waivers(user_path(config.getoption("--waivers"), "--waivers"))
    judged = judge_anew(recorded, waivers)
    conclusion = judged.results.conclude(fail_on_gaps=config.getoption("--fail-on-gaps"))
    facts = {
        "target": recorded["target"],
        "run": {**recorded["run"], "waivers_sha256": digest, "replay": True},
        "accounts": recorded["accounts"],
        **recorded["facts"],
        "requests_to_first_failure": first_failure(judged.answers, judged.explanation),
    }
    report = document.build(judged.results, conclusion, facts, _accounts(recorded["origins"]))
    folder = report_directory(config.getoption("--report-dir"))
    taken = take(folder)
    try:
        outputs.finish_replay(folder, report, judged.vault)
    except OSError as error:
        raise SetupError(f"--report-dir {folder} cannot be written: {error.strerror}") from None
    finally:
        taken.release()
    _print(config, recorded, document.masked_report(report, judged.vault), taken)
    return conclusion.exit_code


def read(path: Path) -> dict[str, Any]:
    """The recorded run in the file *path*. Raises ``SetupError`` with one line that says what is wrong with it."""
    try:
        return parse(read_text(path, _LARGEST))
    except OSError as error:
        raise SetupError(f"--replay {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SetupError(f"--replay {path} is not JSON, or was cut off: it is no recorded run") from None
    except RecordingError as error:
        raise SetupError(f"--replay {path} {error}") from None


def judge_anew(recorded: Mapping[str, Any], waivers: Sequence[Waiver] = ()) -> Judged:
    """What the answers of a *recorded* run show, with the words that its tests had for what they did not verify."""
    profile = recorded["target"]["profile"]
    answers = [answer_from_json(each) for each in recorded["answers"]]
    vault = Vault()
    for each in recorded["stand_ins"]:
        vault.add(each["value"], each["name"])
    explanation = explain_run(answers, [name for name, entry in catalogue().items() if entry.in_profile(profile)])
    results = Results(profile, waivers)
    ended = recorded["ended"]
    results.interrupted, results.unreachable, results.lost = ended["interrupted"], ended["unreachable"], ended["lost"]
    results.narrowed, results.left_out = list(ended["narrowed"]), set(ended["left_out"])
    tests = [(_outcome(each), [answers[number] for number in each["in_question"]]) for each in recorded["tests"]]
    for outcome, _ in tests:
        results.add(outcome)
    unnamed = attribute(results, explanation, tests, vault)
    if unnamed:
        results.add(outcome_of(unnamed, vault))
    return Judged(results, explanation, answers, vault)


def _check(config: pytest.Config) -> None:
    """Raise ``SetupError`` for an option that says what is sent, or what is chosen of it."""
    for option, name in _OF_A_RUN.items():
        if config.getoption(option, default=None):
            raise SetupError(f"--replay sends nothing, and {name} is for a run: leave one of them out")
    for option in ("--replay", "--report-dir", "--waivers"):
        if config.getoption(option) == "":
            raise SetupError(f"{option} is empty: is a variable not set? Without the option the default applies")
    others = [each for each in config.args if Path(each).absolute() != SUITE]
    if others:
        raise SetupError(f"--replay judges a whole history, and {others[0]} is a part of the suite: leave it out")


def _outcome(test: Mapping[str, Any]) -> TestOutcome:
    results = {name: (result, reason) for name, (result, reason) in test["results"].items()}
    result, reason = results.get(T9, ("passed", ""))
    if result == "failed":
        results[T9] = ("not_verified", f"{_NO_REAL_KEYS}; in the run it failed: {reason}")
    violations = [{**each, "exchange": None} for each in test["violations"] if each["requirement"] != T9]
    return TestOutcome.from_json({**test, "results": results, "violations": violations})


def _accounts(origins: Mapping[str, Any]) -> Accounts:
    headers = tuple(origins["hook_headers"])
    return Accounts(origins["hook"], frozenset(origins["fixed"]), origins["variables"], headers)


class _Lines:
    """The terminal, as the summary of a run uses it."""

    def __init__(self, config: pytest.Config) -> None:
        self._writer = create_terminal_writer(config, sys.stdout)
        self.width = self._writer.fullwidth

    def write_line(self, text: str, **markup: bool) -> None:
        """Print a line."""
        self._writer.line(text, **markup)


def _print(config: pytest.Config, recorded: Mapping[str, Any], report: Mapping[str, Any], taken: Taken) -> None:
    target = recorded["target"]
    lines = _Lines(config)
    lines.write_line(f"delivery-conformance {VERSION}, contract {VERSION}, profile {target['profile']}")
    where = "the embedded emulator" if target["embedded"] else target["base_url"]
    said = f"replay of a run on {where}, recorded by version {recorded['suite']}; nothing is sent"
    # Whoever made the file may have put anything into it.
    lines.write_line(for_a_log(one_line(said, _LONGEST_LINE)))
    terminal.Summary(
        report,
        shown(taken.folder),
        previous=taken.previous(report["target"]),
        verbosity=config.get_verbosity(),
        width=lines.width,
    ).write(lines)
