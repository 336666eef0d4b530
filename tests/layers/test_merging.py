"""Merges: what comes out, what it costs, and which shapes go together."""

from itertools import product
from math import prod

import pytest

from convcalc.algebra import symbol
from convcalc.algebra.conditions import taken_for_granted
from convcalc.errors import catalogue
from convcalc.layers.declaration import (
    POINTWISE,
    SEVERAL_INPUTS,
    Kept,
    KeptTensor,
    Memory,
    NumberOfInputs,
    Operations,
)
from convcalc.layers.merging import (
    Add,
    Concat,
    ElementwiseMerge,
    MatMul,
    Max,
    Mean,
    Mul,
    WeightedSum,
    broadcast_size,
)

C, H, W = symbol("C"), symbol("H"), symbol("W")


# -- add ------------------------------------------------------------------------------------------


def test_add_adds_once_for_each_further_input(run_layer):
    two = run_layer(Add(), (256, 56, 56), (256, 56, 56))
    assert two.output == (256, 56, 56)
    assert two.operations == Operations(adds=802_816)  # 256 · 56 · 56 = 802,816
    assert (two.weights, two.buffers) == ({}, {})
    assert two.windows == (POINTWISE, POINTWISE)
    four = run_layer(Add(), (10,), (10,), (10,), (10,))
    assert four.operations == Operations(adds=30)
    assert four.windows == ()


def test_add_stretches_only_if_it_is_told_to(run_layer, refusal):
    assert run_layer(Add(broadcast=True), (4, 5, 1), (1, 5, 6)).output == (4, 5, 6)
    assert run_layer(Add(broadcast=True), (4, 5, 1), (1, 5, 6)).operations == Operations(adds=120)
    assert refusal(Add(), (4, 5, 1), (1, 5, 6)).code is catalogue.SHAPES_DIFFER


def test_merges_and_their_memory():
    elementwise = (Add, Mul, Mean, WeightedSum, Max)
    assert all(kind.memory is Memory.IN_PLACE for kind in elementwise)
    assert Concat.memory is MatMul.memory is Memory.ALLOCATES
    assert all(kind.takes == SEVERAL_INPUTS for kind in (*elementwise, Concat))
    assert MatMul.takes == NumberOfInputs(2, 2)


@pytest.mark.parametrize(
    ("layer", "inputs"),
    [
        (Add(), False),
        (Mean(), False),
        (Concat(), False),
        (Mul(), True),
        (WeightedSum(), True),
        (Max(), True),
        (MatMul(), True),
    ],
)
def test_what_a_merge_keeps(layer, inputs):
    shapes = ((4, 4), (4, 4))
    assert layer.kept_for_backward(shapes, layer.output(shapes)) == Kept(inputs=inputs)


@pytest.mark.parametrize("kind", [Mul, Max])
def test_a_merge_of_more_than_two_keeps_what_the_first_come_to(kind):
    # Two are joined at a time: (1, 4) and (3, 1) to 3 · 4 = 12 elements, those and (3, 4) to 12.
    shapes = ((1, 4), (3, 1), (3, 4), (1, 1)) if kind is Mul else ((3, 4),) * 4
    layer = kind()
    assert layer.kept_for_backward(shapes, layer.output(shapes)) == Kept(
        inputs=True, tensors=(KeptTensor("of_2", 12), KeptTensor("of_3", 12))
    )
    two = shapes[1:3]
    assert layer.kept_for_backward(two, layer.output(two)) == Kept(inputs=True)


@pytest.mark.parametrize(
    ("layer", "learned", "inputs", "tensors"),
    [
        # The gradient of one factor is made of the other.
        (Mul(), (True, False), (False, True), ()),
        (Mul(), (False, True), (True, False), ()),
        (MatMul(), (True, False), (False, True), ()),
        (MatMul(), (False, True), (True, False), ()),
        # (a·b)·c·d: b for a, c for a·b, a·b·c for d.
        (Mul(), (True, False, False, True), (False, True, True, True), ("of_3",)),
        # a·b for c, d for a·b·c.
        (Mul(), (False, False, True, False), (False, False, False, True), ("of_2",)),
        # Which of two is larger both are needed for, from the first that a gradient goes to.
        (Max(), (False, True), (True, True), ()),
        (Max(), (False, False, True, False), (False, False, True, True), ("of_2", "of_3")),
        (Max(), (False, False, False, True), (False, False, False, True), ("of_3",)),
        (WeightedSum(), (False, True), (True, True), ()),
        (Concat(), (False, True), (False, False), ()),
    ],
)
def test_what_a_merge_keeps_of_inputs_before_some_of_which_nothing_is_learned(
    layer, learned, inputs, tensors
):
    shapes = ((4, 4),) * len(learned)
    kept = layer.kept_for_backward(shapes, layer.output(shapes))
    found, partial = layer.needed(kept, learned)
    assert found == inputs
    assert tuple(tensor.name for tensor in partial) == tensors


