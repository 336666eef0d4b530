"""`convcalc compare`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from convcalc.cli.command import command
from convcalc.cli.completion import networks
from convcalc.cli.networks import (
    analyzed,
    analyzed_at,
    costs_of,
    print_warnings,
    told_apart,
)
from convcalc.cli.options import (
    AgainstOption,
    AssumeOption,
    Settings,
    SpecsArgument,
    bad_option,
    names_of,
    unknown,
)
from convcalc.cli.output import emit

if TYPE_CHECKING:
    from convcalc.analysis import Analysis
    from convcalc.analysis.freed_costs import FreedCosts
    from convcalc.errors import Finding

__all__ = ["compare"]

FreeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--free",
        metavar="NAME,...",
        help="What stays free in formulas; by default all variables that can.",
        show_default=False,
    ),
]


@command()
def compare(
    specs: SpecsArgument,
    settings: Settings,
    reference: Annotated[
        str | None,
        typer.Option(
            "--reference",
            metavar="NETWORK",
            help="The network to compare with; by default the first.",
            autocompletion=networks,
        ),
    ] = None,
    against: AgainstOption = None,
    *,
    layers: Annotated[
        bool, typer.Option("--layers", help="Layer by layer, aligned by name.")
    ] = False,
    formula: Annotated[
        bool,
        typer.Option(
            "--formula", help="Parameters and multiply-adds as formulas of the specs' variables."
        ),
    ] = False,
    free: FreeOption = None,
    assume: AssumeOption = None,
) -> None:
    """Networks side by side, with their ratios.

    One file with variants compares its variants.

    \b
    Examples:
      convcalc compare inception_naive inception_bottleneck
      convcalc compare resnet --reference resnet50
      convcalc compare 'conv_families::*_1d'
      convcalc compare net.yaml mobilenet_v2 --set width=1/2
      convcalc compare inception_naive inception_bottleneck --layers
      convcalc compare 'conv_families::*_1d' --formula
      convcalc compare net.yaml --against origin/main
    """  # noqa: D301 - the \b keeps the lines of the examples apart
    from convcalc import __version__  # noqa: PLC0415 - see above
    from convcalc.analysis.comparison import Comparison  # noqa: PLC0415 - see above
    from convcalc.reports.report import comparison_report  # noqa: PLC0415 - see above

    if not formula and (free or assume):
        raise bad_option("--free and --assume are for formulas", "add --formula")
    if formula and (layers or against is not None):
        raise bad_option("--formula is for whole networks", "leave out --layers and --against")
    if against is not None:
        if layers or reference is not None:
            raise bad_option(
                "--against compares each spec with itself, layer by layer",
                "leave out --layers and --reference",
            )
        from convcalc.reports.report import changes_report  # noqa: PLC0415 - see above

        after = analyzed(specs, settings, every_variant=True)
        before = analyzed_at(against, [network.spec for network in after], settings)
        pairs = list(zip(before, told_apart(after), strict=True))
        emit(changes_report(pairs, against, depth=settings.depth, version=__version__), settings)
        return
    if settings.depth is not None and not layers:
        raise bad_option("--depth folds layers, and there are none here", "add --layers")
    if formula:
        from convcalc.reports.compare_formulas import (  # noqa: PLC0415 - see above
            FormulaComparisonReport,
        )

        analyses, costs = _with_formulas(
            specs, settings, None if free is None else names_of(free), tuple(assume or ())
        )
        comparison = Comparison(told_apart(analyses), _reference(analyses, reference))
        emit(FormulaComparisonReport(comparison, costs, __version__), settings)
        return
    analyses = analyzed(specs, settings, every_variant=len(specs) == 1)
    analyses = told_apart(analyses)
    comparison = Comparison(analyses, _reference(analyses, reference))
    report = comparison_report(
        comparison, by_layer=layers, depth=settings.depth, version=__version__
    )
    emit(report, settings)


def _with_formulas(
    specs: list[str],
    settings: Settings,
    names: tuple[str, ...] | None,
    assumptions: tuple[str, ...],
) -> tuple[tuple[Analysis, ...], tuple[FreedCosts, ...]]:
    """The networks analyzed, and their costs as formulas, from one reading of each spec."""
    from convcalc.analysis.formulas import network_formulas  # noqa: PLC0415 - see above
    from convcalc.analysis.freed_costs import freed_costs  # noqa: PLC0415 - see above
    from convcalc.errors import ConvcalcError  # noqa: PLC0415 - see above
    from convcalc.reports.compare_formulas import COMPARED  # noqa: PLC0415 - see above
    from convcalc.sources.free import freeable_networks  # noqa: PLC0415 - see above

    analyses: list[Analysis] = []
    found: list[FreedCosts] = []
    errors: list[Finding] = []
    for spec in specs:
        try:
            for network in freeable_networks(
                spec, settings.variables, every_variant=len(specs) == 1
            ):
                analyses.append(costs_of(network.given or network.graph({}), settings))
                freed = network.freed(
                    network.freeable_names() if names is None else names, assumptions
                )
                formulas = network_formulas(
                    freed.graph,
                    batch=settings.batch if freed.batch is None else freed.batch,
                    dtypes=settings.dtypes,
                    metrics=COMPARED,
                )
                own = {name: network.value(name) for name in freed.names}
                found.append(
                    freed_costs(
                        formulas,
                        freed.names,
                        freed.assumptions,
                        own,
                        conditions=freed.conditions,
                    )
                )
        except ConvcalcError as error:
            errors += [finding for finding in error.findings if finding not in errors]
    if errors:
        raise ConvcalcError(errors)
    print_warnings(analyses, settings)
    return tuple(analyses), tuple(found)


def _reference(analyses: tuple[Analysis, ...], wanted: str | None) -> int:
    from convcalc.errors import Finding, UsageError, catalogue  # noqa: PLC0415 - see above

    if len(analyses) < 2:
        raise UsageError(
            [
                Finding(
                    catalogue.TOO_FEW_NETWORKS,
                    "one network cannot be compared",
                    help="name two specs, or one file with variants",
                )
            ]
        )
    if wanted is None:
        return 0
    for position, analysis in enumerate(analyses):
        if wanted in (analysis.name, analysis.spec):
            return position
    raise unknown(
        f"--reference: no network {wanted!r} in this comparison",
        wanted,
        [analysis.name for analysis in analyses],
    )
