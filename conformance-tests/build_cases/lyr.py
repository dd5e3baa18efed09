"""Cases of chapters 25 and 26: what layer types are, what fits them and which weights they need.

The numbers of `COUNTS` were printed by Keras (tf_keras 2.21, keras 3.15) for the same layers.
"""

from __future__ import annotations

from collections.abc import Iterable

import kit
from kit import Case

AT = "architecture.json#"
DENSE = {"name": "dense", "type": "Dense", "config": {"units": 3}}
STEPS = [None, 6, 4]
LSTM = {"units": 3, "activation": "tanh", "recurrent_activation": "sigmoid"}
WEIGHTS = {"dense.kernel": kit.f32([4, 3]), "dense.bias": kit.f32([3])}


def chain(*layers, shape=(None, 4)):
    """A sequential architecture."""
    return {"format_version": "1.0", "inputs": [{"name": "x", "shape": list(shape)}], "layers": list(layers)}


def graph(layers, calls, outputs, **inputs):
    """A graph; inputs are given by name with their shapes."""
    named = [{"name": name, "shape": shape} for name, shape in inputs.items()]
    return {"format_version": "1.0", "inputs": named, "layers": layers, "calls": calls, "outputs": outputs}


def call(layer, *inputs, **more):
    return {"layer": layer, "inputs": list(inputs), **more}


def layer(type_, config=None, name="layer", **more):
    return {"name": name, "type": type_, **({"config": config} if config else {}), **more}


def good(id_, title, requirements, architecture, tensors=None, parameters=None):  # noqa: PLR0917 - a row of a table
    return Case(id_, title, requirements, kit.package(architecture, tensors), profile="layers",
                accepted=kit.observe(architecture, tensors, parameters=parameters))


def bad(id_, title, requirement, architecture, code, place, *, twin, tensors=None, stage="semantic"):  # noqa: PLR0917 - a row of a table
    return Case(id_, title, [requirement], kit.package(architecture, tensors), profile="layers",
                rejected=(stage, code, place), twin=twin)


def types() -> Iterable[Case]:
    yield good("lyr-001-extension-type", "A type of an extension stands between types of the vocabulary", ["LYR-001"],
               chain(layer("example:Flip", {"axis": 1}, "flip"), DENSE))
    yield bad("lyr-001-misspelt-type", "A type is misspelt", "LYR-001", chain({**DENSE, "type": "Dence"}),
              "LAYER_TYPE_UNKNOWN", f"{AT}/layers/0/type", twin="lyr-001-extension-type")
    yield bad("lyr-001-type-of-other-case", "A type differs from one of the vocabulary in case", "LYR-001", chain({**DENSE, "type": "dense"}),
              "LAYER_TYPE_UNKNOWN", f"{AT}/layers/0/type", twin="lyr-001-extension-type")
    yield bad("lyr-001-inside-a-wrapper", "A wrapper holds a layer of an unknown type", "LYR-001",
              chain(layer("TimeDistributed", sublayers={"layer": {"type": "Dence"}}), shape=STEPS),
              "LAYER_TYPE_UNKNOWN", f"{AT}/layers/0/sublayers/layer/type", twin="lyr-001-extension-type")
    unused = {"Idle": {"layers": [{"name": "one", "type": "Dense", "config": {"units": 1}}, layer("TimeDistributed", sublayers={"layer": {"type": "Flatten"}})]}}
    yield good("lyr-001-composite-without-a-use", "Nothing uses a composite", ["LYR-001", "LYR-004"], {**chain(DENSE), "composites": unused}, parameters=(15, 0))
    place = f"{AT}/composites/Idle/layers"
    yield bad("lyr-001-in-an-unused-composite", "A composite that nothing uses holds a layer of an unknown type", "LYR-001",
              {**chain(DENSE), "composites": {"Idle": {"layers": [{**DENSE, "type": "Dence"}]}}}, "LAYER_TYPE_UNKNOWN", f"{place}/0/type",
              twin="lyr-001-composite-without-a-use")
    yield bad("lyr-004-in-an-unused-composite", "A composite that nothing uses holds a wrapper of nothing", "LYR-004",
              {**chain(DENSE), "composites": {"Idle": {"layers": [layer("TimeDistributed")]}}}, "LAYER_SUBLAYERS_MISMATCH", f"{place}/0",
              twin="lyr-001-composite-without-a-use")


