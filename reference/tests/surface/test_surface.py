"""The public surface is what `__all__` says, and importing it is cheap."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest

import triptych

HEAVY = {"numpy", "h5py", "yaml", "jsonschema", "jsonschema_rs", "rich", "tensorflow", "keras", "tf_keras", "torch", "jax"}


def test_every_public_name_resolves_and_nothing_else_is_public():
    assert triptych.__all__ == sorted(triptych.__all__)
    assert set(triptych._HOMES) == set(triptych.__all__)
    for name in triptych.__all__:
        assert getattr(triptych, name).__doc__, name


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="save_model"):
        triptych.save_model  # noqa: B018


def imported(code: str) -> set[str]:
    """Top-level modules that a fresh interpreter has after running `code`."""
    script = f"{code}\nimport sys; print(' '.join({{m.partition('.')[0] for m in sys.modules}}), file=sys.stderr)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(run.stderr.splitlines()[-1].split())


def test_import_alone_imports_nothing_heavy():
    assert not imported("import triptych") & HEAVY


def test_help_imports_nothing_heavy():
    assert not imported("from triptych.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass") & HEAVY


@pytest.mark.parametrize("command", ["validate", "summary"])
def test_a_small_package_is_validated_and_summarised_without_anything_heavy(command, package_path):
    found = imported(f"from triptych.cli import main\nassert main([{command!r}, {str(package_path)!r}]) == 0") & HEAVY
    assert found <= {"jsonschema_rs"}


def test_weights_are_read_with_numpy_only_when_asked(package_path):
    assert "numpy" not in imported(f"import triptych\nm = triptych.load({str(package_path)!r})\nassert len(m.weights)")
    assert "numpy" in imported(f"import triptych\nm = triptych.load({str(package_path)!r})\nnext(iter(m.weights.values()))")


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file whose reading fails, which Linux has")
def test_a_read_that_fails_names_the_file_though_the_system_does_not():
    with pytest.raises(OSError, match="/proc/self/mem") as caught:
        triptych.load("/proc/self/mem")
    assert caught.value.errno == errno.EIO
    assert not isinstance(caught.value, triptych.TriptychError)


def test_a_target_that_cannot_be_looked_at_is_a_save_that_failed(tmp_path, dense, monkeypatch):
    def broken(path, **_):
        raise OSError(errno.EIO, "Input/output error", str(path))

    monkeypatch.setattr(Path, "stat", broken)
    with pytest.raises(triptych.SaveError, match="expected to write .*hub', got: Input/output error; nothing was written") as caught:
        triptych.save(dense(2), tmp_path / "hub", layout="hub", only="weights")
    assert caught.value.errno == errno.EIO
    monkeypatch.undo()
    assert not list(tmp_path.iterdir())
