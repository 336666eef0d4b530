"""The command line: arguments in, text and exit codes out."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, NoReturn, TypeAlias, TypeVar

import typer

if TYPE_CHECKING:
    # What a command needs it imports when it runs: `--help` and completion should not wait.
    from convcalc.analysis import Analysis, Dtypes
    from convcalc.analysis.devices import Device
    from convcalc.errors import Finding
    from convcalc.limits import Conditions, Limit
    from convcalc.reports.check import CheckReport
    from convcalc.reports.report import Report

__all__ = ["app", "main"]

ORDERS = ("given", "best")
EXIT_OVER_BUDGET = 1
EXIT_CANNOT_JUDGE = 2
EXIT_BUG = 3
EXIT_CLOSED_PIPE = 141

app = typer.Typer(
    help="What a convolutional network costs: exact, instant, explained.",
    epilog="Try:  convcalc analyze resnet::resnet50",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Command = TypeVar("Command", bound=Callable[..., None])

SpecsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="SPEC...",
        help="A path, path::variant (or a pattern, path::*_1d), a shipped network's name, or - for "
        "standard input.",
        show_default=False,
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
        min=1,
        help="Samples that are held at once; for bytes and times.",
        show_default="1",
    ),
]
DtypeOption = Annotated[
    str | None,
    typer.Option(
        "--dtype",
        help="float64, float32, float16, bfloat16, float8, int8 or int4; for bytes.",
        show_default="float32",
    ),
]
WeightsDtypeOption = Annotated[
    str | None, typer.Option("--weights-dtype", help="The same, of the weights alone.")
]
ActivationsDtypeOption = Annotated[
    str | None, typer.Option("--activations-dtype", help="The same, of the activations alone.")
]
FormatOption = Annotated[
    str | None,
    typer.Option(
        "--format",
        help="table, plain, json, csv or markdown. By default a table in a terminal, else plain; "
        "or what CONVCALC_FORMAT says.",
    ),
]
CheckFormatOption = Annotated[
    str | None,
    typer.Option(
        "--format",
        help="text, json, markdown, github, gitlab, junit or sarif. By default text, or what "
        "CONVCALC_FORMAT says.",
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
    ),
]
DeviceOption = Annotated[
    str | None,
    typer.Option(
        "--device",
        help="Least time on a device: jetson-nano, a100, stm32f746, … (docs/performance.md).",
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
        help="given, or best: look for an order of the layers with a lower peak.",
        show_default="given",
    ),
]
OptimizerOption = Annotated[
    str | None,
    typer.Option(
        "--optimizer", help="sgd, momentum or adam; for training memory.", show_default="sgd"
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
    str, typer.Option("--color", help="auto, always or never. NO_COLOR is respected.")
]


Formats: TypeAlias = Callable[[], tuple[str, ...]]
"""What gives the formats of a command's reports, the first being the usual one."""


class _Settings(NamedTuple):
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
    conditions: Conditions
    """Those of the above that were given, for what may have its own."""


