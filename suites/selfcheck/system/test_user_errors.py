"""What a user gets wrong: one line that says what and where, exit code 4, no traceback, and nothing sent after it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fixtures import provider_states as states_module
from fixtures.emulator.accounts import State
from fixtures.emulator.threaded import ThreadedServer
from fixtures.errors import NotAvailable, SetupError
from fixtures.provider_states import StatesHook, same_server
from fixtures.target import credentials as target_module
from fixtures.target.file import read_target
from fixtures.target.urls import check_base_url
from reports import directory
from suites.runner import paths
from suites.runner.options import resolve
from suites.selfcheck.system import certificates
from suites.selfcheck.system.hostile_servers import BEHAVIOURS, Behaviour, Client, Gone, Server
from suites.selfcheck.system.runs import ROOT, command, suite
from suites.selfcheck.system.watched import CREDENTIALS, Watched, target_file, watch

# Files and expressions that are nested as deep as can be: what other tests have left is not finalized where that fails.
pytestmark = [pytest.mark.xdist_group("user-errors"), pytest.mark.usefixtures("without_garbage_collection")]

_AT_ONCE = 4
_USAGE = 4
_SECRET = CREDENTIALS["owner"]
_WAIVER = '[[waiver]]\nrequirement = "S1-success-is-200"\nreason = "known"\nexpires = 2999-01-01\n'


@dataclass
class Place:
    """Where a case is set up: a folder of its own, and a server that counts."""

    folder: Path
    base_url: str

    def file(self, name: str, text: str | bytes) -> Path:
        """A file with this content."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def target(self, text: str) -> list[object]:
        """The options for a target file that holds a good base URL and *text*."""
        return ["--target", self.file("target.toml", f'base_url = "{self.base_url}"\n{text}')]


@dataclass(frozen=True)
class Case:
    """A mistake: what is given, and what the line says."""

    name: str
    says: str
    given: Callable[[Place], list[object]]
    env: Mapping[str, str] = field(default_factory=dict)
    plain: bool = False

    def __str__(self) -> str:
        return self.name


def _options(*arguments: object) -> Callable[[Place], list[object]]:
    return lambda place: ["--base-url", place.base_url, *arguments]


def _in_target(text: str) -> Callable[[Place], list[object]]:
    return lambda place: place.target(text)


def _elsewhere(scheme: str) -> Callable[[Place], list[object]]:
    return lambda _: ["--base-url", f"{scheme}://target.test/v2"]


def _alone(text: str | bytes) -> Callable[[Place], list[object]]:
    return lambda place: ["--target", place.file("alone.toml", text)]


def _printing(code: str) -> Callable[[Place], list[object]]:
    program = json.dumps([sys.executable, "-c", f"import sys; secret = {_SECRET!r}; {code}"])
    return _credential(f"{{ command = {program} }}")


def _added(options: str) -> Mapping[str, str]:
    return {"PYTEST_ADDOPTS": options}


def _listing(place: Place) -> list[object]:
    return ["--list-requirements", "--requirement", "T22"]


def _waivers(text: str) -> Callable[[Place], list[object]]:
    return lambda place: ["--base-url", place.base_url, "--waivers", place.file("waivers.toml", text)]


def _somebodys(place: Place) -> list[object]:
    place.file("report/thesis.txt", "the only copy")
    return ["--base-url", place.base_url]


def _a_file(place: Place) -> list[object]:
    place.file("report", "the only copy")
    return ["--base-url", place.base_url]


#: Report directories that this process holds, as a run that is under way.
_HELD: list[directory.Taken] = []


def _in_use(place: Place) -> list[object]:
    _HELD.append(directory.take(place.folder / "report"))
    return ["--base-url", place.base_url]


def _credential(line: str) -> Callable[[Place], list[object]]:
    return _in_target(f"[credentials]\nowner = {line}\n")


def _with_certificate(place: Place) -> list[object]:
    certificates.make(place.folder)
    return place.target('[http]\nclient_certificate = { certificate = "client.pem", key = "client.key" }')


def _expression(place: Place) -> list[object]:
    """An expression that is none: the command of the credential must not have run when that is said."""
    touch = json.dumps(["touch", str(place.folder / "touched")])
    place.file("report/.delivery-conformance", directory._MARKED)
    place.file("report/conformance.md", "that of an earlier run")
    return [*_credential(f"{{ command = {touch} }}")(place), "-k", "("]


_HOOK_URL = f'[provider_states]\nurl = "http://me:{_SECRET}@h/"'
_BASIC = f'[credentials]\nowner = "{_SECRET}"\n[http]\nbasic = {{ user = "a", password = "{_SECRET}" }}'
_TWICE = f'[credentials]\nowner = "{_SECRET}"\nsubuser = "{_SECRET}"'

