"""What a network costs: each layer's row, and their sum."""

import gc

import pytest

import convcalc
from convcalc.algebra import symbol
from convcalc.analysis import Dtypes, analyze_graph
from convcalc.analysis.cost import Cost, sum_of, total_of
from convcalc.errors import Finding, Place, SourceText, catalogue
from convcalc.graph import PublishedFigure
from convcalc.layers.activation import Relu
from convcalc.layers.convolution import Conv
from convcalc.layers.declaration import Operations, Tensor
from convcalc.layers.linear import Linear
from convcalc.layers.merging import Add, Concat, Mul
from convcalc.layers.normalization import BatchNorm
from convcalc.layers.pooling import GlobalAvgPool, MaxPool
from convcalc.layers.shaping import Dropout, Flatten


def lenet(network):
    """A small classifier with a layer of each sort.

    conv 1×9×9 → 4×8×8, norm, relu, pool → 4×4×4, flatten → 64, dropout, linear → 10
    """
    return network(input=(1, 9, 9)).chain(
        conv=Conv(out_channels=4, kernel_size=2),
        norm=BatchNorm(),
        relu=Relu(),
        pool=MaxPool(kernel_size=2),
        flatten=Flatten(),
        dropout=Dropout(),
        classifier=Linear(out_features=10),
    )


def test_each_layer_has_a_row_with_what_it_costs(network):
    analysis = analyze_graph(lenet(network).graph())
    rows = {
        row.name: (row.params, row.buffers, row.macs, row.flops, row.activation_elements)
        for row in analysis.layers
    }
    assert rows == {
        # 4 · 1 · 2 · 2 + 4 = 20; 4 · 64 = 256 outputs of 4 macs: 1,024; 2 · 1,024 + 256 = 2,304
        "conv": (20, 0, 1_024, 2_304, 256),
        "norm": (8, 8, 0, 512, 256),
        "relu": (0, 0, 0, 256, 256),
        "pool": (0, 0, 0, 192, 64),  # 64 outputs of 3 comparisons
        "flatten": (0, 0, 0, 0, 0),
        "dropout": (0, 0, 0, 0, 0),
        "classifier": (650, 0, 640, 1_290, 10),  # 64 · 10 + 10; 2 · 640 + 10
    }


def test_the_total_is_the_sum_of_the_rows(network):
    analysis = analyze_graph(lenet(network).graph())
    assert analysis.params == 678  # 20 + 8 + 650
    assert analysis.buffers == 8
    assert analysis.macs == 1_664  # 1,024 + 640
    assert analysis.flops == 4_554  # 2,304 + 512 + 256 + 192 + 1,290
    assert analysis.activation_elements == 842  # 3 · 256 + 64 + 10
    assert analysis.activation_bytes == 3_368
    assert analysis.weight_bytes == 2_712  # 4 · 678
    assert analysis.operations == Operations(
        macs=1_664,
        adds=522,  # 256 of conv, 256 of norm, 10 of linear
        multiplies=256,
        comparisons=448,  # 256 of relu, 192 of pool
    )
    assert analysis.total == sum_of(row.cost for row in analysis.layers)


def test_the_peak_is_that_of_two_neighbours(network):
    analysis = analyze_graph(lenet(network).graph())
    assert analysis.peak_activation_bytes == 2_048  # 256 + 256 elements around the norm
    assert [lenet(network).nodes[n].name for n in analysis.peak.live] == ["conv", "norm"]


def test_a_row_says_where_its_layer_stands(network):
    analysis = analyze_graph(lenet(network).graph())
    conv, *_, flatten, _dropout, _classifier = analysis.layers
    assert (conv.kind, conv.inputs, conv.input_shapes) == ("conv", ("input",), ((1, 9, 9),))
    assert conv.output_shape == (4, 8, 8)
    assert conv.weights == (Tensor("weight", (4, 1, 2, 2)), Tensor("bias", (4,)))
    assert conv.layer == Conv(out_channels=4, kernel_size=2)
    assert (flatten.kind, flatten.inputs, flatten.output_shape) == ("flatten", ("pool",), (64,))
    assert analysis.layers[1].buffer_tensors == (
        Tensor("running_mean", (4,)),
        Tensor("running_var", (4,)),
    )
    assert analysis.layers[1].weight_bytes == 32


