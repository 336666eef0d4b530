"""The options that commands share, and what they mean."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeAlias

import typer

from convcalc.cli.completion import columns, devices, networks, words

if TYPE_CHECKING:
    # What a command needs it imports when it runs: `--help` and completion should not wait.
    from convcalc.analysis import Dtypes
    from convcalc.limits import Conditions

DTYPES = ("float64", "float32", "float16", "bfloat16", "float8", "int8", "int4")
ORDERS = ("given", "best")
OPTIMIZERS = ("sgd", "momentum", "adam")
COLORS = ("auto", "always", "never")
"""The words of options: said here too, and not asked of those who know what they mean, because
help and completion should not wait for them. The tests hold the two against each other."""


def _any_of(words: tuple[str, ...]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"


def format_option(*names: str, usual: str = "text") -> Any:  # noqa: ANN401 - as typer's own
    """The option for the format of a report: one of ``names``, ``usual`` if none is named."""
    return typer.Option(
        "--format",
        metavar="NAME",
        help=f"{_any_of(names)}. By default {usual}; or what CONVCALC_FORMAT says.",
        autocompletion=words(*names),
    )


SpecArgument = Annotated[
    str,
    typer.Argument(
        metavar="SPEC",
        help="A path, path::variant, a shipped network's name, or - for standard input.",
        show_default=False,
        autocompletion=networks,
    ),
]
SpecsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="SPEC...",
        help="A path, path::variant (or a pattern, path::*_1d), a shipped network's name, or - for "
        "standard input.",
        show_default=False,
        autocompletion=networks,
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="VAR=VALUE", help="Override a variable of the spec. Repeatable."),
]
BatchOption = Annotated[
    int | None,
    typer.Option(
        "--batch",
        metavar="N",
        help="Samples that are held at once, for bytes and times. By default 1.",
    ),
]
DtypeOption = Annotated[
    str | None,
    typer.Option(
        "--dtype",
        metavar="NAME",
        help=f"{_any_of(DTYPES)}; for bytes. By default float32.",
        autocompletion=words(*DTYPES),
    ),
]
WeightsDtypeOption = Annotated[
    str | None,
    typer.Option(
        "--weights-dtype",
        metavar="NAME",
        help="The same, of the weights alone.",
        autocompletion=words(*DTYPES),
    ),
]
ActivationsDtypeOption = Annotated[
    str | None,
    typer.Option(
        "--activations-dtype",
        metavar="NAME",
        help="The same, of the activations alone.",
        autocompletion=words(*DTYPES),
    ),
]
FormatOption = Annotated[
    str | None,
    format_option(
        *("table", "plain", "json", "csv", "markdown"), usual="a table in a terminal, else plain"
    ),
]
AssumeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--assume",
        metavar="TEXT",
        help="What is known of something free: 'H % 32 == 0', 'W == H', 'H >= 64'. Repeatable.",
    ),
]
WrittenOption = Annotated[
    list[str] | None,
    typer.Option(
        "--written",
        metavar="LAYERS=FORM",
        help="How layers, by kind or pattern of names, are written in PyTorch: module, subclass, "
        "function or operator (docs/conventions.md). Repeatable.",
    ),
]
ExportOption = Annotated[
    list[str] | None,
    typer.Option(
        "--export", metavar="FORMAT:FILE", help="Write the report to a file too. Repeatable."
    ),
]
DepthOption = Annotated[
    str | None,
    typer.Option(
        "--depth",
        metavar="N|all",
        help="Fold layers into groups N names deep. By default what fits in about 40 rows; plain "
        "output has all.",
        autocompletion=words("1", "2", "3", "all"),
    ),
]
ColumnsOption = Annotated[
    str | None,
    typer.Option(
        "--columns",
        metavar="NAME,...",
        help="Columns of the layer table: name, kind, input, output, weights, params, buffers, "
        "macs, flops, macs_share, params_share, activation_bytes, receptive_field, jump, start, "
        "read_bytes, written_bytes, intensity, reuse, …; with a device time, time_share, bound.",
        autocompletion=columns,
    ),
]
DeviceOption = Annotated[
    str | None,
    typer.Option(
        "--device",
        metavar="NAME",
        help="Least time on a device: jetson-nano, a100, stm32f746, … (docs/performance.md).",
        autocompletion=devices,
    ),
]
PeakOption = Annotated[
    str | None,
    typer.Option("--peak-macs", metavar="RATE", help="Another device: 600G multiply-adds/s."),
]
BandwidthOption = Annotated[
    str | None, typer.Option("--bandwidth", metavar="RATE", help="And 25.6GB/s.")
]
InPlaceOption = Annotated[
    bool,
    typer.Option(
        "--in-place",
        help="Let element-wise layers take over the memory of an input that no one reads again.",
    ),
]
OrderOption = Annotated[
    str | None,
    typer.Option(
        "--order",
        metavar="NAME",
        help="given, or best: look for an order of the layers with a lower peak. By default given.",
        autocompletion=words(*ORDERS),
    ),
]
OptimizerOption = Annotated[
    str | None,
    typer.Option(
        "--optimizer",
        metavar="NAME",
        help=f"{_any_of(OPTIMIZERS)}; for training memory. By default sgd.",
        autocompletion=words(*OPTIMIZERS),
    ),
]
AgainstOption = Annotated[
    str | None,
    typer.Option(
        "--against",
        metavar="REV",
        help="A git revision: hold each spec against itself as it is there.",
    ),
]
ColorOption = Annotated[
    str,
    typer.Option(
        "--color",
        metavar="WHEN",
        help=f"{_any_of(COLORS)}, by default auto. NO_COLOR is respected.",
        show_default=False,
        autocompletion=words(*COLORS),
    ),
]


CONDITIONS = (
    "set_",
    "batch",
    "dtype",
    "weights_dtype",
    "activations_dtype",
    "in_place",
    "order",
    "optimizer",
)
"""The options that say what networks are analyzed under."""


Formats: TypeAlias = Callable[[], tuple[str, ...]]
"""What gives the formats of a command's reports, the first being the usual one."""