def main() -> NoReturn:
    """Run the command line and exit. A defect of convcalc exits with 3, whatever it is."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show ⌊ should show something else, not end the program.
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # TextIOWrapper
    try:
        app(prog_name="convcalc")
    except Exception as error:  # noqa: BLE001 - the last resort
        _report_bug(error)
        sys.exit(EXIT_BUG)
    sys.exit(0)


@app.callback(invoke_without_command=True)
def _version(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", is_eager=True)
    ] = False,
) -> None:
    if version:
        from convcalc import __version__  # noqa: PLC0415 - see above

        typer.echo(f"convcalc {__version__}")
        raise typer.Exit


# -- understanding options -------------------------------------------------------------------------


def _settings(
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
) -> _Settings:
    """The options that all commands have, understood. Raises UsageError."""
    from convcalc.analysis import Dtypes  # noqa: PLC0415 - see above
    from convcalc.analysis.training import OPTIMIZERS  # noqa: PLC0415 - see above
    from convcalc.api import checked_dtype  # noqa: PLC0415 - see above
    from convcalc.limits import Conditions  # noqa: PLC0415 - see above

    if order is not None and order not in ORDERS:
        raise _unknown(f"--order: unknown order {order!r}", order, ORDERS)
    if optimizer is not None and optimizer not in OPTIMIZERS:
        raise _unknown(f"--optimizer: unknown optimizer {optimizer!r}", optimizer, OPTIMIZERS)
    variables = {}
    for setting in set_ or ():
        name, separator, value = setting.partition("=")
        if not separator or not name.strip() or not value.strip():
            raise _bad_option(f"--set {setting!r} is not VAR=VALUE", "for example --set width=0.5")
        variables[name.strip()] = value.strip()
    exports = []
    for wanted in export or ():
        kind, separator, file = wanted.partition(":")
        if not separator or not file:
            raise _bad_option(
                f"--export {wanted!r} is not FORMAT:FILE", "for example json:out.json"
            )
        exports.append((_format(kind, "--export", formats), Path(file)))
    if color not in ("auto", "always", "never"):
        raise _bad_option(f"--color {color!r}", "there are auto, always and never")
    if depth is not None and depth != "all" and not (depth.isdecimal() and int(depth[:9]) > 0):
        raise _bad_option(f"--depth {depth!r} is neither a number of 1 or more nor `all`", None)
    weights, activations = weights_dtype or dtype, activations_dtype or dtype
    return _Settings(
        variables=variables,
        batch=batch or 1,
        dtypes=Dtypes(checked_dtype(weights or "float32"), checked_dtype(activations or "float32")),
        format=_usual_format(formats) if format_ is None else _format(format_, "--format", formats),
        exports=tuple(exports),
        depth=depth if depth is None or depth == "all" else int(depth[:9]),
        color=_color(color, sys.stdout),
        in_place=in_place,
        best_order=order == "best",
        optimizer=optimizer or "sgd",
        conditions=Conditions(
            settings=variables,
            batch=batch,
            weights_dtype=weights,
            activations_dtype=activations,
            in_place=in_place or None,
            order=order,
            optimizer=optimizer,
        ),
    )


def _table_formats() -> tuple[str, ...]:
    from convcalc.reports.report import FORMATS  # noqa: PLC0415 - see above

    usual = "table" if sys.stdout.isatty() else "plain"
    return (usual, *(name for name in FORMATS if name != usual))


def _check_formats() -> tuple[str, ...]:
    from convcalc.reports.check import CHECK_FORMATS  # noqa: PLC0415 - see above

    return CHECK_FORMATS


def _usual_format(formats: Formats) -> str:
    """The format where none is asked for: what CONVCALC_FORMAT says, if it is one of these."""
    usual, *others = formats()
    wanted = os.environ.get("CONVCALC_FORMAT", "")
    if wanted in others:
        return wanted
    # One variable serves a whole job, and so commands that have no such format.
    if wanted and wanted not in (*_table_formats(), *_check_formats()):
        raise _unknown(f"CONVCALC_FORMAT: unknown format {wanted!r}", wanted, (usual, *others))
    return usual


def _format(name: str, option: str, formats: Formats) -> str:
    known = formats()
    if name in known:
        return name
    raise _unknown(f"{option}: unknown format {name!r}", name, sorted(known))


def _columns(columns: str | None, *, has_device: bool) -> tuple[str, ...]:
    from convcalc.reports.analyze import COLUMNS, DEFAULT_COLUMNS  # noqa: PLC0415 - see above

    if columns is None and not has_device:
        return DEFAULT_COLUMNS
    names = tuple(name.strip() for name in (columns or "").split(","))
    if columns is not None and COLUMNS.keys() >= set(names):
        return names
    from convcalc.reports.performance import (  # noqa: PLC0415 - if asked for
        DEVICE_COLUMNS,
        TIME_COLUMNS,
        TRAFFIC_COLUMNS,
    )

    if columns is None:
        return DEVICE_COLUMNS
    for name in names:
        if name in TIME_COLUMNS and not has_device:
            raise _bad_option(
                f"--columns: {name!r} is of a device",
                "add --device, or --peak-macs and --bandwidth",
            )
        known = (*COLUMNS, *TRAFFIC_COLUMNS, *TIME_COLUMNS)
        if name not in known:
            raise _unknown(f"--columns: unknown column {name!r}", name, known)
    return names


def _device(name: str | None, peak_macs: str | None, bandwidth: str | None) -> Device | None:
    """The device that was named, or described; None if neither."""
    if name is None and peak_macs is None and bandwidth is None:
        return None
    from convcalc.analysis.devices import (  # noqa: PLC0415 - if asked for
        Device,
        all_devices,
        find_device,
        parse_rate,
    )

    found = find_device(name) if name is not None else None
    if name is not None and found is None:
        known = [device.name for device in all_devices()]
        raise _unknown(f"--device: unknown device {name!r}", name, known)
    if found is not None and peak_macs is None and bandwidth is None:
        return found
    if found is None and (peak_macs is None or bandwidth is None):
        raise _bad_option(
            "a device has --peak-macs and --bandwidth",
            "for example --peak-macs 600G --bandwidth 25.6GB/s; or --device names one",
        )
    try:
        device = found or Device("this device", 0, 0)
        if peak_macs is not None:
            if "B" in peak_macs:
                raise _bad_option(f"--peak-macs {peak_macs!r} is in bytes", "for example 600G")
            device = device._replace(peak_macs=parse_rate(peak_macs))
        if bandwidth is not None:
            device = device._replace(bandwidth=parse_rate(bandwidth))
    except ValueError as error:
        raise _bad_option(str(error), None) from None
    return device if found is None else device._replace(name=f"{found.name}, changed", source="")


def _unknown(message: str, name: str, known: Iterable[str]) -> Exception:
    from convcalc.errors import close_match  # noqa: PLC0415 - see above

    known = tuple(known)
    close = close_match(name, known)
    listed = f"there are {', '.join(known)}"
    return _bad_option(message, f"did you mean {close!r}? {listed}" if close else listed)


def _bad_option(message: str, help_: str | None) -> Exception:
    from convcalc.errors import Finding, UsageError, catalogue  # noqa: PLC0415 - see above

    return UsageError([Finding(catalogue.BAD_OPTION, message, help=help_)])


def _color(when: str, stream: Any) -> bool:  # noqa: ANN401 - any stream
    if when != "auto":
        return when == "always"
    return stream.isatty() and not os.environ.get("NO_COLOR")


# -- commands -------------------------------------------------------------------------------------


def _command(
    *options: str,
    group: typer.Typer = app,
    formats: Formats = _table_formats,
    **annotations: object,
) -> Callable[[Command], Command]:
    """Make a function a command; in place of its ``settings`` it has options of `_settings`.

    ``options`` names those of them that make sense for it; all do if none is named. ``annotations``
    are what is said of some of them in another way. Findings go to stderr and exit with 2, a closed
    pipe with 141.
    """
    every = {
        n: p for n, p in signature(_settings, eval_str=True).parameters.items() if n != "formats"
    }
    shared = {
        name: every[name].replace(annotation=annotations.get(name, every[name].annotation))
        for name in options or every
    }

    def decorate(function: Command) -> Command:
        command = _guarded(function, tuple(shared), formats)
        parameters = [
            parameter.replace(kind=Parameter.KEYWORD_ONLY)
            for parameter in (
                *signature(function, eval_str=True).parameters.values(),
                *shared.values(),
            )
            if parameter.name != "settings"
        ]
        # What typer reads.
        command.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {p.name: p.annotation for p in parameters}
        group.command(function.__name__.rstrip("_"))(command)
        return function

    return decorate


def _guarded(
    function: Callable[..., None], shared: tuple[str, ...], formats: Formats
) -> Callable[..., None]:
    def command(**arguments: Any) -> None:  # noqa: ANN401 - as typer parsed them
        from convcalc.errors import ConvcalcError  # noqa: PLC0415 - see above

        options = {name: arguments.pop(name) for name in shared}
        try:
            with _output():
                function(settings=_settings(**options, formats=formats), **arguments)
        except ConvcalcError as error:
            _print_findings(error.findings, color=_color(options.get("color", "auto"), sys.stderr))
            raise typer.Exit(EXIT_CANNOT_JUDGE) from None

    command.__doc__ = function.__doc__
    return command


@contextmanager
def _output() -> Iterator[None]:
    """Written to standard output to the end, or the exit code that says why not."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        _give_up_output()
        raise typer.Exit(EXIT_CLOSED_PIPE) from None
    except OSError as error:
        _give_up_output()
        sys.stderr.write(f"error: the output cannot be written: {error.strerror or error}\n")
        raise typer.Exit(EXIT_CANNOT_JUDGE) from None


