"""No secret in any output: planted credentials, every way in which a test can fail, and everything written searched."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from contracts.recording import parse
from fixtures.emulator.threaded import ThreadedServer
from suites.selfcheck.system import examined
from suites.selfcheck.system.runs import ROOT, environment, suite, target_file

LEAKS: Final = Path(__file__).with_name("leaks")
#: Faults that show credentials and keys where they do not belong, in forms that hide them, and some that break a run.
FAULTS: Final = (
    "request-in-error",
    "hash-in-cookie",
    "last-key-in-upper-case",
    "near-miss-is-told-the-hash",
    "demo-refusal-gives-the-key",
    "utf-16-success",
    "double-encoded",
    "payload-in-a-list",
    "key-is-a-link",
    "key-uuid-with-dashes",
    "key-not-hexadecimal",
    "redirect-302",
    "last-hash-in-members",
    "quote-drops-connection",
)
#: ``DELIVERY_FAULTS=P1,A5`` tries every fault whose name or requirements begin so, which takes a while.
CHOSEN: Final = os.environ.get("DELIVERY_FAULTS", "")


def secrets_of(server: ThreadedServer) -> set[str]:
    """Every credential that the server knows and every key that it ever issued."""
    store = server.emulator.store
    return {*store.accounts, *store.issued}


def leaks(secrets: Iterable[str], folders: Iterable[Path], output: str) -> list[str]:
    """Where a run of characters of a secret is to be read, in any letter case, percent-encoded or escaped."""
    texts = {"the terminal": output.encode()}
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            content = path.read_bytes() if path.is_file() else b""
            texts[str(path)] = path.name.encode() + b"\n" + content
    return list(examined.leaks(texts, secrets))


def chosen_faults() -> list[str]:
    """The faults to run on."""
    if not CHOSEN:
        return list(FAULTS)
    from fixtures.emulator.faults import FAULTS as ALL

    begins = tuple(CHOSEN.split(","))
    return [
        name
        for name, fault in ALL.items()
        if name.startswith(begins) or any(each.startswith(begins) for each in fault.breaks)
    ]


@contextmanager
def planted(tmp: Path, faults: Sequence[str] = ()) -> Iterator[tuple[ThreadedServer, Path]]:
    """A server all of whose accounts are named in a target file."""
    with ThreadedServer(faults) as server:
        fixed = {str(state): account.hash for state, account in server.emulator.store.fixed.items()}
        yield server, target_file(server, tmp / "target.toml", credentials=fixed)


def _recorded(tmp: Path) -> Path:
    """Where ``--record`` writes to: a folder of its own, to be searched."""
    folder = tmp / "record"
    folder.mkdir(exist_ok=True)
    return folder / "run.json"


def leaking_run(
    server: ThreadedServer, target: Path, tmp: Path, *options: str, env: Mapping[str, str] | None = None
) -> tuple[int, str, list[str]]:
    """The exit code and output of the leaking tests, and where they gave a secret away."""
    work = tmp / "work"
    work.mkdir(exist_ok=True)
    shutil.copyfile(LEAKS / "leaking.py", work / "test_leaking.py")
    shutil.copyfile(ROOT / "suites" / "conformance" / "conftest.py", work / "conftest.py")
    report = tmp / "report"
    arguments = ["-c", str(ROOT / "pytest.ini"), "--rootdir", str(work), "-o", f"cache_dir={tmp / 'cache'}"]
    arguments += ["--target", str(target), "--report-dir", str(report), "-p", "no:randomly", *options]
    arguments += ["--record", str(_recorded(tmp))]
    owner = next(iter(server.emulator.store.fixed.values())).hash
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments, str(work / "test_leaking.py")],
        cwd=work,
        env=environment({"PLANTED": owner, "PYTHONPATH": str(ROOT), **(env or {})}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=120,
        check=False,
    )
    output = done.stdout.decode("utf-8", "replace")
    for made in work.glob("__pycache__"):
        shutil.rmtree(made)
    return done.returncode, output, leaks(secrets_of(server), [report, tmp / "cache", work, tmp / "record"], output)


@pytest.mark.parametrize(
    ("options", "env"),
    [
        (("-vv", "--showlocals", "--tb=long", "-rA", "--log-level=DEBUG", "--hypothesis-verbosity=debug"), {}),
        (("-s", "--tb=native", "--log-cli-level=DEBUG", "--full-trace", "--setup-show"), {}),
        (
            (
                "-q",
                "--tb=line",
                "--capture=tee-sys",
                "--log-file=log.txt",
                "--log-file-level=DEBUG",
                "--debug=trace.txt",
            ),
            {"CI": "true"},
        ),
    ],
    ids=["long", "native", "line"],
)
def test_nothing_of_a_failing_test_is_shown(tmp_path: Path, options: tuple[str, ...], env: Mapping[str, str]) -> None:
    with planted(tmp_path) as (server, target):
        code, output, found = leaking_run(server, target, tmp_path, *options, env=env)
    assert found == []
    assert code == 1, output
    assert "«owner»" in output
    assert "«key " in output
    document = json.loads((tmp_path / "report" / "conformance.json").read_text(encoding="utf-8"))
    assert document["tests"]["error"] >= 15, output
    assert document["tests"]["failed"] == 1
    assert parse(_recorded(tmp_path).read_text(encoding="ascii"))["tests"]
    assert len(list((tmp_path / "report" / "allure-results").glob("*-result.json"))) > 30


@pytest.mark.parametrize("ending", ["exit", "setup", "interrupt", "system"])
def test_nothing_is_shown_when_a_run_ends_early(tmp_path: Path, ending: str) -> None:
    with planted(tmp_path) as (server, target):
        _, output, found = leaking_run(
            server, target, tmp_path, "-k", "zz or assert_equal", "--full-trace", "-l", env={"ENDING": ending}
        )
    assert found == []
    assert "«owner»" in output


@pytest.mark.parametrize("fault", chosen_faults())
def test_nothing_is_shown_of_a_target_that_gives_it_away(tmp_path: Path, fault: str) -> None:
    with planted(tmp_path, [fault]) as (server, target):
        # The hook makes more accounts, the target file names the fixed ones: both kinds are planted.
        text = target.read_text(encoding="utf-8")
        kept = [line for line in text.splitlines() if not line.startswith(("demo_without", "owner_without"))]
        target.write_text("\n".join(kept) + "\n[http]\ntimeout = 2\n", encoding="utf-8")
        done = suite(
            "--target", target, "--hypothesis-profile", "smoke", "-v", "-l", "-o", f"cache_dir={tmp_path / 'cache'}",
            "--record", _recorded(tmp_path), folder=tmp_path / "report",
        )  # fmt: skip
    searched = [tmp_path / name for name in ("report", "cache", "record")]
    assert leaks(secrets_of(server), searched, done.output) == []
    assert parse(_recorded(tmp_path).read_text(encoding="ascii"))["answers"]
    assert CHOSEN or "what to repair first" in done.output


def test_nothing_is_shown_of_a_conforming_target(tmp_path: Path) -> None:
    with planted(tmp_path) as (server, target):
        done = suite(
            "--target", target, "-vv", "-rA", "--log-level=DEBUG", "-o", f"cache_dir={tmp_path / 'cache'}",
            "--record", _recorded(tmp_path), folder=tmp_path / "report",
        )  # fmt: skip
    searched = [tmp_path / name for name in ("report", "cache", "record")]
    assert leaks(secrets_of(server), searched, done.output) == []
    assert parse(_recorded(tmp_path).read_text(encoding="ascii"))["answers"]
    assert done.document["verdict"] in ("conformant", "inconclusive"), done.output


@pytest.mark.parametrize(
    "form",
    [
        str,
        str.upper,
        lambda secret: secret[5:17],
        lambda secret: "".join(f"%{ord(char):02X}" for char in secret),
        lambda secret: "".join(f"\\u{ord(char):04x}" for char in secret),
        lambda secret: secret.encode("utf-16-le").decode("latin-1"),
    ],
    ids=["plain", "upper", "part", "percent", "json", "utf-16"],
)
def test_the_search_finds_what_is_there(tmp_path: Path, form: Callable[[str], str]) -> None:
    secret = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
    (tmp_path / "a.txt").write_bytes(b"x " + form(secret).encode("latin-1") + b" y")
    assert leaks([secret], [tmp_path], "")
    assert leaks([secret], [], f"printed {form(secret)}")
    assert not leaks([secret], [], f"printed {secret[:11]} {secret[11:22]}")
