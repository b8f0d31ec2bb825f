"""The options of a run, checked before anything is sent."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote

import pytest
from _pytest.mark.expression import Expression

from contracts.requirements import PROFILES, catalogue, select
from fixtures.errors import SetupError, nearest
from fixtures.files import user_path
from fixtures.secret_index import LEAK
from fixtures.target.file import Target, read_target
from fixtures.target.urls import check_base_url
from reports.directory import default
from reports.waivers import Waiver, read_waivers
from suites.runner import environment
from suites.runner.profiles import EXAMPLES

_NEVER_EMPTY = (
    *("--base-url", "--target", "--profile", "--report-dir", "--waivers", "--hypothesis-profile", "--record"),
    *("--replay", "--drift", "--explain", "--wait", "--serve"),
)


def add_options(parser: pytest.Parser) -> None:
    """Add the options of the design; ``--base-url`` is pytest-base-url's, ``--hypothesis-profile`` Hypothesis's."""
    group = parser.getgroup("conformance", "delivery-session conformance")
    group.addoption("--target", metavar="FILE", help="the target file (TOML): accounts, provider states, HTTP settings")
    group.addoption("--profile", metavar="core|platform", help="which requirements count (default: platform)")
    group.addoption("--report-dir", metavar="DIR", help="where outputs go; emptied first if it is ours")
    group.addoption(
        "--fail-on-gaps",
        action="store_true",
        help="failed SHOULDs, what is not verified and stale waivers fail the run",
    )
    group.addoption("--waivers", metavar="FILE", help="known deviations (TOML), each with a reason and a last day")
    group.addoption(
        "--allow-key-rotation", action="store_true", help="create may succeed on a target that is not on loopback"
    )
    group.addoption(
        "--requirement", metavar="ID|TAG", action="append", default=[], help="only these requirements (repeatable)"
    )
    group.addoption("--list-requirements", action="store_true", help="print the catalogue and end")
    group.addoption("--plan", action="store_true", help="print what would be sent at most, and send nothing")
    group.addoption(
        "--compare", metavar=("OLD", "NEW"), nargs=2, help="which requirements changed between two conformance.json"
    )
    group.addoption("--drift", metavar="FILE", help="compare the contract with a published OpenAPI document")
    group.addoption("--wait", metavar="SECONDS", help="wait for a target that is still starting (default: 0)")
    group.addoption("--serve", metavar="COMMAND", help="start the target with this command, and end it after the run")
    group.addoption("--explain", metavar="ID|TAG", help="print a requirement, its sources and its tests, and end")
    group.addoption("--record", metavar="FILE", help="write the history of the run, secrets replaced by stand-ins")
    group.addoption("--replay", metavar="FILE", help="judge a recorded history anew, and send nothing")


class _Names:
    """Takes the place of pytest's parser, and notes the names of options."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def getgroup(self, *_: str) -> Self:
        return self

    def addoption(self, name: str, **_: object) -> None:
        self.names.append(name)


def option_names() -> tuple[str, ...]:
    """The names of the options that :func:`add_options` adds."""
    parser: Any = _Names()
    add_options(parser)
    return tuple(parser.names)


#: The options of the suite, pytest-base-url's included: what says which target is judged, and how, is given on the
#: command line and not by ``PYTEST_ADDOPTS``, which is for pytest's own.
OURS = ("--base-url", *option_names(), "--verify-base-url")


@dataclass(frozen=True)
class Options:
    """The options of a run, resolved. ``base_url`` is None for the embedded emulator."""

    base_url: str | None
    target: Target
    profile: str
    report_dir: Path
    fail_on_gaps: bool
    waivers: tuple[Waiver, ...]
    waivers_sha256: str | None
    allow_key_rotation: bool
    requirements: tuple[str, ...] | None
    wait: float
    hypothesis_profile: str
    given: tuple[str, ...] = field(default=())
    #: Where the history of the run is written.
    record: Path | None = None


def resolve(config: pytest.Config) -> Options:
    """Check the options of *config* and read the files that they name, each once.

    Raises ``SetupError`` naming what is wrong.
    """
    _check_given(config)
    name = config.getoption("--hypothesis-profile", default=None) or "standard"
    _check_known("--hypothesis-profile", name, EXAMPLES)
    profile = config.getoption("--profile")
    if profile is not None:
        _check_known("--profile", profile, PROFILES)
    requirements: tuple[str, ...] | None = None
    if config.getoption("--requirement"):
        requirements = tuple(chosen_requirements(config.getoption("--requirement")))
    wait = _seconds(config.getoption("--wait") or ("30" if config.getoption("--serve") else "0"))
    waivers: list[Waiver] = []
    digest: str | None = None
    if config.getoption("--waivers"):
        waivers, digest = read_waivers(user_path(config.getoption("--waivers"), "--waivers"))
    base_url = _base_url(config)
    file = config.getoption("--target")
    # Credentials of the environment belong to a target; the embedded emulator is never shown them.
    embedded = base_url is None and file is None
    # A plan needs no credential, and reads none.
    plan = config.getoption("--plan")
    target = Target()
    if not embedded:
        path = user_path(file, "--target") if file else None
        target = read_target(path, environment.given_to(config.pluginmanager).original(), with_credentials=not plan)
    base_url = base_url or target.base_url
    if base_url is None and not embedded:
        raise SetupError(f"the target file {file} names no base_url, and --base-url is not given")
    if target.http.client_certificate is not None and base_url is not None and not base_url.startswith("https:"):
        raise SetupError(f"http.client_certificate of the target file is for https, and the base URL is {base_url}")
    _check_no_credential(target, base_url)
    return Options(
        base_url,
        target,
        profile or target.profile or "platform",
        report_directory(config.getoption("--report-dir")),
        config.getoption("--fail-on-gaps"),
        tuple(waivers),
        digest,
        config.getoption("--allow-key-rotation"),
        requirements,
        wait,
        name,
        tuple(
            config.invocation_params.args
            if all(isinstance(each, str) for each in config.invocation_params.args)
            else ()
        ),
        record_file(config),
    )