def _give_up_output() -> None:
    """What is still buffered has nowhere to go; say so to the interpreter's last flush too."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@_command()
def analyze(
    specs: SpecsArgument,
    settings: _Settings,
    columns: ColumnsOption = None,
    *,
    memory: Annotated[
        bool, typer.Option("--memory", help="What is live in each step, and at the peak.")
    ] = False,
    device: DeviceOption = None,
    peak_macs: PeakOption = None,
    bandwidth: BandwidthOption = None,
) -> None:
    """The layer table and the totals of each network.

    \b
    Examples:
      convcalc analyze net.yaml
      convcalc analyze resnet::resnet152 --depth 2
      convcalc analyze net.yaml --set H=192 --batch 8 --format json
      convcalc analyze net.yaml --memory --in-place --order best --dtype int8
      convcalc analyze net.yaml --device jetson-nano
    """  # noqa: D301 - the \b keeps the lines of the examples apart
    from convcalc import __version__  # noqa: PLC0415 - see above
    from convcalc.reports.report import analyses_report  # noqa: PLC0415 - see above

    chosen = _device(device, peak_macs, bandwidth)
    if memory and (chosen or columns) and settings.format != "json":
        raise _bad_option(
            "--memory has a table of its own, without columns of others and without a device",
            "leave out --columns, --device, --peak-macs and --bandwidth, or ask for --format json",
        )
    names = _columns(columns, has_device=chosen is not None)
    analyses = _analyzed(specs, settings)
    report = analyses_report(
        analyses,
        depth=settings.depth,
        columns=names,
        version=__version__,
        memory=memory,
        device=chosen,
    )
    _emit(report, settings)


@_command()
def compare(
    specs: SpecsArgument,
    settings: _Settings,
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
            raise _bad_option(
                "--against compares each spec with itself, layer by layer",
                "leave out --layers and --reference",
            )
        from convcalc.reports.report import changes_report  # noqa: PLC0415 - see above

        after = _analyzed(specs, settings, every_variant=True)
        before = _analyzed([network.spec for network in after], settings, revision=against)
        pairs = list(zip(before, _told_apart(after), strict=True))
        _emit(changes_report(pairs, against, depth=settings.depth, version=__version__), settings)
        return
    if settings.depth is not None and not layers:
        raise _bad_option("--depth folds layers, and there are none here", "add --layers")
    analyses = _analyzed(specs, settings, every_variant=len(specs) == 1)
    analyses = _told_apart(analyses)
    comparison = Comparison(analyses, _reference(analyses, reference))
    report = comparison_report(
        comparison, by_layer=layers, depth=settings.depth, version=__version__
    )
    _emit(report, settings)


_CONDITIONS = (
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

LimitOption = list[str] | None


@_command(
    *_CONDITIONS,
    "format_",
    "export",
    "color",
    formats=_check_formats,
    format_=CheckFormatOption,
)
def check(
    settings: _Settings,
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SPEC|BUDGETS]...",
            help="Specs, of which all variants are checked, or budget files. By default "
            "budgets.yaml.",
            show_default=False,
        ),
    ] = None,
    max_: Annotated[
        LimitOption,
        typer.Option("--max", metavar="METRIC=LIMIT", help="macs=600M. Repeatable."),
    ] = None,
    min_: Annotated[
        LimitOption,
        typer.Option("--min", metavar="METRIC=LIMIT", help="receptive_field=224. Repeatable."),
    ] = None,
    max_increase: Annotated[
        LimitOption,
        typer.Option(
            "--max-increase",
            metavar="METRIC=LIMIT",
            help="Over the baseline: macs=2%, params=50k. Repeatable.",
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
    """Hold networks against their budgets: exit code 1 if one is exceeded.

    Budgets stand in the specs, in a budget file, or in options.

    \b
    Examples:
      convcalc check net.yaml --max params=5M --max macs=600M --min receptive_field=224
      convcalc check budgets.yaml --why
      convcalc check net.yaml --against origin/main --max-increase macs=2%
      convcalc check --format github --export junit:report.xml --export sarif:report.sarif
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
        _print_findings(run.check.findings, color=settings.color and sys.stderr.isatty())
    outcome = run.check.outcome
    updates: list[tuple[Path, str]] = []
    if outcome is not Outcome.CANNOT_JUDGE:
        from convcalc.reports.json_report import updated_report  # noqa: PLC0415 - see above

        updates = [
            (update.path, updated_report(update.text, update.networks, __version__))
            for update in run.updates
        ]
    _emit(report, settings, updates)
    for path, _ in updates:
        print(f"wrote {path}", file=sys.stderr)  # noqa: T201 - this is the command line
    if summary and os.environ.get("GITHUB_STEP_SUMMARY"):
        _append(Path(os.environ["GITHUB_STEP_SUMMARY"]), report.text("markdown"))
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


