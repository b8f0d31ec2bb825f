"""Ctrl-C and SIGTERM: the run ends now, with a report that says so, whatever it was waiting for.

Only the first signal raises ``KeyboardInterrupt``, and nothing rests on where that comes out: raised in a ``__del__`` or in a
callback of the garbage collector it is lost. What *stop* does, before it, ends the run all the same.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the command is to be interruptible before pytest is imported
    import pytest

#: What an interrupted run ends with (reports/results.py).
EXIT_CODE = 2
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
#: For so many seconds after the first a signal changes nothing: reports are being written. Later it ends a process that hangs.
_PATIENCE = 2.0
_SAID = b"delivery-conformance: interrupted\n"


def leave_at_once() -> None:
    """From now on both signals end the process with a line and the exit code: no run has begun that has anything to lose."""
    try:
        # What pytest captures while it starts is standard error too, until then.
        errors = os.dup(2)
    except OSError:
        errors = 2
    for number in _SIGNALS:
        signal.signal(number, _Leave(errors))


class _Leave:
    def __init__(self, errors: int) -> None:
        self._errors = errors

    def __call__(self, number: int, frame: FrameType | None) -> None:
        with contextlib.suppress(OSError):
            os.write(self._errors, _SAID)
        os._exit(EXIT_CODE)


class Interrupts:
    """From now on, until :meth:`undo`, the first of both signals calls *stop* and interrupts the main thread.

    *stop* says that the run is over and breaks what other threads wait for. Signals reach the main thread only: a run in
    another one leaves them alone.
    """

    def __init__(self, stop: Callable[[], None]) -> None:
        self._stop = stop
        self._first: float | None = None
        self._raises = True
        self._previous: dict[int, Any] = {}
        if threading.current_thread() is threading.main_thread():
            self._previous = {number: signal.signal(number, self._end) for number in _SIGNALS}

    @property
    def caught(self) -> bool:
        """Whether a signal has come."""
        return self._first is not None

    def hold(self) -> None:
        """From now on no signal raises: the run is being concluded, and its reports are to be whole."""
        self._raises = False

    def undo(self) -> None:
        """Have the signals do what they did before. Where that was to leave at once, the run is over and they do nothing."""
        if threading.current_thread() is threading.main_thread():
            for number, handler in self._previous.items():
                signal.signal(number, signal.SIG_IGN if isinstance(handler, _Leave) else handler)

    def _end(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if self._first is not None:
            if now - self._first > _PATIENCE:
                os._exit(EXIT_CODE)
            return
        self._first = now
        self._stop()
        if self._raises:
            _say_nothing_of_a_lost_one()
            raise KeyboardInterrupt


def _say_nothing_of_a_lost_one() -> None:
    """No one wants to read a traceback of the ``KeyboardInterrupt`` that came out where nothing can be raised."""
    report = sys.unraisablehook

    def report_others(unraisable: sys.UnraisableHookArgs) -> None:
        if not issubclass(unraisable.exc_type, KeyboardInterrupt):
            report(unraisable)

    sys.unraisablehook = report_others


def say() -> int:
    """Say in a line that the command was interrupted; the exit code."""
    print(_SAID.decode(), end="", file=sys.stderr)
    return EXIT_CODE


def leave(code: int) -> int:
    """End an interrupted process with *code*: CPython, where the exception went through an ``exec``, would have it die of SIGINT."""
    if code == EXIT_CODE:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError, AttributeError):
                stream.flush()
        os._exit(code)
    return code


def shorten(excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """Leave of *excinfo* the place where the signal came: pytest shows no more, and to look the rest up takes it a second."""
    last = excinfo.value.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    excinfo.value.__traceback__ = last
    excinfo.value.__suppress_context__ = True


def with_lines(excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """Give every frame of *excinfo* a line: one that a signal interrupted before its first has none, and pytest cannot print it."""
    frames = []
    entry = excinfo.value.__traceback__
    while entry is not None:
        frames.append(entry)
        entry = entry.tb_next
    whole: TracebackType | None = None
    for each in reversed(frames):
        # The stub of the standard library does not know that it may be None.
        line: int | None = each.tb_lineno
        whole = TracebackType(whole, each.tb_frame, each.tb_lasti, line or each.tb_frame.f_code.co_firstlineno)
    if whole is not None:
        excinfo._excinfo = (excinfo.type, excinfo.value.with_traceback(whole), whole)
        excinfo._traceback = None
