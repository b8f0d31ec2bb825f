"""The register, step by step: which requirements could each explain what does not fit, before one of them is chosen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from contracts.ids import (
    A2,
    A5_CHANGED,
    A6,
    C5_ISO,
    C7_ACTIONS,
    C7_METHODS,
    C7_OPTIONS,
    C8,
    E2,
    S2,
    S3,
    S4,
    T1,
    T2,
    T3,
    T4,
    T5_REFUSED,
    T6,
    T7,
    T8,
)
from contracts.register import Register
from contracts.register.changes import may_not_change
from contracts.requirements import catalogue
from suites.selfcheck.unit.histories import UNKNOWN, Script, key, play


@pytest.mark.parametrize(
    ("steps", "candidates"),
    [
        # A read that gives what was given before: the read is wrong, or the create was not kept.
        ("c1 r1 c2 r2 r1", ["T2"]),
        ("c1 r1 c2 r2 r1 r2", ["T2"]),
        ("c1 r1 c2 r1", ["T2"]),
        ("c1 r1 c2 r1 r1", ["T2"]),
        # What was sent since the last read that fitted may have undone the create.
        ("c1 r1 c2 tC236 r1 r1", ["T2 T7"]),
        ("c1 r1 c2 tC236 r1", ["T2 T7"]),
        ("c1 r1 c2 tC236 r1 r2", ["T2"]),
        ("c1 r1 c2 u r1 r1", ["T2 A5-changes-nothing"]),
        ("c1 r1 c2 oc3 r1 r1", ["T2 A6"]),
        ("c1 r1 c2 r2 tC236 r1 r1", ["T2 T7"]),
        ("c1 r1 c2 tC236 r2 r1 r1", ["T2"]),
        # A read that gives another key: wrong until it is seen again, and then something has changed it.
        ("c1 r1 r2", ["T3"]),
        ("c1 r1 u r2", ["A5-changes-nothing T2 T3"]),
        ("c1 r2", ["T2 T3"]),
        ("r1 r2", ["T2 T3"]),
        ("c3 c1 r1 r3", ["T2"]),
        ("c1 r1 r2 r1", ["T2"]),
        ("c1 r1 r2 r2", ["T3"]),
        ("c1 r1 r2 r3", ["T3", "T3"]),
        ("c1 r1 r", ["T2 T3"]),
        ("c1 r1 r r", ["T3"]),
        # What was sent in between may have changed it.
        ("c1 r1 u r2 r2", ["A5-changes-nothing T3"]),
        ("c1 r1 m r2 r2", ["C7-other-methods-refused T3"]),
        ("c1 r1 a r2 r2", ["C7-unknown-action-refused T3"]),
        ("c1 r1 oc2 r3 r3", ["A6 T3"]),
        ("c1 r1 C7 r2 r2", ["T1", "T1 T3"]),
        # What was confirmed since may not.
        ("c1 r1 u r1 r2 r2", ["T3"]),
        # Or may have had the hash refused that is good; what another user may do has not.
        ("c1 r1 u R4", ["T2 A5-changes-nothing"]),
        ("c1 r1 u R3", ["T2 A5-changes-nothing"]),
        ("c1 r1 u R7", ["T2"]),
        ("c1 r1 u R6", ["T2"]),
        ("c1 r1 m R4", ["T2 C7-other-methods-refused"]),
        ("c1 r1 tC236 R4", ["T2 T7"]),
        ("c1 r1 u C4", ["T1 A5-changes-nothing"]),
        ("c1 r1 u r1 R4", ["T2"]),
        ("c1 r1 oc2 R4", ["T2"]),
        # What may have changed it by right.
        ("c1 r1 h r2 r2", []),
        ("c1 r1 p r2 r2", ["T1"]),
        # A key that is not new.
        ("c1 c1", ["T1"]),
        ("c1 oc1", ["T1"]),
        ("c1 oc2 or1 or2", ["A6"]),
        # No session yet.
        ("wr wr", []),
        ("wr7", ["T4"]),
        ("wr7 wr7", ["T4", "T3"]),
        ("wr7 wr8", ["T3 T4", "T2 T3 T4"]),
        ("wr7 wr7 wr", ["T4", "T4", "T2 T3 T4"]),
        ("wr wr7 wr7 wr", ["T4", "T2 T3 T4"]),
        ("wr wr7 wr7", ["T3"]),
        ("wr4", ["T4"]),
        ("wr7 wr8 wr8", ["T3 T4", "T3 T4"]),
        ("sR13 sR4 sR4", ["T3 T4"]),
        # A create of which nothing is known may have been the first.
        ("dp dC101 dC101", ["T5-demo-first-create"]),
        ("dp dC101 dC13", ["T5-demo-first-create", "T5-demo-create-refused"]),
        ("p C101", ["T1", "T1"]),
        # Only a hash that is refused may have been logged out, by a create that was refused to a sub-user, say.
        ("wr sC13 wC4", ["T1 T6"]),
        ("wr sC13 wC7", ["T1"]),
        # What one was given that had to be refused is nobody else's either.
        ("sc1 c1", ["T6", "T1"]),
        # What read gives without a session is nobody's key.
        ("wr7 c7", ["T4"]),
        # A page leaves open what came of the create, another code does not.
        ("sr1 sp sr2", ["T6"]),
        ("sr1 sC11 sr2 sr2", ["T6", "T3 T6"]),
        # A create that is wrong itself says nothing of what is kept.
        ("c1 r1 oc1 or2", ["T1"]),
        ("c1 r1 r r2 r2", ["T3", "T3"]),
        ("wr wc1 wr1", []),
        ("wr wc1 wr", ["T2"]),
        # Refused for the state.
        ("sC13 tC236 DC101", []),
        ("sC11", ["T6"]),
        ("sc1", ["T6"]),
        ("tC13", ["T7"]),
        ("DC6", ["T5-demo-create-refused"]),
        ("Dr1 DC101 Dr2 Dr2", ["T3 T5-demo-create-refused"]),
        ("sr1 sC13 sr2 sr2", ["T3 T6"]),
        ("tr1 tC236 tr2 tr2", ["T3 T7"]),
        ("dc1 dr1 dC101 dr1", []),
        ("dC101", ["T5-demo-first-create"]),
        ("dc1 dC13", ["T5-demo-create-refused"]),
        ("dc1 dr1 dc2", ["T3 T5-demo-create-refused"]),
        ("dc1 dr dc2 dr2", ["T2"]),
    ],
)
def test_what_could_explain_it(steps: str, candidates: list[str]) -> None:
    expected = []
    for names in candidates:
        chosen = {entry.id for entry in catalogue().values() for name in names.split() if name in (entry.tag, entry.id)}
        expected.append(chosen)
    found = [set(each.candidates) for each in play(steps).explain().anomalies]
    assert found == expected


def test_calls_that_may_have_had_a_good_hash_refused_are_suspects() -> None:
    script = play("c1 r1 u m R4")
    (refused,) = script.explain().anomalies
    assert [(name, id(call)) for name, call in refused.suspects] == [
        (A5_CHANGED, id(script.answers[2])),
        (C7_METHODS, id(script.answers[3])),
    ]
    assert refused.undecided


def test_what_is_said_of_a_key_that_is_not_new() -> None:
    (again,) = play("c1 oc1").explain().anomalies
    assert (again.expected, again.got) == (
        "a key that was never given before",
        f"the key {key(1)!r}, which was given to owner before",
    )
    script = Script()
    script.add("create", value="credential of owner")
    (own,) = script.explain().anomalies
    assert own.got == "the key 'credential of owner', which is the credential of owner"


def test_where_a_key_was_given_first() -> None:
    script = play("c1 c2 oc1")
    (again,) = script.explain().anomalies
    assert again.context == (script.answers[0],)


def test_what_one_needs_to_see_it() -> None:
    script = play("c1 r1 c2 r2 r1")
    (stale,) = script.explain().anomalies
    assert script.answers[3] in stale.context
    assert stale.answer is script.answers[4]


@pytest.mark.parametrize(("reads", "candidates"), [(1, {T4, S4}), (2, {T4})])
def test_what_looks_like_no_key_may_be_no_session_key(reads: int, candidates: set[str]) -> None:
    """Where there is no session, what is given once may be meant for something else."""
    script = Script()
    for _ in range(reads):
        script.add("read", "owner_without_session", value="none", breaks=(S4,))
    first, *_ = (each for each in script.explain().anomalies if not each.by_rule)
    assert first.candidates == candidates


def test_the_form_in_which_a_key_is_kept_explains_another_one() -> None:
    script = play("c1 r1")
    for _ in range(2):
        script.add("read", value="none", breaks=(S4,))
    (changed,) = (each for each in script.explain().anomalies if not each.by_rule)
    assert changed.candidates == {S4, T3}


def test_a_read_that_was_let_in_has_made_nothing() -> None:
    script = play("c1 r1")
    script.add("read", None, value=key(1), valid=False, refusal=UNKNOWN)
    script.read(2)
    script.read(2)
    assert [set(each.candidates) for each in script.explain().anomalies] == [{A2}, {A2, T3}]


def test_a_key_that_no_create_gave_may_be_anothers_or_a_wrong_answer() -> None:
    (unknown,) = play("c1 r1 r9").explain().anomalies
    assert unknown.follows_from == {A6, T2}
    (stale,) = play("c1 r1 c2 r2 r1").explain().anomalies
    assert stale.follows_from == set()
    (unread,) = play("c1 r1 c2 r1").explain().anomalies
    assert unread.follows_from == {T1}


def test_of_the_calls_that_may_have_changed_it_the_last_of_each_kind_is_shown() -> None:
    script = play("c1 r1 u u m r2 r2")
    (changed,) = script.explain().anomalies
    assert [script.answers.index(each) for each in changed.context] == [1, 3, 4]
    assert [(name, script.answers.index(each)) for name, each in changed.suspects] == [
        (T3, 1),
        (A5_CHANGED, 2),
        (A5_CHANGED, 3),
        (C7_METHODS, 4),
    ]


def test_what_is_expected_is_what_was_given_last() -> None:
    script = play("c1 r1 r2 r3")
    _, second = script.explain().anomalies
    assert second.expected == f"the key {key(2)!r}"
    assert second.context == (script.answers[2],)


@pytest.mark.parametrize(
    ("call", "label", "broken"),
    [
        ({"operation": "create", "value": "k"}, "owner", None),
        ({"operation": "create", "code": 6}, "owner", None),
        ({"operation": "create", "value": "k"}, "other_owner", A6),
        ({"operation": "create", "code": 6}, "other_owner", A6),
        ({"operation": "read", "value": "k"}, "owner", T3),
        ({"operation": "read", "value": "k"}, "other_owner", A6),
        ({"operation": "create", "method": "HEAD"}, "owner", None),
        ({"operation": "create", "method": "OPTIONS"}, "owner", C7_OPTIONS),
        ({"operation": "create", "method": "PUT", "value": "k"}, "owner", C7_METHODS),
        ({"operation": None, "valid": False, "holder": "owner"}, "owner", C7_ACTIONS),
        ({"operation": None, "account": None, "valid": False}, "owner", A5_CHANGED),
        ({"operation": "create", "account": None, "valid": False, "code": 4}, "owner", A5_CHANGED),
        # What should be refused and is let in has done what it asked for.
        ({"operation": "create", "account": None, "valid": False, "value": "k"}, "owner", A2),
        ({"operation": "create", "style": "post-json", "account": None, "valid": False, "value": "k"}, "owner", A2),
        ({"operation": "create", "method": "PUT", "account": None, "valid": False, "value": "k"}, "owner", C7_METHODS),
        ({"operation": None, "account": None, "valid": False, "value": "k"}, "owner", A5_CHANGED),
        ({"operation": "create", "account": "subuser", "code": 13}, "subuser", T6),
        ({"operation": "create", "account": "subuser", "code": 13}, "owner", T6),
        ({"operation": "create", "account": "subuser", "value": "k"}, "subuser", None),
        ({"operation": "create", "account": "subuser", "value": "k"}, "owner", A6),
        ({"operation": "create", "account": "tariff_restricted", "code": 236}, "owner", T7),
        ({"operation": "create", "account": "demo_with_session", "code": 101}, "owner", T5_REFUSED),
    ],
)
def test_who_may_change_a_key(call: dict[str, Any], label: str, broken: str | None) -> None:
    refusal = None if call.get("valid", True) else UNKNOWN
    assert may_not_change(Script().add(**call, refusal=refusal), label) == broken


def test_what_need_not_be_refused_is_not_let_in() -> None:
    """A good hash by another scheme may authenticate: what it changes is the matter of the call that it is."""
    answer = Script().add("create", value="k", valid=False)
    assert may_not_change(answer, "owner") == A5_CHANGED


# ---------------------------------------------------------------------- concurrent calls


def _group(*calls: tuple[str, int | None, float, float], before: str = "c9 r9") -> Script:
    """A history that begins with *before*, and then has *calls* of the owner at once: operation, key, begin and end."""
    script = play(before)
    for operation, number, sent, ended in calls:
        value = key(number) if number is not None else None
        code = None if value else 201 if operation == "read" else 6
        script.add(operation, value=value, code=code, group=1, span=(100 + sent, 100 + ended))
    script.now = 200.0
    return script


_CREATE = ("create", 1, 0.0, 2.0)


@pytest.mark.parametrize(
    ("calls", "before", "then", "candidates"),
    [
        # A read under way may give the old key until the new one is certain.
        ([_CREATE, ("read", 9, 1.0, 3.0)], "c9 r9", 1, []),
        ([_CREATE, ("read", 9, 2.0, 3.0)], "c9 r9", 1, ["T2"]),
        ([_CREATE, ("read", 1, 0.5, 0.6)], "c9 r9", 1, []),
        ([_CREATE, ("read", 1, -2.0, -1.0)], "c9 r9", 1, ["T2"]),
        ([_CREATE, ("read", 3, 1.0, 3.0)], "c9 r9", 1, ["T2 T3"]),
        ([_CREATE, ("read", 8, 1.0, 3.0)], "c8 c9 r9", 1, ["T2"]),
        ([_CREATE, ("read", None, 1.0, 3.0)], "c9 r9", 1, ["T2 T3"]),
        # Where a key of theirs is not read when it is quiet either, it may be a matter of T8.
        ([_CREATE, ("create", 2, 1.0, 3.0), ("read", 9, 4.0, 5.0)], "c9 r9", 9, ["T2 T8", "T2 T8"]),
        ([_CREATE, ("create", 2, 1.0, 3.0), ("read", 9, 4.0, 5.0)], "c9 r9", 7, ["T2 T8", "T2 T3 T8"]),
        # Nothing is known of what was there before the first create.
        ([_CREATE, ("read", 3, -1.0, 1.0)], "", 1, []),
        ([_CREATE, ("read", 5, -1.0, 1.0)], "oc5", 1, ["A6"]),
        # Any of several may have won; after one that failed it may be anything.
        ([_CREATE, ("create", 2, 1.0, 3.0)], "c9 r9", 2, []),
        ([_CREATE, ("create", 2, 1.0, 3.0)], "c9 r9", 9, ["T2 T8"]),
        ([_CREATE, ("create", None, 1.0, 3.0)], "c9 r9", 7, ["T8"]),
        ([_CREATE, ("create", 9, 1.0, 3.0)], "c9 r9", 7, ["T1"]),
        ([_CREATE, ("create", 1, 1.0, 3.0)], "c9 r9", 7, ["T8"]),
        # One that had ended when another began has not won, and may not be read once the other has ended.
        ([_CREATE, ("create", 2, 2.0, 4.0)], "c9 r9", 1, ["T2 T8"]),
        ([_CREATE, ("create", 2, 2.0, 3.0), ("read", 1, 3.0, 4.0)], "c9 r9", 2, ["T2"]),
        ([_CREATE, ("create", 2, 1.0, 3.0), ("read", 1, 3.0, 4.0)], "c9 r9", 2, []),
        ([_CREATE, ("read", 1, -2.0, 0.0)], "c9 r9", 1, ["T2"]),
        # Where nothing was under way with a create, that there were others explains nothing.
        ([_CREATE, ("read", 1, 2.0, 4.0)], "c9 r9", 9, ["T2"]),
        ([_CREATE, ("read", 9, -2.0, 0.0)], "c9 r9", 9, ["T2"]),
        ([_CREATE, ("read", 9, 1.0, 3.0)], "c9 r9", 9, ["T2 T8"]),
        # Reads alone.
        ([("read", 9, 0.0, 2.0), ("read", None, 1.0, 3.0)], "c9 r9", 9, ["T2 T3 T8"]),
    ],
)
def test_what_could_explain_what_is_seen_at_once(
    calls: list[tuple[str, int | None, float, float]], before: str, then: int, candidates: list[str]
) -> None:
    script = _group(*calls, before=before)
    script.read(then)
    found = [sorted(name.partition("-")[0] for name in each.candidates) for each in script.explain().anomalies]
    assert found == [names.split() for names in candidates]


def test_what_is_read_when_it_is_quiet_says_nothing_of_another_round() -> None:
    """In the first round two keys are read that are none of its creates', in the second all is well."""
    for quiet in ([9, 1], [9], []):
        script = _group(_CREATE, ("create", 2, 1.0, 3.0), ("read", 9, 4.0, 5.0))
        for number in quiet:
            script.read(number)
        script.add("create", value=key(3), group=2, span=(300, 302))
        script.add("create", value=key(4), group=2, span=(300, 302))
        script.now = 400.0
        script.read(4)
        assert T8 in script.explain().anomalies[0].candidates, quiet


