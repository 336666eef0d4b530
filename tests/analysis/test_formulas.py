"""What a network costs as formulas: by hand, and held against the analysis at random sizes."""

from random import Random

import pytest

import convcalc
from convcalc.algebra import Polynomial, symbol
from convcalc.algebra.assumptions import assume
from convcalc.algebra.notation import python_function, text
from convcalc.analysis import Dtypes, analyze_graph
from convcalc.analysis.formulas import (
    FORMULA_METRICS,
    NoFormulaError,
    network_formulas,
    receptive_field_formula,
)
from convcalc.analysis.metrics import value_of
from convcalc.errors import ConvcalcError, Place, SourceText
from convcalc.layers.activation import Relu
from convcalc.layers.convolution import Conv
from convcalc.layers.linear import Linear
from convcalc.layers.merging import Add
from convcalc.layers.normalization import BatchNorm
from convcalc.layers.pooling import GlobalAvgPool
from convcalc.layers.shaping import Flatten

H, W, N, C = map(symbol, "HWNC")


def small(network, spatial=(H, W)):
    """Conv, norm, ReLU, pool and classifier."""
    return (
        network(input=(3, *spatial))
        .chain(
            conv=Conv(out_channels=4, kernel_size=3, stride=2, padding=1),
            norm=BatchNorm(),
            relu=Relu(),
            pool=GlobalAvgPool(),
            flat=Flatten(),
            head=Linear(out_features=10),
        )
        .graph()
    )


def texts(formulas):
    return {key: str(formulas.value(key)) for key in ("params", "macs", "activation_elements")}


def test_a_network_costs_what_its_layers_add_up_to(network):
    found = network_formulas(small(network))
    # out = ⌊(H + 2 − 3)/2⌋ + 1 = ⌊(H + 1)/2⌋; conv: 4·3·9 = 108 multiply-adds a position
    rows = {layer.name: layer for layer in found.layers}
    assert str(rows["conv"].output_shape[1]) == "⌊(H + 1)/2⌋"
    assert str(rows["conv"].value("macs")) == "108·⌊(H + 1)/2⌋·⌊(W + 1)/2⌋"
    assert rows["head"].value("macs") == 40  # 4 · 10
    assert texts(found) == {
        "params": "170",  # conv 108 + 4, norm 4 + 4, head 40 + 10
        "macs": "108·⌊(H + 1)/2⌋·⌊(W + 1)/2⌋ + 40",
        # conv, norm and ReLU 4 each a position; pool 4; flatten is a view; head 10
        "activation_elements": "12·⌊(H + 1)/2⌋·⌊(W + 1)/2⌋ + 14",
    }
    assert found.value("buffers") == 8
    assert found.symbols == ("H", "W")


def test_a_row_says_where_it_stands(network):
    found = network_formulas(small(network))
    names = [layer.name for layer in found.layers]
    assert names == ["conv", "norm", "relu", "pool", "flat", "head"]
    head = found.layers[-1]
    assert (head.kind, head.inputs, head.input_shapes, head.output_shape) == (
        "linear",
        ("flat",),
        ((4,),),
        (10,),
    )
    assert found.inputs == (("input", (3, H, W)),)
    assert found.outputs == (("head", (10,)),)


def test_with_the_batch_free_counts_are_for_the_batch(network):
    found = network_formulas(small(network), batch=N)
    assert texts(found) == {
        "params": "170",
        "macs": "108·N·⌊(H + 1)/2⌋·⌊(W + 1)/2⌋ + 40·N",
        "activation_elements": "12·N·⌊(H + 1)/2⌋·⌊(W + 1)/2⌋ + 14·N",
    }
    assert (found.value("buffers"), found.value("weight_bytes")) == (8, 680)
    assert found.symbols == ("H", "N", "W")


