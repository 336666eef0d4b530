"""Pooling: shapes and operations, against windows that are laid one by one."""

from itertools import pairwise, product
from math import prod

import pytest

from convcalc.algebra import Shown, symbol
from convcalc.errors import catalogue
from convcalc.layers.declaration import Kept, KeptTensor, Memory, Operations, Window
from convcalc.layers.pooling import (
    AdaptiveAvgPool,
    AdaptiveMaxPool,
    AvgPool,
    GlobalAvgPool,
    GlobalMaxPool,
    MaxPool,
    common_divisor,
)

H, W, n, m = symbol("H"), symbol("W"), symbol("n"), symbol("m")


# -- windows --------------------------------------------------------------------------------------


def test_max_pool_compares_all_of_a_window_but_the_first(run_layer):
    found = run_layer(MaxPool(kernel_size=3, stride=2, padding=1), (64, 112, 112))
    assert found.output == (64, 56, 56)  # ⌊(112 + 2 − 3)/2⌋ + 1 = 55 + 1
    # 64 · 56 · 56 = 200,704 outputs of 9 − 1 = 8 comparisons: 1,605,632
    assert found.operations == Operations(comparisons=1_605_632)
    assert (found.weights, found.buffers) == ({}, {})
    assert found.windows == (Window(3, 2, -1), Window(3, 2, -1))


def test_avg_pool_adds_and_divides(run_layer):
    found = run_layer(AvgPool(kernel_size=(2, 3)), (5, 8, 9))
    assert found.output == (5, 4, 3)
    # 5 · 4 · 3 = 60 outputs, each 6 − 1 = 5 adds and a divide
    assert found.operations == Operations(adds=300, divides=60)
    assert found.windows == (Window(2, 2, 0), Window(3, 3, 0))


@pytest.mark.parametrize("fields", [{"padding": 1}, {"padding": "same"}, {"ceil_mode": True}])
def test_whether_padded_positions_count_has_no_bearing_on_the_cost(run_layer, fields):
    counted, left_out = (
        run_layer(AvgPool(kernel_size=3, stride=2, count_include_pad=counts, **fields), (4, 9, 8))
        for counts in (True, False)
    )
    assert counted == left_out


@pytest.mark.parametrize("kind", [MaxPool, AvgPool])
@pytest.mark.parametrize(("shape", "output"), [((3, 9), (3, 4)), ((3, 8, 9, 2), (3, 4, 4, 1))])
def test_the_step_is_the_window_unless_it_is_given(run_layer, kind, shape, output):
    assert run_layer(kind(kernel_size=2), shape).output == output


@pytest.mark.parametrize("kind", [MaxPool, AvgPool])
def test_the_step_may_be_given_per_axis(run_layer, kind):
    # ⌊(9 − 2)/1⌋ + 1 = 8, ⌊(9 − 2)/3⌋ + 1 = 3
    assert run_layer(kind(kernel_size=2, stride=(1, 3)), (1, 9, 9)).output == (1, 8, 3)


def test_max_pool_may_be_dilated(run_layer):
    found = run_layer(MaxPool(kernel_size=3, stride=1, dilation=(1, 4)), (2, 9, 9))
    assert found.output == (2, 7, 1)  # 9 − 3 + 1, 9 − 9 + 1
    assert found.operations == Operations(comparisons=112)  # 14 outputs · (9 − 1)
    assert found.windows == (Window(3, 1, 0), Window(9, 1, 0))


@pytest.mark.parametrize("kind", [MaxPool, AvgPool])
def test_ceil_mode_keeps_a_last_window_that_hangs_over(run_layer, kind):
    # GoogLeNet: 3 in steps of 2 over 112: ⌈(112 − 3)/2⌉ + 1 = 55 + 1; rounded down it is 54 + 1.
    assert run_layer(kind(kernel_size=3, stride=2, ceil_mode=True), (64, 112, 112)).output == (
        64,
        56,
        56,
    )
    assert run_layer(kind(kernel_size=3, stride=2), (64, 112, 112)).output == (64, 55, 55)


def test_windows_that_hang_over_count_in_full(run_layer):
    found = run_layer(AvgPool(kernel_size=3, stride=2, ceil_mode=True), (1, 4))
    assert found.output == (1, 2)  # 0 to 2, and 2 to 4, of which 4 is past the end
    assert found.operations == Operations(adds=4, divides=2)


def laid(n, k, s, p, d):
    """The first positions of the windows of PyTorch's ceil mode, laid from the left."""
    starts = []
    start = -p
    # One more as long as it starts before the end, and the one before left padded positions over.
    while start < n and start - s + d * (k - 1) + 1 < n + p:
        starts.append(start)
        start += s
    return starts


