"""Real PyTorch as the judge: its files of every form read bit for bit and written back as an equal value that its strictest loader takes."""

import io
import pickle
import struct
import tarfile
import warnings
import zipfile
from collections import Counter, OrderedDict

import numpy as np
import pytest

import triptych
from triptych.model import Component, Panels, Progress, Tensor, Training, Weights

torch = pytest.importorskip("torch")
from torch import nn
from torch_training import BATCH, CLASSES, OPTIMIZERS, assert_same, bits, network, train

pytestmark = pytest.mark.filterwarnings("ignore")

FORMS = {
    "archive": {},
    "stream": {"_use_new_zipfile_serialization": False},
    "archive of protocol 4": {"pickle_protocol": 4},
    "stream of protocol 5": {"_use_new_zipfile_serialization": False, "pickle_protocol": 5},
}
def through_triptych(path, folder):
    """The model of the file at `path`, through a package into another PyTorch file, and what PyTorch loads from that."""
    triptych.save(triptych.load(path), folder / "p.triptych")
    assert triptych.validate(folder / "p.triptych", full=True) == ()
    assert triptych.save(triptych.load(folder / "p.triptych"), folder / "b.pt") == ()
    return torch.load(folder / "b.pt", weights_only=True, mmap=True)


def assert_weights(model, expected):
    assert list(model.weights) == list(expected)
    for name, tensor in expected.items():
        found = model.weights.tensor(name)
        assert (found.dtype, found.shape, bytes(found.read())) == (str(tensor.dtype)[6:], tuple(tensor.shape), bits(tensor)), name


# --- state dictionaries


@pytest.mark.parametrize("form", FORMS)
def test_a_state_dictionary_of_every_form_comes_back(tmp_path, form):
    expected = network().state_dict()
    torch.save(expected, tmp_path / "a.pt", **FORMS[form])
    assert_weights(triptych.load(tmp_path / "a.pt"), expected)
    assert_same(expected, through_triptych(tmp_path / "a.pt", tmp_path))


def test_every_dtype_is_read_and_written_bit_for_bit(tmp_path):
    names = "float16 bfloat16 float32 float64 uint8 int8 int16 int32 int64 bool uint16 uint32 uint64 complex64 float8_e4m3fn float8_e5m2 float8_e4m3fnuz float8_e5m2fnuz float8_e8m0fnu"
    numbers = torch.tensor([[0.0, 1.0, 2.0], [4.0, 8.0, 1.0]])
    expected = {name: numbers.to(getattr(torch, name)) for name in names.split()}
    for form in ("archive", "stream"):
        torch.save(expected, tmp_path / "a.pt", **FORMS[form])
        assert_weights(triptych.load(tmp_path / "a.pt"), expected)
        assert_same(expected, through_triptych(tmp_path / "a.pt", tmp_path))


def views():
    base = torch.arange(24.0).reshape(4, 6)
    one, two = torch.randn(2, 3, dtype=torch.complex64).unbind()
    return {
        "base": base, "transposed": base.t(), "part": base[1:, 2:5], "every other": base[::2, ::3], "channels last": torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last),
        "expanded": torch.ones(1, 3).expand(5, 3), "scalar": torch.tensor(3), "empty": torch.zeros(0, 3), "conjugate": one.clone().conj(), "negative": two.clone().conj().imag,
        "asks": torch.ones(2, requires_grad=True), "parameter": nn.Parameter(torch.ones(3)), "frozen": nn.Parameter(torch.ones(3), requires_grad=False),
    }  # fmt: skip


@pytest.mark.parametrize("form", ["archive", "stream"])
def test_views_strides_and_bits_of_tensors_are_resolved(tmp_path, form):
    expected = views()
    torch.save(expected, tmp_path / "a.pt", **FORMS[form])
    assert_weights(triptych.load(tmp_path / "a.pt"), expected)
    assert_same(expected, through_triptych(tmp_path / "a.pt", tmp_path))


