"""The arithmetic of sliding windows, against windows that are laid one by one."""

from fractions import Fraction
from itertools import product

import pytest

from convcalc.algebra import Shown, symbol
from convcalc.errors import catalogue
from convcalc.layers.convolution import Conv
from convcalc.layers.declaration import Window
from convcalc.layers.pooling import AvgPool, MaxPool
from convcalc.layers.window import (
    Axis,
    ceil_output_size,
    effective_kernel,
    output_size,
    per_axis,
    plain,
)

AXES = [
    Axis(k, s, before, after, d, same=False)
    for k, s, before, after, d in product(
        (1, 2, 3, 4), (1, 2, 3, 5), (0, 1, 2), (0, 1, 2), (1, 2, 3)
    )
]


def taps(j, axis):
    """The input positions that output position j multiplies with kernel elements, one by one."""
    return [j * axis.stride - axis.before + n * axis.dilation for n in range(axis.kernel)]


def windows_that_fit(i, axis):
    """Windows laid from the start of the padding until one sticks out of the end of the padding."""
    count = 0
    while taps(count, axis)[-1] < i + axis.after:
        count += 1
    return count


def windows_that_hang_over(i, axis):
    """As above, but the last may stick out, if it starts in the input or the padding before it.

    A window is laid as long as the one a step before it does not reach the end of the padding.
    """
    count = 0
    while (
        taps(count, axis)[-1] - axis.stride < i + axis.after - 1
        and count * axis.stride - axis.before < i
    ):
        count += 1
    return count


@pytest.mark.parametrize(
    ("k", "d", "spread"),
    [(1, 1, 1), (1, 7, 1), (3, 1, 3), (3, 2, 5), (2, 4, 5), (5, 3, 13)],
)
def test_a_dilated_kernel_spreads_over_the_gaps(k, d, spread):
    # From the first element over k − 1 gaps of d to the last: 3 elements, 2 apart: x.x.x, 5.
    assert effective_kernel(k, d) == spread


@pytest.mark.parametrize("i", range(1, 14))
def test_the_output_size_is_the_number_of_windows_that_fit(i):
    for axis in AXES:
        # Where none fits the formula may fall below 0.
        assert max(0, output_size(i, axis)) == windows_that_fit(i, axis), axis


@pytest.mark.parametrize("i", range(1, 8))
@pytest.mark.parametrize("n", [2, 3, 5])
def test_with_a_stride_of_a_fraction_windows_move_over_an_input_laid_out_apart(i, n):
    spread = n * (i - 1) + 1  # each position but the last with n − 1 zeros behind it
    for axis in AXES:
        if axis.stride == 1:
            fit = windows_that_fit(spread, axis)
            assert max(0, output_size(i, axis._replace(spread=n))) == fit, axis


@pytest.mark.parametrize("i", range(2, 8))
@pytest.mark.parametrize(("k", "n", "d"), [(3, 2, 1), (4, 2, 1), (5, 3, 1), (2, 3, 1), (3, 2, 2)])
def test_same_pads_a_spread_input_half_before_and_half_after(i, k, n, d):
    fields = {"kernel_size": k, "stride": Fraction(1, n), "dilation": d, "padding": "same"}
    layer = Conv(out_channels=1, **fields)
    assert layer.output(((1, i),)) == (1, n * i)
    [window] = layer.windows(((1, i),))
    spread = n * (i - 1) + 1
    last = n * i - 1 + window.start + d * (k - 1)
    before, after = -window.start, last - (spread - 1)
    assert before + after == n * i + d * (k - 1) - spread
    assert before in (after, after - 1)


@pytest.mark.parametrize("i", range(1, 14))
def test_in_ceil_mode_a_last_window_may_hang_over_the_end(i):
    for axis in AXES:
        if max(axis.before, axis.after) <= axis.kernel // 2:
            assert max(0, ceil_output_size(i, axis)) == windows_that_hang_over(i, axis), axis


def test_in_ceil_mode_no_window_starts_behind_the_input():
    # Windows of 1 in steps of 3 over 5 positions start at 0 and 3; the next would start at 6.
    assert ceil_output_size(5, Axis(1, 3, 0, 0, 1, same=False)) == 2
    # Windows of 2 with 1 of padding, steps of 2, over 4: at −1, 1, 3; 5 is past the input.
    assert ceil_output_size(4, Axis(2, 2, 1, 1, 1, same=False)) == 3
    # PyTorch's documentation of ceil_mode: 3 in steps of 2 over 6 starts at 0, 2, 4.
    assert ceil_output_size(6, Axis(3, 2, 0, 0, 1, same=False)) == 3


