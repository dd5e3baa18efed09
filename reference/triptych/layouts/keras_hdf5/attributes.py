"""Keras' text attributes: one string, or a list of names that is split over several attributes when it is long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from triptych.errors import shorten
from triptych.layouts.hdf5 import Container
from triptych.layouts.problems import inexpressible, invalid

if TYPE_CHECKING:
    import h5py

OBJECT_HEADER_BYTES = 64512
"""A list whose names take more, each as long as the longest, is split; HDF5 holds attributes in headers of 64 KiB."""


def read_text(container: Container, path: str, name: str) -> str | None:
    """The text of attribute `name`, written as str or as bytes; None if there is none."""
    value = container.attribute(path, name)
    return None if value is None else _text(value, f"/{path}@{name}")


def read_names(container: Container, path: str, name: str) -> tuple[list[str], bool] | None:
    """The list of names `name`, whole or in parts ``name0``, ``name1`` …, and whether it is of fixed width; None if there is none."""
    whole = container.attribute(path, name)
    if whole is not None:
        return _names(whole, f"/{path}@{name}"), _is_fixed(whole)
    names: list[str] = []
    part = 0
    while (value := container.attribute(path, f"{name}{part}")) is not None:
        names += _names(value, f"/{path}@{name}{part}")
        part += 1
    return (names, False) if part else None


def write_names(group: h5py.Group, name: str, names: list[str], *, fixed: bool) -> None:
    """Write the list `names` as Keras does: in one attribute, or in the fewest even parts that each fit a header.

    Args:
        group: Where to.
        name: Of the attribute.
        names: What to write.
        fixed: Whether a list in one attribute has strings of one width, as h5py 2 wrote them, or of their own.
    """
    import numpy as np

    encoded = [text.encode() for text in names]
    if long := [text for text in encoded if len(text) > OBJECT_HEADER_BYTES]:
        raise inexpressible(name, f"expected names of at most {OBJECT_HEADER_BYTES:,} bytes, got {shorten(long[0])}")
    width = max(map(len, encoded), default=0)
    parts = 1
    while encoded and -(-len(encoded) // parts) * width > OBJECT_HEADER_BYTES:
        parts += 1
    if parts == 1:
        # A string of its own width takes a reference of 16 bytes, so that very many short names fit only at one width.
        fixed = fixed or len(encoded) * 16 > OBJECT_HEADER_BYTES
        group.attrs[name] = np.asarray(encoded, dtype=f"S{max(width, 1)}") if fixed and encoded else encoded
        return
    for index, part in enumerate(np.array_split(np.asarray(encoded), parts)):
        group.attrs[f"{name}{index}"] = part


def _is_fixed(value: Any) -> bool:
    return getattr(getattr(value, "dtype", None), "kind", "") == "S"


def _names(value: Any, place: str) -> list[str]:
    import numpy as np

    if not isinstance(value, np.ndarray) or value.ndim != 1:
        raise invalid(place, f"expected a list of names, got {shorten(value)}")
    if not value.size:
        return []  # Keras writes an empty list as numbers: float64, shape (0,)
    return [_text(item, place) for item in value.tolist()]


def _text(value: Any, place: str) -> str:
    try:
        if isinstance(value, str):
            value.encode()
            return value
        if isinstance(value, bytes):
            return value.decode()
    except UnicodeError:
        pass
    raise invalid(place, f"expected text in UTF-8, got {shorten(value)}")
