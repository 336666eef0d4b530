"""What a network cost before: at another revision, in another spec, or in a saved report.

A saved report is what ``convcalc analyze --format json`` prints.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final, NamedTuple

from convcalc.analysis import BITS, Analysis, Cost, Dtypes
from convcalc.analysis.metrics import value_of
from convcalc.errors import ConvcalcError, Finding, Place, SourceText, catalogue
from convcalc.layers.declaration import Operations
from convcalc.metrics import METRICS, SCHEMA_VERSION, Metric

__all__ = ["Baseline", "BaselineLayer", "baseline_of", "read_baselines"]

LARGEST_COUNT: Final = 10**30


class BaselineLayer(NamedTuple):
    """A layer as it was."""

    name: str
    kind: str
    output_shape: tuple[int, ...]
    cost: Cost


class Baseline(NamedTuple):
    """A network as it was."""

    name: str
    label: str
    """Where it is from, in a few words: ``main.json``, ``net.yaml at origin/main``."""
    batch: int
    dtypes: Dtypes
    in_place: bool
    best_order: bool
    optimizer: str
    settings: tuple[tuple[str, str], ...]
    inputs: tuple[tuple[str, tuple[int, ...]], ...]
    total: Cost
    peak_activation_bytes: int
    training_bytes: int
    receptive_field: tuple[int, ...]
    """Positions of each axis."""
    layers: tuple[BaselineLayer, ...]
    analysis: Analysis | None = None
    """All of it, unless it is from a saved report."""

    @property
    def inference_bytes(self) -> int:
        """The weights and the peak of the activations."""
        return self.total.weight_bytes + self.peak_activation_bytes

    def value(self, metric: Metric) -> int | None:
        """A metric of the whole network; None where it has none, or a report does not say."""
        if metric.key == "layers":
            return len(self.layers)
        if metric.key == "receptive_field":
            return max(self.receptive_field, default=None)
        if metric not in METRICS:
            return None
        if metric.of_layers:
            return value_of(metric.key, self.total)
        return getattr(self, metric.key)  # type: ignore[no-any-return]


def baseline_of(analysis: Analysis, label: str) -> Baseline:
    """What ``analysis`` found, to hold later ones against."""
    return Baseline(
        name=analysis.name,
        label=label,
        batch=analysis.batch,
        dtypes=analysis.dtypes,
        in_place=analysis.in_place,
        best_order=analysis.order is not None,
        optimizer=analysis.training.optimizer,
        settings=analysis.settings,
        inputs=analysis.inputs,
        total=analysis.total,
        peak_activation_bytes=analysis.peak_activation_bytes,
        training_bytes=analysis.training_bytes,
        receptive_field=analysis.receptive_field.size,  # type: ignore[arg-type]
        layers=tuple(
            BaselineLayer(layer.name, layer.kind, layer.output_shape, layer.cost)
            for layer in analysis.layers
        ),
        analysis=analysis,
    )


# -- saved reports ---------------------------------------------------------------------------------


class _NotAReportError(Exception):
    """The path of what is missing or something else, and what it should be."""


class _Json:
    """A value of a JSON text with its path, read as what it should be or not at all."""

    def __init__(self, value: object, path: str = "") -> None:
        self.value = value
        self.path = path

    def __getitem__(self, key: str) -> _Json:
        if not isinstance(self.value, dict) or key not in self.value:
            raise _NotAReportError(f"{self.path or 'the report'} has no `{key}`")
        return _Json(self.value[key], f"{self.path}.{key}".lstrip("."))

    def get(self, key: str, default: object) -> _Json:
        has = isinstance(self.value, dict) and key in self.value
        return self[key] if has else _Json(default, f"{self.path}.{key}")

    def items(self) -> Iterator[tuple[str, _Json]]:
        if not isinstance(self.value, dict):
            raise _NotAReportError(f"{self.path} is no object")
        return ((key, _Json(value, f"{self.path}.{key}")) for key, value in self.value.items())

    def __iter__(self) -> Iterator[_Json]:
        if not isinstance(self.value, list):
            raise _NotAReportError(f"{self.path} is no list")
        return (_Json(value, f"{self.path}[{n}]") for n, value in enumerate(self.value))

    def text(self) -> str:
        if not isinstance(self.value, str):
            raise _NotAReportError(f"{self.path} is no text")
        return self.value

    def count(self) -> int:
        """A whole number of 0 or more."""
        if not isinstance(self.value, int) or isinstance(self.value, bool) or self.value < 0:
            raise _NotAReportError(f"{self.path} is no whole number of 0 or more")
        if self.value > LARGEST_COUNT:
            raise _NotAReportError(f"{self.path} is more than any network has")
        return self.value

    def dtype(self) -> str:
        if self.text() not in BITS:
            raise _NotAReportError(f"{self.path} is no number format that convcalc knows")
        return self.text()

    def shape(self) -> tuple[int, ...]:
        return tuple(size.count() for size in self)


def read_baselines(source: SourceText, text: str) -> tuple[Baseline, ...]:
    """The networks of a report that was saved with ``--format json``.

    Raises ConvcalcError for what is no such report, or not a whole one.
    """
    try:
        return tuple(
            _network(network, source.name) for network in _checked(json.loads(text))["networks"]
        )
    except json.JSONDecodeError as error:
        message = f"{source.name} is no JSON: {error.msg}"
        place = Place(source, min(error.lineno, len(source.lines) or 1), max(1, error.colno))
    except (_NotAReportError, RecursionError, ValueError) as error:
        cause = {RecursionError: "nested too deeply", ValueError: "a number is too long"}
        why = cause.get(type(error), error)
        message = f"{source.name} is no report of convcalc: {why}"
        place = Place(source, 1, 1)
    raise ConvcalcError(
        [
            Finding(
                catalogue.BAD_BASELINE,
                message,
                place,
                help="write it anew: `convcalc analyze … --format json`, or `--update-baseline`",
            )
        ]
    )


def _checked(report: object) -> _Json:
    read = _Json(report)
    version = read["schema_version"].count()
    if version != SCHEMA_VERSION:
        raise _NotAReportError(f"its schema_version is {version}, not {SCHEMA_VERSION}")
    return read


def _network(network: _Json, label: str) -> Baseline:
    totals = network["totals"]
    return Baseline(
        name=network["name"].text(),
        label=label,
        batch=network["batch"].count(),
        dtypes=Dtypes(network["dtype"]["weights"].dtype(), network["dtype"]["activations"].dtype()),
        in_place=network.get("in_place", default=False).value is True,
        best_order=network.get("order", "given").text() == "best",
        optimizer=network.get("optimizer", "sgd").text(),
        settings=tuple((name, value.text()) for name, value in network.get("settings", {}).items()),
        inputs=tuple((name, shape.shape()) for name, shape in network["inputs"].items()),
        total=_cost(totals),
        peak_activation_bytes=totals["peak_activation_bytes"].count(),
        training_bytes=totals["training_bytes"].count(),
        receptive_field=totals["receptive_field"].shape(),
        layers=tuple(
            BaselineLayer(
                layer["name"].text(),
                layer["kind"].text(),
                layer["output_shape"].shape(),
                _cost(layer),
            )
            for layer in network["layers"]
        ),
    )


def _cost(costed: _Json) -> Cost:
    operations = costed["operations"]
    return Cost(
        params=costed["params"].count(),
        buffers=costed["buffers"].count(),
        operations=Operations(
            **{
                sort: (costed if sort == "macs" else operations)[sort].count()
                for sort in Operations._fields
            }
        ),
        activation_elements=costed["activation_elements"].count(),
        activation_bytes=costed["activation_bytes"].count(),
        weight_bytes=costed["weight_bytes"].count(),
    )
