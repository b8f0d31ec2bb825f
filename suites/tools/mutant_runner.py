"""Runs tests on mutants, each in a process that is forked from one which has imported the libraries already.

It is started in a copy of the checkout, by ``mutate.py``, and reads jobs from standard input: a JSON document a line, answered with one.
Nothing of the suite is imported before the fork: what is mutated must be read anew.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import Any, Final

#: What the tests and the suite import, and does not change.
_LIBRARIES: Final = (
    "pytest",
    "hypothesis.stateful",
    "requests",
    "jsonschema",
    "jinja2",
    "uvicorn",
    "starlette",
    "asyncio",
    "allure",
)
_POLL: Final = 0.01
_MEMORY: Final = 4 << 30
#: How a process ends that has found recorded histories explained in another way, or other tests that fail on a fault.
_DIFFERS, _NOT_CAUGHT = 41, 42


def main() -> int:
    """Take jobs until there are no more."""
    sys.dont_write_bytecode = True
    for name in _LIBRARIES:
        __import__(name)
    answers = os.fdopen(os.dup(1), "w")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    for line in sys.stdin:
        print(json.dumps(_do(json.loads(line))), file=answers, flush=True)
    return 0


def _do(job: dict[str, Any]) -> dict[str, Any]:
    """Put the mutant in the place of its module, run the tests, and put the module back."""
    source = Path(job["module"])
    original, times = source.read_bytes(), source.stat()
    # Of the same size and of the same second, it would be taken for the one that was compiled.
    compiled = Path(importlib.util.cache_from_source(str(source)))
    kept = compiled.read_bytes() if compiled.exists() else None
    started = time.monotonic()
    try:
        if job["source"] is not None:
            compiled.unlink(missing_ok=True)
            source.write_text(job["source"], encoding="utf-8")
        ended = _forked(job, started)
    finally:
        if job["source"] is not None:
            source.write_bytes(original)
            os.utime(source, ns=(times.st_atime_ns, times.st_mtime_ns))
            compiled.unlink(missing_ok=True)
            if kept is not None:
                compiled.write_bytes(kept)
    return {"ended": ended, "seconds": time.monotonic() - started}


def _forked(job: dict[str, Any], started: float) -> str:
    child = os.fork()
    if not child:
        os._exit(_run(job))
    while time.monotonic() - started < job["seconds"]:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
            return {0: "survived", _DIFFERS: "histories", _NOT_CAUGHT: "faults"}.get(code, "tests")
        time.sleep(_POLL)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "too slow"


def _run(job: dict[str, Any]) -> int:
    """The exit code of the tests, in a process of their own."""
    os.setsid()
    # A mutant may never end, or fill the memory; and no one may be left to end it.
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (int(job["seconds"]) + 1, int(job["seconds"]) + 1))
    sys.path[:] = [str(Path.cwd()), *sys.path]
    import pytest

    code = int(pytest.main([*job["options"], *job["tests"]])) if job["tests"] else 0
    if code:
        return code
    if job["histories"] is not None and not _explained_the_same(Path(job["histories"])):
        return _DIFFERS
    return 0 if _caught_as_before(job["faults"]) else _NOT_CAUGHT


def _explained_the_same(histories: Path) -> bool:
    with contextlib.suppress(Exception):
        from suites.selfcheck.mutation.histories import differing

        return next(differing(histories), None) is None
    return False


def _caught_as_before(faults: list[str]) -> bool:
    """Whether a run on each of *faults* comes to what it should, and the tests fail that are recorded to."""
    if not faults:
        return True
    with contextlib.suppress(Exception):
        from suites.selfcheck.mutation import catchers, proof

        return all(
            each.as_it_should and not catchers.differs(each.name, each.failed) for each in proof.prove_all(faults)
        )
    return False


if __name__ == "__main__":
    sys.exit(main())
