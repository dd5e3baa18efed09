"""The variables of a live Keras model: listed by layer, with names, read one at a time and assigned."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from triptych.frameworks.keras.library import Library
from triptych.layouts.keras_weights.assignment import Array
from triptych.model import Architecture, Tensor

Variable = Any
"""A variable of either Keras."""
Groups = dict[str, list[Variable]]
"""Top-level layer -> its weights in the order in which Keras stores them."""
_RANDOM = "seed_generator_state"


def groups(live: Any, architecture: Architecture) -> Groups:
    """The weights of `live` by the layers of `architecture`; all of them are one layer's where the model is kept as one."""
    names = [layer.name for layer in architecture.layers]
    if len(names) == 1 and not any(layer.name == names[0] for layer in live.layers):
        return {names[0]: stored_order(live)}
    return {layer.name: stored_order(layer) for layer in live.layers}


def stored_order(layer: Any) -> list[Variable]:
    """The weights of `layer`, each once: trainable ones first."""
    return list({id(one): one for one in (*layer.trainable_weights, *layer.non_trainable_weights)}.values())


def described(stored: Groups) -> dict[str, list[Array]]:
    """The same as names and shapes."""
    return {
        layer: [Array(name(one), tuple(one.shape), trainable=bool(one.trainable)) for one in variables]
        for layer, variables in stored.items()
    }


def name(variable: Variable) -> str:
    """The name that tells the layer and the role: ``dense/kernel`` or ``dense/kernel:0``."""
    return str(getattr(variable, "path", None) or variable.name)


def elements(variable: Variable, library: Library) -> Any:
    """The elements as an array; a view on the variable's memory where the framework gives one."""
    import numpy as np

    if library.dialect == "keras3":
        return np.asarray(library.module.ops.convert_to_numpy(variable))
    return np.asarray(variable.numpy())


def tensor(variable: Variable, library: Library, *, lazily: bool) -> Tensor:
    """A tensor of the elements: those of now, or with `lazily` those of when it is read, so that no two are held at once."""
    import numpy as np

    if lazily:
        def read() -> memoryview:
            return Tensor.from_array(elements(variable, library)).read()

        return Tensor(dtype(variable), tuple(variable.shape), read)
    # TensorFlow copies a variable's memory on write while somebody looks at it; the others do not.
    return Tensor.from_array(np.array(elements(variable, library), copy=None if library.backend == "tensorflow" else True))


def dtype(variable: Variable) -> str:
    """The name of the dtype of its elements."""
    found = variable.dtype
    return str(getattr(found, "name", found))


def assign(variable: Variable, value: Any) -> None:
    """Give `variable` the elements of `value`, which it does not keep a hold on: it may be a view on a file."""
    import numpy as np

    variable.assign(np.array(value, copy=True))


def generators(live: Any) -> Iterator[tuple[str, Variable]]:
    """The state of each random-number generator of a Keras 3 model, under the name that the training state has for it."""
    for layer in live.layers:
        owned = [one for one in getattr(layer, "variables", ()) if getattr(one, "name", "") == _RANDOM]
        for number, variable in enumerate(owned):
            yield f"random.{layer.name}" + (f".{number}" if len(owned) > 1 else ""), variable


def synchronise(live: Any) -> None:
    """Put into the variables what JAX keeps elsewhere in the middle of an epoch."""
    if hasattr(live, "jax_state_sync"):
        live.jax_state_sync()

