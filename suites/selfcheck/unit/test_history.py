"""The history of a run: the order of its answers, the keys that were issued, and the last key of an account."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contracts.exchange import Intent
from contracts.history import History
from contracts.judge import Judgement
from suites.selfcheck.unit.histories import Script, key


def history(script: Script) -> History:
    """The answers of *script*, recorded."""
    made = History()
    for each in script.answers:
        made.append(each)
    return made


def freely(answer: Judgement) -> Judgement:
    """The same answer to a call whose refusal may have any form."""
    return meant(answer, replace(answer.exchange.intent, free_form=True))


def meant(answer: Judgement, intent: Intent) -> Judgement:
    """The same answer to a call that was meant so."""
    return replace(answer, exchange=replace(answer.exchange, intent=intent))


def last(script: Script, account: str = "owner") -> str | None:
    """The last key of *account*."""
    found = history(script).last_key(account)
    return None if found is None else found.key


def test_answers_stand_in_the_order_in_which_they_came() -> None:
    script = Script()
    script.create(1)
    script.read(1)
    script.read(2, "other_owner")
    made = history(script)
    assert len(made) == 3
    assert list(made) == script.answers
    assert list(made.answers()) == script.answers
    assert list(made.answers(1)) == script.answers[1:]
    made.begin_anew()
    assert len(made) == 0
    assert list(made) == []


def test_the_keys_that_were_issued() -> None:
    script = Script()
    script.create(1)
    script.read(1)
    script.create(2, "other_owner")
    script.add("create", value=key(3), group=7)
    script.add("create", code=13)
    script.add("create", None, value=key(4), valid=False)
    script.answers.append(freely(script.create(5)))
    del script.answers[-2]
    issued = history(script).issued()
    assert [(each.value, each.account, each.alone) for each in issued] == [
        (key(1), "owner", True),
        (key(2), "other_owner", True),
        (key(3), "owner", False),
    ]
    assert [each.answer for each in issued] == [script.answers[0], script.answers[2], script.answers[3]]
    assert [each.value for each in history(script).issued("other_owner")] == [key(2)]
    assert key(1) not in repr(issued)
    assert "answer" not in repr(issued[0])
    script.answers[0] = meant(script.answers[0], replace(script.answers[0].exchange.intent, account=None))
    assert history(script).issued()[0].account == ""


@pytest.mark.parametrize("what", ["create", "read"])
def test_the_last_key_is_that_of_the_last_create_or_read(what: str) -> None:
    script = Script()
    script.create(1)
    script.add(what, value=key(2))
    script.create(3, "other_owner")
    script.add("read", code=14)
    assert last(script) == key(2)
    assert last(script, "other_owner") == key(3)
    assert last(script, "subuser") is None


def test_without_any_create_the_last_read_counts() -> None:
    script = Script()
    script.read(1)
    script.read(2)
    assert last(script) == key(2)


def test_a_read_that_gives_an_earlier_key_is_out_of_date() -> None:
    script = Script()
    script.create(1)
    script.create(2)
    script.read(1)
    assert last(script) == key(2)


def test_a_read_that_gives_a_key_of_which_no_create_is_known() -> None:
    script = Script()
    script.create(1)
    script.read(3)
    assert last(script) == key(3)
    script = Script()
    script.create(3, "other_owner")
    script.create(1)
    script.read(3)
    assert last(script) == key(3), "it was made for another account"


def test_of_creates_at_once_the_next_read_says_which_was_last() -> None:
    script = Script()
    script.create(1)
    script.add("create", value=key(2), group=1)
    script.add("create", value=key(3), group=1)
    assert last(script) == key(1), "which of two is the last is not known"
    script.read(2)
    assert last(script) == key(2)
    script.add("read", value=key(9), group=2)
    assert last(script) == key(2), "a read among others is as little"


@pytest.mark.parametrize("how", ["not valid", "freely", "no operation"])
def test_what_is_no_key_of_the_account(how: str) -> None:
    script = Script()
    script.create(1)
    made = script.create(2)
    intent = made.exchange.intent
    others = {
        "not valid": replace(intent, valid=False),
        "freely": replace(intent, free_form=True),
        "no operation": replace(intent, operation=None),
    }
    script.answers[-1] = meant(made, others[how])
    assert last(script) == key(1)
