"""What holds for the writer of every layout."""

import pytest

import triptych
from triptych.layouts import LAYOUTS

WRITING = [(layout.name, suffix) for layout in LAYOUTS if layout.name != "tfjs" for suffix in layout.suffixes or (("",) if layout.name in ("torch-distributed", "npy") else ())]


def test_every_layout_is_here():
    """A layout that cannot write says so; all others are tried."""
    assert {name for name, _ in WRITING} >= {"triptych", "keras-hdf5", "keras-archive", "keras-weights", "torch", "safetensors"}


@pytest.mark.parametrize("layout", [one for one in LAYOUTS if one.name != "tfjs" and not one.name.startswith("architecture")], ids=lambda one: one.name)
def test_a_writer_says_how_far_it_got(dense, tmp_path, layout):
    """Bytes never go back, there are never more than all, and at the end those of all tensors are done."""
    said = []
    model = dense(40, 20, 10)
    path = tmp_path / f"model{max(layout.suffixes, default='')}"
    triptych.save(model, path, layout=layout.name, progress=lambda done, total, label: said.append((done, total, label)))
    done = [row[0] for row in said]
    assert done == sorted(done)
    assert sum(tensor.nbytes for tensor in model.weights.tensors.values()) <= said[-1][0] <= said[-1][1]
    assert len({row[1] for row in said}) == 1
    assert all(row[2] for row in said)


@pytest.mark.parametrize(("name", "suffix"), WRITING)
def test_a_writer_replaces_nothing_that_it_may_not(dense, tmp_path, name, suffix):
    """Also where the file appeared after somebody looked: the writer itself refuses, and the old file stands."""
    path = tmp_path / f"model{suffix}"
    layout = next(layout for layout in LAYOUTS if layout.name == name)
    triptych.save(dense(4), path, layout=name)
    before = {one: one.read_bytes() for one in tmp_path.rglob("*") if one.is_file()}
    with pytest.raises(triptych.UsageError, match="overwrite"):
        layout.write(dense(5).panels, path, overwrite=False)
    assert {one: one.read_bytes() for one in tmp_path.rglob("*") if one.is_file()} == before
