"""Changes of bytes that know nothing of what they mean: flips, numbers at the edges, pieces removed, repeated, moved; words of the format put in."""

from __future__ import annotations

from random import Random
from struct import pack

EDGES = (0, 1, 2, 7, 8, 16, 31, 32, 63, 64, 100, 127, 128, 255, 256, 1000, 4096, 32767, 32768, 65535, 65536, 2**24, 2**31 - 1, 2**31, 2**32 - 1, 2**53, 2**63 - 1, 2**63, 2**64 - 1)
"""Numbers at which counts, lengths and offsets break."""


def mutated(data: bytes, rng: Random, words: tuple[bytes, ...] = (), *, most: int = 4) -> bytes:
    """`data` after one to `most` changes."""
    found = bytearray(data)
    for _ in range(rng.randint(1, most)):
        _change(found, rng, words)
    return bytes(found)


def _change(data: bytearray, rng: Random, words: tuple[bytes, ...]) -> None:
    at = rng.randrange(len(data) + 1)
    kind = rng.randrange(9 if words else 8)
    if kind == 0 and data:
        data[min(at, len(data) - 1)] ^= 1 << rng.randrange(8)
    elif kind == 1 and data:
        data[min(at, len(data) - 1)] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, 0x0A, 0x20, rng.randrange(256)))
    elif kind == 2:
        data[at:at] = bytes(rng.randrange(256) for _ in range(rng.choice((1, 1, 2, 4, 8))))
    elif kind == 3:
        del data[at : at + rng.choice((1, 1, 2, 4, 8, 16, 64, rng.randrange(1, len(data) + 2)))]
    elif kind == 4:
        width, order = rng.choice((1, 2, 4, 8)), rng.choice("<<>")
        number = (rng.choice(EDGES) + rng.randint(-1, 1)) % (1 << 8 * width)
        data[at : at + width] = number.to_bytes(width, "little" if order == "<" else "big")
    elif kind == 5:
        size = rng.choice((1, 4, 8, 16, rng.randrange(1, len(data) + 2)))
        data[at:at] = data[at : at + size] * rng.choice((1, 1, 2, 5))
    elif kind == 6:
        size, other = rng.randrange(1, 33), rng.randrange(len(data) + 1)
        data[at : at + size] = data[other : other + size]
    elif kind == 7 and len(data) >= 8:
        # A number that is there, a little larger or smaller: lengths and offsets that are just wrong.
        at, width = rng.randrange(len(data) - 7), rng.choice((1, 2, 4, 8))
        number = (int.from_bytes(data[at : at + width], "little") + rng.choice((-1, 1, -8, 8, 2, 16))) % (1 << 8 * width)
        data[at : at + width] = number.to_bytes(width, "little")
    elif words:
        word = rng.choice(words)
        data[at : at + rng.choice((0, 0, len(word)))] = word


def text(value: str, rng: Random) -> str:
    """A text like `value`, or one that is trouble."""
    kind = rng.randrange(6)
    if kind == 0:
        return rng.choice(TEXTS)
    if kind == 1:
        return value + rng.choice(TEXTS)
    at = rng.randrange(len(value) + 1)
    if kind == 2:
        return value[:at] + value[at + 1 :]
    if kind == 3:
        return value[:at] + rng.choice("/.:\\\0\n {}[]\"'%~é_-") + value[at:]
    if kind == 4:
        return value[: at] + value
    return value.swapcase() if rng.random() < 0.5 else f"{value}{rng.randrange(10)}"


TEXTS = (
    "", " ", "\0", "\n", "a", "0", "-1", "../x", "/etc/passwd", "..", ".", "C:\\x", "a/b", "nan", "null", "true", "é", "e\u0301", "\u202e", "\ufeff", "\U0001f600", "x" * 300,
    "manifest.json", "builtins", "os.system", "__class__", "{}", "%s", "float32", "bfloat16", "int4", "1" * 5000, "9223372036854775808", "file:///etc/passwd", "http://127.0.0.1:9/",
)  # fmt: skip


def number(rng: Random) -> int:
    """A number at an edge."""
    return rng.choice((1, 1, -1)) * (rng.choice(EDGES) + rng.randint(-1, 1))


def as_float(rng: Random) -> bytes:
    """Eight bytes of a float64 that is none of the usual."""
    return pack("<d", rng.choice((float("nan"), float("inf"), -0.0, 5e-324, 1.8e308, 0.1)))