@pytest.mark.parametrize(
    ("other", "help_"),
    [
        ((32, 8, 8), "bring both to the same channels, for example with a 1×1 `conv`"),
        (
            (16, 4, 8),
            "bring both to the same size: check the stride and padding on the way to each",
        ),
        (
            (32, 4, 8),
            "bring both to the same channels, for example with a 1×1 `conv` and to the same size, "
            "with the same `stride` on the way to each",
        ),
        ((16, 64), "both need the same number of axes"),
    ],
)
def test_a_sum_of_different_shapes_is_refused(refusal, other, help_):
    finding = refusal(Add(), (16, 8, 8), other)
    assert finding.code is catalogue.SHAPES_DIFFER
    assert finding.field is None
    assert finding.operands == (0, 1)
    shape = "×".join(map(str, other))
    assert finding.message == f"`{{name}}` joins inputs of different shapes: 16×8×8 and {shape}"
    assert finding.help == help_


def test_each_input_at_fault_is_named():
    shapes = ((16, 8), (8, 8), (16, 8), (16, 4))
    found = list(Add().check(shapes))
    assert [finding.operands for finding in found] == [(0, 1), (1, 2), (0, 3)]


# -- mul ------------------------------------------------------------------------------------------


def broadcast(shapes):
    """The shape of a product of arrays and its multiplications, element by element.

    None if the arrays do not go together. Indices of axes of size 1 stand still.
    """
    sizes = []
    for axis in zip(*shapes, strict=True):
        wanted = {size for size in axis if size != 1}
        if len(wanted) > 1:
            return None
        sizes.append(max(axis))
    multiplications = 0
    for _ in product(*map(range, sizes)):
        multiplications += len(shapes) - 1
    return tuple(sizes), multiplications


PAIRS = list(product(product((1, 2, 3), (1, 4)), repeat=2))


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_mul_stretches_axes_of_size_one(run_layer, refusal, one, other):
    expected = broadcast((one, other))
    if expected is None:
        assert refusal(Mul(), one, other).code is catalogue.SHAPES_DIFFER
    else:
        found = run_layer(Mul(), one, other)
        assert (found.output, found.operations) == (
            expected[0],
            Operations(multiplies=expected[1]),
        )


@pytest.mark.parametrize("sizes", list(product((1, 2, 3), repeat=3)))
def test_mul_of_three_inputs_holds_each_against_each(run_layer, sizes):
    shapes = tuple((size, 2) for size in sizes)
    expected = broadcast(shapes)
    if expected is None:
        found = list(Mul().check(shapes))
        assert found
        for finding in found:
            assert {sizes[n] for n in finding.operands} == {2, 3}
    else:
        found = run_layer(Mul(), *shapes)
        assert (found.output, found.operations.multiplies) == expected


def test_a_gate_is_stretched_over_the_map(run_layer):
    for shapes in (((96, 14, 14), (96, 1, 1)), ((96, 1, 1), (96, 14, 14))):
        found = run_layer(Mul(), *shapes)
        assert found.output == (96, 14, 14)
        assert found.operations == Operations(multiplies=18_816)  # 96 · 196 = 18,816


def test_a_gate_is_stretched_over_a_map_of_free_size(run_layer):
    for shapes in (((C, H, W), (C, 1, 1)), ((C, 1, 1), (C, H, W))):
        found = run_layer(Mul(), *shapes)
        assert found.output == (C, H, W)
        assert found.operations == Operations(multiplies=C * H * W)


def test_a_free_size_yields_to_a_known_one():
    # The sizes go together if H is 1 or 7, and 7 comes out.
    assert broadcast_size((H, 7)) == 7
    assert broadcast_size((7, H)) == 7
    assert broadcast_size((1, 1)) == 1


def test_sizes_that_may_agree_pass(run_layer):
    assert run_layer(Mul(), (C, H), (C, W)).output == (C, H)
    assert run_layer(Add(), (C, 8), (16, 8)).output == (16, 8)


def test_sizes_that_differ_but_may_be_one_pass_if_they_are_stretched(run_layer, refusal):
    # H and H + 1 never agree, but an H of 1 would be stretched.
    assert run_layer(Mul(), (4, H), (4, H + 1)).output == (4, H + 1)
    assert refusal(Add(), (4, H), (4, H + 1)).code is catalogue.SHAPES_DIFFER
    assert refusal(Mul(), (4, H + 1), (4, H + 2)).code is catalogue.SHAPES_DIFFER


