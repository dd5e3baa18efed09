"""The tags that Keras' YAML carries, as data: what they stand for is known here by name, and nothing is imported or called."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from triptych.errors import shorten
from triptych.limits import DEFAULT_LIMITS
from triptych.model import Json

_YAML = "tag:yaml.org,2002:"
_PYTHON = f"{_YAML}python/"
_TEXT = frozenset({"!", f"{_YAML}str", f"{_YAML}value", f"{_PYTHON}str", f"{_PYTHON}unicode"})
_BYTES = frozenset({f"{_YAML}binary", f"{_PYTHON}bytes"})
_LISTS = frozenset({"!", f"{_YAML}seq", f"{_PYTHON}list", f"{_PYTHON}tuple"})
_OBJECTS = frozenset({"!", f"{_YAML}map", f"{_PYTHON}dict"})
_SCALARS = {
    f"{_YAML}{name}": kind
    for kind, names in {
        "null": ("null", "python/none"),
        "bool": ("bool", "python/bool"),
        "int": ("int", "python/int", "python/long"),
        "float": ("float", "python/float"),
    }.items()
    for name in names
}
_BUILDS = (f"{_PYTHON}object/apply:", f"{_PYTHON}object/new:")
_NAMES = f"{_PYTHON}name:"
_DTYPE = re.compile(r"[biufc][0-9]{1,2}", re.ASCII)
_NUMPY_NAMES = frozenset(
    {"bool_", "str_", *(f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)), "float16", "float32", "float64"}
)
_ORDERS = {"<": "<", ">": ">", "|": "|", "=": "<"}
_ACTS = {
    f"{_PYTHON}object/apply:": "call {}",
    f"{_PYTHON}object/new:": "make a {}",
    f"{_PYTHON}object:": "make a {}",
    f"{_PYTHON}name:": "import {}",
    f"{_PYTHON}module:": "import {}",
}


class Refused(Exception):  # noqa: N818 - caught where the place is known
    """A tag or value that is no data; the text says what was expected and found."""


class _Unfit(Exception):  # noqa: N818 - caught in `_built`
    """Arguments that the builder does not take."""


@dataclass(frozen=True, slots=True)
class _Name:
    """A Python object that the text refers to by name."""

    name: str


@dataclass(frozen=True, slots=True)
class _NumpyType:
    """A numpy dtype that the text builds."""

    kind: str
    order: str = "|"


def refuse(tag: str) -> NoReturn:
    """Refuse `tag`, saying what a loader that obeys it would do.

    Raises:
        Refused: Always.
    """
    shown = "!!" + tag.removeprefix(_YAML) if tag.startswith(_YAML) else tag
    act = next((act.format(tag.removeprefix(start) or "?") for start, act in _ACTS.items() if tag.startswith(start)), "")
    would = f", which would {act}; nothing of it was run" if act else ""
    raise Refused(f"expected data, got the tag {shorten(shown)}{would}")


def scalar(text: str, tag: str) -> Any:
    """The value of a scalar of the tag `tag`; `finished` makes data of it where it is not part of a tagged collection.

    Raises:
        Refused: The tag stands for no data, or the text does not fit it.
    """
    if tag in _TEXT:
        return text
    if tag in _BYTES:
        try:
            return base64.b64decode("".join(text.split()), validate=True)
        except (binascii.Error, ValueError) as error:
            raise Refused(f"expected base64, got {shorten(text)}") from error
    if kind := _SCALARS.get(tag):
        return _resolved(text, kind)
    if tag.startswith(_NAMES) and not text:
        return _Name(tag.removeprefix(_NAMES))
    return refuse(tag)


def _resolved(text: str, kind: str) -> Json:
    """A scalar as PyYAML, which wrote it, reads it by the rules of YAML 1.1."""
    from yaml.constructor import SafeConstructor
    from yaml.nodes import ScalarNode

    if len(text) > DEFAULT_LIMITS.number_chars:
        raise Refused(f"expected at most {DEFAULT_LIMITS.number_chars} characters, got {len(text)}")
    node = ScalarNode(f"{_YAML}{kind}", text)
    reader = SafeConstructor()
    read: Callable[[Any], Json] = {
        "null": reader.construct_yaml_null,
        "bool": reader.construct_yaml_bool,
        "int": reader.construct_yaml_int,
        "float": reader.construct_yaml_float,
    }[kind]
    try:
        return read(node)
    except (ValueError, KeyError, IndexError) as error:
        raise Refused(f"expected {kind}, got {shorten(text)}") from error


def builds(tag: str | None) -> bool:
    """Whether a collection of this tag holds the arguments of something to build."""
    return tag is not None and tag.startswith(_BUILDS)


def listed(items: list[Any], tag: str) -> Any:
    """The value of a sequence of the tag `tag`.

    Raises:
        Refused: The tag stands for no data.
    """
    return items if tag in _LISTS else _built(tag, items, None)


def mapped(members: dict[str, Any], tag: str) -> Any:
    """The value of a mapping of the tag `tag`.

    Raises:
        Refused: The tag stands for no data.
    """
    if tag in _OBJECTS:
        return members
    arguments = members.get("args", [])
    if set(members) - {"args", "state"} or not isinstance(arguments, list):
        refuse(tag)
    return _built(tag, arguments, members.get("state"))


def finished(value: Any) -> Json:
    """`value` as data, where a config has it: bytes as the text they hold, numpy's types by their names.

    Raises:
        Refused: It refers to a Python object.
    """
    if isinstance(value, dict):
        return {name: finished(item) for name, item in value.items()}
    if isinstance(value, list):
        return [finished(item) for item in value]
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return value.decode("latin-1")
    if isinstance(value, _NumpyType):
        return str(_dtype(value).name)
    if isinstance(value, _Name):
        module, _, name = value.name.partition(".")
        if module == "numpy" and name in _NUMPY_NAMES:
            return name.rstrip("_")
        refuse(f"{_NAMES}{value.name}")
    return value


def _built(tag: str, arguments: Sequence[Any], state: Any) -> Any:
    """What a call that Keras' own YAML is known to hold would yield."""
    name = next((tag.removeprefix(start) for start in _BUILDS if tag.startswith(start)), "")
    build = _BUILDERS.get(name)
    if build is None and name.startswith("tensorflow."):
        build = _TENSORFLOW.get(name.rpartition(".")[2])
    if build is None:
        refuse(tag)
    try:
        return build(arguments, state)
    except (_Unfit, TypeError, ValueError, IndexError, KeyError) as error:
        raise Refused(f"expected the arguments that {name} takes, got others") from error


