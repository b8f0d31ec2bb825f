"""The shape of a value that must not be shown: how long it is, what it is made of, and where it departs from that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final

#: Places that are listed before the rest is only counted.
_PLACES: Final = 6
_NAMES: Final = {
    " ": "a space", "\t": "a tab", "\n": "a line feed", "\r": "a carriage return", "\x00": "NUL",
    "\xa0": "a no-break space", "\ufeff": "a byte order mark", "'": "an apostrophe",
}  # fmt: skip
_ALPHABETS: Final[tuple[tuple[str, Callable[[str], bool]], ...]] = (
    ("decimal digits", lambda char: char in "0123456789"),
    ("hexadecimal digits", lambda char: char in "0123456789abcdef"),
    ("upper-case hexadecimal digits", lambda char: char in "0123456789ABCDEF"),
    ("hexadecimal digits in both letter cases", lambda char: char in "0123456789abcdefABCDEF"),
    ("letters and digits", lambda char: char.isascii() and char.isalnum()),
    ("printable ASCII characters", lambda char: char.isascii() and char.isprintable()),
)
#: The length of a key: of a value that has it only what is wrong is said.
_KEY: Final = 32
#: A departure from an alphabet is named up to this share of the characters; beyond, a wider alphabet says more.
_SHARE: Final = 0.15
#: Of a longer value only its length is said: that is what is wrong with it.
_LONGEST: Final = 10_000


def describe(value: str) -> str:
    """Say what *value* looks like and show none of it but the characters that do not fit the rest.

    Places count from 1. ``36 characters: hexadecimal digits with '-' at 9, 14, 19, 24``.
    """
    if not value:
        return "0 characters"
    size = f"{len(value)} character{'s' if len(value) != 1 else ''}"
    if len(value) > _LONGEST:
        return size
    for name, belongs in _ALPHABETS:
        strange = [(place, char) for place, char in enumerate(value, 1) if not belongs(char)]
        if not strange:
            return f"{size}: {name}"
        if len(strange) == 1 and len(value) > 1:
            return _one_departure(*strange[0], value)
        if len(strange) <= len(value) * _SHARE and not _hides_more(strange):
            return f"{size}: {name} with {_departures(strange)}"
    return f"{size}: of many kinds"


def _hides_more(strange: list[tuple[int, str]]) -> bool:
    """Whether the characters that do not fit are letters or digits by the number: to name them would show the value."""
    return sum(char.isalnum() for _, char in strange) > 1


def _one_departure(place: int, char: str, value: str) -> str:
    if len(value) == _KEY:
        return f"character {place} is {_character(char)}"
    where = "the last" if place == len(value) else "the first" if place == 1 else f"character {place}"
    return f"{len(value)} characters: {where} is {_character(char)}"


def _departures(strange: list[tuple[int, str]]) -> str:
    found = Counter(char for _, char in strange)
    parts = []
    for char in found:
        places = [place for place, other in strange if other == char]
        more = f" and {len(places) - _PLACES} more places" if len(places) > _PLACES else ""
        parts.append(f"{_character(char)} at {', '.join(map(str, places[:_PLACES]))}{more}")
    return "; ".join(parts)


def _character(char: str) -> str:
    """A character by its name where it cannot be seen, else in quotes."""
    if char in _NAMES:
        return _NAMES[char]
    return f"'{char}'" if char.isprintable() else f"U+{ord(char):04X}"
