"""Recurrent layers compute what Keras and torch compute: gates, masks, states, directions and stacks."""

import importlib
import itertools
from dataclasses import replace

import numpy as np
import pytest
from sequence_judges import Case, agree, by_keras, elsewhere, error, keras_of, record

from triptych.model import Architecture, Call, Input, Layer
from triptych.vocabulary.evaluator import evaluate

PLAIN = {"units": 4, "activation": "tanh"}
GATED = {**PLAIN, "recurrent_activation": "sigmoid"}
BASES = {"SimpleRNN": PLAIN, "LSTM": GATED, "GRU": {**GATED, "reset_after": True}}
X = (3, 6, 5)
MASK = np.array([[1, 1, 1, 1, 1, 1], [1, 1, 0, 0, 0, 0], [0, 1, 0, 1, 1, 0]], bool)


def layer(name, **more):
    return Layer("layer", name, {**BASES[name], **more})


def cases():
    """The option grid of the three types."""
    for name in BASES:
        states = 2 if name == "LSTM" else 1
        for sequences, state, backwards, masked in itertools.product((False, True), repeat=4):
            config = {"return_sequences": sequences, "return_state": state, "go_backwards": backwards}
            yield Case(layer(name, **config), (X,), {"mask": MASK} if masked else {})
        yield Case(layer(name, use_bias=False), (X,))
        yield Case(layer(name, activation="relu"), (X,), spread=0.4)
        yield Case(layer(name, return_sequences=True, zero_output_for_mask=True), (X,), {"mask": MASK})
        yield Case(layer(name, unroll=True, return_sequences=True), (X,), {"mask": MASK})
        yield Case(layer(name, return_state=True), (X, *[(3, 4)] * states))
        yield Case(layer(name, return_state=True), (X, *[(3, 4)] * states), {"mask": MASK})
    for name in ("LSTM", "GRU"):
        yield Case(layer(name, recurrent_activation="hard_sigmoid"), (X,))
    for config in ({}, {"use_bias": False}, {"return_sequences": True, "go_backwards": True}):
        yield Case(layer("GRU", reset_after=False, **config), (X,), {"mask": MASK})


def both_ways():
    """Bidirectional layers."""
    for name, mode in itertools.product(BASES, ("concat", "sum", "mul", "ave", "none")):
        zeros = {"return_sequences": True, "zero_output_for_mask": True}  # which Keras' Bidirectional sets
        for config, masked in itertools.product(({"return_state": True}, zeros), (False, True)):
            parts = {"forward": layer(name, **config), "backward": layer(name, **config, go_backwards=True)}
            yield Case(Layer("layer", "Bidirectional", {"merge_mode": mode}, parts), (X,), {"mask": MASK} if masked else {})
    parts = {"forward": layer("LSTM"), "backward": layer("GRU", units=3, go_backwards=True)}
    yield Case(Layer("layer", "Bidirectional", {}, parts), (X,))
    parts = {"forward": layer("LSTM"), "backward": layer("LSTM", go_backwards=True)}
    yield Case(Layer("layer", "Bidirectional", {}, parts), (X, *[(3, 4)] * 4))


HARD = {"2": "hard_sigmoid_keras2", "3": "hard_sigmoid"}


@pytest.mark.parametrize("generation", ["tf_keras", "keras"])
@pytest.mark.parametrize("grid", [cases, both_ways])
def test_agrees_with_keras(generation, grid):
    keras = keras_of(generation)
    for case in grid():
        if generation == "tf_keras" and case.layer.config.get("recurrent_activation") == "hard_sigmoid":
            expected = by_keras(keras, case, case.arrays(), list(case.weights().values()))
            case = Case(layer(case.layer.type, recurrent_activation="hard_sigmoid_keras2"), case.shapes)
        else:
            expected = by_keras(keras, case, case.arrays(), list(case.weights().values()))
        agree(case, expected, generation)


@pytest.mark.parametrize(("backend", "share"), [("torch", 2), ("jax", 11)])
def test_agrees_with_keras_on_another_backend(backend, share, tmp_path):
    """Every second, or every eleventh, case of the grids: JAX compiles each."""
    grid = [*cases(), *both_ways()][::share]
    for case, expected in zip(grid, elsewhere(grid, backend, tmp_path), strict=True):
        agree(case, expected, f"keras on {backend}")


