"""Reports as comma-separated values, raw integers: one row a layer, or a network and metric."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from convcalc.analysis.comparison import Comparison
from convcalc.analysis.cost import Analysis
from convcalc.analysis.devices import Device
from convcalc.analysis.intensity import roofline, traffic
from convcalc.analysis.metrics import value_of
from convcalc.metrics import METRICS
from convcalc.reports.compare import SUMMARY_METRICS

__all__ = ["comparisons_csv", "csv_text", "networks_csv"]


def networks_csv(
    analyses: Sequence[Analysis], *, memory: bool = False, device: Device | None = None
) -> str:
    """Every layer of every network; with what is live in its step, and with its least time."""
    keys = [each.key for each in METRICS if each.of_layers]
    header = ["network", "name", "kind", "inputs", "output_shape", *keys]
    header += ["read_bytes", "written_bytes"]
    header += ["live_bytes"] if memory else []
    header += ["time", "bound"] if device else []
    return csv_text(
        header, (row for each in analyses for row in _layers(each, keys, device, memory=memory))
    )


def _layers(
    analysis: Analysis,
    keys: Sequence[str],
    device: Device | None,
    *,
    memory: bool,
) -> Iterator[list[object]]:
    times = roofline(analysis, device).layers if device else ()
    for number, layer in enumerate(analysis.layers):
        moved = traffic(layer, batch=analysis.batch, dtypes=analysis.dtypes)
        row: list[object] = [
            analysis.name,
            layer.name,
            layer.kind,
            " ".join(layer.inputs),
            "x".join(map(str, layer.output_shape)),
            *(value_of(key, layer) for key in keys),
            *moved,
        ]
        if memory:
            row.append(analysis.liveness.steps[len(analysis.inputs) + number])
        if times:
            bound = times[number].bound
            row += [float(times[number].time), bound.value if bound else ""]
        yield row


def comparisons_csv(comparisons: Iterable[Comparison]) -> str:
    """Every metric of every network, with its ratio to the reference of its comparison."""
    return csv_text(
        ["network", "metric", "value", "ratio"],
        (
            [
                network.name,
                key,
                value_of(key, network),
                "" if (value := comparison.ratio(key, network)) is None else float(value),
            ]
            for comparison in comparisons
            for network in comparison.networks
            for key in SUMMARY_METRICS
        ),
    )


def csv_text(header: list[str], rows: Iterable[list[object]]) -> str:
    """Rows under a header, as a CSV text."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
