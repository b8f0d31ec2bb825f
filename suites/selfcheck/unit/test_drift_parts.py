"""The parts of the comparison with another document, each by itself: statuses, codes, shapes, schemas, methods, the words of it."""

from __future__ import annotations

import copy
import json
from typing import Any, Final

import pytest

from contracts import bundle
from contracts.drift import comparison, shapes
from contracts.drift.answers import answers
from contracts.drift.difference import Difference, Drift, DriftError, besides, lacks, otherwise
from contracts.drift.document import Document, mapping, said, text, types, values
from contracts.drift.text import parse

CONTRACT: Final[dict[str, Any]] = json.loads(bundle.TARGET.read_text(encoding="utf-8"))
READ: Final = "/user/session/delivery/read"
OURS: Final = Document.of(CONTRACT)


def answered(responses: dict[str, Any], operation: Any = "read") -> list[Difference]:
    """What is said of a call with these answers in the place of those of the contract."""
    item = OURS.item(operation)
    return list(answers("x", operation, item["get"], {"responses": responses}, OURS))


def said_of(status: str, response: dict[str, Any] | None = None) -> list[tuple[str, str]]:
    """Kinds and requirements of what is said of one more status."""
    plain = OURS.item("read")["get"]["responses"]
    before = set(answered(plain))
    found = [each for each in answered({**plain, status: response or {"description": "x"}}) if each not in before]
    return [(each.kind, *each.requirements) for each in found]  # type: ignore[misc]


FRONT: Final = ("407", "413", "414", "415", "431", "502", "504", *map(str, range(520, 528)))


@pytest.mark.parametrize("status", FRONT)
def test_a_status_of_a_server_in_front(status: str) -> None:
    assert said_of(status) == [("besides", "B1-bad-input-refused")]


@pytest.mark.parametrize("status", ["405", "408", "416", "430", "432", "501", "505", "519", "528", "404"])
def test_a_status_of_no_code(status: str) -> None:
    assert [each for each in said_of(status) if each[0] != "lacks"] == [("otherwise", "E2-status-goes-with-code")]


@pytest.mark.parametrize("status", ["100", "103", "x-note"])
def test_a_status_of_which_nothing_is_said(status: str) -> None:
    assert said_of(status) == []


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("204", [("otherwise", "S1-success-is-200")]),
        ("302", [("otherwise", "P3-no-redirect")]),
        ("3XX", [("otherwise", "P3-no-redirect")]),
    ],
)
def test_a_status_that_is_no_error(status: str, said: list[tuple[str, str]]) -> None:
    assert said_of(status) == said
    # What it holds is no error of ours.
    holds = {"content": {"application/json": {"schema": {"type": "object", "properties": {"code": {}}}}}}
    assert said_of(status, holds) == said


def test_all_successes_in_one() -> None:
    assert ("otherwise", "S1-success-is-200") in said_of("2XX")
    assert not any(each.kind == "otherwise" for each in answered({"2XX": {"description": "x"}}))


@pytest.mark.parametrize(
    ("status", "requirement"),
    [
        ("200", "S1-success-is-200"),
        ("402", "T7-tariff-create-refused"),
        ("429", "R1-rate-limit-answer"),
        ("403", "E2-status-goes-with-code"),
    ],
)
def test_what_rests_on_a_status(status: str, requirement: str) -> None:
    responses = {name: each for name, each in OURS.item("create")["get"]["responses"].items() if name != status}
    found = [each for each in answered(responses, "create") if each.what == f"HTTP {status}"]
    assert found == [lacks("x", f"HTTP {status}", requirement)]


@pytest.mark.parametrize(
    ("operation", "code", "requirement"),
    [
        ("create", 101, "T5-demo-create-refused"),
        ("read", 201, "T4-read-without-session"),
        ("create", 236, "T7-tariff-create-refused"),
        ("create", 276, "A4-delivery-key-is-no-credential"),
    ],
)
def test_what_rests_on_a_code(operation: Any, code: int, requirement: str) -> None:
    found = {each.what: each.requirements for each in answered({"200": {}}, operation) if each.kind == "lacks"}
    assert found[f"code {code}"] == (requirement,)
    named = answered({"200": {}, "400": {"description": f"or {code}."}}, operation)
    assert f"code {code}" not in {each.what for each in named if each.kind == "lacks"}


@pytest.mark.parametrize(("code", "wrong"), [(True, False), (3, False), (300, True), ("201x", False), (None, False)])
def test_a_code_is_an_integer(code: object, wrong: bool) -> None:
    schema = {"properties": {"status": {"properties": {"code": {"enum": [code]}}}}}
    found = answered({"200": {}, "400": {"content": {"application/json": {"schema": schema}}}})
    assert any("does not give here" in each.what for each in found) is wrong


def test_an_answer_in_another_type() -> None:
    assert said_of("400", {"content": {"text/html": {}}})[0] == ("otherwise", "S2-json-object")
    both: dict[str, Any] = {"content": {"text/html": {}, "Application/JSON; charset=utf-8": {}}}
    assert ("otherwise", "S2-json-object") not in said_of("400", both)


