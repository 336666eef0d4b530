"""Every number of a layer with its formula: what formulas say, and that they say the numbers."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import pytest
from printed_formulas import read
from random_layers import layers_of

from convcalc.algebra import product
from convcalc.analysis import Dtypes, analyze_graph
from convcalc.analysis.explanation import (
    FEW_TERMS,
    Topic,
    explain_group,
    explain_layer,
    explain_layers,
    explain_totals,
)
from convcalc.analysis.metrics import value_of
from convcalc.layers import Layer, all_kinds
from convcalc.layers.activation import Relu
from convcalc.layers.attention import MultiHeadAttention, ToTokens
from convcalc.layers.convolution import Conv, ConvTranspose, DepthwiseConv
from convcalc.layers.declaration import Operations, field
from convcalc.layers.field_types import Integer, PerAxis
from convcalc.layers.linear import Linear
from convcalc.layers.merging import Add, Concat, MatMul, Mul
from convcalc.layers.normalization import BatchNorm, LayerNorm, LocalResponseNorm
from convcalc.layers.pooling import AdaptiveAvgPool, AvgPool, GlobalAvgPool, MaxPool
from convcalc.layers.resizing import PixelUnshuffle, Upsample
from convcalc.layers.shaping import Flatten, Permute
from convcalc.layers.window import per_axis
from convcalc.metrics import METRICS
from convcalc.sources import load

SPECS = Path(__file__).parent.parent.parent / "specs"


def analyzed(name, **options):
    return analyze_graph(load(str(SPECS / name)), **options)


def explained(network_or_graph, name=None, **options):
    """The explanation of a layer, by default the last."""
    analysis = analyze_graph(network_or_graph.graph(), **options)
    [row] = [row for row in analysis.layers if row.name == name] if name else analysis.layers[-1:]
    return explain_layer(row, analysis)


def text(explanation, name):
    [derivation] = [each for each in explanation.derivations if each.name == name]
    return derivation.text


@pytest.fixture
def conv3x3(network):
    """The 3×3 convolution of GoogLeNet's first module, had it no reduction before it."""
    return explained(
        network(input=(192, 28, 28)).chain(
            conv=Conv(out_channels=128, kernel_size=3, padding=1, bias=False)
        )
    )


# -- one layer ------------------------------------------------------------------------------------


def test_a_convolution_is_told_in_the_letters_of_its_fields(conv3x3):
    assert [each.text for each in conv3x3.about(Topic.OUTPUT)] == [
        "C_out = 128",
        "⌊(H + 2·p − d·(k_h − 1) − 1)/s⌋ + 1 = ⌊(28 + 2·1 − 1·(3 − 1) − 1)/1⌋ + 1 = 28",
        "⌊(W + 2·p − d·(k_w − 1) − 1)/s⌋ + 1 = ⌊(28 + 2·1 − 1·(3 − 1) − 1)/1⌋ + 1 = 28",
    ]
    [weight] = conv3x3.about(Topic.WEIGHTS)
    assert weight.name == "weight `weight`"
    assert weight.text == "C_out·(C_in/g)·k_h·k_w = 128·(192/1)·3·3 = 221184"
    assert (weight.shape, weight.sizes) == ("C_out × C_in/g × k_h × k_w", (128, 192, 3, 3))


def test_the_costs_of_a_convolution_are_told_in_the_sizes_of_its_output(conv3x3):
    # 221,184 weights at 784 positions; 128 · 784 = 100,352 elements of 4 bytes
    assert {each.metric: each.text for each in conv3x3.about(Topic.COST)} == {
        "params": "C_out·(C_in/g)·k_h·k_w = 128·(192/1)·3·3 = 221184",
        "macs": "C_out·H_out·W_out·(C_in/g)·k_h·k_w = 128·28·28·(192/1)·3·3 = 173408256",
        "flops": "2·macs = 2·173408256 = 346816512",
        "activation_elements": "C_out·H_out·W_out = 128·28·28 = 100352",
        "activation_bytes": "N·C_out·H_out·W_out·b = 1·128·28·28·4 = 401408",
        "weight_bytes": "params·b_w = 221184·4 = 884736",
    }


def test_the_receptive_field_is_told_as_its_recurrence(network):
    net = network(input=(3, 32, 32)).chain(
        stem=Conv(out_channels=8, kernel_size=3, stride=2, padding=1),
        conv=Conv(out_channels=8, kernel_size=(3, 5), padding=(1, 2)),
    )
    conv = explained(net)
    # Behind the stem 3 positions, 2 apart, from −1; then 2 · 2 more, and 4 · 2 on the other axis.
    assert text(conv, "receptive field, height") == "R + d·(k_h − 1)·J = 3 + 1·(3 − 1)·2 = 7"
    assert text(conv, "receptive field, width") == "R + d·(k_w − 1)·J = 3 + 1·(5 − 1)·2 = 11"
    assert text(conv, "jump, height") == "J·s = 2·1 = 2"
    assert text(conv, "start, width") == "X − p_w·J = −1 − 2·2 = −5"


