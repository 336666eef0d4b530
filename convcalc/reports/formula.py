"""The report of `convcalc formula`, in any of its formats."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from fractions import Fraction
from typing import IO, Final, NamedTuple, cast

from convcalc.algebra.conditions import exact_fraction
from convcalc.algebra.notation import text as formula_text
from convcalc.analysis.formulas import Formula, LayerFormula
from convcalc.analysis.freed_costs import FreedCosts, Scaling
from convcalc.analysis.growth import LeadingTerm, compound_factor
from convcalc.analysis.smallest_input import SmallestInput
from convcalc.metrics import Metric, metric
from convcalc.reports.analyze import definitions
from convcalc.reports.figures import count, ratio, shape
from convcalc.reports.plain import plain_text
from convcalc.reports.sheet import Column, Sheet

__all__ = [
    "FORMULA_FORMATS",
    "AlikeLayers",
    "FormulaReport",
    "NetworkReport",
    "alike_layers",
    "bytes_or_count",
    "conditions",
    "filled",
    "growth_sheet",
    "inputs_line",
    "layer_metrics",
    "restored_text",
    "smallest_line",
    "wrapped",
    "written",
]

FORMULA_FORMATS: Final = ("text", "latex", "python", "json", "markdown")

INDENT: Final = 4
"""Blanks before what goes on from the line above."""
MOST_NAMES: Final = 3
"""Layers that are named where several cost the same."""
SCALED: Final = ("depth", "width", "resolution")
"""What a plain network is scaled by, as specs call it."""


class NetworkReport(NamedTuple):
    """What there is to say of one network."""

    costs: FreedCosts
    smallest: SmallestInput | None
    """The smallest input; None if there is none in space."""
    has_layers: bool
    """Whether each layer was asked for."""


class FormulaReport(NamedTuple):
    """Costs of networks as formulas, in whichever format is asked for."""

    networks: tuple[NetworkReport, ...]
    version: str
    """Of convcalc."""

    def text(self, format_: str) -> str:
        """The report in one of `FORMULA_FORMATS`, whole and without escapes."""
        if format_ == "json":
            from convcalc.reports.formula_json import formulas_json  # noqa: PLC0415 - if asked for

            return formulas_json(self.networks, self.version)
        if format_ == "python":
            from convcalc.reports.formula_code import python_module  # noqa: PLC0415 - if asked for

            return python_module(self.networks, self.version)
        if format_ == "latex":
            from convcalc.reports.formula_code import latex_text  # noqa: PLC0415 - if asked for

            return latex_text(self.networks)
        if format_ == "markdown":
            from convcalc.reports.markdown import markdown_text  # noqa: PLC0415 - if asked for

            return "\n".join(markdown_text(s) for each in self.networks for s in _sheets(each))
        return "\n".join(
            "\n".join((*_lines(each, None), "", plain_text(growth_sheet(each)))).rstrip() + "\n"
            for each in self.networks
        )

    def draw(self, stream: IO[str], *, color: bool, width: int | None) -> None:
        """The ``text`` for a terminal, at most ``width`` columns wide (None: all that it has)."""
        from convcalc.reports.table import print_table  # noqa: PLC0415 - rich takes its time

        width = width or shutil.get_terminal_size().columns
        for number, each in enumerate(self.networks):
            if number:
                stream.write("\n")
            stream.write("\n".join((*_lines(each, width), "", "")))
            print_table(growth_sheet(each), stream, color=color, width=width)


def wrapped(text: str, width: int | None) -> list[str]:
    """A formula in lines of at most ``width`` columns (None: one), all but the first indented.

    It is broken before a plus or minus, or if there is none behind a ``·``; never inside a floor.
    """
    if width is None:
        return [text]
    sums: list[int] = []
    products: list[int] = []
    floors = 0
    for position, character in enumerate(text):
        floors += (character == "⌊") - (character == "⌋")
        if floors or not position:
            continue
        if character in "+−" and text[position - 1 : position + 2] == f" {character} ":
            sums.append(position)
        elif character == "·":
            products.append(position + 1)
    lines: list[str] = []
    start = 0
    while True:
        blanks = INDENT if lines else 0
        end = start + max(1, width - blanks)
        if len(text) <= end:
            break
        breaks = [each for each in sums if start < each <= end] or [
            each for each in products if start < each <= end
        ]
        later = [each for each in (*sums, *products) if each > end]
        if not breaks and not later:
            break
        # What cannot be broken stands out at the right: a number is never cut.
        at = max(breaks) if breaks else min(later)
        lines.append(" " * blanks + text[start:at].rstrip())
        start = at
    return [*lines, " " * (INDENT if lines else 0) + text[start:]]


def written(formula: Formula) -> str:
    """A formula, or a number with its thousands apart."""
    return count(formula) if isinstance(formula, int) else formula_text(formula)


def restored_text(costs: FreedCosts, formula: Formula) -> str | None:
    """The formula in what is free, exact where conditions make a floor so.

    None if it has no symbols of assumptions in it, and no such floor.
    """
    new = {
        s
        for _, value in costs.assumptions.values
        if not isinstance(value, int)
        for s in value.symbols
    } - set(costs.names)
    if isinstance(formula, int):
        return None
    if formula.symbols.isdisjoint(new):
        exact = exact_fraction(formula, costs.conditions)
        if exact is None:
            return None
        above, below = (_bracketed(written(each)) for each in exact)
        return f"{above}/({below})" if "·" in below else f"{above}/{below}"
    numerator, denominator = costs.assumptions.restored(formula)
    above = written(numerator)
    if denominator == 1:
        return above
    return f"{_bracketed(above)}/{denominator}"


def _bracketed(text: str) -> str:
    """A formula in brackets, if it is a sum: a plus or minus stands outside of all others."""
    level = 0
    for character in text:
        level += (character in "(⌊") - (character in ")⌋")
        if character == " " and not level:
            return f"({text})"
    return text


def inputs_line(costs: FreedCosts) -> str:
    """``input 3×H×W · batch N``, and the variables that were set."""
    formulas = costs.formulas
    inputs = ", ".join(
        ("" if len(formulas.inputs) == 1 else f"{name} ")
        + shape(tuple(_size(costs, size) for size in sizes))
        for name, sizes in formulas.inputs
    )
    return " · ".join(
        (
            formulas.name,
            *(f"{name}={value}" for name, value in formulas.settings),
            f"input {inputs}",
            f"batch {_size(costs, formulas.batch)}",
        )
    )


def _size(costs: FreedCosts, size: object) -> str:
    """A size of a shape in what is free, in brackets if it is a sum."""
    if isinstance(size, int):
        return str(size)
    # A shape is made of what the layers' formulas are: typed for derivations too.
    formula = cast("Formula", size)
    return _bracketed(restored_text(costs, formula) or written(formula))


def conditions(costs: FreedCosts) -> tuple[str, ...]:
    """What is assumed, what stands for what then, and what must hold beside; or nothing."""
    assumptions = costs.assumptions
    found = []
    if assumptions.texts:
        lines = f", so that {', '.join(assumptions.lines)}" if assumptions.lines else ""
        found.append(f"Only if {' and '.join(assumptions.texts)}{lines}.")
    if costs.conditions:
        texts = [
            f"({each.written()})"
            if len(each.alternatives) > 1 < len(costs.conditions)
            else each.written()
            for each in costs.conditions
        ]
        found.append(f"Only if {' and '.join(texts)}: other sizes are refused.")
    return tuple(found)


def bytes_or_count(key: str) -> str:
    """A metric's title with its unit, if that is bytes."""
    found = metric(key)
    return f"{found.title} (bytes)" if found.unit == "bytes" else found.title