_budget_app = typer.Typer(help="Budgets for `check`.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(_budget_app, name="budget")


@_command(*_CONDITIONS, "color", group=_budget_app)
def init(
    specs: SpecsArgument,
    settings: _Settings,
    headroom: Annotated[
        str, typer.Option("--headroom", metavar="PERCENT", help="Room above today's numbers.")
    ] = "0%",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write a file, which must be new."),
    ] = None,
) -> None:
    """A budget file to start from: today's numbers of each network, with headroom.

    \b
    Examples:
      convcalc budget init net.yaml --headroom 10% > budgets.yaml
      convcalc budget init nets/*.yaml --headroom 5% --output budgets.yaml
    """  # noqa: D301 - the \b keeps the lines of the examples apart
    from convcalc.reports.budget_file import budget_file_text  # noqa: PLC0415 - see above
    from convcalc.sources.amounts import AmountError, parse_amount  # noqa: PLC0415 - see above

    try:
        room, _ = parse_amount(headroom, "count", percent=True)
    except AmountError as error:
        raise _bad_option(f"--headroom: {error}", error.help) from None
    if output is not None and output.exists():
        raise _bad_option(f"--output: {str(output)!r} exists", "name a new file, or edit that one")
    text = budget_file_text(
        _named_networks(specs, settings),
        room,
        settings.conditions,
        output.parent if output is not None else Path(),
    )
    if output is None:
        sys.stdout.write(text)
    else:
        _export([(output, text)])
        print(f"wrote {output}", file=sys.stderr)  # noqa: T201 - this is the command line


