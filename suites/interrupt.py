"""Ctrl-C and SIGTERM: the run ends now, with a report that says so, whatever it was waiting for."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

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
