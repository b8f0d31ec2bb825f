"""The files of a run: prepared before it, completed after it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fixtures.errors import SetupError
from fixtures.secrets import Vault
from reports.allure import folder as allure_folder
from reports.allure import history
from reports.directory import prepare
from reports.formats import document, markdown
from reports.redaction.streams import sweep

RESULTS = "allure-results"


def begin(folder: Path) -> None:
    """Empty the report directory and take the last run into Allure's history. Raises ``SetupError``."""
    prepare(folder)
    try:
        history.fold(folder / RESULTS)
    except OSError as error:
        raise SetupError(f"--report-dir {folder} cannot be written: {error.strerror}") from None


def finish(folder: Path, report: Mapping[str, Any], vault: Vault) -> None:
    """Write what says how the run went; ``conformance.json`` last, so that with it everything is there.

    Raises ``OSError`` where something cannot be written; nothing then says how the run went.
    """
    results = folder / RESULTS
    summary = folder / "conformance.md"
    try:
        build = history.next_build(results)
        allure_folder.write(results, report, build)
        if report["complete"]:
            history.record(results, build)
        summary.write_text(vault.mask(markdown.render(report)), encoding="utf-8")
        clean(folder, vault)
        document.write(report, folder / "conformance.json", vault)
    except OSError:
        with contextlib.suppress(OSError):
            summary.unlink()
        raise


def clean(folder: Path, vault: Vault) -> None:
    """Redact what other plugins have written: JUnit's names of tests, for one, are theirs."""
    sweep(folder, vault, leave_out=[RESULTS])
