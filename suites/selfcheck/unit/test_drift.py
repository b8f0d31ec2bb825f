"""The comparison of the contract with a document that somebody else publishes: what is missing, more, and said otherwise.

``published/navixy-2026-08.json`` is written by hand from what is known of Navixy's own document of August 2026.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from contracts import bundle, codes, drift
from contracts.drift import answers
from contracts.requirements import catalogue
from fixtures.errors import SetupError
from suites import cli
from suites.runner import commands

CONTRACT: Final[dict[str, Any]] = json.loads(bundle.TARGET.read_text(encoding="utf-8"))
PUBLISHED: Final = Path(__file__).with_name("published") / "navixy-2026-08.json"
CREATE: Final = "/user/session/delivery/create"
READ: Final = "/user/session/delivery/read"

Change = Callable[[dict[str, Any]], Any]


def published() -> dict[str, Any]:
    """The document of August 2026, anew each time."""
    document: dict[str, Any] = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    return document


def changed(change: Change) -> drift.Drift:
    """The comparison with the bundle, changed."""
    document = copy.deepcopy(CONTRACT)
    change(document)
    return drift.compare(CONTRACT, document)


def schema(document: dict[str, Any], name: str) -> Any:
    """A schema of the bundle."""
    return document["components"]["schemas"][f"DeliverySession{name}"]


def test_the_contract_does_not_differ_from_itself() -> None:
    assert drift.compare(CONTRACT, CONTRACT).differences == ()


def test_the_form_for_generators_does_not_differ_from_the_contract() -> None:
    assert drift.compare(CONTRACT, json.loads(bundle.CLIENT.read_text(encoding="utf-8"))).differences == ()


def test_names_only_requirements_and_codes_that_there_are() -> None:
    modules = sorted(Path(drift.__file__).parent.glob("*.py"))
    text = "".join(path.read_text(encoding="utf-8") for path in modules)
    named = set(re.findall(r'"([A-Z][0-9]+(?:-[a-z0-9]+)+)"', text))
    assert named <= catalogue().keys()
    assert len(named) > 15
    specific = {code for code, entry in codes.CODES.items() if entry.scope == "specific"}
    assert {code for code in range(1, 1000) if answers._NAMED.fullmatch(str(code))} == specific


class TestNavixy:
    """The two operations as Navixy published them in August 2026."""

    def test_contradicts_only_that_the_header_may_be_left_out(self) -> None:
        found = drift.compare(CONTRACT, published())
        assert found.contradicted == ("C1-post-json", "C2-post-form", "C9-query-hash-with-post")
        assert {each.what for each in found.differences if each.kind == "otherwise"} == {
            "the header Authorization is mandatory; here the hash may stand in the query or the body in its place"
        }

    def test_lacks_what_it_is_silent_about(self) -> None:
        lacking = {
            (each.place, each.what) for each in drift.compare(CONTRACT, published()).differences if each.kind == "lacks"
        }
        assert {
            ("POST read", "code 201"),
            ("POST read", "HTTP 403, but for its default"),
            ("POST create", "HTTP 429, but for its default"),
            ("POST create, HTTP 200", "that value is always there"),
            ("POST create, HTTP 200", "the pattern of a key"),
            ("POST create", "the parameter hash in the query"),
            ("create", "the address with a slash at its end"),
            ("POST create, default, status", "that code is always there"),
        } <= lacking
        # The two codes are named in words, GET and the right likewise, and the list errors is known to both.
        for said in ("code 236", "code 101", "a call by GET", f"the right {drift.RIGHT}"):
            assert ("POST create", said) not in lacking
        assert not any(each.kind == "besides" for each in drift.compare(CONTRACT, published()).differences)

    def test_contradicts_nothing_once_the_header_may_be_left_out(self) -> None:
        document = published()
        for item in document["paths"].values():
            item["post"]["security"].append({})
        found = drift.compare(CONTRACT, document)
        assert found.contradicted == ()
        assert list(found.lines())[-1] == "contradicted: no requirement"


def _no_post(document: dict[str, Any]) -> None:
    """No call by POST."""
    for item in document["paths"].values():
        del item["post"]


def _no_get(document: dict[str, Any]) -> None:
    """No call by GET, and no word of it in the calls by POST."""
    for item in document["paths"].values():
        del item["get"]
        item["post"].update(summary="", description=drift.RIGHT)


def _move(document: dict[str, Any], path: str, base: str = "", **variables: Any) -> None:
    """Put ``read`` to another place, below the server `base` where one is given."""
    document["paths"][path] = document["paths"].pop(READ)
    document["paths"].pop(CREATE)
    if base:
        document["servers"] = [{"url": base, "variables": variables}]


def _with_slash(**responses: Any) -> Change:
    """A path item of its own for the address with a slash."""
    return lambda d: d["paths"].update({f"{READ}/": {"get": {"responses": responses}}})


def _one_of(document: dict[str, Any]) -> None:
    """A success is one of two forms, of which one is the contract's; a hash may be null."""
    success = document["components"]["responses"]["Key"]["content"]["application/json"]
    success["schema"] = {"oneOf": [{"type": "object", "properties": {"link": {"type": "string"}}}, success["schema"]]}
    parameters = schema(document, "Parameters")["properties"]
    parameters["hash"] = {"anyOf": [parameters["hash"], {"type": "null"}]}


