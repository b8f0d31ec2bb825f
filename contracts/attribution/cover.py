"""The smallest set of requirements that has a candidate of every anomaly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

from contracts.anomaly import Anomaly
from contracts.ids import T1, T2, T3

#: Sets larger than this are not tried one by one.
_LARGEST = 4
_NEAR = 1e-9
#: Of explanations that are as good, those with these come last.
_LAST = (T2, T1, T3)


def smallest(
    found: Sequence[Anomaly], opportunities: Mapping[str, int]
) -> tuple[frozenset[str], tuple[frozenset[str], ...]]:
    """The smallest set that has a candidate of each anomaly; of equals the one that goes with an anomaly most often."""
    total = Counter(name for each in found for name in each.candidates)
    chosen = {name for each in found if len(each.candidates) == 1 for name in each.candidates}
    left = {each.candidates for each in found if not each.candidates & chosen}
    # A set that holds another one is covered with it.
    left = {each for each in left if not any(other < each for other in left)}
    ties: list[frozenset[str]] = []
    for group in _connected(left):
        best = _covers(group, total, opportunities)
        chosen |= best[0]
        ties += best[1:]
    return frozenset(chosen), tuple(ties)


def without_consequences(found: Sequence[Anomaly], broken: frozenset[str]) -> frozenset[str]:
    """*broken* without what only explains anomalies that follow from another member of it."""
    for name in sorted(broken):
        left = broken - {name}
        alone = [each for each in found if each.candidates & broken == {name}]
        if alone and all(each.follows_from & left for each in alone):
            broken = left
    return broken


def _connected(sets: Iterable[frozenset[str]]) -> list[list[frozenset[str]]]:
    """*sets* in groups that have no member in common."""
    groups: list[tuple[set[str], list[frozenset[str]]]] = []
    for each in sorted(sets, key=sorted):
        touching = [group for group in groups if group[0] & each]
        names = set(each).union(*(group[0] for group in touching))
        members = [each, *(member for group in touching for member in group[1])]
        groups = [group for group in groups if group not in touching]
        groups.append((names, members))
    return [members for _, members in groups]


def _covers(
    group: Sequence[frozenset[str]], total: Mapping[str, int], opportunities: Mapping[str, int]
) -> list[frozenset[str]]:
    """The smallest covers of *group*, the best first; only those that are as good as the best."""
    universe = sorted({name for each in group for name in each})

    def score(names: frozenset[str]) -> float:
        return sum(total[name] / max(1, opportunities.get(name, 0), total[name]) for name in names)

    for size in range(1, min(_LARGEST, len(universe)) + 1):
        covers = [
            frozenset(names) for names in combinations(universe, size) if all(each & set(names) for each in group)
        ]
        if covers:
            best = max(map(score, covers))
            equals = [each for each in covers if score(each) >= best - _NEAR]
            # What few calls could have broken comes first, then the call whose answer was wrong; T3 goes with every read.
            return sorted(
                equals, key=lambda each: ([_LAST.index(name) for name in _LAST if name in each], sorted(each))
            )
    return [_greedy(group, universe)]


def _greedy(group: Sequence[frozenset[str]], universe: Sequence[str]) -> frozenset[str]:
    chosen: set[str] = set()
    left = list(group)
    while left:
        name = max(universe, key=lambda each: (sum(each in one for one in left), each))
        chosen.add(name)
        left = [each for each in left if name not in each]
    return frozenset(chosen)