def configs() -> Iterable[Case]:
    yield good("lyr-002-only-what-is-required", "A config holds the required members only", ["LYR-002", "LYR-003"],
               chain(DENSE, layer("BatchNormalization", {"momentum": 0.99, "epsilon": 0.001}, "norm")))
    yield bad("lyr-002-missing-units", "A Dense layer does not say its units", "LYR-002", chain({**DENSE, "config": {"use_bias": True}}),
              "LAYER_CONFIG_INVALID", f"{AT}/layers/0/config", stage="schema", twin="lyr-002-only-what-is-required")
    yield bad("lyr-002-missing-epsilon", "A BatchNormalization layer does not say its epsilon", "LYR-002",
              chain(layer("BatchNormalization", {"momentum": 0.99})),
              "LAYER_CONFIG_INVALID", f"{AT}/layers/0/config", stage="schema", twin="lyr-002-only-what-is-required")
    yield good("lyr-003-one-dense-layer", "A Dense layer has two units", ["LYR-003", "LYR-002"], chain(layer("Dense", {"units": 2})))
    yield bad("lyr-002-no-config", "A Dense layer has no config", "LYR-002", chain(layer("Dense")), "LAYER_CONFIG_INVALID", f"{AT}/layers/0/config", stage="schema",
              twin="lyr-003-one-dense-layer")
    yield bad("lyr-003-units-with-a-fraction", "A Dense layer has one and a half units", "LYR-003", chain(layer("Dense", {"units": 1.5})), "LAYER_CONFIG_INVALID",
              f"{AT}/layers/0/config/units", stage="schema", twin="lyr-003-one-dense-layer")
    yield bad("lyr-003-parameter-outside-a-composite", "A config outside composites names a parameter", "LYR-003", chain(layer("Dense", {"units": {"parameter": "units"}})), "LAYER_CONFIG_INVALID",
              f"{AT}/layers/0/config/units", stage="schema", twin="lyr-003-one-dense-layer")
    yield bad("lyr-002-unknown-member", "A config holds a member that its type does not have", "LYR-002",
              chain({**DENSE, "config": {"units": 3, "bias": True}}),
              "LAYER_CONFIG_INVALID", f"{AT}/layers/0/config/bias", stage="schema", twin="lyr-002-only-what-is-required")
    conv = {"filters": 2, "kernel_size": [3, 3]}
    rich = {**conv, "padding": [[0, 1], [2, 0]], "activation": {"type": "LeakyReLU", "config": {"negative_slope": 0.2}},
            "kernel_initializer": {"type": "HeNormal", "config": {"seed": 7}}, "bias_initializer": {"type": "example:Odd"},
            "kernel_regularizer": None}
    yield good("lyr-003-values-of-every-kind", "Explicit padding, an activation and initializers as objects, null", ["LYR-003", "LYR-002"],
               chain(layer("Conv2D", rich, "conv"), shape=[None, 8, 8, 3]), parameters=(56, 0))
    yield good("lyr-003-scale-of-a-rescaling", "A Rescaling layer has a finite scale", ["LYR-003"], chain(layer("Rescaling", {"scale": 2.0})))
    yield bad("lyr-003-infinite-scale", "A Rescaling layer has an infinite scale", "LYR-003", chain(layer("Rescaling", {"scale": {"float": "Infinity"}})),
              "LAYER_CONFIG_INVALID", f"{AT}/layers/0/config/scale", stage="schema", twin="lyr-003-scale-of-a-rescaling")
    yield good("lyr-003-kernel-of-two-extents", "A kernel of two axes has two extents", ["LYR-003"],
               chain(layer("Conv2D", conv), shape=[None, 8, 8, 3]), parameters=(56, 0))
    for slug, title, config, member in (
        ("units-zero", "A Dense layer has no units", {"units": 0}, "units"),
        ("unknown-activation", "An activation is misspelt", {"units": 3, "activation": "rellu"}, "activation"),
        ("boolean-as-a-string", "A boolean is a string", {"units": 3, "use_bias": "false"}, "use_bias"),
    ):
        yield bad(f"lyr-003-{slug}", title, "LYR-003", chain({**DENSE, "config": config}), "LAYER_CONFIG_INVALID",
                  f"{AT}/layers/0/config/{member}", stage="schema", twin="lyr-003-values-of-every-kind")
    for slug, title, activation, member, requirement in (
        ("activation-of-another-family", "An activation is an object of a type of another family", {"type": "Dense", "config": {"units": 2}}, "type", "LYR-003"),
        ("activation-without-its-config", "An activation lacks the config that its type requires", {"type": "LeakyReLU"}, "config", "LYR-002"),
    ):
        yield bad(f"{requirement.lower()}-{slug}", title, requirement, chain({**DENSE, "config": {"units": 3, "activation": activation}}), "LAYER_CONFIG_INVALID",
                  f"{AT}/layers/0/config/activation/{member}", stage="schema", twin="lyr-003-values-of-every-kind")
    for slug, title, change in (
        ("same-padding", "Padding is `same`, which leaves open where the odd element goes", {"padding": "same"}),
        ("kernel-of-one-extent", "A kernel of two axes has one extent", {"kernel_size": [3]}),
        ("extent-of-zero", "A kernel has no extent along one axis", {"kernel_size": [3, 0]}),
        ("unknown-initializer", "An initializer's type is neither known nor an extension", {"kernel_initializer": {"type": "Magic"}}),
    ):
        member = next(iter(change))
        place = f"{AT}/layers/0/config/{member}" + {"unknown-initializer": "/type", "extent-of-zero": "/1"}.get(slug, "")
        yield bad(f"lyr-003-{slug}", title, "LYR-003", chain(layer("Conv2D", {**conv, **change}), shape=[None, 8, 8, 3]),
                  "LAYER_CONFIG_INVALID", place, stage="schema", twin="lyr-003-kernel-of-two-extents")


