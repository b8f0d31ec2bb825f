"""Follow-up calls: how long they wait to see whether a key changes by itself."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from contracts.exchange import Refusal
from contracts.ids import A3
from fixtures.errors import NotAvailable
from suites.scenarios.isolate import FollowUp
from suites.selfcheck.unit.histories import Script


def _age(script: Script) -> float:
    """Seconds between the last answer of *script* and the create that it is compared with."""
    run = SimpleNamespace(history=SimpleNamespace(answers=lambda: script.answers))
    return FollowUp(cast("Any", SimpleNamespace(run=run)))._age(script.answers[-1])


def test_the_age_of_a_key_is_counted_from_the_create_that_gave_it() -> None:
    script = Script()
    script.create(1)
    made = script.create(2)
    # Neither is a create that gave this account a key.
    script.create(3, "other_owner")
    script.add("create", code=4, valid=False, refusal=Refusal(A3, "code"))
    script.add("create", code=112, method="PUT")
    read = script.read(None)
    assert _age(script) == read.exchange.sent_at - made.exchange.sent_at > 0


def test_no_more_is_sent_than_was_said() -> None:
    sent: list[Any] = []
    run = SimpleNamespace(send=lambda call, **_: sent.append(call))
    follow_up = FollowUp(cast("Any", SimpleNamespace(run=run)))
    for _ in range(60):
        follow_up._send(cast("Any", "a call"))
    with pytest.raises(NotAvailable, match="60 follow-up calls were made"):
        follow_up._send(cast("Any", "one more"))
    assert sent == ["a call"] * 60


def test_without_a_create_there_is_no_age() -> None:
    script = Script()
    script.read(1)
    assert _age(script) == 0
