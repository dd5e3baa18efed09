"""Cases of the limits on sizes and counts (chapters 10 and 80): what is just within them and just beyond; too large to keep, the runner makes it."""

from __future__ import annotations

import json
from collections.abc import Iterable

import kit
from kit import Case, Generated

PLAIN = {"format_version": "1.0", "layers": [{"name": "flat", "type": "Flatten"}]}
TRAINING = {"format_version": "1.0", "optimizer": {"type": "SGD", "config": {"learning_rate": 0.1}}}
ENTRY = '{"dtype":"U8","shape":[0],"data_offsets":[0,0]}'
NOTHING = kit.digest(b"")
Parts = tuple[tuple[str, int] | tuple[str, int, int], ...]


def compact(data: kit.Json) -> str:
    return json.dumps(data, separators=(",", ":"))


def values(data: kit.Json) -> int:
    """How many values `data` holds, itself among them."""
    inside = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    return 1 + sum(map(values, inside))


def cut(data: kit.Json) -> tuple[str, str]:
    """The text of `data` around the one string ``HERE`` in it."""
    before, after = compact(data).split('"HERE"')
    return before, after


def manifest(**more: kit.Json) -> dict[str, kit.Json]:
    """The manifest of an architecture alone, as data."""
    made = kit.package(PLAIN, manifest=more)["manifest.json"]
    assert isinstance(made, bytes)
    found: dict[str, kit.Json] = json.loads(made)
    return found


def pair(id_: str, title: str, requirement: str, at: kit.Files, beyond: kit.Files, seen: kit.Json, place: str, words: tuple[str, str], **more: kit.Json) -> Iterable[Case]:  # noqa: PLR0917 - a row of a table
    """What is within a limit, and what is one more."""
    code = {"DOC-010": "DOCUMENT_LIMIT_EXCEEDED", "SEC-016": "LIMIT_EXCEEDED"}[requirement]
    yield Case(f"{id_}-at-limit", title.format(words[0]), [requirement], at, accepted=seen, **more)
    yield Case(f"{id_}-beyond-limit", title.format(words[1]), [requirement], beyond, rejected=("resource", code, place), twin=f"{id_}-at-limit", **more)


