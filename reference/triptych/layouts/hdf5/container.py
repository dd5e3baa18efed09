"""Opens an HDF5 file that nobody vouches for: hard links only, known storage only, nothing outside the file, nothing larger than what is stored.

Objects are found by one walk that visits each address once. A dataset becomes a `Tensor`: stored in one piece and as it
is read, it is a view on the mapped file; stored otherwise, libhdf5 reads it when somebody asks.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from triptych import dtypes
from triptych.errors import TriptychError, shorten
from triptych.layouts.hdf5.headers import text_bytes
from triptych.layouts.hdf5.window import Window, mapped
from triptych.layouts.problems import invalid, truncated, unsupported
from triptych.limits import Limits
from triptych.model import Tensor

# A filter that HDF5 would load from a plugin is a program that the file chooses; this switches plugins off, and must
# come before the first import of h5py in the process to have effect.
os.environ.setdefault("HDF5_PLUGIN_PRELOAD", "::")

if TYPE_CHECKING:
    import h5py

OBJECTS = 1_000_000
"""Groups and datasets of one file."""
ATTRIBUTE_BYTES = 64 << 20
"""All attributes that are read of one file."""
EXPANSION = 1100
"""Bytes that one stored byte may become; deflate cannot do more than 1032."""
_SMALL = 64
"""Stored bytes that any dataset is credited with, so that a few fill values need no storage."""
_FILTERS = {1: "deflate", 2: "shuffle", 3: "fletcher32"}


@contextmanager
def hdf5_errors(place: str) -> Iterator[None]:
    """Turns whatever h5py raises on bad bytes into an error of ours at `place`."""
    try:
        yield
    except TriptychError:
        raise
    except (OSError, KeyError, RuntimeError, ValueError, TypeError, OverflowError, MemoryError) as error:
        text = str(error)
        make = truncated if "truncated file" in text else invalid
        raise make(place, f"expected readable HDF5, got {shorten(text, 300)}") from error


class Container:
    """The groups, datasets and attributes of one open HDF5 file, addressed by absolute path."""

    def __init__(self, source: Path | memoryview, limits: Limits) -> None:
        """Open the file at a path, or the one whose bytes `source` is: a member of an archive, say."""
        import h5py

        self._limits = limits
        self._attribute_bytes = 0
        self._last: tuple[Any, str, bool] | None = None
        self.needed = False
        """Whether some tensor is read through libhdf5, so that its file has to stay open."""
        self.kinds: dict[str, str] = {"": "group"}
        """Absolute path without the leading "/" -> ``group`` or ``dataset``, for everything in the file."""
        # A disk that fails says nothing about the file, so that its errors stay what they are.
        self._map = source if isinstance(source, memoryview) else mapped(source)
        with hdf5_errors(""):
            self._window = Window(self._map)
            self._file: h5py.File = h5py.File(self._window, "r")
            try:
                self._check_sizes()
                self._walk()
            except BaseException:
                self._file.close()
                raise

    def _check_sizes(self) -> None:
        if (sizes := self._file.id.get_create_plist().get_sizes()) != (8, 8):
            raise unsupported("", f"expected addresses and lengths of 8 bytes, got {sizes}")

    def _walk(self) -> None:
        import h5py

        identity = self._file.id
        seen = {h5py.h5o.get_info(identity).addr}
        pending = [("", h5py.h5g.open(identity, b"/"))]
        while pending:
            prefix, group = pending.pop()
            links: list[tuple[bytes, int]] = []
            group.links.iterate(lambda name, info, found=links: found.append((name, info.type)), info=True)
            for raw, kind in links:
                name = _utf8(raw, prefix)
                path = f"{prefix}/{name}" if prefix else name
                if kind != h5py.h5l.TYPE_HARD:
                    raise unsupported(f"/{path}", "expected only hard links, got one that points elsewhere by name")
                about = h5py.h5o.get_info(group, raw)
                if about.type == h5py.h5o.TYPE_GROUP:
                    self.kinds[path] = "group"
                    if about.addr not in seen:
                        seen.add(about.addr)
                        pending.append((path, h5py.h5g.open(group, raw)))
                elif about.type == h5py.h5o.TYPE_DATASET:
                    self.kinds[path] = "dataset"
                if len(self.kinds) > OBJECTS:
                    raise unsupported(f"/{prefix}", f"expected at most {OBJECTS:,} objects, got more")

    def close(self) -> None:
        """Close libhdf5's file; tensors that are views on the map stay valid, others cannot be read any more."""
        self._file.close()

    def children(self, group: str) -> list[str]:
        """Names of what lies directly in `group`."""
        start = f"{group}/" if group else ""
        return [path[len(start) :] for path in self.kinds if path and path.startswith(start) and "/" not in path[len(start) :]]

    # --- attributes

    def attribute_names(self, path: str) -> list[str]:
        """Names of the attributes of the object at `path`."""
        import h5py

        with hdf5_errors(f"/{path}"):
            item = h5py.h5o.open(self._file.id, _link(path))
            names: list[bytes] = []
            h5py.h5a.iterate(item, names.append)
            return [_utf8(name, path) for name in names]

    def attribute(self, path: str, name: str) -> Any:
        """The value of attribute `name` as h5py gives it; None if there is none."""
        import h5py

        place = f"/{path}@{name}"
        with hdf5_errors(place):
            item = h5py.h5o.open(self._file.id, _link(path))
            if not h5py.h5a.exists(item, name.encode()):
                return None
            attribute = h5py.h5a.open(item, name.encode())
            if attribute.get_type().get_class() not in (h5py.h5t.STRING, h5py.h5t.INTEGER, h5py.h5t.FLOAT, h5py.h5t.ENUM):
                raise unsupported(place, "expected an attribute of text or numbers")
            self._attribute_bytes += prod(attribute.shape) * attribute.get_type().get_size()
            if attribute.get_type().get_class() == h5py.h5t.STRING and attribute.get_type().is_variable_str():
                base = self._file.id.get_create_plist().get_userblock()
                self._attribute_bytes += text_bytes(self._map, base, h5py.h5o.get_info(item).addr, name.encode())
            if self._attribute_bytes > ATTRIBUTE_BYTES:
                raise unsupported(place, f"expected at most {ATTRIBUTE_BYTES:,} bytes of attributes, got more")
            owner = h5py.Group(item) if isinstance(item, h5py.h5g.GroupID) else h5py.Dataset(item)
            return owner.attrs[name]

    # --- datasets

    def tensor(self, path: str) -> Tensor:
        """The dataset at `path`; its elements are read later."""
        import h5py

        place = f"/{path}"
        if self.kinds.get(path) != "dataset":
            raise invalid(place, "expected a dataset, found none")
        with hdf5_errors(place):
            dataset = h5py.h5d.open(self._file.id, _link(path))
            plan = dataset.get_create_plist()
            if plan.get_external_count():
                raise unsupported(place, "expected data inside the file, got external storage")
            layout = plan.get_layout()
            if layout not in (h5py.h5d.CONTIGUOUS, h5py.h5d.COMPACT, h5py.h5d.CHUNKED):
                raise unsupported(place, "expected data inside the file, got a virtual dataset")
            filters = [plan.get_filter(index)[0] for index in range(plan.get_nfilters())] if layout == h5py.h5d.CHUNKED else []
            if strange := [code for code in filters if code not in _FILTERS]:
                raise unsupported(place, f"expected only the filters {', '.join(_FILTERS.values())}; got number {strange[0]}")
            if dataset.get_space().get_simple_extent_type() == h5py.h5s.NULL:
                raise unsupported(place, "expected an array, got a dataset without extent")
            shape = tuple(int(extent) for extent in dataset.shape)
            name, as_is = self._element(dataset.get_type(), place)
            nbytes = dtypes.nbytes(name, prod(shape))
            stored = dataset.get_storage_size()
            offset = dataset.get_offset() if layout == h5py.h5d.CONTIGUOUS else None
        if len(shape) > self._limits.rank or nbytes > EXPANSION * max(stored, _SMALL):
            raise unsupported(
                place, f"expected an array no larger than what is stored; it declares {nbytes:,} bytes and stores {stored:,}"
            )
        if layout == h5py.h5d.CONTIGUOUS and as_is and offset is not None:
            if offset + nbytes > len(self._map) or stored < nbytes:
                raise truncated(place, f"expected {nbytes:,} bytes at {offset:,}, the file ends at {len(self._map):,}")
            return Tensor(name, shape, _view(self._map[offset : offset + nbytes]))
        return Tensor(name, shape, self._by_library(path, name, nbytes))

    def _element(self, stored: Any, place: str) -> tuple[str, bool]:
        """`_element` of a type; most datasets of a file are of the type of the one before."""
        if self._last is None or self._last[0] != stored:
            self._last = (stored, *_element(stored, place))
        return self._last[1:]

    def _by_library(self, path: str, name: str, nbytes: int) -> Callable[[], memoryview]:
        def read() -> memoryview:
            import h5py
            import numpy as np

            with hdf5_errors(f"/{path}"), self._window.trusted():
                # A type that numpy lacks is read as the bytes it is; every other in this specification's byte order.
                element = dtypes.numpy_dtype(name) if name in dtypes.NATIVE else np.dtype("V2")
                array = np.empty(h5py.Dataset(h5py.h5d.open(self._file.id, _link(path))).shape, element)
                h5py.Dataset(h5py.h5d.open(self._file.id, _link(path))).read_direct(array)
                plain: Any = array.reshape(-1).view(np.uint8)
                return memoryview(plain)

        if not nbytes:
            return lambda: memoryview(b"")
        self.needed = True
        return read


def _view(part: memoryview) -> Callable[[], memoryview]:
    return lambda: part


def _utf8(raw: bytes, place: str) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise invalid(f"/{place}", f"expected names in UTF-8, got {shorten(raw)}") from None


def _link(path: str) -> bytes:
    return b"/" + path.encode()


def _element(stored: Any, place: str) -> tuple[str, bool]:
    """The dtype of a dataset's elements, and whether its bytes are those of the specification as they lie."""
    import h5py

    kind = stored.get_class()
    if kind == h5py.h5t.OPAQUE and stored.get_size() == 2:
        return "bfloat16", True  # what Keras makes of bfloat16; nothing in the file says so
    if kind in (h5py.h5t.INTEGER, h5py.h5t.FLOAT, h5py.h5t.ENUM, h5py.h5t.COMPOUND):
        name = stored.dtype.name
        if name in dtypes.NATIVE:
            return name, stored == h5py.h5t.py_create(dtypes.numpy_dtype(name), logical=True)
    raise unsupported(place, f"expected numbers of a dtype of the specification, got {shorten(str(stored.dtype))}")
