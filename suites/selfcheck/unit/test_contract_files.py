"""The contract as data is whole, agrees with itself in all its forms, and says what the documents say.

The tables below are written out once more on purpose: they come from the documents, and a wrong row in a file of the
contract must not be able to confirm itself.
"""

from __future__ import annotations

import copy
import json
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from contracts import bundle, codes, schemas
from contracts.client_form import client_form
from contracts.requests import check_request
from suites.selfcheck.system import tools

KEY: Final = "42fc7d3068cb98d233c3af749dee4a8d"

OPERATIONS: Final = {
    "create": ("/user/session/delivery/create", "createGet", "createPost"),
    "read": ("/user/session/delivery/read", "readGet", "readPost"),
}

# ERRORS and OPENAPI: the statuses that are not 400.
STATUSES: Final = {
    1: 500,
    6: 500,
    2: 403,
    11: 403,
    13: 403,
    101: 403,
    276: 403,
    8: 503,
    14: 503,
    9: 412,
    15: 429,
    236: 402,
}
# ERRORS and DELIVERY: every code that matters here.
DOCUMENTED: Final = {1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 101, 111, 112, 201, 236, 276}
# DELIVERY: the codes above 100 that each operation may give; 111, 112 and 276 are from ERRORS.
SPECIFIC: Final = {"create": {101, 111, 112, 236, 276}, "read": {111, 112, 201, 276}}


@cache
def source() -> dict[str, Any]:
    """openapi.yaml as it is written."""
    document: dict[str, Any] = yaml.safe_load(bundle.SOURCE.read_text(encoding="utf-8"))
    return document


@cache
def bundled() -> dict[str, Any]:
    """The bundle as it is checked in."""
    document: dict[str, Any] = json.loads(bundle.TARGET.read_text(encoding="utf-8"))
    return document


def inline(node: Any, root: Any, base: Path) -> Any:
    """`node` with what it refers to in place of each reference, beside the reference's other members."""
    if isinstance(node, list):
        return [inline(value, root, base) for value in node]
    if not isinstance(node, dict):
        return node
    rest = {key: inline(value, root, base) for key, value in node.items() if key not in {"$ref", "$schema"}}
    if "$ref" not in node:
        return rest
    file, _, pointer = node["$ref"].partition("#")
    if file:
        root, base = json.loads((base / file).read_text(encoding="utf-8")), (base / file).parent
    found = root
    for step in pointer.split("/")[1:]:
        found = found[step.replace("~1", "/").replace("~0", "~")]
    target = inline(found, root, base)
    return target if not rest else {**rest, "<referred to>": target}


@cache
def plain() -> dict[str, Any]:
    """The bundle without references. References that have members beside them stay schemas: the two must both hold."""

    def both(node: Any) -> Any:
        if isinstance(node, list):
            return [both(value) for value in node]
        if not isinstance(node, dict):
            return node
        members = {key: both(value) for key, value in node.items()}
        if "<referred to>" in members:
            members.setdefault("allOf", []).append(members.pop("<referred to>"))
        return members

    document: dict[str, Any] = both(inline(bundled(), bundled(), bundle.HERE))
    return document


def is_valid(schema: Any, instance: Any) -> bool:
    """Whether `instance` has the form of `schema`, which refers to nothing."""
    from jsonschema import Draft202012Validator

    return Draft202012Validator(schema).is_valid(instance)


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Name of the operation, HTTP method and description of each call in the document."""
    for name, (path, *_) in OPERATIONS.items():
        for method in ("get", "post"):
            yield name, method, plain()["paths"][path][method]


def references(node: Any) -> Iterator[str]:
    """Every reference in `node`."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref" and isinstance(value, str):
                yield value
            else:
                yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


