"""Networks side by side."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from fractions import Fraction
from typing import NamedTuple, Protocol

from convcalc.analysis.cost import Analysis, Cost
from convcalc.analysis.metrics import value_of
from convcalc.metrics import METRICS

__all__ = ["Change", "Comparison", "Costed", "Mark", "aligned_names", "changes", "is_alike"]


class Comparison(NamedTuple):
    """Networks, and the one that the others are held against."""

    networks: tuple[Analysis, ...]
    reference: int
    """Position of the reference among the networks."""

    def ratio(self, key: str, network: Analysis) -> Fraction | None:
        """A metric of ``network`` in terms of the reference's; None if that is 0."""
        base = value_of(key, self.networks[self.reference])
        return Fraction(value_of(key, network), base) if base else None


class Costed(Protocol):
    """A layer, or a group of layers, of a network that is analyzed now or was once."""

    @property
    def name(self) -> str:
        """Its dotted path."""

    @property
    def kind(self) -> str:
        """The layer's kind; of a group how many layers it has."""

    @property
    def output_shape(self) -> tuple[int, ...]:
        """The output's, without the batch."""

    @property
    def cost(self) -> Cost:
        """What it costs."""


class Mark(Enum):
    """What became of a layer; the value is how it is printed."""

    ADDED = "+"
    REMOVED = "-"
    CHANGED = "~"


class Change(NamedTuple):
    """A layer, or a group, that is not what it was."""

    mark: Mark
    name: str
    before: Costed | None
    """None: it is new."""
    after: Costed | None
    """None: it is gone."""

    def difference(self, key: str) -> int:
        """By how much a metric of layers grew; negative if it fell."""
        after = value_of(key, self.after.cost) if self.after else 0
        return after - (value_of(key, self.before.cost) if self.before else 0)


def changes(before: Sequence[Costed], after: Sequence[Costed]) -> tuple[Change, ...]:
    """What differs between two lists of layers, or groups, aligned by name.

    In the order of `aligned_names`.
    """
    old = {each.name: each for each in before}
    new = {each.name: each for each in after}
    found = []
    for name in aligned_names((before, after)):
        was, now = old.get(name), new.get(name)
        if was is None:
            found.append(Change(Mark.ADDED, name, None, now))
        elif now is None:
            found.append(Change(Mark.REMOVED, name, was, None))
        elif not is_alike(was, now):
            found.append(Change(Mark.CHANGED, name, was, now))
    return tuple(found)


def is_alike(one: Costed, other: Costed) -> bool:
    """Whether two layers have an output of the same shape and cost the same."""
    return (
        one.kind == other.kind
        and one.output_shape == other.output_shape
        and all(
            value_of(each.key, one.cost) == value_of(each.key, other.cost)
            for each in METRICS
            if each.of_layers
        )
    )


def aligned_names(networks: Sequence[Sequence[Costed]]) -> tuple[str, ...]:
    """The names of all layers: the first network's in its order, the others' where they belong.

    A name that the first does not have stands after the last one before it that the first has.
    """
    first = {layer.name: position for position, layer in enumerate(networks[0])}
    order = {name: (position, 0, 0) for name, position in first.items()}
    for number, layers in enumerate(networks[1:], start=1):
        after = -1
        for position, layer in enumerate(layers):
            after = first.get(layer.name, after)
            order.setdefault(layer.name, (after, number, position))
    return tuple(sorted(order, key=order.__getitem__))
