"""Prism, a well-known mock server for OpenAPI, serves the contract: it reads all of it and answers its examples.

A mock answers the same to everything, so it is also a target that the suite has to refuse: a server that nobody here wrote.
``prism.toml`` says what the suite is to find.
"""

from __future__ import annotations

import json
import subprocess
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import requests

from contracts import bundle
from contracts.requirements import catalogue
from suites.selfcheck.system import runs, tools

# One worker starts Prism, which takes seconds.
pytestmark = [pytest.mark.node, pytest.mark.slow, pytest.mark.tools, pytest.mark.xdist_group("prism")]

HASH: Final = "22eac1c27af4be7b9d04da2ce1af111b"

CONTRACT: Final[dict[str, Any]] = json.loads(bundle.TARGET.read_text(encoding="utf-8"))

EXPECTED: Final[dict[str, Any]] = tomllib.loads(Path(__file__).with_name("prism.toml").read_text(encoding="utf-8"))

OWNER: Final = "5f0c7d1e9a2b43868d13e04b7c5a96f2"
"""A credential for the suite: to Prism any well-formed one is as good as another."""

_PATIENCE: Final = 30.0


@pytest.fixture(scope="module")
def prism(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of a Prism that mocks the bundled contract."""
    port = tools.free_port()
    log = tmp_path_factory.mktemp("prism") / "log"
    command = [str(tools.node_bin() / "prism"), "mock", "--host", "127.0.0.1", "--port", str(port), str(bundle.TARGET)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=log.parent, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        deadline = time.monotonic() + _PATIENCE
        while "Prism is listening" not in log.read_text(errors="replace"):
            assert process.poll() is None, log.read_text(errors="replace")
            assert time.monotonic() < deadline, log.read_text(errors="replace")
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _resolved(node: dict[str, Any]) -> dict[str, Any]:
    """What `node` refers to, or `node`."""
    while "$ref" in node:
        found: Any = CONTRACT
        for step in node["$ref"].split("/")[1:]:
            found = found[step]
        node = found
    return node


def _examples() -> Iterator[Any]:
    """Path, method, status, name and value of every example of an answer in the contract."""
    for path, item in CONTRACT["paths"].items():
        for method in ("get", "post"):
            for status, response in item[method]["responses"].items():
                examples = _resolved(response)["content"]["application/json"]["examples"]
                for name, example in examples.items():
                    action = path.rpartition("/")[2]
                    yield pytest.param(
                        path,
                        method,
                        int(status),
                        name,
                        _resolved(example)["value"],
                        id=f"{action}-{method}-{status}-{name}",
                    )


def _call(base: str, path: str, method: str, prefer: str | None = None) -> requests.Response:
    """A call in the plain style of `method`, which may ask Prism for a certain answer."""
    credential: dict[str, Any] = {"params": {"hash": HASH}} if method == "get" else {"json": {"hash": HASH}}
    headers = {"Prefer": prefer} if prefer else {}
    return requests.request(method, base + path, headers=headers, timeout=10, **credential)


@pytest.mark.parametrize(("path", "method", "status", "name", "value"), list(_examples()))
def test_answers_every_example(prism: str, path: str, method: str, status: int, name: str, value: Any) -> None:
    answer = _call(prism, path, method, f"code={status}, example={name}")
    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.json() == value


@pytest.mark.parametrize("path", CONTRACT["paths"])
def test_takes_every_documented_call_style(prism: str, path: str) -> None:
    answers = [
        _call(prism, path, "get"),
        _call(prism, path, "post"),
        requests.post(prism + path, data={"hash": HASH, "iso_datetime": "true"}, timeout=10),
        requests.get(prism + path, headers={"Authorization": f"NVX {HASH}"}, timeout=10),
        requests.post(prism + path, headers={"Authorization": f"NVX {HASH}", "NVX-ISO-DateTime": "true"}, timeout=10),
        requests.post(prism + path, headers={"Authorization": f"NVX {HASH}"}, json={}, timeout=10),
    ]
    assert [answer.status_code for answer in answers] == [200] * len(answers)
    assert len({answer.text for answer in answers}) == 1


@pytest.mark.parametrize("path", CONTRACT["paths"])
def test_holds_a_call_against_the_contract(prism: str, path: str) -> None:
    bad = [
        requests.get(prism + path, params={"hash": HASH[1:]}, timeout=10),
        requests.post(prism + path, json={"hash": 1}, timeout=10),
        requests.post(prism + path, json=[HASH], timeout=10),
        requests.put(prism + path, json={"hash": HASH}, timeout=10),
    ]
    assert [answer.ok for answer in bad] == [False] * len(bad)


# ---------------------------------------------------------------------- the suite on Prism


@pytest.fixture(scope="module")
def judged(prism: str, tmp_path_factory: pytest.TempPathFactory) -> runs.Finished:
    """The suite, run on Prism with nothing but the credential of an owner."""
    place = tmp_path_factory.mktemp("judged")
    target = place / "target.toml"
    target.write_text(f'[credentials]\nowner = "{OWNER}"\n', encoding="utf-8")
    return runs.suite("--base-url", prism, "--target", target, "-q", folder=place / "report")


def test_the_suite_refuses_a_mock(judged: runs.Finished) -> None:
    assert judged.document["verdict"] == "nonconformant", judged.output
    assert judged.code == judged.document["exit_code"] == 1
    assert judged.document["complete"] is True
    assert OWNER not in judged.output


@pytest.mark.parametrize("result", ["passed", "failed", "warning"])
def test_the_suite_finds_what_a_mock_cannot_keep(judged: runs.Finished, result: str) -> None:
    found = [each["id"] for each in judged.document["requirements"] if each["result"] == result]
    assert found == [name for name in catalogue() if name in EXPECTED[result]]


def test_whatever_else_it_asks_is_left_open_with_a_reason(judged: runs.Finished) -> None:
    named = {*EXPECTED["passed"], *EXPECTED["failed"], *EXPECTED["warning"]}
    assert named <= set(catalogue())
    for each in judged.document["requirements"]:
        if each["id"] not in named:
            assert each["result"] in ("blocked", "not_verified"), each
            assert each["reason"]
