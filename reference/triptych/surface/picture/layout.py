"""Where everything in a picture stands: boxes in rows, rows in columns that are about as tall as they are wide, arrows around the boxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from triptych.surface.picture.boxes import Box, Drawing, columns
from triptych.surface.picture.ranks import Ranked, ranked

CHARACTER = 6.7
"""Width of one column of text at 11 pixels in the widest of the fonts that are asked for."""
LINE = 15.0
PADDING = 9.0
GAP = 26.0
"""Between neighbours in a row."""
PASSING = 10.0
"""Width of the way of an arrow that passes a row."""
DROP = 30.0
"""Between rows; more where arrows go far to the side."""
LANE = 9.0
"""Between arrows that go from the foot of a column to the head of the next."""
TALLEST = 1500.0
"""Height from which a graph is folded into columns."""
ROUNDS = 10

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Placed:
    """A box and where its upper left corner and its size are."""

    box: Box
    x: float
    y: float
    width: float
    height: float
    inside: Layout | None = None
    """Its own graph; places in it count from the corner of this box."""


@dataclass(frozen=True, slots=True)
class Line:
    """A part of an arrow: straight lines and curves between points."""

    source: int
    target: int | None
    """The box at its head; None for a part that several arrows share."""
    path: tuple[tuple[str, tuple[Point, ...]], ...]
    """Commands of SVG (M, L, C) with their points."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A drawing with every place."""

    width: float
    height: float
    placed: tuple[Placed, ...]
    """In the order of the drawing's boxes."""
    lines: tuple[Line, ...]


def laid_out(drawing: Drawing) -> Layout:
    """`drawing` with a place for everything; the same drawing has the same places."""
    inner = [laid_out(box.inside) if box.inside is not None else None for box in drawing.boxes]
    sizes = [_size(box, inside) for box, inside in zip(drawing.boxes, inner, strict=True)]
    graph = ranked(len(drawing.boxes), drawing.arrows)
    widths = [sizes[point][0] if point < len(sizes) else PASSING for point in range(len(graph.rank))]
    centres = _centres(graph, widths, len(sizes))
    return _folded(drawing, graph, sizes, inner, centres=centres, widths=widths)


def head(box: Box) -> float:
    """Height of the text of a box."""
    return len(box.lines) * LINE + 2 * PADDING - 4


def _size(box: Box, inside: Layout | None) -> Point:
    width = max(columns(line) for line in box.lines) * CHARACTER + 2 * PADDING
    if inside is None:
        return width, head(box)
    return max(width, inside.width + 2 * PADDING), head(box) + inside.height + 2 * PADDING


def _centres(graph: Ranked, widths: Sequence[float], boxes: int) -> list[float]:
    """The middle of each point: near its neighbours, without overlap, long arrows as straight as can be."""
    centres = [0.0] * len(widths)
    offsets: dict[int, float] = {}
    for row in graph.rows:
        edge = 0.0
        for before, point in zip((None, *row), row, strict=False):
            if before is not None:
                narrow = before >= boxes and point >= boxes
                edge += (widths[before] + widths[point]) / 2 + (2.0 if narrow else GAP)
            offsets[point] = edge
        for point in row:
            centres[point] = offsets[point] - edge / 2

    def force(one: int, two: int) -> float:
        return (1.0, 2.0, 8.0)[(one >= boxes) + (two >= boxes)]

    for sweep in range(ROUNDS):
        down = sweep % 2 == 0
        for row in graph.rows if down else reversed(graph.rows):
            wanted, weights = [], []
            for point in row:
                joined = graph.above[point] if down else graph.below[point]
                pull = sum(force(point, one) for one in joined)
                goal = sum(force(point, one) * centres[one] for one in joined) / pull if pull else centres[point]
                wanted.append(goal - offsets[point])
                weights.append(pull or 0.1)
            for point, place in zip(row, _rising(wanted, weights), strict=True):
                centres[point] = place + offsets[point]
    return centres


