"""How a convention is declared: what a tool counts for each layer kind, and where it says so.

A convention is a module of this package with a `Convention` called ``CONVENTION``. Its rules are
sums of `Quantity`: numbers of a layer that the layer kinds already report. What a tool has no rule
for it does not count.

Tools look at PyTorch code, and the same layer may be written there in several ways, of which some
tools see only one: see `Form`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

from convcalc.analysis.cost import LayerCost

__all__ = [
    "CALLED",
    "EVERY_FORM",
    "FUNCTION",
    "MODULE",
    "OPERATOR",
    "SUBCLASS",
    "Condition",
    "Convention",
    "Form",
    "Formula",
    "Quantity",
    "Rule",
    "Term",
]


class Form(Enum):
    """How PyTorch code says what a layer does."""

    MODULE = "module"
    """A module: ``nn.ReLU()``."""
    SUBCLASS = "subclass"
    """A module class of one's own that derives from PyTorch's: ``class Scaled(nn.Conv2d)``."""
    FUNCTION = "function"
    """A function: ``F.relu(x)``, ``torch.matmul(a, b)``."""
    OPERATOR = "operator"
    """An operator, or a method of a tensor: ``a + b``, ``x.mean((2, 3))``."""


MODULE: Final = (Form.MODULE,)
SUBCLASS: Final = (Form.SUBCLASS,)
FUNCTION: Final = (Form.FUNCTION,)
OPERATOR: Final = (Form.OPERATOR,)
CALLED: Final = (*MODULE, *SUBCLASS, *FUNCTION)
"""Whatever ends in a call of PyTorch's function."""
EVERY_FORM: Final = (*CALLED, *OPERATOR)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number of a layer for one sample, that formulas are made of."""

    symbol: str
    meaning: str
    of: Callable[[LayerCost], int]
    noun: str
    """What it is in a difference: ``biases``; of what is counted one by one, ``input element``."""
    is_counted: bool = False
    """Whether a factor says what each costs: ``at 2 per input element``."""

    def __rmul__(self, times: int) -> Formula:
        return Formula((Term(times, self),))

    def __add__(self, other: Quantity | Formula) -> Formula:
        return 1 * self + other


class Term(NamedTuple):
    """A quantity, so many times."""

    times: int
    quantity: Quantity

    def __str__(self) -> str:
        times = {1: "", -1: "−"}.get(self.times, f"{self.times}·".replace("-", "−"))
        return f"{times}{self.quantity.symbol}"


@dataclass(frozen=True, slots=True)
class Formula:
    """A sum of quantities; nothing at all is 0."""

    terms: tuple[Term, ...] = ()

    def __add__(self, other: Quantity | Formula) -> Formula:
        return Formula(self.terms + (1 * other if isinstance(other, Quantity) else other).terms)

    def __str__(self) -> str:
        return (" + ".join(map(str, self.terms)) or "0").replace("+ −", "− ")

    def of(self, layer: LayerCost) -> int:
        """Its value for a layer, for one sample."""
        return sum(times * quantity.of(layer) for times, quantity in self.terms)


class Condition(NamedTuple):
    """What a rule asks of a layer beside its kind."""

    text: str
    holds: Callable[[LayerCost], bool]


class Rule(NamedTuple):
    """What a tool counts for layers of some kinds.

    Of several rules for a kind the first whose form and condition fit a layer is its own.
    """

    kinds: tuple[str, ...]
    counts: Quantity | Formula
    file: str
    """The source file in the tool's package."""
    function: str
    """What in that file says so; several are separated by commas."""
    forms: tuple[Form, ...] = EVERY_FORM
    """The forms that the tool sees; of others it counts nothing by this rule."""
    where: Condition | None = None

    @property
    def functions(self) -> tuple[str, ...]:
        """The names of what says so."""
        return tuple(name.strip() for name in self.function.split(","))

    @property
    def formula(self) -> Formula:
        """What is counted, as a sum."""
        return 1 * self.counts if isinstance(self.counts, Quantity) else self.counts


class Convention(NamedTuple):
    """How a tool counts."""

    name: str
    """What one calls it on the command line."""
    title: str
    """The tool's name for people."""
    version: str
    """Of the tool that the rules were taken from; empty: of convcalc itself."""
    word: str
    """What the tool calls its total."""
    call: str
    """What gives the total."""
    rules: tuple[Rule, ...]
    misses_params: bool = False
    """Whether it passes over the parameters of layers that it has no rule for."""
    is_own: bool = False
    """Whether it is a definition of convcalc's."""
