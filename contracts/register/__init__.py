"""A register for each account: what is known of its key, call by call, and what in a history cannot be.

A delivery session is a register: ``create`` writes a new key, ``read`` gives the last one. So each answer of ``read`` can
be compared with what the calls before it leave possible. Where it does not fit, either this one answer was wrong or the
key was changed by a call since the last read that fitted; the next read of the account shows which.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from contracts.ids import A6, C8, C9, T2, T3
from contracts.judge import Judgement
from contracts.register.account import NO_SESSION_AT_FIRST
from contracts.register.book import Book
from contracts.register.calls import Calls
from contracts.register.changes import may_not_change
from contracts.register.concurrent import Concurrent


class Register:
    """The registers of all accounts over one history, and the anomalies in it."""

    def __init__(self, answers: Sequence[Judgement]) -> None:
        ordered = sorted(answers, key=lambda each: each.exchange.sent_at)
        book = Book(ordered)
        self.anomalies = book.anomalies
        self.opportunities = book.opportunities
        self.credentials = book.credentials
        self._calls = Calls(book)
        concurrent = Concurrent(book)
        for group, members in groupby(ordered, key=lambda each: each.exchange.intent.group):
            if group:
                concurrent.add(list(members))
            else:
                for answer in members:
                    self._calls.add(answer)
        self._give_up_what_was_not_seen_again()

    def _give_up_what_was_not_seen_again(self) -> None:
        """Where the calls that may have changed a key were repeated and changed nothing, it is the answer that was wrong (T2)."""
        repeated = [each for each in self.anomalies if each.answer.exchange.intent.repeat]
        again = {each.answer.exchange.intent.account for each in repeated}
        # A key that is another one after a while in which nothing was sent changes by itself.
        again -= {each.answer.exchange.intent.account for each in repeated if each.candidates == {T2}}
        for index, each in enumerate(self.anomalies):
            label = each.answer.exchange.intent.account or ""
            if not each.undecided or label not in self._calls.repeated_for - again:
                continue
            if A6 not in each.candidates:
                # A key that no account was given before, and that stays, is no wrong answer: a read may have made it.
                made = T3 in each.candidates and T2 not in each.candidates and each.answer.key is not None
                wrong = frozenset() if made else frozenset({T2})
                self.anomalies[index] = replace(each, candidates=wrong | (each.candidates & {T3, C8, C9}))
            elif any(name == A6 and _comes_once(call) for name, call in each.suspects):
                # Of those that could be repeated it was none.
                harmless = {may_not_change(call, label) for call in self._calls.repeated} - {A6, T3}
                self.anomalies[index] = replace(each, candidates=each.candidates - harmless)


def _comes_once(answer: Judgement) -> bool:
    """Whether it is the first create of an account, which cannot be repeated."""
    intent = answer.exchange.intent
    return intent.operation == "create" and intent.kind in NO_SESSION_AT_FIRST and answer.key is not None
