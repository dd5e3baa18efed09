"""The ZIP archive that PyTorch writes since 1.6, read strictly: one directory, every byte owned, members used where they lie."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from struct import Struct

from triptych.errors import shorten
from triptych.layouts.problems import invalid, truncated, unsupported
from triptych.limits import Limits
from triptych.package.archive import (
    CENTRAL,
    CENTRAL_SIGNATURE,
    END,
    END64,
    END64_SIGNATURE,
    END_SIGNATURE,
    LOCAL,
    LOCAL_SIGNATURE,
    LOCATOR,
    LOCATOR_SIGNATURE,
)
from triptych.package.mappings import Copied

_STORED, _DEFLATED = 0, 8
_ENCRYPTED = 0x2041
_DESCRIPTOR, _UTF8 = 0x0008, 0x0800
_MAX16, _MAX32 = 0xFFFF, 0xFFFFFFFF
_EXPANSION = 1100
"""Bytes that one stored byte may become in a member of at most `_FLOOR` bytes; deflate cannot do more than 1032."""
_FLOOR = 256 << 20
_LARGE_EXPANSION = 100
"""The same in larger members; weights do not shrink to less."""
_CHUNK = 8 << 20
"""Bytes of a larger member whose checksum is computed at once."""
_SEARCH = END.size + _MAX16


@dataclass(frozen=True, slots=True)
class _Member:
    """One entry of the directory."""

    name: str
    method: int
    flags: int
    crc: int
    stored: int
    size: int
    offset: int
    start: int = 0


def glimpse(data: memoryview) -> list[str]:
    """The names that the archive `data` seems to have, without a check: of its first member and of those in its directory."""
    names: list[bytes] = []
    if len(data) >= LOCAL.size:
        names.append(bytes(data[LOCAL.size : LOCAL.size + LOCAL.unpack_from(data)[9]]))
    tail = bytes(data[-_SEARCH:])
    at = tail.rfind(END_SIGNATURE.to_bytes(4, "little"))
    if at >= 0 and len(tail) - at >= END.size:
        size, end = END.unpack_from(tail, at)[5], len(data) - len(tail) + at
        before = end - LOCATOR.size - END64.size
        if before >= 0 and int.from_bytes(data[before : before + 4], "little") == END64_SIGNATURE:
            size, end = END64.unpack_from(data, before)[8], before
        at = max(end - size, 0)
        while at + CENTRAL.size <= end and (fields := CENTRAL.unpack_from(data, at))[0] == CENTRAL_SIGNATURE:
            names.append(bytes(data[at + CENTRAL.size : at + CENTRAL.size + fields[10]]))
            at += CENTRAL.size + fields[10] + fields[11] + fields[12]
    return [name.decode("latin-1") for name in names]


class Archive:
    """The members of one archive, by name without the folder that all of them lie in."""

    def __init__(self, data: memoryview, limits: Limits) -> None:
        self._data = data
        listed, start = _directory(data, 2 * limits.tensors)
        self.root, self._members = _under_one_root(listed)
        self._start: dict[str, int] = {}
        self._place_members(start)
        self._unchecked = all(not member.crc for member in listed)
        self._checked: set[str] = set()
        self._inflated: tuple[str, memoryview] | None = None
        self._copied = Copied()

    def __contains__(self, name: object) -> bool:
        return name in self._members

    @property
    def names(self) -> list[str]:
        """Of all members."""
        return list(self._members)

    def size(self, name: str) -> int:
        """Bytes of a member.

        Raises:
            InvalidModelError: There is none of this name.
        """
        return self._of(name).size

    def read(self, name: str) -> memoryview:
        """The bytes of a member, its checksum compared once; a view on the file where they are stored.

        Raises:
            InvalidModelError: There is no such member, or its bytes are not what was written.
        """
        member = self._of(name)
        start = self._start[name]
        content = self._data[start : start + member.stored]
        if member.method == _DEFLATED:
            if self._inflated is not None and self._inflated[0] == name:
                return self._inflated[1]
            packed, content = content, self._inflate(member, content)
            self._copied.note(packed)
            self._inflated = (name, content)
        if name not in self._checked and not self._unchecked:
            if (found := self._checksum(content)) != member.crc:
                raise invalid(member.name, f"expected bytes with the checksum {member.crc:08x}, got {found:08x}: the file is damaged")
            self._checked.add(name)
        return content

    def _checksum(self, content: memoryview) -> int:
        if len(content) <= _FLOOR:
            return zlib.crc32(content)
        # A storage may be far larger than the tensor that is wanted of it.
        found = 0
        for at in range(0, len(content), _CHUNK):
            found = zlib.crc32(content[at : at + _CHUNK], found)
            self._copied.note(content[at : at + _CHUNK])
        return found

    def _of(self, name: str) -> _Member:
        if name not in self._members:
            raise invalid(f"{self.root}/{name}", "expected this member, there is none")
        return self._members[name]

    def _inflate(self, member: _Member, content: memoryview) -> memoryview:
        unpack = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            plain = unpack.decompress(content, member.size + 1)
        except zlib.error as error:
            raise invalid(member.name, f"expected deflated bytes, got {shorten(str(error))}") from error
        if len(plain) != member.size or not unpack.eof or unpack.unused_data:
            raise invalid(member.name, f"expected {member.size:,} bytes from {member.stored:,} deflated ones, got {len(plain):,} or more")
        return memoryview(plain)

    def _place_members(self, directory: int) -> None:
        """Note where each member's data begins; no two may share a byte, and none may belong to no member."""
        end = 0
        for name, member in sorted(self._members.items(), key=lambda item: item[1].offset):
            if member.offset != end:
                what = "overlaps another" if member.offset < end else f"leaves {member.offset - end:,} bytes before it to nobody"
                raise invalid(member.name, f"expected members one after the other, got one at {member.offset:,} that {what}")
            start = _data_start(self._data, member)
            end = start + member.stored
            if end > directory:
                raise truncated(member.name, f"expected {member.stored:,} bytes at {start:,}, the directory begins at {directory:,}")
            if member.flags & _DESCRIPTOR:
                end += _descriptor(self._data, end, member)
            self._start[name] = start
        if end != directory:
            raise invalid(self.root, f"expected the directory at {end:,}, where the last member ends; it is at {directory:,}")


