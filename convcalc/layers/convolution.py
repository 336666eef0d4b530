"""Convolutions."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import ClassVar

from convcalc.algebra import Number, product
from convcalc.algebra.shown import divided, greater
from convcalc.errors import Finding, catalogue
from convcalc.layers.declaration import (
    Kept,
    Operations,
    Shape,
    Tensor,
    Window,
    division_text,
    field,
    is_refuted,
    shape_text,
)
from convcalc.layers.field_types import Boolean, Choice, Integer, Padding, PerAxis, Stride
from convcalc.layers.window import Axis, SlidingWindow, effective_kernel, per_axis

__all__ = ["Conv", "ConvTranspose", "DepthwiseConv"]


class Convolution(SlidingWindow):
    """What all convolutions share: one kernel element a weight, one use of it a multiply-add."""

    is_transposed: ClassVar[bool] = False
    """Whether it lays kernels over its output, not over its input."""

    stride: Number | Fraction | tuple[Number | Fraction, ...] = field(  # type: ignore[assignment]  # wider
        PerAxis(Stride()),
        default=1,
        symbol="s",
        help="step of the window; 1/n: n steps for each input position, zeros between them",
        known_as=("strides", "subsample", "s", "step"),
    )
    dilation: Number | tuple[Number, ...] = field(
        PerAxis(Integer(1)),
        default=1,
        symbol="d",
        help="distance between neighbouring kernel elements",
        known_as=("dilations", "dilation_rate", "rate", "d"),
    )
    bias: bool = field(
        Boolean(), default=True, help="whether a learned number is added", known_as=("use_bias",)
    )

    def dilations(self, rank: int) -> tuple[Number, ...]:
        return per_axis(self.dilation, rank)

    def channels_out(self, channels_in: Number) -> Number:
        """Channels of the output."""
        raise NotImplementedError

    def channels_per_group(self, channels_in: Number) -> Number:
        """Input channels that one output channel is computed from."""
        raise NotImplementedError

    def output(self, inputs: tuple[Shape, ...]) -> Shape:
        return (self.channels_out(inputs[0][0]), *self.output_sizes(inputs))

    def weights(self, inputs: tuple[Shape, ...]) -> tuple[Tensor, ...]:
        channels_in, *spatial = inputs[0]
        channels_out = self.channels_out(channels_in)
        kernel = self.kernels(len(spatial))
        weight = Tensor("weight", (channels_out, self.channels_per_group(channels_in), *kernel))
        return (weight, Tensor("bias", (channels_out,))) if self.bias else (weight,)

    def operations(self, inputs: tuple[Shape, ...], output: Shape) -> Operations:
        """C_out · Π out · (C_in / groups) · Π kernel multiply-adds; an add an output for bias.

        On an axis with a stride of 1/n the input positions take the place of out: no product is
        worked out with the zeros between them, as in a transposed convolution.
        """
        channels_in, *spatial = inputs[0]
        channels_out, *out = output
        kernel = self.kernels(len(spatial))
        used = tuple(
            i if isinstance(s, Fraction) else o
            for i, o, s in zip(spatial, out, self.strides(len(spatial)), strict=True)
        )
        return Operations(
            macs=product((channels_out, *used))
            * self.channels_per_group(channels_in)
            * product(kernel),
            adds=product(output) if self.bias else 0,
        )

    def kept_for_backward(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:  # noqa: ARG002
        """The input, for the gradient of the weights."""
        return Kept(inputs=True)


class GroupedConvolution(Convolution):
    """A convolution whose output channels are chosen, and whose channels may fall into groups."""

    out_channels: Number = field(
        Integer(1),
        symbol="C_out",
        help="channels of the output",
        known_as=("filters", "out", "num_output", "nb_filter", "out_planes", "out_ch", "channels"),
    )
    groups: Number = field(
        Integer(1),
        default=1,
        symbol="g",
        help="parts that the channels fall into; no weight joins two parts",
        known_as=("group", "num_group", "g"),
    )
    in_channels: Number | None = field(
        Integer(1),
        default=None,
        symbol="C_in",
        help="channels of the input; taken from it, and checked against it if given",
        known_as=("in_planes", "in_ch"),
    )

    def channels_out(self, channels_in: Number) -> Number:  # noqa: ARG002 - as declared
        return self.out_channels

    def channels_per_group(self, channels_in: Number) -> Number:
        return divided(channels_in, self.groups)

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Finding]:
        yield from super().check(inputs)
        channels_in = inputs[0][0]
        yield from check_given_size(self.in_channels, channels_in, "in_channels", "channels")
        yield from check_groups(self.groups, channels_in, self.out_channels)


class Conv(
    GroupedConvolution,
    kind="conv",
    known_as=(
        "convolution",
        *("conv1d", "conv2d", "conv3d", "convolution1d", "convolution2d", "convolution3d"),
        *("locallyconnected1d", "locallyconnected2d", "locally_connected"),
    ),
):
    """Convolution over one, two or three spatial axes, as the input has them.

    `weight_sharing` says which positions share a kernel: `spatial` is the ordinary convolution,
    one kernel for all positions; with `none` every position has a kernel and a bias of its own
    (locally connected); with `full` one kernel serves every position and every input channel.
    Multiply-adds are the same for all three: C_out · Π out · (C_in / groups) · Π kernel.
    """

    weight_sharing: str = field(
        Choice("spatial", "none", "full"),
        default="spatial",
        help="which positions share a kernel: see above",
        known_as=("sharing",),
    )

    def weights(self, inputs: tuple[Shape, ...]) -> tuple[Tensor, ...]:
        """(C_out, C_in / groups, *kernel) and (C_out,) for spatial sharing.

        Without sharing each output position has its own; with full sharing one kernel serves all
        input channels.
        """
        ordinary = super().weights(inputs)
        if self.weight_sharing == "spatial":
            return ordinary
        if self.weight_sharing == "none":
            positions = self.output_sizes(inputs)
            return tuple(Tensor(name, (*shape, *positions)) for name, shape in ordinary)
        (name, (channels_out, _, *kernel)), *bias = ordinary
        return (Tensor(name, (channels_out, 1, *kernel)), *bias)


class DepthwiseConv(
    Convolution,
    kind="depthwise_conv",
    known_as=("depthwise", "dwconv", "depthwiseconv1d", "depthwiseconv2d", "depthwiseconv3d"),
):
    """Depthwise convolution: each input channel has kernels of its own, `multiplier` of them.

    The same as `conv` with `groups` = C_in and `out_channels` = C_in · multiplier.
    """

    multiplier: Number = field(
        Integer(1),
        default=1,
        symbol="m",
        help="output channels for each input channel",
        known_as=("depth_multiplier", "channel_multiplier"),
    )

    def channels_out(self, channels_in: Number) -> Number:
        return channels_in * self.multiplier

    def channels_per_group(self, channels_in: Number) -> Number:  # noqa: ARG002 - as declared
        return 1


class ConvTranspose(
    GroupedConvolution,
    kind="conv_transpose",
    known_as=(
        *("deconv", "deconvolution", "transposed_conv", "upconv"),
        *("convtranspose1d", "convtranspose2d", "convtranspose3d"),
        *("conv1dtranspose", "conv2dtranspose", "conv3dtranspose"),
    ),
):
    """Transposed convolution: each input position adds a kernel's worth to the output.

    It turns the sizes of `conv` around: (i − 1)·s − 2p + d(k − 1) + output_padding + 1, the size
    from which a `conv` of the same fields makes i. `same` makes i·s, as in Keras. Multiply-adds are
    over input positions: C_in · Π in · (C_out / groups) · Π kernel; those that fall into the
    padding are counted too.
    """

    is_transposed = True

    stride: Number | tuple[Number, ...] = field(
        PerAxis(Integer(1)),
        default=1,
        symbol="s",
        help="output positions from one input position to the next",
        known_as=("strides", "subsample", "s", "step", "upsample"),
    )
    padding: str | Number | tuple[Number | tuple[Number, Number], ...] = field(
        Padding(same="input · stride"),
        default=0,
        symbol="p",
        help="positions taken away at the ends of each axis of the output",
        known_as=("pad", "pads", "border_mode", "auto_pad", "p"),
    )
    output_padding: Number | tuple[Number, ...] = field(
        PerAxis(Integer(0)),
        default=0,
        symbol="p_out",
        help="positions added to the output's end, to tell apart the sizes from which a `conv` "
        "makes the same",
        known_as=("outpad",),
    )

    def output_sizes(self, inputs: tuple[Shape, ...]) -> Shape:
        spatial = inputs[0][1:]
        extras: tuple[Number, ...] = per_axis(self.output_padding, len(spatial))
        return tuple(
            i * axis.stride if axis.same else transposed_size(i, axis, extra)
            for i, axis, extra in zip(spatial, self.axes(inputs), extras, strict=True)
        )

    def weights(self, inputs: tuple[Shape, ...]) -> tuple[Tensor, ...]:
        """(C_in, C_out / groups, *kernel) and (C_out,)."""
        channels_in, *spatial = inputs[0]
        kernel = self.kernels(len(spatial))
        weight = Tensor("weight", (channels_in, divided(self.out_channels, self.groups), *kernel))
        return (weight, Tensor("bias", (self.out_channels,))) if self.bias else (weight,)

    def operations(self, inputs: tuple[Shape, ...], output: Shape) -> Operations:
        """C_in · Π in · (C_out / groups) · Π kernel multiply-adds; an add an output for bias."""
        kernel = self.kernels(len(inputs[0]) - 1)
        return Operations(
            macs=product(inputs[0]) * divided(self.out_channels, self.groups) * product(kernel),
            adds=product(output) if self.bias else 0,
        )

    def windows(self, inputs: tuple[Shape, ...]) -> tuple[Window, ...] | None:
        """Output position j sees the input positions from (j + p − d(k − 1))/s to (j + p)/s.

        Under `same` the ends are cut by the greater half of k − s at the end.
        Where dilation skips what the stride leaves, fewer of these are seen, the ends too.
        """
        found = []
        for axis in self.axes(inputs):
            k, s = effective_kernel(axis.kernel, axis.dilation), axis.stride
            p = transposed_surplus(axis) // 2 if axis.same else axis.before
            found.append(Window(k - 1 + s, 1, p - (k - 1), s))
        return tuple(found)

    def paddings_of_same(self, inputs: tuple[Shape, ...]) -> Shape:
        """Of the output, whose windows reach over i·s."""
        return tuple(transposed_surplus(axis) for axis in self.axes(inputs) if axis.same)

    def _check_sizes(self, inputs: tuple[Shape, ...]) -> Iterator[Finding]:
        if any(is_refuted(lambda size=size: size >= 1) for size in self.output_sizes(inputs)):  # type: ignore[misc]
            yield Finding(
                catalogue.NO_OUTPUT,
                f"`{{name}}` has no output: its input is {shape_text(inputs[0][1:])}, and of the "
                f"output the padding leaves {shape_text(self.output_sizes(inputs))}",
                field="padding",
                help="`padding` of a transposed convolution takes away from the output: use less",
            )
        else:
            yield from self._check_output_padding(inputs)

    def _check_output_padding(self, inputs: tuple[Shape, ...]) -> Iterator[Finding]:
        axes = self.axes(inputs)
        for axis, extra in zip(axes, per_axis(self.output_padding, len(axes)), strict=True):
            if is_refuted(lambda a=axis, e=extra: e < a.stride or e < a.dilation) or (  # type: ignore[misc]
                axis.same and is_refuted(lambda e=extra: e == 0)  # type: ignore[misc]
            ):
                yield Finding(
                    catalogue.PADDING_TOO_WIDE,
                    f"`output_padding` {extra} of `{{name}}` is not less than its stride "
                    f"{axis.stride}"
                    if not axis.same
                    else f"`output_padding` {extra} of `{{name}}` changes the size that "
                    "`padding: same` asks for",
                    field="output_padding",
                    help="it tells apart sizes between two strides: use 0 up to the stride, or the "
                    "dilation, less 1"
                    if not axis.same
                    else "leave it out",
                )
                return


def transposed_size(i: Number, axis: Axis, extra: Number) -> Number:
    """(i − 1)·s − 2p + d(k − 1) + output_padding + 1.

    Dumoulin and Visin (2016), relationship 14; the extra positions as PyTorch adds them.
    """
    k, s, before, after, d, _, _ = axis
    return (i - 1) * s - (before + after) + d * (k - 1) + extra + 1


def transposed_surplus(axis: Axis) -> Number:
    """max(0, k − s) for the effective kernel k: what `same` takes away from i·s + k − s."""
    return greater(0, effective_kernel(axis.kernel, axis.dilation) - axis.stride)


def check_groups(groups: Number, channels_in: Number, channels_out: Number) -> Iterator[Finding]:
    """A finding for input or output channels that ``groups`` do not divide."""
    for channels, whose in ((channels_in, "input"), (channels_out, "output")):
        if is_refuted(lambda channels=channels: channels % groups == 0):  # type: ignore[misc]
            yield Finding(
                catalogue.GROUPS_DO_NOT_DIVIDE,
                f"{groups} groups do not divide the {channels} {whose} channels of `{{name}}`",
                notes=(division_text(channels, groups),),
                field="groups",
                help="groups must divide the channels of the input and of the output",
            )


def check_divided(groups: Number, channels: Number, field_name: str) -> Iterator[Finding]:
    """A finding for channels that do not fall into equal groups."""
    if is_refuted(lambda: channels % groups == 0):
        yield Finding(
            catalogue.GROUPS_DO_NOT_DIVIDE,
            f"{groups} groups do not divide the {channels} channels of `{{name}}`",
            field=field_name,
            operands=(0,),
            help="groups must divide the channels",
        )


def check_given_size(
    given: Number | None, actual: Number, field_name: str, noun: str
) -> Iterator[Finding]:
    """A finding if a size that PyTorch asks for, and convcalc infers, was given wrong."""
    if given is not None and is_refuted(lambda: given == actual):
        yield Finding(
            catalogue.INPUT_SIZE_MISMATCH,
            f"`{field_name}` is {given}, but the input of `{{name}}` has {actual} {noun}",
            field=field_name,
            operands=(0,),
            help=f"leave `{field_name}` out: it is taken from the input",
        )
