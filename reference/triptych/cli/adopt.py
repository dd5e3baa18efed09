"""``triptych adopt``: a folder of weights becomes a package where it lies."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add(commands: Any) -> None:
    """Add this command's grammar."""
    parser = commands.add_parser(
        "adopt",
        help="make a package of a hub's folder in place",
        description="Add manifest.json to FOLDER, a model hub's folder of safetensors (model.safetensors, or shards with "
        "model.safetensors.index.json): it is a Triptych package then, with a digest for every tensor and every other file. "
        "No other byte is written; what reads the folder now goes on reading it.",
    )
    parser.add_argument("folder", metavar="FOLDER", type=Path)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Adopt and say what the package holds."""
    from triptych.layouts.hub.adoption import adopt

    panels = adopt(arguments.folder)
    tensors = panels.weights.tensors if panels.weights is not None else {}
    print(f"{arguments.folder}: Triptych package, {len(tensors)} tensors, {sum(t.nbytes for t in tensors.values()):,} bytes, none of them moved")
    return 0