class Given(NamedTuple):
    """Options as they were given; None where one was not."""

    batch: int | None
    weights_dtype: str | None
    activations_dtype: str | None
    in_place: bool | None
    order: str | None
    optimizer: str | None


class Settings(NamedTuple):
    """The options that all commands have, understood."""

    variables: dict[str, str]
    batch: int
    dtypes: Dtypes
    format: str
    exports: tuple[tuple[str, Path], ...]
    depth: int | str | None
    color: bool
    in_place: bool
    best_order: bool
    optimizer: str
    given: Given

    @property
    def conditions(self) -> Conditions:
        """What was given, for what may have conditions of its own."""
        from convcalc.limits import Conditions  # noqa: PLC0415 - see above

        return Conditions(settings=self.variables, **self.given._asdict())


def settings_of(
    set_: SetOption = None,
    batch: BatchOption = None,
    dtype: DtypeOption = None,
    weights_dtype: WeightsDtypeOption = None,
    activations_dtype: ActivationsDtypeOption = None,
    format_: FormatOption = None,
    export: ExportOption = None,
    depth: DepthOption = None,
    color: ColorOption = "auto",
    in_place: InPlaceOption = False,  # noqa: FBT002 - an option of the command line
    order: OrderOption = None,
    optimizer: OptimizerOption = None,
    *,
    formats: Formats,
) -> Settings:
    """The options that all commands have, understood. Raises UsageError."""
    from convcalc.analysis import Dtypes  # noqa: PLC0415 - see above
    from convcalc.api import checked_batch, checked_dtype  # noqa: PLC0415 - see above

    if order is not None and order not in ORDERS:
        raise unknown(f"--order: unknown order {order!r}", order, ORDERS)
    if optimizer is not None and optimizer not in OPTIMIZERS:
        raise unknown(f"--optimizer: unknown optimizer {optimizer!r}", optimizer, OPTIMIZERS)
    variables = {}
    for setting in set_ or ():
        name, separator, value = setting.partition("=")
        if not separator or not name.strip() or not value.strip():
            raise bad_option(f"--set {setting!r} is not VAR=VALUE", "for example --set width=0.5")
        variables[name.strip()] = value.strip()
    exports = []
    for wanted in export or ():
        kind, separator, file = wanted.partition(":")
        if not separator or not file:
            raise bad_option(f"--export {wanted!r} is not FORMAT:FILE", "for example json:out.json")
        exports.append((_format(kind, "--export", formats), Path(file)))
    if color not in COLORS:
        raise unknown(f"--color: unknown word {color!r}", color, COLORS)
    if batch is not None:
        checked_batch(batch, "--batch: ")
    if depth is not None and depth != "all" and not (depth.isdecimal() and int(depth[:9]) > 0):
        raise bad_option(f"--depth {depth!r} is neither a number of 1 or more nor `all`", None)
    weights, activations = weights_dtype or dtype, activations_dtype or dtype
    return Settings(
        variables=variables,
        batch=batch or 1,
        dtypes=Dtypes(checked_dtype(weights or "float32"), checked_dtype(activations or "float32")),
        format=_usual_format(formats) if format_ is None else _format(format_, "--format", formats),
        exports=tuple(exports),
        depth=depth if depth is None or depth == "all" else int(depth[:9]),
        color=use_color(color, sys.stdout),
        in_place=in_place,
        best_order=order == "best",
        optimizer=optimizer or "sgd",
        given=Given(batch, weights, activations, in_place or None, order, optimizer),
    )


