"""The register, step by step: which requirements could each explain what does not fit, before one of them is chosen."""

from __future__ import annotations

import re

import pytest

from contracts.exchange import Refusal
from contracts.requirements import catalogue
from suites.selfcheck.unit.histories import Script, key

_ACCOUNTS = {
    "": "owner",
    "o": "other_owner",
    "w": "owner_without_session",
    "d": "demo_without_session",
    "D": "demo_with_session",
    "s": "subuser",
    "t": "tariff_restricted",
}
_STEP = re.compile(r"(?P<account>[owdDst]?)(?P<kind>[crCRumhpa])(?P<number>\d*)")


def play(steps: str) -> Script:
    """A history: ``c1`` creates key 1 and ``r1`` reads it, ``r`` reads 201; ``C13`` and ``R4`` are refused with that code.

    ``u`` is a create with an unknown hash that is refused, ``m`` a PUT, ``h`` a HEAD, ``p`` a create that gets a page, ``a`` an
    unknown action. A letter before it says as whom.
    """
    script = Script()
    for step in steps.split():
        found = _STEP.fullmatch(step)
        assert found is not None, step
        account, number = _ACCOUNTS[found["account"]], int(found["number"] or 0)
        match found["kind"]:
            case "c":
                script.create(number, account)
            case "r":
                script.read(number or None, account)
            case "C":
                script.add("create", account, code=number)
            case "R":
                script.add("read", account, code=number)
            case "u":
                script.unknown()
            case "m":
                script.add("create", account, code=112, method="PUT")
            case "h":
                script.add("create", account, method="HEAD", code=None)
            case "p":
                script.add("create", account, status=500)
            case "a":
                script.add(
                    None,
                    None,
                    code=111,
                    valid=False,
                    holder=account,
                    refusal=Refusal("C7-unknown-action-refused", "any"),
                )
    return script


@pytest.mark.parametrize(
    ("steps", "candidates"),
    [
        # A read that gives what was given before: the read is wrong, or the create was not kept.
        ("c1 r1 c2 r2 r1", ["T2"]),
        ("c1 r1 c2 r2 r1 r2", ["T2"]),
        ("c1 r1 c2 r1", ["T2"]),
        ("c1 r1 c2 r1 r1", ["T2"]),
        # A read that gives another key: wrong until it is seen again, and then something has changed it.
        ("c1 r1 r2", ["T2 T3"]),
        ("c1 r1 r2 r1", ["T2"]),
        ("c1 r1 r2 r2", ["T3"]),
        ("c1 r1 r2 r3", ["T3", "T2 T3"]),
        ("c1 r1 r", ["T2 T3"]),
        ("c1 r1 r r", ["T3"]),
        # What was sent in between may have changed it.
        ("c1 r1 u r2 r2", ["A5-changes-nothing T3"]),
        ("c1 r1 m r2 r2", ["C7-other-methods-refused T3"]),
        ("c1 r1 a r2 r2", ["C7-unknown-action-refused T3"]),
        ("c1 r1 oc2 r3 r3", ["A6 T3"]),
        ("c1 r1 C7 r2 r2", ["T1", "T1 T3"]),
        # What was confirmed since may not.
        ("c1 r1 u r1 r2 r2", ["T3"]),
        # What may have changed it by right.
        ("c1 r1 h r2 r2", []),
        ("c1 r1 p r2 r2", ["T1"]),
        # A key that is not new.
        ("c1 c1", ["T1"]),
        ("c1 oc1", ["T1"]),
        ("c1 oc2 or1 or2", ["A6"]),
        # No session yet.
        ("wr wr", []),
        ("wr7", ["T4"]),
        ("wr7 wr7", ["T4", "T3"]),
        ("wr wr7 wr7", ["T3"]),
        ("wr4", ["T4"]),
        ("wr wc1 wr1", []),
        ("wr wc1 wr", ["T2"]),
        # Refused for the state.
        ("sC13 tC236 DC101", []),
        ("sC11", ["T6"]),
        ("sc1", ["T6"]),
        ("tC13", ["T7"]),
        ("DC6", ["T5-demo-create-refused"]),
        ("Dr1 DC101 Dr2 Dr2", ["T3 T5-demo-create-refused"]),
        ("sr1 sC13 sr2 sr2", ["T3 T6"]),
        ("tr1 tC236 tr2 tr2", ["T3 T7"]),
        ("dc1 dr1 dC101 dr1", []),
        ("dC101", ["T5-demo-first-create"]),
        ("dc1 dC13", ["T5-demo-create-refused"]),
        ("dc1 dr1 dc2", ["T3 T5-demo-create-refused"]),
        ("dc1 dr dc2 dr2", ["T2 T5-demo-first-create"]),
    ],
)
def test_what_could_explain_it(steps: str, candidates: list[str]) -> None:
    expected = []
    for names in candidates:
        chosen = {entry.id for entry in catalogue().values() for name in names.split() if name in (entry.tag, entry.id)}
        expected.append(chosen)
    found = [set(each.candidates) for each in play(steps).explain().anomalies]
    assert found == expected


def test_what_is_said_of_a_key_that_is_not_new() -> None:
    (again,) = play("c1 oc1").explain().anomalies
    assert (again.expected, again.got) == (
        "a key that was never given before",
        f"the key {key(1)!r}, which was given to owner before",
    )
    script = Script()
    script.add("create", value="credential of owner")
    (own,) = script.explain().anomalies
    assert own.got == "the key 'credential of owner', which is the credential of owner"


def test_where_a_key_was_given_first() -> None:
    script = play("c1 c2 oc1")
    (again,) = script.explain().anomalies
    assert again.context == (script.answers[0],)


def test_what_one_needs_to_see_it() -> None:
    script = play("c1 r1 c2 r2 r1")
    (stale,) = script.explain().anomalies
    assert script.answers[3] in stale.context
    assert stale.answer is script.answers[4]
