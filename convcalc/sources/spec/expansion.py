"""From a `Document` and the values of its variables to a `Graph`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from convcalc.algebra import Number
from convcalc.errors import Code, Finding, Place, Related, catalogue, close_match
from convcalc.graph import Graph, Node
from convcalc.layers import Input, Layer
from convcalc.layers.declaration import Shape, shape_text
from convcalc.layers.field_types import FieldType, FieldValueError
from convcalc.sources.spec.document import (
    Block,
    BlockUse,
    Branch,
    Document,
    Entry,
    Group,
    LayerUse,
    Loop,
    Parallel,
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
)
from convcalc.sources.spec.grammar import AXIS_SIZE, COUNT

__all__ = ["MAX_LAYERS", "MAX_STEPS", "Expansion"]

MAX_LAYERS: Final = 150_000
"""Layers of one network."""
MAX_STEPS: Final = 300_000
"""Entries gone through, those left out by `if` included."""
MAX_FINDINGS: Final = 200
"""After so many findings a spec is not read further."""

Outputs = tuple[int, ...]
"""What a layer hands on: nodes by position. `_BROKEN` stands for one that could not be built."""
_BROKEN: Final = -1


class _Stop(Exception):  # noqa: N818 - not an error: what was found is in the findings
    """The network is too large to be built."""


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

    def automatic_name(self, base: str, names: ScopeNames) -> str:
        """A free name for a layer that was not given one: ``relu``, or ``conv3``."""
        if names.occurrences.get(base) == 1 and base not in names.given and base not in self.used:
            return base
        number = self.counters.get(base, 0) + 1
        while (name := f"{base}{number}") in self.used or name in names.given:
            number += 1
        self.counters[base] = number
        return name


class Use(NamedTuple):
    """A block in use, for telling where a finding inside it comes from."""

    block: str
    place: Place


class Expansion:
    """Builds the graph of one network. What is wrong goes to ``findings``."""

    def __init__(
        self,
        document: Document,
        variables: Mapping[str, Value],
        findings: list[Finding],
    ) -> None:
        self.document = document
        self.variables = dict(variables)
        self.findings = findings
        self.nodes: list[Node] = []
        self.uses: list[Use] = []
        self.steps = 0
        self.reported: set[tuple[str, Place | None, str]] = set()
        self.paths: dict[str, Outputs] = {}
        self.lost_targets: dict[Place, tuple[Target, tuple[str, ...]]] = {}
        self.layer_cache: dict[tuple[int, tuple[Value, ...]], Layer | None] = {}
        self.shape_cache: dict[tuple[int, tuple[Shape, ...]], Shape] = {}
        self.least_layers: dict[str, int] = {}

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
    ) -> None:
        """Add a finding, once for each place and message however often a block is used."""
        key = (code.id, place, message)
        if key in self.reported:
            return
        self.reported.add(key)
        trail = tuple(
            Related(f"in block `{use.block}`, used here", use.place) for use in reversed(self.uses)
        )
        self.findings.append(
            Finding(code, message, place, notes=notes, help=help, related=related + trail)
        )
        if len(self.findings) == MAX_FINDINGS:
            raise _Stop

    def evaluate(self, template: Template, environment: Environment) -> Value:
        """A template's value; `UNKNOWN` if it has none, which is reported the first time."""
        try:
            return template.evaluate(environment)
        except ExpressionError as error:
            self.report(error.code, str(error), error.place or template.place, help=error.help)
        except UnknownValueError:
            pass
        return UNKNOWN

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
        """The network; None if anything was found against it."""
        errors_before = sum(not finding.is_warning for finding in self.findings)
        try:
            outputs = self.build()
        except _Stop:
            return None
        if sum(not finding.is_warning for finding in self.findings) > errors_before:
            return None
        return Graph(
            name=name,
            nodes=tuple(self.nodes),
            outputs=outputs,
            spec=spec,
            source=self.document.source,
            warnings=tuple(finding for finding in self.findings if finding.is_warning),
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
            start = (_BROKEN,)
        scope = Scope("", None, start if len(names) == 1 else ())
        for position, name in enumerate(names):
            scope.used[name] = (position,) if len(self.nodes) == len(names) else (_BROKEN,)
        environment = dict(self.variables)
        last = self.sequence(self.document.layers, start, environment, scope)
        outputs = last
        if self.document.outputs:
            outputs = tuple(
                position
                for target in self.document.outputs
                for position in self.find(target, scope, last)
            )
        self.report_lost_targets()
        if len(self.nodes) == len(names) and not self.findings:
            self.report(catalogue.EMPTY, "every layer is left out by an `if`", self.document.place)
        self.report_unused_outputs(outputs)
        return outputs

    def report_unused_outputs(self, outputs: Outputs) -> None:
        """Warn of nodes that no layer reads and that are no outputs of the network."""
        if any(not finding.is_warning for finding in self.findings):
            return  # what is broken reads nothing
        read = {position for node in self.nodes for position in node.inputs} | set(outputs)
        for position, node in enumerate(self.nodes):
            if position not in read:
                self.report(
                    catalogue.UNUSED_OUTPUT,
                    f"nothing reads the output of `{node.name}`",
                    node.place,
                    help="list it under `outputs`, or leave it out",
                )

    def input_shape(self, template: Template) -> Shape | None:
        """The shape of an input."""
        value = self.evaluate(template, self.variables)
        if value is UNKNOWN or not isinstance(value, tuple):
            return None
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
        return tuple(sizes) if len(sizes) == len(value) else None

    # -- entries -----------------------------------------------------------------------------------

    def sequence(
        self,
        entries: tuple[Entry, ...],
        current: Outputs,
        environment: dict[str, Value],
        scope: Scope,
    ) -> Outputs:
        """Layers one after the other; what the last hands on."""
        for entry in entries:
            if entry.is_plain:
                current = self.once(entry, current, environment, scope, looped=False)
            else:
                current = self.modified(entry, current, environment, scope)
        return current

    def modified(
        self, entry: Entry, current: Outputs, environment: dict[str, Value], scope: Scope
    ) -> Outputs:
        """An entry with `from`, `for`, `repeat` or `if`."""
        if entry.sources:
            current = tuple(
                position
                for target in entry.sources
                for position in self.find(target, scope, current)
            )
        looped = entry.loop is not None or entry.repeat is not None
        if not looped:
            if self.holds(entry, current, environment):
                current = self.once(entry, current, environment, scope, looped=False)
            return current
        last = current
        for variables, number in self.rounds(entry.loop, current, environment):
            inner = {**environment, **variables}
            if number is not None:
                inner["i"] = number
            for n in self.repetitions(entry, last, inner):
                if n is not None:
                    inner["i"] = n
                if self.holds(entry, last, inner):
                    last = self.once(entry, last, inner, scope, looped=True)
        if entry.name is not None and entry.name not in scope.used:
            # `from: stage` means what the last round of `stage` hands on.
            scope.used[entry.name] = last
        return last

    def rounds(
        self, loop: Loop | None, current: Outputs, environment: dict[str, Value]
    ) -> Iterator[tuple[dict[str, Value], int | None]]:
        """The variables of each round of a `for`, with its number."""
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
                return
            if not isinstance(value, tuple) or not all(isinstance(v, Bindings) for v in value):
                self.report(
                    catalogue.WRONG_TYPE,
                    "`for` needs a list of mappings",
                    loop.place,
                    help="`for: [{width: 64}, {width: 128}]`, or `for: {width: widths}` to go "
                    "through a list",
                )
                return
            for number, bindings in enumerate(value):
                assert isinstance(bindings, Bindings)  # noqa: S101 - checked above
                yield bindings.values, number

    def zipped_rounds(
        self, loop: Loop, environment: dict[str, Value]
    ) -> Iterator[tuple[dict[str, Value], int | None]]:
        """The rounds of `for: {name: list}`."""
        lists: dict[str, tuple[Value, ...]] = {}
        for name, template in loop.lists:
            value = self.evaluate(template, environment)
            if isinstance(value, tuple):
                lists[name] = value
            elif value is not UNKNOWN:
                self.report(
                    catalogue.WRONG_TYPE,
                    f"`for` goes `{name}` through a list, and this is none",
                    template.place,
                    help=f"`for: {{{name}: [64, 128]}}`",
                )
        if len(lists) < len(loop.lists):
            return
        lengths = {len(values) for values in lists.values()}
        if len(lengths) > 1:
            self.report(
                catalogue.WRONG_TYPE,
                "the lists of a `for` are gone through together, but their lengths are "
                + ", ".join(f"{len(values)} (`{name}`)" for name, values in lists.items()),
                loop.place,
            )
            return
        for number, values in enumerate(zip(*lists.values(), strict=True)):
            yield dict(zip(lists, values, strict=True)), number

    def repetitions(
        self, entry: Entry, current: Outputs, environment: dict[str, Value]
    ) -> Iterator[int | None]:
        """The numbers that `i` takes in a `repeat`; once, without a number, if there is none."""
        if entry.repeat is None:
            yield None
            return
        self.set_channels(current, environment)
        count = self.typed(entry.repeat, COUNT, environment, "`repeat`")
        if count is UNKNOWN:
            count = 1
        if not isinstance(count, int):
            self.report(
                catalogue.UNDECIDABLE,
                f"`repeat` is the formula {count}: how many layers there are must be known",
                entry.repeat.place,
                help="give the variable a value",
            )
            return
        at_least = count * max(1, self.least(entry, environment, repeated=False))
        if len(self.nodes) + at_least > MAX_LAYERS or self.steps + count > MAX_STEPS:
            self.report(
                catalogue.TOO_MANY_LAYERS,
                f"`repeat` {count:,} times makes a network of more than {MAX_LAYERS:,} layers",
                entry.repeat.place,
            )
            raise _Stop
        yield from range(count)

    def least(self, entry: Entry, environment: Environment, *, repeated: bool = True) -> int:
        """Layers that an entry makes at least, as far as can be told before it is built."""
        if entry.condition is not None:
            return 0
        count = 1
        if repeated and (entry.repeat is not None or entry.loop is not None):
            count = 0
            if entry.repeat is not None and entry.loop is None:
                known = entry.repeat.constant
                count = known if isinstance(known, int) else 0
        body = entry.body
        if isinstance(body, LayerUse):
            return count
        if isinstance(body, BlockUse):
            if body.block not in self.least_layers:
                block = self.document.blocks.get(body.block)
                self.least_layers[body.block] = 0  # what is asked for inside a circle
                self.least_layers[body.block] = (
                    sum(self.least(inner, environment) for inner in block.entries) if block else 0
                )
            return count * self.least_layers[body.block]
        if isinstance(body, Group):
            inner = body.entries
        elif isinstance(body, Parallel):
            inner = tuple(e for branch in body.branches for e in branch.entries)
        else:
            inner = body.body
        return count * sum(self.least(e, environment) for e in inner)

    def holds(self, entry: Entry, current: Outputs, environment: dict[str, Value]) -> bool:
        """Whether an entry's `if` lets it stand."""
        if entry.condition is None:
            return True
        self.step(entry.place)
        self.set_channels(current, environment)
        value = self.evaluate(entry.condition, environment)
        if value is UNKNOWN:
            return False
        if not isinstance(value, bool):
            self.report(
                catalogue.WRONG_TYPE,
                "`if` must be true or false",
                entry.condition.place,
                help="compare it with something: `x != 0`",
            )
            return False
        return value

    def step(self, place: Place) -> None:
        """Count one more entry."""
        self.steps += 1
        if self.steps > MAX_STEPS or len(self.nodes) > MAX_LAYERS:
            self.report(
                catalogue.TOO_MANY_LAYERS,
                f"the network has more than {MAX_LAYERS:,} layers",
                place,
            )
            raise _Stop

    def set_channels(self, current: Outputs, environment: dict[str, Value]) -> None:
        """Give `in_channels` the channels of what comes in, if that is one thing."""
        known = len(current) == 1 and current[0] != _BROKEN
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
        self.step(entry.place)
        if entry.reads_channels:
            self.check_one_input(entry, current)
            self.set_channels(current, environment)
        body = entry.body
        if isinstance(body, LayerUse):
            name = self.name(entry, scope, looped=looped)
            result = self.layer(entry, body, current, environment, scope.prefix + name)
            self.claim(scope, name, result)
            return result
        if isinstance(body, BlockUse):
            name = self.name(entry, scope, looped=looped)
            scope.used[name] = (_BROKEN,)
            result = self.block(entry, body, current, environment, scope.prefix + name + ".")
            self.claim(scope, name, result)
            return result
        if entry.name is None:
            return self.structure(entry, current, environment, scope)
        name = self.name(entry, scope, looped=looped)
        scope.used[name] = (_BROKEN,)
        inner = Scope(f"{scope.prefix}{name}.", scope, scope.start)
        result = self.structure(entry, current, environment, inner)
        self.claim(scope, name, result)
        return result

    def check_one_input(self, entry: Entry, current: Outputs) -> None:
        """Report `in_channels` where several inputs come in."""
        if len(current) != 1:
            self.report(
                catalogue.AMBIGUOUS_INPUT,
                f"`in_channels` is of one input, and `{entry.kind}` has {len(current)} here",
                entry.place,
                help="say which one with `from`",
            )

    def claim(self, scope: Scope, name: str, result: Outputs) -> None:
        """Let `from: name` mean ``result``."""
        scope.used[name] = self.paths[scope.prefix + name] = result

    def name(self, entry: Entry, scope: Scope, *, looped: bool) -> str:
        """The name of the next layer that ``entry`` makes in ``scope``."""
        if entry.name is None:
            return scope.automatic_name(entry.kind, entry.scope)
        if not looped:
            if entry.name in scope.used:
                # Unconditional duplicates are found in the text; these two are both let through.
                self.report(
                    catalogue.DUPLICATE_NAME,
                    f"two layers here are called `{entry.name}`",
                    entry.place,
                    help="`from` and the tables tell layers apart by their names",
                )
            return entry.name
        number = scope.counters.get(entry.name, 0) + 1
        while (name := f"{entry.name}{number}") in scope.used or name in entry.scope.given:
            number += 1
        scope.counters[entry.name] = number
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
            assert not isinstance(body, LayerUse | BlockUse)  # noqa: S101 - once() has those
            ends = [
                self.sequence(body.body, current, environment, scope),
                self.branch(body.shortcut, current, environment, scope),
            ]
            merge = body.merge
        inputs = tuple(position for end in ends for position in end)
        return self.sequence((merge,), inputs, environment, scope)

    def branch(
        self, branch: Branch, current: Outputs, environment: dict[str, Value], scope: Scope
    ) -> Outputs:
        """A branch, in a scope of its own; an empty one is the identity."""
        name = scope.automatic_name(branch.name, branch.scope)
        if not branch.entries:
            self.claim(scope, name, current)
            return current
        inner = Scope(f"{scope.prefix}{name}.", scope, scope.start)
        scope.used[name] = (_BROKEN,)
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
        if block is None or len(self.uses) >= len(self.document.blocks):
            return (_BROKEN,)  # reported with the block, or a circle of blocks
        given = {name: self.evaluate(template, environment) for name, template in use.arguments}
        inner = dict(self.variables)
        self.uses.append(Use(use.block, entry.place))
        self.set_channels(current, inner)
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
        if layer is None or _BROKEN in current:
            return (_BROKEN,)
        nodes = self.nodes
        if len(current) == 1:
            shapes: tuple[Shape, ...] = (nodes[current[0]].shape,)
        else:
            shapes = tuple([nodes[position].shape for position in current])
        key = (id(layer), shapes)
        shape = self.shape_cache.get(key)
        if shape is None:
            shape = self.output_shape(entry, use, layer, current, shapes, name)
            if shape is None:
                return (_BROKEN,)
            self.shape_cache[key] = shape
        nodes.append(Node(name, layer, current, shape, entry.place))
        return (len(nodes) - 1,)

    def built(self, use: LayerUse, environment: Environment) -> Layer | None:
        """The layer with its fields evaluated; None if one of them has no value.

        Equal layers of one entry are one object: shapes and costs are then worked out once.
        """
        if not use.is_valid:
            return None
        values = tuple([self.evaluate(template, environment) for _, template in use.templates])
        if UNKNOWN in values:
            return None
        key = (id(use), values)
        if key not in self.layer_cache:
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
            self.layer_cache[key] = use.kind(**fields) if is_complete else None
        return self.layer_cache[key]

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
        if layer.merges != (len(shapes) > 1):
            self.report_number_of_inputs(entry, layer, current)
            return None
        found = list(layer.check(shapes))
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
                finding.message.replace("{name}", name),
                place,
                help=finding.help,
                notes=finding.notes,
                related=related,
            )
        return None if found else layer.output(shapes)

    def report_number_of_inputs(self, entry: Entry, layer: Layer, current: Outputs) -> None:
        """Report a merge with one input, or another layer with several."""
        if layer.merges:
            self.report(
                catalogue.NUMBER_OF_INPUTS,
                f"`{entry.kind}` joins two inputs or more, and has one",
                entry.place,
                help="name them: `from: [prev, stem]`, or put it into a `parallel`",
            )
        elif not self.uses and all(n < len(self.document.inputs) for n in current):
            names = ", ".join(f"`{self.nodes[n].name}`" for n in current)
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
                help="join them first: `concat`, `add` or `mul`",
            )

    # -- from --------------------------------------------------------------------------------------

    def find(self, target: Target, scope: Scope, current: Outputs) -> Outputs:
        """What a name in `from` or `outputs` stands for, here or in a scope around."""
        if target.name == "prev":
            return current
        is_path = "." in target.name
        around: Scope | None = scope
        while around is not None:
            if target.name in around.used:
                return around.used[target.name]
            if is_path and around.prefix + target.name in self.paths:
                return self.paths[around.prefix + target.name]
            if around.parent is None and target.name == "input":
                if around.start:
                    return around.start
                self.report(
                    catalogue.AMBIGUOUS_INPUT,
                    "the network has several inputs: which one is `input`?",
                    target.place,
                    help="use its name: "
                    + ", ".join(f"`{name}`" for name, _ in self.document.inputs),
                )
                return (_BROKEN,)
            around = around.parent
        if target.place not in self.lost_targets:
            self.lost_targets[target.place] = target, tuple(visible_names(scope))
        return (_BROKEN,)

    def report_lost_targets(self) -> None:
        """Report the names that `from` did not find, now that it is known what comes later."""
        for target, visible in self.lost_targets.values():
            close = close_match(target.name, (*visible, "prev", "input"))
            later = [
                path
                for path in self.paths
                if path == target.name or path.endswith("." + target.name)
            ]
            if later:
                hint = f"`{min(later)}` is not before this layer in the same list or around it"
            elif close:
                hint = f"did you mean `{close}`?"
            else:
                hint = "`from` names a layer before this one, by its `name`, or `prev` or `input`"
            self.report(
                catalogue.UNKNOWN_TARGET,
                f"no layer is called `{target.name}` here",
                target.place,
                help=hint,
            )


def visible_names(scope: Scope) -> Iterator[str]:
    """The names that `from` may use in ``scope``."""
    around: Scope | None = scope
    while around is not None:
        yield from around.used
        around = around.parent
