"""Headers of safetensors files, read strictly: every rule of chapter 40, in one pass over columns where nothing is wrong.

The upstream library is not used: it accepts repeated names, and its numpy half knows no bfloat16 or float8.
"""

from __future__ import annotations

import gc
import json
import operator
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain, repeat
from math import prod
from typing import Any

from triptych import dtypes
from triptych.errors import Findings, TruncatedError, UnsupportedError, pointer_token, shorten
from triptych.limits import DEFAULT_LIMITS, Limits
from triptych.package import names

ALIGNMENT = 64
"""The data of a file that we write starts at a multiple of this; headers are padded with spaces to it."""
METADATA = "__metadata__"
_MEMBERS = {"dtype", "shape", "data_offsets"}
_BITS = {dtype.safetensors: dtype.item_bits for dtype in dtypes.DTYPES}

Entry = Mapping[str, Any]
"""``dtype``, ``shape`` and ``data_offsets`` of one tensor, as the header holds them."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a safetensors file says about itself before its data begins."""

    entries: Mapping[str, Entry]
    """Tensor name -> its entry, in the file's order."""
    metadata: Mapping[str, str]
    start: int
    """Offset of the data in the file."""


def read_header(data: memoryview, findings: Findings, *, limits: Limits = DEFAULT_LIMITS) -> Header:
    """The header of the safetensors file `data`, all rules of chapter 40 checked; touches no tensor data.

    Raises:
        InvalidModelError: The header cannot be read; lesser problems are added to `findings`.
        UnsupportedError: A limit is exceeded.
    """
    size = len(data)
    length = int.from_bytes(data[:8], "little")
    if size < 8 or length > size - 8:
        found = f"a header of {length} bytes" if size >= 8 else "no header length"
        findings.fatal("WGT-001", None, f"expected a header inside the {size} bytes of the file, got {found}", error=TruncatedError)
    if length > limits.header_bytes:
        findings.fatal("SEC-016", None, f"expected a header of at most {limits.header_bytes} bytes, got {length}", error=UnsupportedError)
    text = bytes(data[8 : 8 + length])
    if text[:1] != b"{":
        findings.fatal("WGT-002", None, f"expected the header to start with '{{' at byte 8, got {shorten(text[:8])}")
    padding = length - 1 - text.rfind(b"}")
    if padding >= ALIGNMENT or text[length - padding :].strip(b" "):
        findings.fatal("WGT-003", None, f"expected fewer than {ALIGNMENT} spaces after the header's last brace, got {shorten(text[length - padding :][:96])}")
    with collector_paused():
        entries, clear = _parse(text, findings, limits, size - 8 - length)
    metadata = entries.pop(METADATA, {})
    if not clear:
        _explain(entries, metadata, findings, limits, size - 8 - length)
    return Header(entries, metadata, 8 + length)


