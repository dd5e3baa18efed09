"""Changes of pickles by opcodes: removed, repeated, moved, put in with their arguments; names and numbers exchanged for others."""

from __future__ import annotations

import pickletools
import warnings
from functools import lru_cache
from random import Random
from struct import pack

from fuzz.mutators import blind

_GLOBALS = (
    "collections OrderedDict", "collections defaultdict", "torch._utils _rebuild_tensor_v2", "torch._utils _rebuild_parameter", "torch FloatStorage", "torch BFloat16Storage",
    "torch.storage UntypedStorage", "torch Size", "torch.serialization _get_layout", "numpy.core.multiarray _reconstruct", "numpy ndarray", "numpy dtype", "numpy.core.multiarray scalar",
    "_codecs encode", "builtins set", "__builtin__ getattr", "os system", "posix system", "builtins eval", "torch.nn.modules.linear Linear", "torch._utils _rebuild_qtensor",
    "torch._utils _rebuild_sparse_tensor", "torch.distributed.checkpoint.metadata Metadata", "torch.distributed.checkpoint.metadata ChunkStorageMetadata", "pathlib PosixPath", "datetime datetime",
    "torch._tensor _rebuild_from_type_v2", "torch device", "torch float32", "uuid _get_command_stdout",
)  # fmt: skip


_BY_CODE = {ord(one.code): one for one in pickletools.opcodes}


def mutated(data: bytes, rng: Random) -> bytes:
    """A pickle like `data`."""
    if rng.random() < 0.15:
        return blind.mutated(data, rng)
    codes = list(split(data))
    if not codes:
        return blind.mutated(data, rng)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        at = rng.randrange(len(codes))
        kind = rng.randrange(7)
        if kind == 0 and len(codes) > 1:
            del codes[at : at + rng.choice((1, 1, 2, 5))]
        elif kind == 1:
            codes[at:at] = codes[at : at + rng.choice((1, 1, 3))]
        elif kind == 2:
            codes[at:at] = [_any_code(rng)]
        elif kind == 3:
            codes[at] = _any_code(rng)
        elif kind == 4:
            codes[at] = _other_argument(codes[at], rng)
        elif kind == 5:
            start, size = rng.randrange(len(codes)), rng.randrange(1, 9)
            codes[at:at] = codes[start : start + size]
        else:
            other = rng.randrange(len(codes))
            codes[at], codes[other] = codes[other], codes[at]
        if not codes:
            return b"."
    return b"".join(codes)


@lru_cache(maxsize=256)
def split(data: bytes) -> tuple[bytes, ...]:
    """The opcodes of `data`, each with its argument; what is no opcode any more is the last."""
    starts: list[int] = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes in old texts
            for _, _, position in pickletools.genops(data):
                starts.append(position or 0)
    except Exception:  # noqa: BLE001 - pickletools raises whatever comes up in it
        starts.append(starts[-1] + 1 if starts else 0)
    end = len(data)
    if not starts:
        return ()
    codes = [data[one:other] for one, other in zip(starts, [*starts[1:], end], strict=True)]
    last = codes[-1]
    if last[:1] == b"." and len(last) > 1:
        codes[-1:] = [b".", *split(last[1:])] if len(last) < 100_000 else [b".", last[1:]]
    return tuple(one for one in codes if one)


def _any_code(rng: Random) -> bytes:
    code = rng.choice(pickletools.opcodes)
    return code.code.encode("latin-1") + _argument(code.name, 0 if code.arg is None else code.arg.n, rng)


def _other_argument(code: bytes, rng: Random) -> bytes:
    known = _BY_CODE.get(code[0])
    if known is None or known.arg is None:
        return _any_code(rng)
    if rng.random() < 0.3 and len(code) > 1:
        return code[:1] + blind.mutated(code[1:], rng, most=1)
    return code[:1] + _argument(known.name, known.arg.n, rng)


def _argument(name: str, size: int, rng: Random) -> bytes:
    if name in ("GLOBAL", "INST"):
        return rng.choice(_GLOBALS).replace(" ", "\n").encode() + b"\n"
    if size == 0:
        return b""
    if size > 0:
        return blind.as_float(rng)[::-1] if name == "BINFLOAT" else ((rng.choice((0, 1, 2, 3, rng.choice(blind.EDGES)))) % (1 << 8 * size)).to_bytes(size, "little")
    if size == pickletools.UP_TO_NEWLINE:
        return rng.choice((b"0", b"1", b"-1", b"01", b"00", b"5L", b"1.5", b"nan", b"'a'", b"a\\u00e9", b"9" * 5000, str(blind.number(rng)).encode())) + b"\n"
    text = rng.choice((*blind.TEXTS[:24], *" ".join(_GLOBALS).split())).encode()
    if name in ("LONG1", "LONG4"):
        text = blind.number(rng).to_bytes(9, "little", signed=True)
    width = {pickletools.TAKEN_FROM_ARGUMENT1: 1, pickletools.TAKEN_FROM_ARGUMENT4: 4, pickletools.TAKEN_FROM_ARGUMENT4U: 4, pickletools.TAKEN_FROM_ARGUMENT8U: 8}[size]
    text = text[:255]
    length = len(text) if rng.random() < 0.95 else rng.choice(blind.EDGES) % (1 << 8 * width)
    return pack("<Q", length)[:width] + text
