"""What an answer says to the register: whether its call counts, and which key it names."""

from __future__ import annotations

from contracts.ids import C8, C9, S3
from contracts.judge import Judgement

#: The account of which it is not documented what it reads: a refusal, a key of its own, or that of its master.
SUBUSER = "subuser"
#: What ``read`` gives where there is no session.
NO_SESSION = "<no session>"
#: The code that says so (DELIVERY).
NO_SESSION_CODE = 201
#: Equivalences that are distinguished from everything else: what does not work there breaks them and nothing else.
_APART = frozenset({C8, C9})


def documented(answer: Judgement) -> bool:
    """Whether the call is one of the documented ones, sent with the good credential of an account."""
    intent = answer.exchange.intent
    method = answer.exchange.request.method
    documented = intent.operation is not None and not intent.free_form and method in ("GET", "POST")
    return intent.valid and documented and intent.refusal is None


def apart(answer: Judgement) -> frozenset[str]:
    """The equivalences of the call that are distinguished from everything else."""
    return _APART & frozenset(answer.exchange.intent.equivalences)


def ambiguous(answer: Judgement) -> bool:
    """Whether the answer can be read in two ways: it then says nothing about whose key it is."""
    return answer.ambiguous or any(each.requirement == S3 for each in answer.violations)


def value_of(answer: Judgement) -> str | None:
    """What a read says of the key: the key, ``NO_SESSION`` for 201, None for what is no answer to the question.

    What it says to a sub-user is not documented: there any refusal is an answer, which must stay the same.
    """
    if answer.key is not None:
        return answer.key
    if answer.kind == "error" and answer.code == NO_SESSION_CODE:
        return NO_SESSION
    refused = answer.kind == "error" and answer.code is not None and not answer.server_error
    return f"<error {answer.code}>" if refused and answer.exchange.intent.kind == SUBUSER else None


def is_key(value: str) -> bool:
    """Whether *value*, of :func:`value_of`, is a key."""
    return not value.startswith("<")


def explained_by_status(answer: Judgement) -> frozenset[str]:
    """A redirect explains that nothing came of the call (P3, S1)."""
    return frozenset(each.requirement for each in answer.violations if each.requirement.startswith(("P3", "S1")))
