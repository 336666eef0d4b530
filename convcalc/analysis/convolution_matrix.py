"""A convolution as a matrix: Y = C·X, X the input and Y the output as columns.

A row of C is an output position, a column an input position; where the kernel of the one lies on
the other stands a weight, elsewhere 0. Positions in the padding have no column: what a kernel would
find there is 0 anyway. So it is for each output channel and each input channel of its group; the
matrix of the whole layer is made of these. A transposed convolution has the transposed matrix of a
convolution (Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016,
section 4.1).
"""

from __future__ import annotations

from enum import Enum
from itertools import product
from math import prod
from typing import Final, NamedTuple, TypeAlias, cast

from convcalc.layers.convolution import Convolution
from convcalc.layers.declaration import Shape, Window

__all__ = ["MOST_COLUMNS", "MOST_ROWS", "ConvolutionMatrix", "Sharing", "convolution_matrix"]

MOST_ROWS: Final = 16
MOST_COLUMNS: Final = 36
"""A larger matrix is not written out."""

Weight: TypeAlias = tuple[int, ...]
"""A weight of the kernel by its place on each axis, from 0."""


class Sharing(Enum):
    """Which positions and channels have the same kernel, in the words of the field."""

    SPATIAL = "spatial"
    """All positions."""
    NONE = "none"
    """No two output positions."""
    FULL = "full"
    """All positions, of all input channels."""


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
    """The rows, None for 0; None if there are more than `MOST_ROWS` or `MOST_COLUMNS` columns.

    Where each output position has a kernel of its own, entries are places in that of the row.
    """
    sharing: Sharing = Sharing.SPATIAL

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
    """One axis: tap t of output position j lies (j · stride + start + t · step)/per into the input.

    ``stride`` or ``per`` is 1.
    """

    start: int
    step: int
    taps: int
    stride: int
    per: int
    is_reversed: bool
    """Whether tap t is the weight t from the end: transposed, the kernel lies on the output, and
    its last weight is for the first input."""

    def weight(self, output: int, position: int) -> int | None:
        """The weight of an output position that lies on an input position; None: there is none."""
        distance = position * self.per - output * self.stride - self.start
        tap, rest = divmod(distance, self.step)
        if rest or not 0 <= tap < self.taps:
            return None
        return self.taps - 1 - tap if self.is_reversed else tap

    def inside(self, outputs: int, inputs: int) -> int:
        """How often, over the output positions, a weight lies on an input position."""
        if self.per == 1:  # 0 ≤ j·stride + start + t·step ≤ inputs − 1
            count, stride, least = outputs, self.stride, -self.start
            most = least + inputs - 1
        else:  # 0 ≤ j = q·per − start − t·step ≤ outputs − 1, t counted from the end
            count, stride = inputs, self.per
            least = self.start + self.step * (self.taps - 1)
            most = least + outputs - 1
        return _pairs_up_to(most, count, stride, self.taps, self.step) - _pairs_up_to(
            least - 1, count, stride, self.taps, self.step
        )


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
        tuple(axis.taps for axis in axes),
        tuple(axis.inside(o, i) for o, i, axis in zip(outputs, sizes, axes, strict=True)),
        _entries(outputs, sizes, axes) if small else None,
        Sharing(getattr(layer, "weight_sharing", Sharing.SPATIAL.value)),
    )


def _pairs_up_to(most: int, count: int, stride: int, taps: int, step: int) -> int:
    """How many pairs of j below ``count`` and t below ``taps`` have j·stride + t·step ≤ ``most``.

    For each t it is ⌊(most − t·step)/stride⌋ + 1, but no less than 0 and no more than ``count``.
    """
    if most < 0:
        return 0
    # Of the first t all of j fit, of those from `some` on none.
    full = min(taps, max(0, (most - (count - 1) * stride) // step + 1))
    some = min(taps, most // step + 1)
    between = some - full
    # From the last of them on, so that all terms grow.
    first = most - (some - 1) * step + stride
    return full * count + _sum_of_floors(between, stride, step, first)


def _sum_of_floors(n: int, divisor: int, factor: int, first: int) -> int:
    """Σ ⌊(first + t·factor)/divisor⌋ for t below n, none of it negative, in about log steps.

    What is whole of either number is summed by itself; of what is left, the points below a line,
    those are counted that lie beside it (Graham, Knuth and Patashnik, "Concrete Mathematics", 1994,
    section 3.5).
    """
    total = 0
    while n > 0:
        total += n * (n - 1) // 2 * (factor // divisor) + n * (first // divisor)
        factor, first = factor % divisor, first % divisor
        n, first = divmod(first + factor * n, divisor)
        divisor, factor = factor, divisor
    return total


def _axes(layer: Convolution, inputs: tuple[Shape, ...]) -> tuple[_Taps, ...]:
    rank = len(inputs[0]) - 1
    windows = cast("tuple[Window, ...]", layer.windows(inputs))
    axes = []
    for window, k, d in zip(windows, layer.kernels(rank), layer.dilations(rank), strict=True):
        _, stride, start, per = cast("tuple[int, int, int, int]", window)
        axes.append(_Taps(start, cast("int", d), cast("int", k), stride, per, layer.is_transposed))
    return tuple(axes)


def _entries(
    outputs: tuple[int, ...], inputs: tuple[int, ...], axes: tuple[_Taps, ...]
) -> tuple[tuple[Weight | None, ...], ...]:
    """Each row by construction; the kernel may be larger than what it lies on."""
    return tuple(
        tuple(_entry(row, column, axes) for column in product(*map(range, inputs)))
        for row in product(*map(range, outputs))
    )


def _entry(row: tuple[int, ...], column: tuple[int, ...], axes: tuple[_Taps, ...]) -> Weight | None:
    """The weight that joins an input position to an output position."""
    weight = []
    for j, position, axis in zip(row, column, axes, strict=True):
        place = axis.weight(j, position)
        if place is None:
            return None
        weight.append(place)
    return tuple(weight)
