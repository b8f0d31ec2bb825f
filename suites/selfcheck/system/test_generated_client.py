"""A client that openapi-python-client makes from the contract works, by GET and POST, with the hash in each place.

What is under test is the contract: that it says enough for a program to call the API, and says it in a form that
generators read the way it is meant. The generator and what its clients need are in an environment of their own. This one
tells the two media types of a body apart by the names of their schemas; the contract has one schema, so it sends forms.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest
import requests

from contracts import bundle
from fixtures.emulator.threaded import ThreadedServer
from suites.selfcheck.system import tools

pytestmark = [pytest.mark.slow, pytest.mark.tools]

# Runs beside the generated package: reads the base URL and the accounts' hashes, and prints what came of each call.
CALLS: Final = """
import json, sys
from generated import AuthenticatedClient, Client
from generated.api.delivery_session import create_get, create_post, read_get, read_post
from generated.models import DeliverySessionParameters

given = json.load(sys.stdin)
plain = Client(base_url=given["base_url"], raise_on_unexpected_status=True)
authenticated = AuthenticatedClient(
    base_url=given["base_url"], token=given["owner"], prefix="NVX", raise_on_unexpected_status=True
)
owner = given["owner"]
calls = [
    ("create by GET", create_get, {"client": plain, "hash_": owner}),
    ("read by GET", read_get, {"client": plain, "hash_": owner}),
    ("create by form", create_post, {"client": plain, "body": DeliverySessionParameters(hash_=owner)}),
    ("read by form", read_post, {"client": plain, "body": DeliverySessionParameters(hash_=owner, iso_datetime=True)}),
    ("create by header and GET", create_get, {"client": authenticated}),
    ("read by header and GET", read_get, {"client": authenticated, "iso_datetime": True, "nvx_iso_date_time": True}),
    ("create by header and POST", create_post, {"client": authenticated}),
    ("read by header and POST", read_post, {"client": authenticated, "nvx_iso_date_time": True}),
    ("unknown hash", read_get, {"client": plain, "hash_": "0" * 32}),
    ("no session", read_get, {"client": plain, "hash_": given["owner_without_session"]}),
    ("sub-user", create_post, {"client": plain, "body": DeliverySessionParameters(hash_=given["subuser"])}),
    ("tariff", create_get, {"client": plain, "hash_": given["tariff_restricted"]}),
    ("demo", create_get, {"client": plain, "hash_": given["demo_with_session"]}),
]
results = {}
for name, call, arguments in calls:
    answer = call.sync_detailed(**arguments)
    results[name] = {
        "status": answer.status_code.value, "class": type(answer.parsed).__name__, "parsed": answer.parsed.to_dict()
    }
json.dump(results, sys.stdout)
"""


def account(server: ThreadedServer, state: str) -> str:
    """The hash of a fresh account in `state`."""
    answer = requests.post(server.states_url, json={"state": state, "action": "setup", "params": {}}, timeout=10)
    answer.raise_for_status()
    found: str = answer.json()["hash"]
    return found


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the generated package lies."""
    folder = tmp_path_factory.mktemp("client")
    programs = tools.client_bin()
    result = tools.run(
        [
            *(programs / "python", "-m", "openapi_python_client", "generate", "--meta", "none"),
            *("--path", bundle.CLIENT, "--output-path", folder / "generated", "--fail-on-warning"),
        ],
        cwd=folder,
        env={"PATH": f"{programs}:/usr/bin:/bin"},
    )
    assert result.returncode == 0, result.stdout
    return folder


def test_calls_the_api_with_the_hash_in_each_place_and_understands_its_answers(client: Path) -> None:
    with ThreadedServer() as server:
        states = ("owner", "owner_without_session", "subuser", "tariff_restricted", "demo_with_session")
        given = {"base_url": server.base_url, **{state: account(server, state) for state in states}}
        ran = tools.run(
            [tools.client_bin() / "python", "-c", CALLS],
            cwd=client,
            env={"PYTHONPATH": str(client)},
            text=json.dumps(given),
        )
    assert ran.returncode == 0, ran.stdout
    results: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])

    keys = []
    for style in ("by GET", "by form", "by header and GET", "by header and POST"):
        created, read = results.pop(f"create {style}"), results.pop(f"read {style}")
        assert created["class"] == "DeliverySessionSuccess", style
        assert read == created, style
        keys.append(created["parsed"]["value"])
    assert len(set(keys)) == len(keys)

    assert {r.pop("class") for r in results.values()} == {"DeliverySessionError"}
    assert {name: (r["status"], r["parsed"]["status"]["code"]) for name, r in results.items()} == {
        "unknown hash": (400, 4),
        "no session": (400, 201),
        "sub-user": (403, 13),
        "tariff": (402, 236),
        "demo": (403, 101),
    }