def test_mul_needs_the_same_number_of_axes(refusal):
    finding = refusal(Mul(), (96, 14, 14), (96,))
    assert finding.message == "`{name}` joins inputs of different shapes: 96×14×14 and 96"
    assert finding.help == "both need the same number of axes"


# -- mean, weighted sum and maximum ---------------------------------------------------------------


def merged(kind, values, counts):
    """One element of each input, joined step by step."""
    if kind is Max:
        largest = values[0]
        for value in values[1:]:
            largest = largest.at_least(value)
        return largest
    if kind is WeightedSum:
        factors = counts.numbers(*[0.5] * len(values))
        values = [value * factor for value, factor in zip(values, factors, strict=True)]
    total = values[0]
    for value in values[1:]:
        total = total + value
    return total / len(values) if kind is Mean else total


@pytest.mark.parametrize("inputs", [2, 3, 5])
@pytest.mark.parametrize(
    ("kind", "results"),
    [
        (Mean, {2: 1.5, 3: 2, 5: 3}),
        (WeightedSum, {2: 1.5, 3: 3, 5: 7.5}),
        (Max, {2: 2, 3: 3, 5: 5}),
    ],
)
def test_a_merge_costs_what_each_element_does(run_layer, counts, kind, results, inputs):
    for _ in range(3 * 4):
        element = merged(kind, counts.numbers(*range(1, inputs + 1)), counts)
        assert element.value == results[inputs]
    found = run_layer(kind(), *[(3, 4)] * inputs)
    assert found.operations == counts.operations
    assert found.output == (3, 4)
    assert found.weights == ({"weight": (inputs,)} if kind is WeightedSum else {})
    assert found.buffers == {}
    assert found.windows == (POINTWISE,)


def test_merges_written_out(run_layer):
    shapes = [(64, 8, 8)] * 3  # 4,096 elements
    assert run_layer(Mean(), *shapes).operations == Operations(adds=8_192, divides=4_096)
    assert run_layer(WeightedSum(), *shapes).operations == Operations(adds=8_192, multiplies=12_288)
    assert run_layer(Max(), *shapes).operations == Operations(comparisons=8_192)


def test_a_weighted_sum_multiplies_before_it_stretches(run_layer):
    # 4 · 5 and 1 · 6 elements are multiplied, 4 · 5 · 6 sums made.
    found = run_layer(WeightedSum(broadcast=True), (4, 5, 1), (1, 1, 6))
    assert found.output == (4, 5, 6)
    assert found.operations == Operations(adds=120, multiplies=26)


def test_a_mean_stretches_if_it_is_told_to(run_layer):
    found = run_layer(Mean(broadcast=True), (4, 5, 1), (4, 5, 6))
    assert found.output == (4, 5, 6)
    assert found.operations == Operations(adds=120, divides=120)


@pytest.mark.parametrize("kind", [Mean, WeightedSum, Max])
def test_other_merges_refuse_different_shapes_too(refusal, kind):
    finding = refusal(kind(), (16, 8, 8), (16, 8, 1))
    assert finding.code is catalogue.SHAPES_DIFFER
    assert finding.operands == (0, 1)
    assert finding.message == ("`{name}` joins inputs of different shapes: 16×8×8 and 16×8×1")


# -- matrix product -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shapes", "fields", "output"),
    [
        (((5, 7), (7, 3)), {}, (5, 3)),
        (((7, 5), (7, 3)), {"transpose_first": True}, (5, 3)),
        (((5, 7), (3, 7)), {"transpose_second": True}, (5, 3)),
        (((7, 5), (3, 7)), {"transpose_first": True, "transpose_second": True}, (5, 3)),
        (((2, 5, 7), (2, 7, 3)), {}, (2, 5, 3)),
        (((2, 3, 4, 5), (2, 3, 6, 5)), {"transpose_second": True}, (2, 3, 4, 6)),
        (((2, 3, 5, 4), (2, 3, 5, 6)), {"transpose_first": True}, (2, 3, 4, 6)),
    ],
)
def test_a_matrix_product_sums_over_the_axis_between(run_layer, shapes, fields, output):
    between = 5 if len(output) == 4 else 7
    multiplied = 0
    for _ in product(*map(range, output), range(between)):
        multiplied += 1
    found = run_layer(MatMul(**fields), *shapes)
    assert found.output == output
    assert found.operations == Operations(macs=multiplied)
    assert (found.weights, found.buffers, found.windows) == ({}, {}, None)


def test_the_gram_matrix_of_a_style_loss(run_layer):
    # Gatys et al. (2015): 64 channels of 224 · 224 = 50,176 positions; 64² · 50,176
    found = run_layer(MatMul(transpose_second=True), (64, 50_176), (64, 50_176))
    assert found.output == (64, 64)
    assert found.operations == Operations(macs=205_520_896)


