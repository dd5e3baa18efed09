"""Live Keras models, of Keras 3 on any backend and of tf-keras: saved, loaded and checkpointed. Imports Keras only when asked to."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import Any

from triptych.checkpoints import best, latest
from triptych.frameworks.keras import building, reading
from triptych.frameworks.keras.admission import Allow
from triptych.frameworks.keras.checkpoint import Checkpoint
from triptych.frameworks.keras.library import Framework
from triptych.model import Progress
from triptych.surface import opening, saving
from triptych.surface.model import Model

__all__ = ["Checkpoint", "best", "from_model", "latest", "load", "save", "to_model"]


def to_model(live: Any, *, include_optimizer: bool = True, progress: Progress | None = None) -> Model:
    """The live Keras model `live` as it is now, as a `triptych.Model`: architecture, weights, and what it was compiled with.

    Args:
        live: A model of Keras 3 or tf-keras.
        include_optimizer: Whether to take what it was compiled with and the state of its optimizer.
        progress: How far training got: epoch, samples, best values. The step is the optimizer's own count.

    Raises:
        UsageError: It is no Keras model, has no weights yet, or has no configuration.
    """
    return Model(reading.panels_of(live, include_optimizer=include_optimizer, progress=progress))


def save(
    live: Any, path: str | PathLike[str], *, include_optimizer: bool = True, progress: Progress | None = None, **options: Any
) -> tuple[str, ...]:
    """Write the live Keras model `live` to `path`, in any layout that `triptych.save` writes; each variable is fetched when its turn comes.

    Args:
        live: A model of Keras 3 or tf-keras; it may be in the middle of training.
        path: As for `triptych.save`.
        include_optimizer: Whether to write what it was compiled with and the state of its optimizer.
        progress: How far training got, as for `to_model`.
        **options: Those of `triptych.save`.

    Returns:
        Sentences that name what was not kept; empty when all was.

    Raises:
        UsageError: It is no Keras model, has no weights yet, or has no configuration.
        ConversionError: The layout cannot hold the model.
        SaveError: The file system refused; the old file is intact.
    """
    panels = reading.panels_of(live, include_optimizer=include_optimizer, progress=progress, lazily=True)
    return tuple(dict.fromkeys((*reading.left_out(panels), *saving.save(Model(panels), path, **options))))


def load(
    path: str | PathLike[str],
    *,
    framework: Framework | None = None,
    compile: bool = True,  # noqa: A002 - Keras' own word
    custom_objects: Mapping[str, Any] | None = None,
    allow: Allow = "exact",
) -> Any:
    """A live Keras model of the file at `path`, of any layout that `triptych.load` reads; the next ``fit`` goes on where training stopped.

    Args:
        path: The file or folder.
        framework: ``keras`` or ``tf_keras``; None: where the model comes from, if it is installed, else the other.
        compile: Whether to compile it and restore its optimizer, if the file says how it was trained.
        custom_objects: Name -> class or function, for what the framework does not know and nobody registered.
        allow: The worst verdict on a layer, the optimizer or a loss that is accepted: ``exact``, ``bounded``, or ``inexpressible``
            for as much as can be said.

    Raises:
        InvalidModelError: The file breaks the rules of its layout.
        UsageError: The file has no architecture.
        ConversionError: The framework would compute something else, or does not know a class; every problem is listed.
        WeightsMismatchError: Weights are missing, left over or of another shape.
        UnsupportedError: The framework is not installed, or no layout is like this.
    """
    return from_model(opening.load(path), framework=framework, compile=compile, custom_objects=custom_objects, allow=allow)


def from_model(
    model: Model,
    *,
    framework: Framework | None = None,
    compile: bool = True,  # noqa: A002 - Keras' own word
    custom_objects: Mapping[str, Any] | None = None,
    allow: Allow = "exact",
) -> Any:
    """A live Keras model of `model`; see `load`."""
    return building.live_of(model.panels, framework=framework, with_training=compile, custom_objects=custom_objects, allow=allow)
