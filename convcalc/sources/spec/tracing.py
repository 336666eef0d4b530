"""Where the values of a layer were set: an expansion that remembers how it came to each layer.

While the network is built, a stack of frames says what brings in the variables that can be read: a
block in use, a round of a `for` or `repeat`. A layer keeps the frame that it was made in, which
costs little, so that all do; expressions are followed to their constants for those layers alone
that are asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple, cast

from convcalc.algebra import Polynomial
from convcalc.errors import Findings, Place, SourceText
from convcalc.graph import Node
from convcalc.origins import FieldOrigin, How, LayerOrigin, TrailStep, VariableOrigin, VariableValue
from convcalc.sources.spec.document import (
    VARIES,
    Again,
    Block,
    BlockUse,
    Chosen,
    Document,
    Entry,
    LayerUse,
    Loop,
    Template,
)
from convcalc.sources.spec.expansion import Expansion, Made, Outputs, Scope
from convcalc.sources.spec.expression import (
    Bindings,
    Environment,
    Expression,
    Value,
)
from convcalc.sources.spec.library import is_in_library, plain_name
from convcalc.sources.yaml_nodes import YamlMapping, YamlNode, YamlScalar, YamlSequence, compose

__all__ = ["Tracing"]

CHANNELS: Final = "in_channels"


class Traced(NamedTuple):
    """A variable that has been followed to where it was set."""

    origin: VariableOrigin
    value: Value
    literal: YamlNode | None
    """What the text has for its value, past variables that just hand it on; None: nothing."""


class Reading(NamedTuple):
    """A template that has been followed to what it reads."""

    value: Value
    text: str
    place: Place
    variables: tuple[VariableOrigin, ...]
    literal: YamlNode | None
    """As in `Traced`."""

    def traced(
        self, name: str, how: How, binder: Place | None = None, block: str | None = None
    ) -> Traced:
        """The variable that has this value."""
        return Traced(
            VariableOrigin(
                name,
                shown_value(self.value),
                how,
                self.text,
                self.place,
                binder,
                block,
                self.variables,
            ),
            self.value,
            self.literal,
        )


class Standpoint(NamedTuple):
    """Where an expression is read: the variables there are, and what comes in."""

    frame: Frame
    current: Outputs


class Frame:
    """Variables that something brings in, and where to look for the others.

    ``outer`` is the frame that it stands in, ``around`` the one in which a name is looked for that
    this one has not.
    """

    __slots__ = ("around", "block", "outer", "traced")

    def __init__(self, outer: Frame | None, around: Frame | None, block: str | None) -> None:
        self.outer = outer
        self.around = around
        self.block = block
        """The block that is in use here."""
        self.traced: dict[str, Traced] | None = None
        """Its variables, once they have been asked for."""

    def trace(self, tracing: Tracing) -> Iterator[Traced]:
        """Its variables in order. Those of the frames outside are known, and those given so far."""
        raise NotImplementedError


class NetworkFrame(Frame):
    """The variables of the network."""

    __slots__ = ("settings", "templates")

    def __init__(self) -> None:
        super().__init__(None, None, None)
        self.templates: dict[str, Template] = {}
        """What the text has for each variable, but for those that were set."""
        self.settings: Mapping[str, Value | str] = {}

    def trace(self, tracing: Tracing) -> Iterator[Traced]:
        for declared in tracing.document.variables:
            name = declared.name
            template = self.templates.get(name)
            if template is None:
                value = tracing.variables[name]
                text = str(self.settings[name])
                yield Traced(
                    VariableOrigin(
                        name, shown_value(value), How.SETTING, text, None, None, None, ()
                    ),
                    value,
                    None,
                )
            else:
                how = How.DECLARED if template is declared.value else How.VARIANT
                yield tracing.read(template, Standpoint(self, ())).traced(name, how)


class BlockFrame(Frame):
    """The arguments of a block. What is around the use of a block is not seen inside."""

    __slots__ = ("arguments", "block_read", "current", "place")

    def __init__(
        self,
        outer: Frame,
        network: Frame,
        use: BlockUse,
        block: Block,
        current: Outputs,
        place: Place,
    ) -> None:
        super().__init__(outer, network, plain_name(use.block))
        self.arguments = use.arguments
        self.block_read = block
        self.current = current
        self.place = place

    def trace(self, tracing: Tracing) -> Iterator[Traced]:
        assert self.outer is not None  # noqa: S101 - as made
        given, outside = dict(self.arguments), Standpoint(self.outer, self.current)
        inside = Standpoint(self, self.current)
        for name, default in self.block_read.arguments:
            if name in given:
                reading, how = tracing.read(given[name], outside), How.ARGUMENT
            else:
                assert default is not None  # noqa: S101 - nothing is wrong with the spec
                reading, how = tracing.read(default, inside), How.DEFAULT
            yield reading.traced(name, how, self.place, self.block)


class LoopReadings:
    """The lists that a `for` goes through: followed once for all of its rounds."""

    __slots__ = ("current", "loop", "outer", "readings")

    def __init__(self, loop: Loop, outer: Frame, current: Outputs) -> None:
        self.loop = loop
        self.outer = outer
        self.current = current
        self.readings: dict[Template, Reading] = {}

    def read(self, tracing: Tracing, template: Template) -> Reading:
        """One of its templates, followed to what it reads."""
        if template not in self.readings:
            self.readings[template] = tracing.read(template, Standpoint(self.outer, self.current))
        return self.readings[template]

    def item(self, tracing: Tracing, template: Template, number: int) -> Reading:
        """The item of this number of the list that ``template`` is."""
        if isinstance(template.parts, tuple):
            return self.read(tracing, template.parts[number])
        whole = self.read(tracing, template)
        assert isinstance(whole.value, tuple)  # noqa: S101 - a round of it was built
        value = whole.value[number]
        if not isinstance(whole.literal, YamlSequence):
            return whole._replace(value=value, literal=None)
        node = whole.literal.items[number]
        return whole._replace(value=value, text=text_of(node), place=node.place, literal=node)

    def round(self, tracing: Tracing, number: int) -> Iterator[tuple[str, Reading]]:
        """The variables of a round."""
        if self.loop.expression is None:
            for name, template in self.loop.rounds[number] if self.loop.rounds else ():
                yield name, self.read(tracing, template)
            for name, template in self.loop.lists:
                yield name, self.item(tracing, template, number)
            return
        item = self.item(tracing, self.loop.expression, number)
        assert isinstance(item.value, Bindings)  # noqa: S101 - a round of it was built
        for name, value in item.value.values.items():
            if isinstance(item.literal, YamlMapping):
                node = item.literal.entries[name][1]
                yield (
                    name,
                    item._replace(value=value, text=text_of(node), place=node.place, literal=node),
                )
            else:
                yield name, item._replace(value=value)


class RoundFrame(Frame):
    """The variables of one round of a `for`."""

    __slots__ = ("number", "readings")

    def __init__(self, outer: Frame, readings: LoopReadings, number: int) -> None:
        super().__init__(outer, outer, outer.block)
        self.readings = readings
        self.number = number

    def trace(self, tracing: Tracing) -> Iterator[Traced]:
        place = self.readings.loop.place
        for name, reading in self.readings.round(tracing, self.number):
            yield reading.traced(name, How.ROUND, place, self.block)
        yield counter(self.number, "", place, self.block)


class RepeatFrame(Frame):
    """The counter of a `repeat`."""

    __slots__ = ("number", "times")

    def __init__(self, outer: Frame, times: Template, number: int) -> None:
        super().__init__(outer, outer, outer.block)
        self.times = times
        self.number = number

    def trace(self, tracing: Tracing) -> Iterator[Traced]:
        place = self.times.place
        yield counter(self.number, text_of(tracing.node_at(place)), place, self.block)


class Step(NamedTuple):
    """A layer on the way: what has to be known to follow its values later."""

    entry: Entry
    use: LayerUse
    standpoint: Standpoint
    trail: tuple[TrailStep, ...]


class Tracing(Expansion):
    """Builds the graph of one network, and tells where the values of its layers were set."""

    def __init__(self, document: Document, findings: Findings) -> None:
        super().__init__(document, findings)
        self.network = NetworkFrame()
        self.frame: Frame = self.network
        self.steps: dict[int, Step] = {}
        """By the position of the node."""
        self.steps_around: tuple[TrailStep, ...] = ()
        self.frames_made: dict[int, tuple[Made, Frame]] = {}
        """By the id of what may be shared."""
        self.texts: dict[SourceText, dict[tuple[int, int], YamlNode]] = {}
        """What stands where in each text: that of the spec, those of the library's blocks."""

    # -- building ----------------------------------------------------------------------------------

    def set_variable(self, name: str, template: Template) -> None:
        super().set_variable(name, template)
        self.network.templates[name] = template

    def modified(
        self, entry: Entry, current: Outputs, environment: dict[str, Value], scope: Scope
    ) -> Outputs:
        around = self.frame
        result = super().modified(entry, current, environment, scope)
        self.frame = around  # a round may have been left halfway
        return result

    def rounds(
        self, loop: Loop | None, current: Outputs, environment: dict[str, Value]
    ) -> Iterator[tuple[dict[str, Value], int | None]]:
        around = self.frame
        readings = None if loop is None else LoopReadings(loop, around, current)
        for variables, number in super().rounds(loop, current, environment):
            if readings is not None and number is not None:
                self.frame = RoundFrame(around, readings, number)
            yield variables, number

    def repetitions(
        self, entry: Entry, current: Outputs, environment: dict[str, Value]
    ) -> Iterator[int | None]:
        around = self.frame
        for number in super().repetitions(entry, current, environment):
            if entry.repeat is not None and number is not None:
                self.frame = RepeatFrame(around, entry.repeat, number)
            yield number

    def block(
        self,
        entry: Entry,
        use: BlockUse,
        current: Outputs,
        environment: dict[str, Value],
        prefix: str,
    ) -> Outputs:
        block = self.document.blocks.get(use.block)
        if block is None:
            return super().block(entry, use, current, environment, prefix)
        around, steps_around = self.frame, self.steps_around
        self.frame = BlockFrame(around, self.network, use, block, current, entry.place)
        step = TrailStep(
            plain_name(use.block), entry.place, is_in_library(block.place), shares=False
        )
        self.steps_around = (step, *steps_around)
        result = super().block(entry, use, current, environment, prefix)
        self.frame, self.steps_around = around, steps_around
        return result

    def note_made(
        self, entry: Entry, environment: Environment, scope: Scope, name: str, first: int
    ) -> None:
        super().note_made(entry, environment, scope, name, first)
        if name in self.document.shared:
            made = self.made[scope.prefix + name]
            self.frames_made[id(made)] = made, self.frame

    def again(
        self, entry: Entry, body: Again, current: Outputs, scope: Scope, *, looped: bool
    ) -> Outputs:
        made = self.made_by(body.target, scope)
        if made is None:
            return super().again(entry, body, current, scope, looped=looped)
        around, steps_around = self.frame, self.steps_around
        _, self.frame = self.frames_made[id(made)]
        step = TrailStep(body.target.name, entry.place, is_library=False, shares=True)
        self.steps_around = (step, *steps_around)
        result = super().again(entry, body, current, scope, looped=looped)
        self.frame, self.steps_around = around, steps_around
        return result

    def layer(
        self,
        entry: Entry,
        use: LayerUse,
        current: Outputs,
        environment: Environment,
        name: str,
    ) -> Outputs:
        first = len(self.nodes)
        result = super().layer(entry, use, current, environment, name)
        if len(self.nodes) > first:
            step = Step(entry, use, Standpoint(self.frame, current), self.steps_around)
            self.steps.update(dict.fromkeys(range(first, len(self.nodes)), step))
        return result

    # -- following ---------------------------------------------------------------------------------

    def origins(
        self, names: frozenset[str], settings: Mapping[str, Value | str]
    ) -> tuple[LayerOrigin, ...]:
        """Of each node with one of ``names``, in order, once the graph has been built.

        ``settings`` are the variables that were set otherwise than the text has them.
        """
        self.network.settings = settings
        return tuple(
            self.layer_origin(node, self.steps[position])
            if position in self.steps
            else self.input_origin(node, self.document.inputs[position][1])
            for position, node in enumerate(self.nodes)
            if node.name in names
        )

    def input_origin(self, node: Node, template: Template) -> LayerOrigin:
        """Of an input of the network."""
        self.follow(self.network)
        reading = self.read(template, Standpoint(self.network, ()))
        shape = FieldOrigin(
            "shape",
            node.shape,
            reading.text,
            reading.place,
            is_default=False,
            variables=reading.variables,
        )
        return LayerOrigin(node.name, "input", template.place, (), (shape,), None)

    def layer_origin(self, node: Node, step: Step) -> LayerOrigin:
        """Of a layer."""
        self.follow(step.standpoint.frame)
        constants, templates = dict(step.use.constants), {d.name: t for d, t in step.use.templates}
        fields: list[FieldOrigin] = []
        for declared in step.use.kind.declarations:
            name = declared.name
            value: object
            if name in templates:
                reading = self.read(templates[name], step.standpoint)
                value = reading.value
                if value is not None:  # which only a field may be that is None by default
                    value = declared.type.parse(reading.value)
                fields.append(
                    FieldOrigin(
                        name,
                        value,
                        reading.text,
                        reading.place,
                        is_default=False,
                        variables=reading.variables,
                    )
                )
            elif name in constants:
                place = step.use.places[name]
                text = text_of(self.node_at(place))
                fields.append(
                    FieldOrigin(name, constants[name], text, place, is_default=False, variables=())
                )
            else:
                # An output of several knows its number, which nobody has given.
                value = vars(node.layer).get(name, declared.default)
                fields.append(FieldOrigin(name, value, "", None, is_default=True, variables=()))
        chosen = None
        if isinstance(step.entry.body, Chosen):
            reading = self.read(step.entry.body.kind, step.standpoint)
            chosen = FieldOrigin(
                "activation",
                shown_value(reading.value),
                reading.text,
                reading.place,
                is_default=False,
                variables=reading.variables,
            )
        return LayerOrigin(
            node.name, node.layer.kind, step.entry.place, step.trail, tuple(fields), chosen
        )

    def follow(self, frame: Frame | None) -> None:
        """Follow the variables of ``frame`` and those outside it, from the outermost."""
        frames: list[Frame] = []
        while frame is not None and frame.traced is None:
            frames.append(frame)
            frame = frame.outer
        for inner in reversed(frames):
            inner.traced = {}
            for traced in inner.trace(self):
                inner.traced[traced.origin.name] = traced

    def variable(self, name: str, standpoint: Standpoint) -> Traced:
        """What ``name`` means at ``standpoint``."""
        if name == CHANNELS:
            return self.channels(standpoint)
        frame: Frame | None = standpoint.frame
        while frame is not None:
            if frame.traced is not None and name in frame.traced:
                return frame.traced[name]
            frame = frame.around
        raise AssertionError(f"nothing has set {name}, and the network was built")

    def channels(self, standpoint: Standpoint) -> Traced:
        """The channels of what comes in, which is one thing where they are read."""
        (position,) = standpoint.current
        node = self.nodes[position]
        value = cast("int | Polynomial", node.shape[0])
        block = standpoint.frame.block
        origin = VariableOrigin(
            CHANNELS, value, How.CHANNELS, node.name, node.place, None, block, ()
        )
        return Traced(origin, value, None)

    def read(self, template: Template, standpoint: Standpoint) -> Reading:
        """A template, followed to what it reads."""
        variables = [self.variable(name, standpoint) for name in names_in_order(template)]
        value = template.evaluate({variable.origin.name: variable.value for variable in variables})
        node = self.node_at(template.place)
        literal: YamlNode | None = node
        if isinstance(template.parts, Expression) and template.constant is VARIES:
            # A name by itself hands on what it stands for.
            is_name = template.parts.text.strip() in template.names
            literal = variables[0].literal if is_name else None
        return Reading(
            value,
            text_of(node),
            template.place,
            tuple(variable.origin for variable in variables),
            literal,
        )

    def node_at(self, place: Place) -> YamlNode:
        """What the text has at ``place``, where a value begins."""
        if place.text not in self.texts:
            self.texts[place.text] = nodes_by_place(place.text)
        return self.texts[place.text][place.line, place.column]


