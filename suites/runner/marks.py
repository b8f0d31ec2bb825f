"""The marks of conformance tests."""

from __future__ import annotations

from typing import Any

import pytest

#: ``verifies("T2-…", …)``: the requirements that a test, or a row of one, verifies.
verifies = pytest.mark.requirement


def row(*values: Any, id: str, of: str | tuple[str, ...] = ()) -> Any:
    """A row of a parametrised test with its readable id and, where rows differ in them, its requirements."""
    ids = (of,) if isinstance(of, str) else of
    return pytest.param(*values, id=id, marks=[verifies(*ids)] if ids else [])
