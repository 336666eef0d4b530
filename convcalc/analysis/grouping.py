"""Layers folded into groups: what stands before a dot in their names."""

from __future__ import annotations

from typing import Final, NamedTuple

from convcalc.analysis.cost import Analysis, Cost, LayerCost, sum_of
from convcalc.name_patterns import matches

__all__ = [
    "READABLE_ROWS",
    "GroupCost",
    "all_groups",
    "depth_that_fits",
    "groups_at",
    "groups_named",
    "layers_named",
    "layers_within",
]

READABLE_ROWS: Final = 40
"""Rows that a person takes in at once."""


class GroupCost(NamedTuple):
    """A group of layers, or one layer that stands alone."""

    name: str
    layers: tuple[LayerCost, ...]
    cost: Cost

    @property
    def kind(self) -> str:
        """The layer's kind; for a group how many layers it has."""
        if len(self.layers) == 1 and self.layers[0].name == self.name:
            return self.layers[0].kind
        return f"{len(self.layers)} layer{'' if len(self.layers) == 1 else 's'}"

    @property
    def shares_all_weights(self) -> bool:
        """Whether it has weights, and all of them are those of layers elsewhere."""
        with_weights = [layer for layer in self.layers if layer.weights]
        return bool(with_weights) and all(layer.shares_weights_with for layer in with_weights)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """The output of its last layer."""
        return self.layers[-1].output_shape


def groups_at(analysis: Analysis, depth: int | None) -> tuple[GroupCost, ...]:
    """The layers folded to names of at most ``depth`` parts (None: not folded).

    Groups stand in the order of their first layers.
    """
    if depth is None:
        return tuple(GroupCost(layer.name, (layer,), layer.cost) for layer in analysis.layers)
    members: dict[str, list[LayerCost]] = {}
    for layer in analysis.layers:
        members.setdefault(_prefix(layer.name, depth), []).append(layer)
    return tuple(
        GroupCost(name, tuple(layers), sum_of(layer.cost for layer in layers))
        for name, layers in members.items()
    )


def depth_that_fits(analysis: Analysis, rows: int = READABLE_ROWS) -> int | None:
    """The deepest depth with at most ``rows`` groups; None if all layers fit, 1 if none does."""
    deepest = max((layer.name.count(".") for layer in analysis.layers), default=0) + 1
    if len(analysis.layers) <= rows:
        return None
    fitting = 1
    for depth in range(2, deepest + 1):
        if len({_prefix(layer.name, depth) for layer in analysis.layers}) > rows:
            break
        fitting = depth
    return fitting


def _prefix(name: str, depth: int) -> str:
    return ".".join(name.split(".", depth)[:depth])


def layers_within(analysis: Analysis, name: str) -> tuple[LayerCost, ...]:
    """The layers in the group with the dotted path ``name``, or the one layer of this name."""
    return tuple(
        layer
        for layer in analysis.layers
        if layer.name == name or layer.name.startswith(f"{name}.")
    )


def layers_named(analysis: Analysis, pattern: str) -> tuple[LayerCost, ...]:
    """The layers whose names match, dots and all: `stage4.*` is every layer in `stage4`."""
    return tuple(layer for layer in analysis.layers if matches(pattern, layer.name))


def groups_named(analysis: Analysis, pattern: str) -> tuple[GroupCost, ...]:
    """The groups whose names match part by part: `stage*` is `stage1`, and nothing inside it."""
    parts = pattern.split(".")
    return tuple(
        group
        for group in all_groups(analysis)
        if len(names := group.name.split(".")) == len(parts)
        and all(matches(part, name) for part, name in zip(parts, names, strict=True))
    )


def all_groups(analysis: Analysis) -> tuple[GroupCost, ...]:
    """Every group of layers at every depth, in the order of their first layers."""
    members: dict[str, list[LayerCost]] = {}
    for layer in analysis.layers:
        end = layer.name.find(".")
        while end >= 0:
            members.setdefault(layer.name[:end], []).append(layer)
            end = layer.name.find(".", end + 1)
    return tuple(
        GroupCost(name, tuple(layers), sum_of(layer.cost for layer in layers))
        for name, layers in members.items()
    )
