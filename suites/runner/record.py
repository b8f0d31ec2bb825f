"""``--record``: the history of a run is written to a file, in one step, with stand-ins in the place of secrets."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TextIO

from contracts.judge import Judgement
from contracts.recording import FORMAT, Put, answer_as_json, replaced
from contracts.version import VERSION
from fixtures.errors import SetupError
from fixtures.secrets import Vault
from fixtures.stand_ins import StandIns
from reports.formats.document import without_folders
from reports.results import TestOutcome
from suites.runner.state import State
from suites.runner.whole_run import NAME

#: What ``conformance.json`` counts.
_COUNTED: Final = (
    *("started", "seconds", "requests", "requests_by_group", "creates_by_account", "creates_by_group"),
    "keys_created",
)
#: What is kept of a violation: its exchange is among the answers.
_OF_A_VIOLATION: Final = ("requirement", "message", "expected", "actual", "possible")
#: Digits of a second: more of them look like a part of a key.
_DIGITS: Final = 6


def write(path: Path, state: State, facts: Mapping[str, Any]) -> None:
    """Write the history of the run to *path*; *facts* are the members of ``conformance.json`` that the run knows.

    Raises ``SetupError`` where that cannot be done, or where the file would show a secret.
    """
    answers = state.run.answers() if state.run is not None else ()
    put = StandIns(state.vault)
    head = replaced(_head(state, facts), put)
    head["stand_ins"] = stand_ins(state.vault, put)
    tests = replaced(_tests(state, answers), put)
    save(path, lines(head, tests, answers, put), state.vault)


def lines(
    head: Mapping[str, Any], tests: Sequence[Mapping[str, Any]], answers: Sequence[Judgement], put: Put
) -> Iterator[str]:
    """The lines of a file that holds a recorded run: one for each test and answer."""
    yield json.dumps(head)[:-1]
    yield ', "tests": ['
    yield from _rows(tests)
    yield '], "answers": ['
    first = min((each.exchange.sent_at for each in answers), default=0.0)
    yield from _rows(answer_as_json(_since(first, each), put) for each in answers)
    yield "]}"


def save(path: Path, text: Iterable[str], vault: Vault) -> None:
    """Write the lines *text* to *path*, whole or not at all, for no one else to read.

    Raises ``SetupError`` where the file cannot be written, or a line shows a secret of *vault*.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(handle, "w", encoding="ascii") as stream:
                _write_lines(stream, text, vault)
            part.replace(path)
        finally:
            with contextlib.suppress(FileNotFoundError):
                part.unlink()
    except OSError as error:
        raise SetupError(f"--record {path} cannot be written: {error.strerror}") from None


def stand_ins(vault: Vault, put: Put) -> list[dict[str, str]]:
    """What stands for each secret that has a name, so that a report can name it."""
    return [{"name": each.label, "value": put(each.reveal())} for each in vault.secrets()]


def _write_lines(stream: TextIO, text: Iterable[str], vault: Vault) -> None:
    stream.writelines(_without_secrets(line, vault) + "\n" for line in text)
    stream.flush()
    os.fsync(stream.fileno())


def _without_secrets(line: str, vault: Vault) -> str:
    """*line* as it is, or with what a stand-in leaves as it was struck out: a secret may be made of nothing but signs.

    Raises ``SetupError`` where that would not do.
    """
    shown = vault.find(line)
    if not shown:
        return line
    struck = vault.replace(line, lambda piece: "x" * (piece.end - piece.start))
    if vault.find(struck) or not _is_row(struck):
        raise SetupError(f"--record: the file would show a part of {shown[0].secret!r}, so it is not written")
    return struck


def _is_row(line: str) -> bool:
    try:
        return isinstance(json.loads(line.removeprefix(",")), dict)
    except ValueError:
        return False


def _rows(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for number, each in enumerate(rows):
        yield ("," if number else "") + json.dumps(each)


def _since(first: float, answer: Judgement) -> Judgement:
    """*answer* with its times since the *first* call, and the second in which it was sent."""
    exchange = answer.exchange
    times = {name: round(getattr(exchange, name) - first, _DIGITS) for name in ("sent_at", "ended_at")}
    response = exchange.response
    if response is not None:
        response = replace(response, seconds=round(response.seconds, _DIGITS))
    return replace(answer, exchange=replace(exchange, response=response, time=int(exchange.time), **times))


def _head(state: State, facts: Mapping[str, Any]) -> dict[str, Any]:
    results = state.results
    origins = state.origins
    return {
        "format": FORMAT,
        "suite": VERSION,
        "target": dict(facts["target"]),
        "run": {**facts["run"], "options": without_folders(facts["run"]["options"])},
        "facts": {name: facts[name] for name in _COUNTED},
        "accounts": dict(facts["accounts"]),
        "origins": {
            "hook": origins.hook,
            "hook_headers": list(origins.hook_headers),
            "fixed": sorted(origins.fixed),
            "variables": dict(origins.variables),
        },
        "ended": {
            "interrupted": results.interrupted,
            "unreachable": results.unreachable,
            "lost": results.lost,
            "narrowed": list(results.narrowed),
            "left_out": sorted(results.left_out),
        },
    }


def _tests(state: State, answers: Sequence[Judgement]) -> list[dict[str, Any]]:
    numbers = {id(each): number for number, each in enumerate(answers)}
    return [_test(state, outcome, numbers) for outcome in state.results.outcomes if outcome.test != NAME]


def _test(state: State, outcome: TestOutcome, numbers: Mapping[int, int]) -> dict[str, Any]:
    check = state.checks.get(outcome.test)
    in_question = check.in_question if check is not None else ()
    data = outcome.as_json()
    return {
        **data,
        "requirements": list(check.requirements if check is not None else outcome.results),
        "violations": [{name: each[name] for name in _OF_A_VIOLATION} for each in data["violations"]],
        "in_question": [numbers[id(each)] for each in in_question if id(each) in numbers],
        "seconds": round(outcome.seconds, _DIGITS),
    }
