"""Types that change images at random while a network is trained, and leave them as they are after that; and the crop beside them."""

from __future__ import annotations

from triptych.model import Json, Shape
from triptych.vocabulary.arrays import Array
from triptych.vocabulary.definition import REQUIRED, Field, LayerCall, OutputRule, define
from triptych.vocabulary.extents import filled, with_spatial
from triptych.vocabulary.formula import Evaluation, drop_mask
from triptych.vocabulary.interpolation import resized
from triptych.vocabulary.kinds import NUMBER, SIZE, Kind, choice, optional, sizes
from triptych.vocabulary.members import DATA_FORMAT, SEED
from triptych.vocabulary.windowing import as_given, channels_last

FAMILY = "Augmentation"
FACTOR = Kind(
    "number or [lower, upper]",
    {"type": ["number", "array"], "items": NUMBER.schema, "minItems": 2, "maxItems": 2},
)
FILLING = (
    Field(
        "fill_mode",
        choice("reflect", "constant", "wrap", "nearest"),
        "What stands outside the image: its mirror image, `fill_value`, the image again, or its outermost pixel.",
        "reflect",
    ),
    Field("interpolation", choice("nearest", "bilinear"), "How pixels in between are found.", "bilinear"),
    Field("fill_value", NUMBER, "What stands outside the image in mode `constant`.", 0.0),
)
VALUE_RANGE = Field(
    "value_range",
    Kind("[lowest, highest]", {"type": "array", "items": NUMBER.schema, "minItems": 2, "maxItems": 2}),
    "Lowest and highest value that a pixel may have.",
    [0, 255],
)


def factor(doc: str, default: Json = REQUIRED, name: str = "factor") -> Field:
    """A member that says the range a random number is drawn from."""
    kind = optional(FACTOR) if default is None else FACTOR
    return Field(name, kind, f"{doc}; a number f stands for [-f, f] or, where nothing is below 0, [0, f].", default)


def _unchanged(call: Evaluation) -> Array:
    return call.input.astype(call.dtype, copy=False)


def _without_extent(open_axis: int) -> OutputRule:
    """The shape of an input one spatial axis of which gets another extent with every batch."""

    def rule(call: LayerCall) -> Shape:
        axis = open_axis + (2 if call.config["data_format"] == "channels_first" else 1)
        return (*call.input[:axis], None, *call.input[axis + 1 :])

    return rule


def _define(name: str, doc: str, *fields: Field, open_axis: int | None = None) -> None:
    define(
        name,
        FAMILY,
        f"While training, {doc}; else yields its input.",
        output="input" if open_axis is None else None,
        rule=None if open_axis is None else _without_extent(open_axis),
        words="" if open_axis is None else f"input, its spatial axis {open_axis} of unknown extent",
        fields=(*fields, SEED, DATA_FORMAT),
        rank=(4, 4),
        equation="y = x",
        formula=_unchanged,
    )