def _named_networks(references: Iterable[str], settings: _Settings) -> list[tuple[str, Analysis]]:
    """Every network with the name that it goes by from here."""
    from convcalc.errors import ConvcalcError  # noqa: PLC0415 - see above

    networks: list[tuple[str, Analysis]] = []
    errors: list[Finding] = []
    for reference in references:
        path = reference.partition("::")[0]
        if path == "-":
            raise _bad_option("a budget names files", "save the spec, and name its file")
        try:
            for analysis in _analyzed((reference,), settings, every_variant=True):
                _, separator, variant = analysis.spec.partition("::")
                networks.append((path + separator + variant, analysis))
        except ConvcalcError as error:
            errors += error.findings
    if errors:
        raise ConvcalcError(errors)
    return networks


@_command("format_", "export", "color")
def specs(settings: _Settings) -> None:
    """The networks that ship with convcalc.

    Any of them can stand in place of a file: convcalc analyze resnet::resnet50
    """
    from convcalc.analysis import total_of  # noqa: PLC0415 - see above
    from convcalc.reports.specs import specs_report  # noqa: PLC0415 - see above
    from convcalc.sources import shipped_names, variants_of  # noqa: PLC0415 - see above

    totals = [total_of(graph) for name in shipped_names() for graph in variants_of(name)]
    _emit(specs_report(totals), settings)


@app.command()
def schema(
    *,
    budgets: Annotated[
        bool, typer.Option("--budgets", help="That of budget files instead.")
    ] = False,
) -> None:
    """The JSON Schema of the spec language, for editors.

    convcalc schema > convcalc.schema.json, and in a spec: # yaml-language-server: $schema=…
    """
    import json  # noqa: PLC0415 - see above

    from convcalc.sources import budgets_schema, spec_schema  # noqa: PLC0415 - see above

    chosen = budgets_schema() if budgets else spec_schema()
    with _output():
        sys.stdout.write(json.dumps(chosen, indent=1, ensure_ascii=False) + "\n")


