"""A report in any of the formats."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from typing import IO, TYPE_CHECKING, Final, NamedTuple

from convcalc.analysis.cost import Analysis
from convcalc.reports.analyze import AUTO_DEPTH, Depth, analysis_sheet
from convcalc.reports.sheet import Sheet

if TYPE_CHECKING:
    from convcalc.analysis.comparison import Comparison
    from convcalc.analysis.devices import Device

__all__ = ["FORMATS", "Report", "analyses_report", "changes_report", "comparison_report"]

FORMATS: Final = ("table", "plain", "json", "csv", "markdown")

EXPORT_WIDTH: Final = 160
"""Columns of a table that is drawn into a file."""


class Report(NamedTuple):
    """What a command has to say, in whichever format is asked for."""

    sheets: Callable[[Depth], Sequence[Sheet]]
    """The tables; the argument is how deep to fold unless the user has said."""
    json: Callable[[], str]
    csv: Callable[[], str]

    def text(self, format_: str) -> str:
        """The report in one of `FORMATS`."""
        if format_ == "table":
            drawn = io.StringIO()
            self.draw(drawn, color=False, width=EXPORT_WIDTH)
            return drawn.getvalue()
        if format_ == "json":
            return self.json()
        if format_ == "csv":
            return self.csv()
        if format_ == "markdown":
            from convcalc.reports.markdown import markdown_text  # noqa: PLC0415 - if asked for

            return "\n".join(map(markdown_text, self.sheets(AUTO_DEPTH)))
        from convcalc.reports.plain import plain_text  # noqa: PLC0415 - if asked for

        # What goes through a pipe is for another program: every layer, however many.
        return "\n".join(map(plain_text, self.sheets(None)))

    def draw(self, stream: IO[str], *, color: bool, width: int | None) -> None:
        """The tables, drawn on a terminal."""
        from convcalc.reports.table import print_table  # noqa: PLC0415 - rich takes its time

        for number, sheet in enumerate(self.sheets(AUTO_DEPTH)):
            if number:
                stream.write("\n")
            print_table(sheet, stream, color=color, width=width)


def analyses_report(
    analyses: Sequence[Analysis],
    *,
    depth: Depth,
    columns: Iterable[str],
    version: str,
    memory: bool = False,
    device: Device | None = None,
) -> Report:
    """The report of networks one by one, on a device if one is given, or of their memory.

    A ``depth`` of None is the format's own.
    """
    names = tuple(columns)

    def as_json() -> str:
        from convcalc.reports.json_report import networks_json  # noqa: PLC0415 - if asked for

        return networks_json(analyses, version, memory=memory, device=device)

    def as_csv() -> str:
        from convcalc.reports.csv_report import networks_csv  # noqa: PLC0415 - if asked for

        return networks_csv(analyses, memory=memory, device=device)

    def sheets(usual: Depth) -> Sequence[Sheet]:
        chosen = _chosen(depth, usual)
        if memory:
            from convcalc.reports.memory import memory_sheets  # noqa: PLC0415 - if asked for

            return [sheet for each in analyses for sheet in memory_sheets(each, depth=chosen)]
        return [
            analysis_sheet(each, depth=chosen, columns=names, device=device) for each in analyses
        ]

    return Report(sheets, as_json, as_csv)


def comparison_report(
    comparison: Comparison, *, by_layer: bool, depth: Depth, version: str
) -> Report:
    """The report of networks side by side, layer by layer if asked for."""

    def as_json() -> str:
        from convcalc.reports.json_report import comparison_json  # noqa: PLC0415 - if asked for

        return comparison_json(comparison, version)

    def as_csv() -> str:
        from convcalc.reports.csv_report import comparisons_csv  # noqa: PLC0415 - if asked for

        return comparisons_csv([comparison])

    def sheets(usual: Depth) -> Sequence[Sheet]:
        from convcalc.reports.compare import (  # noqa: PLC0415 - not for an analysis
            comparison_sheet,
            layers_sheet,
        )

        if by_layer:
            return [layers_sheet(comparison, depth=_chosen(depth, usual))]
        return [comparison_sheet(comparison)]

    return Report(sheets, as_json, as_csv)


def changes_report(
    pairs: Sequence[tuple[Analysis, Analysis]], revision: str, *, depth: Depth, version: str
) -> Report:
    """The report of networks beside what they were at a revision, and of the layers that changed.

    ``pairs``, at least one, are (before, after); the networks after have names of their own, and
    those before are called after them: ``net at origin/main``.
    """
    from convcalc.analysis.comparison import Comparison  # noqa: PLC0415 - not for an analysis

    comparisons = [
        Comparison((before._replace(name=f"{after.name} at {revision}"), after), reference=0)
        for before, after in pairs
    ]

    def as_json() -> str:
        from convcalc.reports.json_report import changes_json  # noqa: PLC0415 - if asked for

        return changes_json(comparisons, version)

    def as_csv() -> str:
        from convcalc.reports.csv_report import comparisons_csv  # noqa: PLC0415 - if asked for

        return comparisons_csv(comparisons)

    def sheets(usual: Depth) -> Sequence[Sheet]:
        from convcalc.reports.compare import (  # noqa: PLC0415 - not for an analysis
            changes_sheet,
            comparison_sheet,
        )

        chosen = _chosen(depth, usual)
        return [
            sheet
            for comparison in comparisons
            for sheet in (
                comparison_sheet(comparison),
                changes_sheet(*comparison.networks, depth=chosen),
            )
        ]

    return Report(sheets, as_json, as_csv)


def _chosen(asked: Depth, usual: Depth) -> Depth:
    """The depth that was asked for (``all`` is every layer), else the format's own."""
    if asked is None:
        return usual
    return None if asked == "all" else asked
