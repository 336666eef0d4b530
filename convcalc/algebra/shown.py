"""A number that carries the way it was worked out.

A formula run on `Shown` numbers gives its result, the formula in its symbols, and the formula with
the values put in; the formula that is shown is the formula that ran.
"""

from __future__ import annotations

from typing import TypeAlias, Union

from convcalc.algebra.polynomial import Polynomial

__all__ = ["Shown"]

Plain: TypeAlias = int | Polynomial
Operand: TypeAlias = Union[int, Polynomial, "Shown"]

_MODULO, _SUM, _PRODUCT, _ATOM = 0, 1, 2, 3
"""How tightly the outermost operation of a text binds.

``mod`` binds least, as mathematicians write it: as part of anything else it has brackets.
"""


class Shown:
    """A value with its derivation: ``formula`` in symbols, ``substituted`` with the values put in.

    >>> i, k, s = Shown(32, "i"), Shown(3, "k"), Shown(2, "s")
    >>> print((i - k) // s + 1)
    ⌊(i − k)/s⌋ + 1 = ⌊(32 − 3)/2⌋ + 1 = 15
    """

    __slots__ = ("_binding", "_value_binding", "formula", "substituted", "value")

    def __init__(self, value: Plain, symbol: str) -> None:
        """The quantity called ``symbol``, of the given value."""
        self.value: Plain = value
        self.formula = symbol
        self.substituted = str(value).replace("-", "−")
        self._binding = _ATOM
        self._value_binding = _binding_of(value)

    def __str__(self) -> str:
        """``formula = substituted = value``, each step once where two have the same text."""
        value = str(self.value).replace("-", "−")
        return " = ".join(dict.fromkeys((self.formula, self.substituted, value)))

    def __repr__(self) -> str:
        return f"<Shown {self}>"

    def __add__(self, other: Operand) -> Shown:
        right = _shown(other)
        same = self.formula == right.formula and self.substituted == right.substituted
        if same and self._binding == _ATOM:
            # p + p, the padding of both sides, is what every text writes as 2p.
            return _combine(self.value + right.value, "2·{}", _PRODUCT, (right, _PRODUCT))
        return _combine(self.value + right.value, "{} + {}", _SUM, (self, _SUM), (right, _PRODUCT))

    def __radd__(self, other: Operand) -> Shown:
        return _shown(other) + self

    def __sub__(self, other: Operand) -> Shown:
        right = _shown(other)
        return _combine(self.value - right.value, "{} − {}", _SUM, (self, _SUM), (right, _PRODUCT))

    def __rsub__(self, other: Operand) -> Shown:
        return _shown(other) - self

    def __mul__(self, other: Operand) -> Shown:
        right = _shown(other)
        return _combine(
            self.value * right.value, "{}·{}", _PRODUCT, (self, _PRODUCT), (right, _PRODUCT)
        )

    def __rmul__(self, other: Operand) -> Shown:
        return _shown(other) * self

    def __floordiv__(self, other: Operand) -> Shown:
        right = _shown(other)
        return _combine(
            self.value // right.value, "⌊{}/{}⌋", _ATOM, (self, _PRODUCT), (right, _ATOM)
        )

    def __rfloordiv__(self, other: Operand) -> Shown:
        return _shown(other) // self

    def __neg__(self) -> Shown:
        return _combine(-self.value, "−{}", _SUM, (self, _PRODUCT))

    def __mod__(self, other: Operand) -> Shown:
        right = _shown(other)
        return _combine(
            self.value % right.value, "{} mod {}", _MODULO, (self, _ATOM), (right, _ATOM)
        )

    def __rmod__(self, other: Operand) -> Shown:
        return _shown(other) % self

    # Comparisons are of the values: a choice that a formula makes is made as it is for numbers.

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, int | Polynomial | Shown):
            return NotImplemented
        return self.value == _shown(other).value

    def __hash__(self) -> int:
        return hash(self.value)

    def __lt__(self, other: Operand) -> bool:
        return self.value < _shown(other).value

    def __le__(self, other: Operand) -> bool:
        return self.value <= _shown(other).value

    def __gt__(self, other: Operand) -> bool:
        return self.value > _shown(other).value

    def __ge__(self, other: Operand) -> bool:
        return self.value >= _shown(other).value

    def __bool__(self) -> bool:
        return bool(self.value)


def _shown(operand: Operand) -> Shown:
    if isinstance(operand, Shown):
        return operand
    if not isinstance(operand, int | Polynomial):
        raise TypeError(f"a formula has integers only, not {operand!r}")
    shown = Shown(operand, str(operand).replace("-", "−"))
    shown._binding = shown._value_binding
    return shown


def _binding_of(value: Plain) -> int:
    if isinstance(value, int):
        return _ATOM if value >= 0 else _SUM
    [(monomial, coefficient), *others] = value.terms()
    if others or coefficient < 0:
        return _SUM
    return _ATOM if coefficient == 1 and len(monomial) == 1 else _PRODUCT


def _combine(value: Plain, pattern: str, binding: int, *operands: tuple[Shown, int]) -> Shown:
    """The result of an operation; an operand that binds less than its place asks gets brackets."""
    result = Shown(value, "")
    result.formula = pattern.format(
        *(_bracketed(shown.formula, shown._binding, least) for shown, least in operands)
    )
    result.substituted = pattern.format(
        *(_bracketed(shown.substituted, shown._value_binding, least) for shown, least in operands)
    )
    result._binding = result._value_binding = binding
    return result


def _bracketed(text: str, binding: int, least: int) -> str:
    return text if binding >= least else f"({text})"