def test_the_padding_of_same_is_worked_out(network):
    conv = explained(
        network(input=(3, 30, 31)).chain(
            conv=Conv(out_channels=8, kernel_size=(3, 4), stride=2, padding="same")
        )
    )
    # 15 windows of 3, 2 apart, take 14 · 2 + 3 = 31 positions; 16 of 4 take 34.
    assert [each.text for each in conv.about(Topic.PADDING)] == [
        "max(0, (H_out − 1)·s + (d·(k_h − 1) + 1) − H) = "
        "max(0, (15 − 1)·2 + (1·(3 − 1) + 1) − 30) = 1",
        "⌊P_h/2⌋ = ⌊1/2⌋ = 0",
        "P_h − ⌊P_h/2⌋ = 1 − ⌊1/2⌋ = 1",
        "max(0, (W_out − 1)·s + (d·(k_w − 1) + 1) − W) = "
        "max(0, (16 − 1)·2 + (1·(4 − 1) + 1) − 31) = 3",
        "⌊P_w/2⌋ = ⌊3/2⌋ = 1",
        "P_w − ⌊P_w/2⌋ = 3 − ⌊3/2⌋ = 2",
    ]
    assert [each.name for each in conv.about(Topic.PADDING)][1:3] == [
        "padding, top",
        "padding, bottom",
    ]
    assert text(conv, "start, width") == "X − ⌊P_w/2⌋·J = 0 − ⌊3/2⌋·1 = −1"


def test_what_a_transposed_convolution_cuts_off_is_told(network):
    conv = explained(
        network(input=(4, 7)).chain(
            up=ConvTranspose(out_channels=2, kernel_size=5, stride=2, padding="same")
        )
    )
    assert [each.text for each in conv.about(Topic.OUTPUT)][1] == "L·s = 7·2 = 14"
    padding = conv.about(Topic.PADDING)
    assert padding[0].text == "max(0, d·(k − 1) + 1 − s) = max(0, 1·(5 − 1) + 1 − 2) = 3"
    assert [each.value for each in padding] == [3, 1, 2]


@pytest.mark.parametrize(
    ("fields", "formula"),
    [
        # Both ends of one axis apart; both axes apart; all alike.
        ({"padding": ((0, 1), (2, 2))}, "⌊(H + (p_top + p_bottom) − d·(k_h − 1) − 1)/s⌋ + 1"),
        ({"padding": (1, 2)}, "⌊(H + 2·p_h − d·(k_h − 1) − 1)/s⌋ + 1"),
        ({"stride": (2, 1)}, "⌊(H + 2·p − d·(k_h − 1) − 1)/s_h⌋ + 1"),
        ({"stride": (2, 2)}, "⌊(H + 2·p − d·(k_h − 1) − 1)/s⌋ + 1"),
        ({"stride": Fraction(1, 2)}, "2·(H − 1) + 2·p − d·(k_h − 1) + 1"),
    ],
)
def test_a_letter_has_its_axis_where_axes_differ_or_meet(network, fields, formula):
    net = network(input=(3, 9, 9)).chain(conv=Conv(out_channels=2, kernel_size=3, **fields))
    assert explained(net).about(Topic.OUTPUT)[1].formula == formula


def test_one_axis_needs_no_letter_of_its_own(network):
    conv = explained(network(input=(3, 9)).chain(conv=Conv(out_channels=2, kernel_size=3)))
    assert text(conv, "multiply-adds") == "C_out·L_out·(C_in/g)·k = 2·7·(3/1)·3 = 126"
    assert text(conv, "receptive field") == "R + d·(k − 1)·J = 1 + 1·(3 − 1)·1 = 3"
    meanings = {entry.symbol: entry.meaning for entry in conv.legend}
    assert meanings["k"] == "size of the window"
    assert meanings["R"] == "receptive field of the input"


def test_sizes_that_have_no_names_are_numbered(network):
    relu = explained(network(input=(2, 3, 4, 5, 6)).chain(relu=Relu()))
    assert text(relu, "comparisons") == "n1·n2·n3·n4·n5 = 2·3·4·5·6 = 720"
    assert [each.name for each in relu.about(Topic.OUTPUT)] == [
        f"output size {n}" for n in range(1, 6)
    ]


def test_an_output_is_told_in_its_units(conv3x3):
    outputs = conv3x3.about(Topic.OUTPUT)
    assert [each.unit for each in outputs] == ["channels", "positions", "positions"]


def test_where_all_positions_see_alike_there_is_nothing_to_note(conv3x3):
    told = conv3x3.about(Topic.RECEPTIVE_FIELD)
    assert [each.note for each in told] == [""] * 6
    assert [each.axis for each in told] == ["h", "h", "h", "w", "w", "w"]
    assert {each.unit for each in told} == {"input positions"}


def test_a_metric_is_told_in_its_unit(conv3x3):
    params, weight_bytes = map(conv3x3.of_metric, ("params", "weight_bytes"))
    assert (params.unit, params.note) == ("parameters", "")
    assert (weight_bytes.unit, weight_bytes.note) == ("bytes", "")


def test_three_axes_have_a_letter_each(network):
    conv = explained(
        network(input=(3, 9, 8, 7)).chain(conv=Conv(out_channels=2, kernel_size=3, bias=False))
    )
    assert text(conv, "parameters") == "C_out·(C_in/g)·k_d·k_h·k_w = 2·(3/1)·3·3·3 = 162"


