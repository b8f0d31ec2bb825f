"""Files that a user names: read once and whole, pipes included, and never without an end."""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from fixtures import files
from fixtures.errors import SetupError
from fixtures.files import read_bytes, read_text, user_path


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    """A pipe with a name, to which nobody writes yet."""
    path = tmp_path / "fifo"
    os.mkfifo(path)
    return path


def _write(path: Path, *parts: bytes, pause: float = 0.1) -> threading.Thread:
    def write() -> None:
        with suppress(BrokenPipeError), path.open("wb", buffering=0) as stream:
            for part in parts:
                time.sleep(pause)
                stream.write(part)

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    return thread


def test_a_pipe_is_read_to_its_end(fifo: Path) -> None:
    """In however many parts, and when the writer comes later than the reader."""
    writer = _write(fifo, b"a" * 100_000, b"b", b"")
    assert read_bytes(fifo) == b"a" * 100_000 + b"b"
    writer.join(5)


def test_a_pipe_that_nobody_writes_to_is_given_up(fifo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "PIPE_TIME", 0.2)
    with pytest.raises(OSError, match=r"nothing was written to it within 0\.2 s"):
        read_bytes(fifo)


def test_a_pipe_that_does_not_end_is_given_up(fifo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One time for all of it: a writer that drips holds nobody."""
    monkeypatch.setattr(files, "PIPE_TIME", 0.5)
    writer = _write(fifo, *[b"x"] * 100, pause=0.05)
    with pytest.raises(OSError, match="nothing was written"):
        read_bytes(fifo)
    writer.join(5)


@pytest.mark.parametrize(
    ("name", "says"),
    [("/dev/zero", "it is larger than 1000 bytes"), ("/", "Is a directory"), ("/nowhere/x", "No such file")],
)
def test_what_cannot_be_read(name: str, says: str) -> None:
    with pytest.raises(OSError, match=says):
        read_bytes(Path(name), 1000)


def test_a_file_of_just_the_largest_size(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x" * 1000)
    assert len(read_bytes(tmp_path / "x", 1000)) == 1000
    with pytest.raises(OSError, match="larger than 999"):
        read_bytes(tmp_path / "x", 999)


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"\xef\xbb\xbfa")
    assert read_text(tmp_path / "x") == "a"


def test_a_tilde_is_the_home_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/somewhere")
    assert user_path("~/r", "--report-dir") == Path("/somewhere/r")
    assert user_path("./~", "--report-dir") == Path("~")
    with pytest.raises(SetupError, match=r"^--report-dir ~nobody-of-that-name/r: there is no home directory"):
        user_path("~nobody-of-that-name/r", "--report-dir")
