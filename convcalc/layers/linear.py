"""Fully connected layers."""

from __future__ import annotations

from collections.abc import Iterator

from convcalc.algebra import Number, product
from convcalc.errors import Finding, catalogue
from convcalc.layers.convolution import check_given_size
from convcalc.layers.declaration import (
    POINTWISE,
    WHOLE_INPUT,
    Kept,
    Layer,
    Layout,
    Operations,
    Shape,
    Tensor,
    Window,
    field,
    shape_text,
)
from convcalc.layers.field_types import Boolean, Integer

__all__ = ["Linear"]


class Linear(
    Layer,
    kind="linear",
    known_as=("dense", "fc", "fully_connected", "gemm", "innerproduct", "lazylinear"),
):
    """Fully connected layer over the last axis, as in PyTorch.

    On a vector it connects every feature with every other. On an input with more axes it is applied
    at each position of the others; then `in_features` must be given, because the last axis
    of a feature map is its width and forgetting `flatten` would go unnoticed.
    """

    reads = Layout.FEATURES_LAST

    out_features: Number = field(
        Integer(1),
        symbol="F_out",
        help="features of the output",
        known_as=("units", "out", "num_output", "out_channels", "output_dim"),
    )
    bias: bool = field(
        Boolean(), default=True, help="whether a learned number is added", known_as=("use_bias",)
    )
    in_features: Number | None = field(
        Integer(1),
        default=None,
        symbol="F_in",
        help="features of the input; taken from it, and checked against it if given",
        known_as=("in_channels", "input_dim"),
    )

    def output(self, inputs: tuple[Shape, ...]) -> Shape:
        return (*inputs[0][:-1], self.out_features)

    def weights(self, inputs: tuple[Shape, ...]) -> tuple[Tensor, ...]:
        weight = Tensor("weight", (self.out_features, inputs[0][-1]))
        return (weight, Tensor("bias", (self.out_features,))) if self.bias else (weight,)

    def operations(self, inputs: tuple[Shape, ...], output: Shape) -> Operations:
        """F_in multiply-adds for each output element; an add for its bias."""
        return Operations(
            macs=product(output) * inputs[0][-1], adds=product(output) if self.bias else 0
        )

    def kept_for_backward(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:  # noqa: ARG002
        """The input, for the gradient of the weights."""
        return Kept(inputs=True)

    def windows(self, inputs: tuple[Shape, ...]) -> tuple[Window, ...] | None:
        """The last axis is seen whole; at the others each output position sees its own."""
        *others, n = inputs[0]
        return (*(POINTWISE for _ in others[1:]), Window(n, 0, 0)) if others else WHOLE_INPUT

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Finding]:
        shape = inputs[0]
        if len(shape) > 1 and self.in_features is None:
            yield Finding(
                catalogue.WRONG_RANK,
                f"`linear` needs a vector, but the input of `{{name}}` is {shape_text(shape)}",
                help="put `flatten` before it; use a 1×1 `conv` to connect the channels at each "
                f"position; or, if you mean the last axis, say `in_features: {shape[-1]}`",
            )
        yield from check_given_size(self.in_features, shape[-1], "in_features", "features")
