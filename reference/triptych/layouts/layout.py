"""What a layout is to the rest of the program: how to tell it, read it and write it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from triptych.model import Architecture, Panels, Tensor, Training, Weights


@dataclass(frozen=True, slots=True)
class Stored:
    """One tensor as it is to lie in a file."""

    name: str
    """What the file calls it: a path in HDF5, a key, a member of an archive."""
    tensor: Tensor
    member: str = ""
    """The file that it goes into, where a layout is made of several."""


@dataclass(frozen=True, slots=True)
class Outline:
    """What a file is to hold, before a byte of it is written."""

    stored: Sequence[Stored]
    notes: Sequence[str] = ()
    """The sentences that writing returns: what is not kept."""


@dataclass(frozen=True, slots=True)
class Layout:
    """One way in which models lie on disk. Its functions import what they need when they are called."""

    name: str
    """What the caller says to choose it: ``keras-hdf5``."""
    title: str
    """What a person reads: ``Keras HDF5``."""
    suffixes: tuple[str, ...]
    """Endings of file names that ask for it when writing; an empty one stands for names without a suffix."""
    recognises: Callable[[Path, bytes], bool]
    """Whether what stands at the path, whose first bytes (512 or all) are given, is of this layout; raises nothing but `OSError`."""
    read: Callable[..., Panels]
    """Called with the path."""
    write: Callable[..., tuple[str, ...]]
    """Called with the panels, the path, ``progress``, ``overwrite`` and `options`; returns sentences that name what was not kept."""
    options: frozenset[str] = frozenset()
    """Keyword arguments that `write` takes beside ``progress`` and ``overwrite``."""
    outline: Callable[..., Outline] | None = None
    """Called as `write` is, without ``progress`` and ``overwrite``; raises what it would and writes nothing. A layout that is written has it."""
    stands_at: Callable[[Path], bool] = Path.exists
    """Called with a path to be written: whether what stands there would be replaced."""
    is_prefix: bool = False
    """Whether the path that is written is what the names of several files begin with, so that what stands at it is left alone."""
    read_options: frozenset[str] = frozenset()
    """Keyword arguments that `read` takes: ``allow_code``, ``limits``, ``verify``."""
    needs_architecture: bool = False
    """Whether weights can only be put in order with the architecture at hand."""
    layers: Callable[[Panels], Sequence[tuple[str, Sequence[str]]]] | None = None
    """Called with panels that hold weights and no architecture: each layer's name with its tensors' names, in the order in
    which a file of this layout had them; empty where the panels are from elsewhere."""
    fitting: Callable[[Panels, Architecture], Fit] | None = None
    """Called with panels that hold weights and no architecture, and with the one that is to receive them."""
    placed: Callable[[Panels, Architecture], Weights | None] | None = None
    """Called with panels that hold weights and no architecture, and an architecture that is to receive them: the weights under the
    names that it has for them; None where the panels are from elsewhere."""
    resumed: Callable[[Training, Architecture, Weights], Training | None] | None = None
    """Called with the training that came with weights without an architecture, and with those that they were joined to: the training with its
    state by the weights it belongs to; None where nothing tells."""
    renamed: Callable[[Panels, Mapping[str, str]], Panels] | None = None
    """Called with panels whose tensors were given other names, and old name -> new one, of weights and of state: the panels with what this
    layout keeps in extensions by those names."""


Fit = Callable[[str, str], Sequence[Tensor] | None]
"""Called with the name of a layer that receives and of one that gives: the latter's tensors as the former holds them, in the order
of ``get_weights()`` and in canonical axis order; None where they are not known to fit."""
