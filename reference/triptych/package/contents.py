"""What goes into a package: documents, plans of safetensors files, assets, and the manifest with its digests still open."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

from triptych.errors import Findings, UsageError, pointer_token, shorten
from triptych.model import Json, Panels, Tensor
from triptych.package import manifest, names, safetensors_file, shards
from triptych.package.safetensors_file import Plan

Digests = dict[str, Mapping[str, str] | str]
"""Member -> its digest, or -> the digests of its header (under the empty name) and of its tensors."""


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything that goes into a package but its manifest."""

    documents: Mapping[str, bytes]
    """Documents and shard indexes."""
    files: Mapping[str, Plan]
    """safetensors members."""
    assets: Mapping[str, Tensor]
    sections: Mapping[str, str]

    def sizes(self) -> dict[str, int]:
        """Member -> bytes."""
        sizes = {name: len(content) for name, content in self.documents.items()}
        sizes.update((name, plan.size) for name, plan in self.files.items())
        sizes.update((name, asset.nbytes) for name, asset in self.assets.items())
        return sizes


def contents_of(panels: Panels, spelling: str, max_shard_bytes: int | None) -> Contents:
    """What a package of `panels` holds; reads no tensor."""
    from triptych.documents import architecture_to_data, dump_json, dump_yaml, training_to_data

    documents: dict[str, bytes] = {}
    files: dict[str, Plan] = {}
    sections: dict[str, str] = {}

    def add_document(section: str, data: Json) -> None:
        sections[section] = f"{section}.{spelling}"
        documents[sections[section]] = (dump_json(data) if spelling == "json" else dump_yaml(data)).encode()

    def add_tensors(section: str, stem: str, tensors: Mapping[str, Tensor]) -> None:
        parts = shards.split(tensors, stem, max_shard_bytes)
        files.update((name, safetensors_file.plan(part)) for name, part in parts.items())
        sections[section] = next(iter(parts))
        if len(parts) > 1:
            sections[section] = f"{stem}{manifest.INDEX_SUFFIX}"
            documents[sections[section]] = dump_json(shards.index_data(parts)).encode()

    if panels.architecture is not None:
        add_document("architecture", architecture_to_data(panels.architecture))
    if panels.weights is not None:
        add_tensors("weights", "model", panels.weights.tensors)
    if panels.training is not None:
        add_document("training", training_to_data(panels.training))
        if panels.training.state is not None:
            add_tensors("training_state", "training", panels.training.state.tensors)
    return Contents(documents, files, dict(panels.assets), sections)


def check_panels_fit(panels: Panels, contents: Contents) -> None:
    """Refuse a model that no reader would accept.

    Raises:
        InvalidModelError: It breaks the specification.
        UsageError: It has no panel, or an asset takes a name that it cannot have.
    """
    from triptych.checks import check_panels
    from triptych.documents import architecture_to_data, schemas, training_to_data

    if not contents.sections:
        raise UsageError("expected a model with an architecture, weights or training, got none of them")
    findings = Findings()
    if panels.architecture is not None:
        schemas.check("architecture", architecture_to_data(panels.architecture), findings.at(contents.sections["architecture"]))
    if panels.training is not None:
        schemas.check("training", training_to_data(panels.training), findings.at(contents.sections["training"]))
    for member, plan in contents.files.items():
        plain = names.are_plain(plan.tensors.keys()) and safetensors_file.METADATA not in plan.tensors
        for name in () if plain else plan.tensors:
            fault = names.tensor_name_fault(name)
            if fault is not None or name == safetensors_file.METADATA:
                findings.at(member).add("WGT-011", f"/{pointer_token(name)}", f"{fault or 'expected another name'}, got {shorten(name)}")
    own = {*contents.documents, *contents.files, names.MANIFEST, names.MIMETYPE}
    for name in contents.assets:
        fault = names.member_name_fault(name)
        if fault is not None or name in own:
            raise UsageError(f"{fault or 'expected an asset name that no other member has'}, got {shorten(name)}")
    for name, other in names.clashes([*sorted(own), *sorted(contents.assets)]):
        raise UsageError(f"expected member names that every file system keeps apart, got {shorten(name)} beside {shorten(other)}")
    findings.raise_if_any()
    check_panels(panels, findings, contents.sections)
    findings.raise_if_any()


class Template:
    """The manifest with every digest still open: its size is known before anything is written."""

    def __init__(self, panels: Panels, contents: Contents) -> None:
        from triptych.documents import dump_json

        blank = f"sha256:{secrets.token_hex(32)}"  # stands nowhere else in the text
        records: dict[str, Json] = {}
        for name, size in contents.sizes().items():
            if name in contents.files:
                records[name] = manifest.tensor_record(size, blank, dict.fromkeys(contents.files[name].tensors, blank))
            else:
                records[name] = {"size": size, "digest": blank}
        text = dump_json(manifest.to_data(panels, contents.sections, records))
        self._parts = text.split(blank)
        self.size = len(text.encode())

    def filled(self, digests: Digests) -> bytes:
        """The manifest with these digests of all members."""
        found: list[str] = []
        for name in sorted(digests):
            of_member = digests[name]
            found += [of_member] if isinstance(of_member, str) else [of_member[tensor] for tensor in sorted(of_member)]
        return "".join(chain.from_iterable(zip(self._parts, [*found, ""], strict=True))).encode()
