"""The report of networks side by side with what they cost as formulas."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator, Sequence
from typing import IO, Final, NamedTuple

from convcalc.analysis.comparison import Comparison
from convcalc.analysis.freed_costs import FreedCosts
from convcalc.analysis.metrics import value_of
from convcalc.metrics import metric
from convcalc.reports.analyze import definitions
from convcalc.reports.compare import verdicts
from convcalc.reports.csv_report import csv_text
from convcalc.reports.figures import count, ratio
from convcalc.reports.formula import conditions, filled, restored_text, wrapped, written
from convcalc.reports.formula_json import condition_json, formula_json
from convcalc.reports.json_report import network_json, ratios_json
from convcalc.reports.json_text import report_text
from convcalc.reports.plain import plain_text
from convcalc.reports.report import EXPORT_WIDTH
from convcalc.reports.sheet import Column, Sheet

__all__ = ["COMPARED", "FormulaComparisonReport", "formula_comparison_sheet"]

COMPARED: Final = ("params", "macs")
"""The metrics whose formulas stand in the table."""

LONGEST_CELL: Final = 48
"""Columns of a formula in a table; with longer ones they stand below it."""


class FormulaComparisonReport(NamedTuple):
    """Networks and their formulas, in the same order, in whichever format is asked for."""

    comparison: Comparison
    costs: tuple[FreedCosts, ...]
    version: str
    """Of convcalc."""

    def text(self, format_: str) -> str:
        """The report in one of `convcalc.reports.report.FORMATS`."""
        if format_ == "json":
            return self._json()
        if format_ == "csv":
            return self._csv()
        if format_ == "table":
            drawn = io.StringIO()
            self.draw(drawn, color=False, width=EXPORT_WIDTH)
            return drawn.getvalue()
        sheet = formula_comparison_sheet(self.comparison, self.costs)
        sheet = sheet._replace(lines=(*self._below(), *sheet.lines))
        if format_ == "markdown":
            from convcalc.reports.markdown import markdown_text  # noqa: PLC0415 - if asked for

            return markdown_text(sheet)
        return plain_text(sheet)

    def draw(self, stream: IO[str], *, color: bool, width: int | None) -> None:
        """The table drawn on a terminal, with long formulas below it, each on lines of its own."""
        from convcalc.reports.table import print_table  # noqa: PLC0415 - rich takes its time

        width = width or shutil.get_terminal_size().columns
        sheet = formula_comparison_sheet(self.comparison, self.costs)
        below = [line for formula in self._below() for line in wrapped(formula, width)]
        print_table(
            sheet._replace(lines=() if below else sheet.lines), stream, color=color, width=width
        )
        if below:
            stream.write("\n".join([*below, "", ""]))
            for line in sheet.lines:
                stream.write("\n".join([*filled(line, width), ""]))

    def _below(self) -> tuple[str, ...]:
        """The formulas, if they are too long for the table."""
        return () if _are_short(self.costs) else tuple(_equations(self.comparison, self.costs))

    def _json(self) -> str:
        return report_text(
            self.version,
            networks=[
                network_json(network) | {"formulas": dict(_formulas_json(each))}
                for network, each in zip(self.comparison.networks, self.costs, strict=True)
            ],
            comparison=ratios_json(self.comparison),
        )

    def _csv(self) -> str:
        return csv_text(
            ["name", *(f"{key}{what}" for key in COMPARED for what in ("", "_formula"))],
            (
                [
                    network.name,
                    *(
                        cell
                        for key in COMPARED
                        for cell in (value_of(key, network), _cell(each, key).replace(",", ""))
                    ),
                ]
                for network, each in zip(self.comparison.networks, self.costs, strict=True)
            ),
        )


def formula_comparison_sheet(comparison: Comparison, costs: Sequence[FreedCosts]) -> Sheet:
    """Parameters and multiply-adds of each network as formulas, as numbers, and their ratios.

    Without the formulas if one of them is too long for a table.
    """
    reference = comparison.networks[comparison.reference]
    has_formulas = _are_short(costs)
    columns = [Column("Network", is_number=False, is_name=True)]
    for key in COMPARED:
        title = metric(key).title
        if has_formulas:
            columns += [Column(title, is_number=False), Column("number"), Column("ratio")]
        else:
            columns += [Column(title), Column("ratio")]
    rows = []
    for network, each in zip(comparison.networks, costs, strict=True):
        row = [network.name]
        for key in COMPARED:
            row += [
                *([_cell(each, key)] if has_formulas else []),
                count(value_of(key, network)),
                "" if network is reference else ratio(comparison.ratio(key, network)),
            ]
        rows.append(tuple(row))
    return Sheet(
        title=f"Comparison with {reference.name}",
        columns=tuple(columns),
        rows=tuple(rows),
        lines=(
            *_conditions(comparison, costs),
            *_own_values(costs),
            *_batches(costs),
            *(verdicts(comparison) if len(comparison.networks) == 2 else ()),
            definitions("each for its input", reference.batch, reference.dtypes),
        ),
    )


def _are_short(costs: Sequence[FreedCosts]) -> bool:
    return all(len(_cell(each, key)) <= LONGEST_CELL for each in costs for key in COMPARED)


def _cell(costs: FreedCosts, key: str) -> str:
    formula = costs.formulas.value(key)
    return restored_text(costs, formula) or written(formula)


def _equations(comparison: Comparison, costs: Sequence[FreedCosts]) -> Iterator[str]:
    for network, each in zip(comparison.networks, costs, strict=True):
        for key in COMPARED:
            yield f"{network.name}: {metric(key).noun} = {_cell(each, key)}"


def _conditions(comparison: Comparison, costs: Sequence[FreedCosts]) -> Iterator[str]:
    """What formulas hold for; with the names of the networks, if it is not the same for all."""
    lines: dict[str, list[str]] = {}
    for network, each in zip(comparison.networks, costs, strict=True):
        for line in conditions(each):
            lines.setdefault(line, []).append(network.name)
    for line, names in lines.items():
        yield (
            line if len(names) == len(costs) else f"{', '.join(names)}: {line[0].lower()}{line[1:]}"
        )


def _own_values(costs: Sequence[FreedCosts]) -> Iterator[str]:
    """The numbers that what is free has in the specs, where it stands in a formula."""
    values: dict[str, list[str]] = {}
    for each in costs:
        symbols = set(each.formulas.symbols)
        for name, stands in each.assumptions.values:
            if not isinstance(stands, int) and not symbols.isdisjoint(stands.symbols):
                symbols.add(name)
        for name, value in each.own:
            if name in symbols and value is not None:
                values.setdefault(name, []).append(str(value))
    if values:
        found = (f"{name} = {' or '.join(dict.fromkeys(each))}" for name, each in values.items())
        yield f"The numbers are for {', '.join(found)}."


def _batches(costs: Sequence[FreedCosts]) -> Iterator[str]:
    free = (each.formulas.batch for each in costs)
    for batch in dict.fromkeys(str(each) for each in free if not isinstance(each, int)):
        yield f"Multiply-adds with {batch} in them are those of {batch} samples."


def _formulas_json(costs: FreedCosts) -> Iterator[tuple[str, object]]:
    yield "free", list(costs.names)
    yield "assumptions", list(costs.assumptions.texts)
    yield (
        "substitutions",
        [{"name": name, **formula_json(value)} for name, value in costs.assumptions.values],
    )
    yield "conditions", [condition_json(each) for each in costs.conditions]
    for key in COMPARED:
        yield key, formula_json(costs.formulas.value(key))
