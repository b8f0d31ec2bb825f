"""An interrupted run ends as one, whatever the signal met and however often it comes."""

from __future__ import annotations

import types
from collections.abc import Callable
from pathlib import Path

import pytest

from reports.results import EXIT_CODES
from suites.runner.interrupt import EXIT_CODE, with_lines
from suites.selfcheck.system.watched import Watched, watch

#: One check, so that only the signal ends the run early.
_ONE = ("-k", "test_success", "--hypothesis-profile", "smoke", "-p", "no:cacheprovider")


def _interrupted(at: str, folder: Path) -> Watched:
    """A run on the embedded emulator that interrupts itself."""
    watched = watch("-p", "suites.selfcheck.system.interrupting", *_ONE, folder=folder, env={"SIGNAL_AT": at})
    assert "Traceback" not in watched.output, watched.output[-2000:]
    assert "INTERNALERROR" not in watched.output
    assert "Warning" not in watched.output
    assert not watched.left
    assert watched.seconds < 15, "less than what the emulator is given to start"
    return watched


def test_the_exit_code_is_that_of_the_reports() -> None:
    assert EXIT_CODES["interrupted"] == EXIT_CODE


@pytest.mark.slow
@pytest.mark.parametrize("at", ["lost-before-the-first-contact", "lost-in-a-test", "again-and-again", "slow-emulator"])
def test_a_run_ends_as_interrupted(at: str, tmp_path: Path) -> None:
    watched = _interrupted(at, tmp_path)
    assert watched.code == EXIT_CODE, watched.output[-2000:]
    assert "verdict: interrupted (exit 2)" in watched.output
    assert watched.document["verdict"] == "interrupted"
    assert watched.document["complete"] is False
    assert watched.document["tests"]["passed"] == 0


@pytest.mark.slow
def test_a_run_that_has_not_begun_does_not_begin(tmp_path: Path) -> None:
    watched = _interrupted("lost-at-the-start", tmp_path)
    assert watched.code == EXIT_CODE, watched.output[-2000:]
    assert not (tmp_path / "conformance.json").exists()


@pytest.mark.slow
def test_a_run_that_has_its_verdict_keeps_it(tmp_path: Path) -> None:
    watched = _interrupted("after-the-verdict", tmp_path)
    assert watched.code == 0, watched.output[-2000:]
    assert watched.document["verdict"] == "inconclusive"
    assert watched.document["complete"] is True


def test_a_signal_while_pytest_is_imported(tmp_path: Path) -> None:
    (tmp_path / "pytest.py").write_text("import signal\nsignal.raise_signal(signal.SIGINT)\n", encoding="utf-8")
    watched = watch(folder=tmp_path / "report", env={"PYTHONPATH": str(tmp_path)})
    assert watched.code == EXIT_CODE
    assert watched.output == "delivery-conformance: interrupted\n"


def _closure() -> Callable[[], types.FrameType]:
    free = "a variable of the function around it"

    def inner() -> types.FrameType:
        import sys

        assert free
        return sys._getframe()

    return inner


def test_a_frame_before_its_first_line_can_be_printed() -> None:
    # Set up: what CPython makes of a signal that arrives while a function with free variables is entered.
    frame = _closure()()
    error = KeyboardInterrupt().with_traceback(types.TracebackType(None, frame, 0, -1))
    excinfo = pytest.ExceptionInfo.from_exception(error)
    if getattr(error.__traceback__, "tb_lineno", None) is not None:
        pytest.skip("this Python gives every instruction a line")
    with pytest.raises(TypeError):
        excinfo.getrepr()
    # Stimulus.
    with_lines(excinfo)
    # Verdict.
    assert excinfo.traceback[0].lineno == frame.f_code.co_firstlineno - 1
    assert "KeyboardInterrupt" in str(excinfo.getrepr(funcargs=True))
