"""The list of the networks that ship with convcalc."""

from __future__ import annotations

import json
from collections.abc import Sequence

from convcalc.analysis.cost import NetworkTotal
from convcalc.reports.csv_report import csv_text
from convcalc.reports.figures import count
from convcalc.reports.report import Report
from convcalc.reports.sheet import Column, Sheet

__all__ = ["specs_report"]


def specs_report(networks: Sequence[NetworkTotal]) -> Report:
    """Every network with the name to call it by, its size and its source."""
    header = ["name", "params", "macs", "source"]
    rows = [[_callable_name(n), n.cost.params, n.cost.macs, n.source or ""] for n in networks]
    sources = {_callable_name(n).partition("::")[0]: n.source or "" for n in networks}
    sheet = Sheet(
        title="Networks that ship with convcalc",
        columns=(
            Column("Name", is_number=False),
            Column("Parameters"),
            Column("Multiply-adds"),
            Column("Source", is_number=False, dropped=1),
        ),
        rows=tuple(
            (_callable_name(n), count(n.cost.params), count(n.cost.macs), n.source or "")
            for n in networks
        ),
        instead=tuple(f"{name}: {source}" for name, source in sources.items()),
    )
    return Report(
        lambda _: [sheet],
        lambda: (
            json.dumps({"specs": [dict(zip(header, row, strict=True)) for row in rows]}, indent=1)
            + "\n"
        ),
        lambda: csv_text(header, rows),
    )


def _callable_name(network: NetworkTotal) -> str:
    """What a command takes for this network: ``resnet::resnet50``."""
    path, separator, variant = network.spec.partition("::")
    return path.removeprefix("specs/").removesuffix(".yaml") + separator + variant
