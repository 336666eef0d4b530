"""Activations: what an element costs, counted while their formulas run."""

from math import erf, exp, log, prod, sqrt, tanh

import pytest

from convcalc.algebra import symbol
from convcalc.errors import catalogue
from convcalc.layers import activation
from convcalc.layers.activation import (
    Activation,
    Elu,
    Gelu,
    Glu,
    HardSigmoid,
    HardSwish,
    LeakyRelu,
    Mish,
    Prelu,
    Relu,
    Relu6,
    Selu,
    Sigmoid,
    Silu,
    Softmax,
    Softplus,
    Tanh,
)
from convcalc.layers.declaration import ONE_INPUT, POINTWISE, Kept, Memory, Operations, Window


def elu(x, alpha=1.0):
    return x if x > 0 else alpha * (x.function(exp) - 1)


# Each activation with its formula and its value at −1, where the dearer branch is taken.
FORMULAS = [
    (Relu(), lambda x: x.at_least(0), 0),
    (Relu6(), lambda x: x.at_least(0).at_most(6), 0),
    (LeakyRelu(), lambda x: x if x > 0 else x * 0.01, -0.01),
    (Prelu(), lambda x: x if x > 0 else x * 0.25, -0.25),
    (Elu(), elu, -0.632_120_56),
    (Selu(), lambda x: 1.050_700_98 * elu(x, 1.673_263_24), -1.111_330_7),
    (Gelu(), lambda x: x * 0.5 * ((x * (1 / sqrt(2))).function(erf) + 1), -0.158_655_25),
    (Silu(), lambda x: x / ((-x).function(exp) + 1), -0.268_941_42),
    (Mish(), lambda x: x * (x.function(exp) + 1).function(log).function(tanh), -0.303_401_46),
    (Sigmoid(), lambda x: 1 / ((-x).function(exp) + 1), 0.268_941_42),
    (Tanh(), lambda x: x.function(tanh), -0.761_594_16),
    (Softplus(), lambda x: (x.function(exp) + 1).function(log), 0.313_261_69),
    (HardSigmoid(), lambda x: (x + 3).at_least(0).at_most(6) / 6, 1 / 3),
    (HardSwish(), lambda x: x * (x + 3).at_least(0).at_most(6) / 6, -1 / 3),
]


def named(layer):
    return layer.kind if isinstance(layer, Activation) else ""


@pytest.mark.parametrize(("layer", "formula", "at_minus_one"), FORMULAS, ids=named)
def test_an_element_costs_what_its_formula_does(run_layer, counts, layer, formula, at_minus_one):
    results = [formula(x) for x in counts.numbers(-1, -1, -1, -1, -1, -1)]
    assert [y.value for y in results] == pytest.approx([at_minus_one] * 6)
    assert run_layer(layer, (1, 2, 3)).operations == counts.operations


def test_every_activation_has_its_formula_here():
    declared = {
        kind
        for kind in vars(activation).values()
        if isinstance(kind, type) and issubclass(kind, Activation) and kind.kind
    }
    assert {type(layer) for layer, _, _ in FORMULAS} == declared


@pytest.mark.parametrize("layer", [layer for layer, _, _ in FORMULAS], ids=named)
@pytest.mark.parametrize("shape", [(7,), (2, 5), (3, 4, 4), (2, 3, 4, 5)])
def test_an_activation_keeps_the_shape_and_costs_as_much_for_every_element(run_layer, layer, shape):
    found = run_layer(layer, shape)
    assert found.output == shape
    assert found.buffers == {}
    assert found.operations == run_layer(layer, (1,)).operations.times(prod(shape))
    assert found.windows == (POINTWISE,) * (len(shape) - 1)
    assert layer.memory is Memory.IN_PLACE


def test_the_cost_of_relu_written_out(run_layer):
    # 64 · 112 · 112 = 802,816 comparisons
    assert run_layer(Relu(), (64, 112, 112)).operations == Operations(comparisons=802_816)