def chosen_requirements(names: list[str]) -> list[str]:
    """The ids that *names*, each an id or a tag, stand for. Raises ``SetupError`` with the nearest one else."""
    try:
        return select(names)
    except KeyError as error:
        given = error.args[0]
        known = {*catalogue(), *(entry.tag for entry in catalogue().values())}
        hint = nearest(given, sorted(known)) or "; see --list-requirements"
        raise SetupError(f"--requirement {given!r} is no id or tag of the catalogue{hint}") from None


def wrong_arguments(message: str, options: Collection[str]) -> str:
    """What pytest says of arguments that it cannot read, in one line; *options* are all that there are.

    Values are left out: one that is misplaced may be a secret.
    """
    line = next((each for each in message.splitlines() if "error: " in each), " ".join(message.split()))
    said = line.partition("error: ")[2] or line
    if "unrecognized arguments:" not in said:
        return said
    words = [word.partition("=")[0] for word in said.partition("unrecognized arguments:")[2].split()]
    unknown = dict.fromkeys(word for word in words if word.startswith("-"))
    long = [each for each in options if each.startswith("--")]
    return "; ".join(f"{word} is no option{nearest(word, long) or ': see --help'}" for word in unknown) or said


def _check_known(option: str, given: str, known: Collection[str]) -> None:
    if given not in known:
        raise SetupError(f"{option} {given!r} is unknown; there are {', '.join(known)}{nearest(given, known)}")


def _check_no_credential(target: Target, base_url: str | None) -> None:
    """Raise ``SetupError`` where what goes with every request holds a credential: the guard could not keep it from ``create``."""
    places = {"the base URL": base_url or ""}
    places |= {f"http.headers.{name} of the target file": value for name, value in target.http.headers.items()}
    if target.http.basic is not None:
        places["http.basic of the target file"] = f"{target.http.basic.user} {target.http.basic.password}"
    for account, value in target.credentials.items():
        for place, text in places.items():
            if value[:LEAK].lower() in unquote(text).lower():
                raise SetupError(
                    f"{place} holds the credential of {account}, or its beginning: it is sent with every call"
                )


def _check_given(config: pytest.Config) -> None:
    """Raise ``SetupError`` for options that would judge what was not meant, or that no run of the suite can have."""
    # A variable that is not set would else judge something that was not meant.
    for option in _NEVER_EMPTY:
        if config.getoption(option, default=None) == "":
            raise SetupError(f"{option} is empty: is a variable not set? Without the option the default applies")
    for option, name in (("-k", "keyword"), ("-m", "markexpr")):
        # pytest itself looks when the last report is gone and the commands of the credentials have run.
        try:
            Expression.compile(config.getoption(name, default="") or "x")
        except SyntaxError as error:
            raise SetupError(f"{option} {error.text!r}: at column {error.offset}: {error.msg}") from None
        except (ValueError, RecursionError, MemoryError):
            raise SetupError(f"{option} is no expression that pytest can read") from None
    if config.getoption("verify_base_url", default=False):
        raise SetupError("--verify-base-url asks the target past the suite: leave it out, or give --wait SECONDS")
    _check_one_process(config)
    _check_plugins(config)


def check_environment(config: pytest.Config) -> None:
    """Raise ``SetupError`` where the environment gives an option of the suite: it says what is judged."""
    added = environment.added_option(config, OURS)
    if added is not None:
        raise SetupError(f"PYTEST_ADDOPTS of the environment gives {added}: it belongs on the command line")


def _check_plugins(config: pytest.Config) -> None:
    """Raise ``SetupError`` where the plugin that writes one of the outputs has been switched off."""
    if not config.pluginmanager.has_plugin("junitxml"):
        raise SetupError("-p no:junitxml takes away an output of the suite: leave it out")


def _check_one_process(config: pytest.Config) -> None:
    """Raise ``SetupError`` for more than one process: the pace and the accounts are one."""
    number = config.getoption("numprocesses", default=None)
    given = [f"-n {number}"] if number not in (None, 0) else []
    if config.getoption("dist", default="no") != "no":
        given.append(f"--dist {config.getoption('dist')}")
    given += [f"--tx {each}" for each in config.getoption("tx", default=None) or ()]
    if given and number != 0:
        raise SetupError(f"{given[0]}: a run is one process, because its pace and its accounts are one; leave it out")


def _base_url(config: pytest.Config) -> str | None:
    value: Any = config.getoption("base_url") or config.getini("base_url") or None
    if value is None:
        return None
    return check_base_url(value, "--base-url")


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 86_400:
        raise SetupError(f"--wait {text!r} is not a number of seconds between 0 and 86400")
    return seconds


def report_directory(name: str | None) -> Path:
    """Where outputs go: as asked for, or where they go unless asked otherwise."""
    return user_path(name, "--report-dir").absolute() if name else default()


def record_file(config: pytest.Config) -> Path | None:
    """Where the history of the run is to be written, or None. Raises ``SetupError`` where no file can be made there."""
    name = config.getoption("--record")
    if name is None:
        return None
    if config.getoption("--plan") or config.getoption("--explain") or config.getoption("collectonly"):
        raise SetupError("--record is for a run: nothing is sent here, and there is nothing to record")
    path = user_path(name, "--record").absolute()
    if path.exists() and not path.is_file():
        raise SetupError(f"--record {path} is no file")
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise SetupError(
            f"--record {path} cannot be written: there is no directory for it, or one that is not writable"
        )
    return path
