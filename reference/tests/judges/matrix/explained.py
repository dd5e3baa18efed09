"""The differences that the matrix may find, each with its reason; whatever else it finds is a fault."""

from dataclasses import dataclass

KERAS_3 = ("tensorflow", "jax", "torch")
BACKENDS = {"tf_keras": "tf-keras", "tensorflow": "Keras 3, TensorFlow", "jax": "Keras 3, JAX", "torch": "Keras 3, PyTorch"}
FORMATS = ("h5", "keras", "weights.h5")
SAME = "identical"
ON_JAX = (
    "dense", "string_loss", "never_compiled", "shared_layer", "several_outputs", "outputs_by_name", "nested_thrice", "frozen_layers", "pooling",
    "convolutions", "convolutions_1d", "convolutions_3d", "normalisations", "residual_network",
    "gru", "stateful", "bidirectional", "cells", "states", "conv_lstm", "each_step", "masking",
    "merging", "arithmetic", "functions", "half_precision", "custom_layer", "unusual_names", "lstm_of_words",
    "sgd_nesterov", "adamw", "averaged_weights", "exponential_decay",
)  # fmt: skip
"""The models that JAX runs: it compiles each step of each model, which takes it longer than the other three take for the whole zoo."""


@dataclass(frozen=True)
class Explained:
    """Findings of one kind: those whose aspect and words are these, of these models, backends and formats."""

    aspect: str
    words: str
    models: tuple[str, ...]
    backends: tuple[str, ...]
    formats: tuple[str, ...]
    why: str

    def covers(self, model, backend, suffix, aspect, finding):
        return model in self.models and backend in self.backends and suffix in self.formats and aspect == self.aspect and self.words in str(finding)


EXPLAINED = (
    Explained(
        "not loaded by Keras itself", "because it is not a KerasSaveable", ("string_loss",), KERAS_3, ("h5",),
        "Keras 3 does not load an HDF5 file with a loss or metric given as a string, not even its own. What Triptych makes of the file is the same to the bit, and written as `.keras` it loads.",
    ),
    Explained(
        "not loaded by Keras itself", "'Attention'", ("attention",), KERAS_3, ("h5",),
        "Keras 3 does not load an HDF5 file with an Attention layer, whose score mode it takes for a function. As `.keras` the file loads.",
    ),
    Explained(
        "not loaded by Keras itself", "Unknown layer", ("arithmetic", "functions"), KERAS_3, ("h5",),
        "Keras 3 does not find its own operations by the names that it writes into HDF5. As `.keras` the file loads.",
    ),
    Explained(
        "not written by Keras", "name already exists", ("adafactor",), KERAS_3, ("h5",),
        "Keras 3 cannot save the state of Adafactor as HDF5: two variables have one name.",
    ),
    Explained(
        "not made by Keras", "inplace operation", ("stateful",), ("torch",), FORMATS,
        "Keras 3 on PyTorch cannot train recurrent layers that keep their state.",
    ),
    Explained(
        "not made by Keras", 'contain "."', ("unusual_names",), ("torch",), FORMATS,
        "Keras 3 on PyTorch takes no layer with a dot in its name.",
    ),
)  # fmt: skip


def outcome(model, backend, suffix, found):
    """"=" where all is identical; else the sorted numbers of the explanations.

    Raises:
        AssertionError: Something is not explained.
    """
    numbers = set()
    for aspect, finding in found.items():
        if finding == SAME:
            continue
        number = next((n for n, one in enumerate(EXPLAINED, start=1) if one.covers(model, backend, suffix, aspect, finding)), None)
        assert number is not None, f"{model}, {backend}, {suffix}: {aspect}: {finding}"
        numbers.add(number)
    return " ".join(map(str, sorted(numbers))) or "="


def rows(results):
    """Model -> backend -> format -> outcome, of what `journeys.py` printed for each backend."""
    table = {}
    for backend, result in results.items():
        for model, formats in result["models"].items():
            for suffix in FORMATS:
                table.setdefault(model, {}).setdefault(backend, {})[suffix] = outcome(model, backend, suffix, formats[suffix])
    return table