def table_formats() -> tuple[str, ...]:
    """The formats of tables: of networks, comparisons and lists."""
    from convcalc.reports.report import FORMATS  # noqa: PLC0415 - see above

    usual = "table" if sys.stdout.isatty() else "plain"
    return (usual, *(name for name in FORMATS if name != usual))


def check_formats() -> tuple[str, ...]:
    """The formats of checks."""
    from convcalc.reports.check import CHECK_FORMATS  # noqa: PLC0415 - see above

    return CHECK_FORMATS


def explain_formats() -> tuple[str, ...]:
    """The formats of explanations."""
    from convcalc.reports.explain import EXPLAIN_FORMATS  # noqa: PLC0415 - see above

    return EXPLAIN_FORMATS


def formula_formats() -> tuple[str, ...]:
    """The formats of formulas."""
    from convcalc.reports.formula import FORMULA_FORMATS  # noqa: PLC0415 - see above

    return FORMULA_FORMATS


def reconcile_formats() -> tuple[str, ...]:
    """The formats of networks under other conventions."""
    from convcalc.reports.reconcile import RECONCILE_FORMATS  # noqa: PLC0415 - see above

    return RECONCILE_FORMATS


def names_of(option: Iterable[str] | None) -> tuple[str, ...]:
    """The names that an option gives, separated by commas or by being given again."""
    return tuple(name.strip() for text in option or () for name in text.split(",") if name.strip())


def metric_keys(option: Iterable[str], *others: str) -> tuple[str, ...]:
    """The keys of the metrics that an option names, as reports or as budgets call them.

    It may name those of every report, and ``others``. Raises UsageError.
    """
    from convcalc.metrics import METRICS, metric  # noqa: PLC0415 - see above

    known = (*(each.name for each in METRICS), *others)
    names = names_of(option)
    if not names:
        raise bad_option("--metric names nothing", "for example --metric params,macs")
    for name in names:
        if name not in known and all(name != each.key for each in METRICS):
            raise unknown(f"--metric: unknown metric {name!r}", name, known)
    return tuple(dict.fromkeys(metric(name).key for name in names))


def _usual_format(formats: Formats) -> str:
    """The format where none is asked for: what CONVCALC_FORMAT says, if it is one of these."""
    usual, *others = formats()
    wanted = os.environ.get("CONVCALC_FORMAT", "")
    if wanted in others:
        return wanted
    # One variable serves a whole job, and so commands that have no such format.
    every = (
        *(table_formats, check_formats, explain_formats, formula_formats),
        reconcile_formats,
    )
    if wanted and all(wanted not in others() for others in every):
        raise unknown(f"CONVCALC_FORMAT: unknown format {wanted!r}", wanted, (usual, *others))
    return usual


def _format(name: str, option: str, formats: Formats) -> str:
    known = formats()
    if name in known:
        return name
    raise unknown(f"{option}: unknown format {name!r}", name, sorted(known))


def unknown(message: str, name: str, known: Iterable[str]) -> Exception:
    """The error for a name that is not among those that are ``known``."""
    from convcalc.errors import UsageError, unknown_word  # noqa: PLC0415 - see above

    return UsageError([unknown_word(message, name, known)])


def bad_option(message: str, help_: str | None) -> Exception:
    """The error for an option that cannot be understood."""
    from convcalc.errors import Finding, UsageError, catalogue  # noqa: PLC0415 - see above

    return UsageError([Finding(catalogue.BAD_OPTION, message, help=help_)])


def use_color(when: str, stream: Any) -> bool:  # noqa: ANN401 - any stream
    """Whether to colour what goes to a stream; ``when`` is what `--color` says."""
    if when != "auto":
        return when == "always"
    return stream.isatty() and not os.environ.get("NO_COLOR")
