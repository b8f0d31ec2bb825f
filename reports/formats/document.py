"""``conformance.json``: the report for machines, written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from contracts.requirements import Source
from contracts.version import VERSION
from fixtures.secrets import Vault
from reports.advice import how_to_verify
from reports.formats import repeat
from reports.formats.repeat import NO_ACCOUNTS, Accounts
from reports.grouping import grouped
from reports.redaction.files import masked
from reports.results import Conclusion, Results, ViolationRecord

_CONTRACT = Path(__file__).resolve().parents[2] / "contracts"
_CONTRACT_FILES = ("openapi.bundled.json", "error_codes.toml", "requirements.toml")
#: Members whose texts are the suite's own words.
_OURS = frozenset(
    {
        *("id", "level", "profile", "title", "obligation", "sources", "references", "result", "blocked_by"),
        *("operations", "possible", "verdict", "started", "sha256", "version"),
    }
)
#: The option whose value is a command.
_COMMAND = "--serve"
#: Violations listed for one requirement, alike ones as one; what is beyond says nothing new.
_MOST = 20


def contract_digest() -> str:
    """SHA-256 of the bundled contract and the catalogues: what the target was judged by."""
    digest = hashlib.sha256()
    for name in _CONTRACT_FILES:
        digest.update((_CONTRACT / name).read_bytes())
    return digest.hexdigest()


def build(
    results: Results, conclusion: Conclusion, facts: Mapping[str, Any], accounts: Accounts = NO_ACCOUNTS
) -> dict[str, Any]:
    """The report as data. *facts* are its members that the run knows: target, run, started and so on.

    *accounts* says where a script that repeats something gets the accounts of the run.
    """
    states = results.waiver_states()
    return {
        "suite": {"name": "delivery-conformance", "version": VERSION},
        "contract": {"version": VERSION, "sha256": contract_digest()},
        **facts,
        "run": {**facts["run"], "options": without_folders(facts["run"]["options"])},
        "verdict": conclusion.verdict,
        "exit_code": conclusion.exit_code,
        "exit_reason": conclusion.reason,
        "tests": results.tests(),
        "waivers": [
            {
                "requirement": waiver.requirement,
                "state": states[waiver.requirement],
                "expires": waiver.expires.isoformat(),
                "reason": waiver.reason,
                "issue": waiver.issue,
                "expect": waiver.expect,
            }
            for waiver in results.waivers.values()
        ],
        "requirements": [
            {
                "id": each.requirement.id,
                "level": each.requirement.level,
                "profile": each.requirement.profile,
                "title": each.requirement.title,
                "obligation": each.requirement.obligation,
                "sources": [str(source) for source in each.requirement.sources],
                "references": [_reference(source) for source in each.requirement.sources],
                "result": each.result,
                "reason": each.reason or None,
                "how_to_verify": how_to_verify(
                    each.result, each.reason, facts["run"]["selection"], untested=bool(each.requirement.untested)
                ),
                "tests": each.tests,
                "blocked_by": list(each.blocked_by),
                "operations": dict(each.operations) or None,
                "violations": [_violation(violation, accounts) for violation in grouped(each.violations)[:_MOST]],
            }
            for each in results.requirements()
        ],
        "complete": conclusion.verdict != "interrupted",
    }


def without_folders(arguments: Sequence[str]) -> list[str]:
    """The *arguments* of the command, of each path on this machine only its name, and of --serve only the program.

    The arguments of that program may be secret.
    """
    shown = []
    for before, argument in zip(("", *arguments), arguments, strict=False):
        option, equals, value = argument.partition("=") if "=" in argument else ("", "", argument)
        if _COMMAND in (before, option):
            prefix = f"{option}{equals}" if option == _COMMAND else ""
            shown.append(prefix + _program(argument.removeprefix(prefix)))
        elif Path(value).is_absolute():
            shown.append(f"{option}{equals}{Path(value).name}")
        else:
            shown.append(argument)
    return shown


def _program(command: str) -> str:
    words = shlex.split(command)
    return " ".join((*(Path(each).name for each in words[:1]), *("…" for _ in words[1:2])))


def _reference(source: Source) -> dict[str, str | None]:
    return {
        "document": source.document,
        "section": source.section,
        "title": source.title,
        "url": source.url or None,
        "reason": source.reason or None,
    }


def _violation(record: ViolationRecord, accounts: Accounts) -> dict[str, Any]:
    return {**record.as_json(), "repeat": repeat.complete(record, accounts)}


def masked_report(document: Mapping[str, Any], vault: Vault) -> dict[str, Any]:
    """*document* with every secret in it named: what every form of the report is made of."""
    found: dict[str, Any] = masked(document, vault, _OURS)
    return found


def write(document: Mapping[str, Any], path: Path) -> None:
    """Write *document*, masked already, to *path* in one rename."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="utf-8", errors="backslashreplace") as stream:
        stream.write(text + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(path)
