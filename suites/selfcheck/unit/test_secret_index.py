"""The index of secrets: where exactly a text shows which part of which value."""

from __future__ import annotations

import random

import pytest

from fixtures.secret_index import LEAK, Hit, Index, _in_common


def _value(seed: int, size: int) -> str:
    return "".join(random.Random(seed).choices("0123456789abcdef", k=size))


def _index(*values: str) -> Index:
    index = Index()
    for each in values:
        index.add(each)
    return index


SHORT, LONG = _value(1, 32), _value(2, 1_000)


@pytest.mark.parametrize("value", [SHORT, LONG], ids=["short", "long"])
def test_a_part_is_found_from_its_beginning_to_its_end(value: str) -> None:
    """Of a long value only some parts are kept: one in the middle of what is shown leads to all of it."""
    index = _index(value)
    for start in range(0, len(value) - 24, 3):
        for end in (start + 24, len(value)):
            shown = value[start:end]
            for before, after in (("", ""), ("zz", "zz"), ("z", "")):
                at = len(before)
                assert index.parts(f"{before}{shown}{after}") == [Hit(at, at + len(shown), value, start)]


def test_what_is_too_short_is_no_part() -> None:
    index = _index(SHORT)
    for start in range(len(SHORT) - LEAK + 2):
        assert index.parts(f"z{SHORT[start : start + LEAK - 1]}z") == []
        assert not index.shows(f"z{SHORT[start : start + LEAK - 1]}z")
    for start in range(len(SHORT) - LEAK + 1):
        assert index.parts(SHORT[start : start + LEAK]) == [Hit(0, LEAK, SHORT, start)]
        assert index.shows(SHORT[start : start + LEAK])


@pytest.mark.parametrize(("before", "after"), [("", ""), ("zz", ""), ("", "zz"), ("0", "0"), ("zz0", "f")])
@pytest.mark.parametrize("value", [SHORT, LONG, "deadbeef"], ids=["32", "1000", "8"])
def test_a_whole_value_is_found_wherever_it_stands(value: str, before: str, after: str) -> None:
    index = _index(SHORT, LONG, "deadbeef")
    hit = Hit(len(before), len(before) + len(value), value, 0)
    assert index.wholes(f"{before}{value}{after}") == [hit]
    assert index.hits(f"{before}{value}{after}") == [hit]


def test_of_two_that_begin_alike_the_longest_is_found() -> None:
    longer = SHORT + "0123"
    for values in ((SHORT, longer), (longer, SHORT)):
        index = _index(*values)
        assert index.wholes(longer) == [Hit(0, 36, longer, 0)]
        assert index.wholes(SHORT) == [Hit(0, 32, SHORT, 0)]
        assert index.wholes(SHORT + "012z") == [Hit(0, 32, SHORT, 0)]


def test_hits_come_in_the_order_of_the_text_and_do_not_overlap() -> None:
    index = _index(SHORT, LONG)
    text = SHORT[:20] + LONG + SHORT[5:25] + SHORT + "z" + LONG[700:800]
    assert index.hits(text) == [
        Hit(0, 20, SHORT, 0),
        Hit(20, 1_020, LONG, 0),
        Hit(1_020, 1_040, SHORT, 5),
        Hit(1_040, 1_072, SHORT, 0),
        Hit(1_073, 1_173, LONG, 700),
    ]


def test_a_value_that_is_shown_twice_in_a_row() -> None:
    index = _index(SHORT)
    assert index.wholes(SHORT * 2) == [Hit(0, 32, SHORT, 0), Hit(32, 64, SHORT, 0)]
    # What goes back before the first hit belongs to that one.
    assert index.parts(SHORT[:16] * 2) == [Hit(0, 16, SHORT, 0), Hit(16, 32, SHORT, 0)]


def test_an_empty_index_shows_nothing() -> None:
    index = Index()
    assert (index.hits(SHORT), index.parts(SHORT), index.wholes(SHORT)) == ([], [], [])
    assert not index.shows(SHORT)


