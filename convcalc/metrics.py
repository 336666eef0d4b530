"""The numbers that a network has, each named and defined once.

Tables, comparisons, budgets and JSON take names, units and definitions from here. What they are is
worked out in `convcalc.analysis`.
"""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["BUDGET_METRICS", "LARGEST_BATCH", "METRICS", "SCHEMA_VERSION", "Metric", "metric"]

SCHEMA_VERSION: Final = 1
"""Of the contract that JSON reports keep: while it stands, keys are only added."""

LARGEST_BATCH: Final = 10**9
"""Samples that numbers may be asked for at once."""


class Metric(NamedTuple):
    """A number of a network or of a layer."""

    key: str
    """Its key in JSON, and its attribute in an analysis."""
    title: str
    unit: str
    """``count`` (for one sample), ``bytes`` (for the batch), ``seconds`` or ``ratio``."""
    definition: str
    of_layers: bool = True
    """Whether layers have it too."""
    short: str | None = None
    """What budgets may call it."""
    adds_up: bool = True
    """Whether those of the layers add up to the network's."""

    @property
    def name(self) -> str:
        """What budgets call it."""
        return self.short or self.key

    @property
    def noun(self) -> str:
        """Its title inside a sentence."""
        return self.title if self.title == "FLOPs" else self.title[0].lower() + self.title[1:]

    @property
    def is_plural(self) -> bool:
        """Whether its noun is one."""
        return self.title.split()[0].endswith("s")


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
    Metric(
        "activation_bytes",
        "Activation memory",
        "bytes",
        "of all outputs that are allocated",
        short="activations",
    ),
    Metric(
        "peak_activation_bytes",
        "Peak activation memory",
        "bytes",
        "the largest sum of tensors that are live at once, at inference",
        of_layers=False,
        short="peak_memory",
        adds_up=False,
    ),
    Metric(
        "weight_bytes", "Weight memory", "bytes", "of all weight tensors", short="weight_memory"
    ),
    Metric(
        "inference_bytes",
        "Inference memory",
        "bytes",
        "weights and peak activations together",
        of_layers=False,
        short="inference_memory",
        adds_up=False,
    ),
    Metric(
        "training_bytes",
        "Training memory",
        "bytes",
        "what autograd keeps for the backward pass, the weights, a gradient for each of them, and "
        "the state of the optimiser (none by default)",
        of_layers=False,
        short="training_memory",
        adds_up=False,
    ),
)
"""The metrics of every report."""

BUDGET_METRICS: Final = (
    *METRICS,
    Metric(
        "layers", "Layers", "count", "that compute something; views are among them", of_layers=False
    ),
    Metric(
        "receptive_field",
        "Receptive field",
        "count",
        "input positions that one output position sees: of several axes the most for a `max`, the "
        "least for a `min`",
        adds_up=False,
    ),
    Metric("read_bytes", "Bytes read", "bytes", "each input, weight and buffer of a layer once"),
    Metric("written_bytes", "Bytes written", "bytes", "each output of a layer once"),
    Metric(
        "intensity",
        "Arithmetic intensity",
        "ratio",
        "multiply-adds per byte read or written",
        adds_up=False,
    ),
    Metric("reuse", "Weight reuse", "ratio", "multiply-adds per parameter", adds_up=False),
    Metric("time", "Time", "seconds", "the least on the budget's `device`"),
)
"""What a budget may bound: all metrics, and what reports show beside them."""

_BY_NAME: Final = {each.key: each for each in BUDGET_METRICS} | {
    each.short: each for each in BUDGET_METRICS if each.short
}


def metric(name: str) -> Metric:
    """The metric called ``name``, its key or what budgets call it. Raises KeyError."""
    return _BY_NAME[name]
