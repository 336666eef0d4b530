"""`convcalc formula`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated

import typer

from convcalc.cli.command import command
from convcalc.cli.completion import metrics
from convcalc.cli.options import (
    AssumeOption,
    Settings,
    SpecsArgument,
    bad_option,
    format_option,
    formula_formats,
    metric_keys,
    names_of,
)
from convcalc.cli.output import emit, print_findings

if TYPE_CHECKING:
    from convcalc.analysis.formulas import NetworkFormulas
    from convcalc.analysis.freed_costs import FreedCosts
    from convcalc.analysis.smallest_input import SmallestInput
    from convcalc.graph import Graph
    from convcalc.reports.formula import NetworkReport
    from convcalc.sources.free import Amount, FreeableNetwork, FreedNetwork

__all__ = ["formula"]

USUAL_METRICS = ("params", "macs", "flops", "activation_bytes")
LARGEST_FACTOR = 10**6
LONGEST_FACTOR = 40
"""Characters of a factor."""
MOST_REBUILT = 200
"""Sizes at which a network is built anew in search of the smallest."""

FormulaFormatOption = Annotated[
    str | None, format_option("text", "latex", "python", "json", "markdown")
]
FreeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--free",
        metavar="NAME,...",
        help="What stays free: variables of the spec, axes of the input (C, H, W; L; D), the "
        "batch N.",
        show_default=False,
    ),
]


@command(
    "set_",
    "batch",
    "dtype",
    "weights_dtype",
    "activations_dtype",
    "optimizer",
    "format_",
    "export",
    "color",
    formats=formula_formats,
    format_=FormulaFormatOption,
)
def formula(
    specs: SpecsArgument,
    settings: Settings,
    free: FreeOption = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            "--metric",
            metavar="NAME,...",
            help="params, macs, flops, activations, activation_elements, adds, training_memory, …; "
            "by default the first four.",
            show_default=False,
            autocompletion=metrics,
        ),
    ] = None,
    assume: AssumeOption = None,
    grow: Annotated[
        list[str] | None,
        typer.Option(
            "--grow",
            metavar="NAME[=FACTOR],...",
            help="What to multiply together, by 2 unless you say; of what is not free too: depth, "
            "width. By default each free size. Repeatable.",
            show_default=False,
        ),
    ] = None,
    *,
    layers: Annotated[bool, typer.Option("--layers", help="Each layer too.")] = False,
) -> None:
    """What a network costs as exact formulas of its sizes.

    By default the sizes of its input in space and the batch are free; counts are then those of the
    whole batch.

    \b
    Examples:
      convcalc formula resnet::resnet50
      convcalc formula net.yaml --free width --metric params,macs
      convcalc formula resnet::resnet50 --assume 'H % 32 == 0' --assume 'W == H'
      convcalc formula mobilenet_v1 --format python > costs.py
      convcalc formula efficientnet --grow depth=1.2,width=1.1,resolution=8/7
    """  # noqa: D301 - the \b keeps the lines of the examples apart
    from convcalc import __version__  # noqa: PLC0415 - see above
    from convcalc.errors import ConvcalcError, Finding  # noqa: PLC0415 - see above
    from convcalc.reports.formula import FormulaReport  # noqa: PLC0415 - see above
    from convcalc.sources.free import freeable_networks  # noqa: PLC0415 - see above

    keys = USUAL_METRICS if metric is None else metric_keys(metric)
    scalings = tuple(_scaling(text) for text in grow or ())
    wanted = None if free is None else names_of(free)
    if wanted == ():
        raise bad_option("--free names nothing", "for example --free H,W,N")
    reports: list[NetworkReport] = []
    errors: list[Finding] = []
    for spec in specs:
        try:
            for network in freeable_networks(spec, settings.variables):
                request = _Request(settings, keys, wanted, tuple(assume or ()), scalings)
                reports.append(request.report(network, has_layers=layers))
        except ConvcalcError as error:
            errors += [finding for finding in error.findings if finding not in errors]
    if errors:
        raise ConvcalcError(errors)
    emit(FormulaReport(tuple(reports), __version__), settings)


class _Request:
    """What was asked of each network."""

    def __init__(
        self,
        settings: Settings,
        metrics: tuple[str, ...],
        free: tuple[str, ...] | None,
        assumptions: tuple[str, ...],
        scalings: tuple[tuple[tuple[str, Amount], ...], ...],
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self._free = free
        self._assumptions = assumptions
        self._scalings = scalings

    def report(self, network: FreeableNetwork, *, has_layers: bool) -> NetworkReport:
        """What there is to say of one network. Raises UsageError and SpecError."""
        from convcalc.analysis.freed_costs import (  # noqa: PLC0415 - see above
            freed_costs,
            scaled_together,
        )
        from convcalc.reports.formula import NetworkReport  # noqa: PLC0415 - see above
        from convcalc.sources.free import BATCH  # noqa: PLC0415 - see above

        freed = network.freed(self._names(network), self._assumptions)
        print_findings(
            dict.fromkeys(freed.graph.warnings),
            color=self._settings.color and sys.stderr.isatty(),
        )
        scaled = [name for factors in self._scalings for name, _ in factors]
        network.check(name for name in scaled if name not in freed.names)
        own = {name: network.value(name) for name in (*freed.names, *scaled)}
        for name in scaled:
            is_batch = name == BATCH and BATCH not in network.variables
            if own[name] is None or (is_batch and not freed.has_batch):
                raise bad_option(
                    f"--grow: {name!r} has no value to grow from",
                    f"free it as well: --free {name}" if is_batch else f"--set {name}=…",
                )

        def numbers(changes: Mapping[str, Amount]) -> NetworkFormulas:
            batch = {BATCH} if freed.has_batch else set()
            graph = network.graph({n: v for n, v in changes.items() if n not in batch})
            return self._formulas(freed._replace(graph=graph))

        costs = freed_costs(
            self._formulas(freed),
            freed.names,
            freed.assumptions,
            own,
            self._scalings or scaled_together(freed.names, freed.spatial, own),
            numbers,
            freed.conditions,
        )
        return NetworkReport(costs, self._smallest(network, freed, costs), has_layers)

    def _smallest(
        self, network: FreeableNetwork, freed: FreedNetwork, costs: FreedCosts
    ) -> SmallestInput | None:
        """The smallest input that is as assumed; None if none has an extent in space."""
        from convcalc.analysis.other_inputs import with_inputs  # noqa: PLC0415 - see above
        from convcalc.analysis.smallest_input import (  # noqa: PLC0415 - see above
            MOST_TRIES,
            smallest_input,
        )
        from convcalc.errors import ConvcalcError  # noqa: PLC0415 - see above

        given = network.given
        if given is None or costs.refused is not None:
            return None
        if not any(len(node.shape) > 1 for node in given.inputs):
            return None
        moved = {name: size for name, size in costs.own if name in dict(costs.moved)}
        given = network.graph({n: size for n, size in moved.items() if n in freed.spatial})
        asks_for_size = network.asks_for_size(given)
        if not asks_for_size and not freed.assumptions.values:
            return smallest_input(given)
        inputs = given.inputs

        def graph_at(sizes: tuple[tuple[int, ...], ...]) -> Graph:
            named = network.named_sizes(sizes)
            if named is None or freed.assumptions.symbol_values(named) is None:
                raise ConvcalcError([])
            if asks_for_size:
                return network.graph(named)
            return with_inputs(
                given,
                tuple((*node.shape[:1], *each) for node, each in zip(inputs, sizes, strict=True)),
            )

        return smallest_input(
            given, graph_at, most_tries=MOST_REBUILT if asks_for_size else MOST_TRIES
        )

    def _names(self, network: FreeableNetwork) -> tuple[str, ...]:
        """What is to be free: what was asked for, or the sizes in space and the batch."""
        from convcalc.sources.free import BATCH  # noqa: PLC0415 - see above

        has_batch = self._settings.given.batch is not None
        if self._free is not None:
            if has_batch and BATCH in self._free and BATCH not in network.variables:
                raise bad_option("--free N and --batch: the batch is free or a number", None)
            return self._free
        names = network.spatial_names()
        if has_batch or BATCH in network.variables:
            return names
        return (*names, BATCH)

    def _formulas(self, freed: FreedNetwork) -> NetworkFormulas:
        from convcalc.analysis.formulas import (  # noqa: PLC0415 - see above
            NoFormulaError,
            network_formulas,
        )
        from convcalc.errors import Finding, UsageError, catalogue  # noqa: PLC0415 - see above

        try:
            return network_formulas(
                freed.graph,
                batch=self._settings.batch if freed.batch is None else freed.batch,
                dtypes=self._settings.dtypes,
                metrics=self._metrics,
                optimizer=self._settings.optimizer,
            )
        except NoFormulaError as error:
            raise UsageError(
                [Finding(catalogue.NO_FORMULA, f"{freed.graph.spec}: {error}", help=error.help)]
            ) from None


def _scaling(text: str) -> tuple[tuple[str, Amount], ...]:
    """What is to be multiplied together, and by how much: ``depth=1.2,width=11/10``."""
    factors: dict[str, Amount] = {}
    for part in names_of([text]):
        name, separator, number = (each.strip() for each in part.partition("="))
        try:
            # An exponent is worked out before anything can be said against it.
            is_plain = len(number) <= LONGEST_FACTOR and "e" not in number.lower()
            factor = Fraction(number if is_plain else 0) if separator else Fraction(2)
        except (ValueError, ZeroDivisionError):
            factor = Fraction(0)
        if not name or not 1 / Fraction(LARGEST_FACTOR) <= factor <= LARGEST_FACTOR:
            raise bad_option(
                f"--grow: {part!r} is not NAME or NAME=FACTOR",
                "for example --grow width=2,depth=1.2; a factor is above 0",
            )
        if name in factors:
            raise bad_option(f"--grow: {name!r} is named twice in {text!r}", None)
        factors[name] = factor.numerator if factor.denominator == 1 else factor
    if not factors:
        raise bad_option("--grow names nothing", "for example --grow width")
    return tuple(factors.items())
