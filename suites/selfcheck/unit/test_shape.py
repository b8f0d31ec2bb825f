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


@pytest.mark.parametrize(
    ("char", "name"),
    [
        (" ", "a space"),
        ("\t", "a tab"),
        ("\n", "a line feed"),
        ("\r", "a carriage return"),
        ("\x00", "NUL"),
        ("\xa0", "a no-break space"),
        ("\ufeff", "a byte order mark"),
        ("'", "an apostrophe"),
        ("-", "'-'"),
        ("\x07", "U+0007"),
    ],
)
def test_a_character_by_its_name(char: str, name: str) -> None:
    assert describe(f"{KEY[:8]}{char}{KEY[9:]}") == f"character 9 is {name}"
    assert describe(f"{KEY[:8]}{char}{KEY[8:]}") == f"33 characters: character 9 is {name}"


@pytest.mark.parametrize(("size", "said"), [(10_000, "10000 characters: decimal digits"), (10_001, "10001 characters")])
def test_the_longest_value_of_which_more_is_said(size: int, said: str) -> None:
    assert describe("1" * size) == said


def test_a_departure_is_named_up_to_its_share() -> None:
    assert describe("1" * 17 + "-+-") == "20 characters: decimal digits with '-' at 18, 20; '+' at 19"
    assert describe("1" * 16 + "-+-") == "19 characters: printable ASCII characters"
    assert describe("1" * 14 + "\x07\x08\x07") == "17 characters: of many kinds"
    # Two letters among digits would be a part of the value.
    assert describe("1" * 30 + "gh") == "32 characters: letters and digits"
