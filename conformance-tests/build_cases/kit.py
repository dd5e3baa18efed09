"""What cases are made of: packages, archives and texts written with struct, json and hashlib only.

This is a second writer of the format, independent of the reference: where the two disagree, one of them misreads the
specification. Nothing outside the standard library is imported.
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = Any
Files = Mapping[str, "bytes | Generated"]
TensorSpec = tuple[str, Sequence[int], bytes]
"""(dtype as the specification names it, shape, little-endian row-major bytes)."""

MIMETYPE = b"application/vnd.triptych+zip"
ARCHIVE = "input.triptych"
"""Key of a case whose input is one archive; it reaches the adapter as ``model.triptych``."""


# --- cases

@dataclass(frozen=True)
class Generated:
    """A member too long to commit: `parts` repeated, written out by the runner when the case runs."""

    parts: tuple[tuple[str, int] | tuple[str, int, int], ...]
    """(text, how often) in order; with a number behind them, ``{}`` in the text is that number, then the next one and so on."""

    def content(self) -> bytes:
        """The member's content."""
        return b"".join(repeated(*part) for part in self.parts)


def repeated(text: str, count: int, first: int | None = None) -> bytes:
    """One part of a generated member."""
    return text.encode() * count if first is None else "".join(text.replace("{}", str(first + number)) for number in range(count)).encode()


@dataclass(frozen=True)
class Case:
    """One case. Exactly one of `accepted` (what is to be observed) and `rejected` is given."""

    id: str
    """Primary requirement in lower case, then a few words: ``arc-004-two-layers-same-name``. Never reused."""
    title: str
    """States a fact, at most 70 characters, without "should"."""
    requirements: Sequence[str]
    files: Files
    """Member name -> bytes of a directory package, or {ARCHIVE: bytes}."""
    op: str = "read"
    """read, validate, import, export, rewrite (read, write unchanged), write (`files` is {"given.json": `document(observe(…))`}) evaluate (`files` are
    ``inputs.safetensors`` and a package under ``model/``), update (``gradients.safetensors`` and a package) or names (a package)."""
    role: str = "reader"
    """reader, validator, writer, evaluator or converter."""
    profile: str = "core"
    """core, yaml, archive, sharded, training, layers, evaluate, names, or a foreign layout."""
    accepted: Json = None
    """The observation (see `observe`); {"any_of": [...]} where the specification allows several. For an export, what a stranger's reader sees."""
    rejected: tuple[str, str, str] | None = None
    """(stage, code, place); of a foreign file, and of a writer's refusal, which is no problem of a package, the stage alone, with an empty code and place."""
    twin: str | None = None
    """For a rejecting case: an accepting case that cites the same requirements and lacks the fault."""
    also: Sequence[tuple[str, str]] = ()
    """(code, place) of further problems that a validator reports beside `rejected`; op "validate" only."""
    written: Files | None = None
    """For an accepting rewrite or write: the package that comes out, byte for byte ({ARCHIVE: …} for the archive form)."""
    existing: Files | None = None
    """For writing: what stands at the place to be written to, a folder of these files or {ARCHIVE: …}; a refusal leaves it as it is."""
    options: Mapping[str, Json] = field(default_factory=dict)
    """For rewrite and write: {"form": "archive"}, {"spelling": "yaml"}, {"max_shard_bytes": 64}; for update: {"values": […]}; sent with the request."""
    numbered: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    """Members too many to commit: a name in which ``{}`` is a number from 0 on, how many there are, and the text that each holds."""
    links: Mapping[str, str] = field(default_factory=dict)
    """Symbolic links that the runner adds to the input: member name -> target."""
    tolerance: Mapping[str, float] | None = None
    """For evaluate and update: {"relative": 1.0e-5} of the largest magnitude expected, or {"ulp": 0}."""
    needs: Sequence[str] = ()
    """Extensions that an implementation has to know; to others the case does not apply."""
    foreign: Mapping[str, Json] = field(default_factory=dict)
    """For import (`files` are those under ``foreign/``, and ``architecture.json`` beside weights alone) and export (`files` are a package):
    ``layout``, ``path``, and for an export ``reader``, ``look``, ``generation``; ``loses`` where something cannot be kept."""
    since: str = "1.0"


