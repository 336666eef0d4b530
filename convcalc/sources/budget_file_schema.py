"""The JSON Schema of budgets, for editors: made of what the reader itself goes by."""

from __future__ import annotations

from typing import Any

from convcalc.limits import Bound, Scope
from convcalc.metrics import metric
from convcalc.sources.amounts import AMOUNT_EXAMPLES, AMOUNT_UNITS
from convcalc.sources.budgets import (
    BUDGET_FILE_KEYS,
    BUDGET_KEYS,
    LEVELS,
    LIMIT_KEYS,
    MATCH_KEYS,
    SPEC_BUDGET_KEYS,
    VERSION,
    metric_names,
)

__all__ = ["budget_definitions", "budgets_schema"]

Schema = dict[str, Any]

TEXT: Schema = {"type": "string", "minLength": 1}
TEXTS: Schema = {"anyOf": [TEXT, {"type": "array", "minItems": 1, "items": TEXT}]}


def budgets_schema() -> Schema:
    """The schema of a budget file, as what `json.dumps` takes: JSON Schema draft 7."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "convcalc budgets",
        "description": "What networks may cost.",
        "type": "object",
        "required": ["version", "budgets"],
        "additionalProperties": False,
        "properties": {
            "version": {"const": VERSION, "description": BUDGET_FILE_KEYS["version"]},
            "budgets": {
                "description": BUDGET_FILE_KEYS["budgets"],
                "type": "array",
                "minItems": 1,
                "items": {
                    **_record(BUDGET_KEYS, {**_budget(), "spec": TEXTS}),
                    "required": ["spec"],
                },
            },
        },
        "definitions": budget_definitions(),
    }


def budget_definitions() -> Schema:
    """The definitions that a spec's schema has for its `budget`."""
    own = _record(SPEC_BUDGET_KEYS, {**_budget(), "variants": TEXTS})
    return {
        "budget": own,
        "budget_or_list": {
            "anyOf": [_ref("budget"), {"type": "array", "minItems": 1, "items": _ref("budget")}]
        },
        "limits_max": _limits(Bound.MAX),
        "limits_min": _limits(Bound.MIN),
        "limits_max_increase": _limits(Bound.MAX_INCREASE),
        "matched": {
            "anyOf": [_ref("match"), {"type": "array", "minItems": 1, "items": _ref("match")}]
        },
        "match": {
            **_record(
                MATCH_KEYS,
                {
                    "match": TEXT,
                    "max": _ref("limits_max"),
                    "min": _ref("limits_min"),
                    "level": _level(),
                    "message": TEXT,
                },
            ),
            "required": ["match"],
            "anyOf": [{"required": ["max"]}, {"required": ["min"]}],
        },
    }


def _budget() -> Schema:
    """What budgets in specs and in files have in common."""
    return {
        "name": TEXT,
        "set": {"type": "object"},
        "batch": {"type": "integer", "minimum": 1},
        "dtype": TEXT,
        "weights_dtype": TEXT,
        "activations_dtype": TEXT,
        "in_place": {"type": "boolean"},
        "order": {"enum": ["given", "best"]},
        "optimizer": TEXT,
        "device": TEXT,
        "max": _ref("limits_max"),
        "min": _ref("limits_min"),
        "max_increase": _ref("limits_max_increase"),
        "baseline": TEXT,
        "layers": _ref("matched"),
        "groups": _ref("matched"),
        "message": TEXT,
    }


def _limits(bound: Bound) -> Schema:
    names: Schema = {}
    for name, each in metric_names().items():
        is_share = name not in (each.name, each.key)
        if bound is Bound.MAX_INCREASE and is_share:
            continue
        unit = "percent" if is_share else each.unit
        amount = _amount(unit, or_percent=bound is Bound.MAX_INCREASE)
        schema = {
            "description": f"{each.title}{': the share of each' if is_share else ''}: "
            f"{each.definition}",
            "anyOf": [amount, _long(amount)],
        }
        names[name] = schema
        if not is_share:
            names[metric(name).key] = schema
    return {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": False,
        "properties": names,
    }


def _long(amount: Schema) -> Schema:
    return {
        **_record(
            LIMIT_KEYS,
            {
                "limit": amount,
                "of": {"enum": [scope.value for scope in Scope]},
                "level": _level(),
                "message": TEXT,
            },
        ),
        "required": ["limit"],
    }


def _amount(unit: str, *, or_percent: bool) -> Schema:
    units = "|".join(filter(None, AMOUNT_UNITS[unit])) + ("|%" if or_percent else "")
    optional = "?" if "" in AMOUNT_UNITS[unit] else ""
    number = r"[0-9]+(\.[0-9]+)?([eE]\+?[0-9]+)?"
    text: Schema = {
        "type": "string",
        "pattern": rf"^\s*{number}\s*({units}){optional}\s*$" if units else rf"^{number}$",
        "description": AMOUNT_EXAMPLES[unit],
    }
    return {"anyOf": [{"type": "number", "minimum": 0}, text]} if optional or not units else text


def _level() -> Schema:
    return {"enum": list(LEVELS)}


def _record(keys: dict[str, str], schemas: Schema) -> Schema:
    assert set(keys) == set(schemas)  # noqa: S101 - one is described that is not read
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            key: {"description": help_, "allOf": [schemas[key]]} for key, help_ in keys.items()
        },
    }


def _ref(name: str) -> Schema:
    return {"$ref": f"#/definitions/{name}"}
