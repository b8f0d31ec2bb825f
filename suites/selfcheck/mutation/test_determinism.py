"""Two runs on the same target are the same run: requests, report and verdict."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from suites.selfcheck.mutation.scenario_runs import Made, make
from suites.selfcheck.mutation.scenarios import REQUESTS

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("determinism")]

_RECORDED = "@recorded"
_FAULT = "read-success-missing"
#: A hash or a key, or what was made of one, in any of the ways in which it is written.
_TOKEN = re.compile(r"(?:%[0-9a-f]{2}|\\{1,2}u00[0-9a-f]{2}|[0-9a-f]){12,}", re.IGNORECASE)
_ATOM = re.compile(r"%..|\\{1,2}u....|.")
_PORT = re.compile(r"127\.0\.0\.1:\d+")
#: Members that say when, how long and where.
_TIMES = ("started", "seconds")


def _plain(text: str) -> str:
    text = _PORT.sub("127.0.0.1:0", text)
    return _TOKEN.sub(lambda found: f"<{len(_ATOM.findall(found.group(0)))}>", text)


def _requests(made: Made) -> list[str]:
    seen = json.loads((made.folder / REQUESTS).read_text(encoding="utf-8"))
    return [_plain("\n".join(each)) for each in seen]


def _report(made: Made) -> Any:
    assert made.report is not None, made.output
    report = {name: value for name, value in made.report.items() if name not in _TIMES}
    report["run"] = report["run"] | {"options": []}
    text = _plain(json.dumps(report, sort_keys=True, indent=1))
    text = re.sub(r"key \d+ of", "key of", text)
    return re.sub(r"(?im)(date: )[^\"\\]*", r"\1", text).splitlines()


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Made]]:
    """The same two runs, twice."""
    return [make(tmp_path_factory.mktemp("run"), _RECORDED, _FAULT) for _ in range(2)]


@pytest.mark.parametrize("name", [_RECORDED, _FAULT])
def test_same_report(twice: list[dict[str, Made]], name: str) -> None:
    first, second = (_report(made[name]) for made in twice)
    assert first == second


def test_same_requests(twice: list[dict[str, Made]]) -> None:
    first, second = (_requests(made[_RECORDED]) for made in twice)
    assert len(first) > 200
    assert Counter(first) == Counter(second)


def test_same_order_of_requests(tmp_path: Path) -> None:
    # Concurrent requests come in as they come in; all else has one order.
    first, second = (
        _requests(make(tmp_path / str(index), _RECORDED, options="-m 'not race'")[_RECORDED]) for index in range(2)
    )
    assert len(first) > 150
    assert first == second
