"""Attribution, function by function: what could explain an anomaly, and which of all that could is said to."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from contracts.anomaly import Anomaly
from contracts.attribution import collect, cover, findings
from contracts.attribution.explanation import Explanation, combined, explain, explain_run
from contracts.exchange import Refusal
from contracts.ids import (
    A1,
    A2,
    A3,
    A4,
    A5_CHANGED,
    A5_DISCLOSED,
    A6,
    B1,
    C1_GET,
    C1_JSON,
    C2,
    C3_GET,
    C4_SCHEME,
    C4_SPACE,
    C5_ISO,
    C5_UNKNOWN,
    C8,
    E1,
    E2,
    E3,
    E4,
    P1_ECHO,
    P2,
    P3,
    S1,
    S2,
    S3,
    S4,
    T1,
    T2,
    T3,
    T4,
    T5_REFUSED,
    T7,
    T9,
)
from contracts.judge import Judgement
from contracts.requirements import catalogue
from contracts.violation import Violation
from suites.selfcheck.unit.histories import UNKNOWN, Script, key

_HASH = "credential of owner"


def answer(*violations: str, front: bool = False, credential: str | None = None, **about: Any) -> Judgement:
    """An answer to a read that breaks these rules."""
    made = Script().add("read", **{"code": 4, **about})
    intent = replace(made.exchange.intent, front=front)
    if credential is not None:
        intent = replace(intent, credential=credential)
    broken = tuple(Violation(each, "m", "e", "a") for each in violations)
    return replace(made, exchange=replace(made.exchange, intent=intent), violations=broken)


def anomaly(*candidates: str) -> Anomaly:
    """Something that any of these explains."""
    return Anomaly(frozenset(candidates), answer(), "e", "g")


def sets(*members: str) -> list[frozenset[str]]:
    """Sets of the letters of each word."""
    return [frozenset(each) for each in members]


# ---------------------------------------------------------------------- the smallest explanation


@pytest.mark.parametrize(
    ("group", "total", "opportunities", "best"),
    [
        (sets("ab", "bc"), {}, {}, sets("b")),
        (sets("ab"), {"a": 1, "b": 1}, {"a": 2, "b": 10}, sets("a")),
        (sets("ab"), {"a": 2, "b": 3}, {"a": 4, "b": 4}, sets("b")),
        (sets("ab"), {"a": 1, "b": 1}, {}, sets("a", "b")),
        # What was seen more often than it could be was seen each time.
        (sets("ab"), {"a": 1, "b": 3}, {"a": 0, "b": 2}, sets("a", "b")),
        (sets("ab", "bc", "ca"), {"a": 1, "b": 1, "c": 1}, {"c": 9}, sets("ab")),
        (sets("ab", "cd", "ac", "bd"), {"a": 1, "b": 1, "c": 1, "d": 1}, {}, sets("ad", "bc")),
    ],
)
def test_the_best_of_the_smallest(
    group: list[frozenset[str]], total: dict[str, int], opportunities: dict[str, int], best: list[frozenset[str]]
) -> None:
    assert cover._covers(group, Counter(total), opportunities) == best


def test_the_call_whose_answer_was_wrong_comes_last() -> None:
    found = cover._covers([frozenset({T1, T2, T3, A6})], Counter({T1: 1, T2: 1, T3: 1, A6: 1}), {})
    assert found[0] == {A6}
    assert [next(iter(each)) for each in found[1:]] == [T2, T1, T3]


def test_many_that_have_nothing_in_common() -> None:
    group = sets("ab", "cd", "ef", "gh", "ij")
    (found,) = cover._covers(group, Counter(), {})
    assert len(found) == 5
    assert all(each & found for each in group)
    (found,) = cover._covers([*group, *sets("bx", "bd", "dx")], Counter(), {})
    assert len(found) == 5
    assert {"b", "d"} <= found


def test_four_are_tried_one_by_one() -> None:
    group = sets("ab", "cd", "ef", "gh")
    found = cover._covers(group, Counter("abcdefgh"), {"b": 9, "c": 9, "f": 9, "g": 9})
    assert found == sets("adeh")


def test_groups_that_have_no_member_in_common() -> None:
    groups = cover._connected(sets("ab", "cd", "bx", "ef", "xd"))
    assert sorted(sorted("".join(sorted(each)) for each in group) for group in groups) == [
        ["ab", "bx", "cd", "dx"],
        ["ef"],
    ]


def test_what_is_certain_explains_what_it_can() -> None:
    broken, ties = cover.smallest([anomaly(T3), anomaly(T3, T2), anomaly(T2, A6, S2)], {A6: 5, S2: 5})
    assert broken == {T3, T2}
    assert ties == ()


def test_what_explains_the_smaller_set_explains_the_larger() -> None:
    broken, ties = cover.smallest([anomaly(T2, A6, S2), anomaly(A6, S2), anomaly(A6, S2)], {})
    assert broken == {A6}
    assert ties == (frozenset({S2}),)


@pytest.mark.parametrize(
    ("found", "broken"),
    [
        ([("a", "b"), ("b", "")], "b"),
        # Nothing else shows that b is broken.
        ([("a", "b")], "a"),
        ([("a", "b"), ("c", "")], "ac"),
        # One of them does not follow.
        ([("a", "b"), ("a", ""), ("b", "")], "ab"),
        # What is explained by another as well does not count.
        ([("a", "b"), ("ac", ""), ("b", ""), ("c", "")], "bc"),
        # Of two that follow from each other one stays.
        ([("a", "b"), ("b", "a")], "b"),
    ],
)
def test_what_follows_from_another_is_not_told(found: list[tuple[str, str]], broken: str) -> None:
    made = [replace(anomaly(*members), follows_from=frozenset(others)) for members, others in found]
    chosen, _ = cover.smallest(made, {})
    assert cover.without_consequences(made, chosen) == set(broken)


def test_a_tie_is_told() -> None:
    explanation = explain([], catalogue(), [anomaly(T2, T3), anomaly(A6, S2)])
    assert len(explanation.broken) == 2
    assert len(explanation.ties) == 2


def test_only_what_counts_is_said() -> None:
    assert explain([], [T2], [anomaly(T2, T3), anomaly(A6)]).broken == {T2}
    assert len(explain([], [T2], [anomaly(T2, T3), anomaly(A6)]).anomalies) == 1


def test_what_tests_have_reported_counts_once() -> None:
    explanation = explain_run([], catalogue(), [anomaly(T9)])
    assert explanation.broken == {T9}
    assert len(explanation.anomalies) == 1


def test_several_explanations_as_one() -> None:
    one, two = explain([], catalogue(), [anomaly(T9)]), explain([], catalogue(), [anomaly(A6)])
    both = combined([one, two])
    assert both.broken == {T9, A6}
    assert both.anomalies == (*one.anomalies, *two.anomalies)
    assert combined([]) == Explanation()
    assert both.of(T9) == list(one.anomalies)
    assert both.explains(anomaly(T9, T2)) == {T9}


# ---------------------------------------------------------------------- one answer

_GENERAL = Refusal(B1, "general")
_BAD: dict[str, Any] = {"valid": False, "refusal": _GENERAL}
_UNKNOWN: dict[str, Any] = {"valid": False, "refusal": UNKNOWN}
_PAGE: dict[str, Any] = {"code": None}


@pytest.mark.parametrize(
    ("made", "owed", "candidates"),
    [
        # An envelope that is missing.
        (answer(E1, **_PAGE, status=404), None, {E1}),
        (answer(E1, **_PAGE, status=404), {T2}, {E1, T2}),
        (answer(E1, **_PAGE, status=400), {T2}, {E1, T2}),
        (answer(E1, **_PAGE, status=399), {T2}, {E1}),
        (answer(E1, status=400), {T2}, {E1}),
        (answer(S2, status=503), {T2}, {S2, T2}),
        (answer(E1, **_PAGE, status=400, **_BAD), None, {E1, B1}),
        (answer(E1, **_PAGE, status=400, **_UNKNOWN), None, {E1}),
        (answer(E1, **_PAGE, status=500, **_UNKNOWN), None, {E1, B1}),
        (answer(E1, **_PAGE, status=501, **_UNKNOWN), None, {E1}),
        (answer(E1, **_PAGE, status=400, front=True, **_UNKNOWN), None, {E1, B1}),
        (answer(E1, status=400, **_BAD), None, {E1}),
        (answer(S3, code=None, value="x"), {T2}, {S3}),
        (answer(S3, code=None, value="x", **_UNKNOWN), {A2}, {S3, A2}),
        (answer(S3, code=None, value="x", **_UNKNOWN), None, {S3}),
        # A code that does not belong to the operation.
        (answer(E3, code=236, **_BAD), None, {E3, B1}),
        (answer(E3, code=236, **_UNKNOWN), None, {E3}),
        (answer(E3, code=222, **_BAD), None, {E3}),
        # Something told.
        (answer(A5_DISCLOSED, code=None, value="x"), {A1}, {A5_DISCLOSED, A1}),
        (answer(A5_DISCLOSED, code=None, value="x"), None, {A5_DISCLOSED}),
        (answer(A5_DISCLOSED), {A1}, {A5_DISCLOSED}),
        (answer(P1_ECHO), None, {P1_ECHO}),
        (answer(P1_ECHO, P3), None, {P1_ECHO, P3}),
        (answer(P1_ECHO, E4), None, {P1_ECHO, E4}),
        (answer(P1_ECHO, code=None, value=_HASH, credential=_HASH), None, {P1_ECHO, T1, T2, T4}),
        (answer(P1_ECHO, code=None, value="other", credential=_HASH), None, {P1_ECHO}),
        (answer(S1, P3), None, {S1, P3}),
        (answer(S1, E4), None, {S1}),
        # A document that can be read in two ways.
        (answer(E2, ambiguous=True), None, {E2, S2}),
        (answer(P2, ambiguous=True), None, {P2}),
        # An address with a slash.
        (answer(E2, equivalences=(C8,)), None, {E2, C8}),
        (answer(P2, equivalences=(C8,)), None, {P2}),
        (answer(E2, code=15, status=403, equivalences=(C8,)), None, {E2}),
    ],
)
def test_what_explains_what_a_rule_found(made: Judgement, owed: set[str] | None, candidates: set[str]) -> None:
    found = findings.found_in(made, anomaly(*owed) if owed is not None else None)
    assert found[0].candidates | found[0].follows_from == candidates
    assert found[0].by_rule == made.violations[0].requirement
    assert len(found) == len(made.violations)


def test_a_call_that_was_limited_says_nothing() -> None:
    assert findings.found_in(answer(E2, code=15, status=429)) == []
    assert len(findings.found_in(answer(E2, code=14, status=429))) == 1


@pytest.mark.parametrize(
    ("credential", "about", "candidates"),
    [
        ("0" * 32, {"code": 4}, {A2}),
        ("0" * 32, {"code": None, "value": "x"}, set()),
        ("f" * 32, {"code": None, "value": "x"}, {T1}),
        ("a key", {"code": 4}, {S4, A2}),
        ("0" * 33, {"code": None, "value": "x"}, {S4}),
    ],
)
def test_what_else_explains_that_a_key_is_not_refused_as_one(
    credential: str, about: dict[str, Any], candidates: set[str]
) -> None:
    register: Any = SimpleNamespace(credentials={"f" * 32: "owner"})
    assert collect._by_the_key(answer(credential=credential, **about), register, []) == candidates


@pytest.mark.parametrize(
    ("candidates", "about", "missing"),
    [
        ((T2,), {"code": 4}, True),
        ((T2,), {"code": None, "value": "x"}, False),
        ((T2,), {"code": 4, **_UNKNOWN}, False),
        (("T6-subuser-create-refused",), {"code": 4, "status": 400}, False),
        (("T6-subuser-create-refused",), {"code": 4, "status": 499}, False),
        (("T6-subuser-create-refused",), {"code": 4, "status": 500}, True),
        (("T6-subuser-create-refused",), {"code": 4, "status": 399}, True),
    ],
)
def test_whether_a_success_is_missing(candidates: tuple[str, ...], about: dict[str, Any], missing: bool) -> None:
    found = Anomaly(frozenset(candidates), answer(**about), "e", "g")
    assert collect._is_missing(found) is missing


def test_how_often_a_requirement_could_be_seen_to_be_broken() -> None:
    counted: Counter[str] = Counter()
    collect._count(answer(code=4), counted)
    assert counted == {E1: 1, E2: 1, E3: 1, E4: 1, S2: 1}
    collect._count(answer(code=None, value="x"), counted)
    assert counted == {E1: 1, E2: 1, E3: 1, E4: 1, S2: 2, S3: 1}
    collect._count(answer(code=None, **{**_UNKNOWN, "refusal": Refusal(A4, "code", frozenset(), A2)}), counted)
    assert (counted[A4], counted[A2]) == (1, 1)


# ---------------------------------------------------------------------- styles and equivalences


def _candidates(script: Script, requirement: str) -> frozenset[str]:
    (found,) = script.explain().of(requirement)
    return found.candidates


def test_a_parameter_that_is_refused_in_one_style_alone() -> None:
    script = Script()
    script.create(1)
    script.read(1)
    script.read(1, style="post-json")
    script.add("read", value=key(1), style="post-form", equivalences=(C5_ISO,))
    script.add("read", code=7, equivalences=(C5_ISO,))
    assert script.broken == {C5_ISO}
    assert T2 not in _candidates(script, C5_ISO)


def test_a_parameter_whose_plain_call_was_never_made() -> None:
    script = Script()
    script.create(1)
    script.read(1, style="post-json")
    script.add("read", code=7, equivalences=(C5_ISO,))
    assert T2 in _candidates(script, C5_ISO)


def test_a_parameter_whose_plain_call_is_refused_in_the_same_way() -> None:
    script = Script()
    script.create(1)
    script.read(1)
    script.add("read", code=7)
    script.add("read", code=7, equivalences=(C5_ISO,))
    assert T2 in _candidates(script, C5_ISO)


def test_of_two_parameters_the_one_that_works_alone_is_not_it() -> None:
    script = Script()
    script.create(1)
    script.read(1)
    script.add("read", value=key(1), equivalences=(C5_UNKNOWN,))
    script.add("read", code=7, equivalences=(C5_ISO, C5_UNKNOWN))
    assert script.broken == {C5_ISO}
    assert C5_UNKNOWN not in _candidates(script, C5_ISO)


def test_a_parameter_that_is_refused_with_another_code_does_not_work() -> None:
    script = Script()
    script.create(1)
    script.read(1)
    script.add("read", code=11, equivalences=(C5_UNKNOWN,))
    script.add("read", code=7, equivalences=(C5_ISO, C5_UNKNOWN))
    found = [each.candidates for each in script.explain().anomalies]
    assert found == [{C5_UNKNOWN}, {C5_ISO, C5_UNKNOWN}]


@pytest.mark.parametrize(("style", "promised"), [("get-query", True), ("post-json", False)])
def test_a_style_that_is_refused_explains_what_carries_nothing_by_its_method(style: str, promised: bool) -> None:
    script = Script()
    for number in (1, 2):
        script.create(number, style="post-json")
        script.read(number, style="post-json")
        script.add("read", code=112)
        script.add("create", code=112)
    made = script.add(
        "read", None, code=112, valid=False, style=style, refusal=Refusal(A1, "code", frozenset({3, 4, 7}))
    )
    script.answers[-1] = replace(
        made, exchange=replace(made.exchange, intent=replace(made.exchange.intent, credential=None))
    )
    assert {C1_GET} <= script.broken
    found = [each for each in script.explain().anomalies if A1 in each.candidates]
    assert [C1_GET in each.candidates for each in found] == [promised]
    assert C1_JSON not in script.broken


# ---------------------------------------------------------------------- one cause, seen in several ways


def _works(*styles: str) -> Script:
    """A target on which both operations work in these styles."""
    script = Script()
    for number, style in enumerate(styles, 1):
        script.create(number, style=style)
        script.read(number, style=style)
    return script


def test_a_style_that_is_answered_with_a_page_is_a_style_that_does_not_work() -> None:
    script = _works("get-query", "post-json")
    for operation in ("create", "read"):
        script.add(operation, status=415, style="post-form", media_type="text/html", breaks=(S2, E1))
    # Elsewhere errors have no envelope, too.
    script.add("read", None, status=404, valid=False, refusal=UNKNOWN, media_type="text/html", breaks=(S2, E1))
    assert {C2, S2, E1} >= script.broken > {C2}
    assert T1 not in script.broken


def test_a_success_that_cannot_be_read_is_no_style_that_is_refused() -> None:
    script = _works("get-query", "post-json")
    for operation in ("create", "read"):
        script.add(operation, status=200, style="post-form", media_type="application/json", breaks=(S2,))
    assert script.broken == {S2}


def test_a_refusal_by_state_that_is_meant_to_be_json() -> None:
    script = _works("get-query")
    media_type = "application/json; charset=utf-8"
    script.add("create", "tariff_restricted", status=402, media_type=media_type, breaks=(S2,))
    assert script.broken == {S2}


def test_a_near_miss_is_an_unknown_hash_where_unknown_ones_are_let_in() -> None:
    script = _works("get-query")

    def let_in(requirement: str) -> None:
        made = script.add(
            "create", None, value=key(90 + len(script.answers)), valid=False, refusal=Refusal(requirement, "code")
        )
        intent = replace(made.exchange.intent, credential=key(77))
        script.answers[-1] = replace(made, exchange=replace(made.exchange, intent=intent))

    let_in(A3)
    assert script.broken == {A3}
    let_in(A2)
    assert script.broken == {A2}


def test_what_is_let_in_without_its_scheme_is_no_missing_hash() -> None:
    script = _works("get-query", "get-header")
    for requirement in (C4_SPACE, C4_SCHEME):
        script.add("read", None, value=key(2), valid=False, style="get-header", refusal=Refusal(requirement, "any"))
    assert script.broken == {C4_SPACE, C4_SCHEME}
    script.add("read", None, value=key(2), valid=False, style="get-header", refusal=Refusal(A1, "code"))
    assert script.broken == {A1}


def test_what_is_given_for_bad_input_lacks_nothing() -> None:
    script = _works("get-query", "post-json")
    bad: dict[str, Any] = {"valid": False, "style": "post-json", "refusal": Refusal(B1, "general")}
    made = script.add("read", None, value="", media_type="application/json", breaks=(S3,), **bad)
    script.answers[-1] = replace(made, value={})
    assert script.broken == {B1}


def test_a_demo_session_may_have_created_what_cannot_be_read() -> None:
    script = Script()
    script.read(None, "demo_without_session")
    made = script.add("create", "demo_without_session", value="", media_type="application/json", breaks=(S3,))
    script.answers[-1] = replace(made, value={})
    script.add("create", "demo_without_session", code=101, status=403)
    assert script.broken == {S3}


def test_the_key_after_a_create_that_gives_an_earlier_one() -> None:
    script = Script()
    script.create(1)
    script.read(1)
    script.create(1)
    script.create(5, "other_owner", "post-json")
    script.create(2)
    script.read(6, "other_owner")
    script.read(6, "other_owner")
    assert script.broken == {T1}


def test_a_style_that_says_success_to_all_does_not_work() -> None:
    script = _works("get-query", "post-json")
    broken: dict[str, Any] = {"value": "", "style": "post-form", "media_type": "application/json", "breaks": (S3,)}
    bad: dict[str, Any] = {"account": None, "valid": False, "refusal": UNKNOWN}
    for about in ({}, bad):
        made = script.add("create", **broken, **about)
        script.answers[-1] = replace(made, value=None)
    assert script.broken == {C2}


def test_a_key_that_only_concurrent_creates_give_twice() -> None:
    script = _works("get-query")
    for account in ("owner", "other_owner"):
        script.add("create", account, value=key(50), group=1, span=(100.0, 101.0))
    assert script.broken == {A6}
    script.create(1)
    assert script.broken == {T1}


def test_a_style_that_is_broken_elsewhere_is_not_broken_for_anything_else() -> None:
    script = Script()
    script.create(1)
    script.read(1)
    script.create(2, "other_owner")
    script.read(2, "other_owner", style="get-header")
    script.add("read", code=4, style="get-header")
    assert script.broken == {T2}
    script.add("create", code=4, style="get-header")
    assert script.broken == {C3_GET}


def test_what_is_special_in_a_call_is_not_to_blame_where_the_very_same_fits_at_another_time() -> None:
    script = _works("get-query")
    special: dict[str, Any] = {"equivalences": (C5_ISO, C5_UNKNOWN)}
    refused = script.add("read", code=13, status=403, **special)
    script.read(1)
    assert script.broken <= {C5_ISO, C5_UNKNOWN}
    assert script.broken
    given = next(each.key for each in reversed(script.answers) if each.key is not None)
    again = script.add("read", value=given, **special)
    assert again.exchange.request == refused.exchange.request
    assert script.broken == {T2}


def test_a_style_that_is_refused_is_no_matter_of_the_calls_before() -> None:
    script = _works("get-query")
    script.unknown()
    script.add("read", code=4, style="get-header")
    (refused,) = script.explain().anomalies
    assert refused.candidates == {C3_GET}
    assert not refused.suspects
    # Where it works otherwise it is.
    script = _works("get-query", "get-header")
    script.unknown()
    script.add("read", code=4, style="get-header")
    (refused,) = script.explain().anomalies
    assert refused.candidates == {T2, A5_CHANGED}
    assert [name for name, _ in refused.suspects] == [A5_CHANGED]


def _known_by_query(kind: str, code: int) -> Script:
    """Styles that work for an owner, and an account that is known by query: create is refused with *code*, read gives a key."""
    script = _works("get-query", "get-header")
    for style in ("get-query", "post-form"):
        script.read(40, kind, style=style)
        script.add("create", kind, code=code, status=403, style=style)
    return script


@pytest.mark.parametrize(("kind", "code"), [("demo_with_session", 101), ("subuser", 13), ("tariff_restricted", 236)])
@pytest.mark.parametrize("told", [3, 4, 7])
def test_a_style_that_knows_no_account_of_a_kind(kind: str, code: int, told: int) -> None:
    script = _known_by_query(kind, code)
    script.add("create", kind, code=told, style="get-header")
    assert script.broken == {C3_GET}
    script.add("read", kind, code=told, style="get-header")
    assert script.broken == {C3_GET}
    # Where it is known in that style at another time the style is not to blame.
    script.add("create", kind, code=code, status=403, style="get-header")
    script.read(40, kind, style="get-header")
    assert C3_GET not in script.broken


@pytest.mark.parametrize("told", [5, 11, 112])
def test_a_style_by_which_a_kind_of_account_cannot_read(told: int) -> None:
    script = _known_by_query("demo_with_session", 101)
    script.add("read", "demo_with_session", code=told, style="get-header")
    assert script.broken == {C3_GET}
    # Create is refused to it anyway: there the code alone is wrong.
    script = _known_by_query("demo_with_session", 101)
    script.add("create", "demo_with_session", code=told, style="get-header")
    assert script.broken == {T5_REFUSED}


@pytest.mark.parametrize("told", [1, 13, 101])
def test_a_kind_of_account_that_is_refused_in_other_words(told: int) -> None:
    script = _known_by_query("tariff_restricted", 236)
    script.add("create", "tariff_restricted", code=told, style="get-header")
    assert script.broken == {T7}


def test_an_account_that_is_known_once_has_come_to_an_end() -> None:
    script = _works("get-query", "get-header")
    script.add("create", "tariff_restricted", code=236, status=402)
    for style in ("post-json", "get-header"):
        script.add("create", "tariff_restricted", code=4, style=style)
    assert script.broken == {T7}


def test_an_account_that_no_style_knows_is_no_matter_of_a_style() -> None:
    script = _works("get-query", "get-header")
    for style in ("get-query", "get-header"):
        script.add("create", "tariff_restricted", code=4, style=style)
    assert script.broken == {T7}


def test_no_session_in_the_words_for_an_unknown_hash_is_no_matter_of_a_style() -> None:
    script = _works("get-query", "get-header")
    script.read(None, "demo_without_session")
    script.add("read", "demo_without_session", code=4, style="get-header")
    assert script.broken == {T4}


def test_an_error_that_is_almost_json() -> None:
    """Its form is wrong, whatever it says: also where all that have this code are so."""
    script = Script()
    for _ in range(3):
        script.add("read", "owner_without_session", ambiguous=True, media_type="application/json", breaks=(S2,))
    assert script.broken == {S2}
