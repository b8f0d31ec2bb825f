"""The report directory: emptied before a run, but never of anybody else's files."""

from __future__ import annotations

import shutil
from pathlib import Path

from fixtures.errors import SetupError

_MARK = ".delivery-conformance"
_MARKED = "Written by delivery-conformance: this directory is emptied by the next run.\n"
_KEPT = Path("allure-results") / "history"
_CHECKOUT = Path(__file__).resolve().parents[1]


def default() -> Path:
    """Where outputs go unless told otherwise: below ``reports/`` in the checkout, else in the working directory."""
    if (_CHECKOUT / "pyproject.toml").is_file() and (_CHECKOUT / "Makefile").is_file():
        return _CHECKOUT / "reports" / "out"
    return Path.cwd() / "delivery-conformance-report"


def prepare(folder: Path) -> None:
    """Make *folder*, or empty it where it is ours; Allure's history outlives a run. Raises ``SetupError`` else."""
    mark = folder / _MARK
    try:
        if folder.exists() and not folder.is_dir():
            raise SetupError(f"--report-dir {folder} is a file")
        if folder.is_dir() and any(folder.iterdir()) and not _is_ours(mark):
            raise SetupError(f"--report-dir {folder} holds files that are not ours; name an empty or new directory")
        folder.mkdir(parents=True, exist_ok=True)
        mark.write_text(_MARKED, encoding="utf-8")
        _empty(folder)
    except OSError as error:
        raise SetupError(f"--report-dir {folder} cannot be written: {error.strerror}") from None


def _is_ours(mark: Path) -> bool:
    """Whether *mark* is what a run has written, and not somebody's file or link of the same name."""
    if mark.is_symlink() or not mark.is_file():
        return False
    with mark.open("rb") as stream:
        return stream.read(len(_MARKED) + 1) == _MARKED.encode()


def _empty(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.name == _MARK:
            continue
        if entry.name == _KEPT.parts[0] and (entry / _KEPT.parts[1]).is_dir() and not entry.is_symlink():
            for inner in entry.iterdir():
                if inner.name != _KEPT.parts[1]:
                    _remove(inner)
            continue
        _remove(entry)


def _remove(entry: Path) -> None:
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink()
