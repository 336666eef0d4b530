"""Findings as a compiler would print them."""

from __future__ import annotations

from collections.abc import Iterable

from convcalc.errors import Finding, Place

__all__ = ["findings_text"]

_STYLES = {"error": "1;31", "warning": "1;33", "help": "1;36", "caret": "1;31"}


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
    text = place.text.lines[place.line - 1]
    start = place.column - 1
    length = max(1, min(place.length, len(text) - start))
    first = 0
    if len(text) > 160:
        first = max(0, start - 60)
        text = ("…" if first else "") + text[first : first + 150] + "…"
        start = start - first + bool(first)
        length = max(1, min(length, 150 - (start - bool(first))))
    caret = _styled("^" * length, "caret", color=color)
    return [
        f"{gutter} |",
        f"{place.line} | {printable(text)}".rstrip(),
        f"{gutter} | {' ' * start}{caret}",
    ]


def printable(text: str) -> str:
    """``text`` without what would steer the terminal: tabs as spaces, other controls escaped."""
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else " " if c == "\t" else c.encode("unicode_escape").decode()
        for c in text
    )


def _styled(text: str, style: str, *, color: bool) -> str:
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if color else text
