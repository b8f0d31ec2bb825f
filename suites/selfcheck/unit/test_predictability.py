"""Predictability of keys: what a target must not issue is named, and random keys never are."""

# ruff: noqa: ARG005 -- every way to make a key takes the same two arguments

from __future__ import annotations

import base64
import hashlib
import random
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import pytest

from contracts.ids import T1, T8, T9
from contracts.judge import Judgement
from contracts.rules import predictability
from contracts.rules.predictability import BITS, ENOUGH, find_pattern, is_comparable, predictable
from suites.selfcheck.unit.histories import Script

_COUNT = 41
_SEEDS = range(200)
#: The end of each simulated run, in epoch seconds, and its length.
_NOW = 1_790_000_000.25
_LENGTH = 2.5


def look(keys: Sequence[str], ordered: Sequence[str] | None = None) -> str | None:
    """What is wrong with *keys*, issued over the simulated run in this order."""
    return find_pattern(keys, [keys if ordered is None else ordered], _NOW - _LENGTH, _NOW)


def _uuid4(dice: random.Random) -> str:
    return uuid.UUID(int=dice.getrandbits(128), version=4).hex


RANDOM: dict[str, Callable[[random.Random], str]] = {
    "128-bits": lambda dice: f"{dice.getrandbits(128):032x}",
    "uuid-4": _uuid4,
    "md5-of-random": lambda dice: hashlib.md5(dice.randbytes(16), usedforsecurity=False).hexdigest(),
    "sha256-cut": lambda dice: hashlib.sha256(dice.randbytes(32)).hexdigest()[:32],
    "four-words": lambda dice: "".join(f"{dice.getrandbits(32):08x}" for _ in range(4)),
    "eight-constant-digits": lambda dice: "5e55a100" + f"{dice.getrandbits(96):024x}",
    "eight-constant-digits-at-the-end": lambda dice: f"{dice.getrandbits(96):024x}" + "00c0ffee",
    "digits-apart": lambda dice: "".join(dice.choice("0123456789abcdef") for _ in range(32)),
}


@pytest.mark.slow
@pytest.mark.parametrize("make", RANDOM.values(), ids=RANDOM)
def test_random_keys_are_never_accused(make: Callable[[random.Random], str]) -> None:
    for seed in _SEEDS:
        dice = random.Random(seed)
        keys = [make(dice) for _ in range(_COUNT)]
        assert look(keys) is None, seed


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ("0" * 32, True),
        ("F" * 32, True),
        (str(uuid.UUID(int=7)), True),
        ("0" * 31, False),
        ("g" * 32, False),
        ("1", False),
    ],
)
def test_what_can_be_compared(key: str, found: bool) -> None:
    assert is_comparable(key) is found


def test_dashes_hide_no_counter() -> None:
    keys = [str(uuid.UUID(int=number << 64 | 0x7F3A)) for number in range(40)]
    assert "rise" in (find_pattern(keys, [keys], 0, 1) or "")


def test_bits_that_repeat_others_do_not_count() -> None:
    dice = random.Random(1)
    halves = [f"{dice.getrandbits(64):016x}" for _ in range(_COUNT)]
    for twin in (lambda half: half, lambda half: f"{int(half, 16) ^ (1 << 64) - 1:016x}"):
        found = look([half + twin(half) for half in halves])
        assert found is not None
        assert "only 64 of 128 bits vary independently" in found
    spelt = look([half.encode().hex() for half in halves])
    assert spelt is not None
    assert "only 80 of 128 bits vary independently" in spelt


def test_digests_of_what_is_known() -> None:
    dice = random.Random(2)
    owner = _uuid4(dice)
    keys = [_uuid4(dice) for _ in range(_COUNT)]
    for known, name in (
        (keys[3], "another key"),
        (owner, "a credential"),
        (f"{owner}7", "a credential"),
        (f"9{owner}", "a credential"),
    ):
        made = hashlib.sha1(known.encode(), usedforsecurity=False).hexdigest()[:32]
        found = find_pattern([*keys, made], [keys], _NOW - _LENGTH, _NOW, [owner])
        assert found is not None
        assert f"SHA-256) of {name}" in found
    assert find_pattern(keys, [keys], _NOW - _LENGTH, _NOW, [owner]) is None