def test_the_legend_has_each_letter_once_and_says_what_sets_it(conv3x3):
    legend = {entry.symbol: (entry.value, entry.field) for entry in conv3x3.legend}
    assert len(legend) == len(conv3x3.legend)
    assert legend == {
        "C_out": (128, "out_channels"),
        "g": (1, "groups"),
        "k_h": (3, "kernel_size"),
        "k_w": (3, "kernel_size"),
        "s": (1, "stride"),
        "p": (1, "padding"),
        "d": (1, "dilation"),
        **dict.fromkeys(("H", "W", "H_out", "W_out"), (28, None)),
        "C_in": (192, None),
        "N": (1, None),
        "b": (4, None),
        "b_w": (4, None),
        # What is seen, and how many of 28 · 3 weights lie in the padding.
        "R": (1, None),
        "J": (1, None),
        "X": (0, None),
        "q_h": (2, None),
        "q_w": (2, None),
    }
    meanings = {entry.symbol: entry.meaning for entry in conv3x3.legend}
    assert meanings["k_h"] == "size of the window (height)"
    assert meanings["p"] == "positions added at the ends of each axis"
    assert meanings["C_in"] == "channels of the input"
    assert meanings["W_out"] == "width of the output"
    assert meanings["q_h"] == "of these those that lie outside the input (height)"


def test_the_law_is_what_the_kind_says_of_itself(network):
    norm = explained(network(input=(6, 4)).chain(norm=LocalResponseNorm(size=5)))
    assert norm.law.startswith("Local response normalization across neighbouring channels.\n\ny = ")
    assert "Krizhevsky et al. 2012" in norm.law


def test_a_number_that_is_0_is_told_only_if_every_layer_has_it(network):
    relu = explained(network(input=(6, 4)).chain(relu=Relu()))
    assert {each.metric: each.text for each in relu.about(Topic.COST)} == {
        "params": "0",
        "macs": "0",
        "comparisons": "C_in·L = 6·4 = 24",
        "flops": "comparisons = 24",
        "activation_elements": "C_in·L = 6·4 = 24",
        "activation_bytes": "N·C_in·L·b = 1·6·4·4 = 96",
    }
    with pytest.raises(KeyError, match="adds"):
        relu.of_metric("adds")
    assert relu.of_metric("comparisons").name == "comparisons"


def test_the_flops_of_a_layer_are_made_of_what_was_counted_before(network):
    norm = explained(network(input=(6, 4)).chain(conv=Conv(out_channels=2, kernel_size=1)))
    assert text(norm, "FLOPs") == "2·macs + adds = 2·48 + 8 = 104"  # 2·4·6 and 2·4


def test_a_view_allocates_nothing(network):
    flatten = explained(network(input=(6, 4)).chain(flatten=Flatten()))
    assert flatten.about(Topic.OUTPUT)[0].text == "C_in·L = 6·4 = 24"
    with pytest.raises(KeyError):
        flatten.of_metric("activation_bytes")


def test_a_concat_adds_up_what_its_inputs_have(network):
    net = network(input=(3, 8, 8))
    net.add("a", Conv(out_channels=4, kernel_size=1), "input")
    net.add("b", Conv(out_channels=5, kernel_size=3, padding=1), "input")
    net.add("joined", Concat(), "a", "b", "input")
    joined = explained(net)
    assert text(joined, "output channels") == "C_1 + C_2 + C_3 = 4 + 5 + 3 = 12"
    assert text(joined, "output height") == "H = 8"
    assert text(joined, "activations") == "C_out·H·W = 12·8·8 = 768"
    # From the least start to the greatest end: of input and a the position itself.
    assert text(joined, "receptive field, height") == (
        "max(X_h_1 + R_h_1, X_h_2 + R_h_2) − min(X_h_1, X_h_2) = "
        "max(0 + 1, −1 + 3) − min(0, −1) = 3"
    )
    assert text(joined, "start, width") == "min(X_w_1, X_w_2) = min(0, −1) = −1"
    meanings = {entry.symbol: entry.meaning for entry in joined.legend}
    assert meanings["R_h_1"] == "receptive field of input 1 (height)"
    assert meanings["X_w_2"] == "start of the receptive field of input 2 (width)"


def test_of_jumps_that_differ_the_greatest_is_told(network):
    net = network(input=(3, 8))
    net.add("strided", Conv(out_channels=1, kernel_size=2, stride=2), "input")
    net.add("narrow", Conv(out_channels=1, kernel_size=5), "input")
    net.add("joined", Concat(), "strided", "narrow")
    joined = explained(net)
    assert text(joined, "jump") == "max(J_1, J_2) = max(2, 1) = 2"
    meanings = {entry.symbol: entry.meaning for entry in joined.legend}
    assert meanings["J_2"] == "jump of input 2"


def test_inputs_of_one_size_have_one_letter(network):
    net = network(input=(3, 8, 8))
    net.add("sum", Add(), "input", "input", "input")
    assert text(explained(net), "adds") == "2·C_in·H·W = 2·3·8·8 = 384"


def test_a_gate_of_one_position_is_stretched(network):
    net = network(input=(3, 8, 8))
    net.add("gate", GlobalAvgPool(), "input")
    net.add("scaled", Mul(), "input", "gate")
    scaled = explained(net)
    assert text(scaled, "multiplies") == "C_in·H_1·W_1 = 3·8·8 = 192"
    assert [each.text for each in scaled.about(Topic.TRAINING)] == [
        "N·C_in·H_1·W_1·b = 1·3·8·8·4 = 768",
        "N·C_in·H_2·W_2·b = 1·3·1·1·4 = 12",
    ]


