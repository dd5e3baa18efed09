"""Windows on arrays: padding, and what lies under each element of a kernel. Arrays here have their channels last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product as combinations

from triptych.model import Json
from triptych.vocabulary.arrays import Array, np
from triptych.vocabulary.extents import axis_padding, windows

Pair = tuple[int, int]


def channels_last(x: Array, data_format: str) -> Array:
    """`x` with its channels last."""
    return np.moveaxis(x, 1, -1) if data_format == "channels_first" else x


def as_given(y: Array, data_format: str) -> Array:
    """`y`, whose channels stand last, with them where `data_format` says."""
    return np.moveaxis(y, -1, 1) if data_format == "channels_first" else y


def padding_of(extent: int, size: int, stride: int, padding: str | list[int], dilation: int = 1) -> Pair:
    """How many elements a padding rule adds before and after an axis of `extent`."""
    if not isinstance(padding, str):
        return padding[0], padding[1]
    span = (size - 1) * dilation + 1
    if padding == "causal":
        return span - 1, 0
    if padding == "valid":
        return 0, 0
    total = max((-(-extent // stride) - 1) * stride + span - extent, 0)
    return (total // 2, total - total // 2) if padding == "same_upper" else (total - total // 2, total // 2)


class Windows:
    """The windows of `size` on the spatial axes of `x`."""

    def __init__(
        self,
        x: Array,
        size: Sequence[int],
        strides: Sequence[int],
        padding: Json,
        dilation: Sequence[int] | None = None,
        *,
        ceil: bool = False,
        fill: float = 0.0,
    ) -> None:
        self.size, self.strides, self.dilation = size, strides, dilation or [1] * len(size)
        pads, self.counts, overhang = [], [], []
        for axis, extent in enumerate(x.shape[1:-1]):
            rule = axis_padding(padding, axis)
            pair = padding_of(extent, size[axis], strides[axis], rule, self.dilation[axis])
            count = windows(extent, size[axis], strides[axis], list(pair), dilation=self.dilation[axis], ceil=ceil)
            assert count is not None
            needed = (count - 1) * strides[axis] + (size[axis] - 1) * self.dilation[axis] + 1
            pads.append(pair)
            self.counts.append(count)
            overhang.append((0, max(needed - extent - sum(pair), 0)))
        self.padded = _filled(_filled(x, pads, fill), overhang, fill)
        self._overhang = overhang

    def count_padding(self) -> None:
        """Let all elements be 1, the padding's too; what a last window has beyond the padding stays 0."""
        self.padded = np.ones_like(self.padded)
        for axis, (_, extra) in enumerate(self._overhang, 1):
            self.padded[(slice(None),) * axis + (slice(self.padded.shape[axis] - extra, None),)] = 0

    def total(self) -> Array:
        """The sum of each window."""
        return np.asarray(sum(under for _, under in self))

    def __iter__(self) -> Iterator[tuple[tuple[int, ...], Array]]:
        """For each position under the window: the position, and what each window has there, (batch, *counts, channels)."""
        for position in combinations(*map(range, self.size)):
            cut = [
                slice(at * dilation, at * dilation + (count - 1) * stride + 1, stride)
                for at, dilation, count, stride in zip(position, self.dilation, self.counts, self.strides, strict=True)
            ]
            yield position, self.padded[(slice(None), *cut)]


def _filled(x: Array, pads: Sequence[Pair], value: float) -> Array:
    """`x` with `value` around its spatial axes."""
    if not any(map(sum, pads)):
        return x
    return np.pad(x, [(0, 0), *pads, (0, 0)], constant_values=value)
