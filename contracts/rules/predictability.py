"""Whether keys can be predicted: a sequence, a clock, or too little that varies (facts T9)."""

from __future__ import annotations

import hashlib
import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from itertools import pairwise

from contracts.anomaly import Anomaly
from contracts.ids import T1, T8, T9
from contracts.judge import Judgement

_DIGITS = re.compile("[0-9a-f]{32}")
#: Fewer keys than this say too little.
ENOUGH = 40
#: Of the 128 bits of a key at least so many must vary. A random UUID has 122.
BITS = 96
#: Fewer keys in a known order than this may rise by chance.
_ORDERED = 12
_WINDOW = 4
#: So many keys are looked at before the others are.
_FIRST = 5
#: So many of some sixty random keys look like a clock in one place once in some million runs.
_SOME = 3
#: How far a clock in a key may be from ours, in seconds.
_DRIFT = 86_400
_UNITS = (1, 10**3, 10**6, 10**9)
_SMALL = 2_000
_FEW = 60
#: Digits in a row that two of some fifty random keys share by chance once in a thousand million runs, and of which a run of
#: zeros is none.
_STRETCH = 12
_PLAIN = 4
#: Seconds that a clock may be off whose digests are looked for, and seconds in whose milliseconds they are.
_SKEW = 2
_LONGEST = 30
#: Creates that are shown of those that follow a pattern.
_SHOWN = 3


def find_pattern(
    keys: Sequence[str], chains: Sequence[Sequence[str]], started: float, ended: float, others: Sequence[str] = ()
) -> str | None:
    """What makes *keys* predictable, in words that show none of them, or None.

    Each of *chains* holds keys that were issued one after the other, in that order: those of all accounts, those of
    one, and those of one style. All were issued between the epoch seconds *started* and *ended*. *others* are the
    credentials they were issued to.
    """
    return _pattern(tuple(keys), tuple(map(tuple, chains)), started, ended, tuple(others))


@lru_cache(maxsize=1)
def _pattern(
    keys: Sequence[str], chains: Sequence[Sequence[str]], started: float, ended: float, others: Sequence[str]
) -> str | None:
    """The same, once for the same keys: a test asks, and whoever explains the whole run."""
    usable = _comparable(keys)
    if len(usable) < 2:
        return None
    for chain in chains:
        in_order = _comparable(chain)
        pattern = _rising(in_order) or _steps(in_order)
        if pattern is not None:
            return pattern
    return (
        _clock(usable, started, ended)
        or _digest(usable, started, ended, others)
        or _few_bits(usable)
        or _shared(usable, others)
    )


def is_comparable(key: str) -> bool:
    """Whether *key* has 32 hexadecimal digits, in either letter case, with or without dashes, so that its bits can be compared."""
    return bool(_comparable([key]))


def _comparable(keys: Iterable[str]) -> list[str]:
    """The digits of those of *keys* that have 32 of them."""
    plain = (key.lower().replace("-", "") for key in keys)
    return [key for key in plain if _DIGITS.fullmatch(key)]


def _shared(keys: Sequence[str], others: Sequence[str]) -> str | None:
    """A stretch of digits that one key shares with another, at whatever place, or with a credential."""
    # Digits that are the same in every key are not counted here: how many may be is for the bits that vary.
    varying = [len({key[place] for key in keys}) > 1 for place in range(32)]
    seen: dict[str, str] = {}
    for key in keys:
        for stretch in _stretches(key, varying):
            if seen.setdefault(stretch, key) != key:
                return f"two keys share {_STRETCH} digits in a row"
    if any(stretch in seen for other in others for stretch in _stretches(other.lower(), [True] * len(other))):
        return f"a key and a credential share {_STRETCH} digits in a row"
    return None


def _stretches(text: str, counted: Sequence[bool]) -> Iterator[str]:
    for start in range(len(text) - _STRETCH + 1):
        stretch = text[start : start + _STRETCH]
        if len(set(stretch)) > _PLAIN and all(counted[start : start + _STRETCH]):
            yield stretch


def _few_bits(keys: Sequence[str]) -> str | None:
    """Bits that vary. One that is always what another one is, or always what it is not, adds nothing to it."""
    numbers = [int(key, 16) for key in keys]
    columns = [sum((number >> place & 1) << row for row, number in enumerate(numbers)) for place in range(128)]
    everywhere = (1 << len(numbers)) - 1
    varying = [column for column in columns if column not in (0, everywhere)]
    count = len({min(column, column ^ everywhere) for column in varying})
    if count >= BITS:
        return None
    if count == len(varying):
        return f"only {count} of 128 bits vary over {len(keys)} keys"
    return f"only {count} of 128 bits vary independently of each other over {len(keys)} keys"


