"""The environment: what a plugin or library reads of it is owned, and only what is documented counts."""

from __future__ import annotations

import ast
import configparser
import importlib.metadata
import itertools
import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from fixtures.emulator.threaded import ThreadedServer
from suites.cli import PLUGINS
from suites.runner.environment import DOCUMENTED, SWITCHED_OFF, WITHOUT_EFFECT, Given, ignored, owned
from suites.selfcheck.system.runs import ROOT, suite

#: Prints, at the end of a run, the files of every module that is loaded then, or would be in one that generates data.
_LISTER = """\
import json, pathlib, sys
def pytest_unconfigure(config):
    import suites.scenarios.strategies
    files = {name: module.__file__ for name, module in list(sys.modules.items()) if getattr(module, "__file__", None)}
    pathlib.Path(%r).write_text(json.dumps(files))
"""
#: Modules that read an environment of another kind: that of a WSGI request.
_NOT_OF_THE_PROCESS = ("werkzeug.", "uvicorn.middleware.wsgi", "starlette.middleware.wsgi")
#: Modules whose tables of names are searched by hand, below.
_BY_TABLE = {"hypothesis._settings"}
#: Our own, which say what they read in design and reference.
_OURS = ("contracts", "fixtures", "reports", "suites", "ci")
#: Of the interpreter's installation, before anything of a run.
_OF_START_UP = ("_distutils_hack",)


def _is_environment(node: ast.expr) -> bool:
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return name == "environ"


def _keys(tree: ast.Module) -> Iterator[ast.expr]:
    """What a module looks up in the environment."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args:
            function = node.func
            name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
            of_environment = isinstance(function, ast.Attribute) and _is_environment(function.value)
            if name == "getenv" or (of_environment and name in ("get", "pop", "setdefault")):
                yield node.args[0]
        elif isinstance(node, ast.Subscript) and _is_environment(node.value):
            yield node.slice
        elif isinstance(node, ast.Compare) and any(map(_is_environment, node.comparators)):
            yield node.left


def _read_by(text: str) -> set[str]:
    """The names of variables that the module with this *text* reads, where it writes them out."""
    tree = ast.parse(text)
    constants = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    found = set()
    for key in _keys(tree):
        value = key.value if isinstance(key, ast.Constant) else constants.get(getattr(key, "id", ""))
        if isinstance(value, str):
            found.add(value)
    return found


def _is_owned(name: str) -> bool:
    known = name in SWITCHED_OFF or name in WITHOUT_EFFECT or name.upper() in DOCUMENTED
    return known or name.startswith(("PYTHON", "DELIVERY_"))


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """The modules that a run has loaded when it ends, with their files; generated data and all plugins included."""
    folder = tmp_path_factory.mktemp("loaded")
    listing = folder / "modules.json"
    (folder / "lists_modules.py").write_text(_LISTER % str(listing), encoding="utf-8")
    done = suite(
        "--requirement",
        "B1",
        "--hypothesis-profile",
        "thorough",
        "-p",
        "lists_modules",
        folder=folder / "report",
        env={"PYTHONPATH": str(folder)},
    )
    assert listing.exists(), done.output
    found: dict[str, str] = json.loads(listing.read_text(encoding="utf-8"))
    return found


@pytest.mark.slow
@pytest.mark.xdist_group("loaded")
def test_every_variable_that_a_library_reads_is_owned(loaded: Mapping[str, str]) -> None:
    unowned: dict[str, list[str]] = {}
    readers = set()
    for module, file in loaded.items():
        top = module.partition(".")[0]
        if top in (*sys.stdlib_module_names, *_OURS, *_OF_START_UP) or module.startswith(_NOT_OF_THE_PROCESS):
            continue
        text = Path(file).read_text(encoding="utf-8") if file.endswith(".py") else ""
        if "environ" not in text and "getenv" not in text:
            continue
        names = _read_by(text)
        readers |= names
        for name in names:
            if not _is_owned(name):
                unowned.setdefault(name, []).append(module)
    assert not unowned
    # The search finds what is known to be read.
    assert {"PYTEST_BASE_URL", "VERIFY_BASE_URL", "ALLURE_TESTPLAN_PATH", "SCHEMATHESIS_HOOKS"} <= readers


@pytest.mark.slow
@pytest.mark.xdist_group("loaded")
def test_the_tables_of_hypothesis_are_owned(loaded: Mapping[str, str]) -> None:
    from hypothesis import _settings

    assert set(loaded) >= _BY_TABLE
    assert [name for name in _settings._CI_VARS if not _is_owned(name)] == []


def test_no_variable_is_in_two_tables() -> None:
    assert not set(SWITCHED_OFF) & set(WITHOUT_EFFECT)
    assert not (set(SWITCHED_OFF) | set(WITHOUT_EFFECT)) & DOCUMENTED


def test_what_is_switched_off_is_removed_and_nothing_else() -> None:
    environ = {**dict.fromkeys(SWITCHED_OFF, "x"), **dict.fromkeys(DOCUMENTED, "y"), "DELIVERY_OWNER_HASH": "z"}
    given = Given(environ)
    given.switch_off()
    assert set(given.removed) == set(SWITCHED_OFF)
    assert set(environ) == {*DOCUMENTED, "DELIVERY_OWNER_HASH"}


def test_a_caller_of_the_same_process_gets_its_environment_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_BASE_URL", "http://127.0.0.1:9/v2")
    with owned() as given:
        assert "PYTEST_BASE_URL" not in os.environ
        # Credential commands and the variables that a target file names are the user's own.
        assert given.original()["PYTEST_BASE_URL"] == "http://127.0.0.1:9/v2"
    assert os.environ["PYTEST_BASE_URL"] == "http://127.0.0.1:9/v2"
    # What one run has switched off, the next one is not told of.
    monkeypatch.delenv("PYTEST_BASE_URL")
    with owned() as given:
        assert given.removed == {}


@pytest.mark.parametrize(
    ("removed", "url", "said"),
    [
        ((), None, None),
        (("PY_COLORS", "WEB_CONCURRENCY"), None, None),
        (("VERIFY_BASE_URL",), None, "VERIFY_BASE_URL (asks the target past the suite; use --wait)"),
        (("HOSTALIASES",), "http://a/v2", "HOSTALIASES (gives names of hosts to others)"),
        (("SSL_CERT_DIR",), "http://a/v2", None),
        (("SSL_CERT_DIR",), "https://a/v2", "SSL_CERT_DIR (trusts other certificates; use http.ca_bundle or SSL_CERT_FILE)"),
    ],
)  # fmt: skip
def test_the_user_is_told_what_would_have_changed_the_run(
    removed: tuple[str, ...], url: str | None, said: str | None
) -> None:
    assert ignored(url, removed) == (said and f"ignored, from the environment: {said}")


def test_an_emulator_of_its_own_ignores_how_many_processes_others_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_CONCURRENCY", "auto")
    with ThreadedServer() as server:
        assert server.base_url


def test_the_command_loads_the_plugins_of_pytest_ini_in_their_order() -> None:
    ini = configparser.ConfigParser()
    ini.read(ROOT / "pytest.ini", encoding="utf-8")
    words = ini["pytest"]["addopts"].split()
    named = [name for option, name in itertools.pairwise(words) if option == "-p"]
    assert named == [*PLUGINS, "suites.runner.plugin"]
    installed = {each.name: each.value for each in importlib.metadata.entry_points(group="pytest11")}
    assert {name: installed.get(name, name) for name in PLUGINS} == PLUGINS
