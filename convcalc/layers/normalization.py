"""Normalization."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from convcalc.algebra import Number, product
from convcalc.errors import Finding
from convcalc.layers.convolution import check_given_size
from convcalc.layers.declaration import (
    Kept,
    KeptTensor,
    Layer,
    Memory,
    Operations,
    Shape,
    Tensor,
    Window,
    field,
)
from convcalc.layers.field_types import Boolean, Integer, Real

__all__ = ["BatchNorm", "LocalResponseNorm"]


class BatchNorm(
    Layer,
    kind="batch_norm",
    known_as=(
        *("bn", "batchnorm", "batchnorm1d", "batchnorm2d", "batchnorm3d"),
        *("batchnormalization", "batch_normalization"),
    ),
):
    """Batch normalization over the channels (axis 1, counting the batch).

    Inference uses the running mean and variance; with the learned scale and shift they make one
    factor and one summand a channel, so each element costs one multiply and one add. Without
    running statistics the mean and variance of the input, and the factor and summand of each
    channel, are worked out first.
    """

    memory = Memory.IN_PLACE

    affine: bool = field(
        Boolean(),
        default=True,
        help="whether a scale and a shift are learned for each channel",
        known_as=("scale", "center"),
    )
    track_running_stats: bool = field(
        Boolean(), default=True, help="whether a running mean and variance are kept"
    )
    num_features: Number | None = field(
        Integer(1),
        default=None,
        symbol="C",
        help="channels of the input; taken from it, and checked against it if given",
        known_as=("channels", "in_channels", "features"),
    )
    eps: Fraction | float = field(
        Real(0),
        default=1e-5,
        help="added to the variance; has no bearing on the cost",
        known_as=("epsilon",),
    )
    momentum: Fraction | float = field(
        Real(0, 1), default=0.1, help="of the running statistics; has no bearing on the cost"
    )

    def weights(self, inputs: tuple[Shape, ...]) -> tuple[Tensor, ...]:
        channels = inputs[0][0]
        if not self.affine:
            return ()
        return Tensor("weight", (channels,)), Tensor("bias", (channels,))

    def buffers(self, inputs: tuple[Shape, ...]) -> tuple[Tensor, ...]:
        channels = inputs[0][0]
        if not self.track_running_stats:
            return ()
        return Tensor("running_mean", (channels,)), Tensor("running_var", (channels,))

    def operations(self, inputs: tuple[Shape, ...], output: Shape) -> Operations:
        n, channels = product(output), inputs[0][0]
        apply = Operations(multiplies=n, adds=n)
        if self.track_running_stats:
            return apply
        # Mean: n − C adds, C divides. Variance: n subtractions, n squares, n − C adds, C divides.
        statistics = Operations(adds=3 * n - 2 * channels, multiplies=n, divides=2 * channels)
        # Factor w/√(variance + ε): an add, a square root, a divide; summand b − mean·factor: a
        # multiply, and with a learned b an add. A learned w is divided in place of 1.
        each = Operations(
            adds=2 if self.affine else 1, multiplies=1, divides=1, exponentials=1
        ).times(channels)
        return apply.plus(statistics).plus(each)

    def kept_for_backward(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:  # noqa: ARG002
        """The input, and for each channel the batch's mean and inverse deviation."""
        channels = inputs[0][0]
        return Kept(
            inputs=True,
            tensors=(
                KeptTensor("mean", channels, per_batch=True),
                KeptTensor("inverse_deviation", channels, per_batch=True),
            ),
        )

    def windows(self, inputs: tuple[Shape, ...]) -> tuple[Window, ...] | None:
        """With statistics of the input itself every position sees all of it."""
        if self.track_running_stats:
            return super().windows(inputs)
        return tuple(Window(n, 0, 0) for n in inputs[0][1:])

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Finding]:
        yield from check_given_size(self.num_features, inputs[0][0], "num_features", "channels")


class LocalResponseNorm(
    Layer,
    kind="local_response_norm",
    known_as=("lrn", "localresponsenorm", "localresponsenormalization"),
):
    """Local response normalization across neighbouring channels.

    y = x / (k + α · mean of x² over `size` channels)^β, as PyTorch has it (Krizhevsky et al. 2012
    sum instead of taking the mean). An element costs 2 multiplies, `size` adds, 2 divides and a
    power.
    """

    size: Number = field(
        Integer(1),
        symbol="n",
        help="channels that are looked at together",
        known_as=("depth_radius", "local_size", "n"),
    )
    alpha: Fraction | float = field(
        Real(0), default=1e-4, help="factor of the mean; has no bearing on the cost"
    )
    beta: Fraction | float = field(
        Real(0), default=0.75, help="the power; has no bearing on the cost"
    )
    k: Fraction | float = field(
        Real(0), default=1, help="summand; has no bearing on the cost", known_as=("bias",)
    )

    def operations(self, inputs: tuple[Shape, ...], output: Shape) -> Operations:  # noqa: ARG002
        # x², α·mean | size − 1 of the window and k | by size and by the power | the power
        return Operations(multiplies=2, adds=self.size, divides=2, exponentials=1).times(
            product(output)
        )

    def kept_for_backward(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:  # noqa: ARG002
        """The input, its squares with the padding around the channels, the sum, and its power."""
        channels, *positions = inputs[0]
        n, around = product(inputs[0]), product((channels + self.size - 1, *positions))
        return Kept(
            inputs=True,
            tensors=(
                KeptTensor("squares", around),
                KeptTensor("sum", n),
                KeptTensor("power", n),
            ),
        )
