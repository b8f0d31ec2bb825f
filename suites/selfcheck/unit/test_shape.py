"""The shape of a hidden value: what is said of it shows what is wrong and not the value."""

from __future__ import annotations

import pytest

from contracts.shape import describe

KEY = "9f86d081884c7d659a2feaa0c55ad015"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (
            f"{KEY[:8]}-{KEY[8:12]}-{KEY[12:16]}-{KEY[16:20]}-{KEY[20:]}",
            "36 characters: hexadecimal digits with '-' at 9, 14, 19, 24",
        ),
        (f"{KEY}\n", "33 characters: the last is a line feed"),
        (f" {KEY}", "33 characters: the first is a space"),
        (f"{KEY[:31]}g", "character 32 is 'g'"),
        (f"{KEY[:4]}\u202e{KEY[5:]}", "character 5 is U+202E"),
        (KEY[:31], "31 characters: hexadecimal digits"),
        (KEY.upper(), "32 characters: upper-case hexadecimal digits"),
        (KEY[:16] + KEY[16:].upper(), "32 characters: hexadecimal digits in both letter cases"),
        ("1" * 40, "40 characters: decimal digits"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJIUzI1NiJ9.x", "43 characters: letters and digits with '.' at 21, 42"),
        (f"{KEY}\r\n", "34 characters: hexadecimal digits with a carriage return at 33; a line feed at 34"),
        ("ключ-ключ", "9 characters: of many kinds"),
        ("g", "1 character: letters and digits"),
        ("", "0 characters"),
    ],
)
def test_a_shape_names_what_departs(value: str, said: str) -> None:
    assert describe(value) == said


@pytest.mark.parametrize("size", [8, 12, 32, 200])
def test_a_shape_shows_nothing_of_a_value_that_is_no_key(size: int) -> None:
    value = "xyzzy-QWERTZ/ß"[: min(size, 14)] * (size // 8)
    said = describe(value)
    assert all(value[at : at + 3] not in said for at in range(len(value) - 2))


def test_many_departures_are_counted() -> None:
    value = "-".join([KEY[:10]] * 12)
    assert describe(value).endswith("'-' at 11, 22, 33, 44, 55, 66 and 5 more places")


def test_of_a_huge_value_only_the_length_is_said() -> None:
    assert describe("a" * 1_000_000) == "1000000 characters"
