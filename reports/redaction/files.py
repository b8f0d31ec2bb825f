"""Redaction of files: of data before it is written, and of files that other code has written."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

from fixtures.secrets import Vault

#: Larger files are no one's notes.
_LARGEST: Final = 20_000_000


def masked(data: Any, vault: Vault, ours: Collection[str] = ()) -> Any:
    """*data* with every text in it masked and nothing else, so that no target chooses what a report is made of.

    *ours* names members whose texts are the suite's own words.
    """
    if isinstance(data, str):
        return vault.mask(data)
    if isinstance(data, Mapping):
        return {name: value if name in ours else masked(value, vault, ours) for name, value in data.items()}
    if isinstance(data, list | tuple):
        return [masked(each, vault, ours) for each in data]
    return data


def sweep(folder: Path, vault: Vault, *, leave_out: Iterable[str] = (), since: float = 0.0) -> int:
    """Redact every file below *folder* that still shows a secret; how many there were. None is expected.

    *leave_out* names folders in it that only redacting writers write to; what was last written before the time *since*
    is not this run's. XML and JSON are masked value by value: a target must not choose what a document is made of.
    """
    changed = 0
    skipped = {folder / name for name in leave_out}
    for path in folder.rglob("*"):
        if skipped.intersection(path.parents) or not path.is_file() or path.is_symlink():
            continue
        try:
            about = path.stat()
            if about.st_size > _LARGEST or about.st_mtime < since:
                continue
            raw = path.read_bytes()
        except OSError:
            continue
        clean = _clean(raw, path.suffix, vault)
        if clean != raw:
            path.write_bytes(clean)
            changed += 1
    return changed


def _clean(raw: bytes, suffix: str, vault: Vault) -> bytes:
    try:
        text, encoding = raw.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        text, encoding = raw.decode("latin-1"), "latin-1"
    read = {".xml": _clean_xml, ".svg": _clean_xml, ".json": _clean_json}.get(suffix)
    if read is not None:
        clean = read(text, vault)
        if clean is not None:
            return clean.encode(encoding, "backslashreplace")
    return vault.mask(text).encode(encoding, "replace")


def _clean_xml(text: str, vault: Vault) -> str | None:
    """The document *text* with its values masked, itself where there is nothing to mask, None where it is no XML."""
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - of our own folder
    except (ElementTree.ParseError, ValueError):
        return None
    if not mask_tree(root, vault):
        return text
    return '<?xml version="1.0" encoding="utf-8"?>' + ElementTree.tostring(root, encoding="unicode")


def mask_tree(root: ElementTree.Element, vault: Vault) -> bool:
    """Mask the texts and attributes of *root* and of all below it; whether there was anything to mask."""
    changed = False
    for node in root.iter():
        text, tail = (each and vault.mask(each) for each in (node.text, node.tail))
        attributes = {name: vault.mask(value) for name, value in node.attrib.items()}
        changed = changed or (text, tail, attributes) != (node.text, node.tail, node.attrib)
        node.text, node.tail = text, tail
        node.attrib.update(attributes)
    return changed


def _clean_json(text: str, vault: Vault) -> str | None:
    try:
        data = json.loads(text)
        clean = _masked_throughout(data, vault)
        return text if clean == data else json.dumps(clean, indent=2, ensure_ascii=False) + "\n"
    except (ValueError, RecursionError):
        return None


def _masked_throughout(data: Any, vault: Vault) -> Any:
    """*data* with every text masked, names of members too: pytest remembers names of tests so."""
    if isinstance(data, str):
        return vault.mask(data)
    if isinstance(data, dict):
        return {vault.mask(name): _masked_throughout(value, vault) for name, value in data.items()}
    return [_masked_throughout(each, vault) for each in data] if isinstance(data, list) else data
