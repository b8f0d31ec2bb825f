"""What is known of one account, and the book of all of them: each by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contracts.ids import B1, C1_PARSED, C5_ISO, C5_UNKNOWN, E3, T1, T2, T3, T4, T5_FIRST, T8
from contracts.judge import Judgement
from contracts.register.account import Account, Pending
from contracts.register.book import Book
from contracts.register.reading import NO_SESSION
from suites.selfcheck.unit.histories import Script, key

# ---------------------------------------------------------------------- one account


def _account(*possible: str) -> Account:
    """An account of which all is known that can be."""
    read = Script().read(1)
    pending = Pending(0, frozenset(), "", frozenset(), frozenset())
    return Account(
        "owner",
        frozenset(possible),
        suspects={T3: [read]},
        source=read,
        unread=True,
        after_group=frozenset({T1}),
        pending=[pending],
    )


def test_of_a_new_account_nothing_is_known() -> None:
    account = Account("owner")
    assert account.possible is None
    empty = (account.past, account.suspects, account.source, account.after_group, account.pending)
    assert empty == (set(), {}, None, frozenset(), [])
    assert account.unread is account.perhaps_created is False
    assert account.created == 0


def test_what_is_known_takes_the_place_of_what_was() -> None:
    account, read = _account("before", NO_SESSION), Script().read(2)
    account.know("now", "or now", source=read)
    assert account.possible == frozenset({"now", "or now"})
    assert account.past == {"before", "now", "or now"}
    assert account.source is read
    assert account.suspects == {}


def test_what_has_no_source_keeps_the_one_that_there_was() -> None:
    account = _account("before")
    source = account.source
    account.know(NO_SESSION)
    assert account.source is source
    assert account.past == {"before"}


def test_what_is_forgotten_is_past_and_nothing_else() -> None:
    account = _account("before", NO_SESSION)
    account.past = {"long ago"}
    account.forget()
    assert account.past == {"long ago", "before"}
    assert account.possible is None
    assert account.unread is False
    assert (account.pending, account.after_group, account.suspects) == ([], frozenset(), {})


def test_to_forget_twice_loses_nothing() -> None:
    account = _account("before")
    account.forget()
    account.forget()
    assert account.past == {"before"}


@pytest.mark.parametrize(
    ("label", "created", "never"),
    [
        ("owner_without_session", 0, True),
        ("owner_without_session 3", 0, True),
        ("demo_without_session", 0, True),
        ("demo_without_session", 1, False),
        ("owner", 0, False),
        ("owner owner_without_session", 0, False),
    ],
)
def test_whether_an_account_has_ever_created(label: str, created: int, never: bool) -> None:
    assert Account(label, created=created).never_created is never


# ---------------------------------------------------------------------- the book


def test_what_a_book_knows_before_the_first_call() -> None:
    script = Script()
    script.create(1)
    script.read(2)
    script.read(2, "other_owner")
    script.read(2, "other_owner")
    script.read(None)
    script.unknown("read")
    book = Book(script.answers)
    assert book.given == {key(1): {"owner"}}
    assert book.seen_as == {key(2): 2}
    assert book.credentials == {f"credential of {name}": name for name in ("owner", "other_owner")}
    assert (book.anomalies, book.opportunities, book.accounts, book.owner, book.given_in) == ([], {}, {}, {}, {})


def test_a_key_that_is_read_with_a_bad_hash_is_seen_by_nobody() -> None:
    script = Script()
    script.add("read", None, value=key(1), valid=False)
    assert Book(script.answers).seen_as == {}


def test_which_accounts_begin_without_a_session() -> None:
    script = Script()
    for account, possible in (("owner", None), ("owner_without_session", {NO_SESSION})):
        book = Book(script.answers)
        intent = script.read(1, account).exchange.intent
        assert book.account(intent).possible == possible
        assert book.account(intent) is book.account(intent)


def test_a_key_is_of_the_first_who_was_given_it() -> None:
    script = Script()
    first, second = script.create(1), script.create(1, "other_owner")
    book = Book(script.answers)
    book.first_given(first, "owner")
    book.first_given(second, "other_owner")
    assert book.owner == {key(1): "owner"}
    assert book.given_in == {key(1): first}


def test_a_key_that_several_are_given_by_read_is_of_nobody() -> None:
    script = Script()
    answers = [script.read(1, name) for name in ("owner", "other_owner")]
    book = Book(script.answers)
    for each in answers:
        book.first_given(each, "owner")
    assert book.owner == {}


def test_an_anomaly_shows_others_once_and_not_itself() -> None:
    script = Script()
    create, read = script.create(1), script.read(2)
    book = Book(script.answers)
    book.add({T2}, read, "the key", "", create, None, read, create, follows_from={T1})
    [anomaly] = book.anomalies
    assert anomaly.context == (create,)
    assert anomaly.got == read.summary()
    assert anomaly.follows_from == {T1}


def _failed(answer: Judgement, requirement: str = T1, account: Account | None = None) -> frozenset[str]:
    book = Book([answer])
    book.failed(answer, requirement, "a success", account or Account("owner"))
    return book.anomalies[0].candidates


@pytest.mark.parametrize(
    ("account", "requirement", "code", "explains"),
    [
        ("owner", T2, 101, True),
        ("owner", T2, 13, True),
        ("owner", T2, 236, True),
        ("owner", T2, 215, False),
        ("owner", T4, 101, False),
        ("owner", T1, 101, False),
        ("tariff_restricted", T2, 215, True),
        ("tariff_restricted", T4, 215, True),
    ],
)
def test_a_code_that_does_not_belong_there_explains_a_refusal(
    account: str, requirement: str, code: int, explains: bool
) -> None:
    """Where read speaks of what create may do, though there is a session; and where what it says is not documented."""
    assert E3 not in _failed(Script().add("read", account, code=code), requirement)
    assert (E3 in _failed(Script().add("read", account, code=code, breaks=(E3,)), requirement)) is explains


@pytest.mark.parametrize(
    ("style", "equivalence", "explains"),
    [
        ("post-json", C5_ISO, True),
        ("post-json", C5_UNKNOWN, True),
        ("post-header-json", C5_ISO, True),
        ("post-form", C5_ISO, False),
        ("post-json", None, False),
    ],
)
def test_a_body_that_is_not_parsed(style: str, equivalence: str | None, explains: bool) -> None:
    answer = Script().add("create", code=7, style=style, equivalences=(equivalence,) if equivalence else ())
    assert (C1_PARSED in _failed(answer)) is explains


@pytest.mark.parametrize(
    ("code", "status", "equivalence", "explains"),
    [
        (6, 500, C5_UNKNOWN, True),
        (None, 400, C5_UNKNOWN, True),
        (7, 400, C5_UNKNOWN, False),
        (6, 500, C5_ISO, False),
    ],
)
def test_an_unknown_parameter_is_bad_input_elsewhere(
    code: int | None, status: int, equivalence: str, explains: bool
) -> None:
    answer = Script().add("create", code=code, status=status, equivalences=(equivalence,))
    assert (B1 in _failed(answer)) is explains


def test_no_answer_to_an_unknown_parameter_may_be_bad_input_too() -> None:
    answer = Script().add("create", status=200, equivalences=(C5_UNKNOWN,))
    silent = replace(answer, kind="nothing", exchange=replace(answer.exchange, response=None, failure="no answer"))
    assert B1 in _failed(silent)


def test_how_often_an_equivalence_could_have_been_seen_broken() -> None:
    script = Script()
    book = Book(script.answers)
    for _ in range(2):
        book.count_equivalences(script.add("create", code=7, equivalences=(C5_ISO,)))
    assert book.opportunities == {C5_ISO: 2}


def test_a_read_may_have_made_the_session_that_a_first_create_is_refused_for() -> None:
    answer = Script().add("create", "demo_without_session", code=101, status=403)
    suspected = Account("demo_without_session", suspects={T3: [answer]})
    assert T3 in _failed(answer, T5_FIRST, suspected)
    assert T3 not in _failed(answer, T1, suspected)
    assert T3 not in _failed(answer, T5_FIRST)


def test_the_first_create_of_a_demo_session_is_its_own_also_where_another_creates_at_the_same_time() -> None:
    script = Script()
    first, second = "demo_without_session", "demo_without_session 2"
    script.add("create", first, value=key(1), group=1, span=(1.0, 3.0))
    script.add("create", second, code=101, status=403, group=1, span=(1.0, 3.0))
    assert script.explain().broken == {T5_FIRST}


@pytest.mark.parametrize(
    ("read", "broken"),
    [
        # Once a key of theirs was read, concurrent creates explain another of their keys and nothing else.
        ((2, 2), {T8}),
        ((2, 3), {T8}),
        ((1, 1), {T2}),
        ((7, 7), {T3}),
        ((7, 8), {T3}),
        ((None, None), {T3}),
    ],
)
def test_what_concurrent_creates_explain_of_later_reads(read: tuple[int | None, ...], broken: set[str]) -> None:
    script = Script()
    script.create(1)
    for _ in range(3):
        script.read(1)
    for number in (2, 3):
        script.add("create", value=key(number), group=1, span=(100.0, 102.0))
    script.now = 110.0
    script.read(3)
    for later in read:
        script.read(later)
    assert script.explain().broken == broken
