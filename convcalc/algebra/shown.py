"""A number that carries the way it was worked out.

A formula run on `Shown` numbers gives its result, the formula in its symbols, and the formula with
the values put in; the formula that is shown is the formula that ran, written as people write one.

Inside it is a sum of products. The laws by which it is kept short hold for all values of the
symbols, so that no formula is true only of the numbers at hand:

* a number that the formula itself has is no part of it as a factor of 1 or a term of 0; a symbol
  stays, whatever its value;
* such numbers multiply out, and stand first: 2·(n·3) is 6·n;
* equal factors are a power, equal terms a multiple: k·k is k², p + p is 2·p;
* a sum that is added keeps its brackets, which say what belongs together, unless one of its terms
  merges with one outside: a + (b + c), but n + (2·n − m) is 3·n − m.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias, Union, overload

from convcalc.algebra.polynomial import Polynomial

__all__ = ["Shown", "divided", "greater", "lesser"]

Plain: TypeAlias = int | Polynomial
Operand: TypeAlias = Union[int, Polynomial, "Shown"]

_MODULO, _SUM, _QUOTIENT, _PRODUCT, _POWER, _ATOM = range(6)
"""How tightly the outermost operation of a text binds.

``mod`` binds least, as mathematicians write it: as part of anything else it has brackets.
"""


class _Atom(NamedTuple):
    """What is multiplied and added: a symbol, a floor, a function, a sum in brackets."""

    formula: str
    binding: int
    substituted: str
    value_binding: int
    terms: _Terms = ()
    """Of a sum in brackets its terms."""

    def text(self, *, put_in: bool, least: int) -> str:
        """Either text, in brackets if it binds less than ``least``."""
        text, binding = (
            (self.substituted, self.value_binding) if put_in else (self.formula, self.binding)
        )
        return text if binding >= least else f"({text})"


_Factors: TypeAlias = tuple[tuple[_Atom, int], ...]
"""Atoms and their powers, in the order in which they were multiplied."""
_Terms: TypeAlias = tuple[tuple[int, _Factors], ...]
"""Factors and how many times they are added, in the order in which they were."""


class Shown:
    """A value with its derivation: ``formula`` in symbols, ``substituted`` with the values put in.

    >>> i, k, s = Shown(32, "i"), Shown(3, "k"), Shown(2, "s")
    >>> print((i - k) // s + 1)
    ⌊(i − k)/s⌋ + 1 = ⌊(32 − 3)/2⌋ + 1 = 15
    """

    __slots__ = ("_terms", "value")

    value: Plain
    _terms: _Terms

    def __init__(self, value: Plain, symbol: str) -> None:
        """The quantity called ``symbol``, of the given value."""
        self.value = value
        atom = _Atom(symbol, _ATOM, _minus(value), _binding_of(value))
        self._terms = ((1, ((atom, 1),)),)

    @classmethod
    def of(cls, name: str, value: Plain, *arguments: Operand) -> Shown:
        """The value of a function: ``gcd(n, m)``."""
        texts = (
            f"{name}({', '.join(_text(_shown(one)._terms, put_in=put_in) for one in arguments)})"
            for put_in in (False, True)
        )
        return _alone(value, next(texts), next(texts), _ATOM)

    @property
    def formula(self) -> str:
        """The formula in its symbols."""
        return _text(self._terms, put_in=False)

    @property
    def substituted(self) -> str:
        """The formula with the values put in."""
        return _text(self._terms, put_in=True)

    def __str__(self) -> str:
        """``formula = substituted = value``, each step once where two have the same text."""
        return " = ".join(dict.fromkeys((self.formula, self.substituted, _minus(self.value))))

    def __repr__(self) -> str:
        return f"<Shown {self}>"

    def __add__(self, other: Operand) -> Shown:
        right = _shown(other)
        return _made(self.value + right.value, _sum(self._terms, right._terms, 1))

    def __radd__(self, other: Operand) -> Shown:
        return _shown(other) + self

    def __sub__(self, other: Operand) -> Shown:
        right = _shown(other)
        return _made(self.value - right.value, _sum(self._terms, right._terms, -1))

    def __rsub__(self, other: Operand) -> Shown:
        return _shown(other) - self

    def __mul__(self, other: Operand) -> Shown:
        right = _shown(other)
        return _made(self.value * right.value, _product(self._terms, right._terms))

    def __rmul__(self, other: Operand) -> Shown:
        return _shown(other) * self

    def __floordiv__(self, other: Operand) -> Shown:
        right = _shown(other)
        value = self.value // right.value
        if right._terms == _ONE:
            return self
        return _alone(value, *_fraction(self, right, "⌊{}/{}⌋"), _ATOM)

    def __rfloordiv__(self, other: Operand) -> Shown:
        return _shown(other) // self

    def __neg__(self) -> Shown:
        return _made(-self.value, _product(((-1, ()),), self._terms))

    def __mod__(self, other: Operand) -> Shown:
        right = _shown(other)
        value = self.value % right.value
        texts = (
            f"{_bracketed(self, put_in, _POWER)} mod {_bracketed(right, put_in, _POWER)}"
            for put_in in (False, True)
        )
        return _alone(value, next(texts), next(texts), _MODULO)

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


@overload
def divided(n: int, divisor: int) -> int: ...
@overload
def divided(n: Plain, divisor: Plain) -> Plain: ...
@overload
def divided(n: Operand, divisor: Operand) -> Operand: ...
def divided(n: Operand, divisor: Operand) -> Operand:
    """``n // divisor`` where the divisor is known to divide n: shown as n/divisor, not rounded."""
    if not isinstance(n, Shown) and not isinstance(divisor, Shown):
        return n // divisor
    left, right = _shown(n), _shown(divisor)
    value = left.value // right.value
    if right._terms == _ONE:
        return left
    return _alone(value, *_fraction(left, right, "{}/{}"), _QUOTIENT)


def lesser(a: Operand, b: Operand) -> Operand:
    """min(a, b). Raises UndecidableError where free symbols leave open which it is."""
    least = min(a, b)
    if isinstance(a, Shown) or isinstance(b, Shown):
        return Shown.of("min", _shown(least).value, a, b)
    return least


def greater(a: Operand, b: Operand) -> Operand:
    """max(a, b). Raises UndecidableError where free symbols leave open which it is."""
    greatest = max(a, b)
    if isinstance(a, Shown) or isinstance(b, Shown):
        return Shown.of("max", _shown(greatest).value, a, b)
    return greatest


# -- numbers and their terms ----------------------------------------------------------------------

_ONE: _Terms = ((1, ()),)


def _shown(operand: Operand) -> Shown:
    if isinstance(operand, Shown):
        return operand
    if isinstance(operand, int):
        return _made(operand, ((operand, ()),) if operand else ())
    if not isinstance(operand, Polynomial):
        raise TypeError(f"a formula has integers only, not {operand!r}")
    return _alone(operand, _minus(operand), _minus(operand), _binding_of(operand))


def _made(value: Plain, terms: _Terms) -> Shown:
    made = Shown.__new__(Shown)
    made.value = value
    made._terms = terms
    return made


def _alone(value: Plain, formula: str, substituted: str, binding: int) -> Shown:
    return _made(value, ((1, ((_Atom(formula, binding, substituted, binding), 1),)),))


def _sum(left: _Terms, right: _Terms, sign: int) -> _Terms:
    """``left`` and ``right``, or less it."""
    if len(right) > 1 and left:
        likes = {_key(factors) for _, factors in left}
        if likes.isdisjoint(_key(factors) for _, factors in right):
            right = ((1, ((_in_brackets(right), 1),)),)
    terms = left
    for times, factors in right:
        terms = _with_term(terms, sign * times, factors)
    return terms


def _with_term(terms: _Terms, times: int, factors: _Factors) -> _Terms:
    key = _key(factors)
    for place, (already, others) in enumerate(terms):
        if _key(others) == key:
            merged = already + times
            return (*terms[:place], *(((merged, others),) if merged else ()), *terms[place + 1 :])
        # A sum in brackets is opened for a term that merges with one of its own.
        inner = others[0][0].terms if len(others) == 1 and others[0][1] == 1 else ()
        if abs(already) == 1 and any(_key(within) == key for _, within in inner):
            opened = (*terms[:place], *((already * n, within) for n, within in inner))
            for n, within in terms[place + 1 :]:
                opened = _with_term(opened, n, within)
            return _with_term(opened, times, factors)
    return (*terms, (times, factors))


def _product(left: _Terms, right: _Terms) -> _Terms:
    if not left or not right:
        return ()
    if _ONE in (left, right):
        return right if left == _ONE else left
    times = 1
    factors: dict[tuple[str, str], tuple[_Atom, int]] = {}
    for terms in (left, right):
        if len(terms) > 1:
            parts: _Factors = ((_in_brackets(terms), 1),)
        else:
            [(n, parts)] = terms
            times *= n
        for atom, power in parts:
            key = (atom.formula, atom.substituted)
            factors[key] = (atom, power + (factors[key][1] if key in factors else 0))
    return ((times, tuple(factors.values())),)


def _key(factors: _Factors) -> frozenset[tuple[str, str, int]]:
    """What equal terms have in common: the same symbols of the same values, in any order."""
    return frozenset((atom.formula, atom.substituted, power) for atom, power in factors)


def _in_brackets(terms: _Terms) -> _Atom:
    return _Atom(_text(terms, put_in=False), _SUM, _text(terms, put_in=True), _SUM, terms)


# -- texts ----------------------------------------------------------------------------------------

_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def _text(terms: _Terms, *, put_in: bool) -> str:
    text = ""
    for times, factors in terms:
        # Nothing needs brackets alone; a sum needs none first in a sum, but a modulo does.
        least = _QUOTIENT if text or times < 0 else _SUM if len(terms) > 1 else _MODULO
        term = _term_text(abs(times), factors, put_in=put_in, least=least)
        if text:
            text += f" {'−' if times < 0 else '+'} {term}"
        else:
            text = f"−{term}" if times < 0 else term
    return text or "0"


def _term_text(times: int, factors: _Factors, *, put_in: bool, least: int) -> str:
    if times == 1 and len(factors) == 1 and factors[0][1] == 1:
        return factors[0][0].text(put_in=put_in, least=least)
    texts = [
        atom.text(put_in=put_in, least=_PRODUCT)
        if power == 1
        else atom.text(put_in=put_in, least=_ATOM) + str(power).translate(_SUPERSCRIPTS)
        for atom, power in factors
    ]
    if times != 1 or not texts:
        texts.insert(0, str(times))
    return "·".join(texts)


def _binding(terms: _Terms, *, put_in: bool) -> int:
    if len(terms) > 1:
        return _SUM
    [(times, factors)] = terms or ((0, ()),)
    if times < 0:
        return _SUM
    if not factors:
        return _ATOM
    if times > 1 or len(factors) > 1:
        return _PRODUCT
    [(atom, power)] = factors
    if power > 1:
        return _POWER
    return atom.value_binding if put_in else atom.binding


def _bracketed(shown: Shown, put_in: bool, least: int) -> str:  # noqa: FBT001 - one of two texts
    text = _text(shown._terms, put_in=put_in)
    return text if _binding(shown._terms, put_in=put_in) >= least else f"({text})"


def _fraction(n: Shown, divisor: Shown, pattern: str) -> tuple[str, str]:
    """Both texts of a fraction."""
    formula, substituted = (
        pattern.format(_bracketed(n, put_in, _PRODUCT), _bracketed(divisor, put_in, _POWER))
        for put_in in (False, True)
    )
    return formula, substituted


def _minus(value: Plain) -> str:
    return str(value).replace("-", "−")


def _binding_of(value: Plain) -> int:
    if isinstance(value, int):
        return _ATOM if value >= 0 else _SUM
    [(monomial, coefficient), *others] = value.terms()
    if others or coefficient < 0:
        return _SUM
    if coefficient != 1 or len(monomial) != 1:
        return _PRODUCT
    return _ATOM if monomial[0][1] == 1 else _POWER
