"""Finds the packaged data: schemas, error registry, specification sentences; from the wheel or from a checkout."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def root() -> Path:
    """The folder that holds ``schemas/`` and ``spec/``."""
    packaged = Path(__file__).parent / "_data"
    return packaged if packaged.is_dir() else Path(__file__).parents[2]


def read_text(name: str) -> str:
    """The text of the packaged file `name`, such as ``spec/errors.toml``.

    Raises:
        FileNotFoundError: No such file is packaged.
    """
    return (root() / name).read_text(encoding="utf-8")
