"""Resizing along one axis: where an element of the result falls between those of the input, and how these are weighted."""

from __future__ import annotations

from triptych.vocabulary.arrays import Array, np


def resized(
    x: Array,
    axis: int,
    extent: int,
    method: str,
    *,
    align_corners: bool = False,
    coefficient: float = -0.5,
    exclude_outside: bool = True,
) -> Array:
    """`x` with `extent` elements along `axis`.

    Args:
        x: The array.
        axis: The axis.
        extent: Its new extent.
        method: ``nearest``, ``nearest_floor`` (the element at or before i × n / m), ``linear`` (also ``bilinear``, ``trilinear``: one axis after the other) or ``bicubic``.
        align_corners: Whether the centres of the first and last element stay in place; else their outer edges do.
        coefficient: The parameter of bicubic interpolation.
        exclude_outside: Whether, in bicubic interpolation, elements outside have weight 0 and the others' sum to 1; else they
            equal the outermost one.
    """
    before = x.shape[axis]
    steps = np.arange(extent)
    if method == "nearest_floor":
        return np.take(x, (steps * before) // extent, axis=axis)
    places = steps * ((before - 1) / max(extent - 1, 1)) if align_corners else (steps + 0.5) * (before / extent) - 0.5
    if method == "nearest":
        return np.take(x, np.clip(np.floor(places + 0.5), 0, before - 1).astype(np.int64), axis=axis)
    low = np.floor(places)
    part = places - low
    if method == "bicubic":
        offsets = np.arange(-1, 3)[:, None]
        weights = _cubic(np.abs(part - offsets), coefficient)
        inside = (low + offsets >= 0) & (low + offsets < before)
        if exclude_outside:
            weights = weights * inside / (weights * inside).sum(axis=0)
    else:
        offsets = np.arange(2)[:, None]
        weights = np.stack([1 - part, part])
    shape = [-1 if one == axis else 1 for one in range(x.ndim)]
    indices = np.clip(low + offsets, 0, before - 1).astype(np.int64)
    y = np.zeros((), x.dtype)
    for index, weight in zip(indices, weights.astype(x.dtype), strict=True):
        y = y + np.take(x, index, axis=axis) * weight.reshape(shape)
    return y


def _cubic(distance: Array, a: float) -> Array:
    """The weight of an element at `distance` (0 … 2)."""
    near = ((a + 2) * distance - (a + 3)) * distance**2 + 1
    far = a * (((distance - 5) * distance + 8) * distance - 4)
    return np.where(distance <= 1, near, far)
