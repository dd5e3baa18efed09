"""The ZIP framing of an archive: one grammar, with no choices left, computed for writing and demanded when reading.

Names, sizes and checksums of the members determine every other byte. The validator's reader is the loader's reader.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from struct import Struct

from triptych.errors import Findings, TruncatedError, UnsupportedError, shorten
from triptych.limits import Limits
from triptych.package import names

LOCAL = Struct("<IHHHHHIIIHH")
CENTRAL = Struct("<IHHHHHHIIIHHHHHII")
END = Struct("<IHHHHIIH")
END64 = Struct("<IQHHIIQQQQ")
LOCATOR = Struct("<IIQI")
LOCAL_SIGNATURE, CENTRAL_SIGNATURE, END_SIGNATURE = 0x04034B50, 0x02014B50, 0x06054B50
END64_SIGNATURE, LOCATOR_SIGNATURE = 0x06064B50, 0x07064B50
MAX16, MAX32 = 0xFFFF, 0xFFFFFFFF
VERSION, VERSION64, MADE_BY = 20, 45, 0x0314
"""ZIP 2.0, and 4.5 where a ZIP64 field is present; made by version 2.0 on Unix."""
DATE = 0x0021
"""1980-01-01 in the form of ZIP; the time is 0."""
ATTRIBUTES = 0o100644 << 16
UTF8_FLAG = 0x0800
ZIP64_FIELD, PADDING_FIELD = 0x0001, 0xD935
PADDING_HEAD = 6
"""Bytes of the smallest padding field: its identifier, its length and the alignment."""
LARGE, LARGE_ALIGNMENT, SMALL_ALIGNMENT = 65536, 4096, 64
_END_SEARCH = END.size + MAX16


@dataclass(slots=True)
class Entry:
    """One member inside an archive."""

    name: str
    size: int
    crc: int
    offset: int
    """Of its local header."""
    start: int = 0
    """Of its data."""
    facts: tuple[object, ...] = ()
    """What the central directory says that the local header must repeat."""

    @property
    def encoded(self) -> bytes:
        """The name as stored."""
        return self.name.encode()

    @property
    def large(self) -> bool:
        """Whether its size needs ZIP64."""
        return self.size >= MAX32

    @property
    def version(self) -> int:
        """The ZIP version that a reader needs for it."""
        return VERSION64 if self.large or self.offset >= MAX32 else VERSION

    @property
    def flags(self) -> int:
        """UTF-8 where the name is not ASCII; never another."""
        return 0 if self.name.isascii() else UTF8_FLAG

    def local_extra(self) -> bytes:
        """The local header's extra field: ZIP64 sizes if needed, then padding that aligns the data."""
        sizes = Struct("<HHQQ").pack(ZIP64_FIELD, 16, self.size, self.size) if self.large else b""
        if self.name == names.MIMETYPE:
            return sizes
        alignment = LARGE_ALIGNMENT if self.size >= LARGE else SMALL_ALIGNMENT
        gap = -(self.offset + LOCAL.size + len(self.encoded) + len(sizes)) % alignment
        if gap == 0:
            return sizes
        gap += alignment if gap < PADDING_HEAD else 0
        return sizes + Struct("<HHH").pack(PADDING_FIELD, gap - 4, alignment) + bytes(gap - PADDING_HEAD)

    def local_header(self) -> bytes:
        """What stands before the member's data."""
        extra = self.local_extra()
        size = min(self.size, MAX32)
        fixed = LOCAL.pack(
            LOCAL_SIGNATURE, self.version, self.flags, 0, 0, DATE, self.crc, size, size, len(self.encoded), len(extra)
        )  # fmt: skip
        return fixed + self.encoded + extra

    def central_header(self) -> bytes:
        """The member's entry in the central directory."""
        extra = self.central_extra()
        size = min(self.size, MAX32)
        fixed = CENTRAL.pack(
            CENTRAL_SIGNATURE, MADE_BY, self.version, self.flags, 0, 0, DATE, self.crc, size, size, len(self.encoded), len(extra),
            0, 0, 0, ATTRIBUTES, min(self.offset, MAX32),
        )  # fmt: skip
        return fixed + self.encoded + extra

    def central_extra(self) -> bytes:
        """The central directory's extra field: the ZIP64 values that do not fit elsewhere."""
        wide = ([self.size, self.size] if self.large else []) + ([self.offset] if self.offset >= MAX32 else [])
        return Struct(f"<HH{len(wide)}Q").pack(ZIP64_FIELD, 8 * len(wide), *wide) if wide else b""


