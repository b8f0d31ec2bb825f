"""Mutation testing: which changes are made, which tests are run on them, and what becomes of them."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path

import pytest

from suites.selfcheck.mutation import catchers
from suites.tools import mutate
from suites.tools.mutants import Mutant, mutants
from suites.tools.mutate import Outcome, Score


def changes(source: str) -> set[tuple[str, str]]:
    """What is replaced in *source*, by what."""
    found = mutants(textwrap.dedent(source))
    for each in found:
        ast.parse(each.source)
    return {(each.before, each.after) for each in found}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a == b", {("a == b", "(a != b)")}),
        ("a < b", {("a < b", "(a <= b)")}),
        ("a not in b", {("a not in b", "(a in b)")}),
        ("a is None", {("a is None", "(a is not None)")}),
        ("a and b", {("a and b", "(a or b)"), ("a and b", "a")}),
        ("a or b or c", {("a or b or c", "(a and b and c)"), ("a or b or c", "(a or b)")}),
        ("not a", {("not a", "a")}),
        ("a | b", {("a | b", "(a & b)"), ("a | b", "a")}),
        ("x = 3", {("3", "4")}),
        ("x = True", {("True", "False")}),
        ("x = 'ab'", {("'ab'", "'abb'")}),
        ("x = a.get('b')", {("'b'", "'bb'")}),
        ("any(x)", {("any(x)", "(all(x))"), ("any(x)", "pass")}),
        ("f(a)", {("f(a)", "pass")}),
        ("x.y = a", {("x.y = a", "pass")}),
        ("x += a", {("x += a", "pass")}),
        ("raise A", {("raise A", "pass")}),
        ("if a: pass", {("a", "(not a)")}),
        ("x = a if b() else c", {("b()", "(not b())")}),
        ("[a for a in b if a]", {("a", "(not a)")}),
        ("def f():\n  return a", {("return a", "return None")}),
    ],
)
def test_what_is_changed(source: str, expected: set[tuple[str, str]]) -> None:
    assert changes(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        '"""A docstring."""',
        "import a",
        "from a import b",
        "x = 'a message with blanks'",
        "x = f'{a == b}'",
        "def f(a: 'B' = x) -> 'C': pass",
        "@a(3)\ndef f(): pass",
        "if TYPE_CHECKING:\n  x = 3",
        "x = ''",
        "Word = Literal['a', 'b']",
        "x = f('label', name='label')",
        "return_ = None",
        "def f():\n  return None",
    ],
)
def test_what_is_left_alone(source: str) -> None:
    assert changes(source) == set()


def test_the_rest_of_the_text_is_kept() -> None:
    """Letters that take several bytes do not move the place."""
    source = "x = 'é'  # ключ\ny = 'ключ' if a == 1 else b  # é\n"
    found = [each for each in mutants(source) if each.before == "a == 1"]
    assert [each.source for each in found] == ["x = 'é'  # ключ\ny = 'ключ' if (a != 1) else b  # é\n"]
    assert found[0].line == 2
    assert str(found[0]) == "line 2: a == 1 -> (a != 1)"


def test_mutants_of_a_module_can_be_read() -> None:
    source = (mutate.ROOT / "contracts" / "judge.py").read_text(encoding="utf-8")
    found = mutants(source)
    assert len(found) > 200
    assert len({each.source for each in found}) > 0.99 * len(found)
    for each in found[::25]:
        ast.parse(each.source)


# ---------------------------------------------------------------------- which tests


@pytest.mark.parametrize(
    ("module", "first", "others"),
    [
        ("contracts/register/reading.py", "test_reading.py", {"test_register.py"}),
        ("fixtures/http/guard.py", "test_guard.py", {"test_session.py", "test_session_wiring.py"}),
        ("reports/redaction/streams.py", "test_reports_redaction.py", set()),
    ],
)
def test_the_tests_that_concern_a_module(module: str, first: str, others: set[str]) -> None:
    names = [Path(each).name for each in mutate.tests_of(module)]
    assert names[0].startswith(first.removesuffix(".py"))
    assert others <= set(names)


def test_what_sends_and_checks_is_run_on_faults() -> None:
    own = mutate.faults_of("suites/conformance/test_privacy.py", "1")
    assert own[0] == "conforming"
    assert own == mutate.faults_of("suites/conformance/test_privacy.py", "1")
    caught = catchers.recording()
    assert all(any(each.startswith("test_privacy.py") for each in caught[name]) for name in own[1:])
    assert set(mutate.faults_of("suites/scenarios/controls.py", "1")) <= {"conforming", *caught}
    assert (
        len(mutate.faults_of("suites/runner/run.py", "1")) == len(mutate.faults_of("suites/runner/check.py", "2")) == 16
    )
    assert mutate.faults_of("contracts/judge.py", "1") == []


def test_what_is_promised_is_there() -> None:
    everything = mutate.modules()
    promised = mutate.promised()
    assert {"contracts/attribution/cover.py", "contracts/register/changes.py", "fixtures/secrets.py"} <= set(promised)
    assert not [each for each in everything if each.startswith(("fixtures/emulator/", "suites/selfcheck/"))]
    assert [each for each in promised if not mutate.tests_of(each)] == []


@pytest.mark.parametrize("module", sorted({each.module for each in mutate.equivalents()}))
def test_what_is_listed_as_equivalent_is_a_mutant(module: str) -> None:
    """A line that is changed takes its entry with it."""
    source = (mutate.ROOT / module).read_text(encoding="utf-8")
    made, lines = mutants(source), source.splitlines()
    listed = [each for each in mutate.equivalents() if each.module == module]
    assert [each for each in listed if not any(each.is_(module, one, lines) for one in made)] == []
    assert all(each.why for each in listed)


# ---------------------------------------------------------------------- what becomes of them


@pytest.mark.slow
def test_a_mutant_is_killed_or_survives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a checkout of one module and one test: one change is noticed, one is not, and one never ends."""
    (tmp_path / "a.py").write_text("def double(n):\n    while n < 0: n += 1\n    return n * 2, 'x'\n", encoding="utf-8")
    unit = tmp_path / "suites" / "selfcheck" / "unit"
    unit.mkdir(parents=True)
    (unit / "test_a.py").write_text(
        "import a\n\ndef test_it():\n    assert a.double(-2)[0] == 0\n    assert a.double(3)[0] == 6\n",
        encoding="utf-8",
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = .\n", encoding="utf-8")
    tools = tmp_path / "suites" / "tools"
    tools.mkdir()
    runner = Path(mutate.__file__).with_name("mutant_runner.py")
    (tools / "mutant_runner.py").write_bytes(runner.read_bytes())
    monkeypatch.setattr(mutate, "ROOT", tmp_path)
    monkeypatch.setattr(mutate, "_PATIENCE", 4.0)
    listed = mutate.Equivalent("a.py", "return n * 2, 'x'", "'x' -> 'xx'", "nobody looks at it")
    with mutate.runners(1) as made:
        found = mutate.score("a.py", made, None, None, "1")
    ended = {(each.mutant.before, each.mutant.after): each.ended for each in found.outcomes}
    assert ended["n * 2", "(n + 2)"] == "tests"
    assert ended["'x'", "'xx'"] == "survived"
    assert ended["n += 1", "pass"] == "too slow"
    assert found.possible == len(found.outcomes)
    assert "line 3: 'x' -> 'xx'" in map(str, found.survivors)
    lines = (tmp_path / "a.py").read_text(encoding="utf-8").splitlines()
    assert [str(each) for each in found.survivors if listed.is_("a.py", each, lines)] == ["line 3: 'x' -> 'xx'"]
    assert not any(listed.is_("b.py", each, lines) for each in found.survivors)


def test_what_the_page_says() -> None:
    one, two, same = Mutant(1, "a", "b", ""), Mutant(2, "c", "d", ""), Mutant(3, "e", "f", "")
    outcomes = [Outcome(one, "tests"), Outcome(two, "survived"), Outcome(same, "equivalent")]
    score = Score("contracts/judge.py", 9, outcomes)
    assert score.killed == 0.5
    assert score.survivors == [two]
    lines = mutate.page([score, Score("suites/cli.py", 3, [Outcome(one, "histories")])], "7").splitlines()
    assert lines[-2:] == ["| **contracts/judge.py** | 3 | 9 | 1 | 50% |", "| suites/cli.py | 1 | 3 | 0 | 100% |"]
    assert any("seed 7" in line for line in lines)


def test_what_was_known_of_other_modules_stays_on_the_page() -> None:
    one = Mutant(1, "a", "b", "")
    before = mutate.page(
        [Score(name, 3, [Outcome(one, "tests")]) for name in ("suites/cli.py", "fixtures/secrets.py")], "1"
    )
    lines = mutate.page(
        [Score("suites/cli.py", 5, [Outcome(one, "survived")])], "1", f"{before}| gone.py | 1 | 1 | 0% |\n"
    )
    assert lines.splitlines()[-2:] == [
        "| **fixtures/secrets.py** | 1 | 3 | 0 | 100% |",
        "| suites/cli.py | 1 | 5 | 0 | 0% |",
    ]
