"""Assumptions about symbols: which sizes they leave, and what formulas become."""

from __future__ import annotations

import itertools
import math

import pytest
from formula_trees import SYMBOLS, compute, many, trees
from hypothesis import given
from hypothesis import strategies as st

from convcalc.algebra import Polynomial, symbol
from convcalc.algebra.assumptions import AssumptionError, Quotient, assume

H, W, N = map(symbol, SYMBOLS)
FORMULAS = {"H": H, "W": W, "N": N}


def evaluated(formula, point):
    return formula.evaluate(point) if isinstance(formula, Polynomial) else formula


@pytest.mark.parametrize(
    ("texts", "lines"),
    [
        ([], ()),
        (["H % 32 == 0"], ("H = 32·h",)),
        (["  H%32==0 "], ("H = 32·h",)),
        (["H % 2 == 1"], ("H = 2·h − 1",)),  # h from 1: 1, 3, 5, …
        (["H >= 64"], ("H = h + 63",)),
        (["H >= 1"], ()),
        (["H % 1 == 0"], ()),
        (["H == 224"], ("H = 224",)),
        (["H % 32 == 0", "H >= 65"], ("H = 32·h + 64",)),  # 96, 128, …
        (["H % 4 == 3", "H % 6 == 1"], ("H = 12·h − 5",)),  # 7, 19, 31, …
        (["H % 32 == 0", "W % 16 == 0"], ("H = 32·h", "W = 16·w")),
        (["H % 32 == 0", "H == 224"], ("H = 224",)),
        (["W == H"], ("W = H",)),
        (["W == H", "W % 32 == 0"], ("H = 32·h", "W = 32·h")),
        (["W == H", "N == W", "N >= 3"], ("H = h + 2", "W = h + 2", "N = h + 2")),
        (["W == H", "H == W"], ("W = H",)),
        (["H == H"], ()),
        (["H == 4", "H >= 4"], ("H = 4",)),
        ([f"H == {10**18}"], (f"H = {10**18}",)),
        ([f"H % {10**18} == 0"], (f"H = {10**18}·h",)),
    ],
)
def test_the_sizes_that_are_left(texts, lines):
    assumed = assume(texts, SYMBOLS)
    assert set(assumed.lines) == set(lines)
    assert list(assumed.texts) == [text.strip() for text in texts]


def test_a_new_symbol_never_has_the_name_of_another():
    assert assume(["H % 2 == 0", "h % 3 == 0"], ["H", "h"]).lines == ("H = 2·H_2", "h = 3·h_3")
    assert assume(["size % 32 == 0"], ["size"]).lines == ("size = 32·size_32",)
    taken = assume(["size % 2 == 0", "size_2 >= 2"], ["size", "size_2"])
    assert taken.lines == ("size = 2·size_3", "size_2 = size_2_1 + 1")
    alike = assume(["aB % 2 == 0", "Ab % 2 == 0"], ["aB", "Ab"])
    assert alike.lines == ("aB = 2·ab", "Ab = 2·Ab_2")


