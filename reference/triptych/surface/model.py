"""`Model`: the three panels of a network under the verbs that people know."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal

from triptych import vocabulary
from triptych.errors import Problem, UsageError, WeightsMismatchError, shorten
from triptych.model import Architecture, Panels, Tensor, Training, Weights
from triptych.surface import transfer
from triptych.vocabulary.summary import render, summarize

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]


class Model:
    """A network as data: ``architecture``, ``weights`` and ``training``, each None when absent.

    The panels are immutable; `load_weights` and `set_weights` put another weights panel in the place of the old one.
    Tensors are read when they are used: a model of any size opens at the cost of its headers.
    """

    __slots__ = ("panels",)

    def __init__(self, panels: Panels) -> None:
        self.panels = panels

    @property
    def architecture(self) -> Architecture | None:
        """The graph of layers."""
        return self.panels.architecture

    @property
    def weights(self) -> Weights | None:
        """A mapping of tensor name to array; an array is a read-only view on the file where the file allows it."""
        return self.panels.weights

    @property
    def training(self) -> Training | None:
        """Optimizer, losses, metrics, progress and the optimizer's state."""
        return self.panels.training

    @property
    def name(self) -> str | None:
        """The model's name, as the package or the architecture says it."""
        return self.panels.name or (self.architecture.name if self.architecture else None)

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences that name what the file that was read holds and this model does not, such as the code of lambdas."""
        from triptych.layouts import hub, keras_config, saved_model, tf_checkpoint, tfjs, torch_pickle

        return tuple(note for room in (keras_config, tfjs, torch_pickle, saved_model, tf_checkpoint, hub) for note in room.left_out(self.panels))

    def __repr__(self) -> str:
        parts = [p for p in ("architecture", "weights", "training") if getattr(self, p) is not None]
        return f"<Model {self.name or 'without a name'}: {', '.join(parts) or 'empty'}>"

    def _require_architecture(self, purpose: str) -> Architecture:
        if self.architecture is None:
            raise UsageError(f"expected a model with an architecture to {purpose}, this one has only {self!r}")
        return self.architecture

    def to_json(self, *, dialect: Literal["keras", "keras1", "keras2", "keras3"] | None = None) -> str:
        """The architecture as JSON text.

        Args:
            dialect: None: this format's document, which `triptych.model_from_json` reads back without loss. Otherwise what that
                Keras' ``to_json`` writes and its ``model_from_json`` loads (``keras``: the very version that the model was read
                from); there is one warning for each thing it does not say.

        Raises:
            ConversionError: Keras has no place for what the architecture says.
        """
        return self._to_text("json", dialect)

    def to_yaml(self, *, dialect: Literal["keras", "keras1", "keras2"] | None = None) -> str:
        """The architecture as YAML text.

        Args:
            dialect: None: this format's document, which YAML 1.1 and 1.2 parsers read alike. Otherwise what that Keras' ``to_yaml``
                writes, without Python's tags; Keras 3 has no YAML. There is one warning for each thing it does not say.

        Raises:
            ConversionError: Keras has no place for what the architecture says.
            UsageError: Keras 3 was asked for.
        """
        return self._to_text("yaml", dialect)

    def _to_text(self, spelling: Literal["json", "yaml"], dialect: str | None) -> str:
        from triptych.layouts.architecture_text import architecture_to_text

        text, notes = architecture_to_text(self._require_architecture(f"write its {spelling.upper()}"), spelling, dialect)
        for note in notes:
            warnings.warn(f"not kept: {note}", stacklevel=3)
        return text

    def summary(self, *, width: int | None = None, print_fn: Callable[[str], object] = print) -> None:
        """Print a table of the layers, their output shapes and parameter counts.

        Args:
            width: Columns to use; None takes the terminal's.
            print_fn: Called once with the whole text.
        """
        print_fn(render(summarize(self._require_architecture("summarise it"), self.weights), width=width))

    def get_weights(self) -> list[Array]:
        """The weights as arrays in canonical axis order: layers in order, roles in the order of the type's table.

        Raises:
            UsageError: The model has no architecture or no weights.
            WeightsMismatchError: A weight that the architecture needs is not there.
        """
        architecture = self._require_architecture("order its weights")
        if self.weights is None:
            raise UsageError("expected a model with weights, this one has none")
        arrays = []
        for slot in vocabulary.weight_slots(architecture):
            if slot.tensor not in self.weights:
                raise WeightsMismatchError(
                    (Problem("WEIGHT_MISSING", "", slot.tensor, "expected this weight, the model has none"),)
                )
            array = self.weights[slot.tensor]
            arrays.append(array if slot.axes is None else array.transpose(slot.axes))
        return arrays

    def set_weights(self, arrays: Sequence[Array]) -> None:
        """Take `arrays`, in the order of `get_weights`, as the weights; they are cast to each weight's dtype, not copied otherwise.

        Raises:
            WeightsMismatchError: Their number or a shape differs from what the architecture needs; the model is unchanged.
        """
        import numpy as np

        from triptych import dtypes

        architecture = self._require_architecture("take weights")
        slots = vocabulary.weight_slots(architecture)
        if len(slots) != len(arrays):
            raise WeightsMismatchError((Problem("WEIGHT_COUNT", "", "", f"expected {len(slots)} arrays, got {len(arrays)}"),))
        problems, tensors = [], {}
        for slot, given in zip(slots, arrays, strict=True):
            array = np.asarray(given)
            if not transfer.fits(slot.shape, array.shape):
                problems.append(
                    Problem("WEIGHT_SHAPE_MISMATCH", "", slot.tensor, f"expected shape {slot.shape}, got {array.shape}")
                )
                continue
            if slot.axes is not None:
                array = array.transpose(np.argsort(slot.axes))
            tensors[slot.tensor] = Tensor.from_array(array.astype(dtypes.numpy_dtype(slot.dtype), copy=False))
        if problems:
            raise WeightsMismatchError(tuple(problems))
        self.panels = replace(self.panels, weights=Weights(tensors))

    def predict(self, inputs: Array | Sequence[Array] | Mapping[str, Array], *, dtype: str | None = None) -> Array | list[Array]:
        """What the model makes of `inputs`, computed in plain numpy by the formulas of the specification, as after training.

        Args:
            inputs: Batch first: an array, a list with one for each input, or a mapping from the inputs' names; strings as an array
                of `str` or of UTF-8 as `bytes`.
            dtype: What to compute in, ``float32`` or ``float64``; None: each layer in its own.

        Returns:
            An array; a list of them for a model of several outputs.

        Raises:
            UsageError: The model has no architecture, or the inputs do not fit it.
            UnsupportedError: A layer is of an extension type.
        """
        from triptych.vocabulary.evaluator import evaluate

        architecture = self._require_architecture("evaluate it")
        if isinstance(inputs, Mapping):
            names = [one.name for one in architecture.inputs]
            if set(inputs) != set(names):
                raise UsageError(f"expected arrays for the inputs {', '.join(names)}, got {shorten(sorted(inputs))}")
            given = [inputs[name] for name in names]
        else:
            given = _listed(inputs)
        outputs = evaluate(architecture, self.weights or {}, given, dtype=dtype, assets=self.panels.assets).outputs
        return outputs if len(outputs) != 1 else outputs[0]

    def evaluate_layer(self, path: str, inputs: Array | Sequence[Array], *, dtype: str | None = None) -> Array | list[Array]:
        """What one layer makes of `inputs`: an array, or a list of them where it takes several.

        Raises:
            UsageError: The model has no such layer.
            UnsupportedError: The layer is of an extension type.
        """
        from triptych.vocabulary.evaluator import Evaluator

        architecture = self._require_architecture("evaluate a layer of it")
        run = Evaluator(architecture, self.weights or {}, dtype=dtype, assets=self.panels.assets)
        outputs = run.alone(path, _listed(inputs))
        return outputs if len(outputs) != 1 else outputs[0]

    def load_weights(self, path: str | PathLike[str], *, by_name: bool = False, skip_mismatch: bool = False) -> transfer.LoadReport:
        """Load the weights of the file or package at `path` into this model.

        Args:
            path: Any layout with weights; with or without an architecture.
            by_name: Match top-level layers by name instead of by position, so that models share what they have in common.
            skip_mismatch: Leave layers alone whose shapes differ, with a warning for each, instead of refusing.

        Returns:
            What became of each weight. Tensors are read when they are used.

        Raises:
            WeightsMismatchError: (a ValueError) The weights do not fit; the model is unchanged.
        """
        from triptych.surface.joining import receive
        from triptych.surface.opening import load

        source = load(path)
        if source.weights is None:
            raise UsageError(f"expected a file with weights, {str(path)!r} has none")
        self._require_architecture("load weights into it")
        self.panels, report, _ = receive(self.panels, source.panels, by_name=by_name, skip_mismatch=skip_mismatch)
        return report

    def save(self, path: str | PathLike[str], **options: Any) -> tuple[str, ...]:
        """Write the model; see `triptych.save`."""
        from triptych.surface.saving import save

        return save(self, path, **options)

    def save_weights(self, path: str | PathLike[str], *, overwrite: bool = True) -> tuple[str, ...]:
        """Write the weights alone, as ``.safetensors``, ``.h5``, ``.weights.h5`` or a package without the other panels.

        Returns:
            Sentences that name what could not be kept; empty when all was.
        """
        from triptych.surface.saving import save

        if self.weights is None:
            raise UsageError("expected a model with weights, this one has none")
        return save(self, path, overwrite=overwrite, only="weights")


def _listed(inputs: Array | Sequence[Array]) -> list[Array]:
    """One array or several as a list."""
    import numpy as np

    return [np.asarray(one) for one in inputs] if isinstance(inputs, list | tuple) else [np.asarray(inputs)]


Panel = Literal["architecture", "weights", "training"]