def test_a_stateful_layer_goes_on_where_it_stopped():
    """Two calls of Keras' stateful layer are two calls here, the second one from the states of the first."""
    keras = keras_of("keras")
    for name in BASES:
        case = Case(layer(name, return_state=True), (X,))
        weights = list(case.weights().values())
        one, two = case.arrays()[0], case.arrays()[0][:, ::-1] * 0.5
        stateful = getattr(keras.layers, name)(**{**BASES[name], "stateful": True})
        stateful(one)
        stateful.set_weights(weights)
        stateful.reset_state()
        stateful(one)
        expected = np.asarray(stateful(two))
        architecture = Architecture((case.layer,), tuple(Input(n, (None, *a.shape[1:])) for n, a in zip("xhc", [one, *[np.zeros((3, 4))] * 2], strict=True)), (Call("layer", ("x",), {}, ("y", "a", "b") if name == "LSTM" else ("y", "a")),), ("y", "a"))
        states = evaluate(architecture, case.weights(), [one, np.zeros((3, 4)), np.zeros((3, 4))], watch=["layer"]).watched["layer"][0][1:]
        names = ("x", "h", "c")[: 1 + len(states)]
        again = replace(architecture, inputs=architecture.inputs[: len(names)], calls=(replace(architecture.calls[0], inputs=names),))
        got = evaluate(again, case.weights(), [two, *states]).outputs[0]
        assert error(got, expected) <= 1e-6


GATES = {"RNN": [0], "LSTM": [0, 1, 2, 3], "GRU": [1, 0, 2]}
"""Our order of the gates, as numbers of torch's: i, f, g, o and r, z, n."""


def from_torch(parameters, kind, suffix):
    """Kernel, recurrent kernel and the two rows of biases of one direction of one layer of torch."""
    def ordered(x):
        return np.concatenate([np.split(x, len(GATES[kind]))[gate] for gate in GATES[kind]])

    w, u, b, c = (ordered(parameters[f"{name}_{suffix}"].detach().numpy()) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
    return [np.ascontiguousarray(w.T), np.ascontiguousarray(u.T), np.stack([b, c])]


@pytest.mark.parametrize(("kind", "name"), [("RNN", "SimpleRNN"), ("LSTM", "LSTM"), ("GRU", "GRU")])
def test_agrees_with_torch(kind, name):
    """Stacked, bidirectional layers of torch, with their gates in our order and both their biases; and their last states."""
    torch = importlib.import_module("torch")
    torch.manual_seed(0)
    theirs = getattr(torch.nn, kind)(5, 4, num_layers=2, bidirectional=True, batch_first=True)
    with torch.no_grad():
        for one in theirs.parameters():
            one.normal_()
    parameters, weights, layers = dict(theirs.named_parameters()), {}, []
    two_biases = {} if name == "GRU" else {"recurrent_bias": True}
    for number in range(2):
        config = {**BASES[name], **two_biases, "return_sequences": True, "return_state": True}
        parts = {"forward": Layer("", name, config), "backward": Layer("", name, {**config, "go_backwards": True})}
        layers.append(Layer(f"l{number}", "Bidirectional", {}, parts))
        for role, suffix in (("forward", f"l{number}"), ("backward", f"l{number}_reverse")):
            for what, value in zip(("kernel", "recurrent_kernel", "bias"), from_torch(parameters, kind, suffix), strict=True):
                weights[f"l{number}.{role}.{what}"] = value
    states = "abcd" if name == "LSTM" else "ab"
    calls = tuple(Call(f"l{n}", ("x" if n == 0 else "y0",), {}, (f"y{n}", *(f"{one}{n}" for one in states))) for n in range(2))
    architecture = Architecture(tuple(layers), (Input("x", (None, None, 5)),), calls, ("y1", *(f"{one}{n}" for n in range(2) for one in states)))
    x = np.random.default_rng(0).standard_normal((3, 6, 5)).astype(np.float32)
    y, last = theirs(torch.from_numpy(x))
    hidden = last if isinstance(last, tuple) else (last,)
    # torch: for each layer, both directions' h; and the same of c.
    expected = [y, *(state[2 * n + way] for n in range(2) for way in range(2) for state in hidden)]
    got = evaluate(architecture, weights, [x]).outputs
    worst = max(error(a, b.detach().numpy()) for a, b in zip(got, expected, strict=True))
    record(name, "torch", "2 layers, bidirectional, two biases, states", worst)
    assert worst <= 1e-5


def test_a_swapped_gate_is_noticed():
    """What this file compares would tell two gates that are swapped."""
    case = Case(layer("LSTM"), (X,))
    right, wrong = case.weights(), case.weights()
    wrong["layer.kernel"] = right["layer.kernel"][:, [*range(4, 8), *range(4), *range(8, 16)]]
    assert error(case.ours(weights=wrong).outputs[0], case.ours(weights=right).outputs[0]) > 0.1