def test_none_of_the_creates_at_once_may_be_kept() -> None:
    script = _group(_CREATE, ("create", 2, 1.0, 3.0))
    script.read(7)
    script.read(7)
    (found,) = script.explain().anomalies
    assert found.candidates == {T2, T3, T8}


def test_what_is_refused_for_its_rate_says_nothing_of_a_group() -> None:
    script = _group(_CREATE)
    script.add("create", code=15, status=429, group=1, span=(101, 103))
    script.read(1)
    assert script.broken == set()


def test_an_ambiguous_create_in_a_group_leaves_open_which_key_it_made() -> None:
    script = _group(_CREATE)
    script.add("create", value=key(2), ambiguous=True, group=1, span=(101, 103))
    script.read(7)
    assert script.broken == set()


def test_what_is_given_again_at_once_follows_from_what_is_given_again() -> None:
    (at_once,) = _group(_CREATE, ("create", 1, 1.0, 3.0)).explain().anomalies
    assert at_once.candidates == {T8}
    assert at_once.follows_from == {T1}
    (before,) = _group(_CREATE, ("create", 9, 1.0, 3.0)).explain().anomalies
    assert before.candidates == {T1}
    assert before.follows_from == set()


def test_the_hash_of_an_account_is_no_key_at_once_either() -> None:
    script = _group(_CREATE)
    script.add("create", value="credential of owner", group=1, span=(101, 103))
    assert script.broken == {T1}


