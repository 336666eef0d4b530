"""The costs of a network with free sizes, at sizes that it has, and how they grow from there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import NamedTuple, TypeAlias

from convcalc.algebra import Polynomial
from convcalc.algebra.assumptions import Assumptions
from convcalc.algebra.conditions import Condition
from convcalc.analysis.formulas import Formula, NetworkFormulas
from convcalc.analysis.growth import Growth, LeadingTerm, NoLeadingTermError, leading_terms
from convcalc.errors import ConvcalcError

__all__ = [
    "FreedCosts",
    "Scaling",
    "freed_costs",
    "scaled_together",
    "sizes_as_assumed",
    "symbol_values",
]

Amount: TypeAlias = int | Fraction
Numbers: TypeAlias = Callable[[Mapping[str, Amount]], NetworkFormulas]
"""The costs of a network with other values of variables and axes; only the batch may be free.

Raises `ConvcalcError` where there is no such network.
"""


class Scaling(NamedTuple):
    """What becomes of each metric when some sizes are multiplied."""

    factors: tuple[tuple[str, Amount], ...]
    """What is multiplied, and by how much."""
    growths: tuple[Growth | None, ...]
    """Of each metric; None where the assumptions do not hold, or there is nothing to grow from."""
    by_numbers: bool
    """Whether the network was built anew, as something decides which layers it has."""
    refused: str | None = None
    """Why there is no network at the later sizes, if there is none: then nothing grows."""


class FreedCosts(NamedTuple):
    """What a network costs as formulas, at sizes that it has, and how that grows."""

    formulas: NetworkFormulas
    names: tuple[str, ...]
    """What is free."""
    assumptions: Assumptions
    own: tuple[tuple[str, Amount | None], ...]
    """The number that each of ``names`` has in the spec, or the nearest to it that is as assumed.

    None: none.
    """
    values: tuple[int | None, ...]
    """Each metric at those numbers; None if one is missing, or there is no such network."""
    leading: tuple[tuple[LeadingTerm, ...] | None, ...]
    """Of each metric, in all names together; None where floors leave it open."""
    scalings: tuple[Scaling, ...]
    conditions: tuple[Condition, ...] = ()
    """What the formulas take for granted beside the assumptions: they are right only there."""
    moved: tuple[tuple[str, Amount], ...] = ()
    """The numbers in the spec that are not as assumed, where ``own`` has others."""
    refused: str | None = None
    """Why there is no network at ``own``, if there is none, as can be where some are moved."""


def freed_costs(
    formulas: NetworkFormulas,
    names: tuple[str, ...],
    assumptions: Assumptions,
    own: Mapping[str, Amount | None],
    scalings: Iterable[tuple[tuple[str, Amount], ...]] = (),
    numbers: Numbers | None = None,
    conditions: tuple[Condition, ...] = (),
) -> FreedCosts:
    """The costs ``formulas`` of a network, in which ``names`` are free, right under ``conditions``.

    ``own`` are the numbers of the spec; those that contradict ``assumptions`` are replaced with the
    nearest that do not. ``scalings`` say what to multiply together, and by how much; what is not
    free can be among it if there are ``numbers``. With them nothing is said of sizes at which there
    is no network; without, where the conditions do not hold.
    """
    spec = {name: number for name, number in own.items() if number is not None}
    sizes = sizes_as_assumed(assumptions, spec)
    moved = tuple((name, spec[name]) for name in spec if spec[name] != sizes[name])
    before = _Before(
        formulas, names, assumptions, conditions, sizes, {name: sizes[name] for name, _ in moved}
    )
    refused = before.refusal({}, numbers) if moved else None
    return FreedCosts(
        formulas,
        names,
        assumptions,
        tuple((name, sizes.get(name)) for name in names),
        before.totals(numbers) if refused is None else (None,) * len(formulas.totals),
        tuple(_leading(formula, names, assumptions) for _, formula in formulas.totals),
        tuple(before.scaled(factors, numbers, refused) for factors in scalings),
        conditions,
        moved,
        refused,
    )


def sizes_as_assumed(assumptions: Assumptions, sizes: Mapping[str, Amount]) -> dict[str, Amount]:
    """``sizes``, with the nearest that is as assumed in place of each that is not.

    Of two that are as near the greater. What is the same as another is as that is.
    """
    found = dict(sizes)
    stands_for = dict(assumptions.values)
    new: dict[str, int] = {}
    for name, stands in stands_for.items():
        if name not in sizes:
            continue
        if not isinstance(stands, Polynomial):
            found[name] = stands
            continue
        [(_, modulus), *constant] = stands.terms()
        [symbol] = stands.symbols
        offset = sum(c for _, c in constant)
        if symbol in sizes and symbol not in stands_for:
            found[name] = sizes[symbol]
            continue
        if symbol not in new:
            steps = Fraction(sizes[name] - offset) / modulus + Fraction(1, 2)
            new[symbol] = max(1, steps.__floor__())
        found[name] = modulus * new[symbol] + offset
    return found


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
    whole = {name: size for name, size in sizes.items() if isinstance(size, int)}
    return assumptions.symbol_values(whole) if len(whole) == len(sizes) else None


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
    conditions: tuple[Condition, ...]
    own: Mapping[str, Amount]
    moved: Mapping[str, Amount]
    """Those of ``own`` that the spec has otherwise."""

    def scaled(
        self,
        factors: tuple[tuple[str, Amount], ...],
        numbers: Numbers | None,
        refused: str | None = None,
    ) -> Scaling:
        changes = {name: _multiplied(self.own[name], factor) for name, factor in factors}
        later = {**self.own, **changes}
        is_formula = changes.keys() <= set(self.names) and all(
            isinstance(sizes[name], int) for sizes in (self.own, later) for name in changes
        )
        nothing: tuple[int | None, ...] = (None,) * len(self.formulas.totals)
        before = after = nothing
        if refused is None and (is_formula or numbers is None):
            before, after = self._at(self.own), self._at(later)
            if None not in after:
                refused = self.refusal(changes, numbers)
        elif refused is None and numbers is not None:
            before = _built(numbers(self.moved), self.own)
            try:
                after = _built(numbers({**self.moved, **changes}), later)
            except ConvcalcError as error:
                if not all(isinstance(later[name], int) for name in changes):
                    raise  # it may be that the factor is not what was meant
                refused = _reason(error)
        if refused is not None:
            after = nothing
        return Scaling(
            factors,
            tuple(
                None if old is None or new is None else Growth(factors, old, new)
                for old, new in zip(before, after, strict=True)
            ),
            by_numbers=not is_formula,
            refused=refused,
        )

    def refusal(self, changes: Mapping[str, Amount], numbers: Numbers | None) -> str | None:
        """Why there is no network with these sizes; None if there is one."""
        if numbers is not None:
            batch = self.formulas.batch
            if isinstance(batch, Polynomial) and {*changes, *self.moved} <= batch.symbols:
                return None  # no layer asks for the batch
            try:
                numbers({**self.moved, **changes})
            except ConvcalcError as error:
                return _reason(error)
            return None
        sizes = {**self.own, **changes}
        values = {name: size for name, size in sizes.items() if isinstance(size, int)}
        for condition in self.conditions:
            if condition.symbols <= values.keys() and not condition.holds(values):
                return f"only if {condition.written()}"
        return None

    def totals(self, numbers: Numbers | None) -> tuple[int | None, ...]:
        """Each metric at the sizes of the spec."""
        sizes = [self.own[name] for name in self.names if name in self.own]
        if numbers is not None and not all(isinstance(size, int) for size in sizes):
            # Of a width of 1.1 the formula knows nothing: the spec rounds what comes of it.
            return _built(numbers(self.moved), self.own)
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


def _reason(error: ConvcalcError) -> str:
    """What the first finding says, on one line."""
    return error.findings[0].message


def _multiplied(number: Amount, factor: Amount) -> Amount:
    product = Fraction(number) * factor
    return product.numerator if product.denominator == 1 else product