# --- writing

def member_order(name: str) -> tuple[int, bytes]:
    """Sort key of the members: mimetype, then by name, the manifest last."""
    return (0 if name == names.MIMETYPE else 2 if name == names.MANIFEST else 1), name.encode()


def place(sizes: Iterable[tuple[str, int]]) -> tuple[list[Entry], int]:
    """Where each member goes, checksums still open, and where the central directory begins."""
    entries: list[Entry] = []
    offset = 0
    for name, size in sorted(sizes, key=lambda item: member_order(item[0])):
        entry = Entry(name, size, 0, offset)
        entry.start = offset + len(entry.local_header())
        offset = entry.start + size
        entries.append(entry)
    return entries, offset


def tail(entries: Iterable[Entry], start: int) -> bytes:
    """The central directory, which begins at `start`, and the end records."""
    headers = [entry.central_header() for entry in entries]
    directory = b"".join(headers)
    return directory + end_records(len(headers), len(directory), start)


def end_records(count: int, size: int, start: int) -> bytes:
    """What follows a central directory of `count` entries and `size` bytes that begins at `start`."""
    end = END.pack(END_SIGNATURE, 0, 0, min(count, MAX16), min(count, MAX16), min(size, MAX32), min(start, MAX32), 0)
    if count < MAX16 and size < MAX32 and start < MAX32:
        return end
    end64 = END64.pack(END64_SIGNATURE, END64.size - 12, MADE_BY, VERSION64, 0, 0, count, count, size, start)
    return end64 + LOCATOR.pack(LOCATOR_SIGNATURE, 0, start + size, 1) + end


# --- reading

def read_entries(data: memoryview, findings: Findings, limits: Limits) -> list[Entry]:
    """The members of the archive `data`, every rule of its framing checked; reads no member but ``mimetype``.

    Raises:
        InvalidModelError: The framing is broken; lesser problems are added to `findings`.
    """
    count, size, start = _read_end(data, findings)
    if count > limits.members:
        findings.fatal("SEC-016", None, f"expected at most {limits.members} members, got {count}", error=UnsupportedError)
    entries: list[Entry] = []
    position, stop = start, start + size
    for _ in range(count):
        entry, position = _read_central(data, position, stop, findings)
        entries.append(entry)
    if position != stop:
        findings.fatal("PKG-020", None, f"expected the central directory to end at byte {stop}, got {position}")
    _check_order(entries, findings)
    expected = 0
    for entry in entries:
        if entry.offset != expected:
            findings.fatal("PKG-021", names.spelled(entry.name), f"expected the member to begin at byte {expected}, where the one before ends, got {entry.offset}")
        _read_local(data, entry, start, findings)
        expected = entry.start + entry.size
    if expected != start:
        findings.add("PKG-021", None, f"expected the central directory at byte {expected}, where the last member ends, got {start}")
    return entries


