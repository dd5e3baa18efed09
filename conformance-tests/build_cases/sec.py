"""Cases of chapter 80: limits, each at its value and one beyond; sizes that lie; deep texts; targets; foreign files that reach for more than data."""

from __future__ import annotations

import struct
from collections.abc import Iterable

import _limits
import cnv
import kit
from kit import Case

MOST = 2**53 - 1


def entry(*shape: int) -> dict:
    size = 0 if 0 in shape else 4
    return {"dtype": "F32", "shape": list(shape), "data_offsets": [0, size]}


def package(header: dict, payload: bytes) -> dict[str, bytes]:
    return kit.package(None, kit.safetensors_raw(header, payload))


ONE = kit.f32([1], 1.0)
PLAIN = {"format_version": "1.0", "layers": [{"name": "flat", "type": "Flatten"}]}


def cases() -> Iterable[Case]:
    yield from (case for case in cnv.every() if case.id.startswith("sec-"))
    yield from limit_cases()
    yield from _limits.of_packages()
    yield from size_cases()
    yield from hostile_cases()
    yield from target_cases()


def size_cases() -> Iterable[Case]:
    """Sizes far beyond the file: who allocates what a file says does not answer in time."""
    good = {"a": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}}
    twin = "sec-002-what-the-file-holds"
    yield Case(twin, "Sizes that the file holds", ["SEC-002", "WGT-001", "WGT-007", "WGT-010"], package(good, b"abcd"), accepted=kit.observe(None, {"a": ("uint8", (4,), b"abcd")}))
    yield Case("sec-002-header-of-2-62-bytes", "A header says that it has 2^62 bytes", ["SEC-002", "WGT-001"], kit.package(None, kit.safetensors_raw(good, b"abcd", length=1 << 62)),
               rejected=("bytes", "HEADER_OUTSIDE_FILE", "model.safetensors"), twin=twin)
    for name, title, shape, end, requirement, code in (
        ("tensor-of-2-60-bytes", "A tensor says that it has 2^60 bytes", [1 << 50, 1 << 10], 1 << 60, "WGT-010", "TENSOR_OUTSIDE_FILE"),
        ("shape-of-2-60-elements", "A shape says that there are 2^60 elements", [1 << 50, 1 << 10], 4, "WGT-007", "TENSOR_SIZE_MISMATCH"),
    ):
        header = {"a": {"dtype": "U8", "shape": shape, "data_offsets": [0, end]}}
        yield Case(f"sec-002-{name}", title, ["SEC-002", requirement], package(header, b"abcd"), rejected=("semantic", code, "model.safetensors#/a/data_offsets"), twin=twin)
    packed = kit.entries(kit.package(PLAIN))
    yield Case("sec-002-members-that-the-file-holds", "Sizes of members that the archive holds", ["SEC-002", "PKG-021"], {kit.ARCHIVE: kit.zip_file(packed)}, profile="archive", accepted=kit.observe(PLAIN))
    wide = struct.pack("<HHQQ", 1, 16, 1 << 60, 1 << 60)
    huge = kit.Entry(packed[1].name, packed[1].data, size=0xFFFFFFFF, packed_size=0xFFFFFFFF, version_needed=45, local_extra=wide, central_extra=wide)
    yield Case("sec-002-member-of-2-60-bytes", "A member of an archive says that it has 2^60 bytes", ["SEC-002", "PKG-021"], {kit.ARCHIVE: kit.zip_file([packed[0], huge, *packed[2:]])},
               rejected=("bytes", "ARCHIVE_NOT_CONTIGUOUS", packed[1].name), twin="sec-002-members-that-the-file-holds", profile="archive")