def test_a_factor_that_no_gradient_needs_is_not_kept(network):
    net = network(input=(3, 8, 8))
    net.add("conv", Conv(out_channels=3, kernel_size=1), "input")
    net.add("scaled", Mul(), "input", "conv")
    # The gradient goes to the convolution alone, and for it the other factor is needed.
    assert [(each.name, each.text, each.note) for each in explained(net).about(Topic.TRAINING)] == [
        ("input 1", "N·C_in·H·W·b = 1·3·8·8·4 = 768", "")
    ]


def test_where_nothing_is_learned_it_says_that_nothing_is_kept(network):
    net = network(input=(3, 8, 8)).chain(relu=Relu())
    [output] = explained(net).about(Topic.TRAINING)
    assert output.text == "N·C_in·H·W·b = 1·3·8·8·4 = 768"
    assert output.note == "not kept here, where nothing is learned up to this layer"


def test_attention_is_told_in_tokens_and_features(network):
    net = network(input=(64, 7, 7)).chain(
        tokens=ToTokens(), attention=MultiHeadAttention(num_heads=8, bias=False)
    )
    attention = explained(net)
    # 4·49·64² = 802,816 and 2·49²·64 = 307,328
    assert text(attention, "multiply-adds") == ("4·n·c² + 2·n²·c = 4·49·64² + 2·49²·64 = 1110144")
    assert text(attention, "divides") == "h·n² = 8·49² = 19208"
    assert text(attention, "parameters") == "4·c² = 4·64² = 16384"


def test_a_sequence_keeps_its_letters_through_layers_that_do_not_care(network):
    net = network(input=(64, 7, 7)).chain(
        tokens=ToTokens(),
        norm=LayerNorm(),
        linear=Linear(out_features=9, in_features=64),
        relu=Relu(),
    )
    assert text(explained(net, "norm"), "parameters") == "2·c = 2·64 = 128"
    assert text(explained(net, "linear"), "multiply-adds") == "n·F_out·c = 49·9·64 = 28224"
    assert text(explained(net), "comparisons") == "n·c = 49·9 = 441"


def test_a_map_with_its_channels_last_is_told_so(network):
    net = network(input=(6, 5, 4)).chain(
        last=Permute(dims=(0, 2, 3, 1)), norm=LayerNorm(dim=-1), first=Permute(dims=(0, 3, 1, 2))
    )
    assert text(explained(net, "norm"), "parameters") == "2·c = 2·6 = 12"
    assert explained(net).about(Topic.OUTPUT)[0].name == "output channels"
    # No position goes, though `layer_norm` sees all of what is the width elsewhere.
    for name in ("last", "norm", "first"):
        assert text(explained(net, name), "receptive field, width") == "R = 1"
        assert text(explained(net, name), "jump, width") == "J = 1"


def test_a_pool_of_everything_sees_everything(network):
    net = network(input=(3, 8, 6)).chain(
        conv=Conv(out_channels=2, kernel_size=3, stride=2), pool=GlobalAvgPool(), flat=Flatten()
    )
    pool = explained(net, "pool")
    # 3×2 positions, 2 apart, each of which sees 3: 2 · 2 and 1 · 2 further
    assert text(pool, "receptive field, height") == "R + (H − 1)·J = 3 + (3 − 1)·2 = 7"
    assert text(pool, "receptive field, width") == "R + (W − 1)·J = 3 + (2 − 1)·2 = 5"
    assert text(pool, "jump, height") == "J·H = 2·3 = 6"


def test_sizes_of_two_factors_are_numbered(network):
    net = network(first=(5, 7), second=(7, 3))
    net.add("product", MatMul(), "first", "second")
    assert text(explained(net), "multiply-adds") == "n_1·c_2·c_1 = 5·3·7 = 105"


def test_a_letter_that_a_field_has_is_not_given_twice(network):
    net = network(input=(64, 7, 7)).chain(tokens=ToTokens(), norm=LocalResponseNorm(size=5))
    # size is n, and so are the tokens elsewhere
    assert text(explained(net), "adds") == "n·n_in·c = 5·49·64 = 15680"


def test_pooling_is_told_with_what_it_rounds_and_shares(network):
    net = network(input=(2, 10, 10)).chain(
        ceiling=AvgPool(kernel_size=3, stride=2, ceil_mode=True),
        overlap=MaxPool(kernel_size=2),
    )
    # ⌈(10 − 3)/2⌉ + 1 = 5
    assert text(explained(net, "ceiling"), "output height") == (
        "⌊(H + p − 1 + min(0, p − k_h + s))/s⌋ + 1 = ⌊(10 + 0 − 1 + min(0, 0 − 3 + 2))/2⌋ + 1 = 5"
    )
    assert text(explained(net, "overlap"), "output height") == (
        "⌊(H + 2·p − d·(k_h − 1) − 1)/k_h⌋ + 1 = ⌊(5 + 2·0 − 1·(2 − 1) − 1)/2⌋ + 1 = 2"
    )
    # Windows of 3 elements from 0, 2 and 4 of 7: 9 elements, 3 of which stand for the window.
    adaptive = explained(network(input=(2, 7)).chain(pool=AdaptiveAvgPool(output_size=3)))
    assert text(adaptive, "adds") == (
        "C_in·(L + m − gcd(L, m)) − C_in·m = 2·(7 + 3 − gcd(7, 3)) − 2·3 = 12"
    )


