"""The report of one network: the layer table, its totals and the definitions they rest on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from convcalc.analysis.cost import Analysis
from convcalc.analysis.dtypes import Dtypes
from convcalc.analysis.grouping import READABLE_ROWS, GroupCost, depth_that_fits, groups_at
from convcalc.analysis.metrics import value_of
from convcalc.analysis.published import PublishedCheck, published_checks
from convcalc.analysis.receptive_field import ReceptiveField
from convcalc.metrics import METRICS
from convcalc.reports.figures import amount, byte_size, count, percent, shape
from convcalc.reports.sheet import Column, Sheet

if TYPE_CHECKING:
    from convcalc.analysis.devices import Device

__all__ = [
    "AUTO_DEPTH",
    "COLUMNS",
    "DEFAULT_COLUMNS",
    "IN_PLACE_LINE",
    "UNALIGNED_LINE",
    "Cells",
    "Depth",
    "analysis_sheet",
    "capped",
    "definitions",
    "field_size",
    "folded",
    "held_in",
    "inputs_text",
    "order_lines",
    "set_variables",
    "titled",
]

AUTO_DEPTH: Final = "auto"
Depth = int | str | None
"""Parts of a name to fold to; `AUTO_DEPTH`: as deep as reads well; None: every layer."""

MAX_UNFOLDED_ROWS: Final = 400
"""Rows of a table that was not asked for whole: a network may have 100,000 layers in one group."""


SHORT_TITLES: Final = {"activation_bytes": "Activations"}
"""Where the unit in the cells says the rest."""


UNALIGNED: Final = "*"
UNALIGNED_LINE: Final = (
    "* Branches whose windows move apart meet here, or neighbours of a finer grid see unequally "
    "many positions: of the first, or the most."
)
IN_PLACE_LINE: Final = (
    "In place: an element-wise layer takes over the memory of an input that no one reads after it."
)
SHARED: Final = "shared"
"""In place of the parameters of layers that use the weights of others."""


class Cells(NamedTuple):
    """A column of the layer table: what it shows of a group, and of the network."""

    column: Column
    of_group: Callable[[GroupCost, Analysis], str]
    of_total: Callable[[Analysis], str]


def _nothing(_analysis: Analysis) -> str:
    return ""


def _metric_cells(key: str, title: str, unit: str) -> Cells:
    of_weights = key in ("params", "weight_bytes")

    def of_group(group: GroupCost, _analysis: Analysis) -> str:
        if of_weights and group.shares_all_weights:
            return SHARED
        return amount(value_of(key, group.cost), unit)

    return Cells(
        Column(SHORT_TITLES.get(key, title), dropped=1 if key == "activation_bytes" else 0),
        of_group,
        lambda analysis: amount(value_of(key, analysis), unit),
    )


def _share_cells(key: str) -> Cells:
    return Cells(
        Column("%", dropped=2),
        lambda group, analysis: percent(value_of(key, group.cost), value_of(key, analysis)),
        lambda analysis: percent(value_of(key, analysis), value_of(key, analysis)),
    )


def _receptive_field(group: GroupCost, _analysis: Analysis) -> str:
    return field_size(group.layers[-1].receptive_field)


def field_size(field: ReceptiveField) -> str:
    """``35×35``; with a star where not all positions see that much."""
    return shape(field.size) + (UNALIGNED if field.size and not field.aligned else "")


def _jump(group: GroupCost, _analysis: Analysis) -> str:
    return shape(group.layers[-1].receptive_field.jump)


def _start(group: GroupCost, _analysis: Analysis) -> str:
    return "×".join(str(at).replace("-", "−") for at in group.layers[-1].receptive_field.start)


def _weights(group: GroupCost, _analysis: Analysis) -> str:
    if len(group.layers) > 1:
        return ""
    if group.layers[0].shares_weights_with is not None:
        return f"as {group.layers[0].shares_weights_with}"
    return ", ".join(f"{t.name} {shape(t.shape)}" for t in group.layers[0].weights)


def _input(group: GroupCost, _analysis: Analysis) -> str:
    return ", ".join(shape(sizes) for sizes in group.layers[0].input_shapes)


COLUMNS: Final[dict[str, Cells]] = {
    "name": Cells(
        Column("Layer", is_number=False, is_name=True),
        lambda group, _: group.name,
        lambda analysis: f"Total, {len(analysis.layers)} layer{'s' * (len(analysis.layers) != 1)}",
    ),
    "kind": Cells(
        Column("Kind", is_number=False, dropped=3), lambda group, _: group.kind, _nothing
    ),
    "input": Cells(Column("Input", is_number=False), _input, _nothing),
    "output": Cells(
        Column("Output", is_number=False),
        lambda group, _: shape(group.output_shape),
        lambda analysis: ", ".join(shape(sizes) for _, sizes in analysis.outputs),
    ),
    "weights": Cells(Column("Weights", is_number=False), _weights, _nothing),
    **{
        each.key: _metric_cells(each.key, each.title, each.unit)
        for each in METRICS
        if each.of_layers
    },
    "macs_share": _share_cells("macs"),
    "params_share": _share_cells("params"),
    "receptive_field": Cells(
        Column("Receptive field"),
        _receptive_field,
        lambda analysis: field_size(analysis.receptive_field),
    ),
    "jump": Cells(Column("Jump"), _jump, lambda analysis: shape(analysis.receptive_field.jump)),
    "start": Cells(Column("Start"), _start, _nothing),
}
"""The columns that `--columns` knows, by name."""

DEFAULT_COLUMNS: Final = (
    "name",
    "kind",
    "output",
    "params",
    "macs",
    "macs_share",
    "activation_bytes",
)


def analysis_sheet(
    analysis: Analysis,
    *,
    depth: Depth = AUTO_DEPTH,
    columns: Iterable[str] = DEFAULT_COLUMNS,
    device: Device | None = None,
) -> Sheet:
    """The layer table of a network, folded to ``depth``, and its time on a device.

    ``columns`` are keys of `COLUMNS`, or of those of `convcalc.reports.performance`.
    """
    columns = tuple(columns)
    known = COLUMNS
    time_line = None
    if device is not None or not COLUMNS.keys() >= set(columns):
        from convcalc.reports.performance import performance  # noqa: PLC0415 - if asked for

        more, time_line = performance(analysis, device)
        known = COLUMNS | more
    cells = [known[name] for name in columns]
    is_automatic = depth == AUTO_DEPTH
    groups = folded(analysis, depth)
    rows = [tuple(cell.of_group(group, analysis) for cell in cells) for group in groups]
    lines = [*order_lines(analysis), *_lines(analysis)]
    if time_line is not None:
        lines.insert(0, time_line)
    rows, hidden = capped(rows) if is_automatic else (rows, None)
    if hidden is not None:
        lines.insert(0, hidden)
    elif is_automatic and len(rows) < len(analysis.layers):
        lines.insert(0, "Layers are folded into groups; `--depth all` shows every layer.")
    if "receptive_field" in columns and not all(
        group.layers[-1].receptive_field.aligned for group in groups
    ):
        lines.insert(0, UNALIGNED_LINE)
    if any(layer.shares_weights_with is not None for layer in analysis.layers):
        lines.insert(0, "Shared weights count once, where they are used first.")
    return Sheet(
        title=titled(analysis.name, analysis),
        columns=tuple(cell.column for cell in cells),
        rows=tuple(rows),
        totals=(tuple(cell.of_total(analysis) for cell in cells),),
        lines=tuple(lines),
    )


def folded(analysis: Analysis, depth: Depth) -> tuple[GroupCost, ...]:
    """The layers of a network in groups ``depth`` names deep."""
    fold = depth_that_fits(analysis) if depth == AUTO_DEPTH else depth
    return groups_at(analysis, fold if isinstance(fold, int) else None)


def titled(title: str, analysis: Analysis) -> str:
    """A title with what the network's numbers are for: variables that were set, and its input."""
    return " · ".join((title, *set_variables(analysis), f"input {inputs_text(analysis)}"))


