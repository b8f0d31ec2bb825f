"""What a run was narrowed to: what that leaves out is not verified, and the reports say why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from suites.runner.options import Options

_ROOT = Path(__file__).resolve().parents[2]
_SUITE = _ROOT / "suites" / "conformance"


#: Options that leave tests out, by pytest's names for them: its own, then allure-pytest's.
_SWITCHES = {
    "lf": "--lf",
    "stepwise": "--stepwise",
    "setuponly": "--setup-only",
    "setupplan": "--setup-plan",
    "allure_severities": "--allure-severities",
    "allure_epics": "--allure-epics",
    "allure_features": "--allure-features",
    "allure_stories": "--allure-stories",
    "allure_ids": "--allure-ids",
    "allure_labels": "--allure-label",
    "inversion": "--inversion",
}


def narrowed(config: pytest.Config, options: Options) -> list[str]:
    """The options and paths that leave tests out; empty for everything."""
    found = [f"--requirement {name}" for name in config.getoption("--requirement")]
    for option, name in (("keyword", "-k"), ("markexpr", "-m")):
        value = config.getoption(option, default="")
        if value:
            found.append(f"{name} {value}")
    for option, name in _SWITCHES.items():
        if config.getoption(option, default=False):
            found.append(name)
    for option in ("deselect", "ignore", "ignore_glob"):
        found += [f"--{option.replace('_', '-')} {value}" for value in config.getoption(option, default=None) or ()]
    stop: Any = config.getoption("maxfail", default=0)
    if stop:
        found.append("-x" if stop == 1 else f"--maxfail {stop}")
    if options.hypothesis_profile == "smoke":
        found.append("--hypothesis-profile smoke")
    return found + [path for path in map(_path, config.args) if path is not None]


def _path(argument: str) -> str | None:
    """A path or node id below the suite as a person would name it; None for the whole suite."""
    name, colons, rest = argument.partition("::")
    path = Path(name).absolute()
    if path == _SUITE or path in _SUITE.parents:
        return None
    return (str(path.relative_to(_ROOT)) if path.is_relative_to(_ROOT) else name) + colons + rest
