"""Cases of what fits a call at the edge: the last configuration that does beside the first that does not (chapters 20 and 25)."""

from __future__ import annotations

from collections.abc import Iterable

import kit
from _operations import op, operated
from kit import Case
from lyr import bad, call, chain, good, graph, layer

AT = "architecture.json#"
CELLS = {"units": 2, "activation": "tanh", "recurrent_activation": "sigmoid"}


def pair(slug, title, other, fits, misfits, place="/calls/0"):  # noqa: PLR0917 - a row of a table
    """An accepting and a rejecting case of LYR-007: `title` of what fits, `other` of what does not."""
    yield good(f"lyr-007-{slug}", title, ["LYR-007"], fits)
    yield bad(f"lyr-007-{slug}-not", other, "LYR-007", misfits, "CALL_INPUT_SHAPE", AT + place, twin=f"lyr-007-{slug}")


def layers() -> Iterable[Case]:
    steps, image = [None, 4, 3], [None, 4, 5, 3]

    def one(type_, config, shape):
        return chain(layer(type_, config), shape=shape)

    for slug, title, other, type_, fits, misfits, shape in (
        ("reflected-padding", "All elements but the outermost are mirrored", "More is mirrored than there is", "Padding1D",
         {"padding": [[3, 0]], "mode": "reflect"}, {"padding": [[4, 0]], "mode": "reflect"}, steps),
        ("symmetric-padding", "All elements are mirrored", "More is mirrored than there is, with the outermost", "Padding1D",
         {"padding": [[0, 4]], "mode": "symmetric"}, {"padding": [[0, 5]], "mode": "symmetric"}, steps),
        ("circular-padding", "All elements come again", "Elements come again twice", "Padding2D",
         {"padding": [[4, 4], [5, 0]], "mode": "circular"}, {"padding": [[4, 4], [6, 0]], "mode": "circular"}, image),
        ("axes-once", "A normalization names two axes", "A normalization names one axis twice", "LayerNormalization",
         {"axis": [1, -1], "epsilon": 0.001}, {"axis": [2, -1], "epsilon": 0.001}, steps),
        ("shared-axes-once", "A slope is shared along two axes", "A slope is shared along one axis twice", "PReLU", {"shared_axes": [1, 2]}, {"shared_axes": [1, 1]}, image),
        ("as-many-scales-as-channels", "Each of three channels has a scale", "Two scales stand beside three channels", "Rescaling", {"scale": [0.5, 1.0, 2.0]}, {"scale": [0.5, 1.0]}, steps),
        ("as-many-means-as-channels", "Each of three channels has a mean", "Two means stand beside three channels", "Normalization",
         {"mean": [0.0, 1.0, 2.0], "variance": [1.0]}, {"mean": [0.0, 1.0], "variance": [1.0]}, steps),
        ("positions-beside-features", "Positions and features lie along two axes", "Positions and features lie along one axis", "RotaryEmbedding",
         {"max_wavelength": 10000, "layout": "halves", "sequence_axis": 2, "feature_axis": 1}, {"max_wavelength": 10000, "layout": "halves", "sequence_axis": 1, "feature_axis": 1}, steps),
        ("equal-boundaries", "Two boundaries of bins are equal", "A boundary of bins is below the one before", "Discretization",
         {"bin_boundaries": [0.0, 1.0, 1.0]}, {"bin_boundaries": [0.0, 1.0, 0.5]}, [None, 3]),
    ):
        yield from pair(slug, title, other, one(type_, fits, shape), one(type_, misfits, shape), "/layers/0")

    def sequence(extent):
        return one("GRU", {**CELLS, "reset_after": True}, [None, extent, 3])

    yield from pair("one-step", "A sequence of one step", "A sequence of no steps", sequence(1), sequence(0), "/layers/0")

    yield from pair("largest-of-one-step", "The largest of one step", "The largest of no steps", one("GlobalMaxPooling1D", {}, [None, 1, 3]), one("GlobalMaxPooling1D", {}, [None, 0, 3]), "/layers/0")

    def heads(axes):
        return graph([layer("MultiHeadAttention", {"num_heads": 1, "key_dim": 2, "attention_axes": axes})], [call("layer", "x", "x")], ["layer"], x=[2, 3, 4, 5])

    yield from pair("attention-beside-the-batch", "Attention over an axis behind the batch", "Attention over the batch", heads([1]), heads([0]))


