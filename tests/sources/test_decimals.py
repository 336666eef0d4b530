"""Decimals are the numbers that are written, not the doubles next to them."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcalc.sources.decimals import DECIMAL, DecimalError, exact_decimal


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.1", Fraction(1, 10)),
        ("1.0", 1),
        ("5.", 5),
        (".5", Fraction(1, 2)),
        ("-2.50", Fraction(-5, 2)),
        ("+3", 3),
        ("1e3", 1000),
        ("1E+2", 100),
        ("25e-1", Fraction(5, 2)),
        ("1e-18", Fraction(1, 10**18)),
        ("1e18", 10**18),
        ("0e999999", 0),
        ("-0.0", 0),
        ("0.30000000000000004", Fraction(30000000000000004, 10**17)),
    ],
)
def test_a_decimal_is_exact(text, value):
    assert exact_decimal(text) == value
    assert type(exact_decimal(text)) is type(value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1e19", "is more than 10¹⁸"),
        ("-1e19", "is more than 10¹⁸"),
        ("1e400", "is more than 10¹⁸"),
        ("1e99999999999999", "is more than 10¹⁸"),
        ("1e-19", "has more than 18 decimals"),
        ("1e-999", "has more than 18 decimals"),
        ("0.1234567890123456789", "has more than 18 decimals"),
        ("0." + "1" * 500_000, "is a number of 500,002 characters"),
        ("1e" + "1" * 500_000, "is a number of 500,002 characters"),
    ],
)
def test_what_is_out_of_bounds_is_refused_at_once(text, said):
    with pytest.raises(DecimalError) as caught:
        exact_decimal(text)
    assert str(caught.value) == said


@given(st.integers(-(10**9), 10**9), st.integers(0, 9))
def test_any_decimal_is_what_it_says(digits, places):
    text = str(Decimal(digits).scaleb(-places))
    assert DECIMAL.fullmatch(text)
    assert exact_decimal(text) == Fraction(digits, 10**places)


@pytest.mark.parametrize(
    "text", ["", ".", "e5", "1_000", "0x10", "1.2.3", "inf", "nan", "1e", "--1"]
)
def test_what_is_no_decimal_is_told_apart(text):
    assert DECIMAL.fullmatch(text) is None
