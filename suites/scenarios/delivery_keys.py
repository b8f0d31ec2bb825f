"""Keys of delivery sessions that are tried as credentials (A4)."""

from __future__ import annotations

import re

from contracts.ids import A4
from contracts.judge import Judgement
from fixtures.calls import Call, Operation, Style, call
from fixtures.secrets import Secret, Vault

#: Codes for a delivery-session key where an ordinary credential is expected (facts A4).
_WRONG_SESSION = frozenset({276, 4, 3, 11, 13})


def key_of(answer: Judgement, vault: Vault, account: str) -> Secret | None:
    """The key that *answer* gives *account*, for use as a credential; None where no credential can have its characters."""
    if answer.key is None or not re.fullmatch("[!-~]+", answer.key):
        return None
    return vault.add(answer.key, f"key of {account}")


def delivery_key(operation: Operation, style: Style, key: Secret) -> Call:
    """A call with the key of a delivery session as its credential."""
    return call(operation, style, key).refused(A4, _WRONG_SESSION)