def test_how_tensors_lay_in_memory_is_named_as_not_kept(tmp_path):
    """Views of one storage that do not touch, and those that are the same, lose nothing."""
    base, flat = torch.arange(24.0).reshape(4, 6), torch.arange(10.0)
    torch.save({"whole": base, "columns": base.t(), "rows": base[1:3], "again": base[1:3], "left": flat[:4], "right": flat[4:], "one": torch.ones(1, 3, 1, 1).to(memory_format=torch.channels_last)}, tmp_path / "a.pt")
    assert triptych.load(tmp_path / "a.pt").notes == (
        "'columns' lay in memory otherwise than by rows, such as with channels last: the elements are kept by rows",
        "'whole', 'columns', 'rows' and 1 more tensors shared elements without being the same: each is kept with elements of its own",
    )
    model = network().to(memory_format=torch.channels_last)
    torch.save({"model": model.state_dict(), "epoch": 1}, tmp_path / "b.pt")
    assert triptych.load(tmp_path / "b.pt").notes == ("'conv.weight' lay in memory otherwise than by rows, such as with channels last: the elements are kept by rows",)


def test_sparse_quantized_and_wide_complex_tensors_are_taken_apart_and_put_together(tmp_path):
    expected = {
        "plain": torch.ones(2), "sparse": torch.eye(3).to_sparse(), "wide": torch.randn(2, 3, dtype=torch.complex128).t(), "meta": torch.ones(2, 3, device="meta"),
        "quantized": torch.quantize_per_tensor(torch.randn(4), 0.1, 3, torch.qint8),
        "by channel": torch.quantize_per_channel(torch.randn(2, 3), torch.tensor([0.1, 0.2]).double(), torch.tensor([0, 1]), 0, torch.quint8),
    }  # fmt: skip
    torch.save(expected, tmp_path / "a.pt")
    assert {"sparse.indices", "sparse.values", "wide.pairs", "quantized.integers"} <= set(triptych.load(tmp_path / "a.pt").weights)
    assert_same(expected, through_triptych(tmp_path / "a.pt", tmp_path))


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(5, 3)
        self.hidden = nn.Linear(3, 3)
        self.out = nn.Linear(3, 5, bias=False)
        self.out.weight = self.words.weight
        self.register_buffer("kept", torch.ones(2))
        self.register_buffer("fleeting", torch.ones(2), persistent=False)

    def forward(self, x):
        return self.out(self.hidden(self.words(x))) + self.kept.sum()


def test_tied_weights_stay_tied(tmp_path):
    expected = Tied().state_dict()
    torch.save(expected, tmp_path / "a.pt")
    model = triptych.load(tmp_path / "a.pt")
    np.testing.assert_array_equal(model.weights["words.weight"], model.weights["out.weight"])
    written = through_triptych(tmp_path / "a.pt", tmp_path)
    assert_same(expected, written)
    assert written["words.weight"].data_ptr() == written["out.weight"].data_ptr()


def test_weights_that_were_tied_and_differ_by_now_are_written_apart(tmp_path):
    torch.save(Tied().state_dict(), tmp_path / "a.pt")
    panels = triptych.load(tmp_path / "a.pt").panels
    changed = {**panels.weights.tensors, "out.weight": Tensor.from_array(np.ones((5, 3), "float32"))}
    from dataclasses import replace

    triptych.save(triptych.Model(replace(panels, weights=Weights(changed))), tmp_path / "b.pt")
    written = torch.load(tmp_path / "b.pt", weights_only=True)
    assert written["out.weight"].sum() == 15
    assert written["words.weight"].sum() != 15


def test_big_endian_files_are_read(tmp_path):
    expected = {"a": np.arange(6, dtype=">f4").reshape(2, 3), "b": np.array([1 + 2j], ">c8"), "c": np.array([1, 2], ">i8"), "d": np.array([1, 2], ">f2")}
    torch.save({name: torch.from_numpy(array.astype(array.dtype.newbyteorder("<"))) for name, array in expected.items()}, tmp_path / "a.pt")
    with zipfile.ZipFile(tmp_path / "a.pt") as file, zipfile.ZipFile(tmp_path / "b.pt", "w") as out:
        arrays = iter(expected.values())
        for one in file.namelist():
            out.writestr(one, b"big" if one.endswith("byteorder") else next(arrays).tobytes() if "/data/" in one and one[-1].isdigit() else file.read(one))
    model = triptych.load(tmp_path / "b.pt")
    for name, array in expected.items():
        np.testing.assert_array_equal(model.weights[name], array)


