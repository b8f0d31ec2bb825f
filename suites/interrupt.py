"""Ctrl-C and SIGTERM: the run ends now, with a report that says so, whatever it was waiting for."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

import pytest

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def on_interrupt(stop: Callable[[], None]) -> Callable[[], None]:
    """From now on both signals call *stop*, which breaks what other threads wait for, and interrupt the main thread.

    Returns what undoes it. Signals reach the main thread only: a run in another one leaves them alone.
    """
    if threading.current_thread() is not threading.main_thread():
        return lambda: None

    def end(number: int, frame: FrameType | None) -> None:
        stop()
        raise KeyboardInterrupt

    previous: dict[int, Any] = {number: signal.signal(number, end) for number in _SIGNALS}

    def undo() -> None:
        if threading.current_thread() is threading.main_thread():
            for number, handler in previous.items():
                signal.signal(number, handler)

    return undo


def with_lines(excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """Give every frame of *excinfo* a line: one that a signal met before its first has none, and pytest cannot print it."""
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
