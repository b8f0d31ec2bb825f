"""A pytest plugin of the self-checks: has a run interrupt itself at the moment that ``SIGNAL_AT`` names. PYTEST_DONT_REWRITE"""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

import pytest

from fixtures.emulator import embedded

_AT = os.environ.get("SIGNAL_AT", "")

if _AT == "slow-emulator":
    embedded._BOOTSTRAP = "import time; time.sleep(60); " + embedded._BOOTSTRAP


def _interrupt() -> None:
    signal.raise_signal(signal.SIGINT)


class _Finalized:
    """What is raised in its ``__del__`` is lost."""

    def __del__(self) -> None:
        _interrupt()


def _lose_it() -> None:
    _Finalized()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart() -> None:
    """Before the session is known to the suite's own plugin."""
    if _AT == "lost-at-the-start":
        _lose_it()


def pytest_collection_finish() -> None:
    """The suite's plugin is about to wait for the emulator."""
    if _AT == "lost-before-the-first-contact":
        _lose_it()
    if _AT == "slow-emulator":
        # To the main thread, as a signal from outside: it is what waits.
        threading.Timer(0.3, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT)).start()


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: Any) -> None:
    """A test is about to send something, the first contact is made."""
    if _AT == "lost-in-a-test":
        _lose_it()
    if _AT == "again-and-again":
        # As in the functions that Hypothesis generates: CPython takes a process for one to die of SIGINT from here on.
        exec("_interrupt()")  # noqa: S102


@pytest.hookimpl(tryfirst=True)
def pytest_keyboard_interrupt() -> None:
    """The run is about to be concluded."""
    if _AT == "again-and-again":
        _interrupt()


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish() -> Any:
    """Reports are being written; the run is being torn down."""
    if _AT == "again-and-again":
        _interrupt()
    result = yield
    if _AT in ("again-and-again", "after-the-verdict"):
        _interrupt()
    return result


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure() -> None:
    """The last report is about to be written."""
    if _AT in ("again-and-again", "after-the-verdict"):
        _interrupt()
