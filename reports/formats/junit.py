"""``junit.xml`` as merge requests show it: a suite for each requirement, whose id its name and its classes' begin with.

pytest writes one suite for each run, with the name of the machine and the places where tests were skipped; none of that is for a
report that is handed on.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

from contracts.requirements import catalogue
from reports.words import explained

_ROOT: Final = Path(__file__).resolve().parents[2]
#: The suite of what verifies no requirement by name.
_OTHERS: Final = "main path"
_COUNTED: Final = {"failure": "failures", "error": "errors", "skipped": "skipped"}


def rearrange(path: Path, requirements: Mapping[str, str], causes: Mapping[str, Sequence[str]]) -> None:
    """Rearrange what pytest wrote to *path*. *requirements* names for each node id the first requirement of the test.

    *causes* are, for tests that are blocked or that another requirement explains, what explains them.

    Raises ``OSError``. A file that is not there, or that pytest did not finish, is left alone.
    """
    try:
        # Written by this very process.
        tree = ET.parse(path)  # noqa: S314
    except (FileNotFoundError, ET.ParseError):
        return
    names = {_address(node): name for node, name in requirements.items()}
    explanations = {_address(node): found for node, found in causes.items()}
    old = next(tree.iter("testsuite"), None)
    if old is None:
        return
    suites: dict[str, ET.Element] = {}
    for case in old.findall("testcase"):
        address = (case.get("classname", ""), case.get("name", ""))
        name = names.get(address, _OTHERS)
        suite = suites.get(name)
        if suite is None:
            title = f"{name}: {catalogue()[name].title}" if name in catalogue() else name
            suite = suites[name] = ET.Element("testsuite", {"name": title, "timestamp": old.get("timestamp", "")})
        module = case.get("classname", "").rpartition(".")[2]
        case.set("classname", f"{name}.{module}" if module else name)
        for part in case:
            _without_places(part)
            if address in explanations and part.tag in ("skipped", "failure"):
                part.set("message", explained(part.get("message", ""), explanations[address]))
        suite.append(case)
    root = ET.Element("testsuites", {"name": "delivery-conformance"})
    order = [*catalogue(), _OTHERS]
    root.extend(suites[name] for name in sorted(suites, key=order.index))
    for element in (*root, root):
        _count(element)
    whole = path.with_suffix(".part")
    ET.ElementTree(root).write(whole, encoding="utf-8", xml_declaration=True)
    whole.replace(path)


def _address(node: str) -> tuple[str, str]:
    """The class name and the name that pytest gives the test with this node id."""
    place, bracket, row = node.partition("[")
    *path, name = place.replace("/", ".").replace(".py::", "::").split("::")
    return ".".join(path), f"{name}{bracket}{row}"


def _without_places(part: ET.Element) -> None:
    """Leave of *part* what is said of the target: no folder of this machine, and of what was skipped only why."""
    if part.tag == "skipped":
        part.text = None
    elif part.text:
        part.text = part.text.replace(f"{_ROOT}/", "").replace(f"{sys.prefix}/", "")


def _count(element: ET.Element) -> None:
    cases = list(element.iter("testcase"))
    element.set("tests", str(len(cases)))
    for tag, name in _COUNTED.items():
        element.set(name, str(sum(case.find(tag) is not None for case in cases)))
    element.set("time", f"{sum(float(case.get('time', 0)) for case in cases):.3f}")
