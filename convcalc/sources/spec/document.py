"""A spec as typed data: what `grammar` makes of the YAML, and `expansion` builds a graph from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from convcalc.errors import Place
from convcalc.graph import PublishedFigure
from convcalc.layers import Layer
from convcalc.layers.declaration import FieldDeclaration
from convcalc.sources.spec.expression import (
    SCAN,
    Environment,
    Expression,
    ExpressionError,
    UnknownValueError,
    Value,
    checked_list,
)

if TYPE_CHECKING:
    from convcalc.limits import Budget

__all__ = [
    "Again",
    "Argument",
    "Block",
    "BlockUse",
    "Branch",
    "Chosen",
    "Document",
    "Entry",
    "Group",
    "LayerUse",
    "Loop",
    "Lost",
    "Parallel",
    "Residual",
    "ScopeNames",
    "Target",
    "Template",
]


class _Varies:
    def __repr__(self) -> str:
        return "VARIES"


VARIES: Final = _Varies()
"""In place of the value of a template that is only known when it is evaluated."""
_NONE: Final[frozenset[str]] = frozenset()


class Template:
    """A value of a spec that may hold expressions: a number, word or list of them.

    ``constant`` is its value if it holds no variables, else `VARIES`. A template that varies and
    has no ``parts`` is one against which something was found: it has no value. ``cost`` is the
    number of steps that an evaluation takes at most.
    """

    __slots__ = ("constant", "cost", "names", "parts", "place")

    def __init__(
        self,
        place: Place,
        constant: Value | _Varies = VARIES,
        parts: Expression | tuple[Template, ...] | None = None,
    ) -> None:
        self.place = place
        self.constant = constant
        self.parts = parts
        self.names: frozenset[str]
        """The variables that it reads."""
        self.cost = 1
        if isinstance(parts, Expression):
            self.names = frozenset(parts.names)
            self.cost = parts.cost
        elif parts:
            self.names = frozenset().union(*(part.names for part in parts))
            self.cost = SCAN + sum(part.cost for part in parts)
        else:
            self.names = _NONE

    def evaluate(self, environment: Environment) -> Value:
        """The value in ``environment``. Raises ExpressionError, UnknownValueError."""
        if self.constant is not VARIES:
            return self.constant  # type: ignore[return-value]
        if isinstance(self.parts, Expression):
            try:
                return self.parts.evaluate(environment)
            except ExpressionError as error:
                error.place = part_of(self.place, self.parts.text, error.span)
                raise
        if self.parts is None:
            raise UnknownValueError
        return checked_list([part.evaluate(environment) for part in self.parts])


def part_of(place: Place, text: str, span: tuple[int, int] | None) -> Place:
    """The place of a part of the scalar with this place and text: an offset and a length in it."""
    quote = {len(text): 0, len(text) + 2: 1}.get(place.length)
    if span is None or quote is None:
        return place  # it goes over several lines, or has escapes: point at the whole
    offset, length = span
    column = place.column + quote + offset
    room = place.column + place.length - column
    return place._replace(column=column, length=max(1, min(length, room)))


class Target(NamedTuple):
    """A name in `from`."""

    name: str
    place: Place


class Loop(NamedTuple):
    """A `for`: ``rounds`` evaluates to a list of Bindings; or lists to be gone through together."""

    place: Place
    rounds: tuple[tuple[tuple[str, Template], ...], ...] = ()
    """Written out: the variables of each round."""
    lists: tuple[tuple[str, Template], ...] = ()
    """`for: {name: list}`: each name takes the items of its list in turn."""
    expression: Template | None = None
    """`for: name`: a variable that holds a list of mappings."""


class ScopeNames:
    """The names that the text gives to the layers of one scope.

    ``occurrences`` counts the entries without a name by kind, one that may run more than once as
    several: a base name that occurs once needs no number. ``given`` are the names written out,
    ``certain`` those of them whose entries stand whatever the values of the variables.
    """

    __slots__ = ("certain", "given", "occurrences")

    def __init__(self) -> None:
        self.occurrences: dict[str, int] = {}
        self.given: set[str] = set()
        self.certain: set[str] = set()

    def count(self, base: str, *, repeated: bool) -> None:
        """Note an entry without a name."""
        self.occurrences[base] = self.occurrences.get(base, 0) + (2 if repeated else 1)


class LayerUse(NamedTuple):
    """A layer kind with its fields: those with a constant value, parsed, and the others."""

    kind: type[Layer]
    constants: tuple[tuple[str, object], ...]
    templates: tuple[tuple[FieldDeclaration, Template], ...]
    places: dict[str, Place]
    """Where each field that is given stands."""
    place: Place
    is_valid: bool
    """Whether nothing was found against its fields."""


class BlockUse(NamedTuple):
    """A block with its arguments."""

    block: str
    arguments: tuple[tuple[str, Template], ...]


class Group(NamedTuple):
    """`layers`: entries that belong together."""

    entries: tuple[Entry, ...]


class Branch(NamedTuple):
    """One way through a `parallel`, or the shortcut of a `residual`: a scope of its own."""

    name: str
    entries: tuple[Entry, ...]
    scope: ScopeNames
    """The scope that the branch's name belongs to."""
    place: Place


