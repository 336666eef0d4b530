"""The blocks that come with convcalc: YAML files in ``convcalc/library``, one a block.

A spec uses them like blocks of its own. Each file is a mapping of `about`, `source`, `args` and
`layers`, as under `blocks`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from convcalc.errors import SourceText

__all__ = ["library_names", "library_text", "qualified"]

FOLDER = Path(__file__).resolve().parents[2] / "library"


@cache
def library_names() -> tuple[str, ...]:
    """The names of the blocks."""
    return tuple(sorted(path.stem for path in FOLDER.iterdir() if path.suffix == ".yaml"))


def library_text(name: str) -> tuple[SourceText, str]:
    """The text of a block, and what findings in it point into."""
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    return SourceText(f"library/{name}.yaml", text), text


def qualified(name: str) -> str:
    """What a block of the library is called where a block of the spec may have the same name."""
    return f"library/{name}"
