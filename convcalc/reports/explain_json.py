"""Explanations as JSON. Within a schema version keys are only added.

Counts are for one sample, bytes for the batch. Values are raw integers; a fraction, which only a
receptive field and a variable of the spec may be, is the text of one: ``"1/2"``. What there is none
of is null.

``network``: what is explained, as in the report of `analyze`.
``totals``: of each group that was asked for, or of the network, ``sums``: the ``metric``, its
    ``unit``, its ``value`` and the ``terms`` that it is the sum of, a layer or a group each. A term
    that is one layer has its ``formula``, and that with the values put in, ``substituted``.
``layers``: each layer that was asked for.
    ``law``: what its kind does.
    ``inputs``: with the ``chain`` of layers that led to the shape: the nearest that changed it
        along the first input of each, and last the one that is read.
    ``legend``: each ``symbol`` of the formulas, its ``value``, and the ``field`` that sets it.
    ``derivations``: every number by ``topic``, with ``formula``, ``substituted`` and ``value``; of
        a tensor its ``shape``, as a formula and in ``sizes``; its ``metric``, if it is one.
    ``origin``: the ``place`` of the layer, its ``trail`` of blocks in use, innermost first, and
        its ``fields`` as they are written; ``variables`` of a field, or of a variable, are
        positions in the list of ``variables``.
    ``matrix``: of a convolution, from one input channel to one output channel; the ``entries`` of
        a small one are places in the kernel, null for 0. With a ``weight_sharing`` of ``none`` it
        is the kernel of the row alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from convcalc.analysis.convolution_matrix import ConvolutionMatrix
from convcalc.analysis.cost import Analysis
from convcalc.analysis.explanation import Derivation, MetricSum
from convcalc.errors import Place
from convcalc.origins import FieldOrigin, LayerOrigin, VariableOrigin, every_variable
from convcalc.reports.explained import ExplainedLayer, ExplainedTotals, InputChain, told_sums
from convcalc.reports.json_report import network_head_json
from convcalc.reports.json_text import report_text

__all__ = ["explain_json"]


def explain_json(
    analysis: Analysis, parts: Iterable[ExplainedLayer | ExplainedTotals], version: str
) -> str:
    """The parts by convcalc of a given version: ``layers`` and ``totals``, each in their order."""
    parts = tuple(parts)
    return report_text(
        version,
        network=network_head_json(analysis),
        totals=[_totals(part) for part in parts if isinstance(part, ExplainedTotals)],
        layers=[_layer(part) for part in parts if isinstance(part, ExplainedLayer)],
    )


def _totals(part: ExplainedTotals) -> dict[str, object]:
    return {
        "name": part.totals.name,
        "is_network": part.is_network,
        "layers": part.layers,
        "sums": [_sum(each) for each in told_sums(part)],
    }


def _sum(each: MetricSum) -> dict[str, object]:
    return {
        "metric": each.metric.key,
        "unit": each.metric.unit,
        "value": each.value,
        "terms": [
            {
                "name": term.name,
                "kind": term.kind or None,
                "formula": term.formula or None,
                "substituted": term.substituted or None,
                "value": term.value,
            }
            for term in each.terms
        ],
    }


def _layer(part: ExplainedLayer) -> dict[str, object]:
    row, told = part.row, part.explanation
    return {
        "name": row.name,
        "kind": row.kind,
        "law": told.law,
        "inputs": [
            {"name": name, "shape": list(sizes), "chain": _chain(chain)}
            for name, sizes, chain in zip(row.inputs, row.input_shapes, part.inputs, strict=True)
        ],
        "output_shape": list(row.output_shape),
        "shares_weights_with": row.shares_weights_with,
        "memory": row.layer.memory.value,
        "origin": None if part.origin is None else _origin(part.origin),
        "legend": [
            {
                "symbol": entry.symbol,
                "meaning": entry.meaning,
                "value": entry.value,
                "field": entry.field,
            }
            for entry in told.legend
        ],
        "derivations": [_derivation(each) for each in told.derivations],
        "matrix": None if told.matrix is None else _matrix(told.matrix),
    }


def _chain(chain: InputChain) -> list[dict[str, object]]:
    """The nearest layers before an input that changed its shape, what the layer reads last."""
    return [
        {"name": step.name, "kind": step.kind, "output_shape": list(step.shape)}
        for step in chain.steps
    ]


def _derivation(each: Derivation) -> dict[str, object]:
    return {
        "topic": each.topic.value,
        "name": each.name,
        "metric": each.metric,
        "unit": each.unit,
        "formula": each.formula or None,
        "substituted": each.substituted or None,
        "value": _value(each.value),
        "shape": {"formula": each.shape, "sizes": list(each.sizes)} if each.shape else None,
        "note": each.note or None,
    }


def _matrix(matrix: ConvolutionMatrix) -> dict[str, object]:
    """From one input channel to one output channel; an entry is the place of its weight."""
    return {
        "rows": matrix.rows,
        "columns": matrix.columns,
        "non_zeros": matrix.non_zeros,
        "outputs": list(matrix.outputs),
        "inputs": list(matrix.inputs),
        "kernel": list(matrix.kernel),
        "weight_sharing": matrix.sharing.value,
        "entries": None
        if matrix.entries is None
        else [
            [None if entry is None else list(entry) for entry in entries]
            for entries in matrix.entries
        ],
    }


# -- where values were set ------------------------------------------------------------------------


def _origin(origin: LayerOrigin) -> dict[str, object]:
    """A layer's place, and its fields; ``variables`` go by their positions in that list."""
    fields = [field for field in (*origin.fields, origin.chosen_by) if field is not None]
    variables = list(every_variable(fields))
    positions = {id(variable): n for n, variable in enumerate(variables)}
    return {
        "place": _place(origin.place),
        "trail": [
            {
                "name": step.name,
                "place": _place(step.place),
                "is_library": step.is_library,
                "shares_weights": step.shares,
            }
            for step in origin.trail
        ],
        "fields": [
            {
                "name": field.name,
                "value": _value(field.value),
                "text": field.text or None,
                "place": _place(field.place),
                "is_default": field.is_default,
                "variables": _read(field, positions),
            }
            for field in fields
        ],
        "variables": [
            {
                "name": variable.name,
                "value": _value(variable.value),
                "how": variable.how.value,
                "text": variable.text or None,
                "place": _place(variable.place),
                "given_at": _place(variable.binder),
                "block": variable.block,
                "variables": _read(variable, positions),
            }
            for variable in variables
        ],
    }


def _read(origin: FieldOrigin | VariableOrigin, positions: dict[int, int]) -> Sequence[int]:
    return [positions[id(variable)] for variable in origin.variables]


def _place(place: Place | None) -> dict[str, object] | None:
    if place is None:
        return None
    return {"file": place.text.name, "line": place.line, "column": place.column}


def _value(value: object) -> object:
    """A value as JSON has it; a mapping of the spec stays the pairs that it is kept as."""
    if isinstance(value, tuple):
        return [_value(item) for item in value]
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else str(value)
    if value is None or isinstance(value, bool | int | str):
        return value
    return str(value)
