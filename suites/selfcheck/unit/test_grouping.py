"""Alike violations are one, with the calls in which they were seen; gaps with one cause or reason are one."""

from __future__ import annotations

import pytest

from reports.grouping import calls, causes_first, gaps, grouped
from reports.results import ViolationRecord
from reports.words import call_of, where

NAME = "S4-key-form"
HEADERS = {
    "GET": "",
    "JSON": "\nContent-Type: application/json",
    "form": "\nContent-Type: application/x-www-form-urlencoded",
    "header": "\nAuthorization: NVX «owner»",
}


def record(actual: str, style: str = "GET", operation: str = "create", **more: object) -> ViolationRecord:
    method = "GET" if style == "GET" else "POST"
    request = f"{method} http://127.0.0.1/v2/user/session/delivery/{operation}?hash=«owner»{HEADERS[style]}\n\nbody: x"
    shown = {"request": request, "response": "HTTP 200", "curl": "curl"}
    return ViolationRecord(NAME, f"{operation}: {actual}", "a key", actual, shown, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("request_", "found"),
    [
        ("GET http://a/v2/user/session/delivery/read?hash=«x»", ("read", "GET")),
        (
            "POST http://a/v2/user/session/delivery/create/\nContent-Type: application/json; charset=utf-8",
            ("create", "JSON"),
        ),
        ("POST http://a/create\ncontent-type: application/x-www-form-urlencoded\n\nhash=1", ("create", "form")),
        ("GET http://a/read\nAuthorization: NVX «x»", ("read", "header")),
        ("PUT http://a/create\nContent-Type: application/json", ("create", "PUT")),
        ("POST http://a/delete\nX: y\n\nAuthorization: in the body", ("", "POST")),
        ("", None),
    ],
)
def test_a_call_is_named_by_operation_and_style(request_: str, found: tuple[str, str] | None) -> None:
    assert call_of(request_) == found


def test_alike_violations_are_one() -> None:
    found = grouped(
        [
            record("the value '«key 1 of owner»'", "header"),
            record(
                "the value '«key 2 of owner, altered»'",
                "GET",
                repeat="the script",
                possible=("T1-create-gives-new-key",),
            ),
            record("HTTP 500"),
            record("the value '«key 3 of other_owner»'", "GET", "read"),
        ]
    )
    assert [(each.actual, each.calls) for each in found] == [
        ("the value '«key 1 of owner»'", "create and read by GET, header: 3 in all"),
        ("HTTP 500", "create by GET: once"),
    ]
    assert found[0].repeat == "the script"
    assert found[0].possible == ("T1-create-gives-new-key",)


def test_keys_that_were_expected_make_no_difference() -> None:
    records = [ViolationRecord(NAME, "m", f"the key '«key {number} of owner»'", "a", None) for number in (1, 2)]
    assert len(grouped(records)) == 1


def test_what_is_grouped_already_keeps_its_calls() -> None:
    assert grouped([record("x", calls="GET, form: 8 in all")])[0].calls == "GET, form: 8 in all"


def test_codes_are_not_alike() -> None:
    assert len(grouped([record("HTTP 400, an error with code 3"), record("HTTP 400, an error with code 4")])) == 2
    assert len(grouped([record("no envelope (text/html, 87 bytes)"), record("no envelope (text/html, 91 bytes)")])) == 1


def test_without_an_exchange_there_are_no_calls() -> None:
    assert calls([ViolationRecord(NAME, "m", "e", "a", None)]) == ""


def entry(name: str, result: str, **more: object) -> dict[str, object]:
    return {
        "id": name,
        "level": "MUST",
        "result": result,
        "reason": "r",
        "how_to_verify": None,
        "blocked_by": [],
        **more,
    }


def test_gaps_of_one_cause_or_reason_are_one() -> None:
    entries = [
        entry("A", "not_verified", how_to_verify="do"),
        entry("B", "blocked", blocked_by=["X"], reason="of its own"),
        entry("C", "not_verified", how_to_verify="do"),
        entry("D", "blocked", blocked_by=["X"], reason="of its own, too"),
        entry("E", "not_verified", level="MAY"),
        entry("F", "passed"),
        entry("G", "not_verified", how_to_verify="do", operations={"create": "not_verified", "read": "passed"}),
        entry("H", "not_verified", how_to_verify="do", operations={"create": "not_verified", "read": "not_verified"}),
    ]
    assert [(gap.result, gap.names, gap.causes, gap.reason, gap.how, gap.operations) for gap in gaps(entries)] == [
        ("blocked", ("B", "D"), ("X",), "", "", ""),
        ("not_verified", ("A", "C", "H"), (), "r", "do", ""),
        ("not_verified", ("G",), (), "r", "do", "read: passed; create: not verified"),
    ]


def test_what_explains_most_comes_first() -> None:
    entries = [
        entry("A", "warning"),
        entry("B", "failed"),
        entry("C", "failed"),
        entry("D", "blocked", blocked_by=["C"]),
        entry("E", "passed"),
    ]
    assert [each["id"] for each in causes_first(entries)] == ["C", "B", "A"]


@pytest.mark.parametrize(
    ("message", "actual", "said"),
    [
        ("read by GET as owner: HTTP 404", "HTTP 404", "read by GET as owner"),
        ("HTTP 404", "HTTP 404", "HTTP 404"),
        ("a message of its own", "", "a message of its own"),
    ],
)
def test_what_was_got_is_said_once(message: str, actual: str, said: str) -> None:
    assert where(message, actual) == said
