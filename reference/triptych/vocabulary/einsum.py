"""The extents that an einsum equation of an input and a kernel implies: of the result, the kernel and the bias."""

from __future__ import annotations

from collections.abc import Sequence

from triptych.vocabulary.expressions import ShapeError

Extents = list[int | None]


def analyze(
    equation: str, given: Sequence[int | None], target: Sequence[int | None], bias_axes: str
) -> tuple[Extents, Extents, Extents]:
    """The shapes of result, kernel and bias.

    Args:
        equation: ``input,kernel->result``; input and result may begin, or end, with ``...`` for axes that stay.
        given: The input's shape.
        target: The result's extents after the batch, without the axes that ``...`` stands for; null where the input says it.
        bias_axes: Letters of the result along which the bias has extents; empty: there is no bias.

    Raises:
        ShapeError: The equation does not fit the shapes.
    """
    operands, _, result = equation.partition("->")
    source, _, kernel = operands.partition(",")
    letters, letters_out = source.replace("...", ""), result.replace("...", "")
    free = len(given) - len(letters)
    if free < 0 or (free and "..." not in source):
        raise ShapeError(f"expected an input whose axes are those of {source!r}, got rank {len(given)}")
    left = source.startswith("...")
    places = {letter: given[place + free if left else place] for place, letter in enumerate(letters)}
    between = list(given[1:free]) if left else []
    wanted = [given[0], *between, *target] if not left or free else list(target)
    beyond = list(given[len(letters) :]) if not left else []
    named = wanted[len(wanted) - len(letters_out) :]
    if len(named) != len(letters_out) or len(wanted) != len(letters_out) + (free if left else 0):
        raise ShapeError(f"expected an output_shape of {len(letters_out) - (not left)} extents for {result!r}, got {len(target)}")
    extents: dict[str, int | None] = {}
    for letter, extent in zip(letters_out, named, strict=True):
        known = places.get(letter)
        if extent is not None and known is not None and extent != known:
            raise ShapeError(f"expected extent {extent} for {letter!r} of {equation!r}, got {known}")
        extents[letter] = extent if extent is not None else known
    missing = set(kernel) - set(places) - set(extents) | set(letters_out) - set(places) - set(kernel)
    if missing:
        raise ShapeError(f"expected every letter of {equation!r} in its input and result, got {sorted(missing)} elsewhere")
    shape_out = [*wanted[: len(wanted) - len(named)], *(extents[letter] for letter in letters_out), *beyond]
    shape_kernel = [places[letter] if letter in places else extents[letter] for letter in kernel]
    if not bias_axes:
        return shape_out, shape_kernel, []
    first = min(letters_out.find(letter) for letter in bias_axes)
    if first < 0:
        raise ShapeError(f"expected bias_axes to name axes of {result!r}, got {bias_axes!r}")
    shape_bias = [extents[letter] if letter in bias_axes else 1 for letter in letters_out[first:]]
    return shape_out, shape_kernel, [*shape_bias, *[1] * len(beyond)]