def _grouped(document: dict[str, Any]) -> None:
    """Errors by the class of their status alone."""
    for item in document["paths"].values():
        for call in item.values():
            error = {"$ref": "#/components/responses/CreateBadRequest"}
            call["responses"] = {"200": call["responses"]["200"], "4xx": error, "5XX": {"description": "x"}}


def _unnamed_slash(document: dict[str, Any]) -> None:
    document["info"]["description"] = "Two calls."


OTHERWISE: Final[dict[str, tuple[Change, str]]] = {
    "an operation is gone": (lambda d: d["paths"].pop(READ), "C1-get-query"),
    "DELETE is possible": (lambda d: d["paths"][READ].update(delete={}), "C7-other-methods-refused"),
    "only the header": (lambda d: d.update(security=[{"nvxHash": []}]), "C1-get-query"),
    "only the header, and the query with POST": (
        lambda d: d.update(security=[{"nvxHash": []}]),
        "C9-query-hash-with-post",
    ),
    "OAuth": (
        lambda d: d["components"]["securitySchemes"].update(nvxHash={"type": "oauth2", "flows": {}}),
        "C4-other-schemes-refused",
    ),
    "the hash in the query alone": (
        lambda d: (
            d["components"]["securitySchemes"].update(nvxHash={"type": "apiKey", "in": "query", "name": "hash"})
            or d.update(security=[{"nvxHash": []}])
        ),
        "C3-header-with-post",
    ),
    "a mandatory hash in the query": (
        lambda d: d["components"]["parameters"]["HashQuery"].update(required=True),
        "C1-post-json",
    ),
    "a longer hash in the query": (
        lambda d: d["components"]["parameters"]["HashQuery"].update(schema={"type": "string", "minLength": 64}),
        "C9-query-hash-with-post",
    ),
    "a body beside the hash in the query": (
        lambda d: d["components"]["requestBodies"]["Call"].update(required=True),
        "C9-query-hash-with-post",
    ),
    "no slash at the end": (_with_slash(**{"404": {"description": "Not found"}}), "C8-slash-at-the-end"),
    "a redirect from the slash": (_with_slash(**{"301": {"description": "Without it"}}), "C8-slash-at-the-end"),
    "a body that may not hold iso_datetime": (
        lambda d: (
            schema(d, "Parameters").update(unevaluatedProperties=False)
            or schema(d, "Parameters")["properties"].pop("iso_datetime")
        ),
        "C5-iso-datetime-accepted",
    ),
    "an error with 200": (
        lambda d: d["components"]["responses"]["Key"]["content"]["application/json"].update(
            schema={"oneOf": [{"$ref": f"#/components/schemas/DeliverySession{name}"} for name in ("Success", "Error")]}
        ),
        "E2-status-goes-with-code",
    ),
    "an example of an error with 200": (
        lambda d: d["components"]["examples"]["KeyAndMore"].update(value={"success": False}),
        "E2-status-goes-with-code",
    ),
    "a code in the wrong class of statuses": (
        lambda d: d["paths"][CREATE]["get"].update(responses={"5xx": {"description": "The tariff (236)"}}),
        "E2-status-goes-with-code",
    ),
    "the key may be null": (lambda d: schema(d, "Key").update(type=["string", "null"]), "S3-success-members"),
    "the key may be null, as 3.0 says it": (lambda d: schema(d, "Key").update(nullable=True), "S3-success-members"),
    "a bearer token": (
        lambda d: d["components"]["securitySchemes"].update(nvxHash={"type": "http", "scheme": "bearer"}),
        "C4-other-schemes-refused",
    ),
    "a mandatory parameter": (
        lambda d: d["paths"][READ]["get"]["parameters"].append({"name": "user", "in": "query", "required": True}),
        "C1-get-query",
    ),
    "a mandatory member": (lambda d: schema(d, "Parameters").update(required=["user"]), "C1-post-json"),
    "a mandatory hash": (lambda d: schema(d, "Parameters").update(required=["hash"]), "C3-header-with-post"),
    "a mandatory body": (
        lambda d: d["components"]["requestBodies"]["Call"].update(required=True),
        "C3-header-with-post",
    ),
    "a closed body": (
        lambda d: schema(d, "Parameters").update(additionalProperties=False),
        "C5-unknown-parameter-ignored",
    ),
    "a body that is a list": (lambda d: schema(d, "Parameters").update(type="array"), "C1-post-json"),
    "a longer hash": (lambda d: d["components"]["schemas"]["Hash"].update(minLength=64), "C1-post-json"),
    "a numeric hash": (lambda d: d["components"]["schemas"]["Hash"].update(type="integer"), "C1-get-query"),
    "success is 201": (
        lambda d: d["paths"][CREATE]["post"]["responses"].update({"201": {"description": "Created"}}),
        "S1-success-is-200",
    ),
    "a redirect": (
        lambda d: d["paths"][CREATE]["get"]["responses"].update({"302": {"description": "Elsewhere"}}),
        "P3-no-redirect",
    ),
    "another status": (
        lambda d: d["paths"][READ]["get"]["responses"].update({"404": {"description": "No session"}}),
        "E2-status-goes-with-code",
    ),
    "another status for a code": (
        lambda d: d["components"]["responses"]["CreateForbidden"].update(description="The tariff (236)"),
        "E2-status-goes-with-code",
    ),
    "a code of another operation": (
        lambda d: d["components"]["responses"]["ReadForbidden"].update(description="Demo mode (101)"),
        "E3-code-belongs-to-operation",
    ),
    "a code that nobody knows": (
        lambda d: d["components"]["examples"]["Error101"]["value"]["status"].update(code=207),
        "E3-code-belongs-to-operation",
    ),
    "another media type": (
        lambda d: d["components"]["responses"]["Key"].update(content={"text/plain": {"schema": {"type": "string"}}}),
        "S2-json-object",
    ),
    "the key has another name": (
        lambda d: schema(d, "Success")["properties"].update(key=schema(d, "Success")["properties"].pop("value")),
        "S3-success-members",
    ),
    "the key is an object": (lambda d: schema(d, "Key").update(type="object"), "S3-success-members"),
    "the key is a UUID": (lambda d: schema(d, "Key").update(format="uuid"), "S4-key-form"),
    "the key is in capitals": (lambda d: schema(d, "Key").update(pattern="^[0-9A-F]+$"), "S4-key-form"),
    "success is a string": (
        lambda d: schema(d, "Success")["properties"].update(success={"type": "string"}),
        "S3-success-members",
    ),
    "success is never true": (
        lambda d: schema(d, "Success")["properties"].update(success={"enum": [1]}),
        "S3-success-members",
    ),
    "a closed error": (
        lambda d: schema(d, "Error").update(unevaluatedProperties=False),
        "S5-clients-ignore-the-unknown",
    ),
    "a closed answer": (
        lambda d: schema(d, "Success").update(additionalProperties=False),
        "S5-clients-ignore-the-unknown",
    ),
    "an error succeeds": (
        lambda d: schema(d, "Error")["properties"]["success"].update(const=True),
        "E1-error-envelope",
    ),
    "a code is a string": (
        lambda d: d["components"].update(
            schemas=json.loads(json.dumps(d["components"]["schemas"]).replace('"integer"', '"string"'))
        ),
        "E1-error-envelope",
    ),
    "an error has a value": (
        lambda d: schema(d, "Error")["properties"]["value"].update(type="string"),
        "E4-no-value-in-error",
    ),
}

