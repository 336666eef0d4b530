"""How a layer kind is declared.

A kind is a class that derives from `Layer`, which makes it a frozen record of its fields. The
fields are the keys of the spec language, each with its type, default and line of help; validation,
suggestions, the JSON Schema and the docs derive from them. Its methods are the formulas, written
with ``+ - * //`` on `convcalc.algebra.Number`, so that each gives the integer, the symbolic formula
and the derivation.

Shapes are tuples without the batch: ``(channels, *spatial)`` for a feature map, ``(features,)``
for a vector.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any, ClassVar, NamedTuple, TypeAlias, dataclass_transform

from convcalc.algebra import Number, Polynomial, UndecidableError, product
from convcalc.errors import Finding, catalogue
from convcalc.layers.field_types import FieldType

__all__ = [
    "ONE_INPUT",
    "POINTWISE",
    "SEVERAL_INPUTS",
    "WHOLE_INPUT",
    "FieldDeclaration",
    "Kept",
    "KeptTensor",
    "Layer",
    "Layout",
    "Memory",
    "NumberOfInputs",
    "Operations",
    "Shape",
    "Tensor",
    "Window",
    "dimension",
    "division_text",
    "elements",
    "field",
    "is_known",
    "is_refuted",
    "shape_text",
]

Shape: TypeAlias = tuple[Number, ...]


class Tensor(NamedTuple):
    """A weight or buffer tensor of a layer, by PyTorch's name for it."""

    name: str
    shape: Shape


