"""Amounts as budgets write them: ``5.5M``, ``24 MiB``, ``2%``, ``5 ms``. Nothing is guessed."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

__all__ = ["AMOUNT_EXAMPLES", "AMOUNT_UNITS", "AmountError", "parse_amount"]

_AMOUNT = re.compile(r"([0-9]{1,20}(?:\.[0-9]{1,20})?)(?:[eE]\+?([0-9]{1,2}))?\s*([A-Za-zµμ%]*)")
AMOUNT_UNITS: Final[dict[str, dict[str, Fraction]]] = {
    "count": {
        unit: Fraction(factor)
        for unit, factor in {
            "": 1,
            "k": 10**3,
            "K": 10**3,
            "M": 10**6,
            "G": 10**9,
            "T": 10**12,
        }.items()
    },
    "bytes": {
        unit: Fraction(factor)
        for unit, factor in {
            "B": 1,
            "kB": 10**3,
            "MB": 10**6,
            "GB": 10**9,
            "TB": 10**12,
            "KiB": 2**10,
            "MiB": 2**20,
            "GiB": 2**30,
            "TiB": 2**40,
        }.items()
    },
    "seconds": {
        unit: Fraction(1, divisor)
        for unit, divisor in {
            "s": 1,
            "ms": 10**3,
            "us": 10**6,
            "µs": 10**6,  # the micro sign
            "μs": 10**6,  # the Greek letter
            "ns": 10**9,
        }.items()
    },
    "ratio": {"": Fraction(1)},
    "percent": {"%": Fraction(1, 100)},
}
"""The units of each kind of amount, and what they stand for."""
AMOUNT_EXAMPLES: Final = {
    "count": "write a number such as 5000000 or 5.5M, with k (1,000), M, G or T",
    "bytes": "write a number and a unit: kB (1,000 bytes), MB, GB, or KiB (1,024), MiB, GiB",
    "seconds": "write a number and a unit: s, ms, us or ns",
    "ratio": "write a number such as 1.5",
    "percent": "write a percentage such as 40%",
}


class AmountError(ValueError):
    """A text that is no amount of what it should be; ``help`` says what to write."""

    def __init__(self, message: str, help: str) -> None:  # noqa: A002 - as in Finding
        super().__init__(message)
        self.help = help


def parse_amount(text: str, unit: str, *, percent: bool | None = False) -> tuple[Fraction, bool]:
    """How much ``text`` is in a metric's ``unit``, and whether it is a percentage.

    ``percent`` says whether it must be one; None: it may. Raises AmountError: nothing is guessed,
    and nothing is rounded.

    >>> parse_amount("5.5M", "count")
    (Fraction(5500000, 1), False)
    """
    units = AMOUNT_UNITS["percent" if percent else unit]
    if percent is None:
        units = {**units, **AMOUNT_UNITS["percent"]}
    example = AMOUNT_EXAMPLES["percent" if percent else unit]
    if percent is None:
        example += ", or a percentage such as 2%"
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        if re.fullmatch(r"[0-9]{1,3}([,_'][0-9]{3})+", text.strip()):
            plain = re.sub("[,_']", "", text.strip())
            example = f"write {plain}"
        elif text.strip().startswith("-"):
            example = "a limit is 0 or more"
        raise AmountError(f"{text[:40]!r} is no amount", example)
    digits, exponent, written = match.groups()
    if written not in units:
        raise AmountError(*_unit_error(text.strip(), written, unit, example))
    amount = Fraction(digits) * 10 ** int(exponent or 0) * units[written]
    if unit in ("count", "bytes") and written != "%" and amount.denominator != 1:
        raise AmountError(
            f"{text.strip()!r} is no whole number", "write fewer digits after the point"
        )
    return amount, written == "%"


def _unit_error(text: str, written: str, unit: str, example: str) -> tuple[str, str]:
    """What to say of a unit that is not one of a metric's."""
    if not written:
        return f"{text!r} has no unit", example
    if unit == "bytes" and written in ("KB", "kb", "Kb", "K", "k"):
        return f"{text!r} may be 1,000 or 1,024 bytes", "write kB for 1,000 bytes, KiB for 1,024"
    if unit == "bytes" and written in ("M", "G", "T"):
        return f"{text!r} does not say of what", f"write {text}B, or {text}iB for powers of 1,024"
    if unit == "bytes" and written in ("Ki", "Mi", "Gi", "Ti"):
        return f"{text!r} does not say of what", f"write {text}B for bytes"
    if unit == "count" and written in ("m", "g", "B", "b", "Mi", "Ki", "Gi"):
        return f"{written!r} is no unit of a count", example
    return f"{written[:20]!r} is no unit here", example