class TestOpenApi:
    """The OpenAPI document."""

    @pytest.mark.parametrize("path", [bundle.SOURCE, bundle.TARGET], ids=lambda path: path.name)
    def test_is_valid(self, path: Path) -> None:
        from openapi_spec_validator import validate

        document = source() if path == bundle.SOURCE else bundled()
        assert document["openapi"].startswith("3.1.")
        validate(copy.deepcopy(document), base_uri=path.as_uri())

    def test_describes_both_operations_by_get_and_post(self) -> None:
        assert {
            path: {method: call["operationId"] for method, call in item.items()}
            for path, item in source()["paths"].items()
        } == {path: {"get": get, "post": post} for path, get, post in OPERATIONS.values()}

    def test_names_the_three_regions_and_ones_own_host(self) -> None:
        *regions, own = source()["servers"]
        assert [server["url"] for server in regions] == [
            f"https://api.{region}.navixy.com/v2" for region in ("eu", "us", "me")
        ]
        assert set(re.findall(r"{(\w+)}", own["url"])) == set(own["variables"]) == {"host", "base_path"}
        assert not any("description" in variable for variable in own["variables"].values()), "a tool refuses them"

    def test_the_credential_may_stand_in_the_header_or_in_the_parameter(self) -> None:
        scheme = source()["components"]["securitySchemes"]["nvxHash"]
        assert (scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "header", "Authorization")
        assert source()["security"] == [{"nvxHash": []}, {}]
        for _, method, call in operations():
            assert not any(parameter["required"] for parameter in call["parameters"])
            query = {parameter["name"] for parameter in call["parameters"] if parameter["in"] == "query"}
            if method == "get":
                assert query == {"hash", "iso_datetime"}
            else:
                assert query == {"hash"}, "C9: a POST may have the hash in the query"
                assert call["requestBody"]["required"] is False
                assert call["requestBody"]["content"].keys() == {
                    "application/json",
                    "application/x-www-form-urlencoded",
                }

    @pytest.mark.parametrize("media_type", ["application/json", "application/x-www-form-urlencoded"])
    @pytest.mark.parametrize("name", OPERATIONS)
    def test_a_body_carries_a_hash_and_may_carry_more(self, name: str, media_type: str) -> None:
        schema = plain()["paths"][OPERATIONS[name][0]]["post"]["requestBody"]["content"][media_type]["schema"]
        good: list[Any] = [{"hash": KEY}, {"hash": KEY, "iso_datetime": True}, {"hash": KEY, "other": 1}, {}]
        bad: list[Any] = [
            {"hash": KEY[1:]},
            {"hash": 1},
            {"hash": None},
            {"hash": [KEY]},
            {"iso_datetime": "yes"},
            [],
            None,
            "",
        ]
        assert [body for body in good if not is_valid(schema, body)] == []
        assert [body for body in bad if is_valid(schema, body)] == []

    @pytest.mark.parametrize("name", OPERATIONS)
    def test_has_exactly_the_statuses_that_the_codes_of_the_operation_need(self, name: str) -> None:
        needed = {str(codes.http_status(code)) for code in range(1, 301) if codes.allowed_for(code, name)} | {"200"}
        for operation, method, call in operations():
            if operation == name:
                assert call["responses"].keys() == needed, method

    @pytest.mark.parametrize("name", OPERATIONS)
    def test_lets_exactly_those_codes_come_with_a_status_that_belong_there(self, name: str) -> None:
        for operation, method, call in operations():
            for status, response in call["responses"].items() if operation == name else ():
                schema = response["content"]["application/json"]["schema"]
                allowed = {
                    code
                    for code in range(-1, 320)
                    if is_valid(schema, {"success": False, "status": {"code": code, "description": "text"}})
                }
                assert allowed == {
                    code
                    for code in range(-1, 320)
                    if codes.allowed_for(code, name) and str(codes.http_status(code)) == status
                }, f"{method}, {status}"

    @pytest.mark.parametrize("name", OPERATIONS)
    def test_describes_the_errors_of_code_7_and_requires_none(self, name: str) -> None:
        for operation, method, call in operations():
            schema = call["responses"]["400"]["content"]["application/json"]["schema"]
            if operation == name:
                errors = schema["allOf"][0]["properties"]["errors"]["anyOf"][0]["items"]["properties"]
                assert errors.keys() == {"parameter", "error"}
                good: list[Any] = [{}, {"errors": []}, {"errors": [{"parameter": "hash", "error": "x"}]}, {"errors": 1}]
                assert all(is_valid(schema, envelope(7, **more)) for more in good), method

    def test_the_first_example_of_403_is_a_refusal_that_these_operations_give(self) -> None:
        for name, method, call in operations():
            first = next(iter(call["responses"]["403"]["content"]["application/json"]["examples"].values()))
            assert first["value"]["status"]["code"] in {13, 101, 276}, f"{name} by {method}"

    def test_the_hash_has_the_form_of_a_key(self) -> None:
        described = source()["components"]["schemas"]["Hash"]
        key = schemas.load("key")
        for keyword in ("type", "minLength", "maxLength", "pattern"):
            assert described[keyword] == key[keyword]

    def test_no_reference_has_members_beside_it(self) -> None:
        def check(node: Any) -> None:
            if isinstance(node, dict):
                assert "$ref" not in node or node.keys() == {"$ref"}, node
            for value in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
                check(value)

        check(bundled())

    def test_an_error_is_no_success_and_a_success_no_error(self) -> None:
        for _, _, call in operations():
            for status, response in call["responses"].items():
                content = response["content"]
                assert content.keys() == {"application/json"}
                success = {"success": True, "value": KEY}
                assert is_valid(content["application/json"]["schema"], success) == (status == "200")

    def test_every_code_of_an_operation_has_an_example_with_its_status(self) -> None:
        for name, method, call in operations():
            shown = {
                (example["value"]["status"]["code"], int(status))
                for status, response in call["responses"].items()
                for example in response["content"]["application/json"]["examples"].values()
                if status != "200"
            }
            assert shown == {
                (code, entry.http_status) for code, entry in codes.CODES.items() if name in entry.operations
            }, f"{name} by {method}"

    def test_every_example_has_the_form_that_it_is_an_example_of(self) -> None:
        checked = 0
        for _, _, call in operations():
            media = [response["content"]["application/json"] for response in call["responses"].values()]
            media += call.get("requestBody", {"content": {}})["content"].values()
            for medium in media:
                for name, example in medium["examples"].items():
                    assert is_valid(medium["schema"], example["value"]), name
                    checked += 1
        for parameter in plain()["components"]["parameters"].values():
            assert is_valid(parameter["schema"], parameter["example"]), parameter["name"]
            checked += 1
        assert checked > 60
        used = {example for example in references(source()) if example.startswith("#/components/examples/")}
        assert {example.rpartition("/")[2] for example in used} == source()["components"]["examples"].keys()


