"""Where findings are, as the services that show them name files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from convcalc.errors import Place

__all__ = ["Location", "location", "relative_file"]


class Location(NamedTuple):
    """A span of one line of a file. Lines and columns count from 1, in characters."""

    file: str
    """With forward slashes; relative wherever it can be."""
    line: int
    column: int
    end_column: int
    """The one after the span."""


def location(place: Place | None, root: str | None = None) -> Location | None:
    """Where ``place`` is, seen as `relative_file` sees it; None for what is in no file."""
    if place is None or place.text.path is None:
        return None
    return Location(
        relative_file(place.text.path, root),
        place.line,
        place.column,
        place.column + max(1, place.length),
    )


def relative_file(path: str, root: str | None = None) -> str:
    """``path`` relative to the folder that the environment variable ``root`` names.

    Where there is none, or the file lies elsewhere, relative to the working directory; outside of
    that as it is.
    """
    folders = [os.environ.get(root, "") if root else "", os.curdir]
    for folder in filter(None, folders):
        # As it is written first: a link inside the folder belongs to it, wherever it leads. Then
        # followed: the folder itself may have been reached through a link.
        for seen in (os.path.abspath, os.path.realpath):
            file = Path(seen(path))
            if file.is_relative_to(seen(folder)):
                return file.relative_to(seen(folder)).as_posix()
    return Path(path).as_posix()
