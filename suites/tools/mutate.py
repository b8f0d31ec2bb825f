"""Mutation testing: how many small changes of a module do the tests that concern it notice?

``python -m suites.tools.mutate [MODULE…]`` makes mutants of each module (``mutants.py``), puts one after the other into a copy of the
checkout, and runs there the unit tests that import the module; what explains a history then explains recorded histories
anew, and what sends and checks runs on a sample of the emulator's faults. Each mutant that nothing notices is printed.
``--write`` writes ``docs/mutation.md``.

Why it is no tool from the index: mutmut changes functions only, and half of what matters here stands in tables and patterns; cosmic-ray
starts Python and the tests' libraries anew for each mutant, which takes longer than the tests. Here a process that has imported
them is forked.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import queue
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from suites.tools.mutants import Mutant, mutants

ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = ROOT / "docs" / "mutation.md"
_UNIT: Final = Path("suites/selfcheck/unit")
#: What tests import that start the suite's commands.
_COMMANDS: Final = "suites.selfcheck.system.runs"
#: What the modules begin with of which nine mutants in ten must be killed, at least.
_PROMISED: Final = (
    "contracts/",
    "fixtures/http/guard",
    "fixtures/secret",
    "reports/redaction",
    "reports/results",
)
_AT_LEAST: Final = 0.9
#: Folders whose modules are used by each other.
_IN_LAYERS: Final = ("contracts/", "fixtures/", "reports/")
#: pytest's exit code where all tests of a file are left out.
_NO_TESTS: Final = 5
#: Seconds that a mutant has beyond some times of what the tests take without any.
_PATIENCE: Final = 20.0
#: Of these the recorded histories say more than any unit test.
_EXPLAINING: Final = tuple(
    f"contracts/{name}" for name in ("anomaly", "attribution", "hindsight", "refusals", "register")
)
#: What sends and checks: whether it still does shows on a sample of the emulator's faults.
_CHECKING: Final = ("suites/conformance/", "suites/scenarios/", "suites/runner/check", "suites/runner/run.py")
_FAULTS: Final = 15
_OPTIONS: Final = (
    "-x", "-q", "-o", "addopts=--disable-plugin-autoload -p xdist", "-p", "no:cacheprovider", "-W", "ignore",
    # A mutant that never ends would else take as long as all tests together, some times over.
    "-p", "pytest_timeout", "--timeout", "20",
    "-m", "not slow and not proof and not node and not java and not browser and not tools",
)  # fmt: skip
_LEFT_OUT: Final = shutil.ignore_patterns(
    ".git", ".venv", "node_modules", "out", "dist", ".hypothesis", ".*_cache", "__pycache__", "delivery-*"
)


#: Mutants that do what the code does, each with the reason.
EQUIVALENT: Final = ROOT / "suites" / "tools" / "equivalent.toml"


@dataclass(frozen=True)
class Equivalent:
    """A mutant that no test can notice: in which module, the line of code, the change, and why it makes no difference."""

    module: str
    code: str
    change: str
    why: str

    def is_(self, module: str, mutant: Mutant, lines: Sequence[str]) -> bool:
        """Whether it is *mutant* of *module*, whose text has these *lines*."""
        code = lines[mutant.line - 1].strip()
        return (self.module, self.code, self.change) == (module, code, str(mutant).partition(": ")[2])


@cache
def equivalents() -> tuple[Equivalent, ...]:
    """What ``equivalent.toml`` lists."""
    listed = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8"))["mutant"]
    return tuple(Equivalent(**each) for each in listed)


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant: ``tests``, ``histories``, ``faults`` or ``too slow`` killed it, it survived, or it is ``equivalent``."""

    mutant: Mutant
    ended: str


