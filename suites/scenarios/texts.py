"""Texts that checks send and examples are generated of."""

from __future__ import annotations

from typing import Final

#: Troubles those who decode once more, or who run what they read.
NASTY: Final = "'\"\u00e9\u043a\U0001f511%2527\\u0027{{7*7}}${x}--"
