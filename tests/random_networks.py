"""Random whole networks: each as the text of a spec, and as the layers that it stands for.

The layers are listed here, by what docs/spec.md says of names, loops and blocks, and with Python's
own arithmetic: convcalc has no part in it. Whether a layer can run, and what comes out of it, is
asked of whoever wants the network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise
from math import prod
from random import Random
from typing import NamedTuple, TypeAlias

import yaml
from random_layers import DRAWS, ELEMENTWISE, ForShape

Shape: TypeAlias = tuple[int, ...]
Fields: TypeAlias = dict[str, object]
Environment: TypeAlias = dict[str, object]
Outputs: TypeAlias = tuple[int, ...]
Tensors: TypeAlias = dict[str, Shape]

MOST_LAYERS = 30
MOST_ELEMENTS = 600
"""Of one output: many small networks find more than a few large ones."""
MERGES = ("add", "mul", "mean", "weighted_sum", "max", "matmul", "concat")
ON_MAPS = (
    *("conv", "depthwise_conv", "conv_transpose", "max_pool", "avg_pool"),
    *("adaptive_avg_pool", "adaptive_max_pool", "global_avg_pool", "global_max_pool"),
    *("to_tokens", "instance_norm", "pad", "crop", "upsample"),
    *("pixel_shuffle", "pixel_unshuffle", "space_to_depth"),
)
ON_SEQUENCES = ("from_tokens", "class_token", "multi_head_attention")
SINGLE = tuple(sorted(set(DRAWS) - set(MERGES)))
ACTIVATIONS = tuple(kind for kind in ELEMENTWISE if kind not in {"identity", "dropout"})
SHARED = ("conv", "depthwise_conv", "conv_transpose", "linear", "batch_norm", "prelu", "scale")
KEEPING = (*ACTIVATIONS, "batch_norm", "identity", "dropout", "softmax", "scale", "prelu")
"""Kinds whose output has the shape of their input."""


class RefusedError(Exception):
    """A layer cannot run on its inputs: which one, and on which shapes."""

    def __init__(self, kind: str, fields: Fields, shapes: tuple[Shape, ...], why: object) -> None:
        super().__init__(f"{kind} {fields} on {shapes}: {why}")
        self.why = why


class Outcome(NamedTuple):
    """What becomes of a layer: the shape of its output, and of its weights and buffers by name."""

    shape: Shape
    tensors: Tensors


Run: TypeAlias = Callable[[str, Fields, tuple[Shape, ...]], Outcome]
"""Runs a layer of a kind, with these fields, on inputs of these shapes. Raises RefusedError."""


class Expression(str):
    """A text that is worked out, where a number could stand."""

    __slots__ = ()


class Use(NamedTuple):
    """A layer kind, or a block, with its fields or arguments as they are written."""

    kind: str
    fields: Fields


class Group(NamedTuple):
    entries: tuple[Entry, ...]


class Parallel(NamedTuple):
    branches: tuple[tuple[str, tuple[Entry, ...]], ...]
    merge: Use


class Residual(NamedTuple):
    body: tuple[Entry, ...]
    shortcut: tuple[Entry, ...]


class Again(NamedTuple):
    """A layer that stands before, with its weights."""

    name: str


class Entry(NamedTuple):
    """One item of a list of layers."""

    body: Use | Group | Parallel | Residual | Again
    name: str | None = None
    sources: tuple[str, ...] = ()
    loop: tuple[tuple[str, tuple[object, ...]], ...] = ()
    repeat: object = None
    condition: Expression | None = None


class Block(NamedTuple):
    arguments: tuple[tuple[str, object], ...]
    """Each with its default; None: it has none."""
    entries: tuple[Entry, ...]


class Document(NamedTuple):
    """A spec, as it is written."""

    inputs: tuple[tuple[str, Shape], ...]
    variables: dict[str, int]
    blocks: dict[str, Block]
    entries: tuple[Entry, ...]
    outputs: tuple[str, ...]


class Listed(NamedTuple):
    """A layer as it runs. ``inputs`` are positions; the network's own inputs have the first."""

    kind: str
    fields: Fields
    inputs: Outputs
    shape: Shape
    shares: int | None = None
    """The position of the layer whose weights it uses."""


class Network(NamedTuple):
    document: Document
    text: str
    layers: tuple[Listed, ...]
    outputs: Outputs

    @property
    def inputs(self) -> tuple[Shape, ...]:
        return tuple(shape for _, shape in self.document.inputs)


# -- what a document stands for -------------------------------------------------------------------

FUNCTIONS = {"__builtins__": {}, "min": min, "max": max}


def value_of(written: object, environment: Environment) -> object:
    """What is written, worked out by Python. Raises RefusedError if it cannot be."""
    if isinstance(written, Expression):
        try:
            return eval(written, dict(FUNCTIONS), environment)  # noqa: S307 - written below
        except (NameError, ZeroDivisionError) as error:
            raise RefusedError(written, environment, (), error) from error
    if isinstance(written, tuple):
        return tuple(value_of(item, environment) for item in written)
    return written


class Scope:
    """The names that `from` may use."""

    def __init__(self, start: Outputs, parent: Scope | None = None) -> None:
        self.start = start
        self.parent = parent
        self.names: dict[str, Outputs] = {}
        self.made: dict[str, tuple[Use, Environment, int]] = {}
        """What may be shared: a layer, what its expressions saw, and its position."""

    def visible(self) -> dict[str, Outputs]:
        around = {"input": self.start} if len(self.start) == 1 else {}
        if self.parent is not None:
            around = self.parent.visible()
        return {**around, **self.names}


