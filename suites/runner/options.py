"""The options of a run, checked before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from _pytest.mark.expression import Expression

from contracts.requirements import PROFILES, select
from fixtures.errors import SetupError
from fixtures.secrets import SHORTEST
from fixtures.target.file import Target, check_base_url, read_target
from reports.directory import default
from reports.waivers import Waiver, read_waivers
from suites.scenarios.generated import EXAMPLES


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
    group.addoption("--wait", metavar="SECONDS", default="0", help="wait for a target that is still starting")


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


def resolve(config: pytest.Config) -> Options:
    """Check the options of *config* and read the files that they name. Raises ``SetupError`` naming what is wrong."""
    _check_given(config)
    name = config.getoption("--hypothesis-profile") or "standard"
    if name not in EXAMPLES:
        raise SetupError(f"--hypothesis-profile {name!r} is unknown; there are {', '.join(EXAMPLES)}")
    profile = config.getoption("--profile")
    if profile is not None and profile not in PROFILES:
        raise SetupError(f"--profile {profile!r} is unknown; there are {', '.join(PROFILES)}")
    requirements: tuple[str, ...] | None = None
    if config.getoption("--requirement"):
        try:
            requirements = tuple(select(config.getoption("--requirement")))
        except KeyError as error:
            raise SetupError(
                f"--requirement {error.args[0]!r} is no id or tag of the catalogue; see --list-requirements"
            ) from None
    wait = _seconds(config.getoption("--wait"))
    waivers: list[Waiver] = []
    digest: str | None = None
    if config.getoption("--waivers"):
        waivers, digest = read_waivers(Path(config.getoption("--waivers")))
    base_url = _base_url(config)
    file = config.getoption("--target")
    # Credentials of the environment belong to a target; the embedded emulator is never shown them.
    embedded = base_url is None and file is None
    # A plan needs no credential, and reads none.
    plan = config.getoption("--plan")
    target = Target() if embedded else read_target(Path(file) if file else None, credentials=not plan)
    base_url = base_url or target.base_url
    if base_url is None and not embedded:
        raise SetupError(f"the target file {file} names no base_url, and --base-url is not given")
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
    )


def _check_no_credential(target: Target, base_url: str | None) -> None:
    """Raise ``SetupError`` where what goes with every request holds a credential: the guard could not keep it from ``create``."""
    places = {"the base URL": base_url or ""}
    places |= {f"http.headers.{name} of the target file": value for name, value in target.http.headers.items()}
    for account, value in target.credentials.items():
        for place, text in places.items():
            if value[:SHORTEST].lower() in unquote(text).lower():
                raise SetupError(
                    f"{place} holds the credential of {account}, or its beginning: it is sent with every call"
                )


def _check_given(config: pytest.Config) -> None:
    """What is given must not be empty: a variable that is not set would else judge something that was not meant."""
    for option in ("--base-url", "--target", "--profile", "--report-dir", "--waivers", "--hypothesis-profile"):
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
        raise SetupError(f"--wait {text!r} is not a number of seconds")
    return seconds


def report_directory(name: str | None) -> Path:
    """Where outputs go: as asked for, or where they go unless told otherwise."""
    return Path(name).absolute() if name else default()
