"""Loops: functions of the graph's library that are called until a condition no longer holds, and lists that gather what each turn yields."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from triptych.layouts.saved_model.graph.attributes import Function, Type
from triptych.layouts.saved_model.graph.body import Body, function
from triptych.layouts.saved_model.graph.shaping import known, vector
from triptych.layouts.saved_model.graph.values import Extent, Value, innermost
from triptych.model import Shape


def repeat(
    condition: Callable[[list[Value]], Value], turn: Callable[[list[Value]], list[Value]], start: Sequence[Value]
) -> list[Value]:
    """What becomes of `start` when `turn` is applied to it as long as `condition` holds.

    Both are called once, with values inside functions; they may use values of the graph around these. Each value keeps its dtype
    and rank, and every extent that is known at the start.
    """
    body = innermost(start)
    asking, turning = Body(body.library, body), Body(body.library, body)
    asked = [asking.argument(one.dtype, one.shape) for one in start]
    turned = [turning.argument(one.dtype, one.shape) for one in start]
    holds, results = condition(asked), turn(turned)
    # Both functions take the same: the loop's own values, then what either uses of the graph around.
    results = [turning.local(one) for one in results]
    holds = asking.local(holds)
    around = list(dict.fromkeys([*turning.captured, *asking.captured]))
    handed_on = [turning.local(one) for one in around]
    ask = function(asking, "condition", [*asked, *(asking.local(one) for one in around)], [holds])
    step = function(turning, "turn", [*turned, *handed_on], [*results, *handed_on])
    given = [*start, *around]
    yielded = body.node(
        "StatelessWhile",
        given,
        [(one.dtype, one.shape) for one in given],
        T=[Type(one.dtype) for one in given],
        cond=Function(ask),
        body=Function(step),
    )
    return yielded[: len(start)]


def new_list(like: Value, shape: Sequence[Extent], count: Extent, dtype: str) -> Value:
    """A list of `count` values of the extents `shape`, in the body of `like`; to be filled turn by turn with `with_item`."""
    extents = vector(like, [one if isinstance(one, int) else -1 for one in shape])
    body = innermost([like, extents, *([count] if isinstance(count, Value) else [])])
    given = [extents, body.made(count, "int32")]
    return body.one("TensorListReserve", given, "variant", (), element_dtype=Type(dtype), shape_type=Type("int32"))


def with_item(gathered: Value, place: Value, item: Value) -> Value:
    """The list `gathered` with `item` at `place`."""
    body = innermost([gathered, place, item])
    return body.one("TensorListSetItem", [gathered, place, item], "variant", (), element_dtype=Type(item.dtype))


def stacked(gathered: Value, shape: Sequence[Extent], dtype: str, *, count: int | None = None) -> Value:
    """The items of the list `gathered`, which have the extents `shape`, along a new first axis, of extent `count` if that is known."""
    extents = vector(gathered, [one if isinstance(one, int) else -1 for one in shape])
    result: Shape = (count, *known(shape))
    return gathered.body.one("TensorListStack", [gathered, extents], dtype, result, element_dtype=Type(dtype), num_elements=-1 if count is None else count)
