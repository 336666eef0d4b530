"""Explanations as GitHub-flavoured Markdown: a table for each thing that there is to tell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from convcalc.analysis.cost import Analysis
from convcalc.analysis.explanation import Topic
from convcalc.errors import printable
from convcalc.reports.analyze import analysis_sheet, definitions, inputs_text, titled
from convcalc.reports.explained import (
    TOPIC_TITLES,
    WHERE_SET,
    ExplainedLayer,
    ExplainedTotals,
    chain_text,
    figure,
    formulas_of,
    grouped_digits,
    matrix_cells,
    name_within,
    notes_of,
    notes_of_totals,
    set_values,
    shares_of,
    shown_derivations,
    shown_legend,
    steps_of,
    told_sums,
)
from convcalc.reports.figures import amount, shape
from convcalc.reports.markdown import markdown_text
from convcalc.reports.sheet import Column, Sheet

__all__ = ["explain_markdown"]


def explain_markdown(
    analysis: Analysis, parts: Iterable[ExplainedLayer | ExplainedTotals], *, has_table: bool
) -> str:
    """The parts, one after the other, behind the layer table if that is asked for."""
    sheets = [analysis_sheet(analysis)._replace(lines=())] if has_table else []
    for part in parts:
        sheets += _layer(part) if isinstance(part, ExplainedLayer) else _totals(part, analysis)
    meant = definitions(f"input {inputs_text(analysis)}", analysis.batch, analysis.dtypes)
    sheets[-1] = sheets[-1]._replace(lines=(*sheets[-1].lines, printable(meant)))
    return "\n".join(map(markdown_text, sheets))


def _words(title: str) -> Column:
    return Column(title, is_number=False)


def _layer(part: ExplainedLayer) -> Iterator[Sheet]:
    row, told, origin = part.row, part.explanation, part.origin
    inputs = [
        ("input" if len(part.inputs) == 1 else f"input {n}", shape(sizes), chain_text(chain))
        for n, (chain, sizes) in enumerate(zip(part.inputs, row.input_shapes, strict=True), start=1)
    ]
    notes = [told.law.partition("\n\n")[0], *notes_of(part)]
    if origin is not None:
        notes.append(
            f"At {origin.place}"
            + "".join(
                f", {'once more as' if step.shares else 'in block'} {step.name} at {step.place}"
                for step in origin.trail
            )
        )
    yield Sheet(
        title=printable(f"{row.name} · {row.kind}"),
        columns=(_words(""), _words("Shape"), _words("From")),
        rows=(*inputs, ("output", shape(row.output_shape), "")),
        lines=tuple(map(printable, notes)),
    )
    legend = shown_legend(told)
    if legend:
        yield Sheet(
            title="Symbols",
            columns=(_words("Symbol"), Column("Value"), _words("Meaning"), _words("Field")),
            rows=tuple(
                (entry.symbol, figure(entry.value), entry.meaning, entry.field or "")
                for entry in legend
            ),
        )
    values = set_values(origin) if origin is not None and not part.is_narrowed else ()
    if values:
        yield Sheet(
            title=WHERE_SET,
            columns=(_words("Name"), _words("As written"), _words("Value"), _words("Where")),
            rows=tuple(
                (
                    each.name,
                    " = ".join(filter(None, (each.variable, each.expression))),
                    each.value,
                    each.where,
                )
                for each in values
            ),
        )
    for topic in Topic:
        found = shown_derivations(told, topic)
        if found:
            yield Sheet(
                title=TOPIC_TITLES[topic],
                columns=(_words(""), _words("Formula"), _words("With values"), Column("Value")),
                rows=tuple(
                    (
                        printable(each.name),
                        each.shape or each.formula,
                        shape(each.sizes) if each.shape else grouped_digits(each.substituted),
                        steps_of(each)[-1],
                    )
                    for each in found
                ),
                lines=tuple(dict.fromkeys(printable(each.note) for each in found if each.note)),
            )
    matrix = told.matrix
    if matrix is not None and matrix.entries is not None:
        yield Sheet(
            title="C",
            columns=tuple(Column(str(n)) for n in range(1, matrix.columns + 1)),
            rows=tuple(map(tuple, matrix_cells(matrix))),
        )


def _totals(part: ExplainedTotals, analysis: Analysis) -> Iterator[Sheet]:
    name = part.totals.name
    title = titled(name, analysis) if part.is_network else name
    notes = tuple(notes_of_totals(part, analysis))
    for each in told_sums(part):
        unit = each.metric.unit
        formulas = tuple(f"{kinds}: {formula}" for kinds, formula in formulas_of(each))
        yield Sheet(
            title=printable(f"{title}: {each.metric.noun}"),
            columns=(
                _words("Layer"),
                _words("Kind"),
                _words("With values"),
                Column("Value"),
                Column("%"),
            ),
            rows=tuple(
                (
                    printable(name_within(part, term)),
                    term.kind,
                    grouped_digits(term.substituted),
                    figure(term.value),
                    shares_of(term, each),
                )
                for term in each.terms
            ),
            totals=(
                (
                    "Total",
                    "",
                    "" if unit != "bytes" or each.value < 1024 else amount(each.value, unit),
                    figure(each.value),
                    "",
                ),
            ),
            lines=(f"{each.metric.title}: {each.metric.definition}.", *formulas, *notes),
        )
        notes = ()
