"""Cells, stacks of cells and recurrent convolutions compute what Keras computes."""

import itertools

import numpy as np
import pytest
from sequence_judges import Case, agree, by_keras, elsewhere, error, keras_of

from triptych.model import Architecture, Call, Input, Layer
from triptych.vocabulary import infer
from triptych.vocabulary.evaluator import evaluate

PLAIN = {"units": 4, "activation": "tanh"}
GATED = {**PLAIN, "recurrent_activation": "sigmoid"}
BASES = {"SimpleRNNCell": PLAIN, "LSTMCell": GATED, "GRUCell": {**GATED, "reset_after": True}}
X = (3, 6, 5)
MASK = np.array([[1, 1, 1, 1, 1, 1], [1, 1, 0, 0, 0, 0], [0, 1, 0, 1, 1, 0]], bool)


def cell(name, **more):
    return Layer("", name, {**BASES[name], **more})


def stack(*cells):
    return Layer("", "StackedRNNCells", {}, {f"cell_{n}": one for n, one in enumerate(cells)})


def rnn(inner, **config):
    return Layer("layer", "RNN", config, {"cell": inner})


def with_cells():
    """RNN with one cell and with several."""
    inner = [cell(name) for name in BASES] + [cell("GRUCell", reset_after=False), cell("LSTMCell", use_bias=False)]
    inner += [stack(cell("LSTMCell"), cell("GRUCell", units=3)), stack(*[cell("SimpleRNNCell")] * 3)]  # Keras 3.15 stumbles over a stack of one
    for one in inner:
        for config in ({}, {"return_sequences": True, "return_state": True}):
            yield Case(rnn(one, **config), (X,))
        yield Case(rnn(one, return_sequences=True, go_backwards=True), (X,), {"mask": MASK})
    yield Case(rnn(cell("GRUCell"), return_sequences=True, zero_output_for_mask=True), (X,), {"mask": MASK})
    yield Case(rnn(cell("LSTMCell"), return_state=True), (X, (3, 4), (3, 4)))


LSTM = {"filters": 2, "activation": "tanh", "recurrent_activation": "hard_sigmoid"}


def convolutions():
    """ConvLSTM of each rank that Keras computes on a CPU."""
    for rank, shape in ((1, (2, 4, 8, 3)), (2, (2, 3, 6, 5, 3)), (3, (2, 2, 4, 5, 4, 2))):
        base = {**LSTM, "kernel_size": [3, 2, 2][:rank]}
        more = [{}, {"padding": "same_upper", "return_sequences": True}, {"padding": "same_upper", "return_state": True, "go_backwards": True}]
        more += [{"strides": [2] * rank}, {"dilation_rate": [2, 1, 1][:rank]}, {"use_bias": False, "return_sequences": True}]
        for config in more if rank < 3 else more[:2]:
            yield Case(Layer("layer", f"ConvLSTM{rank}D", {**base, **config}), (shape,), spread=0.5)
    mask = np.array([[1, 1, 0], [0, 1, 1]], bool)
    yield Case(Layer("layer", "ConvLSTM2D", {**LSTM, "kernel_size": [2, 2], "return_sequences": True}), ((2, 3, 4, 4, 2),), {"mask": mask}, spread=0.5)


@pytest.mark.parametrize("generation", ["tf_keras", "keras"])
@pytest.mark.parametrize("grid", [with_cells, convolutions])
def test_agrees_with_keras(generation, grid):
    keras = keras_of(generation)
    for case in grid():
        if generation == "tf_keras" and grid is convolutions:
            expected = by_keras(keras, case, case.arrays(), list(case.weights().values()))
            config = {**case.layer.config, "recurrent_activation": "hard_sigmoid_keras2"}
            agree(Case(Layer("layer", case.layer.type, config), case.shapes, case.arguments, spread=case.spread), expected, generation)
        else:
            agree(case, by_keras(keras, case, case.arrays(), list(case.weights().values())), generation)


