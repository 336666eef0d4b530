"""The Python interface."""

from fractions import Fraction

import pytest

import convcalc
from convcalc.algebra import Polynomial, symbol

TINY = """\
vars: {width: 1}
input: [3, 8, 8]
layers:
  - conv: {out_channels: 8 * width, kernel_size: 3}
"""


def test_a_network_by_name():
    costs = convcalc.analyze("resnet::resnet50")
    assert (costs.params, costs.macs, costs.buffers) == (25_557_032, 4_089_184_256, 53_120)
    # The fourth layer is the max pool behind the stem.
    assert costs.layers[3].output_shape == (64, 56, 56)
    assert costs.layers[3].kind == "max_pool"


@pytest.mark.parametrize("width", [2, 2.0, Fraction(2), "2", "4 // 2"])
def test_variables_may_be_numbers_or_expressions(spec, width):
    costs = convcalc.analyze(spec(TINY), {"width": width})
    # 16·3·9 + 16
    assert costs.params == 448


def test_decimals_are_meant_as_written(spec):
    path = spec(TINY.replace("8 * width", "width * 10"))
    # As a double 0.7 · 10 is 7.000000000000001 in some orders of evaluation; a tenth is a tenth.
    assert convcalc.analyze(path, {"width": 0.7}).outputs[0][1][0] == 7


def test_a_path_object(spec):
    assert convcalc.analyze(spec(TINY)).name == "net"


def test_bytes_are_for_the_batch_and_the_dtype(spec):
    costs = convcalc.analyze(spec(TINY), batch=4, dtype="int8", weights_dtype="float16")
    # 8·6·6 elements of a byte, 4 samples; 224 parameters of two bytes
    assert costs.activation_bytes == 1_152
    assert costs.weight_bytes == 448


def test_int4_is_rounded_up_to_whole_bytes(spec):
    path = spec("input: [1, 1, 1]\nlayers:\n  - conv: {out_channels: 3, kernel_size: 1}\n")
    # Weights: 3 elements in 12 bits, 2 bytes; biases the same.
    assert convcalc.analyze(path, dtype="int4").weight_bytes == 4


def test_findings_come_as_an_exception(spec):
    path = spec("input: [3, 8]\nlayers:\n  - conv: {filters: 3}\n  - rellu\n")
    with pytest.raises(convcalc.SpecError) as caught:
        convcalc.analyze(path)
    assert isinstance(caught.value, convcalc.ConvcalcError)
    codes = [finding.code.id for finding in caught.value.findings]
    assert "E104" in codes
    assert "E106" in codes
    assert f"{path}:4:5: error[E106]: unknown layer kind `rellu`" in str(caught.value)


@pytest.mark.parametrize(
    "options", [{"batch": 0}, {"dtype": "float33"}, {"activations_dtype": "double"}]
)
def test_options_without_a_meaning(options):
    with pytest.raises(convcalc.UsageError) as caught:
        convcalc.analyze("lenet5", **options)
    assert caught.value.findings[0].code.id == "E402"


def test_a_missing_file():
    with pytest.raises(convcalc.UsageError, match="E001"):
        convcalc.analyze("no/such/file.yaml")


def test_the_graph_can_be_symbolic():
    graph = convcalc.load("resnet::resnet50", {"H": symbol("H"), "W": symbol("W")})
    stem = graph.layers[0]
    assert str(stem.shape[1]) == "⌊(H + 1)/2⌋"
    last_conv = graph.layers[-5]
    assert isinstance(last_conv.shape[1], Polynomial)
    # Five halvings, each ⌊(n + 1)/2⌋, are one floor.
    assert str(graph.layers[-4].shape[1]) == "⌊(H + 31)/32⌋"
    total = sum(
        node.layer.operations(graph.input_shapes(node), node.shape).macs for node in graph.layers
    )
    for size in (224, 225, 160, 97):
        exact = convcalc.analyze("resnet::resnet50", {"H": size, "W": size + 32})
        assert total.evaluate({"H": size, "W": size + 32}) == exact.macs
    with pytest.raises(TypeError, match="formula"):
        convcalc.analyze("resnet::resnet50", {"H": symbol("H")})


def test_a_batch_has_an_end(spec):
    net = spec("input: [3, 8, 8]\nlayers: [relu]\n")
    assert convcalc.analyze(net, batch=10**9).batch == 10**9
    with pytest.raises(convcalc.UsageError, match="a batch is 1,000,000,000 or less"):
        convcalc.analyze(net, batch=10**9 + 1)
