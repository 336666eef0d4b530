"""The numbers that an analysis has, by their keys."""

import pytest

from convcalc.analysis import analyze_graph
from convcalc.analysis.metrics import value_of
from convcalc.layers.activation import Softmax
from convcalc.layers.convolution import Conv
from convcalc.layers.linear import Linear
from convcalc.layers.merging import Mul
from convcalc.layers.normalization import BatchNorm
from convcalc.layers.pooling import GlobalAvgPool, MaxPool
from convcalc.layers.shaping import Flatten
from convcalc.metrics import METRICS, metric


@pytest.fixture
def analysis(network):
    """A network in which every metric has another value."""
    net = network(input=(2, 4, 4)).chain(
        conv=Conv(out_channels=3, kernel_size=3),  # 3×2×2
        norm=BatchNorm(),
    )
    net.add("squared", Mul(), "norm", "norm")
    net.chain(
        pool=MaxPool(kernel_size=2, stride=1),  # 3×1×1
        mean=GlobalAvgPool(),
        flatten=Flatten(),
        linear=Linear(out_features=5),
        softmax=Softmax(),
    )
    return analyze_graph(net.graph())


VALUES = {
    "params": 83,  # 3·2·9 + 3 of conv, 3 + 3 of norm, 3·5 + 5 of linear: 57 + 6 + 20
    "buffers": 6,
    "macs": 231,  # 12 · 18 = 216 of conv, 15 of linear
    "flops": 550,  # 462 + 38 + 24 + 8 + 13 + 5
    "adds": 38,  # 12 of conv, 12 of norm, 3 · 0 of mean, 5 of linear, 5 + 4 of softmax
    "multiplies": 24,  # 12 of norm, 12 of squared
    "divides": 8,  # 3 of mean, 5 of softmax
    "comparisons": 13,  # 3 · 3 of pool, 4 of softmax
    "exponentials": 5,
    "activation_elements": 52,  # 3 · 12, 3 + 3, 5 + 5
    "activation_bytes": 208,
    "peak_activation_bytes": 176,  # the input and conv: 32 + 12 elements
    "weight_bytes": 332,  # 83 · 4
    "inference_bytes": 508,  # 332 + 176
    # The inputs of conv, norm, squared, pool and linear and the output of softmax, with two
    # statistics a channel: 32 + 12 + 12 + 12 + 3 + 5 + 6 = 82 numbers; 3 indices of 8 bytes; the
    # weights twice: 328 + 24 + 664.
    "training_bytes": 1_016,
}


def test_every_metric_is_tried():
    assert [each.key for each in METRICS] == list(VALUES)


@pytest.mark.parametrize("key", VALUES)
def test_a_network_has_every_metric(analysis, key):
    assert value_of(key, analysis) == VALUES[key]


@pytest.mark.parametrize("key", [each.key for each in METRICS if each.of_layers])
def test_the_metrics_of_layers_add_up_to_the_network(analysis, key):
    assert sum(value_of(key, layer) for layer in analysis.layers) == value_of(key, analysis)
    assert sum(value_of(key, layer.cost) for layer in analysis.layers) == value_of(key, analysis)


def test_what_no_layer_has_alone_is_of_networks_alone(analysis):
    of_networks = [each.key for each in METRICS if not each.of_layers]
    assert of_networks == ["peak_activation_bytes", "inference_bytes", "training_bytes"]
    for key in of_networks:
        assert not hasattr(analysis.layers[0], key)


def test_a_metric_is_found_by_its_key():
    assert metric("macs").title == "Multiply-adds"
    assert metric("weight_bytes").unit == "bytes"
    with pytest.raises(KeyError):
        metric("speed")


def test_every_metric_says_what_it_is():
    for each in METRICS:
        assert each.title
        assert each.definition
        assert each.unit == ("bytes" if each.key.endswith("_bytes") else "count")
