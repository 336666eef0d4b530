"""Where the numbers of a layer come from: each with its formula, the values put in, the result.

No formula stands here. A copy of the layer, whose fields became numbers that carry their derivation
(`convcalc.algebra.Shown`), is asked what the layer is asked in an analysis, on inputs whose sizes
became such numbers too. So whatever a layer kind declares is explained, and what is shown is what
ran. Only the receptive field has its recurrence here, that of `convcalc.analysis.receptive_field`
for one path (Araujo, Norris and Sim, 2019); where branches make more of it, or a finer grid that
another layer made, the numbers stand without a formula.

Letters are those of the declarations. A field with a value for each axis has the letter of the
axis behind its own: k_h, k_w. Where the values are one, and no formula has two of them, the letter
stands alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum
from fractions import Fraction
from math import prod
from typing import Any, Final, NamedTuple, TypeAlias, cast

from convcalc.algebra import Number, Shown, product
from convcalc.algebra.shown import divided
from convcalc.analysis.convolution_matrix import ConvolutionMatrix, Sharing, convolution_matrix
from convcalc.analysis.cost import Analysis, Cost, LayerCost
from convcalc.analysis.dtypes import BITS, whole_bytes
from convcalc.analysis.grouping import GroupCost, groups_at, layers_within
from convcalc.analysis.metrics import value_of
from convcalc.analysis.receptive_field import ReceptiveField
from convcalc.layers import Layer
from convcalc.layers.convolution import Convolution
from convcalc.layers.declaration import (
    POINTWISE,
    FieldDeclaration,
    Layout,
    Memory,
    Operations,
    Shape,
    Window,
    elements,
)
from convcalc.layers.field_types import Padding, PerAxis
from convcalc.layers.window import SlidingWindow, ends_of, per_axis
from convcalc.metrics import METRICS, Metric

__all__ = [
    "FEW_TERMS",
    "Derivation",
    "LayerExplanation",
    "LegendEntry",
    "MetricSum",
    "Term",
    "Topic",
    "TotalsExplanation",
    "explain_group",
    "explain_layer",
    "explain_layers",
    "explain_totals",
]

FEW_TERMS: Final = 16
"""So many layers a sum names one by one, each with its formula; of more it names the groups."""


class Topic(Enum):
    """What a derivation is about, in the order in which they are told."""

    PADDING = "padding"
    OUTPUT = "output"
    WEIGHTS = "weights"
    COST = "cost"
    RECEPTIVE_FIELD = "receptive field"
    TRAINING = "kept for the backward pass"
    MATRIX = "as a matrix"


class Derivation(NamedTuple):
    """A number, and how it was worked out."""

    topic: Topic
    name: str
    """What it is: ``output height``, ``parameters``."""
    unit: str
    formula: str
    """In symbols; empty where no single formula gives it."""
    substituted: str
    """The formula with the values put in; empty as the formula."""
    value: int | Fraction
    metric: str | None = None
    """Its key in `convcalc.metrics`, if it is one."""
    shape: str = ""
    """Of a tensor: its sizes as formulas, ``C_out × C_in/g × k_h × k_w``."""
    sizes: tuple[int, ...] = ()
    """Of a tensor: its sizes."""
    note: str = ""
    """What there is to say beside it."""
    axis: str = ""
    """Of one spatial axis of several: its letter, d, h or w."""

    @property
    def text(self) -> str:
        """``formula = substituted = value``, each step once where two have the same text."""
        steps = (self.formula, self.substituted, str(self.value).replace("-", "−"))
        return " = ".join(dict.fromkeys(step for step in steps if step))


class LegendEntry(NamedTuple):
    """A symbol of the formulas."""

    symbol: str
    meaning: str
    value: int
    field: str | None = None
    """The field that sets it, by its key in the spec; None: it comes from elsewhere."""


class LayerExplanation(NamedTuple):
    """A layer with every number that it has."""

    name: str
    kind: str
    law: str
    """What the kind does, with the paper that it is from: its declaration's own words."""
    legend: tuple[LegendEntry, ...]
    """Each symbol that a formula has, in order of first use."""
    derivations: tuple[Derivation, ...]
    """By topic, in the order of `Topic`."""
    matrix: ConvolutionMatrix | None = None
    """Of a convolution: from one input channel to one output channel."""

    def about(self, topic: Topic) -> tuple[Derivation, ...]:
        """The derivations of a topic."""
        return tuple(each for each in self.derivations if each.topic is topic)

    def of_metric(self, key: str) -> Derivation:
        """The derivation of the metric of that key. Raises KeyError if there is none."""
        for each in self.derivations:
            if each.metric == key:
                return each
        raise KeyError(key)


