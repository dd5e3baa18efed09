"""Looks at HDF5 files with h5py: every dataset, and the attributes that hold text."""

from __future__ import annotations

import importlib
import io
import zipfile
from typing import Any

from triptych_conformance._spelling import spelled

Json = Any


def readers(_: str) -> Any:
    """The module that reads.

    Raises:
        ImportError: It is not installed.
    """
    return importlib.import_module("h5py")


def _text(value: Json) -> Json:
    """An attribute as text or a list of texts; of other kinds, its shape and dtype."""
    if isinstance(value, bytes | str):
        return value.decode() if isinstance(value, bytes) else value
    if value.dtype.kind in "SO":
        return [_text(one) for one in value.ravel().tolist()]
    return [] if value.size == 0 else f"{value.dtype.str}{list(value.shape)}"


def _source(request: dict[str, Json]) -> Any:
    """What is opened: the file, or a member of it where it is an archive."""
    if "member" not in request:
        return request["path"]
    with zipfile.ZipFile(request["path"]) as archive:
        return io.BytesIO(archive.read(request["member"]))


def look(h5py: Any, request: dict[str, Json]) -> dict[str, Json]:
    """Every dataset of the file by its path, and the attributes of each group that has some; no link leads elsewhere."""
    datasets: dict[str, Json] = {}
    attributes: dict[str, Json] = {}

    def walk(group: Any, at: str) -> None:
        if group.attrs:
            attributes[at or "/"] = {name: _text(group.attrs[name]) for name in sorted(group.attrs)}
        for name in sorted(group):
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise TypeError(f"{at}/{name} is a link that leads elsewhere")
            item = group[name]
            if isinstance(item, h5py.Group):
                walk(item, f"{at}/{name}")
            else:
                datasets[f"{at}/{name}"] = _dataset(item)
                if item.attrs:
                    attributes[f"{at}/{name}"] = {key: _text(item.attrs[key]) for key in sorted(item.attrs)}

    with h5py.File(_source(request), "r") as file:
        walk(file, "")
    return {"datasets": datasets, "attributes": attributes}


def _dataset(item: Any) -> Json:
    array = item[()]
    if item.dtype.kind == "V":  # opaque: bfloat16, which HDF5 has no type for
        return {**spelled(array.view("<u2")), "dtype": f"opaque{item.dtype.itemsize}", "shape": list(item.shape)}
    return {**spelled(array), "dtype": item.dtype.name if item.dtype.byteorder != ">" else f"{item.dtype.name}, big-endian"}