def test_the_form_of_what_fails_at_once_may_be_why() -> None:
    script = _group(_CREATE)
    for kind, requirement in (("success", S3), ("foreign", S2)):
        answer = script.add("create", status=200, group=1, span=(101, 103), breaks=(requirement,))
        script.answers[-1] = replace(answer, kind=kind)  # type: ignore[arg-type]
    found = [each for each in script.explain().anomalies if not each.by_rule]
    assert [each.candidates for each in found] == [{T8, S3}, {T8, S2}]


def test_a_limit_with_another_status_is_why_there_is_no_key_at_once() -> None:
    script = _group(_CREATE)
    script.add("create", code=15, status=403, group=1, span=(101, 103), breaks=(E2,))
    assert script.broken == {E2}


def test_the_form_of_what_is_read_at_once_may_be_why() -> None:
    script = _group(_CREATE)
    script.add("read", value="none", group=1, span=(101, 103), breaks=(S4,))
    (found,) = (each for each in script.explain().anomalies if not each.by_rule)
    assert found.candidates == {S4, T2, T3, T8}


def test_a_read_that_fails_at_once() -> None:
    script = _group(_CREATE)
    script.add("read", code=6, status=500, group=1, span=(101, 103))
    (found,) = (each for each in script.explain().anomalies if not each.by_rule)
    assert found.candidates == {T2}


