"""A metric's number, read off what was analyzed. `convcalc.metrics` says what each is."""

from __future__ import annotations

from convcalc.analysis.cost import Analysis, Cost, LayerCost
from convcalc.layers.declaration import Operations

__all__ = ["value_of"]


def value_of(key: str, costed: Analysis | LayerCost | Cost) -> int:
    """The metric ``key`` of `convcalc.metrics.METRICS` of a network, a layer or a sum of layers."""
    if key in Operations._fields and key != "macs":
        return getattr(costed.operations, key)  # type: ignore[no-any-return]
    return getattr(costed, key)  # type: ignore[no-any-return]
