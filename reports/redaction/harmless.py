"""What a terminal and the log of a CI job must not obey: whatever a target sends is data there, too."""

from __future__ import annotations

import re
from typing import Final

# Characters that turn the direction of what follows, and halves of characters that no encoding has.
_DIRECTIONS: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
# Commands of Azure, GitHub and TeamCity anywhere in a line; of GitHub at its beginning, white space aside.
_TAG: Final = re.compile(r"##(?=\[|vso\[|teamcity\[)")
_AT_LINE_START: Final = re.compile(r"([\r\n][^\S\r\n]*+)::")
_AT_TEXT_START: Final = re.compile(r"([^\S\r\n]*+)::")
_SPANNING: Final = re.compile(r"##(?:\[|vso\[|teamcity\[)")
#: Sections of GitLab's log begin and end so.
_SECTION: Final = re.compile(r"section_(?=(?:start|end):\d)")
#: So much of the line so far may be the beginning of a command.
_LONGEST: Final = 16


class Harmless:
    """Makes what is written piece by piece harmless; remembers the line so far, for a command may come in pieces."""

    def __init__(self) -> None:
        self._line = ""

    def __call__(self, text: str) -> str:
        """*text* with commands broken up by a space and what cannot be shown spelled out."""
        text = _DIRECTIONS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
        if self._completes_a_command(text):
            text = f" {text}"
        text = _TAG.sub("# #", text)
        text = _SECTION.sub("section _", text)
        if not self._line.strip():
            text = _AT_TEXT_START.sub(r"\1: :", text, count=1) if _AT_TEXT_START.match(text) else text
        text = _AT_LINE_START.sub(r"\1: :", text)
        line = re.split(r"[\r\n]", self._line + text)[-1]
        # Of a longer line only the end matters, and that it is not blank.
        self._line = line if len(line) <= _LONGEST else ("x" if line.strip() else " ") + line[-_LONGEST:]
        return text

    def _completes_a_command(self, text: str) -> bool:
        if self._line.strip() == ":" and text.startswith(":"):
            return True
        before = len(self._line)
        both = self._line + text[:_LONGEST]
        return any(found.start() < before < found.end() for found in _SPANNING.finditer(both))
