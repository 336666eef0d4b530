"""How layers are written in PyTorch."""

import pytest

from convcalc.conventions.counting import usual_form
from convcalc.conventions.declaration import Form
from convcalc.conventions.written import (
    KNOWN_WRITINGS,
    Written,
    known_writing,
    parse_written,
    possible_forms,
)
from convcalc.layers import all_kinds
from convcalc.sources import shipped_names, variants_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("relu=function", Written("relu", Form.FUNCTION)),
        (" head.* = operator ", Written("head.*", Form.OPERATOR)),
        ("name:relu=subclass", Written("name:relu", Form.SUBCLASS)),
        ("conv=module", Written("conv", Form.MODULE)),
    ],
)
def test_a_writing_is_layers_and_a_form(text, expected):
    assert parse_written(text) == expected


@pytest.mark.parametrize("text", ["", "relu", "=function", "relu=", "relu=functional", "relu=F=x"])
def test_anything_else_is_none(text):
    with pytest.raises(ValueError, match=r"LAYERS=FORM|no form"):
        parse_written(text)


@pytest.mark.parametrize(
    "text",
    ["conv=operator", "linear=operator", "add=module", "matmul=subclass", "max_pool=operator"],
)
def test_a_kind_has_only_the_forms_that_pytorch_has(text):
    with pytest.raises(ValueError, match="PyTorch has no "):
        parse_written(text)


def test_every_kind_can_be_a_function_and_has_its_usual_form():
    for kind in all_kinds():
        assert {Form.FUNCTION, usual_form(kind)} <= set(possible_forms(kind)), kind


def test_what_is_known_of_designs_can_be():
    for writing in KNOWN_WRITINGS:
        for each in writing.written:
            assert each.what not in all_kinds() or each.form in possible_forms(each.what)


@pytest.mark.parametrize(
    ("what", "fits"),
    [
        ("relu", ["relu", "stem.relu", "activation"]),
        ("name:relu", ["relu"]),
        ("stem.*", ["stem.relu"]),
        ("*", ["relu", "stem.relu", "activation"]),
        ("gelu", []),
    ],
)
def test_a_kind_is_all_layers_of_it_and_a_pattern_those_of_such_names(what, fits):
    written = Written(what, Form.MODULE)
    names = ["relu", "stem.relu", "activation"]
    assert [name for name in names if written.fits("relu", name)] == fits


def test_every_design_that_something_is_known_of_is_one_of_the_networks():
    graphs = {}
    for name in shipped_names():
        for graph in variants_of(name):
            graphs.setdefault(graph.source, []).append(graph)
    for writing in KNOWN_WRITINGS:
        layers = [node for graph in graphs[writing.design] for node in graph.layers]
        for each in writing.written:
            assert any(each.fits(node.layer.kind, node.name) for node in layers), each


def test_no_design_stands_twice():
    designs = [writing.design for writing in KNOWN_WRITINGS]
    assert len(set(designs)) == len(designs)
    assert known_writing(designs[0]) == KNOWN_WRITINGS[0].written
    assert known_writing("https://example.org") == known_writing(None) == ()


def test_kinds_are_meant_before_names():
    assert all(
        each.what in all_kinds() or "*" in each.what or each.what.startswith("name:")
        for writing in KNOWN_WRITINGS
        for each in writing.written
    )
