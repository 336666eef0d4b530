"""Sheets as plain text: for pipes and files, whole, unwrapped and without escapes."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from convcalc.reports.sheet import Sheet

__all__ = ["plain_text"]


def plain_text(sheet: Sheet) -> str:
    """The sheet in columns that are two spaces apart."""
    header = tuple(column.title for column in sheet.columns)
    body = [header, *sheet.rows, *sheet.totals]
    widths = [max(_width(row[n]) for row in body) for n in range(len(header))]

    def line(row: Sequence[str]) -> str:
        cells = [
            " " * (width - _width(cell)) + cell
            if column.is_number
            else cell + " " * (width - _width(cell))
            for cell, width, column in zip(row, widths, sheet.columns, strict=True)
        ]
        return "  ".join(cells).rstrip()

    rule = "  ".join("-" * width for width in widths)
    lines = [sheet.title, line(header), rule, *map(line, sheet.rows)]
    if sheet.totals:
        lines += [rule, *map(line, sheet.totals)]
    return "\n".join([*lines, *sheet.lines]) + "\n"


def _width(text: str) -> int:
    """Columns that a text takes in a terminal."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )
