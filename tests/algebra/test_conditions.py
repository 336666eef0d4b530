"""What undecidable checks take for granted, and in how few words it is said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcalc.algebra import UndecidableError, conditions, symbol
from convcalc.algebra.assumptions import assume
from convcalc.algebra.conditions import (
    Comparison,
    Condition,
    exact_fraction,
    in_few_words,
    take_for_granted,
    taken_for_granted,
)

H, W, c, g, k = map(symbol, ("H", "W", "c", "g", "k"))


def words(*conditions, assumptions=()):
    """What is left of conditions that were taken for granted, one after the other."""
    assumed = assume(assumptions, {"H", "W", "c", "g", "k"})
    with taken_for_granted() as taken:
        for condition in conditions:
            take_for_granted(condition)
    return [each.written() for each in in_few_words(taken.values(), assumed)]


def test_a_doubled_half_says_that_the_size_is_even():
    assert words(lambda: 2 * (H // 2) == H) == ["H % 2 == 0"]
    # 8·⌊(H + 7)/8⌋ is H rounded up to a multiple of 8
    assert words(lambda: 8 * ((H + 7) // 8) == H) == ["H % 8 == 0"]
    assert words(lambda: 4 * ((H - 1) // 4) + 3 == H) == ["H % 4 == 3"]


def test_a_half_of_which_a_half_is_doubled_is_even():
    assert words(lambda: 2 * (H // 4) == H // 2) == ["⌊H/2⌋ % 2 == 0"]
    # ⌈⌈H/2⌉/2⌉·2 = ⌈H/2⌉
    assert words(lambda: 2 * ((H + 3) // 4) == (H + 1) // 2) == ["⌊(H + 1)/2⌋ % 2 == 0"]


def test_halves_of_halves_are_one_condition_in_any_order():
    halves = [lambda n=n: 2 * (H // (2 * n)) == H // n for n in (8, 2, 4, 1)]
    assert words(*halves) == ["H % 16 == 0"]
    assert words(*reversed(halves)) == ["H % 16 == 0"]


def test_what_follows_from_an_assumption_is_left_out():
    h = symbol("h")  # what stands for H/4
    assert words(lambda: 2 * (h // 2) == h, assumptions=["H % 4 == 0"]) == ["H % 8 == 0"]
    assert words(lambda: h >= 2, assumptions=["H % 4 == 0"]) == ["H >= 8"]
    with taken_for_granted() as taken:
        take_for_granted(lambda: 2 * (2 * h) == 4 * h)
    assert not taken


def test_what_is_assumed_and_what_is_learned_are_put_together():
    h = symbol("h")
    even = lambda: 2 * (h // 2) == h  # noqa: E731
    assert words(even, assumptions=["H % 2 == 1"]) == ["H % 4 == 3"]  # 2·(2n) − 1
    assert words(even, assumptions=["H % 3 == 1"]) == ["H % 6 == 4"]  # 3·(2n) − 2
    assert words(lambda: h >= 5, assumptions=["H % 3 == 1"]) == ["H >= 13"]  # 3·5 − 2
    assert words(lambda: h >= 2, assumptions=["H % 4 == 0", "H >= 9"]) == ["H >= 16"]  # 12, 16, …
    # Of 64 or more, 66 is the first that 3 divides: that it is 65 or more goes without saying.
    third = lambda: 3 * ((h + 63) // 3) == h + 63  # noqa: E731
    assert words(third, lambda: h >= 2, assumptions=["H >= 64"]) == ["H % 3 == 0"]


def test_what_a_fact_leaves_of_a_choice_is_a_fact_too():
    assert words(lambda: c == 4 or H == 2, lambda: H == 3) == ["H == 3", "c == 4"]
    # H = 3 leaves c = 4, and that leaves W = 7.
    chain = (lambda: c == 4 or H == 2, lambda: H == 3, lambda: c == 5 or W == 7)
    assert words(*chain) == ["H == 3", "c == 4", "W == 7"]
    # What is left may be an equation that cannot be solved.
    assert words(lambda: c == 4 or H * W == 6, lambda: c == 5) == ["c == 5", "H·W == 6"]
    # Two choices are left of three.
    open_ = (lambda: c == 4 or H == 2, lambda: H == 3, lambda: k == 5 or W == 7)
    assert words(*open_) == ["H == 3", "c == 4", "k == 5 or W == 7"]
    assert words(lambda: H == 5, lambda: H >= 5) == ["H == 5"]


def test_congruences_are_solved_for_the_size():
    assert words(lambda: (3 * H + 1) % 4 == 0) == ["H % 4 == 1"]  # 3·1 + 1 = 4
    assert words(lambda: (4 * H + 2) % 6 == 0) == ["H % 3 == 1"]  # 2·H + 1 by 3: 2·1 + 1 = 3
    # 5·4 + 1 = 21, so 4 modulo 7; and 2 modulo 3: 11 = 7 + 4 = 3·3 + 2
    assert words(lambda: (5 * H + 1) % 7 == 0, lambda: H % 3 == 2) == ["H % 21 == 11"]
    # H = 2·h − 1 for a multiple of 3: 5, 11, 17, …
    third = lambda: symbol("h") % 3 == 0  # noqa: E731
    assert words(third, assumptions=["H % 2 == 1"]) == ["H % 6 == 5"]
    # 4·H + 1 is odd, and no multiple of 6: it stays as it is, with (4·H + 1)//6 as ⌊2·H/3⌋.
    assert words(lambda: (4 * H + 1) % 6 == 0) == ["4·H + 1 == 6·⌊2·H/3⌋"]


def test_a_bound_and_a_congruence_give_the_first_size_of_both():
    even = lambda: 2 * (H // 2) == H  # noqa: E731
    for pair in ((even, lambda: H >= 5), (lambda: H >= 5, even)):
        assert words(*pair) == ["H % 2 == 0", "H >= 6"]


def test_what_contradicts_itself_is_shown_whole():
    assert words(lambda: H == 3, lambda: H == 4) == ["H == 3", "H == 4"]
    assert words(lambda: H >= 5, lambda: H < 5) == ["H >= 5", "H <= 4"]
    assert words(lambda: c == 6, lambda: c == 4 or c == 5) == ["c == 6", "c == 4 or c == 5"]  # noqa: PLR1714
    assert words(lambda: 2 * H == 7) == ["2·H == 7"]


def test_equations_are_solved_for_one_size_only_where_they_can_be():
    assert words(lambda: H == 1, lambda: W == H) == ["H == 1", "W == 1"]
    assert words(lambda: symbol("h") == 4, assumptions=["H % 4 == 0"]) == ["H == 16"]
    assert words(lambda: W * k == H) == ["W·k == H"]
    assert words(lambda: H // 2 == W) == ["W == ⌊H/2⌋"]
    both = (lambda: H % 2 == 0, lambda: H == W, lambda: W % 3 == 0)
    assert words(*both) == ["H % 2 == 0", "W % 3 == 0", "H == W"]


def test_comparisons_are_written_with_nothing_negative_and_in_lowest_terms():
    assert words(lambda: 4 - c != 0) == ["c != 4"]
    assert words(lambda: 4 * H - 2 * W != 8) == ["2·H != W + 4"]
    assert words(lambda: 4 * H - 2 * W >= 7) == ["2·H >= W + 4"]  # 2·H − W is whole: not 3.5
    # ⌊(H + W)/2⌋ is 3 or more from 6 on, and 5 or less up to 11.
    assert words(lambda: (H + W) // 2 >= 3, lambda: H + W >= 6) == ["H + W >= 6"]
    assert words(lambda: (H + W) // 2 <= 5) == ["H + W <= 11"]
    assert words(lambda: (H + W) // 2 != 3) == ["⌊(H + W)/2⌋ != 3"]
    assert words(lambda: H // 2 >= 3 or W == 5) == ["H >= 6 or W == 5"]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (lambda: 2 * (H // 3) <= 5, "H <= 8"),  # ⌊H/3⌋ ≤ 2
        (lambda: 3 * (H // 4) >= 7, "H >= 12"),  # ⌊H/4⌋ ≥ 3
        # Of these no inequality without a floor says the same.
        (lambda: W * (H // 2) >= 6, "W·⌊H/2⌋ >= 6"),
        (lambda: (H // 2) ** 2 >= 9, "⌊H/2⌋² >= 9"),
        (lambda: H // W >= 2, "⌊H/W⌋ >= 2"),
        (lambda: H // W <= 5, "⌊H/W⌋ <= 5"),
        (lambda: 2 * (H // 3) >= W, "2·⌊H/3⌋ >= W"),
        (lambda: 3 * ((H + W) // 2) + W >= 20, "W + 3·⌊(H + W)/2⌋ >= 20"),
    ],
)
def test_a_bound_of_a_floor_is_one_of_what_it_divides_where_it_can_be(condition, expected):
    assert words(condition) == [expected]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (lambda: 4 * (H // 4) == 2 * (H // 2), "⌊H/2⌋ % 2 == 0"),
        # A remainder of a division by 3 is never 3, and twice one never 1.
        (lambda: 3 * (H // 3) + 3 == H, "H == 3·⌊H/3⌋ + 3"),
        (lambda: 2 * (H % 3) == 1, "2·H == 6·⌊H/3⌋ + 1"),
        # Neither is ⌊H/2⌋ − 2·⌊H/4⌋ ever 2.
        (lambda: 2 * ((H + 4) // 4) == H // 2, "⌊H/2⌋ == 2·⌊H/4⌋ + 2"),
        # Floors that have nothing to do with each other, though one divisor divides the other.
        (lambda: 2 * ((H + 1) // 6) == H // 2, "⌊H/2⌋ == 2·⌊(H + 1)/6⌋"),
        (lambda: 3 * ((H + 1) // 6) == H // 2, "⌊H/2⌋ == 3·⌊(H + 1)/6⌋"),
        (lambda: 2 * (H // 4) == H // 3, "⌊H/3⌋ == 2·⌊H/4⌋"),
        (lambda: H // 3 == H // 4, "⌊H/3⌋ == ⌊H/4⌋"),
        (lambda: 2 * (H // 4) + H // W == H // 2 + 3, "⌊H/2⌋ + 3 == 2·⌊H/4⌋ + ⌊H/W⌋"),
        (lambda: (H // W) * k == H, "k·⌊H/W⌋ == H"),
    ],
)
def test_an_equation_is_a_remainder_only_where_it_says_so(condition, expected):
    assert words(condition) == [expected]


def test_many_choices_are_all_shown():
    # More than are compared with each other.
    choices = [lambda n=n: c == n or k == n for n in range(2, 72)]  # noqa: PLR1714
    assert words(*choices) == [f"c == {n} or k == {n}" for n in range(2, 72)]


def test_the_greatest_bound_is_the_only_one():
    assert words(lambda: H >= 5, lambda: (H - 35) // 32 >= 1, lambda: H >= 7) == ["H >= 67"]
    assert words(lambda: k <= 5, lambda: k <= 9) == ["k <= 5"]
    assert words(lambda: 2 * k <= H + 5, lambda: 2 * k <= H + 9) == ["H + 5 >= 2·k"]


def test_a_size_that_is_fixed_says_all():
    assert words(lambda: H == 16, lambda: H >= 5, lambda: 2 * (H // 2) == H) == ["H == 16"]
    assert words(lambda: H == W, lambda: 2 * (W // 2) == W) == ["W == H", "H % 2 == 0"]


def test_an_equation_of_several_sizes_is_shown_as_it_is():
    assert words(lambda: 3 * H * W == 768) == ["H·W == 256"]
    assert words(lambda: c % g == 0) == ["c % g == 0"]
    assert words(lambda: (H + W) % 2 == 0) == ["(H + W) % 2 == 0"]


def test_alternatives_are_all_named():
    assert words(lambda: c == 4 or c == 1) == ["c == 4 or c == 1"]  # noqa: PLR1714 - asked in turn
    # The narrower implies the wider.
    narrow = lambda: c == H or c == 1  # noqa: E731, PLR1714
    wide = lambda: c == H or c == 1 or H == 1  # noqa: E731, PLR1714
    assert words(wide, narrow) == words(narrow)


def test_what_holds_in_one_case_and_in_the_other_is_told_apart():
    assert words(lambda: c == 4 and H == 2) == ["c == 4", "H == 2"]  # of two questions both
    assert words(lambda: c != 4 or H == 2) == ["c != 4 or H == 2"]
    cases = lambda: H == 2 if c == 4 else W == 3  # noqa: E731
    assert words(cases) == ["c == 4 and H == 2 or c != 4 and W == 3"]
    # In the case of c = 4 a question more is open.
    deeper = lambda: (H == 2 or W == 5) if c == 4 else W == 3  # noqa: E731
    assert words(deeper) == [
        "c == 4 and H == 2 or c == 4 and W == 5 or c != 4 and W == 3",
    ]


def test_what_is_noted_is_a_comparison_with_0():
    with taken_for_granted() as taken:
        for condition in (lambda: H >= 5, lambda: H < W, lambda: c == k, lambda: c != g):
            take_for_granted(condition)
    noted = [one for each in taken.values() for [one] in each.alternatives]
    assert [(one.relation, one.right) for one in noted] == [
        (">=", 0),
        (">=", 0),
        ("==", 0),
        ("!=", 0),
    ]
    # For integers H < W is W − H − 1 ≥ 0.
    assert [one.left for one in noted] == [H - 5, W - H - 1, c - k, c - g]


def test_of_a_condition_that_asks_without_end_the_first_answers_count(monkeypatch):
    monkeypatch.setattr(conditions, "MOST_STEPS", 5)
    with taken_for_granted() as taken:
        take_for_granted(lambda: all(n != H for n in range(2, 30)))
    [condition] = taken.values()
    [alternative] = condition.alternatives
    # 2 to 6; the sixth question is taken to be answered well.
    assert [one.left for one in alternative] == [H - n for n in range(2, 7)]


def test_a_remainder_is_of_the_value_of_its_modulus():
    divided = Comparison(c, "==", 2, g)
    assert divided.holds({"c": 8, "g": 3})  # 8 = 2·3 + 2
    assert not divided.holds({"c": 8, "g": 5})


def test_a_floor_that_rounds_nothing_is_a_fraction():
    condition = Condition(((Comparison(c, "==", 0, g),),))
    assert [str(each) for each in exact_fraction(c * k * (c // g), [condition])] == ["c²·k", "g"]
    # With k added, or with another floor, it is no factor of the whole.
    assert exact_fraction(c * (c // g) + k, [condition]) is None
    assert exact_fraction(c * (k // g), [condition]) is None
    assert exact_fraction(c * (c // g), []) is None
    found = exact_fraction(k * (c // g) * (c // g), [condition])
    assert [str(each) for each in found] == ["c²·k", "g²"]
    other = Condition(((Comparison(H, "==", 0, W),),))
    found = exact_fraction((c // g) * (H // W), [condition, other])
    assert [str(each) for each in found] == ["H·c", "W·g"]
    # What leaves 1, or anything but 0, is rounded.
    for relation, rest in (("==", 1), ("!=", 0)):
        unlike = Condition(((Comparison(c, relation, rest, g),),))
        assert exact_fraction(c * (c // g), [unlike]) is None


def test_nothing_is_noted_where_nobody_asks_or_all_is_decided():
    take_for_granted(lambda: H == W)
    with taken_for_granted() as taken:
        take_for_granted(lambda: H >= 1)
    assert not taken
    with pytest.raises(UndecidableError):
        _ = H == W


def test_python_can_read_a_condition():
    comparison = Comparison(H + W, "==", 0, 2)
    condition = Condition(((comparison,), (Comparison(H // 2, ">=", 3),)))
    assert condition.python() == "(H + W) % 2 == 0 or (H // 2) >= 3"
    for sizes in ({"H": 3, "W": 4}, {"H": 3, "W": 5}, {"H": 7, "W": 4}):
        assert condition.holds(sizes) == eval(condition.python(), dict(sizes))  # noqa: S307


formulas = st.recursive(
    st.sampled_from([H, W, 1, 2, 5]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda pair: pair[0] + pair[1]),
        st.tuples(inner, inner).map(lambda pair: pair[0] - pair[1]),
        st.tuples(inner, st.integers(2, 6)).map(lambda pair: pair[0] // pair[1]),
        st.tuples(inner, st.integers(2, 6)).map(lambda pair: pair[0] * pair[1]),
    ),
    max_leaves=6,
)
relations = st.sampled_from(["==", "!=", ">=", "<"])


@given(
    st.lists(st.tuples(formulas, relations, formulas), min_size=1, max_size=4),
    st.sampled_from([(), ("H % 2 == 0",), ("H % 3 == 2",), ("W == H",), ("H >= 4",)]),
)
def test_what_is_left_holds_exactly_where_all_of_it_does(rows, texts):
    assumed = assume(texts, {"H", "W"})
    rows = [(assumed.applied(left), sign, assumed.applied(right)) for left, sign, right in rows]

    def asked(left, sign, right):
        return {
            "==": lambda: left == right,
            "!=": lambda: left != right,
            ">=": lambda: left >= right,
            "<": lambda: left < right,
        }[sign]

    taken_rows = []
    with taken_for_granted() as taken:
        for row in rows:
            try:
                asked(*row)()
            except UndecidableError:
                take_for_granted(asked(*row))
                taken_rows.append(row)
    found = in_few_words(taken.values(), assumed)
    for height in range(1, 15):
        for width in range(1, 15):
            values = assumed.symbol_values({"H": height, "W": width})
            if values is None:
                continue
            expected = True
            for left, sign, right in taken_rows:
                a, b = (n if isinstance(n, int) else n.evaluate(values) for n in (left, right))
                expected &= {"==": a == b, "!=": a != b, ">=": a >= b, "<": a < b}[sign]
            sizes = {"H": height, "W": width}
            assert all(each.holds(sizes) for each in found) == expected, found
