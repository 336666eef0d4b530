"""The report of `convcalc reconcile`: a network as every convention counts it, in any format."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from math import prod
from typing import IO, Final, NamedTuple

from convcalc.analysis.cost import Analysis
from convcalc.conventions.claims import Candidate, Verdict
from convcalc.conventions.counting import Counted, Part
from convcalc.conventions.declaration import Convention
from convcalc.conventions.written import KNOWN_WRITINGS, Written, known_writing
from convcalc.errors import printable
from convcalc.reports.analyze import titled
from convcalc.reports.csv_report import csv_text
from convcalc.reports.figures import count, ratio, shape
from convcalc.reports.json_text import report_text
from convcalc.reports.plain import plain_text
from convcalc.reports.sheet import Column, Sheet

__all__ = ["RECONCILE_FORMATS", "ReconcileReport", "said_by", "writing_lines", "written_json"]

RECONCILE_FORMATS: Final = ("text", "markdown", "json", "csv")

LEAST_ROOM: Final = 24
"""Columns that the parts of a difference have at least: in less nothing can be read."""
GAPS: Final = 6
"""Blanks between the four columns."""


class ReconcileReport(NamedTuple):
    """A network as every convention counts it, and whose count a figure is."""

    analysis: Analysis
    counts: tuple[Counted, ...]
    verdict: Verdict | None
    written: tuple[Written, ...]
    """How the network is written in PyTorch, as far as the user has said."""
    version: str
    """Of convcalc."""

    def text(self, format_: str) -> str:
        """The report in one of `RECONCILE_FORMATS`, whole and without escapes."""
        if format_ == "json":
            return self._json()
        if format_ == "csv":
            return self._csv()
        if format_ == "markdown":
            from convcalc.reports.markdown import markdown_text  # noqa: PLC0415 - if asked for

            rows = [
                (*_figures(each), "; ".join(map(part_text, each.parts))) for each in self.counts
            ]
            return markdown_text(self._sheet(rows))
        return plain_text(self._sheet(self._rows(None)))

    def draw(self, stream: IO[str], *, color: bool, width: int | None) -> None:
        """The ``text`` for a terminal, at most ``width`` columns wide (None: all that it has)."""
        from convcalc.reports.table import print_table  # noqa: PLC0415 - rich takes its time

        width = width or shutil.get_terminal_size().columns
        taken = sum(
            max(len(cells[n]) for cells in (HEADINGS, *map(_figures, self.counts)))
            for n in range(3)
        )
        sheet = self._sheet(self._rows(max(LEAST_ROOM, width - taken - GAPS)))
        print_table(sheet, stream, color=color, width=width)

    def _rows(self, room: int | None) -> Iterator[tuple[str, ...]]:
        """A row for each convention, and one more for each further line of what it adds."""
        for each in self.counts:
            lines: list[str] = []
            for part in each.parts:
                told = part_text(part)
                lines += (
                    [told] if room is None else textwrap.wrap(told, room, subsequent_indent="  ")
                )
            first, *others = lines or [""]
            yield (*_figures(each), first)
            for line in others:
                yield ("", "", "", line)

    def _sheet(self, rows: Iterable[tuple[str, ...]]) -> Sheet:
        name, total, factor = HEADINGS
        claims = () if self.verdict is None else verdict_lines(self.verdict)
        return Sheet(
            title=printable(titled(self.analysis.name, self.analysis)),
            columns=(
                Column(name, is_number=False),
                Column(total),
                Column(factor),
                Column("Adds, or leaves out (−)", is_number=False),
            ),
            rows=tuple(rows),
            lines=(
                *map(printable, claims),
                "What they call it: "
                + "; ".join(said_by(each.convention) for each in self.counts)
                + ".",
                *map(printable, writing_lines(self.analysis, self.written)),
            ),
        )

    def _json(self) -> str:
        network: dict[str, object] = {
            "name": self.analysis.name,
            "spec": self.analysis.spec,
            "source": self.analysis.source,
            "settings": dict(self.analysis.settings),
            "inputs": {name: list(sizes) for name, sizes in self.analysis.inputs},
            "macs": self.analysis.macs,
            "params": self.analysis.params,
            "written": written_json(self.analysis, self.written),
            "conventions": [_count_json(each) for each in self.counts],
        }
        if self.verdict is not None:
            network["claim"] = _verdict_json(self.verdict)
        return report_text(self.version, networks=[network])

    def _csv(self) -> str:
        header = ["network", "convention", "version", "word", "total", "ratio", "params"]
        header += ["kind", "what", "amount"]

        def rows() -> Iterator[list[object]]:
            for each in self.counts:
                convention = each.convention
                factor = "" if each.ratio is None else float(each.ratio)
                start: list[object] = [self.analysis.name, convention.name, convention.version]
                start += [convention.word, each.total, factor, each.params]
                yield [*start, "", "multiply-adds", each.macs]
                for part in each.parts:
                    yield [*start, part.kind, part.what, part.amount]

        return csv_text(header, rows())


HEADINGS: Final = ("Convention", "Total", "Ratio")


def _figures(counted: Counted) -> tuple[str, str, str]:
    return counted.convention.name, count(counted.total), ratio(counted.ratio)


def part_text(part: Part) -> str:
    """``+22,227,968 batch norm at 2 per element``."""
    sign = "+" if part.amount >= 0 else "−"
    kind = f"{part.kind.replace('_', ' ')} " if part.kind else ""
    return f"{sign}{count(abs(part.amount))} {kind}{part.what}"


def said_by(convention: Convention) -> str:
    """``fvcore 0.1.5 “flops”``: a tool, its version and its word."""
    name = " ".join(filter(None, (convention.name, convention.version)))
    return f"{name} “{convention.word}”"


def writing_lines(analysis: Analysis, written: Sequence[Written]) -> Iterator[str]:
    """How the network is taken to be written in PyTorch, which some tools make a difference of."""
    for writing in KNOWN_WRITINGS:
        if writing.design == analysis.source:
            known = ", ".join(map(str, writing.written))
            yield f"Written as in {writing.code}: {known}; otherwise as modules."
            break
    else:
        yield "Layers are taken to be written as modules, where PyTorch has one for them."
    if written:
        yield f"Written as asked for: {', '.join(map(str, written))}."


def written_json(analysis: Analysis, written: Sequence[Written]) -> list[dict[str, str]]:
    """How layers are written: what is known of the design, then what the user has said.

    What comes later holds.
    """
    return _forms_json((*known_writing(analysis.source), *written))


def _forms_json(written: Iterable[Written]) -> list[dict[str, str]]:
    return [{"layers": each.what, "form": each.form.value} for each in written]


# -- claims ---------------------------------------------------------------------------------------


def verdict_lines(verdict: Verdict) -> Iterator[str]:
    """Whose count a figure is, in sentences: one for each size of the input."""
    claim = verdict.claim
    if verdict.matches:
        by_size: dict[str, list[Candidate]] = {}
        for match in verdict.matches:
            # Parameters are the same whatever the input.
            by_size.setdefault("" if match.is_of_params else _sizes(match), []).append(match)
        for sizes, matches in by_size.items():
            if len(matches) == 1 or not sizes:
                yield f"{claim.text} is {' and '.join(map(_told, matches))}."
            else:
                yield f"{claim.text} at {sizes} is " + ", ".join(map(_whose, matches)) + "."
        return
    tried = ""
    if verdict.sizes:
        ordered = sorted(verdict.sizes, key=prod)
        first, last = _size(ordered[0]), _size(ordered[-1])
        others = f"any of {len(ordered)} others from {first} to {last}"
        tried = f", nor on {others if len(ordered) > 1 else first}"
    yield f"No convention gives {claim.text} on the spec's input{tried}."
    for near in verdict.nearest:
        yield f"Near it: {_told(near)}."


def _told(candidate: Candidate) -> str:
    """``fvcore's count of resnet50 at 224×224: 4,111,512,576 flops``."""
    analysis, convention = candidate.analysis, candidate.counted.convention
    if candidate.is_of_params:
        of_all = candidate.value == analysis.params
        whose = "the number of parameters" if of_all else f"{convention.name}'s count of parameters"
        return f"{whose} of {analysis.name}: {count(candidate.value)}"
    counted = candidate.value // (2 if candidate.is_doubled else 1)
    twice = "twice " if candidate.is_doubled else ""
    told = (
        f"{twice}{_possessive(convention)} count of {analysis.name} at {_sizes(candidate)}: "
        f"{count(counted)} {convention.word}"
    )
    if _counts_twice(candidate):
        told += ", which counts each multiply-add twice"
    if candidate.written:
        told += f", if it is written with {', '.join(map(str, candidate.written))}"
    return told


