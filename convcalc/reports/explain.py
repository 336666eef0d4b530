"""The report of `convcalc explain` and `convcalc layer`, in any of its formats."""

from __future__ import annotations

import shutil
from typing import IO, Final, NamedTuple

from convcalc.analysis.cost import Analysis
from convcalc.reports.explained import ExplainedLayer, ExplainedTotals

__all__ = ["EXPLAIN_FORMATS", "ExplainReport"]

EXPLAIN_FORMATS: Final = ("text", "markdown", "json", "latex")


class ExplainReport(NamedTuple):
    """Numbers of a network with where they come from, in whichever format is asked for."""

    analysis: Analysis
    parts: tuple[ExplainedLayer | ExplainedTotals, ...]
    """What is explained, in the order in which it was asked for."""
    version: str
    """Of convcalc."""
    has_table: bool = False
    """Whether the layer table stands before it."""

    def text(self, format_: str) -> str:
        """The report in one of `EXPLAIN_FORMATS`, whole and without escapes."""
        if format_ == "json":
            from convcalc.reports.explain_json import explain_json  # noqa: PLC0415 - if asked for

            return explain_json(self.analysis, self.parts, self.version)
        if format_ == "latex":
            from convcalc.reports.explain_latex import explain_latex  # noqa: PLC0415 - if asked for

            return explain_latex(self.analysis, self.parts)
        if format_ == "markdown":
            from convcalc.reports.explain_markdown import (  # noqa: PLC0415 - if asked for
                explain_markdown,
            )

            return explain_markdown(self.analysis, self.parts, has_table=self.has_table)
        return self._text(color=False, width=None)

    def draw(self, stream: IO[str], *, color: bool, width: int | None) -> None:
        """The ``text`` for a terminal, at most ``width`` columns wide (None: all that it has)."""
        width = width or shutil.get_terminal_size().columns
        if self.has_table:
            from convcalc.reports.analyze import analysis_sheet  # noqa: PLC0415 - if asked for
            from convcalc.reports.table import print_table  # noqa: PLC0415 - rich takes its time

            sheet = analysis_sheet(self.analysis)
            print_table(sheet._replace(lines=()), stream, color=color, width=width)
            stream.write("\n")
        stream.write(self._replace(has_table=False)._text(color=color, width=width))

    def _text(self, *, color: bool, width: int | None) -> str:
        from convcalc.reports.explain_text import explain_text  # noqa: PLC0415 - if asked for

        text = explain_text(self.analysis, self.parts, color=color, width=width)
        if not self.has_table:
            return text
        from convcalc.reports.analyze import analysis_sheet  # noqa: PLC0415 - if asked for
        from convcalc.reports.plain import plain_text  # noqa: PLC0415 - if asked for

        sheet = analysis_sheet(self.analysis, depth=None)
        return plain_text(sheet._replace(lines=())) + "\n" + text