@pytest.mark.parametrize("ordered", [0, 1, 11, 12, 13, 20, 30])
def test_random_keys_of_which_few_came_one_after_the_other(ordered: int) -> None:
    for seed in range(40):
        dice = random.Random(f"{ordered} {seed}")
        keys = [_uuid4(dice) for _ in range(_COUNT)]
        assert look(keys, keys[:ordered]) is None, seed


def _moment(index: int) -> float:
    return _NOW - _LENGTH + _LENGTH * index / _COUNT


def _fill(head: str, dice: random.Random) -> str:
    return head + f"{dice.getrandbits(128):032x}"[len(head) :]


def _clock(unit: int, form: str, place: int) -> Callable[[int, random.Random], str]:
    def key(index: int, dice: random.Random) -> str:
        stamp = format(int(_moment(index) * unit), form)
        return f"{dice.getrandbits(128):032x}"[:place] + stamp + f"{dice.getrandbits(128):032x}"[place + len(stamp) :]

    return key


def _uuid1(index: int, dice: random.Random) -> str:
    ticks = int(_moment(index) * 10**7) + 0x01B21DD213814000
    return uuid.UUID(fields=(ticks & 0xFFFFFFFF, ticks >> 32 & 0xFFFF, ticks >> 48 & 0xFFF | 0x1000, 0x81, 7, 42)).hex


def _uuid7(index: int, dice: random.Random) -> str:
    value = int(_moment(index) * 1000) << 80 | 7 << 76 | dice.getrandbits(12) << 64 | 2 << 62 | dice.getrandbits(62)
    return f"{value:032x}"


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