def counter(number: int, text: str, place: Place, block: str | None) -> Traced:
    """The counter `i` of a loop."""
    return Traced(
        VariableOrigin("i", number, How.COUNTER, text, place, place, block, ()), number, None
    )


def names_in_order(template: Template) -> Iterator[str]:
    """The variables that a template reads, in the order of its text, each once."""
    if isinstance(template.parts, Expression):
        offsets = template.parts.names
        yield from sorted(offsets, key=offsets.__getitem__)
    elif template.parts is not None:
        yield from dict.fromkeys(name for part in template.parts for name in names_in_order(part))


def shown_value(value: Value) -> VariableValue:
    """A value without what only the spec language knows."""
    if isinstance(value, Bindings):
        return tuple((name, shown_value(item)) for name, item in value.values.items())
    if isinstance(value, tuple):
        return tuple(map(shown_value, value))
    return value


def nodes_by_place(source: SourceText) -> dict[tuple[int, int], YamlNode]:
    """The values of a text by line and column; keys are none."""
    found: dict[tuple[int, int], YamlNode] = {}
    root = compose(source, "\n".join(source.lines), Findings())
    waiting = [] if root is None else [root]
    while waiting:
        node = waiting.pop()
        found[node.place.line, node.place.column] = node
        if isinstance(node, YamlSequence):
            waiting += node.items
        elif isinstance(node, YamlMapping):
            waiting += (value for _, value in node.entries.values())
    return found


def text_of(node: YamlNode) -> str:
    """A value as it is written, on one line."""
    if isinstance(node, YamlScalar):
        return node.text.strip()
    if isinstance(node, YamlSequence):
        return f"[{', '.join(map(text_of, node.items))}]"
    entries = (f"{name}: {text_of(value)}" for name, (_, value) in node.entries.items())
    return f"{{{', '.join(entries)}}}"