def hostile_cases() -> Iterable[Case]:
    """Texts that end parsers by their depth."""
    twin = "sec-007-shallow"
    nested = {"format_version": "1.0", "layers": [{"name": "own", "type": "org.example:Own", "config": {"x": [[[[]]]]}}]}
    yield Case(twin, "A document that is not deep", ["SEC-007", "DOC-009"], kit.package(nested), accepted=kit.observe(nested))
    deep = kit.Generated((('{"a":' * 3 + "[", 50_000),))
    yield Case("sec-007-deep-architecture", "An architecture of 200,000 levels that never end", ["SEC-007", "DOC-009"], kit.package(deep),
               rejected=("json", "NESTING_TOO_DEEP", "architecture.json"), twin=twin)
    header = b'{"__metadata__":' + b"[" * 1800 + b"]" * 1800 + b"}"
    yield Case("sec-007-deep-header", "A header of 1,801 levels", ["SEC-007", "DOC-009"], kit.package(None, kit.safetensors_raw(header, b"")),
               rejected=("json", "NESTING_TOO_DEEP", "model.safetensors"), twin=twin)


def target_cases() -> Iterable[Case]:
    """Something stands where a writer is to write."""
    plain = kit.package(PLAIN)

    def case(name: str, title: str, existing: kit.Files | None, **more: kit.Json) -> Case:
        refused = {"rejected": ("resource", "", ""), "twin": "sec-013-nothing-there"}
        return Case(f"sec-013-{name}", title, ["SEC-013"], plain, op="rewrite", role="writer", existing=existing, **(more or refused))

    yield case("nothing-there", "Nothing stands where a package is to be written", None, accepted=kit.observe(PLAIN), written=plain)
    yield case("folder-of-other-files", "A folder that is no package", {"notes.txt": b"mine\n"})
    yield case("folder-with-another-manifest", "A folder whose manifest.json is another program's", {"manifest.json": b'{"members": {}}\n'})
    yield case("package-with-a-file-more", "A package that holds a file its manifest does not list", {**plain, "notes/today.txt": b"mine\n"})
    packed = {kit.ARCHIVE: kit.archive(plain)}
    yield Case("sec-013-old-archive", "An older archive is replaced", ["SEC-013"], plain, op="rewrite", role="writer", profile="archive", options={"form": "archive"},
               existing={kit.ARCHIVE: kit.archive(kit.package(None, {"a": ONE}))}, accepted=kit.observe(PLAIN), written=packed)


def limit_cases() -> Iterable[Case]:
    one = ONE[2]
    for name, title, good, bad, place in (
        ("axes", "A tensor has {} axes", (1,) * 32, (1,) * 33, "#/a/shape"),
        ("extent", "An extent is {}", (0, MOST), (0, MOST + 1), "#/a/shape"),
        ("elements", "A tensor without elements has axes of {} in all", (MOST, 128, 0), (MOST, 129, 0), "#/a/shape"),
    ):
        words = {"axes": (32, 33), "extent": ("2^53-1", "2^53"), "elements": ("2^60-2^7", "more than 2^60")}[name]
        payload = b"" if 0 in good else one
        yield Case(f"sec-016-{name}-at-limit", title.format(words[0]), ["SEC-016"], package({"a": entry(*good)}, payload),
                   accepted=kit.observe(None, {"a": ("float32", good, payload)}))
        yield Case(f"sec-016-{name}-beyond-limit", title.format(words[1]), ["SEC-016"], package({"a": entry(*bad)}, payload),
                   rejected=("resource", "LIMIT_EXCEEDED", f"model.safetensors{place}"), twin=f"sec-016-{name}-at-limit")
    for count, name in ((1024, "at-limit"), (1025, "beyond-limit")):
        header = {"__metadata__": {f"{number}": "" for number in range(count)}, "a": entry(1)}
        outcome = {"accepted": kit.observe(None, {"a": kit.f32([1], 1.0)})} if name == "at-limit" else {
            "rejected": ("resource", "LIMIT_EXCEEDED", "model.safetensors#/__metadata__"), "twin": "sec-016-metadata-at-limit"}
        yield Case(f"sec-016-metadata-{name}", f"A header has {count} entries of metadata", ["SEC-016"], package(header, one), **outcome)
