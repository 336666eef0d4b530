"""Layers without a file: the same network as a spec gives, and findings in what was typed."""

import pytest

from convcalc.errors import SourceText, SpecError
from convcalc.sources.spec import Spec
from convcalc.sources.spec.layer_list import LayerListSpec


def graph_of(layers, inputs, **options):
    return LayerListSpec(layers, inputs, **options).graph(name="layers", spec="")


def findings_of(layers, inputs):
    with pytest.raises(SpecError) as caught:
        graph_of(layers, inputs)
    return [(finding.code.id, str(finding.place)) for finding in caught.value.findings]


def test_it_is_the_network_that_a_spec_gives():
    text = """\
input: [3, 16, 16]
layers:
  - conv_bn: {out_channels: 8 * 2, kernel_size: 3}
  - relu
  - max_pool: {kernel_size: 2}
"""
    written = Spec(SourceText("net.yaml", text), text).graph(name="net", spec="")
    listed = graph_of(
        ["conv_bn: {out_channels: 8 * 2, kernel_size: 3}", "[relu, max_pool: {kernel_size: 2}]"],
        ["3,16,16"],
    )
    assert [(node.name, node.layer, node.shape) for node in listed.nodes] == [
        (node.name, node.layer, node.shape) for node in written.nodes
    ]


@pytest.mark.parametrize(
    ("text", "channels_last", "shape"),
    [
        ("3,16,20", False, (3, 16, 20)),
        ("3x16x20", False, (3, 16, 20)),
        ("3×16×20", False, (3, 16, 20)),
        (" [3, 16, 20] ", False, (3, 16, 20)),
        ("3X16X20", False, (3, 16, 20)),
        ("16x20x3", True, (3, 16, 20)),
        ("4,16,20,3", True, (3, 4, 16, 20)),
        ("16,3", True, (3, 16)),
        ("512", True, (512,)),
        ("4*8,16,20", False, (32, 16, 20)),
    ],
)
def test_a_shape_is_read_as_people_write_it(text, channels_last, shape):
    graph = graph_of(["relu"], [text], channels_last=channels_last)
    assert graph.nodes[0].shape == shape


def test_several_inputs_have_numbers_for_names():
    graph = graph_of(["add"], ["2,3", "2,3"])
    assert [node.name for node in graph.inputs] == ["input1", "input2"]
    assert graph.layers[0].inputs == (0, 1)


def test_a_layer_may_say_which_input_it_takes():
    graph = graph_of(["{relu: {}, from: input2}", "{add: {}, from: [prev, input1]}"], ["2,3"] * 2)
    assert [node.inputs for node in graph.layers] == [(1,), (2, 0)]


@pytest.mark.parametrize(
    ("layers", "inputs", "finding"),
    [
        (["conv: {filters: 3, kernel_size: 1}"], ["3,8,8"], ("E104", "<layer>:1:8")),
        (["relu", "\n  conf: {}"], ["3,8,8"], ("E106", "<layer 2>:2:3")),
        (["relu: ["], ["3,8,8"], ("E010", "<layer>:1:8")),
        (["relu"], ["3,-1,8"], ("E301", "--input:1:3")),
        (["relu", "add"], ["3,8", "3,0"], ("E301", "--input 2:1:3")),
        ([""], ["3,8"], ("E101", "<layer>:1:1")),
        (["[]"], ["3,8"], ("E007", "<layer>:1:1")),
    ],
)
def test_a_finding_points_into_what_was_typed(layers, inputs, finding):
    assert findings_of(layers, inputs) == [finding]


def test_origins_point_into_what_was_typed():
    spec = LayerListSpec(["relu", "conv: {out_channels: 8 * 2, kernel_size: 3}"], ["3,8,8"])
    [origin] = spec.origins(["conv"])
    [field] = [field for field in origin.fields if field.name == "out_channels"]
    assert (field.text, field.value, str(field.place)) == ("8 * 2", 16, "<layer 2>:1:22")
    [given] = spec.origins(["input"])
    assert (given.fields[0].text, str(given.place)) == ("3,8,8", "--input:1:1")
