"""A budget file to start from: today's numbers, with headroom."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Final, cast

from convcalc.analysis import Analysis
from convcalc.analysis.metrics import value_of
from convcalc.errors import printable
from convcalc.limits import Conditions
from convcalc.metrics import metric
from convcalc.reports.figures import amount, count

__all__ = ["budget_file_text"]

BOUNDED: Final = ("params", "macs", "peak_memory", "weight_memory")
"""What a first budget bounds."""
_PLAIN = re.compile(r"(?:\.{0,2}/)?[A-Za-z_][A-Za-z0-9_./-]*")


def budget_file_text(
    networks: Sequence[tuple[str, Analysis]],
    headroom: Fraction,
    conditions: Conditions,
    folder: Path,
) -> str:
    """A budget for each network, for a file in ``folder``.

    ``networks`` are specs, as named on the command line, and what they cost under ``conditions``.
    A maximum is today's number and ``headroom`` (a tenth: 10 % more), rounded up; the receptive
    field may not fall.
    """
    lines = ["version: 1", "budgets:"]
    for reference, analysis in networks:
        lines += _budget(reference, analysis, headroom, conditions, folder)
    return "\n".join(lines) + "\n"


def _budget(
    reference: str,
    analysis: Analysis,
    headroom: Fraction,
    conditions: Conditions,
    folder: Path,
) -> Iterator[str]:
    yield f"  - name: {_scalar(printable(analysis.name))}"
    yield f"    spec: {_scalar(_relative(reference, folder))}"
    if conditions.settings:
        settings = ", ".join(
            f"{_scalar(name)}: {_setting(str(value))}"
            for name, value in conditions.settings.items()
        )
        yield f"    set: {{{settings}}}"
    for key, value in conditions._asdict().items():
        if value is not None and key not in ("settings", "places", "device"):
            yield f"    {key}: {json.dumps(value) if isinstance(value, bool) else value}"
    yield "    max:"
    rows = []
    for name in BOUNDED:
        each = metric(name)
        value = value_of(each.key, analysis)
        limit = -((-value * (1 + headroom)) // 1)
        text = f"      {name}: {limit}{' B' if each.unit == 'bytes' else ''}"
        rows.append((text, amount(value, each.unit)))
    width = max(len(text) for text, _ in rows)
    for text, today in rows:
        yield f"{text:{width}}  # today {today}"
    field = min(cast("tuple[int, ...]", analysis.receptive_field.size), default=None)
    if field is not None:
        yield f"    min: {{receptive_field: {field}}}  # today {count(field)}"


def _relative(reference: str, folder: Path) -> str:
    """A reference as a budget file in ``folder`` names it; a shipped network by its name."""
    path, separator, variant = reference.partition("::")
    if not Path(path).is_file():
        return reference
    return Path(os.path.relpath(path, folder)).as_posix() + separator + variant


def _scalar(text: str) -> str:
    """A YAML scalar that is this text: plain where that is safe, else in quotes."""
    words = ("true", "false", "null", "yes", "no")
    if _PLAIN.fullmatch(text) and text.lower() not in words:
        return text
    # Escapes are the same in JSON and YAML; what cannot be printed may not stand in YAML as it is.
    return json.dumps(text, ensure_ascii=not text.isprintable())


def _setting(text: str) -> str:
    """The value of a variable: a number as one, else a text, which is read as an expression."""
    is_number = re.fullmatch(r"(0|[1-9][0-9]{0,14})(\.[0-9]{1,15})?", text)
    return text if is_number else _scalar(text)
