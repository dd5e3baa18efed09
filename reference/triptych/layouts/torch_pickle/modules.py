"""Makes state dictionaries of pickled modules: their parameters and buffers by name, and the names of their classes; nothing of their code."""

from __future__ import annotations

from typing import Any

from triptych.layouts.problems import unsupported
from triptych.layouts.torch_pickle import bounds, refusals
from triptych.layouts.torch_pickle.numpy_values import NumpyType
from triptych.layouts.torch_pickle.unusual import is_tensor
from triptych.layouts.torch_pickle.values import Global, Ordered, Record, StoredTensor, Tagged

_DICTIONARIES = ("argparse.Namespace", "types.SimpleNamespace", "easydict.EasyDict", "munch.Munch", "addict.Dict", "addict.addict.Dict")
"""Classes whose objects are names with values and nothing else, as are those called AttributeDict."""


class Modules:
    """Goes through what a file holds, once."""

    def __init__(self, *, script: bool) -> None:
        self._script = script
        self._visits = 0
        self.classes: dict[str, str] = {}
        """Path of a module -> its class."""
        self.notes: list[str] = []
        """Sentences about what is not kept."""

    def plain(self, value: Any, path: str = "", depth: int = 0) -> Any:
        """`value` with a state dictionary in the place of each module.

        Raises:
            UnsupportedError: An object is neither data nor a module, or there is too much of it.
        """
        self._visits += 1
        if depth > bounds.DEPTH or self._visits > bounds.VALUES:
            raise unsupported(path, f"expected values nested at most {bounds.DEPTH} deep, and {bounds.VALUES:,} of them; got more")
        if isinstance(value, Record):
            return self._object(value, path, depth)
        if isinstance(value, Ordered):
            copy = Ordered(self._pairs(value, path, depth))
            copy.attributes = self.plain(value.attributes, path, depth + 1)
            return copy
        if isinstance(value, dict):
            return dict(self._pairs(value, path, depth))
        if isinstance(value, list | tuple):
            items = [self.plain(item, _below(path, index), depth + 1) for index, item in enumerate(value)]
            return items if isinstance(value, list) else tuple(items)
        if isinstance(value, Tagged) and isinstance(value.value, dict):
            return Tagged(value.kind, self.plain(value.value, path, depth + 1))
        if isinstance(value, Global):
            return _named(value)
        if isinstance(value, NumpyType):
            raise unsupported(path, "expected data, got a numpy dtype")
        return value

    def _pairs(self, value: dict[Any, Any], path: str, depth: int) -> list[tuple[Any, Any]]:
        return [(_plain_key(key, path), self.plain(item, _below(path, key), depth + 1)) for key, item in value.items()]

    def _object(self, value: Record, path: str, depth: int) -> Any:
        state = value.state
        if str(value.kind) in _DICTIONARIES or value.kind.name == "AttributeDict":
            self.notes.append(f"{path or 'the value'}: a {value.kind} is kept as a dictionary")
            pairs = dict(zip(value.items[::2], value.items[1::2], strict=True)) if value.items else state
            return dict(self._pairs(pairs if isinstance(pairs, dict) else {}, path, depth))
        if not self._is_module(value):
            raise unsupported(value.kind.place, f"expected data, got an object of {value.kind}, whose code decides what it is and does when it is made")
        tensors = Ordered()
        self._collect(value, "", tensors, depth)
        self.notes.append(f"{path or 'the model'}: of the module of {value.kind} the state dictionary and the names of classes are kept, its code is not in the file")
        return tensors

    def _is_module(self, value: Record) -> bool:
        state = value.state
        if self._script:
            return isinstance(state, dict)
        return isinstance(state, dict) and all(isinstance(state.get(name), dict) for name in ("_parameters", "_modules"))

    def _collect(self, module: Record, prefix: str, into: Ordered, depth: int) -> None:
        """Put the tensors of `module` and of those in it into `into`, in the order of PyTorch's ``state_dict()``."""
        self._visits += 1
        if depth > bounds.DEPTH or self._visits + len(into) > bounds.VALUES:
            raise unsupported(module.kind.place, f"expected modules nested at most {bounds.DEPTH} deep, and {bounds.VALUES:,} of them; got more")
        self.classes[prefix.removesuffix(".")] = str(module.kind)
        state = module.state
        if self._script:
            own = {name: item for name, item in state.items() if is_tensor(item)}
            inner = {name: item for name, item in state.items() if isinstance(item, Record) and isinstance(item.state, dict)}
        else:
            buffers = state.get("_buffers") if isinstance(state.get("_buffers"), dict) else {}
            fleeting = state.get("_non_persistent_buffers_set")
            own = {**state["_parameters"], **{n: b for n, b in buffers.items() if not isinstance(fleeting, set) or n not in fleeting}}
            inner = state["_modules"]
        for name, item in own.items():
            if item is None:
                continue
            if not is_tensor(item) or not isinstance(name, str):
                raise unsupported(module.kind.place, f"expected a tensor as {prefix}{name} of {module.kind}, got {refusals.brief(item)}")
            into[f"{prefix}{name}"] = _detached(item) if isinstance(item, StoredTensor) else item
        for name, child in inner.items():
            if child is None:
                continue
            if not isinstance(child, Record) or not self._is_module(child) or not isinstance(name, str):
                raise unsupported(module.kind.place, f"expected a module as {prefix}{name} of {module.kind}, got {refusals.brief(child)}")
            self._collect(child, f"{prefix}{name}.", into, depth + 1)


def _detached(tensor: StoredTensor) -> StoredTensor:
    """`tensor` as ``state_dict()`` gives it: a plain one that asks for no gradient."""
    from dataclasses import replace

    return replace(tensor, requires_grad=False, parameter=False)


def _below(path: str, key: Any) -> str:
    name = key if isinstance(key, str) else refusals.brief(key)
    return f"{path}.{name}" if path else name


def _plain_key(key: Any, path: str) -> Any:
    if isinstance(key, Global | Record) or (isinstance(key, tuple) and any(isinstance(item, Global | Record) for item in key)):
        raise unsupported(path, f"expected keys that are text or numbers, got {refusals.brief(key)}")
    return key


def _named(value: Global) -> Tagged:
    from triptych.layouts.torch_pickle import elements

    if value.module == "torch" and value.name in elements.NAMES:
        return Tagged("dtype", elements.canonical(value.name))
    raise unsupported(value.place, f"expected data, got the name {value}, which loading would look up and import")
