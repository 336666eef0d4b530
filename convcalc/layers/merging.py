"""Merges: layers with several inputs."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.algebra import Number, product
from convcalc.errors import Finding, catalogue
from convcalc.layers.declaration import (
    Kept,
    Layer,
    Memory,
    Operations,
    Shape,
    dimension,
    dimension_finding,
    field,
    is_refuted,
    shape_text,
)
from convcalc.layers.field_types import Boolean, Integer

__all__ = ["Add", "Concat", "Mul"]


class ElementwiseMerge(Layer):
    """Inputs joined element by element."""

    memory = Memory.IN_PLACE
    merges = True

    def output(self, inputs: tuple[Shape, ...]) -> Shape:
        return tuple(broadcast_size(sizes) for sizes in zip(*inputs, strict=True))

    def broadcasts(self) -> bool:
        """Whether an axis of size 1 is stretched to the size that another input has."""
        raise NotImplementedError

    def merge_operations(self, inputs: tuple[Shape, ...], output: Shape) -> Number:
        """One operation for each element and each input after the first."""
        return product(output) * (len(inputs) - 1)

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Finding]:
        for position, shape in enumerate(inputs):
            for earlier, other in enumerate(inputs[:position]):
                if self._fit(other, shape):
                    continue
                yield Finding(
                    catalogue.SHAPES_DIFFER,
                    f"`{{name}}` joins inputs of different shapes: {shape_text(other)} and "
                    f"{shape_text(shape)}",
                    operands=(earlier, position),
                    help=self._way_out(other, shape),
                )
                break

    def _fit(self, one: Shape, other: Shape) -> bool:
        """Whether two shapes can be joined; where free symbols leave it open, they can."""
        return len(one) == len(other) and not any(
            is_refuted(lambda a=a, b=b: a == b or (self.broadcasts() and (a == 1 or b == 1)))  # type: ignore[misc]
            for a, b in zip(one, other, strict=True)
        )

    def _way_out(self, first: Shape, other: Shape) -> str:
        if len(first) != len(other):
            return "both need the same number of axes"
        if is_refuted(lambda: first[0] == other[0]):
            return "bring both to the same channels, for example with a 1×1 `conv`"
        return "bring both to the same size: check the stride and padding on the way to each"


class Add(ElementwiseMerge, kind="add", known_as=("sum", "plus", "eltwise")):
    """Sum of its inputs, element by element."""

    broadcast: bool = field(
        Boolean(),
        default=False,
        help="stretch axes of size 1; off, because in a residual it hides a mistake",
    )

    def broadcasts(self) -> bool:
        return self.broadcast

    def operations(self, inputs: tuple[Shape, ...], output: Shape) -> Operations:
        return Operations(adds=self.merge_operations(inputs, output))


class Mul(ElementwiseMerge, kind="mul", known_as=("multiply", "times", "product")):
    """Product of its inputs, element by element; axes of size 1 are stretched (broadcasting)."""

    def broadcasts(self) -> bool:
        return True

    def operations(self, inputs: tuple[Shape, ...], output: Shape) -> Operations:
        return Operations(multiplies=self.merge_operations(inputs, output))

    def kept_for_backward(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:  # noqa: ARG002
        """Every input: the gradient of each is made of the others."""
        return Kept(inputs=True)


class Concat(Layer, kind="concat", known_as=("concatenate", "cat", "concatenation", "join")):
    """Its inputs, one after the other along a dimension; all others must agree."""

    merges = True

    dim: int = field(
        Integer(None),
        default=1,
        help="the dimension along which they are joined, counted as in PyTorch: 1 is the channels",
        known_as=("axis",),
    )

    def output(self, inputs: tuple[Shape, ...]) -> Shape:
        axis = dimension(self.dim, inputs[0])
        total = inputs[0][axis]
        for shape in inputs[1:]:
            total = total + shape[axis]
        return (*inputs[0][:axis], total, *inputs[0][axis + 1 :])

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Finding]:
        first = inputs[0]
        finding = dimension_finding(self.dim, first, "dim")
        if finding:
            yield finding
            return
        axis = dimension(self.dim, first)
        for position, shape in enumerate(inputs[1:], start=1):
            if len(shape) != len(first) or any(
                is_refuted(lambda a=a, b=b: a == b)  # type: ignore[misc]
                for n, (a, b) in enumerate(zip(first, shape, strict=True))
                if n != axis
            ):
                yield Finding(
                    catalogue.SHAPES_DIFFER,
                    f"`{{name}}` joins inputs that differ beside dimension {self.dim}: "
                    f"{shape_text(first)} and {shape_text(shape)}",
                    operands=(0, position),
                    help="bring both to the same size: check the stride and padding on the "
                    "way to each",
                )


def broadcast_size(sizes: tuple[Number, ...]) -> Number:
    """The size that an axis has after stretching: that of the inputs where it is not 1.

    Where free symbols leave that open, that of the first which may be something else.
    """
    for size in sizes:
        if is_refuted(lambda size=size: size == 1):  # type: ignore[misc]
            return size
    for size in sizes:
        if not is_refuted(lambda size=size: size != 1):  # type: ignore[misc]
            return size
    return 1
