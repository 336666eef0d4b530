"""The JSON Schema of the spec language, for editors: made of what the reader itself goes by.

An editor completes keys from it and shows what they mean. It accepts every spec that convcalc
accepts, and refuses what can be told without running the spec: unknown keys and kinds, missing
fields, values of a wrong type. In a spec with `blocks` a kind that it does not know may be one of
them.
"""

from __future__ import annotations

from inspect import cleandoc
from typing import Any

from convcalc.layers import activation_kinds, all_kinds
from convcalc.layers.declaration import FieldDeclaration, Layer
from convcalc.sources.budget_file_schema import budget_definitions
from convcalc.sources.spec.document import Block
from convcalc.sources.spec.expression import FUNCTIONS
from convcalc.sources.spec.grammar import (
    BLOCK_KEYS,
    MODIFIERS,
    STRUCTURES,
    TOP_LEVEL_KEYS,
    library_block,
)
from convcalc.sources.spec.library import library_names
from convcalc.sources.spec.published_figures import METRICS
from convcalc.sources.spec.values import NO_ACTIVATION

__all__ = ["spec_schema"]

Schema = dict[str, Any]

EXPRESSION: Schema = {
    "type": "string",
    "minLength": 1,
    "description": "an expression: arithmetic, comparisons, `a if c else b`, list[index], and "
    + ", ".join(sorted(f"{name}()" for name in FUNCTIONS)),
}
VALUE: Schema = {
    "description": "a number, a word, an expression, or a list",
    "type": ["number", "string", "boolean", "array", "object"],
}
NAME: Schema = {"type": "string", "minLength": 1, "maxLength": 80}