def test_the_cost_of_hard_swish_written_out(run_layer):
    # 16 · 10 · 10 = 1,600 elements: an add, two comparisons, a multiply and a divide each
    assert run_layer(HardSwish(), (16, 10, 10)).operations == Operations(
        adds=1_600, comparisons=3_200, multiplies=1_600, divides=1_600
    )


@pytest.mark.parametrize("layer", [layer for layer, _, _ in FORMULAS], ids=named)
def test_only_prelu_learns(run_layer, layer):
    assert run_layer(layer, (3, 4)).weights == ({"weight": (1,)} if layer.kind == "prelu" else {})


def test_prelu_learns_one_slope_or_one_a_channel(run_layer):
    assert run_layer(Prelu(), (64, 8, 8)).weights == {"weight": (1,)}
    assert run_layer(Prelu(num_parameters=64), (64, 8, 8)).weights == {"weight": (64,)}
    assert run_layer(Prelu(num_parameters=10), (10,)).weights == {"weight": (10,)}


def test_prelu_has_no_other_number_of_slopes(refusal):
    finding = refusal(Prelu(num_parameters=8), (64, 9, 9))
    assert finding.code is catalogue.INPUT_SIZE_MISMATCH
    assert finding.field == "num_parameters"
    assert finding.operands == (0,)
    assert finding.message == ("`num_parameters` is 8, but the input of `{name}` has 64 channels")


def test_slopes_for_a_free_number_of_channels_pass(run_layer):
    assert run_layer(Prelu(num_parameters=8), (symbol("C"), 9)).weights == {"weight": (8,)}


# -- softmax --------------------------------------------------------------------------------------


def softmax(row):
    """e^(x − max) / Σ e^(x − max), step by step."""
    largest = row[0]
    for x in row[1:]:
        largest = largest.at_least(x)
    powers = [(x - largest).function(exp) for x in row]
    total = powers[0]
    for power in powers[1:]:
        total = total + power
    return [power / total for power in powers]


@pytest.mark.parametrize(
    ("shape", "dim", "rows", "length"),
    [
        ((10,), 1, 1, 10),
        ((10,), -1, 1, 10),
        ((1,), 1, 1, 1),
        ((4, 5, 6), 1, 30, 4),  # 5 · 6 rows of 4
        ((4, 5, 6), 2, 24, 5),  # 4 · 6 rows of 5
        ((4, 5, 6), 3, 20, 6),
        ((4, 5, 6), -3, 30, 4),
    ],
)
def test_softmax_costs_what_its_rows_do(run_layer, counts, shape, dim, rows, length):
    for _ in range(rows):
        row = softmax(counts.numbers(*range(length)))
        assert sum(y.value for y in row) == pytest.approx(1)
    found = run_layer(Softmax(dim=dim), shape)
    assert found.operations == counts.operations
    assert found.output == shape
    assert (found.weights, found.buffers) == ({}, {})


def test_softmax_of_a_thousand_classes_written_out(run_layer):
    # 999 comparisons, 1,000 subtractions and 999 adds, 1,000 exponentials, 1,000 divides
    assert run_layer(Softmax(), (1000,)).operations == Operations(
        adds=1_999, divides=1_000, comparisons=999, exponentials=1_000
    )


@pytest.mark.parametrize(
    ("dim", "windows"),
    [
        (1, (POINTWISE, POINTWISE)),
        (2, (Window(5, 0, 0), POINTWISE)),
        (-1, (POINTWISE, Window(6, 0, 0))),
    ],
)
def test_softmax_sees_all_of_the_axis_that_it_sums(run_layer, dim, windows):
    assert run_layer(Softmax(dim=dim), (4, 5, 6)).windows == windows


def test_softmax_may_run_in_place():
    assert Softmax.memory is Memory.IN_PLACE


