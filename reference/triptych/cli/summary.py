"""``triptych summary``: what is in a model, as a table."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from triptych.errors import UsageError


def add(commands: Any) -> None:
    """Add this command's grammar."""
    parser = commands.add_parser(
        "summary",
        help="print layers, output shapes and parameter counts",
        description="Print the layers of the model at PATH with output shapes and parameter counts; without an architecture, its tensors. "
        "With --for, print what a framework makes of each layer, the optimizer and each loss instead: exact, bounded or inexpressible.",
    )
    parser.add_argument("path", metavar="PATH", type=Path)
    parser.add_argument("--width", type=int, help="columns to use (default: the terminal's)")
    parser.add_argument("--for", dest="framework", choices=("keras", "keras2", "keras3", "torch", "jax", "flax"), help="what a framework makes of it")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="of the verdicts of --for (default: %(default)s)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the table."""
    from triptych.cli.notes import notes_of
    from triptych.surface.opening import load

    model = load(arguments.path)
    if arguments.framework is not None:
        from triptych.cli import verdicts

        print(verdicts.as_json(model, arguments.framework) if arguments.format == "json" else verdicts.as_text(model, arguments.framework))
        return 0
    if arguments.format == "json":
        raise UsageError("expected --for FRAMEWORK beside --format json")
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
    for note in notes_of(model):
        print(f"Note: {note}")
    return 0
