"""Layers that change the size of a feature map without learning anything."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from convcalc.algebra import Number, product
from convcalc.algebra.shown import divided
from convcalc.errors import Finding, catalogue
from convcalc.layers.declaration import (
    Layer,
    Memory,
    Operations,
    Shape,
    Window,
    division_text,
    field,
    is_refuted,
    shape_text,
)
from convcalc.layers.field_types import Choice, Integer, Padding, PerAxis, Real
from convcalc.layers.window import check_feature_map, check_values_per_axis, ends_of, per_axis

__all__ = ["Crop", "Pad", "PixelShuffle", "PixelUnshuffle", "SpaceToDepth", "Upsample"]


class Pad(
    Layer,
    kind="pad",
    known_as=(
        *("zeropadding1d", "zeropadding2d", "zeropadding3d", "zeropad1d", "zeropad2d", "zeropad3d"),
        *("constantpad2d", "reflectionpad2d", "replicationpad2d", "circularpad2d"),
    ),
):
    """Adds positions at the ends of each spatial axis, filled in whichever way."""

    padding: Number | tuple[Number | tuple[Number, Number], ...] = field(
        Padding(words=()),
        symbol="p",
        help="positions added at the ends of each axis",
        known_as=("pads", "paddings", "p"),
    )

    def ends(self, inputs: tuple[Shape, ...]) -> tuple[tuple[Number, Number], ...]:
        """Positions before and after, for each spatial axis."""
        return ends_of(self.padding, len(inputs[0]) - 1)

    def output(self, inputs: tuple[Shape, ...]) -> Shape:
        channels, *spatial = inputs[0]
        return (
            channels,
            *(
                i + before + after
                for i, (before, after) in zip(spatial, self.ends(inputs), strict=True)
            ),
        )

    def windows(self, inputs: tuple[Shape, ...]) -> tuple[Window, ...] | None:
        """The position itself, further left by the padding before it."""
        return tuple(Window(1, 1, -before) for before, _ in self.ends(inputs))

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Finding]:
        yield from check_feature_map(self, inputs[0]) or check_values_per_axis(self, inputs[0])


class Crop(
    Layer,
    kind="crop",
    known_as=("cropping1d", "cropping2d", "cropping3d", "center_crop", "centercrop"),
):
    """Takes positions away at the ends of each spatial axis. Nothing is copied.

    `cropping` says how many; `size` says what is to be left, from the middle, as the long skips of
    U-Net need it: of an odd number one more is taken at the end.
    """

    memory = Memory.VIEW

    cropping: Number | tuple[Number | tuple[Number, Number], ...] | None = field(
        Padding(words=()),
        default=None,
        symbol="c",
        help="positions taken away at the ends of each axis",
        known_as=("crop", "margin"),
    )
    size: Number | tuple[Number, ...] | None = field(
        PerAxis(Integer(1)),
        default=None,
        symbol="m",
        help="size of the output",
        known_as=("output_size", "out"),
    )

    def ends(self, inputs: tuple[Shape, ...]) -> tuple[tuple[Number, Number], ...]:
        """Positions taken away before and after, for each spatial axis."""
        spatial = inputs[0][1:]
        if self.cropping is not None:
            return ends_of(self.cropping, len(spatial))
        assert self.size is not None  # noqa: S101 - checked
        left: tuple[Number, ...] = per_axis(self.size, len(spatial))
        return tuple(
            ((i - size) // 2, (i - size + 1) // 2) for i, size in zip(spatial, left, strict=True)
        )

    def output(self, inputs: tuple[Shape, ...]) -> Shape:
        channels, *spatial = inputs[0]
        if self.size is not None:
            size: tuple[Number, ...] = per_axis(self.size, len(spatial))
            return (channels, *size)
        return (
            channels,
            *(
                i - before - after
                for i, (before, after) in zip(spatial, self.ends(inputs), strict=True)
            ),
        )

    def windows(self, inputs: tuple[Shape, ...]) -> tuple[Window, ...] | None:
        """The position itself, further right by what is taken away before it."""
        return tuple(Window(1, 1, before) for before, _ in self.ends(inputs))

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Finding]:
        found = check_feature_map(self, inputs[0]) or check_values_per_axis(self, inputs[0])
        yield from found
        if (self.cropping is None) == (self.size is None):
            yield Finding(
                catalogue.CONFLICTING_KEYS,
                "`crop` needs `cropping` or `size`, and not both",
                field="size",
                help="`cropping: 2` takes two positions away at each end, `size: 56` leaves 56",
            )
        elif (
            not found
            and any(
                is_refuted(lambda before=before, o=o: before >= 0 and o >= 1)  # type: ignore[misc]
                for (before, _), o in zip(self.ends(inputs), self.output(inputs)[1:], strict=True)
            )
        ):
            yield Finding(
                catalogue.NO_OUTPUT,
                f"`{{name}}` cannot be cut out of its input, which is {shape_text(inputs[0][1:])}",
                field="cropping" if self.size is None else "size",
                operands=(0,),
                help="take less away",
            )


class Upsample(
    Layer,
    kind="upsample",
    known_as=(
        *("interpolate", "resize", "upsampling1d", "upsampling2d", "upsampling3d"),
        *("upsamplingnearest2d", "upsamplingbilinear2d", "bilinear_upsample"),
    ),
):
    """Lays a finer (or coarser) grid over a feature map and reads values off between positions.

    `nearest` copies. `linear` (bilinear, trilinear) mixes the two neighbours on each axis, one axis
    after the other: 2^axes − 1 mixtures an element, each of two multiplies and an add. `cubic`
    (bicubic, for images) mixes four: five mixtures of four multiplies and three adds. The factors
    of the mixtures are the same for all channels and are not counted.
    """

    scale_factor: Number | Fraction | tuple[Number | Fraction, ...] | None = field(
        PerAxis(Real(above=0)),
        default=None,
        help="output positions for each input position; the size is rounded down",
        known_as=("scale", "factor", "scales", "up"),
    )
    size: Number | tuple[Number, ...] | None = field(
        PerAxis(Integer(1)),
        default=None,
        symbol="m",
        help="size of the output, in place of a factor",
        known_as=("output_size", "out"),
    )
    mode: str = field(
        Choice("nearest", "linear", "cubic"),
        default="nearest",
        help="how a value between positions is made",
        known_as=("interpolation", "method"),
    )

    def output(self, inputs: tuple[Shape, ...]) -> Shape:
        channels, *spatial = inputs[0]
        if self.size is not None:
            size: tuple[Number, ...] = per_axis(self.size, len(spatial))
            return (channels, *size)
        assert self.scale_factor is not None  # noqa: S101 - checked
        factors: tuple[Number | Fraction, ...] = per_axis(self.scale_factor, len(spatial))
        return (channels, *(scaled(i, by) for i, by in zip(spatial, factors, strict=True)))

    def operations(self, inputs: tuple[Shape, ...], output: Shape) -> Operations:  # noqa: ARG002
        rank = len(output) - 1
        each = {
            "nearest": Operations(),
            "linear": Operations(multiplies=2, adds=1).times(2**rank - 1),
            "cubic": Operations(multiplies=4, adds=3).times(5),
        }[self.mode]
        return each.times(product(output))

    def grids(self, inputs: tuple[Shape, ...]) -> tuple[tuple[Number, Number], ...]:
        """For each axis so many input positions, and the output positions laid over them."""
        spatial = inputs[0][1:]
        if self.size is not None:
            return tuple(zip(spatial, self.output(inputs)[1:], strict=True))
        factors: tuple[Any, ...] = per_axis(self.scale_factor, len(spatial))
        return tuple((factor.denominator, factor.numerator) for factor in factors)

    def windows(self, inputs: tuple[Shape, ...]) -> tuple[Window, ...] | None:
        """Output position j of o reads the i positions around (j + ½) · i/o − ½; nearest ⌊j·i/o⌋.

        In parts of which o, or 2o, make a position. As in PyTorch i/o is 1/scale_factor, if that
        was given, even where the size was rounded down.
        """
        reach = {"linear": 1, "cubic": 2}.get(self.mode)
        found = []
        for n, (i, o) in zip(inputs[0][1:], self.grids(inputs), strict=True):
            if is_refuted(lambda n=n: n != 1):  # type: ignore[misc]
                found.append(Window(1, 0, 0))  # there is but one to read
            elif reach is None:
                found.append(Window(2 * o - 1, i, 1 - o, o))
            else:
                found.append(
                    Window(4 * reach * o - 2 + 2 * o, 2 * i, i - o - 2 * reach * o + 1, 2 * o)
                )
        return tuple(found)

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Finding]:
        found = check_feature_map(self, inputs[0]) or check_values_per_axis(self, inputs[0])
        yield from found
        if (self.scale_factor is None) == (self.size is None):
            yield Finding(
                catalogue.CONFLICTING_KEYS,
                "`upsample` needs `scale_factor` or `size`, and not both",
                field="size",
                help="`scale_factor: 2` doubles, `size: [56, 56]` makes 56×56",
            )
            return
        if found:
            return
        if self.mode == "cubic" and len(inputs[0]) != 3:
            yield Finding(
                catalogue.WRONG_RANK,
                "`cubic` is for feature maps with height and width, but the input of `{name}` is "
                f"{shape_text(inputs[0])}",
                field="mode",
                help="use `linear` or `nearest`",
            )
        if any(is_refuted(lambda o=o: o >= 1) for o in self.output(inputs)[1:]):  # type: ignore[misc]
            yield Finding(
                catalogue.NO_OUTPUT,
                f"`{{name}}` has no output: its input is {shape_text(inputs[0][1:])}",
                field="scale_factor",
                help="use a larger factor",
            )


class PixelShuffle(
    Layer,
    kind="pixel_shuffle",
    known_as=("pixelshuffle", "depth_to_space", "depthtospace", "subpixel"),
):
    """Turns r^axes channels into r times as many positions on each spatial axis.

    Shi et al., "Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel
    Convolutional Neural Network" (2016).
    """

    upscale_factor: Number = field(
        Integer(1),
        symbol="r",
        help="output positions for each input position, on each axis",
        known_as=("block_size", "blocksize", "scale", "factor"),
    )

    def output(self, inputs: tuple[Shape, ...]) -> Shape:
        channels, *spatial = inputs[0]
        r = self.upscale_factor
        return (divided(channels, product((r,) * len(spatial))), *(i * r for i in spatial))

    def windows(self, inputs: tuple[Shape, ...]) -> tuple[Window, ...] | None:
        """Of each position r neighbours are made."""
        r = self.upscale_factor
        return (Window(2 * r - 1, 1, 1 - r, r),) * (len(inputs[0]) - 1)

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Finding]:
        found = check_feature_map(self, inputs[0])
        yield from found
        channels, *spatial = inputs[0]
        needed = product((self.upscale_factor,) * len(spatial))
        if not found and is_refuted(lambda: channels % needed == 0):
            yield Finding(
                catalogue.CANNOT_DIVIDE,
                f"`upscale_factor` {self.upscale_factor} needs channels that {needed} divides, but "
                f"the input of `{{name}}` has {channels}",
                notes=(division_text(channels, needed),),
                field="upscale_factor",
                operands=(0,),
                help=f"give the layer before it {needed} times the channels that are to come out",
            )


class Folding(Layer):
    """Turns squares of positions into channels."""

    def factor(self) -> Number:
        """Positions of an axis that are taken together."""
        raise NotImplementedError

    def output(self, inputs: tuple[Shape, ...]) -> Shape:
        channels, *spatial = inputs[0]
        r = self.factor()
        return (channels * product((r,) * len(spatial)), *(divided(i, r) for i in spatial))

    def windows(self, inputs: tuple[Shape, ...]) -> tuple[Window, ...] | None:
        """The r positions that were taken together."""
        r = self.factor()
        return (Window(r, r, 0),) * (len(inputs[0]) - 1)

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Finding]:
        found = check_feature_map(self, inputs[0])
        yield from found
        r = self.factor()
        for i in () if found else inputs[0][1:]:
            if is_refuted(lambda i=i: i % r == 0):  # type: ignore[misc]
                yield Finding(
                    catalogue.CANNOT_DIVIDE,
                    f"`{{name}}` cannot cut {shape_text(inputs[0][1:])} into squares of {r}",
                    notes=(division_text(i, r),),
                    field=self.declarations[0].name,
                    operands=(0,),
                    help="`pad` or `crop` the feature map before",
                )
                return


class PixelUnshuffle(Folding, kind="pixel_unshuffle", known_as=("pixelunshuffle",)):
    """Turns r positions on each spatial axis into r^axes channels: `pixel_shuffle` undone."""

    downscale_factor: Number = field(
        Integer(1),
        symbol="r",
        help="input positions of each axis that are taken together",
        known_as=("block_size", "blocksize", "scale", "factor"),
    )

    def factor(self) -> Number:
        return self.downscale_factor


class SpaceToDepth(Folding, kind="space_to_depth", known_as=("spacetodepth", "focus", "patchify")):
    """TensorFlow's `pixel_unshuffle`: the same sizes, with the channels in another order."""

    block_size: Number = field(
        Integer(1),
        symbol="r",
        help="input positions of each axis that are taken together",
        known_as=("blocksize", "downscale_factor", "factor"),
    )

    def factor(self) -> Number:
        return self.block_size


def scaled(i: Number, factor: Number | Fraction) -> Number:
    """⌊i · factor⌋."""
    if isinstance(factor, Fraction):
        return i * factor.numerator // factor.denominator
    return i * factor
