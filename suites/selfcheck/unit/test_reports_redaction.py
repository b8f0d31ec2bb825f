"""The second layer: streams, log records and files that name secrets instead of showing them."""

from __future__ import annotations

import io
import logging
import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from fixtures.secrets import Vault
from reports.redaction.streams import RedactingStream, redact_logging, redact_streams, redact_trace, sweep

SECRET = "5f4dcc3b5aa765d61d8327deb882cf99"


@pytest.fixture
def vault() -> Vault:
    known = Vault()
    known.add(SECRET, "owner")
    return known


class Bytes(io.TextIOWrapper):
    """A stream as the standard ones are: text above bytes."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)

    @property
    def written(self) -> str:
        return self.buffer.getvalue().decode("utf-8", "replace")  # type: ignore[attr-defined,no-any-return]


def test_a_stream_names_secrets_however_it_is_written_to(vault: Vault) -> None:
    below = Bytes()
    stream = RedactingStream(below, vault)
    assert stream.write(f"a {SECRET}\n") == 35
    stream.writelines([f"b {SECRET.upper()}", "\n"])
    stream.buffer.write(f"c {SECRET}\n".encode())
    print("d", SECRET, file=stream)
    stream.flush()
    assert vault.find(below.written) == []
    assert "a «owner»\n" in below.written
    assert "d «owner»\n" in below.written
    assert stream.encoding == "utf-8"


@pytest.mark.parametrize("problem", [BrokenPipeError(32, "Broken pipe"), OSError(28, "No space left on device")])
def test_a_stream_that_nobody_reads_is_forgiven(vault: Vault, problem: OSError, tmp_path: Path) -> None:
    """The run goes on, and what is held back does not come up again at its end."""

    class Broken(io.FileIO):
        def write(self, data: object) -> int:
            raise problem

    file = (tmp_path / "terminal").open("w", encoding="utf-8")
    broken = io.TextIOWrapper(Broken(file.fileno(), "w", closefd=False), encoding="utf-8", write_through=True)
    stream = RedactingStream(broken, vault)
    assert stream.write("a\n") == 2
    stream.buffer.write(b"b\n")
    stream.flush()
    file.write("c\n")
    file.flush()
    assert (tmp_path / "terminal").read_text(encoding="utf-8") == ""


def streams(monkeypatch: pytest.MonkeyPatch) -> tuple[Bytes, Bytes]:
    """Streams in the place of the standard ones. No fixture: pytest puts its own in place for each phase of a test."""
    replaced = Bytes(), Bytes()
    monkeypatch.setattr(sys, "stdout", replaced[0])
    monkeypatch.setattr(sys, "stderr", replaced[1])
    return replaced


def test_streams_are_redacted_once_and_by_the_latest_run(monkeypatch: pytest.MonkeyPatch, vault: Vault) -> None:
    below = streams(monkeypatch)
    redact_streams(Vault(), None)
    redact_streams(vault, None)
    print(SECRET)
    print(SECRET, file=sys.stderr)
    assert [stream.written for stream in below] == ["«owner»\n", "«owner»\n"]
    assert isinstance(sys.stdout, RedactingStream)
    assert sys.stdout.below is below[0]


def test_what_pytests_capture_puts_back_or_copies_to_is_redacted(monkeypatch: pytest.MonkeyPatch, vault: Vault) -> None:
    streams(monkeypatch)
    kept, copied = Bytes(), Bytes()
    part = SimpleNamespace(_old=kept, tmpfile=SimpleNamespace(_other=copied))
    capture = SimpleNamespace(_global_capturing=SimpleNamespace(out=part, err=SimpleNamespace(syscapture=part)))
    redact_streams(vault, capture)
    part._old.write(SECRET)
    part.tmpfile._other.write(SECRET)
    assert (kept.written, copied.written) == ("«owner»", "«owner»")


def test_log_records_are_redacted_where_they_are_made(vault: Vault) -> None:
    undo = redact_logging(vault)
    below = Bytes()
    handler = logging.StreamHandler(below)
    log = logging.getLogger("redaction")
    log.addHandler(handler)
    log.propagate = False
    try:
        log.error("as an argument %s and %r", SECRET, {"hash": SECRET})
        log.error("by name %(hash)s", {"hash": SECRET})
        log.error("too few %s %s", SECRET)
        try:
            raise ValueError(SECRET)
        except ValueError:
            log.exception("with its trace")
    finally:
        log.removeHandler(handler)
        undo()
    assert vault.find(below.written) == []
    assert below.written.count("«owner»") == 4
    assert "too few %s %s" in below.written
    assert "ValueError: «owner»" in below.written
    assert logging.getLogRecordFactory() is logging.LogRecord


def test_the_trace_of_pytest_is_redacted(vault: Vault) -> None:
    written: list[str] = []
    tracer = SimpleNamespace(_writer=written.append)
    tracer.setwriter = lambda writer: setattr(tracer, "_writer", writer)
    redact_trace(vault, tracer)
    tracer._writer(f"call {SECRET}")
    assert written == ["call «owner»"]
    redact_trace(vault, SimpleNamespace(_writer=None))


def test_files_are_swept(tmp_path: Path, vault: Vault) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.txt").write_text(f"x {SECRET} y", encoding="utf-8")
    (tmp_path / "b.bin").write_bytes(b"\xff" + SECRET.encode() + b"\x00")
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "c.txt").write_text(SECRET, encoding="utf-8")
    (tmp_path / "old.txt").write_text(SECRET, encoding="utf-8")
    os.utime(tmp_path / "old.txt", (1, 1))
    assert sweep(tmp_path, vault, leave_out=["kept"], since=time.time() - 60) == 2
    assert (tmp_path / "deep" / "a.txt").read_text(encoding="utf-8") == "x «owner» y"
    assert (tmp_path / "b.bin").read_bytes() == b"\xff" + "«owner»".encode("latin-1") + b"\x00"
    assert (tmp_path / "kept" / "c.txt").read_text(encoding="utf-8") == SECRET
    assert (tmp_path / "old.txt").read_text(encoding="utf-8") == SECRET
    assert sweep(tmp_path / "none", vault) == 0
