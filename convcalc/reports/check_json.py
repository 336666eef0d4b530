"""The machine-readable report of a check. Within a schema version keys are only added.

Counts are for one sample, bytes for the batch, times in seconds, shares parts of the whole. Numbers
are raw: integers wherever they are whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Final

from convcalc.budgets import Check, CheckedNetwork, Verdict, Why, layer_keys
from convcalc.errors import Place
from convcalc.reports.json_report import change_json
from convcalc.reports.json_text import report_text
from convcalc.reports.locations import location
from convcalc.reports.verdicts import Reported, reported

__all__ = ["check_json"]


def check_json(check: Check, version: str) -> str:
    """The report of ``check`` by convcalc of a given version."""
    return report_text(
        version,
        outcome=check.outcome.value,
        networks=[_network(network, strict=check.strict) for network in check.networks],
        findings=list(map(_finding, reported(check))),
    )


def _network(network: CheckedNetwork, *, strict: bool) -> dict[str, object]:
    analysis = network.analysis
    return {
        "name": analysis.name,
        "spec": analysis.spec,
        "budget": network.budget.name,
        "baseline": network.baseline.label if network.baseline else None,
        "new_since": network.new_since,
        "settings": dict(analysis.settings),
        "inputs": {name: list(sizes) for name, sizes in analysis.inputs},
        "batch": analysis.batch,
        "dtype": {
            "weights": analysis.dtypes.weights,
            "activations": analysis.dtypes.activations,
        },
        "limits": [_limit(verdict, strict=strict) for verdict in network.verdicts],
        "changes": list(map(change_json, network.changes)),
        "why": list(map(_why, network.whys)),
    }


def _limit(verdict: Verdict, *, strict: bool) -> dict[str, object]:
    """A limit and one thing that it is held against; ``layer`` names that, or is null."""
    limit = verdict.limit
    return {
        "metric": limit.metric.key,
        "bound": limit.bound.value,
        "share": limit.is_share,
        "scope": limit.scope.value,
        "layer": verdict.subject,
        "value": _number(verdict.value),
        "allowed": _number(verdict.allowed),
        "limit": limit.text,
        "base": None if verdict.base is None else _number(verdict.base),
        "exceeds_by": None if verdict.holds else _number(abs(verdict.value - verdict.allowed)),
        "level": "warning" if limit.warns and not strict else "error",
        "holds": verdict.holds,
        "spec_place": _place(verdict.place),
        "budget_place": _place(limit.place),
    }


def _number(value: Fraction) -> int | float:
    return value.numerator if value.denominator == 1 else float(value)


def _place(place: Place | None) -> dict[str, object] | None:
    """A span; ``file`` is null where it is in none, ``source`` is what people call the text."""
    if place is None:
        return None
    found = location(place)
    return {
        "file": found.file if found else None,
        "source": place.text.name,
        "line": place.line,
        "column": place.column,
        "end_column": place.column + max(1, place.length),
    }


def _why(why: Why) -> dict[str, object]:
    keys = layer_keys(why.metric)
    return {
        "metric": why.metric.key,
        "heaviest": [
            {
                "name": part.name,
                "value": part.value,
                "share": float(part.share),
                "place": _place(part.place),
            }
            for part in why.heaviest
        ],
        "changed": [
            {
                "mark": change.mark.value,
                "name": change.name,
                "differences": {key: change.difference(key) for key in keys},
            }
            for change in why.changed
        ],
    }


def _finding(each: Reported) -> dict[str, object]:
    finding = each.finding
    return {
        "code": finding.code.id,
        "severity": each.level,
        "message": finding.message,
        **_span(finding.place),
        "notes": list(finding.notes),
        "help": finding.help,
        "related": [
            {"label": related.label, **_span(related.place)} for related in finding.related
        ],
        "network": each.network.analysis.name if each.network else None,
    }


_NOWHERE: Final[Iterable[str]] = ("file", "source", "line", "column", "end_column")


def _span(place: Place | None) -> dict[str, object]:
    return _place(place) or dict.fromkeys(_NOWHERE)
