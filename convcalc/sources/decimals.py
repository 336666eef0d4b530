"""Decimals as they are written: 0.1 is one tenth, not the double next to it."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

from convcalc.layers.field_types import LARGEST_NUMBER

__all__ = ["DECIMAL", "DecimalError", "exact_decimal"]

DECIMAL: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE]([-+]?[0-9]+))?")
"""A decimal in YAML's core schema, which Python writes in the same way; the group: its exponent."""
MAX_DIGITS: Final = 60
"""Characters of a decimal. No double needs more than 24."""


class DecimalError(ValueError):
    """A decimal out of bounds; the message completes "`1e400` …"."""


def exact_decimal(text: str) -> int | Fraction:
    """The number that ``text`` is, which matches `DECIMAL`. Raises DecimalError."""
    if len(text) > MAX_DIGITS:
        raise DecimalError(f"is a number of {len(text):,} characters")
    match = DECIMAL.fullmatch(text)
    exponent = int((match and match[1]) or 0)
    # An exponent of thousands would make an integer of thousands of digits.
    value = Fraction(text) if abs(exponent) <= MAX_DIGITS else None
    if value is None and not text.lower().partition("e")[0].strip("+-0."):
        return 0
    if exponent > MAX_DIGITS or (value is not None and abs(value) > LARGEST_NUMBER):
        raise DecimalError("is more than 10¹⁸")
    if value is None or value.denominator > LARGEST_NUMBER:
        raise DecimalError("has more than 18 decimals")
    return value.numerator if value.denominator == 1 else value