def layer_metrics(costs: FreedCosts) -> tuple[Metric, ...]:
    """Of the metrics that were asked for, those that layers have too."""
    return tuple(
        found for key, _ in costs.formulas.totals for found in (metric(key),) if found.of_layers
    )


class AlikeLayers(NamedTuple):
    """Layers of one kind that cost the same."""

    layers: tuple[LayerFormula, ...]

    def title(self, costs: FreedCosts) -> str:
        """Their names, kind and output."""
        first = self.layers[0]
        names = [layer.name for layer in self.layers[:MOST_NAMES]]
        more = len(self.layers) - len(names)
        return " · ".join(
            (
                ", ".join(names) + (f" and {more} more" if more else ""),
                first.kind if len(self.layers) == 1 else f"{len(self.layers)} {first.kind} layers",
                f"output {shape(tuple(_size(costs, size) for size in first.output_shape))}",
            )
        )


def alike_layers(costs: FreedCosts) -> tuple[AlikeLayers, ...]:
    """The layers, those alike together, in the order of the first of each."""
    keys = [each.key for each in layer_metrics(costs)]
    alike: dict[tuple[str, ...], list[LayerFormula]] = {}
    for layer in costs.formulas.layers:
        # By their texts: formulas that are not the same cannot always be compared.
        key = (layer.kind, *map(str, layer.output_shape), *(str(layer.value(k)) for k in keys))
        alike.setdefault(key, []).append(layer)
    return tuple(AlikeLayers(tuple(layers)) for layers in alike.values())


