"""Shown numbers: what is printed is the formula that ran, and every step of it has the value."""

from __future__ import annotations

import doctest
import itertools
import operator

import pytest
from formula_trees import OPERATORS, POINTS, POSITIVE, SYMBOLS, compute, many, read, trees
from hypothesis import given
from hypothesis import strategies as st

from convcalc.algebra import Polynomial, Shown, UndecidableError, product, symbol
from convcalc.algebra import shown as shown_module
from convcalc.algebra.shown import divided, greater, lesser

H, W = symbol("H"), symbol("W")
A, B, C = Shown(5, "a"), Shown(3, "b"), Shown(2, "c")
NEGATIVE = Shown(-4, "n")


# -- derivations ----------------------------------------------------------------------------------


def test_a_quantity_is_shown_with_its_value():
    assert str(A) == "a = 5"
    assert repr(A) == "<Shown a = 5>"


def test_the_output_size_of_a_convolution():
    i, k, s, p, d = (
        Shown(value, name) for name, value in {"i": 224, "k": 7, "s": 2, "p": 3, "d": 1}.items()
    )
    size = (i + (p + p) - d * (k - 1) - 1) // s + 1
    assert size.formula == "⌊(i + 2·p − d·(k − 1) − 1)/s⌋ + 1"
    assert size.substituted == "⌊(224 + 2·3 − 1·(7 − 1) − 1)/2⌋ + 1"
    assert size.value == 112  # 223//2 + 1
    assert str(size) == f"{size.formula} = {size.substituted} = 112"


