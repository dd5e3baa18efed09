"""PyTorch: every operation of chapter 27 that it has, called as a program calls it between its layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - its name everywhere
from common import EXACT, LOOSE, Row, document, integers, numbers, positive

Json = Any
Tensor = torch.Tensor
X = numbers("operations x", (2, 3, 4))
Z = numbers("operations z", (2, 3, 4), step=1 / 4)
ROW = numbers("operations row", (3, 1))
IDS = integers("operations ids", (2, 3), 4)
MASK = (X > 0).astype("float32")
INF = float("inf")


def versions() -> dict[str, str]:
    """What answered."""
    return {"torch": torch.__version__.partition("+")[0], "numpy": np.__version__}


def tensor(array: np.ndarray) -> Tensor:
    """An array as a tensor."""
    return torch.from_numpy(array.copy())


def plain(value: Tensor) -> np.ndarray:
    """A result; indices as the specification has them."""
    array = value.numpy()
    return array.astype("int32") if array.dtype == np.int64 else array


def operation(slug: str, title: str, name: str, config: Mapping[str, Json], inputs: Sequence[np.ndarray], compute: Callable[..., Any], call: str,
              *, tolerance: Mapping[str, float] = LOOSE, results: int = 1) -> Row:
    """One call of one operation."""
    names = [f"x{index}" for index in range(len(inputs))]
    outputs = [f"y{index}" for index in range(results)]
    given = dict(zip(names, inputs, strict=True))
    spelt = {key: {"float": "-Infinity"} if value == -INF else value for key, value in config.items()}
    calls = [{"op": name, **({"config": spelt} if spelt else {}), "inputs": names, "outputs": outputs}]

    def run() -> list[np.ndarray]:
        got = compute(*map(tensor, inputs))
        return [plain(one) for one in (got if isinstance(got, (tuple, list)) else [got])]

    return Row(f"operation-{slug.replace('_', '-')}", title, document([], given, calls, outputs), {}, given, run, call, outputs=outputs, tolerance=tolerance, requirements=("EVL-006",))


def pairs() -> Iterator[Row]:
    for name, function in (("add", torch.add), ("subtract", torch.sub), ("multiply", torch.mul), ("divide", torch.true_divide), ("floor_divide", torch.floor_divide),
                           ("remainder", torch.remainder), ("maximum", torch.maximum), ("minimum", torch.minimum), ("equal", torch.eq), ("not_equal", torch.ne),
                           ("less", torch.lt), ("less_equal", torch.le), ("greater", torch.gt), ("greater_equal", torch.ge)):
        divisor = np.where(Z == 0, np.float32(1), Z).astype("float32")
        yield operation(name, f"{name} of two values", name, {}, (Z, divisor), function, f"torch.{function.__name__}(x0, x1)", tolerance=LOOSE if name == "divide" else EXACT)
    yield operation("add-stretched", "A sum stretches an axis of one element", "add", {}, (X, X[:, :, :1].copy()), torch.add, "x0 + x1", tolerance=EXACT)
    yield operation("subtract-from-a-literal", "A literal stands on the left", "subtract", {"left": 1.5}, (X,), lambda x: 1.5 - x, "1.5 - x0", tolerance=EXACT)
    yield operation("subtract-a-literal", "A literal stands on the right", "subtract", {"right": 1.5}, (X,), lambda x: x - 1.5, "x0 - 1.5", tolerance=EXACT)
    yield operation("add-of-integers", "A literal takes the dtype of integers", "add", {"right": 2}, (IDS,), lambda x: x + 2, "x0 + 2", tolerance=EXACT)
    yield operation("add-a-fraction-to-integers", "A fraction makes integers floating-point numbers", "add", {"right": 0.5}, (IDS,), lambda x: x + 0.5, "x0 + 0.5", tolerance=EXACT)
    yield operation("remainder-of-negative-integers", "A remainder has the sign of the divisor", "remainder", {"right": 3}, (IDS - 2,), lambda x: torch.remainder(x, 3),
                    "torch.remainder(x0, 3)", tolerance=EXACT)
    yield operation("power", "A power with a literal exponent", "power", {"right": 1.5}, (positive("power", (2, 3)),), lambda x: x**1.5, "x0**1.5")
    yield operation("where", "A choice between a value and a literal", "where", {"on_false": -1.0}, (MASK, X), lambda m, x: torch.where(m.bool(), x, -1.0),
                    "torch.where(x0.bool(), x1, -1.0)", tolerance=EXACT)
    yield operation("clip", "Bounds on both sides", "clip", {"minimum": -0.5, "maximum": 0.25}, (X,), lambda x: x.clamp(-0.5, 0.25), "x0.clamp(-0.5, 0.25)", tolerance=EXACT)


def singles() -> Iterator[Row]:
    for name in ("negative", "absolute", "sign", "square", "floor", "ceil", "round", "exp", "expm1", "sin", "cos", "tan", "arctan", "sinh", "cosh", "tanh", "sigmoid",
                 "relu", "erf", "logical_not"):
        exact = name in {"negative", "absolute", "sign", "floor", "ceil", "round", "relu", "logical_not"}
        yield operation(name, f"{name} of each element", name, {}, (X,), getattr(torch, name), f"torch.{name}(x0)", tolerance=EXACT if exact else LOOSE)
    for name in ("reciprocal", "sqrt", "rsqrt", "log", "log1p", "log2", "log10"):
        yield operation(name, f"{name} of each element", name, {}, (positive(name, (2, 3)),), getattr(torch, name), f"torch.{name}(x0)")
    for name, function in (("silu", F.silu), ("gelu", F.gelu), ("softplus", F.softplus), ("elu", F.elu)):
        yield operation(f"activate-{name}", f"The activation {name} as an operation", "activate", {"activation": name}, (X,), function, f"torch.nn.functional.{name}(x0)")
    yield operation("activate-leaky-relu", "A slope that is said", "activate", {"activation": "leaky_relu", "alpha": 0.25}, (X,), lambda x: F.leaky_relu(x, 0.25),
                    "torch.nn.functional.leaky_relu(x0, 0.25)")
    yield operation("activate-elu-alpha", "A factor that is said", "activate", {"activation": "elu", "alpha": 0.5}, (X,), lambda x: F.elu(x, 0.5), "torch.nn.functional.elu(x0, 0.5)")
    halves = np.array([[0.5, 1.5, 2.5, -0.5, -1.5]], "float32")
    yield operation("round-halves", "A half is rounded to the even integer", "round", {}, (halves,), torch.round, "torch.round(x0)", tolerance=EXACT)
    yield operation("cast-to-int32", "A cast to integers rounds towards 0", "cast", {"dtype": "int32"}, (X * 3,), lambda x: x.to(torch.int32), "x0.to(torch.int32)", tolerance=EXACT)
    yield operation("cast-to-bool", "A cast to booleans asks whether it is 0", "cast", {"dtype": "bool"}, (X,), lambda x: x.to(torch.bool), "x0.to(torch.bool)", tolerance=EXACT)
    yield operation("cast-to-float16", "A cast to float16 rounds", "cast", {"dtype": "float16"}, (X / 3,), lambda x: x.half(), "x0.half()", tolerance=EXACT)


def reductions() -> Iterator[Row]:
    for name, method in (("sum", "sum"), ("mean", "mean"), ("max", "amax"), ("min", "amin"), ("logsumexp", "logsumexp")):
        for slug, axes, keepdims in (("axis", [1], False), ("keepdims", [1, 2], True)):
            yield operation(f"{name}-{slug}", f"{name} along {'an axis' if slug == 'axis' else 'two axes that stay'}", name,
                            {"axes": axes, **({"keepdims": True} if keepdims else {})}, (X,), lambda x, m=method, a=axes, k=keepdims: getattr(x, m)(tuple(a), keepdim=k),
                            f"x0.{method}({axes}, keepdim={keepdims})")
    for correction in (0, 1):
        yield operation(f"variance-correction-{correction}", f"A variance with correction {correction}", "variance", {"axes": [1], **({"correction": 1} if correction else {})}, (X,),
                        lambda x, c=correction: x.var(1, correction=c), f"x0.var(1, correction={correction})")
    yield operation("argmax", "The index of the largest along an axis", "argmax", {"axis": 2}, (X,), lambda x: x.argmax(2), "x0.argmax(2)", tolerance=EXACT)
    yield operation("argmin", "The index of the smallest along an axis", "argmin", {"axis": 1}, (X,), lambda x: x.argmin(1), "x0.argmin(1)", tolerance=EXACT)
    yield operation("any", "Whether one is true along an axis", "any", {"axes": [1]}, (MASK,), lambda x: x.bool().any(1), "x0.bool().any(1)", tolerance=EXACT)
    yield operation("all", "Whether all are true along an axis", "all", {"axes": [1]}, (MASK,), lambda x: x.bool().all(1), "x0.bool().all(1)", tolerance=EXACT)
    yield operation("softmax-second-axis", "A softmax of large numbers along an inner axis", "softmax", {"axis": 1}, (X * 64,), lambda x: x.softmax(1), "x0.softmax(1)")
    yield operation("log-softmax", "A logarithm of a softmax", "log_softmax", {}, (X,), lambda x: x.log_softmax(-1), "x0.log_softmax(-1)")
    yield operation("cumulative-sum", "A cumulative sum", "cumulative_sum", {"axis": 1}, (X,), lambda x: x.cumsum(1), "x0.cumsum(1)", tolerance=EXACT)
    yield operation("l2-normalize-norm", "A normalisation whose epsilon bounds the length", "l2_normalize", {"axes": [2], "epsilon": 1.0, "epsilon_on": "norm"}, (X,),
                    lambda x: F.normalize(x, dim=2, eps=1.0), "torch.nn.functional.normalize(x0, dim=2, eps=1.0)")
    distinct = np.argsort(X.reshape(2, 12), axis=1).astype("float32")
    yield operation("top-k", "The three largest and where they are", "top_k", {"k": 3}, (distinct,), lambda x: tuple(x.topk(3)), "x0.topk(3)", tolerance=EXACT, results=2)


def moves() -> Iterator[Row]:
    def moved(slug: str, title: str, name: str, config: Mapping[str, Json], compute: Callable[..., Any], call: str, *more: np.ndarray, results: int = 1) -> Row:
        return operation(slug, title, name, config, (X, *more), compute, call, tolerance=EXACT, results=results)

    yield moved("reshape", "A reshape keeps the batch and finds the rest", "reshape", {"shape": [None, -1, 2]}, lambda x: x.reshape(x.shape[0], -1, 2), "x0.reshape(x0.shape[0], -1, 2)")
    yield moved("flatten", "Two axes become one", "flatten", {"start_axis": 1}, lambda x: x.flatten(1), "x0.flatten(1)")
    yield moved("transpose", "Axes in another order", "transpose", {"axes": [1, 2, 0]}, lambda x: x.permute(1, 2, 0), "x0.permute(1, 2, 0)")
    yield moved("expand-dims", "A further axis", "expand_dims", {"axes": [1]}, lambda x: x.unsqueeze(1), "x0.unsqueeze(1)")
    yield operation("squeeze", "An axis less", "squeeze", {"axes": [1]}, (X[:, :1].copy(),), lambda x: x.squeeze(1), "x0.squeeze(1)", tolerance=EXACT)
    yield operation("broadcast-to", "A value is stretched", "broadcast_to", {"shape": [3, 2, 4]}, (X[:, 0].copy(),), lambda x: x.expand(3, 2, 4), "x0.expand(3, 2, 4)", tolerance=EXACT)
    whole = [None, None, None]
    yield moved("slice", "A step, an index and a new axis", "slice", {"entries": [whole, [None, None, 2], "new", -1]}, lambda x: x[:, ::2, None, -1], "x0[:, ::2, None, -1]")
    yield moved("slice-rest", "Everything but the last element of the last axis", "slice", {"entries": ["rest", [None, -1, None]]}, lambda x: x[..., :-1], "x0[..., :-1]")
    yield moved("flip", "An axis reversed", "flip", {"axes": [1]}, lambda x: x.flip(1), "x0.flip(1)")
    yield moved("roll", "Elements move round", "roll", {"shifts": [1, -2], "axes": [1, 2]}, lambda x: x.roll((1, -2), (1, 2)), "x0.roll((1, -2), (1, 2))")
    yield moved("concatenate", "Two values one after the other", "concatenate", {"axis": 1}, lambda x, z: torch.cat([x, z], 1), "torch.cat([x0, x1], 1)", Z[:, :2].copy())
    yield moved("stack", "Two values side by side", "stack", {"axis": 1}, lambda x, z: torch.stack([x, z], 1), "torch.stack([x0, x1], 1)", Z)
    yield moved("split", "Parts of one and three", "split", {"parts": [1, 3], "axis": 2}, lambda x: tuple(x.split([1, 3], 2)), "x0.split([1, 3], 2)", results=2)
    yield moved("split-in-two", "Two equal parts", "split", {"parts": 2, "axis": 2}, lambda x: tuple(x.chunk(2, 2)), "x0.chunk(2, 2)", results=2)
    yield moved("tile", "A value repeated as a whole", "tile", {"repeats": [1, 2, 1]}, lambda x: x.tile(1, 2, 1), "x0.tile(1, 2, 1)")
    yield moved("repeat", "Each element repeated in its place", "repeat", {"repeats": 2, "axis": 1}, lambda x: x.repeat_interleave(2, 1), "x0.repeat_interleave(2, 1)")
    yield moved("pad-fill", "Sevens around", "pad", {"padding": [[0, 0], [1, 2], [0, 1]], "fill": 7.0}, lambda x: F.pad(x, (0, 1, 1, 2), value=7.0), "F.pad(x0, (0, 1, 1, 2), value=7.0)")
    yield moved("pad-reflect", "Mirrored without the outermost", "pad", {"padding": [[0, 0], [0, 0], [3, 2]], "mode": "reflect"}, lambda x: F.pad(x, (3, 2), mode="reflect"),
                "F.pad(x0, (3, 2), mode='reflect')")
    yield moved("pad-edge", "The outermost repeated", "pad", {"padding": [[0, 0], [0, 0], [3, 2]], "mode": "edge"}, lambda x: F.pad(x, (3, 2), mode="replicate"),
                "F.pad(x0, (3, 2), mode='replicate')")
    yield moved("gather", "Rows by literal indices, one from the end", "gather", {"indices": [2, 0, -1], "axis": 1}, lambda x: x[:, [2, 0, -1]], "x0[:, [2, 0, -1]]")
    yield moved("gather-values", "Elements by indices that are values", "gather", {"axis": 2}, lambda x, i: x[:, :, i.long()], "x0[:, :, x1]", IDS)
    yield moved("take-along-axis", "For each element another index", "take_along_axis", {"axis": 2}, lambda x, i: x.gather(2, i.long()), "x0.gather(2, x1)",
                integers("along", (2, 3, 2), 4))
    yield operation("one-hot", "Indices as vectors", "one_hot", {"depth": 5}, (IDS,), lambda x: F.one_hot(x.long(), 5).float(), "F.one_hot(x0, 5).float()", tolerance=EXACT)
    yield moved("triangle-lower", "What is on and under a diagonal", "triangle", {"part": "lower", "diagonal": 1}, lambda x: x.tril(1), "x0.tril(1)")
    yield moved("triangle-upper", "What is on and over the diagonal", "triangle", {"part": "upper"}, lambda x: x.triu(), "x0.triu()")


def products() -> Iterator[Row]:
    right = numbers("operations right", (2, 4, 5))
    yield operation("matmul", "A product of matrices for each element of the batch", "matmul", {}, (X, right), torch.matmul, "torch.matmul(x0, x1)")
    yield operation("matmul-stretched", "A product with one matrix for all", "matmul", {}, (X[:, None].copy(), right), torch.matmul, "torch.matmul(x0, x1)")
    yield operation("einsum", "A sum over two letters", "einsum", {"equation": "bij,bjk->bk"}, (X, right), lambda x, z: torch.einsum("bij,bjk->bk", x, z),
                    "torch.einsum('bij,bjk->bk', x0, x1)")
    q, k, v = numbers("q", (2, 3, 4)), numbers("k", (2, 5, 4)), numbers("v", (2, 5, 2))
    scaled = F.scaled_dot_product_attention
    yield operation("attention", "Attention with the usual scale", "attention", {}, (q, k, v), scaled, "F.scaled_dot_product_attention(x0, x1, x2)")
    yield operation("attention-causal", "Causal attention with another scale", "attention", {"scale": 1.0, "causal": True}, (q, k, v),
                    lambda a, b, c: scaled(a, b, c, is_causal=True, scale=1.0), "F.scaled_dot_product_attention(x0, x1, x2, is_causal=True, scale=1.0)")
    bias = numbers("attention bias", (2, 3, 5))
    yield operation("attention-bias", "Attention with numbers that are added to the scores", "attention", {}, (q, k, v, bias),
                    lambda a, b, c, m: scaled(a, b, c, attn_mask=m), "F.scaled_dot_product_attention(x0, x1, x2, attn_mask=x3)")


def composites() -> Iterator[Row]:
    """Squeeze-and-excite as a composite, used twice with other parameters."""
    sizes = {"first": 2, "second": 3}
    weights = {}
    for use, units in sizes.items():
        for path, shape in (("down.kernel", (4, units)), ("down.bias", (units,)), ("up.kernel", (units, 4)), ("up.bias", (4,))):
            weights[f"{use}.{path}"] = numbers(f"excite {use} {path}", shape)
    image = numbers("excite image", (2, 2, 3, 4))
    excite = {
        "parameters": {"activation": {"default": "relu"}, "reduced": {}}, "inputs": ["x"],
        "layers": [
            {"name": "down", "type": "Dense", "config": {"units": {"parameter": "reduced"}, "activation": {"parameter": "activation"}}},
            {"name": "up", "type": "Dense", "config": {"units": 4, "activation": "sigmoid"}},
        ],
        "calls": [
            {"op": "mean", "config": {"axes": [1, 2]}, "inputs": ["x"], "outputs": ["pooled"]}, {"layer": "down", "inputs": ["pooled"]},
            {"layer": "up", "inputs": ["down"]}, {"op": "expand_dims", "config": {"axes": [1, 2]}, "inputs": ["up"], "outputs": ["gates"]},
            {"op": "multiply", "inputs": ["x", "gates"], "outputs": ["excited"]},
        ],
        "outputs": ["excited"],
    }
    layers = [{"name": "first", "type": "Excite", "config": {"reduced": 2}}, {"name": "second", "type": "Excite", "config": {"activation": "tanh", "reduced": 3}}]
    calls = [{"layer": "first", "inputs": ["image"]}, {"layer": "second", "inputs": ["first"]}]

    def run() -> list[np.ndarray]:
        x = tensor(image)
        for use, activation in (("first", torch.relu), ("second", torch.tanh)):
            held = {path: tensor(weights[f"{use}.{path}"]) for path in ("down.kernel", "down.bias", "up.kernel", "up.bias")}
            down = activation(x.mean((1, 2)) @ held["down.kernel"] + held["down.bias"])
            x = x * torch.sigmoid(down @ held["up.kernel"] + held["up.bias"])[:, None, None]
        return [x.numpy()]

    architecture = {**document(layers, {"image": image}, calls, ["second"]), "composites": {"Excite": excite}}
    yield Row("composite", "A composite used twice with other parameters", architecture, weights, {"image": image}, run,
              "x * sigmoid(activation(x.mean((1, 2)) @ w + b) @ w2 + b2), twice", outputs=("second",), requirements=("EVL-001", "EVL-006", "ARC-035"))


def dtypes() -> Iterator[Row]:
    """Of which dtype an operation yields what, where its operands are integers or booleans, or of several dtypes."""
    small, signs = IDS.astype("uint8"), (IDS - 2).astype("int8")
    for slug, title, name, config, inputs, function, call in (
        ("sum-of-booleans", "Booleans are counted", "sum", {"axes": [1]}, (IDS > 1,), lambda x: torch.sum(x, 1), "torch.sum(x0, 1)"),
        ("running-sum-of-booleans", "Booleans are counted on the way", "cumulative_sum", {"axis": 1}, (IDS > 1,), lambda x: torch.cumsum(x, 1), "torch.cumsum(x0, 1)"),
        ("largest-of-booleans", "The largest of booleans is one", "max", {"axes": [1]}, (IDS > 1,), lambda x: torch.amax(x, 1), "torch.amax(x0, 1)"),
        ("larger-of-booleans", "The larger of two booleans is one", "maximum", {}, (IDS > 1, IDS > 2), torch.maximum, "torch.maximum(x0, x1)"),
        ("mean-of-integers", "A mean of integers is no integer", "mean", {"axes": [1]}, (IDS,), lambda x: torch.mean(x.float(), 1), "torch.mean(x0.float(), 1)"),
        ("division-of-integers", "A division of integers yields no integers", "divide", {"right": 4}, (IDS,), lambda x: x / 4, "x0 / 4"),
        ("floor-of-integers", "Integers rounded down are integers", "floor", {}, (IDS - 2,), torch.floor, "torch.floor(x0)"),
        ("a-float-without-a-fraction", "A literal 1.0 makes integers floating-point numbers", "add", {"right": 1.0}, (IDS,), lambda x: x + 1.0, "x0 + 1.0"),
        ("clip-by-floats", "Floats bound integers as floating-point numbers", "clip", {"minimum": 0.5, "maximum": None}, (IDS,), lambda x: torch.clamp(x, 0.5), "torch.clamp(x0, 0.5)"),
        ("clip-by-integers", "Integers bound integers", "clip", {"minimum": 1, "maximum": 2}, (IDS,), lambda x: torch.clamp(x, 1, 2), "torch.clamp(x0, 1, 2)"),
        ("bytes-wrap-around", "A sum of bytes wraps around", "add", {"right": 254}, (small,), lambda x: x + 254, "x0 + 254"),
        ("bytes-with-and-without-sign", "A byte with a sign and one without make 16 bits", "subtract", {}, (small, signs), torch.sub, "x0 - x1"),
        ("half-and-single", "Numbers of 16 and of 32 bits make 32 bits", "multiply", {}, (X.astype("float16"), X), torch.mul, "x0 × x1"),
        ("integers-and-halves", "Integers take the dtype of floating-point numbers", "add", {}, (IDS, IDS.astype("float16")), torch.add, "x0 + x1"),
        ("negative-powers-of-integers", "An integer to a negative power is rounded towards 0", "power", {}, (IDS - 1, -IDS), torch.pow, "torch.pow(x0, x1)"),
    ):
        yield operation(slug, title, name, config, inputs, function, call, tolerance=LOOSE if name in {"mean", "divide"} else EXACT)


def rows() -> Iterator[Row]:
    """Every row."""
    for part in (pairs, singles, reductions, moves, products, composites, dtypes):
        yield from part()
