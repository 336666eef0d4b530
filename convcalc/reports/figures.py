"""How numbers are written for people, and how much room a text takes."""

from __future__ import annotations

import unicodedata
from fractions import Fraction

__all__ = ["byte_size", "count", "percent", "ratio", "shape", "text_width"]


def count(number: int) -> str:
    """``4,089,184,256``."""
    return f"{number:,}"


def byte_size(number: int) -> str:
    """``9.19 MiB``; exact below 1 KiB."""
    if number < 1024:
        return f"{number} B"
    size = Fraction(number)
    for unit in ("KiB", "MiB", "GiB", "TiB"):
        size /= 1024
        if size < 1024 or unit == "TiB":
            break
    return f"{float(size):,.2f} {unit}"


def amount(number: int, unit: str) -> str:
    """A metric's number in its unit: ``count`` or ``bytes``."""
    return byte_size(number) if unit == "bytes" else count(number)


def percent(part: int, whole: int) -> str:
    """``2.9 %``; nothing if there is no whole to take a part of."""
    return f"{100 * part / whole:.1f} %" if whole else ""


def ratio(value: Fraction | None) -> str:
    """``3.15×``, with three significant digits; far below 1 as a fraction, ``1/76,800×``."""
    if value is None:
        return ""
    number = float(value)
    if number >= 100:
        return f"{number:,.0f}×"
    if number >= 10:
        return f"{number:.1f}×"
    if number >= 1:
        return f"{number:.2f}×"
    if 0 < number < 0.001:
        return f"1/{1 / number:,.0f}×"
    return f"{number:#.3g}×"


def number(value: Fraction | None) -> str:
    """``45.2``, with three significant digits; nothing where there is no value."""
    if value is None:
        return ""
    return f"{float(value):,.0f}" if value >= 100 else f"{float(value):#.3g}".rstrip(".")


def duration(seconds: Fraction) -> str:
    """``435.6 µs``."""
    for unit, size in (("s", 1), ("ms", 1000), ("µs", 10**6)):
        if seconds * size >= 1:
            return f"{float(seconds * size):,.4g} {unit}"
    return f"{float(seconds * 10**9):.4g} ns" if seconds else "0 s"


def rate(per_second: int) -> str:
    """``25.6 G``, with up to four significant digits."""
    for unit, size in (("T", 10**12), ("G", 10**9), ("M", 10**6), ("k", 1000)):
        if per_second >= size:
            return f"{per_second / size:.4g} {unit}"
    return f"{per_second} "


def shape(sizes: tuple[object, ...]) -> str:
    """``64×112×112``."""
    return "×".join(map(str, sizes))


def text_width(text: str) -> int:
    """Columns that a text takes in a terminal."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )
