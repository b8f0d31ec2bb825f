"""The start-up check of redaction: a planted secret is to be masked on every way out, or the run does not begin."""

from __future__ import annotations

import io
import json
import logging
import secrets
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import allure_commons
import pytest
from _pytest.capture import TeeCaptureIO
from _pytest.junitxml import LogXML
from allure_commons.model2 import TestResult

from fixtures.secrets import Vault
from reports.allure.writer import Book, RedactingWriter
from reports.formats.story import redact_report
from reports.redaction import libraries
from reports.redaction.streams import RedactingStream

_LABEL = "planted"
#: Where the test lies that reports are made of.
_PLACE = ("a.py", 1, "test")
#: In a report of JUnit it stands in the name, in the message and the text of the failure, and in a property.
_IN_JUNIT = 4


def check(config: pytest.Config, vault: Vault) -> str | None:
    """Which ways out of *config*'s run show a planted secret, in a line, or None where none does."""
    planted = f"planted-{secrets.token_hex(16)}"
    vault.hide(planted, _LABEL)
    ways: dict[str, Callable[[], Iterator[str]]] = {
        "standard output": lambda: _streams(config),
        "a stream": lambda: _stream(vault, planted),
        "logging": lambda: _logging(planted),
        "pytest's trace": lambda: _trace(config, vault, planted),
        "pytest's reports": lambda: _report(vault, planted),
        "junit.xml": lambda: _junit(vault, planted),
        "Allure's files": lambda: _allure(config, vault, planted),
    }
    broken = [name for name, way in ways.items() if _shows(way, planted)]
    if not broken:
        return None
    return (
        f"secrets would not be masked in {', '.join(broken)} with pytest {pytest.__version__}: "
        "install the versions of requirements.lock, and report it"
    )


def _shows(way: Callable[[], Iterator[str]], planted: str) -> bool:
    try:
        return any(planted in text for text in way())
    except Exception:  # a name that this version does not have, or that means something else in it
        return True


def _streams(config: pytest.Config) -> Iterator[str]:
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    capture: Any = config.pluginmanager.get_plugin("capturemanager")
    captured = libraries.captures(capture)
    streams = [each._old for each in captured]
    streams += [each.tmpfile._other for each in captured if isinstance(each.tmpfile, TeeCaptureIO)]
    if reporter is not None:
        streams.append(reporter._tw._file)
    for stream in (sys.stdout, sys.stderr, *streams):
        if not isinstance(stream, RedactingStream):
            raise TypeError("a stream without redaction")
    yield ""


def _stream(vault: Vault, planted: str) -> Iterator[str]:
    below = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    stream = RedactingStream(below, vault)
    print(planted, file=stream)
    stream.buffer.write(planted.encode())
    below.seek(0)
    yield below.buffer.read().decode("latin-1")


def _logging(planted: str) -> Iterator[str]:
    record = logging.getLogRecordFactory()(__name__, logging.INFO, __file__, 1, "a %s", (planted,), None)
    yield logging.Formatter().format(record)


def _trace(config: pytest.Config, vault: Vault, planted: str) -> Iterator[str]:
    tracer: Any = config.trace.root
    before = tracer._writer
    seen: list[str] = []
    tracer.setwriter(seen.append)
    try:
        libraries.redact_trace(vault, tracer)
        tracer.get("redaction")(planted)
    finally:
        tracer.setwriter(before)
    if not seen:
        raise TypeError("nothing was traced")
    yield from seen


def _report(vault: Vault, planted: str) -> Iterator[str]:
    for longrepr in (planted, (*_PLACE[:2], planted)):
        report = pytest.TestReport("a.py::test", _PLACE, {}, "failed", longrepr, "call", [("Captured stdout", planted)])
        redact_report(report, vault)
        yield from (str(report.longrepr), report.longreprtext, report.capstdout)


def _junit(vault: Vault, planted: str) -> Iterator[str]:
    xml = LogXML("junit.xml", None)
    report = pytest.TestReport(f"a.py::test[{planted}]", (*_PLACE[:2], planted), {}, "failed", planted, "call")
    xml.pytest_runtest_logreport(report)
    xml.node_reporter(report).add_property("planted", planted)
    libraries.redact_junit(xml, vault)
    for reporter in xml.node_reporters_ordered:
        written = ElementTree.tostring(reporter.to_xml(), encoding="unicode")
        if written.count(f"«{_LABEL}»") < _IN_JUNIT:
            raise TypeError("not all of it was written")
        yield written


def _allure(config: pytest.Config, vault: Vault, planted: str) -> Iterator[str]:
    if config.getoption("allure_report_dir", default=None) and config.pluginmanager.hasplugin("allure_pytest"):
        writers = [each for each in allure_commons.plugin_manager.get_plugins() if hasattr(each, "report_result")]
        if not writers or not all(isinstance(each, RedactingWriter) for each in writers):
            raise TypeError("a writer without redaction")
    with tempfile.TemporaryDirectory(prefix="delivery-conformance-") as folder:
        writer = RedactingWriter(folder, book=Book(vault))
        writer.report_result(TestResult(uuid="0", name=planted))
        writer.report_attached_data(planted, "attachment.txt")
        written = [path.read_text(encoding="utf-8") for path in Path(folder).iterdir()]
    if len(written) != 2 or _LABEL not in json.dumps(written, ensure_ascii=False):
        raise TypeError("nothing was written")
    yield from written