def test_an_archive_without_checksums_is_read(tmp_path):
    """PyTorch can be told to write none; it writes zeros then."""
    before = torch.serialization.get_crc32_options()
    torch.serialization.set_crc32_options(False)
    try:
        torch.save({"a": torch.arange(3.0)}, tmp_path / "a.pt")
    finally:
        torch.serialization.set_crc32_options(before)
    np.testing.assert_array_equal(triptych.load(tmp_path / "a.pt").weights["a"], [0, 1, 2])


def test_an_archive_that_somebody_packed_anew_is_read_by_its_content(tmp_path):
    expected = network().state_dict()
    torch.save(expected, tmp_path / "a.pt")
    with zipfile.ZipFile(tmp_path / "a.pt") as file, zipfile.ZipFile(tmp_path / "b.h5", "w", zipfile.ZIP_DEFLATED) as out:
        for one in reversed(file.namelist()):
            out.writestr(one, file.read(one))
    assert_weights(triptych.load(tmp_path / "b.h5"), expected)


# --- whole modules


@pytest.mark.parametrize("form", ["archive", "stream"])
def test_of_a_pickled_module_the_state_dictionary_is_read_and_its_classes_are_named(tmp_path, form):
    module = network()
    torch.save(module, tmp_path / "a.pt", **FORMS[form])
    model = triptych.load(tmp_path / "a.pt")
    assert_weights(model, module.state_dict())
    assert model.panels.extensions["torch"]["classes"]["one"] == "torch.nn.modules.linear.Linear"
    assert "its code is not in the file" in model.notes[0]
    written = through_triptych(tmp_path / "a.pt", tmp_path)
    network().load_state_dict(written, strict=True)


def test_buffers_that_do_not_persist_are_none_of_the_state(tmp_path):
    torch.save({"model": Tied(), "epoch": 2}, tmp_path / "a.pt")
    model = triptych.load(tmp_path / "a.pt")
    assert_weights(model, Tied().state_dict() | {name: torch.from_numpy(array.copy()) for name, array in model.weights.items()})
    assert model.training.progress == Progress(epoch=2)


@pytest.mark.parametrize("make", [torch.jit.script, lambda module: torch.jit.trace(module, torch.tensor([1, 2]))], ids=["script", "trace"])
def test_the_weights_of_torchscript_are_read(tmp_path, make):
    script = make(Tied().eval())
    torch.jit.save(script, tmp_path / "a.pt")
    model = triptych.load(tmp_path / "a.pt")
    for name, tensor in script.state_dict().items():
        assert bytes(model.weights.tensor(name).read()) == bits(tensor)
    assert set(model.weights) - set(script.state_dict()) <= {"fleeting"}


def test_the_weights_of_a_frozen_script_are_its_constants(tmp_path):
    module = Tied().eval()
    torch.jit.save(torch.jit.freeze(torch.jit.script(module)), tmp_path / "a.pt")
    found = [bytes(tensor.read()) for tensor in triptych.load(tmp_path / "a.pt").weights.tensors.values()]
    assert bits(module.hidden.weight) in found
    assert all(name.startswith("CONSTANTS.c") for name in triptych.load(tmp_path / "a.pt").weights)


