"""The register: written histories, what in them cannot be, and whose sentence it is."""

from __future__ import annotations

import pytest

from contracts.exchange import Refusal
from contracts.ids import (
    A5_CHANGED,
    A6,
    B1,
    C1_GET,
    C1_PARSED,
    C2,
    C5_ISO,
    C5_UNKNOWN,
    C7_METHODS,
    C8,
    C9,
    E1,
    S2,
    T1,
    T2,
    T3,
    T4,
    T5_FIRST,
    T5_REFUSED,
    T6,
    T7,
    T8,
)
from suites.selfcheck.unit.histories import UNKNOWN, Script, key, play

HISTORIES: dict[str, tuple[str, set[str]]] = {
    # One call after the other.
    "a-key-that-is-given-again": ("c1 r1 c2 c1", {T1}),
    "read-that-rotates": ("c1 r10 r11 r12 r13 r14 r15", {T3}),
    # Between two reads lies a refused create, but for the last two: these tell.
    "a-key-that-changes-where-create-is-refused": ("tr1 tC236 tr2 tC236 tr3 tC236", {T7}),
    "read-that-rotates-where-create-is-refused": ("tr1 tC236 tr2 tC236 tr3 tC236 tr4 tr5", {T3}),
    "read-that-deletes": ("c1 r1 r r c2 r2 r r c3 r3 r r", {T3}),
    "what-a-refused-call-has-changed": ("c1 r1 r1 u r r c2 r2 r2 u r r", {A5_CHANGED}),
    "a-refused-create-that-undoes-the-one-before-it": ("c1 r1 c2 tC236 r1", {T7}),
    # A read that is stale where nothing lies between tells of another cause.
    "a-stale-read-with-nothing-between": ("c1 r1 c2 tC236 r1 c3 r1", {T2}),
    # States.
    "without-a-session-read-is-201": ("wr wR4 wr", {T4}),
    "a-first-read-without-a-session": ("R4 wR4 c1 r1", {T4}),
    "read-that-makes-a-session-silently": ("wr wr7 wr7 dr dr8 dr8", {T3}),
    "a-refused-create-that-makes-a-session": ("wr wr wr sr sC13 sr1", {T6}),
    "what-several-accounts-are-given-is-no-session": ("wr9 wr9 dr9 dr9", {T4}),
    "what-read-gives-to-all-is-nobodys-key": ("r9 r9 or9 or9 wr9 wr9", {T4}),
    "the-first-create-of-a-demo-session": ("c1 r1 dr dC13", {T5_FIRST}),
    "a-demo-session-that-creates-twice": ("dc1 dr1 dc2", {T5_REFUSED}),
    "a-demo-session-that-a-read-has-removed": ("c10 r10 r r c11 r11 r r c12 r12 r r dc1 dr1 dc2", {T3}),
    "a-subuser-that-is-refused": ("sr1 sC13 sr1", set()),
    "a-subuser-that-creates": ("sc1", {T6}),
    "a-subuser-that-is-refused-with-another-code": ("sC7", {T6}),
    "a-restricted-tariff-that-is-refused": ("tr1 tC236 tr1", set()),
    "a-restricted-tariff-that-creates": ("tc1", {T7}),
    "a-restricted-tariff-that-is-refused-with-another-code": ("tC7", {T7}),
    "what-read-says-to-a-subuser-is-free": ("sR13 sC13 sR13", set()),
    "what-read-says-to-a-subuser-stays-the-same": ("sR13 sC13 sR13 sC13 sr5 sr5", {T6}),
    # Two users.
    "a-subuser-may-read-the-key-of-its-master": ("sr9 r9 c1 r1 sr1 sC13 sr1 c2 r2 sr2 sC13 sr2 c3 r3", set()),
    "what-a-subuser-reads-is-its-own-all-the-same": ("c1 sr9 r9", {A6}),
    "a-subuser-that-creates-for-its-master-is-no-matter-of-two-users": ("c1 sc2 r2 sr2 r2", {T6}),
    "another-owner-that-creates-for-the-first": ("c1 oc2 r2", {A6}),
    "read-that-gives-the-key-of-another": ("c1 r1 oc2 r2 r1", {A6}),
    "without-a-session-the-key-of-another": ("c1 r1 wr1", {A6}),
    "create-that-removes-the-key-of-another": ("c1 r1 r1 oc101 r r c3 r3 r3 oc103 r r c5 r5 r5 oc105 r r", {A6}),
}


@pytest.mark.parametrize(("steps", "broken"), HISTORIES.values(), ids=list(HISTORIES))
def test_what_a_history_breaks(steps: str, broken: set[str]) -> None:
    assert play(steps).broken == broken


# ---------------------------------------------------------------------- one call after the other