def states() -> Iterable[Case]:
    """Initial states are inputs, wherever a call names them."""

    def net(type_, config, inputs, said, shape):
        calls = [call("layer", "x", *inputs, arguments={"initial_state": [{"value": name} for name in said]})]
        return graph([layer(type_, config)], calls, ["layer"], x=[None, 3, 2], h=shape, c=[None, 2])

    simple = {"units": 2, "activation": "tanh"}
    yield good("lyr-006-states-as-arguments", "An argument gives the state", ["LYR-006", "LYR-007"], net("SimpleRNN", simple, [], ["h"], [None, 2]))
    yield bad("lyr-006-a-state-too-many", "An input and an argument give one state", "LYR-006", net("SimpleRNN", simple, ["h"], ["c"], [None, 2]),
              "CALL_INPUT_COUNT", f"{AT}/calls/0", twin="lyr-006-states-as-arguments")
    yield from pair("states-in-two-places", "An input gives the first state and an argument the second", "An argument gives one state of two",
                    net("LSTM", CELLS, ["h"], ["c"], [None, 2]), net("LSTM", CELLS, [], ["c"], [None, 2]))
    yield from pair("state-of-an-argument", "A state that an argument gives has the shape of states", "A state that an argument gives has another shape",
                    net("SimpleRNN", simple, [], ["h"], [None, 2]), net("SimpleRNN", simple, [], ["h"], [None, 3]))


def operations() -> Iterable[Case]:
    mask = {"q": [2, 3, 4], "k": [2, 5, 4]}
    attend = op("attention", ["q", "k", "k", "m"], ["y"])
    for slug, title, other, one, fits, two, misfits in (
        ("squeeze-of-known-extents", "All axes of one element go where extents are known", "All axes of one element go where an extent is not known",
         op("squeeze", ["x"], ["y"]), {"x": [1, 4]}, op("squeeze", ["x"], ["y"]), {"x": [None, 4]}),
        ("broadcast-with-null", "Null stands for an axis of the input", "Null stands where the input has no axis",
         op("broadcast_to", ["x"], ["y"], shape=[2, None, 4]), {"x": [None, 4]}, op("broadcast_to", ["x"], ["y"], shape=[None, 4, 4]), {"x": [4, 4]}),
        ("largest-of-something", "A sum of no elements", "The largest of no elements",
         op("sum", ["x"], ["y"], axes=[1]), {"x": [None, 0]}, op("max", ["x"], ["y"], axes=[1]), {"x": [None, 0]}),
        ("place-of-something", "The place of the largest of one element", "The place of the least of no elements",
         op("argmin", ["x"], ["y"], axis=1), {"x": [None, 1]}, op("argmin", ["x"], ["y"], axis=1), {"x": [None, 0]}),
        ("reduced-axes-once", "A sum over two axes", "A sum over one axis twice",
         op("sum", ["x"], ["y"], axes=[0, 1]), {"x": [2, 4]}, op("sum", ["x"], ["y"], axes=[1, -1]), {"x": [2, 4]}),
        ("mask-that-stretches", "A mask is stretched to the batch", "A mask stretches the batch",
         attend, {**mask, "m": [3, 5]}, attend, {"q": [3, 4], "k": [5, 4], "m": [2, 3, 5]}),
        ("reflected-pad", "A pad mirrors all elements but the outermost", "A pad mirrors more than there is",
         op("pad", ["x"], ["y"], padding=[[0, 0], [3, 3]], mode="reflect"), {"x": [None, 4]}, op("pad", ["x"], ["y"], padding=[[0, 0], [3, 4]], mode="reflect"), {"x": [None, 4]}),
    ):
        yield from pair(slug, title, other, operated(one, **fits), operated(two, **misfits))