@pytest.mark.parametrize("round_size", [output_size, ceil_output_size])
@pytest.mark.parametrize(
    ("i", "s", "size"),
    [(7, 1, 7), (7, 2, 4), (8, 2, 4), (9, 2, 5), (7, 3, 3), (9, 3, 3), (2, 5, 1), (1, 1, 1)],
)
def test_same_gives_the_input_size_divided_by_the_stride_and_rounded_up(round_size, i, s, size):
    for k, d in product((1, 2, 3, 7), (1, 2)):
        assert round_size(i, Axis(k, s, 0, 0, d, same=True)) == size


@pytest.mark.parametrize("i", range(1, 12))
def test_same_pads_what_the_windows_need_half_before_and_half_after(i):
    for k, s, d in product((1, 2, 3, 4, 5), (1, 2, 3, 4), (1, 2)):
        layer = Conv(out_channels=1, kernel_size=k, stride=s, dilation=d, padding="same")
        [window] = layer.windows(((1, i),))
        count = layer.output(((1, i),))[1]
        before = -window.start
        last = (count - 1) * window.stride + window.start + window.size - 1
        after = max(0, last - (i - 1))
        assert (window.size, window.stride) == (d * (k - 1) + 1, s)
        assert before in (after, max(0, after - 1))  # as much after, or one more
        if after:
            assert last == i - 1 + after  # no more is padded than the last window needs


@pytest.mark.parametrize(
    ("i", "k", "s", "start"),
    [
        (7, 3, 2, -1),  # 4 windows span 3·2 + 3 = 9: 2 more than 7, 1 before and 1 after
        (8, 3, 2, 0),  # 4 windows span 9: 1 more than 8, after
        (5, 4, 1, -1),  # 5 windows span 4 + 4 = 8: 3 more than 5, 1 before and 2 after
        (6, 1, 3, 0),  # 2 windows span 3 + 1 = 4, fewer than 6: nothing is padded
        (224, 7, 2, -2),  # 112 windows span 111·2 + 7 = 229: 5 more, 2 before and 3 after
    ],
)
def test_same_starts_where_tensorflow_starts(i, k, s, start):
    layer = Conv(out_channels=1, kernel_size=k, stride=s, padding="same")
    assert layer.windows(((1, i),)) == (Window(k, s, start),)


def test_pooling_pads_as_convolution_does(run_layer):
    pool = run_layer(MaxPool(kernel_size=3, stride=2, padding="same"), (4, 7, 8))
    assert pool.output == (4, 4, 4)
    assert pool.windows == (Window(3, 2, -1), Window(3, 2, 0))


def test_valid_pads_nothing(run_layer):
    layer = Conv(out_channels=1, kernel_size=(3, 2), stride=2, padding="valid")
    assert run_layer(layer, (1, 8, 8)).output == (1, 3, 4)  # (8 − 3)//2 + 1, (8 − 2)//2 + 1
    assert run_layer(layer, (1, 8, 8)).windows == (Window(3, 2, 0), Window(2, 2, 0))


def test_each_axis_has_its_own_window(run_layer):
    layer = Conv(
        out_channels=1,
        kernel_size=(1, 3, 5),
        stride=(1, 2, 3),
        padding=(0, (2, 0), 4),
        dilation=(1, 2, 1),
    )
    found = run_layer(layer, (1, 6, 9, 11))
    # 6 − 1 + 1 = 6; (9 + 2 − 5)//2 + 1 = 4; (11 + 8 − 5)//3 + 1 = 5
    assert found.output == (1, 6, 4, 5)
    assert found.windows == (Window(1, 1, 0), Window(5, 2, -2), Window(5, 3, -4))


def test_one_value_stands_for_all_axes():
    assert per_axis(3, 2) == (3, 3)
    assert per_axis((3, 5), 2) == (3, 5)


def test_plain_leaves_the_derivation_away():
    assert plain(5) == 5
    assert plain(Shown(5, "k")) == 5
    assert plain(symbol("H")) == symbol("H")


# -- misuse ---------------------------------------------------------------------------------------


