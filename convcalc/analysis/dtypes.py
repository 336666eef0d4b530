"""Number formats and the memory they take."""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["BITS", "Dtypes", "bytes_of", "whole_bytes"]

BITS: Final = {
    "float64": 64,
    "float32": 32,
    "float16": 16,
    "bfloat16": 16,
    "float8": 8,
    "int8": 8,
    "int4": 4,
}
"""Bits of one element, by PyTorch's name for the format (float8 stands for all of its kinds)."""


class Dtypes(NamedTuple):
    """The formats that a network's numbers are held in: keys of `BITS`."""

    weights: str = "float32"
    activations: str = "float32"


def bytes_of(elements: int, dtype: str) -> int:
    """Bytes of one tensor: ⌈elements · bits / 8⌉, so that each tensor starts on a byte."""
    return whole_bytes(elements * BITS[dtype])


def whole_bytes(bits: int) -> int:
    """⌈bits / 8⌉."""
    return (bits + 7) // 8