def _whose(candidate: Candidate) -> str:
    """``fvcore's 4,111,512,576 flops``, with what is special about it in brackets."""
    convention = candidate.counted.convention
    if candidate.is_of_params:
        return f"{_possessive(convention)} {count(candidate.value)} parameters"
    notes = ["each multiply-add twice"] if _counts_twice(candidate) else []
    notes += [f"if written with {each}" for each in candidate.written]
    counted = candidate.value // (2 if candidate.is_doubled else 1)
    twice = "twice " if candidate.is_doubled else ""
    told = f"{twice}{_possessive(convention)} {count(counted)} {convention.word}"
    return f"{told} ({'; '.join(notes)})" if notes else told


def _possessive(convention: Convention) -> str:
    """Whose count it is: both of convcalc's own are convcalc's."""
    return "convcalc's" if convention.is_own else f"{convention.name}'s"


def _counts_twice(candidate: Candidate) -> bool:
    """Whether it is of twice the multiply-adds: the one part that is of all kinds together."""
    return any(not part.kind and part.amount > 0 for part in candidate.counted.parts)


def _sizes(candidate: Candidate) -> str:
    return ", ".join(_size(sizes) for _, sizes in candidate.analysis.inputs)


def _size(sizes: tuple[int, ...]) -> str:
    """Of an image its height and width; of others all."""
    return shape(sizes[1:] if len(sizes) > 1 else sizes)


# -- JSON -----------------------------------------------------------------------------------------


def _count_json(counted: Counted) -> dict[str, object]:
    convention = counted.convention
    return {
        "name": convention.name,
        "version": convention.version or None,
        "word": convention.word,
        "total": counted.total,
        "ratio": None if counted.ratio is None else float(counted.ratio),
        "params": counted.params,
        "parts": [
            {"kind": part.kind or None, "what": part.what, "amount": part.amount}
            for part in counted.parts
        ],
    }


def _verdict_json(verdict: Verdict) -> dict[str, object]:
    return {
        "text": verdict.claim.text,
        "low": verdict.claim.low,
        "high": verdict.claim.high,
        "of": "params" if verdict.claim.is_of_params else "operations",
        "matches": [_candidate_json(each) for each in verdict.matches],
        "nearest": [_candidate_json(each) for each in verdict.nearest],
        "other_inputs": [list(sizes) for sizes in verdict.sizes],
    }


def _candidate_json(candidate: Candidate) -> dict[str, object]:
    return {
        "convention": candidate.counted.convention.name,
        "value": candidate.value,
        "inputs": {name: list(sizes) for name, sizes in candidate.analysis.inputs},
        "of": "params" if candidate.is_of_params else "operations",
        "doubled": candidate.is_doubled,
        "written": _forms_json(candidate.written),
    }