CASES = [
    # Options.
    Case("profile", "--profile 'cores' is unknown; there are core, platform; did you mean core?", _options("--profile", "cores")),
    Case("hypothesis-profile", "--hypothesis-profile 'fast' is unknown", _options("--hypothesis-profile", "fast")),
    Case("requirement", "--requirement 'S99' is no id or tag of the catalogue", _options("--requirement", "S99")),
    Case("requirement-by-id", "did you mean T2-read-gives-last-created?", _options("--requirement", "T2-read-gives-last-create")),
    Case("option", "--fail-on-gabs is no option; did you mean --fail-on-gaps?", _options("--fail-on-gabs", f"--taget={_SECRET}")),
    Case("option-without-a-value", "argument --waivers: expected one argument", _options("--waivers")),
    Case("option-of-another", "--verify-base-url asks the target past the suite", _options("--verify-base-url")),
    Case("processes", "-n 2: a run is one process", _options("-n", "2")),
    Case("processes-auto", "-n auto: a run is one process", _options("-n", "auto")),
    Case("processes-otherwise", "--dist load: a run is one process", _options("--dist", "load", "--tx", "2*popen")),
    Case("output", "-p no:junitxml takes away an output of the suite", _options("-p", "no:junitxml")),
    Case("list-requirements", "--requirement 'T22' is no id or tag of the catalogue; did you mean T2?", _listing),
    Case("target-of-the-environment", "PYTEST_ADDOPTS of the environment gives --base-url", _options(), _added("--base-url=http://127.0.0.1:9")),
    Case("rotation-of-the-environment", "PYTEST_ADDOPTS of the environment gives --allow-key-rotation", _options(), _added("--allow-key-rotation")),
    Case("configuration-of-the-environment", "PYTEST_ADDOPTS of the environment gives -o base_url", _options(), _added("-o base_url=http://a")),
    Case("command-of-the-environment", "PYTEST_ADDOPTS of the environment gives --list-requirements", _options(), _added("--list-requirements")),
    Case("wait-word", "--wait 'soon' is not a number of seconds", _options("--wait", "soon")),
    Case("wait-negative", "--wait '-1' is not a number of seconds", _options("--wait=-1")),
    Case("wait-nan", "--wait 'nan' is not a number of seconds", _options("--wait", "nan")),
    Case("wait-inf", "--wait 'inf' is not a number of seconds", _options("--wait", "inf")),
    Case("base-url-without-scheme", "--base-url must begin with http", lambda _: ["--base-url", "api.example.com/v2"]),
    Case("base-url-password", "--base-url must not hold a user or password", lambda _: ["--base-url", f"http://me:{_SECRET}@127.0.0.1/v2"]),
    Case("base-url-query", "--base-url must not hold a query or fragment", lambda _: ["--base-url", f"http://127.0.0.1/v2?hash={_SECRET}"]),
    Case("base-url-to-listen-on", "--base-url names 0.0.0.0, which is no loopback address", lambda _: ["--base-url", "http://0.0.0.0:8080/v2"]),
    Case("base-url-fragment", "--base-url must not hold a query or fragment", lambda place: ["--base-url", f"{place.base_url}#x"]),
    Case("target-missing", "none.toml cannot be read: No such file", lambda _: ["--target", "none.toml"]),
    Case("target-no-base-url", "names no base_url, and --base-url is not given", _alone("")),
    Case("target-key", "unknown key 'timeout' in the top level", _in_target("timeout = 3")),
    Case("target-base-url", "base_url must not hold a user or password", _alone('base_url = "http://a:b@c/"')),
    Case("waivers-missing", "none.toml", _options("--waivers", "none.toml")),
    Case("waivers-nearly", "did you mean S1-success-is-200?", _waivers(_WAIVER.replace("is-200", "is-201"))),
    Case("waivers-tag", "names the tag S1: a waiver is for one requirement, such as S1-", _waivers(_WAIVER.replace("S1-success-is-200", "S1"))),
    Case("waivers-key", "the top level: unknown key 'waivers'; did you mean waiver?", _waivers(_WAIVER.replace("[[waiver]]", "[[waivers]]"))),
    Case("waivers-empty-reason", "waiver 1.reason is empty", _waivers(_WAIVER.replace('"known"', '" "'))),
    Case("waivers-twice", "waivers.toml: waiver 2 repeats the requirement S1-success-is-200", _waivers(_WAIVER * 2)),
    Case("report-dir-somebodys", "holds files that are not ours", _somebodys),
    Case("report-dir-file", "is a file", _a_file),
    Case("report-dir-used", "is in use by another run; wait for its end, or name another directory", _in_use),
    Case("target-certificate", "http.client_certificate of the target file is for https", _with_certificate),
    Case("basic-credential", "http.basic of the target file holds the credential of owner", _in_target(_BASIC)),
    Case("compare", "none.json", lambda _: ["--compare", "none.json", "none.json"]),
    Case("compare-endless", "/dev/zero cannot be read: it is larger than", lambda _: ["--compare", "/dev/zero", "/dev/zero"]),
    Case("base-url-empty", "--base-url is empty: is a variable not set?", lambda _: ["--base-url", ""]),
    Case("expression", "-k '(': at column 2", _expression),
    # What pytest reads before it asks the suite.
    Case("plugin", 'cannot be used: Error importing plugin "nosuch"', _options("-p", "nosuch")),
    Case("plugins-of-the-environment", 'PYTEST_PLUGINS of the environment, cannot be used: Error', _options(), {"PYTEST_PLUGINS": "nosuch"}),
    Case("options-of-the-environment", "PYTEST_ADDOPTS or", _options(), {"PYTEST_ADDOPTS": "'"}),
    Case("configuration", "cannot be used: [Errno 2] No such file or directory: '/none.ini'", _options("-c", "/none.ini")),
    # [http] and [provider_states].
    Case("hook-url", "provider_states.url must not hold a user or password", _in_target(_HOOK_URL)),
    # Credentials.
    Case("credential-variable-short", "environment variable DELIVERY_OWNER_HASH has fewer than", _in_target(""), {"DELIVERY_OWNER_HASH": "abc"}),
    Case("command-fails", "failed with exit code 3", _printing("print(secret); sys.exit(3)")),
    # Proxies and certificates of the environment.
    Case("proxy", "the proxy that the environment names for http cannot be used", _elsewhere("http"), {"http_proxy": "socks5://127.0.0.1:1"}),
    Case("certificates", "the environment variable REQUESTS_CA_BUNDLE names", _elsewhere("https"), {"REQUESTS_CA_BUNDLE": "/none.pem"}),
    # The same by plain pytest.
    Case("plain-profile", "--profile 'cores' is unknown", lambda _: ["--profile=cores"], plain=True),
    Case("plain-base-url", "--base-url must begin with http", lambda _: ["--base-url=x"], plain=True),
    Case("plain-target", "none.toml cannot be read", lambda _: ["--target=none.toml"], plain=True),
]  # fmt: skip