def _numpy_type(arguments: Sequence[Any], state: Any) -> _NumpyType:
    kind, order = arguments[0], state[1] if state else "|"
    if not isinstance(kind, str) or not _DTYPE.fullmatch(kind) or order not in _ORDERS:
        raise _Unfit
    return _NumpyType(kind, _ORDERS[order])


def _dtype(value: object) -> Any:
    import numpy as np

    if not isinstance(value, _NumpyType):
        raise _Unfit
    return np.dtype(value.order + value.kind)


def _number(arguments: Sequence[Any], _: Any) -> Json:
    import numpy as np

    dtype, stored = _dtype(arguments[0]), arguments[1]
    if not isinstance(stored, bytes) or len(stored) != dtype.itemsize:
        raise _Unfit
    return _real(np.frombuffer(stored, dtype)[0].item())


def _array(_: Sequence[Any], state: Any) -> Json:
    import numpy as np

    shape, dtype, by_columns, stored = state[1], _dtype(state[2]), state[3], state[4]
    if not isinstance(stored, bytes) or math.prod(shape) * dtype.itemsize != len(stored):
        raise _Unfit
    return _real(np.frombuffer(stored, dtype).reshape(shape, order="F" if by_columns else "C").tolist())


def _real(value: Json) -> Json:
    if isinstance(value, complex) or (isinstance(value, list) and any(isinstance(_real(item), complex) for item in value)):
        raise _Unfit
    return value


def _only(arguments: Sequence[Any], empty: Json) -> Any:
    """The one argument; `empty` if there is none."""
    if len(arguments) > 1:
        raise _Unfit
    return arguments[0] if arguments else empty


def _dict(arguments: Sequence[Any], _: Any) -> Json:
    given = _only(arguments, {})
    pairs = given.items() if isinstance(given, Mapping) else given
    found = dict(pairs)
    if not all(isinstance(name, str) for name in found):
        raise _Unfit
    return found


def _list(arguments: Sequence[Any], _: Any) -> Json:
    given = _only(arguments, [])
    return given if isinstance(given, list) else _unfit()


def _extent(arguments: Sequence[Any], _: Any) -> Json:
    given = _only(arguments, None)
    return given if given is None or isinstance(given, int) else _unfit()


def _dtype_name(arguments: Sequence[Any], _: Any) -> Json:
    given = _only(arguments, None)
    return given if isinstance(given, str) else _unfit()


def _unfit() -> NoReturn:
    raise _Unfit


_BUILDERS: dict[str, Callable[[Sequence[Any], Any], Any]] = {
    "numpy.dtype": _numpy_type,
    "numpy.core.multiarray.scalar": _number,
    "numpy._core.multiarray.scalar": _number,
    "numpy.core.multiarray._reconstruct": _array,
    "numpy._core.multiarray._reconstruct": _array,
    "builtins.dict": _dict,
    "__builtin__.dict": _dict,
    "collections.OrderedDict": _dict,
}
_TENSORFLOW: dict[str, Callable[[Sequence[Any], Any], Any]] = {
    "ListWrapper": _list,
    "TensorShape": _list,
    "Dimension": _extent,
    "as_dtype": _dtype_name,
}
