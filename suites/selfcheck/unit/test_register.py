"""The register: written histories, what in them cannot be, and whose sentence it is."""

from __future__ import annotations

import pytest

from contracts.exchange import Refusal
from contracts.ids import (
    A2,
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
from suites.selfcheck.unit.histories import Script, key

# ---------------------------------------------------------------------- one call after the other


def test_read_that_follows_create_is_fine() -> None:
    script = Script()
    for number in range(1, 5):
        script.create(number)
        script.read(number)
        script.read(number, style="post-json")
    assert script.broken == set()


def test_a_key_that_is_given_again() -> None:
    script = Script()
    script.create(1)
    script.read(1)
    script.create(2)
    script.create(1)
    assert script.broken == {T1}


def test_a_create_that_is_not_kept() -> None:
    script = Script()
    script.create(1)
    script.read(1)
    script.create(2)
    script.read(1)
    script.read(1)
    assert script.broken == {T2}


def test_one_read_that_is_stale() -> None:
    script = Script()
    script.create(1)
    script.read(1)
    script.create(2)
    script.read(2)
    script.read(1)
    script.read(2)
    assert script.broken == {T2}


def test_read_that_rotates() -> None:
    script = Script()
    script.create(1)
    for number in range(10, 16):
        script.read(number)
    assert script.broken == {T3}


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


def test_read_that_rotates_the_key_of_an_account_whose_create_is_refused() -> None:
    """Between two reads lies a refused create, but for the last two: these tell."""
    script = Script()
    for number in (1, 2, 3):
        script.read(number, "tariff_restricted")
        script.add("create", "tariff_restricted", code=236, status=402)
    assert script.broken == {T7}
    script.read(4, "tariff_restricted")
    script.read(5, "tariff_restricted")
    assert script.broken == {T3}


def test_read_that_deletes() -> None:
    script = Script()
    for number in range(1, 4):
        script.create(number)
        script.read(number)
        script.read(None)
        script.read(None)
    assert script.broken == {T3}


def test_what_a_refused_call_has_changed() -> None:
    script = Script()
    for number in (1, 2):
        script.create(number)
        script.read(number)
        script.read(number)
        script.unknown()
        script.read(None)
        script.read(None)
    assert script.broken == {A5_CHANGED}


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


def test_a_refused_create_that_undoes_the_create_before_it() -> None:
    script = Script()
    script.create(1)
    script.read(1)
    script.create(2)
    script.add("create", "tariff_restricted", code=236, status=402)
    script.read(1)
    assert script.broken == {T7}
    # A read that is stale where nothing lies between tells of another cause.
    script.create(3)
    script.read(1)
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


@pytest.mark.parametrize(("code", "broken"), [(4, {T1, T6}), (7, {T1})])
def test_only_a_hash_that_is_refused_may_have_been_logged_out(code: int, broken: set[str]) -> None:
    """By a create that was refused to a sub-user, say; parameters that are called invalid are no log-out."""
    script = Script()
    script.read(None, "owner_without_session")
    script.add("create", "subuser", code=13)
    script.add("create", "owner_without_session", code=code)
    (anomaly,) = script.explain().anomalies
    assert anomaly.candidates == broken


def test_an_ambiguous_answer_says_nothing_of_a_key() -> None:
    script = Script()
    script.create(1)
    script.create(2, "other_owner")
    script.add("read", value=key(2), ambiguous=True)
    script.read(1)
    assert script.broken == set()


# ---------------------------------------------------------------------- states


def test_without_a_session_read_is_201() -> None:
    script = Script()
    script.read(None, "owner_without_session")
    script.add("read", "owner_without_session", code=4)
    script.read(None, "owner_without_session")
    assert script.broken == {T4}


def test_read_that_makes_a_session() -> None:
    script = Script()
    script.read(7, "owner_without_session")
    script.read(7, "owner_without_session", "post-json")
    assert script.broken == {T3, T4}


def test_the_own_hash_is_no_session_that_read_has_made() -> None:
    script = Script()
    for _ in range(3):
        script.add("read", "owner_without_session", value="credential of owner_without_session")
    assert script.broken == {T4}


def test_read_that_makes_a_session_silently() -> None:
    script = Script()
    for number, account in enumerate(("owner_without_session", "demo_without_session"), 7):
        script.read(None, account)
        script.read(number, account)
        script.read(number, account)
    assert script.broken == {T3}


def test_what_several_accounts_are_given_is_no_session() -> None:
    script = Script()
    for account in ("owner_without_session", "demo_without_session"):
        script.read(9, account)
        script.read(9, account)
    assert script.broken == {T4}


def test_the_first_create_of_a_demo_session() -> None:
    script = Script()
    script.create(1)
    script.read(1)
    script.read(None, "demo_without_session")
    script.add("create", "demo_without_session", code=13, status=403)
    assert script.broken == {T5_FIRST}


def test_a_demo_session_that_creates_twice() -> None:
    script = Script()
    script.create(1, "demo_without_session")
    script.read(1, "demo_without_session")
    script.create(2, "demo_without_session")
    assert script.broken == {T5_REFUSED}


def test_a_demo_session_that_a_read_has_removed() -> None:
    script = Script()
    for number in range(10, 13):
        script.create(number)
        script.read(number)
        script.read(None)
        script.read(None)
    script.create(1, "demo_without_session")
    script.read(1, "demo_without_session")
    script.create(2, "demo_without_session")
    assert script.broken == {T3}


@pytest.mark.parametrize(("account", "requirement", "code"), [("subuser", T6, 13), ("tariff_restricted", T7, 236)])
def test_creates_that_must_be_refused(account: str, requirement: str, code: int) -> None:
    fine = Script()
    fine.read(1, account)
    fine.add("create", account, code=code, status=403)
    fine.read(1, account)
    assert fine.broken == set()
    creates = Script()
    creates.create(1, account)
    assert creates.broken == {requirement}
    other = Script()
    other.add("create", account, code=7)
    assert other.broken == {requirement}


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


def test_what_read_says_to_a_subuser_is_free_but_stays_the_same() -> None:
    script = Script()
    script.add("read", "subuser", code=13, status=403)
    script.add("create", "subuser", code=13, status=403)
    script.add("read", "subuser", code=13, status=403)
    assert script.broken == set()
    script.add("create", "subuser", code=13, status=403)
    script.read(5, "subuser")
    script.read(5, "subuser")
    assert script.broken == {T6}


# ---------------------------------------------------------------------- two users


def test_a_subuser_may_read_the_key_of_its_master() -> None:
    script = Script()
    script.read(9, "subuser")
    script.read(9)
    script.create(1)
    script.read(1)
    for number in (1, 2):
        script.read(number, "subuser")
        script.add("create", "subuser", code=13, status=403)
        script.read(number, "subuser")
        script.create(number + 1)
        script.read(number + 1)
    assert script.broken == set()


def test_what_a_subuser_reads_is_its_own_all_the_same() -> None:
    script = Script()
    script.create(1)
    script.read(9, "subuser")
    script.read(9)
    assert script.broken == {A6}


def test_a_subuser_that_creates_for_its_master_is_no_matter_of_two_users() -> None:
    script = Script()
    script.create(1)
    script.create(2, "subuser")
    script.read(2)
    script.read(2, "subuser")
    script.read(2)
    assert script.broken == {T6}
    other = Script()
    other.create(1)
    other.create(2, "other_owner")
    other.read(2)
    assert other.broken == {A6}


@pytest.mark.parametrize(("account", "code"), [("owner", 4), ("subuser", 13)])
def test_after_an_error_that_can_be_read_in_two_ways_the_key_is_unknown(account: str, code: int) -> None:
    script = Script()
    script.create(1)
    script.read(1, account)
    script.add("create", account, code=code, status=403, ambiguous=True, breaks=(S2,))
    script.read(2, account)
    assert script.broken == {S2}


def test_read_that_gives_the_key_of_another() -> None:
    script = Script()
    script.create(1)
    script.read(1)
    script.create(2, "other_owner")
    script.read(2)
    script.read(1)
    assert script.broken == {A6}


def test_a_user_without_a_session_who_is_given_the_key_of_another() -> None:
    script = Script()
    script.create(1)
    script.read(1)
    script.read(1, "owner_without_session")
    assert script.broken == {A6}


def test_create_that_removes_the_key_of_another() -> None:
    script = Script()
    for number in (1, 3, 5):
        script.create(number)
        script.read(number)
        script.read(number)
        script.create(number + 100, "other_owner")
        script.read(None)
        script.read(None)
    assert script.broken == {A6}


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
    script.add("create", None, code=7, style="post-form", valid=False, refusal=Refusal(A2, "code", frozenset({3, 4})))
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
