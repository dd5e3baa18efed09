"""Every limit of the reader, named, with unit and reason (specification chapter 80)."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """What a reader is willing to spend on one package; raise a limit by passing a `Limits` of your own."""

    document_bytes: int = 64 * MIB
    """Manifest, architecture, shard index: about 20 times as much memory when parsed."""
    training_bytes: int = 16 * MIB
    yaml_bytes: int = 4 * MIB
    """YAML is an authoring spelling; its parser is some 70 times slower than JSON's."""
    header_bytes: int = 32 * MIB
    """A safetensors header; the upstream library's own bound is 100,000,000."""
    depth: int = 128
    """Nesting of arrays and objects; the validators' parsers die between 249 and 995."""
    values: int = 4_000_000
    """Values in one document."""
    string_bytes: int = MIB
    name_bytes: int = 1024
    """A tensor or layer name, in UTF-8."""
    number_chars: int = 64
    members: int = 10_000
    shards: int = 4096
    tensors: int = 200_000
    """Tensors of one file."""
    rank: int = 32
    dimension: int = 2**53 - 1
    elements: int = 2**60
    metadata_entries: int = 1024
    metadata_bytes: int = MIB
    graph_depth: int = 64
    """Nested architectures."""


DEFAULT_LIMITS = Limits()
