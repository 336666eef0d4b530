"""The smallest input: walked back to, and held against trying every size."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import convcalc
from convcalc.algebra import symbol
from convcalc.analysis.smallest_input import least_sizes, runs_on, smallest_input
from convcalc.errors import ConvcalcError
from convcalc.graph import Graph, Node
from convcalc.layers import Input
from convcalc.layers.activation import Relu
from convcalc.layers.convolution import Conv, ConvTranspose
from convcalc.layers.linear import Linear
from convcalc.layers.merging import Add, Concat, MatMul, Max, Mul
from convcalc.layers.normalization import LayerNorm
from convcalc.layers.pooling import AvgPool, GlobalAvgPool, MaxPool
from convcalc.layers.resizing import Crop, Pad, PixelUnshuffle, Upsample
from convcalc.layers.shaping import Flatten


def sizes_of(found):
    return tuple(shape[1:] for _, shape in found.inputs)


# -- by hand --------------------------------------------------------------------------------------


def test_one_conv_needs_its_kernel(network):
    graph = network(input=(3, 20, 20)).chain(conv=Conv(out_channels=1, kernel_size=(3, 5))).graph()
    found = smallest_input(graph)
    assert found.inputs == (("input", (3, 3, 5)),)
    assert found.bounds == ((3, 5),)
    assert found.tried == (((3, 5),),)
    assert found.is_bound
    assert found.is_complete
    assert found.is_smaller


def test_each_layer_asks_for_more(network):
    graph = (
        network(input=(1, 64))
        .chain(
            a=Conv(out_channels=1, kernel_size=11, stride=4, padding=2),  # (13 − 1)·4 + 11 − 4 = 55
            b=MaxPool(kernel_size=3, stride=2),  # 6 from (6 − 1)·2 + 3 = 13
            c=Conv(out_channels=1, kernel_size=6),  # 1 from 6
        )
        .graph()
    )
    found = smallest_input(graph)
    assert (sizes_of(found), found.bounds) == (((55,),), ((55,),))


def test_padding_spares_and_dilation_costs(network):
    graph = (
        network(input=(1, 40, 40))
        .chain(
            pad=Pad(padding=2),
            conv=Conv(out_channels=1, kernel_size=3, dilation=4),  # spreads over 9
            up=Upsample(scale_factor=2),
            crop=Crop(size=2),
        )
        .graph()
    )
    assert sizes_of(smallest_input(graph)) == ((5, 5),)  # 9 − 2·2


def test_branches_ask_for_the_most_of_them(network):
    net = network(input=(4, 30, 30))
    net.add("wide", Conv(out_channels=4, kernel_size=7), "input")
    net.add("narrow", Conv(out_channels=4, kernel_size=3), "input")
    net.add("pooled", MaxPool(kernel_size=5, stride=1), "narrow")  # 3 + 5 − 1 = 7 too
    net.add("joined", Concat(), "wide", "pooled")
    assert sizes_of(smallest_input(net.graph())) == ((7, 7),)
    net.add("deeper", Conv(out_channels=1, kernel_size=4), "narrow")
    assert sizes_of(smallest_input(net.graph("joined", "deeper"))) == ((7, 7),)
    net.add("deepest", Conv(out_channels=1, kernel_size=4), "deeper")
    # 3 + 3 + 3 more: the most is asked for by who is not an output's input
    assert sizes_of(smallest_input(net.graph("joined", "deepest"))) == ((9, 9),)


def test_what_mixes_its_axes_is_searched_for(network):
    """A matrix times itself: it must be square, and 3×3 for the conv behind it."""
    net = network(input=(2, 9, 9))
    net.add("square", MatMul(), "input", "input")
    net.add("conv", Conv(out_channels=1, kernel_size=3), "square")
    found = smallest_input(net.graph())
    assert found.bounds == ((1, 1),)
    assert sizes_of(found) == ((3, 3),)
    assert found.tried[:3] == (((1, 1),), ((2, 2),), ((3, 3),))


def test_a_gate_asks_for_nothing(network):
    net = network(input=(4, 30, 30))
    net.add("map", Conv(out_channels=4, kernel_size=5), "input")
    net.add("pool", GlobalAvgPool(), "map")
    net.add("gated", Mul(), "map", "pool")
    net.add("last", Conv(out_channels=4, kernel_size=3), "gated")
    found = smallest_input(net.graph())
    assert (sizes_of(found), found.bounds) == (((7, 7),), ((7, 7),))
    # As much if the gate comes first.
    net.add("turned", Mul(), "pool", "map")
    net.add("end", Conv(out_channels=4, kernel_size=3), "turned")
    assert least_sizes(net.graph("end")) == ((7, 7),)


def test_of_two_factors_either_may_come_to_be_stretched(network):
    net = network(first=(4, 9), second=(4, 9))
    net.add("product", Mul(), "first", "second")
    net.add("conv", Conv(out_channels=1, kernel_size=3), "product")
    graph = net.graph()
    assert runs_on(graph, ((1,), (3,)))
    assert runs_on(graph, ((3,), (1,)))
    assert least_sizes(graph) == ((1,), (1,))


@pytest.mark.parametrize("merge", [Add(), Max(), Concat()])
def test_what_is_merged_is_of_one_size(network, merge):
    net = network(first=(4, 20, 30), second=(4, 20, 30))
    net.add("merged", merge, "first", "second")
    net.add("conv", Conv(out_channels=1, kernel_size=(3, 5)), "merged")
    assert least_sizes(net.graph()) == ((3, 5), (3, 5))


def test_along_the_axis_of_a_concat_no_input_needs_anything(network):
    # 6 + 6 rows for a kernel of 9: 5 + 5 would do, as would 8 and 1.
    net = network(first=(4, 6, 8), second=(4, 6, 8))
    net.add("joined", Concat(dim=2), "first", "second")
    net.add("conv", Conv(out_channels=1, kernel_size=(9, 3)), "joined")
    graph = net.graph()
    assert runs_on(graph, ((8, 3), (1, 3)))
    assert least_sizes(graph) == ((1, 3), (1, 3))
    assert sizes_of(smallest_input(graph)) == ((5, 3), (5, 3))


@pytest.mark.parametrize(
    "layer",
    [LayerNorm(normalized_shape=(8,)), Linear(out_features=2, in_features=8)],
    ids=["layer_norm", "linear"],
)
def test_a_layer_for_one_size_of_the_last_axis_asks_for_just_this(network, layer):
    graph = network(input=(2, 9, 8)).chain(layer=layer).graph()
    assert least_sizes(graph) == ((1, 8),)


def test_layers_alike_but_for_their_kernels_ask_each_for_its_own(network):
    net = network(input=(4, 30))
    net.add("wide", Conv(out_channels=1, kernel_size=5), "input")
    net.add("narrow", Conv(out_channels=1, kernel_size=3), "input")
    assert least_sizes(net.graph("wide", "narrow")) == ((5,),)


def test_a_size_that_must_divide_is_searched_for(network):
    graph = (
        network(input=(1, 24, 36))
        .chain(
            conv=Conv(out_channels=1, kernel_size=4),
            fold=PixelUnshuffle(downscale_factor=3),
        )
        .graph()
    )
    assert sizes_of(smallest_input(graph)) == ((6, 6),)  # 3 and the 3 that the kernel takes


def even_only(network, *spatial, kernel):
    """⌊n/2⌋·2 and n are added, so n must be even; and a conv asks for its kernel."""
    net = network(input=(1, *spatial))
    net.add("half", MaxPool(kernel_size=2), "input")
    net.add("double", Upsample(scale_factor=2), "half")
    net.add("sum", Add(), "double", "input")
    net.add("conv", Conv(out_channels=1, kernel_size=kernel), "input")
    return net.graph("sum", "conv")


def test_branches_of_one_size_only_now_and_then_are_searched_for(network):
    found = smallest_input(even_only(network, 20, 30, kernel=5))
    assert found.bounds == ((5, 5),)
    assert sizes_of(found) == ((6, 6),)
    assert found.is_complete
    assert not found.is_bound
    # the bound; then each axis alone, the other as it was
    assert found.tried == (((5, 5),), ((5, 30),), ((6, 30),), ((6, 5),), ((6, 6),))


def test_equal_sizes_are_tried_together(network):
    """As with one variable for both axes: nothing else is accepted."""
    graph = even_only(network, 20, 20, kernel=(5, 2))

    def graph_at(sizes):
        [(height, width)] = sizes
        if height != width or not runs_on(graph, sizes):
            raise ConvcalcError([])
        return graph

    found = smallest_input(graph, graph_at)
    assert found.bounds == ((5, 2),)
    assert found.tried[:3] == (((5, 2),), ((5, 5),), ((6, 6),))
    assert sizes_of(found) == ((6, 6),)
    assert sizes_of(smallest_input(graph)) == ((6, 2),)


def test_a_search_may_be_cut_short(network):
    graph = even_only(network, 20, 30, kernel=5)
    found = smallest_input(graph, most_tries=2)
    assert (sizes_of(found), found.is_complete) == (((20, 30),), False)  # what it was made with
    assert sizes_of(smallest_input(graph, most_tries=0)) == ((20, 30),)
    found = smallest_input(graph, most_tries=3)
    assert (sizes_of(found), found.is_complete) == (((6, 30),), False)
    assert len(found.tried) == 3


def test_layers_that_depend_on_the_size_give_no_bound(network):
    """The kernel is a quarter of the input: of 32 it is 8, and of 4 it is 1."""

    def graph_at(sizes):
        [(size,)] = sizes
        if size < 4:
            raise ConvcalcError([])
        return network(input=(1, size)).chain(
            conv=Conv(out_channels=1, kernel_size=size // 4)
        ).graph()  # fmt: skip

    found = smallest_input(graph_at(((32,),)), graph_at)
    assert sizes_of(found) == ((4,),)
    assert found.bounds == ((1,),)
    assert found.tried == (((8,),), ((1,),), ((2,),), ((3,),), ((4,),))
    # Where only the given size is accepted nothing is left untried.
    exact = smallest_input(graph_at(((6,),)), lambda _: graph_at(((3,),)))
    assert sizes_of(exact) == ((6,),)
    assert exact.tried == tuple(((size,),) for size in range(1, 6))


def test_inputs_of_one_shape_stay_of_one_shape(network):
    net = network(first=(1, 30, 30), second=(1, 30, 30), vector=(5,))
    net.add("one", MaxPool(kernel_size=2), "first")
    net.add("two", Upsample(scale_factor=2), "one")
    net.add("sum", Add(), "two", "second")
    net.add("conv", Conv(out_channels=1, kernel_size=3), "sum")
    found = smallest_input(net.graph())
    assert found.inputs == (("first", (1, 4, 4)), ("second", (1, 4, 4)), ("vector", (5,)))


def test_a_network_without_axes_has_nothing_to_make_smaller(network):
    found = smallest_input(network(input=(5,)).chain(head=Linear(out_features=2)).graph())
    assert (found.inputs, found.is_bound) == ((("input", (5,)),), True)


def test_an_exact_size_stays(network):
    graph = (
        network(input=(1, 8, 6))
        .chain(conv=Conv(out_channels=2, kernel_size=3), flat=Flatten())
        .chain(head=Linear(out_features=2, in_features=48))  # 2·6·4
        .graph()
    )
    found = smallest_input(graph)
    assert sizes_of(found) == ((8, 6),)
    assert found.is_complete
    assert not found.is_smaller


def test_sizes_must_be_numbers(network):
    graph = network(input=(1, symbol("H"))).chain(conv=Conv(out_channels=2, kernel_size=3)).graph()
    with pytest.raises(TypeError, match="is a formula"):
        smallest_input(graph)


def test_the_sizes_of_every_input_must_be_numbers(network):
    net = network(first=(1, symbol("H")), second=(1, 9))
    with pytest.raises(TypeError, match="the size H is a formula"):
        least_sizes(net.chain(conv=Conv(out_channels=2, kernel_size=3)).graph())


# -- held against trying every size ---------------------------------------------------------------

NETWORKS = {
    "alexnet": ("size",),
    "resnet::resnet50": ("H", "W"),
    "googlenet": ("H", "W"),
    "inception_v3": ("H", "W"),
    "unet": ("H", "W"),
    "densenet::densenet121": ("H", "W"),
    "vgg::vgg16": ("H", "W"),
    "squeezenet": ("H", "W"),
    "nin": ("size",),
    "xception": ("H", "W"),
    "convnext": ("H", "W"),
    "fpn": ("size",),
    "mobilenet_v2": ("resolution",),
    "c3d": ("T", "H", "W"),
    "wavenet": ("samples",),
}


def loads(spec, names, size):
    try:
        return convcalc.load(spec, dict.fromkeys(names, size))
    except ConvcalcError:
        return None


@pytest.mark.parametrize(("spec", "names"), NETWORKS.items(), ids=NETWORKS)
def test_no_shipped_network_accepts_less(spec, names):
    found = smallest_input(convcalc.load(spec))
    [sizes] = sizes_of(found)
    least = next(size for size in itertools.count(1) if loads(spec, names, size))
    assert sizes == (least,) * len(sizes)
    assert found.is_complete


def test_alexnet_needs_63_by_63():
    assert smallest_input(convcalc.load("alexnet")).inputs == (("input", (3, 63, 63)),)


def test_a_network_may_be_made_anew_for_each_size():
    def at(sizes):
        [(height, width)] = sizes
        return convcalc.load("googlenet", {"H": height, "W": width})

    found = smallest_input(convcalc.load("googlenet"), at)
    assert found.inputs == (("input", (3, 31, 31)),)


def window(kind):
    def fitting(values):
        kernel, stride, padding, dilation, ceil_mode = values
        if kind is Conv:
            return Conv(out_channels=2, kernel_size=kernel, stride=stride, padding=padding,
                        dilation=dilation)  # fmt: skip
        if kind is ConvTranspose:
            return ConvTranspose(out_channels=2, kernel_size=kernel, stride=stride, padding=padding)
        return kind(
            kernel_size=kernel, stride=stride, padding=min(padding, kernel // 2),
            ceil_mode=ceil_mode,
        )  # fmt: skip

    return st.tuples(
        st.integers(1, 5), st.integers(1, 3), st.integers(0, 2), st.integers(1, 3), st.booleans()
    ).map(fitting)


CHAINS = st.lists(
    window(Conv)
    | window(Conv)
    | window(MaxPool)
    | window(AvgPool)
    | window(ConvTranspose)
    | st.just(Relu())
    | st.builds(Upsample, scale_factor=st.integers(1, 3))
    | st.builds(PixelUnshuffle, downscale_factor=st.just(2))
    | st.builds(Crop, size=st.integers(1, 4)),
    min_size=1,
    max_size=5,
)


def chained(layers, size):
    """The chain as a graph; None if it does not run on this size."""
    nodes = [Node("input", Input(), (), (2, size))]
    for position, layer in enumerate(layers):
        shapes = (nodes[-1].shape,)
        if any(not finding.is_warning for finding in layer.check(shapes)):
            return None
        nodes.append(Node(f"layer{position}", layer, (position,), layer.output(shapes)))
    return Graph("chain", tuple(nodes), (len(layers),))


@settings(max_examples=300, deadline=None)
@given(CHAINS, st.integers(1, 60))
def test_no_random_chain_accepts_less(layers, size):
    graph = chained(layers, size)
    if graph is None:
        return
    found = smallest_input(graph)
    least = next(n for n in itertools.count(1) if chained(layers, n))
    assert sizes_of(found) == ((least,),)
    assert found.is_complete
    [[bound]] = least_sizes(graph)
    assert bound <= least
    assert [runs_on(graph, ((n,),)) for n in range(1, size + 1)] == [
        chained(layers, n) is not None for n in range(1, size + 1)
    ]
