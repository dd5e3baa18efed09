"""Tables of a graph: keys with a value each, filled once, when the graph is loaded, before anything is predicted."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from triptych.layouts.saved_model.graph.attributes import Type
from triptych.layouts.saved_model.graph.body import Body
from triptych.layouts.saved_model.graph.values import Operand, Value

INITIALIZER = "saved_model_main_op"
"""The collection in which loaders find the node that they run first."""


def table(body: Body, keys: Any, values: Any) -> Value:
    """A table of the graph around `body`, with a value for each of `keys`; both are arrays.

    All tables of a process have one space of names: this one is named by what it holds.
    """
    outermost = body.outermost
    with outermost.within("tables"):
        given, held = outermost.constant(keys), outermost.constant(values)
        name = f"table_{sha256(repr((given.dtype, keys.tolist(), values.tolist())).encode()).hexdigest()}"
        tables = body.library.tables
        if name not in tables:
            handle = outermost.one(
                "HashTableV2", [], "resource", (), shared_name=name, key_dtype=Type(given.dtype), value_dtype=Type(held.dtype)
            )
            filled = outermost.unique("tables/fill")
            outermost.node("LookupTableImportV2", [handle, given, held], [], name=filled, Tin=Type(given.dtype), Tout=Type(held.dtype))
            tables[name] = (handle, filled)
    return tables[name][0]


def find(held: Value, x: Value, otherwise: Operand, dtype: str) -> Value:
    """What a table has for each element of `x`, or `otherwise`, in the dtype of its values."""
    body = max((held.body, x.body), key=lambda one: one.depth)
    given = [held, x, body.made(otherwise, dtype)]
    return body.one("LookupTableFindV2", given, dtype, x.shape, Tin=Type(x.dtype), Tout=Type(dtype))


def add_tables(graph: Any, body: Body) -> None:
    """Let a meta graph say which node fills its tables."""
    filling = [filled for _, filled in body.library.tables.values()]
    if not filling:
        return
    name = body.unique("tables/fill_all")
    body.node("NoOp", [], [], name=name, after=filling)
    graph.collection_def[INITIALIZER].node_list.value.append(name)
