"""Where the values of a layer's fields were set: what a source can tell, and `explain` shows.

The records are made on demand, for the layers that are asked for. They know their places in a text,
and nothing of the language that the text is written in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum
from fractions import Fraction
from typing import NamedTuple, TypeAlias

from convcalc.algebra import Polynomial
from convcalc.errors import Place

__all__ = [
    "FieldOrigin",
    "How",
    "LayerOrigin",
    "TrailStep",
    "VariableOrigin",
    "VariableValue",
    "every_variable",
]

VariableValue: TypeAlias = (
    "int | Fraction | bool | str | Polynomial | tuple[VariableValue, ...] | None"
)
"""What a variable may hold. A mapping stands as its pairs of name and value."""


class How(Enum):
    """How a variable came by its value."""

    DECLARED = "declared"
    """As the network declares it."""
    VARIANT = "variant"
    """As the variant of the network has it."""
    SETTING = "setting"
    """As it was set for this run: `--set`."""
    ARGUMENT = "argument"
    """Given to a block where that is used."""
    DEFAULT = "default"
    """An argument that a block was not given: as the block has it."""
    ROUND = "round"
    """Set for this round of a loop."""
    COUNTER = "counter"
    """The number of the round, from 0."""
    CHANNELS = "channels"
    """The channels of what comes in."""


class VariableOrigin(NamedTuple):
    """A variable that an expression reads.

    Variables that read the same ones share their records: a few dozen may stand for a tree that is
    too large to be compared or printed as one. `every_variable` goes through each once.
    """

    name: str
    value: VariableValue
    how: How
    text: str
    """The expression or value that it was given, as written; of a setting what it was set to.

    Of an item that a loop takes from a list it is the item's, where the text has the list. Of a
    counter it is how often it counts; empty if that is the length of a list. Of the channels of
    what comes in it is the name of the layer they come from.
    """
    place: Place | None
    """Where ``text`` stands: of channels the layer they come from, of a setting nowhere."""
    binder: Place | None
    """The use of the block, or the loop, that gives it to what is inside; None: neither does."""
    block: str | None
    """The block that it belongs to; None: the network itself."""
    variables: tuple[VariableOrigin, ...]
    """Those that its expression reads, in the order of the text."""


class FieldOrigin(NamedTuple):
    """A field of a layer."""

    name: str
    value: object
    """As the layer has it: a number, a word, a truth value, None, or several."""
    text: str
    """The expression or value as written; empty for one that is not given."""
    place: Place | None
    """Where ``text`` stands; None for one that is not given."""
    is_default: bool
    """Whether it is not given: it has the value that its kind has for it.

    Of several outputs of one layer each has its own number for it.
    """
    variables: tuple[VariableOrigin, ...]
    """Those that the expression reads, in the order of the text."""


class TrailStep(NamedTuple):
    """A block in use around a layer, or what is made once more to share its weights."""

    name: str
    """Of the block, or of the layers that are made once more."""
    place: Place
    """Where it is used."""
    is_library: bool
    """Whether it is a block that comes with convcalc."""
    shares: bool
    """Whether it is no block, but layers that are made once more."""


class LayerOrigin(NamedTuple):
    """Where a layer stands, and where each of its values was set.

    An input of the network has one field, its ``shape``. Of a layer with several outputs each has
    the fields of the one layer that is written.
    """

    name: str
    """As that of the node in the graph."""
    kind: str
    place: Place
    """Where it is written: in the text of a library block if one makes it."""
    trail: tuple[TrailStep, ...]
    """What it stands in, innermost first; empty if it stands in the network itself."""
    fields: tuple[FieldOrigin, ...]
    """All fields of its kind, in the order of their declarations."""
    chosen_by: FieldOrigin | None
    """What says which activation it is, where an expression does."""

    @property
    def block(self) -> str | None:
        """The block in whose text it is written; None: the network itself."""
        return next((step.name for step in self.trail if not step.shares), None)


def every_variable(
    origins: Iterable[FieldOrigin | VariableOrigin],
) -> Iterator[VariableOrigin]:
    """The variables that ``origins`` read, and those that these read, each once.

    After each come those that it reads, as far as they have not come before.
    """
    seen: set[int] = set()
    waiting = [variable for origin in origins for variable in origin.variables][::-1]
    while waiting:
        variable = waiting.pop()
        if id(variable) not in seen:
            seen.add(id(variable))
            yield variable
            waiting += reversed(variable.variables)
