"""Compares every byte of a package with the digests of its manifest, and says which members and tensors differ.

Nothing is parsed but the manifest and the headers, so that what the package means does not matter; what no digest covers is the manifest
itself, whose own digest is the identity of the model.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from triptych.errors import Findings, InvalidModelError, Problem, pointer_token, shorten
from triptych.limits import DEFAULT_LIMITS, Limits
from triptych.package import manifest, names
from triptych.package.containers import Container, open_container
from triptych.package.manifest import Manifest
from triptych.package.safetensors_file import TensorFile, read_header


@dataclass(frozen=True, slots=True)
class Verification:
    """What came of comparing a package with its digests."""

    identity: str | None
    """The digest of the manifest; None where there is none to be read."""
    members: int
    """Compared members, the manifest not counted."""
    tensors: int
    """Compared tensors."""
    problems: tuple[Problem, ...]
    """Every member and tensor that differs, is missing or too many; not cut at any number."""


def verify_package(path: str | os.PathLike[str], *, limits: Limits = DEFAULT_LIMITS) -> Verification:
    """Compare the package at `path`, a folder or an archive, with its manifest.

    Raises:
        UnsupportedError: It is over a limit, or of a later version.
        OSError: It cannot be read.
    """
    findings = Findings()
    identity = None
    tasks: list[tuple[TensorFile, str, str]] = []
    listed: list[str] = []
    try:
        container = open_container(os.fspath(path), findings, limits)
        if names.MANIFEST not in container.sizes:
            findings.fatal("PKG-001", None, f"expected the member {names.MANIFEST!r}, it is missing")
        content = container.content(names.MANIFEST)
        identity = manifest.digest(content)
        _check_sum(container, names.MANIFEST, findings)
        said = manifest.parse(content, findings.at(names.MANIFEST), limits)
        listed = list(manifest.check_listing(said, container.sizes, findings))
        for name in listed:
            tasks += _member(container, said, name, findings, limits)
        if names.MIMETYPE in container.sizes:
            _check_sum(container, names.MIMETYPE, findings)
    except InvalidModelError as error:
        findings.problems.extend(one for one in error.problems if one not in findings.problems)
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        findings.problems.extend(one for one in pool.map(_compare, tasks) if one is not None)
    return Verification(identity, len(listed), len(tasks), tuple(dict.fromkeys(findings.problems)))


def _member(container: Container, said: Manifest, name: str, findings: Findings, limits: Limits) -> list[tuple[TensorFile, str, str]]:
    """Compare a listed member that is there; returns the tensors of it that are still to be compared."""
    record = said.members[name]
    content = container.content(name)
    if len(content) != record["size"]:
        pointer = f"/members/{pointer_token(name)}/size"
        findings.at(names.MANIFEST).add("PKG-007", pointer, f"expected the size of {shorten(name)}, {len(content)} bytes, got {record['size']}")
    if said.is_plain(name):
        _digest(name, "PKG-008", content, record["digest"], findings)
    _check_sum(container, name, findings)
    if said.is_plain(name):
        return []
    before = len(findings.problems)
    try:
        header = read_header(content, findings.at(name), limits=limits)
    except InvalidModelError:
        return []  # it is said, and without a header nothing tells where a tensor lies
    broken = len(findings.problems) > before
    _digest(name, "PKG-009", content[: header.start], record["header_digest"], findings)
    if broken:
        return []
    digests = record["tensor_digests"]
    for tensor in sorted(digests.keys() ^ header.entries.keys()):
        pointer = f"/members/{pointer_token(name)}/tensor_digests"
        findings.at(names.MANIFEST).add("PKG-011", pointer, f"expected one digest for each tensor of {shorten(name)}, got a difference at {shorten(tensor)}")
    file = TensorFile(name, content, header, None)
    return [(file, tensor, digests[tensor]) for tensor in header.entries if tensor in digests]


def _digest(name: str, requirement: str, content: memoryview, expected: str, findings: Findings) -> None:
    actual = manifest.digest(content)
    if actual != expected:
        what = "header" if requirement == "PKG-009" else "content"
        findings.add(requirement, names.spelled(name), f"expected the {what} of {shorten(name)} to have the digest {expected}, got {actual}")


def _check_sum(container: Container, name: str, findings: Findings) -> None:
    fault = container.checksum_fault(name)
    if fault is not None:
        findings.add("PKG-029", names.spelled(name), fault)


def _compare(task: tuple[TensorFile, str, str]) -> Problem | None:
    file, tensor, expected = task
    return file.problem_of(tensor, expected)
