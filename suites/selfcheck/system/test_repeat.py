"""``repeat:`` of each kind, run against the fault that it was printed for: it shows the failure.

The accounts come from the hook, so the script makes its own. It is the one that the terminal names.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from fixtures.emulator.threaded import ThreadedServer
from suites.selfcheck.system.runs import environment, suite, target_file

OK = r"HTTP/1\.1 200 OK, value [0-9a-f]{32}"

KINDS = {
    "plain GET": ("key-upper-case", "S4", [r"now, call 1: HTTP/1\.1 200 OK, value [0-9A-F]{32}"]),
    "JSON": ("json-refused", "C1", [r"1\. \w+ as owner \(POST, JSON\)", r"now, call 1: HTTP/1\.1 400 .*"]),
    "form": ("form-refused", "C2", [r"1\. \w+ as owner \(POST, form\)", r"now, call 1: HTTP/1\.1 400 .*"]),
    "header": ("bearer-accepted", "C4", [r"1\. .* \(GET, Authorization header\)", f"now, call 1: {OK}"]),
    "near miss": ("last-digit-not-compared", "A3", [r"1\. read with «owner, altered» .*", f"now, call 1: {OK}"]),
    "raw bytes": ("not-utf-8-500", "B1", [r"now, call 1: HTTP/1\.1 500 Internal Server Error"]),
    "refusal by state": ("subuser-creates", "T6", [f"now, call 1: {OK}"]),
    "sequence": ("create-stores-another-key", "T2", ["calls 1 and 2 gave different values"]),
    "sequence with a read before": ("read-rotates", "T3", ["calls 1 and 2 gave different values"]),
    "the same key again": ("create-gives-the-same-key", "T1", ["calls 1 and 2 gave the same value"]),
    "a key that comes back": (
        "keys-repeat-after-three",
        "T1",
        ["calls 1 and 4 gave the same value", "calls 2 and 4 gave different values"],
    ),
    "the hash as the key": ("key-is-the-hash", "T1", ["call 1 shows the hash of owner"]),
    "the second create of a demo session": ("demo-creates-twice", "T5", ["calls 1 and 2 gave different values"]),
    "keys in order": ("keys-count", "T9", [r"now, call 3: HTTP/1\.1 200 OK, value 0{16,}[0-9a-f]+"]),
    "two users": ("read-gives-the-latest-key-of-all", "A6", ["calls 1 and 2 gave the same value"]),
    "leak of a key": ("refused-read-gives-the-last-value", "A5", [r"call 1 shows key \d+ of owner"]),
    "leak of a hash": ("near-miss-is-told-the-hash", "A5", ["call 1 shows the hash of owner"]),
}
#: Of a kind that another row has as well.
MORE = ("a key that comes back", "the second create of a demo session", "keys in order", "leak of a hash")


@pytest.mark.parametrize(
    ("fault", "name", "shown"),
    [pytest.param(*row, id=kind, marks=[pytest.mark.slow] if kind in MORE else []) for kind, row in KINDS.items()],
)
def test_what_is_printed_repeats_the_failure(tmp_path: Path, fault: str, name: str, shown: list[str]) -> None:
    with ThreadedServer([fault]) as server:
        target = target_file(server, tmp_path / "target.toml")
        # A pattern shows only in many keys.
        asked = ["--requirement", name, *(("--requirement", "T8") if name == "T9" else ())]
        done = suite("--target", target, *asked, folder=tmp_path / "report")
        line = re.search(rf"^ *repeat: +sh (\S+/{name}\b\S*\.sh)$", done.output, re.MULTILINE)
        assert line is not None, done.output
        again = subprocess.run(["sh", line[1]], env=environment(), capture_output=True, text=True, check=False)
    for text in shown:
        assert re.search(f"^{text}$", again.stdout, re.MULTILINE), again.stdout + again.stderr
    assert "expected: " in again.stdout
    assert again.stderr == ""
