"""Sheets as tables for a terminal, drawn by rich."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import IO, Final

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from convcalc.reports.sheet import Sheet

__all__ = ["print_table", "shortened"]

GAP: Final = 2
"""Blanks between columns: one of padding, one of the box."""
SHORTEST_NAME: Final = 16


class _Console(Console):
    """A console that leaves it to the command line what a closed pipe means."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def _environment() -> dict[str, str]:
    """The environment, with the size of the terminal only where it can be one: rich believes it."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in {"COLUMNS", "LINES"} or (value.isdecimal() and len(value) < 6)
    }


def print_table(sheet: Sheet, stream: IO[str], *, color: bool, width: int | None) -> None:
    """Draw ``sheet`` on ``stream``, at most ``width`` columns wide (None: the terminal's width).

    Where there is no room, columns that can be spared go first, then names are shortened in the
    middle, and at last columns are set below each other, the first column repeated.
    """
    console = _Console(
        file=stream,
        width=width,
        force_terminal=color,
        no_color=not color,
        color_system="auto" if color else None,
        highlight=False,
        markup=False,
        emoji=False,
        _environ=_environment(),
    )
    parts = _fitting(sheet, console.width)
    spared = len(parts) == 1 and len(parts[0].columns) < len(sheet.columns)
    for number, part in enumerate(parts):
        if number:
            console.print()
        # A number is never cut: in a terminal too narrow for it the line wraps.
        console.width = max(console.width, _width(part, range(len(part.columns))))
        _print_part(part, console)
    for line in (*sheet.instead, *sheet.lines) if spared else sheet.lines:
        console.print(Text(line))


def _print_part(sheet: Sheet, console: Console) -> None:
    table = Table(
        title=Text(sheet.title, style="bold"),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, GAP - 1, 0, 0),
        pad_edge=False,
        show_edge=False,
    )
    for column in sheet.columns:
        table.add_column(
            Text(column.title),
            justify="right" if column.is_number else "left",
            no_wrap=True,
            overflow="ellipsis",
        )
    for row in sheet.rows:
        table.add_row(*map(Text, row))
    if sheet.totals:
        table.add_section()
        for row in sheet.totals:
            table.add_row(*(Text(cell, style="bold") for cell in row))
    console.print(table)


def _fitting(sheet: Sheet, width: int) -> list[Sheet]:
    """The sheet in one or more parts that are at most ``width`` wide."""
    kept = list(range(len(sheet.columns)))
    while _width(sheet, kept) > width:
        droppable = [n for n in kept if sheet.columns[n].dropped]
        if not droppable:
            break
        # A ratio goes with the number that it belongs to.
        first = max(sheet.columns[n].dropped for n in droppable)
        kept = [n for n in kept if sheet.columns[n].dropped != first]
    sheet = _part(sheet, kept)
    excess = _width(sheet, range(len(sheet.columns))) - width
    if excess > 0:
        sheet = _shortened(sheet, excess)
    parts: list[list[int]] = [[0]]
    for column in range(1, len(sheet.columns)):
        # A ratio stands beside the number that it belongs to.
        is_tied = sheet.columns[column].title == "ratio"
        if not is_tied and len(parts[-1]) > 1:
            tied = [column]
            if column + 1 < len(sheet.columns) and sheet.columns[column + 1].title == "ratio":
                tied.append(column + 1)
            if _width(sheet, [*parts[-1], *tied]) > width:
                parts.append([0])
        parts[-1].append(column)
    return [_part(sheet, columns) for columns in parts]


def _part(sheet: Sheet, columns: Sequence[int]) -> Sheet:
    def pick(row: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(row[n] for n in columns)

    return sheet._replace(
        columns=tuple(sheet.columns[n] for n in columns),
        rows=tuple(map(pick, sheet.rows)),
        totals=tuple(map(pick, sheet.totals)),
    )


def _width(sheet: Sheet, columns: Sequence[int]) -> int:
    return sum(_column_width(sheet, n) + GAP for n in columns) - GAP


def _column_width(sheet: Sheet, column: int) -> int:
    cells = [row[column] for row in (*sheet.rows, *sheet.totals)]
    return max(map(cell_len, (sheet.columns[column].title, *cells)))


def _shortened(sheet: Sheet, excess: int) -> Sheet:
    """The sheet with the names of its first column shortened by ``excess``, if that leaves any."""
    if not sheet.columns[0].is_name:
        return sheet
    room = max(SHORTEST_NAME, _column_width(sheet, 0) - excess)
    return sheet._replace(
        rows=tuple((shortened(row[0], room), *row[1:]) for row in sheet.rows),
        totals=tuple((shortened(row[0], room), *row[1:]) for row in sheet.totals),
    )


def shortened(name: str, room: int) -> str:
    """``name`` in at most ``room`` columns, cut in the middle: both ends tell most."""
    if cell_len(name) <= room:
        return name
    head = (room - 1) // 3
    tail = room - 1 - head
    return f"{name[:head]}…{name[-tail:]}"