#: The same line comes of these; what reads the file is asked without a process for each.
FILES = [
    Case("target-directory", "cannot be read: Is a directory", lambda place: ["--target", place.folder]),
    Case("target-not-toml", "is not TOML: ", _alone("base_url: x")),
    Case("target-not-text", "is not UTF-8 text", _alone(b"\xff\xfe")),
    Case("target-endless", "cannot be read: it is larger", lambda _: ["--target", "/dev/zero"]),
    Case("target-deep", "is not TOML that can be read", _alone("a = " + "[" * 50_000)),
    Case("target-profile", "profile must be one of core, platform", _in_target('profile = "all"')),
    Case("target-rotation", "allow_key_rotation must be of type boolean", _in_target('allow_key_rotation = "yes"')),
    Case("target-account", "unknown account 'owners' in credentials; did you mean owner?", _in_target(f'[credentials]\nowners = "{_SECRET}"')),
    Case("timeout-zero", "http.timeout must be more than 0", _in_target("[http]\ntimeout = 0")),
    Case("timeout-inf", "http.timeout must be a number of at most 3600", _in_target("[http]\ntimeout = inf")),
    Case("timeout-nan", "http.timeout must be a number of at most 3600", _in_target("[http]\ntimeout = nan")),
    Case("timeout-text", "http.timeout must be of type number", _in_target('[http]\ntimeout = "2 s"')),
    Case("rate-negative", "http.requests_per_second must be at least 0", _in_target("[http]\nrequests_per_second = -1")),
    Case("rate-endless", "http.requests_per_second must be at least 0.1, or 0 for no limit", _in_target("[http]\nrequests_per_second = 1e-300")),
    Case("max-body-part", "http.max_body must be of type integer", _in_target("[http]\nmax_body = 20.5")),
    Case("max-body-large", "http.max_body must be a number of at most 8388608", _in_target("[http]\nmax_body = 67108864")),
    Case("max-body", "http.max_body must be a number of at most", _in_target("[http]\nmax_body = 99999999999")),
    Case("header-own", "http.headers must not set Authorization", _in_target(f'[http.headers]\nAuthorization = "NVX {_SECRET}"')),
    Case("header-not-ascii", "http.headers.X-A must be printable ASCII", _in_target('[http.headers]\nX-A = "…"')),
    Case("ca-bundle", "http.ca_bundle names 'none.pem', which does not exist", _in_target('[http]\nca_bundle = "none.pem"')),
    Case("hook-url-missing", "provider_states lacks 'url'", _in_target("[provider_states]\n")),
    Case("credential-short", "has fewer than 8 characters", _credential('"abc1234"')),
    Case("credential-spaces", "holds white space", _credential(f'"{_SECRET} {_SECRET}"')),
    Case("credential-not-ascii", "not ASCII", _credential('"0123456789äöü"')),
    Case("credential-number", "credentials.owner must be", _credential("12345678")),
    Case("credential-two-sources", "credentials.owner must be", _credential('{ env = "A", file = "b" }')),
    Case("credential-same", "the accounts owner and subuser have the same credential", _in_target(_TWICE)),
    Case("credential-file-missing", "credentials.owner: the file 'none' cannot be read: No such file", _credential('{ file = "none" }')),
    Case("credential-file-endless", "credentials.owner: the file '/dev/zero' cannot be read: it is larger", _credential('{ file = "/dev/zero" }')),
    Case("command-missing", "credentials.owner: the command './login' cannot be started: No such file", _credential('{ command = ["./login"] }')),
    Case("command-endless", "printed more than 65536 bytes", _credential('{ command = ["yes", "0123456789"] }')),
    Case("command-no-text", "is not text", _printing("sys.stdout.buffer.write(bytes([255, 254]))")),
    Case("command-prints-little", "has fewer than 8 characters", _credential('{ command = ["echo", "hello"] }')),
]  # fmt: skip


def _chosen(request: pytest.FixtureRequest, name: str) -> list[Any]:
    specs: list[Any] = [getattr(item, "callspec", None) for item in request.session.items if item.path == request.path]
    chosen = [each.params[name] for each in specs if each is not None and name in each.params]
    return [each for each in chosen if each not in FILES]


