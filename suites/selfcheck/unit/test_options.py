"""Options: what pytest could not read is said in one line, and what leaves tests out is named."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from fixtures.errors import SetupError, nearest
from suites.runner.options import OURS, chosen_requirements, wrong_arguments
from suites.runner.selection import narrowed

_SECRET = "9c1de5b0a7f24368be31d0c94f7a6e52"
_OPTIONS = (*OURS, "-k", "--maxfail", "--collect-only")
_USAGE = "usage: delivery-conformance [options] [file_or_dir] [file_or_dir] [...]\ndelivery-conformance: error: {}\n  inifile: /a\n"

_TWO = "--bse-url is no option; did you mean --base-url?; --wiat is no option; did you mean --wait?"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("unrecognized arguments: --taget=x", "--taget is no option; did you mean --target?"),
        (f"unrecognized arguments: --hash={_SECRET} {_SECRET}", "--hash is no option: see --help"),
        ("unrecognized arguments: -Y --bse-url x --wiat=3", "-Y is no option: see --help; " + _TWO),
        ("unrecognized arguments: -Z", "-Z is no option: see --help"),
        ("argument --wait: expected one argument", "argument --wait: expected one argument"),
    ],
)  # fmt: skip
def test_what_pytest_cannot_read_is_one_line(said: str, expected: str) -> None:
    assert wrong_arguments(_USAGE.format(said), _OPTIONS) == expected


def test_a_message_without_usage_stays_whole() -> None:
    assert wrong_arguments("plugin mark\ncannot be disabled", _OPTIONS) == "plugin mark cannot be disabled"


@pytest.mark.parametrize(
    ("given", "expected"),
    [("OWNERS", "; did you mean owner?"), ("ownre", "; did you mean owner?"), ("zzzz", ""), ("", "")],
)
def test_the_nearest_name(given: str, expected: str) -> None:
    assert nearest(given, ["owner", "subuser"]) == expected


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("t22", "; did you mean T2?"),
        ("T2-read-gives-last", "; did you mean T2-read-gives-last-created?"),
        ("?", "; see --list-requirements"),
    ],
)
def test_a_requirement_that_is_none(name: str, hint: str) -> None:
    with pytest.raises(SetupError) as error:
        chosen_requirements([name])
    assert str(error.value) == f"--requirement {name!r} is no id or tag of the catalogue{hint}"


def _config(**options: Any) -> Any:
    return SimpleNamespace(getoption=lambda name, default=None: options.get(name.lstrip("-"), default), args=[])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, []),
        ({"keyword": "T2"}, ["-k T2"]),
        ({"allure_severities": {("severity", "blocker")}}, ["--allure-severities"]),
        ({"allure_labels": [("a", "b")]}, ["--allure-label"]),
        ({"inversion": "1"}, ["--inversion"]),
        ({"setuponly": True, "setupplan": True}, ["--setup-only", "--setup-plan"]),
    ],
)
def test_every_option_that_leaves_tests_out_is_named(options: dict[str, Any], expected: list[str]) -> None:
    resolved: Any = SimpleNamespace(hypothesis_profile="standard")
    assert narrowed(_config(requirement=[], **options), resolved) == expected