LACKS: Final[dict[str, tuple[Change, str]]] = {
    "GET": (_no_get, "C1-get-query"),
    "POST": (_no_post, "C1-post-json"),
    "form bodies": (
        lambda d: d["components"]["requestBodies"]["Call"]["content"].pop("application/x-www-form-urlencoded"),
        "C2-post-form",
    ),
    "the header": (lambda d: (d.pop("security"), d["components"].pop("securitySchemes")), "C3-header-with-get"),
    "iso_datetime in the query": (
        lambda d: d["paths"][READ]["get"]["parameters"].pop(1),
        "C5-iso-datetime-accepted",
    ),
    "iso_datetime in a header": (
        lambda d: d["paths"][READ]["post"]["parameters"].pop(1),
        "C5-iso-datetime-accepted",
    ),
    "iso_datetime in the body": (
        lambda d: schema(d, "Parameters")["properties"].pop("iso_datetime"),
        "C5-iso-datetime-accepted",
    ),
    "a status": (lambda d: d["paths"][CREATE]["get"]["responses"].pop("402"), "T7-tariff-create-refused"),
    "a code": (
        lambda d: d["components"]["responses"]["ReadBadRequest"].update(description="", content={}),
        "T4-read-without-session",
    ),
    "the right": (
        lambda d: d["paths"][CREATE]["get"].update(description="Creates a session."),
        "T6-subuser-create-refused",
    ),
    "the pattern of a key": (lambda d: schema(d, "Key").pop("pattern"), "S4-key-form"),
    "the slash": (_unnamed_slash, "C8-slash-at-the-end"),
    "the address without a slash": (
        lambda d: d["paths"].update({f"{READ}/": d["paths"].pop(READ)}),
        "C8-slash-at-the-end",
    ),
    "the hash in the query of a POST": (
        lambda d: [d["paths"][path]["post"]["parameters"].pop(0) for path in (CREATE, READ)],
        "C9-query-hash-with-post",
    ),
    "statuses but for their class": (_grouped, "E2-status-goes-with-code"),
    "that a success is 200 alone": (
        lambda d: d["paths"][READ]["get"]["responses"].update({"2XX": d["paths"][READ]["get"]["responses"].pop("200")}),
        "S1-success-is-200",
    ),
    "that a value is there": (lambda d: schema(d, "Success").update(required=["success"]), "S3-success-members"),
}

