"""Random formulas as trees, and a reader of printed formulas: what the algebra tests share.

A tree is an integer, the name of a symbol, or an operation ``(sign, left, right)``. It is computed
by Python's own operators, so one tree gives an int, a Polynomial, a Shown or a sympy expression by
what its symbols are bound to.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from hypothesis import settings
from hypothesis import strategies as st

Tree: TypeAlias = Any
"""int | str | tuple[str, Tree, Tree]"""

SYMBOLS = ("H", "W", "N")
OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": operator.floordiv,
    "%": operator.mod,
}

POINTS = st.fixed_dictionaries({name: st.integers(1, 60) for name in SYMBOLS})
"""Values of the symbols: integers of at least 1."""


def many(count: int) -> settings:
    """Settings for a property that is held against ``count`` random examples."""
    return settings(max_examples=count, deadline=None)


def _operations(signs: tuple[str, ...], left: Any, right: Any) -> st.SearchStrategy[Tree]:
    return st.tuples(st.sampled_from(signs), left, right)


POSITIVE = st.recursive(
    st.sampled_from(SYMBOLS) | st.integers(2, 12),
    lambda parts: _operations(("+", "*"), parts, parts),
    max_leaves=3,
)
"""Trees of at least 1, whatever the symbols are."""

DIVISORS = st.integers(2, 12) | st.integers(-6, -1) | POSITIVE
"""Trees whose sign is known and that are never 0: what a formula may be divided by."""


def trees(depth: int = 4, divisions: tuple[str, ...] = ("//", "%")) -> st.SearchStrategy[Tree]:
    """Trees of exactly ``depth`` operations, one above the other; the side branches are lower."""
    tree = lower = st.sampled_from((*SYMBOLS, *SYMBOLS, *SYMBOLS, 1, 2, 3, 6, 9, -1, -2, -5))
    for _ in range(depth):
        tree, lower = (
            (
                _operations(("+", "-", "*"), tree, lower)
                | _operations(("+", "-", "*"), lower, tree)
                | _operations(divisions, tree, DIVISORS)
            ),
            lower | tree,
        )
    return tree


def compute(
    tree: Tree,
    values: Mapping[str, Any],
    operators: Mapping[str, Callable[[Any, Any], Any]] = OPERATORS,
) -> Any:
    """The tree's value where its symbols are bound to ``values``."""
    if isinstance(tree, tuple):
        sign, left, right = tree
        return operators[sign](compute(left, values, operators), compute(right, values, operators))
    return values[tree] if isinstance(tree, str) else tree


def read(text: str, values: Mapping[str, int] | None = None) -> int:
    """The value of a printed formula, read as a person reads it: from left to right.

    Within ⌊ ⌋ the line of the fraction is Python's ``//``, which binds like ``·``: a numerator or
    divisor without the brackets that it needs gives another value.
    """
    for printed, python in {"⌊": "(", "⌋": ")", "/": "//", "·": "*", "−": "-", "mod": "%"}.items():
        text = text.replace(printed, python)
    text = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda power: f"**{power[0].translate(_DIGITS)}", text)
    return eval(text, {"__builtins__": {}}, dict(values or {}))  # noqa: S307  # a test's own text


_DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
