"""`convcalc explain` and `convcalc layer`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from convcalc.cli.command import command
from convcalc.cli.completion import explained_metrics, layer_names
from convcalc.cli.networks import costs_of, print_warnings
from convcalc.cli.options import (
    CONDITIONS,
    Settings,
    SpecArgument,
    bad_option,
    explain_formats,
    format_option,
    metric_keys,
)
from convcalc.cli.output import emit

if TYPE_CHECKING:
    from convcalc.analysis import Analysis
    from convcalc.analysis.cost import LayerCost
    from convcalc.errors import Finding
    from convcalc.graph import Graph
    from convcalc.reports.explained import ExplainedLayer, ExplainedTotals
    from convcalc.sources import NetworkFile

__all__ = ["explain", "layer"]

MOST_LAYERS = 100
"""So many layers of a list are told one by one; of more the totals are."""
FIELD = frozenset({"receptive_field"})
"""What is explained beside the metrics of every report."""

ExplainFormatOption = Annotated[str | None, format_option("text", "markdown", "json", "latex")]


MetricOption = Annotated[
    list[str] | None,
    typer.Option(
        "--metric",
        metavar="NAME,...",
        help="Of these alone: params, macs, flops, activations, receptive_field, …",
        autocompletion=explained_metrics,
    ),
]


@command(
    *CONDITIONS,
    "format_",
    "export",
    "color",
    formats=explain_formats,
    format_=ExplainFormatOption,
)
def explain(
    spec: SpecArgument,
    settings: Settings,
    layers: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[LAYER]...",
            help="Layers, groups of layers, or patterns of their names, stage4.*.conv. By default "
            "the totals of the network.",
            show_default=False,
            autocompletion=layer_names,
        ),
    ] = None,
    metric: MetricOption = None,
) -> None:
    """Where each number comes from: formula, values put in, result.

    Of a group, or of the whole network, each total as the sum of its layers.

    \b
    Examples:
      convcalc explain net.yaml
      convcalc explain net.yaml stem
      convcalc explain googlenet inception3a --metric macs
      convcalc explain net.yaml 'stage1.*.conv' --format markdown
    """  # noqa: D301 - the \b keeps the lines of the examples apart
    from convcalc import __version__  # noqa: PLC0415 - see above
    from convcalc.reports.explain import ExplainReport  # noqa: PLC0415 - see above
    from convcalc.sources import open_network, spec_name  # noqa: PLC0415 - see above

    file, found = open_network(spec)
    graph = file.graph(
        found.variant,
        settings.variables,
        name=found.stem,
        spec=spec_name(file, found, found.variant),
    )
    analysis = costs_of(graph, settings)
    print_warnings([analysis], settings)
    chosen = _chosen(analysis, layers or ())
    keys = None if metric is None else frozenset(metric_keys(metric, *FIELD))
    parts = _parts(analysis, chosen, file, found.variant, settings, keys)
    emit(ExplainReport(analysis, parts, __version__), settings)


@command(
    "batch",
    "dtype",
    "weights_dtype",
    "activations_dtype",
    "format_",
    "export",
    "color",
    formats=explain_formats,
    format_=ExplainFormatOption,
)
def layer(
    layers: Annotated[
        list[str],
        typer.Argument(
            metavar="LAYER...",
            help="A layer as a spec has it, 'conv: {out_channels: 64, kernel_size: 3}', a block of "
            "the library, or a list of such in brackets.",
            show_default=False,
        ),
    ],
    settings: Settings,
    input_: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            metavar="SHAPE",
            help="What comes in, channels first: 192,28,28 or 192x28x28. Repeatable: a merge has "
            "several.",
            show_default=False,
        ),
    ] = None,
    metric: MetricOption = None,
    *,
    channels_last: Annotated[
        bool,
        typer.Option("--channels-last", help="The inputs are given as 28x28x192."),
    ] = False,
) -> None:
    """What one layer costs, or a few, without a file.

    Of each number its formula, the values put in, the result. Of several layers a table first, of
    more than 100 the totals alone. A text that begins with a dash stands behind all options and
    `--`; of several inputs the first is called input1.

    \b
    Examples:
      convcalc layer 'conv: {out_channels: 64, kernel_size: 3}' --input 192,28,28
      convcalc layer 'max_pool: {kernel_size: 3}' --input 28x28x64 --channels-last
      convcalc layer 'conv_bn: {out_channels: 64}' relu --input 3,224,224
      convcalc layer add --input 64,56,56 --input 64,56,56
    """  # noqa: D301 - the \b keeps the lines of the examples apart
    from convcalc import __version__  # noqa: PLC0415 - see above
    from convcalc.reports.explain import ExplainReport  # noqa: PLC0415 - see above
    from convcalc.sources.spec.layer_list import LayerListSpec  # noqa: PLC0415 - see above

    if not input_:
        raise bad_option("--input says what comes in, and is missing", "for example 192,28,28")
    file = LayerListSpec(layers, input_, channels_last=channels_last)
    graph = file.graph(name="layers", spec="")
    if not channels_last:
        graph = graph._replace(warnings=(*graph.warnings, *_order_warnings(graph)))
    analysis = costs_of(graph, settings)
    print_warnings([analysis], settings)
    is_one, are_few = len(analysis.layers) == 1, len(analysis.layers) <= MOST_LAYERS
    title = analysis.layers[0].name if is_one else f"{len(analysis.layers)} layers"
    analysis = analysis._replace(name=title)
    keys = None if metric is None else frozenset(metric_keys(metric, *FIELD))
    told: list[LayerCost | str] = list(analysis.layers) if are_few else []
    parts = _parts(analysis, told, file, None, settings, keys)
    has_table = are_few and not is_one
    emit(ExplainReport(analysis, parts, __version__, has_table=has_table), settings)


def _order_warnings(graph: Graph) -> Iterator[Finding]:
    """Warn of shapes that seem to have their channels last: two sizes alike, then another.

    What is said of an image's three channels in any spec is not said again.
    """
    from convcalc.errors import Finding, catalogue  # noqa: PLC0415 - see above
    from convcalc.layers.declaration import shape_text  # noqa: PLC0415 - see above

    said = {finding.place for finding in graph.warnings if finding.code == catalogue.INPUT_ORDER}
    for node in graph.inputs:
        sizes = node.shape
        if len(sizes) == 3 and sizes[0] == sizes[1] != sizes[2] and node.place not in said:
            yield Finding(
                catalogue.INPUT_ORDER,
                f"the input {shape_text(sizes)} has {sizes[0]} channels",
                node.place,
                help=f"if it is {sizes[2]} channels of {sizes[0]}×{sizes[1]}, add "
                "`--channels-last`",
            )


# -- which layers ---------------------------------------------------------------------------------


def _chosen(analysis: Analysis, wanted: Iterable[str]) -> list[LayerCost | str]:
    """The layers, and names of groups, that are meant, each once; none is the whole network.

    Raises UsageError with everything that means nothing.
    """
    from convcalc.analysis.grouping import (  # noqa: PLC0415 - see above
        all_groups,
        groups_named,
        layers_named,
    )
    from convcalc.errors import UsageError  # noqa: PLC0415 - see above

    groups = {group.name for group in all_groups(analysis)}
    rows = {row.name: row for row in analysis.layers}
    chosen: dict[str, LayerCost | str] = {}
    findings = []
    for name in wanted:
        if name in rows:
            found: list[LayerCost | str] = [rows[name]]
        elif name in groups:
            found = [name]
        else:
            found = [*layers_named(analysis, name)] or [
                group.name for group in groups_named(analysis, name)
            ]
        if not found:
            findings.append(_not_found(name, analysis, [*rows, *groups]))
        for each in found:
            chosen.setdefault(each if isinstance(each, str) else each.name, each)
    if findings:
        raise UsageError(findings)
    return list(chosen.values())


def _not_found(name: str, analysis: Analysis, known: list[str]) -> Finding:
    from convcalc.errors import Finding, catalogue, close_match, listed  # noqa: PLC0415 - see above
    from convcalc.layers.declaration import shape_text  # noqa: PLC0415 - see above
    from convcalc.name_patterns import is_pattern  # noqa: PLC0415 - see above

    for input_, sizes in analysis.inputs:
        if name == input_:
            return Finding(
                catalogue.NO_LAYER,
                f"`{name}` is an input of the network, {shape_text(sizes)}: it is given, and costs "
                "nothing but the memory that it is in",
                help="name a layer or a group of layers; without one the totals are explained",
            )
    ends = [each for each in known if each.endswith(f".{name}")]
    close = close_match(name, known) if not ends else None
    if close:
        hint = f"did you mean `{close}`?"
    elif len(ends) == 1:
        hint = f"did you mean `{ends[0]}`?"
    elif ends:
        hint = f"there are {listed(ends)}; `*.{name}` is all of them"
    else:
        tops = dict.fromkeys(row.name.partition(".")[0] for row in analysis.layers)
        hint = f"there are {listed(tops)}"
    what = "fits" if is_pattern(name) else "is called"
    return Finding(catalogue.NO_LAYER, f"no layer or group {what} `{name}`", help=hint)


def _parts(
    analysis: Analysis,
    chosen: list[LayerCost | str],
    file: NetworkFile,
    variant: str | None,
    settings: Settings,
    metrics: frozenset[str] | None,
) -> tuple[ExplainedLayer | ExplainedTotals, ...]:
    """What is said of the layers and groups that were chosen, in their order.

    Where ``metrics`` are given it is narrowed to them. A receptive field is none that adds up: that
    of a network is its output's, that of a group its last layer's.
    """
    from convcalc.analysis.explanation import (  # noqa: PLC0415 - see above
        explain_group,
        explain_totals,
    )
    from convcalc.analysis.grouping import all_groups  # noqa: PLC0415 - see above
    from convcalc.reports.explained import (  # noqa: PLC0415 - see above
        ExplainedTotals,
        explained_layers,
        memory_sums,
        narrowed,
    )

    sizes = {group.name: group.layers for group in all_groups(analysis)}
    rows = [each for each in chosen if not isinstance(each, str)]
    named = {row.name for row in rows}
    last: dict[str | None, LayerCost] = {}
    if metrics is not None and metrics >= FIELD:
        last = {each: sizes[each][-1] for each in chosen if isinstance(each, str)}
        if not chosen:
            output = analysis.outputs[0][0]
            last.update((None, row) for row in analysis.layers if row.name == output)
        rows += [row for row in last.values() if row.name not in named]
        named |= {row.name for row in rows}
    origins = file.origins(named, variant, settings.variables) if rows else ()
    explained = explained_layers(rows, analysis, {each.name: each for each in origins})
    layers = {part.row.name: part for part in explained}
    parts: list[ExplainedLayer | ExplainedTotals] = []
    for each in chosen or (None,):
        if each is None:
            totals, others = explain_totals(analysis), memory_sums(analysis)
            count = len(analysis.layers)
            parts.append(ExplainedTotals(totals, count, is_network=True, others=others))
        elif isinstance(each, str):
            totals = explain_group(each, analysis)
            parts.append(ExplainedTotals(totals, len(sizes[each]), is_network=False))
        else:
            parts.append(layers[each.name])
            continue
        field = last.get(each)
        # Of an input that is an output at once there is none to tell.
        if field is not None:
            if metrics == FIELD:
                parts.pop()
            parts.append(narrowed(layers[field.name], FIELD))
    if metrics is None:
        return tuple(parts)
    return tuple(narrowed(part, metrics) for part in parts)
