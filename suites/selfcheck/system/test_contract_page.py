"""docs/contract.md says what is so: its quick commands are run here, the others in ``test_generators.py``; both by `make tools`."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Final

import pytest

from suites.selfcheck.system import tools
from suites.selfcheck.system.contract_page import BLOCKS, PAGE, Reader, commands

#: What a quick command has to leave behind or print, by its program.
_COMES_TO: Final = {
    "openapi-typescript": "api.ts",
    "openapi-python-client": "delivery/models/delivery_session_error.py",
}


@pytest.mark.node
@pytest.mark.slow
@pytest.mark.tools
def test_the_quick_commands_do_what_the_page_says(tmp_path: Path) -> None:
    programs = (tools.node_bin(), Path(sys.executable).parent, tools.client_bin())
    reader = Reader(tmp_path, programs)
    reader.sit_down()
    for name in ("pact.json", "validate.py"):
        reader.write(name)
    said = {block.split()[0]: reader.run(block) for block in commands("quick")}
    assert said.keys() == {*_COMES_TO, "opc", "python", "delivery-conformance"}
    for name in _COMES_TO.values():
        assert (tmp_path / name).is_file()
    assert json.loads(said["opc"]) == []
    assert said["python"].split() == ["True", "False"]
    assert said["delivery-conformance"].endswith("contradicted: no requirement\n")


def test_every_block_of_commands_is_run_by_somebody() -> None:
    shell = re.findall(r"(?:^<!-- run: (\w+) -->\n)?^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert {speed for speed, _ in shell} == {"quick", "tools", ""}
    for speed, text in shell:
        # What installs is pinned below; a mock runs until it is ended, and has its own tests.
        assert speed or re.match(r"(npm|pip) install |python3 -m venv ", text), text
    assert len([1 for kind, *_ in BLOCKS if kind == "run"]) == len([1 for speed, _ in shell if speed])


def test_names_the_versions_that_are_pinned() -> None:
    node = json.loads((tools.LINT / "package.json").read_text(encoding="utf-8"))["devDependencies"]
    python = "".join(
        (tools.LINT / f"requirements-{name}.txt").read_text(encoding="utf-8") for name in ("client", "tools")
    )
    named = re.findall(r"(?m)^npm install (\S+)@(\S+)$", PAGE)
    assert len(named) == 3
    assert all(node[name] == version for name, version in named)
    pinned = re.findall(r"(?<= )([a-z-]+)==([\d.]+)", PAGE)
    assert len(pinned) == 6
    assert all(f"\n{name}=={version} " in python for name, version in pinned)


def test_links_lead_somewhere() -> None:
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", PAGE):
        assert (tools.ROOT / "docs" / link).exists(), link
