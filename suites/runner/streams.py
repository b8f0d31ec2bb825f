"""Standard streams that are closed, full or read by no one: the run goes on, and its reports say how it ended."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from fixtures.secrets import Vault
from reports.redaction.streams import RedactingStream

if TYPE_CHECKING:  # streams are put in order before pytest is imported
    import pytest


def prepare() -> None:
    """Put something in the place of streams that are closed, and from now on forgive those that cannot be written."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number is taken, which is this one: else some file of the run's would become the stream.
            os.open(os.devnull, os.O_RDWR)
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "w" if number else "r", closefd=False))
        stream = getattr(sys, name)
        if number and not isinstance(stream, RedactingStream):
            # It knows no secret yet; the run puts one in its place that does.
            setattr(sys, name, RedactingStream(stream, Vault()))


@contextlib.contextmanager
def standard_input(config: pytest.Config) -> Generator[None, None, None]:
    """Let the files that options name be read from ``/dev/stdin``, which pytest has replaced by nothing meanwhile."""
    capture: Any = config.pluginmanager.get_plugin("capturemanager")
    if capture is None:
        yield
        return
    capture.suspend_global_capture(in_=True)
    try:
        yield
    finally:
        # As it was: standard input replaced, the other two not yet captured.
        capture.resume_global_capture()
        capture.suspend_global_capture()


def finish() -> None:
    """Write what is left, for Python would end with an exit code of its own where that fails."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(ValueError):
            stream.flush()
