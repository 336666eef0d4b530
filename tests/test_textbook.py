"""What courses and papers on convolution arithmetic state, worked out exactly.

The numbers of the rows are those of the list of textbook facts that the project is held to. After
them come the families of convolutions that the texts line up for one input and output, and merges.
"""

from fractions import Fraction

import pytest

from convcalc import analyze
from convcalc.layers.activation import Relu
from convcalc.layers.convolution import Conv

CONV_1X1 = "conv: {out_channels: 64, kernel_size: 1, bias: false}"


@pytest.fixture
def network(tmp_path):
    """Analyze a chain of layers on an input."""

    def build(shape, *layers, blocks=""):
        lines = [f"input: {list(shape)}", *([blocks] if blocks else []), "layers:"]
        spec = tmp_path / "net.yaml"
        spec.write_text("\n".join([*lines, *(f"  - {layer}" for layer in layers)]) + "\n")
        return analyze(spec)

    return build


def conv(**fields):
    return "conv: {" + ", ".join(f"{name}: {value}" for name, value in fields.items()) + "}"


def test_row_1_a_3x3_kernel_on_4x4(network):
    costs = network((1, 4, 4), conv(out_channels=1, kernel_size=3, bias="false"))
    assert costs.outputs[0][1] == (1, 2, 2)
    # As a matrix product the 4 outputs have 9 non-zero weights each.
    assert costs.macs == 4 * 9 == 36


def test_row_2_six_filters_of_10x10_with_bias(network):
    costs = network((1, 28, 28), conv(out_channels=6, kernel_size=10))
    assert costs.params == (10 * 10 + 1) * 6 == 606


def test_row_3_sharing_weights_on_an_image_of_640x360(network):
    neuron = network((1, 360, 640), "flatten", "linear: {out_features: 1, bias: false}")
    assert neuron.params == 640 * 360 == 230_400
    million = network((1, 360, 640), "flatten", "linear: {out_features: 10**6, bias: false}")
    assert million.params == 230_400_000_000
    fields = {"kernel_size": 10, "padding": "same", "bias": "false"}
    # A million positions, each with a 10×10 field of its own: 10⁶ · 100.
    local = network((1, 1000, 1000), conv(out_channels=1, weight_sharing="none", **fields))
    assert local.params == 100_000_000
    shared = network((1, 1000, 1000), conv(out_channels=1, **fields))
    assert shared.params == 100
    hundred = network((1, 1000, 1000), conv(out_channels=100, **fields))
    assert hundred.params == 10_000


@pytest.mark.parametrize(("stride", "positions"), [(10, 100), (8, 124)])
def test_row_4_stride_on_an_image_of_1000x1000(network, stride, positions):
    # (1000 − 10)/10 + 1 = 100; ⌊(1000 − 10)/8⌋ + 1 = 123 + 1, neighbours sharing 10 − 8 = 2 pixels
    costs = network((1, 1000, 1000), conv(out_channels=1, kernel_size=10, stride=stride))
    assert costs.outputs[0][1] == (1, positions, positions)


@pytest.mark.parametrize(
    ("sharing", "params"),
    [
        ("full", 1_080),  # 3·3·120
        ("spatial", 43_200),  # 3·3·40·120
        ("none", 33_868_800),  # 43,200 · 28·28
    ],
)
def test_row_5_degrees_of_weight_sharing(network, sharing, params):
    layer = conv(out_channels=120, kernel_size=3, bias="false", weight_sharing=sharing)
    costs = network((40, 30, 30), layer)
    assert costs.params == params
    # The same products are formed whoever shares a weight: 28·28·120 outputs of 3·3·40 each.
    assert costs.macs == 33_868_800


