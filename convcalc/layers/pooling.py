"""Pooling: a window, or the whole input, brought down to one value a channel."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.algebra import (
    Number,
    Polynomial,
    Shown,
    UndecidableError,
    exact_quotient,
    greatest_common_divisor,
    product,
)
from convcalc.errors import Finding, catalogue
from convcalc.layers.declaration import (
    WHOLE_INPUT,
    Kept,
    KeptTensor,
    Layer,
    Operations,
    Shape,
    Window,
    field,
    is_refuted,
)
from convcalc.layers.field_types import Boolean, Integer, PerAxis
from convcalc.layers.window import (
    Axis,
    SlidingWindow,
    ceil_output_size,
    check_feature_map,
    check_values_per_axis,
    output_size,
    per_axis,
    plain,
)

__all__ = [
    "AdaptiveAvgPool",
    "AdaptiveMaxPool",
    "AvgPool",
    "GlobalAvgPool",
    "GlobalMaxPool",
    "MaxPool",
]


class WindowPool(SlidingWindow):
    """What pooling with a window shares."""

    stride: Number | tuple[Number, ...] | None = field(  # type: ignore[assignment]  # None allowed
        PerAxis(Integer(1)),
        default=None,
        symbol="s",
        help="step of the window; by default its size, so that windows do not overlap",
        known_as=("strides", "subsample", "s", "step"),
    )
    ceil_mode: bool = field(
        Boolean(),
        default=False,
        help="round the output size up: a last window may hang over the end",
        known_as=("round_up",),
    )

    def strides(self, rank: int) -> tuple[Number, ...]:
        return self.kernels(rank) if self.stride is None else per_axis(self.stride, rank)

    def size_of(self, i: Number, axis: Axis) -> Number:
        return ceil_output_size(i, axis) if self.ceil_mode else output_size(i, axis)

    def output(self, inputs: tuple[Shape, ...]) -> Shape:
        return (inputs[0][0], *self.output_sizes(inputs))

    def window_elements(self, inputs: tuple[Shape, ...]) -> Number:
        """Elements of one whole window: Π kernel. Padded positions count like others."""
        return product(self.kernels(len(inputs[0]) - 1))

    def _check_sizes(self, inputs: tuple[Shape, ...]) -> Iterator[Finding]:
        yield from super()._check_sizes(inputs)
        yield from self._check_padding(inputs)
        if self.ceil_mode:
            yield from self._check_rounding(inputs)

    def _check_padding(self, inputs: tuple[Shape, ...]) -> Iterator[Finding]:
        """PyTorch's rule, which takes no account of dilation."""
        for axis in self.axes(inputs):
            k = axis.kernel
            for p in (axis.before, axis.after):
                if is_refuted(lambda p=p, k=k: p <= k // 2):  # type: ignore[misc]
                    yield Finding(
                        catalogue.PADDING_TOO_WIDE,
                        f"`padding` {p} of `{{name}}` is more than half its kernel size {k}",
                        field="padding",
                        help="a window could lie in the padding alone and have nothing to pool; "
                        f"use at most {k // 2}",
                    )
                    return

    def _check_rounding(self, inputs: tuple[Shape, ...]) -> Iterator[Finding]:
        """A finding if free symbols leave open which window is the last in `ceil_mode`."""
        for i, axis in zip(inputs[0][1:], self.axes(inputs), strict=True):
            try:
                self.size_of(i, axis)
            except UndecidableError as error:
                yield Finding(
                    catalogue.UNDECIDABLE,
                    f"where the last window of `{{name}}` starts depends on "
                    f"{', '.join(sorted(error.symbols))}",
                    field="ceil_mode",
                    help="give the kernel, the stride and the padding numbers, or leave out "
                    "`ceil_mode`",
                )
                return


class MaxPool(
    WindowPool,
    kind="max_pool",
    known_as=("maxpool", "maxpool1d", "maxpool2d", "maxpool3d", "maxpooling2d", "max_pooling2d"),
):
    """Maximum over a window: Π kernel − 1 comparisons for each output element."""

    dilation: Number | tuple[Number, ...] = field(
        PerAxis(Integer(1)),
        default=1,
        symbol="d",
        help="distance between neighbouring elements of the window",
        known_as=("dilations",),
    )

    def dilations(self, rank: int) -> tuple[Number, ...]:
        return per_axis(self.dilation, rank)

    def operations(self, inputs: tuple[Shape, ...], output: Shape) -> Operations:
        return Operations(comparisons=product(output) * (self.window_elements(inputs) - 1))

    def kept_for_backward(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:  # noqa: ARG002
        """The input, and for each output element where its maximum stands, in 64 bits."""
        return Kept(inputs=True, tensors=(KeptTensor("indices", product(output), bits=64),))


class AvgPool(
    WindowPool,
    kind="avg_pool",
    known_as=(
        *("avgpool", "avgpool1d", "avgpool2d", "avgpool3d"),
        *("averagepool", "averagepooling2d", "average_pool"),
    ),
):
    """Mean over a window: Π kernel − 1 adds and one divide for each output element."""

    count_include_pad: bool = field(
        Boolean(),
        default=True,
        help="whether padded positions count in what the sum is divided by; has no bearing on the "
        "cost, for which they always count",
        known_as=("include_pad",),
    )

    def operations(self, inputs: tuple[Shape, ...], output: Shape) -> Operations:
        return Operations(
            adds=product(output) * (self.window_elements(inputs) - 1), divides=product(output)
        )

    def kept_for_backward(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:  # noqa: ARG002
        """The input."""
        return Kept(inputs=True)


class AdaptivePool(Layer):
    """Pooling in windows laid so that the output has a given size, as in PyTorch."""

    output_size: Number | tuple[Number | None, ...] | None = field(
        PerAxis(Integer(1), nullable=True),
        symbol="m",
        help="size of the output",
        known_as=("size", "output_shape", "out"),
    )

    def output(self, inputs: tuple[Shape, ...]) -> Shape:
        channels, *spatial = inputs[0]
        wanted = per_axis(self.output_size, len(spatial))
        return (
            channels,
            *(n if m is None else m for n, m in zip(spatial, wanted, strict=True)),
        )

    def joins(self, inputs: tuple[Shape, ...], output: Shape) -> Number:
        """Adds or comparisons: the elements that all windows hold, less one for each window."""
        channels, *spatial = inputs[0]
        held = tuple(n + m - common_divisor(n, m) for n, m in zip(spatial, output[1:], strict=True))
        return channels * product(held) - product(output)

    def windows(self, inputs: tuple[Shape, ...]) -> tuple[Window, ...] | None:
        """Exact where each output size divides its input size.

        Elsewhere the widest window in the longest step, so that nothing that is seen is left out.
        """
        return tuple(
            Window(widest_adaptive_window(n, m), (n + m - 1) // m, 0)
            for n, m in zip(inputs[0][1:], self.output(inputs)[1:], strict=True)
        )

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Finding]:
        found = check_feature_map(self, inputs[0]) or check_values_per_axis(self, inputs[0])
        yield from found or self._check_decidable(inputs)

    def _check_decidable(self, inputs: tuple[Shape, ...]) -> Iterator[Finding]:
        """A finding if free symbols leave open how many elements the windows share."""
        for n, m in zip(inputs[0][1:], self.output(inputs)[1:], strict=True):
            try:
                common_divisor(n, m)
            except UndecidableError as error:
                yield Finding(
                    catalogue.UNDECIDABLE,
                    f"how the windows of `{{name}}` overlap depends on "
                    f"{', '.join(sorted(error.symbols))}",
                    field="output_size",
                    help="give `output_size` numbers",
                )
                return


class AdaptiveAvgPool(
    AdaptivePool,
    kind="adaptive_avg_pool",
    known_as=("adaptiveavgpool1d", "adaptiveavgpool2d", "adaptiveavgpool3d", "adaptive_avgpool"),
):
    """Mean over windows laid so that the output has a given size, as in PyTorch.

    On an axis of n inputs and m outputs, window j goes from ⌊j·n/m⌋ to ⌈(j + 1)·n/m⌉. Where m does
    not divide n, neighbours share an element: the windows together hold n + m − gcd(n, m).
    """

    def operations(self, inputs: tuple[Shape, ...], output: Shape) -> Operations:
        return Operations(adds=self.joins(inputs, output), divides=product(output))

    def kept_for_backward(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:  # noqa: ARG002
        """The input; nothing where it is a mean over everything, whose gradient needs no values."""
        return Kept(inputs=any(not is_refuted(lambda m=m: m != 1) for m in output[1:]))  # type: ignore[misc]


class AdaptiveMaxPool(
    AdaptivePool,
    kind="adaptive_max_pool",
    known_as=("adaptivemaxpool1d", "adaptivemaxpool2d", "adaptivemaxpool3d", "adaptive_maxpool"),
):
    """Maximum over the windows of `adaptive_avg_pool`: a comparison where that has an add."""

    def operations(self, inputs: tuple[Shape, ...], output: Shape) -> Operations:
        return Operations(comparisons=self.joins(inputs, output))

    def kept_for_backward(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:  # noqa: ARG002
        """The input, and for each output element where its maximum stands, in 64 bits."""
        return Kept(inputs=True, tensors=(KeptTensor("indices", product(output), bits=64),))


class GlobalPool(Layer):
    """Pooling of all positions of each channel."""

    def output(self, inputs: tuple[Shape, ...]) -> Shape:
        channels, *spatial = inputs[0]
        return (channels, *(1 for _ in spatial))

    def joins(self, inputs: tuple[Shape, ...]) -> Number:
        """Adds or comparisons: one for each position after the first, in each channel."""
        channels, *spatial = inputs[0]
        return channels * (product(tuple(spatial)) - 1)

    def windows(self, inputs: tuple[Shape, ...]) -> tuple[Window, ...] | None:  # noqa: ARG002
        return WHOLE_INPUT

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Finding]:
        yield from check_feature_map(self, inputs[0])


class GlobalAvgPool(
    GlobalPool,
    kind="global_avg_pool",
    known_as=(
        *("gap", "globalavgpool", "globalaveragepool", "global_average_pool"),
        *("globalaveragepooling1d", "globalaveragepooling2d", "globalaveragepooling3d"),
    ),
):
    """Mean over all positions of each channel; the spatial axes stay, with size 1.

    Π input − 1 adds and one divide for each channel.
    """

    def operations(self, inputs: tuple[Shape, ...], output: Shape) -> Operations:
        return Operations(adds=self.joins(inputs), divides=product(output))


class GlobalMaxPool(
    GlobalPool,
    kind="global_max_pool",
    known_as=(
        *("gmp", "globalmaxpool"),
        *("globalmaxpooling1d", "globalmaxpooling2d", "globalmaxpooling3d"),
    ),
):
    """Maximum over all positions of each channel; the spatial axes stay, with size 1.

    Π input − 1 comparisons for each channel.
    """

    def operations(self, inputs: tuple[Shape, ...], output: Shape) -> Operations:  # noqa: ARG002
        return Operations(comparisons=self.joins(inputs))

    def kept_for_backward(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:  # noqa: ARG002
        """The input, and for each channel where its maximum stands, as `adaptive_max_pool` to 1."""
        return Kept(inputs=True, tensors=(KeptTensor("indices", product(output), bits=64),))


def common_divisor(n: Number, m: Number) -> Number:
    """gcd(n, m), whichever of the numbers that formulas run on they are.

    Raises UndecidableError for an m with free symbols, unless it divides n: no formula gives it.
    """
    if isinstance(n, Shown) or isinstance(m, Shown):
        return Shown.of("gcd", _plain_common_divisor(plain(n), plain(m)), n, m)
    return _plain_common_divisor(n, m)


def _plain_common_divisor(n: int | Polynomial, m: int | Polynomial) -> int | Polynomial:
    if isinstance(m, int):
        return greatest_common_divisor(n, m)
    if exact_quotient(n, m) is not None:
        return m
    raise UndecidableError(f"{m} divides {n}", m.symbols)


def widest_adaptive_window(n: Number, m: Number) -> Number:
    """⌈(n − gcd(n, m))/m⌉ + 1, the most elements that one of m windows over n elements holds.

    Window j holds ⌈(n + r)/m⌉, where r = j·n mod m goes through the multiples of gcd(n, m) below m.
    """
    return (n - common_divisor(n, m) + m - 1) // m + 1