def parts() -> Iterable[Case]:
    forward, backward = {"type": "LSTM", "config": LSTM}, {"type": "LSTM", "config": {**LSTM, "go_backwards": True}}
    yield good("lyr-004-forward-and-backward", "A Bidirectional layer holds its two directions", ["LYR-004"],
               chain(layer("Bidirectional", sublayers={"forward": forward, "backward": backward}), shape=STEPS), parameters=(192, 0))
    yield bad("lyr-004-no-backward", "A Bidirectional layer lacks one direction", "LYR-004",
              chain(layer("Bidirectional", sublayers={"forward": forward}), shape=STEPS),
              "LAYER_SUBLAYERS_MISMATCH", f"{AT}/layers/0/sublayers", twin="lyr-004-forward-and-backward")
    yield bad("lyr-004-dense-holds-a-layer", "A Dense layer holds a sublayer", "LYR-004",
              chain({**DENSE, "sublayers": {"layer": {"type": "Flatten"}}}),
              "LAYER_SUBLAYERS_MISMATCH", f"{AT}/layers/0/sublayers", twin="lyr-004-forward-and-backward")
    cells = {f"cell_{n}": {"type": "LSTMCell", "config": LSTM} for n in range(11)}
    yield good("lyr-004-a-stack-of-cells", "A stack holds eleven cells, each fed by the one before it", ["LYR-004", "LYR-016"],
               chain(layer("RNN", sublayers={"cell": {"type": "StackedRNNCells", "sublayers": cells}}), shape=STEPS), parameters=(936, 0))
    gap = {role: cell for role, cell in cells.items() if role in {"cell_0", "cell_2"}}
    yield bad("lyr-004-a-gap-among-cells", "The second of two cells has the number of a third", "LYR-004",
              chain(layer("RNN", sublayers={"cell": {"type": "StackedRNNCells", "sublayers": gap}}), shape=STEPS),
              "LAYER_SUBLAYERS_MISMATCH", f"{AT}/layers/0/sublayers/cell/sublayers", twin="lyr-004-a-stack-of-cells")
    named = {**DENSE, "weights": {"bias": {"tensor": "b"}, "kernel": {"tensor": "w", "axes": [1, 0]}}}
    yield good("lyr-005-both-roles-named", "A Dense layer says where kernel and bias are", ["LYR-005"], chain(named))
    yield bad("lyr-005-bias-without-bias", "A Dense layer without bias says where its bias is", "LYR-005",
              chain({"name": "dense", "type": "Dense", "config": {"units": 3, "use_bias": False}, "weights": {"bias": {"tensor": "b"}}}),
              "LAYER_ROLE_UNKNOWN", f"{AT}/layers/0/weights/bias", twin="lyr-005-both-roles-named")
    yield bad("lyr-005-misspelt-role", "A role is misspelt", "LYR-005", chain({**DENSE, "weights": {"kernle": {"tensor": "w"}}}),
              "LAYER_ROLE_UNKNOWN", f"{AT}/layers/0/weights/kernle", twin="lyr-005-both-roles-named")


