"""Schemathesis alone, given nothing but the contract, finds nothing wrong with the emulator.

The suite uses schemathesis as a library; here it is a stranger who takes the contract at its word. It runs once with a
good credential and once with none, because which of its checks fit depends on that. A check that is turned off
contradicts a document, which is said where it is turned off; all the others are on.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any, Final

import pytest
import requests

from contracts import bundle
from fixtures.emulator.threaded import ThreadedServer
from suites.selfcheck.system import tools

pytestmark = pytest.mark.slow

# The same requests in every run, nothing kept between runs, and no credential in what is printed.
COMMON: Final = """
[generation]
deterministic = true
database = "none"

[output.sanitization]
keys-to-sanitize = ["hash", "authorization"]
"""

WITH_CREDENTIAL: Final = (
    COMMON
    + """
[headers]
Authorization = "NVX ${OWNER_HASH}"

[checks]
# It wants everything refused that the contract does not describe. But the credential in the header is good whatever
# else is sent: what a second, malformed hash beside it does is documented nowhere, nor is an iso_datetime other than
# true, and parameters that nobody documents are to be ignored (BACKEND).
negative_data_rejection.enabled = false
"""
)

WITHOUT_CREDENTIAL: Final = (
    COMMON
    + """
[checks]
# It wants everything accepted that the contract describes. But a hash of the right form need not be anybody's, and no
# contract can describe which are; and hash is not required only because the header may stand in for it (AUTH).
positive_data_acceptance.enabled = false
"""
)


def schemathesis(
    tmp_path: Path, config: str, contract: Path, base_url: str, owner: str, *options: str
) -> tuple[int, str]:
    """Exit code and output of ``st run`` with *options*."""
    program = shutil.which("st", path=str(Path(sys.executable).parent))
    if program is None:
        tools.missing("schemathesis's command st is not installed")
    (tmp_path / "schemathesis.toml").write_text(config, encoding="utf-8")
    result = tools.run(
        [program, "--config-file", "schemathesis.toml", "run", contract, "--url", base_url, *options],
        cwd=tmp_path,
        env={"OWNER_HASH": owner},
    )
    return result.returncode, result.stdout


def owner_of(server: ThreadedServer) -> str:
    """The hash of a fresh owner."""
    wanted = {"state": "owner", "action": "setup", "params": {}}
    found: str = requests.post(server.states_url, json=wanted, timeout=10).json()["hash"]
    return found


def key_of(server: ThreadedServer, owner: str) -> Any:
    """What ``read`` gives the owner now."""
    return requests.get(f"{server.base_url}/user/session/delivery/read", params={"hash": owner}, timeout=10).json()


@pytest.mark.parametrize("config", [WITH_CREDENTIAL, WITHOUT_CREDENTIAL], ids=["credential", "no-credential"])
def test_finds_nothing_wrong(config: str, tmp_path: Path) -> None:
    with ThreadedServer() as server:
        owner = owner_of(server)
        before = key_of(server, owner)
        code, output = schemathesis(tmp_path, config, bundle.TARGET, server.base_url, owner, "--continue-on-failure")
        after = key_of(server, owner)
    assert code == 0, output
    assert "4 selected / 4 total" in output
    generated = re.search(r"(\d+) generated, (\d+) passed", output)
    assert generated, output
    assert generated[1] == generated[2]
    assert int(generated[1]) > 200, "so few test cases prove little"
    assert (after != before) == (config == WITH_CREDENTIAL), "the credential opens the account, and nothing else does"


def _other_codes(document: dict[str, Any]) -> None:
    """The contract with other codes for status 400."""
    for name in ("CreateBadRequest", "ReadBadRequest"):
        document["components"]["schemas"][name] = {"properties": {"status": {"properties": {"code": {"enum": [99]}}}}}


def _other_keys(document: dict[str, Any]) -> None:
    """The contract with keys of another form."""
    success = document["components"]["schemas"]["DeliverySessionSuccess"]
    success["properties"]["value"] = {"type": "string", "pattern": "^[A-Z]+$"}


def _fewer_statuses(document: dict[str, Any]) -> None:
    """The contract without status 400."""
    for item in document["paths"].values():
        for method in ("get", "post"):
            del item[method]["responses"]["400"]


@pytest.mark.parametrize(
    ("change", "config"),
    [(_other_codes, WITHOUT_CREDENTIAL), (_other_keys, WITH_CREDENTIAL), (_fewer_statuses, WITHOUT_CREDENTIAL)],
    ids=["codes", "keys", "statuses"],
)
def test_finds_an_emulator_that_keeps_another_contract(change: Any, config: str, tmp_path: Path) -> None:
    document = json.loads(bundle.TARGET.read_text(encoding="utf-8"))
    change(document)
    contract = tmp_path / "openapi.json"
    contract.write_text(json.dumps(document))
    with ThreadedServer() as server:
        owner = owner_of(server)
        # One failure is enough.
        code, output = schemathesis(tmp_path, config, contract, server.base_url, owner, "--max-examples", "5")
    assert code == 1, output
    assert owner not in output
