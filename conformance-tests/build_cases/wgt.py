"""Cases of chapter 40: safetensors headers, ranges, names, and shards."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping

import _documents
import kit
from kit import Case as KitCase

ONE = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
TWO = {"dtype": "F32", "shape": [1], "data_offsets": [8, 12]}
PAYLOAD = struct.pack("<3f", 1.0, -0.0, 2.5)
GOOD = {"a": ONE, "b": TWO}
TENSORS = {"a": kit.f32([2], 1.0, -0.0), "b": kit.f32([1], 2.5)}
HEADER = [f"WGT-{number:03}" for number in range(1, 13)]


def Case(id_: str, title: str, requirements: Iterable[str], *more, **options) -> KitCase:  # noqa: N802 - stands for the class
    """A case whose primary requirement, which its id begins with, comes first."""
    primary = id_[:7].upper()
    return KitCase(id_, title, [primary, *(name for name in requirements if name != primary)], *more, **options)


def package(header: Mapping | bytes, payload: bytes = PAYLOAD, **options) -> dict[str, bytes]:
    return kit.package(None, kit.safetensors_raw(header, payload, **options))


def header_case(id_: str, title: str, header: Mapping | bytes, code: str, place: str, *, stage: str = "semantic", payload: bytes = PAYLOAD, **options) -> KitCase:
    return Case(id_, title, [id_[:7].upper()], package(header, payload, **options), rejected=(stage, code, f"model.safetensors{place}"), twin="wgt-001-two-tensors")


def changed(**members) -> dict:
    """The header with members of tensor a changed; None removes."""
    entry = {name: value for name, value in {**ONE, **members}.items() if value is not None}
    return {"a": entry, "b": TWO}


def all_dtypes() -> dict[str, kit.TensorSpec]:
    tensors = {}
    for name, (_, bits) in kit.DTYPES.items():
        count = 4 if bits < 8 else 2
        size = count * bits // 8
        tensors[f"of_{name}"] = (name, (count,), bytes([1, 0] if name == "bool" else range(1, size + 1)))
    return tensors


def accepted_cases() -> Iterable[KitCase]:
    yield Case("wgt-001-two-tensors", "Two tensors, one after the other", [*HEADER, "WGT-016"], package(GOOD), accepted=kit.observe(None, TENSORS))
    yield Case("wgt-003-eight-byte-padding", "A header padded to eight bytes, as others write it", HEADER, package(GOOD, align=8),
               accepted=kit.observe(None, TENSORS))
    yield Case("wgt-005-every-dtype", "Every dtype", [*HEADER, "WGT-016"], kit.package(None, all_dtypes()), accepted=kit.observe(None, all_dtypes()))
    yield Case("wgt-005-other-truth", "A boolean whose byte is 2", ["WGT-005", "WGT-016"], kit.package(None, {"t": ("bool", (3,), b"\x00\x01\x02")}),
               accepted=kit.observe(None, {"t": ("bool", (3,), b"\x00\x01\x02")}))
    packed = {"e2m1": ("float4_e2m1fn", (2, 2), b"\x21\x43"), "e2m3": ("float6_e2m3fn", (4,), (1 | 2 << 6 | 32 << 12 | 63 << 18).to_bytes(3, "little")),
              "e3m2": ("float6_e3m2fn", (2, 4), (0x123456789ABC).to_bytes(6, "little"))}
    yield Case("wgt-019-first-in-the-low-bits", "Elements of 4 and 6 bits begin with the lowest bits of a byte", ["WGT-019"], kit.package(None, packed), accepted=kit.observe(None, packed))
    yield Case("wgt-019-written", "Elements of 4 and 6 bits are packed from the lowest bit", ["WGT-019"], {"given.json": kit.document(kit.observe(None, packed))}, op="write", role="writer",
               accepted=kit.observe(None, packed), written=kit.package(None, packed))
    odd = {"scalar": kit.f32([], 3.0), "empty": kit.f32([0, 5]), "also empty": ("int8", (0,), b""), "bytes": ("uint8", (3,), b"abc")}
    yield Case("wgt-009-empty-tensors", "Scalars, tensors without elements, odd lengths", HEADER, kit.package(None, odd), accepted=kit.observe(None, odd))
    header = {"b": TWO, "a": ONE}
    yield Case("wgt-009-header-in-other-order", "The header lists tensors in another order than the data", HEADER, package(header),
               accepted=kit.observe(None, TENSORS))
    header = {"__metadata__": {"format": "pt", "": ""}, **GOOD}
    yield Case("wgt-012-metadata", "A header with metadata", HEADER, package(header), accepted=kit.observe(None, TENSORS))
    names = {'\u00fcber/\u5c42."0"\\': kit.f32([1]), "x" * 1024: kit.f32([1]), "a..b ": kit.f32([1]), "../a": kit.f32([1])}
    yield Case("wgt-011-unusual-names", "Names with slashes, quotes, dots, and of 1,024 bytes", HEADER, kit.package(None, names), accepted=kit.observe(None, names))
    yield Case("wgt-016-bits", "Values that show byte order and row-major order", ["WGT-016"],
               kit.package(None, {"m": ("int16", (2, 3), struct.pack("<6h", 1, 2, 3, 256, 257, -2))}),
               accepted=kit.observe(None, {"m": ("int16", (2, 3), struct.pack("<6h", 1, 2, 3, 256, 257, -2))}))


def header_cases() -> Iterable[KitCase]:
    yield Case("wgt-001-seven-bytes", "The file has seven bytes", ["WGT-001"], kit.package(None, bytes(7)),
               rejected=("bytes", "HEADER_OUTSIDE_FILE", "model.safetensors"), twin="wgt-001-two-tensors")
    yield header_case("wgt-001-length-beyond-file", "The header is longer than the file", GOOD, "HEADER_OUTSIDE_FILE", "", stage="bytes", length=1 << 40)
    yield header_case("wgt-002-leading-space", "The header begins with a space", b" " + kit.json.dumps(GOOD).encode(), "HEADER_START", "", stage="bytes")
    text = kit.json.dumps(GOOD).encode()
    yield header_case("wgt-003-64-spaces", "The header ends with 64 spaces", text + b" " * (64 + -(8 + len(text)) % 64), "HEADER_PADDING", "", stage="bytes", align=1)
    yield header_case("wgt-003-line-break", "The header ends with a line break", text + b"\n", "HEADER_PADDING", "", stage="bytes")
    for slug, title, mark, encoding, code in (
        ("wgt-002-byte-order-mark", "The header begins with a byte order mark", "\ufeff", "utf-8", "HEADER_START"),
        ("wgt-002-utf-16", "The header is UTF-16, the higher byte first", "", "utf-16-be", "HEADER_START"),
        ("wgt-002-utf-16-with-a-mark", "The header is UTF-16 behind a byte order mark", "\ufeff", "utf-16-le", "HEADER_START"),
        ("wgt-003-utf-16", "The header is UTF-16, the lower byte first", "", "utf-16-le", "HEADER_PADDING"),
    ):
        yield header_case(slug, title, (mark + kit.json.dumps(GOOD)).encode(encoding), code, "", stage="bytes")
    yield header_case("wgt-004-unknown-member", "An entry has a fourth member", changed(strides=[1]), "HEADER_ENTRY_INVALID", "#/a")
    yield header_case("wgt-004-no-shape", "An entry has no shape", changed(shape=None), "HEADER_ENTRY_INVALID", "#/a")
    yield header_case("wgt-004-negative-extent", "An extent is negative", changed(shape=[-2]), "HEADER_ENTRY_INVALID", "#/a")
    yield header_case("wgt-004-extent-true", "An extent is true", changed(shape=[True, 2]), "HEADER_ENTRY_INVALID", "#/a")
    yield header_case("wgt-004-extent-with-point", "An extent is a float", changed(shape=[2.0]), "HEADER_ENTRY_INVALID", "#/a")
    yield header_case("wgt-004-three-offsets", "There are three offsets", changed(data_offsets=[0, 8, 8]), "HEADER_ENTRY_INVALID", "#/a")
    yield header_case("wgt-004-entry-is-array", "An entry is an array", {"a": ["F32", [2], [0, 8]], "b": TWO}, "HEADER_ENTRY_INVALID", "#/a")
    yield header_case("wgt-005-unknown-dtype", "A dtype is unknown", changed(dtype="F33"), "TENSOR_DTYPE_UNKNOWN", "#/a/dtype")
    yield header_case("wgt-005-document-name", "A dtype is spelled as in documents", changed(dtype="float32"), "TENSOR_DTYPE_UNKNOWN", "#/a/dtype")
    yield header_case("wgt-006-half-a-byte", "Three elements of four bits", {"a": {"dtype": "F4", "shape": [3], "data_offsets": [0, 2]}},
                      "TENSOR_NOT_WHOLE_BYTES", "#/a/shape", payload=b"\x12\x03")
    yield header_case("wgt-007-shape-too-large", "A shape needs more bytes than its range has", changed(shape=[3]), "TENSOR_SIZE_MISMATCH", "#/a/data_offsets")
    yield header_case("wgt-007-shape-too-small", "A shape needs fewer bytes than its range has", changed(shape=[]), "TENSOR_SIZE_MISMATCH", "#/a/data_offsets")
    overlap = {"a": ONE, "b": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}}
    yield header_case("wgt-008-overlap", "Two ranges share four bytes", overlap, "TENSOR_OVERLAP", "#/b/data_offsets")
    alias = {"a": ONE, "b": ONE, "c": TWO}
    yield header_case("wgt-008-same-range", "Two tensors have the same range", alias, "TENSOR_OVERLAP", "#/b/data_offsets")
    inside = {"a": ONE, "b": TWO, "e": {"dtype": "F32", "shape": [0], "data_offsets": [4, 4]}}
    yield header_case("wgt-008-empty-inside", "An empty range lies inside another", inside, "TENSOR_OVERLAP", "#/e/data_offsets")
    gap = {"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}, "b": TWO}
    yield header_case("wgt-009-gap", "Four bytes belong to no tensor", gap, "TENSOR_GAP", "#/b/data_offsets")
    yield header_case("wgt-009-trailing-byte", "A byte stands after the last tensor", GOOD, "TENSOR_GAP", "", payload=PAYLOAD + b"\0")
    yield header_case("wgt-010-data-cut-short", "The last four bytes are missing", GOOD, "TENSOR_OUTSIDE_FILE", "#/b/data_offsets", payload=PAYLOAD[:8])
    yield header_case("wgt-010-end-before-begin", "A range ends before it begins", {"a": ONE, "b": {"dtype": "F32", "shape": [1], "data_offsets": [8, 4]}},
                      "TENSOR_OUTSIDE_FILE", "#/b/data_offsets", payload=PAYLOAD[:8])
    for name, title, tensor in (
        ("empty", "A tensor name is empty", ""),
        ("control", "A tensor name has a line break", "a\nb"),
        ("bidirectional", "A tensor name turns the direction of writing", "a\u202eb"),
        ("decomposed", "A tensor name is in decomposed form", "e\u0301"),
    ):
        yield header_case(f"wgt-011-{name}", title, {tensor: ONE, "b": TWO}, "TENSOR_NAME_INVALID", f"#/{tensor}")
    yield header_case("wgt-012-number", "A value of the metadata is a number", {"__metadata__": {"step": 3}, **GOOD}, "HEADER_METADATA_INVALID", "#/__metadata__")
    yield header_case("wgt-012-null", "The metadata are null", {"__metadata__": None, **GOOD}, "HEADER_METADATA_INVALID", "#/__metadata__")


SHARDS = {"a": kit.f32([3]), "b": kit.f32([3])}
INDEX = "model.safetensors.index.json"


def shard_cases() -> Iterable[KitCase]:
    shards = [["a"], ["b"]]
    one, two = (f"model-0000{number}-of-00002.safetensors" for number in (1, 2))
    good = ["WGT-013", "WGT-014", "WGT-015"]
    yield Case("wgt-014-shards", "Two shards and their index", good, kit.package(None, SHARDS, shards=shards), profile="sharded",
               accepted=kit.observe(None, SHARDS))
    hub = kit.document({"metadata": {"total_size": 1.0, "other": None}, "weight_map": {"b": two, "a": one}})
    yield Case("wgt-013-careless-index", "An index as hubs have it, its metadata wrong", good, kit.package(None, SHARDS, shards=shards, replace={INDEX: hub}),
               profile="sharded", accepted=kit.observe(None, SHARDS))

    def rejected(id_: str, title: str, index: Mapping, code: str, pointer: str, stage: str = "semantic", **options) -> KitCase:  # noqa: PLR0917 - a row of a table
        files = kit.package(None, options.pop("tensors", SHARDS), shards=options.pop("shards", shards), replace={INDEX: kit.document(index)}, **options)
        return Case(id_, title, [id_[:7].upper()], files, profile="sharded", rejected=(stage, code, f"{INDEX}#{pointer}"), twin="wgt-014-shards")

    yield rejected("wgt-013-null", "An index that is null", None, "SHARD_INDEX_MALFORMED", "", "schema")
    yield rejected("wgt-013-no-weight-map", "An index has no weight_map", {"metadata": {}}, "SHARD_INDEX_MALFORMED", "", "schema")
    yield rejected("wgt-013-map-to-number", "An index maps a tensor to a number", {"weight_map": {"a": 1, "b": two}}, "SHARD_INDEX_MALFORMED", "/weight_map/a", "schema")
    alike, apart = {**SHARDS, "7": kit.f32([1]), "007": kit.f32([1])}, [["a", "7"], ["b", "007"]]
    digits = {"a": one, "7": one, "b": two, "007": two}
    yield Case("wgt-013-names-of-digits", "Names of digits that read as the same number", good, kit.package(None, alike, shards=apart, replace={INDEX: kit.document({"weight_map": digits})}),
               profile="sharded", accepted=kit.observe(None, alike))
    for name in ("7", "007"):
        yield Case(f"wgt-013-number-under-{name}", f"The name {name} is mapped to a number", ["WGT-013"],
                   kit.package(None, alike, shards=apart, replace={INDEX: kit.document({"weight_map": {**digits, name: 1}})}),
                   profile="sharded", rejected=("schema", "SHARD_INDEX_MALFORMED", f"{INDEX}#/weight_map/{name}"), twin="wgt-013-names-of-digits")
    yield rejected("wgt-014-unknown-shard", "An index names a member that is not listed", {"weight_map": {"a": one, "b": two, "c": "model-3.safetensors"}},
                   "SHARD_UNLISTED", "/weight_map/c")
    yield rejected("wgt-014-shard-is-document", "An index names itself as a shard", {"weight_map": {"a": one, "b": two, "c": INDEX}}, "SHARD_UNLISTED", "/weight_map/c")
    yield rejected("wgt-015-tensor-not-there", "An index maps a tensor that no shard holds", {"weight_map": {"a": one, "b": two, "c": two}},
                   "SHARD_TENSORS_DIFFER", "/weight_map/c")
    yield rejected("wgt-015-wrong-shard", "An index maps a tensor to the other shard", {"weight_map": {"a": two, "b": two, "c": one}},
                   "SHARD_TENSORS_DIFFER", "/weight_map/a", shards=[["a", "c"], ["b"]], tensors={**SHARDS, "c": kit.f32([1])})
    yield rejected("wgt-015-tensor-not-mapped", "A tensor of a shard is not mapped", {"weight_map": {"a": one, "b": two}},
                   "SHARD_TENSORS_DIFFER", "/weight_map", shards=[["a"], ["b", "c"]], tensors={**SHARDS, "c": kit.f32([1])})
    yield rejected("wgt-015-tensor-in-two-shards", "Two shards hold the same tensor", {"weight_map": {"a": one, "b": two}},
                   "SHARD_TENSORS_DIFFER", "/weight_map/a", shards=[["a"], ["a", "b"]])


def writing_cases() -> Iterable[KitCase]:
    tensors = {**all_dtypes(), "a": kit.f32([1]), "B": kit.f32([1]), "\u00e9": kit.f32([1]), "e": ("int8", (), b"1")}
    names = sorted(tensors, key=len)
    header, payload = {}, b""
    for name in names:
        dtype, shape, data = tensors[name]
        header[name] = {"dtype": kit.DTYPES[dtype][0], "shape": list(shape), "data_offsets": [len(payload), len(payload) + len(data)]}
        payload += data
    yield Case("wgt-017-other-order", "Tensors in another order are written in the canonical one", ["WGT-017"],
               kit.package(None, kit.safetensors_raw(header, payload, align=8)), op="rewrite", role="writer",
               accepted=kit.observe(None, tensors), written=kit.package(None, tensors))
    metadata = {"__metadata__": {"format": "pt"}, **header}
    yield Case("wgt-017-no-metadata", "Metadata of a header are not written again", ["WGT-017"], kit.package(None, kit.safetensors_raw(metadata, payload, align=8)), op="rewrite", role="writer",
               accepted=kit.observe(None, tensors), written=kit.package(None, tensors))
    yield Case("wgt-017-no-tensor", "A section without a tensor", ["WGT-017"], kit.package(None, {}), op="rewrite", role="writer", accepted=kit.observe(None, {}), written=kit.package(None, {}))
    many = {f"layer_{number}.kernel": kit.f32([2]) for number in range(12)} | {"large": kit.f32([9]), "tiny": ("int8", (1,), b"1")}
    shards = [["large"], ["layer_0.kernel", "layer_1.kernel"], ["layer_10.kernel", "layer_11.kernel"],
              *([f"layer_{number}.kernel", f"layer_{number + 1}.kernel"] for number in (2, 4, 6)), ["layer_8.kernel", "layer_9.kernel", "tiny"]]
    yield Case("wgt-018-shards-of-17-bytes", "Tensors are split into shards by the bytes of their names", ["WGT-018"], kit.package(None, many),
               op="rewrite", role="writer", profile="sharded", options={"max_shard_bytes": 17}, accepted=kit.observe(None, many),
               written=kit.package(None, many, shards=shards))
    one = {"large": kit.f32([9])}
    yield Case("wgt-018-one-tensor-above-the-limit", "A tensor larger than a shard may be is the one file of its section", ["WGT-018"], kit.package(None, one),
               op="rewrite", role="writer", profile="sharded", options={"max_shard_bytes": 17}, accepted=kit.observe(None, one), written=kit.package(None, one))


def cases() -> Iterable[KitCase]:
    yield from accepted_cases()
    yield from header_cases()
    yield from shard_cases()
    yield from _documents.wgt_cases()
    yield from writing_cases()
