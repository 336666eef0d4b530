"""Convolutions: shapes, weights, multiply-adds, and how weights are shared."""

from fractions import Fraction
from itertools import product

import pytest

from convcalc.algebra import symbol
from convcalc.errors import catalogue
from convcalc.layers.convolution import Conv, Convolution, ConvTranspose, DepthwiseConv
from convcalc.layers.declaration import ONE_INPUT, Kept, Memory, Operations, Window


def test_the_first_layer_of_resnet(run_layer):
    found = run_layer(Conv(out_channels=64, kernel_size=7, stride=2, padding=3), (3, 224, 224))
    assert found.output == (64, 112, 112)  # ⌊(224 + 6 − 7)/2⌋ + 1 = 111 + 1
    assert found.weights == {"weight": (64, 3, 7, 7), "bias": (64,)}
    assert found.buffers == {}
    # 64 · 112 · 112 · 3 · 49 = 118,013,952; a bias for each of 64 · 112 · 112 = 802,816
    assert found.operations == Operations(macs=118_013_952, adds=802_816)
    assert found.windows == (Window(7, 2, -3), Window(7, 2, -3))


def test_without_bias_nothing_is_added(run_layer):
    found = run_layer(Conv(out_channels=64, kernel_size=7, bias=False), (3, 9, 8))
    assert found.weights == {"weight": (64, 3, 7, 7)}
    assert found.operations == Operations(macs=56_448)  # 64 · 3 · 2 · 3 · 49 = 56,448


def test_in_one_dimension_with_dilation(run_layer):
    found = run_layer(Conv(out_channels=32, kernel_size=2, dilation=8), (16, 100))
    assert found.output == (32, 92)  # a kernel of 2, 8 apart, spreads over 9: 100 − 9 + 1
    assert found.weights == {"weight": (32, 16, 2), "bias": (32,)}
    # 32 · 92 · 16 · 2 = 94,208: dilation leaves the work as it is; 32 · 92 = 2,944
    assert found.operations == Operations(macs=94_208, adds=2_944)
    assert found.windows == (Window(9, 1, 0),)


def test_in_three_dimensions(run_layer):
    found = run_layer(
        Conv(out_channels=64, kernel_size=3, padding=1, bias=False), (3, 16, 112, 112)
    )
    assert found.output == (64, 16, 112, 112)
    assert found.weights == {"weight": (64, 3, 3, 3, 3)}  # 5,184 numbers
    # 5,184 · 16 · 112 · 112 = 5,184 · 200,704 = 1,040,449,536
    assert found.operations == Operations(macs=1_040_449_536)


def test_groups_share_the_channels_among_them(run_layer):
    found = run_layer(
        Conv(out_channels=256, kernel_size=5, padding=2, groups=2, bias=False), (96, 27, 27)
    )
    assert found.weights == {"weight": (256, 48, 5, 5)}  # 96/2 = 48
    # 256 · 27 · 27 · 48 · 25 = 186,624 · 1,200 = 223,948,800
    assert found.operations == Operations(macs=223_948_800)


def test_each_axis_has_its_own_kernel_stride_and_padding(run_layer):
    layer = Conv(
        out_channels=8, kernel_size=(1, 7), stride=(2, 3), padding=(0, (1, 2)), dilation=(1, 2)
    )
    found = run_layer(layer, (4, 17, 20))
    # ⌊(17 − 1)/2⌋ + 1 = 9; 7 taps, 2 apart, spread over 13: ⌊(20 + 3 − 13)/3⌋ + 1 = 4
    assert found.output == (8, 9, 4)
    assert found.weights == {"weight": (8, 4, 1, 7), "bias": (8,)}
    assert found.operations == Operations(macs=8_064, adds=288)  # 8 · 9 · 4 = 288; · 4 · 7 = 8,064
    assert found.windows == (Window(1, 2, 0), Window(13, 3, -1))


def test_same_padding_keeps_the_size_and_divides_it_by_the_stride(run_layer):
    assert run_layer(Conv(out_channels=1, kernel_size=4, padding="same"), (3, 7, 9)).output == (
        1,
        7,
        9,
    )
    strided = Conv(out_channels=1, kernel_size=4, stride=(2, 3), padding="same")
    assert run_layer(strided, (3, 7, 9)).output == (1, 4, 3)  # ⌈7/2⌉ = 4, ⌈9/3⌉ = 3


