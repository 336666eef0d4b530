"""The JSON Schema for editors, held against what the reader itself accepts and refuses."""

import json
import re
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft7Validator
from test_diagnostics import MISTAKES

import convcalc.sources
from convcalc.errors import SourceText, SpecError
from convcalc.layers import all_kinds
from convcalc.sources import spec_schema
from convcalc.sources.spec import Spec
from convcalc.sources.spec.library import library_names

ROOT = Path(__file__).parents[3]
SCHEMA = spec_schema()
VALIDATOR = Draft7Validator(SCHEMA)


def is_valid(text):
    return VALIDATOR.is_valid(yaml.safe_load(text))


def errors(text):
    return [error.message for error in VALIDATOR.iter_errors(yaml.safe_load(text))]


def layer(text):
    return f"input: [3, 32, 32]\nlayers:\n  - {text}\n"


def test_it_is_a_schema_and_can_be_written_as_json():
    Draft7Validator.check_schema(SCHEMA)
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


@pytest.mark.parametrize("path", sorted((ROOT / "specs").glob("*.yaml")), ids=lambda p: p.stem)
def test_it_accepts_every_network_that_ships(path):
    assert errors(path.read_text(encoding="utf-8")) == []


def examples():
    page = (ROOT / "docs" / "spec.md").read_text(encoding="utf-8")
    return re.findall(r"(?ms)^```yaml \S+\n(.*?)^```$", page)


@pytest.mark.parametrize("text", examples())
def test_it_accepts_every_example_of_the_docs(text):
    assert errors(text) == []


def test_it_accepts_the_blocks_of_the_library_as_blocks_of_a_spec():
    for name in library_names():
        block = (ROOT / "convcalc" / "library" / f"{name}.yaml").read_text(encoding="utf-8")
        spec = {
            "input": [3, 8, 8],
            "blocks": {"mine": yaml.safe_load(block)},
            "layers": ["mine"],
        }
        assert list(VALIDATOR.iter_errors(spec)) == []


WORDS = {"E104", "E105", "E106", "E107", "E108"}
"""Unknown keys, missing fields, unknown kinds, no kind and several kinds."""
NEEDS_THE_SPEC = {
    # With blocks of its own a spec may have kinds, and arguments, that no schema knows.
    "a typo in an argument",
    "an argument of a block without any",
    "a missing argument",
    "an unknown block",
}


@pytest.mark.parametrize(
    "name", [name for name, mistake in MISTAKES.items() if mistake.code in WORDS]
)
def test_it_refuses_misspelt_words(name):
    try:
        document = yaml.safe_load(MISTAKES[name].text)
    except yaml.YAMLError:
        pytest.skip("no YAML that an editor could hold against a schema")
    assert VALIDATOR.is_valid(document) is (name in NEEDS_THE_SPEC)


@pytest.mark.parametrize(
    "entry",
    [
        "conv: {out_channels: 8, kernel_size: 3, stride: 1/2, padding: same}",
        "conv: {out_channels: 8, kernel_size: [3, 1], padding: [[1, 0], 2]}",
        "conv: {out_channels: 8 * 4, kernel_size: [k, 1]}",
        "conv: {out_channels: 8, kernel_size: 3, in_channels: }",
        "relu",
        "relu:",
        "relu: {}",
        "{fire: {squeeze: 4}, name: f, repeat: 3, if: i > 0}",
        "activation: silu",
        "share: a",
        "{conv: {out_channels: 8, kernel_size: 3}, share: a}",
        "parallel: {merge: {concat: {dim: 2}}, branches: {a: , b: [relu]}}",
        "residual: {body: [relu], shortcut: []}",
        "adaptive_avg_pool: {output_size: [null, 7]}",
    ],
)
def test_it_accepts(entry):
    assert errors(layer(entry)) == []


@pytest.mark.parametrize(
    "entry",
    [
        "conv: {out_channels: 0, kernel_size: 3}",
        "conv: {out_channels: 8.5, kernel_size: 3}",
        "conv: {out_channels: 8, kernel_size: []}",
        "conv: {out_channels: 8, kernel_size: [1, 1, 1, 1]}",
        "conv: {out_channels: 8, kernel_size: 3, bias: 1}",
        "conv: {out_channels: [8], kernel_size: 3}",
        "conv",
        "cnov",
        "fire",
        "fire: {squeeze: 4, expnad: 2}",
        "{relu: , tanh: }",
        "{relu: , nmae: x}",
        "parallel: {merge: concta, branches: {a: , b: [relu]}}",
        "parallel: {merge: concat, branches: {a: }}",
        "dropout: {p: 2}",
        "[relu]",
        "3",
    ],
)
def test_it_refuses(entry):
    assert errors(layer(entry)) != []


@pytest.mark.parametrize("text", ["layers: [relu]", "input: [3]\n", "input: []\nlayers: [relu]"])
def test_it_refuses_a_spec_without_its_parts(text):
    assert not is_valid(text)


def test_a_spec_with_blocks_may_have_kinds_of_its_own():
    spec = "input: [3, 8, 8]\nlayers: [mine]\n"
    assert not is_valid(spec)
    assert is_valid(spec + "blocks: {mine: {layers: [relu]}}\n")
    assert not is_valid(spec + "blocks: {mine: {layers: [relu], arsg: {}}}\n")


def test_every_key_says_what_it_is():
    for kind in all_kinds():
        schema = SCHEMA["definitions"][f"kind.{kind}"]
        assert schema["description"]
        assert all(field["description"] for field in schema["properties"].values())
    for name in library_names():
        assert SCHEMA["definitions"][f"block.{name}"]["description"]
    for definition in ("layer", "open_layer"):
        properties = SCHEMA["definitions"][definition]["anyOf"][1]["properties"]
        assert set(all_kinds()) | set(library_names()) < set(properties)
    assert all(schema["description"] for schema in SCHEMA["properties"].values())


def test_what_the_schema_accepts_of_a_layer_s_fields_the_reader_accepts():
    """Each field's default, and for numbers the least that the schema allows."""
    for kind, declared in all_kinds().items():
        for field in declared.declarations:
            schema = SCHEMA["definitions"][f"kind.{kind}"]["properties"][field.name]
            assert "default" not in schema or schema["default"] == field.default


def test_the_reader_refuses_what_the_schema_refuses():
    for entry in (
        "cnov",
        "fire: {squeeze: 4, expnad: 2}",
        "conv: {out_channels: 0, kernel_size: 3}",
    ):
        text = layer(entry)
        with pytest.raises(SpecError):
            Spec(SourceText("net.yaml", text), text).graph(name="net", spec="net.yaml")


def test_the_schema_of_budgets_can_be_asked_for_again():
    # A module of the function's name took its place once it had been imported.
    first = convcalc.sources.budgets_schema()
    assert convcalc.sources.budgets_schema() == first
    assert "budgets" in first["properties"]
