"""A complete independent reader of directory packages, and its adapter: something to copy from.

The standard library only. It reads manifest, JSON documents and safetensors files and checks what a reader of bytes must
check; it knows no layer type, and what a document means it leaves to others: see ``minimal-py.known-failures.toml``.
"""

import hashlib
import json
import math
import os
import re
import sys
import traceback
import unicodedata
from pathlib import Path

START = {"protocol": 1, "name": "minimal-py", "version": "1.0.0", "language": "python", "spec": ["1.0"],
         "roles": ["reader"], "profiles": ["core", "training"], "extensions": []}
BITS = {"BOOL": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8,
        "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32,
        "C64": 64, "F64": 64, "I64": 64, "U64": 64}
NAMES = {"F4": "float4_e2m1fn", "F8_E4M3": "float8_e4m3fn", "F8_E8M0": "float8_e8m0fnu", "F6_E2M3": "float6_e2m3fn",
         "F6_E3M2": "float6_e3m2fn", "BF16": "bfloat16", "BOOL": "bool"}
LONG = {"U": "uint", "I": "int", "F": "float", "C": "complex"}


MANIFEST = {"format", "format_version", "name", "sections", "members", "producer", "license", "provenance", "metadata",
            "extensions_used", "extensions_required", "extensions"}


class Rejected(Exception):
    """(place, message): the package breaks the specification."""


def require(condition, place, message):
    if not condition:
        raise Rejected(place, message)


# --- JSON

def members(pairs):
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def integer(text):
    if len(text) > 64 or not -2**63 <= int(text) < 2**64:
        raise ValueError("an integer out of range")
    return int(text)


def decimal(text):
    if len(text) > 64 or not math.isfinite(float(text)):
        raise ValueError("a number out of range")
    return float(text)


def constant(name):
    raise ValueError(f"{name} is not JSON")


def depth(value):
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if parts is None else 1 + max(map(depth, parts), default=0)


def texts(value):
    """Every name of a member in `value`."""
    if isinstance(value, dict):
        yield from value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from texts(part)


def parse(data, place):
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=members, parse_int=integer, parse_float=decimal, parse_constant=constant)
        require(all(len(name.encode("utf-8")) <= 1024 for name in texts(value)), place, "a name that is too long")
        json.dumps(value, ensure_ascii=False).encode("utf-8")  # fails on a lone surrogate
        require(depth(value) <= 128, place, "nested too deep")
        require(isinstance(value, dict), place, "no object")
    except (ValueError, RecursionError) as error:
        raise Rejected(place, str(error)) from error
    return value


# --- safetensors

def sha256(data):
    return hashlib.sha256(data).hexdigest()


def dtype(code):
    return NAMES.get(code) or (LONG[code[0]] + code[1:] if "_" not in code else f"float8_{code[3:].lower()}")


def elements(code, shape, data):
    facts = {"dtype": dtype(code), "shape": shape}
    if math.prod(shape) > 64:
        return {**facts, "sha256": sha256(data)}
    if (width := BITS[code]) < 8:
        packed = int.from_bytes(data, "little")
        return {**facts, "bits": [f"{packed >> width * i & (1 << width) - 1:0{-(-width // 4)}x}" for i in range(math.prod(shape))]}
    step = 4 if code == "C64" else BITS[code] // 8
    words = [data[i:i + step][::-1].hex() for i in range(0, len(data), step)]
    return {**facts, "bits": [a + b for a, b in zip(words[::2], words[1::2])] if code == "C64" else words}


