"""Reads a PyTorch file into panels: its state dictionary as weights, its optimizer and counts as training, the rest as it is."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath
from typing import Any

from triptych.layouts.torch_pickle import plain
from triptych.layouts.torch_pickle.carried import KEY, Carried, carried_in
from triptych.layouts.torch_pickle.facts import Facts
from triptych.layouts.torch_pickle.modules import Modules
from triptych.layouts.torch_pickle.numpy_values import NumpyArray
from triptych.layouts.torch_pickle.opened import Opened, open_file
from triptych.layouts.torch_pickle.optimizer_state import read_optimizer
from triptych.layouts.torch_pickle.placement import Candidate, may_be_trained
from triptych.layouts.torch_pickle.plain import Path
from triptych.layouts.torch_pickle.sharing import notes_of
from triptych.layouts.torch_pickle.structure import Places, at, is_state_dict, places_in
from triptych.layouts.torch_pickle.tensors import Tensors
from triptych.layouts.torch_pickle.values import StoredTensor
from triptych.limits import DEFAULT_LIMITS, Limits
from triptych.model import Json, Panels, Progress, Tensor, Training, Weights

_FORMATTING = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
_NAME_BYTES = 1000


@dataclass(slots=True)
class _Section:
    """The tensors of one section while they are gathered: each name once, what shares its elements said beside it."""

    tensors: Tensors
    found: dict[str, Tensor] = field(default_factory=dict)
    first: dict[tuple[object, ...], str] = field(default_factory=dict)
    stored: dict[str, StoredTensor] = field(default_factory=dict)

    def keep(self, value: StoredTensor, name: str) -> dict[str, Json]:
        """Take `value` under a name like `name`; how it is spelled."""
        taken = self._free(name)
        self.found[taken] = self.tensors.tensor(value)
        self.stored[taken] = value
        said: dict[str, Json] = {"tensor": taken}
        same = self.first.setdefault(value.identity, taken)
        if same != taken and self.found[taken].size:
            said["same"] = same
        if value.requires_grad:
            said["requires_grad"] = True
        if value.parameter:
            said["parameter"] = True
        return said

    def keep_array(self, value: NumpyArray, name: str) -> dict[str, Json]:
        """The same for an array of numpy's, which is written as a tensor."""
        taken = self._free(name)
        self.found[taken] = Tensor(value.name, value.shape, lambda: memoryview(value.data))
        return {"tensor": taken}

    def _free(self, name: str) -> str:
        """A name like `name` that a tensor may have and none has."""
        plain_name = unicodedata.normalize("NFC", "".join("_" if unicodedata.category(c) in _FORMATTING else c for c in name)) or "tensor"
        while len(plain_name.encode()) > _NAME_BYTES:
            plain_name = plain_name[: len(plain_name) - 1 - (len(plain_name) - _NAME_BYTES // 4) // 2]
        taken, number = plain_name, 2
        while taken in self.found:
            taken, number = f"{plain_name}_{number}", number + 1
        return taken


def read(path: str | os.PathLike[str], *, limits: Limits = DEFAULT_LIMITS) -> Panels:
    """The panels of the PyTorch file at `path`; elements are read when they are used.

    How the file arranges them goes into ``extensions.torch``, from where `writer.write` returns it.

    Raises:
        InvalidModelError: The file is damaged.
        UnsupportedError: It asks for more than data: nothing of it was run; or it exceeds a limit.
    """
    return panels_of(open_file(FilePath(path), limits), limits)


def panels_of(file: Opened, limits: Limits, left_out: Sequence[str] = ()) -> Panels:
    """The panels of what a file or folder of PyTorch's holds, of which `left_out` says what was not looked at; raises what `read` raises."""
    modules = Modules(script=file.script)
    modules.notes += left_out
    root = modules.plain(file.root)
    if file.script and not _holds_tensors(root):
        root = _constants(file, modules)
    carried = carried_in(root, limits)
    if carried is not None:
        root = {key: value for key, value in root.items() if key != KEY}
    return _Reader(file, root, modules, carried).panels()


def _holds_tensors(root: Any) -> bool:
    """Whether TorchScript's module has tensors of its own; a frozen one has them among its constants."""
    return not isinstance(root, dict) or bool(root)


def _constants(file: Opened, modules: Modules) -> Any:
    constants = modules.plain(file.constants)
    return {f"CONSTANTS.c{index}": one for index, one in enumerate(constants) if isinstance(one, StoredTensor)}


class _Reader:
    """One file's value becoming panels."""

    def __init__(self, file: Opened, root: Any, modules: Modules, carried: Carried | None) -> None:
        self._root = root
        self._carried = carried
        self._modules = modules
        tensors = Tensors(file)
        self._weights = _Section(tensors)
        self._state = _Section(tensors)
        self._places: Places = places_in(root)
        self._scalars = Tensors(file)
        self._step: int | None = None

    def panels(self) -> Panels:
        """The panels."""
        places, root = self._places, self._root
        model: Json = None
        if places.model is not None:
            model = plain.spell(at(root, places.model), self._model_leaf)
        trained = self._training()
        if self._carried is not None:
            return self._with_carried(self._carried, trained[0] if trained else None, Facts(weights=model, left_out=tuple(self._modules.notes)))
        rest = plain.spell(root, self._rest_leaf) if places.model != () else None
        facts = Facts(weights=model, classes=self._modules.classes, left_out=(*self._modules.notes, *notes_of({**self._weights.stored, **self._state.stored})))
        training: Training | None = None
        if trained is not None or self._state.found:
            training, of_optimizer = trained or (Training(), None)
            if self._state.found:
                training = _with_state(training, self._state.found)
            training = Facts(object=rest, optimizer=of_optimizer).on_training(training)
        elif rest is not None:
            facts = Facts(weights=model, object=rest, classes=facts.classes, left_out=facts.left_out)
        panels = Panels(weights=Weights(self._weights.found) if places.model is not None else None, training=training)
        return facts.on_panels(panels)

    def _with_carried(self, carried: Carried, read_: Training | None, facts: Facts) -> Panels:
        """The panels of a file that we wrote: its training is what it says, not what PyTorch's part of it lets one see."""
        training = carried.training
        if read_ is not None and read_.optimizer is not None and (training.optimizer is None or read_.optimizer.type != training.optimizer.type):
            training = replace(training, optimizer=read_.optimizer)
        self._state.found.update({name: self._state.tensors.tensor(one) for name, one in carried.state.items()})
        if self._state.found:
            training = _with_state(training, self._state.found)
        return facts.on_panels(Panels(weights=Weights(self._weights.found) if self._places.model is not None else None, training=training))

    def _model_leaf(self, value: Any, path: Path) -> Json | None:
        name = plain.joined(path) or "tensor"
        if isinstance(value, StoredTensor):
            return self._weights.keep(value, name)
        return self._weights.keep_array(value, name) if isinstance(value, NumpyArray) else None

    def _training(self) -> tuple[Training, Json] | None:
        """What is known of training, and the optimizer's own arrangement."""
        places = self._places
        epoch = None if places.epoch is None else at(self._root, places.epoch)
        step = None if places.step is None else at(self._root, places.step)
        if places.optimizer is None:
            self._step = step
            progress = Progress(step=step, epoch=epoch)
            return None if progress == Progress() else (Training(progress=progress), None)
        weights = self._weights.found
        ordered = self._candidates(weights)
        read_ = read_optimizer(at(self._root, places.optimizer), places.optimizer, ordered, self._number, self._keep_state)
        self._step = read_.step if read_.step is not None else step
        progress = Progress(step=self._step, epoch=epoch)
        return Training(read_.optimizer, progress=None if progress == Progress() else progress), read_.spelled

    def _candidates(self, weights: Mapping[str, Tensor]) -> list[Candidate]:
        """The weights that may be parameters, each storage once, in the order of the state dictionary."""
        if self._places.model is None or not is_state_dict(at(self._root, self._places.model)):
            return []
        firsts = set(self._weights.first.values())
        return [Candidate(name, t.shape) for name, t in weights.items() if may_be_trained(name, t.dtype) and (name in firsts or not t.size)]

    def _number(self, value: StoredTensor) -> float | None:
        tensor = self._scalars.tensor(value)
        if tensor.size != 1:
            return None
        number = tensor.array().reshape(-1)[0].item()
        return number if isinstance(number, int | float) else float(number) if hasattr(number, "__float__") else None

    def _keep_state(self, value: StoredTensor, name: str) -> Json:
        if name == "optimizer.u_product" and name in self._state.found:
            return {"tensor": name}
        return self._state.keep(value, name)

    def _rest_leaf(self, value: Any, path: Path) -> Json | None:
        places = self._places
        if path == places.model:
            return {"panel": "weights"}
        if path == places.optimizer:
            return {"panel": "optimizer"}
        if path == places.epoch:
            return {"progress": "epoch"}
        if path == places.step and value == self._step:
            return {"progress": "step"}
        name = f"torch.{plain.joined(path)}"
        if isinstance(value, StoredTensor):
            return self._state.keep(value, name)
        return self._state.keep_array(value, name) if isinstance(value, NumpyArray) else None


def _with_state(training: Training, found: Mapping[str, Tensor]) -> Training:
    return replace(training, state=Weights(dict(found)))

