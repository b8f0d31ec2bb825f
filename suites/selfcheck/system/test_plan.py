"""``--plan`` sends nothing and reads no credential, and its numbers are those of real runs."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from fixtures.emulator.threaded import ThreadedServer
from fixtures.http.guard import Rotation
from fixtures.target.file import ACCOUNTS
from reports.words import by_name
from suites.runner.budget import BOUNDS, ledger, may_create
from suites.selfcheck.system.runs import ROOT, conform, run, suite, target_file

pytestmark = pytest.mark.xdist_group("plan")

FREE = Rotation(True, "for once")
BOUND = Rotation(False, "not here")
NEVER = Rotation(False, "never", forbidden_everywhere=True)


def plan(*options: object, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return run("--plan", *options, env=env)


def test_it_sends_nothing_and_reads_no_credential(tmp_path: Path) -> None:
    secret = "5f4dcc3b5aa765d61d8327deb882cf99"
    target = tmp_path / "target.toml"
    # Nobody listens there: whoever sent anything would say so.
    target.write_text(
        'base_url = "http://127.0.0.1:9/v2"\n[credentials]\n'
        f'owner = {{ command = ["touch", "{tmp_path / "touched"}"] }}\n'
        'subuser = { file = "there-is-no-such-file" }\n',
        encoding="utf-8",
    )
    report = tmp_path / "report"
    done = plan("--target", target, "--report-dir", report, env={"DELIVERY_OTHER_OWNER_HASH": secret})
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith("Plan: nothing was sent.\n")
    assert secret not in done.stdout
    assert not (tmp_path / "touched").exists()
    assert not report.exists()
    said = {line.split()[0]: line for line in done.stdout.splitlines() if line.strip()}
    assert "fixed, from the target file; each replaces the key in every link" in said["owner"]
    assert "fixed, from DELIVERY_OTHER_OWNER_HASH; each replaces the key" in said["other_owner"]
    assert "fixed, from the target file; refused, by a target that keeps the contract" in said["subuser"]
    assert "absent: what needs it is not verified" in said["demo_with_session"]


def test_it_says_what_rotation_forbids(tmp_path: Path) -> None:
    target = tmp_path / "target.toml"
    target.write_text('allow_key_rotation = false\n[credentials]\nowner = "x"\n', encoding="utf-8")
    done = plan("--target", target, "--base-url", "https://staging.example.com/v2")
    assert "key rotation  not allowed: the target file forbids it" in done.stdout
    assert [line.split()[1:3] for line in done.stdout.splitlines() if line.startswith("  owner ")] == [["0", "0"]]


def test_it_plans_for_what_is_selected() -> None:
    done = plan("--requirement", "T6")
    assert "  tests         1," in done.stdout
    assert "  state " in done.stdout
    assert "  calls " not in done.stdout


def test_a_wrong_option_is_still_one() -> None:
    done = plan("--profile", "gold")
    assert done.returncode == 4
    assert len(done.stdout.splitlines()) == 1


@pytest.mark.parametrize(
    ("account", "rule", "fixed", "fresh", "may"),
    [
        ("owner", FREE, True, False, True),
        ("owner", FREE, False, True, True),
        ("owner", FREE, False, False, False),
        ("owner", BOUND, True, False, False),
        ("owner", BOUND, False, True, True),
        ("owner", NEVER, False, True, False),
        ("owner_without_session", FREE, True, False, False),
        ("owner_without_session", BOUND, False, True, True),
        ("subuser", BOUND, True, False, True),
        ("subuser", NEVER, True, False, True),
        ("subuser", NEVER, False, True, False),
    ],
)
def test_who_may_create(account: str, rule: Rotation, fixed: bool, fresh: bool, may: bool) -> None:
    assert may_create(account, rule, fixed=fixed, fresh=fresh) is may
    accounts = {"fixed": [account] if fixed else [], "fresh": [account] if fresh else []}
    found = ledger(["state"], thorough=False, provoke=False, rule=rule, **accounts)
    assert (account in found.creates) is may


def test_every_file_of_the_suite_has_its_bounds() -> None:
    files = {path.stem.removeprefix("test_") for path in (ROOT / "suites" / "conformance").glob("test_*.py")}
    assert files == BOUNDS.keys() - {"setup", "baseline", "follow-up"}
    assert all(account in ACCOUNTS for bound in BOUNDS.values() for account in bound.creates)


@pytest.mark.parametrize("profile", ["standard", pytest.param("thorough", marks=pytest.mark.slow)])
def test_the_table_is_in_step_with_real_runs(tmp_path: Path, profile: str) -> None:
    done = conform(tmp_path, "-q", "--hypothesis-profile", profile)
    assert done.code == 0, done.output
    document = done.document
    table = ledger(BOUNDS, thorough=profile == "thorough", provoke=False, rule=FREE, fixed=[], fresh=ACCOUNTS)
    for group, amount in table.requests.items():
        sent = document["requests_by_group"].get(group, 0)
        assert sent <= amount.most, f"{group}: {sent} requests; update suites/runner/budget.py"
        # What thorough explores is another each time.
        room = amount.usual if profile == "thorough" else amount.usual // 5
        assert abs(sent - amount.usual) <= 5 + room, f"{group}: {sent} requests; update suites/runner/budget.py"
    creates = by_name(document["creates_by_account"])
    for account in creates.keys() | table.creates.keys():
        number, amount = creates.get(account, 0), table.creates[account]
        assert number <= amount.most, f"{account}: {number} creates; update suites/runner/budget.py"
        room = amount.usual if profile == "thorough" else amount.usual // 4
        assert abs(number - amount.usual) <= 3 + room, f"{account}: {number} creates; update suites/runner/budget.py"


def requests_in_all(planned: str) -> int:
    """How many requests a plan usually has in all."""
    return int(next(line.split()[2] for line in planned.splitlines() if line.strip().startswith("in all")))


@pytest.mark.parametrize("accounts", [["owner"], ACCOUNTS], ids=["only the owner", "all"])
@pytest.mark.parametrize("rotation", ["true", "false"])
def test_it_plans_for_the_accounts_and_the_permission_that_there_are(
    tmp_path: Path, accounts: Sequence[str], rotation: str
) -> None:
    with ThreadedServer() as server:
        fixed = {str(state): account.hash for state, account in server.emulator.store.fixed.items()}
        more = f"allow_key_rotation = {rotation}"
        target = target_file(server, tmp_path / "target.toml", credentials={name: fixed[name] for name in accounts})
        text = target.read_text(encoding="utf-8").replace("provider_states", "# provider_states", 1)
        target.write_text(f"{more}\n{text}", encoding="utf-8")
        planned = requests_in_all(plan("--target", target).stdout)
        done = suite("--target", target, "-q", folder=tmp_path / "report")
    assert abs(planned - done.document["requests"]) <= 8


def test_a_broken_target_does_not_exceed_the_table(tmp_path: Path) -> None:
    done = conform(tmp_path, "-q", faults=["second-read-is-stale"])
    table = ledger(BOUNDS, thorough=False, provoke=False, rule=FREE, fixed=[], fresh=ACCOUNTS)
    for group, number in done.document["requests_by_group"].items():
        assert number <= table.requests[group].most
    assert done.document["tests"]["error"] == 0, done.output


def test_the_session_sends_no_more_than_that(tmp_path: Path) -> None:
    # With a table of which nothing is left, the first create of the run is refused, as an error of the suite.
    table = tmp_path / "sitecustomize.py"
    table.write_text(
        "import suites.runner.budget as table\ntable.Ledger.all_creates = property(lambda self: table.Amount(0, 0))\n",
        encoding="utf-8",
    )
    path = os.pathsep.join((str(tmp_path), str(ROOT)))
    done = conform(tmp_path, "-q", "--requirement", "T1", env={"PYTHONPATH": path})
    assert "the plan of the run allows 0 creates" in json.dumps(done.document)
    assert done.document["creates_by_account"] == {}


def test_the_run_keeps_its_servers_clean() -> None:
    with ThreadedServer() as server:
        before = dict(server.emulator.store.issued)
        assert plan("--base-url", server.base_url).returncode == 0
        assert server.emulator.store.issued == before
