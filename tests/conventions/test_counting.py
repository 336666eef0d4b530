"""Networks counted by conventions.

The figures of five networks are what the tools themselves say of torchvision's models: see
tests/figures/README.md. Others stand beside their arithmetic.
"""

import csv
from pathlib import Path

import pytest

from convcalc import analyze
from convcalc.conventions import all_conventions, find_convention
from convcalc.conventions.counting import Part, counted
from convcalc.conventions.declaration import Form
from convcalc.conventions.written import Written

FIGURES = Path(__file__).parent.parent / "figures" / "conventions.csv"
SPECS = {
    "alexnet": "alexnet",
    "vgg16": "vgg::vgg16",
    "resnet18": "resnet::resnet18",
    "resnet50": "resnet::resnet50",
    "mobilenet_v2": "mobilenet_v2",
}
COLUMNS = {"convcalc": "macs", "ptflops-aten": "ptflops_aten"}


def figures():
    with FIGURES.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [
        pytest.param(
            row["network"],
            convention,
            int(row[COLUMNS.get(convention.name, convention.name)]),
            id=f"{row['network']}-{convention.name}",
        )
        for row in rows
        for convention in all_conventions()
        if convention.name != "convcalc-flops"
    ]


@pytest.fixture(scope="module")
def analyzed():
    known = {}

    def analysis(reference):
        if reference not in known:
            known[reference] = analyze(reference)
        return known[reference]

    return analysis


@pytest.mark.parametrize(("network", "convention", "figure"), figures())
def test_the_total_is_what_the_tool_says_of_torchvisions_model(
    network, convention, figure, analyzed
):
    assert counted(analyzed(SPECS[network]), convention).total == figure


def test_there_are_figures_of_five_networks_under_seven_conventions_and_convcalcs():
    assert len(figures()) == 5 * 8


@pytest.mark.parametrize("convention", all_conventions(), ids=lambda each: each.name)
@pytest.mark.parametrize(
    "reference",
    [
        *SPECS.values(),
        "vit::vit_b_16",
        "segmentation",
        "unet",
        "convnext",
        "wavenet",
        "conv_families",
    ],
)
def test_the_parts_add_up_to_the_difference_and_the_layers_to_the_total(
    reference, convention, analyzed
):
    analysis = analyzed(reference)
    found = counted(analysis, convention)
    assert found.macs + sum(part.amount for part in found.parts) == found.total
    assert sum(layer.amount for layer in found.layers) == found.total
    assert [layer.name for layer in found.layers] == [layer.name for layer in analysis.layers]
    assert all(part.amount for part in found.parts)


NET = """
input: [4, 6, 6]
layers:
  - conv: {out_channels: 2, kernel_size: 3, groups: 2}
  - batch_norm
  - relu
  - residual: {body: [conv: {out_channels: 2, kernel_size: 1, bias: false}]}
  - global_avg_pool
  - flatten
  - linear: {out_features: 3}
"""
# conv: 2·4·4 outputs of 2·3·3 = 576 macs, 32 biases. batch norm, relu: 32 elements. 1×1 conv:
# 32·2 = 64. add: 32. pool: 32 to 2. linear: 2·3 = 6, 3 biases. Together 646.


@pytest.fixture
def small(spec):
    return analyze(spec(NET))


@pytest.mark.parametrize(
    ("name", "total", "parts"),
    [
        ("convcalc", 646, []),
        # Beside the macs: 32 + 3 biases, 64 for the norm, 32 comparisons, 32 adds; of the pool
        # 15 adds and a divide for each of 2 channels: 32.
        (
            "convcalc-flops",
            2 * 646 + 35 + 64 + 32 + 32 + 32,
            [
                ("", "each multiply-add twice", 646),
                ("batch_norm", "other operations", 64),
                ("add", "other operations", 32),
                ("conv", "other operations", 32),
                ("global_avg_pool", "other operations", 32),
                ("relu", "other operations", 32),
                ("linear", "other operations", 3),
            ],
        ),
        (
            "fvcore",
            646 + 64 + 32,
            [
                ("batch_norm", "at 2 per element", 64),
                ("global_avg_pool", "at 1 per input element", 32),
            ],
        ),
        (
            "ptflops",
            646 + 32 + 64 + 64 + 64 + 3,
            [
                ("batch_norm", "at 2 per element", 64),
                ("global_avg_pool", "at 2 per input element", 64),
                ("relu", "at 2 per element", 64),
                ("conv", "biases", 32),
                ("linear", "biases", 3),
            ],
        ),
        ("ptflops-aten", 646 + 35, [("conv", "biases", 32), ("linear", "biases", 3)]),
        # 4 for each of 32 elements; for 2 outputs 16 elements and a divide each.
        (
            "thop",
            646 + 128 + 34,
            [("batch_norm", "at 4 per element", 128), ("global_avg_pool", "means", 34)],
        ),
        (
            "torchinfo",
            646 + 35 + 4,
            [("conv", "biases", 32), ("batch_norm", "parameters", 4), ("linear", "biases", 3)],
        ),
        ("torch", 2 * 646, [("", "each multiply-add twice", 646)]),
        (
            "calflops",
            2 * 646 + 32 + 64 + 32 + 32,
            [
                ("", "each multiply-add twice", 646),
                ("batch_norm", "at 2 per element", 64),
                ("conv", "biases", 32),
                ("global_avg_pool", "at 1 per input element", 32),
                ("relu", "at 1 per element", 32),
            ],
        ),
    ],
)
def test_what_a_tool_adds_is_told_by_kind(name, total, parts, small):
    found = counted(small, find_convention(name))
    assert found.total == total
    assert found.parts == tuple(Part(*part) for part in parts)
    assert found.macs == 646


