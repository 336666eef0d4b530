"""How numbers are written for people."""

from fractions import Fraction

import pytest

from convcalc.reports.figures import byte_size, count, percent, ratio, shape


def test_counts_have_thousands_separators_and_every_digit():
    assert count(4_089_184_256) == "4,089,184,256"
    assert count(10**20) == "100,000,000,000,000,000,000"


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.00 KiB"),
        (9_633_792, "9.19 MiB"),  # 9,633,792 / 1,048,576 = 9.1875
        (2**30, "1.00 GiB"),
        (5 * 2**40, "5.00 TiB"),
        (3 * 2**50, "3,072.00 TiB"),
    ],
)
def test_bytes_are_in_binary_units(size, text):
    assert byte_size(size) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(854_196_224, 271_351_808), "3.15×"),
        (Fraction(1), "1.00×"),
        (Fraction(123, 10), "12.3×"),
        (Fraction(123_456, 100), "1,235×"),
        (Fraction(1, 3000), "1/3,000×"),
        (Fraction(0), "0.00×"),
        (None, ""),
    ],
)
def test_ratios_have_about_three_digits(value, text):
    assert ratio(value) == text


def test_a_share_of_nothing_is_left_blank():
    assert percent(1, 8) == "12.5 %"
    assert percent(0, 0) == ""


def test_shapes():
    assert shape((64, 112, 112)) == "64×112×112"
    assert shape((1000,)) == "1000"
