"""Sheets as GitHub-flavoured Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from convcalc.reports.sheet import Sheet

__all__ = ["markdown_text"]


def markdown_text(sheet: Sheet) -> str:
    """The sheet as a heading, a table and paragraphs."""

    def line(row: Sequence[str]) -> str:
        return "| " + " | ".join(map(_escaped, row)) + " |"

    rule = "| " + " | ".join("---:" if c.is_number else ":---" for c in sheet.columns) + " |"
    totals = [tuple(f"**{cell}**" if cell else "" for cell in row) for row in sheet.totals]
    lines = [
        f"### {_escaped(sheet.title)}",
        "",
        line([column.title for column in sheet.columns]),
        rule,
        *map(line, sheet.rows),
        *("| " + " | ".join(row) + " |" for row in totals),
    ]
    for sentence in sheet.lines:
        lines += ["", _escaped(sentence)]
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    """A text that Markdown takes literally, but for code in back quotes."""
    for character in "\\|*_[]<>~":
        text = text.replace(character, "\\" + character)
    return text
