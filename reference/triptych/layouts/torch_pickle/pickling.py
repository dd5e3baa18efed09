"""Writes plain data and tensors as a pickle of protocol 2, opcode by opcode: what ``torch.load(weights_only=True)`` reads.

Nothing that is written names anything to call but the constructors of tensors, collections and PyTorch's own small values.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from struct import Struct
from typing import Any

from triptych.layouts.problems import inexpressible
from triptych.layouts.torch_pickle import elements, refusals, unusual
from triptych.layouts.torch_pickle.tensors import row_major
from triptych.layouts.torch_pickle.values import Ordered, Tagged
from triptych.model import Tensor

_UINT32, _INT32, _UINT16, _DOUBLE = Struct("<I"), Struct("<i"), Struct("<H"), Struct(">d")
_MARK, _TUPLE, _REDUCE, _BUILD, _STOP = b"(", b"t", b"R", b"b", b"."


@dataclass(frozen=True, slots=True, eq=False)
class Leaf:
    """A tensor to be written."""

    tensor: Tensor
    requires_grad: bool = False
    parameter: bool = False
    same: str | None = None
    """The name of the tensor whose storage it shares."""
    name: str = ""


class Pickler:
    """Writes one pickle."""

    def __init__(self, store: Callable[[Leaf], str]) -> None:
        """`store` is called with each tensor, in order, and returns the key of its storage."""
        self._out = bytearray(b"\x80\x02")
        self._store = store
        self._memo: dict[str, int] = {}

    def dump(self, value: Any) -> bytes:
        """The pickle of `value`."""
        self._value(value)
        self._out += _STOP
        return bytes(self._out)

    def _value(self, value: Any) -> None:
        out = self._out
        if value is None or isinstance(value, bool):
            out += b"N" if value is None else b"\x88" if value else b"\x89"
        elif isinstance(value, int):
            self._integer(value)
        elif isinstance(value, float):
            out += b"G" + _DOUBLE.pack(value)
        elif isinstance(value, str):
            encoded = value.encode("utf-8", "surrogatepass")
            out += b"X" + _UINT32.pack(len(encoded)) + encoded
        elif isinstance(value, bytes):
            self._call("_codecs", "encode", value.decode("latin-1"), "latin1")
        elif isinstance(value, Leaf):
            self._leaf(value)
        elif isinstance(value, tuple):
            self._tuple(value)
        elif isinstance(value, list):
            out += b"]"
            self._between(value, b"e")
        elif isinstance(value, set | frozenset):
            self._call("builtins", "set", list(value))
        elif isinstance(value, dict):
            self._dict(value)
        elif isinstance(value, Tagged):
            self._tagged(value)
        else:
            raise inexpressible("", f"expected a value that PyTorch can load as data, got {refusals.brief(value)}")

    def _integer(self, value: int) -> None:
        if 0 <= value < 2**8:
            self._out += b"K" + bytes([value])
        elif 0 <= value < 2**16:
            self._out += b"M" + _UINT16.pack(value)
        elif -(2**31) <= value < 2**31:
            self._out += b"J" + _INT32.pack(value)
        else:
            encoded = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
            self._out += b"\x8a" + bytes([len(encoded)]) + encoded

    def _tuple(self, value: tuple[Any, ...]) -> None:
        if not value:
            self._out += b")"
        elif len(value) <= 3:
            for item in value:
                self._value(item)
            self._out += bytes([0x84 + len(value)])
        else:
            self._between(value, _TUPLE)

    def _between(self, items: Any, end: bytes) -> None:
        """A mark, `items` and the opcode `end`; nothing if there are none."""
        if items:
            self._out += _MARK
            for item in items:
                self._value(item)
            self._out += end

    def _dict(self, value: dict[Any, Any]) -> None:
        if isinstance(value, Ordered):
            self._call("collections", "OrderedDict")
        else:
            self._out += b"}"
        self._between([item for pair in value.items() for item in pair], b"u")
        if isinstance(value, Ordered) and value.attributes is not None:
            self._value(value.attributes)
            self._out += _BUILD

    def _global(self, module: str, name: str) -> None:
        full = f"{module}\n{name}\n"
        known = self._memo.get(full)
        if known is not None:
            self._out += b"h" + bytes([known])
            return
        self._out += b"c" + full.encode("ascii")
        if len(self._memo) < 256:
            self._memo[full] = len(self._memo)
            self._out += b"q" + bytes([self._memo[full]])

    def _call(self, module: str, name: str, *arguments: Any) -> None:
        self._global(module, name)
        self._tuple(arguments)
        self._out += _REDUCE

    def _tagged(self, value: Tagged) -> None:
        body = value.value
        if value.kind == "size":
            self._call("torch", "Size", tuple(body))
        elif value.kind == "device":
            self._call("torch", "device", *body)
        elif value.kind == "dtype" and body in elements.NAMES:
            self._global("torch", body)
        elif value.kind == "layout":
            self._call("torch.serialization", "_get_layout", body)
        elif value.kind == "complex":
            self._call("builtins", "complex", *map(float, body))
        elif value.kind == "Counter":
            self._call("collections", "Counter", body)
        elif value.kind in ("sparse", "meta"):
            name, arguments = unusual.arguments_of(value)
            self._call("torch._utils", name, *arguments)
        elif value.kind == "quantized":
            self._quantized(body)
        elif value.kind == "complex_pairs":
            self._tensor(body["pairs"], requires_grad=False, dtype=body["dtype"].value)
        else:
            raise inexpressible("", f"expected a value that PyTorch can load as data, got {refusals.brief(value)}")

    def _leaf(self, leaf: Leaf) -> None:
        if leaf.parameter:
            self._global("torch._utils", "_rebuild_parameter")
            self._out += _MARK
            self._tensor(leaf, requires_grad=False)
            self._value(leaf.requires_grad)
            self._call("collections", "OrderedDict")
            self._out += _TUPLE + _REDUCE
        else:
            self._tensor(leaf, requires_grad=leaf.requires_grad)

    def _tensor(self, leaf: Leaf, *, requires_grad: bool, dtype: str | None = None) -> None:
        """A dense tensor; `dtype` is given where its elements are pairs of the tensor's."""
        tensor = leaf.tensor
        shape = tensor.shape if dtype is None else tensor.shape[:-1]
        dtype = dtype or tensor.dtype
        legacy = elements.LEGACY.get(dtype)
        if legacy is None and dtype not in elements.NAMES:
            raise inexpressible(leaf.name, f"expected a dtype that PyTorch has, got {dtype}")
        self._global("torch._utils", "_rebuild_tensor_v2" if legacy else "_rebuild_tensor_v3")
        self._out += _MARK
        self._view(leaf, legacy, shape)
        self._value(requires_grad)
        self._call("collections", "OrderedDict")
        if not legacy:
            self._global("torch", dtype)
        self._out += _TUPLE + _REDUCE

    def _view(self, leaf: Leaf, legacy: str | None, shape: tuple[int, ...]) -> None:
        """The storage of `leaf`, and the offset, shape and strides of all of it."""
        self._out += _MARK
        self._value("storage")
        if legacy:
            self._global("torch", f"{legacy}Storage")
        else:
            self._global("torch.storage", "UntypedStorage")
        self._value(self._store(leaf))
        self._value("cpu")
        self._value(prod(shape) if legacy else leaf.tensor.nbytes)
        self._out += _TUPLE + b"Q"
        self._value(0)
        self._value(shape)
        self._value(row_major(shape))

    def _quantized(self, parts: dict[str, Any]) -> None:
        leaf = parts["integers"]
        self._global("torch._utils", "_rebuild_qtensor")
        self._out += _MARK
        self._view(leaf, elements.LEGACY[parts["dtype"].value], leaf.tensor.shape)
        self._out += _MARK
        self._global("torch", parts["scheme"])
        for one in parts["parameters"].values():
            self._value(one)
        self._out += _TUPLE
        self._value(parts["requires_grad"])
        self._call("collections", "OrderedDict")
        self._out += _TUPLE + _REDUCE