# -- networks --------------------------------------------------------------------------------------


def _analyzed(
    references: Iterable[str],
    settings: _Settings,
    *,
    every_variant: bool = False,
    revision: str | None = None,
) -> tuple[Analysis, ...]:
    """The networks analyzed; what is wrong with any of them is said of all before giving up."""
    from convcalc.analysis import analyze_graph  # noqa: PLC0415 - see above
    from convcalc.analysis.published import published_findings  # noqa: PLC0415 - see above
    from convcalc.errors import ConvcalcError  # noqa: PLC0415 - see above
    from convcalc.sources import is_pattern, load, variants_of  # noqa: PLC0415 - see above

    analyses: list[Analysis] = []
    errors: list[Finding] = []
    for reference in references:
        try:
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
    _print_findings(dict.fromkeys(warnings), color=settings.color and sys.stderr.isatty())
    return tuple(analyses)


def _told_apart(analyses: tuple[Analysis, ...]) -> tuple[Analysis, ...]:
    """The networks, those that share a name under their specs' instead."""
    names = [analysis.name for analysis in analyses]
    return tuple(
        analysis._replace(name=analysis.spec) if names.count(analysis.name) > 1 else analysis
        for analysis in analyses
    )


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
    raise _unknown(
        f"--reference: no network {wanted!r} in this comparison",
        wanted,
        [analysis.name for analysis in analyses],
    )


# -- output ----------------------------------------------------------------------------------------


def _emit(
    report: Report | CheckReport,
    settings: _Settings,
    others: Sequence[tuple[Path, str]] = (),
) -> None:
    """Export the report, then print it: a file that cannot be written leaves nothing half done.

    ``others`` are files that are written with it.
    """
    _export([*((path, report.text(kind)) for kind, path in settings.exports), *others])
    if settings.format == "table" or (settings.format == "text" and sys.stdout.isatty()):
        is_terminal = sys.stdout.isatty()
        columns = os.environ.get("COLUMNS", "")
        width = (
            None if is_terminal else int(columns) if columns.isdecimal() and columns else 100_000
        )
        report.draw(sys.stdout, color=settings.color, width=width)
    else:
        sys.stdout.write(report.text(settings.format))


def _export(files: list[tuple[Path, str]]) -> None:
    """Write all files or none: each beside its place first, then moved there."""
    written: list[tuple[Path, Path]] = []
    try:
        for path, text in files:
            beside = path.with_name(f".{path.name}.{os.getpid()}.part")
            written.append((beside, path))
            beside.write_text(text, encoding="utf-8")
        for beside, path in written:
            beside.replace(path)
    except OSError as error:
        for beside, _ in written:
            beside.unlink(missing_ok=True)
        raise _cannot_write(written[-1][1], error) from None


def _append(path: Path, text: str) -> None:
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise _cannot_write(path, error) from None


def _cannot_write(path: Path, error: OSError) -> Exception:
    from convcalc.errors import Finding, UsageError, catalogue  # noqa: PLC0415 - see above

    return UsageError(
        [
            Finding(
                catalogue.CANNOT_WRITE,
                f"{str(path)!r} cannot be written: {error.strerror or error}",
            )
        ]
    )


def _print_findings(findings: Iterable[Finding], *, color: bool) -> None:
    from convcalc.reports.findings import findings_text  # noqa: PLC0415 - see above

    text = findings_text(findings, color=color)
    if text:
        print(text, end="", file=sys.stderr)  # noqa: T201 - this is the command line


def _report_bug(error: Exception) -> None:
    from traceback import extract_tb  # noqa: PLC0415 - see above

    from convcalc import __version__  # noqa: PLC0415 - see above

    frames = extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    message = str(error).splitlines()
    print(  # noqa: T201 - this is the command line
        f"convcalc {__version__} has a bug: {type(error).__name__}{where}"
        + (f": {message[0]}" if message else "")
        + "\nPlease report it, with the command and the spec: "
        "https://github.com/convcalc/convcalc/issues",
        file=sys.stderr,
    )