class Unfolding:
    """The layers that entries stand for, as they are gone through."""

    def __init__(self, run: Run, document: Document, most_layers: int = 500) -> None:
        self.run = run
        self.most_layers = most_layers
        self.blocks = document.blocks
        self.variables: Environment = dict(document.variables)
        self.shapes: list[Shape] = [shape for _, shape in document.inputs]
        self.start: Outputs = tuple(range(len(self.shapes)))
        self.layers: list[Listed] = []
        self.tensors: list[Tensors] = []
        self.scope = Scope(self.start)
        for position, (name, _) in enumerate(document.inputs):
            self.scope.names[name] = (position,)

    def forget_from(self, count: int) -> None:
        """Take back all layers but the first so many."""
        del self.layers[count:], self.tensors[count:], self.shapes[len(self.start) + count :]

    def inner(self, environment: Environment, current: Outputs) -> Environment:
        """What an expression sees where ``current`` comes in."""
        found = {name: value for name, value in environment.items() if name != "in_channels"}
        if len(current) == 1:
            found["in_channels"] = self.shapes[current[0]][0]
        return found

    def sequence(
        self, entries: tuple[Entry, ...], current: Outputs, environment: Environment, scope: Scope
    ) -> Outputs:
        for entry in entries:
            current = self.entry(entry, current, environment, scope)
        return current

    def entry(
        self, entry: Entry, before: Outputs, environment: Environment, scope: Scope
    ) -> Outputs:
        visible = {"prev": before, **scope.visible()}
        current = before
        if entry.sources:
            for name in entry.sources:
                if name not in visible:
                    raise RefusedError("from", {}, (), f"nothing is called {name}")
            current = tuple(position for name in entry.sources for position in visible[name])
        if not entry.loop and entry.repeat is None:
            seen = self.inner(environment, current)
            if entry.condition is not None and not value_of(entry.condition, seen):
                return before
            return self.once(entry, current, environment, scope, entry.name)
        number = 0
        for variables in rounds(entry, self.inner(environment, current)):
            seen = {**environment, **variables}
            condition = entry.condition
            if condition is not None and not value_of(condition, self.inner(seen, current)):
                continue
            number += 1
            name = entry.name and f"{entry.name}{number}"
            current = self.once(entry, current, seen, scope, name)
        result = current if number else before
        if entry.name:
            scope.names[entry.name] = result
        return result

    def once(
        self,
        entry: Entry,
        current: Outputs,
        environment: Environment,
        scope: Scope,
        name: str | None,
    ) -> Outputs:
        body = entry.body
        within = Scope(scope.start, scope) if name and not isinstance(body, Use | Again) else scope
        if isinstance(body, Use):
            result = self.use(body, current, environment)
            if name and len(result) == 1:
                scope.made[name] = body, environment, result[0]
        elif isinstance(body, Again):
            result = self.again(body, current, scope)
        elif isinstance(body, Group):
            result = self.sequence(body.entries, current, environment, within)
        elif isinstance(body, Parallel):
            ends = [
                self.sequence(entries, current, environment, Scope(within.start, within))
                for _, entries in body.branches
            ]
            result = self.use(body.merge, tuple(p for end in ends for p in end), environment)
        else:
            end = self.sequence(body.body, current, environment, within)
            past = Scope(within.start, within)
            other = self.sequence(body.shortcut, current, environment, past)
            result = self.use(Use("add", {}), (*end, *other), environment)
        if name:
            scope.names[name] = result
            if within is not scope:
                scope.names |= {f"{name}.{inner}": end for inner, end in within.names.items()}
            if isinstance(body, Use) and body.kind == "split" and "part" not in body.fields:
                scope.names |= {f"{name}.{n}": (end,) for n, end in enumerate(result, start=1)}
        return result

    def use(
        self,
        use: Use,
        current: Outputs,
        environment: Environment,
        shares: int | None = None,
    ) -> Outputs:
        """A layer, or the layers of a block, on what ``current`` hands on."""
        seen = self.inner(environment, current)
        if use.kind in self.blocks:
            block = self.blocks[use.kind]
            inside = self.inner(self.variables, current)
            for name, default in block.arguments:
                written = use.fields.get(name)
                inside[name] = (
                    value_of(default, inside) if written is None else value_of(written, seen)
                )
            return self.sequence(block.entries, current, inside, Scope(current))
        fields = {name: value_of(written, seen) for name, written in use.fields.items()}
        if use.kind == "activation":
            return self.layer(str(fields["kind"]), {}, current)
        if use.kind != "split" or fields.get("part") is not None:
            return self.layer(use.kind, fields, current, shares)
        sizes = fields.get("sizes")
        count = len(sizes) if isinstance(sizes, tuple) else fields["sections"]
        return tuple(
            position
            for part in range(1, count + 1)
            for position in self.layer("split", {**fields, "part": part}, current)
        )

    def again(self, body: Again, current: Outputs, scope: Scope) -> Outputs:
        while body.name not in scope.made:
            if scope.parent is None:
                raise RefusedError("share", {}, (), f"nothing called {body.name} has weights")
            scope = scope.parent
        use, environment, position = scope.made[body.name]
        return self.use(use, current, environment, position)

    def layer(
        self, kind: str, fields: Fields, current: Outputs, shares: int | None = None
    ) -> Outputs:
        shapes = tuple(self.shapes[position] for position in current)
        if len(self.layers) >= self.most_layers:
            raise RefusedError(kind, fields, shapes, "there are enough layers")
        shape, tensors = self.run(kind, fields, shapes)
        if shares is not None:
            there = self.tensors[shares - len(self.start)]
            if tensors != there or not tensors:
                raise RefusedError(kind, fields, shapes, f"cannot share {there}")
        self.layers.append(Listed(kind, fields, current, shape, shares))
        self.tensors.append(tensors)
        self.shapes.append(shape)
        return (len(self.shapes) - 1,)


