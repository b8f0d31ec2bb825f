"""The report directory: one run's at a time, emptied before it, but never of anybody else's files.

Nothing is written through a link that is found inside it. A lock of the operating system says that it is in use, so a
run that was killed leaves none.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from contracts.version import VERSION
from fixtures.errors import SetupError
from reports.comparison import parse

REPORT = "conformance.json"
_MARK = ".delivery-conformance"
_MARKED = "Written by delivery-conformance: this directory is emptied by the next run.\n"
_KEPT = Path("allure-results") / "history"
_CHECKOUT = Path(__file__).resolve().parents[1]
#: Bytes of an earlier report: that of a target which breaks everything has a few million.
_LARGEST_REPORT = 64 * 1_048_576
#: What a file system says that has no locks; runs on it are not kept apart.
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)


def default() -> Path:
    """Where outputs go unless asked otherwise: below ``reports/`` in the checkout, else in the working directory."""
    if (_CHECKOUT / "pyproject.toml").is_file() and (_CHECKOUT / "Makefile").is_file():
        return _CHECKOUT / "reports" / "out"
    return Path.cwd() / "delivery-conformance-report"


def shown(folder: Path) -> Path:
    """*folder* as a person in the working directory names it: the shorter of the two ways."""
    try:
        return folder.relative_to(Path.cwd())
    except (ValueError, OSError):
        return folder


class Taken:
    """A report directory that this run holds, until :meth:`release`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock: int | None = None
        self._earlier: bytes | None = None

    def hold(self) -> None:
        """Lock the directory, read what the last run left in it, and empty it. Raises ``SetupError`` and ``OSError``."""
        self._lock = _lock(self.folder)
        self._earlier = _read_report(self.folder / REPORT)
        _empty(self.folder)

    def release(self) -> None:
        """Let another run have it."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def previous(self, target: Mapping[str, Any]) -> dict[str, Any] | None:
        """The complete report of the last run in this directory on the same *target*; None where there is none.

        *target* is the member of that name in ``conformance.json``: a run counts where base URL and profile are the
        same. The embedded emulator has another port each time, and is the same target all the same.
        """
        if self._earlier is None:
            return None
        try:
            text = self._earlier.decode("utf-8")
            document = parse(text, REPORT, by_schema=False)
            # By the schema only what another version has written: that is slow.
            if document["suite"]["version"] != VERSION:
                document = parse(text, REPORT)
            return document if _identity(document["target"]) == _identity(target) else None
        except (ValueError, SetupError, KeyError, TypeError):
            return None


def take(folder: Path) -> Taken:
    """Make *folder*, or empty it where it is ours; Allure's history outlives a run.

    Raises ``SetupError`` for a directory that holds other files, is in use by another run or cannot be written.
    """
    taken = Taken(folder)
    try:
        _make(folder)
        taken.hold()
    except OSError as error:
        taken.release()
        raise SetupError(f"--report-dir {folder} cannot be written: {error.strerror}") from None
    except RecursionError:
        taken.release()
        raise SetupError(f"--report-dir {folder} holds folders that are nested too deeply to be removed") from None
    except BaseException:
        taken.release()
        raise
    return taken


def _identity(target: Mapping[str, Any]) -> tuple[Any, ...]:
    return (target["embedded"], None if target["embedded"] else target["base_url"], target["profile"])


def _make(folder: Path) -> None:
    """Make *folder* and what is above it; not by recursion, for a name may have a thousand levels."""
    if folder.exists() and not folder.is_dir():
        raise SetupError(f"--report-dir {folder} is a file")
    levels = [folder]
    while not levels[-1].exists() and levels[-1].parent != levels[-1]:
        levels.append(levels[-1].parent)
    for level in reversed(levels):
        if not level.is_dir():
            level.mkdir(exist_ok=True)


def _lock(folder: Path) -> int:
    """Lock *folder* by its mark, which is made in an empty one; the open file, which holds the lock."""
    mark = folder / _MARK
    foreign = SetupError(f"--report-dir {folder} holds files that are not ours; name an empty or new directory")
    found = {entry.name for entry in folder.iterdir()}
    marked = _MARK in found
    if (found and not marked) or (marked and not stat.S_ISREG(mark.lstat().st_mode)):
        raise foreign
    handle = os.open(mark, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    try:
        _lock_file(handle, folder)
        text = os.read(handle, len(_MARKED) + 1).decode("latin-1")
        # A run that was killed at once has left a part of it and nothing else.
        if text != _MARKED and (found - {_MARK} or not _MARKED.startswith(text)):
            raise foreign
        os.pwrite(handle, _MARKED[len(text) :].encode(), len(text))
    except BaseException:
        os.close(handle)
        raise
    return handle


def _lock_file(handle: int, folder: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise SetupError(
            f"--report-dir {folder} is in use by another run; wait for its end, or name another directory"
        ) from None
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise


def _read_report(path: Path) -> bytes | None:
    """What an earlier run has left at *path*, where that is a file of its own and not too large for a report."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    about = os.fstat(handle)
    if not stat.S_ISREG(about.st_mode) or about.st_size > _LARGEST_REPORT:
        os.close(handle)
        return None
    with os.fdopen(handle, "rb") as stream:
        return stream.read()


def _empty(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.name == _MARK:
            continue
        if entry.name == _KEPT.parts[0] and _is_folder(entry) and _is_folder(entry / _KEPT.parts[1]):
            for inner in entry.iterdir():
                if inner.name != _KEPT.parts[1]:
                    _remove(inner)
            _remove_links(entry / _KEPT.parts[1])
            continue
        _remove(entry)


def _is_folder(entry: Path) -> bool:
    """Whether *entry* is a folder itself, and no link to one."""
    return entry.is_dir() and not entry.is_symlink()


def _remove_links(folder: Path) -> None:
    """Leave in *folder*, which is kept, files of its own only: what is written to a link lands elsewhere."""
    for entry in folder.iterdir():
        about = entry.lstat()
        if not stat.S_ISREG(about.st_mode) or about.st_nlink > 1:
            _remove(entry)


def _remove(entry: Path) -> None:
    if _is_folder(entry):
        shutil.rmtree(entry)
    else:
        entry.unlink()
