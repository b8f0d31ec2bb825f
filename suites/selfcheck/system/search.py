"""A random search: a run on a target, or a hook, that answers anything ends with a verdict, valid reports and no secret told.

``python -m suites.selfcheck.system.search 5000`` runs so many cases, other ones each time; ``--seed N`` repeats a search,
``--full`` runs every check in each. What fails is made as small as it can be, and printed.
"""

from __future__ import annotations

import argparse
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from hypothesis import HealthCheck, Phase, given, seed, settings

from suites.selfcheck.system.drawn import SELECTIONS, Drawn, targets
from suites.selfcheck.system.forked_command import Came, Runner, Serving, Task
from suites.selfcheck.system.raw_answers import Front

#: A full run has no option that narrows it.
EVERYTHING: tuple[tuple[str, ...], ...] = ((),)
#: In a search one case in so many writes Allure's results, and one a record.
_ALLURE, _RECORD = 5, 2
#: A search says every so many cases that it is still there.
_TOLD = 100


@contextmanager
def serve(drawn: Drawn) -> Iterator[Serving]:
    """The target that *drawn* describes."""
    front = Front(drawn.replaced)
    with front.serve() as server:
        credentials = drawn.credentials if drawn.credentials != {} else front.fixed()
        named = credentials or {}
        yield Serving(
            server.base_url,
            lambda: front.secrets | {each for each in named.values() if not set(each[:-1]) <= {"0"}},
            server.base_url.removesuffix("/v2") + "/_states" if drawn.hook else None,
            named,
        )


def task(drawn: Drawn) -> Task:
    """The run on *drawn*, the same each time."""
    number = zlib.crc32(repr(drawn).encode("utf-8", "backslashreplace"))
    return Task(
        ("suites.selfcheck.system.search", "serve", (drawn,)),
        drawn.options,
        record=number % _RECORD == 0,
        allure=number % _ALLURE == 0,
    )


def search(runner: Runner, cases: int, number: int, *, full: bool = False, thorough: bool = False) -> list[Came]:
    """Run so many *cases*, those of the seed *number*; what they came to.

    Raises ``AssertionError`` for the first that does not end as it has to; a *thorough* search makes it as small as it can be,
    and says now and then that it is still there.
    """
    came: list[Came] = []

    @seed(number)
    @settings(
        max_examples=cases,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink) if thorough else (Phase.generate,),
        print_blob=False,
        report_multiple_bugs=False,
    )
    @given(targets(EVERYTHING if full else SELECTIONS))
    def one(drawn: Drawn) -> None:
        found = runner.run(task(drawn))
        came.append(found)
        if thorough and len(came) % _TOLD == 0:
            print(f"{len(came)} cases", flush=True)
        assert not found.wrong, "\n".join([*found.wrong, found.output[-2000:]])

    one()
    return came


def main(argv: list[str] | None = None) -> int:
    """Search, and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", type=int, nargs="?", default=2_000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--full", action="store_true", help="run every check in each case: ten times as long")
    arguments = parser.parse_args(argv)
    print(f"{arguments.cases} cases, --seed {arguments.seed}", flush=True)
    with Runner() as runner:
        came = search(runner, arguments.cases, arguments.seed, full=arguments.full, thorough=True)
    ends: dict[str, int] = {}
    for each in came:
        ends[str(each.verdict)] = ends.get(str(each.verdict), 0) + 1
    print(f"nothing found; {sum(each.busy for each in came):.0f} s of the processor; verdicts: {ends}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
