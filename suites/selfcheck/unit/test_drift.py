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
    text = Path(drift.__file__).read_text(encoding="utf-8")
    named = set(re.findall(r'"([A-Z][0-9]+(?:-[a-z0-9]+)+)"', text))
    assert named <= catalogue().keys()
    assert len(named) > 15
    specific = {code for code, entry in codes.CODES.items() if entry.scope == "specific"}
    assert {code for code in range(1, 1000) if drift._NAMED.fullmatch(str(code))} == specific


class TestNavixy:
    """The two operations as Navixy published them in August 2026."""

    def test_contradicts_only_that_the_header_may_be_left_out(self) -> None:
        found = drift.compare(CONTRACT, published())
        assert found.contradicted == ("C1-post-json", "C2-post-form")
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


def _no_get(document: dict[str, Any]) -> None:
    """No call by GET, and no word of it in the calls by POST."""
    for item in document["paths"].values():
        del item["get"]
        item["post"].update(summary="", description=drift.RIGHT)


def _moved_path(document: dict[str, Any]) -> None:
    document["paths"][f"/v3{READ}/"] = document["paths"].pop(READ)


OTHERWISE: Final[dict[str, tuple[Change, str]]] = {
    "an operation is gone": (lambda d: d["paths"].pop(READ), "C1-get-query"),
    "DELETE is possible": (lambda d: d["paths"][READ].update(delete={}), "C7-other-methods-refused"),
    "only the header": (lambda d: d.update(security=[{"nvxHash": []}]), "C1-get-query"),
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
    "form bodies": (
        lambda d: d["components"]["requestBodies"]["Call"]["content"].pop("application/x-www-form-urlencoded"),
        "C2-post-form",
    ),
    "the header": (lambda d: (d.pop("security"), d["components"].pop("securitySchemes")), "C3-header-with-get"),
    "iso_datetime": (
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
    "that a value is there": (lambda d: schema(d, "Success").update(required=["success"]), "S3-success-members"),
}

BESIDES: Final[dict[str, tuple[Change, str]]] = {
    "an action": (
        lambda d: d["paths"].update({"/user/session/delivery/update": {"post": {}}}),
        "C7-unknown-action-refused",
    ),
    "a parameter": (
        lambda d: d["paths"][READ]["get"]["parameters"].append({"name": "locale", "in": "query"}),
        "C5-unknown-parameter-ignored",
    ),
    "a member of a success": (
        lambda d: schema(d, "Success")["properties"].update(expires={"type": "string"}),
        "S5-clients-ignore-the-unknown",
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
    def test_is_there_besides_and_contradicts_nothing(self, change: Change, requirement: str) -> None:
        found = changed(change)
        assert [(each.kind, each.requirements) for each in found.differences][-1] == ("besides", (requirement,))
        assert {each.kind for each in found.differences} == {"besides"}
        assert found.contradicted == ()

    def test_a_base_path_or_a_slash_at_the_end_makes_no_difference(self) -> None:
        assert changed(_moved_path).differences == ()

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
    "Swagger 2": (lambda: {**CONTRACT, "openapi": None, "swagger": "2.0"}, "no OpenAPI 3 document"),
    "without paths": (lambda: {"openapi": "3.1.0"}, "describes neither"),
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
        path = tmp_path / "published.yaml"
        path.write_text(yaml.safe_dump(CONTRACT), encoding="utf-8")
        assert commands.drift(str(path)) == 0
        assert "contradicted: no requirement" in capsys.readouterr().out

    def test_controls_of_the_terminal_are_spelled_out(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        path = tmp_path / "published.json"
        path.write_text(json.dumps({**CONTRACT, "info": {"title": "a\x1b[2Jb"}}), encoding="utf-8")
        commands.drift(str(path))
        assert "\x1b" not in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("name", "content", "why"),
        [
            ("absent.json", None, "cannot be read"),
            ("text.json", "openapi: 3.1.0", "is not JSON"),
            ("deep.json", "[" * 100_000, "is not JSON"),
            ("text.yaml", "a: [", "is not YAML"),
            ("bytes.json", b"\xff", "is not UTF-8"),
            ("other.json", "{}", "no OpenAPI 3 document"),
        ],
    )
    def test_what_cannot_be_read_is_one_line_and_exit_code_4(
        self, name: str, content: str | bytes | None, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        assert cli.main(["--drift", str(path)]) == 4
        captured = capsys.readouterr()
        assert why in captured.err
        assert len(captured.err.splitlines()) == 1
        assert captured.out == ""

    def test_an_empty_name_is_refused(self) -> None:
        with pytest.raises(SetupError, match="--drift is empty"):
            commands.drift("")