def rounds(entry: Entry, environment: Environment) -> Iterator[Environment]:
    """The variables of each round of a `for` with a `repeat` in it."""
    lists = {name: value_of(values, environment) for name, values in entry.loop}
    loops: list[Environment] = (
        [
            {**dict(zip(lists, values, strict=True)), "i": number}
            for number, values in enumerate(zip(*lists.values(), strict=True))
        ]
        if lists
        else [{}]
    )
    for loop in loops:
        if entry.repeat is None:
            yield loop
            continue
        count = value_of(entry.repeat, {**environment, **loop})
        assert isinstance(count, int)
        if count < 0:
            raise RefusedError("repeat", {}, (), f"{count} times")
        for number in range(count):
            yield {**loop, "i": number}


def unfolded(document: Document, run: Run) -> Network:
    """The network that a document stands for. Raises RefusedError if there is none."""
    unfolding = Unfolding(run, document)
    scope = unfolding.scope
    outputs = unfolding.sequence(document.entries, unfolding.start, unfolding.variables, scope)
    if document.outputs:
        if not scope.names.keys() >= set(document.outputs):
            raise RefusedError("outputs", {}, (), f"{document.outputs} are not all there")
        outputs = tuple(p for name in document.outputs for p in scope.names[name])
    if not unfolding.layers:
        raise RefusedError("layers", {}, (), "none is left")
    return Network(document, text_of(document), tuple(unfolding.layers), outputs)


# -- the text -------------------------------------------------------------------------------------


def text_of(document: Document) -> str:
    shapes = {name: list(shape) for name, shape in document.inputs}
    written: dict[str, object] = {"vars": document.variables} if document.variables else {}
    written |= {"inputs": shapes} if "input" not in shapes else {"input": shapes["input"]}
    if document.blocks:
        written["blocks"] = {
            name: {
                "args": {name: plain(default) for name, default in block.arguments},
                "layers": items(block.entries),
            }
            for name, block in document.blocks.items()
        }
    written["layers"] = items(document.entries)
    if document.outputs:
        written["outputs"] = list(document.outputs)
    # As it comes: one style for a network, another for the next.
    styles = (None, False, True)
    style = styles[sum(map(prod, shapes.values())) % len(styles)]
    return yaml.dump(written, Dumper=yaml.CSafeDumper, sort_keys=False, default_flow_style=style)


def plain(written: object) -> object:
    """As YAML has it."""
    if isinstance(written, tuple):
        return [plain(item) for item in written]
    return str(written) if isinstance(written, Expression | Fraction) else written


def items(entries: tuple[Entry, ...]) -> list[object]:
    return [item(entry) for entry in entries]


def item(entry: Entry) -> object:
    body = entry.body
    written: dict[str, object]
    if isinstance(body, Use):
        written = {body.kind: {name: plain(value) for name, value in body.fields.items()}}
        if body.kind == "activation":
            written = {"activation": plain(body.fields["kind"])}
        elif not body.fields:
            if entry == Entry(body):
                return body.kind
            written = {body.kind: None}
    elif isinstance(body, Again):
        written = {"share": body.name}
    elif isinstance(body, Group):
        written = {"layers": items(body.entries)}
    elif isinstance(body, Parallel):
        merge = item(Entry(body.merge))
        branches = {name: items(entries) for name, entries in body.branches}
        written = {"parallel": {"merge": merge, "branches": branches}}
    else:
        written = {"residual": {"body": items(body.body)}}
        if body.shortcut:
            written["residual"] = {"body": items(body.body), "shortcut": items(body.shortcut)}
    if entry.name:
        written["name"] = entry.name
    if entry.sources:
        written["from"] = entry.sources[0] if len(entry.sources) == 1 else list(entry.sources)
    if entry.loop:
        written["for"] = {name: plain(values) for name, values in entry.loop}
    if entry.repeat is not None:
        written["repeat"] = plain(entry.repeat)
    if entry.condition is not None:
        written["if"] = str(entry.condition)
    return written


def forms_of(document: Document) -> Iterator[str]:
    """What a document is written with."""
    if len(document.inputs) > 1:
        yield "several inputs"
    if document.outputs:
        yield "outputs"
    for _, shape in document.inputs:
        yield {1: "a vector", 2: "1 axis", 3: "2 axes", 4: "3 axes"}[len(shape)]
    lists = [document.entries, *(block.entries for block in document.blocks.values())]
    while lists:
        for entry in lists.pop():
            body = entry.body
            if isinstance(body, Use):
                if body.kind in document.blocks:
                    yield "block"
                    yield from ("argument" for _ in body.fields)
                if body.kind == "activation":
                    yield "activation"
                if any(isinstance(value, Expression) for value in body.fields.values()):
                    yield "expression"
            elif isinstance(body, Again):
                yield "share"
            elif isinstance(body, Group):
                yield "group"
                lists.append(body.entries)
            elif isinstance(body, Parallel):
                yield "parallel"
                yield f"parallel with {body.merge.kind}"
                lists += [entries for _, entries in body.branches]
            else:
                yield "residual with a shortcut" if body.shortcut else "residual"
                lists += [body.body, body.shortcut]
            for form, has in (
                ("for", entry.loop),
                ("repeat", entry.repeat is not None),
                ("if", entry.condition),
                ("from", entry.sources),
                ("name", entry.name),
            ):
                if has:
                    yield form


# -- draws ----------------------------------------------------------------------------------------


def random_network(seed: str, kind: str, run: Run) -> Network:
    """A network in which a layer of ``kind`` stands somewhere, the same for each seed."""
    return Drawing(seed, kind, run).network()


