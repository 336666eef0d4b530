"""The numbers that an analysis has, each named and defined once.

Tables, comparisons and budgets take names, units and definitions from here; a metric's ``key`` is
the attribute of `Cost`, `LayerCost` and `Analysis` that holds it, and its key in JSON.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from convcalc.analysis.cost import Analysis, Cost, LayerCost
from convcalc.layers.declaration import Operations

__all__ = ["METRICS", "Metric", "metric", "value_of"]


class Metric(NamedTuple):
    """A number of a network or of a layer."""

    key: str
    title: str
    unit: str
    """``count`` (for one sample) or ``bytes`` (for the batch)."""
    definition: str
    of_layers: bool = True
    """Whether layers have it too, and add up to the network's."""


METRICS: Final = (
    Metric(
        "params",
        "Parameters",
        "count",
        "elements of all weight tensors, biases and the affine part of norms included",
    ),
    Metric("buffers", "Buffers", "count", "elements of the running mean and variance of norms"),
    Metric(
        "macs",
        "Multiply-adds",
        "count",
        "one multiply and one add each, of conv, linear and matrix products; bias adds not among "
        "them",
    ),
    Metric("flops", "FLOPs", "count", "2 · multiply-adds + all other operations"),
    Metric("adds", "Adds", "count", "of biases, merges, pooling, norms and activations"),
    Metric("multiplies", "Multiplies", "count", "of merges, norms and activations"),
    Metric("divides", "Divides", "count", "of average pooling, norms and activations"),
    Metric("comparisons", "Comparisons", "count", "of max pooling and activations"),
    Metric("exponentials", "Exponentials", "count", "exp, log, tanh, erf and powers"),
    Metric(
        "activation_elements", "Activations", "count", "elements of all outputs that are allocated"
    ),
    Metric("activation_bytes", "Activation memory", "bytes", "of all outputs that are allocated"),
    Metric(
        "peak_activation_bytes",
        "Peak activation memory",
        "bytes",
        "the largest sum of tensors that are live at once, at inference",
        of_layers=False,
    ),
    Metric("weight_bytes", "Weight memory", "bytes", "of all weight tensors"),
    Metric(
        "inference_bytes",
        "Inference memory",
        "bytes",
        "weights and peak activations together",
        of_layers=False,
    ),
    Metric(
        "training_bytes",
        "Training memory",
        "bytes",
        "what autograd keeps for the backward pass, the weights, a gradient for each of them, and "
        "the state of the optimiser (none by default)",
        of_layers=False,
    ),
)
_BY_KEY: Final = {each.key: each for each in METRICS}


def metric(key: str) -> Metric:
    """The metric called ``key``. Raises KeyError."""
    return _BY_KEY[key]


def value_of(key: str, costed: Analysis | LayerCost | Cost) -> int:
    """The metric ``key`` of a network, a layer or a sum of layers."""
    if key in Operations._fields and key != "macs":
        return getattr(costed.operations, key)  # type: ignore[no-any-return]
    return getattr(costed, key)  # type: ignore[no-any-return]
