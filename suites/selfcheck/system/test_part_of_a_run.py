"""Each test comes to the same by the command alone as in a full run: by ``--lf``, by ``-k`` and by its node id."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from junitparser import Failure, JUnitXml

from suites.selfcheck.system.runs import Finished, conform

pytestmark = [pytest.mark.slow]

#: One that changes what an account may do, one whose answers are wrong in one call style.
FAULTS = ("subuser-creates", "read-by-form-is-stale")
#: A requirement at the head of what a failed test says of it.
_REQUIREMENT = re.compile(r"^([A-Z]\d+-[a-z0-9-]+) \((?:MUST|SHOULD)", re.MULTILINE)


def _outcomes(run: Finished) -> dict[str, list[tuple[str, ...]]]:
    """What each test of the run came to, by its node id: what failed in it, or whether it was blocked or not verified.

    What only the whole run shows is of no test.
    """
    found: dict[str, list[tuple[str, ...]]] = {}
    for suite in JUnitXml.fromfile(str(run.folder / "junit.xml")):
        for case in (each for each in suite if each.name != "whole run"):
            file = case.classname.rpartition(".")[2]
            found[f"suites/conformance/{file}.py::{case.name}"] = [
                ("failed", *sorted(set(_REQUIREMENT.findall(each.text))))
                if isinstance(each, Failure)
                else (each.message.partition(":")[0],)
                for each in case.result
            ]
    return found


def _failed(outcomes: Mapping[str, list[tuple[str, ...]]]) -> list[str]:
    return [name for name, results in outcomes.items() if any(each[0] == "failed" for each in results)]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_test_comes_to_the_same_in_a_part_of_a_run(fault: str, tmp_path: Path) -> None:
    def run(name: str, *arguments: str) -> Finished:
        return conform(tmp_path / name, *arguments, "-o", f"cache_dir={tmp_path / 'cache'}", faults=[fault])

    whole = _outcomes(run("whole"))
    failed = _failed(whole)
    bad, good = failed[-1], next(name for name, results in whole.items() if not results)
    assert all(len(each) > 1 for name in failed for each in whole[name]), "a failure names no requirement"
    # It remembers what failed in the full run, and must come first.
    last_failed = run("last-failed", "--lf")
    assert sorted(_outcomes(last_failed)) == sorted(failed)
    keywords = run("keywords", "-k", " or ".join(each.partition("::")[2] for each in (bad, good)))
    assert {bad, good} <= _outcomes(keywords).keys()
    alone = {name: run(f"alone-{number}", name) for number, name in enumerate((bad, good))}
    for name, part in alone.items():
        assert list(_outcomes(part)) == [name]
    for part in (last_failed, keywords, *alone.values()):
        for name, results in _outcomes(part).items():
            assert results == whole[name], name