def test_who_has_no_session_has_none_at_once() -> None:
    script = Script()
    for _ in range(2):
        script.add("read", "owner_without_session", code=201, group=1, span=(1, 3))
    assert script.broken == set()
    # Until one is made, which may come first.
    script = Script()
    script.add("create", "owner_without_session", value=key(1), group=1, span=(1, 3))
    script.add("read", "owner_without_session", code=201, group=1, span=(4, 5))
    (found,) = script.explain().anomalies
    assert T2 in found.candidates
    # A key that no create has made is wrong.
    script = Script()
    script.add("read", "owner_without_session", value=key(1), group=1, span=(1, 3))
    assert [T2 in each.candidates for each in script.explain().anomalies] == [True]


def test_how_often_a_read_at_once_could_have_been_wrong() -> None:
    opportunities = Register(_group(_CREATE, ("read", 9, 1.0, 3.0), before="").answers).opportunities
    assert (opportunities[T2], opportunities[T3], opportunities[T8]) == (1, 1, 2)


def test_how_often_each_call_could_have_been_wrong() -> None:
    script = Script()
    script.add("read", "owner_without_session", code=7)
    script.add("create", value=key(1), equivalences=(C8,))
    script.add("read", value=key(1), equivalences=(C5_ISO,))
    assert Register(script.answers).opportunities == {T1: 1, T2: 2, T3: 2, T4: 1, C5_ISO: 1, C8: 1}