class Drawing:
    """Draws entry after entry; what cannot run is taken back, and another one drawn."""

    def __init__(self, seed: str, kind: str, run: Run) -> None:
        self.draw = ForShape(f"{kind} {seed}")
        self.wanted: str | None = kind
        self.run = self.small(run)
        self.names = 0
        draw = self.draw
        shapes = [self.input_shape(kind) for _ in range(draw.choice((1, 1, 1, 1, 2, 3)))]
        names = ["input"] if len(shapes) == 1 else [f"in_{letter}" for letter in "abc"]
        self.variables = {name: draw.randint(1, 6) for name in "uvw"[: draw.randint(0, 3)]}
        self.blocks: dict[str, Block] = {}
        document = Document(
            tuple(zip(names, shapes, strict=False)), self.variables, self.blocks, (), ()
        )
        self.document = document
        self.unfolding = Unfolding(self.run, document, MOST_LAYERS)

    @staticmethod
    def small(run: Run) -> Run:
        """Runs layers, but none with a large output."""

        def run_small(kind: str, fields: Fields, shapes: tuple[Shape, ...]) -> Outcome:
            outcome = run(kind, fields, shapes)
            if prod(outcome.shape) > MOST_ELEMENTS:
                raise RefusedError(kind, fields, shapes, "its output is large")
            return outcome

        return run_small

    # -- numbers ----

    def one_in(self, n: int) -> bool:
        return self.draw.randrange(n) == 0

    def name(self) -> str:
        """A name that no kind has, and no other layer."""
        self.names += 1
        return "at_" + "".join(chr(ord("a") + int(digit)) for digit in str(self.names))

    def input_shape(self, kind: str) -> Shape:
        axes = self.draw.choice((0, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3))
        if kind in ON_MAPS:
            axes = self.draw.randint(1, 3)
        elif kind in ON_SEQUENCES:
            axes = 1
        most = {0: 30, 1: 14, 2: 8, 3: 5}[axes]
        return (
            self.draw.choice((1, 2, 3, 4, 4, 6, 6, 8)),
            *(self.draw.randint(2, most) for _ in range(axes)),
        )

    def written(self, value: object, environment: Environment) -> object:
        """A value as it is, or as an expression for it of what is visible."""
        draw = self.draw
        if isinstance(value, tuple):
            return tuple(self.written(item, environment) for item in value)
        known = {name: n for name, n in environment.items() if type(n) is int}
        if type(value) is not int or not known or draw.random() > 0.35:
            return value
        name = draw.choice(sorted(known))
        n = known[name]
        forms = [
            f"{value - n} + {name}" if value >= n else f"{name} - {n - value}",
            f"{value} if {name} == {n} else {value + 1}",
            f"max({name}, {value})" if value >= n else f"min({value}, {name})",
            f"{value} if {name} > {n - 1} and not {name} == {n + 1} else 1",
        ]
        if value == n:
            forms += [name, name]
        if n > 0:
            forms.append(f"({value * n} + {name} - 1) // {name}")
            if value % n == 0:
                forms += [f"{value // n} * {name}"] * 2
        return Expression(draw.choice(forms))

    # -- trying ----

    def attempt(
        self, entry: Entry, current: Outputs, environment: Environment, scope: Scope
    ) -> Outputs | None:
        """What an entry hands on; None, and nothing of it is left, if it cannot run."""
        count = len(self.unfolding.layers)
        names, made = dict(scope.names), dict(scope.made)
        try:
            return self.unfolding.entry(entry, current, environment, scope)
        except RefusedError:
            self.unfolding.forget_from(count)
            scope.names, scope.made = names, made
            return None

    def could(self, entry: Entry, current: Outputs, environment: Environment, scope: Scope) -> bool:
        """Whether an entry can run; nothing of it is left."""
        count = len(self.unfolding.layers)
        names, made = dict(scope.names), dict(scope.made)
        can = self.attempt(entry, current, environment, scope) is not None
        self.unfolding.forget_from(count)
        scope.names, scope.made = names, made
        return can

    def grown(
        self, count: int, current: Outputs, environment: Environment, scope: Scope, depth: int
    ) -> tuple[tuple[Entry, ...], Outputs]:
        """Entries that can run one after the other."""
        entries: list[Entry] = []
        for _ in range(count):
            entry, after = self.some(current, environment, scope, depth)
            if entry is not None and after is not None:
                entries.append(entry)
                current = after
        return tuple(entries), current

    def drafted(
        self, count: int, current: Outputs, environment: Environment, scope: Scope, depth: int
    ) -> tuple[tuple[Entry, ...], tuple[Shape, ...]]:
        """Entries that could run here, and what would come out; nothing of them is built."""
        kept = len(self.unfolding.layers)
        wanted = self.wanted
        entries, end = self.grown(count, current, environment, scope, depth)
        shapes = tuple(self.unfolding.shapes[position] for position in end)
        self.unfolding.forget_from(kept)
        self.wanted = wanted
        return entries, shapes

    def some(
        self, current: Outputs, environment: Environment, scope: Scope, depth: int
    ) -> tuple[Entry | None, Outputs | None]:
        """An entry of some form that can run, and what it hands on; or None."""
        draw = self.draw
        before = len(self.unfolding.layers)
        forms: tuple[Callable[..., Entry | None], ...] = (self.single,)
        if len(current) > 1:
            forms = (self.merging, self.merging, self.one_of_several)
        elif depth < 3:
            forms += (self.single,) * 7
            forms += (self.merging, self.residual, self.parallel, self.group, self.looped)
            forms += (self.block, self.attention, *(self.shared,) * 3)
        for _ in range(8):
            entry = draw.choice(forms)(current, environment, scope, depth)
            if entry is None:
                continue
            if self.one_in(14) and entry.condition is None:
                seen = self.unfolding.inner(environment, self.joined(entry, current, scope))
                entry = entry._replace(condition=self.condition(seen))
            is_shared = isinstance(entry.body, Use) and entry.body.kind in SHARED
            if entry.name is None and self.one_in(2 if is_shared else 4):
                entry = entry._replace(name=self.name())
            after = self.attempt(entry, current, environment, scope)
            if after is not None:
                made = {layer.kind for layer in self.unfolding.layers[before:]}
                if self.wanted in made:
                    self.wanted = None
                return entry, after
        return None, None

    def joined(self, entry: Entry, current: Outputs, scope: Scope) -> Outputs:
        """What comes into an entry."""
        visible = {"prev": current, **scope.visible()}
        return tuple(p for name in entry.sources for p in visible[name]) or current

    def condition(self, environment: Environment) -> Expression | None:
        known = sorted(name for name, n in environment.items() if type(n) is int)
        if not known:
            return None
        name = self.draw.choice(known)
        comparison = self.draw.choice(("<", ">=", "!=", "=="))
        return Expression(f"{name} {comparison} {self.draw.randint(0, 5)}")

    def shape(self, outputs: Outputs) -> Shape:
        assert len(outputs) == 1
        return self.unfolding.shapes[outputs[0]]

    # -- single layers ----

    def single(
        self, current: Outputs, environment: Environment, scope: Scope, depth: int
    ) -> Entry | None:
        draw = self.draw
        kind = draw.choice(SINGLE)
        if self.wanted in SINGLE and self.one_in(3):
            kind = self.wanted
        sources: tuple[str, ...] = ()
        if self.one_in(12):
            # The output of a layer further up.
            sources = (draw.choice(["prev", *sorted(scope.visible())]),)
            current = self.joined(Entry(Use(kind, {}), sources=sources), current, scope)
            if len(current) != 1:
                return None
        return self.of_kind(kind, current, environment, sources)

    def of_kind(
        self, kind: str, current: Outputs, environment: Environment, sources: tuple[str, ...] = ()
    ) -> Entry | None:
        """A layer of a kind on one input, that can run on it; None after some tries."""
        shape = self.shape(current)
        seen = self.unfolding.inner(environment, current)
        if not fits(kind, shape):
            return None
        for _ in range(12):
            fields = self.fields(kind, shape)
            if self.runs(kind, fields, shape):
                break
        else:
            return None
        if kind in ACTIVATIONS and self.one_in(4):
            return Entry(Use("activation", {"kind": kind}), sources=sources)
        fields = {name: self.written(value, seen) for name, value in fields.items()}
        return Entry(Use(kind, fields), sources=sources)

    def runs(self, kind: str, fields: Fields, shape: Shape) -> bool:
        if kind == "split" and "part" not in fields:
            fields = {**fields, "part": 1}
        try:
            self.run(kind, fields, (shape,))
        except RefusedError:
            return False
        return True

    def fields(self, kind: str, shape: Shape) -> Fields:
        """Fields of a layer of a kind, which may or may not run on ``shape``."""
        draw = self.draw
        if kind == "from_tokens":
            sizes, left = [], shape[0]
            for _ in range(draw.randint(0, 2)):
                sizes.append(draw.choice([n for n in range(1, left + 1) if left % n == 0]))
                left //= sizes[-1]
            return {"size": (*sizes, left)}
        if kind == "multi_head_attention":
            return self.attention_fields(shape[-1], shape[-2])
        if kind == "split":
            return self.split_fields(shape)
        draw.shape = shape
        fields, _ = DRAWS[kind](draw)
        # What the draws of single layers leave at its default.
        more: Fields = {
            "depthwise_conv": {"bias": self.one_in(2)},
            "conv_transpose": {"bias": self.one_in(2), "in_channels": shape[0]},
            "avg_pool": {"count_include_pad": self.one_in(2)},
            "batch_norm": {"num_features": shape[0]},
            "instance_norm": {"num_features": shape[0]},
            "group_norm": {"num_channels": shape[0]},
            "dropout": {"p": draw.choice((0, 0.25, 1))},
        }.get(kind, {})
        return fields | {name: value for name, value in more.items() if self.one_in(2)}

    def attention_fields(self, features: int, tokens: int) -> Fields:
        draw = self.draw
        heads = draw.choice([n for n in range(1, features + 1) if features % n == 0])
        fields: Fields = {"num_heads": heads, "bias": self.one_in(2)}
        if self.one_in(3):
            fields["embed_dim"] = features
        if self.one_in(4):
            fields["window"] = draw.choice([n for n in range(1, tokens + 1) if tokens % n == 0])
        elif self.one_in(3):
            chosen = {
                "key_features": heads * draw.randint(1, 4),
                "value_features": heads * draw.randint(1, 4),
                "out_features": draw.randint(1, 12),
            }
            fields |= {name: value for name, value in chosen.items() if self.one_in(2)}
        return fields

    def split_fields(self, shape: Shape) -> Fields:
        draw = self.draw
        place = draw.randrange(len(shape))
        dim = draw.choice((place + 1, place - len(shape)))
        if self.one_in(2):
            count = draw.choice([n for n in range(1, 5) if shape[place] % n == 0])
            fields: Fields = {"dim": dim, "sections": count}
        else:
            cuts = sorted(draw.sample(range(1, shape[place]), min(2, shape[place] - 1)))
            ends = [0, *cuts, shape[place]]
            sizes = tuple(end - start for start, end in pairwise(ends))
            fields, count = {"dim": dim, "sizes": sizes}, len(sizes)
        return fields if self.one_in(2) else {**fields, "part": draw.randint(1, count)}

    # -- several inputs ----

    def one_of_several(
        self, current: Outputs, environment: Environment, scope: Scope, depth: int
    ) -> Entry | None:
        """A layer on one of the outputs that come in, as far as it has a name."""
        named = [name for name, end in scope.visible().items() if set(end) <= set(current)]
        single = [name for name in named if len(scope.visible()[name]) == 1]
        if not single:
            return None
        name = self.draw.choice(sorted(single))
        return self.of_kind(
            self.draw.choice(SINGLE), scope.visible()[name], environment, sources=(name,)
        )

    def merging(
        self, current: Outputs, environment: Environment, scope: Scope, depth: int
    ) -> Entry | None:
        """A merge of what comes in, or of it and layers further up."""
        draw = self.draw
        kind = draw.choice(MERGES)
        if self.wanted in MERGES and self.one_in(2):
            kind = self.wanted
        sources: tuple[str, ...] = ()
        if len(current) == 1:
            names = sorted(scope.visible())
            others = [draw.choice(["prev", *names]) for _ in range(draw.choice((1, 1, 2)))]
            sources = ("prev", *others)
            current = self.joined(Entry(Use(kind, {}), sources=sources), current, scope)
            if len(current) == 1:
                return None
        merge = self.merge(kind, tuple(self.unfolding.shapes[p] for p in current))
        return merge and Entry(merge, sources=sources)

    def merge(self, kind: str, shapes: tuple[Shape, ...]) -> Use | None:
        """A merge of a kind that can run on these shapes."""
        draw = self.draw
        for _ in range(6):
            fields: Fields = {}
            if kind == "concat":
                dim = draw.randint(1, len(shapes[0]))
                fields = {"dim": draw.choice((dim, dim - len(shapes[0]) - 1))}
                if dim == 1 and self.one_in(2):
                    fields = {}
            elif kind == "matmul":
                fields = {"transpose_first": self.one_in(2), "transpose_second": self.one_in(2)}
            elif kind in {"add", "mean", "weighted_sum"} and self.one_in(2):
                fields = {"broadcast": self.one_in(2)}
            try:
                self.run(kind, fields, shapes)
            except RefusedError:
                continue
            return Use(kind, fields)
        return None

    def attention(
        self, current: Outputs, environment: Environment, scope: Scope, depth: int
    ) -> Entry | None:
        """Of one sequence to another."""
        shape = self.shape(current)
        others = [
            name
            for name, end in scope.visible().items()
            if len(end) == 1 and len(self.unfolding.shapes[end[0]]) == len(shape)
        ]
        if len(shape) not in {2, 3} or not others:
            return None
        keys = self.draw.choice(sorted(others))
        sources = self.draw.choice((("prev", keys), ("prev", keys, keys)))
        fields = self.attention_fields(shape[-1], shape[-2])
        fields.pop("window", None)
        return Entry(Use("multi_head_attention", fields), sources=sources)

    # -- structures ----

    def bridge(self, shape: Shape, wanted: Shape) -> tuple[Entry, ...]:
        """Layers that make one shape of another, whatever they are."""
        if shape == wanted:
            return (Entry(Use("identity", {})),) if self.one_in(2) else ()
        if len(shape) == len(wanted) and 2 <= len(shape) <= 4 and self.one_in(2):
            fields: Fields = {"out_channels": wanted[0], "kernel_size": 1, "bias": self.one_in(2)}
            pool = self.draw.choice(("adaptive_avg_pool", "adaptive_max_pool"))
            return (
                Entry(Use("conv", fields)),
                Entry(Use(pool, {"output_size": wanted[1:]})),
            )
        flat = () if len(shape) == 1 else (Entry(Use("flatten", {})),)
        linear = Entry(Use("linear", {"out_features": prod(wanted)}))
        if len(wanted) == 1:
            return (*flat, linear)
        return (*flat, linear, Entry(Use("reshape", {"shape": wanted})))

    def residual(
        self, current: Outputs, environment: Environment, scope: Scope, depth: int
    ) -> Entry | None:
        shape = self.shape(current)
        if self.one_in(2):
            body = self.keeping(current, environment)
            return Entry(Residual(body, ())) if body else None
        inner = Scope(scope.start, scope)
        count = self.draw.randint(1, 3)
        body, ends = self.drafted(count, current, environment, inner, depth + 1)
        if not body or len(ends) != 1:
            return None
        if ends[0] != shape and self.one_in(3):
            return Entry(Residual((*body, *self.bridge(ends[0], shape)), ()))
        # Names in it are its own only if it has one itself.
        return Entry(Residual(body, self.bridge(shape, ends[0])), name=self.name())

    def keeping(self, current: Outputs, environment: Environment) -> tuple[Entry, ...]:
        """Layers that keep the shape."""
        found = [
            self.of_kind(self.draw.choice(KEEPING), current, environment)
            for _ in range(self.draw.randint(1, 3))
        ]
        return tuple(entry for entry in found if entry is not None)

    def parallel(
        self, current: Outputs, environment: Environment, scope: Scope, depth: int
    ) -> Entry | None:
        draw = self.draw
        kind = draw.choice((*MERGES, "concat"))
        if self.wanted in MERGES and self.one_in(2):
            kind = self.wanted
        count = 2 if kind == "matmul" else draw.randint(2, 3)
        branches, ends = [], []
        for _ in range(count):
            if self.one_in(3):
                branches.append(self.keeping(current, environment) if self.one_in(2) else ())
                ends.append(self.shape(current))
                continue
            inner = Scope(scope.start, scope)
            size = draw.randint(1, 3)
            entries, shapes = self.drafted(size, current, environment, inner, depth + 1)
            if len(shapes) != 1:
                return None
            branches.append(entries)
            ends.append(shapes[0])
        merge = self.merge(kind, tuple(ends)) if self.one_in(2) else None
        if merge is None:
            wanted = self.mergeable(kind, ends[0], count)
            branches = [
                (*entries, *self.bridge(end, shape))
                for entries, end, shape in zip(branches, ends, wanted, strict=True)
            ]
            merge = self.merge(kind, wanted)
        if merge is None:
            return None
        named = zip(("left", "right", "middle"), branches, strict=False)
        return Entry(Parallel(tuple(named), merge), name=self.name() if self.one_in(2) else None)

    def mergeable(self, kind: str, shape: Shape, count: int) -> tuple[Shape, ...]:
        """Shapes that can be merged, the first of them near to ``shape``."""
        draw = self.draw
        if kind == "matmul":
            before = (draw.randint(1, 3),) if self.one_in(2) else ()
            n, k, m = (draw.randint(1, 6) for _ in range(3))
            return draw.choice((((*before, n, k), (*before, k, m)), ((*before, n, k),) * 2))
        if kind == "concat":
            place = draw.randrange(len(shape))
            return tuple(
                (*shape[:place], draw.randint(1, 6), *shape[place + 1 :]) for _ in range(count)
            )
        if kind != "max" and self.one_in(2):
            return tuple(
                tuple(draw.choice((n, n, 1)) for n in shape) if number else shape
                for number in range(count)
            )
        return (shape,) * count

    def group(
        self, current: Outputs, environment: Environment, scope: Scope, depth: int
    ) -> Entry | None:
        name = self.name()
        inner = Scope(scope.start, scope)
        count = self.draw.randint(1, 4)
        entries, _ = self.drafted(count, current, environment, inner, depth + 1)
        return Entry(Group(entries), name=name) if entries else None

    def looped(
        self, current: Outputs, environment: Environment, scope: Scope, depth: int
    ) -> Entry | None:
        """As many rounds as can run."""
        draw = self.draw
        loop: tuple[tuple[str, tuple[object, ...]], ...] = ()
        seen = {**environment, "i": 0}
        if self.one_in(2):
            variables = draw.sample(("width", "size", "n"), draw.randint(1, 2))
            loop = tuple((name, tuple(draw.randint(1, 5) for _ in range(3))) for name in variables)
            seen |= {name: values[0] for name, values in loop}
        repeat = None if loop and self.one_in(2) else draw.randint(1, 3)
        inner = Scope(scope.start, scope)
        if self.one_in(3):
            single = self.of_kind(draw.choice(SINGLE), current, seen)
            if single is None:
                return None
            entry = single._replace(name=self.name())
        else:
            count = draw.randint(1, 3)
            entries, _ = self.drafted(count, current, seen, inner, depth + 1)
            if not entries:
                return None
            entry = Entry(Group(entries), name=self.name())
        for rounds_left in (3, 2, 1):
            cut = tuple((name, values[:rounds_left]) for name, values in loop)
            fewer = None if repeat is None else min(repeat, rounds_left)
            entry = entry._replace(loop=cut, repeat=self.written(fewer, environment))
            if self.could(entry, current, environment, scope):
                return entry
        return None

    def block(
        self, current: Outputs, environment: Environment, scope: Scope, depth: int
    ) -> Entry | None:
        """A use of a block that there is, or of a new one."""
        draw = self.draw
        if self.blocks and self.one_in(2):
            name = draw.choice(sorted(self.blocks))
            block = self.blocks[name]
        else:
            name, block = f"unit_{'abcdefgh'[len(self.blocks) % 8]}", None
        seen = self.unfolding.inner(environment, current)
        arguments = (
            block.arguments
            if block
            else tuple(
                (argument, draw.choice((None, draw.randint(1, 6), Expression("in_channels"))))
                for argument in draw.sample(("channels", "kernel", "amount"), draw.randint(1, 3))
            )
        )
        given: Fields = {
            argument: self.written(draw.randint(1, 6), seen)
            for argument, default in arguments
            if default is None or self.one_in(3)
        }
        if block is None:
            if name in self.blocks:
                return None
            inside = self.unfolding.inner(self.variables, current)
            for argument, default in arguments:
                written = given.get(argument)
                inside[argument] = (
                    value_of(default, inside) if written is None else value_of(written, seen)
                )
            del inside["in_channels"]
            count = draw.randint(1, 4)
            entries, _ = self.drafted(count, current, inside, Scope(current), depth + 1)
            if not entries or name in self.blocks:
                return None
            self.blocks[name] = Block(arguments, entries)
        return Entry(Use(name, given))

    def shared(
        self, current: Outputs, environment: Environment, scope: Scope, depth: int
    ) -> Entry | None:
        """A layer of this list once more, with its weights, on an input of the same shape."""
        shapes, first = self.unfolding.shapes, len(self.unfolding.start)
        inputs = {"prev": current, **scope.visible()}
        ways = [
            (name, source)
            for name, (use, _, position) in scope.made.items()
            if use.kind in SHARED and not name[-1].isdigit()
            for source, end in inputs.items()
            if len(end) == 1
            and shapes[end[0]] == shapes[self.unfolding.layers[position - first].inputs[0]]
        ]
        if not ways:
            return None
        name, source = self.draw.choice(sorted(ways))
        return Entry(Again(name), sources=() if source == "prev" else (source,))

    # -- the whole ----

    def network(self) -> Network:
        draw, unfolding = self.draw, self.unfolding
        scope, environment = unfolding.scope, unfolding.variables
        entries, current = self.grown(draw.randint(2, 5), unfolding.start, environment, scope, 0)
        if self.wanted is not None:
            unfolding.most_layers += MOST_LAYERS
            more, current = self.placed(self.wanted, current, environment, scope)
            entries += more
        more, current = self.grown(draw.randint(0, 3), current, environment, scope, 0)
        entries += more
        outputs: tuple[str, ...] = ()
        if scope.names and self.one_in(5):
            outputs = tuple(draw.sample(sorted(scope.names), 1))
        return unfolded(self.document._replace(entries=entries, outputs=outputs), self.run)

    def placed(
        self, kind: str, current: Outputs, environment: Environment, scope: Scope
    ) -> tuple[tuple[Entry, ...], Outputs]:
        """A layer of a kind, behind what makes a shape for it."""
        names = sorted(name for name, end in scope.names.items() if len(end) == 1)
        sources = (self.draw.choice(names),) if len(current) > 1 else ()
        shape = self.shape(scope.names[sources[0]] if sources else current)
        for _ in range(60):
            if kind in MERGES:
                wanted = self.mergeable(kind, shape, 2)
                use = self.merge(kind, wanted)
                ways = tuple(self.bridge(shape, each) for each in wanted)
                branches = tuple(zip(("left", "right"), ways, strict=True))
                body = (Entry(Parallel(branches, use)),) if use else ()
            else:
                taken = self.input_shape(kind)
                fields = self.fields(kind, taken)
                fit = self.runs(kind, fields, taken)
                body = (*self.bridge(shape, taken), Entry(Use(kind, fields))) if fit else ()
            group = Entry(Group(body), sources=sources)
            after = self.attempt(group, current, environment, scope) if body else None
            if after is not None:
                return (group,), after
        raise AssertionError(f"no place for {kind}")


