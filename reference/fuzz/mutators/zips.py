"""Changes of ZIP archives: members edited and the archive built anew, or bytes of its records changed; checksums fit most often."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Callable, Mapping
from functools import lru_cache
from random import Random

from fuzz.mutators import blind

Edit = Callable[[str, bytes, Random], bytes]
"""Called with a member's name and content: other content."""
_WORDS = (b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07", b"PK\x07\x08", b"../", b"/", b"\\", b"\0", b"\x01\x00\x10\x00", b"mimetype")
_SIGNATURES = re.compile(rb"PK(?:\x03\x04|\x01\x02|\x05\x06|\x06\x06|\x06\x07)")


def members_of(data: bytes) -> dict[str, bytes]:
    """The members of an archive; none if Python cannot read it."""
    return dict(_members(data))


@lru_cache(maxsize=64)
def _members(data: bytes) -> Mapping[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
            if sum(info.file_size for info in infos) > 4 << 20:
                return {}
            return {info.filename: archive.read(info) for info in infos}
    except Exception:  # noqa: BLE001 - zipfile raises whatever comes up in it
        return {}


def written(members: Mapping[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """An archive of `members`, with fixed dates."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of two members whose names are one after a zero byte
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, method)
    return target.getvalue()


def mutator(edit: Edit, build: Callable[[Mapping[str, bytes]], bytes] | None = None) -> Callable[[bytes, Random], bytes]:
    """A mutator of archives whose members `edit` changes; `build` makes an archive of them, in whatever framing is wanted."""

    def mutated(data: bytes, rng: Random) -> bytes:
        members = members_of(data) if rng.random() < 0.75 else {}
        if not members:
            return _records(data, rng)
        return _built(_edited(members, rng), rng)

    def _edited(members: dict[str, bytes], rng: Random) -> dict[str, bytes]:
        name = rng.choice(list(members))
        kind = rng.randrange(10)
        if kind == 0:
            del members[name]
        elif kind == 1:
            members[blind.text(name, rng)] = members[name]
        elif kind == 2:
            other = rng.choice(list(members))
            members[name], members[other] = members[other], members[name]
        else:
            members[name] = edit(name, members[name], rng)
        return members

    def _built(members: Mapping[str, bytes], rng: Random) -> bytes:
        if build is not None and rng.random() < 0.85:
            return build(members)
        try:
            return written(members, rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)))
        except (ValueError, UnicodeEncodeError):
            return b""

    return mutated


def _records(data: bytes, rng: Random) -> bytes:
    """`data` with one of its records changed, and the checksum of what follows a local header put right now and then."""
    signatures = [found.start() for found in _SIGNATURES.finditer(data)]
    if not signatures or rng.random() < 0.3:
        return blind.mutated(data, rng, _WORDS)
    at = rng.choice(signatures)
    end = min(at + rng.choice((30, 46, 80)), len(data))
    found = data[:at] + blind.mutated(data[at:end], rng, _WORDS, most=2) + data[end:]
    return with_checksum(found) if rng.random() < 0.3 else found


def with_checksum(data: bytes) -> bytes:
    """`data` whose first member's checksum fits the stored bytes that its local header counts, there and in the directory."""
    found = bytearray(data)
    if len(found) < 30 or found[:4] != b"PK\x03\x04":
        return data
    size = int.from_bytes(found[18:22], "little")
    start = 30 + int.from_bytes(found[26:28], "little") + int.from_bytes(found[28:30], "little")
    crc = zlib.crc32(found[start : start + size]).to_bytes(4, "little")
    found[14:18] = crc
    directory = found.find(b"PK\x01\x02")
    if directory >= 0:
        found[directory + 16 : directory + 20] = crc
    return bytes(found)
