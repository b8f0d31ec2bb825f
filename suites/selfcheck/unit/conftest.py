"""What every unit test stands on."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _garbage_is_collected_between_tests() -> Iterator[None]:
    """What another test has left is not finalized at the deepest point of a recursion, where that fails."""
    gc.disable()
    yield
    gc.enable()