@pytest.mark.parametrize("n", range(1, 12))
def test_ceil_mode_lays_windows_as_pytorch_does(n):
    tried = 0
    for k, s, d in product((1, 2, 3, 4), (1, 2, 3, 4), (1, 2)):
        for p in range(k // 2 + 1):
            layer = MaxPool(kernel_size=k, stride=s, padding=p, dilation=d, ceil_mode=True)
            starts = laid(n, k, s, p, d)
            if list(layer.check(((1, n),))):
                assert starts == []
            else:
                assert layer.output(((1, n),)) == (1, len(starts))
                tried += 1
    assert tried > 20


@pytest.mark.parametrize("kind", [MaxPool, AvgPool])
@pytest.mark.parametrize(("padding", "kernel", "most"), [(2, 3, 1), (3, 4, 2), (1, 1, 0)])
def test_padding_is_at_most_half_the_kernel(refusal, kind, padding, kernel, most):
    finding = refusal(kind(kernel_size=kernel, padding=padding), (3, 32, 32))
    assert finding.code is catalogue.PADDING_TOO_WIDE
    assert finding.field == "padding"
    assert f"`padding` {padding} of" in finding.message
    assert finding.message.endswith(f"more than half its kernel size {kernel}")
    assert finding.help.endswith(f"use at most {most}")


def test_padding_is_checked_on_every_side_and_axis(refusal):
    assert refusal(MaxPool(kernel_size=4, padding=(2, (0, 3))), (3, 9, 9)).field == "padding"
    assert refusal(MaxPool(kernel_size=(4, 2), padding=2), (3, 9, 9)).field == "padding"


def test_dilation_does_not_allow_for_more_padding(refusal):
    # As in PyTorch: a kernel of 3, 4 apart, spreads over 9 positions, and 1 is still the limit.
    finding = refusal(MaxPool(kernel_size=3, dilation=4, padding=2), (3, 32, 32))
    assert finding.code is catalogue.PADDING_TOO_WIDE


def test_the_last_window_of_ceil_mode_must_be_known(refusal):
    finding = refusal(MaxPool(kernel_size=n, stride=m, ceil_mode=True), (3, 32, 32))
    assert finding.code is catalogue.UNDECIDABLE
    assert finding.field == "ceil_mode"
    assert finding.message == "where the last window of `{name}` starts depends on m, n"


def test_ceil_mode_takes_inputs_of_any_size(run_layer):
    # The last of ⌈(H − 3)/2⌉ + 1 windows starts inside: ⌊(H − 3 + 1)/2⌋ + 1 = ⌊H/2⌋
    assert run_layer(MaxPool(kernel_size=3, stride=2, ceil_mode=True), (8, H)).output == (8, H // 2)


def test_padding_that_free_symbols_leave_open_passes(run_layer):
    assert run_layer(MaxPool(kernel_size=3, stride=1, padding=n), (1, 9)).output == (1, 7 + 2 * n)


# -- adaptive pooling -----------------------------------------------------------------------------


def adaptive_windows(n, m):
    """Where the windows of PyTorch begin and end: ⌊j·n/m⌋ and ⌈(j + 1)·n/m⌉."""
    return [(j * n // m, -(-(j + 1) * n // m)) for j in range(m)]


SIZES = list(product(range(1, 13), repeat=2))


@pytest.mark.parametrize(("n", "m"), SIZES)
def test_adaptive_max_pool_compares_where_the_mean_adds(run_layer, n, m):
    held = [end - start for start, end in adaptive_windows(n, m)]
    found = run_layer(AdaptiveMaxPool(output_size=m), (3, n))
    assert found.output == (3, m)
    assert found.operations == Operations(comparisons=3 * sum(count - 1 for count in held))
    assert found.windows == run_layer(AdaptiveAvgPool(output_size=m), (3, n)).windows
    assert (found.weights, found.buffers) == ({}, {})


def test_adaptive_max_pool_written_out(run_layer):
    # 36 windows of 9, as in AlexNet below: 256 · 36 · 8 = 73,728 comparisons
    found = run_layer(AdaptiveMaxPool(output_size=6), (256, 13, 13))
    assert found.operations == Operations(comparisons=73_728)
    # 8 rows · 5 of 6: null keeps an axis
    found = run_layer(AdaptiveMaxPool(output_size=(None, 1)), (8, 5, 6))
    assert found.output == (8, 5, 1)
    assert found.operations == Operations(comparisons=200)


@pytest.mark.parametrize(("n", "m"), SIZES)
def test_adaptive_windows_on_one_axis(run_layer, n, m):
    windows = adaptive_windows(n, m)
    found = run_layer(AdaptiveAvgPool(output_size=m), (3, n))
    assert found.output == (3, m)
    adds = 3 * sum(end - start - 1 for start, end in windows)
    assert found.operations == Operations(adds=adds, divides=3 * m)
    [window] = found.windows
    assert window.start == 0
    assert window.size == max(end - start for start, end in windows)
    steps = [after - before for (before, _), (after, _) in pairwise(windows)]
    assert window.stride >= max(steps, default=0)
    if n % m == 0:
        assert window == Window(n // m, n // m, 0)
        assert [(j * window.stride, j * window.stride + window.size) for j in range(m)] == windows


def test_adaptive_windows_on_several_axes(run_layer):
    for shape, wanted in [((5, 7), (3, 2)), ((6, 4, 9), (4, 4, 2)), ((2, 3), (5, 4))]:
        elements = [
            prod(end - start for start, end in window)
            for window in product(*map(adaptive_windows, shape, wanted))
        ]
        found = run_layer(AdaptiveAvgPool(output_size=wanted), (2, *shape))
        assert found.output == (2, *wanted)
        assert found.operations == Operations(
            adds=2 * sum(count - 1 for count in elements), divides=2 * len(elements)
        )


def test_adaptive_pooling_as_in_alexnet(run_layer):
    # Each of 256 channels of 13×13 to 6×6: windows on an axis start at 0 2 4 6 8 10 and end at
    # 3 5 7 9 11 13, so all 6 hold 3: 36 windows of 9. 256 · 36 · 8 = 73,728 adds.
    found = run_layer(AdaptiveAvgPool(output_size=6), (256, 13, 13))
    assert found.output == (256, 6, 6)
    assert found.operations == Operations(adds=73_728, divides=9_216)
    assert found.windows == (Window(3, 3, 0), Window(3, 3, 0))


def test_null_keeps_the_size_of_an_axis(run_layer):
    found = run_layer(AdaptiveAvgPool(output_size=(None, 1)), (8, 5, 6))
    assert found.output == (8, 5, 1)
    assert found.operations == Operations(adds=200, divides=40)  # 8 · 5 rows of 6: 5 adds each
    assert found.windows == (Window(1, 1, 0), Window(6, 6, 0))
    assert run_layer(AdaptiveAvgPool(output_size=None), (8, 5, 6)).output == (8, 5, 6)


def test_null_keeps_a_free_size(run_layer):
    found = run_layer(AdaptiveAvgPool(output_size=(None, 1)), (8, H, W))
    assert found.output == (8, H, 1)
    assert found.operations == Operations(adds=8 * H * W - 8 * H, divides=8 * H)
    assert found.windows == (Window(1, 1, 0), Window(W, W, 0))


def test_an_output_size_that_divides_a_free_size_is_understood(run_layer):
    found = run_layer(AdaptiveAvgPool(output_size=m), (8, 4 * m))
    assert found.operations == Operations(adds=8 * 3 * m, divides=8 * m)
    assert found.windows == (Window(4, 4, 0),)


@pytest.mark.parametrize("size", [7, H])
def test_how_windows_of_a_free_number_overlap_is_not_known(refusal, size):
    finding = refusal(AdaptiveAvgPool(output_size=m), (8, size))
    assert finding.code is catalogue.UNDECIDABLE
    assert finding.field == "output_size"
    assert finding.message == "how the windows of `{name}` overlap depends on m"


@pytest.mark.parametrize(("a", "b"), [(12, 18), (7, 3), (5, 5), (1, 9)])
def test_the_common_divisor_of_numbers_that_show_their_origin(a, b):
    expected = {(12, 18): 6, (7, 3): 1, (5, 5): 5, (1, 9): 1}[a, b]
    shown = common_divisor(Shown(a, "n"), Shown(b, "m"))
    assert (shown.value, shown.formula) == (expected, "gcd(n, m)")
    assert common_divisor(a, Shown(b, "m")).formula == f"gcd({a}, m)"
    assert common_divisor(Shown(a, "n"), b).value == expected


@pytest.mark.parametrize("kind", [AdaptiveAvgPool, AdaptiveMaxPool])
@pytest.mark.parametrize("sizes", [(3, 3, 3), (3,)])
def test_an_output_size_is_needed_for_each_axis(refusal, kind, sizes):
    finding = refusal(kind(output_size=sizes), (3, 8, 8))
    assert finding.code is catalogue.WRONG_RANK
    assert finding.field == "output_size"
    assert finding.message == (
        f"`output_size` has {len(sizes)} values, but the input 3×8×8 has 2 spatial axes"
    )


def test_a_single_axis_is_spoken_of_as_one(refusal):
    finding = refusal(AdaptiveAvgPool(output_size=(3, 3)), (3, 8))
    assert finding.message.endswith("but the input 3×8 has 1 spatial axis")


# -- global pooling -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "output", "operations"),
    [
        # 512 · (49 − 1) = 24,576
        ((512, 7, 7), (512, 1, 1), Operations(adds=24_576, divides=512)),
        ((4, 10), (4, 1), Operations(adds=36, divides=4)),
        # 2 · (3 · 4 · 5 − 1) = 118
        ((2, 3, 4, 5), (2, 1, 1, 1), Operations(adds=118, divides=2)),
        ((9, 1, 1), (9, 1, 1), Operations(adds=0, divides=9)),
    ],
)
def test_global_pooling_averages_each_channel(run_layer, shape, output, operations):
    found = run_layer(GlobalAvgPool(), shape)
    assert found.output == output
    assert found.operations == operations
    assert found.windows is None  # all of the input


@pytest.mark.parametrize(
    ("shape", "output", "comparisons"),
    [
        ((512, 7, 7), (512, 1, 1), 24_576),  # 512 · (49 − 1)
        ((4, 10), (4, 1), 36),
        ((2, 3, 4, 5), (2, 1, 1, 1), 118),  # 2 · (3 · 4 · 5 − 1)
        ((9, 1, 1), (9, 1, 1), 0),
    ],
)
def test_global_max_pool_compares_all_of_a_channel_but_the_first(
    run_layer, shape, output, comparisons
):
    found = run_layer(GlobalMaxPool(), shape)
    assert found.output == output
    assert found.operations == Operations(comparisons=comparisons)
    assert (found.weights, found.buffers, found.windows) == ({}, {}, None)


@pytest.mark.parametrize(
    ("whole_pool", "adaptive_pool"),
    [(GlobalAvgPool, AdaptiveAvgPool), (GlobalMaxPool, AdaptiveMaxPool)],
)
def test_global_pooling_is_adaptive_pooling_to_one(run_layer, whole_pool, adaptive_pool):
    adaptive, whole = (
        run_layer(adaptive_pool(output_size=1), (3, 5, 6)),
        run_layer(whole_pool(), (3, 5, 6)),
    )
    assert adaptive.operations == whole.operations
    assert adaptive.output == whole.output
    assert adaptive.windows == (Window(5, 5, 0), Window(6, 6, 0))


# -- all ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "layer",
    [
        MaxPool(kernel_size=1),
        AvgPool(kernel_size=1),
        AdaptiveAvgPool(output_size=1),
        AdaptiveMaxPool(output_size=1),
        GlobalAvgPool(),
        GlobalMaxPool(),
    ],
)
@pytest.mark.parametrize("shape", [(8,), (8, 2, 2, 2, 2)])
def test_pooling_needs_a_feature_map(refusal, layer, shape):
    finding = refusal(layer, shape)
    assert finding.code is catalogue.WRONG_RANK
    assert finding.field is None
    assert finding.message.startswith(f"`{layer.kind}` needs a feature map of channels and 1 to 3")


def test_pooling_takes_memory_of_its_own():
    kinds = (MaxPool, AvgPool, AdaptiveAvgPool, AdaptiveMaxPool, GlobalAvgPool, GlobalMaxPool)
    for kind in kinds:
        assert kind.memory is Memory.ALLOCATES


@pytest.mark.parametrize(
    ("layer", "elements"),
    [
        (MaxPool(kernel_size=3, stride=2), 48),  # 4 · 4 · 3 positions of maxima
        (AdaptiveMaxPool(output_size=(3, 2)), 24),
        (GlobalMaxPool(), 4),
    ],
)
def test_a_maximum_keeps_its_input_and_where_it_stands(layer, elements):
    shape = (4, 9, 8)
    assert layer.kept_for_backward((shape,), layer.output((shape,))) == Kept(
        inputs=True, tensors=(KeptTensor("indices", elements, bits=64),)
    )


@pytest.mark.parametrize(
    ("layer", "inputs"),
    [
        (AvgPool(kernel_size=3), True),
        (AdaptiveAvgPool(output_size=(3, 1)), True),
        (AdaptiveAvgPool(output_size=1), False),
        (GlobalAvgPool(), False),
    ],
)
def test_a_mean_keeps_its_input_unless_it_is_of_everything(layer, inputs):
    shape = (4, 9, 8)
    assert layer.kept_for_backward((shape,), layer.output((shape,))) == Kept(inputs=inputs)
