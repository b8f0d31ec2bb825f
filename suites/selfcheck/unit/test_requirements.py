"""The catalogue of requirements: its ids, levels and sources, and that tests and faults stand behind each."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from contracts import ids
from contracts.requirements import PROFILES, Requirement, catalogue, select
from suites.tools import coverage

ENTRIES = list(catalogue().values())
#: The points of the contract, and the profile that each belongs to.
CORE = set(re.findall(r"\S+", "S1 S2 S3 S4 S5 E1 E2 E3 E4 C1 C7 A1 A2 A3 A4 A5 A6 T1 T2 T3 T4 T5 T6 T7 T8 T9"))
PLATFORM = set(re.findall(r"\S+", "C2 C3 C4 C5 C6 C8 C9 B1 P1 P2 P3 R1"))
LEVELS = {"MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY"}


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry.id for entry in ENTRIES])
def test_entry(entry: Requirement) -> None:
    assert re.fullmatch(r"[SECABTPR][1-9]-[a-z0-9]+(-[a-z0-9]+)*", entry.id)
    assert entry.level in LEVELS
    assert entry.profile in PROFILES
    assert entry.tag in (CORE if entry.profile == "core" else PLATFORM)
    assert entry.title.strip()
    assert not entry.title.endswith(".")
    assert entry.obligation.endswith(".")
    assert "\n" not in entry.obligation
    assert entry.sources
    for source in entry.sources:
        assert source.section
        # A decision of the project gives its reason instead of an address.
        assert (urlsplit(source.url).scheme == "https") != (source.document == "PROJECT")
        assert source.reason == (source.section if source.document == "PROJECT" else "")
        assert str(source) == f"{source.document}: {source.section}"
    assert entry.binding is entry.level.startswith("MUST")
    assert entry.advice is entry.level.startswith("SHOULD")


@pytest.mark.parametrize("level", sorted(LEVELS))
def test_level(level: str) -> None:
    entry = replace(ENTRIES[0], level=level)
    assert (entry.binding, entry.advice) == (level.startswith("MUST"), level.startswith("SHOULD"))


def test_ids_that_modules_name_are_of_requirements() -> None:
    named = {value for name, value in vars(ids).items() if name.isupper()}
    assert named <= catalogue().keys()
    assert len(named) > 40


def test_every_point_is_there() -> None:
    assert {entry.tag for entry in ENTRIES} == CORE | PLATFORM


def test_in_profile() -> None:
    assert all(entry.in_profile("platform") for entry in ENTRIES)
    assert {entry.tag for entry in ENTRIES if entry.in_profile("core")} == CORE


def test_select() -> None:
    assert select(["T2-read-gives-last-created"]) == ["T2-read-gives-last-created"]
    assert select(["s1", "C1"])[0] == "S1-success-is-200"
    assert [name[:2] for name in select(["C1", "S1"])] == ["S1", "C1", "C1", "C1", "C1"]
    for wrong in ("X9", "T2-", "T2-read"):
        with pytest.raises(KeyError, match=re.escape(wrong)):
            select([wrong])


def test_released_ids_are_there() -> None:
    released = coverage.released()
    assert released
    assert len(set(released)) == len(released)
    assert set(released) <= set(catalogue()), "an id that was released may not go or change"


def test_coverage_table_is_current(capsys: pytest.CaptureFixture[str]) -> None:
    assert coverage.main(["--check"]) == 0, capsys.readouterr().err


def test_what_is_missing_is_said() -> None:
    tested, bare = ENTRIES[0], ENTRIES[1]
    assert coverage.Cover(tested, {"test_x": 1}, ("fault",), 0).problems == []
    assert coverage.Cover(bare, {}, ("fault",), 0).problems == [
        f"{bare.id} has no test, and no reason why none verifies it"
    ]
    assert coverage.Cover(bare, {"test_x": 1}, (), 3).problems == [f"{bare.id} has no fault that is about it"]
    untested = next(entry for entry in ENTRIES if entry.untested)
    assert coverage.Cover(untested, {}, (), 0).problems == []
    assert len(coverage.Cover(untested, {"test_x": 1}, (), 0).problems) == 1
