"""Polynomials: canonical form, printed form, the laws of the floor, comparisons, and two oracles.

What a formula must be worth is computed by plain Python integers and by sympy, never by
convcalc itself.
"""

from __future__ import annotations

import doctest
import itertools
import math
import operator
from collections import defaultdict

import pytest
import sympy
from formula_trees import OPERATORS, POINTS, POSITIVE, SYMBOLS, compute, many, read, trees
from hypothesis import given
from hypothesis import strategies as st

from convcalc.algebra import (
    Polynomial,
    UndecidableError,
    exact_quotient,
    greatest_common_divisor,
    polynomial,
    symbol,
)
from convcalc.algebra.polynomial import Floor, Symbol, common_factor, sum_of_many

H, W, N = map(symbol, SYMBOLS)
FORMULAS = {"H": H, "W": W, "N": N}
GRID = [{"H": h, "W": w, "N": n} for h, w, n in itertools.product((1, 2, 3, 7), repeat=3)]


def evaluated(formula, point):
    """The formula's value at a point; a formula without atoms is its own value."""
    return formula.evaluate(point) if isinstance(formula, Polynomial) else formula


# -- canonical form -------------------------------------------------------------------------------


def test_like_terms_merge():
    assert str(H + W + 2 * H - 3 * W) == "3·H − 2·W"


