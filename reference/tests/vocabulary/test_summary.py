"""The summary's numbers and its text."""

from __future__ import annotations

import subprocess
import sys

from triptych.model import Architecture, Call, Input, Layer, Tensor, WeightReference, Weights
from triptych.vocabulary.summary import render, summarize

N = None
LSTM = {"units": 2, "activation": "tanh", "recurrent_activation": "sigmoid"}
CNN = Architecture(
    name="cifar_cnn",
    inputs=(Input("image", (N, 32, 32, 3)),),
    layers=(
        Layer("conv", "Conv2D", {"filters": 16, "kernel_size": [3, 3]}),
        Layer("pool", "MaxPooling2D", {"pool_size": [4, 4]}),
        Layer("norm", "BatchNormalization", {"momentum": 0.99, "epsilon": 0.001}),
        Layer("flat", "Flatten"),
        Layer("dense_1", "Dense", {"units": 32}),
        Layer("drop", "Dropout", {"rate": 0.5}),
        Layer("dense_2", "Dense", {"units": 10}),
    ),
)


def tensor(dtype, *shape):
    def read():
        raise AssertionError("a summary reads no tensor")

    return Tensor(dtype, shape, read)


def test_the_example_network():
    """The table says what Keras' says."""
    assert render(summarize(CNN), width=100) == """\
Model: cifar_cnn
Layer    Type                Output shape        Parameters
━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
conv     Conv2D              (None, 30, 30, 16)         448
pool     MaxPooling2D        (None, 7, 7, 16)             0
norm     BatchNormalization  (None, 7, 7, 16)            64
flat     Flatten             (None, 784)                  0
dense_1  Dense               (None, 32)              25,120
drop     Dropout             (None, 32)                   0
dense_2  Dense               (None, 10)                 330
───────────────────────────────────────────────────────────
Total parameters:                 25,962  (101.41 KiB)
Trainable parameters:             25,930  (101.29 KiB)
Non-trainable parameters:             32  (128 B)"""


def test_a_graph_with_sharing_nesting_and_wrappers():
    """Inputs stand first, what is inside a layer is indented below it, a shared layer counts once."""
    encoder = Layer("encoder", "Model", architecture=Architecture(layers=(Layer("inner", "Dense", {"units": 3}),)), trainable=False)
    both = Layer("both", "Bidirectional", sublayers={"forward": Layer("", "LSTM", LSTM), "backward": Layer("", "LSTM", LSTM)})
    model = Architecture(
        inputs=(Input("a", (N, 4)), Input("b", (N, 3, 4))),
        layers=(encoder, both, Layer("shared", "ReLU")),
        calls=(Call("encoder", ("a",)), Call("both", ("b",)), Call("shared", ("encoder",), outputs=("one",)), Call("shared", ("both",), outputs=("two",))),
        outputs=("one", "two"),
    )
    summary = summarize(model)
    assert [(row.name, row.depth, row.parameters, row.trainable) for row in summary.rows] == [
        ("a", 0, 0, True),
        ("b", 0, 0, True),
        ("encoder", 0, 15, False),
        ("inner", 1, 15, False),
        ("both", 0, 112, True),
        ("forward", 1, 56, True),
        ("backward", 1, 56, True),
        ("shared", 0, 0, True),
    ]
    assert summary.rows[-1].multiple
    assert summary.rows[-1].connected_to == ("encoder", "both")
    assert (summary.trainable.parameters, summary.non_trainable.parameters, summary.total.bytes) == (112, 15, 127 * 4)
    assert render(summary, width=80, ascii_only=True) == """\
Layer       Type            Output shape  Parameters  Connected to
===================================================================
a           Input           (None, 4)              0
b           Input           (None, 3, 4)           0
encoder     Model (frozen)  (None, 3)             15  a
  inner     Dense (frozen)  (None, 3)             15
both        Bidirectional   (None, 4)            112  b
  forward   LSTM            (None, 2)             56
  backward  LSTM            (None, 2)             56
shared      ReLU            (multiple)             0  encoder, both
-------------------------------------------------------------------
Total parameters:                    127  (508 B)
Trainable parameters:                112  (448 B)
Non-trainable parameters:             15  (60 B)"""


def test_long_names_wrap():
    """No line is wider than asked for, and no character is lost."""
    name = "a_very_long_name_" * 6
    model = Architecture(layers=(Layer(name, "Dense", {"units": 3}),), inputs=(Input("x", (N, 4)),))
    lines = render(summarize(model), width=60).splitlines()
    assert max(map(len, lines)) <= 60
    assert "".join(line.split("  ")[0] for line in lines[2:-4]) == name
    assert lines[2].split()[1:] == ["Dense", "(None,", "3)", "15"]


def test_unknown_sizes_come_from_stored_tensors():
    """Without input shapes the stored tensors tell; without those too, the summary says how many are unknown."""
    model = Architecture(layers=(Layer("d", "Dense", {"units": 3}), Layer("x", "keras:Odd", weights={"table": WeightReference("t")})))
    bare = summarize(model)
    assert (bare.total.parameters, bare.unknown, [row.parameters for row in bare.rows]) == (3, 2, [None, None])
    assert "2 weights have a size that cannot be known" in render(bare, width=80)
    full = summarize(model, Weights({"d.kernel": tensor("float32", 5, 3), "d.bias": tensor("float32", 3), "t": tensor("int64", 7)}))
    assert (full.total.parameters, full.total.bytes, full.unknown) == (25, 18 * 4 + 56, 0)


def test_tied_tensors_count_once():
    """Two layers that share a tensor have its elements once between them."""
    tied = {"kernel": WeightReference("d.kernel")}
    model = Architecture(layers=(Layer("d", "Dense", {"units": 4}), Layer("e", "Dense", {"units": 4, "use_bias": False}, weights=tied)), inputs=(Input("x", (N, 4)),))
    summary = summarize(model)
    assert [row.parameters for row in summary.rows] == [20, 16]
    assert summary.total.parameters == 20


def test_the_optimizer_is_counted_apart():
    """Its slots are a line of their own and no parameter of the model."""
    state = Weights({"optimizer.momentum.d.kernel": tensor("float32", 4, 4), "random.seed": tensor("uint32", 2)})
    summary = summarize(Architecture(layers=()), state=state)
    assert (summary.total.parameters, summary.optimizer.parameters, summary.optimizer.bytes) == (0, 16, 64)
    assert "Optimizer parameters:                 16  (64 B)" in render(summary, width=80)


def test_names_cannot_drive_a_terminal():
    """Control characters of a name are printed as escapes; plain rulers are there for terminals without Unicode."""
    text = render(summarize(Architecture(layers=(Layer("x\x1b[31m", "keras:\x07"),), name="m\r")), width=80, ascii_only=True)
    assert text.isascii()
    assert "x\\x1b[31m" in text
    assert "\x1b" not in text
    assert "\r" not in text


def test_numpy_is_not_imported():
    """A summary starts without it."""
    code = "import sys; from triptych.vocabulary.summary import summarize; from triptych.model import Architecture; summarize(Architecture(layers=())); sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603
