"""Redaction of what is printed: the second layer, below everything that is written, by value.

The first layer is that secrets are objects which do not show themselves. This one is for what other code prints of
them: the terminal and the streams below it, and log records.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Iterable
from typing import Any, BinaryIO, TextIO

from fixtures.secrets import Vault
from reports.redaction.harmless import Harmless


class RedactingStream:
    """A text stream that names secrets instead of writing them, and writes nothing that a terminal or a CI job would obey."""

    def __init__(self, stream: TextIO, vault: Vault) -> None:
        self._stream = stream
        self._vault = vault
        self._harmless = Harmless()

    @property
    def below(self) -> TextIO:
        """The stream that is written to."""
        return self._stream

    def write(self, text: str) -> int:
        """Write *text*, redacted; what the stream cannot write is spelled out."""
        shown = self._harmless(self._vault.mask(text))
        try:
            try:
                self._stream.write(shown)
            except UnicodeEncodeError as error:
                self._stream.write(shown.encode(error.encoding, "backslashreplace").decode(error.encoding))
        except OSError:
            _abandon(self._stream)
        return len(text)

    def flush(self) -> None:
        """Write what is still held back."""
        try:
            self._stream.flush()
        except OSError:
            _abandon(self._stream)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write *lines*, redacted."""
        for line in lines:
            self.write(line)

    @property
    def buffer(self) -> RedactingBuffer:
        """The bytes below, redacted too."""
        return RedactingBuffer(self._stream.buffer, self._vault)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class RedactingBuffer:
    """A stream of bytes that names secrets instead of writing them."""

    def __init__(self, stream: BinaryIO, vault: Vault) -> None:
        self._stream = stream
        self._vault = vault

    def write(self, data: bytes) -> int:
        """Write *data*, redacted."""
        try:
            self._stream.write(self._vault.mask(bytes(data).decode("latin-1")).encode("latin-1", "replace"))
        except OSError:
            _abandon(self._stream)
        return len(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _abandon(stream: TextIO | BinaryIO) -> None:
    """No one reads *stream* any more, or its disk is full: what is still to come goes nowhere, and the run goes on.

    A verdict must not depend on who reads the terminal; the reports have all of it.
    """
    with contextlib.suppress(OSError, ValueError, AttributeError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
        stream.flush()


def redacted(stream: Any, vault: Vault) -> Any:
    """*stream* behind one redaction: that of this run, where an earlier one of the same process has left its own."""
    if isinstance(stream, RedactingStream):
        stream = stream.below
    return stream if stream is None else RedactingStream(stream, vault)


def redact_logging(vault: Vault) -> Callable[[], None]:
    """Redact each log record where it is made, before any handler sees it; call what is returned to end that."""
    original = logging.getLogRecordFactory()
    formatter = logging.Formatter()

    def factory(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = original(*args, **kwargs)
        try:
            message = record.getMessage()
        except Exception:  # the arguments do not fit: the template alone is then shown
            message = str(record.msg)
        record.msg = vault.mask(message)
        record.args = ()
        if record.exc_info:
            record.exc_text = vault.mask(formatter.formatException(record.exc_info))
        if record.stack_info:
            record.stack_info = vault.mask(record.stack_info)
        return record

    logging.setLogRecordFactory(factory)
    return lambda: logging.setLogRecordFactory(original)
