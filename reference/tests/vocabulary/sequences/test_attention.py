"""Attention computes what Keras and torch compute: scores, heads, masks of every kind, scores returned."""

import importlib
import itertools

import numpy as np
import pytest
from sequence_judges import Case, agree, by_keras, elsewhere, error, keras_of, record

from triptych.model import Layer

Q, V, K = (3, 4, 5), (3, 6, 5), (3, 6, 5)
GENERATOR = np.random.default_rng(7)
QUERY_MASK = np.array([[1, 1, 1, 1], [1, 1, 0, 0], [1, 0, 1, 0]], bool)
VALUE_MASK = np.array([[1, 1, 1, 1, 1, 1], [1, 1, 0, 0, 0, 1], [1, 0, 1, 1, 0, 0]], bool)
PAIRS = GENERATOR.random((3, 4, 6)) > 0.4
PAIRS[:, :, 0] = True


def plain():
    """Attention."""
    for mode, scale in itertools.product(("dot", "concat"), (False, True)):
        layer = Layer("layer", "Attention", {"score_mode": mode, "use_scale": scale})
        yield Case(layer, (Q, V))
        yield Case(layer, (Q, (3, 6, 7), K))
        yield Case(layer, (Q, V), {"mask": [QUERY_MASK, VALUE_MASK], "return_attention_scores": True})
        yield Case(layer, (Q, V), {"use_causal_mask": True})
        yield Case(layer, (Q, V, K), {"use_causal_mask": True, "mask": [None, VALUE_MASK, None]})


def additive():
    """AdditiveAttention."""
    for scale in (False, True):
        layer = Layer("layer", "AdditiveAttention", {"use_scale": scale})
        yield Case(layer, (Q, V))
        yield Case(layer, (Q, V, K), {"mask": [QUERY_MASK, VALUE_MASK, None], "return_attention_scores": True})
        yield Case(layer, (Q, V), {"use_causal_mask": True})


def grouped():
    """GroupQueryAttention."""
    base = {"head_dim": 3, "num_query_heads": 4}
    for config in ({"num_key_value_heads": 2}, {"num_key_value_heads": 1, "use_bias": False}, {"num_key_value_heads": 4}):
        layer = Layer("layer", "GroupQueryAttention", {**base, **config})
        yield Case(layer, (Q, V))
        yield Case(layer, (Q, V), {"attention_mask": PAIRS, "return_attention_scores": True})
        yield Case(layer, (V, V), {"use_causal_mask": True})
        yield Case(layer, (Q, V), {"query_mask": QUERY_MASK, "value_mask": VALUE_MASK})


def heads():
    """MultiHeadAttention."""
    base = {"num_heads": 2, "key_dim": 3}
    for config in ({}, {"value_dim": 4}, {"use_bias": False}, {"output_shape": [7]}):
        layer = Layer("layer", "MultiHeadAttention", {**base, **config})
        yield Case(layer, (Q, (3, 6, 7)))
        yield Case(layer, (Q, (3, 6, 7), K), {"return_attention_scores": True})
    layer = Layer("layer", "MultiHeadAttention", base)
    yield Case(layer, (Q, V), {"attention_mask": PAIRS})
    yield Case(layer, (Q, V), {"attention_mask": PAIRS, "use_causal_mask": True, "return_attention_scores": True})
    yield Case(layer, (V, V), {"use_causal_mask": True})
    yield Case(layer, (Q, V), {"query_mask": QUERY_MASK, "value_mask": VALUE_MASK})
    wide = Layer("layer", "MultiHeadAttention", {**base, "attention_axes": [2]})
    image = Layer("layer", "MultiHeadAttention", base)
    for one in (wide, image):
        yield Case(one, ((2, 3, 4, 5), (2, 3, 4, 5)))
    yield Case(image, ((2, 3, 4, 5), (2, 3, 2, 5)), {"attention_mask": GENERATOR.random((2, 3, 4, 3, 2)) > 0.3})


def knows(keras, case):
    """Whether this Keras can say the case."""
    if keras.__name__ == "keras":
        return True
    if case.layer.type == "GroupQueryAttention":
        return False
    return not {"query_mask", "value_mask", "key_mask"} & set(case.arguments)


@pytest.mark.parametrize("generation", ["tf_keras", "keras"])
@pytest.mark.parametrize("grid", [plain, additive, grouped, heads])
def test_agrees_with_keras(generation, grid):
    keras = keras_of(generation)
    for case in grid():
        if knows(keras, case):
            agree(case, by_keras(keras, case, case.arrays(), list(case.weights().values())), generation)


@pytest.mark.parametrize(("backend", "share"), [("torch", 1), ("jax", 5)])
def test_agrees_with_keras_on_another_backend(backend, share, tmp_path):
    grid = [*plain(), *additive(), *grouped(), *heads()][::share]
    if backend == "jax":
        grid = [case for case in grid if "value_dim" not in case.layer.config]  # which JAX's own attention cannot take
    for case, expected in zip(grid, elsewhere(grid, backend, tmp_path), strict=True):
        agree(case, expected, f"keras on {backend}")


@pytest.mark.parametrize("mask", ["none", "padding", "causal"])
def test_agrees_with_torch(mask):
    """torch packs its projections and masks what is true; ours are apart and true lets through."""
    torch = importlib.import_module("torch")
    torch.manual_seed(0)
    theirs = torch.nn.MultiheadAttention(6, 2, batch_first=True, kdim=5, vdim=7)
    arguments = {"padding": {"value_mask": VALUE_MASK}, "causal": {"use_causal_mask": True}, "none": {}}[mask]
    case = Case(Layer("layer", "MultiHeadAttention", {"num_heads": 2, "key_dim": 3}), ((3, 4, 6), (3, 6, 7), (3, 6, 5)), {**arguments, "return_attention_scores": True})
    w = case.weights()
    with torch.no_grad():
        for name, target in (("query", theirs.q_proj_weight), ("key", theirs.k_proj_weight), ("value", theirs.v_proj_weight)):
            target.copy_(torch.from_numpy(w[f"layer.{name}_kernel"].reshape(target.shape[1], 6).T.copy()))
        theirs.in_proj_bias.copy_(torch.from_numpy(np.concatenate([w[f"layer.{name}_bias"].ravel() for name in ("query", "key", "value")])))
        theirs.out_proj.weight.copy_(torch.from_numpy(w["layer.output_kernel"].reshape(6, 6).T.copy()))
        theirs.out_proj.bias.copy_(torch.from_numpy(w["layer.output_bias"]))
    query, value, key = map(torch.from_numpy, case.arrays())
    said = {"padding": {"key_padding_mask": torch.from_numpy(~VALUE_MASK)}, "causal": {"attn_mask": torch.from_numpy(~np.tri(4, 6, dtype=bool))}, "none": {}}[mask]
    expected = theirs(query, key, value, average_attn_weights=False, **said)
    worst = max(error(a, b.detach().numpy()) for a, b in zip(case.ours().outputs, expected, strict=True))
    record("MultiHeadAttention", "torch", f"kdim, vdim, mask {mask}", worst)
    assert worst <= 1e-5


def test_where_nothing_may_be_attended_to_everything_is():
    """A query without any key that counts takes the mean of all values, as Keras has it."""
    mask = np.zeros((3, 6), bool)
    case = Case(Layer("layer", "Attention", {}), (Q, V), {"mask": [None, mask]})
    expected = np.broadcast_to(case.arrays()[1].mean(axis=1, keepdims=True), Q)
    assert error(case.ours().outputs[0], expected) <= 1e-6
