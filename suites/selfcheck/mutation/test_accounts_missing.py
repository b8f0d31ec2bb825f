"""Accounts that are missing: what needs them is not verified, with the reason; nothing is blocked and nothing failed."""

from __future__ import annotations

import pytest

from contracts.requirements import catalogue
from suites.selfcheck.mutation.scenario_runs import Made, make

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("accounts-missing")]

#: What needs each account.
NEEDED_BY = {
    "other_owner": {"A6-users-are-isolated"},
    "owner_without_session": {"T4-read-without-session"},
    "demo_with_session": {"T5-demo-create-refused"},
    "demo_without_session": {"T5-demo-first-create"},
    "subuser": {"T6-subuser-create-refused"},
    "tariff_restricted": {"T7-tariff-create-refused"},
    "ended": {"A2-ended-hash-refused"},
}
#: What binds the client, or that a target may do.
_NO_CHECK = {entry.id for entry in catalogue().values() if entry.level == "MAY"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Made]:
    """A run with all accounts, one without each, and one with a hook that does not make it."""
    names = ["@fixed", "@only-owner", "@core", *(f"@without-{name}" for name in (*NEEDED_BY, "owner"))]
    names += [f"@unmade-{name}" for name in NEEDED_BY]
    return make(tmp_path_factory.mktemp("accounts"), *names)


def _with_result(made: Made, *results: str) -> set[str]:
    return {name for name, result in made.results.items() if result in results} - _NO_CHECK


def _not_verified(made: Made) -> set[str]:
    return _with_result(made, "not_verified")


def test_all_fixed(runs: dict[str, Made]) -> None:
    made = runs["@fixed"]
    assert _with_result(made, "failed", "warning", "error", "blocked") == set()
    assert _with_result(made, "not_verified") == set()
    assert made.report is not None
    assert (made.report["verdict"], made.exit_code) == ("conformant", 0)


@pytest.mark.parametrize(
    ("kind", "said"),
    [("@without", "no account {}"), ("@unmade", "cannot make the state {}")],
    ids=["in the target file", "by the hook"],
)
@pytest.mark.parametrize("account", NEEDED_BY)
def test_without_one(runs: dict[str, Made], account: str, kind: str, said: str) -> None:
    made = runs[f"{kind}-{account}"]
    assert _with_result(made, "failed", "warning", "error", "blocked") == set()
    assert _not_verified(made) == NEEDED_BY[account]
    for name in NEEDED_BY[account]:
        assert said.format(account) in made.reasons[name]
    assert made.report is not None
    assert made.report["accounts"][account].startswith("absent")


def test_only_the_owner(runs: dict[str, Made]) -> None:
    made = runs["@only-owner"]
    assert _with_result(made, "failed", "warning", "error", "blocked") == set()
    assert _not_verified(made) == set().union(*NEEDED_BY.values())


def test_without_the_owner(runs: dict[str, Made]) -> None:
    made = runs["@without-owner"]
    assert _with_result(made, "failed", "warning", "error", "blocked") == set()
    assert made.report is not None
    assert made.report["verdict"] == "inconclusive"
    for name in _with_result(made, "not_verified"):
        assert "no account owner" in made.reasons[name], (name, made.reasons[name])


def test_core_profile(runs: dict[str, Made]) -> None:
    made = runs["@core"]
    assert made.report is not None
    assert (made.report["verdict"], made.exit_code) == ("conformant", 0)
    platform = {entry.id for entry in catalogue().values() if entry.profile == "platform"}
    assert {name for name, result in made.results.items() if result == "out_of_profile"} == platform
    assert _with_result(made, "passed") == set(catalogue()) - platform - _NO_CHECK
    assert _not_verified(made) == set()
