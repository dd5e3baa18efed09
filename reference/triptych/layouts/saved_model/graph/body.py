"""Bodies of nodes: the graph itself, and the functions of its library that loops call."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from triptych.layouts.saved_model.graph.attributes import Type, fill, number_of
from triptych.layouts.saved_model.graph.operators import OUTPUTS
from triptych.layouts.saved_model.graph.values import Operand, Value
from triptych.layouts.tensorflow import messages
from triptych.model import Shape


@dataclass(slots=True)
class Library:
    """What there is beside the nodes of a graph: functions, as messages, and tables."""

    functions: list[Any] = field(default_factory=list)
    tables: dict[str, tuple[Value, str]] = field(default_factory=dict)
    """Name -> a table of the graph, and the node that fills it."""


class Body:
    """Nodes in the order in which they are made; each is made after what it takes."""

    def __init__(self, library: Library, outer: Body | None = None) -> None:
        self.library = library
        self.depth: int = 0 if outer is None else outer.depth + 1
        self.outermost: Body = self if outer is None else outer.outermost
        """The graph itself."""
        self.scope = ""
        """What the names of new nodes begin with."""
        self.nodes: list[Any] = []
        self.captured: dict[Value, Value] = {}
        """Value of a body around this function -> the argument that stands for it."""
        self._names: dict[str, int] = {}
        self._constants: dict[tuple[str, tuple[int, ...], bytes], Value] = {}

    @contextmanager
    def within(self, scope: str) -> Iterator[None]:
        """Let the names of nodes begin with `scope`."""
        before, self.scope = self.scope, scope
        yield
        self.scope = before

    def node(
        self,
        op: str,
        inputs: Sequence[Value],
        results: Sequence[tuple[str, Shape]],
        /,
        *,
        name: str = "",
        after: Sequence[str] = (),
        **attributes: Any,
    ) -> list[Value]:
        """A node of TensorFlow's operation `op`: its results, whose dtypes and shapes are given.

        Args:
            op: The operation's name.
            inputs: In the order of the operation's arguments, lists flattened.
            results: A dtype and a shape for each.
            name: Of the node, as `unique` gave it; empty: made of scope and operation.
            after: Names of nodes that run first.
            attributes: Those that have no default, or another value.
        """
        made = messages.new("Node", name=name or self.unique(f"{self.scope}/{op}".lstrip("/")), op=op)
        made.input.extend(self.local(one).ref for one in inputs)
        made.input.extend(f"^{one}" for one in after)
        for key, value in attributes.items():
            fill(made.attr[key], value)
        self.nodes.append(made)
        return [Value(self, self._ref(made.name, op, number), *one) for number, one in enumerate(results)]

    def one(self, op: str, inputs: Sequence[Value], dtype: str, shape: Shape, /, **more: Any) -> Value:
        """The only result of a node; see `node`."""
        return self.node(op, inputs, [(dtype, shape)], **more)[0]

    def _ref(self, name: str, op: str, number: int) -> str:
        if self.depth == 0:
            return f"{name}:{number}" if number else name
        # Inside functions a result is called by its argument in the operation's definition.
        arguments = OUTPUTS[op]
        return f"{name}:{arguments[number]}:0" if len(arguments) > 1 else f"{name}:{arguments[0]}:{number}"

    def constant(self, array: Any) -> Value:
        """A constant; the same one for the same elements."""
        import numpy as np

        plain = np.asarray(array)
        elements = plain.tobytes() if plain.dtype.kind not in "OUS" else repr(plain.tolist()).encode()
        dtype = "string" if plain.dtype.kind in "OUS" else plain.dtype.name
        key = (dtype, plain.shape, elements)
        if key not in self._constants:
            with self.within(self.scope if self.depth else "constants"):
                self._constants[key] = self.one("Const", [], dtype, plain.shape, dtype=Type(dtype), value=plain)
        return self._constants[key]

    def made(self, operand: Operand, dtype: str) -> Value:
        """`operand` as a value of this body: a number or array becomes a constant of `dtype`."""
        if isinstance(operand, Value):
            return self.local(operand)
        import numpy as np

        from triptych import dtypes

        return self.constant(np.asarray(operand).astype(dtypes.numpy_dtype(dtype)) if dtype != "string" else np.asarray(operand, object))

    def argument(self, dtype: str, shape: Shape) -> Value:
        """A new argument of a function."""
        return Value(self, self.unique("argument"), dtype, shape)

    def local(self, value: Value) -> Value:
        """`value` under the name that this body has for it: a value of the graph around a function becomes an argument."""
        if value.body is self:
            return value
        if value not in self.captured:
            self.captured[value] = self.argument(value.dtype, value.shape)
        return self.captured[value]

    def unique(self, name: str) -> str:
        """`name` with what TensorFlow's names cannot hold replaced, and a number if it is taken."""
        plain = re.sub(r"[^A-Za-z0-9_.\-/]", "_", name)
        plain = plain if re.match(r"[A-Za-z0-9.]", plain) else f"n{plain}"
        if self.depth:
            # Names of arguments and of nodes in functions are narrower still.
            plain = re.sub(r"[^a-z0-9_]", "_", plain.lower())
        count = self._names.get(plain.lower(), 0)
        self._names[plain.lower()] = count + 1
        return self.unique(f"{plain}_{count}") if count else plain


def function(body: Body, name: str, arguments: Sequence[Value], results: Sequence[Value]) -> str:
    """Put `body` into its library as a function called `name` or alike; the name it has there."""
    library = body.library
    name = f"{name}_{len(library.functions)}"
    made = messages.new("Function")
    made.signature.name = name
    for one in arguments:
        made.signature.input_arg.add(name=one.ref, type=number_of(one.dtype))
    for number, result in enumerate(results):
        # By way of a node of its own: what a function yields may be an argument, or twice the same.
        handed = body.one("Identity", [result], result.dtype, result.shape, T=Type(result.dtype))
        made.signature.output_arg.add(name=f"result_{number}", type=number_of(result.dtype))
        made.ret[f"result_{number}"] = handed.ref
    made.node_def.extend(body.nodes)
    library.functions.append(made)
    return name
