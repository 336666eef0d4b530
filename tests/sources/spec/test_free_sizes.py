"""What a spec tells of its variables and sizes, for those who leave some of them free."""

import pytest

from convcalc.algebra import symbol
from convcalc.errors import SourceText
from convcalc.sources.spec import Spec


@pytest.fixture
def read():
    return lambda text: Spec(SourceText("net.yaml", text), text)


def test_values_are_those_of_the_variant_and_of_what_is_set(read):
    spec = read(
        "vars: {a: 2, b: a * 2, c: , word: wide}\nvariants: {one: {}, two: {a: 5}}\n"
        "input: [3, 8, 8]\nlayers: [relu]\n"
    )
    assert spec.values() == (("a", 2), ("b", 4), ("c", None), ("word", "wide"))
    assert dict(spec.values("two"))["b"] == 10
    assert dict(spec.values("two", {"a": "7", "c": 1}))["b"] == 14
    assert dict(spec.values(None, {"c": 1}))["c"] == 1


def test_a_text_that_is_no_spec_has_no_values(read):
    assert read("- 1").values() == ()
    assert read("- 1").sizes_named == ()


def test_axes_are_named_after_the_variables_that_stand_there_alone(read):
    spec = read(
        "vars: {h: 4, shape: [3, 4, 4]}\ninputs: {a: [3, h, 2 * h], b: shape, c: [h]}\n"
        "layers: [relu]\n"
    )
    assert spec.sizes_named == ((None, "h", None), (), ("h",))


def test_a_size_of_the_input_can_be_put_in_place_of_the_one_in_the_text(read):
    spec = read(
        "input: [3, 8, 9]\nlayers:\n  - conv: {out_channels: in_channels, kernel_size: 3}\n"
    )
    graph = spec.graph(name="net", spec="net.yaml", axes={"C": 5, "W": symbol("W")})
    assert [str(size) for size in graph.nodes[0].shape] == ["5", "8", "W"]
    assert [str(size) for size in graph.nodes[1].shape] == ["5", "6", "W − 2"]


def test_a_size_that_is_none_is_a_finding_at_its_place(read):
    with pytest.raises(Exception, match=r"net.yaml:1:8: error\[E301\]"):
        read("input: [3, 8, 9]\nlayers: [relu]\n").graph(name="n", spec="s", axes={"H": 0})