def test_a_key_that_comes_back_is_shown_with_the_creates_since() -> None:
    script = Script()
    for number in (1, 2, 3, 1):
        script.add("create", value=key(number))
    (found,) = script.explain().anomalies
    assert [each.key for each in found.context] == [key(1), key(2), key(3)]


def test_the_form_of_a_key_that_is_given_at_once_may_be_why_another_is_read() -> None:
    script = _group(_CREATE)
    script.add("create", value="none", group=1, span=(101, 103), breaks=(S4,))
    script.read(9)
    found = [each for each in script.explain().anomalies if not each.by_rule]
    assert [S4 in each.candidates for each in found] == [True]
    # That is the create that one needs to see.
    assert [each.key for each in found[0].context][:1] == ["none"]


def test_an_ambiguous_create_at_once_may_give_a_key_again() -> None:
    script = _group(_CREATE)
    script.add("create", value=key(9), ambiguous=True, group=1, span=(101, 103))
    assert [each for each in script.explain().anomalies if not each.by_rule] == []


def test_what_read_gives_where_no_create_has_made_a_session_may_be_no_key() -> None:
    (first, second) = play("wr7 wr8").explain().anomalies
    assert T4 in first.candidates
    assert T4 in second.candidates


def test_the_call_before_a_refused_create_is_shown_for_demo_sessions_alone() -> None:
    (demo,) = play("dc1 dr1 dC13").explain().anomalies
    assert [each.key for each in demo.context] == [key(1)]
    (subuser,) = play("sr1 sC11").explain().anomalies
    assert subuser.context == ()


