"""A callback of either Keras that saves a checkpoint series while a model trains, each checkpoint ready to go on from."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from os import PathLike
from pathlib import Path
from typing import Any, Self

from triptych import checkpoints
from triptych.checkpoints.metrics import Mode
from triptych.errors import UsageError, shorten
from triptych.frameworks.keras import library, optimizers, reading, variables
from triptych.layouts import LAYOUTS, Layout
from triptych.layouts.keras_weights.optimizer import STEP
from triptych.model import Progress

Logs = Mapping[str, Any] | None


class Checkpoint:
    """Saves the model that is trained into a folder, whole: weights, optimizer, progress.

    An instance is a callback of whichever Keras has been imported, of both if both have.

    Args:
        path: Folder of the series; made when the first checkpoint is saved.
        every_epochs: Save after every so many epochs; 1 where nothing else is said.
        every_batches: Save after every so many batches, counted over epochs.
        every_samples: Save whenever so many more samples have been seen.
        monitor: Metric that says which checkpoint is the best: ``val_loss``.
        mode: Whether small (``min``) or large (``max``) values are good; ``auto`` takes the metric's name at its word.
        save_best_only: Save only when the metric is better than it has been in this series.
        keep_last: How many of the last checkpoints stay; None: all, unless `keep_best` is said.
        keep_best: How many of the best stay beside them; None: one, if there is a metric. The latest always stays.
        layout: Name of the layout: ``triptych``, ``keras-hdf5`` …
        include_optimizer: Whether to save what the model was compiled with and the state of its optimizer.
        **options: Those of the layout, such as ``form="directory"``.

    Raises:
        UsageError: Arguments contradict each other.
    """

    notes: tuple[str, ...]
    """What the checkpoint saved last does not hold, sentence by sentence."""

    def __new__(cls, *_: object, every_batches: int | None = None, every_samples: int | None = None, **__: object) -> Self:
        """An instance that is a callback, too; with a hook for batches only where one is needed, for Keras waits for it."""
        made: Any = _callback_class(cls, _bases(), every_batches is not None or every_samples is not None)  # type: ignore[arg-type]
        instance: Self = object.__new__(made)
        return instance

    def __init__(
        self,
        path: str | PathLike[str],
        *,
        every_epochs: int | None = None,
        every_batches: int | None = None,
        every_samples: int | None = None,
        monitor: str | None = None,
        mode: Mode = "auto",
        save_best_only: bool = False,
        keep_last: int | None = None,
        keep_best: int | None = None,
        layout: str = "triptych",
        include_optimizer: bool = True,
        **options: Any,
    ) -> None:
        if every_epochs is None and every_batches is None and every_samples is None:
            every_epochs = 1
        for word, value in (("every_epochs", every_epochs), ("every_batches", every_batches), ("every_samples", every_samples)):
            if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
                raise UsageError(f"expected {word} to be an integer from 1, got {shorten(value)}")
        if save_best_only and monitor is None:
            raise UsageError("expected a metric to monitor for save_best_only, got none")
        direction = checkpoints.direction_of(monitor, mode) if monitor is not None else "min"
        self._every = (every_epochs, every_batches, every_samples)
        self._monitor = monitor
        self._best_only = save_best_only
        self._layout = _layout(layout, options)
        self._options = options
        self._include_optimizer = include_optimizer
        self._series = checkpoints.Series(Path(path), monitor, direction, keep_last, keep_best)
        self._batches = self._batches_before = self._epoch = 0
        self._samples: int | None = 0
        self._samples_before: int | None = 0
        self._training = self._counted = False
        self.notes = ()
        self.params: Any = None
        self._model: Any = None
        self._supports_tf_logs = False
        self._chief_worker_only = None

    @property
    def model(self) -> Any:
        """The model that is trained."""
        return self._model

    @model.setter
    def model(self, model: Any) -> None:
        self._model = model

    def set_model(self, model: Any) -> None:
        """Take `model` as the one to save."""
        self._model = model

    def on_train_begin(self, logs: Logs = None) -> None:  # noqa: ARG002 - as Keras calls it
        """Count on from where the model is."""
        self._training = True
        step = self._step()
        self._batches = step
        last = self._series.state().latest
        self._samples = last.samples if last is not None and last.step == step else (0 if step == 0 else None)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:  # noqa: ARG002 - as Keras calls it
        """Note where the epoch begins."""
        self._epoch = epoch
        self._batches_before, self._samples_before = self._batches, self._samples
        self._counted = False

    def on_test_begin(self, logs: Logs = None) -> None:  # noqa: ARG002 - as Keras calls it
        """Count the samples of the epoch before validation starts the metrics anew."""
        if self._training and not self._counted:
            self._count_samples()
            self._counted = True

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Save, if it is time."""
        if not self._counted:
            self._count_samples()
        self._counted = True
        if self._every[0] is not None and (epoch + 1) % self._every[0] == 0:
            if self._monitor is not None and self._monitor not in (logs or {}):
                raise UsageError(f"expected the metric {self._monitor!r} among those that were computed, got {', '.join(sorted(logs or {})) or 'none'}")
            self._save(epoch + 1, logs)

    def on_train_end(self, logs: Logs = None) -> None:  # noqa: ARG002 - as Keras calls it
        """Nothing is trained any more."""
        self._training = False

    def _step(self) -> int:
        """Updates that the optimizer has made."""
        variables.synchronise(self._model)
        found = optimizers.state_of(self._model.optimizer, [], lambda _: None)[STEP]
        return int(variables.elements(found, library.of_model(self._model)))

    def _count_samples(self) -> None:
        """Samples seen, as the mean of the loss has counted them in this epoch."""
        variables.synchronise(self._model)
        counter = next((one.count for one in self._model.metrics if one.name == "loss" and hasattr(one, "count")), None)
        if counter is None or self._samples_before is None:
            self._samples = None
        else:
            self._samples = self._samples_before + int(variables.elements(counter, library.of_model(self._model)))

    def _after_batch(self, batch: int, logs: Logs) -> None:
        """Save, if a batch or a sample that counts has been passed."""
        _, every_batches, every_samples = self._every
        batches, samples = self._batches, self._samples
        self._batches = self._batches_before + batch + 1
        due = every_batches is not None and self._batches // every_batches > batches // every_batches
        if every_samples is not None:
            self._count_samples()
            if self._samples is None:
                raise UsageError("expected a model whose loss counts samples for every_samples, and a series that knows how many there were before")
            due = due or self._samples // every_samples > (samples or 0) // every_samples
        if due:
            if self._best_only and self._monitor not in (logs or {}):
                raise UsageError(f"expected the metric {self._monitor!r} after a batch, got {', '.join(sorted(logs or {})) or 'none'}")
            if every_samples is None:
                self._count_samples()
            self._save(self._epoch, logs)

    def _save(self, epoch: int, logs: Logs) -> None:
        metrics = {name: float(value) for name, value in (logs or {}).items() if _is_number(value)}
        before = self._series.state()
        best = before.best
        values = [one.metrics[self._monitor] for one in (best,) if one is not None and self._monitor is not None]
        if self._monitor in metrics:
            found = metrics[self._monitor]
            if self._best_only and not _is_better(found, values, before.mode):
                return
            values.append(found)
        values = [value for value in values if value == value]  # noqa: PLR0124 - a NaN is nobody's best
        progress = Progress(
            epoch=epoch,
            samples=self._samples,
            best={self._monitor: (max if before.mode == "max" else min)(values)} if self._monitor is not None and values else {},
        )
        panels = reading.panels_of(self._model, include_optimizer=self._include_optimizer, progress=progress, lazily=True)
        step = panels.training.progress.step if panels.training is not None and panels.training.progress is not None else None
        step = self._step() if step is None else step
        suffix = "" if self._options.get("form") == "directory" else self._layout.suffixes[0]
        checkpoint = checkpoints.Checkpoint(f"step-{step:08d}-epoch-{epoch:04d}{suffix}", step, epoch, self._samples, metrics)
        said = self._series.add(checkpoint, partial(self._layout.write, panels, **self._options))
        self.notes = tuple(dict.fromkeys((*reading.left_out(panels), *said)))


