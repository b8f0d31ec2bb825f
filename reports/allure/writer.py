"""Allure's writer with the redaction in it: no byte reaches the disk that was not looked at.

allure-pytest keeps results in memory and hands each one over when its test is done; only here is anything written. A
result is first given the form that a reviewer reads (:mod:`reports.allure.case`), then every string in it is masked.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Collection, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import allure_commons
from allure_commons.logger import AllureFileLogger
from allure_commons.model2 import Attachment
from attr import fields, has

from contracts.exchange import Exchange
from fixtures.secrets import Vault
from reports.allure.case import Case, shape
from reports.exchange import exchange_text
from reports.formats.repeat import NO_ACCOUNTS
from reports.redaction.files import masked

#: Members that are no one's words.
_OWN: Final = frozenset({"uuid", "source", "type", "testCaseId", "historyId"})
#: Where a test stands is said in the suite's own words. Its name may hold a parameter, which may be anything.
_PLACE: Final = frozenset({"titlePath", "labels"})
#: What a test verifies is said so, too; what is broken is not.
_DESCRIPTIONS: Final = frozenset({"description", "descriptionHtml", "links"})


class Book:
    """What the run knows of the test that is being reported, handed from the plugin to the writer."""

    def __init__(self, vault: Vault) -> None:
        self.vault = vault
        #: Where the run has its accounts from.
        self.accounts = NO_ACCOUNTS
        self._current: Case | None = None

    def note(self, case: Case) -> None:
        """The result that Allure writes next is of this test."""
        self._current = case

    def take(self) -> Case | None:
        """The test that the next result is of, once."""
        case, self._current = self._current, None
        return case


class RedactingWriter(AllureFileLogger):
    """Writes results, containers and attachments below one folder."""

    def __init__(self, report_dir: str, clean: bool = False, *, book: Book) -> None:
        super().__init__(report_dir, clean)  # type: ignore[no-untyped-call]
        self._folder = Path(report_dir).absolute()
        self._book = book
        self._vault = book.vault
        #: By the exchange, which the history keeps: several tests show the same one.
        self._attached: dict[int, Attachment] = {}

    @allure_commons.hookimpl
    def report_result(self, result: Any) -> None:
        """Write the result of a test."""
        case = self._book.take()
        ours = _OWN
        if case is not None:
            shape(result, case, self._vault, self._book.accounts, self.attach)
            ours = _OWN | _PLACE if case.violations else _OWN | _PLACE | _DESCRIPTIONS
        self._report_item(result, ours)

    @allure_commons.hookimpl
    def report_container(self, container: Any) -> None:
        """Write what fixtures did: none of the suite's is kept."""
        self._report_item(container)

    @allure_commons.hookimpl
    def report_globals(self, globals_item: Any) -> None:
        """Write what belongs to no test."""
        self._report_item(globals_item)

    @allure_commons.hookimpl
    def report_attached_data(self, body: Any, file_name: str) -> None:
        """Write an attachment that a test or pytest made."""
        self._write(file_name, self._masked(body))

    @allure_commons.hookimpl
    def report_attached_file(self, source: Any, file_name: str) -> None:
        """Write an attachment that is a file."""
        self._write(file_name, self._masked(Path(source).read_bytes()))

    def attach(self, exchange: Exchange) -> Attachment:
        """Write *exchange* as an attachment, once."""
        attached = self._attached.get(id(exchange))
        if attached is None:
            content = exchange_text(exchange, self._vault).encode("utf-8", "backslashreplace")
            file_name = f"{uuid.uuid4()}-attachment.txt"
            # No result names it yet, so no one can read it half-written.
            self._put(file_name, content)
            attached = self._attached[id(exchange)] = Attachment(name="exchange", source=file_name, type="text/plain")
        return attached

    def _report_item(self, item: Any, ours: Collection[str] = _OWN) -> None:
        """Write *item*; *ours* are the members of it that hold the suite's own words."""
        text = json.dumps(_data(item, self._vault, ours), ensure_ascii=False)
        self._write(item.file_pattern.format(prefix=uuid.uuid4()), text.encode("utf-8", "backslashreplace"))

    def _masked(self, body: str | bytes) -> bytes:
        if isinstance(body, str):
            return self._vault.mask(body).encode("utf-8", "backslashreplace")
        try:
            return self._vault.mask(body.decode("utf-8")).encode()
        except UnicodeDecodeError:
            # The guillemets of a mask are in this character set too.
            return self._vault.mask(body.decode("latin-1")).encode("latin-1", "replace")

    def _write(self, file_name: str, content: bytes) -> None:
        part = self._put(f"{file_name}.tmp", content)
        os.replace(part, f"{self._folder}/{file_name}")  # noqa: PTH105

    def _put(self, file_name: str, content: bytes) -> str:
        """Write a file; where it is. A run writes five hundred, which is noticed where a Path is made for each."""
        place = f"{self._folder}/{file_name}"
        with open(place, "wb") as file:  # noqa: PTH123
            file.write(content)
        return place


def _data(item: Any, vault: Vault | None, ours: Collection[str]) -> Any:
    """*item*, of Allure's model or in it, as JSON has it, masked, without the members that hold nothing.

    Without *vault* it is the suite's own words, as are the members that *ours* names.
    """
    kind: Any = type(item)
    if kind is list:
        return [_data(each, vault, ours) for each in item]
    names = _members_of(kind)
    if not names:
        return item if vault is None else masked(item, vault, ours)
    found = {}
    for name in names:
        value = getattr(item, name)
        if value or value is False:
            found[name] = _data(value, None if name in ours else vault, ours)
    return found


@cache
def _members_of(kind: Any) -> Sequence[str]:
    """The names of the members that an object of the class *kind* has; of what is not of Allure's model, none."""
    return tuple(each.name for each in fields(kind)) if has(kind) else ()