# ---------------------------------------------------------------------- shapes


def key(**schema: Any) -> dict[str, Any]:
    """A success whose value is described so."""
    return {"required": ["success", "value"], "properties": {"success": {}, "value": schema}}


def failure(**status: Any) -> dict[str, Any]:
    """An error whose status is described so."""
    return {"required": ["success", "status"], "properties": {"success": {}, "status": status}}


STATUS: Final = {"required": ["code", "description"], "properties": {"code": {}, "description": {}}}


@pytest.mark.parametrize(
    ("schema", "what"),
    [
        (key(type="string", pattern="x?"), None),
        (key(type=["string"], pattern="["), None),
        (key(pattern="^.{32}$", minLength=32, maxLength=32), None),
        (key(type="string"), "the pattern of a key"),
        (key(type=["integer", "boolean"]), "value is of type boolean or integer; here it is a string"),
        (key(type="string", format="uuid"), f"value has the format uuid; here it is {shapes.KEY_FORM}"),
        (key(minLength=33), f"value has the minLength 33; here it is {shapes.KEY_FORM}"),
        (key(maxLength=31), f"value has the maxLength 31; here it is {shapes.KEY_FORM}"),
        (key(enum=["a", "b"]), f"value is one of a few values; here it is {shapes.KEY_FORM}"),
        (key(enum=["a", "42fc7d3068cb98d233c3af749dee4a8d"], pattern="."), None),
        (key(pattern="^[A-Z]+$"), f"value has the pattern ^[A-Z]+$; here it is {shapes.KEY_FORM}"),
    ],
)
def test_the_value_of_a_success(schema: dict[str, Any], what: str | None) -> None:
    assert [each.what for each in shapes.success("x", schema)] == ([what] if what else [])


@pytest.mark.parametrize(
    ("schema", "what"),
    [
        (failure(**STATUS), None),
        (failure(type="object", **STATUS), None),
        (failure(type=["string", "array"]), "status is of type array or string; here it is an object"),
        (failure(**{**STATUS, "properties": {"code": {"type": "number"}, "description": {"type": "string"}}}), None),
        (
            failure(**{**STATUS, "properties": {"code": {"type": "string"}, "description": {}}}),
            "code is of type string; here it is an integer",
        ),
        (
            failure(**{**STATUS, "properties": {"code": {}, "description": {"type": ["string", "null"]}}}),
            "description is of type null or string; here it is a string",
        ),
        (failure(**{**STATUS, "required": ["code"]}), "that description is always there"),
    ],
)
def test_the_status_of_an_error(schema: dict[str, Any], what: str | None) -> None:
    assert [each.what for each in shapes.error("x", schema)] == ([what] if what else [])


def test_an_error_that_has_a_value() -> None:
    schema = failure(**STATUS)
    for value, wrong in (({"type": "null"}, False), ({"type": "string"}, True), ({}, True)):
        schema["properties"]["value"] = value
        assert ["an error has a value; here it has none"] * wrong == [each.what for each in shapes.error("x", schema)]


def test_members_that_are_not_there() -> None:
    assert [each.what for each in shapes.success("x", {})] == ["the member success", "the member value"]
    (lacking,) = (
        each for each in shapes.success("x", {"properties": {"value": {"pattern": "."}}}) if each.kind != "lacks"
    )
    assert lacking.what == "there is no member success among value"


@pytest.mark.parametrize(
    ("schema", "error"),
    [({"const": False}, True), ({"enum": [False]}, True), ({"enum": [True, False]}, False), ({}, False)],
)
def test_what_describes_errors_alone(schema: dict[str, Any], error: bool) -> None:
    assert shapes.is_error({"properties": {"success": schema}}) is error


def test_the_best_of_several_forms() -> None:
    def compare(form: Any) -> list[Difference]:
        return [Difference(kind, "x", "y") for kind in form["says"]]

    forms = [{"says": ["otherwise"]}, {"says": ["lacks", "lacks"]}, {"says": ["besides"]}]
    assert [each.kind for each in shapes.best(forms, compare)] == ["besides"]
    assert [each.kind for each in shapes.best(forms[:2], compare)] == ["lacks", "lacks"]
    assert shapes.best([], compare) == []


# ---------------------------------------------------------------------- schemas and references


def document(schema: Any, **schemas: Any) -> Document:
    """A document with a schema of this form."""
    root = copy.deepcopy(CONTRACT)
    root["components"] = {"schemas": {"Looked": schema, **schemas}, "list": list("abcdefghijk")}
    return Document(root, OURS.actions)


