"""What a Keras file holds, down to its encodings, and what two files hold differently."""

import io
import json
import zipfile

import h5py
import numpy as np

CONFIGURATIONS = ("model_config", "training_config")


def listing(file_or_path):
    """Every object and attribute of an HDF5 file, with its encoding: name -> description and value."""
    found = {}
    with h5py.File(file_or_path) as file:

        def visit(name, item):
            if isinstance(item, h5py.Dataset):
                found[name] = (f"dataset {item.dtype} {item.shape} {item.chunks} {item.compression}", item[()].tobytes())
            else:
                found[name] = ("group", None)
            for key in item.attrs:
                content = _value(item.attrs[key])
                if key in CONFIGURATIONS:
                    content = json.loads(content)
                found[f"{name}@{key}"] = (_described(item.attrs.get_id(key)), content)

        visit("/", file)
        file.visititems(visit)
    return found


def _described(attribute):
    kind = attribute.get_type()
    text = ""
    if kind.get_class() == h5py.h5t.STRING:
        text = f" {'vlen' if kind.is_variable_str() else 'fixed'} cset {kind.get_cset()}"
    return f"{attribute.dtype}{text} {attribute.shape}"


def _value(attribute):
    if isinstance(attribute, np.ndarray):
        return [x.decode() if isinstance(x, bytes) else x for x in attribute.tolist()]
    return attribute.decode() if isinstance(attribute, bytes) else attribute


def members(path):
    """The same of a `.keras` archive: its members in order, its documents as data, the listing of its weights."""
    with zipfile.ZipFile(path) as archive:
        found = {"members": ("names", archive.namelist())}
        for name in archive.namelist():
            if name.endswith(".json"):
                found[name] = ("document", json.loads(archive.read(name)))
            elif name.endswith(".h5"):
                found |= {f"{name}:{key}": value for key, value in listing(io.BytesIO(archive.read(name))).items()}
            else:
                found[name] = ("member", archive.read(name))
        return found


def differences(first, second):
    """What two files of one kind hold differently, in words; empty when the same."""
    read = members if zipfile.is_zipfile(first) else listing
    one, two = read(first), read(second)
    lines = [f"only in the first: {name}" for name in one.keys() - two.keys()]
    lines += [f"only in the second: {name}" for name in two.keys() - one.keys()]
    for name in one.keys() & two.keys():
        if one[name] == two[name]:
            continue
        if isinstance(one[name][1], dict | list) and isinstance(two[name][1], dict | list) and one[name][0] == two[name][0]:
            lines += [f"{name}: {line}" for line in paths(one[name][1], two[name][1])]
        else:
            lines.append(f"{name}: {one[name][0]} and {two[name][0]}" if one[name][0] != two[name][0] else f"{name}: other content")
    return sorted(lines)


def paths(one, two, at=""):
    """The places at which two JSON values differ, with both values."""
    if isinstance(one, dict) and isinstance(two, dict):
        for key in one.keys() | two.keys():
            yield from paths(one.get(key, "<absent>"), two.get(key, "<absent>"), f"{at}/{key}")
    elif isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        for index, pair in enumerate(zip(one, two, strict=True)):
            yield from paths(*pair, f"{at}/{index}")
    elif json.dumps(one) != json.dumps(two):
        yield f"{at}: {json.dumps(one)[:80]} and {json.dumps(two)[:80]}"
