"""Reports as comma-separated values, raw integers: one row a layer, or a network and metric."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from convcalc.analysis.comparison import Comparison
from convcalc.analysis.cost import Analysis
from convcalc.analysis.metrics import METRICS, value_of
from convcalc.reports.compare import SUMMARY_METRICS

__all__ = ["comparison_csv", "networks_csv", "written"]


def networks_csv(analyses: Sequence[Analysis]) -> str:
    """Every layer of every network."""
    keys = [each.key for each in METRICS if each.of_layers]
    header = ["network", "name", "kind", "inputs", "output_shape", *keys]
    return written(
        header,
        (
            [
                analysis.name,
                layer.name,
                layer.kind,
                " ".join(layer.inputs),
                "x".join(map(str, layer.output_shape)),
                *(value_of(key, layer) for key in keys),
            ]
            for analysis in analyses
            for layer in analysis.layers
        ),
    )


def comparison_csv(comparison: Comparison) -> str:
    """Every metric of every network, with its ratio to the reference."""
    return written(
        ["network", "metric", "value", "ratio"],
        (
            [
                network.name,
                key,
                value_of(key, network),
                "" if (value := comparison.ratio(key, network)) is None else float(value),
            ]
            for network in comparison.networks
            for key in SUMMARY_METRICS
        ),
    )


def written(header: list[str], rows: Iterable[list[object]]) -> str:
    """Rows under a header, as a CSV text."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