def test_the_tar_archive_of_the_first_releases_is_read(tmp_path):
    """PyTorch itself reads what is made here by the description of its reader."""
    numbers = np.arange(6, dtype="<f4")
    storages = [pickle.dumps(1, 2), pickle.dumps((7, "cpu", torch.FloatStorage), 2), struct.pack("<q", 6), numbers.tobytes(), pickle.dumps([], 2)]
    tensors = [pickle.dumps(2, 2)]
    for key, shape, strides, offset in ((1, (2, 3), (3, 1), 0), (2, (3, 2), (1, 3), 0)):
        tensors += [pickle.dumps((key, 7, torch.FloatTensor), 2), struct.pack("<i4x", 2), struct.pack("<2q", *shape), struct.pack("<2q", *strides), struct.pack("<q", offset)]
    body = b"\x80\x02}(X\x01\x00\x00\x00aX\x01\x00\x00\x001QX\x01\x00\x00\x00bX\x01\x00\x00\x002Qu."
    with tarfile.open(tmp_path / "a.pt", "w", format=tarfile.PAX_FORMAT) as file:
        for name, content in (("storages", b"".join(storages)), ("tensors", b"".join(tensors)), ("pickle", body)):
            about = tarfile.TarInfo(name)
            about.size = len(content)
            file.addfile(about, io.BytesIO(content))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = torch.load(tmp_path / "a.pt", weights_only=False)
    assert_weights(triptych.load(tmp_path / "a.pt"), expected)


# --- training


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_goes_on_from_what_was_written_as_if_nothing_had_happened(tmp_path, name):
    make, kind = OPTIMIZERS[name]
    model = network()
    optimizer = make(model.parameters())
    train(model, optimizer, 3)
    saved = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3, "best": 0.5, "history": [1, 2.5, None], "note": "ü"}
    torch.save(saved, tmp_path / "a.pt")
    read = triptych.load(tmp_path / "a.pt").training
    assert read.optimizer.type == kind
    assert read.progress.epoch == 3
    written = through_triptych(tmp_path / "a.pt", tmp_path)
    assert_same(torch.load(tmp_path / "a.pt"), written)
    expected = train(model, optimizer, 5)
    again = network()
    again.load_state_dict(written["model"], strict=True)
    optimizer = make(again.parameters())
    optimizer.load_state_dict(written["optimizer"])
    assert train(again, optimizer, 5) == expected


@pytest.mark.parametrize("name", [name for name, (_, kind) in OPTIMIZERS.items() if ":" not in kind])
def test_what_is_found_in_a_file_predicts_the_optimizers_next_step(tmp_path, name):
    """The specification's formula, with the type, config, slots and count that were found, yields PyTorch's next weights."""
    from triptych.vocabulary.training.step import step

    make, _ = OPTIMIZERS[name]
    model = network().double()
    optimizer = make(model.parameters())

    def gradients():
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(BATCH.double()), CLASSES).backward()

    for _ in range(3):
        gradients()
        optimizer.step()
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": 3}, tmp_path / "a.pt")
    read = triptych.load(tmp_path / "a.pt")
    gradients()
    given = {name: one.grad.numpy() for name, one in model.named_parameters()}
    found = step(read.training.optimizer, dict(read.weights), given, dict(read.training.state or {}), count=read.training.progress.step)
    optimizer.step()
    for weight, one in model.named_parameters():
        # PyTorch keeps the product of NAdam's momenta in float32.
        np.testing.assert_allclose(found.weights[weight], one.detach().numpy(), rtol=1e-6 if name == "NAdam" else 1e-12, atol=1e-15)


@pytest.mark.parametrize("name", [name for name, (_, kind) in OPTIMIZERS.items() if ":" not in kind])
def test_an_optimizer_in_neutral_terms_is_written_as_pytorchs(tmp_path, name):
    """Without any of PyTorch's own arrangement, the file still resumes training: the next losses are the same."""
    make, kind = OPTIMIZERS[name]
    model = network()
    optimizer = make(model.parameters())
    train(model, optimizer, 3)
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": 3}, tmp_path / "a.pt")
    panels = triptych.load(tmp_path / "a.pt").panels
    training = Training(Component(kind, panels.training.optimizer.config), progress=panels.training.progress, state=panels.training.state)
    assert triptych.save(triptych.Model(Panels(weights=panels.weights, training=training)), tmp_path / "b.pt") == ()
    written = torch.load(tmp_path / "b.pt", weights_only=True, mmap=True)
    again = network()
    again.load_state_dict(written["model"], strict=True)
    optimizer2 = make(again.parameters())
    assert set(optimizer2.state_dict()["param_groups"][0]) == set(written["optimizer"]["param_groups"][0])
    optimizer2.load_state_dict(written["optimizer"])
    assert train(again, optimizer2, 5) == train(model, optimizer, 5)
    # A package lists weights by name; which parameter is the first one is then nowhere said, and PyTorch would not notice.
    triptych.save(triptych.Model(Panels(weights=panels.weights, training=training)), tmp_path / "p")
    (note,) = triptych.save(triptych.load(tmp_path / "p"), tmp_path / "c.pt")
    assert note.startswith("order of the optimizer's parameters: an architecture would tell it")