def test_what_autograd_keeps_is_told(network):
    net = network(input=(6, 4, 4)).chain(norm=BatchNorm(), pool=MaxPool(kernel_size=2))
    assert [(each.name, each.text) for each in explained(net, "norm").about(Topic.TRAINING)] == [
        ("input", "N·C_in·H·W·b = 1·6·4·4·4 = 384"),
        ("`mean`", "C_in·b = 6·4 = 24"),
        ("`inverse_deviation`", "C_in·b = 6·4 = 24"),
    ]
    indices = explained(net, batch=3).about(Topic.TRAINING)[1]
    # 64 bits for each of 6 · 2 · 2 elements
    assert indices.text == "8·N·C_in·H_out·W_out = 8·3·6·2·2 = 576"


def test_numbers_of_half_a_byte_are_rounded_up_tensor_by_tensor(network):
    net = network(input=(3,)).chain(linear=Linear(out_features=5))
    linear = explained(net, batch=3, dtypes=Dtypes("int4", "int4"))
    # 15 and 5 weights take 8 and 3 bytes; 15 activations 8
    assert text(linear, "weight memory") == (
        "⌊(weight·b_w + 7)/8⌋ + ⌊(bias·b_w + 7)/8⌋ = ⌊(15·4 + 7)/8⌋ + ⌊(5·4 + 7)/8⌋ = 11"
    )
    assert text(linear, "activation memory") == "⌊(N·F_out·b + 7)/8⌋ = ⌊(3·5·4 + 7)/8⌋ = 8"


def test_shared_weights_are_told_and_count_where_they_are(network):
    net = network(input=(3, 8, 8)).chain(conv=Conv(out_channels=3, kernel_size=1))
    graph = net.graph()
    again = graph.nodes[1]._replace(name="again", inputs=(1,), shares=1)
    graph = graph._replace(nodes=(*graph.nodes, again), outputs=(2,))
    analysis = analyze_graph(graph)
    explanation = explain_layer(analysis.layers[1], analysis)
    params = explanation.of_metric("params")
    assert (params.value, params.note) == (0, "its weights are those of `conv`, and count there")
    assert [each.value for each in explanation.about(Topic.WEIGHTS)] == [9, 3]
    assert (explanation.name, explanation.kind) == ("again", "conv")
    assert [each.axis for each in explanation.about(Topic.OUTPUT)] == ["", "h", "w"]


def test_shared_buffers_count_where_they_are(network):
    graph = network(input=(3, 8)).chain(norm=BatchNorm()).graph()
    again = graph.nodes[1]._replace(name="again", inputs=(1,), shares=1)
    graph = graph._replace(nodes=(*graph.nodes, again), outputs=(2,))
    analysis = analyze_graph(graph)
    first, second = explain_layers(analysis.layers, analysis)
    assert first.of_metric("buffers").text == "2·C_in = 2·3 = 6"
    with pytest.raises(KeyError):
        second.of_metric("buffers")


@pytest.mark.parametrize(
    ("shape", "names", "axes", "wheres"),
    [
        ((1, 9), ["padding (P)"], [""], [""]),
        (
            (1, 9, 9),
            ["padding height (P_h)", "padding width (P_w)"],
            ["h", "w"],
            [" (height)", " (width)"],
        ),
    ],
)
def test_same_padding_is_told_for_each_axis(network, shape, names, axes, wheres):
    net = network(input=shape)
    found = explained(net.chain(conv=Conv(out_channels=1, kernel_size=3, padding="same")))
    paddings = [each for each in found.about(Topic.PADDING) if "(P" in each.name]
    assert [(each.name, each.axis) for each in paddings] == list(zip(names, axes, strict=True))
    assert {each.value for each in paddings} == {2}  # 9 − 1 + 3 − 9
    # And what each end has of it.
    ends = [each for each in found.about(Topic.PADDING) if "(P" not in each.name]
    assert [(each.value, each.axis) for each in ends] == [(1, axis) for axis in axes for _ in "ab"]
    meanings = {entry.symbol: entry.meaning for entry in found.legend}
    assert [
        meaning for meaning in meanings.values() if meaning.startswith("padding of both ends")
    ] == [f"padding of both ends{where}" for where in wheres]


def test_a_field_on_what_is_finer_already_has_no_formula(network):
    up = explained(
        network(input=(3, 8, 8)).chain(
            up=Upsample(scale_factor=2, mode="linear"),
            conv=Conv(out_channels=1, kernel_size=3, padding=1),
        )
    )
    [field] = [each for each in up.derivations if each.name == "receptive field, height"]
    # Positions are read at −¼, ¼, ¾ and so on: three neighbours see −1 to 1, 3 positions at most.
    assert (field.formula, field.value) == ("", 3)
    assert field.text == "3"
    assert field.note
    assert (field.unit, field.axis) == ("input positions", "h")


def test_behind_a_finer_grid_the_recurrence_has_its_floors(network):
    net = network(input=(3, 16, 16)).chain(
        stem=Conv(out_channels=8, kernel_size=3, stride=2, padding=1),
        up=ConvTranspose(out_channels=8, kernel_size=4, stride=2, padding=1),
    )
    up = explained(net)
    # Of a map in steps of 2 two neighbours are seen: 3 + 2 positions. Position 0 is made of the
    # first and, before it, of one that begins 2 earlier, at −3; the next follows 1 position on.
    assert text(up, "receptive field, height") == (
        "R + (⌊(d·(k_h − 1) + s)/s⌋ − 1)·J = 3 + (⌊(1·(4 − 1) + 2)/2⌋ − 1)·2 = 5"
    )
    assert text(up, "jump, height") == "J/s = 2/2 = 1"
    assert text(up, "start, height").endswith("= −1 + ⌊(1 − 1·(4 − 1) + 2 − 1)/2⌋·2 = −3")


