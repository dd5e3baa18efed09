"""Cases of chapter 30: members, manifest, digests, and the one grammar of archives."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from dataclasses import replace

import _documents
import kit
from kit import Case as KitCase
from kit import Entry

ARCHITECTURE = {
    "format_version": "1.0",
    "inputs": [{"name": "x", "shape": [None, 2]}],
    "layers": [{"name": "dense", "type": "Dense", "config": {"units": 2}}],
}
TENSORS = {"dense.kernel": kit.f32([2, 2], 1.0, -2.0, 0.5, 0.0), "dense.bias": kit.f32([2], 0.25, -0.0)}
LABELS = {"assets/labels.txt": b"cat\ndog\n"}
SEEN = kit.observe(ARCHITECTURE, TENSORS, assets=LABELS)
TRAINING = {"format_version": "1.0"}
STATE = {"optimizer.step": ("int64", (), (7).to_bytes(8, "little"))}

FOLDER = ["PKG-001", "PKG-005", "PKG-006", "PKG-007", "PKG-008", "PKG-009", "PKG-010", "PKG-011", "PKG-013", "PKG-015", "PKG-018", "PKG-019"]
ARCHIVE = [f"PKG-{number:03}" for number in (2, 3, 16, 17, *range(20, 31))]


def Case(id_: str, title: str, requirements: Iterable[str], *more, **options) -> KitCase:  # noqa: N802 - stands for the class
    """A case whose primary requirement, which its id begins with, comes first."""
    primary = id_[:7].upper()
    return KitCase(id_, title, [primary, *(name for name in requirements if name != primary)], *more, **options)


def files(**options) -> dict[str, bytes]:
    return kit.package(ARCHITECTURE, TENSORS, assets=LABELS, **options)


def folder_cases() -> Iterable[KitCase]:
    yield Case("pkg-001-folder", "A folder with two sections and an asset", [*FOLDER, "PKG-004"], files(), accepted=SEEN)
    yield Case("pkg-005-weights-alone", "Weights alone are a package", FOLDER, kit.package(None, TENSORS), accepted=kit.observe(None, TENSORS))
    yield Case("pkg-005-architecture-alone", "An architecture alone is a package", FOLDER, kit.package(ARCHITECTURE),
               accepted=kit.observe(ARCHITECTURE))
    everything = {
        "name": "net", "producer": {"name": "a program", "version": "3"}, "license": "Apache-2.0",
        "provenance": {"source": "made up"}, "metadata": {"note": "two\nlines", "": "empty"},
    }  # fmt: skip
    yield Case("pkg-005-every-member", "A manifest has every member of its table", FOLDER, files(manifest=everything), accepted=SEEN)
    yield Case("pkg-016-folder-with-mimetype", "An unpacked archive has its mimetype", ["PKG-016", "PKG-018", "PKG-019"],
               files(raw={"mimetype": kit.MIMETYPE}), accepted=SEEN)
    yield Case("pkg-016-other-content", "The member mimetype holds another type", ["PKG-016"], files(raw={"mimetype": b"application/zip"}),
               rejected=("bytes", "MIMETYPE_WRONG", "mimetype"), twin="pkg-016-folder-with-mimetype")
    yield Case("pkg-016-line-break", "The member mimetype ends with a line break", ["PKG-016"], files(raw={"mimetype": kit.MIMETYPE + b"\n"}),
               rejected=("bytes", "MIMETYPE_WRONG", "mimetype"), twin="pkg-016-folder-with-mimetype")
    yield Case("pkg-001-no-manifest", "The manifest is missing", ["PKG-001"], files(raw={"manifest.json": None}),
               rejected=("bytes", "MANIFEST_MISSING", ""), twin="pkg-001-folder")
    yield Case("pkg-004-symbolic-link", "A member is a symbolic link to a listed one", ["PKG-004"],
               files(replace={"assets/copy.txt": LABELS["assets/labels.txt"]}, raw={"assets/copy.txt": None}), links={"assets/copy.txt": "labels.txt"},
               rejected=("bytes", "MEMBER_NOT_REGULAR", "assets/copy.txt"), twin="pkg-001-folder")
    yield Case("pkg-019-unlisted-file", "A file is not listed", ["PKG-019"], files(raw={"notes.txt": b"hello"}),
               rejected=("semantic", "MEMBER_UNLISTED", "notes.txt"), twin="pkg-001-folder")
    yield Case("pkg-006-missing-asset", "A listed asset is missing", ["PKG-006"], files(raw={"assets/labels.txt": None}),
               rejected=("semantic", "MEMBER_MISSING", "manifest.json#/members/assets~1labels.txt"), twin="pkg-001-folder")
    shards = [["dense.bias"], ["dense.kernel"]]
    yield Case("pkg-006-shards", "Weights in two shards", ["PKG-006"], files(shards=shards), accepted=SEEN, profile="sharded")
    yield Case("pkg-006-missing-shard", "A shard is missing", ["PKG-006"], files(shards=shards, raw={"model-00002-of-00002.safetensors": None}),
               rejected=("semantic", "MEMBER_MISSING", "manifest.json#/members/model-00002-of-00002.safetensors"), twin="pkg-006-shards", profile="sharded")


def set_at(*path: str | int) -> Callable[[object], Callable[[dict], None]]:
    """A function of a value that edits a manifest: puts the value at this path."""

    def with_value(value: object) -> Callable[[dict], None]:
        def edit(manifest: dict) -> None:
            at = manifest
            for token in path[:-1]:
                at = at[token]
            at[path[-1]] = value

        return edit

    return with_value


def manifest_cases() -> Iterable[KitCase]:
    zero = "sha256:" + 64 * "0"

    def schema(name: str, title: str, edit: Callable[[dict], None], pointer: str) -> KitCase:
        return Case(f"pkg-005-{name}", title, ["PKG-005"], files(manifest_edit=edit),
                    rejected=("schema", "MANIFEST_MALFORMED", f"manifest.json#{pointer}"), twin="pkg-001-folder")

    yield schema("other-format", "The manifest is of another format", set_at("format")("tryptich"), "/format")
    yield schema("no-sections", "A package has no section", set_at("sections")({}), "/sections")
    yield schema("unknown-section", "A section has an unknown name", set_at("sections", "tokenizer")("assets/labels.txt"), "/sections/tokenizer")
    yield schema("unknown-member", "The manifest has an unknown member", set_at("created")("yesterday"), "/created")
    yield schema("digest-in-capitals", "A digest has upper-case digits",
                 set_at("members", "assets/labels.txt", "digest")("sha256:" + 64 * "A"), "/members/assets~1labels.txt/digest")
    yield schema("negative-size", "A member has a negative size", set_at("members", "assets/labels.txt", "size")(-1), "/members/assets~1labels.txt/size")
    yield Case("pkg-007-size-too-large", "The manifest records a byte too many", ["PKG-007"],
               files(manifest_edit=set_at("members", "assets/labels.txt", "size")(9)),
               rejected=("semantic", "MEMBER_SIZE_MISMATCH", "manifest.json#/members/assets~1labels.txt/size"), twin="pkg-001-folder")
    yield Case("pkg-008-asset-digest", "An asset has another digest", ["PKG-008"],
               files(manifest_edit=set_at("members", "assets/labels.txt", "digest")(zero)),
               rejected=("semantic", "MEMBER_DIGEST_MISMATCH", "assets/labels.txt"), twin="pkg-001-folder")
    yield Case("pkg-008-architecture-digest", "The architecture has another digest", ["PKG-008"],
               files(manifest_edit=set_at("members", "architecture.json", "digest")(zero)),
               rejected=("semantic", "MEMBER_DIGEST_MISMATCH", "architecture.json"), twin="pkg-001-folder")
    yield Case("pkg-008-asset-edited", "An asset was edited after saving", ["PKG-008"], files(raw={"assets/labels.txt": b"cat\ncow\n"}),
               rejected=("semantic", "MEMBER_DIGEST_MISMATCH", "assets/labels.txt"), twin="pkg-001-folder")
    yield Case("pkg-009-header-digest", "A header has another digest", ["PKG-009"],
               files(manifest_edit=set_at("members", "model.safetensors", "header_digest")(zero)),
               rejected=("semantic", "HEADER_DIGEST_MISMATCH", "model.safetensors"), twin="pkg-001-folder")
    yield Case("pkg-010-tensor-digest", "A tensor has another digest", ["PKG-010"],
               files(manifest_edit=set_at("members", "model.safetensors", "tensor_digests", "dense.bias")(zero)),
               rejected=("semantic", "TENSOR_DIGEST_MISMATCH", "model.safetensors#/dense.bias"), twin="pkg-001-folder")
    damaged = bytearray(files()["model.safetensors"])
    damaged[-1] ^= 1
    yield Case("pkg-010-one-bit-flipped", "One bit of a tensor is flipped", ["PKG-010"], files(raw={"model.safetensors": bytes(damaged)}),
               rejected=("semantic", "TENSOR_DIGEST_MISMATCH", "model.safetensors#/dense.kernel"), twin="pkg-001-folder")
    place = "manifest.json#/members/model.safetensors/tensor_digests"
    yield Case("pkg-011-digest-missing", "A tensor has no digest", ["PKG-011"],
               files(manifest_edit=lambda manifest: manifest["members"]["model.safetensors"]["tensor_digests"].pop("dense.bias") and None),
               rejected=("semantic", "TENSOR_DIGESTS_INCOMPLETE", place), twin="pkg-001-folder")
    yield Case("pkg-011-digest-too-many", "There is a digest of no tensor", ["PKG-011"],
               files(manifest_edit=set_at("members", "model.safetensors", "tensor_digests", "dense.other")(zero)),
               rejected=("semantic", "TENSOR_DIGESTS_INCOMPLETE", place), twin="pkg-001-folder")
    yield Case("pkg-013-section-is-asset", "The architecture is a text file", ["PKG-013"],
               files(manifest_edit=set_at("sections", "architecture")("assets/labels.txt")),
               rejected=("semantic", "SECTION_MEMBER_UNFIT", "manifest.json#/sections/architecture"), twin="pkg-001-folder")
    yield Case("pkg-013-section-not-listed", "The architecture is not listed", ["PKG-013"],
               files(manifest_edit=set_at("sections", "architecture")("model.json")),
               rejected=("semantic", "SECTION_MEMBER_UNFIT", "manifest.json#/sections/architecture"), twin="pkg-001-folder")
    yield Case("pkg-014-state-with-training", "A training state beside its document", ["PKG-014"],
               kit.package(None, TENSORS, TRAINING, STATE), accepted=kit.observe(None, TENSORS, TRAINING, STATE), profile="training")
    yield Case("pkg-014-state-alone", "A training state without a training document", ["PKG-014"], kit.package(None, TENSORS, None, STATE),
               rejected=("semantic", "SECTION_TRAINING_MISSING", "manifest.json#/sections"), twin="pkg-014-state-with-training", profile="training")
    yield Case("pkg-015-tensors-of-no-section", "A safetensors member belongs to no section", ["PKG-015"],
               files(replace={"other.safetensors": kit.safetensors({"a": kit.f32([1])})}),
               rejected=("semantic", "MEMBER_WITHOUT_SECTION", "manifest.json#/members/other.safetensors"), twin="pkg-001-folder")
    loose = {"other.safetensors": kit.safetensors({"a": kit.f32([1])})}
    yield Case("pkg-009-header-of-no-section", "The header of a member of no section has another digest", ["PKG-009"],
               files(replace=loose, manifest_edit=set_at("members", "other.safetensors", "header_digest")(zero)),
               op="validate", role="validator", rejected=("semantic", "HEADER_DIGEST_MISMATCH", "other.safetensors"), twin="cnf-003-one-layer")
    yield Case("pkg-018-manifest-lists-mimetype", "The manifest lists mimetype", ["PKG-018"],
               files(replace={"mimetype": kit.MIMETYPE}),
               rejected=("semantic", "MEMBER_LISTED_WRONGLY", "manifest.json#/members/mimetype"), twin="pkg-016-folder-with-mimetype")


# --- archives

def entries(**options) -> list[Entry]:
    return kit.entries(files(**options))


def changed(name: str, **changes) -> bytes:
    """The archive with the entry `name` changed."""
    return kit.zip_file(replace(entry, **changes) if entry.name == name else entry for entry in entries())


def archive_case(id_: str, title: str, data: bytes, code: str, place: str = "") -> KitCase:
    requirement = id_[:7].upper()
    return Case(id_, title, [requirement], {kit.ARCHIVE: data}, profile="archive", rejected=("bytes", code, place), twin="pkg-020-archive")


BAD_NAMES = {
    "parent-folder": ("A member name leaves the package", "../evil.txt"),
    "parent-folder-inside": ("A member name goes up and down again", "assets/../evil.txt"),
    "absolute": ("A member name is absolute", "/evil.txt"),
    "backslash": ("A member name has a backslash", "assets\\evil.txt"),
    "drive": ("A member name begins with a drive", "C:evil.txt"),
    "hidden": ("A member name begins with a dot", ".git/config"),
    "trailing-dot": ("A member name ends with a dot", "assets/evil."),
    "trailing-space": ("A member name ends with a space", "assets/evil "),
    "empty-segment": ("A member name has an empty segment", "assets//evil.txt"),
    "folder-entry": ("A member is a folder", "assets/"),
    "device": ("A member name is a device of Windows", "assets/Aux.txt"),
    "device-with-a-superscript": ("A member name is a device of Windows with a superscript digit", "assets/com\u00b9.txt"),
    "device-before-a-space": ("A member name is a device of Windows, a space and a suffix", "assets/con .txt"),
    "tag-character": ("A member name has a character that tags a language", "assets/\U000e0001.txt"),
    "bidirectional": ("A member name turns the direction of writing", "assets/\u202egnp.exe"),
    "decomposed": ("A member name is in decomposed form", "assets/e\u0301.txt"),
    "control": ("A member name has a line break", "assets/a\nb.txt"),
    "deep": ("A member name has 17 segments", "a/" * 16 + "b"),
    "long-segment": ("A segment of a member name has 256 bytes", "a" * 256),
}


def archive_cases() -> Iterable[KitCase]:
    yield Case("pkg-020-archive", "An archive with two sections and an asset", ARCHIVE, {kit.ARCHIVE: kit.archive(files())}, profile="archive", accepted=SEEN)
    large = {"assets/large.bin": bytes(65536), "assets/\u00e9.txt": b"e", "a" * 255: b"", "/".join(["deep"] * 16): b"16"}
    yield Case("pkg-026-large-asset", "Members of every alignment, a name beyond ASCII, an empty one", ARCHIVE,
               {kit.ARCHIVE: kit.archive(kit.package(None, TENSORS, assets=large))}, profile="archive", accepted=kit.observe(None, TENSORS, assets=large))
    yield Case("pkg-017-text-file", "A file is neither folder nor archive", ["PKG-017"], {kit.ARCHIVE: kit.document(ARCHITECTURE)}, profile="archive",
               rejected=("bytes", "PACKAGE_UNRECOGNISED", ""), twin="pkg-020-archive")
    yield Case("pkg-017-empty-file", "A file is empty", ["PKG-017"], {kit.ARCHIVE: b""}, profile="archive",
               rejected=("bytes", "PACKAGE_UNRECOGNISED", ""), twin="pkg-020-archive")
    for name, (title, member) in BAD_NAMES.items():
        data = kit.archive(kit.package(None, TENSORS, assets={member: b"x"}))
        yield archive_case(f"pkg-002-{name}", title, data, "MEMBER_NAME_INVALID", ascii(member)[1:-1])
    for name, title, first, second in (
        ("case", "Two names differ in case only", "assets/A.txt", "assets/a.txt"),
        ("compatibility", "Two names differ in compatibility forms only", "assets/f\u0131\ufb01.txt", "assets/f\u0131fi.txt"),
        ("ignorable", "Two names differ in an ignorable character only", "assets/a.txt", "assets/a\ufe0f.txt"),
        ("file-and-folder", "A member is a folder of another", "assets/a", "assets/a/b"),
        ("folder-case", "Two folders differ in case only", "Assets/a", "assets/b"),
    ):
        later = max(first, second, key=str.encode)
        data = kit.archive(kit.package(None, TENSORS, assets={first: b"x", second: b"y"}))
        yield archive_case(f"pkg-003-{name}", title, data, "MEMBER_NAME_CLASH", ascii(later)[1:-1])
    twice = entries()
    twice.insert(3, twice[2])
    yield archive_case("pkg-003-member-twice", "A member stands in the archive twice", kit.zip_file(twice), "MEMBER_NAME_CLASH", "assets/labels.txt")
    whole = kit.archive(files())
    yield archive_case("pkg-020-last-byte-missing", "The last byte is missing", whole[:-1], "ARCHIVE_BROKEN")
    yield archive_case("pkg-020-half", "The second half is missing", whole[: len(whole) // 2], "ARCHIVE_BROKEN")
    yield archive_case("pkg-020-local-header-missing", "A local header is not where the directory says",
                       whole.replace(b"PK\x03\x04", b"PK\x03\x05", 2).replace(b"PK\x03\x05", b"PK\x03\x04", 1), "ARCHIVE_BROKEN", "architecture.json")
    yield archive_case("pkg-021-prefix", "Something stands before the first member", kit.zip_file(entries(), prefix=b"#!/bin/sh\n"), "ARCHIVE_NOT_CONTIGUOUS", "mimetype")
    yield archive_case("pkg-021-suffix", "Something stands after the end", whole + b"\0", "ARCHIVE_NOT_CONTIGUOUS")
    yield archive_case("pkg-021-gap", "Something stands between two members", changed("assets/labels.txt", descriptor=bytes(64)),
                       "ARCHIVE_NOT_CONTIGUOUS", "model.safetensors")
    yield archive_case("pkg-021-overlap", "Two entries share a local header", kit.zip_file(
        replace(entry, offset_shift=-len(_until(entries(), "assets/labels.txt"))) if entry.name == "assets/labels.txt" else entry for entry in entries()),
        "ARCHIVE_NOT_CONTIGUOUS", "assets/labels.txt")
    yield archive_case("pkg-021-hidden-member", "A member is not in the central directory", changed("assets/labels.txt", listed=False),
                       "ARCHIVE_NOT_CONTIGUOUS", "model.safetensors")
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    deflated = compressor.compress(LABELS["assets/labels.txt"]) + compressor.flush()
    yield archive_case("pkg-022-deflated", "A member is compressed", changed("assets/labels.txt", method=8, stored=deflated), "ARCHIVE_COMPRESSED", "assets/labels.txt")
    yield archive_case("pkg-022-other-size", "A stored member has two sizes", changed("assets/labels.txt", size=1 << 30), "ARCHIVE_COMPRESSED", "assets/labels.txt")
    yield archive_case("pkg-023-data-descriptor", "A member has a data descriptor", changed("assets/labels.txt", flags=8), "ARCHIVE_FLAGS", "assets/labels.txt")
    yield archive_case("pkg-023-encrypted", "A member says that it is encrypted", changed("assets/labels.txt", flags=1), "ARCHIVE_FLAGS", "assets/labels.txt")
    yield archive_case("pkg-023-needless-utf8", "The UTF-8 flag stands for an ASCII name", changed("assets/labels.txt", flags=0x0800), "ARCHIVE_FLAGS", "assets/labels.txt")
    yield archive_case("pkg-024-other-name", "The local header has another name", changed("assets/labels.txt", local_name="assets/labelz.txt"),
                       "ARCHIVE_HEADERS_DIFFER", "assets/labels.txt")
    yield archive_case("pkg-025-archive-comment", "The archive has a comment", kit.zip_file(entries(), comment=b"hi"), "ARCHIVE_COMMENT")
    yield archive_case("pkg-025-member-comment", "A member has a comment", changed("assets/labels.txt", comment=b"hi"), "ARCHIVE_COMMENT", "assets/labels.txt")
    stamp = b"UT\x05\x00\x01\x00\x00\x00\x00"
    yield archive_case("pkg-026-timestamp", "The directory has an extra field with a time", changed("assets/labels.txt", central_extra=stamp),
                       "ARCHIVE_EXTRA_FIELD", "assets/labels.txt")
    yield archive_case("pkg-026-local-timestamp", "A local header has an extra field with a time", changed("assets/labels.txt", local_extra=stamp),
                       "ARCHIVE_EXTRA_FIELD", "assets/labels.txt")
    yield archive_case("pkg-026-not-aligned", "The data of a member are not aligned", changed("assets/labels.txt", align=1),
                       "ARCHIVE_EXTRA_FIELD", "assets/labels.txt")
    moved = entries()
    moved[1], moved[2] = moved[2], moved[1]
    yield archive_case("pkg-027-not-sorted", "Two members are not in order", kit.zip_file(moved), "ARCHIVE_ORDER", "architecture.json")
    moved = entries()
    moved.insert(1, moved.pop())
    yield archive_case("pkg-027-manifest-first", "The manifest is not last", kit.zip_file(moved), "ARCHIVE_ORDER", "architecture.json")
    yield archive_case("pkg-027-no-mimetype", "The archive does not begin with mimetype", kit.zip_file(entries()[1:]), "ARCHIVE_ORDER")
    yield archive_case("pkg-028-time", "A member has a time", changed("assets/labels.txt", time=1), "ARCHIVE_FIELD", "assets/labels.txt")
    yield archive_case("pkg-028-symbolic-link", "A member says that it is a symbolic link", changed("assets/labels.txt", attributes=0o120777 << 16),
                       "ARCHIVE_FIELD", "assets/labels.txt")
    yield archive_case("pkg-029-asset-checksum", "The checksum of an asset is wrong", changed("assets/labels.txt", crc=0), "ARCHIVE_CHECKSUM_MISMATCH", "assets/labels.txt")
    yield archive_case("pkg-029-tensors-checksum", "The checksum of the weights is wrong", changed("model.safetensors", crc=0),
                       "ARCHIVE_CHECKSUM_MISMATCH", "model.safetensors")
    yield archive_case("pkg-030-needless-zip64", "A size refers to ZIP64 and there is none",
                       kit.zip_file(entries(), end_edit=lambda end: end[:8] + b"\xff\xff\xff\xff" + end[12:]), "ARCHIVE_ZIP64")


def _until(all_entries: list[Entry], name: str) -> bytes:
    """The local headers and data from the start of the archive's entry before `name` to that of `name`."""
    before = [entry.name for entry in all_entries].index(name)
    return kit.zip_file(all_entries[:before], end_edit=lambda _: b"").partition(b"PK\x01\x02")[0][_start(all_entries, before - 1) :]


def _start(all_entries: list[Entry], index: int) -> int:
    return len(kit.zip_file(all_entries[:index], end_edit=lambda _: b"").partition(b"PK\x01\x02")[0])


def cases() -> Iterable[KitCase]:
    yield from folder_cases()
    yield from _documents.pkg_cases()
    yield from manifest_cases()
    yield from archive_cases()
