"""What the targets of the Makefile do that no other test does."""

import shutil
from pathlib import Path

from suites.selfcheck.system.checkout import ROOT, run

#: What runs leave behind, and environments, which take minutes to make again.
LEFT = ["reports/out/conformance.json", ".mypy_cache/3.11/x.json", "suites/unit/__pycache__/x.pyc", "dist/x.whl"]
KEPT = [
    ".venv/lib/__pycache__/x.pyc",
    "contracts/lint/.venv/tools/lib/__pycache__/x.pyc",
    "contracts/lint/node_modules/x/__pycache__/x.pyc",
    "suites/unit/x.py",
]


def test_clean_leaves_the_environments_and_says_so(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in (*LEFT, *KEPT):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    run(["make", "clean"], cwd=tmp_path)
    assert [name for name in LEFT if (tmp_path / name).exists()] == []
    assert [name for name in KEPT if not (tmp_path / name).exists()] == []
    helped = run(["make", "help"], cwd=tmp_path).stdout
    line = next(line for line in helped.splitlines() if line.startswith("clean "))
    assert all(name in line for name in (".venv", "contracts/lint/.venv", "contracts/lint/node_modules"))
