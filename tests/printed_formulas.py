"""Printed formulas, read as a person reads them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from fractions import Fraction

POWERS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
SIGNS = {"⌊": "floor(", "⌋": ")", "·": "*", "−": "-"}
FUNCTIONS = {
    "F": Fraction,
    "floor": lambda n: Fraction(math.floor(n)),
    "gcd": lambda a, b: Fraction(math.gcd(int(a), int(b))),
    "min": min,
    "max": max,
}


def read(formula: str, values: Mapping[str, int]) -> Fraction:
    """The value of a formula. Outside a floor a division that leaves a rest shows: it is exact."""
    formula = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda found: f"**{found[0].translate(POWERS)}", formula)
    formula = formula.replace(".", "_")  # of tensors
    formula = re.sub(r"(?<!\w)\d+", r"F(\g<0>)", formula)
    for printed, python in SIGNS.items():
        formula = formula.replace(printed, python)
    numbers = {name.replace(".", "_"): Fraction(value) for name, value in values.items()}
    return eval(formula, {"__builtins__": {}}, FUNCTIONS | numbers)  # noqa: S307 - a test's own text