def of_documents() -> Iterable[Case]:
    """DOC-010: bytes, values and strings."""
    seen = kit.observe(PLAIN)

    def with_manifest(*parts: tuple[str, int]) -> dict[str, bytes | Generated]:
        return kit.package(PLAIN, raw={"manifest.json": Generated(parts)})  # type: ignore[dict-item]

    twin, whole, size = "doc-010-bytes-of-a-string-at-limit", compact(manifest()), (64 << 20) + 1
    files = with_manifest((whole[:-1], 1), (" " * 1024, (size - len(whole)) // 1024), (" " * ((size - len(whole)) % 1024) + "}", 1))
    yield Case("doc-010-bytes-of-a-manifest-beyond-limit", f"A manifest has {size:,} bytes", ["DOC-010"], files, rejected=("resource", "DOCUMENT_LIMIT_EXCEEDED", "manifest.json"), twin=twin)
    before, after = cut(manifest(metadata={"note": "HERE"}))
    at, beyond = (with_manifest((before + '"', 1), ("é", size // 2), ("x" * (size % 2) + '"' + after, 1)) for size in (1 << 20, (1 << 20) + 1))
    yield from pair("doc-010-bytes-of-a-string", "A string has {} bytes", "DOC-010", at, beyond, seen, "manifest.json#/metadata/note", (f"{1 << 20:,}", f"{(1 << 20) + 1:,}"))
    data = manifest(extensions_used=["EXT_a"], extensions={"EXT_a": {"x": ["HERE"]}})
    before, after = cut(data)
    others = values(data) - 1
    files = with_manifest((before + "0", 1), (",0", 4_000_000 - others), (after, 1))
    yield Case("doc-010-values-beyond-limit", "A manifest has 4,000,001 values", ["DOC-010"], files, rejected=("resource", "DOCUMENT_LIMIT_EXCEEDED", "manifest.json"), twin=twin)
    whole = compact(TRAINING)
    at, beyond = (kit.package(training=Generated(((whole[:-1], 1), (" " * 1024, size // 1024), (" " * (size % 1024) + "}", 1))))
                  for size in ((16 << 20) - len(whole), (16 << 20) - len(whole) + 1))
    yield from pair("doc-010-bytes-of-a-training-document", "A training document has {} bytes", "DOC-010", at, beyond, kit.observe(training=TRAINING), "training.json",
                    (f"{16 << 20:,}", f"{(16 << 20) + 1:,}"), profile="training")


def header(parts: Parts, payload: str, length: int | None = None) -> Generated:
    """A safetensors file with this header, spaces behind its first brace; without a `length`, as many as make every byte of that one of ASCII."""
    size = len(Generated(parts).content()) + 1
    wanted = length or next(one for one in range(size, size << 1) if all(byte < 0x80 for byte in one.to_bytes(8, "little")))
    spaces = wanted - size
    return Generated(((wanted.to_bytes(8, "little").decode() + "{", 1), (" " * 1024, spaces // 1024), (" " * (spaces % 1024), 1), *parts, (payload, 1)))


def tensors(file: Generated) -> dict[str, bytes | Generated]:
    return kit.package(None, None, replace={"model.safetensors": file}, manifest_edit=lambda m: m["sections"].update(weights="model.safetensors"))  # type: ignore[dict-item]


def of_packages() -> Iterable[Case]:
    """SEC-016: bytes of headers, and how many tensors, shards and members there are."""
    seen = kit.observe(None, {"a": ("uint8", (1,), b"x")})
    parts: Parts = (('"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1),)
    at, beyond = (tensors(header(parts, "x", size)) for size in (1 << 25, (1 << 25) + 1))
    yield from pair("sec-016-header", "A header has {} bytes", "SEC-016", at, beyond, seen, "model.safetensors", (f"{1 << 25:,}", f"{(1 << 25) + 1:,}"))
    at, beyond = (tensors(header((('"__metadata__":{"é":"', 1), ("x", size), ('"},', 1), *parts), "x")) for size in ((1 << 20) - 2, (1 << 20) - 1))
    yield from pair("sec-016-bytes-of-metadata", "Metadata of a header have {} bytes", "SEC-016", at, beyond, seen, "model.safetensors#/__metadata__", (f"{1 << 20:,}", f"{(1 << 20) + 1:,}"))
    twin = "sec-016-header-at-limit"
    file = header(((f'"t{{}}":{ENTRY},', 200_000, 0), (f'"u":{ENTRY}}}', 1)), "")
    files = {"model.safetensors": file, **kit.package(None, None, manifest={"sections": {"weights": "model.safetensors"}, "members": {  # its tensors are not listed: a limit hides that
        "model.safetensors": {**kit.member_record("model.safetensors", file.content()), "tensor_digests": {}}}})}
    yield Case("sec-016-tensors-beyond-limit", "A file has 200,001 tensors", ["SEC-016"], files,
               rejected=("resource", "LIMIT_EXCEEDED", "model.safetensors"), twin=twin)
    shard = header(((f'"a":{ENTRY}}}', 1),), "")
    record, index = compact(kit.member_record("s.safetensors", shard.content())), "model.safetensors.index.json"
    mapped = Generated((('{"weight_map":{"t":"s0.safetensors"', 1), (',"t{}":"s{}.safetensors"', 4_097, 0), ("}}", 1)))
    before, after = cut({"format": "triptych", "format_version": "1.0", "sections": {"weights": index}, "members": {index: kit.member_record(index, mapped.content()), "s": "HERE"}})
    listed = Generated(((before.removesuffix(',"s":'), 1), (f',"s{{}}.safetensors":{record}', 4_097, 0), (after, 1)))
    yield Case("sec-016-shards-beyond-limit", "A section has 4,097 shards", ["SEC-016"], {index: mapped, "manifest.json": listed}, numbered={"s{}.safetensors": (4_097, shard.content().decode())},
               rejected=("resource", "LIMIT_EXCEEDED", f"{index}#/weight_map"), twin=twin, profile="sharded")
    plain = kit.package(PLAIN)
    before, after = cut({**manifest(), "members": {**manifest()["members"], "f": "HERE"}})
    listed = Generated(((before.removesuffix(',"f":'), 1), (f',"f{{}}.txt":{{"size":0,"digest":"{NOTHING}"}}', 9_999, 0), (after, 1)))
    yield Case("sec-016-members-beyond-limit", "A folder has 10,001 members", ["SEC-016"], {**plain, "manifest.json": listed}, numbered={"f{}.txt": (9_999, "")},
               rejected=("resource", "LIMIT_EXCEEDED", ""), twin=twin)
