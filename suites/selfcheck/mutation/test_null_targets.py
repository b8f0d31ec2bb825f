"""Null targets: servers that say the same to everything pass nothing but the shape of that one answer."""

from __future__ import annotations

import pytest

from contracts.requirements import catalogue
from suites.selfcheck.mutation.scenario_runs import Made, make
from suites.selfcheck.mutation.scenarios import NULL_TARGETS

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("null-targets")]

_FORM = {"S2-json-object"}
_SUCCESS = {"S1-success-is-200", "S2-json-object", "S3-success-members", "S4-key-form"}
_ENVELOPE = {"S2-json-object", "E1-error-envelope", "E4-no-value-in-error"}
_ERROR = _ENVELOPE | {"E2-status-goes-with-code", "E3-code-belongs-to-operation"}
#: What the one answer of each truly shows, of the requirements on successes and errors.
SHOWN = {
    "empty": set[str](),
    "object": _FORM,
    "same-success": _SUCCESS,
    "fresh-success": _SUCCESS,
    "code-3": _ERROR,
    "code-4": _ERROR,
    "code-13": _ERROR,
    # 101 belongs to create only and 201 to read only: given by both, they break E3.
    "code-101": _ERROR - {"E3-code-belongs-to-operation"},
    "code-201": _ERROR - {"E3-code-belongs-to-operation"},
    "html-404": set[str](),
    "code-14": _ERROR,
}
#: Of these a fixed owner is refused throughout, which is its fault or the target's.
REFUSING = ("code-3", "code-4", "code-13", "code-101", "code-201")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Made]:
    """A run on each."""
    names = [f"@null-{kind}-{how}" for kind in NULL_TARGETS for how in ("hook", "fixed")]
    return make(tmp_path_factory.mktemp("null"), *names)


def test_table_is_whole() -> None:
    assert SHOWN.keys() == NULL_TARGETS.keys()


@pytest.mark.parametrize("how", ["hook", "fixed"])
@pytest.mark.parametrize("kind", NULL_TARGETS)
def test_null_target_passes_nothing(runs: dict[str, Made], kind: str, how: str) -> None:
    made = runs[f"@null-{kind}-{how}"]
    if made.report is None:
        assert made.exit_code == 4, made.output
        assert kind == "html-404" or (how == "fixed" and kind in REFUSING), made.output
        return
    passed = {name for name, result in made.results.items() if result == "passed"}
    assert {name for name in passed if name[0] in "CABT"} == set()
    assert {name for name in passed if name[0] in "SE"} <= SHOWN[kind]
    assert made.report["verdict"] == "nonconformant"
    assert made.exit_code == 1
    assert "error" not in made.results.values()
    assert made.report["requests"] <= 296


@pytest.mark.parametrize("kind", REFUSING)
def test_fixed_owner_refused_throughout(runs: dict[str, Made], kind: str) -> None:
    made = runs[f"@null-{kind}-fixed"]
    assert made.exit_code == 4
    assert made.report is None
    assert "owner is refused by every call" in made.output
    assert f"code {kind.removeprefix('code-')}" in made.output
    assert "Traceback" not in made.output


@pytest.mark.parametrize("how", ["hook", "fixed"])
def test_page_at_the_base_url_is_not_the_api(runs: dict[str, Made], how: str) -> None:
    made = runs[f"@null-html-404-{how}"]
    assert made.exit_code == 4
    assert "404 page" in made.output


def test_catalogue_has_the_letters_that_are_looked_at() -> None:
    assert {name[0] for name in catalogue()} == set("SECABTPR")
