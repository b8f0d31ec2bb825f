"""Where redaction has to reach below the surface of pytest and of allure-pytest: all such places, and no other.

Tried with pytest 9.0, 9.1 and 9.2 and allure-pytest 2.15 and 2.16. Nothing here is looked up with a default: a name that
another version does not have raises ``AttributeError``, and :mod:`reports.redaction.check` refuses to run.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from _pytest.capture import SysCaptureBase, TeeCaptureIO
from _pytest.junitxml import LogXML, xml_key

from fixtures.secrets import Vault
from reports.redaction.files import mask_tree
from reports.redaction.streams import redacted


def redact_terminal(reporter: Any, vault: Vault) -> None:
    """Redact what pytest's *reporter* prints."""
    if reporter is not None:
        reporter._tw._file = redacted(reporter._tw._file, vault)


def redact_streams(vault: Vault, capture: Any) -> None:
    """Redact standard output and error, also where pytest's *capture* manager puts them back or copies to them."""
    for name in ("stdout", "stderr"):
        setattr(sys, name, redacted(getattr(sys, name), vault))
    for each in captures(capture):
        each._old = redacted(each._old, vault)
        if isinstance(each.tmpfile, TeeCaptureIO):
            each.tmpfile._other = redacted(each.tmpfile._other, vault)


def captures(capture: Any) -> list[Any]:
    """What the *capture* manager has put in the place of the standard streams; nothing where it captures nothing."""
    capturing = capture._global_capturing if capture is not None else None
    if capturing is None:
        return []
    outer = [each for each in (capturing.out, capturing.err) if each is not None]
    # Capturing by file descriptor captures the stream besides.
    inner = [each if isinstance(each, SysCaptureBase) else each.syscapture for each in outer]
    return [each for each in inner if isinstance(each, SysCaptureBase)]


def redact_trace(vault: Vault, tracer: Any) -> None:
    """Redact what pytest's ``--debug`` writes of its own doings."""
    write = tracer._writer
    if write is not None:
        tracer.setwriter(lambda text: write(vault.mask(text)))


class JunitRedaction:
    """Masks what pytest has gathered for JUnit, value by value, before it writes the file."""

    def __init__(self, config: pytest.Config, vault: Vault) -> None:
        self._config = config
        self._vault = vault

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """The tests are over."""
        xml = self._config.stash.get(xml_key, None)
        if xml is not None:
            redact_junit(xml, self._vault)


def redact_junit(xml: LogXML, vault: Vault) -> None:
    """Mask all texts of *xml*."""
    xml.global_properties[:] = [(name, vault.mask(value)) for name, value in xml.global_properties]
    for reporter in xml.node_reporters_ordered:
        # From now on it gives the same element each time it is asked.
        reporter.finalize()
        mask_tree(reporter.to_xml(), vault)


def cache_folder(config: pytest.Config) -> Path | None:
    """Where pytest remembers names of tests, if it does."""
    # There is none without pytest's plugin for it.
    cache: Any = getattr(config, "cache", None)
    return Path(cache._cachedir) if cache is not None else None