def test_training_that_pytorch_cannot_say_is_carried_beside_the_weights(tmp_path, examples):
    """Keras' Adam is none of PyTorch's: its state, losses and metrics come back, and PyTorch still finds its state dictionary."""
    keras = triptych.load(examples / "digits_cnn.h5")
    assert triptych.save(keras, tmp_path / "a.pt") == ("architecture: a PyTorch file holds weights and training alone",)
    found = triptych.load(tmp_path / "a.pt")
    assert found.training.optimizer == keras.training.optimizer
    assert (found.training.losses, found.training.metrics, found.training.progress) == (keras.training.losses, keras.training.metrics, keras.training.progress)
    for one, two in ((keras.weights, found.weights), (keras.training.state, found.training.state)):
        assert set(one) == set(two)
        for name in one:
            np.testing.assert_array_equal(one[name], two[name])
    loaded = torch.load(tmp_path / "a.pt", weights_only=True, mmap=True)
    assert list(loaded) == ["model", "step", "triptych"]
    assert list(loaded["model"])[:2] == ["conv_1.kernel", "conv_1.bias"]
    triptych.save(found, tmp_path / "p")
    triptych.save(triptych.load(tmp_path / "p"), tmp_path / "b.pt")
    assert (tmp_path / "a.pt").read_bytes() == (tmp_path / "b.pt").read_bytes()


def test_a_changed_learning_rate_is_written(tmp_path):
    from dataclasses import replace

    model = network()
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    train(model, optimizer, 2)
    torch.save({"state_dict": model.state_dict(), "optim": optimizer.state_dict(), "global_step": 2}, tmp_path / "a.pt")
    panels = triptych.load(tmp_path / "a.pt").panels
    slower = Component("Adam", {**panels.training.optimizer.config, "learning_rate": 0.001, "weight_decay": 0.5, "decay_mode": "l2"})
    changed = replace(panels, training=replace(panels.training, optimizer=slower, progress=Progress(step=7)))
    assert triptych.save(triptych.Model(changed), tmp_path / "b.pt") == ()
    written = torch.load(tmp_path / "b.pt", weights_only=True)
    assert written["global_step"] == 7
    assert written["optim"]["state"][0]["step"] == torch.tensor(7.0)
    assert {name: written["optim"]["param_groups"][0][name] for name in ("lr", "weight_decay", "betas")} == {"lr": 0.001, "weight_decay": 0.5, "betas": (0.9, 0.999)}


@pytest.mark.parametrize("grouped", ["one for decay", "by name", "of the last layer", "of one of two alike", "in another order"])
def test_slots_go_to_the_weights_they_belong_to_or_stay_as_they_are(tmp_path, grouped):
    model = network()
    matrices, vectors = [p for p in model.parameters() if p.ndim > 1], [p for p in model.parameters() if p.ndim < 2]
    given = {
        "one for decay": [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}],
        "by name": list(model.named_parameters())[::-1],
        "of the last layer": list(model.out.parameters()),
        "of one of two alike": [model.two.bias],
        "in another order": list(model.parameters())[::-1],
    }[grouped]
    optimizer = torch.optim.AdamW(given, 0.01)
    train(model, optimizer, 2)
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, tmp_path / "a.pt")
    read = triptych.load(tmp_path / "a.pt").training
    # Groups of different decay, and slots of unknown weights, are no AdamW that the specification could continue.
    assert read.optimizer.type == ("AdamW" if grouped in ("by name", "of the last layer") else "torch:AdamW")
    if grouped in ("in another order", "of one of two alike"):
        assert all(name.startswith("torch.optimizer.state.") for name in read.state)
    else:
        names = {one: name for name, one in model.named_parameters()}
        for weight, slots in optimizer.state.items():
            assert bytes(read.state.tensor(f"optimizer.momentum.{names[weight]}").read()) == bits(slots["exp_avg"])
    assert_same(torch.load(tmp_path / "a.pt"), through_triptych(tmp_path / "a.pt", tmp_path))


