"""What goes wrong, as data: a `Finding` has a code, a place, a cause and a way out.

Everything that convcalc refuses is a `Finding`; what ends a run is one `ConvcalcError` that
carries all of them. `convcalc.errors.catalogue` declares the codes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from convcalc.errors.catalogue import BAD_OPTION, Code

__all__ = [
    "MAX_FINDINGS",
    "Code",
    "ConvcalcError",
    "EnoughFindingsError",
    "Finding",
    "Findings",
    "Place",
    "Related",
    "SourceText",
    "SpecError",
    "UsageError",
    "close_match",
    "listed",
    "printable",
    "unknown_word",
]

MAX_FINDINGS: Final = 100
"""Findings of one reading. Nobody reads more, and mostly the first explain the rest."""
MAX_MESSAGE: Final = 400
"""Characters of a message; only one that quotes something odd gets near."""
MAX_QUOTE: Final = 120
"""Characters of a name or value that a message quotes."""
MAX_LISTED: Final = 12
"""Names that a message lists."""
MAX_OPTIONS: Final = 300
"""Names that a mistyped one is held against."""


class SourceText:
    """A text that findings point into: the ``name`` shown for it, and its lines.

    ``path`` is where its file is; None for what is no file of the working directory, such as
    standard input, an option of the command line, or a file at another revision.
    """

    __slots__ = ("lines", "name", "path")

    def __init__(self, name: str, text: str, path: str | None = None) -> None:
        self.name = name
        self.lines = text.splitlines()
        self.path = path

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
    warns: bool = False
    """Whether it is a warning though its code is an error's."""

    @property
    def is_warning(self) -> bool:
        """Whether the numbers can still be trusted."""
        return self.warns or self.code.id.startswith("W")

    @property
    def severity(self) -> str:
        """``error`` or ``warning``."""
        return "warning" if self.is_warning else "error"


class EnoughFindingsError(Exception):
    """So much is wrong that reading on would help nobody."""


class Findings:
    """What was found in one reading, bounded in number and length.

    A spec may be nothing but mistakes, and a name in it a million characters long: whatever it
    holds, what is said of it can be read.
    """

    def __init__(self, found: Iterable[Finding] = ()) -> None:
        self._found = list(found)
        self.errors = sum(not finding.is_warning for finding in self._found)
        """How many of the findings are errors."""

    def __iter__(self) -> Iterator[Finding]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def add(self, finding: Finding) -> None:
        """Take in a finding. Raises EnoughFindingsError with the last that there is room for.

        Warnings stop nothing: those past the limit are dropped.
        """
        if finding.is_warning:
            if len(self._found) - self.errors < MAX_FINDINGS:
                self._found.append(_shortened(finding))
            return
        self._found.append(_shortened(finding))
        self.errors += 1
        if self.errors >= MAX_FINDINGS:
            raise EnoughFindingsError

    def relate(self, number: int, related: Related) -> None:
        """Add a place to the finding of this number, counted from 0."""
        finding = self._found[number]
        self._found[number] = finding._replace(related=(*finding.related, related))

    def in_order(self) -> list[Finding]:
        """The findings in the order of the text, those without a place first."""
        ordered = sorted(
            self._found, key=lambda f: (f.place.line, f.place.column) if f.place else (0, 0)
        )
        if self.errors >= MAX_FINDINGS:
            more = f"there may be more: after {MAX_FINDINGS} findings nothing is read any further"
            ordered[-1] = ordered[-1]._replace(notes=(*ordered[-1].notes, more))
        return ordered


class ConvcalcError(Exception):
    """Whatever convcalc refuses, with every reason for it."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(map(_shortened, findings))
        super().__init__("\n".join(map(_line, self.findings)))


class SpecError(ConvcalcError):
    """A network that cannot be built from its description."""


class UsageError(ConvcalcError):
    """A request that cannot be carried out: a missing file, an unknown name, a bad option."""


def _line(finding: Finding) -> str:
    where = f"{finding.place}: " if finding.place else ""
    return printable(f"{where}{finding.severity}[{finding.code.id}]: {finding.message}")


# -- texts ----------------------------------------------------------------------------------------


def printable(text: str) -> str:
    """``text`` without what would steer the terminal: tabs as spaces, other controls escaped."""
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else " " if c == "\t" else c.encode("unicode_escape").decode()
        for c in text
    )


def listed(names: Iterable[str]) -> str:
    """Names as a message lists them; of many the first few."""
    quoted = [f"`{name}`" for name in names]
    if len(quoted) > MAX_LISTED:
        rest = len(quoted) - MAX_LISTED + 1
        quoted[MAX_LISTED - 1 :] = [f"and {rest:,} more"]
    return ", ".join(quoted)


_QUOTE = re.compile(r"`[^`]*`|\"[^\"]*\"")


def _shortened(finding: Finding) -> Finding:
    """``finding`` with texts that can be read, however long what they quote is."""
    texts = (finding.message, finding.help or "", *finding.notes)
    if all(len(text) <= MAX_QUOTE for text in texts):
        return finding
    return finding._replace(
        message=_fitted(finding.message),
        help=finding.help and _fitted(finding.help),
        notes=tuple(map(_fitted, finding.notes)),
    )


def _fitted(text: str) -> str:
    if len(text) > MAX_QUOTE:
        text = _QUOTE.sub(_cut, text)
    return text if len(text) <= MAX_MESSAGE else text[: MAX_MESSAGE - 1] + "…"


def _cut(quote: re.Match[str]) -> str:
    whole = quote[0]
    return whole if len(whole) <= MAX_QUOTE else f"{whole[: MAX_QUOTE - 2]}…{whole[-1]}"


def close_match(name: str, known: Iterable[str]) -> str | None:
    """The one of ``known`` that ``name`` was probably meant to be, if any is close."""
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake needs it

    folded = name.lower()
    if not 0 < len(folded) <= MAX_QUOTE:
        return None
    options = list(known)
    if len(options) > MAX_OPTIONS:
        # The comparison takes its time; few people mistype the first letter.
        options = [option for option in options if option[:1].lower() == folded[0]]
    by_folded = {option.lower(): option for option in sorted(options[:MAX_OPTIONS], reverse=True)}
    matches = get_close_matches(folded, by_folded, n=1, cutoff=0.6)
    return by_folded[matches[0]] if matches else None


def unknown_word(
    message: str, word: str, known: Iterable[str], place: Place | None = None
) -> Finding:
    """The finding for the ``word`` of an option that is none of those that are ``known``."""
    names = tuple(known)
    close = close_match(word, names)
    listing = ", ".join(names)
    help_ = f"did you mean {close!r}? There are {listing}" if close else f"there are {listing}"
    return Finding(BAD_OPTION, message, place, help=help_)