class TestBundle:
    """The contract in one file."""

    def test_is_current(self) -> None:
        assert bundle.main(["--check"]) == 0, "run: python -m contracts.bundle"

    def test_is_written_the_same_each_time_and_found_stale(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(bundle, "TARGET", tmp_path / "bundle.json")
        monkeypatch.setattr(bundle, "CLIENT", tmp_path / "client.json")
        assert bundle.main(["--check"]) == 1
        assert bundle.main([]) == 0
        assert bundle.main(["--check"]) == 0
        for path in (bundle.TARGET, bundle.CLIENT):
            first = path.read_bytes()
            path.write_bytes(first.replace(b"1.0.0", b"1.0.1"))
            capsys.readouterr()
            assert bundle.main(["--check"]) == 1
            said = capsys.readouterr().err
            assert "python -m contracts.bundle" in said
            assert path.name in said
            assert bundle.main([]) == 0
            assert path.read_bytes() == first

    def test_says_what_the_document_says(self) -> None:
        ours = inline(source(), source(), bundle.HERE)
        theirs = inline(bundled(), bundled(), bundle.HERE)
        taken_in = theirs["components"]["schemas"].keys() - ours["components"]["schemas"].keys()
        assert taken_in == {
            "DeliverySessionError",
            "DeliverySessionErrorStatus",
            "DeliverySessionKey",
            "DeliverySessionParameterError",
            "DeliverySessionSuccess",
        }
        for name in taken_in:
            del theirs["components"]["schemas"][name]
        assert theirs == ours

    def test_stands_alone(self) -> None:
        assert all(reference.startswith("#/") for reference in references(bundled()))
        inline(bundled(), bundled(), Path("/nowhere"))

    @pytest.mark.parametrize("reference", ["https://example.com/x.json", "../pyproject.toml", "schemas/key.json#/type"])
    def test_refuses_what_it_cannot_take_in(
        self, reference: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        document = copy.deepcopy(source())
        document["components"]["schemas"]["Other"] = {"$ref": reference}
        monkeypatch.setattr(yaml, "safe_load", lambda _: document)
        with pytest.raises(bundle.BundleError, match=re.escape(reference)):
            bundle.bundle()

    def test_a_member_may_be_called_ref(self, monkeypatch: pytest.MonkeyPatch) -> None:
        document = copy.deepcopy(source())
        document["components"]["schemas"]["Other"] = {"properties": {"$ref": {"type": "string"}}}
        monkeypatch.setattr(yaml, "safe_load", lambda _: document)
        found = bundle.bundle()["components"]["schemas"]["Other"]
        assert found == {"properties": {"$ref": {"type": "string"}}}

    def test_schemas_may_name_each_other_and_no_part_of_themselves(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / "a.json").write_text('{"title": "A", "items": {"$ref": "b.json"}}')
        (tmp_path / "b.json").write_text('{"title": "B", "items": {"$ref": "a.json"}}')
        (tmp_path / "c.json").write_text('{"title": "C", "items": {"$ref": "#/items"}}')
        document: dict[str, Any] = {"components": {"schemas": {"Other": {"$ref": "a.json"}}}}
        monkeypatch.setattr(yaml, "safe_load", lambda _: document)
        monkeypatch.setattr(bundle, "HERE", tmp_path)
        # What a file says of itself is said in a folder of its own.
        monkeypatch.setattr(bundle, "SOURCE", tmp_path / "openapi.yaml")
        (tmp_path / "openapi.yaml").write_text("")
        schemas = bundle.bundle()["components"]["schemas"]
        assert list(schemas) == ["A", "B", "Other"]
        assert schemas["A"]["items"] == {"$ref": "#/components/schemas/B"}
        assert schemas["B"]["items"] == {"$ref": "#/components/schemas/A"}
        (tmp_path / "schemas").mkdir()
        (tmp_path / "c.json").rename(tmp_path / "schemas" / "c.json")
        document["components"]["schemas"]["Other"] = {"$ref": "schemas/c.json"}
        with pytest.raises(bundle.BundleError, match="a part of itself"):
            bundle.bundle()

    def test_refuses_two_schemas_of_one_name(self, monkeypatch: pytest.MonkeyPatch) -> None:
        document = copy.deepcopy(source())
        document["components"]["schemas"]["DeliverySessionKey"] = {"type": "string"}
        monkeypatch.setattr(yaml, "safe_load", lambda _: document)
        with pytest.raises(bundle.BundleError, match="DeliverySessionKey"):
            bundle.bundle()


class TestClientForm:
    """The contract as generators of clients and servers read it."""

    @staticmethod
    @cache
    def document() -> dict[str, Any]:
        found: dict[str, Any] = json.loads(bundle.CLIENT.read_text(encoding="utf-8"))
        return found

    @classmethod
    def plain(cls) -> dict[str, Any]:
        written_out: dict[str, Any] = inline(cls.document(), cls.document(), bundle.HERE)
        return written_out

    def test_is_valid_openapi_3_0(self) -> None:
        from openapi_spec_validator import validate

        assert self.document()["openapi"] == "3.0.3"
        validate(copy.deepcopy(self.document()))

    def test_leaves_the_bundle_as_it_is(self) -> None:
        before = copy.deepcopy(bundled())
        client_form(bundled())
        assert bundled() == before

    def test_holds_nothing_that_generators_stumble_over(self) -> None:
        def check(node: Any, parent: str) -> None:
            if isinstance(node, dict):
                assert "$ref" not in node or node.keys() == {"$ref"}, node
                assert node.get("type") != "null"
                if parent not in {"properties", "value"}:
                    assert not node.keys() & {"const", "allOf", "anyOf", "oneOf", "license"}, node
                for name, value in node.items():
                    check(value, name)
            elif isinstance(node, list):
                for value in node:
                    check(value, parent)

        check(self.document(), "")

    def test_has_a_few_schemas_whose_names_read_well(self) -> None:
        assert list(self.document()["components"]["schemas"]) == [
            "DeliverySessionError",
            "DeliverySessionErrorStatus",
            "DeliverySessionParameterError",
            "DeliverySessionParameters",
            "DeliverySessionSuccess",
        ]

    def test_has_the_operations_statuses_and_examples_of_the_bundle_and_a_default(self) -> None:
        for name, method, call in operations():
            other = self.plain()["paths"][OPERATIONS[name][0]][method]
            assert other["operationId"] == call["operationId"]
            assert [each["name"] for each in other["parameters"]] == [each["name"] for each in call["parameters"]]
            assert list(other["responses"]) == [*call["responses"], "default"]
            for status, response in call["responses"].items():
                media = other["responses"][status]["content"]["application/json"]
                assert media["examples"] == response["content"]["application/json"]["examples"]

    def test_lets_through_what_the_bundle_lets_through(self) -> None:
        for name, method, call in operations():
            other = self.plain()["paths"][OPERATIONS[name][0]][method]
            for status, response in call["responses"].items():
                media = response["content"]["application/json"]
                wider = other["responses"][status]["content"]["application/json"]["schema"]
                for example in media["examples"].values():
                    assert is_valid(wider, example["value"])
                assert not is_valid(wider, {"success": True}), f"{name} by {method}, {status}"

    def test_one_schema_describes_both_bodies(self) -> None:
        content = self.document()["components"]["requestBodies"]["Call"]["content"]
        assert {media["schema"]["$ref"] for media in content.values()} == {
            "#/components/schemas/DeliverySessionParameters"
        }


class TestRequests:
    """What the suite may send, by the contract."""

    GOOD: Final[list[tuple[str, str, dict[str, str], bytes | None]]] = [
        ("GET", f"hash={KEY}", {}, None),
        ("POST", "", {"Content-Type": "application/json"}, b'{"hash": "x"}'),
        ("POST", "", {"Content-Type": "application/x-www-form-urlencoded"}, b"hash=x"),
        ("POST", "", {"Authorization": f"NVX {KEY}"}, None),
        ("POST", f"hash={KEY}", {}, None),
        ("POST", f"hash={KEY}", {"Content-Type": "application/json"}, b"{}"),
        ("POST", f"hash={KEY}", {"Content-Type": "application/x-www-form-urlencoded"}, None),
        ("POST", "", {"Content-Type": "application/x-www-form-urlencoded"}, b"hash="),
        ("GET", "hash=", {}, None),
    ]
    BAD: Final[list[tuple[str, str, dict[str, str], bytes | None, str]]] = [
        ("PUT", f"hash={KEY}", {}, None, "no PUT"),
        ("GET", "", {}, None, "no credential"),
        ("GET", f"key={KEY}", {}, None, "no credential"),
        ("POST", "", {"Content-Type": "text/plain"}, b"x", "no media type"),
        ("GET", f"hash={KEY}", {}, b"x", "no body"),
        ("GET", "", {"Authorization": f"Bearer {KEY}"}, None, "not NVX"),
    ]

    @pytest.mark.parametrize(("method", "query", "headers", "body"), GOOD)
    @pytest.mark.parametrize("name", OPERATIONS)
    def test_allows(self, name: str, method: str, query: str, headers: dict[str, str], body: bytes | None) -> None:
        assert check_request(name, method, query, headers, body) is None

    @pytest.mark.parametrize(("method", "query", "headers", "body", "why"), BAD)
    def test_refuses(self, method: str, query: str, headers: dict[str, str], body: bytes | None, why: str) -> None:
        assert why in str(check_request("create", method, query, headers, body))


def envelope(code: Any = 3, description: Any = "text", /, **more: Any) -> dict[str, Any]:
    """An error, with members beside its own."""
    return {"success": False, "status": {"code": code, "description": description}, **more}


def waiver(**changed: Any) -> dict[str, Any]:
    """A waivers file with one entry, changed; a member that is set to None is left out."""
    entry = {"requirement": "E2-status-goes-with-code", "reason": "known", "expires": "2027-01-31", **changed}
    return {"waiver": [{name: value for name, value in entry.items() if value is not None}]}


def requirement(result: str = "passed", **changed: Any) -> dict[str, Any]:
    """A requirement as a report lists it."""
    violation = {"message": "m", "expected": "e", "actual": "a", "exchange": None}
    return {
        "id": "T2-read-gives-last-created",
        "level": "MUST",
        "profile": "core",
        "title": "t",
        "obligation": "o",
        "sources": ["DELIVERY: read"],
        "result": result,
        "reason": "why" if result in {"error", "blocked", "not_verified"} else None,
        "tests": ["suites/conformance/test_state.py::test_read"],
        "violations": [violation] if result in {"failed", "warning", "waived"} else [],
        **changed,
    }


def report(verdict: str = "conformant", exit_code: int = 0, *requirements: Any, **changed: Any) -> dict[str, Any]:
    """A report, changed."""
    return {
        "suite": {"name": "delivery-conformance", "version": "1.0.0"},
        "contract": {"version": "1.0.0", "sha256": "0" * 64},
        "target": {"base_url": "http://127.0.0.1:8080/v2", "embedded": True, "profile": "platform"},
        "run": {
            "options": ["--profile", "platform"],
            "hypothesis_profile": "standard",
            "seed": 1,
            "rotation": True,
            "selection": [],
            "waivers_sha256": None,
            "workers": 1,
        },
        "verdict": verdict,
        "exit_code": exit_code,
        "exit_reason": "every MUST passed",
        "started": "2026-11-23T21:57:00.123+00:00",
        "seconds": 3.5,
        "requests": 500,
        "keys_created": 40,
        "requirements": list(requirements or [requirement()]),
        "complete": True,
        **changed,
    }


def credential(value: Any) -> dict[str, Any]:
    """A target file with one credential."""
    return {"credentials": {"owner": value}}


ACCOUNTS: Final = (
    "owner",
    "other_owner",
    "owner_without_session",
    "demo_with_session",
    "demo_without_session",
    "subuser",
    "tariff_restricted",
    "ended",
)

RECORDED_VIOLATION: Final = {
    "requirement": "E4-no-value-in-error",
    "message": "a",
    "expected": "b",
    "actual": "c",
    "possible": ["S3-success-members"],
}
RECORDED_REFUSAL: Final = {
    "requirement": "A2-unknown-hash-refused",
    "form": "code",
    "codes": [3, 4],
    "code_requirement": "",
}


def recorded(**members: Any) -> dict[str, Any]:
    """A recorded run with these members."""
    return {**copy.deepcopy(schemas.load("history")["examples"][0]), **members}


def recorded_answer(**members: Any) -> dict[str, Any]:
    """A recorded run of one answer with these members."""
    return recorded(answers=[{**recorded()["answers"][0], **members}])


def recorded_test(**members: Any) -> dict[str, Any]:
    """A recorded run of one test with these members."""
    return recorded(tests=[{**recorded()["tests"][0], **members}])


GOOD: Final[dict[str, list[Any]]] = {
    "key": [KEY, "0" * 32, "f" * 32],
    "success": [{"success": True, "value": KEY}, {"success": True, "value": KEY, "user": {"a": [1, None]}}],
    "status": [
        {"code": 3, "description": "x"},
        {"code": 3.0, "description": " "},
        {"code": 999, "description": "x", "a": {}},
    ],
    "error": [
        envelope(),
        envelope(3.0),
        envelope(value=None),
        envelope(7, errors=[{"parameter": "hash", "error": "Value required"}]),
        envelope(7, errors=[{"parameter": "hash"}]),
        envelope(7, errors="anything else"),
        {"success": False, "status": {"code": 7, "description": "x", "more": {"a": 1}}},
    ],
    "parameter_error": [{}, {"parameter": "hash", "error": "x", "more": 1}],
    "target": [
        {},
        {"base_url": "https://staging.example.com/v2", "profile": "platform", "allow_key_rotation": False},
        {"base_url": "http://127.0.0.1:8080", "profile": "core"},
        {"base_url": "http://[::1]:8080/"},
        {"credentials": {account: {"env": account.upper()} for account in ACCOUNTS}},
        credential(KEY),
        credential(""),
        credential({"file": "secrets/owner"}),
        credential({"command": ["./login", "owner", ""]}),
        {"provider_states": {"url": "http://127.0.0.1:8080/_states"}},
        {
            "http": {
                "timeout": 0.5,
                "requests_per_second": 0,
                "max_body": 1,
                "headers": {"X-Gateway": "…", "X-Empty": ""},
                "ca_bundle": "ca.pem",
                "provoke_rate_limit": True,
            }
        },
    ],
    "waivers": [{}, {"waiver": []}, waiver(), waiver(issue="GW-12", expect="412")],
    "history": [
        recorded(),
        recorded(tests=[], answers=[], stand_ins=[]),
        recorded(target={"base_url": "https://staging.example.com/v2", "embedded": False, "profile": "core"}),
        recorded_answer(response=None, failure="no answer", kind="nothing", value=None),
        recorded_answer(value=None),
        recorded_answer(value=1),
        recorded_answer(value=[{"hash": KEY}]),
        recorded_answer(code=-1, violations=[RECORDED_VIOLATION]),
        recorded_answer(intent=recorded()["answers"][0]["intent"] | {"operation": None, "refusal": RECORDED_REFUSAL}),
        recorded_answer(
            request=recorded()["answers"][0]["request"]
            | {"body": {"encoding": "latin-1", "text": "", "length": 70_000, "sha256": "0" * 64}}
        ),
        recorded_test(results={}, violations=[RECORDED_VIOLATION], in_question=[0]),
    ],
    "report": [
        report(),
        report(extra=1),
        report("nonconformant", 1, requirement("failed")),
        report("inconclusive", 5, requirement("not_verified"), requirement("blocked"), requirement("error")),
        report("conformant_with_waivers", 0, requirement("waived"), requirement()),
        report("conformant", 1, requirement(), requirement("warning", level="SHOULD"), requirement("out_of_profile")),
        report("unreachable", 6, requirement("not_verified")),
        report("interrupted", 2, requirement("failed")),
    ],
}

BAD: Final[dict[str, list[Any]]] = {
    "key": [
        "",
        KEY + "\n",
        KEY[1:] + "\n",
        "\n" + KEY[1:],
        KEY[1:],
        KEY + "0",
        KEY.upper(),
        "g" + KEY[1:],
        "٣" * 32,
        1,
        None,
    ],
    "success": [
        {},
        [],
        None,
        {"success": True},
        {"value": KEY},
        {"success": 1, "value": KEY},
        {"success": "true", "value": KEY},
        {"success": False, "value": KEY},
        {"success": True, "value": None},
        {"success": True, "value": {"hash": KEY}},
        {"success": True, "value": KEY + "\n"},
    ],
    "status": [{}, {"code": 3}, {"code": 3, "description": ""}, {"code": True, "description": "x"}, [3, "x"]],
    "error": [
        {},
        {"success": False},
        {"success": False, "status": None},
        {"success": False, "status": 400},
        {"success": False, "status": {"code": 3}},
        {"success": False, "status": {"description": "x"}},
        {"success": 0, "status": {"code": 3, "description": "x"}},
        {"success": True, "status": {"code": 3, "description": "x"}},
        {"status": {"code": 3, "description": "x"}},
        envelope("3"),
        envelope(3.5),
        envelope(True),
        envelope(None),
        envelope(3, ""),
        envelope(3, None),
        envelope(value=KEY),
        envelope(value=""),
        envelope(value={}),
    ],
    "parameter_error": [[], {"parameter": 1}, {"error": None}],
    "target": [
        [],
        {"url": "https://staging.example.com"},
        {"base_url": "staging.example.com"},
        {"base_url": "ftp://staging.example.com"},
        {"base_url": "https://user:word@staging.example.com"},
        {"base_url": "https://staging.example.com/v2?a=b"},
        {"base_url": "https://staging.example.com/v2#a"},
        {"base_url": "https://staging.example.com/v2\n"},
        {"base_url": "https://staging.example.com/v 2"},
        {"base_url": "https://"},
        {"profile": "strict"},
        {"allow_key_rotation": "yes"},
        {"credentials": {"Owner": KEY}},
        {"credentials": {"admin": KEY}},
        credential(1),
        credential({}),
        credential({"env": ""}),
        credential({"file": ""}),
        credential({"env": "A", "file": "b"}),
        credential({"vault": "x"}),
        credential({"command": "./login owner"}),
        credential({"command": []}),
        credential({"command": [""]}),
        credential({"command": ["./login", 1]}),
        {"provider_states": {}},
        {"provider_states": {"url": "127.0.0.1:8080/_states"}},
        {"provider_states": {"url": "http://127.0.0.1:8080/_states", "token": "x"}},
        {"http": {"timeout": 0}},
        {"http": {"timeout": "10"}},
        {"http": {"requests_per_second": -1}},
        {"http": {"max_body": 0}},
        {"http": {"max_body": 1.5}},
        {"http": {"headers": {"X Gateway": "a"}}},
        {"http": {"headers": {"X-Gateway\n": "a"}}},
        {"http": {"headers": {"X-Gateway": "a\n"}}},
        {"http": {"headers": {"X-Gateway": 1}}},
        {"http": {"proxy": "x"}},
        {"http": {"provoke_rate_limit": 1}},
    ],
    "waivers": [
        {"waivers": []},
        {"waiver": {}},
        waiver(requirement=None),
        waiver(requirement=""),
        waiver(reason=None),
        waiver(reason=" "),
        waiver(expires=None),
        waiver(expires="2027-02-30"),
        waiver(expires="20270131"),
        waiver(expires="2027-01-31\n"),
        waiver(expires="2027-01-31T00:00:00"),
        waiver(expect=""),
        waiver(until="2027-01-31"),
    ],
    "history": [
        {},
        [],
        *({name: value for name, value in recorded().items() if name != left_out} for left_out in recorded()),
        recorded(format=2),
        recorded(more=1),
        recorded(target={"base_url": "", "embedded": False, "profile": "core"}),
        recorded(target={"base_url": "https://staging.example.com/v2", "embedded": False, "profile": "strict"}),
        recorded(stand_ins=[{"name": "owner"}]),
        *(
            recorded(answers=[{name: value for name, value in recorded()["answers"][0].items() if name != left_out}])
            for left_out in recorded()["answers"][0]
        ),
        recorded_answer(kind="good"),
        recorded_answer(code="3"),
        recorded_answer(sent_at=None),
        recorded_answer(response={}),
        recorded_answer(violations=[RECORDED_VIOLATION | {"exchange": None}]),
        recorded_answer(intent=recorded()["answers"][0]["intent"] | {"operation": "delete"}),
        recorded_answer(intent=recorded()["answers"][0]["intent"] | {"refusal": RECORDED_REFUSAL | {"form": "polite"}}),
        recorded_answer(request=recorded()["answers"][0]["request"] | {"headers": [["Accept"]]}),
        recorded_answer(request=recorded()["answers"][0]["request"] | {"body": {"encoding": "base64", "text": ""}}),
        recorded_test(results={"S4-key-form": ["skipped", ""]}),
        recorded_test(results={"S4-key-form": ["passed"]}),
        recorded_test(in_question=[-1]),
    ],
    "report": [
        {},
        *({name: value for name, value in report().items() if name != left_out} for left_out in report()),
        report(complete=False),
        report("passed"),
        report("conformant", 2),
        report("nonconformant", 0, requirement("failed")),
        report("nonconformant", 1, requirement()),
        report("conformant", 0, requirement("failed")),
        report("conformant", 0, requirement("not_verified")),
        report("conformant", 0, requirement("waived")),
        report("conformant_with_waivers", 0, requirement()),
        report("conformant_with_waivers", 0, requirement("waived"), requirement("blocked")),
        report("inconclusive", 6, requirement("blocked")),
        report("unreachable", 1, requirement("not_verified")),
        report("inconclusive", 0, requirement("skipped")),
        report("inconclusive", 0, requirement("not_verified", reason=None)),
        report("inconclusive", 0, requirement("warning")),
        report("inconclusive", 0, requirement("failed", level="SHOULD")),
        report("interrupted", 2, requirement("failed", violations=[])),
        report("interrupted", 2, requirement("passed", violations=requirement("failed")["violations"])),
        report("conformant", 0, requirement(id="read gives the last key")),
        report("conformant", 0, requirement(level="RECOMMENDED")),
        report("conformant", 0, requirement(sources=[])),
        report("conformant", 0, {"id": "T2-read-gives-last-created", "result": "passed"}),
        report(started="yesterday"),
        report(requests=-1),
        report(contract={"version": "1.0.0", "sha256": "abc"}),
    ],
}


class TestSchemas:
    """The JSON Schemas."""

    def test_every_schema_has_its_instances_here(self) -> None:
        assert set(schemas.NAMES) == GOOD.keys() == BAD.keys()

    @pytest.mark.parametrize("name", schemas.NAMES)
    def test_is_a_schema_of_2020_12(self, name: str) -> None:
        from jsonschema import Draft202012Validator

        schema = schemas.load(name)
        assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
        Draft202012Validator.check_schema(schema)

    @pytest.mark.parametrize("name", schemas.NAMES)
    def test_is_found_by_file_name_without_the_network(self, name: str) -> None:
        text = json.dumps(schemas.load(name))
        assert '"$id"' not in text, "some tools look for the siblings of a schema with an $id on the network"
        for reference in references(schemas.load(name)):
            assert reference.startswith("#/$defs/") or (schemas.DIRECTORY / reference).is_file()

    @pytest.mark.parametrize("name", schemas.NAMES)
    def test_says_what_it_is_and_shows_it(self, name: str) -> None:
        schema = schemas.load(name)
        assert schema["title"]
        assert schema["description"]
        assert name == "report" or schema["examples"]
        for example in schema.get("examples", ()):
            schemas.validator(name).validate(example)

    @pytest.mark.parametrize(
        ("name", "instance"),
        [pytest.param(name, x, id=f"{name}-{n}") for name in GOOD for n, x in enumerate(GOOD[name])],
    )
    def test_accepts(self, name: str, instance: Any) -> None:
        schemas.validator(name).validate(instance)

    @pytest.mark.parametrize(
        ("name", "instance"), [pytest.param(name, x, id=f"{name}-{n}") for name in BAD for n, x in enumerate(BAD[name])]
    )
    def test_refuses(self, name: str, instance: Any) -> None:
        assert not schemas.validator(name).is_valid(instance), instance

    def test_a_validator_is_made_once_and_before_it_is_needed(self) -> None:
        schemas.validator.cache_clear()
        schemas.prepare("success", "error")
        assert schemas.validator.cache_info()[:2] == (0, 2)
        schemas.validator("error")
        assert schemas.validator.cache_info()[:2] == (1, 2)

    def test_the_target_file_knows_exactly_the_accounts(self) -> None:
        assert tuple(schemas.load("target")["properties"]["credentials"]["properties"]) == ACCOUNTS

    def test_an_unknown_name_is_an_error_that_lists_the_known(self) -> None:
        with pytest.raises(KeyError, match="waivers"):
            schemas.load("waiver")


class TestCodes:
    """The catalogue of error codes."""

    def test_has_every_code_that_the_documents_name(self) -> None:
        assert codes.CODES.keys() == DOCUMENTED
        rows = tomllib.loads((bundle.HERE / "error_codes.toml").read_text(encoding="utf-8"))["error"]
        assert [row["code"] for row in rows] == sorted(DOCUMENTED), "each code once, in order"

    def test_gives_each_code_its_status_and_its_operations(self) -> None:
        for code in range(-1, 320):
            assert codes.http_status(code) == STATUSES.get(code, 400), code
            for name in OPERATIONS:
                assert codes.allowed_for(code, name) == (1 <= code <= 100 or code in SPECIFIC[name]), (code, name)

    def test_says_of_each_code_what_it_means_and_where_that_is_from(self) -> None:
        for code, entry in codes.CODES.items():
            assert entry.code == code
            assert entry.scope == ("general" if code <= 100 else "specific")
            assert entry.operations == {name for name in OPERATIONS if code <= 100 or code in SPECIFIC[name]}
            assert entry.meaning.endswith(".")
            assert re.match(r"(ERRORS|DELIVERY): ", entry.source)

    def test_takes_a_code_as_json_schema_does(self) -> None:
        # json.loads("3.0") is a float, and to JSON Schema an integer; true is none, though it equals 1 in Python.
        assert codes.http_status(json.loads("9.0")) == 412
        assert codes.allowed_for(json.loads("101.0"), "create")
        assert not codes.allowed_for(json.loads("3.5"), "create")
        assert codes.allowed_for(json.loads("true"), "create") is False

    def test_knows_where_the_documents_have_codes(self) -> None:
        assert [code for code in range(-1, 400) if codes.exists(code)] == [*range(1, 101), *range(101, 301)]

    def test_an_operation_that_does_not_exist_has_no_codes_of_its_own(self) -> None:
        assert not codes.allowed_for(111, "delete")
        assert codes.allowed_for(3, "delete")


class TestRequirements:
    """The catalogue of requirements."""

    @staticmethod
    def catalogue() -> dict[str, Any]:
        return tomllib.loads((bundle.HERE / "requirements.toml").read_text(encoding="utf-8"))

    def test_each_has_the_members_of_one_and_an_id_of_its_own(self) -> None:
        seen = set()
        for entry in self.catalogue()["requirement"]:
            assert entry["id"] not in seen
            seen.add(entry["id"])
            allowed = {"id", "level", "profile", "title", "obligation", "sources", "untested"}
            assert allowed - {"untested"} <= entry.keys() <= allowed, entry["id"]
            assert entry.get("untested", "a reason").strip(), entry["id"]

    def test_each_cites_documents_that_are_known(self) -> None:
        documents = self.catalogue()["documents"]
        cited = set()
        for entry in self.catalogue()["requirement"]:
            assert entry["sources"], entry["id"]
            for text in entry["sources"]:
                document, colon, place = text.partition(": ")
                assert document in documents, f"{entry['id']} cites {document}"
                assert colon, f"{entry['id']} names no place in {document}"
                assert place.strip(), f"{entry['id']} names no place in {document}"
                cited.add(document)
        assert cited == documents.keys(), "a document that nothing cites"
        for name, document in documents.items():
            assert document["title"], name
            # Behind the tag of a decision of the project stands its reason, and no page.
            assert document.get("url", "").startswith("https://") != (name == "PROJECT"), name


@pytest.mark.node
@pytest.mark.tools
class TestLinters:
    """What other people's linters say; their rules are in contracts/lint."""

    REDOCLY: Final = ("redocly", "lint", "--config", tools.LINT / "redocly.yaml")
    SPECTRAL: Final = ("spectral", "lint", "--ruleset", tools.LINT / ".spectral.yaml", "--fail-severity", "hint")

    @pytest.mark.parametrize("path", [bundle.SOURCE, bundle.TARGET, bundle.CLIENT], ids=lambda path: path.name)
    @pytest.mark.parametrize("command", [REDOCLY, SPECTRAL], ids=lambda command: command[0])
    def test_finds_nothing(self, command: tuple[str, ...], path: Path, tmp_path: Path) -> None:
        # The form for generators states its licence in words: contracts/client_form.py says why.
        skipped = ["--skip-rule", "info-license"] if command[0] == "redocly" and path == bundle.CLIENT else []
        result = tools.run([tools.node_bin() / command[0], *command[1:], *skipped, path], cwd=tmp_path)
        assert result.returncode == 0, result.stdout

    @pytest.mark.parametrize("command", [REDOCLY, SPECTRAL], ids=lambda command: command[0])
    def test_finds_an_example_that_breaks_its_schema(self, command: tuple[str, ...], tmp_path: Path) -> None:
        document = copy.deepcopy(bundled())
        document["components"]["examples"]["Key"]["value"]["value"] = "not a key"
        path = tmp_path / "openapi.json"
        path.write_text(json.dumps(document))
        result = tools.run([tools.node_bin() / command[0], *command[1:], path], cwd=tmp_path)
        assert result.returncode == 1, result.stdout
        assert "pattern" in result.stdout or "32" in result.stdout, result.stdout