def capped(rows: list[tuple[str, ...]]) -> tuple[list[tuple[str, ...]], str | None]:
    """The first and last of too many rows, and a line that says so; all, and None, of others."""
    if len(rows) <= MAX_UNFOLDED_ROWS:
        return rows, None
    half = READABLE_ROWS // 2
    hidden = len(rows) - 2 * half
    gap = (f"… {hidden:,} more …", *("" for _ in rows[0][1:]))
    line = f"{hidden:,} rows are not shown; `--depth all` shows every layer."
    return [*rows[:half], gap, *rows[-half:]], line


def set_variables(analysis: Analysis) -> tuple[str, ...]:
    """``width=0.5`` for each variable that was set otherwise than the spec has it."""
    return tuple(f"{name}={value}" for name, value in analysis.settings)


def definitions(inputs: str, batch: int | str, dtypes: Dtypes) -> str:
    """What the numbers mean, in one line. ``inputs`` says which input they are for.

    ``batch`` is a number, or the formula that it is.
    """
    return (
        "Multiply-add: one multiply and one add of a convolution or matrix product, no bias adds; "
        f"FLOPs = 2 · multiply-adds + other operations; {inputs}, batch {batch}, {held_in(dtypes)}."
    )


def order_lines(analysis: Analysis) -> Iterator[str]:
    """What was asked for of memory and of the order of the layers."""
    if analysis.in_place:
        yield IN_PLACE_LINE
    order = analysis.order
    if order is None:
        return
    known = (
        "no order has a lower peak"
        if order.is_exact
        else "the best that was found; a lower one is not ruled out"
    )
    if order.peak == order.given:
        yield f"The order of the spec stays: {known}."
    else:
        yield (
            f"In this order the peak is {byte_size(order.peak)}, in the spec's "
            f"{byte_size(order.given)}: {known}."
        )