def test_the_macs_are_those_of_the_loops(run_layer):
    """Each multiplication of a grouped, dilated, padded convolution, counted one by one."""
    c_in, c_out, groups, kernel, stride, dilation = 6, 4, 2, (2, 3), (2, 1), (1, 2)
    height, width = 7, 9
    layer = Conv(
        out_channels=c_out,
        kernel_size=kernel,
        stride=stride,
        padding=(1, (0, 2)),
        dilation=dilation,
        groups=groups,
    )
    multiplied = outputs = 0
    rows = [r for r in range(-1, height) if (r + 1) % 2 == 0 and r + 1 <= height]
    columns = [c for c in range(width + 2) if c + 4 <= width + 1]
    for _ in product(range(c_out), rows, columns):
        outputs += 1
        for _ in product(range(c_in // groups), range(kernel[0]), range(kernel[1])):
            multiplied += 1
    found = run_layer(layer, (c_in, height, width))
    assert found.output == (c_out, len(rows), len(columns))
    assert found.operations == Operations(macs=multiplied, adds=outputs)


def test_a_conv_takes_memory_of_its_own():
    for kind in (Conv, DepthwiseConv, ConvTranspose):
        assert kind.memory is Memory.ALLOCATES
        assert kind.takes == ONE_INPUT


@pytest.mark.parametrize(
    "layer",
    [
        Conv(out_channels=4, kernel_size=3),
        DepthwiseConv(kernel_size=3),
        ConvTranspose(out_channels=4, kernel_size=3),
    ],
)
def test_a_conv_keeps_its_input(layer):
    shape = (3, 8, 8)
    assert layer.kept_for_backward((shape,), layer.output((shape,))) == Kept(inputs=True)


def test_the_channels_of_the_input_may_be_stated(run_layer):
    layer = Conv(out_channels=2, kernel_size=1, in_channels=3)
    assert run_layer(layer, (3, 5)).weights["weight"] == (2, 3, 1)


# -- weight sharing -------------------------------------------------------------------------------

# 120 filters of 3×3 on 40 channels of 30×30, which have 28 · 28 = 784 positions.
MAP = (40, 30, 30)


def shared(weight_sharing, **fields):
    return Conv(out_channels=120, kernel_size=3, weight_sharing=weight_sharing, **fields)


def test_spatial_sharing_has_one_kernel_for_all_positions(run_layer):
    # 120 · 40 · 9 = 43,200
    assert run_layer(shared("spatial"), MAP).weights == {"weight": (120, 40, 3, 3), "bias": (120,)}


def test_without_sharing_every_position_has_its_own_kernel_and_bias(run_layer):
    # 43,200 · 784 = 33,868,800 weights and 120 · 784 = 94,080 biases
    assert run_layer(shared("none"), MAP).weights == {
        "weight": (120, 40, 3, 3, 28, 28),
        "bias": (120, 28, 28),
    }


def test_full_sharing_has_one_kernel_for_all_positions_and_input_channels(run_layer):
    # 120 · 1 · 9 = 1,080
    assert run_layer(shared("full"), MAP).weights == {"weight": (120, 1, 3, 3), "bias": (120,)}


def test_sharing_changes_neither_the_work_nor_the_output(run_layer):
    ways = [run_layer(shared(sharing), MAP) for sharing in ("spatial", "none", "full")]
    # 43,200 · 784 = 33,868,800
    assert {way.operations for way in ways} == {Operations(macs=33_868_800, adds=94_080)}
    assert {way.output for way in ways} == {(120, 28, 28)}
    assert {way.windows for way in ways} == {(Window(3, 1, 0), Window(3, 1, 0))}


@pytest.mark.parametrize(
    ("sharing", "weight"),
    [
        ("spatial", (120, 10, 3, 3)),
        ("none", (120, 10, 3, 3, 14, 15)),
        ("full", (120, 1, 3, 3)),
    ],
)
def test_sharing_goes_with_groups_stride_and_no_bias(run_layer, sharing, weight):
    layer = shared(sharing, groups=4, stride=2, padding=((0, 0), 1), bias=False)
    found = run_layer(layer, MAP)
    # ⌊(30 − 3)/2⌋ + 1 = 14, ⌊(30 + 2 − 3)/2⌋ + 1 = 15
    assert found.output == (120, 14, 15)
    assert found.weights == {"weight": weight}
    assert found.operations == Operations(macs=2_268_000)  # 120 · 14 · 15 · 10 · 9 = 2,268,000


def test_sharing_in_one_and_three_dimensions(run_layer):
    assert run_layer(shared("none", bias=False), (2, 5)).weights == {"weight": (120, 2, 3, 3)}
    assert run_layer(shared("none"), (2, 5, 4, 3)).weights == {
        "weight": (120, 2, 3, 3, 3, 3, 2, 1),
        "bias": (120, 3, 2, 1),
    }


# -- depthwise ------------------------------------------------------------------------------------


def test_depthwise_has_one_kernel_a_channel(run_layer):
    found = run_layer(DepthwiseConv(kernel_size=3, stride=2, padding=1, bias=False), (32, 112, 112))
    assert found.output == (32, 56, 56)
    assert found.weights == {"weight": (32, 1, 3, 3)}
    assert found.operations == Operations(macs=903_168)  # 32 · 56 · 56 · 9 = 903,168
    assert found.windows == (Window(3, 2, -1), Window(3, 2, -1))


def test_a_multiplier_gives_each_channel_several_kernels(run_layer):
    found = run_layer(DepthwiseConv(kernel_size=(3, 1), multiplier=4, dilation=2), (5, 9, 2))
    assert found.output == (20, 5, 2)  # 5 · 4 channels; 3 taps, 2 apart: 9 − 5 + 1
    assert found.weights == {"weight": (20, 1, 3, 1), "bias": (20,)}
    assert found.operations == Operations(macs=600, adds=200)  # 20 · 5 · 2 = 200; · 3 = 600


@pytest.mark.parametrize("shape", [(6, 10), (6, 10, 11), (6, 10, 11, 12)])
def test_depthwise_is_a_conv_with_a_group_for_each_channel(run_layer, shape):
    fields = {"kernel_size": 3, "stride": 2, "padding": "same", "dilation": 2}
    depthwise = run_layer(DepthwiseConv(multiplier=2, **fields), shape)
    grouped = run_layer(Conv(out_channels=12, groups=6, **fields), shape)
    assert depthwise == grouped


# -- transposed -----------------------------------------------------------------------------------


def spread(sizes, kernel, stride, padding, dilation, extra=0):
    """Sizes of the output when each input position adds a kernel's worth, one by one."""
    out = []
    for i, k, s, p, d in zip(sizes, kernel, stride, padding, dilation, strict=True):
        reached = {t * s + n * d for t in range(i) for n in range(k)}
        out.append(max(reached) + 1 + extra - 2 * p)
    return tuple(out)


def test_the_first_layer_of_the_generator_of_dcgan(run_layer):
    # Radford et al. (2015) in PyTorch's example: 100 numbers to 512 channels of 4×4.
    found = run_layer(ConvTranspose(out_channels=512, kernel_size=4, bias=False), (100, 1, 1))
    assert found.output == (512, 4, 4)  # (1 − 1) · 1 + 4 = 4
    assert found.weights == {"weight": (100, 512, 4, 4)}
    assert found.operations == Operations(macs=819_200)  # 100 · 1 · 512 · 16


def test_a_transposed_conv_that_doubles(run_layer):
    layer = ConvTranspose(out_channels=64, kernel_size=4, stride=2, padding=1)
    found = run_layer(layer, (128, 16, 15))
    assert found.output == (64, 32, 30)  # 15 · 2 − 2 + 4 = 32, 14 · 2 − 2 + 4 = 30
    assert found.weights == {"weight": (128, 64, 4, 4), "bias": (64,)}
    # 128 · 16 · 15 = 30,720 inputs, each with 64 · 16 = 1,024 weights: 31,457,280;
    # a bias for each of 64 · 32 · 30 = 61,440
    assert found.operations == Operations(macs=31_457_280, adds=61_440)
    assert found.buffers == {}
    # Position j adds up the inputs from (j + 1 − 3)/2 to (j + 1)/2.
    assert found.windows == (Window(5, 1, -2, 2),) * 2


def test_row_17_a_kernel_of_n_on_one_position_gives_n(run_layer):
    for n in range(1, 9):
        found = run_layer(ConvTranspose(out_channels=1, kernel_size=n, bias=False), (1, 1, 1))
        assert found.output == (1, n, n)
        assert found.weights == {"weight": (1, 1, n, n)}


@pytest.mark.parametrize("kernel_size", [2, 3, 4, 5])
@pytest.mark.parametrize("padding", [0, 1])
@pytest.mark.parametrize("kind", ["conv", "depthwise"])
def test_row_18_a_stride_of_one_half_is_a_transposed_conv_of_stride_2(
    run_layer, kernel_size, padding, kind
):
    shape = (6, 5, 7)
    fields = {"kernel_size": kernel_size, "padding": padding, "stride": Fraction(1, 2)}
    half = run_layer(
        Conv(out_channels=8, **fields) if kind == "conv" else DepthwiseConv(multiplier=4, **fields),
        shape,
    )
    transposed = run_layer(
        ConvTranspose(
            out_channels=8 if kind == "conv" else 24,
            groups=1 if kind == "conv" else 6,
            kernel_size=kernel_size,
            stride=2,
            padding=kernel_size - 1 - padding,
        ),
        shape,
    )
    assert half.output == transposed.output
    assert half.operations == transposed.operations
    params = [
        sum(len(list(product(*map(range, size)))) for size in found.weights.values())
        for found in (half, transposed)
    ]
    assert params[0] == params[1]
    assert half.windows == transposed.windows


def test_a_stride_of_one_third_written_out(run_layer):
    layer = Conv(out_channels=2, kernel_size=5, stride=Fraction(1, 3), padding=2)
    found = run_layer(layer, (4, 6))
    # 6 positions 3 apart are 16; 16 + 4 − 5 + 1 = 16
    assert found.output == (2, 16)
    assert found.weights == {"weight": (2, 4, 5), "bias": (2,)}
    # Over the 6 input positions: 2 · 6 · 4 · 5 = 240; a bias for each of 32
    assert found.operations == Operations(macs=240, adds=32)
    assert found.windows == (Window(7, 1, -2, 3),)


def test_a_fraction_on_one_axis_alone(run_layer):
    layer = Conv(out_channels=2, kernel_size=3, stride=(Fraction(1, 2), 2), padding=1, bias=False)
    found = run_layer(layer, (4, 6, 7))
    # 6 positions 2 apart are 11, and 11 + 2 − 3 + 1 = 11; ⌊(7 + 2 − 3)/2⌋ + 1 = 4
    assert found.output == (2, 11, 4)
    assert found.operations == Operations(macs=1_728)  # 2 · (6 · 4) · 4 · 9
    assert found.windows == (Window(4, 1, -1, 2), Window(3, 2, -1))


def test_a_stride_of_a_fraction_with_same_padding_multiplies_the_size(run_layer):
    layer = Conv(out_channels=2, kernel_size=3, stride=Fraction(1, 4), padding="same")
    found = run_layer(layer, (4, 6))
    assert found.output == (2, 24)
    # 24 windows of 3 take 26 positions, the input laid out 21: 5 more, 2 of them before.
    assert found.windows == (Window(6, 1, -2, 4),)


def test_a_spread_input_that_the_kernel_does_not_fit_into(refusal):
    finding = refusal(Conv(out_channels=2, kernel_size=8, stride=Fraction(1, 2)), (4, 4))
    assert finding.code is catalogue.NO_OUTPUT
    assert finding.field == "kernel_size"
    [note] = finding.notes
    assert note.startswith("out = 2·(i − 1) + 2·p − d·(k − 1) + 1 = ")
    assert note.endswith("2·(4 − 1) + 2·0 − 1·(8 − 1) + 1 = 0")


SPREADS = [
    ((5,), (3,), (2,), (0,), (1,)),
    ((5,), (1,), (3,), (0,), (1,)),
    ((4, 7), (3, 4), (2, 3), (1, 0), (1, 1)),
    ((4, 7), (3, 2), (1, 2), (2, 1), (3, 2)),
    ((2, 3, 4), (2, 3, 4), (2, 1, 2), (0, 1, 1), (1, 1, 1)),
]


@pytest.mark.parametrize(("sizes", "kernel", "stride", "padding", "dilation"), SPREADS)
def test_the_size_is_what_kernels_laid_one_by_one_reach(
    run_layer, sizes, kernel, stride, padding, dilation
):
    layer = ConvTranspose(
        out_channels=6,
        kernel_size=kernel,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=2,
        bias=False,
    )
    found = run_layer(layer, (4, *sizes))
    assert found.output == (6, *spread(sizes, kernel, stride, padding, dilation))
    assert found.weights == {"weight": (4, 3, *kernel)}
    used = 0
    for _ in product(range(4), *map(range, sizes), range(3), *map(range, kernel)):
        used += 1
    assert found.operations == Operations(macs=used)


@pytest.mark.parametrize("i", range(4, 12))
@pytest.mark.parametrize(("k", "s", "p", "d"), [(3, 2, 1, 1), (4, 3, 0, 1), (3, 3, 1, 2)])
def test_it_turns_the_sizes_of_a_conv_around(run_layer, i, k, s, p, d):
    fields = {"out_channels": 1, "kernel_size": k, "stride": s, "padding": p, "dilation": d}
    less = run_layer(Conv(**fields), (1, i + 1)).output
    # Of the sizes that a conv makes this of, output_padding picks the one.
    back = {
        run_layer(ConvTranspose(output_padding=extra, **fields), less).output[1]
        for extra in range(s)
    }
    assert i + 1 in back
    assert len(back) == s


def test_output_padding_adds_at_the_end(run_layer):
    fields = {"out_channels": 2, "kernel_size": 3, "stride": (2, 3), "padding": 1}
    without = run_layer(ConvTranspose(**fields), (4, 5, 5))
    layer = ConvTranspose(output_padding=(1, 2), **fields)
    found = run_layer(layer, (4, 5, 5))
    # 4 · 2 − 2 + 3 = 9, 4 · 3 − 2 + 3 = 13
    assert (without.output, found.output) == ((2, 9, 13), (2, 10, 15))
    assert found.windows == without.windows
    assert found.operations.macs == without.operations.macs == 1_800  # 4 · 25 · 2 · 9
    assert found.operations.adds == 300  # 2 · 10 · 15


def test_sides_of_padding_may_differ(run_layer):
    layer = ConvTranspose(out_channels=1, kernel_size=4, stride=2, padding=((2, 1),))
    found = run_layer(layer, (1, 5))
    assert found.output == (1, 9)  # 4 · 2 − 3 + 4
    assert found.windows == (Window(5, 1, -1, 2),)  # from (j + 2 − 3)/2


@pytest.mark.parametrize(
    ("k", "s", "window"),
    [
        (3, 2, Window(4, 1, -2, 2)),  # 1 too many, cut at the end
        (5, 2, Window(6, 1, -3, 2)),  # 3 too many: 1 cut before
        (4, 2, Window(5, 1, -2, 2)),  # 2 too many: 1 cut before
        (2, 3, Window(4, 1, -1, 3)),  # none too many
        (3, 1, Window(3, 1, -1)),
    ],
)
def test_same_padding_makes_the_stride_times_the_size(run_layer, k, s, window):
    layer = ConvTranspose(out_channels=1, kernel_size=k, stride=s, padding="same")
    found = run_layer(layer, (1, 7))
    assert found.output == (1, 7 * s)
    assert found.windows == (window,)


@pytest.mark.parametrize(
    ("k", "s", "paddings"),
    [
        (1, 2, (0, 0)),  # 4 and 5 give 2 and 3, which see 3 and 5: nothing is missing
        (3, 1, (2, 2)),
        (3, 2, (1, 2)),  # 2 and 3 see 5 and 7
    ],
)
def test_same_adds_what_windows_reach_beyond_the_input(k, s, paddings):
    layer = Conv(out_channels=1, kernel_size=k, stride=s, padding="same")
    assert layer.paddings_of_same(((3, 4, 5),)) == paddings


@pytest.mark.parametrize(
    ("k", "s", "d", "surplus"), [(2, 2, 1, 0), (1, 3, 1, 0), (3, 2, 1, 1), (3, 2, 2, 3)]
)
def test_same_takes_away_what_kernels_reach_beyond_the_stride(k, s, d, surplus):
    # An effective kernel of d·(k − 1) + 1 less the stride: of 5 and 2 that is 3.
    layer = ConvTranspose(out_channels=1, kernel_size=k, stride=s, dilation=d, padding="same")
    assert layer.paddings_of_same(((3, 4, 4),)) == (surplus, surplus)


def test_same_padding_with_dilation(run_layer):
    layer = ConvTranspose(out_channels=1, kernel_size=3, stride=2, dilation=2, padding="same")
    # The kernel spreads over 5, 3 too many: 1 cut before.
    assert run_layer(layer, (1, 7)).windows == (Window(6, 1, -3, 2),)


def test_the_sizes_of_a_transposed_conv_as_formulas(run_layer):
    h, c = symbol("H"), symbol("C")
    layer = ConvTranspose(out_channels=c, kernel_size=2, stride=2, groups=2)
    found = run_layer(layer, (2 * c, h))
    assert found.output == (c, 2 * h)
    assert found.weights == {"weight": (2 * c, c // 2, 2), "bias": (c,)}


@pytest.mark.parametrize(
    ("fields", "whose", "channels"),
    [
        ({"groups": 4, "out_channels": 8}, "input", 6),
        ({"groups": 3, "out_channels": 8}, "output", 8),
    ],
)
def test_groups_of_a_transposed_conv_must_divide_its_channels(refusal, fields, whose, channels):
    finding = refusal(ConvTranspose(kernel_size=2, **fields), (6, 8))
    assert finding.code is catalogue.GROUPS_DO_NOT_DIVIDE
    assert finding.field == "groups"
    assert finding.message == (
        f"{fields['groups']} groups do not divide the {channels} {whose} channels of `{{name}}`"
    )


def test_stated_channels_of_a_transposed_conv_must_be_those_of_the_input(refusal):
    finding = refusal(ConvTranspose(out_channels=8, kernel_size=3, in_channels=64), (3, 8, 8))
    assert finding.code is catalogue.INPUT_SIZE_MISMATCH
    assert finding.field == "in_channels"
    assert finding.message == "`in_channels` is 64, but the input of `{name}` has 3 channels"


def test_padding_of_a_transposed_conv_may_leave_nothing(refusal):
    # 2 · 1 + 3 − 6 = −1 and 3 + 3 − 6 = 0
    finding = refusal(ConvTranspose(out_channels=8, kernel_size=3, padding=3), (3, 3, 4))
    assert finding.code is catalogue.NO_OUTPUT
    assert finding.field == "padding"
    assert finding.message == (
        "`{name}` has no output: its input is 3×4, and of the output the padding leaves -1×0"
    )


@pytest.mark.parametrize(("stride", "dilation", "extra"), [(1, 1, 1), (2, 1, 2), (3, 2, 3)])
def test_output_padding_is_less_than_the_stride(refusal, stride, dilation, extra):
    layer = ConvTranspose(
        out_channels=8, kernel_size=3, stride=stride, dilation=dilation, output_padding=extra
    )
    finding = refusal(layer, (3, 8))
    assert finding.code is catalogue.PADDING_TOO_WIDE
    assert finding.field == "output_padding"
    assert finding.message == (
        f"`output_padding` {extra} of `{{name}}` is not less than its stride {stride}"
    )
    assert "0 up to the stride, or the dilation, less 1" in finding.help


def test_output_padding_may_be_less_than_the_dilation_alone(run_layer):
    # As in PyTorch. 7 + 2 · 2 + 1 + 1 = 13
    layer = ConvTranspose(out_channels=8, kernel_size=3, dilation=2, output_padding=1)
    assert run_layer(layer, (3, 8)).output == (8, 13)


def test_output_padding_does_not_go_with_same(refusal):
    layer = ConvTranspose(
        out_channels=8, kernel_size=3, stride=2, padding="same", output_padding=(0, 1)
    )
    finding = refusal(layer, (3, 8, 8))
    assert finding.code is catalogue.PADDING_TOO_WIDE
    assert finding.field == "output_padding"
    assert finding.message == (
        "`output_padding` 1 of `{name}` changes the size that `padding: same` asks for"
    )
    assert finding.help == "leave it out"


def test_a_transposed_conv_needs_a_feature_map(refusal):
    finding = refusal(ConvTranspose(out_channels=8, kernel_size=3), (3,))
    assert finding.code is catalogue.WRONG_RANK
    assert "but its input is 3" in finding.message


def test_output_padding_needs_a_value_for_each_axis(refusal):
    layer = ConvTranspose(out_channels=8, kernel_size=3, stride=2, output_padding=(1, 1))
    finding = refusal(layer, (3, 8))
    assert finding.code is catalogue.WRONG_RANK
    assert finding.field == "output_padding"


# -- misuse ---------------------------------------------------------------------------------------


def test_groups_must_divide_the_channels_of_the_input(refusal):
    finding = refusal(Conv(out_channels=64, kernel_size=3, groups=4), (30, 8, 8))
    assert finding.code is catalogue.GROUPS_DO_NOT_DIVIDE
    assert finding.field == "groups"
    assert finding.message == "4 groups do not divide the 30 input channels of `{name}`"
    assert finding.notes == ("30 = 7·4 + 2",)


def test_groups_must_divide_the_channels_of_the_output(refusal):
    finding = refusal(Conv(out_channels=34, kernel_size=3, groups=4), (32, 8, 8))
    assert finding.code is catalogue.GROUPS_DO_NOT_DIVIDE
    assert finding.field == "groups"
    assert finding.message == "4 groups do not divide the 34 output channels of `{name}`"
    assert finding.notes == ("34 = 8·4 + 2",)


def test_stated_channels_must_be_those_of_the_input(refusal):
    finding = refusal(Conv(out_channels=8, kernel_size=3, in_channels=64), (3, 8, 8))
    assert finding.code is catalogue.INPUT_SIZE_MISMATCH
    assert finding.field == "in_channels"
    assert finding.operands == (0,)
    assert finding.message == "`in_channels` is 64, but the input of `{name}` has 3 channels"
    assert finding.help == "leave `in_channels` out: it is taken from the input"


@pytest.mark.parametrize(
    "layer", [Conv(out_channels=8, kernel_size=4), DepthwiseConv(kernel_size=4)]
)
def test_a_kernel_must_fit_into_the_padded_input(refusal, layer):
    finding = refusal(layer, (3, 8, 3))
    assert finding.code is catalogue.NO_OUTPUT
    assert finding.field == "kernel_size"
    assert finding.notes[0].endswith("⌊(3 + 2·0 − 1·(4 − 1) − 1)/1⌋ + 1 = 0")


@pytest.mark.parametrize(
    "layer", [Conv(out_channels=8, kernel_size=1), DepthwiseConv(kernel_size=1)]
)
def test_a_conv_needs_a_feature_map(refusal, layer):
    finding = refusal(layer, (512,))
    assert finding.code is catalogue.WRONG_RANK
    assert "but its input is 512" in finding.message


def test_all_that_is_wrong_is_found_at_once():
    layer = Conv(out_channels=9, kernel_size=9, groups=2, in_channels=4)
    assert [finding.code for finding in layer.check(((3, 8, 8),))] == [
        catalogue.NO_OUTPUT,
        catalogue.INPUT_SIZE_MISMATCH,
        catalogue.GROUPS_DO_NOT_DIVIDE,
        catalogue.GROUPS_DO_NOT_DIVIDE,
    ]


def test_groups_that_cannot_divide_a_formula_are_found(refusal):
    finding = refusal(Conv(out_channels=2, kernel_size=1, groups=2), (2 * symbol("C") + 1, 8))
    assert finding.message == "2 groups do not divide the 2·C + 1 input channels of `{name}`"
    assert finding.notes == ("2·C + 1 = C·2 + 1",)


def test_groups_that_may_divide_a_formula_pass(run_layer):
    c = symbol("C")
    layer = Conv(out_channels=4, kernel_size=1, groups=4, in_channels=64)
    assert run_layer(layer, (c, 8)).weights["weight"] == (4, c // 4, 1)


def test_what_convolutions_share_must_be_filled_in():
    for method in (Convolution.channels_out, Convolution.channels_per_group):
        with pytest.raises(NotImplementedError):
            method(Convolution(kernel_size=1), 3)