@pytest.fixture(scope="module")
def runs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, Future[Watched]]]:
    """The runs of the selected cases, several at once."""
    folder = tmp_path_factory.mktemp("errors")
    with Server(BEHAVIOURS["closes-without-an-answer"]) as server, ThreadPoolExecutor(_AT_ONCE) as pool:

        def run(case: Case) -> Watched:
            place = Place(folder / case.name, server.base_url)
            place.folder.mkdir()
            program = [sys.executable, "-m", "pytest"] if case.plain else None
            return watch(*case.given(place), folder=place.folder / "report", env=case.env or None, program=program)

        yield {case.name: pool.submit(run, case) for case in _chosen(request, "case")}
        assert server.connections == 0, "something was sent"


def _one_line(watched: Watched, says: str) -> None:
    tail = watched.output[-3000:]
    assert watched.code == _USAGE, tail
    lines = [line for line in watched.output.splitlines() if line.startswith("delivery-conformance: ")]
    assert len(lines) == 1, tail
    assert says in lines[0]
    assert "Traceback" not in watched.output
    assert not (watched.folder / "conformance.json").exists()
    assert not watched.told([_SECRET])
    assert not watched.left


@pytest.mark.parametrize("case", CASES, ids=str)
def test_before_anything_is_sent(case: Case, runs: Mapping[str, Future[Watched]]) -> None:
    watched = runs[case.name].result()
    _one_line(watched, case.says)
    if case.name not in ("proxy", "certificates"):
        assert len(watched.output.strip().splitlines()) == 1
    if case.name == "expression":
        assert not (watched.folder.parent / "touched").exists()
        assert (watched.folder / "conformance.md").read_text(encoding="utf-8") == "that of an earlier run"
    if "report-dir" in case.name:
        if case.name == "report-dir-used":
            return
        kept = watched.folder / "thesis.txt" if watched.folder.is_dir() else watched.folder
        assert kept.read_text(encoding="utf-8") == "the only copy"


@pytest.mark.parametrize("case", FILES, ids=str)
def test_files(case: Case, tmp_path: Path) -> None:
    _, path = case.given(Place(tmp_path, "http://127.0.0.1:1/v2"))
    with pytest.raises(SetupError) as error:
        read_target(Path(str(path)), case.env)
    said = str(error.value)
    assert case.says in said
    assert len(said.splitlines()) == 1
    assert _SECRET[:12] not in said


@pytest.mark.parametrize("byte_order_mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte-order-mark"])
def test_what_is_meant_well(byte_order_mark: bytes, tmp_path: Path) -> None:
    """Files as some editors write them, and a whole number that is written as another."""
    place = Place(tmp_path, "http://127.0.0.1:1/v2")
    place.file("owner", byte_order_mark + f"{_SECRET}\r\n".encode())
    text = '[credentials]\nowner = { file = "owner" }\n[http]\nmax_body = 20.0\nrequests_per_second = 0'
    path = Path(str(place.target(text)[1]))
    path.write_bytes(byte_order_mark + path.read_bytes())
    target = read_target(path, {})
    assert target.credentials == {"owner": _SECRET}
    assert (target.http.max_body, type(target.http.max_body)) == (20, int)


def _given(**options: str) -> Any:
    """The configuration of a command line with these options."""
    return SimpleNamespace(getoption=lambda name, default=None: options.get(name, default))


@pytest.mark.parametrize(
    "option",
    [
        *("--base-url", "--target", "--profile", "--report-dir", "--waivers", "--hypothesis-profile"),
        *("--explain", "--wait", "--serve"),
    ],
)
def test_an_option_that_is_empty(option: str) -> None:
    with pytest.raises(SetupError, match=f"^{option} is empty: is a variable not set"):
        resolve(_given(**{option: ""}))


@pytest.mark.parametrize("option", ["keyword", "markexpr"])
# A name for each: pytest puts it into the environment, which other tests give to the commands that they start.
@pytest.mark.parametrize(
    "expression",
    ["(", "a b", "not", "x" + " and x" * 50_000, "(" * 50_000],
    ids=["open", "two-words", "no-operand", "long", "deep"],
)
def test_an_expression_that_is_none(option: str, expression: str) -> None:
    with pytest.raises(SetupError, match=r"^-[km] ") as error:
        resolve(_given(**{option: expression}))
    assert len(str(error.value)) < 200


# ---------------------------------------------------------------------- paths among the arguments

_TEST = "suites/conformance/test_success.py"


def test_the_whole_suite_where_no_test_is_named() -> None:
    assert paths.named([str(paths.SUITE)]) == [str(paths.SUITE)]


@pytest.mark.parametrize("name", [_TEST, f"{_TEST}::test_x", "suites/conformance"])
def test_a_test_is_named_from_any_directory(name: str) -> None:
    assert paths.named([name, str(paths.SUITE)]) == [str(paths.ROOT / name)]


@pytest.mark.parametrize("name", ["suites/conformance/none.py", "elsewhere/test_x.py"])
def test_what_is_no_test_of_the_suite_is_left_to_pytest(name: str) -> None:
    assert paths.named([name, str(paths.SUITE)]) == [name]


@pytest.mark.parametrize("option", ["--deselect", "--ignore"])
def test_the_value_of_an_option_is_no_path(option: str, tmp_path: Path) -> None:
    done = suite(option, _TEST, "--collect-only", "-q", "-p", "no:cacheprovider", folder=tmp_path / "report")
    assert done.code == 0, done.output
    assert "test_state.py::" in done.output
    assert "test_success.py::" not in done.output


# ---------------------------------------------------------------------- nobody reads, nothing fits