@pytest.mark.parametrize(
    ("variant", "params", "macs"),
    [
        ("neuron", 230_400, 230_400),  # 640·360
        ("million_neurons", 230_400_000_000, 230_400_000_000),  # 640·360·10⁶
        ("million_local", 100_000_000, 100_000_000),  # 10⁶·10·10
        ("million_shared", 100, 100_000_000),  # 10·10, at 10⁶ positions
        ("hundred_filters", 10_000, 10_000_000_000),  # 100·10·10, at 10⁶ positions
        ("fully_connected", 3_386_880_000, 3_386_880_000),  # 30·30·40 · 28·28·120
        ("none", 33_868_800, 33_868_800),  # 3·3·40·120 · 28·28
        ("spatial", 43_200, 33_868_800),  # 3·3·40·120
        ("full", 1_080, 33_868_800),  # 3·3·120
    ],
)
def test_rows_3_and_5_in_the_spec_of_weight_sharing(variant, params, macs):
    costs = analyze(f"weight_sharing::{variant}")
    assert (costs.params, costs.macs) == (params, macs)


def test_row_6_inception_3a_without_reductions():
    costs = analyze("inception_3a_naive")
    # 192·64 + 9·192·128 + 25·192·32
    assert costs.params == 12_288 + 221_184 + 153_600 == 387_072
    assert costs.macs == 387_072 * 28 * 28 == 303_464_448
    assert costs.outputs[0][1] == (64 + 128 + 32 + 192, 28, 28)


def test_row_7_inception_3a_with_reductions():
    costs = analyze("inception_3a")
    # 192·64 + (192·96 + 9·96·128) + (192·16 + 25·16·32) = 157,184, and 192·32 after the pool
    convs = sum(layer.params for layer in costs.layers if not layer.name.startswith("pool"))
    assert convs == 12_288 + 18_432 + 110_592 + 3_072 + 12_800 == 157_184
    assert costs.params == 157_184 + 6_144 == 163_328
    assert costs.macs == 163_328 * 784 == 128_049_152
    assert costs.outputs[0][1] == (64 + 128 + 32 + 32, 28, 28)
    # "About a third" of the naive module's weights is 0.41.
    assert 0.405 < 157_184 / 387_072 < 0.407


def test_row_8_naive_inception_module():
    costs = analyze("inception_naive")
    terms = [layer.macs for layer in costs.layers if layer.kind == "conv"]
    # 28·28·128·256, 28·28·192·9·256, 28·28·96·25·256
    assert terms == [25_690_112, 346_816_512, 481_689_600]
    assert costs.macs == sum(terms) == 854_196_224
    assert costs.outputs[0][1][0] == 672


def test_row_9_bottleneck_inception_module():
    costs = analyze("inception_bottleneck")
    terms = sorted(layer.macs for layer in costs.layers if layer.kind == "conv")
    # three times 28·28·64·256, then 28·28·128·256, 28·28·192·9·64, 28·28·96·25·64
    assert terms == [12_845_056] * 3 + [25_690_112, 86_704_128, 120_422_400]
    assert costs.macs == sum(terms) == 271_351_808
    assert costs.outputs[0][1][0] == 480


def test_row_10_a_bottleneck_in_place_of_a_3x3(network):
    plain = network((256, 14, 14), conv(out_channels=256, kernel_size=3, padding=1, bias="false"))
    thin = network(
        (256, 14, 14),
        CONV_1X1,
        conv(out_channels=64, kernel_size=3, padding=1, bias="false"),
        conv(out_channels=256, kernel_size=1, bias="false"),
    )
    assert plain.params == 256 * 256 * 9 == 589_824
    assert thin.params == 16_384 + 36_864 + 16_384 == 69_632
    assert round(plain.params / thin.params, 2) == 8.47


def test_row_11_valid_positions(network):
    costs = network((1, 96, 96), conv(out_channels=400, kernel_size=8, padding="valid"))
    assert costs.outputs[0][1] == (400, 89, 89)
    # 400 · 89 · 89, 7,921 positions
    assert costs.activation_elements == 3_168_400


def test_row_12_dilation_2_sees_5x5_with_9_weights(network):
    costs = network((1, 20, 20), conv(out_channels=1, kernel_size=3, dilation=2, bias="false"))
    assert costs.params == 9
    assert costs.receptive_field.size == (5, 5)


def test_row_13_pooling_halves(network):
    costs = network((3, 20, 30), "max_pool: {kernel_size: 2, stride: 2}")
    assert costs.outputs[0][1] == (3, 10, 15)
    assert costs.params == 0