BESIDES: Final[dict[str, tuple[Change, str | None]]] = {
    "an action": (
        lambda d: d["paths"].update({"/user/session/delivery/update": {"post": {}}}),
        "C7-unknown-action-refused",
    ),
    "a parameter": (
        lambda d: d["paths"][READ]["get"]["parameters"].append({"name": "locale", "in": "query"}),
        "C5-unknown-parameter-ignored",
    ),
    "a deprecated call": (lambda d: d["paths"][READ]["get"].update(deprecated=True), None),
    "a body of another kind": (
        lambda d: d["components"]["requestBodies"]["Call"]["content"].update({"application/xml": {}}),
        None,
    ),
    "a member of a success": (
        lambda d: schema(d, "Success")["properties"].update(expires={"type": "string"}),
        "S5-clients-ignore-the-unknown",
    ),
    "a status of a gateway": (
        lambda d: d["paths"][READ]["get"]["responses"].update({"502": {"description": "Bad gateway"}}),
        "B1-bad-input-refused",
    ),
    "the older right": (
        lambda d: d["paths"][CREATE]["get"].update(description="Required sub-user rights: `admin`."),
        "T6-subuser-create-refused",
    ),
}


class TestDifferences:
    """Each kind of difference, made by one change of the contract's own document."""

    @pytest.mark.parametrize(("change", "requirement"), OTHERWISE.values(), ids=OTHERWISE)
    def test_is_said_otherwise(self, change: Change, requirement: str) -> None:
        found = changed(change)
        assert requirement in found.contradicted
        assert any(line.startswith("otherwise: ") and requirement in line for line in found.lines())

    @pytest.mark.parametrize(("change", "requirement"), LACKS.values(), ids=LACKS)
    def test_is_lacking_and_contradicts_nothing(self, change: Change, requirement: str) -> None:
        found = changed(change)
        assert {each.kind for each in found.differences} == {"lacks"}
        assert requirement in {name for each in found.differences for name in each.requirements}
        assert found.contradicted == ()

    @pytest.mark.parametrize(("change", "requirement"), BESIDES.values(), ids=BESIDES)
    def test_is_there_besides_and_contradicts_nothing(self, change: Change, requirement: str | None) -> None:
        found = changed(change)
        resting = (requirement,) if requirement else ()
        assert [(each.kind, each.requirements) for each in found.differences][-1] == ("besides", resting)
        assert {each.kind for each in found.differences} == {"besides"}
        assert found.contradicted == ()

    @pytest.mark.parametrize(
        ("path", "base", "variables"),
        [
            (f"/v3{READ}", "", {}),
            ("/read", "https://api.example.com/v2/user/session/delivery/", {}),
            ("/delivery/read", "/v2/user/session", {}),
            ("/session/delivery/read", "https://{host}/{version}/user", {"version": {"default": "v2"}}),
        ],
    )
    def test_a_path_may_begin_anywhere(self, path: str, base: str, variables: Any) -> None:
        found = changed(lambda d: _move(d, path, base, **variables))
        assert {(each.place, each.what) for each in found.differences} == {("create", "there is no such call")}

    def test_one_of_several_forms_is_enough(self) -> None:
        assert changed(_one_of).differences == ()

    def test_a_scheme_of_the_query_is_the_parameter(self) -> None:
        def as_scheme(document: dict[str, Any]) -> None:
            document["components"]["securitySchemes"]["key"] = {"type": "apiKey", "in": "query", "name": "hash"}
            document["security"] = [{"nvxHash": []}, {"key": []}, {}]
            for path in (CREATE, READ):
                for method in ("get", "post"):
                    document["paths"][path][method]["parameters"].pop(0)

        assert changed(as_scheme).differences == ()

    def test_the_scheme_nvx_is_the_header(self) -> None:
        scheme = {"type": "http", "scheme": "nvx"}
        assert changed(lambda d: d["components"]["securitySchemes"].update(nvxHash=scheme)).differences == ()

    def test_the_right_may_stand_in_an_extension(self) -> None:
        def extension(document: dict[str, Any]) -> None:
            call = document["paths"][CREATE]["get"]
            call["description"] = "Creates a session."
            call["x-rights"] = {"required": [{"sub-user": [drift.RIGHT]}]}

        assert changed(extension).differences == ()

    def test_extensions_among_the_answers_are_none(self) -> None:
        assert changed(lambda d: d["paths"][READ]["get"]["responses"].update({"x-note": {}})).differences == ()

    def test_references_by_number_and_in_percents_are_followed(self) -> None:
        def refer(document: dict[str, Any]) -> None:
            document["x-parameters"] = document["paths"][READ]["get"]["parameters"]
            document["components"]["schemas"]["A key"] = document["components"]["schemas"].pop("DeliverySessionKey")
            schema(document, "Success")["properties"]["value"] = {"$ref": "#/components/schemas/A%20key"}
            document["paths"][READ]["get"]["parameters"] = [{"$ref": f"#/x-parameters/{each}"} for each in range(3)]

        assert changed(refer).differences == ()

    def test_places_of_one_difference_stand_together(self) -> None:
        lines = list(changed(lambda d: schema(d, "Key").pop("pattern")).lines())
        assert lines[1:3] == [
            "lacks: the pattern of a key [S4-key-form (MUST)]",
            "    GET create, HTTP 200; POST create, HTTP 200; GET read, HTTP 200; POST read, HTTP 200",
        ]

    def test_what_is_put_together_by_allof_is_read_as_one(self) -> None:
        def split(document: dict[str, Any]) -> None:
            success = schema(document, "Success")
            value = success["properties"].pop("value")
            document["components"]["schemas"]["DeliverySessionSuccess"] = {
                "allOf": [success, {"properties": {"value": {"allOf": [value, {"description": "The key."}]}}}]
            }

        assert changed(split).differences == ()


