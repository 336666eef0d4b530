"""What an explanation is put together from, whatever the format: records, figures, sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Final, NamedTuple, cast

from convcalc.analysis.convolution_matrix import ConvolutionMatrix, Sharing
from convcalc.analysis.cost import Analysis, LayerCost
from convcalc.analysis.explanation import (
    Derivation,
    LayerExplanation,
    LegendEntry,
    MetricSum,
    Term,
    Topic,
    TotalsExplanation,
    explain_layers,
)
from convcalc.analysis.grouping import GroupCost, groups_at
from convcalc.errors import printable
from convcalc.layers.declaration import Memory
from convcalc.metrics import metric
from convcalc.origins import FieldOrigin, How, LayerOrigin, VariableOrigin
from convcalc.reports.analyze import order_lines
from convcalc.reports.figures import byte_size, count, shape

__all__ = [
    "TOPIC_TITLES",
    "WHERE_SET",
    "ChainStep",
    "ExplainedLayer",
    "ExplainedTotals",
    "InputChain",
    "SetValue",
    "chain_text",
    "explained_layers",
    "figure",
    "formulas_of",
    "grouped_digits",
    "matrix_cells",
    "memory_sums",
    "name_within",
    "notes_of",
    "notes_of_totals",
    "set_values",
    "shares_of",
    "shown_derivations",
    "shown_legend",
    "steps_of",
    "told_sums",
    "value_text",
    "written_value",
]

MOST_STEPS: Final = 5
"""Layers of the chain that leads to an input."""
MOST_TERMS: Final = 16
"""Terms of a sum of bytes that is not over layers; what is left is one term more."""
LONGEST_VALUE: Final = 60
"""Characters of a value of a variable."""


TOPIC_TITLES: Final = {
    Topic.PADDING: "Padding: what `same` comes to",
    Topic.OUTPUT: "Output",
    Topic.WEIGHTS: "Weights",
    Topic.COST: "Cost: counts for one sample, bytes for the batch",
    Topic.RECEPTIVE_FIELD: "Receptive field, in positions of the network's input",
    Topic.TRAINING: "Kept for the backward pass",
    Topic.MATRIX: "As a matrix: Y = C·X, from one input channel to one output channel",
}
"""What stands above the derivations of a topic."""


WHERE_SET: Final = "Where the fields were set"
"""What stands above fields and variables with their places."""


class ChainStep(NamedTuple):
    """A layer, or an input of the network, on the way to a shape."""

    name: str
    kind: str
    shape: tuple[int, ...]


class InputChain(NamedTuple):
    """How an input of a layer came by its shape.

    The last step is what the layer reads; before it stand the nearest layers that changed the
    shape, along the first input of each.
    """

    steps: tuple[ChainStep, ...]
    is_cut: bool
    """Whether more stands before the first step."""


class ExplainedLayer(NamedTuple):
    """A layer, its numbers, and where they come from."""

    row: LayerCost
    explanation: LayerExplanation
    origin: LayerOrigin | None
    inputs: tuple[InputChain, ...]
    is_narrowed: bool = False
    """Whether only some metrics are asked for: then where each field was set is not told."""


class ExplainedTotals(NamedTuple):
    """The totals of a network or of a group of its layers."""

    totals: TotalsExplanation
    layers: int
    """How many layers add up to them."""
    is_network: bool
    others: tuple[MetricSum, ...] = ()
    """Totals of a network that are sums of something else than layers."""


class SetValue(NamedTuple):
    """A field or a variable with where it was set."""

    name: str
    variable: str
    """The variable of another name that it stands for; empty if it is one of its own."""
    expression: str
    """As written."""
    value: str
    where: str
    """The place in the text, and what it is there."""
    is_field: bool

    @property
    def text(self) -> str:
        """``out_channels = planes * 2 = 128``, what is the same once."""
        steps = (self.name, self.variable, self.expression, self.value)
        return " = ".join(dict.fromkeys(step for step in steps if step))


def explained_layers(
    rows: Iterable[LayerCost], analysis: Analysis, origins: Mapping[str, LayerOrigin]
) -> tuple[ExplainedLayer, ...]:
    """Layers of ``analysis`` with all there is to say of them; ``origins`` go by layer name."""
    rows = tuple(rows)
    chains = _Chains(analysis)
    return tuple(
        ExplainedLayer(row, explanation, origins.get(row.name), chains.to(row))
        for row, explanation in zip(rows, explain_layers(rows, analysis), strict=True)
    )


# -- the way to a shape ---------------------------------------------------------------------------


class _Chains:
    """The layers of a network, and for each the nearest before it that changed the shape."""

    def __init__(self, analysis: Analysis) -> None:
        self.steps = {name: ChainStep(name, "input", sizes) for name, sizes in analysis.inputs} | {
            row.name: ChainStep(row.name, row.kind, row.output_shape) for row in analysis.layers
        }
        self.before: dict[str, str] = {}
        changed = {name: name for name, _ in analysis.inputs}
        for row in analysis.layers:
            first = row.inputs[0]
            self.before[row.name] = changed[first]
            is_same = row.output_shape == row.input_shapes[0]
            changed[row.name] = changed[first] if is_same else row.name

    def to(self, row: LayerCost) -> tuple[InputChain, ...]:
        """The chains to the inputs of a layer."""
        return tuple(self.chain(name) for name in row.inputs)

    def chain(self, name: str) -> InputChain:
        found = [name]
        while len(found) < MOST_STEPS and found[-1] in self.before:
            found.append(self.before[found[-1]])
        steps = tuple(self.steps[each] for each in reversed(found))
        return InputChain(steps, is_cut=found[-1] in self.before)


def chain_text(chain: InputChain) -> str:
    """``… → stem.conv 64×112×112 → max_pool 64×56×56``."""
    steps = [printable(f"{step.name} {shape(step.shape)}") for step in chain.steps]
    return " → ".join((["…"] if chain.is_cut else []) + steps)


# -- figures --------------------------------------------------------------------------------------

_NUMBER: Final = re.compile(r"(?<![\w.])\d{4,}(?![\w.])")


def grouped_digits(text: str) -> str:
    """A formula with its numbers as tables have them: ``2·115,605,504``."""
    return _NUMBER.sub(lambda found: count(int(found[0])), text)


def figure(value: int | Fraction) -> str:
    """``115,605,504``; a fraction as one, and a minus sign that is one."""
    text = count(value) if isinstance(value, int) else str(value)
    return text.replace("-", "−")


def value_text(derivation: Derivation) -> str:
    """The value with its unit where its name does not say it: ``401,408 bytes (392.00 KiB)``."""
    value = figure(derivation.value)
    if derivation.unit != "bytes":
        return value
    large = isinstance(derivation.value, int) and derivation.value >= 1024
    return f"{value} bytes" + (f" ({byte_size(cast('int', derivation.value))})" if large else "")


def steps_of(derivation: Derivation) -> tuple[str, ...]:
    """Formula, substitution and value, each once where two are the same; of a tensor its shape."""
    if derivation.shape:
        unit = derivation.unit.removesuffix("s") if derivation.value == 1 else derivation.unit
        number = f"{figure(derivation.value)} {unit}"
        if len(derivation.sizes) == 1:
            return derivation.shape, number
        return tuple(dict.fromkeys((derivation.shape, shape(derivation.sizes), number)))
    value = figure(derivation.value)
    steps = (derivation.formula, grouped_digits(derivation.substituted), value)
    different = [step for step in dict.fromkeys(steps) if step]
    return (*different[:-1], value_text(derivation)) if different[-1] == value else (*different,)


def shown_derivations(explanation: LayerExplanation, topic: Topic) -> tuple[Derivation, ...]:
    """What people are told about a topic; of a large matrix nothing.

    Axes of the same formula, but for their letter, and the same value stand in one.
    """
    matrix = explanation.matrix
    if topic is Topic.MATRIX and (matrix is None or matrix.entries is None):
        return ()
    told: dict[Derivation, list[Derivation]] = {}
    for each in explanation.about(topic):
        told.setdefault(_without_axis(each), []).append(each)
    return tuple(
        alike[0]._replace(name=_joined_names([each.name for each in alike]))
        for alike in told.values()
    )


_AXIS_WORDS: Final = {
    axis: {word: f"•{n}" for n, word in enumerate(words)}
    for axis, words in {
        "d": ("depth", "front", "back", "P_d"),
        "h": ("height", "top", "bottom", "P_h"),
        "w": ("width", "left", "right", "P_w"),
    }.items()
}
"""The words of each axis in the names of derivations, and what stands for that of any."""
_WORD: Final = re.compile(r"\w+")


def _without_axis(each: Derivation) -> Derivation:
    """The derivation with the same for the letters of its axis as another has for its own."""
    if not each.axis:
        return each
    words = _AXIS_WORDS[each.axis]
    return each._replace(
        name=_WORD.sub(lambda found: words.get(found[0], found[0]), each.name),
        formula=_NAME.sub(lambda found: _any_axis(found[0], each.axis), each.formula),
        axis="•",
    )


def _any_axis(symbol: str, axis: str) -> str:
    """``•_out`` for H_out, ``k_•`` for k_h."""
    first, *others = symbol.split("_")
    return "_".join(
        (
            "•" if first == axis.upper() else first,
            *("•" if part == axis else part for part in others),
        )
    )


def _joined_names(names: list[str]) -> str:
    """``output height and width``: what is not the same in all of them stands with "and"."""
    parts = zip(*(re.split(r"(\W+)", name) for name in names), strict=True)
    return "".join(
        same[0] if len(same) == 1 else f"{', '.join(same[:-1])} and {same[-1]}"
        for same in (tuple(dict.fromkeys(part)) for part in parts)
    )


_NAME: Final = re.compile(r"[^\W\d⁰¹²³⁴⁵⁶⁷⁸⁹][^\W⁰¹²³⁴⁵⁶⁷⁸⁹]*")
"""A symbol in a formula, without its power."""


def shown_legend(explanation: LayerExplanation) -> tuple[LegendEntry, ...]:
    """The symbols of what people are told."""
    used = {
        name
        for topic in Topic
        for each in shown_derivations(explanation, topic)
        for name in _NAME.findall(f"{each.formula} {each.shape}")
    }
    return tuple(entry for entry in explanation.legend if entry.symbol in used)


def matrix_cells(matrix: ConvolutionMatrix) -> list[list[str]]:
    """The entries of a small matrix: ``w01`` is the weight in row 0 and column 1 of the kernel.

    Where each row has a kernel of its own its number stands before: ``w2,01`` is of the second.
    """
    separator = "" if all(size <= 10 for size in matrix.kernel) else ","
    is_own = matrix.sharing is Sharing.NONE
    return [
        [
            "0"
            if entry is None
            else f"w{f'{number},' if is_own else ''}{separator.join(map(str, entry))}"
            for entry in entries
        ]
        for number, entries in enumerate(matrix.entries or (), start=1)
    ]


def shares_of(term: Term, whole: MetricSum) -> str:
    """``9.5 %`` of the sum."""
    return f"{100 * term.value / whole.value:.1f} %" if whole.value else ""


# -- sentences ------------------------------------------------------------------------------------


def notes_of(layer: ExplainedLayer) -> Iterator[str]:
    """What there is to know of a layer beside its numbers."""
    row = layer.row
    if layer.is_narrowed and not layer.explanation.derivations:
        yield "It has no number of what `--metric` asks for."
    if row.shares_weights_with is not None:
        yield (
            f"It uses the weights of `{printable(row.shares_weights_with)}`: they count there, "
            "once, its operations here."
        )
    if row.layer.memory is Memory.VIEW:
        yield "A view: its output is the memory of its input, and nothing is allocated."
    elif row.layer.memory is Memory.IN_PLACE:
        yield (
            "In place its output may take over the memory of an input: `--in-place` of `analyze` "
            "and `explain`."
        )


_HOW: Final = {
    How.DECLARED: "variable of the spec",
    How.VARIANT: "as the variant has it",
    How.ARGUMENT: "argument of `{}`",
    How.DEFAULT: "default of `{}`",
    How.ROUND: "in this round of the loop",
    How.COUNTER: "the number of the round, from 0",
}


def set_values(origin: LayerOrigin) -> tuple[SetValue, ...]:
    """Where the fields were set, then the variables that they were worked out from.

    A variable that is just handed on, ``{stride: stride}``, is told where it was given a value.
    """
    found: list[SetValue] = []
    seen: set[tuple[str, int]] = set()
    given = [
        field for field in (*origin.fields, origin.chosen_by) if field and not field.is_default
    ]
    waiting: list[VariableOrigin] = []
    for field in given:
        source = _source(field)
        told = _set_value(field.name, source, is_field=True)
        if isinstance(source, VariableOrigin):  # the field's own line, then where that was set
            seen.add((source.name, id(source)))
            by = " at" if source.place is not None and source.how is not How.SETTING else ""
            origin_text = f"`{printable(source.name)}`{by} {told.where}"
            told = told._replace(where=f"{_where(field.place, '')}; {origin_text}")
        found.append(told)
        waiting += source.variables
    position = 0
    while position < len(waiting):
        variable = waiting[position]
        position += 1
        source = _source(variable)
        if (variable.name, id(source)) not in seen:
            seen.add((variable.name, id(source)))
            told = _set_value(variable.name, source, is_field=False)
            if all(told._replace(is_field=known.is_field) != known for known in found):
                found.append(told)
            waiting += source.variables
    return tuple(found)


def _source(origin: FieldOrigin | VariableOrigin) -> FieldOrigin | VariableOrigin:
    """What gave the value, past those that just hand it on."""
    while len(origin.variables) == 1 and origin.text == origin.variables[0].name:
        origin = origin.variables[0]
    return origin


def _set_value(name: str, source: FieldOrigin | VariableOrigin, *, is_field: bool) -> SetValue:
    value = written_value(source.value)
    expression = printable(source.text)
    if isinstance(source, FieldOrigin):
        return SetValue(name, "", expression, value, _where(source.place, ""), is_field)
    variable = printable(source.name) if source.name != name else ""
    if source.how is How.SETTING:
        where = "by `--set`"
    elif source.how is How.CHANNELS:
        where, expression = f"channels of `{expression}`", value
    else:
        where = _where(source.place, _HOW[source.how].format(printable(source.block or "")))
        if source.how is How.COUNTER:
            expression = value
    return SetValue(name, variable, expression, value, where, is_field)


def _where(place: object, how: str) -> str:
    return ", ".join(filter(None, (printable(str(place)) if place else "", how)))


def written_value(value: object) -> str:
    """A value as the spec language writes it."""
    text = _written(value)
    return printable(text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…")


def _written(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(_written, value))}]"
    return str(value)


# -- totals ---------------------------------------------------------------------------------------


def narrowed(
    part: ExplainedLayer | ExplainedTotals, metrics: frozenset[str]
) -> ExplainedLayer | ExplainedTotals:
    """What is told of some metrics alone, by their keys."""
    if isinstance(part, ExplainedTotals):
        return part._replace(
            totals=part.totals._replace(
                sums=tuple(each for each in part.totals.sums if each.metric.key in metrics)
            ),
            others=tuple(each for each in part.others if each.metric.key in metrics),
        )
    told = part.explanation
    kept = tuple(
        each
        for each in told.derivations
        if each.metric in metrics
        or (each.topic is Topic.RECEPTIVE_FIELD and Topic.RECEPTIVE_FIELD.name.lower() in metrics)
    )
    return part._replace(explanation=told._replace(derivations=kept, matrix=None), is_narrowed=True)


def told_sums(part: ExplainedTotals) -> tuple[MetricSum, ...]:
    """The sums that are worth telling: those of something, and what every network has.

    If all are of nothing, as of a metric that was asked for by name, that is what there is to tell.
    """
    always = ("params", "macs", "flops")
    every = (*part.totals.sums, *part.others)
    return tuple(each for each in every if each.value or each.metric.key in always) or every


def notes_of_totals(part: ExplainedTotals, analysis: Analysis) -> Iterator[str]:
    """What there is to know of totals beside their terms."""
    rows = analysis.layers
    if not part.is_network:
        rows = tuple(row for row in rows if row.name.startswith(f"{part.totals.name}."))
    if any(row.shares_weights_with is not None for row in rows):
        yield "Shared weights count once, where they are used first."
    if part.is_network:
        yield from order_lines(analysis)


def name_within(part: ExplainedTotals, term: Term) -> str:
    """The name of a term, in a group without the group's."""
    return term.name if part.is_network else term.name.removeprefix(f"{part.totals.name}.")


