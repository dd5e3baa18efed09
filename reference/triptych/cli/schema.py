"""``triptych schema``: the packaged JSON Schemas."""

from __future__ import annotations

import argparse
from typing import Any

from triptych import resources
from triptych.errors import UsageError

SUFFIX = ".schema.json"


def add(commands: Any) -> None:
    """Add this command's grammar."""
    parser = commands.add_parser(
        "schema",
        help="print a packaged JSON Schema, or list their names",
        description="Print the JSON Schema called NAME, such as architecture or layers/Dense; without NAME, list them all.",
    )
    parser.add_argument("name", metavar="NAME", nargs="?")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print a schema or the list of names."""
    folder = resources.root() / "schemas" / "1.0"
    names = sorted(str(path.relative_to(folder).as_posix()).removesuffix(SUFFIX) for path in folder.rglob(f"*{SUFFIX}"))
    if arguments.name is None:
        print("\n".join(names))
        return 0
    if arguments.name not in names:
        close = ", ".join(name for name in names if arguments.name.lower() in name.lower())
        raise UsageError(f"expected the name of a schema, got {arguments.name!r}; " + (f"did you mean {close}?" if close else "'triptych schema' lists them"))
    print(resources.read_text(f"schemas/1.0/{arguments.name}{SUFFIX}"), end="")
    return 0