def _directory(data: memoryview, most: int) -> tuple[list[_Member], int]:
    """The entries of the directory, and where it begins."""
    count, size, start, end = _end(data)
    if start + size != end:
        raise invalid("", f"expected the directory of {size:,} bytes to end at {end:,}, it begins at {start:,}: bytes stand before the archive or inside it")
    if count > most:
        raise unsupported("", f"expected at most {most:,} members, got {count:,}")
    members, at = [], start
    for _ in range(count):
        member, at = _entry(data, at, end)
        members.append(member)
    if at != end:
        raise invalid("", f"expected {count:,} entries to fill the directory, they leave {end - at:,} bytes")
    return members, start


def _end(data: memoryview) -> tuple[int, int, int, int]:
    """Entries, bytes and position of the directory, and where it must end."""
    tail = bytes(data[-_SEARCH:])
    at = tail.rfind(END_SIGNATURE.to_bytes(4, "little"))
    if at < 0 or len(tail) - at < END.size:
        raise truncated("", "expected the end record of an archive, found none: the file is cut short")
    _, disk, first, here, count, size, start, comment = END.unpack_from(tail, at)
    at += len(data) - len(tail)
    if at + END.size + comment != len(data) or disk or first or here != count:
        raise invalid("", "expected one archive that ends with its end record")
    locator = at - LOCATOR.size
    if locator < 0 or int.from_bytes(data[locator : locator + 4], "little") != LOCATOR_SIGNATURE:
        return count, size, start, at
    end64 = LOCATOR.unpack_from(data, locator)[2]
    if end64 + END64.size != locator or int.from_bytes(data[end64 : end64 + 4], "little") != END64_SIGNATURE:
        raise invalid("", f"expected the ZIP64 end record before its locator, it is said to be at {end64:,}")
    wide = END64.unpack_from(data, end64)[7:]
    # PyTorch writes both records always; where both say something they must say the same.
    for narrow, said, most in zip((count, size, start), wide, (_MAX16, _MAX32, _MAX32), strict=True):
        if narrow not in (said, most):
            raise invalid("", f"expected both end records to agree, one says {narrow:,} and one {said:,}")
    return wide[0], wide[1], wide[2], end64