def test_a_demo_session_that_creates_at_once_has_created() -> None:
    script = Script()
    script.add("create", "demo_without_session", value=key(1), group=1, span=(1, 3))
    script.now = 10
    script.add("create", "demo_without_session", code=101, status=403)
    assert script.broken == set()


def test_of_two_users_at_once_the_stale_read_may_be_for_the_other() -> None:
    script = _group(_CREATE)
    script.add("create", "other_owner", value=key(2), group=1, span=(101, 103))
    script.read(9)
    (found,) = script.explain().anomalies
    assert A6 in found.candidates


def test_how_often_a_create_at_once_could_have_been_wrong() -> None:
    opportunities = Register(_group(_CREATE, ("create", 2, 1.0, 3.0)).answers).opportunities
    assert (opportunities[T1], opportunities[T8]) == (3, 2)


def test_a_read_at_once_with_a_create_that_does_not_say_its_key_may_give_it() -> None:
    """A list, the hash of the caller, a value twice: which key it made is not known, and what is read may be that one."""
    for value, ambiguous in ((None, False), ("credential of owner", False), (key(2), True)):
        script = _group(_CREATE, ("read", 3, 1.0, 3.0))
        script.add("create", value=value, status=200, ambiguous=ambiguous, group=1, span=(101, 103))
        script.read(4)
        reads = [each for each in script.explain().anomalies if each.answer.exchange.intent.operation == "read"]
        assert reads == [], value