@pytest.mark.parametrize(
    ("schema", "one"),
    [
        ({"type": "string"}, {"type": "string"}),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, {"type": ["null", "string"]}),
        ({"anyOf": [{"pattern": "x"}, {"type": "null"}]}, {"pattern": "x"}),
        ({"oneOf": [{"type": "string"}, {"type": "integer"}]}, {"type": ["integer", "string"]}),
        ({"oneOf": [{"type": "string"}, {"pattern": "x"}]}, {}),
        ({"oneOf": [{"type": "null"}, {"type": "null"}]}, {"type": ["null"]}),
        ({"type": "string", "nullable": True}, {"type": "string", "nullable": True}),
        ({"allOf": [{"type": "string"}, {"minLength": 3}]}, {"type": "string", "minLength": 3}),
        ({"allOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"required": ["a", "b"]}),
    ],
)
def test_alternatives_in_one(schema: dict[str, Any], one: dict[str, Any]) -> None:
    found = document(schema).schema({"$ref": "#/components/schemas/Looked"})
    assert {name: value for name, value in found.items() if name != "required" or value} == one


def test_alternatives_of_alternatives() -> None:
    inner = {"oneOf": [{"type": "string"}, {"type": "integer"}]}
    forms = document({"anyOf": [inner, {"type": "boolean"}]}).forms({"$ref": "#/components/schemas/Looked"})
    assert [each["type"] for each in forms] == ["string", "integer", "boolean"]


def test_members_are_read_three_levels_deep() -> None:
    schema: dict[str, Any] = {"allOf": [{"type": "string"}]}
    for name in ("d", "c", "b", "a"):
        schema = {"properties": {name: schema}}
    found = document(schema).schema({"$ref": "#/components/schemas/Looked"})
    inner = found["properties"]["a"]["properties"]["b"]["properties"]["c"]
    assert inner["properties"] == {"d": {}}


@pytest.mark.parametrize("place", ["10", "00000010"])
def test_a_reference_by_number(place: str) -> None:
    root = {"list": [{"type": "string"}] * 11}
    assert Document(root, {}).follow({"$ref": f"#/list/{place}"}) == {"type": "string"}


@pytest.mark.parametrize("place", ["11", "000000010", "x", "-1"])
def test_a_reference_by_no_number(place: str) -> None:
    with pytest.raises(DriftError, match="which is not there"):
        Document({"list": [{}] * 11}, {}).follow({"$ref": f"#/list/{place}"})


def test_types_and_values() -> None:
    assert types({"type": "string", "nullable": True}) == {"string", "null"}
    assert types({"type": ["string", 3]}) == {"string", "3"}
    assert types({"nullable": True}) == set()
    assert values({"const": None, "enum": [1]}) == [None]
    assert values({"enum": [1, 2]}) == [1, 2]
    assert (text([]), text(1.5), text(True)) == ("", "1.5", "True")
    assert said(" a\n b ") == "a b"
    assert said("x" * 80) == "x" * 80
    assert said("x" * 81) == "x" * 80 + "…"
    assert mapping([]) == {}


# ---------------------------------------------------------------------- methods, addresses, words


def compared(**calls: Any) -> Drift:
    """The comparison with the contract, with these methods of read changed; None takes one away."""
    root = copy.deepcopy(CONTRACT)
    item = root["paths"][READ]
    for method, call in calls.items():
        if call is None:
            del item[method]
        else:
            item[method] = {**item.get(method, {}), **call}
    return comparison.compare(CONTRACT, root)


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_a_method_that_is_refused_here(method: str) -> None:
    (found,) = compared(**{method: {}}).differences
    assert found == otherwise(f"{method.upper()} read", "the call can be made this way", "C7-other-methods-refused")


@pytest.mark.parametrize("method", ["options", "head", "trace"])
def test_a_method_of_which_nothing_is_said(method: str) -> None:
    assert compared(**{method: {}}).differences == ()
    assert {each.what for each in compared(**{method: {"deprecated": True}}).differences} == {
        "that the call is deprecated"
    }


@pytest.mark.parametrize(("said", "lacking"), [("By GET as well.", False), ("GETs a key.", True), ("", True)])
def test_a_method_that_only_words_name(said: str, lacking: bool) -> None:
    found = compared(get=None, post={"summary": "", "description": f"A key. A slash may follow.\n{said}"}).differences
    assert any(each.what == "a call by GET" for each in found) is lacking


def test_what_a_comparison_says() -> None:
    found = Drift(
        "theirs",
        (
            lacks("a", "this", "T1-create-gives-new-key"),
            otherwise("b", "that", "S1-success-is-200", "E2-status-goes-with-code"),
            otherwise("c", "that", "S1-success-is-200", "E2-status-goes-with-code"),
            besides("d", "more"),
        ),
    )
    assert list(found.lines()) == [
        "compared with: theirs",
        "otherwise: that [S1-success-is-200 (MUST), E2-status-goes-with-code (MUST)]",
        "    b; c",
        "lacks: this [T1-create-gives-new-key (MUST)]",
        "    a",
        "besides: more",
        "    d",
        "said otherwise 2, lacking 1, besides 1",
        "contradicted: S1-success-is-200, E2-status-goes-with-code",
    ]


def test_a_member_that_stands_twice() -> None:
    assert parse('{"a": 1, "b": {"a": 2}}', is_yaml=False) == {"a": 1, "b": {"a": 2}}
    with pytest.raises(DriftError, match="the member b stands twice"):
        parse('{"a": 1, "b": 2, "b": 2}', is_yaml=False)
