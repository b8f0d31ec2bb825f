"""Allure results: written through allure-pytest, in words that a reviewer understands, and redacted.

``allure-pytest`` brings tests, their times and what they printed; the rest is added when a result is written, because
only then is it known what the test found.
"""

from __future__ import annotations

from functools import partial

import allure_pytest.plugin

from reports.allure.case import Case as Case
from reports.allure.listener import Listener
from reports.allure.writer import Book as Book
from reports.allure.writer import RedactingWriter


def install(book: Book) -> None:
    """Make allure-pytest use the redacting writer and a listener that keeps no fixtures; to be called before it is configured."""
    allure_pytest.plugin.AllureListener = Listener
    allure_pytest.plugin.AllureFileLogger = partial(RedactingWriter, book=book)
