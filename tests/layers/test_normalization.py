"""Normalization: weights, buffers, and operations counted while the formulas run."""

from math import prod

import pytest

from convcalc.algebra import symbol
from convcalc.errors import catalogue
from convcalc.layers.declaration import (
    ONE_INPUT,
    POINTWISE,
    Kept,
    KeptTensor,
    Memory,
    Operations,
    Window,
)
from convcalc.layers.normalization import (
    BatchNorm,
    GroupNorm,
    InstanceNorm,
    LayerNorm,
    LocalResponseNorm,
    Scale,
)


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


def statistics(numbers):
    """The mean, the differences from it, and √(variance + ε), step by step."""
    total = numbers[0]
    for x in numbers[1:]:
        total = total + x
    mean = total / len(numbers)
    differences = [x - mean for x in numbers]
    squares = [difference * difference for difference in differences]
    spread = squares[0]
    for square in squares[1:]:
        spread = spread + square
    return mean, differences, (spread / len(numbers) + 1e-5).function(lambda v: v**0.5)


def normalized(channel, counts, *, affine):
    """One channel with the statistics of its own elements, step by step."""
    mean, _, root = statistics(channel)
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


# -- instance norm --------------------------------------------------------------------------------


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("shape", [(5, 3, 4), (2, 7), (3, 2, 2, 2)])
def test_instance_norm_costs_what_each_channel_does(run_layer, counts, shape, affine):
    for _ in range(shape[0]):
        result = normalized(counts.numbers(*range(prod(shape[1:]))), counts, affine=affine)
        assert sum(y.value for y in result) == pytest.approx(0, abs=1e-9)
    found = run_layer(InstanceNorm(affine=affine), shape)
    assert found.operations == counts.operations
    assert found.output == shape
    assert found.weights == ({"weight": (shape[0],), "bias": (shape[0],)} if affine else {})
    assert found.buffers == {}
    assert found.windows is None  # every position sees all


def test_instance_norm_learns_nothing_unless_it_is_told_to(run_layer):
    assert run_layer(InstanceNorm(), (64, 8, 8)).weights == {}
    # 10 elements in 2 channels of 5, as with the batch norm above, but without w and b: 2 adds less
    assert run_layer(InstanceNorm(), (2, 5)).operations == Operations(
        adds=38, multiplies=22, divides=6, exponentials=2
    )


def test_instance_norm_needs_positions(refusal):
    finding = refusal(InstanceNorm(), (64,))
    assert finding.code is catalogue.WRONG_RANK
    assert finding.message == (
        "`instance_norm` needs a feature map of channels and spatial axes, but the input of "
        "`{name}` is 64"
    )
    assert "`layer_norm` or `batch_norm`" in finding.help


@pytest.mark.parametrize("shape", [(64, 1), (64, 1, 1)])
def test_instance_norm_needs_more_than_one_position(refusal, run_layer, shape):
    finding = refusal(InstanceNorm(), shape)
    assert finding.code is catalogue.OUT_OF_RANGE
    assert finding.operands == (0,)
    assert run_layer(InstanceNorm(), (64, 1, 2)).output == (64, 1, 2)


# -- group norm -----------------------------------------------------------------------------------