def test_a_row_says_where_its_layer_is_written(network):
    place = Place(SourceText("net.yaml", "x"), 1, 1)
    net = network(input=(4,)).chain(relu=Relu(), linear=Linear(out_features=2))
    net.nodes[1] = net.nodes[1]._replace(place=place)
    assert [row.place for row in analyze_graph(net.graph()).layers] == [place, None]


def test_the_total_alone_is_that_of_the_analysis(network):
    graph = lenet(network).graph(spec="lenet.yaml::lenet", source="https://example.org")
    total = total_of(graph)
    assert (total.spec, total.source) == ("lenet.yaml::lenet", "https://example.org")
    # The counts of the test of the total above: the network's input adds nothing to them.
    assert total.cost == Cost(
        params=678,
        buffers=8,
        operations=Operations(macs=1_664, adds=522, multiplies=256, comparisons=448),
        activation_elements=842,
        activation_bytes=3_368,
        weight_bytes=2_712,
    )


def test_the_rows_stand_in_the_order_of_the_graph_without_the_inputs(network):
    analysis = analyze_graph(lenet(network).graph())
    assert [row.name for row in analysis.layers] == [
        *("conv", "norm", "relu", "pool", "flatten", "dropout", "classifier"),
    ]


def test_counts_are_for_one_sample_and_bytes_for_the_batch(network):
    one, many = (analyze_graph(lenet(network).graph(), batch=batch) for batch in (1, 16))
    assert (many.batch, many.params, many.macs, many.flops) == (16, one.params, one.macs, one.flops)
    assert many.activation_elements == one.activation_elements
    assert many.activation_bytes == 53_888  # 16 · 3,368
    assert many.peak_activation_bytes == 32_768  # 16 · 2,048
    assert many.weight_bytes == one.weight_bytes
    assert many.layers[0].activation_bytes == 16_384  # 16 · 256 · 4


def test_weights_and_activations_have_their_own_formats(network):
    analysis = analyze_graph(lenet(network).graph(), dtypes=Dtypes("int8", "float16"))
    assert analysis.dtypes == ("int8", "float16")
    assert analysis.weight_bytes == 678
    assert analysis.activation_bytes == 1_684  # 842 · 2
    assert analysis.peak_activation_bytes == 1_024


def test_an_analysis_cannot_be_changed(network):
    analysis = analyze_graph(lenet(network).graph())
    with pytest.raises(AttributeError):
        analysis.batch = 2


def test_each_tensor_starts_on_a_byte(network):
    graph = network(input=(3,)).chain(linear=Linear(out_features=3)).graph()
    analysis = analyze_graph(graph, batch=3, dtypes=Dtypes("int4", "int4"))
    assert analysis.weight_bytes == 7  # 9 weights take 4.5 bytes, so 5; 3 biases take 2
    assert analysis.activation_bytes == 5  # 3 samples of 3 elements are one tensor: 9 in 4.5 bytes
    assert analysis.peak_activation_bytes == 10


def test_the_analysis_passes_on_what_the_graph_says(network):
    place = Place(SourceText("net.yaml", "x"), 1, 1)
    figure = PublishedFigure("params", "678", 678, 678, "a paper")
    warning = Finding(catalogue.UNUSED_OUTPUT, "nothing reads the output of `lost`", place)
    graph = lenet(network).graph(
        name="lenet",
        spec="net.yaml::lenet",
        source="https://example.org",
        published=(figure,),
        warnings=(warning,),
    )
    analysis = analyze_graph(graph)
    assert (analysis.name, analysis.spec) == ("lenet", "net.yaml::lenet")
    assert analysis.source == "https://example.org"
    assert (analysis.published, analysis.warnings) == ((figure,), (warning,))
    assert (analysis.batch, analysis.dtypes) == (1, Dtypes())


