"""The costs of a network with free sizes, at sizes that it has, and how they grow from there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import NamedTuple, TypeAlias

from convcalc.algebra import Polynomial
from convcalc.algebra.assumptions import Assumptions
from convcalc.analysis.formulas import Formula, NetworkFormulas
from convcalc.analysis.growth import Growth, LeadingTerm, NoLeadingTermError, leading_terms
from convcalc.analysis.growth import growth as growth_of

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
    """Each metric of the formulas at those numbers; None if they are not all whole, or not as
    assumed."""
    leading: tuple[tuple[LeadingTerm, ...] | None, ...]
    """Of each metric, in all names together; None where floors leave it open."""
    scalings: tuple[Scaling, ...]


def freed_costs(
    formulas: NetworkFormulas,
    names: tuple[str, ...],
    assumptions: Assumptions,
    own: Mapping[str, Amount | None],
    scalings: Iterable[tuple[tuple[str, Amount], ...]],
    numbers: Numbers,
) -> FreedCosts:
    """The costs ``formulas`` of a network, in which ``names`` are free.

    ``own`` are the numbers of the spec. ``scalings`` say what to multiply together, and by how
    much; of what is not free too. What ``numbers`` raises is passed on.
    """
    whole = {name: value for name, value in own.items() if value is not None}
    at_own = symbol_values(assumptions, {name: whole[name] for name in names if name in whole})
    totals = [formula for _, formula in formulas.totals]
    values = tuple(_value(formula, at_own) for formula in totals)
    return FreedCosts(
        formulas,
        names,
        assumptions,
        tuple((name, own.get(name)) for name in names),
        values,
        tuple(_leading(formula, assumptions) for formula in totals),
        tuple(
            _scaling(formulas, names, assumptions, whole, factors, numbers) for factors in scalings
        ),
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


def _leading(formula: Formula, assumptions: Assumptions) -> tuple[LeadingTerm, ...] | None:
    restored, denominator = assumptions.restored(formula)
    symbols = restored.symbols if isinstance(restored, Polynomial) else ()
    try:
        found = leading_terms(restored, symbols)
    except NoLeadingTermError:
        return None
    return tuple(term._replace(coefficient=term.coefficient / denominator) for term in found)


def _scaling(
    formulas: NetworkFormulas,
    names: tuple[str, ...],
    assumptions: Assumptions,
    own: Mapping[str, Amount],
    factors: tuple[tuple[str, Amount], ...],
    numbers: Numbers,
) -> Scaling:
    later = dict(own)
    for name, factor in factors:
        later[name] = Fraction(own[name]) * factor
        if later[name].denominator == 1:
            later[name] = later[name].numerator
    changed = {name for name, _ in factors}
    before, after = (
        symbol_values(assumptions, {name: sizes[name] for name in names if name in sizes})
        for sizes in (own, later)
    )
    by_numbers = not changed <= set(names) or any(
        not isinstance(sizes[name], int) for sizes in (own, later) for name in changed
    )
    if by_numbers:
        # The formulas of both, of the batch alone.
        both = [numbers(own), numbers({name: later[name] for name in changed} | {})]
        found = [
            [
                _value(formula, {name: int(sizes.get(name, 1)) for name in each.symbols})
                for _, formula in each.totals
            ]
            for each, sizes in zip(both, (own, later), strict=True)
        ]
    else:
        found = [
            [_value(formula, values) for _, formula in formulas.totals]
            if values is not None
            else [None] * len(formulas.totals)
            for values in (before, after)
        ]
    return Scaling(
        factors,
        tuple(
            None if old is None or new is None else Growth(factors, old, new)
            for old, new in zip(*found, strict=True)
        ),
        by_numbers,
    )
