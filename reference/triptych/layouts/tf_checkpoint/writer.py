"""Writes panels as a TensorFlow checkpoint that TensorFlow's own programs restore, with nothing missing and nothing left over."""

from __future__ import annotations

from pathlib import Path

from triptych.errors import InvalidModelError, SaveError
from triptych.layouts.layout import Outline, Stored
from triptych.layouts.tensorflow import state_file
from triptych.layouts.tensorflow.bundle import write_bundle
from triptych.layouts.tf_checkpoint.assembly import contents_of
from triptych.model import Panels, Tensor
from triptych.package.streaming import Progress


def write(
    panels: Panels,
    path: Path,
    *,
    dialect: str | None = None,
    legacy_optimizer: bool | None = None,
    weights_only: bool = False,
    max_shard_bytes: int | None = None,
    progress: Progress | None = None,
    overwrite: bool = True,
) -> tuple[str, ...]:
    """Write `panels` as the checkpoint `path`, and name it in the state file beside it.

    With an architecture the objects are those of Keras: one checkpoint for ``Model.load_weights``, for ``tf.train.Checkpoint(model)`` and
    for ``tf.train.Checkpoint(model=model, optimizer=model.optimizer)``, whose ``assert_consumed`` holds of all three. Panels that were read
    of a checkpoint have its keys and objects again. Anything else becomes a checkpoint of TensorFlow 1, whose keys are the tensors' names.

    Args:
        panels: What to write.
        path: The prefix, which the names of the files begin with.
        dialect: Whose objects: ``keras2`` (tf.keras) or ``keras3``; None: those of the Keras that the architecture came from, else keras2.
        legacy_optimizer: Whether the optimizer is one of ``tf.keras.optimizers.legacy``; None: as the source says. TensorFlow takes
            either kind for itself alone.
        weights_only: Whether training stays behind on purpose.
        max_shard_bytes: Bytes of one data file, at most.
        progress: Called with bytes done, bytes in all and the key being written.
        overwrite: Whether a checkpoint of this prefix may be replaced.

    Returns:
        Sentences that name what the checkpoint does not hold.

    Raises:
        ConversionError: A checkpoint has no place for something that cannot be left out.
        SaveError: The file system refused; what stood there still does, unless it is said that the checkpoint stands and is not noted.
        UsageError: The dialect is none, or the target may not be replaced.
    """
    contents = contents_of(panels, dialect=dialect, legacy_optimizer=legacy_optimizer, weights_only=weights_only)
    write_bundle(path, list(contents.items.items()), progress=progress, overwrite=overwrite, max_shard_bytes=max_shard_bytes)
    try:
        state_file.write_state(path)
    except InvalidModelError:
        contents.notes.append(f"{state_file.NAME!r}, the file in which TensorFlow notes its latest: something else stands there, and does so still")
    except SaveError as error:
        raise SaveError(error.errno, f"expected to note in its state file that {str(path)!r} stands complete, as it does: {error.strerror}") from error
    return tuple(contents.notes)


def outline(
    panels: Panels,
    _: Path,
    *,
    dialect: str | None = None,
    legacy_optimizer: bool | None = None,
    weights_only: bool = False,
    max_shard_bytes: int | None = None,  # noqa: ARG001 - which file holds what is decided as they are written
) -> Outline:
    """What `write` would store, by its keys, and what it would leave."""
    contents = contents_of(panels, dialect=dialect, legacy_optimizer=legacy_optimizer, weights_only=weights_only)
    return Outline([Stored(key, value) for key, value in contents.items.items() if isinstance(value, Tensor)], tuple(contents.notes))


__all__ = ["outline", "write"]
