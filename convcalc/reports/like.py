"""The layer table of `convcalc analyze --like`: a network as another tool counts it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from convcalc.analysis.cost import Analysis
from convcalc.conventions.counting import Counted
from convcalc.conventions.written import Written
from convcalc.reports.analyze import AUTO_DEPTH, COLUMNS, Depth, capped, folded, titled
from convcalc.reports.csv_report import csv_text, networks_csv
from convcalc.reports.figures import count, percent, ratio
from convcalc.reports.json_report import network_json
from convcalc.reports.json_text import report_text
from convcalc.reports.reconcile import said_by, writing_lines, written_json
from convcalc.reports.report import Report
from convcalc.reports.sheet import Column, Sheet

__all__ = ["LIKE_COLUMNS", "like_report"]

LIKE_COLUMNS = ("name", "kind", "output", "params", "macs")
"""The columns before that of the tool's own count, unless others are asked for."""


def like_report(
    networks: Sequence[tuple[Analysis, Counted]],
    written: Sequence[Written],
    *,
    depth: Depth,
    columns: Iterable[str],
    version: str,
) -> Report:
    """Networks with what a tool counts of each layer. A ``depth`` of None is the format's own.

    ``columns`` are keys of `convcalc.reports.analyze.COLUMNS`, which stand before the tool's.
    """
    names = tuple(columns)

    def sheets(usual: Depth) -> Sequence[Sheet]:
        chosen = usual if depth is None else None if depth == "all" else depth
        return [_sheet(*network, written, chosen, names) for network in networks]

    return Report(sheets, lambda: _json(networks, written, version), lambda: _csv(networks))


def _sheet(
    analysis: Analysis,
    counted: Counted,
    written: Sequence[Written],
    depth: Depth,
    columns: tuple[str, ...],
) -> Sheet:
    amounts = {layer.name: layer.amount for layer in counted.layers}
    cells = [COLUMNS[name] for name in columns]
    convention = counted.convention
    rows = []
    for group in folded(analysis, depth):
        amount = sum(amounts[layer.name] for layer in group.layers)
        told = (count(amount), percent(amount, counted.total))
        rows.append((*(cell.of_group(group, analysis) for cell in cells), *told))
    factor = ratio(counted.ratio)  # nothing of a network without multiply-adds
    beside = f", {factor} the multiply-adds" if factor else ""
    lines = [
        f"Counted as {said_by(convention)}: {count(counted.total)}{beside}; on one sample. "
        f"`convcalc reconcile` tells the difference.",
        *writing_lines(analysis, written),
    ]
    if depth == AUTO_DEPTH:
        folds = len(rows) < len(analysis.layers)
        rows, hidden = capped(rows)
        if hidden is not None:
            lines.insert(0, hidden)
        elif folds:
            lines.insert(0, "Layers are folded into groups; `--depth all` shows every layer.")
    total = (count(counted.total), percent(counted.total, counted.total))
    return Sheet(
        title=titled(analysis.name, analysis),
        columns=(
            *(cell.column for cell in cells),
            Column(f"{convention.name} {convention.word}"),
            Column("%", dropped=2),
        ),
        rows=tuple(rows),
        totals=((*(cell.of_total(analysis) for cell in cells), *total),),
        lines=tuple(lines),
    )


def _json(
    networks: Sequence[tuple[Analysis, Counted]], written: Sequence[Written], version: str
) -> str:
    return report_text(
        version,
        networks=[
            network_json(analysis) | {"like": _counted_json(analysis, counted, written)}
            for analysis, counted in networks
        ],
    )


def _counted_json(
    analysis: Analysis, counted: Counted, written: Sequence[Written]
) -> dict[str, object]:
    convention = counted.convention
    return {
        "convention": convention.name,
        "version": convention.version or None,
        "word": convention.word,
        "written": written_json(analysis, written),
        "total": counted.total,
        "layers": [{"name": each.name, "count": each.amount} for each in counted.layers],
    }


def _csv(networks: Sequence[tuple[Analysis, Counted]]) -> str:
    header, *rows = csv.reader(io.StringIO(networks_csv([analysis for analysis, _ in networks])))
    counted = networks[0][1].convention

    def with_counts() -> Iterator[list[object]]:
        amounts = (each.amount for _, count_ in networks for each in count_.layers)
        for row, amount in zip(rows, amounts, strict=True):
            yield [*row, amount]

    return csv_text([*header, counted.name], with_counts())