PREDICTABLE: dict[str, Callable[[int, random.Random], str]] = {
    "counter": lambda index, dice: f"{index + 1:032x}",
    "counter-decimal": lambda index, dice: f"{index + 90:032d}",
    "counter-from-far": lambda index, dice: f"{0x51E55A100BAD5EED51E55A100BAD5EED + index:032x}",
    "counter-downwards": lambda index, dice: f"{2**127 - index:032x}",
    "counter-by-a-large-step": lambda index, dice: f"{index * 0x9E3779B97F4A7C15F39CC0605CEDC8 % 2**128:032x}",
    "counter-then-random": lambda index, dice: _fill(f"{index + 7:08x}", dice),
    "random-then-counter": lambda index, dice: f"{dice.getrandbits(96):024x}{index + 7:08x}",
    "counter-in-the-middle": lambda index, dice: (
        f"{dice.getrandbits(48):012x}{index + 300:08x}{dice.getrandbits(48):012x}"
    ),
    "counter-little-endian": lambda index, dice: (
        (index + 250).to_bytes(8, "little").hex() + f"{dice.getrandbits(64):016x}"
    ),
    "uuid-1": _uuid1,
    "uuid-7": _uuid7,
    "constant-prefix": lambda index, dice: "0123456789abcdef" + f"{dice.getrandbits(64):016x}",
    "constant-suffix": lambda index, dice: f"{dice.getrandbits(64):016x}" + "0" * 16,
    "two-digits-vary": lambda index, dice: "a" * 30 + f"{dice.getrandbits(8):02x}",
    "decimal-of-few-bits": lambda index, dice: f"{dice.getrandbits(40):032d}",
    "md5-of-counter": lambda index, dice: _md5(str(index + 1)),
    "sha1-of-counter": lambda index, dice: hashlib.sha1(str(index).encode(), usedforsecurity=False).hexdigest()[:32],
    "sha256-of-counter": lambda index, dice: hashlib.sha256(str(index).encode()).hexdigest()[:32],
    "md5-of-the-second": lambda index, dice: _md5(str(int(_moment(index)))),
    **{
        f"clock-{name}-{base}-{where}": _clock(unit, form, place)
        for name, unit in (("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9))
        for base, form in (("hex", "x"), ("decimal", "d"))
        for where, place in (("first", 0), ("inside", 9))
    },
}


@pytest.mark.parametrize("make", PREDICTABLE.values(), ids=PREDICTABLE)
def test_predictable_keys_are_named(make: Callable[[int, random.Random], str]) -> None:
    for seed in range(10):
        dice = random.Random(seed)
        keys = [make(index, dice) for index in range(_COUNT)]
        assert all(len(key) == 32 for key in keys)
        found = look(keys)
        assert found is not None, seed
        assert not any(key in found for key in keys)


@pytest.mark.parametrize("make", PREDICTABLE.values(), ids=PREDICTABLE)
def test_upper_case_hides_nothing(make: Callable[[int, random.Random], str]) -> None:
    dice = random.Random(1)
    assert look([make(index, dice).upper() for index in range(_COUNT)]) is not None


def test_what_is_no_key_is_left_out() -> None:
    dice = random.Random(2)
    keys = [_uuid4(dice) for _ in range(_COUNT)]
    assert look([*keys, "", "x" * 32, "0" * 31, "not a key"]) is None
    assert look([]) is None
    assert look(["0" * 32]) is None
    assert look(["x"] * 50) is None


def test_bounds() -> None:
    assert ENOUGH == 40
    assert BITS == 96


@pytest.mark.parametrize(("bits", "found"), [(92, True), (96, False)])
def test_how_many_bits_must_vary(bits: int, found: bool) -> None:
    dice = random.Random(bits)
    keys = [f"{dice.getrandbits(bits):0{bits // 4}x}".rjust(32, "7") for _ in range(_COUNT)]
    assert (look(keys, []) == f"only {bits} of 128 bits vary over {_COUNT} keys") is found


@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_either_end_of_a_digest(algorithm: str, ends: bool) -> None:
    dice = random.Random(algorithm)
    digest = hashlib.new(algorithm, b"7").hexdigest()
    keys = [*(_uuid4(dice) for _ in range(_COUNT)), digest[-32:] if ends else digest[:32]]
    assert look(keys, []) == "a key is a digest (MD5, SHA-1 or SHA-256) of a small number"


def test_digits_that_a_key_shares_with_a_credential() -> None:
    dice = random.Random(6)
    keys = [_uuid4(dice) for _ in range(_COUNT)]
    for stretch, found in ((keys[3][17:29], True), (keys[3][17:28], False)):
        others = [stretch.upper().ljust(32, "x")]
        said = "a key and a credential share 12 digits in a row" if found else None
        assert find_pattern(keys, [], _NOW, _NOW, others) == said


# ---------------------------------------------------------------------- a clock, whatever the order

_UNITS = {
    "s": (1, "seconds"),
    "ms": (10**3, "milliseconds"),
    "us": (10**6, "microseconds"),
    "ns": (10**9, "nanoseconds"),
}


@pytest.mark.parametrize("place", [0, 3, 5, 12])
@pytest.mark.parametrize("form", ["x", "d"], ids=["hex", "decimal"])
@pytest.mark.parametrize("unit", _UNITS)
def test_a_clock_is_found_in_whatever_order_the_keys_came(unit: str, form: str, place: int) -> None:
    """By itself, for keys that came at once have no order."""
    ticks, name = _UNITS[unit]
    dice = random.Random(f"{unit} {form} {place}")
    keys = [_clock(ticks, form, place)(index, dice) for index in range(_COUNT)]
    found = look(keys, [])
    assert found is not None
    width = len(format(int(_NOW * ticks), form))
    if form == "x":
        assert found == f"digits {place + 1} to {place + width} of every key are the time of issue in {name}"
    else:
        # In decimal digits a finer clock begins with a coarser one.
        assert found.startswith(f"digits {place + 1} to ")
        assert found.endswith(" of every key are the time of issue in seconds")


@pytest.mark.parametrize(("top", "form"), [(2**32 - 1, "08x"), (10**10 - 1, "010d")])
def test_a_clock_that_counts_down(top: int, form: str) -> None:
    dice = random.Random(top)
    stamps = [format(top - int(_moment(index)), form) for index in range(_COUNT)]
    keys = [f"{dice.getrandbits(40):010x}{stamp}{dice.getrandbits(128):032x}"[:32] for stamp in stamps]
    assert (
        look(keys, [])
        == f"digits 11 to {10 + len(stamps[0])} of every key are the time of issue in seconds, counted down"
    )


@pytest.mark.parametrize(("stamped", "found"), [(2, False), (3, True), (_COUNT, True)])
def test_a_few_keys_with_a_clock(stamped: int, found: bool) -> None:
    """One way to create may have a generator of its own; of so many keys two may look like a clock by chance."""
    dice = random.Random(7)
    keys = [_clock(1, "x", 0)(index, dice) for index in range(stamped)]
    others = [f"{dice.getrandbits(127) | 1 << 127:032x}" for _ in range(_COUNT)]
    said = f"digits 1 to 8 of some keys ({stamped} of {stamped + _COUNT}) are the time of issue in seconds"
    assert look([*others, *keys], []) == (said if found else None)


def test_the_beginning_of_a_clock_at_the_end_of_a_key_is_none() -> None:
    dice = random.Random(9)
    keys = [f"{dice.getrandbits(100):025x}{int(_NOW):08x}"[:32] for _ in range(3)]
    assert look([*keys, *(_uuid4(dice) for _ in range(_COUNT))], []) is None


def test_one_key_that_is_given_again_is_not_a_few() -> None:
    dice = random.Random(8)
    keys = [_uuid4(dice) for _ in range(_COUNT)]
    assert look([*keys, *[_clock(1, "x", 0)(1, dice)] * 3], []) is None


@pytest.mark.parametrize(
    ("text", "name"), [("{}", "its second"), ("{}000", "its millisecond"), ("{}999", "its millisecond")]
)
def test_digests_of_the_clock(text: str, name: str) -> None:
    dice = random.Random(text)
    keys = [_uuid4(dice) for _ in range(_COUNT)]
    for moment in (_NOW - _LENGTH, _NOW - 1, _NOW):
        found = look([*keys, _md5(text.format(int(moment)))], [])
        assert found == f"a key is a digest (MD5, SHA-1 or SHA-256) of {name}"
    for moment in (_NOW - _LENGTH - 5, _NOW + 5):
        assert look([*keys, _md5(text.format(int(moment)))], []) is None


@pytest.mark.parametrize("step", [1 << 100, 0x9E3779B97F4A7C15F39CC0605CEDC835, (1 << 128) - 12_345])
def test_keys_that_are_a_number_apart(step: int) -> None:
    """However large the number is, and whatever else was issued between some of them."""
    dice = random.Random(step)
    numbers = [(dice.getrandbits(128) + place * step) % 2**128 for place in range(6)]
    start = dice.getrandbits(128)
    keys = [f"{number:032x}" for number in numbers[:3]]
    keys += [f"{(start + place * step) % 2**128:032x}" for place in (0, 1, 2)]
    assert look(keys) == "three keys in a row are the same number apart"
    assert "in a row" not in str(look(keys[:5]))
    assert "in a row" not in str(look([*keys[:3], keys[3], keys[0], keys[4]]))
    for again in ([*keys[:2], *keys[1:2] * 3], [keys[0]] * 4 + keys[:2], keys[:2] * 3, keys[1:3] * 3):
        assert "in a row" not in str(look(again)), "keys that are given again are for T1"


def test_keys_of_a_congruential_generator() -> None:
    number, keys = 0x1234_5678_9ABC_DEF0_0FED_CBA9_8765_4321, []
    for _ in range(5):
        number = (number * 0x2360ED051FC65DA44385DF649FCCF645 + 0x5851F42D4C957F2D14057B7EF767814F) % 2**128
        keys.append(f"{number:032x}")
    assert look(keys) == "of four keys in a row each follows from the ones before it"
    assert "in a row" not in str(look(keys[:3]))
    dice = random.Random(1)
    half = [key[16:] + f"{dice.getrandbits(64):016x}" for key in keys]
    assert look(half) == "of four keys in a row each follows from the ones before it, in digits 1 to 16"
    half = [f"{dice.getrandbits(64):016x}" + key[16:] for key in keys]
    assert look(half) == "of four keys in a row each follows from the ones before it, in digits 17 to 32"


def _created(keys: Sequence[str]) -> list[Judgement]:
    script = Script(now=_NOW)
    for each in keys:
        script.add("create", value=each)
    return script.answers


def test_keys_of_another_form_do_not_count_for_the_bits_that_vary() -> None:
    """Of a few keys many bits are the same by chance."""
    dice = random.Random(5)
    few = [f"{dice.getrandbits(128):032x}" for _ in range(8)]
    others = [base64.urlsafe_b64encode(dice.randbytes(24)).decode() for _ in range(ENOUGH)]
    assert find_pattern(few, [], _NOW, _NOW) is not None
    assert predictable(_created([*few, *others])) is None
    constant = [f"{dice.getrandbits(64):032x}" for _ in range(ENOUGH)]
    assert predictable(_created([*constant[:-1], *others])) is None
    assert predictable(_created([*constant, *others])) is not None
    # Keys that are given again are for T1.
    assert predictable(_created(few * ENOUGH)) is None


@pytest.mark.parametrize("place", range(_COUNT))
def test_one_key_out_of_order_and_there_is_no_order(place: int) -> None:
    dice = random.Random(place)
    keys = [f"{index:04x}{dice.getrandbits(112):028x}" for index in range(1, _COUNT + 1)]
    assert "only ever rise" in str(look(keys))
    assert "only ever fall" in str(look(keys[::-1]))
    keys[place] = ("0000" if place else "ffff") + keys[place][4:]
    assert look(keys) is None


@pytest.mark.parametrize(("distinct", "found"), [(5, False), (6, True), (12, True)])
def test_a_stretch_that_hardly_changes_is_a_constant(distinct: int, found: bool) -> None:
    dice = random.Random(distinct)
    keys = [f"{index * distinct // 12:04x}{dice.getrandbits(112):028x}" for index in range(12)]
    assert len({key[:4] for key in keys}) == distinct
    assert ("only ever rise" in str(look(keys))) is found


@pytest.mark.parametrize(("before", "found"), [(86_400, True), (86_401, False), (-86_400, True), (-86_401, False)])
@pytest.mark.parametrize("down", [False, True])
def test_a_clock_may_be_a_day_off(before: int, found: bool, down: bool) -> None:
    dice = random.Random(before)
    moment = 1_790_000_000
    stamp = 2**32 - 1 - (moment - before) if down else moment - before
    keys = [f"{stamp:08x}{dice.getrandbits(96):024x}" for _ in range(_COUNT)]
    assert ("the time of issue" in str(find_pattern(keys, [], moment, moment))) is found


@pytest.mark.parametrize(
    ("stretch", "found"),
    [("0123456789ab", True), ("0123456789a", False), ("000111222333", False), ("000111222334", True)],
)
@pytest.mark.parametrize("at_the_end", [False, True])
def test_digits_that_two_keys_share(stretch: str, found: bool, at_the_end: bool) -> None:
    dice = random.Random(stretch)
    keys = [_uuid4(dice) for _ in range(_COUNT)]
    for place in (4, 9):
        rest = keys[place][len(stretch) :]
        keys[place] = rest + stretch if at_the_end else stretch + rest
    assert look(keys, []) == (f"two keys share {len(stretch)} digits in a row" if found else None)


@pytest.mark.parametrize(("first", "candidates"), [(True, {T9, T1}), (False, {T9})])
def test_keys_that_are_given_again_are_not_new_either(first: bool, candidates: set[str]) -> None:
    keys = [f"{index:032x}" for index in range(1_000, 1_000 + _COUNT)]
    found = predictable(_created([*keys, keys[0]] if first else keys))
    assert found is not None
    assert found.candidates == candidates


def test_keys_that_are_credentials_are_not_new_either() -> None:
    keys = [f"{index:032x}" for index in range(1_000, 1_000 + _COUNT)]
    made = _created(keys)
    made[3] = replace(
        made[3],
        exchange=replace(made[3].exchange, intent=replace(made[3].exchange.intent, credential=keys[7])),
    )
    found = predictable(made)
    assert found is not None
    assert found.candidates == {T9, T1}


@pytest.mark.parametrize(("concurrent", "candidates"), [(0, {T9}), (1, {T9, T8}), (_COUNT, {T9, T8})])
def test_concurrent_creates_may_mix_two_keys(concurrent: int, candidates: set[str]) -> None:
    dice = random.Random(concurrent)
    keys = [_uuid4(dice) for _ in range(_COUNT - 1)]
    script = Script(now=_NOW)
    for index, each in enumerate([*keys, keys[4][:16] + keys[9][16:]]):
        script.add("create", value=each, group=int(index >= _COUNT - concurrent))
    found = predictable(script.answers)
    assert found is not None
    assert found.candidates == candidates
    # The last one, and of those before it a few.
    last = script.answers[_COUNT - 1 - concurrent % _COUNT]
    assert found.answer is last
    assert len(found.context) == 2


@pytest.mark.parametrize("apart", ["account", "style"])
def test_a_sequence_of_one_account_or_of_one_style(apart: str) -> None:
    """Somebody else's random keys come between its own."""
    dice = random.Random(apart)
    script = Script(now=_NOW)
    for index in range(3):
        script.add("create", value=f"{dice.getrandbits(128):032x}")
        account, style = ("other_owner", "get-query") if apart == "account" else ("owner", "post-json")
        script.add("create", account, value=f"{0x51E55A100BAD5EED51E55A100BAD5EED + index:032x}", style=style)
    found = predictable(script.answers)
    assert found is not None
    assert found.got == "three keys in a row are the same number apart"
    assert predictable(script.answers[:-1]) is None


def test_of_two_keys_one_may_follow_from_the_other() -> None:
    dice = random.Random(3)
    key = _uuid4(dice)
    assert predictable(_created([key, _md5(key)])) is not None
    assert predictable(_created([_md5(key), _md5(key)])) is None
    assert predictable(_created([key])) is None


def test_what_keys_are_compared_with_can_be_made_before_there_are_any(monkeypatch: pytest.MonkeyPatch) -> None:
    started = _NOW - _LENGTH
    for kept in (predictability._digests_of_numbers, predictability._digests_in_second):
        kept.cache_clear()
    # A piece for each second of which a clock may be, so that nobody waits long for one; and the small numbers.
    assert len(list(predictability.preparing(started))) == 6
    made: list[str] = []
    plain = predictability._digests_of

    def noted(texts: Iterable[str]) -> frozenset[bytes]:
        given = list(texts)
        made.extend(given)
        return plain(given)

    monkeypatch.setattr(predictability, "_digests_of", noted)
    dice = random.Random(4)
    assert look([_uuid4(dice) for _ in range(_COUNT)]) is None
    seconds = {text[:-3] for text in made if len(text) == 13}
    assert seconds == {str(int(started) + later) for later in range(3, 6)}
    assert "1999" not in made
