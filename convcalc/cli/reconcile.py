"""`convcalc reconcile`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, NamedTuple, TypeAlias, cast

import typer

from convcalc.cli.command import command
from convcalc.cli.networks import costs_of, print_warnings
from convcalc.cli.options import (
    Settings,
    SpecArgument,
    WrittenOption,
    bad_option,
    format_option,
    reconcile_formats,
)
from convcalc.cli.output import emit
from convcalc.cli.written import check_written, written_of

if TYPE_CHECKING:
    from convcalc.analysis import Analysis
    from convcalc.conventions.claims import Claim, Other
    from convcalc.sources.free import FreeableNetwork

__all__ = ["claim_of", "reconcile"]

Spatial: TypeAlias = tuple[tuple[int, ...], ...]
"""The sizes in space of each input."""

FIGURE = re.compile(
    r"(?:[~≈]\s*)?(?P<whole>[1-9][0-9]{0,2}(?:,[0-9]{3})+|[0-9]+)(?P<decimals>\.[0-9]+)?"
    r"(?:[eE]\+?(?P<exponent>[0-9]{1,2})|\s*[×·xX*]\s*10(?:\^|\*\*)(?P<power>[0-9]{1,2}))?"
    r"\s*(?P<of>(?:[A-Za-z][A-Za-z -]*)?)"
)
DECIMAL_COMMA = re.compile(r"(?:[~≈]\s*)?[0-9]+,[0-9]+(?![0-9,.])")
POWER = re.compile("(?<=10)[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
UNITS = {
    "thousand": "K",
    "million": "M",
    "billion": "G",
    "trillion": "T",
    "mn": "M",
    "bn": "G",
    "": "",
    "k": "K",
    "m": "M",
    "g": "G",
    "b": "G",
    "t": "T",
    "ki": "Ki",
    "mi": "Mi",
    "gi": "Gi",
    "ti": "Ti",
}
"""What a figure is a multiple of, by how it is written, whatever the case."""
OPERATIONS = (
    *("flop", "flops", "mac", "macs", "madd", "madds", "multadds", "multiplyadds", "ops"),
    *("operations", "multiplyaccumulates"),
)
PARAMETERS = ("param", "params", "parameters", "weights")

ReconcileFormatOption = Annotated[str | None, format_option("text", "markdown", "json", "csv")]


FINE = 1024
"""Up to this size multiples of 32 are tried: among more sizes some would fit any figure."""
MOST_LAYERS = 2000
"""Networks of more are tried on no other input: each takes as long as the whole command."""


@command(
    *("set_", "format_", "export", "color"),
    formats=reconcile_formats,
    format_=ReconcileFormatOption,
)
def reconcile(
    spec: SpecArgument,
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
    """A network as other tools count it, and where they differ.

    Of each what it adds to the multiply-adds, or leaves out; of a figure that somebody quotes whose
    count it is.

    \b
    Examples:
      convcalc reconcile resnet::resnet50
      convcalc reconcile resnet::resnet50 --claim 4.11G
      convcalc reconcile net.yaml --written relu6=function --format csv
    """  # noqa: D301 - the \b keeps the lines of the examples apart
    from convcalc import __version__  # noqa: PLC0415 - see above
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
    analysis = costs_of(network.given if network.given is not None else network.graph({}), settings)
    check_written(forms, [analysis])
    print_warnings([analysis], settings)
    report = ReconcileReport(
        analysis,
        tuple(counted(analysis, convention, forms) for convention in all_conventions()),
        None if asked is None else judged(asked, analysis, _at_other_sizes(network), forms),
        forms,
        __version__,
    )
    emit(report, settings)


def _at_other_sizes(network: FreeableNetwork) -> Iterator[Sequence[Other]]:
    """The network on inputs of other sizes in space, in sequences from small to large."""
    from convcalc.conventions.claims import Other  # noqa: PLC0415 - see above

    given = network.given
    if given is None or len(given.nodes) > MOST_LAYERS:
        return
    shapes = [cast("tuple[int, ...]", node.shape) for node in given.inputs]
    own = tuple(shape[1:] for shape in shapes)
    met = {own}
    for chain in _other_sizes(own):
        others = []
        for sizes in chain:
            names = None if sizes in met else network.named_sizes(sizes)
            met.add(sizes)
            if names is not None:
                first = (*shapes[0][:1], *sizes[0])
                others.append(Other(first, partial(_analyzed, network, names, sizes)))
        if others:
            yield others


def _analyzed(
    network: FreeableNetwork, names: Mapping[str, int], sizes: Spatial
) -> Analysis | None:
    """The network on inputs of these sizes in space; None if its layers do not take them."""
    from convcalc.analysis import analyze_graph  # noqa: PLC0415 - see above
    from convcalc.errors import ConvcalcError  # noqa: PLC0415 - see above

    try:
        graph = network.graph(names)
    except ConvcalcError:
        return None  # too small for its layers
    if tuple(node.shape[1:] for node in graph.inputs) != sizes:
        return None  # the size is not its variables alone
    return analyze_graph(graph)


def _other_sizes(own: Spatial) -> Iterator[list[Spatial]]:
    """Sizes in space of all inputs, in sequences that grow on every axis.

    Images that are square are tried at the usual sizes, and at multiples of 32 and ± 32 around
    their own, as are the heights and widths of videos; others are scaled alike. Videos are tried
    with more and fewer frames too.
    """
    from convcalc.conventions.claims import USUAL_SIZES  # noqa: PLC0415 - see above

    ranks = {len(sizes) for sizes in own}
    if not all(own) or not ranks <= {1, 2, 3}:
        return
    lengths = [size for sizes in own for size in (sizes[1:] if len(sizes) == 3 else sizes)]
    least = min(lengths)
    is_image = ranks != {1}
    is_square = is_image and len(set(lengths)) == 1
    near = set(USUAL_SIZES) if is_square else {least * parts // 4 for parts in range(2, 13)}
    if is_image and least <= FINE:
        near |= {least - 32, least + 32, *range(-(-least // 64) * 32, 3 * least + 1, 32)}
    scaled = [
        tuple(
            (
                *sizes[: len(sizes) == 3],
                *(size * length // least for size in sizes[len(sizes) == 3 :]),
            )
            for sizes in own
        )
        for length in sorted(near)
        if length > 0
    ]
    yield scaled
    if is_image and not is_square:
        yield [
            tuple((*sizes[: len(sizes) == 3], *(length,) * min(2, len(sizes))) for sizes in own)
            for length in USUAL_SIZES
        ]
    if ranks == {3}:
        yield [
            tuple((max(1, sizes[0] * parts // 8), *sizes[1:]) for sizes in own)
            for parts in (1, 2, 4, 6, 12, 16, 24, 32, 64)
        ]


def claim_of(text: str) -> Claim:
    """The figure that somebody quotes, with what it may be rounded from. Raises UsageError."""
    from convcalc.conventions.claims import Claim  # noqa: PLC0415 - see above
    from convcalc.errors import Finding, UsageError, catalogue  # noqa: PLC0415 - see above

    said = text.strip()
    figure = _read(said)
    if figure is None:
        dotted = said.replace(",", ".", 1)
        has_comma = DECIMAL_COMMA.match(said) is not None and _read(dotted) is not None
        raise UsageError(
            [
                Finding(
                    catalogue.BAD_CLAIM,
                    f"--claim: {text!r} is not a count",
                    help=f"write {dotted}"
                    if has_comma
                    else "write it as it is quoted: 4.11G, 4.1 GFLOPs, 8.18e9, 4111512576, or "
                    "'25.6M params'",
                )
            ]
        )
    return Claim(said, figure.low, figure.high, figure.of in PARAMETERS, is_bare=not figure.of)


class _Figure(NamedTuple):
    """What a figure may stand for, and the word for what it is of; empty: it does not say."""

    low: int
    high: int
    of: str


def _read(text: str) -> _Figure | None:
    """A figure as it is quoted; None if it is none."""
    match = FIGURE.fullmatch(POWER.sub(lambda power: "^" + power[0].translate(DIGITS), text))
    if match is None:
        return None
    number = match["whole"].replace(",", "") + (match["decimals"] or "")
    # Each unit that the word may start with: the m of `macs` is none.
    word = re.sub(r"[ -]", "", match["of"].lower())
    for unit, symbol in UNITS.items():
        of = word.removeprefix(unit)
        if word.startswith(unit) and of in ("", *OPERATIONS, *PARAMETERS):
            bounds = _bounds(number, match["exponent"] or match["power"], symbol)
            return None if bounds is None else _Figure(*bounds, of)
    return None


def _bounds(digits: str, exponent: str | None, unit: str) -> tuple[int, int] | None:
    """The least and the greatest count that a figure may stand for; None if it is none.

    What `published` in a spec may say is read the same way; here there are powers of ten too.
    """
    from convcalc.sources.spec.published_figures import figure_bounds  # noqa: PLC0415 - see above

    if exponent is None:
        if unit in {"T", "Ti"}:
            return _scaled(figure_bounds(f"{digits}G{unit[1:]}"), 1000 if unit == "T" else 1024, 1)
        return figure_bounds(digits + unit)
    power = int(exponent) - 9
    if unit:
        return None
    return _scaled(figure_bounds(f"{digits}G"), 10 ** max(power, 0), 10 ** max(-power, 0))


def _scaled(bounds: tuple[int, int] | None, times: int, parts: int) -> tuple[int, int] | None:
    """The whole numbers of the same figure, multiplied and divided."""
    if bounds is None:
        return None
    low, high = bounds
    # From low up to, and without, high + 1: each rounded up.
    return -(-low * times // parts), -(-(high + 1) * times // parts) - 1
