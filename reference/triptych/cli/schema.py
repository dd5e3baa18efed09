"""``triptych schema``: the packaged JSON Schemas."""

from __future__ import annotations

import argparse
from typing import Any

from triptych import resources
from triptych.errors import UsageError

SUFFIX = ".schema.json"
FOLDERS = {"": "schemas/1.0", "reports/": "schemas/reports"}
"""Beginning of a name -> where the schemas are that it stands for: documents of the format, and what commands print."""
DESCRIPTION = """\
Print the JSON Schema called NAME; without NAME, list them all. Those of documents and of the configuration of each type are of the
format; reports/validate, reports/verify and reports/diff are of what these commands print with --format json.

examples:
  triptych schema                    all names
  triptych schema architecture       of the architecture document
  triptych schema layers/Dense       of the configuration of a layer
  triptych schema reports/validate   of the report of triptych validate --format json
"""


def add(commands: Any) -> None:
    """Add this command's grammar."""
    parser = commands.add_parser(
        "schema",
        help="print a packaged JSON Schema, or list their names",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", metavar="NAME", nargs="?")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print a schema or the list of names."""
    files = {
        f"{start}{path.relative_to(resources.root() / folder).as_posix().removesuffix(SUFFIX)}": path
        for start, folder in FOLDERS.items()
        for path in (resources.root() / folder).rglob(f"*{SUFFIX}")
    }
    names = sorted(files)
    if arguments.name is None:
        print("\n".join(names))
        return 0
    if arguments.name not in names:
        close = ", ".join(name for name in names if arguments.name.lower() in name.lower())
        raise UsageError(f"expected the name of a schema, got {arguments.name!r}; " + (f"did you mean {close}?" if close else "'triptych schema' lists them"))
    print(files[arguments.name].read_text(encoding="utf-8"), end="")
    return 0