def test_the_parameters_of_a_convolution():
    weights = product((Shown(64, "C_out"), Shown(4, "C_in") // Shown(2, "g"), *[Shown(7, "k")] * 2))
    # 64 · 2 · 49 = 6272
    assert str(weights) == "C_out·⌊C_in/g⌋·k² = 64·⌊4/2⌋·7² = 6272"


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (A + B, "a + b = 5 + 3 = 8"),
        (A - B, "a − b = 5 − 3 = 2"),
        (A * B, "a·b = 5·3 = 15"),
        (A // C, "⌊a/c⌋ = ⌊5/2⌋ = 2"),
        (A % B, "a mod b = 5 mod 3 = 2"),
        (A + 1, "a + 1 = 5 + 1 = 6"),
        (1 + A, "1 + a = 1 + 5 = 6"),
        (A - 1, "a − 1 = 5 − 1 = 4"),
        (9 - A, "9 − a = 9 − 5 = 4"),
        (A * 2, "2·a = 2·5 = 10"),
        (2 * A, "2·a = 2·5 = 10"),
        (A // 2, "⌊a/2⌋ = ⌊5/2⌋ = 2"),
        (9 // A, "⌊9/a⌋ = ⌊9/5⌋ = 1"),
        (A % 2, "a mod 2 = 5 mod 2 = 1"),
        (9 % A, "9 mod a = 9 mod 5 = 4"),
    ],
)
def test_an_operation_is_shown_with_both_operands(shown, text):
    assert str(shown) == text


def test_a_step_that_repeats_the_one_before_is_left_out():
    assert str(-A) == "−a = −5"
    assert str(Shown(H, "H")) == "H"


def test_operations_leave_their_operands_alone():
    _ = (A + B, A - 1, 2 * A, A // B, A % B, -A)
    assert str(A) == "a = 5"
    assert str(B) == "b = 3"


# -- brackets -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (A + B + C, "a + b + c = 5 + 3 + 2 = 10"),
        (A + (B + C), "a + (b + c) = 5 + (3 + 2) = 10"),
        (A - B - C, "a − b − c = 5 − 3 − 2 = 0"),
        (A - (B - C), "a − (b − c) = 5 − (3 − 2) = 4"),
        (A * B + C, "a·b + c = 5·3 + 2 = 17"),
        (A - B * C, "a − b·c = 5 − 3·2 = −1"),
        ((A + B) * C, "(a + b)·c = (5 + 3)·2 = 16"),
        (A * (B + C), "a·(b + c) = 5·(3 + 2) = 25"),
        (A * (B * C), "a·b·c = 5·3·2 = 30"),
        (A * B // C, "⌊a·b/c⌋ = ⌊5·3/2⌋ = 7"),
        (A * (B // C), "a·⌊b/c⌋ = 5·⌊3/2⌋ = 5"),
        ((A + B) // C, "⌊(a + b)/c⌋ = ⌊(5 + 3)/2⌋ = 4"),
        (A // (B + C), "⌊a/(b + c)⌋ = ⌊5/(3 + 2)⌋ = 1"),
        (A // (B * C), "⌊a/(b·c)⌋ = ⌊5/(3·2)⌋ = 0"),
        (A // B // C, "⌊⌊a/b⌋/c⌋ = ⌊⌊5/3⌋/2⌋ = 0"),
        (A // (B // C), "⌊a/⌊b/c⌋⌋ = ⌊5/⌊3/2⌋⌋ = 5"),
        (-(A + B), "−(a + b) = −(5 + 3) = −8"),
        (-(A * B), "−a·b = −5·3 = −15"),
        (-A * B, "−a·b = −5·3 = −15"),
        (-A + B, "−a + b = −5 + 3 = −2"),
        (A - -B, "a + b = 5 + 3 = 8"),
        (operator.neg(-A), "a = 5"),
        (-(A // C), "−⌊a/c⌋ = −⌊5/2⌋ = −2"),
        (-A // C, "⌊(−a)/c⌋ = ⌊(−5)/2⌋ = −3"),
        (A * -2, "−2·a = −2·5 = −10"),
        (A + -2, "a − 2 = 5 − 2 = 3"),
        (-2 * A, "−2·a = −2·5 = −10"),
    ],
)
def test_brackets_stand_where_the_order_of_operations_needs_them(shown, text):
    assert str(shown) == text


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        ((A + B) % C, "(a + b) mod c = (5 + 3) mod 2 = 0"),
        ((A * B) % C, "(a·b) mod c = (5·3) mod 2 = 1"),
        (A // B % C, "⌊a/b⌋ mod c = ⌊5/3⌋ mod 2 = 1"),
        (A % B % C, "(a mod b) mod c = (5 mod 3) mod 2 = 0"),
        (A % (B % C), "a mod (b mod c) = 5 mod (3 mod 2) = 0"),
        (A * (B % C), "a·(b mod c) = 5·(3 mod 2) = 5"),
        (A % B * C, "(a mod b)·c = (5 mod 3)·2 = 4"),
        (A % B + C, "(a mod b) + c = (5 mod 3) + 2 = 4"),
        (A - B % C, "a − (b mod c) = 5 − (3 mod 2) = 4"),
        (A % B // C, "⌊(a mod b)/c⌋ = ⌊(5 mod 3)/2⌋ = 1"),
        (-(A % B), "−(a mod b) = −(5 mod 3) = −2"),
    ],
)
def test_a_modulo_has_brackets_in_whatever_it_is_part_of(shown, text):
    assert str(shown) == text


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (NEGATIVE, "n = −4"),
        (A * Shown(0, "p"), "a·p = 5·0 = 0"),
        (-NEGATIVE, "−n = −(−4) = 4"),
        (NEGATIVE - A, "n − a = −4 − 5 = −9"),
        (A - NEGATIVE, "a − n = 5 − (−4) = 9"),
        (A + NEGATIVE, "a + n = 5 + (−4) = 1"),
        (NEGATIVE * A, "n·a = (−4)·5 = −20"),
        (A * NEGATIVE, "a·n = 5·(−4) = −20"),
        (NEGATIVE // A, "⌊n/a⌋ = ⌊(−4)/5⌋ = −1"),
        (A // NEGATIVE, "⌊a/n⌋ = ⌊5/(−4)⌋ = −2"),
        (NEGATIVE % A, "n mod a = (−4) mod 5 = 1"),
        (NEGATIVE + NEGATIVE, "2·n = 2·(−4) = −8"),
    ],
)
def test_a_value_below_0_has_brackets_where_its_name_needs_none(shown, text):
    assert str(shown) == text


# -- the same quantity twice ----------------------------------------------------------------------


def test_a_quantity_added_to_itself_is_twice_that():
    p = Shown(3, "p")
    assert str(p + p) == "2·p = 2·3 = 6"
    assert str(p + p + p) == "3·p = 3·3 = 9"
    assert str(p + Shown(3, "p")) == "2·p = 2·3 = 6"
    assert str(A // B + A // B) == "2·⌊a/b⌋ = 2·⌊5/3⌋ = 2"
    assert str(A * (p + p)) == "2·a·p = 2·5·3 = 30"


def test_sums_and_products_added_to_themselves_are_twice_that():
    assert str((A + B) + (A + B)) == "2·a + 2·b = 2·5 + 2·3 = 16"
    assert str(A * B + B * A) == "2·a·b = 2·5·3 = 30"


def test_only_one_name_with_one_value_is_twice_itself():
    assert str(Shown(1, "p") + Shown(2, "p")) == "p + p = 1 + 2 = 3"
    assert str(Shown(3, "p") + Shown(3, "q")) == "p + q = 3 + 3 = 6"


# -- what a person leaves out, or writes together -----------------------------------------------


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (A * 1, "a = 5"),
        (1 * A, "a = 5"),
        (A + 0, "a = 5"),
        (0 + A, "a = 5"),
        (A - 0, "a = 5"),
        (0 - A, "−a = −5"),
        (A // 1, "a = 5"),
        (A * 0, "0"),
        (0 * A + B, "b = 3"),
        (0 - (A + B), "−a − b = −5 − 3 = −8"),
    ],
)
def test_a_factor_of_1_and_a_term_of_0_are_left_out(shown, text):
    assert str(shown) == text


def test_a_symbol_stays_even_if_it_is_0_or_1():
    one, zero = Shown(1, "g"), Shown(0, "p")
    assert str(A * one) == "a·g = 5·1 = 5"
    assert str(A + zero) == "a + p = 5 + 0 = 5"
    assert str(A // one) == "⌊a/g⌋ = ⌊5/1⌋ = 5"


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (A * 2 * B * 3, "6·a·b = 6·5·3 = 90"),
        (2 * (3 * A - A), "4·a = 4·5 = 20"),
        (A + 1 + 1, "a + 2 = 5 + 2 = 7"),
        (A + B - 1 + 1, "a + b = 5 + 3 = 8"),
        (A - B - A, "−b = −3"),
        (A * A, "a² = 5² = 25"),
        (A * B * A * A, "a³·b = 5³·3 = 375"),
        (2 * A * B + B * A, "3·a·b = 3·5·3 = 45"),
        (A * A * A * A * A * A * A * A * A * A, "a¹⁰ = 5¹⁰ = 9765625"),
        (NEGATIVE * NEGATIVE, "n² = (−4)² = 16"),
        ((A + B) * (A + B), "(a + b)² = (5 + 3)² = 64"),
        (A - A, "0"),
    ],
)
def test_numbers_multiply_out_and_equal_parts_merge(shown, text):
    assert str(shown) == text


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        # The brackets say what belongs together; a term that merges opens them.
        (A + (B + C), "a + (b + c) = 5 + (3 + 2) = 10"),
        (A + (2 * A - B), "3·a − b = 3·5 − 3 = 12"),
        (A * B + (A * B - C) + C, "2·a·b = 2·5·3 = 30"),
        (A - (B + C) - B, "a − 2·b − c = 5 − 2·3 − 2 = −3"),
        (A - (B - 1) - 1, "a − b = 5 − 3 = 2"),
        (A - C * (B - 1) - 1, "a − c·(b − 1) − 1 = 5 − 2·(3 − 1) − 1 = 0"),
    ],
)
def test_a_sum_in_brackets_is_opened_for_a_term_that_merges(shown, text):
    assert str(shown) == text


# -- functions ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (divided(Shown(6, "c"), B), "c/b = 6/3 = 2"),
        (divided(Shown(6, "c"), B) * A, "(c/b)·a = (6/3)·5 = 10"),
        (A * divided(Shown(6, "c"), B), "a·(c/b) = 5·(6/3) = 10"),
        (A - divided(Shown(6, "c"), B), "a − c/b = 5 − 6/3 = 3"),
        (divided(Shown(6, "c"), B) + A, "c/b + a = 6/3 + 5 = 7"),
        (divided(Shown(6, "c"), B) // C, "⌊(c/b)/c⌋ = ⌊(6/3)/2⌋ = 1"),
        (divided(A * B, Shown(5, "a") * B), "a·b/(a·b) = 5·3/(5·3) = 1"),
        (divided(Shown(6, "c"), 1), "c = 6"),
        (-divided(Shown(6, "c"), 2), "−c/2 = −6/2 = −3"),
        (divided(6, B), "6/b = 6/3 = 2"),
    ],
)
def test_a_division_without_a_rest_is_not_rounded(shown, text):
    assert str(shown) == text


def test_a_division_of_plain_numbers_is_theirs():
    assert divided(12, 4) == 3
    assert str(divided(12 * H, 4)) == "3·H"
    with pytest.raises(ZeroDivisionError):
        divided(A, 0)


def test_the_lesser_and_the_greater_show_both():
    assert str(lesser(0, B - A)) == "min(0, b − a) = min(0, 3 − 5) = −2"
    assert str(greater(0, B - A)) == "max(0, b − a) = max(0, 3 − 5) = 0"
    assert str(2 * lesser(A, 7) + 1) == "2·min(a, 7) + 1 = 2·min(5, 7) + 1 = 11"
    assert (lesser(3, 4), greater(3, 4)) == (3, 4)
    assert (lesser(H, H + 1), greater(H, H + 1)) == (H, H + 1)
    with pytest.raises(UndecidableError):
        lesser(0, 3 - H)


def test_a_function_is_shown_with_its_arguments():
    gcd = Shown.of("gcd", 1, A + 1, B)
    assert str(A - gcd) == "a − gcd(a + 1, b) = 5 − gcd(5 + 1, 3) = 4"


# -- formulas as values ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (Shown(H, "i"), "i = H"),
        (Shown(H, "i") // 2, "⌊i/2⌋ = ⌊H/2⌋"),
        (Shown(H, "i") + A - A, "i = H"),
        (Shown(H + 1, "i") * B, "i·b = (H + 1)·3 = 3·H + 3"),
        (Shown(2 * H, "i") // 3, "⌊i/3⌋ = ⌊2·H/3⌋"),
        (Shown(2 * H, "i") // Shown(2 * W, "k"), "⌊i/k⌋ = ⌊2·H/(2·W)⌋ = ⌊H/W⌋"),
        (A // Shown(H * W, "i"), "⌊a/i⌋ = ⌊5/(H·W)⌋"),
        (Shown(H**2, "i") // Shown(W**2, "k"), "⌊i/k⌋ = ⌊H²/W²⌋"),
        (A - Shown(2 * H, "i"), "a − i = 5 − 2·H = −2·H + 5"),
        (A - Shown(-H, "i"), "a − i = 5 − (−H) = H + 5"),
        (Shown(-H, "i") - A, "i − a = −H − 5"),
        (Shown(H // 2, "i") * B, "i·b = ⌊H/2⌋·3 = 3·⌊H/2⌋"),
        (Shown(2 * H, "i") % B, "i mod b = (2·H) mod 3 = 2·H − 3·⌊2·H/3⌋"),
    ],
)
def test_a_formula_is_put_in_with_the_brackets_it_needs(shown, text):
    assert str(shown) == text


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (H + A, "H + a = H + 5"),
        (H - A, "H − a = H − 5"),
        (H * A, "H·a = H·5 = 5·H"),
        ((H + 1) * A, "(H + 1)·a = (H + 1)·5 = 5·H + 5"),
        (H // A, "⌊H/a⌋ = ⌊H/5⌋"),
        (H % A, "H mod a = H mod 5 = H − 5·⌊H/5⌋"),
        (A // (2 * H), "⌊a/(2·H)⌋ = ⌊5/(2·H)⌋ = ⌊2/H⌋"),
    ],
)
def test_a_formula_may_be_the_other_operand(shown, text):
    assert str(shown) == text


# -- comparisons ----------------------------------------------------------------------------------

COMPARISONS = (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne)


@pytest.mark.parametrize("compare", COMPARISONS)
def test_comparisons_are_of_the_values(compare):
    for x, y in itertools.product((-2, 3, 4), repeat=2):
        assert compare(Shown(x, "x"), Shown(y, "y")) is compare(x, y)
        assert compare(Shown(x, "x"), y) is compare(x, y)
        assert compare(x, Shown(y, "y")) is compare(x, y)


def test_comparisons_with_formulas_are_of_the_values():
    for compare in COMPARISONS:
        expected = compare(2, 1)  # as H + 1 is to H
        assert compare(Shown(H + 1, "i"), Shown(H, "k")) is expected
        assert compare(Shown(H + 1, "i"), H) is expected
        assert compare(H + 1, Shown(H, "k")) is expected


@pytest.mark.parametrize("compare", COMPARISONS)
def test_a_comparison_of_formulas_may_be_undecidable(compare):
    for left, right in ((Shown(H, "i"), A), (Shown(H, "i"), 5), (H, A), (H, Shown(W, "j"))):
        with pytest.raises(UndecidableError):
            compare(left, right)


def test_a_shown_number_is_true_unless_it_is_0():
    assert A
    assert not Shown(0, "p")
    with pytest.raises(UndecidableError):
        bool(Shown(H - 1, "i"))


def test_equal_values_have_equal_hashes():
    assert hash(A) == hash(5) == hash(Shown(5, "x"))
    assert {A: "five"}[5] == "five"


def test_a_shown_number_is_not_its_text():
    assert A != "a = 5"
    with pytest.raises(TypeError):
        _ = A < "a"


def test_a_choice_is_made_by_value_and_keeps_its_derivation():
    assert min(0, B - A) == -2
    assert str(min(0, B - A)) == "b − a = 3 − 5 = −2"
    assert min(0, A - B) == 0
    assert str(max(A, B)) == "a = 5"


def test_division_by_zero_is_an_error():
    with pytest.raises(ZeroDivisionError):
        A // Shown(0, "s")
    with pytest.raises(ZeroDivisionError):
        A % 0


# -- products -------------------------------------------------------------------------------------


def test_a_product_of_numbers():
    assert product(()) == 1
    assert product((7,)) == 7
    assert product((2, 3, 7)) == 42
    assert str(product((2, H, 3, W))) == "6·H·W"


def test_a_product_starts_with_its_first_factor():
    assert str(product((A,))) == "a = 5"
    assert str(product((A, B, C))) == "a·b·c = 5·3·2 = 30"
    assert str(product((A, 1))) == "a = 5"


# -- any formula ----------------------------------------------------------------------------------


@many(1200)
@given(trees(), st.fixed_dictionaries({name: st.integers(-9, 30) for name in SYMBOLS}))
def test_every_step_has_the_value_that_integers_give(tree, values):
    quantities = {name: Shown(value, name) for name, value in values.items()}
    try:
        expected = compute(tree, values)
    except ZeroDivisionError:
        with pytest.raises(ZeroDivisionError):
            compute(tree, quantities)
        return
    shown = compute(tree, quantities)
    if not isinstance(shown, Shown):  # no quantity in the tree
        assert shown == expected
        return
    assert shown.value == expected
    assert read(shown.formula, values) == expected
    assert read(shown.substituted) == expected
    formula, *steps = str(shown).split(" = ")
    assert formula == shown.formula
    assert {read(step, values) for step in (formula, *steps)} == {expected}


@many(600)
@given(trees(3), st.fixed_dictionaries(dict.fromkeys(SYMBOLS, POSITIVE)), POINTS)
def test_every_step_has_the_value_that_formulas_give(tree, sizes, point):
    symbols = {name: symbol(name) for name in SYMBOLS}
    formulas = {name: compute(size, symbols) for name, size in sizes.items()}
    values = {name: compute(size, point) for name, size in sizes.items()}
    shown = compute(tree, {name: Shown(value, name) for name, value in formulas.items()})
    if not isinstance(shown, Shown):  # no quantity in the tree
        return
    expected = compute(tree, values)
    assert str(shown.value) == str(compute(tree, formulas))
    assert read(shown.formula, values) == expected
    assert read(shown.substituted, point) == expected
    at_point = shown.value.evaluate(point) if isinstance(shown.value, Polynomial) else shown.value
    assert at_point == expected


@many(500)
@given(trees(3), POINTS)
def test_ints_formulas_and_shown_numbers_agree(tree, point):
    formula = compute(tree, {name: symbol(name) for name in SYMBOLS})
    shown = compute(tree, {name: Shown(value, name) for name, value in point.items()})
    expected = compute(tree, point)
    assert (formula.evaluate(point) if isinstance(formula, Polynomial) else formula) == expected
    assert (shown.value if isinstance(shown, Shown) else shown) == expected


@pytest.mark.parametrize("sign", OPERATORS)
def test_only_integers_and_formulas_are_operands(sign):
    for left, right in ((A, "1"), ("1", A), (A, None), (None, A)):
        if (sign, left) != ("%", "1"):  # a text's own % formats it
            with pytest.raises(TypeError):
                OPERATORS[sign](left, right)


# -- the documentation ----------------------------------------------------------------------------


def test_the_examples_in_the_docstrings_hold():
    result = doctest.testmod(shown_module)
    assert result.attempted > 0
    assert result.failed == 0
