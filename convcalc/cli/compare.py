"""`convcalc compare`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from convcalc.cli.command import command
from convcalc.cli.networks import analyzed, told_apart
from convcalc.cli.options import AgainstOption, Settings, SpecsArgument, bad_option, unknown
from convcalc.cli.output import emit

if TYPE_CHECKING:
    from convcalc.analysis import Analysis

__all__ = ["compare"]


@command()
def compare(
    specs: SpecsArgument,
    settings: Settings,
    reference: Annotated[
        str | None,
        typer.Option("--reference", help="The network to compare with; by default the first."),
    ] = None,
    against: AgainstOption = None,
    *,
    layers: Annotated[
        bool, typer.Option("--layers", help="Layer by layer, aligned by name.")
    ] = False,
) -> None:
    """Networks side by side, with their ratios.

    One file with variants compares its variants.

    \b
    Examples:
      convcalc compare inception_naive inception_bottleneck
      convcalc compare resnet --reference resnet50
      convcalc compare 'conv_families::*_1d'
      convcalc compare before.yaml after.yaml --layers
      convcalc compare net.yaml --against origin/main
    """  # noqa: D301 - the \b keeps the lines of the examples apart
    from convcalc import __version__  # noqa: PLC0415 - see above
    from convcalc.analysis.comparison import Comparison  # noqa: PLC0415 - see above
    from convcalc.reports.report import comparison_report  # noqa: PLC0415 - see above

    if against is not None:
        if layers or reference is not None:
            raise bad_option(
                "--against compares each spec with itself, layer by layer",
                "leave out --layers and --reference",
            )
        from convcalc.reports.report import changes_report  # noqa: PLC0415 - see above

        after = analyzed(specs, settings, every_variant=True)
        before = analyzed([network.spec for network in after], settings, revision=against)
        pairs = list(zip(before, told_apart(after), strict=True))
        emit(changes_report(pairs, against, depth=settings.depth, version=__version__), settings)
        return
    if settings.depth is not None and not layers:
        raise bad_option("--depth folds layers, and there are none here", "add --layers")
    analyses = analyzed(specs, settings, every_variant=len(specs) == 1)
    analyses = told_apart(analyses)
    comparison = Comparison(analyses, _reference(analyses, reference))
    report = comparison_report(
        comparison, by_layer=layers, depth=settings.depth, version=__version__
    )
    emit(report, settings)


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
