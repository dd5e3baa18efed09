"""Changes of safetensors files: the header is edited as JSON and its length put right, or the bytes are changed as they are."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from fuzz.mutators import blind, json_values

_WORDS = (b'"__metadata__"', b'"dtype"', b'"shape"', b'"data_offsets"', b'"F32"', b'"BF16"', b'"F4"', b'"C64"', b'"BOOL"', b"[0,0]", b"{", b"}", b" " * 64)
_DTYPES = ("F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2", "F8_E8M0", "F6_E2M3", "F4", "I64", "I32", "I8", "U64", "U32", "U16", "U8", "BOOL", "C64", "X")


def mutated(data: bytes, rng: Random) -> bytes:
    """A file like `data`."""
    if len(data) < 8 or rng.random() < 0.15:
        return blind.mutated(data, rng, _WORDS)
    length = int.from_bytes(data[:8], "little")
    header, content = data[8 : 8 + length], data[8 + length :]
    if rng.random() < 0.2:
        return _framed(blind.mutated(header, rng, _WORDS, most=2), content, rng)
    try:
        value = json.loads(header)
    except (ValueError, RecursionError):
        return _framed(blind.mutated(header, rng, _WORDS), content, rng)
    if isinstance(value, dict) and rng.random() < 0.5:
        _edit(value, rng)
    else:
        value = json_values.changed(value, rng)
    if rng.random() < 0.2:
        content = blind.mutated(content, rng, most=1)
    return _framed(json.dumps(value, separators=(",", ":"), ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass"), content, rng)


def _edit(header: dict[str, Any], rng: Random) -> None:
    """Change one field of one tensor."""
    entries = [one for one in header.values() if isinstance(one, dict)]
    if not entries:
        return
    one, kind = rng.choice(entries), rng.randrange(4)
    if kind == 0:
        one["dtype"] = rng.choice(_DTYPES)
    elif kind == 1 and isinstance(one.get("shape"), list):
        one["shape"] = [*one["shape"], rng.choice((0, 1, 2))] if rng.random() < 0.5 else [rng.choice((0, 1, 2, 3, 2**40)) for _ in one["shape"]]
    elif kind == 2 and isinstance(one.get("data_offsets"), list):
        one["data_offsets"] = [number + rng.choice((-1, 0, 1, 8)) if isinstance(number, int) else number for number in one["data_offsets"]]
    else:
        header[blind.text("w", rng)] = {**rng.choice(entries)}


def _framed(header: bytes, content: bytes, rng: Random) -> bytes:
    if rng.random() < 0.5:
        header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + content
