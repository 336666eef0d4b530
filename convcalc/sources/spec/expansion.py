"""From a `Document` and the values of its variables to a `Graph`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final, NamedTuple, NoReturn

from convcalc.algebra import Number, UndecidableError
from convcalc.errors import (
    MAX_FINDINGS,
    Code,
    EnoughFindingsError,
    Finding,
    Findings,
    Place,
    Related,
    catalogue,
    close_match,
    listed,
)
from convcalc.graph import Graph, Node
from convcalc.layers import Input, Layer, activation_kinds
from convcalc.layers.declaration import Shape, Tensor, is_refuted, shape_text
from convcalc.layers.field_types import FieldType, FieldValueError
from convcalc.sources.axis_names import AXIS_NAMES
from convcalc.sources.spec.document import (
    Again,
    Block,
    BlockUse,
    Branch,
    Chosen,
    Document,
    Entry,
    Group,
    LayerUse,
    Loop,
    Lost,
    Parallel,
    Residual,
    ScopeNames,
    Target,
    Template,
)
from convcalc.sources.spec.expression import (
    UNKNOWN,
    Bindings,
    Environment,
    ExpressionError,
    UnknownValueError,
    Value,
    described_value,
    is_bounded,
)
from convcalc.sources.spec.grammar import (
    AXIS_SIZE,
    COUNT,
    MAX_AXES,
)
from convcalc.sources.spec.library import is_in_library, plain_name
from convcalc.sources.spec.values import NO_ACTIVATION, unknown_activation

__all__ = ["MAX_INPUTS", "MAX_LAYERS", "MAX_LEVELS", "MAX_PATH", "MAX_WORK", "Expansion"]

MAX_LAYERS: Final = 150_000
"""Layers of one network."""
MAX_WORK: Final = 2_000_000
"""Work on one network, in steps of 0.4 microseconds or less.

