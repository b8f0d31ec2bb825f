"""Programs that know nothing of this project read the contract: types for TypeScript, a comparison with pacts, JSON Schema.

The comparison with pacts, ajv and jsonschema-rs are quick, and `make test` runs them; where Node.js is missing the first two are skipped. What
takes longer runs by `make tools`, as ``test_generators.py`` does.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any, Final

import pytest

from contracts import bundle, schemas
from suites.selfcheck.system import runs, tools

# One worker makes the report.
pytestmark = pytest.mark.xdist_group("other-tools")

HASH: Final = "a6aa75587e5c59c32d347da438505fc3"

# ---------------------------------------------------------------------- TypeScript

#: A program that uses the types as a person would, and stops where they are not what it takes them for.
USES: Final = """
import type { components, operations, paths } from "./api.js";

type Success = components["schemas"]["DeliverySessionSuccess"];
type Failure = components["schemas"]["DeliverySessionError"];
type Created = operations["createPost"]["responses"][200]["content"]["application/json"];
type Refused = operations["createGet"]["responses"][402]["content"]["application/json"];
type Otherwise = operations["readGet"]["responses"]["default"]["content"]["application/json"];

const created: Created = { success: true, value: "42fc7d3068cb98d233c3af749dee4a8d" };
const same: Success = created;
const failures: Failure[] = [] as (Refused | Otherwise)[];
const code: number | undefined = failures[0]?.status.code;
const parameter: string | undefined = failures[0]?.errors?.[0]?.parameter;
const query: NonNullable<paths["/user/session/delivery/read"]["get"]["parameters"]["query"]> = { hash: same.value };
export { code, parameter, query };
"""


@pytest.mark.node
@pytest.mark.slow
@pytest.mark.tools
def test_openapi_typescript_makes_types_that_a_program_can_use(tmp_path: Path) -> None:
    made = tools.run([tools.node_bin() / "openapi-typescript", bundle.CLIENT, "--output", "api.ts"], cwd=tmp_path)
    assert made.returncode == 0, made.stdout
    for name, text, accepted in (
        ("uses.ts", USES, True),
        ("wrong.ts", USES.replace("const code: number", "const code: string"), False),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
        checked = tools.run(
            [tools.node_bin() / "tsc", "--noEmit", "--strict", "--module", "nodenext", name], cwd=tmp_path
        )
        assert (checked.returncode == 0) == accepted, checked.stdout


# ---------------------------------------------------------------------- pacts

PACT: Final[dict[str, Any]] = {
    "consumer": {"name": "courier page"},
    "provider": {"name": "delivery sessions"},
    "interactions": [
        {
            "description": "the key is read",
            "request": {"method": "GET", "path": "/user/session/delivery/read", "query": f"hash={HASH}"},
            "response": {
                "status": 200,
                "headers": {"Content-Type": "application/json"},
                "body": {"success": True, "value": "42fc7d3068cb98d233c3af749dee4a8d"},
            },
        },
        {
            "description": "there is no session to read",
            "request": {
                "method": "POST",
                "path": "/user/session/delivery/read",
                "headers": {"Content-Type": "application/json"},
                "body": {"hash": HASH},
            },
            "response": {
                "status": 400,
                "headers": {"Content-Type": "application/json"},
                "body": {"success": False, "status": {"code": 201, "description": "Not found in the database"}},
            },
        },
    ],
    "metadata": {"pactSpecification": {"version": "2.0.0"}},
}


def _no_string(pact: dict[str, Any]) -> None:
    pact["interactions"][0]["response"]["body"]["value"] = {"hash": HASH}


def _another_method(pact: dict[str, Any]) -> None:
    pact["interactions"][0]["request"]["method"] = "PUT"


def _code_of_create(pact: dict[str, Any]) -> None:
    pact["interactions"][1]["response"]["body"]["status"]["code"] = 236


@pytest.mark.parametrize(
    ("contract", "change"),
    [
        (bundle.CLIENT, None),
        (bundle.CLIENT, _no_string),
        (bundle.CLIENT, _another_method),
        (bundle.TARGET, None),
        (bundle.TARGET, _no_string),
        (bundle.TARGET, _code_of_create),
    ],
    ids=lambda value: getattr(value, "name", None) or getattr(value, "__name__", "_kept").strip("_"),
)
def test_a_comparison_with_pacts_finds_the_planted_fault_and_no_other(
    contract: Path, change: Any, tmp_path: Path
) -> None:
    pact = copy.deepcopy(PACT)
    if change is not None:
        change(pact)
    (tmp_path / "pact.json").write_text(json.dumps(pact), encoding="utf-8")
    result = tools.run([tools.node_bin() / "opc", "--oas", contract, "pact.json"], cwd=tmp_path)
    assert result.returncode == (0 if change is None else 1), result.stdout


# ---------------------------------------------------------------------- JSON Schema

#: Compiles every schema as strictly as ajv can, and says of each document of a report whether it is one.
AJV: Final = """
import { createRequire } from "node:module";
import { readFileSync, readdirSync } from "node:fs";

const [, , modules, folder, ...documents] = process.argv;
const load = createRequire(modules + "/");
const Ajv = load("ajv/dist/2020").default;
const ajv = new Ajv({ strict: true });
load("ajv-formats").default(ajv);
const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
for (const name of names) ajv.addSchema(JSON.parse(readFileSync(folder + "/" + name, "utf8")), name);
for (const name of names) ajv.getSchema(name);
const report = ajv.getSchema("report.json");
console.log(JSON.stringify(documents.map((path) => report(JSON.parse(readFileSync(path, "utf8"))))));
"""


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A report of a run, and the same with a verdict that its results do not allow."""
    folder = tmp_path_factory.mktemp("report")
    finished = runs.suite("-q", "--hypothesis-profile", "smoke", folder=folder / "out")
    assert finished.code == 0, finished.output
    wrong = {**finished.document, "verdict": "nonconformant", "exit_code": 1}
    path = folder / "wrong.json"
    path.write_text(json.dumps(wrong), encoding="utf-8")
    return [folder / "out" / "conformance.json", path]


def test_ajv_compiles_every_schema_strictly_and_validates_a_report(reports: list[Path], tmp_path: Path) -> None:
    script = tmp_path / "validate.mjs"
    script.write_text(AJV, encoding="utf-8")
    modules = tools.node_bin().parent.parent
    result = tools.run([tools.program("node", "nodejs"), script, modules, schemas.DIRECTORY, *reports], cwd=tmp_path)
    assert result.returncode == 0, result.stdout
    assert json.loads(result.stdout.splitlines()[-1]) == [True, False]


def test_jsonschema_rs_compiles_every_schema_and_validates_a_report(reports: list[Path]) -> None:
    import jsonschema_rs

    registry = jsonschema_rs.Registry([(f"{name}.json", schemas.load(name)) for name in schemas.NAMES])
    validators = {
        name: jsonschema_rs.Draft202012Validator(schemas.load(name), registry=registry) for name in schemas.NAMES
    }
    found = [validators["report"].is_valid(json.loads(path.read_text(encoding="utf-8"))) for path in reports]
    assert found == [True, False]
    assert not validators["error"].is_valid({"success": False, "status": {"code": "3", "description": "x"}})
