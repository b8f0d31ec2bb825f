"""A run of the proof, recorded and judged anew: it must fail what it failed, but for what only real keys show (T9)."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from contracts import schemas
from contracts.ids import T9
from contracts.requirements import catalogue
from fixtures.errors import SetupError
from fixtures.stand_ins import StandIns
from suites.runner import record, replay
from suites.selfcheck.mutation.direct import Done


def judged_anew(done: Done) -> replay.Judged:
    """What the recording of the run *done* comes to, through a file that shows no secret; it raises where one would."""
    put = StandIns(done.vault)
    head: dict[str, Any] = dict(schemas.load("history")["examples"][0])
    del head["tests"], head["answers"]
    head["stand_ins"] = record.stand_ins(done.vault, put)
    with tempfile.TemporaryDirectory(prefix="proof-") as folder:
        path = Path(folder) / "run.json"
        record.save(path, record.lines(head, [], done.answers, put), done.vault)
        return replay.judge_anew(replay.read(path))


def difference(done: Done) -> tuple[str, ...]:
    """The requirements that the run *done* fails and its recording does not, or the other way round; why there is no recording."""
    try:
        judged = judged_anew(done)
    except SetupError as error:
        return (str(error),)
    differing = (set(judged.explanation.broken) ^ set(done.broken)) - {T9}
    lost = ("answers",) if len(judged.answers) != len(done.answers) else ()
    return (*(name for name in catalogue() if name in differing), *lost)
