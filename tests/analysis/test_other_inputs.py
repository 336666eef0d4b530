"""The same layers on inputs of other shapes."""

import pytest

import convcalc
from convcalc.algebra import symbol
from convcalc.analysis.formulas import network_formulas
from convcalc.analysis.other_inputs import with_inputs
from convcalc.errors import SpecError
from convcalc.layers.convolution import Conv
from convcalc.layers.merging import Add
from convcalc.layers.pooling import MaxPool
from convcalc.layers.resizing import Upsample

H, W = symbol("H"), symbol("W")


def test_shapes_follow_from_the_inputs(network):
    graph = network(input=(3, 8, 8)).chain(conv=Conv(out_channels=4, kernel_size=3)).graph()
    other = with_inputs(graph, ((5, 10, 7),))
    assert [node.shape for node in other.nodes] == [(5, 10, 7), (4, 8, 5)]
    assert [node.shape for node in graph.nodes] == [(3, 8, 8), (4, 6, 6)]


def test_an_axis_that_no_variable_stands_for_may_be_free():
    graph = with_inputs(convcalc.load("lenet5"), ((1, H, W),))
    found = network_formulas(graph)
    numbers = convcalc.analyze("lenet5")
    for metric in ("params", "macs", "flops", "activation_bytes"):
        formula = found.value(metric)
        value = formula if isinstance(formula, int) else formula.evaluate({"H": 32, "W": 32})
        assert value == getattr(numbers, metric)
    # first conv: 6·25 multiply-adds at each of (H − 4)·(W − 4) positions
    assert str(found.layers[0].value("macs")) == "150·H·W − 600·H − 600·W + 2400"


def test_it_is_the_network_that_is_read_with_these_sizes():
    read = convcalc.load("inception_v3", {"H": H, "W": W})
    made = with_inputs(convcalc.load("inception_v3"), ((3, H, W),))
    assert [str(node.shape) for node in made.nodes] == [str(node.shape) for node in read.nodes]


def test_a_layer_that_refuses_is_named():
    graph = convcalc.load("alexnet")
    with pytest.raises(
        SpecError, match=r"error\[E302\].* has no output: its input is 2×2"
    ) as caught:
        with_inputs(graph, ((3, 62, 62),))
    [finding] = caught.value.findings
    assert "{name}" not in finding.message
    assert finding.place is not None


def test_what_free_sizes_leave_open_is_refused(network, monkeypatch):
    net = network(input=(1, 8)).chain(half=MaxPool(kernel_size=2), twice=Upsample(scale_factor=2))
    net.add("sum", Add(), "twice", "input")
    graph = net.graph()
    assert str(with_inputs(graph, ((1, 2 * H),)).nodes[-1].shape[1]) == "2·H"
    with pytest.raises(SpecError, match=r"E304.*`sum` joins .*: 1×2·H and 1×2·H \+ 1"):
        with_inputs(graph, ((1, 2 * H + 1),))
    monkeypatch.setattr(Add, "output", lambda _, shapes: (1, 3 if shapes[0][1] > 5 else 4))
    with pytest.raises(SpecError, match=r"E207.*`sum`: cannot decide whether"):
        with_inputs(graph, ((1, 2 * H),))
