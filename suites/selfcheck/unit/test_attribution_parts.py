"""Attribution, the small questions: what an answer is meant as, which styles and parameters work, what is still open."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from contracts.anomaly import Anomaly
from contracts.attribution import answers, by_style, collect, cover, equivalences, findings, first_creates, styles
from contracts.attribution.explanation import Explanation, combined, explain
from contracts.exchange import Refusal
from contracts.ids import (
    A2,
    A4,
    B1,
    C1_JSON,
    C1_PARSED,
    C2,
    C3_GET,
    C5_ISO,
    C5_UNKNOWN,
    C6_CHARSET,
    C8,
    E1,
    E2,
    P2,
    P3,
    R1,
    S1,
    S2,
    S3,
    S4,
    T1,
    T2,
    T3,
    T4,
    T5_FIRST,
    T6,
    T7,
)
from contracts.judge import Judgement
from contracts.requirements import catalogue
from suites.selfcheck.unit.histories import UNKNOWN, Script, key

_GENERAL = Refusal(B1, "general")
_JSON, _PAGE = "application/json", "text/html"


def _answer(media_type: str | None = _JSON, *broken: str, **about: Any) -> Judgement:
    """The answer to a read of the owner, with this media type, that breaks these rules."""
    return Script().add("read", media_type=media_type, breaks=broken, **about)


def _anomaly(*candidates: str, made: Judgement | None = None, **about: Any) -> Anomaly:
    return Anomaly(frozenset(candidates), made or _answer(code=4), "expected", "got", **about)


# ---------------------------------------------------------------------- what is open


def test_what_is_open() -> None:
    call = _answer(code=13)
    suspects = ((T6, call), (T7, call))
    undecided = _anomaly(T6, T7, T2, suspects=suspects)
    assert Explanation(anomalies=(undecided,)).open == [undecided]
    # What is certain elsewhere explains it.
    assert Explanation(anomalies=(undecided, _anomaly(T6))).open == []
    assert Explanation(anomalies=(undecided, _anomaly(T1))).open == [undecided]
    # Of two candidates none is certain.
    assert Explanation(anomalies=(undecided, _anomaly(T6, T1))).open == [undecided]
    # With one suspect there is nothing to find out.
    assert Explanation(anomalies=(_anomaly(T6, suspects=((T6, call),)),)).open == []
    # But where the answer may be wrong by itself.
    alone = _anomaly(T6, T2, suspects=((T6, call),))
    assert Explanation(anomalies=(alone,)).open == [alone]


_CORE = [name for name, entry in catalogue().items() if entry.in_profile("core")]


def _unanswered(script: Script) -> None:
    """No answer came to the last call."""
    last = script.answers[-1]
    exchange = replace(last.exchange, response=None, failure="no answer")
    script.answers[-1] = replace(last, kind="nothing", code=None, exchange=exchange)


@pytest.mark.parametrize("silent", [False, True])
def test_in_the_core_profile_a_server_error_is_no_refusal(silent: bool) -> None:
    script = Script()
    script.create(1)
    script.add("read", code=6, status=500, valid=False, refusal=UNKNOWN)
    if silent:
        _unanswered(script)
    script.add("read", code=4, valid=False, refusal=UNKNOWN)
    for requirements, broken, no_refusals in (
        (_CORE, set[str](), (script.answers[1],)),
        (catalogue(), {B1}, ()),
    ):
        found = explain(script.answers, requirements)
        assert found.broken == broken
        assert found.no_refusals == no_refusals
        assert combined([found, found]).no_refusals == no_refusals * 2


def test_in_the_core_profile_what_else_is_wrong_counts() -> None:
    owed = Script()
    owed.create(1)
    owed.add("create", code=6, status=500)
    assert explain(owed.answers, _CORE).broken == {T1}
    assert explain(owed.answers, _CORE).no_refusals == ()
    page = Script()
    page.create(1)
    page.add("read", valid=False, refusal=UNKNOWN, status=403)
    assert explain(page.answers, _CORE).broken == {A2}
    other = Script()
    other.create(1)
    other.add("read", code=4, status=500, valid=False, refusal=UNKNOWN, breaks=(E2,))
    assert explain(other.answers, _CORE).broken == {E2}
    assert explain(other.answers, _CORE).no_refusals == (other.answers[1],)


def test_a_read_that_may_be_wrong_to_give_a_key_at_all_leaves_open_what_has_made_it() -> None:
    undecided = _anomaly(T3, T4, T6, suspects=((T3, _answer(code=201)), (T6, _answer(code=13))))
    assert Explanation(anomalies=(undecided,)).open == [undecided]
    # With one suspect it is that one, or the answer.
    assert Explanation(anomalies=(_anomaly(T3, T4, suspects=((T3, _answer(code=201)),)),)).open == []


# ---------------------------------------------------------------------- a key that is tried as a credential


@pytest.mark.parametrize(
    ("refused", "opens", "candidates"),
    [(UNKNOWN, key(9), {A2, A4}), (UNKNOWN, None, {A4}), (Refusal(B1, "general"), key(9), {A4})],
)
def test_who_is_let_in_by_any_hash_is_let_in_by_a_key(
    refused: Refusal, opens: str | None, candidates: set[str]
) -> None:
    script = Script()
    script.create(1)
    script.add("create", None, valid=False, refusal=refused, value=opens, code=None if opens else 4)
    script.add("read", None, valid=False, value=key(1), refusal=Refusal(A4, "code", frozenset({3, 4})))
    made = script.answers[-1]
    found = next(each for each in script.explain().anomalies if each.answer is made)
    # Its credential is no hash in these histories, which is for others (S4).
    assert found.candidates - {S4} == candidates


# ---------------------------------------------------------------------- what refuses a demo session its first create

_DEMO, _OTHER = "demo_without_session", "demo_without_session 2"


def _refused_after_a_read(then: int | None = 1, account: str = _DEMO) -> Script:
    """A demo session that reads 201, is refused its first create, and reads again: a key, or 201."""
    script = Script()
    script.read(None, account)
    script.add("create", account, code=101, status=403)
    script.read(then, account)
    return script


def test_a_session_that_only_a_read_can_have_made() -> None:
    script = _refused_after_a_read()
    script.create(2, _OTHER)
    explained = script.explain()
    assert explained.broken == {T3}
    assert all(T5_FIRST not in each.candidates for each in explained.anomalies)


@pytest.mark.parametrize("also", ["nobody", "read first", "refused", "refused once", "no session", "no session once"])
def test_where_the_rule_for_demo_sessions_explains_it_as_well(also: str) -> None:
    script = _refused_after_a_read(None if also == "no session" else 1)
    if also == "read first":
        script.read(None, _OTHER)
    if also == "no session once":
        script.answers += _refused_after_a_read(None, "demo_without_session 3").answers
    if also == "refused once":
        script.create(5, "demo_without_session 3")
    if also.startswith("refused"):
        script.add("create", _OTHER, code=101, status=403)
    elif also != "nobody":
        script.create(2, _OTHER)
    explained = script.explain()
    assert T5_FIRST in explained.broken
    refused = next(each for each in explained.anomalies if each.answer.exchange.intent.operation == "create")
    assert T5_FIRST in refused.candidates


def test_calls_without_good_credentials_are_no_first_calls() -> None:
    script = _refused_after_a_read()
    script.add("read", _OTHER, code=4, valid=False)
    script.add(None, _OTHER, code=111)
    script.create(2, _OTHER)
    script.create(3, "demo_with_session")
    assert {T3} == first_creates.without_the_rule([_anomaly(T3, T5_FIRST)], script.answers)[0].candidates
    # Where nothing is undecided between the two, nothing changes.
    other = _anomaly(T5_FIRST, T1)
    assert first_creates.without_the_rule([other], script.answers) == [other]
    both = [_anomaly(T3, T5_FIRST), other]
    assert first_creates.without_the_rule(both, script.answers)[1] is other
    # Where nobody was read first, nobody shows it.
    at_once = Script()
    at_once.create(1, _DEMO)
    assert first_creates.without_the_rule(both, at_once.answers) == both


# ---------------------------------------------------------------------- what an answer is meant as


@pytest.mark.parametrize(
    ("made", "meant"),
    [
        (_answer(_JSON, S2, status=403), True),
        (_answer(_JSON, status=403), True),
        (_answer(_PAGE, S2, status=403), False),
        (_answer(_PAGE, S3, status=403), True),
        (_answer(_PAGE, status=403), True),
        (_answer(None, S2, status=403), False),
        (_answer(_JSON, status=399), False),
        (_answer(_JSON, status=400), True),
        (_answer(_JSON, status=499), True),
        (_answer(_JSON, status=500), False),
    ],
)
def test_what_is_meant_as_a_refusal(made: Judgement, meant: bool) -> None:
    assert answers.is_client_error(made) is meant


def test_no_answer_is_meant_as_nothing() -> None:
    made = _answer(status=403)
    silent = Judgement(replace(made.exchange, response=None), "nothing")
    assert not answers.is_client_error(silent)
    assert not answers.says_json(silent)
    assert not answers.is_accepted(silent)


@pytest.mark.parametrize(
    ("made", "accepted"),
    [
        (_answer(_JSON, value=""), True),
        (_answer(_JSON, value="", status=299), True),
        (_answer(_JSON, value="", status=300), False),
        (_answer(_JSON, value="", status=199), False),
        (_answer(_JSON, status=200), True),
        (_answer(_PAGE, status=200), False),
        (_answer(_JSON, code=4, status=200), False),
        (_answer("application/json; charset=utf-8", value=""), True),
        (_answer("Application/JSON", value=""), True),
    ],
)
def test_what_is_meant_as_a_success(made: Judgement, accepted: bool) -> None:
    assert answers.is_accepted(made) is accepted


@pytest.mark.parametrize(
    ("made", "requirement", "behind"),
    [
        # Almost JSON: its form is wrong, whatever it says.
        (_answer(_JSON, S2, ambiguous=True, status=400), S2, set()),
        (_answer(_PAGE, S2, ambiguous=True, status=400), S2, {T4}),
        # Nor can an error be read that is no JSON at all, where no member is said to be missing.
        (_answer(_JSON, S2, status=400), S2, set()),
        (_answer(_JSON, S2, E1, status=400), S2, {T4}),
        (_answer(_PAGE, S2, status=400), S2, {T4}),
        (_answer(_JSON, E1, ambiguous=True, status=400), E1, {T4}),
        (_answer(_JSON, S2, ambiguous=True, status=400, refusal=_GENERAL, valid=False), S2, {B1, S2}),
        # A page in answer to bad input is its matter, or that of all errors that have no envelope.
        (_answer(_PAGE, S2, E1, status=503, refusal=UNKNOWN, valid=False), S2, {B1, E1, S2}),
        (_answer(_PAGE, S2, E1, status=400, refusal=UNKNOWN, valid=False), S2, set()),
    ],
)
def test_what_is_behind_a_form_that_is_wrong(made: Judgement, requirement: str, behind: set[str]) -> None:
    assert findings._behind(requirement, made, _anomaly(T4)) == behind


@pytest.mark.parametrize(
    ("operation", "value", "follows"),
    [("create", "credential of owner", {T1}), ("read", "credential of owner", {T1, T2, T4}), ("read", key(1), set())],
)
def test_what_giving_the_callers_own_hash_breaks(operation: str, value: str, follows: set[str]) -> None:
    assert findings._of_own_hash(Script().add(operation, value=value)) == follows


@pytest.mark.parametrize("about", [{}, {"valid": False}])
def test_a_call_without_a_credential_may_be_of_any_style_of_its_method(about: dict[str, Any]) -> None:
    made, style = _answer(code=4, **about), _refused()[0]
    assert not by_style._by_method(made, style)
    intent = replace(made.exchange.intent, credential=None, valid=False)
    assert by_style._by_method(replace(made, exchange=replace(made.exchange, intent=intent)), style)
    valid = replace(intent, valid=True)
    assert not by_style._by_method(replace(made, exchange=replace(made.exchange, intent=valid)), style)


@pytest.mark.parametrize(
    ("promise", "for_its_method", "answer", "explained"),
    [
        (C1_JSON, True, {"code": 112}, True),
        (C1_JSON, True, {"status": 405}, True),
        (C1_JSON, True, {"status": 404}, True),
        (C1_JSON, True, {"status": 404, "code": 7}, False),
        (C1_JSON, True, {"status": 501}, True),
        (C1_JSON, True, {"code": 4}, False),
        (C1_JSON, False, {"code": 112}, False),
        (C2, True, {"code": 112}, False),
    ],
)
def test_a_method_that_is_refused_breaks_c1_alone(
    promise: str, for_its_method: bool, answer: dict[str, Any], explained: bool
) -> None:
    style = styles.RefusedStyle("read", "post-json", "POST", promise, for_its_method=for_its_method)
    made = _answer(style="post-header", **answer)
    told = by_style._with_style(_anomaly(T2, made=made), [style], set())
    assert told.candidates == ({promise} if explained else {T2})
    # By another method it is another matter.
    other = by_style._with_style(_anomaly(T2, made=_answer(style="get-header", **answer)), [style], set())
    assert other.candidates == {T2}


# ---------------------------------------------------------------------- a status that does not go with the code


def _bad(*candidates: str) -> Anomaly:
    return _anomaly(*candidates, made=_answer(code=3, status=422, refusal=_GENERAL, valid=False))


def test_a_status_that_only_bad_input_gets_is_no_excuse() -> None:
    (told,) = collect._without_e2_for_bad_input([_bad(B1, E2)])
    assert told.candidates == {B1}
    (told,) = collect._without_e2_for_bad_input([_bad(B1, E2, S1)])
    assert told.candidates == {B1, S1}
    (told,) = collect._without_e2_for_bad_input([_bad(E2, S1)])
    assert told.candidates == {E2, S1}


def test_a_status_that_other_refusals_get_too_is_what_is_wrong() -> None:
    other = _anomaly(E2, made=_answer(code=4, status=401, refusal=UNKNOWN, valid=False))
    bad = _bad(B1, E2)
    assert collect._without_e2_for_bad_input([bad, other]) == [bad, other]
    unlike = replace(other, candidates=frozenset({A2}))
    told, _ = collect._without_e2_for_bad_input([_bad(B1, E2), unlike])
    assert told.candidates == {B1}
    # Of what is no bad input the status is what is wrong.
    mixed = replace(other, candidates=frozenset({B1, E2}))
    assert collect._without_e2_for_bad_input([mixed]) == [mixed]


# ---------------------------------------------------------------------- styles


def _refused(style: str = "post-form") -> list[styles.RefusedStyle]:
    return [styles.RefusedStyle("read", style, "POST", C2, for_its_method=False)]


def _with_style(anomaly: Anomaly, elsewhere: set[tuple[str | None, str, int | None]] | None = None) -> Anomaly:
    return by_style._with_style(anomaly, _refused(), elsewhere or set())


def test_what_a_style_that_is_refused_explains() -> None:
    made = _answer(code=4, style="post-form")
    told = _with_style(_anomaly(T2, T1, E1, made=made))
    assert told.candidates == {C2}
    assert told.follows_from == {C2}
    # Where all refuse so, it is not the style alone.
    told = _with_style(_anomaly(T2, T1, E1, made=made), {("read", "error", 4)})
    assert told.candidates == {C2, T2, T1}
    # What a rule found stays.
    told = _with_style(_anomaly(E1, T3, made=made, by_rule=E1))
    assert told.candidates == {C2, E1, T3}
    # So is a call that gets no answer.
    silent = Judgement(replace(made.exchange, response=None), "nothing")
    assert _with_style(_anomaly(T2, E1, made=silent)).candidates == {C2, E1}
    # Another style is another matter.
    told = _with_style(_anomaly(T2, E1, made=_answer(code=4, style="post-json")))
    assert told.candidates == {T2, E1}
    assert told.follows_from == {C1_JSON}


@pytest.mark.parametrize(("status", "kept"), [(399, {C2, E1}), (400, {C2})])
def test_the_form_of_what_is_refused_in_a_style(status: int, kept: set[str]) -> None:
    told = _with_style(_anomaly(T2, E1, made=_answer(status=status, style="post-form")))
    assert told.candidates == kept


def test_what_a_style_does_not_explain() -> None:
    given = _anomaly(T2, made=_answer(value=key(1), style="post-form"))
    assert _with_style(given) == given
    redirected = _anomaly(P3, T2, made=_answer(status=302, style="post-form"), by_rule=P3)
    assert _with_style(redirected) == redirected
    for about in ({"by_rule": ""}, {"by_rule": S1}):
        told = _with_style(_anomaly(P3, T2, made=_answer(status=302, style="post-form"), **about))
        assert C2 in told.candidates
    other = _with_style(_anomaly(T2, made=_answer(status=302, style="post-form"), by_rule=P3))
    assert C2 in other.candidates
    # A call without a good credential is owed its refusal, whatever its form.
    bad = _answer(code=None, status=400, style="post-form", valid=False, refusal=UNKNOWN)
    assert _with_style(_anomaly(A2, E1, made=bad)).candidates == {A2, E1, C2}
    assert _with_style(_anomaly(A2, E1, made=bad)).follows_from == frozenset()
    # Nor does what is no error follow from the style.
    page = _answer(status=400, style="post-json")
    assert _with_style(_anomaly(T2, made=page)).follows_from == frozenset()


def test_what_calls_by_other_styles_are_told_too() -> None:
    """A refusal that comes by every style is not of the style alone."""
    script = Script()
    script.read(1)
    refused = script.add("read", code=4, style="post-form")
    owed = _anomaly(T2, made=refused)
    (told,) = by_style.with_styles([owed], script.answers)
    assert told.candidates == {C2}
    script.add("read", "other_owner", code=4)
    (told,) = by_style.with_styles([owed], script.answers)
    assert told.candidates == {C2, T2}


@pytest.mark.parametrize(
    ("about", "candidates"),
    [({"refusal": UNKNOWN}, {C2, S3}), ({"refusal": None}, {S3}), ({"refusal": UNKNOWN, "valid": True}, {S3})],
)
def test_a_success_in_a_style_in_which_everything_succeeds(about: dict[str, Any], candidates: set[str]) -> None:
    script = Script()
    script.read(1)
    said = script.add("read", style="post-form", status=200, media_type=_JSON)
    script.add("read", **{"valid": False, "style": "post-form", "status": 200, "media_type": _JSON, **about})
    (told,) = by_style.with_styles([_anomaly(S3, made=said)], script.answers)
    assert told.candidates == candidates


# ---------------------------------------------------------------------- the limit


def test_too_many_calls_are_told_by_their_status() -> None:
    limited = _answer(_JSON, E2, code=15, status=503)
    assert collect._with_the_limit(_anomaly(T2, made=limited)).candidates == {T2, E2}
    for found in (_anomaly(T2, made=limited, by_rule=T2), _anomaly(R1, made=limited)):
        assert collect._with_the_limit(found) == found
    assert collect._with_the_limit(_anomaly(T2)).candidates == {T2}


# ---------------------------------------------------------------------- parameters


def _called(code: int | None, *equivalences: str, account: str | None = "owner", **about: Any) -> Judgement:
    if code is None:
        about["value"] = key(1)
    return Script().add("read", account, code=code, equivalences=equivalences, style="post-json", **about)


def test_a_parameter_that_makes_no_difference_elsewhere() -> None:
    wrong = _called(7, C5_ISO, C6_CHARSET)
    found = _anomaly(T2, C5_ISO, C6_CHARSET, made=wrong)
    told = equivalences.without_those_that_work(found, [wrong, _called(None, C6_CHARSET)])
    assert told.candidates == {T2, C5_ISO}
    # The plain call fits: then it is what was changed, or the form of the answer.
    told = equivalences.without_those_that_work(
        replace(found, candidates=found.candidates | {E1, B1}), [wrong, _called(None)]
    )
    assert told.candidates == {C5_ISO, C6_CHARSET, E1, B1}
    # Of another account it says nothing.
    told = equivalences.without_those_that_work(found, [wrong, _called(None, account="other_owner")])
    assert told == found


def test_a_parameter_that_is_none_of_the_candidates() -> None:
    wrong = _called(7, C5_ISO)
    found = _anomaly(T2, made=wrong)
    assert equivalences.without_those_that_work(found, [wrong, _called(None)]) == found


def test_where_none_of_its_parameters_is_a_candidate_nothing_is_taken_away() -> None:
    wrong = _called(7, C6_CHARSET)
    found = _anomaly(T2, C1_PARSED, made=wrong)
    assert equivalences.without_those_that_work(found, [wrong, _called(None, C5_UNKNOWN)]) == found


def test_where_what_is_left_is_no_candidate_none_is_taken_away() -> None:
    wrong = _called(7, C5_ISO, C6_CHARSET)
    found = _anomaly(T2, C5_ISO, made=wrong)
    assert equivalences.without_those_that_work(found, [wrong, _called(None, C5_ISO)]) == found


def test_a_plain_call_that_got_no_answer_says_nothing() -> None:
    wrong = replace(_called(7, C5_ISO), kind="foreign", code=None)
    found = _anomaly(T2, C5_ISO, made=wrong)
    plain = replace(_called(7), kind="nothing", code=None)
    assert equivalences.without_those_that_work(found, [wrong, plain]) == found


def test_where_all_of_them_work_alone_none_is_taken_away() -> None:
    wrong = _called(7, C5_ISO, C6_CHARSET)
    found = _anomaly(T2, C5_ISO, C6_CHARSET, made=wrong)
    told = equivalences.without_those_that_work(found, [wrong, _called(None, C5_ISO), _called(None, C6_CHARSET)])
    assert told.candidates == {T2, C5_ISO, C6_CHARSET}


def test_a_body_that_is_read_for_another_member_is_parsed() -> None:
    wrong = _called(7, C5_ISO)
    found = _anomaly(C5_ISO, C1_PARSED, made=wrong)
    told = equivalences.without_those_that_work(found, [wrong, _called(None, C5_UNKNOWN)])
    assert told.candidates == {C5_ISO}
    told = equivalences.without_those_that_work(found, [wrong, _called(None, C6_CHARSET)])
    assert told.candidates == {C5_ISO, C1_PARSED}
    parsed = _called(7, C5_ISO, C1_PARSED)
    told = equivalences.without_those_that_work(
        _anomaly(C5_ISO, C1_PARSED, made=parsed), [parsed, _called(None, C5_UNKNOWN)]
    )
    assert told.candidates == {C5_ISO, C1_PARSED}


def test_a_call_that_was_understood_is_not_explained_by_its_parameters_alone() -> None:
    told_no_session = _called(201, C5_ISO)
    found = _anomaly(T2, C5_ISO, made=told_no_session)
    assert equivalences.without_those_that_work(found, [told_no_session, _called(None)]).candidates == {T2, C5_ISO}
    unknown = _called(4, C5_ISO)
    found = replace(found, answer=unknown)
    assert equivalences.without_those_that_work(found, [unknown, _called(None)]).candidates == {C5_ISO}


def test_a_success_is_no_sign_that_its_parameters_work_where_it_is_as_wrong() -> None:
    wrong = _called(None, C5_ISO, C6_CHARSET)
    found = _anomaly(T2, C5_ISO, C6_CHARSET, made=wrong)
    assert equivalences.without_those_that_work(found, [wrong, _called(None, C6_CHARSET)]) == found


def test_bad_input_is_not_explained_by_a_parameter_that_good_calls_of_anybody_carry() -> None:
    bad = Refusal(B1, form="general")
    wrong = _called(6, C5_UNKNOWN, account=None, valid=False, refusal=bad)
    found = _anomaly(B1, C5_UNKNOWN, made=wrong)
    good = _called(None, C5_UNKNOWN)
    assert equivalences.without_those_that_work(found, [wrong, good]).candidates == {B1}
    # The same parameter where it is refused, or of another style or operation, says nothing of this one.
    create = Script().add("create", value=key(1), equivalences=(C5_UNKNOWN,), style="post-json")
    form = Script().add("read", value=key(1), equivalences=(C5_UNKNOWN,), style="post-form")
    for other in (_called(7, C5_UNKNOWN), _called(None, C5_ISO), create, form):
        assert equivalences.without_those_that_work(found, [wrong, other]) == found
    only = _anomaly(C5_UNKNOWN, made=wrong)
    assert equivalences.without_those_that_work(only, [wrong, good]) == only
    # Good calls may carry iso_datetime elsewhere: it is a header, too.
    dated = _called(6, C5_ISO, account=None, valid=False, refusal=bad)
    found = _anomaly(B1, C5_ISO, made=dated)
    assert equivalences.without_those_that_work(found, [dated, _called(None, C5_ISO)]) == found


def test_a_server_error_that_the_very_same_call_does_not_get_again_is_no_matter_of_what_it_carries() -> None:
    script = Script()
    script.create(1)
    wrong = script.add("read", code=6, status=500, equivalences=(C5_UNKNOWN,))
    script.add("read", value=key(1), equivalences=(C5_UNKNOWN,))
    anomaly = _anomaly(C5_UNKNOWN, B1, T2, made=wrong)
    assert equivalences.without_those_that_work(anomaly, script.answers).candidates == {T2}


@pytest.mark.parametrize("account", ["subuser", "tariff_restricted", "demo_with_session"])
def test_where_the_plain_create_is_let_in_too_it_is_not_for_what_is_special_in_this_one(account: str) -> None:
    script = Script()
    wrong = script.add("create", account, value=key(1), equivalences=(C5_ISO,))
    anomaly = _anomaly(C5_ISO, T6, made=wrong)
    assert equivalences.without_those_that_work(anomaly, script.answers) == anomaly
    script.add("create", account, code=13)
    script.add("create", account, value=key(2), style="post-json")
    assert equivalences.without_those_that_work(anomaly, script.answers) == anomaly
    script.add("create", account, value=key(3))
    assert equivalences.without_those_that_work(anomaly, script.answers).candidates == {T6}


def test_of_an_account_that_may_create_the_address_stays_a_candidate() -> None:
    script = Script()
    script.create(1)
    wrong = script.add("create", value=key(1), equivalences=(C8,))
    anomaly = _anomaly(C8, T1, made=wrong)
    assert C8 in equivalences.without_those_that_work(anomaly, script.answers).candidates


def test_the_very_same_call_that_fits_at_another_time_leaves_what_else_there_is() -> None:
    wrong = _called(7, C5_ISO)
    found = _anomaly(T2, C5_ISO, made=wrong)
    assert equivalences.without_those_that_work(found, [wrong, _called(None, C5_ISO)]).candidates == {T2}
    found = _anomaly(C5_ISO, made=wrong)
    assert equivalences.without_those_that_work(found, [wrong, _called(None, C5_ISO)]) == found


# ---------------------------------------------------------------------- covers


def test_sums_that_are_the_same_but_for_rounding_are_a_tie() -> None:
    """0.1 + 0.2 is not 0.15 + 0.15 in the arithmetic of machines."""
    group = [frozenset("ac"), frozenset("bd"), frozenset("ad")]
    total, opportunities = {"a": 2, "b": 4, "c": 3, "d": 3}, dict.fromkeys("abcd", 20)
    best = cover._covers(group, total, opportunities)
    assert sorted(map(sorted, best)) == [["a", "b"], ["c", "d"]]


def test_sets_that_have_something_in_common_with_the_first_of_several() -> None:
    assert len(cover._connected([frozenset("ab"), frozenset("ax"), frozenset("bc")])) == 1


def test_what_is_owed_follows_from_the_same_as_what_is_wrong_with_its_form() -> None:
    owed = _anomaly(T2, follows_from=frozenset({T4}))
    (shared,) = findings.found_in(_answer(_PAGE, E1, status=404), owed)
    assert (T2 in shared.candidates, shared.follows_from) == (True, frozenset({T4}))
    (alone,) = findings.found_in(_answer(_JSON, P2, status=404), owed)
    assert (alone.candidates, alone.follows_from) == (frozenset({P2}), frozenset())
    (nothing,) = findings.found_in(_answer(_PAGE, E1, status=404), None)
    assert nothing.follows_from == frozenset()


@pytest.mark.parametrize(
    ("about", "plain"),
    [
        ({}, True),
        ({"valid": False}, False),
        ({"operation": None}, False),
        ({"style": ""}, False),
        ({"refusal": UNKNOWN}, False),
        ({"free_form": True}, False),
    ],
)
def test_which_calls_are_plain(about: dict[str, Any], plain: bool) -> None:
    made = _answer(code=4)
    intent = replace(made.exchange.intent, **about)
    assert answers.is_plain(replace(made, exchange=replace(made.exchange, intent=intent))) is plain


@pytest.mark.parametrize(("method", "plain"), [("GET", True), ("POST", True), ("HEAD", False), ("PUT", False)])
def test_which_methods_are_plain(method: str, plain: bool) -> None:
    assert answers.is_plain(_answer(code=4, method=method)) is plain


@pytest.mark.parametrize("about", [{"equivalences": (C5_ISO,)}, {"group": 1}, {"valid": False, "refusal": UNKNOWN}])
def test_what_says_nothing_of_a_style(about: dict[str, Any]) -> None:
    script = Script()
    script.add("read", value=key(1))
    script.add("read", code=4, style="post-form", **about)
    assert styles.refused_styles(script.answers) == []
    script.add("read", code=4, style="post-form")
    assert [each.name for each in styles.refused_styles(script.answers)] == ["post-form"]


@pytest.mark.parametrize(("account", "code"), [("subuser", 4), ("subuser", 13), ("tariff_restricted", 7)])
def test_a_create_that_must_be_refused_says_nothing_of_its_style(account: str, code: int) -> None:
    script = Script()
    script.create(1, style="post-form")
    script.add("create", account, code=code)
    assert styles.refused_styles(script.answers) == []
    # What is said to a read does, and what is understood.
    script.add("read", account, code=4)
    script.read(1, style="post-form")
    assert [(each.operation, each.name) for each in styles.refused_styles(script.answers)] == [("read", "get-query")]
    understood = Script()
    understood.create(1, style="post-form")
    understood.add("create", code=3)
    understood.add("create", "tariff_restricted", code=236)
    assert styles.refused_styles(understood.answers) == []


@pytest.mark.parametrize(("code", "for_its_method"), [(112, True), (4, False)])
def test_a_style_that_is_refused_for_its_method(code: int, for_its_method: bool) -> None:
    script = Script()
    script.add("read", value=key(1))
    script.add("read", code=112, style="post-form")
    script.add("read", code=code, style="post-form")
    assert [each.for_its_method for each in styles.refused_styles(script.answers)] == [for_its_method]


def _closing(*, kind: str = "owner", code: int = 5, times: int = 2) -> Script:
    """A read by form that succeeds, and after it so many that are refused; by query reads go on."""
    script = Script()
    script.read(1, kind)
    script.read(1, kind, style="post-form")
    for _ in range(times):
        script.add("read", kind, code=code, style="post-form")
    script.read(1, kind)
    return script


def test_a_style_that_is_closed_is_refused_since_its_last_success() -> None:
    script = _closing()
    (closed,) = styles.refused_styles(script.answers)
    assert (closed.operation, closed.name, closed.promise) == ("read", "post-form", C2)
    assert closed.since == script.answers[1].exchange.sent_at
    assert script.broken == {C2}
    # Before it the style is not to blame.
    early = replace(closed, since=script.answers[2].exchange.sent_at)
    anomaly = _anomaly(T2, made=script.answers[2])
    assert by_style._with_style(anomaly, [closed], set()).candidates == {C2}
    assert by_style._with_style(anomaly, [early], set()).candidates == {T2}


@pytest.mark.parametrize("about", [{"times": 1}, {"kind": "subuser"}, {"kind": "demo_without_session"}])
def test_a_style_is_not_closed_by_one_refusal_nor_for_those_who_may_be_refused(about: dict[str, Any]) -> None:
    assert styles.refused_styles(_closing(**about).answers) == []


def test_a_style_is_not_closed_where_another_is_refused_in_the_same_words_and_goes_on() -> None:
    script = _closing(kind="other_owner")
    assert [each.name for each in styles.refused_styles(script.answers)] == ["post-form"]
    script.add("read", code=4)
    assert [each.name for each in styles.refused_styles(script.answers)] == ["post-form"]
    script.add("read", code=5)
    script.read(1)
    assert styles.refused_styles(script.answers) == []


def test_a_style_is_not_closed_that_opens_again_nor_where_all_are() -> None:
    script = _closing()
    script.read(1, style="post-form")
    assert styles.refused_styles(script.answers) == []
    script = Script(answers=_closing().answers[:-1])
    assert styles.refused_styles(script.answers) == []


def _unreliable(*accounts: str, style: str = "post-form", code: int = 3, **about: Any) -> Script:
    """Reads by form, of which every second one is refused, of each of *accounts* in turn."""
    script = Script()
    for account in accounts:
        script.read(1, account)
        script.add("read", account, code=code, style=style, **about)
        script.read(1, account, style="post-form")
    return script


_TWO = ("owner", "other_owner", "owner", "other_owner")


def test_a_style_that_knows_good_hashes_not_each_time_is_broken() -> None:
    script = _unreliable(*_TWO)
    (found,) = styles.refused_styles(script.answers)
    assert (found.name, found.promise, found.since) == ("post-form", C2, float("-inf"))
    # It is to blame for what is refused in creates, too, at once as well.
    script.create(2, style="post-form")
    script.add("create", code=3, style="post-form", group=1, span=(101, 103))
    script.now = 200
    assert {each.operation for each in styles.refused_styles(script.answers)} == {"create", "read"}
    assert script.broken == {C2}


@pytest.mark.parametrize(
    ("accounts", "about"),
    [
        (_TWO[:3], {}),
        (("owner",) * 4, {}),
        (_TWO, {"code": 5}),
        (_TWO, {"code": 201}),
        (_TWO, {"equivalences": (C5_ISO,)}),
        (_TWO, {"valid": False, "refusal": UNKNOWN}),
        (_TWO, {"style": "get-query"}),
    ],
)
def test_a_style_that_may_know_good_hashes_each_time(accounts: tuple[str, ...], about: dict[str, Any]) -> None:
    assert "post-form" not in [each.name for each in styles.refused_styles(_unreliable(*accounts, **about).answers)]


def test_a_style_is_not_unreliable_where_another_refuses_a_good_hash() -> None:
    script = _unreliable(*_TWO)
    script.add("read", code=4, style="post-json")
    script.read(1, style="post-json")
    assert styles.refused_styles(script.answers) == []


def test_what_is_refused_for_good_is_no_matter_of_now_and_then() -> None:
    """Each account succeeds at first and is refused from then on, by another operation it is not."""
    script = Script()
    for account in _TWO:
        script.read(1, account, style="post-form")
    for account in _TWO:
        script.add("read", account, code=3, style="post-form")
    for account in _TWO[:2]:
        script.create(2, account, style="post-form")
        script.read(2, account)
    (closed,) = styles.refused_styles(script.answers)
    assert closed.since > float("-inf")


def test_a_style_is_closed_where_another_goes_on_after_two_refusals() -> None:
    answers = _closing().answers
    # The last success by query comes after both, between them, and before.
    for order, closed in (((0, 1, 2, 3, 4), True), ((0, 1, 2, 4, 3), False), ((0, 1, 4, 2, 3), False)):
        made = [answers[number] for number in order]
        script = [
            replace(each, exchange=replace(each.exchange, sent_at=float(place))) for place, each in enumerate(made)
        ]
        assert bool(styles.refused_styles(script)) is closed


def test_an_operation_that_is_closed_is_no_matter_of_its_styles() -> None:
    script = Script()
    for style in ("get-query", "post-form"):
        script.read(1, style=style)
    for _ in range(2):
        for style in ("get-query", "post-form"):
            script.add("read", code=5, style=style)
    script.create(2)
    assert styles.refused_styles(script.answers) == []


def test_two_styles_may_close_in_the_same_words_and_one_may_never_have_been_open() -> None:
    script = _closing()
    script.read(1, style="post-header")
    for _ in range(2):
        script.add("read", code=5, style="post-header")
        script.add("read", code=5, style="get-header")
    script.read(1)
    names = [each.name for each in styles.refused_styles(script.answers)]
    assert names == ["post-form", "post-header", "get-header"]


def test_a_refusal_of_the_style_by_which_nothing_is_known_of_an_account() -> None:
    """Only what was owed to the account is the style's: what is wrong with the answer itself is not."""
    script = Script()
    for style in ("get-query", "post-json"):
        script.add("create", "subuser", code=13, status=403, style=style)
    refused = script.add("create", "subuser", code=4, style="get-header")
    owed, by_rule = _anomaly(T6, made=refused), _anomaly(E2, made=refused, by_rule=E2)
    other = _anomaly(T6, made=script.answers[0])
    told = by_style.of_the_style_alone([owed, by_rule, other], script.answers)
    assert [each.candidates for each in told] == [{C3_GET}, {E2}, {T6}]
    assert [each.expected for each in told] == ["expected, which subuser gets by other styles", "expected", "expected"]
    # What read says without a session has its own sentence, and what is no refusal of the account is not of the style.
    t4 = _anomaly(T4, T6, made=refused)
    assert by_style.of_the_style_alone([t4], script.answers) == [t4]
    down = _anomaly(T6, made=replace(refused, code=14))
    assert by_style.of_the_style_alone([down], script.answers) == [down]
    # By a call that is no good one nothing is known of it, nor where the style has no promise.
    intent = replace(refused.exchange.intent, promise="")
    bare = replace(owed, answer=replace(refused, exchange=replace(refused.exchange, intent=intent)))
    assert by_style.of_the_style_alone([bare], script.answers) == [bare]
    # An answer by which the server breaks, or a code that is none, makes an account known in no style.
    broken = Script()
    broken.add("create", "subuser", code=13, status=403)
    broken.add("create", "subuser", code=1, status=500, style="post-json")
    broken.add("create", "subuser", code=999, style="post-form")
    refused = broken.add("create", "subuser", code=4, style="get-header")
    owed = _anomaly(T6, made=refused)
    assert by_style.of_the_style_alone([owed], broken.answers) == [owed]


def test_an_account_that_is_known_afterwards_has_not_come_to_an_end() -> None:
    def told(*calls: tuple[str, str, int]) -> list[frozenset[str]]:
        script = Script()
        for account, style, code in calls:
            script.add("create", account, code=code, style=style)
        owed = [_anomaly(T6, made=each) for each in script.answers if each.code == 4]
        return [each.candidates for each in by_style.of_the_style_alone(owed, script.answers)]

    # One other style is enough where it comes later.
    assert told(("subuser", "get-header", 4), ("subuser", "get-query", 13)) == [{C3_GET}]
    assert told(("subuser", "get-query", 13), ("subuser", "get-header", 4)) == [{T6}]
    known = ("subuser", "get-query", 13)
    assert told(known, ("subuser", "get-header", 4), known, ("subuser", "get-header", 4)) == [{C3_GET}, {C3_GET}]
    # Not where it is another account of the kind, nor the same style.
    assert told(("subuser 2", "get-header", 4), known) == [{T6}]
    assert told(("subuser", "get-header", 4), ("subuser", "get-header", 13)) == [{T6}]