# --- JSON text in canonical form

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _quoted(text: str) -> str:
    out = []
    for character in text:
        if character in _ESCAPES:
            out.append(_ESCAPES[character])
        elif character < " " or character in "\x7f\u2028\u2029":
            out.append(f"\\u{ord(character):04x}")
        else:
            out.append(character)
    return '"' + "".join(out) + '"'


def number(value: float) -> str:
    """`value` as the canonical text of a binary64 number: 1.0, 1.0e-5, 1.5e+16, -0.0."""
    assert math.isfinite(value)
    sign = "-" if math.copysign(1.0, value) < 0 else ""
    if value == 0:
        return f"{sign}0.0"
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    point = len(whole) + int(exponent or 0)
    digits = (whole + fraction).lstrip("0")
    point -= len(whole + fraction) - len(digits)
    digits = digits.rstrip("0")
    if not -3 <= point <= 16:
        power = point - 1
        return f"{sign}{digits[0]}.{digits[1:] or '0'}e{'-' if power < 0 else '+'}{abs(power)}"
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    return f"{sign}{digits[:point].ljust(point, '0')}.{digits[point:] or '0'}"


def _value(data: Json, indent: str) -> str:
    if data is None or isinstance(data, bool):
        return {None: "null", True: "true", False: "false"}[data]
    if isinstance(data, int):
        return str(data)
    if isinstance(data, float):
        return number(data)
    if isinstance(data, str):
        return _quoted(data)
    inner = indent + "  "
    if isinstance(data, Mapping):
        if not data:
            return "{}"
        rows = [f"{inner}{_quoted(key)}: {_value(item, inner)}" for key, item in data.items()]
        return "{\n" + ",\n".join(rows) + f"\n{indent}}}"
    if not any(isinstance(item, (Mapping, list, tuple)) for item in data):
        return "[" + ", ".join(_value(item, inner) for item in data) + "]"
    return "[\n" + ",\n".join(inner + _value(item, inner) for item in data) + f"\n{indent}]"


def text(data: Json) -> str:
    """Plain data as canonical JSON text; members stand in the order given."""
    return _value(data, "") + "\n"


def document(data: Json) -> bytes:
    """`text` as bytes."""
    return text(data).encode()


def sort_maps(data: Json) -> Json:
    """`data` with the members of every object by code point, for maps that the specification orders so."""
    if isinstance(data, Mapping):
        return {key: sort_maps(data[key]) for key in sorted(data)}
    return [sort_maps(item) for item in data] if isinstance(data, (list, tuple)) else data


# --- tensors

DTYPES: dict[str, tuple[str, int]] = {
    "bool": ("BOOL", 8), "float4_e2m1fn": ("F4", 4), "float6_e2m3fn": ("F6_E2M3", 6), "float6_e3m2fn": ("F6_E3M2", 6),
    "uint8": ("U8", 8), "int8": ("I8", 8), "float8_e5m2": ("F8_E5M2", 8), "float8_e4m3fn": ("F8_E4M3", 8),
    "float8_e8m0fnu": ("F8_E8M0", 8), "float8_e4m3fnuz": ("F8_E4M3FNUZ", 8), "float8_e5m2fnuz": ("F8_E5M2FNUZ", 8),
    "int16": ("I16", 16), "uint16": ("U16", 16), "float16": ("F16", 16), "bfloat16": ("BF16", 16), "int32": ("I32", 32),
    "uint32": ("U32", 32), "float32": ("F32", 32), "complex64": ("C64", 64), "float64": ("F64", 64), "int64": ("I64", 64),
    "uint64": ("U64", 64),
}
"""Name -> (name in a safetensors header, bits of an element), smallest first; a writer puts the last ones first."""
_RANK = {name: rank for rank, name in enumerate(DTYPES)}
_FROM_HEADER = {header: name for name, (header, _) in DTYPES.items()}


def f32(shape: Sequence[int], *values: float) -> TensorSpec:
    """A float32 tensor of `values`; without values, the elements are 0.0, 1.0, 2.0 and so on."""
    count = math.prod(shape)
    elements = values or tuple(float(i) for i in range(count))
    assert len(elements) == count, (shape, elements)
    return "float32", tuple(shape), struct.pack(f"<{count}f", *elements)


