"""The blocks that come with convcalc: YAML files in ``convcalc/library``, one a block.

A spec uses them like blocks of its own. Each file is a mapping of `about`, `source`, `args` and
`layers`, as under `blocks`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from convcalc.errors import Place, SourceText

__all__ = ["is_in_library", "library_names", "library_text", "plain_name", "qualified"]

PREFIX = "library/"
FOLDER = Path(__file__).resolve().parents[2] / "library"


class LibraryText(SourceText):
    """The text of a block of the library, which no user can mend."""

    __slots__ = ()


@cache
def library_names() -> tuple[str, ...]:
    """The names of the blocks."""
    return tuple(sorted(path.stem for path in FOLDER.iterdir() if path.suffix == ".yaml"))


def library_text(name: str) -> tuple[SourceText, str]:
    """The text of a block, and what findings in it point into."""
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    return LibraryText(f"{PREFIX}{name}.yaml", text), text


def qualified(name: str) -> str:
    """What a block of the library is called where a block of the spec may have the same name."""
    return f"{PREFIX}{name}"


def plain_name(block: str) -> str:
    """What a block is called where it is used."""
    return block.removeprefix(PREFIX)


def is_in_library(place: Place) -> bool:
    """Whether a place is in the text of one of the blocks."""
    return isinstance(place.text, LibraryText)
