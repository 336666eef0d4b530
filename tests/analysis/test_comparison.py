"""Networks side by side."""

from fractions import Fraction

import pytest

from convcalc.analysis import analyze_graph
from convcalc.analysis.comparison import Comparison, aligned_names
from convcalc.analysis.grouping import groups_at
from convcalc.layers.activation import Relu
from convcalc.layers.convolution import Conv


@pytest.fixture
def bottleneck(network):
    """A 3×3 conv 256→256 against 1×1 to 64, 3×3 and 1×1 back, without bias, on 10×10."""

    def conv(channels, kernel, padding=0):
        return Conv(out_channels=channels, kernel_size=kernel, padding=padding, bias=False)

    plain = network(input=(256, 10, 10)).chain(conv=conv(256, 3, 1))
    narrow = network(input=(256, 10, 10)).chain(
        reduce=conv(64, 1), conv=conv(64, 3, 1), widen=conv(256, 1)
    )
    return analyze_graph(plain.graph()), analyze_graph(narrow.graph())


def test_a_ratio_is_exact_and_to_the_reference(bottleneck):
    plain, narrow = bottleneck
    assert (plain.params, narrow.params) == (589_824, 69_632)
    comparison = Comparison(bottleneck, reference=0)
    # 69,632/589,824 = 17/144, about 1/8.47
    assert comparison.ratio("params", narrow) == Fraction(17, 144)
    assert comparison.ratio("macs", narrow) == Fraction(17, 144)
    assert comparison.ratio("params", plain) == 1
    assert Comparison(bottleneck, reference=1).ratio("params", plain) == Fraction(144, 17)


def test_nothing_is_measured_against_0(bottleneck):
    comparison = Comparison(bottleneck, reference=0)
    assert comparison.ratio("buffers", bottleneck[1]) is None
    assert comparison.ratio("adds", bottleneck[0]) is None


def aligned(network, *names):
    """`aligned_names` of networks whose layers have these names."""
    folded = []
    for layers in names:
        net = network(input=(1, 4))
        for name in layers.split():
            net.add(name, Relu())
        folded.append(groups_at(analyze_graph(net.graph()), None))
    return " ".join(aligned_names(tuple(folded)))


@pytest.mark.parametrize(
    ("networks", "expected"),
    [
        (("a b c", "a b c"), "a b c"),
        (("a b c", "a c"), "a b c"),
        (("a c", "a b c"), "a b c"),
        (("a b", "x a y b z"), "x a y b z"),
        (("a b", "a x y b"), "a x y b"),
        (("a b", "c d"), "c d a b"),
        (("a b", "a x b", "a y b"), "a x y b"),
        (("a b", "a x b", "a y x b"), "a x y b"),
        # What stands in another order keeps the order of the first.
        (("a b c", "c x a"), "a b c x"),
    ],
)
def test_layers_are_aligned_by_name_in_the_order_of_the_first(network, networks, expected):
    assert aligned(network, *networks) == expected


def test_one_network_is_aligned_with_itself(network):
    assert aligned(network, "a b c") == "a b c"
