"""The arithmetic of a window that slides over an input: what convolution and pooling share.

Letters, here and in every formula shown: i input size, k kernel size, s stride, p padding of one
end, d dilation, all of one axis.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple, TypeVar

from convcalc.algebra import Number, Polynomial, Shown
from convcalc.algebra.shown import greater, lesser
from convcalc.errors import Finding, catalogue
from convcalc.layers.declaration import Layer, Shape, Window, field, is_refuted, shape_text
from convcalc.layers.field_types import Integer, Padding, PerAxis

__all__ = ["Axis", "SlidingWindow", "ceil_output_size", "effective_kernel", "output_size"]

Item = TypeVar("Item")

SPATIAL_NAMES = {1: ("width",), 2: ("height", "width"), 3: ("depth", "height", "width")}


class Axis(NamedTuple):
    """A window on one axis; ``same`` asks for ⌈i/s⌉ positions whatever padding that takes."""

    kernel: Number
    stride: Number
    before: Number
    after: Number
    dilation: Number
    same: bool
    spread: int = 1
    """n of a stride of 1/n: the input is laid out n positions apart, zeros between."""


def effective_kernel(k: Number, d: Number) -> Number:
    """d(k − 1) + 1: the positions that a kernel spreads over, from its first to its last."""
    return d * (k - 1) + 1


def output_size(i: Number, axis: Axis) -> Number:
    """⌊(i + 2p − d(k − 1) − 1)/s⌋ + 1; with d = 1, ⌊(i + 2p − k)/s⌋ + 1.

    Dumoulin and Visin, "A guide to convolution arithmetic for deep learning" (2016), relationship
    15. For `same` ⌈i/s⌉, as Keras and TensorFlow have it, and PyTorch for the stride of 1 that it
    allows. With a stride of 1/n the window moves in steps of 1 over the n·(i − 1) + 1 positions of
    the spread input (the same, section 4.4).
    """
    k, s, before, after, d, same, n = axis
    if n > 1:
        return n * i if same else n * (i - 1) + (before + after) - d * (k - 1) + 1
    if same:
        return (i + s - 1) // s
    return (i + (before + after) - d * (k - 1) - 1) // s + 1


def ceil_output_size(i: Number, axis: Axis) -> Number:
    """The output size in PyTorch's ``ceil_mode``.

    The size is rounded up, but the last window must start inside the input or the padding before
    it: min(⌈(i + 2p − k)/s⌉, ⌊(i + p − 1)/s⌋) + 1, for the effective kernel k.
    """
    if axis.same:
        return output_size(i, axis)
    k, s = effective_kernel(axis.kernel, axis.dilation), axis.stride
    # Both quotients have the divisor s, so the lesser is the one with the lesser numerator:
    # (i + p + p − k + s − 1) against (i + p − 1).
    return (i + axis.before - 1 + lesser(0, axis.after - k + s)) // s + 1


class SlidingWindow(Layer):
    """A layer whose window of ``kernel_size`` moves over its input in steps of ``stride``."""

    kernel_size: Number | tuple[Number, ...] = field(
        PerAxis(Integer(1)),
        symbol="k",
        help="size of the window",
        known_as=("kernel", "kernel_shape", "pool_size", "filter_size", "ksize", "k", "size"),
    )
    stride: Number | tuple[Number, ...] = field(
        PerAxis(Integer(1)),
        default=1,
        symbol="s",
        help="step of the window",
        known_as=("strides", "subsample", "s", "step"),
    )
    padding: str | Number | tuple[Number | tuple[Number, Number], ...] = field(
        Padding(),
        default=0,
        symbol="p",
        help="positions added at the ends of each axis",
        known_as=("pad", "pads", "border_mode", "auto_pad", "p"),
    )

    def kernels(self, rank: int) -> tuple[Number, ...]:
        """Kernel size of each of ``rank`` axes."""
        return per_axis(self.kernel_size, rank)

    def strides(self, rank: int) -> tuple[Number, ...]:
        """Stride of each axis."""
        return per_axis(self.stride, rank)

    def dilations(self, rank: int) -> tuple[Number, ...]:
        """Dilation of each axis."""
        return (1,) * rank

    def axes(self, inputs: tuple[Shape, ...]) -> tuple[Axis, ...]:
        """The window on each spatial axis of the input."""
        rank = len(inputs[0]) - 1
        same = self.padding == "same"
        ends = ends_of(0 if isinstance(self.padding, str) else self.padding, rank)
        return tuple(
            Axis(k, 1, before, after, d, same, s.denominator)
            if isinstance(s, Fraction)
            else Axis(k, s, before, after, d, same)
            for k, s, (before, after), d in zip(
                self.kernels(rank), self.strides(rank), ends, self.dilations(rank), strict=True
            )
        )

    def size_of(self, i: Number, axis: Axis) -> Number:
        """Output size of one axis."""
        return output_size(i, axis)

    def output_sizes(self, inputs: tuple[Shape, ...]) -> Shape:
        """Output size of each spatial axis."""
        return tuple(
            self.size_of(i, axis) for i, axis in zip(inputs[0][1:], self.axes(inputs), strict=True)
        )

    def windows(self, inputs: tuple[Shape, ...]) -> tuple[Window, ...] | None:
        return tuple(
            # Of the intervals of a spread input the ends are up to n − 1 zeros from its positions.
            Window(
                effective_kernel(axis.kernel, axis.dilation) + axis.spread - 1,
                axis.stride,
                -padding_before(i, axis) if axis.same else -axis.before,
                axis.spread,
            )
            for i, axis in zip(inputs[0][1:], self.axes(inputs), strict=True)
        )

    def paddings_of_same(self, inputs: tuple[Shape, ...]) -> Shape:
        """Padding of both ends of each axis that `same` asks for; none without it."""
        return tuple(
            padding_of_same(i, axis)
            for i, axis in zip(inputs[0][1:], self.axes(inputs), strict=True)
            if axis.same
        )

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Finding]:
        shape = inputs[0]
        found = check_feature_map(self, shape) or check_values_per_axis(self, shape)
        yield from found
        if not found:
            yield from self._check_sizes(inputs)

    def _check_sizes(self, inputs: tuple[Shape, ...]) -> Iterator[Finding]:
        for i, axis in zip(inputs[0][1:], self.axes(inputs), strict=True):
            if not is_refuted(lambda i=i, axis=axis: self.size_of(i, axis) >= 1):  # type: ignore[misc]
                continue
            before, after = "p", "p"
            if str(axis.before) != str(axis.after):
                before, after = "p_before", "p_after"
            shown = Axis(
                Shown(plain(axis.kernel), "k"),
                Shown(plain(axis.stride), "s"),
                Shown(plain(axis.before), before),
                Shown(plain(axis.after), after),
                Shown(plain(axis.dilation), "d"),
                axis.same,
                axis.spread,
            )
            yield Finding(
                catalogue.NO_OUTPUT,
                f"`{{name}}` has no output: its input is {shape_text(inputs[0][1:])}",
                notes=(f"out = {self.size_of(Shown(plain(i), 'i'), shown)}",),
                field="kernel_size",
                help="the window must fit into the padded input: use a smaller kernel or "
                "dilation, more padding, or fewer strides before this layer",
            )
            return


def per_axis(value: Item | tuple[Item, ...], rank: int) -> tuple[Item, ...]:
    """One value for each of ``rank`` axes, from one for all or a tuple of that length."""
    return value if isinstance(value, tuple) else (value,) * rank


def ends_of(
    padding: Number | tuple[Number | tuple[Number, Number], ...], rank: int
) -> tuple[tuple[Number, Number], ...]:
    """Positions before and after, for each of ``rank`` axes."""
    return tuple(
        side if isinstance(side, tuple) else (side, side) for side in per_axis(padding, rank)
    )


def check_feature_map(layer: Layer, shape: Shape) -> tuple[Finding, ...]:
    """A finding unless ``shape`` has channels and 1 to 3 spatial axes."""
    if 2 <= len(shape) <= 4:
        return ()
    return (
        Finding(
            catalogue.WRONG_RANK,
            f"`{layer.kind}` needs a feature map of channels and 1 to 3 spatial axes, "
            f"but its input is {shape_text(shape)}",
        ),
    )


def check_values_per_axis(layer: Layer, shape: Shape) -> tuple[Finding, ...]:
    """A finding for each field with a list that is not as long as ``shape`` has spatial axes."""
    rank = len(shape) - 1
    return tuple(
        Finding(
            catalogue.WRONG_RANK,
            f"`{declared.name}` has {len(value)} values, but the input {shape_text(shape)} has "
            f"{rank} spatial {'axis' if rank == 1 else 'axes'}",
            field=declared.name,
            help=f"give one number, or one each for {', '.join(SPATIAL_NAMES[rank])}",
        )
        for declared in layer.declarations
        if isinstance(value := getattr(layer, declared.name), tuple) and len(value) != rank
    )


def padding_of_same(i: Number, axis: Axis) -> Number:
    """Padding of both ends under `same`: max(0, (⌈i/s⌉ − 1)·s + k − i), for the effective kernel k.

    TensorFlow's rule; with a stride of 1/n the positions of the spread input take the place of i.
    """
    k, s, n = effective_kernel(axis.kernel, axis.dilation), axis.stride, axis.spread
    return greater(0, (output_size(i, axis) - 1) * s + k - (n * (i - 1) + 1))


def padding_before(i: Number, axis: Axis) -> Number:
    """Padding before the first position under `same`: the lesser half, the extra goes to the end.

    As TensorFlow has it.
    """
    return padding_of_same(i, axis) // 2


def plain(number: Number) -> int | Polynomial:
    """A number without its derivation."""
    return number.value if isinstance(number, Shown) else number
