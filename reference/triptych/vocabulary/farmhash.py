"""FarmHash's Fingerprint64: by it a lookup shares unknown tokens out among several indices, as TensorFlow does."""

from __future__ import annotations

_BITS = (1 << 64) - 1
_K0, _K1, _K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F
_Pair = tuple[int, int]


def fingerprint(text: bytes) -> int:
    """The fingerprint of `text`, 0 to 2^64 - 1."""
    length = len(text)
    if length <= 16:
        return _to_16(text, length)
    if length <= 32:
        return _to_32(text, length)
    return _to_64(text, length) if length <= 64 else _longer(text, length)


def _at(text: bytes, start: int, size: int = 8) -> int:
    return int.from_bytes(text[start : start + size], "little")


def _turn(value: int, shift: int) -> int:
    """`value` modulo 2^64, rotated to the right."""
    value &= _BITS
    return (value >> shift | value << (64 - shift)) & _BITS


def _mix(value: int) -> int:
    value &= _BITS
    return value ^ value >> 47


def _pair(u: int, v: int, factor: int) -> int:
    a = _mix((u ^ v & _BITS) * factor)
    return _mix((v ^ a) * factor) * factor & _BITS


def _to_16(text: bytes, length: int) -> int:
    factor = _K2 + length * 2
    if length >= 8:
        a, b = _at(text, 0) + _K2, _at(text, length - 8)
        return _pair(_turn(b, 37) * factor + a & _BITS, (_turn(a, 25) + b) * factor & _BITS, factor)
    if length >= 4:
        return _pair(length + (_at(text, 0, 4) << 3), _at(text, length - 4, 4), factor)
    if length == 0:
        return _K2
    y, z = text[0] + (text[length >> 1] << 8), length + (text[-1] << 2)
    return _mix(y * _K2 ^ z * _K0) * _K2 & _BITS


def _ends(text: bytes, length: int, first: int) -> tuple[int, int, int, int]:
    """The two halves that both middle lengths begin with, and what they are made of."""
    factor = _K2 + length * 2
    a, c = _at(text, 0) * first & _BITS, _at(text, length - 8) * factor & _BITS
    b, d = _at(text, 8), _at(text, length - 16) * _K2
    return _turn(a + b, 43) + _turn(c, 30) + d & _BITS, a + _turn(b + _K2, 18) + c & _BITS, factor, a


def _to_32(text: bytes, length: int) -> int:
    u, v, factor, _ = _ends(text, length, _K1)
    return _pair(u, v, factor)


def _to_64(text: bytes, length: int) -> int:
    y, v, factor, a = _ends(text, length, _K2)
    z = _pair(y, v, factor)
    e, f = _at(text, 16) * factor & _BITS, _at(text, 24)
    g = (y + _at(text, length - 32)) * factor & _BITS
    h = (z + _at(text, length - 24)) * factor
    return _pair(_turn(e + f, 43) + _turn(g, 30) + h & _BITS, e + _turn(f + a, 18) + g & _BITS, factor)


def _weak(text: bytes, start: int, a: int, b: int) -> _Pair:
    """Two sums over 32 bytes."""
    w, x, y, z = (_at(text, start + offset) for offset in (0, 8, 16, 24))
    a = a + w & _BITS
    b = _turn(b + a + z, 21)
    total = a + x + y & _BITS
    return total + z & _BITS, b + _turn(total, 44) + a & _BITS


def _longer(text: bytes, length: int) -> int:
    x, y = 81 * _K2 + _at(text, 0) & _BITS, 81 * _K1 + 113 & _BITS
    z = _mix(y * _K2 + 113) * _K2 & _BITS
    v: _Pair = (0, 0)
    w: _Pair = (0, 0)
    for start in range(0, (length - 1) // 64 * 64, 64):
        x, y, z, v, w = _block(text, start, x, y, z, v, w, factor=_K1, times=1)
    factor = _K1 + ((z & 0xFF) << 1)
    first = w[0] + (length - 1 & 63) & _BITS
    v = (v[0] + first & _BITS, v[1])
    w = (first + v[0] & _BITS, w[1])
    x, y, z, v, w = _block(text, length - 64, x, y, z, v, w, factor=factor, times=9)
    return _pair(_pair(v[0], w[0], factor) + _mix(y) * _K0 + z & _BITS, _pair(v[1], w[1], factor) + x & _BITS, factor)


def _block(  # noqa: PLR0917 - the state, in the order in which its description names it
    text: bytes, start: int, x: int, y: int, z: int, v: _Pair, w: _Pair, *, factor: int, times: int
) -> tuple[int, int, int, _Pair, _Pair]:
    """The state after 64 bytes."""
    x = _turn(x + y + v[0] + _at(text, start + 8), 37) * factor & _BITS
    y = _turn(y + v[1] + _at(text, start + 48), 42) * factor & _BITS
    x ^= w[1] * times & _BITS
    y = y + v[0] * times + _at(text, start + 40) & _BITS
    z = _turn(z + w[0], 33) * factor & _BITS
    v = _weak(text, start, v[1] * factor, x + w[0])
    w = _weak(text, start + 32, z + w[1], y + _at(text, start + 16))
    return z, y, x, v, w
