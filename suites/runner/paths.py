"""Which tests a run of pytest is about: those of the conformance suite, or the project's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from fixtures.errors import SetupError

ROOT = Path(__file__).resolve().parents[2]
SUITE = ROOT / "suites" / "conformance"
#: The project's own tests, which have no target. An installed suite has none.
SELFCHECK = ROOT / "suites" / "selfcheck"

#: Set where the command runs pytest, which always judges a target.
COMMAND = pytest.StashKey[bool]()


def concerned(config: pytest.Config) -> bool:
    """Whether the run judges a target. Only one that names nothing but self-checks does not."""
    return config.stash.get(COMMAND, False) or not all(map(_is_selfcheck, config.args))


def named(arguments: Sequence[str]) -> list[str]:
    """The tests that the arguments of the command name, found below the suite from any directory; else the whole suite.

    The command itself always names the whole suite.
    """
    others = [each for each in arguments if each != str(SUITE)]
    return [
        str(ROOT / each)
        if each.startswith("suites/conformance") and (ROOT / each.partition("::")[0]).exists()
        else each
        for each in others
    ] or [str(SUITE)]


def default_to_suite(config: pytest.Config) -> None:
    """Where no path is given, pytest takes the working directory outside of its root; make it the suite."""
    if config.args_source is pytest.Config.ArgsSource.INVOCATION_DIR:
        config.args[:] = [str(SUITE)]


def check(config: pytest.Config) -> None:
    """Raise ``SetupError`` for a test whose file is not there, or is a target file, before anything else is done."""
    for argument in config.args:
        target = argument.endswith(".toml")
        if target or not (config.option.pyargs or Path(argument.partition("::")[0]).exists()):
            meant = f"; did you mean --target {argument}?" if target else ""
            raise SetupError(f"{argument} is no test: one is named by its path, see --explain{meant}")


def _is_selfcheck(argument: str) -> bool:
    return Path(argument.partition("::")[0]).absolute().is_relative_to(SELFCHECK)
