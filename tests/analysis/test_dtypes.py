"""Number formats and the bytes that tensors take in them."""

import pytest

from convcalc.analysis import BITS, Dtypes
from convcalc.analysis.dtypes import bytes_of


@pytest.mark.parametrize(
    ("dtype", "size"),
    [
        ("float64", 8_000),
        ("float32", 4_000),
        ("float16", 2_000),
        ("bfloat16", 2_000),
        ("float8", 1_000),
        ("int8", 1_000),
        ("int4", 500),
    ],
)
def test_a_thousand_elements_take_these_bytes(dtype, size):
    assert bytes_of(1_000, dtype) == size


def test_every_format_is_among_those_tried():
    assert list(BITS) == ["float64", "float32", "float16", "bfloat16", "float8", "int8", "int4"]


@pytest.mark.parametrize(("elements", "size"), [(0, 0), (1, 1), (2, 1), (3, 2), (9, 5)])
def test_half_a_byte_is_rounded_up(elements, size):
    assert bytes_of(elements, "int4") == size


def test_numbers_are_float32_unless_it_is_said():
    assert Dtypes() == ("float32", "float32")


def test_an_unknown_format_has_no_size():
    with pytest.raises(KeyError):
        bytes_of(1, "float33")
