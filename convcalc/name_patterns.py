"""Names, and patterns of them: of layers, groups and variants."""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["is_pattern", "matches"]


def is_pattern(text: str) -> bool:
    """Whether ``text`` may stand for several names."""
    return "*" in text or "?" in text


def matches(pattern: str, name: str) -> bool:
    """Whether ``name`` is called so: in a pattern `*` is any text and `?` any character.

    >>> matches("stage4.*", "stage4.block1.conv")
    True
    """
    if pattern == name:
        return True
    return is_pattern(pattern) and _expression(pattern).fullmatch(name) is not None


@lru_cache
def _expression(pattern: str) -> re.Pattern[str]:
    # Not fnmatch: a bracket in a name is a bracket.
    first, *others = (_fixed(part) for part in pattern.split("*"))
    if not others:
        return re.compile(first, re.DOTALL)
    # Atomic: what stands between two stars is the first of its kind, and never looked for again,
    # so that no pattern takes longer than it is long.
    middle = "".join(f"(?>.*?{part})" for part in others[:-1] if part)
    return re.compile(f"{first}{middle}.*{others[-1]}", re.DOTALL)


def _fixed(part: str) -> str:
    """An expression for a part of a pattern without stars."""
    return ".".join(map(re.escape, part.split("?")))
