"""Windows on values: how much is padded, how many there are, and what lies under each of their places. Channels stand last here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product as combinations

from triptych.layouts.saved_model.graph.elementary import cast, largest
from triptych.layouts.saved_model.graph.shaping import cut, extent, move_axis, pad
from triptych.layouts.saved_model.graph.values import Extent, Operand, Value
from triptych.model import Json
from triptych.vocabulary.extents import axis_padding

Pair = tuple[Extent, Extent]


def channels_last(x: Value, data_format: str) -> Value:
    """`x` with its channels last."""
    return move_axis(x, 1, -1) if data_format == "channels_first" else x


def as_given(y: Value, data_format: str) -> Value:
    """`y`, whose channels stand last, with them where `data_format` says."""
    return move_axis(y, -1, 1) if data_format == "channels_first" else y


def span_of(size: int, dilation: int) -> int:
    """How many elements a window reaches over."""
    return (size - 1) * dilation + 1


def padding_of(whole: Extent, span: int, stride: int, padding: str | list[int]) -> Pair:
    """How many elements a padding rule adds before and after an axis of extent `whole`."""
    if not isinstance(padding, str):
        return padding[0], padding[1]
    if padding == "causal":
        return span - 1, 0
    if padding == "valid":
        return 0, 0
    total = span - 1 if stride == 1 else largest(((whole + stride - 1) // stride - 1) * stride + span - whole, 0)
    half = total // 2
    return (half, total - half) if padding == "same_upper" else (total - half, half)


@dataclass(frozen=True, slots=True)
class Windows:
    """The windows of one operation on the spatial axes of its input."""

    size: Sequence[int]
    strides: Sequence[int]
    padding: Json
    dilation: Sequence[int]
    ceil: bool = False
    """Whether a last window may hang over the end."""

    @property
    def spans(self) -> list[int]:
        """How many elements a window reaches over, along each axis."""
        return [span_of(size, dilation) for size, dilation in zip(self.size, self.dilation, strict=True)]

    @property
    def is_plain(self) -> bool:
        """Whether TensorFlow has a name for the padding."""
        return self.padding in ("valid", "same_upper") and not self.ceil

    @property
    def rule(self) -> str:
        """TensorFlow's name for the padding of `is_plain` windows."""
        return "SAME" if self.padding == "same_upper" else "VALID"

    def pads(self, x: Value) -> list[Pair]:
        """What the padding rule adds to `x`, along each axis."""
        found = []
        for axis, (span, stride) in enumerate(zip(self.spans, self.strides, strict=True), 1):
            whole = extent(x, axis)
            begin, end = padding_of(whole, span, stride, axis_padding(self.padding, axis - 1))
            if self.ceil and isinstance(end, int) and end >= span:
                # A whole window would lie in the padding behind, where none may start: as much is added as the last one that starts before needs.
                last = (whole + begin - 1) // stride * stride
                end = largest(last + span - whole - begin, 0)
            found.append((begin, end))
        return found

    def overhang(self, x: Value, pads: Sequence[Pair]) -> list[Pair]:
        """What a last window that hangs over the end needs beyond the padding of `x`, along each axis."""
        if not self.ceil:
            return [(0, 0)] * len(self.size)
        return [(0, self._beyond(extent(x, axis), axis - 1, pads[axis - 1])) for axis in range(1, len(self.size) + 1)]

    def _beyond(self, whole: Extent, axis: int, pad: Pair) -> Extent:
        span, stride = self.spans[axis], self.strides[axis]
        room = whole + pad[0] + pad[1] - span
        rest = room % stride
        if isinstance(rest, int) and isinstance(whole, int) and isinstance(pad[0], int):
            return stride - rest if rest and (room // stride + 1) * stride < whole + pad[0] else 0
        assert isinstance(rest, Value)
        hangs = (rest > 0) & (whole + pad[0] - (room // stride + 1) * stride > 0)
        return (stride - rest) * cast(hangs, "int32")

    def padded(self, x: Value, fill: Operand = 0) -> Value:
        """`x` with all that its windows reach over, so that they are those of the rule VALID."""
        pads = self.pads(x)
        around = dict(enumerate(pads, 1))
        return pad(pad(x, around, fill), dict(enumerate(self.overhang(x, pads), 1)), fill)

    def places(self, x: Value) -> Iterator[tuple[tuple[int, ...], Value]]:
        """For each place under the window: the place, and what each window has there, of a value that `padded` has made."""
        counts = [(extent(x, axis) - span) // stride + 1 for axis, (span, stride) in enumerate(zip(self.spans, self.strides, strict=True), 1)]
        for place in combinations(*map(range, self.size)):
            axes = enumerate(zip(place, self.dilation, counts, self.strides, strict=True), 1)
            yield place, cut(x, {axis: (at * by, at * by + (count - 1) * stride + 1, stride) for axis, (at, by, count, stride) in axes})
