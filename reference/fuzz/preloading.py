"""Imports what parsers import where they need it, so that any import while one runs is somebody else's idea."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from functools import cache
from pathlib import Path

import triptych

_LIVE = ("triptych.frameworks", "triptych.keras", "triptych.__main__", "triptych.cli", "triptych.vocabulary.generate")
_LAZY = ("encodings.ascii", "encodings.cp437", "encodings.idna", "encodings.utf_16", "encodings.utf_32", "encodings.latin_1", "encodings.utf_16_le", "encodings.utf_16_be", "encodings.utf_32_le", "encodings.utf_32_be", "encodings.utf_8_sig", "importlib.metadata")
"""What libraries import when they need it."""


@cache
def preload() -> None:
    """Import every module of the reference and every module that one names in a function, where it is installed."""
    names = {one.name for one in pkgutil.walk_packages(triptych.__path__, "triptych.", onerror=lambda _: None)}
    for name in sorted(one for one in names if not one.startswith(_LIVE)):
        importlib.import_module(name)
    wanted = set(_LAZY)
    for path in Path(triptych.__path__[0]).rglob("*.py"):
        if not {"frameworks", "cli"} & set(path.parts):
            wanted.update(_named(ast.parse(path.read_text())))
    for name in sorted(wanted):
        try:
            importlib.import_module(name)
        except ImportError:
            continue


def _named(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.update({node.module, *(f"{node.module}.{one.name}" for one in node.names)})
    return {one for one in found if one.partition(".")[0] not in ("keras", "tf_keras", "tensorflow", "torch", "jax")}