def fits(kind: str, shape: Shape) -> bool:
    """Whether the draws of a kind can be asked for fields on this shape."""
    if kind in ON_MAPS:
        return 2 <= len(shape) <= 4
    if kind == "multi_head_attention":
        return len(shape) in {2, 3}
    return kind not in ON_SEQUENCES or len(shape) == 2


# -- changes --------------------------------------------------------------------------------------

CHECKED_SIZES = {
    **dict.fromkeys(("conv", "conv_transpose"), "in_channels"),
    **dict.fromkeys(("batch_norm", "instance_norm"), "num_features"),
    "group_norm": "num_channels",
    "linear": "in_features",
    "multi_head_attention": "embed_dim",
    "prelu": "num_parameters",
}
"""A field that says again what the input has."""
COUNTED = {
    *("kernel_size", "stride", "padding", "dilation", "output_padding", "out_channels", "groups"),
    *(
        "multiplier",
        "out_features",
        "num_heads",
        "window",
        "num_groups",
        "size",
        "sizes",
        "sections",
    ),
    *("part", "upscale_factor", "downscale_factor", "block_size", "output_size", "cropping"),
    *("tokens", "num_features", "num_channels", "in_channels", "in_features", "embed_dim"),
    *("key_features", "value_features", "num_parameters", "normalized_shape", "shape"),
    *("dim", "start_dim", "end_dim", "start", "end", "dims", "scale_factor", "channels", "kernel"),
    *("amount",),
}
"""Fields and arguments that are numbers."""
BELOW_0 = {"dim", "start_dim", "end_dim", "start", "end"}
FROM_0 = {"padding", "output_padding", "cropping", "dims"}