@pytest.mark.parametrize("where", [">/dev/full", ">&-", "2>&-", "| head -1"])
def test_a_terminal_that_is_gone(where: str, tmp_path: Path) -> None:
    """The verdict and the reports do not depend on who reads the terminal."""
    script = f'set -o pipefail; exec 3>"$0"; {{ "$@"; echo $? >&3; }} {where}'
    code = tmp_path / "code"
    program = ["bash", "-c", script, str(code), sys.executable, "-m", "suites.cli"]
    watched = watch("--requirement", "S1", "-p", "no:cacheprovider", folder=tmp_path / "report", program=program)
    assert code.read_text() == "0\n", watched.output[-2000:]
    assert watched.document["complete"] is True
    assert "Traceback" not in watched.output
    assert "Error" not in watched.output


@pytest.mark.parametrize("blocks", [4, 28])
def test_outputs_that_do_not_fit(blocks: int, tmp_path: Path) -> None:
    """A file that cannot be written says so in the end, in one line, and no report is left that could be taken for one."""
    program = ["bash", "-c", f'ulimit -f {blocks}; exec "$@"', "-", sys.executable, "-m", "suites.cli"]
    watched = watch("--requirement", "S1", "-p", "no:cacheprovider", folder=tmp_path / "report", program=program)
    _one_line(watched, "cannot be written: File too large; there is no report of this run")
    assert not (watched.folder / "conformance.md").exists()


def test_a_working_directory_that_is_gone(tmp_path: Path) -> None:
    script = 'mkdir "$0" && cd "$0" && rmdir "$0" && exec "$@"'
    program = ["bash", "-c", script, str(tmp_path / "gone"), sys.executable, "-m", "suites.cli"]
    watched = watch(folder=tmp_path / "report", program=program, env={"PYTHONPATH": str(ROOT)})
    _one_line(watched, "the working directory is gone: change to one that exists")


@pytest.mark.parametrize(
    "variables",
    [
        {"COLUMNS": "0"},
        {"COLUMNS": "1"},
        {"COLUMNS": "-5"},
        {"COLUMNS": "wide"},
        {"COLUMNS": "99999999999999999999", "LINES": "x"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"LC_ALL": "xx_YY.none"},
        {"PYTHONIOENCODING": "ascii", "PYTHONWARNINGS": "error", "PYTHONDEVMODE": "1"},
        {"HOME": "/none", "TMPDIR": "/none", "HYPOTHESIS_STORAGE_DIRECTORY": "/proc/none"},
        {"no_proxy": "[,,*", "http_proxy": "http://127.0.0.1:9"},
    ],
    ids=lambda variables: " ".join("=".join(each) for each in variables.items())[:40],
)
def test_an_odd_environment_changes_no_verdict(variables: Mapping[str, str], tmp_path: Path) -> None:
    arguments = ("--requirement", "E1", "-p", "no:cacheprovider")
    # Whatever is imported may look at them, too.
    watched = watch(*arguments, folder=tmp_path / "report", env=variables, program=command())
    assert watched.code == 0, watched.output[-2000:]
    assert watched.output.strip().splitlines()[-1].startswith("verdict: inconclusive"), watched.output[-2000:]
    assert "Traceback" not in watched.output
    assert "Warning" not in watched.output


def test_an_option_that_nobody_knows_by_plain_pytest(tmp_path: Path) -> None:
    """pytest's own words, and its exit code, which is ours."""
    watched = watch("--fail-on-gabs", folder=tmp_path / "report", program=[sys.executable, "-m", "pytest"])
    assert watched.code == _USAGE
    assert "unrecognized arguments: --fail-on-gabs" in watched.output
    assert "Traceback" not in watched.output


# ---------------------------------------------------------------------- found when the target is asked


@dataclass(frozen=True)
class Asked:
    """A mistake that shows when the target or the hook is asked: what they do, what the line says, how often they were asked."""

    name: str
    says: str
    target: Behaviour
    requests: int
    hook: Behaviour | None = None
    prefix: str = "/v2"

    def __str__(self) -> str:
        return self.name


def _page(client: Client, request: bytes) -> None:
    client.answer(b"<h1>Not Found</h1>", "404 Not Found", "text/html")


def _app(client: Client, request: bytes) -> None:
    client.answer(b"<!doctype html><title>Shop</title>", "200 OK", "text/html")


def _beside(other: Behaviour) -> Behaviour:
    """The API is at /v2, and *other* answers everywhere else."""
    return lambda client, request: (_UNKNOWN if request.split(b" ")[1].startswith(b"/v2/") else other)(client, request)


def _to_https(client: Client, request: bytes) -> None:
    path = request.split(b" ")[1].decode()
    client.answer(b"", "301 Moved Permanently", Location=f"https://127.0.0.1{path}")


def _refused(code: int) -> Behaviour:
    body = json.dumps({"success": False, "status": {"code": code, "description": "x"}}).encode()
    return lambda client, _: client.answer(body, "403 Forbidden" if code in (11, 13) else "400 Bad Request")


def _hook(body: bytes, status: str = "200 OK", **headers: str) -> Behaviour:
    return lambda client, _: client.answer(body, status, **headers)


_HOOK = "the provider-states hook http://127.0.0.1"
_ELSEWHERE = "it is not the base URL of the API; http://127.0.0.1:"
_UNKNOWN = _refused(4)
#: The first contact, then the main path of the owner: in every style create, two reads, and more.
_MAIN_PATH = 60