class _Batchwise:
    """The hook for batches."""

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Save, if it is time."""
        self._after_batch(batch, logs)  # type: ignore[attr-defined]


def _bases() -> tuple[type, ...]:
    """The callback class of each Keras that has been imported; of Keras 3 if none has."""
    return tuple(found.module.callbacks.Callback for found in library.loaded() or [library.named("keras")])


@cache
def _callback_class(cls: type, bases: tuple[type, ...], batchwise: bool) -> type:  # noqa: FBT001 - a key of the cache
    more = tuple(base for base in ((_Batchwise, *bases) if batchwise else bases) if not issubclass(cls, base))
    if not more:
        return cls
    return type(cls.__name__, (cls, *more), {"__module__": cls.__module__, "__doc__": cls.__doc__, "__qualname__": cls.__qualname__})


def _layout(name: str, options: Mapping[str, Any]) -> Layout:
    """The layout called `name`.

    Raises:
        UsageError: There is none, or it does not take `options`.
    """
    found = next((one for one in LAYOUTS if one.name == name), None)
    if found is None:
        raise UsageError(f"expected a layout of {', '.join(one.name for one in LAYOUTS)}; got {shorten(name)}")
    if unknown := sorted(set(options) - found.options):
        raise UsageError(f"expected options of {name}: {', '.join(sorted(found.options)) or 'none'}; got {', '.join(unknown)}")
    return found


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _is_better(found: float, before: list[float], mode: str) -> bool:
    if not before:
        return found == found  # noqa: PLR0124 - a NaN is nobody's best
    return found > before[0] if mode == "max" else found < before[0]