def formulas_of(sum_: MetricSum) -> tuple[tuple[str, str], ...]:
    """The formulas of the terms, each once, with the kinds of layers that have it."""
    kinds: dict[str, dict[str, None]] = {}
    for term in sum_.terms:
        if term.formula:
            kinds.setdefault(term.formula, {})[term.kind] = None
    return tuple((", ".join(names), formula) for formula, names in kinds.items())


def memory_sums(analysis: Analysis) -> tuple[MetricSum, ...]:
    """The totals of a network that layers do not add up to: what is live at the peak, and so on."""
    names = [*(name for name, _ in analysis.inputs), *(row.name for row in analysis.layers)]
    kinds = ["input"] * len(analysis.inputs) + [row.kind for row in analysis.layers]
    peak = analysis.peak
    live = [
        Term(names[tensor.node], kinds[tensor.node], "", "", tensor.size)
        for tensor in analysis.liveness.live_in(peak.step)
    ]
    training = analysis.training
    kept = {
        group.name: sum(training.kept.of_nodes[position] for position in positions)
        for group, positions in _positions(analysis)
    }
    parts = [
        ("weights", training.weights),
        ("gradients", training.gradients),
        (f"state of the optimiser ({training.optimizer})", training.optimizer_state),
    ]
    inputs = sum(training.kept.of_nodes[: len(analysis.inputs)])
    return (
        MetricSum(metric("peak_activation_bytes"), _few(live), peak.size),
        MetricSum(
            metric("inference_bytes"),
            (
                Term("weights", "", "", "", analysis.weight_bytes),
                Term("peak activations", "", "", "", peak.size),
            ),
            analysis.inference_bytes,
        ),
        MetricSum(
            metric("training_bytes"),
            (
                *_few(
                    Term(f"kept for {name}", "", "", "", size)
                    for name, size in [("the inputs", inputs), *kept.items()]
                    if size
                ),
                *(Term(name, "", "", "", size) for name, size in parts if size),
            ),
            analysis.training_bytes,
        ),
    )


def _positions(analysis: Analysis) -> Iterator[tuple[GroupCost, list[int]]]:
    """The top groups with the positions of their layers among all nodes."""
    numbers = {row.name: n for n, row in enumerate(analysis.layers, start=len(analysis.inputs))}
    for group in groups_at(analysis, 1):
        yield group, [numbers[row.name] for row in group.layers]


def _few(terms: Iterable[Term]) -> tuple[Term, ...]:
    """The largest terms in their order, and the others as one."""
    found = tuple(terms)
    if len(found) <= MOST_TERMS:
        return found
    by_size = sorted(range(len(found)), key=lambda n: (-found[n].value, n))
    largest = set(by_size[: MOST_TERMS - 1])
    rest = [term.value for n, term in enumerate(found) if n not in largest]
    others = Term(f"{len(rest):,} others", "", "", "", sum(rest))
    return (*(found[n] for n in sorted(largest)), others)