class Term(NamedTuple):
    """What a layer, or a group of them, adds to a total."""

    name: str
    kind: str
    """The kind of the layer; of a group how many layers it has."""
    formula: str
    """Empty for a group of several layers."""
    substituted: str
    value: int


class MetricSum(NamedTuple):
    """A total as the sum of its terms; those that are 0 are left out."""

    metric: Metric
    terms: tuple[Term, ...]
    value: int

    @property
    def substituted(self) -> str:
        """All terms in one line: their formulas with the values put in, or their values."""
        return " + ".join(term.substituted or str(term.value) for term in self.terms) or "0"


class TotalsExplanation(NamedTuple):
    """The totals of a network, or of a group of its layers."""

    name: str
    sums: tuple[MetricSum, ...]
    """One for each metric that adds up over layers."""

    def of_metric(self, key: str) -> MetricSum:
        """The sum of the metric of that key. Raises KeyError if there is none."""
        for each in self.sums:
            if each.metric.key == key:
                return each
        raise KeyError(key)


def explain_layer(layer: LayerCost, analysis: Analysis) -> LayerExplanation:
    """Every number of a layer of ``analysis``, derived."""
    return explain_layers((layer,), analysis)[0]


def explain_layers(layers: Iterable[LayerCost], analysis: Analysis) -> tuple[LayerExplanation, ...]:
    """Every number of each of some layers of ``analysis``, derived."""
    surroundings = _surroundings(analysis)
    return tuple(_Reading(layer, surroundings).explanation() for layer in layers)


def explain_totals(analysis: Analysis) -> TotalsExplanation:
    """Each total of a network as a sum over its layers, or over its top groups if they are many."""
    return _sums(analysis.name, analysis.layers, groups_at(analysis, 1), analysis)


def explain_group(name: str, analysis: Analysis) -> TotalsExplanation:
    """The same of the layers whose names begin with the dotted path ``name``.

    Raises KeyError if there are none.
    """
    layers = layers_within(analysis, name)
    if not layers:
        raise KeyError(name)
    inside = groups_at(analysis._replace(layers=layers), name.count(".") + 2)
    return _sums(name, layers, inside, analysis)


# -- totals ---------------------------------------------------------------------------------------


def _sums(
    name: str, layers: tuple[LayerCost, ...], groups: tuple[GroupCost, ...], analysis: Analysis
) -> TotalsExplanation:
    surroundings = _surroundings(analysis)
    known: dict[str, dict[str, Reading]] = {}

    def term(layer: LayerCost, key: str) -> Term:
        if layer.name not in known:
            reading = _Reading(layer, surroundings)
            known[layer.name] = {each.key: number for each, number in reading.metrics()}
        texts = _texts(known[layer.name][key])
        return Term(layer.name, layer.kind, *texts, value_of(key, layer))

    sums = []
    for each in _SUMMED:
        key = each.key
        parts = [layer for layer in layers if value_of(key, layer)]
        if len(parts) <= FEW_TERMS:
            terms = tuple(term(layer, key) for layer in parts)
        else:
            terms = tuple(
                Term(group.name, group.kind, "", "", value)
                for group in groups
                if (value := value_of(key, group.cost))
            )
        sums.append(MetricSum(each, terms, sum(part.value for part in terms)))
    return TotalsExplanation(name, tuple(sums))


# -- what is around a layer -----------------------------------------------------------------------


class _Surroundings(NamedTuple):
    """What the layers of an analysis know of each other."""

    analysis: Analysis
    fields: dict[str, ReceptiveField]
    """The receptive field of each layer and network input, by name."""
    layouts: dict[str, Layout]
    """Where each has its channels."""
    learned: set[str]
    """The layers in which, or before which, anything is learned."""


def _surroundings(analysis: Analysis) -> _Surroundings:
    fields: dict[str, ReceptiveField] = {}
    layouts: dict[str, Layout] = {}
    # What has axes, and yet its readers see no positions.
    tokens = {
        name
        for row in analysis.layers
        if not row.receptive_field.size
        for name, shape in zip(row.inputs, row.input_shapes, strict=True)
        if len(shape) > 1
    }
    for name, shape in analysis.inputs:
        rank = len(shape) - 1
        if name in tokens:
            rank = 0
        fields[name] = ReceptiveField((1,) * rank, (1,) * rank, (0,) * rank)
        layouts[name] = Layout.FEATURES_LAST if name in tokens else Layout.CHANNELS_FIRST
    learned: set[str] = set()
    for row in analysis.layers:
        fields[row.name] = row.receptive_field
        layouts[row.name] = row.layer.lays_out(row.layer.reads or layouts[row.inputs[0]])
        if row.weights or not learned.isdisjoint(row.inputs):
            learned.add(row.name)
    return _Surroundings(analysis, fields, layouts, learned)