_define(
    "RandomFlip",
    "mirrors half of the images",
    Field("mode", choice("horizontal", "vertical", "horizontal_and_vertical"), "Which way.", "horizontal_and_vertical"),
)
_define("RandomRotation", "rotates images", factor("Counterclockwise, in full turns"), *FILLING)
_define(
    "RandomTranslation",
    "shifts images",
    factor("Downwards, as a fraction of the height", name="height_factor"),
    factor("To the right, as a fraction of the width", name="width_factor"),
    *FILLING,
)
_define(
    "RandomZoom",
    "zooms images: out above 0, in below",
    factor("Relative to the height", name="height_factor"),
    factor("Relative to the width; null: the same number as for the height", None, "width_factor"),
    *FILLING,
)
_define(
    "RandomShear",
    "slants images",
    factor("Along the first spatial axis", 0.0, "x_factor"),
    factor("Along the second spatial axis", 0.0, "y_factor"),
    *FILLING,
)
_define(
    "RandomHeight",
    "gives images another height",
    factor("Change of the height, as a fraction of it"),
    FILLING[1],
    open_axis=0,
)
_define(
    "RandomWidth",
    "gives images another width",
    factor("Change of the width, as a fraction of it"),
    FILLING[1],
    open_axis=1,
)
_define("RandomContrast", "moves pixels away from, or towards, the mean of their channel", factor("Change of the distance"), VALUE_RANGE)
_define("RandomBrightness", "adds a number to pixels", factor("The number, as a fraction of the range"), VALUE_RANGE)
_define("RandomHue", "turns the hue of pixels", factor("In half turns"), VALUE_RANGE)
_define("RandomSaturation", "changes the saturation of pixels", factor("0 for none, 0.5 for the image itself, 1 for twice as much"), VALUE_RANGE)
_define("RandomSharpness", "sharpens or blurs images", factor("0 for blurred, 0.5 for the image itself, 1 for sharpened"), VALUE_RANGE)
_define("RandomColorDegeneration", "takes colour from images", factor("0 for the image itself, 1 for grey"), VALUE_RANGE)
_define("RandomInvert", "inverts the values of pixels", factor("Probability", 1.0), VALUE_RANGE)
_define("RandomPosterization", "keeps only the first bits of the values of pixels", factor("Number of bits"), VALUE_RANGE)
_define(
    "RandomErasing",
    "fills a rectangle of each image",
    factor("Probability", 1.0),
    factor("Area of the rectangle, as a fraction of the image", [0.02, 0.33], "scale"),
    Field("fill_value", optional(NUMBER), "What the rectangle is filled with; null: noise.", None),
    VALUE_RANGE,
)
_define(
    "RandomGaussianBlur",
    "blurs images",
    factor("Probability", 1.0),
    Field("kernel_size", sizes(2), "Extents of the window of the blur.", [3, 3]),
    factor("Standard deviation of the blur", 1.0, "sigma"),
    VALUE_RANGE,
)


def _crop_shape(call: LayerCall) -> Shape:
    return with_spatial(filled(call.input, call.config["data_format"]), (call.config["height"], call.config["width"]), call.config["data_format"])


def _center_crop(call: Evaluation) -> Array:
    x = channels_last(call.input.astype(call.dtype, copy=False), call.config["data_format"])
    targets = (call.config["height"], call.config["width"])
    if all(extent >= target for extent, target in zip(x.shape[1:3], targets, strict=True)):
        return as_given(_middle(x, targets), call.config["data_format"])
    height, width = x.shape[1:3]
    inside = (max(min(height, width * targets[0] // targets[1]), 1), max(min(width, height * targets[1] // targets[0]), 1))
    x = _middle(x, inside)
    for axis, target in enumerate(targets, start=1):
        x = resized(x, axis, target, "bilinear")
    return as_given(x, call.config["data_format"])


def _middle(x: Array, extents: tuple[int, int]) -> Array:
    """The part of `x` in the middle that has these extents, the odd pixel left out at the end."""
    top, left = ((before - after) // 2 for before, after in zip(x.shape[1:3], extents, strict=True))
    return x[:, top : top + extents[0], left : left + extents[1]]


define(
    "CenterCrop",
    FAMILY,
    "Keeps the middle of an image; one that is too small is made larger.",
    words="batch; `height` and `width`; the input's channels",
    rule=_crop_shape,
    fields=(
        Field("height", SIZE, "First spatial extent of the result."),
        Field("width", SIZE, "Second spatial extent of the result."),
        DATA_FORMAT,
    ),
    rank=(4, 4),
    equation="with extents h × w of the input: y[i, j] = x[⌊(h - height) / 2⌋ + i, ⌊(w - width) / 2⌋ + j] if h ≥ height and w ≥ width; else the same crop to "
    "min(h, ⌊w × height / width⌋) × min(w, ⌊h × width / height⌋), each at least 1, resized as by Resizing, bilinear, to height × width",
    formula=_center_crop,
    mask=drop_mask,
)