def f64(shape: Sequence[int], *values: float) -> TensorSpec:
    """A float64 tensor of `values`."""
    return "float64", tuple(shape), struct.pack(f"<{math.prod(shape)}d", *values)


def safetensors_raw(header: Mapping[str, Json] | bytes, payload: bytes, *, length: int | None = None, align: int = 64) -> bytes:
    """A safetensors file with exactly this header (an object is written compactly) and payload; for faulty files."""
    encoded = header if isinstance(header, bytes) else json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    encoded += b" " * (-(8 + len(encoded)) % align)
    return struct.pack("<Q", len(encoded) if length is None else length) + encoded + payload


def safetensors(tensors: Mapping[str, TensorSpec], metadata: Mapping[str, str] | None = None) -> bytes:
    """The canonical safetensors file of `tensors`."""
    names = sorted(tensors, key=lambda name: (-_RANK[tensors[name][0]], name.encode()))
    header: dict[str, Json] = {"__metadata__": sort_maps(metadata)} if metadata else {}
    payload = b""
    for name in names:
        dtype, shape, data = tensors[name]
        stored, bits = DTYPES[dtype]
        assert len(data) * 8 == math.prod(shape) * bits, f"{name}: {len(data)} bytes do not fit {dtype}{list(shape)}"
        header[name] = {"dtype": stored, "shape": list(shape), "data_offsets": [len(payload), len(payload) + len(data)]}
        payload += data
    return safetensors_raw(header, payload)


# --- manifests and packages

def digest(data: bytes) -> str:
    """`data`'s digest as documents write it."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def member_record(name: str, data: bytes) -> dict[str, Json]:
    """The manifest's entry for a member. A faulty safetensors file gets what can be computed of it."""
    if not name.endswith(".safetensors"):
        return {"size": len(data), "digest": digest(data)}
    length = int.from_bytes(data[:8], "little")
    end = min(8 + length, len(data))
    tensors: dict[str, str] = {}
    try:
        header = json.loads(data[8:end])
        for tensor in sorted(set(header) - {"__metadata__"}):
            begin, stop = header[tensor]["data_offsets"]
            tensors[tensor] = digest(data[end + begin : end + stop])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        pass
    return {"size": len(data), "header_digest": digest(data[:end]), "tensor_digests": tensors}


def _content(data: bytes | Generated) -> bytes:
    return data.content() if isinstance(data, Generated) else data


def _add_document(files: dict[str, bytes | Generated], sections: dict[str, str], section: str, data: Json) -> None:
    if data is None:
        return
    name = f"{section}.yaml" if isinstance(data, str) else f"{section}.json"
    files[name] = data.encode() if isinstance(data, str) else data if isinstance(data, (bytes, Generated)) else document(data)
    sections[section] = name


def _add_tensors(
    files: dict[str, bytes | Generated], sections: dict[str, str], section: str, *, stem: str,
    tensors: Mapping[str, TensorSpec] | bytes | None, shards: Sequence[Iterable[str]] | None,
) -> None:
    if tensors is None:
        return
    if isinstance(tensors, bytes) or shards is None:
        files[f"{stem}.safetensors"] = tensors if isinstance(tensors, bytes) else safetensors(tensors)
        sections[section] = f"{stem}.safetensors"
        return
    weight_map: dict[str, str] = {}
    for number_, names in enumerate(shards, 1):
        member = f"{stem}-{number_:05}-of-{len(shards):05}.safetensors"
        part = {name: tensors[name] for name in names}
        files[member] = safetensors(part)
        weight_map.update(dict.fromkeys(part, member))
    total = sum(len(data) for _, _, data in tensors.values())
    index = {"metadata": {"total_size": total}, "weight_map": sort_maps(weight_map)}
    files[f"{stem}.safetensors.index.json"] = document(index)
    sections[section] = f"{stem}.safetensors.index.json"


