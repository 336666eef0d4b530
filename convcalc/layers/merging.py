"""Merges: layers with several inputs."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.algebra import Number, product
from convcalc.errors import Finding, catalogue
from convcalc.layers.declaration import (
    SEVERAL_INPUTS,
    WHOLE_INPUT,
    Kept,
    KeptTensor,
    Layer,
    Layout,
    Memory,
    NumberOfInputs,
    Operations,
    Shape,
    Tensor,
    Window,
    dimension,
    dimension_finding,
    field,
    is_known,
    is_refuted,
    shape_text,
)
from convcalc.layers.field_types import Boolean, Integer

__all__ = ["Add", "Concat", "MatMul", "Max", "Mean", "Mul", "WeightedSum"]


class ElementwiseMerge(Layer):
    """Inputs joined element by element."""

    memory = Memory.IN_PLACE
    takes = SEVERAL_INPUTS

    def output(self, inputs: tuple[Shape, ...]) -> Shape:
        return tuple(broadcast_size(sizes) for sizes in zip(*inputs, strict=True))

    def broadcasts(self) -> bool:
        """Whether an axis of size 1 is stretched to the size that another input has."""
        raise NotImplementedError

    def merge_operations(self, inputs: tuple[Shape, ...], output: Shape) -> Number:
        """One operation for each element and each input after the first."""
        return product(output) * (len(inputs) - 1)

    def partial_results(self, inputs: tuple[Shape, ...]) -> tuple[KeptTensor, ...]:
        """What the first two inputs come to, the first three, and so on, but for the output."""
        return tuple(
            KeptTensor(f"of_{count}", product(self.output(inputs[:count])))
            for count in range(2, len(inputs))
        )

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
            sizes = ""
            if is_refuted(lambda: first[1:] == other[1:]):
                sizes = " and to the same size, with the same `stride` on the way to each"
            return f"bring both to the same channels, for example with a 1×1 `conv`{sizes}"
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
        """Every input, and of three or more what the first come to: two are joined at a time."""
        return Kept(inputs=True, tensors=self.partial_results(inputs))

    def needed(
        self, kept: Kept, learned: tuple[bool, ...]
    ) -> tuple[tuple[bool, ...], tuple[KeptTensor, ...]]:
        """Of two factors each is needed for the gradient of the other alone."""
        inputs = (learned[1], *(any(learned[:n]) for n in range(1, len(learned))))
        partial = zip(kept.tensors, learned[2:], strict=True)
        return inputs, tuple(tensor for tensor, other in partial if other)


class Mean(Add, kind="mean", known_as=("average", "avg")):
    """Mean of its inputs, element by element: their sum, and a divide an element."""

    def operations(self, inputs: tuple[Shape, ...], output: Shape) -> Operations:
        return Operations(adds=self.merge_operations(inputs, output), divides=product(output))


class WeightedSum(
    Add, kind="weighted_sum", known_as=("weighted_add", "weighted_mean", "fast_fusion")
):
    """Sum of its inputs, each times a learned number of its own."""

    def weights(self, inputs: tuple[Shape, ...]) -> tuple[Tensor, ...]:
        return (Tensor("weight", (len(inputs),)),)

    def operations(self, inputs: tuple[Shape, ...], output: Shape) -> Operations:
        """A multiply for each element of each input, and the adds of a sum."""
        return Operations(
            adds=self.merge_operations(inputs, output),
            multiplies=sum_of(tuple(product(shape) for shape in inputs)),
        )

    def kept_for_backward(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:  # noqa: ARG002
        """Every input: the gradient of its factor is made of it."""
        return Kept(inputs=True)


class Max(ElementwiseMerge, kind="max", known_as=("maximum", "maxout")):
    """The largest of its inputs, element by element: a comparison for each after the first."""

    def broadcasts(self) -> bool:
        return False

    def operations(self, inputs: tuple[Shape, ...], output: Shape) -> Operations:
        return Operations(comparisons=self.merge_operations(inputs, output))

    def kept_for_backward(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:  # noqa: ARG002
        """Every input, to tell which of them the gradient goes to; of three or more as `mul`."""
        return Kept(inputs=True, tensors=self.partial_results(inputs))

    def needed(
        self, kept: Kept, learned: tuple[bool, ...]
    ) -> tuple[tuple[bool, ...], tuple[KeptTensor, ...]]:
        """Of two that are compared both, if a gradient goes to one of them."""
        joins = tuple(any(learned[:n]) for n in range(2, len(learned) + 1))
        partial = zip(kept.tensors, joins[1:], strict=True)
        return (joins[0], *joins), tuple(tensor for tensor, goes in partial if goes)


class MatMul(Layer, kind="matmul", known_as=("dot", "bmm", "einsum", "batch_matmul")):
    """Matrix product of two inputs, over their last two axes; axes before those are alike.

    (…, n, k) times (…, k, m) is (…, n, m), of k multiply-adds an element. Nothing is learned:
    both are activations.
    """

    takes = NumberOfInputs(2, 2)
    reads = Layout.FEATURES_LAST

    transpose_first: bool = field(
        Boolean(),
        default=False,
        help="swap the last two axes of the first input before",
        known_as=("transpose_a", "adj_x", "trans_a"),
    )
    transpose_second: bool = field(
        Boolean(),
        default=False,
        help="swap the last two axes of the second input before",
        known_as=("transpose_b", "adj_y", "trans_b"),
    )

    def factors(self, inputs: tuple[Shape, ...]) -> tuple[Shape, Shape]:
        """The shapes that are multiplied."""
        first, second = inputs
        if self.transpose_first:
            first = (*first[:-2], first[-1], first[-2])
        if self.transpose_second:
            second = (*second[:-2], second[-1], second[-2])
        return first, second

    def output(self, inputs: tuple[Shape, ...]) -> Shape:
        first, second = self.factors(inputs)
        return (*first[:-1], second[-1])

    def operations(self, inputs: tuple[Shape, ...], output: Shape) -> Operations:
        """Π output · k multiply-adds."""
        return Operations(macs=product(output) * self.factors(inputs)[0][-1])

    def kept_for_backward(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:  # noqa: ARG002
        """Both inputs: the gradient of each is a product with the other."""
        return Kept(inputs=True)

    def needed(
        self, kept: Kept, learned: tuple[bool, ...]
    ) -> tuple[tuple[bool, ...], tuple[KeptTensor, ...]]:
        """Each if the other has a gradient."""
        return learned[::-1], kept.tensors

    def windows(self, inputs: tuple[Shape, ...]) -> tuple[Window, ...] | None:  # noqa: ARG002
        return WHOLE_INPUT

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Finding]:
        if len(inputs[0]) != len(inputs[1]) or len(inputs[0]) < 2:
            yield Finding(
                catalogue.WRONG_RANK,
                "`matmul` needs two inputs with equally many axes, 2 or more, but those of "
                f"`{{name}}` are {shape_text(inputs[0])} and {shape_text(inputs[1])}",
                operands=(0, 1),
                help="`flatten: {start_dim: 2}` joins the spatial axes of a feature map",
            )
            return
        first, second = self.factors(inputs)
        if is_refuted(lambda: (*first[:-2], first[-1]) == second[:-1]):
            yield Finding(
                catalogue.SHAPES_DIFFER,
                f"`{{name}}` cannot multiply {shape_text(first)} by {shape_text(second)}",
                notes=(f"the product is over {first[-1]} of the first, {second[-2]} of the second",)
                if is_refuted(lambda: first[-1] == second[-2])
                else (),
                operands=(0, 1),
                help="the last axis of the first must be as long as the last but one of the "
                "second, and the axes before those alike; `transpose_second: true` swaps the "
                "second's last two",
            )


class Concat(Layer, kind="concat", known_as=("concatenate", "cat", "concatenation", "join")):
    """Its inputs, one after the other along a dimension; all others must agree."""

    takes = SEVERAL_INPUTS

    dim: int = field(
        Integer(None),
        default=1,
        help="the dimension along which they are joined, counted as in PyTorch: 1 is the channels",
        known_as=("axis",),
    )

    def output(self, inputs: tuple[Shape, ...]) -> Shape:
        axis = dimension(self.dim, inputs[0])
        total = sum_of(tuple(shape[axis] for shape in inputs))
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


def sum_of(numbers: tuple[Number, ...]) -> Number:
    """The numbers added up."""
    total: Number = 0
    for number in numbers:
        total = total + number
    return total


def broadcast_size(sizes: tuple[Number, ...]) -> Number:
    """The size that an axis has after stretching: that of the inputs where it is not 1.

    Where free symbols leave that open, that of the first which may be something else; the others
    are taken to be 1, or the same.
    """
    more = next((n for n in sizes if is_known(lambda n=n: n != 1)), None)  # type: ignore[misc]
    if more is None:
        more = next((n for n in sizes if not is_known(lambda n=n: n == 1)), 1)  # type: ignore[misc]
    for size in sizes:
        # Asked to have it noted: whether the sizes fit is checked elsewhere.
        is_refuted(lambda size=size: size == more or size == 1)  # type: ignore[misc]  # noqa: PLR1714 - which of them first decides
    return more