def _entry(data: memoryview, at: int, end: int) -> tuple[_Member, int]:
    if at + CENTRAL.size > end:
        raise truncated("", "expected an entry of the directory, it ends before it")
    fields = CENTRAL.unpack_from(data, at)
    flags, method, crc, stored, size = fields[3], fields[4], fields[7], fields[8], fields[9]
    name_length, extra_length, comment, disk, offset = fields[10], fields[11], fields[12], fields[13], fields[16]
    begin = at + CENTRAL.size
    after = begin + name_length + extra_length + comment
    if fields[0] != CENTRAL_SIGNATURE or after > end:
        raise invalid("", f"expected an entry of the directory at {at:,}")
    name = _name(bytes(data[begin : begin + name_length]), flags)
    stored, size, offset = _wide(bytes(data[begin + name_length : begin + name_length + extra_length]), name, stored, size, offset)
    if flags & _ENCRYPTED:
        raise unsupported(name, "expected members that are not encrypted")
    if method not in (_STORED, _DEFLATED) or disk:
        raise unsupported(name, f"expected members stored or deflated, got method {method}")
    if (method == _STORED and stored != size) or size > (_LARGE_EXPANSION if size > _FLOOR else _EXPANSION) * max(stored, 1):
        raise invalid(name, f"expected a size that {stored:,} bytes can have, it declares {size:,}")
    return _Member(name, method, flags, crc, stored, size, offset), after


def _name(raw: bytes, flags: int) -> str:
    try:
        name = raw.decode("utf-8" if flags & _UTF8 or raw.isascii() else "cp437")
    except UnicodeDecodeError:
        raise invalid("", f"expected the name of a member in UTF-8, got {shorten(raw)}") from None
    parts = name.split("/")
    if not name.isprintable() or "\\" in name or ":" in parts[0] or ".." in parts or "" in parts[:-1]:
        raise invalid(shorten(name), "expected the name of a member inside the archive")
    return name


def _wide(extra: bytes, name: str, *values: int) -> tuple[int, int, int]:
    """Stored size, size and offset, from the ZIP64 field where the entry says that they are there."""
    stored, size, offset = values
    at = 0
    while at + 4 <= len(extra):
        kind, length = int.from_bytes(extra[at : at + 2], "little"), int.from_bytes(extra[at + 2 : at + 4], "little")
        field = extra[at + 4 : at + 4 + length]
        at += 4 + length
        if kind == 1:
            wide = [n for (n,) in Struct("<Q").iter_unpack(field[: len(field) // 8 * 8])]
            try:
                size = wide.pop(0) if size == _MAX32 else size
                stored = wide.pop(0) if stored == _MAX32 else stored
                offset = wide.pop(0) if offset == _MAX32 else offset
            except IndexError:
                raise invalid(name, "expected its sizes in the ZIP64 field, they are not there") from None
    return stored, size, offset


def _under_one_root(listed: list[_Member]) -> tuple[str, dict[str, _Member]]:
    roots = {member.name.partition("/")[0] for member in listed}
    if len(roots) != 1:
        raise invalid("", f"expected members of one folder, got {len(roots)}")
    members: dict[str, _Member] = {}
    for member in listed:
        name = member.name.partition("/")[2]
        if name in members:
            raise invalid(member.name, "expected each member once, got it twice")
        members[name] = member
    return roots.pop(), members


def _data_start(data: memoryview, member: _Member) -> int:
    """Where a member's data begins, by its local header, which must say what the directory says."""
    if member.offset + LOCAL.size > len(data):
        raise truncated(member.name, f"expected its header at {member.offset:,}, the file ends before it")
    fields = LOCAL.unpack_from(data, member.offset)
    begin = member.offset + LOCAL.size
    raw = bytes(data[begin : begin + fields[9]])
    plain = not member.flags & _DESCRIPTOR
    same = fields[2] == member.flags and fields[3] == member.method and (not plain or fields[6] == member.crc)
    if fields[0] != LOCAL_SIGNATURE or not same or _name(raw, fields[2]) != member.name:
        raise invalid(member.name, f"expected the header of this member at {member.offset:,}, as the directory has it")
    sizes = {(member.stored, member.size), (_MAX32, _MAX32)} | (set() if plain else {(0, 0)})
    if (fields[7], fields[8]) not in sizes:
        raise invalid(member.name, f"expected {member.stored:,} bytes as the directory says, its header says {fields[7]:,}")
    start: int = begin + fields[9] + fields[10]
    return start


def _descriptor(data: memoryview, at: int, member: _Member) -> int:
    """Bytes of the descriptor behind a member's data."""
    signed = bytes(data[at : at + 4]) == b"PK\x07\x08"
    for size, form in ((20, "<IQQ"), (12, "<III")):
        head = 4 if signed else 0
        record = Struct(form)
        if at + head + size <= len(data) and record.unpack_from(data, at + head) == (member.crc, member.stored, member.size):
            return head + size
    raise invalid(member.name, f"expected its descriptor at {at:,}, after its data")