def package(
    architecture: Json = None,
    tensors: Mapping[str, TensorSpec] | bytes | None = None,
    training: Json = None,
    state: Mapping[str, TensorSpec] | bytes | None = None,
    assets: Mapping[str, bytes] | None = None,
    *,
    manifest: Mapping[str, Json] | None = None,
    shards: Sequence[Iterable[str]] | None = None,
    state_shards: Sequence[Iterable[str]] | None = None,
    replace: Mapping[str, bytes | Generated | None] | None = None,
    manifest_edit: Callable[[dict[str, Json]], Json] | None = None,
    raw: Mapping[str, bytes | None] | None = None,
) -> dict[str, bytes | Generated]:
    """The members of a directory package.

    Args:
        architecture: An object (written as canonical JSON), a `str` (YAML text) or `bytes` (JSON text as it is).
        tensors: The weights section; `bytes` are a whole safetensors file as it is.
        training: As `architecture`.
        state: The training state's tensors.
        assets: Member name -> content.
        manifest: Further members of the manifest, such as ``{"name": "net"}``.
        shards: Names of the tensors of each shard.
        state_shards: The same for the training state.
        replace: Members replaced (None: removed) *before* the manifest is made: digests and sizes fit them.
        manifest_edit: Changes the manifest object in place, or returns another one.
        raw: Members replaced (None: removed) *after* the manifest is made, the manifest itself included.
    """
    files: dict[str, bytes | Generated] = {}
    sections: dict[str, str] = {}
    _add_document(files, sections, "architecture", architecture)
    _add_tensors(files, sections, "weights", stem="model", tensors=tensors, shards=shards)
    _add_document(files, sections, "training", training)
    _add_tensors(files, sections, "training_state", stem="training", tensors=state, shards=state_shards)
    files.update(assets or {})
    _replace(files, replace)
    extra = dict(manifest or {})
    ordered: dict[str, Json] = {"format": "triptych", "format_version": "1.0"}
    if "name" in extra:
        ordered["name"] = extra.pop("name")
    ordered["sections"] = sections
    ordered["members"] = {name: member_record(name, _content(files[name])) for name in sorted(files)}
    ordered.update(extra)
    if manifest_edit is not None:
        ordered = manifest_edit(ordered) or ordered
    files["manifest.json"] = document(ordered)
    _replace(files, raw)
    return files


def _replace(files: dict[str, bytes | Generated], changes: Mapping[str, bytes | Generated | None] | None) -> None:
    for name, content in (changes or {}).items():
        if content is None:
            del files[name]
        else:
            files[name] = content


# --- ZIP

@dataclass(frozen=True)
class Entry:
    """One member of a ZIP file; the defaults are what a writer of Triptych archives writes."""

    name: str | bytes
    data: bytes
    align: int | None = None
    """Alignment of the data; None: by the rule; 1: none."""
    method: int = 0
    stored: bytes | None = None
    """The bytes in the file, where they differ from `data` (compressed ones)."""
    flags: int | None = None
    time: int = 0
    date: int = 0x0021
    crc: int | None = None
    size: int | None = None
    """Uncompressed size as both headers claim it."""
    packed_size: int | None = None
    version_needed: int = 20
    version_made_by: int = 0x0314
    attributes: int = 0o100644 << 16
    local_extra: bytes = b""
    central_extra: bytes = b""
    local_name: str | bytes | None = None
    """The name in the local header, where it differs."""
    comment: bytes = b""
    descriptor: bytes = b""
    """What follows the data: a data descriptor, or garbage between members."""
    listed: bool = True
    """Whether the central directory lists it."""
    offset_shift: int = 0
    """Added to the local header's offset in the central directory."""


def _bytes(name: str | bytes) -> bytes:
    return name if isinstance(name, bytes) else name.encode()