def test_weights_that_were_updated_unequally_often_are_no_optimizer_of_one_count(tmp_path):
    model = network()
    optimizer = torch.optim.Adam(model.parameters())
    model.conv.requires_grad_(False)
    train(model, optimizer, 1)
    model.conv.requires_grad_(True)
    train(model, optimizer, 1)
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, tmp_path / "a.pt")
    read = triptych.load(tmp_path / "a.pt").training
    assert (read.optimizer.type, read.progress) == ("torch:Adam", None)
    assert [read.state[f"optimizer.step.{name}"].item() for name in ("conv.weight", "out.weight")] == [1, 2]
    assert_same(torch.load(tmp_path / "a.pt"), through_triptych(tmp_path / "a.pt", tmp_path))


@pytest.mark.parametrize(
    "changed",
    [{"betas": True}, {"betas": (0.9, (0.9, 0.9))}, {"betas": [0.9]}, {"betas": (0.9, "0.99")}, {"lr": True}, {"lr": torch.tensor(0.1)}, {"lr": None}, {"amsgrad": 1}, {"decoupled_weight_decay": [1]}, {"eps": {}},
     {"eps": 10**30}, {"lr": -0.1}, {"lr": float("nan")}, {"betas": (2.0, 3.0)}],
    ids=str,
)
def test_hyperparameters_that_no_optimizer_of_ours_has_make_none(tmp_path, changed):
    """They are kept as they are: one that is no pair has ended the reader with a TypeError (found by fuzzing), one out of range the writer of a package."""
    model = network()
    optimizer = torch.optim.Adam(model.parameters())
    train(model, optimizer, 1)
    expected = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
    torch.save(expected, tmp_path / "sound.pt")
    assert triptych.load(tmp_path / "sound.pt").training.optimizer.type == "Adam"
    expected["optimizer"]["param_groups"][0].update(changed)
    torch.save(expected, tmp_path / "a.pt")
    read = triptych.load(tmp_path / "a.pt")
    assert read.training.optimizer.type in ("torch:Adam", "torch:Optimizer")
    triptych.save(read, tmp_path / "a.triptych")
    assert_same(expected, through_triptych(tmp_path / "a.pt", tmp_path))


def test_values_of_every_kind_beside_the_model_come_back(tmp_path):
    model = network()
    expected = {
        "net": model.state_dict(), "epoch": 4, "counter": Counter("aab"), "names": {"x", "y"}, "raw": b"a\xff", "size": torch.Size([1, 2]), "dtype": torch.bfloat16,
        "device": torch.device("cuda", 0), "complex": 1 + 2j, "large": 2**100, "nan": float("nan"), "endless": float("-inf"), "negative": -5, "nested": {1: {2: torch.ones(2)}, (1, "a"): None},
        "random": torch.get_rng_state(), "text": "ü\ud800", "ordered": OrderedDict(b=1, a=2), "schedule": torch.optim.lr_scheduler.MultiStepLR(torch.optim.SGD(model.parameters(), 0.1), [2, 4]).state_dict(),
    }  # fmt: skip
    torch.save(expected, tmp_path / "a.pt")
    model = triptych.load(tmp_path / "a.pt")
    assert model.training.progress == Progress(epoch=4)
    assert "torch.random" in model.training.state
    assert_same(expected, through_triptych(tmp_path / "a.pt", tmp_path))


def test_numbers_and_arrays_of_numpy_become_numbers_and_tensors(tmp_path):
    array = np.arange(6, dtype=">i2").reshape(2, 3, order="F")
    torch.save({"model": network().state_dict(), "best": np.float64(0.5), "count": np.int32(3), "curve": array, "epoch": 1}, tmp_path / "a.pt")
    written = through_triptych(tmp_path / "a.pt", tmp_path)
    assert (written["best"], written["count"]) == (0.5, 3)
    np.testing.assert_array_equal(written["curve"].numpy(), array)
    assert written["curve"].dtype == torch.int16