@pytest.mark.parametrize("size", range(1, 40))
def test_with_how_many_characters_two_begin_alike(size: int) -> None:
    value = _value(3, 40)
    other = value[:size] + ("0" if value[size : size + 1] != "0" else "1")
    for one, two in ((value, other), (other, value)):
        assert _in_common(one, two) == size
    assert _in_common(value, value[:size]) == size


def test_what_begins_like_several_values_is_found_as_the_longest_that_is_there() -> None:
    """Values with one beginning are halved through, whatever stands between them in order."""
    stem = _value(4, 20)
    values = [stem + tail for tail in ("", "4", "45", "451", "46", "5", "9")]
    index = _index(*values)
    for text, value in (
        (stem + "44", stem + "4"),
        (stem + "452", stem + "45"),
        (stem + "8", stem),
        (stem + "99", stem + "9"),
    ):
        assert index.wholes(text) == [Hit(0, len(value), value, 0)]


def test_the_end_of_a_value_is_no_part_for_being_as_long_as_another_value() -> None:
    """Values of eight to eleven characters are secrets; so many characters of a longer one are no leak."""
    for size in range(8, LEAK):
        index = _index(_value(5, size), SHORT)
        for start in range(LEAK - 1, len(SHORT) - size + 1):
            assert index.parts(f"z{SHORT[start : start + size]}z") == []


def test_a_short_value_at_the_end_of_the_text() -> None:
    index = _index(SHORT, "deadbeef")
    for text in ("deadbeef", "zz deadbeef"):
        at = len(text) - 8
        assert index.parts(text) == [Hit(at, len(text), "deadbeef", 0)]
        assert index.parts(f"{text}z") == [Hit(at, len(text), "deadbeef", 0)]


def test_what_stands_before_a_value_is_no_part_of_it() -> None:
    """Nor is it the last character of the value, which would be that before the first."""
    index = _index(SHORT)
    assert index.parts(SHORT[-1] + SHORT) == [Hit(1, 33, SHORT, 0)]


def test_of_a_long_value_few_parts_are_kept() -> None:
    for size in (32, 140, 200, 1_000, 10_000):
        assert len(_index(_value(6, size))._parts) <= 129


@pytest.mark.parametrize("size", [63, 64, 65, 5_000])
def test_one_character_again_and_again(size: int) -> None:
    """Such a text is not looked at place by place, unless a part of a value is made of that character."""
    assert _index(SHORT).hits(SHORT[0] * size) == []
    uniform = "a" * 20
    assert _index(SHORT, uniform).wholes("a" * size)[0] == Hit(0, 20, uniform, 0)
    assert _index(SHORT, f"0{uniform}").shows("a" * size)
    # What is found by fewer characters counts, too.
    assert _index(SHORT, "aaaaaaaa").shows("a" * size)
    assert not _index(SHORT, "aaaaaaaa").shows("b" * size)


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("a" * 63, [(0, 63)]),
        ("a" * 64, []),
        (f"zz{'a' * 62}", [(2, 64)]),
        (f"zz{'a' * 64}", []),
        (f"{'a' * 64}0", [(0, 65)]),
        (f"{'a' * 64}z{'a' * 63}z", [(65, 128)]),
    ],
)
def test_where_a_value_may_be(text: str, places: list[tuple[int, int]]) -> None:
    assert list(_index(SHORT)._places(text)) == places


@pytest.mark.parametrize("before", ["a" * 5_000, "b" * 64], ids=["of-the-same", "of-another"])
def test_a_value_at_the_end_of_a_repetition(before: str) -> None:
    hit = Hit(len(before), len(before) + len(SHORT), SHORT, 0)
    assert SHORT[0] not in before
    assert _index(SHORT).wholes(before + SHORT) == [hit]
    assert _index(SHORT).hits(SHORT + before)[0] == Hit(0, len(SHORT), SHORT, 0)
