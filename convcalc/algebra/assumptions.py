"""What is taken for granted of a symbol: ``H % 32 == 0``, ``W == H``, ``H >= 64``.

The sizes that satisfy the assumptions are written with a new symbol that has no conditions, such as
H = 32·h. With it in place of H, a floor whose divisor divides 32 is an exact quotient.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from math import gcd, lcm
from typing import Final, NamedTuple

from convcalc.algebra.polynomial import (
    Floor,
    Integral,
    Polynomial,
    symbol,
)

__all__ = [
    "Assumption",
    "AssumptionError",
    "Assumptions",
    "Quotient",
    "assume",
    "parsed",
]

FORMS: Final = "`H % 32 == 0`, `H >= 64`, `H == 224` or `W == H`"
LARGEST: Final = 10**18
"""Of the numbers in an assumption."""

_NUMBER: Final = r"(\d{1,30})"
_NAME: Final = r"([^\W\d]\w*)"
_REMAINDER: Final = re.compile(rf"{_NAME}\s*%\s*{_NUMBER}\s*==\s*{_NUMBER}", re.ASCII)
_LEAST: Final = re.compile(rf"{_NAME}\s*>=\s*{_NUMBER}", re.ASCII)
_VALUE: Final = re.compile(rf"{_NAME}\s*==\s*(?:{_NUMBER}|{_NAME})", re.ASCII)


class AssumptionError(ValueError):
    """An assumption that says nothing, or that no size satisfies; ``help`` is the way out."""

    def __init__(self, message: str, way_out: str) -> None:
        super().__init__(message)
        self.help = way_out


class Assumption(NamedTuple):
    """What is assumed of one symbol: it is ``remainder`` modulo ``modulus``, and ``least`` or more.

    Or it is what another is: then ``same_as`` is the name of that.
    """

    name: str
    modulus: int = 1
    remainder: int = 0
    least: int = 1
    same_as: str | None = None
    value: int | None = None
    text: str = ""
    """As it was written."""


class Quotient(NamedTuple):
    """numerator/denominator, exactly: the denominator divides for all sizes that are assumed."""

    numerator: Integral
    denominator: int


class Assumptions(NamedTuple):
    """Assumptions taken together."""

    texts: tuple[str, ...]
    """As they were written."""
    values: tuple[tuple[str, Integral], ...]
    """What stands in place of each symbol: H with 32·h."""

    @property
    def lines(self) -> tuple[str, ...]:
        """What stands in place of each symbol, to print beside a formula: ``H = 32·h``."""
        return tuple(f"{name} = {value}" for name, value in self.values)

    def symbol_values(self, sizes: Mapping[str, int]) -> dict[str, int] | None:
        """The values of all symbols, new ones too, at some sizes: h is 7 for H = 32·h = 224.

        None if a size is not what is assumed.
        """
        values = dict(sizes)
        for name, stands in self.values:
            if name not in sizes:
                continue
            if not isinstance(stands, Polynomial):
                if sizes[name] != stands:
                    return None
                continue
            # Linear in the one new symbol: H = m·h + c.
            [(_, modulus), *constant] = stands.terms()
            [new] = stands.symbols
            quotient, rest = divmod(sizes[name] - sum(c for _, c in constant), modulus)
            if rest or quotient < 1 or values.setdefault(new, quotient) != quotient:
                return None
        return values

    def applied(self, formula: Integral) -> Integral:
        """``formula`` for the sizes that are assumed, in the new symbols."""
        return formula.substitute(dict(self.values)) if isinstance(formula, Polynomial) else formula

    def restored(self, formula: Integral) -> Quotient:
        """``formula`` in the symbols that the assumptions are about, over a common denominator.

        49·h·w is 49·H·W/1024 where H = 32·h and W = 32·w. In lowest terms.
        """
        known: dict[str, Quotient] = {}
        for name, value in self.values:
            # A symbol that another is the same as is no new one.
            if isinstance(value, Polynomial) and str(value) not in value.symbols:
                [new] = value.symbols
                known.setdefault(new, _solved(name, value))
        return _rewritten(formula, known)


def assume(texts: Iterable[str], symbols: Collection[str]) -> Assumptions:
    """The assumptions that ``texts`` state about ``symbols``, each in one of the `FORMS`.

    Raises `AssumptionError` for a text of another form, a symbol that is not among ``symbols``, and
    assumptions that no integer of at least 1 satisfies together.
    """
    stated = [parsed(each) for each in texts]
    for each in stated:
        for name in (each.name, each.same_as):
            if name is not None and name not in symbols:
                raise AssumptionError(
                    f"{each.text!r} is about {name}, which is not free",
                    f"free it as well, or assume something of {', '.join(sorted(symbols))}"
                    if symbols
                    else "free it as well",
                )
    stands_for = _representatives(stated)
    groups: dict[str, list[Assumption]] = {}
    for each in stated:
        groups.setdefault(stands_for.get(each.name, each.name), []).append(each)
    taken = set(symbols)
    values = {name: _value(name, group, taken) for name, group in groups.items()}
    values |= {name: values[root] for name, root in stands_for.items()}
    return Assumptions(
        tuple(each.text for each in stated),
        tuple((name, value) for name, value in values.items() if str(value) != name),
    )


def parsed(text: str) -> Assumption:
    """The assumption that a text states. Raises `AssumptionError` if it has none of the `FORMS`."""
    bare = text.strip()
    if match := _REMAINDER.fullmatch(bare):
        name, modulus, remainder = match[1], int(match[2]), int(match[3])
        if modulus < 1 or max(modulus, remainder) > LARGEST:
            raise AssumptionError(
                f"{text!r} divides by {modulus}", f"divide by a number from 1 to {LARGEST}"
            )
        if remainder >= modulus:
            raise AssumptionError(
                f"{text!r} holds for no size: what is left is less than {modulus}",
                f"say `{name} % {modulus} == {remainder % modulus}`",
            )
        return Assumption(name, modulus=modulus, remainder=remainder, text=bare)
    if match := _LEAST.fullmatch(bare):
        return Assumption(match[1], least=_in_range(int(match[2]), text), text=bare)
    if match := _VALUE.fullmatch(bare):
        name, number, other = match.groups()
        if other is not None:
            return Assumption(name, same_as=other, text=bare)
        return Assumption(name, value=_in_range(int(number), text), text=bare)
    raise AssumptionError(f"{text!r} is no assumption that can be used", f"write one as {FORMS}")


def _in_range(number: int, text: str) -> int:
    if 1 <= number <= LARGEST:
        return number
    raise AssumptionError(
        f"{text!r}: a size is an integer of at least 1", f"use a number from 1 to {LARGEST}"
    )


def _representatives(stated: list[Assumption]) -> dict[str, str]:
    """For each symbol that is the same as others, the one that stands for all of them."""
    roots: dict[str, str] = {}

    def root(name: str) -> str:
        while roots.get(name, name) != name:
            name = roots[name]
        return name

    for each in stated:
        if each.same_as is not None:
            one, other = root(each.name), root(each.same_as)
            roots.setdefault(other, other)
            roots[one] = other
    return {name: root(name) for name in roots}


def _value(name: str, group: list[Assumption], taken: set[str]) -> Integral:
    """What stands in place of ``name``: all sizes that satisfy the group, and no other."""
    modulus, remainder, least = 1, 0, 1
    fixed: int | None = None
    for each in group:
        joined = _congruent_to_both(modulus, remainder, each.modulus, each.remainder)
        if joined is None or (None not in {fixed, each.value} and fixed != each.value):
            raise _contradiction(group)
        modulus, remainder = joined
        least = max(least, each.least)
        fixed = fixed if each.value is None else each.value
    if fixed is not None:
        if fixed < least or fixed % modulus != remainder:
            raise _contradiction(group)
        return fixed
    first = least + (remainder - least) % modulus
    if modulus == first == 1:
        return symbol(name)
    return modulus * symbol(_new_name(name, modulus, taken)) + (first - modulus)


def _contradiction(group: list[Assumption]) -> AssumptionError:
    *others, last = (f"`{each.text}`" for each in group)
    return AssumptionError(
        f"no size satisfies {', '.join(others)} and {last} together", "leave one of them out"
    )


def _congruent_to_both(m: int, r: int, n: int, s: int) -> tuple[int, int] | None:
    """The modulus and remainder of what is r mod m and s mod n; None if nothing is.

    The Chinese remainder theorem: r + m·t is s mod n for t = (s − r)/g · (m/g)⁻¹ mod n/g, g the
    greatest common divisor of m and n.
    """
    g = gcd(m, n)
    if (s - r) % g:
        return None
    modulus = lcm(m, n)
    t = (s - r) // g * pow(m // g, -1, n // g)
    return modulus, (r + m * t) % modulus


def _new_name(name: str, modulus: int, taken: set[str]) -> str:
    """``h`` for ``H``; where that is taken, or no other name, one with a number."""
    new = name.lower()
    count = modulus
    while new in taken:
        new = f"{name}_{count}"
        count += 1
    taken.add(new)
    return new


# -- back to the symbols that the assumptions are about -------------------------------------------


def _solved(name: str, value: Polynomial) -> Quotient:
    """H = (H − c)/m, from H = m·h + c."""
    [(_, modulus), *constant] = value.terms()
    return Quotient(symbol(name) - sum(c for _, c in constant), modulus)


def _rewritten(formula: Integral, known: dict[str, Quotient]) -> Quotient:
    if isinstance(formula, int):
        return Quotient(formula, 1)
    total = Quotient(0, 1)
    for monomial, coefficient in formula.terms():
        above: Integral = coefficient
        below = 1
        for atom, power in monomial:
            if isinstance(atom, Floor):
                n, d = _rewritten(atom.numerator, known), _rewritten(atom.denominator, known)
                # ⌊(a/b)/(c/d)⌋ = ⌊a·d/(b·c)⌋
                factor = Quotient(n.numerator * d.denominator // (d.numerator * n.denominator), 1)
            else:
                factor = known.get(atom.name, Quotient(symbol(atom.name), 1))
            above = above * factor.numerator**power
            below *= factor.denominator**power
        common = lcm(total.denominator, below)
        total = Quotient(
            total.numerator * (common // total.denominator) + above * (common // below), common
        )
    return _lowest(total)


def _lowest(quotient: Quotient) -> Quotient:
    numerator, denominator = quotient
    terms = numerator.terms() if isinstance(numerator, Polynomial) else [((), numerator)]
    common = gcd(denominator, *(coefficient for _, coefficient in terms))
    return Quotient(numerator // common, denominator // common)
