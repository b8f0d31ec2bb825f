"""The files of a run: prepared before it, completed after it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fixtures.errors import SetupError
from fixtures.secrets import Vault
from reports.allure import folder as allure_folder
from reports.allure import history
from reports.directory import Taken, take
from reports.formats import badge, document, junit, markdown, page, repeat
from reports.redaction.files import sweep

RESULTS = "allure-results"


def begin(folder: Path, base_url: str | None, profile: str) -> Taken:
    """Take and empty the report directory, and take the last run into Allure's history, which is kept by target.

    A *base_url* of None is the embedded emulator. Raises ``SetupError``.
    """
    taken = take(folder)
    try:
        history.fold(folder / RESULTS, f"{base_url or 'embedded'} {profile}")
    except OSError as error:
        taken.release()
        raise SetupError(f"--report-dir {folder} cannot be written: {error.strerror}") from None
    return taken


def finish(
    folder: Path,
    report: Mapping[str, Any],
    vault: Vault,
    requirements: Mapping[str, str],
    causes: Mapping[str, Sequence[str]],
) -> None:
    """Write what says how the run went; ``conformance.json`` last, so that with it everything is there.

    *requirements* names for each test, by its node id, the first requirement that it verifies; *causes* for those that are
    blocked, or fail for what another requirement explains, that requirement.

    Raises ``OSError`` where something cannot be written; nothing then says how the run went.
    """
    results = folder / RESULTS
    shown = document.masked_report(report, vault)
    texts = _texts(shown)
    try:
        allure_folder.name_causes(results, causes)
        build = history.next_build(results)
        allure_folder.write(results, shown, build)
        if report["complete"]:
            history.record(results, build)
        _write(folder, texts)
        repeat.write(folder, shown)
        junit.rearrange(folder / "junit.xml", requirements, causes)
        clean(folder, vault)
        document.write(shown, folder / "conformance.json")
    except OSError:
        _remove(folder, texts)
        raise


def finish_replay(folder: Path, report: Mapping[str, Any], vault: Vault) -> None:
    """Write the same of a run that was judged anew, but for what test by test is written while tests run: JUnit and Allure.

    Raises ``OSError`` as :func:`finish` does.
    """
    shown = document.masked_report(report, vault)
    texts = _texts(shown)
    try:
        _write(folder, texts)
        repeat.write(folder, shown)
        document.write(shown, folder / "conformance.json")
    except OSError:
        _remove(folder, texts)
        raise


def _texts(shown: Mapping[str, Any]) -> Mapping[str, str]:
    """The files that are made of the report alone."""
    # From what is masked: whatever escapes a text for its place cannot hide a secret from the search.
    return {
        "conformance.md": markdown.render(shown),
        "conformance.html": page.render(shown),
        "badge.svg": badge.svg(shown),
        "badge.json": badge.endpoint(shown),
    }


def _write(folder: Path, texts: Mapping[str, str]) -> None:
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", errors="backslashreplace")


def _remove(folder: Path, names: Iterable[str]) -> None:
    for name in names:
        with contextlib.suppress(OSError):
            (folder / name).unlink()


def clean(folder: Path, vault: Vault) -> None:
    """Redact what other plugins have written: JUnit's names of tests, for one, are theirs."""
    sweep(folder, vault, leave_out=[RESULTS])
