"""Who may change a key: one table, from the class of a call to what the call breaks where it has changed one."""

from __future__ import annotations

from contracts.ids import A5_CHANGED, A6, C7_ACTIONS, C7_METHODS, C7_OPTIONS, T3, T5_REFUSED, T6, T7
from contracts.judge import Judgement

#: Accounts whose create is refused by contract, with the requirement that says so and the code.
REFUSED = {"subuser": (T6, 13), "tariff_restricted": (T7, 236), "demo_with_session": (T5_REFUSED, 101)}
#: The same for a demo session that has created.
REFUSED_DEMO = REFUSED["demo_with_session"]

#: The requirement that a call of each class breaks where it has changed the key of an account; None where it may.
#: A refused create of somebody else's changes nothing by the sentence that says that it is refused.
CHANGES: dict[str, str | None] = {
    "HEAD": None,
    "OPTIONS": C7_OPTIONS,
    "an unknown action, with the hash of an account": C7_ACTIONS,
    "an unknown action, without": A5_CHANGED,
    "another method": C7_METHODS,
    "no valid credential": A5_CHANGED,
    "a read of the account": T3,
    "a read of another account": A6,
    "a create of the account": None,
    "a create of another account": A6,
    **{f"a refused create of a {kind}": requirement for kind, (requirement, _) in REFUSED.items()},
}


def may_not_change(answer: Judgement, label: str) -> str | None:
    """What the call of *answer* breaks where it has changed the key of the account *label*; None where it may."""
    intent = answer.exchange.intent
    if _let_in(answer) and intent.refusal is not None:
        # It breaks what says that it must be refused, and has then done what it asked for.
        return intent.refusal.requirement
    return CHANGES[_class(answer, label)]


def _let_in(answer: Judgement) -> bool:
    """Whether a documented call without a valid credential succeeded."""
    intent, method = answer.exchange.intent, answer.exchange.request.method
    documented = intent.operation is not None and method in ("GET", "POST")
    return documented and not intent.valid and answer.kind == "success"


def _class(answer: Judgement, label: str) -> str:
    """The class of the call of *answer*, as the account *label* sees it."""
    intent, method = answer.exchange.intent, answer.exchange.request.method
    if method in ("HEAD", "OPTIONS"):
        return method
    if intent.operation is None:
        return "an unknown action, " + ("with the hash of an account" if intent.holder else "without")
    if method not in ("GET", "POST"):
        return "another method"
    if not intent.valid:
        return "no valid credential"
    own = intent.account == label
    if intent.operation == "read":
        return "a read of the account" if own else "a read of another account"
    if answer.kind != "success" and intent.kind in REFUSED:
        return f"a refused create of a {intent.kind}"
    return "a create of the account" if own else "a create of another account"
