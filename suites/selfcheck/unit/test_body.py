"""The body of an answer, read as RFC 8259 does and as far as possible also where it breaks it."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from contracts.rules.body import Body, read_body

_TWICE: Final = "a member name stands twice in one object"
_DEEPEST: Final = 100


@pytest.mark.parametrize(
    ("raw", "document", "flaws"),
    [
        (b'{"a": 1}', {"a": 1}, ()),
        (b' \t\r\n{"a": 1}\r\n', {"a": 1}, ()),
        (b"", None, ("the body is empty",)),
        (b" \n", None, ("the body is empty",)),
        (b"null", None, ("the JSON document is null, not an object",)),
        (b"[1]", [1], ("the JSON document is an array, not an object",)),
        (b'"x"', "x", ("the JSON document is a string, not an object",)),
        (b"true", True, ("the JSON document is a boolean, not an object",)),
        (b"3", 3, ("the JSON document is a number, not an object",)),
        (b"3.5", 3.5, ("the JSON document is a number, not an object",)),
        (b"\xef\xbb\xbf{}", {}, ("a byte order mark stands before the JSON text",)),
        (b"\xef\xbb\xbf null", None, ("a byte order mark stands before the JSON text",)),
        (b"{}x", {}, ("something follows the JSON text",)),
        (b"{}\x0b", {}, ("something follows the JSON text",)),
        (b'{}\n{"a": 1}', {}, ("another JSON object follows the first",)),
        (b"{}[]", {}, ("something follows the JSON text",)),
        (b'{"a": NaN}', {"a": None}, ("NaN is no JSON value",)),
        (b'{"a": "\xff"}', {"a": "\xff"}, ("the body is not UTF-8 (byte 7)",)),
        (b'{"a": 1, "b": 2, "a": 3}', {"a": 1, "b": 2}, (f"{_TWICE}: 'a'",)),
        (b'{"a": {"b": 1, "b": 1}, "c": {"b": 1}}', {"a": {"b": 1}, "c": {"b": 1}}, (f"{_TWICE}: 'b'",)),
        (b"<p>", None, ("the body is not JSON (Expecting value at character 0)",)),
        (b'{"a": ', None, ("the body is not JSON (Expecting value at character 6)",)),
        (b'x({"a": 1});', {"a": 1}, ("the body is not JSON (Expecting value at character 0)",)),
        (b")]}',\n{}", {}, ("the body is not JSON (Expecting value at character 0)",)),
    ],
)
def test_a_body(raw: bytes, document: Any, flaws: tuple[str, ...]) -> None:
    found = read_body(raw)
    assert found.document == document
    assert found.flaws == flaws
    assert found.is_object is isinstance(document, dict)


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_another_encoding(encoding: str) -> None:
    found = read_body('{"a": "é"}'.encode(encoding))
    assert found.flaws[0].startswith("the body is not UTF-8")
    assert found.document == {"a": "é"}


def test_bytes_that_are_no_text() -> None:
    # An odd number of them, and an even one without a brace: neither is UTF-16.
    for raw in (b"\xff\xff\xff", b"\xfe\xff\x00a", b"\xff\xd8"):
        found = read_body(raw)
        assert found.document is None
        assert found.flaws[0].startswith("the body is not UTF-8 (byte 0)")
        assert not found.nearly


def test_members_that_stand_twice_are_named_up_to_five() -> None:
    pairs = ", ".join(f'"{name}": 1, "{name}": 2' for name in "abcdef")
    assert read_body(f"{{{pairs}}}".encode()).flaws == (f"{_TWICE}: 'a', 'b', 'c', 'd', 'e'",)
    long = "n" * 41
    assert read_body(f'{{"{long}": 1, "{long}": 2}}'.encode()).flaws == (f"{_TWICE}: '{'n' * 40}'",)


@pytest.mark.parametrize(
    ("digits", "number"), [("7" * 400, int("7" * 400)), ("7" * 401, float("inf")), ("-" + "7" * 400, float("inf"))]
)
def test_a_number_of_many_digits(digits: str, number: float) -> None:
    assert read_body(f'{{"a": {digits}}}'.encode()).document == {"a": number}


@pytest.mark.parametrize(
    ("raw", "document"),
    [
        (rb'{"\ud800a": ["x\ud800", {"b": "\ud800"}]}', {"\ufffda": ["x\ufffd", {"b": "\ufffd"}]}),
        (rb'{"\udfffa": ["x\udfff", {"b": "\udfff"}]}', {"\ufffda": ["x\ufffd", {"b": "\ufffd"}]}),
        (rb'["\ud800\ud800", {"\udc00": "\udc00\ud83d"}]', ["\ufffd\ufffd", {"\ufffd": "\ufffd\ufffd"}]),
        (rb'"\ud800"', "\ufffd"),
        (b'{"a": "\xed\xa0\x80"}', {"a": "\xed\xa0\x80"}),
    ],
    ids=["the-first-half", "the-second-half", "halves-beside-each-other", "alone", "as-bytes"],
)
def test_half_a_character(raw: bytes, document: object) -> None:
    """No file can have it: what is read of it can be written as UTF-8."""
    found = read_body(raw)
    assert found.document == document
    str(found).encode()


def _depth(document: Any) -> int:
    depth = 0
    while isinstance(document, list | dict):
        depth += 1
        document = next(iter(document.values() if isinstance(document, dict) else document), None)
    return depth


@pytest.mark.parametrize(("opened", "closed"), [("[", "]"), ('{"a":', "}")])
@pytest.mark.parametrize("levels", [1, _DEEPEST - 1, _DEEPEST, _DEEPEST + 1, _DEEPEST + 2, 5_000])
def test_a_document_is_read_a_hundred_levels_deep(levels: int, opened: str, closed: str) -> None:
    found = read_body((opened * levels + "7" + closed * levels).encode())
    assert _depth(found.document) == min(levels, _DEEPEST)
    assert not [each for each in found.flaws if "not JSON" in each]


def test_what_is_beside_deep_parts_is_read() -> None:
    deep = "[" * 200 + '"]}"' + "]" * 200
    raw = f'{{"a": {deep}, "b": "[{{", "c": [{deep}, 8], "d": 9}}'.encode()
    document = read_body(raw).document
    assert document["b"] == "[{"
    assert document["c"][1] == 8
    assert document["d"] == 9
    assert _depth(document["a"]) == _DEEPEST - 1


def test_many_brackets_side_by_side_are_not_deep() -> None:
    document = {"a": [[index] for index in range(300)], "b": [{"c": index} for index in range(300)]}
    assert read_body(json.dumps(document).encode()).document == document


def test_what_does_not_end_is_no_json() -> None:
    for raw in (b"[" * 200, b'{"a": "' + b"[" * 200, b"]" * 200):
        assert "the body is not JSON" in " ".join(read_body(raw).flaws)


@pytest.mark.parametrize(
    ("raw", "nearly", "ambiguous", "broken"),
    [
        (b'{"a": 1}', True, False, False),
        (b'{"a": 1, "a": 1}', True, True, False),
        (b' {"a": ', True, True, True),
        (b'x({"a": 1})', True, True, True),
        (b"<p>{}</p>", True, True, True),
        (b"<p></p>", False, False, True),
        (b"\x1f\x8b", False, False, True),
        (b'[{"a": 1, "a": 1}]', False, False, False),
        (b"{}x", True, False, False),
        (b"{} {}", True, True, False),
        (b"[] {}", False, False, False),
        (b"null", False, False, False),
        (b"", False, False, False),
    ],
)
def test_what_can_be_read_in_more_than_one_way(raw: bytes, nearly: bool, ambiguous: bool, broken: bool) -> None:
    found = read_body(raw)
    assert found.nearly is nearly
    assert found.ambiguous is ambiguous
    assert found.is_broken is broken


def test_one_flaw_of_several_is_enough() -> None:
    assert Body({}, ("a byte order mark stands before the JSON text", f"{_TWICE}: 'a'"), True).ambiguous
    assert not Body({}, (f"{_TWICE}: 'a'",)).ambiguous


def test_a_long_body_is_read_as_a_short_one_is() -> None:
    for size in (4_096, 4_097):
        raw = b'{"a": 1' + b" " * (size - 8) + b"}"
        assert len(raw) == size
        assert read_body(raw) == Body({"a": 1}, (), True)


@pytest.mark.parametrize("size", [10, 5_000])
def test_the_same_bytes_are_read_once(size: int) -> None:
    raw = b'{"value": "' + b"x" * size + b'"}'
    assert read_body(bytes(bytearray(raw))) is read_body(raw)