def first_things_first() -> Iterable[Case]:
    """What is reported where one thing is wrong because of another, or before it."""
    dense, conv = {"name": "dense", "type": "Dense", "config": {"units": 3}}, layer("Conv2D", {"filters": 1, "kernel_size": [3, 3]})
    twin, right = "lyr-007-nothing-to-report", chain(conv, dense, shape=[None, 4, 4, 4])
    yield Case(twin, "A package whose calls fit", ["LYR-007", "LYR-001", "LYR-040"], kit.package(right), op="validate", role="validator", profile="layers", accepted=kit.observe(right))
    texts = {"format_version": "1.0", "inputs": [{"name": "x", "shape": [None, 4], "dtype": "string"}], "layers": [conv]}
    for slug, title, architecture, code, place in (
        ("lyr-001-type-before-shapes", "An unknown type stands before a call that does not fit", chain({**dense, "type": "Dence"}, dense, conv), "LAYER_TYPE_UNKNOWN", "/layers/0/type"),
        ("lyr-040-kinds-before-shapes", "Strings come in a rank that does not fit", texts, "VALUE_KIND_MISMATCH", "/layers/0"),
        ("lyr-007-nothing-after-a-misfit", "What does not fit yields what fits everything", chain(conv, {**conv, "name": "next"}), "CALL_INPUT_SHAPE", "/layers/0"),
    ):
        yield Case(slug, title, [slug[:7].upper()], kit.package(architecture), op="validate", role="validator", profile="layers", rejected=("semantic", code, AT + place), twin=twin)


def activations() -> Iterable[Case]:
    for slug, title, type_ in (("activation-with-weights", "An activation is an object of a type with weights", "PReLU"),
                               ("activation-that-halves", "An activation is an object of a type that yields another shape", "GLU")):
        yield bad(f"lyr-003-{slug}", title, "LYR-003", chain(layer("Dense", {"units": 4, "activation": {"type": type_}})), "LAYER_CONFIG_INVALID",
                  f"{AT}/layers/0/config/activation/type", stage="schema", twin="lyr-003-values-of-every-kind")


def pairs_of_integers() -> Iterable[Case]:
    def conv(end):
        return chain(layer("Conv1D", {"filters": 1, "kernel_size": [3], "padding": [[0, end]]}), shape=[None, 4, 3])

    yield good("doc-027-pair-of-integers", "Padding as a pair of integers", ["DOC-027"], conv(1), parameters=(10, 0))
    yield bad("doc-027-float-in-a-pair", "Padding as an integer and a float without a fraction", "DOC-027", conv(1.0), "INTEGER_EXPECTED", f"{AT}/layers/0/config/padding/0/1",
              twin="doc-027-pair-of-integers")


def counts() -> Iterable[Case]:
    shared = {"kernel": {"tensor": "dense.kernel"}}
    frozen = {**layer("Dense", {"units": 2, "use_bias": False}, "frozen"), "trainable": False, "weights": shared}
    yield good("arc-024-shared-with-a-frozen-layer", "A tensor of a layer that trains and of one that does not", ["ARC-024", "LYR-017"],
               chain(layer("Dense", {"units": 2, "use_bias": False}, "dense"), frozen, shape=[None, 2]), parameters=(4, 0))


def composites() -> Iterable[Case]:
    def whole(levels, **more):
        nested = {f"Box{level}": {"layers": [layer(f"Box{level + 1}", name="a")]} for level in range(levels)}
        return {"format_version": "1.0", "layers": [layer("Box0", name="x")], "composites": {**nested, f"Box{levels}": {"layers": []}, **more}}

    yield good("arc-034-inside-thirty-two", "A use of a composite stands inside 32 layers", ["ARC-034"], whole(32), parameters=(0, 0))
    yield bad("arc-034-inside-thirty-three", "A use of a composite stands inside 33 layers", "ARC-034", whole(33), "COMPOSITE_TOO_LARGE", f"{AT}/composites",
              twin="arc-034-inside-thirty-two")


def arc_cases() -> Iterable[Case]:
    """The cases of chapter 20."""
    yield from composites()
    yield from counts()


def lyr_cases() -> Iterable[Case]:
    """The cases of chapter 25."""
    for part in (layers, states, operations, first_things_first, activations):
        yield from part()
