"""Explanations as text: wrapped at operators in a terminal, one line a number in a pipe."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from convcalc.analysis.convolution_matrix import ConvolutionMatrix
from convcalc.analysis.cost import Analysis
from convcalc.analysis.explanation import MetricSum, Topic
from convcalc.errors import printable
from convcalc.reports.analyze import definitions, inputs_text, titled
from convcalc.reports.explained import (
    TOPIC_TITLES,
    WHERE_SET,
    ExplainedLayer,
    ExplainedTotals,
    chain_text,
    figure,
    formulas_of,
    grouped_digits,
    matrix_cells,
    name_within,
    notes_of,
    notes_of_totals,
    set_values,
    shares_of,
    shown_derivations,
    shown_legend,
    steps_of,
    told_sums,
    written_value,
)
from convcalc.reports.figures import byte_size, shape, text_width

__all__ = ["explain_text"]

LEAST_WIDTH: Final = 40
"""Columns; a narrower terminal breaks the lines itself."""
WIDEST_LABEL: Final = 28
"""Columns for what stands before a formula that takes several lines."""
MOST_TERMS: Final = 400
"""Terms of a sum that a terminal shows; of more the first and last."""
SHOWN_TERMS: Final = 20

_BREAK: Final = re.compile(r"(?<=·)|(?= (?:[+−×=→]|mod) )|(?<=, )")
"""Where a formula may go on in the next line."""
_BLANK: Final = re.compile(r"(?= )")


def explain_text(
    analysis: Analysis,
    parts: Iterable[ExplainedLayer | ExplainedTotals],
    *,
    color: bool,
    width: int | None,
) -> str:
    """The parts, one below the other; no line is wrapped where ``width`` is None."""
    page = _Page(color=color, width=width)
    for part in parts:
        if page.lines:
            page.blank()
        if isinstance(part, ExplainedLayer):
            _layer(page, part)
        else:
            _totals(page, part, analysis)
    page.blank()
    page.words(
        definitions(f"input {printable(inputs_text(analysis))}", analysis.batch, analysis.dtypes)
    )
    return "\n".join(page.lines) + "\n"


# -- lines ----------------------------------------------------------------------------------------


class _Page:
    """Lines of at most ``width`` columns."""

    def __init__(self, *, color: bool, width: int | None) -> None:
        self.lines: list[str] = []
        self.color = color
        self.width = None if width is None else max(width, LEAST_WIDTH)

    def blank(self) -> None:
        self.lines.append("")

    def title(self, text: str) -> None:
        """What is explained."""
        first, *others = self._wrapped(text, _BLANK, 0, 2)
        self.lines += [self._styled(line, "1;36") for line in (first, *others)]

    def heading(self, text: str) -> None:
        """What the lines below it are about."""
        self.blank()
        self.lines += [self._styled(line, "1") for line in self._wrapped(text, _BLANK, 0, 2)]

    def words(self, text: str, indent: int = 0, hanging: int | None = None) -> None:
        """Prose; ``hanging`` is the indent of the lines after the first."""
        hanging = indent if hanging is None else hanging
        self.lines += self._wrapped(text, _BLANK, indent, hanging)

    def formula(self, text: str, indent: int, hanging: int) -> None:
        """A formula, which breaks before operators."""
        self.lines += self._wrapped(text, _BREAK, indent, hanging)

    def steps(self, label: str, room: int, steps: Sequence[str], note: str = "") -> None:
        """``label  formula = substituted = value``, below each other where that is too long."""
        start = f"  {label}{' ' * (room - text_width(label))}  "
        line = start + " = ".join(steps)
        if self.width is None or text_width(line) <= self.width:
            self.lines.append(line)
        else:
            indent = min(room + 4, WIDEST_LABEL)
            if room + 4 > indent:
                start = f"  {label}  ".ljust(indent)
                if text_width(start) > indent:
                    self.lines.append(start.rstrip())
                    start = " " * indent
            for number, step in enumerate(steps):
                lines = self._wrapped(f"= {step}" if number else step, _BREAK, indent, indent + 4)
                if not number:
                    lines[0] = start + lines[0][indent:]
                self.lines += lines
        if note:
            self.words(note, 4)

    def _wrapped(self, text: str, breaks: re.Pattern[str], indent: int, hanging: int) -> list[str]:
        line = " " * indent
        if self.width is None:
            return [line + text]
        found: list[str] = []
        is_begun = False
        for piece in filter(None, breaks.split(text)):
            if is_begun and text_width(line) + text_width(piece.rstrip()) > self.width:
                found.append(line.rstrip())
                line = " " * hanging + piece.lstrip()
            else:
                line += piece
            is_begun = is_begun or bool(piece.strip())
        return [*found, line.rstrip()]

    def _styled(self, text: str, style: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self.color else text


# -- a layer --------------------------------------------------------------------------------------


def _layer(page: _Page, part: ExplainedLayer) -> None:
    row, told = part.row, part.explanation
    origin = part.origin
    where = f" · {origin.place}" if origin else ""
    page.title(printable(f"{row.name} · {row.kind}{where}"))
    for step in origin.trail if origin else ():
        what = "once more, sharing its weights" if step.shares else "in block"
        page.words(printable(f"{what} {step.name}, used at {step.place}"), 2, 4)
    page.words(printable(told.law.partition("\n\n")[0]), 2, 2)
    for note in notes_of(part):
        page.words(note, 2, 2)

    page.heading("Input" if len(part.inputs) == 1 else f"Inputs, {len(part.inputs)}")
    for chain in part.inputs:
        page.formula(chain_text(chain), 2, 4)
    legend = shown_legend(told)
    if legend:
        page.heading("Symbols")
        room = max(text_width(entry.symbol) for entry in legend)
        values = max(text_width(figure(entry.value)) for entry in legend)
        for entry in legend:
            by = f" (`{entry.field}`)" if entry.field else ""
            page.words(
                f"{entry.symbol:<{room}} = {figure(entry.value):<{values}}  {entry.meaning}{by}",
                2,
                room + values + 7,
            )
    if origin is not None and not part.is_narrowed:
        _set_at(page, part)

    for topic in Topic:
        found = shown_derivations(told, topic)
        if not found:
            continue
        page.heading(TOPIC_TITLES[topic])
        room = max(text_width(each.name) for each in found)
        for number, each in enumerate(found):
            # What is to be said of several in a row is said below the last.
            is_last = [later.note for later in found[number + 1 : number + 2]] != [each.note]
            note = printable(each.note) if is_last else ""
            page.steps(printable(each.name), room, steps_of(each), note)
        if topic is Topic.OUTPUT:
            page.steps("output", room, (shape(row.output_shape),))
    if told.matrix is not None and told.matrix.entries is not None:
        _matrix(page, told.matrix)


def _set_at(page: _Page, part: ExplainedLayer) -> None:
    """Where the values of the fields come from."""
    origin = part.origin
    assert origin is not None  # noqa: S101 - for mypy: asked before
    values = set_values(origin)
    defaults = [each for each in origin.fields if each.is_default and each.value is not None]
    if not values and not defaults:
        return
    page.heading(WHERE_SET)
    room = max((text_width(each.text) for each in values), default=0)
    room = min(room, 28)
    for each in values:
        gap = " " * max(0, room - text_width(each.text))
        page.words(f"{each.text}{gap}  {each.where}", 2, 6)
    if defaults:
        listed = ", ".join(f"{each.name} = {written_value(each.value)}" for each in defaults)
        page.words(f"by default: {listed}", 2, 6)


def _matrix(page: _Page, matrix: ConvolutionMatrix) -> None:
    """The rows of the matrix, in several groups of columns where they are too wide."""
    cells = [["·" if cell == "0" else cell for cell in row] for row in matrix_cells(matrix)]
    room = max(len(cell) for row in cells for cell in row) + 1
    at_once = matrix.columns if page.width is None else max(1, (page.width - 2) // room)
    for first in range(0, matrix.columns, at_once):
        last = min(first + at_once, matrix.columns)
        page.blank()
        if at_once < matrix.columns:
            page.words(f"columns {first + 1} to {last}:", 2)
        for row in cells:
            page.lines.append(" " + "".join(f"{cell:>{room}}" for cell in row[first:last]))


# -- totals ---------------------------------------------------------------------------------------


def _totals(page: _Page, part: ExplainedTotals, analysis: Analysis) -> None:
    name = part.totals.name
    layers = f"{part.layers:,} layer{'' if part.layers == 1 else 's'}"
    title = titled(name, analysis) if part.is_network else name
    page.title(printable(f"{title} · {layers}"))
    for each in told_sums(part):
        _sum(page, each, part)
    notes = list(notes_of_totals(part, analysis))
    if notes:
        page.blank()
        for note in notes:
            page.words(note)
    # Without a spec there is nothing to name a part after.
    if analysis.spec and any(not term.formula for each in part.totals.sums for term in each.terms):
        page.blank()
        page.words(
            "Of many layers the sums are over groups: name one after the spec, and its own sums "
            "are shown, or a layer, or a pattern such as `*.conv`."
        )


def _sum(page: _Page, sum_: MetricSum, part: ExplainedTotals) -> None:
    """A total, a line for each term: its value, its share, its layer, its formula."""
    value = figure(sum_.value)
    if sum_.metric.unit == "bytes":
        value += " bytes" + (f" ({byte_size(sum_.value)})" if sum_.value >= 1024 else "")
    page.heading(f"{sum_.metric.title} = {value}")
    page.words(sum_.metric.definition, 2, 2)
    terms = list(_terms(sum_, part, everything=page.width is None))
    widths = [max((text_width(row[n]) for row in terms), default=0) for n in range(3)]
    for number, share, name, substituted in terms:
        front = (
            f"  {' ' * (widths[0] - text_width(number))}{number}"
            f"  {' ' * (widths[1] - text_width(share))}{share}  {name}"
        )
        line = f"{front}{' ' * (widths[2] - text_width(name))}  {substituted}".rstrip()
        if page.width is None or text_width(line) <= page.width:
            page.lines.append(line)
            continue
        hanging = 2 + widths[0] + 2 + widths[1] + 2
        page.words(front, 0, hanging)
        if substituted:
            page.formula(substituted, hanging + 2, hanging + 4)
    for kinds, formula in formulas_of(sum_):
        page.formula(f"{kinds}: {formula}", 2, 6)


def _terms(
    sum_: MetricSum, part: ExplainedTotals, *, everything: bool
) -> Iterator[tuple[str, str, str, str]]:
    terms = sum_.terms
    hidden = 0
    if len(terms) > MOST_TERMS and not everything:
        hidden = len(terms) - 2 * SHOWN_TERMS
        terms = (*terms[:SHOWN_TERMS], *terms[-SHOWN_TERMS:])
    for number, term in enumerate(terms):
        if hidden and number == SHOWN_TERMS:
            yield "…", "", f"{hidden:,} more", ""
        name = name_within(part, term)
        if term.kind and not term.formula:
            name += f" · {term.kind}"
        yield (
            figure(term.value),
            shares_of(term, sum_),
            printable(name),
            grouped_digits(term.substituted),
        )
