"""Puts the boxes of a drawing in ranks, each in an order that crosses few arrows, with the places where long arrows pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

SWEEPS = 12


@dataclass(frozen=True, slots=True)
class Ranked:
    """Points in ranks. The first points are the boxes, the others are where a long arrow passes a rank."""

    rank: tuple[int, ...]
    """Of each point."""
    rows: tuple[tuple[int, ...], ...]
    """The points of each rank from left to right."""
    above: tuple[tuple[int, ...], ...]
    """Of each point, those of the rank before it that it is joined to."""
    below: tuple[tuple[int, ...], ...]
    origin: tuple[int, ...]
    """Of each point, the box that it is or whose arrows it carries: all arrows of a box share one way as far as they go."""


def ranked(count: int, arrows: Sequence[tuple[int, int]]) -> Ranked:
    """`count` boxes in ranks by the longest way to each; `arrows` lead to later boxes."""
    before: list[list[int]] = [[] for _ in range(count)]
    after: list[list[int]] = [[] for _ in range(count)]
    for one, two in arrows:
        before[two].append(one)
        after[one].append(two)
    rank = [0] * count
    for box in range(count):
        rank[box] = max((rank[one] + 1 for one in before[box]), default=0)
    for box in range(count):
        if not before[box] and after[box]:
            # A source stands right above what takes it first, not at the top.
            rank[box] = min(rank[two] for two in after[box]) - 1
    origin = list(range(count))
    above: list[list[int]] = [[] for _ in range(count)]
    below: list[list[int]] = [[] for _ in range(count)]
    for box in range(count):
        way = box
        for target in sorted(after[box], key=lambda one: (rank[one], one)):
            while rank[way] < rank[target] - 1:
                origin.append(box)
                rank.append(rank[way] + 1)
                above.append([way])
                below.append([])
                below[way].append(len(rank) - 1)
                way = len(rank) - 1
            below[way].append(target)
            above[target].append(way)
    rows: list[list[int]] = [[] for _ in range(max(rank, default=-1) + 1)]
    for point in range(len(rank)):
        rows[rank[point]].append(point)
    for row in rows:
        row.sort(key=lambda point: (origin[point], point))
    ordered = _ordered(rows, above, below)
    return Ranked(tuple(rank), tuple(map(tuple, ordered)), tuple(map(tuple, above)), tuple(map(tuple, below)), tuple(origin))


def _ordered(rows: list[list[int]], above: list[list[int]], below: list[list[int]]) -> list[list[int]]:
    """`rows` with each in the order of the mean place of its neighbours, swept down and up; the best of all sweeps."""
    place = [0.0] * len(above)
    for row in rows:
        _place(row, place)
    best, fewest = [list(row) for row in rows], _crossings(rows, above)
    for sweep in range(SWEEPS):
        if not fewest:
            break
        down = sweep % 2 == 0
        for row in rows if down else reversed(rows):
            joined = above if down else below
            mean = {point: sum(place[one] for one in joined[point]) / len(joined[point]) if joined[point] else place[point] for point in row}
            row.sort(key=mean.__getitem__)
            _place(row, place)
        if (count := _crossings(rows, above)) < fewest:
            best, fewest = [list(row) for row in rows], count
    return best


def _place(row: list[int], place: list[float]) -> None:
    # Between 0 and 1, so that rows of unlike length are compared by where in the row a point stands.
    for index, point in enumerate(row):
        place[point] = (index + 0.5) / len(row)


def _crossings(rows: list[list[int]], above: list[list[int]]) -> int:
    """How many pairs of lines cross between neighbouring ranks."""
    total = 0
    for upper, lower in pairwise(rows):
        at = {point: index for index, point in enumerate(upper)}
        ends = [end for point in lower for end in sorted(at[one] for one in above[point])]
        tree = [0] * (len(upper) + 1)
        for number, end in enumerate(ends):
            passed, index = 0, end + 1
            while index:
                passed += tree[index]
                index -= index & -index
            total += number - passed
            index = end + 1
            while index < len(tree):
                tree[index] += 1
                index += index & -index
    return total
