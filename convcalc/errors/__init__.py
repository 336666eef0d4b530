"""What goes wrong, as data: a `Finding` has a code, a place, a cause and a way out.

Everything that convcalc refuses is a `Finding`; what ends a run is one `ConvcalcError` that
carries all of them. `convcalc.errors.catalogue` declares the codes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from convcalc.errors.catalogue import Code

__all__ = [
    "Code",
    "ConvcalcError",
    "Finding",
    "Place",
    "Related",
    "SourceText",
    "SpecError",
    "UsageError",
    "close_match",
]


class SourceText:
    """A text that findings point into: the ``name`` shown for it, and its lines."""

    __slots__ = ("lines", "name")

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.lines = text.splitlines()

    def __repr__(self) -> str:
        return f"SourceText({self.name!r}, {len(self.lines)} lines)"


class Place(NamedTuple):
    """A span of one line of a text. Line and column count from 1, in characters."""

    text: SourceText
    line: int
    column: int
    length: int = 1

    def __str__(self) -> str:
        return f"{self.text.name}:{self.line}:{self.column}"


class Related(NamedTuple):
    """A second place that a finding is about, and what it has to do with it."""

    label: str
    place: Place


class Finding(NamedTuple):
    """One thing that is wrong, or (a code that starts with W) that deserves a look.

    ``field`` names the layer field at fault and ``operands`` the inputs (by position) at fault:
    a layer kind knows those, and whoever knows the file turns them into places.
    """

    code: Code
    message: str
    place: Place | None = None
    notes: tuple[str, ...] = ()
    help: str | None = None
    related: tuple[Related, ...] = ()
    field: str | None = None
    operands: tuple[int, ...] = ()

    @property
    def is_warning(self) -> bool:
        """Whether the numbers can still be trusted."""
        return self.code.id.startswith("W")

    @property
    def severity(self) -> str:
        """``error`` or ``warning``."""
        return "warning" if self.is_warning else "error"


class ConvcalcError(Exception):
    """Whatever convcalc refuses, with every reason for it."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(map(_line, self.findings)))


class SpecError(ConvcalcError):
    """A network that cannot be built from its description."""


class UsageError(ConvcalcError):
    """A request that cannot be carried out: a missing file, an unknown name, a bad option."""


def _line(finding: Finding) -> str:
    where = f"{finding.place}: " if finding.place else ""
    return f"{where}{finding.severity}[{finding.code.id}]: {finding.message}"


def close_match(name: str, known: Iterable[str]) -> str | None:
    """The one of ``known`` that ``name`` was probably meant to be, if any is close."""
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake needs it

    by_folded = {option.lower(): option for option in sorted(known, reverse=True)}
    matches = get_close_matches(name.lower(), by_folded, n=1, cutoff=0.6)
    return by_folded[matches[0]] if matches else None
