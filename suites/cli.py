"""The command ``delivery-conformance``: pytest on the conformance suite, from any directory."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

from suites import interrupt

ROOT = Path(__file__).resolve().parents[1]
SUITE = ROOT / "suites" / "conformance"
#: The options of pytest, its plug-ins and this suite whose value may be the next argument, which is then no path of a test.
VALUED = frozenset(
    """
    -c -k -m -n -o -p -r -W --allure-epics --allure-features --allure-ids --allure-label --allure-link-pattern
    --allure-severities --allure-stories --alluredir --assert --base-url --basetemp --cache-show --capture
    --code-highlight --color --compare --confcutdir --config-file --debug --deselect --dist --doctest-glob
    --doctest-report --durations --durations-min --hypothesis-profile --hypothesis-seed --hypothesis-verbosity
    --ignore --ignore-glob --import-mode --inversion --junit-prefix --junit-xml --junitprefix --junitxml
    --last-failed-no-failures --lfnf --log-auto-indent --log-cli-date-format --log-cli-format --log-cli-level
    --log-date-format --log-disable --log-file --log-file-date-format --log-file-format --log-file-level
    --log-file-mode --log-format --log-level --max-warnings --max-worker-restart --maxfail --maxprocesses
    --maxschedchunk --numprocesses --override-ini --pastebin --pdbcls --profile --px --pythonwarnings --report-chars
    --report-dir --requirement --rootdir --rsyncdir --rsyncignore --show-capture --target --tb --testrunuid --tx
    --verbosity --wait --waivers
    """.split()  # noqa: SIM905 - a list of them would take eighty lines
)
#: What pytest itself ends with where a test run is broken, or its options are wrong.
_BROKEN = 3
_USAGE = 4


def main(argv: list[str] | None = None) -> int:
    """Run the suite with *argv*, options of this suite and of pytest; the exit code."""
    from suites import streams

    streams.prepare()
    try:
        return _run(list(sys.argv[1:] if argv is None else argv))
    finally:
        streams.finish()


def _run(arguments: list[str]) -> int:
    import pytest

    class Begun:
        """Knows whether pytest has read its options, and every plug-in and file that they and the environment name."""

        so = False

        @pytest.hookimpl(wrapper=True)
        def pytest_cmdline_main(self) -> Generator[None, Any, Any]:
            self.so = True
            return (yield)

    begun = Begun()
    fixed = ["-c", str(ROOT / "pytest.ini"), "--rootdir", str(ROOT)]
    if not any("cache_dir" in argument or "no:cacheprovider" in argument for argument in arguments):
        fixed += ["-o", f"cache_dir={_cache()}"]
    try:
        return int(pytest.main([*fixed, *_paths(arguments)], plugins=[begun]))
    except KeyboardInterrupt:
        # It came before the run had begun, or after its end.
        return interrupt.say()
    except Exception as error:
        if begun.so:
            import traceback

            traceback.print_exc()
            return _BROKEN
        # pytest says this with a traceback, and ends as if a test had failed.
        said = " ".join(str(error).split()) or type(error).__name__
        where = "an option of pytest's, or PYTEST_ADDOPTS or PYTEST_PLUGINS of the environment, cannot be used"
        print(f"delivery-conformance: {where}: {said}", file=sys.stderr)
        return _USAGE


def command() -> int:
    """:func:`main` as a process of its own, which a signal may end at any time."""
    interrupt.leave_at_once()
    return interrupt.leave(main())


def _cache() -> Path:
    """Where pytest remembers what failed, for ``--lf``: never in the installed package, and anywhere when nothing else is writable."""
    here = ROOT if (ROOT / "pyproject.toml").is_file() else Path.cwd()
    if os.access(here, os.W_OK):
        return here / ".pytest_cache"
    import tempfile

    return Path(tempfile.gettempdir()) / f"delivery-conformance-{os.getuid()}" / "pytest"


def _paths(arguments: list[str]) -> list[str]:
    """*arguments* with test paths below the suite made absolute, and the whole suite where none is named."""
    named = False
    result: list[str] = []
    for before, argument in zip(["", *arguments], arguments, strict=False):
        path = argument.partition("::")[0]
        is_value = argument.startswith("-") or before in VALUED
        if not is_value and path.startswith("suites/conformance") and (ROOT / path).exists():
            argument = str(ROOT / argument)
            named = True
        result.append(argument)
    return result if named else [*result, str(SUITE)]


if __name__ == "__main__":
    sys.exit(command())
