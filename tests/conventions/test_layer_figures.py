"""What the tools say of single layers, as measured: the rules, where no tool is installed.

tests/oracles/test_other_counters.py holds the rules against the tools themselves.
"""

import csv
import json
from pathlib import Path

import pytest

from convcalc import analyze
from convcalc.conventions import all_conventions, find_convention
from convcalc.conventions.counting import counted, form_of, rule_for
from convcalc.conventions.declaration import Form
from convcalc.conventions.written import Written

FIGURES = Path(__file__).parent.parent / "figures" / "counters.csv"

with FIGURES.open(encoding="utf-8") as _file:
    ROWS = list(csv.DictReader(_file))


def written_in(row):
    (kind,) = json.loads(row["layer"])
    return [Written(kind, Form(row["written"]))] if row["written"] else []


@pytest.fixture
def layer(spec):
    """A network of the layer of a row."""

    def analyzed(row):
        shapes = [sizes.split("x") for sizes in row["inputs"].split()]
        inputs = ", ".join(f"x{n}: [{', '.join(shape)}]" for n, shape in enumerate(shapes))
        names = ", ".join(f"x{n}" for n in range(len(shapes)))
        text = row["layer"].removesuffix("}") + f', "from": [{names}]}}'
        return analyze(spec(f"inputs: {{{inputs}}}\nlayers:\n  - {text}\n"))

    return analyzed


@pytest.mark.parametrize(
    "row", ROWS, ids=lambda row: f"{row['layer']} {row['inputs']} {row['written']}"
)
def test_a_layer_costs_what_the_tools_have_said(row, layer):
    analysis = layer(row)
    for name in set(row) - {"layer", "inputs", "written"}:
        found = counted(analysis, find_convention(name), written_in(row)).total
        assert found == int(row[name]), name


@pytest.mark.parametrize("convention", all_conventions()[2:], ids=lambda each: each.name)
def test_every_rule_has_a_figure(convention, layer):
    met = set()
    for row in ROWS:
        (only,) = layer(row).layers
        met.add(rule_for(convention, only, form_of(only, written_in(row))))
    assert [rule for rule in convention.rules if rule not in met] == []