def test_with_a_number_for_the_batch_only_bytes_grow(network):
    graph = small(network)
    found = network_formulas(graph, batch=5)
    assert texts(found) == texts(network_formulas(graph))
    # 4 bytes · 5 samples of what the test before counts
    assert str(found.value("activation_bytes")) == "240·⌊(H + 1)/2⌋·⌊(W + 1)/2⌋ + 280"


def test_flops_and_sorts_of_operations_are_formulas_too(network):
    found = network_formulas(small(network))
    assert str(found.value("comparisons")) == "4·⌊(H + 1)/2⌋·⌊(W + 1)/2⌋"  # of the ReLU
    # adds: 4 a position of conv's bias; norm's; pool 4·(positions − 1); head's bias
    sorts = sum(found.value(key) for key in ("adds", "multiplies", "divides", "exponentials"))
    assert str(found.value("flops")) == str(
        2 * found.value("macs") + sorts + found.value("comparisons")
    )


def test_half_bytes_stay_exact(network):
    graph = network(input=(1, H)).chain(relu=Relu()).graph()
    found = network_formulas(graph, batch=N, dtypes=Dtypes("int4", "int4"))
    assert str(found.value("activation_bytes")) == "⌊(H·N + 1)/2⌋"  # ⌈H·N / 2⌉
    graph = network(input=(5,)).chain(head=Linear(out_features=C)).graph()
    found = network_formulas(graph, dtypes=Dtypes("int4", "float32"))
    # weight ⌈5·C / 2⌉ and bias ⌈C / 2⌉, each from a byte of its own
    assert str(found.value("weight_bytes")) == "2·C + 2·⌊(C + 1)/2⌋"


def test_shared_weights_count_once(network):
    net = network(input=(C, H, W)).chain(one=Conv(out_channels=C, kernel_size=1, bias=False))
    graph = net.chain(two=Conv(out_channels=C, kernel_size=1, bias=False)).graph()
    nodes = (*graph.nodes[:2], graph.nodes[2]._replace(shares=1))
    found = network_formulas(graph._replace(nodes=nodes))
    assert str(found.value("params")) == "C²"
    assert str(found.value("macs")) == "2·C²·H·W"
    assert found.layers[1].shares_weights_with == "one"
    net = network(input=(C, H, W)).chain(one=BatchNorm(), two=BatchNorm())
    graph = net.graph()
    nodes = (*graph.nodes[:2], graph.nodes[2]._replace(shares=1))
    apart, shared = network_formulas(graph), network_formulas(graph._replace(nodes=nodes))
    assert str(shared.layers[1].cost.value("buffers")) == "0"
    for key in ("params", "buffers", "weight_bytes"):
        assert apart.value(key) == 2 * shared.value(key)


def test_a_formula_that_is_not_there_is_named(network):
    found = network_formulas(small(network), metrics=("macs",))
    with pytest.raises(KeyError, match=r"^'watts'$"):
        found.layers[0].cost.value("watts")


def test_formulas_know_what_they_are_of(network):
    graph = network(input=(C, H, W)).chain(relu=Relu()).graph(spec="net.yaml", source="a page")
    place = Place(SourceText("net.yaml", "a: b"), 1, 1)
    nodes = (graph.nodes[0], graph.nodes[1]._replace(place=place))
    graph = graph._replace(nodes=nodes, settings=(("width", "2"),))
    found = network_formulas(graph, batch=7, dtypes=Dtypes("float16", "int8"))
    assert (found.name, found.spec, found.source) == ("net", "net.yaml", "a page")
    assert found.settings == (("width", "2"),)
    assert (found.batch, found.dtypes) == (7, Dtypes("float16", "int8"))
    [relu] = found.layers
    assert relu.place is place