def smallest_line(smallest: SmallestInput) -> str:
    """The smallest input, as far as it was found."""
    inputs = ", ".join(
        ("" if len(smallest.inputs) == 1 else f"{name} ") + shape(sizes)
        for name, sizes in smallest.inputs
    )
    if smallest.is_complete:
        return f"Smallest input that these layers accept: {inputs}."
    if not smallest.is_smaller:
        return f"No input smaller than {inputs} was found; one is not ruled out."
    return f"Accepted too: {inputs}; a smaller input is not ruled out."


def _lines(network: NetworkReport, width: int | None) -> Iterator[str]:
    costs = network.costs
    yield from filled(inputs_line(costs), width)
    for line in conditions(costs):
        yield from filled(line, width)
    yield ""
    for key, formula in costs.formulas.totals:
        yield from _equation(bytes_or_count(key), formula, costs, width)
    if network.has_layers:
        for alike in alike_layers(costs):
            yield ""
            yield from filled(alike.title(costs), width)
            shown = [(each, alike.layers[0].value(each.key)) for each in layer_metrics(costs)]
            for each, formula in shown:
                if not isinstance(formula, int) or formula:
                    for line in _equation(
                        bytes_or_count(each.key), formula, costs, width and width - 2
                    ):
                        yield f"  {line}"


def _equation(title: str, formula: Formula, costs: FreedCosts, width: int | None) -> Iterator[str]:
    yield from wrapped(f"{title} = {written(formula)}", width)
    restored = restored_text(costs, formula)
    if restored is not None:
        for line in wrapped(f"= {restored}", width and width - INDENT):
            yield " " * INDENT + line


def filled(line: str, width: int | None) -> list[str]:
    """A line of words in lines of at most ``width`` columns."""
    if width is None or len(line) <= width:
        return [line]
    from textwrap import wrap  # noqa: PLC0415 - on narrow terminals alone

    return wrap(line, width, subsequent_indent=" " * INDENT, break_long_words=False)


def growth_sheet(network: NetworkReport) -> Sheet:
    """The numbers at the sizes of the spec, the leading terms, and what doubling does."""
    costs = network.costs
    rows = []
    for position, (key, _) in enumerate(costs.formulas.totals):
        value, leading = costs.values[position], costs.leading[position]
        rows.append(
            (
                bytes_or_count(key),
                "–" if value is None else count(value),
                _leading_text(leading),
                *(
                    "–" if growth is None else _ratio(growth.ratio)
                    for scaling in costs.scalings
                    for growth in (scaling.growths[position],)
                ),
            )
        )
    own = [(name, value) for name, value in costs.own if value is not None]
    moved = dict(costs.moved)
    title = "Growth"
    if own:
        title = "At " + ", ".join(
            f"{name} = {value}" + (f" (nearest to {moved[name]})" if name in moved else "")
            for name, value in own
        )
    return Sheet(
        title=title,
        columns=(
            Column("", is_number=False),
            Column("Value"),
            Column("Grows as", is_number=False, dropped=1),
            *(Column(_factors_text(scaling)) for scaling in costs.scalings),
        ),
        rows=tuple(rows),
        lines=tuple(_notes(network)),
    )


def _leading_text(leading: tuple[LeadingTerm, ...] | None) -> str:
    if leading is None:
        return "–"
    if not any(term.factors for term in leading):
        return "not at all"
    return " + ".join(map(str, leading)).replace("+ −", "− ")