def _read_end(data: memoryview, findings: Findings) -> tuple[int, int, int]:
    """Number of members, size of the central directory and where it begins."""
    at = len(data) - END.size
    if at < 0 or bytes(data[at : at + 4]) != END_SIGNATURE.to_bytes(4, "little"):
        # Not at the very end: is there one further up, before a comment or foreign bytes?
        base = max(0, len(data) - _END_SEARCH)
        at = bytes(data[base:]).rfind(END_SIGNATURE.to_bytes(4, "little"))
        at = at + base if at >= 0 and at + base + END.size <= len(data) else -1
        if at < 0:
            findings.fatal("PKG-020", None, "expected an end-of-central-directory record at the end of the file, got none", error=TruncatedError)
    _, disk, first_disk, here, count, size, start, comment = END.unpack_from(data, at)
    if comment:
        findings.add("PKG-025", None, f"expected no archive comment, got one of {comment} bytes")
    if at + END.size + comment != len(data):
        findings.add("PKG-021", None, f"expected the file to end at byte {at + END.size + comment}, got {len(data)} bytes")
    if count == MAX16 or MAX32 in (size, start):
        count, size, start, at = _read_end64(data, at, findings)
        here = count
    if (disk, first_disk, here) != (0, 0, count):
        findings.add("PKG-028", None, f"expected an archive in one part, got disk numbers {disk} and {first_disk}, {here} of {count} members")
    if start + size != at:
        findings.fatal("PKG-021", None, f"expected the central directory to end at byte {at}, got byte {start + size}")
    return count, size, start


def _read_end64(data: memoryview, at: int, findings: Findings) -> tuple[int, int, int, int]:
    where = at - LOCATOR.size - END64.size
    count, size, start = END64.unpack_from(data, where)[7:] if where >= 0 else (0, 0, 0)
    inside = start + size <= len(data)
    if not inside or bytes(data[max(where, 0) : at + END.size - 2]) != end_records(count, size, start)[:-2]:
        findings.fatal("PKG-030", None, "expected a ZIP64 end record and locator before the end record, exactly where they are needed, got others")
    return count, size, start, where


def _read_central(data: memoryview, at: int, stop: int, findings: Findings) -> tuple[Entry, int]:
    """The central header at `at`, and where the next one begins."""
    if at + CENTRAL.size > stop:
        findings.fatal("PKG-020", None, f"expected an entry of the central directory at byte {at}, got the directory's end", error=TruncatedError)
    (signature, made_by, version, flags, method, clock, date, crc, packed, size, name_length, extra_length, comment_length, disk, internal,
     attributes, offset) = CENTRAL.unpack_from(data, at)  # fmt: skip
    begin = at + CENTRAL.size
    after = begin + name_length + extra_length + comment_length
    if signature != CENTRAL_SIGNATURE or after > stop:
        findings.fatal("PKG-020", None, f"expected an entry of the central directory at byte {at}, got something else")
    try:
        name = bytes(data[begin : begin + name_length]).decode("utf-8")
    except UnicodeDecodeError:
        findings.fatal("PKG-002", None, f"expected member names in UTF-8, got {shorten(bytes(data[begin : begin + name_length]))}")
    if "\0" in name:
        findings.fatal("PKG-002", None, f"expected a member name of printable characters, got {shorten(name)}")
    if flags not in (0, UTF8_FLAG):
        findings.fatal("PKG-023", names.spelled(name), f"expected no flags but UTF-8 (no encryption, no data descriptor), got 0x{flags:04x}")
    if method != 0 or (packed != size):
        findings.fatal("PKG-022", names.spelled(name), f"expected a stored member (method 0), got method {method} with {packed} bytes for {size}")
    extra = bytes(data[begin + name_length : begin + name_length + extra_length])
    size, offset = _wide(name, size, offset, extra, findings)
    entry = Entry(name, size, crc, offset)
    entry.facts = (version, flags, method, clock, date, crc, min(size, MAX32), min(size, MAX32), name)
    if flags != entry.flags:
        findings.add("PKG-023", names.spelled(name), f"expected the UTF-8 flag exactly for names beyond ASCII, got 0x{flags:04x}")
    if comment_length:
        findings.add("PKG-025", names.spelled(name), f"expected no member comment, got one of {comment_length} bytes")
    if extra != entry.central_extra():
        findings.add("PKG-026", names.spelled(name), f"expected {len(entry.central_extra())} bytes of extra field in the central directory, got {shorten(extra)}")
    found = (made_by, version, clock, date, disk, internal, attributes)
    expected = (MADE_BY, entry.version, 0, DATE, 0, 0, ATTRIBUTES)
    if found != expected:
        findings.add("PKG-028", names.spelled(name), f"expected the fixed versions, time, date and attributes {expected}, got {found}")
    return entry, after


