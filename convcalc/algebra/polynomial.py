"""Integer polynomials over symbols and floor atoms, in a canonical form.

A `Polynomial` is a sum of integer multiples of monomials; a monomial is a product of powers of
**atoms**; an atom is a `Symbol` (``H``) or a `Floor` (``⌊(H + 1)/2⌋``). Every operation
brings its result to canonical form, so like terms merge, floors included, and formulas that differ
only in the order of their steps compare equal. A result without atoms is a plain ``int``, never a
constant polynomial.

Symbols stand for sizes and counts: integers of at least 1. Comparisons are decided from that, and
raise `UndecidableError` where they cannot be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from math import gcd, lcm
from re import split
from typing import Final, NamedTuple, TypeAlias, Union, cast

__all__ = [
    "Floor",
    "Polynomial",
    "Question",
    "Symbol",
    "UndecidableError",
    "answering",
    "common_factor",
    "exact_quotient",
    "greatest_common_divisor",
    "sum_of_many",
    "symbol",
]

Integral: TypeAlias = Union[int, "Polynomial"]


class Question(NamedTuple):
    """Whether ``difference`` is 0, or with ``is_order`` whether it is less than 0."""

    difference: Integral
    is_order: bool

    @property
    def key(self) -> tuple[str, bool]:
        """What two questions share that are one: formulas cannot always be compared."""
        return str(self.difference), self.is_order


class UndecidableError(ValueError):
    """A comparison of formulas that "every symbol is at least 1" does not decide.

    ``symbols`` are the names whose values would decide it; ``question`` is what was compared, None
    if that was no comparison of two formulas.
    """

    def __init__(
        self, text: str, symbols: frozenset[str], question: Question | None = None
    ) -> None:
        super().__init__(
            f"cannot decide whether {text}: it depends on {', '.join(sorted(symbols))}"
        )
        self.symbols = symbols
        self.question = question


_ANSWERS: ContextVar[Mapping[tuple[str, bool], bool] | None] = ContextVar("answers", default=None)
"""Answers to questions that would be undecidable, while `answering` is at work."""


@contextmanager
def answering(answers: Mapping[tuple[str, bool], bool]) -> Iterator[None]:
    """Let comparisons of formulas that are undecidable have ``answers``, by `Question.key`."""
    token = _ANSWERS.set(answers)
    try:
        yield
    finally:
        _ANSWERS.reset(token)


class Symbol:
    """A free variable: an integer of at least 1."""

    # No record, as those of `Floor`: atoms are compared, hashed and sorted in every operation, so
    # they keep what that takes. Two are equal if they are written alike.
    __slots__ = ("_hash", "name", "rank")

    name: str
    rank: tuple[bool, str]
    """What atoms are sorted by: symbols before floors, then by their texts."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.rank = (False, name)
        self._hash = hash(self.rank)

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Symbol) and self.name == other.name)

    def __hash__(self) -> int:
        return self._hash

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"<Symbol {self}>"


class Floor:
    """⌊numerator/denominator⌋ in lowest form, denominator positive and not 1."""

    __slots__ = ("_hash", "denominator", "numerator", "rank")

    numerator: Integral
    denominator: Integral
    rank: tuple[bool, str]

    def __init__(self, numerator: Integral, denominator: Integral) -> None:
        self.numerator = numerator
        self.denominator = denominator
        above, below = str(numerator), str(denominator)
        if len(_terms_of(numerator)) > 1:
            above = f"({above})"
        if not _is_factor(denominator):  # a/2·W would be read as (a/2)·W
            below = f"({below})"
        self.rank = (True, f"⌊{above}/{below}⌋")
        self._hash = hash(self.rank)

    def __eq__(self, other: object) -> bool:
        # Of the texts, which canonical forms share only if they are one: whether the values are
        # equal may be undecidable.
        return self is other or (isinstance(other, Floor) and self.rank == other.rank)

    def __hash__(self) -> int:
        return self._hash

    def __str__(self) -> str:
        return self.rank[1]

    def __repr__(self) -> str:
        return f"<Floor {self}>"


Atom: TypeAlias = Symbol | Floor
Monomial: TypeAlias = tuple[tuple[Atom, int], ...]
"""Powers of atoms, ``((H, 2), (W, 1))`` for H²·W, sorted by `_rank`; ``()`` is 1."""

