"""The environment of a run: what of it counts, and what is switched off before a plugin reads it.

A variable that is set for another tool must not decide which target is judged, what it is asked or which tests are left
out. Every name that a loaded plugin or library reads is in one of the tables here; ``suites/selfcheck`` searches their
sources for others. This module is the first plugin that ``pytest.ini`` names, and imports none of them.
It asserts nothing, and the command has imported it before pytest: PYTEST_DONT_REWRITE.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Generator, Iterable, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pytest


@dataclass(frozen=True)
class Switched:
    """A variable that is switched off, by what it would do.

    ``said`` says that it would change what is judged, asked or left out: then the user is warned, with what to use
    *instead*. ``https`` says that it would do so on https connections only.
    """

    effect: str
    instead: str = ""
    said: bool = True
    https: bool = False


#: Removed before any plugin looks.
SWITCHED_OFF: Final[Mapping[str, Switched]] = {
    # pytest-base-url.
    "PYTEST_BASE_URL": Switched("names another target", "--base-url or the target file"),
    "VERIFY_BASE_URL": Switched("asks the target past the suite", "--wait"),
    # allure-pytest.
    "ALLURE_TESTPLAN_PATH": Switched("leaves tests out", "--requirement or -k"),
    "ALLURE_INDENT_OUTPUT": Switched("the layout of files", said=False),
    # Schemathesis and Hypothesis.
    "SCHEMATHESIS_HOOKS": Switched("changes what is generated"),
    "HYPOTHESIS_NO_PLUGINS": Switched("leaves plugins of Hypothesis out"),
    "HYPOTHESIS_EXPERIMENTAL_OBSERVABILITY": Switched("writes examples to files that are not redacted"),
    "HYPOTHESIS_EXPERIMENTAL_OBSERVABILITY_CHOICES": Switched("what those files hold", said=False),
    "HYPOTHESIS_EXPERIMENTAL_OBSERVABILITY_NOCOVER": Switched("what those files hold", said=False),
    "HYPOTHESIS_INTERNAL_COVERAGE": Switched("Hypothesis's own tests", said=False),
    "HYPOTHESIS_EXTEND_INITIALIZATION": Switched("Hypothesis's own tests", said=False),
    "HYPOTHESIS_NO_TRACEBACK_TRIM": Switched("the length of tracebacks", said=False),
    # pytest and pytest-xdist. NO_COLOR, FORCE_COLOR and COLUMNS are what counts of the looks.
    "_ARGCOMPLETE": Switched("completes a command line and runs nothing", said=False),
    "PYTEST_DEBUG": Switched("prints what pytest does", said=False),
    "PYTEST_THEME": Switched("colours; an unknown value ends the run", said=False),
    "PYTEST_THEME_MODE": Switched("colours; an unknown value ends the run", said=False),
    "PY_COLORS": Switched("colours", said=False),
    "PYTEST_XDIST_AUTO_NUM_WORKERS": Switched("the number of processes for -n auto", said=False),
    "EXECNET_DEBUG": Switched("writes a file", said=False),
    # The C library, OpenSSL, Python and requests: whom the suite calls and trusts, and what is written about it.
    "HOSTALIASES": Switched("gives names of hosts to others"),
    "SSL_CERT_DIR": Switched("trusts other certificates", "http.ca_bundle or SSL_CERT_FILE", https=True),
    "CURL_CA_BUNDLE": Switched("trusts other certificates", "http.ca_bundle or REQUESTS_CA_BUNDLE", https=True),
    "SSLKEYLOGFILE": Switched("writes the keys of connections to a file", https=True),
    # uvicorn, which serves the embedded emulator.
    "WEB_CONCURRENCY": Switched("processes of the emulator; an unknown value ends it", said=False),
    "FORWARDED_ALLOW_IPS": Switched("whose X-Forwarded-For counts", said=False),
}

#: What counts, besides ``DELIVERY_*`` and ``PYTHON*``.
DOCUMENTED: Final = frozenset(
    {
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
        "REQUESTS_CA_BUNDLE",
        "SSL_CERT_FILE",
        "NO_COLOR",
        "FORCE_COLOR",
        "COLUMNS",
        "CI",
        "HOME",
        "TMPDIR",
        "HYPOTHESIS_STORAGE_DIRECTORY",
        "PYTEST_ADDOPTS",
        "PYTEST_PLUGINS",
    }
)

#: Read by a plugin or library, and of no effect on what is judged, asked, left out or shown; with the reason.
WITHOUT_EFFECT: Final[Mapping[str, str]] = {
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "pytest.ini says the same",
    "PYTEST_VERSION": "set by pytest itself",
    "PYTEST_CURRENT_TEST": "set by pytest itself",
    "PYTEST_XDIST_WORKER": "set by pytest-xdist itself, for its workers",
    "PYTEST_XDIST_WORKER_COUNT": "set by pytest-xdist itself, for its workers",
    "PYTEST_XDIST_TESTRUNUID": "set by pytest-xdist itself, for its workers",
    "PYTEST_DEBUG_TEMPROOT": "where temporary files of tests are; no check has any",
    "PY_IGNORE_IMPORTMISMATCH": "tests of the same name; there are none",
    "TOX_ENV_DIR": "where the cache of pytest is; the command says where",
    "BUILD_NUMBER": "as CI: pytest shortens no message",
    "TRAVIS": "the number of processes for -n auto, which is refused",
    "HYPOTHESIS_DATABASE_FILE": "refused by Hypothesis itself; the suite has no example database",
    "GITHUB_TOKEN": "for an example database on GitHub; the suite has none",
    "NETRC": "read for requests without authentication of their own; every request of the session has one",
    "TERM": "whether the terminal knows colours",
    "SHELL": "how Schemathesis quotes its curl, which is not shown",
    "PATH": "where commands are",
    "USER": "the name of a temporary directory",
    "USERNAME": "the name of a temporary directory",
    "XDG_CONFIG_HOME": "click's, whose commands are not run",
    # Hypothesis takes each for a CI system and loads its own profile; the suite's profiles set every setting of it.
    "__TOX_ENVIRONMENT_VARIABLE_ORIGINAL_CI": "as CI",
    "TF_BUILD": "as CI",
    "bamboo.buildKey": "as CI",
    "BUILDKITE": "as CI",
    "CIRCLECI": "as CI",
    "CIRRUS_CI": "as CI",
    "CODEBUILD_BUILD_ID": "as CI",
    "GITHUB_ACTIONS": "as CI",
    "GITLAB_CI": "as CI",
    "HEROKU_TEST_RUN_ID": "as CI",
    "TEAMCITY_VERSION": "as CI",
    # Not on the systems that the suite runs on.
    "HOMEDRIVE": "Windows",
    "HOMEPATH": "Windows",
    "PATHEXT": "Windows",
    "Path": "Windows",
    "SYSTEMROOT": "Windows",
}


class Given:
    """The environment as the user gave it: of what is switched off in *environ*, it keeps the value. A plugin of the run that it is of."""

    #: Its name as a plugin.
    NAME: Final = "delivery-conformance-environment"

    def __init__(self, environ: MutableMapping[str, str] | None = None) -> None:
        self._environ = os.environ if environ is None else environ
        self.removed: dict[str, str] = {}

    def switch_off(self) -> None:
        """Remove what must not count."""
        self.removed |= {name: self._environ.pop(name) for name in SWITCHED_OFF if name in self._environ}

    def put_back(self) -> None:
        """Put back what was removed."""
        self._environ.update(self.removed)

    def original(self) -> dict[str, str]:
        """All of it: for the variables that a target file names, and for credential commands."""
        return {**self._environ, **self.removed}


@contextmanager
def owned() -> Generator[Given, None, None]:
    """Switch off for the length of a run, and put everything back for a caller of the same process."""
    given = Given()
    given.switch_off()
    try:
        yield given
    finally:
        given.put_back()


def given_to(manager: pytest.PytestPluginManager) -> Given:
    """The environment of the run of this plugin manager."""
    given = manager.get_plugin(Given.NAME)
    if not isinstance(given, Given):
        given = Given()
        manager.register(given, Given.NAME)
    return given


def ignored(base_url: str | None, removed: Iterable[str]) -> str | None:
    """A line that names what was switched off and would have changed the run on *base_url*; None where nothing was."""
    https = base_url is not None and base_url.startswith("https:")
    said = [
        f"{name} ({switched.effect}{'; use ' + switched.instead if switched.instead else ''})"
        for name, switched in SWITCHED_OFF.items()
        if name in removed and switched.said and (https or not switched.https)
    ]
    return f"ignored, from the environment: {', '.join(said)}" if said else None


def added_option(config: pytest.Config, ours: Iterable[str]) -> str | None:
    """The first option of *ours* that ``PYTEST_ADDOPTS`` gives, or None: the variable is for pytest's own options."""
    text = os.environ.get("PYTEST_ADDOPTS", "")
    if not text:
        return None
    # By pytest's own parser: the variable may name a file of options, too.
    parser = config._parser
    given = parser.parse_known_args(shlex.split(text))
    without = parser.parse_known_args([])
    for option in ours:
        name = option.removeprefix("--").replace("-", "_")
        if getattr(given, name, None) != getattr(without, name, None):
            return option
    names = [each.partition("=")[0].strip() for each in given.override_ini or ()]
    return "-o base_url" if "base_url" in names else None


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Switch off before the plugins after this one, whose defaults come from the environment, add their options."""
    given_to(pluginmanager).switch_off()


def say_ignored(config: pytest.Config, base_url: str | None) -> None:
    """Print what was switched off, for a run that goes on to judge *base_url* (None: the embedded emulator)."""
    line = ignored(base_url, given_to(config.pluginmanager).removed)
    if line is not None:
        print(f"delivery-conformance: {line}", file=sys.stderr)
