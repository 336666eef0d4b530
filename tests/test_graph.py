"""The graph that sources build and analyses read."""

import pytest

from convcalc.graph import Graph, Node
from convcalc.layers import Input
from convcalc.layers.activation import Relu
from convcalc.layers.merging import Add

NODES = (
    Node("image", Input(), (), (3, 8, 8)),
    Node("mask", Input(), (), (3, 8, 8)),
    Node("stem.relu", Relu(), (1,), (3, 8, 8)),
    Node("sum", Add(), (2, 0), (3, 8, 8)),
)


def test_inputs_and_layers_are_told_apart_in_their_order():
    graph = Graph("net", NODES, (3,))
    assert [node.name for node in graph.inputs] == ["image", "mask"]
    assert [node.name for node in graph.layers] == ["stem.relu", "sum"]


def test_the_shapes_that_come_in_stand_in_the_order_of_the_inputs():
    nodes = (
        Node("a", Input(), (), (1,)),
        Node("b", Input(), (), (2,)),
        Node("join", Add(), (1, 0), (2,)),
    )
    graph = Graph("net", nodes, (2,))
    assert graph.input_shapes(nodes[2]) == ((2,), (1,))
    assert graph.input_shapes(nodes[0]) == ()


def test_a_graph_cannot_be_changed():
    graph = Graph("net", NODES, (3,))
    with pytest.raises(AttributeError):
        graph.name = "other"


def test_what_is_not_said_of_a_graph_is_empty():
    graph = Graph("net", NODES, (3,))
    assert (graph.spec, graph.source, graph.published, graph.warnings) == ("", None, (), ())
    assert NODES[0].place is None