@pytest.mark.parametrize(("c_in", "c_out", "k"), [(512, 512, 3), (32, 64, 5), (7, 9, 3)])
def test_row_14_depthwise_separable_against_standard(network, c_in, c_out, k):
    standard = network((c_in, 14, 14), conv(out_channels=c_out, kernel_size=k, padding="same"))
    separable = network(
        (c_in, 14, 14),
        f"depthwise_conv: {{kernel_size: {k}, padding: same}}",
        conv(out_channels=c_out, kernel_size=1),
    )
    # 1/C_out + 1/k² = (k² + C_out) / (C_out·k²)
    assert separable.macs * c_out * k * k == standard.macs * (k * k + c_out)


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_row_14_in_the_spec_of_families(axes):
    standard = analyze(f"conv_families::conv_{axes}d")
    separable = analyze(f"conv_families::separable_{axes}d")
    # 1/32 + 1/3, 1/32 + 1/9, 1/32 + 1/27
    ratio = Fraction(1, 32) + Fraction(1, 3**axes)
    assert Fraction(separable.macs, standard.macs) == ratio
    assert Fraction(separable.params, standard.params) == ratio


def test_row_15_a_1x1_conv_is_a_linear_layer_at_each_position(network):
    convolution = network((32, 6, 5), conv(out_channels=64, kernel_size=1))
    linear = network((32,), "linear: {out_features: 64}")
    assert convolution.params == linear.params == 32 * 64 + 64
    assert convolution.macs == linear.macs * 6 * 5


def test_row_16_a_kernel_as_large_as_its_input_is_fully_connected(network):
    convolution = network((16, 5, 5), conv(out_channels=120, kernel_size=5))
    linear = network((16, 5, 5), "flatten", "linear: {out_features: 120}")
    assert convolution.outputs[0][1] == (120, 1, 1)
    # 16·5·5·120 + 120
    assert convolution.params == linear.params == 48_120
    assert convolution.macs == linear.macs == 48_000


@pytest.mark.parametrize("n", [2, 3, 4, 7])
def test_row_17_a_transposed_conv_on_a_single_position(network, n):
    layer = f"conv_transpose: {{out_channels: 8, kernel_size: {n}, bias: false}}"
    costs = network((16, 1, 1), layer)
    # (1 − 1)·1 + (n − 1) + 1 = n; each of the 16 inputs meets 8·n·n weights once.
    assert costs.outputs[0][1] == (8, n, n)
    assert costs.params == costs.macs == 16 * 8 * n * n


@pytest.mark.parametrize(
    ("k", "p", "size"),
    [
        # 5 pixels and 4 zeros are 9 positions; 9 + 2p − k + 1
        (3, 0, 7),
        (3, 1, 9),
        (4, 1, 8),
        (5, 2, 9),
        (3, 2, 11),
    ],
)
def test_row_18_a_fractional_stride_is_a_transposed_conv(network, k, p, size):
    fields = f"out_channels: 6, kernel_size: {k}"
    fractional = network((4, 5, 5), f"conv: {{{fields}, stride: 1/2, padding: {p}}}")
    layer = f"conv_transpose: {{{fields}, stride: 2, padding: {k - 1 - p}}}"
    transposed = network((4, 5, 5), layer)
    assert fractional.outputs[0][1] == transposed.outputs[0][1] == (6, size, size)
    # (4·k·k + 1)·6 parameters; 5·5 input positions of 4 channels meet 6·k·k weights each
    assert fractional.params == transposed.params == (4 * k * k + 1) * 6
    assert fractional.macs == transposed.macs == 5 * 5 * 4 * 6 * k * k
    assert fractional.receptive_field == transposed.receptive_field


def test_row_19_scaling_a_plain_network(network):
    def plain(depth, width, size):
        layer = conv(out_channels=width, kernel_size=3, padding=1, bias="false")
        return network((width, size, size), *[layer] * depth).macs

    base = plain(4, 16, 32)
    assert plain(8, 16, 32) == 2 * base
    assert plain(4, 32, 32) == 4 * base
    assert plain(4, 16, 64) == 4 * base


