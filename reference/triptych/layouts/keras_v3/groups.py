"""The variables of an object-path weights file: one group for each object, one dataset for each index in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from triptych.errors import shorten
from triptych.layouts.hdf5 import Container
from triptych.layouts.keras_weights.probing import VARS
from triptych.layouts.numerals import is_position
from triptych.layouts.problems import invalid
from triptych.model import Tensor

_DEPENDENCIES = "_layer_checkpoint_dependencies"
"""What TensorFlow 2.12 called ``layers``."""


@dataclass(slots=True)
class Group:
    """The variables of one object."""

    name: str | None = None
    """Of the object, as Keras says it since version 3.6."""
    tensors: dict[str, Tensor] = field(default_factory=dict)
    """By key: an index in decimal digits, but for classes that choose keys of their own."""

    def in_order(self) -> list[Tensor] | None:
        """The variables by index; None if the keys are no indices from 0 on."""
        order = [self.tensors.get(str(index)) for index in range(len(self.tensors))]
        return None if None in order else [tensor for tensor in order if tensor is not None]


@dataclass(slots=True)
class Groups:
    """The groups of a weights file, or of all shards of one, by path without ``/vars``."""

    by_path: dict[str, Group] = field(default_factory=dict)
    not_read: list[str] = field(default_factory=list)
    """Places in the file that mean nothing to this reader."""
    counts_twice: bool = False
    """Whether TensorFlow 2.12 or 2.13 numbered the paths."""
    says_bfloat16: bool = True
    """Whether arrays of two bytes of no kind say that they are bfloat16."""

    def add(self, container: Container) -> None:
        """Take the groups of one file; those of a path that another file has too are joined.

        Raises:
            InvalidModelError: A variable is there twice.
        """
        for path, kind in container.kinds.items():
            *parents, last = path.split("/")
            self.counts_twice |= bool(parents) and parents[0].startswith(_DEPENDENCIES)
            if kind == "group" and last == VARS:
                name = container.attribute(path, "name")
                group = self.by_path.setdefault(_canonical(parents), Group())
                group.name = name if isinstance(name, str) else group.name
            elif kind == "dataset":
                if parents[-1:] != [VARS]:
                    self.not_read.append(f"/{path}")
                    continue
                group = self.by_path.setdefault(_canonical(parents[:-1]), Group())
                if last in group.tensors:
                    raise invalid(f"/{path}", f"expected each variable in one file, got {shorten(last)} in two")
                group.tensors[last] = tensor = container.tensor(path)
                if tensor.dtype == "bfloat16" and container.attribute(path, "dtype") is None:
                    self.says_bfloat16 = False

    def below(self, path: str) -> Iterator[tuple[str, Group]]:
        """The groups at `path` and below it, with what leads there from `path`."""
        start = f"{path}/" if path else ""
        for found, group in self.by_path.items():
            if found == path:
                yield "", group
            elif found.startswith(start):
                yield found[len(start) :], group

    def guarded(self, check: object) -> Groups:
        """The same groups, whose tensors call `check` before they are read."""
        assert callable(check)

        def guard(tensor: Tensor) -> Tensor:
            def read() -> memoryview:
                check()
                return tensor.read()

            return replace(tensor, read=read)

        kept = {
            path: Group(group.name, {key: guard(tensor) for key, tensor in group.tensors.items()}) for path, group in self.by_path.items()
        }
        return replace(self, by_path=kept)


def _canonical(parts: Iterable[str]) -> str:
    """A path as Keras 3 writes it today: Windows wrote backslashes, TensorFlow 2.12 another word for ``layers``."""
    whole = "/".join(parts).replace("\\", "/")
    return "/".join("layers" if part == _DEPENDENCIES else part for part in whole.split("/"))


def variable_name(path: str, key: str) -> str:
    """The path of one variable in the file: what a tensor without another name is called."""
    return f"{path}/{VARS}/{key}" if path else f"{VARS}/{key}"


def split_variable(name: str) -> tuple[str, str] | None:
    """Path and key of the variable that `variable_name` made `name` of; None if it is none."""
    path, slash, key = name.rpartition("/")
    if not slash or not key:
        return None
    if path == VARS:
        return "", key
    return (path[: -len(VARS) - 1], key) if path.endswith(f"/{VARS}") else None


def index_order(key: str) -> tuple[bool, int, str]:
    """Sorts keys: indices by number, then others by text."""
    return not key.isdecimal(), int(key) if is_position(key) else 0, key


__all__ = ["VARS", "Group", "Groups", "index_order", "split_variable", "variable_name"]
