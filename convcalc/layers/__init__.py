"""The layer kinds, each declared once. See `convcalc.layers.declaration` for how."""

from __future__ import annotations

from functools import cache

from convcalc.layers import (
    activation,
    attention,
    convolution,
    linear,
    merging,
    normalization,
    pooling,
    resizing,
    shaping,
)
from convcalc.layers.declaration import Layer
from convcalc.layers.shaping import Input

__all__ = ["Input", "Layer", "activation_kinds", "all_kinds", "find_kind", "kind_known_as"]

FAMILIES = (
    convolution,
    pooling,
    linear,
    attention,
    normalization,
    activation,
    resizing,
    shaping,
    merging,
)
"""The modules that declare kinds, in the order in which the docs list them."""


@cache
def all_kinds() -> dict[str, type[Layer]]:
    """Every layer kind by its name in the spec language, in the order of the docs."""
    return {
        declared.kind: declared
        for family in FAMILIES
        for declared in vars(family).values()
        if isinstance(declared, type)
        and issubclass(declared, Layer)
        and declared.kind
        and declared.__module__ == family.__name__
    }


@cache
def activation_kinds() -> dict[str, type[Layer]]:
    """The activations, all of which can do without fields."""
    return {
        name: kind for name, kind in all_kinds().items() if kind.__module__ == activation.__name__
    }


def find_kind(name: str) -> type[Layer] | None:
    """The layer kind called ``name``, if there is one."""
    return all_kinds().get(name)


def kind_known_as(name: str) -> str | None:
    """The kind that goes by ``name`` elsewhere (``Conv2d``, ``dense``), if any."""
    folded = name.lower()
    compact = folded.replace("_", "").replace("-", "")
    for kind, declared in all_kinds().items():
        if folded in declared.known_as or compact in (kind.replace("_", ""), *declared.known_as):
            return kind
    return None
