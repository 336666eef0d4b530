"""`convcalc analyze`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from convcalc.cli.command import command
from convcalc.cli.completion import tools
from convcalc.cli.networks import analyzed
from convcalc.cli.options import (
    BandwidthOption,
    ColumnsOption,
    DeviceOption,
    PeakOption,
    Settings,
    SpecsArgument,
    WrittenOption,
    bad_option,
    unknown,
)
from convcalc.cli.output import emit

if TYPE_CHECKING:
    from convcalc.analysis.devices import Device

__all__ = ["analyze"]


@command()
def analyze(
    specs: SpecsArgument,
    settings: Settings,
    columns: ColumnsOption = None,
    *,
    memory: Annotated[
        bool, typer.Option("--memory", help="What is live in each step, and at the peak.")
    ] = False,
    device: DeviceOption = None,
    peak_macs: PeakOption = None,
    bandwidth: BandwidthOption = None,
    like: Annotated[
        str | None,
        typer.Option(
            "--like",
            metavar="TOOL",
            help="What another tool counts: fvcore, ptflops, ptflops-aten, thop, torchinfo, torch "
            "or calflops (docs/conventions.md).",
            autocompletion=tools,
        ),
    ] = None,
    written: WrittenOption = None,
) -> None:
    """The layer table and the totals of each network.

    \b
    Examples:
      convcalc analyze net.yaml
      convcalc analyze resnet::resnet152 --depth 2
      convcalc analyze net.yaml --set width=2 --batch 8 --format json
      convcalc analyze net.yaml --memory --in-place --order best --dtype int8
      convcalc analyze net.yaml --device jetson-nano
      convcalc analyze net.yaml --like fvcore
    """  # noqa: D301 - the \b keeps the lines of the examples apart
    from convcalc import __version__  # noqa: PLC0415 - see above
    from convcalc.reports.report import analyses_report  # noqa: PLC0415 - see above

    if written and like is None:
        raise bad_option("--written makes a difference to other tools alone", "add --like")
    if like is not None:
        if memory or device or peak_macs or bandwidth:
            raise bad_option(
                "--like has a table of its own, without memory and without a device",
                "leave out --memory, --device, --peak-macs and --bandwidth",
            )
        _analyze_like(like, written, specs, settings, columns)
        return
    chosen = _device(device, peak_macs, bandwidth)
    if memory and (chosen or columns) and settings.format != "json":
        raise bad_option(
            "--memory has a table of its own, without columns of others and without a device",
            "leave out --columns, --device, --peak-macs and --bandwidth, or ask for --format json",
        )
    names = _columns(columns, has_device=chosen is not None)
    analyses = analyzed(specs, settings)
    report = analyses_report(
        analyses,
        depth=settings.depth,
        columns=names,
        version=__version__,
        memory=memory,
        device=chosen,
    )
    emit(report, settings)


def _analyze_like(
    name: str,
    written: list[str] | None,
    specs: list[str],
    settings: Settings,
    columns: str | None,
) -> None:
    """The layer tables with the counts of another tool."""
    from convcalc import __version__  # noqa: PLC0415 - see above
    from convcalc.cli.written import check_written, written_of  # noqa: PLC0415 - if asked for
    from convcalc.conventions import (  # noqa: PLC0415 - if asked for
        all_conventions,
        find_convention,
    )
    from convcalc.conventions.counting import counted  # noqa: PLC0415 - if asked for
    from convcalc.reports.analyze import COLUMNS  # noqa: PLC0415 - see above
    from convcalc.reports.like import LIKE_COLUMNS, like_report  # noqa: PLC0415 - if asked for

    convention = find_convention(name)
    if convention is None:
        known = [each.name for each in all_conventions()]
        raise unknown(f"--like: unknown tool {name!r}", name, known)
    names: tuple[str, ...] = LIKE_COLUMNS
    if columns is not None:
        names = tuple(each.strip() for each in columns.split(","))
        for each in names:
            if each not in COLUMNS:
                raise unknown(f"--columns: unknown column {each!r}", each, COLUMNS)
    forms = written_of(written)
    analyses = analyzed(specs, settings)
    check_written(forms, analyses)
    report = like_report(
        [(each, counted(each, convention, forms)) for each in analyses],
        forms,
        depth=settings.depth,
        columns=names,
        version=__version__,
    )
    emit(report, settings)


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
            raise bad_option(
                f"--columns: {name!r} is of a device",
                "add --device, or --peak-macs and --bandwidth",
            )
        known = (*COLUMNS, *TRAFFIC_COLUMNS, *TIME_COLUMNS)
        if name not in known:
            raise unknown(f"--columns: unknown column {name!r}", name, known)
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
        raise unknown(f"--device: unknown device {name!r}", name, known)
    if found is not None and peak_macs is None and bandwidth is None:
        return found
    if found is None and (peak_macs is None or bandwidth is None):
        raise bad_option(
            "a device has --peak-macs and --bandwidth",
            "for example --peak-macs 600G --bandwidth 25.6GB/s; or --device names one",
        )
    try:
        device = found or Device("this device", 0, 0)
        if peak_macs is not None:
            if "B" in peak_macs:
                raise bad_option(f"--peak-macs {peak_macs!r} is in bytes", "for example 600G")
            device = device._replace(peak_macs=parse_rate(peak_macs))
        if bandwidth is not None:
            device = device._replace(bandwidth=parse_rate(bandwidth))
    except ValueError as error:
        raise bad_option(str(error), None) from None
    return device if found is None else device._replace(name=f"{found.name}, changed", source="")
