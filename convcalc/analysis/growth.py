"""How a cost grows with the sizes that it depends on: its leading terms, and what doubling does.

⌊n/d⌋ is n/d but for less than 1, so a formula with floors grows as the polynomial without them, as
long as its degree is above that of what the floors leave open.

What decides about the layers themselves, a depth or a rounded width, is in no formula: there the
cost is worked out at both values, and compared.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from fractions import Fraction
from typing import Final, NamedTuple, TypeAlias

from convcalc.algebra import Polynomial
from convcalc.algebra.polynomial import Atom, Monomial, Symbol

__all__ = [
    "Growth",
    "LeadingTerm",
    "NoLeadingTermError",
    "compound_factor",
    "growth",
    "leading_terms",
]

Formula: TypeAlias = int | Polynomial
Amount: TypeAlias = int | Fraction


class NoLeadingTermError(ValueError):
    """A formula that what its floors leave open is as large as: H − 2·⌊H/2⌋ is 0 or 1."""


class LeadingTerm(NamedTuple):
    """coefficient · Π factor^power: what a formula, divided by it, comes ever nearer to 1."""

    coefficient: Fraction
    factors: tuple[tuple[str, int], ...]
    """Text and power of each factor, sorted; the power is negative below the line.

    Beside the symbols that grow there may be others, and floors of others, which stay as they are.
    """

    def __str__(self) -> str:
        above = [_power(name, power) for name, power in self.factors if power > 0]
        below = [_power(name, -power) for name, power in self.factors if power < 0]
        number = abs(self.coefficient)
        if number.numerator != 1 or not above:
            above.insert(0, str(number.numerator))
        if number.denominator != 1:
            below.insert(0, str(number.denominator))
        sign = "−" if self.coefficient < 0 else ""
        divisor = "·".join(below)
        return f"{sign}{'·'.join(above)}" + (
            "" if not below else f"/{divisor}" if len(below) == 1 else f"/({divisor})"
        )


class Growth(NamedTuple):
    """What becomes of a cost when some sizes are multiplied."""

    factors: tuple[tuple[str, Amount], ...]
    """What is multiplied, and by how much."""
    before: int
    after: int

    @property
    def ratio(self) -> Fraction | None:
        """After divided by before; None if there was none before."""
        return Fraction(self.after, self.before) if self.before else None


def growth(
    cost: Formula | Callable[[Mapping[str, Amount]], int],
    values: Mapping[str, Amount],
    factors: Mapping[str, Amount],
) -> Growth:
    """What becomes of ``cost`` at ``values`` when some of them are multiplied by ``factors``.

    ``cost`` is a formula, or a function of the values for what is none: depth and width may decide
    about the layers. Raises KeyError for a name without a value; ValueError if a formula is to be
    evaluated at what is no integer.
    """
    later = dict(values)
    for name, factor in factors.items():
        later[name] = _plain(Fraction(later[name]) * factor)
    return Growth(tuple(factors.items()), _at(cost, values), _at(cost, later))


def compound_factor(depth: Amount, width: Amount, resolution: Amount) -> Fraction:
    """Depth · width² · resolution²: what scaling a plain network does to its multiply-adds.

    Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks" (2019),
    section 3.3. Their 1.2, 1.1 and 1.15 make it "approximately 2".
    """
    return Fraction(depth) * Fraction(width) ** 2 * Fraction(resolution) ** 2


def _at(cost: Formula | Callable[[Mapping[str, Amount]], int], values: Mapping[str, Amount]) -> int:
    if isinstance(cost, int):
        return cost
    if not isinstance(cost, Polynomial):
        return cost(values)
    sizes = {}
    for name in cost.symbols:
        value = Fraction(values[name])
        if value.denominator != 1:
            raise ValueError(f"{name} is {value}, and a formula is of integers")
        sizes[name] = value.numerator
    return cost.evaluate(sizes)


def _plain(number: Fraction) -> Amount:
    return number.numerator if number.denominator == 1 else number


def _power(name: str, power: int) -> str:
    return name + (str(power).translate(_SUPERSCRIPTS) if power > 1 else "")


_SUPERSCRIPTS: Final = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


# -- leading terms --------------------------------------------------------------------------------


def leading_terms(formula: Formula, names: Collection[str]) -> tuple[LeadingTerm, ...]:
    """The terms of ``formula`` that outgrow all others when the symbols ``names`` grow together.

    Highest in the first name first. Raises `NoLeadingTermError` if floors leave open what they
    are, or something is divided by a sum of several such terms.
    """
    found = _expanded(formula, frozenset(names))
    if not found.terms:
        if found.open_from is None:
            return ()
        raise _no_leading_term(formula)
    top = max(found.degree(term) for term in found.terms)
    if found.open_from is not None and top <= found.open_from:
        raise _no_leading_term(formula)
    order = list(names)
    return tuple(
        sorted(
            (
                LeadingTerm(coefficient, tuple(sorted((str(a), n) for a, n in powers)))
                for powers, coefficient in found.terms.items()
                if found.degree(powers) == top
            ),
            key=lambda term: (
                [-dict(term.factors).get(name, 0) for name in order],
                -sum(power for _, power in term.factors),
                term.factors,
            ),
        )
    )


def _no_leading_term(formula: Formula) -> NoLeadingTermError:
    return NoLeadingTermError(
        f"what the floors of {formula} leave open may be as large as the rest"
    )


Powers: TypeAlias = frozenset[tuple[Atom, int]]
"""Atoms with their powers, negative ones too."""


class _Expansion(NamedTuple):
    """A formula without floors of what grows, and the degree of what that leaves open."""

    terms: dict[Powers, Fraction]
    open_from: int | None
    """The rest grows no faster than this degree; None: there is no rest."""
    names: frozenset[str]

    def degree(self, powers: Powers) -> int:
        """The degree in the symbols that grow."""
        return sum(n for a, n in powers if isinstance(a, Symbol) and a.name in self.names)

    @property
    def largest(self) -> int:
        """The degree of the whole."""
        degrees = [self.degree(powers) for powers in self.terms]
        return max(degrees + ([] if self.open_from is None else [self.open_from]))

    def times(self, other: _Expansion) -> _Expansion:
        terms: dict[Powers, Fraction] = {}
        for one, a in self.terms.items():
            for another, b in other.terms.items():
                powers = _joined(one, another)
                terms[powers] = terms.get(powers, Fraction(0)) + a * b
        rests = [
            rest + factor.largest
            for rest, factor in ((self.open_from, other), (other.open_from, self))
            if rest is not None and (factor.terms or factor.open_from is not None)
        ]
        return _Expansion(
            {powers: a for powers, a in terms.items() if a}, max(rests, default=None), self.names
        )


def _expanded(formula: Formula, names: frozenset[str]) -> _Expansion:
    terms: dict[Powers, Fraction] = {}
    rests: list[int] = []
    for monomial, coefficient in _terms(formula):
        term = _Expansion({frozenset(): Fraction(coefficient)}, None, names)
        for atom, power in monomial:
            factor = _expanded_atom(atom, names)
            for _ in range(power):
                term = term.times(factor)
        for powers, a in term.terms.items():
            terms[powers] = terms.get(powers, Fraction(0)) + a
        if term.open_from is not None:
            rests.append(term.open_from)
    return _Expansion(
        {powers: a for powers, a in terms.items() if a}, max(rests, default=None), names
    )


def _expanded_atom(atom: Atom, names: frozenset[str]) -> _Expansion:
    itself = _Expansion({frozenset([(atom, 1)]): Fraction(1)}, None, names)
    if isinstance(atom, Symbol) or names.isdisjoint(Polynomial({((atom, 1),): 1}).symbols):
        return itself
    numerator, denominator = (_expanded(each, names) for each in (atom.numerator, atom.denominator))
    if len(denominator.terms) != 1 or denominator.open_from is not None:
        raise NoLeadingTermError(f"{atom} divides by what is no single term")
    [(powers, coefficient)] = denominator.terms.items()
    inverse = denominator._replace(terms={frozenset((a, -n) for a, n in powers): 1 / coefficient})
    quotient = numerator.times(inverse)
    # ⌊q⌋ is q but for less than 1: a rest of degree 0.
    return quotient._replace(open_from=max(0, quotient.open_from or 0))


def _joined(one: Powers, other: Powers) -> Powers:
    powers = dict(one)
    for atom, power in other:
        powers[atom] = powers.get(atom, 0) + power
    return frozenset((atom, power) for atom, power in powers.items() if power)


def _terms(formula: Formula) -> Iterator[tuple[Monomial, int]]:
    if isinstance(formula, Polynomial):
        return formula.terms()
    return iter([((), formula)] if formula else [])
