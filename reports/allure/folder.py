"""What Allure's folder holds besides results: the environment, the categories, which run it was."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from contracts.requirements import catalogue
from reports.words import RESULTS, count, explained, spoken

_WORDS: Final = "(?:warning|waived|not verified): |blocked(?:: | by )"
_SCHEMES: Final = (("failed", "", "{}"), ("skipped", "warning: ", "Warning: {}"), ("skipped", "waived: ", "Waived: {}"))

CATEGORIES: Final[tuple[Mapping[str, object], ...]] = (
    *(
        {
            "name": name.format(f"{each.id}: {each.title}"),
            "matchedStatuses": [status],
            "messageRegex": rf"^{prefix}{each.id} [\s\S]*",
        }
        for status, prefix, name in _SCHEMES
        for each in catalogue().values()
    ),
    {"name": "Blocked by another failure", "matchedStatuses": ["skipped"], "messageRegex": r"^blocked(: | by )[\s\S]*"},
    {"name": "Not verified", "matchedStatuses": ["skipped"], "messageRegex": r"^not verified: [\s\S]*"},
    {"name": "Broken set-up", "matchedStatuses": ["broken"]},
    {
        "name": "Not run to its end",
        "matchedStatuses": ["skipped", "unknown"],
        "messageRegex": rf"^(?!{_WORDS})[\s\S]*",
    },
)
"""What did not simply pass: a category for each requirement, by the word and the id that a message begins with.

The expressions are read by JavaScript and by Python.
"""


def title(document: Mapping[str, Any]) -> str:
    """The name of the report: the verdict, the target and its profile."""
    target = document["target"]
    where = "the embedded emulator" if target["embedded"] else target["base_url"]
    return f"{spoken(document['verdict'])}: {where}, profile {target['profile']}"


def write(folder: Path, document: Mapping[str, Any], build: int) -> None:
    """Describe the run of *document* to Allure; *build* is its number in the history."""
    folder.mkdir(parents=True, exist_ok=True)
    _json(folder / "categories.json", CATEGORIES)
    _json(folder / "executor.json", _executor(document, build))
    (folder / "environment.properties").write_text(_properties(environment(document)), encoding="utf-8")


def name_causes(folder: Path, causes: Mapping[str, Sequence[str]]) -> None:
    """Add to the results in *folder* what explains them: *causes* are the requirements, by the node id of the test."""
    for path in folder.glob("*-result.json") if causes else ():
        result = json.loads(path.read_text(encoding="utf-8"))
        details = result.get("statusDetails")
        if details and result.get("fullName") in causes:
            details["message"] = explained(details["message"], causes[result["fullName"]])
            part = path.with_suffix(".part")
            _json(part, result)
            part.replace(path)


def environment(document: Mapping[str, Any]) -> dict[str, str]:
    """The run in pairs of words, the most important first."""
    results = Counter(each["result"] for each in document["requirements"])
    run = document["run"]
    facts = {
        "Verdict": f"{spoken(document['verdict'])}: {document['exit_reason']}",
        "Requirements": ", ".join(f"{results[name]} {spoken(name)}" for name in RESULTS if results[name]),
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
        "reportName": title(document),
    }


def _properties(facts: Mapping[str, str]) -> str:
    lines = []
    for name, value in facts.items():
        key = name.replace("\\", "\\\\").replace(" ", "\\ ").replace(":", "\\:").replace("=", "\\=")
        lines.append(f"{key}={' '.join(value.split())}".replace("\\n", "\\\\n"))
    return "\n".join(lines) + "\n"


def _json(path: Path, data: object) -> None:
    path.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