def test_inputs_and_outputs_have_names_and_shapes(network):
    net = network(image=(3, 8, 8), mask=(1, 8, 8))
    net.add("both", Concat(), "image", "mask")
    net.add("pooled", GlobalAvgPool(), "both")
    analysis = analyze_graph(net.graph("pooled", "both"))
    assert analysis.inputs == (("image", (3, 8, 8)), ("mask", (1, 8, 8)))
    assert analysis.outputs == (("pooled", (4, 1, 1)), ("both", (4, 8, 8)))
    assert analysis.layers[0].inputs == ("image", "mask")
    assert analysis.layers[0].input_shapes == ((3, 8, 8), (1, 8, 8))
    assert analysis.receptive_field == analysis.layers[1].receptive_field
    assert analysis.receptive_field.size == (8, 8)


def test_one_layer_in_several_places_is_counted_on_each_input(network):
    conv, relu = Conv(out_channels=2, kernel_size=1), Relu()
    net = network(input=(3, 4))
    net.add("first", conv)
    net.add("first_relu", relu)
    net.add("second", conv, "first_relu")
    net.add("third", conv, "second")
    net.add("sum", Add(), "second", "third")
    net.add("map", Relu(), "input")
    net.add("again", relu, "map")
    analysis = analyze_graph(net.graph())
    assert {row.name: row.params for row in analysis.layers if row.params} == {
        "first": 8,  # 3 · 2 + 2
        "second": 6,  # 2 · 2 + 2
        "third": 6,
    }
    assert {row.name: row.flops for row in analysis.layers if row.kind == "relu"} == {
        "first_relu": 8,
        "map": 12,
        "again": 12,
    }


def test_a_gate_reads_two_inputs(network):
    net = network(input=(4, 3, 3))
    net.add("pool", GlobalAvgPool())
    net.add("gated", Mul(), "input", "pool")
    analysis = analyze_graph(net.graph())
    assert analysis.operations == Operations(adds=32, divides=4, multiplies=36)  # 4 · 8, 4, 4 · 9
    # The input, the pooled and the gated map: 36 + 4 + 36 elements
    assert analysis.peak_activation_bytes == 304


def test_an_input_alone_costs_nothing(network):
    analysis = analyze_graph(network(input=(3, 8)).graph())
    assert analysis.layers == ()
    assert analysis.total == Cost(0, 0, Operations(), 0, 0, 0)
    assert analysis.peak_activation_bytes == 96  # the input itself, 24 · 4


@pytest.mark.parametrize(
    "layers",
    [
        {"conv": Conv(out_channels=4, kernel_size=3, stride=2, padding="same")},
        {"relu": Relu(), "pool": MaxPool(kernel_size=2)},
    ],
)
def test_a_network_with_free_sizes_has_no_numbers(network, layers):
    graph = network(input=(3, symbol("H"), symbol("W"))).chain(**layers).graph()
    with pytest.raises(TypeError, match="substitute its symbols first"):
        analyze_graph(graph)


def test_a_layer_with_free_weights_has_no_numbers(network):
    graph = network(input=(3, 9)).chain(
        conv=Conv(out_channels=4, kernel_size=symbol("k"), padding="same")
    )
    with pytest.raises(TypeError, match="is a formula"):
        analyze_graph(graph.graph())


def test_merging_gates_of_free_sizes_is_refused_for_that_reason_too(network):
    net = network(input=(4, symbol("H"), symbol("W")))
    net.add("pool", GlobalAvgPool())
    net.add("gated", Mul(), "input", "pool")
    with pytest.raises(TypeError, match="substitute its symbols first"):
        analyze_graph(net.graph())


@pytest.mark.parametrize("enabled", [True, False])
def test_the_garbage_collector_is_left_as_it_was(enabled):
    was_enabled = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        convcalc.analyze("lenet5")
        assert gc.isenabled() is enabled
        with pytest.raises(TypeError):
            analyze_graph(convcalc.load("vgg", {"H": symbol("H")}))
        assert gc.isenabled() is enabled
    finally:
        (gc.enable if was_enabled else gc.disable)()