def spec_schema() -> Schema:
    """The schema, as what `json.dumps` takes: JSON Schema draft 7, which editors know best."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "convcalc spec",
        "description": "A convolutional network, or a family of them.",
        "type": "object",
        "required": ["layers"],
        "anyOf": [{"required": ["input"]}, {"required": ["inputs"]}],
        "not": {"required": ["input", "inputs"]},
        "additionalProperties": False,
        "properties": _top_level(),
        # Only a spec with blocks may have kinds that are not known here.
        "if": {"required": ["blocks"]},
        "then": {
            "properties": {
                "layers": _list_of("open_layer"),
                "blocks": {"additionalProperties": _ref("open_block")},
            }
        },
        "else": {"properties": {"layers": _list_of("layer")}},
        "definitions": _definitions(),
    }


def _top_level() -> Schema:
    shape = {
        "type": "array",
        "minItems": 1,
        "maxItems": 4,
        "items": _or_expression({"type": "integer", "minimum": 1}),
    }
    by_key: dict[str, Schema] = {
        "name": {"type": "string", "minLength": 1},
        "source": {"type": "string", "minLength": 1},
        "vars": _mapping({**VALUE, "type": [*VALUE["type"], "null"]}),
        "variants": _mapping({"type": ["object", "null"]}),
        "input": _or_expression(shape),
        "inputs": {**_mapping(_or_expression(shape)), "minProperties": 1},
        "blocks": {"type": "object"},
        "layers": {"type": "array", "minItems": 1},
        "outputs": _one_or_list(NAME),
        "published": {"anyOf": [_ref("records"), _mapping(_ref("records"))]},
        "budget": {"allOf": [_ref("budget_or_list")]},
    }
    assert set(by_key) == set(TOP_LEVEL_KEYS)  # noqa: S101 - one is described that is not read
    return {key: {"description": TOP_LEVEL_KEYS[key], **schema} for key, schema in by_key.items()}


def _definitions() -> Schema:
    figure = {
        "anyOf": [
            {"type": "integer", "minimum": 0},
            {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?\s*(k|K|Ki|M|Mi|G|Gi|B)?$"},
        ]
    }
    figures: Schema = dict.fromkeys(METRICS, figure)
    record: Schema = {
        "type": "object",
        "required": ["from"],
        "additionalProperties": False,
        "properties": {
            **figures,
            "from": {"type": "string", "description": "who publishes the figures"},
            "differs": {"type": "string", "description": "why they are not what is computed"},
            "layers": _mapping(
                {"type": "object", "additionalProperties": False, "properties": figures}
            ),
        },
    }
    return {
        **budget_definitions(),
        "record": record,
        "records": {"anyOf": [_ref("record"), {"type": "array", "items": _ref("record")}]},
        **{f"kind.{name}": _kind(kind) for name, kind in all_kinds().items()},
        **{f"block.{name}": _library_block(library_block(name)) for name in library_names()},
        "layer": _layer(""),
        "open_layer": _layer("open_"),
        "open_block": {
            "type": "object",
            "required": ["layers"],
            "additionalProperties": False,
            "properties": {
                "about": {"type": "string", "description": BLOCK_KEYS["about"]},
                "source": {"type": "string", "description": BLOCK_KEYS["source"]},
                "args": {
                    "type": "object",
                    "description": BLOCK_KEYS["args"],
                    "additionalProperties": {**VALUE, "type": [*VALUE["type"], "null"]},
                },
                "layers": {**_list_of("open_layer"), "description": BLOCK_KEYS["layers"]},
            },
        },
    }


def _layer(prefix: str) -> Schema:
    """An item of a list of layers; with the prefix of specs that have blocks of their own."""
    layers = _list_of(f"{prefix}layer")
    branch = {"anyOf": [{**layers, "minItems": 0}, {"type": "null"}]}
    merging = [name for name, kind in all_kinds().items() if kind.takes.allows(2)]
    structures: dict[str, Schema] = {
        "layers": layers,
        "parallel": {
            "type": "object",
            "required": ["merge", "branches"],
            "additionalProperties": False,
            "properties": {
                "merge": {
                    "description": "how the branches are joined",
                    "anyOf": [
                        {"enum": merging},
                        {
                            "type": "object",
                            "minProperties": 1,
                            "maxProperties": 1,
                            "additionalProperties": False,
                            "properties": {name: _ref(f"kind.{name}") for name in merging},
                        },
                    ],
                },
                "branches": {**_mapping(branch), "minProperties": 2},
            },
        },
        "residual": {
            "type": "object",
            "required": ["body"],
            "additionalProperties": False,
            "properties": {"body": branch, "shortcut": branch},
        },
        "activation": {
            "anyOf": [{"enum": [*activation_kinds(), NO_ACTIVATION]}, EXPRESSION],
        },
    }
    modifiers: dict[str, Schema] = {
        "name": NAME,
        "from": _one_or_list(NAME),
        "repeat": _or_expression({"type": "integer", "minimum": 0}),
        "for": {"type": ["array", "object", "string"]},
        "if": _or_expression({"type": "boolean"}),
        "share": NAME,
    }
    assert set(structures) == set(STRUCTURES)  # noqa: S101 - one is described that is not read
    assert set(modifiers) == set(MODIFIERS)  # noqa: S101
    kinds = {name: _ref(f"kind.{name}") for name in all_kinds()}
    blocks = {name: _ref(f"block.{name}") for name in library_names()}
    properties = {
        **{
            name: {"description": STRUCTURES[name], **schema} for name, schema in structures.items()
        },
        **kinds,
        **blocks,
        **{name: {"description": MODIFIERS[name], **schema} for name, schema in modifiers.items()},
    }
    is_open = bool(prefix)
    alone = [
        *(
            name
            for name, kind in all_kinds().items()
            if not any(d.is_required for d in kind.declarations)
        ),
        *(name for name in library_names() if not _required(library_block(name))),
    ]
    mapping: Schema = {
        "type": "object",
        "minProperties": 1,
        "properties": properties,
        # Of the keys beside the modifiers there is one; `share` may do without.
        "oneOf": [
            *({"required": [name]} for name in (*structures, *kinds, *blocks)),
            {
                "required": ["share"],
                "not": {"anyOf": [{"required": [name]} for name in (*structures, *kinds, *blocks)]},
            },
        ],
        "additionalProperties": False,
    }
    if is_open:
        del mapping["oneOf"]
        # A kind that is not known is a block of the spec, or stands for a library's by its name.
        mapping["additionalProperties"] = {"type": ["object", "null"]}
        mapping["properties"] = {
            **properties,
            **{name: {"type": ["object", "null"]} for name in blocks},
        }
        return {"anyOf": [NAME, mapping]}
    return {"anyOf": [{"enum": alone}, mapping]}


def _kind(kind: type[Layer]) -> Schema:
    """The fields of a layer kind; nothing where none must be given."""
    required = [d.name for d in kind.declarations if d.is_required]
    return {
        "description": cleandoc(kind.__doc__ or ""),
        "type": ["object"] if required else ["object", "null"],
        "required": required,
        "additionalProperties": False,
        "properties": {d.name: _field(d) for d in kind.declarations},
    }


def _field(declared: FieldDeclaration) -> Schema:
    literal = _with_expressions(declared.type.schema())
    if declared.default is None:
        literal = {"anyOf": [literal, {"type": "null"}]}
    schema: Schema = {"description": declared.help, **literal}
    if not declared.is_required and isinstance(declared.default, int | float | str | bool):
        schema["default"] = declared.default
    return schema


def _library_block(block: Block) -> Schema:
    """The arguments of a block of the library."""
    required = _required(block)
    return {
        "description": block.about or "",
        "type": ["object"] if required else ["object", "null"],
        "required": required,
        "additionalProperties": False,
        "properties": {argument.name: VALUE for argument in block.arguments},
    }


def _required(block: Block) -> list[str]:
    return [argument.name for argument in block.arguments if argument.default is None]


def _with_expressions(schema: dict[str, object]) -> Schema:
    """A schema of literal values that lets an expression stand for each of them."""
    if schema.get("type") == "array":
        items = schema["items"]
        assert isinstance(items, dict)  # noqa: S101 - every list says what it holds
        return _or_expression({**schema, "items": _with_expressions(items)})
    options = schema.get("anyOf")
    if isinstance(options, list):
        lists = [_with_expressions(option) for option in options if _has_list(option)]
        literals = [option for option in options if not _has_list(option)]
        return {"anyOf": [*literals, *lists, EXPRESSION]}
    return _or_expression(schema)


def _has_list(schema: dict[str, object]) -> bool:
    return schema.get("type") == "array"


def _or_expression(schema: dict[str, object]) -> Schema:
    return {"anyOf": [schema, EXPRESSION]}


def _one_or_list(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "array", "minItems": 1, "items": schema}]}


def _list_of(definition: str) -> Schema:
    return {"type": "array", "minItems": 1, "items": _ref(definition)}


def _mapping(values: Schema) -> Schema:
    return {"type": "object", "additionalProperties": values}


def _ref(definition: str) -> Schema:
    return {"$ref": f"#/definitions/{definition}"}