@dataclass(frozen=True)
class Score:
    """What became of the mutants of a module. ``possible`` is how many there are of which these are a sample."""

    module: str
    possible: int
    outcomes: Sequence[Outcome]

    @property
    def survivors(self) -> list[Mutant]:
        """The mutants that nothing noticed."""
        return [each.mutant for each in self.outcomes if each.ended == "survived"]

    @property
    def equivalent(self) -> int:
        """How many of the mutants do what the code does."""
        return sum(each.ended == "equivalent" for each in self.outcomes)

    @property
    def killed(self) -> float:
        """The share of the other mutants that something noticed."""
        others = len(self.outcomes) - self.equivalent
        return 1 - len(self.survivors) / others if others else 1.0


@dataclass(frozen=True)
class Concerned:
    """What may notice a mutant of a module: unit tests, recorded histories, runs on faults."""

    tests: Sequence[str] = ()
    histories: Path | None = None
    faults: Sequence[str] = ()


class Runner:
    """A process in a copy of the checkout that runs tests on mutants."""

    def __init__(self, folder: Path) -> None:
        self._temporary = folder / "temporary"
        copy = folder / "checkout"
        shutil.copytree(ROOT, copy, ignore=_LEFT_OUT)
        command = [sys.executable, "-P", str(copy / "suites" / "tools" / "mutant_runner.py")]
        self._process = subprocess.Popen(
            command, cwd=copy, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=_environment()
        )
        self._copy = copy

    def compile(self, tests: Sequence[str]) -> None:
        """Compile what the tests import, once for all."""
        command = [sys.executable, "-m", "pytest", *self._options, "--collect-only", *tests]
        done = subprocess.run(command, cwd=self._copy, env=_environment(), capture_output=True, text=True, check=False)
        if done.returncode not in (0, _NO_TESTS):
            raise SystemExit(f"the tests fail without any mutant: {done.stdout[-3000:]}")

    @property
    def _options(self) -> list[str]:
        return [*_OPTIONS, "--basetemp", str(self._temporary)]

    def run(self, module: str, source: str | None, concerned: Concerned, seconds: float) -> Any:
        """How it ended, and in how many seconds."""
        job = {
            "module": module,
            "source": source,
            "tests": list(concerned.tests),
            "options": self._options,
            "histories": str(concerned.histories) if concerned.histories else None,
            "faults": list(concerned.faults),
            "seconds": seconds,
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(job), file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=60)


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "DELIVERY_"))}
    return {**kept, "PYTHONHASHSEED": "0"}


@contextmanager
def runners(count: int) -> Iterator[list[Runner]]:
    """*count* runners, each in a copy of its own."""
    with ExitStack() as stack:
        made = []
        for _ in range(count):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="delivery-mutants-")))
            made.append(Runner(folder))
            stack.callback(made[-1].close)
        yield made


def tests_of(module: str) -> list[str]:
    """The files of unit tests that are called after *module*, its folder or who imports it, or import it or a helper that does.

    Of the others those that start commands are left out: they take longer than all the rest.
    """
    name = module.removesuffix(".py").replace("/", ".")
    helpers = {path.stem for path in _unit_files() if not path.name.startswith("test_") and name in _imports(path)}
    named = {f"suites.selfcheck.unit.{each}" for each in helpers} | {name}
    parent = Path(module).parent

    def own(path: Path) -> bool:
        folders = (f"test_{'_'.join(parent.parts)}_", f"test_{parent.name}_")
        return path.name.startswith(f"test_{Path(module).stem}") or f"{path.stem}_".startswith(folders)

    # What only the judge makes use of, or the session, is tested through it.
    users = _users(name) if module.startswith(_IN_LAYERS) else set()

    def concerned(path: Path) -> bool:
        return bool(named & _imports(path)) or path.stem in users

    found = [
        path
        for path in _unit_files()
        if path.name.startswith("test_") and (own(path) or (concerned(path) and _COMMANDS not in _imports(path)))
    ]
    # First what is most likely to notice: the module's own, its folder's, and what imports least.
    found.sort(key=lambda path: (path.stem != f"test_{Path(module).stem}", not own(path), len(_imports(path))))
    return [str(_UNIT / path.name) for path in found]


