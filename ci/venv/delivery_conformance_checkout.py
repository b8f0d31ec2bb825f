"""Lets plain pytest find the suite from within the checkout, whatever files its options name.

pytest looks for a pytest.ini beside the paths among its arguments, and takes the value of an option that it does not know
yet for a path. With ``pytest --target /elsewhere/target.toml`` it would never see the pytest.ini that declares --target.

The Makefile puts this folder on the path of .venv. pytest then loads this module in every run that has not found the
pytest.ini of the checkout, which forbids it. Where the arguments are the suite's, it starts pytest again and names that file.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[2]


def pytest_addoption(parser: Any) -> None:  # noqa: ARG001 -- the hook's signature
    """Begin anew where the run is meant to be one of the suite."""
    arguments = sys.argv[1:]
    if _is_pytest(Path(sys.argv[0])) and Path.cwd().is_relative_to(_ROOT) and _is_ours(arguments):
        python = sys.orig_argv[1 : len(sys.orig_argv) - len(arguments)]
        os.execv(sys.executable, [sys.executable, *python, "-c", str(_ROOT / "pytest.ini"), *arguments])


def _is_pytest(program: Path) -> bool:
    return program.name in ("pytest", "py.test") or program.parts[-2:] == ("pytest", "__main__.py")


def _is_ours(arguments: Sequence[str]) -> bool:
    """Whether the suite's options are among the arguments, and no other configuration is."""
    names = {each.partition("=")[0] for each in arguments}
    if {"-c", "--config-file"} & names:
        return False
    sys.path.insert(0, str(_ROOT))
    from suites.runner.options import option_names

    return bool(names & {"--base-url", *option_names()})