def _circle(document: dict[str, Any]) -> None:
    document["components"]["responses"]["Key"] = {"$ref": "#/components/responses/Key"}


def _circle_of_schemas(document: dict[str, Any]) -> None:
    document["components"]["schemas"]["DeliverySessionKey"] = {
        "allOf": [{"$ref": "#/components/schemas/DeliverySessionKey"}]
    }


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a document, as what it is in and the name or number that it has there."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield node, key
        yield from _places(value)


UNREADABLE: Final[dict[str, tuple[Callable[[], object], str]]] = {
    "a list": (list, "no OpenAPI 3 document"),
    "Swagger 2": (lambda: {**CONTRACT, "openapi": None, "swagger": "2.0"}, "convert it"),
    "without paths": (lambda: {"openapi": "3.1.0"}, "describes neither"),
    "a path with nothing behind it": (lambda: {"openapi": "3.1.0", "paths": {READ: None}}, "describes neither"),
    "an anchor": (lambda: {"openapi": "3.1.0", "paths": {READ: {"$ref": "#read"}}}, "which is no path"),
    "an address": (
        lambda: {"openapi": "3.1.0", "paths": {READ: {"get": {"responses": {"200": {"$ref": "https://x.example/a"}}}}}},
        "put everything into one file",
    ),
    "other calls": (lambda: {"openapi": "3.1.0", "paths": {"/user/auth": {}}}, "describes neither"),
    "other files": (lambda: yaml.safe_load(bundle.SOURCE.read_text(encoding="utf-8")), "put everything into one file"),
}


