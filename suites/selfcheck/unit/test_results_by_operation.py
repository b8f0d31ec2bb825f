"""The result of a requirement for each operation, and the options that a report names."""

from __future__ import annotations

import pytest

from reports.formats import document
from reports.results import Results, TestOutcome, TestResult, ViolationRecord

NAME = "C1-get-query"


def outcome(result: TestResult, *operations: str) -> TestOutcome:
    return TestOutcome(f"t {result} {operations}", "t", {NAME: (result, "r")}, operations=operations)


def by_operation(*outcomes: TestOutcome) -> tuple[str, dict[str, str]]:
    """The result of the requirement, and that for each operation."""
    results = Results("platform")
    for each in outcomes:
        results.add(each)
    found = next(each for each in results.requirements() if each.requirement.id == NAME)
    return found.result, dict(found.operations)


@pytest.mark.parametrize(
    ("outcomes", "result", "operations"),
    [
        (
            [outcome("passed", "read"), outcome("not_verified", "create")],
            "not_verified",
            {"create": "not_verified", "read": "passed"},
        ),
        ([outcome("passed", "create", "read")], "passed", {"create": "passed", "read": "passed"}),
        ([outcome("passed", "read")], "passed", {"read": "passed"}),
        ([outcome("passed", "read"), outcome("blocked", "read")], "blocked", {"read": "blocked"}),
        # Which operation it is about is not known: neither can be said to have passed.
        ([outcome("passed", "read"), outcome("not_verified")], "not_verified", {"read": "not_verified"}),
        ([outcome("not_verified")], "not_verified", {}),
        ([], "not_verified", {}),
    ],
)
def test_a_result_for_each_operation(outcomes: list[TestOutcome], result: str, operations: dict[str, str]) -> None:
    assert by_operation(*outcomes) == (result, operations)


def test_what_is_broken_is_broken_in_its_operation() -> None:
    shown = {"request": "GET http://127.0.0.1/v2/user/session/delivery/create?hash=«owner»", "response": "", "curl": ""}
    broken = TestOutcome(
        "t", "t", {NAME: ("failed", "r")}, (ViolationRecord(NAME, "m", "e", "a", shown),), operations=("create",)
    )
    assert by_operation(broken, outcome("passed", "read")) == ("failed", {"create": "failed", "read": "passed"})


def test_options_name_no_folder_of_this_machine_and_nothing_that_a_command_is_told() -> None:
    given = ["--target", "/home/me/our files/target.toml", "--waivers=/etc/w.toml", "--base-url", "http://host/v2"]
    given += [
        "--serve",
        "/opt/py/bin/python -u /home/me/draft.py --log=/var/log/x",
        "-k",
        "create or read",
        "-o",
        "cache_dir=/x/y",
    ]
    assert document.without_folders(given) == [
        *("--target", "target.toml", "--waivers=w.toml", "--base-url", "http://host/v2"),
        *("--serve", "python …", "-k", "create or read", "-o", "cache_dir=y"),
    ]
    assert document.without_folders(["--serve=/opt/draft", "--serve='/opt/my draft' --token=x"]) == [
        *("--serve=draft", "--serve=my draft …"),
    ]