def mutant(document: Document, draw: Random) -> Document:
    """The document with one thing changed, often so that nothing can run any more."""
    changing = Changing(draw, 0)
    changing.document(document)
    if draw.randrange(8) == 0:
        place = draw.randrange(len(document.inputs))
        inputs = list(document.inputs)
        name, shape = inputs[place]
        axis = draw.randrange(len(shape))
        size = max(1, shape[axis] + draw.choice((-2, -1, 1)))
        inputs[place] = name, (*shape[:axis], size, *shape[axis + 1 :])
        return document._replace(inputs=tuple(inputs))
    return Changing(draw, draw.randint(1, changing.number)).document(document)


class Changing:
    """Goes through all entries of a document, and changes the one of a number, from 1."""

    def __init__(self, draw: Random, target: int) -> None:
        self.draw = draw
        self.target = target
        self.number = 0

    def document(self, document: Document) -> Document:
        blocks = {
            name: block._replace(entries=self.entries(block.entries))
            for name, block in document.blocks.items()
        }
        return document._replace(blocks=blocks, entries=self.entries(document.entries))

    def entries(self, entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
        changed = []
        for entry in entries:
            self.number += 1
            if self.number != self.target:
                changed.append(entry._replace(body=self.body(entry.body)))
            elif not isinstance(entry.body, Use) or self.draw.randrange(8) == 0:
                if len(entries) > 1 and isinstance(entry.body, Use | Again):
                    continue  # left out
                changed.append(entry._replace(body=self.merged_otherwise(entry.body)))
            else:
                changed.append(entry._replace(body=self.use(entry.body)))
        return tuple(changed)

    def body(self, body: Use | Group | Parallel | Residual | Again) -> object:
        if isinstance(body, Group):
            return Group(self.entries(body.entries))
        if isinstance(body, Parallel):
            branches = tuple((name, self.entries(entries)) for name, entries in body.branches)
            return body._replace(branches=branches)
        if isinstance(body, Residual):
            return Residual(self.entries(body.body), self.entries(body.shortcut))
        return body

    def merged_otherwise(self, body: object) -> object:
        if isinstance(body, Parallel):
            return body._replace(merge=Use(self.draw.choice(MERGES), {}))
        return body

    def use(self, use: Use) -> Use:
        """A layer with another number, a wrong size of its input, or of another kind."""
        draw = self.draw
        numbers = [
            name
            for name, value in use.fields.items()
            if name in COUNTED and (type(value) is int or isinstance(value, tuple | Expression))
        ]
        if draw.randrange(6) == 0:
            return Use(draw.choice((*KEEPING, "global_avg_pool", "flatten")), {})
        if use.kind in CHECKED_SIZES and draw.randrange(4) == 0:
            return use._replace(fields={**use.fields, CHECKED_SIZES[use.kind]: draw.randint(1, 9)})
        if not numbers:
            return Use("conv", {"out_channels": 3, "kernel_size": draw.randint(1, 12)})
        name = draw.choice(numbers)
        least = -9 if name in BELOW_0 else int(name not in FROM_0)
        return use._replace(fields={**use.fields, name: self.other(use.fields[name], least)})

    def other(self, value: object, least: int) -> object:
        by = self.draw.choice((-2, -1, -1, 1, 1, 2, 9))
        if isinstance(value, tuple):
            place = self.draw.randrange(len(value))
            return (*value[:place], self.other(value[place], least), *value[place + 1 :])
        if isinstance(value, Expression):
            return Expression(f"({value}) + {by}") if by > 0 else Expression(f"({value}) - {-by}")
        # No literal below what a field takes: such a one is refused where it never runs, too.
        return max(least, value + by) if type(value) is int else value