ASKED = [
    Asked("http-for-https", "redirects to https: give the https address", _to_https, 1),
    Asked("v2-forgotten", "answers with a 404 page: it is not the base URL of the API; was /v2 forgotten at its end?", _page, 3, prefix=""),
    Asked("v2-forgotten-111", f"answers with code 111: {_ELSEWHERE}", _beside(_refused(111)), 2, prefix=""),
    Asked("v2-forgotten-app", f"answers with HTTP 200: {_ELSEWHERE}", _beside(_app), 2, prefix=""),
    Asked("v2-forgotten-7", f"answers with code 7: {_ELSEWHERE}", _beside(_refused(7)), 2, prefix=""),
    Asked("another-page", "answers with a 404 page: it is not the base URL of the API", _page, 2),
    Asked("owner-unknown", "the account owner is refused by every call in every style (code 4)", _UNKNOWN, _MAIN_PATH),
    Asked("owner-forbidden", "the account owner is refused by every call in every style (code 11)", _refused(11), _MAIN_PATH),
    Asked("hook-500", f"{_HOOK}:PORT/states, asked for owner, answered HTTP 500", _UNKNOWN, 1, _hook(b"", "500 Oh")),
    Asked("hook-no-json", f'{_HOOK}:PORT/states, asked for owner, did not answer with {{"hash": "…"}}', _UNKNOWN, 1, _hook(b"ok")),
]  # fmt: skip


@pytest.fixture(scope="module")
def asked_runs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, Future[tuple[Watched, int, int]]]]:
    """The runs of the selected cases, several at once, how often the target was asked, and the port of the hook."""
    folder = tmp_path_factory.mktemp("asked")

    def run(asked: Asked) -> tuple[Watched, int, int]:
        hook = asked.hook or BEHAVIOURS["closes-without-an-answer"]
        with Server(asked.target, prefix=asked.prefix) as server, Server(hook, prefix="/states") as states:
            target = target_file(
                folder / asked.name / "target.toml",
                server.base_url,
                credentials={"owner": _SECRET} if asked.hook is None else {},
                states=states.base_url if asked.hook is not None else None,
                http='headers = { X-Gateway = "open-sesame" }',
            )
            watched = watch("--target", target, folder=folder / asked.name / "report")
            assert not [each for each in states.requests if b"open-sesame" in each], "a header of the target's"
            return watched, len(server.requests), states.port

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield {asked.name: pool.submit(run, asked) for asked in _chosen(request, "asked")}


@pytest.mark.parametrize("asked", ASKED, ids=str)
def test_when_it_is_asked(asked: Asked, asked_runs: Mapping[str, Future[tuple[Watched, int, int]]]) -> None:
    watched, requests, port = asked_runs[asked.name].result()
    _one_line(watched, asked.says.replace("PORT", str(port)))
    assert requests <= asked.requests
    assert asked.says.partition("PORT")[0] in watched.output.splitlines()[-1]
    for noise in ("FAILURES", "short test summary", "deselected", "conformance ===", "!!!"):
        assert noise not in watched.output
    if asked.name == "another-page":
        assert "was /v2 forgotten" not in watched.output


_HOOKS: dict[str, tuple[Behaviour, str]] = {
    "redirects": (_hook(b"", "302 Found", Location="/"), "answered HTTP 302; expected 200 with a hash"),
    "nests": (_hook(b"[" * 60_000), "did not answer with"),
    "gives a key": (_hook(b'{"key": "0123456789abcdef"}'), "did not answer with"),
    "gives a list": (_hook(b'["hash"]'), "did not answer with"),
    "gives a number": (_hook(b'{"hash": 12345678}'), "gave a hash that is no credential"),
    "gives little": (_hook(b'{"hash": "abc"}'), "gave a hash that is no credential"),
    "gives two": (_hook(b'{"hash": "abcdefgh ijklmnop"}'), "gave a hash that is no credential"),
    "closes": (BEHAVIOURS["closes-without-an-answer"], "the connection was closed before the answer was complete"),
    "sends noise": (BEHAVIOURS["sends-noise"], "what answers there speaks TLS"),
    "streams": (BEHAVIOURS["streams-without-end"], "did not answer with"),
    "sends a bomb": (BEHAVIOURS["sends-a-gzip-bomb"], "did not answer with"),
    "hangs": (BEHAVIOURS["hangs-before-the-headers"], "no complete answer within 0.4 s"),
    "drips": (BEHAVIOURS["drips-the-body"], "no complete answer within 0.4 s"),
}