_CONSTANT: Monomial = ()


class Polynomial:
    """An integer polynomial with at least one atom. Build one from `symbol` and arithmetic.

    >>> H = symbol("H")
    >>> str(((H - 1) // 2 + 1 - 1) // 2 + 1)
    '⌊(H + 3)/4⌋'
    """

    __slots__ = ("_hash", "_terms", "_text")

    _terms: dict[Monomial, int]
    _hash: int | None
    _text: str | None

    def __init__(self, terms: dict[Monomial, int]) -> None:
        """Take over ``terms`` (monomial to non-zero coefficient, one of them not constant)."""
        self._terms = terms
        self._hash = None
        self._text = None

    # -- arithmetic ---------------------------------------------------------------------------

    def __add__(self, other: Integral) -> Integral:
        if not isinstance(other, int | Polynomial):
            return NotImplemented
        terms = dict(self._terms)
        for monomial, coefficient in _terms_of(other).items():
            added = terms.get(monomial, 0) + coefficient
            if added:
                terms[monomial] = added
            else:
                del terms[monomial]
        return _formula(terms)

    __radd__ = __add__

    def __neg__(self) -> Integral:
        return Polynomial({monomial: -coefficient for monomial, coefficient in self._terms.items()})

    def __pos__(self) -> Polynomial:
        return self

    def __sub__(self, other: Integral) -> Integral:
        if not isinstance(other, int | Polynomial):
            return NotImplemented
        return self + -other

    def __rsub__(self, other: Integral) -> Integral:
        return -self + other

    def __mul__(self, other: Integral) -> Integral:
        if not isinstance(other, int | Polynomial):
            return NotImplemented
        if isinstance(other, int):
            if other in {0, 1}:
                return self if other else 0
            return Polynomial({monomial: a * other for monomial, a in self._terms.items()})
        terms: dict[Monomial, int] = {}
        for left, a in self._terms.items():
            for right, b in other._terms.items():
                monomial = _times(left, right)
                terms[monomial] = terms.get(monomial, 0) + a * b
        return _canonical(terms)

    __rmul__ = __mul__

    def __pow__(self, exponent: int) -> Integral:
        if not isinstance(exponent, int) or exponent < 0:
            raise ValueError(f"a formula has powers 0, 1, 2, … only, not {exponent}")
        result: Integral = 1
        for _ in range(exponent):
            result = result * self
        return result

    def __floordiv__(self, other: Integral) -> Integral:
        if not isinstance(other, int | Polynomial):
            return NotImplemented
        return _floor_quotient(self, other)

    def __rfloordiv__(self, other: Integral) -> Integral:
        if not isinstance(other, int):
            return NotImplemented
        return _floor_quotient(other, self)

    def __mod__(self, other: Integral) -> Integral:
        if not isinstance(other, int | Polynomial):
            return NotImplemented
        return self - other * (self // other)

    def __rmod__(self, other: Integral) -> Integral:
        return other - self * (other // self)

    # -- comparison: decided for all values of the symbols, or an error -------------------------

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, int | Polynomial):
            return NotImplemented
        if isinstance(other, Polynomial) and self._terms == other._terms:
            return True
        low, high = _bounds(self - other)
        if (low is not None and low > 0) or (high is not None and high < 0):
            return False
        difference = self - other
        # Whether it is 0, whichever was taken from the other.
        if next(iter(cast("Polynomial", difference).terms()))[1] < 0:
            difference = -difference
        question = Question(difference, is_order=False)
        return _answered(
            UndecidableError(f"{self} = {other}", _symbols(self) | _symbols(other), question)
        )

    def __hash__(self) -> int:
        # Unlike formulas must not share a hash: a look-up would have to compare them, which can be
        # undecidable. Coefficients as they are would: hash(-1) is hash(-2).
        if self._hash is None:
            self._hash = hash(
                frozenset(
                    (monomial, 2 * a if a > 0 else 1 - 2 * a) for monomial, a in self._terms.items()
                )
            )
        return self._hash

    def __lt__(self, other: Integral) -> bool:
        if not isinstance(other, int | Polynomial):
            return NotImplemented
        return _ordered(self - other, "<", self, other)

    def __le__(self, other: Integral) -> bool:
        if not isinstance(other, int | Polynomial):
            return NotImplemented
        return not _ordered(other - self, "<", other, self)

    def __gt__(self, other: Integral) -> bool:
        if not isinstance(other, int | Polynomial):
            return NotImplemented
        return _ordered(other - self, "<", other, self)

    def __ge__(self, other: Integral) -> bool:
        if not isinstance(other, int | Polynomial):
            return NotImplemented
        return not _ordered(self - other, "<", self, other)

    def __bool__(self) -> bool:
        return self != 0

    # -- reading ----------------------------------------------------------------------------------

    @property
    def symbols(self) -> frozenset[str]:
        """The names of the symbols in the formula, those inside floors included."""
        return frozenset(
            name for monomial in self._terms for atom, _ in monomial for name in _atom_symbols(atom)
        )

    def terms(self) -> Iterator[tuple[Monomial, int]]:
        """Each monomial with its coefficient, highest degree first, then by name."""
        return iter(sorted(self._terms.items(), key=lambda term: _print_order(term[0])))

    def substitute(self, values: Mapping[str, Integral]) -> Integral:
        """The formula with ``values`` in place of the symbols they name."""
        done: dict[Atom, Integral] = {}

        def value_of(atom: Atom) -> Integral:
            if atom not in done:
                if isinstance(atom, Symbol):
                    done[atom] = values.get(atom.name, Polynomial({((atom, 1),): 1}))
                else:
                    done[atom] = rebuild(atom.numerator) // rebuild(atom.denominator)
            return done[atom]

        def rebuild(formula: Integral) -> Integral:
            if isinstance(formula, int):
                return formula
            return sum_of_many(
                product_of(monomial, coefficient)
                for monomial, coefficient in formula._terms.items()
            )

        def product_of(monomial: Monomial, coefficient: int) -> Integral:
            part: Integral = coefficient
            for atom, power in monomial:
                part = part * value_of(atom) ** power
            return part

        return rebuild(self)

    def evaluate(self, values: Mapping[str, int]) -> int:
        """The integer that the formula has at ``values``.

        Raises KeyError for a symbol without a value, ZeroDivisionError for a zero divisor.
        """
        for name in sorted(self.symbols):
            if name not in values:
                raise KeyError(name)
        result = self.substitute(values)
        if isinstance(result, Polynomial):
            raise TypeError("the values given are formulas themselves: use substitute()")
        return result

    def __str__(self) -> str:
        if self._text is None:
            text = ""
            for monomial, coefficient in self.terms():
                sign = "-" if coefficient < 0 else "+"
                term = _term_text(monomial, abs(coefficient))
                if text:
                    text += f" {sign} {term}"
                else:
                    text = f"-{term}" if sign == "-" else term
            self._text = text.replace("-", "−")
        return self._text

    def __format__(self, spec: str) -> str:
        return str(self) if spec == "," else format(str(self), spec)

    def __repr__(self) -> str:
        return f"<Polynomial {self}>"


def symbol(name: str) -> Polynomial:
    """The free variable ``name`` as a formula: an integer of at least 1."""
    return Polynomial({((Symbol(name), 1),): 1})


def sum_of_many(formulas: Iterable[Integral]) -> Integral:
    """The sum of ``formulas``; 0 if there are none. As ``+`` makes it, in one pass."""
    terms: dict[Monomial, int] = {}
    for formula in formulas:
        for monomial, coefficient in _terms_of(formula).items():
            terms[monomial] = terms.get(monomial, 0) + coefficient
    return _canonical(terms)


def common_factor(formula: Integral) -> Integral:
    """The greatest term, a number times symbols and floors, that divides each term of ``formula``.

    Its coefficient is positive; 1 if the terms have nothing in common, and of 0.
    """
    terms = _terms_of(formula)
    if not terms:
        return 1
    return _canonical({tuple(sorted(_shared_factor(*terms), key=_rank)): gcd(*terms.values())})


def exact_quotient(numerator: Integral, denominator: Integral) -> Integral | None:
    """The q with q·denominator = numerator for all values of the symbols; None if there is none.

    Raises ZeroDivisionError if the denominator is zero.
    """
    if isinstance(denominator, int) and denominator == 0:
        raise ZeroDivisionError("division by zero")
    quotient, rest = _long_division(numerator, denominator)
    return quotient if _is_zero(rest) else None


def greatest_common_divisor(a: Integral, b: int) -> Integral:
    """gcd(a, b) for b > 0, as a formula if a is one.

    Σ φ(d) over the common divisors d of a and b, φ Euler's totient: by Gauss, Σ φ(d) over the
    divisors of g is g. d divides a where ⌊a/d⌋ − ⌈a/d⌉ + 1 is 1, and not where it is 0.
    """
    if isinstance(a, int):
        return gcd(a, b)
    return b + sum_of_many(
        (a // d - (a + d - 1) // d) * totient for d, totient in _divisors_with_totients(b)
    )


def _divisors_with_totients(number: int) -> list[tuple[int, int]]:
    """Each divisor d of ``number`` > 0 with φ(d), how many of 1 … d have no factor with it.

    φ(p) = p − 1 for a prime p, φ(p·m) = p·φ(m) if p divides m, and φ is multiplicative.
    """
    found = [(1, 1)]
    p = 2
    while number > 1:
        if p * p > number:
            p = number
        power = [(1, 1)]
        while number % p == 0:
            number //= p
            d, totient = power[-1]
            power.append((d * p, totient * (p - 1 if d == 1 else p)))
        if len(power) > 1:
            found = [(d * e, s * t) for d, s in found for e, t in power]
        p += 1
    return found


# -- the laws of the floor ------------------------------------------------------------------------


def _floor_quotient(numerator: Integral, divisor: Integral) -> Integral:
    """⌊numerator/divisor⌋ in canonical form; the divisor's sign must be known."""
    if isinstance(divisor, int):
        if divisor == 1:
            return numerator
        if isinstance(numerator, int):
            return numerator // divisor
    return _floor_of(numerator, divisor)


# Layers after layers divide the same sizes by the same strides.
@lru_cache(maxsize=4096)
def _floor_of(numerator: Integral, divisor: Integral) -> Integral:
    """`_floor_quotient` of what is not plain integers."""
    # Not by answers to what is undecidable, which hold for a while only: this is remembered.
    if divisor < 0 if isinstance(divisor, int) else _decide(divisor, "<", divisor, 0):
        return _floor_quotient(-numerator, -divisor)
    # Exact multiples come out: (d·x + r)//d = x + r//d.
    quotient, rest = _long_division(numerator, divisor)
    # The common divisor cancels: (g·x + r)//(g·d) = (x + r//g)//d.
    rest, divisor = _lowest_terms(rest, divisor)
    if _is_zero(rest):
        return quotient
    # What lies within one divisor of 0 rounds to 0 or −1: 0 ≤ r < d, or −d ≤ r < 0.
    low, high = _bounds(rest)
    if low is not None and low >= 0 and _is_negative(rest - divisor):
        return quotient
    if high is not None and high < 0 and _is_negative(-rest - divisor - 1):
        return quotient - 1
    # Nested floors merge: (x//c + r)//d = (x + r·c)//(c·d).
    inner = _only_floor(_terms_of(rest))
    if inner is not None:
        product = inner.denominator * divisor
        if _is_negative(-product - 1):  # as c and d are known not to be negative, so must c·d be
            others = rest - Polynomial({((inner, 1),): 1})
            return quotient + _floor_quotient(inner.numerator + others * inner.denominator, product)
    return quotient + Polynomial({((Floor(rest, divisor), 1),): 1})


def _only_floor(terms: dict[Monomial, int]) -> Floor | None:
    """The floor atom of ``terms`` if there is exactly one, in a term of its own with factor 1."""
    floors = [
        (atom, power, monomial)
        for monomial in terms
        for atom, power in monomial
        if isinstance(atom, Floor)
    ]
    if len(floors) != 1:
        return None
    atom, power, monomial = floors[0]
    return atom if power == 1 and len(monomial) == 1 and terms[monomial] == 1 else None


def _long_division(numerator: Integral, divisor: Integral) -> tuple[Integral, Integral]:
    """(q, r) with numerator = q·divisor + r, and as little in r as the divisor's first term allows.

    Where a term of r is a multiple of the divisor's leading monomial, its coefficient is less than
    the leading one; so numerators that differ by a multiple of the divisor have the same r.
    """
    whole: dict[Monomial, int] = {}
    rest: dict[Monomial, int] = {}
    if isinstance(divisor, int):
        for monomial, coefficient in _terms_of(numerator).items():
            whole[monomial], rest[monomial] = divmod(coefficient, divisor)
        return _canonical(whole), _canonical(rest)
    if len(divisor._terms) == 1:  # what is left of one term has no bearing on another
        [(lead, by)] = divisor._terms.items()
        for monomial, coefficient in _terms_of(numerator).items():
            ratio = _over(monomial, lead)
            if ratio is None:
                rest[monomial] = coefficient
            else:
                whole[ratio], rest[monomial] = divmod(coefficient, by)
        return _canonical(whole), _canonical(rest)
    lead = max(divisor._terms, key=_degree_order)
    open_terms = numerator
    while not _is_zero(open_terms):
        terms = _terms_of(open_terms)
        monomial = max(terms, key=_degree_order)
        ratio = _over(monomial, lead)
        times = terms[monomial] // divisor._terms[lead]
        if ratio is None or times == 0:
            rest[monomial] = terms[monomial]
            open_terms = open_terms - _canonical({monomial: terms[monomial]})
        else:
            whole[ratio] = times
            open_terms = open_terms - _canonical({ratio: times}) * divisor
    return _canonical(whole), _canonical(rest)


def _lowest_terms(numerator: Integral, divisor: Integral) -> tuple[Integral, Integral]:
    """A numerator and divisor without a common factor, for the same ⌊numerator/divisor⌋."""
    terms = dict(_terms_of(numerator))
    constant = terms.pop(_CONSTANT, 0)
    divisors = _terms_of(divisor)
    # The constant need not be a multiple: ⌊(g·x + r)/(g·d)⌋ = ⌊(x + ⌊r/g⌋)/d⌋.
    common = gcd(*divisors.values(), *terms.values())
    if common > 1:
        constant //= common
        terms = {monomial: coefficient // common for monomial, coefficient in terms.items()}
        divisors = {monomial: coefficient // common for monomial, coefficient in divisors.items()}
    if constant:
        terms[_CONSTANT] = constant
    elif isinstance(divisor, Polynomial):
        shared = _shared_factor(*terms, *divisors)
        terms = {_over(monomial, shared) or _CONSTANT: a for monomial, a in terms.items()}
        divisors = {_over(monomial, shared) or _CONSTANT: a for monomial, a in divisors.items()}
    return _canonical(terms), _canonical(divisors)


# -- monomials and terms --------------------------------------------------------------------------


def _terms_of(formula: Integral) -> dict[Monomial, int]:
    if isinstance(formula, Polynomial):
        return formula._terms
    return {_CONSTANT: formula} if formula else {}


def _is_zero(formula: Integral) -> bool:
    return isinstance(formula, int) and formula == 0


def _canonical(terms: dict[Monomial, int]) -> Integral:
    """The formula of ``terms``, those with a coefficient of 0 left out. May take them over."""
    if 0 in terms.values():
        terms = {monomial: coefficient for monomial, coefficient in terms.items() if coefficient}
    return _formula(terms)


def _formula(terms: dict[Monomial, int]) -> Integral:
    """The formula of ``terms``, none with a coefficient of 0. Takes them over."""
    if len(terms) > 1:
        return Polynomial(terms)
    return Polynomial(terms) if terms and _CONSTANT not in terms else terms.get(_CONSTANT, 0)


def _times(left: Monomial, right: Monomial) -> Monomial:
    if not left or not right:
        return left or right
    powers = dict(left)
    for atom, power in right:
        powers[atom] = powers.get(atom, 0) + power
    return tuple(sorted(powers.items(), key=_rank))


def _over(monomial: Monomial, divisor: Monomial) -> Monomial | None:
    powers = dict(monomial)
    for atom, power in divisor:
        left = powers.get(atom, 0) - power
        if left < 0:
            return None
        powers[atom] = left
    return tuple((atom, power) for atom, power in powers.items() if power)


def _shared_factor(first: Monomial, *others: Monomial) -> Monomial:
    """The greatest monomial that divides all of them."""
    shared = dict(first)
    for monomial in others:
        powers = dict(monomial)
        shared = {
            atom: min(power, powers[atom]) for atom, power in shared.items() if atom in powers
        }
    return tuple(shared.items())


def _rank(factor: tuple[Atom, int]) -> tuple[bool, str]:
    return factor[0].rank


def _degree_order(monomial: Monomial) -> tuple[int, list[tuple[bool, str]]]:
    """Total degree first, then the factors spelled out: compatible with multiplication."""
    spelled = [_rank((atom, power)) for atom, power in monomial for _ in range(power)]
    return len(spelled), spelled


def _print_order(monomial: Monomial) -> tuple[int, list[PrintOrder]]:
    degree = sum(power for _, power in monomial)
    return -degree, [_atom_order(atom) for atom, power in monomial for _ in range(power)]


PrintOrder: TypeAlias = tuple[bool, bool, int, list[tuple[bool, int, str]]]


@lru_cache(maxsize=4096)
def _atom_order(atom: Atom) -> PrintOrder:
    """Symbols, then floors by what they divide by, ⌊H/8⌋ before ⌊H/16⌋, then both by their texts.

    Numbers in a text go by what they are worth.
    """
    divisor = atom.denominator if isinstance(atom, Floor) else 0
    parts = split(r"([0-9]+)", str(atom))
    return (
        isinstance(atom, Floor),
        isinstance(divisor, Polynomial),
        divisor if isinstance(divisor, int) else 0,
        [(part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts],
    )


def _symbols(formula: Integral) -> frozenset[str]:
    return formula.symbols if isinstance(formula, Polynomial) else frozenset()


def _atom_symbols(atom: Atom) -> frozenset[str]:
    if isinstance(atom, Symbol):
        return frozenset((atom.name,))
    return _symbols(atom.numerator) | _symbols(atom.denominator)


# -- bounds: what is known of a formula when every symbol is at least 1 ---------------------------

Bound: TypeAlias = int | None
"""None: no bound is known."""
MOST_NESTED: Final = 8
"""Floors within floors that a comparison looks through."""
LARGEST_FACTOR: Final = 10**12
MOST_POWERS: Final = 8
"""Factors of a term that a comparison multiplies out."""


def _bounds(formula: Integral) -> tuple[Bound, Bound]:
    if isinstance(formula, int):
        return formula, formula
    low: Bound = 0
    high: Bound = 0
    for monomial, coefficient in formula._terms.items():
        term_low, term_high = _monomial_bounds(monomial)
        if coefficient < 0:
            term_low, term_high = term_high, term_low
        low = None if low is None or term_low is None else low + coefficient * term_low
        high = None if high is None or term_high is None else high + coefficient * term_high
    return low, high


def _monomial_bounds(monomial: Monomial) -> tuple[Bound, Bound]:
    if len(monomial) == 1 and monomial[0][1] == 1:
        return _atom_bounds(monomial[0][0])
    low: int = 1
    high: Bound = 1
    for atom, power in monomial:
        atom_low, atom_high = _atom_bounds(atom)
        if atom_low is None or atom_low < 0:
            return None, None
        low *= atom_low**power
        high = None if high is None or atom_high is None else high * atom_high**power
    return low, high


def _atom_bounds(atom: Atom) -> tuple[Bound, Bound]:
    if isinstance(atom, Symbol):
        return 1, None
    low, high = _bounds(atom.numerator)
    if isinstance(atom.denominator, int):
        least = None if low is None else low // atom.denominator
        return least, None if high is None else high // atom.denominator
    # Dividing by a formula of at least 1 brings a value no further from 0.
    return None if low is None else min(low, 0), None if high is None else max(high, 0)


def _without_floors(formula: Integral, *, at_least: bool) -> tuple[int, Integral]:
    """A factor of at least 1, and a bound of the formula times it, with fewer floors.

    The law, for d > 0: n − (d − 1) ≤ d·⌊n/d⌋ ≤ n. Floors within floors are bounded in turn; a floor
    that is multiplied by another atom stays.
    """
    factor = 1
    for _ in range(MOST_NESTED):
        terms = _terms_of(formula)
        floors = {
            monomial: atom
            for monomial in terms
            if len(monomial) == 1
            and monomial[0][1] == 1
            and isinstance(atom := monomial[0][0], Floor)
            and isinstance(atom.denominator, int)
        }
        if not floors:
            break
        common = lcm(*(cast("int", atom.denominator) for atom in floors.values()))
        if factor * common > LARGEST_FACTOR:
            break
        factor *= common
        bound: Integral = 0
        for monomial, coefficient in terms.items():
            if monomial in floors:
                n, d = floors[monomial].numerator, cast("int", floors[monomial].denominator)
                if (coefficient > 0) is at_least:
                    n = n - (d - 1)
                bound = bound + common // d * coefficient * n
            else:
                bound = bound + _canonical({monomial: common * coefficient})
        formula = bound
    return factor, formula


def _bounds_from_least(formula: Integral) -> tuple[Bound, Bound]:
    """Bounds of a formula written in what its atoms exceed their least values by.

    Terms may cancel there: 4·h² − 4·h + 1 is 4·t² + 4·t + 1 for h = t + 1, and so at least 1. What
    is left has the least values, 0, of all t; it is a bound if no other term goes beyond it.
    """
    terms: dict[Monomial, int] = {}
    for monomial, coefficient in _terms_of(formula).items():
        if sum(power for _, power in monomial) > MOST_POWERS:
            return None, None
        expanded = {_CONSTANT: coefficient}
        for atom, power in monomial:
            least = _atom_bounds(atom)[0]
            if least is None:
                return None, None
            for _ in range(power):
                more: dict[Monomial, int] = {}
                for part, a in expanded.items():
                    larger = _times(part, ((atom, 1),))
                    more[larger] = more.get(larger, 0) + a
                    more[part] = more.get(part, 0) + a * least
                expanded = more
        for part, a in expanded.items():
            terms[part] = terms.get(part, 0) + a
    constant = terms.pop(_CONSTANT, 0)
    return (
        constant if all(a >= 0 for a in terms.values()) else None,
        constant if all(a <= 0 for a in terms.values()) else None,
    )


def _is_negative(formula: Integral) -> bool:
    """Whether the formula is known to be less than 0."""
    high = _bounds(formula)[1]
    return high is not None and high < 0


def _ordered(difference: Integral, sign: str, left: Integral, right: Integral) -> bool:
    """`_decide`, or the answer that there is for the time being."""
    try:
        return _decide(difference, sign, left, right)
    except UndecidableError as error:
        return _answered(error)


def _answered(error: UndecidableError) -> bool:
    """The answer to what is undecidable. Raises the error if there is none."""
    answers = _ANSWERS.get()
    if answers is None or error.question is None or error.question.key not in answers:
        raise error
    return answers[error.question.key]


def _decide(difference: Integral, sign: str, left: Integral, right: Integral) -> bool:
    low, high = _bounds(difference)
    if high is not None and high < 0:
        return True
    if low is not None and low >= 0:
        return False
    # With the floors bounded by what they round, formulas of the same symbol may cancel:
    # 16·⌊(H + 15)/16⌋ is at least H, and 8·⌊(H + 7)/8⌋ at most H + 7.
    factor, above = _without_floors(difference, at_least=False)
    high = _bounds(above)[1]
    if high is not None and high < 0:
        return True
    factor, below = _without_floors(difference, at_least=True)
    low = _bounds(below)[0]
    # The difference is a multiple of what divides all its coefficients: above −g is 0 or more.
    if low is not None and low > -factor * gcd(*_terms_of(difference).values()):
        return False
    low, high = _bounds_from_least(difference)
    if high is not None and high < 0:
        return True
    if low is not None and low >= 0:
        return False
    raise UndecidableError(
        f"{left} {sign} {right}",
        _symbols(left) | _symbols(right),
        Question(difference, is_order=True),
    )


# -- printing -------------------------------------------------------------------------------------

_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def _term_text(monomial: Monomial, coefficient: int) -> str:
    factors = [
        str(atom) + (str(power).translate(_SUPERSCRIPTS) if power > 1 else "")
        for atom, power in monomial
    ]
    if coefficient != 1 or not factors:
        factors.insert(0, str(coefficient))
    return "·".join(factors)


def _is_factor(divisor: Integral) -> bool:
    """Whether the text of ``divisor`` is one factor, neither a sum nor a product."""
    if isinstance(divisor, int):
        return True
    [(monomial, coefficient), *others] = divisor._terms.items()
    return not others and coefficient == 1 and len(monomial) == 1
