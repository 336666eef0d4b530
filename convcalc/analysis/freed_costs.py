"""The costs of a network with free sizes, at sizes that it has, and how they grow from there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import NamedTuple, TypeAlias

from convcalc.algebra import Polynomial
from convcalc.algebra.assumptions import Assumptions
from convcalc.analysis.formulas import Formula, NetworkFormulas
from convcalc.analysis.growth import Growth, LeadingTerm, NoLeadingTermError, leading_terms

__all__ = ["FreedCosts", "Scaling", "freed_costs", "scaled_together"]

Amount: TypeAlias = int | Fraction
Numbers: TypeAlias = Callable[[Mapping[str, Amount]], NetworkFormulas]
"""The costs of a network with other values of variables and axes; only the batch may be free."""


class Scaling(NamedTuple):
    """What becomes of each metric when some sizes are multiplied."""

    factors: tuple[tuple[str, Amount], ...]
    """What is multiplied, and by how much."""
    growths: tuple[Growth | None, ...]
    """Of each metric; None where the assumptions do not hold, or there is nothing to grow from."""
    by_numbers: bool
    """Whether the network was built anew, as something decides which layers it has."""


class FreedCosts(NamedTuple):
    """What a network costs as formulas, at sizes that it has, and how that grows."""

    formulas: NetworkFormulas
    names: tuple[str, ...]
    """What is free."""
    assumptions: Assumptions
    own: tuple[tuple[str, Amount | None], ...]
    """The number that each of ``names`` has in the spec; None: none."""
    values: tuple[int | None, ...]
    """Each metric at those numbers; None if one is missing, or not as assumed."""
    leading: tuple[tuple[LeadingTerm, ...] | None, ...]
    """Of each metric, in all names together; None where floors leave it open."""
    scalings: tuple[Scaling, ...]


def freed_costs(
    formulas: NetworkFormulas,
    names: tuple[str, ...],
    assumptions: Assumptions,
    own: Mapping[str, Amount | None],
    scalings: Iterable[tuple[tuple[str, Amount], ...]] = (),
    numbers: Numbers | None = None,
) -> FreedCosts:
    """The costs ``formulas`` of a network, in which ``names`` are free.

    ``own`` are the numbers of the spec. ``scalings`` say what to multiply together, and by how
    much; what is not free can be among it if there are ``numbers``. What they raise is passed on.
    """
    before = _Before(
        formulas,
        names,
        assumptions,
        {name: number for name, number in own.items() if number is not None},
    )
    return FreedCosts(
        formulas,
        names,
        assumptions,
        tuple((name, own.get(name)) for name in names),
        before.totals(numbers),
        tuple(_leading(formula, names, assumptions) for _, formula in formulas.totals),
        tuple(before.scaled(factors, numbers) for factors in scalings),
    )


def scaled_together(
    names: tuple[str, ...], spatial: tuple[str, ...], own: Mapping[str, Amount | None]
) -> tuple[tuple[tuple[str, Amount], ...], ...]:
    """What to double by default: the sizes in space together, and each other name by itself."""
    groups = [spatial, *((name,) for name in names if name not in spatial)]
    return tuple(
        tuple((name, 2) for name in group)
        for group in groups
        if group and all(own.get(name) is not None for name in group)
    )


def symbol_values(assumptions: Assumptions, sizes: Mapping[str, Amount]) -> dict[str, int] | None:
    """The values of all symbols, new ones too, at some sizes: h is 7 for H = 32·h = 224.

    None if a size is not whole, or not what is assumed.
    """
    values: dict[str, int] = {}
    for name, size in sizes.items():
        if not isinstance(size, int):
            return None
        values[name] = size
    for name, stands in assumptions.values:
        if name not in values:
            continue
        if not isinstance(stands, Polynomial):
            if values[name] != stands:
                return None
            continue
        # Linear in the one new symbol: H = m·h + c.
        [(_, modulus), *constant] = stands.terms()
        [new] = stands.symbols
        quotient, rest = divmod(values[name] - sum(c for _, c in constant), modulus)
        if rest or quotient < 1 or values.setdefault(new, quotient) != quotient:
            return None
    return values


def _value(formula: Formula, values: Mapping[str, int] | None) -> int | None:
    if isinstance(formula, int):
        return formula
    if values is None or not formula.symbols <= values.keys():
        return None
    return formula.evaluate(values)


def _leading(
    formula: Formula, names: tuple[str, ...], assumptions: Assumptions
) -> tuple[LeadingTerm, ...] | None:
    restored, denominator = assumptions.restored(formula)
    symbols = restored.symbols if isinstance(restored, Polynomial) else frozenset()
    try:
        found = leading_terms(restored, [name for name in names if name in symbols])
    except NoLeadingTermError:
        return None
    return tuple(term._replace(coefficient=term.coefficient / denominator) for term in found)


class _Before(NamedTuple):
    """A network as it is before anything of it is scaled."""

    formulas: NetworkFormulas
    names: tuple[str, ...]
    assumptions: Assumptions
    own: Mapping[str, Amount]

    def scaled(self, factors: tuple[tuple[str, Amount], ...], numbers: Numbers | None) -> Scaling:
        changes = {name: _multiplied(self.own[name], factor) for name, factor in factors}
        later = {**self.own, **changes}
        is_formula = changes.keys() <= set(self.names) and all(
            isinstance(sizes[name], int) for sizes in (self.own, later) for name in changes
        )
        if is_formula or numbers is None:
            before, after = self._at(self.own), self._at(later)
        else:
            before, after = _built(numbers({}), self.own), _built(numbers(changes), later)
        return Scaling(
            factors,
            tuple(
                None if old is None or new is None else Growth(factors, old, new)
                for old, new in zip(before, after, strict=True)
            ),
            by_numbers=not is_formula,
        )

    def totals(self, numbers: Numbers | None) -> tuple[int | None, ...]:
        """Each metric at the sizes of the spec."""
        sizes = [self.own[name] for name in self.names if name in self.own]
        if numbers is not None and not all(isinstance(size, int) for size in sizes):
            # Of a width of 1.1 the formula knows nothing: the spec rounds what comes of it.
            return _built(numbers({}), self.own)
        return self._at(self.own)

    def _at(self, sizes: Mapping[str, Amount]) -> tuple[int | None, ...]:
        values = symbol_values(
            self.assumptions, {name: sizes[name] for name in self.names if name in sizes}
        )
        return tuple(_value(formula, values) for _, formula in self.formulas.totals)


def _built(formulas: NetworkFormulas, sizes: Mapping[str, Amount]) -> tuple[int | None, ...]:
    """Each metric of a network in which nothing but the batch is free."""
    batch = {name: size for name, size in sizes.items() if isinstance(size, int)}
    return tuple(_value(formula, batch) for _, formula in formulas.totals)


def _multiplied(number: Amount, factor: Amount) -> Amount:
    product = Fraction(number) * factor
    return product.numerator if product.denominator == 1 else product
