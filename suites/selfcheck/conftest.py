"""What self-checks of several folders stand on."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture
def without_garbage_collection() -> Iterator[None]:
    """What another test has left is not finalized at the deepest point of a recursion, where that fails."""
    gc.disable()
    yield
    gc.enable()
