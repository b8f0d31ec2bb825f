"""How to verify what a run left unverified: a sentence for each reason that there can be."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_NARROWED = "run everything: this run was narrowed to {selection}"

_ADVICE: Final[tuple[tuple[str, str], ...]] = (
    (
        r"^no account (\w+): .* is empty$",
        "give {0} a credential where the target file or the environment names it",
    ),
    (
        r"^no account (\w+)",
        "name the credential of such an account as {0} under [credentials] in the target file, set DELIVERY_{0_UPPER}_HASH, "
        "or give a provider-states hook that makes one",
    ),
    (
        r"key rotation is not allowed",
        "where the keys of these accounts are nobody's, allow rotation (--allow-key-rotation, or allow_key_rotation = true "
        "in the target file), or give a provider-states hook: rotation is allowed on accounts that it makes",
    ),
    (r"owner_without_session never creates", "give a provider-states hook that makes the state owner_without_session"),
    (r"credential of (\w+) has ended", "log {0} in again and give its new hash"),
    (
        r"demo_without_session is used up",
        "give a demo session that has no delivery session yet, or a provider-states hook",
    ),
    (r"^the target went away|^no answer|in a row|lost waiting", "run again once the target answers"),
    (
        r"keys were issued, and it takes",
        "allow rotation, or run with --hypothesis-profile thorough, which issues more keys",
    ),
    (
        r"overlapped at the pace",
        "allow a higher requests_per_second in [http] of the target file, so that calls can meet",
    ),
    (
        r"may not be provoked|rate limit",
        "set provoke_rate_limit = true in [http] of the target file, if it may be shown",
    ),
    (r"has no delivery session|no key to try", "give an owner that has a delivery session, or allow rotation"),
)


def how_to_verify(result: str, reason: str, selection: Sequence[str], *, untested: bool = False) -> str | None:
    """What to do so that a requirement with this *result* and *reason* is verified; None where it is already."""
    if result not in ("not_verified", "blocked", "error") or untested:
        return None
    if result == "error":
        return "the set-up or the suite broke here, not the target: see the message, and report it if it is the suite's"
    if result == "blocked":
        return "repair first what the reason names; the check can say something only then"
    for pattern, advice in _ADVICE:
        found = re.search(pattern, reason)
        if found:
            names = [*found.groups()]
            return advice.format(*names, **{f"{index}_UPPER": name.upper() for index, name in enumerate(names)})
    if selection:
        return _NARROWED.format(selection=", ".join(selection))
    if reason.startswith("none of its tests"):
        return "let the run come to its end"
    return "see the reason, and run again when it no longer holds"
