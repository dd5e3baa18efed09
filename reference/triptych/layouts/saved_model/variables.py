"""The values of a SavedModel's variables: objects on one side, keys of the checkpoint beside them on the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from triptych.errors import shorten
from triptych.layouts.problems import mismatch, unsupported
from triptych.layouts.saved_model.folder import VARIABLES, Folder
from triptych.layouts.saved_model.objects import Objects, paired
from triptych.layouts.tensorflow import element_types
from triptych.layouts.tensorflow.bundle import open_bundle
from triptych.layouts.tensorflow.object_graph import KEY, read_graph
from triptych.limits import Limits
from triptych.model import Panels, Tensor

if TYPE_CHECKING:
    from triptych.layouts.tensorflow.bundle import Bundle


class Variables:
    """What the variables of one model hold; each is read when it is used."""

    def __init__(self, objects: Objects, bundle: Bundle | None) -> None:
        self.objects = objects
        self._bundle = bundle
        self.keys: Sequence[str] = () if bundle is None else [key for key in bundle.keys if key != KEY]
        """Of all that is stored, but for the graph of objects."""
        self._there = frozenset(self.keys)
        self._left = dict.fromkeys(self.keys)
        self._dropped: set[int] = set()

    def has(self, number: int) -> bool:
        """Whether object `number` is a variable whose value is stored."""
        return self.objects.keys.get(number) in self._there and number not in self._dropped

    def checksum(self, number: int) -> int | None:
        """The checksum of the value of a variable; None if it has none of its own."""
        assert self._bundle is not None
        return self._bundle.checksum_of(self.objects.keys[number])

    def shape(self, number: int) -> tuple[int, ...]:
        """The extents of the value of a variable."""
        assert self._bundle is not None
        return self._bundle.shape_of(self.objects.keys[number])

    def tensor(self, number: int) -> Tensor:
        """The value of a variable, which is then no longer among those that are left.

        Raises:
            UnsupportedError: It has a dtype that is none of the specification.
        """
        return self.take(self.objects.keys[number])

    def take(self, key: str) -> Tensor:
        """What is stored under `key`, which is then no longer among those that are left."""
        assert self._bundle is not None
        self._left.pop(key, None)
        return self._bundle.tensor(key)

    def is_readable(self, key: str) -> bool:
        """Whether what is stored under `key` is a tensor of the specification."""
        return self._bundle is not None and element_types.is_readable(self._bundle.dtype_of(key))

    def elements(self, key: str) -> list[bytes] | list[int] | None:
        """The strings or integers under `key`, which are then no longer among what is left; None where neither are."""
        if self._bundle is None or key not in self._bundle:
            return None
        dtype = self._bundle.dtype_of(key)
        if dtype == "string":
            self._left.pop(key, None)
            return list(self._bundle.strings(key))
        return [int(one) for one in self.take(key).array().reshape(-1)] if dtype in ("int32", "int64") else None

    def as_checkpoint(self, limits: Limits) -> Panels:
        """What is stored, as the panels of the checkpoint that it is; nothing is left then.

        Raises:
            InvalidModelError: The checkpoint is damaged.
            UnsupportedError: It exceeds a limit.
        """
        from triptych.layouts.tf_checkpoint.reader import panels_of

        assert self._bundle is not None
        self._left.clear()
        return panels_of(self._bundle, limits=limits)

    def drop(self, number: int) -> None:
        """Forget a variable whose value another has, too."""
        self._dropped.add(number)
        self._left.pop(self.objects.keys[number], None)

    def shape_of(self, key: str) -> tuple[int, ...]:
        """The extents of what is stored under `key`."""
        assert self._bundle is not None
        return self._bundle.shape_of(key)

    def dtype(self, key: str) -> str:
        """The dtype of what is stored under `key`: one of the specification, ``string``, or another of TensorFlow."""
        assert self._bundle is not None
        return self._bundle.dtype_of(key)

    @property
    def left(self) -> list[str]:
        """The keys that nobody has asked for."""
        return list(self._left)


def read_variables(folder: Folder, objects: Objects, limits: Limits) -> Variables:
    """The variables in `folder` with their values; without any where the model has none.

    Raises:
        InvalidModelError: The checkpoint is damaged.
        UnsupportedError: It exceeds a limit.
    """
    if f"{VARIABLES}.index" not in folder.files:
        shards = [name for name in folder.files if name.startswith(f"{VARIABLES}.data-")]
        if shards:
            raise mismatch(f"{VARIABLES}.index", f"expected an index beside {shorten(shards[0])}, there is none")
        return Variables(objects, None)
    bundle = open_bundle(folder.path / VARIABLES, limits=limits)
    if KEY not in bundle:
        return Variables(objects, bundle)
    held = bundle.strings(KEY)
    if len(held) != 1:
        raise unsupported(KEY, f"expected one graph of objects, got {len(held)}")
    graph = read_graph(held[0], f"{VARIABLES}.index, {KEY}", limits=limits)
    objects = paired(objects, graph)
    keys = {number: key for number, key in objects.keys.items() if key in bundle}
    return Variables(replace(objects, keys=keys), bundle)


__all__ = ["Variables", "read_variables"]
