"""At the end of a run every refusal is looked at again: what it showed may only later have come to be known for a key."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.emulator.accounts import State
from fixtures.emulator.codes import ApiError
from fixtures.emulator.core import Emulator
from fixtures.emulator.messages import Call
from fixtures.emulator.threaded import ThreadedServer
from suites.selfcheck.system.runs import suite, target_file


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
        selection = ("-k", "malformed or unknown_hash or demo_that_has or told_nothing")
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