def group_normalized(channels, counts, *, affine):
    """Channels of one group with its statistics, step by step."""
    mean, _, root = statistics([x for channel in channels for x in channel])
    inverse = 1 / root
    if not affine:
        summand = -(mean * inverse)
        return [x * inverse + summand for channel in channels for x in channel]
    result = []
    for channel in channels:
        weight, bias = counts.numbers(1, 0)
        factor = weight * inverse
        summand = bias - mean * factor
        result += [x * factor + summand for x in channel]
    return result


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("groups", [1, 2, 6])
@pytest.mark.parametrize("shape", [(6, 3, 4), (6, 7), (12,), (6, 2, 2, 2)])
def test_group_norm_costs_what_each_group_does(run_layer, counts, shape, groups, affine):
    positions = prod(shape[1:])
    for _ in range(groups):
        channels = [counts.numbers(*range(n, n + positions)) for n in range(shape[0] // groups)]
        result = group_normalized(channels, counts, affine=affine)
        assert sum(y.value for y in result) == pytest.approx(0, abs=1e-9)
    found = run_layer(GroupNorm(num_groups=groups, affine=affine), shape)
    assert found.operations == counts.operations
    assert found.output == shape
    assert found.weights == ({"weight": (shape[0],), "bias": (shape[0],)} if affine else {})
    assert found.buffers == {}
    assert found.windows == (None if len(shape) > 1 else ())


def test_group_norm_written_out(run_layer):
    # 24 elements in 4 channels and 2 groups of 12. Adds: the mean 2 · 11, the variance 24 + 2 · 11,
    # ε 2, a summand for each of 4 channels, and 24: 98. Multiplies: 24 squares, factor and summand
    # of 4 channels, and 24: 56. Divides: mean, variance and inverse of 2 groups: 6. 2 roots.
    assert run_layer(GroupNorm(num_groups=2), (4, 2, 3)).operations == Operations(
        adds=98, multiplies=56, divides=6, exponentials=2
    )


@pytest.mark.parametrize(("groups", "channels"), [(4, 6), (7, 6)])
def test_groups_must_divide_the_channels(refusal, groups, channels):
    finding = refusal(GroupNorm(num_groups=groups), (channels, 8))
    assert finding.code is catalogue.GROUPS_DO_NOT_DIVIDE
    assert finding.field == "num_groups"
    assert finding.operands == (0,)
    assert finding.message == (
        f"{groups} groups do not divide the {channels} channels of `{{name}}`"
    )


@pytest.mark.parametrize(
    ("layer", "field"),
    [
        (InstanceNorm(num_features=16), "num_features"),
        (GroupNorm(num_groups=4, num_channels=16), "num_channels"),
    ],
)
def test_stated_channels_must_be_those_of_the_input(refusal, run_layer, layer, field):
    assert run_layer(layer, (16, 4)).output == (16, 4)
    finding = refusal(layer, (8, 4))
    assert finding.code is catalogue.INPUT_SIZE_MISMATCH
    assert finding.field == field
    assert finding.message == f"`{field}` is 16, but the input of `{{name}}` has 8 channels"


# -- layer norm -----------------------------------------------------------------------------------


def layer_normalized(row, counts, *, affine, bias):
    """Elements that are normalized together, step by step."""
    _, differences, root = statistics(row)
    inverse = 1 / root
    result = [difference * inverse for difference in differences]
    if affine:
        result = [
            y * weight for y, weight in zip(result, counts.numbers(*[1] * len(row)), strict=True)
        ]
    if affine and bias:
        result = [
            y + shift for y, shift in zip(result, counts.numbers(*[0] * len(row)), strict=True)
        ]
    return result


ROWS = [
    # what is normalized: rows of how many elements, and the shape of the scale
    ((10,), {}, 1, (10,)),
    ((7, 4), {}, 7, (4,)),
    ((4, 5, 6), {"dim": 1}, 30, (4,)),
    ((4, 5, 6), {"dim": -3}, 30, (4,)),
    ((4, 5, 6), {"dim": 2}, 24, (5,)),
    ((4, 5, 6), {"dim": -1}, 20, (6,)),
    ((4, 5, 6), {"normalized_shape": (6,)}, 20, (6,)),
    ((4, 5, 6), {"normalized_shape": (5, 6)}, 4, (5, 6)),
    ((4, 5, 6), {"normalized_shape": (4, 5, 6)}, 1, (4, 5, 6)),
]


@pytest.mark.parametrize(("affine", "bias"), [(True, True), (True, False), (False, True)])
@pytest.mark.parametrize(("shape", "fields", "rows", "scale"), ROWS)
def test_layer_norm_costs_what_its_rows_do(
    run_layer, counts, shape, fields, rows, scale, affine, bias
):
    for _ in range(rows):
        row = counts.numbers(*range(prod(shape) // rows))
        result = layer_normalized(row, counts, affine=affine, bias=bias)
        assert sum(y.value for y in result) == pytest.approx(0, abs=1e-9)
    layer = LayerNorm(elementwise_affine=affine, bias=bias, **fields)
    found = run_layer(layer, shape)
    assert found.operations == counts.operations
    assert found.output == shape
    weights = {"weight": scale, "bias": scale} if bias else {"weight": scale}
    assert found.weights == (weights if affine else {})
    assert found.buffers == {}
    kept = layer.kept_for_backward((shape,), shape)
    assert kept == Kept(
        inputs=True, tensors=(KeptTensor("mean", rows), KeptTensor("inverse_deviation", rows))
    )


def test_layer_norm_as_in_vit_base(run_layer):
    # 197 tokens of 768: 151,296 elements. Adds: 3 · 151,296 − 2 · 197 for mean and variance, ε 197,
    # and the shift 151,296: 604,987. Multiplies: squares, inverse and scale, 3 · 151,296 = 453,888.
    # Divides: 3 · 197 = 591.
    assert run_layer(LayerNorm(), (197, 768)).operations == Operations(
        adds=604_987, multiplies=453_888, divides=591, exponentials=197
    )


@pytest.mark.parametrize(
    ("fields", "windows"),
    [
        ({"dim": 1}, (POINTWISE, POINTWISE)),
        ({"dim": 2}, (Window(5, 0, 0), POINTWISE)),
        ({"dim": -1}, (POINTWISE, Window(6, 0, 0))),
        ({"normalized_shape": (6,)}, (POINTWISE, Window(6, 0, 0))),
        ({"normalized_shape": (5, 6)}, (Window(5, 0, 0), Window(6, 0, 0))),
        ({"normalized_shape": (4, 5, 6)}, (Window(5, 0, 0), Window(6, 0, 0))),
    ],
)
def test_layer_norm_sees_all_of_what_it_normalizes(run_layer, fields, windows):
    assert run_layer(LayerNorm(**fields), (4, 5, 6)).windows == windows


def test_of_a_sequence_the_features_are_normalized_by_default(run_layer):
    found = run_layer(LayerNorm(), (7, 4))
    assert found == run_layer(LayerNorm(dim=-1), (7, 4))
    assert found.windows == (Window(4, 0, 0),)


@pytest.mark.parametrize("shape", [(4, 5, 6), (4, 5, 6, 7)])
def test_of_a_feature_map_it_must_be_said_what_is_normalized(refusal, shape):
    finding = refusal(LayerNorm(), shape)
    assert finding.code is catalogue.WRONG_RANK
    assert finding.message == (
        f"the input of `{{name}}` is the feature map {'×'.join(map(str, shape))}: which dimension "
        "is normalized must be said"
    )
    assert "`dim: 1` for the channels" in finding.help


@pytest.mark.parametrize("layer", [LayerNorm(dim=3), Scale(dim=3)])
def test_the_dimension_must_be_there(refusal, layer):
    finding = refusal(layer, (4, 5))
    assert finding.code is catalogue.NO_SUCH_DIMENSION
    assert finding.field == "dim"
    assert finding.message == "`dim` is 3, but the input is 4×5"


def test_layer_norm_has_a_dimension_or_a_shape(refusal):
    finding = refusal(LayerNorm(dim=1, normalized_shape=(5,)), (4, 5))
    assert finding.code is catalogue.CONFLICTING_KEYS
    assert finding.field == "dim"
    assert finding.message == "`layer_norm` has `dim` or `normalized_shape`, not both"


@pytest.mark.parametrize("given", [(5, 7), (4,), (2, 4, 5, 6), (4, 5)])
def test_the_normalized_shape_must_be_that_of_the_last_dimensions(refusal, given):
    finding = refusal(LayerNorm(normalized_shape=given), (4, 5, 6))
    assert finding.code is catalogue.INPUT_SIZE_MISMATCH
    assert finding.field == "normalized_shape"
    assert finding.operands == (0,)
    assert finding.message == (
        f"`normalized_shape` is {'×'.join(map(str, given))}, but the input of `{{name}}` is 4×5×6"
    )


def test_a_normalized_shape_that_free_symbols_leave_open_passes(run_layer):
    found = run_layer(LayerNorm(normalized_shape=(8,)), (5, symbol("C")))
    assert found.output == (5, symbol("C"))


# -- scale ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "fields", "scale"),
    [
        ((96, 56, 56), {}, (96,)),
        ((197, 768), {"dim": -1}, (768,)),
        ((10,), {}, (10,)),
        ((4, 5, 6), {"dim": 2}, (5,)),
    ],
)
def test_scale_multiplies_each_element_and_may_add(run_layer, shape, fields, scale):
    elements = {96: 301_056, 197: 151_296, 10: 10, 4: 120}[shape[0]]
    found = run_layer(Scale(**fields), shape)
    assert found.output == shape
    assert found.weights == {"weight": scale}
    assert found.operations == Operations(multiplies=elements)
    assert found.windows == (POINTWISE,) * (len(shape) - 1)
    biased = run_layer(Scale(bias=True, **fields), shape)
    assert biased.weights == {"weight": scale, "bias": scale}
    assert biased.operations == Operations(multiplies=elements, adds=elements)


# -- all ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layer", "tensors"),
    [
        # Of the batch's statistics there is one for each channel; of a sample's, one for each part.
        (
            BatchNorm(),
            (
                KeptTensor("mean", 8, per_batch=True),
                KeptTensor("inverse_deviation", 8, per_batch=True),
            ),
        ),
        (InstanceNorm(), (KeptTensor("mean", 8), KeptTensor("inverse_deviation", 8))),
        (
            InstanceNorm(affine=True),
            (KeptTensor("mean", 8), KeptTensor("inverse_deviation", 8), KeptTensor("scale", 8)),
        ),
        (GroupNorm(num_groups=2), (KeptTensor("mean", 2), KeptTensor("inverse_deviation", 2))),
        (Scale(), ()),
        (
            LocalResponseNorm(size=5),
            (
                KeptTensor("squares", 360),  # of 8 + 5 − 1 channels: 12 · 5 · 6
                KeptTensor("sum", 240),
                KeptTensor("power", 240),
            ),
        ),
    ],
)
def test_a_norm_keeps_its_input_and_statistics(layer, tensors):
    shape = (8, 5, 6)
    assert layer.kept_for_backward((shape,), shape) == Kept(inputs=True, tensors=tensors)


@pytest.mark.parametrize("kind", [InstanceNorm, GroupNorm, LayerNorm, Scale])
def test_a_norm_may_run_in_place(kind):
    assert kind.memory is Memory.IN_PLACE
    assert kind.takes == ONE_INPUT


def test_epsilon_does_not_matter(run_layer):
    for plain, other in (
        (InstanceNorm(), InstanceNorm(eps=1)),
        (GroupNorm(num_groups=2), GroupNorm(num_groups=2, eps=1)),
        (LayerNorm(), LayerNorm(eps=1)),
    ):
        assert run_layer(plain, (8, 4)) == run_layer(other, (8, 4))