class TestUnreadable:
    """A document that cannot be compared."""

    @pytest.mark.parametrize(("make", "why"), UNREADABLE.values(), ids=UNREADABLE)
    def test_is_refused_with_the_reason(self, make: Callable[[], object], why: str) -> None:
        with pytest.raises(drift.DriftError, match=why):
            drift.compare(CONTRACT, make())

    @pytest.mark.parametrize("change", [_circle, _circle_of_schemas])
    def test_a_circle_is_refused(self, change: Change) -> None:
        with pytest.raises(drift.DriftError, match=r"circle|without an end"):
            changed(change)

    def test_a_reference_to_nothing_is_refused(self) -> None:
        with pytest.raises(drift.DriftError, match="which is not there"):
            changed(lambda d: d["components"]["responses"].pop("Key"))

    def test_nonsense_anywhere_in_it_is_read_or_refused(self) -> None:
        document = published()
        junk: list[Any] = [
            "x",
            1,
            None,
            [],
            {},
            True,
            ["a", {}],
            {"a": 1},
            {"$ref": "#/a"},
            {"$ref": 1},
            {"type": [{}]},
        ]
        places = list(_places(document))
        assert len(places) > 100
        for number, (parent, key) in enumerate(places):
            before, parent[key] = parent[key], junk[number % len(junk)]
            with suppress(drift.DriftError):
                list(drift.compare(CONTRACT, document).lines())
            parent[key] = before

    def test_a_schema_of_members_of_itself_is_read(self) -> None:
        found = changed(
            lambda d: schema(d, "Error")["properties"].update(
                cause={"$ref": "#/components/schemas/DeliverySessionError"}
            )
        )
        assert {each.what for each in found.differences} == {"the member cause"}


