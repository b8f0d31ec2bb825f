"""What to do next about what a run left unverified: a sentence for each reason that there can be."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_FEW_KEYS: Final = "keys were issued, and it takes"
_ADVICE: Final[tuple[tuple[str, str], ...]] = (
    (
        r"environment variable (?P<variable>\w+) \(credentials\..* is (?:empty|not set)",
        "set {variable}, which the target file names for {account}, to the hash of such an account",
    ),
    (
        r"^no account (?P<account>\w+): (?P<place>.+?) is (?:empty|not set)",
        "give {account} a credential in {place}",
    ),
    (
        r"^no account (?P<account>\w+): the provider-states hook cannot make",
        "let the hook make {account}, or name such an account under [credentials] in the target file",
    ),
    (
        r"^no account \w+(?:$|;)",
        "name such an account under [credentials] in the target file, or give a provider-states hook",
    ),
    (
        r"allow_key_rotation = false",
        "where nobody needs the keys of these accounts, remove allow_key_rotation = false from the target file",
    ),
    (
        r"rotation (?:is )?not allowed",
        "where nobody needs the keys of these accounts, give --allow-key-rotation; or give a provider-states hook",
    ),
    (
        r"owner_without_session never creates",
        "give a provider-states hook that makes the state owner_without_session",
    ),
    (r"credential of (?P<account>\w+) has ended", "log {account} in again and give its new hash"),
    (
        r"demo_without_session is used up",
        "give a demo session that has no delivery session yet, or a provider-states hook",
    ),
    (r"run's time was up", "run again with a longer [http].timeout or on a target that answers faster"),
    (r"Authorization header.*gateway|gateway.*Authorization header", "run again where no gateway needs the header"),
    (r"rate limited", "set the requests_per_second that the reason names under [http] in the target file"),
    (
        r"the command of --serve runs",
        "see that it listens at that address, and give it longer by --wait; its output is in target.log of the report",
    ),
    (
        r"no answer to the first request",
        "start the target or correct base_url, and run again; --wait waits for a target that is still starting",
    ),
    (
        r"target went away|no answer|in a row|lost waiting|gateway",
        "see why the target stopped answering, and run again",
    ),
    (r"is not in the profile", "run with --profile platform, which judges such answers"),
    (
        _FEW_KEYS,
        "see why creates give no key, or run with --hypothesis-profile thorough, which creates more keys",
    ),
    (
        r"overlapped at the pace",
        "raise requests_per_second under [http] in the target file, so that calls overlap",
    ),
    (
        r"may not be provoked|rate limit",
        "set provoke_rate_limit = true under [http] in the target file, if it may be shown",
    ),
    (r"has no delivery session|no key to try", "give an owner that has a delivery session, or allow rotation"),
)
_ACCOUNT: Final = re.compile(r"\b(?:account|credentials\.)\s?(?P<account>[a-z]+(?:_[a-z]+)*)")


def how_to_verify(result: str, reason: str, selection: Sequence[str], *, untested: bool = False) -> str | None:
    """What to do so that a requirement with this *result* and *reason* is verified; None where it is already."""
    if result not in ("not_verified", "blocked", "error") or untested:
        return None
    if result == "error":
        return (
            "the suite or its set-up broke here, not the target: read the message, and report it if it is the suite's"
        )
    if result == "blocked":
        return "repair first what the reason names, then run again"
    if selection and _FEW_KEYS in reason:
        return _run_everything(selection)
    for pattern, advice in _ADVICE:
        found = re.search(pattern, reason)
        if found:
            named = _ACCOUNT.search(reason)
            account = named.group("account") if named else "the account"
            return advice.format(**{"account": account, **found.groupdict()})
    if selection:
        return _run_everything(selection)
    if reason.startswith("none of its tests"):
        return "let the run come to its end"
    return "see the reason, and run again when it no longer holds"


def _run_everything(selection: Sequence[str]) -> str:
    return f"run everything: this run was narrowed to {', '.join(selection)}"
