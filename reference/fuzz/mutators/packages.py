"""Changes of Triptych packages: documents and tensors edited, then the manifest's sizes and digests put right, and an archive framed anew."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from random import Random
from typing import Any

from fuzz import folders
from fuzz.mutators import blind, files, json_values, zips
from triptych.package import archive, manifest

_MANIFEST = "manifest.json"


def mutated(data: bytes, rng: Random) -> bytes:
    """A folder like the one in `data`."""
    members = folders.unpack(data)
    if not members or rng.random() < 0.03:
        return blind.mutated(data, rng)
    return folders.pack(_changed(members, rng))


def mutated_archive(data: bytes, rng: Random) -> bytes:
    """An archive like `data`."""
    members = zips.members_of(data) if rng.random() < 0.7 else {}
    if not members:
        return _OF_ARCHIVES(data, rng)
    return framed(_changed(members, rng))


def _changed(members: dict[str, bytes], rng: Random) -> dict[str, bytes]:
    if rng.random() < 0.85 and (chosen := [name for name in members if name != _MANIFEST]):
        name = rng.choice(chosen)
        members[name] = files.edit(name, members[name], rng)
    else:
        members = files.changed(members, rng)
    return with_digests(members) if rng.random() < 0.85 else members


def with_digests(members: Mapping[str, bytes]) -> dict[str, bytes]:
    """`members` whose manifest has the size and digests of each; as they are where the manifest is none."""
    found = dict(members)
    try:
        said: Any = json.loads(found[_MANIFEST])
        records = said["members"]
        for name in records:
            if name in found:
                records[name] = _record(name, found[name], records[name])
        found[_MANIFEST] = json.dumps(said, indent=2, ensure_ascii=False).encode("utf-8", "surrogatepass")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return dict(members)
    return found


def _record(name: str, content: bytes, before: Any) -> Any:
    if not name.endswith(".safetensors"):
        return manifest.document_record(content) if "digest" in before else before
    length = int.from_bytes(content[:8], "little")
    entries = json.loads(content[8 : 8 + length])
    digests = {}
    for tensor, entry in entries.items():
        if tensor != "__metadata__":
            begin, end = entry["data_offsets"]
            digests[tensor] = "sha256:" + hashlib.sha256(content[8 + length + begin : 8 + length + end]).hexdigest()
    return manifest.tensor_record(len(content), manifest.digest(content[: 8 + length]), digests)


def framed(members: Mapping[str, bytes]) -> bytes:
    """The archive of `members`, with the framing that the specification demands."""
    try:
        entries, start = archive.place([(name, len(content)) for name, content in members.items()])
        parts = []
        for entry in entries:
            entry.crc = zlib.crc32(members[entry.name])
            parts += [entry.local_header(), members[entry.name]]
        return b"".join(parts) + archive.tail(entries, start)
    except (UnicodeEncodeError, ValueError):
        return b""


_OF_ARCHIVES = zips.mutator(files.edit, framed)


def document(data: bytes, rng: Random) -> bytes:
    """One JSON document like `data`, changed by its values."""
    return json_values.mutated(data, rng)
