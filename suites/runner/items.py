"""The tests of a run: which are chosen, in which order, and what they are called."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import pytest

from contracts.requirements import catalogue
from suites.runner.options import Options

#: The files of the suite in the order of the contract.
_FILES = ("success", "errors", "calls", "credentials", "bad_input", "state", "state_machine", "privacy", "rate_limit")
#: A test with no more rows than this keeps them all in ``smoke``.
_FEW_ROWS = 3
#: Fixtures of pytest-base-url, which would ask the target before the run where ``--verify-base-url`` is given: that is refused.
_OF_OTHERS = frozenset({"base_url", "_verify_url"})


def requirements_of(item: pytest.Item) -> tuple[str, ...]:
    """The requirements that *item* verifies, in the order in which its marks name them."""
    return tuple(dict.fromkeys(name for mark in reversed(list(item.iter_markers("requirement"))) for name in mark.args))


def shorten(item: pytest.Function) -> None:
    """Leave out of the set-up of *item* what takes time and gives it nothing."""
    for name in _OF_OTHERS.intersection(item.fixturenames):
        item.fixturenames.remove(name)
    # pytest would make a fixture of each parameter, which takes longer than most tests wait for the target.
    callspec: Any = getattr(item, "callspec", None)
    if callspec is not None:
        item.funcargs.update(callspec.params)


def group_of(nodeid: str) -> str:
    """The file that the test lies in, by the name that the budget and the progress have for it."""
    return nodeid.partition("::")[0].rpartition("/")[2].removesuffix(".py").removeprefix("test_")


def choose(items: Iterable[pytest.Item], options: Options) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """The tests that the options ask for, in the order of the contract, and the others.

    Raises ``UsageError`` for one that names no requirement of the catalogue.
    """
    kept: list[pytest.Item] = []
    left: list[pytest.Item] = []
    for item in sorted(items, key=_place):
        (kept if _is_wanted(item, options) else left).append(item)
    if options.hypothesis_profile == "smoke":
        kept, thinned = _thin(kept)
        left += thinned
    return kept, left


def _place(item: pytest.Item) -> tuple[int, int]:
    name = item.path.stem.removeprefix("test_")
    last = 1 if item.get_closest_marker("last") else 0
    return (last, _FILES.index(name) if name in _FILES else len(_FILES))


def _is_wanted(item: pytest.Item, options: Options) -> bool:
    ids = requirements_of(item)
    unknown = [name for name in ids if name not in catalogue()]
    if unknown or not ids:
        raise pytest.UsageError(f"{item.nodeid} names no requirement, or one that is unknown: {unknown}")
    if not any(catalogue()[name].in_profile(options.profile) for name in ids) or not _in_profile(item, options.profile):
        return False
    return options.requirements is None or any(name in options.requirements for name in ids)


def _in_profile(item: pytest.Item, profile: str) -> bool:
    callspec: Any = getattr(item, "callspec", None)
    style = callspec.params.get("style") if callspec else None
    return style is None or profile == "platform" or style.profile == "core"


def _thin(items: list[pytest.Item]) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """For ``smoke``: of a test with many rows every fourth, and of each requirement at least its first row."""
    rows: dict[str, list[pytest.Item]] = {}
    for item in items:
        rows.setdefault(item.nodeid.partition("[")[0], []).append(item)
    kept: set[pytest.Item] = set()
    seen: set[tuple[str, str]] = set()
    for name, group in rows.items():
        for number, item in enumerate(group):
            fresh = {(name, requirement) for requirement in requirements_of(item)} - seen
            seen |= fresh
            if fresh or len(group) <= _FEW_ROWS or number % 4 == 0:
                kept.add(item)
    return [item for item in items if item in kept], [item for item in items if item not in kept]


def title_of(item: pytest.Item) -> str:
    """A title that a reviewer understands: the first sentence of the docstring, and the parameters."""
    return sentences_of(item)[0]


def sentences_of(item: pytest.Item) -> tuple[str, str, str]:
    """The title of *item*, its first sentence, and what else its docstring says."""
    function: Any = getattr(item, "function", None)
    sentence, rest = _read(getattr(function, "__doc__", None) or item.name)
    callspec: Any = getattr(item, "callspec", None)
    return f"{sentence} [{callspec.id}]" if callspec else sentence, sentence, rest


@lru_cache(maxsize=256)
def _read(docstring: str) -> tuple[str, str]:
    """The first sentence of *docstring*, and the rest; many tests are rows of one function."""
    first, _, rest = inspect.cleandoc(docstring).partition("\n\n")
    return " ".join(first.split()).rstrip("."), rest.strip()