@pytest.mark.parametrize(
    ("texts", "message", "way_out"),
    [
        (["H"], "'H' is no assumption", "write one as"),
        (["H < 5"], "is no assumption", "`H >= 64`"),
        (["H % 2 == 0 and W == H"], "is no assumption", "write one as"),
        (["H % -2 == 0"], "is no assumption", "write one as"),
        (["2 == H"], "is no assumption", "write one as"),
        (["H == 1.5"], "is no assumption", "write one as"),
        # Digits are 0 to 9.
        (["H % ٣ == 0"], "is no assumption", "write one as"),
        (["H >= ٣"], "is no assumption", "write one as"),
        (["H == ٣"], "is no assumption", "write one as"),
        (["H % 0 == 0"], "divides by 0", "from 1 to"),
        (["H % 4 == 6"], "holds for no size", "say `H % 4 == 2`"),
        (["H % 4 == 4"], "what is left is less than 4", "say `H % 4 == 0`"),
        ([f"H % {10**18 + 1} == 0"], f"divides by {10**18 + 1}", f"from 1 to {10**18}"),
        (["H == 0"], "'H == 0': a size is an integer of at least 1", "from 1"),
        (["H >= 0"], "'H >= 0': a size is an integer of at least 1", "from 1"),
        ([f"H == {10**18 + 1}"], "at least 1", f"from 1 to {10**18}"),
        (["H == " + "9" * 30], "at least 1", "from 1 to"),
        (["K % 2 == 0"], "is about K, which is not free", "assume something of H, N, W"),
        (["H == K"], "is about K", "free it as well"),
        (["H % 2 == 0", "H % 4 == 1"], "`H % 2 == 0` and `H % 4 == 1` together", "leave one"),
        (["H == 3", "H == 4"], "no size satisfies", "leave one"),
        (["H == 3", "H >= 4"], "no size satisfies", "leave one"),
        (["H == 3", "H % 2 == 0"], "no size satisfies", "leave one"),
        (["W == H", "W == 3", "H == 4"], "`W == H`, `W == 3` and `H == 4`", "leave one"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_way_out(texts, message, way_out):
    with pytest.raises(AssumptionError) as caught:
        assume(texts, SYMBOLS)
    assert message in str(caught.value)
    assert way_out in caught.value.help


def test_where_nothing_is_free_nothing_can_be_assumed():
    with pytest.raises(AssumptionError) as caught:
        assume(["H == 3"], [])
    assert caught.value.help == "free it as well"


def test_floors_become_exact_quotients():
    assumed = assume(["H % 32 == 0", "W % 32 == 0"], SYMBOLS)
    formula = ((H + 31) // 32) * ((W + 15) // 16) + (H + 1) // 2
    assert str(assumed.applied(formula)) == "2·h·w + 16·h"
    assert assumed.applied(7) == 7


def test_formulas_go_back_to_the_sizes_that_people_know():
    assumed = assume(["H % 32 == 0", "W % 32 == 0"], SYMBOLS)
    h, w = symbol("h"), symbol("w")
    assert assumed.restored(49 * h * w) == Quotient(49 * H * W, 1024)
    assert assumed.restored(64 * h) == Quotient(2 * H, 1)
    assert assumed.restored(h + w + N) == Quotient(H + W + 32 * N, 32)
    assert assumed.restored(5) == Quotient(5, 1)
    # ⌊(H/32 + 2)/3⌋ is one floor of H.
    assert assumed.restored((h + 2) // 3) == Quotient((H + 64) // 96, 1)
    assert assume(["W == H"], SYMBOLS).restored(H * N) == Quotient(H * N, 1)
    same = assume(["W == H", "H % 2 == 0"], SYMBOLS)
    assert same.restored(symbol("h")) == Quotient(H, 2)
    assert assume(["H % 2 == 1"], SYMBOLS).restored(h) == Quotient(H + 1, 2)


@pytest.mark.parametrize(
    ("texts", "sizes", "new"),
    [
        (["H % 32 == 0"], {"H": 224}, {"h": 7}),  # 224 = 32·7
        (["H % 32 == 0"], {"H": 32}, {"h": 1}),
        (["H % 32 == 0"], {"H": 0}, None),  # h would be 0
        (["H % 32 == 0"], {"H": 225}, None),
        (["H % 2 == 1"], {"H": 7}, {"h": 4}),  # 7 = 2·4 − 1
        (["H >= 64"], {"H": 63}, None),
        (["W == H", "H % 32 == 0"], {"H": 64, "W": 64}, {"h": 2}),
        (["W == H", "H % 32 == 0"], {"H": 64, "W": 96}, None),
        (["N == 5", "H % 32 == 0"], {"N": 5, "H": 64}, {"h": 2}),
        (["N == 5", "H % 32 == 0"], {"N": 6, "H": 64}, None),
        (["H % 2 == 0", "W % 4 == 0"], {"W": 8}, {"w": 2}),  # of H nothing is said
    ],
)
def test_new_symbols_have_the_values_that_the_sizes_give_them(texts, sizes, new):
    expected = None if new is None else sizes | new
    assert assume(texts, SYMBOLS).symbol_values(sizes) == expected


CONDITIONS = st.lists(
    st.tuples(st.integers(1, 12), st.integers(0, 40)).map(
        lambda pair: (pair[0], pair[1] % pair[0])
    ),
    max_size=3,
)


@many(300)
@given(CONDITIONS, st.integers(1, 60))
def test_the_new_symbol_runs_through_all_sizes_that_are_assumed_and_no_others(conditions, least):
    texts = [f"H % {n} == {r}" for n, r in conditions] + [f"H >= {least}"]
    period = math.lcm(*(n for n, _ in conditions))
    expected = [
        size
        for size in range(least, least + 3 * period)
        if all(size % n == r for n, r in conditions)
    ]
    if not expected:
        with pytest.raises(AssumptionError, match="no size"):
            assume(texts, ["H"])
        return
    value = assume(texts, ["H"]).applied(H)
    [name] = value.symbols
    found = (value.evaluate({name: n}) for n in itertools.count(1))
    assert list(itertools.islice(found, 3)) == expected


@many(300)
@given(trees(3), st.integers(1, 9), st.integers(0, 8), st.integers(1, 30), st.integers(1, 30))
def test_what_is_assumed_changes_no_value(tree, modulus, remainder, n, w):
    remainder %= modulus
    assumed = assume([f"H % {modulus} == {remainder}", "W >= 3"], SYMBOLS)
    values = dict(assumed.values)
    sizes = {
        "H": evaluated(values.get("H", H), {"h": n, "H": n}),
        "W": w + 2,
        "N": 5,
    }
    formula = compute(tree, FORMULAS)
    applied = assumed.applied(formula)
    assert evaluated(applied, {"h": n, "H": n, "w": w, "N": 5}) == compute(tree, sizes)
    numerator, denominator = assumed.restored(applied)
    # Of H = h itself no new symbol is made.
    assert evaluated(numerator, sizes) == denominator * compute(tree, sizes)