@contextmanager
def collector_paused() -> Iterator[None]:
    """Without cyclic collection: it would walk the growing heap of a large header again and again, and find nothing."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _parse(text: bytes, findings: Findings, limits: Limits, payload: int) -> tuple[dict[str, Any], bool]:
    """The header's object, and whether it is known to be faultless.

    The quick way is an ordinary JSON parser with a proof, made of whole-column operations, that nothing it lets pass is there.
    Where the proof fails, the document reader finds the fault.
    """
    if not findings.disabled:
        try:
            # Of bytes, Python's parser would guess the encoding, and read UTF-16 and UTF-32 too.
            quick = json.loads(text.decode())
        except (ValueError, RecursionError):
            quick = None
        if isinstance(quick, dict) and _is_faultless(quick, text, limits, payload):
            return quick, True
    from triptych.documents.json_reader import parse_json

    most = limits.header_bytes  # a header is no document: only its own limits hold for it
    data = parse_json(text, findings, limits=replace(limits, name_bytes=most, string_bytes=most, values=most), size_limit=most)
    if not isinstance(data, dict):
        findings.fatal("WGT-004", "", f"expected the header to be an object, got {shorten(data)}")
    return dict(data), False


def _is_faultless(header: dict[str, Any], text: bytes, limits: Limits, payload: int) -> bool:
    """Whether `header` breaks no rule; may say no where it breaks none. One pass over each column, no work per tensor in Python."""
    metadata = header.get(METADATA)
    entries = [entry for name, entry in header.items() if name != METADATA] if metadata is not None else list(header.values())
    if set(map(type, entries)) - {dict} or not all(map(operator.eq, map(dict.keys, entries), repeat(_MEMBERS))):
        return False
    strings = 5 * len(entries)
    if metadata is not None:
        if type(metadata) is not dict or set(map(type, metadata.values())) - {str} or len(metadata) > limits.metadata_entries:
            return False
        strings += 1 + 2 * len(metadata)
    # No backslash: every quotation mark begins or ends a string, so a repeated name would make more of them than the result has.
    if b"\\" in text or text.count(b'"') != 2 * strings or len(entries) > limits.tensors:
        return False
    dtype_column, shapes, offsets = ([entry[key] for entry in entries] for key in ("dtype", "shape", "data_offsets"))
    try:
        bits = [_BITS[name] for name in dtype_column]
    except (KeyError, TypeError):
        return False
    if set(map(type, shapes)) - {list} or set(map(type, offsets)) - {list} or set(map(len, offsets)) - {2}:
        return False
    flat = list(chain.from_iterable(shapes))
    begins, ends = [pair[0] for pair in offsets], [pair[1] for pair in offsets]
    if (set(map(type, flat)) | set(map(type, begins)) | set(map(type, ends))) - {int}:
        return False
    if min(flat, default=1) <= 0 or max(flat, default=1) > limits.dimension or max(map(len, shapes), default=0) > limits.rank:
        return False  # an extent of 0 is looked at more closely by _explain
    sizes = [count * width for count, width in zip(map(prod, shapes), bits, strict=True)]
    if sizes != [8 * (end - begin) for begin, end in zip(begins, ends, strict=True)]:
        return False
    if begins[1:] != ends[:-1] and not _tiles(begins, ends):
        return False
    return (
        min(begins, default=0) == 0
        and max(ends, default=0) == payload
        and names.are_plain(header.keys())
        and (metadata is None or sum(map(len, chain.from_iterable(metadata.items()))) * 4 <= limits.metadata_bytes)
    )


def _tiles(begins: list[int], ends: list[int]) -> bool:
    begins, ends = sorted(begins), sorted(ends)
    return begins[1:] == ends[:-1]


def _explain(entries: dict[str, Any], metadata: Any, findings: Findings, limits: Limits, payload: int) -> None:
    """Add every problem of the header, tensor by tensor."""
    _check_metadata(metadata, findings, limits)
    if len(entries) > limits.tensors:
        findings.fatal("SEC-016", None, f"expected at most {limits.tensors} tensors in a file, got {len(entries)}", error=UnsupportedError)
    ranges: list[tuple[int, int, str]] = []
    malformed = False
    for name in list(entries):
        at = f"/{pointer_token(name)}"
        fault = names.tensor_name_fault(name)
        if fault is not None:
            findings.add("WGT-011", at, f"{fault}, got {shorten(name)}")
        entry = entries[name]
        fault = _entry_fault(entry)
        if fault is not None:
            # Nothing can be said about such an entry, so the rule cannot be switched off.
            report = findings.add if findings.enforces("WGT-004") else findings.fatal
            report("WGT-004", at, f"{fault}, got {shorten(entry)}")
            malformed = True
            continue
        begin, end = entry["data_offsets"]
        ranges.append((begin, end, name))
        _check_limits(entry["shape"], f"{at}/shape", findings, limits)
        if end < begin or end > payload:
            findings.add("WGT-010", f"{at}/data_offsets", f"expected a range inside the {payload} bytes of data, got [{begin}, {end}] for tensor {shorten(name)}")
        elif entry["dtype"] in _BITS:
            _check_size(name, entry, at, findings)
        if entry["dtype"] not in _BITS:
            report = findings.add if findings.enforces("WGT-005") else findings.fatal
            report("WGT-005", f"{at}/dtype", f"expected a dtype of chapter 40 for tensor {shorten(name)}, got {shorten(entry['dtype'])}")
    if not malformed:
        _check_tiling(sorted(ranges), findings, payload)


def _entry_fault(entry: Any) -> str | None:
    if not isinstance(entry, dict) or set(entry) != _MEMBERS:
        return "expected the members dtype, shape and data_offsets, and no others"
    if not isinstance(entry["dtype"], str):
        return "expected a string as dtype"
    shape, offsets = entry["shape"], entry["data_offsets"]
    if not isinstance(shape, list) or not all(type(extent) is int and extent >= 0 for extent in shape):
        return "expected an array of integers from 0 as shape"
    if not isinstance(offsets, list) or len(offsets) != 2 or not all(type(offset) is int and offset >= 0 for offset in offsets):
        return "expected two integers from 0 as data_offsets"
    return None


def _check_limits(shape: list[int], at: str, findings: Findings, limits: Limits) -> None:
    if len(shape) > limits.rank:
        findings.fatal("SEC-016", at, f"expected at most {limits.rank} axes, got {len(shape)}", error=UnsupportedError)
    if max(shape, default=0) > limits.dimension:
        findings.fatal("SEC-016", at, f"expected extents of at most {limits.dimension}, got {max(shape)}", error=UnsupportedError)
    elements = prod(max(extent, 1) for extent in shape)
    if elements > limits.elements:
        findings.fatal("SEC-016", at, f"expected at most {limits.elements} elements, empty axes counted as one, got {elements}", error=UnsupportedError)


def _check_size(name: str, entry: Entry, at: str, findings: Findings) -> None:
    begin, end = entry["data_offsets"]
    bits = prod(entry["shape"]) * _BITS[entry["dtype"]]
    if bits % 8:
        findings.add("WGT-006", f"{at}/shape", f"expected elements that fill whole bytes, got {bits} bits for tensor {shorten(name)}")
    elif bits // 8 != end - begin:
        expected = f"{bits // 8} bytes for {entry['dtype']} of shape {shorten(entry['shape'])}"
        findings.add("WGT-007", f"{at}/data_offsets", f"expected {expected}, got {end - begin} for tensor {shorten(name)}")


def _check_tiling(ranges: list[tuple[int, int, str]], findings: Findings, payload: int) -> None:
    position = 0
    previous = "the start of the data"
    for begin, end, name in ranges:
        at = f"/{pointer_token(name)}/data_offsets"
        if begin < position:
            findings.add("WGT-008", at, f"expected tensor {shorten(name)} to start at byte {position}, where {previous} ends, got {begin}")
        elif begin > position:
            findings.add("WGT-009", at, f"expected tensor {shorten(name)} to start at byte {position}, where {previous} ends, got {begin}")
        position = max(position, end)
        previous = f"tensor {shorten(name)}"
    if position < payload:
        findings.add("WGT-009", None, f"expected the data to end at byte {position}, where {previous} ends, got {payload} bytes")


def _check_metadata(metadata: Any, findings: Findings, limits: Limits) -> None:
    at = f"/{METADATA}"
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        findings.add("WGT-012", at, f"expected an object of strings, got {shorten(metadata)}")
        return
    size = sum(len(text.encode("utf-8", "surrogatepass")) for text in chain.from_iterable(metadata.items()))
    if len(metadata) > limits.metadata_entries:
        findings.fatal("SEC-016", at, f"expected at most {limits.metadata_entries} entries, got {len(metadata)}", error=UnsupportedError)
    if size > limits.metadata_bytes:
        findings.fatal("SEC-016", at, f"expected at most {limits.metadata_bytes} bytes of metadata, got {size}", error=UnsupportedError)
