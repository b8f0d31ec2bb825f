"""The walk through the states goes somewhere: Hypothesis alone would take the same step again and again."""

from __future__ import annotations

from pathlib import Path

from suites.selfcheck.system.runs import conform

GROUP = "state_machine"


def test_it_has_steps_of_every_kind(tmp_path: Path) -> None:
    document = conform(tmp_path, "-q").document
    creates = document["creates_by_group"][GROUP]
    owners = {"owner", "other_owner"}
    assert sum(number for name, number in creates.items() if name in owners) == 2
    assert sum(number for name, number in creates.items() if name not in owners) == 2
    # A read before the first step and after each, an unknown hash and a delivery key.
    assert document["requests_by_group"][GROUP] == 7 + 4 + 2


def test_it_finds_who_has_changed_a_key(tmp_path: Path) -> None:
    done = conform(tmp_path, "-q", "-k", "walk", faults=["unknown-hash-rotates-other-user"])
    found = done.requirement("A5-changes-nothing")
    assert found["result"] == "failed", done.output
    assert "changed the key of other_owner" in found["violations"][0]["message"]
