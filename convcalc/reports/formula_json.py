"""Formulas for programs: as text, and as terms that need no parser."""

from __future__ import annotations

from collections.abc import Sequence

from convcalc.algebra.conditions import Condition
from convcalc.algebra.notation import json_terms
from convcalc.algebra.notation import text as formula_text
from convcalc.analysis.formulas import Formula
from convcalc.analysis.freed_costs import Amount, FreedCosts, Scaling
from convcalc.reports.formula import NetworkReport, layer_metrics
from convcalc.reports.json_text import report_text

__all__ = ["condition_json", "formula_json", "formulas_json"]


def formulas_json(networks: Sequence[NetworkReport], version: str) -> str:
    """The report of ``networks`` by convcalc of a given version."""
    return report_text(version, networks=[_network(network) for network in networks])


def formula_json(formula: Formula) -> dict[str, object]:
    """A formula as text, and as the terms of a sum."""
    return {"text": formula_text(formula), "terms": json_terms(formula)}


def condition_json(condition: Condition) -> dict[str, object]:
    """A condition as text, and as alternatives of comparisons."""
    return {
        "text": condition.written(),
        "any_of": [
            [
                {
                    "left": formula_json(one.left),
                    "modulus": None if one.modulus is None else formula_json(one.modulus),
                    "relation": one.relation,
                    "right": formula_json(one.right),
                }
                for one in alternative
            ]
            for alternative in condition.alternatives
        ],
    }


def _network(network: NetworkReport) -> dict[str, object]:
    costs = network.costs
    formulas = costs.formulas
    found: dict[str, object] = {
        "name": formulas.name,
        "spec": formulas.spec,
        "source": formulas.source,
        "settings": dict(formulas.settings),
        "free": [{"name": name, "value": _amount(value)} for name, value in costs.own],
        "assumptions": list(costs.assumptions.texts),
        "substitutions": [
            {"name": name, **formula_json(value)} for name, value in costs.assumptions.values
        ],
        "conditions": [condition_json(each) for each in costs.conditions],
        "inputs": {name: [_size(size) for size in sizes] for name, sizes in formulas.inputs},
        "batch": _size(formulas.batch),
        "dtype": {
            "weights": formulas.dtypes.weights,
            "activations": formulas.dtypes.activations,
        },
        "totals": {
            key: formula_json(formula)
            | {
                "value": costs.values[position],
                "leading": None if leading is None else [str(term) for term in leading],
            }
            for position, (key, formula) in enumerate(formulas.totals)
            for leading in (costs.leading[position],)
        },
        "moved": [{"name": name, "spec": _amount(value)} for name, value in costs.moved],
        "refused": costs.refused,
        "growth": [_scaling(scaling, costs) for scaling in costs.scalings],
        "smallest_input": None
        if network.smallest is None
        else {
            "inputs": {name: list(sizes) for name, sizes in network.smallest.inputs},
            "is_complete": network.smallest.is_complete,
        },
    }
    if network.has_layers:
        found["layers"] = [
            {
                "name": layer.name,
                "kind": layer.kind,
                "output_shape": [_size(size) for size in layer.output_shape],
                **{each.key: formula_json(layer.value(each.key)) for each in layer_metrics(costs)},
            }
            for layer in formulas.layers
        ]
    return found


def _scaling(scaling: Scaling, costs: FreedCosts) -> dict[str, object]:
    return {
        "factors": {name: _amount(factor) for name, factor in scaling.factors},
        "by_numbers": scaling.by_numbers,
        "refused": scaling.refused,
        "totals": {
            key: None
            if growth is None
            else {
                "before": growth.before,
                "after": growth.after,
                "ratio": None if growth.ratio is None else float(growth.ratio),
            }
            for (key, _), growth in zip(costs.formulas.totals, scaling.growths, strict=True)
        },
    }


def _amount(value: Amount | None) -> int | float | None:
    return value if value is None or isinstance(value, int) else float(value)


def _size(size: object) -> int | str:
    """A size as a number, or as the text of its formula."""
    return size if isinstance(size, int) else str(size)
