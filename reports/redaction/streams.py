"""Redaction of outputs: the second layer, below everything that is written, by value.

The first layer is that secrets are objects which do not show themselves. This one is for what other code prints of
them: the terminal and the streams below it, log records, and files that other plugins write.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final, TextIO

from fixtures.secrets import Vault

#: Larger files are nobody's notes.
_LARGEST: Final = 20_000_000


class RedactingStream:
    """A text stream that names secrets instead of writing them."""

    def __init__(self, stream: TextIO, vault: Vault) -> None:
        self._stream = stream
        self._vault = vault

    @property
    def below(self) -> TextIO:
        """The stream that is written to."""
        return self._stream

    def write(self, text: str) -> int:
        """Write *text*, redacted."""
        try:
            self._stream.write(self._vault.mask(text))
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
    """Nobody reads *stream* any more, or its disk is full: what is still to come goes nowhere, and the run goes on.

    A verdict must not depend on who reads the terminal; the reports have all of it.
    """
    with contextlib.suppress(OSError, ValueError, AttributeError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
        stream.flush()


def redact_streams(vault: Vault, capture: Any) -> None:
    """Redact standard output and error, also where pytest's *capture* manager puts them back or copies to them."""
    for name in ("stdout", "stderr"):
        setattr(sys, name, _wrapped(getattr(sys, name), vault))
    capturing = getattr(capture, "_global_capturing", None)
    for part in ("out", "err"):
        outer: Any = getattr(capturing, part, None)
        for each in (outer, getattr(outer, "syscapture", None)):
            for holder, attribute in ((each, "_old"), (getattr(each, "tmpfile", None), "_other")):
                stream = getattr(holder, attribute, None)
                if hasattr(stream, "write"):
                    setattr(holder, attribute, _wrapped(stream, vault))


def _wrapped(stream: Any, vault: Vault) -> Any:
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


def redact_trace(vault: Vault, tracer: Any) -> None:
    """Redact what pytest's ``--debug`` writes of its own doings."""
    write = getattr(tracer, "_writer", None)
    if write is not None:
        tracer.setwriter(lambda text: write(vault.mask(text)))


def masked(data: Any, vault: Vault, ours: Collection[str] = ()) -> Any:
    """*data* with every text in it masked and nothing else, so that no target chooses what a report is made of.

    *ours* names members whose texts are the suite's own words.
    """
    if isinstance(data, str):
        return vault.mask(data)
    if isinstance(data, Mapping):
        return {name: value if name in ours else masked(value, vault, ours) for name, value in data.items()}
    if isinstance(data, list | tuple):
        return [masked(each, vault, ours) for each in data]
    return data


def sweep(folder: Path, vault: Vault, *, leave_out: Iterable[str] = (), since: float = 0.0) -> int:
    """Redact every file below *folder* that still shows a secret; how many there were. None is expected.

    *leave_out* names folders in it that only redacting writers write to; what was last written before the time *since*
    is not this run's.
    """
    changed = 0
    skipped = {folder / name for name in leave_out}
    for path in folder.rglob("*"):
        if skipped.intersection(path.parents) or not path.is_file() or path.is_symlink():
            continue
        try:
            about = path.stat()
            if about.st_size > _LARGEST or about.st_mtime < since:
                continue
            raw = path.read_bytes()
            text = raw.decode("utf-8")
            encoding = "utf-8"
        except UnicodeDecodeError:
            text, encoding = raw.decode("latin-1"), "latin-1"
        except OSError:
            continue
        named = vault.mask(text)
        if named != text:
            path.write_bytes(named.encode(encoding, "replace"))
            changed += 1
    return changed