def calls() -> Iterable[Case]:
    add = [layer("Add", name="add")]
    yield good("lyr-006-add-of-two", "An Add layer takes two values of one shape", ["LYR-006", "LYR-007"],
               graph(add, [call("add", "a", "b")], ["add"], a=[None, 4], b=[None, 4]))
    yield bad("lyr-006-add-of-one", "An Add layer takes one value", "LYR-006", graph(add, [call("add", "a")], ["add"], a=[None, 4]),
              "CALL_INPUT_COUNT", f"{AT}/calls/0", twin="lyr-006-add-of-two")
    yield bad("lyr-006-dense-of-two", "A Dense layer takes two values", "LYR-006",
              graph([DENSE], [call("dense", "a", "b")], ["dense"], a=[None, 4], b=[None, 4]),
              "CALL_INPUT_COUNT", f"{AT}/calls/0", twin="lyr-006-add-of-two")
    inner = {key: value for key, value in graph([DENSE], [call("dense", "x")], ["dense"], x=[None, 4]).items() if key != "format_version"}
    nested = [{"name": "inner", "type": "Model", "architecture": inner}]
    yield good("lyr-007-nested-fits", "A nested architecture is called with what it declares", ["LYR-007", "LYR-006"],
               graph(nested, [call("inner", "a")], ["inner"], a=[2, 4]), parameters=(15, 0))
    yield bad("lyr-006-nested-of-two", "A nested architecture of one input is called with two", "LYR-006",
              graph(nested, [call("inner", "a", "b")], ["inner"], a=[2, 4], b=[2, 4]),
              "CALL_INPUT_COUNT", f"{AT}/calls/0", twin="lyr-007-nested-fits")
    yield bad("lyr-007-nested-does-not-fit", "A nested architecture is called with another extent than it declares", "LYR-007",
              graph(nested, [call("inner", "a")], ["inner"], a=[2, 5]), "CALL_INPUT_SHAPE", f"{AT}/calls/0", twin="lyr-007-nested-fits")
    yield bad("lyr-007-add-of-two-shapes", "An Add layer takes two shapes that differ", "LYR-007",
              graph(add, [call("add", "a", "b")], ["add"], a=[None, 4], b=[None, 5]), "CALL_INPUT_SHAPE", f"{AT}/calls/0", twin="lyr-006-add-of-two")
    yield good("lyr-007-unknown-extents", "Extents that are not known fit everything", ["LYR-007"],
               graph(add, [call("add", "a", "b")], ["add"], a=[None, None], b=[None, 5]))
    conv = layer("Conv2D", {"filters": 2, "kernel_size": [3, 3]}, "conv")
    yield good("lyr-007-window-as-large-as-the-input", "A kernel is as large as its input", ["LYR-007"], chain(conv, shape=[None, 3, 3, 1]), parameters=(20, 0))
    for slug, title, shape in (
        ("window-larger-than-the-input", "A kernel is larger than its input", [None, 3, 2, 1]),
        ("image-without-channels", "A two-dimensional convolution takes an input of rank 3", [None, 3, 3]),
    ):
        yield bad(f"lyr-007-{slug}", title, "LYR-007", chain(conv, shape=shape), "CALL_INPUT_SHAPE", f"{AT}/layers/0",
                  twin="lyr-007-window-as-large-as-the-input")
    for slug, title, config, extent, fine in (
        ("hangs-over-a-short-input", "The only window is larger than its input and hangs over the end", {"pool_size": [3], "strides": [2]}, 2, True),
        ("lacks-two-elements", "A window lacks as many elements as its stride", {"pool_size": [3], "strides": [2]}, 1, False),
    ):
        pool, shape = layer("MaxPooling1D", {**config, "ceil_mode": True}), [None, extent, 4]
        if fine:
            yield good(f"lyr-007-window-{slug}", title, ["LYR-007", "LYR-016"], chain(pool, layer("Flatten", name="flat"), DENSE, shape=shape), parameters=(15, 0))
        else:
            yield bad(f"lyr-007-window-{slug}", title, "LYR-007", chain(pool, shape=shape), "CALL_INPUT_SHAPE", f"{AT}/layers/0",
                      twin="lyr-007-window-hangs-over-a-short-input")
    behind = layer("MaxPooling1D", {"pool_size": [2], "padding": [[0, 4]], "ceil_mode": True})
    yield good("lyr-016-windows-behind-the-input", "No window starts behind the input, where the division is exact, too", ["LYR-016"],
               chain(behind, layer("Flatten", name="flat"), DENSE, shape=[None, 4, 2]), parameters=(15, 0))
    for slug, title, type_, config in (
        ("of-a-convolution", "A convolution with `same_upper` takes an axis without elements", "Conv1D", {"padding": "same_upper"}),
        ("of-a-pool", "A pool with `same_lower` takes an axis without elements", "AveragePooling1D", {"padding": "same_lower"}),
        ("of-a-transposed-convolution", "A transposed convolution yields no element", "Conv1DTranspose", {"padding": "same_upper"}),
    ):
        sizes = {"pool_size": [2]} if "Pool" in type_ else {"filters": 2, "kernel_size": [2]}
        yield bad(f"lyr-007-no-element-{slug}", title, "LYR-007", chain(layer(type_, {**sizes, **config}), shape=[None, 0, 4]),
                  "CALL_INPUT_SHAPE", f"{AT}/layers/0", twin="lyr-007-window-as-large-as-the-input")
    nothing = layer("Conv1DTranspose", {"filters": 2, "kernel_size": [2], "padding": "valid"})
    yield good("lyr-007-a-full-result-of-an-empty-axis", "A transposed convolution yields an element of an axis without any", ["LYR-007", "LYR-016"],
               chain(nothing, shape=[None, 0, 4]), parameters=(18, 0))
    panes = {"a": [None, 5, 3, 4], "b": [None, 5, 6, 4]}
    for slug, title, axes, shapes in (
        ("one-axis", "Attention runs over one of two axes, in which query and value differ", [-2], panes),
        ("two-axes", "Attention runs over two axes", [1, 2], {"a": [None, 5, 3, 4], "b": [None, 2, 6, 4]}),
    ):
        heads = layer("MultiHeadAttention", {"num_heads": 2, "key_dim": 3, "attention_axes": axes})
        yield good(f"lyr-007-attention-over-{slug}", title, ["LYR-007", "LYR-016"],
                   graph([heads], [call("layer", "a", "b")], ["layer"], **shapes), parameters=(118, 0))
    for slug, title, axes in (
        ("the-last-axis", "Attention runs over the axis of the features", [3]),
        ("an-axis-twice", "Attention names an axis twice, once from the end", [2, -2]),
        ("an-axis-there-is-not", "Attention names an axis that the query does not have", [4]),
        ("the-axis-that-agrees", "Query and value differ in an axis that is not attended over", [1]),
    ):
        heads = layer("MultiHeadAttention", {"num_heads": 2, "key_dim": 3, "attention_axes": axes})
        yield bad(f"lyr-007-attention-over-{slug}", title, "LYR-007", graph([heads], [call("layer", "a", "b")], ["layer"], **panes),
                  "CALL_INPUT_SHAPE", f"{AT}/calls/0", twin="lyr-007-attention-over-one-axis")
    yield bad("lyr-007-reshape-of-other-size", "A Reshape layer is given other elements than it yields", "LYR-007",
              chain(layer("Reshape", {"target_shape": [5]})), "CALL_INPUT_SHAPE", f"{AT}/layers/0", twin="lyr-007-window-as-large-as-the-input")
    yield good("lyr-007-groups-divide", "Groups divide the channels on both sides", ["LYR-007"],
               chain(layer("Conv1D", {"filters": 4, "kernel_size": [1], "groups": 2}, "conv"), shape=[None, 5, 6]), parameters=(16, 0))
    yield bad("lyr-007-groups-do-not-divide", "Groups do not divide the channels of the input", "LYR-007",
              chain(layer("Conv1D", {"filters": 4, "kernel_size": [1], "groups": 2}, "conv"), shape=[None, 5, 7]),
              "CALL_INPUT_SHAPE", f"{AT}/layers/0", twin="lyr-007-groups-divide")
    join = [layer("Concatenate", {"axis": 1}, "join")]
    yield good("lyr-007-joined-along-an-axis", "Inputs differ along the axis where they are joined", ["LYR-007"],
               graph(join, [call("join", "a", "b")], ["join"], a=[None, 3, 2], b=[None, 4, 2]))
    yield bad("lyr-007-joined-along-another", "Inputs differ along another axis than they are joined", "LYR-007",
              graph(join, [call("join", "a", "b")], ["join"], a=[None, 3, 2], b=[None, 3, 4]), "CALL_INPUT_SHAPE", f"{AT}/calls/0",
              twin="lyr-007-joined-along-an-axis")
    plain = [layer("LSTM", LSTM, "lstm")]
    yield good("lyr-007-states-of-the-units", "Both initial states have the extent of the units", ["LYR-007", "LYR-006"],
               graph(plain, [call("lstm", "x", "h", "c")], ["lstm"], x=STEPS, h=[None, 3], c=[None, 3]), parameters=(96, 0))
    yield bad("lyr-007-state-of-another-extent", "An initial state has another extent than the units", "LYR-007",
              graph(plain, [call("lstm", "x", "h", "c")], ["lstm"], x=STEPS, h=[None, 3], c=[None, 4]), "CALL_INPUT_SHAPE", f"{AT}/calls/0",
              twin="lyr-007-states-of-the-units")
    yield bad("lyr-007-dims-that-permute-nothing", "Dims of Permute hold an axis twice", "LYR-007",
              chain(layer("Permute", {"dims": [1, 1]}), shape=STEPS), "CALL_INPUT_SHAPE", f"{AT}/layers/0", twin="lyr-007-groups-divide")
    heads = {"head_dim": 3, "num_query_heads": 6, "num_key_value_heads": 2}
    yield good("lyr-007-heads-share-keys", "Three query heads share each head of key and value", ["LYR-007", "LYR-016"],
               graph([layer("GroupQueryAttention", heads, "attend")], [call("attend", "x", "x")], ["attend"], x=STEPS), parameters=(226, 0))
    yield bad("lyr-007-heads-that-do-not-divide", "Six query heads cannot share four heads of key and value", "LYR-007",
              graph([layer("GroupQueryAttention", {**heads, "num_key_value_heads": 4}, "attend")], [call("attend", "x", "x")], ["attend"], x=STEPS),
              "CALL_INPUT_SHAPE", f"{AT}/calls/0", twin="lyr-007-heads-share-keys")
    yield good("lyr-007-halves-of-a-gate", "A gated unit halves six channels", ["LYR-007"], chain(layer("GLU"), shape=[None, 6]))
    yield bad("lyr-007-no-halves-of-a-gate", "A gated unit cannot halve seven channels", "LYR-007", chain(layer("GLU"), shape=[None, 7]),
              "CALL_INPUT_SHAPE", f"{AT}/layers/0", twin="lyr-007-halves-of-a-gate")
    yield good("lyr-007-as-long-as-the-table", "A sequence is as long as the table of positions", ["LYR-007", "LYR-016"],
               chain(layer("PositionEmbedding", {"sequence_length": 6}), shape=STEPS), parameters=(24, 0))
    yield bad("lyr-007-longer-than-the-table", "A sequence is longer than the table of positions", "LYR-007",
              chain(layer("PositionEmbedding", {"sequence_length": 5}), shape=STEPS), "CALL_INPUT_SHAPE", f"{AT}/layers/0", twin="lyr-007-as-long-as-the-table")
    shared = [call("dense", "a", outputs=["one"]), call("dense", "b", outputs=["two"])]
    yield good("lyr-008-shared-over-lengths", "A shared layer is called with sequences and vectors of equal channels", ["LYR-008"],
               graph([DENSE], shared, ["one", "two"], a=[None, 4], b=[None, 7, 4]), parameters=(15, 0))
    yield bad("lyr-008-shared-over-channels", "A shared layer is called with other channels", "LYR-008",
              graph([DENSE], shared, ["one", "two"], a=[None, 4], b=[None, 5]), "LAYER_SHARED_MISMATCH", f"{AT}/calls/1", twin="lyr-008-shared-over-lengths")
    lstm = [layer("LSTM", {**LSTM, "return_state": True}, "lstm")]
    yield good("lyr-009-states-are-named", "A call names the result and both states", ["LYR-009"],
               graph(lstm, [call("lstm", "x", outputs=["last", "h", "c"])], ["last", "h", "c"], x=STEPS), parameters=(96, 0))
    yield bad("lyr-009-states-are-not-named", "A call names one value of three", "LYR-009",
              graph(lstm, [call("lstm", "x")], ["lstm"], x=STEPS), "CALL_OUTPUT_COUNT", f"{AT}/calls/0", twin="lyr-009-states-are-named")
    yield good("lyr-010-known-arguments", "Calls say training and initial_state", ["LYR-010"],
               graph([layer("LSTM", LSTM, "lstm")], [call("lstm", "x", arguments={"initial_state": [{"value": "h"}, {"value": "c"}], "training": False})],
                     ["lstm"], x=STEPS, h=[None, 3], c=[None, 3]))
    yield bad("lyr-010-unknown-argument", "A call says an argument that its layer does not know", "LYR-010",
              graph([DENSE], [call("dense", "x", arguments={"initial_state": None})], ["dense"], x=[None, 4]),
              "CALL_ARGUMENT_UNKNOWN", f"{AT}/calls/0/arguments/initial_state", twin="lyr-010-known-arguments")


