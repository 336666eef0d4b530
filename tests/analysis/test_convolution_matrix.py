"""Convolutions as matrices: counted, written out, and held against a kernel moved by hand."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import prod
from random import Random

import pytest

from convcalc.analysis.convolution_matrix import Sharing, _Taps, convolution_matrix
from convcalc.layers.convolution import Conv, ConvTranspose, DepthwiseConv


def matrix_of(layer, shape):
    assert list(layer.check((shape,))) == []
    return convolution_matrix(layer, (shape,), layer.output((shape,)))


def test_the_matrix_of_the_textbook():
    matrix = matrix_of(Conv(out_channels=1, kernel_size=3), (1, 4, 4))
    assert (matrix.rows, matrix.columns, matrix.non_zeros) == (4, 16, 36)
    # The kernel in the upper left corner: three weights in each of three rows of four.
    assert matrix.entries[0] == (
        *((0, 0), (0, 1), (0, 2), None),
        *((1, 0), (1, 1), (1, 2), None),
        *((2, 0), (2, 1), (2, 2), None),
        *(None, None, None, None),
    )
    # One row and one column further on: the whole row moves by 4 + 1 places.
    assert matrix.entries[3] == (*[None] * 5, *matrix.entries[0][:11])


def test_what_lies_in_the_padding_has_no_column():
    # Of 3 positions, with one more at each end, each sees its neighbours: 2 + 3 + 2 weights.
    matrix = matrix_of(Conv(out_channels=1, kernel_size=3, padding=1), (1, 3))
    assert matrix.entries == (
        ((1,), (2,), None),
        ((0,), (1,), (2,)),
        (None, (0,), (1,)),
    )
    assert matrix.non_zeros == 7


def test_a_transposed_convolution_has_the_transposed_matrix():
    fields = {"out_channels": 1, "kernel_size": (3, 2), "stride": (2, 1), "padding": (1, 0)}
    there = matrix_of(Conv(**fields), (1, 5, 4))  # 3×3
    back = matrix_of(ConvTranspose(**fields), (1, 3, 3))
    assert (back.rows, back.columns) == (there.columns, there.rows) == (20, 9)
    assert back.non_zeros == there.non_zeros
    assert back.entries is None  # of 20 rows
    small = matrix_of(Conv(out_channels=1, kernel_size=2, stride=3), (1, 5))
    turned = matrix_of(ConvTranspose(out_channels=1, kernel_size=2, stride=3), (1, 2))
    assert turned.entries == tuple(zip(*small.entries, strict=True))


def test_a_large_matrix_is_counted_and_not_written_out():
    matrix = matrix_of(Conv(out_channels=64, kernel_size=7, stride=2, padding=3), (3, 224, 224))
    assert (matrix.rows, matrix.columns) == (112 * 112, 224 * 224)
    assert matrix.entries is None
    # Windows of 7 begin at −3, −1, 1, …, 219: the first lacks 3 weights, the second 1, the last,
    # which reaches to 225 of 223, lacks 2.
    assert matrix.inside == (112 * 7 - 3 - 1 - 2,) * 2


def test_windows_that_lie_in_the_padding_alone_have_no_weights():
    # Padded by 5, windows of 2 begin at −5 and 1: the first sees nothing of three positions.
    matrix = matrix_of(Conv(out_channels=1, kernel_size=2, stride=6, padding=5), (1, 3))
    assert matrix.entries == ((None, None, None), (None, (0,), (1,)))


@pytest.mark.parametrize(("stride", "per"), [(1, 1), (2, 1), (5, 1), (1, 2), (1, 3)])
def test_taps_are_counted_as_they_lie(stride, per):
    sizes = (1, 2, 3, 7)
    for outputs, inputs, taps, step, start in product(
        sizes, sizes, sizes, (1, 2, 3), range(-12, 13, 3)
    ):
        expected = sum(
            (j * stride + start + t * step) % per == 0
            and 0 <= (j * stride + start + t * step) // per < inputs
            for j in range(outputs)
            for t in range(taps)
        )
        axis = _Taps(start, step, taps, stride, per, is_reversed=False)
        assert axis.inside(outputs, inputs) == expected


def test_a_kernel_of_millions_is_counted_in_no_time():
    # Padded by n, each of 2n + 1 weights lies, over 4 output positions, on all of 4 inputs but
    # those that are further from it than n: none. So every position meets every weight once.
    n = 10**15
    matrix = matrix_of(Conv(out_channels=1, kernel_size=2 * n + 1, padding=n), (1, 4))
    assert matrix.inside == (16,)
    # The weight in the middle lies on the position itself, the one after it on the next.
    assert matrix.entries[0] == ((n,), (n + 1,), (n + 2,), (n + 3,))
    # n windows of n weights, all inside
    wide = matrix_of(Conv(out_channels=1, kernel_size=n), (1, 2 * n - 1))
    assert wide.inside == (n * n,)


def test_without_sharing_each_row_has_a_kernel_of_its_own():
    fields = {"out_channels": 1, "kernel_size": 2}
    alone = matrix_of(Conv(**fields, weight_sharing="none"), (1, 3, 3))
    shared = matrix_of(Conv(**fields), (1, 3, 3))
    assert alone.sharing is Sharing.NONE
    assert shared.sharing is Sharing.SPATIAL
    assert alone.entries == shared.entries  # places in different kernels
    full = matrix_of(Conv(**fields, weight_sharing="full"), (1, 3, 3))
    assert full.sharing is Sharing.FULL


def moved_by_hand(layer, shape):
    """Which weight joins which output to which input: the input laid out with what is around it."""
    axes = []
    ranks = range(1, len(shape))
    kernels, strides = layer.kernels(len(ranks)), layer.strides(len(ranks))
    dilations, outputs = layer.dilations(len(ranks)), layer.output((shape,))[1:]
    for n, i, k, s, d, o in zip(
        range(len(ranks)), shape[1:], kernels, strides, dilations, outputs, strict=True
    ):
        before = layer.padding[n] if isinstance(layer.padding, tuple) else layer.padding
        spread = s.denominator if isinstance(s, Fraction) else 1
        step = 1 if isinstance(s, Fraction) else s
        # Positions in turn, None for padding and for the zeros between.
        laid = [None] * before
        for position in range(i):
            laid += [position, *[None] * (spread - 1)]
        laid += [None] * (before + spread)
        axes.append(
            {
                (j, laid[j * step + t * d]): t
                for j in range(o)
                for t in range(k)
                if laid[j * step + t * d] is not None
            }
        )
    return tuple(
        tuple(
            tuple(
                axis[pair] for axis, pair in zip(axes, zip(row, column, strict=True), strict=True)
            )
            if all(
                pair in axis for axis, pair in zip(axes, zip(row, column, strict=True), strict=True)
            )
            else None
            for column in product(*map(range, shape[1:]))
        )
        for row in product(*map(range, outputs))
    )


def test_random_matrices_are_what_a_kernel_moved_by_hand_makes():
    draw = Random(1603)  # noqa: S311 - no secret
    compared = written = 0
    while compared < 600:
        rank = draw.randint(1, 3)
        shape = (2, *(draw.randint(1, 6) for _ in range(rank)))
        strides = (1, 1, 2, 3, Fraction(1, 2), Fraction(1, 3))
        fields = {
            "kernel_size": tuple(draw.randint(1, 3) for _ in range(rank)),
            "stride": tuple(draw.choice(strides) for _ in range(rank)),
            "padding": tuple(draw.randint(0, 3) for _ in range(rank)),
            "dilation": tuple(draw.randint(1, 2) for _ in range(rank)),
        }
        kind = draw.choice((Conv, DepthwiseConv))
        layer = kind(**fields, **({"out_channels": 4, "groups": 2} if kind is Conv else {}))
        if list(layer.check((shape,))):
            continue
        matrix = matrix_of(layer, shape)
        expected = moved_by_hand(layer, shape)
        assert (matrix.rows, matrix.columns) == (len(expected), len(expected[0]))
        assert matrix.non_zeros == sum(entry is not None for row in expected for entry in row)
        assert matrix.entries in (None, expected)
        assert (matrix.entries is None) is (matrix.rows > 16 or matrix.columns > 36)
        written += matrix.entries is not None
        compared += 1
    assert written > 100


def test_the_padding_of_same_counts_as_any_other():
    # Of 5 positions 3 windows of 3 in steps of 2: padded by 1 at each end, as written out.
    same = matrix_of(Conv(out_channels=1, kernel_size=3, stride=2, padding="same"), (1, 5))
    given = matrix_of(Conv(out_channels=1, kernel_size=3, stride=2, padding=1), (1, 5))
    assert same == given
    assert prod(same.inside) == 7  # 2 + 3 + 2
