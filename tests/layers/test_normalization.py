"""Normalization: weights, buffers, and operations counted while the formulas run."""

import pytest

from convcalc.errors import catalogue
from convcalc.layers.declaration import POINTWISE, Memory, Operations, Window
from convcalc.layers.normalization import BatchNorm, LocalResponseNorm


def test_batch_norm_costs_a_multiply_and_an_add_an_element(run_layer):
    found = run_layer(BatchNorm(), (64, 112, 112))
    assert found.output == (64, 112, 112)
    assert found.weights == {"weight": (64,), "bias": (64,)}
    assert found.buffers == {"running_mean": (64,), "running_var": (64,)}
    # 64 · 112 · 112 = 802,816
    assert found.operations == Operations(adds=802_816, multiplies=802_816)
    assert found.windows == (POINTWISE, POINTWISE)


def test_batch_norm_of_a_vector(run_layer):
    found = run_layer(BatchNorm(), (100,))
    assert found.weights == {"weight": (100,), "bias": (100,)}
    assert found.operations == Operations(adds=100, multiplies=100)
    assert found.windows == ()


def test_without_affine_nothing_is_learned(run_layer):
    found = run_layer(BatchNorm(affine=False), (64, 8))
    assert found.weights == {}
    assert found.buffers == {"running_mean": (64,), "running_var": (64,)}
    assert found.operations == Operations(adds=512, multiplies=512)


def test_without_running_statistics_nothing_is_kept(run_layer):
    found = run_layer(BatchNorm(track_running_stats=False), (64, 8, 4))
    assert found.weights == {"weight": (64,), "bias": (64,)}
    assert found.buffers == {}
    assert found.windows == (Window(8, 0, 0), Window(4, 0, 0))  # every position sees all


def normalized(channel, counts, *, affine):
    """One channel with the statistics of its own elements, step by step."""
    total = channel[0]
    for x in channel[1:]:
        total = total + x
    mean = total / len(channel)
    squares = [(difference := x - mean) * difference for x in channel]
    spread = squares[0]
    for square in squares[1:]:
        spread = spread + square
    root = (spread / len(channel) + 1e-5).function(lambda v: v**0.5)
    if affine:
        weight, bias = counts.numbers(1, 0)
        factor = weight / root
        summand = bias - mean * factor
    else:
        factor = 1 / root
        summand = -(mean * factor)
    return [x * factor + summand for x in channel]


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("shape", [(5, 3, 4), (2, 7), (3, 2, 2, 2)])
def test_statistics_of_the_input_cost_what_their_formulas_do(run_layer, counts, shape, affine):
    channels, *sizes = shape
    elements = 1
    for size in sizes:
        elements *= size
    for _ in range(channels):
        result = normalized(counts.numbers(*range(elements)), counts, affine=affine)
        assert sum(y.value for y in result) == pytest.approx(0, abs=1e-9)
    layer = BatchNorm(track_running_stats=False, affine=affine)
    assert run_layer(layer, shape).operations == counts.operations


def test_statistics_of_the_input_written_out(run_layer):
    # 10 elements in 2 channels of 5. Adds: the mean 2 · 4, the variance 10 + 2 · 4, ε 2, the
    # summand 2, and 10: 40. Multiplies: 10 squares, the summand 2, and 10: 22. Divides: mean,
    # variance and factor: 6. A root for each channel: 2.
    assert run_layer(BatchNorm(track_running_stats=False), (2, 5)).operations == Operations(
        adds=40, multiplies=22, divides=6, exponentials=2
    )


def test_numbers_that_do_not_matter_do_not_matter(run_layer):
    assert run_layer(BatchNorm(eps=1e-3, momentum=0.9), (8, 4)) == run_layer(BatchNorm(), (8, 4))


def test_batch_norm_may_run_in_place():
    assert BatchNorm.memory is Memory.IN_PLACE


def test_stated_features_must_be_the_channels(run_layer, refusal):
    assert run_layer(BatchNorm(num_features=8), (8, 4)).output == (8, 4)
    finding = refusal(BatchNorm(num_features=16), (8, 4))
    assert finding.code is catalogue.INPUT_SIZE_MISMATCH
    assert finding.field == "num_features"
    assert finding.operands == (0,)
    assert finding.message == "`num_features` is 16, but the input of `{name}` has 8 channels"


def response_normalized(squares, x, k=1.0, alpha=1e-4, beta=0.75):
    """An element, given the squares of the `size` channels around it, one of them its own."""
    total = squares[0]
    for square in squares[1:]:
        total = total + square
    power = (total / len(squares) * alpha + k).function(lambda v: v**beta)
    return x / power


@pytest.mark.parametrize("size", [1, 2, 5])
def test_local_response_norm_costs_what_its_formula_does(run_layer, counts, size):
    shape = (4, 3, 2)
    for _ in range(4 * 3 * 2):
        [x] = counts.numbers(2)
        # Each square is worked out once, and read by the neighbours: here they are there already.
        own = x * x
        others = counts.numbers(*[1] * (size - 1))
        response_normalized([own, *others], x)
    found = run_layer(LocalResponseNorm(size=size), shape)
    assert found.operations == counts.operations
    assert found.output == shape
    assert (found.weights, found.buffers) == ({}, {})
    assert found.windows == (POINTWISE, POINTWISE)  # neighbours are channels, not positions


def test_local_response_norm_as_in_alexnet(run_layer):
    # 96 · 55 · 55 = 290,400 elements: 2 multiplies, 5 adds, 2 divides and a power each
    assert run_layer(LocalResponseNorm(size=5), (96, 55, 55)).operations == Operations(
        adds=1_452_000, multiplies=580_800, divides=580_800, exponentials=290_400
    )


def test_local_response_norm_takes_memory_of_its_own():
    assert LocalResponseNorm.memory is Memory.ALLOCATES