class TestCommand:
    """``--drift FILE``."""

    @pytest.mark.parametrize(
        ("path", "code"), [(PUBLISHED, 1), (bundle.TARGET, 0), (bundle.CLIENT, 0)], ids=lambda value: str(value)[-24:]
    )
    def test_ends_with_1_where_a_requirement_is_contradicted(
        self, path: Path, code: int, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert cli.main(["--drift", str(path)]) == code
        said = capsys.readouterr().out
        assert ("contradicted: C1-post-json, C2-post-form" in said) == (code == 1)
        assert said.startswith("compared with: ")

    def test_reads_yaml(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        path = tmp_path / "published.YAML"
        path.write_text(yaml.safe_dump(CONTRACT), encoding="utf-8-sig")
        assert commands.drift(str(path)) == 0
        assert "contradicted: no requirement" in capsys.readouterr().out

    def test_reads_what_yaml_merges_in(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        path = tmp_path / "published.yaml"
        text = yaml.safe_dump(CONTRACT).replace("openapi: 3.1.0", "<<: {openapi: 2.0.0, x-a: 1}\nopenapi: 3.1.0")
        path.write_text(text, encoding="utf-8")
        assert commands.drift(str(path)) == 0
        assert "OpenAPI 3.1.0" in capsys.readouterr().out

    def test_its_texts_are_printed_in_one_line_each_and_obeyed_by_no_terminal(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = tmp_path / "published.json"
        title = "a\x1b[2Jb\n::error::c\ud800" + "d" * 500
        path.write_text(json.dumps({**CONTRACT, "info": {"title": title}}), encoding="utf-8")
        assert commands.drift(str(path)) == 0
        first, second, *_ = capsys.readouterr().out.splitlines()
        assert "\x1b" not in first
        assert first.startswith("compared with: a\\x1b[2Jb ::error::c\\ud800d")
        assert len(first) < 150
        assert second.startswith("lacks: ")

    @pytest.mark.parametrize(
        ("name", "content", "why"),
        [
            ("absent.json", None, "cannot be read"),
            ("text.json", "openapi: 3.1.0", "is not JSON"),
            ("empty.json", "", r"is not JSON \(line 1\)"),
            ("deep.json", "[" * 100_000, "nested too deeply"),
            pytest.param("deep.yaml", "[" * 2_000, "nested too deeply", marks=pytest.mark.slow),
            ("text.yaml", "a:\n  - [", r"is not YAML \(line \d\)"),
            ("date.yaml", "a: 2026-99-99", "is not YAML"),
            ("tag.yaml", "a: !!python/object/apply:os.getcwd []", r"is not YAML \(line 1\)"),
            ("bytes.json", b"\xff", "is not UTF-8"),
            ("utf-16.json", "{}".encode("utf-16"), "is not UTF-8"),
            ("other.json", "{}", "no OpenAPI 3 document"),
            ("nan.json", '{"openapi": NaN}', "NaN is no number"),
            ("twice.json", '{"openapi": "3.1.0", "paths": {}, "paths": {}}', "the member paths stands twice"),
            ("twice.yaml", "openapi: 3.1.0\npaths: {}\npaths: {}", "the member paths stands twice"),
            ("surrogate.json", r'{"openapi": "3.1.0", "paths": {}, "a\ud800": 1, "a\ud800": 2}', r"a\\ud800"),
            ("merge.yaml", "openapi: 3.1.0\npaths: {<<: 1}", r"is not YAML \(line 2\)"),
        ],
        ids=lambda value: value if isinstance(value, str) and len(value) < 16 else "",
    )
    def test_what_cannot_be_read_is_one_line_and_exit_code_4(
        self, name: str, content: str | bytes | None, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        assert cli.main(["--drift", str(path)]) == 4
        captured = capsys.readouterr()
        assert re.search(why, captured.err)
        assert len(captured.err.splitlines()) == 1
        assert captured.out == ""

    def test_an_empty_name_is_refused(self) -> None:
        with pytest.raises(SetupError, match="--drift is empty"):
            commands.drift("")


class TestBounded:
    """A document that is made to grow when it is read."""

    def test_schemas_that_name_each_other_many_times(self) -> None:
        def doubled(keyword: str) -> Change:
            def change(document: dict[str, Any]) -> None:
                schemas = document["components"]["schemas"]
                for number in range(35):
                    schemas[f"L{number}"] = {keyword: [{"$ref": f"#/components/schemas/L{number + 1}"}] * 2}
                schemas["L35"] = {"type": "object"}
                document["components"]["responses"]["Key"]["content"]["application/json"]["schema"] = {
                    "$ref": "#/components/schemas/L0"
                }

            return change

        for keyword in ("allOf", "oneOf", "anyOf"):
            assert "the member value" in {each.what for each in changed(doubled(keyword)).differences}

    #: A list of two lists of two lists …, forty deep, each written once.
    ALIASES: Final = ", ".join(["&a0 [x, x]", *(f"&a{each} [*a{each - 1}, *a{each - 1}]" for each in range(1, 40))])

    def test_aliases_of_aliases(self) -> None:
        call = "{x-right: *a39, summary: *a39, security: *a39, parameters: *a39, requestBody: *a39, responses: *a39}"
        text = f"x: [{self.ALIASES}]\nopenapi: 3.1.0\ninfo: {{title: *a39}}\npaths: {{{CREATE}: {{post: {call}}}}}"
        found = drift.compare(CONTRACT, drift.parse(text, is_yaml=True))
        assert sum(map(len, found.lines())) < 20_000

    def test_an_alias_in_place_of_the_version(self) -> None:
        document = drift.parse(f"x: [{self.ALIASES}]\nopenapi: *a39", is_yaml=True)
        with pytest.raises(drift.DriftError, match="no OpenAPI 3 document"):
            drift.compare(CONTRACT, document)

    def test_merges_of_merges(self) -> None:
        levels = [
            "- &a0 {k: 1}",
            *(f"- &a{number} {{<<: [*a{number - 1}, *a{number - 1}]}}" for number in range(1, 40)),
        ]
        document: Any = drift.parse("x:\n" + "\n".join(levels), is_yaml=True)
        assert document["x"][39] == {"k": 1}

    def test_a_large_document(self) -> None:
        document = copy.deepcopy(CONTRACT)
        document["paths"] |= {f"/other/{number}": {"get": {"responses": {}}} for number in range(10_000)}
        assert drift.compare(CONTRACT, drift.parse(json.dumps(document), is_yaml=False)).differences == ()