def weights() -> Iterable[Case]:
    fits, wide = chain(DENSE), ["LYR-011", "LYR-012", "LYR-013", "LYR-014"]
    member, twin = "model.safetensors#", "lyr-011-weights-that-fit"
    yield good(twin, "Stored are exactly the weights that are needed", wide, fits, WEIGHTS, (15, 0))
    yield bad("lyr-011-no-bias", "A bias is not stored", "LYR-011", fits, "WEIGHT_MISSING", member,
              tensors={"dense.kernel": WEIGHTS["dense.kernel"]}, twin=twin)
    yield bad("lyr-012-transposed", "A kernel is stored transposed and nothing says so", "LYR-012", fits, "WEIGHT_SHAPE_MISMATCH", f"{member}/dense.kernel",
              tensors={**WEIGHTS, "dense.kernel": kit.f32([3, 4])}, twin=twin)
    yield bad("lyr-012-other-rank", "A bias has two axes", "LYR-012", fits, "WEIGHT_SHAPE_MISMATCH", f"{member}/dense.bias",
              tensors={**WEIGHTS, "dense.bias": kit.f32([1, 3])}, twin=twin)
    yield bad("lyr-013-integers", "A bias is stored as integers", "LYR-013", fits, "WEIGHT_DTYPE_MISMATCH", f"{member}/dense.bias",
              tensors={**WEIGHTS, "dense.bias": ("int32", (3,), bytes(12))}, twin=twin)
    half = {**WEIGHTS, "dense.bias": ("float16", (3,), bytes(6))}
    yield good("lyr-013-half-precision", "A bias is stored in half precision", ["LYR-013"], fits, half)
    yield bad("lyr-014-a-tensor-too-many", "A tensor belongs to no layer", "LYR-014", fits, "WEIGHT_UNEXPECTED", f"{member}/dense.moment",
              tensors={**WEIGHTS, "dense.moment": kit.f32([3])}, twin=twin)
    odd = layer("example:Odd", name="odd", weights={"table": {"tensor": "odd.table"}})
    yield good("lyr-014-extension-type", "A type of an extension owns what it lists", ["LYR-014", "LYR-011", "LYR-013"], chain(odd),
               {"odd.table": ("int64", (2,), bytes(16))})
    unknown = {"format_version": "1.0", "layers": [DENSE]}
    yield good("lyr-012-no-inputs", "Without inputs any kernel may be the right one", ["LYR-012"], unknown, {**WEIGHTS, "dense.kernel": kit.f32([9, 3])})
    there = {**DENSE, "weights": {"bias": {"tensor": "fc.bias"}, "kernel": {"tensor": "fc.weight", "axes": [1, 0]}}}
    stored = {"fc.weight": kit.f32([3, 4]), "fc.bias": kit.f32([3])}
    yield good("lyr-015-transposed-and-said", "A kernel is stored transposed and the layer says so", ["LYR-015", "LYR-012"], chain(there), stored, (15, 0))
    cube = {**stored, "fc.weight": kit.f32([3, 4, 1])}
    yield bad("lyr-015-an-axis-more", "A tensor has an axis more than its layer orders", "LYR-015", chain(there), "WEIGHT_AXES_INVALID", f"{member}/fc.weight",
              tensors=cube, twin="lyr-015-transposed-and-said")


