"""The history of a run: every answer, in the order in which they came.

Once the target has answered for the first time, nothing of it is changed.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from contracts.judge import Judgement


@dataclass(frozen=True)
class IssuedKey:
    """A key that ``create`` gave. ``alone`` says that no other create was under way."""

    value: str = field(repr=False)
    account: str
    alone: bool
    answer: Judgement = field(repr=False)


class History:
    """An append-only list of answers, safe to append to from several threads, with the questions that are asked of it."""

    def __init__(self) -> None:
        self._answers: list[Judgement] = []
        self._lock = threading.Lock()

    def append(self, answer: Judgement) -> None:
        """Record an answer."""
        with self._lock:
            self._answers.append(answer)

    def begin_anew(self) -> None:
        """Leave out what came before the target had started: it was somebody else's answer, or none."""
        with self._lock:
            self._answers.clear()

    def __len__(self) -> int:
        return len(self._answers)

    def __iter__(self) -> Iterator[Judgement]:
        return iter(self.answers())

    def answers(self, since: int = 0) -> Sequence[Judgement]:
        """The answers from number *since* on."""
        with self._lock:
            return self._answers[since:]

    def issued(self, account: str | None = None) -> list[IssuedKey]:
        """The keys that successful creates with good credentials gave, in the order of issue; those of *account* alone, if given."""
        return [
            IssuedKey(answer.key, intent.account or "", not intent.group, answer)
            for answer in self.answers()
            if answer.key is not None
            and (intent := answer.exchange.intent).valid
            and intent.operation == "create"
            and not intent.free_form
            and account in (None, intent.account)
        ]

    def last_key(self, account: str) -> Judgement | None:
        """The last answer that gave *account* its key: that of a read, or of a create that was alone.

        A read that gives what an earlier create gave is out of date, and the last create is what counts.
        """
        last: Judgement | None = None
        for answer in reversed(self.answers()):
            intent = answer.exchange.intent
            known = answer.key is not None and intent.account == account and intent.valid
            if not known or intent.operation is None or intent.free_form:
                continue
            if intent.operation == "create" and last is not None:
                earlier = answer.key != last.key and self._was_created(last.key, account)
                return answer if earlier and not intent.group else last
            if intent.group:
                continue
            last = last or answer
            if intent.operation == "create":
                return answer
        return last

    def _was_created(self, key: str | None, account: str) -> bool:
        created = (each for each in self.answers() if each.exchange.intent.operation == "create" and each.key == key)
        return any(each.exchange.intent.account == account for each in created)
