"""Writes HDF5 files: one file opened with errors of ours, and tensors copied into it one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from triptych import dtypes
from triptych.errors import SaveError, TriptychError, shorten
from triptych.layouts.layout import Stored
from triptych.layouts.problems import inexpressible
from triptych.model import Tensor
from triptych.package.files import FileSystem
from triptych.package.staged_file import PatientFile

if TYPE_CHECKING:
    import h5py


@contextmanager
def hdf5_file(path: str, fs: FileSystem) -> Iterator[h5py.File]:
    """The new, empty HDF5 file at `path`, written through `fs`.

    Raises:
        OSError: The file system refused what was written; it is said when the block has ended.
        SaveError: HDF5 did.
    """
    import h5py

    with PatientFile(path, fs) as staged:
        try:
            with h5py.File(staged, "w") as file:
                yield file
        except TriptychError:
            raise
        except (OSError, RuntimeError, ValueError) as error:
            if staged.failure is None:
                raise SaveError(getattr(error, "errno", None), f"expected to write HDF5, got {shorten(str(error), 300)}") from error
        if staged.failure is not None:
            raise staged.failure


class Copier:
    """Copies tensors into datasets one by one, as Keras stores them, and says how far it got."""

    def __init__(self, total: int, progress: Callable[[int, int, str], None] | None, *, says_bfloat16: bool = False) -> None:
        self._total = total
        self._done = 0
        self._progress = progress
        self._says_bfloat16 = says_bfloat16

    def copy(self, group: h5py.Group, name: str, tensor: Tensor) -> None:
        """Make a dataset `name` of `tensor` in `group`.

        Raises:
            ConversionError: Keras stores no such dtype in HDF5.
        """
        import numpy as np

        place = f"{group.name}/{name}".lstrip("/")
        check_dtype(place, tensor)
        # HDF5 has no bfloat16; Keras stores its bytes as they are, and some versions say so beside them.
        element = dtypes.numpy_dtype(tensor.dtype) if tensor.dtype in dtypes.NATIVE else np.dtype("V2")
        array: Any = np.frombuffer(tensor.read(), element).reshape(tensor.shape)
        dataset = group.create_dataset(name, data=array)
        if tensor.dtype == "bfloat16" and self._says_bfloat16:
            dataset.attrs["dtype"] = "bfloat16"
        self._done += tensor.nbytes
        if self._progress is not None:
            self._progress(self._done, self._total, place)


def stored_at(place: str, tensor: Tensor) -> Stored:
    """What is to be the dataset at `place`.

    Raises:
        ConversionError: Keras stores no such dtype in HDF5.
    """
    check_dtype(place, tensor)
    return Stored(place, tensor)


def check_dtype(place: str, tensor: Tensor) -> None:
    """Refuse a tensor that Keras cannot have stored at `place`.

    Raises:
        ConversionError: Keras stores no such dtype in HDF5.
    """
    if dtypes.BY_NAME[tensor.dtype].item_bits < 8 or (tensor.dtype not in dtypes.NATIVE and tensor.dtype != "bfloat16"):
        raise inexpressible(place, f"expected a dtype that Keras stores in HDF5, got {tensor.dtype}")