COUNTS = [
    ("", layer("Embedding", {"input_dim": 11, "output_dim": 4}), [None, 5], 64, 0),
    ("on-a-sequence", layer("Dense", {"units": 3}), [None, 7, 4], 36, 0),
    ("", layer("Reshape", {"target_shape": [-1, 2]}), [None, 7, 4], 28, 0),
    ("", layer("Permute", {"dims": [2, 1]}), [None, 7, 4], 28, 0),
    ("", layer("RepeatVector", {"n": 5}), [None, 4], 20, 0),
    ("valid", layer("Conv1D", {"filters": 3, "kernel_size": [3], "strides": [2]}), [None, 7, 4], 48, 0),
    ("valid", layer("Conv2D", {"filters": 3, "kernel_size": [3, 2], "strides": [2, 3]}), [None, 9, 8, 4], 111, 0),
    ("valid", layer("Conv3D", {"filters": 3, "kernel_size": [3, 2, 1], "strides": [2, 1, 2]}), [None, 6, 7, 5, 2], 147, 0),
    ("valid", layer("Conv1DTranspose", {"filters": 3, "kernel_size": [3], "strides": [2]}), [None, 7, 4], 84, 0),
    ("valid", layer("Conv2DTranspose", {"filters": 3, "kernel_size": [3, 2], "strides": [2, 3]}), [None, 9, 8, 4], 1443, 0),
    ("valid", layer("Conv3DTranspose", {"filters": 3, "kernel_size": [3, 2, 1], "strides": [2, 1, 2]}), [None, 6, 7, 5, 2], 3159, 0),
    ("valid", layer("SeparableConv2D", {"filters": 3, "kernel_size": [3, 3], "strides": [2, 2], "depth_multiplier": 2}), [None, 9, 8, 4], 135, 0),
    ("valid", layer("DepthwiseConv2D", {"kernel_size": [3, 3], "strides": [2, 2], "depth_multiplier": 2}), [None, 9, 8, 4], 176, 0),
    ("valid", layer("MaxPooling1D", {"pool_size": [2]}), [None, 7, 4], 12, 0),
    ("valid", layer("MaxPooling2D", {"pool_size": [3, 2]}), [None, 9, 8, 4], 48, 0),
    ("valid", layer("AveragePooling2D", {"pool_size": [2, 2], "strides": [3, 1]}), [None, 9, 8, 4], 84, 0),
    ("same-upper", layer("Conv1D", {"filters": 3, "kernel_size": [3], "strides": [2], "padding": "same_upper"}), [None, 7, 4], 51, 0),
    ("same-upper", layer("Conv2D", {"filters": 3, "kernel_size": [3, 2], "strides": [2, 3], "padding": "same_upper"}), [None, 9, 8, 4], 120, 0),
    ("same-upper", layer("Conv3D", {"filters": 3, "kernel_size": [3, 2, 1], "strides": [2, 1, 2], "padding": "same_upper"}), [None, 6, 7, 5, 2], 228, 0),
    ("same-upper", layer("Conv1DTranspose", {"filters": 3, "kernel_size": [3], "strides": [2], "padding": "same_upper"}), [None, 7, 4], 81, 0),
    ("same-upper", layer("Conv2DTranspose", {"filters": 3, "kernel_size": [3, 2], "strides": [2, 3], "padding": "same_upper"}), [None, 9, 8, 4], 1371, 0),
    ("same-upper", layer("Conv3DTranspose", {"filters": 3, "kernel_size": [3, 2, 1], "strides": [2, 1, 2], "padding": "same_upper"}), [None, 6, 7, 5, 2], 2559, 0),
    ("same-upper", layer("SeparableConv2D", {"filters": 3, "kernel_size": [3, 3], "strides": [2, 2], "padding": "same_upper", "depth_multiplier": 2}), [None, 9, 8, 4], 159, 0),
    ("same-upper", layer("DepthwiseConv2D", {"kernel_size": [3, 3], "strides": [2, 2], "padding": "same_upper", "depth_multiplier": 2}), [None, 9, 8, 4], 240, 0),
    ("same-upper", layer("MaxPooling1D", {"pool_size": [2], "padding": "same_upper"}), [None, 7, 4], 16, 0),
    ("same-upper", layer("MaxPooling2D", {"pool_size": [3, 2], "padding": "same_upper"}), [None, 9, 8, 4], 48, 0),
    ("same-upper", layer("AveragePooling2D", {"pool_size": [2, 2], "strides": [3, 1], "padding": "same_upper"}), [None, 9, 8, 4], 96, 0),
    ("causal", layer("Conv1D", {"filters": 3, "kernel_size": [3], "padding": "causal", "dilation_rate": [2]}), [None, 7, 4], 60, 0),
    ("dilated", layer("Conv2D", {"filters": 3, "kernel_size": [3, 3], "dilation_rate": [2, 3]}), [None, 9, 8, 4], 141, 0),
    ("grouped", layer("Conv2D", {"filters": 6, "kernel_size": [3, 3], "groups": 2, "use_bias": False}), [None, 9, 8, 4], 360, 0),
    ("channels-first", layer("Conv2D", {"filters": 3, "kernel_size": [3, 3], "data_format": "channels_first"}), [None, 4, 9, 8], 237, 0),
    ("output-padding", layer("Conv2DTranspose", {"filters": 3, "kernel_size": [3, 3], "strides": [2, 2], "padding": "same_upper", "output_padding": [1, 0]}), [None, 9, 8, 4], 921, 0),
    ("", layer("SeparableConv1D", {"filters": 3, "kernel_size": [3], "depth_multiplier": 2}), [None, 7, 4], 66, 0),
    ("", layer("DepthwiseConv1D", {"kernel_size": [3], "depth_multiplier": 2}), [None, 7, 4], 72, 0),
    ("", layer("MaxPooling3D", {"pool_size": [2, 3, 2]}), [None, 6, 7, 5, 2], 24, 0),
    ("", layer("GlobalAveragePooling2D"), [None, 9, 8, 4], 4, 0),
    ("keepdims", layer("GlobalMaxPooling1D", {"keepdims": True}), [None, 7, 4], 4, 0),
    ("", layer("ZeroPadding2D", {"padding": [[1, 2], [0, 3]]}), [None, 9, 8, 4], 528, 0),
    ("", layer("Cropping2D", {"cropping": [[1, 2], [0, 3]]}), [None, 9, 8, 4], 120, 0),
    ("", layer("UpSampling2D", {"size": [2, 3]}), [None, 9, 8, 4], 1728, 0),
    ("", layer("BatchNormalization", {"momentum": 0.99, "epsilon": 0.001}), [None, 9, 8, 4], 296, 8),
    ("second-axis", layer("BatchNormalization", {"axis": 1, "momentum": 0.99, "epsilon": 0.001, "scale": False}), [None, 9, 8, 4], 297, 18),
    ("", layer("LayerNormalization", {"epsilon": 0.001}), [None, 9, 8, 4], 296, 0),
    ("two-axes", layer("LayerNormalization", {"axis": [2, 3], "epsilon": 0.001, "center": False}), [None, 9, 8, 4], 320, 0),
    ("", layer("GroupNormalization", {"groups": 2, "epsilon": 0.001}), [None, 9, 8, 4], 296, 0),
    ("", layer("PReLU"), [None, 9, 8, 4], 576, 0),
    ("shared-axes", layer("PReLU", {"shared_axes": [1, 2]}), [None, 9, 8, 4], 292, 0),
    ("", layer("SimpleRNN", {"units": 3, "activation": "tanh"}), [None, 7, 4], 27, 0),
    ("", layer("LSTM", {"units": 3, "activation": "tanh", "recurrent_activation": "sigmoid"}), [None, 7, 4], 99, 0),
    ("sequences", layer("LSTM", {"units": 3, "activation": "tanh", "recurrent_activation": "sigmoid", "return_sequences": True}), [None, 7, 4], 117, 0),
    ("no-bias", layer("LSTM", {"units": 3, "activation": "tanh", "recurrent_activation": "sigmoid", "use_bias": False}), [None, 7, 4], 87, 0),
    ("reset-after", layer("GRU", {"units": 3, "activation": "tanh", "recurrent_activation": "sigmoid", "reset_after": True}), [None, 7, 4], 84, 0),
    ("reset-before", layer("GRU", {"units": 3, "activation": "tanh", "recurrent_activation": "sigmoid", "reset_after": False}), [None, 7, 4], 75, 0),
    ("concat", layer("Bidirectional", sublayers={"forward": {"type": "LSTM", "config": {"units": 3, "activation": "tanh", "recurrent_activation": "sigmoid", "return_sequences": True}}, "backward": {"type": "LSTM", "config": {"units": 3, "activation": "tanh", "recurrent_activation": "sigmoid", "return_sequences": True, "go_backwards": True}}}), [None, 7, 4], 234, 0),
    ("sum", layer("Bidirectional", {"merge_mode": "sum"}, sublayers={"forward": {"type": "LSTM", "config": {"units": 3, "activation": "tanh", "recurrent_activation": "sigmoid", "return_sequences": True}}, "backward": {"type": "LSTM", "config": {"units": 3, "activation": "tanh", "recurrent_activation": "sigmoid", "return_sequences": True, "go_backwards": True}}}), [None, 7, 4], 213, 0),
    ("channels-first", layer("ConvLSTM2D", {"filters": 2, "kernel_size": [2, 3], "padding": "same_upper", "data_format": "channels_first", "activation": "tanh", "recurrent_activation": "sigmoid", "return_sequences": True}), [None, 3, 2, 6, 5], 380, 0),
    ("", layer("Normalization"), [None, 7, 4], 28, 9),
    ("two-biases", layer("LSTM", {"units": 3, "activation": "tanh", "recurrent_activation": "sigmoid", "recurrent_bias": True}), [None, 7, 4], 111, 0),
    ("", layer("TimeDistributed", sublayers={"layer": {"type": "Conv2D", "config": {"filters": 3, "kernel_size": [3, 3]}}}), [None, 5, 9, 8, 4], 741, 0),
]
"""(what, layer, shape of its input, trainable, non-trainable); a Flatten and a Dense layer of one unit follow, so that the
number of elements of the layer's result is in the count."""
BY_HAND = [
    ("explicit-padding", layer("Conv1D", {"filters": 2, "kernel_size": [3], "strides": [3], "padding": [[1, 2]]}), [None, 10, 2], 22, 0),
    ("same-lower", layer("Conv1D", {"filters": 2, "kernel_size": [3], "strides": [3], "padding": "same_lower"}), [None, 10, 2], 22, 0),
    ("ceil-mode", layer("MaxPooling1D", {"pool_size": [2], "ceil_mode": True}), [None, 7, 4], 16, 0),
    ("ceil-mode-in-the-padding", layer("MaxPooling1D", {"pool_size": [2], "padding": [[1, 1]], "ceil_mode": True}), [None, 5, 4], 12, 0),
    ("grouped", layer("Conv1DTranspose", {"filters": 4, "kernel_size": [3], "groups": 2, "padding": [[1, 1]]}), [None, 6, 2], 40, 0),
]
"""The same for what Keras cannot say: 4 windows x 2 filters + 14; 7 or 5 elements in windows of 2; 6 steps x 4 filters + 12 + 4."""


