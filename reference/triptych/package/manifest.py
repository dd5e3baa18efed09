"""The manifest: which sections a package has, and the size and digests of every member."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from triptych.errors import Findings, pointer_token, shorten
from triptych.limits import Limits
from triptych.model import Json, Panels
from triptych.package import names

SECTIONS = ("architecture", "weights", "training", "training_state")
TENSOR_SUFFIX = ".safetensors"
INDEX_SUFFIX = ".safetensors.index.json"
DOCUMENT_SUFFIXES = (".json", ".yaml")
DIGEST_PLACEHOLDER = "sha256:" + 64 * "0"


def digest(content: bytes | memoryview) -> str:
    """The digest of `content` as the manifest spells it."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest that obeys its schema."""

    data: Mapping[str, Json]

    @property
    def sections(self) -> Mapping[str, str]:
        """Section -> member."""
        sections: Mapping[str, str] = self.data["sections"]
        return sections

    @property
    def members(self) -> Mapping[str, Mapping[str, Any]]:
        """Member -> its record."""
        members: Mapping[str, Mapping[str, Any]] = self.data["members"]
        return members

    def holds_tensors(self, name: str) -> bool:
        """Whether `name` is listed as a safetensors member."""
        return "tensor_digests" in self.members.get(name, {})

    def is_plain(self, name: str) -> bool:
        """Whether `name` is listed as a document, index or asset."""
        return "digest" in self.members.get(name, {})


def parse(content: memoryview, findings: Findings, limits: Limits) -> Manifest:
    """The manifest that `content` holds.

    Raises:
        InvalidModelError: It is no JSON document, or breaks the schema.
        UnsupportedError: It is of another version, or beyond a limit.
    """
    from triptych.documents import check_version, parse_json, schemas
    from triptych.documents.text import raise_problems

    data = parse_json(bytes(content), findings, limits=limits)
    check_version(data, findings)
    schemas.check("manifest", data, findings)
    raise_problems(findings)
    refuse_to_go_on(findings, "PKG-005", "manifest", data)
    return Manifest(data)


def refuse_to_go_on(findings: Findings, requirement: str, schema: str, data: Json) -> None:
    """Stop where `requirement` is switched off and `data` breaks the schema: what follows relies on its form."""
    from triptych.documents import schemas

    if not findings.enforces(requirement):
        broken = Findings()
        schemas.check(schema, data, broken)
        if broken.problems:
            findings.fatal(requirement, "", "expected data of the schema's form")


def check_sections(manifest: Manifest, findings: Findings) -> None:
    """Add a problem for every section whose member is not listed as what the section needs."""
    for section, name in manifest.sections.items():
        at = f"/sections/{section}"
        if section in ("weights", "training_state"):
            fits = manifest.holds_tensors(name) if name.endswith(TENSOR_SUFFIX) else name.endswith(INDEX_SUFFIX) and manifest.is_plain(name)
            wanted = f"a listed member *{TENSOR_SUFFIX} with tensor digests, or *{INDEX_SUFFIX} with a digest"
        else:
            fits = name.endswith(DOCUMENT_SUFFIXES) and manifest.is_plain(name)
            wanted = "a listed member *.json or *.yaml with a digest"
        if not fits:
            findings.add("PKG-013", at, f"expected {wanted}, got {shorten(name)}")
    if "training_state" in manifest.sections and "training" not in manifest.sections:
        findings.add("PKG-014", "/sections", "expected the section training beside training_state, got none")


def check_listing(manifest: Manifest, sizes: Mapping[str, int], findings: Findings) -> Iterator[str]:
    """Yield the listed members that are there; add a problem for every other, and for files not listed."""
    inside = findings.at(names.MANIFEST)
    for name in sizes:
        if name not in manifest.members and name not in (names.MANIFEST, names.MIMETYPE):
            findings.add("PKG-019", names.spelled(name), f"expected every file to be listed in the manifest, {shorten(name)} is not")
    for name in manifest.members:
        at = f"/members/{pointer_token(name)}"
        if name in (names.MANIFEST, names.MIMETYPE) and inside.enforces("PKG-018"):
            inside.add("PKG-018", at, f"expected neither {names.MANIFEST!r} nor {names.MIMETYPE!r} to be listed, got {shorten(name)}")
        elif name not in sizes:
            # No member can have an ill-formed name, so that of the two faults the name is the one to mend.
            fault = names.member_name_fault(name)
            if fault is not None:
                inside.add("PKG-002", at, f"{fault}, got {shorten(name)}")
            else:
                report = inside.add if inside.enforces("PKG-006") else inside.fatal
                report("PKG-006", at, f"expected the listed member {shorten(name)} to be there, it is missing")
        else:
            yield name


def to_data(panels: Panels, sections: Mapping[str, str], members: Mapping[str, Json]) -> dict[str, Json]:
    """The manifest of `panels`, members in their order."""
    from triptych.documents import FORMAT_VERSION
    from triptych.documents.members import in_order
    from triptych.documents.scalars import spell

    data: dict[str, Json] = {"format": "triptych", "format_version": FORMAT_VERSION}
    if panels.name is not None:
        data["name"] = panels.name
    data["sections"] = {section: sections[section] for section in SECTIONS if section in sections}
    data["members"] = {name: members[name] for name in sorted(members)}
    if panels.producer:
        data["producer"] = {key: panels.producer[key] for key in ("name", "version") if key in panels.producer}
    if panels.license is not None:
        data["license"] = panels.license
    if panels.provenance:
        data["provenance"] = in_order(panels.provenance)
    if panels.metadata:
        data["metadata"] = in_order(panels.metadata)
    if panels.extensions_used:
        data["extensions_used"] = sorted(panels.extensions_used)
    if panels.extensions_required:
        data["extensions_required"] = sorted(panels.extensions_required)
    if panels.extensions:
        data["extensions"] = in_order(spell(panels.extensions))
    return data


def document_record(content: bytes) -> dict[str, Json]:
    """The record of a document or index."""
    return {"size": len(content), "digest": digest(content)}


def tensor_record(size: int, header_digest: str, tensor_digests: Mapping[str, str]) -> dict[str, Json]:
    """The record of a safetensors member."""
    return {"size": size, "header_digest": header_digest, "tensor_digests": {name: tensor_digests[name] for name in sorted(tensor_digests)}}