# -- letters --------------------------------------------------------------------------------------


_SUMMED: Final = tuple(
    sorted(
        (each for each in METRICS if each.of_layers and each.adds_up),
        key=lambda each: (
            each.unit == "bytes",
            each.key == "activation_elements",
            each.key == "flops",
        ),
    )
)
"""The metrics that add up over layers; FLOPs after what they are made of, bytes last."""
_ALWAYS: Final = ("params", "macs", "flops")
"""Metrics that are told even if they are 0."""


class _Size(NamedTuple):
    """A dimension of a shape."""

    letter: str
    noun: str
    unit: str


_CHANNELS: Final = _Size("C_in", "channels", "channels")
_DEPTH, _HEIGHT, _WIDTH = (
    _Size(letter, noun, "positions")
    for letter, noun in (("D", "depth"), ("H", "height"), ("W", "width"))
)
_LENGTH: Final = _Size("L", "length", "positions")
_TOKENS: Final = _Size("n", "tokens", "tokens")
_FEATURES: Final = _Size("c", "features", "features")

_SIZES: Final = {
    Layout.CHANNELS_FIRST: {
        1: (_Size("F_in", "features", "features"),),
        2: (_CHANNELS, _LENGTH),
        3: (_CHANNELS, _HEIGHT, _WIDTH),
        4: (_CHANNELS, _DEPTH, _HEIGHT, _WIDTH),
    },
    Layout.FEATURES_LAST: {
        1: (_Size("F_in", "features", "features"),),
        2: (_TOKENS, _FEATURES),
        # Sequences of tokens, one for each window; or the rows of a map with its channels last.
        3: (_Size("a", "sequences", "sequences"), _TOKENS, _FEATURES),
        4: (_DEPTH, _HEIGHT, _WIDTH, _CHANNELS),
    },
}
"""The dimensions of a shape by its rank."""

_AXES: Final = {1: ("",), 2: ("h", "w"), 3: ("d", "h", "w")}
_AXIS_NOUNS: Final = {"": "", "d": "depth", "h": "height", "w": "width"}
_AXIS_OF: Final = {noun: axis for axis, noun in _AXIS_NOUNS.items() if axis}
_POSITIONS: Final = "input positions"
_UNALIGNED: Final = "not all output positions see alike: of the first, or the most that one sees"
_UNEVEN: Final = "the windows are not evenly spaced: the start is that of the first"
_SEVERAL_PATHS: Final = "of several paths, or a finer grid: no one formula gives it"
_ENDS: Final = {
    "": ("left", "right"),
    "d": ("front", "back"),
    "h": ("top", "bottom"),
    "w": ("left", "right"),
}


def _sizes(layout: Layout, rank: int) -> tuple[_Size, ...]:
    known = _SIZES[layout].get(rank)
    return known or tuple(_Size(f"n{n}", f"size {n}", "") for n in range(1, rank + 1))


class _Symbol(NamedTuple):
    """A letter with all that the legend says of it."""

    entry: LegendEntry
    short: str = ""
    """The letter that stands for all axes, where their values are one."""


Reading: TypeAlias = Any
"""What a formula gives that was run on shown numbers: a number, in place of an integer."""


