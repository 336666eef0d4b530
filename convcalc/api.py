"""The Python interface: a network named, its costs returned."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from os import PathLike, fspath
from typing import TypeAlias

from convcalc.algebra import Polynomial
from convcalc.analysis import BITS, Analysis, Dtypes, analyze_graph
from convcalc.analysis.training import OPTIMIZERS
from convcalc.errors import Finding, UsageError, catalogue, unknown_word
from convcalc.graph import Graph
from convcalc.metrics import LARGEST_BATCH
from convcalc.sources import load as load_reference

__all__ = ["Setting", "analyze", "load"]

Setting: TypeAlias = int | float | Fraction | bool | str | Polynomial
"""A value for a variable of a spec; a text is an expression, as after ``--set``."""


def analyze(
    spec: str | PathLike[str],
    variables: Mapping[str, Setting] | None = None,
    *,
    batch: int = 1,
    dtype: str = "float32",
    weights_dtype: str | None = None,
    activations_dtype: str | None = None,
    in_place: bool = False,
    best_order: bool = False,
    optimizer: str = "sgd",
) -> Analysis:
    """What the network ``spec`` costs.

    ``spec`` is a path, ``path::variant``, or the name of a network that ships with convcalc
    (``resnet::resnet50``); ``variables`` override variables of the spec. Counts in the result are
    for one sample, bytes for ``batch`` samples held in ``dtype`` (a key of
    `convcalc.analysis.BITS`), or in the two given apart. With ``in_place`` element-wise layers take
    over the memory of an input that no one reads again; ``best_order`` looks for an order of the
    layers with a lower peak; ``optimizer`` (sgd, momentum, adam) is for the training memory.

    Raises `UsageError` for a file, dtype or batch that makes no sense, `SpecError` for a spec that
    describes no network; both are `ConvcalcError` and carry every finding.

    >>> analyze("resnet::resnet50").params
    25557032
    """
    checked_batch(batch)
    dtypes = Dtypes(
        checked_dtype(weights_dtype or dtype), checked_dtype(activations_dtype or dtype)
    )
    if optimizer not in OPTIMIZERS:
        message = f"unknown optimizer {optimizer!r}"
        raise UsageError([unknown_word(message, optimizer, OPTIMIZERS)])
    return analyze_graph(
        load(spec, variables),
        batch=batch,
        dtypes=dtypes,
        in_place=in_place,
        best_order=best_order,
        optimizer=optimizer,
    )


def load(spec: str | PathLike[str], variables: Mapping[str, Setting] | None = None) -> Graph:
    """The layer graph of the network ``spec``, named as for `analyze`.

    A variable may be set to a formula, such as ``convcalc.algebra.symbol("H")``: the shapes in the
    graph are then formulas. Raises `UsageError` and `SpecError` as `analyze` does.
    """
    settings = {
        name: Fraction(repr(value)) if isinstance(value, float) else value
        for name, value in (variables or {}).items()
    }
    return load_reference(fspath(spec), settings)


def checked_batch(batch: int, where: str = "") -> None:
    """Raise UsageError, which begins with ``where``, for a batch that is none."""
    if batch < 1:
        message = f"{where}a batch is 1 or more, not {batch}"
    elif batch > LARGEST_BATCH:
        message = f"{where}a batch is {LARGEST_BATCH:,} or less"
    else:
        return
    raise UsageError([Finding(catalogue.BAD_OPTION, message)])


def checked_dtype(name: str) -> str:
    """``name`` if it is a number format that convcalc knows. Raises UsageError."""
    if name in BITS:
        return name
    raise UsageError([unknown_word(f"unknown dtype {name!r}", name, BITS)])
