"""Reads a package: container, manifest, members, documents, what relates them, and in a full reading every digest.

Opening touches headers and documents; a tensor's bytes are looked at when somebody reads them, and verified then.
"""

# ruff: noqa: PTH116 - plain strings, each handed to the system as it is

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Literal, TypeVar

from triptych.errors import (
    PROBLEM_LIMIT,
    Findings,
    InvalidModelError,
    Problem,
    UnsupportedError,
    UsageError,
    first_stage,
    pointer_token,
    problem,
    shorten,
)
from triptych.limits import DEFAULT_LIMITS, Limits
from triptych.model import Architecture, Json, Panels, Tensor, Training, Weights
from triptych.package import atomic, manifest, names, shards
from triptych.package.containers import Container, open_container
from triptych.package.safetensors_file import TensorFile, read_header
from triptych.package.safetensors_header import collector_paused

Verify = Literal["lazy", "full", "off"]
_Parsed = TypeVar("_Parsed")
_Task = list[tuple[TensorFile, str, str]]
"""Tensors to verify: file, name, digest."""
_ATTEMPTS = 16
"""How often a reader starts again because the folder it reads was replaced meanwhile."""
_HASH_BYTES = 4 << 20
"""Bytes of tensors that one task of a full reading verifies, at least."""


def read_package(
    path: str | os.PathLike[str], *, limits: Limits = DEFAULT_LIMITS, verify: Verify = "lazy", findings: Findings | None = None
) -> Panels:
    """The model in the package at `path`, a folder or an archive.

    Args:
        path: The folder or the file.
        limits: What the reader may spend.
        verify: When digests are checked: those of documents and headers now and each tensor's on first use ("lazy"), all now
            ("full"), none ever ("off").
        findings: Where problems are collected; with requirements disabled, for the suite's own tests.

    Raises:
        InvalidModelError: The package breaks the specification; all problems of the stage are listed.
        UnsupportedError: A limit is exceeded, or the package needs what this reader does not know.
        OSError: The package cannot be read.
    """
    if verify not in ("lazy", "full", "off"):
        raise UsageError(f"expected verify to be 'lazy', 'full' or 'off', got {shorten(verify)}")
    return _pinned(os.fspath(path), findings or Findings(), limits, verify, collect=False)



def validate_package(
    path: str | os.PathLike[str], *, limits: Limits = DEFAULT_LIMITS, full: bool = False, disabled: frozenset[str] = frozenset()
) -> tuple[Problem, ...]:
    """The problems of the package at `path`, of each document all of its first stage with any; with `full`, after verifying every digest and checksum.

    Raises:
        OSError: The package cannot be read.
    """
    findings = Findings(disabled)
    try:
        _pinned(os.fspath(path), findings, limits, "full" if full else "lazy", collect=True)
    except (InvalidModelError, UnsupportedError) as error:
        found = tuple(dict.fromkeys((*error.problems, *findings.problems)))
    else:
        found = tuple(findings.problems)
    for member in {one.place.partition("#")[0] for one in found if one.place.partition("#")[0].endswith((".json", ".yaml"))} - {names.MANIFEST}:
        found = first_stage(found, member)
    return found[:PROBLEM_LIMIT]


def _pinned(path: str, findings: Findings, limits: Limits, verify: Verify, *, collect: bool) -> Panels:
    """Read what stands at `path`; again from the start if it was replaced while it was being opened."""
    before = list(findings.problems)
    for _ in range(_ATTEMPTS):
        place = path if os.path.lexists(path) else atomic.displaced(path) or path
        facts = os.stat(place)
        try:
            container = open_container(place, findings, limits)
            with collector_paused():
                panels = _Reading(container, findings, limits, verify, collect=collect).panels()
            if len(findings.problems) == len(before) or not _replaced(place, facts):
                return panels
        except (OSError, InvalidModelError):
            if not _replaced(place, facts):
                raise
        findings.problems[:] = before
    raise OSError(f"{path!r} was replaced again and again while it was being read")


def _replaced(path: str, facts: os.stat_result) -> bool:
    try:
        now = os.stat(path)
    except FileNotFoundError:
        return True
    return (now.st_ino, now.st_dev) != (facts.st_ino, facts.st_dev)