@pytest.mark.parametrize(("backend", "share"), [("torch", 1), ("jax", 7)])
def test_agrees_with_keras_on_another_backend(backend, share, tmp_path):
    grid = [*with_cells(), *convolutions()][::share]
    for case, expected in zip(grid, elsewhere(grid, backend, tmp_path), strict=True):
        agree(case, expected, f"keras on {backend}")


@pytest.mark.parametrize("name", BASES)
def test_a_cell_takes_one_step(name):
    """A cell that stands on its own takes states, or starts from zeros."""
    keras = keras_of("keras")
    states = 2 if name == "LSTMCell" else 1
    for count in (0, states):
        case = Case(Layer("layer", name, BASES[name]), ((3, 5), *[(3, 4)] * count))
        x, *given = case.arrays()
        theirs = getattr(keras.layers, name)(**BASES[name])
        given = given or [np.zeros((3, 4), np.float32)] * states
        theirs(x, given)
        theirs.set_weights(list(case.weights().values()))
        result, after = theirs(x, given)
        for got, expected in zip(case.ours().outputs, [result, *after], strict=True):
            assert error(got, np.asarray(expected)) <= 1e-6


def test_channels_first_is_channels_last_with_axes_moved():
    """No backend here has this on a CPU; so the same numbers in the other order."""
    config = {**LSTM, "kernel_size": [2, 3], "padding": "same_upper", "return_sequences": True, "return_state": True}
    last = Case(Layer("layer", "ConvLSTM2D", config), ((2, 3, 6, 5, 3),))
    first = Case(Layer("layer", "ConvLSTM2D", {**config, "data_format": "channels_first"}), ((2, 3, 3, 6, 5),))
    assert [slot.shape for slot in first.slots()] == [slot.shape for slot in last.slots()]
    x = last.arrays()[0]
    architecture = Architecture((first.layer,), (Input("x", (None, 3, 3, 6, 5)),), (Call("layer", ("x",), {}, ("y", "h", "c")),), ("y", "h", "c"))
    got = evaluate(architecture, last.weights(), [np.moveaxis(x, -1, 2)]).outputs
    for one, other, channels in zip(got, last.ours().outputs, (2, 1, 1), strict=True):
        assert error(np.moveaxis(one, channels, -1), other) <= 1e-6


@pytest.mark.parametrize(
    ("inner", "shapes", "requirement"),
    [
        (stack(cell("LSTMCell"), cell("GRUCell")), [X, (3, 4)], "LYR-007"),
        (stack(cell("LSTMCell"), cell("GRUCell")), [X, (3, 4), (3, 4), (3, 5)], "LYR-007"),
        (Layer("", "StackedRNNCells", {}, {"cell_0": cell("LSTMCell"), "cell_2": cell("GRUCell")}), [X], "LYR-004"),
        (Layer("", "StackedRNNCells", {}, {}), [X], "LYR-004"),
        (Layer("", "Dense", {"units": 3}), [X, (3, 4)], "LYR-006"),
    ],
)
def test_states_and_cells_must_fit(inner, shapes, requirement):
    names = tuple(f"in{i}" for i in range(len(shapes)))
    inputs = tuple(Input(name, shape) for name, shape in zip(names, shapes, strict=True))
    problems = infer(Architecture((rnn(inner),), inputs, (Call("layer", names),), ("layer",))).problems
    assert {one.requirement for one in problems} == {requirement}


def test_cells_are_walked_by_their_numbers():
    """cell_10 comes after cell_2, whatever the order of the document."""
    cells = {f"cell_{n}": cell("SimpleRNNCell", units=n + 1) for n in reversed(range(11))}
    case = Case(rnn(Layer("", "StackedRNNCells", {}, cells)), (X,))
    assert [slot.shape[-1] for slot in case.slots() if slot.role == "bias"] == list(range(1, 12))
    ordered = Case(rnn(Layer("", "StackedRNNCells", {}, dict(reversed(cells.items())))), (X,))
    assert error(case.ours().outputs[0], ordered.ours().outputs[0]) == 0