def test_a_window_that_does_not_fit_is_shown_with_its_arithmetic(refusal):
    finding = refusal(MaxPool(kernel_size=7), (3, 5, 5))
    assert finding.code is catalogue.NO_OUTPUT
    assert finding.field == "kernel_size"
    assert finding.message == "`{name}` has no output: its input is 5×5"
    [note] = finding.notes
    assert note.startswith("out = ⌊(i + 2·p − d·(k − 1) − 1)/s⌋ + 1 = ")
    assert note.endswith("⌊(5 + 2·0 − 1·(7 − 1) − 1)/7⌋ + 1 = 0")


def test_a_window_that_does_not_fit_is_shown_with_both_paddings_where_they_differ(refusal):
    layer = Conv(out_channels=1, kernel_size=4, dilation=3, padding=(((3, 1)), 9))
    finding = refusal(layer, (3, 5, 5))
    [note] = finding.notes
    assert "(i + (p_before + p_after) − d·(k − 1) − 1)/s" in note
    assert note.endswith("⌊(5 + (3 + 1) − 3·(4 − 1) − 1)/1⌋ + 1 = 0")


def test_a_window_that_does_not_fit_in_ceil_mode_is_shown_with_that_arithmetic(refusal):
    # ⌈(5 − 8)/2⌉ + 1 = −1 + 1 = 0
    finding = refusal(AvgPool(kernel_size=8, stride=2, ceil_mode=True), (3, 5, 5))
    assert finding.code is catalogue.NO_OUTPUT
    assert finding.notes[0].endswith(" = 0")


def test_only_the_first_axis_that_does_not_fit_is_shown(refusal):
    finding = refusal(Conv(out_channels=1, kernel_size=(3, 9)), (3, 2, 2))
    assert finding.notes[0].endswith("⌊(2 + 2·0 − 1·(3 − 1) − 1)/1⌋ + 1 = 0")


@pytest.mark.parametrize("shape", [(3,), (3, 4, 4, 4, 4)])
def test_a_window_needs_one_to_three_spatial_axes(refusal, shape):
    finding = refusal(MaxPool(kernel_size=1), shape)
    assert finding.code is catalogue.WRONG_RANK
    assert finding.field is None
    assert finding.message == (
        "`max_pool` needs a feature map of channels and 1 to 3 spatial axes, "
        f"but its input is {'×'.join(map(str, shape))}"
    )


@pytest.mark.parametrize(
    ("shape", "field", "values", "message"),
    [
        ((3, 9), "kernel_size", (1, 1), "has 2 values, but the input 3×9 has 1 spatial axis"),
        ((3, 9, 9), "stride", (1, 1, 1), "has 3 values, but the input 3×9×9 has 2 spatial axes"),
        ((3, 9, 9), "padding", (1,), "has 1 values, but the input 3×9×9 has 2 spatial axes"),
        ((3, 9, 9, 9), "dilation", (1, 1), "the input 3×9×9×9 has 3 spatial axes"),
    ],
)
def test_a_list_needs_a_value_for_each_axis(refusal, shape, field, values, message):
    fields = {"kernel_size": 1, field: values}
    finding = refusal(Conv(out_channels=1, **fields), shape)
    assert finding.code is catalogue.WRONG_RANK
    assert finding.field == field
    assert message in finding.message


def test_a_list_of_the_wrong_length_is_answered_with_the_names_of_the_axes(refusal):
    helps = [
        refusal(
            Conv(out_channels=1, kernel_size=1, stride=(1,) * (rank % 3 + 1)), (1,) + (9,) * rank
        ).help
        for rank in (1, 2, 3)
    ]
    assert helps == [
        "give one number, or one each for width",
        "give one number, or one each for height, width",
        "give one number, or one each for depth, height, width",
    ]


def test_every_list_of_a_wrong_length_is_found():
    layer = Conv(out_channels=1, kernel_size=(1, 1, 1), stride=(1,), padding=(0, 0))
    assert [f.field for f in layer.check(((3, 9, 9),))] == ["kernel_size", "stride"]


# -- free symbols ---------------------------------------------------------------------------------


def test_a_size_that_may_be_large_enough_passes():
    assert list(Conv(out_channels=1, kernel_size=7).check(((3, symbol("H"), symbol("W")),))) == []


def test_a_size_that_is_too_small_whatever_the_symbols_are_is_found():
    k = symbol("k")
    [finding] = Conv(out_channels=1, kernel_size=k + 9, padding=((0, 1),)).check(((3, 8),))
    assert finding.code is catalogue.NO_OUTPUT
    # 8 + 1 − (k + 9) + 1 = 1 − k, at most 0
    assert finding.notes[0].endswith(" = −k + 1")
