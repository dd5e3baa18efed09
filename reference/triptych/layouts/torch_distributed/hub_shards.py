"""Distributed checkpoints in the form of the model hubs: safetensors files, each of which says where in the whole its tensors begin."""

from __future__ import annotations

import json
from math import prod
from pathlib import Path
from typing import Any

from triptych import dtypes
from triptych.errors import Findings, shorten
from triptych.layouts.problems import invalid, unsupported
from triptych.layouts.torch_distributed import folder
from triptych.layouts.torch_distributed.joining import Box, check_tiling, joined
from triptych.layouts.torch_pickle.facts import Facts
from triptych.limits import Limits
from triptych.model import Panels, Tensor, Weights
from triptych.package.safetensors_file import TensorFile, read_header

_SHARDING = "DCP_SHARDING_INFO"
_OFFSETS = "saved_offsets"


def read(path: Path, files: folder.Files, limits: Limits) -> Panels:
    """The weights of the checkpoint at `path`; elements are read when they are used.

    The whole of a tensor is as large as its shards reach; nothing else says it.

    Raises:
        InvalidModelError: A file is damaged, or shards do not make up their tensor.
        UnsupportedError: A limit is exceeded.
    """
    pieces: dict[str, list[tuple[Box, Tensor]]] = {}
    for name in folder.hub_shards(path):
        findings = Findings(member=name)
        content = files.content(name, name)
        header = read_header(content, findings, limits=limits)
        findings.raise_if_any()
        offsets = _offsets(header.metadata.get(_SHARDING), name, limits)
        for tensor_name, tensor in TensorFile(name, content, header, None).items():
            pieces.setdefault(tensor_name, []).append(((_offset(offsets, tensor_name, tensor, name), tensor.shape), tensor))
    if len(pieces) > limits.tensors:
        raise unsupported("", f"expected at most {limits.tensors:,} tensors, got {len(pieces):,}")
    notes = [f"{name}: a checkpoint in the form of model hubs is its shards" for name in files.others()]
    return Facts(left_out=notes).on_panels(Panels(weights=Weights({name: _whole(name, parts) for name, parts in pieces.items()})))


def _offsets(text: str | None, name: str, limits: Limits) -> dict[str, Any]:
    from triptych.documents import parse_json

    if text is None:
        raise invalid(name, f"expected where the shards begin, as {_SHARDING} among the metadata, got nothing")
    findings = Findings(member=name)
    data = parse_json(text.encode(), findings, limits=limits)
    findings.raise_if_any()
    if not isinstance(data, dict):
        raise invalid(name, f"expected where the shards begin, got {shorten(json.dumps(data))}")
    return data


def _offset(offsets: dict[str, Any], tensor_name: str, tensor: Tensor, name: str) -> tuple[int, ...]:
    said = offsets.get(tensor_name)
    found = said.get(_OFFSETS) if isinstance(said, dict) else None
    if not isinstance(found, list) or len(found) != len(tensor.shape) or not all(type(n) is int and 0 <= n < 2**53 for n in found):
        raise invalid(name, f"expected an offset for each axis of {shorten(tensor_name)}, got {shorten(found)}")
    return tuple(found)


def _whole(name: str, parts: list[tuple[Box, Tensor]]) -> Tensor:
    (_, first), *others = parts
    if any(one.dtype != first.dtype or len(one.shape) != len(first.shape) for _, one in others):
        raise invalid("", f"expected shards of {shorten(name)} of one dtype and rank, got several")
    shape = tuple(max(offsets[axis] + sizes[axis] for (offsets, sizes), _ in parts) for axis in range(len(first.shape)))
    filled = [(box, tensor) for box, tensor in dict(parts).items() if all(box[1])]
    boxes = [box for box, _ in filled]
    check_tiling(name, shape, boxes, name)
    if len(filled) == 1:
        return filled[0][1]
    item = dtypes.BY_NAME[first.dtype].item_bits // 8
    if item * 8 != dtypes.BY_NAME[first.dtype].item_bits:
        raise unsupported(name, f"expected shards of elements of whole bytes, got {first.dtype}")
    return Tensor(first.dtype, shape, lambda: joined(shape, item, boxes, lambda index: filled[index][1].read()) if prod(shape) else memoryview(b""))
