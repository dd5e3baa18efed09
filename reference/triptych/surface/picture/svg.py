"""A laid out picture as SVG: one text, the same for the same model, that neither fetches nor runs anything."""

from __future__ import annotations

from html import escape

from triptych.surface.picture.boxes import Box, printable
from triptych.surface.picture.layout import LINE, PADDING, Layout, Line, Placed

MARGIN = 16.0
FONT = "'DejaVu Sans Mono', Menlo, Consolas, 'Liberation Mono', monospace"
FILLS = {"weights": ("#dbeafe", "#3b6fb5"), "plain": ("#f1f1ee", "#8a8a84"), "end": ("#dcf2e1", "#4a9161"), "nested": ("#fbf8f1", "#a98a4d")}
"""Fill and border by kind of box: light enough for dark text, borders that are seen on white and on black."""
ARROW = "#808080"
INK = "#1c1c1c"


def as_svg(layout: Layout, title: str, description: str, *, background: str | None = None) -> str:
    """`layout` as a document of SVG 1.1."""
    width, height = layout.width + 2 * MARGIN, layout.height + 2 * MARGIN
    size = f'width="{_number(width)}" height="{_number(height)}" viewBox="0 0 {_number(width)} {_number(height)}"'
    marker = 'id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title description" font-family="{FONT}" font-size="11">',
        f'<title id="title">{_text(title)}</title>',
        f'<desc id="description">{_text(description)}</desc>',
        f'<defs><marker {marker}><path d="M0 0L8 4L0 8z" fill="{ARROW}"/></marker></defs>',
    ]
    if background is not None:
        parts.append(f'<rect class="background" width="100%" height="100%" fill="{escape(background)}"/>')
    _graph(layout, MARGIN, MARGIN, "b", parts)
    return "\n".join([*parts, "</svg>", ""])


def _graph(layout: Layout, x: float, y: float, prefix: str, parts: list[str]) -> None:
    parts += [_line(line, x, y, prefix) for line in layout.lines]
    for index, placed in enumerate(layout.placed):
        _box(placed, x, y, f"{prefix}{index}", parts)


def _box(placed: Placed, x: float, y: float, name: str, parts: list[str]) -> None:
    box = placed.box
    left, top = x + placed.x, y + placed.y
    fill, border = FILLS[box.kind]
    dashes = ' stroke-dasharray="4 3"' if box.is_frozen else ""
    radius = 13 if box.kind == "end" else 4
    place = f'x="{_number(left)}" y="{_number(top)}" width="{_number(placed.width)}" height="{_number(placed.height)}"'
    parts += [
        f'<g id="{name}" class="box {box.kind}">',
        f"<title>{_text(box.tooltip)}</title>",
        f'<rect {place} rx="{radius}" fill="{fill}" stroke="{border}"{dashes}/>',
        *_lines_of(box, left + placed.width / 2, top),
    ]
    if placed.inside is not None:
        inset = (placed.width - placed.inside.width) / 2
        _graph(placed.inside, left + inset, top + placed.height - PADDING - placed.inside.height, f"{name}-", parts)
    parts.append("</g>")


def _lines_of(box: Box, middle: float, top: float) -> list[str]:
    written = []
    for index, line in enumerate(box.lines):
        weight = ' font-weight="bold"' if index == 0 else ""
        baseline = top + PADDING - 2 + index * LINE + 11
        written.append(f'<text x="{_number(middle)}" y="{_number(baseline)}" text-anchor="middle" fill="{INK}"{weight}>{_text(line)}</text>')
    return written


def _line(line: Line, x: float, y: float, prefix: str) -> str:
    path = "".join(command + " ".join(f"{_number(x + one)} {_number(y + two)}" for one, two in points) for command, points in line.path)
    target = "" if line.target is None else f' data-to="{prefix}{line.target}" marker-end="url(#head)"'
    return f'<path class="arrow" data-from="{prefix}{line.source}"{target} d="{path}" fill="none" stroke="{ARROW}" stroke-width="1.3"/>'


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _text(text: str) -> str:
    return escape(printable(text), quote=True)
