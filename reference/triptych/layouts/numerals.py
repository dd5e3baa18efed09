"""Names that are positions: members of lists, which several layouts keep as maps of numbers in decimal digits."""

_MOST_DIGITS = 9
"""No list is longer; and Python refuses to read numbers of thousands of digits."""


def is_position(text: str) -> bool:
    """Whether `text` is the position of an item of a list."""
    return text.isdecimal() and len(text) <= _MOST_DIGITS
