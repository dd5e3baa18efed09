"""Reads what follows an opcode: numbers, lines, texts; nothing is taken that the bytes do not hold, nothing is allocated before it is there."""

from __future__ import annotations

import re

from triptych.errors import shorten
from triptych.layouts.problems import invalid, truncated, unsupported
from triptych.layouts.torch_pickle import bounds

_DIGITS = bounds.INTEGER_BITS * 3 // 10
_LINE = 64 << 10


class Operands:
    """A position in the bytes of a pickle."""

    def __init__(self, data: memoryview, member: str) -> None:
        self._data = data
        self._member = member
        self.at = 0

    @property
    def _place(self) -> str:
        return f"{self._member}@{self.at}"

    def take(self, size: int) -> memoryview:
        """The next `size` bytes."""
        end = self.at + size
        if end > len(self._data):
            raise truncated(self._place, f"expected {size:,} bytes more of the pickle, {len(self._data) - self.at:,} are left")
        part = self._data[self.at : end]
        self.at = end
        return part

    def long(self, size: int) -> memoryview:
        """The next `size` bytes, which the file says how many they are."""
        if size > bounds.STRING_BYTES:
            raise unsupported(self._place, f"expected a string of at most {bounds.STRING_BYTES:,} bytes, got {size:,}")
        return self.take(size)

    def text(self, size: int) -> str:
        """The next `size` bytes as text; a lone surrogate, which Python can pickle, stays one."""
        try:
            return str(self.long(size), "utf-8", "surrogatepass")
        except UnicodeDecodeError:
            raise invalid(self._place, "expected text in UTF-8") from None

    def old_text(self, size: int) -> str | bytes:
        """The next `size` bytes, a string of Python 2: text where it is UTF-8."""
        return _old(bytes(self.long(size)))

    def line(self) -> str:
        """The text up to the end of the line."""
        try:
            return self._line().decode()
        except UnicodeDecodeError:
            raise invalid(self._place, "expected text in UTF-8") from None

    def _line(self) -> bytes:
        raw = bytes(self._data[self.at : self.at + _LINE])
        end = raw.find(b"\n")
        if end < 0:
            make = unsupported if len(raw) == _LINE else truncated
            raise make(self._place, f"expected a line of at most {_LINE:,} bytes, found no end of it")
        self.at += end + 1
        return raw[:end]

    def quoted(self) -> str | bytes:
        """A line that is a string literal of Python 2."""
        text = self.line()
        if len(text) < 2 or text[0] != text[-1] or text[0] not in "'\"":
            raise invalid(self._place, f"expected a string in quotes, got {shorten(text)}")
        return _old(re.sub(rb"\\(x[0-9a-fA-F]{2}|.)", _unescape, text[1:-1].encode(), flags=re.DOTALL))

    def escaped(self) -> str:
        """A line of text whose special characters are escaped."""
        raw = self._line()
        try:
            return raw.decode("raw-unicode-escape")
        except UnicodeDecodeError:
            raise invalid(self._place, f"expected escaped text, got {shorten(raw)}") from None

    def integer(self, text: str) -> int:
        """The integer that `text` spells."""
        if len(text) > _DIGITS:
            raise unsupported(self._place, f"expected an integer of at most {_DIGITS} digits, got {len(text)}")
        if not re.fullmatch(r"-?[0-9]+", text):
            raise invalid(self._place, f"expected an integer, got {shorten(text)}")
        return int(text)

    def long_integer(self, size: int) -> int:
        """The integer of the next `size` bytes."""
        if size > bounds.INTEGER_BITS // 8:
            raise unsupported(self._place, f"expected an integer of at most {bounds.INTEGER_BITS} bits, got {8 * size}")
        return int.from_bytes(self.take(size), "little", signed=True)

    def frame(self, size: int) -> None:
        """A frame of `size` bytes begins; it must be there."""
        if size > len(self._data) - self.at:
            raise truncated(self._place, f"expected a frame of {size:,} bytes, {len(self._data) - self.at:,} are left")


_SIMPLE = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v", b"0": b"\0"}


def _unescape(found: re.Match[bytes]) -> bytes:
    what = found[1]
    return bytes([int(what[1:], 16)]) if len(what) == 3 else _SIMPLE.get(what, what)


def _old(raw: bytes) -> str | bytes:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw
