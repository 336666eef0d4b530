"""Convolutions."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.algebra import Number, product
from convcalc.errors import Finding, catalogue
from convcalc.layers.declaration import Kept, Operations, Shape, Tensor, field, is_refuted
from convcalc.layers.field_types import Boolean, Choice, Integer, PerAxis
from convcalc.layers.window import SlidingWindow, per_axis

__all__ = ["Conv", "DepthwiseConv"]


class Convolution(SlidingWindow):
    """What all convolutions share: one kernel element a weight, one use of it a multiply-add."""

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
        """C_out · Π out · (C_in / groups) · Π kernel multiply-adds; an add an output for bias."""
        channels_in, *spatial = inputs[0]
        kernel = self.kernels(len(spatial))
        return Operations(
            macs=product(output) * self.channels_per_group(channels_in) * product(kernel),
            adds=product(output) if self.bias else 0,
        )

    def kept_for_backward(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:  # noqa: ARG002
        """The input, for the gradient of the weights."""
        return Kept(inputs=True)


class Conv(
    Convolution,
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
    weight_sharing: str = field(
        Choice("spatial", "none", "full"),
        default="spatial",
        help="which positions share a kernel: see above",
        known_as=("sharing",),
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
        return channels_in // self.groups

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

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Finding]:
        yield from super().check(inputs)
        channels_in = inputs[0][0]
        yield from check_given_size(self.in_channels, channels_in, "in_channels", "channels")
        for channels, whose, name in (
            (channels_in, "input", "groups"),
            (self.out_channels, "output", "groups"),
        ):
            if is_refuted(lambda channels=channels: channels % self.groups == 0):  # type: ignore[misc]
                yield Finding(
                    catalogue.GROUPS_DO_NOT_DIVIDE,
                    f"{self.groups} groups do not divide the {channels} {whose} channels "
                    f"of `{{name}}`",
                    notes=(
                        f"{channels} = {channels // self.groups}·{self.groups} + "
                        f"{channels % self.groups}",
                    ),
                    field=name,
                    help="groups must divide the channels of the input and of the output",
                )


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
