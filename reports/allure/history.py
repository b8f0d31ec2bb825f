"""What outlives a run: how earlier runs went, in the files from which Allure draws its trends.

The report of a run shows the earlier ones beside it, however often it is made. So a run that ends leaves a note of
itself, and only the next one takes that note into the history. A run that was killed leaves none.

Each target has a history of its own: that of the last run stands where Allure looks for it, the others in folders beside it.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from reports.allure.folder import CATEGORIES

NAME: Final = "history"
_NOTE: Final = "last-run.json"
#: Names the target whose history stands where Allure looks for it.
_MARK: Final = "target"
#: Runs that a trend goes back, as in Allure's own.
_LONGEST: Final = 20
_STATUSES: Final = ("failed", "broken", "skipped", "passed", "unknown")
_TRENDS: Final = ("history-trend", "duration-trend", "categories-trend")


def fold(folder: Path, target: str) -> None:
    """Take the note of the last run into its history below the results in *folder*, and put that of *target* in its place."""
    history = folder / NAME
    _take_in(history)
    _turn_to(history, hashlib.sha256(target.encode()).hexdigest()[:16])


def _turn_to(history: Path, key: str) -> None:
    """Put the history of another target away, and that of the target *key* where Allure looks for it."""
    mark = history / _MARK
    last = mark.read_text(encoding="utf-8").strip() if mark.is_file() and not mark.is_symlink() else ""
    if last == key:
        return
    if re.fullmatch(r"[0-9a-f]{16}", last):
        _move(history, history / last)
    _forget(history)
    if (history / key).is_dir():
        _move(history / key, history)
        shutil.rmtree(history / key)
    history.mkdir(parents=True, exist_ok=True)
    mark.write_text(f"{key}\n", encoding="utf-8")


def _move(source: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in (*_TRENDS, "history"):
        if (source / f"{name}.json").is_file():
            (source / f"{name}.json").replace(folder / f"{name}.json")


def _take_in(history: Path) -> None:
    note = _read(history / _NOTE)
    if not isinstance(note, dict):
        return
    try:
        for name in _TRENDS:
            earlier = _read(history / f"{name}.json")
            _write(history / f"{name}.json", [note[name], *(earlier if isinstance(earlier, list) else [])][:_LONGEST])
        tests = _read(history / "history.json")
        _write(history / "history.json", _tests(tests if isinstance(tests, dict) else {}, note["tests"]))
    except (KeyError, TypeError, AttributeError):
        _forget(history)
    (history / _NOTE).unlink(missing_ok=True)


def next_build(folder: Path) -> int:
    """The number of the run whose results are in *folder*."""
    trend = _read(folder / NAME / "history-trend.json")
    try:
        return 1 + int(trend[0]["buildOrder"]) if trend else 1
    except (KeyError, TypeError, ValueError, IndexError):
        return 1


def record(folder: Path, build: int) -> Mapping[str, int]:
    """Leave the note of the run whose results are in *folder*; how many results there are of each status."""
    results = [_read(path) for path in sorted(folder.glob("*-result.json"))]
    found = [each for each in results if isinstance(each, dict) and "historyId" in each]
    statistic = Counter(str(each.get("status", "unknown")) for each in found)
    numbers = {name: statistic[name] for name in _STATUSES}
    categories = Counter(filter(None, map(category, found)))
    times = [(each["start"], each["stop"]) for each in found if "start" in each and "stop" in each]
    duration = max((stop for _, stop in times), default=0) - min((start for start, _ in times), default=0)
    identity = {"buildOrder": build, "reportName": f"run {build}"}
    note = {
        "history-trend": {**identity, "data": {**numbers, "total": len(found)}},
        "duration-trend": {**identity, "data": {"duration": duration}},
        "categories-trend": {**identity, "data": dict(categories)},
        "tests": {each["historyId"]: _item(each) for each in found},
    }
    (folder / NAME).mkdir(parents=True, exist_ok=True)
    _write(folder / NAME / _NOTE, note)
    return numbers


def category(result: Mapping[str, Any]) -> str | None:
    """The name of the category that a result belongs to."""
    message = str(result.get("statusDetails", {}).get("message", ""))
    for each in CATEGORIES:
        statuses = each["matchedStatuses"]
        pattern = str(each.get("messageRegex", ""))
        if isinstance(statuses, list) and result.get("status") in statuses and re.match(pattern, message, re.DOTALL):
            return str(each["name"])
    return None


def _item(result: Mapping[str, Any]) -> dict[str, Any]:
    start, stop = result.get("start", 0), result.get("stop", 0)
    return {
        "uid": result["uuid"],
        "status": result.get("status", "unknown"),
        "statusDetails": result.get("statusDetails", {}).get("message", "")[:500],
        "time": {"start": start, "stop": stop, "duration": stop - start},
    }


def _tests(earlier: dict[str, Any], note: Mapping[str, Any]) -> dict[str, Any]:
    """The history of each test with the last run before it; tests that are no longer there are dropped."""
    tests = {}
    for identity, item in note.items():
        known = earlier.get(identity, {})
        items = [item, *known.get("items", [])][:_LONGEST]
        statistic = Counter(each["status"] for each in items)
        tests[identity] = {
            "statistic": {**{name: statistic[name] for name in _STATUSES}, "total": len(items)},
            "items": items,
        }
    return tests


def _forget(history: Path) -> None:
    """A history that cannot be read is begun anew: it is not worth a run."""
    for name in (*_TRENDS, "history"):
        (history / f"{name}.json").unlink(missing_ok=True)


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _write(path: Path, data: object) -> None:
    part = path.with_suffix(".part")
    part.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
    part.replace(path)