def _rising(chain: Sequence[str]) -> str | None:
    """A stretch of digits that only ever rises, or only ever falls, from key to key: a counter, or a clock."""
    if len(chain) < _ORDERED:
        return None
    stretches = ((start, width) for width in (32, 16, 12, 8, _WINDOW) for start in range(32 - width + 1))
    for start, width in stretches:
        for read in (_as_hexadecimal, _as_little_endian):
            # Most are seen to be in no order by the first few.
            if _in_order([read(key[start : start + width]) for key in chain[:_FIRST]]):
                order = _order([read(key[start : start + width]) for key in chain], start, width)
                if order is not None:
                    return order
    return None


def _as_hexadecimal(digits: str) -> int:
    return int(digits, 16)


def _as_little_endian(digits: str) -> int:
    return int.from_bytes(bytes.fromhex(digits), "little")


def _in_order(series: Sequence[int]) -> bool:
    """Whether *series* only ever rises, or only ever falls; one in equal steps does either."""
    return list(series) in (sorted(series), sorted(series, reverse=True))


def _steps(chain: Sequence[str]) -> str | None:
    """A rule by which each of several keys in a row, or a half of each, follows from the one before it.

    A number is added, or it is multiplied, too. Keys that are given again follow a rule of another kind (T1).
    """
    for start, width in ((0, 32), (0, 16), (16, 16)):
        rule = _rule([int(key[start : start + width], 16) for key in chain], 16**width)
        if rule is not None:
            return rule if width == 32 else f"{rule}, in digits {start + 1} to {start + width}"
    return None


def _rule(numbers: Sequence[int], modulus: int) -> str | None:
    """The same for *numbers* below *modulus*, a power of two."""
    for three in zip(numbers, numbers[1:], numbers[2:], strict=False):
        one, two = (later - earlier for earlier, later in pairwise(three))
        if len(set(three)) == 3 and (two - one) % modulus == 0:
            return "three keys in a row are the same number apart"
    for four in zip(numbers, numbers[1:], numbers[2:], numbers[3:], strict=False):
        one, two, last = (later - earlier for earlier, later in pairwise(four))
        # An odd number divides all others, modulo a power of two.
        if len(set(four)) == 4 and one % 2 and (last - two * pow(one, -1, modulus) * two) % modulus == 0:
            return "of four keys in a row each follows from the ones before it"
    return None


