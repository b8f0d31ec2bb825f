"""What every unit test stands on."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _garbage_is_collected_between_tests(without_garbage_collection: None) -> None:
    """Any of them may recurse as deep as it goes."""