@pytest.mark.parametrize(
    ("before", "read", "candidates"),
    [
        ("c8 c9 p", (9, 1.0, 3.0), set()),
        ("c8 c9 p", (8, 1.0, 3.0), set()),
        # The create of the group has replaced it, whichever it was; and no read gives what is not made yet.
        ("c8 c9 p", (9, 2.0, 3.0), {T2, T8}),
        ("c8 c9 p", (1, -2.0, -1.0), {T2, T8}),
        ("oc5 c9 p", (5, 1.0, 3.0), {A6}),
        # It is known again.
        ("c8 c9 p r9", (8, 1.0, 3.0), {T2, T8}),
    ],
)
def test_a_read_at_once_where_it_is_not_known_which_key_was_in_force(
    before: str, read: tuple[int, float, float], candidates: set[str]
) -> None:
    script = _group(_CREATE, ("read", *read), before=before)
    reads = [each for each in script.explain().anomalies if each.answer.exchange.intent.operation == "read"]
    assert [each.candidates for each in reads] == ([candidates] if candidates else [])


def test_what_an_ambiguous_create_gave_is_nobodys() -> None:
    script = play("c1 r1")
    script.add("create", value=key(2), ambiguous=True)
    script.create(2, "other_owner")
    assert script.broken == set()


@pytest.mark.parametrize("operation", ["create", "read"])
def test_a_limit_with_another_status_is_why_there_is_no_key(operation: str) -> None:
    script = play("c1 r1")
    script.add(operation, code=15, status=403, breaks=(E2,))
    assert script.broken == {E2}
    script.add(operation, code=7, status=400)
    assert script.broken == {E2, T1 if operation == "create" else T2}


@pytest.mark.parametrize(
    ("account", "requirement", "code"), [("demo_with_session", T5_REFUSED, 101), ("subuser", T6, 13)]
)
def test_a_read_that_is_refused_as_the_create_before_it(account: str, requirement: str, code: int) -> None:
    script = Script()
    script.read(1, account)
    script.add("create", account, code=code, status=403)
    script.add("read", account, code=code, status=403)
    found = [each for each in script.explain().anomalies if not each.by_rule]
    assert all(requirement in each.candidates for each in found)
    assert len(found) == 1


def test_a_read_that_is_refused_in_other_words_is_not_for_the_create() -> None:
    script = Script()
    script.read(1, "demo_with_session")
    script.add("create", "demo_with_session", code=101, status=403)
    script.add("read", "demo_with_session", code=11, status=403)
    assert script.broken == {T2}


def _follow_up(script: Script, *broken_by: tuple[str, int]) -> None:
    """The calls of *broken_by* anew, an account and the code that it gets, each as a follow-up, and then a read that fits."""
    for account, code in broken_by:
        script.add("create", account, code=code, repeat=True)
    script.add("read", value=key(2), repeat=True)