def _order(series: Sequence[int], start: int, width: int) -> str | None:
    """The order of the numbers that the *width* digits from *start* on are, or None."""
    steps = [later - earlier for earlier, later in pairwise(series)]
    # Ties are a slow clock; but a stretch that never changes is a constant and no clock.
    changes = len(set(series)) >= max(3, _ORDERED // 2)
    rises = all(step >= 0 for step in steps)
    place = f"in digits {start + 1} to {start + width}"
    if changes and (rises or all(step <= 0 for step in steps)):
        where = "as a whole" if width == 32 else place
        return f"{where}, keys only ever {'rise' if rises else 'fall'} in the order of issue"
    return None


def _clock(keys: Sequence[str], started: float, ended: float) -> str | None:
    """The time of issue, in hexadecimal or decimal digits, in seconds to nanoseconds, or counted down from the largest number.

    A few keys that have it in one place are enough: one way to create may have a generator of its own.
    """
    different = set(keys)
    # Numbers of one width are in the order of their digits.
    ends = [sorted(key[start:] for key in different) for start in range(32)]
    for form, least, most, unit in _times(started - _DRIFT, ended + _DRIFT):
        width = len(least)
        for start, end in enumerate(ends[: 32 - width + 1]):
            found = _how_many_begin(end, least, most, form)
            if found >= min(_SOME, len(different)):
                whose = "every key" if found == len(different) else f"some keys ({found} of {len(different)})"
                return f"digits {start + 1} to {start + width} of {whose} are the time of issue in {unit}"
    return None


def _how_many_begin(ends: Sequence[str], least: str, most: str, form: str) -> int:
    """How many of the sorted *ends* of keys begin with a number from *least* to *most*, of digits of this *form*."""
    found = ends[bisect_left(ends, least) : bisect_right(ends, f"{most}~")]
    if form == "d":
        return sum(digits[: len(least)].isdigit() for digits in found)
    return len(found)


def _times(low: float, high: float) -> Iterator[tuple[str, str, str, str]]:
    """The times from *low* to *high* as clocks have them: hexadecimal or decimal, the first, the last, and the unit."""
    for unit, name in zip(_UNITS, ("seconds", "milliseconds", "microseconds", "nanoseconds"), strict=True):
        first, last = math.ceil(low * unit), int(high * unit)
        for form, base in (("x", 16), ("d", 10)):
            width = len(format(last, form))
            largest = base**width - 1
            for least, most, said in ((first, last, ""), (largest - last, largest - first, ", counted down")):
                yield form, format(least, f"0{width}{form}"), format(most, f"0{width}{form}"), f"{name}{said}"


def preparing(now: float) -> Iterator[None]:
    """Make what the keys of a run that begins *now* are compared with, piece by piece; each takes some milliseconds.

    What is not made beforehand is made when the keys are looked at.
    """
    for second in range(int(now) - _SKEW, int(now) + _SKEW + 1):
        _digests_in_second(second)
        yield
    _digests_of_numbers(range(_SMALL))
    yield


@cache
def _digests_of_numbers(numbers: range) -> frozenset[bytes]:
    return _digests_of(str(number) for number in numbers)


@lru_cache(maxsize=_LONGEST)
def _digests_in_second(second: int) -> frozenset[bytes]:
    return _digests_of(str(number) for number in range(second * 1000, (second + 1) * 1000))


def _digests_of(texts: Iterable[str]) -> frozenset[bytes]:
    """The first and the last 16 bytes of the digests of *texts*, by each algorithm."""
    found = []
    for text in texts:
        data = text.encode()
        found.append(hashlib.md5(data, usedforsecurity=False).digest())
        for digest in (hashlib.sha1(data, usedforsecurity=False).digest(), hashlib.sha256(data).digest()):
            found += (digest[:16], digest[-16:])
    return frozenset(found)


def _digest(keys: Sequence[str], started: float, ended: float, others: Sequence[str]) -> str | None:
    """Digests of what is known or can be guessed, such as a number, the time, a credential: they look random and are not."""
    values = {bytes.fromhex(key) for key in keys}
    for digests, name in _known_digests(keys, range(int(started) - _SKEW, int(ended) + _SKEW + 1), others):
        if not digests.isdisjoint(values):
            return f"a key is a digest (MD5, SHA-1 or SHA-256) of {name}"
    return None


def _known_digests(
    keys: Sequence[str], seconds: range, others: Sequence[str]
) -> Iterator[tuple[frozenset[bytes], str]]:
    yield _digests_of_numbers(range(_SMALL)), "a small number"
    yield _digests_of_numbers(seconds), "its second"
    for second in seconds[:_LONGEST]:
        yield _digests_in_second(second), "its millisecond"
    yield _digests_of(keys), "another key"
    yield _digests_of_credentials(tuple(others), seconds), "a credential, by itself or with a number or the second"


@lru_cache(maxsize=2)
def _digests_of_credentials(others: Sequence[str], seconds: range) -> frozenset[bytes]:
    counted = [str(number) for number in (*range(_FEW), *seconds[:_LONGEST])]
    with_credential = (each for one in others for two in counted for each in (one + two, f"{one}:{two}", two + one))
    return _digests_of((*others, *with_credential))


# ---------------------------------------------------------------------- a whole run


def predictable(answers: Sequence[Judgement]) -> Anomaly | None:
    """What makes the keys that *answers* gave predictable (T9), or None; also where there are too few to say.

    A message that only counts bits takes ``ENOUGH`` keys.
    """
    created = [each for each in answers if _gave_a_key(each)]
    keys = [each.key or "" for each in created]
    if len(set(keys)) < 2:
        return None
    # A key that is given again says nothing more of the bits that vary.
    enough = len(_comparable(set(keys))) >= ENOUGH
    alone = [each for each in created if not each.exchange.intent.group]
    credentials = [each.exchange.intent.credential or "" for each in answers if each.exchange.intent.valid]
    started, ended = created[0].exchange.time, created[-1].exchange.time
    pattern = find_pattern(keys, _chains(alone), started, ended, list(dict.fromkeys(filter(None, credentials))))
    if pattern is None or (not enough and "bits vary" in pattern):
        return None
    expected = f"no order, no clock, and at least {BITS} of 128 bits that vary"
    # Concurrent creates that get into each other's way may make one key of two.
    mixed = {T8} if "share" in pattern and len(alone) < len(created) else set()
    if len(set(keys)) < len(keys) or not set(keys).isdisjoint(credentials):
        # Keys that are given again, or are the caller's own hash, are not new, whatever else they are.
        mixed.add(T1)
    # A few in a row of one account show an order; those of concurrent calls show none.
    in_a_row = [each for each in alone if each.exchange.intent.account == alone[-1].exchange.intent.account]
    *before, last = (in_a_row or created)[-_SHOWN:]
    candidates = frozenset({T9, *mixed})
    return Anomaly(candidates, last, expected, pattern, f"{len(keys)} keys of this run", tuple(reversed(before)))


def _gave_a_key(answer: Judgement) -> bool:
    """Whether *answer* gave a key to a documented create with a good credential."""
    intent = answer.exchange.intent
    return answer.key is not None and intent.valid and intent.operation == "create" and not intent.free_form


def _chains(creates: Iterable[Judgement]) -> list[list[str]]:
    """The keys of *creates* in their order: of all, of each account and of each style, for each may have a sequence of its own."""
    chains: dict[object, list[str]] = {}
    for each in creates:
        for chain in ("all", ("account", each.exchange.intent.account), ("style", each.exchange.intent.style)):
            chains.setdefault(chain, []).append(each.key or "")
    return list(chains.values())
