"""Columns of the layer table about speed: bytes moved, intensity, and times on a device."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Final

from convcalc.analysis.cost import Analysis, LayerCost
from convcalc.analysis.devices import Device
from convcalc.analysis.grouping import GroupCost
from convcalc.analysis.intensity import (
    Bound,
    Roofline,
    Traffic,
    intensity,
    reuse,
    roofline,
    traffic,
)
from convcalc.reports.analyze import Cells
from convcalc.reports.figures import byte_size, duration, number, rate
from convcalc.reports.sheet import Column

__all__ = ["DEVICE_COLUMNS", "TIME_COLUMNS", "TRAFFIC_COLUMNS", "performance"]

TIME_COLUMNS: Final = ("time", "time_share", "bound")
"""Columns that need a device."""
DEVICE_COLUMNS: Final = (
    *("name", "kind", "output", "macs", "intensity"),
    *TIME_COLUMNS,
)
"""The columns of a table for a device, unless others are asked for."""


def performance(analysis: Analysis, device: Device | None) -> tuple[dict[str, Cells], str | None]:
    """The columns by name, those of time with a device only; and a line about the device."""
    if device is None:
        return TRAFFIC_COLUMNS, None
    roof = roofline(analysis, device)
    return TRAFFIC_COLUMNS | _time_columns(roof), _time_line(roof)


def _traffic(layers: Iterable[LayerCost], analysis: Analysis) -> Traffic:
    moved = [traffic(layer, batch=analysis.batch, dtypes=analysis.dtypes) for layer in layers]
    return Traffic(
        sum(each.read_bytes for each in moved), sum(each.written_bytes for each in moved)
    )


def _moved_cells(title: str, part: str) -> Cells:
    return Cells(
        Column(title),
        lambda group, analysis: byte_size(getattr(_traffic(group.layers, analysis), part)),
        lambda analysis: byte_size(getattr(_traffic(analysis.layers, analysis), part)),
    )


def _intensity(layers: Iterable[LayerCost], macs: int, analysis: Analysis) -> str:
    return number(intensity(macs, _traffic(layers, analysis), batch=analysis.batch))


TRAFFIC_COLUMNS: Final[dict[str, Cells]] = {
    "read_bytes": _moved_cells("Bytes read", "read_bytes"),
    "written_bytes": _moved_cells("Bytes written", "written_bytes"),
    "intensity": Cells(
        Column("Macs/byte"),
        lambda group, analysis: _intensity(group.layers, group.cost.macs, analysis),
        lambda analysis: _intensity(analysis.layers, analysis.macs, analysis),
    ),
    "reuse": Cells(
        Column("Macs/param"),
        lambda group, _: number(reuse(*group.layers)),
        lambda analysis: number(reuse(*analysis.layers)),
    ),
}
"""Columns that need no device."""


def _time_columns(roof: Roofline) -> dict[str, Cells]:
    times = {layer.name: layer for layer in roof.layers}

    def time(group: GroupCost) -> Fraction:
        return sum((times[layer.name].time for layer in group.layers), Fraction(0))

    def share(group: GroupCost) -> Fraction:
        return sum((times[layer.name].share for layer in group.layers), Fraction(0))

    def bound(group: GroupCost) -> str:
        """What the larger part of the time is bound by."""
        layers = [times[layer.name] for layer in group.layers]
        waiting = sum((x.time for x in layers if x.bound is Bound.MEMORY), Fraction(0))
        whole = time(group)
        larger: Bound = Bound.MEMORY if 2 * waiting > whole else Bound.COMPUTE
        return str(larger.value) if whole else ""

    return {
        "time": Cells(
            Column("Time at least"),
            lambda group, _: duration(time(group)),
            lambda _: duration(roof.time),
        ),
        "time_share": Cells(
            Column("% of time", dropped=1),
            lambda group, _: f"{float(100 * share(group)):.1f} %",
            lambda _: "100.0 %" if roof.time else "",
        ),
        "bound": Cells(
            Column("Bound", is_number=False), lambda group, _: bound(group), lambda _: ""
        ),
    }


def _time_line(roof: Roofline) -> str:
    device = roof.device
    return (
        f"On {device.name} ({rate(device.peak_macs)} multiply-adds/s, {rate(device.bandwidth)}B/s, "
        f"ridge {number(device.ridge)} macs/byte) at least {duration(roof.time)}, "
        f"{float(100 * roof.memory_share):.0f} % of it in layers that wait for memory."
        + (f" The peak is of {device.note}." if device.note else "")
    )
