"""The networks that ship with convcalc, by name.

In a module of its own, which imports little: completing a name should not wait for the reader.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["shipped_folder", "shipped_names", "shipped_path"]


def shipped_folder() -> Path:
    """Where the shipped networks are: in the package, or in a checkout beside it."""
    package = Path(__file__).resolve().parent
    inside = package / "specs"
    return inside if inside.is_dir() else package.parent / "specs"


def shipped_names() -> tuple[str, ...]:
    """The names of the networks that ship with convcalc."""
    return tuple(sorted(path.stem for path in shipped_folder().glob("*.yaml")))


def shipped_path(name: str) -> Path | None:
    """The file of a shipped network; None if there is none of this name."""
    return shipped_folder() / f"{name}.yaml" if name in shipped_names() else None
