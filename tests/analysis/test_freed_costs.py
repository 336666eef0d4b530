"""The costs of networks with free sizes, at numbers, and how they grow from there."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

import convcalc
from convcalc.algebra import Polynomial, symbol
from convcalc.algebra.assumptions import assume
from convcalc.analysis.formulas import network_formulas
from convcalc.analysis.freed_costs import freed_costs, scaled_together, symbol_values


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