A layer may be cheap, one of a hundred thousand equal ones, or dear: each with fields and a shape to
be worked out anew. And a spec may keep one busy without making any layer at all.
"""
MAX_LEVELS: Final = 64
"""Lists of layers within lists of layers, those of blocks included."""
MAX_PATH: Final = 250
"""Characters of the path to a layer."""
MAX_INPUTS: Final = 128
"""Inputs of one layer."""
MAX_USES: Final = 6
"""Uses of a block that a finding inside it names."""
MAX_VISIBLE: Final = 300
"""Names that a mistyped one in `from` is held against: the nearest."""

IMAGE_CHANNELS: Final = 3
LEAST_IMAGE: Final = 16
"""Height and width of an image, as far as its shape tells."""

# What things cost, in steps; measured, and rounded up.
ENTRY: Final = 8
NEW_LAYER: Final = 30
NEW_SHAPE: Final = 30
BLOCK: Final = 2
BRANCH: Final = 8
ROUND: Final = 4
FINDING: Final = 100
SHARED: Final = 20
LIST: Final = 300

Numbers = tuple[tuple[Tensor, ...], tuple[Tensor, ...]]
"""The weights and the buffers of a layer."""
Outputs = tuple[int, ...]
"""What a layer hands on: nodes by position, or one of the two below."""
_BROKEN: Final[Outputs] = (-1,)
"""What something hands on that could not be built. A finding says why."""
_UNFINISHED: Final[Outputs] = (-2,)
"""What a group hands on while its own layers are being built."""


class Scope:
    """Where names are told apart: a block in use, a named group, a branch."""

    __slots__ = ("counters", "parent", "prefix", "start", "used")

    def __init__(self, prefix: str, parent: Scope | None, start: Outputs) -> None:
        self.prefix = prefix
        self.parent = parent
        """The scope whose names are visible here too; None at the edge of a block."""
        self.start = start
        """What `input` means here."""
        self.used: dict[str, Outputs] = {}
        self.counters: dict[str, int] = {}


class Use(NamedTuple):
    """A block in use, for telling where a finding inside it comes from."""

    block: str
    place: Place


class Made(NamedTuple):
    """What an entry whose name stands in a `share` has made."""

    entry: Entry
    local: Environment
    """The variables that it saw, but for those of the network that it saw as they are."""
    nodes: range
    """By position."""


class LostTarget(NamedTuple):
    """A name in `from` or `outputs` that nothing has, and what there was when it was looked for."""

    target: Target
    visible: tuple[str, ...]
    """Names nearby."""
    prefix: str
    """What paths to the layers that can be seen start with."""
    paths: int
    """How many layers had been named."""
    is_output: bool


class Expansion:
    """Builds the graph of one network. What is wrong goes to ``findings``."""

    def __init__(
        self, document: Document, findings: Findings, axes: Mapping[str, Value] | None = None
    ) -> None:
        self.document = document
        self.axes = axes or {}
        """Sizes of the inputs' axes, by name, in place of those that the spec has."""
        self.variables: dict[str, Value] = {}
        self.findings = findings
        self.nodes: list[Node] = []
        self.uses: list[Use] = []
        self.levels = 0
        self.work = 0
        self.reported: dict[tuple[str, Place | None, str], tuple[int, set[Place]]] = {
            _key(finding.code, finding.place, finding.message): (number, set())
            for number, finding in enumerate(findings)
        }
        self.paths: dict[str, Outputs] = {}
        self.made: dict[str, Made] = {}
        """By path: what may be shared."""
        self.activations: dict[str, LayerUse] = {}
        self.parts_cache: dict[tuple[int, tuple[Shape, ...]], tuple[Layer, ...]] = {}
        self.lost_targets: dict[Place, LostTarget] = {}
        self.layer_cache: dict[tuple[int, tuple[object, ...]], Layer] = {}
        self.shape_cache: dict[tuple[int, tuple[Shape, ...]], Shape] = {}
        self.least_layers: dict[int | str, int] = {}

    # -- findings ---------------------------------------------------------------------------------

    def report(
        self,
        code: Code,
        message: str,
        place: Place | None,
        *,
        help: str | None = None,  # noqa: A002 - as in Finding
        notes: tuple[str, ...] = (),
        related: tuple[Related, ...] = (),
        name: str = "",
    ) -> None:
        """Add a finding, once for each place however often a block is used.

        ``{name}`` in the message stands for ``name``. Further uses of the block in which it is
        found again, perhaps with other numbers, become related places.
        """
        if place is not None and is_in_library(place):
            # Nobody can mend the library: what is wrong is how it is used.
            use = self.own_use()
            if use is not None:
                related = (*related, Related("in the library's block, here", place))
                place = use.place
        key = _key(code, place, message)
        known = self.reported.get(key)
        if known is None:
            places = {use.place for use in self.uses}
            self.reported[key] = len(self.findings), places
            self.findings.add(
                Finding(
                    code,
                    message.replace("{name}", name) if name else message,
                    place,
                    notes=notes,
                    help=help,
                    related=(*related, *self.trail()),
                )
            )
            return
        number, places = known
        self.spend(FINDING, place)
        for use in reversed(self.uses):
            if use.place not in places and len(places) < MAX_USES:
                places.add(use.place)
                again = Related(f"block `{plain_name(use.block)}` is used here too", use.place)
                self.findings.relate(number, again)
                break

    def trail(self) -> Iterator[Related]:
        """The blocks in use, from the innermost."""
        uses = [use for use in reversed(self.uses) if not is_in_library(use.place)]
        if len(uses) > MAX_USES:
            uses[MAX_USES - 1 : -1] = []
        for use in uses:
            yield Related(f"in block `{plain_name(use.block)}`, used here", use.place)

    def own_use(self) -> Use | None:
        """Where the spec itself uses the block that is being gone through."""
        return next((use for use in reversed(self.uses) if not is_in_library(use.place)), None)

    def place_in_spec(self, place: Place) -> Place:
        """``place``, or for a layer of a library block where the spec uses that."""
        use = self.own_use() if is_in_library(place) else None
        return place if use is None else use.place

    def spend(self, work: int, place: Place | None) -> None:
        """Count work done, or about to be done, for what stands at ``place``."""
        self.work += work
        if self.work > MAX_WORK:
            self.stop(
                catalogue.TOO_MUCH_WORK,
                f"it takes more than {MAX_WORK:,} steps to build this network, which has "
                f"{len(self.nodes):,} layers so far",
                place,
                help="use smaller numbers in `repeat` and `for`, or fewer layers that differ",
            )

    def stop(
        self,
        code: Code,
        message: str,
        place: Place | None,
        help: str | None = None,  # noqa: A002 - as in Finding
    ) -> NoReturn:
        """Report what makes the network too large to be built, and build no further."""
        self.findings.add(Finding(code, message, place, help=help, related=tuple(self.trail())))
        raise EnoughFindingsError

    def evaluate(self, template: Template, environment: Environment) -> Value:
        """A template's value; `UNKNOWN` if it has none, which is reported the first time."""
        self.spend(template.cost, template.place)
        try:
            return template.evaluate(environment)
        except ExpressionError as error:
            self.report(error.code, str(error), error.place or template.place, help=error.help)
        except UnknownValueError:
            pass
        return UNKNOWN

    def set_variable(self, name: str, template: Template) -> None:
        """Give a variable of the network the value that the text has for it."""
        self.variables[name] = self.evaluate(template, self.variables)

    def typed(
        self, template: Template, type_: FieldType, environment: Environment, what: str
    ) -> object:
        """As `evaluate`, and parsed as ``type_``."""
        value = self.evaluate(template, environment)
        if value is UNKNOWN:
            return UNKNOWN
        try:
            return type_.parse(value)
        except FieldValueError as error:
            self.report(error.code, f"{what} must be {error}", template.place, help=error.help)
            return UNKNOWN

    # -- the whole ---------------------------------------------------------------------------------

    def graph(self, name: str, spec: str) -> Graph | None:
        """The network; None if anything was found against it. Raises EnoughFindingsError."""
        errors_before = self.findings.errors
        outputs = self.build()
        if self.findings.errors > errors_before:
            return None
        if not self.findings.errors and self.is_broken(outputs):
            raise AssertionError("a layer is missing, and nothing was found to be wrong")
        return Graph(
            name=name,
            nodes=tuple(self.nodes),
            outputs=outputs,
            spec=spec,
            source=self.document.source,
            warnings=tuple(finding for finding in self.findings if finding.is_warning),
        )

    def is_broken(self, outputs: Outputs) -> bool:
        """Whether something could not be built that the network needs."""
        return min(outputs, default=-1) < 0 or any(
            found == _BROKEN for found in self.paths.values()
        )

    def build(self) -> Outputs:
        """All nodes, and which of them are the network's outputs."""
        names = []
        for name, template in self.document.inputs:
            shape = self.input_shape(template)
            names.append(name)
            if shape is None:
                continue
            self.nodes.append(Node(name, Input(), (), shape, template.place))
        if names and len(self.nodes) == len(names):
            start: Outputs = tuple(range(len(self.nodes)))
        else:
            start = _BROKEN
        scope = Scope("", None, start if len(names) == 1 else ())
        for position, name in enumerate(names):
            scope.used[name] = (position,) if len(self.nodes) == len(names) else _BROKEN
        environment = dict(self.variables)
        self.check_size()
        last = self.sequence(self.document.layers, start, environment, scope)
        outputs = last
        if self.document.outputs:
            # What an `if` leaves out is no output; if all were, the first says so.
            left_out = self.document.names.given - set(scope.used)
            wanted = [
                target
                for target in self.document.outputs
                if target.name.partition(".")[0] not in left_out
            ]
            ends = [
                self.find(target, scope, last, is_output=True)
                for target in wanted or self.document.outputs
            ]
            outputs = self.joined(ends, self.document.place)
        self.report_lost_targets()
        if len(self.nodes) == len(names) and not self.findings.errors:
            self.report(
                catalogue.EMPTY,
                "no layer is left",
                self.document.place,
                help="for these values of the variables each is left out by an `if`, a `repeat` of "
                "0 or `activation: none`",
            )
        self.report_unused_outputs(outputs)
        return outputs

    def check_size(self) -> None:
        """Report, before anything is built, that the layers are too many whatever comes."""
        at_least = 0
        for entry in self.document.layers:
            at_least += self.least(entry)
            if at_least > MAX_LAYERS:
                times = entry.repeat and entry.repeat.constant
                if entry.repeat is not None and isinstance(times, int) and times > MAX_LAYERS:
                    self.stop_repeat(times, entry.repeat.place)
                self.stop(
                    catalogue.TOO_MANY_LAYERS,
                    f"the network has more than {MAX_LAYERS:,} layers",
                    entry.place,
                    help="repeats within repeats multiply; a block that uses another twice "
                    "doubles its layers",
                )

    def stop_repeat(self, times: int, place: Place) -> NoReturn:
        """Report a `repeat` that is too large."""
        self.stop(
            catalogue.TOO_MANY_LAYERS,
            f"`repeat` {times:,} times: a network has at most {MAX_LAYERS:,} layers",
            place,
            help="use a smaller number",
        )

    def report_unused_outputs(self, outputs: Outputs) -> None:
        """Warn of nodes that no layer reads and that are no outputs of the network."""
        if self.findings.errors:
            return  # what is broken reads nothing
        read = {position for node in self.nodes for position in node.inputs} | set(outputs)
        unread = (node for position, node in enumerate(self.nodes) if position not in read)
        for node in islice(unread, MAX_FINDINGS):
            self.report(
                catalogue.UNUSED_OUTPUT,
                f"nothing reads the output of `{node.name}`",
                node.place,
                help="list it under `outputs`, or leave it out",
            )

    def input_shape(self, template: Template) -> Shape | None:
        """The shape of an input."""
        value = self.evaluate(template, self.variables)
        if value is UNKNOWN:
            return None
        if not isinstance(value, tuple) or not 1 <= len(value) <= MAX_AXES:
            self.report(
                catalogue.WRONG_TYPE,
                f"an input's shape is a list of 1 to {MAX_AXES} sizes, not "
                f"{described_value(value)}",
                template.place,
                help="channels first, without the batch: `[3, 224, 224]`",
            )
            return None
        if self.axes:
            value = tuple(
                self.axes.get(axis, size)
                for axis, size in zip(AXIS_NAMES[len(value)], value, strict=True)
            )
        sizes: list[Number] = []
        parts = template.parts if isinstance(template.parts, tuple) else ()
        for n, size in enumerate(value):
            place = parts[n].place if n < len(parts) else template.place
            try:
                sizes.append(AXIS_SIZE.parse(size))
            except FieldValueError as error:
                self.report(
                    error.code, f"a size of the input must be {error}", place, help=error.help
                )
        if len(sizes) < len(value):
            return None
        self.check_order(tuple(sizes), template.place)
        return tuple(sizes)

    def check_order(self, shape: Shape, place: Place) -> None:
        """Warn of an image whose channels seem to stand last, or that seems to have a batch."""
        known = tuple(size if isinstance(size, int) else 0 for size in shape)
        if len(known) == 3 and known[2] == IMAGE_CHANNELS and min(known[:2]) >= LEAST_IMAGE:
            better = (shape[2], *shape[:2])
        elif len(known) == 4 and known[:2] == (1, IMAGE_CHANNELS) and min(known) >= 1:
            better = shape[1:]
        else:
            return
        self.report(
            catalogue.INPUT_ORDER,
            f"the input {shape_text(shape)} has {known[0]} channels",
            place,
            help=f"shapes are channels first, without the batch: did you mean {list(better)}?",
        )

    # -- entries -----------------------------------------------------------------------------------

    def sequence(
        self,
        entries: tuple[Entry, ...],
        current: Outputs,
        environment: dict[str, Value],
        scope: Scope,
    ) -> Outputs:
        """Layers one after the other; what the last hands on."""
        self.levels += 1
        if self.levels > MAX_LEVELS:
            self.report(
                catalogue.NESTED_TOO_DEEPLY,
                f"more than {MAX_LEVELS} levels of layers in layers",
                entries[0].place if entries else None,
                help="the layers of a block count as one level, and so do those of a group",
            )
            entries, current = (), _BROKEN
        for entry in entries:
            if entry.is_plain:
                current = self.once(entry, current, environment, scope, looped=False)
            else:
                current = self.modified(entry, current, environment, scope)
        self.levels -= 1
        return current

    def modified(
        self, entry: Entry, current: Outputs, environment: dict[str, Value], scope: Scope
    ) -> Outputs:
        """An entry with `from`, `for`, `repeat` or `if`."""
        self.spend(ENTRY * (1 + len(entry.sources)), entry.place)
        is_once = entry.loop is None and entry.repeat is None
        before = current
        try:
            if is_once and not entry.reads_channels and not self.holds(entry, current, environment):
                return before  # what `from` names may have been left out too
            if entry.sources:
                ends = [self.find(target, scope, current) for target in entry.sources]
                current = self.joined(ends, entry.place)
            if entry.reads_channels:
                self.check_one_input(entry, current)
            if is_once:
                if entry.reads_channels and not self.holds(entry, current, environment):
                    return before
                return self.once(entry, current, environment, scope, looped=False)
            last = self.looped(entry, current, environment, scope)
            if last is current:
                last = before  # no round of it stands
        except UnknownValueError:
            last = _BROKEN  # which layers there are is not known
        if entry.name is not None and entry.name not in scope.used:
            # `from: stage` means what the last round of `stage` hands on.
            self.claim(scope, entry.name, last)
        return last

    def looped(
        self, entry: Entry, current: Outputs, environment: dict[str, Value], scope: Scope
    ) -> Outputs:
        """An entry with `for` or `repeat`, round after round. Raises UnknownValueError."""
        for variables, number in self.rounds(entry.loop, current, environment):
            self.spend(ROUND + (len(environment) + len(variables)) // ENTRY, entry.place)
            inner = {**environment, **variables}
            if number is not None:
                inner["i"] = number
            for n in self.repetitions(entry, current, inner):
                if n is not None:
                    inner["i"] = n
                if entry.condition is None or self.holds(entry, current, inner):
                    current = self.once(entry, current, inner, scope, looped=True)
        return current

    def rounds(
        self, loop: Loop | None, current: Outputs, environment: dict[str, Value]
    ) -> Iterator[tuple[dict[str, Value], int | None]]:
        """The variables of each round of a `for`, with its number. Raises UnknownValueError."""
        if loop is None:
            yield {}, None
            return
        self.set_channels(current, environment)
        if loop.rounds:
            for number, a_round in enumerate(loop.rounds):
                yield (
                    {name: self.evaluate(template, environment) for name, template in a_round},
                    number,
                )
        elif loop.lists:
            yield from self.zipped_rounds(loop, environment)
        elif loop.expression is not None:
            value = self.evaluate(loop.expression, environment)
            if value is UNKNOWN:
                raise UnknownValueError
            if not isinstance(value, tuple) or not all(isinstance(v, Bindings) for v in value):
                self.report(
                    catalogue.WRONG_TYPE,
                    f"`for` needs a list of mappings, not {described_value(value)}",
                    loop.place,
                    help="`for: [{width: 64}, {width: 128}]`, or `for: {width: widths}` to go "
                    "through a list",
                )
                raise UnknownValueError
            for number, bindings in enumerate(value):
                assert isinstance(bindings, Bindings)  # noqa: S101 - checked above
                yield bindings.values, number

    def zipped_rounds(
        self, loop: Loop, environment: dict[str, Value]
    ) -> Iterator[tuple[dict[str, Value], int | None]]:
        """The rounds of `for: {name: list}`. Raises UnknownValueError."""
        lists: dict[str, tuple[Value, ...]] = {}
        for name, template in loop.lists:
            value = self.evaluate(template, environment)
            if isinstance(value, tuple):
                lists[name] = value
            elif value is not UNKNOWN:
                self.report(
                    catalogue.WRONG_TYPE,
                    f"`for` takes `{name}` through a list, not through {described_value(value)}",
                    template.place,
                    help=f"`for: {{{name}: [64, 128]}}`",
                )
        if len(lists) < len(loop.lists):
            raise UnknownValueError
        lengths = {len(values) for values in lists.values()}
        if len(lengths) > 1:
            self.report(
                catalogue.WRONG_TYPE,
                "the lists of a `for` are gone through together, but their lengths are "
                + ", ".join(f"{len(values)} (`{name}`)" for name, values in lists.items()),
                loop.place,
                help="give each as many values as there are rounds",
            )
            raise UnknownValueError
        for number, values in enumerate(zip(*lists.values(), strict=True)):
            yield dict(zip(lists, values, strict=True)), number

    def repetitions(
        self, entry: Entry, current: Outputs, environment: dict[str, Value]
    ) -> Iterator[int | None]:
        """The numbers that `i` takes in a `repeat`; once, without a number, if there is none.

        Raises UnknownValueError, after one round that may show what else is wrong.
        """
        if entry.repeat is None:
            yield None
            return
        self.set_channels(current, environment)
        count = self.typed(entry.repeat, COUNT, environment, "`repeat`")
        if count is UNKNOWN:
            yield 0
            raise UnknownValueError
        if not isinstance(count, int):
            self.report(
                catalogue.UNDECIDABLE,
                f"`repeat` is the formula {count}: how many layers there are must be known",
                entry.repeat.place,
                help="give the variable a value",
            )
            raise UnknownValueError
        at_least = count * max(1, self.least_once(entry))
        if len(self.nodes) + at_least > MAX_LAYERS:
            self.stop_repeat(count, entry.repeat.place)
        self.spend(count, entry.repeat.place)
        yield from range(count)

    def least(self, entry: Entry, levels: int = 0) -> int:
        """Layers that an entry makes at least, as far as can be told before it is built."""
        times = 1
        if entry.repeat is not None:
            known = entry.repeat.constant
            times = known if isinstance(known, int) else 0
        if entry.loop is not None:
            times *= len(entry.loop.rounds)
        return times * self.least_once(entry, levels) if times else 0

    def least_once(self, entry: Entry, levels: int = 0) -> int:
        """As `least`, of one round."""
        if entry.condition is not None or levels > MAX_LEVELS:
            return 0
        body = entry.body
        inner: tuple[Entry, ...]
        if isinstance(body, LayerUse | Lost):
            return 1
        if isinstance(body, Again | Chosen):
            return 0  # as many as it names
        key = body.block if isinstance(body, BlockUse) else id(entry)
        if key in self.least_layers:
            return self.least_layers[key]
        if isinstance(body, BlockUse):
            block = self.document.blocks.get(body.block)
            inner = block.entries if block else ()
        elif isinstance(body, Group):
            inner = body.entries
        elif isinstance(body, Parallel):
            inner = tuple(e for branch in body.branches for e in branch.entries)
        else:
            inner = body.body
        least = min(MAX_LAYERS + 1, sum(self.least(e, levels + 1) for e in inner))
        self.least_layers[key] = least
        return least

    def holds(self, entry: Entry, current: Outputs, environment: dict[str, Value]) -> bool:
        """Whether an entry's `if` lets it stand. Raises UnknownValueError."""
        if entry.condition is None:
            return True
        self.spend(ENTRY, entry.place)
        self.set_channels(current, environment)
        value = self.evaluate(entry.condition, environment)
        if value is UNKNOWN:
            raise UnknownValueError
        if not isinstance(value, bool):
            self.report(
                catalogue.WRONG_TYPE,
                f"`if` must be true or false, not {described_value(value)}",
                entry.condition.place,
                help="compare it with something: `x != 0`",
            )
            raise UnknownValueError
        return value

    def set_channels(self, current: Outputs, environment: dict[str, Value]) -> None:
        """Give `in_channels` the channels of what comes in, if that is one thing."""
        known = len(current) == 1 and current != _BROKEN
        environment["in_channels"] = self.nodes[current[0]].shape[0] if known else UNKNOWN  # type: ignore[assignment]

    def once(
        self,
        entry: Entry,
        current: Outputs,
        environment: dict[str, Value],
        scope: Scope,
        *,
        looped: bool,
    ) -> Outputs:
        """An entry, once."""
        first = len(self.nodes)
        self.spend(ENTRY + len(scope.prefix) // ENTRY, entry.place)
        if entry.reads_channels:
            self.check_one_input(entry, current)
            self.set_channels(current, environment)
        body = entry.body
        if isinstance(body, Lost):
            if entry.name is not None:
                scope.used.setdefault(entry.name, _BROKEN)
            return _BROKEN
        if isinstance(body, Again):
            return self.again(entry, body, current, scope, looped=looped)
        if entry.name is None and not isinstance(body, LayerUse | BlockUse | Chosen):
            name = ""
            result = self.structure(entry, current, environment, scope)
        else:
            name = self.name(entry, scope, looped=looped)
            if isinstance(body, LayerUse):
                result = self.layer(entry, body, current, environment, scope.prefix + name)
            elif isinstance(body, Chosen):
                result = self.chosen(entry, body, current, environment, scope.prefix + name)
            else:
                result = self.scoped(entry, current, environment, scope, name)
            self.claim(scope, name, result)
        if self.document.shared:
            self.note_made(entry, environment, scope, name, first)
        return result

    def scoped(
        self,
        entry: Entry,
        current: Outputs,
        environment: dict[str, Value],
        scope: Scope,
        name: str,
    ) -> Outputs:
        """A block, or a structure with a name: its layers are in a scope of their own."""
        scope.used[name] = _UNFINISHED
        prefix = self.checked_prefix(f"{scope.prefix}{name}.", entry.place)
        if isinstance(entry.body, BlockUse):
            return self.block(entry, entry.body, current, environment, prefix)
        return self.structure(entry, current, environment, Scope(prefix, scope, scope.start))

    def chosen(
        self, entry: Entry, body: Chosen, current: Outputs, environment: Environment, path: str
    ) -> Outputs:
        """The activation that an expression names; nothing for `none`."""
        word = self.evaluate(body.kind, environment)
        if word is UNKNOWN:
            return _BROKEN
        if word == NO_ACTIVATION:
            return current
        use = self.activation(word, body.kind.place)
        return _BROKEN if use is None else self.layer(entry, use, current, environment, path)

    def activation(self, word: Value, place: Place) -> LayerUse | None:
        """The activation of this name; None, reported, if there is none."""
        kind = activation_kinds().get(word) if isinstance(word, str) else None
        if kind is None:
            message, hint = unknown_activation(described_value(word).strip("`'"))
            self.report(catalogue.UNKNOWN_KIND, message, place, help=hint)
            return None
        if kind.kind not in self.activations:
            self.activations[kind.kind] = LayerUse(kind, (), (), {}, place, is_valid=True)
        return self.activations[kind.kind]

    # -- shared weights ----------------------------------------------------------------------------

    def note_made(
        self, entry: Entry, environment: Environment, scope: Scope, name: str, first: int
    ) -> None:
        """Remember what ``entry`` has made from node ``first`` on, if its name may be shared."""
        if entry.share is not None:
            made = self.made_by(entry.share, scope)
            if made is not None:
                self.share_weights(made, entry.share, range(first, len(self.nodes)))
        if name in self.document.shared:
            self.spend(ROUND + len(environment) // ENTRY, entry.place)
            variables = self.variables
            local = {
                name: value
                for name, value in environment.items()
                if name not in variables or variables[name] is not value
            }
            self.made[scope.prefix + name] = Made(entry, local, range(first, len(self.nodes)))

    def made_by(self, target: Target, scope: Scope) -> Made | None:
        """What a name in `share` stands for, here or in a scope around; None, reported."""
        around: Scope | None = scope
        while around is not None:
            if around.prefix + target.name in self.made:
                return self.made[around.prefix + target.name]
            around = around.parent
        found = self.find(target, scope, ())
        if found != _BROKEN:
            self.report(
                catalogue.CANNOT_SHARE,
                f"`{target.name}` is no layer, block or group: it has no weights to share",
                target.place,
                help=f"the rounds of `{target.name}` are called `{target.name}1` and so on"
                if f"{target.name}1" in scope.used
                else None,
            )
        return None

    def again(
        self, entry: Entry, body: Again, current: Outputs, scope: Scope, *, looped: bool
    ) -> Outputs:
        """What `share` names, once more, on another input."""
        name = self.name(entry, scope, looped=looped)
        made = self.made_by(body.target, scope)
        if made is None:
            scope.used[name] = _BROKEN
            return _BROKEN
        first = len(self.nodes)
        self.spend(ROUND + len(self.variables) // ENTRY, entry.place)
        same = made.entry._replace(
            name=name, name_place=entry.name_place, scope=entry.scope, place=entry.place, share=None
        )
        self.uses.append(Use(body.target.name, entry.place))
        result = self.once(same, current, {**self.variables, **made.local}, scope, looped=False)
        self.uses.pop()
        self.share_weights(made, body.target, range(first, len(self.nodes)))
        return result

    def share_weights(self, made: Made, target: Target, nodes: range) -> None:
        """Let ``nodes`` use the weights of what was made before, layer by layer."""
        if self.findings.errors:
            return  # some of them may be missing
        self.spend(SHARED * len(nodes), target.place)
        theirs, ours = self.with_numbers(made.nodes), self.with_numbers(nodes)
        if len(theirs) != len(ours) or not theirs:
            self.report(
                catalogue.CANNOT_SHARE,
                f"`{target.name}` has {len(theirs)} layers with weights, and what is to share "
                f"them has {len(ours)}"
                if theirs
                else f"`{target.name}` has no weights to share",
                target.place,
                help="both must be built alike; `share` with no kind beside it builds the same",
            )
            return
        for (their, had), (our, wanted) in zip(theirs.items(), ours.items(), strict=True):
            there, here = self.nodes[their], self.nodes[our]
            if type(there.layer) is not type(here.layer):
                self.report(
                    catalogue.CANNOT_SHARE,
                    f"`{here.name}` is a `{here.layer.kind}` and cannot use the weights of "
                    f"`{there.name}`, a `{there.layer.kind}`",
                    target.place,
                    help="weights are shared between layers of one kind",
                )
                return
            if is_refuted(lambda wanted=wanted, had=had: wanted == had):  # type: ignore[misc]
                self.report(
                    catalogue.CANNOT_SHARE,
                    f"`{here.name}` cannot use the weights of `{there.name}`, which are "
                    f"{_tensors(had)}: it needs {_tensors(wanted)}",
                    target.place,
                    help="their shapes follow from the fields and from the channels that come in: "
                    "both must be alike",
                )
                return
            shares = their if there.shares is None else there.shares
            self.nodes[our] = here._replace(shares=shares)

    def with_numbers(self, positions: range) -> dict[int, Numbers]:
        """The weights and buffers of those nodes that have any, by position."""
        found = {}
        for position in positions:
            node = self.nodes[position]
            if node.inputs:
                shapes = tuple([self.nodes[n].shape for n in node.inputs])
                numbers = node.layer.weights(shapes), node.layer.buffers(shapes)
                if any(numbers):
                    found[position] = numbers
        return found

    def checked_prefix(self, prefix: str, place: Place) -> str:
        """``prefix``, or an empty one, with a finding, if names with it would be too long."""
        if len(prefix) <= MAX_PATH:
            return prefix
        self.report(
            catalogue.BAD_NAME,
            f"the path to this layer has {len(prefix):,} characters; the limit is {MAX_PATH}",
            place,
            help="use shorter names, or fewer groups within groups",
        )
        return ""

    def check_one_input(self, entry: Entry, current: Outputs) -> None:
        """Report `in_channels` where several inputs come in."""
        if len(current) != 1:
            self.report(
                catalogue.AMBIGUOUS_INPUT,
                f"`in_channels` is of one input, and `{entry.kind}` has {len(current)} here",
                entry.place,
                help="say which one with `from`"
                if len(entry.sources) < 2
                else "in a block the default of an argument can ask for the channels that come "
                "into the block: `args: {skip: stride == 1 and in_channels == channels}`",
            )

    def claim(self, scope: Scope, name: str, result: Outputs) -> None:
        """Let `from: name` mean ``result``."""
        scope.used[name] = self.paths[scope.prefix + name] = result

    def name(self, entry: Entry, scope: Scope, *, looped: bool) -> str:
        """The name of the next layer that ``entry`` makes in ``scope``."""
        if entry.name is None:
            return self.automatic_name(entry.kind, scope, entry.scope, entry.place)
        if not looped:
            if entry.name in scope.used:
                # Unconditional duplicates are found in the text; these two are both let through.
                self.report(
                    catalogue.DUPLICATE_NAME,
                    f"two layers here are called `{entry.name}`",
                    entry.name_place,
                    help="`from` and the tables tell layers apart by their names",
                )
            return entry.name
        return self.numbered_name(entry.name, scope, entry.scope, entry.place)

    def automatic_name(self, base: str, scope: Scope, names: ScopeNames, place: Place) -> str:
        """A free name for a layer that was not given one: ``relu``, or ``conv3``."""
        if names.occurrences.get(base) == 1 and base not in names.given and base not in scope.used:
            return base
        return self.numbered_name(base, scope, names, place)

    def numbered_name(self, base: str, scope: Scope, names: ScopeNames, place: Place) -> str:
        """``base`` with the next number that makes a free name."""
        first = number = scope.counters.get(base, 0) + 1
        stem = f"{base}_" if base[-1:].isdigit() else base
        while (name := f"{stem}{number}") in scope.used or name in names.given:
            number += 1
        scope.counters[base] = number
        if number > first:
            self.spend(number - first, place)
        return name

    # -- bodies ------------------------------------------------------------------------------------

    def structure(
        self, entry: Entry, current: Outputs, environment: dict[str, Value], scope: Scope
    ) -> Outputs:
        """A group, parallel or residual."""
        body = entry.body
        if isinstance(body, Group):
            return self.sequence(body.entries, current, environment, scope)
        if isinstance(body, Parallel):
            ends = [self.branch(b, current, environment, scope) for b in body.branches]
            merge = body.merge
        else:
            assert isinstance(body, Residual)  # noqa: S101 - once() has the others
            ends = [
                self.sequence(body.body, current, environment, scope),
                self.branch(body.shortcut, current, environment, scope),
            ]
            merge = body.merge
        inputs = self.joined(ends, entry.place)
        return self.sequence((merge,), inputs, environment, scope)

    def joined(self, ends: list[Outputs], place: Place) -> Outputs:
        """Everything that ``ends`` hand on, which is more each time it is joined to itself."""
        self.spend(sum(map(len, ends)), place)
        return tuple([position for end in ends for position in end])

    def branch(
        self, branch: Branch, current: Outputs, environment: dict[str, Value], scope: Scope
    ) -> Outputs:
        """A branch, in a scope of its own; an empty one is the identity."""
        self.spend(BRANCH, branch.place)
        name = self.automatic_name(branch.name, scope, branch.scope, branch.place)
        if not branch.entries:
            self.claim(scope, name, current)
            return current
        prefix = self.checked_prefix(f"{scope.prefix}{name}.", branch.place)
        inner = Scope(prefix, scope, scope.start)
        scope.used[name] = _UNFINISHED
        result = self.sequence(branch.entries, current, environment, inner)
        self.claim(scope, name, result)
        return result

    def block(
        self,
        entry: Entry,
        use: BlockUse,
        current: Outputs,
        environment: dict[str, Value],
        prefix: str,
    ) -> Outputs:
        """A block: its arguments are evaluated here, its layers where it was declared."""
        block: Block | None = self.document.blocks.get(use.block)
        if block is None:
            return _BROKEN  # reported with the block; those that go in a circle are left out
        given = {name: self.evaluate(template, environment) for name, template in use.arguments}
        self.spend(BLOCK + (len(self.variables) + len(block.arguments)) // ENTRY, entry.place)
        inner = dict(self.variables)
        self.set_channels(current, inner)
        if any(
            argument.default is not None and "in_channels" in argument.default.names
            for argument in block.arguments
            if argument.name not in given
        ):
            self.check_one_input(entry, current)
        self.uses.append(Use(use.block, entry.place))
        for argument in block.arguments:
            if argument.name in given:
                inner[argument.name] = given[argument.name]
            elif argument.default is not None:
                inner[argument.name] = self.evaluate(argument.default, inner)
            else:
                inner[argument.name] = UNKNOWN
        result = self.sequence(block.entries, current, inner, Scope(prefix, None, current))
        self.uses.pop()
        return result

    def layer(
        self,
        entry: Entry,
        use: LayerUse,
        current: Outputs,
        environment: Environment,
        name: str,
    ) -> Outputs:
        """A layer: a node of its own."""
        layer = self.built(use, environment)
        if layer is None or _BROKEN[0] in current:
            return _BROKEN
        nodes = self.nodes
        if len(nodes) > MAX_LAYERS:
            self.stop(
                catalogue.TOO_MANY_LAYERS,
                f"the network has more than {MAX_LAYERS:,} layers",
                entry.place,
            )
        if len(current) == 1:
            shapes: tuple[Shape, ...] = (nodes[current[0]].shape,)
        else:
            self.spend(len(current), entry.place)
            shapes = tuple([nodes[position].shape for position in current])
        key = (id(layer), shapes)
        shape = self.shape_cache.get(key)
        if shape is None:
            shape = self.output_shape(entry, use, layer, current, shapes, name)
            if shape is None:
                return _BROKEN
            self.shape_cache[key] = shape
        if use.kind.parts is not Layer.parts:
            return self.parts(entry, layer, current, shapes, name)
        nodes.append(Node(name, layer, current, shape, self.place_in_spec(entry.place)))
        return (len(nodes) - 1,)

    def parts(
        self,
        entry: Entry,
        layer: Layer,
        current: Outputs,
        shapes: tuple[Shape, ...],
        name: str,
    ) -> Outputs:
        """A layer with several outputs: a node for each, called by its number."""
        key = (id(layer), shapes)
        if key not in self.parts_cache:
            self.parts_cache[key] = layer.parts(shapes)
        parts = self.parts_cache[key]
        self.spend(len(parts) * (ENTRY + NEW_SHAPE), entry.place)
        first = len(self.nodes)
        for number, part in enumerate(parts, start=1):
            path = name if len(parts) == 1 and part is layer else f"{name}.{number}"
            self.paths[path] = (len(self.nodes),)
            self.nodes.append(
                Node(path, part, current, part.output(shapes), self.place_in_spec(entry.place))
            )
        return tuple(range(first, len(self.nodes)))

    def built(self, use: LayerUse, environment: Environment) -> Layer | None:
        """The layer with its fields evaluated; None if one of them has no value.

        Equal layers of one entry are one object: shapes and costs are then worked out once.
        """
        if not use.is_valid:
            return None
        values: tuple[Value, ...] = ()
        key: tuple[int, tuple[object, ...]] = (id(use), ())
        if use.templates:
            values = tuple([self.evaluate(template, environment) for _, template in use.templates])
            if UNKNOWN in values:
                return None
            key = (id(use), self.distinct(values, use))
        if key not in self.layer_cache:
            self.spend(NEW_LAYER if use.templates else ENTRY, use.place)
            fields = dict(use.constants)
            is_complete = True
            for (declared, template), value in zip(use.templates, values, strict=True):
                if value is None and declared.default is None:
                    continue
                try:
                    fields[declared.name] = declared.type.parse(value)
                except FieldValueError as error:
                    is_complete = False
                    self.report(
                        error.code,
                        f"`{declared.name}` must be {error}",
                        template.place,
                        help=error.help,
                    )
            if not is_complete:
                return None
            self.layer_cache[key] = use.kind(**fields)
        return self.layer_cache[key]

    def distinct(self, values: tuple[Value, ...], use: LayerUse) -> tuple[object, ...]:
        """``values`` as a key: true and 1, which are the same to Python, are told apart."""
        parts: list[object] = []
        for value in values:
            if isinstance(value, tuple):
                self.spend(LIST, use.place)
                parts.append(self.distinct(value, use))
            else:
                parts.append((value,) if isinstance(value, bool) else value)
        return tuple(parts)

    def output_shape(
        self,
        entry: Entry,
        use: LayerUse,
        layer: Layer,
        current: Outputs,
        shapes: tuple[Shape, ...],
        name: str,
    ) -> Shape | None:
        """The shape of a layer's output; None if it cannot run on these inputs."""
        if not layer.takes.allows(len(shapes)) or len(shapes) > MAX_INPUTS:
            self.report_number_of_inputs(entry, layer, current)
            return None
        self.spend(NEW_SHAPE * len(shapes) ** 2, entry.place)
        try:
            found = list(layer.check(shapes))
            shape = None if found else layer.output(shapes)
        except UndecidableError as error:
            found, shape = [Finding(catalogue.UNDECIDABLE, str(error))], None
        if shape is not None and not all(map(is_bounded, shape)):
            found = [
                Finding(
                    catalogue.NUMBER_TOO_LARGE,
                    f"the output of `{{name}}` is {shape_text(shape)}",
                    help="no size in a spec may exceed 10¹⁸",
                )
            ]
        for finding in found:
            place = use.places.get(finding.field, entry.place) if finding.field else entry.place
            related = tuple(
                Related(
                    f"`{self.nodes[current[n]].name}` gives {shape_text(shapes[n])}",
                    producer,
                )
                for n in finding.operands
                if (producer := self.nodes[current[n]].place) is not None
            )
            self.report(
                finding.code,
                finding.message,
                place,
                help=finding.help,
                notes=finding.notes,
                related=related,
                name=name,
            )
        return None if found else shape

    def report_number_of_inputs(self, entry: Entry, layer: Layer, current: Outputs) -> None:
        """Report a merge with one input, or another layer with several."""
        fewest, most = layer.takes
        if fewest > len(current):
            how_many = "two inputs" if most == 2 else "two inputs or more"
            self.report(
                catalogue.NUMBER_OF_INPUTS,
                f"`{entry.kind}` joins {how_many}, and has one",
                entry.place,
                help="name them: `from: [prev, stem]`, or put it into a `parallel`",
            )
        elif most != 1:
            self.report(
                catalogue.NUMBER_OF_INPUTS,
                f"`{entry.kind}` joins at most {most or MAX_INPUTS} inputs, and has "
                f"{len(current):,}",
                entry.place,
                help="join parts of them first",
            )
        elif not self.uses and all(n < len(self.document.inputs) for n in current):
            names = listed(self.nodes[n].name for n in current)
            self.report(
                catalogue.AMBIGUOUS_INPUT,
                f"`{entry.kind}` takes one input, and the network has {len(current)}: {names}",
                entry.place,
                help=f"say which one: `from: {self.nodes[current[0]].name}`",
            )
        else:
            self.report(
                catalogue.NUMBER_OF_INPUTS,
                f"`{entry.kind}` takes one input, and has {len(current)}",
                entry.place,
                help="join them first, for example with `concat` or `add`, or say which one with "
                "`from`",
            )

    # -- from --------------------------------------------------------------------------------------

    def find(
        self, target: Target, scope: Scope, current: Outputs, *, is_output: bool = False
    ) -> Outputs:
        """What a name in `from` or `outputs` stands for, here or in a scope around."""
        if target.name == "prev":
            return current
        is_path = "." in target.name
        around: Scope | None = scope
        while around is not None:
            if target.name in around.used:
                outputs = around.used[target.name]
                if outputs == _UNFINISHED:
                    self.report(
                        catalogue.UNKNOWN_TARGET,
                        f"`{target.name}` is what this layer is a part of",
                        target.place,
                        help="a layer cannot take the output of the group that it is in",
                    )
                    return _BROKEN
                return outputs
            if is_path and around.prefix + target.name in self.paths:
                return self.paths[around.prefix + target.name]
            if around.parent is None and target.name == "input":
                if around.start:
                    return around.start
                self.report(
                    catalogue.AMBIGUOUS_INPUT,
                    "the network has several inputs: which one is `input`?",
                    target.place,
                    help="use its name: " + listed(name for name, _ in self.document.inputs),
                )
                return _BROKEN
            around = around.parent
        if target.place not in self.lost_targets:
            self.spend(MAX_VISIBLE, target.place)
            self.lost_targets[target.place] = LostTarget(
                target,
                visible=tuple(islice(visible_names(scope), MAX_VISIBLE)),
                prefix=outermost(scope).prefix,
                paths=len(self.paths),
                is_output=is_output,
            )
        return _BROKEN

    def report_lost_targets(self) -> None:
        """Report the names that were not found, now that it is known what else there is."""
        elsewhere = self.paths_to({lost.target.name for lost in self.lost_targets.values()})
        for lost in self.lost_targets.values():
            name = lost.target.name
            close = close_match(name, (*lost.visible, "prev", "input"))
            path, number = elsewhere.get(name, ("", 0))
            if path.startswith(lost.prefix) and path and number < lost.paths:
                hint = f"did you mean `{path.removeprefix(lost.prefix)}`?"
            elif path:
                hint = f"`{path}` is not before this layer in the same list or around it"
            elif close:
                hint = f"did you mean `{close}`?"
            elif lost.is_output:
                hint = "`outputs` names layers by their `name`, those in groups by their path"
            else:
                hint = "`from` names a layer before this one, by its `name`, or `prev` or `input`"
            self.report(
                catalogue.UNKNOWN_TARGET,
                f"no layer is called `{name}` here",
                lost.target.place,
                help=hint,
            )

    def paths_to(self, names: set[str]) -> dict[str, tuple[str, int]]:
        """The path to the first layer that has one of ``names``, and how many stand before it."""
        found: dict[str, tuple[str, int]] = {}
        for number, path in enumerate(self.paths if names else ()):
            ending = path
            while ending:
                if ending in names:
                    found.setdefault(ending, (path, number))
                ending = ending.partition(".")[2]
        return found


def _tensors(numbers: Numbers) -> str:
    """Tensors by name and shape."""
    return listed(f"{t.name} {shape_text(t.shape)}" for tensors in numbers for t in tensors)


def outermost(scope: Scope) -> Scope:
    """The scope around ``scope`` at the edge of the block or the network."""
    while scope.parent is not None:
        scope = scope.parent
    return scope


def visible_names(scope: Scope) -> Iterator[str]:
    """The names that `from` may use in ``scope``."""
    around: Scope | None = scope
    while around is not None:
        yield from reversed(around.used)
        around = around.parent


def _key(code: Code, place: Place | None, message: str) -> tuple[str, Place | None, str]:
    """What two findings have in common that are the same but for their numbers."""
    return code.id, place, _NUMBER.sub("0", message)


_NUMBER = re.compile("[-−]?[0-9]+(?:[./][0-9]+)?")