@pytest.mark.parametrize("name", _HOOKS)
def test_hooks(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    behaviour, says = _HOOKS[name]
    if "0.4" in says:
        monkeypatch.setattr(states_module, "_HOOK_TIME", 0.4)
    with Server(behaviour, prefix="/states") as states:
        hook = StatesHook(f"{states.base_url}?token={_SECRET}", None)
        with pytest.raises(SetupError) as error:
            hook.setup("owner")
        said = str(error.value)
        assert said.startswith(f"the provider-states hook {states.base_url}")
        assert says in said
        assert _SECRET not in said
        assert len(said.splitlines()) == 1
        torn_down = hook.teardown("owner", 0.2)  # its failure is noted, no more: whatever is 200 will do
        assert torn_down is None or _SECRET not in torn_down
        assert len(states.requests) <= 2


def test_a_hook_whose_kept_connection_was_closed_while_idle() -> None:
    seen: list[Client] = []

    def close_the_second_time(client: Client, request: bytes) -> None:
        if any(each is client for each in seen):
            raise Gone
        seen.append(client)
        client.answer(b'{"hash": "0123456789abcdef0123456789abcdef"}')

    with Server(close_the_second_time, prefix="/states") as states:
        hook = StatesHook(states.base_url, None)
        for _ in range(4):
            assert hook.setup("owner") == "0123456789abcdef0123456789abcdef"
        assert states.connections == 4


@pytest.mark.parametrize(
    ("status", "headers", "said"),
    [
        ("401 Unauthorized", {}, "HTTP 401; expected 200 with a hash.*provider_states.headers of the target file"),
        ("401 Unauthorized", {"WWW_Authenticate": "Basic"}, "asks for a password"),
        ("403 Forbidden", {}, "HTTP 403; expected 200 with a hash.*provider_states.headers of the target file"),
        ("407 Proxy Authentication Required", {}, "asks for a password"),
        ("502 Bad Gateway", {}, "a gateway got no answer"),
    ],
)
def test_a_gateway_before_the_hook(status: str, headers: dict[str, str], said: str) -> None:
    def serve(client: Client, request: bytes) -> None:
        client.answer(b"<html>", status, "text/html", **headers)

    with Server(serve, prefix="/states") as states, pytest.raises(SetupError, match=said):
        StatesHook(states.base_url, None).setup("owner")


def test_a_hook_is_not_asked_when_the_time_of_the_run_is_up() -> None:
    def none_left() -> float:
        raise NotAvailable("the run's time was up")

    with Server(_hook(b"{}"), prefix="/states") as states:
        with pytest.raises(NotAvailable, match="time was up"):
            StatesHook(states.base_url, None, time_left=none_left).setup("owner")
        assert not states.requests


def test_a_hook_on_the_targets_own_server() -> None:
    """It may have one thread: the target's connections are closed first, and the hook's afterwards."""
    asked: list[str] = []
    with Server(_hook(b'{"hash": "0123456789abcdef0123456789abcdef"}'), prefix="/states") as states:
        hook = StatesHook(states.base_url, None, aside=lambda: asked.append("aside"))
        for _ in range(2):
            hook.setup("owner")
        assert asked == ["aside", "aside"]
        assert states.connections == 2
    assert same_server("http://127.0.0.1:8080/v2", "http://127.0.0.1:8080/_states")
    assert not same_server("http://127.0.0.1:8080/v2", "http://127.0.0.1:8081/_states")


def test_a_hook_that_is_not_there() -> None:
    with Server(BEHAVIOURS["resets"]) as states:
        url = states.base_url
    with pytest.raises(SetupError, match="cannot be reached: is it running"):
        StatesHook(url, None).setup("owner")


# ---------------------------------------------------------------------- accounts that are not as they should be


def test_an_owner_of_the_hook_that_is_refused_is_the_targets_fault(tmp_path: Path) -> None:
    def hook(client: Client, request: bytes) -> None:
        client.answer(json.dumps({"hash": os.urandom(16).hex()}).encode())

    with Server(_UNKNOWN) as server, Server(hook, prefix="/states") as states:
        target = target_file(tmp_path / "target.toml", server.base_url, credentials={}, states=states.base_url)
        watched = watch("--target", target, "-q", folder=tmp_path / "report")
    assert watched.code == 1, watched.output[-2000:]
    assert watched.document["verdict"] == "nonconformant"


def test_a_hook_that_cannot_make_an_account(tmp_path: Path) -> None:
    """404 and 501 say so: what needs it is not verified, with the reason. So does a hook that fails to tear down."""
    with ThreadedServer() as good:
        store = good.emulator.store

        def hook(client: Client, request: bytes) -> None:
            document = json.loads(request.partition(b"\r\n\r\n")[2])
            if document["action"] == "teardown":
                client.answer(b"", "500 Internal Server Error")
            elif document["state"] == "subuser":
                client.answer(b"", "501 Not Implemented")
            elif document["state"] == "ended":
                client.answer(b"", "404 Not Found")
            else:
                account = store.new_account(State(document["state"]))
                client.answer(json.dumps({"hash": account.hash}).encode())

        with Server(hook, prefix="/states") as states:
            target = target_file(tmp_path / "target.toml", good.base_url, credentials={}, states=states.base_url)
            watched = watch("--target", target, "-q", folder=tmp_path / "report")
        assert watched.code == 0, watched.output[-2000:]
        assert watched.document["verdict"] == "inconclusive"
        result, reason = watched.result("T6-subuser-create-refused")
        assert result == "not_verified"
        assert "cannot make the state subuser (HTTP 501)" in reason
        result, reason = watched.result("A2-ended-hash-refused")
        assert result == "not_verified"
        assert "cannot make the state ended (HTTP 404)" in reason
        assert not watched.told([*store.accounts, *store.issued])
        assert (
            f"note: the provider-states hook {states.base_url}, asked to tear owner down, answered HTTP 500"
            in watched.output
        )


@pytest.mark.parametrize("verbosity", ["-q", "-v"])
def test_a_hook_that_goes_away_in_the_middle(verbosity: str, tmp_path: Path) -> None:
    """With -v the line of the test has begun: what ends the run is on one of its own."""
    with ThreadedServer() as good:
        store = good.emulator.store
        made: list[State] = []

        def hook(client: Client, request: bytes) -> None:
            state = State(json.loads(request.partition(b"\r\n\r\n")[2])["state"])
            if len(made) == 2:
                client.answer(b"overloaded", "503 Service Unavailable")
                return
            made.append(state)
            client.answer(json.dumps({"hash": store.new_account(state).hash}).encode())

        with Server(hook, prefix="/states") as states:
            target = target_file(tmp_path / "target.toml", good.base_url, credentials={}, states=states.base_url)
            watched = watch("--target", target, verbosity, folder=tmp_path / "report")
    _one_line(watched, "answered HTTP 503; expected 200 with a hash")


def test_fixed_accounts_that_have_ended_or_are_used_up(tmp_path: Path) -> None:
    """Sessions end, and the target is not to blame: not verified, with the reason."""
    with ThreadedServer() as good:
        store = good.emulator.store
        fixed = {str(state): account.hash for state, account in store.fixed.items()}
        credentials = {
            **fixed,
            "subuser": store.new_account(State.ENDED).hash,
            "other_owner": os.urandom(16).hex(),
            "demo_without_session": store.new_account(State.DEMO_WITH_SESSION).hash,
        }
        target = target_file(tmp_path / "target.toml", good.base_url, credentials=credentials, timeout=10)
        watched = watch("--target", target, "-q", folder=tmp_path / "report")
    assert watched.code == 0, watched.output[-2000:]
    assert watched.document["verdict"] == "inconclusive"
    result, reason = watched.result("T6-subuser-create-refused")
    assert (result, "the fixed credential of subuser has ended" in reason) == ("not_verified", True)
    result, reason = watched.result("A6-users-are-isolated")
    assert (result, "the fixed credential of other_owner has ended" in reason) == ("not_verified", True)
    result, reason = watched.result("T5-demo-first-create")
    assert (result, "demo_without_session is used up" in reason) == ("not_verified", True)
    assert watched.document["accounts"]["subuser"].startswith("unfit")


# ---------------------------------------------------------------------- without a process for each


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "http:///v2",
        "http://:80/v2",
        "https://api.example.com:0/v2",
        "https://api.example.com:65536/v2",
        "https://api.example.com:x/v2",
        "ftp://api.example.com/v2",
        "//api.example.com/v2",
        "http://api.example.com /v2",
        "http://api.example.com/v2\n",
        "http://api.example.com\\@127.0.0.1/v2",
        "http://api。eu。navixy。com/v2",
        "http://ａpi.eu.navixy.com/v2",
        "http://127.0.0.1%00.example.com/v2",
        "http://api%2eeu.navixy.com/v2",
        "http://[::1/v2",
        "http://[zz]/v2",
        "http://a..b/v2",
        "http://-a/v2",
        "http://" + "a" * 300 + "/v2",
        "http://me@api.example.com/v2",
        "http://api.example.com/v2?",
        "http://api.example.com/v2#",
    ],
)
def test_what_is_no_base_url(url: str) -> None:
    with pytest.raises(SetupError) as error:
        check_base_url(url, "--base-url")
    assert str(error.value).startswith("--base-url ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://api.example.com/v2/", "https://api.example.com/v2"),
        ("HTTPS://API.example.com/v2", "https://API.example.com/v2"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("http://localhost/", "http://localhost"),
        ("http://10.0.0.1:80/a/b%20c/v2//", "http://10.0.0.1:80/a/b%20c/v2"),
        ("http://a_b.example.com./x", "http://a_b.example.com./x"),
    ],
)
def test_what_is_a_base_url(url: str, expected: str) -> None:
    assert check_base_url(url, "--base-url") == expected