def test_a_layer_with_the_weights_of_another_adds_none(network):
    # A norm of 4 channels has 2 · 4 parameters.
    net = network(input=(4, 3, 3)).chain(norm=BatchNorm(), again=BatchNorm())
    apart = analyze_graph(net.graph())
    assert (apart.params, apart.buffers) == (16, 2 * apart.layers[0].buffers)
    assert apart.weight_bytes == 2 * apart.layers[0].weight_bytes
    net.nodes[2] = net.nodes[2]._replace(shares=1)
    shared = analyze_graph(net.graph())
    assert (shared.layers[1].params, shared.layers[1].buffers) == (0, 0)
    assert shared.layers[1].weight_bytes == 0
    assert (shared.params, shared.buffers) == (8, apart.layers[0].buffers)
    assert shared.weight_bytes == apart.layers[0].weight_bytes > 0
    assert shared.flops == apart.flops
    assert [row.shares_weights_with for row in shared.layers] == [None, "norm"]


def test_an_analysis_says_how_it_was_made(network):
    # 1 made 10, those twice in relu, or in place once, with the 1 behind: 20, or 11.
    net = network(input=(1,)).chain(
        wide=Linear(out_features=10), relu=Relu(), one=Linear(out_features=1)
    )
    graph = net.graph()._replace(settings=(("width", 10),))
    plain, in_place = analyze_graph(graph), analyze_graph(graph, in_place=True)
    assert (plain.in_place, plain.peak_activation_bytes) == (False, 80)
    assert (in_place.in_place, in_place.peak_activation_bytes) == (True, 44)
    assert plain.settings == in_place.settings == (("width", 10),)


# -- the order of the layers ----------------------------------------------------------------------


def branches(network):
    """4 features made 40 and then 1, twice, and the two joined; both are widened first."""
    net = network(input=(4,))
    for name in ("wide1", "wide2"):
        net.add(name, Linear(out_features=40), "input")
    for n in (1, 2):
        net.add(f"narrow{n}", Linear(out_features=1), f"wide{n}")
    net.add("join", Concat(), "narrow1", "narrow2")
    return net.graph()


@pytest.mark.parametrize(
    ("options", "each"),
    [({}, 4), ({"batch": 3}, 12), ({"dtypes": Dtypes(activations="float16")}, 2)],
)
def test_layers_may_run_in_an_order_with_a_lower_peak(network, options, each):
    # As given 4 + 40 + 40 = 84 numbers at wide2. One branch after the other, 4 + 40 + 1 = 45 at
    # narrow1; then 1 + 4 + 40 at wide2, and 1 + 40 + 1 at narrow2.
    given = analyze_graph(branches(network), **options)
    assert given.order is None
    assert given.peak_activation_bytes == 84 * each
    best = analyze_graph(branches(network), best_order=True, **options)
    assert best.order == (84 * each, 45 * each, True)
    assert best.peak_activation_bytes == 45 * each
    assert [row.name for row in best.layers] == ["wide1", "narrow1", "wide2", "narrow2", "join"]
    assert (best.params, best.macs) == (given.params, given.macs)


def test_an_order_that_is_best_stays(network):
    chain = analyze_graph(lenet(network).graph(), best_order=True)
    assert chain.order == (chain.peak_activation_bytes, chain.peak_activation_bytes, True)
    given = analyze_graph(lenet(network).graph())
    assert [row.name for row in chain.layers] == [row.name for row in given.layers]


def test_the_peak_as_given_is_that_of_layers_that_run_in_place(network):
    # 1 made 10, those twice in relu, or in place once, with the 1 before or behind.
    net = network(input=(1,)).chain(
        wide=Linear(out_features=10), relu=Relu(), one=Linear(out_features=1)
    )
    assert analyze_graph(net.graph(), best_order=True).order == (80, 80, True)
    assert analyze_graph(net.graph(), best_order=True, in_place=True).order == (44, 44, True)


def test_the_best_order_is_that_of_layers_that_run_in_place(network):
    net = network(input=(10,))
    net.add("a", Linear(out_features=10))
    net.add("relu", Relu(), "a")
    net.add("b", Linear(out_features=1), "a")
    net.add("c", Linear(out_features=1), "relu")
    net.add("join", Concat(), "b", "c")
    # In any order a, relu and what is made of one of them: 10 + 10 + 1.
    assert analyze_graph(net.graph(), best_order=True).order == (84, 84, True)
    # With b before it relu takes over a, and the most is the input and a: 10 + 10.
    assert analyze_graph(net.graph(), best_order=True, in_place=True).order == (84, 80, True)