def test_metrics_come_as_they_are_asked_for(network):
    found = network_formulas(small(network), metrics=("macs", "params"))
    assert [key for key, _ in found.totals] == ["macs", "params"]
    assert found.symbols == ("H", "W")
    graph = network(input=(C, H)).chain(conv=Conv(out_channels=2, kernel_size=1)).graph()
    last = network_formulas(graph, batch=N, metrics=("macs", "params"))
    assert str(last.value("params")) == "2·C + 2"
    assert last.symbols == ("C", "H", "N")
    only = network_formulas(small(network), metrics=("params",))
    assert only.value("macs") == found.value("macs")
    with pytest.raises(KeyError):
        found.value("training_bytes")
    with pytest.raises(KeyError):
        found.layers[0].value("layers")
    with pytest.raises(KeyError, match="layers"):
        network_formulas(small(network), metrics=("layers",))


def test_training_memory_is_a_formula(network):
    graph = small(network)
    found = network_formulas(graph, batch=N, metrics=("training_bytes",), optimizer="adam")
    formula = found.value("training_bytes")
    for h, w, n in ((7, 9, 1), (32, 5, 3)):
        numbers = analyze_graph(small(network, (h, w)), batch=n, optimizer="adam")
        assert formula.evaluate({"H": h, "W": w, "N": n}) == numbers.training_bytes


def test_a_peak_that_the_batch_alone_scales_is_a_formula(network):
    graph = small(network, (8, 8))
    found = network_formulas(graph, batch=N, metrics=("peak_activation_bytes", "inference_bytes"))
    # input 3·64 and conv 4·16 live together: 4 · 256 bytes a sample
    assert str(found.value("peak_activation_bytes")) == "1024·N"
    assert str(found.value("inference_bytes")) == "1024·N + 680"  # 4 · 170 of weights


def test_a_peak_that_comparisons_decide_is_no_formula(network):
    # a and b together are (C + 8)·H elements, b and c 108·H: more if C is less than 100.
    net = network(input=(3, H)).chain(
        a=Conv(out_channels=C, kernel_size=1),
        b=Conv(out_channels=8, kernel_size=1),
        c=Conv(out_channels=100, kernel_size=1),
    )
    with pytest.raises(NoFormulaError, match="peak activation memory is not one formula") as caught:
        network_formulas(net.graph(), metrics=("peak_activation_bytes",))
    assert caught.value.metric == "peak_activation_bytes"
    assert caught.value.symbols == {"C", "H"}
    assert "give a value to C, H" in caught.value.help
    with pytest.raises(NoFormulaError, match="inference memory"):
        network_formulas(net.graph(), metrics=("inference_bytes",))


def test_a_receptive_field_that_free_sizes_leave_open_is_unknown(network):
    graph = network(input=(3, H, W)).chain(conv=Conv(out_channels=4, kernel_size=3)).graph()
    assert receptive_field_formula(graph).size == (3, 3)
    gated = convcalc.load("mobilenet_v3::mobilenet_v3_large", {"H": H, "W": W})
    assert receptive_field_formula(gated) is None


def test_layers_alike_are_worked_out_once(network, monkeypatch):
    layer = Conv(out_channels=3, kernel_size=3, padding=1)
    calls = []
    operations = Conv.operations
    monkeypatch.setattr(
        Conv, "operations", lambda self, *args: calls.append(1) or operations(self, *args)
    )
    graph = network(input=(3, H, W)).chain(a=layer, b=layer, c=layer).graph()
    assert str(network_formulas(graph).value("macs")) == "243·H·W"  # 3 · 3·3·9
    assert len(calls) == 1


def test_both_branches_count(network):
    net = network(input=(4, H, W))
    net.add("one", Relu(), "input")
    net.add("both", Add(), "one", "input")
    assert str(network_formulas(net.graph()).value("flops")) == "8·H·W"  # 4 each a position