class _Reading:
    """One reading, stage by stage. When collecting, a stage goes on without what is broken; otherwise its problems are raised."""

    def __init__(self, container: Container, findings: Findings, limits: Limits, verify: Verify, *, collect: bool) -> None:
        self.container = container
        self.findings = findings
        self.limits = limits
        self.verify = verify
        self.collect = collect
        self.files: dict[str, TensorFile] = {}

    def panels(self) -> Panels:
        """The model."""
        self._end_stage()
        self._read_manifest()
        self._check_members()
        self._end_stage()
        weights, state = self._tensors("weights"), self._tensors("training_state")
        self._check_kinds()
        self._end_stage()
        architecture, training = self._architecture(), self._training(state)
        self._end_stage()
        panels = self._assemble(architecture, weights, training)
        self._check_meaning(panels)
        self._end_stage()
        if self.verify == "full":
            self._verify_all()
            self._end_stage()
        return panels

    def _end_stage(self) -> None:
        if not self.collect:
            self.findings.raise_if_any()

    @contextmanager
    def _going_on(self) -> Iterator[None]:
        """When collecting, what ends the reading of one part does not end the reading; its problems are in the findings."""
        try:
            yield
        except (InvalidModelError, UnsupportedError):
            if not self.collect:
                raise

    # --- container and manifest

    def _read_manifest(self) -> None:
        if names.MANIFEST not in self.container.sizes:
            self.findings.fatal("PKG-001", None, f"expected the member {names.MANIFEST!r}, it is missing")
        content = self.container.content(names.MANIFEST)
        self._check_sum(names.MANIFEST)
        self.manifest = manifest.parse(content, self.findings.at(names.MANIFEST), self.limits)
        manifest.check_sections(self.manifest, self.findings.at(names.MANIFEST))

    def _check_members(self) -> None:
        """Listing, sizes, and the digests of everything small; what holds is in `sound`."""
        self.sound: set[str] = set()
        for name in manifest.check_listing(self.manifest, self.container.sizes, self.findings):
            record = self.manifest.members[name]
            content = self.container.content(name)
            if not self._size_fits(name, len(content)):
                # Somebody who edited a document wants to know what else her edit means.
                sound = self.collect and "digest" in record
            elif "digest" in record:
                later = self.verify != "full" and name not in self.manifest.sections.values()
                sound = later or self._digest_holds(name, "PKG-008", content, record["digest"])
            else:
                length = 8 + int.from_bytes(content[:8], "little")
                readable = len(content) >= 8 and length <= min(len(content), self.limits.header_bytes + 8)  # else the header's own fault
                sound = not readable or self._digest_holds(name, "PKG-009", content[:length], record["header_digest"])
            if sound:
                self.sound.add(name)
        if self.collect:  # somebody who edited a document wants to know what else her edit means
            self.sound.update(name for name in self.manifest.sections.values() if self.manifest.is_plain(name) and name in self.container.sizes)

    def _size_fits(self, name: str, size: int) -> bool:
        record = self.manifest.members[name]
        if size == record["size"] or (self.verify == "off" and "digest" in record) or not self.findings.enforces("PKG-007"):
            return True
        pointer = f"/members/{pointer_token(name)}/size"
        self.findings.at(names.MANIFEST).add("PKG-007", pointer, f"expected the size of {shorten(name)}, {size} bytes, got {record['size']}")
        return False

    def _digest_holds(self, name: str, requirement: str, content: memoryview, expected: str) -> bool:
        if self.verify == "off":
            return True
        actual = manifest.digest(content)
        if actual != expected and self.findings.enforces(requirement):
            what = "the header" if requirement == "PKG-009" else "the content"
            self.findings.add(requirement, names.spelled(name), f"expected {what} of {shorten(name)} to have the digest {expected}, got {actual}")
            return False
        return requirement == "PKG-009" or self._check_sum(name)

    def _check_sum(self, name: str) -> bool:
        if self.verify == "off" or not self.findings.enforces("PKG-029"):
            return True
        fault = self.container.checksum_fault(name)
        if fault is not None:
            self.findings.add("PKG-029", names.spelled(name), fault)
        return fault is None

    # --- tensors

    def _tensors(self, section: str) -> Weights | None:
        name = self.manifest.sections.get(section)
        if name not in self.sound:
            return None
        with self._going_on():
            if name.endswith(manifest.TENSOR_SUFFIX):
                if self.manifest.holds_tensors(name):
                    return Weights(self._file(name))
            elif name.endswith(manifest.INDEX_SUFFIX) and self.manifest.is_plain(name):
                return self._sharded(name)
        return None

    def _sharded(self, index: str) -> Weights:
        findings = self.findings.at(names.spelled(index))
        placed = shards.parse_index(self.container.content(index), self.manifest, findings, self.limits)
        files: dict[str, TensorFile] = {}
        for name in dict.fromkeys(placed.values()):
            if name in self.sound and self.manifest.holds_tensors(name):
                with self._going_on():
                    files[name] = self._file(name)
        shards.check_shards(files, placed, findings)
        return Weights(shards.ShardedTensors({tensor: file for file in files.values() for tensor in file}))

    def _file(self, name: str) -> TensorFile:
        content = self.container.content(name)
        before = len(self.findings.problems)
        header = read_header(content, self.findings.at(names.spelled(name)), limits=self.limits)
        if self.findings.problems[before:]:
            raise InvalidModelError(tuple(self.findings.problems[:PROBLEM_LIMIT]))
        digests = self.manifest.members[name]["tensor_digests"]
        if digests.keys() != header.entries.keys():
            pointer = f"/members/{pointer_token(name)}/tensor_digests"
            only = sorted(digests.keys() ^ header.entries.keys())
            message = f"expected one digest for each tensor of {shorten(name)}, got a difference at {', '.join(map(shorten, only[:3]))}"
            self.findings.at(names.MANIFEST).add("PKG-011", pointer, message)
        trusted = self.verify == "off" or not self.findings.enforces("PKG-010")
        file = TensorFile(names.spelled(name), content, header, None if trusted else digests)
        self.files[name] = file
        return file

    def _check_kinds(self) -> None:
        """A safetensors member belongs to a section, else nobody would read it."""
        for name in self.manifest.members:
            if self.manifest.holds_tensors(name) and name not in self.files and name in self.sound and not self.findings.problems:
                pointer = f"/members/{pointer_token(name)}"
                self.findings.at(names.MANIFEST).add("PKG-015", pointer, f"expected {shorten(name)} to belong to a section, as it has tensor digests; it does not")

    # --- documents

    def _document(self, section: str, parse: Callable[[Json, Findings], _Parsed]) -> _Parsed | None:
        """What `parse` makes of the plain data of a section's document; None where it is absent or broken."""
        from triptych.documents import parse_json, parse_yaml

        name = self.manifest.sections.get(section)
        if name not in self.sound or not self.manifest.is_plain(name) or not name.endswith((".json", ".yaml")):
            return None
        content = bytes(self.container.content(name))
        findings = self.findings.at(names.spelled(name))
        with self._going_on():
            if name.endswith(".yaml"):
                return parse(parse_yaml(content, findings, limits=self.limits), findings)
            limit = self.limits.training_bytes if section == "training" else self.limits.document_bytes
            return parse(parse_json(content, findings, limits=self.limits, size_limit=limit), findings)
        return None

    def _architecture(self) -> Architecture | None:
        from triptych.documents import parse_architecture

        return self._document("architecture", parse_architecture)

    def _training(self, state: Weights | None) -> Training | None:
        from dataclasses import replace

        from triptych.documents import parse_training

        training = self._document("training", parse_training)
        if training is not None:
            return training if state is None else replace(training, state=state)
        return None if state is None or self.collect else Training(state=state)

    def _assemble(self, architecture: Architecture | None, weights: Weights | None, training: Training | None) -> Panels:
        from triptych.documents.scalars import unspell

        data = self.manifest.data
        used = {*self.manifest.sections.values(), *self.files}
        assets = {
            name: Tensor("uint8", (self.container.sizes[name],), partial(self._asset, name))
            for name, record in self.manifest.members.items()
            if "digest" in record and name not in used and name in self.container.sizes
        }
        return Panels(
            architecture=architecture, weights=weights, training=training, assets=assets, name=data.get("name"),
            producer=data.get("producer", {}), license=data.get("license"), provenance=data.get("provenance", {}),
            metadata=data.get("metadata", {}), extensions_used=tuple(data.get("extensions_used", ())),
            extensions_required=tuple(data.get("extensions_required", ())), extensions=unspell(data.get("extensions", {})),
        )  # fmt: skip

    def _asset(self, name: str) -> memoryview:
        content = self.container.content(name)
        expected = self.manifest.members[name]["digest"]
        if self.verify == "lazy" and manifest.digest(content) != expected:
            message = f"expected the content of {shorten(name)} to have the digest {expected}, got {manifest.digest(content)}"
            raise InvalidModelError((problem("PKG-008", names.spelled(name), message),))
        return content

    def _check_meaning(self, panels: Panels) -> None:
        from triptych.checks import check_panels

        check_panels(panels, self.findings, {section: names.spelled(name) for section, name in self.manifest.sections.items()})

    # --- every byte

    def _verify_all(self) -> None:
        """Verify every tensor, in threads, and the container's own checksums."""
        tasks = list(self._tasks())
        for found in _in_threads(_verify, tasks) if len(tasks) > 1 else map(_verify, tasks):
            self.findings.problems.extend(found)
        broken = {found.place.partition("#")[0] for found in self.findings.problems}
        for name in sorted({*self.files, *self.container.sizes.keys() & {names.MIMETYPE}}):
            if names.spelled(name) not in broken:
                self._check_sum(name)

    def _tasks(self) -> Iterator[_Task]:
        task: _Task = []
        size = 0
        for name, file in self.files.items():
            digests: Mapping[str, str] = self.manifest.members[name]["tensor_digests"]
            for tensor in file if self.findings.enforces("PKG-010") else ():
                if tensor in digests:
                    task.append((file, tensor, digests[tensor]))
                    size += len(file.view(tensor))
                    if size >= _HASH_BYTES:
                        yield task
                        task, size = [], 0
        if task:
            yield task


def _in_threads(function: Callable[[_Task], list[Problem]], tasks: list[_Task]) -> Iterator[list[Problem]]:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        yield from pool.map(function, tasks)


def _verify(task: _Task) -> list[Problem]:
    found = (file.problem_of(tensor, expected) for file, tensor, expected in task)
    return [one for one in found if one is not None]