def test_read_that_follows_create_is_fine() -> None:
    script = Script()
    for number in range(1, 5):
        script.create(number)
        script.read(number)
        script.read(number, style="post-json")
    assert script.broken == set()


def test_read_that_rotates_by_one_style_with_parameters_too() -> None:
    script = Script()
    fresh = iter(range(100, 200))
    for number in range(1, 5):
        script.create(number)
        script.read(number)
        last = next(fresh)
        script.add("read", value=key(last), style="post-json", equivalences=(C5_ISO, C9)[: number % 2])
        script.read(last)
    script.create(9)
    last = next(fresh)
    script.add("read", value=key(last), style="post-json", equivalences=(C9,))
    script.read(last)
    script.read(last)
    assert script.broken == {T3}


def test_a_create_that_gives_another_key_than_it_keeps() -> None:
    """Read is as good an explanation, for it may have made the key: what concurrent reads show does not decide between the two."""
    script = Script()
    script.create(1)
    script.read(2)
    script.read(2)
    for number in (3, 4):
        script.create(number)
        script.read(number)
    for sent in (20.0, 20.5):
        script.add("read", value=key(4), group=1, span=(sent, 22.0))
    assert script.broken == {T2}


def test_what_another_method_has_changed() -> None:
    script = Script()
    refusal = Refusal(C7_METHODS, "any")
    for number in (1, 3):
        script.create(number)
        script.read(number)
        script.read(number)
        script.add("create", code=112, status=405, method="PUT", refusal=refusal)
        script.read(100 + number)
        script.read(100 + number)
    assert script.broken == {C7_METHODS}


def test_what_head_does_is_silent() -> None:
    script = Script()
    script.create(1)
    script.read(1)
    script.add(
        "create", value=None, method="HEAD", status=200, refusal=Refusal("C7-head-options-no-server-error", "answer")
    )
    script.read(2)
    assert script.broken == set()


def test_a_write_of_unknown_outcome_accuses_nobody_of_the_key() -> None:
    script = Script()
    script.create(1)
    script.read(1)
    script.add("create", code=6, status=500)
    script.read(2)
    assert script.broken == {T1}


def test_an_ambiguous_answer_says_nothing_of_a_key() -> None:
    script = Script()
    script.create(1)
    script.create(2, "other_owner")
    script.add("read", value=key(2), ambiguous=True)
    script.read(1)
    assert script.broken == set()


# ---------------------------------------------------------------------- states


def test_the_own_hash_is_no_session_that_read_has_made() -> None:
    script = Script()
    for _ in range(3):
        script.add("read", "owner_without_session", value="credential of owner_without_session")
    assert script.broken == {T4}


def test_a_create_that_succeeds_at_the_slash_and_must_be_refused_is_no_matter_of_the_address() -> None:
    script = Script()
    for account, code in (("subuser", 13), ("tariff_restricted", 236)):
        script.add("create", account, code=code, status=403)
        script.add("create", account, value=key(code), equivalences=(C8,))
    assert script.broken == {T6, T7}
    # Another refusal than the one that is owed is a matter of the address.
    script = Script()
    for account, code in (("subuser", 13), ("tariff_restricted", 236)):
        script.add("create", account, code=code, status=403)
        script.add("create", account, code=111, equivalences=(C8,))
    assert script.broken == {C8}


@pytest.mark.parametrize(("given", "broken"), [(1, {C8}), (2, {C8, T7})])
def test_behind_a_slash_it_may_be_a_read_that_succeeds(given: int, broken: set[str]) -> None:
    """The key that read gives comes of no create; a new one does, by whatever address."""
    script = Script()
    script.add("read", "tariff_restricted", value=key(1))
    script.add("create", "tariff_restricted", value=key(given), equivalences=(C8,))
    # The same of the owner, whom nothing refuses.
    script.add("read", value=key(3))
    script.add("create", value=key(3), equivalences=(C8,))
    script.add("create", value=key(3), equivalences=(C8,))
    assert script.broken == broken


def test_a_page_that_many_calls_get_is_no_matter_of_the_state() -> None:
    """A server that is overloaded now and then says nothing of who may create."""

    def page(script: Script, operation: str, account: str) -> None:
        script.add(operation, account, status=503, breaks=(S2, E1))

    script = Script()
    script.create(1)
    page(script, "read", "owner")
    script.read(1)
    page(script, "create", "subuser")
    assert script.broken == {E1}
    # Where other errors are as they should be, it is.
    alone = Script()
    for _ in range(4):
        alone.add("create", "tariff_restricted", code=236)
    page(alone, "create", "subuser")
    assert alone.broken == {T6}


# ---------------------------------------------------------------------- two users


