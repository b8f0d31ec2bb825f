"""Calls at the same moment: which key may have won, and which read came too late for its key."""

from __future__ import annotations

from contracts.exchange import Exchange, Intent, Request, Response
from contracts.judge import Judgement
from suites.scenarios.concurrency import Moment


def _answer(operation: str, key: str | None, sent: float, ended: float) -> Judgement:
    exchange = Exchange(
        Intent(operation, valid=True, account="owner"),
        Request("GET", f"http://127.0.0.1/{operation}"),
        Response(200),
        sent_at=sent,
        ended_at=ended,
    )
    return Judgement(exchange, "success" if key is not None else "error", key)


def _moment(creates: list[Judgement], reads: list[Judgement]) -> Moment:
    return Moment({"owner": creates}, {"owner": reads})


def test_any_of_those_that_overlap_may_have_won() -> None:
    moment = _moment([_answer("create", "a", 0, 3), _answer("create", "b", 1, 2), _answer("create", "c", 2.5, 4)], [])
    assert moment.may_have_won("owner") == ["a", "c"]  # b had ended before c began


def test_a_create_that_failed_has_neither_won_nor_replaced_anything() -> None:
    moment = _moment([_answer("create", "a", 0, 1), _answer("create", None, 2, 3)], [])
    assert moment.may_have_won("owner") == ["a"]
    assert moment.may_have_won("nobody") == []


def test_a_read_is_stale_only_where_its_key_was_replaced_before_it_began() -> None:
    creates = [_answer("create", "a", 0, 1), _answer("create", "b", 2, 3)]
    fine = [_answer("read", "a", 2.5, 4), _answer("read", "b", 3.5, 4)]
    late = _answer("read", "a", 3.5, 4)
    assert _moment(creates, fine).stale("owner") == []
    assert _moment(creates, [*fine, late]).stale("owner") == [(late, creates[1])]