def read_tensors(data, record, member):
    require(len(data) >= 8, member, "no header length")
    end = 8 + int.from_bytes(data[:8], "little")
    require(end <= len(data) and end <= 2**25 + 8 and data[8:9] == b"{", member, "no header")
    require("sha256:" + sha256(data[:end]) == record["header_digest"], member, "digest of the header")
    text = data[8:end].rstrip(b" ")
    require(text[-1:] == b"}" and end - 8 - len(text) < 64, member, "something after the header's last brace")
    header, place, tensors = parse(text, member), 0, {}
    metadata = header.pop("__metadata__", {})
    require(len(metadata) <= 1024 and all(isinstance(entry, str) for entry in metadata.values()), member, "metadata")
    require(set(header) == set(record["tensor_digests"]), member, "tensors that are not listed, or not there")
    for name, entry in header.items():
        require(isinstance(entry, dict) and set(entry) == {"dtype", "shape", "data_offsets"}, member, f"entry of {name}")
        require(0 < len(name.encode()) <= 1024 and unicodedata.is_normalized("NFC", name), member, "tensor name")
        require(not any(unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"} for c in name), member, "character in a tensor name")
        require(entry["dtype"] in BITS, member, f"dtype of {name}")
        require(len(entry["shape"]) <= 32 and math.prod(extent or 1 for extent in entry["shape"]) <= 2**60, member, f"limits of {name}")
        for number in entry["shape"] + entry["data_offsets"]:
            require(type(number) is int and 0 <= number < 2**53, member, f"number in the entry of {name}")
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        (begin, stop), code, shape = entry["data_offsets"], entry["dtype"], entry["shape"]
        require(begin == place and (stop - begin) * 8 == math.prod(shape) * BITS[code], member, f"range of {name}")
        place, content = stop, data[end + begin:end + stop]
        require(end + stop <= len(data), member, "the file ends early")
        require("sha256:" + sha256(content) == record["tensor_digests"][name], member, f"digest of {name}")
        tensors[name] = elements(code, shape, content)
    require(end + place == len(data), member, "bytes after the last tensor")
    return tensors


# --- packages

def version(document, member):
    given = document.get("format_version")
    require(given == "1.0", f"{member}#/format_version", f"version {given!r}")


def extensions(document, member):
    used, required = document.get("extensions_used", []), document.get("extensions_required", [])
    for names in (used, required):
        good = isinstance(names, list) and all(re.fullmatch("[A-Za-z][A-Za-z0-9_]{0,63}", name) for name in names)
        require(good and len(set(names)) == len(names) <= 256, member, "names of extensions")
    require(set(required) <= set(used), f"{member}#/extensions_required", "an extension that is not listed")
    require(not required, f"{member}#/extensions_required/0", "an extension this reader does not have")
    data = document.get("extensions", {})
    require(isinstance(data, dict) and all(isinstance(part, dict) for part in data.values()), f"{member}#/extensions", "no objects")
    require(set(data) <= set(used), f"{member}#/extensions", "an extension that is not listed")


def read_section(name, files, manifest, observed):
    require(name in files, f"manifest.json#/sections", f"{name} is not there")
    data, record = files[name], manifest["members"][name]
    if name.endswith(".safetensors"):
        return read_tensors(data, record, name)
    if name.endswith(".index.json"):
        shards = parse(data, name)["weight_map"]
        found = {}
        for shard in sorted(set(shards.values())):
            found |= read_tensors(files[shard], manifest["members"][shard], shard)
        require(set(found) == set(shards), name, "tensors that the index does not name")
        return found
    require(name.endswith(".json"), name, "this reader has no YAML")
    document = parse(data, name)
    version(document, name)
    extensions(document, name)
    return {key: value for key, value in document.items()}


def read(folder):
    require(os.path.isdir(folder), "", "no directory")
    files = {path.relative_to(folder).as_posix(): path for path in Path(folder).rglob("*") if path.is_file() or path.is_symlink()}
    require(not any(path.is_symlink() for path in Path(folder).rglob("*")), "", "a symbolic link")
    require("manifest.json" in files, "", "no manifest")
    require("mimetype" not in files or files["mimetype"].read_bytes() == b"application/vnd.triptych+zip", "mimetype", "content")
    files = {name: path.read_bytes() for name, path in files.items()}
    manifest = parse(files["manifest.json"], "manifest.json")
    require(manifest.get("format") == "triptych", "manifest.json#/format", "not a Triptych manifest")
    require(set(manifest) <= MANIFEST, "manifest.json", "an unknown member")
    version(manifest, "manifest.json")
    extensions(manifest, "manifest.json")
    try:
        listed, sections = set(manifest["members"]), manifest["sections"]
        require(listed == set(files) - {"manifest.json", "mimetype"}, "manifest.json#/members", "members that are not listed, or not there")
        require(sections and set(sections) <= {"architecture", "weights", "training", "training_state"}, "manifest.json#/sections", "sections")
        require("training" in sections or "training_state" not in sections, "manifest.json#/sections", "a training state without training")
        for name, record in manifest["members"].items():
            require(record["size"] == len(files[name]), name, "size")
            require("digest" not in record or record["digest"] == "sha256:" + sha256(files[name]), name, "digest")
        observed = {"sections": [name for name in ("architecture", "weights", "training", "training_state") if name in sections]}
        for section, member in sections.items():
            key = {"weights": "tensors", "training_state": "state"}.get(section, section)
            observed[key] = read_section(member, files, manifest, observed)
        tensors = {name for name, record in manifest["members"].items() if "tensor_digests" in record}
        shards = {shard for name in sections.values() if name.endswith(".index.json") for shard in parse(files[name], name)["weight_map"].values()}
        require(tensors == shards | {name for name in sections.values() if name.endswith(".safetensors")}, "manifest.json#/members", "tensors of no section")
        if assets := sorted(listed - tensors - set(sections.values())):
            observed["assets"] = {name: {"size": len(files[name]), "sha256": sha256(files[name])} for name in assets}
    except (KeyError, TypeError, AttributeError) as error:  # a document of the wrong shape
        raise Rejected("manifest.json", f"{type(error).__name__}: {error}") from error
    return observed


# --- the protocol

def answer(request):
    if request["op"] != "read":
        return {"outcome": "skipped", "reason": f"no {request['op']} here"}
    try:
        return {"outcome": "accepted", "observed": read(request["input"])}
    except Rejected as fault:
        return {"outcome": "rejected", "problems": [{"code": "INVALID", "place": fault.args[0], "message": fault.args[1]}]}
    except Exception:
        return {"outcome": "errored", "detail": traceback.format_exc()}


if __name__ == "__main__":
    for line in sys.stdin:
        request = json.loads(line)
        reply = START if request["cmd"] == "start" else {"seq": request["seq"], **answer(request)}
        print(json.dumps(reply), flush=True)