class _Reading:
    """A layer whose numbers carry their derivation, and what its methods say."""

    def __init__(self, row: LayerCost, surroundings: _Surroundings) -> None:
        self.row = row
        self.surroundings = surroundings
        self.symbols: dict[str, _Symbol] = {}
        # A size of the output in symbols, and the letter that stands for it in what follows.
        self.abbreviations: list[tuple[Shown, Shown]] = []
        layouts = surroundings.layouts
        self.layouts = [row.layer.reads or layouts[name] for name in row.inputs]
        self.layer = self._shown_layer()
        self.inputs = self._shown_inputs()
        self.sizes = _sizes(layouts[row.name], len(row.output_shape))
        self.derived_output = self.layer.output(self.inputs)
        self.output = self._named_output()

    # -- symbols ------------------------------------------------------------------------------

    def symbol(
        self, letter: str, value: int, meaning: str, field: str | None = None, short: str = ""
    ) -> Shown:
        """A number with a letter, entered in the legend."""
        self.symbols[letter] = _Symbol(LegendEntry(letter, meaning, value, field), short)
        return Shown(value, letter)

    def _shown_layer(self) -> Layer:
        layer = self.row.layer
        return type(layer)(
            **{
                declared.name: self._shown_field(declared, getattr(layer, declared.name))
                for declared in layer.declarations
            }
        )

    def _shown_field(self, declared: FieldDeclaration, value: Any) -> object:  # noqa: ANN401 - of any type
        """The value of a field, with letters for its numbers if it was declared with one."""
        if not declared.symbol or not (_is_number(value) or isinstance(value, tuple)):
            return value

        def shown(number: object, letter: str, where: str = "", short: str = "") -> object:
            if not _is_number(number):
                return number
            meaning = f"{declared.help}{where}"
            return self.symbol(letter, cast("int", number), meaning, declared.name, short)

        axes = _AXES.get(len(self.row.input_shapes[0]) - 1, ("",))
        if not isinstance(declared.type, PerAxis | Padding):
            return shown(value, declared.symbol)
        is_padding = isinstance(declared.type, Padding)
        values: tuple[Any, ...] = (
            ends_of(value, len(axes)) if is_padding else per_axis(value, len(axes))
        )
        alike = len(axes) > 1 and all(each == values[0] for each in values)
        found = []
        for axis, each in zip(axes, values, strict=True):
            letter = f"{declared.symbol}_{axis}" if axis else declared.symbol
            where = f" ({_AXIS_NOUNS[axis]})" if axis else ""
            if not is_padding:
                found.append(shown(each, letter, where, declared.symbol if alike else ""))
            elif each[0] == each[1]:
                end = shown(each[0], letter, where, declared.symbol if alike else "")
                found.append((end, end))
            else:
                found.append(
                    tuple(
                        shown(end, f"{declared.symbol}_{side}", f" ({side})")
                        for end, side in zip(each, _ENDS[axis], strict=True)
                    )
                )
        return tuple(found)

    def _shown_inputs(self) -> tuple[Shape, ...]:
        """The input shapes; a letter that is one number in all inputs is not numbered."""
        shapes = self.row.input_shapes
        named = [
            _sizes(layout, len(shape)) for layout, shape in zip(self.layouts, shapes, strict=True)
        ]
        values: dict[str, set[int]] = {}
        for sizes, shape in zip(named, shapes, strict=True):
            for size, value in zip(sizes, shape, strict=True):
                values.setdefault(size.letter, set()).add(value)
        return tuple(
            tuple(
                self._input_size(size, value, n if len(values[size.letter]) > 1 else None)
                for size, value in zip(sizes, shape, strict=True)
            )
            for n, (sizes, shape) in enumerate(zip(named, shapes, strict=True), start=1)
        )

    def _input_size(self, size: _Size, value: int, number: int | None) -> Shown:
        letter, whose = size.letter, "of the input"
        if number is not None:
            letter, whose = f"{letter.removesuffix('_in')}_{number}", f"of input {number}"
        taken = self.symbols.get(letter)
        if taken is not None and taken.entry.value != value:  # a field goes by that letter
            letter = f"{letter}_in"
        return self.symbol(letter, value, f"{size.noun} {whose}")

    def _named_output(self) -> Shape:
        """The output's shape; a size that is worked out has a letter of its own."""
        named: list[Number] = []
        for size, number in zip(self.sizes, self.derived_output, strict=True):
            if isinstance(number, int) and number == 1:
                named.append(number)  # no more than a factor of 1
            elif isinstance(number, Shown) and number.formula in self.symbols:
                named.append(number)
            else:
                letter = f"{size.letter.removesuffix('_in')}_out"
                shown = self.symbol(letter, _plain(number), f"{size.noun} of the output")
                named.append(shown)
                if isinstance(number, Shown):
                    self.abbreviations.append((number, shown))
        return tuple(named)

    # -- numbers ------------------------------------------------------------------------------

    def cost(self) -> Cost:
        """What the layer costs, of numbers that show where they come from."""
        row, dtypes = self.row, self.surroundings.analysis.dtypes
        params: Reading = elements(self.layer.weights(self.inputs))
        buffers: Reading = elements(self.layer.buffers(self.inputs))
        size: Reading = 0 if self.layer.memory is Memory.VIEW else product(self.output)
        return Cost(
            params=0 if row.shares_weights_with else params,
            buffers=0 if row.shares_weights_with else buffers,
            operations=self.layer.operations(self.inputs, self.output),
            activation_elements=size,
            activation_bytes=self._bytes_of_activations(size) if _plain(size) else 0,
            weight_bytes=0
            if row.shares_weights_with
            else self._bytes_of_weights(params, dtypes.weights),
        )

    def _bytes_of_activations(
        self, size: Reading, bits: int | None = None, *, per_batch: bool = False
    ) -> Reading:
        """Bytes of a tensor for the batch."""
        batch, dtype = self.surroundings.analysis.batch, self.surroundings.analysis.dtypes
        total = size if per_batch else self.symbol("N", batch, "batch") * size
        if bits is not None:
            return total * (bits // 8) if bits % 8 == 0 else whole_bytes(total * bits)
        return self._bytes(total, "b", dtype.activations, "an activation")

    def _bytes_of_weights(self, params: Reading, dtype: str) -> Reading:
        """Bytes of all weight tensors: each starts on a byte."""
        if BITS[dtype] % 8 == 0:
            return self._bytes(Shown(_plain(params), "params"), "b_w", dtype, "a weight")
        total: Reading = 0
        for tensor in self.row.weights:
            count = Shown(prod(cast("tuple[int, ...]", tensor.shape)), tensor.name)
            total = total + self._bytes(count, "b_w", dtype, "a weight")
        return total

    def _bytes(self, count: Reading, letter: str, dtype: str, whose: str) -> Reading:
        """⌈count · bits / 8⌉, which is count · bytes where an element has whole ones."""
        bits = BITS[dtype]
        if bits % 8 == 0:
            return count * self.symbol(letter, bits // 8, f"bytes of {whose} ({dtype})")
        return whole_bytes(count * self.symbol(letter, bits, f"bits of {whose} ({dtype})"))

    # -- derivations --------------------------------------------------------------------------

    def explanation(self) -> LayerExplanation:
        """Everything, with the legend of the letters that it has."""
        layer = self.row.layer
        matrix = (
            convolution_matrix(layer, self.row.input_shapes, self.row.output_shape)
            if isinstance(layer, Convolution)
            else None
        )
        derivations = self._with_short_letters(
            (
                *self._padding(),
                *self._outputs(),
                *self._tensors(),
                *self._metrics(),
                *self._receptive_field(),
                *self._kept(),
                *(self._matrix(matrix) if matrix else ()),
            )
        )
        return LayerExplanation(
            self.row.name,
            self.row.kind,
            _law(layer),
            self._legend(derivations),
            derivations,
            matrix,
        )

    def derive(
        self,
        topic: Topic,
        name: str,
        unit: str,
        number: Reading,
        *,
        key: str | None = None,
        shape: Shape = (),
        note: str = "",
        axis: str = "",
    ) -> Derivation:
        """A number of some layer formula as a derivation."""
        formula, substituted = _texts(number)
        if topic is not Topic.OUTPUT:
            formula, substituted = self._abbreviated(formula, substituted)
        shape_text = " × ".join(self._abbreviated(*_texts(size))[0] for size in shape)
        sizes = tuple(map(_plain, shape))
        value = _plain(number)
        return Derivation(
            topic, name, unit, formula, substituted, value, key, shape_text, sizes, note, axis
        )

    def _abbreviated(self, formula: str, substituted: str) -> tuple[str, str]:
        """The texts with a letter for each output size that was derived before."""
        for number, letter in self.abbreviations:
            shorter = _replaced(formula, number.formula, letter.formula)
            if shorter != formula:  # else what has the same values is another axis's
                formula = shorter
                substituted = _replaced(substituted, number.substituted, letter.substituted)
        return formula, substituted

    def _outputs(self) -> Iterable[Derivation]:
        for size, number in zip(self.sizes, self.derived_output, strict=True):
            axis = _AXIS_OF.get(size.noun, "")
            yield self.derive(Topic.OUTPUT, f"output {size.noun}", size.unit, number, axis=axis)

    def _padding(self) -> Iterable[Derivation]:
        """What `same` comes to."""
        layer = self.layer
        if not isinstance(layer, SlidingWindow):
            return
        totals = layer.paddings_of_same(self.inputs)
        for axis, total in zip(_AXES[len(self.inputs[0]) - 1], totals, strict=False):
            where = f" {_AXIS_NOUNS[axis]}" if axis else ""
            letter = f"P_{axis}" if axis else "P"
            name = f"padding{where} ({letter})"
            yield self.derive(Topic.PADDING, name, "positions", total, axis=axis)
            meaning = f"padding of both ends{f' ({_AXIS_NOUNS[axis]})' if axis else ''}"
            named = self.symbol(letter, _plain(total), meaning)
            if isinstance(total, Shown):
                # First, for it is made of sizes of the output that have letters too.
                self.abbreviations.insert(0, (total, named))
            before = named // 2
            for side, number in zip(_ENDS[axis], (before, named - before), strict=True):
                name = f"padding, {side}"
                yield self.derive(Topic.PADDING, name, "positions", number, axis=axis)

    def _tensors(self) -> Iterable[Derivation]:
        for sort, tensors in (
            ("weight", self.layer.weights(self.inputs)),
            ("buffer", self.layer.buffers(self.inputs)),
        ):
            for name, shape in tensors:
                yield self.derive(
                    Topic.WEIGHTS, f"{sort} `{name}`", "elements", product(shape), shape=shape
                )

    def metrics(self) -> Iterable[tuple[Metric, Reading]]:
        """Each metric that adds up over layers, its sorts of operations before the FLOPs."""
        cost = self.cost()
        # What was counted before need not be worked out again: 2·macs + adds.
        counted = Operations(
            *(
                Shown(_plain(count), sort) if _plain(count) else 0
                for sort, count in zip(Operations._fields, cost.operations, strict=True)
            )
        )
        for each in _SUMMED:
            yield each, counted.flops if each.key == "flops" else value_of(each.key, cost)

    def _metrics(self) -> Iterable[Derivation]:
        """Every metric that the layer has; of the sorts of operations those that it does."""
        shared = self.row.shares_weights_with
        for each, number in self.metrics():
            if not _plain(number) and each.key not in _ALWAYS:
                continue
            unit = "bytes" if each.unit == "bytes" else each.noun
            note = ""
            if shared and each.key == "params":
                note = f"its weights are those of `{shared}`, and count there"
            yield self.derive(Topic.COST, each.noun, unit, number, key=each.key, note=note)

    def _kept(self) -> Iterable[Derivation]:
        """What its backward pass needs; what another layer keeps already costs nothing more."""
        learned = self.surroundings.learned
        is_learned = self.row.name in learned
        # What has no backward pass here is told as it would be elsewhere.
        note = "" if is_learned else "not kept here, where nothing is learned up to this layer"
        kept = self.layer.kept_for_backward(self.inputs, self.output)
        are_kept, tensors = self.layer.needed(
            kept, tuple(not is_learned or name in learned for name in self.row.inputs)
        )
        sizes: list[tuple[str, Reading]] = []
        for n, (shape, is_kept) in enumerate(zip(self.inputs, are_kept, strict=True), start=1):
            if is_kept:
                name = f"input {n}" if len(self.inputs) > 1 else "input"
                sizes.append((name, self._bytes_of_activations(product(shape))))
        if kept.output:
            sizes.append(("output", self._bytes_of_activations(product(self.output))))
        for tensor in tensors:
            size = self._bytes_of_activations(
                tensor.elements, tensor.bits, per_batch=tensor.per_batch
            )
            sizes.append((f"`{tensor.name}`", size))
        for name, size in sizes:
            yield self.derive(Topic.TRAINING, name, "bytes", size, note=note)

    # -- the receptive field ------------------------------------------------------------------

    def _receptive_field(self) -> Iterable[Derivation]:
        found = self.row.receptive_field
        axes = _AXES.get(len(found.size), ())
        windows = self._windows(len(axes))
        note = "" if found.aligned else _UNEVEN if found.is_uneven else _UNALIGNED
        for n, axis in enumerate(axes):
            values = (found.size[n], found.jump[n], found.start[n])
            derived: tuple[Reading | None, ...] = (None, None, None)
            for window in (windows[n], *self._kept_positions()):
                found_here = self._recurrence(n, axis, window)
                if found_here is not None and tuple(map(_plain, found_here)) == values:
                    derived = found_here
                    break
            else:
                derived = self._finer(n, axis, windows[n], found)
            where = f", {_AXIS_NOUNS[axis]}" if axis else ""
            for (name, value), number in zip(
                zip(("receptive field", "jump", "start"), values, strict=True), derived, strict=True
            ):
                topic, name_there = Topic.RECEPTIVE_FIELD, f"{name}{where}"
                known = cast("int | Fraction", value)
                if number is None:
                    reason = note or _SEVERAL_PATHS
                    yield Derivation(
                        topic, name_there, _POSITIONS, "", "", known, note=reason, axis=axis
                    )
                else:
                    told = self.derive(topic, name_there, _POSITIONS, number, note=note, axis=axis)
                    # A quotient that is not whole has its texts, and the value that ran.
                    yield told._replace(value=known)

    def _kept_positions(self) -> tuple[Window, ...]:
        """What a map has that has its channels last, or gets them there: it keeps its positions."""
        layouts = (*self.layouts, self.surroundings.layouts[self.row.name])
        is_map = len(self.row.input_shapes[0]) > 2
        return (POINTWISE,) if is_map and Layout.FEATURES_LAST in layouts else ()

    def _windows(self, rank: int) -> tuple[Window, ...]:
        """A window for each axis that receptive fields have."""
        windows = self.layer.windows(self.inputs)
        if windows is None:
            counts = self.inputs[0][1:]
            if len(counts) != rank:  # the axes were joined before
                counts = (1,) * rank
            is_one = all(size == 1 for size in self.row.output_shape[1:])
            # One position alone is as that of a pool as large as its input; several see the same.
            return tuple(Window(n, n if is_one else 0, 0) for n in counts)
        # Axes that were joined before have no positions to tell apart.
        return windows if len(windows) == rank else (POINTWISE,) * rank

    def _recurrence(
        self, n: int, axis: str, window: Window
    ) -> tuple[Reading, Reading, Reading] | None:
        """Size, jump and start behind a window on what the inputs see; None if none gives it."""
        fields = [self.surroundings.fields[name] for name in self.row.inputs]
        seen = list(
            dict.fromkeys(
                (field.size[n], field.jump[n], field.start[n])
                for field in fields
                if len(field.size) > n
            )
        )
        if window.per != 1 or not seen:
            return None
        if not all(_is_number(value) for values in seen for value in values):
            return None
        paths = [
            tuple(
                self._seen(letter, axis, cast("int", value), number if len(seen) > 1 else None)
                for letter, value in zip("RJX", values, strict=True)
            )
            for number, values in enumerate(seen, start=1)
        ]
        size, jump, start = paths[0]
        if len(paths) > 1:  # from the least start to the greatest end
            jumps = [jump for _, jump, _ in paths]
            if len({each.value for each in jumps}) > 1:
                jump = Shown.of("max", max(each.value for each in jumps), *jumps)
            else:
                jump = self._seen("J", axis, _plain(jump), None)
            starts = [start for _, _, start in paths]
            ends = [start + size for size, _, start in paths]
            start = Shown.of("min", min(each.value for each in starts), *starts)
            size = Shown.of("max", max(each.value for each in ends), *ends) - start
        if window is POINTWISE:
            return size, jump, start
        return size + (window.size - 1) * jump, jump * window.stride, start + window.start * jump

    def _finer(
        self, n: int, axis: str, window: Window, found: ReceptiveField
    ) -> tuple[Reading | None, Reading | None, Reading | None]:
        """The same where a grid is finer: a window makes it so, one position in per parts.

        The jump is J·s/per, a fraction or not. In ``size`` parts lie at most ⌊size/per⌋ whole
        positions, and the first from ``start`` on is position ⌊(start + per − 1)/per⌋. Where the
        input is itself on a finer grid its positions are followed one by one: the jump alone has a
        formula.
        """
        fields = [self.surroundings.fields[name] for name in self.row.inputs]
        if len(fields) > 1 or len(fields[0].size) <= n:
            return None, None, None
        before = fields[0]
        if not _is_number(before.jump[n]) or (window.per == 1 and before.aligned):
            return None, None, None
        size, jump, start = (
            self._seen(letter, axis, cast("int", value), None)
            for letter, value in zip(
                "RJX", (before.size[n], before.jump[n], before.start[n]), strict=True
            )
        )
        per = window.per
        size = size + (window.size // per - 1) * jump
        start = start + (window.start + per - 1) // per * jump
        step = jump * window.stride
        is_so = Fraction(_plain(step), _plain(per)) == found.jump[n]
        if not before.aligned:
            return None, divided(step, per) if is_so else None, None
        return (
            # Less than the most is seen where no output position lies so.
            size if _plain(size) == found.size[n] else None,
            divided(step, per) if is_so else None,
            start if _plain(start) == found.start[n] else None,
        )

    def _seen(self, letter: str, axis: str, value: int, number: int | None) -> Shown:
        """A number of what an input sees."""
        part, meaning = _SEEN[letter]
        of = f"of input {number}" if number else "of the input"
        where = f" ({_AXIS_NOUNS[axis]})" if axis else ""
        fields = (self.surroundings.fields[name] for name in self.row.inputs)
        alike = axis and number is None and all(len(set(getattr(one, part))) == 1 for one in fields)
        letters = letter + (f"_{axis}" if axis else "") + (f"_{number}" if number else "")
        return self.symbol(letters, value, f"{meaning} {of}{where}", short=letter if alike else "")

    # -- the matrix ---------------------------------------------------------------------------

    def _matrix(self, matrix: ConvolutionMatrix) -> Iterable[Derivation]:
        """Its sizes and how many weights it has, for two channels and for the whole layer."""
        shown = cast("Convolution", self.layer)
        channels_in, *sizes = self.inputs[0]
        channels_out, *outputs = self.output
        rows, columns = product(tuple(outputs)), product(tuple(sizes))
        non_zeros = product(tuple(self._taps(matrix, shown)))
        pairs = (
            channels_in * divided(channels_out, cast("Any", shown).groups)
            if shown.is_transposed
            else channels_out * shown.channels_per_group(channels_in)
        )
        for name, unit, number in (
            ("rows of C, one output channel", "positions", rows),
            ("columns of C, one input channel", "positions", columns),
            ("non-zeros of C", "entries", non_zeros),
            ("rows, all output channels", "positions", channels_out * rows),
            ("columns, all input channels", "positions", channels_in * columns),
            ("non-zeros, all channels", "entries", pairs * non_zeros),
        ):
            yield self.derive(Topic.MATRIX, name, unit, number, note=_SHARED[matrix.sharing])

    def _taps(self, matrix: ConvolutionMatrix, shown: Convolution) -> Iterable[Number]:
        """For each axis how often a weight lies on an input position."""
        rank = len(matrix.kernel)
        axes = zip(
            _AXES[rank],
            self.output[1:],
            self.inputs[0][1:],
            shown.kernels(rank),
            cast("tuple[Window, ...]", shown.windows(self.inputs)),
            matrix.inside,
            strict=True,
        )
        for axis, o, i, k, window, inside in axes:
            # Each input position meets each weight where the output is finer, else each output
            # position does; what of that lies outside is left out.
            met: Reading = i * k if window.per != 1 or shown.is_transposed else o * k
            outside = _plain(met) - inside
            if outside:
                letter = f"q_{axis}" if axis else "q"
                where = f" ({_AXIS_NOUNS[axis]})" if axis else ""
                met = met - self.symbol(
                    letter, outside, f"of these those that lie outside the input{where}"
                )
            yield met

    # -- the legend ---------------------------------------------------------------------------

    def _with_short_letters(self, derivations: tuple[Derivation, ...]) -> tuple[Derivation, ...]:
        """One letter for those of all axes, where no text has two of them."""
        kept: set[str] = set()
        for each in derivations:
            for text in (each.formula, each.shape):
                found = [
                    self.symbols[letter].short
                    for letter in set(_LETTERS.findall(text))
                    if letter in self.symbols and self.symbols[letter].short
                ]
                kept.update(short for short in found if found.count(short) > 1)
        shorts: dict[str, str] = {}
        for letter, (entry, short) in tuple(self.symbols.items()):
            meaning = entry.meaning.rsplit(" (", 1)[0]  # without the axis
            taken = self.symbols.get(short)
            if taken and taken.entry.meaning != meaning:  # something else goes by it
                continue
            if short and short not in kept:
                shorts[letter] = short
                self.symbols[short] = _Symbol(entry._replace(symbol=short, meaning=meaning))

        def replaced(text: str) -> str:
            return _LETTERS.sub(lambda found: shorts.get(found[0], found[0]), text)

        return tuple(
            each._replace(formula=replaced(each.formula), shape=replaced(each.shape))
            for each in derivations
        )

    def _legend(self, derivations: Iterable[Derivation]) -> tuple[LegendEntry, ...]:
        letters = dict.fromkeys(
            letter
            for each in derivations
            for letter in _LETTERS.findall(f"{each.formula} {each.shape}")
        )
        return tuple(self.symbols[letter].entry for letter in letters if letter in self.symbols)


_SHARED: Final = {
    Sharing.SPATIAL: "",
    Sharing.NONE: "each row has a kernel of its own: w2,01 is weight 01 of the second",
    Sharing.FULL: "one kernel for all input channels: C is the same for each of them",
}
"""What is to be said of a matrix whose weights are not shared as usual."""
_SEEN: Final = {
    "R": ("size", "receptive field"),
    "J": ("jump", "jump"),
    "X": ("start", "start of the receptive field"),
}
"""The letters of a receptive field: its part, and what it is."""
_LETTERS: Final = re.compile(r"[^\W\d⁰¹²³⁴⁵⁶⁷⁸⁹][^\W⁰¹²³⁴⁵⁶⁷⁸⁹]*")
"""A name in a formula, without its power: to `re` a superscript is part of a word."""
_PIECE: Final = re.compile(r"⌊|(min|max|gcd)\(")
"""How a floor or a function begins, which need no brackets wherever they stand."""


def _texts(number: Reading) -> tuple[str, str]:
    if isinstance(number, Shown):
        return number.formula, number.substituted
    return str(number), str(number)


def _plain(number: Reading) -> int:
    return cast("int", number.value if isinstance(number, Shown) else number)


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _replaced(text: str, part: str, letter: str) -> str:
    """The text with a letter for a part, where that is all of it or has brackets of its own."""
    if text == part:
        return letter
    text = text.replace(f"({part})", letter)
    return text.replace(part, letter) if _PIECE.match(part) and _closes_last(part) else text


def _closes_last(part: str) -> bool:
    """Whether what is opened first is closed last: in ``⌊i/2⌋ + ⌊i/3⌋`` it is not."""
    depth = 0
    for place, sign in enumerate(part):
        depth += (sign in "(⌊") - (sign in ")⌋")
        if sign in ")⌋" and not depth:
            return place == len(part) - 1
    return False


def _law(layer: Layer) -> str:
    """The docstring of the kind, its paragraphs without line breaks."""
    paragraphs = (type(layer).__doc__ or "").strip().split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