def test_what_a_tool_leaves_out_is_below_zero(spec):
    text = "inputs: {a: [2, 3], b: [3, 5]}\nlayers: [{matmul: , from: [a, b]}]"
    found = counted(analyze(spec(text)), find_convention("thop"))
    assert (found.total, found.macs) == (0, 30)
    assert found.parts == (Part("matmul", "multiply-adds left out", -30),)


def test_a_network_without_multiply_adds_has_no_ratio(spec):
    found = counted(analyze(spec("input: [2, 4, 4]\nlayers: [relu]")), find_convention("ptflops"))
    assert (found.total, found.ratio) == (64, None)


def test_thop_passes_over_the_parameters_of_what_it_does_not_know(spec):
    text = (
        "input: [4, 5, 5]\n"
        "layers: [conv: {out_channels: 4, kernel_size: 1}, group_norm: {num_groups: 2}]"
    )
    analysis = analyze(spec(text))
    assert counted(analysis, find_convention("thop")).params == 4 * 4 + 4
    assert counted(analysis, find_convention("fvcore")).params == 4 * 4 + 4 + 8


@pytest.mark.parametrize(
    ("what", "form", "thop", "ptflops", "calflops"),
    [
        # Of 32 elements ptflops counts 2 each, the hook and the function, then the function alone.
        ("relu", Form.MODULE, 0, 0, 0),
        ("relu", Form.FUNCTION, 0, -32, 0),
        ("relu", Form.SUBCLASS, 0, -32, 0),
        ("name:relu", Form.FUNCTION, 0, -32, 0),
        ("re?u", Form.FUNCTION, 0, -32, 0),
        ("global_avg_pool", Form.FUNCTION, -34, -32, 0),
        ("global_avg_pool", Form.OPERATOR, -34, -64, -32),
        ("batch_norm", Form.SUBCLASS, -128, -64, 0),
    ],
)
def test_how_a_layer_is_written_decides_who_sees_it(what, form, thop, ptflops, calflops, small):
    for name, change in (("thop", thop), ("ptflops", ptflops), ("calflops", calflops)):
        convention = find_convention(name)
        usual = counted(small, convention).total
        assert counted(small, convention, [Written(what, form)]).total - usual == change, name


def test_what_is_said_last_holds(small):
    thop = find_convention("thop")
    pool = [Written("global_avg_pool", Form.OPERATOR), Written("global*", Form.MODULE)]
    assert counted(small, thop, pool).total == counted(small, thop).total


def test_what_is_known_of_a_design_gives_way_to_what_is_said(analyzed):
    # 1280 channels of 7·7: a mean and a divide each.
    mobilenet, thop = analyzed("mobilenet_v2"), find_convention("thop")
    said = [Written("global_avg_pool", Form.MODULE)]
    assert counted(mobilenet, thop, said).total - counted(mobilenet, thop).total == 1280 * 50


def test_shared_weights_are_counted_each_time_that_they_are_used(spec):
    text = """
input: [4]
layers:
  - {linear: {out_features: 4}, name: one}
  - {share: one, name: two}
"""
    found = counted(analyze(spec(text)), find_convention("torchinfo"))
    assert [layer.amount for layer in found.layers] == [4 * 4 + 4] * 2
    assert found.params == 4 * 4 + 4


@pytest.mark.parametrize(
    # (4/3 + 1)·3 is 7, and in doubles a little less; so is (11/3 + 1)·3. 9/3 is a whole number.
    ("n", "m", "expected"),
    [(4, 3, 6), (11, 3, 13), (9, 3, 12), (7, 1, 8)],
)
def test_thops_mean_window_is_worked_out_in_doubles_and_cut(n, m, expected, spec):
    text = f"input: [1, {n}]\nlayers: [adaptive_avg_pool: {{output_size: {m}}}]"
    assert counted(analyze(spec(text)), find_convention("thop")).total == expected


def test_the_products_of_an_attention_are_as_wide_as_its_keys_and_its_values(spec):
    fields = "{num_heads: 2, key_features: 4, value_features: 6}"
    analysis = analyze(spec(f"input: [3, 8]\nlayers: [multi_head_attention: {fields}]"))
    found = counted(analysis, find_convention("fvcore"), [Written("*attention", Form.FUNCTION)])
    # 3 queries times 3 keys, 4 numbers each; 3 times 3 scores, times 6 numbers each.
    assert found.parts == (Part("multi_head_attention", "products of activations", -(36 + 54)),)
