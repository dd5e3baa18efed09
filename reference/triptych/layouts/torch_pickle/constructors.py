"""The allow-list: which names a file may call, each with the constructor of ours that stands for it. Whatever is not here is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from triptych.layouts.problems import invalid, unsupported
from triptych.layouts.torch_pickle import elements, refusals, unusual
from triptych.layouts.torch_pickle.machine import Constructor
from triptych.layouts.torch_pickle.numpy_values import NUMPY, build_numpy
from triptych.layouts.torch_pickle.values import Global, Ordered, Record, Storage, StoredTensor, Tagged

_Arguments = tuple[Any, ...]


def _expect(arguments: _Arguments, place: str, what: str, *kinds: Any, least: int | None = None) -> _Arguments:
    """`arguments`, if they are of `kinds`, one after the other; at least `least` of them, further ones of any kind."""
    enough = len(kinds) if least is None else least
    if len(arguments) < enough or not all(isinstance(a, k) for a, k in zip(arguments, kinds, strict=False)):
        raise invalid(place, f"expected {what}, got ({', '.join(map(refusals.brief, arguments))})")
    return arguments


# --- collections

def _ordered(arguments: _Arguments, place: str) -> Ordered:
    if not arguments:
        return Ordered()
    (pairs,) = _expect(arguments, place, "a list of pairs", list | tuple)[:1]
    if not all(isinstance(pair, list | tuple) and len(pair) == 2 and isinstance(pair[0], str | int | float | bytes) for pair in pairs):
        raise invalid(place, "expected pairs of a plain key and a value")
    return Ordered(pairs)


def _counter(arguments: _Arguments, place: str) -> Tagged:
    (counts,) = _expect(arguments or ({},), place, "a dictionary of counts", dict)
    return Tagged("Counter", counts)


def _default_dict(arguments: _Arguments, place: str) -> dict[Any, Any]:
    _expect(arguments, place, "the name of a class", Global | None, least=0)
    return {}


def _set(arguments: _Arguments, place: str) -> set[Any]:
    (items,) = _expect(arguments or ([],), place, "a list of plain values", list | tuple)[:1]
    if not all(isinstance(item, str | int | float | bytes | bool | None) for item in items):
        raise invalid(place, "expected a set of plain values")
    return set(items)


def _listed(arguments: _Arguments, place: str) -> list[Any]:
    return list(_expect(arguments, place, "a list", list | tuple)[0])


def _complex(arguments: _Arguments, place: str) -> Tagged:
    return Tagged("complex", list(_expect(arguments, place, "two numbers", int | float, int | float)[:2]))


def _bytes(arguments: _Arguments, place: str) -> bytes:
    if not arguments:
        return b""
    text, encoding = (*_expect(arguments, place, "text and its encoding", str | bytes, str, least=1), "latin1")[:2]
    if isinstance(text, bytes) or not isinstance(text, str):
        return bytes(text)
    if encoding not in ("latin1", "latin-1", "utf-8", "utf8", "ascii"):
        raise invalid(place, f"expected the encoding latin1 or utf-8, got {refusals.brief(encoding)}")
    try:
        return text.encode(encoding)
    except UnicodeEncodeError:
        raise invalid(place, f"expected text that {encoding} can encode") from None


def _record(module: str, name: str) -> Constructor:
    return lambda _, place: Record(Global(module, name, place))


def _path(arguments: _Arguments, place: str) -> str:
    if not all(isinstance(part, str) for part in arguments):
        raise invalid(place, f"expected the parts of a path, got ({', '.join(map(refusals.brief, arguments))})")
    return "/".join(part.rstrip("/\\") if index < len(arguments) - 1 else part for index, part in enumerate(arguments))


def _deque(arguments: _Arguments, place: str) -> list[Any]:
    return list(_expect(arguments or ((),), place, "the items of a queue", list | tuple)[0])


def _reconstruct(arguments: _Arguments, place: str) -> Any:
    kind, base = _expect(arguments, place, "a class, its base and its state", Global, Global, object)[:2]
    if str(base) not in ("builtins.object", "__builtin__.object"):
        raise unsupported(place, f"expected an object made of its state, got one of {kind} that is also a {base}")
    return Record(Global(kind.module, kind.name, place))


# --- PyTorch

def _size(arguments: _Arguments, place: str) -> Tagged:
    return Tagged("size", list(integers(_expect(arguments, place, "a tuple of integers", tuple | list)[0], place)))


def _device(arguments: _Arguments, place: str) -> Tagged:
    return Tagged("device", list(_expect(arguments, place, "the name of a device", str, int, least=1)[:2]))


def _layout(arguments: _Arguments, place: str) -> Tagged:
    return Tagged("layout", _expect(arguments, place, "the name of a layout", str)[0])


def integers(value: Any, place: str) -> tuple[int, ...]:
    """`value` as integers from 0: a shape or strides."""
    if isinstance(value, Tagged) and value.kind == "size":
        value = value.value
    if not isinstance(value, tuple | list) or not all(isinstance(n, int) and not isinstance(n, bool) and 0 <= n < 2**63 for n in value):
        raise invalid(place, f"expected integers from 0, got {refusals.brief(value)}")
    return tuple(value)


def _dense(arguments: _Arguments, place: str) -> StoredTensor:
    storage, offset, shape, strides, *rest = _expect(
        arguments, place, "a storage, an offset, a shape and strides", Storage, int, tuple | list | Tagged, tuple | list | Tagged
    )
    return _made(storage, elements.dtype_of_storage(storage.kind), (offset, shape, strides, rest[0] if rest else False), rest[2] if len(rest) > 2 else None, place)


def _tensor(arguments: _Arguments, place: str) -> StoredTensor | Tagged:
    return _of_known_dtype(_dense(arguments, place))


def _of_known_dtype(tensor: StoredTensor) -> StoredTensor | Tagged:
    return unusual.pairs(tensor) if tensor.dtype in unusual.PAIRS else tensor


def _typed_tensor(arguments: _Arguments, place: str) -> StoredTensor | Tagged:
    storage, offset, shape, strides, requires_grad, _, dtype, *rest = _expect(
        arguments, place, "a storage, an offset, a shape, strides and a dtype", Storage, int, object, object, object, object, object
    )
    if not isinstance(dtype, Global) or dtype.module != "torch" or dtype.name not in elements.NAMES:
        raise unsupported(place, f"expected a dtype, got {refusals.brief(dtype)}")
    return _of_known_dtype(_made(storage, elements.canonical(dtype.name), (offset, shape, strides, requires_grad), rest[0] if rest else None, place))


def _made(storage: Storage, dtype: str, view: tuple[Any, Any, Any, Any], about: Any, place: str) -> StoredTensor:
    offset, shape, strides, requires_grad = view
    if isinstance(offset, bool) or offset < 0:
        raise invalid(place, f"expected an offset from 0, got {refusals.brief(offset)}")
    said = about if isinstance(about, dict) else {}
    shape, strides = integers(shape, place), integers(strides, place)
    if len(shape) != len(strides):
        raise invalid(place, f"expected a stride for each of {len(shape)} axes, got {len(strides)}")
    return StoredTensor(
        storage, dtype, offset, shape, strides, place,
        requires_grad=requires_grad is True, conjugate=said.get("conj") is True, negative=said.get("neg") is True,
    )  # fmt: skip


def _parameter(arguments: _Arguments, place: str) -> StoredTensor:
    data, requires_grad, *_ = (*_expect(arguments, place, "a tensor", StoredTensor, least=1), True)
    return _with(data, requires_grad=requires_grad is True, parameter=True)


def _with(tensor: StoredTensor, **changes: Any) -> StoredTensor:
    from dataclasses import replace

    return replace(tensor, **changes)


def _of_type(arguments: _Arguments, place: str) -> Any:
    """A tensor with attributes, or of a class derived from it: the tensor."""
    function, kind, inner = _expect(arguments, place, "a function, a class and arguments", Global, Global, tuple)[:3]
    make = _TENSORS.get(str(function))
    if make is None:
        raise unsupported(place, f"expected data, got {refusals.call(function, inner)}")
    if str(kind) not in ("torch.Tensor", "torch._tensor.Tensor", "torch.nn.parameter.Parameter", "torch.nn.parameter.Buffer"):
        raise unsupported(place, f"expected a plain tensor, got one of the class {kind}, whose code decides what it is")
    return make(inner, place)


def _refused(what: str) -> Constructor:
    def refuse(_: _Arguments, place: str) -> NoReturn:
        raise unsupported(place, f"expected a dense tensor, got {what}")

    return refuse


_TENSORS: dict[str, Constructor] = {
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_tensor_v3": _typed_tensor,
    "torch._utils._rebuild_parameter": _parameter,
    "torch._utils._rebuild_parameter_with_state": _parameter,
    "torch.nn.parameter.Parameter": _parameter,
    "torch.nn.parameter.Buffer": lambda arguments, place: _expect(arguments, place, "a tensor", StoredTensor)[0],
    "torch._tensor._rebuild_from_type_v2": _of_type,
    "torch._utils._rebuild_sparse_tensor": unusual.sparse,
    "torch._utils._rebuild_sparse_csr_tensor": unusual.sparse,
    "torch._utils._rebuild_nested_tensor": _refused("a nested one"),
    "torch._utils._rebuild_qtensor": lambda arguments, place: unusual.quantized(arguments, place, _dense),
    "torch._utils._rebuild_meta_tensor_no_storage": unusual.meta,
    "torch._utils._rebuild_device_tensor_from_numpy": _refused("one of a device that keeps its elements as numpy's"),
    "torch._utils._rebuild_device_tensor_from_cpu_tensor": _refused("one of a device of its own"),
    "torch._utils._rebuild_wrapper_subclass": _refused("one of a class without elements of its own"),
}
_OTHERS: dict[str, Constructor] = {
    "collections.OrderedDict": _ordered,
    "collections.Counter": _counter,
    "collections.defaultdict": _default_dict,
    "collections.deque": _deque,
    "argparse.Namespace": _record("argparse", "Namespace"),
    "types.SimpleNamespace": _record("types", "SimpleNamespace"),
    "copyreg._reconstructor": _reconstruct,
    "copy_reg._reconstructor": _reconstruct,
    "_codecs.encode": _bytes,
    "builtins.bytes": _bytes,
    "torch.Size": _size,
    "torch.device": _device,
    "torch.serialization._get_layout": _layout,
    "torch.jit._pickle.build_intlist": _listed,
    "torch.jit._pickle.build_doublelist": _listed,
    "torch.jit._pickle.build_boollist": _listed,
    "torch.jit._pickle.build_tensorlist": _listed,
    "torch.jit._pickle.restore_type_tag": lambda arguments, place: _expect(arguments, place, "a value and its type", object)[0],
    # What PyTorch until 0.4 kept in every module; nothing of it is weights.
    "torch.nn.backends.thnn._get_thnn_function_backend": _record("torch.nn.backends.thnn", "THNNFunctionBackend"),
    **{f"{module}.{name}": _path for module in ("pathlib", "pathlib._local") for name in ("PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath", "Path")},
}
_BUILTINS: dict[str, Constructor] = {"set": _set, "frozenset": lambda arguments, place: frozenset(_set(arguments, place)), "complex": _complex, "bytearray": _bytes}


def _table() -> Mapping[tuple[str, str], Constructor]:
    named = {**_TENSORS, **_OTHERS, **NUMPY}
    named.update({f"{module}.{name}": make for name, make in _BUILTINS.items() for module in ("builtins", "__builtin__")})
    pairs = [(name.rpartition("."), make) for name, make in named.items()]
    return {(module, name): make for (module, _, name), make in pairs}


CONSTRUCTORS = _table()


def storage_kind(named: Any, place: str) -> str:
    """The class of a storage, such as ``Float``, by the name that the file gives.

    Raises:
        UnsupportedError: It is no storage of PyTorch's.
    """
    if isinstance(named, Global) and named.module in ("torch", "torch.cuda", "torch.storage") and named.name.endswith("Storage"):
        kind = named.name.removesuffix("Storage")
        if kind in elements.STORAGES:
            return kind
    raise unsupported(place, f"expected a class of storages, got {refusals.brief(named)}")


def build(target: Any, state: Any, place: str) -> Any:
    """`target` with the state that a file gives it; in the only cases in which that is data."""
    if isinstance(target, StoredTensor) and isinstance(state, tuple) and len(state) in (3, 5) and isinstance(state[0], bool):
        return _with(target, requires_grad=state[0])  # a parameter of PyTorch 0.x
    return build_numpy(target, state, place)


