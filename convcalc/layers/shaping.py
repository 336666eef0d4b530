"""Layers that compute nothing: they pass their input on, or lay it out anew."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from convcalc.algebra import product
from convcalc.errors import Finding, catalogue
from convcalc.layers.declaration import (
    WHOLE_INPUT,
    Kept,
    KeptTensor,
    Layer,
    Memory,
    Shape,
    Window,
    dimension,
    dimension_finding,
    field,
    shape_text,
)
from convcalc.layers.field_types import Integer, Real

__all__ = ["Dropout", "Flatten", "Identity", "Input"]


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
        """The mask, in the format of the activations: PyTorch multiplies by it on a CPU."""
        return Kept(tensors=(KeptTensor("mask", product(output)),)) if self.p else Kept()


class Flatten(Layer, kind="flatten", known_as=("view", "reshape")):
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