def faults_of(module: str, seed: str) -> list[str]:
    """A sample of the faults that show what *module* does: those that its own tests are recorded to catch, where it has any."""
    if not module.startswith(_CHECKING):
        return []
    from suites.selfcheck.mutation.catchers import recording

    own = [fault for fault, tests in recording().items() if any(each.startswith(Path(module).name) for each in tests)]
    chosen = own or list(recording())
    return ["conforming", *random.Random(f"{seed} {module}").sample(chosen, min(_FAULTS, len(chosen)))]


def _users(name: str) -> set[str]:
    """The names of the tests of those modules that import the one called *name*; where one has none, of its own users."""
    found: set[str] = set()
    for each in modules():
        if each.startswith(_IN_LAYERS) and name in _imports(ROOT / each):
            user, test = each.removesuffix(".py").replace("/", "."), f"test_{Path(each).stem}"
            path = ROOT / _UNIT / f"{test}.py"
            # Modules of several folders have the same name, and a file of tests is of one of them.
            own = path.exists() and user in _imports(path)
            found |= {test} if own else _users(user)
    return found


def _unit_files() -> list[Path]:
    return sorted((ROOT / _UNIT).glob("*.py"))


@cache
def _imports(path: Path) -> frozenset[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                found |= {each.name for each in names}
            case ast.ImportFrom(module=str() as module, names=names):
                found |= {module, *(f"{module}.{each.name}" for each in names)}
    return frozenset(found)


def score(module: str, made: Sequence[Runner], histories: Path | None, sample: int | None, seed: str) -> Score:
    """Run the tests that concern *module* on mutants of it."""
    tests = tests_of(module)
    source = (ROOT / module).read_text(encoding="utf-8")
    everything = mutants(source)
    chosen = everything
    if sample is not None and sample < len(everything):
        chosen = random.Random(f"{seed} {module}").sample(everything, sample)
    recorded = histories if module.startswith(_EXPLAINING) else None
    concerned = Concerned(tests, recorded, faults_of(module, seed))
    if not (tests or recorded or concerned.faults):
        return Score(module, len(everything), [])
    for each in made if tests else ():
        each.compile(tests)
    plain = made[0].run(module, None, concerned, 600.0)
    if plain["ended"] != "survived":
        raise SystemExit(f"{module}: without any mutant the tests end so: {plain['ended']}")
    lines = source.splitlines()
    others = [mutant for mutant in chosen if not any(each.is_(module, mutant, lines) for each in equivalents())]
    ended = dict.fromkeys(map(id, chosen), "equivalent")
    ended |= _run_all(module, others, made, concerned, _PATIENCE + 6 * plain["seconds"])
    return Score(module, len(everything), [Outcome(each, ended[id(each)]) for each in chosen])


def _run_all(
    module: str, chosen: Sequence[Mutant], made: Sequence[Runner], concerned: Concerned, seconds: float
) -> dict[int, str]:
    """How each of the mutants ended, by its identity; each runner takes the next one as soon as it is free."""
    todo: queue.SimpleQueue[Mutant] = queue.SimpleQueue()
    for mutant in chosen:
        todo.put(mutant)
    ended: dict[int, str] = {}

    def work(runner: Runner) -> None:
        with suppress(queue.Empty):
            while True:
                mutant = todo.get_nowait()
                ended[id(mutant)] = runner.run(module, mutant.source, concerned, seconds)["ended"]

    threads = [threading.Thread(target=work, args=(each,)) for each in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {id(each): ended[id(each)] for each in chosen}


@cache
def modules() -> list[str]:
    """Every module that is worth mutants: all but the emulator, the self-checks and these tools."""
    folders = ("contracts", "fixtures", "reports", "suites")
    # The linters of the contract have environments of their own.
    out = ("contracts/lint/", "contracts/version.py", "fixtures/emulator/", "suites/selfcheck/", "suites/tools/")
    found = [path.relative_to(ROOT).as_posix() for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return [name for name in found if not name.startswith(out) and not name.endswith("__init__.py")]


def promised() -> list[str]:
    """The modules of which a score is promised."""
    return [each for each in modules() if each.startswith(_PROMISED)]


def _record(made: Runner, path: Path, seed: str) -> None:
    """Run the suite on a sample of the emulator's faults, in another process, and keep the histories."""
    code = "import sys; from pathlib import Path; from suites.selfcheck.mutation.histories import sample, write; "
    code += "write(Path(sys.argv[1]), sample(sys.argv[2]))"
    subprocess.run([sys.executable, "-c", code, str(path), seed], cwd=ROOT, env=_environment(), check=True)


def main(argv: list[str] | None = None) -> int:
    """Print the survivors and the score of each module; 1 where too few mutants of one that is promised were killed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", help="files; none means those of which a score is promised")
    parser.add_argument("--everything", action="store_true", help="every module but emulator, self-checks and tools")
    parser.add_argument("--sample", type=int, default=60, metavar="N", help="mutants of a module at most (60; 0: all)")
    parser.add_argument("--seed", default="1", help="of the sample")
    parser.add_argument("--jobs", type=int, default=2, metavar="N")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)}")
    arguments = parser.parse_args(argv)
    chosen = arguments.modules or (modules() if arguments.everything else promised())
    unknown = [each for each in chosen if each not in modules()]
    if unknown:
        parser.error(f"no module of the suite: {', '.join(unknown)}")
    scores = []
    with runners(arguments.jobs) as made, tempfile.TemporaryDirectory(prefix="delivery-histories-") as folder:
        histories = Path(folder) / "histories"
        if any(each.startswith(_EXPLAINING) for each in chosen):
            _record(made[0], histories, arguments.seed)
        for module in chosen:
            scores.append(score(module, made, histories, arguments.sample or None, arguments.seed))
            print(_line(scores[-1]), flush=True)
            for survivor in scores[-1].survivors:
                print(f"  {survivor}", flush=True)
            if arguments.write:
                # One after the other: it takes hours, and what ends it early loses nothing.
                before = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
                PAGE.write_text(page(scores[-1:], arguments.seed, before), encoding="utf-8")
    few = [each.module for each in scores if each.module.startswith(_PROMISED) and each.killed < _AT_LEAST]
    if few:
        print(f"too few killed: {', '.join(few)}")
    return 1 if few else 0


def _line(found: Score) -> str:
    if not found.outcomes:
        return f"     {found.module}: only whole commands show what it does"
    counts = f"{len(found.outcomes)} of {found.possible} mutants, {found.equivalent} equivalent"
    return f"{found.killed:.0%} {found.module}: {counts}, {len(found.survivors)} survived"


def page(scores: Sequence[Score], seed: str, before: str = "") -> str:
    """The scores as Markdown; those of other modules are taken from the page as it was *before*."""
    lines = [
        "# Mutation testing",
        "",
        "Made by `make mutate ARGS=--write`; do not edit. A mutant is a module with one small change: another comparison, a",
        "condition turned round, a statement left out, another number. It is killed where one of the unit tests that import the",
        "module fails on it, where a recorded history is explained in another way, or, of what sends and checks, where a run on",
        f"a fault of the emulator comes to something else. The mutants are a sample (seed {seed}).",
        "Those that do what the code does are *equivalent* and do not count; `suites/tools/equivalent.toml` lists them, each with",
        "the reason. In bold: modules of which nine in ten of the others must be killed. Self-checks that run the whole command",
        "are left out, for each takes seconds: what they alone exercise has a low score here, or none.",
        "",
        "| module | mutants | of | equivalent | killed |",
        "|---|---:|---:|---:|---:|",
    ]
    rows = {name: line for line in before.splitlines() for name in modules() if f" {name} " in line.replace("**", " ")}
    for each in scores:
        name = f"**{each.module}**" if each.module.startswith(_PROMISED) else each.module
        killed = f"{each.killed:.0%}" if each.outcomes else "by whole commands alone"
        rows[each.module] = f"| {name} | {len(each.outcomes)} | {each.possible} | {each.equivalent} | {killed} |"
    return "\n".join([*lines, *(rows[name] for name in sorted(rows))]) + "\n"


if __name__ == "__main__":
    sys.exit(main())
