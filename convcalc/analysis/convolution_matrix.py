"""A convolution as a matrix: Y = C·X, X the input and Y the output as columns.

A row of C is an output position, a column an input position; where the kernel of the one lies on
the other stands a weight, elsewhere 0. Positions in the padding have no column: what a kernel would
find there is 0 anyway. So it is for each output channel and each input channel of its group; the
matrix of the whole layer is made of these. A transposed convolution has the transposed matrix of a
convolution (Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016,
section 4.1).
"""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Final, NamedTuple, TypeAlias, cast

from convcalc.layers.convolution import Convolution
from convcalc.layers.declaration import Shape, Window

__all__ = ["MOST_COLUMNS", "MOST_ROWS", "ConvolutionMatrix", "convolution_matrix", "taps_inside"]

MOST_ROWS: Final = 16
MOST_COLUMNS: Final = 36
"""A larger matrix is not written out."""

Weight: TypeAlias = tuple[int, ...]
"""A weight of the kernel by its place on each axis, from 0."""


class ConvolutionMatrix(NamedTuple):
    """The matrix from one input channel to one output channel."""

    outputs: tuple[int, ...]
    """Output positions of each axis; the rows are all of them, the last axis running fastest."""
    inputs: tuple[int, ...]
    """Input positions of each axis; the columns are all of them."""
    kernel: tuple[int, ...]
    """Weights of each axis."""
    inside: tuple[int, ...]
    """For each axis how often, over its output positions, a weight lies on an input position."""
    entries: tuple[tuple[Weight | None, ...], ...] | None
    """The rows, None for 0; None if there are more than `MOST_ROWS` or `MOST_COLUMNS` columns."""

    @property
    def rows(self) -> int:
        """Output positions."""
        return prod(self.outputs)

    @property
    def columns(self) -> int:
        """Input positions."""
        return prod(self.inputs)

    @property
    def non_zeros(self) -> int:
        """Entries that are weights."""
        return prod(self.inside)


class _Taps(NamedTuple):
    """One axis: weight t of output position j lies (j · stride + offsets[t])/per into the input."""

    offsets: tuple[int, ...]
    stride: int
    per: int


def convolution_matrix(
    layer: Convolution, inputs: tuple[Shape, ...], output: Shape
) -> ConvolutionMatrix:
    """The matrix of a convolution on ``inputs``, whose sizes are integers."""
    sizes = cast("tuple[int, ...]", inputs[0][1:])
    outputs = cast("tuple[int, ...]", output[1:])
    axes = _axes(layer, inputs)
    small = prod(outputs) <= MOST_ROWS and prod(sizes) <= MOST_COLUMNS
    return ConvolutionMatrix(
        outputs,
        sizes,
        tuple(len(axis.offsets) for axis in axes),
        tuple(
            sum(taps_inside(o, i, offset, axis.stride, axis.per) for offset in axis.offsets)
            for o, i, axis in zip(outputs, sizes, axes, strict=True)
        ),
        _entries(outputs, sizes, axes) if small else None,
    )


def taps_inside(outputs: int, inputs: int, offset: int, stride: int, per: int) -> int:
    """For how many j below ``outputs`` (j·stride + offset)/per is whole, from 0 to inputs − 1.

    ``stride`` or ``per`` is 1. Then those j lie in a row, or the whole positions do.
    """
    if per == 1:  # from ⌈−offset/stride⌉ to ⌊(inputs − 1 − offset)/stride⌋
        first, last = -(offset // stride), (inputs - 1 - offset) // stride
        return max(0, min(last, outputs - 1) - max(first, 0) + 1)
    # Position q is of j = q·per − offset: from ⌈offset/per⌉ to ⌊(outputs − 1 + offset)/per⌋.
    first, last = -(-offset // per), (outputs - 1 + offset) // per
    return max(0, min(last, inputs - 1) - max(first, 0) + 1)


def _axes(layer: Convolution, inputs: tuple[Shape, ...]) -> tuple[_Taps, ...]:
    rank = len(inputs[0]) - 1
    windows = cast("tuple[Window, ...]", layer.windows(inputs))
    kernels, dilations = layer.kernels(rank), layer.dilations(rank)
    axes = []
    for window, k, d in zip(windows, kernels, dilations, strict=True):
        _, stride, start, per = cast("tuple[int, int, int, int]", window)
        offsets = [start + cast("int", d) * tap for tap in range(cast("int", k))]
        # Transposed, the kernel lies on the output: its last weight is for the first input.
        axes.append(_Taps(tuple(offsets[::-1] if layer.is_transposed else offsets), stride, per))
    return tuple(axes)


def _entries(
    outputs: tuple[int, ...], inputs: tuple[int, ...], axes: tuple[_Taps, ...]
) -> tuple[tuple[Weight | None, ...], ...]:
    """Each row by construction."""
    rows = []
    for row in product(*map(range, outputs)):
        found: dict[tuple[int, ...], Weight] = {}
        for weight in product(*(range(len(axis.offsets)) for axis in axes)):
            places = [
                divmod(j * axis.stride + axis.offsets[tap], axis.per)
                for j, tap, axis in zip(row, weight, axes, strict=True)
            ]
            if not any(rest for _, rest in places):
                found[tuple(place for place, _ in places)] = weight
        rows.append(tuple(found.get(column) for column in product(*map(range, inputs))))
    return tuple(rows)