def _notes(network: NetworkReport) -> Iterator[str]:
    costs = network.costs
    formulas = costs.formulas
    own = dict(costs.own)
    for name, value in costs.moved:
        yield f"The spec has {name} = {value}, which is not as assumed: {own[name]} is the nearest."
    fractions = [f"{name} = {value}" for name, value in costs.own if isinstance(value, Fraction)]
    if fractions:
        yield (
            f"The values are of the network built with {', '.join(fractions)}; the formulas are "
            "for whole numbers."
        )
    if costs.refused is not None:
        yield f"No values: the network is refused there. {_sentence(costs.refused)}"
    for scaling in costs.scalings:
        names = [name for name, _ in scaling.factors]
        if scaling.refused is not None:
            if costs.refused is None:
                yield f"{_factors_text(scaling)} is refused: {_sentence(scaling.refused)}"
        elif scaling.by_numbers:
            yield (
                f"{_factors_text(scaling)}: the network was built anew, as not all of it is a "
                "formula."
            )
        if set(names) <= set(SCALED):
            factors = dict(scaling.factors)
            plain = compound_factor(*(factors.get(name, 1) for name in SCALED))
            powers = {"depth": "depth", "width": "width²", "resolution": "resolution²"}
            product = " · ".join(powers[name] for name in SCALED if name in factors)
            yield (
                f"{_factors_text(scaling)}: of a plain network the multiply-adds grow as "
                f"{product}, here {_ratio(plain)} (Tan and Le 2019, section 3.3)."
            )
    if any(leading is None for leading in costs.leading):
        yield "Grows as – where floors, or divisors that grow, leave open what outgrows the rest."
    if any(
        growth is None
        for scaling in costs.scalings
        if scaling.refused is None
        for growth in scaling.growths
    ):
        yield "– where a size would not be a whole number, or not be as assumed."
    if network.smallest is not None:
        yield smallest_line(network.smallest)
    batch = formulas.batch
    if not isinstance(batch, int):
        yield f"Counts and bytes are those of {formula_text(batch)} samples; weights are the same."
    yield definitions(
        "input as above", batch if isinstance(batch, int) else formula_text(batch), formulas.dtypes
    )


def _sentence(reason: str) -> str:
    """A finding's message with a full stop."""
    return f"{reason.rstrip('.')}."


def _ratio(value: Fraction | None) -> str:
    return ratio(value) or "–"


def _factors_text(scaling: Scaling) -> str:
    """``H, W ×2``; each factor by itself if they are not all the same."""
    if len({factor for _, factor in scaling.factors}) == 1:
        names = ", ".join(name for name, _ in scaling.factors)
        return f"{names} ×{_factor(scaling.factors[0][1])}"
    return ", ".join(f"{name} ×{_factor(factor)}" for name, factor in scaling.factors)


def _factor(factor: int | Fraction) -> str:
    if isinstance(factor, int):
        return str(factor)
    # A decimal as it was written, where it has an end.
    places = next((n for n in range(1, 7) if (factor * 10**n).denominator == 1), None)
    return str(factor) if places is None else f"{float(factor):.{places}f}"


def _sheets(network: NetworkReport) -> Iterator[Sheet]:
    costs = network.costs

    def cell(formula: Formula) -> str:
        restored = restored_text(costs, formula)
        return written(formula) + ("" if restored is None else f" = {restored}")

    yield Sheet(
        title=inputs_line(costs),
        columns=(Column("Metric", is_number=False), Column("Formula", is_number=False)),
        rows=tuple((bytes_or_count(key), cell(formula)) for key, formula in costs.formulas.totals),
        lines=conditions(costs),
    )
    if network.has_layers:
        shown = layer_metrics(costs)
        yield Sheet(
            title=f"Layers of {costs.formulas.name}",
            columns=(
                Column("Layer", is_number=False),
                *(Column(bytes_or_count(each.key), is_number=False) for each in shown),
            ),
            rows=tuple(
                (alike.title(costs), *(cell(alike.layers[0].value(each.key)) for each in shown))
                for alike in alike_layers(costs)
            ),
        )
    yield growth_sheet(network)
