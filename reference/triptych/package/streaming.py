"""Writes members while threads compute their digests: bytes go from the source's memory to the file without being joined or copied."""

from __future__ import annotations

import errno
import os
import zlib
from collections import deque
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING

from triptych.errors import UsageError, shorten
from triptych.package.files import FileSystem
from triptych.package.manifest import digest
from triptych.package.safetensors_file import Plan

if TYPE_CHECKING:
    from concurrent.futures import Future
    from typing import Self

Progress = Callable[[int, int, str], None]
"""Called with bytes done, bytes in all, and the member being written."""

CHUNK_BYTES = 8 << 20
"""Written at once, then handed to the disk."""
BATCH_BYTES = 1 << 20
BATCH_TENSORS = 512
"""Small tensors are written and hashed together until they are this many bytes or this many."""
IN_FLIGHT_BYTES = 64 << 20
"""Bytes that may wait for their digests; a source that makes its arrays on demand holds no more than this of them."""
_OPTIONAL = frozenset({errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ESPIPE, errno.EPERM})


class Hashing:
    """Digests of tensors, and one running checksum, computed in threads beside the write."""

    def __init__(self) -> None:
        from concurrent.futures import ThreadPoolExecutor

        self._pool = ThreadPoolExecutor(min(4, os.cpu_count() or 1), "triptych-digest")
        self._lane = ThreadPoolExecutor(1, "triptych-crc")
        self._waiting: deque[tuple[Future[None], int]] = deque()
        self._in_flight = 0
        self.digests: dict[str, str] = {}
        """Tensor name -> digest, of the member begun last."""
        self._crc = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._lane.shutdown(wait=True, cancel_futures=True)

    def begin(self) -> None:
        """Begin a member."""
        self.digests = {}
        self._crc = 0

    def tensors(self, batch: list[tuple[str, memoryview]], size: int) -> None:
        """Compute the digests of `batch`, of `size` bytes."""
        self._submit(self._pool.submit(self._digest, batch, self.digests), size)

    def checksum(self, views: list[memoryview], size: int) -> None:
        """Go on with the checksum over `views`, of `size` bytes."""
        self._submit(self._lane.submit(self._add, views), size)

    def finish(self) -> int:
        """Wait for everything; the checksum of the member."""
        while self._waiting:
            self._wait()
        return self._crc

    def _submit(self, future: Future[None], size: int) -> None:
        self._waiting.append((future, size))
        self._in_flight += size
        while self._in_flight > IN_FLIGHT_BYTES and len(self._waiting) > 1:
            self._wait()

    def _wait(self) -> None:
        future, size = self._waiting.popleft()
        self._in_flight -= size
        future.result()

    @staticmethod
    def _digest(batch: list[tuple[str, memoryview]], into: dict[str, str]) -> None:
        into.update({name: digest(view) for name, view in batch})

    def _add(self, views: list[memoryview]) -> None:
        for view in views:
            self._crc = zlib.crc32(view, self._crc)


class Output:
    """One open file that is written from front to back."""

    def __init__(self, descriptor: int, fs: FileSystem, *, durable: bool) -> None:
        self.descriptor = descriptor
        self.position = 0
        self._fs = fs
        self._synced = 0
        self._durable = durable

    def allocate(self, size: int) -> None:
        """Reserve `size` bytes where the file system can."""
        try:
            if size:
                self._fs.allocate(self.descriptor, size)
        except OSError as error:
            if error.errno not in _OPTIONAL:
                raise

    def write(self, views: list[memoryview]) -> None:
        """Append `views`, at most a chunk or so in all."""
        self.position += self._fs.write_all(self.descriptor, views)
        if self._durable and self.position - self._synced >= CHUNK_BYTES:
            try:
                self._fs.start_writeback(self.descriptor, self._synced, self.position - self._synced)
            except OSError as error:
                if error.errno not in _OPTIONAL:
                    raise
            self._synced = self.position


class Stream:
    """Appends members to outputs, counting what is done."""

    def __init__(self, hashing: Hashing, total: int, progress: Progress | None, *, checksums: bool) -> None:
        self._hashing = hashing
        self._total = total
        self._progress = progress
        self._checksums = checksums
        self._done = 0

    def content(self, name: str, content: memoryview, output: Output) -> int:
        """Append a member that is in memory; its CRC-32."""
        return self.pieces(name, [content], output)

    def pieces(self, name: str, views: list[memoryview], output: Output) -> int:
        """Append a member that is `views`, one after the other; its CRC-32."""
        self._hashing.begin()
        self._append(name, views, sum(map(len, views)), output)
        return self._hashing.finish()

    def tensors(self, name: str, plan: Plan, output: Output) -> tuple[int, Mapping[str, str]]:
        """Append the safetensors member `plan`; its CRC-32 and the digests of its tensors."""
        self._hashing.begin()
        self._append(name, [memoryview(plan.header)], len(plan.header), output)
        batch: list[tuple[str, memoryview]] = []
        size = 0
        for (tensor_name, tensor), expected in zip(plan.tensors.items(), plan.sizes, strict=True):
            view = tensor.read()
            if view.nbytes != expected:
                raise UsageError(f"expected {expected} bytes of tensor {shorten(tensor_name)}, its source gave {view.nbytes}")
            batch.append((tensor_name, view))
            size += expected
            if size >= BATCH_BYTES or len(batch) >= BATCH_TENSORS:
                self._flush(name, batch, size, output)
                batch, size = [], 0
        self._flush(name, batch, size, output)
        crc = self._hashing.finish()
        return crc, self._hashing.digests

    def _flush(self, name: str, batch: list[tuple[str, memoryview]], size: int, output: Output) -> None:
        self._hashing.tensors(batch, size)
        self._append(name, [view for _, view in batch], size, output)

    def _append(self, name: str, views: list[memoryview], size: int, output: Output) -> None:
        if self._checksums:
            self._hashing.checksum(views, size)
        if size <= CHUNK_BYTES:
            self._write(name, views, output)
            return
        for view in views:
            for start in range(0, len(view), CHUNK_BYTES):
                self._write(name, [view[start : start + CHUNK_BYTES]], output)

    def _write(self, name: str, views: list[memoryview], output: Output) -> None:
        before = output.position
        output.write(views)
        self._done += output.position - before
        if self._progress is not None:
            self._progress(self._done, self._total, name)