def test_an_optimizer_alone_is_kept_as_it_is(tmp_path):
    model = network()
    optimizer = torch.optim.Adam(model.parameters())
    train(model, optimizer, 1)
    torch.save(optimizer.state_dict(), tmp_path / "a.pt")
    read = triptych.load(tmp_path / "a.pt")
    assert (read.weights, read.training.optimizer.type) == (None, "torch:Adam")
    assert_same(optimizer.state_dict(), through_triptych(tmp_path / "a.pt", tmp_path))


def test_writing_takes_one_tensor_at_a_time_and_gives_the_same_bytes(tmp_path):
    alive, most = 0, 0

    def read():
        nonlocal alive, most
        alive += 1
        most = max(most, alive)
        data = np.ones(1000, "float32")
        view = memoryview(data).cast("B")
        import weakref

        weakref.finalize(data, release)
        return view

    def release():
        nonlocal alive
        alive -= 1

    weights = Weights({f"w{index}": Tensor("float32", (1000,), read) for index in range(20)})
    for name in ("a.pt", "b.pt"):
        triptych.save(triptych.Model(Panels(weights=weights)), tmp_path / name)
    assert (tmp_path / "a.pt").read_bytes() == (tmp_path / "b.pt").read_bytes()
    assert most <= 3
    assert sum(one.sum().item() for one in torch.load(tmp_path / "a.pt", weights_only=True, mmap=True).values()) == 20_000
    with zipfile.ZipFile(tmp_path / "a.pt") as file:
        assert all(one.compress_type == zipfile.ZIP_STORED for one in file.infolist())
        assert file.testzip() is None


class AttributeDict(dict):
    """As Lightning has one for hyperparameters."""


def test_objects_that_are_names_with_values_become_dictionaries_and_paths_text(tmp_path):
    import argparse
    import collections
    import pathlib
    import types

    given = {
        "state_dict": network().state_dict(), "args": argparse.Namespace(lr=0.1, out=pathlib.PosixPath("/a/b")), "simple": types.SimpleNamespace(x=1),
        "hyper_parameters": AttributeDict(width=3), "window": collections.deque([1, 2], 5), "default": collections.defaultdict(list, a=[1]), "epoch": 1,
    }  # fmt: skip
    torch.save(given, tmp_path / "a.pt")
    assert len(triptych.load(tmp_path / "a.pt").notes) == 3
    written = through_triptych(tmp_path / "a.pt", tmp_path)
    del written["state_dict"]
    expected = {"args": {"lr": 0.1, "out": "/a/b"}, "simple": {"x": 1}, "hyper_parameters": {"width": 3}, "window": [1, 2], "default": {"a": [1]}, "epoch": 1}
    assert written == expected


def test_several_models_or_optimizers_are_kept_under_their_names(tmp_path):
    """Nobody says which of two generators is the model: all tensors are weights, by the path to them."""
    first, second = network(), Tied()
    expected = {"generator": first.state_dict(), "discriminator": second.state_dict(), "note": "gan"}
    torch.save(expected, tmp_path / "a.pt")
    assert {"generator.conv.weight", "discriminator.kept"} <= set(triptych.load(tmp_path / "a.pt").weights)
    assert_same(expected, through_triptych(tmp_path / "a.pt", tmp_path))
    optimizers = [torch.optim.Adam(first.parameters()), torch.optim.SGD(second.parameters(), 0.1, momentum=0.9)]
    train(first, optimizers[0], 1)
    expected = {"model": first.state_dict(), "ema": second.state_dict(), "a": optimizers[0].state_dict(), "b": optimizers[1].state_dict(), "step": 1}
    torch.save(expected, tmp_path / "a.pt")
    read = triptych.load(tmp_path / "a.pt")
    assert (set(read.weights), read.training.optimizer) == (set(first.state_dict()), None)
    assert "torch.ema.hidden.weight" in read.training.state
    assert_same(expected, through_triptych(tmp_path / "a.pt", tmp_path))
