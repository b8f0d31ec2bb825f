"""Every reason for which something is not verified has a thing to do next, which names what it is about."""

from __future__ import annotations

import pytest

from reports.advice import how_to_verify


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (
            "no account owner: the environment variable STAGING_OWNER (credentials.owner of the target file) is not set",
            "set STAGING_OWNER, which the target file names for owner, to the hash of such an account",
        ),
        (
            "no account subuser: the environment variable DELIVERY_SUBUSER_HASH is empty",
            "give subuser a credential in the environment variable DELIVERY_SUBUSER_HASH",
        ),
        (
            "no account ended: the provider-states hook cannot make the state ended (HTTP 404)",
            "let the hook make ended, or name such an account under [credentials] in the target file",
        ),
        (
            "no account other_owner",
            "name such an account under [credentials] in the target file, or give a provider-states hook",
        ),
        (
            "key rotation is not allowed: allow_key_rotation = false in the target file",
            "where nobody needs the keys of these accounts, remove allow_key_rotation = false from the target file",
        ),
        ("key rotation is not allowed: staging.example.com is not on loopback", "give --allow-key-rotation"),
        ("the fixed credential of demo_with_session has ended: read refuses it", "log demo_with_session in again"),
        (
            "12 keys were issued, and it takes 40 to say",
            "see why creates give no key, or run with --hypothesis-profile thorough",
        ),
        ("no two creates overlapped at the pace of this run", "raise requests_per_second under [http]"),
        ("the run's time was up", "longer [http].timeout"),
        ("the owner has no delivery session, so there is no key to try", "give an owner that has a delivery session"),
        ("rate limited: try requests_per_second = 5", "set the requests_per_second that the reason names"),
        ("read: HTTP 500 is no refusal, and B1, which it breaks, is not in the profile", "run with --profile platform"),
        ("no answer to the first request: refused; the command of --serve runs, and nothing", "see that it listens"),
        ("no answer to the first request: the connection was refused", "start the target or correct base_url"),
        ("the target went away: no answer", "see why the target stopped answering"),
    ],
)
def test_a_reason_has_its_advice(reason: str, said: str) -> None:
    assert said in str(how_to_verify("not_verified", reason, []))


def test_what_is_verified_or_never_can_be_needs_no_advice() -> None:
    assert how_to_verify("passed", "", []) is None
    assert how_to_verify("not_verified", "it binds the client", [], untested=True) is None


def test_a_narrowed_run_is_to_be_run_whole() -> None:
    said = how_to_verify("not_verified", "none of its tests was run", ["-k x"])
    assert said == "run everything: this run was narrowed to -k x"
    # Few keys are no wonder then.
    assert how_to_verify("not_verified", "6 keys were issued, and it takes 40 to say", ["-k x"]) == said
