"""What the command says of itself: ``--help`` and ``--version``. pytest, which has options of its own, is not asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

#: Asks for pytest's help.
ALL: Final = "--help-all"
#: At most 80 lines of 80 columns. pytest's own help, with these options among its hundreds, is :data:`ALL`.
HELP: Final = """\
usage: delivery-conformance [OPTION]... [TEST]...

Checks whether an API keeps the contract of its two delivery-session calls,
session/delivery/create and session/delivery/read. Without --base-url and
--target it checks the emulator that it brings along.

The target
  --base-url URL           the target; on Navixy's platforms it ends in /v2
  --target FILE            target file (TOML): base URL, accounts, provider
                           states, HTTP settings
  --profile core|platform  which requirements count (default: platform)
  --serve COMMAND          start the target with this command, check it, and end
                           it with all its child processes; no shell is used
  --wait SECONDS           wait for a target that is still starting (default: 0,
                           and 30 with --serve)
  --allow-key-rotation     let create succeed on a target that is not on
                           loopback: it replaces the keys of the accounts

What is checked
  --requirement ID|TAG     only this requirement; may be repeated
  --hypothesis-profile smoke|standard|thorough
                           how many generated examples (default: standard)
  -k EXPRESSION, --lf, -x  only tests by name, only the last failures, stop at
                           the first failure; other options of pytest work too

The result
  --report-dir DIR         where the reports go; the directory is emptied first
  --waivers FILE           known deviations (TOML), with a reason and a last day
  --fail-on-gaps           failed SHOULDs, MUSTs that are not verified and stale
                           waivers fail the run too
  --record FILE            write the history of the run, secrets replaced
  -v                       show everything that was not verified, and why

Without a run
  --plan                   print what would be sent at most; send nothing
  --list-requirements      print all requirements
  --explain ID|TAG         print a requirement: its sentence, its sources, and
                           the tests that verify it
  --replay FILE            judge a recorded history anew; send nothing
  --compare OLD NEW        print what changed between two conformance.json
  --drift FILE             compare the contract with a published document
  --help, -h               this text
  --help-all               the options of pytest, too
  --version, -V            the versions of the suite and of the contract

Exit codes
  0  conformant, or nothing failed      1  nonconformant
  2  interrupted                        3  the suite itself broke
  4  an option, file or account is wrong, in one line on standard error
  5  nothing was verified               6  the target cannot be reached

Examples
  delivery-conformance
  delivery-conformance --base-url http://127.0.0.1:8080/v2 --target target.toml
  delivery-conformance --target target.toml --serve "python emulator.py"
  delivery-conformance --explain T5
"""


def answer(arguments: Sequence[str]) -> bool:
    """Print what *arguments* ask of the command itself; whether they did."""
    if {"--help", "-h"} & set(arguments):
        print(HELP, end="")
        return True
    if {"--version", "-V"} & set(arguments):
        print(version())
        return True
    return False


def version() -> str:
    """The versions of the suite and of the contract that it checks, as ``conformance.json`` has them."""
    from contracts.version import VERSION
    from reports.formats.document import contract_digest

    return f"delivery-conformance {VERSION}\ncontract {VERSION} (sha256 {contract_digest()[:12]})"
