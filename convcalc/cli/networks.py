"""The networks that a command is about."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from convcalc.cli.options import bad_option
from convcalc.cli.output import print_findings

if TYPE_CHECKING:
    from convcalc.analysis import Analysis
    from convcalc.cli.options import Settings
    from convcalc.errors import Finding

__all__ = ["analyzed", "named_networks", "told_apart"]


def analyzed(
    references: Iterable[str],
    settings: Settings,
    *,
    every_variant: bool = False,
    revision: str | None = None,
) -> tuple[Analysis, ...]:
    """The networks analyzed; what is wrong with any of them is said of all before giving up."""
    from convcalc.analysis import analyze_graph  # noqa: PLC0415 - see above
    from convcalc.analysis.published import published_findings  # noqa: PLC0415 - see above
    from convcalc.errors import ConvcalcError  # noqa: PLC0415 - see above
    from convcalc.sources import (  # noqa: PLC0415 - see above
        is_pattern,
        load,
        network_at,
        variants_of,
    )

    analyses: list[Analysis] = []
    errors: list[Finding] = []
    for reference in references:
        try:
            if revision is not None:
                # The same network, or none: not the first of what was a family.
                network_at(reference, reference.partition("::")[2] or None, revision)
            graphs = (
                variants_of(reference, settings.variables, revision=revision)
                if every_variant or is_pattern(reference)
                else (load(reference, settings.variables, revision=revision),)
            )
            analyses += [
                analyze_graph(
                    graph,
                    batch=settings.batch,
                    dtypes=settings.dtypes,
                    in_place=settings.in_place,
                    best_order=settings.best_order,
                    optimizer=settings.optimizer,
                )
                for graph in graphs
            ]
        except ConvcalcError as error:
            errors += [finding for finding in error.findings if finding not in errors]
    if errors:
        raise ConvcalcError(errors)
    warnings = [
        finding
        for analysis in analyses
        for finding in (*analysis.warnings, *published_findings(analysis))
    ]
    print_findings(dict.fromkeys(warnings), color=settings.color and sys.stderr.isatty())
    return tuple(analyses)


def told_apart(analyses: tuple[Analysis, ...]) -> tuple[Analysis, ...]:
    """The networks, those that share a name under their specs' instead."""
    names = [analysis.name for analysis in analyses]
    return tuple(
        analysis._replace(name=analysis.spec) if names.count(analysis.name) > 1 else analysis
        for analysis in analyses
    )


def named_networks(references: Iterable[str], settings: Settings) -> list[tuple[str, Analysis]]:
    """Every network with the name that it goes by from here."""
    from convcalc.errors import ConvcalcError  # noqa: PLC0415 - see above

    networks: list[tuple[str, Analysis]] = []
    errors: list[Finding] = []
    for reference in references:
        path = reference.partition("::")[0]
        if path == "-":
            raise bad_option("a budget names files", "save the spec, and name its file")
        try:
            for analysis in analyzed((reference,), settings, every_variant=True):
                _, separator, variant = analysis.spec.partition("::")
                networks.append((path + separator + variant, analysis))
        except ConvcalcError as error:
            errors += error.findings
    if errors:
        raise ConvcalcError(errors)
    return networks
