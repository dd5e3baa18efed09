"""Errors of foreign layouts: their faults are not this specification's, so their problems carry a code and no requirement."""

from __future__ import annotations

from triptych.errors import ConversionError, InvalidModelError, Problem, TruncatedError, UnsupportedError


def invalid(place: str, message: str) -> InvalidModelError:
    """The error of a file that breaks the rules of its own layout."""
    return InvalidModelError((Problem("LAYOUT_INVALID", "", place, message),))


def truncated(place: str, message: str) -> TruncatedError:
    """The error of a file that ends too early."""
    return TruncatedError((Problem("LAYOUT_TRUNCATED", "", place, message),))


def interrupted(place: str, what: str, waiting: str) -> InvalidModelError:
    """The error of several files, together `what`, whose save died while it placed them: it did not get to those in the folder `waiting`."""
    return invalid(place, f"expected {what} whose save was finished, it was interrupted: save again, or move the files in {waiting} beside it, the index last")


def unsupported(place: str, message: str) -> UnsupportedError:
    """The error of a file that uses what this reader refuses or does not know."""
    return UnsupportedError((Problem("LAYOUT_UNSUPPORTED", "", place, message),))


def mismatch(place: str, message: str) -> InvalidModelError:
    """The error of a file whose weights do not fit its own architecture."""
    return InvalidModelError((Problem("LAYOUT_WEIGHTS_MISMATCH", "", place, message),))


def inexpressible(place: str, message: str) -> ConversionError:
    """The error of a model that the target layout cannot hold."""
    return ConversionError((Problem("LAYOUT_INEXPRESSIBLE", "", place, message),))
