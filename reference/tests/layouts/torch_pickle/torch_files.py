"""Pickles and archives put together byte by byte, for the tests of this folder."""

import io
import struct
import tarfile
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


def tar(path, body, links=()):
    """The form of the first releases: a tar archive of three files, without any tensor."""
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as file:
        for member, content in (("storages", pickle(number(0)) + pickle(b"]")), ("tensors", pickle(number(0))), ("pickle", pickle(body))):
            about = tarfile.TarInfo(member)
            about.size = len(content)
            file.addfile(about, io.BytesIO(content))
        for member, kind, target in links:
            about = tarfile.TarInfo(member)
            about.type, about.linkname = kind, target
            file.addfile(about)
    return path


def metadata(path, body):
    """A distributed checkpoint whose description is the pickle `body`."""
    path.mkdir()
    (path / ".metadata").write_bytes(pickle(body))
    return path


def part(path, body):
    """A distributed checkpoint of one object, whose archive holds the pickle `body`."""
    path.mkdir()
    (path / "__0_0.distcp").write_bytes(archive(path.with_suffix(".part"), body).read_bytes())
    length = (path / "__0_0.distcp").stat().st_size
    described = dcp_object("metadata", "Metadata", state(
        state_dict_metadata=state(a=dcp_object("metadata", "BytesStorageMetadata", b"}")), planner_data=b"N",
        storage_data=b"}" + dcp_object("metadata", "MetadataIndex", state(fqn=text("a"), offset=b"N", index=b"N"))
        + dcp_object("filesystem", "_StorageInfo", state(relative_path=text("__0_0.distcp"), offset=number(0), length=number(length))) + b"s",
    ))  # fmt: skip
    (path / ".metadata").write_bytes(pickle(described))
    return path


def dcp_object(module, kind, members):
    """An object of a class of PyTorch's checkpoints with the state `members`."""
    return name(f"torch.distributed.checkpoint.{module}", kind) + b")\x81" + members + b"b"
