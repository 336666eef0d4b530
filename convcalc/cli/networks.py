"""The networks that a command is about."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from convcalc.cli.options import bad_option
from convcalc.cli.output import print_findings

if TYPE_CHECKING:
    from convcalc.analysis import Analysis
    from convcalc.cli.options import Settings
    from convcalc.errors import Finding
    from convcalc.graph import Graph

__all__ = ["analyzed", "analyzed_at", "costs_of", "named_networks", "print_warnings", "told_apart"]


def analyzed(
    references: Iterable[str], settings: Settings, *, every_variant: bool = False
) -> tuple[Analysis, ...]:
    """The networks analyzed; what is wrong with any of them is said of all before giving up."""
    from convcalc.sources import is_pattern, load, variants_of  # noqa: PLC0415 - see above

    def graphs(reference: str) -> Iterable[Graph]:
        if every_variant or is_pattern(reference):
            return variants_of(reference, settings.variables)
        return (load(reference, settings.variables),)

    return _analyzed(references, graphs, settings)


def analyzed_at(
    revision: str, references: Iterable[str], settings: Settings
) -> tuple[Analysis, ...]:
    """The same networks as git has them at a revision: not the first of what was a family.

    What is wrong with any of them is said of all before giving up.
    """
    from convcalc.sources import network_at, spec_name  # noqa: PLC0415 - see above

    def graphs(reference: str) -> Iterable[Graph]:
        variant = reference.partition("::")[2] or None
        file, found = network_at(reference, variant, revision)
        name = spec_name(file, found, variant)
        return (file.graph(variant, settings.variables, name=found.stem, spec=name),)

    return _analyzed(references, graphs, settings)


def _analyzed(
    references: Iterable[str], graphs: Callable[[str], Iterable[Graph]], settings: Settings
) -> tuple[Analysis, ...]:
    """The networks whose graphs ``graphs`` gives for each reference, analyzed."""
    from convcalc.errors import ConvcalcError  # noqa: PLC0415 - see above

    analyses: list[Analysis] = []
    errors: list[Finding] = []
    for reference in references:
        try:
            analyses += [costs_of(graph, settings) for graph in graphs(reference)]
        except ConvcalcError as error:
            errors += [finding for finding in error.findings if finding not in errors]
    if errors:
        raise ConvcalcError(errors)
    print_warnings(analyses, settings)
    return tuple(analyses)


def costs_of(graph: Graph, settings: Settings) -> Analysis:
    """The network analyzed under the settings."""
    from convcalc.analysis import analyze_graph  # noqa: PLC0415 - see above

    return analyze_graph(
        graph,
        batch=settings.batch,
        dtypes=settings.dtypes,
        in_place=settings.in_place,
        best_order=settings.best_order,
        optimizer=settings.optimizer,
    )


def print_warnings(analyses: Iterable[Analysis], settings: Settings) -> None:
    """Write what deserves a look in the networks to standard error, each thing once."""
    from convcalc.analysis.published import published_findings  # noqa: PLC0415 - see above

    warnings = [
        finding
        for analysis in analyses
        for finding in (*analysis.warnings, *published_findings(analysis))
    ]
    print_findings(dict.fromkeys(warnings), color=settings.color and sys.stderr.isatty())


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