def held_in(dtypes: Dtypes) -> str:
    """The formats of numbers, in words."""
    if dtypes.weights == dtypes.activations:
        return dtypes.weights
    return f"{dtypes.weights} weights, {dtypes.activations} activations"


def _lines(analysis: Analysis) -> Iterable[str]:
    # Positions in the peak count the inputs, the layers do not.
    step = analysis.peak.step - len(analysis.inputs)
    where = f" at {analysis.layers[step].name}" if step >= 0 else ""
    yield (
        f"FLOPs {count(analysis.flops)}; weights {byte_size(analysis.weight_bytes)} + peak "
        f"activations {byte_size(analysis.peak_activation_bytes)}{where} = "
        f"{byte_size(analysis.inference_bytes)}."
    )
    by_source: dict[tuple[str, str | None], list[PublishedCheck]] = {}
    for check in published_checks(analysis):
        by_source.setdefault((check.figure.source, check.figure.differs), []).append(check)
    for (source, differs), checks in by_source.items():
        figures = ", ".join(
            (f"{check.figure.group} " if check.figure.group else "")
            + f"{check.figure.metric} {_figure(check.figure.text)} "
            + ("✓" if check.agrees else "✗")
            for check in checks
        )
        yield f"Published ({source}): {figures}" + (f" ({differs})" if differs else "")
    yield definitions(f"input {inputs_text(analysis)}", analysis.batch, analysis.dtypes)


def inputs_text(analysis: Analysis) -> str:
    """The shapes of the network's inputs, with their names if there are several."""
    return ", ".join(
        shape(sizes) if len(analysis.inputs) == 1 else f"{name} {shape(sizes)}"
        for name, sizes in analysis.inputs
    )


def _figure(text: str) -> str:
    return count(int(text)) if text.isdecimal() else text
