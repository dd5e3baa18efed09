"""Cases of what calls say beside their inputs, and of weights that only their tensors measure (chapter 25)."""

from __future__ import annotations

from collections.abc import Iterable

import kit
from kit import Case
from lyr import AT, LSTM, STEPS, bad, call, chain, good, graph, layer

MEAN = layer("GlobalAveragePooling1D", name="mean")
HEADS = layer("MultiHeadAttention", {"num_heads": 1, "key_dim": 2}, "heads")
WAVES = layer("SinePositionEncoding", {"max_wavelength": 100.0, "layout": "halves"}, "waves")
ROWS = layer("PositionEmbedding", {"sequence_length": 9}, "rows")
TWIN = "lyr-041-kinds-of-arguments"


def said(layer_, arguments, *inputs, outputs=None):
    """An architecture of one call with these arguments; `m` is a mask of its steps."""
    named = outputs or [layer_["name"]]
    return graph([layer_], [call(layer_["name"], *(inputs or ["x"]), arguments=arguments, outputs=named)], named, x=STEPS, m=[None, 6], h=[None, 3], c=[None, 3])


def kinds() -> Iterable[Case]:
    m = {"value": "m"}
    yield good(TWIN, "Booleans, a value, null and lists of values as arguments", ["LYR-041", "LYR-010"], graph(
        [HEADS, MEAN, layer("LSTM", LSTM, "lstm"), layer("Add", name="sum"), ROWS, layer("org.example:Odd", name="odd")],
        [call("heads", "x", "x", arguments={"mask": [None, m], "use_causal_mask": True, "return_attention_scores": True, "key_mask": None, "training": None}, outputs=["y", "scores"]),
         call("mean", "y", arguments={"mask": m, "training": False}),
         call("lstm", "x", arguments={"mask": None, "initial_state": [{"value": "h"}, {"value": "c"}]}),
         call("sum", "x", "x", arguments={"mask": m}),
         call("rows", "x", arguments={"start_index": 3}),
         call("odd", "x", arguments={"mask": True, "depth": [1, None, {"value": "m"}]})],
        ["mean", "lstm", "sum", "rows", "odd"], x=STEPS, m=[None, 6], h=[None, 3], c=[None, 3]))
    for slug, title, architecture, argument in (
        ("a-literal-mask", "A mask is `true`", said(MEAN, {"mask": True}), "mask"),
        ("a-mask-of-literals", "A mask is a list of booleans", said(MEAN, {"mask": [True]}), "mask"),
        ("one-mask-for-two-inputs", "A list of one mask stands beside two inputs", said(layer("Add", name="sum"), {"mask": [m]}, "x", "x"), "mask"),
        ("a-literal-mask-of-attention", "An attention mask is 1", said(HEADS, {"attention_mask": 1}, "x", "x"), "attention_mask"),
        ("a-mask-in-a-list", "A mask of keys is a list of a value", said(HEADS, {"key_mask": [m]}, "x", "x"), "key_mask"),
        ("a-state-that-is-null", "Null stands between two states", said(layer("LSTM", LSTM, "lstm"), {"initial_state": [{"value": "h"}, None, {"value": "c"}]}), "initial_state"),
        ("a-value-in-place-of-a-boolean", "A value decides whether scores are returned", said(HEADS, {"return_attention_scores": m}, "x", "x", outputs=["y", "scores"]), "return_attention_scores"),
        ("an-index-below-0", "Positions begin with -1", said(WAVES, {"start_index": -1}), "start_index"),
        ("an-index-that-is-true", "Positions begin with `true`", said(WAVES, {"start_index": True}), "start_index"),
        ("a-number-in-place-of-a-boolean", "`training` is 1", said(MEAN, {"training": 1}), "training"),
        ("a-mask-of-a-model", "A nested model is given a mask that is `true`",
         said(layer("Model", name="inner", architecture={"inputs": [{"name": "z", "shape": STEPS}], "layers": [MEAN]}), {"mask": True}), "mask"),
    ):
        yield bad(f"lyr-041-{slug}", title, "LYR-041", architecture, "CALL_ARGUMENT_KIND", f"{AT}/calls/0/arguments/{argument}", twin=TWIN)
    inside = {"inputs": ["z"], "layers": [MEAN], "calls": [call("mean", "z", arguments={"speed": 1})], "outputs": ["mean"]}
    use = chain(layer("Box", name="use"), shape=STEPS)
    yield bad("lyr-010-inside-a-composite", "A call in a composite says an argument its layer does not know", "LYR-010", {**use, "composites": {"Box": inside}},
              "CALL_ARGUMENT_UNKNOWN", f"{AT}/layers/0", twin="lyr-010-known-arguments")


def counts() -> Iterable[Case]:
    odd = layer("org.example:Odd", name="odd", weights={"table": {"tensor": "table"}, "count": {"tensor": "count", "trainable": False}})
    yield good("lyr-016-counted-by-tensors", "Tensors say how many parameters a type of somebody else has", ["LYR-016", "LYR-017"], chain(odd, layer("Dense", {"units": 2}, "dense")),
               {"count": ("int64", [], bytes(8)), "dense.bias": kit.f32([2]), "dense.kernel": kit.f32([3, 2]), "table": kit.f32([2, 5])}, parameters=(18, 1))


def lyr_cases() -> Iterable[Case]:
    """The cases of chapter 25."""
    yield from kinds()
    yield from counts()
