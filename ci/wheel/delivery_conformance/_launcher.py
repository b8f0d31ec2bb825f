"""The console scripts.

In the checkout `contracts`, `fixtures`, `reports` and `suites` are packages at the top. Names as common as these must
not land at the top of somebody's site-packages, so the wheel has them below `delivery_conformance/`; the scripts make
that directory the first place to import from, in their own process only, before anything of ours is imported.
"""

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

_HERE = Path(__file__).resolve().parent


def _run(module: str) -> int:
    sys.path.insert(0, str(_HERE))
    main: Callable[[list[str]], int] = import_module(module).main
    return main(sys.argv[1:])


def conformance() -> int:
    """Run `delivery-conformance`."""
    return _run("suites.cli")


def emulator() -> int:
    """Run `delivery-emulator`."""
    return _run("fixtures.emulator.cli")
