"""What each framework makes of the operations: by a function of its own, or by the few that it takes to say the same."""

from __future__ import annotations

from triptych.vocabulary.operations import OPERATIONS
from triptych.vocabulary.verdicts.rules import Table, every, exact

_COUNTED = {
    "flatten": "a reshape",
    "identity": "the value itself",
    "attention": "matmul, where and softmax",
    "clip": "maximum and minimum, as bounds are said",
}


def _table(framework: str, functions: str) -> Table:
    found = {}
    for name, one in OPERATIONS.items():
        counterpart = one.equivalents.get(framework)
        found[name] = (exact(counterpart or f"{_COUNTED.get(name, 'functions')} of {functions}"),)
    return found


TORCH: Table = {
    **_table("torch", "torch"),
    **every("activate", exact("functions of torch.nn.functional")),
    **every("top_k", exact("torch.sort(descending=True, stable=True) and a slice; torch.topk says nothing of equal elements")),
    **every("remainder floor_divide", exact("torch.# of values, not of numbers alone")),
    **every("gather", exact("torch.index_select, negative indices counted from the front first")),
    **every("pad", exact("torch.nn.functional.pad; slices joined for symmetric")),
}
JAX: Table = {**_table("jax", "jax.numpy"), **every("activate", exact("functions of jax.nn and jax.numpy")), **every("gather", exact("jax.numpy.take(mode='wrap')"))}
KERAS3: Table = {
    **{name: tuple(exact(f"keras.{rule.how}") if rule.how.startswith("ops.") else rule for rule in rules) for name, rules in _table("keras", "keras.ops").items()},
    **every("activate", exact("functions of keras.ops")),
    **every("variance", exact("keras.ops.var", correction=0), exact("sums of keras.ops")),
    **every("cumulative_sum", exact("keras.ops.cumsum", exclusive=False, reverse=False), exact("keras.ops.cumsum, flip and subtract")),
    **every("pad", exact("keras.ops.pad", mode=("constant", "reflect", "symmetric")), exact("slices of keras.ops, joined")),
    **every("gather", exact("keras.ops.take, negative indices counted from the front first")),
}
KERAS2: Table = {
    **{name: (exact("functions of tf"),) for name in OPERATIONS},
    **every("add subtract multiply divide maximum minimum", exact("tf.math.#")),
    **every("matmul", exact("tf.linalg.matmul")),
    **every("reshape transpose squeeze expand_dims split stack tile repeat roll where cast one_hot pad identity", exact("tf.#")),
}
