"""What Allure's folder holds besides results: the environment, the categories, which run it was."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from reports.words import count, spoken

CATEGORIES: Final[tuple[Mapping[str, object], ...]] = (
    {"name": "Nonconformant: a MUST is broken", "matchedStatuses": ["failed"]},
    {"name": "Warning: a SHOULD is broken", "matchedStatuses": ["skipped"], "messageRegex": "^warning: .*"},
    {"name": "Waived: a known deviation", "matchedStatuses": ["skipped"], "messageRegex": "^waived: .*"},
    {"name": "Blocked by another violation", "matchedStatuses": ["skipped"], "messageRegex": "^blocked: .*"},
    {"name": "Not verified", "matchedStatuses": ["skipped"], "messageRegex": "^not verified: .*"},
    {"name": "Broken set-up", "matchedStatuses": ["broken"]},
    {"name": "Not run to its end", "matchedStatuses": ["skipped", "unknown"]},
)
"""What did not simply pass, told apart by the word that its message begins with. The first that fits counts."""


def write(folder: Path, document: Mapping[str, Any], build: int) -> None:
    """Describe the run of *document* to Allure; *build* is its number in the history."""
    folder.mkdir(parents=True, exist_ok=True)
    _json(folder / "categories.json", CATEGORIES)
    _json(folder / "executor.json", _executor(document, build))
    (folder / "environment.properties").write_text(_properties(environment(document)), encoding="utf-8")


def environment(document: Mapping[str, Any]) -> dict[str, str]:
    """The run in pairs of words, the most important first."""
    results = Counter(each["result"] for each in document["requirements"])
    run = document["run"]
    facts = {
        "Verdict": f"{spoken(document['verdict'])}: {document['exit_reason']}",
        "Requirements": ", ".join(f"{number} {spoken(name)}" for name, number in results.items()),
        "Target": document["target"]["base_url"] + (" (embedded emulator)" if document["target"]["embedded"] else ""),
        "Profile": document["target"]["profile"],
        "Suite": f"{document['suite']['name']} {document['suite']['version']}",
        "Contract": f"{document['contract']['version']} (sha256 {document['contract']['sha256'][:12]})",
        "Key rotation": "allowed" if run["rotation"] else "not allowed",
        "Sent": f"{count(document['requests'], 'request')}, {count(document['keys_created'], 'key')} created",
        "Examples": f"Hypothesis profile {run['hypothesis_profile']}",
    }
    if run["selection"]:
        facts["Narrowed to"] = ", ".join(run["selection"])
    facts |= {f"Account {name}": state for name, state in document.get("accounts", {}).items()}
    return facts


def _executor(document: Mapping[str, Any], build: int) -> dict[str, object]:
    return {
        "name": f"{document['suite']['name']} {document['suite']['version']}",
        "type": document["suite"]["name"],
        "buildOrder": build,
        "buildName": f"run {build}, {document['started']}",
        "reportName": "Delivery session conformance",
    }


def _properties(facts: Mapping[str, str]) -> str:
    lines = []
    for name, value in facts.items():
        key = name.replace("\\", "\\\\").replace(" ", "\\ ").replace(":", "\\:").replace("=", "\\=")
        lines.append(f"{key}={' '.join(value.split())}".replace("\\n", "\\\\n"))
    return "\n".join(lines) + "\n"


def _json(path: Path, data: object) -> None:
    path.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
