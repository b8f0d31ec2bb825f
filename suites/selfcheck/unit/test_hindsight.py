"""At the end of a run every refusal is looked at again: what it showed may only later have come to be known for a key."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contracts.exchange import Refusal, Response
from contracts.hindsight import hindsight, others_keys
from contracts.ids import A2, A5_DISCLOSED, A6, C7_OPTIONS
from contracts.judge import Judgement
from contracts.rules.disclosure import DISCLOSES_NOTHING
from fixtures.emulator.accounts import State
from fixtures.emulator.codes import ApiError
from fixtures.emulator.core import Emulator
from fixtures.emulator.messages import Call
from fixtures.emulator.threaded import ThreadedServer
from suites.selfcheck.system.runs import suite, target_file
from suites.selfcheck.unit.histories import Script, key


class _TellsAnothers(Emulator):
    """Says, to whoever sends a hash that nobody has, the key of a user of whom the run has not heard yet."""

    def error_payload(self, call: Call, error: ApiError) -> object:
        payload = super().error_payload(call, error)
        if isinstance(payload, dict) and call.account is None:
            payload["status"]["description"] += f" ({self.store.fixed[State.DEMO_WITH_SESSION].key})"
        return payload


def _run(emulator: Emulator, folder: Path) -> tuple[str, str]:
    with ThreadedServer([], emulator=emulator) as server:
        fixed = {str(state): account.hash for state, account in server.emulator.store.fixed.items()}
        # None of the tests that meet the account goes before those of refusals; only they and the last look are run.
        selection = ("-k", "malformed or unknown_hash or demo_that_has or disclosed_nothing")
        done = suite(
            "--target",
            target_file(server, folder / "target.toml", credentials=fixed),
            *selection,
            folder=folder / "report",
        )
    found = done.requirement("A5-discloses-nothing")
    return found["result"], found["violations"][0]["message"] if found["violations"] else ""


@pytest.mark.slow
def test_what_was_told_before_it_was_known(tmp_path: Path) -> None:
    result, message = _run(_TellsAnothers(), tmp_path)
    assert result == "failed"
    assert "key 1 of demo_with_session" in message


@pytest.mark.slow
def test_nothing_was_told(tmp_path: Path) -> None:
    result, _ = _run(Emulator(), tmp_path)
    assert result == "not_verified"  # some of its tests were left out


# ---------------------------------------------------------------------- what refusals told


def _refused(script: Script, body: str, **about: Any) -> Judgement:
    """A call without valid credentials that is answered so, as the last of *script*."""
    made = script.add(**{"operation": "read", "code": 4, "valid": False, "refusal": Refusal(A2), **about})
    script.answers[-1] = _told(made, body)
    return script.answers[-1]


@pytest.mark.parametrize("body", [f'{{"x": "{key(1)}"}}', f"<p>{key(1).upper()}</p>", f"{key(1)[:16]} is a part of it"])
def test_a_refusal_told_a_key_before_it_was_known(body: str) -> None:
    script = Script()
    told = _refused(script, body)
    script.create(1)
    (found,) = hindsight(script.answers)
    assert found.candidates == {A5_DISCLOSED}
    assert found.answer is told
    assert found.expected == DISCLOSES_NOTHING
    assert "which belongs to an account" in found.got
    assert found.because == "read by get-query"


def test_a_refusal_told_a_credential() -> None:
    script = Script()
    _refused(script, "the credential of owner is good")
    assert hindsight(script.answers) == [], "it is nobody's yet"
    script.read(1)
    assert len(hindsight(script.answers)) == 1


@pytest.mark.parametrize(("length", "found"), [(15, 0), (16, 1)])
def test_a_key_that_is_too_short_stands_in_an_answer_by_chance(length: int, found: int) -> None:
    script = Script()
    script.add("create", value=key(1)[:length])
    _refused(script, f"no user {key(1)[:length]}")
    assert len(hindsight(script.answers)) == found


def test_a_success_of_a_call_that_need_not_be_refused_may_tell_something() -> None:
    script = Script()
    script.create(1)
    _refused(script, key(1), value=key(2), code=None, method="OPTIONS", refusal=Refusal(C7_OPTIONS, "answer"))
    assert len(hindsight(script.answers)) == 1


def test_what_is_no_telling_refusal() -> None:
    def told(body: str = key(1), **about: Any) -> int:
        script = Script()
        script.create(1)
        _refused(script, body, **about)
        return len(hindsight(script.answers))

    assert told() == 1
    assert told(body="nothing of anybody") == 0
    assert told(valid=True, account="other_owner") == 0, "a good call"
    assert told(breaks=(A5_DISCLOSED,)) == 0, "it was found at once"
    assert told(breaks=(A6,)) == 1
    assert told(value=key(1), code=None) == 0, "it was let in, which is told as that"
    assert told(value=key(1), code=None, refusal=None) == 1
    script = Script()
    script.create(1)
    told_all = _refused(script, key(1))
    complete = replace(told_all.exchange.intent, complete=True)
    script.answers[-1] = replace(told_all, exchange=replace(told_all.exchange, intent=complete))
    assert hindsight(script.answers) == [], "the call carried a good hash"
    script.answers[-1] = replace(told_all, exchange=replace(told_all.exchange, response=None))
    assert hindsight(script.answers) == []


def test_every_refusal_is_looked_at() -> None:
    script = Script()
    script.create(1)
    _refused(script, "nothing")
    last = _refused(script, key(1))
    assert [each.answer for each in hindsight(script.answers)] == [last]


# ---------------------------------------------------------------------- the keys of others


def _told(answer: Judgement, body: str, *headers: tuple[str, str]) -> Judgement:
    """The same answer with this body and these headers."""
    response = replace(answer.exchange.response or Response(200), body=body.encode(), headers=headers)
    return replace(answer, exchange=replace(answer.exchange, response=response))


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ("{}", (("X-Replaced", key(1)),)),
        (f'{{"success": true, "value": "{key(2)}", "before": ["{key(1)}"]}}', ()),
        (f'{{"success": true, "value": "{key(2)}", "\\u0062efore": "{key(1)}"}}', ()),
        (f"<p>{key(1)}</p>", ()),
    ],
)
def test_the_key_of_another_in_whatever_place(body: str, headers: tuple[tuple[str, str], ...]) -> None:
    script = Script()
    script.create(1)
    script.answers.append(_told(script.create(2, "other_owner"), body, *headers))
    del script.answers[1]
    (found,) = others_keys(script.answers)
    assert found.candidates == {A6}
    assert found.answer is script.answers[1]
    assert "the key of owner" in found.got


def _two(account: str = "other_owner", **call: Any) -> Script:
    """The owner creates, and somebody else is told of the key."""
    script = Script()
    script.create(1)
    made = script.add(**{"operation": "create", "account": account, "value": key(2), **call})
    script.answers[-1] = _told(made, "{}", ("X-Replaced", key(1)))
    return script


def test_what_is_no_key_of_another() -> None:
    assert len(others_keys(_two().answers)) == 1
    assert others_keys(_two("owner").answers) == [], "the own one"
    assert others_keys(_two("subuser").answers) == [], "what a sub-user may see is not documented"
    assert others_keys(_two(value=key(1)).answers) == [], "given as the key: for the register"
    assert others_keys(_two(ambiguous=True).answers) == [], "which key it is of two is not known"
    assert others_keys(_two(valid=False).answers) == [], "for A5"
    script = _two()
    sent = replace(script.answers[1].exchange.request, url=f"http://127.0.0.1/?x={key(1)}")
    script.answers[1] = replace(script.answers[1], exchange=replace(script.answers[1].exchange, request=sent))
    assert others_keys(script.answers) == [], "it was sent"


@pytest.mark.parametrize(("length", "found"), [(16, 1), (15, 0)])
def test_a_short_key_stands_there_by_chance(length: int, found: int) -> None:
    script = Script()
    script.add("create", value="0123456789abcdef"[:length])
    script.answers.append(_told(script.create(2, "other_owner"), "0123456789abcdef"))
    del script.answers[1]
    assert len(others_keys(script.answers)) == found


def test_what_read_gave_is_nobodys_key() -> None:
    script = Script()
    script.read(1)
    script.answers.append(_told(script.create(2, "other_owner"), "{}", ("X-Replaced", key(1))))
    assert others_keys(script.answers) == []
