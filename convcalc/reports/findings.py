"""Findings as a compiler would print them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from convcalc.errors import Finding, Place, printable
from convcalc.reports.figures import text_width

__all__ = ["findings_text"]

LONGEST_LINE: Final = 150
"""Characters of a source line that are shown."""
CONTEXT: Final = 60
"""Characters that are shown before the place in a line that is longer."""

_STYLES: Final = {"error": "1;31", "warning": "1;33", "help": "1;36", "caret": "1;31"}


def findings_text(findings: Iterable[Finding], *, color: bool = False) -> str:
    """Each finding: place and cause in the first line, then the source, then the way out."""
    return "\n".join(_finding(finding, color=color) for finding in findings)


def _finding(finding: Finding, *, color: bool) -> str:
    where = f"{printable(str(finding.place))}: " if finding.place else ""
    tag = _styled(f"{finding.severity}[{finding.code.id}]", finding.severity, color=color)
    lines = [f"{where}{tag}: {printable(finding.message)}"]
    gutter = ""
    if finding.place is not None and finding.place.line <= len(finding.place.text.lines):
        gutter = " " * len(str(finding.place.line))
        lines += _source(finding.place, gutter, color=color)
    lines += [f"{gutter} = note: {printable(note)}" for note in finding.notes]
    lines += [
        f"{gutter} = note: {printable(related.label)}: {printable(str(related.place))}"
        for related in finding.related
    ]
    if finding.help:
        help_tag = _styled("help", "help", color=color)
        lines.append(f"{gutter} = {help_tag}: {printable(finding.help)}")
    return "\n".join(lines) + "\n"


def _source(place: Place, gutter: str, *, color: bool) -> list[str]:
    """The line that a place is on, with carets under its span; a long line is cut to it."""
    line = place.text.lines[place.line - 1]
    start = place.column - 1
    first = max(0, start - CONTEXT) if len(line) > LONGEST_LINE else 0
    last = first + LONGEST_LINE
    before = ("…" if first else "") + printable(line[first:start])
    marked = printable(line[start : min(last, start + place.length)])
    after = printable(line[start + place.length : last]) + ("…" if len(line) > last else "")
    caret = _styled("^" * max(1, text_width(marked)), "caret", color=color)
    return [
        f"{gutter} |",
        f"{place.line} | {before}{marked}{after}".rstrip(),
        f"{gutter} | {' ' * text_width(before)}{caret}",
    ]


def _styled(text: str, style: str, *, color: bool) -> str:
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if color else text
