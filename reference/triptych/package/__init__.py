"""Packages on disk: a folder or an archive with the three panels, read lazily, written whole or not at all."""

from triptych.package.atomic import replace_file
from triptych.package.files import FileSystem
from triptych.package.read import read_package, validate_package
from triptych.package.write import write_package

__all__ = ["LAYOUT_NAME", "FileSystem", "read_package", "replace_file", "validate_package", "write_package"]

LAYOUT_NAME = "triptych"
"""What a caller says to choose the package among the layouts."""