def _hanging(tmp_path: Path, script: str) -> Path:
    path = tmp_path / "target.toml"
    path.write_text(f'[credentials]\nowner = {{ command = ["sh", "-c", {json.dumps(script)}] }}\n', encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "script",
    ["sleep 60", "sleep 60 & wait", "echo 0123456789; sleep 60", "trap '' TERM; sleep 60", "exec >&-; sleep 60"],
)
def test_a_credential_command_that_hangs(script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is ended with all that it started."""
    monkeypatch.setattr(target_module, "COMMAND_TIME", 0.4)
    mark = f"# {tmp_path}"
    with pytest.raises(SetupError, match=r"the command 'sh' did not end within 0\.4 s"):
        read_target(_hanging(tmp_path, f"{script} {mark}"), {})
    left = [
        path
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if path.parent.name != str(os.getpid()) and mark.encode() in _content(path)
    ]
    assert not left


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_a_credential_command_is_heard(tmp_path: Path) -> None:
    found = read_target(_hanging(tmp_path, "echo; echo '  0123456789abcdef  '; echo secrets >&2"), {})
    assert found.credentials == {"owner": "0123456789abcdef"}


def test_an_empty_credential_is_an_account_that_is_absent(tmp_path: Path) -> None:
    path = tmp_path / "target.toml"
    (tmp_path / "empty").write_text("\n", encoding="utf-8")
    path.write_text(
        '[credentials]\nowner = ""\nother_owner = { env = "NOT_SET" }\nsubuser = { file = "empty" }\n'
        'ended = { command = ["true"] }\n',
        encoding="utf-8",
    )
    found = read_target(path, {"DELIVERY_OWNER_HASH": "0123456789", "DELIVERY_TARIFF_RESTRICTED_HASH": " "})
    assert not found.credentials
    assert set(found.absent) == {"owner", "other_owner", "subuser", "ended", "tariff_restricted"}
    assert "NOT_SET" in found.absent["other_owner"]
    assert "'empty'" in found.absent["subuser"]