@pytest.mark.parametrize(("account", "code"), [("owner", 4), ("subuser", 13)])
def test_after_an_error_that_can_be_read_in_two_ways_the_key_is_unknown(account: str, code: int) -> None:
    script = Script()
    script.create(1)
    script.read(1, account)
    script.add("create", account, code=code, status=403, ambiguous=True, breaks=(S2,))
    script.read(2, account)
    assert script.broken == {S2}


# ---------------------------------------------------------------------- concurrent calls


def _concurrent(
    script: Script, *creates: tuple[int | None, float, float], account: str = "owner", group: int = 1
) -> None:
    for number, sent, ended in creates:
        value = key(number) if number is not None else None
        code = None if value else 6
        script.add(
            "create", account, value=value, code=code, status=200 if value else 500, group=group, span=(sent, ended)
        )
        script.now = max(script.now, ended + 1)


def test_any_of_concurrent_creates_may_have_won() -> None:
    for winner in (1, 3):
        script = Script()
        _concurrent(script, (1, 0, 3), (2, 1, 2), (3, 2.5, 4))
        script.read(winner)
        script.read(winner)
        assert script.broken == set(), winner


def test_a_create_that_ended_before_another_began_has_not_won() -> None:
    script = Script()
    _concurrent(script, (1, 0, 3), (2, 1, 2), (3, 2.5, 4))
    script.read(2)
    script.read(2)
    assert script.broken & {T2, T8}


def test_two_concurrent_creates_with_one_key() -> None:
    script = Script()
    script.create(9)
    _concurrent(script, (1, 10, 12), (1, 11, 13))
    script.read(1)
    assert script.broken == {T8}


def test_a_concurrent_create_that_fails() -> None:
    script = Script()
    for number in range(20, 26):
        script.create(number)
        script.read(number)
    _concurrent(script, (1, 100, 102), (None, 101, 103))
    script.read(1)
    assert script.broken == {T8}


def test_two_users_whose_concurrent_keys_are_mixed() -> None:
    script = Script()
    _concurrent(script, (1, 0, 2))
    _concurrent(script, (2, 1, 3), account="other_owner")
    script.read(2)
    script.read(1, "other_owner")
    assert script.broken == {A6}


# ---------------------------------------------------------------------- styles and equivalences


def test_a_style_is_broken_where_another_succeeds() -> None:
    script = Script()
    for number, style in enumerate(("get-query", "post-json", "post-header")):
        script.create(number, style=style)
        script.read(number, style=style)
    script.add("create", code=7, style="post-form")
    script.add("read", code=7, style="post-form")
    script.add("create", None, code=7, style="post-form", valid=False, refusal=UNKNOWN)
    assert script.broken == {C2}


def test_get_is_refused_before_anything_was_created() -> None:
    script = Script()
    script.read(None, style="post-json")
    script.add("create", code=112)
    script.add("read", code=112)
    script.create(1, style="post-json")
    script.read(1, style="post-json")
    assert script.broken == {C1_GET}


def test_a_second_create_that_fails_is_no_matter_of_its_style() -> None:
    script = Script()
    script.create(1)
    script.read(1)
    for style in ("post-json", "post-form", "get-header"):
        script.add("create", code=101, status=403, style=style)
        script.read(1, style=style)
    assert script.broken == {T1}


def test_a_parameter_that_is_refused() -> None:
    script = Script()
    for number in (1, 2):
        script.create(number)
        script.read(number)
    script.add("create", code=7, equivalences=(C5_ISO,))
    script.create(3)
    assert script.broken == {C5_ISO}


@pytest.mark.parametrize("passed_over", [True, False])
def test_a_member_that_is_refused_where_another_is_passed_over(passed_over: bool) -> None:
    """Only where no other member was read can it be that the body is not parsed."""
    script = Script()
    script.create(1)
    script.read(1, style="post-json")
    script.add("read", code=7, style="post-json", equivalences=(C5_ISO,))
    if passed_over:
        script.add("read", value=key(1), style="post-json", equivalences=(C5_UNKNOWN,))
    (anomaly,) = script.explain().of(C5_ISO)
    assert (C1_PARSED in anomaly.candidates) is not passed_over


def test_a_create_with_a_slash_that_is_not_kept() -> None:
    script = Script()
    for number in range(1, 6):
        script.create(number)
        script.read(number)
    script.add("create", value=key(9), equivalences=(C8,))
    script.read(5)
    script.read(5)
    assert script.broken == {C8}


def test_a_page_without_an_envelope_in_answer_to_bad_input_alone() -> None:
    script = Script()
    script.create(1)
    script.read(1)
    script.add("read", None, code=7, valid=False, refusal=Refusal(B1, "general"))
    script.add("read", None, status=400, valid=False, refusal=Refusal(B1, "general"))
    assert script.broken == {B1}
