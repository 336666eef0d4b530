"""A table before it is drawn: what the rich, plain and Markdown renderings have in common."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Column", "Sheet"]


class Column(NamedTuple):
    """A column of a sheet."""

    title: str
    is_number: bool = True
    """Whether its cells are aligned to the right."""
    dropped: int = 0
    """Where there is no room the columns with the greatest number go first; 0 stays."""
    is_name: bool = False
    """Whether its cells may be shortened in the middle."""


class Sheet(NamedTuple):
    """A titled table with lines below it."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    totals: tuple[tuple[str, ...], ...] = ()
    """Rows below a line."""
    lines: tuple[str, ...] = ()
    """Sentences below the table."""
    instead: tuple[str, ...] = ()
    """What stands below the table where there was no room for a column."""
