"""``triptych summary``: what is in a model, as a table."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add(commands: Any) -> None:
    """Add this command's grammar."""
    parser = commands.add_parser(
        "summary",
        help="print layers, output shapes and parameter counts",
        description="Print the layers of the model at PATH with output shapes and parameter counts; without an architecture, its tensors.",
    )
    parser.add_argument("path", metavar="PATH", type=Path)
    parser.add_argument("--width", type=int, help="columns to use (default: the terminal's)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the table."""
    from triptych.surface.opening import load

    model = load(arguments.path)
    if model.architecture is not None:
        model.summary(width=arguments.width)
    elif model.weights is not None:
        tensors = model.weights.tensors
        width = max((len(name) for name in tensors), default=0)
        for name, tensor in tensors.items():
            print(f"{name:{width}}  {tensor.dtype:10}  {list(tensor.shape)}")
        print(f"{len(tensors)} tensors, {sum(t.size for t in tensors.values()):,} elements, {sum(t.nbytes for t in tensors.values()):,} bytes")
    else:
        print("no architecture and no weights")
    if model.training is not None and (optimizer := model.training.optimizer) is not None:
        step = model.training.progress.step if model.training.progress else None
        print(f"Optimizer: {optimizer.type}" + (f", step {step:,}" if step is not None else ""))
    return 0
