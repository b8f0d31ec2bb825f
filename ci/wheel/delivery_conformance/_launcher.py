"""The console scripts.

In the checkout `contracts`, `fixtures`, `reports` and `suites` are packages at the top. Names as common as these must
not land at the top of somebody's site-packages, so the wheel has them below `delivery_conformance/`; the scripts make
that directory the first place to import from, in their own process only, before anything of ours is imported.
"""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

_HERE = Path(__file__).resolve().parent


def _module(name: str) -> Any:
    sys.path.insert(0, str(_HERE))
    return import_module(name)


def conformance() -> int:
    """Run `delivery-conformance`."""
    return int(_module("suites.cli").command())


def emulator() -> int:
    """Run `delivery-emulator`."""
    return int(_module("fixtures.emulator.cli").main(sys.argv[1:]))


def report() -> int:
    """Run `delivery-report`."""
    return int(_module("reports.allure.page").main())
