"""What undecidable checks take for granted, and in how few words it is said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcalc.algebra import UndecidableError, symbol
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


def test_a_floor_that_rounds_nothing_is_a_fraction():
    condition = Condition(((Comparison(c, "==", 0, g),),))
    assert [str(each) for each in exact_fraction(c * k * (c // g), [condition])] == ["c²·k", "g"]
    # With k added, or with another floor, it is no factor of the whole.
    assert exact_fraction(c * (c // g) + k, [condition]) is None
    assert exact_fraction(c * (k // g), [condition]) is None
    assert exact_fraction(c * (c // g), []) is None


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
