"""A recorded run that is judged anew fails the requirements that it failed, but for what only real keys show (T9)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from contracts import schemas
from contracts.ids import T9
from fixtures.stand_ins import StandIns
from suites.runner import record, replay
from suites.selfcheck.mutation import direct, proof

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("replay")]

#: Of each kind, and those first whose answers hold secrets in another form than they were given in.
FAULTS: Final = (
    "conforming",
    "last-key-in-upper-case",
    "last-key-in-cookie",
    "key-uuid-with-dashes",
    "key-upper-case",
    "key-decimal",
    "key-64-digits",
    "key-not-hexadecimal",
    "key-nul-at-end",
    "key-is-the-hash",
    "key-is-a-link",
    "prefix-of-16-opens",
    "delivery-key-accepted",
    "iso-datetime-turns-keys-round",
    "same-keys-for-all-users",
    "keys-are-the-clock-in-decimal",
    "keys-repeat-after-three",
    "torn-key",
    "parallel-creates-share-a-key",
    "read-gives-previous-key",
    "read-gives-the-latest-key-of-all",
    "demo-refused-but-rotates",
    "subuser-creates",
    "not-json-500",
    "value-called-key",
    "status-flat",
    "cache-s-maxage",
)


@pytest.fixture(scope="module", autouse=True)
def checkout() -> None:
    """Nothing of the environment changes what is run."""
    direct.in_checkout()


@pytest.mark.parametrize("name", FAULTS)
def test_fails_what_the_run_failed(name: str, tmp_path: Path) -> None:
    done = proof.run(name)
    path = tmp_path / "run.json"
    put = StandIns(done.vault)
    head: dict[str, Any] = dict(schemas.load("history")["examples"][0])
    del head["tests"], head["answers"]
    head["stand_ins"] = record.stand_ins(done.vault, put)
    # It raises where a line shows a secret.
    record.save(path, record.lines(head, [], done.answers, put), done.vault)
    judged = replay.judge_anew(replay.read(path))
    assert set(judged.explanation.broken) - {T9} == set(done.broken) - {T9}
    assert len(judged.answers) == len(done.answers)
