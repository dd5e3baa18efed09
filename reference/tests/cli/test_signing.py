"""Packages signed and verified by OpenSSF's model-signing: the commands of docs/signing.md run, and what it says each judge notices is so."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

import model_signing
import triptych
from triptych.cli import main

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "signing.md").read_text()


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with the examples in it and a pair of keys, P-256."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    key = ec.generate_private_key(ec.SECP256R1())
    (tmp_path / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    )
    (tmp_path / "key.pub").write_bytes(key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_commands_of_the_page_run(here):
    commands = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
    assert [shlex.split(one)[0] for one in commands[:3]] == ["pip", "openssl", "openssl"]  # what the fixture has done
    assert len(commands) == 11
    for command in commands[3:]:
        program, *arguments = shlex.split(command)
        if program == "triptych":
            assert main(arguments) == 0
        else:
            assert program == "model_signing"
            done = subprocess.run([sys.executable, "-m", program, *arguments], capture_output=True, text=True)
            assert (done.returncode, done.stderr) == (0, ""), done.stderr
    (rest,) = re.findall(r"`unzip (\S+) -x (\S+)`", PAGE)
    shutil.unpack_archive(rest[0], "unzipped", "zip")
    assert not signed("unzipped", "digits_cnn.sig")
    Path("unzipped", rest[1]).unlink()
    assert signed("unzipped", "digits_cnn.sig")


def sign(path, signature):
    model_signing.signing.Config().use_elliptic_key_signer(private_key=Path("key.pem")).sign(Path(path), Path(signature))


def signed(path, signature):
    """Whether the tool finds `path` to be what was signed."""
    try:
        model_signing.verifying.Config().use_elliptic_key_verifier(public_key=Path("key.pub")).verify(Path(path), Path(signature))
    except ValueError:
        return False
    return True


def flip(name, at=-1):
    def change(folder):
        content = bytearray((folder / name).read_bytes())
        content[at] ^= 1
        (folder / name).write_bytes(content)

    return change


def link(folder):
    (folder / "moved").symlink_to(folder / "training.json")


CHANGES = {
    "a bit of a tensor": flip("model.safetensors"),
    "a bit of an architecture": flip("architecture.json", 100),
    "a bit of the manifest": flip("manifest.json", 5),
    "a file more": lambda folder: (folder / "README.md").write_text("trust me"),
    "a file less": lambda folder: (folder / "training.json").unlink(),
    "a file renamed": lambda folder: (folder / "architecture.json").rename(folder / "Architecture.json"),
    "a signature inside": lambda folder: shutil.copy("a.sig", folder / "model.sig"),
    "a link": link,
}
PASSED_OVER = (".git", ".gitattributes", ".gitignore", ".github")


def test_what_was_changed_after_signing_is_refused_by_the_tool_and_by_us(here, capsys):
    triptych.load("examples/digits_cnn.h5").save("signed")
    sign("signed", "a.sig")
    for name, change in CHANGES.items():
        shutil.copytree("signed", "changed")
        assert (signed("changed", "a.sig"), main(["validate", "--full", "changed"]), main(["verify", "changed"])) == (True, 0, 0)
        change(Path("changed"))
        assert not signed("changed", "a.sig"), name
        assert (main(["validate", "--full", "changed"]), main(["verify", "changed"])) == (1, 1), name
        shutil.rmtree("changed")
    for name in PASSED_OVER:
        assert f"`{name}`" in PAGE
        shutil.copytree("signed", "changed")
        Path("changed", name).write_text("not signed")
        assert signed("changed", "a.sig")
        assert (main(["validate", "changed"]), main(["verify", "changed"])) == (1, 1)
        shutil.rmtree("changed")
    assert "MEMBER_NAME_INVALID" in capsys.readouterr().out


def test_an_archive_has_a_signature_of_its_own_under_any_name(here):
    triptych.load("examples/digits_cnn.h5").save("a.triptych")
    sign("a.triptych", "a.sig")
    Path("a.triptych").rename("b.triptych")
    assert signed("b.triptych", "a.sig")
    for at in (0, 40, -1):
        flip("b.triptych", at)(Path())
        assert not signed("b.triptych", "a.sig")
        assert main(["validate", "--full", "b.triptych"]) != 0
        flip("b.triptych", at)(Path())
    assert signed("b.triptych", "a.sig")


def test_no_byte_of_a_member_changes_when_a_package_is_packed_and_unpacked(here, capsys):
    """Also of one that is not as we write it: adopted from a hub, with documents in YAML, edited by hand."""
    assert main(["convert", "examples/digits_cnn.h5", "ours", "--yaml", "--max-shard-size", "50KB"]) == 0
    Path("hub").mkdir()
    shutil.copy("ours/model-00001-of-00003.safetensors", "hub/model.safetensors")
    Path("hub/config.json").write_text('{ "b": 1,\n\n"a": 2}')
    assert main(["adopt", "hub"]) == 0
    manifest = Path("hub/manifest.json")
    manifest.write_text(" " + manifest.read_text().replace("{", "{\n\n", 1))
    for name in ("ours", "hub"):
        sign(name, f"{name}.sig")
        assert main(["pack", name, f"{name}.triptych"]) == 0
        assert main(["unpack", f"{name}.triptych", f"{name}.again"]) == 0
        assert signed(f"{name}.again", f"{name}.sig")
        assert main(["pack", f"{name}.again", f"{name}.second.triptych"]) == 0
        assert Path(f"{name}.triptych").read_bytes() == Path(f"{name}.second.triptych").read_bytes()
        assert main(["validate", "--full", f"{name}.triptych"]) == 0
    capsys.readouterr()
    assert main(["verify", "hub", "hub.triptych"]) == 0
    assert len({line.rpartition(" ")[2] for line in capsys.readouterr().out.splitlines()}) == 1
    # Nothing is packed that is not whole, and nothing is replaced unasked.
    flip("hub/model.safetensors")(Path())
    assert main(["pack", "hub", "new.triptych"]) == 1
    assert not Path("new.triptych").exists()
    assert main(["pack", "ours", "ours.triptych"]) == 2
    assert main(["pack", "--force", "ours", "ours.triptych"]) == 0
    assert main(["unpack", "ours", "x"]) == main(["pack", "ours.sig", "x"]) == 2
    assert main(["pack", "absent", "x"]) == 3