def _wide(name: str, size: int, offset: int, extra: bytes, findings: Findings) -> tuple[int, int]:
    """Size and offset, from the ZIP64 field where the header says so."""
    count = 2 * (size == MAX32) + (offset == MAX32)
    if not count:
        return size, offset
    if len(extra) < 4 + 8 * count or extra[:4] != Struct("<HH").pack(ZIP64_FIELD, 8 * count):
        findings.fatal("PKG-030", names.spelled(name), f"expected a ZIP64 field of {count} values, got {shorten(extra[:32])}")
    values = Struct(f"<{count}Q").unpack_from(extra, 4)
    if size == MAX32 and values[0] != values[1]:
        findings.fatal("PKG-022", names.spelled(name), f"expected a stored member, got {values[1]} bytes for {values[0]}")
    return (values[0] if size == MAX32 else size), (values[-1] if offset == MAX32 else offset)


def _read_local(data: memoryview, entry: Entry, stop: int, findings: Findings) -> None:
    """Compare the local header with the central one, and set where the data starts."""
    at = entry.offset
    if at + LOCAL.size > stop:
        findings.fatal("PKG-020", names.spelled(entry.name), f"expected a local header at byte {at}, got the central directory", error=TruncatedError)
    found = LOCAL.unpack_from(data, at)
    begin = at + LOCAL.size
    name_length, extra_length = found[-2:]
    name = bytes(data[begin : begin + name_length])
    if found[0] != LOCAL_SIGNATURE:
        findings.fatal("PKG-020", names.spelled(entry.name), f"expected a local header at byte {at}, got {shorten(bytes(data[at : at + 4]))}")
    repeated = (*found[1:9], name.decode("utf-8", "replace"))
    if repeated != entry.facts:
        findings.add("PKG-024", names.spelled(entry.name), f"expected the local header to say {shorten(entry.facts)} as the central directory does, got {shorten(repeated)}")
    extra = bytes(data[begin + name_length : begin + name_length + extra_length])
    entry.start = begin + name_length + extra_length
    if entry.start + entry.size > stop:
        findings.fatal("PKG-021", names.spelled(entry.name), f"expected the member to end before byte {stop}, got {entry.start + entry.size}")
    if extra != entry.local_extra():
        wanted = entry.local_extra()
        findings.add("PKG-026", names.spelled(entry.name), f"expected an extra field of {len(wanted)} bytes that aligns the data, got {len(extra)} bytes: {shorten(extra[:32])}")


def _check_order(entries: list[Entry], findings: Findings) -> None:
    found = [entry.name for entry in entries]
    if found[:1] != [names.MIMETYPE]:
        findings.add("PKG-027", None, f"expected {names.MIMETYPE!r} as the first member, got {shorten(found[0]) if found else 'none'}")
    for before, name in pairwise(found):
        if member_order(before) > member_order(name):
            findings.add("PKG-027", names.spelled(name), f"expected members by name and the manifest last, got {shorten(name)} after {shorten(before)}")


def crc_fault(entry: Entry, content: memoryview) -> str | None:
    """Why `content` is not what the archive promises, as "expected …"; None when it is."""
    actual = zlib.crc32(content)
    return None if actual == entry.crc else f"expected content with the CRC-32 {entry.crc:08x}, got {actual:08x}"