def test_behind_a_finer_grid_axes_that_differ_have_their_letters(network):
    net = network(input=(3, 16, 16)).chain(
        stem=Conv(out_channels=8, kernel_size=(3, 5), stride=2, padding=(1, 2)),
        up=ConvTranspose(out_channels=8, kernel_size=4, stride=2, padding=1),
    )
    up = explained(net)
    assert text(up, "receptive field, height") == (
        "R_h + (⌊(d·(k_h − 1) + s)/s⌋ − 1)·J = 3 + (⌊(1·(4 − 1) + 2)/2⌋ − 1)·2 = 5"
    )
    assert text(up, "receptive field, width") == (
        "R_w + (⌊(d·(k_w − 1) + s)/s⌋ − 1)·J = 5 + (⌊(1·(4 − 1) + 2)/2⌋ − 1)·2 = 7"
    )


def test_on_a_finer_grid_the_jump_alone_has_a_formula(network):
    conv = Conv(out_channels=8, kernel_size=3, stride=2, padding=1)
    net = network(input=(3, 16, 16)).chain(
        stem=conv, up=ConvTranspose(out_channels=8, kernel_size=4, stride=2, padding=1), down=conv
    )
    down = explained(net)
    # Steps of 2 halved, and doubled again.
    assert text(down, "jump, height") == "J·s = 1·2 = 2"
    [size] = [each for each in down.derivations if each.name == "receptive field, height"]
    assert size.formula == ""


def test_a_jump_that_is_no_whole_number_has_its_quotient(network):
    conv = Conv(out_channels=8, kernel_size=3, stride=Fraction(1, 2), padding=1)
    spread = explained(network(input=(3, 16, 16)).chain(conv=conv))
    assert text(spread, "jump, width") == "J/2 = 1/2"


@pytest.mark.parametrize(
    ("kernel", "padding", "said"),
    [
        (2, 0, "the windows are not evenly spaced"),
        (4, 1, "the windows are not evenly spaced"),
        (3, 0, "not all output positions see alike"),
    ],
)
def test_windows_that_see_equally_many_are_said_to_be_unevenly_spaced(
    network, kernel, padding, said
):
    up = ConvTranspose(out_channels=1, kernel_size=kernel, stride=2, padding=padding)
    told = explained(network(input=(1, 8, 8)).chain(up=up))
    notes = {each.note for each in told.about(Topic.RECEPTIVE_FIELD)}
    assert len(notes) == 1
    assert notes.pop().startswith(said)


def test_tokens_are_told_no_receptive_field(network):
    for layer in (MultiHeadAttention(num_heads=4, window=7), LayerNorm()):
        told = explained(network(input=(196, 64)).chain(layer=layer))
        assert told.about(Topic.RECEPTIVE_FIELD) == ()
        meanings = {entry.symbol: entry.meaning for entry in told.legend}
        assert meanings["n"] == "tokens of the input"


def test_of_a_matrix_it_is_said_who_shares_its_kernel(network):
    def notes(sharing):
        conv = Conv(out_channels=2, kernel_size=2, weight_sharing=sharing)
        told = explained(network(input=(2, 3, 3)).chain(conv=conv))
        return {each.note for each in told.about(Topic.MATRIX)}

    assert notes("spatial") == {""}
    [alone] = notes("none")
    assert alone.startswith("each row has a kernel of its own")
    [full] = notes("full")
    assert full.startswith("one kernel for all input channels")


def test_the_letters_of_a_field_are_not_those_of_what_is_seen(network):
    folded = explained(network(input=(3, 8, 8)).chain(fold=PixelUnshuffle(downscale_factor=2)))
    assert text(folded, "receptive field, height") == "R + (r − 1)·J = 1 + (2 − 1)·1 = 2"
    assert text(folded, "output height") == "H/r = 8/2 = 4"
    assert text(folded, "output channels") == "C_in·r² = 3·2² = 12"


