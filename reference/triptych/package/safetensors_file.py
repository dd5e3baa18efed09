"""safetensors files: tensors as views on mapped memory, and the plan of a file to be written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from math import prod

from triptych import dtypes
from triptych.errors import InvalidModelError, Problem, pointer_token, problem, shorten
from triptych.model import Tensor
from triptych.package.safetensors_header import ALIGNMENT, METADATA, Header, read_header

__all__ = ["METADATA", "Header", "Plan", "TensorFile", "plan", "read_header", "write_safetensors"]


class TensorFile(Mapping[str, Tensor]):
    """The tensors of one safetensors file; a `Tensor` is made when somebody asks for it, its bytes read when somebody reads it."""

    __slots__ = ("_data", "_digests", "_verified", "header", "member")

    def __init__(self, member: str, data: memoryview, header: Header, digests: Mapping[str, str] | None) -> None:
        self.member = member
        self.header = header
        self._data = data[header.start :]
        self._digests = digests
        self._verified: set[str] = set()

    def __getitem__(self, name: str) -> Tensor:
        entry = self.header.entries[name]
        return Tensor(dtypes.BY_SAFETENSORS[entry["dtype"]].name, tuple(entry["shape"]), partial(self._read, name))

    def __iter__(self) -> Iterator[str]:
        return iter(self.header.entries)

    def __len__(self) -> int:
        return len(self.header.entries)

    def __contains__(self, name: object) -> bool:
        return name in self.header.entries

    def view(self, name: str) -> memoryview:
        """The bytes of tensor `name`, not verified."""
        begin, end = self.header.entries[name]["data_offsets"]
        return self._data[begin:end]

    def problem_of(self, name: str, expected: str) -> Problem | None:
        """What is wrong with tensor `name`, if its bytes do not have the digest `expected`."""
        actual = "sha256:" + hashlib.sha256(self.view(name)).hexdigest()
        if actual == expected:
            self._verified.add(name)
            return None
        message = f"expected the bytes of tensor {shorten(name)} to have the digest {expected}, got {actual}"
        return problem("PKG-010", f"{self.member}#/{pointer_token(name)}", message)

    def _read(self, name: str) -> memoryview:
        if self._digests is not None and name not in self._verified:
            expected = self._digests.get(name)
            found = None if expected is None else self.problem_of(name, expected)
            if found is not None:
                raise InvalidModelError((found,))
        return self.view(name)


# --- writing

@dataclass(frozen=True, slots=True)
class Plan:
    """A safetensors file to be written: its header, and which tensor follows which."""

    header: bytes
    """With the length before it and the padding after it."""
    tensors: Mapping[str, Tensor]
    """In the order of their data."""
    sizes: tuple[int, ...]
    """Bytes of each of them."""
    size: int
    """Bytes of the whole file."""


def plan(tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> Plan:
    """The canonical file of `tensors`: larger dtypes first, then by name; reads no data."""
    from json.encoder import encode_basestring

    items = sorted(tensors.items(), key=lambda item: (-dtypes.RANK[item[1].dtype], item[0]))
    parts = [f'"{METADATA}":{json.dumps(dict(sorted(metadata.items())), ensure_ascii=False, separators=(",", ":"))}'] if metadata else []
    offset = 0
    sizes: list[int] = []
    for name, tensor in items:
        stored = dtypes.BY_NAME[tensor.dtype]
        size = (prod(tensor.shape) * stored.item_bits + 7) // 8
        shape = ",".join(map(str, tensor.shape))
        text = f'{{"dtype":"{stored.safetensors}","shape":[{shape}],"data_offsets":[{offset},{offset + size}]}}'
        parts.append(f"{encode_basestring(name)}:{text}")
        sizes.append(size)
        offset += size
    encoded = ("{" + ",".join(parts) + "}").encode()
    encoded += b" " * (-(8 + len(encoded)) % ALIGNMENT)
    header = len(encoded).to_bytes(8, "little") + encoded
    return Plan(header, dict(items), tuple(sizes), len(header) + offset)


def write_safetensors(
    tensors: Mapping[str, Tensor], write: Callable[[list[memoryview]], None], metadata: Mapping[str, str] | None = None
) -> Plan:
    """Hand the canonical file of `tensors` to `write`, piece by piece and never joined; the plan it followed."""
    planned = plan(tensors, metadata)
    write([memoryview(planned.header)])
    for tensor in planned.tensors.values():
        write([tensor.read()])
    return planned
