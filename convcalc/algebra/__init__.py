"""The numbers that layer formulas run on.

A formula written with ``+ - * //`` is read in several ways, by what is put in:

* ``int`` gives the answer;
* `Polynomial` gives the answer as a formula of free symbols;
* `Shown` gives the answer together with the way it was worked out.

This room knows nothing of the rest of convcalc.
"""

from typing import TypeAlias

from convcalc.algebra.polynomial import (
    Polynomial,
    UndecidableError,
    exact_quotient,
    greatest_common_divisor,
    symbol,
)
from convcalc.algebra.shown import Shown

Number: TypeAlias = int | Polynomial | Shown
"""What a formula may be run on."""

__all__ = [
    "Number",
    "Polynomial",
    "Shown",
    "UndecidableError",
    "exact_quotient",
    "greatest_common_divisor",
    "product",
    "symbol",
]


def product(factors: "tuple[Number, ...]") -> Number:
    """The product of ``factors``; 1 if there are none. Units: those of the factors, multiplied."""
    # A first factor stands alone: a leading "1·" would clutter every shown formula.
    result, *others = factors or (1,)
    for factor in others:
        result = result * factor
    return result
