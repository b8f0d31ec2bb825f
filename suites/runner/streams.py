"""Standard streams that are closed, full or read by nobody: the run goes on, and its reports say how it ended."""

from __future__ import annotations

import contextlib
import os
import sys

from fixtures.secrets import Vault
from reports.redaction.streams import RedactingStream


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


def finish() -> None:
    """Write what is left, for Python would end with an exit code of its own where that fails."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(ValueError):
            stream.flush()