def zip_file(entries: Iterable[Entry], *, prefix: bytes = b"", comment: bytes = b"", suffix: bytes = b"",
             end_edit: Callable[[bytes], bytes] | None = None) -> bytes:
    """A ZIP file of `entries`, as they stand; `end_edit` changes the end-of-central-directory record."""
    out = bytearray(prefix)
    directory = bytearray()
    count = 0
    for entry in entries:
        name, local_name = _bytes(entry.name), _bytes(entry.name if entry.local_name is None else entry.local_name)
        stored = entry.data if entry.stored is None else entry.stored
        flags = (0 if name.isascii() else 0x0800) if entry.flags is None else entry.flags
        crc = zlib.crc32(entry.data) if entry.crc is None else entry.crc
        size = len(entry.data) if entry.size is None else entry.size
        packed = len(stored) if entry.packed_size is None else entry.packed_size
        align = entry.align or (1 if name == b"mimetype" else 4096 if len(entry.data) >= 65536 else 64)
        start = len(out)
        extra = entry.local_extra
        gap = -(start + 30 + len(local_name) + len(extra)) % align
        if gap:
            gap += align if gap < 6 else 0
            extra += struct.pack("<HHH", 0xD935, gap - 4, align) + bytes(gap - 6)
        shared = (flags, entry.method, entry.time, entry.date, crc, packed, size)
        out += struct.pack("<IHHHHHIIIHH", 0x04034B50, entry.version_needed, *shared, len(local_name), len(extra))
        out += local_name + extra + stored + entry.descriptor
        if entry.listed:
            count += 1
            directory += struct.pack(
                "<IHHHHHHIIIHHHHHII", 0x02014B50, entry.version_made_by, entry.version_needed, *shared, len(name),
                len(entry.central_extra), len(entry.comment), 0, 0, entry.attributes, start + entry.offset_shift)
            directory += name + entry.central_extra + entry.comment
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, count, count, len(directory), len(out), len(comment)) + comment
    return bytes(out + directory + (end_edit(end) if end_edit else end) + suffix)


def entries(files: Files) -> list[Entry]:
    """The entries of the canonical archive of `files`: mimetype, members by name, the manifest last."""
    names = sorted((name for name in files if name not in {"mimetype", "manifest.json"}), key=str.encode)
    names += ["manifest.json"] if "manifest.json" in files else []
    first = _content(files["mimetype"]) if "mimetype" in files else MIMETYPE
    return [Entry("mimetype", first), *(Entry(name, _content(files[name])) for name in names)]


def archive(files: Files) -> bytes:
    """The canonical archive of a directory package."""
    return zip_file(entries(files))


# --- observations

def observe_tensor(dtype: str, shape: Sequence[int], data: bytes) -> dict[str, Json]:
    """A tensor as an observation: up to 64 elements as bits, most significant digit first; else the digest of its bytes.

    A complex element is its real part's digits, then its imaginary part's. An element of 4 bits is one digit, one of 6 bits two.
    """
    facts: dict[str, Json] = {"dtype": dtype, "shape": list(shape)}
    bits = DTYPES[dtype][1]
    if math.prod(shape) > 64:
        return {**facts, "sha256": hashlib.sha256(data).hexdigest()}
    if bits < 8:
        stored = int.from_bytes(data, "little")
        return {**facts, "bits": [f"{stored >> bits * i & (1 << bits) - 1:0{-(-bits // 4)}x}" for i in range(math.prod(shape))]}
    step = 4 if dtype == "complex64" else bits // 8
    digits = [data[i : i + step][::-1].hex() for i in range(0, len(data), step)]
    if dtype == "complex64":
        digits = [real + imaginary for real, imaginary in zip(digits[::2], digits[1::2], strict=True)]
    return {**facts, "bits": digits}


def observe(
    architecture: Json = None,
    tensors: Mapping[str, TensorSpec] | None = None,
    training: Json = None,
    state: Mapping[str, TensorSpec] | None = None,
    assets: Mapping[str, bytes] | None = None,
    *,
    parameters: tuple[int, int] | None = None,
) -> dict[str, Json]:
    """What a reader must see: members stand for the sections that are present.

    Give `architecture` and `training` normalised (defaults left out). `parameters` is (trainable, non-trainable); it is
    judged only where a case gives it (profile "layers").
    """
    present = {"architecture": architecture, "weights": tensors, "training": training, "training_state": state}
    seen: dict[str, Json] = {"sections": [name for name, value in present.items() if value is not None]}
    if architecture is not None:
        seen["architecture"] = architecture
    if training is not None:
        seen["training"] = training
    for key, section in (("tensors", tensors), ("state", state)):
        if section is not None:
            seen[key] = {name: observe_tensor(*section[name]) for name in sorted(section)}
    if assets:
        seen["assets"] = {name: {"size": len(assets[name]), "sha256": hashlib.sha256(assets[name]).hexdigest()} for name in sorted(assets)}
    if parameters is not None:
        seen["parameters"] = {"trainable": parameters[0], "non_trainable": parameters[1]}
    return seen
