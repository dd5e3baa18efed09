"""Tells an HDF5 file of object paths from all others, by its root and its groups."""

from __future__ import annotations

from pathlib import Path

from triptych.errors import TriptychError
from triptych.layouts.hdf5 import Container
from triptych.limits import DEFAULT_LIMITS

SIGNATURE = b"\x89HDF\r\n\x1a\n"
VARS = "vars"
"""The group in which Keras 3 puts the variables of one object."""
_LEGACY = ("layer_names", "layer_names0", "model_config")


def is_object_paths(path: Path) -> bool:
    """Whether the HDF5 file at `path` holds groups ``…/vars`` and says nothing that only Keras' older layout says."""
    try:
        container = Container(path, DEFAULT_LIMITS)
    except (TriptychError, OSError):
        return False
    try:
        if "model_weights" in container.kinds or any(container.attribute("", name) is not None for name in _LEGACY):
            return False
        return any(path == VARS or path.endswith(f"/{VARS}") for path, kind in container.kinds.items() if kind == "group")
    except TriptychError:
        return False
    finally:
        container.close()


__all__ = ["SIGNATURE", "VARS", "is_object_paths"]
