"""`convcalc check` and `convcalc budget`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from convcalc.cli.command import app, command
from convcalc.cli.completion import limits, networks
from convcalc.cli.networks import named_networks
from convcalc.cli.options import (
    CONDITIONS,
    AgainstOption,
    DeviceOption,
    Settings,
    SpecsArgument,
    bad_option,
    check_formats,
    format_option,
    settings_of,
)
from convcalc.cli.output import (
    EXIT_CANNOT_JUDGE,
    EXIT_OVER_BUDGET,
    append,
    emit,
    export_files,
    print_findings,
)

if TYPE_CHECKING:
    from convcalc.errors import Finding
    from convcalc.limits import Limit

__all__ = ["check", "init"]


LimitOption = list[str] | None

MOST_HEADROOM = 100
"""Times the numbers of today."""

CheckFormatOption = Annotated[
    str | None,
    format_option("text", "json", "markdown", "github", "gitlab", "junit", "sarif"),
]


def _report_refusal(findings: tuple[Finding, ...], options: dict[str, Any]) -> None:
    """Report options that cannot be understood in the formats that are asked for, if any can be."""
    from convcalc import __version__  # noqa: PLC0415 - see above
    from convcalc.budgets import Check  # noqa: PLC0415 - see above
    from convcalc.errors import ConvcalcError  # noqa: PLC0415 - see above
    from convcalc.reports.check import check_report  # noqa: PLC0415 - see above

    asked = {name: options[name] for name in ("format_", "export", "color")}
    try:
        settings = settings_of(**asked, formats=check_formats)
    except ConvcalcError:
        return  # it is these that are wrong
    report = check_report(Check((), findings), __version__)
    export_files([(path, report.text(kind)) for kind, path in settings.exports])
    if settings.format != "text":
        sys.stdout.write(report.text(settings.format))
        raise typer.Exit(EXIT_CANNOT_JUDGE)


@command(
    *CONDITIONS,
    "format_",
    "export",
    "color",
    formats=check_formats,
    refused=_report_refusal,
    format_=CheckFormatOption,
)
def check(
    settings: Settings,
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SPEC|BUDGETS]...",
            help="Specs, of which all variants are checked, or budget files. By default "
            "budgets.yaml.",
            show_default=False,
            autocompletion=networks,
        ),
    ] = None,
    max_: Annotated[
        LimitOption,
        typer.Option(
            "--max",
            metavar="METRIC=LIMIT",
            help="No more than this: macs=600M. Repeatable.",
            autocompletion=limits,
        ),
    ] = None,
    min_: Annotated[
        LimitOption,
        typer.Option(
            "--min",
            metavar="METRIC=LIMIT",
            help="No less than this: receptive_field=224. Repeatable.",
            autocompletion=limits,
        ),
    ] = None,
    max_increase: Annotated[
        LimitOption,
        typer.Option(
            "--max-increase",
            metavar="METRIC=LIMIT",
            help="Over the baseline: macs=2%, params=50k. Repeatable.",
            autocompletion=limits,
        ),
    ] = None,
    against: AgainstOption = None,
    baseline: Annotated[
        str | None,
        typer.Option(
            "--baseline",
            metavar="FILE",
            help="What it cost before: a saved `analyze --format json`, or a spec.",
        ),
    ] = None,
    device: DeviceOption = None,
    *,
    update_baseline: Annotated[
        bool,
        typer.Option(
            "--update-baseline", help="Write the saved reports that budgets name as baselines."
        ),
    ] = False,
    why: Annotated[
        bool,
        typer.Option("--why", help="The layers that weigh most, and those that changed."),
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Let warnings fail, too.")] = False,
    exit_zero: Annotated[
        bool, typer.Option("--exit-zero", help="Exit with 0 though a budget is exceeded.")
    ] = False,
    summary: Annotated[
        bool,
        typer.Option(
            "--summary", help="Add the Markdown report to GITHUB_STEP_SUMMARY where that is set."
        ),
    ] = False,
) -> None:
    """Hold networks against budgets: exit code 1 if one is exceeded.

    Budgets stand in the specs, in a budget file, or in options.

    \b
    Examples:
      convcalc check net.yaml --why
      convcalc check net.yaml --max params=5M --max macs=600M --strict
      convcalc check net.yaml --against origin/main --max-increase macs=2%
      convcalc budget init net.yaml --headroom 10% > budgets.yaml
      convcalc check budgets.yaml --format github --export junit:report.xml
    """  # noqa: D301 - the \b keeps the lines of the examples apart
    from convcalc import __version__  # noqa: PLC0415 - see above
    from convcalc.budgets import Check, Outcome  # noqa: PLC0415 - see above
    from convcalc.checking import (  # noqa: PLC0415 - see above
        CheckRequest,
        CheckRun,
        check_networks,
    )
    from convcalc.errors import ConvcalcError  # noqa: PLC0415 - see above
    from convcalc.reports.check import check_report  # noqa: PLC0415 - see above

    try:
        run = check_networks(
            CheckRequest(
                tuple(files or ()),
                limits=_limits({"--max": max_, "--min": min_, "--max-increase": max_increase}),
                conditions=settings.conditions._replace(device=device),
                against=against,
                baseline=baseline,
                update_baseline=update_baseline,
                explain=why,
                strict=strict,
            )
        )
    except ConvcalcError as error:  # a report of it is asked for as of any other
        run = CheckRun(Check((), error.findings, strict))
    report = check_report(run.check, __version__)
    if settings.format == "text":
        print_findings(run.check.findings, color=settings.color and sys.stderr.isatty())
    outcome = run.check.outcome
    updates: list[tuple[Path, str]] = []
    if outcome is not Outcome.CANNOT_JUDGE:
        from convcalc.reports.json_report import updated_report  # noqa: PLC0415 - see above

        updates = [
            (update.path, updated_report(update.text, update.networks, __version__))
            for update in run.updates
        ]
    emit(report, settings, updates)
    for path, _ in updates:
        print(f"wrote {path}", file=sys.stderr)  # noqa: T201 - this is the command line
    if summary and os.environ.get("GITHUB_STEP_SUMMARY"):
        append(Path(os.environ["GITHUB_STEP_SUMMARY"]), report.text("markdown"))
    if outcome is Outcome.CANNOT_JUDGE:
        raise typer.Exit(EXIT_CANNOT_JUDGE)
    if outcome is Outcome.OVER and not exit_zero:
        raise typer.Exit(EXIT_OVER_BUDGET)


def _limits(options: dict[str, LimitOption]) -> tuple[Limit, ...]:
    """The limits of the command line; what is wrong with any of them is said of all."""
    if not any(options.values()):
        return ()
    from convcalc.errors import UsageError  # noqa: PLC0415 - see above
    from convcalc.limits import Bound  # noqa: PLC0415 - see above
    from convcalc.sources.budgets import option_limit  # noqa: PLC0415 - see above

    found: list[Limit] = []
    findings: list[Finding] = []
    for option, texts in options.items():
        bound = Bound(option.removeprefix("--").replace("-", "_"))
        for text in texts or ():
            try:
                found.append(option_limit(option, bound, text))
            except UsageError as error:
                findings += error.findings
    if findings:
        raise UsageError(findings)
    return tuple(found)


_budget_app = typer.Typer(
    help="""Budgets for `check`.

    \b
    Example:
      convcalc budget init net.yaml --headroom 10% > budgets.yaml
    """,
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(_budget_app, name="budget")


@command(*CONDITIONS, "color", group=_budget_app)
def init(
    specs: SpecsArgument,
    settings: Settings,
    headroom: Annotated[
        str, typer.Option("--headroom", metavar="PERCENT", help="Room above today's numbers.")
    ] = "0%",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write a file, which must be new."),
    ] = None,
) -> None:
    """A budget file to start from: today's numbers, with headroom.

    \b
    Examples:
      convcalc budget init net.yaml --headroom 10% > budgets.yaml
      convcalc budget init net.yaml mobilenet_v2 --headroom 5% --output all.yaml
    """  # noqa: D301 - the \b keeps the lines of the examples apart
    from convcalc.reports.budget_file import budget_file_text  # noqa: PLC0415 - see above
    from convcalc.sources.amounts import AmountError, parse_amount  # noqa: PLC0415 - see above

    try:
        room, _ = parse_amount(headroom, "count", percent=True)
    except AmountError as error:
        raise bad_option(f"--headroom: {error}", error.help) from None
    if room > MOST_HEADROOM:
        raise bad_option(f"--headroom: {headroom!r} is no limit at all", "for example 10%")
    if output is not None and output.exists():
        raise bad_option(f"--output: {str(output)!r} exists", "name a new file, or edit that one")
    text = budget_file_text(
        named_networks(specs, settings),
        room,
        settings.conditions,
        output.parent if output is not None else Path(),
    )
    if output is None:
        sys.stdout.write(text)
    else:
        export_files([(output, text)])
        print(f"wrote {output}", file=sys.stderr)  # noqa: T201 - this is the command line