def test_sizes_that_are_assumed_may_be_put_in_before_or_after():
    assumed = assume(["H % 32 == 0", "W % 32 == 0"], ["H", "W"])
    free = convcalc.load("resnet::resnet50", {"H": H, "W": W})
    after = assumed.applied(network_formulas(free, batch=N).value("macs"))
    graph = convcalc.load("resnet::resnet50", dict(assumed.values))
    before = network_formulas(graph, batch=N).value("macs")
    # 81,456 · 32 · 32 = 83,410,944 multiply-adds for each 32×32 of the input
    assert str(before) == str(after) == "83410944·N·h·w + 2048000·N"
    assert text(before) == "16384·N·(5091·h·w + 125)"
    numerator, denominator = assumed.restored(before)
    assert (str(numerator), denominator) == ("81456·H·N·W + 2048000·N", 1)


def test_nested_floors_merge_and_like_terms_too():
    """Five strides, and one floor for each: a formula that can be read."""
    found = network_formulas(convcalc.load("googlenet", {"H": H, "W": W}))
    assert text(found.value("macs")) == (
        "64·(147·⌊(H + 1)/2⌋·⌊(W + 1)/2⌋ + 1792·⌊(H + 1)/4⌋·⌊(W + 1)/4⌋ + "
        "8616·⌊(H + 1)/8⌋·⌊(W + 1)/8⌋ + 43836·⌊(H + 1)/16⌋·⌊(W + 1)/16⌋ + "
        "38832·⌊(H + 1)/32⌋·⌊(W + 1)/32⌋ + 16000)"
    )


def test_a_variable_of_the_spec_may_be_free_like_a_size():
    found = network_formulas(convcalc.load("scaling", {"width": symbol("width")}))
    # stem 27·40·w + body 10·9·(40·w)² + head 40·w·10 + 10
    assert str(found.value("params")) == "144000·width² + 1480·width + 10"
    assert found.symbols == ("width",)


# -- against the analysis -------------------------------------------------------------------------

NETWORKS = {
    "resnet::resnet50": (("H", "W"), 1, 1, 200),
    "mobilenet_v2": (("resolution",), 1, 1, 20),
    "googlenet": (("H", "W"), 31, 1, 20),  # pools in ceil_mode
    "unet": (("H", "W"), 188, 16, 20),
    "inception_v3": (("H", "W"), 75, 1, 10),
    "densenet::densenet121": (("H", "W"), 29, 1, 10),
    "efficientnet": (("resolution",), 1, 1, 10),
    "squeezenet": (("H", "W"), 21, 1, 10),
    "c3d": (("T", "H", "W"), 1, 1, 10),
    "wavenet": (("samples",), 1, 1, 10),
    "vit::vit_b_16": (("H", "W"), 16, 1, 10),
}
"""The variables to free, the least size, the step to the next, and how many random points."""


@pytest.mark.parametrize(("spec", "free"), NETWORKS.items(), ids=NETWORKS)
def test_formulas_are_worth_what_the_analysis_gives(spec, free):
    names, least, step, count = free
    metrics = (*FORMULA_METRICS, "training_bytes")
    found = network_formulas(
        convcalc.load(spec, {name: symbol(name) for name in names}), batch=N, metrics=metrics
    )
    source = python_function("cost", found.totals, (*names, "N"), about="What it costs.")
    scope: dict = {}
    exec(source, scope)  # noqa: S102 - what a user would do with it
    random = Random(spec)  # noqa: S311 - sizes, no secrets
    points = 0
    while points < count:
        sizes = {name: random.randrange(least, least + 400, step) for name in names}
        batch = random.randrange(1, 9)
        try:
            numbers = convcalc.analyze(spec, sizes, batch=batch)
        except ConvcalcError:
            continue
        points += 1
        values = scope["cost"](**sizes, N=batch)
        for key, formula in found.totals:
            scale = batch if key in PER_SAMPLE else 1
            expected = scale * value_of(key, numbers)
            assert values[key] == expected, (key, sizes, batch)
            if isinstance(formula, Polynomial):
                assert formula.evaluate(sizes | {"N": batch}) == expected
            else:
                assert formula == expected


PER_SAMPLE = {
    *("macs", "flops", "adds", "multiplies", "divides", "comparisons", "exponentials"),
    "activation_elements",
}