@pytest.mark.parametrize(
    ("shapes", "fields", "factors", "notes"),
    [
        (
            ((5, 7), (5, 7)),
            {},
            "5×7 by 5×7",
            ("the product is over 7 of the first, 5 of the second",),
        ),
        (
            ((5, 7), (7, 4)),
            {"transpose_second": True},
            "5×7 by 4×7",
            ("the product is over 7 of the first, 4 of the second",),
        ),
        (((2, 5, 7), (3, 7, 4)), {}, "2×5×7 by 3×7×4", ()),
        (
            ((2, 3, 5, 7), (2, 3, 5, 7)),
            {},
            "2×3×5×7 by 2×3×5×7",
            ("the product is over 7 of the first, 5 of the second",),
        ),
    ],
)
def test_factors_must_fit(refusal, shapes, fields, factors, notes):
    finding = refusal(MatMul(**fields), *shapes)
    assert finding.code is catalogue.SHAPES_DIFFER
    assert finding.operands == (0, 1)
    assert finding.message == f"`{{name}}` cannot multiply {factors}"
    assert finding.notes == notes


@pytest.mark.parametrize("shapes", [((7,), (7,)), ((5, 7), (2, 7, 3)), ((2, 5, 7), (7, 3))])
def test_factors_have_as_many_axes(refusal, shapes):
    finding = refusal(MatMul(), *shapes)
    assert finding.code is catalogue.WRONG_RANK
    assert finding.operands == (0, 1)
    one, other = ("×".join(map(str, shape)) for shape in shapes)
    assert finding.message == (
        "`matmul` needs two inputs with equally many axes, 2 or more, but those of `{name}` are "
        f"{one} and {other}"
    )


def test_factors_that_may_fit_pass(run_layer):
    found = run_layer(MatMul(), (4, H), (W, 8))
    assert found.output == (4, 8)
    assert found.operations.macs == 32 * H


# -- concat ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shapes", "dim", "output"),
    [
        # GoogLeNet's inception 3a: 64 + 128 + 32 + 32 = 256
        ([(64, 28, 28), (128, 28, 28), (32, 28, 28), (32, 28, 28)], 1, (256, 28, 28)),
        ([(4, 5, 6), (4, 2, 6)], 2, (4, 7, 6)),
        ([(4, 5, 6), (4, 5, 1)], -1, (4, 5, 7)),
        ([(4, 5, 6), (9, 5, 6)], -3, (13, 5, 6)),
        ([(10,), (1,), (100,)], 1, (111,)),
        ([(C, H, W), (2 * C, H, W)], 1, (3 * C, H, W)),
    ],
)
def test_concat_adds_the_sizes_of_one_dimension(run_layer, shapes, dim, output):
    found = run_layer(Concat(dim=dim), *shapes)
    assert found.output == output
    assert found.operations == Operations()
    assert (found.weights, found.buffers) == ({}, {})
    assert found.windows == (POINTWISE,) * (len(output) - 1)


def test_concat_copies_every_element():
    shapes = ((3, 4, 5), (2, 4, 5))
    assert prod(Concat().output(shapes)) == sum(map(prod, shapes))


@pytest.mark.parametrize("other", [(32, 7, 8), (32, 8, 7), (32, 8), (32, 8, 8, 8)])
def test_concat_needs_all_other_sizes_to_agree(refusal, other):
    finding = refusal(Concat(), (64, 8, 8), (16, 8, 8), other)
    assert finding.code is catalogue.SHAPES_DIFFER
    assert finding.operands == (0, 2)
    shape = "×".join(map(str, other))
    assert finding.message == (
        f"`{{name}}` joins inputs that differ beside dimension 1: 64×8×8 and {shape}"
    )


def test_concat_of_sizes_that_may_agree_passes(run_layer):
    assert run_layer(Concat(), (C, H), (C, 8)).output == (2 * C, H)


@pytest.mark.parametrize("dim", [0, 3, -3])
def test_concat_needs_a_dimension_that_is_there(refusal, dim):
    finding = refusal(Concat(dim=dim), (4, 5), (4, 5))
    assert finding.code is catalogue.NO_SUCH_DIMENSION
    assert finding.field == "dim"
    assert finding.message == f"`dim` is {dim}, but the input is 4×5"


def test_what_elementwise_merges_share_must_be_filled_in():
    with pytest.raises(NotImplementedError):
        ElementwiseMerge().broadcasts()


def test_that_free_sizes_fit_is_noted():
    with taken_for_granted() as taken:
        assert broadcast_size((1, H, W)) == H
    [condition] = taken.values()
    sizes = [{"H": 3, "W": 3}, {"H": 3, "W": 1}, {"H": 3, "W": 2}, {"H": 1, "W": 2}]
    assert [condition.holds(each) for each in sizes] == [True, True, False, False]
