"""The list of the networks that ship with convcalc."""

from __future__ import annotations

import json
from collections.abc import Sequence

from convcalc.analysis.cost import Analysis
from convcalc.reports.csv_report import written
from convcalc.reports.figures import count
from convcalc.reports.report import Report
from convcalc.reports.sheet import Column, Sheet

__all__ = ["specs_report"]


def specs_report(analyses: Sequence[Analysis]) -> Report:
    """Every network with the name to call it by, its size and its source."""
    header = ["name", "params", "macs", "source"]
    rows = [[_callable_name(a), a.params, a.macs, a.source or ""] for a in analyses]
    sheet = Sheet(
        title="Networks that ship with convcalc",
        columns=(
            Column("Name", is_number=False),
            Column("Parameters"),
            Column("Multiply-adds"),
            Column("Source", is_number=False, dropped=1),
        ),
        rows=tuple(
            (_callable_name(a), count(a.params), count(a.macs), a.source or "") for a in analyses
        ),
    )
    return Report(
        lambda _: [sheet],
        lambda: (
            json.dumps({"specs": [dict(zip(header, row, strict=True)) for row in rows]}, indent=1)
            + "\n"
        ),
        lambda: written(header, rows),
    )


def _callable_name(analysis: Analysis) -> str:
    """What a command takes for this network: ``resnet::resnet50``."""
    path, separator, variant = analysis.spec.partition("::")
    return path.removeprefix("specs/").removesuffix(".yaml") + separator + variant
