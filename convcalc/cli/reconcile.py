"""`convcalc reconcile`."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from convcalc.cli.command import command
from convcalc.cli.options import (
    ReconcileFormatOption,
    Settings,
    WrittenOption,
    bad_option,
    reconcile_formats,
)
from convcalc.cli.output import emit, print_findings
from convcalc.cli.written import check_written, written_of

if TYPE_CHECKING:
    from convcalc.analysis import Analysis
    from convcalc.conventions.claims import Claim
    from convcalc.sources.free import FreeableNetwork

__all__ = ["claim_of", "reconcile"]

FIGURE = re.compile(
    r"(?P<digits>[0-9][0-9,]*(?:\.[0-9]+)?)(?:[eE]\+?(?P<exponent>[0-9]{1,2}))?"
    r"\s*(?P<unit>[kKMGBT]i?)?\s*(?P<of>[A-Za-z][A-Za-z -]*)?"
)
OPERATIONS = ("flop", "flops", "mac", "macs", "madds", "multadds", "multiplyadds", "ops")
PARAMETERS = ("param", "params", "parameters", "weights")


@command(
    *("set_", "format_", "export", "color"),
    formats=reconcile_formats,
    format_=ReconcileFormatOption,
)
def reconcile(
    spec: Annotated[
        str,
        typer.Argument(
            metavar="SPEC",
            help="A path, path::variant, a shipped network's name, or - for standard input.",
            show_default=False,
        ),
    ],
    settings: Settings,
    claim: Annotated[
        str | None,
        typer.Option(
            "--claim",
            metavar="FIGURE",
            help="Whose count is this? 4.11G, 4.1 GFLOPs, 8.18e9, '25.6M params'.",
        ),
    ] = None,
    written: WrittenOption = None,
) -> None:
    """A network as other tools count it, and what each adds to the multiply-adds or leaves out.

    \b
    Examples:
      convcalc reconcile resnet::resnet50
      convcalc reconcile resnet::resnet50 --claim 4.11G
      convcalc reconcile net.yaml --written relu=function --format csv
    """  # noqa: D301 - the \b keeps the lines of the examples apart
    from convcalc import __version__  # noqa: PLC0415 - see above
    from convcalc.analysis import analyze_graph  # noqa: PLC0415 - see above
    from convcalc.analysis.published import published_findings  # noqa: PLC0415 - see above
    from convcalc.conventions import all_conventions  # noqa: PLC0415 - see above
    from convcalc.conventions.claims import judged  # noqa: PLC0415 - see above
    from convcalc.conventions.counting import counted  # noqa: PLC0415 - see above
    from convcalc.reports.reconcile import ReconcileReport  # noqa: PLC0415 - see above
    from convcalc.sources.free import freeable_networks  # noqa: PLC0415 - see above

    asked = None if claim is None else claim_of(claim)
    forms = written_of(written)
    network, *others = freeable_networks(spec, settings.variables)
    if others:
        raise bad_option(
            f"{spec!r} are {1 + len(others)} networks", f"name one of them, such as {network.spec}"
        )
    # Anew where it has no numbers for all of its variables: what is missing is then said.
    analysis = analyze_graph(network.given if network.given is not None else network.graph({}))
    check_written(forms, [analysis])
    print_findings(
        (*analysis.warnings, *published_findings(analysis)),
        color=settings.color and sys.stderr.isatty(),
    )
    report = ReconcileReport(
        analysis,
        tuple(counted(analysis, convention, forms) for convention in all_conventions()),
        None if asked is None else judged(asked, analysis, _at_other_sizes(network), forms),
        forms,
        __version__,
    )
    emit(report, settings)


def _at_other_sizes(network: FreeableNetwork) -> Iterator[Analysis]:
    """The network on square images of the usual sizes, as far as it takes them."""
    from convcalc.analysis import analyze_graph  # noqa: PLC0415 - see above
    from convcalc.conventions.claims import USUAL_SIZES  # noqa: PLC0415 - see above
    from convcalc.errors import ConvcalcError  # noqa: PLC0415 - see above

    names = network.spatial_names()
    given = network.given
    if given is None or not names or any(len(node.shape) != 3 for node in given.inputs):
        return
    met = {tuple(node.shape for node in given.inputs)}
    for size in USUAL_SIZES:
        try:
            graph = network.graph(dict.fromkeys(names, size))
        except ConvcalcError:
            continue  # too small for its layers
        shapes = tuple(node.shape for node in graph.inputs)
        if shapes not in met:
            met.add(shapes)
            yield analyze_graph(graph)


def claim_of(text: str) -> Claim:
    """The figure that somebody quotes, with what it may be rounded from. Raises UsageError."""
    from convcalc.conventions.claims import Claim  # noqa: PLC0415 - see above
    from convcalc.errors import Finding, UsageError, catalogue  # noqa: PLC0415 - see above

    match = FIGURE.fullmatch(text.strip())
    bounds = None
    of_params = False
    if match:
        of = re.sub(r"[ -]", "", (match["of"] or "").lower())
        of_params = of in PARAMETERS
        if not of or of_params or of in OPERATIONS:
            bounds = _bounds(match["digits"].replace(",", ""), match["exponent"], match["unit"])
    if bounds is None:
        raise UsageError(
            [
                Finding(
                    catalogue.BAD_CLAIM,
                    f"--claim: {text!r} is not a count",
                    help="write it as it is quoted: 4.11G, 4.1 GFLOPs, 8.18e9, 4111512576, or "
                    "'25.6M params'",
                )
            ]
        )
    return Claim(text.strip(), *bounds, of_params)


def _bounds(digits: str, exponent: str | None, unit: str | None) -> tuple[int, int] | None:
    """The least and the greatest count that a figure may stand for; None if it is none.

    What `published` in a spec may say is read the same way; here there are powers of ten too.
    """
    from convcalc.sources.spec.published_figures import figure_bounds  # noqa: PLC0415 - see above

    if exponent is None:
        if unit in {"T", "Ti"}:
            return _scaled(figure_bounds(f"{digits}G{unit[1:]}"), 1000 if unit == "T" else 1024, 1)
        return figure_bounds(digits + (unit or ""))
    power = int(exponent) - 9
    if unit is not None:
        return None
    return _scaled(figure_bounds(f"{digits}G"), 10 ** max(power, 0), 10 ** max(-power, 0))


def _scaled(bounds: tuple[int, int] | None, times: int, parts: int) -> tuple[int, int] | None:
    """The whole numbers of the same figure, multiplied and divided."""
    if bounds is None:
        return None
    low, high = bounds
    # From low up to, and without, high + 1: each rounded up.
    return -(-low * times // parts), -(-(high + 1) * times // parts) - 1