def shapes() -> Iterable[Case]:
    for slug, one, shape, trainable, fixed in (*COUNTS, *BY_HAND):
        tail = [layer("Flatten", name="flat"), layer("Dense", {"units": 1, "use_bias": False}, "out")]
        title = f"{one['type']}, {slug.replace('-', ' ')}" if slug else f"{one['type']}"
        yield good(f"lyr-016-{one['type'].lower()}" + (f"-{slug}" if slug else ""), title, ["LYR-016"],
                   chain(one, *tail, shape=shape), parameters=(trainable, fixed))


def training() -> Iterable[Case]:
    norm = layer("BatchNormalization", {"momentum": 0.99, "epsilon": 0.001}, "norm")
    plain = chain(DENSE, norm)
    yield good("lyr-017-moving-statistics", "Moving mean and variance are not trained", ["LYR-017"], plain, parameters=(21, 6))
    yield good("lyr-017-frozen-layer", "A layer that is not trainable has no trainable weight", ["LYR-017"],
               chain({**DENSE, "trainable": False}, norm), parameters=(6, 21))
    nested = {"name": "inner", "type": "Model", "architecture": {"layers": [DENSE, norm]}, "trainable": False}
    yield good("lyr-017-frozen-around", "Layers inside a frozen one have no trainable weight", ["LYR-017"],
               chain(nested, {**DENSE, "name": "head"}), parameters=(12, 27))
    one = {**DENSE, "weights": {"bias": {"tensor": "dense.bias", "trainable": False}}}
    yield good("lyr-017-frozen-bias", "One weight of a layer is not trainable", ["LYR-017"], chain(one), parameters=(12, 3))


def cases() -> Iterable[Case]:
    import _arguments
    import _configs
    import _edges
    import _lookups  # they take their helpers from here
    import _operations

    yield from _configs.in_groups("layers", "operations")
    for part in (types, configs, parts, calls, weights, shapes, training, _operations.lyr_cases, _lookups.lyr_cases, _edges.lyr_cases, _arguments.lyr_cases):
        yield from part()
