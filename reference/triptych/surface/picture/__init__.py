"""Draws a model: the boxes of its graph, their places, and the picture as SVG or PNG."""

from __future__ import annotations

from pathlib import Path

from triptych.errors import UsageError
from triptych.package.atomic import write_file
from triptych.surface.model import Model
from triptych.surface.picture.boxes import drawing_of
from triptych.surface.picture.layout import laid_out
from triptych.surface.picture.svg import as_svg

__all__ = ["picture_of", "rasterized", "write_picture"]

SUFFIXES = (".svg", ".png")
LONGEST_SIDE = 8_000
"""Pixels of a PNG's longer side beyond which the picture is drawn smaller than twice its size."""
FAMILY = "DejaVu Sans Mono"
"""The font of one width that is taken where a picture names none that is there."""
MISSING = "expected resvg-py to draw a PNG: pip install 'triptych[png]'; a picture in SVG needs nothing"


def picture_of(model: Model, *, depth: int = 1, background: str | None = None) -> str:
    """The graph of `model` as SVG text: inputs at the top, each layer with its type, output shape and parameters.

    Args:
        model: What to draw; a layer that is called several times has a box for each call.
        depth: To how many levels nested models are drawn inside their layers; 0 draws each as one box.
        background: A colour; None leaves the ground as it is, for light and dark pages.

    Raises:
        UsageError: The model has no architecture, or `depth` is negative.
    """
    if depth < 0:
        raise UsageError(f"expected a depth from 0 on, got {depth}")
    architecture = model.architecture
    if architecture is None:
        raise UsageError(f"expected a model with an architecture to draw it, this one has only {model!r}")
    drawing = drawing_of(architecture, model.weights, depth=depth)
    boxes = sum(1 for _ in drawing.walk())
    title = f"Graph of {model.name}" if model.name else "Graph of a model"
    said = f"{boxes} boxes: the inputs at the top, each call of a layer with its type, output shape and parameters, arrows to what takes its value."
    return as_svg(laid_out(drawing), title, said, background=background)


def rasterized(svg: str) -> bytes:
    """`svg` as PNG, twice its size unless that is too large.

    Raises:
        ImportError: resvg-py is not installed.
        UsageError: This machine has no font.
    """
    try:
        import resvg_py
    except ImportError as error:
        raise ImportError(MISSING) from error
    one, two = ('<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20" font-family="monospace">', "</svg>")
    written = resvg_py.svg_to_bytes(svg_string=f'{one}<text y="15">M</text>{two}', monospace_family=FAMILY)
    if written == resvg_py.svg_to_bytes(svg_string=one + two):
        raise UsageError("expected a font of one width on this machine, such as DejaVu Sans Mono, for the text of a PNG; got none")
    sides = [float(svg.partition(f' {name}="')[2].partition('"')[0]) for name in ("width", "height")]
    return bytes(resvg_py.svg_to_bytes(svg_string=svg, zoom=min(2.0, LONGEST_SIDE / max(sides)), monospace_family=FAMILY))


def write_picture(model: Model, path: Path, *, depth: int = 1, overwrite: bool = True) -> None:
    """Write the graph of `model` to `path`, whole or not at all, as its suffix says: ``.svg``, or ``.png`` on white.

    Raises:
        SaveError: The file system refused; what stood at `path` still does.
        UsageError: The suffix is another one, or `overwrite` is false and something stands there; see also `picture_of`.
        ImportError: A PNG was asked for and resvg-py is not installed.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"expected a file of suffix .svg or .png, got {path.name!r}")
    if path.suffix.lower() == ".svg":
        content = picture_of(model, depth=depth).encode()
    else:
        content = rasterized(picture_of(model, depth=depth, background="#ffffff"))
    write_file(path, content, overwrite=overwrite)
