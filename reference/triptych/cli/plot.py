"""``triptych plot``: the graph of a model as a picture."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from triptych.errors import UsageError

DESCRIPTION = """\
Draw the graph of the model at PATH: a box for each input, call of a layer and output, with type, output shape and parameters, blue where
there are weights and dashed where they are frozen; nested models are drawn inside their layers' boxes. Long graphs are folded into columns.
The same model gives the same SVG; a PNG needs resvg-py: pip install 'triptych[png]'.

examples:
  triptych plot my_model.keras -o graph.svg           text that can be searched and selected; the whole of a name is in its tooltip
  triptych plot my_model.h5 -o graph.png --depth 0    each nested model as one box

exit status: 0 drawn, 1 the model is invalid, 2 wrong usage (there is no architecture to draw), 3 could not tell
"""


def add(commands: Any) -> None:
    """Add this command's grammar."""
    parser = commands.add_parser(
        "plot", help="draw the graph as SVG or PNG", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("path", metavar="PATH", type=Path)
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, required=True, help="what to write: .svg or .png")
    parser.add_argument("--depth", type=int, default=1, help="levels of nested models to draw; 0: each is one box (default: %(default)s)")
    parser.add_argument("-f", "--force", action="store_true", help="replace FILE if it exists")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Draw it."""
    from triptych.surface.opening import load
    from triptych.surface.picture import write_picture

    if arguments.output.exists() and not arguments.force:
        raise UsageError(f"expected no file at {str(arguments.output)!r}, one is there; --force replaces it")
    write_picture(load(arguments.path), arguments.output, depth=arguments.depth, overwrite=arguments.force)
    return 0