class Odd(Layer, kind="odd"):
    """A kind of tomorrow: it takes each so many positions together."""

    folds: int | tuple[int, ...] = field(PerAxis(Integer(1)), symbol="H", help="so many")

    def output(self, inputs):
        channels, *spatial = inputs[0]
        folds = per_axis(self.folds, len(spatial))
        return (channels, *(i // n for i, n in zip(spatial, folds, strict=True)))

    def operations(self, inputs, output):
        return Operations(adds=product(inputs[0]))


def test_a_new_kind_is_explained_by_its_declaration_alone(network):
    odd = explained(network(input=(3, 8, 6)).chain(odd=Odd(folds=2)))
    # Its letter is the height's: it keeps those of its axes, though both are 2.
    assert [each.text for each in odd.about(Topic.OUTPUT)] == [
        "C_in = 3",
        "⌊H/H_h⌋ = ⌊8/2⌋ = 4",
        "⌊W/H_w⌋ = ⌊6/2⌋ = 3",
    ]
    assert text(odd, "adds") == "C_in·H·W = 3·8·6 = 144"
    assert odd.law == "A kind of tomorrow: it takes each so many positions together."
    meanings = {entry.symbol: (entry.meaning, entry.field) for entry in odd.legend}
    assert meanings["H"] == ("height of the input", None)
    assert meanings["H_w"] == ("so many (width)", "folds")


class Paired(Layer, kind="paired"):
    """A kind that makes two channels of whatever it gets."""

    def output(self, inputs):
        return (2, *inputs[0][1:])


def test_a_size_that_is_the_same_for_all_inputs_has_a_letter(network):
    paired = explained(network(input=(3, 8)).chain(paired=Paired()))
    assert [each.text for each in paired.about(Topic.OUTPUT)] == ["2", "L = 8"]
    assert text(paired, "activations") == "C_out·L = 2·8 = 16"


# -- the matrix -----------------------------------------------------------------------------------


def test_the_matrix_of_the_textbook(network):
    conv = explained(
        network(input=(1, 4, 4)).chain(conv=Conv(out_channels=1, kernel_size=3, bias=False))
    )
    assert [each.text for each in conv.about(Topic.MATRIX)][:3] == [
        "H_out·W_out = 2·2 = 4",
        "H·W = 4·4 = 16",
        "H_out·k_h·W_out·k_w = 2·3·2·3 = 36",
    ]
    assert len(conv.matrix.entries) == 4


def test_the_matrix_leaves_out_what_lies_in_the_padding(network):
    conv = explained(
        network(input=(4, 5)).chain(
            conv=Conv(out_channels=6, kernel_size=3, padding=1, groups=2, bias=False)
        )
    )
    matrix = {each.name: each.text for each in conv.about(Topic.MATRIX)}
    # 5 windows of 3, of which one weight lies outside at each end; 6 outputs of 2 inputs each
    assert matrix["non-zeros of C"] == "L_out·k − q = 5·3 − 2 = 13"
    assert (
        matrix["non-zeros, all channels"]
        == "C_out·(C_in/g)·(L_out·k − q) = 6·(4/2)·(5·3 − 2) = 156"
    )
    assert matrix["rows, all output channels"] == "C_out·L_out = 6·5 = 30"
    units = [each.unit for each in conv.about(Topic.MATRIX)]
    assert units == ["positions", "positions", "entries"] * 2
    meanings = {entry.symbol: entry.meaning for entry in conv.legend}
    assert meanings["q"] == "of these those that lie outside the input"


def test_the_matrix_of_a_transposed_convolution_is_told_by_its_inputs(network):
    conv = explained(
        network(input=(4, 5)).chain(
            up=ConvTranspose(out_channels=6, kernel_size=3, stride=2, groups=2, bias=False)
        )
    )
    matrix = {each.name: each.text for each in conv.about(Topic.MATRIX)}
    # Each of 5 positions meets 3 weights, each of 4 channels 6/2 others.
    assert matrix["non-zeros of C"] == "L·k = 5·3 = 15"
    assert matrix["non-zeros, all channels"] == "C_in·(C_out/g)·L·k = 4·(6/2)·5·3 = 180"


def test_only_convolutions_have_a_matrix(network):
    assert explained(network(input=(3, 8)).chain(pool=MaxPool(kernel_size=2))).matrix is None
    depthwise = explained(network(input=(3, 8)).chain(conv=DepthwiseConv(kernel_size=3)))
    # 6 windows of 3 in each of 3 channels
    assert depthwise.about(Topic.MATRIX)[-1].value == 54


# -- totals ---------------------------------------------------------------------------------------


def test_the_six_terms_of_the_inception_module():
    totals = explain_totals(analyzed("inception_bottleneck.yaml"))
    assert totals.name == "inception_bottleneck"
    macs = totals.of_metric("macs")
    # 28·28 positions; the terms that stand beside the 358M of the course, which they do not make
    assert [(term.name, term.value) for term in macs.terms] == [
        ("conv1x1.conv", 784 * 128 * 256),
        ("conv3x3.conv1", 784 * 64 * 256),
        ("conv3x3.conv2", 784 * 192 * 9 * 64),
        ("conv5x5.conv1", 784 * 64 * 256),
        ("conv5x5.conv2", 784 * 96 * 25 * 64),
        ("pool.conv", 784 * 64 * 256),
    ]
    assert macs.value == 271_351_808
    assert macs.terms[0].formula == "C_out·H_out·W_out·(C_in/g)·k_h·k_w"
    assert macs.terms[2].substituted == "192·28·28·(64/1)·3·3"
    assert macs.substituted.startswith("128·28·28·(256/1)·1·1 + 64·28·28·(256/1)·1·1 + ")
    assert read(macs.substituted, {}) == 271_351_808


def test_a_module_of_a_network_adds_up_term_by_term():
    module = explain_group("inception3a", analyzed("googlenet.yaml"))
    assert module.name == "inception3a"
    params, macs = module.of_metric("params"), module.of_metric("macs")
    # 192·64, 192·96 and 9·96·128, 192·16 and 25·16·32, 192·32
    assert [term.value for term in params.terms] == [12288, 18432, 110592, 3072, 12800, 6144]
    assert {term.kind for term in params.terms} == {"conv"}
    assert params.value == 163_328
    assert macs.value == 128_049_152
    assert [term.value for term in macs.terms] == [784 * term.value for term in params.terms]


def test_a_large_network_adds_up_its_groups():
    analysis = analyzed("googlenet.yaml")
    params = explain_totals(analysis).of_metric("params")
    # 57 convolutions and the linear layer are more than one reads
    assert len([layer for layer in analysis.layers if layer.params]) == 58 > FEW_TERMS
    terms = {term.name: (term.kind, term.value) for term in params.terms}
    assert terms["inception3a"] == ("14 layers", 163_328)
    assert terms["linear"] == ("linear", 1_025_000)
    assert "max_pool1" not in terms
    assert params.value == 6_991_272
    assert params.substituted == " + ".join(str(value) for _, value in terms.values())


def test_a_large_group_adds_up_the_groups_inside(network):
    net = network(input=(1,))
    for block in ("x", "y"):
        for n in range(9):
            net.add(f"net.stage.{block}.{n}.linear", Linear(out_features=1))
    group = explain_group("net.stage", analyze_graph(net.graph()))
    # 18 layers of a weight and a bias, in two blocks
    params = group.of_metric("params")
    assert [(term.name, term.kind, term.value) for term in params.terms] == [
        ("net.stage.x", "9 layers", 18),
        ("net.stage.y", "9 layers", 18),
    ]
    assert (group.name, params.substituted, params.value) == ("net.stage", "18 + 18", 36)


def test_few_layers_are_added_up_one_by_one(network):
    net = network(input=(1,))
    for n in range(FEW_TERMS):
        net.add(f"net.{n}", Linear(out_features=1, bias=False))
    params = explain_totals(analyze_graph(net.graph())).of_metric("params")
    assert [term.name for term in params.terms] == [f"net.{n}" for n in range(16)]
    net.add("net.last", Linear(out_features=1, bias=False))
    params = explain_totals(analyze_graph(net.graph())).of_metric("params")
    assert params.terms == (("net", "17 layers", "", "", 17),)


def test_the_terms_of_a_group_that_is_not_there():
    with pytest.raises(KeyError, match="inception9z"):
        explain_group("inception9z", analyzed("inception_bottleneck.yaml"))


def test_a_total_without_terms_is_0():
    buffers = explain_totals(analyzed("inception_bottleneck.yaml")).of_metric("buffers")
    assert (buffers.terms, buffers.value, buffers.substituted) == ((), 0, "0")
    with pytest.raises(KeyError, match="layers"):
        explain_totals(analyzed("inception_bottleneck.yaml")).of_metric("layers")


# -- all of them ----------------------------------------------------------------------------------


NETWORKS = (
    *("alexnet", "conv_families", "convnext", "densenet", "efficientnet", "fpn", "ghostnet"),
    *("googlenet", "inception_bottleneck", "lenet5", "mobilenet_v3", "resnet3d", "segmentation"),
    *("shufflenet_v1", "shufflenet_v2", "siamese", "unet", "vit", "wavenet", "weight_sharing"),
)


def hold(explanation, row):
    """Hold an explanation against the analysis of its layer."""
    values = {entry.symbol: entry.value for entry in explanation.legend}
    values |= {each.metric: each.value for each in explanation.derivations if each.metric}
    values |= {name: math.prod(shape) for name, shape in row.weights}
    for each in explanation.derivations:
        if each.formula:
            assert read(each.formula, values) == each.value, (row, each)
            assert read(each.substituted, {}) == each.value, (row, each)
        else:
            assert each.topic is Topic.RECEPTIVE_FIELD, (row, each)
            assert each.note
        if each.shape:
            assert tuple(read(size, values) for size in each.shape.split(" × ")) == each.sizes
    told = {each.metric: each.value for each in explanation.derivations if each.metric}
    assert told == {
        each.key: value
        for each in METRICS
        if each.of_layers
        and each.adds_up
        and ((value := value_of(each.key, row)) or each.key in ("params", "macs", "flops"))
    }
    assert tuple(each.value for each in explanation.about(Topic.OUTPUT)) == row.output_shape
    field = row.receptive_field
    seen = [each.value for each in explanation.about(Topic.RECEPTIVE_FIELD)]
    if len(field.size) <= 3:
        assert seen == [n for axis in zip(*field[:3], strict=True) for n in axis]
    tensors = (*row.weights, *row.buffer_tensors)
    found = [each.sizes for each in explanation.about(Topic.WEIGHTS)]
    assert found == [tensor.shape for tensor in tensors]
    if explanation.matrix:
        rows, columns, non_zeros, *_ = explanation.about(Topic.MATRIX)
        assert (rows.value, columns.value) == (explanation.matrix.rows, explanation.matrix.columns)
        assert non_zeros.value == explanation.matrix.non_zeros


@pytest.mark.parametrize("name", NETWORKS)
def test_every_formula_read_with_its_legend_is_the_number_of_the_analysis(name):
    analysis = analyzed(f"{name}.yaml", batch=3, dtypes=Dtypes("int4", "float16"))
    explanations = explain_layers(analysis.layers, analysis)
    for row, explanation in zip(analysis.layers, explanations, strict=True):
        hold(explanation, row)


@pytest.mark.parametrize("kind", all_kinds())
def test_every_number_of_every_kind_is_explained(network, kind):
    for layer, shapes in layers_of(kind, 40):
        net = network(**{f"input{n}": shape for n, shape in enumerate(shapes)})
        net.add("layer", layer, *(f"input{n}" for n in range(len(shapes))))
        analysis = analyze_graph(net.graph(), batch=2, dtypes=Dtypes("bfloat16", "int4"))
        hold(explain_layer(analysis.layers[0], analysis), analysis.layers[0])


@pytest.mark.parametrize("name", ["inception_bottleneck", "googlenet", "siamese", "vit"])
def test_every_sum_is_the_total_of_the_analysis(name):
    analysis = analyzed(f"{name}.yaml", batch=2)
    for each in explain_totals(analysis).sums:
        assert each.value == value_of(each.metric.key, analysis)
        assert all(term.value for term in each.terms)