def test_what_comes_once_is_what_is_left_where_nothing_else_did_it_again() -> None:
    """The first create of a demo session ends the owner's: no follow-up can make it again."""
    script = play("c1 r1 sR4 sC13 tC236 dc5 r r")
    (anomaly,) = [each for each in Register(script.answers).anomalies if each.answer.exchange.intent.account == "owner"]
    assert {T6, T7, A6} <= anomaly.candidates
    script.create(2)
    script.read(2)
    _follow_up(script, ("subuser", 13), ("tariff_restricted", 236))
    (anomaly,) = [each for each in Register(script.answers).anomalies if each.answer.exchange.intent.account == "owner"]
    assert A6 in anomaly.candidates
    assert not {T6, T7} & anomaly.candidates


@pytest.mark.parametrize(
    ("steps", "left"),
    [
        # A key that nobody was given, and that stays, is no wrong answer.
        ("c1 r1 sC13 r3 r3", {T3}),
        # It may be one where no second read gives it, where the session is gone, or where an earlier key comes back.
        ("c1 r1 sC13 r3 r1", {T2}),
        ("c1 r1 sC13 r r", {T2, T3}),
        ("c1 r1 c4 r4 sC13 r1 r1", {T2}),
    ],
)
def test_what_is_left_where_follow_up_calls_change_nothing(steps: str, left: set[str]) -> None:
    script = play(steps)
    script.create(2)
    script.read(2)
    _follow_up(script, ("subuser", 13))
    (anomaly,) = Register(script.answers).anomalies
    assert anomaly.candidates == left


def test_what_was_not_made_again_may_still_have_done_it() -> None:
    script = play("c1 r1 sR4 sC13 tC236 dc5 r r c2 r2")
    _follow_up(script, ("tariff_restricted", 236))
    (anomaly,) = [each for each in Register(script.answers).anomalies if each.answer.exchange.intent.account == "owner"]
    assert {T6, A6} <= anomaly.candidates
    assert T7 not in anomaly.candidates


def test_where_all_could_be_made_again_it_is_the_answer_that_was_wrong() -> None:
    script = play("c1 r1 sC13 tC236 r r c2 r2")
    _follow_up(script, ("subuser", 13), ("tariff_restricted", 236))
    (anomaly,) = [each for each in Register(script.answers).anomalies if each.answer.exchange.intent.account == "owner"]
    assert anomaly.candidates == {T2, T3}


@pytest.mark.parametrize(
    ("steps", "follows_from"),
    [
        # The key that the first create gave was never read: it may not have been kept.
        ("dr dc1 dc2", {T2}),
        ("dr dc1 dr1 dc2", set()),
        # A call without a credential may have removed it.
        ("dr dc1 u dc2", {T2, A5_CHANGED}),
        ("dr dc1 dr1 u dc2", {A5_CHANGED}),
    ],
)
def test_what_a_second_create_of_a_demo_session_may_come_of(steps: str, follows_from: set[str]) -> None:
    (anomaly,) = Register(play(steps).answers).anomalies
    assert T5_REFUSED in anomaly.candidates
    assert anomaly.follows_from == follows_from


@pytest.mark.parametrize(
    ("steps", "follows_from", "broken"),
    [
        # The owner has had key 1 before: that the other reads it follows from the create that gave it again.
        ("c1 c2 r2 oc1 or1", {T1}, {T1}),
        # The owner has it still: two users share it.
        ("c1 r1 oc1 or1", set(), {T1, A6}),
        # What create gave the other alone is not read from there.
        ("c1 c2 r2 oc3 or1", set(), {A6}),
        # It may still be the owner's.
        ("c1 p oc1 or1", set(), {T1, A6}),
    ],
)
def test_a_key_that_create_gives_two_accounts(steps: str, follows_from: set[str], broken: set[str]) -> None:
    script = play(steps)
    found = [each for each in Register(script.answers).anomalies if each.candidates == {A6}]
    assert [each.follows_from for each in found] == [follows_from]
    assert broken <= script.broken
    assert (A6 in script.broken) is (A6 in broken)
