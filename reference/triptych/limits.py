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
    """The training document."""
    yaml_bytes: int = 4 * MIB
    """YAML is an authoring spelling; its parser is some 70 times slower than JSON's."""
    header_bytes: int = 32 * MIB
    """A safetensors header; the upstream library's own bound is 100,000,000."""
    depth: int = 128
    """Nesting of arrays and objects; the validators' parsers die between 249 and 995."""
    values: int = 4_000_000
    """Values in one document."""
    string_bytes: int = MIB
    """One string of a document, in UTF-8."""
    name_bytes: int = 1024
    """The name of a member of an object, in UTF-8; the longest real names of tensors have some 300."""
    number_chars: int = 64
    """One number; 17 significant digits say every binary64 number."""
    members: int = 10_000
    """Files of a package; beyond 65,535 an archive needs ZIP64."""
    shards: int = 4096
    """Files of one section."""
    tensors: int = 200_000
    """Tensors of one file."""
    rank: int = 32
    """Axes of a tensor; numpy's own bound is 64."""
    dimension: int = 2**53 - 1
    """Extent of an axis: integers up to here survive every JSON parser."""
    elements: int = 2**60
    """Elements of a tensor, an empty axis counted as one, so that no product overflows."""
    metadata_entries: int = 1024
    """Entries of ``__metadata__`` in a safetensors header."""
    metadata_bytes: int = MIB
    """Names and values of ``__metadata__`` together, in UTF-8."""


DEFAULT_LIMITS = Limits()
