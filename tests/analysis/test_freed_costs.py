"""The costs of networks with free sizes, at numbers, and how they grow from there."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

import convcalc
from convcalc.algebra import Polynomial, symbol
from convcalc.algebra.assumptions import assume
from convcalc.algebra.conditions import Comparison, Condition
from convcalc.analysis.formulas import network_formulas
from convcalc.analysis.freed_costs import (
    freed_costs,
    scaled_together,
    sizes_as_assumed,
    symbol_values,
)
from convcalc.analysis.growth import Growth
from convcalc.analysis.other_inputs import with_inputs
from convcalc.errors import SpecError
from convcalc.layers.activation import Relu
from convcalc.layers.convolution import Conv


@given(
    st.integers(1, 60),
    st.integers(0, 59),
    st.integers(1, 200),
    st.integers(1, 500),
)
def test_symbols_have_the_values_that_make_the_sizes_or_none(modulus, remainder, least, size):
    remainder %= modulus
    assumed = assume([f"H % {modulus} == {remainder}", f"H >= {least}"], {"H"})
    found = symbol_values(assumed, {"H": size})
    assert (found is not None) == (size % modulus == remainder and size >= least)
    if found is not None:
        stands = dict(assumed.values).get("H", symbol("H"))
        assert stands.evaluate(found) == size


@pytest.mark.parametrize(
    ("texts", "sizes", "expected"),
    [
        (["H == 7"], {"H": 7}, {"H": 7}),
        (["H == 7"], {"H": 8}, None),
        (["W == H"], {"H": 7, "W": 7}, {"H": 7, "W": 7}),
        (["W == H"], {"H": 7, "W": 8}, None),
        (["W == H", "H % 2 == 0"], {"H": 8, "W": 8}, {"H": 8, "W": 8, "h": 4}),
        (["W == H", "H % 2 == 0"], {"H": 8, "W": 6}, None),
        (["H % 2 == 0"], {"W": 3}, {"W": 3}),
        ([], {"H": Fraction(1, 2)}, None),
    ],
)
def test_what_is_assumed_of_several_sizes_holds_for_all_of_them(texts, sizes, expected):
    assert symbol_values(assume(texts, {"H", "W"}), sizes) == expected


def test_the_sizes_in_space_are_doubled_together_and_others_alone():
    own = {"H": 8, "W": 8, "c": 3, "N": 1, "without": None}
    assert scaled_together(("c", "H", "without", "W", "N"), ("H", "W"), own) == (
        (("H", 2), ("W", 2)),
        (("c", 2),),
        (("N", 2),),
    )


def test_a_number_that_is_not_whole_is_worked_out_anew():
    built = []

    def numbers(changes):
        built.append(dict(changes))
        width = changes.get("width", 1)
        graph = convcalc.load("scaling", {"width": width})
        return network_formulas(graph, metrics=("params",))

    formulas = network_formulas(
        convcalc.load("scaling", {"width": symbol("width")}), metrics=("params",)
    )
    costs = freed_costs(
        formulas,
        ("width",),
        assume([], ["width"]),
        {"width": 1},
        [(("width", Fraction(11, 10)),), (("width", 3),)],
        numbers,
    )
    # with 3, which the formula does for, to see that there is such a network
    assert built == [{}, {"width": Fraction(11, 10)}, {"width": 3}]
    # 27·40 + 10·9·40·40 + 40·10 + 10, with 44 in place of 40, and with 120
    assert [scaling.growths[0].after for scaling in costs.scalings] == [
        27 * 44 + 90 * 44**2 + 450,
        27 * 120 + 90 * 120**2 + 1210,
    ]
    assert costs.values == (27 * 40 + 90 * 40**2 + 410,)
    assert [scaling.by_numbers for scaling in costs.scalings] == [True, False]
    assert [str(term) for [term] in costs.leading] == ["144000·width²"]


def test_formulas_are_of_what_is_assumed():
    assumed = assume(["resolution % 2 == 0"], ["resolution"])
    [(_, stands)] = assumed.values
    assert isinstance(stands, Polynomial)
    formulas = network_formulas(convcalc.load("scaling", {"resolution": stands}), metrics=("macs",))
    costs = freed_costs(formulas, ("resolution",), assumed, {"resolution": 1})
    # 1 is not even: (1,080 + 144,000)·80² positions and 40·10 at 2, the nearest
    assert (costs.own, costs.moved) == ((("resolution", 2),), (("resolution", 1),))
    assert costs.values == (928_512_400,)
    # (1,080 + 144,000)·40² positions
    assert [str(term) for [term] in costs.leading] == ["232128000·resolution²"]


@pytest.mark.parametrize(
    ("texts", "sizes", "expected"),
    [
        (["H == 7"], {"H": 8}, {"H": 7}),
        (["H == 7"], {"W": 8}, {"W": 8}),
        (["H == 7", "W % 4 == 0"], {"W": 5}, {"W": 4}),
        (["H == 7", "W % 4 == 0"], {"H": 8, "W": 5}, {"H": 7, "W": 4}),
        (["W == H", "c % 2 == 0"], {"H": 7, "W": 8, "c": 3}, {"H": 7, "W": 7, "c": 4}),
        (["W == H"], {"H": 7, "W": 8}, {"H": 7, "W": 7}),
        (["W == H"], {"W": 8}, {"W": 8}),
        (["W == H", "c == H"], {"H": 7, "W": 8, "c": 9}, {"H": 7, "W": 7, "c": 7}),
        # 4 · 2 and 4 · 3 are as near to 10: the greater.
        (["H % 4 == 0"], {"H": 9}, {"H": 8}),
        (["H % 4 == 0"], {"H": 10}, {"H": 12}),
        (["H % 4 == 0"], {"H": Fraction(19, 2)}, {"H": 8}),
        # 37, 69 and so on: 32·h + 5 from h = 1
        (["H % 32 == 5", "H >= 6"], {"H": 1}, {"H": 37}),
        (["H % 32 == 5", "H >= 6"], {"H": 52}, {"H": 37}),
        (["H % 32 == 5", "H >= 6"], {"H": 53}, {"H": 69}),
        # Both are what one of them becomes.
        (["W == H", "H % 2 == 0"], {"H": 9, "W": 9}, {"H": 10, "W": 10}),
        (["W == H", "H % 2 == 0"], {"H": 8, "W": 3}, {"H": 8, "W": 8}),
    ],
)
def test_a_size_that_is_not_as_assumed_becomes_the_nearest_that_is(texts, sizes, expected):
    assert sizes_as_assumed(assume(texts, {"H", "W", "c"}), sizes) == expected


def on_threes(network, built=None):
    """A window of ``kernel`` on H positions, 4 and 6 unless they are set; H is 3·h as a formula.

    It makes H − kernel + 1 positions of ``kernel`` multiply-adds each.
    """
    assumed = assume(["H % 3 == 0"], ["H"])
    [h] = [symbol(name) for _, stands in assumed.values for name in stands.symbols]

    def numbers(changes):
        if built is not None:
            built.append(dict(changes))
        conv = Conv(out_channels=1, kernel_size=changes.get("kernel", 4), bias=False)
        graph = network(input=(1, 100)).chain(conv=conv).graph()
        shape = (1, changes.get("H", 6))
        return network_formulas(with_inputs(graph, (shape,)), metrics=("macs",))

    formulas = numbers({})._replace(totals=(("macs", 4 * (3 * h) - 12),))
    if built is not None:
        built.clear()
    return formulas, assumed, numbers


AT_LEAST_4 = (Condition(((Comparison(symbol("H"), ">=", 4),),)),)


def test_of_sizes_that_are_refused_nothing_is_said(network):
    formulas, assumed, numbers = on_threes(network)
    # 3 is the nearest, and less than the window.
    costs = freed_costs(formulas, ("H",), assumed, {"H": 1}, [(("H", 2),)], numbers)
    assert (costs.formulas, costs.assumptions) == (formulas, assumed)
    assert costs.names == ("H",)
    assert (costs.own, costs.moved) == ((("H", 3),), (("H", 1),))
    assert "has no output" in costs.refused
    assert costs.values == (None,)
    [scaling] = costs.scalings
    assert (scaling.growths, scaling.refused) == ((None,), costs.refused)
    assert not scaling.by_numbers


def test_of_sizes_at_which_a_condition_does_not_hold_nothing_is_said(network):
    formulas, assumed, _ = on_threes(network)
    costs = freed_costs(formulas, ("H",), assumed, {"H": 1}, [(("H", 2),)], conditions=AT_LEAST_4)
    assert (costs.refused, costs.values) == ("only if H >= 4", (None,))
    [scaling] = costs.scalings
    assert (scaling.growths, scaling.refused) == ((None,), "only if H >= 4")
    assert costs.conditions == AT_LEAST_4


def test_a_size_is_scaled_to_where_there_is_a_network(network):
    formulas, assumed, numbers = on_threes(network)
    scalings = [(("H", 2),), (("H", Fraction(1, 2)),)]
    for known in ({"numbers": numbers}, {"conditions": AT_LEAST_4}):
        costs = freed_costs(formulas, ("H",), assumed, {"H": 6}, scalings, **known)
        assert (costs.refused, costs.moved, costs.values) == (None, (), (12,))  # 4 · 3
        doubled, halved = costs.scalings
        # 4 · 9
        assert (doubled.growths, doubled.refused) == ((Growth((("H", 2),), 12, 36),), None)
        assert halved.growths == (None,)
        assert "has no output" in halved.refused or halved.refused == "only if H >= 4"


def test_what_decides_about_layers_is_scaled_at_the_sizes_that_are_assumed(network):
    built = []
    formulas, assumed, numbers = on_threes(network, built)
    wider = (("kernel", Fraction(5, 4)),)
    costs = freed_costs(
        formulas, ("H",), assumed, {"H": 7, "kernel": 4}, [wider, (("kernel", 2),)], numbers
    )
    # At 6, or as near: 7 is no multiple of 3. First whether there is a network at all.
    assert built == [
        {"H": 6},
        *({"H": 6}, {"H": 6, "kernel": 5}),
        *({"H": 6}, {"H": 6, "kernel": 8}),
    ]
    larger, refused = costs.scalings
    assert larger == (wider, (Growth(wider, 12, 10),), True, None)  # 4 · 3 and 5 · 2
    assert (refused.growths, refused.by_numbers) == ((None,), True)
    assert "has no output" in refused.refused


def test_a_leading_term_is_of_the_size_that_is_assumed(network):
    formulas, assumed, _ = on_threes(network)
    third = formulas._replace(totals=(("macs", formulas.totals[0][1] // 4 + 1),))
    costs = freed_costs(third, ("H",), assumed, {})
    # (12·h − 12)/4 + 1 = 3·h − 2 is H − 2
    assert [[str(term) for term in terms] for terms in costs.leading] == [["H"]]
    [h] = [symbol(name) for _, stands in assumed.values for name in stands.symbols]
    costs = freed_costs(formulas._replace(totals=(("macs", 2 * h),)), ("H",), assumed, {})
    assert [[str(term) for term in terms] for terms in costs.leading] == [["2·H/3"]]


def test_the_batch_may_be_free_in_what_is_worked_out_anew(network):
    def numbers(changes):
        conv = Conv(out_channels=1, kernel_size=changes.get("kernel", 4), bias=False)
        graph = network(input=(1, 6)).chain(conv=conv).graph()
        return network_formulas(graph, batch=symbol("N"), metrics=("macs",))

    wider = (("kernel", Fraction(5, 4)),)
    own = {"N": 7, "kernel": 4}
    costs = freed_costs(numbers({}), ("N",), assume([], ["N"]), own, [wider], numbers)
    # 7 samples: 4 · 3 and 5 · 2
    assert costs.scalings == ((wider, (Growth(wider, 84, 70),), True, None),)


def test_a_factor_that_makes_no_whole_layer_is_an_error():
    def numbers(changes):
        graph = convcalc.load("scaling", {"depth": changes.get("depth", 1)})
        return network_formulas(graph, metrics=("params",))

    # 10 · 1.11 layers
    with pytest.raises(SpecError):
        freed_costs(
            *(numbers({}), (), assume([], []), {"depth": 1}),
            *([(("depth", Fraction(111, 100)),)], numbers),
        )


def test_no_layer_is_asked_about_the_batch(network):
    def numbers(changes):
        raise AssertionError(changes)

    graph = network(input=(5,)).chain(relu=Relu()).graph()
    formulas = network_formulas(graph, batch=symbol("N"), metrics=("activation_bytes",))
    doubled = (("N", 2),)
    costs = freed_costs(formulas, ("N",), assume([], ["N"]), {"N": 3}, [doubled], numbers)
    # 5 elements of 4 bytes a sample
    assert costs.values == (60,)
    assert costs.scalings == ((doubled, (Growth(doubled, 60, 120),), False, None),)


def test_a_number_of_the_spec_that_is_not_whole_is_no_value_of_a_formula():
    def numbers(changes):
        graph = convcalc.load("scaling", {"width": changes.get("width", Fraction(11, 10))})
        return network_formulas(graph, metrics=("params",))

    free = network_formulas(
        convcalc.load("scaling", {"width": symbol("width")}), metrics=("params",)
    )
    own = {"width": Fraction(11, 10)}
    costs = freed_costs(free, ("width",), assume([], ["width"]), own, (), numbers)
    # 44 channels: stem 27·44, body 10·9·44·44, head 44·10 and 10
    assert costs.values == (27 * 44 + 90 * 44**2 + 450,)
    assert freed_costs(free, ("width",), assume([], ["width"]), own).values == (None,)
    # What has no number has no value either.
    assert freed_costs(free, ("width",), assume([], ["width"]), {"width": None}).values == (None,)
