"""The machine-readable report. Within a schema version keys are only added.

Counts are for one sample, bytes for the batch; shapes have no batch. Numbers are raw integers.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from convcalc.analysis.comparison import Change, Comparison, Costed, changes
from convcalc.analysis.cost import Analysis, Cost, LayerCost
from convcalc.analysis.devices import Device
from convcalc.analysis.intensity import Roofline, roofline, traffic
from convcalc.analysis.metrics import value_of
from convcalc.analysis.published import published_checks
from convcalc.analysis.receptive_field import ReceptiveField
from convcalc.layers.declaration import Operations
from convcalc.metrics import METRICS
from convcalc.reports.compare import SUMMARY_METRICS
from convcalc.reports.json_text import report_text

__all__ = [
    "change_json",
    "changes_json",
    "comparison_json",
    "network_head_json",
    "network_json",
    "networks_json",
    "ratios_json",
    "updated_report",
]


def networks_json(
    analyses: Sequence[Analysis],
    version: str,
    *,
    memory: bool = False,
    device: Device | None = None,
) -> str:
    """The report of ``analyses`` by convcalc of a given version.

    With memory over time, and with times on a device, if asked for.
    """
    networks = list(map(network_json, analyses))
    for network, analysis in zip(networks, analyses, strict=True):
        if device is not None:
            network["roofline"] = _roofline(roofline(analysis, device))
        if memory:
            from convcalc.reports.memory import memory_json  # noqa: PLC0415 - if asked for

            network["memory"] = memory_json(analysis)
    return report_text(version, networks=networks)


def updated_report(text: str | None, analyses: Sequence[Analysis], version: str) -> str:
    """The saved report ``text`` with ``analyses`` in place of networks of the same names.

    Networks that it does not have yet stand at the end; others stay as they are. None: a new one.
    """
    fresh = {analysis.name: network_json(analysis) for analysis in analyses}
    saved = [] if text is None else json.loads(text)["networks"]
    kept = [fresh.pop(old["name"], old) for old in saved]
    return report_text(version, networks=[*kept, *fresh.values()])


def comparison_json(comparison: Comparison, version: str) -> str:
    """The same, with the ratios of each network to the reference."""
    return report_text(
        version,
        networks=list(map(network_json, comparison.networks)),
        comparison=ratios_json(comparison),
    )


def changes_json(pairs: Sequence[Comparison], version: str) -> str:
    """Networks as they were and as they are, in pairs, and what has changed in each.

    ``comparison`` is the first of ``comparisons``: whoever reads one pair finds it where two
    networks that are compared have it.
    """
    found = [
        ratios_json(pair)
        | {
            "changes": [
                change_json(each) for each in changes(*(each.layers for each in pair.networks))
            ]
        }
        for pair in pairs
    ]
    return report_text(
        version,
        networks=[network_json(network) for pair in pairs for network in pair.networks],
        comparison=found[0],
        comparisons=found,
    )


def change_json(change: Change) -> dict[str, object]:
    """A layer, or group, that is not what it was: its mark, its name, and it before and after.

    ``before`` is null of one that is new, ``after`` of one that is gone.
    """
    return {
        "mark": change.mark.value,
        "name": change.name,
        "before": None if change.before is None else _costed(change.before),
        "after": None if change.after is None else _costed(change.after),
    }


def _costed(costed: Costed) -> dict[str, object]:
    return {
        "kind": costed.kind,
        "output_shape": list(costed.output_shape),
        **_metrics(costed.cost),
    }


def ratios_json(comparison: Comparison) -> dict[str, object]:
    """The ratio of each network to the reference, metric by metric."""
    return {
        "reference": comparison.networks[comparison.reference].name,
        "ratios": [
            {
                "name": network.name,
                **{
                    key: None if (value := comparison.ratio(key, network)) is None else float(value)
                    for key in SUMMARY_METRICS
                },
            }
            for network in comparison.networks
        ],
    }


def network_head_json(analysis: Analysis) -> dict[str, object]:
    """Which network it is, and what of it was analyzed."""
    return {
        "name": analysis.name,
        "spec": analysis.spec,
        "source": analysis.source,
        "settings": dict(analysis.settings),
        "inputs": {name: list(sizes) for name, sizes in analysis.inputs},
        "outputs": {name: list(sizes) for name, sizes in analysis.outputs},
        "batch": analysis.batch,
        "dtype": {
            "weights": analysis.dtypes.weights,
            "activations": analysis.dtypes.activations,
        },
    }


def network_json(analysis: Analysis) -> dict[str, object]:
    """A network with its totals, its published figures and its layers, these to be taken once."""
    return network_head_json(analysis) | {
        "in_place": analysis.in_place,
        "order": "given" if analysis.order is None else "best",
        "optimizer": analysis.training.optimizer,
        "totals": {
            "layers": len(analysis.layers),
            **_metrics(analysis),
            "receptive_field": list(analysis.receptive_field.size),
        },
        "published": [
            {
                "metric": check.figure.metric,
                "figure": check.figure.text,
                "from": check.figure.source,
                "layers": check.figure.group,
                "computed": check.computed,
                "agrees": check.agrees,
                "differs": check.figure.differs,
            }
            for check in published_checks(analysis)
        ],
        "layers": (_layer(layer, analysis) for layer in analysis.layers),
    }


def _roofline(roof: Roofline) -> dict[str, object]:
    """Times in seconds."""
    device = roof.device
    return {
        "device": device.name,
        "peak_macs": device.peak_macs,
        "bandwidth": device.bandwidth,
        "source": device.source or None,
        "note": device.note or None,
        "time": float(roof.time),
        "memory_share": float(roof.memory_share),
        "layers": [
            {
                "name": layer.name,
                "time": float(layer.time),
                "share": float(layer.share),
                "bound": layer.bound.value if layer.bound else None,
            }
            for layer in roof.layers
        ],
    }


def _layer(layer: LayerCost, analysis: Analysis) -> dict[str, object]:
    moved = traffic(layer, batch=analysis.batch, dtypes=analysis.dtypes)
    return {
        "name": layer.name,
        "kind": layer.kind,
        "fields": {
            declared.name: _plain(getattr(layer.layer, declared.name))
            for declared in layer.layer.declarations
        },
        "inputs": list(layer.inputs),
        "input_shapes": [list(sizes) for sizes in layer.input_shapes],
        "output_shape": list(layer.output_shape),
        "weights": {tensor.name: list(tensor.shape) for tensor in layer.weights},
        "shares_weights_with": layer.shares_weights_with,
        "buffer_tensors": {tensor.name: list(tensor.shape) for tensor in layer.buffer_tensors},
        **_metrics(layer),
        "read_bytes": moved.read_bytes,
        "written_bytes": moved.written_bytes,
        "receptive_field": _receptive_field(layer.receptive_field),
    }


def _metrics(costed: Analysis | LayerCost | Cost) -> dict[str, object]:
    """The metrics, those of `operations` under that key."""
    sorts = set(Operations._fields) - {"macs"}
    found: dict[str, object] = {}
    for each in METRICS:
        if each.key in sorts:
            operations = found.setdefault("operations", {})
            operations[each.key] = value_of(each.key, costed)  # type: ignore[index]
        elif each.of_layers or isinstance(costed, Analysis):
            found[each.key] = value_of(each.key, costed)
    return found


def _receptive_field(field: ReceptiveField) -> dict[str, object]:
    return {
        "size": list(field.size),
        "jump": [_plain(distance) for distance in field.jump],
        "start": list(field.start),
        "aligned": field.aligned,
    }


def _plain(value: object) -> object:
    """A field's value as JSON has it."""
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    return float(value)  # type: ignore[arg-type]  # what is left is a fraction
