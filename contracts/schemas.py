"""The JSON Schemas below ``contracts/schemas``, loaded and compiled once.

The files carry no ``$id`` and refer to each other by file name: tools that read them from disk resolve such references
without a look-up on the network, and here a registry knows every file by its name. ``jsonschema`` is imported when the
first validator is asked for, so that what needs only a schema's text starts quickly.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from referencing import Registry

DIRECTORY: Final = Path(__file__).with_name("schemas")

NAMES: Final = tuple(sorted(path.stem for path in DIRECTORY.glob("*.json")))
"""The schemas there are: ``key``, ``success``, ``error``, ``target``, ``waivers``, ``report``,
``history``."""


@cache
def load(name: str) -> dict[str, Any]:
    """The schema called `name`, as data. It is shared: do not change it."""
    if name not in NAMES:
        raise KeyError(f"no schema is called {name!r}; there are {', '.join(NAMES)}")
    schema: dict[str, Any] = json.loads((DIRECTORY / f"{name}.json").read_text(encoding="utf-8"))
    return schema


@cache
def _registry() -> Registry[Any]:
    """Every schema by its file name, as the references have it."""
    from referencing import Registry
    from referencing.jsonschema import DRAFT202012

    return Registry().with_resources((f"{name}.json", DRAFT202012.create_resource(load(name))) for name in NAMES)


def prepare(*names: str) -> None:
    """Make the validators for the schemas called *names*, which takes some 30 ms, while there is nothing else to do."""
    for name in names:
        validator(name).is_valid({})


@cache
def validator(name: str) -> Draft202012Validator:
    """A validator for the schema called `name`.

    Of the formats only ``date`` is checked: whether the others are would depend on which packages happen to be
    installed. Messages of a validator quote the value that they are about, which may be a secret.
    """
    from jsonschema import Draft202012Validator, FormatChecker

    return Draft202012Validator(load(name), registry=_registry(), format_checker=FormatChecker(formats=["date"]))