def _rising(wanted: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The numbers that never fall and are nearest to `wanted` by weighted squares (pool adjacent violators)."""
    pools: list[tuple[float, float, int]] = []
    for goal, weight in zip(wanted, weights, strict=True):
        pool = (goal, weight, 1)
        while pools and pools[-1][0] > pool[0]:
            mean, mass, size = pools.pop()
            total = mass + pool[1]
            pool = ((mean * mass + pool[0] * pool[1]) / total, total, size + pool[2])
        pools.append(pool)
    return [mean for mean, _, size in pools for _ in range(size)]


def _folded(
    drawing: Drawing, graph: Ranked, sizes: Sequence[Point], inner: Sequence[Layout | None], *, centres: list[float], widths: Sequence[float]
) -> Layout:
    heights = [max((sizes[point][1] for point in row if point < len(sizes)), default=0.0) for row in graph.rows]
    drops = [_drop(graph, row, centres) for row in graph.rows]
    columns_of_rows = _columns(graph, heights, drops, centres, widths)
    tops: list[float] = [0.0] * len(graph.rows)
    x, lowest = 0.0, 0.0
    lanes: dict[int, tuple[Mapping[int, int], float, float, float]] = {}
    crossing = [_crossing(graph, rows[-1]) for rows in columns_of_rows[:-1]]
    start = max((len(one) * LANE + DROP for one in crossing), default=0.0)
    for number, rows in enumerate(columns_of_rows):
        points = [point for row in rows for point in graph.rows[row]]
        left = min((centres[point] - widths[point] / 2 for point in points), default=0.0)
        right = max((centres[point] + widths[point] / 2 for point in points), default=0.0)
        for point in points:
            centres[point] += x - left
        y = start
        for row in rows:
            tops[row] = y
            y += heights[row] + drops[row]
        foot = y - drops[rows[-1]] if rows else y
        edge = x + right - left
        if number < len(crossing):
            across = sorted(crossing[number], key=lambda point: -centres[point])
            lanes[rows[-1]] = ({point: index for index, point in enumerate(across)}, foot, edge + GAP / 2, start)
            foot += (len(across) + 1) * LANE
            edge += GAP + len(across) * LANE
        lowest = max(lowest, foot)
        x = edge + GAP / 2
    placed = []
    for index, box in enumerate(drawing.boxes):
        row = graph.rank[index]
        width, height = sizes[index]
        y = tops[row] + (heights[row] - height) / 2
        placed.append(Placed(box, centres[index] - width / 2, y, width, height, inner[index]))
    lines = _lines(graph, placed, centres=centres, tops=tops, heights=heights, lanes=lanes)
    return Layout(max(x - GAP / 2, 0.0), lowest, tuple(placed), lines)


def _drop(graph: Ranked, row: Sequence[int], centres: Sequence[float]) -> float:
    """Room under a row: more where arrows go far to the side, so that none is nearly level."""
    far = max((abs(centres[point] - centres[one]) for point in row for one in graph.below[point]), default=0.0)
    return DROP + min(far / 9, 90.0)


def _crossing(graph: Ranked, row: int) -> list[int]:
    return [point for point in graph.rows[row] if graph.below[point]]


def _columns(
    graph: Ranked, heights: Sequence[float], drops: Sequence[float], centres: Sequence[float], widths: Sequence[float]
) -> list[list[int]]:
    """The rows of each column; cut where few arrows go on."""
    count = len(graph.rows)
    total = sum(heights) + sum(drops)
    everywhere = range(len(centres))
    width = max((centres[p] + widths[p] / 2 for p in everywhere), default=0.0) - min((centres[p] - widths[p] / 2 for p in everywhere), default=0.0)
    number = 1
    while total / number > TALLEST and total / number > 0.8 * number * (width + 2 * GAP):
        number += 1
    ends = [0.0]
    for height, drop in zip(heights, drops, strict=True):
        ends.append(ends[-1] + height + drop)
    cuts = [0]
    for part in range(1, number):
        goal, slack = total * part / number, total / number / 6
        near = [row for row in range(cuts[-1] + 1, count) if abs(ends[row] - goal) <= slack]
        if near:
            cuts.append(min(near, key=lambda row: (len(_crossing(graph, row - 1)), abs(ends[row] - goal))))
    return [list(range(one, two)) for one, two in zip(cuts, [*cuts[1:], count], strict=True)]


def _lines(
    graph: Ranked,
    placed: Sequence[Placed],
    *,
    centres: Sequence[float],
    tops: Sequence[float],
    heights: Sequence[float],
    lanes: Mapping[int, tuple[Mapping[int, int], float, float, float]],
) -> tuple[Line, ...]:
    lines = []
    for point in range(len(graph.rank)):
        row = graph.rank[point]
        foot = tops[row] + heights[row]
        for target in graph.below[point]:
            path: list[tuple[str, tuple[Point, ...]]] = []
            x, to = centres[point], centres[target]
            begin = placed[point].y + placed[point].height if point < len(placed) else tops[row]
            path.append(("M", ((x, begin),)))
            if begin < foot:
                path.append(("L", ((x, foot),)))
            below = tops[row + 1]
            if row in lanes:
                index, bottom, gutter, start = lanes[row]
                lane = index[point]
                down, side, up = bottom + (lane + 1) * LANE, gutter + lane * LANE, start - DROP / 2 - (len(index) - 1 - lane) * LANE
                path += [("L", (one,)) for one in ((x, down), (side, down), (side, up), (to, up), (to, below))]
            elif abs(x - to) < 0.5:
                path.append(("L", ((to, below),)))
            else:
                middle = (foot + below) / 2
                path.append(("C", ((x, middle), (to, middle), (to, below))))
            end = placed[target].y if target < len(placed) else tops[row + 1]
            if end > below:
                path.append(("L", ((to, end),)))
            lines.append(Line(graph.origin[point], target if target < len(placed) else None, tuple(path)))
    return tuple(lines)
