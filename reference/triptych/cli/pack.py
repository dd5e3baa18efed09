"""``triptych pack`` and ``triptych unpack``: one form of a package becomes the other, every member as it is."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from triptych.errors import UsageError

PACK = """\
Write the package in FOLDER as one file, ARCHIVE. No member changes by a byte, so digests, the model's identity and a signature
of the folder hold for what unpack makes of it again. The package is verified first, down to its last byte.

example:
  triptych pack my_model my_model.triptych

exit status: 0 written, 1 the package is invalid, 2 wrong usage, 3 it could not be read
"""
UNPACK = """\
Write the package in the file ARCHIVE as a folder, FOLDER. No member changes by a byte: a signature that was made of a folder before
it was packed holds for this one. (Other programs that unpack ZIP files leave the file mimetype in the folder, which was not signed with it.)

example:
  triptych unpack my_model.triptych my_model

exit status: 0 written, 1 the package is invalid, 2 wrong usage, 3 it could not be read
"""


def add(commands: Any) -> None:
    """Add the grammar of both commands."""
    for name, source, target, words, description in (
        ("pack", "FOLDER", "ARCHIVE", "make one file of a package in a folder, byte by byte", PACK),
        ("unpack", "ARCHIVE", "FOLDER", "make a folder of a package in one file, byte by byte", UNPACK),
    ):
        parser = commands.add_parser(name, help=words, description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument("source", metavar=source, type=Path)
        parser.add_argument("target", metavar=target, type=Path)
        parser.add_argument("-f", "--force", action="store_true", help=f"replace {target} if it exists")
        parser.add_argument("-q", "--quiet", action="store_true", help="show no progress")
        parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the other form."""
    from triptych.cli.console import progress
    from triptych.layouts import own, recognise
    from triptych.package.repack import repack

    source, target, packs = arguments.source, arguments.target, arguments.command == "pack"
    source.stat()  # what is not there is not of a wrong kind
    if recognise(source) is not own.LAYOUT:
        raise UsageError(f"expected a Triptych package, got {str(source)!r}, which is none; triptych convert makes one of another layout")
    if source.is_dir() != packs:
        raise UsageError(f"expected {'a folder' if packs else 'an archive'}, got {str(source)!r}, which triptych {'un' if packs else ''}pack takes")
    if target.exists() and not arguments.force:
        raise UsageError(f"expected nothing at {str(target)!r}, something is there; --force replaces it")
    with progress(f"{source.name} → {target.name}", quiet=arguments.quiet) as report:
        repack(source, target, form="archive" if packs else "directory", progress=report, overwrite=arguments.force)
    print(f"{target}: {source} with every member as it was")
    return 0