@pytest.mark.parametrize("dim", [0, 2, -2, 7])
def test_softmax_needs_a_dimension_that_is_there(refusal, dim):
    finding = refusal(Softmax(dim=dim), (10,))
    assert finding.code is catalogue.NO_SUCH_DIMENSION
    assert finding.field == "dim"
    assert finding.message == f"`dim` is {dim}, but the input is 10"
    assert finding.help == (
        "dimensions count as in PyTorch: 0 is the batch, 1 to 1 (or -1 to -1) are this input's"
    )


# -- glu ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "dim", "output"),
    [
        ((10,), 1, (5,)),
        ((10,), -1, (5,)),
        ((4, 5, 6), 1, (2, 5, 6)),
        ((4, 5, 6), -1, (4, 5, 3)),
        ((4, 6), 2, (4, 3)),
    ],
)
def test_glu_multiplies_one_half_by_the_sigmoid_of_the_other(run_layer, counts, shape, dim, output):
    for _ in range(prod(output)):
        value, gate = counts.numbers(-3, 2)
        # −3 / (1 + e⁻²) = −3 / 1.135,335
        assert (value * (1 / ((-gate).function(exp) + 1))).value == pytest.approx(-2.642_391)
    found = run_layer(Glu(dim=dim), shape)
    assert found.output == output
    assert found.operations == counts.operations
    assert (found.weights, found.buffers) == ({}, {})


def test_glu_written_out(run_layer):
    # 256 · 100 = 25,600 outputs
    assert run_layer(Glu(), (512, 100)).operations == Operations(
        adds=25_600, multiplies=25_600, divides=25_600, exponentials=25_600
    )


@pytest.mark.parametrize(
    ("dim", "windows"),
    [
        (1, (POINTWISE, POINTWISE)),
        (2, (Window(8, 0, 0), POINTWISE)),
        (-1, (POINTWISE, Window(6, 0, 0))),
    ],
)
def test_glu_sees_all_of_a_spatial_axis_that_it_halves(run_layer, dim, windows):
    assert run_layer(Glu(dim=dim), (4, 8, 6)).windows == windows


def test_glu_keeps_its_input_and_takes_memory_of_its_own():
    assert Glu().kept_for_backward(((4, 5),), (2, 5)) == Kept(inputs=True)
    assert Glu.memory is Memory.ALLOCATES
    assert Glu.takes == ONE_INPUT


def test_glu_halves_what_may_be_even(run_layer):
    c = symbol("C")
    assert run_layer(Glu(), (c, 8)).output == (c // 2, 8)


def test_glu_needs_an_even_dimension(refusal):
    finding = refusal(Glu(dim=-1), (4, 7))
    assert finding.code is catalogue.GROUPS_DO_NOT_DIVIDE
    assert finding.field == "dim"
    assert finding.operands == (0,)
    assert finding.message == "`glu` halves dimension -1 of its input, but 7 is odd"
    assert refusal(Glu(), (2 * symbol("C") + 1, 8)).message.endswith("but 2·C + 1 is odd")


def test_glu_needs_a_dimension_that_is_there(refusal):
    finding = refusal(Glu(dim=2), (10,))
    assert finding.code is catalogue.NO_SUCH_DIMENSION
    assert finding.message == "`dim` is 2, but the input is 10"


# -- what is kept ---------------------------------------------------------------------------------

# What PyTorch's derivatives are written in.
BY_OUTPUT = ("relu", "sigmoid", "tanh")


@pytest.mark.parametrize("layer", [layer for layer, _, _ in FORMULAS], ids=named)
def test_an_activation_keeps_its_input_or_its_output(layer):
    by_output = layer.kind in BY_OUTPUT
    kept = Kept(inputs=not by_output, output=by_output)
    assert layer.kept_for_backward(((4, 5),), (4, 5)) == kept


def test_softmax_keeps_its_output():
    assert Softmax().kept_for_backward(((4, 5),), (4, 5)) == Kept(output=True)
