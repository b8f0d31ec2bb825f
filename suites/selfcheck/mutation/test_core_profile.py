"""In the profile core nothing is said of server errors where a refusal is expected; and nothing passes for them either."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.emulator import codes
from fixtures.emulator.accounts import State
from fixtures.emulator.codes import ApiError
from fixtures.emulator.core import Emulator
from fixtures.emulator.messages import Call, Response
from fixtures.emulator.threaded import ThreadedServer
from suites.selfcheck.mutation import direct
from suites.selfcheck.mutation.in_process import ORIGIN, in_process
from suites.selfcheck.system.runs import suite, target_file


class _BreaksDown(Emulator):
    """Answers every hash that opens nothing with a server error in the envelope."""

    def authenticate(self, call: Call) -> None:
        account = self.store.accounts.get(call.credential or "")
        if account is None or account.state is State.ENDED:
            raise ApiError(codes.UNEXPECTED)
        call.account = account


class _ShowsAPage(_BreaksDown):
    """The same by a page."""

    def render_error(self, call: Call, error: ApiError) -> Response:
        if error.code == codes.UNEXPECTED:
            return Response(500, b"<h1>Internal Server Error</h1>", [("content-type", "text/html")])
        return super().render_error(call, error)


def _run(emulator: Emulator, profile: str) -> direct.Done:
    direct.in_checkout()
    with in_process(emulator):
        return direct.run(f"{ORIGIN}/v2", f"{ORIGIN}/_states", profile=profile)


def _verifying(*tags: str) -> set[str]:
    """The tests of the profile core that verify a requirement with one of *tags*."""
    return {
        each.name
        for each in direct.items()
        if direct.in_profile(each, "core") and any(name.startswith(tags) for name in each.requirements)
    }


@pytest.mark.parametrize("emulator", [_BreaksDown, _ShowsAPage])
def test_a_server_error_is_no_refusal(emulator: type[Emulator]) -> None:
    platform, core = _run(emulator(), "platform"), _run(emulator(), "core")
    assert platform.broken == ("B1-bad-input-refused",)
    assert core.broken == ()
    assert core.failed == {}
    # A list or an object in the place of a hash is refused before it is looked up.
    refused = {name for name in _verifying("A1", "A2", "A3") if "inside_json" not in name}
    assert len(refused) > 20
    assert refused <= core.open.keys()


class _GivesAnotherStatus(Emulator):
    """Refuses every hash that opens nothing with its code, and with the status of a server error."""

    def error_status(self, call: Call, error: ApiError) -> int:
        return 500 if error.code == codes.NOT_FOUND_OR_ENDED else super().error_status(call, error)


def test_the_command_says_that_it_was_not_verified(tmp_path: Path) -> None:
    with ThreadedServer(emulator=_BreaksDown()) as server:
        target = target_file(server, tmp_path / "target.toml")
        asked = ("--profile", "core", "--requirement", "A2", "--requirement", "S1")
        done = suite("--target", target, *asked, folder=tmp_path / "report")
    assert done.requirement("S1-success-is-200")["result"] == "passed"
    for name in ("A2-unknown-hash-refused", "A2-ended-hash-refused"):
        found = done.requirement(name)
        assert found["result"] == "not_verified"
        assert "is no refusal, and B1-bad-input-refused, which it breaks, is not in the profile" in found["reason"]


def test_what_else_is_wrong_with_a_server_error_is_said() -> None:
    assert _run(_GivesAnotherStatus(), "core").broken == ("E2-status-goes-with-code",)


def test_the_profile_core_verifies_all_that_it_counts_on_a_target_that_conforms() -> None:
    done = _run(Emulator(), "core")
    assert (done.broken, done.failed, done.open) == ((), {}, {})
