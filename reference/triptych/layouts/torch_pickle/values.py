"""What a file's pickles become here: plain data, and these few kinds of our own for what plain data cannot say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Global:
    """A name in a module, which nothing looks up."""

    module: str
    name: str
    place: str
    """Where in the file it was named."""

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Global) and (self.module, self.name) == (other.module, other.name)

    def __hash__(self) -> int:
        return hash((self.module, self.name))


@dataclass(slots=True, eq=False)
class Record:
    """An object of a class that means nothing here: its state as data."""

    kind: Global
    state: Any = None
    items: list[Any] = field(default_factory=list)
    """What was appended to it or set in it."""


class Ordered(dict[Any, Any]):
    """A ``collections.OrderedDict`` with its attributes, such as ``_metadata``."""

    __slots__ = ("attributes",)

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.attributes: Any = None


@dataclass(frozen=True, slots=True, eq=False)
class Tagged:
    """A value of a kind that JSON has not: ``size``, ``dtype``, ``device``, ``set`` and others."""

    kind: str
    value: Any


@dataclass(frozen=True, slots=True, eq=False)
class Storage:
    """A run of elements of one dtype, somewhere in the file."""

    key: str
    kind: str
    """Its class without ``Storage``: ``Float``, ``Untyped``."""
    elements: int
    offset: int = 0
    """Elements before it in the storage of this key; other than 0 for views of storages, as the legacy form has them."""


@dataclass(frozen=True, slots=True, eq=False)
class StoredTensor:
    """A tensor as the file describes it: a view on a storage, counted in elements."""

    storage: Storage
    dtype: str
    """PyTorch's name without ``torch.``: ``float32``."""
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    place: str
    requires_grad: bool = False
    parameter: bool = False
    conjugate: bool = False
    negative: bool = False

    @property
    def identity(self) -> tuple[object, ...]:
        """Equal for two tensors that are the same elements of the same storage."""
        at = self.storage.offset + self.offset
        return self.storage.key, self.dtype, at, self.shape, self.strides, self.conjugate, self.negative
