"""What the axes of a network's inputs are called: channels first, then space."""

from __future__ import annotations

from typing import Final

__all__ = ["AXIS_NAMES"]

AXIS_NAMES: Final[dict[int, tuple[str, ...]]] = {
    1: ("F",),
    2: ("C", "L"),
    3: ("C", "H", "W"),
    4: ("C", "D", "H", "W"),
}
"""By how many axes there are: features; channels and length; height, width; depth."""
