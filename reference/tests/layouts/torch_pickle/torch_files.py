"""Pickles and archives put together byte by byte, for the tests of this folder."""

import struct
import zipfile


def name(module, what):
    """The opcode that names something in a module."""
    return f"c{module}\n{what}\n".encode()


def text(value):
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def call(module, what, *arguments):
    """A call of `module.what`."""
    return name(module, what) + b"(" + b"".join(arguments) + b"tR"


def pickle(body):
    return b"\x80\x02" + body + b"."


def storage(key="0", kind="Float", count=4):
    """A reference to a storage."""
    return b"(" + text("storage") + name("torch", f"{kind}Storage") + text(key) + text("cpu") + number(count) + b"tQ"


def number(value):
    encoded = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(encoded)]) + encoded


def numbers(*values):
    return b"(" + b"".join(map(number, values)) + b"t"


def tensor(shape=(2, 2), strides=(2, 1), offset=0, **of_storage):
    """A tensor of float32."""
    ordered = call("collections", "OrderedDict")
    return call("torch._utils", "_rebuild_tensor_v2", storage(**of_storage), number(offset), numbers(*shape), numbers(*strides), b"\x89", ordered)


def state(**tensors):
    """A state dictionary."""
    return b"}(" + b"".join(text(key) + value for key, value in tensors.items()) + b"u"


def archive(path, body, members=None, *, method=zipfile.ZIP_STORED, root="archive", **more):
    """An archive of the pickle `body` with one storage of the numbers 0 to 3."""
    files = {"data.pkl": pickle(body), "version": b"3\n", "data/0": struct.pack("<4f", 0, 1, 2, 3)} if members is None else members
    with zipfile.ZipFile(path, "w", method) as file:
        for member, content in {**files, **more}.items():
            file.writestr(f"{root}/{member}", content)
    return path


def stream(path, body, storages=(), little=True):
    """The legacy form: five pickles, then the storages."""
    parts = [pickle(number(0x1950A86A20F9469CFC6C)), pickle(number(1001)), pickle(b"}(" + text("little_endian") + (b"\x88" if little else b"\x89") + b"u"), pickle(body)]
    parts.append(pickle(b"](" + b"".join(text(key) for key, _, _ in storages) + b"e"))
    order = "<" if little else ">"
    parts += [struct.pack(f"{order}q", count) + content for _, count, content in storages]
    path.write_bytes(b"".join(parts))
    return path