class Parallel(NamedTuple):
    """`parallel`: branches from one input, merged."""

    branches: tuple[Branch, ...]
    merge: Entry


class Residual(NamedTuple):
    """`residual`: a body, and a shortcut past it, added."""

    body: tuple[Entry, ...]
    shortcut: Branch
    merge: Entry


class Again(NamedTuple):
    """`share` by itself: a layer, block or group that stands before, once more."""

    target: Target


class Chosen(NamedTuple):
    """`activation`: a kind that an expression names, or none."""

    kind: Template


class Lost(NamedTuple):
    """What could not be read. Nothing is known of what it hands on, so nothing is said of it."""


Body: TypeAlias = LayerUse | BlockUse | Group | Parallel | Residual | Again | Chosen | Lost


class Entry(NamedTuple):
    """One item of a list of layers."""

    body: Body
    place: Place
    kind: str
    """The key that says what it is: the base of its name if it is not given one."""
    name: str | None
    name_place: Place
    """Where its name stands, or what it is if it is not given one."""
    scope: ScopeNames
    sources: tuple[Target, ...]
    share: Target | None
    """What it shares its weights with."""
    repeat: Template | None
    loop: Loop | None
    condition: Template | None
    is_plain: bool
    """Whether it has none of `from`, `repeat`, `for`, `if`."""
    reads_channels: bool
    """Whether it reads `in_channels`."""


class Argument(NamedTuple):
    """An argument of a block; without a default it is required."""

    name: str
    default: Template | None


class Block(NamedTuple):
    """A layer kind that the spec, or the library, defines."""

    name: str
    arguments: tuple[Argument, ...]
    entries: tuple[Entry, ...]
    place: Place
    about: str | None = None
    """What it is, and what it costs."""
    source: str | None = None
    """Where its design comes from."""


class Variable(NamedTuple):
    """An entry of `vars`; without a value a variant or `--set` must give it one."""

    name: str
    value: Template | None
    place: Place


class Document(NamedTuple):
    """A spec, checked as far as it can be without the values of its variables."""

    name: str | None
    source: str | None
    variables: tuple[Variable, ...]
    variants: dict[str, tuple[Variable, ...]]
    inputs: tuple[tuple[str, Template], ...]
    blocks: dict[str, Block]
    layers: tuple[Entry, ...]
    names: ScopeNames
    """The names that the text gives to `layers`."""
    outputs: tuple[Target, ...]
    shared: frozenset[str]
    """The last part of each name in a `share`."""
    published: dict[str | None, tuple[PublishedFigure, ...]]
    """Figures of each variant; under None those of a spec without variants."""
    budgets: tuple[Budget, ...]
    place: Place
