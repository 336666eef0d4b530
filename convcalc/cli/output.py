"""Reports and findings, to where they belong."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convcalc.cli.options import Settings
    from convcalc.errors import Finding
    from convcalc.reports.check import CheckReport
    from convcalc.reports.compare_formulas import FormulaComparisonReport
    from convcalc.reports.explain import ExplainReport
    from convcalc.reports.formula import FormulaReport
    from convcalc.reports.reconcile import ReconcileReport
    from convcalc.reports.report import Report

__all__ = [
    "EXIT_BUG",
    "EXIT_CANNOT_JUDGE",
    "EXIT_CLOSED_PIPE",
    "EXIT_OVER_BUDGET",
    "append",
    "emit",
    "export_files",
    "print_findings",
    "refused_export",
]

EXIT_OVER_BUDGET = 1
EXIT_CANNOT_JUDGE = 2
EXIT_BUG = 3
EXIT_CLOSED_PIPE = 141


def emit(
    report: Report
    | CheckReport
    | ExplainReport
    | FormulaReport
    | FormulaComparisonReport
    | ReconcileReport,
    settings: Settings,
    others: Sequence[tuple[Path, str]] = (),
) -> None:
    """Export the report, then print it: a file that cannot be written leaves nothing half done.

    ``others`` are files that are written with it.
    """
    export_files([*((path, report.text(kind)) for kind, path in settings.exports), *others])
    if settings.format == "table" or (settings.format == "text" and sys.stdout.isatty()):
        is_terminal = sys.stdout.isatty()
        columns = os.environ.get("COLUMNS", "")
        width = (
            None
            if is_terminal
            else int(columns)
            if columns.isdecimal() and len(columns) < 6
            else 100_000
        )
        report.draw(sys.stdout, color=settings.color, width=width)
    else:
        sys.stdout.write(report.text(settings.format))


def export_files(files: list[tuple[Path, str]]) -> None:
    """Write all files or none: each beside its place first, then moved there.

    A link stays one, and what is no regular file, such as a pipe, is written into. Raises
    UsageError.
    """
    written: list[tuple[Path, Path]] = []
    path = Path()
    try:
        places = [path.resolve() for path, _ in files]
        for number, (path, text) in enumerate(files):
            place = places[number]
            if place in places[:number]:
                raise refused_export(path, "it is written twice in one run")
            if place.is_dir():
                raise refused_export(path, "it is a directory")
            if place.exists() and not place.is_file():
                with place.open("w", encoding="utf-8") as stream:
                    stream.write(text)
                continue
            # Not called after the file, whose name may be as long as a name can be.
            beside = place.with_name(f".convcalc-{os.getpid()}-{number}.part")
            written.append((beside, place))
            beside.write_text(text, encoding="utf-8")
        for beside, place in written:
            beside.replace(place)
    except OSError as error:
        raise refused_export(path, error.strerror or str(error)) from None
    finally:
        # None is left when all went well.
        for beside, _ in written:
            # Where nothing can be written, nothing can be removed: what was wrong is said already.
            with suppress(OSError):
                beside.unlink(missing_ok=True)


def append(path: Path, text: str) -> None:
    """Add a text to a file. Raises UsageError."""
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise refused_export(path, error.strerror or str(error)) from None


def refused_export(path: Path, reason: str, help_: str | None = None) -> Exception:
    """The error for a file that cannot be written."""
    from convcalc.errors import Finding, UsageError, catalogue  # noqa: PLC0415 - see above

    return UsageError(
        [
            Finding(
                catalogue.CANNOT_WRITE,
                f"{str(path)!r} cannot be written: {reason}",
                help=help_,
            )
        ]
    )


def print_findings(findings: Iterable[Finding], *, color: bool) -> None:
    """Write findings to standard error."""
    from convcalc.reports.findings import findings_text  # noqa: PLC0415 - see above

    text = findings_text(findings, color=color)
    if text:
        print(text, end="", file=sys.stderr)  # noqa: T201 - this is the command line
