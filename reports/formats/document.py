"""``conformance.json``: the report for machines, written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from contracts.version import VERSION
from fixtures.secrets import Vault
from reports.advice import how_to_verify
from reports.redaction.streams import masked
from reports.results import Conclusion, Results

_CONTRACT = Path(__file__).resolve().parents[2] / "contracts"
_CONTRACT_FILES = ("openapi.bundled.json", "error_codes.toml", "requirements.toml")
#: Members whose texts are the suite's own words.
_OURS = frozenset(
    {"id", "level", "profile", "title", "obligation", "sources", "result", "verdict", "started", "sha256", "version"}
)
#: Violations listed for one requirement; what is beyond says nothing new.
_MOST = 20


def contract_digest() -> str:
    """SHA-256 of the bundled contract and the catalogues: what the target was judged by."""
    digest = hashlib.sha256()
    for name in _CONTRACT_FILES:
        digest.update((_CONTRACT / name).read_bytes())
    return digest.hexdigest()


def build(results: Results, conclusion: Conclusion, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The report as data. *facts* are its members that the run knows: target, run, started and so on."""
    states = results.waiver_states()
    return {
        "suite": {"name": "delivery-conformance", "version": VERSION},
        "contract": {"version": VERSION, "sha256": contract_digest()},
        **facts,
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
                "result": each.result,
                "reason": each.reason or None,
                "how_to_verify": how_to_verify(
                    each.result, each.reason, facts["run"]["selection"], untested=bool(each.requirement.untested)
                ),
                "tests": each.tests,
                "violations": [violation.as_json() for violation in each.violations[:_MOST]],
            }
            for each in results.requirements()
        ],
        "complete": conclusion.verdict != "interrupted",
    }


def write(document: Mapping[str, Any], path: Path, vault: Vault) -> None:
    """Write *document* to *path* in one rename, masked like everything else."""
    text = json.dumps(masked(document, vault, _OURS), indent=2, ensure_ascii=False)
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="utf-8", errors="backslashreplace") as stream:
        stream.write(text + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(path)
