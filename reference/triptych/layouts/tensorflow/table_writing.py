"""Writes LevelDB's sorted string table, byte for byte as TensorFlow does."""

from __future__ import annotations

from collections.abc import Iterable
from struct import pack

from triptych.layouts.tensorflow import varints
from triptych.layouts.tensorflow.checksums import masked_crc32c
from triptych.layouts.tensorflow.sorted_table import FOOTER_BYTES, MAGIC, STORED

BLOCK_BYTES = 256 << 10
"""From this size a block is complete; an entry twice as large has a block of its own."""
_RESTART = 16
"""Entries from one whole key to the next."""


class _Block:
    """A block that grows."""

    def __init__(self, interval: int) -> None:
        self.content = bytearray()
        self.last = b""
        self._interval = interval
        self._restarts = [0]
        self._since = 0

    @property
    def size(self) -> int:
        """Bytes that it takes now."""
        return len(self.content) + 4 * len(self._restarts) + 4

    def add(self, key: bytes, value: bytes) -> None:
        """Append an entry; keys come in order."""
        shared = 0
        if self._since < self._interval:
            most = min(len(key), len(self.last))
            while shared < most and key[shared] == self.last[shared]:
                shared += 1
        else:
            self._restarts.append(len(self.content))
            self._since = 0
        for number in (shared, len(key) - shared, len(value)):
            self.content += varints.encode(number)
        self.content += key[shared:]
        self.content += value
        self.last = key
        self._since += 1

    def finished(self) -> bytes:
        """Its bytes."""
        return bytes(self.content) + pack(f"<{len(self._restarts)}II", *self._restarts, len(self._restarts))


class _Table:
    def __init__(self, block_bytes: int) -> None:
        self.parts: list[bytes] = []
        self._offset = 0
        self._block_bytes = block_bytes
        self._block = _Block(_RESTART)
        self._index = _Block(1)
        self._pending: bytes | None = None
        """The handle of a block that the index has yet to name: by a key as short as fits before the next block's first."""
        self._last = b""

    def add(self, key: bytes, value: bytes) -> None:
        if self._block.content and len(key) + len(value) >= 2 * self._block_bytes:
            self._flush()
        if self._pending is not None:
            self._index.add(_between(self._last, key), self._pending)
            self._pending = None
        self._last = key
        self._block.add(key, value)
        if self._block.size >= self._block_bytes:
            self._flush()

    def finish(self) -> bytes:
        self._flush()
        meta = self._append(_Block(_RESTART))
        if self._pending is not None:
            self._index.add(_after(self._last), self._pending)
        handles = meta + self._append(self._index)
        self.parts.append(handles.ljust(FOOTER_BYTES - len(MAGIC), b"\0") + MAGIC)
        return b"".join(self.parts)

    def _flush(self) -> None:
        if self._block.content:
            self._pending = self._append(self._block)
            self._block = _Block(_RESTART)

    def _append(self, block: _Block) -> bytes:
        """Append a block; its handle."""
        content = block.finished()
        kind = bytes([STORED])
        handle = varints.encode(self._offset) + varints.encode(len(content))
        self.parts += [content, kind, pack("<I", masked_crc32c(content, kind))]
        self._offset += len(content) + 5
        return handle


def table_of(entries: Iterable[tuple[bytes, bytes]], *, block_bytes: int = BLOCK_BYTES) -> bytes:
    """The table of `entries`, whose keys are in order and each there once."""
    table = _Table(block_bytes)
    for key, value in entries:
        table.add(key, value)
    return table.finish()


def _between(last: bytes, following: bytes) -> bytes:
    """A short key from `last`, inclusive, to `following`, exclusive."""
    at = next((at for at, (one, other) in enumerate(zip(last, following, strict=False)) if one != other), None)
    if at is not None and last[at] + 1 < following[at]:
        return last[:at] + bytes([last[at] + 1])
    return last


def _after(last: bytes) -> bytes:
    """A short key from `last` on."""
    at = next((at for at, byte in enumerate(last) if byte != 0xFF), None)
    return last if at is None else last[:at] + bytes([last[at] + 1])
