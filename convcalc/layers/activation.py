"""Element-wise activations, each with what it costs an element.

Counts are of the function as its formula stands; a change of sign costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import ClassVar

from convcalc.algebra import Number, product
from convcalc.algebra.shown import divided
from convcalc.errors import Finding, catalogue
from convcalc.layers.declaration import (
    POINTWISE,
    Kept,
    Layer,
    Memory,
    Operations,
    Shape,
    Tensor,
    Window,
    dimension,
    dimension_finding,
    field,
    is_refuted,
)
from convcalc.layers.field_types import Integer, Real

__all__ = [
    "Elu",
    "Gelu",
    "Glu",
    "HardSigmoid",
    "HardSwish",
    "LeakyRelu",
    "Mish",
    "Prelu",
    "Relu",
    "Relu6",
    "Selu",
    "Sigmoid",
    "Silu",
    "Softmax",
    "Softplus",
    "Tanh",
]


class Activation(Layer):
    """A function applied to each element."""

    memory = Memory.IN_PLACE
    per_element: ClassVar[Operations]
    """What one element costs."""
    keeps_output: ClassVar[bool] = False
    """Whether the gradient is worked out from the output; otherwise from the input."""

    def operations(self, inputs: tuple[Shape, ...], output: Shape) -> Operations:  # noqa: ARG002
        return self.per_element.times(product(output))

    def kept_for_backward(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:  # noqa: ARG002
        """The input or the output, whichever the gradient is worked out from."""
        return Kept(inputs=not self.keeps_output, output=self.keeps_output)


class Relu(Activation, kind="relu", known_as=("rectifier",)):
    """max(0, x): a comparison."""

    per_element = Operations(comparisons=1)
    keeps_output = True


class Relu6(Activation, kind="relu6"):
    """min(max(0, x), 6): two comparisons."""

    per_element = Operations(comparisons=2)


class LeakyRelu(Activation, kind="leaky_relu", known_as=("leakyrelu", "lrelu")):
    """x if x ≥ 0, else negative_slope · x: a comparison and a multiply."""

    per_element = Operations(comparisons=1, multiplies=1)

    negative_slope: Fraction | float = field(
        Real(),
        default=0.01,
        help="factor of negative inputs; has no bearing on the cost",
        known_as=("alpha", "slope"),
    )


class Prelu(Activation, kind="prelu"):
    """Leaky ReLU with a learned slope, one for all channels or one for each."""

    per_element = Operations(comparisons=1, multiplies=1)

    num_parameters: Number = field(
        Integer(1), default=1, symbol="n", help="slopes that are learned: 1, or one a channel"
    )

    def weights(self, inputs: tuple[Shape, ...]) -> tuple[Tensor, ...]:  # noqa: ARG002
        return (Tensor("weight", (self.num_parameters,)),)

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Finding]:
        channels = inputs[0][0]
        if is_refuted(lambda: self.num_parameters in (1, channels)):
            yield Finding(
                catalogue.INPUT_SIZE_MISMATCH,
                f"`num_parameters` is {self.num_parameters}, but the input of `{{name}}` has "
                f"{channels} channels",
                field="num_parameters",
                operands=(0,),
                help="use 1, or `num_parameters: in_channels`",
            )


class Elu(Activation, kind="elu"):
    """x if x > 0, else α · (eˣ − 1): a comparison, an exponential, an add and a multiply."""

    per_element = Operations(comparisons=1, exponentials=1, adds=1, multiplies=1)

    alpha: Fraction | float = field(
        Real(), default=1, help="scale of negative inputs; has no bearing on the cost"
    )


class Selu(Activation, kind="selu"):
    """λ · ELU(x) with fixed λ and α: ELU and one more multiply."""

    per_element = Operations(comparisons=1, exponentials=1, adds=1, multiplies=2)


class Gelu(Activation, kind="gelu"):
    """x/2 · (1 + erf(x/√2)): three multiplies by x, 1/2 and 1/√2, an add and an erf."""

    per_element = Operations(multiplies=3, adds=1, exponentials=1)


class Silu(Activation, kind="silu", known_as=("swish",)):
    """x / (1 + e⁻ˣ): an exponential, an add and a divide."""

    per_element = Operations(exponentials=1, adds=1, divides=1)


class Mish(Activation, kind="mish"):
    """x · tanh(ln(1 + eˣ)): an exp, a log and a tanh, an add and a multiply."""

    per_element = Operations(exponentials=3, adds=1, multiplies=1)


class Sigmoid(Activation, kind="sigmoid", known_as=("logistic",)):
    """1 / (1 + e⁻ˣ): an exponential, an add and a divide."""

    per_element = Operations(exponentials=1, adds=1, divides=1)
    keeps_output = True


class Tanh(Activation, kind="tanh"):
    """tanh(x): one transcendental function."""

    per_element = Operations(exponentials=1)
    keeps_output = True


class Softplus(Activation, kind="softplus"):
    """ln(1 + eˣ): an exp, a log and an add."""

    per_element = Operations(exponentials=2, adds=1)


class HardSigmoid(Activation, kind="hard_sigmoid", known_as=("hardsigmoid",)):
    """min(max(0, x + 3), 6) / 6: an add, two comparisons and a divide."""

    per_element = Operations(adds=1, comparisons=2, divides=1)


class HardSwish(Activation, kind="hard_swish", known_as=("hardswish", "h_swish")):
    """x · min(max(0, x + 3), 6) / 6: an add, two comparisons, a multiply and a divide."""

    per_element = Operations(adds=1, comparisons=2, multiplies=1, divides=1)


class Glu(Layer, kind="glu", known_as=("gated_linear_unit",)):
    """Gated linear unit: one half of a dimension times the sigmoid of the other half.

    Each output element costs a sigmoid (an exponential, an add, a divide) and a multiply. Dauphin
    et al., "Language Modeling with Gated Convolutional Networks" (2016).
    """

    dim: int = field(
        Integer(None),
        default=1,
        help="the dimension that is halved, counted as in PyTorch: 1 is the channels",
        known_as=("axis",),
    )

    def output(self, inputs: tuple[Shape, ...]) -> Shape:
        axis = dimension(self.dim, inputs[0])
        return (*inputs[0][:axis], divided(inputs[0][axis], 2), *inputs[0][axis + 1 :])

    def operations(self, inputs: tuple[Shape, ...], output: Shape) -> Operations:  # noqa: ARG002
        each = Operations(exponentials=1, adds=1, divides=1, multiplies=1)
        return each.times(product(output))

    def kept_for_backward(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:  # noqa: ARG002
        """The input."""
        return Kept(inputs=True)

    def windows(self, inputs: tuple[Shape, ...]) -> tuple[Window, ...] | None:
        """Along `dim` positions half an axis apart are joined: all of it is taken to be seen."""
        halved = dimension(self.dim, inputs[0])
        return tuple(
            Window(n, 0, 0) if axis == halved else POINTWISE
            for axis, n in enumerate(inputs[0])
            if axis > 0
        )

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Finding]:
        finding = dimension_finding(self.dim, inputs[0], "dim")
        if finding:
            yield finding
            return
        halved = inputs[0][dimension(self.dim, inputs[0])]
        if is_refuted(lambda: halved % 2 == 0):
            yield Finding(
                catalogue.GROUPS_DO_NOT_DIVIDE,
                f"`glu` halves dimension {self.dim} of its input, but {halved} is odd",
                field="dim",
                operands=(0,),
                help="give the layer before it twice the channels that are to come out",
            )


class Softmax(Layer, kind="softmax"):
    """e^(x − max) / Σ e^(x − max) along a dimension of n elements.

    A row costs n − 1 comparisons for the maximum, n subtractions and n − 1 adds for the sum, n
    exponentials and n divides.
    """

    memory = Memory.IN_PLACE

    dim: int = field(
        Integer(None),
        default=1,
        help="the dimension that sums to 1, counted as in PyTorch (0 is the batch)",
        known_as=("axis",),
    )

    def windows(self, inputs: tuple[Shape, ...]) -> tuple[Window, ...] | None:
        """Along `dim` the sum makes every position see all; elsewhere each sees its own."""
        normalized = dimension(self.dim, inputs[0])
        return tuple(
            Window(n, 0, 0) if axis == normalized else POINTWISE
            for axis, n in enumerate(inputs[0])
            if axis > 0
        )

    def operations(self, inputs: tuple[Shape, ...], output: Shape) -> Operations:
        n = product(output)
        axis = dimension(self.dim, inputs[0])
        rows = product((*output[:axis], *output[axis + 1 :]))
        return Operations(adds=2 * n - rows, divides=n, comparisons=n - rows, exponentials=n)

    def kept_for_backward(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:  # noqa: ARG002
        """The output."""
        return Kept(output=True)

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Finding]:
        finding = dimension_finding(self.dim, inputs[0], "dim")
        if finding:
            yield finding