def test_like_floors_merge():
    assert str(H // 2 + 3 * (H // 2)) == "4·⌊H/2⌋"


def test_floors_that_are_written_differently_merge():
    # (2H + 2)//4 and (H + 5)//2 − 2 are both ⌊(H + 1)/2⌋.
    assert str((2 * H + 2) // 4 + (H + 5) // 2 - 2) == "2·⌊(H + 1)/2⌋"


@pytest.mark.parametrize(
    ("formula", "constant"),
    [
        (H - H, 0),
        (H + 5 - H, 5),
        (H * 0, 0),
        (0 * H, 0),
        (0 // H, 0),
        (H**0, 1),
        ((H + 1) * (H - 1) - H * H, -1),
        (H // 2 - H // 2, 0),
        (H // H, 1),
        ((2 * H) // H, 2),
        (-H // H, -1),
        (H // (H + 1), 0),
        (H // -(H + 1), -1),
        (1 // (H + 1), 0),
        (-1 // H, -1),
        (H % 1, 0),
        ((H * W) % W, 0),
        # 1//H and 1//W are 0 or 1 each: a third of their sum is less than 1.
        ((1 // H + 1 // W) // 3, 0),
    ],
)
def test_a_result_without_atoms_is_a_plain_int(formula, constant):
    assert type(formula) is int
    assert formula == constant


def test_the_order_of_the_steps_leaves_no_trace():
    one, other = (H + W) * (N + 1), N * W + H + N * H + W
    assert str(one) == str(other)
    assert one == other
    assert hash(one) == hash(other)


def test_operations_leave_their_operands_alone():
    formula = H + 1
    _ = (formula + W, formula - formula, formula * W, formula // 2, formula % 2, -formula)
    assert str(formula) == "H + 1"


def test_a_sign_in_front_of_a_formula():
    assert +H is H
    assert str(-(H - 2 * W)) == "−H + 2·W"
    assert str(operator.neg(-H)) == "H"


def test_int_operands_stand_on_either_side():
    assert str(1 + H) == "H + 1"
    assert str(1 - H) == "−H + 1"
    assert str(3 * H) == "3·H"
    assert str(7 // H) == "⌊7/H⌋"
    assert str(7 % H) == "−H·⌊7/H⌋ + 7"


def test_powers_multiply_out():
    # (H + 2)³ = H³ + 3·2·H² + 3·4·H + 8
    assert str((H + 2) ** 3) == "H³ + 6·H² + 12·H + 8"


@pytest.mark.parametrize("exponent", [-1, 0.5])
def test_a_power_is_a_whole_number_from_0(exponent):
    with pytest.raises(ValueError, match="powers 0, 1, 2"):
        H**exponent


@pytest.mark.parametrize("sign", ["+", "-", "*", "//", "%"])
@pytest.mark.parametrize("stranger", [1.5, "1", None])
def test_only_integers_and_formulas_are_operands(sign, stranger):
    calculate = OPERATORS[sign]
    with pytest.raises(TypeError):
        calculate(H, stranger)
    if (sign, stranger) != ("%", "1"):  # a text's own % formats it
        with pytest.raises(TypeError):
            calculate(stranger, H)


# -- printed form ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        (H, "H"),
        (symbol("width_2"), "width_2"),
        (-H, "−H"),
        (H - 1, "H − 1"),
        (1 - 2 * H, "−2·H + 1"),
        (W * H, "H·W"),
        (H * H * W, "H²·W"),
        (H**10, "H¹⁰"),
        (W + H * W + H + 7, "H·W + H + W + 7"),
        (W + H**2, "H² + W"),
        (N * (H // 2) * 3, "3·N·⌊H/2⌋"),
        ((H // 2) ** 2, "⌊H/2⌋²"),
        (2 * H // 3, "⌊2·H/3⌋"),
        ((H + 1) // 2, "⌊(H + 1)/2⌋"),
        (-H // W, "⌊−H/W⌋"),
        ((H + 1) // W, "⌊(H + 1)/W⌋"),
        (H // (W + 1), "⌊H/(W + 1)⌋"),
        (H // W**2, "⌊H/W²⌋"),
        (H // (N * W), "⌊H/(N·W)⌋"),
        (H // (2 * W), "⌊H/(2·W)⌋"),
        (H // (1 + W // 2), "⌊H/(⌊W/2⌋ + 1)⌋"),
        (H // ((W + 1) // 2), "⌊H/⌊(W + 1)/2⌋⌋"),
        ((H // 2 + W // 2) // 3, "⌊(⌊H/2⌋ + ⌊W/2⌋)/3⌋"),
    ],
)
def test_the_printed_form(formula, text):
    assert str(formula) == text


def test_the_printed_form_is_the_same_in_tables_and_messages():
    formula = 1000 * H
    assert f"{formula}" == "1000·H"
    assert f"{formula:,}" == "1000·H"  # what prints a number prints a formula
    assert f"{formula:>8}|" == "  1000·H|"
    assert repr(formula) == "<Polynomial 1000·H>"


def test_numbers_in_floors_are_sorted_by_what_they_are_worth():
    assert str(H // 16 + H // 8 + W) == "W + ⌊H/8⌋ + ⌊H/16⌋"
    assert str((H + 3) // 4 + H // 2 + 7 // H) == "⌊H/2⌋ + ⌊(H + 3)/4⌋ + ⌊7/H⌋"


def test_terms_come_highest_degree_first_then_by_name():
    monomials = ["·".join(str(atom) for atom, _ in m) for m, _ in (W + H + 3 + H * W).terms()]
    assert monomials == ["H·W", "H", "W", ""]


@many(600)
@given(trees(), POINTS)
def test_the_printed_form_reads_as_its_value(tree, point):
    assert read(str(compute(tree, FORMULAS)), point) == compute(tree, point)


# -- the laws of the floor ------------------------------------------------------------------------


def test_exact_multiples_come_out():
    assert str((6 * H + 7) // 3) == "2·H + 2"
    assert str((6 * H + W + 7) // 3) == "2·H + ⌊(W + 1)/3⌋ + 2"
    assert str((7 * H) // 3) == "2·H + ⌊H/3⌋"
    assert str((-H) // 3) == "−H + ⌊2·H/3⌋"


def test_the_common_divisor_cancels():
    assert str((4 * H + 6) // 10) == "⌊(2·H + 3)/5⌋"
    # The constant need not be a multiple: (4·H + 7)/10 and (4·H + 6)/10 have the same floor.
    assert str((4 * H + 7) // 10) == "⌊(2·H + 3)/5⌋"
    assert str((4 * H + 1) // 10) == "⌊2·H/5⌋"


def test_nested_floors_merge():
    assert str(H // 2 // 3) == "⌊H/6⌋"
    # (H//4 + 5)//3 = (H + 5·4)//(4·3) = (H + 20)//12, of which 12 comes out.
    assert str((H // 4 + 5) // 3) == "⌊(H + 8)/12⌋ + 1"
    assert str((H // 4 + W) // 3) == "⌊(H + 4·W)/12⌋"


def test_five_convolutions_of_stride_2_are_one_floor():
    size = H
    for _ in range(5):
        size = (size + 2 * 1 - 3) // 2 + 1
    assert str(size) == "⌊(H + 31)/32⌋"


def test_floors_with_factors_stay_apart():
    # Only ⌊x/c⌋ itself merges: 2·⌊H/2⌋ is not ⌊2·H/2⌋ = H.
    assert str((2 * (H // 2)) // 3) == "⌊2·⌊H/2⌋/3⌋"
    assert str((W * (H // 2)) // 3) == "⌊W·⌊H/2⌋/3⌋"
    assert str((H // 2) ** 2 // 3) == "⌊⌊H/2⌋²/3⌋"
    assert str((H // 2 + W // 2) // 3) == "⌊(⌊H/2⌋ + ⌊W/2⌋)/3⌋"


@pytest.mark.parametrize("c", range(1, 6))
@pytest.mark.parametrize("d", range(1, 6))
def test_nested_floors_hold_everywhere(c, d):
    for r in range(-4, 5):
        nested = ((H - 1) // c + r) // d
        for x in range(201):
            assert evaluated(nested, {"H": x + 1}) == (x // c + r) // d


@pytest.mark.parametrize("a", [-7, -2, 1, 4, 6])
@pytest.mark.parametrize("b", [-5, 0, 3])
@pytest.mark.parametrize("d", [2, 6])
def test_linear_floors_hold_everywhere(a, b, d):
    down, up = (a * H + b) // d, (a * H + b) // -d
    for x in range(1, 40):
        assert evaluated(down, {"H": x}) == (a * x + b) // d
        assert evaluated(up, {"H": x}) == (a * x + b) // -d


@pytest.mark.parametrize(
    "windows",
    [
        [(7, 2, 3), (3, 2, 1), (3, 2, 1), (3, 2, 1), (3, 2, 1)],
        [(11, 4, 2), (3, 2, 0), (5, 1, 2), (3, 2, 0)],
        [(2, 2, 0), (3, 3, 1), (5, 3, 2), (1, 2, 0)],
    ],
)
def test_a_chain_of_windows_is_worth_its_steps(windows):
    size = H
    for k, s, p in windows:
        size = (size + 2 * p - k) // s + 1
    assert str(size).count("⌊") == 1
    for x in range(1, 300):
        expected = x
        for k, s, p in windows:
            expected = (expected + 2 * p - k) // s + 1
        assert size.evaluate({"H": x}) == expected


# -- symbols as divisors --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        ((H * W + W) // W, "H + 1"),
        ((H * W + W - 1) // W, "H"),  # the ceiling of an exact multiple
        ((H * W + 1) // W, "H + ⌊1/W⌋"),
        ((H**2 - W**2) // (H + W), "H − W"),
        ((H * W + H) // (W + 1), "H"),
        (H * W // (2 * W), "⌊H/2⌋"),
        (5 * H * W // (2 * W), "2·H + ⌊H/2⌋"),
        (2 * H // (2 * W), "⌊H/W⌋"),
        ((2 * H + 1) // (2 * W), "⌊H/W⌋"),
        (3 * N * H // (6 * N * W), "⌊H/(2·W)⌋"),
        (H // 2 // W, "⌊H/(2·W)⌋"),
        (H // W // 2, "⌊H/(2·W)⌋"),
        ((H // W + 1) // N, "⌊(H + W)/(N·W)⌋"),
        (H // 2 // H, "0"),
        ((H - 1) // (H - 1), "1"),
        ((H**2 - H) // (H - 1), "H"),
        ((W + 5) // (2 * W + 5), "0"),
    ],
)
def test_division_by_symbols(formula, text):
    assert str(formula) == text


def test_nested_floors_stay_where_the_sign_of_the_product_is_unknown():
    # (H − 1)·(W − 1) = H·W − H − W + 1, whose least value the bounds of its terms do not give.
    assert str(5 // (H - 1) // (W - 1)) == "⌊⌊5/(H − 1)⌋/(W − 1)⌋"


@pytest.mark.parametrize(
    "question",
    [
        lambda h, w: (h * w + 3) // w,
        lambda h, w: (h * w - 3) // w,
        lambda h, w: (h - 5) // w,
        lambda h, w: (h // 3 + 2) // w,
        lambda h, w: (h // w + 2) // 3,
        lambda h, w: (h + w) // (h * w),
        lambda h, w: (3 * h - w) // (2 * h + 2 * w),
        lambda h, w: (-h) // (2 * w),
        lambda h, w: -7 // (4 * h * w),
        lambda h, w: (h * h - h) // (2 * h),
        lambda h, w: (6 * h * w + 4 * w + 3) // (4 * w),
        lambda h, w: h // -w,
        lambda h, w: h % -w,
        lambda h, w: 17 % (h + w),
        lambda h, w: (h % w) * (w % h),
        lambda h, w: -(1 // h) // (w + 1),
    ],
)
def test_division_by_symbols_holds_everywhere(question):
    formula = question(H, W)
    for h, w in itertools.product(range(1, 26), repeat=2):
        assert evaluated(formula, {"H": h, "W": w}) == question(h, w)


def test_a_divisor_of_unknown_sign_is_refused():
    with pytest.raises(UndecidableError, match="H − W < 0"):
        N // (H - W)


def test_negative_divisors_turn_both_signs():
    assert str(H // -1) == "−H"
    assert str(H // -2) == "−H + ⌊H/2⌋"  # −⌈H/2⌉ = −(H − ⌊H/2⌋)
    assert str(H // -W) == "⌊−H/W⌋"
    assert str(7 // -H) == "⌊−7/H⌋"
    assert H % -H == 0


@pytest.mark.parametrize("zero", [0, H - H])
def test_division_by_zero_is_an_error(zero):
    with pytest.raises(ZeroDivisionError):
        H // zero
    with pytest.raises(ZeroDivisionError):
        H % zero
    with pytest.raises(ZeroDivisionError):
        exact_quotient(H, zero)
    with pytest.raises(ZeroDivisionError):
        exact_quotient(0, zero)


def test_a_divisor_that_becomes_zero_is_an_error():
    formula = N // (H - 1)
    assert formula.evaluate({"N": 9, "H": 3}) == 9 // 2
    with pytest.raises(ZeroDivisionError):
        formula.evaluate({"N": 9, "H": 1})


def test_modulo_is_what_the_floor_leaves():
    assert str(H % 2) == "H − 2·⌊H/2⌋"
    assert str((6 * H + 5) % 3) == "2"
    assert [(H % 3).evaluate({"H": x}) for x in range(1, 8)] == [1, 2, 0, 1, 2, 0, 1]
    assert [(H % -3).evaluate({"H": x}) for x in range(1, 8)] == [-2, -1, 0, -2, -1, 0, -2]


# -- quotients and common divisors ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("numerator", "denominator", "text"),
    [
        (6 * H + 4, 2, "3·H + 2"),
        (6 * H + 4, -2, "−3·H − 2"),
        (6 * H + 3, 2, "None"),
        (H * W + W, W, "H + 1"),
        (H * W + W, H + 1, "W"),
        (H**2 - 1, H + 1, "H − 1"),
        (H**2 - 1, 1 - H, "−H − 1"),
        (H**2 + 1, H + 1, "None"),
        (H, W, "None"),
        (H, 2 * H, "None"),
        (2 * H * W, 2 * H, "W"),
        (N * (H // 2), H // 2, "N"),
        (0, H, "0"),
        (6, H, "None"),
        (6, 3, "2"),
        (7, 3, "None"),
        (0, 3, "0"),
    ],
)
def test_an_exact_quotient_or_none(numerator, denominator, text):
    assert str(exact_quotient(numerator, denominator)) == text


@many(300)
@given(trees(3), trees(2))
def test_a_product_divides_exactly_by_its_factors(left, right):
    a, b = compute(left, FORMULAS), compute(right, FORMULAS)
    if isinstance(b, Polynomial) or b != 0:
        assert str(exact_quotient(a * b, b)) == str(a)


@pytest.mark.parametrize("b", range(1, 13))
def test_the_greatest_common_divisor_of_a_formula_and_a_number(b):
    of_symbol = greatest_common_divisor(H, b)
    of_line = greatest_common_divisor(4 * H - 30, b)
    for x in range(1, 40):
        assert evaluated(of_symbol, {"H": x}) == math.gcd(x, b)
        assert evaluated(of_line, {"H": x}) == math.gcd(4 * x - 30, b)


def test_the_greatest_common_divisor_is_short():
    # 5 and 1 divide 5, with φ = 4 and 1; ⌊H/5⌋ − ⌈H/5⌉ is 0 where 5 divides H, −1 elsewhere.
    assert str(greatest_common_divisor(H, 5)) == "−4·⌊(H + 4)/5⌋ + 4·⌊H/5⌋ + 5"


@many(300)
@given(st.integers(1, 5000), st.integers(-10_000, 10_000), st.integers(-20, 20))
def test_the_greatest_common_divisor_is_what_python_gives(b, x, constant):
    formula = greatest_common_divisor(3 * H + constant, b)
    size = abs(x) + 1
    assert evaluated(formula, {"H": size}) == math.gcd(3 * size + constant, b)


@pytest.mark.parametrize(
    ("b", "divisors"),
    # 100,000 = 2⁵·5⁵; 720,720 = 2⁴·3²·5·7·11·13; 99,991 and 2³¹ − 1 are primes
    [(100_000, 36), (720_720, 240), (99_991, 2), (2**31 - 1, 2)],
)
def test_the_greatest_common_divisor_takes_two_floors_a_divisor(b, divisors):
    formula = greatest_common_divisor(H, b)
    assert len(list(formula.terms())) == 2 * (divisors - 1) + 1  # of the divisor 1 nothing is left
    for x in (1, 6, 1000, 99_991 * 4, b - 1, b, b + 1, 17 * b):
        assert evaluated(formula, {"H": x}) == math.gcd(x, b)


def test_a_greatest_common_divisor_that_is_known_is_an_int():
    assert greatest_common_divisor(12, 18) == 6
    assert type(greatest_common_divisor(H, 1)) is int
    assert type(greatest_common_divisor(12 * H, 4)) is int
    assert greatest_common_divisor(12 * H, 4) == 4


@many(200)
@given(st.lists(trees(2), max_size=6))
def test_the_sum_of_many_is_their_sum(several):
    formulas = [compute(tree, FORMULAS) for tree in several]
    assert str(sum_of_many(formulas)) == str(sum(formulas))


def test_the_sum_of_nothing_is_0():
    assert sum_of_many([]) == 0
    assert type(sum_of_many([H, 3, -H])) is int


@pytest.mark.parametrize(
    ("formula", "factor"),
    [
        (0, "1"),
        (-12, "12"),
        (H + 1, "1"),
        (6 * H * W - 4 * H**2, "2·H"),
        (-6 * (H // 2) ** 2 * W, "6·W·⌊H/2⌋²"),
        (9 * (H // 2) * N + 6 * (H // 2) ** 2, "3·⌊H/2⌋"),
    ],
)
def test_the_common_factor_divides_every_term(formula, factor):
    found = common_factor(formula)
    assert str(found) == factor
    assert str(exact_quotient(formula, found) * found) == str(formula)


def test_floors_are_the_same_if_they_are_written_alike():
    [((floor, _),), _] = next((H // 2).terms())
    [((other, _),), _] = next((H // W).terms())
    assert floor == Floor(H, 2)
    assert hash(floor) == hash(Floor(symbol("H"), 2))
    # Whether ⌊H/2⌋ is ⌊H/W⌋ depends on W: as atoms they are two.
    assert floor != other
    assert floor != Symbol("⌊H/2⌋")
    assert Symbol("H") == Symbol("H")
    assert Symbol("H") != floor
    assert [repr(Symbol("H")), repr(floor)] == ["<Symbol H>", "<Floor ⌊H/2⌋>"]


# -- reading: symbols, substitution, evaluation ---------------------------------------------------


def test_symbols_are_those_in_terms_and_inside_floors():
    assert (H * ((W + 1) // N)).symbols == {"H", "W", "N"}
    assert (H + W - W).symbols == {"H"}


def test_substitution_puts_formulas_in_place_of_symbols():
    formula = H * W + H // 2
    assert str(formula.substitute({"H": 2 * N})) == "2·N·W + N"
    assert str(formula.substitute({"H": 7})) == "7·W + 3"
    assert formula.substitute({"H": 7, "W": 10}) == 73  # 7 · 10 + 7//2
    assert str(formula.substitute({})) == str(formula)
    assert str(formula.substitute({"X": 1})) == str(formula)


def test_substitution_is_all_at_once():
    assert str((H - 2 * W).substitute({"H": W, "W": H})) == "−2·H + W"


def test_substitution_merges_floors_again():
    assert str(((H + 1) // 3).substitute({"H": W // 2})) == "⌊(W + 2)/6⌋"


def test_substitution_reaches_divisors():
    assert str((H // (W + 1)).substitute({"W": 3})) == "⌊H/4⌋"
    assert str((H // (W + 1)).substitute({"H": 3 * W + 3})) == "3"


def test_evaluation():
    formula = 3 * H**2 * W - (H + 1) // 2
    assert formula.evaluate({"H": 4, "W": 5}) == 238  # 3 · 16 · 5 − 5//2 = 240 − 2
    assert formula.evaluate({"H": 4, "W": 5, "N": 6}) == 238


def test_evaluation_names_the_symbol_without_a_value():
    with pytest.raises(KeyError, match="W"):
        (H * (W // 2)).evaluate({"H": 3})


def test_evaluation_wants_numbers():
    with pytest.raises(TypeError, match="substitute"):
        H.evaluate({"H": W})


def test_numbers_of_any_size_are_exact():
    formula = H**5 // 7
    assert formula.evaluate({"H": 10**40}) == 10**200 // 7


# -- comparisons ----------------------------------------------------------------------------------

DECIDED = {
    "H >= 1": lambda h, _: h >= 1,
    "H > 0": lambda h, _: h > 0,
    "H < 1": lambda h, _: h < 1,
    "H <= 0": lambda h, _: h <= 0,
    "0 < H": lambda h, _: 0 < h,  # noqa: SIM300
    "1 <= H": lambda h, _: 1 <= h,  # noqa: SIM300
    "0 >= H": lambda h, _: 0 >= h,  # noqa: SIM300
    "0 == H": lambda h, _: 0 == h,  # noqa: SIM300
    "H == 0": lambda h, _: h == 0,
    "H != 0": lambda h, _: h != 0,
    "H == -3": lambda h, _: h == -3,
    "-H == 0": lambda h, _: -h == 0,
    "-H < 0": lambda h, _: -h < 0,
    "H is true": lambda h, _: bool(h),
    "-H is true": lambda h, _: bool(-h),
    "H == H": lambda h, _: h == 1 * h,
    "H != H": lambda h, _: h != 1 * h,
    "H <= H": lambda h, _: h <= 1 * h,
    "H < H": lambda h, _: h < 1 * h,
    "H == H + 1": lambda h, _: h == h + 1,
    "H < H + 1": lambda h, _: h < h + 1,
    "H < H + W": lambda h, w: h < h + w,
    "H < 2H": lambda h, _: h < 2 * h,
    "H <= 2H - 1": lambda h, _: h <= 2 * h - 1,
    "H + W >= 2": lambda h, w: h + w >= 2,
    "H + W == 1": lambda h, w: h + w == 1,
    "HW > 0": lambda h, w: h * w > 0,
    "H + HW >= 2": lambda h, w: h + h * w >= 2,
    "H^2 < 1": lambda h, _: h * h < 1,
    "3 - H <= 2": lambda h, _: 3 - h <= 2,
    "3 - H - W > 1": lambda h, w: 3 - h - w > 1,
    "H//2 >= 0": lambda h, _: h // 2 >= 0,
    "(H + 1)//2 >= 1": lambda h, _: (h + 1) // 2 >= 1,
    "(H - 1)//2 + 1 >= 1": lambda h, _: (h - 1) // 2 + 1 >= 1,
    "(H + 1)//2 is true": lambda h, _: bool((h + 1) // 2),
    "H//W >= 0": lambda h, w: h // w >= 0,
    "5//H <= 5": lambda h, _: 5 // h <= 5,
    "5//H == 6": lambda h, _: 5 // h == 6,
    "(5//H)(3//W) <= 15": lambda h, w: (5 // h) * (3 // w) <= 15,
    "(5//H)^2 <= 25": lambda h, _: (5 // h) ** 2 <= 25,
    "(5//H + 7//W)//2 <= 6": lambda h, w: (5 // h + 7 // w) // 2 <= 6,
    "-H//W <= 0": lambda h, w: -h // w <= 0,
    "(5//H)//2 <= 2": lambda h, _: 5 // h // 2 <= 2,
    "(H - 5)//W >= -4": lambda h, w: (h - 5) // w >= -4,
    "(H - 5)//W < -4": lambda h, w: (h - 5) // w < -4,
    "(3 - H)//W <= 2": lambda h, w: (3 - h) // w <= 2,
    "H(W//2) >= 0": lambda h, w: h * (w // 2) >= 0,
    "2W//2 == W": lambda _, w: 2 * w // 2 == w,
    "W(H//3) == (H//3)W": lambda h, w: w * (h // 3) == (h // 3) * w,
}
OPEN = {
    "H == 1": lambda h, _: h == 1,
    "1 == H": lambda h, _: 1 == h,  # noqa: SIM300
    "H != 2": lambda h, _: h != 2,
    "H < 2": lambda h, _: h < 2,
    "H <= 1": lambda h, _: h <= 1,
    "H > 1": lambda h, _: h > 1,
    "H >= 2": lambda h, _: h >= 2,
    "2 > H": lambda h, _: 2 > h,  # noqa: SIM300
    "2 <= H": lambda h, _: 2 <= h,  # noqa: SIM300
    "H == W": lambda h, w: h == w,
    "H != W": lambda h, w: h != w,
    "H < W": lambda h, w: h < w,
    "H <= W": lambda h, w: h <= w,
    "H - 1 is true": lambda h, _: bool(h - 1),
    "H - W is true": lambda h, w: bool(h - w),
    "H//2 is true": lambda h, _: bool(h // 2),
    "H//2 == 0": lambda h, _: h // 2 == 0,
    "H//2 > 0": lambda h, _: h // 2 > 0,
    "H%2 == 0": lambda h, _: h % 2 == 0,
    "H + W > 2": lambda h, w: h + w > 2,
    "H + W <= 2": lambda h, w: h + w <= 2,
    "HW == H": lambda h, w: h * w == h,
    "3 - H < 0": lambda h, _: 3 - h < 0,
    "5//H < 5": lambda h, _: 5 // h < 5,
    "5//H == 0": lambda h, _: 5 // h == 0,
    "H//W >= 1": lambda h, w: h // w >= 1,
    "(H - 5)//W >= 0": lambda h, w: (h - 5) // w >= 0,
    "(3 - H)//W < 0": lambda h, w: (3 - h) // w < 0,
    "(5//H)^2 > 10": lambda h, _: (5 // h) ** 2 > 10,
    "((H - 5)//W)^2 >= 16": lambda h, w: ((h - 5) // w) ** 2 >= 16,
    "(-H//W)H//3 >= -5": lambda h, w: (-h // w) * h // 3 >= -5,
    "(H//2)W == H(W//2)": lambda h, w: (h // 2) * w == h * (w // 2),
}
SIZES = list(itertools.product(range(1, 12), repeat=2))


@pytest.mark.parametrize("question", DECIDED.values(), ids=DECIDED)
def test_what_holds_for_all_sizes_from_1_is_decided(question):
    assert {question(H, W)} == {question(h, w) for h, w in SIZES}


@pytest.mark.parametrize("question", OPEN.values(), ids=OPEN)
def test_what_some_sizes_answer_otherwise_is_never_answered(question):
    assert {question(h, w) for h, w in SIZES} == {True, False}
    with pytest.raises(UndecidableError):
        question(H, W)


def test_a_comparison_beyond_the_bounds_is_left_open():
    # (H − W)² ≥ 0 holds for all sizes, but no bound of its terms says so.
    with pytest.raises(UndecidableError):
        _ = H * H + W * W >= 2 * H * W


def test_terms_may_cancel_above_the_least_sizes():
    assert H * W >= H
    assert H * W * N >= W * N
    assert 4 * H * H - 4 * H + 1 > 0  # (2·H − 1)²
    assert not (H - H * H > 0)
    assert (H + 1) // 2 * W >= W
    with pytest.raises(UndecidableError):
        _ = H // 2 * W >= W  # not for H = 1
    with pytest.raises(UndecidableError):
        _ = H**9 >= H  # so many factors are not multiplied out


def test_floors_are_bounded_together():
    # Hermite's identity: the halves make up the whole.
    assert H // 2 + (H + 1) // 2 >= H
    # Two sizes of 1 have no halves, but 2 has one.
    with pytest.raises(UndecidableError):
        _ = H // 2 + W // 2 >= (H + W) // 2
    # Divisors of more than 12 digits together are not looked through.
    with pytest.raises(UndecidableError):
        _ = 2 * (H // 10**13) >= W


def test_powers_are_compared_by_what_their_factors_exceed():
    # With t = H − 1, which is 0 or more:
    assert H * H - 2 * H + 1 >= 0  # t²
    assert 2 * H - H * H <= 1  # 1 − t²
    assert 2 * H - H * H < 2
    assert H**3 - 3 * H**2 + 3 * H - 1 >= 0  # t³
    assert H**8 >= H
    for open_ in (lambda: H * H - 5 * H + 4 >= 0, lambda: H * H - 5 * H + 4 <= 0):
        with pytest.raises(UndecidableError):  # t² − 3·t: −2 for 1, 4 for 4
            open_()


def test_the_error_states_the_question_and_the_symbols():
    with pytest.raises(UndecidableError) as caught:
        _ = H // 2 == W + 1
    assert str(caught.value) == "cannot decide whether ⌊H/2⌋ = W + 1: it depends on H, W"
    assert caught.value.symbols == {"H", "W"}
    with pytest.raises(UndecidableError) as caught:
        _ = H < 5
    assert str(caught.value) == "cannot decide whether H < 5: it depends on H"


@pytest.mark.parametrize(
    ("compare", "text"),
    [
        (lambda: H < W, "H < W"),
        (lambda: H >= W, "H < W"),  # which it would not be
        (lambda: H > W, "W < H"),
        (lambda: H <= W, "W < H"),
    ],
)
def test_an_open_comparison_is_named_by_its_sides(compare, text):
    with pytest.raises(UndecidableError) as caught:
        compare()
    assert str(caught.value) == f"cannot decide whether {text}: it depends on H, W"
    assert isinstance(caught.value, ValueError)


def test_a_formula_is_no_text_and_has_no_order_with_one():
    assert H != "H"
    assert (H == None) is False  # noqa: E711
    for compare in (operator.lt, operator.le, operator.gt, operator.ge):
        with pytest.raises(TypeError):
            compare(H, "H")


@many(1000)
@given(
    trees(2),
    trees(2),
    st.sampled_from(["lt", "le", "gt", "ge", "eq", "ne"]),
    st.lists(POINTS, min_size=3, max_size=3),
)
def test_a_decided_comparison_holds_at_every_point(left, right, name, points):
    compare = getattr(operator, name)
    try:
        answer = compare(compute(left, FORMULAS), compute(right, FORMULAS))
    except UndecidableError:
        return
    for point in GRID + points:
        assert compare(compute(left, point), compute(right, point)) is answer


@many(500)
@given(trees(3), st.lists(POINTS, min_size=3, max_size=3))
def test_a_decided_truth_holds_at_every_point(tree, points):
    try:
        answer = bool(compute(tree, FORMULAS))
    except UndecidableError:
        return
    assert {bool(compute(tree, point)) for point in GRID + points} == {answer}


# -- one form for one formula ---------------------------------------------------------------------


def small_formulas(signs):
    """Every tree of up to three leaves from H, W, 1, 2, 3, divided by numbers only."""
    leaves = ("H", "W", 1, 2, 3)

    def operations(lefts, rights):
        for sign, left, right in itertools.product(signs, lefts, rights):
            if sign != "//" or isinstance(right, int):
                yield sign, left, right

    pairs = list(operations(leaves, leaves))
    return [*leaves, *pairs, *operations(pairs, leaves), *operations(leaves, pairs)]


def test_equal_formulas_have_equal_values():
    values_of = defaultdict(set)
    for tree in small_formulas(("+", "-", "*", "//")):
        values_of[compute(tree, FORMULAS)].add(tuple(compute(tree, point) for point in GRID))
    assert len(values_of) > 300
    assert all(len(values) == 1 for values in values_of.values())


def test_formulas_without_floors_are_equal_if_their_values_are():
    # Polynomials of degree 3 that agree on a grid of 4 × 4 points are the same.
    texts_of = defaultdict(set)
    for tree in small_formulas(("+", "-", "*")):
        values = tuple(compute(tree, point) for point in GRID)
        texts_of[values].add(str(compute(tree, FORMULAS)))
    assert len(texts_of) > 100
    assert all(len(texts) == 1 for texts in texts_of.values())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (H, symbol("H")),
        ((H + 1) * W, W * H + W),
        ((H + 1) // 2, (H - 1) // 2 + 1),
        ((2 * H + 2) // 4, (H + 1) // 2),
        (H // 6, H // 3 // 2),
        (H // W // N, H // N // W),
    ],
)
def test_equal_formulas_have_equal_hashes(one, other):
    assert one == other
    assert hash(one) == hash(other)
    assert len({one, other}) == 1


def test_formulas_that_cannot_be_compared_live_in_one_set():
    # Python gives −1 and −2 the same hash: a look-up that met both would have to compare them.
    one, other = -H - 2 * W, -2 * H - W
    assert len({one, other}) == 2
    assert str(one // N + other // N) == "⌊(−2·H − W)/N⌋ + ⌊(−H − 2·W)/N⌋"


# -- oracles --------------------------------------------------------------------------------------


@many(2000)
@given(trees(5), st.lists(POINTS, min_size=3, max_size=3))
def test_formulas_are_worth_what_integers_give(tree, points):
    formula = compute(tree, FORMULAS)
    for point in points:
        assert evaluated(formula, point) == compute(tree, point)


@many(500)
@given(trees(), POSITIVE, POINTS)
def test_substitution_is_worth_what_integers_give(tree, size, point):
    formula = compute(tree, FORMULAS)
    if isinstance(formula, Polynomial):
        formula = formula.substitute({"H": compute(size, FORMULAS)})
    assert evaluated(formula, point) == compute(tree, point | {"H": compute(size, point)})


SYMPY_OPERATORS = OPERATORS | {"//": lambda a, b: sympy.floor(sympy.sympify(a) / b)}
SYMPY_SYMBOLS = {name: sympy.Symbol(name, integer=True, positive=True) for name in SYMBOLS}


@many(2000)
@given(trees(3, divisions=("//",)), POINTS)
def test_formulas_are_worth_what_sympy_gives(tree, point):
    theirs = sympy.sympify(compute(tree, SYMPY_SYMBOLS, SYMPY_OPERATORS))
    expected = theirs.subs({SYMPY_SYMBOLS[name]: value for name, value in point.items()})
    assert expected.is_Integer
    assert evaluated(compute(tree, FORMULAS), point) == int(expected)


# -- the documentation ----------------------------------------------------------------------------


def test_the_examples_in_the_docstrings_hold():
    result = doctest.testmod(polynomial)
    assert result.attempted > 0
    assert result.failed == 0


def test_floors_are_bounded_by_what_they_round():
    h = symbol("H")
    # 16·⌊(H + 15)/16⌋ ≥ H, and 8·⌊(H + 7)/8⌋ ≤ H + 7
    assert 8 * ((h + 7) // 8) + 42 < 16 * ((h + 15) // 16) + 186
    assert 8 * ((h + 7) // 8) + 42 >= 16 * ((h + 15) // 16) - 35
    assert h // 2 + h // 2 <= h
    assert h // 2 + h // 2 + 1 >= h
    assert ((h // 3) * 5 + 2) // 5 * 3 <= h + 2
    with pytest.raises(UndecidableError):
        assert 2 * (h // 2) < h  # so for odd H only
    with pytest.raises(UndecidableError):
        assert h // 2 < h // 3 + 5


@given(
    st.lists(
        st.tuples(st.integers(-6, 6), st.integers(-9, 9), st.integers(1, 6), st.integers(1, 4)),
        min_size=1,
        max_size=3,
    ),
    st.integers(-40, 40),
    st.integers(-3, 3),
)
def test_what_is_decided_of_floors_holds_for_every_value(parts, constant, slope):
    """c·⌊(k·H + a)/d⌋ summed up, against slope·H + constant."""
    h = symbol("H")
    left = sum((c * ((k * h + a) // d) for c, a, d, k in parts), start=0)
    right = slope * h + constant
    try:
        is_less = left < right
    except UndecidableError:
        return
    for value in (1, 2, 3, 5, 7, 8, 11, 30, 97, 1000):
        number = sum(c * ((k * value + a) // d) for c, a, d, k in parts)
        assert (number < slope * value + constant) is is_less
