"""Layers that compute nothing: they pass their input on, take a part of it, or lay it out anew."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from convcalc.algebra import Number, product
from convcalc.algebra.shown import divided
from convcalc.errors import Finding, catalogue
from convcalc.layers.convolution import check_divided
from convcalc.layers.declaration import (
    POINTWISE,
    WHOLE_INPUT,
    Kept,
    KeptTensor,
    Layer,
    Layout,
    Memory,
    Shape,
    Window,
    dimension,
    dimension_finding,
    division_text,
    field,
    is_refuted,
    shape_text,
)
from convcalc.layers.field_types import Integer, ListOf, Real

__all__ = [
    "ChannelShuffle",
    "ChannelSlice",
    "Dropout",
    "Flatten",
    "Identity",
    "Input",
    "Permute",
    "Reshape",
    "Split",
]

MOST_PARTS: Final = 64
"""Outputs of one `split`."""


class Input(Layer):
    """An input of the network. It has no kind: the spec names inputs under `input`."""


class Identity(Layer, kind="identity", known_as=("noop", "pass", "linear_activation")):
    """Its input, unchanged."""

    memory = Memory.VIEW


class Dropout(
    Layer,
    kind="dropout",
    known_as=("dropout1d", "dropout2d", "dropout3d", "spatialdropout2d", "alphadropout"),
):
    """Zeroes elements at random in training. At inference it passes its input on."""

    memory = Memory.VIEW

    p: Fraction | float = field(
        Real(0, 1),
        default=0.5,
        help="share of the elements that is zeroed; has no bearing on the cost",
        known_as=("rate", "ratio", "prob"),
    )

    @property
    def memory_in_training(self) -> Memory:
        """A tensor of its own, unless nothing is zeroed."""
        return Memory.ALLOCATES if self.p else Memory.VIEW

    def kept_for_backward(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:  # noqa: ARG002
        """The mask, in the format of the activations: PyTorch multiplies by it on a CPU.

        Where all is zeroed, or nothing, there is none.
        """
        masked = 0 < self.p < 1
        return Kept(tensors=(KeptTensor("mask", product(output)),)) if masked else Kept()


class Flatten(Layer, kind="flatten", known_as=("ravel",)):
    """Joins the dimensions from `start_dim` to `end_dim` into one, counted as in PyTorch."""

    memory = Memory.VIEW

    start_dim: int = field(
        Integer(None), default=1, help="first dimension to join (0 is the batch)"
    )
    end_dim: int = field(Integer(None), default=-1, help="last dimension to join")

    def output(self, inputs: tuple[Shape, ...]) -> Shape:
        shape = inputs[0]
        start, end = dimension(self.start_dim, shape), dimension(self.end_dim, shape)
        return (*shape[:start], product(shape[start : end + 1]), *shape[end + 1 :])

    def windows(self, inputs: tuple[Shape, ...]) -> tuple[Window, ...] | None:
        """Joined axes have no positions left; a join of one axis with nothing changes none."""
        shape = inputs[0]
        if dimension(self.start_dim, shape) == dimension(self.end_dim, shape):
            return super().windows(inputs)
        return WHOLE_INPUT

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Finding]:
        shape = inputs[0]
        found = [
            finding
            for name in ("start_dim", "end_dim")
            if (finding := dimension_finding(getattr(self, name), shape, name))
        ]
        yield from found
        if not found and dimension(self.start_dim, shape) > dimension(self.end_dim, shape):
            yield Finding(
                catalogue.NO_SUCH_DIMENSION,
                f"`start_dim` {self.start_dim} comes after `end_dim` {self.end_dim} "
                f"in the input {shape_text(shape)}",
                field="start_dim",
            )


class Reshape(Layer, kind="reshape", known_as=("view", "unflatten", "rearrange")):
    """The same elements in the same order, under another shape. Nothing is copied."""

    memory = Memory.VIEW

    shape: tuple[Number, ...] = field(
        ListOf(Integer(-1), most=4),
        help="sizes of the output, channels first, without the batch; one of them may be -1: "
        "whatever is left over for it",
        known_as=("target_shape", "size", "sizes"),
    )

    def output(self, inputs: tuple[Shape, ...]) -> Shape:
        if not any(map(is_left_open, self.shape)):
            return self.shape
        given = product(tuple(size for size in self.shape if not is_left_open(size)))
        left = divided(product(inputs[0]), given)
        return tuple(left if is_left_open(size) else size for size in self.shape)

    def windows(self, inputs: tuple[Shape, ...]) -> tuple[Window, ...] | None:
        """Positions are lost, unless all axes stay."""
        output = self.output(inputs)
        same = len(output) == len(inputs[0]) and not is_refuted(lambda: output == inputs[0])
        return super().windows(inputs) if same else WHOLE_INPUT

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Finding]:
        if any(is_refuted(lambda size=size: size != 0) for size in self.shape):  # type: ignore[misc]
            yield Finding(
                catalogue.OUT_OF_RANGE,
                "a size in `shape` must be 1 or more, or -1, not 0",
                field="shape",
            )
            return
        if sum(map(is_left_open, self.shape)) > 1:
            yield Finding(
                catalogue.CANNOT_DIVIDE,
                "`shape` leaves more than one size open with -1",
                field="shape",
                help="one -1 can be worked out from the others",
            )
            return
        have = product(inputs[0])
        made = product(self.output(inputs))
        if is_refuted(lambda: made == have):
            given = product(tuple(size for size in self.shape if not is_left_open(size)))
            yield Finding(
                catalogue.CANNOT_DIVIDE,
                f"the input of `{{name}}` is {shape_text(inputs[0])}, {have} elements: they do not "
                f"make {shape_text(self.shape)}",
                notes=(f"{shape_text(self.shape)} is {made} elements",)
                if not any(map(is_left_open, self.shape))
                else (division_text(have, given),),
                field="shape",
                operands=(0,),
                help="a reshape keeps every element: the sizes must multiply to as many",
            )


class Permute(Layer, kind="permute", known_as=("transpose", "movedim", "swapaxes")):
    """The same elements with the dimensions in another order. Nothing is copied."""

    memory = Memory.VIEW

    dims: tuple[int, ...] = field(
        ListOf(Integer(0), most=5),
        help="for each dimension of the output which one of the input it is, counted as in "
        "PyTorch: the batch is 0 and stays first",
        known_as=("order", "perm", "axes"),
    )

    def output(self, inputs: tuple[Shape, ...]) -> Shape:
        return tuple(inputs[0][dim - 1] for dim in self.dims[1:])

    def lays_out(self, layout: Layout) -> Layout:
        last = len(self.dims) - 1
        place = self.dims.index(1 if layout is Layout.CHANNELS_FIRST else last)
        if place == 1:
            return Layout.CHANNELS_FIRST
        return Layout.FEATURES_LAST if place == last else layout

    def windows(self, inputs: tuple[Shape, ...]) -> tuple[Window, ...] | None:
        """Positions are lost, unless all dimensions stay where they are."""
        stays = self.dims == tuple(range(len(self.dims)))
        return super().windows(inputs) if stays else WHOLE_INPUT

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Finding]:
        wanted = list(range(len(inputs[0]) + 1))
        if self.dims[0] != 0 or sorted(self.dims) != wanted:
            yield Finding(
                catalogue.NO_SUCH_DIMENSION,
                f"`dims` is {list(self.dims)}, but the input {shape_text(inputs[0])} has, with the "
                f"batch, the dimensions {wanted}",
                field="dims",
                operands=(0,),
                help="begin with 0, the batch, and give each of the others once",
            )


class ChannelShuffle(
    Layer, kind="channel_shuffle", known_as=("channelshuffle", "shuffle", "shuffle_channels")
):
    """Deals the channels of `groups` groups out in turn, so that the next grouped conv mixes them.

    Zhang et al., "ShuffleNet" (2017).
    """

    groups: Number = field(
        Integer(1), symbol="g", help="groups that the channels fall into", known_as=("group",)
    )

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Finding]:
        channels = inputs[0][0]
        yield from check_divided(self.groups, channels, "groups")


class Part(Layer):
    """What takes a part of one dimension. Nothing is copied."""

    memory = Memory.VIEW

    dim: int = field(
        Integer(None),
        default=1,
        help="the dimension that is cut, counted as in PyTorch: 1 is the channels",
        known_as=("axis",),
    )

    def windows(self, inputs: tuple[Shape, ...]) -> tuple[Window, ...] | None:
        """A cut of a spatial axis moves the first position."""
        cut = dimension(self.dim, inputs[0])
        start = self.first(inputs)
        return tuple(
            Window(1, 1, start) if axis == cut else POINTWISE for axis in range(1, len(inputs[0]))
        )

    def first(self, inputs: tuple[Shape, ...]) -> Number:
        """The first place that is handed on."""
        raise NotImplementedError


class ChannelSlice(Part, kind="channel_slice", known_as=("slice", "narrow", "index_select")):
    """The channels from `start` up to, and without, `end`; or so of another `dim`.

    Numbers below 0 count from the end, as in Python; unlike there, both must lie within.
    """

    start: int = field(Integer(None), default=0, help="the first that is handed on")
    end: int | None = field(
        Integer(None),
        default=None,
        help="the first that is not handed on any more; by default all to the last are",
        known_as=("stop",),
    )

    def first(self, inputs: tuple[Shape, ...]) -> Number:
        n = inputs[0][dimension(self.dim, inputs[0])]
        return n + self.start if is_refuted(lambda: self.start >= 0) else self.start

    def behind(self, inputs: tuple[Shape, ...]) -> Number:
        """The place after the last."""
        n = inputs[0][dimension(self.dim, inputs[0])]
        if self.end is None:
            return n
        end = self.end
        return n + end if is_refuted(lambda: end >= 0) else end

    def output(self, inputs: tuple[Shape, ...]) -> Shape:
        cut = dimension(self.dim, inputs[0])
        size = self.behind(inputs) - self.first(inputs)
        return (*inputs[0][:cut], size, *inputs[0][cut + 1 :])

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Finding]:
        finding = dimension_finding(self.dim, inputs[0], "dim")
        if finding:
            yield finding
            return
        n = inputs[0][dimension(self.dim, inputs[0])]
        first, behind = self.first(inputs), self.behind(inputs)
        if is_refuted(lambda: 0 <= first < behind <= n):
            yield Finding(
                catalogue.NO_OUTPUT,
                f"`{{name}}` takes {self.start} up to {n if self.end is None else self.end} of a "
                f"dimension of {n}",
                field="start" if is_refuted(lambda: 0 <= first < n) else "end",
                operands=(0,),
                help=f"0 ≤ `start` < `end` ≤ {n}; numbers below 0 count from the end",
            )


class Split(Part, kind="split", known_as=("chunk", "unbind", "tensor_split")):
    """Cuts a dimension into parts, each an output of its own: `split.1`, `split.2` and so on.

    `sections` equal parts, or one part for each of `sizes`. What comes next takes all of them, as
    `concat` does, or one: `from: split.1`. With `part` only that one is made.
    """

    sections: Number | None = field(
        Integer(1), default=None, help="equal parts", known_as=("chunks", "num_or_size_splits")
    )
    sizes: tuple[Number, ...] | None = field(
        ListOf(Integer(1), most=MOST_PARTS),
        default=None,
        help="size of each part",
        known_as=("split_size", "split_sizes", "split_size_or_sections"),
    )
    part: int | None = field(
        Integer(1), default=None, help="the one part that is wanted, from 1; by default all are"
    )

    def parts(self, inputs: tuple[Shape, ...]) -> tuple[Layer, ...]:  # noqa: ARG002
        if self.part is not None:
            return (self,)
        count = self.sections if self.sizes is None else len(self.sizes)
        assert isinstance(count, int)  # noqa: S101 - checked
        return tuple(
            Split(dim=self.dim, sections=self.sections, sizes=self.sizes, part=part)
            for part in range(1, count + 1)
        )

    def first(self, inputs: tuple[Shape, ...]) -> Number:
        before = (self.part or 1) - 1
        if self.sizes is not None:
            start: Number = 0
            for size in self.sizes[:before]:
                start = start + size
            return start
        return self.size(inputs) * before

    def size(self, inputs: tuple[Shape, ...]) -> Number:
        """The size of the part; that of the first if all are wanted."""
        if self.sizes is not None:
            return self.sizes[(self.part or 1) - 1]
        n = inputs[0][dimension(self.dim, inputs[0])]
        return n if self.sections is None else divided(n, self.sections)

    def output(self, inputs: tuple[Shape, ...]) -> Shape:
        cut = dimension(self.dim, inputs[0])
        return (*inputs[0][:cut], self.size(inputs), *inputs[0][cut + 1 :])

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Finding]:
        finding = dimension_finding(self.dim, inputs[0], "dim")
        if finding:
            yield finding
            return
        if (self.sections is None) == (self.sizes is None):
            yield Finding(
                catalogue.CONFLICTING_KEYS,
                "`split` needs `sections` or `sizes`, and not both",
                field="sizes",
                help="`sections: 2` for two equal parts, `sizes: [16, 48]` for two unequal ones",
            )
            return
        n = inputs[0][dimension(self.dim, inputs[0])]
        sections = self.sections
        if self.sizes is not None:
            total: Number = 0
            for size in self.sizes:
                total = total + size
            if is_refuted(lambda: total == n):
                yield Finding(
                    catalogue.CANNOT_DIVIDE,
                    f"`sizes` of `{{name}}` come to {total}, but there are {n}",
                    field="sizes",
                    operands=(0,),
                    help="the parts must make up the whole",
                )
        elif not isinstance(sections, int):
            yield Finding(
                catalogue.UNDECIDABLE,
                f"`sections` is the formula {self.sections}: how many outputs there are must be "
                "known",
                field="sections",
                help="give it a number",
            )
            return
        elif sections > MOST_PARTS or is_refuted(lambda: n % sections == 0):
            yield Finding(
                catalogue.CANNOT_DIVIDE,
                f"`{{name}}` cannot cut {n} into {sections} equal parts",
                notes=()
                if sections > MOST_PARTS or is_refuted(lambda: sections <= n)
                else (division_text(n, sections),),
                field="sections",
                operands=(0,),
                help=f"use a number up to {MOST_PARTS} that divides {n}, or give the `sizes`",
            )
            return
        count = self.sections if self.sizes is None else len(self.sizes)
        if self.part is not None and is_refuted(lambda: self.part <= count):  # type: ignore[operator]
            yield Finding(
                catalogue.NO_OUTPUT,
                f"`{{name}}` has {count} parts, not {self.part}",
                field="part",
                help=f"use 1 to {count}",
            )


def is_left_open(size: Number) -> bool:
    """Whether a size of a `reshape` is -1: to be worked out."""
    return isinstance(size, int) and size == -1