@pytest.mark.parametrize(
    ("variant", "macs", "params"),
    [
        # 10 layers of 9·40·40 weights, at 40·40 positions
        ("plain", 230_400_000, 144_000),
        ("depth_doubled", 460_800_000, 288_000),  # 2 times
        ("width_doubled", 921_600_000, 576_000),  # 2·2 times
        ("resolution_doubled", 921_600_000, 144_000),  # 2·2 times
        # 12 layers of 9·44·44 weights, at 46·46 positions: 1.2 · 1.1² · 1.15² times
        ("compound", 442_430_208, 209_088),
    ],
)
def test_row_19_in_the_spec_of_scaling(variant, macs, params):
    costs = analyze(f"scaling::{variant}")
    body = [layer for layer in costs.layers if layer.name.startswith("body.")]
    assert sum(layer.macs for layer in body) == macs
    assert sum(layer.params for layer in body) == params
    # First and last layers aside: they are 0.2 to 0.8 % of the whole.
    assert 0.992 < macs / costs.macs < 0.998


@pytest.mark.parametrize("filters", [1, 32, 500])
def test_row_20_a_1x1_conv_never_changes_height_and_width(network, filters):
    costs = network((40, 17, 23), conv(out_channels=filters, kernel_size=1))
    assert costs.outputs[0][1] == (filters, 17, 23)


N, C, K, G, M = 64, 32, 3, 4, 8
"""Positions, channels, kernel on each axis, groups, and channels in the bottleneck."""


def weights_and_macs(family, axes):
    """What the texts' table gives for a family, on 1, 2 or 3 axes."""
    k = K**axes  # and the window of the restricted attention
    attended = {"self_attention": N, "restricted_self_attention": k}
    if family in attended:
        return 4 * C * C, 4 * N * C * C + 2 * N * attended[family] * C
    if family == "fully_connected":
        return (N * C) ** 2, (N * C) ** 2
    if family == "locally_connected":
        return N * k * C * C, N * k * C * C
    weights = {
        "conv": k * C * C,
        "group_conv": k * C * C // G,
        "depthwise": k * C,
        "pointwise": C * C,
        "separable": k * C + C * C,
        "flattened": axes * K * C + C * C,
        "bottleneck": C * M + k * M * M + M * C,
        "dilated": k * C * C,
        "transposed": k * C * C,
        "gated": 2 * k * C * C,
    }[family]
    return weights, N * weights


FAMILIES = (
    *("conv", "fully_connected", "locally_connected", "group_conv", "depthwise", "pointwise"),
    *("separable", "flattened", "bottleneck", "dilated", "transposed", "gated"),
    *("self_attention", "restricted_self_attention"),
)


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("family", FAMILIES)
def test_families_cost_what_the_table_says(family, axes):
    costs = analyze(f"conv_families::{family}_{axes}d")
    assert (costs.params, costs.macs) == weights_and_macs(family, axes)
    assert costs.outputs[0][1] == {1: (C, 64), 2: (C, 8, 8), 3: (C, 4, 4, 4)}[axes]


@pytest.mark.parametrize(
    ("variant", "params", "macs"),
    [
        # 9·32·32 = 9,216, and 64 times that
        ("conv_2d", 9_216, 589_824),
        # (64·32)²
        ("fully_connected_2d", 4_194_304, 4_194_304),
        # 3·32 + 32·32 = 1,120
        ("separable_1d", 1_120, 71_680),
        # 3·3·32 + 32·32 = 1,312
        ("flattened_3d", 1_312, 83_968),
        # 32·8 + 9·8·8 + 8·32 = 1,088: 8.47 times fewer than the conv, as in row 10
        ("bottleneck_2d", 1_088, 69_632),
        # 4·32·32 = 4,096; 64 times that, and 2·64·64·32 = 262,144
        ("self_attention_2d", 4_096, 524_288),
        # the same, and 2·64·9·32 = 36,864
        ("restricted_self_attention_2d", 4_096, 299_008),
    ],
)
def test_families_worked_out_by_hand(variant, params, macs):
    costs = analyze(f"conv_families::{variant}")
    assert (costs.params, costs.macs) == (params, macs)


