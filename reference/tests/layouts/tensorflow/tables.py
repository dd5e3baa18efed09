"""Bundles that no TensorFlow writes, with good checksums: what they claim is the test's to choose."""

import struct

from triptych.layouts.tensorflow import messages, varints
from triptych.layouts.tensorflow.checksums import masked_crc32c
from triptych.layouts.tensorflow.sorted_table import MAGIC
from triptych.layouts.tensorflow.table_writing import table_of

DATA = bytes(range(64))
HEADER = {"num_shards": 1}


def entry(content=None, *, extents=None, **fields):
    """The message of one entry: two floats at the beginning of the data, where `fields` say nothing else."""
    said = {"dtype": 1, "offset": 0, "size": 8, **fields}
    begin, size = max(said["offset"], 0), max(said["size"], 0)
    said.setdefault("crc32c", masked_crc32c(DATA[begin : begin + size] if content is None else content))
    said["shape"] = messages.new("Shape", dim=[messages.new("Dim", size=one) for one in (extents if extents is not None else [2])])
    return messages.new("BundleEntry", **said)


def cut(*pairs):
    """A slice: (start, length) of each axis, None for all of it."""
    return messages.new("Slice", extent=[messages.new("Extent") if one is None else messages.new("Extent", start=one[0], length=one[1]) for one in pairs])


def write(prefix, entries, header=HEADER, *, data=DATA, shards=1):
    """A bundle of `entries`: keys as bytes, and messages or bytes."""
    named = {b"": messages.new("BundleHeader", **header) if isinstance(header, dict) else header, **entries}
    spelled = [(key, value if isinstance(value, bytes) else messages.to_bytes(value)) for key, value in sorted(named.items()) if value is not None]
    (prefix.parent / f"{prefix.name}.index").write_bytes(table_of(spelled))
    for shard in range(shards):
        (prefix.parent / f"{prefix.name}.data-{shard:05}-of-{shards:05}").write_bytes(data)
    return prefix


def block(content, kind=0):
    """A block with its trailer."""
    return content + bytes([kind]) + struct.pack("<I", masked_crc32c(content, bytes([kind])))


def run(*entries, restarts=(0,)):
    """The content of a block: entries of what is shared, the rest of the key, and the value."""
    content = b"".join(varints.encode(shared) + varints.encode(len(key)) + varints.encode(len(value)) + key + value for shared, key, value in entries)
    return content + struct.pack(f"<{len(restarts)}II", *restarts, len(restarts))


def table(blocks, *, index=None, meta=None, footer=None):
    """A table of these `blocks`, each a last key (None: in no index) and the bytes with their trailer; or with another index, metaindex or footer."""
    content, handles = b"", []
    for last, one in blocks:
        if last is not None:
            handles.append((0, last, varints.encode(len(content)) + varints.encode(len(one) - 5)))
        content += one
    meta = block(run()) if meta is None else meta
    restarts, at = [], 0
    for _, last, handle in handles:
        restarts.append(at)
        at += 3 + len(last) + len(handle)
    index = block(run(*handles, restarts=restarts or [0])) if index is None else index
    said = varints.encode(len(content)) + varints.encode(len(meta) - 5) + varints.encode(len(content) + len(meta)) + varints.encode(len(index) - 5)
    return content + meta + index + ((said.ljust(40, b"\0") + MAGIC) if footer is None else footer)