class Operations(NamedTuple):
    """Exact counts for one sample, by sort.

    ``macs`` are multiply-adds of convolution and matrix products; the others count what is done
    beside them. ``exponentials`` counts every transcendental function: exp, log, tanh, erf, power.
    """

    macs: Number = 0
    adds: Number = 0
    multiplies: Number = 0
    divides: Number = 0
    comparisons: Number = 0
    exponentials: Number = 0

    @property
    def flops(self) -> Number:
        """2 · macs + all other operations."""
        return 2 * self.macs + (
            self.adds + self.multiplies + self.divides + self.comparisons + self.exponentials
        )

    def times(self, factor: Number) -> Operations:
        """The counts of ``factor`` repetitions."""
        return Operations(*(count * factor for count in self))

    def plus(self, other: Operations) -> Operations:
        """The counts of both, added up."""
        return Operations(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


class Memory(Enum):
    """What a layer does to memory when it runs."""

    ALLOCATES = "allocates"
    """Its output is a tensor of its own."""
    IN_PLACE = "in place"
    """As above, but its output may take over the memory of an input that no one else reads."""
    VIEW = "view"
    """Its output is its input's memory under another shape: nothing is allocated."""


class Layout(Enum):
    """Which dimension of a shape holds the channels, or features."""

    CHANNELS_FIRST = "channels first"
    """Of a feature map: (channels, *spatial)."""
    FEATURES_LAST = "features last"
    """Of a sequence: (tokens, features)."""


class KeptTensor(NamedTuple):
    """A tensor that a layer makes for its backward pass alone, for one sample."""

    name: str
    elements: Number
    bits: int | None = None
    """Bits of an element; None: as the activations."""
    per_batch: bool = False
    """Whether there is one for the whole batch, as with the statistics of a batch norm."""


class Kept(NamedTuple):
    """What autograd keeps until a layer's backward pass."""

    inputs: bool = False
    output: bool = False
    tensors: tuple[KeptTensor, ...] = ()


class NumberOfInputs(NamedTuple):
    """How many inputs a layer takes."""

    fewest: int
    most: int | None
    """None: any number."""

    def allows(self, count: int) -> bool:
        """Whether a layer may have ``count`` inputs."""
        return self.fewest <= count and (self.most is None or count <= self.most)


ONE_INPUT = NumberOfInputs(1, 1)
SEVERAL_INPUTS = NumberOfInputs(2, None)
"""What a merge takes."""


class Window(NamedTuple):
    """The input positions that one output position of an axis sees.

    Output position j sees the ``size`` positions from ``j · stride + start``; a stride of 0 says
    that all see the same.

    Where the output is finer than the input all three are in parts of a position, ``per`` of which
    make one: output position j sees the whole positions from (j · stride + start) / per to
    (j · stride + start + size) / per − 1, and of these intervals the longest counts.
    """

    size: Number
    stride: Number
    start: Number
    per: Number = 1


POINTWISE = Window(1, 1, 0)
"""Each output position sees the input at that position alone."""
WHOLE_INPUT = None
"""Each output position sees all of the input."""


class _Required(Enum):
    REQUIRED = "required"


REQUIRED = _Required.REQUIRED
"""In place of the default of a field that has none."""


class FieldDeclaration(NamedTuple):
    """One key of a layer kind."""

    name: str
    type: FieldType
    default: object
    help: str
    symbol: str
    known_as: tuple[str, ...]

    @property
    def is_required(self) -> bool:
        """Whether the field has no default."""
        return self.default is REQUIRED


def field(
    type_: FieldType,
    *,
    help: str,  # noqa: A002 - the word that every declaration of an option uses
    default: Any = REQUIRED,  # noqa: ANN401 - typed by the attribute it is assigned to
    symbol: str = "",
    known_as: tuple[str, ...] = (),
) -> Any:  # noqa: ANN401 - a declaration stands for a value of any type
    """Declare one key of a layer kind.

    ``symbol`` is its letter in formulas; ``known_as`` are the names that Keras, ONNX and hurried
    people use for it: an error that meets one gives the name used here.
    """
    return FieldDeclaration("", type_, default, help, symbol, known_as)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
class Layer:
    """A layer kind: fields, shape, weights, operations, memory. Derive from it to declare one.

    To a type checker, and to whoever makes or compares one, a subclass is a frozen dataclass with
    keyword arguments. It is not made by `dataclasses`, which compiles six methods a class: for all
    kinds together that would take a tenth of the time of a command.
    """

    kind: ClassVar[str] = ""
    """The name in the spec language; empty for a class that only others derive from."""
    known_as: ClassVar[tuple[str, ...]] = ()
    """Names of the same layer elsewhere, lower case, for suggestions."""
    memory: ClassVar[Memory] = Memory.ALLOCATES
    takes: ClassVar[NumberOfInputs] = ONE_INPUT
    """How many inputs it takes."""
    reads: ClassVar[Layout | None] = None
    """What it takes its inputs for; None: for what the layers before it have made."""
    declarations: ClassVar[tuple[FieldDeclaration, ...]] = ()
    """The fields, those of the classes that it derives from first."""

    def __init_subclass__(cls, kind: str = "", known_as: tuple[str, ...] = ()) -> None:
        cls.kind = kind
        cls.known_as = known_as
        fields = {declared.name: declared for declared in cls.declarations}
        for name, declared in vars(cls).items():
            if isinstance(declared, FieldDeclaration):
                fields[name] = declared._replace(name=name)
        cls.declarations = tuple(fields.values())

    def __init__(self, **values: object) -> None:
        """Set the fields. Raises TypeError for one that is missing or unknown."""
        fields = self.__dict__
        for declared in self.declarations:
            fields[declared.name] = values.pop(declared.name, declared.default)
            if fields[declared.name] is REQUIRED:
                raise TypeError(f"{type(self).__name__} needs the field {declared.name!r}")
        if values:
            raise TypeError(f"{type(self).__name__} has no field {next(iter(values))!r}")

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: cannot set {name!r}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: cannot delete {name!r}")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Layer):
            return NotImplemented
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((type(self), tuple(self.__dict__.values())))

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in self.__dict__.items())
        return f"{type(self).__name__}({fields})"

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Finding]:  # noqa: ARG002
        """What stands against running this layer on inputs of these shapes.

        All comparisons stand here, so that the formulas have none. The formulas may be called only
        when nothing is found.
        """
        return iter(())

    def output(self, inputs: tuple[Shape, ...]) -> Shape:
        """The output's shape."""
        return inputs[0]

    def lays_out(self, layout: Layout) -> Layout:
        """Where its output has the channels, if ``layout`` is where its input has them."""
        return layout

    def parts(self, inputs: tuple[Shape, ...]) -> tuple[Layer, ...]:  # noqa: ARG002
        """The layers that it stands for: itself; for one with several outputs, one for each."""
        return (self,)

    def weights(self, inputs: tuple[Shape, ...]) -> tuple[Tensor, ...]:  # noqa: ARG002
        """The learned tensors. Parameters are the sum of their elements."""
        return ()

    def buffers(self, inputs: tuple[Shape, ...]) -> tuple[Tensor, ...]:  # noqa: ARG002
        """Tensors that are kept with the weights but not learned: running statistics."""
        return ()

    def operations(self, inputs: tuple[Shape, ...], output: Shape) -> Operations:  # noqa: ARG002
        """Operations for one sample at inference."""
        return Operations()

    def kept_for_backward(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:  # noqa: ARG002
        """What the backward pass needs beside the weights, as PyTorch's autograd keeps it.

        Of a layer before each of whose inputs something is learned; see `needed`.
        """
        return Kept()

    def needed(
        self, kept: Kept, learned: tuple[bool, ...]
    ) -> tuple[tuple[bool, ...], tuple[KeptTensor, ...]]:
        """Which inputs and which tensors of ``kept`` are kept, of a layer with a backward pass.

        ``learned`` says of each input whether anything is learned before it.
        """
        return (kept.inputs,) * len(learned), kept.tensors

    @property
    def memory_in_training(self) -> Memory:
        """What the layer does to memory in training, where that differs from inference."""
        return self.memory

    def windows(self, inputs: tuple[Shape, ...]) -> tuple[Window, ...] | None:
        """What an output position sees: a window for each spatial axis of the input.

        `WHOLE_INPUT` if every output position sees everything.
        """
        return (POINTWISE,) * (len(inputs[0]) - 1)


def elements(tensors: tuple[Tensor, ...]) -> Number:
    """The number of elements of all ``tensors``."""
    total: Number = 0
    for tensor in tensors:
        total = total + product(tensor.shape)
    return total


def shape_text(shape: Shape) -> str:
    """A shape as people write it: ``64×112×112``."""
    return "×".join(map(str, shape))


def division_text(n: Number, divisor: Number) -> str:
    """A division with its remainder: ``30 = 7·4 + 2``."""
    quotient, by = (
        f"({number})"
        if isinstance(number, Polynomial) and len(list(number.terms())) > 1
        else str(number)
        for number in (n // divisor, divisor)
    )
    return f"{n} = {quotient}·{by} + {n % divisor}"


def is_refuted(condition: Callable[[], bool]) -> bool:
    """Whether a condition is known to fail; one that free symbols leave open is taken to hold.

    What is taken to hold is noted for who wants to know, with
    `convcalc.algebra.conditions.taken_for_granted`.
    """
    try:
        return not condition()
    except UndecidableError:
        # Of formulas alone: an analysis of numbers should not wait for it.
        from convcalc.algebra.conditions import take_for_granted  # noqa: PLC0415 - see above

        take_for_granted(condition)
        return False


def is_known(condition: Callable[[], bool]) -> bool:
    """Whether a condition is known to hold, whatever the free symbols are."""
    try:
        return condition()
    except UndecidableError:
        return False


def dimension(dim: int, shape: Shape) -> int:
    """The index into ``shape`` of PyTorch's dimension ``dim``, which counts the batch as 0.

    Raises IndexError if there is no such dimension, or it is the batch.
    """
    rank = len(shape) + 1
    if not -rank < dim < rank or dim == 0:
        raise IndexError(dim)
    return (dim if dim > 0 else rank + dim) - 1


def dimension_finding(dim: int, shape: Shape, field_name: str) -> Finding | None:
    """The finding for a dimension that ``shape`` does not have; None if it has it."""
    try:
        dimension(dim, shape)
    except IndexError:
        return Finding(
            catalogue.NO_SUCH_DIMENSION,
            f"`{field_name}` is {dim}, but the input is {shape_text(shape)}",
            field=field_name,
            help=f"dimensions count as in PyTorch: 0 is the batch, 1 to {len(shape)} "
            f"(or -1 to -{len(shape)}) are this input's",
        )
    return None