def test_families_that_see_as_far_as_a_convolution():
    fields = {
        family: analyze(f"conv_families::{family}_2d").receptive_field.size for family in FAMILIES
    }
    assert {family for family, size in fields.items() if size != (3, 3)} == {
        *("pointwise", "dilated", "fully_connected"),
        *("self_attention", "restricted_self_attention"),
    }
    assert fields["pointwise"] == (1, 1)
    assert fields["dilated"] == (5, 5)  # 2·(3 − 1) + 1
    assert fields["fully_connected"] == fields["self_attention"] == (8, 8)


@pytest.mark.parametrize(
    ("merge", "channels", "params", "flops"),
    [
        # of two maps of 8·6·5 = 240 elements
        ("concat", 16, 0, 0),
        ("add", 8, 0, 240),
        ("mean", 8, 0, 240 + 240),  # adds and divides
        ("weighted_sum", 8, 2, 240 + 480),  # adds, and a multiply for each element of both
    ],
)
def test_merges_that_the_texts_name(network, merge, channels, params, flops):
    costs = network((8, 6, 5), f"parallel: {{merge: {merge}, branches: {{a: [], b: []}}}}")
    assert costs.outputs[0][1] == (channels, 6, 5)
    assert costs.params == params
    assert costs.macs == 0
    assert costs.flops == flops


def test_a_channel_shuffle_after_groups_costs_nothing(network):
    grouped = conv(out_channels=24, kernel_size=1, groups=3, bias="false")
    costs = network((12, 6, 5), grouped, "channel_shuffle: {groups: 3}")
    assert costs.outputs[0][1] == (24, 6, 5)
    assert costs.params == 12 * 24 // 3 == 96
    assert costs.macs == 96 * 6 * 5
    assert costs.flops == 2 * costs.macs


@pytest.mark.parametrize(
    ("layers", "macs", "params"),
    [
        # 14·14·512·512·9; 512·512·9
        ("full", 462_422_016, 2_359_296),
        # 14·14·(512·9 + 512·512); 512·9 + 512·512
        ("separable", 52_283_392, 266_752),
        # the same with 384 channels
        ("thin", 29_578_752, 150_912),
        # 384 channels on 10·10
        ("small", 15_091_200, 150_912),
    ],
)
def test_mobilenet_one_layer(network, layers, macs, params):
    # Howard et al. 2017, table 3: 462M, 2.36M; 52.3M, 0.27M; 29.6M, 0.15M; 15.1M, 0.15M
    channels, size = {"thin": (384, 14), "small": (384, 10)}.get(layers, (512, 14))
    chain = (
        [conv(out_channels=channels, kernel_size=3, padding=1, bias="false")]
        if layers == "full"
        else [
            "depthwise_conv: {kernel_size: 3, padding: 1, bias: false}",
            conv(out_channels=channels, kernel_size=1, bias="false"),
        ]
    )
    costs = network((channels, size, size), *chain)
    assert (costs.macs, costs.params) == (macs, params)


def test_three_3x3_see_7x7(network):
    layer = conv(out_channels=1, kernel_size=3)
    assert network((1, 32, 32), *[layer] * 3).receptive_field.size == (7, 7)


def test_dilations_1_to_512_with_kernel_2_see_1024(network):
    # van den Oord et al. 2016 (WaveNet): 1 + (1 + 2 + … + 512) = 1,024
    layers = [
        f"conv: {{out_channels: 1, kernel_size: 2, dilation: {2**n}, padding: [[{2**n}, 0]]}}"
        for n in range(10)
    ]
    costs = network((1, 16_000), *layers)
    assert costs.receptive_field.size == (1024,)
    assert costs.outputs[0][1] == (1, 16_000)


def test_kinds_can_be_used_without_a_spec():
    assert Conv(out_channels=8, kernel_size=3).output(((3, 32, 32),)) == (8, 30, 30)
    assert Relu().output(((3, 32, 32),)) == (3, 32, 32)
