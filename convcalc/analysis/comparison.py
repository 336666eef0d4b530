"""Networks side by side."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from convcalc.analysis.cost import Analysis
from convcalc.analysis.grouping import GroupCost
from convcalc.analysis.metrics import value_of

__all__ = ["Comparison", "aligned_names"]


class Comparison(NamedTuple):
    """Networks, and the one that the others are held against."""

    networks: tuple[Analysis, ...]
    reference: int
    """Position of the reference among the networks."""

    def ratio(self, key: str, network: Analysis) -> Fraction | None:
        """A metric of ``network`` in terms of the reference's; None if that is 0."""
        base = value_of(key, self.networks[self.reference])
        return Fraction(value_of(key, network), base) if base else None


def aligned_names(networks: tuple[tuple[GroupCost, ...], ...]) -> tuple[str, ...]:
    """The names of all groups: the first network's in its order, the others' where they belong.

    A name that the first does not have stands after the last one before it that the first has.
    """
    first = {group.name: position for position, group in enumerate(networks[0])}
    order = {name: (position, 0, 0) for name, position in first.items()}
    for number, groups in enumerate(networks[1:], start=1):
        after = -1
        for position, group in enumerate(groups):
            after = first.get(group.name, after)
            order.setdefault(group.name, (after, number, position))
    return tuple(sorted(order, key=order.__getitem__))
