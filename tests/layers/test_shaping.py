"""Layers that compute nothing."""

import pytest

from convcalc.algebra import symbol
from convcalc.errors import catalogue
from convcalc.layers.declaration import POINTWISE, Memory, Operations
from convcalc.layers.shaping import Dropout, Flatten, Identity, Input


@pytest.mark.parametrize("layer", [Identity(), Dropout(), Dropout(p=1)])
@pytest.mark.parametrize("shape", [(10,), (3, 8), (3, 8, 9)])
def test_what_passes_its_input_on_costs_nothing(run_layer, layer, shape):
    found = run_layer(layer, shape)
    assert found.output == shape
    assert found.operations == Operations()
    assert (found.weights, found.buffers) == ({}, {})
    assert found.windows == (POINTWISE,) * (len(shape) - 1)


@pytest.mark.parametrize("kind", [Identity, Dropout, Flatten])
def test_what_computes_nothing_is_a_view(kind):
    assert kind.memory is Memory.VIEW
    assert not kind.merges


@pytest.mark.parametrize(
    ("shape", "dims", "output"),
    [
        ((512, 7, 7), {}, (25_088,)),  # 512 · 49 = 25,088
        ((10,), {}, (10,)),
        ((4, 5, 6), {"start_dim": 2}, (4, 30)),
        ((4, 5, 6), {"end_dim": 2}, (20, 6)),
        ((4, 5, 6), {"start_dim": 2, "end_dim": 2}, (4, 5, 6)),
        ((4, 5, 6, 7), {"start_dim": 2, "end_dim": 3}, (4, 30, 7)),
        ((4, 5, 6, 7), {"start_dim": -3, "end_dim": -2}, (4, 30, 7)),
        ((4, 5, 6, 7), {"start_dim": -4, "end_dim": -1}, (840,)),
    ],
)
def test_flatten_joins_dimensions(run_layer, shape, dims, output):
    found = run_layer(Flatten(**dims), shape)
    assert found.output == output
    assert found.operations == Operations()
    assert (found.weights, found.buffers) == ({}, {})


def test_joined_axes_have_no_positions_left(run_layer):
    assert run_layer(Flatten(), (4, 5, 6)).windows is None
    assert run_layer(Flatten(start_dim=2), (4, 5, 6)).windows is None


def test_a_join_of_one_dimension_leaves_the_positions_alone(run_layer):
    assert run_layer(Flatten(), (10,)).windows == ()
    assert run_layer(Flatten(start_dim=1, end_dim=-3), (4, 5, 6)).windows == (POINTWISE, POINTWISE)


@pytest.mark.parametrize(
    ("dims", "field", "value"),
    [
        ({"start_dim": 0}, "start_dim", 0),
        ({"start_dim": 4}, "start_dim", 4),
        ({"end_dim": -4}, "end_dim", -4),
        ({"end_dim": 9}, "end_dim", 9),
    ],
)
def test_flatten_needs_dimensions_that_are_there(refusal, dims, field, value):
    finding = refusal(Flatten(**dims), (4, 5, 6))
    assert finding.code is catalogue.NO_SUCH_DIMENSION
    assert finding.field == field
    assert finding.message == f"`{field}` is {value}, but the input is 4×5×6"
    assert "1 to 3 (or -1 to -3)" in finding.help


def test_both_dimensions_are_found_wrong_at_once():
    found = list(Flatten(start_dim=0, end_dim=5).check(((4, 5, 6),)))
    assert [finding.field for finding in found] == ["start_dim", "end_dim"]


@pytest.mark.parametrize("end", [1, -3])
def test_flatten_goes_forward(refusal, end):
    finding = refusal(Flatten(start_dim=3, end_dim=end), (4, 5, 6))
    assert finding.code is catalogue.NO_SUCH_DIMENSION
    assert finding.field == "start_dim"
    assert finding.message == f"`start_dim` 3 comes after `end_dim` {end} in the input 4×5×6"


def test_free_sizes_are_joined_as_a_product(run_layer):
    h, w = symbol("H"), symbol("W")
    assert run_layer(Flatten(), (8, h, w)).output == (8 * h * w,)


def test_an_input_is_no_kind_of_its_own():
    assert Input.kind == ""
    assert Input().output(((3, 4),)) == (3, 4)
