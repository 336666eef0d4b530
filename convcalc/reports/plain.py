"""Sheets as plain text: for pipes and files, whole, unwrapped and without escapes."""

from __future__ import annotations

from collections.abc import Sequence

from convcalc.reports.figures import text_width
from convcalc.reports.sheet import Sheet

__all__ = ["plain_text"]


def plain_text(sheet: Sheet) -> str:
    """The sheet in columns that are two spaces apart."""
    header = tuple(column.title for column in sheet.columns)
    body = [header, *sheet.rows, *sheet.totals]
    widths = [max(text_width(row[n]) for row in body) for n in range(len(header))]

    def line(row: Sequence[str]) -> str:
        cells = [
            " " * (width - text_width(cell)) + cell
            if column.is_number
            else cell + " " * (width - text_width(cell))
            for cell, width, column in zip(row, widths, sheet.columns, strict=True)
        ]
        return "  ".join(cells).rstrip()

    rule = "  ".join("-" * width for width in widths)
    lines = [sheet.title, line(header), rule, *map(line, sheet.rows)]
    if sheet.totals:
        lines += [rule, *map(line, sheet.totals)]
    return "\n".join([*lines, *sheet.lines]) + "\n"
