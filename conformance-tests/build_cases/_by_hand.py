"""Cases of evaluations calculated by hand: numbers at a boundary, or so large or small that a wrong formula shows."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Mapping, Sequence

import kit
from kit import Case

Json = kit.Json
FORMATS = {"float32": "f", "float64": "d", "int32": "i", "int8": "b", "uint8": "B", "bool": "?"}
INF = math.inf


def array(values: Json, dtype: str = "float32") -> kit.TensorSpec:
    """A tensor from nested lists."""
    shape: list[int] = []
    level = values
    while isinstance(level, list):
        shape.append(len(level))
        level = level[0]
    flat = values if shape else [values]
    for _ in shape[1:]:
        flat = [one for row in flat for one in row]
    return dtype, tuple(shape), struct.pack(f"<{len(flat)}{FORMATS[dtype]}", *flat)


def evaluated(slug: str, title: str, architecture: Json, inputs: Mapping[str, kit.TensorSpec], outputs: Mapping[str, kit.TensorSpec], **more: Json) -> Case:
    """A case of chapter 28; the batch of each input is open."""
    weights = more.pop("weights", None)
    said = [{"name": name, "shape": [None, *shape[1:]], **({} if dtype == "float32" else {"dtype": dtype})} for name, (dtype, shape, _) in inputs.items()]
    model = kit.package({"format_version": "1.0", "inputs": said, **architecture}, weights)
    files = {f"model/{name}": data for name, data in model.items()} | {"inputs.safetensors": kit.safetensors(dict(inputs))}
    requirement = more.pop("requirement", "EVL-001")
    exact = all(dtype not in {"float32", "float64"} for dtype, _, _ in outputs.values())
    return Case(f"{requirement.lower()}-{slug}", title, [requirement], files, op="evaluate", role="evaluator", profile="evaluate",
                accepted={"outputs": {name: kit.observe_tensor(*one) for name, one in outputs.items()}}, **{"tolerance": {"ulp": 0} if exact else {"relative": 1e-6}, **more})


def operation(slug: str, title: str, name: str, config: Json, inputs: Sequence[kit.TensorSpec], *outputs: kit.TensorSpec, **more: Json) -> Case:
    """One call of one operation."""
    given, names = {f"x{index}": one for index, one in enumerate(inputs)}, [f"y{index}" for index in range(len(outputs))]
    call = {"op": name, **({"config": config} if config else {}), "inputs": list(given), "outputs": names}
    return evaluated(f"operation-{slug}", title, {"layers": [], "calls": [call], "outputs": names}, given, dict(zip(names, outputs, strict=True)), requirement="EVL-006", **more)


def layer(slug: str, title: str, type_: str, config: Json, inputs: Sequence[kit.TensorSpec], output: kit.TensorSpec, **more: Json) -> Case:  # noqa: PLR0917 - a row of a table
    """One layer; of several inputs, a graph."""
    one = {"name": "layer", "type": type_, **({"config": config} if config else {})}
    given = dict(zip("xyz", inputs, strict=False))
    calls = {"calls": [{"layer": "layer", "inputs": list(given)}], "outputs": ["layer"]}
    return evaluated(f"by-hand-{slug}", title, {"layers": [one], **(calls if len(given) > 1 else {})}, given, {"layer": output}, **more)


def operations() -> Iterable[Case]:
    row = array([[1.0, 2.0, 4.0]])
    for words, config, sums in (("reverse", {"reverse": True}, [7.0, 6.0, 4.0]), ("exclusive", {"exclusive": True}, [0.0, 1.0, 3.0]), ("reverse, exclusive", {"reverse": True, "exclusive": True}, [6.0, 4.0, 0.0])):
        yield operation(f"cumulative-sum-{words.replace(', ', '-')}-by-hand", f"A cumulative sum, {words}", "cumulative_sum", {"axis": 1, **config}, [row], array([sums]))
    whole = array([[1, -1, -1, 2, -2, 0, 3, -2, -1, 0]], "int32")
    exponents = array([[-2, -1, -2, -1, -3, -1, 2, 3, 0, 0]], "int32")
    yield operation("power-of-integers-to-negative-ones", "Of an integer to a negative one stays what is whole", "power", {}, [whole, exponents], array([[1, -1, 1, 0, 0, 0, 9, -8, 1, 1]], "int32"))
    signed = array([[3, -4, 0]], "int32")
    for name, found in (("negative", [-3, 4, 0]), ("absolute", [3, 4, 0]), ("sign", [1, -1, 0]), ("square", [9, 16, 0])):
        yield operation(f"{name}-of-integers", f"{name} of integers yields integers", name, {}, [signed], array([found], "int32"))
    yield operation("square-of-booleans", "The squares of booleans are integers", "square", {}, [array([[True, False]], "bool")], array([[1, 0]], "int32"))
    two = array([[[1.0, 2.0], [3.0, 4.0]]])
    table = {"layers": [], "calls": [{"op": "constant", "config": {"value": [10, 20, 30, 40], "shape": [2, 2]}, "inputs": [], "outputs": ["c"]}, {"op": "add", "inputs": ["x", "c"], "outputs": ["y"]}], "outputs": ["y"]}
    yield evaluated("operation-constant-of-several", "A constant has its numbers in row-major order", table, {"x": two}, {"y": array([[[11.0, 22.0], [33.0, 44.0]]])}, requirement="EVL-006")
    one = {"layers": [], "calls": [{"op": "constant", "config": {"value": 10, "shape": [2], "dtype": "int32"}, "inputs": [], "outputs": ["c"]}, {"op": "cast", "config": {"dtype": "int32"}, "inputs": ["x"], "outputs": ["i"]},
                                   {"op": "add", "inputs": ["i", "c"], "outputs": ["y"]}], "outputs": ["y"]}
    yield evaluated("operation-constant-of-one", "A constant is one number everywhere", one, {"x": two}, {"y": array([[[11, 12], [13, 14]]], "int32")}, requirement="EVL-006")
    yield operation("l2-normalize-square", "What is under a root is bounded", "l2_normalize", {"axes": [-1], "epsilon": 4.0, "epsilon_on": "square"}, [array([[3.0, 4.0], [0.6, 0.8]])],
                    array([[0.6, 0.8], [0.3, 0.4]]))
    yield operation("l2-normalize-norm-by-hand", "A root is bounded", "l2_normalize", {"axes": [-1], "epsilon": 4.0, "epsilon_on": "norm"}, [array([[3.0, 4.0], [0.6, 0.8]])],
                    array([[0.6, 0.8], [0.15, 0.2]]))
    large = array([[1000.0, 1000.0], [1000.0, -1000.0], [-INF, -INF], [-1000.0, -1000.0]])
    yield operation("logsumexp-large", "Large, small and infinite numbers do not overflow", "logsumexp", {"axes": [1]}, [large], array([1000.0 + math.log(2), 1000.0, -INF, -1000.0 + math.log(2)]))
    yield operation("log-softmax-large", "Large numbers do not overflow", "log_softmax", {"axis": 1}, [array([[1000.0, 0.0], [-1000.0, -1000.0]])], array([[0.0, -1000.0], [-math.log(2), -math.log(2)]]))
    yield operation("softmax-by-hand", "Parts in proportion to powers of e", "softmax", {"axis": 1}, [array([[math.log(1), math.log(3)], [1000.0 + math.log(3), 1000.0]])], array([[0.25, 0.75], [0.75, 0.25]]), tolerance={"relative": 1e-4})
    yield operation("sigmoid-of-nothing", "The sigmoid of 0 is a half", "sigmoid", {}, [array([[0.0, -200.0, 200.0]])], array([[0.5, 0.0, 1.0]]))
    yield operation("one-hot-first-axis", "The axis of classes stands where the config says", "one_hot", {"depth": 3, "axis": 1}, [array([[2, 0], [1, 3]], "int32")],
                    array([[[0.0, 1.0], [0.0, 0.0], [1.0, 0.0]], [[0.0, 0.0], [1.0, 0.0], [0.0, 0.0]]]))
    yield operation("top-k-of-bytes", "The largest of unsigned integers", "top_k", {"k": 2}, [array([[0, 200, 3, 200]], "uint8")], array([[200, 200]], "uint8"), array([[1, 3]], "int32"))
    yield operation("cast-between-integers", "A cast between integers keeps the low bits", "cast", {"dtype": "int8"}, [array([[-3, 200, 130]], "int32")], array([[-3, -56, -126]], "int8"))


def activations() -> Iterable[Case]:
    def named(name: str, title: str, x: Sequence[float], y: Sequence[float], **more: Json) -> Case:
        return layer(f"{name.replace('_', '-')}", title, "Activation", {"activation": name}, [array([list(x)])], array([list(y)]), **more)

    yield named("sparsemax", "Sparsemax shares one among the largest", [0.5, 0.25, -1.0], [0.625, 0.375, 0.0])  # 0.75 - 1 = -0.25, shared by two: 0.125 more for each
    yield named("hard_shrink", "A half and what is hardly more", [0.5, 0.53125, -0.53125, -0.5], [0.0, 0.53125, -0.53125, 0.0])
    yield named("sparse_plus", "Square between -1 and 1, straight from there", [-1.0, 0.0, 1.0, 1.5], [0.0, 0.25, 1.0, 1.5])
    yield named("log_softmax", "The logarithm of a softmax of large numbers", [1000.0, 0.0], [0.0, -1000.0])
    yield named("leaky_relu", "A slope of 0.2 below 0", [0.5, -0.5, 0.0], [0.5, -0.1, 0.0])
    yield named("elu", "A power of e below 0", [0.5, 0.0, -math.log(2)], [0.5, 0.0, -0.5])
    yield layer("relu-at-its-threshold", "At its threshold a ReLU is 0", "ReLU", {"threshold": 1.0, "negative_slope": 0.5}, [array([[1.0, 1.25, 0.5]])], array([[0.0, 1.25, -0.25]]))
    yield layer("softplus-at-its-threshold", "Softplus is straight beyond its threshold", "Softplus", {"beta": 2.0, "threshold": 1.0}, [array([[0.5, 0.625, 0.0]])],
                array([[math.log(1 + math.e) / 2, 0.625, math.log(2) / 2]]))
    yield layer("celu", "CELU, a power of e beneath 0", "CELU", {"alpha": 0.5}, [array([[0.5, 0.0, -math.log(2) / 2]])], array([[0.5, 0.0, -0.25]]))
    said = {"units": 2, "use_bias": False, "activation": {"type": "LeakyReLU", "config": {"negative_slope": 0.5}}}
    yield layer("activation-with-a-config", "An activation has a config of its own", "Dense", said, [array([[1.0]])], array([[3.0, -1.0]]), weights={"layer.kernel": kit.f32([1, 2], 3.0, -2.0)})


def layers() -> Iterable[Case]:
    # windows from two before to one behind: 1 + 4, 1 + 4 + 9, 1 + 4 + 9 + 16, 4 + 9 + 16 + 25, 9 + 16 + 25; each of four parts counts 4 / 4
    common = {"alpha": 4.0, "beta": 1.0, "bias": 1.0, "divide_by_size": True}
    x = array([[[1.0, 2.0, 3.0, 4.0, 5.0]]])
    yield layer("neighbours-even", "Of four neighbours, two stand before", "LocalResponseNormalization", {"size": 4, **common}, [x], array([[[1 / 6, 2 / 15, 3 / 31, 4 / 55, 5 / 51]]]))
    yield layer("neighbours-odd", "Of three neighbours, one stands before", "LocalResponseNormalization", {"size": 3, **common, "divide_by_size": False, "alpha": 1.0}, [x],
                array([[[1 / 6, 2 / 15, 3 / 30, 4 / 51, 5 / 42]]]))
    yield layer("unit-length-of-little", "A length below 1e-6 counts as that", "UnitNormalization", {}, [array([[3e-7, 4e-7]])], array([[0.3, 0.4]]))
    yield layer("cosine-of-little", "A length below 1e-6 counts as that in a product, too", "Dot", {"axes": 1, "normalize": True}, [array([[3e-7, 4e-7]]), array([[2.0, 0.0]])], array([[0.3]]))
    yield layer("sum-of-ranks", "Of values of several ranks, axes of 1 follow the batch", "Add", {}, [array([[[1.0, 2.0], [3.0, 4.0]]]), array([[10.0, 20.0]])], array([[[11.0, 22.0], [13.0, 24.0]]]))
    angles = [[step / 2.0 * 100.0 ** (-pair / 2) for pair in (0, 1)] for step in (0, 1, 2)]
    turned = [[one for u, v, a in ((1.0, 0.5, row[0]), (2.0, 0.0, row[1])) for one in (u * math.cos(a) - v * math.sin(a), v * math.cos(a) + u * math.sin(a))] for row in angles]
    yield layer("rotary-scaled", "Positions are divided by a factor", "RotaryEmbedding", {"max_wavelength": 100, "layout": "pairs", "scaling_factor": 2.0}, [array([[[1.0, 0.5, 2.0, 0.0]] * 3])], array([turned]))
    counts = {"layers": [{"name": "layer", "type": "CategoryEncoding", "config": {"num_tokens": 3, "output_mode": "count"}}],
              "calls": [{"layer": "layer", "inputs": ["x"], "arguments": {"count_weights": {"value": "w"}}}], "outputs": ["layer"]}
    yield evaluated("by-hand-weighted-counts", "What is counted has weights", counts, {"x": array([[0, 2, 2]], "int32"), "w": array([[3.0, 0.5, 4.0]])}, {"layer": array([[3.0, 0.0, 4.5]])})
    yield layer("one-hot-of-one-each", "An extent of 1 is dropped", "CategoryEncoding", {"num_tokens": 3, "output_mode": "one_hot"}, [array([[2], [0]], "int32")], array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]))


def convolutions() -> Iterable[Case]:
    def transposed(slug: str, title: str, kernel: Sequence[float], found: Sequence[float], **config: Json) -> Case:
        said = {"filters": 1, "kernel_size": [len(kernel)], "use_bias": False, **config}
        return layer(f"transposed-{slug}", title, "Conv1DTranspose", said, [array([[[1.0], [2.0]]])], array([[[one] for one in found]]), weights={"layer.kernel": kit.f32([len(kernel), 1, 1], *kernel)})

    # in full: 1, 10 + 2, 100 + 20, 1000 + 200, 2000; three of five are taken off
    power = [1.0, 10.0, 100.0, 1000.0]
    yield transposed("same-upper-three", "Of three elements too many, one is taken off before", power, [12.0, 120.0], padding="same_upper")
    yield transposed("same-lower-three", "Of three elements too many, two are taken off before", power, [120.0, 1200.0], padding="same_lower")
    yield transposed("more-than-there-is", "What output padding adds beyond the end is 0", [1.0], [1.0, 0.0, 2.0, 0.0], strides=[2], output_padding=[1])
    yield transposed("padding-on-one-side", "Explicit padding is taken off where it stands", power, [120.0, 1200.0, 2000.0], padding=[[2, 0]], output_padding=[0])
    lower = {"filters": 1, "kernel_size": [4], "padding": "same_lower", "use_bias": False}
    # 3 zeros around two elements, two of them before: 0 0 1 2 0 under 1, 10, 100, 1000
    yield layer("convolution-same-lower", "Of three zeros, two stand before", "Conv1D", lower, [array([[[1.0], [2.0]]])], array([[[2100.0], [210.0]]]), weights={"layer.kernel": kit.f32([4, 1, 1], *power)})
    pooled = {"pool_size": [2], "strides": [2]}
    yield layer("pooling-beyond-the-end", "A last window may reach beyond the end", "AveragePooling1D", {**pooled, "ceil_mode": True}, [array([[[1.0], [2.0], [5.0]]])], array([[[1.5], [5.0]]]))
    yield layer("largest-beyond-the-end", "A last window reaches beyond the end and takes nothing there", "MaxPooling1D", {"pool_size": [2], "strides": [2], "dilation_rate": [2], "ceil_mode": True},
                [array([[[-1.0], [-2.0], [-5.0], [-6.0]]])], array([[[-1.0], [-5.0]]]))


def cases() -> Iterable[Case]:
    for part in (operations, activations, layers, convolutions):
        yield from part()
