"""What is released: the archives hold what they should and nothing else, and what pip installs works anywhere."""

import re
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path
from typing import NamedTuple

import pytest

from contracts.version import VERSION
from suites.selfcheck.system import checkout
from suites.selfcheck.system.checkout import ROOT, run

# What runs and tools leave behind, in the places where they do.
JUNK = [
    "reports/out/conformance.json",
    "reports/out/allure-results/x-result.json",
    "reports/node_modules/left-pad/index.js",
    "contracts/lint/node_modules/left-pad/index.js",
    "contracts/lint/.venv/bin/activate",
    "delivery-conformance-report/junit.xml",
    "suites/__pycache__/cli.cpython-311.pyc",
    ".hypothesis/examples/0",
    "suites/.hypothesis/examples/0",
    ".pytest_cache/v/cache/lastfailed",
    ".mypy_cache/3.11/x.json",
    "secrets/owner",
    "target.toml",
]

# One worker builds and installs once.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("packaging")]


class Archives(NamedTuple):
    wheel: Path
    sdist: Path


def environment(at: Path, *, libraries: bool = False) -> Path:
    """A virtual environment, empty or, to save minutes, with the libraries of this one. Returns its Python."""
    run([sys.executable, "-m", "venv", "--without-pip", at], cwd=at.parent)
    if libraries:
        site = at / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
        (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return at / "bin" / "python"


def pip(python: Path, *arguments: str | Path) -> None:
    # This environment's pip installs into the other, which then has nothing but what it was given.
    run(
        [sys.executable, "-m", "pip", "--python", python, "--quiet", "--disable-pip-version-check", *arguments],
        cwd=python.parent,
    )


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Archives:
    """The wheel and the sdist, built as for a release from a checkout where much has been going on."""
    copy = checkout.copy(tmp_path_factory.mktemp("build") / "checkout")
    for name in JUNK:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_text("junk")
    # No isolation: hatchling is in the developers' lock. The wheel is made from the sdist, so the sdist is complete.
    run([sys.executable, "-m", "build", "--no-isolation"], cwd=copy)
    (wheel,) = (copy / "dist").glob("*.whl")
    (sdist,) = (copy / "dist").glob("*.tar.gz")
    return Archives(wheel, sdist)


@pytest.fixture(scope="module")
def installed(archives: Archives, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin directory of an environment with the wheel."""
    python = environment(tmp_path_factory.mktemp("installed") / "venv", libraries=True)
    pip(python, "install", "--no-deps", archives.wheel)
    return python.parent


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A directory that belongs to somebody else, who has a project, and modules, with names like ours."""
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    for name in ("conftest", "fixtures", "contracts", "suites", "reports", "allure"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the wrong module was imported')\n")
    return tmp_path


def test_the_wheel_has_one_package_and_nothing_left_behind(archives: Archives) -> None:
    names = zipfile.ZipFile(archives.wheel).namelist()
    assert {name.split("/")[0] for name in names} == {
        "delivery_conformance",
        f"delivery_conformance-{VERSION}.dist-info",
    }
    ours = {name.removeprefix("delivery_conformance/") for name in names}
    assert {"pytest.ini", "py.typed", "_launcher.py", "contracts/requirements.toml", "contracts/version.py"} <= ours
    assert {name.split("/")[0] for name in ours if "/" in name} >= {"contracts", "fixtures", "reports", "suites"}
    developers = re.compile(r"(^|/)(selfcheck|tools|node_modules|out|__pycache__|lint|\.[^/]*)/")
    assert not [name for name in ours if developers.search(name)]
    assert not [name for name in names if zipfile.ZipFile(archives.wheel).read(name) == b"junk"]


def test_the_wheel_has_every_module_and_data_file_of_the_packages(archives: Archives) -> None:
    names = set(zipfile.ZipFile(archives.wheel).namelist())
    expected = {
        path.relative_to(ROOT).as_posix()
        for package in ("contracts", "fixtures", "reports", "suites")
        for suffix in ("py", "toml", "json", "yaml")
        for path in (ROOT / package).rglob(f"*.{suffix}")
    }
    left_out = re.compile(r"^(contracts/lint|suites/selfcheck|suites/tools|reports/out)/|(^|/)(node_modules|\.[^/]*)/")
    assert sorted(n for n in expected if not left_out.search(n) and f"delivery_conformance/{n}" not in names) == []


def test_the_sdist_has_the_sources_and_the_tests_and_nothing_left_behind(archives: Archives) -> None:
    with tarfile.open(archives.sdist) as sdist:
        members = {m.name.split("/", 1)[1]: m for m in sdist.getmembers() if m.isfile()}
        assert {"pyproject.toml", "Makefile", "LICENSE", "requirements.lock", "action.yml", ".ci/run"} <= members.keys()
        assert "suites/selfcheck/system/test_packaging.py" in members
        assert sorted(members.keys() & set(JUNK)) == []
        for name, member in members.items():
            file = sdist.extractfile(member)
            assert file is not None
            assert file.read() != b"junk", name


def test_the_metadata_is_fit_for_an_index(archives: Archives) -> None:
    run([sys.executable, "-m", "twine", "check", "--strict", *archives], cwd=ROOT)
    text = zipfile.ZipFile(archives.wheel).read(f"delivery_conformance-{VERSION}.dist-info/METADATA").decode()
    metadata = Parser().parsestr(text)
    assert metadata["Version"] == VERSION
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Requires-Python"] == ">=3.11"


def test_the_changelog_has_the_version() -> None:
    assert f"## [{VERSION}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_plugin_is_not_registered_with_everybodys_pytest(archives: Archives) -> None:
    entry_points = zipfile.ZipFile(archives.wheel).read(f"delivery_conformance-{VERSION}.dist-info/entry_points.txt")
    assert b"pytest11" not in entry_points


def test_the_catalogue_is_listed_in_a_directory_that_cannot_be_written(installed: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    try:
        listed = run([installed / "delivery-conformance", "--list-requirements"], cwd=tmp_path)
    finally:
        tmp_path.chmod(0o755)
    with (ROOT / "contracts" / "requirements.toml").open("rb") as catalogue:
        ids = [requirement["id"] for requirement in tomllib.load(catalogue)["requirement"]]
    assert [i for i in ids if i not in listed.stdout] == []
    assert list(tmp_path.iterdir()) == []  # root may write there all the same


def test_python_m_is_the_same_command(installed: Path, elsewhere: Path) -> None:
    # -P: without it Python itself puts the working directory, and somebody's modules in it, first.
    by_module = run([installed / "python", "-P", "-m", "delivery_conformance", "--list-requirements"], cwd=elsewhere)
    by_script = run([installed / "delivery-conformance", "--list-requirements"], cwd=elsewhere)
    assert by_module.stdout == by_script.stdout


def test_the_emulator_lists_its_faults(installed: Path, elsewhere: Path) -> None:
    assert "Faults" in run([installed / "delivery-emulator", "--list-faults"], cwd=elsewhere).stdout


@pytest.mark.parametrize("workers", [[], ["-n", "0"]], ids=["as-it-is", "no-workers"])
def test_a_run_in_somebody_elses_project(installed: Path, elsewhere: Path, workers: list[str]) -> None:
    before = {path.name for path in elsewhere.iterdir()}
    package = next(installed.parent.glob("lib/*/site-packages/delivery_conformance"))
    shipped = {path for path in package.rglob("*") if "__pycache__" not in path.parts}
    command = [installed / "delivery-conformance", "--requirement", "S1-success-is-200", *workers]
    done = run(command, cwd=elsewhere)
    assert "S1-success-is-200" in (elsewhere / "delivery-conformance-report" / "conformance.json").read_text()
    new = {path.name for path in elsewhere.iterdir()} - before
    assert new - {".pytest_cache"} == {"delivery-conformance-report"}, done.stdout  # the cache is what --lf reads
    assert {path for path in package.rglob("*") if "__pycache__" not in path.parts} == shipped


def test_another_pytest_in_the_environment_is_not_disturbed(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "test_theirs.py").write_text(
        "import importlib.util\n"
        "def test_names():\n"
        "    assert not [n for n in ('contracts', 'fixtures', 'suites', 'reports') if importlib.util.find_spec(n)]\n"
        "def test_options(request):\n"
        "    assert request.config.getoption('target', None) is None\n"
    )
    done = run([installed / "python", "-m", "pytest", "-q", "-W", "error"], cwd=tmp_path)
    assert "2 passed" in done.stdout
    assert "--list-requirements" not in run([installed / "python", "-m", "pytest", "--help"], cwd=tmp_path).stdout


def test_the_lowest_versions_that_are_allowed_work(
    archives: Archives, elsewhere: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    # Nothing else is installed: what the wheel imports, it declares.
    python = environment(tmp_path_factory.mktemp("lowest") / "venv")
    pip(python, "install", "-r", ROOT / "requirements-lowest.txt", archives.wheel)
    done = run([python.parent / "delivery-conformance"], cwd=elsewhere)
    assert "verdict: conformant" in done.stdout


def test_the_lowest_versions_are_those_of_the_metadata() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        declared = tomllib.load(file)["project"]["dependencies"]
    lowest = dict(
        line.split("==") for line in (ROOT / "requirements-lowest.txt").read_text(encoding="utf-8").split() if line
    )
    for requirement in declared:
        name, bound = re.fullmatch(r"([a-z0-9-]+)>=([0-9.]+),<[0-9.]+", requirement).groups()  # type: ignore[union-attr]
        assert [int(n) for n in lowest[name].split(".")][: len(bound.split("."))] == [int(n) for n in bound.split(".")]


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock", "ci/build.lock", "ci/pip.lock"])
def test_the_locks_pin_everything_by_hash_and_name_no_index(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    entries = [entry for entry in re.split(r"\n(?=\S)", text) if not entry.startswith("#")]
    assert entries
    assert [entry for entry in entries if not re.match(r"[a-z0-9-]+==\S+ .*\n    --hash=sha256:", entry + "\n")] == []
    assert "://" not in text


def test_the_locks_agree() -> None:
    def pins(lock: str) -> set[str]:
        return set(re.findall(r"^[a-z0-9-]+==\S+", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE))

    assert pins("requirements.lock") <= pins("requirements-dev.lock")
    assert pins("ci/build.lock") <= pins("requirements-dev.lock")
